/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mechanism `bpf`: WireGuard, all ICE agents and the TURN clients of an interface have one port
 * on the wire. What is selected makes no difference to it: WireGuard sends to the remote address,
 * or to what stands for it at the relay, by itself.
 */
#include <errno.h>
#include <string.h>

#include "proxy/bpf/mux.h"
#include "proxy/bpf/mux_maps.h"
#include "proxy/bpf/relayed.h"
#include "proxy/relayed.h"

static const WiceProxyOps bpf_ops;

typedef struct {
	WiceProxy base;
	WiceBpfMux *mux;
	uint16_t wg_port;
} BpfProxy;

typedef struct {
	WiceProxyPeer base;
	GSList *paths; /* BpfPath */
} BpfPeer;

typedef struct {
	WiceProxyPath base;
	bool is_relayed;
	WiceEndpoint local;
	uint16_t wg_port; /* the one that it was added with */
	char ufrag[WICE_MUX_UFRAG_LEN + 1];
	/* Relayed. */
	WiceBpfChannel channel;
	uint32_t fwmark;
} BpfPath;

static BpfProxy *proxy_of(const BpfPath *path)
{
	return (BpfProxy *)path->base.peer->proxy;
}

static WiceBpfRelayed *relayed_of(const BpfPath *path)
{
	return wice__bpf_mux_relayed(proxy_of(path)->mux);
}

static void bpf_free(WiceProxy *proxy)
{
	g_free(proxy);
}

/* Paths keep the port that was signalled with them until they are freed. */
static int bpf_set_wg_port(WiceProxy *base, uint16_t wg_port)
{
	BpfProxy *proxy = (BpfProxy *)base;
	int r = proxy->wg_port == wg_port ? 0 : -ESTALE;
	proxy->wg_port = wg_port;
	return r;
}

static int bpf_peer_new(WiceProxy *proxy, const WiceProxyEvents *events, void *user_data,
			WiceProxyPeer **ret_peer)
{
	BpfPeer *peer = g_new0(BpfPeer, 1);
	peer->base.proxy = proxy;
	*ret_peer = &peer->base;
	return 0;
}

static void bpf_path_free(WiceProxyPath *base)
{
	BpfPath *path = (BpfPath *)base;
	BpfPeer *peer = (BpfPeer *)base->peer;
	if (path->is_relayed) {
		wice__bpf_relayed_remove(relayed_of(path), &path->channel);
		wice__relayed_port_give(&path->channel.server, path->channel.synthetic_port);
	} else {
		wice__bpf_mux_remove(proxy_of(path)->mux, path->wg_port, &path->local, path->ufrag);
	}
	peer->paths = g_slist_remove(peer->paths, path);
	g_free(path);
}

static void bpf_peer_free(WiceProxyPeer *base)
{
	BpfPeer *peer = (BpfPeer *)base;
	while (peer->paths)
		bpf_path_free(peer->paths->data);
	g_free(peer);
}

static BpfPath *add_path(BpfPeer *peer)
{
	BpfPath *path = g_new0(BpfPath, 1);
	path->base.peer = &peer->base;
	peer->paths = g_slist_prepend(peer->paths, path);
	return path;
}

static int bpf_path_new(WiceProxyPeer *base, const WiceProxySocket *socket,
			WiceProxyPath **ret_path)
{
	BpfPeer *peer = (BpfPeer *)base;
	BpfProxy *proxy = (BpfProxy *)base->proxy;
	if (strlen(socket->ufrag) != WICE_MUX_UFRAG_LEN)
		return -ENOTSUP;
	int r = wice__bpf_mux_add(proxy->mux, proxy->wg_port, &socket->local, socket->ufrag);
	if (r < 0)
		return r;
	BpfPath *path = add_path(peer);
	path->local = socket->local;
	path->wg_port = proxy->wg_port;
	memcpy(path->ufrag, socket->ufrag, sizeof path->ufrag);
	*ret_path = &path->base;
	return 0;
}

/* Over a stream there is nothing for the programs; nor with a port that is not WireGuard's. */
static int bpf_path_new_relayed(WiceProxyPeer *base, const WiceProxyChannel *given,
				WiceProxyPath **ret_path)
{
	const BpfProxy *proxy = (const BpfProxy *)base->proxy;
	WiceBpfChannel channel = {
		.server = given->server,
		.wg_port = given->wg_port,
		.channel = given->channel,
		.in_place = given->in_place,
	};
	if (given->fd < 0 || given->wg_port == 0 || given->wg_port != proxy->wg_port)
		return -ENOTSUP;
	channel.synthetic_port = wice__relayed_port_take(&given->server);
	if (channel.synthetic_port == 0)
		return -ENOSPC;
	int r = wice__bpf_relayed_add(wice__bpf_mux_relayed(proxy->mux), &channel);
	if (r < 0) {
		wice__relayed_port_give(&given->server, channel.synthetic_port);
		return r;
	}
	BpfPath *path = add_path((BpfPeer *)base);
	path->is_relayed = true;
	path->channel = channel;
	path->fwmark = given->fwmark;
	*ret_path = &path->base;
	return 0;
}

/* What the programs have left to the TURN client, which may be anything. */
static void bpf_path_input(WiceProxyPath *base, const uint8_t *data, size_t len)
{
	BpfPath *path = (BpfPath *)base;
	size_t packet_len;
	if (!path->is_relayed)
		return;
	const uint8_t *packet =
		wice__relayed_restore((uint8_t *)data, len, path->channel.in_place, &packet_len);
	if (packet)
		wice__bpf_relayed_inject(relayed_of(path), &path->channel, path->fwmark, packet,
					 packet_len);
}

static void bpf_path_wire(WiceProxyPath *base, WiceEndpoint *ret_wire)
{
	const BpfPath *path = (const BpfPath *)base;
	*ret_wire = path->local;
	ret_wire->port = path->wg_port;
}

static void bpf_path_heard_at(WiceProxyPath *base, WiceEndpoint *ret_endpoint)
{
	const BpfPath *path = (const BpfPath *)base;
	*ret_endpoint = path->channel.server;
	ret_endpoint->port = path->channel.synthetic_port;
}

static int bpf_select(WiceProxyPeer *peer, WiceProxyPath *base, const WiceEndpoint *remote,
		      WiceEndpoint *ret_endpoint)
{
	const BpfPath *path = (const BpfPath *)base;
	if (path && path->is_relayed)
		bpf_path_heard_at(base, ret_endpoint);
	else if (path)
		*ret_endpoint = *remote;
	return 0;
}

static int bpf_path_heard(WiceProxyPath *base, WiceEndpoint *ret_source)
{
	const BpfPath *path = (const BpfPath *)base;
	return wice__bpf_mux_heard(proxy_of(path)->mux, path->wg_port, &path->local, path->ufrag,
				   ret_source);
}

WiceProxy *wice__proxy_bpf_new(WiceBpfMux *mux, uint16_t wg_port)
{
	BpfProxy *proxy = g_new0(BpfProxy, 1);
	proxy->base.ops = &bpf_ops;
	proxy->mux = mux;
	proxy->wg_port = wg_port;
	return &proxy->base;
}

int wice__proxy_bpf_counters(const WiceProxyPath *base, WiceBpfRelayedCounters *ret_counters)
{
	const BpfPath *path = (const BpfPath *)base;
	if (base->peer->proxy->ops != &bpf_ops || !path->is_relayed)
		return -ENOENT;
	return wice__bpf_relayed_counters(relayed_of(path), &path->channel, ret_counters);
}

static const WiceProxyOps bpf_ops = {
	.mechanism = WICE_MECHANISM_BPF,
	.free = bpf_free,
	.set_wg_port = bpf_set_wg_port,
	.peer_new = bpf_peer_new,
	.peer_free = bpf_peer_free,
	.path_new = bpf_path_new,
	.path_free = bpf_path_free,
	.path_wire = bpf_path_wire,
	.path_input = bpf_path_input,
	.select = bpf_select,
	.path_heard = bpf_path_heard,
	.path_new_relayed = bpf_path_new_relayed,
	.path_heard_at = bpf_path_heard_at,
};
