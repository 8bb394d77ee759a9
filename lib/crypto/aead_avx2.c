/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The instance of aead_lanes.h for x86-64 with AVX2: eight lanes. */
#include <immintrin.h>
#define LANES 8
#include "crypto/aead_vector.h"

/* AVX2 rotates by whole bytes only. */
INLINE Words rotate(Words v, int n)
{
	const __m256i by_16 = _mm256_set_epi64x(0x0d0c0f0e09080b0a, 0x0504070601000302,
						0x0d0c0f0e09080b0a, 0x0504070601000302);
	const __m256i by_8 = _mm256_set_epi64x(0x0e0d0c0f0a09080b, 0x0605040702010003,
					       0x0e0d0c0f0a09080b, 0x0605040702010003);
	if (n == 16)
		return (Words)_mm256_shuffle_epi8((__m256i)v, by_16);
	if (n == 8)
		return (Words)_mm256_shuffle_epi8((__m256i)v, by_8);
	return v << n | v >> (32 - n);
}

INLINE void transpose(Words v[LANES])
{
	__m256i a[8], b[8];
	for (int i = 0; i < 8; i += 2) {
		a[i] = _mm256_unpacklo_epi32((__m256i)v[i], (__m256i)v[i + 1]);
		a[i + 1] = _mm256_unpackhi_epi32((__m256i)v[i], (__m256i)v[i + 1]);
	}
	for (int i = 0; i < 8; i += 4) {
		b[i] = _mm256_unpacklo_epi64(a[i], a[i + 2]);
		b[i + 1] = _mm256_unpackhi_epi64(a[i], a[i + 2]);
		b[i + 2] = _mm256_unpacklo_epi64(a[i + 1], a[i + 3]);
		b[i + 3] = _mm256_unpackhi_epi64(a[i + 1], a[i + 3]);
	}
	for (int i = 0; i < 4; i++) {
		v[i] = (Words)_mm256_permute2x128_si256(b[i], b[i + 4], 0x20);
		v[i + 4] = (Words)_mm256_permute2x128_si256(b[i], b[i + 4], 0x31);
	}
}

INLINE void load_pair(const uint8_t *const at[LANES / 2], size_t offset, Limbs ret[4])
{
	__m256i v[4];
	for (int i = 0; i < 4; i++)
		v[i] = (__m256i)load_limbs(at[i] + offset);
	__m256i even01 = _mm256_unpacklo_epi64(v[0], v[1]),
		odd01 = _mm256_unpackhi_epi64(v[0], v[1]);
	__m256i even23 = _mm256_unpacklo_epi64(v[2], v[3]),
		odd23 = _mm256_unpackhi_epi64(v[2], v[3]);
	ret[0] = (Limbs)_mm256_permute2x128_si256(even01, even23, 0x20);
	ret[1] = (Limbs)_mm256_permute2x128_si256(odd01, odd23, 0x20);
	ret[2] = (Limbs)_mm256_permute2x128_si256(even01, even23, 0x31);
	ret[3] = (Limbs)_mm256_permute2x128_si256(odd01, odd23, 0x31);
}

INLINE Limbs multiply(Limbs a, Limbs b)
{
	return (Limbs)_mm256_mul_epu32((__m256i)a, (__m256i)b);
}

#include "crypto/aead_poly26.h"

#include "crypto/aead_lanes.h"

void wice__aead_avx2_seal(const uint8_t key[WICE_AEAD_KEY_LEN], WiceAeadPacket *packets, size_t n)
{
	crypt_packets(key, packets, n, true);
}

void wice__aead_avx2_open(const uint8_t key[WICE_AEAD_KEY_LEN], WiceAeadPacket *packets, size_t n)
{
	crypt_packets(key, packets, n, false);
}
