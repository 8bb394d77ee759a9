/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "stun/relayed.h"

#include <string.h>

#include "stun/channel_data.h"

/* WireGuard's messages: https://www.wireguard.com/protocol/ */
#define MIN_DATA_LEN 32 /* a keepalive */

static const uint8_t data_type[4] = { 4 };

static bool has_type(const uint8_t *message, uint8_t type)
{
	const uint8_t word[4] = { type };
	return memcmp(message, word, sizeof word) == 0;
}

static bool is_handshake(const uint8_t *message, size_t len)
{
	switch (len) {
	case 148:
		return has_type(message, 1);
	case 92:
		return has_type(message, 2);
	case 64:
		return has_type(message, 3);
	}
	return false;
}

static bool is_data(const uint8_t *message, size_t len)
{
	return len >= MIN_DATA_LEN && has_type(message, data_type[0]);
}

size_t wice__relayed_growth(const uint8_t *packet, size_t len, bool in_place)
{
	return in_place && is_data(packet, len) ? 0 : WICE_RELAYED_HEADER_LEN;
}

uint8_t *wice__relayed_wrap(uint8_t *packet, size_t len, uint16_t channel, bool in_place,
			    size_t *ret_len)
{
	size_t total = len + wice__relayed_growth(packet, len, in_place);
	uint8_t *begin = packet + len - total;
	wice__channel_data_write(begin, channel, total - WICE_RELAYED_HEADER_LEN);
	*ret_len = total;
	return begin;
}

uint8_t *wice__relayed_restore(uint8_t *data, size_t len, bool in_place, size_t *ret_len)
{
	uint8_t *packet = data;
	if (in_place && !is_handshake(data, len)) {
		packet -= sizeof data_type;
		len += sizeof data_type;
		if (len < MIN_DATA_LEN)
			return NULL;
		memcpy(packet, data_type, sizeof data_type);
	} else if (!is_handshake(data, len) && !is_data(data, len)) {
		return NULL;
	}
	*ret_len = len;
	return packet;
}
