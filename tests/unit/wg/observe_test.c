/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "conformance/wg/state.h"
#include "suite.h"
#include "wg/observe.h"

/* One interface, 7, with peers 1 and 2. */
static WiceDeviceBuilder *usual(void)
{
	WiceDeviceBuilder *builder = wice__device_builder_new("wg0", WICE_DEVICE_KERNEL);
	wice__device_builder_info(builder)->ifindex = 7;
	for (uint8_t i = 1; i <= 2; i++) {
		WiceKey key = { { i } };
		WiceDevicePeer *peer;
		ck_assert_int_eq(wice__device_builder_peer(builder, &key, &peer), 0);
		peer->endpoint = state_endpoint("192.0.2.1:1");
		peer->handshake_ns = 1000;
		state_allow(builder, i == 1 ? "10.0.0.1/32" : "10.0.0.2/32");
	}
	return builder;
}

static WiceDevicePeer *get_peer(WiceDeviceBuilder *builder, uint8_t number)
{
	WiceKey key = { { number } };
	WiceDevicePeer *peer;
	ck_assert_int_eq(wice__device_builder_peer(builder, &key, &peer), 0);
	return peer;
}

static void nothing(WiceDeviceBuilder *builder)
{
}

static void set_port(WiceDeviceBuilder *builder)
{
	wice__device_builder_info(builder)->listen_port = 1;
}

static void set_key_and_mark(WiceDeviceBuilder *builder)
{
	wice__device_builder_info(builder)->private_key = state_key(1);
	wice__device_builder_info(builder)->fwmark = 1;
}

static void set_index(WiceDeviceBuilder *builder)
{
	wice__device_builder_info(builder)->ifindex = 8;
}

static void set_kind(WiceDeviceBuilder *builder)
{
	wice__device_builder_info(builder)->kind = WICE_DEVICE_USERSPACE;
}

static void add_peer(WiceDeviceBuilder *builder)
{
	get_peer(builder, 3);
}

static void remove_peer(WiceDeviceBuilder *builder)
{
	wice__device_builder_remove(builder, &(WiceKey){ { 1 } });
}

static void replace_peer(WiceDeviceBuilder *builder)
{
	remove_peer(builder);
	add_peer(builder);
	set_port(builder);
}

static void set_endpoint(WiceDeviceBuilder *builder)
{
	get_peer(builder, 2)->endpoint.port = 2;
}

static void shake_hands(WiceDeviceBuilder *builder)
{
	get_peer(builder, 1)->handshake_ns = 2000;
}

/* The peer was removed and made again between two snapshots. */
static void lose_handshake(WiceDeviceBuilder *builder)
{
	get_peer(builder, 1)->handshake_ns = 0;
}

static void transfer(WiceDeviceBuilder *builder)
{
	get_peer(builder, 1)->rx_bytes = 1;
	get_peer(builder, 2)->tx_bytes = 1;
}

static void change_peer(WiceDeviceBuilder *builder)
{
	get_peer(builder, 1)->preshared_key = state_key(1);
	get_peer(builder, 1)->keepalive_s = 25;
	state_allow(builder, "10.0.0.3/32");
}

static void change_all_of_a_peer(WiceDeviceBuilder *builder)
{
	change_peer(builder);
	shake_hands(builder);
	transfer(builder);
	get_peer(builder, 1)->endpoint = state_endpoint("192.0.2.1:2");
}

static const char *const words[] = {
	[WICE_WATCH_DEVICE_ADDED] = "device-added",
	[WICE_WATCH_DEVICE_REMOVED] = "device-removed",
	[WICE_WATCH_DEVICE_CHANGED] = "device-changed",
	[WICE_WATCH_PEER_ADDED] = "added",
	[WICE_WATCH_PEER_REMOVED] = "removed",
	[WICE_WATCH_PEER_CHANGED] = "changed",
	[WICE_WATCH_ENDPOINT] = "endpoint",
	[WICE_WATCH_HANDSHAKE] = "handshake",
	[WICE_WATCH_TRANSFER] = "transfer",
};

static void write_event(GString *text, const WiceWatchEvent *event)
{
	const WiceDevicePeer *peer = event->peer_after ? event->peer_after : event->peer_before;
	g_string_append_printf(text, "%s%s", text->len ? " " : "", words[event->type]);
	if (peer)
		g_string_append_printf(text, "-%d", peer->public_key.bytes[0]);
	if (event->changes)
		g_string_append_printf(text, ":%x", event->changes);
}

/* What the events point to is what the header says. */
static void check_event(const WiceWatchEvent *event, const char *name)
{
	bool of_peer = event->type >= WICE_WATCH_PEER_ADDED;
	bool added = event->type == WICE_WATCH_PEER_ADDED;
	bool removed = event->type == WICE_WATCH_PEER_REMOVED;
	ck_assert_ptr_eq(event->name, name);
	ck_assert_ptr_null(event->message);
	ck_assert_int_eq(event->peer_before != NULL, of_peer && !added);
	ck_assert_int_eq(event->peer_after != NULL, of_peer && !removed);
	ck_assert(event->before || event->type == WICE_WATCH_DEVICE_ADDED || added);
	ck_assert(event->after || event->type == WICE_WATCH_DEVICE_REMOVED || removed);
	if (event->peer_after)
		ck_assert_ptr_eq(
			event->peer_after,
			wice_device_find_peer(event->after, &event->peer_after->public_key));
	if (event->peer_before)
		ck_assert_ptr_eq(
			event->peer_before,
			wice_device_find_peer(event->before, &event->peer_before->public_key));
}

static char *trace(WiceDevice *before, WiceDevice *after, bool with_transfer)
{
	static const char name[] = "wg0";
	GString *text = g_string_new(NULL);
	g_autoptr(GArray) events = g_array_new(FALSE, FALSE, sizeof(WiceWatchEvent));
	wice__observe(name, before, after, with_transfer, events);
	for (guint i = 0; i < events->len; i++) {
		check_event(&g_array_index(events, WiceWatchEvent, i), name);
		write_event(text, &g_array_index(events, WiceWatchEvent, i));
	}
	return g_string_free(text, FALSE);
}

static const struct {
	void (*change)(WiceDeviceBuilder *builder);
	bool transfer;
	const char *events;
} cases[] = {
	{ nothing, true, "" },
	{ set_port, true, "device-changed:20000" },
	{ set_key_and_mark, true, "device-changed:50000" },
	{ set_index, true, "removed-1 removed-2 device-removed device-added added-1 added-2" },
	{ set_kind, true, "removed-1 removed-2 device-removed device-added added-1 added-2" },
	{ add_peer, true, "added-3" },
	{ remove_peer, true, "removed-1" },
	{ replace_peer, true, "device-changed:20000 removed-1 added-3" },
	{ set_endpoint, true, "endpoint-2" },
	{ shake_hands, true, "handshake-1" },
	{ lose_handshake, true, "" },
	{ transfer, false, "" },
	{ transfer, true, "transfer-1 transfer-2" },
	{ change_peer, true, "changed-1:94" },
	{ change_all_of_a_peer, true, "changed-1:94 endpoint-1 handshake-1 transfer-1 transfer-2" },
};

START_TEST(differences_become_events_in_order)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(WiceDevice) before = wice__device_builder_finish(usual());
		WiceDeviceBuilder *builder = wice__device_builder_copy(before);
		cases[i].change(builder);
		g_autoptr(WiceDevice) after = wice__device_builder_finish(builder);
		g_autofree char *events = trace(before, after, cases[i].transfer);
		ck_assert_msg(strcmp(events, cases[i].events) == 0, "case %zu: %s", i, events);
	}
}
END_TEST

START_TEST(a_device_comes_before_its_peers_and_goes_after_them)
{
	g_autoptr(WiceDevice) device = wice__device_builder_finish(usual());
	g_autofree char *added = trace(NULL, device, true);
	g_autofree char *removed = trace(device, NULL, true);
	g_autofree char *none = trace(NULL, NULL, true);
	ck_assert_str_eq(added, "device-added added-1 added-2");
	ck_assert_str_eq(removed, "removed-1 removed-2 device-removed");
	ck_assert_str_eq(none, "");
}
END_TEST

SUITE_MAIN("wg observe", differences_become_events_in_order,
	   a_device_comes_before_its_peers_and_goes_after_them)
