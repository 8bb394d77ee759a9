/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon: an agent, a control server and a main loop. What it adds is what a library must not
 * do: read options, print, mind signals and the limits of the process.
 */
#include "ups.h"

#include <errno.h>
#include <getopt.h>
#include <glib-unix.h>
#include <glib.h>
#include <linux/capability.h>
#include <net/if.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <wice/wice.h>

#define EXIT_USAGE 2
#define MAX_KEYS 32

/* Log. */

typedef struct {
	bool journal; /* stderr is the journal's: it adds the time and reads <priority> */
} LogSink;

/* JOURNAL_STREAM names the device and inode of the stream; a child may have redirected it since. */
static bool stderr_is_journal(void)
{
	const char *stream = g_getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat found;
	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &found) == 0 && found.st_dev == device && found.st_ino == inode;
}

static void on_log(WiceLogLevel level, const char *subject, const char *message, void *user_data)
{
	static const struct {
		const char *name;
		int priority; /* of syslog(3) */
	} levels[] = {
		[WICE_LOG_ERROR] = { "ERROR", 3 },
		[WICE_LOG_WARNING] = { "WARNING", 4 },
		[WICE_LOG_INFO] = { "INFO", 6 },
		[WICE_LOG_DEBUG] = { "DEBUG", 7 },
	};
	const LogSink *sink = user_data;
	const char *colon = *subject ? ": " : "";
	if (sink->journal) {
		fprintf(stderr, "<%d>%s%s%s\n", levels[level].priority, subject, colon, message);
		return;
	}
	g_autoptr(GDateTime) now = g_date_time_new_now_local();
	g_autofree char *time = g_date_time_format(now, "%Y-%m-%d %H:%M:%S");
	fprintf(stderr, "%s.%03d %s %s%s%s\n", time, g_date_time_get_microsecond(now) / 1000,
		levels[level].name, *subject ? subject : "wiced:", *subject ? colon : " ", message);
}

static int fail(const GError *error)
{
	fprintf(stderr, "wiced: %s\n", error->message);
	return EXIT_FAILURE;
}

/* Options. */

static void print_help(void)
{
	puts("Usage: wiced [OPTION]...\n"
	     "\n"
	     "Connects the peers of WireGuard interfaces through NATs and firewalls: finds the\n"
	     "best path to each and points WireGuard at it. Puts everything back when it stops.\n"
	     "Ask it how it is doing with wice(8).\n"
	     "\n"
	     "Options; -i, -b, -a and -u may be repeated. Long ones are also keys of the section\n"
	     "[daemon] in a configuration file:\n"
	     "  -c, --config FILE          read this file first; other options add to its lists "
	     "and\n"
	     "                             override its single values");
	const WiceDaemonKey *key;
	for (size_t i = 0; (key = wice_daemon_config_key(i)); i++) {
		char letter[] = { '-', key->letter, ',', 0 };
		g_autofree char *option = g_strdup_printf("--%s %s", key->key, key->value);
		printf("  %-3s %-22s %s\n", key->letter ? letter : "", option, key->text);
	}
	puts("      --version              print the version\n"
	     "      --help                 print this\n"
	     "\n"
	     "Signals: TERM and INT stop it, HUP reads all interfaces from the system again.\n"
	     "\n"
	     "Example: two hosts behind NATs, wg0 set up on both, a signaling server at\n"
	     "signal.example.org (`wice signal` is one):\n"
	     "  wiced -i wg0 -b grpcs://signal.example.org -a stun:stun.example.org");
}

static void hint_usage(void)
{
	fputs("Try `wiced --help`.\n", stderr);
}

/* getopt_long(3) codes: letters, and for what has no letter numbers above all characters. */
enum { OPTION_HELP = 256, OPTION_VERSION, OPTION_KEY };

typedef struct {
	struct option options[MAX_KEYS + 4];
	char letters[2 * MAX_KEYS + 4];
} OptionTable;

/* From the keys of the configuration, so that file and command line cannot differ. */
static void fill_options(OptionTable *table)
{
	const WiceDaemonKey *key;
	size_t n = 0;
	g_strlcpy(table->letters, "c:", sizeof table->letters);
	for (size_t i = 0; i < MAX_KEYS && (key = wice_daemon_config_key(i)); i++) {
		const char letter[] = { key->letter, ':', 0 };
		table->options[n++] =
			(struct option){ key->key, required_argument, NULL, OPTION_KEY + (int)i };
		if (key->letter)
			g_strlcat(table->letters, letter, sizeof table->letters);
	}
	table->options[n++] = (struct option){ "config", required_argument, NULL, 'c' };
	table->options[n++] = (struct option){ "help", no_argument, NULL, OPTION_HELP };
	table->options[n++] = (struct option){ "version", no_argument, NULL, OPTION_VERSION };
	table->options[n] = (struct option){ NULL, 0, NULL, 0 };
}

static const WiceDaemonKey *key_of_option(int code)
{
	const WiceDaemonKey *key;
	if (code >= OPTION_KEY)
		return wice_daemon_config_key((size_t)(code - OPTION_KEY));
	for (size_t i = 0; (key = wice_daemon_config_key(i)); i++)
		if (key->letter == code)
			break;
	return key;
}

/*
 * A path of the command line means the folder that wiced was started in; a file wants absolute
 * ones.
 */
static gboolean set_from_option(WiceDaemonConfig *config, const WiceDaemonKey *key,
				const char *text, GError **error)
{
	bool is_path = strcmp(key->value, "PATH") == 0 || strcmp(key->value, "FOLDER") == 0;
	g_autofree char *path = is_path && *text ? g_canonicalize_filename(text, NULL) : NULL;
	if (wice_daemon_config_set(config, key->section, key->key, path ? path : text, error))
		return TRUE;
	g_prefix_error(error, "--%s: ", key->key);
	return FALSE;
}

/*
 * Reads the command line twice: first for the file, then for what overrides it. Returns -1 to go
 * on, or the exit code.
 */
static int read_options(int argc, char **argv, WiceDaemonConfig *config)
{
	OptionTable table;
	int code;
	fill_options(&table);
	for (int pass = 0; pass < 2; pass++) {
		optind = 0;
		opterr = pass == 0;
		while ((code = getopt_long(argc, argv, table.letters, table.options, NULL)) != -1) {
			g_autoptr(GError) error = NULL;
			gboolean ok = TRUE;
			if (code == '?') {
				hint_usage();
				return EXIT_USAGE;
			} else if (code == OPTION_HELP) {
				print_help();
				return EXIT_SUCCESS;
			} else if (code == OPTION_VERSION) {
				printf("wiced %s\n", wice_version());
				return EXIT_SUCCESS;
			} else if (code == 'c' && pass == 0) {
				ok = wice_daemon_config_load(config, optarg, &error);
			} else if (code != 'c' && pass == 1) {
				ok = set_from_option(config, key_of_option(code), optarg, &error);
			}
			if (!ok) {
				fail(error);
				return pass == 0 ? EXIT_FAILURE : EXIT_USAGE;
			}
		}
	}
	if (optind < argc) {
		fprintf(stderr,
			"wiced: '%s' is no option. Interfaces are named with -i: wiced -i %s\n",
			argv[optind], argv[optind]);
		hint_usage();
		return EXIT_USAGE;
	}
	return -1;
}

/* The process. */

static bool has_capability(unsigned capability)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	if (syscall(SYS_capget, &header, data) < 0)
		return false;
	return data[capability / 32].effective & (1u << (capability % 32));
}

/* Each peer may need several sockets, and the usual soft limit of 1024 is one of select(2). */
static void raise_file_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* The folder around it belongs to the socket, too, so others may enter that. */
static gboolean make_state_dir(const char *folder, GError **error)
{
	g_autofree char *parent = g_path_get_dirname(folder);
	if (g_mkdir_with_parents(parent, 0755) == 0 && g_mkdir_with_parents(folder, 0700) == 0)
		return TRUE;
	g_set_error(error, WICE_ERROR, WICE_ERROR_IO,
		    "Cannot make the folder %s: %s. Make it or use another --state-dir.", folder,
		    g_strerror(errno));
	return FALSE;
}

/* Main loop. */

typedef struct {
	const WiceDaemonSettings *settings;
	const LogSink *log;
	GMainLoop *loop;
	WiceAgent *agent;
	WiceControlServer *server;
	Ups *ups;
	bool stopping;
} Daemon;

static void say(const Daemon *daemon, WiceLogLevel level, const char *message)
{
	if (level <= daemon->settings->log_level)
		on_log(level, "", message, (void *)daemon->log);
}

static void on_taken_down(void *user_data)
{
	Daemon *daemon = user_data;
	g_main_loop_quit(daemon->loop);
}

/* First goes what we have made, while the loop still serves it; who asks twice does not wait. */
static void stop(Daemon *daemon)
{
	if (daemon->stopping) {
		g_main_loop_quit(daemon->loop);
		return;
	}
	daemon->stopping = true;
	wice_daemon_notify("STOPPING=1");
	say(daemon, WICE_LOG_INFO, "Stopping; putting back what was found.");
	ups_stop(daemon->ups, on_taken_down, daemon);
}

static gboolean on_terminate(gpointer user_data)
{
	stop(user_data);
	return G_SOURCE_CONTINUE;
}

static gboolean on_hangup(gpointer user_data)
{
	Daemon *daemon = user_data;
	g_autoptr(GError) error = NULL;
	if (!wice_agent_sync(daemon->agent, NULL, &error))
		say(daemon, WICE_LOG_WARNING, error->message);
	return G_SOURCE_CONTINUE;
}

static void on_stop(void *user_data)
{
	stop(user_data);
}

static gboolean make_agent(Daemon *daemon, GError **error)
{
	static const char *const local_only[] = { "multicast://", NULL };
	const WiceDaemonSettings *settings = daemon->settings;
	WiceAgentOptions options;
	wice_agent_options_init(&options);
	options.backends = settings->backends;
	options.stun_urls = settings->stun_urls;
	options.relays = settings->relays;
	options.state_dir = settings->state_dir;
	options.mechanism = settings->mechanism;
	options.no_port_mapping = !settings->port_mapping;
	options.relay_server = settings->relay_server;
	options.fit_mtu = settings->fit_mtu;
	if (!settings->backends[0]) {
		options.backends = local_only;
		say(daemon, WICE_LOG_INFO,
		    "No --backend was given: looking for peers on the local network only "
		    "(multicast://).");
	}
	if (!settings->stun_urls[0])
		say(daemon, WICE_LOG_INFO,
		    "No --stun was given: our public address stays unknown, so two hosts behind "
		    "different NATs will hardly find a path.");
	daemon->agent = wice_agent_new(NULL, &options, error);
	return daemon->agent != NULL;
}

static gboolean add_interfaces(Daemon *daemon, GError **error)
{
	const char *const *interfaces = daemon->settings->interfaces;
	if (!interfaces[0])
		return wice_agent_add_interface(daemon->agent, "*", error);
	for (size_t i = 0; interfaces[i]; i++) {
		if (!strpbrk(interfaces[i], "*?") && if_nametoindex(interfaces[i]) == 0) {
			g_autofree char *note = g_strdup_printf(
				"There is no interface %s yet; waiting for it.", interfaces[i]);
			say(daemon, WICE_LOG_INFO, note);
		}
		if (!wice_agent_add_interface(daemon->agent, interfaces[i], error))
			return FALSE;
	}
	return TRUE;
}

static gboolean start(Daemon *daemon, GError **error)
{
	const WiceDaemonSettings *settings = daemon->settings;
	if (!make_state_dir(settings->state_dir, error) || !make_agent(daemon, error))
		return FALSE;
	/* Before the interfaces: a second wiced is refused before it touches anything. */
	daemon->server = wice_control_server_new(NULL, daemon->agent, settings->socket, on_stop,
						 daemon, error);
	return daemon->server && add_interfaces(daemon, error);
}

/* By then the first peers have had their time, and what starting needed is not needed again. */
#define TRIM_AFTER_S 5
/* Connecting needs memory, too, time and again: 22 MiB for a thousand peers. */
#define TRIM_EVERY_S 30

static gboolean on_trim(gpointer user_data)
{
	wice_daemon_trim();
	return G_SOURCE_CONTINUE;
}

static gboolean on_settled(gpointer user_data)
{
	wice_daemon_trim();
	g_timeout_add_seconds(TRIM_EVERY_S, on_trim, NULL);
	return G_SOURCE_REMOVE;
}

static int run(const WiceDaemonSettings *settings, const LogSink *log)
{
	g_autoptr(GError) error = NULL;
	Daemon daemon = { .settings = settings, .log = log };
	daemon.loop = g_main_loop_new(NULL, FALSE);
	daemon.ups = ups_new(settings->ups, settings->socket);
	g_unix_signal_add(SIGINT, on_terminate, &daemon);
	g_unix_signal_add(SIGTERM, on_terminate, &daemon);
	g_unix_signal_add(SIGHUP, on_hangup, &daemon);

	gboolean started = start(&daemon, &error);
	if (started) {
		g_autofree char *banner = g_strdup_printf("wiced %s is ready and listens on %s.",
							  wice_version(), settings->socket);
		say(&daemon, WICE_LOG_INFO, banner);
		wice_daemon_notify("READY=1");
		g_timeout_add_seconds(TRIM_AFTER_S, on_settled, NULL);
		ups_start(daemon.ups);
		g_main_loop_run(daemon.loop);
	}
	ups_free(daemon.ups);
	wice_control_server_free(daemon.server);
	wice_agent_free(daemon.agent);
	g_main_loop_unref(daemon.loop);
	return started ? EXIT_SUCCESS : fail(error);
}

int main(int argc, char **argv)
{
	g_autoptr(WiceDaemonConfig) config = wice_daemon_config_new();
	int code = read_options(argc, argv, config);
	if (code >= 0)
		return code;
	if (!has_capability(CAP_NET_ADMIN)) {
		fputs("wiced: Setting up WireGuard peers needs CAP_NET_ADMIN; run wiced as root or "
		      "with that capability.\n",
		      stderr);
		return EXIT_FAILURE;
	}
	const WiceDaemonSettings *settings = wice_daemon_config_settings(config);
	LogSink log = { .journal = stderr_is_journal() };
	wice_log_set_handler(settings->log_level, on_log, &log);
	raise_file_limit();
	(void)signal(SIGPIPE, SIG_IGN); /* whoever reads our log may go away */
	return run(settings, &log);
}
