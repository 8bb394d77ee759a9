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

const WiceAeadProvider wice__aead_sse2 = {
	.name = "sse2",
	.usable = has_sse2,
	.seal = wice__aead_sse2_seal,
	.open = wice__aead_sse2_open,
};

const WiceAeadProvider wice__aead_avx2 = {
	.name = "avx2",
	.usable = has_avx2,
	.seal = wice__aead_avx2_seal,
	.open = wice__aead_avx2_open,
};

const WiceAeadProvider wice__aead_avx512f = {
	.name = "avx512f",
	.usable = has_avx512f,
	.seal = wice__aead_avx512f_seal,
	.open = wice__aead_avx512f_open,
};

const WiceAeadProvider wice__aead_avx512 = {
	.name = "avx512",
	.usable = has_avx512,
	.seal = wice__aead_avx512_seal,
	.open = wice__aead_avx512_open,
};
