/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ChaCha20-Poly1305 for many packets at once. An instance, one for each kind of processor, is a file
 * that is compiled for it and includes this after it has defined
 *
 *	LANES                                 32-bit words in a vector: 4, 8 or 16
 *	Words rotate(Words v, int n)          each word to the left; n is 7, 8, 12 or 16
 *	void transpose(Words v[LANES])        word i of vector j becomes word j of vector i
 *	void load_pair(const uint8_t *const at[LANES / 2], size_t offset, Limbs ret[4])
 *	                                      of 32 bytes at each place the 8-byte words, each to a vector
 *
 * and one of aead_poly26.h and aead_poly44.h. There is nothing of a certain processor in here.
 *
 * Packets are taken in groups of as many as there are lanes:
 *
 *	1. The first block of each packet's stream, whose beginning is the key of its tag: one run of
 *	   ChaCha20 for the whole group. Lanes that remain in a small group make the stream of the first
 *	   data, for later.
 *	2. The data: a run makes the blocks of as many lanes, whichever packets they belong to.
 *	3. The tags of half a group at a time, since Poly1305 counts in words of twice the size. A lane
 *	   holds a packet: long and short ones side by side waste lanes, so that packets are sorted by
 *	   their lengths first. One that is alone is a third faster without vectors.
 *
 * To open, tags come before data.
 *
 * What is hashed of a packet (RFC 8439 section 2.8: its data, zeros up to a whole block, and a block
 * with the length) is read in pairs of blocks, and all lanes end with the same pair. Those that are
 * shorter begin later: until then they read what the longest reads, and their sum is zero when they
 * begin. An odd number of blocks begins with half a pair: a block that adds nothing to a sum of zero.
 * Pairs which are not in the packet as they are, the first of that kind and the last, are copied.
 */
#include "crypto/aead.h"
#include "crypto/aead_poly1305.h"
#include "crypto/aead_provider.h"
#include "crypto/aead_vector.h"
#include <sodium.h>

#define HALF (LANES / 2)
#define BLOCK_LEN 64
#define PIECES (16 / LANES) /* vectors in a block */
#define PAIR_LEN 32

/* The blocks of a run. */
typedef struct {
	uint32_t number[LANES]; /* in the packet's stream */
	uint32_t nonce[2][LANES];
	uint8_t *data[LANES];
	uint32_t len[LANES]; /* bytes of data, or 0 */
} Run;

/* Where a group's data is not yet in a run. */
typedef struct {
	WiceAeadPacket *const *packet, *const *end;
	uint32_t offset;
} Cursor;

/* What a lane hashes. */
typedef struct {
	const uint8_t *data;
	uint32_t pairs;
	bool odd;
	uint8_t first[PAIR_LEN], last[PAIR_LEN];
} Message;

typedef struct {
	Message messages[HALF]; /* the longest first */
	const uint8_t *at[HALF];
	uint64_t keep[HALF]; /* all ones, or none for lanes that begin */
	uint64_t bits[HALF]; /* all ones, or none for lanes whose first block is none */
	uint64_t key[4][HALF];
	uint64_t low[HALF], high[HALF]; /* sums, to which the key's second half is to be added */
	Powers powers;
} Hash;

/* All that is secret, to be wiped at the end. */
typedef struct {
	uint8_t stream[LANES][BLOCK_LEN]; /* of the group's first run */
	uint8_t block[BLOCK_LEN];
	Run first, runs[2];
	Hash hash;
	uint8_t tags[LANES][WICE_AEAD_TAG_LEN];
} Scratch;

INLINE void quarter_round(Words *a, Words *b, Words *c, Words *d)
{
	*a += *b;
	*d = rotate(*d ^ *a, 16);
	*c += *d;
	*b = rotate(*b ^ *c, 12);
	*a += *b;
	*d = rotate(*d ^ *a, 8);
	*c += *d;
	*b = rotate(*b ^ *c, 7);
}

/* RFC 8439 section 2.3. Block i of the run is vectors i, i + LANES... */
INLINE void chacha(const uint32_t key[8], const Run *run, Words v[16])
{
	static const uint32_t constants[4] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 };
	for (int i = 0; i < 4; i++)
		v[i] = (Words){ 0 } + constants[i];
	for (int i = 0; i < 8; i++)
		v[4 + i] = (Words){ 0 } + key[i];
	v[12] = load_words(run->number);
	v[13] = (Words){ 0 };
	v[14] = load_words(run->nonce[0]);
	v[15] = load_words(run->nonce[1]);
	for (int i = 0; i < 10; i++) {
		quarter_round(&v[0], &v[4], &v[8], &v[12]);
		quarter_round(&v[1], &v[5], &v[9], &v[13]);
		quarter_round(&v[2], &v[6], &v[10], &v[14]);
		quarter_round(&v[3], &v[7], &v[11], &v[15]);
		quarter_round(&v[0], &v[5], &v[10], &v[15]);
		quarter_round(&v[1], &v[6], &v[11], &v[12]);
		quarter_round(&v[2], &v[7], &v[8], &v[13]);
		quarter_round(&v[3], &v[4], &v[9], &v[14]);
	}
	for (int i = 0; i < 4; i++)
		v[i] += constants[i];
	for (int i = 0; i < 8; i++)
		v[4 + i] += key[i];
	v[12] += load_words(run->number);
	v[14] += load_words(run->nonce[0]);
	v[15] += load_words(run->nonce[1]);
	for (int i = 0; i < 16; i += LANES)
		transpose(v + i);
}

static void set_lane(Run *run, size_t lane, const WiceAeadPacket *packet, uint32_t number)
{
	run->number[lane] = number;
	run->nonce[0][lane] = (uint32_t)packet->counter;
	run->nonce[1][lane] = (uint32_t)(packet->counter >> 32);
}

/* Fills the lanes from the given one on with what data there is. False if there is none. */
static bool take_data(Run *run, size_t lane, Cursor *cursor)
{
	size_t first = lane;
	for (; cursor->packet < cursor->end; cursor->packet++, cursor->offset = 0) {
		const WiceAeadPacket *packet = *cursor->packet;
		for (; cursor->offset < packet->length; cursor->offset += BLOCK_LEN, lane++) {
			uint32_t left = packet->length - cursor->offset;
			if (lane == LANES)
				return true;
			set_lane(run, lane, packet, 1 + cursor->offset / BLOCK_LEN);
			run->data[lane] = packet->data + cursor->offset;
			run->len[lane] = left < BLOCK_LEN ? left : BLOCK_LEN;
		}
	}
	for (size_t i = lane; i < LANES; i++) {
		run->data[i] = NULL;
		run->len[i] = 0;
	}
	return lane > first;
}

static void xor_bytes(uint8_t *data, const uint8_t *stream, size_t len)
{
	for (; len >= 8; len -= 8, data += 8, stream += 8) {
		uint64_t a, b;
		memcpy(&a, data, 8);
		memcpy(&b, stream, 8);
		a ^= b;
		memcpy(data, &a, 8);
	}
	for (size_t i = 0; i < len; i++)
		data[i] ^= stream[i];
}

/* Encrypts, or decrypts, the blocks of a run. */
static void crypt_run(const uint32_t key[8], const Run *run, Scratch *scratch)
{
	Words v[16];
	chacha(key, run, v);
#pragma GCC unroll 16
	for (int lane = 0; lane < LANES; lane++) {
		uint8_t *data = run->data[lane];
		bool whole = run->len[lane] == BLOCK_LEN;
		uint8_t *to = whole ? data : scratch->block;
		for (int piece = 0; piece < PIECES; piece++) {
			Words stream = v[lane + piece * LANES];
			if (whole)
				stream ^= load_words(data + piece * VECTOR_LEN);
			store_words(to + piece * VECTOR_LEN, stream);
		}
		if (!whole)
			xor_bytes(data, scratch->block, run->len[lane]);
	}
}

/*
 * A run is made ready while the one before it is at work: a vector that is loaded right after its words
 * were stored one by one waits for them (5 to 8 % of all).
 */
static void crypt_data(const uint32_t key[8], Scratch *scratch, Cursor cursor)
{
	for (size_t lane = 0; lane < LANES; lane++)
		xor_bytes(scratch->first.data[lane], scratch->stream[lane],
			  scratch->first.len[lane]);
	size_t turn = 0;
	bool more = take_data(&scratch->runs[0], 0, &cursor);
	while (more) {
		const Run *run = &scratch->runs[turn];
		turn = 1 - turn;
		more = take_data(&scratch->runs[turn], 0, &cursor);
		crypt_run(key, run, scratch);
	}
}

/* The group's first run: its lanes with data are those that crypt_data() finds in first. */
static void start_streams(const uint32_t key[8], Scratch *scratch, Cursor *cursor)
{
	Words v[16];
	size_t n = (size_t)(cursor->end - cursor->packet);
	for (size_t lane = 0; lane < n; lane++) {
		set_lane(&scratch->first, lane, cursor->packet[lane], 0);
		scratch->first.data[lane] = NULL;
		scratch->first.len[lane] = 0;
	}
	take_data(&scratch->first, n, cursor);
	chacha(key, &scratch->first, v);
	for (int lane = 0; lane < LANES; lane++)
		for (int piece = 0; piece < PIECES; piece++)
			store_words(scratch->stream[lane] + piece * VECTOR_LEN,
				    v[lane + piece * LANES]);
}

static void set_message(Message *message, const WiceAeadPacket *packet)
{
	uint32_t blocks = (packet->length + 15) / 16 + 1;
	uint32_t rest = packet->length ? (packet->length - 1) % 16 + 1 : 0;
	uint64_t length[2] = { 0, packet->length };
	message->data = packet->data;
	message->odd = blocks % 2;
	message->pairs = (blocks + 1) / 2;
	memset(message->last, 0, 16);
	memcpy(message->last, packet->data + packet->length - rest, rest);
	memcpy(message->last + 16, length, 16);
	if (message->odd && message->pairs > 1) {
		memset(message->first, 0, 16);
		memcpy(message->first + 16, packet->data, 16);
	}
}

/* Says where a lane reads at a turn, and returns for how many turns that holds. */
static uint32_t place(Hash *hash, size_t lane, uint32_t turn)
{
	const Message *message = &hash->messages[lane];
	uint32_t begin = hash->messages[0].pairs - message->pairs;
	hash->keep[lane] = hash->bits[lane] = UINT64_MAX;
	if (turn < begin) {
		hash->at[lane] = hash->at[0];
		return begin - turn;
	}
	turn -= begin;
	if (turn == 0) {
		hash->keep[lane] = 0;
		hash->bits[lane] = message->odd ? 0 : UINT64_MAX;
	}
	if (turn + 1 == message->pairs) {
		hash->at[lane] = message->last;
		return 1;
	}
	if (turn == 0 && message->odd) {
		hash->at[lane] = message->first;
		return 1;
	}
	hash->at[lane] = message->data + turn * PAIR_LEN - (message->odd ? 16 : 0);
	return message->pairs - 1 - turn;
}

/* hash has messages and keys; it gets sums. */
static void poly(Hash *hash)
{
	Limbs sum[POLY_LIMBS] = { 0 }, words[4];
	poly_begin(&hash->powers, load_limbs(hash->key[0]), load_limbs(hash->key[1]));
	for (uint32_t turn = 0, turns; turn < hash->messages[0].pairs; turn += turns) {
		turns = UINT32_MAX;
		for (size_t lane = 0; lane < HALF; lane++) {
			uint32_t holds = place(hash, lane, turn);
			turns = holds < turns ? holds : turns;
		}
		Limbs keep = load_limbs(hash->keep), bits = load_limbs(hash->bits);
		for (int i = 0; i < POLY_LIMBS; i++)
			sum[i] &= keep;
		for (size_t offset = 0; offset < (size_t)turns * PAIR_LEN; offset += PAIR_LEN) {
			load_pair(hash->at, offset, words);
			poly_absorb(&hash->powers, sum, words, bits);
		}
	}
	poly_end(sum, &words[0], &words[1]);
	store_limbs(hash->low, words[0]);
	store_limbs(hash->high, words[1]);
}

/* The tags of up to half a group; lanes that remain do as the first one does. */
static void authenticate(Scratch *scratch, WiceAeadPacket *const *packets, size_t from, size_t n)
{
	Hash *hash = &scratch->hash;
	if (n - from == 1) {
		wice__poly1305_tag(scratch->stream[from], packets[from]->data,
				   packets[from]->length, scratch->tags[from]);
		return;
	}
	for (size_t lane = 0; lane < HALF; lane++) {
		size_t i = from + lane < n ? from + lane : from;
		set_message(&hash->messages[lane], packets[i]);
		for (int word = 0; word < 4; word++)
			memcpy(&hash->key[word][lane], scratch->stream[i] + 8 * word, 8);
	}
	poly(hash);
	for (size_t lane = 0; lane < HALF && from + lane < n; lane++) {
		uint64_t low = hash->low[lane] + hash->key[2][lane];
		uint64_t high = hash->high[lane] + hash->key[3][lane] + (low < hash->low[lane]);
		memcpy(scratch->tags[from + lane], &low, sizeof low);
		memcpy(scratch->tags[from + lane] + sizeof low, &high, sizeof high);
	}
}

static void crypt_group(const uint32_t key[8], Scratch *scratch, WiceAeadPacket *const *packets,
			size_t n, bool sealing)
{
	Cursor cursor = { packets, packets + n, 0 };
	start_streams(key, scratch, &cursor);
	if (sealing)
		crypt_data(key, scratch, cursor);
	for (size_t from = 0; from < n; from += HALF)
		authenticate(scratch, packets, from, n);
	for (size_t i = 0; i < n; i++) {
		uint8_t *tag = packets[i]->data + packets[i]->length;
		if (sealing)
			memcpy(tag, scratch->tags[i], WICE_AEAD_TAG_LEN);
		else
			packets[i]->ok = wice__aead_tags_equal(tag, scratch->tags[i]);
	}
	if (!sealing)
		crypt_data(key, scratch, cursor);
}

/* The longest first; insertion sort, since nearly all batches are of one length. */
static void sort(WiceAeadPacket *packets, size_t n, WiceAeadPacket *ret_sorted[])
{
	for (size_t i = 0; i < n; i++) {
		size_t j = i;
		for (; j > 0 && ret_sorted[j - 1]->length < packets[i].length; j--)
			ret_sorted[j] = ret_sorted[j - 1];
		ret_sorted[j] = &packets[i];
	}
}

static void crypt_packets(const uint8_t key[WICE_AEAD_KEY_LEN], WiceAeadPacket *packets, size_t n,
			  bool sealing)
{
	Scratch scratch;
	WiceAeadPacket *sorted[WICE_AEAD_MAX_BATCH];
	uint32_t words[8];
	memcpy(words, key, sizeof words);
	while (n > 0) {
		size_t slice = n < WICE_AEAD_MAX_BATCH ? n : WICE_AEAD_MAX_BATCH;
		sort(packets, slice, sorted);
		for (size_t i = 0; i < slice; i += LANES) {
			size_t group = slice - i < LANES ? slice - i : LANES;
			crypt_group(words, &scratch, sorted + i, group, sealing);
		}
		packets += slice;
		n -= slice;
	}
	sodium_memzero(&scratch, sizeof scratch);
	sodium_memzero(words, sizeof words);
}
