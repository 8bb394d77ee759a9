/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TURNSERVER_XDP_FORWARDING_H
#define WICE_TURNSERVER_XDP_FORWARDING_H

#include <stdbool.h>

/*
 * The kernel tells programs about routes only from the point of view of a device that forwards.
 * Ours ask as from the loopback device: it is what the host's own packets are routed from, and the
 * only one on which forwarding means nothing else. No packet of others comes in there, and the host
 * does not become a router, for which it would stop to believe router advertisements. So this one
 * switch per family is turned on (net.ipv4.conf.lo.forwarding, net.ipv6.conf.lo.forwarding), and
 * put back in the end. What a killed process has left on does no harm.
 */
typedef struct {
	bool on[2];      /* by family: IPv4, IPv6 */
	bool changed[2]; /* by us */
} WiceXdpForwarding;

/*
 * Turns on what is off, in the network namespace of this thread; again and again is fine. on says
 * how it went. It begins as zeros.
 */
void wice__xdp_forwarding_enable(WiceXdpForwarding *forwarding);
/* Turns off what it has turned on. */
void wice__xdp_forwarding_restore(WiceXdpForwarding *forwarding);

#endif
