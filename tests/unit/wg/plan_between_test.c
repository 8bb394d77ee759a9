/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "plan_random.h"
#include "suite.h"

#define STATISTICS (WICE_CHANGE_HANDSHAKE | WICE_CHANGE_TRANSFER)

/* What a comparison needs to know of the state before. */
typedef struct {
	const WiceDevice *before;
	unsigned flags, seed;
} Context;

/* What got may differ in from wanted: statistics, and endpoints that cannot or must not change. */
static void assert_peer_is_had(unsigned changes, const WiceDevicePeer *wanted,
			       const WiceDevicePeer *got, void *user_data)
{
	const Context *context = user_data;
	const WiceDevicePeer *before = wice_device_find_peer(
		context->before, wanted ? &wanted->public_key : &got->public_key);
	changes &= ~(unsigned)STATISTICS;
	if (changes & WICE_CHANGE_PEER_REMOVED || changes & WICE_CHANGE_PEER_ADDED) {
		ck_assert_msg(!wanted && before && context->flags & WICE_PLAN_KEEP_PEERS,
			      "seed %u: peers differ", context->seed);
		return;
	}
	if (before && before->fields & WICE_PEER_HAS_ENDPOINT &&
	    (context->flags & WICE_PLAN_KEEP_ENDPOINTS ||
	     !(wanted->fields & WICE_PEER_HAS_ENDPOINT))) {
		ck_assert_int_eq(wice_endpoint_compare(&got->endpoint, &before->endpoint), 0);
		changes &= ~(unsigned)WICE_CHANGE_ENDPOINT;
	}
	ck_assert_msg(changes == 0, "seed %u: a peer differs: %#x", context->seed, changes);
}

/* got is what wanted is, as far as it can be had from before. */
static void assert_had(const Context *context, const WiceDevice *wanted, const WiceDevice *got)
{
	unsigned of_interface = WICE_CHANGE_PRIVATE_KEY | WICE_CHANGE_FWMARK;
	if (wice_device_info(wanted)->listen_port)
		of_interface |= WICE_CHANGE_LISTEN_PORT;
	unsigned changes =
		wice_device_diff(wanted, got, assert_peer_is_had, (void *)(uintptr_t)context);
	ck_assert_msg((changes & of_interface) == 0, "seed %u: the interface differs: %#x",
		      context->seed, changes);
}

static void assert_secrets_only_if_they_change(const WicePlan *plan, const WiceDevice *present)
{
	const WiceDeviceChange *change = wice_plan_change(plan);
	const WiceDeviceInfo *info = wice_device_info(present);
	ck_assert_int_eq(change->fields & WICE_DEVICE_HAS_PRIVATE_KEY &&
				 memcmp(&change->private_key, &info->private_key,
					sizeof info->private_key) == 0,
			 0);
	ck_assert_int_eq(!(change->fields & WICE_DEVICE_HAS_PRIVATE_KEY) &&
				 !wice_key_is_zero(&change->private_key),
			 0);
}

/* Removed peers first, each part by key, existing ones UPDATE_ONLY and no others. */
static void assert_order(const WicePlan *plan, const WiceDevice *present)
{
	const WiceDeviceChange *change = wice_plan_change(plan);
	for (size_t i = 0; i < change->n_peers; i++) {
		const WicePeerChange *peer = &change->peers[i];
		bool there = wice_device_find_peer(present, &peer->public_key) != NULL;
		bool removed = peer->flags & WICE_PEER_CHANGE_REMOVE;
		ck_assert_int_eq(there && !removed,
				 (peer->flags & WICE_PEER_CHANGE_UPDATE_ONLY) != 0);
		if (i == 0)
			continue;
		const WicePeerChange *last = &change->peers[i - 1];
		bool after_removed = last->flags & WICE_PEER_CHANGE_REMOVE;
		ck_assert(after_removed || !removed);
		if (after_removed == removed)
			ck_assert_int_lt(wice_key_compare(&last->public_key, &peer->public_key), 0);
	}
}

START_TEST(the_result_is_what_was_wanted)
{
	for (unsigned seed = 0; seed < 2000; seed++) {
		Chance chance;
		chance_init(&chance, seed);
		g_autoptr(WiceDevice) a = draw_device(&chance);
		g_autoptr(WiceDevice) b = draw_device(&chance);
		Context context = { .before = a, .flags = seed % 4, .seed = seed };
		g_autoptr(WicePlan) plan = wice_plan_between(a, b, context.flags);
		g_autoptr(WiceDevice) result = wice_plan_result(plan, a);
		g_autoptr(WiceDevice) twice = wice_plan_result(plan, result);
		g_autoptr(WicePlan) rest = wice_plan_between(result, b, context.flags);
		assert_had(&context, b, result);
		assert_order(plan, a);
		assert_secrets_only_if_they_change(plan, a);
		ck_assert_msg(wice_plan_is_empty(rest), "seed %u: something is left", seed);
		ck_assert_uint_eq(wice_plan_change(rest)->n_peers, 0);
		ck_assert_msg(wice_device_diff(result, twice, NULL, NULL) == 0,
			      "seed %u: applying it again changes something", seed);
		chance_done(&chance);
	}
}
END_TEST

START_TEST(the_least_plan_has_the_result_of_any_plan)
{
	for (unsigned seed = 0; seed < 2000; seed++) {
		Chance chance;
		chance_init(&chance, seed);
		g_autoptr(WiceDevice) device = draw_device(&chance);
		g_autoptr(WicePlan) plan = draw_plan(&chance);
		Context context = { .before = device, .flags = seed % 4, .seed = seed };
		g_autoptr(WicePlan) least = wice_plan_minimize(plan, device, context.flags);
		g_autoptr(WiceDevice) wanted = wice_plan_result(plan, device);
		g_autoptr(WiceDevice) result = wice_plan_result(least, device);
		assert_had(&context, wanted, result);
		assert_order(least, device);
		chance_done(&chance);
	}
}
END_TEST

START_TEST(between_equal_devices_there_is_nothing)
{
	g_autoptr(WiceDevice) device = state_new("wg0", 100, 3);
	g_autoptr(WiceDevice) same = wice__device_builder_finish(wice__device_builder_copy(device));
	const WiceDevice *others[] = { device, same };
	for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
		g_autoptr(WicePlan) plan = wice_plan_between(device, others[i], 0);
		ck_assert(wice_plan_is_empty(plan));
		ck_assert_uint_eq(wice_plan_change(plan)->n_peers, 0);
	}
}
END_TEST

START_TEST(one_changed_peer_of_many_is_one)
{
	g_autoptr(WiceDevice) device = state_new("wg0", 10000, 2);
	WicePeerChange peer = { .flags = WICE_PEER_CHANGE_UPDATE_ONLY,
				.fields = WICE_PEER_HAS_KEEPALIVE,
				.public_key = state_key(1777),
				.keepalive_s = 999 };
	WiceDeviceChange change = { .size = sizeof change, .n_peers = 1, .peers = &peer };
	g_autoptr(WicePlan) wish = wice_plan_new(&change, NULL);
	g_autoptr(WicePlan) plan = wice_plan_minimize(wish, device, 0);
	const WiceDeviceChange *least = wice_plan_change(plan);
	ck_assert_uint_eq(least->fields, 0);
	ck_assert_uint_eq(least->n_peers, 1);
	ck_assert_uint_eq(least->peers[0].flags, WICE_PEER_CHANGE_UPDATE_ONLY);
	ck_assert_uint_eq(least->peers[0].fields, WICE_PEER_HAS_KEEPALIVE);
	ck_assert_uint_eq(least->peers[0].n_allowed_ips, 0);
	ck_assert_mem_eq(&least->peers[0].public_key, &peer.public_key, sizeof peer.public_key);
}
END_TEST

/* A device of peers 1, 2, 3: one list of allowed IPs each, "-" for no such peer. */
static WiceDevice *device_of(const char *const lists[3])
{
	WiceDeviceBuilder *builder = wice__device_builder_new("wg0", WICE_DEVICE_FAKE);
	for (unsigned i = 0; i < 3; i++) {
		WiceKey key = { { (uint8_t)(i + 1) } };
		WiceDevicePeer *peer;
		if (strcmp(lists[i], "-") == 0)
			continue;
		ck_assert_int_eq(wice__device_builder_peer(builder, &key, &peer), 0);
		g_auto(GStrv) words = g_strsplit(lists[i], " ", -1);
		for (char **word = words; *lists[i] && *word; word++) {
			g_autofree char *text = g_strdup_printf("10.0.0.%s", *word);
			state_allow(builder, text);
		}
	}
	return wice__device_builder_finish(builder);
}

/* "1: +5 -6; 2: = 7 8; - 3; ": what is done with the allowed IPs of whom. */
static char *brief(const WicePlan *plan)
{
	const WiceDeviceChange *change = wice_plan_change(plan);
	GString *text = g_string_new(NULL);
	for (size_t i = 0; i < change->n_peers; i++) {
		const WicePeerChange *peer = &change->peers[i];
		if (peer->flags & WICE_PEER_CHANGE_REMOVE)
			g_string_append(text, "- ");
		g_string_append_printf(text, "%u", peer->public_key.bytes[0]);
		if (peer->flags & WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS)
			g_string_append(text, " =");
		for (size_t j = 0; j < peer->n_allowed_ips; j++)
			g_string_append_printf(text, " %c%u",
					       peer->allowed_ips[j].remove ? '-' : '+',
					       peer->allowed_ips[j].prefix.address.bytes[3]);
		g_string_append(text, "; ");
	}
	return g_string_free(text, FALSE);
}

START_TEST(allowed_ips_are_changed_one_by_one)
{
	static const struct {
		const char *before[3], *after[3], *plan;
	} cases[] = {
		{ { "1 2", "3", "-" }, { "1 2", "3", "-" }, "" },
		{ { "2 1", "3", "-" }, { "1 2", "3", "-" }, "" }, /* only the order */
		{ { "1", "-", "-" }, { "1 2", "-", "-" }, "1 +2; " },
		{ { "1 2", "-", "-" }, { "1", "-", "-" }, "1 -2; " },
		/* One that moves is only added, whichever comes first. */
		{ { "1 2", "3", "-" }, { "1", "2 3", "-" }, "2 +2; " },
		{ { "1", "2 3", "-" }, { "1 2", "3", "-" }, "1 +2; " },
		{ { "1 2 3", "4", "-" }, { "1 2", "3 4", "5" }, "2 +3; 3 = +5; " },
		/* Moves in a ring. */
		{ { "1", "2", "3" }, { "3", "1", "2" }, "1 +3; 2 +1; 3 +2; " },
		/* A removed peer takes its own with it. */
		{ { "1", "2 3", "-" }, { "1 2", "-", "-" }, "- 2; 1 +2; " },
		{ { "1", "2", "3" }, { "-", "2", "-" }, "- 1; - 3; " },
		/* A new peer says all, also that it has none. */
		{ { "-", "2", "-" }, { "1 3", "2", "-" }, "1 = +1 +3; " },
		{ { "-", "2", "-" }, { "", "2", "-" }, "1 =; " },
		/* The whole list if that is shorter. */
		{ { "1 2 3", "-", "-" }, { "1", "-", "-" }, "1 = +1; " },
		{ { "1 2", "-", "-" }, { "", "-", "-" }, "1 =; " },
		{ { "1", "-", "-" }, { "2", "-", "-" }, "1 = +2; " },
		{ { "1 2", "-", "-" }, { "1 3", "-", "-" }, "1 -2 +3; " },
		{ { "1 2 3 4", "-", "-" }, { "1 2 5 6", "-", "-" }, "1 -3 -4 +5 +6; " },
		{ { "1 2 3 4", "-", "-" }, { "1 2", "3 4", "-" }, "2 = +3 +4; " },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(WiceDevice) before = device_of(cases[i].before);
		g_autoptr(WiceDevice) after = device_of(cases[i].after);
		g_autoptr(WicePlan) plan = wice_plan_between(before, after, 0);
		g_autofree char *got = brief(plan);
		ck_assert_msg(strcmp(got, cases[i].plan) == 0, "case %zu: %s", i, got);
	}
}
END_TEST

START_TEST(what_is_kept_is_kept)
{
	static const char *const lists[][3] = { { "1", "2", "-" }, { "-", "1", "3" } };
	g_autoptr(WiceDevice) before = device_of(lists[0]);
	g_autoptr(WiceDevice) after = device_of(lists[1]);
	g_autoptr(WicePlan) plan = wice_plan_between(before, after, WICE_PLAN_KEEP_PEERS);
	g_autofree char *got = brief(plan);
	ck_assert_str_eq(got, "2 = +1; 3 = +3; ");
}
END_TEST

/* A reader without the right to see the private key does not take it away. */
START_TEST(a_private_key_that_is_not_shown_stays)
{
	g_autoptr(WiceDevice) device = state_new("wg0", 1, 1);
	WiceDeviceBuilder *builder = wice__device_builder_copy(device);
	wice_key_clear(&wice__device_builder_info(builder)->private_key);
	g_autoptr(WiceDevice) hidden = wice__device_builder_finish(builder);
	g_autoptr(WicePlan) plan = wice_plan_between(device, hidden, 0);
	ck_assert(wice_plan_is_empty(plan));

	builder = wice__device_builder_copy(hidden);
	wice_key_clear(&wice__device_builder_info(builder)->public_key);
	g_autoptr(WiceDevice) without = wice__device_builder_finish(builder);
	g_autoptr(WicePlan) removal = wice_plan_between(device, without, 0);
	ck_assert_uint_eq(wice_plan_change(removal)->fields, WICE_DEVICE_HAS_PRIVATE_KEY);
	ck_assert(wice_key_is_zero(&wice_plan_change(removal)->private_key));
}
END_TEST

/* It cannot be had, so it is not tried again and again. */
START_TEST(the_own_key_is_never_a_peer)
{
	WiceDeviceBuilder *builder = wice__device_builder_new("wg0", WICE_DEVICE_FAKE);
	WiceDeviceInfo *info = wice__device_builder_info(builder);
	WiceDevicePeer *peer;
	WiceKey own;
	wice_key_generate_private(&info->private_key); /* and no public key is known */
	wice_key_public(&info->private_key, &own);
	ck_assert_int_eq(wice__device_builder_peer(builder, &own, &peer), 0);
	g_autoptr(WiceDevice) wanted = wice__device_builder_finish(builder);
	g_autoptr(WiceDevice) present =
		wice__device_builder_finish(wice__device_builder_new("wg0", WICE_DEVICE_FAKE));
	g_autoptr(WicePlan) plan = wice_plan_between(present, wanted, 0);
	ck_assert_uint_eq(wice_plan_change(plan)->fields, WICE_DEVICE_HAS_PRIVATE_KEY);
	ck_assert_uint_eq(wice_plan_change(plan)->n_peers, 0);
}
END_TEST

SUITE_MAIN("wg plan between", the_result_is_what_was_wanted,
	   the_least_plan_has_the_result_of_any_plan, between_equal_devices_there_is_nothing,
	   one_changed_peer_of_many_is_one, allowed_ips_are_changed_one_by_one,
	   what_is_kept_is_kept, a_private_key_that_is_not_shown_stays, the_own_key_is_never_a_peer)
