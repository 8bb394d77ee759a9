/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The instance of aead_lanes.h for x86-64 with the first AVX-512, which multiplies 32 bits. */
#include "crypto/aead_avx512.h"

INLINE Limbs multiply(Limbs a, Limbs b)
{
	return (Limbs)_mm512_mul_epu32((__m512i)a, (__m512i)b);
}

#include "crypto/aead_poly26.h"

#include "crypto/aead_lanes.h"

void wice__aead_avx512f_seal(const uint8_t key[WICE_AEAD_KEY_LEN], WiceAeadPacket *packets,
			     size_t n)
{
	crypt_packets(key, packets, n, true);
}

void wice__aead_avx512f_open(const uint8_t key[WICE_AEAD_KEY_LEN], WiceAeadPacket *packets,
			     size_t n)
{
	crypt_packets(key, packets, n, false);
}
