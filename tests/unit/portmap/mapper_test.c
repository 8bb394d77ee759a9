/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"
#include "unit/portmap/played_router.h"

#define SECOND 1000
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

#define ROUTER "192.168.1.1"

static void start(World *world)
{
	world_init(world, ROUTER, "192.168.1.2");
}

static void expect_mapped(const World *world, WicePortmapProtocol protocol)
{
	const WicePortMapping *mapping = &world->mapper.mapping;
	ck_assert(world->mapper.mapped);
	ck_assert_int_eq(mapping->protocol, protocol);
	ck_assert_int_eq(wice_address_compare(&mapping->external.address, &world->external), 0);
	ck_assert_uint_eq(mapping->external.port, 51820 + world->shift);
	ck_assert_int_eq(wice_endpoint_compare(&mapping->internal, &world->mapper.internal), 0);
}

START_TEST(a_router_that_knows_all_is_asked_to_map_by_pcp_only)
{
	World world;
	start(&world);
	world.pcp = world.nat_pmp = world.upnp = true;
	world.shift = 7;
	world_turn(&world);
	expect_mapped(&world, WICE_PORTMAP_PCP);
	world_run(&world, 10 * MINUTE);
	ck_assert_uint_eq(world.n_pcp, 1);
	ck_assert_uint_eq(world.n_map, 0);
	ck_assert_uint_eq(world.n_upnp, 0);
	ck_assert_uint_eq(world.n_changes, 1);
	world_done(&world);
}
END_TEST

START_TEST(a_router_that_knows_nat_pmp_only_is_not_kept_waiting)
{
	World world;
	start(&world);
	world.nat_pmp = true;
	world.shift = 7;
	world_turn(&world); /* it says that it does not know PCP */
	expect_mapped(&world, WICE_PORTMAP_NAT_PMP);
	ck_assert_uint_eq(world.n_pcp, 1);
	ck_assert_uint_eq(world.n_address, 1);
	ck_assert_uint_eq(world.n_map, 1);
	world_done(&world);
}
END_TEST

/* Some are silent about what they do not know. */
START_TEST(pcp_has_a_head_start_of_half_a_second)
{
	World world;
	start(&world);
	world.nat_pmp = true;
	while ((world.last_len = wice__portmap_mapper_output(&world.mapper, world.now, world.last)))
		if (world.last[0] == 0 && world_answer(&world))
			world_input(&world);
	world.now += 499;
	ck_assert_uint_eq(wice__portmap_mapper_output(&world.mapper, world.now, world.last), 0);
	world.now += 1;
	world.last_len = wice__portmap_mapper_output(&world.mapper, world.now, world.last);
	ck_assert_uint_eq(world.last_len, WICE_NAT_PMP_MAP_LEN);
	world_answer(&world);
	ck_assert(world_input(&world));
	expect_mapped(&world, WICE_PORTMAP_NAT_PMP);
	world_done(&world);
}
END_TEST

START_TEST(upnp_is_asked_after_a_second_of_silence)
{
	World world;
	start(&world);
	world.upnp = true;
	world_run(&world, WICE_PORTMAP_UPNP_AFTER_MS - 1);
	ck_assert_uint_eq(world.n_upnp, 0);
	world_run(&world, 1);
	expect_mapped(&world, WICE_PORTMAP_UPNP);
	unsigned n_before = world.n_pcp + world.n_address;
	world_run(&world, 20 * MINUTE);
	ck_assert_uint_eq(world.n_pcp + world.n_address, n_before);
	world_done(&world);
}
END_TEST

START_TEST(upnp_is_asked_at_once_if_nobody_listens_or_all_is_refused)
{
	World world;
	start(&world);
	world.upnp = true;
	while (wice__portmap_mapper_output(&world.mapper, world.now, world.last))
		continue;
	wice__portmap_mapper_refused(&world.mapper, world.now);
	world_turn(&world);
	expect_mapped(&world, WICE_PORTMAP_UPNP);
	world_done(&world);

	start(&world);
	world.pcp = world.nat_pmp = world.upnp = true;
	world.pcp_result = 2;
	world.nat_pmp_result = 2;
	world_turn(&world);
	expect_mapped(&world, WICE_PORTMAP_UPNP);
	world_done(&world);
}
END_TEST

START_TEST(a_mapping_by_upnp_that_comes_too_late_is_not_used)
{
	World world;
	start(&world);
	world.dead = true;
	world_run(&world, WICE_PORTMAP_UPNP_AFTER_MS - 1);
	world.now++;
	ck_assert(wice__portmap_mapper_start_upnp(&world.mapper, world.now));
	ck_assert(!wice__portmap_mapper_start_upnp(&world.mapper, world.now));
	world.dead = false;
	world.pcp = true;
	world_run(&world, 5 * SECOND);
	expect_mapped(&world, WICE_PORTMAP_PCP);
	WiceEndpoint external = { world.external, 4711, 0 };
	ck_assert(!wice__portmap_mapper_upnp_done(&world.mapper, &external, 3600, world.now));
	expect_mapped(&world, WICE_PORTMAP_PCP);
	world_done(&world);
}
END_TEST

START_TEST(ipv6_is_asked_by_pcp_only)
{
	World world;
	world_init(&world, "fe80::1", "2001:db8::2");
	world.pcp = world.nat_pmp = world.upnp = true;
	world.dead = true;
	world_run(&world, 2 * SECOND);
	ck_assert_uint_eq(world.n_address + world.n_map + world.n_upnp, 0);
	world.dead = false;
	world_run(&world, 2 * SECOND);
	expect_mapped(&world, WICE_PORTMAP_PCP);
	ck_assert_uint_eq(world.n_pcp, 2);
	world_done(&world);
}
END_TEST

START_TEST(a_silent_router_is_asked_rarely)
{
	World world;
	start(&world);
	world.dead = true;
	world_run(&world, 5 * MINUTE);
	unsigned first = world.n_pcp + world.n_address;
	ck_assert_uint_le(first, 17);
	ck_assert_uint_ge(world.n_pcp, 6);
	ck_assert_uint_eq(world.n_address, 9);
	world_run(&world, HOUR);
	ck_assert_uint_le(world.n_pcp + world.n_address - first, 10);
	ck_assert_uint_le(world.n_upnp, 8);
	unsigned before = world.n_pcp + world.n_address, upnp_before = world.n_upnp;
	world_run(&world, DAY);
	ck_assert_uint_le(world.n_pcp + world.n_address - before, 2 * 24 * 4);
	ck_assert_uint_le(world.n_upnp - upnp_before, 27);
	ck_assert_uint_eq(world.n_changes, 0);
	/* But it is asked. */
	world.dead = false;
	world.pcp = true;
	world_run(&world, HOUR);
	expect_mapped(&world, WICE_PORTMAP_PCP);
	world_done(&world);
}
END_TEST

START_TEST(refusals_are_followed_by_rare_requests)
{
	World world;
	start(&world);
	world.pcp = world.nat_pmp = true;
	world.pcp_result = 2;
	world.nat_pmp_result = 2;
	world_run(&world, HOUR);
	ck_assert_uint_le(world.n_pcp, 3); /* the refusal says that it is good for half an hour */
	ck_assert_uint_le(world.n_address + world.n_map, 10);
	ck_assert_uint_eq(world.n_changes, 0);
	world.pcp_result = 0;
	world_run(&world, HOUR);
	expect_mapped(&world, WICE_PORTMAP_PCP);
	world_done(&world);
}
END_TEST

static void check_a_day(bool pcp, bool nat_pmp, bool upnp, unsigned renewals)
{
	World world;
	start(&world);
	world.pcp = pcp;
	world.nat_pmp = nat_pmp;
	world.upnp = upnp;
	for (int64_t minute = 0; minute < 24 * 60; minute++) {
		world_run(&world, MINUTE);
		ck_assert(world.mapper.mapped);
		ck_assert_int_gt(world.mapped_until, world.now);
	}
	ck_assert_uint_eq(world.n_changes, 1);
	unsigned n = pcp ? world.n_pcp : nat_pmp ? world.n_map : world.n_upnp;
	ck_assert_uint_le(n, renewals + 2);
	ck_assert_uint_ge(n, renewals * 3 / 4);
	world_done(&world);
}

START_TEST(a_mapping_is_renewed_at_half_of_its_life_all_day)
{
	check_a_day(true, true, false, 24);
	check_a_day(false, true, false, 24);
	check_a_day(false, false, true, 48);
}
END_TEST

START_TEST(losses_do_not_matter)
{
	for (unsigned protocol = 0; protocol < 2; protocol++) {
		World world;
		start(&world);
		world.pcp = protocol == 0;
		world.nat_pmp = protocol == 1;
		world.loss = 0.2;
		world_run(&world, 10 * MINUTE);
		ck_assert(world.mapper.mapped);
		unsigned without = 0;
		for (int64_t minute = 0; minute < 24 * 60; minute++) {
			world_run(&world, MINUTE);
			without += world.mapped_until < world.now;
		}
		ck_assert_uint_eq(without, 0);
		ck_assert_uint_eq(world.n_changes, 1);
		world_done(&world);
	}
}
END_TEST

/* It is asked again often while there is time, and says so when it is over. */
START_TEST(a_mapping_that_cannot_be_renewed_ends_with_its_life)
{
	World world;
	start(&world);
	world.pcp = true;
	world_turn(&world);
	world.dead = true;
	world_run(&world, 7199 * SECOND);
	expect_mapped(&world, WICE_PORTMAP_PCP);
	ck_assert_uint_ge(world.n_pcp, 8);
	ck_assert_uint_le(world.n_pcp, 16);
	world_run(&world, 2 * SECOND);
	ck_assert(!world.mapper.mapped);
	ck_assert_uint_eq(world.n_changes, 2);
	world.dead = false;
	world_run(&world, 10 * SECOND);
	expect_mapped(&world, WICE_PORTMAP_PCP);
	world_done(&world);
}
END_TEST

static void check_reboot(bool pcp, bool nat_pmp_announces)
{
	World world;
	start(&world);
	world.pcp = pcp;
	world.nat_pmp = !pcp || nat_pmp_announces;
	world_run(&world, 10 * MINUTE);
	unsigned asked = world.n_pcp + world.n_map;
	world_announce(&world, nat_pmp_announces); /* nothing has happened */
	world_run(&world, 10 * SECOND);
	ck_assert_uint_eq(world.n_pcp + world.n_map, asked);
	world_reboot(&world);
	world.now += 30 * SECOND;
	for (unsigned i = 0; i < 10; i++) {
		world_announce(&world, nat_pmp_announces);
		world_run(&world, SECOND);
	}
	ck_assert_int_gt(world.mapped_until, world.now);
	ck_assert(world.mapper.mapped);
	ck_assert_uint_eq(world.n_pcp + world.n_map, asked + 1);
	ck_assert_uint_eq(world.n_changes, 1); /* it is the same again */
	world_run(&world, HOUR);
	ck_assert_int_gt(world.mapped_until, world.now);
	world_done(&world);
}

START_TEST(a_router_that_announces_its_restart_is_asked_again)
{
	check_reboot(true, false);
	check_reboot(true, true);
	check_reboot(false, true);
}
END_TEST

START_TEST(a_mapping_is_lost_if_the_announced_router_maps_no_more)
{
	World world;
	start(&world);
	world.pcp = true;
	world_run(&world, 10 * MINUTE);
	world_reboot(&world);
	world.dead = true;
	world_announce(&world, false);
	world_run(&world, 16 * SECOND);
	ck_assert(!world.mapper.mapped);
	ck_assert_uint_eq(world.n_changes, 2);
	world_done(&world);
}
END_TEST

START_TEST(an_announcement_wakes_up_who_has_found_no_router)
{
	World world;
	start(&world);
	world.dead = true;
	world_run(&world, 3 * HOUR);
	world.dead = false;
	world.pcp = true;
	world_reboot(&world);
	world_announce(&world, false);
	world_run(&world, 5 * SECOND);
	expect_mapped(&world, WICE_PORTMAP_PCP);
	world_done(&world);
}
END_TEST

/* The whole series of announcements may come while a round is young. */
START_TEST(an_announcement_that_comes_too_soon_is_remembered)
{
	World world;
	start(&world);
	world.nat_pmp = true;
	world.dead = true;
	world_turn(&world);
	wice__portmap_mapper_refused(&world.mapper, world.now);
	world.now += 10;
	world_announce(&world, true);
	world.dead = false;
	world_run(&world, 10 * SECOND);
	expect_mapped(&world, WICE_PORTMAP_NAT_PMP);
	world_done(&world);
}
END_TEST

START_TEST(announcements_do_not_keep_a_round_from_its_end)
{
	World world;
	start(&world);
	world.nat_pmp = true;
	world.dead = true;
	world_run(&world, 10 * SECOND);
	world.dead = false;
	for (unsigned i = 0; i < 10000 && !world.mapper.mapped; i++) {
		world_announce(&world, true);
		world_run(&world, 1);
	}
	expect_mapped(&world, WICE_PORTMAP_NAT_PMP);
	world_done(&world);
}
END_TEST

START_TEST(a_flood_of_announcements_makes_few_requests)
{
	World world;
	start(&world);
	world.pcp = true;
	world_run(&world, MINUTE);
	unsigned asked = world.n_pcp;
	for (unsigned i = 0; i < 10000; i++) {
		world.booted_at = world.now - (i % 2 ? 0 : 100000 * SECOND);
		world_announce(&world, false);
		world_run(&world, 1);
	}
	ck_assert_uint_le(world.n_pcp - asked, 11);
	world_done(&world);
}
END_TEST

START_TEST(a_new_external_address_is_learnt)
{
	World world;
	start(&world);
	world.nat_pmp = true;
	world_run(&world, MINUTE);
	world.external = world_address("203.0.113.9");
	world_announce(&world, true);
	world_run(&world, 10 * SECOND);
	expect_mapped(&world, WICE_PORTMAP_NAT_PMP);
	ck_assert_uint_eq(world.n_changes, 2);
	world_done(&world);

	/* PCP tells it unasked: RFC 6887 section 14.2. */
	start(&world);
	world.pcp = true;
	world_run(&world, MINUTE);
	world.external = world_address("203.0.113.9");
	memset(world.last, 0, sizeof world.last);
	WicePcpMap map = { .internal = world.mapper.internal, .lifetime_s = 7200 };
	memcpy(map.nonce, world_nonce, sizeof map.nonce);
	wice__pcp_write_map(&map, world.last);
	world_answer(&world);
	ck_assert(world_input(&world));
	expect_mapped(&world, WICE_PORTMAP_PCP);
	world_done(&world);
}
END_TEST

START_TEST(errors_of_a_renewal_end_a_mapping_only_if_they_are_meant_so)
{
	static const struct {
		unsigned result;
		bool lost;
	} cases[] = { { 7, false }, { 8, false }, { 10, false }, { 2, true }, { 9, true } };
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		World world;
		start(&world);
		world.pcp = true;
		world_turn(&world);
		world.pcp_result = cases[i].result;
		world_run(&world, 80 * MINUTE);
		ck_assert(world.mapper.mapped != cases[i].lost);
		ck_assert_uint_le(world.n_pcp, 4);
		world_done(&world);
	}
}
END_TEST

/* It has forgotten the mapping and cannot make it again. */
START_TEST(a_passing_error_of_a_restarted_router_ends_the_mapping)
{
	World world;
	start(&world);
	world.pcp = true;
	world_turn(&world);
	world_reboot(&world);
	world.pcp_result = 8;
	world_run(&world, 80 * MINUTE);
	ck_assert(!world.mapper.mapped);
	world_done(&world);
}
END_TEST

START_TEST(answers_of_others_count_for_nothing)
{
	World world;
	start(&world);
	world.pcp = true;
	world.last_len = wice__portmap_mapper_output(&world.mapper, world.now, world.last);
	ck_assert(world_answer(&world));
	ck_assert(!world_input_from(&world, "192.168.1.3", 5351));
	ck_assert(!world_input_from(&world, ROUTER, 5350));
	ck_assert(!world_input_from(&world, "fe80::1", 5351));
	world.answer[24] ^= 1; /* the nonce */
	ck_assert(!world_input(&world));
	world.answer[24] ^= 1;
	world.answer[40] ^= 1; /* the internal port */
	ck_assert(!world_input(&world));
	world.answer[40] ^= 1;
	ck_assert(!world.mapper.mapped);
	ck_assert(world_input(&world));
	expect_mapped(&world, WICE_PORTMAP_PCP);
	/* Once more, with other contents: nobody has asked. */
	world.answer[57] ^= 1;
	ck_assert(!world_input(&world));
	expect_mapped(&world, WICE_PORTMAP_PCP);
	world_done(&world);
}
END_TEST

START_TEST(answers_of_nat_pmp_that_nobody_has_asked_for_count_for_nothing)
{
	World world;
	uint8_t map[16];
	start(&world);
	world.nat_pmp = true;
	world_turn(&world);
	memcpy(map, world.answer, sizeof map);
	for (unsigned i = 0; i < 3; i++) {
		world.answer[10] ^= 1; /* the external port */
		ck_assert(!world_input(&world));
	}
	expect_mapped(&world, WICE_PORTMAP_NAT_PMP);
	/* An old one overtakes nothing: at the renewal, the address is asked for first. */
	int64_t renewal = wice__portmap_mapper_deadline(&world.mapper);
	world.now = renewal;
	ck_assert_uint_eq(wice__portmap_mapper_output(&world.mapper, world.now, world.last),
			  WICE_NAT_PMP_ADDRESS_LEN);
	map[10] ^= 1;
	memcpy(world.answer, map, sizeof map);
	world.answer_len = sizeof map;
	ck_assert(!world_input(&world));
	expect_mapped(&world, WICE_PORTMAP_NAT_PMP);
	world_done(&world);
}
END_TEST

START_TEST(a_lifetime_too_short_or_too_long_is_not_believed)
{
	World world;
	start(&world);
	world.pcp = true;
	world.lifetime_s = 1;
	world_run(&world, 10 * MINUTE);
	ck_assert(!world.mapper.mapped);
	ck_assert_uint_le(world.n_pcp, 6);
	world_done(&world);

	start(&world);
	world.pcp = true;
	world.last_len = wice__portmap_mapper_output(&world.mapper, world.now, world.last);
	world_answer(&world);
	world_put(world.answer + 4, 4, UINT32_MAX);
	ck_assert(world_input(&world));
	ck_assert_int_le(wice__portmap_mapper_deadline(&world.mapper), world.now + 15 * HOUR);
	world_done(&world);
}
END_TEST

START_TEST(a_change_of_network_makes_it_ask_again_but_not_all_the_time)
{
	World world;
	start(&world);
	world.dead = true;
	world_run(&world, 3 * HOUR);
	world.dead = false;
	world.pcp = true;
	wice__portmap_mapper_refresh(&world.mapper, world.now);
	world_turn(&world);
	expect_mapped(&world, WICE_PORTMAP_PCP);
	world_run(&world, MINUTE);
	unsigned asked = world.n_pcp;
	for (unsigned i = 0; i < 1000; i++) {
		wice__portmap_mapper_refresh(&world.mapper, world.now);
		world_run(&world, 5);
	}
	ck_assert_uint_ge(world.n_pcp, asked + 1);
	ck_assert_uint_le(world.n_pcp, asked + 6);
	world_done(&world);

	start(&world);
	world.dead = true;
	for (unsigned i = 0; i < 1000; i++) {
		wice__portmap_mapper_refresh(&world.mapper, world.now);
		world_run(&world, 5);
	}
	ck_assert_uint_ge(world.n_pcp, 3);
	ck_assert_uint_le(world.n_pcp, 6);
	world_done(&world);
}
END_TEST

START_TEST(a_former_life_is_taken_over)
{
	World world;
	start(&world);
	world.pcp = true;
	world_turn(&world);
	World next = world;
	WicePortmapMapperOptions options = {
		.router = world_address(ROUTER),
		.internal = world.mapper.internal,
		.fill_random = world_fill_random,
	};
	memcpy(options.nonce, world_nonce, sizeof world_nonce);
	wice__portmap_mapper_init(&next.mapper, &options, next.now);
	world_turn(&next);
	expect_mapped(&next, WICE_PORTMAP_PCP);
	/* Somebody else is not let in. */
	options.nonce[0] ^= 1;
	wice__portmap_mapper_init(&next.mapper, &options, next.now);
	world_turn(&next);
	ck_assert(!next.mapper.mapped);
	world_done(&world);
}
END_TEST

static void check_farewell(bool pcp)
{
	World world;
	start(&world);
	world.pcp = pcp;
	world.nat_pmp = !pcp;
	world_turn(&world);
	ck_assert_int_gt(world.mapped_until, world.now);
	for (int i = WICE_PORTMAP_PCP; i <= WICE_PORTMAP_NAT_PMP; i++) {
		world.last_len = wice__portmap_mapper_farewell(&world.mapper, i, world.last);
		ck_assert((world.last_len != 0) == ((i == WICE_PORTMAP_PCP) == pcp));
		if (world.last_len)
			world_answer(&world);
	}
	ck_assert_int_eq(world.mapped_until, 0);
	world_done(&world);
}

START_TEST(the_mapping_is_removed_at_the_end)
{
	check_farewell(true);
	check_farewell(false);
}
END_TEST

START_TEST(a_random_network_never_upsets_it)
{
	for (unsigned seed = 1; seed <= 50; seed++) {
		World world;
		start(&world);
		g_rand_set_seed(world.rand, seed);
		for (unsigned i = 0; i < 300; i++) {
			world.pcp = g_rand_int(world.rand) % 4 != 0;
			world.nat_pmp = g_rand_int(world.rand) % 3 != 0;
			world.upnp = g_rand_boolean(world.rand);
			world.dead = g_rand_int(world.rand) % 5 == 0;
			world.loss = g_rand_double(world.rand) / 2;
			world.lifetime_s = 1 + g_rand_int(world.rand) % 10000;
			world.pcp_result =
				g_rand_boolean(world.rand) ? g_rand_int(world.rand) % 14 : 0;
			world.nat_pmp_result =
				g_rand_boolean(world.rand) ? g_rand_int(world.rand) % 6 : 0;
			if (g_rand_int(world.rand) % 6 == 0)
				world_reboot(&world);
			if (g_rand_int(world.rand) % 3 == 0)
				world_announce(&world, g_rand_boolean(world.rand));
			if (g_rand_int(world.rand) % 3 == 0)
				wice__portmap_mapper_refresh(&world.mapper, world.now);
			if (g_rand_int(world.rand) % 8 == 0)
				wice__portmap_mapper_refused(&world.mapper, world.now);
			world_run(&world, g_rand_int_range(world.rand, 0, 20 * MINUTE));
		}
		/* 100 hours or so. */
		ck_assert_uint_lt(world.n_pcp + world.n_address + world.n_map, 20000);
		world.pcp = true;
		world.dead = false;
		world.loss = 0;
		world.pcp_result = 0;
		world.nat_pmp_result = 0;
		world.lifetime_s = 7200;
		world_run(&world, 12 * HOUR);
		ck_assert(world.mapper.mapped);
		ck_assert_int_gt(world.mapped_until, world.now);
		world_done(&world);
	}
}
END_TEST

SUITE_MAIN("portmap mapper", a_router_that_knows_all_is_asked_to_map_by_pcp_only,
	   a_router_that_knows_nat_pmp_only_is_not_kept_waiting,
	   pcp_has_a_head_start_of_half_a_second, upnp_is_asked_after_a_second_of_silence,
	   upnp_is_asked_at_once_if_nobody_listens_or_all_is_refused,
	   a_mapping_by_upnp_that_comes_too_late_is_not_used, ipv6_is_asked_by_pcp_only,
	   a_silent_router_is_asked_rarely, refusals_are_followed_by_rare_requests,
	   a_mapping_is_renewed_at_half_of_its_life_all_day, losses_do_not_matter,
	   a_mapping_that_cannot_be_renewed_ends_with_its_life,
	   a_router_that_announces_its_restart_is_asked_again,
	   a_mapping_is_lost_if_the_announced_router_maps_no_more,
	   an_announcement_wakes_up_who_has_found_no_router,
	   an_announcement_that_comes_too_soon_is_remembered,
	   announcements_do_not_keep_a_round_from_its_end,
	   a_flood_of_announcements_makes_few_requests, a_new_external_address_is_learnt,
	   errors_of_a_renewal_end_a_mapping_only_if_they_are_meant_so,
	   a_passing_error_of_a_restarted_router_ends_the_mapping,
	   answers_of_others_count_for_nothing,
	   answers_of_nat_pmp_that_nobody_has_asked_for_count_for_nothing,
	   a_lifetime_too_short_or_too_long_is_not_believed,
	   a_change_of_network_makes_it_ask_again_but_not_all_the_time, a_former_life_is_taken_over,
	   the_mapping_is_removed_at_the_end, a_random_network_never_upsets_it)
