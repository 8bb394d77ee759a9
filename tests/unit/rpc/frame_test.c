/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/frame.h"

#include <glib.h>
#include <nghttp2/nghttp2.h>
#include <string.h>

#include "rpc/metadata.h"
#include "suite.h"

START_TEST(a_frame_is_read_only_when_it_is_complete)
{
	WiceRpcBuffer buffer = { 0 };
	const uint8_t *message = NULL;
	size_t len = 0;
	wice__rpc_frame_append(&buffer, (const uint8_t *)"hello", 5);
	wice__rpc_frame_append(&buffer, NULL, 0);
	ck_assert_uint_eq(buffer.len, 15);
	const uint8_t *bytes = wice__rpc_buffer_peek(&buffer);
	ck_assert_mem_eq(bytes, "\0\0\0\0\5hello\0\0\0\0\0", 15);
	for (size_t n = 0; n < 10; n++)
		ck_assert_int_eq(wice__rpc_frame_read(bytes, n, 5, &message, &len),
				 WICE_RPC_FRAME_MORE);
	ck_assert_ptr_null(message);
	ck_assert_int_eq(wice__rpc_frame_read(bytes, 15, 5, &message, &len),
			 WICE_RPC_FRAME_MESSAGE);
	ck_assert_uint_eq(len, 5);
	ck_assert_mem_eq(message, "hello", 5);
	wice__rpc_buffer_drop(&buffer, 10);
	ck_assert_int_eq(
		wice__rpc_frame_read(wice__rpc_buffer_peek(&buffer), buffer.len, 5, &message, &len),
		WICE_RPC_FRAME_MESSAGE);
	ck_assert_uint_eq(len, 0);
	wice__rpc_buffer_clear(&buffer);
}
END_TEST

START_TEST(a_frame_too_large_or_compressed_is_known_from_its_prefix)
{
	const uint8_t *message = NULL;
	size_t len = 0;
	ck_assert_int_eq(
		wice__rpc_frame_read((const uint8_t *)"\0\0\0\1\0", 5, 255, &message, &len),
		WICE_RPC_FRAME_TOO_LARGE);
	ck_assert_int_eq(wice__rpc_frame_read((const uint8_t *)"\0\xff\xff\xff\xff", 5, 1 << 20,
					      &message, &len),
			 WICE_RPC_FRAME_TOO_LARGE);
	ck_assert_int_eq(wice__rpc_frame_read((const uint8_t *)"\1", 1, 255, &message, &len),
			 WICE_RPC_FRAME_COMPRESSED);
	ck_assert_ptr_null(message);
}
END_TEST

START_TEST(a_buffer_keeps_the_order_of_bytes_however_they_come_and_go)
{
	WiceRpcBuffer buffer = { 0 };
	uint8_t next_in = 0, next_out = 0;
	for (unsigned round = 0; round < 2000; round++) {
		uint8_t chunk[97];
		size_t n = round * 31 % sizeof chunk;
		for (size_t i = 0; i < n; i++)
			chunk[i] = next_in++;
		wice__rpc_buffer_append(&buffer, chunk, n);
		size_t take = round % 7 == 6 ? buffer.len : buffer.len * (round % 5) / 5;
		for (size_t i = 0; i < take; i++)
			ck_assert_uint_eq(wice__rpc_buffer_peek(&buffer)[i], next_out++);
		wice__rpc_buffer_drop(&buffer, take);
	}
	ck_assert_uint_lt(buffer.size, 4096);
	wice__rpc_buffer_clear(&buffer);
}
END_TEST

START_TEST(content_types_of_grpc_are_known)
{
	ck_assert(wice__rpc_content_type_ok("application/grpc"));
	ck_assert(wice__rpc_content_type_ok("application/grpc+proto"));
	ck_assert(wice__rpc_content_type_ok("Application/GRPC; charset=utf-8"));
	ck_assert(!wice__rpc_content_type_ok("application/grpc-web"));
	ck_assert(!wice__rpc_content_type_ok("application/json"));
	ck_assert(!wice__rpc_content_type_ok(""));
}
END_TEST

START_TEST(timeouts_are_written_and_read_in_all_units)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = { { "1H", 3600000 }, { "2M", 120000 }, { "3S", 3000 },
		     { "4m", 4 },       { "5u", 1 },      { "1001u", 2 },
		     { "1n", 1 },       { "0m", 0 },      { "99999999H", 99999999LL * 3600000 } };
	static const char *const bad[] = { "", "1", "m", "123456789m", "-1m", "1 m", "1mm", "1x" };
	char text[WICE_RPC_TIMEOUT_SIZE];
	int64_t ms;
	for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
		ck_assert(wice__rpc_timeout_parse(good[i].text, &ms));
		ck_assert_int_eq(ms, good[i].ms);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		ck_assert(!wice__rpc_timeout_parse(bad[i], &ms));
	wice__rpc_timeout_format(99999999, text);
	ck_assert_str_eq(text, "99999999m");
	wice__rpc_timeout_format(G_MAXUINT32, text);
	ck_assert_str_eq(text, "4294967S");
}
END_TEST

START_TEST(status_texts_survive_the_percent_encoding)
{
	static const char *const texts[] = { "", "plain text", "100 %", "\xc3\xa4\xe2\x82\xac" };
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autofree char *value = wice__rpc_message_encode(texts[i]);
		for (const char *c = value; *c; c++)
			ck_assert(*c >= 0x20 && *c <= 0x7e);
		g_autofree char *text = wice__rpc_message_decode(value);
		ck_assert_str_eq(text, texts[i]);
	}
}
END_TEST

START_TEST(malformed_status_texts_become_harmless)
{
	static const char *const cases[][2] = {
		{ "50% off", "50% off" },
		{ "%", "%" },
		{ "%4", "%4" },
		{ "a%00b%0Ac%1B[31m", "a b c [31m" },
		{ "%FF", "\xef\xbf\xbd" },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = wice__rpc_message_decode(cases[i][0]);
		ck_assert_str_eq(text, cases[i][1]);
	}
	g_autofree char *lengthy = g_strnfill(100000, 'x');
	g_autofree char *text = wice__rpc_message_decode(lengthy);
	ck_assert_uint_le(strlen(text), 1024);
}
END_TEST

START_TEST(statuses_are_mapped_as_grpc_says)
{
	ck_assert_int_eq(wice__rpc_status_parse("16"), WICE_RPC_UNAUTHENTICATED);
	ck_assert_int_eq(wice__rpc_status_parse("0"), WICE_RPC_OK);
	ck_assert_int_eq(wice__rpc_status_parse("17"), WICE_RPC_UNKNOWN);
	ck_assert_int_eq(wice__rpc_status_parse("-1"), WICE_RPC_UNKNOWN);
	ck_assert_int_eq(wice__rpc_status_parse(""), WICE_RPC_UNKNOWN);
	ck_assert_int_eq(wice__rpc_status_parse("99999999999999999999"), WICE_RPC_UNKNOWN);
	ck_assert_int_eq(wice__rpc_status_of_http("503"), WICE_RPC_UNAVAILABLE);
	ck_assert_int_eq(wice__rpc_status_of_http("418"), WICE_RPC_UNKNOWN);
	ck_assert_int_eq(wice__rpc_status_of_reset(NGHTTP2_REFUSED_STREAM), WICE_RPC_UNAVAILABLE);
	ck_assert_str_eq(wice__rpc_status_name(WICE_RPC_UNAVAILABLE), "UNAVAILABLE");
	ck_assert_str_eq(wice__rpc_status_name((WiceRpcStatus)77), "UNKNOWN");
}
END_TEST

SUITE_MAIN("rpc frame", a_frame_is_read_only_when_it_is_complete,
	   a_frame_too_large_or_compressed_is_known_from_its_prefix,
	   a_buffer_keeps_the_order_of_bytes_however_they_come_and_go,
	   content_types_of_grpc_are_known, timeouts_are_written_and_read_in_all_units,
	   status_texts_survive_the_percent_encoding, malformed_status_texts_become_harmless,
	   statuses_are_mapped_as_grpc_says)
