/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "conformance/wg/state.h"
#include "suite.h"

#include <errno.h>

static WiceDevicePeer *open_peer(WiceDeviceBuilder *builder, unsigned number)
{
	WiceKey key = state_key(number);
	WiceDevicePeer *peer;
	ck_assert_int_eq(wice__device_builder_peer(builder, &key, &peer), 0);
	return peer;
}

START_TEST(peers_are_sorted_and_found)
{
	WiceDevice *device = state_new("wg0", 1000, 1);
	const WiceDeviceInfo *info = wice_device_info(device);
	ck_assert_uint_eq(info->n_peers, 1000);
	for (size_t i = 1; i < info->n_peers; i++)
		ck_assert_int_lt(wice_key_compare(&info->peers[i - 1].public_key,
						  &info->peers[i].public_key),
				 0);
	for (unsigned i = 0; i < 1000; i++) {
		WiceKey key = state_key(1000 + i);
		const WiceDevicePeer *peer = wice_device_find_peer(device, &key);
		ck_assert_ptr_nonnull(peer);
		ck_assert_mem_eq(&peer->public_key, &key, sizeof key);
		ck_assert_uint_eq(peer->n_allowed_ips, 1);
	}
	WiceKey stranger = state_key(1);
	ck_assert_ptr_null(wice_device_find_peer(device, &stranger));
	wice_device_unref(device);
}
END_TEST

START_TEST(an_empty_device_has_nothing)
{
	WiceDevice *device =
		wice__device_builder_finish(wice__device_builder_new("wg0", WICE_DEVICE_KERNEL));
	const WiceDeviceInfo *info = wice_device_info(device);
	WiceKey key = state_key(1);
	ck_assert_str_eq(info->name, "wg0");
	ck_assert_int_eq(info->kind, WICE_DEVICE_KERNEL);
	ck_assert_uint_eq(info->fields, 0);
	ck_assert_uint_eq(info->n_peers, 0);
	ck_assert_ptr_null(wice_device_find_peer(device, &key));
	ck_assert_ptr_null(wice_device_order(device));
	wice_device_unref(device);
}
END_TEST

START_TEST(fields_tell_what_is_there)
{
	WiceDeviceBuilder *builder = wice__device_builder_new("wg0", WICE_DEVICE_FAKE);
	wice__device_builder_info(builder)->listen_port = 1;
	WiceDevicePeer *peer = open_peer(builder, 1);
	peer->keepalive_s = 25;
	peer->handshake_ns = 1;
	WiceDevice *device = wice__device_builder_finish(builder);
	const WiceDeviceInfo *info = wice_device_info(device);
	ck_assert_uint_eq(info->fields, WICE_DEVICE_HAS_LISTEN_PORT);
	ck_assert_uint_eq(info->peers[0].fields, WICE_PEER_HAS_KEEPALIVE | WICE_PEER_HAS_HANDSHAKE);
	wice_device_unref(device);
}
END_TEST

START_TEST(a_peer_that_comes_in_parts_is_one)
{
	WiceDeviceBuilder *builder = wice__device_builder_new("wg0", WICE_DEVICE_FAKE);
	WiceDevicePeer *peer = open_peer(builder, 1);
	peer->keepalive_s = 25;
	peer->rx_bytes = 7;
	state_allow(builder, "10.0.0.2/32");
	open_peer(builder, 1); /* the next part, at once: the kernel's way */
	state_allow(builder, "10.0.0.1/32");
	open_peer(builder, 2);
	state_allow(builder, "10.0.0.9/32");
	open_peer(builder, 1)->tx_bytes = 8; /* and another one, later */
	state_allow(builder, "10.0.0.3/32");
	state_allow(builder, "10.0.0.1/32");

	WiceDevice *device = wice__device_builder_finish(builder);
	WiceKey key = state_key(1);
	const WiceDevicePeer *found = wice_device_find_peer(device, &key);
	ck_assert_uint_eq(wice_device_info(device)->n_peers, 2);
	ck_assert_uint_eq(found->keepalive_s, 25);
	ck_assert_uint_eq(found->rx_bytes, 7);
	ck_assert_uint_eq(found->tx_bytes, 8);
	ck_assert_uint_eq(found->n_allowed_ips, 3);
	for (size_t i = 0; i < 3; i++) {
		char text[WICE_PREFIX_SIZE], expected[WICE_PREFIX_SIZE];
		g_snprintf(expected, sizeof expected, "10.0.0.%zu/32", i + 1);
		ck_assert_str_eq(wice_prefix_format(&found->allowed_ips[i], text), expected);
	}
	wice_device_unref(device);
}
END_TEST

START_TEST(allowed_ips_lose_their_host_bits)
{
	WiceDeviceBuilder *builder = wice__device_builder_new("wg0", WICE_DEVICE_FAKE);
	WicePrefix prefix = { .address = { WICE_FAMILY_IPV6, { 0xfd, 0xff, 0xff } }, .length = 17 };
	WicePrefix expected = { .address = { WICE_FAMILY_IPV6, { 0xfd, 0xff, 0x80 } },
				.length = 17 };
	open_peer(builder, 1);
	ck_assert_int_eq(wice__device_builder_allowed_ip(builder, &prefix), 0);
	WiceDevice *device = wice__device_builder_finish(builder);
	const WicePrefix *got = wice_device_info(device)->peers[0].allowed_ips;
	ck_assert_mem_eq(got, &expected, sizeof expected);
	wice_device_unref(device);
}
END_TEST

START_TEST(impossible_allowed_ips_are_refused)
{
	WicePrefix good = { .address = { WICE_FAMILY_IPV4, { 10 } }, .length = 32 };
	WicePrefix longer = { .address = { WICE_FAMILY_IPV4, { 10 } }, .length = 33 };
	WicePrefix none = { .length = 0 };
	WiceDeviceBuilder *builder = wice__device_builder_new("wg0", WICE_DEVICE_FAKE);
	ck_assert_int_eq(wice__device_builder_allowed_ip(builder, &good), -EINVAL);
	open_peer(builder, 1);
	ck_assert_int_eq(wice__device_builder_allowed_ip(builder, &longer), -EINVAL);
	ck_assert_int_eq(wice__device_builder_allowed_ip(builder, &none), -EINVAL);
	ck_assert_int_eq(wice__device_builder_allowed_ip(builder, &good), 0);
	wice__device_builder_free(builder);
}
END_TEST

START_TEST(a_copy_can_be_changed_alone)
{
	WiceDevice *device = state_new("wg0", 50, 3);
	WiceDevice *same = wice__device_builder_finish(wice__device_builder_copy(device));
	state_assert_same(device, same);

	WiceKey key = state_key(1007), kept = state_key(1008);
	WiceDeviceBuilder *builder = wice__device_builder_copy(device);
	wice__device_builder_remove(builder, &key);
	WiceDevice *fewer = wice__device_builder_finish(builder);
	ck_assert_uint_eq(wice_device_info(fewer)->n_peers, 49);
	ck_assert_ptr_null(wice_device_find_peer(fewer, &key));
	ck_assert_ptr_nonnull(wice_device_find_peer(device, &key));
	ck_assert_uint_eq(wice_device_diff(device, fewer, NULL, NULL), WICE_CHANGE_PEER_REMOVED);
	ck_assert_uint_eq(wice_device_find_peer(fewer, &kept)->n_allowed_ips, 3);
	wice_device_unref(device);
	wice_device_unref(same);
	wice_device_unref(fewer);
}
END_TEST

START_TEST(a_reference_keeps_the_contents)
{
	WiceDevice *device = state_new("wg0", 3, 1);
	ck_assert_ptr_eq(wice_device_ref(device), device);
	wice_device_unref(device);
	ck_assert_uint_eq(wice_device_info(device)->n_peers, 3);
	wice_device_unref(device);
	wice_device_unref(NULL);
}
END_TEST

START_TEST(handshake_times_are_checked)
{
	static const struct {
		int64_t seconds, nanoseconds, expected; /* -1: refused */
	} cases[] = { { 0, 0, 0 },
		      { 1, 999999999, 1999999999 },
		      { 1, 1000000000, -1 },
		      { -1, 0, -1 },
		      { 0, -1, -1 },
		      { INT64_MAX, 0, -1 },
		      { 9223372035, 999999999, 9223372035999999999 },
		      { 9223372036, 0, -1 } };
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		int64_t time = -1;
		bool ok = wice__handshake_time(cases[i].seconds, cases[i].nanoseconds, &time);
		ck_assert_msg(ok == (cases[i].expected >= 0), "case %zu", i);
		ck_assert_int_eq(time, cases[i].expected);
	}
}
END_TEST

START_TEST(names_are_those_of_interfaces)
{
	static const char *const good[] = {
		"wg0", "a", "fifteen-bytes-x", "w\303\274", "wg.0", "%"
	};
	static const char *const bad[] = { "",     ".",    "..",    "sixteen-bytes-xx",
					   "../x", "a/b",  "a b",   "a:b",
					   "a\n",  "\x7f", "a\xff", "\t",
					   "wg0 " };
	for (size_t i = 0; i < G_N_ELEMENTS(good); i++)
		ck_assert_msg(wice__interface_name_valid(good[i]), "%s", good[i]);
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		ck_assert_msg(!wice__interface_name_valid(bad[i]), "%s", bad[i]);
}
END_TEST

/* The allowed IPs of a peer in the order of arrival, as text. */
static char *arrival(const WiceDevicePeer *peer)
{
	GString *all = g_string_new(NULL);
	char text[WICE_PREFIX_SIZE];
	for (size_t i = 0; i < peer->n_allowed_ips; i++)
		g_string_append_printf(
			all, "%s ",
			wice_prefix_format(&peer->allowed_ips[peer->allowed_ip_order[i]], text));
	return g_string_free(all, FALSE);
}

static void assert_arrival(const WiceDevice *device, unsigned number, const char *expected)
{
	WiceKey key = state_key(number);
	g_autofree char *got = arrival(wice_device_find_peer(device, &key));
	ck_assert_str_eq(got, expected);
}

static void assert_order(const WiceDevice *device, const unsigned *numbers, size_t n)
{
	const WiceDeviceInfo *info = wice_device_info(device);
	const uint32_t *order = wice_device_order(device);
	ck_assert_uint_eq(info->n_peers, n);
	for (size_t i = 0; i < n; i++) {
		WiceKey key = state_key(numbers[i]);
		ck_assert_mem_eq(&info->peers[order[i]].public_key, &key, sizeof key);
	}
}

START_TEST(the_order_of_arrival_is_kept)
{
	static const unsigned numbers[] = { 3, 1, 2 }, fewer[] = { 3, 2 };
	WiceDeviceBuilder *builder = wice__device_builder_new("wg0", WICE_DEVICE_FAKE);
	open_peer(builder, 3);
	state_allow(builder, "10.0.0.9/32");
	state_allow(builder, "fd00::/64");
	state_allow(builder, "10.0.0.9/32");
	state_allow(builder, "10.0.0.1/32");
	open_peer(builder, 1);
	state_allow(builder, "10.0.1.0/24");
	open_peer(builder, 2);
	open_peer(builder, 1);
	open_peer(builder, 3); /* the rest of the first, with repetitions */
	state_allow(builder, "10.0.0.5/32");
	state_allow(builder, "fd00::/64");
	state_allow(builder, "10.0.0.9/32");
	WiceDevice *device = wice__device_builder_finish(builder);
	assert_order(device, numbers, 3);
	assert_arrival(device, 3, "10.0.0.9/32 fd00::/64 10.0.0.1/32 10.0.0.5/32 ");
	assert_arrival(device, 1, "10.0.1.0/24 ");
	assert_arrival(device, 2, "");

	WiceKey key = state_key(1);
	builder = wice__device_builder_copy(device);
	wice__device_builder_remove(builder, &key);
	WiceDevice *copy = wice__device_builder_finish(builder);
	assert_order(copy, fewer, 2);
	assert_arrival(copy, 3, "10.0.0.9/32 fd00::/64 10.0.0.1/32 10.0.0.5/32 ");
	wice_device_unref(copy);
	wice_device_unref(device);
}
END_TEST

/* Enough of them that they are not sorted one by one; each comes twice. */
START_TEST(many_allowed_ips_are_sorted_and_keep_their_order)
{
	enum { N = 1000 };
	WiceDeviceBuilder *builder = wice__device_builder_new("wg0", WICE_DEVICE_FAKE);
	for (unsigned i = 0; i < 2 * N; i++) {
		char text[WICE_PREFIX_SIZE];
		unsigned at = i * 7 % N;
		if (i % N == 0)
			open_peer(builder, 1);
		g_snprintf(text, sizeof text, "10.0.%u.%u/32", at / 256, at % 256);
		state_allow(builder, text);
	}
	WiceDevice *device = wice__device_builder_finish(builder);
	const WiceDevicePeer *peer = wice_device_info(device)->peers;
	ck_assert_uint_eq(peer->n_allowed_ips, N);
	for (unsigned i = 0; i < N; i++) {
		const uint8_t *bytes = peer->allowed_ips[i].address.bytes;
		ck_assert_uint_eq(bytes[2] * 256u + bytes[3], i);
		ck_assert_uint_eq(peer->allowed_ip_order[i], i * 7 % N);
	}
	wice_device_unref(device);
}
END_TEST

/* Keys that differ only at their end: what is looked at first says nothing. */
START_TEST(keys_that_begin_alike_are_sorted)
{
	WiceDeviceBuilder *builder = wice__device_builder_new("wg0", WICE_DEVICE_FAKE);
	for (unsigned i = 200; i-- > 0;) {
		WiceKey key = { { 0x80, [31] = (uint8_t)i } };
		WiceDevicePeer *peer;
		ck_assert_int_eq(wice__device_builder_peer(builder, &key, &peer), 0);
	}
	WiceDevice *device = wice__device_builder_finish(builder);
	for (unsigned i = 0; i < 200; i++) {
		ck_assert_uint_eq(wice_device_info(device)->peers[i].public_key.bytes[31], i);
		ck_assert_uint_eq(wice_device_order(device)[i], 199 - i);
	}
	wice_device_unref(device);
}
END_TEST

SUITE_MAIN("wg device", peers_are_sorted_and_found, an_empty_device_has_nothing,
	   fields_tell_what_is_there, a_peer_that_comes_in_parts_is_one,
	   allowed_ips_lose_their_host_bits, impossible_allowed_ips_are_refused,
	   a_copy_can_be_changed_alone, a_reference_keeps_the_contents, handshake_times_are_checked,
	   names_are_those_of_interfaces, the_order_of_arrival_is_kept,
	   many_allowed_ips_are_sorted_and_keep_their_order, keys_that_begin_alike_are_sorted)
