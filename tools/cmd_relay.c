/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* wice relay: a STUN and TURN server until it is told to stop. */
#include <glib-unix.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <wice/addr.h>
#include <wice/relay.h>

#include "wice.h"

/*
 * What the configuration file and the command line say; unset texts are NULL, unset numbers 0. Each
 * line of the file is an option without its dashes. Names with passwords and secrets are read from
 * files only: everybody can see a command line.
 */
typedef struct {
	char **listen, **relay_addresses, **user_files, **secret_files;
	char *config, *realm, *port_range, *certificate, *key, *fast_path, *drain_to;
	gint allocations, user_allocations, address_allocations;
	gint64 user_rate;
	gboolean stun_only, permit_private, permit_loopback;
	GPtrArray *users, *secrets; /* NULL-terminated */
	unsigned min_port, max_port;
} Arguments;

static void say(const char *format, ...) G_GNUC_PRINTF(1, 2);
static void say(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fputs("wice relay: ", stderr);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

/* Calls take for each line that holds something. */
static bool read_lines(const char *path, bool (*take)(char *line, void *user_data), void *user_data)
{
	g_autoptr(GError) error = NULL;
	char *text;
	gsize len;
	if (!g_file_get_contents(path, &text, &len, &error)) {
		say("%s", error->message);
		return false;
	}
	bool ok = strlen(text) == len;
	char *rest = text, *line;
	if (!ok)
		say("%s is no text file.", path);
	for (unsigned number = 1; ok && (line = strsep(&rest, "\n")); number++) {
		g_strstrip(line);
		if (*line && *line != '#' && !take(line, user_data)) {
			say("line %u of %s cannot be understood.", number, path);
			ok = false;
		}
	}
	explicit_bzero(text, len); /* of which strsep() has made many texts */
	g_free(text);
	return ok;
}

static bool take_secret(char *line, void *list)
{
	g_ptr_array_add(list, g_strdup(line));
	return true;
}

static bool take_user(char *line, void *list)
{
	return strchr(line, ':') && take_secret(line, list);
}

/* Secrets that others may read are none. */
static void warn_if_public(const char *path)
{
	struct stat info;
	if (stat(path, &info) == 0 && info.st_mode & S_IROTH)
		say("warning: everybody on this host can read %s.", path);
}

static bool read_secrets(char **paths, bool (*take)(char *line, void *user_data), GPtrArray *list)
{
	for (; paths && *paths; paths++) {
		warn_if_public(*paths);
		if (!read_lines(*paths, take, list))
			return false;
	}
	return true;
}

typedef struct {
	Arguments *arguments;
	GPtrArray *words; /* of a command line */
} Configuration;

/* "NAME VALUE", "NAME = VALUE" or "NAME". */
static bool take_setting(char *line, void *user_data)
{
	Configuration *configuration = user_data;
	size_t len = strcspn(line, " \t=");
	char *value = line + len + strspn(line + len, " \t");
	if (*value == '=')
		value += 1 + strspn(value + 1, " \t");
	g_autofree char *name = g_strndup(line, len);
	if (strcmp(name, "user") == 0)
		return take_user(value, configuration->arguments->users);
	if (strcmp(name, "secret") == 0)
		return *value && take_secret(value, configuration->arguments->secrets);
	if (len == 0 || strcmp(name, "config") == 0)
		return false;
	g_ptr_array_add(configuration->words, *value ? g_strdup_printf("--%s=%s", name, value)
						     : g_strdup_printf("--%s", name));
	return true;
}

static bool parse_words(GPtrArray *words, Arguments *arguments)
{
	const GOptionEntry entries[] = {
		{ "config", 'c', 0, G_OPTION_ARG_FILENAME, &arguments->config,
		  "Read options from there, one per line, without their dashes", "FILE" },
		{ "users-file", 'u', 0, G_OPTION_ARG_FILENAME_ARRAY, &arguments->user_files,
		  "Who may use it: NAME:PASSWORD in each line", "FILE" },
		{ "secret-file", 's', 0, G_OPTION_ARG_FILENAME_ARRAY, &arguments->secret_files,
		  "Secrets that time-limited names are made with, one per line", "FILE" },
		{ "listen", 'l', 0, G_OPTION_ARG_STRING_ARRAY, &arguments->listen,
		  "udp:ADDRESS:PORT, tcp:... or tls:...; * is all addresses (default udp:*:3478 "
		  "and tcp:*:3478)",
		  "WHERE" },
		{ "cert", 0, 0, G_OPTION_ARG_FILENAME, &arguments->certificate,
		  "The certificate for tls (PEM), and its key unless --key is given", "FILE" },
		{ "key", 0, 0, G_OPTION_ARG_FILENAME, &arguments->key, "The certificate's key",
		  "FILE" },
		{ "relay-address", 'a', 0, G_OPTION_ARG_STRING_ARRAY, &arguments->relay_addresses,
		  "Relay from this address of ours; OUTER/INNER behind a NAT that forwards",
		  "ADDRESS" },
		{ "port-range", 0, 0, G_OPTION_ARG_STRING, &arguments->port_range,
		  "Of relayed ports (default 49152-65535)", "MIN-MAX" },
		{ "realm", 'r', 0, G_OPTION_ARG_STRING, &arguments->realm,
		  "What the names belong to (default wice)", "TEXT" },
		{ "allocations", 0, 0, G_OPTION_ARG_INT, &arguments->allocations,
		  "At most so many at a time (default 100000)", "N" },
		{ "user-allocations", 0, 0, G_OPTION_ARG_INT, &arguments->user_allocations,
		  "So many of one user (default 10)", "N" },
		{ "address-allocations", 0, 0, G_OPTION_ARG_INT, &arguments->address_allocations,
		  "So many of one address (default 50)", "N" },
		{ "user-rate", 0, 0, G_OPTION_ARG_INT64, &arguments->user_rate,
		  "Bytes per second of one user, each way (default: as many as there are)", "N" },
		{ "permit-private", 0, 0, G_OPTION_ARG_NONE, &arguments->permit_private,
		  "Relay to private networks, too", NULL },
		{ "permit-loopback", 0, 0, G_OPTION_ARG_NONE, &arguments->permit_loopback,
		  "Relay to this host itself: for tests", NULL },
		{ "stun-only", 0, 0, G_OPTION_ARG_NONE, &arguments->stun_only,
		  "Tell clients their addresses and nothing else", NULL },
		{ "fast-path", 0, 0, G_OPTION_ARG_STRING, &arguments->fast_path,
		  "Where packets are turned around: auto, native, generic, tc or off", "HOW" },
		{ "drain-to", 0, 0, G_OPTION_ARG_STRING, &arguments->drain_to,
		  "Where new clients are sent once it drains", "ADDRESS:PORT" },
		{ NULL },
	};
	g_autoptr(GError) error = NULL;
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_option_context_set_summary(
		context,
		"Runs a STUN and TURN server: a relay for peers that have no direct path.");
	g_option_context_set_description(
		context, "SIGTERM stops it, SIGUSR2 does once its last client has gone (new ones "
			 "are refused),\nSIGUSR1 makes it print what it does.\n");
	g_option_context_add_main_entries(context, entries, NULL);
	g_autofree char **argv = g_memdup2(words->pdata, words->len * sizeof(char *));
	int argc = (int)words->len - 1;
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		say("%s. See wice relay --help.", error->message);
		return false;
	}
	if (argc > 1) {
		say("\"%s\" is too much. See wice relay --help.", argv[1]);
		return false;
	}
	return true;
}

/* "49152-65535" */
static bool parse_port_range(Arguments *arguments)
{
	char rest;
	if (!arguments->port_range)
		return true;
	if (sscanf(arguments->port_range, "%5u-%5u%c", &arguments->min_port, &arguments->max_port,
		   &rest) == 2 &&
	    arguments->min_port >= 1 && arguments->min_port <= arguments->max_port &&
	    arguments->max_port <= G_MAXUINT16)
		return true;
	say("--port-range must be MIN-MAX, not '%s'.", arguments->port_range);
	return false;
}

static bool check_users(const Arguments *arguments)
{
	if (arguments->users->len || arguments->secrets->len || arguments->stun_only)
		return true;
	say("the relay has no users: name them with --users-file or --secret-file, or be a STUN "
	    "server only with --stun-only. See wice relay --help.");
	return false;
}

static bool check_drain_to(const Arguments *arguments)
{
	WiceEndpoint endpoint;
	if (!arguments->drain_to ||
	    (wice_endpoint_parse(arguments->drain_to, &endpoint) && endpoint.port))
		return true;
	say("--drain-to must be ADDRESS:PORT, not '%s'.", arguments->drain_to);
	return false;
}

static bool check_numbers(const Arguments *arguments)
{
	if (arguments->allocations >= 0 && arguments->user_allocations >= 0 &&
	    arguments->address_allocations >= 0 && arguments->user_rate >= 0)
		return true;
	say("no number can be negative.");
	return false;
}

/* The file that --config names, if it is there: what it says comes before all else. */
static const char *find_config(int argc, char **argv)
{
	const char *found = NULL;
	for (int i = 1; i < argc; i++) {
		if (g_str_has_prefix(argv[i], "--config="))
			found = argv[i] + strlen("--config=");
		else if ((strcmp(argv[i], "--config") == 0 || strcmp(argv[i], "-c") == 0) &&
			 i + 1 < argc)
			found = argv[i + 1];
	}
	return found;
}

static bool parse_arguments(int argc, char **argv, Arguments *arguments)
{
	g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
	Configuration configuration = { arguments, words };
	const char *config = find_config(argc, argv);
	g_ptr_array_add(words, g_strdup("wice relay"));
	if (config) {
		if (!read_lines(config, take_setting, &configuration))
			return false;
		if (arguments->users->len > 0 || arguments->secrets->len > 0)
			warn_if_public(config);
	}
	for (int i = 1; i < argc; i++)
		g_ptr_array_add(words, g_strdup(argv[i]));
	g_ptr_array_add(words, NULL);
	return parse_words(words, arguments) && parse_port_range(arguments) &&
	       check_numbers(arguments) && check_drain_to(arguments) &&
	       read_secrets(arguments->user_files, take_user, arguments->users) &&
	       read_secrets(arguments->secret_files, take_secret, arguments->secrets) &&
	       check_users(arguments);
}

/* Running. */

typedef struct {
	GMainLoop *loop;
	WiceRelayServer *server;
	const Arguments *arguments;
} Run;

static gboolean on_stop(gpointer user_data)
{
	Run *run = user_data;
	g_main_loop_quit(run->loop);
	return G_SOURCE_CONTINUE;
}

static void on_drained(void *user_data)
{
	Run *run = user_data;
	say("the last client has gone.");
	g_main_loop_quit(run->loop);
}

static gboolean on_drain(gpointer user_data)
{
	Run *run = user_data;
	g_autoptr(GError) error = NULL;
	WiceRelayServerStatus status;
	if (!wice_relay_server_drain(run->server, run->arguments->drain_to, on_drained, run,
				     &error)) {
		say("%s", error->message);
		return G_SOURCE_CONTINUE;
	}
	wice_relay_server_status(run->server, &status);
	say("no new clients; waiting for %" G_GUINT64_FORMAT " allocations to end.",
	    (guint64)status.allocations);
	return G_SOURCE_CONTINUE;
}

static gboolean on_status(gpointer user_data)
{
	Run *run = user_data;
	WiceRelayServerStatus status;
	wice_relay_server_status(run->server, &status);
	printf("allocations: %" G_GUINT64_FORMAT " now, %" G_GUINT64_FORMAT
	       " since the start, %" G_GUINT64_FORMAT " refused\n"
	       "relayed: %" G_GUINT64_FORMAT " packets, %" G_GUINT64_FORMAT
	       " bytes; in the kernel: %" G_GUINT64_FORMAT " packets; dropped: %" G_GUINT64_FORMAT
	       "\n"
	       "answers to strangers: %" G_GUINT64_FORMAT "\n"
	       "fast path: %s\n",
	       (guint64)status.allocations, (guint64)status.total, (guint64)status.refused,
	       (guint64)status.packets, (guint64)status.bytes, (guint64)status.fast_packets,
	       (guint64)status.dropped, (guint64)status.unauthenticated, status.fast_path);
	fflush(stdout);
	return G_SOURCE_CONTINUE;
}

static void say_where(WiceRelayServer *server)
{
	WiceRelayServerStatus status;
	const char *where;
	for (size_t i = 0; (where = wice_relay_server_listening(server, i)); i++)
		printf("wice relay: listening at %s\n", where);
	wice_relay_server_status(server, &status);
	printf("wice relay: fast path: %s\n", status.fast_path);
	fflush(stdout);
}

/* Each relayed port is a descriptor. */
static void permit_descriptors(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void fill_options(const Arguments *arguments, WiceRelayServerOptions *options)
{
	wice_relay_server_options_init(options);
	options->listen = (const char *const *)arguments->listen;
	options->relay_addresses = (const char *const *)arguments->relay_addresses;
	options->certificate_file = arguments->certificate;
	options->key_file = arguments->key;
	options->min_port = (uint16_t)arguments->min_port;
	options->max_port = (uint16_t)arguments->max_port;
	options->realm = arguments->realm;
	options->users = (const char *const *)arguments->users->pdata;
	options->secrets = (const char *const *)arguments->secrets->pdata;
	options->max_allocations = (uint32_t)arguments->allocations;
	options->max_per_user = (uint32_t)arguments->user_allocations;
	options->max_per_address = (uint32_t)arguments->address_allocations;
	options->user_bytes_per_s = (uint64_t)arguments->user_rate;
	options->permit_private = arguments->permit_private;
	options->permit_loopback = arguments->permit_loopback;
	options->stun_only = arguments->stun_only;
	options->fast_path = arguments->fast_path;
}

static int serve(const Arguments *arguments)
{
	WiceRelayServerOptions options;
	g_autoptr(GError) error = NULL;
	fill_options(arguments, &options);
	permit_descriptors();
	g_autoptr(WiceRelayServer) server = wice_relay_server_new(NULL, &options, &error);
	if (!server) {
		say("%s", error->message);
		return EXIT_FAILURE;
	}
	(void)signal(SIGPIPE, SIG_IGN); /* whoever reads what it prints may go away */
	g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
	Run run = { loop, server, arguments };
	const guint sources[] = {
		g_unix_signal_add(SIGINT, on_stop, &run),
		g_unix_signal_add(SIGTERM, on_stop, &run),
		g_unix_signal_add(SIGUSR1, on_status, &run),
		g_unix_signal_add(SIGUSR2, on_drain, &run),
	};
	say_where(server);
	g_main_loop_run(loop);
	for (size_t i = 0; i < G_N_ELEMENTS(sources); i++)
		g_source_remove(sources[i]);
	return EXIT_SUCCESS;
}

static void free_secret(gpointer data)
{
	explicit_bzero(data, strlen(data));
	g_free(data);
}

int cmd_relay(int argc, char **argv)
{
	Arguments arguments = {
		.users = g_ptr_array_new_null_terminated(4, free_secret, TRUE),
		.secrets = g_ptr_array_new_null_terminated(4, free_secret, TRUE),
	};
	g_set_prgname("wice relay");
	int status = parse_arguments(argc, argv, &arguments) ? serve(&arguments) : EXIT_USAGE;
	g_strfreev(arguments.listen);
	g_strfreev(arguments.relay_addresses);
	g_strfreev(arguments.user_files);
	g_strfreev(arguments.secret_files);
	char *texts[] = { arguments.config,  arguments.realm,       arguments.port_range,
			  arguments.key,     arguments.certificate, arguments.fast_path,
			  arguments.drain_to };
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
		g_free(texts[i]);
	g_ptr_array_unref(arguments.users);
	g_ptr_array_unref(arguments.secrets);
	return status;
}
