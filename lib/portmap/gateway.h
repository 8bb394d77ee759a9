/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_PORTMAP_GATEWAY_H
#define WICE_PORTMAP_GATEWAY_H

#include <stdint.h>
#include <wice/addr.h>

/* The router that packets to the Internet go to. */
typedef struct {
	WiceAddress address; /* in IPv6, mostly a link-local one */
	uint32_t ifindex;    /* the interface that it is behind */
	WiceAddress local;   /* the address that such packets have */
} WiceGateway;

/*
 * Finds that of this network namespace for packets marked with fwmark (0: none). -ENETUNREACH if
 * there is none, or one without an address (point-to-point links); other -errno.
 */
int wice__gateway_find(WiceFamily family, uint32_t fwmark, WiceGateway *ret_gateway);

#endif
