/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intel's Multi-Buffer Crypto for IPsec. Its job interface is twice as fast for short packets as its
 * functions for one packet are. A manager, which is what jobs are given to, per thread.
 */
#include "crypto/aead_library.h"
#include "crypto/aead_provider.h"
#include <glib.h>
#include <intel-ipsec-mb.h>

static __typeof__(alloc_mb_mgr) *new_manager;
static __typeof__(free_mb_mgr) *free_manager;
static __typeof__(init_mb_mgr_auto) *init_manager;

/* What must live as long as the jobs of a batch. */
typedef struct {
	uint8_t nonces[WICE_AEAD_MAX_BATCH][WICE_AEAD_NONCE_LEN];
	uint8_t tags[WICE_AEAD_MAX_BATCH][WICE_AEAD_TAG_LEN];
} Jobs;

static bool usable(void)
{
	static const WiceAeadSymbol symbols[] = {
		{ "alloc_mb_mgr", &new_manager },
		{ "free_mb_mgr", &free_manager },
		{ "init_mb_mgr_auto", &init_manager },
	};
	g_autofree char *soname = g_strdup_printf("libIPSec_MB.so.%d", IMB_VERSION_NUM >> 16);
	return wice__aead_library_load(soname, symbols, G_N_ELEMENTS(symbols));
}

static void free_private(gpointer manager)
{
	free_manager(manager);
}

/* The thread's, or NULL without memory. */
static IMB_MGR *get_manager(void)
{
	static GPrivate private = G_PRIVATE_INIT(free_private);
	IMB_MGR *manager = g_private_get(&private);
	if (manager)
		return manager;
	manager = new_manager(0);
	if (manager)
		init_manager(manager, NULL);
	g_private_set(&private, manager);
	return manager;
}

static void submit(IMB_MGR *manager, const uint8_t *key, const WiceAeadPacket *packet,
		   uint8_t *nonce, uint8_t *tag, bool sealing)
{
	IMB_JOB *job = IMB_GET_NEXT_JOB(manager);
	wice__aead_nonce(packet->counter, nonce);
	job->cipher_mode = IMB_CIPHER_CHACHA20_POLY1305;
	job->hash_alg = IMB_AUTH_CHACHA20_POLY1305;
	job->cipher_direction = sealing ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
	job->chain_order = sealing ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
	job->enc_keys = key;
	job->dec_keys = key;
	job->key_len_in_bytes = WICE_AEAD_KEY_LEN;
	job->iv = nonce;
	job->iv_len_in_bytes = WICE_AEAD_NONCE_LEN;
	job->src = packet->data;
	job->dst = packet->data;
	job->cipher_start_src_offset_in_bytes = 0;
	job->hash_start_src_offset_in_bytes = 0;
	job->msg_len_to_cipher_in_bytes = packet->length;
	job->msg_len_to_hash_in_bytes = packet->length;
	job->auth_tag_output = tag;
	job->auth_tag_output_len_in_bytes = WICE_AEAD_TAG_LEN;
	job->u.CHACHA20_POLY1305.aad = NULL;
	job->u.CHACHA20_POLY1305.aad_len_in_bytes = 0;
	for (job = IMB_SUBMIT_JOB_NOCHECK(manager); job; job = IMB_GET_COMPLETED_JOB(manager))
		;
}

/* Up to WICE_AEAD_MAX_BATCH packets. */
static void crypt_jobs(IMB_MGR *manager, const uint8_t *key, WiceAeadPacket *packets, size_t n,
		       bool sealing)
{
	Jobs jobs;
	for (size_t i = 0; i < n; i++) {
		uint8_t *tag = sealing ? packets[i].data + packets[i].length : jobs.tags[i];
		submit(manager, key, &packets[i], jobs.nonces[i], tag, sealing);
	}
	while (IMB_FLUSH_JOB(manager))
		;
	for (size_t i = 0; i < n && !sealing; i++)
		packets[i].ok =
			wice__aead_tags_equal(packets[i].data + packets[i].length, jobs.tags[i]);
}

static void crypt_all(const uint8_t *key, WiceAeadPacket *packets, size_t n, bool sealing)
{
	IMB_MGR *manager = get_manager();
	if (!manager) {
		(sealing ? wice__aead_sodium.seal : wice__aead_sodium.open)(key, packets, n);
		return;
	}
	for (size_t i = 0; i < n; i += WICE_AEAD_MAX_BATCH)
		crypt_jobs(manager, key, packets + i, MIN(n - i, WICE_AEAD_MAX_BATCH), sealing);
}

static void seal(const uint8_t key[WICE_AEAD_KEY_LEN], WiceAeadPacket *packets, size_t n)
{
	crypt_all(key, packets, n, true);
}

static void open(const uint8_t key[WICE_AEAD_KEY_LEN], WiceAeadPacket *packets, size_t n)
{
	crypt_all(key, packets, n, false);
}

const WiceAeadProvider wice__aead_ipsec_mb = {
	.name = "ipsec-mb",
	.usable = usable,
	.seal = seal,
	.open = open,
};
