/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_PROXY_USER_IO_H
#define WICE_PROXY_USER_IO_H

/* What user.c (objects), user_io.c (packets) and user_relayed.c (those of relays) share. */
#include <netinet/in.h>

#include "event/source.h"
#include "event/udp.h"
#include "proxy/user.h"

/* A socket in epoll_fd, which has pointers to these. */
typedef struct {
	/* Handles a batch; true if there may be more. The owner may have been freed meanwhile. */
	bool (*receive)(void *owner);
	void *owner;
} WiceUserReader;

/* The socket of a TURN client, with all paths over it. */
typedef struct {
	WiceUserProxy *proxy;
	WiceUserReader reader;
	uint64_t id;       /* of the client's socket */
	WiceUdpSender out; /* a duplicate, which outlives a lost allocation's */
	WiceEndpoint server;
	struct sockaddr_storage to; /* likewise */
	socklen_t to_len;
	GSList *paths;        /* newest first; NULL: it has been freed */
	GHashTable *channels; /* the newest path of each */
} WiceUserRelay;

struct WiceUserProxy {
	WiceProxy base;
	GMainContext *context;
	WiceFdWatch *watch; /* of epoll_fd, which has all other descriptors in it */
	int epoll_fd;
	WiceUdpSender wg; /* the socket on WireGuard's side */
	WiceUserReader wg_reader;
	uint16_t port; /* its port */
	struct sockaddr_in wg_address;
	WiceUdpReceiver *receiver;
	WiceUserEntry **entries; /* by the number of their address; unused ones are NULL */
	size_t capacity, n_entries, cursor;
	GSList *relays;
	WiceUserProxyCounters counters;
	bool dispatching;
	bool freed;      /* to be freed once dispatching is over */
	GSList *retired; /* likewise: paths and relays */
};

struct WiceUserEntry {
	WiceProxyPeer base;
	WiceUserProxy *proxy;
	const WiceProxyEvents *events;
	void *user_data;
	WiceEndpoint endpoint;
	struct in_addr address;
	size_t number;
	GSList *paths;
	WiceUserPath *selected;
	bool provisional; /* `selected` is only where WireGuard was last heard from */
	struct sockaddr_storage remote;
	socklen_t remote_len;
	WiceUserCounters counters;
	int first, last; /* the chain of its messages while a batch is sorted; -1: none */
};

struct WiceUserPath {
	WiceProxyPath base;
	WiceUserEntry *entry; /* NULL once the path has been freed */
	WiceUserReader reader;
	WiceUdpSender out; /* fd -1: is relayed */
	WiceEndpoint local;
	bool shared;
	bool gro;
	WiceProxyChannel channel; /* of a relayed one */
	WiceUserRelay *relay;     /* likewise; NULL: a stream */
};

/*
 * Chunks that are collected before they are sent; more than a batch, as an offloaded message may
 * fall apart.
 */
#define WICE_USER_MAX_CHUNKS 128

/* Packets from the network on their way to WireGuard. */
typedef struct {
	WiceUserPath *path; /* that they came by */
	size_t n;
	WiceUdpChunk chunks[WICE_USER_MAX_CHUNKS];
} WiceUserInbound;

/* Called by the main loop when epoll_fd is readable. */
void wice__user_io_dispatch(int fd, GIOCondition condition, void *proxy);
/* One packet from the network. */
void wice__user_io_input(WiceUserPath *path, const uint8_t *packet, size_t len);
/* Prepares a socket of a path: buffers, options, offloads. */
void wice__user_io_prepare_path(WiceUserPath *path);
/* Readers of WireGuard's side (owner: the proxy) and of a path. */
bool wice__user_io_receive_from_wireguard(void *owner);
bool wice__user_io_receive_from_network(void *owner);
/* Takes packets of WireGuard; they must stay where they are until flush, which sends them. */
void wice__user_io_take(WiceUserInbound *inbound, const uint8_t *data, size_t len, size_t segment);
void wice__user_io_flush(WiceUserInbound *inbound);
/*
 * WireGuard's peer was heard over the path, from there (NULL: it is relayed): answers go there as
 * long as nothing is selected.
 */
void wice__user_io_heard(WiceUserPath *path, const WiceUdpReceived *received);

/* Adds a socket. -errno. */
int wice__user_epoll_add(WiceUserProxy *proxy, int fd, WiceUserReader *reader);
/* Frees now, or once dispatching is over. */
void wice__user_retire(WiceUserProxy *proxy, void *object);
/* Before a relayed path is freed. */
void wice__user_relayed_leave(WiceUserPath *path);
/* WireGuard's packets, which are in the memory of a receiver, to the relay. */
void wice__user_relayed_send(WiceUserPath *path, const WiceUdpChunk *chunks, size_t n,
			     WiceUdpSent *sent);
/* The data of a ChannelData message of the path. */
void wice__user_relayed_input(WiceUserPath *path, uint8_t *data, size_t len);
static inline bool wice__user_path_is_relayed(const WiceUserPath *path)
{
	return path->out.fd < 0;
}

/* The number of an address of 127.128.0.0/9, and back. */
#define WICE_USER_ADDRESS_BASE 0x7f800000u
#define WICE_USER_ADDRESS_BITS 23

#endif
