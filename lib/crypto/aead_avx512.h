/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_CRYPTO_AEAD_AVX512_H
#define WICE_CRYPTO_AEAD_AVX512_H

/* What the instances with AVX-512 have in common: 16 lanes. */
#include <immintrin.h>
#define LANES 16
#include "crypto/aead_vector.h"

INLINE Words rotate(Words v, int n)
{
	return v << n | v >> (32 - n);
}

/* Pieces of four words: a, b: from 2 vectors the even or the odd ones of each. */
INLINE __m512i evens(__m512i a, __m512i b)
{
	return _mm512_shuffle_i32x4(a, b, 0x88);
}

INLINE __m512i odds(__m512i a, __m512i b)
{
	return _mm512_shuffle_i32x4(a, b, 0xdd);
}

INLINE void transpose(Words v[LANES])
{
	__m512i a[16], b[16];
	for (int i = 0; i < 16; i += 2) {
		a[i] = _mm512_unpacklo_epi32((__m512i)v[i], (__m512i)v[i + 1]);
		a[i + 1] = _mm512_unpackhi_epi32((__m512i)v[i], (__m512i)v[i + 1]);
	}
	for (int i = 0; i < 16; i += 4) {
		b[i] = _mm512_unpacklo_epi64(a[i], a[i + 2]);
		b[i + 1] = _mm512_unpackhi_epi64(a[i], a[i + 2]);
		b[i + 2] = _mm512_unpacklo_epi64(a[i + 1], a[i + 3]);
		b[i + 3] = _mm512_unpackhi_epi64(a[i + 1], a[i + 3]);
	}
	for (int i = 0; i < 4; i++) {
		__m512i even0 = evens(b[i], b[i + 4]), even8 = evens(b[i + 8], b[i + 12]);
		__m512i odd0 = odds(b[i], b[i + 4]), odd8 = odds(b[i + 8], b[i + 12]);
		v[i] = (Words)evens(even0, even8);
		v[i + 4] = (Words)evens(odd0, odd8);
		v[i + 8] = (Words)odds(even0, even8);
		v[i + 12] = (Words)odds(odd0, odd8);
	}
}

/* 32 bytes each of two places. */
INLINE __m512i load_two(const uint8_t *low, const uint8_t *high)
{
	return _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_loadu_si256((const void *)low)),
				  _mm256_loadu_si256((const void *)high), 1);
}

INLINE void load_pair(const uint8_t *const at[LANES / 2], size_t offset, Limbs ret[4])
{
	__m512i v02 = load_two(at[0] + offset, at[2] + offset);
	__m512i v13 = load_two(at[1] + offset, at[3] + offset);
	__m512i v46 = load_two(at[4] + offset, at[6] + offset);
	__m512i v57 = load_two(at[5] + offset, at[7] + offset);
	__m512i even03 = _mm512_unpacklo_epi64(v02, v13), odd03 = _mm512_unpackhi_epi64(v02, v13);
	__m512i even47 = _mm512_unpacklo_epi64(v46, v57), odd47 = _mm512_unpackhi_epi64(v46, v57);
	ret[0] = (Limbs)evens(even03, even47);
	ret[1] = (Limbs)evens(odd03, odd47);
	ret[2] = (Limbs)odds(even03, even47);
	ret[3] = (Limbs)odds(odd03, odd47);
}

#endif
