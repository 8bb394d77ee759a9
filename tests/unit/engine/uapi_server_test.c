/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The server of the text protocol, with real sockets in a folder of its own, and rude clients. */
#include "conformance/wg/engine_model.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "conformance/wg/server.h"
#include "conformance/wg/state.h"
#include "engine/uapi_server.h"
#include "event/source.h"
#include "suite.h"
#include "wg/uapi.h"

#define NAME "wgtest0"
#define PATIENCE_MS 1000000
#define GET "get=1\n\n"

typedef struct {
	char *root, *folder, *path;
	UapiModel model;
	GMainContext *context;
	WiceUapiServerOptions options;
	WiceUapiServer *server;
	unsigned n_gone;
} Bed;

/* The server is stopped by it, as a daemon would. */
static void gone(void *user_data)
{
	Bed *bed = user_data;
	bed->n_gone++;
	g_clear_pointer(&bed->server, wice__uapi_server_stop);
}

static void set_up_in(Bed *bed, const char *folder)
{
	*bed = (Bed){ .context = g_main_context_new() };
	bed->root = g_dir_make_tmp("wice-uapi-XXXXXX", NULL);
	bed->folder = folder ? g_strdup(folder) : g_strdup_printf("%s/made/wireguard", bed->root);
	bed->path = g_strdup_printf("%s/" NAME ".sock", bed->folder);
	g_mutex_init(&bed->model.mutex);
	bed->model.device = state_new(NAME, 3, 2);
	bed->options = (WiceUapiServerOptions){ .handler = uapi_model_handler(&bed->model),
						.on_gone = gone,
						.user_data = bed,
						.patience_ms = PATIENCE_MS };
}

static void set_up(Bed *bed)
{
	set_up_in(bed, NULL);
}

static int start_on(Bed *bed, int fd)
{
	return wice__uapi_server_start(bed->context, fd, &bed->options, &bed->server);
}

static void start(Bed *bed)
{
	int fd = wice__uapi_listen(bed->folder, NAME);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(start_on(bed, fd), 0);
}

static void tear_down(Bed *bed)
{
	wice__uapi_server_stop(bed->server);
	ck_assert(!g_file_test(bed->path, G_FILE_TEST_EXISTS));
	g_autofree char *made = g_path_get_dirname(bed->folder);
	(void)g_rmdir(bed->folder);
	(void)g_rmdir(made);
	ck_assert_int_eq(g_rmdir(bed->root), 0);
	g_main_context_unref(bed->context);
	wice_device_unref(bed->model.device);
	g_mutex_clear(&bed->model.mutex);
	g_free(bed->root);
	g_free(bed->folder);
	g_free(bed->path);
}

static int connect_to(const Bed *bed)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	g_strlcpy(address.sun_path, bed->path, sizeof address.sun_path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ck_assert_int_ge(fd, 0);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
		int error = errno;
		close(fd);
		return -error;
	}
	return fd;
}

static int must_connect(Bed *bed)
{
	int fd;
	while ((fd = connect_to(bed)) == -EAGAIN) /* the backlog is full */
		g_main_context_iteration(bed->context, FALSE);
	ck_assert_int_ge(fd, 0);
	return fd;
}

static void run(Bed *bed)
{
	g_main_context_iteration(bed->context, FALSE);
	g_thread_yield();
}

/* Sends all of it; false if the server has hung up. */
static bool send_all(Bed *bed, int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN)
			return false;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
		run(bed);
	}
	return true;
}

static bool say(Bed *bed, int fd, const char *text)
{
	return send_all(bed, fd, text, strlen(text));
}

/* Receives into all; false at the end of the connection. */
static bool hear(Bed *bed, int fd, GString *all)
{
	char piece[4096];
	ssize_t n = recv(fd, piece, sizeof piece, 0);
	if (n > 0)
		g_string_append_len(all, piece, n);
	else
		run(bed);
	return n > 0 || (n < 0 && errno == EAGAIN);
}

/* What comes until so many replies have ended, or the server hangs up. The caller frees it. */
static char *replies(Bed *bed, int fd, unsigned n)
{
	GString *all = g_string_new(NULL);
	while (n && hear(bed, fd, all)) {
		const char *end = all->str;
		unsigned ended = 0;
		while ((end = strstr(end, "\n\n"))) {
			ended++;
			end += 2;
		}
		if (ended >= n)
			break;
	}
	return g_string_free(all, FALSE);
}

static void expect(Bed *bed, int fd, const char *expected)
{
	g_autofree char *reply = replies(bed, fd, 1);
	ck_assert_str_eq(reply, expected);
}

static void expect_end(Bed *bed, int fd)
{
	g_autoptr(GString) rest = g_string_new(NULL);
	while (hear(bed, fd, rest))
		;
	ck_assert_str_eq(rest->str, "");
	close(fd);
}

/* False if it was hung up on first. */
static bool is_served(Bed *bed)
{
	int fd = must_connect(bed);
	bool asked = say(bed, fd, GET);
	g_autofree char *reply = replies(bed, fd, 1);
	close(fd);
	if (!asked || !*reply)
		return false;
	ck_assert(g_str_has_prefix(reply, "private_key="));
	ck_assert(g_str_has_suffix(reply, "\nerrno=0\n\n"));
	return true;
}

/* The server answers somebody new. */
static void expect_service(Bed *bed)
{
	ck_assert(is_served(bed));
}

static mode_t mode_of(const char *path)
{
	struct stat found;
	ck_assert_int_eq(lstat(path, &found), 0);
	return found.st_mode & 0777;
}

START_TEST(only_the_owner_may_connect)
{
	static const mode_t umasks[] = { 0, 022, 077 };
	for (size_t i = 0; i < G_N_ELEMENTS(umasks); i++) {
		Bed bed;
		mode_t before = umask(umasks[i]);
		set_up(&bed);
		start(&bed);
		ck_assert_uint_eq(umask(before), umasks[i]); /* it is as it was */
		ck_assert_uint_eq(mode_of(bed.path), 0600);
		ck_assert_uint_eq(mode_of(bed.folder), 0755 & ~umasks[i]);
		expect_service(&bed);
		tear_down(&bed);
	}
}
END_TEST

START_TEST(many_requests_on_one_connection)
{
	Bed bed;
	set_up(&bed);
	start(&bed);
	int fd = must_connect(&bed);
	ck_assert(say(&bed, fd, "set=1\nlisten_port=5\n\n"));
	expect(&bed, fd, "errno=0\n\n");
	ck_assert(say(&bed, fd, "set=1\nlisten_port=what\nfwmark=1\n\n"));
	expect(&bed, fd, "errno=-22\n\n");
	ck_assert(say(&bed, fd,
		      "set=1\nreplace_peers=true\nprivate_key=00000000000000000000000000"
		      "00000000000000000000000000000000000000\nfwmark=0\n\n" GET));
	g_autofree char *both = replies(&bed, fd, 2);
	ck_assert_str_eq(both, "errno=0\n\nlisten_port=5\nerrno=0\n\n");
	ck_assert_uint_eq(bed.model.n_sets, 2);
	close(fd);
	tear_down(&bed);
}
END_TEST

/* Thousands of requests at once, whose replies are read late: each is answered, in order. */
START_TEST(requests_in_advance_wait_for_their_turn)
{
	enum { N = 5000 };
	Bed bed;
	set_up(&bed);
	start(&bed);
	int fd = must_connect(&bed);
	g_autoptr(GString) text = g_string_new(NULL), all = g_string_new(NULL);
	g_autoptr(GString) expected = g_string_new(NULL);
	for (int i = 0; i < N; i++) {
		g_string_append_printf(text, "set=1\nlisten_port=%u%s\n\n", i, i % 3 ? "" : "x");
		g_string_append(expected, i % 3 ? "errno=0\n\n" : "errno=-22\n\n");
	}
	size_t sent = 0;
	while (all->len < expected->len) {
		ssize_t n = send(fd, text->str + sent, text->len - sent, MSG_NOSIGNAL);
		sent += n > 0 ? (size_t)n : 0;
		ck_assert(hear(&bed, fd, all));
	}
	ck_assert_str_eq(all->str, expected->str);
	close(fd);
	expect_service(&bed);
	tear_down(&bed);
}
END_TEST

START_TEST(requests_come_byte_by_byte)
{
	static const char text[] = "set=1\nlisten_port=77\n\n";
	Bed bed;
	set_up(&bed);
	start(&bed);
	int fd = must_connect(&bed);
	for (const char *at = text; *at; at++) {
		ck_assert(send_all(&bed, fd, at, 1));
		while (g_main_context_iteration(bed.context, FALSE))
			;
	}
	expect(&bed, fd, "errno=0\n\n");
	ck_assert_uint_eq(wice_device_info(bed.model.device)->listen_port, 77);
	close(fd);
	tear_down(&bed);
}
END_TEST

/* A client that has said all may shut its side down; its reply still comes. */
START_TEST(replies_come_after_the_client_has_finished)
{
	Bed bed;
	set_up(&bed);
	start(&bed);
	int fd = must_connect(&bed);
	ck_assert_int_eq(send(fd, GET, strlen(GET), 0), strlen(GET));
	shutdown(fd, SHUT_WR);
	g_autofree char *reply = replies(&bed, fd, 1);
	ck_assert(g_str_has_suffix(reply, "\nerrno=0\n\n"));
	expect_end(&bed, fd);
	tear_down(&bed);
}
END_TEST

START_TEST(half_a_request_does_nothing)
{
	Bed bed;
	set_up(&bed);
	start(&bed);
	int fd = must_connect(&bed);
	ck_assert(say(&bed, fd, "set=1\nlisten_port=1\nreplace_peers=true\n"));
	shutdown(fd, SHUT_WR);
	expect_end(&bed, fd);
	ck_assert_uint_eq(bed.model.n_sets, 0);
	tear_down(&bed);
}
END_TEST

START_TEST(garbage_is_hung_up_on)
{
	static const char *const texts[] = { "\n", "GET / HTTP/1.1\r\n", "set=1 \n\n", "get=2\n" };
	Bed bed;
	set_up(&bed);
	start(&bed);
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		int fd = must_connect(&bed);
		(void)say(&bed, fd, texts[i]);
		expect(&bed, fd, "errno=-71\n\n");
		expect_end(&bed, fd);
	}
	expect_service(&bed);
	tear_down(&bed);
}
END_TEST

START_TEST(an_endless_line_is_hung_up_on)
{
	enum { LEN = 10 * 1024 * 1024 };
	Bed bed;
	set_up(&bed);
	start(&bed);
	g_autofree char *line = g_malloc(LEN);
	memset(line, 'a', LEN);
	int fd = must_connect(&bed);
	ck_assert(say(&bed, fd, "set=1\nprivate_key="));
	ck_assert(!send_all(&bed, fd, line, LEN));
	expect(&bed, fd, "errno=-5\n\n");
	close(fd);
	expect_service(&bed);
	tear_down(&bed);
}
END_TEST

/* Whoever does not get to an end of it is dropped. */
START_TEST(slow_clients_are_dropped)
{
	Bed bed;
	set_up(&bed);
	bed.options.patience_ms = 100;
	start(&bed);
	int silent = must_connect(&bed), half = must_connect(&bed), endless = must_connect(&bed);
	(void)say(&bed, half, "set=1\nlisten_port=1\n");
	bool open = say(&bed, endless, "set=1\n");
	while (open) /* it is always busy, and never ready */
		open = say(&bed, endless, "fwmark=1\n");
	close(endless);
	expect_end(&bed, silent);
	expect_end(&bed, half);
	ck_assert_uint_eq(bed.model.n_sets, 0);
	tear_down(&bed);
}
END_TEST

/* It asks, and never reads: first the socket's buffers are full, then its time is up. */
START_TEST(clients_that_do_not_read_are_dropped)
{
	Bed bed;
	set_up(&bed);
	wice_device_unref(bed.model.device);
	bed.model.device = state_new(NAME, 10000, 2);
	bed.options.patience_ms = 1000;
	start(&bed);
	int fd = must_connect(&bed);
	ck_assert(say(&bed, fd, GET));
	while (send(fd, "g", 1, MSG_NOSIGNAL) >= 0 || errno == EAGAIN)
		run(&bed);
	ck_assert_int_eq(errno, EPIPE);
	close(fd);
	tear_down(&bed);
}
END_TEST

/*
 * All places are taken by clients that say nothing; the next one waits for its turn, but not long.
 * If this machine stalls it may be taken for one of them.
 */
START_TEST(idle_crowds_do_not_keep_others_out)
{
	enum { N = 24 };
	int crowd[N];
	Bed bed;
	set_up(&bed);
	bed.options.clients_max = 4;
	bed.options.patience_ms = 1500;
	start(&bed);
	for (int i = 0; i < N; i++)
		crowd[i] = must_connect(&bed);
	while (!is_served(&bed))
		;
	for (int i = 0; i < N; i++)
		close(crowd[i]);
	tear_down(&bed);
}
END_TEST

/* More at once than there are places: those in the backlog are served as others leave. */
START_TEST(busy_crowds_are_all_served)
{
	enum { N = 60 };
	int crowd[N];
	Bed bed;
	set_up(&bed);
	bed.options.clients_max = 4;
	start(&bed);
	for (int i = 0; i < N; i++) {
		crowd[i] = must_connect(&bed);
		ck_assert_int_eq(send(crowd[i], GET, strlen(GET), MSG_NOSIGNAL), strlen(GET));
	}
	for (int i = 0; i < N; i++) {
		g_autofree char *reply = replies(&bed, crowd[i], 1);
		ck_assert(g_str_has_suffix(reply, "\nerrno=0\n\n"));
		close(crowd[i]);
	}
	tear_down(&bed);
}
END_TEST

/* A process that is killed in the middle of it. */
START_TEST(killed_clients_leave_nothing)
{
	Bed bed;
	set_up(&bed);
	wice_device_unref(bed.model.device);
	bed.model.device = state_new(NAME, 3000, 2);
	start(&bed);
	for (int i = 0; i < 10; i++) {
		int fd = must_connect(&bed);
		ck_assert(say(&bed, fd, i % 2 ? GET : "set=1\nfwmark=1\npublic_key=00"));
		g_autoptr(GString) some = g_string_new(NULL);
		while (i % 2 && some->len == 0)
			ck_assert(hear(&bed, fd, some));
		close(fd);
	}
	expect_service(&bed);
	ck_assert_uint_eq(bed.model.n_sets, 0);
	tear_down(&bed);
}
END_TEST

START_TEST(stopping_drops_clients)
{
	Bed bed;
	set_up(&bed);
	start(&bed);
	int idle = must_connect(&bed), busy = must_connect(&bed);
	ck_assert(say(&bed, busy, "set=1\nfwmark=1\n"));
	run(&bed);
	g_clear_pointer(&bed.server, wice__uapi_server_stop);
	expect_end(&bed, idle);
	expect_end(&bed, busy);
	ck_assert_int_eq(connect_to(&bed), -ENOENT);
	ck_assert_uint_eq(bed.n_gone, 0);
	tear_down(&bed);
}
END_TEST

START_TEST(a_stale_socket_is_replaced)
{
	Bed bed;
	set_up(&bed);
	ck_assert_int_eq(g_mkdir_with_parents(bed.folder, 0700), 0);
	close(server_bind(bed.path, 1));
	ck_assert_int_eq(connect_to(&bed), -ECONNREFUSED);
	start(&bed);
	ck_assert_uint_eq(mode_of(bed.path), 0600);
	expect_service(&bed);
	tear_down(&bed);
}
END_TEST

START_TEST(a_live_socket_is_left_alone)
{
	Bed bed;
	set_up(&bed);
	start(&bed);
	ck_assert_int_eq(wice__uapi_listen(bed.folder, NAME), -EADDRINUSE);
	for (int i = 0; i < 3; i++)
		g_main_context_iteration(bed.context, FALSE);
	ck_assert_uint_eq(bed.n_gone, 0);
	expect_service(&bed);
	tear_down(&bed);
}
END_TEST

START_TEST(what_is_no_socket_is_left_alone)
{
	Bed bed;
	set_up(&bed);
	ck_assert_int_eq(g_mkdir_with_parents(bed.folder, 0700), 0);
	ck_assert(g_file_set_contents(bed.path, "mine", -1, NULL));
	ck_assert_int_eq(wice__uapi_listen(bed.folder, NAME), -EEXIST);
	ck_assert_int_eq(g_unlink(bed.path), 0);
	ck_assert_int_eq(symlink("nowhere", bed.path), 0);
	ck_assert_int_eq(wice__uapi_listen(bed.folder, NAME), -EEXIST);
	ck_assert_int_eq(g_unlink(bed.path), 0);
	tear_down(&bed);
}
END_TEST

START_TEST(names_and_folders_are_checked)
{
	static const char *const names[] = { "", ".", "..", "a/b", "../wg0", "sixteen-letters-" };
	Bed bed;
	set_up(&bed);
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		ck_assert_int_eq(wice__uapi_listen(bed.folder, names[i]), -EINVAL);
	g_autofree char *deep = g_strnfill(100, 'd');
	g_autofree char *folder = g_strdup_printf("%s/%s", bed.root, deep);
	ck_assert_int_eq(wice__uapi_listen(folder, NAME), -ENAMETOOLONG);
	ck_assert(!g_file_test(folder, G_FILE_TEST_EXISTS));
	ck_assert_int_eq(wice__uapi_listen("/dev/null/wireguard", NAME), -ENOTDIR);
	tear_down(&bed);
}
END_TEST

static void wait_until_gone(Bed *bed)
{
	while (!bed->n_gone)
		g_main_context_iteration(bed->context, TRUE);
	ck_assert_uint_eq(bed->n_gone, 1);
}

START_TEST(its_owner_learns_that_it_was_removed)
{
	Bed bed;
	set_up(&bed);
	start(&bed);
	int fd = must_connect(&bed);
	run(&bed);
	ck_assert_int_eq(chmod(bed.path, 0640), 0); /* that is nothing */
	for (int i = 0; i < 3; i++)
		g_main_context_iteration(bed.context, FALSE);
	ck_assert_uint_eq(bed.n_gone, 0);
	ck_assert_int_eq(g_unlink(bed.path), 0);
	wait_until_gone(&bed);
	expect_end(&bed, fd);
	tear_down(&bed);
}
END_TEST

/* Another socket has taken its place: that one stays. */
START_TEST(what_has_replaced_it_stays)
{
	Bed bed;
	set_up(&bed);
	start(&bed);
	g_autofree char *other = g_strdup_printf("%s/other", bed.folder);
	close(server_bind(other, 1));
	ck_assert_int_eq(g_rename(other, bed.path), 0);
	wait_until_gone(&bed);
	ck_assert_int_eq(connect_to(&bed), -ECONNREFUSED);
	ck_assert_int_eq(g_unlink(bed.path), 0);
	tear_down(&bed);
}
END_TEST

/* As with WG_UAPI_FD, whoever has opened it. */
START_TEST(an_inherited_socket_is_served)
{
	Bed bed;
	set_up(&bed);
	ck_assert_int_eq(g_mkdir_with_parents(bed.folder, 0700), 0);
	int fd = server_bind(bed.path, 4);
	ck_assert_int_eq(start_on(&bed, fd), 0);
	ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	expect_service(&bed);
	ck_assert_int_eq(g_unlink(bed.path), 0);
	wait_until_gone(&bed);
	tear_down(&bed);
}
END_TEST

START_TEST(other_descriptors_are_refused)
{
	Bed bed;
	int pair[2];
	set_up(&bed);
	ck_assert_int_eq(start_on(&bed, -1), -EBADF);
	ck_assert_int_eq(pipe(pair), 0);
	ck_assert_int_eq(start_on(&bed, pair[0]), -ENOTSOCK);
	close(pair[0]);
	close(pair[1]);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_int_eq(start_on(&bed, pair[0]), -EINVAL); /* it does not listen */
	close(pair[0]);
	close(pair[1]);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(start_on(&bed, fd), -EINVAL);
	close(fd);
	/* Its file has gone already: nobody could connect. */
	fd = wice__uapi_listen(bed.folder, NAME);
	ck_assert_int_eq(g_unlink(bed.path), 0);
	ck_assert_int_eq(start_on(&bed, fd), -ENOENT);
	close(fd);
	ck_assert_ptr_null(bed.server);
	tear_down(&bed);
}
END_TEST

/* The server on a thread of its own, for clients that block. */

typedef struct {
	Bed *bed;
	GThread *thread;
	gint ends;
} Runner;

static gpointer run_thread(gpointer data)
{
	Runner *runner = data;
	while (!g_atomic_int_get(&runner->ends))
		g_main_context_iteration(runner->bed->context, TRUE);
	return NULL;
}

static void runner_start(Runner *runner, Bed *bed)
{
	*runner = (Runner){ .bed = bed };
	runner->thread = g_thread_new("server", run_thread, runner);
}

static void runner_stop(Runner *runner)
{
	g_atomic_int_set(&runner->ends, 1);
	g_main_context_wakeup(runner->bed->context);
	g_thread_join(runner->thread);
}

static bool hide_run(void)
{
	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0)
		return false;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", "/run", "tmpfs", 0, NULL) == 0;
}

/* Its output, which the caller frees; it must succeed. */
static char *wg(const char *arguments)
{
	g_autofree char *command = g_strdup_printf("wg %s", arguments);
	char *output = NULL, *errors = NULL;
	int status = -1;
	ck_assert(g_spawn_command_line_sync(command, &output, &errors, &status, NULL));
	ck_assert_msg(status == 0, "%s: %s", command, errors);
	g_free(errors);
	return output;
}

#define KEY "TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0="
#define CONF                                                                                    \
	"[Interface]\nPrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n"              \
	"ListenPort = 51820\nFwMark = 0x1234\n[Peer]\nPublicKey = " KEY "\n"                    \
	"AllowedIPs = 10.0.0.0/8, fd00::/64\nEndpoint = [fe80::1%lo]:7\nPersistentKeepalive = " \
	"25\n"

static void use_wg(Bed *bed)
{
	ck_assert(g_file_set_contents("/run/wg.conf", CONF, -1, NULL));
	g_free(wg("setconf " NAME " /run/wg.conf"));
	g_autofree char *dump = wg("show " NAME " dump");
	ck_assert_ptr_nonnull(
		strstr(dump, "\t51820\t0x1234\n" KEY "\t(none)\t[fe80::1%lo]:7\t10.0.0.0/8"));
	ck_assert(g_str_has_suffix(dump, "\t10.0.0.0/8,fd00::/64\t0\t0\t0\t25\n"));
	g_free(wg("set " NAME " fwmark off peer " KEY
		  " persistent-keepalive off endpoint 192.0.2.1:9 "
		  "allowed-ips 192.0.2.0/24"));
	g_free(wg("addconf " NAME " /dev/null"));
	g_autofree char *after = wg("show " NAME " dump");
	ck_assert(g_str_has_suffix(after, "\t51820\toff\n" KEY "\t(none)\t192.0.2.1:9\t192.0.2.0/24"
					  "\t0\t0\t0\toff\n"));
	g_free(wg("set " NAME " peer " KEY " remove"));
	g_free(wg("syncconf " NAME " /run/wg.conf"));
	g_autofree char *list = wg("show interfaces");
	ck_assert_str_eq(list, NAME "\n");
	ck_assert_uint_eq(wice_device_info(bed->model.device)->n_peers, 1);
}

START_TEST(wg_uses_it)
{
	g_autofree char *program = g_find_program_in_path("wg");
	if (!program || !hide_run()) {
		printf("skipped: wg_uses_it (wg(8) or the right to mount is missing)\n");
		return;
	}
	static const WiceUapiHandlerOps ops = {
		.get = uapi_model_get,
		.set = uapi_model_set,
		.scope = if_nametoindex,
	};
	Bed bed;
	Runner runner;
	set_up_in(&bed, WICE_UAPI_FOLDER);
	bed.options.handler.ops = &ops;
	start(&bed);
	runner_start(&runner, &bed);
	use_wg(&bed);
	runner_stop(&runner);
	tear_down(&bed);
}
END_TEST

SUITE_MAIN("engine uapi server", only_the_owner_may_connect, many_requests_on_one_connection,
	   requests_in_advance_wait_for_their_turn, requests_come_byte_by_byte,
	   replies_come_after_the_client_has_finished, half_a_request_does_nothing,
	   garbage_is_hung_up_on, an_endless_line_is_hung_up_on, slow_clients_are_dropped,
	   clients_that_do_not_read_are_dropped, idle_crowds_do_not_keep_others_out,
	   busy_crowds_are_all_served, killed_clients_leave_nothing, stopping_drops_clients,
	   a_stale_socket_is_replaced, a_live_socket_is_left_alone, what_is_no_socket_is_left_alone,
	   names_and_folders_are_checked, its_owner_learns_that_it_was_removed,
	   what_has_replaced_it_stays, an_inherited_socket_is_served, other_descriptors_are_refused,
	   wg_uses_it)
