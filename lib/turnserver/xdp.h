/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TURNSERVER_XDP_H
#define WICE_TURNSERVER_XDP_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <wice/addr.h>

/*
 * The fast path of the relay: programs on the network devices that turn ChannelData of a client
 * into UDP of its peer and back, or into ChannelData of another client of this relay, without
 * leaving the driver. Native XDP, else generic XDP, else TC: the first that the device takes and
 * that others' packets can also be sent by. What they do not know goes up to the sockets, as it
 * came: control messages, misses in the maps, in the routes or neighbours, fragments, options,
 * padding, a checksum that is left to a device; and of each flow a packet in 15 s, so that the
 * kernel hears of neighbours that are in use. Between these, nobody counts packets but the
 * programs.
 *
 * Only devices with Ethernet headers are used, but the loopback one.
 */
typedef struct WiceXdp WiceXdp;

typedef enum {
	WICE_XDP_BEST = 0,
	WICE_XDP_NATIVE,
	WICE_XDP_GENERIC,
	WICE_XDP_TC,
} WiceXdpMode;

typedef struct {
	size_t size;
	WiceXdpMode mode;
	const char *const *devices; /* NULL: all uplinks (event/uplinks.h), which are followed */
	uint32_t max_channels;      /* 0: 65536 */
} WiceXdpOptions;

/* Of one direction of a channel. */
typedef struct {
	uint64_t packets, bytes; /* bytes of the data */
} WiceXdpCount;

/*
 * Addresses and ports are those of packets on the wire, at this host: where it is behind a NAT or
 * shares another's port, not what the client was told or a socket is bound to. None is a wildcard.
 */
typedef struct {
	WiceEndpoint client, server; /* the five-tuple that the client speaks over; UDP */
	uint16_t channel;
	WiceEndpoint relayed, peer;
} WiceXdpChannel;

/*
 * Of this thread's network namespace. options: NULL for all defaults. Errors, as sentences for
 * users: PERMISSION, UNSUPPORTED, IO; also if there are devices and none takes a program. Turns on
 * forwarding for the loopback device alone, without which the kernel tells programs no routes.
 */
WiceXdp *wice__xdp_new(GMainContext *context, const WiceXdpOptions *options, GError **error);
/* Detaches everything. NULL is fine. */
void wice__xdp_free(WiceXdp *xdp);
/* "native", "generic", "tc" of a device; NULL: it is not attached there. */
const char *wice__xdp_mode(const WiceXdp *xdp, unsigned ifindex);
/*
 * For people: what it is attached to and how, "eth0 (native), eth1 (tc, another program has XDP)",
 * and what is in its way. Valid until the next call.
 */
const char *wice__xdp_describe(WiceXdp *xdp);

/*
 * From the next packet on. Again and again is fine: counters go on. -ENOSPC, or another -errno:
 * userspace will do it; -EINVAL is no such channel, or has link-local addresses.
 */
int wice__xdp_add(WiceXdp *xdp, const WiceXdpChannel *channel);
/* What is not there is fine. */
void wice__xdp_remove(WiceXdp *xdp, const WiceXdpChannel *channel);
/*
 * Totals since it was added, of what has not gone up; to_peer, to_client may be NULL. -ENOENT, also
 * after it was removed: ask before.
 */
int wice__xdp_counters(const WiceXdp *xdp, const WiceXdpChannel *channel, WiceXdpCount *to_peer,
		       WiceXdpCount *to_client);

#endif
