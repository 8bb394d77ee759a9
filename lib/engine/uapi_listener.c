/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The socket gets its mode between bind() and listen(): until then nobody can connect, so what the
 * umask made of the mode meanwhile does not matter, and the umask, which is the process's, stays.
 */
#include "engine/uapi_listener.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <stddef.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "event/source.h"
#include "wg/device.h"
#include "wg/uapi_socket.h"

#define FOLDER_MODE 0755
#define SOCKET_MODE 0600
#define BACKLOG 64
#define TRIES 10

/* Listening */

static int bind_to(int fd, const struct sockaddr_un *address)
{
	return bind(fd, (const struct sockaddr *)address, sizeof *address) < 0 ? -errno : 0;
}

/* Removes what is in the way, if that is a socket that nobody listens on. */
static int make_way(const char *folder, const char *name, const char *path)
{
	int r = wice__uapi_socket_check(folder, name);
	if (r == 0)
		return -EADDRINUSE;
	if (r == -ENOTSOCK || r == -ENOLINK)
		return -EEXIST;
	if (r == -ECONNREFUSED)
		r = unlink(path) < 0 ? -errno : 0;
	return r == -ENOENT ? 0 : r;
}

static int open_file(int fd, const char *folder, const char *name,
		     const struct sockaddr_un *address)
{
	const char *path = address->sun_path;
	int r = bind_to(fd, address);
	if (r == -EADDRINUSE) {
		r = make_way(folder, name, path);
		if (r == 0)
			r = bind_to(fd, address);
	}
	if (r < 0)
		return r;
	if (chmod(path, SOCKET_MODE) < 0 || listen(fd, BACKLOG) < 0 || access(path, F_OK) < 0) {
		r = -errno;
		(void)unlink(path);
	}
	return r;
}

static int open_socket(const char *folder, const char *name, const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	int r = open_file(fd, folder, name, address);
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

int wice__uapi_listen(const char *folder, const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (!wice__interface_name_valid(name))
		return -EINVAL;
	g_autofree char *path = wice__uapi_socket_path(folder, name);
	if (g_strlcpy(address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path)
		return -ENAMETOOLONG;
	if (g_mkdir_with_parents(folder, FOLDER_MODE) < 0)
		return -errno;
	/* wg(8) removes a socket that refuses it, as ours does between bind() and listen(). */
	int fd = -ENOENT;
	for (int tries = 0; tries < TRIES && fd == -ENOENT; tries++)
		fd = open_socket(folder, name, &address);
	return fd;
}

/* Watching */

struct WiceUapiListener {
	int fd;
	char *path; /* NULL: it has no file */
	dev_t device;
	ino_t inode;
	int inotify;
	WiceFdWatch *watch;
	WiceUapiGoneFunc on_gone; /* NULL once it has been called */
	void *user_data;
};

static bool is_there(const WiceUapiListener *listener)
{
	struct stat found;
	return lstat(listener->path, &found) == 0 && found.st_dev == listener->device &&
	       found.st_ino == listener->inode;
}

static void file_event(int fd, GIOCondition condition, void *user_data)
{
	_Alignas(struct inotify_event) char events[4096];
	WiceUapiListener *listener = user_data;
	while (read(fd, events, sizeof events) > 0)
		; /* whatever it was, what counts is what is there */
	WiceUapiGoneFunc on_gone = listener->on_gone;
	if (!on_gone || is_there(listener))
		return;
	listener->on_gone = NULL;
	on_gone(listener->user_data);
}

/* The path of a listening unix socket, NULL if it has none: -errno if it is no such socket. */
static int find_path(int fd, char **ret)
{
	struct sockaddr_un address = { 0 };
	socklen_t len = sizeof address - 1, int_len = sizeof(int);
	int listens = 0;
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &int_len) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) < 0)
		return -errno;
	if (!listens || address.sun_family != AF_UNIX)
		return -EINVAL;
	bool named = len > offsetof(struct sockaddr_un, sun_path) && address.sun_path[0];
	*ret = named ? g_strdup(address.sun_path) : NULL;
	return 0;
}

/* Unlinking a file that is in use changes its attributes; it is deleted when it is closed. */
static int watch_file(WiceUapiListener *listener, GMainContext *context)
{
	struct stat found;
	if (lstat(listener->path, &found) < 0)
		return -errno;
	listener->device = found.st_dev;
	listener->inode = found.st_ino;
	listener->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (listener->inotify < 0 ||
	    inotify_add_watch(listener->inotify, listener->path,
			      IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_DONT_FOLLOW) < 0)
		return -errno;
	listener->watch =
		wice__fd_watch_new(context, listener->inotify, G_IO_IN, file_event, listener);
	return is_there(listener) ? 0 : -ENOENT;
}

static int set_flags(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	return 0;
}

static void free_watch(WiceUapiListener *listener)
{
	wice__fd_watch_free(listener->watch);
	if (listener->inotify >= 0)
		close(listener->inotify);
	g_free(listener->path);
	g_free(listener);
}

int wice__uapi_listener_new(GMainContext *context, int fd, WiceUapiGoneFunc on_gone,
			    void *user_data, WiceUapiListener **ret)
{
	char *path = NULL;
	int r = find_path(fd, &path);
	if (r < 0)
		return r;
	WiceUapiListener *listener = g_new0(WiceUapiListener, 1);
	*listener = (WiceUapiListener){
		.fd = fd, .path = path, .inotify = -1, .on_gone = on_gone, .user_data = user_data
	};
	r = set_flags(fd);
	if (r == 0 && path)
		r = watch_file(listener, context);
	if (r < 0) {
		free_watch(listener);
		return r;
	}
	*ret = listener;
	return 0;
}

void wice__uapi_listener_free(WiceUapiListener *listener)
{
	if (!listener)
		return;
	if (listener->path && is_there(listener))
		(void)unlink(listener->path);
	close(listener->fd);
	free_watch(listener);
}
