/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_CRYPTO_AEAD_VECTOR_H
#define WICE_CRYPTO_AEAD_VECTOR_H

/*
 * The vectors of an instance of aead_lanes.h, which has defined LANES: how many words a register of its
 * processor holds. With the vectors of GCC and clang, + ^ & | << >> work on all lanes.
 */
#include <stdint.h>
#include <string.h>

#define VECTOR_LEN (4 * LANES)
#define INLINE static inline __attribute__((always_inline))

typedef uint32_t Words __attribute__((vector_size(VECTOR_LEN)));
typedef uint64_t Limbs __attribute__((vector_size(VECTOR_LEN)));

INLINE Words load_words(const void *from)
{
	Words v;
	memcpy(&v, from, sizeof v);
	return v;
}

INLINE void store_words(void *to, Words v)
{
	memcpy(to, &v, sizeof v);
}

INLINE Limbs load_limbs(const void *from)
{
	Limbs v;
	memcpy(&v, from, sizeof v);
	return v;
}

INLINE void store_limbs(void *to, Limbs v)
{
	memcpy(to, &v, sizeof v);
}

#endif
