/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * That nothing depends on a key or a packet's bytes but what is written: valgrind is told that they are
 * undefined, and complains of every jump and every address that comes of them. Runs itself in valgrind;
 * providers that use instructions which valgrind does not know are not usable there. Libraries' own
 * providers are left out: they tell, as they may, whether a tag is right.
 */
#include "crypto/aead.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WHY_NOT "a sanitizer and valgrind exclude one another"
#elif !__has_include(<valgrind/memcheck.h>)
#define WHY_NOT "valgrind's headers were not there when this was built"
#endif

#define SKIPPED 77

static int skip(const char *why)
{
	printf("skipped: %s\n", why);
	return SKIPPED;
}

#ifdef WHY_NOT

int main(void)
{
	return skip(WHY_NOT);
}

#else

#include <valgrind/memcheck.h>

#define N 21
#define ROOM 300

static const char *const own[] = { "avx512", "avx512f", "avx2", "sse2" };

static void poison(uint8_t key[WICE_AEAD_KEY_LEN], uint8_t data[N][ROOM])
{
	VALGRIND_MAKE_MEM_UNDEFINED(key, WICE_AEAD_KEY_LEN);
	VALGRIND_MAKE_MEM_UNDEFINED(data, N * ROOM);
}

static void run(const WiceAeadProvider *provider, uint8_t key[WICE_AEAD_KEY_LEN])
{
	uint8_t data[N][ROOM] = { { 0 } }, undefined = 0;
	WiceAeadPacket packets[N];
	for (size_t i = 0; i < N; i++)
		packets[i] = (WiceAeadPacket){ data[i], (uint32_t)(i * 13), false, i };
	for (size_t n = 1; n <= N; n += 4) {
		poison(key, data);
		provider->seal(key, packets, n);
		poison(key, data);
		provider->open(key, packets, n);
	}
	/* That a tag is right is a secret until it is used: valgrind has seen the poison. */
	VALGRIND_GET_VBITS(&packets[0].ok, &undefined, 1);
	if (!undefined)
		abort();
	VALGRIND_MAKE_MEM_DEFINED(key, WICE_AEAD_KEY_LEN);
	printf("%s ran\n", provider->name);
}

int main(int argc, char *argv[])
{
	uint8_t key[WICE_AEAD_KEY_LEN] = { 1 };
	int ran = 0;
	if (!RUNNING_ON_VALGRIND) {
		execlp("valgrind", "valgrind", "-q", "--error-exitcode=1", argv[0], NULL);
		return skip("valgrind is not installed");
	}
	for (size_t i = 0; i < G_N_ELEMENTS(own); i++) {
		const WiceAeadProvider *provider = wice__aead_find(own[i]);
		if (!provider)
			continue;
		run(provider, key);
		ran++;
	}
	return ran ? 0 : skip("no provider of ours is usable in valgrind");
}

#endif
