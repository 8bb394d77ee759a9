/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* A core's birth and death, its lanes, and what they have to tell. */
#include "engine/core_private.h"

#include <sodium.h>
#include <string.h>

#include "crypto/key.h"

static void free_peer(gpointer peer)
{
	sodium_memzero(peer, sizeof(WiceCorePeer));
	g_free(peer);
}

WiceCore *wice__core_new(const WiceAeadProvider *aead, const WiceCoreHooks *hooks, void *user_data)
{
	WiceCore *core = g_new0(WiceCore, 1);
	uint8_t hash_key[16];
	core->aead = aead;
	core->hooks = hooks;
	core->user_data = user_data;
	g_mutex_init(&core->mutex);
	core->lanes = g_ptr_array_new();
	hooks->random(hash_key, sizeof hash_key, user_data);
	core->limit = wice__rate_limit_new(hash_key);
	core->limit_ms = INT64_MAX;
	core->peers = g_hash_table_new_full(wice__key_hash, wice__key_equal, NULL, free_peer);
	g_queue_init(&core->peer_order);
	wice__deadlines_init(&core->deadlines);
	core->indices = g_hash_table_new(g_direct_hash, g_direct_equal);
	core->routes = wice__allowed_ips_new();
	return core;
}

void wice__core_free(WiceCore *core)
{
	g_assert(core->lanes->len == 0);
	while (core->peer_order.head)
		wice__core_remove_peer(core, core->peer_order.head->data);
	g_hash_table_unref(core->peers);
	g_hash_table_unref(core->indices);
	wice__allowed_ips_free(core->routes);
	wice__deadlines_done(&core->deadlines);
	wice__rate_limit_free(core->limit);
	g_ptr_array_unref(core->lanes);
	g_mutex_clear(&core->mutex);
	sodium_memzero(core, sizeof *core);
	g_free(core);
}

void wice__core_hold_lanes(WiceCore *core)
{
	for (guint i = 0; i < core->lanes->len; i++)
		g_mutex_lock(&((WiceLane *)core->lanes->pdata[i])->mutex);
}

void wice__core_release_lanes(WiceCore *core)
{
	for (guint i = core->lanes->len; i-- > 0;)
		g_mutex_unlock(&((WiceLane *)core->lanes->pdata[i])->mutex);
}

WiceLane *wice__lane_new(WiceCore *core)
{
	WiceLane *lane = g_new0(WiceLane, 1);
	lane->core = core;
	g_mutex_init(&lane->mutex);
	lane->reports = g_array_new(FALSE, FALSE, sizeof(WiceReport));
	lane->staging = g_array_new(FALSE, FALSE, sizeof(WicePacket));
	lane->runs = g_array_new(FALSE, FALSE, sizeof(WiceLaneRun));
	lane->batch = g_array_new(FALSE, FALSE, sizeof(WicePacket));
	lane->sealed = g_array_new(FALSE, FALSE, sizeof(WiceBindPacket));
	lane->routed = g_array_new(FALSE, FALSE, sizeof(WiceCorePeer *));
	lane->received = g_array_new(FALSE, FALSE, sizeof(WiceReceived));
	lane->opened = g_array_new(FALSE, FALSE, sizeof(WicePacket));
	g_mutex_lock(&core->mutex);
	g_ptr_array_add(core->lanes, lane);
	g_mutex_unlock(&core->mutex);
	return lane;
}

static void add_counters(WiceEngineCounters *sum, const WiceLaneCounters *lane)
{
	sum->no_peer += lane->no_peer;
	sum->no_endpoint += lane->no_endpoint;
	sum->invalid += lane->invalid;
	sum->unknown_index += lane->unknown_index;
	sum->forged += lane->forged;
	sum->replayed += lane->replayed;
	sum->expired += lane->expired;
	sum->not_ip += lane->not_ip;
	sum->spoofed += lane->spoofed;
}

void wice__lane_free(WiceLane *lane)
{
	WiceCore *core = lane->core;
	g_mutex_lock(&core->mutex);
	g_ptr_array_remove(core->lanes, lane);
	add_counters(&core->counters, &lane->counters);
	g_mutex_unlock(&core->mutex);
	g_array_unref(lane->reports);
	g_array_unref(lane->staging);
	g_array_unref(lane->runs);
	g_array_unref(lane->batch);
	g_array_unref(lane->sealed);
	g_array_unref(lane->routed);
	g_array_unref(lane->received);
	g_array_unref(lane->opened);
	g_mutex_clear(&lane->mutex);
	g_free(lane);
}

void wice__core_counters(WiceCore *core, WiceEngineCounters *ret_counters)
{
	g_mutex_lock(&core->mutex);
	*ret_counters = core->counters;
	for (guint i = 0; i < core->lanes->len; i++)
		add_counters(ret_counters, &((WiceLane *)core->lanes->pdata[i])->counters);
	g_mutex_unlock(&core->mutex);
}

/* Packets that found no session: whose they are is looked up again, it may have changed. */
static void stage(WiceCore *core, const WicePacket *packet)
{
	WiceCorePeer *peer = wice__core_route(core, packet);
	if (!peer || !core->up)
		return;
	wice__core_stage(core, peer, packet);
	peer->attempts = 0; /* for this one it is worth trying as long as for the first */
	wice__core_look_soon(core, peer);
}

static void hear(WiceCore *core, const WiceReport *report, WiceNow now)
{
	WiceIndexEntry *entry = g_hash_table_lookup(core->indices, GUINT_TO_POINTER(report->index));
	if (!entry || !entry->session)
		return;
	WiceCorePeer *peer = entry->peer;
	switch (report->type) {
	case WICE_REPORT_LOOK:
		break;
	case WICE_REPORT_REKEY:
		wice__core_want_handshake(peer);
		break;
	case WICE_REPORT_CONFIRMED:
		wice__core_confirm_session(core, peer, entry->session, now);
		break;
	case WICE_REPORT_ROAMED:
		wice__core_heard_on(core, peer, &report->path);
		return;
	case WICE_REPORT_CLEARED:
		wice__core_clear_source(core, peer);
		return;
	}
	wice__core_look_soon(core, peer);
}

void wice__lane_tell(WiceLane *lane, WiceReportType type, uint32_t index, const WiceBindPath *path)
{
	WiceReport report = { .type = type, .index = index };
	if (path)
		report.path = *path;
	g_array_append_val(lane->reports, report);
}

bool wice__lane_report(WiceLane *lane, WiceNow now)
{
	WiceCore *core = lane->core;
	if (lane->reports->len + lane->staging->len == 0)
		return false;
	g_mutex_lock(&core->mutex);
	int64_t before = wice__core_next(core);
	for (guint i = 0; i < lane->reports->len; i++)
		hear(core, &g_array_index(lane->reports, WiceReport, i), now);
	for (guint i = 0; i < lane->staging->len; i++)
		stage(core, &g_array_index(lane->staging, WicePacket, i));
	bool earlier = wice__core_next(core) < before;
	g_mutex_unlock(&core->mutex);
	g_array_set_size(lane->reports, 0);
	g_array_set_size(lane->staging, 0);
	return earlier;
}
