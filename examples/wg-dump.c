/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Prints all WireGuard interfaces of this network namespace with their peers. */
#include <stdio.h>
#include <wice/wg.h>

static void print_device(const WiceDeviceInfo *info)
{
	printf("%s: port %u, %zu peers\n", info->name, info->listen_port, info->n_peers);
	for (size_t i = 0; i < info->n_peers; i++) {
		const WiceDevicePeer *peer = &info->peers[i];
		char key[WICE_KEY_BASE64_SIZE], endpoint[WICE_ENDPOINT_SIZE];
		wice_key_to_base64(&peer->public_key, key);
		printf("\t%s at %s\n", key, wice_endpoint_format(&peer->endpoint, endpoint));
	}
}

int main(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WiceWg) wg = wice_wg_new();
	g_auto(GStrv) names = wice_wg_list(wg, NULL, &error);
	for (char **name = names; name && *name && !error; name++) {
		g_autoptr(WiceDevice) device = wice_wg_get(wg, *name, 1000, &error);
		if (device)
			print_device(wice_device_info(device));
	}
	if (error)
		fprintf(stderr, "%s\n", error->message);
	return error ? 1 : 0;
}
