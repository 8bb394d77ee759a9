/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_BIND_H
#define WICE_BIND_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/addr.h>
#include <wice/key.h>
#include <wice/macros.h>

WICE_BEGIN_DECLS

/*
 * A bind is the transport of an engine: what carries WireGuard's encrypted packets to peers and
 * back. The library has UDP sockets and a pair in memory; others can be written against this
 * contract, for which tests/conformance/bind is the test.
 *
 * Threads. open() and close() are never called while another hook runs. receive() of a queue is
 * called by one thread at a time; those of different queues at once. send(), route() and
 * set_fwmark() may be called by any thread at any time between open() and close(). No hook blocks:
 * where the system takes no more packets for the moment, they are dropped, as a network would.
 * While it is not open, receive() and send() return -ENOTCONN and poll_fd() -1.
 */
typedef struct WiceBind WiceBind;

/* Where a packet came from, and where packets of a peer go to. A value: copied, never owned. */
typedef struct {
	WiceEndpoint remote; /* what is shown; cookies and limits are about it */
	/* The address that packets go out from, and the interface that has it. NONE: the system chooses. */
	WiceAddress local;
	uint32_t ifindex;
	/* Which of the bind's ways to the remote; 0: its own sockets. What others mean is the bind's. */
	uint32_t channel;
} WiceBindPath;

/* Bytes to be sent. The bind may write into the headroom that it has asked for, before data. */
typedef struct {
	uint8_t *data;
	uint32_t length;
} WiceBindPacket;

/*
 * Bytes that came. With a segment size it is several packets of one sender, one after the other:
 * each has that many bytes, but for the last, which may have fewer.
 */
typedef struct {
	uint8_t *data; /* the receiver may change what it holds */
	uint32_t length;
	uint32_t segment; /* 0: one packet */
	WiceBindPath path;
} WiceBindDatagram;

/* Since the bind was made. */
typedef struct {
	uint64_t rx_packets, rx_calls; /* calls of the system, to see what batching gains */
	uint64_t tx_packets, tx_calls;
	uint64_t tx_dropped;     /* the system did not take them */
	uint64_t rx_truncated;   /* longer than any packet may be */
	uint64_t gso_fallbacks;  /* the system refused several packets in one call */
	uint64_t source_cleared; /* a local address that is no more */
} WiceBindCounters;

typedef struct {
	const char *name;  /* for messages: "udp" */
	uint32_t headroom; /* bytes before each packet that send() may use; at most 32 */

	/*
	 * Begins to receive at a port, 0: any. n_queues: how many threads would receive; the bind
	 * says how many it has, 1 to that many. A bind that was closed can be opened again.
	 * -EADDRINUSE: the port is taken; -EPERM: not allowed to set the mark; -EALREADY: is open.
	 */
	int (*open)(WiceBind *bind, uint16_t port, uint32_t fwmark, unsigned n_queues,
		    uint16_t *ret_port, unsigned *ret_n_queues);
	/* Stops receiving and forgets every path. Nothing happens if it is not open. */
	void (*close)(WiceBind *bind);
	/* Is readable as long as receive() of this queue has something. Valid until close(). */
	int (*poll_fd)(WiceBind *bind, unsigned queue);
	/*
	 * Returns the number of datagrams, 1 to n, or -EAGAIN: there is none now, or wait for
	 * poll_fd(), which ends at once if there is. Other errors are lasting: the bind must be
	 * opened anew. What datagrams point to is valid until the next call for the queue.
	 */
	int (*receive)(WiceBind *bind, unsigned queue, WiceBindDatagram *datagrams, size_t n);
	/*
	 * Sends n packets, in order, over a path. Returns how many were sent, or -errno if not one
	 * could be. A local address that the system refuses is cleared in path and done without.
	 */
	int (*send)(WiceBind *bind, WiceBindPath *path, const WiceBindPacket *packets, size_t n);
	/* The path to an address that a user has set, or that came from elsewhere than receive(). */
	void (*route)(WiceBind *bind, const WiceEndpoint *remote, WiceBindPath *ret_path);
	/* Marks everything that is sent from now on (SO_MARK), 0: does not. -EPERM as in open(). */
	int (*set_fwmark)(WiceBind *bind, uint32_t fwmark);
	/*
	 * A peer has proven that it is at the other end of a path that it was not at before. May be
	 * NULL. Called between open() and close(), one call at a time, with locks of the engine
	 * held: no function of the engine may be called.
	 */
	void (*authenticated)(WiceBind *bind, const WiceBindPath *path, const WiceKey *peer);
	/* Any thread, also when it is closed. */
	void (*counters)(WiceBind *bind, WiceBindCounters *ret_counters);
	/* Closes and frees. */
	void (*free)(WiceBind *bind);
} WiceBindOps;

/* Implementations embed this as their first member. */
struct WiceBind {
	const WiceBindOps *ops;
};

typedef struct {
	size_t size; /* sizeof(WiceBindUdpOptions) */
	/*
	 * Called with each socket before it is used (Android: VpnService.protect()). False: it must
	 * not be used, open() fails with -EPERM.
	 */
	bool (*protect)(int fd, void *user_data);
	void *user_data;
	bool no_segmentation; /* UDP_SEGMENT and UDP_GRO stay off */
	bool no_sticky;       /* the source address is the system's choice each time */
} WiceBindUdpOptions;

/*
 * UDP sockets, IPv4 and IPv6 on one port; one of the two where the system has no other. options may
 * be NULL. Channels can be added: other sockets of the process that lead to a peer.
 */
WICE_API WiceBind *wice_bind_udp_new(const WiceBindUdpOptions *options) WICE_WARN_UNUSED;

/*
 * Two binds, each of which receives what the other sends: for tests, and for engines of one process.
 * They are at 127.0.0.1; what is sent to the port that the other has open arrives there, whatever the
 * address, all else is lost. Bounded: 1,024 packets wait, what comes then is dropped.
 */
WICE_API void wice_bind_pair_new(WiceBind **ret_a, WiceBind **ret_b);

/*
 * One more socket of a UDP bind, connected to nobody: packets that come in there are received with
 * its number as their path's channel, and what goes to such a path is sent from it. fd is
 * duplicated; nobody else may receive from the socket, whose buffers, offloads and, if there is one,
 * mark are set. Any thread; it works from now on, and over close() and open(), until it is removed.
 * -ENFILE: there are 65,535; -EINVAL: no UDP socket; -EOPNOTSUPP: no UDP bind.
 */
WICE_API int wice_bind_udp_add_channel(WiceBind *bind, int fd, uint32_t *ret_channel);
/* Packets to its paths are dropped from now on, and no route leads there any more. */
WICE_API void wice_bind_udp_remove_channel(WiceBind *bind, uint32_t channel);
/*
 * A peer behind a relay (TURN, RFC 8656), over a channel whose socket is a TURN client's. One that
 * is in_place has agreed with the peer that a data message travels with the header of ChannelData
 * instead of its first word, so that nothing grows; other messages travel behind the header.
 */
typedef struct {
	size_t size;         /* sizeof(WiceBindRelayed) */
	uint32_t carrier;    /* the channel; its address family is the relay's, or both */
	WiceEndpoint server; /* the relay */
	uint16_t number;     /* of the relay's channel to the peer: 0x4000 to 0x4fff */
	bool in_place;
	WiceEndpoint remote; /* what the peer is shown as: of no other way of the bind */
} WiceBindRelayed;

/*
 * A channel to such a peer: what goes to its path is sent to the relay as ChannelData, and what
 * comes from there for it is received with its number and remote. All else that comes to the
 * carrier's socket is treated as before, so that what is the TURN client's goes to the foreign
 * function, with the carrier's number. Of several with the same carrier and number the newest
 * receives. It is removed as any channel is, and with its carrier. Any thread. -ENOENT: there is no
 * such carrier; -EINVAL: no number of a channel; -ENFILE, -EOPNOTSUPP as above.
 */
WICE_API int wice_bind_udp_add_relayed(WiceBind *bind, const WiceBindRelayed *relayed,
				       uint32_t *ret_channel);
/* From now on route() leads to remote over the channel, 0: no longer. At most one per address. */
WICE_API void wice_bind_udp_set_route(WiceBind *bind, const WiceEndpoint *remote, uint32_t channel);
/*
 * Packets in a channel that are not WireGuard's (STUN) go to func, on the receiving thread; NULL:
 * are dropped. data is valid during the call. One call at a time; the former function is not called
 * any more when this returns. func must not call it.
 */
typedef void (*WiceBindForeignFunc)(uint32_t channel, const WiceEndpoint *source,
				    const uint8_t *data, size_t length, void *user_data);
WICE_API void wice_bind_udp_set_foreign(WiceBind *bind, WiceBindForeignFunc func, void *user_data);

/* Closes and frees any bind. NULL is fine. */
WICE_API void wice_bind_free(WiceBind *bind);

WICE_END_DECLS

#endif
