/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mechanism's peers and paths. Rules and the table are in ruleset.c and table.c.
 *
 * When another pair is selected, WireGuard learns of its new endpoint a little later, and packets
 * of a former path may bring it back for a moment. So what was selected for a path remains a route
 * as long as the path lives, unless another path gets the same remote endpoint. And what a path
 * expects is a route of it from the beginning: the peer may have selected before us.
 *
 * Our own STUN probes leave from ICE's port through a second socket (proxy/port_share.h), which is
 * only opened for a path that has something to send. Packets for WireGuard pass it by: the rules
 * have changed their port before the kernel looks for a socket. What comes all the same was on its
 * way before there was a rule, and nobody has told the peer of that port yet: it is dropped.
 */
#include "proxy/nft/nft.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "event/sockaddr.h"
#include "event/source.h"
#include "event/udp.h"
#include "proxy/nft/ruleset.h"
#include "proxy/nft/table.h"
#include "proxy/port_share.h"
#include "stun/probe.h"
#include <wice/error.h>

#define MAX_PEERS (WICE_NFT_MAX_ELEMENTS / 2)
#define MAX_ROUTES 64 /* of a path: more candidates than a peer may have */
#define PROBE_SIZE 2048
#define MAX_DATAGRAMS 64 /* read at a time; the rest waits for the next turn of the loop */

typedef struct {
	WiceProxy base;
	WiceNftTable *table;
	size_t n_peers;
	int epoll_fd; /* all probe_fd */
	WiceFdWatch *watch;
} NftProxy;

typedef struct {
	WiceProxyPeer base;
	const WiceProxyEvents *events;
	void *user_data;
	GSList *paths;
} NftPeer;

typedef struct {
	WiceProxyPath base;
	WiceEndpoint local;
	int ice_fd; /* borrowed */
	uint32_t fwmark;
	int probe_fd;    /* -1: not open */
	GArray *remotes; /* WiceEndpoint: its routes, some of which may be other paths' by now */
} NftPath;

static NftProxy *proxy_of(const NftPeer *peer)
{
	return (NftProxy *)peer->base.proxy;
}

static NftPeer *peer_of(const NftPath *path)
{
	return (NftPeer *)path->base.peer;
}

/* Probes. */

/* True if there was one, with which anything may have been freed. */
static bool receive_probe(NftPath *path)
{
	const NftPeer *peer = peer_of(path);
	uint8_t packet[PROBE_SIZE];
	struct sockaddr_storage from;
	socklen_t from_len = sizeof from;
	WiceEndpoint source;
	ssize_t n = recvfrom(path->probe_fd, packet, sizeof packet, MSG_DONTWAIT,
			     (struct sockaddr *)&from, &from_len);
	if (n < 0 || !wice__stun_probe_is_tagged(packet, (size_t)n) ||
	    !wice__endpoint_from_sockaddr((const struct sockaddr *)&from, from_len, &source) ||
	    !peer->events || !peer->events->on_stun)
		return false;
	peer->events->on_stun(&path->base, &source, packet, (size_t)n, peer->user_data);
	return true;
}

static void probes_readable(int fd, GIOCondition condition, void *user_data)
{
	for (unsigned i = 0; i < MAX_DATAGRAMS; i++) {
		struct epoll_event event;
		if (epoll_wait(fd, &event, 1, 0) <= 0 || receive_probe(event.data.ptr))
			return;
	}
}

static int open_probe(NftPath *path)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = path };
	int fd;
	int r = wice__port_share_open(path->ice_fd, path->fwmark, &fd);
	if (r < 0)
		return r;
	if (epoll_ctl(proxy_of(peer_of(path))->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	path->probe_fd = fd;
	return 0;
}

static int path_send(WiceProxyPath *base, const WiceEndpoint *remote, const uint8_t *packet,
		     size_t len)
{
	NftPath *path = (NftPath *)base;
	int r = path->probe_fd < 0 ? open_probe(path) : 0;
	return r < 0 ? r : wice__udp_send_to(path->probe_fd, remote, packet, len);
}

/* Paths. */

static int path_new(WiceProxyPeer *base, const WiceProxySocket *socket, WiceProxyPath **ret_path)
{
	NftPeer *peer = (NftPeer *)base;
	if (socket->local.address.family == WICE_FAMILY_NONE || socket->local.port == 0)
		return -ENOTSUP;
	int r = wice__nft_table_add_port(proxy_of(peer)->table, &socket->local);
	if (r < 0)
		return r;
	NftPath *path = g_new0(NftPath, 1);
	path->base.peer = base;
	path->local = socket->local;
	path->ice_fd = socket->fd;
	path->fwmark = socket->fwmark;
	path->probe_fd = -1;
	path->remotes = g_array_new(FALSE, FALSE, sizeof(WiceEndpoint));
	peer->paths = g_slist_prepend(peer->paths, path);
	*ret_path = &path->base;
	return 0;
}

static void remove_routes(NftPath *path)
{
	WiceNftTable *table = proxy_of(peer_of(path))->table;
	for (guint i = 0; i < path->remotes->len; i++)
		wice__nft_table_unroute(table, &g_array_index(path->remotes, WiceEndpoint, i),
					path);
	g_array_set_size(path->remotes, 0);
}

static bool has_remote(const NftPath *path, const WiceEndpoint *remote)
{
	for (guint i = 0; i < path->remotes->len; i++)
		if (wice_endpoint_compare(&g_array_index(path->remotes, WiceEndpoint, i), remote) ==
		    0)
			return true;
	return false;
}

static int add_route(NftPath *path, const WiceEndpoint *remote)
{
	if (remote->address.family != path->local.address.family || remote->port == 0)
		return -EINVAL;
	bool known = has_remote(path, remote);
	if (!known && path->remotes->len >= MAX_ROUTES)
		return -ENOSPC;
	int r = wice__nft_table_route(proxy_of(peer_of(path))->table, remote, path->local.port,
				      path);
	if (r == 0 && !known)
		g_array_append_val(path->remotes, *remote);
	return r;
}

/* A route more or less is no failure: without it an answer may be lost, and the next one is not. */
static void path_expect(WiceProxyPath *base, const WiceEndpoint *remote)
{
	NftPath *path = (NftPath *)base;
	const WiceNftTable *table = proxy_of(peer_of(path))->table;
	if (path->remotes->len < MAX_ROUTES / 2 && wice__nft_table_has_room(table) &&
	    !wice__nft_table_is_routed(table, remote))
		(void)add_route(path, remote);
}

static void path_free(WiceProxyPath *base)
{
	NftPath *path = (NftPath *)base;
	NftPeer *peer = peer_of(path);
	remove_routes(path);
	wice__nft_table_remove_port(proxy_of(peer)->table, &path->local);
	if (path->probe_fd >= 0)
		close(path->probe_fd);
	peer->paths = g_slist_remove(peer->paths, path);
	g_array_unref(path->remotes);
	g_free(path);
}

static void path_wire(WiceProxyPath *base, WiceEndpoint *ret_wire)
{
	*ret_wire = ((NftPath *)base)->local;
}

/* Peers. */

static int peer_new(WiceProxy *base, const WiceProxyEvents *events, void *user_data,
		    WiceProxyPeer **ret_peer)
{
	NftProxy *proxy = (NftProxy *)base;
	if (proxy->n_peers >= MAX_PEERS)
		return -ENOSPC;
	NftPeer *peer = g_new0(NftPeer, 1);
	peer->base.proxy = base;
	peer->events = events;
	peer->user_data = user_data;
	proxy->n_peers++;
	*ret_peer = &peer->base;
	return 0;
}

static void peer_free(WiceProxyPeer *base)
{
	NftPeer *peer = (NftPeer *)base;
	while (peer->paths)
		path_free(peer->paths->data);
	proxy_of(peer)->n_peers--;
	g_free(peer);
}

static int select_path(WiceProxyPeer *base, WiceProxyPath *path, const WiceEndpoint *remote,
		       WiceEndpoint *ret_endpoint)
{
	NftPeer *peer = (NftPeer *)base;
	if (!path) {
		for (GSList *link = peer->paths; link; link = link->next)
			remove_routes(link->data);
		return 0;
	}
	int r = add_route((NftPath *)path, remote);
	if (r == 0)
		*ret_endpoint = *remote;
	return r;
}

/* The proxy. */

static int set_wg_port(WiceProxy *base, uint16_t wg_port)
{
	return wice__nft_table_set_wg_port(((NftProxy *)base)->table, wg_port);
}

static void proxy_free(WiceProxy *base)
{
	NftProxy *proxy = (NftProxy *)base;
	g_assert(proxy->n_peers == 0);
	wice__fd_watch_free(proxy->watch);
	close(proxy->epoll_fd);
	wice__nft_table_free(proxy->table);
	g_free(proxy);
}

static const WiceProxyOps ops = {
	.mechanism = WICE_MECHANISM_NFT,
	.free = proxy_free,
	.set_wg_port = set_wg_port,
	.peer_new = peer_new,
	.peer_free = peer_free,
	.path_new = path_new,
	.path_free = path_free,
	.path_wire = path_wire,
	.path_send = path_send,
	.select = select_path,
	.path_expect = path_expect,
};

static WiceProxy *new_with(GMainContext *context, const char *ifname, uint16_t wg_port, bool owned,
			   GError **error)
{
	WiceNftTable *table = wice__nft_table_new(context, ifname, wg_port, owned, error);
	if (!table)
		return NULL;
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd < 0) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_IO,
			    "Rules for %s cannot be used: no descriptor for sockets: %s.", ifname,
			    g_strerror(errno));
		wice__nft_table_free(table);
		return NULL;
	}
	NftProxy *proxy = g_new0(NftProxy, 1);
	proxy->base.ops = &ops;
	proxy->table = table;
	proxy->epoll_fd = epoll_fd;
	proxy->watch = wice__fd_watch_new(context, epoll_fd, G_IO_IN, probes_readable, proxy);
	return &proxy->base;
}

WiceProxy *wice__proxy_nft_new(GMainContext *context, const char *ifname, uint16_t wg_port,
			       GError **error)
{
	return new_with(context, ifname, wg_port, true, error);
}

WiceProxy *wice__proxy_nft_new_ownerless(GMainContext *context, const char *ifname,
					 uint16_t wg_port, GError **error)
{
	return new_with(context, ifname, wg_port, false, error);
}
