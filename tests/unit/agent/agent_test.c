/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two agents in one process: real proxies, signaling and sessions between a fake WireGuard and fake
 * ICE. Runs in a network namespace of its own.
 */
#include "suite.h"

#include <dirent.h>
#include <malloc.h>
#include <sched.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <wice/wice.h>

#include "agent/agent_private.h"
#include "ice/fake.h"
#include "signaling/sealed.h"
#include "wg/fake.h"

#define PATIENCE_MS 60000

typedef struct {
	const char *name;
	WiceKey private_key, public_key;
	WiceAgent *agent;
} Side;

typedef struct {
	WiceWgFake *wg;
	WiceIceWire *wire;
	Side sides[2];
} World;

/* A host with one address and no way out. False if namespaces cannot be made here. */
static bool make_host(void)
{
	if (unshare(CLONE_NEWNET) < 0) {
		fprintf(stderr, "skipped: no network namespace can be made (root needed)\n");
		return false;
	}
	return system("ip link set lo up && ip link add v0 type veth peer name v1 && "
		      "ip addr add 10.1.0.1/24 dev v0 && ip link set v0 up && ip link set v1 up") ==
	       0;
}

static bool is_proxied(const WiceDevicePeer *peer)
{
	return peer && peer->endpoint.address.family == WICE_FAMILY_IPV4 &&
	       peer->endpoint.address.bytes[0] == 127;
}

static void handshake(World *world, Side *side, const Side *other)
{
	g_autoptr(WiceDevice) device = wice__wg_fake_get_device(world->wg, side->name);
	const WiceDevicePeer *found = wice_device_find_peer(device, &other->public_key);
	if (!found)
		return;
	WiceDevicePeer peer = *found;
	peer.handshake_ns = g_get_real_time() * 1000;
	peer.rx_bytes += 148;
	peer.tx_bytes += 92;
	wice__wg_fake_set_peer(world->wg, side->name, &peer);
}

/* WireGuard between the two: shakes hands when it is made to send and both know where to. */
static void on_update(const char *name, const WicePeerUpdate *update, void *user_data)
{
	World *world = user_data;
	Side *a = &world->sides[0], *b = &world->sides[1];
	g_autoptr(WiceDevice) at_a = wice__wg_fake_get_device(world->wg, a->name);
	g_autoptr(WiceDevice) at_b = wice__wg_fake_get_device(world->wg, b->name);
	if (!at_a || !at_b || !update->set_keepalive || !update->keepalive_s)
		return;
	if (is_proxied(wice_device_find_peer(at_a, &b->public_key)) &&
	    is_proxied(wice_device_find_peer(at_b, &a->public_key))) {
		handshake(world, a, b);
		handshake(world, b, a);
	}
}

static void add_peer(World *world, Side *side, const Side *other, const char *endpoint)
{
	WiceDevicePeer peer = { .public_key = other->public_key };
	if (endpoint)
		ck_assert(wice_endpoint_parse(endpoint, &peer.endpoint));
	wice__wg_fake_set_peer(world->wg, side->name, &peer);
}

static void make_side(World *world, Side *side, const char *name)
{
	side->name = name;
	wice_key_generate_private(&side->private_key);
	wice_key_public(&side->private_key, &side->public_key);
	WiceDeviceInfo info = {
		.kind = WICE_DEVICE_FAKE,
		.ifindex = 7,
		.private_key = side->private_key,
		.listen_port = 51820,
	};
	g_strlcpy(info.name, name, sizeof info.name);
	wice__wg_fake_set_device(world->wg, &info);
}

static int64_t slept;

static int64_t slept_ms(void)
{
	return slept;
}

static void start_agent(World *world, Side *side)
{
	static const char *const backends[] = { "inprocess:agent-test", NULL };
	g_autoptr(GError) error = NULL;
	WiceAgentOptions options;
	wice_agent_options_init(&options);
	options.backends = backends;
	options.mechanism = WICE_MECHANISM_USER;
	options.no_port_mapping = true;
	WiceWgBackend *backend = wice__wg_fake_backend(world->wg);
	WiceAgentBackends fakes = {
		.wg = wice__wg_new_with(&backend, 1),
		.ice = &wice__ice_fake,
		.slept_ms = slept_ms,
	};
	side->agent = wice__agent_new_with(NULL, &options, &fakes, &error);
	ck_assert_msg(side->agent != NULL, "%s", error ? error->message : "");
	ck_assert_msg(wice_agent_add_interface(side->agent, side->name, &error), "%s",
		      error ? error->message : "");
}

static void begin(World *world)
{
	ck_assert_int_ge(sodium_init(), 0);
	memset(world, 0, sizeof *world);
	world->wg = wice__wg_fake_new();
	world->wire = wice__ice_wire_new();
	wice__wg_fake_on_update(world->wg, on_update, world);
	make_side(world, &world->sides[0], "wga");
	make_side(world, &world->sides[1], "wgb");
}

static void end(World *world)
{
	for (int i = 0; i < 2; i++)
		wice_agent_free(world->sides[i].agent);
	wice__ice_wire_free(world->wire);
	wice__wg_fake_free(world->wg);
}

typedef struct {
	bool done;
	int code; /* -1: success */
} Result;

static void on_waited(const GError *error, void *user_data)
{
	Result *result = user_data;
	ck_assert(!result->done);
	result->done = true;
	result->code = error ? error->code : -1;
}

static void run_until(const bool *done)
{
	gint64 deadline = g_get_monotonic_time() + PATIENCE_MS * (gint64)1000;
	while (!*done && g_get_monotonic_time() < deadline) {
		if (!g_main_context_iteration(NULL, FALSE))
			g_usleep(1000);
	}
	ck_assert(*done);
}

static int wait_for(Side *side, const WiceKey *peer, WicePeerState state)
{
	Result result = { 0 };
	wice_agent_wait(side->agent, NULL, peer, state, PATIENCE_MS, NULL, on_waited, &result,
			NULL);
	ck_assert(!result.done);
	run_until(&result.done);
	return result.code;
}

static void connect_both(World *world)
{
	Side *a = &world->sides[0], *b = &world->sides[1];
	start_agent(world, a);
	start_agent(world, b);
	ck_assert_int_eq(wait_for(a, &b->public_key, WICE_STATE_CONNECTED), -1);
	ck_assert_int_eq(wait_for(b, &a->public_key, WICE_STATE_CONNECTED), -1);
}

START_TEST(two_agents_connect_and_put_back_what_they_found)
{
	World world;
	if (!make_host())
		return;
	begin(&world);
	Side *a = &world.sides[0], *b = &world.sides[1];
	add_peer(&world, a, b, "192.0.2.7:4242");
	add_peer(&world, b, a, NULL);
	connect_both(&world);

	g_autoptr(WiceStatus) status = wice_agent_status(a->agent);
	const WiceStatusInfo *info = wice_status_info(status);
	ck_assert_uint_eq(info->n_interfaces, 1);
	ck_assert_uint_eq(info->interfaces[0].n_peers, 1);
	const WicePeerStatus *peer = &info->interfaces[0].peers[0];
	ck_assert_int_eq(peer->state, WICE_STATE_CONNECTED);
	ck_assert_int_eq(peer->path, WICE_PATH_DIRECT);
	ck_assert_int_eq(peer->mechanism, WICE_MECHANISM_USER);
	ck_assert_int_eq(peer->local.type, WICE_CANDIDATE_HOST);

	wice_agent_free(g_steal_pointer(&a->agent));
	g_autoptr(WiceDevice) device = wice__wg_fake_get_device(world.wg, a->name);
	char text[WICE_ENDPOINT_SIZE];
	const WiceDevicePeer *found = wice_device_find_peer(device, &b->public_key);
	ck_assert_str_eq(wice_endpoint_format(&found->endpoint, text), "192.0.2.7:4242");
	ck_assert_uint_eq(found->keepalive_s, 0);
	end(&world);
}
END_TEST

START_TEST(keepalive_of_the_user_is_kept)
{
	World world;
	if (!make_host())
		return;
	begin(&world);
	Side *a = &world.sides[0], *b = &world.sides[1];
	WiceDevicePeer peer = { .public_key = b->public_key, .keepalive_s = 21 };
	wice__wg_fake_set_peer(world.wg, a->name, &peer);
	add_peer(&world, b, a, NULL);
	connect_both(&world);
	g_autoptr(WiceDevice) at_a = wice__wg_fake_get_device(world.wg, a->name);
	g_autoptr(WiceDevice) at_b = wice__wg_fake_get_device(world.wg, b->name);
	ck_assert_uint_eq(wice_device_find_peer(at_a, &b->public_key)->keepalive_s, 21);
	ck_assert_uint_eq(wice_device_find_peer(at_b, &a->public_key)->keepalive_s, 0);
	end(&world);
}
END_TEST

START_TEST(a_wait_times_out_or_is_cancelled)
{
	World world;
	if (!make_host())
		return;
	begin(&world);
	Side *a = &world.sides[0];
	start_agent(&world, a);
	Result timeout = { 0 }, cancelled = { 0 }, stopped = { 0 };
	g_autoptr(WiceCancel) cancel = wice_cancel_new();
	wice_agent_wait(a->agent, NULL, NULL, WICE_STATE_CONNECTED, 10, NULL, on_waited, &timeout,
			NULL);
	wice_agent_wait(a->agent, NULL, NULL, WICE_STATE_CONNECTED, 0, cancel, on_waited,
			&cancelled, NULL);
	wice_agent_wait(a->agent, NULL, NULL, WICE_STATE_CONNECTED, 0, NULL, on_waited, &stopped,
			NULL);
	run_until(&timeout.done);
	ck_assert_int_eq(timeout.code, WICE_ERROR_TIMEOUT);
	ck_assert(!cancelled.done);
	wice_cancel_now(cancel);
	ck_assert(!cancelled.done);
	run_until(&cancelled.done);
	ck_assert_int_eq(cancelled.code, WICE_ERROR_CANCELLED);
	wice_agent_free(g_steal_pointer(&a->agent));
	ck_assert(stopped.done);
	ck_assert_int_eq(stopped.code, WICE_ERROR_CANCELLED);
	end(&world);
}
END_TEST

static unsigned open_fds(void)
{
	unsigned n = 0;
	DIR *dir = opendir("/proc/self/fd");
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static size_t heap_in_use(void)
{
	return mallinfo2().uordblks;
}

/* A peer appears, gets as far as signaling, and goes. */
static void cycle(World *world, unsigned n)
{
	Side *a = &world->sides[0];
	for (unsigned i = 0; i < n; i++) {
		WiceDevicePeer peer = { 0 };
		randombytes_buf(peer.public_key.bytes, WICE_KEY_LEN);
		wice__wg_fake_set_peer(world->wg, a->name, &peer);
		ck_assert(wice_agent_sync(a->agent, NULL, NULL));
		while (g_main_context_iteration(NULL, FALSE))
			;
		wice__wg_fake_remove_peer(world->wg, a->name, &peer.public_key);
		ck_assert(wice_agent_sync(a->agent, NULL, NULL));
		while (g_main_context_iteration(NULL, FALSE))
			;
	}
}

START_TEST(a_thousand_peers_come_and_go_without_a_trace)
{
	World world;
	if (!make_host())
		return;
	begin(&world);
	start_agent(&world, &world.sides[0]);
	/* malloc keeps freed memory of each size at hand, which counts as in use: until it has enough. */
	cycle(&world, 500);
	unsigned fds = open_fds();
	size_t heap = heap_in_use();
	cycle(&world, 1000);
	ck_assert_uint_eq(open_fds(), fds);
	/* What a container grows by at once; 16 bytes a cycle would show. */
	ck_assert_msg(heap_in_use() < heap + 16000, "heap grew from %zu to %zu", heap,
		      heap_in_use());
	end(&world);
}
END_TEST

static void count_envelope(const WiceEnvelope *envelope, void *user_data)
{
	(*(unsigned *)user_data)++;
}

static void ignore_state(bool ready, const char *reason, void *user_data)
{
}

static void ignore_garbage(bool oversized, void *user_data)
{
}

static const WiceSignalingEvents stranger_events = {
	.on_state = ignore_state,
	.on_envelope = count_envelope,
	.on_garbage = ignore_garbage,
};

static WiceSignalingCounters counters_of(Side *side)
{
	g_autoptr(WiceStatus) status = wice_agent_status(side->agent);
	return wice_status_info(status)->interfaces[0].signaling;
}

static void drain(void)
{
	gint64 deadline = g_get_monotonic_time() + 50000;
	while (g_main_context_iteration(NULL, FALSE) || g_get_monotonic_time() < deadline)
		;
}

START_TEST(strangers_get_no_answer_and_change_nothing)
{
	World world;
	if (!make_host())
		return;
	begin(&world);
	Side *a = &world.sides[0], *b = &world.sides[1], stranger = { 0 };
	add_peer(&world, a, b, NULL);
	add_peer(&world, b, a, NULL);
	connect_both(&world);

	unsigned heard = 0;
	wice_key_generate_private(&stranger.private_key);
	wice_key_public(&stranger.private_key, &stranger.public_key);
	const WiceSignalingOps *ops = wice_signaling_find("inprocess:agent-test", NULL);
	WiceSignalingBackend *backend =
		ops->open(NULL, "inprocess:agent-test", &stranger_events, &heard, NULL);
	ops->subscribe(backend, &stranger.public_key, &stranger.private_key);
	drain();

	WiceMailbox mailbox;
	wice__mailbox_init(&mailbox, &stranger.private_key, &a->public_key, 1);
	WiceDescription description = { .ufrag = "abcd", .pwd = "abcdefghijklmnopqrstuvwx" };
	description.wants_reply = true;
	WiceEnvelope envelope;
	uint8_t body[WICE_ENVELOPE_MAX];
	ck_assert(wice__mailbox_seal(&mailbox, &description, 0, &envelope, body));
	ops->publish(backend, &envelope);
	drain();
	ck_assert_uint_eq(counters_of(a).unknown_peer, 1);
	ck_assert_uint_eq(heard, 0);

	/* In the name of a peer: cannot be opened. */
	envelope.sender = b->public_key;
	ops->publish(backend, &envelope);
	drain();
	ck_assert_uint_eq(counters_of(a).forged, 1);
	ck_assert_int_eq(wait_for(a, &b->public_key, WICE_STATE_CONNECTED), -1);

	wice__mailbox_done(&mailbox);
	ops->close(backend);
	end(&world);
}
END_TEST

START_TEST(a_flood_in_the_name_of_a_peer_is_limited)
{
	World world;
	if (!make_host())
		return;
	begin(&world);
	Side *a = &world.sides[0], *b = &world.sides[1];
	add_peer(&world, a, b, NULL);
	add_peer(&world, b, a, NULL);
	connect_both(&world);
	WiceInterface *interface = g_hash_table_lookup(a->agent->interfaces, a->name);
	uint8_t body[200];
	WiceEnvelope envelope = { .sender = b->public_key,
				  .recipient = a->public_key,
				  .body = body };
	for (int i = 0; i < 100000; i++) {
		randombytes_buf(body, sizeof body);
		envelope.body_len = 1 + randombytes_uniform(sizeof body);
		wice__interface_receive(interface, &envelope);
	}
	WiceSignalingCounters counters = counters_of(a);
	ck_assert_uint_ge(counters.limited, 50000);
	ck_assert_uint_ge(counters.forged + counters.malformed, 10);
	ck_assert_int_eq(wait_for(a, &b->public_key, WICE_STATE_CONNECTED), -1);
	end(&world);
}
END_TEST

START_TEST(forged_envelopes_do_not_keep_genuine_ones_out)
{
	World world;
	if (!make_host())
		return;
	begin(&world);
	Side *a = &world.sides[0], *b = &world.sides[1];
	add_peer(&world, a, b, NULL);
	start_agent(&world, a);
	drain();
	WiceInterface *interface = g_hash_table_lookup(a->agent->interfaces, a->name);
	uint8_t body[WICE_ENVELOPE_MAX];
	WiceEnvelope envelope = { .sender = b->public_key,
				  .recipient = a->public_key,
				  .body = body };
	for (int i = 0; i < 1000; i++) {
		envelope.body_len = 100;
		randombytes_buf(body, envelope.body_len);
		wice__interface_receive(interface, &envelope);
	}
	WiceMailbox mailbox;
	wice__mailbox_init(&mailbox, &b->private_key, &a->public_key, 1);
	WiceDescription description = { .ufrag = "abcd", .pwd = "abcdefghijklmnopqrstuvwx" };
	ck_assert(wice__mailbox_seal(&mailbox, &description, 0, &envelope, body));
	wice__interface_receive(interface, &envelope);
	WiceSignalingCounters counters = counters_of(a);
	ck_assert_uint_eq(counters.accepted, 1);
	ck_assert_uint_eq(counters.forged, 1000);

	/* Genuine ones are limited more strictly: each makes work. */
	for (int i = 0; i < 1000; i++) {
		ck_assert(wice__mailbox_seal(&mailbox, &description, 0, &envelope, body));
		wice__interface_receive(interface, &envelope);
	}
	ck_assert_uint_ge(counters_of(a).limited, 800);
	wice__mailbox_done(&mailbox);
	end(&world);
}
END_TEST

static void sync_and_run(Side *side)
{
	ck_assert(wice_agent_sync(side->agent, NULL, NULL));
	while (g_main_context_iteration(NULL, FALSE))
		;
}

START_TEST(a_peer_that_is_made_anew_without_endpoint_gets_it_back)
{
	World world;
	if (!make_host())
		return;
	begin(&world);
	Side *a = &world.sides[0], *b = &world.sides[1];
	add_peer(&world, a, b, "192.0.2.7:4242");
	add_peer(&world, b, a, NULL);
	connect_both(&world);
	g_autoptr(WiceDevice) before = wice__wg_fake_get_device(world.wg, a->name);

	/* As `wg setconf` does between two looks; keepalive is another one, too. */
	WiceDevicePeer anew = { .public_key = b->public_key, .keepalive_s = 17 };
	wice__wg_fake_set_peer(world.wg, a->name, &anew);
	sync_and_run(a);
	ck_assert_int_eq(wait_for(a, &b->public_key, WICE_STATE_CONNECTED), -1);
	g_autoptr(WiceDevice) after = wice__wg_fake_get_device(world.wg, a->name);
	const WiceDevicePeer *peer = wice_device_find_peer(after, &b->public_key);
	ck_assert_int_eq(
		wice_endpoint_compare(&wice_device_find_peer(before, &b->public_key)->endpoint,
				      &peer->endpoint),
		0);
	ck_assert_int_ne(peer->handshake_ns, 0);

	wice_agent_free(g_steal_pointer(&a->agent));
	g_autoptr(WiceDevice) end_device = wice__wg_fake_get_device(world.wg, a->name);
	peer = wice_device_find_peer(end_device, &b->public_key);
	ck_assert_uint_eq(peer->keepalive_s, 17);
	end(&world);
}
END_TEST

static void set_fwmark(World *world, const Side *side, uint32_t fwmark)
{
	g_autoptr(WiceDevice) device = wice__wg_fake_get_device(world->wg, side->name);
	WiceDeviceInfo info = *wice_device_info(device);
	info.fwmark = fwmark;
	wice__wg_fake_set_device(world->wg, &info);
}

START_TEST(what_a_restart_puts_back_is_not_taken_for_the_hand_of_the_user)
{
	World world;
	if (!make_host())
		return;
	begin(&world);
	Side *a = &world.sides[0], *b = &world.sides[1];
	add_peer(&world, a, b, "192.0.2.7:4242");
	add_peer(&world, b, a, NULL);
	start_agent(&world, a);
	start_agent(&world, b);
	/* WireGuard's own socket is tried first, and a nudge is under way. */
	ck_assert_int_eq(wait_for(a, &b->public_key, WICE_STATE_HANDSHAKING), -1);
	set_fwmark(&world, a, 51820);
	ck_assert(wice_agent_sync(a->agent, NULL, NULL));

	WiceInterface *interface = g_hash_table_lookup(a->agent->interfaces, a->name);
	WiceFoundPeer found;
	wice__peer_found(wice__interface_find_peer(interface, &b->public_key), &found);
	char text[WICE_ENDPOINT_SIZE];
	ck_assert_str_eq(wice_endpoint_format(&found.endpoint, text), "192.0.2.7:4242");
	ck_assert_uint_eq(found.keepalive, 0);
	end(&world);
}
END_TEST

START_TEST(interfaces_with_one_key_share_its_envelopes)
{
	World world;
	if (!make_host())
		return;
	begin(&world);
	Side *a = &world.sides[0], *b = &world.sides[1];
	add_peer(&world, b, a, NULL);
	/* Of one host, with the key of a, and only the second one knows b. */
	static const char *const names[] = { "wgx", "wgy" };
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		WiceDeviceInfo info = { .ifindex = 8 + (unsigned)i,
					.private_key = a->private_key,
					.listen_port = 51820 };
		g_strlcpy(info.name, names[i], sizeof info.name);
		wice__wg_fake_set_device(world.wg, &info);
	}
	WiceDevicePeer peer = { .public_key = b->public_key };
	wice__wg_fake_set_peer(world.wg, "wgy", &peer);
	start_agent(&world, a);
	ck_assert(wice_agent_add_interface(a->agent, "wgx", NULL));
	ck_assert(wice_agent_add_interface(a->agent, "wgy", NULL));
	/* One of them goes; the key is still that of the others. */
	ck_assert(wice_agent_remove_interface(a->agent, "wgx", NULL));
	start_agent(&world, b);
	ck_assert_int_eq(wait_for(b, &a->public_key, WICE_STATE_HANDSHAKING), -1);
	end(&world);
}
END_TEST

START_TEST(running_out_of_descriptors_restarts_no_session)
{
	World world;
	if (!make_host())
		return;
	begin(&world);
	Side *a = &world.sides[0], *b = &world.sides[1];
	add_peer(&world, a, b, NULL);
	add_peer(&world, b, a, NULL);
	connect_both(&world);
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	g_autoptr(WiceStatus) before = wice_agent_status(a->agent);
	setrlimit(RLIMIT_NOFILE, &(struct rlimit){ .rlim_cur = 3, .rlim_max = limit.rlim_max });
	ck_assert(wice_agent_sync(a->agent, NULL, NULL));
	setrlimit(RLIMIT_NOFILE, &limit);
	g_autoptr(WiceStatus) status = wice_agent_status(a->agent);
	const WicePeerStatus *peer = &wice_status_info(status)->interfaces[0].peers[0];
	ck_assert_int_eq(peer->state, WICE_STATE_CONNECTED);
	ck_assert_uint_eq(peer->restarts,
			  wice_status_info(before)->interfaces[0].peers[0].restarts);
	end(&world);
}
END_TEST

START_TEST(many_peers_leave_descriptors_for_the_rest)
{
	World world;
	if (!make_host())
		return;
	begin(&world);
	Side *a = &world.sides[0];
	for (int i = 0; i < 100; i++) {
		WiceDevicePeer peer = { 0 };
		randombytes_buf(peer.public_key.bytes, WICE_KEY_LEN);
		wice__wg_fake_set_peer(world.wg, a->name, &peer);
	}
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	setrlimit(RLIMIT_NOFILE, &(struct rlimit){ .rlim_cur = 80, .rlim_max = limit.rlim_max });
	start_agent(&world, a);
	drain();
	ck_assert_uint_lt(open_fds(), 80 - 16);
	g_autoptr(WiceStatus) status = wice_agent_status(a->agent);
	const WiceInterfaceStatus *interface = &wice_status_info(status)->interfaces[0];
	size_t n_signaling = 0, n_told = 0;
	for (size_t i = 0; i < interface->n_peers; i++) {
		n_signaling += interface->peers[i].state == WICE_STATE_SIGNALING;
		n_told += strstr(interface->peers[i].reason, "open files") != NULL;
	}
	ck_assert_uint_gt(n_signaling, 0);
	ck_assert_uint_eq(n_signaling + n_told, 100);

	setrlimit(RLIMIT_NOFILE, &limit);
	ck_assert_int_eq(wait_for(a, NULL, WICE_STATE_SIGNALING), -1);
	end(&world);
}
END_TEST

START_TEST(a_restart_keeps_the_path_until_there_is_a_new_one)
{
	World world;
	if (!make_host())
		return;
	begin(&world);
	Side *a = &world.sides[0], *b = &world.sides[1];
	add_peer(&world, a, b, NULL);
	add_peer(&world, b, a, NULL);
	connect_both(&world);
	g_autoptr(WiceDevice) before = wice__wg_fake_get_device(world.wg, a->name);
	ck_assert(wice_agent_restart_peer(a->agent, a->name, &b->public_key, NULL));
	g_autoptr(WiceStatus) status = wice_agent_status(a->agent);
	ck_assert_int_eq(wice_status_info(status)->interfaces[0].peers[0].state,
			 WICE_STATE_DEGRADED);
	ck_assert_int_eq(wait_for(a, &b->public_key, WICE_STATE_CONNECTED), -1);
	ck_assert_int_eq(wait_for(b, &a->public_key, WICE_STATE_CONNECTED), -1);
	g_autoptr(WiceDevice) after = wice__wg_fake_get_device(world.wg, a->name);
	ck_assert_int_eq(
		wice_endpoint_compare(&wice_device_find_peer(before, &b->public_key)->endpoint,
				      &wice_device_find_peer(after, &b->public_key)->endpoint),
		0);
	end(&world);
}
END_TEST

START_TEST(after_a_sleep_paths_are_looked_for_anew)
{
	World world;
	if (!make_host())
		return;
	begin(&world);
	Side *a = &world.sides[0], *b = &world.sides[1];
	add_peer(&world, a, b, NULL);
	add_peer(&world, b, a, NULL);
	connect_both(&world);
	g_autoptr(WiceStatus) awake = wice_agent_status(a->agent);
	slept += 3600000;
	ck_assert(wice_agent_sync(a->agent, NULL, NULL));
	g_autoptr(WiceStatus) status = wice_agent_status(a->agent);
	ck_assert_uint_eq(wice_status_info(status)->interfaces[0].peers[0].restarts,
			  wice_status_info(awake)->interfaces[0].peers[0].restarts + 1);
	ck_assert_int_eq(wait_for(a, &b->public_key, WICE_STATE_CONNECTED), -1);
	end(&world);
}
END_TEST

static size_t n_interfaces(const Side *side)
{
	g_autoptr(WiceStatus) status = wice_agent_status(side->agent);
	return wice_status_info(status)->n_interfaces;
}

START_TEST(one_interface_of_a_pattern_can_be_let_go_and_taken_again)
{
	World world;
	if (!make_host())
		return;
	begin(&world);
	Side *a = &world.sides[0];
	start_agent(&world, a);
	ck_assert(wice_agent_add_interface(a->agent, "wg*", NULL));
	ck_assert_uint_eq(n_interfaces(a), 2);
	ck_assert(wice_agent_remove_interface(a->agent, "wgb", NULL));
	ck_assert(wice_agent_sync(a->agent, NULL, NULL));
	ck_assert_uint_eq(n_interfaces(a), 1);
	ck_assert(!wice_agent_remove_interface(a->agent, "wgb", NULL));
	/* Given by its name as well: both ways lead to it. */
	ck_assert(wice_agent_remove_interface(a->agent, "wga", NULL));
	ck_assert_uint_eq(n_interfaces(a), 0);
	ck_assert(wice_agent_add_interface(a->agent, "wgb", NULL));
	ck_assert(wice_agent_add_interface(a->agent, "wga", NULL));
	ck_assert_uint_eq(n_interfaces(a), 2);
	ck_assert(wice_agent_remove_interface(a->agent, "wg*", NULL));
	ck_assert_uint_eq(n_interfaces(a), 0);
	end(&world);
}
END_TEST

START_TEST(errors_name_what_is_wrong)
{
	World world;
	if (!make_host())
		return;
	begin(&world);
	Side *a = &world.sides[0];
	start_agent(&world, a);
	static const struct {
		const char *pattern;
		int code;
	} cases[] = { { "", WICE_ERROR_INVALID },
		      { "a/b", WICE_ERROR_INVALID },
		      { "sixteen-letters!", WICE_ERROR_INVALID },
		      { "wga", WICE_ERROR_EXISTS } };
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		ck_assert(!wice_agent_add_interface(a->agent, cases[i].pattern, &error));
		ck_assert_int_eq(error->code, cases[i].code);
	}
	g_autoptr(GError) error = NULL;
	ck_assert(!wice_agent_restart_peer(a->agent, "wgx", &a->public_key, &error));
	ck_assert_int_eq(error->code, WICE_ERROR_NOT_FOUND);
	g_clear_error(&error);
	ck_assert(!wice_agent_restart_peer(a->agent, "wga", &a->public_key, &error));
	ck_assert_int_eq(error->code, WICE_ERROR_NOT_FOUND);
	g_clear_error(&error);
	ck_assert(!wice_agent_remove_interface(a->agent, "wgx", &error));
	ck_assert_int_eq(error->code, WICE_ERROR_NOT_FOUND);
	g_clear_error(&error);
	ck_assert(!wice_agent_set_mechanism(a->agent, "wgx", WICE_MECHANISM_USER, &error));
	ck_assert_int_eq(error->code, WICE_ERROR_NOT_FOUND);
	g_clear_error(&error);
	ck_assert(!wice_agent_set_mechanism(a->agent, NULL, WICE_MECHANISM_KERNEL, &error));
	ck_assert_int_eq(error->code, WICE_ERROR_INVALID);
	end(&world);
}
END_TEST

START_TEST(options_are_checked_as_far_as_they_go)
{
	static const char *const backends[] = { "inprocess:agent-test", NULL };
	g_autoptr(GError) error = NULL;
	WiceAgentOptions options;
	wice_agent_options_init(&options);
	options.backends = backends;
	options.mechanism = WICE_MECHANISM_KERNEL;
	ck_assert(!wice_agent_new(NULL, &options, &error));
	ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_INVALID));
	g_clear_error(&error);
	/* What is behind the end of a program's options is not its word. */
	options.size = offsetof(WiceAgentOptions, mechanism);
	g_autoptr(WiceAgent) agent = wice_agent_new(NULL, &options, &error);
	ck_assert_msg(agent != NULL, "%s", error ? error->message : "");
}
END_TEST

SUITE_MAIN("agent", two_agents_connect_and_put_back_what_they_found, keepalive_of_the_user_is_kept,
	   a_wait_times_out_or_is_cancelled, a_thousand_peers_come_and_go_without_a_trace,
	   strangers_get_no_answer_and_change_nothing, a_flood_in_the_name_of_a_peer_is_limited,
	   forged_envelopes_do_not_keep_genuine_ones_out,
	   a_peer_that_is_made_anew_without_endpoint_gets_it_back,
	   what_a_restart_puts_back_is_not_taken_for_the_hand_of_the_user,
	   interfaces_with_one_key_share_its_envelopes, many_peers_leave_descriptors_for_the_rest,
	   running_out_of_descriptors_restarts_no_session,
	   a_restart_keeps_the_path_until_there_is_a_new_one,
	   after_a_sleep_paths_are_looked_for_anew,
	   one_interface_of_a_pattern_can_be_let_go_and_taken_again, errors_name_what_is_wrong,
	   options_are_checked_as_far_as_they_go)
