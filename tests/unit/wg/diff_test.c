/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "conformance/wg/state.h"
#include "suite.h"

/* One interface with one peer that has everything. */
static WiceDeviceBuilder *full(void)
{
	WiceKey key = state_key(1);
	WiceDevicePeer *peer;
	WiceDeviceBuilder *builder = wice__device_builder_new("wg0", WICE_DEVICE_KERNEL);
	WiceDeviceInfo *info = wice__device_builder_info(builder);
	info->ifindex = 5;
	info->private_key = state_key(2);
	info->public_key = state_key(3);
	info->listen_port = 51820;
	info->fwmark = 7;
	ck_assert_int_eq(wice__device_builder_peer(builder, &key, &peer), 0);
	peer->preshared_key = state_key(4);
	peer->endpoint = state_endpoint("[fe80::1%3]:5");
	peer->keepalive_s = 25;
	peer->handshake_ns = 1000;
	peer->rx_bytes = 1;
	peer->tx_bytes = 2;
	state_allow(builder, "10.0.0.0/8");
	return builder;
}

static WiceDevicePeer *only_peer(WiceDeviceBuilder *builder)
{
	WiceKey key = state_key(1);
	WiceDevicePeer *peer;
	ck_assert_int_eq(wice__device_builder_peer(builder, &key, &peer), 0);
	return peer;
}

static void set_preshared_key(WiceDeviceBuilder *builder)
{
	only_peer(builder)->preshared_key.bytes[31] ^= 1;
}

static void drop_preshared_key(WiceDeviceBuilder *builder)
{
	only_peer(builder)->preshared_key = (WiceKey){ { 0 } };
}

static void set_endpoint(WiceDeviceBuilder *builder)
{
	only_peer(builder)->endpoint.port++;
}

static void set_scope(WiceDeviceBuilder *builder)
{
	only_peer(builder)->endpoint.scope++;
}

static void set_keepalive(WiceDeviceBuilder *builder)
{
	only_peer(builder)->keepalive_s = 0;
}

static void set_handshake(WiceDeviceBuilder *builder)
{
	only_peer(builder)->handshake_ns++;
}

static void set_rx(WiceDeviceBuilder *builder)
{
	only_peer(builder)->rx_bytes++;
}

static void set_tx(WiceDeviceBuilder *builder)
{
	only_peer(builder)->tx_bytes++;
}

static void add_allowed_ip(WiceDeviceBuilder *builder)
{
	state_allow(builder, "10.0.0.0/9");
}

static void set_private_key(WiceDeviceBuilder *builder)
{
	wice__device_builder_info(builder)->private_key.bytes[0] ^= 1;
}

static void set_listen_port(WiceDeviceBuilder *builder)
{
	wice__device_builder_info(builder)->listen_port++;
}

static void set_fwmark(WiceDeviceBuilder *builder)
{
	wice__device_builder_info(builder)->fwmark = 0;
}

static void set_ifindex(WiceDeviceBuilder *builder)
{
	wice__device_builder_info(builder)->ifindex++;
}

static void set_kind(WiceDeviceBuilder *builder)
{
	wice__device_builder_info(builder)->kind = WICE_DEVICE_USERSPACE;
}

static void set_two(WiceDeviceBuilder *builder)
{
	set_endpoint(builder);
	set_rx(builder);
	set_fwmark(builder);
}

static void set_nothing(WiceDeviceBuilder *builder)
{
}

START_TEST(each_change_has_its_bit)
{
	static const struct {
		void (*change)(WiceDeviceBuilder *builder);
		unsigned expected;
	} cases[] = {
		{ set_nothing, 0 },
		{ set_preshared_key, WICE_CHANGE_PRESHARED_KEY },
		{ drop_preshared_key, WICE_CHANGE_PRESHARED_KEY },
		{ set_endpoint, WICE_CHANGE_ENDPOINT },
		{ set_scope, WICE_CHANGE_ENDPOINT },
		{ set_keepalive, WICE_CHANGE_KEEPALIVE },
		{ set_handshake, WICE_CHANGE_HANDSHAKE },
		{ set_rx, WICE_CHANGE_TRANSFER },
		{ set_tx, WICE_CHANGE_TRANSFER },
		{ add_allowed_ip, WICE_CHANGE_ALLOWED_IPS },
		{ set_private_key, WICE_CHANGE_PRIVATE_KEY },
		{ set_listen_port, WICE_CHANGE_LISTEN_PORT },
		{ set_fwmark, WICE_CHANGE_FWMARK },
		{ set_ifindex, WICE_CHANGE_IFINDEX },
		{ set_kind, WICE_CHANGE_KIND },
		{ set_two, WICE_CHANGE_ENDPOINT | WICE_CHANGE_TRANSFER | WICE_CHANGE_FWMARK },
	};
	WiceDevice *before = wice__device_builder_finish(full());
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		WiceDeviceBuilder *builder = full();
		cases[i].change(builder);
		WiceDevice *after = wice__device_builder_finish(builder);
		unsigned there = wice_device_diff(before, after, NULL, NULL);
		unsigned back = wice_device_diff(after, before, NULL, NULL);
		ck_assert_msg(there == cases[i].expected && back == there, "case %zu: %#x %#x", i,
			      there, back);
		wice_device_unref(after);
	}
	wice_device_unref(before);
}
END_TEST

typedef struct {
	unsigned added, removed, changed;
	WiceKey last;
} Counts;

static void count(unsigned changes, const WiceDevicePeer *before, const WiceDevicePeer *after,
		  void *user_data)
{
	Counts *counts = user_data;
	const WiceDevicePeer *peer = after ? after : before;
	ck_assert_int_lt(wice_key_compare(&counts->last, &peer->public_key), 0);
	counts->last = peer->public_key;
	if (!before) {
		ck_assert_uint_eq(changes, WICE_CHANGE_PEER_ADDED);
		counts->added++;
	} else if (!after) {
		ck_assert_uint_eq(changes, WICE_CHANGE_PEER_REMOVED);
		counts->removed++;
	} else {
		ck_assert_mem_eq(&before->public_key, &after->public_key, sizeof(WiceKey));
		counts->changed++;
	}
}

START_TEST(peers_are_told_in_order_of_their_keys)
{
	WiceDeviceBuilder *first = wice__device_builder_new("wg0", WICE_DEVICE_FAKE);
	WiceDeviceBuilder *second = wice__device_builder_new("wg0", WICE_DEVICE_FAKE);
	for (unsigned i = 0; i < 100; i++) {
		WiceKey key = state_key(i);
		WiceDevicePeer *peer;
		if (i < 80)
			ck_assert_int_eq(wice__device_builder_peer(first, &key, &peer), 0);
		if (i >= 30)
			ck_assert_int_eq(wice__device_builder_peer(second, &key, &peer), 0);
		if (i == 40)
			peer->rx_bytes = 1;
	}
	WiceDevice *before = wice__device_builder_finish(first);
	WiceDevice *after = wice__device_builder_finish(second);
	Counts counts = { 0 };
	ck_assert_uint_eq(wice_device_diff(before, after, count, &counts),
			  WICE_CHANGE_PEER_ADDED | WICE_CHANGE_PEER_REMOVED | WICE_CHANGE_TRANSFER);
	ck_assert_uint_eq(counts.added, 20);
	ck_assert_uint_eq(counts.removed, 30);
	ck_assert_uint_eq(counts.changed, 1);
	wice_device_unref(before);
	wice_device_unref(after);
}
END_TEST

START_TEST(nothing_differs_from_a_device_in_all_it_has)
{
	WiceDevice *device = wice__device_builder_finish(full());
	unsigned interface = WICE_CHANGE_PRIVATE_KEY | WICE_CHANGE_LISTEN_PORT |
			     WICE_CHANGE_FWMARK | WICE_CHANGE_IFINDEX | WICE_CHANGE_KIND;
	ck_assert_uint_eq(wice_device_diff(NULL, device, NULL, NULL),
			  interface | WICE_CHANGE_PEER_ADDED);
	ck_assert_uint_eq(wice_device_diff(device, NULL, NULL, NULL),
			  interface | WICE_CHANGE_PEER_REMOVED);
	ck_assert_uint_eq(wice_device_diff(NULL, NULL, NULL, NULL), 0);
	wice_device_unref(device);
}
END_TEST

SUITE_MAIN("wg diff", each_change_has_its_bit, peers_are_told_in_order_of_their_keys,
	   nothing_differs_from_a_device_in_all_it_has)
