/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/message.h"

_Static_assert(sizeof(WiceMessageInitiation) == 148, "as on the wire");
_Static_assert(sizeof(WiceMessageResponse) == 92, "as on the wire");
_Static_assert(sizeof(WiceMessageCookie) == 64, "as on the wire");
_Static_assert(sizeof(WiceMessageHeader) == 16, "as on the wire");

WiceMessageType wice__message_type(const uint8_t *data, size_t length)
{
	if (length < sizeof(uint32_t))
		return WICE_MESSAGE_INVALID;
	bool fits = false;
	uint32_t type = wice__get_le32(data);
	switch (type) {
	case WICE_MESSAGE_INITIATION:
		fits = length == sizeof(WiceMessageInitiation);
		break;
	case WICE_MESSAGE_RESPONSE:
		fits = length == sizeof(WiceMessageResponse);
		break;
	case WICE_MESSAGE_COOKIE:
		fits = length == sizeof(WiceMessageCookie);
		break;
	case WICE_MESSAGE_TRANSPORT:
		fits = length >= WICE_MESSAGE_MIN_TRANSPORT;
		break;
	}
	return fits ? (WiceMessageType)type : WICE_MESSAGE_INVALID;
}
