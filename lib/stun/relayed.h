/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_STUN_RELAYED_H
#define WICE_STUN_RELAYED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How WireGuard's messages travel in ChannelData. The TC programs (proxy/bpf/relayed.bpf.c) do the
 * same; these are the words of the contract.
 *
 *   standard   header(channel, n) + n bytes as WireGuard made them
 *   in place   header(channel, n - 4) + the n - 4 bytes behind 04 00 00 00; messages of type 4 only
 *
 * On a channel where in place was agreed, what arrives is standard if it is a handshake message of
 * its exact size: 01 00 00 00 and 148 bytes, 02 and 92, 03 and 64; else it is in place. A data
 * message that looks like one would need a receiver index of 1, 2 or 3 and that very size.
 */
#define WICE_RELAYED_HEADER_LEN 4

/* How many bytes ChannelData needs before the packet: 0 (in place) or WICE_RELAYED_HEADER_LEN. */
size_t wice__relayed_growth(const uint8_t *packet, size_t len, bool in_place);
/*
 * Makes ChannelData of a packet with WICE_RELAYED_HEADER_LEN bytes of room before it. Returns where
 * it begins (packet, or the room before), and its length. channel: a number that can be one; len:
 * at most 65,503.
 */
uint8_t *wice__relayed_wrap(uint8_t *packet, size_t len, uint16_t channel, bool in_place,
			    size_t *ret_len);
/*
 * Makes WireGuard's packet of the data of a ChannelData message, whose header is right before it
 * and may be written over. Returns where it begins, or NULL, with nothing written, if it is not one
 * of WireGuard's.
 */
uint8_t *wice__relayed_restore(uint8_t *data, size_t len, bool in_place, size_t *ret_len);

#endif
