/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "stun/channel_data.h"
#include "stun/message.h"
#include "suite.h"
#include "turn/stream.h"

/* A stream of frames of these lengths of content, each STUN if it is a multiple of 8, else ChannelData. */
static const size_t contents[] = { 0, 1, 2, 3, 4, 1420, 8, 65535, 16, 65528, 5, 0 };

static size_t add_frame(GByteArray *bytes, size_t content)
{
	static const uint8_t filler[65536 + 4];
	size_t begin = bytes->len;
	uint8_t header[WICE_STUN_HEADER_LEN] = { 0 };
	if (content % 8 == 0) {
		wice__stun_put_u16(header, 0x0101);
		wice__stun_put_u16(header + 2, (uint16_t)content);
		g_byte_array_append(bytes, header, WICE_STUN_HEADER_LEN);
		g_byte_array_append(bytes, filler, (guint)content);
	} else {
		ck_assert_int_eq(wice__channel_data_write(header, 0x4001, content), 0);
		g_byte_array_append(bytes, header, WICE_CHANNEL_DATA_HEADER_LEN);
		g_byte_array_append(bytes, filler,
				    (guint)(content + wice__channel_data_padding(content)));
	}
	return bytes->len - begin;
}

/* Reads as read(2) would, at most step bytes at a time. */
static void check_cut(size_t usual_size, size_t step)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	size_t sizes[G_N_ELEMENTS(contents)], n_frames = 0, at = 0, frame_at = 0;
	WiceTurnStream stream;
	uint8_t *frame;
	size_t len;
	for (size_t i = 0; i < G_N_ELEMENTS(contents); i++)
		sizes[i] = add_frame(bytes, contents[i]);
	wice__turn_stream_init(&stream, usual_size);
	ck_assert_int_eq(wice__turn_stream_next(&stream, &frame, &len), -EAGAIN);
	while (at < bytes->len) {
		uint8_t *room = wice__turn_stream_room(&stream, &len);
		ck_assert_uint_gt(len, 0);
		len = MIN(MIN(len, step), bytes->len - at);
		memcpy(room, bytes->data + at, len);
		wice__turn_stream_added(&stream, len);
		at += len;
		int err;
		while ((err = wice__turn_stream_next(&stream, &frame, &len)) == 0) {
			ck_assert_uint_eq(len, sizes[n_frames]);
			ck_assert_mem_eq(frame, bytes->data + frame_at, len);
			frame_at += len;
			n_frames++;
		}
		ck_assert_int_eq(err, -EAGAIN);
	}
	ck_assert_uint_eq(n_frames, G_N_ELEMENTS(contents));
	(void)wice__turn_stream_room(&stream, &len);
	ck_assert_uint_eq(len, usual_size);
	wice__turn_stream_done(&stream);
}

START_TEST(frames_come_out_whole_however_they_came_in)
{
	static const size_t sizes[] = { 20, 21, 2048, 16384, 1 << 20 };
	static const size_t steps[] = { 1, 3, 7, 1000, 1 << 20 };
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++)
		for (size_t j = 0; j < G_N_ELEMENTS(steps); j++)
			check_cut(sizes[i], steps[j]);
}
END_TEST

START_TEST(what_is_no_frame_ends_the_stream)
{
	static const char *const texts[] = { "\xff\xff\xff\xff", "\x16\x03\x01\x02",
					     "\x80\x01\x00\x04", "\x01\x01\x00\x03",
					     "\xc0\x00\x00\x00" };
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		WiceTurnStream stream;
		uint8_t *frame;
		size_t len;
		wice__turn_stream_init(&stream, 64);
		memcpy(wice__turn_stream_room(&stream, &len), texts[i], 4);
		wice__turn_stream_added(&stream, 4);
		ck_assert_int_eq(wice__turn_stream_next(&stream, &frame, &len), -EBADMSG);
		ck_assert_int_eq(wice__turn_stream_next(&stream, &frame, &len), -EBADMSG);
		wice__turn_stream_done(&stream);
	}
}
END_TEST

SUITE_MAIN("turn stream", frames_come_out_whole_however_they_came_in,
	   what_is_no_frame_ends_the_stream)
