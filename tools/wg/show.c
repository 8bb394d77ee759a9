/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* show and showconf: a device as text. */
#include "wg.h"

#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wice/show.h>

/* Where there may be others, none may hold them up that hangs. */
#define ONE_OF_ALL_MS 250

/* What is to be shown of each device. */
typedef struct {
	enum { FORM_PRETTY, FORM_JSON, FORM_DUMP, FORM_FIELD } form;
	WiceShowField field;
	WiceShowOptions options;
} View;

static bool wants_colour(void)
{
	const char *mode = getenv("WG_COLOR_MODE");
	if (mode && strcmp(mode, "always") == 0)
		return true;
	if (mode && strcmp(mode, "never") == 0)
		return false;
	return isatty(STDOUT_FILENO);
}

static void init_view(View *view, bool json)
{
	const char *hide = getenv("WG_HIDE_KEYS");
	view->form = json ? FORM_JSON : FORM_PRETTY;
	view->options = (WiceShowOptions){
		.size = sizeof(WiceShowOptions),
		.show_secrets = hide && strcmp(hide, "never") == 0,
		.color = !json && wants_colour(),
		.now_ns = g_get_real_time() * 1000,
		.scope_name = json ? NULL : if_indextoname,
	};
}

static bool parse_view(const WgCall *call, View *view)
{
	const char *word = call->n_args > 1 ? call->args[1] : NULL;
	bool json = call->options & WG_JSON;
	init_view(view, json);
	if (!word)
		return true;
	if (json) {
		fprintf(stderr, "%s: --json shows everything; '%s' is too much.\n", call->program,
			word);
		return false;
	}
	view->form = strcmp(word, "dump") == 0 ? FORM_DUMP : FORM_FIELD;
	if (view->form == FORM_DUMP || wice_show_field_parse(word, &view->field))
		return true;
	fprintf(stderr,
		"%s: Nothing is called '%s'. There are: public-key, private-key, listen-port, "
		"fwmark, peers, preshared-keys, endpoints, allowed-ips, latest-handshakes, "
		"transfer, persistent-keepalive and dump.\n",
		call->program, word);
	return false;
}

static char *render(const View *view, const WiceDevice *device, bool with_name)
{
	switch (view->form) {
	case FORM_JSON:
		return wice_show_json(device, &view->options);
	case FORM_DUMP:
		return wice_show_dump(device, with_name, &view->options);
	case FORM_FIELD:
		return wice_show_field(device, view->field, with_name, &view->options);
	default:
		return wice_show_pretty(device, &view->options);
	}
}

/* The names of all interfaces; what is wrong with others is told. */
static char **list(const WgCall *call, WiceWg *wg, GError **error)
{
	g_auto(GStrv) problems = NULL;
	char **names = wice_wg_list(wg, &problems, error);
	for (char **problem = problems; problem && *problem; problem++)
		fprintf(stderr, "%s: Warning: %s\n", call->program, *problem);
	return names;
}

/* Interfaces that cannot be read are told and left out; it fails if there is none but such. */
static int show_all(const WgCall *call, const View *view)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WiceWg) wg = wice_wg_new();
	unsigned n_shown = 0;
	int code = EXIT_SUCCESS;
	g_auto(GStrv) names = list(call, wg, &error);
	if (!names)
		return wg_fail(call, error);
	for (char **name = names; *name && code == EXIT_SUCCESS; name++) {
		g_autoptr(WiceDevice) device = wice_wg_get(wg, *name, ONE_OF_ALL_MS, &error);
		if (!device) {
			wg_fail(call, error);
			g_clear_error(&error);
			continue;
		}
		if (n_shown++ && view->form == FORM_PRETTY)
			code = wg_output(call, g_strdup("\n"), false);
		if (code == EXIT_SUCCESS)
			code = wg_output(call, render(view, device, true), view->form == FORM_JSON);
	}
	return *names && !n_shown ? EXIT_FAILURE : code;
}

static int show_names(const WgCall *call)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WiceWg) wg = wice_wg_new();
	g_auto(GStrv) names = list(call, wg, &error);
	if (!names)
		return wg_fail(call, error);
	return *names ? wg_output(call, g_strjoinv(" ", names), true) : EXIT_SUCCESS;
}

static int show_one(const WgCall *call, const View *view)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WiceWg) wg = wice_wg_new();
	g_autoptr(WiceDevice) device = wice_wg_get(wg, call->args[0], WG_TIMEOUT_MS, &error);
	if (!device)
		return wg_fail(call, error);
	return wg_output(call, render(view, device, false), view->form == FORM_JSON);
}

int wg_show(const WgCall *call)
{
	const char *what = call->n_args ? call->args[0] : "all";
	View view;
	if (strcmp(what, "interfaces") == 0 && call->n_args == 1 && !(call->options & WG_JSON))
		return show_names(call);
	if (strcmp(what, "interfaces") == 0) {
		fprintf(stderr, "%s: Nothing more can be said behind `show interfaces`.\n",
			call->program);
		return EXIT_FAILURE;
	}
	if (!parse_view(call, &view))
		return EXIT_FAILURE;
	return strcmp(what, "all") == 0 ? show_all(call, &view) : show_one(call, &view);
}

int wg_showconf(const WgCall *call)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WiceWg) wg = wice_wg_new();
	g_autoptr(WiceDevice) device = wice_wg_get(wg, call->args[0], WG_TIMEOUT_MS, &error);
	if (!device)
		return wg_fail(call, error);
	const WiceShowOptions options = { .size = sizeof options, .scope_name = if_indextoname };
	return wg_output(call, wice_show_conf(device, &options), false);
}
