/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The instance of aead_lanes.h for x86-64 with AVX-512 and its 52-bit multiplication. */
#include "crypto/aead_avx512.h"

INLINE Limbs multiply_low(Limbs sum, Limbs a, Limbs b)
{
	return (Limbs)_mm512_madd52lo_epu64((__m512i)sum, (__m512i)a, (__m512i)b);
}

INLINE Limbs multiply_high(Limbs sum, Limbs a, Limbs b)
{
	return (Limbs)_mm512_madd52hi_epu64((__m512i)sum, (__m512i)a, (__m512i)b);
}

#include "crypto/aead_poly44.h"

#include "crypto/aead_lanes.h"

void wice__aead_avx512_seal(const uint8_t key[WICE_AEAD_KEY_LEN], WiceAeadPacket *packets, size_t n)
{
	crypt_packets(key, packets, n, true);
}

void wice__aead_avx512_open(const uint8_t key[WICE_AEAD_KEY_LEN], WiceAeadPacket *packets, size_t n)
{
	crypt_packets(key, packets, n, false);
}
