/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* wice check: are STUN and TURN servers well? */
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wice/check.h>
#include <wice/daemon.h>

#include "json.h"
#include "text.h"
#include "wice.h"

#define N_COLUMNS 6
#define TIME_SIZE 24

typedef struct {
	const Invocation *invocation;
	GMainLoop *loop;
	int code;
} Run;

static const char *const column_names[N_COLUMNS] = { "SERVER", "ADDRESS",    "RESULT",
						     "ANSWER", "ALLOCATION", "RELAYED" };

/* The table, and a sentence for each server that is not well. */

static const char *format_us(uint32_t us, char ret_text[TIME_SIZE])
{
	if (us)
		g_snprintf(ret_text, TIME_SIZE, "%.1f ms", us / 1000.0);
	else
		g_strlcpy(ret_text, "-", TIME_SIZE);
	return ret_text;
}

static void put_cells(GPtrArray *cells, const WiceCheckResult *result)
{
	char text[WICE_ENDPOINT_SIZE], time[TIME_SIZE];
	bool resolved = result->server.address.family != WICE_FAMILY_NONE;
	bool done = result->step == WICE_CHECK_DONE;
	g_ptr_array_add(cells, g_strdup(result->url));
	g_ptr_array_add(cells,
			g_strdup(resolved ? wice_endpoint_format(&result->server, text) : "-"));
	g_ptr_array_add(cells, done ? g_strdup("ok")
				    : g_strdup_printf("no %s", wice_check_step_name(result->step)));
	g_ptr_array_add(cells, g_strdup(format_us(result->rtt_us, time)));
	g_ptr_array_add(cells, g_strdup(format_us(result->allocate_ms * 1000, time)));
	g_ptr_array_add(cells, g_strdup(format_us(result->relay_us, time)));
}

static void print_row(const GPtrArray *cells, guint row, const int *widths, bool colours)
{
	g_autoptr(GString) line = g_string_new(NULL);
	for (guint i = 0; i < N_COLUMNS; i++) {
		const char *cell = cells->pdata[row * N_COLUMNS + i];
		bool ok = strcmp(cell, "ok") == 0;
		Colour colour = row == 0 ? COLOUR_BOLD
				: i != 2 ? COLOUR_NONE
				: ok     ? COLOUR_GREEN
					 : COLOUR_RED;
		text_colour(line, colours, colour, cell);
		if (i + 1 < N_COLUMNS)
			g_string_append_printf(line, "%*s", widths[i] - (int)strlen(cell) + 2, "");
	}
	puts(line->str);
}

static void print_table(const WiceCheckResult *results, size_t n)
{
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
	int widths[N_COLUMNS] = { 0 };
	bool colours = text_wants_colour(stdout);
	for (size_t i = 0; i < N_COLUMNS; i++)
		g_ptr_array_add(cells, g_strdup(column_names[i]));
	for (size_t i = 0; i < n; i++)
		put_cells(cells, &results[i]);
	for (guint i = 0; i < cells->len; i++)
		widths[i % N_COLUMNS] = MAX(widths[i % N_COLUMNS], (int)strlen(cells->pdata[i]));
	for (guint row = 0; row <= n; row++)
		print_row(cells, row, widths, colours);
}

/* What there is to say about one more than once is said once. */
static void print_reasons(const WiceCheckResult *results, size_t n)
{
	char address[WICE_ENDPOINT_SIZE];
	for (size_t i = 0; i < n; i++) {
		g_autoptr(GString) text = g_string_new(NULL);
		bool resolved = results[i].server.address.family != WICE_FAMILY_NONE;
		if (results[i].step == WICE_CHECK_DONE)
			continue;
		text_clean(text, results[i].reason);
		printf("\n%s%s%s%s:\n  %s\n", results[i].url, resolved ? " (" : "",
		       resolved ? wice_endpoint_format(&results[i].server, address) : "",
		       resolved ? ")" : "", text->str);
	}
}

static void print_outside(const WiceCheckResult *results, size_t n)
{
	static const struct {
		WiceFamily family;
		const char *name;
	} families[] = { { WICE_FAMILY_IPV4, "IPv4" }, { WICE_FAMILY_IPV6, "IPv6" } };
	char text[WICE_ADDRESS_SIZE];
	for (size_t k = 0; k < G_N_ELEMENTS(families); k++) {
		for (size_t i = 0; i < n; i++) {
			const WiceCheckResult *result = &results[i];
			if (result->outside.address.family != families[k].family)
				continue;
			printf("%s%s: seen from outside as %s, NAT: %s\n", k ? "" : "\n",
			       families[k].name,
			       wice_address_format(&result->outside.address, text),
			       wice_nat_mapping_name(result->nat));
			break;
		}
	}
}

/* JSON: docs/json.md promises these members. */

static void put_number(Json *json, const char *name, uint32_t number)
{
	if (number)
		json_uint(json, name, number);
	else
		json_null(json, name);
}

static void put_result(Json *json, const WiceCheckResult *result)
{
	json_begin_object(json, NULL);
	json_string(json, "url", result->url);
	json_endpoint(json, "server", &result->server);
	json_bool(json, "ok", result->step == WICE_CHECK_DONE);
	json_string(json, "step", wice_check_step_name(result->step));
	json_string(json, "reason", result->reason);
	put_number(json, "code", result->code);
	put_number(json, "resolve_ms", result->resolve_ms);
	put_number(json, "connect_ms", result->connect_ms);
	put_number(json, "rtt_us", result->rtt_us);
	put_number(json, "allocate_ms", result->allocate_ms);
	put_number(json, "relay_us", result->relay_us);
	json_endpoint(json, "outside", &result->outside);
	json_string(json, "nat", wice_nat_mapping_name(result->nat));
	json_endpoint(json, "relayed_ipv4", &result->relayed_ipv4);
	json_endpoint(json, "relayed_ipv6", &result->relayed_ipv6);
	json_string(json, "software", result->software);
	json_end_object(json);
}

static void print_json(const WiceCheckResult *results, size_t n)
{
	Json json;
	json_init(&json, true);
	json_begin_object(&json, NULL);
	json_begin_array(&json, "servers");
	for (size_t i = 0; i < n; i++)
		put_result(&json, &results[i]);
	json_end_array(&json);
	json_end_object(&json);
	g_autofree char *text = json_finish(&json);
	fputs(text, stdout);
}

static void on_done(const WiceCheckResult *results, size_t n, const GError *error, void *user_data)
{
	Run *run = user_data;
	run->code = error ? fail(error) : EXIT_SUCCESS;
	for (size_t i = 0; i < n; i++)
		if (results[i].step != WICE_CHECK_DONE)
			run->code = EXIT_FAILURE;
	if (!error && run->invocation->json) {
		print_json(results, n);
	} else if (!error) {
		print_table(results, n);
		print_reasons(results, n);
		print_outside(results, n);
	}
	g_main_loop_quit(run->loop);
}

/* Which servers. */

/* A word that begins no URL belongs to the URL before it: what one would else have to quote. */
static bool take_words(const Invocation *invocation, GPtrArray *servers)
{
	for (int i = 0; i < invocation->n_args; i++) {
		const char *word = invocation->args[i];
		bool is_url = g_ascii_strncasecmp(word, "stun", 4) == 0 ||
			      g_ascii_strncasecmp(word, "turn", 4) == 0;
		if (is_url) {
			g_ptr_array_add(servers, g_strdup(word));
			continue;
		}
		if (servers->len == 0) {
			fprintf(stderr,
				"wice: '%s' is no URL of a server, as stun:HOST or turn:HOST.\n",
				word);
			return false;
		}
		char **last = (char **)&servers->pdata[servers->len - 1];
		char *longer = g_strjoin(" ", *last, word, NULL);
		g_free(*last);
		*last = longer;
	}
	return true;
}

static int take_config(const char *path, GPtrArray *servers)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WiceDaemonConfig) config = wice_daemon_config_new();
	if (!wice_daemon_config_load(config, path, &error))
		return fail(error);
	const WiceDaemonSettings *settings = wice_daemon_config_settings(config);
	for (size_t i = 0; settings->stun_urls[i]; i++)
		g_ptr_array_add(servers, g_strdup(settings->stun_urls[i]));
	for (size_t i = 0; settings->relays[i]; i++)
		g_ptr_array_add(servers, g_strdup(settings->relays[i]));
	if (servers->len)
		return EXIT_SUCCESS;
	fprintf(stderr, "wice: %s names no servers (stun, relay).\n", path);
	return EXIT_FAILURE;
}

static int find_servers(const Invocation *invocation, GPtrArray *servers)
{
	if (invocation->n_args == 0 && !invocation->config) {
		fputs("wice: `wice check` needs URLs, or --config FILE.\n", stderr);
		return EXIT_USAGE;
	}
	if (invocation->n_args && invocation->config) {
		fputs("wice: `wice check` takes URLs or --config FILE, not both.\n", stderr);
		return EXIT_USAGE;
	}
	if (invocation->config)
		return take_config(invocation->config, servers);
	return take_words(invocation, servers) ? EXIT_SUCCESS : EXIT_USAGE;
}

static gboolean on_signal(gpointer cancel)
{
	wice_cancel_now(cancel);
	return G_SOURCE_CONTINUE;
}

static int check(const Invocation *invocation, const char *const *servers)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
	g_autoptr(WiceCancel) cancel = wice_cancel_new();
	Run run = { .invocation = invocation, .loop = loop };
	WiceCheckOptions options = {
		.size = sizeof options,
		.servers = servers,
		.visible = !invocation->config,
		.timeout_ms = invocation->timeout_ms,
	};
	if (!wice_check(NULL, &options, NULL, on_done, &run, cancel, &error)) {
		fail(error);
		return EXIT_USAGE;
	}
	guint interrupted = g_unix_signal_add(SIGINT, on_signal, cancel);
	guint terminated = g_unix_signal_add(SIGTERM, on_signal, cancel);
	g_main_loop_run(loop);
	g_source_remove(interrupted);
	g_source_remove(terminated);
	return run.code;
}

int cmd_check(const Invocation *invocation)
{
	g_autoptr(GPtrArray) servers = g_ptr_array_new_with_free_func(g_free);
	int code = find_servers(invocation, servers);
	if (code)
		return code;
	g_ptr_array_add(servers, NULL);
	return check(invocation, (const char *const *)servers->pdata);
}
