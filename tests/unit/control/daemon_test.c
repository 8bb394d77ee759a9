/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <wice/daemon.h>
#include <wice/error.h>

static char path[64];

static WiceDaemonConfig *load(const char *text, GError **error)
{
	strcpy(path, "/tmp/wice-config-XXXXXX");
	int fd = g_mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	g_autoptr(WiceDaemonConfig) config = wice_daemon_config_new();
	gboolean ok = wice_daemon_config_load(config, path, error);
	g_unlink(path);
	return ok ? g_steal_pointer(&config) : NULL;
}

static void assert_list(const char *const *list, const char *expected)
{
	g_autofree char *joined = g_strjoinv("|", (char **)list);
	ck_assert_str_eq(joined, expected);
}

START_TEST(an_empty_configuration_has_all_defaults)
{
	g_autoptr(WiceDaemonConfig) config = load("", NULL);
	const WiceDaemonSettings *settings = wice_daemon_config_settings(config);
	assert_list(settings->interfaces, "");
	assert_list(settings->backends, "");
	assert_list(settings->stun_urls, "");
	assert_list(settings->ups, "");
	ck_assert(g_str_has_suffix(settings->socket, "/wiced.sock"));
	ck_assert(g_path_is_absolute(settings->state_dir));
	ck_assert_int_eq(settings->log_level, WICE_LOG_INFO);
	ck_assert_int_eq(settings->mechanism, WICE_MECHANISM_NONE);
	ck_assert(settings->port_mapping);
}
END_TEST

START_TEST(every_key_is_read)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WiceDaemonConfig) config = load("# a comment\n"
						  "; another\n"
						  "\n"
						  "  [ daemon ]  \r\n"
						  "interface = wg0\n"
						  "interface=wg*\n"
						  "\tinterface = wg0\t\n"
						  "backend = inprocess:test\n"
						  "stun = stun:stun.example.org:3478\n"
						  "up = wg0\n"
						  "up = /tmp/wg1.conf\n"
						  "up = wg0\n"
						  "socket = /tmp/a=b.sock\n"
						  "state-dir = /tmp/state\n"
						  "proxy = nft\n"
						  "port-mapping = no\n"
						  "log-level = debug",
						  &error);
	ck_assert_msg(config != NULL, "%s", error ? error->message : "");
	const WiceDaemonSettings *settings = wice_daemon_config_settings(config);
	assert_list(settings->interfaces, "wg0|wg*");
	assert_list(settings->backends, "inprocess:test");
	assert_list(settings->stun_urls, "stun:stun.example.org:3478");
	assert_list(settings->ups, "wg0|/tmp/wg1.conf");
	ck_assert_str_eq(settings->socket, "/tmp/a=b.sock");
	ck_assert_str_eq(settings->state_dir, "/tmp/state");
	ck_assert_int_eq(settings->log_level, WICE_LOG_DEBUG);
	ck_assert_int_eq(settings->mechanism, WICE_MECHANISM_NFT);
	ck_assert(!settings->port_mapping);

	/* What comes later adds to lists and overrides the rest. */
	ck_assert(wice_daemon_config_set(config, "daemon", "interface", "wg9", NULL));
	ck_assert(wice_daemon_config_set(config, "daemon", "log-level", "error", NULL));
	ck_assert(wice_daemon_config_set(config, "daemon", "proxy", "auto", NULL));
	ck_assert(wice_daemon_config_set(config, "daemon", "port-mapping", "yes", NULL));
	settings = wice_daemon_config_settings(config);
	assert_list(settings->interfaces, "wg0|wg*|wg9");
	ck_assert_int_eq(settings->log_level, WICE_LOG_ERROR);
	ck_assert_int_eq(settings->mechanism, WICE_MECHANISM_NONE);
	ck_assert(settings->port_mapping);
}
END_TEST

START_TEST(mistakes_are_told_with_their_line)
{
	static const struct {
		const char *text;
		const char *line; /* ":N:" */
		const char *part;
	} cases[] = {
		{ "[daemon]\n\ncolour = 1420\n",
		  ":3:", "There is no key 'colour' in section [daemon]" },
		{ "[daemon]\ncolour = 1\n", ":2:", "log-level" }, /* lists what is known */
		{ "[demon]\ninterface = wg0\n", ":2:", "section [demon]" },
		{ "interface = wg0\n", ":1:", "before the first section" },
		{ "[daemon]\ninterface\n", ":2:", "Neither" },
		{ "[daemon\n", ":1:", "ends with ']'" },
		{ "[\n", ":1:", "ends with ']'" },
		{ "[daemon]\ninterface =\n", ":2:", "'' is not" },
		{ "[daemon]\ninterface = a234567890123456\n", ":2:", "15 characters" },
		{ "[daemon]\ninterface = wg0 wg1\n", ":2:", "'wg0 wg1'" },
		{ "[daemon]\ninterface = ../wg0\n", ":2:", "'../wg0'" },
		{ "[daemon]\nbackend = carrier-pigeon://x\n", ":2:", "carrier-pigeon" },
		{ "[daemon]\nstun = turn:example.org\n", ":2:", "STUN server" },
		{ "[daemon]\nstun = stun:\n", ":2:", "STUN server" },
		{ "[daemon]\nup =\n", ":2:", "/etc/wireguard" },
		{ "[daemon]\nup = --socket\n", ":2:", "'--socket'" },
		{ "[daemon]\nsocket = wiced.sock\n", ":2:", "absolute" },
		{ "[daemon]\nproxy = kernel\n", ":2:", "auto, bpf, nft, inprocess and user" },
		{ "[daemon]\nproxy =\n", ":2:", "'' is no proxy" },
		{ "[daemon]\nport-mapping = maybe\n", ":2:", "'maybe' is not yes or no" },
		{ "[daemon]\nlog-level = loud\n", ":2:", "log level" },
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		ck_assert_msg(load(cases[i].text, &error) == NULL, "%s", cases[i].text);
		g_autofree char *place = g_strconcat(path, cases[i].line, NULL);
		ck_assert(error->code == WICE_ERROR_INVALID ||
			  error->code == WICE_ERROR_UNSUPPORTED);
		ck_assert_msg(g_str_has_prefix(error->message, place), "%s", error->message);
		ck_assert_msg(strstr(error->message, cases[i].part) != NULL, "%s", error->message);
	}
}
END_TEST

START_TEST(files_that_cannot_be_read_are_named)
{
	g_autoptr(WiceDaemonConfig) config = wice_daemon_config_new();
	g_autoptr(GError) missing = NULL, folder = NULL, binary = NULL;
	ck_assert(!wice_daemon_config_load(config, "/nonexistent/wiced.conf", &missing));
	ck_assert(g_error_matches(missing, WICE_ERROR, WICE_ERROR_NOT_FOUND));
	ck_assert_ptr_nonnull(strstr(missing->message, "/nonexistent/wiced.conf"));
	ck_assert(!wice_daemon_config_load(config, "/tmp", &folder));
	ck_assert(g_error_matches(folder, WICE_ERROR, WICE_ERROR_IO));
	ck_assert(!wice_daemon_config_load(config, "/proc/self/exe", &binary));
	ck_assert(g_error_matches(binary, WICE_ERROR, WICE_ERROR_INVALID));
}
END_TEST

START_TEST(keys_can_be_listed)
{
	size_t n = 0;
	const WiceDaemonKey *key;
	for (; (key = wice_daemon_config_key(n)); n++) {
		ck_assert_str_eq(key->section, "daemon");
		ck_assert_uint_gt(strlen(key->text), 5);
		ck_assert_uint_gt(strlen(key->value), 1);
	}
	ck_assert_uint_eq(n, 12);
	ck_assert_ptr_null(wice_daemon_config_key(SIZE_MAX));
}
END_TEST

static void assert_notified(const char *name, const struct sockaddr_un *address, socklen_t len)
{
	char text[64] = "";
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)address, len), 0);
	g_setenv("NOTIFY_SOCKET", name, TRUE);
	ck_assert(wice_daemon_notify("READY=1"));
	ck_assert_int_eq(recv(fd, text, sizeof text - 1, MSG_DONTWAIT), 7);
	ck_assert_str_eq(text, "READY=1");
	close(fd);
	ck_assert(!wice_daemon_notify("READY=1")); /* nobody there any more */
}

START_TEST(the_service_manager_is_told)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	g_unsetenv("NOTIFY_SOCKET");
	ck_assert(!wice_daemon_notify("READY=1"));
	g_setenv("NOTIFY_SOCKET", "relative", TRUE);
	ck_assert(!wice_daemon_notify("READY=1"));

	g_snprintf(address.sun_path, sizeof address.sun_path, "/tmp/wice-notify-%d", getpid());
	assert_notified(address.sun_path, &address, sizeof address);
	g_unlink(address.sun_path);

	g_autofree char *name = g_strdup_printf("@wice-notify-%d", getpid());
	memset(&address.sun_path, 0, sizeof address.sun_path);
	memcpy(address.sun_path + 1, name + 1, strlen(name) - 1);
	assert_notified(name, &address,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name)));
}
END_TEST

/* From /proc/self/status, in kB. */
static guint64 resident_files(void)
{
	g_autofree char *status = NULL;
	ck_assert(g_file_get_contents("/proc/self/status", &status, NULL, NULL));
	const char *line = strstr(status, "RssFile:");
	ck_assert_ptr_nonnull(line);
	return g_ascii_strtoull(line + strlen("RssFile:"), NULL, 10);
}

START_TEST(trimming_gives_back_program_text_and_harms_nothing)
{
	g_autoptr(WiceDaemonConfig) config = wice_daemon_config_new();
	guint64 before = resident_files();
	wice_daemon_trim();
	ck_assert_uint_lt(resident_files(), before);
	ck_assert(wice_daemon_config_set(config, "daemon", "interface", "wg0", NULL));
	ck_assert_str_eq(wice_daemon_config_settings(config)->interfaces[0], "wg0");
}
END_TEST

SUITE_MAIN("daemon", an_empty_configuration_has_all_defaults, every_key_is_read,
	   mistakes_are_told_with_their_line, files_that_cannot_be_read_are_named,
	   keys_can_be_listed, the_service_manager_is_told,
	   trimming_gives_back_program_text_and_harms_nothing)
