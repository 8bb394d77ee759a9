/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Engines of this process, on packet callbacks: what a program does with the public functions. */
#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>
#include <wice/engine.h>
#include <wice/error.h>

#include "tests/suite.h"
#include "unit/engine/frame.h"

#define PATIENCE_S 60

typedef struct {
	WiceEngine *engine;
	WiceKey private_key, public_key;
	uint8_t address[4];
	GMutex mutex;
	GCond cond;
	GQueue packets; /* GBytes: what came out */
	unsigned handshakes, configured, endpoints;
} End;

static void on_packet(const uint8_t *packet, size_t length, void *user_data)
{
	End *end = user_data;
	g_mutex_lock(&end->mutex);
	g_queue_push_tail(&end->packets, g_bytes_new(packet, length));
	g_cond_signal(&end->cond);
	g_mutex_unlock(&end->mutex);
}

static void on_event(WiceEngine *engine, const WiceEngineEvent *event, void *user_data)
{
	End *end = user_data;
	ck_assert_ptr_eq(engine, end->engine);
	end->handshakes += event->type == WICE_ENGINE_PEER_HANDSHAKE;
	end->configured += event->type == WICE_ENGINE_CONFIGURED;
	end->endpoints += event->type == WICE_ENGINE_PEER_ENDPOINT;
}

static void start(End *end, uint8_t number, WiceBind *bind)
{
	WiceEngineOptions options = {
		.size = sizeof options,
		.output = on_packet,
		.on_event = on_event,
		.user_data = end,
		.bind = bind,
	};
	g_autoptr(GError) error = NULL;
	wice_key_generate_private(&end->private_key);
	wice_key_public(&end->private_key, &end->public_key);
	memcpy(end->address, (uint8_t[]){ 10, 0, 0, number }, 4);
	end->engine = wice_engine_new(NULL, &options, &error);
	ck_assert_msg(end->engine != NULL, "%s", error ? error->message : "");
}

static void stop(End *end)
{
	wice_engine_free(end->engine);
	g_queue_clear_full(&end->packets, (GDestroyNotify)g_bytes_unref);
}

static uint16_t port_of(const End *end)
{
	g_autoptr(WiceDevice) device = wice_engine_get(end->engine);
	return wice_device_info(device)->listen_port;
}

static void apply(End *end, const WiceDeviceChange *change)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WicePlan) plan = wice_plan_new(change, &error);
	ck_assert_msg(plan && wice_engine_set(end->engine, plan, &error), "%s",
		      error ? error->message : "");
}

/* end knows other; where it is only if port is not 0. */
static void introduce(End *end, const End *other, uint16_t port)
{
	WiceAllowedIpChange ip = { .prefix = { { WICE_FAMILY_IPV4, { 0 } }, 32 } };
	WicePeerChange peer = {
		.public_key = other->public_key,
		.fields = port ? WICE_PEER_HAS_ENDPOINT : 0,
		.endpoint = { { WICE_FAMILY_IPV4, { 127, 0, 0, 1 } }, port, 0 },
		.n_allowed_ips = 1,
		.allowed_ips = &ip,
	};
	WiceDeviceChange change = {
		.size = sizeof change,
		.fields = WICE_DEVICE_HAS_PRIVATE_KEY,
		.private_key = end->private_key,
		.n_peers = 1,
		.peers = &peer,
	};
	memcpy(ip.prefix.address.bytes, other->address, 4);
	apply(end, &change);
}

/* An IPv4 packet of that length, filled with a pattern. */
static void make_packet(uint8_t *packet, uint16_t length, const End *from, const End *to)
{
	for (uint16_t i = 0; i < length; i++)
		packet[i] = (uint8_t)(i * 7);
	frame_put_ipv4(packet, length, from->address, to->address);
}

static bool send_packet(const End *from, const End *to, uint16_t length)
{
	uint8_t packet[2000];
	make_packet(packet, length, from, to);
	return wice_engine_inject(from->engine, packet, length);
}

static GBytes *wait_for_packet(End *end)
{
	int64_t deadline = g_get_monotonic_time() + PATIENCE_S * G_USEC_PER_SEC;
	g_mutex_lock(&end->mutex);
	while (!end->packets.head && g_cond_wait_until(&end->cond, &end->mutex, deadline))
		;
	GBytes *bytes = g_queue_pop_head(&end->packets);
	g_mutex_unlock(&end->mutex);
	return bytes;
}

/* Waits for a packet of that length from there. */
static void expect_packet(const End *from, End *to, uint16_t length)
{
	uint8_t packet[2000];
	GBytes *bytes = wait_for_packet(to);
	size_t n;
	ck_assert_msg(bytes != NULL, "no packet of %u bytes came", length);
	make_packet(packet, length, from, to);
	ck_assert_mem_eq(g_bytes_get_data(bytes, &n), packet, length);
	ck_assert_uint_eq(n, length);
	g_bytes_unref(bytes);
}

static void connect_ends(End *a, End *b)
{
	introduce(b, a, 0);
	introduce(a, b, port_of(b));
	ck_assert(send_packet(a, b, 100));
	expect_packet(a, b, 100);
	ck_assert(send_packet(b, a, 200));
	expect_packet(b, a, 200);
}

static void run_until(const unsigned *count, unsigned wanted)
{
	int64_t end = g_get_monotonic_time() + PATIENCE_S * G_USEC_PER_SEC;
	while (*count < wanted && g_get_monotonic_time() < end) {
		g_main_context_iteration(NULL, FALSE);
		g_usleep(1000);
	}
	ck_assert_uint_ge(*count, wanted);
}

static void check_traffic(WiceBind *bind_a, WiceBind *bind_b)
{
	End a = { 0 }, b = { 0 };
	start(&a, 1, bind_a);
	start(&b, 2, bind_b);
	connect_ends(&a, &b);
	for (uint16_t length = 20; length <= 1420; length += 20) {
		ck_assert(send_packet(&a, &b, length));
		ck_assert(send_packet(&b, &a, length));
		expect_packet(&a, &b, length);
		expect_packet(&b, &a, length);
	}
	run_until(&a.handshakes, 1);
	run_until(&b.handshakes, 1);
	run_until(&b.endpoints, 1);
	ck_assert_uint_eq(a.configured, 1);
	stop(&a);
	stop(&b);
}

START_TEST(carries_packets_over_udp)
{
	check_traffic(NULL, NULL);
}
END_TEST

START_TEST(carries_packets_in_memory)
{
	WiceBind *a, *b;
	wice_bind_pair_new(&a, &b);
	check_traffic(a, b);
}
END_TEST

START_TEST(tells_what_happened)
{
	End a = { 0 }, b = { 0 };
	g_autoptr(WiceDevice) device = NULL;
	WiceEngineCounters counters;
	start(&a, 1, NULL);
	start(&b, 2, NULL);
	connect_ends(&a, &b);
	device = wice_engine_get(b.engine);
	const WiceDevicePeer *peer = wice_device_find_peer(device, &a.public_key);
	ck_assert_ptr_nonnull(peer);
	ck_assert(peer->fields & WICE_PEER_HAS_HANDSHAKE);
	ck_assert_uint_eq(peer->endpoint.port, port_of(&a));
	ck_assert_uint_gt(peer->rx_bytes, 148 + 32 + 100);
	ck_assert_uint_gt(peer->tx_bytes, 92 + 32 + 200);
	/* To nobody. */
	a.address[3] = 3;
	ck_assert(send_packet(&b, &a, 50));
	do
		wice_engine_counters(b.engine, &counters);
	while (counters.no_peer == 0);
	ck_assert_uint_eq(counters.no_peer, 1);
	ck_assert_uint_eq(counters.forged + counters.replayed + counters.spoofed, 0);
	ck_assert_uint_ge(counters.bind.rx_packets, 2);
	stop(&a);
	stop(&b);
}
END_TEST

/* A bind that others have written, in that it wants to know who is where. */
static _Atomic unsigned n_heard;
static WiceKey heard_peer;
static uint16_t heard_port;

static void on_heard(WiceBind *bind, const WiceBindPath *path, const WiceKey *peer)
{
	heard_peer = *peer;
	heard_port = path->remote.port;
	n_heard++;
}

START_TEST(tells_the_bind_who_is_where)
{
	End a = { 0 }, b = { 0 };
	WiceBind *bind = wice_bind_udp_new(NULL);
	WiceBindOps ops = *bind->ops;
	WiceDeviceChange change = { .size = sizeof change, .fields = WICE_DEVICE_HAS_LISTEN_PORT };
	ops.authenticated = on_heard;
	bind->ops = &ops;
	n_heard = 0;
	start(&a, 1, NULL);
	start(&b, 2, bind);
	connect_ends(&a, &b);
	ck_assert_uint_eq(n_heard, 1);
	ck_assert_int_eq(wice_key_compare(&heard_peer, &a.public_key), 0);
	ck_assert_uint_eq(heard_port, port_of(&a));
	/* And once more when it has moved. */
	apply(&a, &change);
	ck_assert(send_packet(&a, &b, 100));
	expect_packet(&a, &b, 100);
	ck_assert(send_packet(&b, &a, 100));
	expect_packet(&b, &a, 100);
	ck_assert_uint_eq(n_heard, 2);
	ck_assert_uint_eq(heard_port, port_of(&a));
	stop(&a);
	stop(&b);
}
END_TEST

START_TEST(moves_to_another_port)
{
	End a = { 0 }, b = { 0 };
	WiceDeviceChange change = { .size = sizeof change, .fields = WICE_DEVICE_HAS_LISTEN_PORT };
	g_autoptr(WicePlan) plan = NULL;
	g_autoptr(GError) error = NULL;
	start(&a, 1, NULL);
	start(&b, 2, NULL);
	connect_ends(&a, &b);
	uint16_t before = port_of(&a);
	apply(&a, &change);
	ck_assert_uint_ne(port_of(&a), before);
	/* b follows with the first packet. */
	ck_assert(send_packet(&a, &b, 100));
	expect_packet(&a, &b, 100);
	ck_assert(send_packet(&b, &a, 100));
	expect_packet(&b, &a, 100);
	/* A port that is taken: everything stays as it was. */
	change.listen_port = port_of(&b);
	change.flags = WICE_DEVICE_CHANGE_REPLACE_PEERS;
	plan = wice_plan_new(&change, NULL);
	before = port_of(&a);
	ck_assert(!wice_engine_set(a.engine, plan, &error));
	ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_BUSY));
	ck_assert_uint_eq(port_of(&a), before);
	ck_assert(send_packet(&a, &b, 300));
	expect_packet(&a, &b, 300);
	stop(&a);
	stop(&b);
}
END_TEST

START_TEST(goes_down_and_up)
{
	End a = { 0 }, b = { 0 };
	start(&a, 1, NULL);
	start(&b, 2, NULL);
	connect_ends(&a, &b);
	uint16_t port = port_of(&b);
	for (int i = 0; i < 20; i++) {
		ck_assert(wice_engine_set_up(b.engine, false, NULL));
		ck_assert(wice_engine_set_up(b.engine, true, NULL));
		ck_assert_uint_eq(port_of(&b), port);
	}
	/* b has no session any more: it begins one. */
	ck_assert(send_packet(&b, &a, 100));
	expect_packet(&b, &a, 100);
	stop(&a);
	stop(&b);
}
END_TEST

START_TEST(speaks_uapi)
{
	End a = { 0 };
	g_autofree char *reply = NULL, *refusal = NULL, *get = NULL;
	const char *set = "set=1\nlisten_port=0\nfwmark=0\nprivate_key="
			  "e84b5a6d2717c1003a13b431570353dbaca9146cf150c5f8575680feba52027a\n"
			  "public_key="
			  "b85996fecc9c7f1fc6d2572a76eda11d59bcd20be8e543b15ce4bd85a8e75a33\n"
			  "endpoint=[abcd:23::33%2]:51820\npersistent_keepalive_interval=111\n"
			  "allowed_ip=192.168.4.4/32\n\n";
	start(&a, 1, NULL);
	reply = wice_engine_uapi(a.engine, set, strlen(set));
	ck_assert_str_eq(reply, "errno=0\n\n");
	refusal = wice_engine_uapi(a.engine, "set=1\nnonsense=1\n\n", 18);
	ck_assert_str_eq(refusal, "errno=-22\n\n");
	get = wice_engine_uapi(a.engine, "get=1\n\n", 7);
	ck_assert_ptr_nonnull(strstr(get, "\nallowed_ip=192.168.4.4/32\n"));
	ck_assert_ptr_nonnull(strstr(get, "\npersistent_keepalive_interval=111\n"));
	ck_assert(g_str_has_suffix(get, "\nerrno=0\n\n"));
	stop(&a);
}
END_TEST

START_TEST(refuses_nonsense)
{
	static const WiceEngineOptions bad[] = {
		{ .size = sizeof(WiceEngineOptions) },
		{ .size = sizeof(WiceEngineOptions), .name = "wg0", .tun_fd = 5 },
		{ .size = sizeof(WiceEngineOptions), .output = on_packet, .tun_fd = 5 },
		{ .size = sizeof(WiceEngineOptions), .name = "a-name-that-is-too-long" },
		{ .size = sizeof(WiceEngineOptions), .output = on_packet, .mtu = 65536 },
		{ .size = sizeof(WiceEngineOptions), .output = on_packet, .n_queues = 1000 },
		{ .size = 0, .output = on_packet },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;
		ck_assert_ptr_null(wice_engine_new(NULL, &bad[i], &error));
		ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_INVALID));
	}
}
END_TEST

START_TEST(is_freed_under_load)
{
	for (int round = 0; round < 10; round++) {
		End a = { 0 }, b = { 0 };
		start(&a, 1, NULL);
		start(&b, 2, NULL);
		connect_ends(&a, &b);
		for (int i = 0; i < 500; i++) {
			send_packet(&a, &b, 1400);
			send_packet(&b, &a, 1400);
		}
		stop(&a);
		stop(&b);
	}
}
END_TEST

static void on_last_event(WiceEngine *engine, const WiceEngineEvent *event, void *user_data)
{
	unsigned *events = user_data;
	(*events)++;
	wice_engine_free(engine);
}

START_TEST(is_freed_by_who_hears_its_events)
{
	unsigned events = 0;
	const WiceEngineOptions options = {
		.size = sizeof options,
		.output = on_packet,
		.on_event = on_last_event,
		.user_data = &events,
	};
	const WiceDeviceChange change = { .size = sizeof change, .fields = WICE_DEVICE_HAS_FWMARK };
	WiceEngine *engine = wice_engine_new(NULL, &options, NULL);
	g_autoptr(WicePlan) plan = wice_plan_new(&change, NULL);
	ck_assert_ptr_nonnull(engine);
	ck_assert(wice_engine_set(engine, plan, NULL) && wice_engine_set(engine, plan, NULL));
	run_until(&events, 1);
	while (g_main_context_iteration(NULL, FALSE))
		;
	ck_assert_uint_eq(events, 1);
}
END_TEST

static bool never(int fd, void *user_data)
{
	return false;
}

START_TEST(leaves_what_it_was_given_if_it_cannot_be_made)
{
	const WiceBindUdpOptions udp = { .size = sizeof udp, .protect = never };
	WiceEngineOptions options = {
		.size = sizeof options,
		.output = on_packet,
		.bind = wice_bind_udp_new(&udp),
	};
	const WiceEngineOptions no_tun = { .size = sizeof no_tun, .tun_fd = dup(STDERR_FILENO) };
	g_autoptr(GError) error = NULL, tun_error = NULL;
	ck_assert_ptr_null(wice_engine_new(NULL, &options, &error));
	ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_PERMISSION));
	wice_bind_free(options.bind);

	ck_assert_ptr_null(wice_engine_new(NULL, &no_tun, &tun_error));
	ck_assert_ptr_nonnull(tun_error);
	ck_assert_int_eq(close(no_tun.tun_fd), 0);
}
END_TEST

/* An interface that is up while its port is taken is as good as down until it gets another one. */
START_TEST(comes_up_with_another_port)
{
	End a = { 0 }, b = { 0 };
	WiceDeviceChange change = { .size = sizeof change, .fields = WICE_DEVICE_HAS_LISTEN_PORT };
	g_autoptr(GError) error = NULL;
	start(&a, 1, NULL);
	start(&b, 2, NULL);
	change.listen_port = port_of(&b);
	ck_assert(wice_engine_set_up(a.engine, false, NULL));
	apply(&a, &change);
	ck_assert(!wice_engine_set_up(a.engine, true, &error));
	ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_BUSY));
	change.listen_port = 0;
	apply(&a, &change);
	ck_assert_uint_ne(port_of(&a), 0);
	connect_ends(&a, &b);
	stop(&a);
	stop(&b);
}
END_TEST

SUITE_MAIN("engine", carries_packets_over_udp, carries_packets_in_memory, tells_what_happened,
	   tells_the_bind_who_is_where, moves_to_another_port, goes_down_and_up, speaks_uapi,
	   refuses_nonsense, is_freed_under_load, is_freed_by_who_hears_its_events,
	   leaves_what_it_was_given_if_it_cannot_be_made, comes_up_with_another_port)
