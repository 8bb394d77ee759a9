/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include "agent/roam.h"

#define SECOND 1000

static WiceEndpoint path(uint16_t number)
{
	return (WiceEndpoint){
		.address = { .family = WICE_FAMILY_IPV4, .bytes = { 192, 0, 2, 1 } },
		.port = number,
	};
}

static void select_path(WiceRoam *roam, uint16_t number, int64_t now)
{
	WiceEndpoint endpoint = path(number);
	wice__roam_selected(roam, &endpoint, true, now);
}

static WiceRoamVerdict see(WiceRoam *roam, uint16_t number, int64_t now)
{
	WiceEndpoint endpoint = path(number);
	return wice__roam_seen(roam, &endpoint, true, now);
}

static WiceRoamVerdict see_unknown(WiceRoam *roam, uint16_t number, int64_t now)
{
	WiceEndpoint endpoint = path(number);
	return wice__roam_seen(roam, &endpoint, false, now);
}

START_TEST(nothing_is_said_about_a_peer_without_a_path)
{
	WiceRoam roam;
	wice__roam_init(&roam, true);
	ck_assert_int_eq(see(&roam, 1, 0), WICE_ROAM_STAY);
	ck_assert_int_eq(see_unknown(&roam, 1, 0), WICE_ROAM_STAY);
	ck_assert(!wice__roam_wants_polls(&roam, 0));
	select_path(&roam, 1, 0);
	wice__roam_cleared(&roam);
	ck_assert_int_eq(see(&roam, 2, 1), WICE_ROAM_STAY);
	ck_assert(!wice__roam_wants_polls(&roam, 1));
	ck_assert(roam.controlling);
}
END_TEST

START_TEST(the_controlling_end_insists_after_its_switch)
{
	WiceRoam roam;
	wice__roam_init(&roam, true);
	select_path(&roam, 2, 100);
	ck_assert(wice__roam_wants_polls(&roam, 100 + SECOND));
	ck_assert_int_eq(see(&roam, 2, 110), WICE_ROAM_STAY);
	ck_assert_int_eq(see(&roam, 1, 120), WICE_ROAM_REASSERT);
	ck_assert_int_eq(see(&roam, 1, 140), WICE_ROAM_REASSERT);
	ck_assert_int_eq(see(&roam, 1, 160), WICE_ROAM_REASSERT);
	/* What is under way may undo it once more. */
	ck_assert_int_eq(see(&roam, 2, 180), WICE_ROAM_REPEAT);
	ck_assert_int_eq(see(&roam, 2, 500), WICE_ROAM_REPEAT);
	ck_assert_int_eq(see(&roam, 2, 600), WICE_ROAM_STAY);
	ck_assert(!wice__roam_wants_polls(&roam, 3 * SECOND));
	/* The peer switches later. */
	ck_assert_int_eq(see(&roam, 1, 10 * SECOND), WICE_ROAM_REASSERT);
	ck_assert(wice__roam_wants_polls(&roam, 11 * SECOND));
}
END_TEST

START_TEST(the_controlled_end_follows)
{
	WiceRoam roam;
	wice__roam_init(&roam, false);
	select_path(&roam, 2, 0);
	ck_assert_int_eq(see(&roam, 1, 10), WICE_ROAM_ADOPT);
	ck_assert_int_eq(roam.selected.port, 1);
	ck_assert_int_eq(see(&roam, 1, 20), WICE_ROAM_STAY);
	ck_assert_int_eq(see(&roam, 2, 3600 * SECOND), WICE_ROAM_ADOPT);
	ck_assert_int_eq(roam.selected.port, 2);
}
END_TEST

/* How long the controlling end insists against a peer that is heard on path 1 all the time. */
static int64_t insist(WiceRoam *roam, int64_t now)
{
	int64_t began = now;
	WiceRoamVerdict verdict;
	do
		verdict = see(roam, 1, now += 20);
	while (verdict == WICE_ROAM_REASSERT);
	ck_assert_int_eq(verdict, WICE_ROAM_ADOPT);
	ck_assert_int_eq(roam->selected.port, 1);
	return now - began;
}

START_TEST(insisting_in_vain_ends)
{
	WiceRoam roam;
	wice__roam_init(&roam, true);
	select_path(&roam, 2, 0);
	int64_t took = insist(&roam, 0);
	ck_assert_int_ge(took, 20 * SECOND);
	ck_assert_int_le(took, 60 * SECOND);
	/* And the next switch is as good as the first. */
	select_path(&roam, 3, 60 * SECOND);
	ck_assert_int_eq(see(&roam, 1, 60 * SECOND + 20), WICE_ROAM_REASSERT);
}
END_TEST

START_TEST(a_path_that_ice_has_not_shown_to_work_is_soon_given_up)
{
	WiceRoam roam;
	WiceEndpoint unproven = path(2);
	wice__roam_init(&roam, true);
	wice__roam_selected(&roam, &unproven, false, 0);
	ck_assert_int_le(insist(&roam, 0), 6 * SECOND);
}
END_TEST

/* The peer has switched first: leading it back at once could be to a path that is dead. */
START_TEST(long_after_a_switch_the_peer_is_followed_for_a_while)
{
	WiceRoam roam;
	wice__roam_init(&roam, true);
	select_path(&roam, 2, 0);
	int64_t now = 3600 * SECOND;
	for (int64_t waited = 0; waited < 3 * SECOND; waited += 20)
		ck_assert_int_eq(see(&roam, 1, now + waited), WICE_ROAM_STAY);
	ck_assert_int_eq(see(&roam, 1, now + 3 * SECOND), WICE_ROAM_REASSERT);
	ck_assert_int_eq(see(&roam, 1, now + 3 * SECOND + 20), WICE_ROAM_REASSERT);
}
END_TEST

/* A user who says again and again that it is to be the other path has it in the end. */
START_TEST(a_hand_that_insists_prevails)
{
	WiceRoam roam;
	wice__roam_init(&roam, true);
	select_path(&roam, 2, 0);
	int64_t now = 3600 * SECOND;
	int reverted = 0;
	for (int times = 0; times < 20; times++, now += 60 * SECOND) {
		WiceRoamVerdict verdict = see(&roam, 1, now);
		if (verdict == WICE_ROAM_ADOPT)
			break;
		ck_assert_int_eq(verdict, WICE_ROAM_STAY);
		ck_assert_int_eq(see(&roam, 1, now + 4 * SECOND), WICE_ROAM_REASSERT);
		reverted++;
	}
	ck_assert_int_eq(reverted, 3);
	ck_assert_int_eq(roam.selected.port, 1);
	ck_assert_int_eq(see(&roam, 1, now + SECOND), WICE_ROAM_STAY);
}
END_TEST

START_TEST(an_unknown_address_is_respected_and_reported_once)
{
	for (int controlling = 0; controlling < 2; controlling++) {
		WiceRoam roam;
		wice__roam_init(&roam, controlling);
		select_path(&roam, 2, 0);
		ck_assert_int_eq(see_unknown(&roam, 7, 10), WICE_ROAM_FOREIGN);
		for (int64_t now = 20; now < 60 * SECOND; now += 20)
			ck_assert_int_eq(see_unknown(&roam, 7, now), WICE_ROAM_STAY);
		ck_assert_int_eq(see_unknown(&roam, 8, 60 * SECOND), WICE_ROAM_FOREIGN);
		ck_assert_int_eq(roam.selected.port, 2);
	}
}
END_TEST

SUITE_MAIN("roam", nothing_is_said_about_a_peer_without_a_path,
	   the_controlling_end_insists_after_its_switch, the_controlled_end_follows,
	   insisting_in_vain_ends, a_path_that_ice_has_not_shown_to_work_is_soon_given_up,
	   long_after_a_switch_the_peer_is_followed_for_a_while, a_hand_that_insists_prevails,
	   an_unknown_address_is_respected_and_reported_once)
