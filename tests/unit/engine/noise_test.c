/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chain of proof: there is one public vector of this Noise protocol, with a prologue and payloads
 * that are not WireGuard's. So the pattern is written here a second time, for any of them; it must
 * make the vector's messages, and then, with WireGuard's prologue and payloads, the engine's.
 */
#include "suite.h"

#include <errno.h>
#include <glib.h>
#include <sodium.h>
#include <string.h>

#include "crypto/mac.h"
#include "engine/cookie.h"
#include "engine/noise.h"

/* Both sides' keys, and what only one of them should know. */
typedef struct {
	WiceKey initiator, responder; /* private, static */
	WiceKey initiator_ephemeral, responder_ephemeral;
	WiceKey preshared;
} Keys;

static WiceKey key_of(const char *hex)
{
	WiceKey key;
	ck_assert(wice_key_from_hex(hex, &key));
	return key;
}

static WiceKey public_of(const WiceKey *private_key)
{
	WiceKey key;
	wice_key_public(private_key, &key);
	return key;
}

/* Some private key, the same for the same seed. */
static WiceKey private_key(uint8_t seed)
{
	WiceKey key;
	memset(key.bytes, seed, sizeof key.bytes);
	return key;
}

static void mix_dh(WiceNoiseSymmetric *symmetric, const WiceKey *mine, const WiceKey *theirs)
{
	WiceKey public_key = public_of(theirs), shared;
	ck_assert_int_eq(crypto_scalarmult(shared.bytes, mine->bytes, public_key.bytes), 0);
	wice__noise_mix_key(symmetric, shared.bytes);
}

static void write_ephemeral(WiceNoiseSymmetric *symmetric, const WiceKey *ephemeral,
			    GByteArray *message)
{
	WiceKey public_key = public_of(ephemeral);
	wice__noise_mix_hash(symmetric, public_key.bytes, WICE_KEY_LEN);
	wice__noise_mix_key(symmetric, public_key.bytes);
	g_byte_array_append(message, public_key.bytes, WICE_KEY_LEN);
}

static void write_sealed(WiceNoiseSymmetric *symmetric, const void *plain, size_t len,
			 GByteArray *message)
{
	guint at = message->len;
	g_byte_array_set_size(message, at + (guint)len + WICE_NOISE_TAG_LEN);
	wice__noise_encrypt_and_hash(symmetric, plain, len, message->data + at);
}

/* <- s ... -> e, es, s, ss */
static void write_first(WiceNoiseSymmetric *symmetric, const Keys *keys, WiceSpan prologue,
			WiceSpan payload, GByteArray *message)
{
	WiceKey initiator = public_of(&keys->initiator), responder = public_of(&keys->responder);
	wice__noise_symmetric_init(symmetric, prologue.data, prologue.len);
	wice__noise_mix_hash(symmetric, responder.bytes, WICE_KEY_LEN);
	write_ephemeral(symmetric, &keys->initiator_ephemeral, message);
	mix_dh(symmetric, &keys->initiator_ephemeral, &keys->responder);
	write_sealed(symmetric, initiator.bytes, WICE_KEY_LEN, message);
	mix_dh(symmetric, &keys->initiator, &keys->responder);
	write_sealed(symmetric, payload.data, payload.len, message);
}

/* <- e, ee, se, psk */
static void write_second(WiceNoiseSymmetric *symmetric, const Keys *keys, WiceSpan payload,
			 GByteArray *message)
{
	write_ephemeral(symmetric, &keys->responder_ephemeral, message);
	mix_dh(symmetric, &keys->responder_ephemeral, &keys->initiator_ephemeral);
	mix_dh(symmetric, &keys->responder_ephemeral, &keys->initiator);
	wice__noise_mix_key_and_hash(symmetric, keys->preshared.bytes);
	write_sealed(symmetric, payload.data, payload.len, message);
}

static void assert_hex(const uint8_t *bytes, size_t len, const char *expected)
{
	g_autofree char *hex = g_malloc(2 * len + 1);
	ck_assert_str_eq(sodium_bin2hex(hex, 2 * len + 1, bytes, len), expected);
}

static WiceSpan text(const char *string)
{
	return (WiceSpan){ string, strlen(string) };
}

/* The vector of cacophony, a Noise library in Haskell, that other libraries test with as well. */
#define VECTOR_PROLOGUE "John Galt"
#define VECTOR_HASH "f5191b875290abcd41347ac3622d9679688a7e980229cb937ef748336cfde0e5"
static const struct {
	const char *payload, *message;
} vector[] = {
	{ "Ludwig von Mises", "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c7944"
			      "001e21de9f98ddd8e2ad57527207feb56253c9c94a9e496782ecfcb2a75fbcaf"
			      "1b52948cc48daefe660c62119ab5000980c84831215f2441eba616548e832985"
			      "464cf17e51ee93109008399a21f7e13f" },
	{ "Murray Rothbard", "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f144808843"
			     "cb765f2caef0751b8f007572dab0322217755c0632f365717edbf34d33e87a" },
	{ "F. A. Hayek", "8153ca9833bc3c1b91a7e66e5f4d4f5b59bf9e64c2f20d15f0bba7" },
	{ "Carl Menger", "07af0c9c86e1b4e80f36b04ff7688d51141af3debd0332f0a705ef" },
	{ "Jean-Baptiste Say",
	  "6ab1467c0448cc78394494abaaf23afce0e234315d6e2624dcbfa8a21c1c4d073d" },
	{ "Eugen B\xf6hm von Bawerk",
	  "dfc346c0d2296ae6cf1acf6f12b8456a1dba228cf8d8b774aacf1c47fc53aa80ebc7a4c292" },
};

static Keys vector_keys(void)
{
	return (Keys){
		.initiator =
			key_of("e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1"),
		.initiator_ephemeral =
			key_of("893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a"),
		.responder =
			key_of("4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893"),
		.responder_ephemeral =
			key_of("bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b"),
		.preshared =
			key_of("54686973206973206d7920417573747269616e20706572737065637469766521"),
	};
}

START_TEST(the_public_vector)
{
	g_autoptr(GByteArray) first = g_byte_array_new(), second = g_byte_array_new();
	Keys keys = vector_keys();
	WiceNoiseSymmetric symmetric;
	write_first(&symmetric, &keys, text(VECTOR_PROLOGUE), text(vector[0].payload), first);
	assert_hex(first->data, first->len, vector[0].message);
	write_second(&symmetric, &keys, text(vector[1].payload), second);
	assert_hex(second->data, second->len, vector[1].message);
	assert_hex(symmetric.hash, sizeof symmetric.hash, VECTOR_HASH);

	uint8_t sent[2][32]; /* then they take turns, the initiator first */
	wice__noise_split(&symmetric, sent[0], sent[1]);
	for (size_t i = 2; i < G_N_ELEMENTS(vector); i++) {
		uint8_t sealed[64], nonce[12] = { 0, 0, 0, 0, (uint8_t)((i - 2) / 2) };
		unsigned long long len;
		crypto_aead_chacha20poly1305_ietf_encrypt(
			sealed, &len, (const uint8_t *)vector[i].payload, strlen(vector[i].payload),
			NULL, 0, NULL, nonce, sent[i % 2]);
		assert_hex(sealed, len, vector[i].message);
	}
}
END_TEST

START_TEST(what_was_encrypted_is_decrypted_and_nothing_else_is)
{
	uint8_t sealed[5 + WICE_NOISE_TAG_LEN], plain[5] = { 0 };
	WiceNoiseSymmetric ours, theirs;
	wice__noise_symmetric_init(&ours, "same", 4);
	wice__noise_mix_key(&ours, private_key(1).bytes);
	WiceNoiseSymmetric before = theirs = ours;
	wice__noise_encrypt_and_hash(&ours, "hello", 5, sealed);
	for (size_t bit = 0; bit < 8 * sizeof sealed; bit++) {
		sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_eq(
			wice__noise_decrypt_and_hash(&theirs, sealed, sizeof sealed, plain),
			-EBADMSG);
		sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	ck_assert_mem_eq(&theirs, &before, sizeof before);
	ck_assert_int_eq(wice__noise_decrypt_and_hash(&theirs, sealed, sizeof sealed, plain), 0);
	ck_assert_mem_eq(plain, "hello", 5);
	ck_assert_mem_eq(&theirs, &ours, sizeof ours);
}
END_TEST

/* One end: its own keys, and what it knows of the other. */
typedef struct {
	WiceNoiseIdentity identity;
	WiceNoisePeer peer;
	WiceNoiseHandshake handshake;
	WiceCookieChecker checker;
	WiceCookieMaker maker;
} End;

static void make_end(End *end, const WiceKey *own, const WiceKey *other, const WiceKey *preshared)
{
	memset(end, 0, sizeof *end);
	wice__noise_identity(own, &end->identity);
	end->peer.public_key = public_of(other);
	end->peer.preshared_key = *preshared;
	wice__cookie_checker_init(&end->checker, &end->identity.public_key);
	wice__cookie_maker_init(&end->maker, &end->peer.public_key);
}

static void make_ends(End *initiator, End *responder, const Keys *keys)
{
	make_end(initiator, &keys->initiator, &keys->responder, &keys->preshared);
	make_end(responder, &keys->responder, &keys->initiator, &keys->preshared);
}

static Keys some_keys(void)
{
	return (Keys){ .initiator = private_key(1),
		       .responder = private_key(2),
		       .initiator_ephemeral = private_key(3),
		       .responder_ephemeral = private_key(4),
		       .preshared = private_key(5) };
}

#define WIREGUARD_PROLOGUE "WireGuard v1 zx2c4 Jason@zx2c4.com"
#define INITIATOR_INDEX 0x01020304u
#define RESPONDER_INDEX 0xa1a2a3a4u

static WiceMessageInitiation initiate_at(End *end, const Keys *keys, int64_t realtime_ns)
{
	WiceMessageInitiation message;
	uint8_t timestamp[WICE_TAI64N_LEN];
	wice__tai64n(realtime_ns, timestamp);
	ck_assert_int_eq(wice__noise_create_initiation(&end->handshake, &end->peer, &end->identity,
						       keys->initiator_ephemeral.bytes, timestamp,
						       INITIATOR_INDEX, &message),
			 0);
	wice__cookie_add_macs(&end->maker, (uint8_t *)&message, sizeof message, 0);
	return message;
}

static WiceMessageInitiation initiate(End *end, const Keys *keys)
{
	return initiate_at(end, keys, INT64_C(1600000000000000000));
}

static int accept(End *end, const WiceMessageInitiation *message)
{
	WiceNoiseInitiation initiation;
	int r = wice__noise_read_initiation(&end->identity, message, &initiation);
	if (r != 0)
		return r;
	return wice__noise_accept_initiation(&end->handshake, &end->peer, &end->identity,
					     &initiation, message);
}

static WiceMessageResponse respond(End *end, const Keys *keys)
{
	WiceMessageResponse message;
	ck_assert_int_eq(wice__noise_create_response(&end->handshake, &end->peer,
						     keys->responder_ephemeral.bytes,
						     RESPONDER_INDEX, &message),
			 0);
	wice__cookie_add_macs(&end->maker, (uint8_t *)&message, sizeof message, 0);
	return message;
}

static int read_response(End *end, const WiceMessageResponse *message)
{
	return wice__noise_read_response(&end->handshake, &end->peer, &end->identity, message);
}

START_TEST(the_messages_are_wireguards)
{
	g_autoptr(GByteArray) first = g_byte_array_new(), second = g_byte_array_new();
	Keys keys = some_keys();
	End initiator, responder;
	uint8_t timestamp[WICE_TAI64N_LEN], sent[2][32];
	WiceNoiseSymmetric symmetric;
	WiceNoiseKeys session;
	make_ends(&initiator, &responder, &keys);
	wice__tai64n(INT64_C(1600000000000000000), timestamp);

	write_first(&symmetric, &keys, text(WIREGUARD_PROLOGUE),
		    (WiceSpan){ timestamp, sizeof timestamp }, first);
	WiceMessageInitiation initiation = initiate(&initiator, &keys);
	ck_assert_mem_eq(initiation.type, "\1\0\0\0", 4);
	ck_assert_mem_eq(initiation.sender, "\4\3\2\1", 4);
	ck_assert_uint_eq(first->len, 32 + 48 + 28);
	ck_assert_mem_eq(initiation.ephemeral, first->data, first->len);

	ck_assert_int_eq(accept(&responder, &initiation), 0);
	write_second(&symmetric, &keys, text(""), second);
	WiceMessageResponse response = respond(&responder, &keys);
	ck_assert_mem_eq(response.type, "\2\0\0\0", 4);
	ck_assert_mem_eq(response.sender, "\xa4\xa3\xa2\xa1", 4);
	ck_assert_mem_eq(response.receiver, "\4\3\2\1", 4);
	ck_assert_uint_eq(second->len, 32 + 16);
	ck_assert_mem_eq(response.ephemeral, second->data, second->len);

	wice__noise_split(&symmetric, sent[0], sent[1]);
	ck_assert_int_eq(wice__noise_begin_session(&responder.handshake, &session), 0);
	ck_assert_mem_eq(session.receive, sent[0], 32);
	ck_assert_mem_eq(session.send, sent[1], 32);
}
END_TEST

static void assert_wiped(const WiceNoiseHandshake *handshake)
{
	ck_assert(sodium_is_zero((const uint8_t *)handshake, sizeof *handshake));
}

static void shake_hands(End *initiator, End *responder, const Keys *keys, int64_t realtime_ns)
{
	WiceNoiseKeys ours, theirs;
	WiceMessageInitiation initiation = initiate_at(initiator, keys, realtime_ns);
	ck_assert_int_eq(accept(responder, &initiation), 0);
	WiceMessageResponse response = respond(responder, keys);
	ck_assert_int_eq(read_response(initiator, &response), 0);
	ck_assert_int_eq(wice__noise_begin_session(&initiator->handshake, &ours), 0);
	ck_assert_int_eq(wice__noise_begin_session(&responder->handshake, &theirs), 0);

	ck_assert_mem_eq(ours.send, theirs.receive, 32);
	ck_assert_mem_eq(ours.receive, theirs.send, 32);
	ck_assert_mem_ne(ours.send, ours.receive, 32);
	ck_assert(ours.initiator && !theirs.initiator);
	ck_assert_uint_eq(ours.local_index, INITIATOR_INDEX);
	ck_assert_uint_eq(ours.remote_index, RESPONDER_INDEX);
	ck_assert_uint_eq(theirs.local_index, RESPONDER_INDEX);
	ck_assert_uint_eq(theirs.remote_index, INITIATOR_INDEX);
	assert_wiped(&initiator->handshake);
	assert_wiped(&responder->handshake);
	ck_assert_int_eq(wice__noise_begin_session(&initiator->handshake, &ours), -EPROTO);
}

START_TEST(both_sides_get_the_same_keys_with_and_without_a_preshared_one)
{
	Keys keys = some_keys();
	for (int i = 0; i < 2; i++) {
		End a, b;
		make_ends(&a, &b, &keys);
		shake_hands(&a, &b, &keys, 1000000000);
		shake_hands(&b, &a, &keys, 1000000000); /* the other way round */
		shake_hands(&a, &b, &keys, 2000000000);
		memset(&keys.preshared, 0, sizeof keys.preshared);
	}
}
END_TEST

START_TEST(whose_an_initiation_is_can_be_read)
{
	Keys keys = some_keys();
	End initiator, responder;
	WiceNoiseInitiation read;
	make_ends(&initiator, &responder, &keys);
	WiceMessageInitiation message = initiate(&initiator, &keys);
	ck_assert_int_eq(wice__noise_read_initiation(&responder.identity, &message, &read), 0);
	ck_assert_mem_eq(&read.public_key, &initiator.identity.public_key, WICE_KEY_LEN);
	ck_assert_uint_eq(read.sender, INITIATOR_INDEX);
}
END_TEST

START_TEST(wrong_keys_are_refused)
{
	Keys keys = some_keys(), other = keys;
	End initiator, responder, stranger;
	WiceNoiseInitiation read;
	make_ends(&initiator, &responder, &keys);
	WiceMessageInitiation initiation = initiate(&initiator, &keys);

	/* somebody else's initiation */
	other.responder = private_key(9);
	make_end(&stranger, &other.responder, &keys.initiator, &keys.preshared);
	memset(&read, 0xaa, sizeof read);
	WiceNoiseInitiation unread = read;
	ck_assert_int_eq(wice__noise_read_initiation(&stranger.identity, &initiation, &read),
			 -EBADMSG);
	ck_assert_mem_eq(&read, &unread, sizeof read);

	/* ours, but not this peer's */
	make_end(&stranger, &keys.responder, &other.responder, &keys.preshared);
	End before = stranger;
	ck_assert_int_eq(accept(&stranger, &initiation), -EBADMSG);
	ck_assert_mem_eq(&stranger.handshake, &before.handshake, sizeof before.handshake);
	ck_assert_mem_eq(stranger.peer.timestamp, before.peer.timestamp, WICE_TAI64N_LEN);

	/* another preshared key shows in the response */
	responder.peer.preshared_key = private_key(10);
	ck_assert_int_eq(accept(&responder, &initiation), 0);
	WiceMessageResponse response = respond(&responder, &keys);
	before = initiator;
	ck_assert_int_eq(read_response(&initiator, &response), -EBADMSG);
	ck_assert_mem_eq(&initiator, &before, sizeof before);
}
END_TEST

START_TEST(initiations_must_be_newer_than_all_before)
{
	static const struct {
		int64_t seconds;
		int expected;
	} cases[] = { { 5, 0 }, { 5, -EALREADY }, { 4, -EALREADY }, { 6, 0 }, { 5, -EALREADY } };
	Keys keys = some_keys();
	End initiator, responder;
	make_ends(&initiator, &responder, &keys);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		WiceMessageInitiation message =
			initiate_at(&initiator, &keys, cases[i].seconds * 1000000000);
		End before = responder;
		ck_assert_int_eq(accept(&responder, &message), cases[i].expected);
		if (cases[i].expected != 0)
			ck_assert_mem_eq(&responder, &before, sizeof before);
	}
}
END_TEST

/* A whole receiver: what it is, the macs, then the handshake. */
static int receive(End *end, const void *message, size_t length)
{
	const WiceEndpoint source = { .address = { WICE_FAMILY_IPV4, { 192, 0, 2, 1 } },
				      .port = 1 };
	WiceMessageType type = wice__message_type(message, length);
	if (type == WICE_MESSAGE_INVALID ||
	    wice__cookie_check(&end->checker, message, length, &source, false, 0) ==
		    WICE_MAC_INVALID)
		return -EBADMSG;
	if (type == WICE_MESSAGE_INITIATION)
		return accept(end, message);
	return read_response(end, message);
}

/*
 * mac2 is the exception: nobody looks at it who is not under load. Without the macs the handshake
 * itself finds everything but type and indices.
 */
static void refuse_every_bit(End *end, const void *message, size_t length, size_t noise_at,
			     size_t noise_end)
{
	g_autofree uint8_t *flipped = g_memdup2(message, length);
	End before = *end;
	for (size_t bit = 0; bit < 8 * (length - 16); bit++) {
		flipped[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_eq(receive(end, flipped, length), -EBADMSG);
		if (bit >= 8 * noise_at && bit < 8 * noise_end)
			ck_assert_int_eq(length == sizeof(WiceMessageInitiation)
						 ? accept(end, (const void *)flipped)
						 : read_response(end, (const void *)flipped),
					 -EBADMSG);
		flipped[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_mem_eq(end, &before, sizeof before);
	}
	ck_assert_int_eq(receive(end, message, length), 0);
}

START_TEST(every_flipped_bit_is_refused_and_changes_nothing)
{
	Keys keys = some_keys();
	End initiator, responder;
	make_ends(&initiator, &responder, &keys);
	shake_hands(&initiator, &responder, &keys, 1000000000); /* static_static is known */
	WiceMessageInitiation initiation = initiate(&initiator, &keys);
	refuse_every_bit(&responder, &initiation, sizeof initiation,
			 offsetof(WiceMessageInitiation, ephemeral),
			 offsetof(WiceMessageInitiation, mac1));
	WiceMessageResponse response = respond(&responder, &keys);
	refuse_every_bit(&initiator, &response, sizeof response,
			 offsetof(WiceMessageResponse, ephemeral),
			 offsetof(WiceMessageResponse, mac1));
}
END_TEST

/* The u of order 1, 2, 4 and 8 and what is the same modulo 2^255 - 19. */
static const char *const low_order[] = {
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

/*
 * An initiation to whom calls itself responder, of one who claims to have that key; the DH of both
 * static keys is thought to be zero.
 */
static WiceMessageInitiation forge(const Keys *keys, const WiceKey *responder,
				   const WiceKey *claimed)
{
	static const uint8_t zero[32];
	WiceKey ephemeral = public_of(&keys->initiator_ephemeral);
	uint8_t timestamp[WICE_TAI64N_LEN] = { 0x50 };
	WiceMessageInitiation message = { .type = { WICE_MESSAGE_INITIATION } };
	WiceNoiseSymmetric symmetric;
	wice__noise_symmetric_init(&symmetric, WIREGUARD_PROLOGUE, strlen(WIREGUARD_PROLOGUE));
	wice__noise_mix_hash(&symmetric, responder->bytes, 32);
	memcpy(message.ephemeral, ephemeral.bytes, 32);
	wice__noise_mix_hash(&symmetric, ephemeral.bytes, 32);
	wice__noise_mix_key(&symmetric, ephemeral.bytes);
	mix_dh(&symmetric, &keys->initiator_ephemeral, &keys->responder);
	wice__noise_encrypt_and_hash(&symmetric, claimed->bytes, 32, message.encrypted_static);
	wice__noise_mix_key(&symmetric, zero);
	wice__noise_encrypt_and_hash(&symmetric, timestamp, sizeof timestamp,
				     message.encrypted_timestamp);
	return message;
}

static void refuse_low_order_peer(const Keys *keys, const WiceKey *low)
{
	End initiator, responder;
	WiceMessageResponse response;
	WiceNoiseInitiation read;
	make_ends(&initiator, &responder, keys);
	/* every DH with the key would be zero */
	WiceMessageInitiation forged = forge(keys, &responder.identity.public_key, low);
	WiceMessageInitiation initiation = initiate(&initiator, keys);
	ck_assert_int_eq(accept(&responder, &initiation), 0);
	initiator.peer.public_key = responder.peer.public_key = *low;
	wice__noise_peer_reset(&initiator.peer);
	wice__noise_peer_reset(&responder.peer);

	End before = initiator;
	ck_assert_int_eq(wice__noise_create_initiation(&initiator.handshake, &initiator.peer,
						       &initiator.identity,
						       keys->initiator_ephemeral.bytes,
						       before.peer.timestamp, 1, &initiation),
			 -EKEYREJECTED);
	ck_assert_mem_eq(&initiator, &before, sizeof before);
	before = responder;
	ck_assert_int_eq(wice__noise_create_response(&responder.handshake, &responder.peer,
						     keys->responder_ephemeral.bytes, 1, &response),
			 -EKEYREJECTED);
	ck_assert_int_eq(wice__noise_read_initiation(&responder.identity, &forged, &read), 0);
	ck_assert_mem_eq(&read.public_key, low, sizeof *low);
	ck_assert_int_eq(accept(&responder, &forged), -EBADMSG);
	ck_assert_mem_eq(&responder, &before, sizeof before);
}

START_TEST(keys_of_low_order_are_refused)
{
	Keys keys = some_keys();
	for (size_t i = 0; i < 2 * G_N_ELEMENTS(low_order); i++) {
		End initiator, responder;
		WiceKey low = key_of(low_order[i / 2]);
		low.bytes[31] |= i % 2 ? 0x80 : 0; /* a bit that X25519 ignores */
		refuse_low_order_peer(&keys, &low);

		make_ends(&initiator, &responder, &keys);
		WiceMessageInitiation initiation = initiate(&initiator, &keys);
		WiceMessageInitiation low_initiation = initiation;
		memcpy(low_initiation.ephemeral, low.bytes, WICE_KEY_LEN);
		ck_assert_int_eq(accept(&responder, &low_initiation), -EBADMSG);
		ck_assert_int_eq(accept(&responder, &initiation), 0);
		WiceMessageResponse response = respond(&responder, &keys);
		memcpy(response.ephemeral, low.bytes, WICE_KEY_LEN);
		ck_assert_int_eq(read_response(&initiator, &response), -EBADMSG);
		responder.handshake.state = WICE_NOISE_INITIATION_READ;
		responder.handshake.remote_ephemeral = low;
		ck_assert_int_eq(wice__noise_create_response(&responder.handshake, &responder.peer,
							     keys.responder_ephemeral.bytes, 1,
							     &response),
				 -EKEYREJECTED);
	}
}
END_TEST

START_TEST(messages_come_in_their_order)
{
	Keys keys = some_keys();
	End initiator, responder;
	WiceNoiseKeys session;
	WiceMessageResponse response;
	make_ends(&initiator, &responder, &keys);
	ck_assert_int_eq(wice__noise_create_response(&responder.handshake, &responder.peer,
						     keys.responder_ephemeral.bytes, 1, &response),
			 -EPROTO);
	WiceMessageInitiation initiation = initiate(&initiator, &keys);
	ck_assert_int_eq(wice__noise_begin_session(&initiator.handshake, &session), -EPROTO);
	ck_assert_int_eq(accept(&responder, &initiation), 0);
	ck_assert_int_eq(wice__noise_begin_session(&responder.handshake, &session), -EPROTO);
	response = respond(&responder, &keys);
	ck_assert_int_eq(wice__noise_create_response(&responder.handshake, &responder.peer,
						     keys.responder_ephemeral.bytes, 1, &response),
			 -EPROTO);

	response.receiver[0] ^= 1; /* to another handshake of ours */
	ck_assert_int_eq(read_response(&initiator, &response), -EBADMSG);
	response.receiver[0] ^= 1;
	initiator.handshake.state = WICE_NOISE_NONE;
	ck_assert_int_eq(read_response(&initiator, &response), -EBADMSG);
	initiator.handshake.state = WICE_NOISE_INITIATION_SENT;
	ck_assert_int_eq(read_response(&initiator, &response), 0);
	ck_assert_int_eq(read_response(&initiator, &response), -EBADMSG); /* again */
	ck_assert_int_eq(wice__noise_begin_session(&initiator.handshake, &session), 0);
	ck_assert_int_eq(read_response(&initiator, &response), -EBADMSG);
}
END_TEST

START_TEST(a_response_to_an_older_initiation_is_refused)
{
	Keys keys = some_keys(), again = keys;
	End initiator, responder;
	make_ends(&initiator, &responder, &keys);
	WiceMessageInitiation initiation = initiate(&initiator, &keys);
	ck_assert_int_eq(accept(&responder, &initiation), 0);
	WiceMessageResponse response = respond(&responder, &keys);
	again.initiator_ephemeral = private_key(33);
	initiate(&initiator, &again);
	ck_assert_int_eq(read_response(&initiator, &response), -EBADMSG);
}
END_TEST

START_TEST(without_a_private_key_there_is_no_handshake)
{
	Keys keys = some_keys();
	WiceKey none = { 0 };
	End initiator, responder;
	WiceNoiseInitiation read;
	make_ends(&initiator, &responder, &keys);
	WiceMessageInitiation initiation = initiate(&initiator, &keys);
	wice__noise_identity(&none, &responder.identity);
	ck_assert(wice_key_is_zero(&responder.identity.public_key));
	End before = responder;
	ck_assert_int_eq(wice__noise_read_initiation(&responder.identity, &initiation, &read),
			 -EBADMSG);
	keys.responder = none; /* everybody knows that */
	initiation = forge(&keys, &none, &none);
	ck_assert_int_eq(wice__noise_read_initiation(&responder.identity, &initiation, &read),
			 -EBADMSG);
	ck_assert_int_eq(wice__noise_create_initiation(&responder.handshake, &responder.peer,
						       &responder.identity,
						       keys.initiator_ephemeral.bytes,
						       responder.peer.timestamp, 1, &initiation),
			 -ENOKEY);
	ck_assert_mem_eq(&responder, &before, sizeof before);
}
END_TEST

START_TEST(a_new_private_key_needs_a_reset_only)
{
	Keys keys = some_keys();
	End initiator, responder;
	make_ends(&initiator, &responder, &keys);
	ck_assert(!initiator.peer.has_static_static);
	shake_hands(&initiator, &responder, &keys, 1000000000);
	ck_assert(initiator.peer.has_static_static && responder.peer.has_static_static);
	ck_assert_mem_eq(&initiator.peer.static_static, &responder.peer.static_static,
			 WICE_KEY_LEN);

	keys.responder = private_key(77);
	wice__noise_identity(&keys.responder, &responder.identity);
	initiator.peer.public_key = responder.identity.public_key;
	wice__noise_peer_reset(&initiator.peer);
	wice__noise_peer_reset(&responder.peer);
	ck_assert(wice_key_is_zero(&initiator.peer.static_static));
	shake_hands(&initiator, &responder, &keys, 2000000000);
}
END_TEST

static const struct {
	int64_t realtime_ns;
	const char *timestamp;
} timestamps[] = {
	{ 0, "400000000000000a00000000" },
	{ 999999999, "400000000000000a3b000000" },
	{ 1000000000, "400000000000000b00000000" },
	{ INT64_C(1600000000000000000) + (1 << 24) - 1, "400000005f5e100a00000000" },
	{ INT64_C(1600000000000000000) + (1 << 24), "400000005f5e100a01000000" },
	{ -1, "40000000000000093b000000" },
	{ INT64_MAX, "4000000225c17d0e32000000" },
};

START_TEST(timestamps_are_tai64n_and_coarse)
{
	for (size_t i = 0; i < G_N_ELEMENTS(timestamps); i++) {
		uint8_t timestamp[WICE_TAI64N_LEN];
		wice__tai64n(timestamps[i].realtime_ns, timestamp);
		assert_hex(timestamp, sizeof timestamp, timestamps[i].timestamp);
	}
}
END_TEST

SUITE_MAIN("noise", the_public_vector, what_was_encrypted_is_decrypted_and_nothing_else_is,
	   the_messages_are_wireguards,
	   both_sides_get_the_same_keys_with_and_without_a_preshared_one,
	   whose_an_initiation_is_can_be_read, wrong_keys_are_refused,
	   initiations_must_be_newer_than_all_before,
	   every_flipped_bit_is_refused_and_changes_nothing, keys_of_low_order_are_refused,
	   messages_come_in_their_order, a_response_to_an_older_initiation_is_refused,
	   without_a_private_key_there_is_no_handshake, a_new_private_key_needs_a_reset_only,
	   timestamps_are_tai64n_and_coarse)
