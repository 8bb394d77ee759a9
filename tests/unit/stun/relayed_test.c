/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "stun/relayed.h"

#include <string.h>

#include "stun/channel_data.h"
#include "suite.h"

#define CHANNEL 0x4321
#define MAX_LEN 65503

/* A packet with room before it, between guards. */
static uint8_t memory[MAX_LEN + 64], original[MAX_LEN + 64];

static uint8_t *make(const uint8_t head[8], size_t len)
{
	uint8_t *packet = memory + 32;
	for (size_t i = 0; i < sizeof memory; i++)
		memory[i] = (uint8_t)(i * 7 + 1);
	memcpy(packet, head, len < 8 ? len : 8);
	memcpy(original, memory, sizeof memory);
	return packet;
}

/* Nothing outside of the packet and its room has been written to. */
static void check_guards(const uint8_t *packet, size_t len)
{
	size_t at = (size_t)(packet - memory);
	ck_assert_mem_eq(memory, original, at - WICE_RELAYED_HEADER_LEN);
	ck_assert_mem_eq(memory + at + len, original + at + len, sizeof memory - at - len);
}

/* Through wrap and restore, as two ends do. */
static void check_round(const uint8_t head[8], size_t len, bool in_place, bool grows)
{
	uint8_t *packet = make(head, len);
	size_t wrapped_len = 0, restored_len = 0;
	uint16_t channel = 0;
	WiceSpan data;
	ck_assert_uint_eq(wice__relayed_growth(packet, len, in_place), grows ? 4 : 0);
	uint8_t *wrapped = wice__relayed_wrap(packet, len, CHANNEL, in_place, &wrapped_len);
	ck_assert_ptr_eq(wrapped, grows ? packet - 4 : packet);
	ck_assert_uint_eq(wrapped_len, grows ? len + 4 : len);
	ck_assert_mem_eq(packet + 4, original + 36, len - 4);
	check_guards(packet, len);
	ck_assert_int_eq(wice__channel_data_read(wrapped, wrapped_len, &channel, &data), 0);
	ck_assert_uint_eq(channel, CHANNEL);
	ck_assert_uint_eq(data.len, wrapped_len - 4);
	uint8_t *restored = wice__relayed_restore(wrapped + 4, data.len, in_place, &restored_len);
	ck_assert_ptr_eq(restored, packet);
	ck_assert_uint_eq(restored_len, len);
	ck_assert_mem_eq(restored, original + 32, len);
	check_guards(packet, len);
}

START_TEST(messages_arrive_as_they_were)
{
	static const struct {
		uint8_t type;
		size_t len;
	} handshakes[] = { { 1, 148 }, { 2, 92 }, { 3, 64 } };
	for (int in_place = 0; in_place < 2; in_place++) {
		for (size_t i = 0; i < 3; i++)
			check_round((uint8_t[8]){ handshakes[i].type }, handshakes[i].len, in_place,
				    true);
		for (size_t len = 32; len <= 2048; len++)
			check_round((uint8_t[8]){ 4, 0, 0, 0, 9, 8, 7, 6 }, len, in_place,
				    !in_place);
		check_round((uint8_t[8]){ 4 }, MAX_LEN, in_place, !in_place);
	}
}
END_TEST

/* Receiver indices that make data look like other messages, but for their sizes. */
START_TEST(data_messages_are_not_taken_for_others)
{
	static const size_t exact[] = { 0, 148, 92, 64 };
	for (uint8_t index = 0; index <= 4; index++)
		for (size_t len = 32; len <= 300; len++)
			if (index < 1 || index > 3 || len != exact[index] + 4)
				check_round((uint8_t[8]){ 4, 0, 0, 0, index }, len, true, false);
}
END_TEST

/* The one ambiguity: what looks like a handshake message in every way is one. */
START_TEST(handshake_messages_win)
{
	uint8_t *packet = make((uint8_t[8]){ 4, 0, 0, 0, 2 }, 96);
	size_t len;
	wice__relayed_wrap(packet, 96, CHANNEL, true, &len);
	ck_assert_ptr_eq(wice__relayed_restore(packet + 4, len - 4, true, &len), packet + 4);
	ck_assert_uint_eq(len, 92);
}
END_TEST

/* Only data messages lose their first word: all else travels behind a header, whatever it is. */
START_TEST(what_is_no_data_message_is_not_touched)
{
	static const struct {
		uint8_t head[8];
		size_t len;
	} cases[] = {
		{ { 4, 0, 0, 0 }, 31 },
		{ { 4, 0, 0, 0 }, 4 },
		{ { 4, 0, 0, 0 }, 3 },
		{ { 4 }, 1 },
		{ { 0 }, 0 },
		{ { 4, 0, 0, 1 }, 64 },
		{ { 4, 1, 0, 0 }, 64 },
		{ { 5, 0, 0, 0 }, 64 },
		{ { 0, 0, 0, 4 }, 64 },
		{ { 1, 0, 0, 0 }, 147 },
		{ { 0x40, 0, 0, 10 }, 64 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		for (int in_place = 0; in_place < 2; in_place++) {
			size_t len;
			uint8_t *packet = make(cases[i].head, cases[i].len);
			uint8_t *wrapped =
				wice__relayed_wrap(packet, cases[i].len, CHANNEL, in_place, &len);
			ck_assert_ptr_eq(wrapped, packet - 4);
			ck_assert_uint_eq(len, cases[i].len + 4);
			ck_assert_mem_eq(packet, original + 32, cases[i].len);
			ck_assert_uint_eq(wrapped[2] << 8 | wrapped[3], cases[i].len);
			check_guards(packet, cases[i].len);
		}
	}
}
END_TEST

START_TEST(what_is_not_of_wireguard_is_refused)
{
	static const struct {
		uint8_t head[8];
		size_t len;
		bool standard, in_place;
	} cases[] = {
		{ { 0 }, 0, false, false },           { { 4 }, 1, false, false },
		{ { 4, 0, 0, 0 }, 4, false, false },  { { 4, 0, 0, 0 }, 27, false, false },
		{ { 4, 0, 0, 0 }, 28, false, true },  { { 4, 0, 0, 0 }, 31, false, true },
		{ { 4, 0, 0, 0 }, 32, true, true },   { { 4, 0, 0, 1 }, 32, false, true },
		{ { 5, 0, 0, 0 }, 64, false, true },  { { 1, 0, 0, 0 }, 148, true, true },
		{ { 1, 0, 0, 0 }, 147, false, true }, { { 1, 0, 0, 0 }, 149, false, true },
		{ { 2, 0, 0, 0 }, 92, true, true },   { { 2, 0, 0, 0 }, 91, false, true },
		{ { 3, 0, 0, 0 }, 64, true, true },   { { 3, 0, 0, 0 }, 65, false, true },
		{ { 1, 0, 0, 1 }, 148, false, true },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		for (int in_place = 0; in_place < 2; in_place++) {
			size_t len = 77;
			uint8_t *data = make(cases[i].head, cases[i].len);
			uint8_t *packet = wice__relayed_restore(data, cases[i].len, in_place, &len);
			ck_assert_msg(!!packet ==
					      (in_place ? cases[i].in_place : cases[i].standard),
				      "case %zu, in place %d", i, in_place);
			if (packet)
				continue;
			ck_assert_uint_eq(len, 77);
			ck_assert_mem_eq(memory, original, sizeof memory);
		}
	}
}
END_TEST

SUITE_MAIN("stun relayed", messages_arrive_as_they_were, data_messages_are_not_taken_for_others,
	   handshake_messages_win, what_is_no_data_message_is_not_touched,
	   what_is_not_of_wireguard_is_refused)
