/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/engine_private.h"

#include <net/if.h>
#include <sodium.h>

#include "engine/uapi_handler.h"

/* The text protocol of userspace WireGuard, spoken to an engine. */

static int get(void *engine, WiceDevice **ret)
{
	*ret = wice_engine_get(engine);
	return 0;
}

static int set(void *engine, const WicePlan *plan)
{
	return wice__engine_apply(engine, plan);
}

static unsigned scope(const char *name)
{
	return if_nametoindex(name);
}

static const WiceUapiHandlerOps ops = {
	.get = get,
	.set = set,
	.scope = scope,
};

WiceUapiHandler wice__engine_uapi_handler(WiceEngine *engine)
{
	return (WiceUapiHandler){&ops, engine};
}
