/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_PROXY_PORT_SHARE_H
#define WICE_PROXY_PORT_SHARE_H

#include <stdint.h>

/*
 * Opens a second socket on the address and port that the bound UDP socket fd has, which from then
 * on receives WireGuard packets and STUN packets with the tag of stun/probe.h in fd's stead. fd is
 * left as it was but for SO_REUSEPORT. What is sent from the new one has a time to live of one less
 * than what is sent from fd: see "Receive offload" in user_io.c. At most one such socket per fd at
 * a time.
 *
 * -ENOTSUP when the kernel cannot do it; -EPERM when fwmark (0: none) may not be set.
 */
int wice__port_share_open(int fd, uint32_t fwmark, int *ret_fd);

#endif
