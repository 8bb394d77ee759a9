/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of userspace devices, in all dialects, and with servers that are slow or rude. */
#include "conformance/wg/state.h"
#include "conformance/wg/uapi_server.h"
#include "event/source.h"
#include "suite.h"
#include "wg/uapi.h"

#define NAME "wgtest0"
#define DEADLINE_MS 600000
#define N_DIALECTS (UAPI_GOTATUN + 1)

typedef struct {
	char *folder;
	WiceWgBackend *backend;
	UapiServer server;
} Fixture;

static void set_up(Fixture *fixture, UapiDialect dialect, unsigned n_peers)
{
	*fixture = (Fixture){ .server.dialect = dialect };
	g_mutex_init(&fixture->server.mutex);
	fixture->folder = g_dir_make_tmp("wice-uapi-XXXXXX", NULL);
	fixture->backend = wice__wg_uapi_new(fixture->folder);
	WiceDevice *state = state_new(NAME, n_peers, 2);
	uapi_server_set(&fixture->server, state);
	wice_device_unref(state);
	uapi_server_start(&fixture->server, fixture->folder, NAME);
}

static void tear_down(Fixture *fixture)
{
	ck_assert(!fixture->server.dead);
	uapi_server_stop(&fixture->server);
	wice_device_unref(fixture->server.device);
	g_mutex_clear(&fixture->server.mutex);
	fixture->backend->ops->free(fixture->backend);
	ck_assert_int_eq(g_rmdir(fixture->folder), 0);
	g_free(fixture->folder);
}

/* On a machine under load a good device may take longer than a device may: then do it again. */
static int set_on(WiceWgBackend *backend, const WiceDeviceChange *change)
{
	int r;
	do
		r = backend->ops->set(backend, NAME, change, wice__now_ms() + DEADLINE_MS);
	while (r == -ETIMEDOUT);
	return r;
}

/* The device as it is there, which the caller gives back. */
static WiceDevice *present(Fixture *fixture)
{
	g_mutex_lock(&fixture->server.mutex);
	WiceDevice *device = wice_device_ref(fixture->server.device);
	g_mutex_unlock(&fixture->server.mutex);
	return device;
}

/* Makes the change, and expects that error, or what its plan foretells. */
static void assert_set(Fixture *fixture, const WiceDeviceChange *change, int error)
{
	g_autoptr(WicePlan) plan = wice_plan_new(change, NULL);
	g_autoptr(WiceDevice) before = present(fixture);
	g_autoptr(WiceDevice) expected =
		error ? wice_device_ref(before) : wice_plan_result(plan, before);
	ck_assert_int_eq(set_on(fixture->backend, wice_plan_change(plan)), error);
	g_autoptr(WiceDevice) after = present(fixture);
	state_assert_same(expected, after);
}

static WiceAllowedIpChange allowed_ip(const char *text, bool remove)
{
	WiceAllowedIpChange change = { .remove = remove };
	ck_assert(wice_prefix_parse(text, &change.prefix));
	return change;
}

/* Peers of which every one lacks what the one before it has: a server that leaks shows it. */
START_TEST(a_whole_device_is_set_in_every_dialect)
{
	for (UapiDialect dialect = 0; dialect < N_DIALECTS; dialect++) {
		Fixture fixture;
		set_up(&fixture, dialect, 5);
		WiceDevice *wanted = state_new("", 30, 3), *empty = state_new("", 0, 0);
		g_autoptr(WicePlan) plan = wice_plan_between(empty, wanted, 0);
		WiceDeviceChange change = *wice_plan_change(plan);
		change.flags |= WICE_DEVICE_CHANGE_REPLACE_PEERS;
		assert_set(&fixture, &change, 0);
		wice_device_unref(empty);
		wice_device_unref(wanted);
		tear_down(&fixture);
	}
}
END_TEST

START_TEST(removals_and_new_peers_go_together_in_every_dialect)
{
	for (UapiDialect dialect = 0; dialect < N_DIALECTS; dialect++) {
		Fixture fixture;
		set_up(&fixture, dialect, 4);
		const WiceAllowedIpChange ip = allowed_ip("192.0.2.0/24", false);
		const WicePeerChange peers[] = {
			{ .flags = WICE_PEER_CHANGE_REMOVE, .public_key = state_key(1001) },
			{ .public_key = state_key(7),
			  .fields = WICE_PEER_HAS_KEEPALIVE,
			  .keepalive_s = 9,
			  .n_allowed_ips = 1,
			  .allowed_ips = &ip },
			{ .flags = WICE_PEER_CHANGE_REMOVE, .public_key = state_key(1002) },
			/* Made again, without what it had. */
			{ .public_key = state_key(1001) },
			{ .flags = WICE_PEER_CHANGE_UPDATE_ONLY,
			  .fields = WICE_PEER_HAS_KEEPALIVE,
			  .public_key = state_key(8),
			  .keepalive_s = 5 },
		};
		WiceDeviceChange change = { .size = sizeof change, .peers = peers };
		change.n_peers = G_N_ELEMENTS(peers);
		assert_set(&fixture, &change, 0);
		tear_down(&fixture);
	}
}
END_TEST

/* It is asked before the first peer is made, and told all in one request. */
START_TEST(a_change_is_one_request)
{
	Fixture fixture;
	set_up(&fixture, UAPI_WIREGUARD_GO, 50);
	WicePeerChange peers[20] = { 0 };
	for (unsigned i = 0; i < G_N_ELEMENTS(peers); i++) {
		peers[i].public_key = state_key(1000 + i);
		peers[i].flags = WICE_PEER_CHANGE_UPDATE_ONLY;
		peers[i].fields = WICE_PEER_HAS_KEEPALIVE;
	}
	WiceDeviceChange change = { .size = sizeof change, .n_peers = 20, .peers = peers };
	assert_set(&fixture, &change, 0);
	ck_assert_uint_eq(fixture.server.n_sets, 1);
	peers[19].flags = 0;
	assert_set(&fixture, &change, 0);
	ck_assert_uint_eq(fixture.server.n_sets, 3);
	tear_down(&fixture);
}
END_TEST

START_TEST(boringtun_is_not_made_to_change_peers)
{
	static const unsigned flags[] = { 0, WICE_PEER_CHANGE_UPDATE_ONLY,
					  WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS };
	Fixture fixture;
	set_up(&fixture, UAPI_BORINGTUN, 3);
	for (size_t i = 0; i < G_N_ELEMENTS(flags); i++) {
		WicePeerChange peers[] = { { .public_key = state_key(7) },
					   { .flags = flags[i],
					     .fields = WICE_PEER_HAS_KEEPALIVE,
					     .public_key = state_key(1001) } };
		WiceDeviceChange change = { .size = sizeof change, .n_peers = 2, .peers = peers };
		assert_set(&fixture, &change, -EOPNOTSUPP);
	}
	tear_down(&fixture);
}
END_TEST

START_TEST(boringtun_is_given_no_peers_before_its_key)
{
	Fixture fixture;
	set_up(&fixture, UAPI_BORINGTUN, 0);
	WiceDevice *empty =
		wice__device_builder_finish(wice__device_builder_new(NAME, WICE_DEVICE_FAKE));
	uapi_server_set(&fixture.server, empty);
	WicePeerChange peer = { .public_key = state_key(7) };
	WiceDeviceChange change = { .size = sizeof change, .n_peers = 1, .peers = &peer };
	assert_set(&fixture, &change, -EOPNOTSUPP);
	change.fields = WICE_DEVICE_HAS_PRIVATE_KEY;
	wice_key_generate_private(&change.private_key);
	assert_set(&fixture, &change, 0);
	wice_device_unref(empty);
	tear_down(&fixture);
}
END_TEST

START_TEST(who_cannot_take_allowed_ips_away_is_known)
{
	static const int expected[N_DIALECTS] = { 0, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT };
	for (UapiDialect dialect = 0; dialect < N_DIALECTS; dialect++) {
		Fixture fixture;
		set_up(&fixture, dialect, 2);
		const WiceAllowedIpChange ip = allowed_ip("10.0.0.2/32", true);
		WicePeerChange peer = { .flags = WICE_PEER_CHANGE_UPDATE_ONLY,
					.public_key = state_key(1001),
					.n_allowed_ips = 1,
					.allowed_ips = &ip };
		WiceDeviceChange change = { .size = sizeof change, .n_peers = 1, .peers = &peer };
		assert_set(&fixture, &change, expected[dialect]);
		tear_down(&fixture);
	}
}
END_TEST

/* Servers that are no WireGuard at all */

static void refuse_at_once(int fd, void *user_data)
{
	char piece[512];
	ck_assert_int_gt(recv(fd, piece, sizeof piece, 0), 0);
	server_send(fd, user_data, strlen(user_data));
}

/* Nobody is asked anything before it: it makes no peers. */
static WicePlan *large_plan(unsigned n_peers)
{
	g_autofree WicePeerChange *peers = g_new0(WicePeerChange, n_peers);
	for (unsigned i = 0; i < n_peers; i++) {
		peers[i].flags = WICE_PEER_CHANGE_UPDATE_ONLY;
		peers[i].fields = WICE_PEER_HAS_PRESHARED_KEY | WICE_PEER_HAS_KEEPALIVE;
		peers[i].public_key = state_key(i);
	}
	WiceDeviceChange change = { .size = sizeof change, .n_peers = n_peers, .peers = peers };
	return wice_plan_new(&change, NULL);
}

/* The folder, with a server in it that serves in its own way. */
static int set_with(void (*serve)(int fd, void *user_data), void *user_data,
		    const WiceDeviceChange *change)
{
	TestServer server;
	g_autofree char *folder = g_dir_make_tmp("wice-uapi-XXXXXX", NULL);
	WiceWgBackend *backend = wice__wg_uapi_new(folder);
	server_start(&server, folder, NAME, serve, user_data);
	int r = set_on(backend, change);
	server_stop(&server);
	backend->ops->free(backend);
	g_rmdir(folder);
	return r;
}

/* It has closed its end long before all has been sent. */
START_TEST(an_early_refusal_is_read)
{
	static const struct {
		const char *reply;
		int expected;
	} cases[] = { { "errno=-98\n\n", -EADDRINUSE },
		      { "errno=-22\n\n", -EINVAL },
		      { "", -EPROTO },
		      { "errno=-9", -EPROTO } };
	g_autoptr(WicePlan) plan = large_plan(5000);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		ck_assert_int_eq(
			set_with(refuse_at_once, (void *)cases[i].reply, wice_plan_change(plan)),
			cases[i].expected);
}
END_TEST

/* Reads pieces of a request with a rest in between; all of them together take over a second. */
static void serve_slowly(int fd, void *user_data)
{
	GString *request = g_string_new(NULL);
	char piece[8192];
	ssize_t n;
	while (!g_str_has_suffix(request->str, "\n\n") &&
	       (n = recv(fd, piece, sizeof piece, 0)) > 0) {
		g_string_append_len(request, piece, n);
		g_usleep(20000);
	}
	g_string_free(request, TRUE);
	server_send(fd, "errno=0\n\n", 9);
}

START_TEST(a_device_that_works_is_waited_for)
{
	g_autoptr(WicePlan) plan = large_plan(2500);
	ck_assert_int_eq(set_with(serve_slowly, NULL, wice_plan_change(plan)), 0);
}
END_TEST

/* Reads all of it before it begins to work. */
static void serve_late(int fd, void *user_data)
{
	g_free(server_receive(fd));
	g_usleep(600000);
	server_send(fd, "errno=0\n\n", 9);
}

START_TEST(a_device_that_has_much_to_do_is_waited_for)
{
	g_autoptr(WicePlan) plan = large_plan(2500);
	ck_assert_int_eq(set_with(serve_late, NULL, wice_plan_change(plan)), 0);
}
END_TEST

static int64_t soon(void)
{
	return wice__now_ms() + 100;
}

/* A stopped process: the system takes the connection and the first bytes. Nobody reads them. */
START_TEST(a_stopped_process_times_out)
{
	g_autofree char *folder = g_dir_make_tmp("wice-uapi-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, NAME ".sock", NULL);
	WiceWgBackend *backend = wice__wg_uapi_new(folder);
	int fd = server_bind(path, 16);
	WiceDevice *device = NULL;
	g_autoptr(WicePlan) plan = large_plan(2500);
	WicePeerChange peer = { .flags = WICE_PEER_CHANGE_UPDATE_ONLY };
	WiceDeviceChange small = { .size = sizeof small, .n_peers = 1, .peers = &peer };
	ck_assert_int_eq(backend->ops->get(backend, NAME, soon(), &device), -ETIMEDOUT);
	ck_assert_int_eq(backend->ops->set(backend, NAME, &small, soon()), -ETIMEDOUT);
	ck_assert_int_eq(backend->ops->set(backend, NAME, wice_plan_change(plan), soon()),
			 -ETIMEDOUT);
	backend->ops->free(backend);
	close(fd);
	g_unlink(path);
	g_rmdir(folder);
}
END_TEST

/* Takes a few bytes, one at a time, and hangs up. */
static void serve_sip(int fd, void *user_data)
{
	char byte;
	for (unsigned i = 0; i < 40 && recv(fd, &byte, 1, 0) == 1; i++)
		g_usleep(50000);
}

START_TEST(a_device_that_sips_times_out)
{
	g_autofree char *folder = g_dir_make_tmp("wice-uapi-XXXXXX", NULL);
	TestServer server;
	WiceWgBackend *backend = wice__wg_uapi_new(folder);
	g_autoptr(WicePlan) plan = large_plan(2500);
	server_start(&server, folder, NAME, serve_sip, NULL);
	ck_assert_int_eq(backend->ops->set(backend, NAME, wice_plan_change(plan), soon()),
			 -ETIMEDOUT);
	server_stop(&server);
	backend->ops->free(backend);
	g_rmdir(folder);
}
END_TEST

SUITE_MAIN("wg uapi set", a_whole_device_is_set_in_every_dialect,
	   removals_and_new_peers_go_together_in_every_dialect, a_change_is_one_request,
	   boringtun_is_not_made_to_change_peers, boringtun_is_given_no_peers_before_its_key,
	   who_cannot_take_allowed_ips_away_is_known, an_early_refusal_is_read,
	   a_device_that_works_is_waited_for, a_device_that_has_much_to_do_is_waited_for,
	   a_stopped_process_times_out, a_device_that_sips_times_out)
