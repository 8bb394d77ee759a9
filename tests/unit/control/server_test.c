/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Server and client as their users see them; the server runs on a thread of its own, in front of
 * a fake.
 */
#include "suite.h"

#include "control/server.h"
#include "fake_target.h"
#include "rpc/rpc.h"

#include <glib/gstdio.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wice/error.h>

#define NOBODY 65534
#define PATIENCE_S 60

static char folder[64], path[96];
static FakeDaemon *fake;
static WiceControl *control;

static void make_folder(void)
{
	strcpy(folder, "/tmp/wice-server-XXXXXX");
	ck_assert_ptr_nonnull(g_mkdtemp(folder));
	ck_assert_int_eq(chmod(folder, 0755), 0);
	g_snprintf(path, sizeof path, "%s/w.sock", folder);
}

static void start_daemon(void)
{
	g_autoptr(GError) error = NULL;
	fake = fake_daemon_new(path, &error);
	ck_assert_msg(fake != NULL, "%s", error ? error->message : "");
	control = wice_control_connect(path, &error);
	ck_assert_msg(control != NULL, "%s", error ? error->message : "");
}

static void set_up(void)
{
	make_folder();
	start_daemon();
}

/*
 * A client in another process. It is forked before there are threads, since a lock that one of
 * them holds would stay locked in the child for ever, and starts when it is told to. It can say
 * one byte.
 */
typedef struct {
	pid_t pid;
	int tell, hear;
} Client;

static int client_voice; /* in the client's process */

static Client fork_client(int (*func)(void))
{
	int tell[2], hear[2];
	ck_assert_int_eq(pipe(tell), 0);
	ck_assert_int_eq(pipe(hear), 0);
	Client client = { .pid = fork(), .tell = tell[1], .hear = hear[0] };
	if (client.pid == 0) {
		char byte;
		close(tell[1]);
		client_voice = hear[1];
		_exit(read(tell[0], &byte, 1) == 1 ? func() : 200);
	}
	close(tell[0]);
	close(hear[1]);
	return client;
}

static void start_client(const Client *client)
{
	ck_assert_int_eq(write(client->tell, "s", 1), 1);
}

static void hear_client(const Client *client)
{
	char byte;
	ck_assert_int_eq(read(client->hear, &byte, 1), 1);
}

static int end_of_client(const Client *client)
{
	int code;
	ck_assert_int_eq(waitpid(client->pid, &code, 0), client->pid);
	close(client->tell);
	close(client->hear);
	return WIFEXITED(code) ? WEXITSTATUS(code) : -1;
}

static void tear_down(void)
{
	g_clear_pointer(&control, wice_control_free);
	g_clear_pointer(&fake, fake_daemon_free);
	ck_assert_int_eq(g_rmdir(folder), 0);
}

static void assert_calls(const char *expected)
{
	g_autofree char *calls = fake_daemon_take_calls(fake);
	ck_assert_str_eq(calls, expected);
}

/* Waits until the target has been told something that contains part. */
static void await_call(const char *part)
{
	gint64 deadline = g_get_monotonic_time() + PATIENCE_S * G_USEC_PER_SEC;
	g_autoptr(GString) all = g_string_new(NULL);
	while (!strstr(all->str, part)) {
		g_autofree char *calls = fake_daemon_take_calls(fake);
		g_string_append(all, calls);
		ck_assert_msg(g_get_monotonic_time() < deadline, "no '%s' in '%s'", part, all->str);
		g_usleep(1000);
	}
}

START_TEST(the_status_arrives)
{
	g_autoptr(GError) error = NULL;
	set_up();
	g_autoptr(WiceStatus) status = wice_control_status(control, NULL, NULL, &error);
	ck_assert_msg(status != NULL, "%s", error ? error->message : "");
	const WiceStatusInfo *info = wice_status_info(status);
	ck_assert_str_eq(info->version, "9.8.7");
	ck_assert_uint_eq(info->n_backends, 2);
	ck_assert_uint_eq(info->n_interfaces, 2);
	ck_assert_uint_eq(info->interfaces[0].n_peers, 3);

	const WiceKey *key = &info->interfaces[0].peers[2].public_key;
	g_autoptr(WiceStatus) peer = wice_control_status(control, "wg0", key, &error);
	ck_assert_ptr_nonnull(peer);
	ck_assert_uint_eq(wice_status_info(peer)->n_interfaces, 1);
	ck_assert_uint_eq(wice_status_info(peer)->interfaces[0].n_peers, 1);

	ck_assert_ptr_null(wice_control_status(control, "wg9", NULL, &error));
	ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_NOT_FOUND));
	ck_assert_str_eq(error->message, "wiced looks after no interface wg9.");
	tear_down();
}
END_TEST

START_TEST(commands_reach_the_target)
{
	const WiceKey key = { { 1 } };
	set_up();
	ck_assert(wice_control_restart_peer(control, "wg0", &key, NULL));
	ck_assert(wice_control_set_mechanism(control, "wg0", WICE_MECHANISM_NFT, NULL));
	ck_assert(wice_control_set_mechanism(control, NULL, WICE_MECHANISM_NONE, NULL));
	ck_assert(wice_control_sync(control, NULL, NULL));
	ck_assert(wice_control_sync(control, "wg0", NULL));
	ck_assert(wice_control_add_interface(control, "wg*", NULL));
	ck_assert(wice_control_remove_interface(control, "wg*", NULL));
	ck_assert(wice_control_create_interface(control, "wg7", NULL));
	ck_assert(wice_control_delete_interface(control, "wg7", NULL));
	assert_calls("restart wg0 AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
		     "nft wg0 -\n"
		     "none - -\n"
		     "sync - -\n"
		     "sync wg0 -\n"
		     "add wg* -\n"
		     "remove wg* -\n"
		     "create wg7 -\n"
		     "delete wg7 -\n");
	tear_down();
}
END_TEST

START_TEST(errors_keep_their_code_and_their_sentence)
{
	static const struct {
		const char *interface;
		WiceErrorCode code;
	} cases[] = {
		{ "invalid", WICE_ERROR_INVALID },
		{ "missing", WICE_ERROR_NOT_FOUND },
		{ "exists", WICE_ERROR_EXISTS },
		{ "busy", WICE_ERROR_BUSY },
		{ "forbidden", WICE_ERROR_PERMISSION },
		{ "unsupported", WICE_ERROR_UNSUPPORTED },
		{ "late", WICE_ERROR_TIMEOUT },
		{ "cancelled", WICE_ERROR_CANCELLED },
		{ "io", WICE_ERROR_IO },
		{ "failed", WICE_ERROR_FAILED },
	};
	const WiceKey key = { { 1 } };
	set_up();
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *interface = cases[i].interface;
		g_autofree char *text =
			g_strdup_printf("The fake says %s: 100 %% «sure».", interface);
		GError *errors[7] = { NULL };
		ck_assert(!wice_control_sync(control, interface, &errors[0]));
		ck_assert(!wice_control_add_interface(control, interface, &errors[1]));
		ck_assert(!wice_control_remove_interface(control, interface, &errors[2]));
		ck_assert(!wice_control_restart_peer(control, interface, &key, &errors[3]));
		ck_assert(!wice_control_create_interface(control, interface, &errors[4]));
		ck_assert(!wice_control_delete_interface(control, interface, &errors[5]));
		ck_assert(!wice_control_set_mechanism(control, interface, WICE_MECHANISM_BPF,
						      &errors[6]));
		for (gsize k = 0; k < G_N_ELEMENTS(errors); k++) {
			ck_assert_msg(g_error_matches(errors[k], WICE_ERROR, (int)cases[i].code),
				      "%s: %d", interface, errors[k]->code);
			ck_assert_str_eq(errors[k]->message, text);
			g_error_free(errors[k]);
		}
	}
	/* What the server itself finds wrong does not reach the target. */
	g_autoptr(GError) error = NULL;
	g_free(fake_daemon_take_calls(fake));
	ck_assert(!wice_control_add_interface(control, "much-too-long-a-name", &error));
	ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_INVALID));
	assert_calls("");
	tear_down();
}
END_TEST

/* Events. */

typedef struct {
	int n_wanted;
	int n;
	char reason[64];
} Collector;

static gboolean collect(const WiceEvent *event, void *user_data)
{
	Collector *collector = user_data;
	ck_assert_int_eq(event->type, WICE_EVENT_PEER_STATE);
	ck_assert_str_eq(event->interface, "wg0");
	g_strlcpy(collector->reason, event->reason, sizeof collector->reason);
	return ++collector->n < collector->n_wanted;
}

typedef struct {
	gboolean quit;
	GThread *thread;
} Emitter;

/* Events all the time: nobody can tell when a stream has begun. */
static gpointer emit_all_the_time(gpointer user_data)
{
	Emitter *emitter = user_data;
	const WiceEvent event = { .type = WICE_EVENT_PEER_STATE,
				  .interface = "wg0",
				  .peer = { { 1 } },
				  .state = WICE_STATE_FAILED,
				  .reason = "No pair answered." };
	while (!g_atomic_int_get(&emitter->quit)) {
		fake_daemon_emit(fake, &event);
		g_usleep(500);
	}
	return NULL;
}

static void start_emitter(Emitter *emitter)
{
	emitter->quit = FALSE;
	emitter->thread = g_thread_new("emitter", emit_all_the_time, emitter);
}

static void stop_emitter(Emitter *emitter)
{
	g_atomic_int_set(&emitter->quit, TRUE);
	g_thread_join(emitter->thread);
}

START_TEST(events_arrive_until_the_handler_has_enough)
{
	Emitter emitter;
	set_up();
	start_emitter(&emitter);
	for (int round = 0; round < 3; round++) {
		g_autoptr(GError) error = NULL;
		Collector collector = { .n_wanted = 20 };
		ck_assert_msg(wice_control_stream_events(control, collect, &collector, 0, &error),
			      "%s", error ? error->message : "");
		ck_assert_int_eq(collector.n, 20);
		ck_assert_str_eq(collector.reason, "No pair answered.");
		/* The connection is good for other calls afterwards. */
		g_autoptr(WiceStatus) status = wice_control_status(control, NULL, NULL, &error);
		ck_assert_ptr_nonnull(status);
	}
	stop_emitter(&emitter);
	tear_down();
}
END_TEST

START_TEST(a_stream_without_events_ends_with_its_time)
{
	g_autoptr(GError) error = NULL;
	Collector collector = { .n_wanted = 1 };
	set_up();
	ck_assert(!wice_control_stream_events(control, collect, &collector, 50, &error));
	ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_TIMEOUT));
	ck_assert_int_eq(collector.n, 0);
	tear_down();
}
END_TEST

static gboolean stop_fake_in_handler(const WiceEvent *event, void *user_data)
{
	Emitter *emitter = user_data;
	stop_emitter(emitter);
	g_clear_pointer(&fake, fake_daemon_free);
	return TRUE;
}

START_TEST(a_stream_whose_daemon_goes_away_says_so)
{
	g_autoptr(GError) error = NULL;
	Emitter emitter;
	set_up();
	start_emitter(&emitter);
	ck_assert(!wice_control_stream_events(control, stop_fake_in_handler, &emitter, 0, &error));
	ck_assert_msg(g_error_matches(error, WICE_ERROR, WICE_ERROR_UNREACHABLE), "%s",
		      error->message);
	ck_assert_ptr_nonnull(strstr(error->message, path));
	g_clear_pointer(&control, wice_control_free);
	ck_assert_int_eq(g_rmdir(folder), 0);
}
END_TEST

static gboolean speak_once(const WiceEvent *event, void *user_data)
{
	bool *spoken = user_data;
	if (!*spoken && write(client_voice, "r", 1) == 1)
		*spoken = true;
	return TRUE;
}

static int read_slowly(void)
{
	g_autoptr(GError) error = NULL;
	bool spoken = false;
	WiceControl *own = wice_control_connect(path, NULL);
	if (!own || wice_control_stream_events(own, speak_once, &spoken, 0, &error))
		return 1;
	return g_error_matches(error, WICE_ERROR, WICE_ERROR_UNREACHABLE) ? 7 : 2;
}

START_TEST(a_slow_reader_is_dropped_and_nobody_else_notices)
{
	Emitter emitter;
	make_folder();
	Client client = fork_client(read_slowly);
	start_daemon();
	start_emitter(&emitter);
	start_client(&client);
	hear_client(&client);
	kill(client.pid, SIGSTOP); /* as slow as a reader can be */
	waitpid(client.pid, NULL, WUNTRACED);

	/* Far more than may wait for a client, in large events; the others stay served. */
	g_autofree char *reason = g_strnfill(2000, 'x');
	const WiceEvent event = { .type = WICE_EVENT_PEER_STATE,
				  .interface = "wg0",
				  .peer = { { 1 } },
				  .state = WICE_STATE_FAILED,
				  .reason = reason };
	for (size_t sent = 0; sent < 3 * WICE_CONTROL_QUEUE_MAX; sent += 2000) {
		fake_daemon_emit(fake, &event);
		if (sent % 200000 == 0) {
			g_autoptr(WiceStatus) status =
				wice_control_status(control, NULL, NULL, NULL);
			ck_assert_ptr_nonnull(status);
		}
	}
	/* What was dropped is seen by the reader as the end of its stream. */
	stop_emitter(&emitter);
	kill(client.pid, SIGCONT);
	ck_assert_int_eq(end_of_client(&client), 7);
	tear_down();
}
END_TEST

/* Waiting. */

static gpointer wait_in_thread(gpointer user_data)
{
	GError **error = user_data;
	const WiceKey key = { { 1 } };
	g_autoptr(WiceControl) own = wice_control_connect(path, error);
	return GINT_TO_POINTER(own &&
			       wice_control_wait(own, "wg0", &key, WICE_STATE_CONNECTED, 0, error));
}

START_TEST(a_wait_ends_when_the_target_says_so)
{
	GError *error = NULL;
	set_up();
	GThread *thread = g_thread_new("waiter", wait_in_thread, &error);
	await_call("connected");
	fake_daemon_fulfil_wait(fake);
	ck_assert(GPOINTER_TO_INT(g_thread_join(thread)));
	tear_down();
}
END_TEST

START_TEST(a_wait_ends_with_its_time)
{
	g_autoptr(GError) error = NULL;
	set_up();
	ck_assert(!wice_control_wait(control, NULL, NULL, WICE_STATE_CONNECTED, 30, &error));
	ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_TIMEOUT));
	ck_assert_str_eq(error->message, "The fake is late.");
	tear_down();
}
END_TEST

static int wait_for_ever(void)
{
	WiceControl *own = wice_control_connect(path, NULL);
	if (own)
		(void)wice_control_wait(own, "wg0", NULL, WICE_STATE_CONNECTED, 0, NULL);
	return 1;
}

START_TEST(a_client_that_goes_away_takes_its_wait_with_it)
{
	make_folder();
	Client client = fork_client(wait_for_ever);
	start_daemon();
	start_client(&client);
	await_call("connected");
	kill(client.pid, SIGKILL);
	ck_assert_int_eq(end_of_client(&client), -1);
	await_call("cancelled");
	tear_down();
}
END_TEST

START_TEST(a_daemon_that_ends_ends_the_waits)
{
	GError *error = NULL;
	set_up();
	GThread *thread = g_thread_new("waiter", wait_in_thread, &error);
	await_call("connected");
	g_clear_pointer(&fake, fake_daemon_free);
	ck_assert(!GPOINTER_TO_INT(g_thread_join(thread)));
	ck_assert_msg(g_error_matches(error, WICE_ERROR, WICE_ERROR_UNREACHABLE), "%s",
		      error->message);
	g_error_free(error);
	g_clear_pointer(&control, wice_control_free);
	ck_assert_int_eq(g_rmdir(folder), 0);
}
END_TEST

START_TEST(stop_is_answered_first)
{
	g_autoptr(GError) error = NULL;
	set_up();
	ck_assert_msg(wice_control_stop(control, &error), "%s", error ? error->message : "");
	gint64 deadline = g_get_monotonic_time() + PATIENCE_S * G_USEC_PER_SEC;
	/* It comes even though the client does not hang up. */
	while (!fake_daemon_is_stopped(fake)) {
		ck_assert(g_get_monotonic_time() < deadline);
		g_usleep(1000);
	}
	tear_down();
}
END_TEST

/* Connecting. */

static void assert_cannot_connect(const char *where, WiceErrorCode code, const char *part)
{
	g_autoptr(GError) error = NULL;
	ck_assert_ptr_null(wice_control_connect(where, &error));
	ck_assert_msg(g_error_matches(error, WICE_ERROR, (int)code), "%s", error->message);
	ck_assert_msg(strstr(error->message, part) != NULL, "%s", error->message);
}

START_TEST(a_client_says_why_it_cannot_connect)
{
	set_up();
	g_autofree char *missing = g_strdup_printf("%s/none.sock", folder);
	assert_cannot_connect(missing, WICE_ERROR_NOT_FOUND, "no socket at");

	g_autofree char *stale = g_strdup_printf("%s/stale.sock", folder);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	g_strlcpy(address.sun_path, stale, sizeof address.sun_path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	close(fd);
	assert_cannot_connect(stale, WICE_ERROR_NOT_FOUND, "nobody listens at");
	ck_assert_int_eq(g_unlink(stale), 0);

	g_autofree char *long_path = g_strnfill(300, 'x');
	assert_cannot_connect(long_path, WICE_ERROR_IO, "Cannot connect to wiced");
	tear_down();
}
END_TEST

START_TEST(a_client_survives_a_restart_of_the_daemon)
{
	g_autoptr(GError) error = NULL;
	set_up();
	g_autoptr(WiceStatus) first = wice_control_status(control, NULL, NULL, &error);
	ck_assert_ptr_nonnull(first);
	g_clear_pointer(&fake, fake_daemon_free);
	ck_assert_ptr_null(wice_control_status(control, NULL, NULL, &error));
	ck_assert_msg(g_error_matches(error, WICE_ERROR, WICE_ERROR_NOT_FOUND), "%s",
		      error->message);
	g_clear_error(&error);
	fake = fake_daemon_new(path, &error);
	ck_assert_ptr_nonnull(fake);
	g_autoptr(WiceStatus) second = wice_control_status(control, NULL, NULL, &error);
	ck_assert_msg(second != NULL, "%s", error ? error->message : "");
	tear_down();
}
END_TEST

/* A daemon that knows no call at all. */
typedef struct {
	GMainContext *context;
	WiceRpcServer *rpc;
	gboolean quit;
} OldDaemon;

static gpointer serve_old(gpointer user_data)
{
	OldDaemon *old = user_data;
	while (!g_atomic_int_get(&old->quit))
		g_main_context_iteration(old->context, TRUE);
	wice__rpc_server_free(old->rpc);
	while (g_main_context_iteration(old->context, FALSE))
		;
	return NULL;
}

static void old_daemon_listen(OldDaemon *old)
{
	const WiceRpcServerOptions options = { .size = sizeof options,
					       .max_message = 1024,
					       .max_connections = 4,
					       .max_calls = 4,
					       .max_queued = 65536 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	g_strlcpy(address.sun_path, path, sizeof address.sun_path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(fd, 4), 0);
	old->context = g_main_context_new();
	old->rpc = wice__rpc_server_new(old->context, &options);
	GSocket *listener = g_socket_new_from_fd(fd, NULL);
	ck_assert(wice__rpc_server_listen(old->rpc, listener, NULL, NULL));
}

START_TEST(a_daemon_that_is_too_old_for_a_call_is_said_to_be)
{
	g_autoptr(GError) error = NULL;
	OldDaemon old = { 0 };
	make_folder();
	old_daemon_listen(&old);
	GThread *thread = g_thread_new("old daemon", serve_old, &old);
	control = wice_control_connect(path, NULL);
	ck_assert_ptr_nonnull(control);
	ck_assert(!wice_control_set_mechanism(control, NULL, WICE_MECHANISM_NFT, &error));
	ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_UNSUPPORTED));
	ck_assert_msg(strstr(error->message, "it is older than this program") != NULL, "%s",
		      error->message);
	g_clear_pointer(&control, wice_control_free);
	g_atomic_int_set(&old.quit, TRUE);
	g_main_context_wakeup(old.context);
	g_thread_join(thread);
	g_main_context_unref(old.context);
	ck_assert_int_eq(g_unlink(path), 0);
	ck_assert_int_eq(g_rmdir(folder), 0);
}
END_TEST

START_TEST(a_second_server_is_refused_with_the_pid_of_the_first)
{
	g_autoptr(GError) error = NULL;
	set_up();
	ck_assert_ptr_null(fake_daemon_new(path, &error));
	ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_BUSY));
	g_autofree char *pid = g_strdup_printf("a wiced with pid %d listens there", getpid());
	ck_assert_msg(strstr(error->message, pid) != NULL, "%s", error->message);
	/* The first one is none the worse for it. */
	g_autoptr(WiceStatus) status = wice_control_status(control, NULL, NULL, NULL);
	ck_assert_ptr_nonnull(status);
	tear_down();
}
END_TEST

/* The exit code is that of the error, or 100 for success. */
static int connect_as_nobody(void)
{
	GError *error = NULL;
	if (setgroups(0, NULL) < 0 || setgid(NOBODY) < 0 || setuid(NOBODY) < 0)
		return 101;
	WiceControl *own = wice_control_connect(path, &error);
	return own && wice_control_status(own, NULL, NULL, &error) ? 100 : error->code;
}

START_TEST(other_users_are_refused_even_if_the_mode_lets_them_in)
{
	if (geteuid() != 0) {
		puts("skipped: changing users needs root");
		return;
	}
	make_folder();
	Client shut_out = fork_client(connect_as_nobody), let_in = fork_client(connect_as_nobody);
	start_daemon();
	start_client(&shut_out);
	ck_assert_int_eq(end_of_client(&shut_out), WICE_ERROR_PERMISSION);
	ck_assert_int_eq(chmod(path, 0666), 0);
	start_client(&let_in);
	ck_assert_int_eq(end_of_client(&let_in), WICE_ERROR_UNREACHABLE);
	tear_down();
}
END_TEST

/* Large statuses. */

static void serve_peers(size_t n)
{
	g_autofree WicePeerStatus *peers = g_new0(WicePeerStatus, n);
	const WicePrefix prefix = { .address = { .family = WICE_FAMILY_IPV4 }, .length = 8 };
	for (size_t i = 0; i < n; i++) {
		memcpy(peers[i].public_key.bytes, &i, sizeof i);
		peers[i].n_allowed_ips = 1;
		peers[i].allowed_ips = &prefix;
		peers[i].reason = "The pair with the highest priority answered.";
		peers[i].endpoint = (WiceEndpoint){ .address = prefix.address, .port = 51820 };
		peers[i].local = (WiceCandidate){ .type = WICE_CANDIDATE_HOST,
						  .endpoint = peers[i].endpoint };
		peers[i].remote = peers[i].local;
	}
	const WiceInterfaceStatus interface = {
		.name = "wg0", .kind = WICE_DEVICE_KERNEL, .n_peers = n, .peers = peers
	};
	const WiceStatusInfo info = { .n_interfaces = 1, .interfaces = &interface };
	fake_daemon_set_status(fake, &info);
}

START_TEST(the_status_of_many_peers_arrives_whole)
{
	g_autoptr(GError) error = NULL;
	set_up();
	serve_peers(15000);
	g_autoptr(WiceStatus) status = wice_control_status(control, NULL, NULL, &error);
	ck_assert_msg(status != NULL, "%s", error ? error->message : "");
	ck_assert_uint_eq(wice_status_info(status)->interfaces[0].n_peers, 15000);
	tear_down();
}
END_TEST

START_TEST(a_status_that_is_too_large_is_refused_with_advice)
{
	g_autoptr(GError) error = NULL;
	set_up();
	serve_peers(60000);
	ck_assert_ptr_null(wice_control_status(control, NULL, NULL, &error));
	ck_assert_ptr_nonnull(strstr(error->message, "ask for one interface"));
	const WiceKey key = { { 1 } };
	g_autoptr(WiceStatus) one = wice_control_status(control, "wg0", &key, NULL);
	ck_assert_ptr_nonnull(one);
	tear_down();
}
END_TEST

SUITE_MAIN("control", the_status_arrives, commands_reach_the_target,
	   errors_keep_their_code_and_their_sentence, events_arrive_until_the_handler_has_enough,
	   a_stream_without_events_ends_with_its_time, a_stream_whose_daemon_goes_away_says_so,
	   a_slow_reader_is_dropped_and_nobody_else_notices, a_wait_ends_when_the_target_says_so,
	   a_wait_ends_with_its_time, a_client_that_goes_away_takes_its_wait_with_it,
	   a_daemon_that_ends_ends_the_waits, stop_is_answered_first,
	   a_client_says_why_it_cannot_connect, a_client_survives_a_restart_of_the_daemon,
	   a_daemon_that_is_too_old_for_a_call_is_said_to_be,
	   a_second_server_is_refused_with_the_pid_of_the_first,
	   other_users_are_refused_even_if_the_mode_lets_them_in,
	   the_status_of_many_peers_arrives_whole,
	   a_status_that_is_too_large_is_refused_with_advice)
