/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL, packet by packet. Setting up a packet costs it more than a short packet does, but it has
 * assembler for many processors; the race tells. A context per thread.
 */
#include "config.h"
#include "crypto/aead_library.h"
#include "crypto/aead_provider.h"
#include <glib.h>
#include <openssl/evp.h>

#define FUNCTION(name) static __typeof__(EVP_##name) *name
FUNCTION(CIPHER_CTX_new);
FUNCTION(CIPHER_CTX_free);
FUNCTION(CIPHER_CTX_ctrl);
FUNCTION(chacha20_poly1305);
FUNCTION(CipherInit_ex);
FUNCTION(CipherUpdate);
FUNCTION(CipherFinal_ex);

static bool usable(void)
{
	static const WiceAeadSymbol symbols[] = {
		{ "EVP_CIPHER_CTX_new", &CIPHER_CTX_new },
		{ "EVP_CIPHER_CTX_free", &CIPHER_CTX_free },
		{ "EVP_CIPHER_CTX_ctrl", &CIPHER_CTX_ctrl },
		{ "EVP_chacha20_poly1305", &chacha20_poly1305 },
		{ "EVP_CipherInit_ex", &CipherInit_ex },
		{ "EVP_CipherUpdate", &CipherUpdate },
		{ "EVP_CipherFinal_ex", &CipherFinal_ex },
	};
	return wice__aead_library_load(WICE_LIBCRYPTO, symbols, G_N_ELEMENTS(symbols));
}

static void free_context(gpointer context)
{
	CIPHER_CTX_free(context);
}

/* The thread's, or NULL where OpenSSL cannot do it (no memory, or a provider that forbids ChaCha20). */
static EVP_CIPHER_CTX *get_context(void)
{
	static GPrivate private = G_PRIVATE_INIT(free_context);
	EVP_CIPHER_CTX *context = g_private_get(&private);
	if (context)
		return context;
	context = CIPHER_CTX_new();
	if (context && CipherInit_ex(context, chacha20_poly1305(), NULL, NULL, NULL, 1) != 1) {
		CIPHER_CTX_free(context);
		context = NULL;
	}
	g_private_set(&private, context);
	return context;
}

static bool crypt_packet(EVP_CIPHER_CTX *context, const uint8_t *key, WiceAeadPacket *packet,
			 bool sealing)
{
	uint8_t nonce[WICE_AEAD_NONCE_LEN], *tag = packet->data + packet->length;
	int len;
	wice__aead_nonce(packet->counter, nonce);
	if (CipherInit_ex(context, NULL, NULL, key, nonce, sealing) != 1)
		return false;
	if (!sealing &&
	    CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, WICE_AEAD_TAG_LEN, tag) != 1)
		return false;
	if (CipherUpdate(context, packet->data, &len, packet->data, (int)packet->length) != 1)
		return false;
	if (CipherFinal_ex(context, tag, &len) != 1)
		return false;
	return !sealing ||
	       CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, WICE_AEAD_TAG_LEN, tag) == 1;
}

/* So that the thread's context keeps no key. */
static void forget_key(EVP_CIPHER_CTX *context)
{
	static const uint8_t zeros[WICE_AEAD_KEY_LEN];
	CipherInit_ex(context, NULL, NULL, zeros, zeros, 1);
}

static void seal(const uint8_t key[WICE_AEAD_KEY_LEN], WiceAeadPacket *packets, size_t n)
{
	EVP_CIPHER_CTX *context = get_context();
	if (!context) {
		wice__aead_sodium.seal(key, packets, n);
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (!crypt_packet(context, i ? NULL : key, &packets[i], true))
			g_error("OpenSSL could seal once, and now it cannot");
	forget_key(context);
}

static void open(const uint8_t key[WICE_AEAD_KEY_LEN], WiceAeadPacket *packets, size_t n)
{
	EVP_CIPHER_CTX *context = get_context();
	if (!context) {
		wice__aead_sodium.open(key, packets, n);
		return;
	}
	for (size_t i = 0; i < n; i++)
		packets[i].ok = crypt_packet(context, i ? NULL : key, &packets[i], false);
	forget_key(context);
}

const WiceAeadProvider wice__aead_openssl = {
	.name = "openssl",
	.usable = usable,
	.seal = seal,
	.open = open,
};
