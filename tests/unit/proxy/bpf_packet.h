/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_PROXY_BPF_PACKET_H
#define WICE_TESTS_PROXY_BPF_PACKET_H

/* UDP packets that programs are run on. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "proxy/bpf/mux_maps.h"
#include "proxy/bpf/skeleton.h"
#include "suite.h"

#define ETHERNET 14
#define PACKET_MAX 4096

typedef struct {
	uint8_t bytes[PACKET_MAX];
	size_t len;
	size_t udp; /* offset of its header */
} Packet;

/* What comes before the payload. */
typedef struct {
	const char *source[2], *destination[2]; /* IPv4, IPv6 */
	uint16_t source_port, destination_port;
	uint16_t fragment; /* IPv4: flags and offset */
	uint8_t options;   /* IPv4: their 32-bit words; IPv6: headers of type */
	uint8_t type;      /* IPv6: of these */
	uint8_t last_type; /* IPv6: of the last of them, 0: the same */
	bool no_checksum;
} Headers;

typedef enum { IPV4, IPV6, N_FAMILIES } Family;

static inline void put_u16(uint8_t *to, size_t value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

static inline uint16_t get_u16(const uint8_t *from)
{
	return (uint16_t)(from[0] << 8 | from[1]);
}

static inline uint32_t add_words(uint32_t sum, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	return sum;
}

/* RFC 768: over the pseudo header and all. 0xffff if it is right. */
static inline uint16_t checksum(const Packet *packet)
{
	const uint8_t *ip = packet->bytes + ETHERNET, *udp = packet->bytes + packet->udp;
	size_t len = get_u16(udp + 4);
	uint32_t sum = (uint32_t)(IPPROTO_UDP + len);
	sum = ip[0] >> 4 == 4 ? add_words(sum, ip + 12, 8) : add_words(sum, ip + 8, 32);
	sum = add_words(sum, udp, len);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static inline void write_ipv4(Packet *packet, const Headers *headers)
{
	uint8_t *ip = packet->bytes + ETHERNET;
	put_u16(packet->bytes + 12, 0x0800);
	ip[0] = (uint8_t)(0x45 + headers->options);
	put_u16(ip + 6, headers->fragment);
	ip[8] = 64;
	ip[9] = IPPROTO_UDP;
	ck_assert_int_eq(inet_pton(AF_INET, headers->source[IPV4], ip + 12), 1);
	ck_assert_int_eq(inet_pton(AF_INET, headers->destination[IPV4], ip + 16), 1);
	memset(ip + 20, 1, headers->options * 4); /* "no operation" */
	packet->udp = ETHERNET + 20 + headers->options * 4;
}

/* Of three sizes. */
static inline void write_ipv6(Packet *packet, const Headers *headers)
{
	uint8_t *ip = packet->bytes + ETHERNET;
	uint8_t *next = ip + 6;
	put_u16(packet->bytes + 12, 0x86dd);
	ip[0] = 0x60;
	ip[7] = 64;
	ck_assert_int_eq(inet_pton(AF_INET6, headers->source[IPV6], ip + 8), 1);
	ck_assert_int_eq(inet_pton(AF_INET6, headers->destination[IPV6], ip + 24), 1);
	packet->udp = ETHERNET + 40;
	for (uint8_t i = 0; i < headers->options; i++) {
		uint8_t *header = packet->bytes + packet->udp;
		bool last = i + 1 == headers->options && headers->last_type;
		*next = last ? headers->last_type : headers->type;
		header[1] = *next == IPPROTO_FRAGMENT ? 0 : i % 3;
		next = header;
		packet->udp += 8 + header[1] * 8u;
	}
	*next = IPPROTO_UDP;
}

/* Of IPv4's header, RFC 791. */
static inline void write_ip_checksum(Packet *packet)
{
	uint8_t *ip = packet->bytes + ETHERNET;
	uint32_t sum = add_words(0, ip, (ip[0] & 15) * 4u);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	put_u16(ip + 10, (uint16_t)~sum);
}

static inline Packet make_packet(const Headers *headers, Family family, const uint8_t *payload,
				 size_t len)
{
	Packet packet = { 0 };
	uint8_t *ip = packet.bytes + ETHERNET;
	if (family == IPV4)
		write_ipv4(&packet, headers);
	else
		write_ipv6(&packet, headers);
	uint8_t *udp = packet.bytes + packet.udp;
	put_u16(udp, headers->source_port);
	put_u16(udp + 2, headers->destination_port);
	put_u16(udp + 4, 8 + len);
	memcpy(udp + 8, payload, len);
	packet.len = packet.udp + 8 + len;
	if (family == IPV4) {
		put_u16(ip + 2, packet.len - ETHERNET);
		write_ip_checksum(&packet);
	} else {
		put_u16(ip + 4, packet.len - ETHERNET - 40);
	}
	if (!headers->no_checksum) {
		uint16_t sum = (uint16_t)~checksum(&packet);
		put_u16(udp + 6, sum ? sum : 0xffff);
	}
	return packet;
}

static inline void set_bit(uint8_t *bits, uint16_t port)
{
	port = htons(port);
	bits[port / 8] |= (uint8_t)(1 << port % 8);
}

static inline WiceMuxAddress mapped(Family family, const char *text)
{
	WiceMuxAddress address = { { 0, GUINT64_TO_BE(WICE_MUX_IPV4_PREFIX) } };
	ck_assert_int_eq(family == IPV4 ? inet_pton(AF_INET, text, (uint8_t *)&address + 12)
					: inet_pton(AF_INET6, text, &address),
			 1);
	return address;
}

static inline void insert(const struct bpf_map *map, const void *key, const void *value)
{
	ck_assert_int_eq(bpf_map_update_elem(bpf_map__fd(map), key, value, BPF_ANY), 0);
}

static inline int quiet(enum libbpf_print_level level, const char *format, va_list arguments)
{
	return 0;
}

#endif
