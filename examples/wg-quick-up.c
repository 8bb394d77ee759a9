/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A part of "wg-quick up FILE": makes the interface that a file describes, or brings one that is
 * there up to date. Peers that stay keep their sessions, and doing it again changes nothing. It
 * leaves routes, name servers and scripts alone.
 */
#include <stdio.h>
#include <string.h>
#include <wice/conf.h>
#include <wice/error.h>
#include <wice/plan.h>
#include <wice/wg.h>

#define TIMEOUT_MS 5000

static gboolean set_up(WiceWg *wg, const char *name, WiceConf *conf, GError **error)
{
	g_autoptr(WicePlan) wanted = wice_conf_plan(conf, WICE_CONF_SET, error);
	g_autoptr(WiceDevice) now = wanted ? wice_wg_get(wg, name, TIMEOUT_MS, error) : NULL;
	if (!now)
		return FALSE;
	g_autoptr(WicePlan) plan = wice_plan_minimize(wanted, now, 0);
	g_autofree char *changes = wice_plan_format(plan, now);
	fputs(changes, stdout);
	WiceLinkChange link = { .size = sizeof link, .set_up = true, .up = true };
	link.mtu = wice_conf_mtu(conf);
	link.add = wice_conf_addresses(conf, &link.n_add);
	return wice_wg_set(wg, name, plan, TIMEOUT_MS, error) &&
	       wice_wg_set_link(wg, name, &link, TIMEOUT_MS, error);
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WiceWg) wg = wice_wg_new();
	if (argc != 2 || !g_str_has_suffix(argv[1], ".conf")) {
		fprintf(stderr, "usage: %s IFNAME.conf\n", argv[0]);
		return 2;
	}
	g_autofree char *file = g_path_get_basename(argv[1]);
	g_autofree char *name = g_strndup(file, strlen(file) - strlen(".conf"));
	g_autoptr(WiceConf) conf = wice_conf_read(argv[1], WICE_CONF_STRICT, &error);
	if (conf && wice_conf_resolve(conf, TIMEOUT_MS, NULL, NULL, &error)) {
		wice_wg_create(wg, name, TIMEOUT_MS, &error);
		if (g_error_matches(error, WICE_ERROR, WICE_ERROR_EXISTS))
			g_clear_error(&error);
		if (!error)
			set_up(wg, name, conf, &error);
	}
	if (error)
		fprintf(stderr, "%s: %s\n", argv[1], error->message);
	return error ? 1 : 0;
}
