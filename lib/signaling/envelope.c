/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The serialized envelope. Only what a backend needs in order to route is readable here, and
 * nothing of it is proven before wice__mailbox_open() has opened the body.
 *
 *   Envelope          { bytes sender = 1; bytes recipient = 2; EncryptedMessage contents = 3; }
 *   EncryptedMessage  { bytes body = 1; bytes nonce = 2; }
 *
 * Unknown fields are skipped. A known field that comes twice, or with another type or length than
 * it must have, makes the whole no envelope.
 */
#include "signaling/sealed.h"
#include "signaling/wire.h"

#include <string.h>

enum { SENDER = 1, RECIPIENT = 2, CONTENTS = 3 };
enum { BODY = 1, NONCE = 2 };

/* All bits of the fields that must be there, for wice__wire_once(). */
#define ENVELOPE_FIELDS (1u << SENDER | 1u << RECIPIENT | 1u << CONTENTS)
#define CONTENTS_FIELDS (1u << BODY | 1u << NONCE)

static size_t contents_size(const WiceEnvelope *envelope)
{
	return wice__wire_bytes_size(BODY, envelope->body_len) +
	       wice__wire_bytes_size(NONCE, WICE_NONCE_LEN);
}

size_t wice__envelope_size(const WiceEnvelope *envelope)
{
	if (envelope->body_len == 0 || envelope->body_len > WICE_ENVELOPE_MAX)
		return 0;
	size_t size = wice__wire_bytes_size(SENDER, WICE_KEY_LEN) +
		      wice__wire_bytes_size(RECIPIENT, WICE_KEY_LEN) +
		      wice__wire_bytes_size(CONTENTS, contents_size(envelope));
	return size <= WICE_ENVELOPE_MAX ? size : 0;
}

size_t wice__envelope_write(const WiceEnvelope *envelope, uint8_t *ret_bytes, size_t size)
{
	size_t len = wice__envelope_size(envelope);
	if (len == 0 || len > size)
		return 0;

	WiceWireWriter writer = { .bytes = ret_bytes, .size = size };
	wice__wire_put_bytes(&writer, SENDER, envelope->sender.bytes, WICE_KEY_LEN);
	wice__wire_put_bytes(&writer, RECIPIENT, envelope->recipient.bytes, WICE_KEY_LEN);
	size_t contents = wice__wire_begin(&writer, CONTENTS);
	wice__wire_put_bytes(&writer, BODY, envelope->body, envelope->body_len);
	wice__wire_put_bytes(&writer, NONCE, envelope->nonce, WICE_NONCE_LEN);
	wice__wire_end(&writer, contents);
	return writer.overflow ? 0 : writer.len;
}

static bool read_contents(const WiceWireField *contents, WiceEnvelope *envelope)
{
	if (contents->type != WICE_WIRE_BYTES)
		return false;
	WiceWireReader reader = { contents->bytes, contents->len };
	WiceWireField field;
	uint64_t seen = 0;
	int more;
	while ((more = wice__wire_next(&reader, &field)) > 0) {
		if (field.number > NONCE)
			continue;
		if (!wice__wire_once(&seen, &field))
			return false;
		if (field.number == NONCE) {
			if (!wice__wire_copy(&field, envelope->nonce, WICE_NONCE_LEN))
				return false;
		} else {
			if (field.type != WICE_WIRE_BYTES || field.len == 0)
				return false;
			envelope->body = field.bytes;
			envelope->body_len = field.len;
		}
	}
	return more == 0 && seen == CONTENTS_FIELDS;
}

static bool read_field(const WiceWireField *field, WiceEnvelope *envelope)
{
	switch (field->number) {
	case SENDER:
		return wice__wire_copy(field, envelope->sender.bytes, WICE_KEY_LEN);
	case RECIPIENT:
		return wice__wire_copy(field, envelope->recipient.bytes, WICE_KEY_LEN);
	default:
		return read_contents(field, envelope);
	}
}

bool wice__envelope_read(const uint8_t *bytes, size_t len, WiceEnvelope *ret_envelope)
{
	if (len > WICE_ENVELOPE_MAX)
		return false;
	WiceEnvelope envelope = { 0 };
	WiceWireReader reader = { bytes, len };
	WiceWireField field;
	uint64_t seen = 0;
	int more;
	while ((more = wice__wire_next(&reader, &field)) > 0) {
		if (field.number > CONTENTS)
			continue;
		if (!wice__wire_once(&seen, &field) || !read_field(&field, &envelope))
			return false;
	}
	if (more < 0 || seen != ENVELOPE_FIELDS)
		return false;
	*ret_envelope = envelope;
	return true;
}
