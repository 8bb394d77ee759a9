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
 * leaving the driver. Native XDP, else generic XDP, else TC; whichever the device takes and a
 * packet of our own passes through (probed). What they do not know goes up to the sockets: control
 * messages, misses in the maps, in the routes or neighbours, fragments, options, padding.
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

typedef struct {
	WiceEndpoint client, server; /* the five-tuple that the client speaks over; UDP */
	uint16_t channel;
	WiceEndpoint relayed, peer;
} WiceXdpChannel;

/* Errors, as sentences for users: PERMISSION, UNSUPPORTED, IO. */
WiceXdp *wice__xdp_new(GMainContext *context, const WiceXdpOptions *options, GError **error);
/* Detaches everything. NULL is fine. */
void wice__xdp_free(WiceXdp *xdp);
/* "native", "generic", "tc" of a device; NULL: it is not attached there. */
const char *wice__xdp_mode(const WiceXdp *xdp, unsigned ifindex);
/*
 * For people: what it is attached to and how, "eth0 (native), eth1 (generic)". Valid until the next
 * call.
 */
const char *wice__xdp_describe(WiceXdp *xdp);

/* From the next packet on. Again and again is fine. -ENOSPC: userspace will do it. */
int wice__xdp_add(WiceXdp *xdp, const WiceXdpChannel *channel);
void wice__xdp_remove(WiceXdp *xdp, const WiceXdpChannel *channel);
/* Totals since it was added; to_peer, to_client may be NULL. -ENOENT. */
int wice__xdp_counters(const WiceXdp *xdp, const WiceXdpChannel *channel, WiceXdpCount *to_peer,
		       WiceXdpCount *to_client);

#endif
