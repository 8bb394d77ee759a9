/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_PROXY_NFT_MESSAGE_H
#define WICE_PROXY_NFT_MESSAGE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/addr.h>

struct nl_msg;
struct nlattr;

/*
 * Messages to nf_tables, collected in a batch that the kernel takes as a whole or not at all: the
 * objects of one table of the family inet, and the expressions that rules are made of. What goes
 * wrong while collecting (memory) is kept until wice__nft_batch_end().
 */
typedef struct {
	const char *table; /* borrowed */
	GByteArray *bytes;
	uint32_t sequence;          /* of the next message */
	size_t last;                /* where the last message begins in bytes */
	struct nl_msg *message;     /* the one that is being written */
	struct nlattr *expressions; /* of it, if it is a rule */
	bool failed;
} WiceNftBatch;

/* Lifetime: init, any number of others, end, and done in any case. */
void wice__nft_batch_init(WiceNftBatch *batch, const char *table, uint32_t sequence);
/* The kernel will acknowledge the last message that was added; its number is *ret_acked. -ENOMEM */
int wice__nft_batch_end(WiceNftBatch *batch, uint32_t *ret_acked);
void wice__nft_batch_done(WiceNftBatch *batch);

/* Adds the table, or does nothing if there is one with these flags (NFT_TABLE_F_*). */
void wice__nft_add_table(WiceNftBatch *batch, uint32_t flags);
/* With all that is in it. */
void wice__nft_delete_table(WiceNftBatch *batch);
/* Appends the question for the table, which is no part of a transaction. -ENOMEM */
int wice__nft_write_get_table(const char *table, uint32_t sequence, GByteArray *ret_bytes);

/* A chain of the type filter at a hook (NF_INET_*). */
void wice__nft_add_chain(WiceNftBatch *batch, const char *name, uint32_t hook, int32_t priority);
/* A chain at no hook, that rules of others lead to. */
void wice__nft_add_rule_list(WiceNftBatch *batch, const char *name);

/* The types that nft(8) shows for keys and data: its own numbers, which never change. */
enum {
	WICE_NFT_TYPE_INTEGER = 4,
	WICE_NFT_TYPE_IPV4_ADDR = 7,
	WICE_NFT_TYPE_IPV6_ADDR = 8,
	WICE_NFT_TYPE_INET_SERVICE = 13,
};
/* A concatenation of two. */
#define WICE_NFT_TYPE_PAIR(first, second) ((first) << 6 | (second))

typedef struct {
	const char *name; /* as in nft(8); "__set%d": an anonymous one, which the kernel names */
	uint32_t id;      /* by which rules of the same batch name it */
	uint32_t flags;   /* NFT_SET_* */
	uint32_t key_type, key_len;
	uint32_t data_type, data_len; /* of maps */
	uint32_t size;                /* elements at most */
	uint64_t timeout_ms;          /* of elements, with NFT_SET_TIMEOUT */
} WiceNftSet;

void wice__nft_add_set(WiceNftBatch *batch, const WiceNftSet *set);

/* An element of a set, or of a map if data_len is not 0. */
typedef struct {
	uint8_t key[20], data[2];
	uint8_t key_len, data_len;
} WiceNftElement;

/* Key: an address and a port, as in a concatenation. Data: a port, 0 for none. */
void wice__nft_element_init(WiceNftElement *element, const WiceEndpoint *key, uint16_t port);

void wice__nft_add_elements(WiceNftBatch *batch, const WiceNftSet *set,
			    const WiceNftElement *elements, size_t n);
void wice__nft_delete_element(WiceNftBatch *batch, const WiceNftSet *set,
			      const WiceNftElement *element);

/*
 * Rules: begin, expressions, end. Registers are numbered as in nft's own listing (nft
 * --debug=netlink): 1 to 4 have 16 bytes, 8 and up 4 bytes each of the same room.
 */
void wice__nft_rule_begin(WiceNftBatch *batch, const char *chain);
void wice__nft_rule_end(WiceNftBatch *batch);
/* All rules of the chain. */
void wice__nft_delete_rules(WiceNftBatch *batch, const char *chain);

/* register = NFT_META_* of the packet */
void wice__nft_load_meta(WiceNftBatch *batch, uint32_t key, uint32_t to);
/* register = len bytes of the packet at offset of a header (NFT_PAYLOAD_*) */
void wice__nft_load_payload(WiceNftBatch *batch, uint32_t base, uint32_t offset, uint32_t len,
			    uint32_t to);
/* register = these bytes */
void wice__nft_load_value(WiceNftBatch *batch, const void *value, size_t len, uint32_t to);
/* Go on only if register and these bytes are equal, or differ (NFT_CMP_EQ, NFT_CMP_NEQ). */
void wice__nft_compare(WiceNftBatch *batch, uint32_t from, uint32_t operation, const void *value,
		       size_t len);
/* Go on only if register is a key of the set; to: where its data goes, 0 if it has none. */
void wice__nft_look_up(WiceNftBatch *batch, const WiceNftSet *set, uint32_t from, uint32_t to);
/* Adds key register -> data register to a map with NFT_SET_EVAL, unless there is such a key. */
void wice__nft_learn(WiceNftBatch *batch, const WiceNftSet *map, uint32_t key, uint32_t data);
/* The chain ends here for the packet; those of others go on. */
void wice__nft_accept(WiceNftBatch *batch);
/* The packet goes on in a chain at no hook, and does not come back. */
void wice__nft_goto(WiceNftBatch *batch, const char *chain);
/*
 * len bytes of the packet at offset of the transport header = register. The checksum there (UDP's)
 * is updated, or left alone.
 */
void wice__nft_store_payload(WiceNftBatch *batch, uint32_t offset, uint32_t len, uint32_t from,
			     bool update_checksum);

#endif
