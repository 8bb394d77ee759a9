/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All numbers in attributes are in network order, unlike everywhere else in netlink. Attributes are
 * described in <linux/netfilter/nf_tables.h>; that they nest as follows is not:
 *
 *   NEWRULE      TABLE CHAIN EXPRESSIONS{ ELEM{ NAME DATA{ ... } } ELEM{ ... } ... }
 *   NEWSETELEM   TABLE SET   ELEMENTS{    ELEM{ KEY{ VALUE } DATA{ VALUE } } ... }
 */
#include "proxy/nft/message.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>

#define UDP_CHECKSUM_OFFSET 6
/* A rule takes less than 1,000 bytes, an element at most 56. */
#define MESSAGE_SIZE 4096
#define ELEMENTS_PER_MESSAGE 64

static void begin(WiceNftBatch *batch, uint16_t type, uint16_t flags, uint8_t family,
		  uint16_t resource)
{
	struct nfgenmsg header = { .nfgen_family = family,
				   .version = NFNETLINK_V0,
				   .res_id = htons(resource) };
	batch->message = nlmsg_alloc_size(MESSAGE_SIZE);
	if (!batch->message ||
	    !nlmsg_put(batch->message, 0, batch->sequence, type, 0, NLM_F_REQUEST | flags) ||
	    nlmsg_append(batch->message, &header, sizeof header, NLMSG_ALIGNTO) < 0)
		batch->failed = true;
	batch->sequence++;
}

static void finish(WiceNftBatch *batch)
{
	if (batch->message && !batch->failed) {
		const struct nlmsghdr *header = nlmsg_hdr(batch->message);
		batch->last = batch->bytes->len;
		g_byte_array_append(batch->bytes, (const guint8 *)header,
				    NLMSG_ALIGN(header->nlmsg_len));
	}
	nlmsg_free(batch->message);
	batch->message = NULL;
}

static void put(WiceNftBatch *batch, int type, const void *data, size_t len)
{
	if (batch->failed || nla_put(batch->message, type, (int)len, data) < 0)
		batch->failed = true;
}

static void put_u32(WiceNftBatch *batch, int type, uint32_t value)
{
	value = htonl(value);
	put(batch, type, &value, sizeof value);
}

static void put_u64(WiceNftBatch *batch, int type, uint64_t value)
{
	value = GUINT64_TO_BE(value);
	put(batch, type, &value, sizeof value);
}

static void put_string(WiceNftBatch *batch, int type, const char *string)
{
	put(batch, type, string, strlen(string) + 1);
}

static struct nlattr *open_nest(WiceNftBatch *batch, int type)
{
	struct nlattr *nest = batch->failed ? NULL : nla_nest_start(batch->message, type);
	if (!nest)
		batch->failed = true;
	return nest;
}

static void close_nest(WiceNftBatch *batch, struct nlattr *nest)
{
	if (!batch->failed)
		nla_nest_end(batch->message, nest);
}

static void put_value(WiceNftBatch *batch, int type, const void *value, size_t len)
{
	struct nlattr *nest = open_nest(batch, type);
	put(batch, NFTA_DATA_VALUE, value, len);
	close_nest(batch, nest);
}

void wice__nft_batch_init(WiceNftBatch *batch, const char *table, uint32_t sequence)
{
	*batch =
		(WiceNftBatch){ .table = table, .bytes = g_byte_array_new(), .sequence = sequence };
	begin(batch, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	finish(batch);
}

int wice__nft_batch_end(WiceNftBatch *batch, uint32_t *ret_acked)
{
	size_t last = batch->last;
	begin(batch, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	finish(batch);
	if (batch->failed)
		return -ENOMEM;
	struct nlmsghdr *header = (void *)(batch->bytes->data + last);
	header->nlmsg_flags |= NLM_F_ACK;
	*ret_acked = header->nlmsg_seq;
	return 0;
}

void wice__nft_batch_done(WiceNftBatch *batch)
{
	nlmsg_free(batch->message);
	g_byte_array_unref(batch->bytes);
}

/* Tables, chains and sets. */

static void begin_object(WiceNftBatch *batch, uint16_t message, uint16_t flags)
{
	begin(batch, NFNL_SUBSYS_NFTABLES << 8 | message, flags, NFPROTO_INET, 0);
}

void wice__nft_add_table(WiceNftBatch *batch, uint32_t flags)
{
	begin_object(batch, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	put_string(batch, NFTA_TABLE_NAME, batch->table);
	put_u32(batch, NFTA_TABLE_FLAGS, flags);
	finish(batch);
}

void wice__nft_delete_table(WiceNftBatch *batch)
{
	begin_object(batch, NFT_MSG_DELTABLE, 0);
	put_string(batch, NFTA_TABLE_NAME, batch->table);
	finish(batch);
}

int wice__nft_write_get_table(const char *table, uint32_t sequence, GByteArray *ret_bytes)
{
	WiceNftBatch batch = { .table = table, .bytes = ret_bytes, .sequence = sequence };
	begin_object(&batch, NFT_MSG_GETTABLE, NLM_F_ACK);
	put_string(&batch, NFTA_TABLE_NAME, table);
	finish(&batch);
	return batch.failed ? -ENOMEM : 0;
}

void wice__nft_add_chain(WiceNftBatch *batch, const char *name, uint32_t hook, int32_t priority)
{
	begin_object(batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	put_string(batch, NFTA_CHAIN_TABLE, batch->table);
	put_string(batch, NFTA_CHAIN_NAME, name);
	put_string(batch, NFTA_CHAIN_TYPE, "filter");
	struct nlattr *nest = open_nest(batch, NFTA_CHAIN_HOOK);
	put_u32(batch, NFTA_HOOK_HOOKNUM, hook);
	put_u32(batch, NFTA_HOOK_PRIORITY, (uint32_t)priority);
	close_nest(batch, nest);
	finish(batch);
}

void wice__nft_add_rule_list(WiceNftBatch *batch, const char *name)
{
	begin_object(batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	put_string(batch, NFTA_CHAIN_TABLE, batch->table);
	put_string(batch, NFTA_CHAIN_NAME, name);
	finish(batch);
}

void wice__nft_add_set(WiceNftBatch *batch, const WiceNftSet *set)
{
	begin_object(batch, NFT_MSG_NEWSET, NLM_F_CREATE);
	put_string(batch, NFTA_SET_TABLE, batch->table);
	put_string(batch, NFTA_SET_NAME, set->name);
	put_u32(batch, NFTA_SET_FLAGS, set->flags);
	put_u32(batch, NFTA_SET_ID, set->id);
	put_u32(batch, NFTA_SET_KEY_TYPE, set->key_type);
	put_u32(batch, NFTA_SET_KEY_LEN, set->key_len);
	if (set->flags & NFT_SET_MAP) {
		put_u32(batch, NFTA_SET_DATA_TYPE, set->data_type);
		put_u32(batch, NFTA_SET_DATA_LEN, set->data_len);
	}
	if (set->flags & NFT_SET_TIMEOUT)
		put_u64(batch, NFTA_SET_TIMEOUT, set->timeout_ms);
	struct nlattr *nest = open_nest(batch, NFTA_SET_DESC);
	put_u32(batch, NFTA_SET_DESC_SIZE, set->size);
	close_nest(batch, nest);
	finish(batch);
}

/* Each part of a concatenation fills whole words. */
void wice__nft_element_init(WiceNftElement *element, const WiceEndpoint *key, uint16_t port)
{
	uint8_t address_len = key->address.family == WICE_FAMILY_IPV4 ? 4 : 16;
	uint16_t key_port = htons(key->port), data_port = htons(port);
	memset(element, 0, sizeof *element);
	memcpy(element->key, key->address.bytes, address_len);
	memcpy(element->key + address_len, &key_port, sizeof key_port);
	element->key_len = address_len + 4;
	memcpy(element->data, &data_port, sizeof data_port);
	element->data_len = port ? sizeof data_port : 0;
}

static void put_elements(WiceNftBatch *batch, const WiceNftSet *set, const WiceNftElement *elements,
			 size_t n)
{
	put_string(batch, NFTA_SET_ELEM_LIST_TABLE, batch->table);
	put_string(batch, NFTA_SET_ELEM_LIST_SET, set->name);
	put_u32(batch, NFTA_SET_ELEM_LIST_SET_ID, set->id);
	struct nlattr *list = open_nest(batch, NFTA_SET_ELEM_LIST_ELEMENTS);
	for (size_t i = 0; i < n; i++) {
		struct nlattr *nest = open_nest(batch, NFTA_LIST_ELEM);
		put_value(batch, NFTA_SET_ELEM_KEY, elements[i].key, elements[i].key_len);
		if (elements[i].data_len)
			put_value(batch, NFTA_SET_ELEM_DATA, elements[i].data,
				  elements[i].data_len);
		close_nest(batch, nest);
	}
	close_nest(batch, list);
}

void wice__nft_add_elements(WiceNftBatch *batch, const WiceNftSet *set,
			    const WiceNftElement *elements, size_t n)
{
	for (size_t i = 0; i < n; i += ELEMENTS_PER_MESSAGE) {
		begin_object(batch, NFT_MSG_NEWSETELEM, NLM_F_CREATE);
		put_elements(batch, set, elements + i, MIN(n - i, ELEMENTS_PER_MESSAGE));
		finish(batch);
	}
}

void wice__nft_delete_element(WiceNftBatch *batch, const WiceNftSet *set,
			      const WiceNftElement *element)
{
	begin_object(batch, NFT_MSG_DELSETELEM, 0);
	put_elements(batch, set, element, 1);
	finish(batch);
}

/* Rules. */

/* The two nests that an expression is in. */
typedef struct {
	struct nlattr *element, *data;
} Expression;

static Expression open_expression(WiceNftBatch *batch, const char *name)
{
	Expression expression = { .element = open_nest(batch, NFTA_LIST_ELEM) };
	put_string(batch, NFTA_EXPR_NAME, name);
	expression.data = open_nest(batch, NFTA_EXPR_DATA);
	return expression;
}

static void close_expression(WiceNftBatch *batch, Expression expression)
{
	close_nest(batch, expression.data);
	close_nest(batch, expression.element);
}

void wice__nft_rule_begin(WiceNftBatch *batch, const char *chain)
{
	begin_object(batch, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	put_string(batch, NFTA_RULE_TABLE, batch->table);
	put_string(batch, NFTA_RULE_CHAIN, chain);
	batch->expressions = open_nest(batch, NFTA_RULE_EXPRESSIONS);
}

void wice__nft_rule_end(WiceNftBatch *batch)
{
	close_nest(batch, batch->expressions);
	finish(batch);
}

void wice__nft_delete_rules(WiceNftBatch *batch, const char *chain)
{
	begin_object(batch, NFT_MSG_DELRULE, 0);
	put_string(batch, NFTA_RULE_TABLE, batch->table);
	put_string(batch, NFTA_RULE_CHAIN, chain);
	finish(batch);
}

void wice__nft_load_meta(WiceNftBatch *batch, uint32_t key, uint32_t to)
{
	Expression expression = open_expression(batch, "meta");
	put_u32(batch, NFTA_META_KEY, key);
	put_u32(batch, NFTA_META_DREG, to);
	close_expression(batch, expression);
}

void wice__nft_load_payload(WiceNftBatch *batch, uint32_t base, uint32_t offset, uint32_t len,
			    uint32_t to)
{
	Expression expression = open_expression(batch, "payload");
	put_u32(batch, NFTA_PAYLOAD_DREG, to);
	put_u32(batch, NFTA_PAYLOAD_BASE, base);
	put_u32(batch, NFTA_PAYLOAD_OFFSET, offset);
	put_u32(batch, NFTA_PAYLOAD_LEN, len);
	close_expression(batch, expression);
}

void wice__nft_load_value(WiceNftBatch *batch, const void *value, size_t len, uint32_t to)
{
	Expression expression = open_expression(batch, "immediate");
	put_u32(batch, NFTA_IMMEDIATE_DREG, to);
	put_value(batch, NFTA_IMMEDIATE_DATA, value, len);
	close_expression(batch, expression);
}

void wice__nft_compare(WiceNftBatch *batch, uint32_t from, uint32_t operation, const void *value,
		       size_t len)
{
	Expression expression = open_expression(batch, "cmp");
	put_u32(batch, NFTA_CMP_SREG, from);
	put_u32(batch, NFTA_CMP_OP, operation);
	put_value(batch, NFTA_CMP_DATA, value, len);
	close_expression(batch, expression);
}

void wice__nft_look_up(WiceNftBatch *batch, const WiceNftSet *set, uint32_t from, uint32_t to)
{
	Expression expression = open_expression(batch, "lookup");
	put_string(batch, NFTA_LOOKUP_SET, set->name);
	put_u32(batch, NFTA_LOOKUP_SET_ID, set->id);
	put_u32(batch, NFTA_LOOKUP_SREG, from);
	if (to)
		put_u32(batch, NFTA_LOOKUP_DREG, to);
	close_expression(batch, expression);
}

void wice__nft_learn(WiceNftBatch *batch, const WiceNftSet *map, uint32_t key, uint32_t data)
{
	Expression expression = open_expression(batch, "dynset");
	put_string(batch, NFTA_DYNSET_SET_NAME, map->name);
	put_u32(batch, NFTA_DYNSET_SET_ID, map->id);
	put_u32(batch, NFTA_DYNSET_OP, NFT_DYNSET_OP_ADD);
	put_u32(batch, NFTA_DYNSET_SREG_KEY, key);
	put_u32(batch, NFTA_DYNSET_SREG_DATA, data);
	close_expression(batch, expression);
}

/* chain: where to, or NULL */
static void put_verdict(WiceNftBatch *batch, int code, const char *chain)
{
	Expression expression = open_expression(batch, "immediate");
	put_u32(batch, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	struct nlattr *data = open_nest(batch, NFTA_IMMEDIATE_DATA);
	struct nlattr *verdict = open_nest(batch, NFTA_DATA_VERDICT);
	put_u32(batch, NFTA_VERDICT_CODE, (uint32_t)code);
	if (chain)
		put_string(batch, NFTA_VERDICT_CHAIN, chain);
	close_nest(batch, verdict);
	close_nest(batch, data);
	close_expression(batch, expression);
}

void wice__nft_accept(WiceNftBatch *batch)
{
	put_verdict(batch, NF_ACCEPT, NULL);
}

void wice__nft_goto(WiceNftBatch *batch, const char *chain)
{
	put_verdict(batch, NFT_GOTO, chain);
}

/*
 * The type INET says that the checksum covers these bytes; without it, the packet would only live
 * where a connection tracker or the network card has verified the checksum before.
 */
void wice__nft_store_payload(WiceNftBatch *batch, uint32_t offset, uint32_t len, uint32_t from,
			     bool update_checksum)
{
	Expression expression = open_expression(batch, "payload");
	put_u32(batch, NFTA_PAYLOAD_SREG, from);
	put_u32(batch, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_TRANSPORT_HEADER);
	put_u32(batch, NFTA_PAYLOAD_OFFSET, offset);
	put_u32(batch, NFTA_PAYLOAD_LEN, len);
	put_u32(batch, NFTA_PAYLOAD_CSUM_TYPE,
		update_checksum ? NFT_PAYLOAD_CSUM_INET : NFT_PAYLOAD_CSUM_NONE);
	put_u32(batch, NFTA_PAYLOAD_CSUM_OFFSET, UDP_CHECKSUM_OFFSET);
	put_u32(batch, NFTA_PAYLOAD_CSUM_FLAGS, 0);
	close_expression(batch, expression);
}
