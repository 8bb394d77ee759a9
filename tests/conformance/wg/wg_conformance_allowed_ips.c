/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Whose allowed IPs are whose. Three peers, of which each has four to begin with. */
#include "conformance/wg/conformance.h"
#include "conformance/wg/state.h"

#define N_PEERS 3
#define N_IPS 4

static TestSubject *start(int number)
{
	TestSubject *subject = conformance_start(number);
	if (!subject)
		return NULL;
	g_autoptr(WiceDevice) state = state_new(SUBJECT_NAME, N_PEERS, N_IPS);
	subject->set(subject, state);
	return subject;
}

/* A prefix, and a minus before it if it is to be taken away. */
static WiceAllowedIpChange allowed_ip(const char *text)
{
	WiceAllowedIpChange ip = { .remove = *text == '-' };
	ck_assert_msg(wice_prefix_parse(text + ip.remove, &ip.prefix), "%s", text);
	return ip;
}

static WiceAllowedIpChange ip_of(TestSubject *subject, unsigned number, size_t index, bool remove)
{
	g_autoptr(WiceDevice) device = conformance_device(subject);
	WiceKey key = state_key(1000 + number);
	const WiceDevicePeer *peer = wice_device_find_peer(device, &key);
	ck_assert_uint_lt(index, peer->n_allowed_ips);
	return (WiceAllowedIpChange){ .prefix = peer->allowed_ips[index], .remove = remove };
}

/* Changes the allowed IPs of one peer. */
static unsigned change(TestSubject *subject, unsigned number, unsigned flags,
		       const WiceAllowedIpChange *ips, size_t n_ips)
{
	WicePeerChange peer = { .flags = flags,
				.public_key = state_key(1000 + number),
				.n_allowed_ips = n_ips,
				.allowed_ips = ips };
	WiceDeviceChange device = { .size = sizeof device, .n_peers = 1, .peers = &peer };
	return conformance_change(subject, &device, NULL);
}

static void assert_count(TestSubject *subject, unsigned number, size_t expected)
{
	g_autoptr(WiceDevice) device = conformance_device(subject);
	WiceKey key = state_key(1000 + number);
	ck_assert_uint_eq(wice_device_find_peer(device, &key)->n_allowed_ips, expected);
}

START_TEST(allowed_ips_are_added)
{
	TestSubject *subject = start(_i);
	if (!subject)
		return;
	WiceAllowedIpChange ips[] = { allowed_ip("0.0.0.0/0"),      allowed_ip("::/0"),
				      allowed_ip("172.16.0.0/12"),  allowed_ip("172.16.0.0/13"),
				      allowed_ip("172.16.0.0/32"),  allowed_ip("2001:db8::/127"),
				      allowed_ip("2001:db8::/128"), allowed_ip("172.16.0.0/12") };
	ck_assert_uint_eq(change(subject, 0, 0, ips, G_N_ELEMENTS(ips)), WICE_CHANGE_ALLOWED_IPS);
	assert_count(subject, 0, N_IPS + 7);
	ck_assert_uint_eq(change(subject, 0, 0, ips, G_N_ELEMENTS(ips)), 0);
	conformance_stop(subject);
}
END_TEST

START_TEST(allowed_ips_are_replaced)
{
	TestSubject *subject = start(_i);
	if (!subject)
		return;
	WiceAllowedIpChange ips[] = { allowed_ip("172.16.0.0/12"), ip_of(subject, 0, 1, false) };
	unsigned flags = WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS;
	ck_assert_uint_eq(change(subject, 0, flags, ips, 2), WICE_CHANGE_ALLOWED_IPS);
	assert_count(subject, 0, 2);
	flags |= WICE_PEER_CHANGE_UPDATE_ONLY;
	ck_assert_uint_eq(change(subject, 0, flags, NULL, 0), WICE_CHANGE_ALLOWED_IPS);
	assert_count(subject, 0, 0);
	assert_count(subject, 1, N_IPS);
	conformance_stop(subject);
}
END_TEST

START_TEST(single_allowed_ips_are_taken_away)
{
	TestSubject *subject = start(_i);
	if (!subject)
		return;
	WiceAllowedIpChange ips[] = { ip_of(subject, 1, 0, true), ip_of(subject, 1, 2, true),
				      allowed_ip("192.168.0.0/16") };
	unsigned only = WICE_PEER_CHANGE_UPDATE_ONLY;
	ck_assert_uint_eq(change(subject, 1, only, ips, 3), WICE_CHANGE_ALLOWED_IPS);
	assert_count(subject, 1, N_IPS - 1);
	ck_assert_uint_eq(change(subject, 1, only, ips, 3), 0);
	conformance_stop(subject);
}
END_TEST

START_TEST(nobody_loses_what_is_taken_from_another)
{
	TestSubject *subject = start(_i);
	if (!subject)
		return;
	WiceAllowedIpChange ips[] = { ip_of(subject, 2, 0, true), allowed_ip("-203.0.113.0/24") };
	ck_assert_uint_eq(change(subject, 1, 0, ips, 2), 0);
	assert_count(subject, 2, N_IPS);
	conformance_stop(subject);
}
END_TEST

START_TEST(an_allowed_ip_moves_to_the_peer_that_gets_it)
{
	TestSubject *subject = start(_i);
	if (!subject)
		return;
	WiceAllowedIpChange ips[] = { ip_of(subject, 2, 0, false), ip_of(subject, 0, 3, false) };
	ck_assert_uint_eq(change(subject, 1, 0, ips, 2), WICE_CHANGE_ALLOWED_IPS);
	assert_count(subject, 0, N_IPS - 1);
	assert_count(subject, 1, N_IPS + 2);
	assert_count(subject, 2, N_IPS - 1);
	conformance_stop(subject);
}
END_TEST

/* All at once, in an order that matters. */
START_TEST(allowed_ips_go_round)
{
	TestSubject *subject = start(_i);
	if (!subject)
		return;
	WiceAllowedIpChange first[] = { ip_of(subject, 1, 0, false), ip_of(subject, 0, 1, true) };
	WiceAllowedIpChange second[] = { ip_of(subject, 0, 1, false), ip_of(subject, 0, 0, false),
					 ip_of(subject, 1, 0, true) };
	WiceAllowedIpChange third[] = { ip_of(subject, 1, 0, false), ip_of(subject, 2, 3, true) };
	WicePeerChange peers[] = {
		{ .public_key = state_key(1000), .n_allowed_ips = 2, .allowed_ips = first },
		{ .public_key = state_key(1001), .n_allowed_ips = 3, .allowed_ips = second },
		{ .public_key = state_key(1002), .n_allowed_ips = 2, .allowed_ips = third },
	};
	WiceDeviceChange round = { .size = sizeof round, .n_peers = 3, .peers = peers };
	ck_assert_uint_eq(conformance_change(subject, &round, NULL), WICE_CHANGE_ALLOWED_IPS);
	assert_count(subject, 0, N_IPS - 2);
	assert_count(subject, 1, N_IPS + 1);
	assert_count(subject, 2, N_IPS);
	conformance_stop(subject);
}
END_TEST

void conformance_add_allowed_ips(TCase *tcase, int number)
{
	static const TTest *const *tests[] = { &allowed_ips_are_added,
					       &allowed_ips_are_replaced,
					       &single_allowed_ips_are_taken_away,
					       &nobody_loses_what_is_taken_from_another,
					       &an_allowed_ip_moves_to_the_peer_that_gets_it,
					       &allowed_ips_go_round };
	for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
		tcase_add_loop_test(tcase, *tests[i], number, number + 1);
}
