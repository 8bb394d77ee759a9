/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The network interface: made, changed, deleted, where the subject can. */
#include "conformance/wg/conformance.h"
#include "conformance/wg/state.h"

#include <wice/error.h>

#define TIMEOUT_MS CONFORMANCE_PATIENCE_MS

static TestSubject *start_with_create(int number)
{
	TestSubject *subject = conformance_start(number);
	if (!subject || subject->ops->create)
		return subject;
	conformance_stop(subject);
	return NULL;
}

static TestSubject *start_with_link(int number)
{
	TestSubject *subject = conformance_start(number);
	if (!subject)
		return NULL;
	if (subject->no_interface) {
		conformance_stop(subject);
		return NULL;
	}
	g_autoptr(WiceDevice) state = state_new(SUBJECT_NAME, 2, 1);
	subject->set(subject, state);
	return subject;
}

static bool is_listed(TestSubject *subject, const char *name)
{
	g_auto(GStrv) names = wice_wg_list(subject->wg, NULL, NULL);
	ck_assert_ptr_nonnull(names);
	return g_strv_contains((const char *const *)names, name);
}

START_TEST(devices_are_made_and_deleted)
{
	TestSubject *subject = start_with_create(_i);
	if (!subject)
		return;
	for (int round = 0; round < 2; round++) {
		g_autoptr(GError) error = NULL;
		ck_assert(wice_wg_create(subject->wg, SUBJECT_NAME, TIMEOUT_MS, NULL));
		ck_assert(is_listed(subject, SUBJECT_NAME));
		g_autoptr(WiceDevice) device = conformance_device(subject);
		ck_assert_uint_eq(wice_device_info(device)->fields, 0);
		ck_assert_uint_eq(wice_device_info(device)->n_peers, 0);
		ck_assert(!wice_wg_create(subject->wg, SUBJECT_NAME, TIMEOUT_MS, &error));
		ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_EXISTS));
		ck_assert(wice_wg_delete(subject->wg, SUBJECT_NAME, TIMEOUT_MS, NULL));
		ck_assert(!is_listed(subject, SUBJECT_NAME));
		g_clear_error(&error);
		ck_assert(!wice_wg_delete(subject->wg, SUBJECT_NAME, TIMEOUT_MS, &error));
		ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_NOT_FOUND));
	}
	conformance_stop(subject);
}
END_TEST

START_TEST(names_may_have_strange_characters)
{
	static const char *const names[] = { "w",
					     "=+.-_@#$&'\"\\",
					     "w\xc3\xa4-\xe2\x82\xac",
					     "...",
					     "fifteen-bytes-x",
					     "-",
					     "{[(<>)]}",
					     "*?!~^",
					     ";|`",
					     ",",
					     NULL };
	TestSubject *subject = start_with_create(_i);
	if (!subject)
		return;
	for (size_t i = 0; names[i]; i++) {
		g_autoptr(GError) error = NULL;
		WiceDevice *device = NULL;
		wice_wg_create(subject->wg, names[i], TIMEOUT_MS, &error);
		ck_assert_msg(error == NULL, "%s", error ? error->message : "");
		ck_assert(is_listed(subject, names[i]));
		ck_assert_int_eq(conformance_get(subject, names[i], &device), 0);
		ck_assert_str_eq(wice_device_info(device)->name, names[i]);
		wice_device_unref(device);
		ck_assert(wice_wg_delete(subject->wg, names[i], TIMEOUT_MS, NULL));
	}
	conformance_stop(subject);
}
END_TEST

START_TEST(only_wireguard_is_deleted)
{
	TestSubject *subject = conformance_start(_i);
	if (!subject)
		return;
	g_autoptr(GError) error = NULL, link_error = NULL;
	ck_assert(!wice_wg_delete(subject->wg, "lo", TIMEOUT_MS, &error));
	ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_NOT_FOUND));
	ck_assert_ptr_null(wice_wg_get_link(subject->wg, "lo", TIMEOUT_MS, &link_error));
	ck_assert(g_error_matches(link_error, WICE_ERROR, WICE_ERROR_NOT_FOUND));
	conformance_stop(subject);
}
END_TEST

static WiceLink *get_link(TestSubject *subject, const char *name)
{
	g_autoptr(GError) error = NULL;
	WiceLink *link = wice_wg_get_link(subject->wg, name, TIMEOUT_MS, &error);
	ck_assert_msg(link != NULL, "%s", error ? error->message : "");
	ck_assert_str_eq(link->name, name);
	return link;
}

static void set_link(TestSubject *subject, const char *name, const WiceLinkChange *change)
{
	g_autoptr(GError) error = NULL;
	wice_wg_set_link(subject->wg, name, change, TIMEOUT_MS, &error);
	ck_assert_msg(error == NULL, "%s", error ? error->message : "");
}

START_TEST(a_link_is_set_up_and_down)
{
	TestSubject *subject = start_with_link(_i);
	if (!subject)
		return;
	WiceLinkChange change = { .size = sizeof change, .set_up = true };
	for (int round = 0; round < 4; round++) {
		change.up = round % 2 == 0;
		set_link(subject, SUBJECT_NAME, &change);
		g_autoptr(WiceLink) link = get_link(subject, SUBJECT_NAME);
		ck_assert(link->up == change.up);
		set_link(subject, SUBJECT_NAME, &change);
	}
	conformance_stop(subject);
}
END_TEST

START_TEST(a_link_has_an_mtu_and_an_index)
{
	TestSubject *subject = start_with_link(_i);
	if (!subject)
		return;
	g_autoptr(WiceDevice) device = conformance_device(subject);
	for (unsigned mtu = 1280; mtu < 1500; mtu += 140) {
		WiceLinkChange change = { .size = sizeof change, .mtu = mtu };
		set_link(subject, SUBJECT_NAME, &change);
		g_autoptr(WiceLink) link = get_link(subject, SUBJECT_NAME);
		ck_assert_uint_eq(link->mtu, mtu);
		ck_assert_uint_eq(link->ifindex, wice_device_info(device)->ifindex);
	}
	conformance_stop(subject);
}
END_TEST

static bool has_address(const WiceLink *link, const WiceInterfaceAddress *address)
{
	for (size_t i = 0; i < link->n_addresses; i++) {
		if (link->addresses[i].length == address->length &&
		    wice_address_compare(&link->addresses[i].address, &address->address) == 0)
			return true;
	}
	return false;
}

START_TEST(addresses_are_added_and_removed)
{
	static const char *const texts[] = { "10.9.0.1/24", "10.9.0.2/32", "10.9.1.7/16",
					     "fd00:9::1/64", "2001:db8::7/128" };
	enum { N = G_N_ELEMENTS(texts) };
	WiceInterfaceAddress addresses[N];
	TestSubject *subject = start_with_link(_i);
	if (!subject)
		return;
	for (size_t i = 0; i < N; i++)
		ck_assert(wice_interface_address_parse(texts[i], &addresses[i]));
	WiceLinkChange add = { .size = sizeof add, .n_add = N, .add = addresses };
	WiceLinkChange take = { .size = sizeof take, .n_remove = 3, .remove = addresses + 1 };
	for (int round = 0; round < 2; round++) { /* again is no error */
		set_link(subject, SUBJECT_NAME, &add);
		g_autoptr(WiceLink) link = get_link(subject, SUBJECT_NAME);
		for (size_t i = 0; i < N; i++)
			ck_assert_msg(has_address(link, &addresses[i]), "%s", texts[i]);
	}
	for (int round = 0; round < 2; round++) {
		set_link(subject, SUBJECT_NAME, &take);
		g_autoptr(WiceLink) link = get_link(subject, SUBJECT_NAME);
		for (size_t i = 0; i < N; i++)
			ck_assert_msg(has_address(link, &addresses[i]) == (i < 1 || i > 3), "%s",
				      texts[i]);
	}
	conformance_stop(subject);
}
END_TEST

/* Removed before added, so that an address can be given anew. */
START_TEST(all_of_a_link_changes_at_once)
{
	TestSubject *subject = start_with_link(_i);
	if (!subject)
		return;
	WiceInterfaceAddress addresses[2];
	ck_assert(wice_interface_address_parse("10.9.0.1/24", &addresses[0]));
	ck_assert(wice_interface_address_parse("fd00:9::1/64", &addresses[1]));
	WiceLinkChange change = { .size = sizeof change, .set_up = true, .up = true };
	change.mtu = 1312;
	change.n_add = change.n_remove = 2;
	change.add = change.remove = addresses;
	for (int round = 0; round < 2; round++) {
		set_link(subject, SUBJECT_NAME, &change);
		g_autoptr(WiceLink) link = get_link(subject, SUBJECT_NAME);
		ck_assert(link->up);
		ck_assert_uint_eq(link->mtu, 1312);
		ck_assert(has_address(link, &addresses[0]));
		ck_assert(has_address(link, &addresses[1]));
	}
	conformance_stop(subject);
}
END_TEST

START_TEST(a_device_is_renamed_with_all_that_it_has)
{
	TestSubject *subject = start_with_link(_i);
	if (!subject)
		return;
	g_autoptr(GError) error = NULL;
	g_autoptr(WiceDevice) before = conformance_device(subject);
	WiceLinkChange change = { .size = sizeof change, .new_name = "wgtest1" };
	if (subject->keeps_name) {
		ck_assert(
			!wice_wg_set_link(subject->wg, SUBJECT_NAME, &change, TIMEOUT_MS, &error));
		ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_UNSUPPORTED));
		conformance_stop(subject);
		return;
	}
	WiceDevice *after = NULL;
	set_link(subject, SUBJECT_NAME, &change);
	ck_assert_int_eq(conformance_get(subject, "wgtest1", &after), 0);
	ck_assert_uint_eq(wice_device_diff(before, after, NULL, NULL), 0);
	wice_device_unref(after);
	ck_assert(!is_listed(subject, SUBJECT_NAME));
	set_link(subject, "wgtest1",
		 &(WiceLinkChange){ .size = sizeof change, .new_name = SUBJECT_NAME });
	ck_assert(is_listed(subject, SUBJECT_NAME));
	conformance_stop(subject);
}
END_TEST

START_TEST(a_name_that_is_taken_is_no_new_name)
{
	TestSubject *subject = start_with_link(_i);
	if (!subject || !subject->ops->create || subject->keeps_name) {
		if (subject)
			conformance_stop(subject);
		return;
	}
	g_autoptr(GError) error = NULL;
	const char *taken = subject->one_device ? "lo" : "wgtest1";
	WiceLinkChange change = { .size = sizeof change, .new_name = taken };
	if (!subject->one_device)
		ck_assert(wice_wg_create(subject->wg, taken, TIMEOUT_MS, NULL));
	ck_assert(!wice_wg_set_link(subject->wg, SUBJECT_NAME, &change, TIMEOUT_MS, &error));
	ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_EXISTS));
	ck_assert(is_listed(subject, SUBJECT_NAME));
	conformance_stop(subject);
}
END_TEST

void conformance_add_links(TCase *tcase, int number)
{
	static const TTest *const *tests[] = {
		&devices_are_made_and_deleted,       &names_may_have_strange_characters,
		&only_wireguard_is_deleted,          &a_link_is_set_up_and_down,
		&a_link_has_an_mtu_and_an_index,     &addresses_are_added_and_removed,
		&all_of_a_link_changes_at_once,      &a_device_is_renamed_with_all_that_it_has,
		&a_name_that_is_taken_is_no_new_name
	};
	for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
		tcase_add_loop_test(tcase, *tests[i], number, number + 1);
}
