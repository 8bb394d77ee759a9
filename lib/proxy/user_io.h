/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_PROXY_USER_IO_H
#define WICE_PROXY_USER_IO_H

/* What user.c (objects and their lifetimes) and user_io.c (packets) share. */
#include <netinet/in.h>

#include "event/source.h"
#include "event/udp.h"
#include "proxy/user.h"

struct WiceUserProxy {
	WiceProxy base;
	GMainContext *context;
	WiceFdWatch *watch; /* of epoll_fd, which has all other descriptors in it */
	int epoll_fd;
	WiceUdpSender wg; /* the socket on WireGuard's side */
	uint16_t port;    /* its port */
	struct sockaddr_in wg_address;
	WiceUdpReceiver *receiver;
	WiceUserEntry **entries; /* by the number of their address; unused ones are NULL */
	size_t capacity, n_entries, cursor;
	WiceUserProxyCounters counters;
	bool dispatching;
	bool freed;            /* to be freed once dispatching is over */
	GSList *retired_paths; /* likewise */
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
	WiceUdpSender out;
	WiceEndpoint local;
	bool shared;
	bool gro;
};

/* Called by the main loop when epoll_fd is readable. */
void wice__user_io_dispatch(int fd, GIOCondition condition, void *proxy);
/* One packet from the network. */
void wice__user_io_input(WiceUserPath *path, const uint8_t *packet, size_t len);
/* Prepares a socket of a path: buffers, options, offloads. */
void wice__user_io_prepare_path(WiceUserPath *path);

/* The number of an address of 127.128.0.0/9, and back. */
#define WICE_USER_ADDRESS_BASE 0x7f800000u
#define WICE_USER_ADDRESS_BITS 23

#endif
