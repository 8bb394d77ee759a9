/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever a stranger sends: the message reader, all attribute readers, the checks, the probe, the
 * responder and ChannelData. What was read is written again in two ways, as bytes and by meaning,
 * and must read the same.
 */
#include <stdlib.h>
#include <string.h>

#include "stun/attributes.h"
#include "stun/channel_data.h"
#include "stun/consent.h"
#include "stun/credentials.h"
#include "stun/integrity.h"
#include "stun/message.h"
#include "stun/probe.h"
#include "stun/responder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)
#define LIST_MAX 16
#define TEXT(text) ((WiceSpan){ (text), sizeof(text) - 1 })

/* The room that a copy needs: what the reader may accept, and closing attributes of our own. */
static uint8_t copy[65536 + 128];

/* Keys that seeds are made with, so that the checks can succeed. */
static const WiceStunKey *known_keys(size_t *ret_n)
{
	static WiceStunKey keys[3];
	static bool made;
	if (!made) {
		WiceSpan matrix =
			TEXT("\xe3\x83\x9e\xe3\x83\x88\xe3\x83\xaa\xe3\x83\x83\xe3\x82\xaf"
			     "\xe3\x82\xb9");
		MUST(wice__stun_key_short_term(&keys[0], TEXT("VOkJxbRl1RmTxUk/WvJxBt")) == 0);
		MUST(wice__stun_key_long_term(&keys[1], WICE_STUN_ALGORITHM_MD5, matrix,
					      TEXT("example.org"), TEXT("TheMatrIX")) == 0);
		MUST(wice__stun_key_long_term(&keys[2], WICE_STUN_ALGORITHM_MD5, TEXT("user"),
					      TEXT("example.org"), TEXT("pass")) == 0);
		made = true;
	}
	*ret_n = sizeof keys / sizeof keys[0];
	return keys;
}

/* One attribute by its meaning. False if it has none because it is malformed. */
static bool rewrite_attribute(const WiceStunMessage *message, WiceStunWriter *writer, uint16_t type,
			      WiceStunKind kind)
{
	uint16_t list[LIST_MAX], u16;
	uint8_t u8;
	uint32_t u32;
	uint64_t u64;
	size_t n;
	WiceSpan span;
	WiceEndpoint endpoint;
	switch (kind) {
	case WICE_STUN_KIND_FLAG:
		if (wice__stun_read_flag(message, type) != 0)
			return false;
		wice__stun_write_flag(writer, type);
		return true;
	case WICE_STUN_KIND_U8:
		if (wice__stun_read_u8(message, type, &u8) != 0)
			return false;
		wice__stun_write_u8(writer, type, u8);
		return true;
	case WICE_STUN_KIND_U16:
		if (wice__stun_read_u16(message, type, &u16) != 0)
			return false;
		wice__stun_write_u16(writer, type, u16);
		return true;
	case WICE_STUN_KIND_U32:
		if (wice__stun_read_u32(message, type, &u32) != 0)
			return false;
		wice__stun_write_u32(writer, type, u32);
		return true;
	case WICE_STUN_KIND_U64:
		if (wice__stun_read_u64(message, type, &u64) != 0)
			return false;
		wice__stun_write_u64(writer, type, u64);
		return true;
	case WICE_STUN_KIND_BYTES:
		if (wice__stun_read_bytes(message, type, &span) != 0)
			return false;
		wice__stun_write_bytes(writer, type, span.data, span.len);
		return true;
	case WICE_STUN_KIND_ADDRESS:
	case WICE_STUN_KIND_XOR_ADDRESS:
		if (wice__stun_read_address(message, type, &endpoint) != 0)
			return false;
		wice__stun_write_address(writer, type, &endpoint);
		return true;
	case WICE_STUN_KIND_ERROR:
		if (wice__stun_read_error(message, &u16, &span) != 0)
			return false;
		wice__stun_write_error(writer, u16, "reason");
		return true;
	case WICE_STUN_KIND_TYPES:
		if (wice__stun_read_types(message, list, LIST_MAX, &n) != 0)
			return false;
		wice__stun_write_types(writer, list, n);
		return true;
	case WICE_STUN_KIND_ALGORITHMS:
		if (wice__stun_read_algorithms(message, type, list, LIST_MAX, &n) != 0)
			return false;
		wice__stun_write_algorithms(writer, type, list, n);
		return true;
	}
	abort();
}

static void same_numbers(const WiceStunMessage *a, const WiceStunMessage *b, uint16_t type,
			 WiceStunKind kind)
{
	uint8_t u8[2];
	uint16_t u16[2];
	uint32_t u32[2];
	uint64_t u64[2];
	switch (kind) {
	case WICE_STUN_KIND_U8:
		MUST(wice__stun_read_u8(a, type, &u8[0]) == 0);
		MUST(wice__stun_read_u8(b, type, &u8[1]) == 0 && u8[0] == u8[1]);
		break;
	case WICE_STUN_KIND_U16:
		MUST(wice__stun_read_u16(a, type, &u16[0]) == 0);
		MUST(wice__stun_read_u16(b, type, &u16[1]) == 0 && u16[0] == u16[1]);
		break;
	case WICE_STUN_KIND_U32:
		MUST(wice__stun_read_u32(a, type, &u32[0]) == 0);
		MUST(wice__stun_read_u32(b, type, &u32[1]) == 0 && u32[0] == u32[1]);
		break;
	default:
		MUST(wice__stun_read_u64(a, type, &u64[0]) == 0);
		MUST(wice__stun_read_u64(b, type, &u64[1]) == 0 && u64[0] == u64[1]);
		break;
	}
}

static void same_lists(const WiceStunMessage *a, const WiceStunMessage *b, uint16_t type)
{
	uint16_t list[2][LIST_MAX];
	size_t n[2];
	if (type == WICE_STUN_UNKNOWN_ATTRIBUTES) {
		MUST(wice__stun_read_types(a, list[0], LIST_MAX, &n[0]) == 0);
		MUST(wice__stun_read_types(b, list[1], LIST_MAX, &n[1]) == 0);
		MUST(n[1] == n[0] || (!a->has_cookie && n[1] == n[0] + 1));
	} else {
		MUST(wice__stun_read_algorithms(a, type, list[0], LIST_MAX, &n[0]) == 0);
		MUST(wice__stun_read_algorithms(b, type, list[1], LIST_MAX, &n[1]) == 0);
		MUST(n[1] == n[0]);
	}
	MUST(memcmp(list[0], list[1], n[0] * sizeof list[0][0]) == 0);
}

static void same_meaning(const WiceStunMessage *a, const WiceStunMessage *b, uint16_t type,
			 WiceStunKind kind)
{
	WiceEndpoint endpoint[2];
	WiceSpan span[2];
	uint16_t code[2];
	switch (kind) {
	case WICE_STUN_KIND_FLAG:
		MUST(wice__stun_read_flag(b, type) == 0);
		break;
	case WICE_STUN_KIND_BYTES:
		MUST(wice__stun_read_bytes(a, type, &span[0]) == 0);
		MUST(wice__stun_read_bytes(b, type, &span[1]) == 0 && span[0].len == span[1].len);
		MUST(memcmp(span[0].data, span[1].data, span[0].len) == 0);
		break;
	case WICE_STUN_KIND_ADDRESS:
	case WICE_STUN_KIND_XOR_ADDRESS:
		MUST(wice__stun_read_address(a, type, &endpoint[0]) == 0);
		MUST(wice__stun_read_address(b, type, &endpoint[1]) == 0);
		MUST(wice_endpoint_compare(&endpoint[0], &endpoint[1]) == 0);
		break;
	case WICE_STUN_KIND_ERROR:
		MUST(wice__stun_read_error(a, &code[0], NULL) == 0);
		MUST(wice__stun_read_error(b, &code[1], NULL) == 0 && code[0] == code[1]);
		break;
	case WICE_STUN_KIND_TYPES:
	case WICE_STUN_KIND_ALGORITHMS:
		same_lists(a, b, type);
		break;
	default:
		same_numbers(a, b, type, kind);
		break;
	}
}

static bool closes(uint16_t type)
{
	return type == WICE_STUN_MESSAGE_INTEGRITY || type == WICE_STUN_MESSAGE_INTEGRITY_SHA256 ||
	       type == WICE_STUN_FINGERPRINT;
}

static WiceStunMessage read_copy(const WiceStunWriter *writer)
{
	WiceStunMessage again;
	size_t len;
	MUST(wice__stun_writer_finish(writer, &len) == 0);
	MUST(wice__stun_message_read(&again, copy, len) == 0);
	return again;
}

/* Each known attribute on its own: what its reader accepts, its writer can write. */
static void rewrite_by_meaning(const WiceStunMessage *message)
{
	WiceStunAttribute attribute;
	size_t cursor = 0;
	while (wice__stun_message_next(message, &cursor, &attribute)) {
		const WiceStunAttributeInfo *info = wice__stun_attribute_info(attribute.type);
		WiceStunWriter writer;
		wice__stun_writer_init_reply(&writer, copy, sizeof copy, WICE_STUN_SUCCESS,
					     message);
		if (!info || !rewrite_attribute(message, &writer, attribute.type, info->kind))
			continue;
		WiceStunMessage again = read_copy(&writer);
		same_meaning(message, &again, attribute.type, info->kind);
	}
}

/* All that counts, byte for byte, but sealed with a key of ours instead. */
static void rewrite_as_bytes(const WiceStunMessage *message)
{
	WiceStunAttribute before, after;
	WiceStunWriter writer;
	size_t n_keys, n = 0, cursor = 0, cursor_after = 0;
	const WiceStunKey *key = known_keys(&n_keys);
	wice__stun_writer_init(&writer, copy, sizeof copy, (WiceStunClass)message->message_class,
			       message->method, wice__stun_message_transaction(message));
	while (wice__stun_message_next(message, &cursor, &before))
		if (!closes(before.type)) {
			uint8_t *value = wice__stun_writer_add(&writer, before.type, before.len);
			MUST(value);
			memcpy(value, before.value, before.len);
			n++;
		}
	if (message->has_cookie) {
		wice__stun_write_integrity(&writer, key);
		wice__stun_write_integrity_sha256(&writer, key);
		wice__stun_write_fingerprint(&writer);
	}
	/* The longest messages, and those with most attributes, leave no room for seals. */
	if (writer.error || n + 3 > WICE_STUN_MAX_ATTRIBUTES)
		return;
	WiceStunMessage again = read_copy(&writer);
	MUST(again.method == message->method && again.message_class == message->message_class);
	MUST(again.n_unknown == message->n_unknown);
	MUST(memcmp(again.unknown, message->unknown, sizeof again.unknown) == 0);
	if (message->has_cookie) {
		MUST(wice__stun_check_integrity(&again, key) == 0);
		MUST(wice__stun_check_integrity_sha256(&again, key) == 0);
		MUST(wice__stun_check_fingerprint(&again) == 0);
	}
	cursor = 0;
	while (wice__stun_message_next(message, &cursor, &before)) {
		if (closes(before.type))
			continue;
		MUST(wice__stun_message_next(&again, &cursor_after, &after));
		MUST(before.type == after.type && before.len == after.len);
		MUST(memcmp(before.value, after.value, before.len) == 0);
	}
}

static void walk_message(const uint8_t *data, size_t size)
{
	WiceStunMessage message;
	size_t n_keys;
	const WiceStunKey *keys = known_keys(&n_keys);
	if (wice__stun_message_read(&message, data, size) != 0)
		return;
	for (size_t i = 0; i < n_keys; i++) {
		wice__stun_check_integrity(&message, &keys[i]);
		wice__stun_check_integrity_sha256(&message, &keys[i]);
	}
	wice__stun_check_fingerprint(&message);
	rewrite_by_meaning(&message);
	rewrite_as_bytes(&message);
}

static void walk_channel_data(const uint8_t *data, size_t size)
{
	uint8_t header[WICE_CHANNEL_DATA_HEADER_LEN];
	uint16_t channel;
	WiceSpan payload;
	size_t frame;
	if (wice__stun_frame_size(data, size, &frame) == 0)
		MUST(frame >= 4 && frame % 4 == 0);
	if (wice__channel_data_read(data, size, &channel, &payload) != 0)
		return;
	MUST(payload.len <= size - sizeof header);
	if (channel > WICE_CHANNEL_MAX)
		return;
	MUST(wice__channel_data_write(header, channel, payload.len) == 0);
	MUST(memcmp(header, data, sizeof header) == 0);
}

/* Bytes that a seed can answer: the transaction id of RFC 5769. */
static void fill_known(void *buffer, size_t len)
{
	static const uint8_t id[16] = { 0x21, 0x12, 0xa4, 0x42, 0,    0,    0,    0,
					0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae };
	memcpy(buffer, id, len < sizeof id ? len : sizeof id);
}

static void feed_probe(const uint8_t *data, size_t size)
{
	WiceEndpoint server = { .address = { WICE_FAMILY_IPV4, { 192, 0, 2, 9 } }, .port = 3478 };
	uint8_t request[WICE_STUN_PROBE_REQUEST_LEN];
	WiceStunProbe probe;
	wice__stun_probe_init(&probe, &server, 1, fill_known, 0);
	MUST(wice__stun_probe_output(&probe, 0, &server, request));
	if (!wice__stun_probe_input(&probe, data, size, &server, 5))
		return;
	MUST(wice__stun_probe_is_over(&probe));
	if (probe.servers[0].state == WICE_STUN_PROBE_ANSWERED)
		MUST(probe.servers[0].mapped.port != 0 && probe.servers[0].mapped.address.family);
}

static void ask_responder(const uint8_t *data, size_t size)
{
	WiceEndpoint source = { .address = { WICE_FAMILY_IPV6, { 0x20, 1 } }, .port = 9 }, seen;
	uint8_t response[WICE_STUN_RESPONSE_MAX];
	WiceStunMessage message;
	size_t len = wice__stun_respond(data, size, &source, response);
	if (!len)
		return;
	MUST(wice__stun_message_read(&message, response, len) == 0);
	MUST(memcmp(data + 4, response + 4, 16) == 0);
	if (message.message_class == WICE_STUN_SUCCESS) {
		MUST(wice__stun_read_address(&message, WICE_STUN_XOR_MAPPED_ADDRESS, &seen) == 0 ||
		     wice__stun_read_address(&message, WICE_STUN_MAPPED_ADDRESS, &seen) == 0);
		MUST(wice_endpoint_compare(&seen, &source) == 0);
	}
}

/* Checks of paths in use. */
static void ask_for_consent(const uint8_t *data, size_t size)
{
	static const WiceEndpoint source = { .address.family = WICE_FAMILY_IPV6, .port = 4 };
	static const WiceStunKey key = { 1, { 'k' } };
	uint8_t answer[WICE_CONSENT_MAX], id[WICE_CONSENT_ID_LEN];
	WiceSpan ufrag;
	if (wice__consent_is_asked(data, size, &ufrag)) {
		const uint8_t *begin = ufrag.data;
		MUST(begin > data && begin + ufrag.len < data + size && begin[ufrag.len] == ':');
	}
	size_t len = wice__consent_answer(data, size, &key, &source, answer);
	if (len)
		MUST(wice__consent_is_answer(answer, len, &key, id) &&
		     memcmp(id, data + 8, sizeof id) == 0);
	(void)wice__consent_is_answer(data, size, &key, id);
}

/* Most mutations only break the length in the header; repaired, they reach the attributes. */
static void walk_repaired(const uint8_t *data, size_t size)
{
	size -= size % 4;
	if (size < WICE_STUN_HEADER_LEN || size > UINT16_MAX)
		return;
	uint8_t *repaired = malloc(size);
	MUST(repaired);
	memcpy(repaired, data, size);
	repaired[0] &= 0x3f;
	wice__stun_put_u16(repaired + 2, (uint16_t)(size - WICE_STUN_HEADER_LEN));
	walk_message(repaired, size);
	feed_probe(repaired, size);
	ask_responder(repaired, size);
	ask_for_consent(repaired, size);
	free(repaired);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	walk_message(data, size);
	walk_repaired(data, size);
	walk_channel_data(data, size);
	feed_probe(data, size);
	ask_responder(data, size);
	ask_for_consent(data, size);
	return 0;
}
