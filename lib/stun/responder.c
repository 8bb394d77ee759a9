/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "stun/responder.h"

#include "stun/attributes.h"
#include "stun/integrity.h"
#include "stun/message.h"

size_t wice__stun_respond(const uint8_t *packet, size_t len, const WiceEndpoint *source,
			  uint8_t ret_response[WICE_STUN_RESPONSE_MAX])
{
	WiceStunMessage request;
	WiceStunWriter writer;
	size_t response_len;
	if (wice__stun_message_read(&request, packet, len) != 0 ||
	    request.message_class != WICE_STUN_REQUEST || request.method != WICE_STUN_BINDING ||
	    (request.fingerprint && wice__stun_check_fingerprint(&request) != 0))
		return 0;

	WiceStunClass message_class = request.n_unknown ? WICE_STUN_ERROR : WICE_STUN_SUCCESS;
	wice__stun_writer_init_reply(&writer, ret_response, WICE_STUN_RESPONSE_MAX, message_class,
				     &request);
	if (request.n_unknown) {
		wice__stun_write_error(&writer, WICE_STUN_ERROR_UNKNOWN_ATTRIBUTE, NULL);
		wice__stun_write_types(&writer, request.unknown, request.n_unknown);
	} else {
		wice__stun_write_address(&writer,
					 request.has_cookie ? WICE_STUN_XOR_MAPPED_ADDRESS
							    : WICE_STUN_MAPPED_ADDRESS,
					 source);
	}
	if (request.has_cookie && request.fingerprint)
		wice__stun_write_fingerprint(&writer);
	return wice__stun_writer_finish(&writer, &response_len) == 0 ? response_len : 0;
}
