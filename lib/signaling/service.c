/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "signaling/service.h"

#include <glib.h>
#include <sodium.h>
#include <string.h>
#include <wice/version.h>

#include "signaling/wire.h"

G_STATIC_ASSERT(WICE_SEALED_TOKEN_LEN == WICE_TOKEN_LEN + crypto_box_SEALBYTES);

enum { PARAMS_KEY = 1, PARAMS_TOKEN = 2, PARAMS_CAN_PROVE = 100 };
enum { ENVELOPE_SENDER = 1, ENVELOPE_RECIPIENT = 2, ENVELOPE_CONTENTS = 3 };
enum { CONTENTS_BODY = 1, CONTENTS_NONCE = 2 };
enum { BUILD_VERSION = 1, BUILD_OS = 7 };

static WiceWireWriter writer_on(uint8_t ret[WICE_SERVICE_MESSAGE_SIZE])
{
	return (WiceWireWriter){ .bytes = ret, .size = WICE_SERVICE_MESSAGE_SIZE };
}

size_t wice__subscribe_params_write(const WiceSubscribeParams *params,
				    uint8_t ret[WICE_SERVICE_MESSAGE_SIZE])
{
	WiceWireWriter writer = writer_on(ret);
	wice__wire_put_bytes(&writer, PARAMS_KEY, params->key.bytes, WICE_KEY_LEN);
	wice__wire_put_uint(&writer, PARAMS_CAN_PROVE, params->can_prove);
	return writer.len;
}

size_t wice__prove_params_write(const WiceProveParams *params,
				uint8_t ret[WICE_SERVICE_MESSAGE_SIZE])
{
	WiceWireWriter writer = writer_on(ret);
	wice__wire_put_bytes(&writer, PARAMS_KEY, params->key.bytes, WICE_KEY_LEN);
	wice__wire_put_bytes(&writer, PARAMS_TOKEN, params->token, WICE_TOKEN_LEN);
	return writer.len;
}

size_t wice__challenge_write(const WiceKey *key, const uint8_t token[WICE_TOKEN_LEN],
			     uint8_t ret[WICE_SERVICE_MESSAGE_SIZE])
{
	uint8_t sealed[WICE_SEALED_TOKEN_LEN];
	if (crypto_box_seal(sealed, token, WICE_TOKEN_LEN, key->bytes) != 0)
		return 0;
	WiceWireWriter writer = writer_on(ret);
	wice__wire_put_bytes(&writer, ENVELOPE_RECIPIENT, key->bytes, WICE_KEY_LEN);
	size_t contents = wice__wire_begin(&writer, ENVELOPE_CONTENTS);
	wice__wire_put_bytes(&writer, CONTENTS_BODY, sealed, sizeof sealed);
	wice__wire_end(&writer, contents);
	return writer.len;
}

size_t wice__build_info_write(uint8_t ret[WICE_SERVICE_MESSAGE_SIZE])
{
	static const char version[] = "wice-" WICE_VERSION, os[] = "linux";
	WiceWireWriter writer = writer_on(ret);
	wice__wire_put_bytes(&writer, BUILD_VERSION, version, strlen(version));
	wice__wire_put_bytes(&writer, BUILD_OS, os, strlen(os));
	return writer.len;
}

bool wice__subscribe_params_read(const uint8_t *bytes, size_t len, WiceSubscribeParams *ret)
{
	WiceSubscribeParams params = { 0 };
	WiceWireReader reader = { bytes, len };
	WiceWireField field;
	uint64_t seen = 0, can_prove;
	int more;
	while ((more = wice__wire_next(&reader, &field)) > 0) {
		if (field.number == PARAMS_KEY) {
			if (!wice__wire_once(&seen, &field) ||
			    !wice__wire_copy(&field, params.key.bytes, WICE_KEY_LEN))
				return false;
		} else if (field.number == PARAMS_CAN_PROVE) {
			if (!wice__wire_uint(&field, 1, &can_prove))
				return false;
			params.can_prove = can_prove;
		}
	}
	if (more < 0 || !seen)
		return false;
	*ret = params;
	return true;
}

bool wice__prove_params_read(const uint8_t *bytes, size_t len, WiceProveParams *ret)
{
	WiceProveParams params;
	WiceWireReader reader = { bytes, len };
	WiceWireField field;
	uint64_t seen = 0;
	int more;
	while ((more = wice__wire_next(&reader, &field)) > 0) {
		if (field.number > PARAMS_TOKEN)
			continue;
		uint8_t *to = field.number == PARAMS_KEY ? params.key.bytes : params.token;
		if (!wice__wire_once(&seen, &field) || !wice__wire_copy(&field, to, WICE_TOKEN_LEN))
			return false;
	}
	if (more < 0 || seen != (1u << PARAMS_KEY | 1u << PARAMS_TOKEN))
		return false;
	*ret = params;
	return true;
}

/* The body of contents that have no nonce, or NULL. */
static const uint8_t *read_sealed(const WiceWireField *contents)
{
	if (contents->type != WICE_WIRE_BYTES)
		return NULL;
	WiceWireReader reader = { contents->bytes, contents->len };
	WiceWireField field;
	const uint8_t *sealed = NULL;
	int more;
	while ((more = wice__wire_next(&reader, &field)) > 0) {
		if (field.number > CONTENTS_NONCE)
			continue;
		if (field.number == CONTENTS_NONCE || field.type != WICE_WIRE_BYTES || sealed ||
		    field.len != WICE_SEALED_TOKEN_LEN)
			return NULL;
		sealed = field.bytes;
	}
	return more < 0 ? NULL : sealed;
}

bool wice__challenge_read(const uint8_t *bytes, size_t len, const WiceKey *key,
			  const uint8_t **ret_sealed)
{
	WiceWireReader reader = { bytes, len };
	WiceWireField field;
	WiceKey recipient = { 0 };
	const uint8_t *sealed = NULL;
	uint64_t seen = 0;
	int more;
	while ((more = wice__wire_next(&reader, &field)) > 0) {
		if (field.number > ENVELOPE_CONTENTS)
			continue;
		if (!wice__wire_once(&seen, &field) || field.number == ENVELOPE_SENDER)
			return false;
		if (field.number == ENVELOPE_CONTENTS)
			sealed = read_sealed(&field);
		else if (!wice__wire_copy(&field, recipient.bytes, WICE_KEY_LEN))
			return false;
	}
	if (more < 0 || !sealed || wice_key_compare(&recipient, key) != 0)
		return false;
	*ret_sealed = sealed;
	return true;
}

bool wice__barrier_read(const uint8_t *bytes, size_t len)
{
	WiceWireReader reader = { bytes, len };
	WiceWireField field;
	int more;
	while ((more = wice__wire_next(&reader, &field)) > 0)
		if (field.number <= ENVELOPE_CONTENTS &&
		    (field.type != WICE_WIRE_BYTES || field.len > 0))
			return false;
	return more == 0;
}

bool wice__challenge_open(const uint8_t sealed[WICE_SEALED_TOKEN_LEN], const WiceKey *public_key,
			  const WiceKey *private_key, uint8_t ret_token[WICE_TOKEN_LEN])
{
	return crypto_box_seal_open(ret_token, sealed, WICE_SEALED_TOKEN_LEN, public_key->bytes,
				    private_key->bytes) == 0;
}
