/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/user_hooks.h"

#include "proxy/user_io.h"

static void free_proxy(WiceProxy *proxy)
{
	wice__user_proxy_free((WiceUserProxy *)proxy);
}

/* What was signalled are the ports of ICE, which stay what they are. */
static int set_wg_port(WiceProxy *proxy, uint16_t wg_port)
{
	wice__user_proxy_set_wg_port((WiceUserProxy *)proxy, wg_port);
	return 0;
}

static int new_peer(WiceProxy *proxy, const WiceProxyEvents *events, void *user_data,
		    WiceProxyPeer **ret_peer)
{
	WiceUserEntry *entry;
	int r = wice__user_entry_new((WiceUserProxy *)proxy, events, user_data, &entry);
	if (r == 0)
		*ret_peer = &entry->base;
	return r;
}

static void free_peer(WiceProxyPeer *peer)
{
	wice__user_entry_free((WiceUserEntry *)peer);
}

static int new_path(WiceProxyPeer *peer, const WiceProxySocket *socket, WiceProxyPath **ret_path)
{
	WiceUserPath *path;
	int r = wice__user_path_new((WiceUserEntry *)peer, socket->fd, &socket->local,
				    socket->fwmark, &path);
	if (r == 0)
		*ret_path = &path->base;
	return r;
}

static void free_path(WiceProxyPath *path)
{
	wice__user_path_free((WiceUserPath *)path);
}

static int new_relayed_path(WiceProxyPeer *peer, const WiceProxyChannel *channel,
			    WiceProxyPath **ret_path)
{
	WiceUserPath *path;
	int r = wice__user_path_new_relayed((WiceUserEntry *)peer, channel, &path);
	if (r == 0)
		*ret_path = &path->base;
	return r;
}

static void wire_of(WiceProxyPath *path, WiceEndpoint *ret_wire)
{
	*ret_wire = *wice__user_path_local((WiceUserPath *)path);
}

static int send_probe(WiceProxyPath *path, const WiceEndpoint *remote, const uint8_t *packet,
		      size_t len)
{
	return wice__user_path_send((WiceUserPath *)path, remote, packet, len);
}

static void input(WiceProxyPath *path, const uint8_t *packet, size_t len)
{
	wice__user_path_input((WiceUserPath *)path, packet, len);
}

static int select_path(WiceProxyPeer *peer, WiceProxyPath *path, const WiceEndpoint *remote,
		       WiceEndpoint *ret_endpoint)
{
	WiceUserEntry *entry = (WiceUserEntry *)peer;
	wice__user_entry_select(entry, (WiceUserPath *)path, remote);
	if (path)
		*ret_endpoint = *wice__user_entry_endpoint(entry);
	return 0;
}

const WiceProxyOps wice__user_hooks = {
	.mechanism = WICE_MECHANISM_USER,
	.free = free_proxy,
	.set_wg_port = set_wg_port,
	.peer_new = new_peer,
	.peer_free = free_peer,
	.path_new = new_path,
	.path_free = free_path,
	.path_wire = wire_of,
	.path_send = send_probe,
	.path_input = input,
	.select = select_path,
	.path_new_relayed = new_relayed_path,
	.reads_relayed = true,
};

int wice__proxy_user_new(GMainContext *context, uint16_t wg_port, WiceProxy **ret_proxy)
{
	WiceUserProxy *proxy;
	int r = wice__user_proxy_new(context, wg_port, &proxy);
	if (r == 0)
		*ret_proxy = &proxy->base;
	return r;
}
