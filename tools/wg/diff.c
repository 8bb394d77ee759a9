/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* diff: what would make one state into the other. States are interfaces or files. */
#include "wg.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_file(const char *word)
{
	return strchr(word, '/') || g_str_has_suffix(word, ".conf") || access(word, F_OK) == 0;
}

/* What a file asks for. */
static WicePlan *read_plan(const WgCall *call, const char *word, GError **error)
{
	g_autoptr(WiceConf) conf = wg_read_conf(call, word, error);
	return conf ? wice_conf_plan(conf, WICE_CONF_SET, error) : NULL;
}

/* The state that is an interface's, or that a file makes of an interface that is new. */
static WiceDevice *read_device(const WgCall *call, const char *word, GError **error)
{
	g_autoptr(WicePlan) plan = NULL;
	if (is_file(word)) {
		plan = read_plan(call, word, error);
		return plan ? wice_plan_result(plan, NULL) : NULL;
	}
	g_autoptr(WiceWg) wg = wice_wg_new();
	return wice_wg_get(wg, word, WG_TIMEOUT_MS, error);
}

/* A file says what it wants: what it does not mention is no difference. */
static WicePlan *compare(const WgCall *call, const WiceDevice *before, GError **error)
{
	const char *word = call->args[1];
	if (is_file(word)) {
		g_autoptr(WicePlan) wanted = read_plan(call, word, error);
		return wanted ? wice_plan_minimize(wanted, before, 0) : NULL;
	}
	g_autoptr(WiceDevice) after = read_device(call, word, error);
	return after ? wice_plan_between(before, after, 0) : NULL;
}

int wg_diff(const WgCall *call)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WiceDevice) before = read_device(call, call->args[0], &error);
	g_autoptr(WicePlan) plan = before ? compare(call, before, &error) : NULL;
	int code = EXIT_SUCCESS;
	if (!plan) {
		wg_fail(call, error);
		return WG_EXIT_TROUBLE;
	}
	bool is_empty = wice_plan_is_empty(plan);
	if (call->options & WG_JSON)
		code = wg_output(call, wice_plan_format_json(plan, before), true);
	else if (!is_empty)
		code = wg_output(call, wice_plan_format(plan, before), true);
	if (code != EXIT_SUCCESS)
		return WG_EXIT_TROUBLE;
	return is_empty ? EXIT_SUCCESS : WG_EXIT_DIFFERENT;
}
