/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mechanism `bpf`: WireGuard and all ICE agents of an interface have one port on the wire. What
 * is selected makes no difference to it: WireGuard sends to the remote address by itself.
 */
#include <errno.h>
#include <string.h>

#include "proxy/bpf/mux.h"
#include "proxy/bpf/mux_maps.h"

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
	WiceEndpoint local;
	uint16_t wg_port; /* the one that it was added with */
	char ufrag[WICE_MUX_UFRAG_LEN + 1];
} BpfPath;

static BpfProxy *proxy_of(const BpfPath *path)
{
	return (BpfProxy *)path->base.peer->proxy;
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
	wice__bpf_mux_remove(proxy_of(path)->mux, path->wg_port, &path->local, path->ufrag);
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
	BpfPath *path = g_new0(BpfPath, 1);
	path->base.peer = base;
	path->local = socket->local;
	path->wg_port = proxy->wg_port;
	memcpy(path->ufrag, socket->ufrag, sizeof path->ufrag);
	peer->paths = g_slist_prepend(peer->paths, path);
	*ret_path = &path->base;
	return 0;
}

static void bpf_path_wire(WiceProxyPath *base, WiceEndpoint *ret_wire)
{
	const BpfPath *path = (const BpfPath *)base;
	*ret_wire = path->local;
	ret_wire->port = path->wg_port;
}

static int bpf_select(WiceProxyPeer *peer, WiceProxyPath *path, const WiceEndpoint *remote,
		      WiceEndpoint *ret_endpoint)
{
	if (path)
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

static const WiceProxyOps bpf_ops = {
	.mechanism = WICE_MECHANISM_BPF,
	.free = bpf_free,
	.set_wg_port = bpf_set_wg_port,
	.peer_new = bpf_peer_new,
	.peer_free = bpf_peer_free,
	.path_new = bpf_path_new,
	.path_free = bpf_path_free,
	.path_wire = bpf_path_wire,
	.select = bpf_select,
	.path_heard = bpf_path_heard,
};
