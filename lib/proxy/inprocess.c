/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Foreign packets (STUN) come on a thread of the engine. They wait in a short queue for the main
 * context, where their channel is looked up: it may have gone by then.
 */
#include "proxy/inprocess.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "event/sockaddr.h"
#include "event/source.h"
#include "event/udp.h"
#include "proxy/port_share.h"
#include "stun/probe.h"

/* Answers to probes are few; whoever sends more than this at once is no server that was asked. */
#define WAITING_MAX 64
#define STUN_MAX 548 /* RFC 8489 section 6.1: what every path carries */

typedef struct {
	uint32_t channel;
	WiceEndpoint source;
	size_t len;
	uint8_t bytes[STUN_MAX];
} Foreign;

struct WiceInprocess {
	WiceBind *bind;
	GHashTable *paths; /* by their channel's number */
	WiceTimer *timer;  /* due when something waits */
	GMutex mutex;      /* of waiting, and of setting the timer */
	GQueue waiting;    /* Foreign */
};

struct WiceInprocessPath {
	WiceInprocess *inprocess;
	WiceInprocessStunFunc on_stun;
	void *user_data;
	int fd;
	uint32_t channel;
};

/* On a thread of the engine. */
static void take_foreign(uint32_t channel, const WiceEndpoint *source, const uint8_t *data,
			 size_t len, void *user_data)
{
	WiceInprocess *inprocess = user_data;
	if (len < 20 || len > STUN_MAX)
		return;
	g_mutex_lock(&inprocess->mutex);
	if (inprocess->waiting.length < WAITING_MAX) {
		Foreign *foreign = g_new(Foreign, 1);
		foreign->channel = channel;
		foreign->source = *source;
		foreign->len = len;
		memcpy(foreign->bytes, data, len);
		g_queue_push_tail(&inprocess->waiting, foreign);
		wice__timer_set(inprocess->timer, 0);
	}
	g_mutex_unlock(&inprocess->mutex);
}

static Foreign *pop_foreign(WiceInprocess *inprocess)
{
	g_mutex_lock(&inprocess->mutex);
	Foreign *foreign = g_queue_pop_head(&inprocess->waiting);
	g_mutex_unlock(&inprocess->mutex);
	return foreign;
}

static bool is_probe(const Foreign *foreign)
{
	static const uint8_t tag[] = { WICE_STUN_PROBE_TAG >> 24, WICE_STUN_PROBE_TAG >> 16 & 0xff,
				       WICE_STUN_PROBE_TAG >> 8 & 0xff,
				       WICE_STUN_PROBE_TAG & 0xff };
	return memcmp(foreign->bytes + 8, tag, sizeof tag) == 0;
}

/*
 * A check of ICE itself is only here because receive offload has stuck it to a packet of WireGuard
 * (see user_io.c). It is lost, but the next one will not be.
 */
static void hand_out(const WiceInprocess *inprocess, const Foreign *foreign)
{
	WiceInprocessPath *path =
		g_hash_table_lookup(inprocess->paths, GUINT_TO_POINTER(foreign->channel));
	if (path && is_probe(foreign))
		path->on_stun(path, &foreign->source, foreign->bytes, foreign->len,
			      path->user_data);
	else if (path)
		wice__udp_set_gro(path->fd, false);
}

static void on_waiting(void *user_data)
{
	WiceInprocess *inprocess = user_data;
	Foreign *foreign;
	while ((foreign = pop_foreign(inprocess))) {
		hand_out(inprocess, foreign);
		g_free(foreign);
	}
}

WiceInprocess *wice__inprocess_new(GMainContext *context, WiceBind *bind)
{
	WiceInprocess *inprocess = g_new0(WiceInprocess, 1);
	inprocess->bind = bind;
	inprocess->paths = g_hash_table_new(NULL, NULL);
	inprocess->timer = wice__timer_new(context, on_waiting, inprocess);
	g_mutex_init(&inprocess->mutex);
	g_queue_init(&inprocess->waiting);
	wice_bind_udp_set_foreign(bind, take_foreign, inprocess);
	return inprocess;
}

void wice__inprocess_free(WiceInprocess *inprocess)
{
	if (!inprocess)
		return;
	g_assert(g_hash_table_size(inprocess->paths) == 0);
	wice_bind_udp_set_foreign(inprocess->bind, NULL, NULL);
	wice__timer_free(inprocess->timer);
	g_queue_clear_full(&inprocess->waiting, g_free);
	g_mutex_clear(&inprocess->mutex);
	g_hash_table_unref(inprocess->paths);
	g_free(inprocess);
}

static void permit_fragments(int fd)
{
	struct sockaddr_storage local;
	WiceEndpoint endpoint;
	socklen_t len = sizeof local;
	if (getsockname(fd, (struct sockaddr *)&local, &len) == 0 &&
	    wice__endpoint_from_sockaddr((const struct sockaddr *)&local, len, &endpoint))
		wice__udp_permit_fragments(fd, endpoint.address.family);
}

int wice__inprocess_path_new(WiceInprocess *inprocess, int ice_fd, uint32_t fwmark,
			     WiceInprocessStunFunc on_stun, void *user_data,
			     WiceInprocessPath **ret_path)
{
	int fd;
	uint32_t channel;
	int r = wice__port_share_open(ice_fd, fwmark, &fd);
	if (r < 0)
		return r;
	permit_fragments(fd);
	r = wice_bind_udp_add_channel(inprocess->bind, fd, &channel);
	if (r < 0) {
		close(fd);
		return r;
	}
	WiceInprocessPath *path = g_new0(WiceInprocessPath, 1);
	path->inprocess = inprocess;
	path->on_stun = on_stun;
	path->user_data = user_data;
	path->fd = fd;
	path->channel = channel;
	g_hash_table_insert(inprocess->paths, GUINT_TO_POINTER(channel), path);
	*ret_path = path;
	return 0;
}

void wice__inprocess_path_free(WiceInprocessPath *path)
{
	if (!path)
		return;
	g_hash_table_remove(path->inprocess->paths, GUINT_TO_POINTER(path->channel));
	wice_bind_udp_remove_channel(path->inprocess->bind, path->channel);
	close(path->fd);
	g_free(path);
}

void wice__inprocess_path_select(WiceInprocessPath *path, const WiceEndpoint *remote)
{
	wice_bind_udp_set_route(path->inprocess->bind, remote, path->channel);
}

int wice__inprocess_path_send(WiceInprocessPath *path, const WiceEndpoint *remote,
			      const uint8_t *packet, size_t len)
{
	struct sockaddr_storage to;
	socklen_t to_len = wice__endpoint_to_sockaddr(remote, &to);
	if (to_len == 0)
		return -EINVAL;
	ssize_t n;
	do {
		n = sendto(path->fd, packet, len, MSG_DONTWAIT, (const struct sockaddr *)&to,
			   to_len);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}
