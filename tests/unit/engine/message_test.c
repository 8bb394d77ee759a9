/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <glib.h>
#include <string.h>

#include "engine/message.h"

static const struct {
	const char *start;
	size_t length;
	WiceMessageType type;
} messages[] = {
	{ "\1\0\0\0", 148, WICE_MESSAGE_INITIATION }, { "\1\0\0\0", 147, WICE_MESSAGE_INVALID },
	{ "\1\0\0\0", 149, WICE_MESSAGE_INVALID },    { "\2\0\0\0", 92, WICE_MESSAGE_RESPONSE },
	{ "\2\0\0\0", 91, WICE_MESSAGE_INVALID },     { "\2\0\0\0", 93, WICE_MESSAGE_INVALID },
	{ "\2\0\0\0", 148, WICE_MESSAGE_INVALID },    { "\3\0\0\0", 64, WICE_MESSAGE_COOKIE },
	{ "\3\0\0\0", 63, WICE_MESSAGE_INVALID },     { "\3\0\0\0", 65, WICE_MESSAGE_INVALID },
	{ "\4\0\0\0", 31, WICE_MESSAGE_INVALID },     { "\4\0\0\0", 32, WICE_MESSAGE_TRANSPORT },
	{ "\4\0\0\0", 33, WICE_MESSAGE_TRANSPORT },   { "\4\0\0\0", 1500, WICE_MESSAGE_TRANSPORT },
	{ "\4\0\0\0", 4, WICE_MESSAGE_INVALID },      { "\0\0\0\0", 148, WICE_MESSAGE_INVALID },
	{ "\5\0\0\0", 148, WICE_MESSAGE_INVALID },    { "\1\1\0\0", 148, WICE_MESSAGE_INVALID },
	{ "\1\0\1\0", 148, WICE_MESSAGE_INVALID },    { "\4\0\0\1", 32, WICE_MESSAGE_INVALID },
	{ "\0\0\0\1", 148, WICE_MESSAGE_INVALID },
};

START_TEST(messages_are_told_by_their_first_word_and_length)
{
	for (size_t i = 0; i < G_N_ELEMENTS(messages); i++) {
		g_autofree uint8_t *data = g_malloc0(messages[i].length);
		memcpy(data, messages[i].start, 4);
		ck_assert_msg(wice__message_type(data, messages[i].length) == messages[i].type,
			      "message %zu", i);
	}
}
END_TEST

START_TEST(what_is_shorter_than_a_word_is_nothing)
{
	for (size_t length = 0; length < 4; length++) {
		g_autofree uint8_t *data = g_malloc0(MAX(length, 1));
		data[0] = length ? WICE_MESSAGE_TRANSPORT : 0;
		ck_assert_int_eq(wice__message_type(data, length), WICE_MESSAGE_INVALID);
	}
}
END_TEST

START_TEST(numbers_are_little_endian)
{
	uint8_t bytes[9] = { 0 };
	wice__put_le32(bytes + 1, 0x01020384);
	ck_assert_mem_eq(bytes, "\0\x84\3\2\1\0\0\0\0", 9);
	ck_assert_uint_eq(wice__get_le32(bytes + 1), 0x01020384);
	wice__put_le64(bytes + 1, UINT64_C(0x8102030405060788));
	ck_assert_mem_eq(bytes, "\0\x88\7\6\5\4\3\2\x81", 9);
	ck_assert_uint_eq(wice__get_le64(bytes + 1), UINT64_C(0x8102030405060788));
}
END_TEST

SUITE_MAIN("engine message", messages_are_told_by_their_first_word_and_length,
	   what_is_shorter_than_a_word_is_nothing, numbers_are_little_endian)
