/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_PROXY_PROXY_H
#define WICE_PROXY_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/addr.h>
#include <wice/status.h>

/*
 * How WireGuard's packets get through the port that ICE has opened. A NAT and a firewall let pass
 * what belongs to the five-tuple that ICE's checks have used, so WireGuard's packets must have
 * the same one on the wire. There are several ways to that, which differ in what they need and in
 * what they cost; each is one table of hooks (WiceProxyOps):
 *
 *   mechanism   on the wire            WireGuard's endpoint    per packet
 *   bpf         WireGuard's port       the remote address      nothing
 *   nft         the ICE agent's port   the remote address      a rule that rewrites a port
 *   inprocess   the ICE agent's port   the remote address      nothing: one process
 *   user        the ICE agent's port   ours on loopback        two copies
 *
 * There is one proxy per interface and mechanism, in it a peer for each peer that uses it, in that
 * a path for each socket of the peer's ICE agents. Several mechanisms may be in use at once: a
 * peer goes from one to another by opening a new ICE agent under the new one while the former
 * still carries packets.
 *
 * All hooks are called on the thread of the context that the proxy was made with, callbacks come
 * from it. From within a callback any hook may be called for any object, those that free included.
 */
typedef struct WiceProxyOps WiceProxyOps;

/* What a mechanism's own struct begins with. */
typedef struct {
	const WiceProxyOps *ops;
} WiceProxy;

typedef struct {
	WiceProxy *proxy;
} WiceProxyPeer;

typedef struct {
	WiceProxyPeer *peer;
} WiceProxyPath;

typedef struct {
	/*
	 * A STUN packet with the tag of stun/probe.h came in on a path. Valid during the call. May
	 * be NULL.
	 */
	void (*on_stun)(WiceProxyPath *path, const WiceEndpoint *source, const uint8_t *packet,
			size_t len, void *user_data);
} WiceProxyEvents;

/* One socket of an ICE agent. Everything but fd is only valid during the call. */
typedef struct {
	int fd;             /* bound, not connected; stays open longer than the path */
	WiceEndpoint local; /* what it is bound to: one address, no wildcard */
	const char *ufrag;  /* of the agent: WICE_ICE_OWN_UFRAG_LEN characters, see ice/ice.h */
	uint32_t fwmark;    /* of what is sent for it, 0: none */
} WiceProxySocket;

/*
 * A channel to a peer over a relay (ChannelData, RFC 8656 section 12). Everything is copied.
 *
 * in_place: both ends have agreed that a data message of WireGuard, which begins with 04 00 00 00,
 * travels with the channel's header instead of that word: nothing is moved, nothing grows. Its
 * other messages travel as they are behind a header; see wice__relayed_restore() for how they are
 * told apart.
 */
typedef struct {
	WiceEndpoint server; /* the relay; packets go there */
	/*
	 * The socket of the TURN client: bound to the wildcard, not connected. It is closed when
	 * the allocation is lost, and the path may stay for a while. -1: there is none (a stream),
	 * send is all there is.
	 */
	int fd;
	uint16_t port;    /* that fd is bound to */
	uint16_t wg_port; /* the one on the wire, where the mechanism shares it, else 0 */
	uint16_t channel;
	bool in_place;
	uint32_t fwmark;
	/* Sends one whole ChannelData message, on the thread of the proxy's context. */
	int (*send)(void *user_data, const uint8_t *channel_data, size_t len);
	/* A packet of the server that is not ChannelData of a channel known here, or NULL. */
	void (*stun)(void *user_data, const WiceEndpoint *source, uint8_t *packet, size_t len);
	void *user_data;
} WiceProxyChannel;

struct WiceProxyOps {
	WiceMechanism mechanism;
	/* Frees a proxy that has no peers any more. */
	void (*free)(WiceProxy *proxy);
	/*
	 * WireGuard's listen port has changed to wg_port. 0: the paths go on; -ESTALE: they are
	 * worth nothing any more, free them and make new ones (with new ICE agents: what was
	 * signalled is wrong). wg_port as before is fine. Other -errno: it could not be done, new
	 * paths may not work either.
	 */
	int (*set_wg_port)(WiceProxy *proxy, uint16_t wg_port);
	/* events must stay valid. -ENOSPC: there is no room for another one. */
	int (*peer_new)(WiceProxy *proxy, const WiceProxyEvents *events, void *user_data,
			WiceProxyPeer **ret_peer);
	/* Frees its paths too. WireGuard's packets to its endpoint are dropped or go astray. */
	void (*peer_free)(WiceProxyPeer *peer);
	/*
	 * Takes care of a socket. From now on, WireGuard gets what comes in for it at the wire
	 * endpoint, whatever the source. -ENOTSUP: this mechanism cannot have this socket; other
	 * -errno: not now.
	 */
	int (*path_new)(WiceProxyPeer *peer, const WiceProxySocket *socket,
			WiceProxyPath **ret_path);
	/* If it was selected, WireGuard's packets to the remote address go astray from now on. */
	void (*path_free)(WiceProxyPath *path);
	/* What packets of the path have on the wire, and what is signalled as host candidate. */
	void (*path_wire)(WiceProxyPath *path, WiceEndpoint *ret_wire);
	/*
	 * Sends one packet from the wire endpoint, in order to find the address that a server sees;
	 * answers come to on_stun. NULL where all paths have the same port, for which the interface
	 * finds that out once (agent/reflexive.h).
	 */
	int (*path_send)(WiceProxyPath *path, const WiceEndpoint *remote, const uint8_t *packet,
			 size_t len);
	/*
	 * A packet that is not STUN reached the ICE agent's own reading of the socket. What the
	 * mechanism has no use for is dropped. NULL: it has none for any.
	 */
	void (*path_input)(WiceProxyPath *path, const uint8_t *packet, size_t len);
	/*
	 * From now on WireGuard's packets to the peer go over path, one of the peer's, to remote.
	 * *ret_endpoint is what WireGuard's endpoint must be for that; set it after this has
	 * returned (until then packets go where they went, and none is lost). Again and again is
	 * fine. path NULL: WireGuard's packets to the peer's endpoint are dropped, if the
	 * mechanism sees them at all; ret_endpoint is untouched.
	 */
	int (*select)(WiceProxyPeer *peer, WiceProxyPath *path, const WiceEndpoint *remote,
		      WiceEndpoint *ret_endpoint);
	/*
	 * The peer may send from remote to the path's wire endpoint, and WireGuard answer, before
	 * the path is selected: such answers are to leave from there already. Nothing that was
	 * selected is changed by it. NULL: they do so anyway.
	 */
	void (*path_expect)(WiceProxyPath *path, const WiceEndpoint *remote);
	/*
	 * Where the newest request to the path's ufrag came from, -ENOENT if there was none. It is
	 * not authenticated: believe it only once the ICE agent has said that a check was
	 * (WiceIceEvents.on_check). NULL: the mechanism does not see requests.
	 */
	int (*path_heard)(WiceProxyPath *path, WiceEndpoint *ret_source);
	/*
	 * A path over a relay. From now on WireGuard gets what comes in over the channel: by
	 * itself, or by path_input with what the TURN client's own reading found: the data without
	 * the channel's header, which is in the memory right before it and may, as the data, be
	 * written over. path_free and select (remote is not
	 * looked at) are as for others, path_wire, path_send, path_expect and path_heard are not
	 * called for it. -ENOTSUP: not with this channel (a stream, say). NULL: this mechanism has
	 * none.
	 */
	int (*path_new_relayed)(WiceProxyPeer *peer, const WiceProxyChannel *channel,
				WiceProxyPath **ret_path);
	/*
	 * Where WireGuard hears the peer over a relayed path, selected or not: the peer may begin.
	 * NULL: it hears it at the same endpoint over all paths.
	 */
	void (*path_heard_at)(WiceProxyPath *path, WiceEndpoint *ret_endpoint);
	/*
	 * As long as there is a relayed path over a socket (fd), the mechanism receives from it,
	 * in batches and with offload, and nobody else may; what is not ChannelData of its paths
	 * goes to stun. Else the TURN client goes on receiving.
	 */
	bool reads_relayed;
};

#endif
