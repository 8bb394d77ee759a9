/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* A plan without single removals has the same result as the plan with them. */
#include "conformance/wg/state.h"
#include "suite.h"
#include "wg/whole_lists.h"

static void assert_takes_nothing_away(const WiceDeviceChange *change)
{
	for (size_t i = 0; i < change->n_peers; i++) {
		for (size_t j = 0; j < change->peers[i].n_allowed_ips; j++)
			ck_assert(change->peers[i].flags & WICE_PEER_CHANGE_REMOVE ||
				  !change->peers[i].allowed_ips[j].remove);
	}
}

START_TEST(whole_lists_have_the_result_of_the_plan)
{
	for (guint32 seed = 0; seed < 5000; seed++) {
		GRand *rand = g_rand_new_with_seed(seed);
		g_autoptr(WicePlan) making = state_plan(rand), plan = state_plan(rand);
		g_autoptr(WiceDevice) device = wice_plan_result(making, NULL);
		g_autoptr(WiceDevice) wanted = wice_plan_result(plan, device);
		g_autoptr(WiceWholeLists) lists = wice__whole_lists_new(plan, device);
		const WiceDeviceChange *change = wice__whole_lists_change(lists);
		assert_takes_nothing_away(change);
		g_autoptr(WicePlan) other = wice_plan_new(change, NULL);
		g_autoptr(WiceDevice) result = wice_plan_result(other, device);
		ck_assert_msg(wice_device_diff(wanted, result, NULL, NULL) == 0, "seed %u", seed);
		g_rand_free(rand);
	}
}
END_TEST

START_TEST(only_the_peers_that_lose_something_are_given_lists)
{
	WiceDevice *device = state_new("wg0", 100, 3);
	const WiceDevicePeer *peers = wice_device_info(device)->peers;
	WiceAllowedIpChange removal = { .prefix = peers[7].allowed_ips[0], .remove = true };
	WiceAllowedIpChange addition = { .prefix = peers[8].allowed_ips[0] };
	WicePeerChange changes[] = {
		{ .flags = WICE_PEER_CHANGE_UPDATE_ONLY,
		  .public_key = peers[7].public_key,
		  .n_allowed_ips = 1,
		  .allowed_ips = &removal },
		{ .flags = WICE_PEER_CHANGE_UPDATE_ONLY,
		  .public_key = peers[9].public_key,
		  .n_allowed_ips = 1,
		  .allowed_ips = &addition },
	};
	WiceDeviceChange change = { .size = sizeof change, .n_peers = 2, .peers = changes };
	WicePlan *plan = wice_plan_new(&change, NULL);
	WiceWholeLists *lists = wice__whole_lists_new(plan, device);
	const WiceDeviceChange *other = wice__whole_lists_change(lists);
	ck_assert_uint_eq(other->n_peers, 2);
	ck_assert_mem_eq(&other->peers[0].public_key, &peers[9].public_key, sizeof(WiceKey));
	ck_assert_uint_eq(other->peers[0].n_allowed_ips, 1);
	ck_assert_uint_eq(other->peers[0].flags, WICE_PEER_CHANGE_UPDATE_ONLY);
	ck_assert_mem_eq(&other->peers[1].public_key, &peers[7].public_key, sizeof(WiceKey));
	ck_assert_uint_eq(other->peers[1].n_allowed_ips, 2);
	ck_assert_uint_eq(other->peers[1].fields, 0);
	wice__whole_lists_free(lists);
	wice__whole_lists_free(NULL);
	wice_plan_unref(plan);
	wice_device_unref(device);
}
END_TEST

SUITE_MAIN("wg whole lists", whole_lists_have_the_result_of_the_plan,
	   only_the_peers_that_lose_something_are_given_lists)
