/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PCP (RFC 6887 sections 7 and 11.1), all numbers in network order:
 *
 *            0            1            2            3
 *      +------------+------------+------------+------------+
 *    0 | version 2  |R, opcode   | reserved   | result (R) |
 *    4 | lifetime, seconds                                 |
 *    8 | request: address of the client, 16 bytes          |
 *      | answer: epoch, 4 bytes; 12 reserved               |
 *   24 | MAP: nonce, 12 bytes                              |
 *   36 | protocol   | reserved                             |
 *   40 | internal port           | external port           |
 *   44 | external address, 16 bytes; IPv4 as ::ffff:a.b.c.d|
 *      +---------------------------------------------------+
 *   60   options, which we neither send nor read
 *
 * NAT-PMP (RFC 6886 section 3) answers, with 8 bytes only if the request was refused:
 *
 *    0 | version 0  | 128+opcode | result                  |
 *    4 | epoch                                             |
 *    8 | ADDRESS: external address                         |
 *      | MAP: internal port      | external port           |
 *   12 | MAP: lifetime                                     |
 */
#include "portmap/message.h"

#include <errno.h>
#include <string.h>

#define PCP_VERSION 2
#define PCP_HEADER_LEN 24
#define PCP_OP_ANNOUNCE 0
#define PCP_OP_MAP 1
#define PCP_PROTOCOL_UDP 17

#define NAT_PMP_VERSION 0
#define NAT_PMP_OP_ADDRESS 0
#define NAT_PMP_OP_MAP_UDP 1
#define NAT_PMP_ERROR_LEN 8
#define NAT_PMP_ADDRESS_ANSWER_LEN 12
#define NAT_PMP_MAP_ANSWER_LEN 16

#define RESPONSE 0x80 /* in the byte of the opcode, in both */

static const uint8_t ipv4_mapped[12] = { [10] = 0xff, [11] = 0xff };

static void put_u16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put_u32(uint8_t *at, uint32_t value)
{
	put_u16(at, (uint16_t)(value >> 16));
	put_u16(at + 2, (uint16_t)value);
}

static uint16_t get_u16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t get_u32(const uint8_t *at)
{
	return (uint32_t)get_u16(at) << 16 | get_u16(at + 2);
}

/* None becomes the unspecified address of family. */
static void put_address(uint8_t at[16], const WiceAddress *address, uint8_t family)
{
	memset(at, 0, 16);
	if (family == WICE_FAMILY_IPV4) {
		memcpy(at, ipv4_mapped, sizeof ipv4_mapped);
		memcpy(at + sizeof ipv4_mapped, address->bytes, 4);
	} else {
		memcpy(at, address->bytes, 16);
	}
}

static WiceAddress get_address(const uint8_t at[16])
{
	WiceAddress address = { .family = WICE_FAMILY_IPV6 };
	if (memcmp(at, ipv4_mapped, sizeof ipv4_mapped) == 0) {
		address.family = WICE_FAMILY_IPV4;
		memcpy(address.bytes, at + sizeof ipv4_mapped, 4);
	} else {
		memcpy(address.bytes, at, 16);
	}
	return address;
}

bool wice__portmap_is_external(const WiceAddress *address)
{
	static const uint8_t unspecified[16];
	if (wice_address_is_loopback(address) || wice_address_is_link_local(address))
		return false;
	if (address->family == WICE_FAMILY_IPV4)
		return address->bytes[0] != 0 && address->bytes[0] < 224;
	return address->bytes[0] != 0xff && memcmp(address->bytes, unspecified, 16) != 0;
}

void wice__pcp_write_map(const WicePcpMap *map, uint8_t ret_request[WICE_PCP_MAP_LEN])
{
	uint8_t family = map->internal.address.family;
	memset(ret_request, 0, WICE_PCP_MAP_LEN);
	ret_request[0] = PCP_VERSION;
	ret_request[1] = PCP_OP_MAP;
	put_u32(ret_request + 4, map->lifetime_s);
	put_address(ret_request + 8, &map->internal.address, family);
	memcpy(ret_request + 24, map->nonce, WICE_PCP_NONCE_LEN);
	ret_request[36] = PCP_PROTOCOL_UDP;
	put_u16(ret_request + 40, map->internal.port);
	put_u16(ret_request + 42, map->suggested.port);
	put_address(ret_request + 44, &map->suggested.address, family);
}

void wice__nat_pmp_write_address(uint8_t ret_request[WICE_NAT_PMP_ADDRESS_LEN])
{
	ret_request[0] = NAT_PMP_VERSION;
	ret_request[1] = NAT_PMP_OP_ADDRESS;
}

void wice__nat_pmp_write_map(uint16_t internal_port, uint16_t suggested_port, uint32_t lifetime_s,
			     uint8_t ret_request[WICE_NAT_PMP_MAP_LEN])
{
	memset(ret_request, 0, WICE_NAT_PMP_MAP_LEN);
	ret_request[0] = NAT_PMP_VERSION;
	ret_request[1] = NAT_PMP_OP_MAP_UDP;
	put_u16(ret_request + 4, internal_port);
	put_u16(ret_request + 6, suggested_port);
	put_u32(ret_request + 8, lifetime_s);
}

static int read_pcp_map(const uint8_t *packet, size_t len, WicePortmapAnswer *answer)
{
	if (len < WICE_PCP_MAP_LEN || packet[36] != PCP_PROTOCOL_UDP)
		return -EBADMSG;
	answer->kind = WICE_PCP_MAPPED;
	memcpy(answer->nonce, packet + 24, WICE_PCP_NONCE_LEN);
	answer->internal_port = get_u16(packet + 40);
	if (answer->result != WICE_PORTMAP_SUCCESS)
		return 0;
	answer->external.port = get_u16(packet + 42);
	answer->external.address = get_address(packet + 44);
	/* That a mapping is gone is said with whatever the request had. */
	bool usable =
		answer->external.port != 0 && wice__portmap_is_external(&answer->external.address);
	return usable || answer->lifetime_s == 0 ? 0 : -EBADMSG;
}

/* RFC 6887 section 8.3: longer than it may be, or not of whole words, it is none. */
static int read_pcp(const uint8_t *packet, size_t len, WicePortmapAnswer *answer)
{
	if (len < PCP_HEADER_LEN || len > WICE_PORTMAP_ANSWER_MAX || len % 4 != 0)
		return -EBADMSG;
	answer->result = packet[3];
	answer->lifetime_s = get_u32(packet + 4);
	answer->epoch_s = get_u32(packet + 8);
	answer->kind = WICE_PCP_REFUSED;
	if (answer->result == WICE_PORTMAP_WRONG_VERSION) {
		/* Who knows the version that we speak can only mean the other protocol. */
		if (packet[0] == PCP_VERSION)
			answer->kind = WICE_NAT_PMP_REFUSED;
		return 0;
	}
	if (packet[0] != PCP_VERSION)
		return -EBADMSG;
	switch (packet[1] & ~RESPONSE) {
	case PCP_OP_ANNOUNCE:
		answer->kind = WICE_PCP_ANNOUNCE;
		return answer->result == WICE_PORTMAP_SUCCESS ? 0 : -EBADMSG;
	case PCP_OP_MAP:
		/* An error may be the bare header, where the request could not be understood. */
		if (len == PCP_HEADER_LEN && answer->result != WICE_PORTMAP_SUCCESS)
			return 0;
		return read_pcp_map(packet, len, answer);
	default:
		return -EBADMSG;
	}
}

static int read_nat_pmp(const uint8_t *packet, size_t len, WicePortmapAnswer *answer)
{
	uint8_t opcode = packet[1] & (uint8_t)~RESPONSE;
	if (len < NAT_PMP_ERROR_LEN)
		return -EBADMSG;
	answer->result = get_u16(packet + 2);
	answer->epoch_s = get_u32(packet + 4);
	if (answer->result != WICE_PORTMAP_SUCCESS) {
		/* Our requests by NAT-PMP do have the version of NAT-PMP: it means PCP. */
		answer->kind = answer->result == WICE_PORTMAP_WRONG_VERSION ? WICE_PCP_REFUSED
									    : WICE_NAT_PMP_REFUSED;
		return 0;
	}
	if (opcode == NAT_PMP_OP_ADDRESS && len >= NAT_PMP_ADDRESS_ANSWER_LEN) {
		answer->kind = WICE_NAT_PMP_ADDRESS;
		answer->external.address.family = WICE_FAMILY_IPV4;
		memcpy(answer->external.address.bytes, packet + 8, 4);
		return wice__portmap_is_external(&answer->external.address) ? 0 : -EBADMSG;
	}
	if (opcode == NAT_PMP_OP_MAP_UDP && len >= NAT_PMP_MAP_ANSWER_LEN) {
		answer->kind = WICE_NAT_PMP_MAPPED;
		answer->internal_port = get_u16(packet + 8);
		answer->external.port = get_u16(packet + 10);
		answer->lifetime_s = get_u32(packet + 12);
		return answer->external.port != 0 || answer->lifetime_s == 0 ? 0 : -EBADMSG;
	}
	return -EBADMSG;
}

int wice__portmap_read_answer(const uint8_t *packet, size_t len, WicePortmapAnswer *ret_answer)
{
	WicePortmapAnswer answer = { 0 };
	if (len < 2 || !(packet[1] & RESPONSE))
		return -EBADMSG;
	int error = packet[0] == NAT_PMP_VERSION ? read_nat_pmp(packet, len, &answer)
						 : read_pcp(packet, len, &answer);
	if (error)
		return error;
	*ret_answer = answer;
	return 0;
}
