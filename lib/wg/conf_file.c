/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Documents and files. */
#include "wg/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wice/error.h>

#define ROOM_FIRST ((size_t)16 << 10)

static void set_file_error(GError **error, const char *what, const char *path, int r)
{
	WiceErrorCode code = r == -ENOENT || r == -ENOTDIR ? WICE_ERROR_NOT_FOUND
			     : r == -EACCES || r == -EPERM ? WICE_ERROR_PERMISSION
							   : WICE_ERROR_IO;
	g_set_error(error, WICE_ERROR, code, "Cannot %s %s: %s.", what, path, g_strerror(-r));
}

/* A buffer that holds secrets: it grows by hand, since realloc(3) would leave copies behind. */
typedef struct {
	char *text;
	size_t len;
	size_t room;
} Buffer;

static void buffer_done(Buffer *buffer)
{
	if (buffer->text)
		sodium_memzero(buffer->text, buffer->len);
	g_free(buffer->text);
}

static void buffer_make_room(Buffer *buffer, size_t room)
{
	char *text = g_malloc(room);
	if (buffer->len)
		memcpy(text, buffer->text, buffer->len);
	buffer_done(buffer);
	buffer->text = text;
	buffer->room = room;
}

/* One byte more than is allowed shows that there is too much. */
static int read_all(int fd, Buffer *buffer)
{
	struct stat st;
	size_t room = ROOM_FIRST;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
		room = MIN((size_t)st.st_size, WICE_CONF_TEXT_MAX) + 1;
	buffer_make_room(buffer, room);
	for (;;) {
		if (buffer->len == buffer->room)
			buffer_make_room(buffer, buffer->room * 2);
		ssize_t n = read(fd, buffer->text + buffer->len, buffer->room - buffer->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		buffer->len += (size_t)n;
		if (buffer->len > WICE_CONF_TEXT_MAX)
			return -EFBIG;
	}
}

WiceConf *wice_conf_read(const char *path, WiceConfMode mode, GError **error)
{
	Buffer buffer = { 0 };
	WiceConf *conf = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int r = fd < 0 ? -errno : read_all(fd, &buffer);
	if (r < 0)
		set_file_error(error, "read", path, r);
	else
		conf = wice_conf_parse(buffer.text, buffer.len, mode, path, error);
	buffer_done(&buffer);
	if (fd >= 0)
		close(fd);
	return conf;
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Fills the new file, which is 0600, and makes it like the old one. */
static int fill(int fd, const WiceConf *conf, const struct stat *old)
{
	int r = write_all(fd, conf->text, conf->len);
	if (r < 0)
		return r;
	if (old && (fchown(fd, old->st_uid, old->st_gid) < 0 ||
		    fchmod(fd, old->st_mode & (mode_t)07777) < 0))
		return -errno;
	return fsync(fd) < 0 ? -errno : 0;
}

/*
 * That the file has its new name is not safe from a power cut before its folder is. Who may write to
 * a folder but not read it has done what can be done.
 */
static int sync_folder(const char *path)
{
	g_autofree char *folder = g_path_get_dirname(path);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == EACCES ? 0 : -errno;
	int r = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return r;
}

/* path is no symbolic link; old is what is there, or NULL. */
static int replace(const WiceConf *conf, const char *path, const struct stat *old)
{
	g_autofree char *folder = g_path_get_dirname(path);
	g_autofree char *name = g_path_get_basename(path);
	g_autofree char *beside = g_strdup_printf("%s/.%s.XXXXXX", folder, name);
	int fd = mkostemp(beside, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int r = fill(fd, conf, old);
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r == 0 && rename(beside, path) < 0)
		r = -errno;
	if (r < 0) {
		unlink(beside);
		return r;
	}
	return sync_folder(path);
}

static int write_file(const WiceConf *conf, const char *path)
{
	struct stat old;
	if (lstat(path, &old) < 0)
		return errno == ENOENT ? replace(conf, path, NULL) : -errno;
	/* Free of symbolic links: what is replaced is what they point at. */
	char *target = realpath(path, NULL);
	if (!target)
		return -errno;
	int r = stat(target, &old) < 0 ? -errno : 0;
	if (r == 0)
		r = S_ISREG(old.st_mode) ? replace(conf, target, &old) : -EINVAL;
	free(target);
	return r;
}

gboolean wice_conf_write(const WiceConf *conf, const char *path, GError **error)
{
	int r = write_file(conf, path);
	if (r == -EINVAL)
		g_set_error(error, WICE_ERROR, WICE_ERROR_IO,
			    "Cannot write %s: it is no regular file.", path);
	else if (r < 0)
		set_file_error(error, "write", path, r);
	return r == 0;
}
