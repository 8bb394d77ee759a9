/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handshake messages of strangers, and of peers who say odd things. The first byte chooses:
 *
 *   0  bytes as they are, then once more with a mac1 that is right
 *   1  a valid initiation, exclusive or what follows
 *   2  a valid response, likewise
 *   3  initiations that a peer really made, with the timestamps that follow; the last that is new
 *      is answered
 *
 * In all but the first it is known what must happen. What is refused changes nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../known_dh.h"
#include "engine/cookie.h"
#include "engine/noise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)
#define TIMESTAMPS_MAX 4
#define INITIATOR_INDEX 0x11111111
#define RESPONDER_INDEX 0x22222222

typedef struct {
	WiceNoiseIdentity identity;
	WiceNoisePeer peer;
	WiceNoiseHandshake handshake;
	WiceCookieChecker checker;
	WiceCookieMaker maker;
} End;

static const uint8_t initiator_ephemeral[32] = { 0, 3 }, responder_ephemeral[32] = { 0, 4 };
static const uint8_t first_timestamp[WICE_TAI64N_LEN] = { 0x40, 0, 0, 0, 0, 0, 0, 1 };
static const WiceEndpoint source = { { WICE_FAMILY_IPV4, { 192, 0, 2, 1 } }, 51820, 0 };

/* Both ends with an initiation under way, and what was sent. */
static End initiator, responder, answered;
static WiceMessageInitiation initiation;
static WiceMessageResponse response;

static void make_end(End *end, uint8_t own_seed, uint8_t other_seed)
{
	/* The lowest bits of a private key's first byte do not count. */
	WiceKey own = { { 0, own_seed } }, other = { { 0, other_seed } };
	wice__noise_identity(&own, &end->identity);
	wice_key_public(&other, &end->peer.public_key);
	end->peer.preshared_key.bytes[0] = 5;
	wice__cookie_checker_init(&end->checker, &end->identity.public_key);
	wice__cookie_maker_init(&end->maker, &end->peer.public_key);
}

static int initiate(End *end, const uint8_t *timestamp, WiceMessageInitiation *message)
{
	int r = wice__noise_create_initiation(&end->handshake, &end->peer, &end->identity,
					      initiator_ephemeral, timestamp, INITIATOR_INDEX,
					      message);
	if (r == 0)
		wice__cookie_add_macs(&end->maker, (uint8_t *)message, sizeof *message, 0);
	return r;
}

static int accept(End *end, const WiceMessageInitiation *message)
{
	WiceNoiseInitiation read;
	int r = wice__noise_read_initiation(&end->identity, message, &read);
	if (r != 0)
		return r;
	return wice__noise_accept_initiation(&end->handshake, &end->peer, &end->identity, &read,
					     message);
}

static int respond(End *end, WiceMessageResponse *message)
{
	int r = wice__noise_create_response(&end->handshake, &end->peer, responder_ephemeral,
					    RESPONDER_INDEX, message);
	if (r == 0)
		wice__cookie_add_macs(&end->maker, (uint8_t *)message, sizeof *message, 0);
	return r;
}

static void make_known(void)
{
	static bool made;
	if (made)
		return;
	make_end(&initiator, 1, 2);
	make_end(&responder, 2, 1);
	MUST(initiate(&initiator, first_timestamp, &initiation) == 0);
	/* The DH of the static keys becomes known, so that nothing else changes later. */
	answered = responder;
	MUST(accept(&answered, &initiation) == 0);
	responder.peer.static_static = answered.peer.static_static;
	responder.peer.has_static_static = true;
	MUST(respond(&answered, &response) == 0);
	made = true;
}

/* What a receiver does with bytes: 0 if they are its peer's. */
static int receive(End *end, const uint8_t *data, size_t size)
{
	WiceMessageType type = wice__message_type(data, size);
	if (type != WICE_MESSAGE_INITIATION && type != WICE_MESSAGE_RESPONSE)
		return -EBADMSG;
	if (wice__cookie_check(&end->checker, data, size, &source, false, 0) == WICE_MAC_INVALID)
		return -EBADMSG;
	if (type == WICE_MESSAGE_INITIATION)
		return accept(end, (const WiceMessageInitiation *)data);
	return wice__noise_read_response(&end->handshake, &end->peer, &end->identity,
					 (const WiceMessageResponse *)data);
}

/* Only with the peer's private key could anybody make what is accepted; the fuzzer repeats it. */
static void receive_bytes(const End *fresh, const uint8_t *data, size_t size, const void *known,
			  size_t known_size, size_t macs)
{
	End end = *fresh;
	int r = receive(&end, data, size);
	if (r != 0) {
		MUST(r == -EBADMSG);
		MUST(memcmp(&end, fresh, sizeof end) == 0);
		return;
	}
	/* Type and indices are protected by mac1 only, which everybody can make. */
	MUST(size == known_size && memcmp(data + 8, (const uint8_t *)known + 8, macs - 8) == 0);
}

static void walk_bytes(const uint8_t *data, size_t size)
{
	uint8_t repaired[sizeof initiation];
	for (int i = 0; i < 2; i++) {
		receive_bytes(&responder, data, size, &initiation, sizeof initiation,
			      offsetof(WiceMessageInitiation, mac1));
		receive_bytes(&initiator, data, size, &response, sizeof response,
			      offsetof(WiceMessageResponse, mac1));
		WiceMessageType type = wice__message_type(data, size);
		if (type != WICE_MESSAGE_INITIATION && type != WICE_MESSAGE_RESPONSE)
			return;
		End end = type == WICE_MESSAGE_INITIATION ? initiator : responder;
		memmove(repaired, data, size);
		wice__cookie_add_macs(&end.maker, repaired, size, 0);
		data = repaired;
	}
}

static bool is_zero(const uint8_t *mask, size_t from, size_t to)
{
	uint8_t bits = 0;
	for (size_t i = from; i < to; i++)
		bits |= mask[i];
	return bits == 0;
}

/* The message with some bits flipped: accepted if they are all in mac2, which nobody looks at. */
static void walk_mask(const End *fresh, const void *message, size_t length, const uint8_t *data,
		      size_t size)
{
	uint8_t mask[sizeof initiation] = { 0 }, flipped[sizeof initiation];
	End end = *fresh;
	memcpy(mask, data, size < length ? size : length);
	for (size_t i = 0; i < length; i++)
		flipped[i] = ((const uint8_t *)message)[i] ^ mask[i];
	bool valid = is_zero(mask, 0, length - 16);
	MUST(receive(&end, flipped, length) == (valid ? 0 : -EBADMSG));
	if (!valid)
		MUST(memcmp(&end, fresh, sizeof end) == 0);

	/* Without mac1, the handshake finds all but type and, in an initiation, the index. */
	bool is_initiation = length == sizeof initiation;
	end = *fresh;
	int r = is_initiation ? accept(&end, (const WiceMessageInitiation *)flipped)
			      : wice__noise_read_response(&end.handshake, &end.peer, &end.identity,
							  (const WiceMessageResponse *)flipped);
	valid = is_zero(mask, 8, length - 32);
	MUST(r == (valid ? 0 : -EBADMSG));
	if (!valid)
		MUST(memcmp(&end, fresh, sizeof end) == 0);
}

/* b answers a's initiation, and both have the same keys. */
static void conclude(End *a, End *b)
{
	WiceNoiseKeys ours, theirs;
	WiceMessageResponse message;
	MUST(respond(b, &message) == 0);
	MUST(wice__noise_read_response(&a->handshake, &a->peer, &a->identity, &message) == 0);
	MUST(wice__noise_begin_session(&a->handshake, &ours) == 0 && ours.initiator);
	MUST(wice__noise_begin_session(&b->handshake, &theirs) == 0 && !theirs.initiator);
	MUST(memcmp(ours.send, theirs.receive, sizeof ours.send) == 0);
	MUST(memcmp(ours.receive, theirs.send, sizeof ours.receive) == 0);
	MUST(ours.local_index == INITIATOR_INDEX && ours.remote_index == RESPONDER_INDEX);
	MUST(theirs.local_index == RESPONDER_INDEX && theirs.remote_index == INITIATOR_INDEX);
}

static void walk_timestamps(const uint8_t *data, size_t size)
{
	End a = initiator, b = responder, accepted;
	uint8_t greatest[WICE_TAI64N_LEN] = { 0 };
	for (int i = 0; i < TIMESTAMPS_MAX && size >= WICE_TAI64N_LEN; i++) {
		WiceMessageInitiation message;
		End before = b;
		MUST(initiate(&a, data, &message) == 0);
		if (memcmp(data, greatest, WICE_TAI64N_LEN) > 0) {
			MUST(receive(&b, (const uint8_t *)&message, sizeof message) == 0);
			memcpy(greatest, data, WICE_TAI64N_LEN);
			accepted = a;
		} else {
			MUST(receive(&b, (const uint8_t *)&message, sizeof message) == -EALREADY);
			MUST(memcmp(&b, &before, sizeof b) == 0);
		}
		data += WICE_TAI64N_LEN;
		size -= WICE_TAI64N_LEN;
	}
	if (!is_zero(greatest, 0, sizeof greatest))
		conclude(&accepted, &b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	make_known();
	if (size < 1)
		return 0;
	uint8_t choice = data[0] % 4;
	data++;
	size--;
	if (choice == 0)
		walk_bytes(data, size);
	else if (choice == 1)
		walk_mask(&responder, &initiation, sizeof initiation, data, size);
	else if (choice == 2)
		walk_mask(&initiator, &response, sizeof response, data, size);
	else
		walk_timestamps(data, size);
	return 0;
}
