/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "plan_random.h"
#include "suite.h"

/*
 * WireGuard written down as simply as can be: a flag per key, an owner per prefix. Slow, but plain
 * to see right.
 */
typedef struct {
	bool there[KEYS];
	WiceDevicePeer peers[KEYS];
	int owners[PREFIXES]; /* -1: nobody */
	WiceKey private_key, public_key;
	uint16_t listen_port;
	uint32_t fwmark;
} Plain;

static int number_of(const Chance *chance, const WiceKey *key)
{
	for (int i = 0; i < KEYS; i++) {
		if (wice_key_compare(&chance->keys[i], key) == 0)
			return i;
	}
	return -1;
}

static int prefix_number(const Chance *chance, const WicePrefix *prefix)
{
	for (int i = 0; i < PREFIXES; i++) {
		if (wice_prefix_compare(&chance->prefixes[i], prefix) == 0)
			return i;
	}
	ck_abort_msg("a prefix from nowhere");
	return -1;
}

static void plain_take_away(Plain *plain, int owner)
{
	for (int i = 0; i < PREFIXES; i++) {
		if (plain->owners[i] == owner)
			plain->owners[i] = -1;
	}
}

static void plain_remove(Plain *plain, int number)
{
	plain->there[number] = false;
	plain->peers[number] = (WiceDevicePeer){ 0 };
	plain_take_away(plain, number);
}

static void plain_load(Plain *plain, const Chance *chance, const WiceDevice *device)
{
	const WiceDeviceInfo *info = wice_device_info(device);
	*plain = (Plain){ .private_key = info->private_key,
			  .public_key = info->public_key,
			  .listen_port = info->listen_port,
			  .fwmark = info->fwmark };
	for (int i = 0; i < PREFIXES; i++)
		plain->owners[i] = -1;
	for (size_t i = 0; i < info->n_peers; i++) {
		int number = number_of(chance, &info->peers[i].public_key);
		plain->there[number] = true;
		plain->peers[number] = info->peers[i];
		for (size_t j = 0; j < info->peers[i].n_allowed_ips; j++)
			plain->owners[prefix_number(chance, &info->peers[i].allowed_ips[j])] =
				number;
	}
}

static void plain_apply_peer(Plain *plain, const Chance *chance, const WicePeerChange *change)
{
	int number = number_of(chance, &change->public_key);
	if (change->flags & WICE_PEER_CHANGE_REMOVE) {
		plain_remove(plain, number);
		return;
	}
	if (!plain->there[number] &&
	    (change->flags & WICE_PEER_CHANGE_UPDATE_ONLY ||
	     wice_key_compare(&change->public_key, &plain->public_key) == 0))
		return;
	WiceDevicePeer *peer = &plain->peers[number];
	plain->there[number] = true;
	if (change->fields & WICE_PEER_HAS_PRESHARED_KEY)
		peer->preshared_key = change->preshared_key;
	if (change->fields & WICE_PEER_HAS_ENDPOINT)
		peer->endpoint = change->endpoint;
	if (change->fields & WICE_PEER_HAS_KEEPALIVE)
		peer->keepalive_s = change->keepalive_s;
	if (change->flags & WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS)
		plain_take_away(plain, number);
	for (size_t i = 0; i < change->n_allowed_ips; i++) {
		int *owner = &plain->owners[prefix_number(chance, &change->allowed_ips[i].prefix)];
		if (!change->allowed_ips[i].remove)
			*owner = number;
		else if (*owner == number)
			*owner = -1;
	}
}

static void plain_apply(Plain *plain, const Chance *chance, const WiceDeviceChange *change)
{
	if (change->fields & WICE_DEVICE_HAS_LISTEN_PORT)
		plain->listen_port = change->listen_port;
	if (change->fields & WICE_DEVICE_HAS_FWMARK)
		plain->fwmark = change->fwmark;
	if (change->flags & WICE_DEVICE_CHANGE_REPLACE_PEERS) {
		for (int i = 0; i < KEYS; i++)
			plain_remove(plain, i);
	}
	if (change->fields & WICE_DEVICE_HAS_PRIVATE_KEY) {
		plain->private_key = change->private_key;
		plain->public_key = (WiceKey){ 0 };
		if (!wice_key_is_zero(&plain->private_key))
			wice_key_public(&plain->private_key, &plain->public_key);
		int own = number_of(chance, &plain->public_key);
		if (own >= 0)
			plain_remove(plain, own);
	}
	for (size_t i = 0; i < change->n_peers; i++)
		plain_apply_peer(plain, chance, &change->peers[i]);
}

static WiceDevice *plain_snapshot(const Plain *plain, const Chance *chance)
{
	WiceDeviceBuilder *builder = wice__device_builder_new("wg0", WICE_DEVICE_FAKE);
	WiceDeviceInfo *info = wice__device_builder_info(builder);
	info->private_key = plain->private_key;
	info->public_key = plain->public_key;
	info->listen_port = plain->listen_port;
	info->fwmark = plain->fwmark;
	for (int i = 0; i < KEYS; i++) {
		WiceDevicePeer *peer;
		if (!plain->there[i])
			continue;
		ck_assert_int_eq(wice__device_builder_peer(builder, &chance->keys[i], &peer), 0);
		*peer = plain->peers[i];
		peer->public_key = chance->keys[i];
		for (int j = 0; j < PREFIXES; j++) {
			if (plain->owners[j] == i)
				(void)wice__device_builder_allowed_ip(builder,
								      &chance->prefixes[j]);
		}
	}
	return wice__device_builder_finish(builder);
}

START_TEST(the_result_is_what_wireguard_does)
{
	for (unsigned seed = 0; seed < 3000; seed++) {
		Chance chance;
		Plain plain;
		chance_init(&chance, seed);
		g_autoptr(WiceDevice) device = draw_device(&chance);
		g_autoptr(WicePlan) plan = draw_plan(&chance);
		plain_load(&plain, &chance, device);
		plain_apply(&plain, &chance, wice_plan_change(plan));
		g_autoptr(WiceDevice) expected = plain_snapshot(&plain, &chance);
		g_autoptr(WiceDevice) result = wice_plan_result(plan, device);
		unsigned changes = wice_device_diff(expected, result, NULL, NULL);
		ck_assert_msg(changes == 0, "seed %u: %#x", seed, changes);
		chance_done(&chance);
	}
}
END_TEST

static WicePlan *plan_of(const WicePeerChange *peers, size_t n, unsigned flags)
{
	WiceDeviceChange change = {
		.size = sizeof change, .flags = flags, .n_peers = n, .peers = peers
	};
	WicePlan *plan = wice_plan_new(&change, NULL);
	ck_assert_ptr_nonnull(plan);
	return plan;
}

START_TEST(a_device_that_has_just_been_made_is_nothing)
{
	WiceKey private_key = state_key(1), public_key;
	WicePeerChange peer = { .public_key = state_key(2) };
	WiceDeviceChange change = { .size = sizeof change,
				    .fields = WICE_DEVICE_HAS_PRIVATE_KEY |
					      WICE_DEVICE_HAS_LISTEN_PORT,
				    .private_key = private_key,
				    .n_peers = 1,
				    .peers = &peer };
	g_autoptr(WicePlan) plan = wice_plan_new(&change, NULL);
	g_autoptr(WiceDevice) result = wice_plan_result(plan, NULL);
	const WiceDeviceInfo *info = wice_device_info(result);
	wice_key_public(&private_key, &public_key);
	ck_assert_uint_eq(info->fields, WICE_DEVICE_HAS_PRIVATE_KEY | WICE_DEVICE_HAS_PUBLIC_KEY);
	ck_assert_mem_eq(&info->public_key, &public_key, sizeof public_key);
	ck_assert_uint_eq(info->n_peers, 1);
	ck_assert_int_eq(info->kind, WICE_DEVICE_FAKE);
}
END_TEST

START_TEST(the_device_stays_who_it_is_and_is_not_touched)
{
	WiceDeviceBuilder *builder = wice__device_builder_new("wg7", WICE_DEVICE_KERNEL);
	wice__device_builder_info(builder)->ifindex = 42;
	g_autoptr(WiceDevice) device = wice__device_builder_finish(builder);
	WicePeerChange peer = { .public_key = state_key(2) };
	g_autoptr(WicePlan) plan = plan_of(&peer, 1, 0);
	g_autoptr(WiceDevice) result = wice_plan_result(plan, device);
	const WiceDeviceInfo *info = wice_device_info(result);
	ck_assert_str_eq(info->name, "wg7");
	ck_assert_uint_eq(info->ifindex, 42);
	ck_assert_int_eq(info->kind, WICE_DEVICE_KERNEL);
	ck_assert_uint_eq(info->n_peers, 1);
	ck_assert_uint_eq(wice_device_info(device)->n_peers, 0);
}
END_TEST

/* A peer that stays keeps its place and its counters; one that comes back is a new one. */
START_TEST(peers_keep_their_place_and_statistics)
{
	WiceDeviceBuilder *builder = wice__device_builder_new("wg0", WICE_DEVICE_FAKE);
	for (unsigned i = 1; i <= 3; i++) {
		WiceKey key = { { (uint8_t)i } };
		WiceDevicePeer *peer;
		ck_assert_int_eq(wice__device_builder_peer(builder, &key, &peer), 0);
		peer->rx_bytes = i;
	}
	g_autoptr(WiceDevice) device = wice__device_builder_finish(builder);
	WicePeerChange peers[] = {
		{ .flags = WICE_PEER_CHANGE_REMOVE, .public_key = { { 1 } } },
		{ .fields = WICE_PEER_HAS_KEEPALIVE, .public_key = { { 2 } }, .keepalive_s = 9 },
		{ .public_key = { { 1 } } },
	};
	g_autoptr(WicePlan) plan = plan_of(peers, G_N_ELEMENTS(peers), 0);
	g_autoptr(WiceDevice) result = wice_plan_result(plan, device);
	static const uint8_t keys[] = { 2, 3, 1 };
	static const uint64_t received[] = { 2, 3, 0 };
	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
		const WiceDevicePeer *peer =
			&wice_device_info(result)->peers[wice_device_order(result)[i]];
		ck_assert_uint_eq(peer->public_key.bytes[0], keys[i]);
		ck_assert_uint_eq(peer->rx_bytes, received[i]);
	}
}
END_TEST

/* As a file may say it: each of 10,000 keys twice, the second time with other allowed IPs. */
START_TEST(a_file_may_name_all_peers_twice)
{
	enum { N = 10000, IPS = 5 };
	WicePeerChange *peers = g_new0(WicePeerChange, (size_t)2 * N);
	WiceAllowedIpChange *ips = g_new0(WiceAllowedIpChange, (size_t)2 * N * IPS);
	for (unsigned i = 0; i < 2 * N; i++) {
		peers[i].flags = WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS;
		memcpy(peers[i].public_key.bytes, &(uint32_t){ i % N }, 4);
		peers[i].n_allowed_ips = IPS;
		peers[i].allowed_ips = &ips[(size_t)i * IPS];
		for (unsigned j = 0; j < IPS; j++) {
			WicePrefix *prefix = &ips[(size_t)i * IPS + j].prefix;
			uint32_t address = GUINT32_TO_BE(0x0a000000 + i * IPS + j);
			prefix->address.family = WICE_FAMILY_IPV4;
			prefix->length = 32;
			memcpy(prefix->address.bytes, &address, 4);
		}
	}
	g_autoptr(WicePlan) plan = plan_of(peers, (size_t)2 * N, WICE_DEVICE_CHANGE_REPLACE_PEERS);
	g_autoptr(WiceDevice) result = wice_plan_result(plan, NULL);
	const WiceDeviceInfo *info = wice_device_info(result);
	ck_assert_uint_eq(info->n_peers, N);
	for (unsigned i = 0; i < N; i++) {
		ck_assert_uint_eq(info->peers[i].n_allowed_ips, IPS);
		ck_assert_uint_ge(info->peers[i].allowed_ips[0].address.bytes[1] * 65536u +
					  info->peers[i].allowed_ips[0].address.bytes[2] * 256u +
					  info->peers[i].allowed_ips[0].address.bytes[3],
				  N * IPS);
	}
	g_free(peers);
	g_free(ips);
}
END_TEST

/* Programs may make private keys of any bits; devices keep them as Curve25519 uses them. */
START_TEST(a_private_key_is_kept_clamped)
{
	WiceDeviceChange change = { .size = sizeof change, .fields = WICE_DEVICE_HAS_PRIVATE_KEY };
	WiceKey clamped;
	memset(&change.private_key, 0xff, sizeof change.private_key);
	clamped = change.private_key;
	clamped.bytes[0] = 0xf8;
	clamped.bytes[31] = 0x7f;
	g_autoptr(WicePlan) plan = wice_plan_new(&change, NULL);
	g_autoptr(WiceDevice) device = wice_plan_result(plan, NULL);
	ck_assert_mem_eq(&wice_device_info(device)->private_key, &clamped, sizeof clamped);

	g_autoptr(WicePlan) again = wice_plan_minimize(plan, device, 0);
	ck_assert(wice_plan_is_empty(again));
}
END_TEST

SUITE_MAIN("wg plan result", the_result_is_what_wireguard_does, a_private_key_is_kept_clamped,
	   a_device_that_has_just_been_made_is_nothing,
	   the_device_stays_who_it_is_and_is_not_touched, peers_keep_their_place_and_statistics,
	   a_file_may_name_all_peers_twice)
