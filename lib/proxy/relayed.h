/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_PROXY_RELAYED_H
#define WICE_PROXY_RELAYED_H

#include <stdint.h>
#include <wice/addr.h>

#include "stun/relayed.h"

/*
 * Which socket a descriptor is (SO_COOKIE): the next one that a relay is connected to by often has
 * the same descriptor. -errno.
 */
int wice__relayed_identify(int fd, uint64_t *ret_socket);
/*
 * Before a socket that was received from with offload goes back to its owner, who receives one
 * packet at a time: what is still there may be joined, and is dropped.
 */
void wice__relayed_return_socket(int fd);

/*
 * What WireGuard sees a peer behind a relay as, where it is not a proxy's own address: the server's
 * address with a port that stands for the peer. Several peers behind one relay differ by it, and
 * routes and source addresses are those of the real server. Of 16384..65535 without the server's
 * own; unique among all of this process. 0: none is left. Any thread.
 */
uint16_t wice__relayed_port_take(const WiceEndpoint *server);
/* What was not taken is ignored. */
void wice__relayed_port_give(const WiceEndpoint *server, uint16_t port);

#endif
