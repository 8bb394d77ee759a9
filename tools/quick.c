/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "quick.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wice/error.h>

#define FOLDER "/etc/wireguard"
#define SUFFIX ".conf"

static gboolean name_of_file(const char *path, char ret_name[16], GError **error)
{
	g_autofree char *file = g_path_get_basename(path);
	if (g_str_has_suffix(file, SUFFIX)) {
		file[strlen(file) - strlen(SUFFIX)] = 0;
		if (*file && strlen(file) < 16 && !strpbrk(file, "/: \t%*?")) {
			g_strlcpy(ret_name, file, 16);
			return TRUE;
		}
	}
	g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
		    "%s tells no interface: the file's name must be that of the interface, at most "
		    "15 characters, and .conf.",
		    path);
	return FALSE;
}

gboolean quick_open(Quick *quick, const char *argument, GError **error)
{
	bool is_file = strchr(argument, '/') || g_str_has_suffix(argument, SUFFIX);
	*quick = (Quick){ 0 };
	quick->path = is_file ? g_canonicalize_filename(argument, NULL)
			      : g_strconcat(FOLDER "/", argument, SUFFIX, NULL);
	if (name_of_file(quick->path, quick->name, error))
		quick->conf = wice_conf_read(quick->path, WICE_CONF_STRICT, error);
	return quick->conf != NULL;
}

void quick_done(Quick *quick)
{
	wice_conf_free(quick->conf);
	g_free(quick->path);
}

/* Hooks. */

/* They run with our privileges, so nobody with fewer may have had a hand in them. */
static gboolean check_author(const Quick *quick, GError **error)
{
	struct stat file;
	if (stat(quick->path, &file) == 0 && (file.st_uid == 0 || file.st_uid == geteuid()) &&
	    !(file.st_mode & (S_IWGRP | S_IWOTH)))
		return TRUE;
	g_set_error(error, WICE_ERROR, WICE_ERROR_PERMISSION,
		    "The commands in %s are not run, because others than root may write it: chown "
		    "root %s; chmod go-w %s.",
		    quick->path, quick->path, quick->path);
	return FALSE;
}

static gboolean run(const char *const *argv, GError **error)
{
	int status;
	return g_spawn_sync(NULL, (char **)argv, NULL,
			    G_SPAWN_SEARCH_PATH | G_SPAWN_CHILD_INHERITS_STDIN, NULL, NULL, NULL,
			    NULL, &status, error) &&
	       g_spawn_check_wait_status(status, error);
}

static gboolean run_hook(const Quick *quick, const char *hook, GError **error)
{
	g_auto(GStrv) parts = g_strsplit(hook, "%i", -1);
	g_autofree char *command = g_strjoinv(quick->name, parts);
	const char *const argv[] = { "bash", "-c", command, NULL };
	fprintf(stderr, "[#] %s\n", command);
	if (run(argv, error))
		return TRUE;
	g_prefix_error(error, "`%s` of %s failed: ", command, quick->path);
	return FALSE;
}

gboolean quick_run_hooks(const Quick *quick, const char *key, GError **error)
{
	const char *hook;
	for (size_t i = 0; (hook = wice_conf_quick(quick->conf, key, i)); i++) {
		if (!check_author(quick, error) || !run_hook(quick, hook, error))
			return FALSE;
	}
	return TRUE;
}

/* Routes. */

/* FALSE: there are to be none. */
static gboolean read_table(const Quick *quick, gboolean *ret_wanted, uint32_t *ret_table,
			   GError **error)
{
	const char *table = wice_conf_quick(quick->conf, "Table", 0);
	guint64 number = 0;
	*ret_wanted = g_strcmp0(table, "off") != 0;
	*ret_table = 0;
	if (!*ret_wanted || !table || strcmp(table, "auto") == 0)
		return TRUE;
	if (!g_ascii_string_to_unsigned(table, 10, 1, UINT32_MAX, &number, NULL)) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "%s: '%s' is no routing table; it can be a number, auto, or off.",
			    quick->path, table);
		return FALSE;
	}
	*ret_table = (uint32_t)number;
	return TRUE;
}

/* The system routes to the networks of the interface's addresses by itself. */
static bool is_own_network(const Quick *quick, const WicePrefix *network)
{
	size_t n;
	const WiceInterfaceAddress *addresses = wice_conf_addresses(quick->conf, &n);
	for (size_t i = 0; i < n; i++) {
		char text[WICE_PREFIX_SIZE];
		WicePrefix own; /* without the host's bits */
		wice_interface_address_format(&addresses[i], text);
		if (wice_prefix_parse(text, &own) && own.length <= network->length &&
		    wice_prefix_contains(&own, &network->address))
			return true;
	}
	return false;
}

static gboolean add_route(const Quick *quick, const WicePrefix *network, uint32_t table,
			  GArray *routes, GError **error)
{
	char text[WICE_PREFIX_SIZE];
	if (table == 0 && network->length == 0) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_UNSUPPORTED,
			    "%s routes everything into the tunnel (%s). That takes rules and a "
			    "firewall, which `wice up` does not make: use "
			    "WG_QUICK_USERSPACE_IMPLEMENTATION=wice-wg wg-quick up %s, or choose a "
			    "Table and make them in PostUp.",
			    quick->path, wice_prefix_format(network, text), quick->path);
		return FALSE;
	}
	if (table || !is_own_network(quick, network))
		g_array_append_val(routes, *network);
	return TRUE;
}

static int compare_routes(const void *a, const void *b)
{
	return wice_prefix_compare(a, b);
}

/* Two peers may not have one network, but a file may name it twice. */
static void drop_repetitions(GArray *routes)
{
	g_array_sort(routes, compare_routes);
	for (guint i = 1; i < routes->len;) {
		if (wice_prefix_compare(&g_array_index(routes, WicePrefix, i - 1),
					&g_array_index(routes, WicePrefix, i)) == 0)
			g_array_remove_index(routes, i);
		else
			i++;
	}
}

GArray *quick_routes(const Quick *quick, uint32_t *ret_table, GError **error)
{
	g_autoptr(GArray) routes = g_array_new(FALSE, FALSE, sizeof(WicePrefix));
	gboolean wanted;
	if (!read_table(quick, &wanted, ret_table, error))
		return NULL;
	for (size_t i = 0; wanted && i < wice_conf_n_peers(quick->conf); i++) {
		const WiceConfPeer *peer = wice_conf_peer(quick->conf, i);
		for (size_t k = 0; k < peer->n_allowed_ips; k++) {
			const WiceAllowedIpChange *change = &peer->allowed_ips[k];
			if (!change->remove &&
			    !add_route(quick, &change->prefix, *ret_table, routes, error))
				return NULL;
		}
	}
	drop_repetitions(routes);
	return g_steal_pointer(&routes);
}

/* Name servers. */

/* One line for each name server, and one with all search domains. */
static char *resolv_conf(const Quick *quick)
{
	g_autoptr(GString) servers = g_string_new(NULL);
	g_autoptr(GString) domains = g_string_new(NULL);
	const char *value;
	for (size_t i = 0; (value = wice_conf_quick(quick->conf, "DNS", i)); i++) {
		g_auto(GStrv) words = g_strsplit_set(value, ", \t", -1);
		for (char **word = words; *word; word++) {
			WiceAddress address;
			if (wice_address_parse(*word, &address))
				g_string_append_printf(servers, "nameserver %s\n", *word);
			else if (**word)
				g_string_append_printf(domains, " %s", *word);
		}
	}
	if (domains->len)
		g_string_append_printf(servers, "search%s\n", domains->str);
	return g_string_free(g_steal_pointer(&servers), FALSE);
}

static gboolean feed(const char *const *argv, const char *text, GError **error)
{
	GPid pid;
	int input, status;
	if (!g_spawn_async_with_pipes(NULL, (char **)argv, NULL,
				      G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
				      &pid, &input, NULL, NULL, error))
		return FALSE;
	(void)signal(SIGPIPE, SIG_IGN); /* it may end before it has read all */
	ssize_t written = write(input, text, strlen(text));
	close(input);
	pid_t waited;
	do {
		waited = waitpid(pid, &status, 0);
	} while (waited < 0 && errno == EINTR);
	if (written != (ssize_t)strlen(text) || waited < 0) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_IO, "%s did not take its input", argv[0]);
		return FALSE;
	}
	return g_spawn_check_wait_status(status, error);
}

static bool has_resolvconf(void)
{
	g_autofree char *path = g_find_program_in_path("resolvconf");
	return path != NULL;
}

gboolean quick_set_dns(const Quick *quick, GError **error)
{
	const char *const argv[] = { "resolvconf", "-a", quick->name, "-m", "0", "-x", NULL };
	if (!wice_conf_quick(quick->conf, "DNS", 0))
		return TRUE;
	if (!has_resolvconf()) {
		fprintf(stderr,
			"wice: There is no resolvconf(8), so the name servers of %s are not "
			"used.\n",
			quick->path);
		return TRUE;
	}
	g_autofree char *text = resolv_conf(quick);
	if (feed(argv, text, error))
		return TRUE;
	g_prefix_error(error, "The name servers of %s cannot be used: ", quick->path);
	return FALSE;
}

void quick_unset_dns(const Quick *quick)
{
	const char *const argv[] = { "resolvconf", "-d", quick->name, "-f", NULL };
	g_autoptr(GError) error = NULL;
	if (wice_conf_quick(quick->conf, "DNS", 0) && has_resolvconf() && !run(argv, &error))
		fprintf(stderr, "wice: The name servers of %s stay in use: %s\n", quick->path,
			error->message);
}
