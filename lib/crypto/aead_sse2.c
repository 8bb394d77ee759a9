/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The instance of aead_lanes.h for every x86-64: four lanes. */
#include <emmintrin.h>
#define LANES 4
#include "crypto/aead_vector.h"

INLINE Words rotate(Words v, int n)
{
	return v << n | v >> (32 - n);
}

INLINE void transpose(Words v[LANES])
{
	__m128i low01 = _mm_unpacklo_epi32((__m128i)v[0], (__m128i)v[1]);
	__m128i high01 = _mm_unpackhi_epi32((__m128i)v[0], (__m128i)v[1]);
	__m128i low23 = _mm_unpacklo_epi32((__m128i)v[2], (__m128i)v[3]);
	__m128i high23 = _mm_unpackhi_epi32((__m128i)v[2], (__m128i)v[3]);
	v[0] = (Words)_mm_unpacklo_epi64(low01, low23);
	v[1] = (Words)_mm_unpackhi_epi64(low01, low23);
	v[2] = (Words)_mm_unpacklo_epi64(high01, high23);
	v[3] = (Words)_mm_unpackhi_epi64(high01, high23);
}

INLINE void load_pair(const uint8_t *const at[LANES / 2], size_t offset, Limbs ret[4])
{
	for (int i = 0; i < 2; i++) {
		__m128i a = (__m128i)load_limbs(at[0] + offset + 16 * i);
		__m128i b = (__m128i)load_limbs(at[1] + offset + 16 * i);
		ret[2 * i] = (Limbs)_mm_unpacklo_epi64(a, b);
		ret[2 * i + 1] = (Limbs)_mm_unpackhi_epi64(a, b);
	}
}

INLINE Limbs multiply(Limbs a, Limbs b)
{
	return (Limbs)_mm_mul_epu32((__m128i)a, (__m128i)b);
}

#include "crypto/aead_poly26.h"

#include "crypto/aead_lanes.h"

void wice__aead_sse2_seal(const uint8_t key[WICE_AEAD_KEY_LEN], WiceAeadPacket *packets, size_t n)
{
	crypt_packets(key, packets, n, true);
}

void wice__aead_sse2_open(const uint8_t key[WICE_AEAD_KEY_LEN], WiceAeadPacket *packets, size_t n)
{
	crypt_packets(key, packets, n, false);
}
