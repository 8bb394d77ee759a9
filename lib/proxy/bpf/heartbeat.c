/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/bpf/heartbeat.h"

#include "event/source.h"

#define ALIVE_MS 30000
#define HEARTBEAT_MS 10000

struct WiceBpfHeartbeat {
	WiceTimer *timer;
	__u64 *until_ns;
};

static void beat(void *user_data)
{
	WiceBpfHeartbeat *heartbeat = user_data;
	int64_t now_ms = wice__now_ms();
	__u64 until_ns = (__u64)(now_ms + ALIVE_MS) * 1000000;
	__atomic_store_n(heartbeat->until_ns, until_ns, __ATOMIC_RELAXED);
	wice__timer_set(heartbeat->timer, now_ms + HEARTBEAT_MS);
}

WiceBpfHeartbeat *wice__bpf_heartbeat_new(GMainContext *context, __u64 *until_ns)
{
	WiceBpfHeartbeat *heartbeat = g_new(WiceBpfHeartbeat, 1);
	heartbeat->timer = wice__timer_new(context, beat, heartbeat);
	heartbeat->until_ns = until_ns;
	beat(heartbeat);
	return heartbeat;
}

void wice__bpf_heartbeat_free(WiceBpfHeartbeat *heartbeat)
{
	if (!heartbeat)
		return;
	wice__timer_free(heartbeat->timer);
	g_free(heartbeat);
}
