/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "signaling/sealed.h"
#include "suite.h"
#include "tests/unit/signaling/foreign.pb-c.h"

#include <glib.h>
#include <string.h>

static WiceEnvelope envelope_sample(const uint8_t *body, size_t len)
{
	WiceEnvelope envelope = { .body = body, .body_len = len };
	memset(envelope.sender.bytes, 0x11, WICE_KEY_LEN);
	memset(envelope.recipient.bytes, 0x22, WICE_KEY_LEN);
	memset(envelope.nonce, 0x33, WICE_NONCE_LEN);
	return envelope;
}

static bool envelope_equal(const WiceEnvelope *a, const WiceEnvelope *b)
{
	return wice_key_compare(&a->sender, &b->sender) == 0 &&
	       wice_key_compare(&a->recipient, &b->recipient) == 0 &&
	       memcmp(a->nonce, b->nonce, WICE_NONCE_LEN) == 0 && a->body_len == b->body_len &&
	       memcmp(a->body, b->body, a->body_len) == 0;
}

/* Appends a field of bytes; number below 16, len below 128. */
static void add(GByteArray *message, uint8_t number, uint8_t fill, uint8_t len)
{
	uint8_t head[2] = { (uint8_t)(number << 3 | 2), len };
	g_byte_array_append(message, head, sizeof head);
	for (uint8_t i = 0; i < len; i++)
		g_byte_array_append(message, &fill, 1);
}

static void add_contents(GByteArray *message, uint8_t body_len, uint8_t nonce_len)
{
	uint8_t head[2] = { 3 << 3 | 2, (uint8_t)(body_len + nonce_len + 4) };
	g_byte_array_append(message, head, sizeof head);
	add(message, 1, 0x44, body_len);
	add(message, 2, 0x33, nonce_len);
}

static GByteArray *message_sample(void)
{
	GByteArray *message = g_byte_array_new();
	add(message, 1, 0x11, 32);
	add(message, 2, 0x22, 32);
	add_contents(message, 3, 24);
	return message;
}

/* On the heap and of exact size, so that a sanitizer sees every byte too far. */
static bool reads(const uint8_t *bytes, size_t len)
{
	WiceEnvelope envelope;
	uint8_t *copy = g_memdup2(bytes, len);
	bool ok = wice__envelope_read(copy, len, &envelope);
	g_free(copy);
	return ok;
}

static bool reads_and_frees(GByteArray *message)
{
	bool ok = reads(message->data, message->len);
	g_byte_array_unref(message);
	return ok;
}

START_TEST(written_form_is_the_known_one)
{
	uint8_t bytes[WICE_ENVELOPE_MAX];
	WiceEnvelope envelope = envelope_sample((const uint8_t *)"DDD", 3);
	GByteArray *expected = message_sample();
	size_t len = wice__envelope_write(&envelope, bytes, sizeof bytes);
	ck_assert_uint_eq(len, expected->len);
	ck_assert_mem_eq(bytes, expected->data, len);
	ck_assert_uint_eq(len, wice__envelope_size(&envelope));
	g_byte_array_unref(expected);
}
END_TEST

START_TEST(every_body_length_survives)
{
	uint8_t body[WICE_ENVELOPE_MAX], bytes[WICE_ENVELOPE_MAX];
	for (size_t i = 0; i < sizeof body; i++)
		body[i] = (uint8_t)(i * 7);
	for (size_t len = 1; len < sizeof body; len++) {
		WiceEnvelope envelope = envelope_sample(body, len), again;
		size_t size = wice__envelope_write(&envelope, bytes, sizeof bytes);
		if (size == 0) {
			ck_assert_uint_gt(len, WICE_ENVELOPE_MAX - 128);
			continue;
		}
		ck_assert(wice__envelope_read(bytes, size, &again));
		ck_assert(envelope_equal(&envelope, &again));
	}
}
END_TEST

START_TEST(no_more_than_the_largest_is_written_or_read)
{
	static uint8_t body[WICE_ENVELOPE_MAX + 1], bytes[WICE_ENVELOPE_MAX + 1];
	size_t len = WICE_ENVELOPE_MAX - 128;
	WiceEnvelope envelope = envelope_sample(body, len);
	while (wice__envelope_size(&envelope) != WICE_ENVELOPE_MAX)
		envelope.body_len = ++len;
	ck_assert_uint_eq(wice__envelope_write(&envelope, bytes, sizeof bytes), WICE_ENVELOPE_MAX);
	ck_assert(reads(bytes, WICE_ENVELOPE_MAX));
	bytes[WICE_ENVELOPE_MAX] = 0;
	ck_assert(!reads(bytes, WICE_ENVELOPE_MAX + 1));

	envelope.body_len = len + 1;
	ck_assert_uint_eq(wice__envelope_size(&envelope), 0);
	ck_assert_uint_eq(wice__envelope_write(&envelope, bytes, sizeof bytes), 0);
	envelope.body_len = 0;
	ck_assert_uint_eq(wice__envelope_write(&envelope, bytes, sizeof bytes), 0);
}
END_TEST

START_TEST(too_small_a_buffer_is_not_written_past)
{
	WiceEnvelope envelope = envelope_sample((const uint8_t *)"DDD", 3);
	size_t full = wice__envelope_size(&envelope);
	for (size_t size = 0; size <= full; size++) {
		uint8_t *bytes = g_malloc(size + 1);
		bytes[size] = 0x5a;
		ck_assert_uint_eq(wice__envelope_write(&envelope, bytes, size),
				  size < full ? 0 : full);
		ck_assert_uint_eq(bytes[size], 0x5a);
		g_free(bytes);
	}
}
END_TEST

START_TEST(every_truncation_is_refused)
{
	GByteArray *message = message_sample();
	for (guint len = 0; len < message->len; len++)
		ck_assert_msg(!reads(message->data, len), "%u bytes", len);
	ck_assert(reads(message->data, message->len));
	g_byte_array_unref(message);
}
END_TEST

START_TEST(unknown_fields_are_skipped)
{
	static const uint8_t unknown[] = {
		5 << 3 | 0, 0x96, 0x01,                      /* a number */
		6 << 3 | 2, 2,    'h',  'i',                 /* bytes */
		7 << 3 | 5, 1,    2,    3,    4,             /* 32 bits */
		8 << 3 | 1, 1,    2,    3,    4, 5, 6, 7, 8, /* 64 bits */
		5 << 3 | 0, 1,                               /* again */
		0x80 | 2,   0x80, 0x80, 0x80, 1, 0,          /* a large number */
	};
	GByteArray *message = message_sample();
	g_byte_array_prepend(message, unknown, sizeof unknown);
	g_byte_array_append(message, unknown, sizeof unknown);
	ck_assert(reads_and_frees(message));
}
END_TEST

START_TEST(missing_parts_and_wrong_lengths_are_refused)
{
	for (int missing = 1; missing <= 3; missing++) {
		GByteArray *message = g_byte_array_new();
		if (missing != 1)
			add(message, 1, 0x11, 32);
		if (missing != 2)
			add(message, 2, 0x22, 32);
		if (missing != 3)
			add_contents(message, 3, 24);
		ck_assert_msg(!reads_and_frees(message), "without %d", missing);
	}
	static const uint8_t lengths[][4] = { { 31, 32, 3, 24 }, { 33, 32, 3, 24 },
					      { 32, 31, 3, 24 }, { 32, 0, 3, 24 },
					      { 32, 32, 0, 24 }, { 32, 32, 3, 23 },
					      { 32, 32, 3, 25 }, { 32, 32, 3, 0 } };
	for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
		GByteArray *message = g_byte_array_new();
		add(message, 1, 0x11, lengths[i][0]);
		add(message, 2, 0x22, lengths[i][1]);
		add_contents(message, lengths[i][2], lengths[i][3]);
		ck_assert_msg(!reads_and_frees(message), "lengths %zu", i);
	}
}
END_TEST

/* Otherwise a server could route by one recipient and the client believe another. */
START_TEST(a_field_that_comes_twice_is_refused)
{
	for (uint8_t number = 1; number <= 3; number++) {
		GByteArray *message = message_sample();
		if (number == 3)
			add_contents(message, 3, 24);
		else
			add(message, number, 0x11, 32);
		ck_assert_msg(!reads_and_frees(message), "field %d", number);
	}
}
END_TEST

START_TEST(malformed_wire_is_refused)
{
	static const struct {
		const char *what;
		uint8_t bytes[16];
		size_t len;
	} cases[] = {
		{ "field number 0", { 0x02, 0 }, 2 },
		{ "start of a group", { 5 << 3 | 3 }, 1 },
		{ "end of a group", { 5 << 3 | 4 }, 1 },
		{ "wire type 6", { 5 << 3 | 6, 0 }, 2 },
		{ "wire type 7", { 5 << 3 | 7, 0 }, 2 },
		{ "sender as a number", { 1 << 3 | 0, 1 }, 2 },
		{ "contents as a number", { 3 << 3 | 0, 1 }, 2 },
		{ "a number without end", { 5 << 3 | 0, 0xff, 0xff }, 3 },
		{ "a number of 11 bytes",
		  { 5 << 3, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0 },
		  12 },
		{ "a number over 64 bits",
		  { 5 << 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2 },
		  11 },
		{ "a length past the end", { 5 << 3 | 2, 9, 'x' }, 3 },
		{ "a length of 2^64 - 1",
		  { 5 << 3 | 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1 },
		  11 },
		{ "a field number over 2^29", { 0x80 | 2, 0x80, 0x80, 0x80, 0x10, 0 }, 6 },
		{ "32 bits cut off", { 5 << 3 | 5, 1, 2, 3 }, 4 },
		{ "64 bits cut off", { 5 << 3 | 1, 1, 2, 3, 4, 5, 6, 7 }, 8 },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		GByteArray *message = g_byte_array_new();
		bool known = cases[i].bytes[0] >> 3 < 4;
		if (!known) {
			g_byte_array_unref(message);
			message = message_sample();
		}
		g_byte_array_append(message, cases[i].bytes, (guint)cases[i].len);
		ck_assert_msg(!reads_and_frees(message), "%s", cases[i].what);
	}
}
END_TEST

START_TEST(a_refused_envelope_leaves_the_result_alone)
{
	WiceEnvelope envelope, before;
	memset(&envelope, 0x77, sizeof envelope);
	before = envelope;
	GByteArray *message = message_sample();
	ck_assert(!wice__envelope_read(message->data, message->len - 1, &envelope));
	ck_assert_mem_eq(&envelope, &before, sizeof envelope);
	g_byte_array_unref(message);
}
END_TEST

/* protobuf-c knows nothing of our reader and writer. */
START_TEST(another_protobuf_implementation_agrees)
{
	uint8_t bytes[WICE_ENVELOPE_MAX];
	uint8_t body[300];
	memset(body, 0x44, sizeof body);
	WiceEnvelope envelope = envelope_sample(body, sizeof body), again;
	size_t len = wice__envelope_write(&envelope, bytes, sizeof bytes);
	Foreign__Envelope *foreign = foreign__envelope__unpack(NULL, len, bytes);
	ck_assert_ptr_nonnull(foreign);
	ck_assert_mem_eq(foreign->sender.data, envelope.sender.bytes, WICE_KEY_LEN);
	ck_assert_mem_eq(foreign->recipient.data, envelope.recipient.bytes, WICE_KEY_LEN);
	ck_assert_uint_eq(foreign->contents->body.len, sizeof body);
	ck_assert_mem_eq(foreign->contents->nonce.data, envelope.nonce, WICE_NONCE_LEN);

	uint8_t packed[WICE_ENVELOPE_MAX];
	size_t packed_len = foreign__envelope__pack(foreign, packed);
	ck_assert_uint_eq(packed_len, len);
	ck_assert_mem_eq(packed, bytes, len);
	ck_assert(wice__envelope_read(packed, packed_len, &again));
	ck_assert(envelope_equal(&envelope, &again));
	foreign__envelope__free_unpacked(foreign, NULL);
}
END_TEST

SUITE_MAIN("envelope", written_form_is_the_known_one, every_body_length_survives,
	   no_more_than_the_largest_is_written_or_read, too_small_a_buffer_is_not_written_past,
	   every_truncation_is_refused, unknown_fields_are_skipped,
	   missing_parts_and_wrong_lengths_are_refused, a_field_that_comes_twice_is_refused,
	   malformed_wire_is_refused, a_refused_envelope_leaves_the_result_alone,
	   another_protobuf_implementation_agrees)
