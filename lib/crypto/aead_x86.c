/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/aead_provider.h"

/*
 * What the processor can, and whether the system saves such registers. Not in the instances' own files,
 * which are compiled for processors that have it.
 */

static bool has_sse2(void)
{
	return true;
}

static bool has_avx2(void)
{
	return __builtin_cpu_supports("avx2");
}

static bool has_avx512f(void)
{
	return __builtin_cpu_supports("avx512f");
}

static bool has_avx512(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512ifma");
}

/*
 * Processors switch the upper parts of wide registers off while nobody uses them, and need some
 * microseconds to switch them on again. A packet that comes alone, an acknowledgement or a ping, takes
 * less than that in the narrow instance: it is 20 of 155 microseconds that a tunnel adds to a ping.
 */
#define SMALL 256 /* bytes */

static bool is_small(const WiceAeadPacket *packets, size_t n)
{
	return n == 1 && packets[0].length <= SMALL;
}

#define WIDE(instance)                                                                             \
	static void instance##_seal(const uint8_t key[WICE_AEAD_KEY_LEN], WiceAeadPacket *packets, \
				    size_t n)                                                      \
	{                                                                                          \
		(is_small(packets, n) ? wice__aead_sse2_seal                                       \
				      : wice__aead_##instance##_seal)(key, packets, n);            \
	}                                                                                          \
	static void instance##_open(const uint8_t key[WICE_AEAD_KEY_LEN], WiceAeadPacket *packets, \
				    size_t n)                                                      \
	{                                                                                          \
		(is_small(packets, n) ? wice__aead_sse2_open                                       \
				      : wice__aead_##instance##_open)(key, packets, n);            \
	}

WIDE(avx2)
WIDE(avx512f)
WIDE(avx512)

const WiceAeadProvider wice__aead_sse2 = {
	.name = "sse2",
	.usable = has_sse2,
	.seal = wice__aead_sse2_seal,
	.open = wice__aead_sse2_open,
};

const WiceAeadProvider wice__aead_avx2 = {
	.name = "avx2",
	.usable = has_avx2,
	.seal = avx2_seal,
	.open = avx2_open,
};

const WiceAeadProvider wice__aead_avx512f = {
	.name = "avx512f",
	.usable = has_avx512f,
	.seal = avx512f_seal,
	.open = avx512f_open,
};

const WiceAeadProvider wice__aead_avx512 = {
	.name = "avx512",
	.usable = has_avx512,
	.seal = avx512_seal,
	.open = avx512_open,
};
