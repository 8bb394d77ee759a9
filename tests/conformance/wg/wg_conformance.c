/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every backend does in the same way, whoever implements the device. Each test runs over all
 * subjects, each in a process of its own, because some enter namespaces.
 */
#include "conformance/wg/played.h"
#include "conformance/wg/real.h"
#include "conformance/wg/state.h"
#include "conformance/wg/subject.h"
#include "event/source.h"
#include "suite.h"
#include "wg/whole_lists.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

TestSubject *const subjects[] = { &fake_subject,
				  &played_kernel_subject,
				  &played_uapi_subject,
				  &played_gotatun_subject,
				  &kernel_subject,
				  &wireguard_go_subject,
				  NULL };

#define N_SUBJECTS (G_N_ELEMENTS(subjects) - 1)
#define PATIENCE_MS 60000

static TestSubject *start(int number)
{
	TestSubject *subject = subjects[number];
	return subject->start(subject) ? subject : NULL;
}

/* A userspace process on a machine under load may be late: then ask again. */
static int get(TestSubject *subject, const char *name, WiceDevice **ret)
{
	int64_t deadline = wice__now_ms() + PATIENCE_MS;
	int r;
	do
		r = subject->backend->ops->get(subject->backend, name, deadline, ret);
	while (r == -ETIMEDOUT && wice__now_ms() < deadline);
	return r;
}

static WiceDevice *get_device(TestSubject *subject)
{
	WiceDevice *device = NULL;
	ck_assert_int_eq(get(subject, SUBJECT_NAME, &device), 0);
	return device;
}

static int update(TestSubject *subject, const char *name, const WicePeerUpdate *changes)
{
	int64_t deadline = wice__now_ms() + PATIENCE_MS;
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
	ck_assert_int_eq(state_list(subject->backend, names, wice__now_ms() + PATIENCE_MS), 0);
	for (guint i = 0; i < names->len; i++)
		found = found || strcmp(names->pdata[i], SUBJECT_NAME) == 0;
	g_ptr_array_unref(names);
	return found;
}

START_TEST(a_device_is_read_as_it_was_set)
{
	TestSubject *subject = start(_i);
	if (!subject)
		return;
	WiceDevice *state = state_new(SUBJECT_NAME, 40, 7);
	subject->set(subject, state);
	WiceDevice *device = get_device(subject);
	const WiceDeviceInfo *info = wice_device_info(device);
	ck_assert_str_eq(info->name, SUBJECT_NAME);
	ck_assert_int_eq(info->kind, subject->backend->ops->kind);
	ck_assert(!subject->real || info->ifindex != 0);
	ck_assert_uint_eq(info->fields, wice_device_info(state)->fields);
	state_assert_same(state, device);
	wice_device_unref(device);
	wice_device_unref(state);
	subject->stop(subject);
}
END_TEST

START_TEST(a_large_device_is_whole)
{
	TestSubject *subject = start(_i);
	if (!subject)
		return;
	WiceDevice *state = state_new(SUBJECT_NAME, 2000, 3);
	subject->set(subject, state);
	WiceDevice *device = get_device(subject);
	state_assert_same(state, device);
	wice_device_unref(device);
	wice_device_unref(state);
	subject->stop(subject);
}
END_TEST

START_TEST(a_peer_with_many_allowed_ips_is_whole)
{
	TestSubject *subject = start(_i);
	if (!subject)
		return;
	WiceDevice *state = state_new(SUBJECT_NAME, 2, 5000);
	subject->set(subject, state);
	WiceDevice *device = get_device(subject);
	state_assert_same(state, device);
	wice_device_unref(device);
	wice_device_unref(state);
	subject->stop(subject);
}
END_TEST

START_TEST(devices_are_listed_while_they_exist)
{
	TestSubject *subject = start(_i);
	if (!subject)
		return;
	WiceDevice *state = state_new(SUBJECT_NAME, 1, 1), *device = NULL;
	WicePeerUpdate changes = { .size = sizeof changes, .set_keepalive = true };
	ck_assert(!is_listed(subject));
	ck_assert_int_eq(get(subject, SUBJECT_NAME, &device), -ENODEV);
	for (int round = 0; round < 2; round++) {
		subject->set(subject, state);
		ck_assert(is_listed(subject) || subject->no_interface);
		device = get_device(subject);
		wice_device_unref(device);
		subject->remove(subject);
		ck_assert(!is_listed(subject));
		ck_assert_int_eq(get(subject, SUBJECT_NAME, &device), -ENODEV);
		ck_assert_int_eq(update(subject, SUBJECT_NAME, &changes), -ENODEV);
	}
	wice_device_unref(state);
	subject->stop(subject);
}
END_TEST

START_TEST(other_interfaces_are_no_devices)
{
	TestSubject *subject = start(_i);
	if (!subject)
		return;
	WiceDevice *device = NULL;
	WicePeerUpdate changes = { .size = sizeof changes, .set_keepalive = true };
	ck_assert_int_eq(get(subject, "lo", &device), -ENODEV);
	ck_assert_int_eq(update(subject, "lo", &changes), -ENODEV);
	ck_assert_ptr_null(device);
	subject->stop(subject);
}
END_TEST

/*
 * Makes one change and expects nothing else to have changed: not the other peers, not the
 * interface.
 */
static void assert_changes(TestSubject *subject, const WicePeerUpdate *changes, unsigned expected)
{
	WiceDevice *before = get_device(subject);
	ck_assert_int_eq(update(subject, SUBJECT_NAME, changes), 0);
	WiceDevice *after = get_device(subject);
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
	TestSubject *subject = start(_i);
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
	subject->stop(subject);
}
END_TEST

START_TEST(a_link_local_endpoint_keeps_its_scope)
{
	TestSubject *subject = start(_i);
	if (!subject)
		return;
	WiceDevice *state = state_new(SUBJECT_NAME, 1, 1);
	subject->set(subject, state);
	WicePeerUpdate changes = { .size = sizeof changes,
				   .public_key = state_key(1000),
				   .set_endpoint = true,
				   .endpoint = state_endpoint("[fe80::1%1]:9") };
	ck_assert_int_eq(update(subject, SUBJECT_NAME, &changes), 0);
	WiceDevice *device = get_device(subject);
	WiceEndpoint endpoint = wice_device_info(device)->peers[0].endpoint;
	if (subject->drops_scope && endpoint.scope == 0)
		endpoint.scope = 1;
	ck_assert_int_eq(wice_endpoint_compare(&endpoint, &changes.endpoint), 0);
	wice_device_unref(device);
	wice_device_unref(state);
	subject->stop(subject);
}
END_TEST

START_TEST(an_unknown_peer_is_not_made)
{
	TestSubject *subject = start(_i);
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
	subject->stop(subject);
}
END_TEST

/* As the facade does it: where single allowed IPs cannot be taken away, with whole lists. */
static int set(TestSubject *subject, const WicePlan *plan, const WiceDevice *before)
{
	WiceWgBackend *backend = subject->backend;
	int64_t deadline = wice__now_ms() + PATIENCE_MS;
	int r;
	do {
		r = backend->ops->set(backend, SUBJECT_NAME, wice_plan_change(plan), deadline);
		if (r == -ENOPROTOOPT) {
			g_autoptr(WiceWholeLists) lists = wice__whole_lists_new(plan, before);
			r = backend->ops->set(backend, SUBJECT_NAME,
					      wice__whole_lists_change(lists), deadline);
		}
	} while (r == -ETIMEDOUT && wice__now_ms() < deadline);
	return r;
}

/* Sets the change and expects what its plan foretells. */
static void assert_result(TestSubject *subject, const WiceDeviceChange *change)
{
	g_autoptr(WicePlan) plan = wice_plan_new(change, NULL);
	ck_assert_ptr_nonnull(plan);
	WiceDevice *before = get_device(subject);
	WiceDevice *expected = wice_plan_result(plan, before);
	ck_assert_int_eq(set(subject, plan, before), 0);
	WiceDevice *after = get_device(subject);
	state_assert_same(expected, after);
	wice_device_unref(after);
	wice_device_unref(expected);
	wice_device_unref(before);
}

static WiceAllowedIpChange allowed_ip(const char *text, bool remove)
{
	WiceAllowedIpChange change = { .remove = remove };
	ck_assert(wice_prefix_parse(text, &change.prefix));
	return change;
}

START_TEST(a_plan_has_the_result_that_it_foretells)
{
	TestSubject *subject = start(_i);
	if (!subject)
		return;
	WiceDevice *state = state_new(SUBJECT_NAME, 6, 2); /* peer 1 has 10.0.0.2 and fd00:0:3:: */
	subject->set(subject, state);
	const WiceAllowedIpChange ips[] = { allowed_ip("10.0.0.2/32", false),
					    allowed_ip("fd00:0:5::/64", true),
					    allowed_ip("192.0.2.0/24", false) };
	WicePeerChange peers[] = {
		{ .flags = WICE_PEER_CHANGE_REMOVE, .public_key = state_key(1000) },
		{ .flags = WICE_PEER_CHANGE_REMOVE, .public_key = state_key(5) },
		{ .flags = WICE_PEER_CHANGE_UPDATE_ONLY,
		  .fields = WICE_PEER_HAS_PRESHARED_KEY | WICE_PEER_HAS_KEEPALIVE,
		  .public_key = state_key(1004) },
		{ .flags = WICE_PEER_CHANGE_UPDATE_ONLY | WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS,
		  .fields = WICE_PEER_HAS_ENDPOINT,
		  .public_key = state_key(6),
		  .endpoint = state_endpoint("192.0.2.1:1") },
		/* Takes one from peer 1, and its own second one away. */
		{ .public_key = state_key(1002), .n_allowed_ips = 3, .allowed_ips = ips },
		{ .flags = WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS,
		  .public_key = state_key(1003),
		  .n_allowed_ips = 1,
		  .allowed_ips = ips + 2 },
		{ .fields = WICE_PEER_HAS_PRESHARED_KEY | WICE_PEER_HAS_ENDPOINT |
			    WICE_PEER_HAS_KEEPALIVE,
		  .public_key = state_key(7),
		  .preshared_key = state_key(8),
		  .endpoint = state_endpoint("[2001:db8::1]:65535"),
		  .keepalive_s = 65535 },
		{ .public_key = state_key(9) },
	};
	WiceDeviceChange change = { .size = sizeof change, .peers = peers };
	for (size_t i = 0; i < G_N_ELEMENTS(peers); i++) { /* one by one, then all in one */
		change.n_peers = 1;
		change.peers = &peers[i];
		assert_result(subject, &change);
	}
	subject->set(subject, state);
	change.n_peers = G_N_ELEMENTS(peers);
	change.peers = peers;
	assert_result(subject, &change);
	assert_result(subject, &change);
	wice_device_unref(state);
	subject->stop(subject);
}
END_TEST

START_TEST(a_plan_of_the_interface_has_the_result_that_it_foretells)
{
	TestSubject *subject = start(_i);
	if (!subject)
		return;
	WiceDevice *state = state_new(SUBJECT_NAME, 3, 1);
	subject->set(subject, state);
	WiceDeviceChange change = { .size = sizeof change };
	change.fields = WICE_DEVICE_HAS_LISTEN_PORT | WICE_DEVICE_HAS_FWMARK;
	change.listen_port = 51899;
	assert_result(subject, &change);
	change.fields = WICE_DEVICE_HAS_PRIVATE_KEY;
	wice_key_generate_private(&change.private_key);
	assert_result(subject, &change);
	change.flags = WICE_DEVICE_CHANGE_REPLACE_PEERS;
	assert_result(subject, &change);
	wice_device_unref(state);
	subject->stop(subject);
}
END_TEST

START_TEST(a_large_plan_arrives_whole)
{
	TestSubject *subject = start(_i);
	if (!subject)
		return;
	WiceDevice *empty = state_new(SUBJECT_NAME, 0, 0), *wanted = state_new("", 2000, 3);
	subject->set(subject, empty);
	g_autoptr(WicePlan) plan = wice_plan_between(empty, wanted, 0);
	assert_result(subject, wice_plan_change(plan));
	wice_device_unref(wanted);
	wice_device_unref(empty);
	subject->stop(subject);
}
END_TEST

static void append_key(GString *line, bool present, const WiceKey *key)
{
	char text[WICE_KEY_BASE64_SIZE] = "(none)";
	if (present)
		wice_key_to_base64(key, text);
	g_string_append_printf(line, "%s\t", text);
}

static char *interface_line(const WiceDeviceInfo *info)
{
	GString *line = g_string_new(NULL);
	append_key(line, info->fields & WICE_DEVICE_HAS_PRIVATE_KEY, &info->private_key);
	append_key(line, info->fields & WICE_DEVICE_HAS_PUBLIC_KEY, &info->public_key);
	g_string_append_printf(line, "%u\t", info->listen_port);
	if (info->fwmark)
		g_string_append_printf(line, "0x%x", info->fwmark);
	else
		g_string_append(line, "off");
	return g_string_free(line, FALSE);
}

static gint compare_texts(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static char *join_sorted(char **texts)
{
	qsort(texts, g_strv_length(texts), sizeof *texts, compare_texts);
	return g_strjoinv(",", texts);
}

static char *peer_line(const WiceDevicePeer *peer)
{
	char text[WICE_ENDPOINT_SIZE], ip[WICE_PREFIX_SIZE];
	GString *line = g_string_new(NULL);
	append_key(line, true, &peer->public_key);
	append_key(line, peer->fields & WICE_PEER_HAS_PRESHARED_KEY, &peer->preshared_key);
	g_string_append_printf(line, "%s\t", wice_endpoint_format(&peer->endpoint, text));
	g_auto(GStrv) ips = g_new0(char *, peer->n_allowed_ips + 1);
	for (size_t i = 0; i < peer->n_allowed_ips; i++)
		ips[i] = g_strdup(wice_prefix_format(&peer->allowed_ips[i], ip));
	g_autofree char *joined = join_sorted(ips);
	g_string_append_printf(
		line, "%s\t%" G_GINT64_FORMAT "\t%" G_GUINT64_FORMAT "\t%" G_GUINT64_FORMAT "\t",
		*joined ? joined : "(none)", peer->handshake_ns / 1000000000, peer->rx_bytes,
		peer->tx_bytes);
	if (peer->keepalive_s)
		g_string_append_printf(line, "%u", peer->keepalive_s);
	else
		g_string_append(line, "off");
	return g_string_free(line, FALSE);
}

/* wg(8) prints peers and allowed IPs in the device's order: sorts the allowed IPs of its line. */
static char *sort_allowed_ips(const char *line)
{
	g_auto(GStrv) columns = g_strsplit(line, "\t", -1);
	if (g_strv_length(columns) == 8) {
		g_auto(GStrv) ips = g_strsplit(columns[3], ",", -1);
		g_free(columns[3]);
		columns[3] = join_sorted(ips);
	}
	return g_strjoinv("\t", columns);
}

static void assert_same_lines(char **ours, char **theirs)
{
	guint n = g_strv_length(ours);
	ck_assert_uint_eq(n, g_strv_length(theirs));
	qsort(ours, n, sizeof *ours, compare_texts);
	qsort(theirs, n, sizeof *theirs, compare_texts);
	for (guint i = 0; i < n; i++)
		ck_assert_str_eq(ours[i], theirs[i]);
}

START_TEST(all_fields_are_those_that_wg_shows)
{
	TestSubject *subject = subjects[_i]->real ? start(_i) : NULL;
	if (!subject)
		return;
	WiceDevice *state = state_new(SUBJECT_NAME, 60, 5);
	subject->set(subject, state);
	WiceDevice *device = get_device(subject);
	const WiceDeviceInfo *info = wice_device_info(device);
	g_autofree char *dump = real_dump();
	g_auto(GStrv) theirs = g_strsplit(g_strchomp(dump), "\n", -1);
	g_auto(GStrv) ours = g_new0(char *, info->n_peers + 2);
	ours[0] = interface_line(info);
	for (size_t i = 0; i < info->n_peers; i++)
		ours[i + 1] = peer_line(&info->peers[i]);
	for (guint i = 0; theirs[i]; i++) {
		char *sorted = sort_allowed_ips(theirs[i]);
		g_free(theirs[i]);
		theirs[i] = sorted;
	}
	assert_same_lines(ours, theirs);
	wice_device_unref(device);
	wice_device_unref(state);
	subject->stop(subject);
}
END_TEST

int main(void)
{
	static const TTest *const *tests[] = {
		&a_device_is_read_as_it_was_set,
		&a_large_device_is_whole,
		&a_peer_with_many_allowed_ips_is_whole,
		&devices_are_listed_while_they_exist,
		&other_interfaces_are_no_devices,
		&an_update_changes_what_it_says_and_nothing_else,
		&a_link_local_endpoint_keeps_its_scope,
		&an_unknown_peer_is_not_made,
		&a_plan_has_the_result_that_it_foretells,
		&a_plan_of_the_interface_has_the_result_that_it_foretells,
		&a_large_plan_arrives_whole,
		&all_fields_are_those_that_wg_shows
	};
	Suite *suite = suite_create("wg conformance");
	for (int i = 0; i < (int)N_SUBJECTS; i++) {
		TCase *tcase = tcase_create(subjects[i]->name);
		tcase_set_timeout(tcase, SUITE_TIMEOUT_S);
		for (size_t j = 0; j < G_N_ELEMENTS(tests); j++)
			tcase_add_loop_test(tcase, *tests[j], i, i + 1);
		suite_add_tcase(suite, tcase);
	}
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
