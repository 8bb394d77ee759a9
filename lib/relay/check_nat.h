/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_RELAY_CHECK_NAT_H
#define WICE_RELAY_CHECK_NAT_H

#include <glib.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/addr.h>
#include <wice/status.h>

/*
 * How the NAT that this host is behind maps one port towards servers of one family (RFC 4787
 * section 4.1; RFC 5780 section 4.3): asks them all from one socket.
 */
typedef struct WiceCheckNat WiceCheckNat;

/* done is called once, from the main loop, within seconds; it may free. */
WiceCheckNat *wice__check_nat_new(GMainContext *context, WiceFamily family, uint32_t fwmark,
				  const WiceEndpoint *servers, size_t n,
				  void (*done)(void *user_data), void *user_data);
/* NULL is fine. */
void wice__check_nat_free(WiceCheckNat *nat);
WiceFamily wice__check_nat_family(const WiceCheckNat *nat);
WiceNatMapping wice__check_nat_mapping(const WiceCheckNat *nat);

#endif
