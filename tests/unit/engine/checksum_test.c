/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/checksum.h"

#include "suite.h"
#include "unit/engine/frame.h"

static uint16_t sum_of(uint64_t start, const uint8_t *data, size_t length)
{
	uint8_t field[2];
	wice__checksum_put_sum(field, wice__checksum_add(start, data, length));
	return (uint16_t)frame_get16(field);
}

START_TEST(the_example_of_rfc_1071)
{
	static const uint8_t data[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };
	uint8_t field[2];
	ck_assert_uint_eq(sum_of(0, data, sizeof data), 0xddf2);
	wice__checksum_put(field, wice__checksum_add(0, data, sizeof data));
	ck_assert_uint_eq(frame_get16(field), 0x220d);
}
END_TEST

/* Sums that wireguard-go's tests give, too. */
START_TEST(known_sums)
{
	static const struct {
		uint8_t first, second;
		size_t length;
		uint16_t start, sum;
	} cases[] = {
		{ 0x00, 0x00, 0, 0, 0 },           { 0x00, 0x00, 0, 0xffff, 0xffff },
		{ 0x01, 0x02, 3, 0, 0x0202 },      { 0x01, 0x02, 6, 0, 0x0306 },
		{ 0x01, 0x02, 6, 0x1000, 0x1306 }, { 0xfe, 0xfe, 1282, 0, 0x7c7c },
		{ 0xfe, 0xfe, 65535, 0, 0x7e81 },  { 0xff, 0xff, 65535, 0, 0xff00 },
	};
	static uint8_t data[65535];
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		for (size_t k = 0; k < sizeof data; k++)
			data[k] = k % 2 ? cases[i].second : cases[i].first;
		uint64_t start = GUINT16_TO_BE(cases[i].start);
		ck_assert_uint_eq(sum_of(start, data, cases[i].length), cases[i].sum);
	}
}
END_TEST

START_TEST(known_pseudo_headers)
{
	static const struct {
		WiceFamily family;
		const char *source, *destination;
		uint16_t sum;
	} cases[] = {
		{ WICE_FAMILY_IPV4, "192.168.1.1", "192.168.1.2", 0x892e },
		{ WICE_FAMILY_IPV6, "2001:db8:3333:4444:5555:6666:7777:8888",
		  "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff", 0x947f },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		WiceAddress source, destination;
		uint8_t field[2];
		ck_assert(wice_address_parse(cases[i].source, &source));
		ck_assert(wice_address_parse(cases[i].destination, &destination));
		WiceIpHeader ip = { cases[i].family, 0, source.bytes, destination.bytes };
		wice__checksum_put_sum(field, wice__checksum_pseudo(&ip, 6, 1492));
		ck_assert_uint_eq(frame_get16(field), cases[i].sum);
	}
}
END_TEST

START_TEST(every_length_at_every_alignment)
{
	uint8_t data[700];
	GRand *rand = g_rand_new_with_seed(1);
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)g_rand_int(rand);
	for (size_t offset = 0; offset < 64; offset++)
		for (size_t length = 0; length <= 600; length++)
			ck_assert_uint_eq(sum_of(0, data + offset, length),
					  frame_sum(0, data + offset, length));
	g_rand_free(rand);
}
END_TEST

START_TEST(carries_are_not_lost)
{
	static uint8_t data[WICE_PACKET_MAX];
	memset(data, 0xff, sizeof data);
	for (size_t length = 65000; length <= sizeof data; length++)
		ck_assert_uint_eq(sum_of(0, data, length), frame_sum(0, data, length));
	ck_assert_uint_eq(sum_of(UINT64_MAX >> 16, data, 4096), 0xffff);
}
END_TEST

START_TEST(pieces_sum_up_to_the_whole)
{
	uint8_t data[512];
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i * 37 + (i >> 3));
	for (size_t first = 0; first <= sizeof data; first += 2) {
		uint64_t sum = wice__checksum_add(0, data, first);
		ck_assert_uint_eq(sum_of(sum, data + first, sizeof data - first),
				  frame_sum(0, data, sizeof data));
	}
}
END_TEST

START_TEST(pseudo_headers)
{
	static const Frame frames[] = { { .payload = 1 }, { .ipv6 = true }, { .udp = true } };
	for (size_t i = 0; i < G_N_ELEMENTS(frames); i++) {
		uint8_t packet[128], field[2], protocol = frames[i].udp ? 17 : 6;
		WiceIpHeader ip;
		ck_assert(wice__ip_header(packet, frame_make(&frames[i], packet), &ip));
		for (size_t length = 0; length < 65536; length += 5) {
			wice__checksum_put_sum(field, wice__checksum_pseudo(&ip, protocol, length));
			ck_assert_uint_eq(frame_get16(field) % 0xffff,
					  frame_pseudo(packet, protocol, length) % 0xffff);
		}
	}
}
END_TEST

START_TEST(a_checksum_is_never_zero)
{
	static const uint8_t data[] = { 0xff, 0xfe, 0x00, 0x01 };
	uint8_t field[2] = { 0 };
	wice__checksum_put(field, wice__checksum_add(0, data, sizeof data));
	ck_assert_uint_eq(frame_get16(field), 0xffff);
}
END_TEST

SUITE_MAIN("engine checksum", the_example_of_rfc_1071, known_sums, known_pseudo_headers,
	   every_length_at_every_alignment, carries_are_not_lost, pieces_sum_up_to_the_whole,
	   pseudo_headers, a_checksum_is_never_zero)
