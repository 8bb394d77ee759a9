/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may listen, and who may talk.
 *
 * Only one: a daemon holds flock(2) on PATH.lock for as long as it lives. Whoever has the lock
 * may look at what is at PATH and replace it, so two daemons that start at the same moment cannot
 * both find a stale socket and unlink each other's new one. The kernel drops the lock with the
 * process, so a crash leaves nothing that must be cleaned up by hand. The lock file is removed on
 * the way out, hence the check after flock() that the file locked is still the one that the name
 * leads to.
 *
 * No window: the socket gets its mode between bind() and listen(). Until listen() connecting
 * fails with ECONNREFUSED, so nobody gets in while the mode is what the umask made of it; and the
 * umask, which belongs to the process and not to a library, stays as it is.
 *
 * Two gates: the mode of the socket decides who can connect, and SO_PEERCRED is asked again for
 * each connection, because modes get changed by hand and descriptors get passed around.
 */
#include "control/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <wice/error.h>

#define SOCKET_MODE 0660
#define FOLDER_MODE 0755
#define BACKLOG 64
#define LOCK_ATTEMPTS 16

struct WiceControlSocket {
	struct sockaddr_un address;
	char *lock_path;
	int lock_fd;
	int fd;
	dev_t device; /* which file is ours */
	ino_t inode;
	gid_t group;
};

static void set_errno_error(GError **error, const char *path, const char *doing, int code)
{
	int kind = code == EACCES || code == EPERM ? WICE_ERROR_PERMISSION : WICE_ERROR_IO;
	g_set_error(error, WICE_ERROR, kind, "Cannot listen on %s: %s failed: %s.%s", path, doing,
		    g_strerror(code),
		    kind == WICE_ERROR_PERMISSION ? " Run as root or use another --socket." : "");
}

static void set_busy_error(GError **error, const char *path, pid_t pid)
{
	if (pid > 0)
		g_set_error(error, WICE_ERROR, WICE_ERROR_BUSY,
			    "Cannot listen on %s: a wiced with pid %d listens there already; stop "
			    "it with `wice stop` or use another --socket.",
			    path, (int)pid);
	else
		g_set_error(error, WICE_ERROR, WICE_ERROR_BUSY,
			    "Cannot listen on %s: another wiced listens there already; stop it "
			    "with `wice stop` or use another --socket.",
			    path);
}

/* Who is there already */

typedef enum {
	LISTENER_NONE,  /* no file, or one that nobody listens on any more */
	LISTENER_ALIVE, /* somebody listens */
	LISTENER_ERROR, /* cannot tell; errno says why */
} Listener;

static Listener find_listener(const struct sockaddr_un *address, pid_t *ret_pid)
{
	struct ucred peer;
	socklen_t len = sizeof peer;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return LISTENER_ERROR;
	Listener listener = LISTENER_ALIVE;
	if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0) {
		/*
		 * The credentials of a listening socket are those of the process that called
		 * listen().
		 */
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0)
			*ret_pid = peer.pid;
	} else if (errno == ECONNREFUSED || errno == ENOENT) {
		listener = LISTENER_NONE;
	} else if (errno != EAGAIN) { /* EAGAIN: alive, but its backlog is full */
		listener = LISTENER_ERROR;
	}
	int saved = errno;
	close(fd);
	errno = saved;
	return listener;
}

/* The pid that the holder of the lock wrote into it, 0 if it has not yet. */
static pid_t read_lock_pid(int lock_fd)
{
	char text[16] = { 0 };
	if (pread(lock_fd, text, sizeof text - 1, 0) <= 0)
		return 0;
	return (pid_t)g_ascii_strtoll(text, NULL, 10);
}

/* The lock */

static bool is_same_file(int fd, const char *path)
{
	struct stat open_file, named_file;
	return fstat(fd, &open_file) == 0 && lstat(path, &named_file) == 0 &&
	       open_file.st_dev == named_file.st_dev && open_file.st_ino == named_file.st_ino;
}

/* 1 with the lock held, 0 if somebody else holds it (*ret_pid), -errno. */
static int take_lock(WiceControlSocket *self, pid_t *ret_pid)
{
	for (int attempt = 0; attempt < LOCK_ATTEMPTS; attempt++) {
		int fd = open(self->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0)
			return -errno;
		if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			int code = errno;
			*ret_pid = read_lock_pid(fd);
			close(fd);
			return code == EWOULDBLOCK ? 0 : -code;
		}
		if (is_same_file(fd, self->lock_path)) {
			self->lock_fd = fd;
			return 1;
		}
		close(fd); /* its last holder removed it between our open() and flock() */
	}
	return -EBUSY;
}

static void write_lock_pid(int lock_fd)
{
	char text[16];
	int len = g_snprintf(text, sizeof text, "%d\n", (int)getpid());
	/* Only for a better message to a second daemon: failing here is nothing to stop for. */
	if (ftruncate(lock_fd, 0) < 0 || pwrite(lock_fd, text, (size_t)len, 0) < 0)
		return;
}

/* Opening */

static gboolean make_folder(const char *path, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(path);
	if (g_file_test(folder, G_FILE_TEST_IS_DIR))
		return TRUE;
	/* chmod: the umask must not keep the socket's group from getting there. */
	if (g_mkdir_with_parents(folder, FOLDER_MODE) < 0 || chmod(folder, FOLDER_MODE) < 0) {
		set_errno_error(error, path, "making its folder", errno);
		return FALSE;
	}
	return TRUE;
}

static gboolean lock_path(WiceControlSocket *self, GError **error)
{
	const char *path = self->address.sun_path;
	pid_t pid = 0, listener_pid = 0;
	int r = take_lock(self, &pid);
	if (r < 0) {
		set_errno_error(error, self->lock_path, "taking the lock", -r);
		return FALSE;
	}
	if (r == 0) {
		if (find_listener(&self->address, &listener_pid) == LISTENER_ALIVE && listener_pid)
			pid = listener_pid;
		set_busy_error(error, path, pid);
		return FALSE;
	}
	write_lock_pid(self->lock_fd);
	return TRUE;
}

/* Makes way at path: removes a socket that nobody listens on, and nothing else. */
static gboolean clear_path(WiceControlSocket *self, GError **error)
{
	const char *path = self->address.sun_path;
	struct stat found;
	pid_t pid = 0;
	if (lstat(path, &found) < 0) {
		if (errno == ENOENT)
			return TRUE;
		set_errno_error(error, path, "looking at it", errno);
		return FALSE;
	}
	if (!S_ISSOCK(found.st_mode)) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_EXISTS,
			    "Cannot listen on %s: a file that is no socket is in the way. Move it "
			    "or use another --socket.",
			    path);
		return FALSE;
	}
	switch (find_listener(&self->address, &pid)) {
	case LISTENER_ALIVE:
		set_busy_error(error, path, pid);
		return FALSE;
	case LISTENER_ERROR:
		set_errno_error(error, path, "asking who listens there", errno);
		return FALSE;
	case LISTENER_NONE:
		break;
	}
	if (unlink(path) < 0 && errno != ENOENT) {
		set_errno_error(error, path, "removing the stale socket", errno);
		return FALSE;
	}
	return TRUE;
}

static gboolean bind_and_listen(WiceControlSocket *self, GError **error)
{
	const char *path = self->address.sun_path;
	struct stat made;
	self->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (self->fd < 0) {
		set_errno_error(error, path, "socket()", errno);
		return FALSE;
	}
	if (bind(self->fd, (const struct sockaddr *)&self->address, sizeof self->address) < 0) {
		set_errno_error(error, path, "bind()", errno);
		return FALSE;
	}
	if (lstat(path, &made) < 0) {
		set_errno_error(error, path, "looking at it", errno);
		return FALSE;
	}
	self->device = made.st_dev;
	self->inode = made.st_ino;
	self->group = made.st_gid;
	if (chmod(path, SOCKET_MODE) < 0) {
		set_errno_error(error, path, "setting its mode", errno);
		return FALSE;
	}
	if (listen(self->fd, BACKLOG) < 0) {
		set_errno_error(error, path, "listen()", errno);
		return FALSE;
	}
	return TRUE;
}

WiceControlSocket *wice__control_socket_open(const char *path, GError **error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (!*path || strlen(path) >= sizeof address.sun_path) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "Cannot listen on '%s': the path of a unix socket has 1 to %zu bytes.",
			    path, sizeof address.sun_path - 1);
		return NULL;
	}
	g_strlcpy(address.sun_path, path, sizeof address.sun_path);

	WiceControlSocket *self = g_new0(WiceControlSocket, 1);
	self->address = address;
	self->lock_path = g_strconcat(path, ".lock", NULL);
	self->lock_fd = -1;
	self->fd = -1;
	if (make_folder(path, error) && lock_path(self, error) && clear_path(self, error) &&
	    bind_and_listen(self, error))
		return self;
	wice__control_socket_close(self);
	return NULL;
}

static void remove_own_socket(const WiceControlSocket *self)
{
	struct stat found;
	if (self->inode && lstat(self->address.sun_path, &found) == 0 &&
	    found.st_dev == self->device && found.st_ino == self->inode)
		unlink(self->address.sun_path);
}

void wice__control_socket_close(WiceControlSocket *self)
{
	if (!self)
		return;
	if (self->lock_fd >= 0) {
		remove_own_socket(self);
		if (is_same_file(self->lock_fd, self->lock_path))
			unlink(self->lock_path);
		close(self->lock_fd);
	}
	if (self->fd >= 0)
		close(self->fd);
	g_free(self->lock_path);
	g_free(self);
}

int wice__control_socket_steal_fd(WiceControlSocket *self)
{
	int fd = self->fd;
	self->fd = -1;
	return fd;
}

/* Who may talk */

/* True if group is among the supplementary groups of the peer (SO_PEERGROUPS, Linux 4.13). */
static bool peer_has_group(int fd, gid_t group)
{
	socklen_t len = 0;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &len) == 0 || errno != ERANGE)
		return false;
	g_autofree gid_t *groups = g_try_malloc(len);
	if (!groups || getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0)
		return false;
	for (size_t i = 0; i < len / sizeof *groups; i++)
		if (groups[i] == group)
			return true;
	return false;
}

bool wice__control_socket_admits(const WiceControlSocket *self, int connected_fd,
				 struct ucred *ret_peer)
{
	struct ucred peer;
	socklen_t len = sizeof peer;
	*ret_peer = (struct ucred){ .uid = (uid_t)-1, .gid = (gid_t)-1 };
	if (getsockopt(connected_fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 || len < sizeof peer)
		return false;
	*ret_peer = peer;
	return peer.uid == 0 || peer.uid == geteuid() || peer.gid == self->group ||
	       peer_has_group(connected_fd, self->group);
}
