/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_CRYPTO_AEAD_POLY44_H
#define WICE_CRYPTO_AEAD_POLY44_H

/*
 * aead_poly26.h for processors that multiply 52 by 52 bits: a number is three limbs of 44, 44 and 42
 * bits. The instance has defined
 *
 *	Limbs multiply_low(Limbs sum, Limbs a, Limbs b)     sum + the low 52 bits of a * b
 *	Limbs multiply_high(Limbs sum, Limbs a, Limbs b)    sum + the bits above them
 */
#include "crypto/aead_vector.h"

#define POLY_LIMBS 3
#define LOW44 UINT64_C(0xfffffffffff)
#define LOW42 UINT64_C(0x3ffffffffff)

/* The key r, its square, and both times 20: the third limb's carry is at 2^132, which is 4 * 5. */
typedef struct {
	Limbs r[POLY_LIMBS], r_20[POLY_LIMBS], square[POLY_LIMBS], square_20[POLY_LIMBS];
} Powers;

typedef struct {
	Limbs low[POLY_LIMBS], high[POLY_LIMBS];
} Products;

INLINE void poly_split(Limbs low, Limbs high, Limbs ret[POLY_LIMBS])
{
	ret[0] = low & LOW44;
	ret[1] = (low >> 44 | high << 20) & LOW44;
	ret[2] = high >> 24;
}

/* products += a * b, where b_20 is 20 * b. The limb of a that is ready last comes last. */
INLINE void poly_multiply(Products *products, const Limbs a[POLY_LIMBS], const Limbs b[POLY_LIMBS],
			  const Limbs b_20[POLY_LIMBS])
{
#pragma GCC unroll 3
	for (int i = POLY_LIMBS - 1; i >= 0; i--)
#pragma GCC unroll 3
		for (int j = 0; j < POLY_LIMBS; j++) {
			Limbs factor = j < i ? b_20[3 + j - i] : b[j - i];
			products->low[j] = multiply_low(products->low[j], a[i], factor);
			products->high[j] = multiply_high(products->high[j], a[i], factor);
		}
}

/* Makes limbs of the products; the second can be a little larger than 44 bits. */
INLINE void poly_carry(const Products *products, Limbs ret[POLY_LIMBS])
{
	Limbs p0 = products->low[0];
	Limbs p1 = products->low[1] + (products->high[0] << 8) + (p0 >> 44);
	Limbs p2 = products->low[2] + (products->high[1] << 8) + (p1 >> 44);
	Limbs over = (products->high[2] << 10) + (p2 >> 42);
	ret[2] = p2 & LOW42;
	p0 = (p0 & LOW44) + over + (over << 2);
	ret[1] = (p1 & LOW44) + (p0 >> 44);
	ret[0] = p0 & LOW44;
}

INLINE void poly_times_20(const Limbs a[POLY_LIMBS], Limbs ret[POLY_LIMBS])
{
	for (int i = 0; i < POLY_LIMBS; i++)
		ret[i] = (a[i] << 4) + (a[i] << 2);
}

/* low and high: the first 16 bytes of the keys. */
INLINE void poly_begin(Powers *powers, Limbs low, Limbs high)
{
	Products products = { 0 };
	poly_split(low & UINT64_C(0x0ffffffc0fffffff), high & UINT64_C(0x0ffffffc0ffffffc),
		   powers->r);
	poly_times_20(powers->r, powers->r_20);
	poly_multiply(&products, powers->r, powers->r, powers->r_20);
	poly_carry(&products, powers->square);
	poly_times_20(powers->square, powers->square_20);
}

/* words: the low and high halves of the first and second blocks; bits: all ones or none, see below. */
INLINE void poly_absorb(const Powers *powers, Limbs sum[POLY_LIMBS], const Limbs words[4],
			Limbs bits)
{
	Limbs first[POLY_LIMBS], second[POLY_LIMBS];
	Products products = { 0 };
	poly_split(words[2], words[3], second);
	second[2] |= UINT64_C(1) << 40;
	poly_multiply(&products, second, powers->r, powers->r_20);
	poly_split(words[0], words[1], first);
	first[2] |= bits & UINT64_C(1) << 40;
	for (int i = 0; i < POLY_LIMBS; i++)
		first[i] += sum[i];
	poly_multiply(&products, first, powers->square, powers->square_20);
	poly_carry(&products, sum);
}

/* The sums modulo 2^130 - 5, without those of their bits that are above 2^128. */
INLINE void poly_end(Limbs sum[POLY_LIMBS], Limbs *ret_low, Limbs *ret_high)
{
	Limbs carried = { 0 };
	for (int pass = 0; pass < 2; pass++) {
		sum[0] += carried;
		sum[1] += sum[0] >> 44;
		sum[2] += sum[1] >> 44;
		carried = sum[2] >> 42;
		carried += carried << 2;
		sum[0] &= LOW44;
		sum[1] &= LOW44;
		sum[2] &= LOW42;
	}
	sum[0] += carried;
	Limbs reduced0 = sum[0] + 5;
	Limbs reduced1 = sum[1] + (reduced0 >> 44);
	Limbs reduced2 = sum[2] + (reduced1 >> 44);
	Limbs take = -(reduced2 >> 42); /* it was 2^130 - 5 or more */
	sum[0] = (sum[0] & ~take) | (reduced0 & LOW44 & take);
	sum[1] = (sum[1] & ~take) | (reduced1 & LOW44 & take);
	sum[2] = (sum[2] & ~take) | (reduced2 & LOW42 & take);
	*ret_low = sum[0] | sum[1] << 44;
	*ret_high = sum[1] >> 20 | sum[2] << 24;
}

#endif
