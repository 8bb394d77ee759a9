/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Changing the interface and its peers. */
#include "conformance/wg/conformance.h"
#include "conformance/wg/state.h"

#include <wice/error.h>

/* A subject whose device has so many peers; their keys are those of state_key(1000...). */
static TestSubject *start(int number, unsigned n_peers, unsigned n_ips)
{
	TestSubject *subject = conformance_start(number);
	if (!subject)
		return NULL;
	g_autoptr(WiceDevice) state = state_new(SUBJECT_NAME, n_peers, n_ips);
	subject->set(subject, state);
	return subject;
}

static unsigned change_peer(TestSubject *subject, const WicePeerChange *peer, WiceDevice **ret)
{
	WiceDeviceChange change = { .size = sizeof change, .n_peers = 1, .peers = peer };
	return conformance_change(subject, &change, ret);
}

START_TEST(each_field_of_the_interface_is_set_alone)
{
	TestSubject *subject = start(_i, 5, 2);
	if (!subject)
		return;
	WiceDeviceChange change = { .size = sizeof change };
	wice_key_generate_private(&change.private_key);
	change.fields = WICE_DEVICE_HAS_PRIVATE_KEY;
	ck_assert_uint_eq(conformance_change(subject, &change, NULL), WICE_CHANGE_PRIVATE_KEY);
	change.fields = WICE_DEVICE_HAS_LISTEN_PORT;
	change.listen_port = 12345;
	ck_assert_uint_eq(conformance_change(subject, &change, NULL), WICE_CHANGE_LISTEN_PORT);
	change.fields = WICE_DEVICE_HAS_FWMARK;
	change.fwmark = 0xfffffffe;
	ck_assert_uint_eq(conformance_change(subject, &change, NULL), WICE_CHANGE_FWMARK);
	conformance_stop(subject);
}
END_TEST

START_TEST(each_field_of_the_interface_is_taken_away)
{
	TestSubject *subject = start(_i, 5, 2);
	if (!subject)
		return;
	WiceDevice *device;
	WiceDeviceChange change = { .size = sizeof change, .fields = WICE_DEVICE_HAS_FWMARK };
	ck_assert_uint_eq(conformance_change(subject, &change, NULL), WICE_CHANGE_FWMARK);
	change.fields = WICE_DEVICE_HAS_PRIVATE_KEY;
	ck_assert_uint_eq(conformance_change(subject, &change, &device), WICE_CHANGE_PRIVATE_KEY);
	ck_assert_uint_eq(wice_device_info(device)->fields, WICE_DEVICE_HAS_LISTEN_PORT);
	wice_device_unref(device);
	conformance_stop(subject);
}
END_TEST

/* Which port that is is the system's business, and when. */
START_TEST(the_system_may_choose_the_port)
{
	TestSubject *subject = start(_i, 5, 2);
	if (!subject)
		return;
	WiceDeviceChange change = { .size = sizeof change, .fields = WICE_DEVICE_HAS_LISTEN_PORT };
	g_autoptr(WicePlan) plan = wice_plan_new(&change, NULL);
	g_autoptr(WiceDevice) before = conformance_device(subject);
	ck_assert(conformance_set(subject, SUBJECT_NAME, plan, NULL));
	g_autoptr(WiceDevice) after = conformance_device(subject);
	unsigned changes = wice_device_diff(before, after, NULL, NULL);
	ck_assert_uint_eq(changes | WICE_CHANGE_LISTEN_PORT, WICE_CHANGE_LISTEN_PORT);
	conformance_stop(subject);
}
END_TEST

START_TEST(each_field_of_a_peer_is_set_alone)
{
	TestSubject *subject = start(_i, 12, 2);
	if (!subject)
		return;
	for (unsigned i = 0; i < 12; i++) {
		WicePeerChange peer = { .public_key = state_key(1000 + i),
					.preshared_key = state_key(i + 1),
					.endpoint = state_endpoint("198.51.100.1:1"),
					.keepalive_s = 65535 };
		peer.fields = WICE_PEER_HAS_PRESHARED_KEY;
		ck_assert_uint_eq(change_peer(subject, &peer, NULL), WICE_CHANGE_PRESHARED_KEY);
		peer.flags = i % 2 ? WICE_PEER_CHANGE_UPDATE_ONLY : 0;
		peer.fields = WICE_PEER_HAS_ENDPOINT;
		ck_assert_uint_eq(change_peer(subject, &peer, NULL), WICE_CHANGE_ENDPOINT);
		peer.endpoint = state_endpoint("[2001:db8:ffff::1]:65535");
		ck_assert_uint_eq(change_peer(subject, &peer, NULL), WICE_CHANGE_ENDPOINT);
		peer.fields = WICE_PEER_HAS_KEEPALIVE;
		ck_assert_uint_eq(change_peer(subject, &peer, NULL), WICE_CHANGE_KEEPALIVE);
	}
	conformance_stop(subject);
}
END_TEST

START_TEST(fields_of_a_peer_are_taken_away)
{
	TestSubject *subject = start(_i, 1, 2);
	if (!subject)
		return;
	WiceDevice *device;
	WicePeerChange peer = { .public_key = state_key(1000) };
	peer.fields = WICE_PEER_HAS_PRESHARED_KEY;
	ck_assert_uint_eq(change_peer(subject, &peer, NULL), WICE_CHANGE_PRESHARED_KEY);
	peer.fields = WICE_PEER_HAS_KEEPALIVE;
	ck_assert_uint_eq(change_peer(subject, &peer, &device), WICE_CHANGE_KEEPALIVE);
	ck_assert_uint_eq(wice_device_info(device)->peers[0].fields, 0);
	wice_device_unref(device);
	conformance_stop(subject);
}
END_TEST

START_TEST(peers_are_added_and_removed)
{
	TestSubject *subject = start(_i, 5, 2);
	if (!subject)
		return;
	WicePeerChange peer = { .public_key = state_key(7),
				.fields = WICE_PEER_HAS_PRESHARED_KEY | WICE_PEER_HAS_ENDPOINT |
					  WICE_PEER_HAS_KEEPALIVE,
				.preshared_key = state_key(8),
				.endpoint = state_endpoint("198.51.100.1:1"),
				.keepalive_s = 25 };
	peer.flags = WICE_PEER_CHANGE_UPDATE_ONLY;
	ck_assert_uint_eq(change_peer(subject, &peer, NULL), 0);
	peer.flags = WICE_PEER_CHANGE_REMOVE;
	ck_assert_uint_eq(change_peer(subject, &peer, NULL), 0);
	peer.flags = 0;
	ck_assert_uint_eq(change_peer(subject, &peer, NULL) & WICE_CHANGE_PEER_ADDED,
			  WICE_CHANGE_PEER_ADDED);
	ck_assert_uint_eq(change_peer(subject, &peer, NULL), 0);
	WicePeerChange bare = { .public_key = state_key(9) };
	ck_assert_uint_eq(change_peer(subject, &bare, NULL) & WICE_CHANGE_PEER_ADDED,
			  WICE_CHANGE_PEER_ADDED);
	peer.flags = WICE_PEER_CHANGE_REMOVE | WICE_PEER_CHANGE_UPDATE_ONLY;
	ck_assert_uint_eq(change_peer(subject, &peer, NULL) & WICE_CHANGE_PEER_REMOVED,
			  WICE_CHANGE_PEER_REMOVED);
	conformance_stop(subject);
}
END_TEST

START_TEST(all_peers_are_replaced)
{
	TestSubject *subject = start(_i, 20, 3);
	if (!subject)
		return;
	WiceDevice *device;
	WicePeerChange peers[] = { { .public_key = state_key(1003) },
				   { .public_key = state_key(7) } };
	WiceDeviceChange change = { .size = sizeof change,
				    .flags = WICE_DEVICE_CHANGE_REPLACE_PEERS,
				    .n_peers = 2,
				    .peers = peers };
	conformance_change(subject, &change, &device);
	ck_assert_uint_eq(wice_device_info(device)->n_peers, 2);
	ck_assert_uint_eq(wice_device_info(device)->peers[0].n_allowed_ips, 0);
	wice_device_unref(device);
	change.n_peers = 0;
	conformance_change(subject, &change, &device);
	ck_assert_uint_eq(wice_device_info(device)->n_peers, 0);
	wice_device_unref(device);
	conformance_stop(subject);
}
END_TEST

START_TEST(a_peer_may_come_more_than_once)
{
	TestSubject *subject = start(_i, 3, 1);
	if (!subject)
		return;
	WiceDevice *device;
	WicePeerChange peers[] = {
		{ .public_key = state_key(1000), .flags = WICE_PEER_CHANGE_REMOVE },
		{ .public_key = state_key(1000),
		  .fields = WICE_PEER_HAS_KEEPALIVE,
		  .keepalive_s = 1 },
		{ .public_key = state_key(1001),
		  .fields = WICE_PEER_HAS_KEEPALIVE,
		  .keepalive_s = 9 },
		{ .public_key = state_key(1000),
		  .fields = WICE_PEER_HAS_KEEPALIVE,
		  .keepalive_s = 2 },
	};
	WiceDeviceChange change = { .size = sizeof change, .n_peers = 4, .peers = peers };
	conformance_change(subject, &change, &device);
	const WiceDevicePeer *peer = wice_device_find_peer(device, &peers[0].public_key);
	ck_assert_uint_eq(peer->keepalive_s, 2);
	ck_assert_uint_eq(peer->n_allowed_ips, 0);
	wice_device_unref(device);
	conformance_stop(subject);
}
END_TEST

START_TEST(the_own_key_is_no_peer)
{
	TestSubject *subject = start(_i, 3, 1);
	if (!subject)
		return;
	g_autoptr(WiceDevice) device = conformance_device(subject);
	WicePeerChange own = { .public_key = wice_device_info(device)->public_key,
			       .fields = WICE_PEER_HAS_KEEPALIVE,
			       .keepalive_s = 25 };
	ck_assert_uint_eq(change_peer(subject, &own, NULL), 0);

	WiceDeviceChange change = { .size = sizeof change, .fields = WICE_DEVICE_HAS_PRIVATE_KEY };
	WicePeerChange peer = { 0 };
	wice_key_generate_private(&change.private_key);
	wice_key_public(&change.private_key, &peer.public_key);
	ck_assert_uint_eq(change_peer(subject, &peer, NULL) & WICE_CHANGE_PEER_ADDED,
			  WICE_CHANGE_PEER_ADDED);
	ck_assert_uint_eq(conformance_change(subject, &change, NULL) & WICE_CHANGE_PEER_REMOVED,
			  WICE_CHANGE_PEER_REMOVED);
	conformance_stop(subject);
}
END_TEST

START_TEST(nothing_is_set_where_there_is_no_device)
{
	TestSubject *subject = start(_i, 3, 1);
	if (!subject)
		return;
	static const char *const names[] = { "wgtest9", "lo" };
	WiceDeviceChange change = { .size = sizeof change,
				    .flags = WICE_DEVICE_CHANGE_REPLACE_PEERS };
	g_autoptr(WicePlan) plan = wice_plan_new(&change, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autoptr(GError) error = NULL;
		ck_assert(!conformance_set(subject, names[i], plan, &error));
		ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_NOT_FOUND));
	}
	change.flags = 0;
	ck_assert_uint_eq(conformance_change(subject, &change, NULL), 0);
	conformance_stop(subject);
}
END_TEST

void conformance_add_setting(TCase *tcase, int number)
{
	static const TTest *const *tests[] = { &each_field_of_the_interface_is_set_alone,
					       &each_field_of_the_interface_is_taken_away,
					       &the_system_may_choose_the_port,
					       &each_field_of_a_peer_is_set_alone,
					       &fields_of_a_peer_are_taken_away,
					       &peers_are_added_and_removed,
					       &all_peers_are_replaced,
					       &a_peer_may_come_more_than_once,
					       &the_own_key_is_no_peer,
					       &nothing_is_set_where_there_is_no_device };
	for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
		tcase_add_loop_test(tcase, *tests[i], number, number + 1);
}
