/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "stun/channel_data.h"

#include <errno.h>
#include <stdbool.h>

#include "stun/message.h"

static bool is_channel(uint16_t number)
{
	return number >= WICE_CHANNEL_MIN && number <= WICE_CHANNEL_MAX_READ;
}

size_t wice__channel_data_padding(size_t len)
{
	return (4 - len % 4) % 4;
}

int wice__channel_data_read(const uint8_t *packet, size_t len, uint16_t *ret_channel,
			    WiceSpan *ret_data)
{
	if (len < WICE_CHANNEL_DATA_HEADER_LEN || !is_channel(wice__stun_get_u16(packet)))
		return -EBADMSG;
	size_t room = len - WICE_CHANNEL_DATA_HEADER_LEN;
	size_t data_len = wice__stun_get_u16(packet + 2);
	if (data_len > room || room - data_len > wice__channel_data_padding(data_len))
		return -EBADMSG;
	*ret_channel = wice__stun_get_u16(packet);
	*ret_data = (WiceSpan){ packet + WICE_CHANNEL_DATA_HEADER_LEN, data_len };
	return 0;
}

int wice__channel_data_write(uint8_t ret_header[WICE_CHANNEL_DATA_HEADER_LEN], uint16_t channel,
			     size_t len)
{
	if (!is_channel(channel) || channel > WICE_CHANNEL_MAX || len > UINT16_MAX)
		return -EINVAL;
	wice__stun_put_u16(ret_header, channel);
	wice__stun_put_u16(ret_header + 2, (uint16_t)len);
	return 0;
}

int wice__stun_frame_size(const uint8_t *stream, size_t len, size_t *ret_size)
{
	if (len < 4)
		return -EAGAIN;
	size_t body = wice__stun_get_u16(stream + 2);
	if (is_channel(wice__stun_get_u16(stream)))
		*ret_size = WICE_CHANNEL_DATA_HEADER_LEN + body + wice__channel_data_padding(body);
	else if (!(stream[0] & 0xc0) && body % 4 == 0)
		*ret_size = WICE_STUN_HEADER_LEN + body;
	else
		return -EBADMSG;
	return 0;
}
