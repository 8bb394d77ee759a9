/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules, much as `nft list table inet wice-wg0` shows them; those for IPv6 are alike and left
 * out:
 *
 *   set ice4 { type ipv4_addr . inet_service; }                    local addresses of ICE agents
 *   map masq4 { type ipv4_addr . inet_service : inet_service; }    remote endpoint -> ICE's port
 *   map moving4 { type ipv4_addr . inet_service : inet_service; }
 *   map heard4 { type inet_service . ipv4_addr : inet_service; flags dynamic,timeout; }
 *
 *   chain ingress { type filter hook input priority filter + 10;
 *     meta l4proto udp @th,64,32 { 0x01000000, 0x02000000, 0x03000000, 0x04000000 } goto received
 *   }
 *   chain received {
 *     @th,64,32 0x01000000 ip daddr . udp dport @ice4
 *       add @heard4 { udp sport . ip saddr : udp dport }
 *     ip daddr . udp dport @ice4 udp checksum != 0 udp dport set 51820 accept
 *     ip daddr . udp dport @ice4 udp checksum 0 udp dport set 51820 accept
 *   }
 *   chain egress { type filter hook output priority raw;
 *     udp sport 51820 goto sent
 *   }
 *   chain sent {
 *     udp sport set ip daddr . udp dport map @masq4 accept
 *     udp sport set ip daddr . udp dport map @moving4 accept
 *     udp sport set udp dport . ip daddr map @heard4 accept
 *   }
 *
 * - All that the host sends and receives passes the chains at the hooks, also what goes through the
 *   tunnel. So each has one rule, and what is not WireGuard's is done after a comparison or two.
 * - A stateful firewall and a NAT know the flow that ICE's checks have opened, so connection
 *   tracking must see WireGuard's packets in it: egress is rewritten before it (priority raw),
 *   ingress after it and after the filters of others. For the same reason there is no notrack.
 * - WireGuard is matched by what it is, the little-endian word that each of its messages begins
 *   with (bytes 8 to 11 of UDP), and not as what STUN is not: there is also ChannelData, and DTLS.
 * - The input hook is before the kernel looks for the socket, as long as that is not connected.
 *   ICE's are not.
 * - Ports of ICE agents go with their address, because agents of two interfaces may have one port
 *   number on two addresses.
 * - The kernel's update of a checksum of 0, which means that there is none, makes it a wrong one.
 *   So these packets (IPv4 only) have a rule of their own, that leaves it alone.
 * - The peer may select its path, and begin the handshake, before we have selected ours. Then
 *   WireGuard answers an endpoint that is not in masq4, from the wrong port, and the peer would ask
 *   again only after 5 s. So where a handshake initiation (type 1) comes from is remembered, for as
 *   long as selecting can take. What we have selected goes first. Strangers can fill that map, with
 *   what is of no use to them, up to its size and for a few seconds.
 *   Its keys begin with the port, because nft(8) 1.0.6 dies of an assertion when it reads a rule
 *   that adds an IPv6 address and what follows it, and users may save their ruleset and load it.
 * - An element whose data changes must be deleted and added. In one transaction that is as one to
 *   all packets only in theory: in Linux 6.1, a lookup that has begun before may find neither of
 *   the two. So the new one is in the map moving4, too, meanwhile.
 * - What a rule has rewritten needs none of the others, and accept ends nobody else's chain.
 */
#include "proxy/nft/ruleset.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4.h>
#include <netinet/in.h>
#include <stddef.h>

#define INGRESS_PRIORITY (NF_IP_PRI_FILTER + 10)
#define EGRESS_PRIORITY NF_IP_PRI_RAW
#define HEARD_SIZE 1024
#define HEARD_MS 10000

/* Offsets in the UDP header. */
enum { SOURCE_PORT = 0, DESTINATION_PORT = 2, CHECKSUM = 6, PAYLOAD = 8 };

/* Of the anonymous set; those of the others are below. */
#define WORDS_ID 9

static const uint8_t words[4][4] = { { 1 }, { 2 }, { 3 }, { 4 } };

#define PAIR(first, second) WICE_NFT_TYPE_PAIR(WICE_NFT_TYPE_##first, WICE_NFT_TYPE_##second)
#define TO_PORT .data_type = WICE_NFT_TYPE_INET_SERVICE, .data_len = 2

/* The sets of a family, numbered from first_id. */
#define SETS(v, first_id, type, len)                                      \
	.ice = { .name = "ice" v,                                         \
		 .id = first_id,                                          \
		 .key_type = PAIR(type, INET_SERVICE),                    \
		 .key_len = len,                                          \
		 .size = WICE_NFT_MAX_ELEMENTS },                         \
	.masq = { .name = "masq" v,                                       \
		  .id = (first_id) + 1,                                   \
		  .flags = NFT_SET_MAP,                                   \
		  .key_type = PAIR(type, INET_SERVICE),                   \
		  .key_len = len,                                         \
		  TO_PORT,                                                \
		  .size = WICE_NFT_MAX_ELEMENTS },                        \
	.moving = { .name = "moving" v,                                   \
		    .id = (first_id) + 2,                                 \
		    .flags = NFT_SET_MAP,                                 \
		    .key_type = PAIR(type, INET_SERVICE),                 \
		    .key_len = len,                                       \
		    TO_PORT,                                              \
		    .size = 1 },                                          \
	.heard = { .name = "heard" v,                                     \
		   .id = (first_id) + 3,                                  \
		   .flags = NFT_SET_MAP | NFT_SET_EVAL | NFT_SET_TIMEOUT, \
		   .key_type = PAIR(INET_SERVICE, type),                  \
		   .key_len = len,                                        \
		   TO_PORT,                                               \
		   .size = HEARD_SIZE,                                    \
		   .timeout_ms = HEARD_MS }

/* What differs between IPv4 and IPv6. */
typedef struct {
	uint8_t nfproto;
	uint32_t address_len, source, destination; /* offsets in the IP header */
	uint32_t behind; /* the register behind an address in register 1 */
	WiceNftSet ice, masq, moving, heard;
} Family;

static const Family families[2] = {
	{ .nfproto = NFPROTO_IPV4,
	  .address_len = 4,
	  .source = 12,
	  .destination = 16,
	  .behind = NFT_REG32_01,
	  SETS("4", 1, IPV4_ADDR, 8) },
	{ .nfproto = NFPROTO_IPV6,
	  .address_len = 16,
	  .source = 8,
	  .destination = 24,
	  .behind = NFT_REG_2,
	  SETS("6", 5, IPV6_ADDR, 20) },
};

static const Family *family_of(uint8_t family)
{
	return &families[family == WICE_FAMILY_IPV4 ? 0 : 1];
}

const WiceNftSet *wice__nft_ruleset_ports(uint8_t family)
{
	return &family_of(family)->ice;
}

const WiceNftSet *wice__nft_ruleset_routes(uint8_t family)
{
	return &family_of(family)->masq;
}

const WiceNftSet *wice__nft_ruleset_moving(uint8_t family)
{
	return &family_of(family)->moving;
}

static void match_byte(WiceNftBatch *batch, uint32_t meta, uint8_t value)
{
	wice__nft_load_meta(batch, meta, NFT_REG_1);
	wice__nft_compare(batch, NFT_REG_1, NFT_CMP_EQ, &value, sizeof value);
}

static void match_udp(WiceNftBatch *batch)
{
	match_byte(batch, NFT_META_L4PROTO, IPPROTO_UDP);
}

static void match_port(WiceNftBatch *batch, uint32_t offset, uint16_t port)
{
	port = htons(port);
	wice__nft_load_payload(batch, NFT_PAYLOAD_TRANSPORT_HEADER, offset, sizeof port, NFT_REG_1);
	wice__nft_compare(batch, NFT_REG_1, NFT_CMP_EQ, &port, sizeof port);
}

static void load_word(WiceNftBatch *batch)
{
	wice__nft_load_payload(batch, NFT_PAYLOAD_TRANSPORT_HEADER, PAYLOAD, sizeof words[0],
			       NFT_REG_1);
}

/* Register 1 = address . port */
static void load_endpoint(WiceNftBatch *batch, const Family *family, uint32_t address,
			  uint32_t port)
{
	wice__nft_load_payload(batch, NFT_PAYLOAD_NETWORK_HEADER, address, family->address_len,
			       NFT_REG_1);
	wice__nft_load_payload(batch, NFT_PAYLOAD_TRANSPORT_HEADER, port, 2, family->behind);
}

/* Register 1 = port . address: the order of what was heard. */
static void load_heard(WiceNftBatch *batch, const Family *family, uint32_t address, uint32_t port)
{
	wice__nft_load_payload(batch, NFT_PAYLOAD_TRANSPORT_HEADER, port, 2, NFT_REG_1);
	wice__nft_load_payload(batch, NFT_PAYLOAD_NETWORK_HEADER, address, family->address_len,
			       NFT_REG32_01);
}

static void match_ice(WiceNftBatch *batch, const Family *family)
{
	load_endpoint(batch, family, family->destination, DESTINATION_PORT);
	wice__nft_look_up(batch, &family->ice, NFT_REG_1, 0);
}

/*
 * The word goes first: for a data packet the rule ends there. That it is UDP is known, but nft(8)
 * only calls ports what they are in a rule that says so.
 */
static void add_learning_rule(WiceNftBatch *batch, const Family *family)
{
	wice__nft_rule_begin(batch, "received");
	load_word(batch);
	wice__nft_compare(batch, NFT_REG_1, NFT_CMP_EQ, words[0], sizeof words[0]);
	match_byte(batch, NFT_META_NFPROTO, family->nfproto);
	match_udp(batch);
	match_ice(batch, family);
	load_heard(batch, family, family->source, SOURCE_PORT);
	wice__nft_load_payload(batch, NFT_PAYLOAD_TRANSPORT_HEADER, DESTINATION_PORT, 2, NFT_REG_4);
	wice__nft_learn(batch, &family->heard, NFT_REG_1, NFT_REG_4);
	wice__nft_rule_end(batch);
}

static WiceNftSet add_words(WiceNftBatch *batch)
{
	WiceNftSet set = {
		.name = "__set%d",
		.id = WORDS_ID,
		.flags = NFT_SET_ANONYMOUS | NFT_SET_CONSTANT,
		.key_type = WICE_NFT_TYPE_INTEGER,
		.key_len = sizeof words[0],
		.size = G_N_ELEMENTS(words),
	};
	WiceNftElement elements[G_N_ELEMENTS(words)] = { 0 };
	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		memcpy(elements[i].key, words[i], sizeof words[i]);
		elements[i].key_len = sizeof words[i];
	}
	wice__nft_add_set(batch, &set);
	wice__nft_add_elements(batch, &set, elements, G_N_ELEMENTS(elements));
	return set;
}

static void add_ingress_rule(WiceNftBatch *batch)
{
	WiceNftSet wireguard = add_words(batch);
	wice__nft_rule_begin(batch, "ingress");
	match_udp(batch);
	load_word(batch);
	wice__nft_look_up(batch, &wireguard, NFT_REG_1, 0);
	wice__nft_goto(batch, "received");
	wice__nft_rule_end(batch);
}

static void add_received_rule(WiceNftBatch *batch, const Family *family, uint16_t wg_port,
			      bool has_checksum)
{
	static const uint8_t zero[2];
	uint16_t port = htons(wg_port);
	wice__nft_rule_begin(batch, "received");
	match_byte(batch, NFT_META_NFPROTO, family->nfproto);
	match_udp(batch);
	match_ice(batch, family);
	wice__nft_load_payload(batch, NFT_PAYLOAD_TRANSPORT_HEADER, CHECKSUM, sizeof zero,
			       NFT_REG_1);
	wice__nft_compare(batch, NFT_REG_1, has_checksum ? NFT_CMP_NEQ : NFT_CMP_EQ, zero,
			  sizeof zero);
	wice__nft_load_value(batch, &port, sizeof port, NFT_REG_1);
	wice__nft_store_payload(batch, DESTINATION_PORT, sizeof port, NFT_REG_1, has_checksum);
	wice__nft_accept(batch);
	wice__nft_rule_end(batch);
}

typedef void (*LoadKey)(WiceNftBatch *batch, const Family *family, uint32_t address, uint32_t port);

static void add_egress_rule(WiceNftBatch *batch, uint16_t wg_port)
{
	wice__nft_rule_begin(batch, "egress");
	match_udp(batch);
	match_port(batch, SOURCE_PORT, wg_port);
	wice__nft_goto(batch, "sent");
	wice__nft_rule_end(batch);
}

static void add_sent_rule(WiceNftBatch *batch, const Family *family, const WiceNftSet *map,
			  LoadKey load_key)
{
	wice__nft_rule_begin(batch, "sent");
	match_byte(batch, NFT_META_NFPROTO, family->nfproto);
	match_udp(batch);
	load_key(batch, family, family->destination, DESTINATION_PORT);
	wice__nft_look_up(batch, map, NFT_REG_1, NFT_REG_1);
	wice__nft_store_payload(batch, SOURCE_PORT, 2, NFT_REG_1, true);
	wice__nft_accept(batch);
	wice__nft_rule_end(batch);
}

static void add_rules(WiceNftBatch *batch, uint16_t wg_port)
{
	if (wg_port == 0)
		return;
	const Family *end = families + G_N_ELEMENTS(families);
	add_ingress_rule(batch);
	for (const Family *f = families; f < end; f++)
		add_learning_rule(batch, f);
	for (const Family *f = families; f < end; f++)
		add_received_rule(batch, f, wg_port, true);
	add_received_rule(batch, family_of(WICE_FAMILY_IPV4), wg_port, false);
	add_egress_rule(batch, wg_port);
	for (const Family *f = families; f < end; f++)
		add_sent_rule(batch, f, &f->masq, load_endpoint);
	for (const Family *f = families; f < end; f++) {
		add_sent_rule(batch, f, &f->moving, load_endpoint);
		add_sent_rule(batch, f, &f->heard, load_heard);
	}
}

void wice__nft_ruleset_create(WiceNftBatch *batch, uint16_t wg_port)
{
	wice__nft_add_chain(batch, "ingress", NF_INET_LOCAL_IN, INGRESS_PRIORITY);
	wice__nft_add_rule_list(batch, "received");
	wice__nft_add_chain(batch, "egress", NF_INET_LOCAL_OUT, EGRESS_PRIORITY);
	wice__nft_add_rule_list(batch, "sent");
	for (size_t i = 0; i < G_N_ELEMENTS(families); i++) {
		wice__nft_add_set(batch, &families[i].ice);
		wice__nft_add_set(batch, &families[i].masq);
		wice__nft_add_set(batch, &families[i].moving);
		wice__nft_add_set(batch, &families[i].heard);
	}
	add_rules(batch, wg_port);
}

void wice__nft_ruleset_set_wg_port(WiceNftBatch *batch, uint16_t wg_port)
{
	static const char *const chains[] = { "ingress", "received", "egress", "sent" };
	for (size_t i = 0; i < G_N_ELEMENTS(chains); i++)
		wice__nft_delete_rules(batch, chains[i]);
	add_rules(batch, wg_port);
}
