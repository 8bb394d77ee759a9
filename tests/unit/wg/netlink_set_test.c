/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "conformance/wg/kernel.h"
#include "conformance/wg/state.h"
#include "event/source.h"
#include "suite.h"

#define ALL_PEER_FIELDS \
	(WICE_PEER_HAS_PRESHARED_KEY | WICE_PEER_HAS_ENDPOINT | WICE_PEER_HAS_KEEPALIVE)

typedef struct {
	TestKernel kernel;
	WiceWgBackend *backend;
} Fixture;

static void set_up(Fixture *fixture)
{
	fixture->kernel = (TestKernel){ .device = state_new("wg0", 3, 1), .kind = "wireguard" };
	fixture->kernel.sets = g_ptr_array_new_with_free_func(kernel_set_free);
	fixture->backend = kernel_backend(&fixture->kernel);
}

static void tear_down(Fixture *fixture)
{
	fixture->backend->ops->free(fixture->backend);
	wice_device_unref(fixture->kernel.device);
	g_ptr_array_unref(fixture->kernel.sets);
}

static int set(Fixture *fixture, const WiceDeviceChange *change)
{
	return fixture->backend->ops->set(fixture->backend, "wg0", change, wice__now_ms() + 60000);
}

static KernelSet *sent(const Fixture *fixture, guint number)
{
	ck_assert_uint_lt(number, fixture->kernel.sets->len);
	return fixture->kernel.sets->pdata[number];
}

/* Changes to send: peers with n_ips[i % n] allowed IPs each. */
typedef struct {
	WiceDeviceChange change;
	WicePeerChange *peers;
	WiceAllowedIpChange *ips;
} Changes;

static WiceAllowedIpChange numbered_ip(unsigned number)
{
	WiceAllowedIpChange ip = { .remove = number % 7 == 3 };
	ip.prefix.address.family = number % 2 ? WICE_FAMILY_IPV6 : WICE_FAMILY_IPV4;
	ip.prefix.address.bytes[0] = 10;
	ip.prefix.address.bytes[1] = (uint8_t)(number >> 16);
	ip.prefix.address.bytes[2] = (uint8_t)(number >> 8);
	ip.prefix.address.bytes[3] = (uint8_t)number;
	ip.prefix.length = number % 2 ? 128 : 32;
	return ip;
}

static WicePeerChange numbered_peer(unsigned number)
{
	WicePeerChange peer = { .public_key = state_key(number) };
	peer.fields = number * 3 & ALL_PEER_FIELDS;
	if (peer.fields & WICE_PEER_HAS_PRESHARED_KEY)
		peer.preshared_key = state_key(number + 1);
	if (peer.fields & WICE_PEER_HAS_ENDPOINT)
		peer.endpoint = state_endpoint(number % 2 ? "[fe80::1%3]:65535" : "192.0.2.1:1");
	if (peer.fields & WICE_PEER_HAS_KEEPALIVE)
		peer.keepalive_s = (uint16_t)(number % 3 * 25);
	if (number % 5 == 1)
		peer.flags = WICE_PEER_CHANGE_UPDATE_ONLY;
	if (number % 4 == 1)
		peer.flags |= WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS;
	return peer;
}

static void changes_init(Changes *changes, size_t n_peers, const unsigned *n_ips, size_t n)
{
	size_t total = 0;
	for (size_t i = 0; i < n_peers; i++)
		total += n_ips[i % n];
	changes->peers = g_new0(WicePeerChange, n_peers);
	changes->ips = g_new0(WiceAllowedIpChange, total);
	WiceAllowedIpChange *ip = changes->ips;
	for (size_t i = 0; i < n_peers; i++) {
		changes->peers[i] = numbered_peer((unsigned)i);
		changes->peers[i].n_allowed_ips = n_ips[i % n];
		changes->peers[i].allowed_ips = ip;
		for (unsigned j = 0; j < n_ips[i % n]; j++, ip++)
			*ip = numbered_ip((unsigned)(ip - changes->ips));
	}
	changes->change = (WiceDeviceChange){
		.size = sizeof changes->change,
		.flags = WICE_DEVICE_CHANGE_REPLACE_PEERS,
		.fields = WICE_DEVICE_HAS_PRIVATE_KEY | WICE_DEVICE_HAS_LISTEN_PORT |
			  WICE_DEVICE_HAS_FWMARK,
		.private_key = state_key(4711),
		.listen_port = 51820,
		.fwmark = 0xca6c,
		.n_peers = n_peers,
		.peers = changes->peers,
	};
}

static void changes_done(Changes *changes)
{
	g_free(changes->peers);
	g_free(changes->ips);
}

static void assert_same_peer(const WicePeerChange *expected, const WicePeerChange *got)
{
	KERNEL_REQUIRE(wice_key_compare(&expected->public_key, &got->public_key) == 0);
	KERNEL_REQUIRE(expected->flags == got->flags);
	KERNEL_REQUIRE(expected->fields == got->fields);
	KERNEL_REQUIRE(wice_key_compare(&expected->preshared_key, &got->preshared_key) == 0);
	KERNEL_REQUIRE(wice_endpoint_compare(&expected->endpoint, &got->endpoint) == 0);
	KERNEL_REQUIRE(expected->keepalive_s == got->keepalive_s);
}

static void assert_same_ip(const WiceAllowedIpChange *expected, const WiceAllowedIpChange *got)
{
	KERNEL_REQUIRE(wice_prefix_compare(&expected->prefix, &got->prefix) == 0);
	KERNEL_REQUIRE(expected->remove == got->remove);
}

/* Where comparing with what was wanted has come to. */
typedef struct {
	size_t peer, ip;
} Progress;

/* A peer of a message: the next one that was wanted, or, at the beginning, the rest of one. */
static void compare_peer(const WiceDeviceChange *wanted, const WicePeerChange *got,
			 Progress *progress)
{
	ck_assert_uint_lt(progress->peer, wanted->n_peers);
	const WicePeerChange *peer = &wanted->peers[progress->peer];
	if (progress->ip > 0) {
		WicePeerChange rest = { .public_key = peer->public_key,
					.flags = WICE_PEER_CHANGE_UPDATE_ONLY };
		assert_same_peer(&rest, got);
	} else {
		assert_same_peer(peer, got);
	}
	for (size_t i = 0; i < got->n_allowed_ips; i++)
		assert_same_ip(&peer->allowed_ips[progress->ip++], &got->allowed_ips[i]);
	if (progress->ip == peer->n_allowed_ips)
		*progress = (Progress){ .peer = progress->peer + 1 };
}

static void assert_interface(const WiceDeviceChange *wanted, const WiceDeviceChange *got)
{
	ck_assert_uint_eq(wanted->flags, got->flags);
	ck_assert_uint_eq(wanted->fields, got->fields);
	ck_assert_int_eq(wice_key_compare(&wanted->private_key, &got->private_key), 0);
	ck_assert_uint_eq(wanted->listen_port, got->listen_port);
	ck_assert_uint_eq(wanted->fwmark, got->fwmark);
}

/* What was sent is what was wanted, in messages that are as full as they can be. */
static void assert_sent(const Fixture *fixture, const WiceDeviceChange *wanted)
{
	static const WiceDeviceChange nothing = { .size = sizeof nothing };
	GPtrArray *sets = fixture->kernel.sets;
	Progress progress = { 0, 0 };
	ck_assert_uint_ge(sets->len, 1);
	for (guint i = 0; i < sets->len; i++) {
		const KernelSet *message = sets->pdata[i];
		assert_interface(i == 0 ? wanted : &nothing, &message->change);
		for (size_t j = 0; j < message->change.n_peers; j++) {
			ck_assert(j == 0 || progress.ip == 0);
			compare_peer(wanted, &message->change.peers[j], &progress);
		}
		if (i + 1 < sets->len)
			ck_assert_uint_ge(message->size, KERNEL_MESSAGE_MAX - 250);
	}
	ck_assert_uint_eq(progress.peer, wanted->n_peers);
}

START_TEST(changes_arrive_whole_however_large)
{
	static const struct {
		unsigned n_peers, n_ips[3], most_messages;
	} cases[] = {
		{ 0, { 0 }, 1 },
		{ 1, { 0 }, 1 },
		{ 1, { 20000, 20000, 20000 }, 16 },
		{ 10000, { 0, 0, 0 }, 25 },
		{ 10000, { 1, 2, 3 }, 45 },
		{ 100, { 0, 3000, 1 }, 90 },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		Fixture fixture;
		Changes changes;
		set_up(&fixture);
		changes_init(&changes, cases[i].n_peers, cases[i].n_ips, 3);
		ck_assert_int_eq(set(&fixture, &changes.change), 0);
		assert_sent(&fixture, &changes.change);
		ck_assert_uint_le(fixture.kernel.sets->len, cases[i].most_messages);
		changes_done(&changes);
		tear_down(&fixture);
	}
}
END_TEST

/* What a device reads like after a plan was sent is what the plan promises. */
START_TEST(a_plan_has_its_result)
{
	static const unsigned sizes[][2] = {
		{ 0, 0 }, { 1, 1 }, { 40, 30 }, { 900, 3 }, { 3, 4000 }
	};
	for (size_t i = 0; i < G_N_ELEMENTS(sizes) * G_N_ELEMENTS(sizes); i++) {
		const unsigned *from = sizes[i % G_N_ELEMENTS(sizes)];
		const unsigned *to = sizes[i / G_N_ELEMENTS(sizes)];
		Fixture fixture;
		set_up(&fixture);
		wice_device_unref(fixture.kernel.device);
		fixture.kernel.device = state_new("wg0", from[0], from[1]);
		fixture.kernel.ips_per_message = 500;
		WiceDevice *wanted = state_new("wg0", to[0], to[1]), *got = NULL;
		WicePlan *plan = wice_plan_between(fixture.kernel.device, wanted, 0);
		ck_assert_int_eq(set(&fixture, wice_plan_change(plan)), 0);
		ck_assert_int_eq(fixture.backend->ops->get(fixture.backend, "wg0",
							   wice__now_ms() + 60000, &got),
				 0);
		WicePlan *rest = wice_plan_between(got, wanted, 0);
		ck_assert_msg(wice_plan_is_empty(rest), "case %zu", i);
		wice_plan_unref(rest);
		wice_plan_unref(plan);
		wice_device_unref(got);
		wice_device_unref(wanted);
		tear_down(&fixture);
	}
}
END_TEST

/* Every number of allowed IPs around the end of a message. */
START_TEST(a_message_ends_anywhere)
{
	for (unsigned n = 1080; n < 1400; n++) {
		const unsigned n_ips[] = { n, 1, 0 };
		Fixture fixture;
		Changes changes;
		set_up(&fixture);
		changes_init(&changes, 4, n_ips, 3);
		ck_assert_int_eq(set(&fixture, &changes.change), 0);
		assert_sent(&fixture, &changes.change);
		changes_done(&changes);
		tear_down(&fixture);
	}
}
END_TEST

START_TEST(only_what_is_set_is_sent)
{
	WicePeerChange peer = { .flags = WICE_PEER_CHANGE_UPDATE_ONLY,
				.public_key = state_key(1001),
				.preshared_key = state_key(5),
				.endpoint = state_endpoint("192.0.2.1:1"),
				.keepalive_s = 25 };
	WiceDeviceChange change = { .size = sizeof change,
				    .private_key = state_key(6),
				    .listen_port = 1,
				    .fwmark = 1,
				    .n_peers = 1,
				    .peers = &peer };
	static const unsigned fields[] = { WICE_PEER_HAS_PRESHARED_KEY, WICE_PEER_HAS_ENDPOINT,
					   WICE_PEER_HAS_KEEPALIVE, 0 };
	Fixture fixture;
	set_up(&fixture);
	for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
		peer.fields = fields[i];
		ck_assert_int_eq(set(&fixture, &change), 0);
		const WiceDeviceChange *got = &sent(&fixture, i)->change;
		ck_assert_uint_eq(got->fields, 0);
		ck_assert_uint_eq(got->flags, 0);
		ck_assert_uint_eq(got->n_peers, 1);
		ck_assert_uint_eq(got->peers->fields, fields[i]);
	}
	tear_down(&fixture);
}
END_TEST

START_TEST(zeros_are_sent_too)
{
	WicePeerChange peer = { .fields = WICE_PEER_HAS_PRESHARED_KEY | WICE_PEER_HAS_KEEPALIVE,
				.flags = WICE_PEER_CHANGE_UPDATE_ONLY,
				.public_key = state_key(1001) };
	WiceDeviceChange change = { .size = sizeof change,
				    .fields = WICE_DEVICE_HAS_PRIVATE_KEY |
					      WICE_DEVICE_HAS_LISTEN_PORT | WICE_DEVICE_HAS_FWMARK,
				    .n_peers = 1,
				    .peers = &peer };
	Fixture fixture;
	set_up(&fixture);
	ck_assert_int_eq(set(&fixture, &change), 0);
	assert_sent(&fixture, &change);
	tear_down(&fixture);
}
END_TEST

/* A removed peer's other values are not looked at, so they are not sent. */
START_TEST(a_removed_peer_is_its_key)
{
	WiceAllowedIpChange ip = numbered_ip(1);
	WicePeerChange peers[] = { { .flags = WICE_PEER_CHANGE_REMOVE |
					      WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS,
				     .fields = ALL_PEER_FIELDS,
				     .public_key = state_key(1001),
				     .endpoint = state_endpoint("192.0.2.1:1"),
				     .n_allowed_ips = 1,
				     .allowed_ips = &ip },
				   { .public_key = state_key(1) } };
	WiceDeviceChange change = { .size = sizeof change, .n_peers = 2, .peers = peers };
	Fixture fixture;
	set_up(&fixture);
	ck_assert_int_eq(set(&fixture, &change), 0);
	const WiceDeviceChange *got = &sent(&fixture, 0)->change;
	ck_assert_uint_eq(got->n_peers, 2);
	ck_assert_uint_eq(got->peers[0].flags, WICE_PEER_CHANGE_REMOVE);
	assert_same_peer(&peers[1], &got->peers[1]);
	tear_down(&fixture);
}
END_TEST

START_TEST(a_kernel_that_cannot_take_allowed_ips_away_says_so)
{
	static const struct {
		bool removes;
		int error, expected;
	} cases[] = {
		{ true, 0, -ENOPROTOOPT },           { false, 0, 0 },
		{ true, -EINVAL, -ENOPROTOOPT },     { true, -ERANGE, -ENOPROTOOPT },
		{ true, -EOPNOTSUPP, -ENOPROTOOPT }, { true, -EPERM, -EPERM },
		{ true, -ENODEV, -ENODEV },          { false, -EINVAL, -EINVAL },
		{ false, -EOPNOTSUPP, -ENODEV },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		WiceAllowedIpChange ips[] = { numbered_ip(0), numbered_ip(1) };
		ips[1].remove = cases[i].removes;
		WicePeerChange peer = { .public_key = state_key(1001),
					.flags = WICE_PEER_CHANGE_UPDATE_ONLY,
					.n_allowed_ips = 2,
					.allowed_ips = ips };
		WiceDeviceChange change = { .size = sizeof change, .n_peers = 1, .peers = &peer };
		Fixture fixture;
		set_up(&fixture);
		fixture.kernel.no_removal = true;
		fixture.kernel.error = cases[i].error;
		ck_assert_msg(set(&fixture, &change) == cases[i].expected, "case %zu", i);
		tear_down(&fixture);
	}
}
END_TEST

START_TEST(a_taken_port_is_named)
{
	WiceDeviceChange change = { .size = sizeof change,
				    .fields = WICE_DEVICE_HAS_LISTEN_PORT,
				    .listen_port = 53 };
	Fixture fixture;
	set_up(&fixture);
	fixture.kernel.taken_port = 53;
	ck_assert_int_eq(set(&fixture, &change), -EADDRINUSE);
	change.listen_port = 54;
	ck_assert_int_eq(set(&fixture, &change), 0);
	tear_down(&fixture);
}
END_TEST

/* The first message is taken, the second one is refused, the third one is not sent. */
START_TEST(the_first_error_ends_it)
{
	static const unsigned n_ips[] = { 1 };
	Fixture fixture;
	Changes changes;
	set_up(&fixture);
	changes_init(&changes, 2000, n_ips, 1);
	changes.ips[600].prefix.length = 200;
	changes.ips[600].remove = false;
	for (size_t i = 0; i < 2000; i++)
		changes.ips[i].remove = false;
	ck_assert_int_eq(set(&fixture, &changes.change), -EINVAL);
	ck_assert_uint_eq(fixture.kernel.sets->len, 1);
	ck_assert_uint_eq(fixture.kernel.n_sets, 2);
	changes_done(&changes);
	tear_down(&fixture);
}
END_TEST

START_TEST(what_is_no_wireguard_is_not_changed)
{
	WiceDeviceChange change = { .size = sizeof change, .fields = WICE_DEVICE_HAS_FWMARK };
	Fixture fixture;
	set_up(&fixture);
	fixture.kernel.kind = "tun";
	ck_assert_int_eq(set(&fixture, &change), -ENODEV);
	fixture.kernel.kind = "wireguard";
	fixture.kernel.no_family = true;
	ck_assert_int_eq(set(&fixture, &change), -ENODEV);
	ck_assert_uint_eq(fixture.kernel.n_sets, 0);
	tear_down(&fixture);
}
END_TEST

/* What the kernel cannot do is done with whole lists, by those above. */
START_TEST(allowed_ips_are_taken_away_all_the_same)
{
	Fixture fixture;
	set_up(&fixture);
	wice_device_unref(fixture.kernel.device);
	fixture.kernel.device = state_new("wg0", 300, 9);
	fixture.kernel.no_removal = true;
	WiceDevice *wanted = state_new("wg0", 300, 5);
	WicePlan *plan = wice_plan_between(fixture.kernel.device, wanted, 0);
	WiceWgBackend *backends[] = { kernel_backend(&fixture.kernel) };
	WiceWg *wg = wice__wg_new_with(backends, 1);
	GError *error = NULL;
	ck_assert_msg(wice_wg_set(wg, "wg0", plan, 60000, &error), "%s",
		      error ? error->message : "");
	WicePlan *rest = wice_plan_between(fixture.kernel.device, wanted, 0);
	ck_assert(wice_plan_is_empty(rest));
	wice_plan_unref(rest);
	wice_plan_unref(plan);
	wice_device_unref(wanted);
	wice_wg_free(wg);
	tear_down(&fixture);
}
END_TEST

SUITE_MAIN("wg netlink set", changes_arrive_whole_however_large, a_plan_has_its_result,
	   a_message_ends_anywhere, only_what_is_set_is_sent, zeros_are_sent_too,
	   a_removed_peer_is_its_key, a_kernel_that_cannot_take_allowed_ips_away_says_so,
	   a_taken_port_is_named, the_first_error_ends_it, what_is_no_wireguard_is_not_changed,
	   allowed_ips_are_taken_away_all_the_same)
