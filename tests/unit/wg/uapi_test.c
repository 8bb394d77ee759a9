/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The socket client against servers that misbehave. */
#include "conformance/wg/kernel.h"
#include "conformance/wg/server.h"
#include "conformance/wg/state.h"
#include "event/source.h"
#include "suite.h"
#include "wg/uapi.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/* Far beyond the limit of a test: whoever returns before it was stopped by something else. */
#define DEADLINE_MS 600000

typedef struct {
	char *folder;
	WiceWgBackend *backend;
} Fixture;

static void set_up(Fixture *fixture)
{
	fixture->folder = g_dir_make_tmp("wice-uapi-XXXXXX", NULL);
	ck_assert_ptr_nonnull(fixture->folder);
	fixture->backend = wice__wg_uapi_new(fixture->folder);
}

static void tear_down(Fixture *fixture)
{
	fixture->backend->ops->free(fixture->backend);
	ck_assert_int_eq(g_rmdir(fixture->folder), 0);
	g_free(fixture->folder);
}

static int get(Fixture *fixture, const char *name, unsigned timeout_ms, WiceDevice **ret)
{
	return fixture->backend->ops->get(fixture->backend, name, wice__now_ms() + timeout_ms, ret);
}

static int update(Fixture *fixture, const char *name, unsigned timeout_ms)
{
	WicePeerUpdate changes = { .size = sizeof changes,
				   .public_key = state_key(1),
				   .set_keepalive = true };
	return state_update_peer(fixture->backend, name, &changes, wice__now_ms() + timeout_ms);
}

/* Serves one kind of misbehaviour and asks the device for its state and for a change. */
static void assert_result(void (*serve)(int fd, void *user_data), int expected)
{
	Fixture fixture;
	TestServer server;
	WiceDevice *device = NULL;
	set_up(&fixture);
	server_start(&server, fixture.folder, "lo", serve, NULL);
	unsigned timeout_ms = expected == -ETIMEDOUT ? 100 : DEADLINE_MS;
	ck_assert_int_eq(get(&fixture, "lo", timeout_ms, &device), expected);
	ck_assert_ptr_null(device);
	ck_assert_int_eq(update(&fixture, "lo", timeout_ms), expected);
	server_stop(&server);
	tear_down(&fixture);
}

static void serve_silence(int fd, void *user_data)
{
	server_wait_for_end(fd);
}

START_TEST(a_silent_device_times_out)
{
	assert_result(serve_silence, -ETIMEDOUT);
}
END_TEST

static void serve_drops(int fd, void *user_data)
{
	while (server_send(fd, "a", 1))
		g_usleep(10000);
}

START_TEST(a_device_that_drips_times_out)
{
	assert_result(serve_drops, -ETIMEDOUT);
}
END_TEST

static void serve_endless_lines(int fd, void *user_data)
{
	g_autofree char *lines = g_malloc(65536);
	for (size_t i = 0; i < 65536; i++)
		lines[i] = "key=1\nabc=2\n"[i % 12];
	while (server_send(fd, lines, 65532))
		;
}

START_TEST(an_endless_reply_is_cut)
{
	assert_result(serve_endless_lines, -EPROTO);
}
END_TEST

static void serve_endless_line(int fd, void *user_data)
{
	g_autofree char *line = g_malloc0(65536);
	while (server_send(fd, line, 65536))
		;
}

START_TEST(an_endless_line_is_cut)
{
	assert_result(serve_endless_line, -EPROTO);
}
END_TEST

static void serve_half(int fd, void *user_data)
{
	static const char reply[] = "listen_port=51820\nfwma";
	g_free(server_receive(fd));
	server_send(fd, reply, sizeof reply - 1);
}

START_TEST(a_truncated_reply_is_refused)
{
	assert_result(serve_half, -EPROTO);
}
END_TEST

static void serve_nothing(int fd, void *user_data)
{
}

START_TEST(a_device_that_hangs_up_is_refused)
{
	assert_result(serve_nothing, -EPROTO);
}
END_TEST

static void serve_binary(int fd, void *user_data)
{
	static const char reply[] = "\xff\xfe\x80=\xc0\nprivate_key=\xf0\x9f\x92\xa9\n"
				    "errno=\xd9\xa0\n\n";
	g_free(server_receive(fd));
	server_send(fd, reply, sizeof reply - 1);
}

START_TEST(a_reply_that_is_no_text_is_refused)
{
	assert_result(serve_binary, -EPROTO);
}
END_TEST

static void serve_permission(int fd, void *user_data)
{
	g_free(server_receive(fd));
	server_send(fd, "errno=-1\n\n", 10);
}

START_TEST(errors_of_the_device_come_through)
{
	assert_result(serve_permission, -EPERM);
}
END_TEST

/* boringtun: update_only is no key of its own, and the sign of its errno is positive. */
static void serve_boringtun(int fd, void *user_data)
{
	g_autofree char *request = server_receive(fd);
	const char *reply = strstr(request, "update_only") ? "errno=22\n\n" : "errno=0\n\n";
	server_send(fd, reply, strlen(reply));
}

START_TEST(a_device_without_update_only_is_left_alone)
{
	Fixture fixture;
	TestServer server;
	set_up(&fixture);
	server_start(&server, fixture.folder, "lo", serve_boringtun, NULL);
	int r = update(&fixture, "lo", DEADLINE_MS);
	ck_assert_int_eq(r, -EOPNOTSUPP);
	server_stop(&server);
	tear_down(&fixture);
}
END_TEST

static void serve_pieces(int fd, void *user_data)
{
	const WiceDevice *device = user_data;
	char key[2 * WICE_KEY_LEN + 1], ip[WICE_PREFIX_SIZE];
	GString *reply = g_string_new(NULL);
	const WiceDeviceInfo *info = wice_device_info(device);
	g_free(server_receive(fd));
	for (size_t i = 0; i < info->n_peers; i++) {
		wice_key_to_hex(&info->peers[i].public_key, key);
		g_string_append_printf(reply, "public_key=%s\n", key);
		for (size_t j = 0; j < info->peers[i].n_allowed_ips; j++)
			g_string_append_printf(
				reply, "allowed_ip=%s\n",
				wice_prefix_format(&info->peers[i].allowed_ips[j], ip));
	}
	g_string_append(reply, "errno=0\n\n");
	for (size_t at = 0, n = 1; at < reply->len; at += n, n = n * 3 % 8191)
		server_send(fd, reply->str + at, MIN(n, reply->len - at));
	g_string_free(reply, TRUE);
	/* The connection stays open: the empty line is what ends the reply. */
	server_wait_for_end(fd);
}

START_TEST(a_large_reply_in_pieces_is_whole)
{
	Fixture fixture;
	TestServer server;
	WiceDevice *expected = state_new("lo", 3000, 4), *device = NULL;
	set_up(&fixture);
	server_start(&server, fixture.folder, "lo", serve_pieces, expected);
	int r = get(&fixture, "lo", DEADLINE_MS, &device);
	ck_assert_int_eq(r, 0);
	const WiceDeviceInfo *info = wice_device_info(device);
	ck_assert_uint_eq(info->n_peers, 3000);
	ck_assert_int_eq(info->kind, WICE_DEVICE_USERSPACE);
	ck_assert_uint_ne(info->ifindex, 0);
	ck_assert_uint_eq(wice_device_diff(expected, device, NULL, NULL) &
				  (WICE_CHANGE_PEER_ADDED | WICE_CHANGE_PEER_REMOVED |
				   WICE_CHANGE_ALLOWED_IPS),
			  0);
	wice_device_unref(device);
	wice_device_unref(expected);
	server_stop(&server);
	tear_down(&fixture);
}
END_TEST

START_TEST(a_stale_socket_is_no_device_and_stays)
{
	Fixture fixture;
	WiceDevice *device = NULL;
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	set_up(&fixture);
	g_autofree char *path = g_build_filename(fixture.folder, "lo.sock", NULL);
	close(server_bind(path, 1));
	ck_assert_int_eq(get(&fixture, "lo", DEADLINE_MS, &device), -ENODEV);
	ck_assert_int_eq(update(&fixture, "lo", DEADLINE_MS), -ENODEV);
	ck_assert_int_eq(state_list(fixture.backend, names, INT64_MAX), 0);
	ck_assert_uint_eq(names->len, 0);
	ck_assert_int_eq(g_unlink(path), 0);
	g_ptr_array_unref(names);
	tear_down(&fixture);
}
END_TEST

/* Nobody accepts, and the queue of those who wait is full. */
START_TEST(a_full_backlog_times_out)
{
	Fixture fixture;
	WiceDevice *device = NULL;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int waiting[64], n = 0;
	set_up(&fixture);
	g_autofree char *path = g_build_filename(fixture.folder, "lo.sock", NULL);
	int fd = server_bind(path, 0);
	g_strlcpy(address.sun_path, path, sizeof address.sun_path);
	for (;;) {
		waiting[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		int r = connect(waiting[n], (struct sockaddr *)&address, sizeof address);
		if (r < 0)
			break;
		ck_assert_int_lt(++n, 64);
	}
	ck_assert_int_eq(get(&fixture, "lo", 100, &device), -ETIMEDOUT);
	for (; n >= 0; n--)
		close(waiting[n]);
	close(fd);
	g_unlink(path);
	tear_down(&fixture);
}
END_TEST

START_TEST(only_sockets_of_interfaces_here_are_listed)
{
	static const char *const files[] = {
		"lo.sock", "wice-absent0.sock", "name-that-is-far-too-long.sock", "lo.txt", ".sock",
		"sock"
	};
	Fixture fixture;
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	int fds[G_N_ELEMENTS(files)];
	set_up(&fixture);
	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *path = g_build_filename(fixture.folder, files[i], NULL);
		fds[i] = server_bind(path, 4);
	}
	ck_assert_int_eq(state_list(fixture.backend, names, INT64_MAX), 0);
	ck_assert_uint_eq(names->len, 1);
	ck_assert_str_eq(names->pdata[0], "lo");
	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *path = g_build_filename(fixture.folder, files[i], NULL);
		close(fds[i]);
		g_unlink(path);
	}
	g_ptr_array_unref(names);
	tear_down(&fixture);
}
END_TEST

static GPtrArray *strings(void)
{
	return g_ptr_array_new_with_free_func(g_free);
}

/* The problems of listing the folder, where nothing else is to be found. */
static GPtrArray *problems_of(Fixture *fixture)
{
	g_autoptr(GPtrArray) names = strings();
	GPtrArray *problems = strings();
	ck_assert_int_eq(fixture->backend->ops->list(fixture->backend, names, problems, INT64_MAX),
			 0);
	ck_assert_uint_eq(names->len, 0);
	return problems;
}

static void assert_one_problem(Fixture *fixture, const char *expected)
{
	g_autoptr(GPtrArray) problems = problems_of(fixture);
	ck_assert_uint_eq(problems->len, 1);
	const char *problem = problems->pdata[0];
	ck_assert_msg(strstr(problem, expected) && strstr(problem, "/lo.sock"), "%s", problem);
	ck_assert(g_str_has_suffix(problem, "."));
}

START_TEST(what_cannot_be_listed_is_a_problem)
{
	Fixture fixture;
	set_up(&fixture);
	g_autofree char *path = g_build_filename(fixture.folder, "lo.sock", NULL);
	close(server_bind(path, 1));
	assert_one_problem(&fixture, "Nobody listens");
	g_unlink(path);
	ck_assert(g_file_set_contents(path, "", 0, NULL));
	assert_one_problem(&fixture, "no socket");
	g_unlink(path);
	ck_assert_int_eq(symlink("lo.sock", path), 0);
	assert_one_problem(&fixture, "cannot be connected to");
	g_unlink(path);
	ck_assert_int_eq(symlink("nowhere", path), 0);
	assert_one_problem(&fixture, "link to nothing");
	g_unlink(path);
	ck_assert_int_eq(symlink("nowhere", path), 0);
	g_ptr_array_unref(problems_of(&fixture));
	g_unlink(path);
	tear_down(&fixture);
}
END_TEST

START_TEST(a_socket_that_one_may_not_use_is_a_problem)
{
	Fixture fixture;
	WiceDevice *device = NULL;
	set_up(&fixture);
	g_autofree char *path = g_build_filename(fixture.folder, "lo.sock", NULL);
	int fd = server_bind(path, 1);
	ck_assert_int_eq(chmod(path, 0600), 0);
	ck_assert_int_eq(chmod(fixture.folder, 0755), 0);
	if (geteuid() != 0 || seteuid(65534) < 0) /* nobody */
		chmod(path, 0);
	assert_one_problem(&fixture, "may not be used");
	ck_assert_int_eq(get(&fixture, "lo", DEADLINE_MS, &device), -EACCES);
	ck_assert_int_eq(update(&fixture, "lo", DEADLINE_MS), -EACCES);
	ck_assert_int_eq(seteuid(getuid()), 0);
	close(fd);
	g_unlink(path);
	tear_down(&fixture);
}
END_TEST

START_TEST(a_path_that_is_too_long_is_a_problem)
{
	Fixture fixture, deep;
	WiceDevice *device = NULL;
	set_up(&fixture);
	g_autofree char *filler = g_strnfill(120, 'x');
	deep.folder = g_build_filename(fixture.folder, filler, NULL);
	ck_assert_int_eq(g_mkdir(deep.folder, 0700), 0);
	deep.backend = wice__wg_uapi_new(deep.folder);
	g_autofree char *path = g_build_filename(deep.folder, "lo.sock", NULL);
	ck_assert(g_file_set_contents(path, "", 0, NULL));
	assert_one_problem(&deep, "too long");
	ck_assert_int_eq(get(&deep, "lo", DEADLINE_MS, &device), -ENAMETOOLONG);
	g_unlink(path);
	tear_down(&deep);
	tear_down(&fixture);
}
END_TEST

/* There can be thousands of them, and the folder is the same for all namespaces. */
START_TEST(devices_of_other_namespaces_are_left_in_peace)
{
	Fixture fixture;
	g_autoptr(GPtrArray) names = strings();
	g_autoptr(GPtrArray) problems = strings();
	set_up(&fixture);
	g_autofree char *path = g_build_filename(fixture.folder, "elsewhere.sock", NULL);
	int fd = server_bind(path, 4), r;
	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	ck_assert_int_eq(fixture.backend->ops->list(fixture.backend, names, NULL, INT64_MAX), 0);
	ck_assert_int_lt(accept(fd, NULL, NULL), 0);
	/* Whoever wants to know of those that nobody listens on has to knock. */
	ck_assert_int_eq(fixture.backend->ops->list(fixture.backend, names, problems, INT64_MAX),
			 0);
	ck_assert_int_ge(r = accept(fd, NULL, NULL), 0);
	ck_assert_uint_eq(names->len + problems->len, 0);
	close(r);
	close(fd);
	g_unlink(path);
	tear_down(&fixture);
}
END_TEST

START_TEST(a_hung_process_is_listed)
{
	Fixture fixture;
	g_autoptr(GPtrArray) names = strings();
	g_autoptr(GPtrArray) problems = strings();
	int fds[64], n = 0;
	set_up(&fixture);
	g_autofree char *path = g_build_filename(fixture.folder, "lo.sock", NULL);
	int fd = server_bind(path, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	g_strlcpy(address.sun_path, path, sizeof address.sun_path);
	do {
		ck_assert_int_lt(n, 64);
		fds[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	} while (connect(fds[n++], (struct sockaddr *)&address, sizeof address) == 0);
	ck_assert_int_eq(fixture.backend->ops->list(fixture.backend, names, problems, INT64_MAX),
			 0);
	ck_assert_uint_eq(names->len, 1);
	ck_assert_uint_eq(problems->len, 0);
	while (n)
		close(fds[--n]);
	close(fd);
	g_unlink(path);
	tear_down(&fixture);
}
END_TEST

/* The interface, played by a kernel; the server ends with it and leaves its socket behind. */
typedef struct {
	TestKernel kernel;
	TestServer server;
	WiceWgBackend *backend;
	char *folder;
} LinkFixture;

static int exchange_and_end(void *user_data, int protocol, struct nl_msg *request,
			    WiceNetlinkReply *reply, int64_t deadline_ms)
{
	LinkFixture *fixture = user_data;
	int r = kernel_exchange(&fixture->kernel, protocol, request, reply, deadline_ms);
	if (!fixture->kernel.device)
		shutdown(fixture->server.fd, SHUT_RDWR);
	return r;
}

static void link_set_up(LinkFixture *fixture)
{
	WiceNetlinkTransport transport = { .exchange = exchange_and_end, .user_data = fixture };
	*fixture = (LinkFixture){ .kernel = { .mtu = 1420, .kind = "tun" } };
	fixture->kernel.device = state_new("wgtest0", 0, 0);
	fixture->folder = g_dir_make_tmp("wice-uapi-XXXXXX", NULL);
	fixture->backend = wice__wg_uapi_new_with(fixture->folder, &transport);
	server_start(&fixture->server, fixture->folder, "wgtest0", serve_nothing, NULL);
}

static void link_tear_down(LinkFixture *fixture)
{
	server_stop(&fixture->server);
	wice_device_unref(fixture->kernel.device);
	fixture->backend->ops->free(fixture->backend);
	ck_assert_int_eq(g_rmdir(fixture->folder), 0);
	g_free(fixture->folder);
}

START_TEST(the_interface_is_the_systems)
{
	LinkFixture fixture;
	link_set_up(&fixture);
	const WiceWgBackendOps *ops = fixture.backend->ops;
	int64_t deadline = wice__now_ms() + DEADLINE_MS;
	WiceLink *link = NULL;
	WiceLinkChange change = { .size = sizeof change, .set_up = true, .up = true, .mtu = 1300 };
	ck_assert_int_eq(ops->set_link(fixture.backend, "wgtest0", &change, deadline), 0);
	ck_assert_int_eq(ops->get_link(fixture.backend, "wgtest0", deadline, &link), 0);
	ck_assert_str_eq(link->name, "wgtest0");
	ck_assert(link->up);
	ck_assert_uint_eq(link->mtu, 1300);
	wice_link_free(link);
	ck_assert(!ops->create);
	link_tear_down(&fixture);
}
END_TEST

START_TEST(a_userspace_device_keeps_its_name)
{
	LinkFixture fixture;
	link_set_up(&fixture);
	const WiceWgBackendOps *ops = fixture.backend->ops;
	WiceLinkChange change = { .size = sizeof change, .new_name = "wgtest1", .mtu = 1300 };
	ck_assert_int_eq(ops->set_link(fixture.backend, "wgtest0", &change, INT64_MAX / 2000),
			 -EOPNOTSUPP);
	ck_assert_uint_eq(fixture.kernel.mtu, 1420);
	change.new_name = "wgtest0";
	ck_assert_int_eq(ops->set_link(fixture.backend, "wgtest0", &change, INT64_MAX / 2000), 0);
	link_tear_down(&fixture);
}
END_TEST

START_TEST(an_interface_without_a_process_is_not_touched)
{
	LinkFixture fixture;
	link_set_up(&fixture);
	const WiceWgBackendOps *ops = fixture.backend->ops;
	int64_t deadline = wice__now_ms() + DEADLINE_MS;
	WiceLink *link = NULL;
	WiceLinkChange change = { .size = sizeof change, .mtu = 1300 };
	shutdown(fixture.server.fd, SHUT_RDWR);
	ck_assert_int_eq(ops->get_link(fixture.backend, "wgtest0", deadline, &link), -ENODEV);
	ck_assert_int_eq(ops->set_link(fixture.backend, "wgtest0", &change, deadline), -ENODEV);
	ck_assert_int_eq(ops->remove(fixture.backend, "wgtest0", deadline), -ENODEV);
	ck_assert_int_eq(ops->remove(fixture.backend, "wgtest1", deadline), -ENODEV);
	ck_assert_ptr_nonnull(fixture.kernel.device);
	ck_assert_int_eq(access(fixture.server.path, F_OK), 0);
	link_tear_down(&fixture);
}
END_TEST

START_TEST(removing_takes_the_socket_along)
{
	LinkFixture fixture;
	link_set_up(&fixture);
	const WiceWgBackendOps *ops = fixture.backend->ops;
	ck_assert_int_eq(ops->remove(fixture.backend, "wgtest0", INT64_MAX / 2000), 0);
	ck_assert_ptr_null(fixture.kernel.device);
	ck_assert_int_lt(access(fixture.server.path, F_OK), 0);
	link_tear_down(&fixture);
}
END_TEST

START_TEST(a_missing_folder_has_no_devices)
{
	WiceWgBackend *backend = wice__wg_uapi_new("/nonexistent/wireguard");
	WiceDevice *device = NULL;
	GPtrArray *names = g_ptr_array_new();
	ck_assert_int_eq(state_list(backend, names, INT64_MAX), 0);
	ck_assert_uint_eq(names->len, 0);
	ck_assert_int_eq(backend->ops->get(backend, "lo", INT64_MAX / 2000, &device), -ENODEV);
	g_ptr_array_unref(names);
	backend->ops->free(backend);
}
END_TEST

START_TEST(a_deadline_that_has_passed_is_a_timeout)
{
	Fixture fixture;
	TestServer server;
	WiceDevice *device = NULL;
	set_up(&fixture);
	server_start(&server, fixture.folder, "lo", serve_silence, NULL);
	ck_assert_int_eq(
		fixture.backend->ops->get(fixture.backend, "lo", wice__now_ms() - 1, &device),
		-ETIMEDOUT);
	server_stop(&server);
	tear_down(&fixture);
}
END_TEST

SUITE_MAIN("wg uapi", a_silent_device_times_out, a_device_that_drips_times_out,
	   an_endless_reply_is_cut, an_endless_line_is_cut, a_truncated_reply_is_refused,
	   a_device_that_hangs_up_is_refused, a_reply_that_is_no_text_is_refused,
	   errors_of_the_device_come_through, a_device_without_update_only_is_left_alone,
	   a_large_reply_in_pieces_is_whole, a_stale_socket_is_no_device_and_stays,
	   a_full_backlog_times_out, only_sockets_of_interfaces_here_are_listed,
	   what_cannot_be_listed_is_a_problem, a_socket_that_one_may_not_use_is_a_problem,
	   a_path_that_is_too_long_is_a_problem, devices_of_other_namespaces_are_left_in_peace,
	   a_hung_process_is_listed, the_interface_is_the_systems,
	   a_userspace_device_keeps_its_name, an_interface_without_a_process_is_not_touched,
	   removing_takes_the_socket_along, a_missing_folder_has_no_devices,
	   a_deadline_that_has_passed_is_a_timeout)
