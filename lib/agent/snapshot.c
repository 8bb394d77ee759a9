/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The status of an agent: all that its interfaces and backends say of themselves, by name. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wice/agent.h>
#include <wice/version.h>

#include "agent/agent_private.h"

typedef struct {
	WiceInterfaceStatus status;
	WicePeerStatus *peers;
} InterfaceSlot;

static int compare_slots(const void *a, const void *b)
{
	return strcmp(((const InterfaceSlot *)a)->status.name,
		      ((const InterfaceSlot *)b)->status.name);
}

WiceStatus *wice_agent_status(WiceAgent *agent)
{
	WiceBackendStatus backends[16];
	size_t n = g_hash_table_size(agent->interfaces), i = 0;
	g_autofree InterfaceSlot *slots = g_new0(InterfaceSlot, n + 1);
	g_autofree WiceInterfaceStatus *interfaces = g_new0(WiceInterfaceStatus, n + 1);
	GHashTableIter iter;
	gpointer interface;
	g_hash_table_iter_init(&iter, agent->interfaces);
	while (g_hash_table_iter_next(&iter, NULL, &interface)) {
		wice__interface_status(interface, &slots[i].status, &slots[i].peers);
		i++;
	}
	qsort(slots, n, sizeof *slots, compare_slots);
	for (i = 0; i < n; i++)
		interfaces[i] = slots[i].status;

	WiceStatusInfo info = {
		.version = WICE_VERSION,
		.pid = getpid(),
		.started_ms = agent->started_ms,
		.now_ms = wice__realtime_ms(),
		.signaling = agent->counters,
		.backends = backends,
		.n_interfaces = n,
		.interfaces = interfaces,
	};
	info.n_backends =
		MIN(wice__signaling_hub_status(agent->hub, backends, G_N_ELEMENTS(backends)),
		    G_N_ELEMENTS(backends));
	WiceStatus *status = wice_status_new(&info);
	for (i = 0; i < n; i++)
		g_free(slots[i].peers);
	return status;
}
