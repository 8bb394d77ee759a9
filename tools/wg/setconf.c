/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* setconf, addconf, syncconf and sync: a file becomes a plan, the plan is applied. */
#include "wg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool wg_apply(const char *name, const WicePlan *plan, GError **error)
{
	g_autoptr(WiceWg) wg = wice_wg_new();
	if (!wice_plan_is_empty(plan))
		return wice_wg_set(wg, name, plan, WG_TIMEOUT_MS, error);
	g_autoptr(WiceDevice) device = wice_wg_get(wg, name, WG_TIMEOUT_MS, error);
	return device != NULL;
}

/* What the file asks for and the interface is not yet. *ret_device is what it is. */
static WicePlan *plan_sync(const WgCall *call, unsigned flags, WiceDevice **ret_device,
			   GError **error)
{
	g_autoptr(WiceConf) conf = wg_read_conf(call, call->args[1], error);
	g_autoptr(WicePlan) wanted = conf ? wice_conf_plan(conf, WICE_CONF_SET, error) : NULL;
	if (!wanted)
		return NULL;
	g_autoptr(WiceWg) wg = wice_wg_new();
	g_autoptr(WiceDevice) device = wice_wg_get(wg, call->args[0], WG_TIMEOUT_MS, error);
	if (!device)
		return NULL;
	WicePlan *plan = wice_plan_minimize(wanted, device, flags);
	*ret_device = g_steal_pointer(&device);
	return plan;
}

int wg_setconf(const WgCall *call)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WicePlan) plan = NULL;
	g_autoptr(WiceDevice) device = NULL;
	if (strcmp(call->command, "syncconf") == 0) {
		plan = plan_sync(call, 0, &device, &error);
	} else {
		bool add = strcmp(call->command, "addconf") == 0;
		g_autoptr(WiceConf) conf = wg_read_conf(call, call->args[1], &error);
		if (conf)
			plan = wice_conf_plan(conf, add ? WICE_CONF_ADD : WICE_CONF_SET, &error);
	}
	if (plan && wg_apply(call->args[0], plan, &error))
		return EXIT_SUCCESS;
	return wg_fail(call, error);
}

static int print_plan(const WgCall *call, const WicePlan *plan, const WiceDevice *device)
{
	if (call->options & WG_JSON)
		return wg_output(call, wice_plan_format_json(plan, device), true);
	if (!wice_plan_is_empty(plan))
		return wg_output(call, wice_plan_format(plan, device), true);
	return wg_output(call,
			 g_strdup_printf("%s is as %s says: there is nothing to do.\n",
					 call->args[0], call->args[1]),
			 true);
}

int wg_sync(const WgCall *call)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WiceDevice) device = NULL;
	unsigned flags = call->options & WG_KEEP_ENDPOINTS ? WICE_PLAN_KEEP_ENDPOINTS : 0;
	g_autoptr(WicePlan) plan = plan_sync(call, flags, &device, &error);
	if (!plan)
		return wg_fail(call, error);
	bool dry_run = call->options & WG_DRY_RUN;
	if (!dry_run && !wice_plan_is_empty(plan) && !wg_apply(call->args[0], plan, &error))
		return wg_fail(call, error);
	return print_plan(call, plan, device);
}
