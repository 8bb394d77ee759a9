/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "stun/channel_data.h"
#include "vectors.h"

START_TEST(what_is_written_is_read_with_and_without_padding)
{
	uint8_t packet[4 + 70];
	for (size_t len = 0; len <= 64; len++)
		for (size_t extra = 0; extra <= wice__channel_data_padding(len); extra++) {
			uint16_t channel;
			WiceSpan data;
			ck_assert_int_eq(wice__channel_data_write(packet, 0x4abc, len), 0);
			ck_assert_int_eq(
				wice__channel_data_read(packet, 4 + len + extra, &channel, &data),
				0);
			ck_assert_uint_eq(channel, 0x4abc);
			ck_assert_ptr_eq(data.data, packet + 4);
			ck_assert_uint_eq(data.len, len);
		}
}
END_TEST

START_TEST(padding_fills_up_to_4_bytes)
{
	static const size_t expected[] = { 0, 3, 2, 1, 0, 3 };
	for (size_t len = 0; len < G_N_ELEMENTS(expected); len++)
		ck_assert_uint_eq(wice__channel_data_padding(len), expected[len]);
}
END_TEST

/* RFC 5766 had them up to 0x7fff; we read those and never choose one. */
START_TEST(channels_of_older_clients_are_read)
{
	static const uint8_t packet[] = { 0x7f, 0xff, 0, 1, 9 };
	uint16_t channel;
	WiceSpan data;
	size_t size;
	ck_assert_int_eq(wice__channel_data_read(packet, sizeof packet, &channel, &data), 0);
	ck_assert_uint_eq(channel, 0x7fff);
	ck_assert_int_eq(wice__stun_frame_size(packet, sizeof packet, &size), 0);
	ck_assert_uint_eq(size, 8);
}
END_TEST

START_TEST(malformed_channel_data_is_refused)
{
	static const struct {
		size_t len;
		uint8_t packet[12];
	} cases[] = {
		{ 0, { 0 } },
		{ 3, { 0x40, 0, 0 } },
		{ 4, { 0x3f, 0xff, 0, 0 } },             /* STUN's range */
		{ 4, { 0x80, 0, 0, 0 } },                /* RTP's range */
		{ 4, { 0x40, 0, 0, 1 } },                /* too short */
		{ 9, { 0x40, 0, 0, 4, 1, 2, 3, 4, 0 } }, /* more than padding */
		{ 9, { 0x40, 0, 0, 1, 1, 0, 0, 0, 0 } }, /* more than padding */
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		uint16_t channel = 1;
		WiceSpan data = { NULL, 2 };
		ck_assert_int_eq(
			wice__channel_data_read(cases[i].packet, cases[i].len, &channel, &data),
			-EBADMSG);
		ck_assert_uint_eq(channel, 1);
		ck_assert_uint_eq(data.len, 2);
	}
}
END_TEST

START_TEST(impossible_headers_are_not_written)
{
	uint8_t header[4];
	ck_assert_int_eq(wice__channel_data_write(header, 0x3fff, 1), -EINVAL);
	ck_assert_int_eq(wice__channel_data_write(header, 0x5000, 1), -EINVAL);
	ck_assert_int_eq(wice__channel_data_write(header, 0x4000, 65536), -EINVAL);
	ck_assert_int_eq(wice__channel_data_write(header, 0x4fff, 65535), 0);
}
END_TEST

START_TEST(a_stream_is_cut_into_its_frames)
{
	g_autoptr(GByteArray) stream = g_byte_array_new();
	static const uint8_t channel_data[] = { 0x40, 1, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0 };
	size_t expected[] = { sizeof vector_request, sizeof channel_data, sizeof vector_long_term };
	size_t at = 0, size = 0;
	g_byte_array_append(stream, vector_request, sizeof vector_request);
	g_byte_array_append(stream, channel_data, sizeof channel_data);
	g_byte_array_append(stream, vector_long_term, sizeof vector_long_term);
	for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
		for (size_t len = 0; len < 4; len++)
			ck_assert_int_eq(wice__stun_frame_size(stream->data + at, len, &size),
					 -EAGAIN);
		ck_assert_int_eq(wice__stun_frame_size(stream->data + at, 4, &size), 0);
		ck_assert_uint_eq(size, expected[i]);
		at += size;
	}
	ck_assert_uint_eq(at, stream->len);
}
END_TEST

START_TEST(a_stream_of_something_else_is_refused)
{
	static const uint8_t others[][4] = {
		{ 0x80, 0, 0, 0 }, { 0xc0, 0, 0, 0 }, { 0xff, 0, 0, 4 }, { 0, 1, 0, 3 }
	};
	size_t size;
	for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
		ck_assert_int_eq(wice__stun_frame_size(others[i], 4, &size), -EBADMSG);
}
END_TEST

SUITE_MAIN("channel data", what_is_written_is_read_with_and_without_padding,
	   channels_of_older_clients_are_read, padding_fills_up_to_4_bytes,
	   malformed_channel_data_is_refused, impossible_headers_are_not_written,
	   a_stream_is_cut_into_its_frames, a_stream_of_something_else_is_refused)
