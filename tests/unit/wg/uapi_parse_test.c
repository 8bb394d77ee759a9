/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "conformance/wg/state.h"
#include "suite.h"
#include "wg/uapi_parse.h"

#include <errno.h>

#define KEY_A "b85996fecc9c7f1fc6d2572a76eda11d59bcd20be8e543b15ce4bd85a8e75a33"
#define KEY_B "58402e695ba1772b1cc9309755f043251ea77fdcf10fbe63989ceb7e19321376"
#define PRIVATE "e84b5a6d2717c1003a13b431570353dbaca9146cf150c5f8575680feba52027a"
#define ZEROES "0000000000000000000000000000000000000000000000000000000000000000"

static unsigned scope_of(const char *name)
{
	return strcmp(name, "eth0") == 0 ? 9 : 0;
}

static const WiceUapiWorld world = { .now_ns = 1700000000000000000, .scope = scope_of };

/* Shows the reply in pieces of that size, what was not read again with the next one. */
static int feed(WiceUapiReply *reply, const char *text, size_t len, size_t piece)
{
	size_t shown = 0, read = 0, n_read;
	int r = 0;
	while (r == 0 && shown < len) {
		shown += MIN(piece, len - shown);
		r = wice__uapi_reply_feed(reply, text + read, shown - read, &n_read);
		read += n_read;
	}
	if (r < 0)
		return r;
	return r == 0 && read < len ? -EPROTO : wice__uapi_reply_result(reply);
}

static int parse_pieces(const char *text, size_t len, size_t piece, WiceDevice **ret)
{
	WiceDeviceBuilder *builder = wice__device_builder_new("wg0", WICE_DEVICE_USERSPACE);
	WiceUapiReply reply = { .world = &world, .builder = builder };
	int r = feed(&reply, text, len, piece);
	if (r < 0)
		wice__device_builder_free(builder);
	else
		*ret = wice__device_builder_finish(builder);
	return r;
}

static int parse(const char *text, size_t len, WiceDevice **ret)
{
	return parse_pieces(text, len, MAX(len, 1), ret);
}

static WiceDevice *parse_good(const char *reply)
{
	WiceDevice *device = NULL;
	int r = parse(reply, strlen(reply), &device);
	ck_assert_msg(r == 0, "%d for: %s", r, reply);
	return device;
}

static const WiceDevicePeer *peer_of(const WiceDevice *device, const char *hex)
{
	WiceKey key;
	ck_assert(wice_key_from_hex(hex, &key));
	const WiceDevicePeer *peer = wice_device_find_peer(device, &key);
	ck_assert_ptr_nonnull(peer);
	return peer;
}

static void assert_endpoint(const WiceDevicePeer *peer, const char *expected)
{
	char text[WICE_ENDPOINT_SIZE];
	ck_assert_str_eq(wice_endpoint_format(&peer->endpoint, text), expected);
}

START_TEST(reads_wireguard_go)
{
	WiceDevice *device =
		parse_good("private_key=" PRIVATE "\nlisten_port=12912\nfwmark=51820\n"
			   "public_key=" KEY_A "\npreshared_key=" ZEROES "\nprotocol_version=1\n"
			   "endpoint=[abcd:23::33%2]:51820\nlast_handshake_time_sec=1699999990\n"
			   "last_handshake_time_nsec=5\ntx_bytes=38333\nrx_bytes=2224\n"
			   "persistent_keepalive_interval=111\nallowed_ip=192.168.4.4/32\n"
			   "public_key=" KEY_B "\npreshared_key=" PRIVATE "\nprotocol_version=1\n"
			   "last_handshake_time_sec=0\nlast_handshake_time_nsec=0\n"
			   "tx_bytes=0\nrx_bytes=0\npersistent_keepalive_interval=0\nerrno=0\n\n");
	const WiceDeviceInfo *info = wice_device_info(device);
	WiceKey public_key;
	ck_assert_uint_eq(info->fields, WICE_DEVICE_HAS_PRIVATE_KEY | WICE_DEVICE_HAS_PUBLIC_KEY |
						WICE_DEVICE_HAS_LISTEN_PORT |
						WICE_DEVICE_HAS_FWMARK);
	wice_key_public(&info->private_key, &public_key);
	ck_assert_mem_eq(&info->public_key, &public_key, sizeof public_key);
	ck_assert_uint_eq(info->listen_port, 12912);
	ck_assert_uint_eq(info->fwmark, 51820);
	ck_assert_uint_eq(info->n_peers, 2);

	const WiceDevicePeer *peer = peer_of(device, KEY_A);
	ck_assert_uint_eq(peer->fields, WICE_PEER_HAS_ENDPOINT | WICE_PEER_HAS_KEEPALIVE |
						WICE_PEER_HAS_HANDSHAKE);
	assert_endpoint(peer, "[abcd:23::33%2]:51820");
	ck_assert_int_eq(peer->handshake_ns, 1699999990000000005);
	ck_assert_uint_eq(peer->tx_bytes, 38333);
	ck_assert_uint_eq(peer->rx_bytes, 2224);
	ck_assert_uint_eq(peer->keepalive_s, 111);
	ck_assert_uint_eq(peer->n_allowed_ips, 1);
	ck_assert_uint_eq(peer_of(device, KEY_B)->fields, WICE_PEER_HAS_PRESHARED_KEY);
	wice_device_unref(device);
}
END_TEST

START_TEST(reads_boringtun)
{
	WiceDevice *device =
		parse_good("own_public_key=" KEY_B "\nlisten_port=51820\npublic_key=" KEY_A
			   "\npersistent_keepalive_interval=25\nendpoint=1.2.3.4:5\n"
			   "allowed_ip=10.0.0.2/32\nlast_handshake_time_sec=100\n"
			   "last_handshake_time_nsec=500\nrx_bytes=1\ntx_bytes=2\nerrno=0\n\n");
	ck_assert_uint_eq(wice_device_info(device)->fields,
			  WICE_DEVICE_HAS_PUBLIC_KEY | WICE_DEVICE_HAS_LISTEN_PORT);
	ck_assert_int_eq(peer_of(device, KEY_A)->handshake_ns, world.now_ns - 100000000500);
	wice_device_unref(device);
}
END_TEST

START_TEST(reads_gotatun_and_amneziawg)
{
	WiceDevice *device = parse_good(
		"private_key=" PRIVATE "\nlisten_port=0\njc=4\ns1=7\nh1=1020325451\n"
		"i1=<b 0xc7000000010882=f66c>\npublic_key=" KEY_A "\npreshared_key=\n"
		"daita_enable=1\ndaita_machine=02eNpjYEAHjKhcAAAwAAI=\ndaita_max_padding_frac=0.5\n"
		"tx_bytes=7\nallowed_ip=fd00::/8\nerrno=0\n\n");
	ck_assert_uint_eq(wice_device_info(device)->fields,
			  WICE_DEVICE_HAS_PRIVATE_KEY | WICE_DEVICE_HAS_PUBLIC_KEY);
	ck_assert_uint_eq(peer_of(device, KEY_A)->fields, 0);
	ck_assert_uint_eq(peer_of(device, KEY_A)->tx_bytes, 7);
	wice_device_unref(device);
}
END_TEST

START_TEST(zones_may_have_names)
{
	WiceDevice *device =
		parse_good("public_key=" KEY_A "\nendpoint=[fe80::1%eth0]:7\n"
			   "public_key=" KEY_B "\nendpoint=[fe80::1%gone]:7\nerrno=0\n\n");
	assert_endpoint(peer_of(device, KEY_A), "[fe80::1%9]:7");
	assert_endpoint(peer_of(device, KEY_B), "[fe80::1]:7");
	wice_device_unref(device);
}
END_TEST

START_TEST(a_reply_may_end_after_errno)
{
	wice_device_unref(parse_good("listen_port=1\nerrno=0\n"));
	wice_device_unref(parse_good("errno=0\n\n"));
	wice_device_unref(parse_good("errno=0\n\nwhat follows is not read"));
}
END_TEST

START_TEST(malformed_replies_are_refused)
{
	static const char *const replies[] = {
		"",
		"\n",
		"errno=0",
		"listen_port=1\n\n",
		"listen_port=1\n",
		"errno=0\nlisten_port=1\n\n",
		"errno=\n\n",
		"errno=x\n\n",
		"errno=--1\n\n",
		"errno=99999999999999999999\n\n",
		"=1\nerrno=0\n\n",
		"listen_port\nerrno=0\n\n",
		"listen_port=\nerrno=0\n\n",
		"listen_port=65536\nerrno=0\n\n",
		"listen_port=-1\nerrno=0\n\n",
		"listen_port=+1\nerrno=0\n\n",
		"listen_port= 1\nerrno=0\n\n",
		"listen_port=1\r\nerrno=0\n\n",
		"fwmark=4294967296\nerrno=0\n\n",
		"fwmark=0x10\nerrno=0\n\n",
		"private_key=00\nerrno=0\n\n",
		"private_key=" PRIVATE "00\nerrno=0\n\n",
		"private_key=g84b5a6d2717c1003a13b431570353dbaca9146cf150c5f8575680feba52027a\n"
		"errno=0\n\n",
		"own_public_key=\nerrno=0\n\n",
		"public_key=\nerrno=0\n\n",
		"allowed_ip=10.0.0.1/32\nerrno=0\n\n",
		"public_key=" KEY_A "\nallowed_ip=10.0.0.1/33\nerrno=0\n\n",
		"public_key=" KEY_A "\nallowed_ip=\nerrno=0\n\n",
		"public_key=" KEY_A "\nendpoint=host:1\nerrno=0\n\n",
		"public_key=" KEY_A "\nendpoint=[fe80::1%]:1\nerrno=0\n\n",
		"public_key=" KEY_A "\nendpoint=[fe80::1%a/b]:1\nerrno=0\n\n",
		"public_key=" KEY_A "\nrx_bytes=18446744073709551616\nerrno=0\n\n",
		"public_key=" KEY_A "\nlast_handshake_time_sec=-5\nerrno=0\n\n",
		"public_key=" KEY_A "\nlast_handshake_time_sec=99999999999\nerrno=0\n\n",
		"public_key=" KEY_A "\nlast_handshake_time_nsec=1000000000\nerrno=0\n\n",
		"public_key=" KEY_A "\npersistent_keepalive_interval=65536\nerrno=0\n\n",
		"\xff\xfe\n\n",
		"listen_port=\xd9\xa1\nerrno=0\n\n",
	};
	for (size_t i = 0; i < G_N_ELEMENTS(replies); i++) {
		WiceDevice *device = NULL;
		ck_assert_msg(parse(replies[i], strlen(replies[i]), &device) == -EPROTO,
			      "case %zu: %s", i, replies[i]);
		ck_assert_ptr_null(device);
	}
}
END_TEST

START_TEST(bytes_that_are_not_text_are_skipped_or_refused)
{
	static const char unknown[] = "weird\xff\x00key=\xfe\x00\x01\nerrno=0\n\n";
	static const char known[] = "listen_port=1\x00"
				    "2\nerrno=0\n\n";
	WiceDevice *device = NULL;
	ck_assert_int_eq(parse(unknown, sizeof unknown - 1, &device), 0);
	wice_device_unref(device);
	ck_assert_int_eq(parse(known, sizeof known - 1, &device), -EPROTO);
}
END_TEST

START_TEST(overlong_values_are_refused_if_known)
{
	g_autofree char *endless = g_strnfill(100000, '1');
	g_autofree char *unknown = g_strdup_printf("mystery=%s\nerrno=0\n\n", endless);
	g_autofree char *known = g_strdup_printf("listen_port=%s\nerrno=0\n\n", endless);
	WiceDevice *device = NULL;
	wice_device_unref(parse_good(unknown));
	ck_assert_int_eq(parse(known, strlen(known), &device), -EPROTO);
}
END_TEST

START_TEST(every_cut_of_a_reply_is_refused)
{
	static const char reply[] = "private_key=" PRIVATE "\nlisten_port=1\npublic_key=" KEY_A
				    "\nendpoint=1.2.3.4:5\nallowed_ip=10.0.0.0/8\nerrno=0\n";
	for (size_t len = 0; len < sizeof reply - 1; len++) {
		WiceDevice *device = NULL;
		ck_assert_msg(parse(reply, len, &device) == -EPROTO, "%zu bytes", len);
	}
}
END_TEST

START_TEST(the_devices_errors_come_through)
{
	static const struct {
		const char *reply;
		int expected;
	} cases[] = { { "errno=-5\n\n", -EIO },
		      { "errno=22\n\n", -EINVAL },
		      { "errno=-71\n\n", -EPROTO },
		      { "errno=-9223372036854775807\n\n", -EIO },
		      { "errno=0\n\n", 0 },
		      { "message=hello\nerrno=0\n\n", 0 },
		      { "\n", -EPROTO },
		      { "errno=0", -EPROTO } };
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		WiceUapiReply reply = { 0 };
		size_t len = strlen(cases[i].reply);
		ck_assert_int_eq(feed(&reply, cases[i].reply, len, len), cases[i].expected);
		ck_assert(reply.positive == (cases[i].expected == -EINVAL));
	}
	WiceDevice *device = NULL;
	ck_assert_int_eq(parse("listen_port=1\nerrno=22\n\n", 24, &device), -EINVAL);
}
END_TEST

START_TEST(pieces_of_any_size_make_the_same_device)
{
	static const char text[] =
		"private_key=" PRIVATE "\nlisten_port=1\nunknown=2\npublic_key=" KEY_A
		"\npreshared_key=" PRIVATE "\nendpoint=1.2.3.4:5\nlast_handshake_time_sec=7\n"
		"last_handshake_time_nsec=8\nallowed_ip=10.0.0.0/8\nallowed_ip=fd00::/8\n"
		"public_key=" KEY_B "\nrx_bytes=3\nerrno=0\n\n";
	WiceDevice *expected = parse_good(text);
	for (size_t piece = 1; piece < sizeof text; piece++) {
		WiceDevice *device = NULL;
		ck_assert_int_eq(parse_pieces(text, sizeof text - 1, piece, &device), 0);
		ck_assert_uint_eq(wice_device_diff(expected, device, NULL, NULL), 0);
		wice_device_unref(device);
	}
	wice_device_unref(expected);
}
END_TEST

START_TEST(the_end_is_where_the_empty_line_is)
{
	static const char text[] = "a=1\nerrno=0\n\nb=2\n";
	for (size_t len = 0; len < sizeof text; len++) {
		WiceUapiReply reply = { 0 };
		size_t n_read = 99;
		int r = wice__uapi_reply_feed(&reply, text, len, &n_read);
		ck_assert_int_eq(r, len >= 13);
		ck_assert_uint_eq(n_read, len < 4 ? 0 : len < 12 ? 4 : len < 13 ? 12 : 13);
	}
}
END_TEST

START_TEST(mapped_endpoints_are_ipv4)
{
	WiceDevice *device =
		parse_good("public_key=" KEY_A "\nendpoint=[::ffff:192.0.2.1%3]:7\n"
			   "public_key=" KEY_B "\nendpoint=[::fffe:192.0.2.1]:7\nerrno=0\n\n");
	assert_endpoint(peer_of(device, KEY_A), "192.0.2.1:7");
	ck_assert_uint_eq(peer_of(device, KEY_A)->endpoint.scope, 0);
	assert_endpoint(peer_of(device, KEY_B), "[::fffe:c000:201]:7");
	wice_device_unref(device);
}
END_TEST

SUITE_MAIN("wg uapi parser", reads_wireguard_go, reads_boringtun, reads_gotatun_and_amneziawg,
	   zones_may_have_names, a_reply_may_end_after_errno, malformed_replies_are_refused,
	   bytes_that_are_not_text_are_skipped_or_refused, overlong_values_are_refused_if_known,
	   every_cut_of_a_reply_is_refused, the_devices_errors_come_through,
	   pieces_of_any_size_make_the_same_device, the_end_is_where_the_empty_line_is,
	   mapped_endpoints_are_ipv4)
