/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints all WireGuard interfaces of this network namespace with their peers, as JSON, one per
 * line.
 */
#include <stdio.h>
#include <wice/show.h>
#include <wice/wg.h>

int main(void)
{
	const WiceShowOptions options = { .size = sizeof options };
	g_autoptr(GError) error = NULL;
	g_autoptr(WiceWg) wg = wice_wg_new();
	g_auto(GStrv) names = wice_wg_list(wg, NULL, &error);
	for (char **name = names; name && *name && !error; name++) {
		g_autoptr(WiceDevice) device = wice_wg_get(wg, *name, 1000, &error);
		g_autofree char *json = device ? wice_show_json(device, &options) : NULL;
		if (json)
			puts(json);
	}
	if (error)
		fprintf(stderr, "%s\n", error->message);
	return error ? 1 : 0;
}
