/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Every provider that is usable here against the RFC, against libsodium, and against wrong packets. */
#include "crypto/aead.h"

#include "suite.h"
#include <glib.h>
#include <sodium.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TAG WICE_AEAD_TAG_LEN
#define BATCH WICE_AEAD_MAX_BATCH
#define MAX_LEN 65535

/* AddressSanitizer makes everything many times slower. */
#ifdef __SANITIZE_ADDRESS__
#define SLOW 40
#else
#define SLOW 1
#endif

static uint8_t key[WICE_AEAD_KEY_LEN] = "a key that is 32 bytes long, so:";
static const WiceAeadProvider *usable[16];
static size_t n_usable;

static void find_usable(void)
{
	const WiceAeadProvider *const *all;
	size_t n = wice__aead_providers(&all);
	ck_assert_uint_le(n, G_N_ELEMENTS(usable));
	for (size_t i = 0; i < n; i++) {
		if (!all[i]->usable())
			continue;
		ck_assert_msg(wice__aead_find(all[i]->name), "%s fails its self-test",
			      all[i]->name);
		usable[n_usable++] = all[i];
	}
	ck_assert_uint_gt(n_usable, 0);
}

static void fill(GRand *rand, uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i += 4) {
		uint32_t word = g_rand_int(rand);
		memcpy(bytes + i, &word, MIN(4, len - i));
	}
}

static uint64_t random_counter(GRand *rand)
{
	return (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand);
}

/* What libsodium makes of a packet's data, length + TAG bytes. */
static void reference(const WiceAeadPacket *packet, const uint8_t *plain, uint8_t *ret_sealed)
{
	uint8_t nonce[12] = { 0 };
	for (int i = 0; i < 8; i++)
		nonce[4 + i] = (uint8_t)(packet->counter >> (8 * i));
	crypto_aead_chacha20poly1305_ietf_encrypt(ret_sealed, NULL, plain, packet->length, NULL, 0,
						  NULL, nonce, key);
}

/* RFC 8439 appendix A.1: those of its blocks that a packet with a nonce like ours begins with. */
static const struct {
	uint8_t last_key_byte;
	const char *stream;
} blocks[] = {
	{ 0, "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
	     "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f" },
	{ 1, "3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a"
	     "8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36125a64addeb006c13a0" },
};

START_TEST(streams_are_those_of_the_rfc)
{
	find_usable();
	for (size_t i = 0; i < G_N_ELEMENTS(blocks); i++)
		for (size_t j = 0; j < n_usable; j++) {
			uint8_t zeros[WICE_AEAD_KEY_LEN] = { 0 }, data[64 + TAG] = { 0 },
				expected[64];
			WiceAeadPacket packet = { data, 64, false, 0 };
			zeros[31] = blocks[i].last_key_byte;
			sodium_hex2bin(expected, 64, blocks[i].stream, 128, NULL, NULL, NULL);
			usable[j]->seal(zeros, &packet, 1);
			ck_assert_mem_eq(data, expected, 64);
			usable[j]->open(zeros, &packet, 1);
			ck_assert(packet.ok && sodium_is_zero(data, 64));
		}
}
END_TEST

/* A batch as it should be, and a copy that a provider works on. */
typedef struct {
	size_t n;
	WiceAeadPacket packets[BATCH];
	uint8_t *plain[BATCH], *sealed[BATCH];
	uint8_t *memory;
} Batch;

static void batch_init(Batch *batch, const uint16_t *lengths, size_t n, const uint8_t *noise)
{
	size_t total = 0, at = 0;
	for (size_t i = 0; i < n; i++)
		total += lengths[i] + TAG;
	batch->n = n;
	batch->memory = g_malloc(2 * total);
	for (size_t i = 0; i < n; i++) {
		batch->plain[i] = (uint8_t *)noise + lengths[i] % 64;
		batch->sealed[i] = batch->memory + at;
		batch->packets[i] = (WiceAeadPacket){ batch->memory + total + at, lengths[i], false,
						      (uint64_t)lengths[i] * 0x123456789abcdef };
		reference(&batch->packets[i], batch->plain[i], batch->sealed[i]);
		at += lengths[i] + TAG;
	}
}

static void batch_done(Batch *batch)
{
	g_free(batch->memory);
}

static void check_batch(Batch *batch, const WiceAeadProvider *provider)
{
	for (size_t i = 0; i < batch->n; i++)
		memcpy(batch->packets[i].data, batch->plain[i], batch->packets[i].length);
	provider->seal(key, batch->packets, batch->n);
	for (size_t i = 0; i < batch->n; i++)
		ck_assert_msg(memcmp(batch->packets[i].data, batch->sealed[i],
				     batch->packets[i].length + TAG) == 0,
			      "%s sealed %u bytes wrongly, packet %zu of %zu", provider->name,
			      batch->packets[i].length, i, batch->n);
	provider->open(key, batch->packets, batch->n);
	for (size_t i = 0; i < batch->n; i++)
		ck_assert_msg(batch->packets[i].ok &&
				      memcmp(batch->packets[i].data, batch->plain[i],
					     batch->packets[i].length) == 0,
			      "%s opened %u bytes wrongly, packet %zu of %zu", provider->name,
			      batch->packets[i].length, i, batch->n);
}

/* All lengths, shuffled, in batches of 1, 2... 64, 1, 2... */
START_TEST(every_length_is_as_with_libsodium)
{
	uint16_t *lengths = g_new(uint16_t, MAX_LEN + 1);
	uint8_t *noise = g_malloc(MAX_LEN + 64);
	GRand *rand = g_rand_new_with_seed(8439);
	size_t total = 0;
	find_usable();
	fill(rand, noise, MAX_LEN + 64);
	for (uint32_t length = 0; length <= MAX_LEN; length += length < 300 ? 1 : SLOW)
		lengths[total++] = (uint16_t)length;
	for (size_t i = total - 1; i > 0; i--) {
		size_t j = (size_t)g_rand_int_range(rand, 0, (gint32)i + 1);
		uint16_t swapped = lengths[i];
		lengths[i] = lengths[j];
		lengths[j] = swapped;
	}
	for (size_t i = 0, n = 1; i < total; i += n, n = n % BATCH + 1) {
		Batch batch;
		batch_init(&batch, lengths + i, MIN(n, total - i), noise);
		for (size_t j = 0; j < n_usable; j++)
			check_batch(&batch, usable[j]);
		batch_done(&batch);
	}
	g_rand_free(rand);
	g_free(noise);
	g_free(lengths);
}
END_TEST

/* Equal lengths, which is what most batches have, and every size of a batch. */
START_TEST(every_batch_of_equal_packets_is_as_with_libsodium)
{
	static const uint16_t each[] = { 0, 16, 64, 65, 576, 1424 };
	uint8_t *noise = g_malloc0(MAX_LEN + 64);
	find_usable();
	for (size_t i = 0; i < G_N_ELEMENTS(each); i++)
		for (size_t n = 1; n <= BATCH; n++) {
			uint16_t lengths[BATCH];
			Batch batch;
			for (size_t j = 0; j < n; j++)
				lengths[j] = each[i];
			batch_init(&batch, lengths, n, noise);
			for (size_t j = 0; j < n_usable; j++)
				check_batch(&batch, usable[j]);
			batch_done(&batch);
		}
	g_free(noise);
}
END_TEST

/* Data of all ones and keys that are extreme make carries that noise does not. */
START_TEST(extreme_numbers_are_as_with_libsodium)
{
	static const uint16_t lengths[] = { 0, 15, 16, 32, 48, 64, 496, 1424, 9000, MAX_LEN };
	uint8_t *noise = g_malloc(MAX_LEN + 64), old[sizeof key];
	find_usable();
	memcpy(old, key, sizeof key);
	for (int value = 0; value < 512; value += SLOW) {
		Batch batch;
		GRand *rand = g_rand_new_with_seed((guint32)value);
		memset(noise, value % 2 ? 0xff : value / 2, MAX_LEN + 64);
		fill(rand, key, sizeof key);
		batch_init(&batch, lengths, value % 64 ? 8 : 10, noise);
		for (size_t i = 0; i < n_usable; i++)
			check_batch(&batch, usable[i]);
		batch_done(&batch);
		g_rand_free(rand);
	}
	memcpy(key, old, sizeof key);
	g_free(noise);
}
END_TEST

#define HASHED 1024
#define TOGETHER 9 /* fills lanes, and one remains */

/* Poly1305 alone, where the sum is about 2^130: the stream makes of the data what the test wants hashed. */
static void check_hashed(const WiceAeadProvider *provider, const uint8_t *hashed, uint32_t length)
{
	uint8_t stream[HASHED + TAG] = { 0 }, data[TOGETHER][HASHED + TAG], expected[HASHED + TAG];
	WiceAeadPacket packets[TOGETHER] = { { stream, length, false, length } };
	usable[n_usable - 1]->seal(key, packets, 1);
	for (uint32_t i = 0; i < length; i++)
		data[0][i] = stream[i] ^ hashed[i];
	reference(packets, data[0], expected);
	ck_assert_mem_eq(expected, hashed, length);
	for (size_t i = 0; i < TOGETHER; i++) {
		memcpy(data[i], data[0], length);
		packets[i] = (WiceAeadPacket){ data[i], length, false, length };
	}
	provider->seal(key, packets, TOGETHER);
	for (size_t i = 0; i < TOGETHER; i++)
		ck_assert_mem_eq(data[i], expected, length + TAG);
}

START_TEST(extreme_ciphertexts_are_as_with_libsodium)
{
	static const uint8_t values[] = { 0x00, 0x01, 0x7f, 0x80, 0xfb, 0xfc, 0xff };
	uint8_t hashed[HASHED];
	find_usable();
	for (size_t i = 0; i < n_usable; i++)
		for (size_t j = 0; j < G_N_ELEMENTS(values) * G_N_ELEMENTS(values); j++)
			for (uint32_t length = 0; length <= sizeof hashed; length += 16) {
				memset(hashed, values[j % 7], sizeof hashed);
				for (size_t k = 0; k < sizeof hashed; k += 16)
					hashed[k] = values[j / 7];
				check_hashed(usable[i], hashed, length);
			}
}
END_TEST

/*
 * Packets of 16 bytes, sealed with the key above, whose sums are, modulo 2^130 - 5: 0, 1, 4, 5, -1, -2^126,
 * 2^128 and 2^128 - 1. Before they are reduced, the first three are 2^130 - 5 and more. Computed in Python,
 * by solving for the data.
 */
static const struct {
	uint64_t counter;
	const char *sealed;
} sums[] = {
	{ 1, "6105c910bb02d6ec3f9ad430b593d6cb2621f2d95c02beb68e44378cb23d8745" },
	{ 3, "d97f788037a74b2b287dcb937c2d073529310d30736e0456f3e60c40d229d9da" },
	{ 7, "438f1dc2fbcbabe157a6d2cbb76d08226aad6614a0eca2fe68a1bdd411aaffe4" },
	{ 8, "fffd9a4c723508652e019da7a3d92b22986d85be86bacd3f21f63423d3543573" },
	{ 19, "03eb79319d260f3fc52c65979ef07d2d3eca40fc5dde23d1954064b532ca4628" },
	{ 22, "dc13fc3100d72d43c929d86362ea94f2888f216c8ced7784ae9eef80f3cd3492" },
	{ 26, "bba430cd39e0ecf21d319ed2b7404714573583c73fce7ae78d6c30b153a8fcad" },
	{ 37, "4a8ed3e79b782929fe54440687401856e42ea2b495c839a2a01002159e8d2b8e" },
};

static void check_sum(const WiceAeadProvider *provider, size_t number)
{
	uint8_t data[TOGETHER][16 + TAG], sealed[16 + TAG];
	WiceAeadPacket packets[TOGETHER];
	sodium_hex2bin(sealed, sizeof sealed, sums[number].sealed, 64, NULL, NULL, NULL);
	for (size_t i = 0; i < TOGETHER; i++) {
		memcpy(data[i], sealed, sizeof sealed);
		packets[i] = (WiceAeadPacket){ data[i], 16, false, sums[number].counter };
	}
	provider->open(key, packets, TOGETHER);
	for (size_t i = 0; i < TOGETHER; i++)
		ck_assert_msg(packets[i].ok, "%s, sum %zu, packet %zu", provider->name, number, i);
	provider->seal(key, packets, TOGETHER);
	for (size_t i = 0; i < TOGETHER; i++)
		ck_assert_mem_eq(data[i], sealed, sizeof sealed);
}

START_TEST(extreme_sums_are_reduced)
{
	find_usable();
	for (size_t i = 0; i < G_N_ELEMENTS(sums); i++)
		for (size_t j = 0; j < n_usable; j++)
			check_sum(usable[j], i);
}
END_TEST

/* One bad packet among good ones: it alone is refused, whichever bit and wherever it stands. */
static void check_refused(const WiceAeadProvider *provider, Batch *batch, size_t bad, size_t bit)
{
	for (size_t i = 0; i < batch->n; i++) {
		batch->packets[i].ok = i == bad;
		memcpy(batch->packets[i].data, batch->sealed[i], batch->packets[i].length + TAG);
	}
	batch->packets[bad].data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	provider->open(key, batch->packets, batch->n);
	for (size_t i = 0; i < batch->n; i++) {
		const WiceAeadPacket *packet = &batch->packets[i];
		ck_assert_msg(packet->ok == (i != bad), "%s: bit %zu of %u bytes", provider->name,
			      bit, batch->packets[bad].length);
		if (packet->ok)
			ck_assert_mem_eq(packet->data, batch->plain[i], packet->length);
	}
}

START_TEST(every_single_bit_counts)
{
	static const uint16_t lengths[] = { 0, 1, 16, 31, 64, 80, 129, 512, 1424 };
	uint8_t *noise = g_malloc0(MAX_LEN + 64);
	find_usable();
	for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
		size_t n = lengths[i] > 200 ? 19 : 37;
		uint16_t of_batch[BATCH];
		Batch batch;
		for (size_t j = 0; j < n; j++)
			of_batch[j] = j % 4 < 3 ? lengths[i] : (uint16_t)(lengths[i] + j);
		batch_init(&batch, of_batch, n, noise);
		for (size_t j = 0; j < n_usable; j++)
			for (size_t bit = 0; bit<8u * (lengths[i] + TAG); bit += SLOW> 1 ? 7 : 1)
				check_refused(usable[j], &batch, bit % n, bit);
		batch_done(&batch);
	}
	g_free(noise);
}
END_TEST

START_TEST(another_key_or_counter_is_refused)
{
	find_usable();
	for (size_t i = 0; i < n_usable; i++)
		for (int bit = 0; bit < 256 + 64; bit++) {
			uint8_t data[BATCH + TAG] = { 0 }, other[sizeof key];
			WiceAeadPacket packet = { data, BATCH, false, UINT64_C(1) << 40 };
			memcpy(other, key, sizeof key);
			usable[i]->seal(key, &packet, 1);
			if (bit < 256)
				other[bit / 8] ^= (uint8_t)(1 << bit % 8);
			else
				packet.counter ^= UINT64_C(1) << (bit - 256);
			packet.ok = true;
			usable[i]->open(other, &packet, 1);
			ck_assert(!packet.ok);
		}
}
END_TEST

START_TEST(no_packets_are_none)
{
	find_usable();
	for (size_t i = 0; i < n_usable; i++) {
		usable[i]->seal(key, NULL, 0);
		usable[i]->open(key, NULL, 0);
	}
}
END_TEST

/* Pages with none before and none behind. */
#define ROOMS 17
#define ROOM_PAGES 2

static uint8_t *guarded(size_t page)
{
	uint8_t *memory =
		mmap(NULL, (ROOM_PAGES + 2) * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert(memory != MAP_FAILED);
	ck_assert_int_eq(mprotect(memory + page, ROOM_PAGES * page, PROT_READ | PROT_WRITE), 0);
	return memory + page;
}

static void check_guarded(uint8_t *const rooms[ROOMS], size_t room_len, uint32_t length, size_t n)
{
	WiceAeadPacket packets[ROOMS];
	uint8_t plain[4096], sealed[4096 + TAG];
	for (size_t i = 0; i < n; i++) {
		uint32_t own = length + (i % 3 == 2 ? (uint32_t)i : 0);
		uint8_t *at = i % 2 ? rooms[i] : rooms[i] + room_len - own - TAG;
		packets[i] = (WiceAeadPacket){ at, own, false, i };
	}
	memset(plain, 0x5a, sizeof plain);
	for (size_t j = 0; j < n_usable; j++) {
		for (size_t i = 0; i < n; i++)
			memcpy(packets[i].data, plain, packets[i].length);
		usable[j]->seal(key, packets, n);
		for (size_t i = 0; i < n; i++) {
			reference(&packets[i], plain, sealed);
			ck_assert_mem_eq(packets[i].data, sealed, packets[i].length + TAG);
		}
		usable[j]->open(key, packets, n);
		for (size_t i = 0; i < n; i++) {
			ck_assert(packets[i].ok);
			ck_assert_mem_eq(packets[i].data, plain, packets[i].length);
		}
	}
}

START_TEST(nothing_outside_is_read_or_written)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *rooms[ROOMS];
	find_usable();
	for (size_t i = 0; i < ROOMS; i++)
		rooms[i] = guarded(page);
	for (uint32_t length = 0; length < 1500; length += length < 400 ? 1 : 7)
		for (size_t n = 1; n <= ROOMS; n += 4)
			check_guarded(rooms, ROOM_PAGES * page, length, n);
}
END_TEST

#define RANDOM_N 150
#define RANDOM_ROOM 2400

typedef struct {
	uint8_t plain[RANDOM_N][RANDOM_ROOM], data[RANDOM_N][RANDOM_ROOM];
	WiceAeadPacket packets[RANDOM_N];
	bool bad[RANDOM_N];
} Random;

/* Lengths of each kind, at every alignment; what is before and behind a packet must remain. */
static void check_random(Random *random, GRand *rand, const WiceAeadProvider *provider, size_t n)
{
	gint32 most = g_rand_boolean(rand) ? 2001 : 130;
	for (size_t i = 0; i < n; i++) {
		WiceAeadPacket *packet = &random->packets[i];
		fill(rand, random->plain[i], RANDOM_ROOM);
		memcpy(random->data[i], random->plain[i], RANDOM_ROOM);
		packet->data = random->data[i] + g_rand_int_range(rand, 0, 300);
		packet->length = (uint32_t)g_rand_int_range(rand, 0, most);
		packet->counter = random_counter(rand);
		random->bad[i] = g_rand_int_range(rand, 0, 4) == 0;
	}
	provider->seal(key, random->packets, n);
	for (size_t i = 0; i < n; i++) {
		const WiceAeadPacket *packet = &random->packets[i];
		size_t before = (size_t)(packet->data - random->data[i]);
		uint8_t expected[RANDOM_ROOM];
		memcpy(expected, random->plain[i], RANDOM_ROOM);
		reference(packet, random->plain[i] + before, expected + before);
		ck_assert_mem_eq(random->data[i], expected, RANDOM_ROOM);
		packet->data[g_rand_int_range(rand, 0, (gint32)packet->length + TAG)] ^=
			random->bad[i] ? 0x80 : 0;
		memcpy(random->plain[i] + before + packet->length, packet->data + packet->length,
		       TAG);
	}
	provider->open(key, random->packets, n);
	for (size_t i = 0; i < n; i++) {
		ck_assert_int_eq(random->packets[i].ok, !random->bad[i]);
		if (!random->bad[i])
			ck_assert_mem_eq(random->data[i], random->plain[i], RANDOM_ROOM);
	}
}

START_TEST(random_batches_are_as_with_libsodium)
{
	Random *random = g_new0(Random, 1);
	find_usable();
	for (guint32 seed = 0; seed < 2000 / SLOW; seed++) {
		GRand *rand = g_rand_new_with_seed(seed);
		size_t n = (size_t)g_rand_int_range(rand, 0, seed % 8 ? 20 : RANDOM_N + 1);
		fill(rand, key, sizeof key);
		check_random(random, rand, usable[seed % n_usable], n);
		g_rand_free(rand);
	}
	g_free(random);
}
END_TEST

START_TEST(the_choice_is_in_the_table)
{
	const WiceAeadProvider *const *all;
	size_t n = wice__aead_providers(&all);
	const WiceAeadProvider *best = wice__aead_best();
	ck_assert_str_eq(all[n - 1]->name, "libsodium");
	ck_assert_ptr_eq(wice__aead_find("libsodium"), all[n - 1]);
	ck_assert_ptr_null(wice__aead_find("rot13"));
	ck_assert_ptr_eq(wice__aead_find(best->name), best);
	ck_assert_ptr_eq(wice__aead_best(), best);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(all[i]->name, all[j]->name);
}
END_TEST

/* Providers with a fault: libsodium, and then something is wrong. */
static const WiceAeadProvider *sodium(void)
{
	return wice__aead_find("libsodium");
}

static void seal_right(const uint8_t *with, WiceAeadPacket *packets, size_t n)
{
	sodium()->seal(with, packets, n);
}

static void open_right(const uint8_t *with, WiceAeadPacket *packets, size_t n)
{
	sodium()->open(with, packets, n);
}

static void seal_one_wrong_bit(const uint8_t *with, WiceAeadPacket *packets, size_t n)
{
	sodium()->seal(with, packets, n);
	for (size_t i = 0; i < n; i++)
		if (packets[i].length == 129)
			packets[i].data[128] ^= 1;
}

static void seal_one_lane_wrong(const uint8_t *with, WiceAeadPacket *packets, size_t n)
{
	sodium()->seal(with, packets, n);
	if (n > 12)
		packets[12].data[packets[12].length + 15] ^= 0x80;
}

static void seal_beyond(const uint8_t *with, WiceAeadPacket *packets, size_t n)
{
	sodium()->seal(with, packets, n);
	if (n > 1)
		packets[0].data[packets[0].length + TAG]++;
}

static void open_anything(const uint8_t *with, WiceAeadPacket *packets, size_t n)
{
	sodium()->open(with, packets, n);
	for (size_t i = 0; i < n; i++)
		packets[i].ok = true;
}

static void open_nothing(const uint8_t *with, WiceAeadPacket *packets, size_t n)
{
	sodium()->open(with, packets, n);
	packets[n - 1].ok = false;
}

static void open_without_deciphering(const uint8_t *with, WiceAeadPacket *packets, size_t n)
{
	uint8_t first = packets[0].data[0];
	sodium()->open(with, packets, n);
	packets[0].data[0] = first;
}

static const struct {
	void (*seal)(const uint8_t *with, WiceAeadPacket *packets, size_t n);
	void (*open)(const uint8_t *with, WiceAeadPacket *packets, size_t n);
	bool right;
} candidates[] = {
	{ seal_right, open_right, true },
	{ seal_one_wrong_bit, open_right, false },
	{ seal_one_lane_wrong, open_right, false },
	{ seal_beyond, open_right, false },
	{ seal_right, open_anything, false },
	{ seal_right, open_nothing, false },
	{ seal_right, open_without_deciphering, false },
};

START_TEST(the_self_test_finds_faults)
{
	for (size_t i = 0; i < G_N_ELEMENTS(candidates); i++) {
		WiceAeadProvider provider = { "candidate", NULL, candidates[i].seal,
					      candidates[i].open };
		ck_assert_msg(wice__aead_self_test(&provider) == candidates[i].right,
			      "candidate %zu", i);
	}
}
END_TEST

SUITE_MAIN("aead", streams_are_those_of_the_rfc, every_length_is_as_with_libsodium,
	   every_batch_of_equal_packets_is_as_with_libsodium, extreme_numbers_are_as_with_libsodium,
	   extreme_ciphertexts_are_as_with_libsodium, extreme_sums_are_reduced,
	   every_single_bit_counts, another_key_or_counter_is_refused, no_packets_are_none,
	   nothing_outside_is_read_or_written, random_batches_are_as_with_libsodium,
	   the_choice_is_in_the_table, the_self_test_finds_faults)
