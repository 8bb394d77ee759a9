/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "conformance/wg/state.h"
#include "suite.h"
#include "wg/uapi_write.h"

#define KEY_A "b85996fecc9c7f1fc6d2572a76eda11d59bcd20be8e543b15ce4bd85a8e75a33"
#define KEY_B "58402e695ba1772b1cc9309755f043251ea77fdcf10fbe63989ceb7e19321376"
#define ZEROES "0000000000000000000000000000000000000000000000000000000000000000"

static WiceKey key_of(const char *hex)
{
	WiceKey key;
	ck_assert(wice_key_from_hex(hex, &key));
	return key;
}

static WiceAllowedIpChange allowed_ip(const char *text, bool remove)
{
	WiceAllowedIpChange change = { .remove = remove };
	ck_assert(wice_prefix_parse(text, &change.prefix));
	return change;
}

static void assert_text(const WiceDeviceChange *change, const char *expected)
{
	g_auto(WiceUapiText) request = { 0 };
	wice__uapi_write_set(change, &request);
	ck_assert_uint_le(request.len, request.room);
	g_autofree char *text = g_strndup(request.data, request.len);
	ck_assert_str_eq(text, expected);
}

START_TEST(the_interface_comes_first_and_only_what_is_set)
{
	WiceDeviceChange change = { .size = sizeof change };
	change.private_key = key_of(KEY_A);
	change.listen_port = 51820;
	change.fwmark = UINT32_MAX;
	assert_text(&change, "set=1\n\n");
	change.fields = WICE_DEVICE_HAS_LISTEN_PORT;
	assert_text(&change, "set=1\nlisten_port=51820\n\n");
	change.fields =
		WICE_DEVICE_HAS_PRIVATE_KEY | WICE_DEVICE_HAS_LISTEN_PORT | WICE_DEVICE_HAS_FWMARK;
	change.flags = WICE_DEVICE_CHANGE_REPLACE_PEERS;
	WicePeerChange peer = { .public_key = key_of(KEY_B) };
	change.peers = &peer;
	change.n_peers = 1;
	assert_text(&change, "set=1\nprivate_key=" KEY_A "\nlisten_port=51820\nfwmark=4294967295\n"
			     "replace_peers=true\npublic_key=" KEY_B "\n\n");
}
END_TEST

START_TEST(what_is_all_zero_is_said)
{
	WicePeerChange peer = { .public_key = key_of(KEY_A),
				.fields = WICE_PEER_HAS_PRESHARED_KEY | WICE_PEER_HAS_KEEPALIVE };
	WiceDeviceChange change = { .size = sizeof change, .n_peers = 1, .peers = &peer };
	change.fields =
		WICE_DEVICE_HAS_PRIVATE_KEY | WICE_DEVICE_HAS_LISTEN_PORT | WICE_DEVICE_HAS_FWMARK;
	assert_text(&change, "set=1\nprivate_key=" ZEROES "\nlisten_port=0\nfwmark=0\n"
			     "public_key=" KEY_A "\npreshared_key=" ZEROES
			     "\npersistent_keepalive_interval=0\n\n");
}
END_TEST

START_TEST(an_update_sends_only_what_is_set)
{
	WicePeerChange peer = { .flags = WICE_PEER_CHANGE_UPDATE_ONLY,
				.fields = WICE_PEER_HAS_ENDPOINT,
				.public_key = key_of(KEY_A),
				.preshared_key = key_of(KEY_B),
				.endpoint = state_endpoint("[fe80::1%3]:51820"),
				.keepalive_s = 25 };
	WiceDeviceChange change = { .size = sizeof change, .n_peers = 1, .peers = &peer };
	assert_text(&change, "set=1\npublic_key=" KEY_A
			     "\nupdate_only=true\nendpoint=[fe80::1%3]:51820\n\n");
	peer.fields = WICE_PEER_HAS_KEEPALIVE;
	assert_text(&change, "set=1\npublic_key=" KEY_A
			     "\nupdate_only=true\npersistent_keepalive_interval=25\n\n");
}
END_TEST

START_TEST(peers_keep_their_order)
{
	const WiceAllowedIpChange ips[] = { allowed_ip("10.0.0.0/8", false),
					    allowed_ip("fd00::1", true),
					    allowed_ip("0.0.0.0/0", true) };
	const WicePeerChange peers[] = {
		{ .flags = WICE_PEER_CHANGE_REMOVE | WICE_PEER_CHANGE_UPDATE_ONLY,
		  .fields = WICE_PEER_HAS_KEEPALIVE,
		  .public_key = key_of(KEY_B),
		  .n_allowed_ips = 3,
		  .allowed_ips = ips },
		{ .flags = WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS,
		  .fields = WICE_PEER_HAS_PRESHARED_KEY | WICE_PEER_HAS_ENDPOINT |
			    WICE_PEER_HAS_KEEPALIVE,
		  .public_key = key_of(KEY_A),
		  .preshared_key = key_of(KEY_B),
		  .endpoint = state_endpoint("192.0.2.1:1"),
		  .keepalive_s = 65535,
		  .n_allowed_ips = 3,
		  .allowed_ips = ips },
		{ .public_key = key_of(KEY_B) },
	};
	WiceDeviceChange change = { .size = sizeof change, .n_peers = 3, .peers = peers };
	assert_text(&change,
		    "set=1\npublic_key=" KEY_B "\nremove=true\npublic_key=" KEY_A
		    "\nreplace_allowed_ips=true\npreshared_key=" KEY_B "\nendpoint=192.0.2.1:1\n"
		    "persistent_keepalive_interval=65535\nallowed_ip=10.0.0.0/8\n"
		    "allowed_ip=-fd00::1/128\nallowed_ip=-0.0.0.0/0\npublic_key=" KEY_B "\n\n");
}
END_TEST

/* What a device of 1,000 of the longest peers needs, with all that can be said of them. */
START_TEST(the_longest_change_has_room)
{
	enum { N = 1000 };
	WiceAllowedIpChange ips[2] = { allowed_ip("1111:2222:3333:4444:5555:6666:7777:8888",
						  true) };
	ips[1] = ips[0];
	g_autofree WicePeerChange *peers = g_new0(WicePeerChange, N);
	for (size_t i = 0; i < N; i++) {
		peers[i].flags =
			WICE_PEER_CHANGE_UPDATE_ONLY | WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS;
		peers[i].fields = WICE_PEER_HAS_PRESHARED_KEY | WICE_PEER_HAS_ENDPOINT |
				  WICE_PEER_HAS_KEEPALIVE;
		peers[i].keepalive_s = 65535;
		peers[i].endpoint = (WiceEndpoint){ .address = ips[0].prefix.address,
						    .port = 65535,
						    .scope = UINT32_MAX };
		peers[i].n_allowed_ips = 2;
		peers[i].allowed_ips = ips;
	}
	WiceDeviceChange change = { .size = sizeof change, .n_peers = N, .peers = peers };
	change.fields =
		WICE_DEVICE_HAS_PRIVATE_KEY | WICE_DEVICE_HAS_LISTEN_PORT | WICE_DEVICE_HAS_FWMARK;
	change.flags = WICE_DEVICE_CHANGE_REPLACE_PEERS;
	change.fwmark = UINT32_MAX;
	g_auto(WiceUapiText) request = { 0 };
	wice__uapi_write_set(&change, &request);
	ck_assert_uint_le(request.len, request.room);
	ck_assert_uint_gt(request.len, (size_t)N * 400);
	ck_assert_mem_eq(request.data + request.len - 2, "\n\n", 2);
}
END_TEST

SUITE_MAIN("wg uapi requests", the_interface_comes_first_and_only_what_is_set,
	   what_is_all_zero_is_said, an_update_sends_only_what_is_set, peers_keep_their_order,
	   the_longest_change_has_room)
