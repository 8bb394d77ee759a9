/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Client of the UAPI sockets. One connection per operation, because that is all that some
 * implementations serve. What a device may cost is bounded three times: by the caller's deadline,
 * by the time that is spent waiting for it (a hung process must not hold up the others), and by
 * the size of its reply.
 */
#include "wg/uapi.h"

#include "event/source.h"
#include "wg/device.h"
#include "wg/uapi_parse.h"

#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <sodium.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define WAIT_MAX_US (250 * 1000)
#define REPLY_FIRST ((size_t)16 * 1024)
#define REPLY_MAX ((size_t)64 * 1024 * 1024)

typedef struct {
	WiceWgBackend base;
	char *folder;
} UapiBackend;

/* How long an operation may still take and, of that, wait. */
typedef struct {
	int64_t deadline_us;
	int64_t wait_us;
} Patience;

/* Holds secrets, so it grows by hand and is wiped. */
typedef struct {
	char *data;
	size_t len, room;
} Reply;

static int64_t patience_left(const Patience *patience)
{
	return MIN(patience->wait_us, patience->deadline_us - g_get_monotonic_time());
}

static int wait_for(int fd, short events, Patience *patience)
{
	for (;;) {
		int64_t left = patience_left(patience);
		if (left <= 0)
			return -ETIMEDOUT;
		int64_t start = g_get_monotonic_time();
		struct pollfd pollfd = { .fd = fd, .events = events };
		int n = poll(&pollfd, 1, (int)((left + 999) / 1000));
		int error = errno;
		patience->wait_us -= g_get_monotonic_time() - start;
		if (n > 0)
			return 0;
		if (n < 0 && error != EINTR)
			return -error;
	}
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
static int connect_patiently(int fd, const struct sockaddr_un *address, Patience *patience)
{
	for (;;) {
		int64_t left = patience_left(patience);
		if (left <= 0)
			return -ETIMEDOUT;
		struct timeval timeout = { .tv_sec = left / G_USEC_PER_SEC,
					   .tv_usec = left % G_USEC_PER_SEC };
		if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) < 0)
			return -errno;
		int64_t start = g_get_monotonic_time();
		int r = connect(fd, (const struct sockaddr *)address, sizeof *address);
		int error = errno;
		patience->wait_us -= g_get_monotonic_time() - start;
		if (r == 0)
			return 0;
		if (error != EINTR && error != EAGAIN)
			return -error;
	}
}

/* No socket, or one that nobody listens on any more. It is not ours to unlink. */
static bool means_absent(int error)
{
	return error == -ENOENT || error == -ENOTDIR || error == -ECONNREFUSED;
}

static int open_socket(const UapiBackend *backend, const char *name, Patience *patience)
{
	struct sockaddr_un address;
	if (!socket_address(backend->folder, name, &address))
		return -ENAMETOOLONG;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int r = connect_patiently(fd, &address, patience);
	if (r < 0) {
		close(fd);
		return means_absent(r) ? -ENODEV : r;
	}
	return fd;
}

static int send_all(int fd, const char *data, size_t len, Patience *patience)
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
		int r = errno == EAGAIN ? wait_for(fd, POLLOUT, patience) : -errno;
		if (r < 0)
			return r;
	}
	return 0;
}

static void reply_done(Reply *reply)
{
	if (reply->data)
		sodium_memzero(reply->data, reply->room);
	g_free(reply->data);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reply, reply_done)

static int reply_grow(Reply *reply)
{
	if (reply->room >= REPLY_MAX)
		return -EPROTO;
	Reply bigger = { .len = reply->len, .room = reply->room ? 2 * reply->room : REPLY_FIRST };
	bigger.data = g_malloc(bigger.room);
	if (reply->len)
		memcpy(bigger.data, reply->data, reply->len);
	reply_done(reply);
	*reply = bigger;
	return 0;
}

static int receive_reply(int fd, Patience *patience, Reply *reply)
{
	for (;;) {
		if (reply->len == reply->room) {
			int r = reply_grow(reply);
			if (r < 0)
				return r;
		}
		if (g_get_monotonic_time() >= patience->deadline_us)
			return -ETIMEDOUT;
		ssize_t n =
			recv(fd, reply->data + reply->len, reply->room - reply->len, MSG_DONTWAIT);
		if (n == 0)
			return 0; /* the parser judges whether that was all */
		if (n > 0) {
			size_t n_searched = reply->len;
			reply->len += (size_t)n;
			if (wice__uapi_reply_complete(reply->data, reply->len, n_searched))
				return 0;
			continue;
		}
		if (errno == EINTR)
			continue;
		int r = errno == EAGAIN ? wait_for(fd, POLLIN, patience) : -errno;
		if (r < 0)
			return r;
	}
}

/* A process that dies in the middle of an answer has sent a malformed one. */
static int exchange(const UapiBackend *backend, const char *name, const char *request, size_t len,
		    int64_t deadline_ms, Reply *reply)
{
	Patience patience = { .deadline_us = deadline_ms * 1000, .wait_us = WAIT_MAX_US };
	int fd = open_socket(backend, name, &patience);
	if (fd < 0)
		return fd;
	int r = send_all(fd, request, len, &patience);
	if (r == 0)
		r = receive_reply(fd, &patience, reply);
	close(fd);
	return r == -EPIPE || r == -ECONNRESET ? -EPROTO : r;
}

static int uapi_get(WiceWgBackend *base, const char *name, int64_t deadline_ms, WiceDevice **ret)
{
	static const char request[] = "get=1\n\n";
	UapiBackend *backend = (UapiBackend *)base;
	g_auto(Reply) reply = { 0 };
	int r = exchange(backend, name, request, sizeof request - 1, deadline_ms, &reply);
	if (r < 0)
		return r;

	WiceUapiWorld world = { .now_ns = wice__realtime_ms() * 1000000, .scope = if_nametoindex };
	WiceDeviceBuilder *builder = wice__device_builder_new(name, WICE_DEVICE_USERSPACE);
	r = wice__uapi_parse_get(reply.data, reply.len, &world, builder);
	if (r < 0) {
		wice__device_builder_free(builder);
		return r;
	}
	wice__device_builder_info(builder)->ifindex = if_nametoindex(name);
	*ret = wice__device_builder_finish(builder);
	return 0;
}

/*
 * All that is sent is known to be well-formed, so what a device calls invalid is a key that it
 * does not know: update_only, which comes first, so that nothing has been changed.
 */
static int uapi_update_peer(WiceWgBackend *base, const char *name, const WicePeerUpdate *update,
			    int64_t deadline_ms)
{
	UapiBackend *backend = (UapiBackend *)base;
	char request[WICE_UAPI_UPDATE_SIZE];
	size_t len = wice__uapi_write_update(update, request);
	g_auto(Reply) reply = { 0 };
	int r = exchange(backend, name, request, len, deadline_ms, &reply);
	if (r == 0)
		r = wice__uapi_parse_set(reply.data, reply.len);
	return r == -EINVAL ? -EOPNOTSUPP : r;
}

bool wice__uapi_socket_interface(const char *file, char ret_name[16])
{
	char name[16];
	size_t len = strlen(file);
	if (!g_str_has_suffix(file, ".sock") || len - 5 >= sizeof name)
		return false;
	g_strlcpy(name, file, len - 5 + 1);
	if (!wice__interface_name_valid(name))
		return false;
	memcpy(ret_name, name, sizeof name);
	return true;
}

/* Whether somebody listens. Connecting never waits; a full backlog is somebody. */
static bool socket_lives(const UapiBackend *backend, const char *name)
{
	struct sockaddr_un address;
	if (!socket_address(backend->folder, name, &address))
		return false;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	int r = connect(fd, (const struct sockaddr *)&address, sizeof address);
	bool lives = r == 0 || !means_absent(-errno);
	close(fd);
	return lives;
}

static int uapi_list(WiceWgBackend *base, GPtrArray *names, GPtrArray *problems,
		     int64_t deadline_ms)
{
	UapiBackend *backend = (UapiBackend *)base;
	DIR *folder = opendir(backend->folder);
	if (!folder)
		return means_absent(-errno) ? 0 : -errno;
	int r = 0;
	const struct dirent *entry;
	char name[16] = "";
	while (r == 0 && (entry = readdir(folder))) {
		if (wice__now_ms() > deadline_ms)
			r = -ETIMEDOUT;
		else if (wice__uapi_socket_interface(entry->d_name, name) && if_nametoindex(name) &&
			 socket_lives(backend, name))
			g_ptr_array_add(names, g_strdup(name));
	}
	closedir(folder);
	return r;
}

/* For now: one change of an existing peer. */
static bool as_update(const WiceDeviceChange *change, WicePeerUpdate *ret)
{
	const WicePeerChange *peer = change->peers;
	if (change->n_peers != 1 || change->fields || peer->flags != WICE_PEER_CHANGE_UPDATE_ONLY)
		return false;
	*ret = (WicePeerUpdate){ .size = sizeof *ret,
				 .public_key = peer->public_key,
				 .set_endpoint = peer->fields & WICE_PEER_HAS_ENDPOINT,
				 .endpoint = peer->endpoint,
				 .set_keepalive = peer->fields & WICE_PEER_HAS_KEEPALIVE,
				 .keepalive_s = peer->keepalive_s };
	return true;
}

static int uapi_set(WiceWgBackend *base, const char *name, const WiceDeviceChange *change,
		    int64_t deadline_ms)
{
	WicePeerUpdate update;
	return as_update(change, &update) ? uapi_update_peer(base, name, &update, deadline_ms)
					  : -EOPNOTSUPP;
}

static void uapi_free(WiceWgBackend *base)
{
	UapiBackend *backend = (UapiBackend *)base;
	g_free(backend->folder);
	g_free(backend);
}

WiceWgBackend *wice__wg_uapi_new(const char *folder)
{
	static const WiceWgBackendOps ops = {
		.name = "uapi",
		.kind = WICE_DEVICE_USERSPACE,
		.list = uapi_list,
		.get = uapi_get,
		.set = uapi_set,
		.free = uapi_free,
	};
	UapiBackend *backend = g_new0(UapiBackend, 1);
	backend->base.ops = &ops;
	backend->folder = g_strdup(folder);
	return &backend->base;
}
