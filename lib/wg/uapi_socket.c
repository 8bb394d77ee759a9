/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UAPI sockets. One connection per operation, because that is all that some implementations serve.
 * What a device may cost is bounded by the caller's deadline and by the size of its reply.
 */
#include "wg/uapi_socket.h"

#include "event/source.h"

#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define PIECE_FIRST ((size_t)64 * 1024)
#define LINE_MAX_LEN ((size_t)1024 * 1024)
#define REPLY_MAX ((size_t)64 * 1024 * 1024)

static int64_t time_left(int64_t deadline_ms)
{
	return deadline_ms - wice__now_ms();
}

static int wait_for(int fd, short events, int64_t deadline_ms)
{
	for (;;) {
		int64_t left = time_left(deadline_ms);
		if (left <= 0)
			return -ETIMEDOUT;
		struct pollfd pollfd = { .fd = fd, .events = events };
		int n = poll(&pollfd, 1, (int)MIN(left, G_MAXINT));
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

char *wice__uapi_socket_path(const char *folder, const char *name)
{
	return g_strdup_printf("%s/%s.sock", folder, name);
}

static bool socket_address(const char *folder, const char *name, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	int len = g_snprintf(ret->sun_path, sizeof ret->sun_path, "%s/%s.sock", folder, name);
	return len < (int)sizeof ret->sun_path;
}

/*
 * A full backlog is nothing that poll(2) tells of; a send timeout is what bounds connect(2) then.
 */
static int connect_until(int fd, const struct sockaddr_un *address, int64_t deadline_ms)
{
	for (;;) {
		int64_t left = MIN(time_left(deadline_ms), G_MAXINT);
		if (left <= 0)
			return -ETIMEDOUT;
		struct timeval timeout = { .tv_sec = left / 1000, .tv_usec = left % 1000 * 1000 };
		if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) < 0)
			return -errno;
		if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0)
			return 0;
		if (errno != EINTR && errno != EAGAIN)
			return -errno;
	}
}

/* No socket, or one that nobody listens on any more. */
static bool means_absent(int error)
{
	return error == -ENOENT || error == -ENOTDIR || error == -ECONNREFUSED;
}

static int open_socket(const char *folder, const char *name, int64_t deadline_ms)
{
	struct sockaddr_un address;
	if (!socket_address(folder, name, &address))
		return -ENAMETOOLONG;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int r = connect_until(fd, &address, deadline_ms);
	if (r < 0) {
		close(fd);
		return means_absent(r) ? -ENODEV : r;
	}
	return fd;
}

static int send_all(int fd, const char *data, size_t len, int64_t deadline_ms)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n >= 0) {
			data += n;
			len -= (size_t)n;
			continue;
		}
		if (errno == EINTR)
			continue;
		int r = errno == EAGAIN ? wait_for(fd, POLLOUT, deadline_ms) : -errno;
		if (r < 0)
			return r;
	}
	return 0;
}

/* What has come and has not been read. Holds secrets, so it grows by hand and is wiped. */
typedef struct {
	char *data;
	size_t len, room;
} Piece;

static void piece_done(Piece *piece)
{
	if (piece->data)
		sodium_memzero(piece->data, piece->room);
	g_free(piece->data);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Piece, piece_done)

static int piece_grow(Piece *piece)
{
	if (piece->room >= LINE_MAX_LEN)
		return -EPROTO;
	Piece bigger = { .len = piece->len, .room = piece->room ? 2 * piece->room : PIECE_FIRST };
	bigger.data = g_malloc(bigger.room);
	if (piece->len)
		memcpy(bigger.data, piece->data, piece->len);
	piece_done(piece);
	*piece = bigger;
	return 0;
}

/* The number of bytes that came, 0 at the end. */
static ssize_t receive(int fd, Piece *piece, int64_t deadline_ms)
{
	for (;;) {
		if (time_left(deadline_ms) <= 0)
			return -ETIMEDOUT;
		ssize_t n =
			recv(fd, piece->data + piece->len, piece->room - piece->len, MSG_DONTWAIT);
		if (n >= 0)
			return n;
		if (errno == EINTR)
			continue;
		int r = errno == EAGAIN ? wait_for(fd, POLLIN, deadline_ms) : -errno;
		if (r < 0)
			return r;
	}
}

/* Reads the whole lines of piece and moves the rest to its front. */
static int read_lines(Piece *piece, WiceUapiReply *reply)
{
	size_t n_read;
	int r = wice__uapi_reply_feed(reply, piece->data, piece->len, &n_read);
	memmove(piece->data, piece->data + n_read, piece->len - n_read);
	piece->len -= n_read;
	return r;
}

/* It has closed its end, which it may do as soon as it has found and reported an error. */
static bool has_hung_up(int r)
{
	return r == -EPIPE || r == -ECONNRESET;
}

/* Lines are read while the device writes the next ones. */
static int receive_reply(int fd, int64_t deadline_ms, WiceUapiReply *reply)
{
	g_auto(Piece) piece = { 0 };
	size_t total = 0;
	int r = 0;
	while (r == 0) {
		if (piece.len == piece.room && (r = piece_grow(&piece)) < 0)
			return r;
		ssize_t n = receive(fd, &piece, deadline_ms);
		if (n == 0 || has_hung_up((int)n))
			break;
		if (n < 0)
			return (int)n;
		total += (size_t)n;
		piece.len += (size_t)n;
		r = total > REPLY_MAX ? -EPROTO : read_lines(&piece, reply);
	}
	if (total == 0)
		return -ENODATA;
	if (r < 0 || (r == 0 && piece.len))
		return r < 0 ? r : -EPROTO;
	return wice__uapi_reply_result(reply);
}

int wice__uapi_exchange(const char *folder, const char *name, const char *request, size_t len,
			int64_t deadline_ms, WiceUapiReply *reply)
{
	int fd = open_socket(folder, name, deadline_ms);
	if (fd < 0)
		return fd;
	int r = send_all(fd, request, len, deadline_ms);
	if (r == 0 || has_hung_up(r))
		r = receive_reply(fd, deadline_ms, reply);
	close(fd);
	return r;
}

int wice__uapi_socket_check(const char *folder, const char *name)
{
	struct sockaddr_un address;
	struct stat status;
	if (!socket_address(folder, name, &address))
		return -ENAMETOOLONG;
	if (stat(address.sun_path, &status) < 0) {
		int error = errno;
		bool dangles = error == ENOENT && lstat(address.sun_path, &status) == 0;
		return dangles ? -ENOLINK : -error;
	}
	if (!S_ISSOCK(status.st_mode))
		return -ENOTSOCK;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	int r = connect(fd, (const struct sockaddr *)&address, sizeof address) < 0 ? -errno : 0;
	close(fd);
	return r == -EAGAIN ? 0 : r; /* a full backlog is somebody */
}
