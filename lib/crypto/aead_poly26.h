/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_CRYPTO_AEAD_POLY26_H
#define WICE_CRYPTO_AEAD_POLY26_H

/*
 * Poly1305 (RFC 8439 section 2.5) for as many messages as a vector has limbs, for processors that
 * multiply 32 by 32 bits: a number is five limbs of 26 bits, so that five products of them, one of them
 * five times as large, fit in 64 bits with room to spare. The instance has defined
 *
 *	Limbs multiply(Limbs a, Limbs b)    the products of the low halves of each limb
 *
 * Two blocks are taken at a time: sum = (sum + first) * r^2 + second * r. The second product waits for
 * nothing, and what is carried, and how long that takes, is halved.
 */
#include "crypto/aead_vector.h"

#define POLY_LIMBS 5
#define LOW26 UINT64_C(0x3ffffff)

/* The key r, its square, and both times 5: what is carried beyond 2^130 comes back that large. */
typedef struct {
	Limbs r[POLY_LIMBS], r_5[POLY_LIMBS], square[POLY_LIMBS], square_5[POLY_LIMBS];
} Powers;

INLINE void poly_split(Limbs low, Limbs high, Limbs ret[POLY_LIMBS])
{
	ret[0] = low & LOW26;
	ret[1] = low >> 26 & LOW26;
	ret[2] = (low >> 52 | high << 12) & LOW26;
	ret[3] = high >> 14 & LOW26;
	ret[4] = high >> 40;
}

/* products += a * b, where b_5 is 5 * b. */
INLINE void poly_multiply(Limbs products[POLY_LIMBS], const Limbs a[POLY_LIMBS],
			  const Limbs b[POLY_LIMBS], const Limbs b_5[POLY_LIMBS])
{
#pragma GCC unroll 5
	for (int i = 0; i < POLY_LIMBS; i++)
#pragma GCC unroll 5
		for (int j = 0; j < POLY_LIMBS; j++)
			products[j] += multiply(a[i], j < i ? b_5[5 + j - i] : b[j - i]);
}

/*
 * Makes limbs of 26 bits of the products; the second and the fifth can be a little larger. Two chains,
 * from 0 and from 3, so that one need not wait for the other.
 */
INLINE void poly_carry(Limbs p[POLY_LIMBS], Limbs ret[POLY_LIMBS])
{
	p[1] += p[0] >> 26;
	p[4] += p[3] >> 26;
	ret[0] = p[0] & LOW26;
	ret[3] = p[3] & LOW26;
	p[2] += p[1] >> 26;
	ret[1] = p[1] & LOW26;
	Limbs over = p[4] >> 26;
	ret[4] = p[4] & LOW26;
	ret[0] += over + (over << 2);
	ret[3] += p[2] >> 26;
	ret[2] = p[2] & LOW26;
	ret[1] += ret[0] >> 26;
	ret[0] &= LOW26;
	ret[4] += ret[3] >> 26;
	ret[3] &= LOW26;
}

INLINE void poly_times_5(const Limbs a[POLY_LIMBS], Limbs ret[POLY_LIMBS])
{
	for (int i = 0; i < POLY_LIMBS; i++)
		ret[i] = a[i] + (a[i] << 2);
}

/* low and high: the first 16 bytes of the keys. */
INLINE void poly_begin(Powers *powers, Limbs low, Limbs high)
{
	Limbs products[POLY_LIMBS] = { 0 };
	poly_split(low & UINT64_C(0x0ffffffc0fffffff), high & UINT64_C(0x0ffffffc0ffffffc),
		   powers->r);
	poly_times_5(powers->r, powers->r_5);
	poly_multiply(products, powers->r, powers->r, powers->r_5);
	poly_carry(products, powers->square);
	poly_times_5(powers->square, powers->square_5);
}

/* words: the low and high halves of the first and second blocks; bits: all ones or none, see below. */
INLINE void poly_absorb(const Powers *powers, Limbs sum[POLY_LIMBS], const Limbs words[4],
			Limbs bits)
{
	Limbs first[POLY_LIMBS], second[POLY_LIMBS], products[POLY_LIMBS] = { 0 };
	poly_split(words[2], words[3], second);
	second[4] |= UINT64_C(1) << 24;
	poly_multiply(products, second, powers->r, powers->r_5);
	poly_split(words[0], words[1], first);
	first[4] |= bits & UINT64_C(1) << 24;
	for (int i = 0; i < POLY_LIMBS; i++)
		first[i] += sum[i];
	poly_multiply(products, first, powers->square, powers->square_5);
	poly_carry(products, sum);
}

/* The sums modulo 2^130 - 5, without those of their bits that are above 2^128. */
INLINE void poly_end(Limbs sum[POLY_LIMBS], Limbs *ret_low, Limbs *ret_high)
{
	Limbs reduced[POLY_LIMBS], carried = { 0 };
	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < POLY_LIMBS; i++) {
			sum[i] += carried;
			carried = sum[i] >> 26;
			sum[i] &= LOW26;
		}
		carried += carried << 2;
	}
	sum[0] += carried;
	carried = (Limbs){ 0 } + 5;
	for (int i = 0; i < POLY_LIMBS; i++) {
		reduced[i] = sum[i] + carried;
		carried = reduced[i] >> 26;
		reduced[i] &= LOW26;
	}
	Limbs take = -carried; /* it was 2^130 - 5 or more */
	for (int i = 0; i < POLY_LIMBS; i++)
		sum[i] = (sum[i] & ~take) | (reduced[i] & take);
	*ret_low = sum[0] | sum[1] << 26 | sum[2] << 52;
	*ret_high = sum[2] >> 12 | sum[3] << 14 | sum[4] << 40;
}

#endif
