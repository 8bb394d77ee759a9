/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Replies, and the text protocol as a function call. */
#include "conformance/wg/engine_model.h"

#include <errno.h>

#include "engine/uapi_reply.h"
#include "suite.h"
#include "unit/wg/plan_random.h"
#include "wg/uapi_parse.h"

#define PRIVATE "e84b5a6d2717c1003a13b431570353dbaca9146cf150c5f8575680feba52027a"
#define A "b85996fecc9c7f1fc6d2572a76eda11d59bcd20be8e543b15ce4bd85a8e75a33"
#define B "58402e695ba1772b1cc9309755f043251ea77fdcf10fbe63989ceb7e19321376"
#define PSK "188515093e952f5f22e865cef3012e72f8b5f0b598ac0309d5dacce3b70fcf52"
#define ZEROES "0000000000000000000000000000000000000000000000000000000000000000"

static void assert_reply(UapiModel *model, const char *request, const char *expected)
{
	WiceUapiHandler handler = uapi_model_handler(model);
	g_auto(WiceUapiText) reply = { 0 };
	wice__uapi_handle(&handler, request, strlen(request), &reply);
	g_autofree char *text = g_strndup(reply.data, reply.len);
	ck_assert_str_eq(text, expected);
}

static WiceKey key_of(const char *hex)
{
	WiceKey key;
	ck_assert(wice_key_from_hex(hex, &key));
	return key;
}

/* Peers and allowed IPs in another order than that of their keys and bytes. */
static WiceDevice *sample(void)
{
	WiceDeviceBuilder *builder = wice__device_builder_new("wg0", WICE_DEVICE_USERSPACE);
	WiceDeviceInfo *info = wice__device_builder_info(builder);
	WiceKey a = key_of(A), b = key_of(B);
	WiceDevicePeer *peer;
	info->private_key = key_of(PRIVATE);
	wice_key_public(&info->private_key, &info->public_key);
	info->listen_port = 12912;
	info->fwmark = UINT32_MAX;
	ck_assert_int_eq(wice__device_builder_peer(builder, &a, &peer), 0);
	peer->preshared_key = key_of(PSK);
	peer->endpoint = state_endpoint("[fe80::33%2]:51820");
	peer->handshake_ns = INT64_C(1700000000123456789);
	peer->rx_bytes = UINT64_MAX;
	peer->tx_bytes = 38333;
	peer->keepalive_s = 65535;
	state_allow(builder, "192.168.4.4/32");
	state_allow(builder, "fd00::/64");
	state_allow(builder, "10.0.0.0/8");
	ck_assert_int_eq(wice__device_builder_peer(builder, &b, &peer), 0);
	return wice__device_builder_finish(builder);
}

START_TEST(get_says_all_in_the_devices_order)
{
	UapiModel model = { .device = sample() };
	assert_reply(&model, "get=1\n\n",
		     "private_key=" PRIVATE "\nlisten_port=12912\nfwmark=4294967295\n"
		     "public_key=" A "\npreshared_key=" PSK "\nprotocol_version=1\n"
		     "endpoint=[fe80::33%2]:51820\nlast_handshake_time_sec=1700000000\n"
		     "last_handshake_time_nsec=123456789\ntx_bytes=38333\n"
		     "rx_bytes=18446744073709551615\npersistent_keepalive_interval=65535\n"
		     "allowed_ip=192.168.4.4/32\nallowed_ip=fd00::/64\nallowed_ip=10.0.0.0/8\n"
		     "public_key=" B "\npreshared_key=" ZEROES "\nprotocol_version=1\n"
		     "last_handshake_time_sec=0\nlast_handshake_time_nsec=0\ntx_bytes=0\n"
		     "rx_bytes=0\npersistent_keepalive_interval=0\nerrno=0\n\n");
	wice_device_unref(model.device);
}
END_TEST

START_TEST(get_leaves_out_what_is_off)
{
	UapiModel model = { .device = state_new("wg0", 0, 0) };
	WicePlan *plan = wice_plan_new(&(WiceDeviceChange){ .size = sizeof(WiceDeviceChange),
							    .fields = WICE_DEVICE_HAS_PRIVATE_KEY |
								      WICE_DEVICE_HAS_LISTEN_PORT |
								      WICE_DEVICE_HAS_FWMARK },
				       NULL);
	ck_assert_int_eq(uapi_model_set(&model, plan), 0);
	assert_reply(&model, "get=1\n\n", "errno=0\n\n");
	wice_plan_unref(plan);
	wice_device_unref(model.device);
}
END_TEST

START_TEST(errors_are_replied_and_change_nothing)
{
	static const struct {
		const char *request, *reply;
	} cases[] = {
		{ "set=1\nlisten_port=1\nfwmark=what\n\n", "errno=-22\n\n" },
		{ "set=1\nlisten_port=1\nwhat\n\n", "errno=-71\n\n" },
		{ "set=1\nlisten_port=1\n", "errno=-71\n\n" },     /* its end is missing */
		{ "set=1\nlisten_port=1\n\n\n", "errno=-71\n\n" }, /* there is more behind it */
		{ "set=1\nlisten_port=1\n\nget=1\n\n", "errno=-71\n\n" },
		{ "get=1\nlisten_port=1\n\n", "errno=-22\n\n" },
		{ "get=1\n", "errno=-71\n\n" },
		{ "what=1\n\n", "errno=-71\n\n" },
		{ "", "errno=-71\n\n" },
	};
	UapiModel model = { .device = sample() };
	g_autoptr(WiceDevice) before = wice_device_ref(model.device);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		assert_reply(&model, cases[i].request, cases[i].reply);
	model.error = -EADDRINUSE;
	assert_reply(&model, "set=1\nlisten_port=1\n\n", "errno=-98\n\n");
	ck_assert_uint_eq(model.n_sets, 0);
	state_assert_same(before, model.device);
	wice_device_unref(model.device);
	model.device = NULL;
	assert_reply(&model, "get=1\n\n", "errno=-19\n\n");
}
END_TEST

START_TEST(set_is_one_plan)
{
	UapiModel model = { .device = sample() };
	assert_reply(&model,
		     "set=1\nlisten_port=7\npublic_key=" A "\nremove=true\npublic_key=" B
		     "\nupdate_only=true\nendpoint=[fe80::1%eth0]:9\nallowed_ip=10.0.0.0/8\n\n",
		     "errno=0\n\n");
	ck_assert_uint_eq(model.n_sets, 1);
	const WiceDeviceInfo *info = wice_device_info(model.device);
	ck_assert_uint_eq(info->listen_port, 7);
	ck_assert_uint_eq(info->n_peers, 1);
	ck_assert_uint_eq(info->peers[0].endpoint.scope, 2);
	ck_assert_uint_eq(info->peers[0].n_allowed_ips, 1);
	wice_device_unref(model.device);
}
END_TEST

static WiceDevice *read_reply(const WiceUapiText *reply)
{
	static const WiceUapiWorld world = { 0 };
	WiceDeviceBuilder *builder = wice__device_builder_new("wg0", WICE_DEVICE_FAKE);
	WiceUapiReply reader = { .world = &world, .builder = builder };
	size_t n_read;
	ck_assert_int_eq(wice__uapi_reply_feed(&reader, reply->data, reply->len, &n_read), 1);
	ck_assert_uint_eq(n_read, reply->len);
	ck_assert_int_eq(wice__uapi_reply_result(&reader), 0);
	return wice__device_builder_finish(builder);
}

/* The order in which peers come is the same too. */
static void assert_same_order(const WiceDevice *a, const WiceDevice *b)
{
	size_t n = wice_device_info(a)->n_peers;
	if (n)
		ck_assert_mem_eq(wice_device_order(a), wice_device_order(b), n * sizeof(uint32_t));
}

/* What the server writes is what the client reads. */
START_TEST(clients_read_what_is_replied)
{
	for (unsigned seed = 0; seed < 1000; seed++) {
		Chance chance;
		chance_init(&chance, seed);
		g_autoptr(WiceDevice) start = draw_device(&chance);
		g_autoptr(WicePlan) plan = draw_plan(&chance); /* shuffles the order */
		g_autoptr(WiceDevice) device = wice_plan_result(plan, start);
		g_auto(WiceUapiText) reply = { 0 };
		wice__uapi_reply_device(device, &reply);
		ck_assert_uint_le(reply.len, reply.room);
		g_autoptr(WiceDevice) same = read_reply(&reply);
		state_assert_same(device, same);
		assert_same_order(device, same);
		chance_done(&chance);
	}
}
END_TEST

START_TEST(the_longest_reply_has_room)
{
	WiceDeviceBuilder *builder = wice__device_builder_new("wg0", WICE_DEVICE_FAKE);
	WiceEndpoint endpoint = state_endpoint("[1111:2222:3333:4444:5555:6666:7777:8888%1]:65535");
	endpoint.scope = UINT32_MAX;
	for (unsigned i = 0; i < 1000; i++) {
		WiceKey key = state_key(i);
		WiceDevicePeer *peer;
		ck_assert_int_eq(wice__device_builder_peer(builder, &key, &peer), 0);
		*peer = (WiceDevicePeer){ .public_key = key,
					  .endpoint = endpoint,
					  .keepalive_s = UINT16_MAX,
					  .handshake_ns = INT64_C(9223372035999999999),
					  .rx_bytes = UINT64_MAX,
					  .tx_bytes = UINT64_MAX };
		state_allow(builder, "1111:2222:3333:4444:5555:6666:7777:8888");
	}
	g_autoptr(WiceDevice) device = wice__device_builder_finish(builder);
	g_auto(WiceUapiText) reply = { 0 };
	wice__uapi_reply_device(device, &reply);
	ck_assert_uint_le(reply.len, reply.room);
	g_autoptr(WiceDevice) same = read_reply(&reply);
	state_assert_same(device, same);
}
END_TEST

SUITE_MAIN("engine uapi handler", get_says_all_in_the_devices_order, get_leaves_out_what_is_off,
	   errors_are_replied_and_change_nothing, set_is_one_plan, clients_read_what_is_replied,
	   the_longest_reply_has_room)
