/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "stun/attributes.h"
#include "stun/integrity.h"
#include "stun/message.h"

#define COOKIE 0x21, 0x12, 0xa4, 0x42
#define ID 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
#define BYTES(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

static const uint8_t transaction[16] = { COOKIE, ID };
static const WiceStunKey key = { 3, "key" };

START_TEST(types_join_class_and_method_as_published)
{
	static const struct {
		uint16_t type, method;
		WiceStunClass message_class;
	} cases[] = {
		{ 0x0001, WICE_STUN_BINDING, WICE_STUN_REQUEST },
		{ 0x0011, WICE_STUN_BINDING, WICE_STUN_INDICATION },
		{ 0x0101, WICE_STUN_BINDING, WICE_STUN_SUCCESS },
		{ 0x0111, WICE_STUN_BINDING, WICE_STUN_ERROR },
		{ 0x0003, WICE_STUN_ALLOCATE, WICE_STUN_REQUEST },
		{ 0x0113, WICE_STUN_ALLOCATE, WICE_STUN_ERROR },
		{ 0x0104, WICE_STUN_REFRESH, WICE_STUN_SUCCESS },
		{ 0x0016, WICE_STUN_SEND, WICE_STUN_INDICATION },
		{ 0x0017, WICE_STUN_DATA_INDICATION, WICE_STUN_INDICATION },
		{ 0x0008, WICE_STUN_CREATE_PERMISSION, WICE_STUN_REQUEST },
		{ 0x0109, WICE_STUN_CHANNEL_BIND, WICE_STUN_SUCCESS },
		{ 0x3eef, 0xfff, WICE_STUN_REQUEST },
		{ 0x3fff, 0xfff, WICE_STUN_ERROR },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		ck_assert_uint_eq(wice__stun_type_join(cases[i].message_class, cases[i].method),
				  cases[i].type);
		ck_assert_uint_eq(wice__stun_type_class(cases[i].type), cases[i].message_class);
		ck_assert_uint_eq(wice__stun_type_method(cases[i].type), cases[i].method);
	}
	for (unsigned type = 0; type < 0x4000; type++)
		ck_assert_uint_eq(wice__stun_type_join(wice__stun_type_class((uint16_t)type),
						       wice__stun_type_method((uint16_t)type)),
				  type);
}
END_TEST

START_TEST(malformed_packets_are_refused)
{
	const struct {
		const char *why;
		const uint8_t *data;
		size_t len;
	} cases[] = {
		{ "a short header", BYTES(0, 1, 0, 0, COOKIE, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11) },
		{ "first two bits", BYTES(0x40, 1, 0, 0, COOKIE, ID) },
		{ "first two bits", BYTES(0x80, 1, 0, 0, COOKIE, ID) },
		{ "length too long", BYTES(0, 1, 0, 4, COOKIE, ID) },
		{ "length too short", BYTES(0, 1, 0, 0, COOKIE, ID, 0, 0, 0, 0) },
		{ "length unaligned", BYTES(0, 1, 0, 2, COOKIE, ID, 0, 0) },
		{ "attribute too long", BYTES(0, 1, 0, 4, COOKIE, ID, 0x80, 0x22, 0, 1) },
		{ "attribute too long",
		  BYTES(0, 1, 0, 8, COOKIE, ID, 0x80, 0x22, 0, 5, 1, 2, 3, 4) },
		{ "longest attribute", BYTES(0, 1, 0, 4, COOKIE, ID, 0x80, 0x22, 0xff, 0xff) },
		{ "something behind FINGERPRINT",
		  BYTES(0, 1, 0, 12, COOKIE, ID, 0x80, 0x28, 0, 4, 0, 0, 0, 0, 0, 0x25, 0, 0) },
	};
	WiceStunMessage message, untouched;
	memset(&message, 0x5a, sizeof message);
	untouched = message;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		ck_assert_msg(wice__stun_message_read(&message, cases[i].data, cases[i].len) ==
				      -EBADMSG,
			      "case %zu: %s", i, cases[i].why);
		ck_assert_mem_eq(&message, &untouched, sizeof message);
	}
}
END_TEST

START_TEST(attributes_beyond_the_limit_are_refused)
{
	uint8_t packet[20 + 4 * (WICE_STUN_MAX_ATTRIBUTES + 1)] = { 0, 1, 0, 0, COOKIE, ID };
	WiceStunMessage message;
	size_t len = 20 + 4 * WICE_STUN_MAX_ATTRIBUTES;
	for (size_t at = 20; at < sizeof packet; at += 4)
		wice__stun_put_u16(packet + at, WICE_STUN_USE_CANDIDATE);
	wice__stun_put_u16(packet + 2, (uint16_t)(len - 20));
	ck_assert_int_eq(wice__stun_message_read(&message, packet, len), 0);
	wice__stun_put_u16(packet + 2, (uint16_t)(sizeof packet - 20));
	ck_assert_int_eq(wice__stun_message_read(&message, packet, sizeof packet), -E2BIG);
}
END_TEST

START_TEST(messages_without_cookie_are_read_and_flagged)
{
	static const uint8_t classic[] = { 0, 1, 0, 0, 1, 2, 3, 4, ID };
	WiceStunMessage message;
	ck_assert_int_eq(wice__stun_message_read(&message, classic, sizeof classic), 0);
	ck_assert(!message.has_cookie);
	ck_assert_ptr_eq(wice__stun_message_transaction(&message), classic + 4);
}
END_TEST

START_TEST(unknown_attributes_are_collected_if_they_must_be_understood)
{
	static const uint8_t packet[] = {
		0,    1,    0, 24, COOKIE, ID, 0, 3, 0, 4, 0, 0, 0, 0, /* CHANGE-REQUEST */
		0,    0x25, 0, 0,                                      /* known */
		0xff, 0xff, 0, 1,  9,      0,  0, 0,                   /* optional */
		0x7f, 0xff, 0, 0,
	};
	WiceStunMessage message;
	ck_assert_int_eq(wice__stun_message_read(&message, packet, sizeof packet), 0);
	ck_assert_uint_eq(message.n_unknown, 2);
	ck_assert_uint_eq(message.unknown[0], 0x0003);
	ck_assert_uint_eq(message.unknown[1], 0x7fff);
}
END_TEST

START_TEST(unknown_attributes_are_collected_up_to_a_limit)
{
	uint8_t packet[20 + 4 * 2 * WICE_STUN_MAX_UNKNOWN] = { 0, 1, 0, 0, COOKIE, ID };
	WiceStunMessage message;
	wice__stun_put_u16(packet + 2, sizeof packet - 20);
	for (size_t at = 20; at < sizeof packet; at += 4)
		wice__stun_put_u16(packet + at, (uint16_t)(0x7000 + at));
	ck_assert_int_eq(wice__stun_message_read(&message, packet, sizeof packet), 0);
	ck_assert_uint_eq(message.n_unknown, WICE_STUN_MAX_UNKNOWN);
	ck_assert_uint_eq(message.unknown[WICE_STUN_MAX_UNKNOWN - 1],
			  0x7000 + 20 + 4 * (WICE_STUN_MAX_UNKNOWN - 1));
}
END_TEST

/* The types that count, as "0006 0008", of a message made of empty or MAC-sized attributes. */
static void assert_counted(const uint16_t *types, size_t n, const char *expected)
{
	uint8_t packet[512] = { 0, 1, 0, 0, COOKIE, ID };
	size_t len = 20, cursor = 0;
	WiceStunMessage message;
	WiceStunAttribute attribute;
	g_autoptr(GString) counted = g_string_new(NULL);
	for (size_t i = 0; i < n; i++) {
		wice__stun_put_u16(packet + len, types[i]);
		len += 4;
	}
	wice__stun_put_u16(packet + 2, (uint16_t)(len - 20));
	ck_assert_int_eq(wice__stun_message_read(&message, packet, len), 0);
	while (wice__stun_message_next(&message, &cursor, &attribute))
		g_string_append_printf(counted, "%s%04x", counted->len ? " " : "", attribute.type);
	ck_assert_str_eq(counted->str, expected);
	ck_assert(!wice__stun_message_next(&message, &cursor, &attribute));
}

START_TEST(what_follows_an_integrity_attribute_is_ignored)
{
	enum { SHA1 = WICE_STUN_MESSAGE_INTEGRITY, SHA256 = WICE_STUN_MESSAGE_INTEGRITY_SHA256 };
	enum { USER = WICE_STUN_USERNAME, FINGER = WICE_STUN_FINGERPRINT, MUST = 0x7ffe };
#define CASE(expected, ...)                               \
	assert_counted((const uint16_t[]){ __VA_ARGS__ }, \
		       sizeof((const uint16_t[]){ __VA_ARGS__ }) / sizeof(uint16_t), expected)
	CASE("0006 0006 8028", USER, USER, FINGER);
	CASE("0006 0008 8028", USER, SHA1, USER, FINGER);
	CASE("0006 0008 001c 8028", USER, SHA1, SHA256, FINGER);
	CASE("0006 0008 001c", USER, SHA1, USER, SHA256, USER, SHA1, SHA256);
	CASE("0006 001c 8028", USER, SHA256, USER, SHA1, SHA256, FINGER);
	CASE("0008", SHA1, MUST);
#undef CASE
}
END_TEST

START_TEST(unknown_attributes_behind_the_integrity_are_ignored)
{
	uint8_t packet[128];
	size_t len;
	WiceStunWriter writer;
	WiceStunMessage message;
	wice__stun_writer_init(&writer, packet, sizeof packet, WICE_STUN_REQUEST, WICE_STUN_BINDING,
			       transaction);
	wice__stun_write_integrity(&writer, &key);
	ck_assert_int_eq(wice__stun_writer_finish(&writer, &len), 0);
	wice__stun_put_u32(packet + len, 0x7ffe0000);
	len += 4;
	wice__stun_put_u16(packet + 2, (uint16_t)(len - 20));
	ck_assert_int_eq(wice__stun_message_read(&message, packet, len), 0);
	ck_assert_uint_eq(message.n_unknown, 0);
	ck_assert_int_eq(wice__stun_check_integrity(&message, &key), 0);
}
END_TEST

START_TEST(the_first_of_several_attributes_is_found)
{
	uint8_t packet[64];
	size_t len;
	uint32_t lifetime;
	WiceStunWriter writer;
	WiceStunMessage message;
	wice__stun_writer_init(&writer, packet, sizeof packet, WICE_STUN_REQUEST, WICE_STUN_REFRESH,
			       transaction);
	wice__stun_write_u32(&writer, WICE_STUN_LIFETIME, 1);
	wice__stun_write_u32(&writer, WICE_STUN_LIFETIME, 2);
	ck_assert_int_eq(wice__stun_writer_finish(&writer, &len), 0);
	ck_assert_int_eq(wice__stun_message_read(&message, packet, len), 0);
	ck_assert_int_eq(wice__stun_read_u32(&message, WICE_STUN_LIFETIME, &lifetime), 0);
	ck_assert_uint_eq(lifetime, 1);
	ck_assert(!wice__stun_message_has(&message, WICE_STUN_REALM));
}
END_TEST

/* A message of all kinds of closing attributes, into a buffer of any size. */
static int write_all(uint8_t *buffer, size_t size, size_t *ret_len)
{
	WiceStunWriter writer;
	wice__stun_writer_init(&writer, buffer, size, WICE_STUN_REQUEST, WICE_STUN_ALLOCATE,
			       transaction);
	wice__stun_write_bytes(&writer, WICE_STUN_USERNAME, "abcde", 5);
	wice__stun_write_u8(&writer, WICE_STUN_REQUESTED_TRANSPORT, WICE_STUN_TRANSPORT_UDP);
	wice__stun_write_integrity(&writer, &key);
	wice__stun_write_integrity_sha256(&writer, &key);
	wice__stun_write_fingerprint(&writer);
	return wice__stun_writer_finish(&writer, ret_len);
}

START_TEST(a_small_buffer_is_never_overrun)
{
	uint8_t whole[256];
	size_t needed, len = 12345;
	ck_assert_int_eq(write_all(whole, sizeof whole, &needed), 0);
	for (size_t size = 0; size < needed; size++) {
		uint8_t *buffer = g_malloc(size + 1);
		buffer[size] = 0xa5;
		ck_assert_int_eq(write_all(buffer, size, &len), -ENOBUFS);
		ck_assert_uint_eq(len, 12345);
		ck_assert_uint_eq(buffer[size], 0xa5);
		g_free(buffer);
	}
	ck_assert_int_eq(write_all(whole, needed, &len), 0);
	ck_assert_uint_eq(len, needed);
}
END_TEST

START_TEST(a_message_cannot_outgrow_its_length_field)
{
	g_autofree uint8_t *buffer = g_malloc(100000);
	WiceStunWriter writer;
	size_t len;
	wice__stun_writer_init(&writer, buffer, 100000, WICE_STUN_INDICATION, WICE_STUN_SEND,
			       transaction);
	wice__stun_writer_add(&writer, WICE_STUN_DATA, 40000);
	wice__stun_writer_add(&writer, WICE_STUN_DATA, 40000);
	ck_assert_int_eq(wice__stun_writer_finish(&writer, &len), -ENOBUFS);
	wice__stun_writer_init(&writer, buffer, 100000, WICE_STUN_INDICATION, WICE_STUN_SEND,
			       transaction);
	wice__stun_writer_add(&writer, WICE_STUN_DATA, 65536);
	ck_assert_int_eq(wice__stun_writer_finish(&writer, &len), -EINVAL);
}
END_TEST

START_TEST(padding_is_zero_and_not_counted)
{
	uint8_t packet[64];
	size_t len;
	WiceStunWriter writer;
	memset(packet, 0xff, sizeof packet);
	wice__stun_writer_init(&writer, packet, sizeof packet, WICE_STUN_REQUEST, WICE_STUN_BINDING,
			       transaction);
	wice__stun_write_bytes(&writer, WICE_STUN_USERNAME, "abcde", 5);
	ck_assert_int_eq(wice__stun_writer_finish(&writer, &len), 0);
	static const uint8_t expected[] = { 0, 1,   0,   12,  COOKIE, ID,  0, 6, 0,
					    5, 'a', 'b', 'c', 'd',    'e', 0, 0, 0 };
	ck_assert_uint_eq(len, sizeof expected);
	ck_assert_mem_eq(packet, expected, len);
}
END_TEST

START_TEST(nothing_is_written_behind_what_closes_a_message)
{
	static const uint16_t after_sha1[] = { WICE_STUN_USERNAME, WICE_STUN_MESSAGE_INTEGRITY };
	uint8_t packet[256];
	size_t len;
	for (size_t i = 0; i < G_N_ELEMENTS(after_sha1); i++) {
		WiceStunWriter writer;
		wice__stun_writer_init(&writer, packet, sizeof packet, WICE_STUN_REQUEST,
				       WICE_STUN_BINDING, transaction);
		wice__stun_write_integrity(&writer, &key);
		ck_assert_ptr_null(wice__stun_writer_add(&writer, after_sha1[i], 0));
		ck_assert_int_eq(wice__stun_writer_finish(&writer, &len), -EINVAL);
	}
	WiceStunWriter writer;
	wice__stun_writer_init(&writer, packet, sizeof packet, WICE_STUN_REQUEST, WICE_STUN_BINDING,
			       transaction);
	wice__stun_write_fingerprint(&writer);
	wice__stun_write_integrity_sha256(&writer, &key);
	ck_assert_int_eq(wice__stun_writer_finish(&writer, &len), -EINVAL);
}
END_TEST

START_TEST(truncated_sha256_is_accepted_down_to_16_bytes)
{
	uint8_t packet[128], mac[WICE_SHA256_LEN];
	for (size_t mac_len = 0; mac_len <= 36; mac_len++) {
		WiceStunWriter writer;
		WiceStunMessage message;
		size_t len;
		wice__stun_writer_init(&writer, packet, sizeof packet, WICE_STUN_REQUEST,
				       WICE_STUN_BINDING, transaction);
		wice__stun_write_u32(&writer, WICE_STUN_PRIORITY, 7);
		WiceSpan covered = { packet, writer.len };
		uint8_t *value =
			wice__stun_writer_add(&writer, WICE_STUN_MESSAGE_INTEGRITY_SHA256, mac_len);
		wice__stun_put_u16(packet + 2, (uint16_t)(covered.len + 4 + mac_len - 20));
		wice__hmac_sha256((WiceSpan){ key.bytes, key.len }, &covered, 1, mac);
		wice__stun_put_u16(packet + 2, (uint16_t)(writer.len - 20));
		memcpy(value, mac, MIN(mac_len, sizeof mac));
		ck_assert_int_eq(wice__stun_writer_finish(&writer, &len), 0);
		ck_assert_int_eq(wice__stun_message_read(&message, packet, len), 0);
		bool fine = mac_len >= 16 && mac_len <= 32 && mac_len % 4 == 0;
		ck_assert_int_eq(wice__stun_check_integrity_sha256(&message, &key),
				 fine ? 0 : -EACCES);
	}
}
END_TEST

START_TEST(integrity_of_a_wrong_length_is_refused)
{
	static const uint8_t packet[] = { 0, 1, 0, 12, COOKIE, ID,   0,    8, 0,
					  4, 0, 0, 0,  0,      0x80, 0x28, 0, 0 };
	WiceStunMessage message;
	ck_assert_int_eq(wice__stun_message_read(&message, packet, sizeof packet), 0);
	ck_assert_int_eq(wice__stun_check_integrity(&message, &key), -EACCES);
	ck_assert_int_eq(wice__stun_check_fingerprint(&message), -EBADMSG);
}
END_TEST

START_TEST(messages_without_cookie_are_not_sealed)
{
	static const uint8_t classic[16] = { 1, 2, 3, 4, ID };
	uint8_t packet[128];
	size_t len;
	WiceStunWriter writer;
	wice__stun_writer_init(&writer, packet, sizeof packet, WICE_STUN_REQUEST, WICE_STUN_BINDING,
			       classic);
	wice__stun_write_integrity(&writer, &key);
	ck_assert_int_eq(wice__stun_writer_finish(&writer, &len), -EINVAL);
}
END_TEST

SUITE_MAIN("stun message", types_join_class_and_method_as_published, malformed_packets_are_refused,
	   attributes_beyond_the_limit_are_refused, messages_without_cookie_are_read_and_flagged,
	   unknown_attributes_are_collected_if_they_must_be_understood,
	   unknown_attributes_are_collected_up_to_a_limit,
	   what_follows_an_integrity_attribute_is_ignored,
	   unknown_attributes_behind_the_integrity_are_ignored,
	   the_first_of_several_attributes_is_found, a_small_buffer_is_never_overrun,
	   a_message_cannot_outgrow_its_length_field, padding_is_zero_and_not_counted,
	   nothing_is_written_behind_what_closes_a_message,
	   truncated_sha256_is_accepted_down_to_16_bytes, integrity_of_a_wrong_length_is_refused,
	   messages_without_cookie_are_not_sealed)
