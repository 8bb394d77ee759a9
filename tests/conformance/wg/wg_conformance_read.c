/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Listing and reading devices, and changing what there is of one peer. */
#include "conformance/wg/conformance.h"
#include "conformance/wg/state.h"
#include "event/source.h"

#include <errno.h>

static int update(TestSubject *subject, const char *name, const WicePeerUpdate *changes)
{
	int64_t deadline = wice__now_ms() + CONFORMANCE_PATIENCE_MS;
	int r;
	do
		r = state_update_peer(subject->backend, name, changes, deadline);
	while (r == -ETIMEDOUT && wice__now_ms() < deadline);
	return r;
}

static bool is_listed(TestSubject *subject)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	bool found = false;
	ck_assert_int_eq(
		state_list(subject->backend, names, wice__now_ms() + CONFORMANCE_PATIENCE_MS), 0);
	for (guint i = 0; i < names->len; i++)
		found = found || strcmp(names->pdata[i], SUBJECT_NAME) == 0;
	g_ptr_array_unref(names);
	return found;
}

START_TEST(a_device_is_read_as_it_was_set)
{
	TestSubject *subject = conformance_start(_i);
	if (!subject)
		return;
	WiceDevice *state = state_new(SUBJECT_NAME, 40, 7);
	subject->set(subject, state);
	WiceDevice *device = conformance_device(subject);
	const WiceDeviceInfo *info = wice_device_info(device);
	ck_assert_str_eq(info->name, SUBJECT_NAME);
	ck_assert_int_eq(info->kind, subject->backend->ops->kind);
	ck_assert(!subject->real || info->ifindex != 0);
	ck_assert_uint_eq(info->fields, wice_device_info(state)->fields);
	state_assert_same(state, device);
	wice_device_unref(device);
	wice_device_unref(state);
	conformance_stop(subject);
}
END_TEST

static void assert_whole(int number, unsigned n_peers, unsigned n_ips)
{
	TestSubject *subject = conformance_start(number);
	if (!subject)
		return;
	WiceDevice *state = state_new(SUBJECT_NAME, n_peers, n_ips);
	subject->set(subject, state);
	WiceDevice *device = conformance_device(subject);
	state_assert_same(state, device);
	wice_device_unref(device);
	wice_device_unref(state);
	conformance_stop(subject);
}

START_TEST(a_large_device_is_whole)
{
	assert_whole(_i, 2000, 3);
}
END_TEST

START_TEST(a_peer_with_many_allowed_ips_is_whole)
{
	assert_whole(_i, 2, 5000);
}
END_TEST

START_TEST(devices_are_listed_while_they_exist)
{
	TestSubject *subject = conformance_start(_i);
	if (!subject)
		return;
	WiceDevice *state = state_new(SUBJECT_NAME, 1, 1), *device = NULL;
	WicePeerUpdate changes = { .size = sizeof changes, .set_keepalive = true };
	ck_assert(!is_listed(subject));
	ck_assert_int_eq(conformance_get(subject, SUBJECT_NAME, &device), -ENODEV);
	for (int round = 0; round < 2; round++) {
		subject->set(subject, state);
		ck_assert(is_listed(subject) || subject->no_interface);
		device = conformance_device(subject);
		wice_device_unref(device);
		subject->remove(subject);
		ck_assert(!is_listed(subject));
		ck_assert_int_eq(conformance_get(subject, SUBJECT_NAME, &device), -ENODEV);
		ck_assert_int_eq(update(subject, SUBJECT_NAME, &changes), -ENODEV);
	}
	wice_device_unref(state);
	conformance_stop(subject);
}
END_TEST

START_TEST(other_interfaces_are_no_devices)
{
	TestSubject *subject = conformance_start(_i);
	if (!subject)
		return;
	WiceDevice *device = NULL;
	WicePeerUpdate changes = { .size = sizeof changes, .set_keepalive = true };
	ck_assert_int_eq(conformance_get(subject, "lo", &device), -ENODEV);
	ck_assert_int_eq(update(subject, "lo", &changes), -ENODEV);
	ck_assert_ptr_null(device);
	conformance_stop(subject);
}
END_TEST

/*
 * Makes one change and expects nothing else to have changed: not the other peers, not the
 * interface.
 */
static void assert_changes(TestSubject *subject, const WicePeerUpdate *changes, unsigned expected)
{
	WiceDevice *before = conformance_device(subject);
	ck_assert_int_eq(update(subject, SUBJECT_NAME, changes), 0);
	WiceDevice *after = conformance_device(subject);
	ck_assert_uint_eq(wice_device_diff(before, after, NULL, NULL), expected);
	const WiceDevicePeer *peer = wice_device_find_peer(after, &changes->public_key);
	if (changes->set_endpoint && expected)
		ck_assert_int_eq(wice_endpoint_compare(&peer->endpoint, &changes->endpoint), 0);
	if (changes->set_keepalive && expected)
		ck_assert_uint_eq(peer->keepalive_s, changes->keepalive_s);
	wice_device_unref(before);
	wice_device_unref(after);
}

START_TEST(an_update_changes_what_it_says_and_nothing_else)
{
	TestSubject *subject = conformance_start(_i);
	if (!subject)
		return;
	WiceDevice *state = state_new(SUBJECT_NAME, 12, 2);
	subject->set(subject, state);
	for (unsigned i = 0; i < 12; i++) { /* peers with and without endpoint, secret, keepalive */
		WicePeerUpdate changes = { .size = sizeof changes,
					   .public_key = state_key(1000 + i) };
		changes.set_endpoint = true;
		changes.endpoint = state_endpoint("198.51.100.1:1");
		assert_changes(subject, &changes, WICE_CHANGE_ENDPOINT);
		assert_changes(subject, &changes, 0);
		changes.endpoint = state_endpoint("[2001:db8:ffff::1]:65535");
		assert_changes(subject, &changes, WICE_CHANGE_ENDPOINT);
		changes.set_endpoint = false;
		changes.set_keepalive = true;
		changes.keepalive_s = 65535;
		assert_changes(subject, &changes, WICE_CHANGE_KEEPALIVE);
		changes.keepalive_s = 0;
		assert_changes(subject, &changes, WICE_CHANGE_KEEPALIVE);
		changes.set_endpoint = true;
		changes.endpoint = state_endpoint("127.128.0.9:9");
		changes.keepalive_s = 7;
		assert_changes(subject, &changes, WICE_CHANGE_ENDPOINT | WICE_CHANGE_KEEPALIVE);
	}
	wice_device_unref(state);
	conformance_stop(subject);
}
END_TEST

START_TEST(a_link_local_endpoint_keeps_its_scope)
{
	TestSubject *subject = conformance_start(_i);
	if (!subject)
		return;
	WiceDevice *state = state_new(SUBJECT_NAME, 1, 1);
	subject->set(subject, state);
	WicePeerUpdate changes = { .size = sizeof changes,
				   .public_key = state_key(1000),
				   .set_endpoint = true,
				   .endpoint = state_endpoint("[fe80::1%1]:9") };
	ck_assert_int_eq(update(subject, SUBJECT_NAME, &changes), 0);
	WiceDevice *device = conformance_device(subject);
	WiceEndpoint endpoint = wice_device_info(device)->peers[0].endpoint;
	if (subject->drops_scope && endpoint.scope == 0)
		endpoint.scope = 1;
	ck_assert_int_eq(wice_endpoint_compare(&endpoint, &changes.endpoint), 0);
	wice_device_unref(device);
	wice_device_unref(state);
	conformance_stop(subject);
}
END_TEST

START_TEST(an_unknown_peer_is_not_made)
{
	TestSubject *subject = conformance_start(_i);
	if (!subject)
		return;
	WiceDevice *state = state_new(SUBJECT_NAME, 5, 1);
	subject->set(subject, state);
	WicePeerUpdate changes = { .size = sizeof changes,
				   .public_key = state_key(7),
				   .set_endpoint = true,
				   .endpoint = state_endpoint("198.51.100.1:1"),
				   .set_keepalive = true,
				   .keepalive_s = 25 };
	assert_changes(subject, &changes, 0);
	wice_device_unref(state);
	conformance_stop(subject);
}
END_TEST

void conformance_add_reading(TCase *tcase, int number)
{
	static const TTest *const *tests[] = { &a_device_is_read_as_it_was_set,
					       &a_large_device_is_whole,
					       &a_peer_with_many_allowed_ips_is_whole,
					       &devices_are_listed_while_they_exist,
					       &other_interfaces_are_no_devices,
					       &an_update_changes_what_it_says_and_nothing_else,
					       &a_link_local_endpoint_keeps_its_scope,
					       &an_unknown_peer_is_not_made };
	for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
		tcase_add_loop_test(tcase, *tests[i], number, number + 1);
}
