/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* What is read: configuration files and key files, which hold secrets. */
#include "wg.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wice/error.h>

#define FIRST_ROOM 4096
#define MAX_KEY_FILE 65536
#define KEY_TEXT_LEN (WICE_KEY_BASE64_SIZE - 1)

/* What wg(8) does without WG_ENDPOINT_RESOLUTION_RETRIES. */
#define DEFAULT_RETRIES 15

static int error_code(int number)
{
	switch (number) {
	case ENOENT:
	case ENOTDIR:
		return WICE_ERROR_NOT_FOUND;
	case EACCES:
	case EPERM:
		return WICE_ERROR_PERMISSION;
	default:
		return WICE_ERROR_IO;
	}
}

static void set_file_error(GError **error, const char *path)
{
	int number = errno;
	g_set_error(error, WICE_ERROR, error_code(number), "Cannot read %s: %s.",
		    path ? path : "the standard input", g_strerror(number));
}

/* realloc() would leave a copy of secrets behind. */
static char *grow(char *text, size_t len, size_t room)
{
	char *larger = g_malloc(room);
	memcpy(larger, text, len);
	explicit_bzero(text, len);
	g_free(text);
	return larger;
}

/* Reads to the end, or more than max bytes; NULL with errno. */
static char *read_all(int fd, size_t max, size_t room, size_t *ret_len)
{
	char *text = g_malloc(room);
	size_t len = 0;
	for (;;) {
		ssize_t n = read(fd, text + len, room - len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			explicit_bzero(text, len);
			g_free(text);
			return NULL;
		}
		len += (size_t)n;
		if (n == 0 || len > max)
			break;
		if (len == room - 1) {
			room *= 2;
			text = grow(text, len, room);
		}
	}
	text[len] = '\0';
	*ret_len = len;
	return text;
}

/* What is given as /dev/stdin need not be something that can be opened: sockets cannot. */
static int open_input(const char *path)
{
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0 && (!path || strcmp(path, "/dev/stdin") == 0))
		fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	return fd;
}

char *wg_read_file(const char *path, size_t max, size_t *ret_len, bool *ret_is_stream,
		   GError **error)
{
	struct stat status;
	size_t len = 0;
	int fd = open_input(path);
	if (fd < 0) {
		set_file_error(error, path);
		return NULL;
	}
	/* Room for all of an ordinary file and for the read that finds its end. */
	bool has_size = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
	size_t room = has_size ? MIN((size_t)status.st_size, max) + 2 : 0;
	char *text = read_all(fd, max, MAX(room, FIRST_ROOM), &len);
	if (!text)
		set_file_error(error, path);
	if (ret_is_stream)
		*ret_is_stream = lseek(fd, 0, SEEK_CUR) < 0;
	close(fd);
	if (text && len > max) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "%s is larger than %zu bytes, so it is not what is wanted here.",
			    path ? path : "The standard input", max);
		explicit_bzero(text, len);
		g_clear_pointer(&text, g_free);
	}
	if (text)
		*ret_len = len;
	return text;
}

static bool parse_key(const char *path, char *text, size_t len, WiceKey *ret_key, GError **error)
{
	size_t end = len;
	while (end > KEY_TEXT_LEN && text[end - 1] && strchr(" \t\n\v\f\r", text[end - 1]))
		end--;
	text[end] = '\0';
	if (end == KEY_TEXT_LEN && wice_key_from_base64(text, ret_key))
		return true;
	g_set_error(
		error, WICE_ERROR, WICE_ERROR_INVALID,
		"%s holds no key: that is 44 characters of base64 at its beginning, and nothing "
		"but white space behind them.",
		path);
	return false;
}

/*
 * Something empty that is no stream (/dev/null, a file) stands for "no key". An empty pipe does
 * not: most likely the program that was to write the key has failed.
 */
bool wg_read_key(const char *path, WiceKey *ret_key, GError **error)
{
	size_t len;
	bool is_stream, ok = true;
	char *text = wg_read_file(path, MAX_KEY_FILE, &len, &is_stream, error);
	if (!text)
		return false;
	if (len == 0 && !is_stream) {
		memset(ret_key, 0, sizeof *ret_key);
	} else if (len == 0) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "Nothing came from %s. To remove a key, give /dev/null.", path);
		ok = false;
	} else {
		ok = parse_key(path, text, len, ret_key, error);
	}
	explicit_bzero(text, len);
	g_free(text);
	return ok;
}

typedef struct {
	const WgCall *call;
	unsigned long max; /* ULONG_MAX: for ever */
} Retries;

static bool init_retries(Retries *retries, const WgCall *call, GError **error)
{
	const char *text = getenv("WG_ENDPOINT_RESOLUTION_RETRIES");
	char *end = NULL;
	*retries = (Retries){ .call = call, .max = DEFAULT_RETRIES };
	if (!text)
		return true;
	if (strcmp(text, "infinity") == 0) {
		retries->max = ULONG_MAX;
		return true;
	}
	retries->max = strtoul(text, &end, 10);
	if (!*end && retries->max <= INT_MAX)
		return true;
	g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
		    "WG_ENDPOINT_RESOLUTION_RETRIES must be a number or \"infinity\", not \"%s\".",
		    text);
	return false;
}

static bool on_failure(const char *name, const char *reason, unsigned attempt, unsigned pause_ms,
		       void *user_data)
{
	const Retries *retries = user_data;
	if (attempt > retries->max)
		return false;
	fprintf(stderr, "%s: %s: %s; trying again in %.2f seconds\n", retries->call->program, name,
		reason, pause_ms / 1000.0);
	return true;
}

bool wg_resolve(const WgCall *call, WiceConf *conf, GError **error)
{
	Retries retries;
	bool has_names = wice_conf_needs_resolving(conf);
	/* wg(8) looks at the environment when there is an endpoint, whether it is a name or not. */
	bool looks = has_names;
	for (size_t i = 0; i < wice_conf_n_peers(conf) && !looks; i++)
		looks = wice_conf_peer(conf, i)->fields & WICE_PEER_HAS_ENDPOINT;
	if (looks && !init_retries(&retries, call, error))
		return false;
	return !has_names || wice_conf_resolve(conf, UINT_MAX, on_failure, &retries, error);
}

/* Adds to an error that wg(8) would have taken the file, if so. */
static void suggest_compat(const WgCall *call, const char *path, GError **error)
{
	if (call->mode != WICE_CONF_STRICT ||
	    !g_error_matches(*error, WICE_ERROR, WICE_ERROR_INVALID))
		return;
	g_autoptr(WiceConf) conf = wice_conf_read(path, WICE_CONF_COMPAT_QUICK, NULL);
	if (conf)
		g_prefix_error(error, "wg would take this file, and so does --compat, but:\n");
}

WiceConf *wg_read_conf(const WgCall *call, const char *path, GError **error)
{
	WiceConf *conf = wice_conf_read(path, call->mode, error);
	if (!conf)
		suggest_compat(call, path, error);
	if (conf && !wg_resolve(call, conf, error))
		g_clear_pointer(&conf, wice_conf_free);
	return conf;
}
