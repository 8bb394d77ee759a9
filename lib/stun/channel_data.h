/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_STUN_CHANNEL_DATA_H
#define WICE_STUN_CHANNEL_DATA_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/mac.h"

/*
 * ChannelData, what a TURN client and server wrap packets in once a channel is bound (RFC 8656
 * §12.4).
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |         Channel Number        |            Length             |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |                       Application Data                        |
 *
 * The first byte, 0x40 to 0x4f, tells it from STUN (0x00 to 0x3f) and from WireGuard (0x01 to 0x04
 * and three zeros); RFC 7983. On a stream it is padded to a multiple of 4, on UDP it need not be
 * (§12.5).
 */
#define WICE_CHANNEL_DATA_HEADER_LEN 4
#define WICE_CHANNEL_MIN 0x4000 /* RFC 8656 §12 */
#define WICE_CHANNEL_MAX 0x4fff
/* RFC 5766 section 11 let clients use more, and those of coturn 4.6 still do. */
#define WICE_CHANNEL_MAX_READ 0x7fff

/*
 * Reads a datagram, with or without padding, of a channel up to WICE_CHANNEL_MAX_READ. -EBADMSG if it is no ChannelData, its length does not
 * fit, or more follows than padding. ret_data points into the packet.
 */
int wice__channel_data_read(const uint8_t *packet, size_t len, uint16_t *ret_channel,
			    WiceSpan *ret_data);
/* Writes the header that goes before len bytes. -EINVAL for a channel or length that cannot be. */
int wice__channel_data_write(uint8_t ret_header[WICE_CHANNEL_DATA_HEADER_LEN], uint16_t channel,
			     size_t len);
/* How many bytes of padding a stream needs behind len bytes of data. */
size_t wice__channel_data_padding(size_t len);

/*
 * The size of the STUN message or (padded) ChannelData that a TCP or TLS stream begins with.
 * -EAGAIN if more bytes are needed to tell, -EBADMSG if it is neither, so that the stream cannot be
 * used any longer.
 */
int wice__stun_frame_size(const uint8_t *stream, size_t len, size_t *ret_size);

#endif
