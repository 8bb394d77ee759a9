/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The facade: which backend is asked, what is checked, how errors read. */
#include "conformance/wg/state.h"
#include "suite.h"
#include "wg/fake.h"

#include <errno.h>
#include <wice/error.h>
#include <wice/wg.h>

typedef struct {
	WiceWgFake *first, *second;
	WiceWg *wg;
} Fixture;

static void set_up(Fixture *fixture)
{
	fixture->first = wice__wg_fake_new();
	fixture->second = wice__wg_fake_new();
	WiceWgBackend *backends[] = { wice__wg_fake_backend(fixture->first),
				      wice__wg_fake_backend(fixture->second) };
	fixture->wg = wice__wg_new_with(backends, 2);
}

static void tear_down(Fixture *fixture)
{
	wice_wg_free(fixture->wg);
	wice__wg_fake_free(fixture->first);
	wice__wg_fake_free(fixture->second);
}

static void make(WiceWgFake *fake, const char *name, uint16_t port)
{
	WiceDeviceInfo info = { .listen_port = port };
	g_strlcpy(info.name, name, sizeof info.name);
	wice__wg_fake_set_device(fake, &info);
}

START_TEST(the_first_backend_wins)
{
	Fixture fixture;
	set_up(&fixture);
	make(fixture.first, "both", 1);
	make(fixture.second, "both", 2);
	make(fixture.second, "second", 3);
	WiceDevice *both = wice_wg_get(fixture.wg, "both", 1000, NULL);
	WiceDevice *second = wice_wg_get(fixture.wg, "second", 1000, NULL);
	ck_assert_uint_eq(wice_device_info(both)->listen_port, 1);
	ck_assert_uint_eq(wice_device_info(second)->listen_port, 3);

	WicePeerUpdate update = { .size = sizeof update, .set_keepalive = true };
	ck_assert(wice_wg_update_peer(fixture.wg, "both", &update, 1000, NULL));
	ck_assert_uint_eq(wice__wg_fake_n_updates(fixture.first), 1);
	ck_assert_uint_eq(wice__wg_fake_n_updates(fixture.second), 0);
	ck_assert(wice_wg_update_peer(fixture.wg, "second", &update, 1000, NULL));
	ck_assert_uint_eq(wice__wg_fake_n_updates(fixture.second), 1);
	wice_device_unref(both);
	wice_device_unref(second);
	tear_down(&fixture);
}
END_TEST

START_TEST(lists_are_merged_and_sorted)
{
	Fixture fixture;
	set_up(&fixture);
	g_auto(GStrv) none = wice_wg_list(fixture.wg, NULL, NULL);
	ck_assert_uint_eq(g_strv_length(none), 0);
	make(fixture.first, "wg1", 1);
	make(fixture.second, "wg0", 1);
	make(fixture.second, "wg1", 1);
	make(fixture.first, "wg2", 1);
	g_auto(GStrv) names = wice_wg_list(fixture.wg, NULL, NULL);
	g_autofree char *joined = g_strjoinv(",", names);
	ck_assert_str_eq(joined, "wg0,wg1,wg2");
	tear_down(&fixture);
}
END_TEST

START_TEST(an_error_is_not_hidden_by_the_next_backend)
{
	Fixture fixture;
	g_autoptr(GError) error = NULL;
	set_up(&fixture);
	make(fixture.second, "wg0", 1);
	wice__wg_fake_fail(fixture.first, -ETIMEDOUT);
	ck_assert_ptr_null(wice_wg_get(fixture.wg, "wg0", 1000, &error));
	ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_TIMEOUT));
	tear_down(&fixture);
}
END_TEST

START_TEST(errors_are_sentences_with_a_code)
{
	static const struct {
		int error;
		WiceErrorCode code;
		const char *says;
	} cases[] = { { -ENODEV, WICE_ERROR_NOT_FOUND, "no such WireGuard interface" },
		      { -EPERM, WICE_ERROR_PERMISSION, "CAP_NET_ADMIN" },
		      { -EACCES, WICE_ERROR_PERMISSION, "CAP_NET_ADMIN" },
		      { -ETIMEDOUT, WICE_ERROR_TIMEOUT, "did not answer" },
		      { -EPROTO, WICE_ERROR_PROTOCOL, "malformed" },
		      { -E2BIG, WICE_ERROR_PROTOCOL, "more peers" },
		      { -EOPNOTSUPP, WICE_ERROR_UNSUPPORTED, "cannot change" },
		      { -EBUSY, WICE_ERROR_IO, "try again" },
		      { -ENOMEM, WICE_ERROR_IO, "Cannot allocate memory" } };
	WicePeerUpdate update = { .size = sizeof update, .set_keepalive = true };
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		Fixture fixture;
		g_autoptr(GError) get_error = NULL, update_error = NULL, list_error = NULL;
		set_up(&fixture);
		wice__wg_fake_fail(fixture.first, cases[i].error);
		wice__wg_fake_fail(fixture.second, cases[i].error);
		ck_assert_ptr_null(wice_wg_get(fixture.wg, "wg7", 1000, &get_error));
		ck_assert(!wice_wg_update_peer(fixture.wg, "wg7", &update, 1000, &update_error));
		ck_assert_ptr_null(wice_wg_list(fixture.wg, NULL, &list_error));
		ck_assert(g_error_matches(get_error, WICE_ERROR, (int)cases[i].code));
		ck_assert(g_error_matches(update_error, WICE_ERROR, (int)cases[i].code));
		ck_assert(g_error_matches(list_error, WICE_ERROR, (int)cases[i].code));
		ck_assert_msg(strstr(get_error->message, cases[i].says) != NULL, "%s",
			      get_error->message);
		ck_assert_ptr_nonnull(strstr(get_error->message, "wg7"));
		ck_assert_ptr_nonnull(strstr(update_error->message, "wg7"));
		ck_assert(g_str_has_suffix(list_error->message, "."));
		tear_down(&fixture);
	}
}
END_TEST

START_TEST(impossible_names_are_refused)
{
	static const char *const names[] = { "", "..", "a/b", "sixteen-bytes-xx", "\xff", "a b" };
	WicePeerUpdate update = { .size = sizeof update, .set_keepalive = true };
	Fixture fixture;
	set_up(&fixture);
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autoptr(GError) get_error = NULL, update_error = NULL;
		ck_assert_ptr_null(wice_wg_get(fixture.wg, names[i], 1000, &get_error));
		ck_assert(g_error_matches(get_error, WICE_ERROR, WICE_ERROR_INVALID));
		ck_assert(g_utf8_validate(get_error->message, -1, NULL));
		ck_assert(!wice_wg_update_peer(fixture.wg, names[i], &update, 1000, &update_error));
		ck_assert(g_error_matches(update_error, WICE_ERROR, WICE_ERROR_INVALID));
	}
	ck_assert_uint_eq(wice__wg_fake_n_reads(fixture.first), 0);
	tear_down(&fixture);
}
END_TEST

static void assert_refused(Fixture *fixture, const WicePeerUpdate *update)
{
	g_autoptr(GError) error = NULL;
	ck_assert(!wice_wg_update_peer(fixture->wg, "wg0", update, 1000, &error));
	ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_INVALID));
	ck_assert_uint_eq(wice__wg_fake_n_updates(fixture->first), 0);
}

START_TEST(impossible_updates_are_refused)
{
	Fixture fixture;
	struct {
		WicePeerUpdate update;
		char later_fields[8];
	} grown = { .update = { .size = sizeof grown, .set_keepalive = true } };
	WicePeerUpdate no_size = { .set_keepalive = true };
	WicePeerUpdate no_endpoint = { .size = sizeof no_endpoint, .set_endpoint = true };
	WicePeerUpdate no_port = no_endpoint, no_family = no_endpoint;
	no_port.endpoint = state_endpoint("192.0.2.1:0");
	no_family.endpoint = state_endpoint("192.0.2.1:1");
	no_family.endpoint.address.family = 9;
	set_up(&fixture);
	make(fixture.first, "wg0", 1);
	assert_refused(&fixture, &no_size);
	assert_refused(&fixture, &no_endpoint);
	assert_refused(&fixture, &no_port);
	assert_refused(&fixture, &no_family);
	grown.later_fields[7] = 1;
	assert_refused(&fixture, &grown.update);
	grown.later_fields[7] = 0;
	ck_assert(wice_wg_update_peer(fixture.wg, "wg0", &grown.update, 1000, NULL));
	tear_down(&fixture);
}
END_TEST

START_TEST(an_update_of_nothing_does_nothing)
{
	Fixture fixture;
	WicePeerUpdate update = { .size = sizeof update };
	set_up(&fixture);
	make(fixture.first, "wg0", 1);
	ck_assert(wice_wg_update_peer(fixture.wg, "wg0", &update, 1000, NULL));
	ck_assert_uint_eq(wice__wg_fake_n_updates(fixture.first), 0);
	tear_down(&fixture);
}
END_TEST

static void note(const char *name, void *user_data)
{
	g_string_append_printf(user_data, "%s ", name);
}

static void note_update(const char *name, const WicePeerUpdate *update, void *user_data)
{
	g_string_append_printf(user_data, "%s:%u ", name, update->keepalive_s);
}

START_TEST(the_fake_tells_what_happens)
{
	Fixture fixture;
	GString *log = g_string_new(NULL);
	WicePeerUpdate update = { .size = sizeof update,
				  .public_key = state_key(1),
				  .set_keepalive = true,
				  .keepalive_s = 9 };
	set_up(&fixture);
	wice__wg_fake_on_change(fixture.first, note, log);
	wice__wg_fake_on_update(fixture.first, note_update, log);
	make(fixture.first, "wg0", 1);
	wice__wg_fake_set_peer(fixture.first, "wg0",
			       &(WiceDevicePeer){ .public_key = state_key(1), .rx_bytes = 5 });
	ck_assert(wice_wg_update_peer(fixture.wg, "wg0", &update, 1000, NULL));
	WiceDevice *device = wice__wg_fake_get_device(fixture.first, "wg0");
	ck_assert_uint_eq(wice_device_info(device)->peers[0].keepalive_s, 9);
	ck_assert_uint_eq(wice_device_info(device)->peers[0].rx_bytes, 5);
	wice_device_unref(device);
	wice__wg_fake_remove_peer(fixture.first, "wg0", &update.public_key);
	ck_assert(wice_wg_update_peer(fixture.wg, "wg0", &update, 1000, NULL));
	device = wice__wg_fake_get_device(fixture.first, "wg0");
	ck_assert_uint_eq(wice_device_info(device)->n_peers, 0);
	wice_device_unref(device);
	wice__wg_fake_remove_device(fixture.first, "wg0");
	ck_assert_str_eq(log->str, "wg0 wg0:9 wg0:9 wg0 ");
	ck_assert_str_eq(wice__wg_fake_update(fixture.first, 1)->name, "wg0");
	g_string_free(log, TRUE);
	tear_down(&fixture);
}
END_TEST

SUITE_MAIN("wg", the_first_backend_wins, lists_are_merged_and_sorted,
	   an_error_is_not_hidden_by_the_next_backend, errors_are_sentences_with_a_code,
	   impossible_names_are_refused, impossible_updates_are_refused,
	   an_update_of_nothing_does_nothing, the_fake_tells_what_happens)
