/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_FRAME_H
#define WICE_TESTS_FRAME_H

#include "engine/packet.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* IP packets of TCP and UDP, made and checked byte by byte, with nothing of the library. */
typedef struct {
	bool ipv6, udp;
	unsigned flow;      /* makes the source port */
	size_t ip_options;  /* bytes, in fours; IPv6: a destination options header, in eights */
	size_t tcp_options; /* bytes, in fours */
	size_t payload;
	uint32_t seq, ack;
	uint8_t flags; /* 0: ACK */
	uint16_t window, id;
	uint8_t tos, ttl; /* ttl 0: 64 */
	bool may_fragment;
	uint8_t fill; /* the payload counts up from it */
} Frame;

static inline void frame_put16(uint8_t *p, size_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static inline void frame_put32(uint8_t *p, uint32_t value)
{
	frame_put16(p, value >> 16);
	frame_put16(p + 2, value & 0xffff);
}

/* The header of an IPv4 packet without options or checksum, before whatever is behind it. */
static inline void frame_put_ipv4(uint8_t *packet, uint16_t length, const uint8_t from[4],
				  const uint8_t to[4])
{
	memset(packet, 0, 12);
	packet[0] = 0x45;
	frame_put16(packet + 2, length);
	memcpy(packet + 12, from, 4);
	memcpy(packet + 16, to, 4);
}

static inline size_t frame_get16(const uint8_t *p)
{
	return (size_t)p[0] << 8 | p[1];
}

static inline uint32_t frame_get32(const uint8_t *p)
{
	return (uint32_t)(frame_get16(p) << 16 | frame_get16(p + 2));
}

/* RFC 1071, one word after the other. */
static inline uint32_t frame_sum(uint32_t sum, const uint8_t *data, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		sum += (uint32_t)(i % 2 ? data[i] : data[i] << 8);
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum;
}

static inline size_t frame_ip_header(const Frame *frame)
{
	return (frame->ipv6 ? 40 : 20) + frame->ip_options;
}

static inline size_t frame_header(const Frame *frame)
{
	return frame_ip_header(frame) + (frame->udp ? 8 : 20 + frame->tcp_options);
}

static inline uint32_t frame_pseudo(const uint8_t *packet, uint8_t protocol, size_t length)
{
	bool ipv6 = packet[0] >> 4 == 6;
	uint32_t sum = frame_sum(0, packet + (ipv6 ? 8 : 12), ipv6 ? 32 : 8);
	sum += protocol + (uint32_t)length;
	return (sum & 0xffff) + (sum >> 16);
}

static inline void frame_put_ip(const Frame *frame, uint8_t *packet)
{
	uint8_t protocol = frame->udp ? 17 : 6;
	size_t length = frame_header(frame) + frame->payload;
	if (frame->ipv6) {
		packet[0] = (uint8_t)(0x60 | frame->tos >> 4);
		packet[1] = (uint8_t)(frame->tos << 4);
		frame_put16(packet + 4, length - 40);
		packet[6] = frame->ip_options ? 60 : protocol;
		packet[7] = frame->ttl ? frame->ttl : 64;
		memcpy(packet + 8, "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
		memcpy(packet + 24, "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2", 16);
		if (frame->ip_options) {
			packet[40] = protocol;
			packet[41] = (uint8_t)(frame->ip_options / 8 - 1);
			packet[42] = 1; /* PadN */
			packet[43] = (uint8_t)(frame->ip_options - 4);
		}
		return;
	}
	packet[0] = (uint8_t)(0x40 | frame_ip_header(frame) / 4);
	packet[1] = frame->tos;
	frame_put16(packet + 2, length);
	frame_put16(packet + 4, frame->id);
	frame_put16(packet + 6, frame->may_fragment ? 0 : 0x4000);
	packet[8] = frame->ttl ? frame->ttl : 64;
	packet[9] = protocol;
	memcpy(packet + 12, "\x0a\x02\x00\x01\x0a\x02\x00\x02", 8);
	memset(packet + 20, 1, frame->ip_options); /* no operation */
	frame_put16(packet + 10, ~frame_sum(0, packet, frame_ip_header(frame)) & 0xffff);
}

/* Writes a packet with all its checksums. Returns its length. */
static inline size_t frame_make(const Frame *frame, uint8_t *packet)
{
	size_t header = frame_header(frame), length = header + frame->payload;
	size_t ip = frame_ip_header(frame);
	uint8_t *transport = packet + ip, *checksum = transport + (frame->udp ? 6 : 16);
	memset(packet, 0, header);
	frame_put_ip(frame, packet);
	frame_put16(transport, 1000 + frame->flow);
	frame_put16(transport + 2, 2000);
	if (frame->udp) {
		frame_put16(transport + 4, length - ip);
	} else {
		frame_put32(transport + 4, frame->seq);
		frame_put32(transport + 8, frame->ack);
		transport[12] = (uint8_t)((20 + frame->tcp_options) / 4 << 4);
		transport[13] = frame->flags ? frame->flags : 0x10;
		frame_put16(transport + 14, frame->window);
		memset(transport + 20, 1, frame->tcp_options);
	}
	for (size_t i = 0; i < frame->payload; i++)
		packet[header + i] = (uint8_t)(frame->fill + i);
	uint32_t sum = frame_pseudo(packet, frame->udp ? 17 : 6, length - ip);
	size_t field = ~frame_sum(sum, transport, length - ip) & 0xffff;
	frame_put16(checksum, field ? field : 0xffff);
	return length;
}

/* What a frame of TCP or UDP says of itself is so: lengths and checksums. */
static inline bool frame_is_valid(const uint8_t *packet, size_t length)
{
	bool ipv6 = packet[0] >> 4 == 6;
	uint8_t protocol = packet[ipv6 ? 6 : 9];
	size_t ip = ipv6 ? 40 : (size_t)(packet[0] & 15) * 4;
	if (ipv6 && protocol == 60) {
		protocol = packet[40];
		ip += ((size_t)packet[41] + 1) * 8;
	}
	if (length != frame_get16(packet + (ipv6 ? 4 : 2)) + (ipv6 ? 40 : 0))
		return false;
	if (!ipv6 && frame_sum(0, packet, ip) != 0xffff)
		return false;
	if (protocol == 17 &&
	    (frame_get16(packet + ip + 4) != length - ip || frame_get16(packet + ip + 6) == 0))
		return false;
	uint32_t sum = frame_pseudo(packet, protocol, length - ip);
	return frame_sum(sum, packet + ip, length - ip) == 0xffff;
}

#endif
