/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_PROXY_BPF_MUX_H
#define WICE_PROXY_BPF_MUX_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <wice/addr.h>

#include "proxy/bpf/relayed.h"
#include "proxy/proxy.h"

/*
 * Puts UDP sockets of this process on WireGuard's port, as seen from outside: TC programs
 * (mux.bpf.c) on every uplink of the network namespace.
 *
 *   socket 192.0.2.1:40123  --egress--   192.0.2.1:51820  --->
 *                                        192.0.2.1:51820  <---  01..04 00 00 00: WireGuard, untouched
 *   the socket of the request    <--ingress--  STUN response, by its transaction id
 *   the agent with that ufrag    <--ingress--  STUN request, by the USERNAME
 *   WireGuard, which drops it    <--ingress--  anything else, untouched
 *
 * There is one mux per process and namespace, for all of its interfaces. Muxes of several processes
 * and the filters of others share an uplink: ours never end the walk through the others.
 *
 * tcx links where the kernel has them (6.6): they end with the process, however it ends. Else
 * filters of a clsact qdisc, in a slot (a handle) that a process claims for as long as it lives;
 * the next start removes those of slots that nobody claims. A program whose process has not been
 * heard of for 30 s rewrites nothing, so what a crash leaves behind does no harm until then
 * either.
 */
typedef struct WiceBpfMux WiceBpfMux;

typedef struct {
	size_t size;
	WiceBpfAttach attach;
	uint32_t max_agents; /* 0: 16384 addresses of ICE agents (one per agent and address) */
	uint32_t max_transactions; /* 0: 16384; the least recently used one goes */
} WiceBpfMuxOptions;

/* Since the programs were loaded. */
typedef struct {
	uint64_t moved;        /* our sockets' packets that left from WireGuard's port */
	uint64_t responses;    /* given to a socket by their transaction id */
	uint64_t requests;     /* given to an agent by its ufrag */
	uint64_t unattributed; /* STUN to WireGuard's port that is nobody's; passed on */
} WiceBpfMuxCounters;

/*
 * Loads the programs and attaches them to the uplinks, which it follows from then on. options NULL:
 * defaults. Errors, as sentences for users: PERMISSION (CAP_BPF and CAP_NET_ADMIN are needed),
 * UNSUPPORTED (this kernel cannot do it, or libwice was built without it), IO.
 */
WiceBpfMux *wice__bpf_mux_new(GMainContext *context, const WiceBpfMuxOptions *options,
			      GError **error);
/* Detaches everything. All proxies on it must have been freed. NULL is fine. */
void wice__bpf_mux_free(WiceBpfMux *mux);

/* "tcx" or "clsact". */
const char *wice__bpf_mux_attached_by(const WiceBpfMux *mux);
/* The mux's: what stays in the kernel of what goes over relays. */
WiceBpfRelayed *wice__bpf_mux_relayed(const WiceBpfMux *mux);
/* The number of devices that the programs are attached to. */
size_t wice__bpf_mux_n_uplinks(const WiceBpfMux *mux);
void wice__bpf_mux_counters(const WiceBpfMux *mux, WiceBpfMuxCounters *ret);

/*
 * Puts a socket on wg_port, of which there may be several: local is what it is bound to (an
 * address of zeros: the wildcard). ufrag: WICE_ICE_OWN_UFRAG_LEN characters of the agent whose
 * requests it gets, NULL: none. -EEXIST: that local endpoint or ufrag is there; -ENOSPC.
 */
int wice__bpf_mux_add(WiceBpfMux *mux, uint16_t wg_port, const WiceEndpoint *local,
		      const char *ufrag);
/*
 * The same for a socket that only asks: what others send from an equal port is left alone, though
 * local may be the wildcard and they in another network namespace (macvlan, ipvlan). Also: what
 * getsockopt() returns.
 */
int wice__bpf_mux_add_asker(WiceBpfMux *mux, uint16_t wg_port, const WiceEndpoint *local, int fd);
/*
 * What a relay sends to wg_port and is neither WireGuard's nor an answer (ChannelData, indications)
 * goes to the socket with this port, which was added as an asker. -EEXIST: to another one; -ENOSPC.
 */
int wice__bpf_mux_add_relay(WiceBpfMux *mux, uint16_t wg_port, const WiceEndpoint *server,
			    uint16_t socket_port);
/* What was not added is ignored. */
void wice__bpf_mux_remove_relay(WiceBpfMux *mux, uint16_t wg_port, const WiceEndpoint *server);
/*
 * A TURN server on wg_port: what comes there from strangers (STUN for no agent, ChannelData) goes to
 * this socket, bound to the wildcard of its family, and what it sends leaves from wg_port. -EEXIST.
 */
int wice__bpf_mux_add_server(WiceBpfMux *mux, uint16_t wg_port, const WiceEndpoint *local, int fd);
/* What was not added is ignored. */
void wice__bpf_mux_remove_server(WiceBpfMux *mux, uint16_t wg_port, const WiceEndpoint *local);
/*
 * Requests to that ufrag at that address go to the socket with this port, which was added as an
 * asker: for an agent whose own socket is closed. -EEXIST: that ufrag is there; -ENOSPC.
 */
int wice__bpf_mux_add_ufrag(WiceBpfMux *mux, uint16_t wg_port, const WiceEndpoint *local,
			    const char *ufrag);
/* What was not added is ignored. */
void wice__bpf_mux_remove_ufrag(WiceBpfMux *mux, uint16_t wg_port, const WiceEndpoint *local,
				const char *ufrag);
/* With the same values, ufrag NULL after add_asker. What was not added is ignored. */
void wice__bpf_mux_remove(WiceBpfMux *mux, uint16_t wg_port, const WiceEndpoint *local,
			  const char *ufrag);
/* As WiceProxyOps.path_heard. */
int wice__bpf_mux_heard(const WiceBpfMux *mux, uint16_t wg_port, const WiceEndpoint *local,
			const char *ufrag, WiceEndpoint *ret_source);

/* The mechanism `bpf` for one interface. mux stays the caller's and must live longer. */
WiceProxy *wice__proxy_bpf_new(WiceBpfMux *mux, uint16_t wg_port);
/* Of a relayed path, else -ENOENT; of any mechanism. */
int wice__proxy_bpf_counters(const WiceProxyPath *path, WiceBpfRelayedCounters *ret_counters);

#endif
