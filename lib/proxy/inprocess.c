/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Foreign packets (STUN) come on a thread of the engine. They wait in a short queue for the main
 * context, where their channel is looked up: it may have gone by then.
 */
#include "proxy/inprocess.h"

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

typedef struct {
	WiceProxy base;
	WiceBind *bind;
	GHashTable *paths; /* by their channel's number */
	WiceTimer *timer;  /* due when something waits */
	GMutex mutex;      /* of waiting, and of setting the timer */
	GQueue waiting;    /* Foreign */
	bool handing_out;
	bool freed; /* to be freed once nothing is handed out any more */
} Inprocess;

typedef struct {
	WiceProxyPeer base;
	const WiceProxyEvents *events;
	void *user_data;
	GSList *paths;
} InprocessPeer;

typedef struct {
	WiceProxyPath base;
	Inprocess *inprocess;
	WiceEndpoint local;
	int fd;
	uint32_t channel;
} InprocessPath;

static const WiceProxyOps hooks;

/* On a thread of the engine. */
static void take_foreign(uint32_t channel, const WiceEndpoint *source, const uint8_t *data,
			 size_t len, void *user_data)
{
	Inprocess *inprocess = user_data;
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

static Foreign *pop_foreign(Inprocess *inprocess)
{
	g_mutex_lock(&inprocess->mutex);
	Foreign *foreign = g_queue_pop_head(&inprocess->waiting);
	g_mutex_unlock(&inprocess->mutex);
	return foreign;
}

/*
 * A check of ICE itself is only here because receive offload has stuck it to a packet of WireGuard
 * (see user_io.c). It is lost, but the next one will not be.
 */
static void hand_out(const Inprocess *inprocess, const Foreign *foreign)
{
	InprocessPath *path =
		g_hash_table_lookup(inprocess->paths, GUINT_TO_POINTER(foreign->channel));
	if (!path)
		return;
	const InprocessPeer *peer = (const InprocessPeer *)path->base.peer;
	if (!wice__stun_probe_is_tagged(foreign->bytes, foreign->len))
		wice__udp_set_gro(path->fd, false);
	else if (peer->events && peer->events->on_stun)
		peer->events->on_stun(&path->base, &foreign->source, foreign->bytes, foreign->len,
				      peer->user_data);
}

static void inprocess_free(WiceProxy *proxy)
{
	Inprocess *inprocess = (Inprocess *)proxy;
	g_assert(g_hash_table_size(inprocess->paths) == 0);
	wice_bind_udp_set_foreign(inprocess->bind, NULL, NULL);
	if (inprocess->handing_out) {
		inprocess->freed = true;
		return;
	}
	wice__timer_free(inprocess->timer);
	g_queue_clear_full(&inprocess->waiting, g_free);
	g_mutex_clear(&inprocess->mutex);
	g_hash_table_unref(inprocess->paths);
	g_free(inprocess);
}

/* The callback may free the proxy. */
static void on_waiting(void *user_data)
{
	Inprocess *inprocess = user_data;
	Foreign *foreign;
	inprocess->handing_out = true;
	while ((foreign = pop_foreign(inprocess))) {
		hand_out(inprocess, foreign);
		g_free(foreign);
	}
	inprocess->handing_out = false;
	if (inprocess->freed)
		inprocess_free(&inprocess->base);
}

/* The engine's own port is not used. */
static int inprocess_set_wg_port(WiceProxy *proxy, uint16_t wg_port)
{
	return 0;
}

static int inprocess_peer_new(WiceProxy *proxy, const WiceProxyEvents *events, void *user_data,
			      WiceProxyPeer **ret_peer)
{
	InprocessPeer *peer = g_new0(InprocessPeer, 1);
	peer->base.proxy = proxy;
	peer->events = events;
	peer->user_data = user_data;
	*ret_peer = &peer->base;
	return 0;
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

static int inprocess_path_new(WiceProxyPeer *base, const WiceProxySocket *socket,
			      WiceProxyPath **ret_path)
{
	InprocessPeer *peer = (InprocessPeer *)base;
	Inprocess *inprocess = (Inprocess *)base->proxy;
	int fd;
	uint32_t channel;
	int r = wice__port_share_open(socket->fd, socket->fwmark, &fd);
	if (r < 0)
		return r;
	permit_fragments(fd);
	r = wice_bind_udp_add_channel(inprocess->bind, fd, &channel);
	if (r < 0) {
		close(fd);
		return r;
	}
	InprocessPath *path = g_new0(InprocessPath, 1);
	path->base.peer = base;
	path->inprocess = inprocess;
	path->local = socket->local;
	path->fd = fd;
	path->channel = channel;
	peer->paths = g_slist_prepend(peer->paths, path);
	g_hash_table_insert(inprocess->paths, GUINT_TO_POINTER(channel), path);
	*ret_path = &path->base;
	return 0;
}

static void inprocess_path_free(WiceProxyPath *base)
{
	InprocessPath *path = (InprocessPath *)base;
	InprocessPeer *peer = (InprocessPeer *)base->peer;
	peer->paths = g_slist_remove(peer->paths, path);
	g_hash_table_remove(path->inprocess->paths, GUINT_TO_POINTER(path->channel));
	wice_bind_udp_remove_channel(path->inprocess->bind, path->channel);
	close(path->fd);
	g_free(path);
}

static void inprocess_peer_free(WiceProxyPeer *base)
{
	InprocessPeer *peer = (InprocessPeer *)base;
	while (peer->paths)
		inprocess_path_free(peer->paths->data);
	g_free(peer);
}

static void inprocess_path_wire(WiceProxyPath *path, WiceEndpoint *ret_wire)
{
	*ret_wire = ((InprocessPath *)path)->local;
}

static int inprocess_path_send(WiceProxyPath *base, const WiceEndpoint *remote,
			       const uint8_t *packet, size_t len)
{
	return wice__udp_send_to(((const InprocessPath *)base)->fd, remote, packet, len);
}

static int inprocess_select(WiceProxyPeer *peer, WiceProxyPath *base, const WiceEndpoint *remote,
			    WiceEndpoint *ret_endpoint)
{
	InprocessPath *path = (InprocessPath *)base;
	if (!path)
		return 0;
	wice_bind_udp_set_route(path->inprocess->bind, remote, path->channel);
	*ret_endpoint = *remote;
	return 0;
}

static const WiceProxyOps hooks = {
	.mechanism = WICE_MECHANISM_INPROCESS,
	.free = inprocess_free,
	.set_wg_port = inprocess_set_wg_port,
	.peer_new = inprocess_peer_new,
	.peer_free = inprocess_peer_free,
	.path_new = inprocess_path_new,
	.path_free = inprocess_path_free,
	.path_wire = inprocess_path_wire,
	.path_send = inprocess_path_send,
	.select = inprocess_select,
};

WiceProxy *wice__proxy_inprocess_new(GMainContext *context, WiceBind *bind)
{
	Inprocess *inprocess = g_new0(Inprocess, 1);
	inprocess->base.ops = &hooks;
	inprocess->bind = bind;
	inprocess->paths = g_hash_table_new(NULL, NULL);
	inprocess->timer = wice__timer_new(context, on_waiting, inprocess);
	g_mutex_init(&inprocess->mutex);
	g_queue_init(&inprocess->waiting);
	wice_bind_udp_set_foreign(bind, take_foreign, inprocess);
	return &inprocess->base;
}
