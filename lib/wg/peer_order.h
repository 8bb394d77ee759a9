/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_PEER_ORDER_H
#define WICE_WG_PEER_ORDER_H

#include <stddef.h>
#include <stdint.h>
#include <wice/device.h>

/*
 * The numbers of the peers, sorted by public key, and by number where keys are equal. At most
 * WICE_DEVICE_PEERS_MAX. The caller frees them with g_free().
 */
uint32_t *wice__peer_order(const WiceDevicePeer *peers, size_t n);

#endif
