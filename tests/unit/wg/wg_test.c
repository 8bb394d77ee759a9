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
		      { -EOPNOTSUPP, WICE_ERROR_UNSUPPORTED, "cannot do this" },
		      { -EBUSY, WICE_ERROR_BUSY, "try again" },
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

typedef gboolean (*Call)(WiceWg *wg, GError **error);

static gboolean call_set(WiceWg *wg, GError **error)
{
	WiceDeviceChange change = { .size = sizeof change,
				    .fields = WICE_DEVICE_HAS_LISTEN_PORT,
				    .listen_port = 9 };
	g_autoptr(WicePlan) plan = wice_plan_new(&change, NULL);
	return wice_wg_set(wg, "wg7", plan, 1000, error);
}

static gboolean call_create(WiceWg *wg, GError **error)
{
	return wice_wg_create(wg, "wg7", 1000, error);
}

static gboolean call_delete(WiceWg *wg, GError **error)
{
	return wice_wg_delete(wg, "wg7", 1000, error);
}

static gboolean call_get_link(WiceWg *wg, GError **error)
{
	g_autoptr(WiceLink) link = wice_wg_get_link(wg, "wg7", 1000, error);
	return link != NULL;
}

static gboolean call_set_link(WiceWg *wg, GError **error)
{
	WiceLinkChange change = { .size = sizeof change, .new_name = "wg8" };
	return wice_wg_set_link(wg, "wg7", &change, 1000, error);
}

START_TEST(errors_say_what_they_mean_for_the_call)
{
	static const struct {
		Call call;
		int error;
		WiceErrorCode code;
		const char *says;
		bool half_done;
	} cases[] = {
		{ call_set, -ENODEV, WICE_ERROR_NOT_FOUND, "no such WireGuard interface", false },
		{ call_set, -EPERM, WICE_ERROR_PERMISSION, "CAP_NET_ADMIN", false },
		{ call_set, -EINVAL, WICE_ERROR_INVALID, "refuses a value", true },
		{ call_set, -EBUSY, WICE_ERROR_BUSY, "listen port", true },
		{ call_set, -EADDRINUSE, WICE_ERROR_BUSY, "listen port", true },
		{ call_set, -EOPNOTSUPP, WICE_ERROR_UNSUPPORTED, "existing peers", true },
		{ call_set, -ETIMEDOUT, WICE_ERROR_TIMEOUT, "did not answer", true },
		{ call_create, -EEXIST, WICE_ERROR_EXISTS, "of that name already", false },
		{ call_create, -EOPNOTSUPP, WICE_ERROR_UNSUPPORTED, "no WireGuard", false },
		{ call_create, -EINVAL, WICE_ERROR_INVALID, "refuses the name", false },
		{ call_delete, -ENODEV, WICE_ERROR_NOT_FOUND, "no such", false },
		{ call_get_link, -ENODEV, WICE_ERROR_NOT_FOUND, "no such", false },
		{ call_set_link, -EEXIST, WICE_ERROR_EXISTS, "the new name", true },
		{ call_set_link, -ENOTUNIQ, WICE_ERROR_EXISTS, "prefix length", true },
		{ call_set_link, -EAFNOSUPPORT, WICE_ERROR_UNSUPPORTED, "IPv6 is", true },
		{ call_set_link, -EADDRINUSE, WICE_ERROR_BUSY, "listen port", true },
		{ call_set_link, -EBUSY, WICE_ERROR_BUSY, "while they are down", true },
		{ call_set_link, -EOPNOTSUPP, WICE_ERROR_UNSUPPORTED, "cannot be renamed", true },
		{ call_set_link, -EINVAL, WICE_ERROR_INVALID, "the MTU", true },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		Fixture fixture;
		g_autoptr(GError) error = NULL;
		set_up(&fixture);
		wice__wg_fake_fail(fixture.first, cases[i].error);
		wice__wg_fake_fail(fixture.second, cases[i].error);
		ck_assert(!cases[i].call(fixture.wg, &error));
		ck_assert(g_error_matches(error, WICE_ERROR, (int)cases[i].code));
		ck_assert_msg(strstr(error->message, cases[i].says) != NULL, "%s", error->message);
		ck_assert_ptr_nonnull(strstr(error->message, "wg7"));
		ck_assert_msg((strstr(error->message, "may have been made") != NULL) ==
				      cases[i].half_done,
			      "%s", error->message);
		tear_down(&fixture);
	}
}
END_TEST

START_TEST(what_may_not_be_seen_is_a_problem_of_the_list)
{
	Fixture fixture;
	set_up(&fixture);
	make(fixture.second, "wg0", 1);
	wice__wg_fake_set_problem(fixture.second, "A socket is not used.");
	for (int i = 0; i < 2; i++) {
		wice__wg_fake_fail(fixture.first, i ? -EPERM : -EACCES);
		g_auto(GStrv) problems = NULL, names = wice_wg_list(fixture.wg, &problems, NULL);
		ck_assert_uint_eq(g_strv_length(names), 1);
		ck_assert_str_eq(names[0], "wg0");
		ck_assert_uint_eq(g_strv_length(problems), 2);
		ck_assert_str_eq(problems[0], "A socket is not used.");
		ck_assert(g_str_has_prefix(problems[1], "Cannot list WireGuard interfaces"));
		g_auto(GStrv) again = wice_wg_list(fixture.wg, NULL, NULL);
		ck_assert_uint_eq(g_strv_length(again), 1);
	}
	tear_down(&fixture);
}
END_TEST

START_TEST(a_list_that_failed_is_not_half_a_list)
{
	Fixture fixture;
	g_autoptr(GError) error = NULL;
	char **problems = NULL;
	set_up(&fixture);
	make(fixture.second, "wg0", 1);
	wice__wg_fake_fail(fixture.first, -EIO);
	ck_assert_ptr_null(wice_wg_list(fixture.wg, &problems, &error));
	ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_IO));
	ck_assert_ptr_null(problems);
	tear_down(&fixture);
}
END_TEST

START_TEST(an_empty_plan_sends_nothing)
{
	Fixture fixture;
	WiceDeviceChange change = { .size = sizeof change };
	g_autoptr(WicePlan) plan = wice_plan_new(&change, NULL);
	set_up(&fixture);
	make(fixture.first, "wg0", 1);
	ck_assert(wice_wg_set(fixture.wg, "wg0", plan, 1000, NULL));
	ck_assert_uint_eq(wice__wg_fake_n_sets(fixture.first), 0);
	tear_down(&fixture);
}
END_TEST

START_TEST(single_removals_become_whole_lists_where_they_must)
{
	Fixture fixture;
	WiceDevice *state = state_new("wg0", 3, 4);
	const WiceDevicePeer *peers = wice_device_info(state)->peers;
	WiceAllowedIpChange removal = { .prefix = peers[1].allowed_ips[2], .remove = true };
	WicePeerChange changes[] = {
		{ .public_key = peers[0].public_key, .fields = WICE_PEER_HAS_KEEPALIVE },
		{ .public_key = peers[1].public_key,
		  .n_allowed_ips = 1,
		  .allowed_ips = &removal,
		  .fields = WICE_PEER_HAS_KEEPALIVE,
		  .keepalive_s = 77 },
		{ .public_key = peers[2].public_key, .flags = WICE_PEER_CHANGE_REMOVE },
	};
	WiceDeviceChange change = { .size = sizeof change, .n_peers = 3, .peers = changes };
	WicePlan *plan = wice_plan_new(&change, NULL);
	WiceDevice *wanted = wice_plan_result(plan, state);
	for (int keeps = 0; keeps < 2; keeps++) {
		set_up(&fixture);
		wice__wg_fake_set_device(fixture.second, wice_device_info(state));
		if (keeps)
			wice__wg_fake_keep_allowed_ips(fixture.second);
		ck_assert(wice_wg_set(fixture.wg, "wg0", plan, 1000, NULL));
		WiceDevice *device = wice__wg_fake_get_device(fixture.second, "wg0");
		state_assert_same(wanted, device);
		ck_assert_uint_eq(wice__wg_fake_n_sets(fixture.second), keeps ? 2 : 1);
		ck_assert_uint_eq(wice__wg_fake_n_reads(fixture.second), keeps ? 1 : 0);
		wice_device_unref(device);
		tear_down(&fixture);
	}
	wice_device_unref(wanted);
	wice_plan_unref(plan);
	wice_device_unref(state);
}
END_TEST

START_TEST(what_comes_to_nothing_as_whole_lists_is_not_sent)
{
	Fixture fixture;
	WiceDevice *state = state_new("wg0", 1, 2);
	WiceAllowedIpChange removal = { .prefix = wice_device_info(state)->peers[0].allowed_ips[0],
					.remove = true };
	WicePeerChange unknown = { .flags = WICE_PEER_CHANGE_UPDATE_ONLY,
				   .public_key = state_key(1),
				   .n_allowed_ips = 1,
				   .allowed_ips = &removal };
	WiceDeviceChange change = { .size = sizeof change, .n_peers = 1, .peers = &unknown };
	g_autoptr(WicePlan) plan = wice_plan_new(&change, NULL);
	set_up(&fixture);
	wice__wg_fake_set_device(fixture.first, wice_device_info(state));
	wice__wg_fake_keep_allowed_ips(fixture.first);
	ck_assert(wice_wg_set(fixture.wg, "wg0", plan, 1000, NULL));
	ck_assert_uint_eq(wice__wg_fake_n_sets(fixture.first), 1);
	tear_down(&fixture);
	wice_device_unref(state);
}
END_TEST

START_TEST(observers_hear_of_what_was_set)
{
	Fixture fixture;
	GString *log = g_string_new(NULL), *other = g_string_new(NULL);
	WicePeerUpdate update = { .size = sizeof update }, nothing = update;
	update.set_keepalive = true;
	set_up(&fixture);
	make(fixture.first, "wg0", 1);
	wice__wg_observe(fixture.wg, note, log);
	wice__wg_observe(fixture.wg, note, other);
	ck_assert(wice_wg_update_peer(fixture.wg, "wg0", &update, 1000, NULL));
	ck_assert(wice_wg_update_peer(fixture.wg, "wg0", &nothing, 1000, NULL));
	ck_assert(!wice_wg_update_peer(fixture.wg, "wg1", &update, 1000, NULL));
	wice__wg_unobserve(fixture.wg, log);
	ck_assert(wice_wg_update_peer(fixture.wg, "wg0", &update, 1000, NULL));
	ck_assert_str_eq(log->str, "wg0 ");
	ck_assert_str_eq(other->str, "wg0 wg0 ");
	wice__wg_unobserve(fixture.wg, other);
	g_string_free(log, TRUE);
	g_string_free(other, TRUE);
	tear_down(&fixture);
}
END_TEST

START_TEST(a_wg_lives_as_long_as_its_last_owner)
{
	Fixture fixture;
	set_up(&fixture);
	make(fixture.first, "wg0", 1);
	wice__wg_ref(fixture.wg);
	wice_wg_free(fixture.wg);
	g_auto(GStrv) names = wice_wg_list(fixture.wg, NULL, NULL);
	ck_assert_uint_eq(g_strv_length(names), 1);
	tear_down(&fixture);
	wice_wg_free(NULL);
}
END_TEST

START_TEST(the_first_backend_that_can_creates)
{
	Fixture fixture;
	g_autoptr(GError) error = NULL;
	set_up(&fixture);
	wice__wg_fake_fail(fixture.first, -EOPNOTSUPP);
	ck_assert(wice_wg_create(fixture.wg, "wg0", 1000, NULL));
	WiceDevice *device = wice__wg_fake_get_device(fixture.second, "wg0");
	ck_assert_uint_eq(wice_device_info(device)->fields, 0);
	wice_device_unref(device);
	wice__wg_fake_fail(fixture.first, -EEXIST);
	ck_assert(!wice_wg_create(fixture.wg, "wg1", 1000, &error));
	ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_EXISTS));
	wice__wg_fake_fail(fixture.first, 0);
	g_clear_error(&error);
	ck_assert(!wice_wg_create(fixture.wg, "wg%d", 1000, &error));
	ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_INVALID));
	ck_assert(wice_wg_delete(fixture.wg, "wg0", 1000, NULL));
	ck_assert_ptr_null(wice__wg_fake_get_device(fixture.second, "wg0"));
	tear_down(&fixture);
}
END_TEST

START_TEST(impossible_link_changes_are_refused)
{
	WiceInterfaceAddress none = { 0 }, long_v4, long_v6;
	ck_assert(wice_interface_address_parse("10.0.0.1/24", &long_v4));
	ck_assert(wice_interface_address_parse("fd00::1/64", &long_v6));
	long_v4.length = 33;
	long_v6.length = 129;
	struct {
		WiceLinkChange change;
		char later_fields[8];
	} grown = { .change = { .size = sizeof grown, .mtu = 1280 } };
	grown.later_fields[7] = 1;
	const WiceLinkChange changes[] = {
		{ .size = 0, .mtu = 1280 },
		{ .size = sizeof *changes, .new_name = "" },
		{ .size = sizeof *changes, .new_name = "a/b" },
		{ .size = sizeof *changes, .new_name = "wg%d" },
		{ .size = sizeof *changes, .mtu = 65536 },
		{ .size = sizeof *changes, .n_add = 1, .add = &none },
		{ .size = sizeof *changes, .n_add = 1, .add = &long_v4 },
		{ .size = sizeof *changes, .n_remove = 1, .remove = &long_v6 },
		{ .size = sizeof *changes, .n_add = 1 },
	};
	Fixture fixture;
	set_up(&fixture);
	make(fixture.first, "wg0", 1);
	for (size_t i = 0; i <= G_N_ELEMENTS(changes); i++) {
		g_autoptr(GError) error = NULL;
		ck_assert(!wice_wg_set_link(fixture.wg, "wg0",
					    i < G_N_ELEMENTS(changes) ? &changes[i] : &grown.change,
					    1000, &error));
		ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_INVALID));
	}
	g_autoptr(WiceLink) link = wice_wg_get_link(fixture.wg, "wg0", 1000, NULL);
	ck_assert_uint_eq(link->mtu, 1420);
	ck_assert_uint_eq(link->n_addresses, 0);
	tear_down(&fixture);
}
END_TEST

SUITE_MAIN("wg", the_first_backend_wins, lists_are_merged_and_sorted,
	   an_error_is_not_hidden_by_the_next_backend, errors_are_sentences_with_a_code,
	   impossible_names_are_refused, impossible_updates_are_refused,
	   an_update_of_nothing_does_nothing, the_fake_tells_what_happens,
	   errors_say_what_they_mean_for_the_call, what_may_not_be_seen_is_a_problem_of_the_list,
	   a_list_that_failed_is_not_half_a_list, an_empty_plan_sends_nothing,
	   single_removals_become_whole_lists_where_they_must,
	   what_comes_to_nothing_as_whole_lists_is_not_sent, observers_hear_of_what_was_set,
	   a_wg_lives_as_long_as_its_last_owner, the_first_backend_that_can_creates,
	   impossible_link_changes_are_refused)
