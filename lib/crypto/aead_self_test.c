/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/aead.h"

#include "crypto/aead_provider.h"
#include <glib.h>
#include <string.h>

/* Lengths about the edges of blocks, pieces and vectors, and those of real packets. */
static const uint16_t lengths[] = {
	0,  1,   15,  16,  17,  31,   32,  33,   47,   48, 63, 64,  65,   79,   80,
	81, 127, 128, 129, 255, 256,  257, 511,  512,  96, 16, 112, 1424, 1420, 1280,
	64, 80,  0,   576, 900, 1424, 48,  1423, 2000, 32, 65, 16,  127,  20,
};

#define N G_N_ELEMENTS(lengths)
#define ROOM (2000 + WICE_AEAD_TAG_LEN)

typedef struct {
	uint8_t key[WICE_AEAD_KEY_LEN];
	uint8_t plain[N][ROOM], sealed[N][ROOM], data[N][ROOM];
	WiceAeadPacket packets[N];
} Trial;

static void fill(uint8_t *bytes, size_t len, uint32_t seed)
{
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1664525 + 1013904223;
		bytes[i] = (uint8_t)(seed >> 24);
	}
}

static Trial *trial_new(void)
{
	Trial *trial = g_new0(Trial, 1);
	fill(trial->key, sizeof trial->key, 1);
	for (size_t i = 0; i < N; i++) {
		fill(trial->plain[i], lengths[i], (uint32_t)i);
		memcpy(trial->sealed[i], trial->plain[i], lengths[i]);
		trial->packets[i].length = lengths[i];
		trial->packets[i].counter = UINT64_C(0xfedcba9876543210) * i;
		trial->packets[i].data = trial->sealed[i];
	}
	wice__aead_sodium.seal(trial->key, trial->packets, N);
	for (size_t i = 0; i < N; i++)
		trial->packets[i].data = trial->data[i];
	return trial;
}

static bool seals(Trial *trial, const WiceAeadProvider *provider, size_t batch)
{
	memcpy(trial->data, trial->plain, sizeof trial->data);
	for (size_t i = 0; i < N; i += batch)
		provider->seal(trial->key, trial->packets + i, MIN(batch, N - i));
	return memcmp(trial->data, trial->sealed, sizeof trial->data) == 0;
}

/* Each third packet has a wrong bit, in its data or its tag. */
static bool opens(Trial *trial, const WiceAeadProvider *provider, size_t batch)
{
	memcpy(trial->data, trial->sealed, sizeof trial->data);
	for (size_t i = 0; i < N; i += 3)
		trial->data[i][lengths[i] + 15 - (11 * i) % 16] ^= (uint8_t)(1 << i % 8);
	for (size_t i = 0; i < N; i += batch)
		provider->open(trial->key, trial->packets + i, MIN(batch, N - i));
	for (size_t i = 0; i < N; i++) {
		bool right = i % 3 != 0;
		if (trial->packets[i].ok != right)
			return false;
		if (right && memcmp(trial->data[i], trial->plain[i], lengths[i]) != 0)
			return false;
	}
	return true;
}

/*
 * RFC 8439 section 2.4.2: the only one of its vectors that has a nonce like ours, zeros first. It is one
 * of the cipher alone; the tag behind it is that of another implementation.
 */
static const char rfc_plain[] =
	"Ladies and Gentlemen of the class of '99: If I could offer you only "
	"one tip for the future, sunscreen would be it.";
static const uint8_t rfc_sealed[] = {
	0x6e, 0x2e, 0x35, 0x9a, 0x25, 0x68, 0xf9, 0x80, 0x41, 0xba, 0x07, 0x28, 0xdd, 0x0d, 0x69,
	0x81, 0xe9, 0x7e, 0x7a, 0xec, 0x1d, 0x43, 0x60, 0xc2, 0x0a, 0x27, 0xaf, 0xcc, 0xfd, 0x9f,
	0xae, 0x0b, 0xf9, 0x1b, 0x65, 0xc5, 0x52, 0x47, 0x33, 0xab, 0x8f, 0x59, 0x3d, 0xab, 0xcd,
	0x62, 0xb3, 0x57, 0x16, 0x39, 0xd6, 0x24, 0xe6, 0x51, 0x52, 0xab, 0x8f, 0x53, 0x0c, 0x35,
	0x9f, 0x08, 0x61, 0xd8, 0x07, 0xca, 0x0d, 0xbf, 0x50, 0x0d, 0x6a, 0x61, 0x56, 0xa3, 0x8e,
	0x08, 0x8a, 0x22, 0xb6, 0x5e, 0x52, 0xbc, 0x51, 0x4d, 0x16, 0xcc, 0xf8, 0x06, 0x81, 0x8c,
	0xe9, 0x1a, 0xb7, 0x79, 0x37, 0x36, 0x5a, 0xf9, 0x0b, 0xbf, 0x74, 0xa3, 0x5b, 0xe6, 0xb4,
	0x0b, 0x8e, 0xed, 0xf2, 0x78, 0x5e, 0x42, 0x87, 0x4d, 0x81, 0xdb, 0x63, 0xfc, 0xb1, 0x89,
	0xa0, 0x31, 0x21, 0xae, 0x0a, 0xc7, 0x2a, 0x3f, 0x1f, 0x36,
};

static bool knows_rfc(const WiceAeadProvider *provider)
{
	uint8_t key[WICE_AEAD_KEY_LEN], data[sizeof rfc_sealed];
	WiceAeadPacket packet = { data, sizeof data - WICE_AEAD_TAG_LEN, false, 0x4a000000 };
	for (size_t i = 0; i < sizeof key; i++)
		key[i] = (uint8_t)i;
	memcpy(data, rfc_plain, packet.length);
	provider->seal(key, &packet, 1);
	return memcmp(data, rfc_sealed, sizeof data) == 0;
}

bool wice__aead_self_test(const WiceAeadProvider *provider)
{
	static const size_t batches[] = { 1, 5, 16, N };
	Trial *trial = trial_new();
	bool right = knows_rfc(provider);
	for (size_t i = 0; right && i < G_N_ELEMENTS(batches); i++)
		right = seals(trial, provider, batches[i]) && opens(trial, provider, batches[i]);
	g_free(trial);
	return right;
}
