/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One table says what can be set: it drives the parser, the errors that list what is known, and
 * the help of wiced. GKeyFile is not used because it forgets lines, and an error without a line
 * is half an error.
 */
#include <wice/daemon.h>

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <wice/error.h>
#include <wice/signaling.h>

#include "relay/spec.h"

#define FILE_MAX_BYTES ((size_t)1024 * 1024)
#define NAME_MAX_BYTES 15 /* IFNAMSIZ - 1 */

struct WiceDaemonConfig {
	GPtrArray *interfaces; /* of char *, as the four below */
	GPtrArray *backends;
	GPtrArray *stun_urls;
	GPtrArray *relays;
	GPtrArray *ups;
	bool in_file; /* what is being set comes from a file, which others may not read */
	char *socket;
	char *state_dir;
	WiceMechanism mechanism;
	bool port_mapping;
	bool relay_server;
	bool fit_mtu;
	WiceLogLevel log_level;
	WiceDaemonSettings settings;
};

/* Parsers: check value and store it at field. On failure they say what a value must be. */
typedef gboolean (*Parse)(const char *value, void *field, GError **error);

static gboolean refuse(GError **error, const char *value, const char *what)
{
	g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID, "'%s' is not %s.", value, what);
	return FALSE;
}

static void add_once(GPtrArray *list, const char *value)
{
	if (!g_ptr_array_find_with_equal_func(list, value, g_str_equal, NULL))
		g_ptr_array_add(list, g_strdup(value));
}

static gboolean parse_interface(const char *value, void *field, GError **error)
{
	size_t len = strlen(value);
	if (len == 0 || len > NAME_MAX_BYTES || strpbrk(value, "/: \t"))
		return refuse(error, value,
			      "the name of an interface (at most 15 characters, none of them '/', "
			      "':' or space) or a pattern like 'wg*'");
	add_once(*(GPtrArray **)field, value);
	return TRUE;
}

static gboolean parse_backend(const char *value, void *field, GError **error)
{
	if (!wice_signaling_find(value, error))
		return FALSE;
	add_once(*(GPtrArray **)field, value);
	return TRUE;
}

static gboolean parse_stun(const char *value, void *field, GError **error)
{
	if (!g_str_has_prefix(value, "stun:") || !value[strlen("stun:")])
		return refuse(error, value,
			      "the URL of a STUN server (stun:HOST or stun:HOST:PORT)");
	add_once(*(GPtrArray **)field, value);
	return TRUE;
}

static gboolean parse_relay(const char *value, void *field, GError **error)
{
	const WiceDaemonConfig *config =
		(const void *)((const char *)field - offsetof(WiceDaemonConfig, relays));
	WiceRelaySpec *spec = wice__relay_spec_parse(value, !config->in_file, error);
	if (!spec)
		return FALSE;
	wice__relay_spec_free(spec);
	add_once(config->relays, value);
	return TRUE;
}

static gboolean parse_up(const char *value, void *field, GError **error)
{
	if (!*value || *value == '-')
		return refuse(
			error, value,
			"the name of an interface, whose file is in /etc/wireguard, or a file");
	add_once(*(GPtrArray **)field, value);
	return TRUE;
}

static gboolean parse_path(const char *value, void *field, GError **error)
{
	if (!g_path_is_absolute(value))
		return refuse(error, value, "an absolute path");
	g_free(*(char **)field);
	*(char **)field = g_strdup(value);
	return TRUE;
}

static gboolean parse_mechanism(const char *value, void *field, GError **error)
{
	return wice_mechanism_parse(value, field, error);
}

static gboolean parse_yes_no(const char *value, void *field, GError **error)
{
	if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
		return refuse(error, value, "yes or no");
	*(bool *)field = *value == 'y';
	return TRUE;
}

static gboolean parse_mtu(const char *value, void *field, GError **error)
{
	if (strcmp(value, "keep") != 0 && strcmp(value, "fit") != 0)
		return refuse(error, value, "keep or fit");
	*(bool *)field = *value == 'f';
	return TRUE;
}

static gboolean parse_log_level(const char *value, void *field, GError **error)
{
	static const char *const names[] = {
		[WICE_LOG_ERROR] = "error",
		[WICE_LOG_WARNING] = "warning",
		[WICE_LOG_INFO] = "info",
		[WICE_LOG_DEBUG] = "debug",
	};
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		if (strcmp(value, names[i]) == 0) {
			*(WiceLogLevel *)field = (WiceLogLevel)i;
			return TRUE;
		}
	}
	return refuse(error, value, "a log level (error, warning, info or debug)");
}

typedef struct {
	WiceDaemonKey key;
	Parse parse;
	size_t offset;       /* of the field in WiceDaemonConfig */
	const char *initial; /* parsed like any other value; NULL: empty */
} Entry;

static const Entry entries[] = {
	{ { "daemon", "interface", 'i', "NAME", true,
	    "an interface, or a pattern like 'wg*' (without: all)" },
	  parse_interface,
	  offsetof(WiceDaemonConfig, interfaces),
	  NULL },
	{ { "daemon", "backend", 'b', "URL", true,
	    "a signaling backend (without: multicast://, local only)" },
	  parse_backend,
	  offsetof(WiceDaemonConfig, backends),
	  NULL },
	{ { "daemon", "stun", 'a', "URL", true,
	    "a STUN server, to learn our address (without: none)" },
	  parse_stun,
	  offsetof(WiceDaemonConfig, stun_urls),
	  NULL },
	{ { "daemon", "relay", 'r', "URL...", true,
	    "a relay (TURN server), for when there is no direct path" },
	  parse_relay,
	  offsetof(WiceDaemonConfig, relays),
	  NULL },
	{ { "daemon", "relay-server", 0, "yes|no", false,
	    "be a relay for our peers (for public hosts)" },
	  parse_yes_no,
	  offsetof(WiceDaemonConfig, relay_server),
	  "no" },
	{ { "daemon", "mtu", 0, "keep|fit", false, "what to do about an MTU that is too large" },
	  parse_mtu,
	  offsetof(WiceDaemonConfig, fit_mtu),
	  "keep" },
	{ { "daemon", "up", 'u', "NAME", true,
	    "make this interface, see `wice up`; remove it when we stop" },
	  parse_up,
	  offsetof(WiceDaemonConfig, ups),
	  NULL },
	{ { "daemon", "proxy", 0, "NAME", false,
	    "how packets pass: auto, bpf, nft, inprocess or user" },
	  parse_mechanism,
	  offsetof(WiceDaemonConfig, mechanism),
	  "auto" },
	{ { "daemon", "port-mapping", 0, "yes|no", false,
	    "ask routers to forward our port (PCP, NAT-PMP, UPnP)" },
	  parse_yes_no,
	  offsetof(WiceDaemonConfig, port_mapping),
	  "yes" },
	{ { "daemon", "socket", 0, "PATH", false, "where control clients connect" },
	  parse_path,
	  offsetof(WiceDaemonConfig, socket),
	  WICE_RUNDIR "/wiced.sock" },
	{ { "daemon", "state-dir", 0, "FOLDER", false,
	    "where is remembered what must be put back after a crash" },
	  parse_path,
	  offsetof(WiceDaemonConfig, state_dir),
	  WICE_RUNDIR "/state" },
	{ { "daemon", "log-level", 0, "LEVEL", false, "error, warning, info or debug" },
	  parse_log_level,
	  offsetof(WiceDaemonConfig, log_level),
	  "info" },
};

const WiceDaemonKey *wice_daemon_config_key(size_t index)
{
	return index < G_N_ELEMENTS(entries) ? &entries[index].key : NULL;
}

static void set_unknown_error(GError **error, const char *section, const char *key)
{
	g_autoptr(GString) known = g_string_new(NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(entries); i++)
		g_string_append_printf(known, "%s[%s] %s", i ? ", " : "", entries[i].key.section,
				       entries[i].key.key);
	g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
		    "There is no key '%s' in section [%s]; known are: %s.", key, section,
		    known->str);
}

gboolean wice_daemon_config_set(WiceDaemonConfig *config, const char *section, const char *key,
				const char *value, GError **error)
{
	for (gsize i = 0; i < G_N_ELEMENTS(entries); i++) {
		const Entry *entry = &entries[i];
		if (strcmp(entry->key.section, section) == 0 && strcmp(entry->key.key, key) == 0)
			return entry->parse(value, (char *)config + entry->offset, error);
	}
	set_unknown_error(error, section, key);
	return FALSE;
}

WiceDaemonConfig *wice_daemon_config_new(void)
{
	WiceDaemonConfig *config = g_new0(WiceDaemonConfig, 1);
	config->interfaces = g_ptr_array_new_null_terminated(4, g_free, TRUE);
	config->backends = g_ptr_array_new_null_terminated(4, g_free, TRUE);
	config->ups = g_ptr_array_new_null_terminated(4, g_free, TRUE);
	config->stun_urls = g_ptr_array_new_null_terminated(4, g_free, TRUE);
	config->relays = g_ptr_array_new_null_terminated(4, g_free, TRUE);
	for (gsize i = 0; i < G_N_ELEMENTS(entries); i++)
		if (entries[i].initial)
			entries[i].parse(entries[i].initial, (char *)config + entries[i].offset,
					 NULL);
	return config;
}

void wice_daemon_config_free(WiceDaemonConfig *config)
{
	if (!config)
		return;
	g_ptr_array_unref(config->interfaces);
	g_ptr_array_unref(config->backends);
	g_ptr_array_unref(config->stun_urls);
	g_ptr_array_unref(config->relays);
	g_ptr_array_unref(config->ups);
	g_free(config->socket);
	g_free(config->state_dir);
	g_free(config);
}

/* Reading a file. */

typedef struct {
	WiceDaemonConfig *config;
	const char *path;
	unsigned line;
	char *section;
} Reader;

static gboolean refuse_line(const Reader *reader, GError **error, const char *what)
{
	g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID, "%s:%u: %s", reader->path, reader->line,
		    what);
	return FALSE;
}

static gboolean read_section(Reader *reader, char *line, GError **error)
{
	size_t len = strlen(line);
	if (line[len - 1] != ']')
		return refuse_line(reader, error, "A section begins with '[' and ends with ']'.");
	line[len - 1] = 0;
	g_free(reader->section);
	reader->section = g_strdup(g_strstrip(line + 1));
	return TRUE;
}

static gboolean read_assignment(Reader *reader, char *line, GError **error)
{
	char *equals = strchr(line, '=');
	if (!equals)
		return refuse_line(reader, error, "Neither '[section]' nor 'key = value'.");
	if (!reader->section)
		return refuse_line(reader, error,
				   "A key before the first section; begin with [daemon].");
	*equals = 0;
	const char *key = g_strstrip(line);
	const char *value = g_strstrip(equals + 1);
	if (wice_daemon_config_set(reader->config, reader->section, key, value, error))
		return TRUE;
	g_prefix_error(error, "%s:%u: ", reader->path, reader->line);
	return FALSE;
}

static gboolean read_line(Reader *reader, char *line, GError **error)
{
	g_strstrip(line);
	reader->line++;
	if (*line == 0 || *line == '#' || *line == ';')
		return TRUE;
	return *line == '[' ? read_section(reader, line, error)
			    : read_assignment(reader, line, error);
}

static gboolean read_lines(WiceDaemonConfig *config, const char *path, char *text, GError **error)
{
	Reader reader = { .config = config, .path = path };
	gboolean ok = TRUE;
	while (ok && text) {
		char *end = strchr(text, '\n');
		if (end)
			*end++ = 0;
		ok = read_line(&reader, text, error);
		text = end;
	}
	g_free(reader.section);
	return ok;
}

static void set_file_error(GError **error, const char *path, int code)
{
	int kind = code == ENOENT   ? WICE_ERROR_NOT_FOUND
		   : code == EACCES ? WICE_ERROR_PERMISSION
				    : WICE_ERROR_IO;
	g_set_error(error, WICE_ERROR, kind, "Cannot read the configuration file %s: %s.", path,
		    g_strerror(code));
}

/* The whole file as a text, NULL on failure. */
static char *read_file(const char *path, GError **error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		set_file_error(error, path, errno);
		return NULL;
	}
	g_autoptr(GByteArray) text = g_byte_array_new();
	uint8_t part[4096];
	ssize_t n;
	while ((n = read(fd, part, sizeof part)) > 0 && text->len <= FILE_MAX_BYTES)
		g_byte_array_append(text, part, (guint)n);
	int code = n < 0 ? errno : 0;
	close(fd);
	if (code) {
		set_file_error(error, path, code);
		return NULL;
	}
	if (text->len > FILE_MAX_BYTES || !g_utf8_validate((char *)text->data, text->len, NULL)) {
		g_set_error(
			error, WICE_ERROR, WICE_ERROR_INVALID,
			"%s is no configuration file: it is larger than 1 MiB or not UTF-8 text.",
			path);
		return NULL;
	}
	g_byte_array_append(text, (const uint8_t *)"", 1);
	return (char *)g_byte_array_free(g_steal_pointer(&text), FALSE);
}

gboolean wice_daemon_config_load(WiceDaemonConfig *config, const char *path, GError **error)
{
	g_autofree char *text = read_file(path, error);
	if (!text)
		return FALSE;
	config->in_file = true;
	gboolean ok = read_lines(config, path, text, error);
	config->in_file = false;
	return ok;
}

const WiceDaemonSettings *wice_daemon_config_settings(WiceDaemonConfig *config)
{
	config->settings = (WiceDaemonSettings){
		.interfaces = (const char *const *)config->interfaces->pdata,
		.backends = (const char *const *)config->backends->pdata,
		.stun_urls = (const char *const *)config->stun_urls->pdata,
		.relays = (const char *const *)config->relays->pdata,
		.ups = (const char *const *)config->ups->pdata,
		.socket = config->socket,
		.state_dir = config->state_dir,
		.mechanism = config->mechanism,
		.port_mapping = config->port_mapping,
		.relay_server = config->relay_server,
		.fit_mtu = config->fit_mtu,
		.log_level = config->log_level,
	};
	return &config->settings;
}
