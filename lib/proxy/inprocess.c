/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Foreign packets (STUN) come on a thread of the engine. They wait in a short queue for the main
 * context, where their channel is looked up: it may have gone by then.
 */
#include "proxy/inprocess.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "event/sockaddr.h"
#include "event/source.h"
#include "event/udp.h"
#include "proxy/port_share.h"
#include "proxy/relayed.h"
#include "stun/probe.h"

/* Answers to probes are few; whoever sends more than this at once is no server that was asked. */
#define WAITING_MAX 64
#define FOREIGN_MAX 1500

typedef struct {
	uint32_t channel;
	WiceEndpoint source;
	size_t len;
	uint8_t bytes[];
} Foreign;

typedef struct {
	WiceProxy base;
	WiceBind *bind;
	GHashTable *paths; /* by their channel's number */
	GSList *relays;
	WiceTimer *timer; /* due when something waits */
	GMutex mutex;     /* of waiting, and of setting the timer */
	GQueue waiting;   /* Foreign */
	bool handing_out;
	bool freed; /* to be freed once nothing is handed out any more */
} Inprocess;

typedef struct {
	WiceProxyPeer base;
	const WiceProxyEvents *events;
	void *user_data;
	GSList *paths;
} InprocessPeer;

/* The socket of a TURN client, with all paths over it. */
typedef struct {
	uint64_t id; /* of the client's socket */
	int fd;      /* a duplicate: the engine's threads receive from it as long as it is here */
	uint32_t channel;
	GSList *paths; /* newest first */
} InprocessRelay;

typedef struct {
	WiceProxyPath base;
	Inprocess *inprocess;
	uint32_t channel;
	/* A direct one: */
	WiceEndpoint local;
	int fd;
	/* A relayed one: */
	InprocessRelay *relay; /* NULL: it is direct */
	WiceEndpoint remote;   /* as the engine knows it */
	WiceProxyChannel turn;
} InprocessPath;

static const WiceProxyOps hooks;

/* On a thread of the engine. */
static void take_foreign(uint32_t channel, const WiceEndpoint *source, const uint8_t *data,
			 size_t len, void *user_data)
{
	Inprocess *inprocess = user_data;
	if (len > FOREIGN_MAX)
		return;
	g_mutex_lock(&inprocess->mutex);
	if (inprocess->waiting.length < WAITING_MAX) {
		Foreign *foreign = g_malloc(sizeof *foreign + len);
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

static InprocessRelay *find_relay(const Inprocess *inprocess, uint32_t channel)
{
	for (const GSList *i = inprocess->relays; i; i = i->next) {
		InprocessRelay *relay = i->data;
		if (relay->channel == channel)
			return relay;
	}
	return NULL;
}

static void hand_to_client(const InprocessRelay *relay, Foreign *foreign)
{
	const InprocessPath *path = relay->paths->data;
	if (path->turn.stun)
		path->turn.stun(path->turn.user_data, &foreign->source, foreign->bytes,
				foreign->len);
}

/*
 * A check of ICE itself is only here because receive offload has stuck it to a packet of WireGuard
 * (see user_io.c). It is lost, but the next one will not be.
 */
static void hand_to_peer(InprocessPath *path, const Foreign *foreign)
{
	const InprocessPeer *peer = (const InprocessPeer *)path->base.peer;
	if (!wice__stun_probe_is_tagged(foreign->bytes, foreign->len))
		wice__udp_set_gro(path->fd, false);
	else if (peer->events && peer->events->on_stun)
		peer->events->on_stun(&path->base, &foreign->source, foreign->bytes, foreign->len,
				      peer->user_data);
}

static void hand_out(const Inprocess *inprocess, Foreign *foreign)
{
	InprocessRelay *relay = find_relay(inprocess, foreign->channel);
	InprocessPath *path =
		g_hash_table_lookup(inprocess->paths, GUINT_TO_POINTER(foreign->channel));
	if (relay)
		hand_to_client(relay, foreign);
	else if (path)
		hand_to_peer(path, foreign);
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

static int relay_new(Inprocess *inprocess, const WiceProxyChannel *turn, uint64_t id,
		     InprocessRelay **ret_relay)
{
	uint32_t channel;
	int fd = fcntl(turn->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int r = wice_bind_udp_add_channel(inprocess->bind, fd, &channel);
	if (r < 0) {
		close(fd);
		return r;
	}
	wice__udp_permit_fragments(fd, turn->server.address.family);
	InprocessRelay *relay = g_new0(InprocessRelay, 1);
	relay->id = id;
	relay->fd = fd;
	relay->channel = channel;
	inprocess->relays = g_slist_prepend(inprocess->relays, relay);
	*ret_relay = relay;
	return 0;
}

static void relay_free(Inprocess *inprocess, InprocessRelay *relay)
{
	inprocess->relays = g_slist_remove(inprocess->relays, relay);
	wice_bind_udp_remove_channel(inprocess->bind, relay->channel);
	wice__relayed_return_socket(relay->fd);
	close(relay->fd);
	g_free(relay);
}

/* The one of the socket, or a new one. */
static int get_relay(Inprocess *inprocess, const WiceProxyChannel *turn, InprocessRelay **ret_relay)
{
	uint64_t id;
	int r = wice__relayed_identify(turn->fd, &id);
	for (const GSList *i = inprocess->relays; r == 0 && i; i = i->next) {
		InprocessRelay *relay = i->data;
		if (relay->id != id)
			continue;
		*ret_relay = relay;
		return 0;
	}
	return r == 0 ? relay_new(inprocess, turn, id, ret_relay) : r;
}

static int join_relay(InprocessPath *path)
{
	path->remote = path->turn.server;
	path->remote.port = wice__relayed_port_take(&path->turn.server);
	if (path->remote.port == 0)
		return -ENOSPC;
	const WiceBindRelayed options = {
		.size = sizeof options,
		.carrier = path->relay->channel,
		.server = path->turn.server,
		.number = path->turn.channel,
		.in_place = path->turn.in_place,
		.remote = path->remote,
	};
	return wice_bind_udp_add_relayed(path->inprocess->bind, &options, &path->channel);
}

/* What join_relay() and get_relay() have done. */
static void leave_relay(const InprocessPath *path)
{
	wice__relayed_port_give(&path->turn.server, path->remote.port);
	path->relay->paths = g_slist_remove(path->relay->paths, path);
	if (!path->relay->paths)
		relay_free(path->inprocess, path->relay);
}

static void enter_path(InprocessPeer *peer, InprocessPath *path)
{
	peer->paths = g_slist_prepend(peer->paths, path);
	g_hash_table_insert(path->inprocess->paths, GUINT_TO_POINTER(path->channel), path);
}

static int inprocess_path_new_relayed(WiceProxyPeer *base, const WiceProxyChannel *turn,
				      WiceProxyPath **ret_path)
{
	Inprocess *inprocess = (Inprocess *)base->proxy;
	InprocessRelay *relay = NULL;
	if (turn->fd < 0)
		return -ENOTSUP;
	int r = get_relay(inprocess, turn, &relay);
	if (r < 0)
		return r;
	InprocessPath *path = g_new0(InprocessPath, 1);
	path->base.peer = base;
	path->inprocess = inprocess;
	path->fd = -1;
	path->relay = relay;
	path->turn = *turn;
	relay->paths = g_slist_prepend(relay->paths, path);
	r = join_relay(path);
	if (r < 0) {
		leave_relay(path);
		g_free(path);
		return r;
	}
	enter_path((InprocessPeer *)base, path);
	*ret_path = &path->base;
	return 0;
}

static int inprocess_path_new(WiceProxyPeer *base, const WiceProxySocket *socket,
			      WiceProxyPath **ret_path)
{
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
	enter_path((InprocessPeer *)base, path);
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
	if (path->relay)
		leave_relay(path);
	else
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
	if (path->relay)
		remote = &path->remote;
	wice_bind_udp_set_route(path->inprocess->bind, remote, path->channel);
	*ret_endpoint = *remote;
	return 0;
}

static void inprocess_path_heard_at(WiceProxyPath *base, WiceEndpoint *ret_endpoint)
{
	*ret_endpoint = ((InprocessPath *)base)->remote;
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
	.path_new_relayed = inprocess_path_new_relayed,
	.path_heard_at = inprocess_path_heard_at,
	.reads_relayed = true,
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
