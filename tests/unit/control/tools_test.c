/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The programs as somebody at a shell meets them: wice in front of a fake daemon, what it prints
 * compared with files in tests/data/show (WICE_UPDATE_GOLDEN=1 writes them anew), and wiced
 * itself.
 */
#include "suite.h"

#include "fake_target.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <linux/capability.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_ARGS 8

#define KEY_NEARBY "ECAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA="
#define KEY_GATEWAY "ECExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTE="
#define KEY_FAILING "mSIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjI="
#define KEY_IDLE "/wECAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI="

static char folder[64], path[96];
static FakeDaemon *fake;

static void make_folder(void)
{
	strcpy(folder, "/tmp/wice-tools-XXXXXX");
	ck_assert_ptr_nonnull(g_mkdtemp(folder));
	ck_assert_int_eq(chmod(folder, 0755), 0);
	g_snprintf(path, sizeof path, "%s/w.sock", folder);
	g_setenv("WICE_SOCKET", path, TRUE);
	g_setenv("TZ", "UTC", TRUE);
}

static void set_up(void)
{
	g_autoptr(GError) error = NULL;
	make_folder();
	fake = fake_daemon_new(path, &error);
	ck_assert_msg(fake != NULL, "%s", error ? error->message : "");
}

static void tear_down(void)
{
	g_clear_pointer(&fake, fake_daemon_free);
	ck_assert_int_eq(g_rmdir(folder), 0);
}

/* Running a program. */

typedef struct {
	int code; /* -1 if it was killed */
	char *out;
	char *err;
} Result;

static void result_clear(Result *result)
{
	g_free(result->out);
	g_free(result->err);
	*result = (Result){ 0 };
}

static char **command_line(const char *program, const char *arguments)
{
	g_autofree char *quoted = g_shell_quote(g_getenv(program));
	g_autofree char *line = g_strdup_printf("%s %s", quoted, arguments);
	char **argv;
	ck_assert(g_shell_parse_argv(line, NULL, &argv, NULL));
	return argv;
}

static Result run_as(const char *program, const char *arguments, GSpawnChildSetupFunc setup)
{
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) argv = command_line(program, arguments);
	Result result = { 0 };
	int status;
	ck_assert_msg(g_spawn_sync(NULL, argv, NULL, G_SPAWN_DEFAULT, setup, NULL, &result.out,
				   &result.err, &status, &error),
		      "%s", error ? error->message : "");
	result.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	return result;
}

static Result wice(const char *arguments)
{
	return run_as("WICE_EXE", arguments, NULL);
}

static void assert_succeeds(const char *arguments)
{
	Result result = wice(arguments);
	ck_assert_msg(result.code == 0, "`wice %s` exits with %d: %s", arguments, result.code,
		      result.err);
	ck_assert_str_eq(result.out, "");
	ck_assert_str_eq(result.err, "");
	result_clear(&result);
}

static void assert_calls(const char *expected)
{
	g_autofree char *calls = fake_daemon_take_calls(fake);
	ck_assert_str_eq(calls, expected);
}

static void assert_golden(const char *name, const char *actual)
{
	g_autofree char *file = g_build_filename(g_getenv("WICE_DATA"), "show", name, NULL);
	g_autofree char *expected = NULL;
	if (g_getenv("WICE_UPDATE_GOLDEN"))
		ck_assert(g_file_set_contents(file, actual, -1, NULL));
	ck_assert_msg(g_file_get_contents(file, &expected, NULL, NULL), "%s cannot be read", file);
	ck_assert_msg(g_str_equal(expected, actual), "%s differs:\n%s", file, actual);
}

START_TEST(show_looks_as_promised)
{
	static const struct {
		const char *arguments;
		const char *golden;
	} cases[] = {
		{ "", "all.txt" },
		{ "show", "all.txt" },
		{ "--json", "all.json" },
		{ "show --json", "all.json" },
		{ "show wg0", "wg0.txt" },
		{ "show wg1", "wg1.txt" },
		{ "show wg1 --json", "wg1.json" },
		{ "show wg0 " KEY_NEARBY, "peer.txt" },
		{ "show --json wg0 " KEY_NEARBY, "peer.json" },
	};
	set_up();
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		Result result = wice(cases[i].arguments);
		ck_assert_int_eq(result.code, 0);
		ck_assert_str_eq(result.err, "");
		assert_golden(cases[i].golden, result.out);
		result_clear(&result);
	}
	tear_down();
}
END_TEST

START_TEST(an_empty_daemon_says_that_it_has_nothing)
{
	const WiceStatusInfo info = { .version = "1.0", .pid = 1, .started_ms = 0, .now_ms = 999 };
	set_up();
	fake_daemon_set_status(fake, &info);
	Result text = wice("show"), json = wice("show --json");
	assert_golden("empty.txt", text.out);
	assert_golden("empty.json", json.out);
	result_clear(&text);
	result_clear(&json);
	tear_down();
}
END_TEST

START_TEST(a_peer_is_found_by_key_beginning_address_and_network)
{
	static const struct {
		const char *peer;
		const char *key;
	} cases[] = {
		{ KEY_NEARBY, KEY_NEARBY },    { "ECA", KEY_NEARBY },
		{ "ECE", KEY_GATEWAY },        { "m", KEY_FAILING },
		{ "10.0.0.2", KEY_NEARBY },    { "10.0.0.4", KEY_FAILING },
		{ "10.0.0.9", KEY_GATEWAY },   { "8.8.8.8", KEY_GATEWAY },
		{ "fd00::2", KEY_NEARBY },     { "10.0.0.0/24", KEY_GATEWAY },
		{ "10.0.0.2/32", KEY_NEARBY }, { "10.0.0.2/31", KEY_GATEWAY },
		{ "0.0.0.0/0", KEY_GATEWAY },
	};
	set_up();
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *arguments = g_strdup_printf("restart wg0 %s", cases[i].peer);
		g_autofree char *expected = g_strdup_printf("restart wg0 %s\n", cases[i].key);
		assert_succeeds(arguments);
		assert_calls(expected);
	}
	/* A whole key need not be known to wiced: it may be of a peer yet to come. */
	assert_succeeds("restart wg0 AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
	assert_calls("restart wg0 AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
	tear_down();
}
END_TEST

START_TEST(without_a_peer_all_are_restarted)
{
	set_up();
	assert_succeeds("restart wg1");
	assert_calls("restart wg1 " KEY_IDLE "\n");
	assert_succeeds("restart");
	assert_calls("restart wg0 " KEY_NEARBY "\n"
		     "restart wg0 " KEY_GATEWAY "\n"
		     "restart wg0 " KEY_FAILING "\n"
		     "restart wg1 " KEY_IDLE "\n");

	/* One that has gone meanwhile is no reason to leave out the others; any other is. */
	const WicePeerStatus peers[] = { { .public_key = { { 1 } } }, { .public_key = { { 2 } } } };
	WiceInterfaceStatus interface = {
		.name = "missing", .kind = WICE_DEVICE_KERNEL, .n_peers = 2, .peers = peers
	};
	const WiceStatusInfo info = { .n_interfaces = 1, .interfaces = &interface };
	fake_daemon_set_status(fake, &info);
	assert_succeeds("restart");
	assert_calls("restart missing AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
		     "restart missing AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
	interface.name = "io";
	fake_daemon_set_status(fake, &info);
	Result result = wice("restart");
	ck_assert_int_eq(result.code, 1);
	assert_calls("restart io AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
	result_clear(&result);
	tear_down();
}
END_TEST

START_TEST(relays_are_shown_with_what_is_wrong_with_them)
{
	const WiceRelayStatus relays[] = {
		{ .url = "turn:one", .ready = true, .reason = "", .rtt_us = 12345 },
		{ .url = "turn:two", .ready = true, .rtt_us = 1000, .loss_permille = 25 },
		{ .url = "turns:three", .reason = "The password is wrong.\x1b[2J" },
	};
	const WiceInterfaceStatus interface = { .name = "wg0",
						.kind = WICE_DEVICE_KERNEL,
						.n_relays = G_N_ELEMENTS(relays),
						.relays = relays };
	const WiceStatusInfo info = { .n_interfaces = 1, .interfaces = &interface };
	set_up();
	fake_daemon_set_status(fake, &info);
	Result result = wice("show wg0");
	ck_assert_msg(strstr(result.out, "  relay:       turn:one (12.3 ms)\n") != NULL, "%s",
		      result.out);
	ck_assert_msg(strstr(result.out, "turn:two (1.0 ms, 2.5 % lost)\n") != NULL, "%s",
		      result.out);
	ck_assert_msg(strstr(result.out, "turns:three: The password is wrong.") != NULL, "%s",
		      result.out);
	ck_assert_ptr_null(strchr(result.out, '\x1b'));
	result_clear(&result);
	tear_down();
}
END_TEST

START_TEST(every_mechanism_and_nat_has_words)
{
	static const struct {
		WiceMechanism mechanism;
		WiceNatMapping nat;
		size_t n_outside;
		const char *parts[3];
	} cases[] = {
		{ WICE_MECHANISM_BPF,
		  WICE_NAT_NONE,
		  1,
		  { "  proxy:       bpf\n", "  outside:     203.0.113.5:51820 by stun, no NAT\n",
		    "  mechanism:   bpf (" } },
		{ WICE_MECHANISM_NFT,
		  WICE_NAT_ENDPOINT_DEPENDENT,
		  1,
		  { "  proxy:       nft\n", " by stun, NAT endpoint-dependent\n",
		    "  mechanism:   nft (" } },
		{ WICE_MECHANISM_USER,
		  WICE_NAT_PRESENT,
		  0,
		  { "  proxy:       user\n", "  outside:     behind a NAT\n",
		    "  mechanism:   user (" } },
		{ WICE_MECHANISM_INPROCESS,
		  WICE_NAT_UNKNOWN,
		  1,
		  { "  proxy:       inprocess\n", "  outside:     203.0.113.5:51820 by stun\n",
		    "  mechanism:   inprocess (" } },
	};
	WiceOutsideAddress outside = { .source = "stun" };
	ck_assert(wice_endpoint_parse("203.0.113.5:51820", &outside.endpoint));
	set_up();
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		const WicePeerStatus peer = { .mechanism = cases[i].mechanism };
		const WiceInterfaceStatus interface = { .name = "wg0",
							.kind = WICE_DEVICE_KERNEL,
							.mechanism = cases[i].mechanism,
							.nat = cases[i].nat,
							.n_outside = cases[i].n_outside,
							.outside = &outside,
							.n_peers = 1,
							.peers = &peer };
		const WiceStatusInfo info = { .n_interfaces = 1, .interfaces = &interface };
		fake_daemon_set_status(fake, &info);
		Result result = wice("show wg0");
		for (gsize k = 0; k < G_N_ELEMENTS(cases[i].parts); k++)
			ck_assert_msg(strstr(result.out, cases[i].parts[k]) != NULL, "%s",
				      result.out);
		result_clear(&result);
	}
	tear_down();
}
END_TEST

START_TEST(relayed_packets_have_words_of_their_own)
{
	static const struct {
		WiceMechanism mechanism;
		const char *line;
	} cases[] = {
		{ WICE_MECHANISM_BPF, "  mechanism:   bpf (the kernel makes WireGuard's packets "
				      "those of the relay)\n" },
		{ WICE_MECHANISM_USER, "  mechanism:   user (packets pass through wiced)\n" },
		{ WICE_MECHANISM_INPROCESS,
		  "  mechanism:   inprocess (WireGuard in wiced talks to the relay itself)\n" },
	};
	set_up();
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		const WicePeerStatus peer = { .path = WICE_PATH_RELAY,
					      .mechanism = cases[i].mechanism };
		const WiceInterfaceStatus interface = {
			.name = "wg0", .kind = WICE_DEVICE_KERNEL, .n_peers = 1, .peers = &peer
		};
		const WiceStatusInfo info = { .n_interfaces = 1, .interfaces = &interface };
		fake_daemon_set_status(fake, &info);
		Result result = wice("show wg0");
		ck_assert_msg(strstr(result.out, "  path:        through a relay\n") != NULL, "%s",
			      result.out);
		ck_assert_msg(strstr(result.out, cases[i].line) != NULL, "%s", result.out);
		result_clear(&result);
	}
	tear_down();
}
END_TEST

START_TEST(commands_are_carried_out_in_silence)
{
	set_up();
	assert_succeeds("sync");
	assert_succeeds("sync wg0");
	assert_succeeds("add wg*");
	assert_succeeds("delete wg*");
	assert_calls("sync - -\nsync wg0 -\nadd wg* -\nremove wg* -\n");
	assert_succeeds("restart --proxy nft");
	assert_succeeds("--proxy=bpf restart wg0");
	assert_succeeds("restart wg0 --proxy auto");
	assert_calls("nft - -\nbpf wg0 -\nnone wg0 -\n");
	assert_succeeds("stop");
	tear_down();
}
END_TEST

START_TEST(mistakes_have_exit_codes_and_sentences)
{
	static const struct {
		const char *arguments;
		int code;
		const char *part;
	} cases[] = {
		{ "wg0", 2, "There is no command 'wg0'" },
		{ "--frob", 2, "There is no option '--frob'" },
		{ "show --frob", 2, "`wice show --help`" },
		{ "--socket", 2, "--socket needs a value" },
		{ "show a b c", 2, "'c' is too much" },
		{ "stop now", 2, "takes no arguments; 'now' is too much" },
		{ "restart wg0 EC more", 2, "'more' is too much" },
		{ "restart wg9", 1, "wiced looks after no interface wg9." },
		{ "restart --proxy", 2, "--proxy needs a value" },
		{ "restart --proxy kernel", 2, "--proxy: 'kernel' is no proxy; there are: auto" },
		{ "restart --proxy=", 2, "--proxy: '' is no proxy" },
		{ "restart --proxy bpf wg0 EC", 2,
		  "for all peers of an interface; leave 'EC' out" },
		{ "restart --proxy bpf missing", 1, "The fake says missing" },
		{ "show --proxy bpf", 2, "`wice restart` only" },
		{ "--proxy bpf", 2, "`wice restart` only" },
		{ "add", 2, "needs IFNAME" },
		{ "show --timeout 3", 2, "`wice wait` and `wice check` only" },
		{ "wait --timeout", 2, "--timeout needs a value" },
		{ "wait --timeout soon", 2, "'soon' is no number" },
		{ "wait --timeout=0", 2, "'0' is no number" },
		{ "wait --timeout=-1", 2, "'-1' is no number" },
		{ "wait --timeout=nan", 2, "'nan' is no number" },
		{ "wait --timeout 1e30", 2, "'1e30' is no number" },
		{ "signal --frob", 2, "--frob" },
		{ "show wg9", 1, "wiced looks after no interface wg9." },
		{ "show wg9 m", 1, "wiced looks after no interface wg9." },
		{ "show wg0 zzz", 1, "No peer of wg0 has a public key that begins with 'zzz'" },
		{ "show wg0 EC", 1, "could be any of 2 peers of wg0" },
		{ "show wg0 EC", 1, "\n  " KEY_NEARBY "\n  " KEY_GATEWAY "\n" },
		{ "show wg0 fd00::3", 1, "No peer of wg0 has fd00::3 within its allowed IPs." },
		{ "restart missing " KEY_NEARBY, 1, "The fake says missing" },
		{ "add busy", 1, "The fake says busy: 100 % «sure»." },
		{ "sync ../../etc", 1, "the interface is not one to 15" },
		{ "--socket /nonexistent/s show", 1, "no socket at /nonexistent/s" },
		{ "show --socket=/nonexistent/s", 1, "wiced does not seem to run" },
	};
	set_up();
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		Result result = wice(cases[i].arguments);
		ck_assert_msg(result.code == cases[i].code, "`wice %s` exits with %d: %s",
			      cases[i].arguments, result.code, result.err);
		ck_assert_msg(g_str_has_prefix(result.err, "wice"), "%s", result.err);
		ck_assert_msg(strstr(result.err, cases[i].part) != NULL, "`wice %s` says: %s",
			      cases[i].arguments, result.err);
		ck_assert_str_eq(result.out, "");
		result_clear(&result);
	}
	tear_down();
}
END_TEST

START_TEST(help_and_version_need_no_daemon)
{
	static const struct {
		const char *program, *arguments, *part;
	} cases[] = {
		{ "WICE_EXE", "--help", "Usage: wice " },
		{ "WICE_EXE", "-h", "  monitor " },
		{ "WICE_EXE", "wait --help", "Usage: wice [--socket PATH] wait [--timeout S]" },
		{ "WICE_EXE", "--help wait", "Usage: wice [--socket PATH] wait [--timeout S]" },
		{ "WICE_EXE", "signal --help", "wice signal [OPTION" },
		{ "WICE_EXE", "--version", "wice " },
		{ "WICE_EXE", "show --version", "wice " },
		{ "WICED_EXE", "--help", "-i, --interface NAME" },
		{ "WICED_EXE", "--version", "wiced " },
	};
	g_setenv("WICE_SOCKET", "/nonexistent/s", TRUE);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		Result result = run_as(cases[i].program, cases[i].arguments, NULL);
		ck_assert_int_eq(result.code, 0);
		ck_assert_msg(strstr(result.out, cases[i].part) != NULL, "%s", result.out);
		ck_assert_str_eq(result.err, "");
		result_clear(&result);
	}
}
END_TEST

START_TEST(help_fits_a_terminal)
{
	static const char *const arguments[] = { "--help",      "show --help",    "restart --help",
						 "sync --help", "add --help",     "delete --help",
						 "wait --help", "monitor --help", "stop --help" };
	for (gsize i = 0; i <= G_N_ELEMENTS(arguments); i++) {
		Result result = i < G_N_ELEMENTS(arguments) ? wice(arguments[i])
							    : run_as("WICED_EXE", "--help", NULL);
		g_auto(GStrv) lines = g_strsplit(result.out, "\n", -1);
		for (char **line = lines; *line; line++)
			ck_assert_msg(g_utf8_strlen(*line, -1) <= 90, "%s", *line);
		result_clear(&result);
	}
}
END_TEST

/* Events until the program has printed that many lines. */
static char *monitor(const char *arguments, const WiceEvent *events, size_t n_events)
{
	g_auto(GStrv) argv = command_line("WICE_EXE", arguments);
	GPid pid;
	int out;
	ck_assert(g_spawn_async_with_pipes(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
					   &pid, NULL, &out, NULL, NULL));
	FILE *lines = fdopen(out, "r");
	g_autoptr(GString) text = g_string_new(NULL);
	char line[1024];
	fcntl(out, F_SETFL, O_NONBLOCK);
	/*
	 * Nobody can tell when it listens: the first event is repeated until it has been printed.
	 */
	for (size_t i = 0; i < n_events; i++) {
		gint64 deadline = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
		do {
			if (i == 0 || !text->len)
				fake_daemon_emit(fake, &events[0]);
			g_usleep(2000);
			clearerr(lines);
			ck_assert(g_get_monotonic_time() < deadline);
		} while (!fgets(line, sizeof line, lines));
		if (i == 0) {
			/* Those that were repeated meanwhile are not of interest. */
			char more[1024];
			fake_daemon_emit(fake, &events[1]);
			do {
				g_usleep(2000);
				clearerr(lines);
				ck_assert(g_get_monotonic_time() < deadline);
			} while (!fgets(more, sizeof more, lines) || g_str_equal(more, line));
			g_string_append(text, line);
			g_string_append(text, more);
			i++;
		} else {
			g_string_append(text, line);
		}
		if (i + 1 < n_events)
			fake_daemon_emit(fake, &events[i + 1]);
	}
	fclose(lines);
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	return g_string_free(g_steal_pointer(&text), FALSE);
}

START_TEST(monitor_prints_a_line_per_event)
{
	const WiceKey key = { { 0x10, 0x20, 0x30 } };
	const WiceEvent events[] = {
		{ .type = WICE_EVENT_INTERFACE_ADDED, .time_ms = 1000, .interface = "wg0" },
		{ .type = WICE_EVENT_PEER_ADDED, .time_ms = 2000, .interface = "wg0", .peer = key },
		{ .type = WICE_EVENT_PEER_STATE,
		  .time_ms = 3723000,
		  .interface = "wg0",
		  .peer = key,
		  .state = WICE_STATE_CONNECTED,
		  .previous_state = WICE_STATE_HANDSHAKING,
		  .path = WICE_PATH_NAT,
		  .mechanism = WICE_MECHANISM_KERNEL,
		  .reason = "WireGuard has shaken hands." },
		{ .type = WICE_EVENT_PEER_STATE,
		  .time_ms = 3724000,
		  .interface = "wg0",
		  .peer = key,
		  .state = WICE_STATE_FAILED,
		  .previous_state = WICE_STATE_CHECKING,
		  .reason = "No \"pair\"\nanswered\033[0m." },
		{ .type = WICE_EVENT_BACKEND_STATE,
		  .time_ms = 86399000,
		  .backend = "grpc://x",
		  .reason = "Refused." },
		{ .type = WICE_EVENT_BACKEND_STATE,
		  .time_ms = 86399000,
		  .backend = "grpc://x",
		  .ready = true },
		{ .type = WICE_EVENT_PEER_REMOVED, .time_ms = 0, .interface = "wg0", .peer = key },
		{ .type = WICE_EVENT_INTERFACE_REMOVED, .time_ms = 1, .interface = "wg0" },
	};
	set_up();
	g_autofree char *text = monitor("monitor", events, G_N_ELEMENTS(events));
	assert_golden("monitor.txt", text);
	g_autofree char *json = monitor("monitor --json", events, G_N_ELEMENTS(events));
	assert_golden("monitor.json", json);
	tear_down();
}
END_TEST

START_TEST(wait_tells_who_is_not_connected)
{
	set_up();
	Result result = wice("wait --timeout 0.05 wg0");
	ck_assert_int_eq(result.code, 1);
	ck_assert_str_eq(result.out, "");
	assert_golden("wait.txt", result.err);
	result_clear(&result);
	assert_calls("wait wg0 -\nconnected - -\n");

	result = wice("wait --timeout=0.05 wg0 ECA");
	ck_assert_int_eq(result.code, 1);
	assert_calls("wait wg0 " KEY_NEARBY "\nconnected - -\n");
	result_clear(&result);
	tear_down();
}
END_TEST

static gpointer fulfil_soon(gpointer user_data)
{
	g_autoptr(GString) calls = g_string_new(NULL);
	while (!strstr(calls->str, "connected")) {
		g_autofree char *more = fake_daemon_take_calls(fake);
		g_string_append(calls, more);
		g_usleep(1000);
	}
	fake_daemon_fulfil_wait(fake);
	return NULL;
}

START_TEST(wait_succeeds_when_all_are_connected)
{
	set_up();
	GThread *thread = g_thread_new("fulfil", fulfil_soon, NULL);
	assert_succeeds("wait");
	g_thread_join(thread);
	tear_down();
}
END_TEST

/* What `wice show` prints to a terminal. */
static char *show_on_terminal(const char *term, const char *no_color)
{
	int master, slave;
	ck_assert_int_eq(openpty(&master, &slave, NULL, NULL, NULL), 0);
	fcntl(master, F_SETFD, FD_CLOEXEC);
	g_setenv("TERM", term, TRUE);
	g_setenv("NO_COLOR", no_color, TRUE);
	g_auto(GStrv) argv = command_line("WICE_EXE", "show wg1");
	GPid pid;
	ck_assert(g_spawn_async_with_fds(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
					 &pid, -1, slave, -1, NULL));
	close(slave);
	g_autoptr(GString) text = g_string_new(NULL);
	char part[512];
	ssize_t n;
	while ((n = read(master, part, sizeof part)) > 0)
		g_string_append_len(text, part, n);
	close(master);
	waitpid(pid, NULL, 0);
	ck_assert_ptr_nonnull(strstr(text->str, "wg1"));
	return g_string_free(g_steal_pointer(&text), FALSE);
}

START_TEST(colours_are_for_terminals_that_want_them)
{
	set_up();
	g_autofree char *plain = show_on_terminal("dumb", "");
	g_autofree char *unwanted = show_on_terminal("xterm", "1");
	g_autofree char *coloured = show_on_terminal("xterm", "");
	ck_assert_ptr_null(strchr(plain, '\033'));
	ck_assert_ptr_null(strchr(unwanted, '\033'));
	ck_assert_ptr_nonnull(strstr(coloured, "\033[1mwg1\033[0m"));
	tear_down();
}
END_TEST

typedef struct {
	gboolean quit;
} Emitter;

static gpointer emit_all_the_time(gpointer user_data)
{
	Emitter *emitter = user_data;
	const WiceEvent event = {
		.type = WICE_EVENT_PEER_STATE, .interface = "wg0", .peer = { { 1 } }, .reason = ""
	};
	while (!g_atomic_int_get(&emitter->quit)) {
		fake_daemon_emit(fake, &event);
		g_usleep(2000);
	}
	return NULL;
}

START_TEST(a_program_in_another_language_speaks_it)
{
	if (access("/usr/bin/python3", X_OK) < 0) {
		puts("skipped: there is no /usr/bin/python3");
		return;
	}
	Emitter emitter = { 0 };
	set_up();
	GThread *thread = g_thread_new("emitter", emit_all_the_time, &emitter);
	Result result = run_as("WICE_FOREIGN_CLIENT", path, NULL);
	g_atomic_int_set(&emitter.quit, TRUE);
	g_thread_join(thread);
	if (result.code == 77) {
		fputs(result.out, stdout);
	} else {
		ck_assert_msg(result.code == 0, "%s", result.err);
		g_autofree char *calls = fake_daemon_take_calls(fake);
		ck_assert_ptr_nonnull(strstr(calls, "sync wg0 -\nrestart wg0 " KEY_NEARBY "\n"));
		gint64 deadline = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
		while (!fake_daemon_is_stopped(fake)) {
			ck_assert(g_get_monotonic_time() < deadline);
			g_usleep(1000);
		}
	}
	result_clear(&result);
	tear_down();
}
END_TEST

/* wiced. */

START_TEST(wiced_names_mistakes_on_its_command_line)
{
	static const struct {
		const char *arguments;
		int code;
		const char *part;
	} cases[] = {
		{ "--frob", 2, "wiced --help" },
		{ "-i", 2, "wiced --help" },
		{ "wg0", 2, "wiced -i wg0" },
		{ "-i a234567890123456", 2, "--interface: 'a234567890123456'" },
		{ "-b carrier-pigeon://x", 2, "carrier-pigeon" },
		{ "-a turn:x", 2, "--stun: 'turn:x'" },
		{ "--proxy kernel", 2, "--proxy: 'kernel' is no proxy; there are: auto, bpf" },
		{ "--port-mapping maybe", 2, "--port-mapping: 'maybe' is not yes or no" },
		{ "--log-level loud", 2, "--log-level: 'loud'" },
		{ "--socket ''", 2, "--socket: ''" },
		{ "-c /nonexistent/wiced.conf", 1, "/nonexistent/wiced.conf" },
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		Result result = run_as("WICED_EXE", cases[i].arguments, NULL);
		ck_assert_msg(result.code == cases[i].code, "`wiced %s` exits with %d: %s",
			      cases[i].arguments, result.code, result.err);
		ck_assert_msg(strstr(result.err, cases[i].part) != NULL, "`wiced %s` says: %s",
			      cases[i].arguments, result.err);
		result_clear(&result);
	}
}
END_TEST

/* Root keeps its user, so that it can still reach the program wherever that was built. */
static void drop_net_admin(gpointer user_data)
{
	if (geteuid() == 0 && prctl(PR_CAPBSET_DROP, CAP_NET_ADMIN, 0, 0, 0) < 0)
		_exit(99);
}

START_TEST(wiced_says_which_privilege_it_lacks)
{
	Result result = run_as("WICED_EXE", "-i wg0", drop_net_admin);
	ck_assert_int_eq(result.code, 1);
	ck_assert_msg(strstr(result.err, "needs CAP_NET_ADMIN; run wiced as root") != NULL, "%s",
		      result.err);
	result_clear(&result);
}
END_TEST

typedef struct {
	GPid pid;
	int err;
	int notify;
	char notify_path[112];
} Wiced;

static void assert_notified(const Wiced *wiced, const char *expected)
{
	char text[64] = "";
	ck_assert_int_gt(recv(wiced->notify, text, sizeof text - 1, 0), 0);
	ck_assert_str_eq(text, expected);
}

/* For an interface that there is not, so that it disturbs nothing; returns when it is ready. */
static void start_wiced(Wiced *wiced)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct timeval patience = { .tv_sec = 60 };
	g_snprintf(wiced->notify_path, sizeof wiced->notify_path, "%s/notify", folder);
	g_strlcpy(address.sun_path, wiced->notify_path, sizeof address.sun_path);
	wiced->notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	setsockopt(wiced->notify, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	ck_assert_int_eq(bind(wiced->notify, (struct sockaddr *)&address, sizeof address), 0);
	g_setenv("NOTIFY_SOCKET", wiced->notify_path, TRUE);

	g_autofree char *arguments = g_strdup_printf(
		"-i wicetest0 -b inprocess:test --socket %s --state-dir %s/state", path, folder);
	g_auto(GStrv) argv = command_line("WICED_EXE", arguments);
	ck_assert(g_spawn_async_with_pipes(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
					   &wiced->pid, NULL, NULL, &wiced->err, NULL));
	assert_notified(wiced, "READY=1");
}

static void assert_wiced_ends(Wiced *wiced)
{
	int status;
	char text[4096] = "";
	assert_notified(wiced, "STOPPING=1");
	ck_assert_int_eq(waitpid(wiced->pid, &status, 0), wiced->pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	ck_assert_int_gt(read(wiced->err, text, sizeof text - 1), 0);
	ck_assert_msg(strstr(text, "no interface wicetest0 yet; waiting for it") != NULL, "%s",
		      text);
	close(wiced->err);
	close(wiced->notify);
	g_unlink(wiced->notify_path);
	ck_assert_int_eq(access(path, F_OK), -1);
}

START_TEST(wiced_starts_answers_and_stops)
{
	if (geteuid() != 0) {
		puts("skipped: wiced needs CAP_NET_ADMIN");
		return;
	}
	make_folder();
	for (int round = 0; round < 2; round++) {
		Wiced wiced;
		start_wiced(&wiced);
		Result shown = wice("show --json");
		g_autofree char *pid = g_strdup_printf("\"pid\": %d,", (int)wiced.pid);
		ck_assert_msg(shown.code == 0, "%s", shown.err);
		ck_assert_msg(strstr(shown.out, pid) != NULL, "%s", shown.out);
		result_clear(&shown);

		ck_assert_int_eq(kill(wiced.pid, SIGHUP), 0);
		if (round == 0)
			assert_succeeds("stop");
		else
			ck_assert_int_eq(kill(wiced.pid, SIGTERM), 0);
		assert_wiced_ends(&wiced);
	}
	g_autofree char *state = g_strdup_printf("%s/state", folder);
	g_rmdir(state);
	ck_assert_int_eq(g_rmdir(folder), 0);
}
END_TEST

START_TEST(a_second_wiced_is_refused)
{
	if (geteuid() != 0) {
		puts("skipped: wiced needs CAP_NET_ADMIN");
		return;
	}
	set_up();
	g_autofree char *arguments = g_strdup_printf(
		"-i wicetest0 -b inprocess:test --socket %s --state-dir %s/state", path, folder);
	g_autofree char *pid = g_strdup_printf("a wiced with pid %d listens there", getpid());
	Result result = run_as("WICED_EXE", arguments, NULL);
	ck_assert_int_eq(result.code, 1);
	ck_assert_msg(strstr(result.err, pid) != NULL, "%s", result.err);
	result_clear(&result);
	g_autofree char *state = g_strdup_printf("%s/state", folder);
	g_rmdir(state);
	tear_down();
}
END_TEST

SUITE_MAIN("tools", show_looks_as_promised, an_empty_daemon_says_that_it_has_nothing,
	   a_peer_is_found_by_key_beginning_address_and_network, without_a_peer_all_are_restarted,
	   every_mechanism_and_nat_has_words, relays_are_shown_with_what_is_wrong_with_them,
	   relayed_packets_have_words_of_their_own, commands_are_carried_out_in_silence,
	   mistakes_have_exit_codes_and_sentences, help_and_version_need_no_daemon,
	   help_fits_a_terminal, monitor_prints_a_line_per_event, wait_tells_who_is_not_connected,
	   wait_succeeds_when_all_are_connected, colours_are_for_terminals_that_want_them,
	   a_program_in_another_language_speaks_it, wiced_names_mistakes_on_its_command_line,
	   wiced_says_which_privilege_it_lacks, wiced_starts_answers_and_stops,
	   a_second_wiced_is_refused)
