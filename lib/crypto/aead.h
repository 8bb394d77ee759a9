/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_CRYPTO_AEAD_H
#define WICE_CRYPTO_AEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * ChaCha20-Poly1305 (RFC 8439) for WireGuard's transport packets: no additional data, and a nonce of
 * four zeros and the packet's counter, little endian. A call takes a batch of packets under one key:
 * their keystreams differ in the nonce only, so that a vector register can hold words of as many
 * packets as it has lanes. That is what makes small packets cheap.
 *
 * Everything takes the same time for every key and every byte of data; lengths and counters are no
 * secrets.
 */
#define WICE_AEAD_KEY_LEN 32
#define WICE_AEAD_TAG_LEN 16
#define WICE_AEAD_MAX_BATCH 64 /* packets in a call that providers are at their best with */

typedef struct {
	uint8_t *data;    /* in place; any alignment */
	uint32_t length;  /* without the tag, which follows the data: 16 bytes must be there */
	bool ok;          /* open: the tag was right. The data is worthless if not. */
	uint64_t counter; /* seal, open: the packet's nonce */
} WiceAeadPacket;

typedef struct {
	const char *name; /* "avx512", "libsodium"... */
	/* True if this processor, and what is installed, can run it. May load a library. */
	bool (*usable)(void);
	/* Encrypts n packets of any lengths in place and writes their tags behind them. */
	void (*seal)(const uint8_t key[WICE_AEAD_KEY_LEN], WiceAeadPacket *packets, size_t n);
	/* Checks and decrypts n packets in place and sets ok in each. */
	void (*open)(const uint8_t key[WICE_AEAD_KEY_LEN], WiceAeadPacket *packets, size_t n);
} WiceAeadProvider;

/* All that were built in, usable or not, best guess first; libsodium, the last, always works. */
size_t wice__aead_providers(const WiceAeadProvider *const **ret_providers);

/* The one of this name, or NULL; it is usable and has passed the self-test. */
const WiceAeadProvider *wice__aead_find(const char *name);

/*
 * The fastest that is usable and passes the self-test, measured when first asked for (about 5 ms).
 * Any thread.
 */
const WiceAeadProvider *wice__aead_best(void);

/*
 * The self-test: RFC 8439's vector, and batches of many lengths against libsodium, sealed, opened and
 * refused when a bit is wrong.
 */
bool wice__aead_self_test(const WiceAeadProvider *provider);

#endif
