/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "stun/consent.h"

#include <string.h>

#include "stun/attributes.h"
#include "stun/integrity.h"

/* Of a peer-reflexive candidate (RFC 8445 section 5.1.2): nobody makes one of a known address. */
#define PRIORITY 0x6e0001ffu

static void write_username(WiceStunWriter *writer, const char *own, const char *remote)
{
	size_t own_len = strlen(own), remote_len = strlen(remote);
	uint8_t *name = wice__stun_writer_add(writer, WICE_STUN_USERNAME, remote_len + 1 + own_len);
	if (!name)
		return;
	memcpy(name, remote, remote_len);
	name[remote_len] = ':';
	memcpy(name + remote_len + 1, own, own_len);
}

static size_t seal(WiceStunWriter *writer, const WiceStunKey *key)
{
	size_t len;
	wice__stun_write_integrity(writer, key);
	wice__stun_write_fingerprint(writer);
	return wice__stun_writer_finish(writer, &len) == 0 ? len : 0;
}

size_t wice__consent_ask(const uint8_t id[WICE_CONSENT_ID_LEN], const char *own_ufrag,
			 const char *remote_ufrag, const WiceStunKey *key,
			 uint8_t ret_request[WICE_CONSENT_MAX])
{
	WiceStunWriter writer;
	uint8_t transaction[WICE_STUN_TRANSACTION_LEN];
	if (strlen(own_ufrag) >= WICE_CONSENT_UFRAG_SIZE ||
	    strlen(remote_ufrag) >= WICE_CONSENT_UFRAG_SIZE)
		return 0;
	wice__stun_put_u32(transaction, WICE_STUN_COOKIE);
	memcpy(transaction + 4, id, WICE_CONSENT_ID_LEN);
	wice__stun_writer_init(&writer, ret_request, WICE_CONSENT_MAX, WICE_STUN_REQUEST,
			       WICE_STUN_BINDING, transaction);
	write_username(&writer, own_ufrag, remote_ufrag);
	wice__stun_write_u32(&writer, WICE_STUN_PRIORITY, PRIORITY);
	wice__stun_write_u64(&writer, WICE_STUN_ICE_CONTROLLING, UINT64_MAX);
	return seal(&writer, key);
}

static bool is_binding(const uint8_t *packet, size_t len, WiceStunClass message_class,
		       WiceStunMessage *ret_message)
{
	return wice__stun_message_read(ret_message, packet, len) == 0 &&
	       ret_message->message_class == message_class &&
	       ret_message->method == WICE_STUN_BINDING && ret_message->has_cookie &&
	       wice__stun_check_fingerprint(ret_message) == 0;
}

bool wice__consent_is_answer(const uint8_t *packet, size_t len, const WiceStunKey *key,
			     uint8_t ret_id[WICE_CONSENT_ID_LEN])
{
	WiceStunMessage answer;
	if (!is_binding(packet, len, WICE_STUN_SUCCESS, &answer) ||
	    wice__stun_check_integrity(&answer, key) != 0)
		return false;
	memcpy(ret_id, wice__stun_message_transaction(&answer) + 4, WICE_CONSENT_ID_LEN);
	return true;
}

bool wice__consent_is_asked(const uint8_t *packet, size_t len, WiceSpan *ret_own_ufrag)
{
	WiceStunMessage request;
	WiceSpan name;
	if (!is_binding(packet, len, WICE_STUN_REQUEST, &request) ||
	    wice__stun_read_bytes(&request, WICE_STUN_USERNAME, &name) != 0)
		return false;
	const uint8_t *begin = name.data, *colon = memchr(begin, ':', name.len);
	if (!colon)
		return false;
	*ret_own_ufrag = (WiceSpan){ begin, (size_t)(colon - begin) };
	return true;
}

size_t wice__consent_answer(const uint8_t *packet, size_t len, const WiceStunKey *key,
			    const WiceEndpoint *source, uint8_t ret_answer[WICE_CONSENT_MAX])
{
	WiceStunMessage request;
	WiceStunWriter writer;
	if (!is_binding(packet, len, WICE_STUN_REQUEST, &request) || request.n_unknown ||
	    wice__stun_check_integrity(&request, key) != 0)
		return 0;
	wice__stun_writer_init_reply(&writer, ret_answer, WICE_CONSENT_MAX, WICE_STUN_SUCCESS,
				     &request);
	wice__stun_write_address(&writer, WICE_STUN_XOR_MAPPED_ADDRESS, source);
	return seal(&writer, key);
}
