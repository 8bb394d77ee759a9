/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <glib.h>
#include <sodium.h>
#include <string.h>

#include "crypto/blake2s.h"

#define HEX_SIZE (2 * WICE_BLAKE2S_LEN + 1)

static void assert_hex(const uint8_t *digest, size_t len, const char *expected)
{
	char hex[HEX_SIZE];
	ck_assert_str_eq(sodium_bin2hex(hex, sizeof hex, digest, len), expected);
}

/* 0, 1, 2... 255, 0, 1... */
static const uint8_t *counting(void)
{
	static uint8_t bytes[2000];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)i;
	return bytes;
}

static void hash(const void *key, size_t key_len, const void *data, size_t len, uint8_t *ret,
		 size_t ret_len)
{
	WiceSpan span = { data, len };
	wice__blake2s(key, key_len, &span, 1, ret, ret_len);
}

/* RFC 7693 appendix E: its numbers, made of a Fibonacci sequence. */
static void fibonacci(uint8_t *bytes, size_t len, uint32_t seed)
{
	uint32_t a = 0xdead4bad * seed, b = 1;
	for (size_t i = 0; i < len; i++) {
		uint32_t next = a + b;
		a = b;
		b = next;
		bytes[i] = (uint8_t)(next >> 24);
	}
}

START_TEST(the_self_test_of_the_rfc_passes)
{
	static const size_t digest_lens[] = { 16, 20, 28, 32 };
	static const size_t lens[] = { 0, 3, 64, 65, 255, 1024 };
	g_autoptr(GByteArray) all = g_byte_array_new();
	uint8_t data[1024], key[32], digest[32];
	for (size_t i = 0; i < G_N_ELEMENTS(digest_lens); i++)
		for (size_t j = 0; j < G_N_ELEMENTS(lens); j++) {
			size_t n = digest_lens[i];
			fibonacci(data, lens[j], (uint32_t)lens[j]);
			hash(NULL, 0, data, lens[j], digest, n);
			g_byte_array_append(all, digest, (guint)n);
			fibonacci(key, n, (uint32_t)n);
			hash(key, n, data, lens[j], digest, n);
			g_byte_array_append(all, digest, (guint)n);
		}
	hash(NULL, 0, all->data, all->len, digest, sizeof digest);
	assert_hex(digest, 32, "6a411f08ce25adcdfb02aba641451cec53c598b24f4fc787fbdc88797f4c1dfe");
}
END_TEST

/* Key and data are the first bytes of counting(). Computed with Python's hashlib. */
static const struct {
	size_t key_len, digest_len, len;
	const char *digest;
} digests[] = {
	{ 0, 32, 0, "69217a3079908094e11121d042354a7c1f55b6482ca1a51e1b250dfd1ed0eef9" },
	{ 0, 32, 3, "e8f91c6ef232a041452ab0e149070cdd7dd1769e75b3a5921be37876c45c9900" },
	{ 32, 32, 0, "48a8997da407876b3d79c0d92325ad3b89cbb754d86ab71aee047ad345fd2c49" },
	{ 32, 32, 1, "40d15fee7c328830166ac3f918650f807e7e01e177258cdc0a39b11f598066f1" },
	{ 32, 32, 64, "8975b0577fd35566d750b362b0897a26c399136df07bababbde6203ff2954ed4" },
	{ 16, 16, 116, "b9b1bbba1b59e4349d1018f97d243fca" },
	{ 32, 16, 116, "072e94ffbfc684bd8ab2a1b9dade2fd5" },
	{ 32, 16, 132, "6d19534b4c332741c8ddd79a9644de2d" },
	{ 16, 16, 132, "b03d1196bdcfaad40f911db86b79ac7e" },
	{ 32, 16, 128, "8c09f698d03eaf88abf69f8147865ef6" },
	{ 1, 1, 63, "1c" },
	{ 7, 20, 65, "39cd54f02d6f829113233498b865bd8502b58af9" },
	{ 32, 32, 255, "3fb735061abc519dfe979e54c1ee5bfad0a9d858b3315bad34bde999efd724dd" },
	{ 32, 31, 1999, "84beeaa0948fb81489ef8ea49ed0a6148cb67dcce535fa384122749229773c" },
};

START_TEST(digests_are_those_of_others)
{
	uint8_t digest[32];
	hash(NULL, 0, "abc", 3, digest, sizeof digest); /* RFC 7693 appendix B */
	assert_hex(digest, 32, "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982");
	for (size_t i = 0; i < G_N_ELEMENTS(digests); i++) {
		hash(counting(), digests[i].key_len, counting(), digests[i].len, digest,
		     digests[i].digest_len);
		assert_hex(digest, digests[i].digest_len, digests[i].digest);
	}
}
END_TEST

/* Their digests, one after the other, have a digest that hashlib computes too. */
START_TEST(every_length_of_key_digest_and_data)
{
	g_autoptr(GByteArray) all = g_byte_array_new();
	uint8_t digest[32];
	for (size_t key_len = 0; key_len <= 32; key_len++)
		for (size_t digest_len = 1; digest_len <= 32; digest_len++)
			for (size_t len = 0; len < 200; len++) {
				hash(counting(), key_len, counting(), len, digest, digest_len);
				g_byte_array_append(all, digest, (guint)digest_len);
			}
	hash(NULL, 0, all->data, all->len, digest, sizeof digest);
	assert_hex(digest, 32, "33114ec2054767303b810f659ebf14c127a8b30545e26c9524e01263815c6209");
}
END_TEST

START_TEST(parts_are_hashed_as_one_however_they_are_cut)
{
	const uint8_t *data = counting();
	uint8_t whole[32], cut[32];
	for (size_t len = 0; len <= 200; len += 40)
		for (size_t a = 0; a <= len; a++)
			for (size_t b = a; b <= len; b += 7) {
				WiceSpan parts[] = { { data, a },
						     { data + a, b - a },
						     { data + b, len - b } };
				hash(data, 32, data, len, whole, sizeof whole);
				wice__blake2s(data, 32, parts, 3, cut, sizeof cut);
				ck_assert_mem_eq(whole, cut, sizeof cut);
			}
}
END_TEST

START_TEST(nothing_is_written_behind_the_digest)
{
	for (size_t n = 1; n < 32; n++) {
		uint8_t digest[32];
		memset(digest, 0xaa, sizeof digest);
		hash(NULL, 0, "abc", 3, digest, n);
		for (size_t i = n; i < sizeof digest; i++)
			ck_assert_uint_eq(digest[i], 0xaa);
	}
}
END_TEST

/* As above, with Python's hmac. */
static const struct {
	size_t key_len, len;
	const char *digest;
} hmacs[] = {
	{ 0, 0, "eaf4bb25938f4d20e72656bbbc7a9bf63c0c18537333c35bdb67db1402661acd" },
	{ 32, 32, "8d2cc42fc1055ea43277dfd5d35d3863b228f9cc0c02007dc2afb20907bd7312" },
	{ 32, 129, "184f9fba717a3ec9ee4a1b1f3b4cf46cfc4e380d7456a135775654f6760fee10" },
	{ 63, 1, "d57a4a442bfae24ab7ee539b110ea09db2e8cc37ed5c7ad9d1f66ef0dffdabea" },
	{ 64, 64, "16b4112bb7a7d3d85ee3baf8649046691596c5adab68f93ab0ebb4d798b8444d" },
	{ 65, 3, "b929fd9b297b402a8da5fd0212b683a37c91cfb8daba86fa1435a20a362eef4b" },
	{ 200, 152, "c15ddac754912b9be64dea0b413ad2cad04f28f1c35d7d160e29bf7060d6df4e" },
};

START_TEST(hmacs_are_those_of_others)
{
	uint8_t digest[32];
	for (size_t i = 0; i < G_N_ELEMENTS(hmacs); i++) {
		size_t half = hmacs[i].len / 2;
		WiceSpan parts[] = { { counting(), half },
				     { counting() + half, hmacs[i].len - half } };
		wice__hmac_blake2s(counting(), hmacs[i].key_len, parts, 2, digest);
		assert_hex(digest, sizeof digest, hmacs[i].digest);
	}
}
END_TEST

/* What wireguard-go checks its own with. Keys shorter than a hash count as if filled with zeros. */
static const struct {
	const char *key, *input, *outputs[3];
} derivations[] = {
	{ "test-key",
	  "test-input",
	  { "6f0e5ad38daba1bea8a0d213688736f19763239305e0f58aba697f9ffc41c633",
	    "df1194df20802a4fe594cde27e92991c8cae66c366e8106aaa937a55fa371e8a",
	    "fac6e2745a325f5dc5d11a5b165aad08b0ada28e7b4e666b7c077934a4d76c24" } },
	{ "wireguard",
	  "wireguard",
	  { "491d43bbfdaa8750aaf535e334ecbfe5129967cd64635101c566d4caefda96e8",
	    "1e71a379baefd8a79aa4662212fcafe19a23e2b609a3db7d6bcba8f560e3d25f",
	    "31e1ae48bddfbe5de38f295e5452b1909a1b4e38e183926af3780b0c1e1f0160" } },
	{ "",
	  "",
	  { "8387b46bf43eccfcf349552a095d8315c4055beb90208fb1be23b894bc2ed5d0",
	    "58a0e5f6faefccf4807bff1f05fa8a9217945762040bcec2f4b4a62bdfe0e86e",
	    "0ce6ea98ec548f8e281e93e32db65621c45eb18dc6f0a7ad94178610a2f7338e" } },
};

START_TEST(keys_are_derived_as_by_others)
{
	for (size_t i = 0; i < G_N_ELEMENTS(derivations); i++)
		for (size_t n = 1; n <= 3; n++) {
			uint8_t key[WICE_BLAKE2S_LEN] = { 0 };
			uint8_t outputs[4][WICE_BLAKE2S_LEN] = { 0 };
			static const uint8_t untouched[WICE_BLAKE2S_LEN];
			memcpy(key, derivations[i].key, strlen(derivations[i].key));
			wice__kdf_blake2s(key, derivations[i].input, strlen(derivations[i].input),
					  outputs, n);
			for (size_t j = 0; j < n; j++)
				assert_hex(outputs[j], sizeof outputs[j],
					   derivations[i].outputs[j]);
			ck_assert_mem_eq(outputs[n], untouched, sizeof untouched);
		}
}
END_TEST

START_TEST(outputs_may_replace_the_chain)
{
	uint8_t outputs[3][WICE_BLAKE2S_LEN] = { "test-key" };
	wice__kdf_blake2s(outputs[0], "test-input", 10, outputs, 3);
	for (size_t j = 0; j < 3; j++)
		assert_hex(outputs[j], sizeof outputs[j], derivations[0].outputs[j]);
}
END_TEST

SUITE_MAIN("blake2s", the_self_test_of_the_rfc_passes, digests_are_those_of_others,
	   every_length_of_key_digest_and_data, parts_are_hashed_as_one_however_they_are_cut,
	   nothing_is_written_behind_the_digest, hmacs_are_those_of_others,
	   keys_are_derived_as_by_others, outputs_may_replace_the_chain)
