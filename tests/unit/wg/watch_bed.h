/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_WG_WATCH_BED_H
#define WICE_TESTS_WG_WATCH_BED_H

/* A watch on fake devices, of which the events are written down as words: "wg0 added-1". */
#include "event/source.h"
#include "suite.h"
#include "wg/fake.h"
#include "wg/watch.h"

#include <poll.h>
#include <stdbool.h>
#include <string.h>

#define DEADLINE_MS 60000
/* Where only hints lead to events. */
#define ONLY_HINTS .fast_ms = 3600000, .slow_ms = UINT_MAX

typedef struct {
	WiceWgFake *fake;
	WiceWg *wg;
	WiceWatch *watch;
	GPtrArray *log;
	unsigned free_at; /* the event, from 1, that frees the watch; 0: none */
	unsigned n_destroyed;
	GThread *thread; /* that dispatches */
} Bed;

static const char *const bed_words[] = {
	[WICE_WATCH_DEVICE_ADDED] = "device-added",
	[WICE_WATCH_DEVICE_REMOVED] = "device-removed",
	[WICE_WATCH_DEVICE_CHANGED] = "device-changed",
	[WICE_WATCH_PEER_ADDED] = "added",
	[WICE_WATCH_PEER_REMOVED] = "removed",
	[WICE_WATCH_PEER_CHANGED] = "changed",
	[WICE_WATCH_ENDPOINT] = "endpoint",
	[WICE_WATCH_HANDSHAKE] = "handshake",
	[WICE_WATCH_TRANSFER] = "transfer",
	[WICE_WATCH_TROUBLE] = "trouble",
};

static inline void bed_event(const WiceWatchEvent *event, void *user_data)
{
	Bed *bed = user_data;
	const WiceDevicePeer *peer = event->peer_after ? event->peer_after : event->peer_before;
	GString *text = g_string_new(event->name);
	g_string_append_printf(text, " %s", bed_words[event->type]);
	if (peer)
		g_string_append_printf(text, "-%d", peer->public_key.bytes[0]);
	g_ptr_array_add(bed->log, g_string_free(text, FALSE));
	ck_assert_ptr_eq(g_thread_self(), bed->thread);
	ck_assert_int_eq(event->type == WICE_WATCH_TROUBLE, event->message != NULL);
	if (bed->free_at == bed->log->len)
		g_clear_pointer(&bed->watch, wice_watch_free);
}

static inline void bed_destroyed(void *user_data)
{
	((Bed *)user_data)->n_destroyed++;
}

static inline void bed_set_up(Bed *bed)
{
	*bed = (Bed){ .fake = wice__wg_fake_new(), .thread = g_thread_self() };
	WiceWgBackend *backend = wice__wg_fake_backend(bed->fake);
	bed->wg = wice__wg_new_with(&backend, 1);
	bed->log = g_ptr_array_new_with_free_func(g_free);
}

static inline void bed_start(Bed *bed, const char *folder, const WiceWatchOptions *options)
{
	bed->watch =
		wice__watch_new_with(bed->wg, folder, options, bed_event, bed, bed_destroyed, NULL);
	ck_assert_ptr_nonnull(bed->watch);
}

static inline void bed_tear_down(Bed *bed)
{
	wice_watch_free(bed->watch);
	ck_assert_uint_eq(bed->n_destroyed, 1);
	g_ptr_array_unref(bed->log);
	wice_wg_free(bed->wg);
	wice__wg_fake_free(bed->fake);
}

static inline bool bed_has(const Bed *bed, const char *text)
{
	for (guint i = 0; i < bed->log->len; i++) {
		if (strcmp(bed->log->pdata[i], text) == 0)
			return true;
	}
	return false;
}

/* Waits for the descriptor, for so long, and dispatches. False if it did not become readable. */
static inline bool bed_wait(Bed *bed, int ms)
{
	struct pollfd pollfd = { .fd = wice_watch_fd(bed->watch), .events = POLLIN };
	if (poll(&pollfd, 1, ms) <= 0)
		return false;
	wice_watch_dispatch(bed->watch);
	return true;
}

/* Until this has happened. */
static inline void bed_expect(Bed *bed, const char *text)
{
	int64_t deadline = wice__now_ms() + DEADLINE_MS;
	while (bed->watch && !bed_has(bed, text) && wice__now_ms() < deadline)
		bed_wait(bed, 1000);
	g_autofree char *log = NULL;
	g_ptr_array_add(bed->log, NULL);
	log = g_strjoinv(", ", (char **)bed->log->pdata);
	g_ptr_array_set_size(bed->log, (int)bed->log->len - 1);
	ck_assert_msg(bed_has(bed, text), "no \"%s\" in: %s", text, log);
}

/* All that has happened, in this order, since the last call. */
static inline void bed_check(Bed *bed, const char *all)
{
	g_ptr_array_add(bed->log, NULL);
	g_autofree char *log = g_strjoinv(", ", (char **)bed->log->pdata);
	ck_assert_str_eq(log, all);
	g_ptr_array_set_size(bed->log, 0);
}

static inline void bed_device(Bed *bed, const char *name, unsigned ifindex, uint16_t port,
			      unsigned n_peers)
{
	WiceDevicePeer peers[8];
	for (unsigned i = 0; i < n_peers; i++)
		peers[i] = (WiceDevicePeer){ .public_key = { { (uint8_t)(i + 1) } } };
	WiceDeviceInfo info = {
		.ifindex = ifindex, .listen_port = port, .n_peers = n_peers, .peers = peers
	};
	g_strlcpy(info.name, name, sizeof info.name);
	wice__wg_fake_set_device(bed->fake, &info);
}

static inline void bed_peer(Bed *bed, const char *name, uint8_t number, int64_t handshake_ns)
{
	WiceDevicePeer peer = { .public_key = { { number } }, .handshake_ns = handshake_ns };
	wice__wg_fake_set_peer(bed->fake, name, &peer);
}

/* A change through the library, which tells the watch. */
static inline void bed_write(Bed *bed, const char *name, uint8_t number, uint16_t port)
{
	WicePeerUpdate update = { .size = sizeof update,
				  .public_key = { { number } },
				  .set_endpoint = true };
	ck_assert(wice_endpoint_parse("192.0.2.1:1", &update.endpoint));
	update.endpoint.port = port;
	ck_assert(wice_wg_update_peer(bed->wg, name, &update, 10000, NULL));
}

#endif
