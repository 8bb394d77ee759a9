/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* wice signal: a signaling server until it is told to stop. */
#include <glib-unix.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wice/signaling.h>

#include "wice.h"

/* What the command line says; unset texts are NULL, unset numbers 0. */
typedef struct {
	char *listen;
	char *tls_cert;
	char *tls_key;
	gboolean allow_unproven;
	gint rate;
} Arguments;

static gboolean parse_arguments(int argc, char **argv, Arguments *arguments)
{
	const GOptionEntry entries[] = {
		{ "listen", 'l', 0, G_OPTION_ARG_STRING, &arguments->listen,
		  "Listen there; :PORT is all addresses (default :8080)", "ADDR:PORT" },
		{ "tls-cert", 0, 0, G_OPTION_ARG_FILENAME, &arguments->tls_cert,
		  "Offer TLS with this certificate (PEM)", "FILE" },
		{ "tls-key", 0, 0, G_OPTION_ARG_FILENAME, &arguments->tls_key,
		  "The certificate's private key (PEM)", "FILE" },
		{ "allow-unproven", 0, 0, G_OPTION_ARG_NONE, &arguments->allow_unproven,
		  "Accept subscribers that cannot prove that a key is theirs (cunicu)", NULL },
		{ "rate", 0, 0, G_OPTION_ARG_INT, &arguments->rate,
		  "Envelopes per second that one client may send (default 200)", "N" },
		{ NULL },
	};
	g_autoptr(GError) error = NULL;
	g_set_prgname("wice signal");
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_option_context_set_summary(context,
				     "Runs a signaling server: peers that cannot reach each "
				     "other yet find each other through it.\nIt stores "
				     "nothing and cannot read what it passes on.");
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		fprintf(stderr, "wice signal: %s. See wice signal --help.\n", error->message);
		return FALSE;
	}
	if (argc > 1) {
		fprintf(stderr, "wice signal: \"%s\" is too much. See wice signal --help.\n",
			argv[1]);
		return FALSE;
	}
	if (arguments->rate < 0 || arguments->rate > 1000000) {
		fprintf(stderr, "wice signal: --rate must be from 1 to 1000000.\n");
		return FALSE;
	}
	return TRUE;
}

static gboolean on_signal(gpointer user_data)
{
	g_main_loop_quit(user_data);
	return G_SOURCE_CONTINUE;
}

static void say_where(const WiceSignalingServerOptions *options, const WiceSignalingServer *server)
{
	const char *colon = strrchr(options->listen, ':');
	bool all = colon == options->listen;
	printf("wice signal: listening on %s://%.*s:%u\n", options->tls_cert ? "grpcs" : "grpc",
	       all ? 1 : (int)(colon - options->listen), all ? "*" : options->listen,
	       wice_signaling_server_port(server));
	fflush(stdout);
}

static int run(const Arguments *arguments)
{
	WiceSignalingServerOptions options;
	g_autoptr(GError) error = NULL;
	wice_signaling_server_options_init(&options);
	if (arguments->listen)
		options.listen = arguments->listen;
	options.tls_cert = arguments->tls_cert;
	options.tls_key = arguments->tls_key;
	options.allow_unproven = arguments->allow_unproven;
	if (arguments->rate) {
		options.rate = (unsigned)arguments->rate;
		options.burst = options.rate * 5;
	}
	g_autoptr(WiceSignalingServer) server = wice_signaling_server_new(NULL, &options, &error);
	if (!server) {
		fprintf(stderr, "wice signal: %s\n", error->message);
		return EXIT_FAILURE;
	}
	g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
	guint interrupted = g_unix_signal_add(SIGINT, on_signal, loop);
	guint terminated = g_unix_signal_add(SIGTERM, on_signal, loop);
	say_where(&options, server);
	g_main_loop_run(loop);
	g_source_remove(interrupted);
	g_source_remove(terminated);
	return EXIT_SUCCESS;
}

int cmd_signal(int argc, char **argv)
{
	Arguments arguments = { 0 };
	int status = parse_arguments(argc, argv, &arguments) ? run(&arguments) : EXIT_USAGE;
	g_free(arguments.listen);
	g_free(arguments.tls_cert);
	g_free(arguments.tls_key);
	return status;
}
