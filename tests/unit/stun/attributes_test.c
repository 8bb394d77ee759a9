/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "stun/attributes.h"

static const uint8_t transaction[16] = { 0x21, 0x12, 0xa4, 0x42, 1, 2,  3,  4,
					 5,    6,    7,    8,    9, 10, 11, 12 };
static const uint8_t classic_transaction[16] = {
	1, 1, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
};

static uint8_t packet[2048];

static WiceStunWriter start(const uint8_t *id)
{
	WiceStunWriter writer;
	wice__stun_writer_init(&writer, packet, sizeof packet, WICE_STUN_REQUEST, WICE_STUN_BINDING,
			       id);
	return writer;
}

static WiceStunMessage finish(const WiceStunWriter *writer)
{
	WiceStunMessage message;
	size_t len;
	ck_assert_int_eq(wice__stun_writer_finish(writer, &len), 0);
	ck_assert_int_eq(wice__stun_message_read(&message, packet, len), 0);
	return message;
}

/* A message whose only attribute has this value. */
static WiceStunMessage with_value(uint16_t type, const void *value, size_t len)
{
	WiceStunWriter writer = start(transaction);
	uint8_t *at = wice__stun_writer_add(&writer, type, len);
	if (len)
		memcpy(at, value, len);
	return finish(&writer);
}

START_TEST(numbers_and_flags_survive_in_the_size_they_have)
{
	static const struct {
		uint16_t type;
		size_t len;
	} u8s[] = { { WICE_STUN_REQUESTED_ADDRESS_FAMILY, 4 },
		    { WICE_STUN_ADDITIONAL_ADDRESS_FAMILY, 4 },
		    { WICE_STUN_REQUESTED_TRANSPORT, 4 },
		    { WICE_STUN_EVEN_PORT, 1 } };
	static const uint16_t u32s[] = { WICE_STUN_LIFETIME, WICE_STUN_PRIORITY };
	static const uint16_t u64s[] = { WICE_STUN_ICE_CONTROLLED, WICE_STUN_ICE_CONTROLLING,
					 WICE_STUN_RESERVATION_TOKEN };
	static const uint16_t flags[] = { WICE_STUN_DONT_FRAGMENT, WICE_STUN_USE_CANDIDATE };
	WiceStunWriter writer = start(transaction);
	WiceSpan span;
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;
	for (size_t i = 0; i < G_N_ELEMENTS(u8s); i++)
		wice__stun_write_u8(&writer, u8s[i].type, (uint8_t)(0x80 + i));
	for (size_t i = 0; i < G_N_ELEMENTS(u32s); i++)
		wice__stun_write_u32(&writer, u32s[i], 0xfedc0000u + (uint32_t)i);
	for (size_t i = 0; i < G_N_ELEMENTS(u64s); i++)
		wice__stun_write_u64(&writer, u64s[i], 0xfedcba9876543210u + i);
	for (size_t i = 0; i < G_N_ELEMENTS(flags); i++)
		wice__stun_write_flag(&writer, flags[i]);
	wice__stun_write_u16(&writer, WICE_STUN_CHANNEL_NUMBER, 0x4fff);
	WiceStunMessage message = finish(&writer);

	for (size_t i = 0; i < G_N_ELEMENTS(u8s); i++) {
		ck_assert_int_eq(wice__stun_read_u8(&message, u8s[i].type, &u8), 0);
		ck_assert_uint_eq(u8, 0x80 + i);
		ck_assert_int_eq(wice__stun_read_bytes(&message, u8s[i].type, &span), 0);
		ck_assert_uint_eq(span.len, u8s[i].len);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(u32s); i++) {
		ck_assert_int_eq(wice__stun_read_u32(&message, u32s[i], &u32), 0);
		ck_assert_uint_eq(u32, 0xfedc0000u + i);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(u64s); i++) {
		ck_assert_int_eq(wice__stun_read_u64(&message, u64s[i], &u64), 0);
		ck_assert_uint_eq(u64, 0xfedcba9876543210u + i);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(flags); i++)
		ck_assert_int_eq(wice__stun_read_flag(&message, flags[i]), 0);
	ck_assert_int_eq(wice__stun_read_u16(&message, WICE_STUN_CHANNEL_NUMBER, &u16), 0);
	ck_assert_uint_eq(u16, 0x4fff);
	ck_assert_int_eq(wice__stun_read_bytes(&message, WICE_STUN_CHANNEL_NUMBER, &span), 0);
	ck_assert_uint_eq(span.len, 4);
	ck_assert_int_eq(wice__stun_read_u32(&message, WICE_STUN_FINGERPRINT, &u32), -ENOENT);
}
END_TEST

START_TEST(values_of_a_wrong_length_are_malformed)
{
	static const struct {
		uint16_t type;
		size_t len;
	} cases[] = {
		{ WICE_STUN_USE_CANDIDATE, 1 },
		{ WICE_STUN_DONT_FRAGMENT, 4 },
		{ WICE_STUN_EVEN_PORT, 0 },
		{ WICE_STUN_EVEN_PORT, 4 },
		{ WICE_STUN_REQUESTED_TRANSPORT, 1 },
		{ WICE_STUN_CHANNEL_NUMBER, 2 },
		{ WICE_STUN_LIFETIME, 3 },
		{ WICE_STUN_LIFETIME, 8 },
		{ WICE_STUN_PRIORITY, 0 },
		{ WICE_STUN_ICE_CONTROLLED, 4 },
		{ WICE_STUN_RESERVATION_TOKEN, 9 },
		{ WICE_STUN_USERHASH, 31 },
		{ WICE_STUN_USERNAME, 509 },
		{ WICE_STUN_REALM, 764 },
		{ WICE_STUN_NONCE, 764 },
		{ WICE_STUN_SOFTWARE, 764 },
		{ WICE_STUN_ERROR_CODE, 3 },
		{ WICE_STUN_MESSAGE_INTEGRITY, 19 },
		{ WICE_STUN_FINGERPRINT, 5 },
		{ WICE_STUN_XOR_MAPPED_ADDRESS, 7 },
		{ WICE_STUN_MAPPED_ADDRESS, 21 },
		{ WICE_STUN_PASSWORD_ALGORITHM, 0 },
	};
	static const uint8_t zeros[1024];
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		WiceStunMessage message = with_value(cases[i].type, zeros, cases[i].len);
		WiceStunWriter writer = start(transaction);
		WiceSpan span = { NULL, 77 };
		size_t len;
		ck_assert_int_eq(wice__stun_read_bytes(&message, cases[i].type, &span), -EBADMSG);
		ck_assert_uint_eq(span.len, 77);
		wice__stun_write_bytes(&writer, cases[i].type, zeros, cases[i].len);
		ck_assert_int_eq(wice__stun_writer_finish(&writer, &len), -EINVAL);
	}
}
END_TEST

START_TEST(addresses_survive_and_are_xored_where_they_should_be)
{
	static const uint16_t types[] = { WICE_STUN_MAPPED_ADDRESS, WICE_STUN_ALTERNATE_SERVER,
					  WICE_STUN_XOR_MAPPED_ADDRESS, WICE_STUN_XOR_PEER_ADDRESS,
					  WICE_STUN_XOR_RELAYED_ADDRESS };
	static const char *const texts[] = { "192.0.2.1:32853", "255.255.255.255:65535",
					     "[2001:db8::1]:1", "[::]:0" };
	for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
		for (size_t j = 0; j < G_N_ELEMENTS(texts); j++) {
			WiceStunWriter writer = start(transaction);
			WiceEndpoint endpoint, again;
			WiceSpan span;
			ck_assert(wice_endpoint_parse(texts[j], &endpoint));
			wice__stun_write_address(&writer, types[i], &endpoint);
			WiceStunMessage message = finish(&writer);
			ck_assert_int_eq(wice__stun_read_address(&message, types[i], &again), 0);
			ck_assert_int_eq(wice_endpoint_compare(&endpoint, &again), 0);
			ck_assert_int_eq(wice__stun_read_bytes(&message, types[i], &span), 0);
			bool plain = memcmp((const uint8_t *)span.data + 4, endpoint.address.bytes,
					    span.len - 4) == 0;
			ck_assert(plain == (i < 2));
		}
}
END_TEST

START_TEST(malformed_addresses_are_refused)
{
	static const struct {
		size_t len;
		uint8_t value[20];
	} cases[] = {
		{ 8, { 0, 0, 1, 1, 1, 2, 3, 4 } },  /* no such family */
		{ 8, { 0, 3, 1, 1, 1, 2, 3, 4 } },  /* no such family */
		{ 8, { 0, 2, 1, 1, 1, 2, 3, 4 } },  /* IPv6 too short */
		{ 20, { 0, 1, 1, 1, 1, 2, 3, 4 } }, /* IPv4 too long */
		{ 12, { 0, 1, 1, 1, 1, 2, 3, 4 } },
	};
	WiceEndpoint endpoint = { .port = 9 };
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		WiceStunMessage message =
			with_value(WICE_STUN_XOR_PEER_ADDRESS, cases[i].value, cases[i].len);
		ck_assert_int_eq(
			wice__stun_read_address(&message, WICE_STUN_XOR_PEER_ADDRESS, &endpoint),
			-EBADMSG);
		ck_assert_uint_eq(endpoint.port, 9);
	}
	WiceStunWriter writer = start(transaction);
	WiceEndpoint none = { 0 };
	size_t len;
	wice__stun_write_address(&writer, WICE_STUN_XOR_PEER_ADDRESS, &none);
	ck_assert_int_eq(wice__stun_writer_finish(&writer, &len), -EINVAL);
}
END_TEST

START_TEST(repeated_peer_addresses_can_be_walked)
{
	static const char *const texts[] = { "192.0.2.1:1", "[2001:db8::2]:2", "192.0.2.3:3" };
	WiceStunWriter writer = start(transaction);
	WiceEndpoint endpoint;
	WiceStunAttribute attribute;
	size_t cursor = 0, n = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		ck_assert(wice_endpoint_parse(texts[i], &endpoint));
		wice__stun_write_address(&writer, WICE_STUN_XOR_PEER_ADDRESS, &endpoint);
	}
	WiceStunMessage message = finish(&writer);
	while (wice__stun_message_next(&message, &cursor, &attribute)) {
		char text[WICE_ENDPOINT_SIZE];
		ck_assert_int_eq(wice__stun_decode_address(&message, &attribute, &endpoint), 0);
		ck_assert_str_eq(wice_endpoint_format(&endpoint, text), texts[n++]);
	}
	ck_assert_uint_eq(n, G_N_ELEMENTS(texts));
}
END_TEST

START_TEST(xored_addresses_need_a_cookie)
{
	WiceEndpoint endpoint;
	size_t len;
	ck_assert(wice_endpoint_parse("192.0.2.1:1", &endpoint));
	WiceStunWriter writer = start(classic_transaction);
	wice__stun_write_address(&writer, WICE_STUN_XOR_MAPPED_ADDRESS, &endpoint);
	ck_assert_int_eq(wice__stun_writer_finish(&writer, &len), -EINVAL);
	writer = start(classic_transaction);
	wice__stun_write_bytes(&writer, WICE_STUN_XOR_MAPPED_ADDRESS, "\0\1\1\1\1\1\1\1", 8);
	WiceStunMessage message = finish(&writer);
	ck_assert_int_eq(wice__stun_read_address(&message, WICE_STUN_XOR_MAPPED_ADDRESS, &endpoint),
			 -EBADMSG);
}
END_TEST

START_TEST(errors_survive_with_their_phrase)
{
	static const uint16_t codes[] = { 300, 400, 401, 420, 438, 487, 500, 599, 699 };
	for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
		WiceStunWriter writer = start(transaction);
		uint16_t code;
		WiceSpan reason;
		const char *phrase = wice__stun_error_phrase(codes[i]);
		wice__stun_write_error(&writer, codes[i], NULL);
		WiceStunMessage message = finish(&writer);
		ck_assert_int_eq(wice__stun_read_error(&message, &code, &reason), 0);
		ck_assert_uint_eq(code, codes[i]);
		ck_assert_uint_eq(reason.len, strlen(phrase));
		ck_assert_mem_eq(reason.data, phrase, reason.len);
	}
	ck_assert_str_eq(wice__stun_error_phrase(WICE_STUN_ERROR_STALE_NONCE), "Stale Nonce");
	ck_assert_str_eq(wice__stun_error_phrase(999), "");
}
END_TEST

START_TEST(malformed_errors_are_refused)
{
	static const uint8_t values[][4] = {
		{ 0, 0, 2, 0 }, { 0, 0, 7, 0 }, { 0, 0, 4, 100 }, { 0, 0, 0, 0 }
	};
	uint16_t code = 7;
	for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
		WiceStunMessage message = with_value(WICE_STUN_ERROR_CODE, values[i], 4);
		ck_assert_int_eq(wice__stun_read_error(&message, &code, NULL), -EBADMSG);
		ck_assert_uint_eq(code, 7);
	}
	static const uint16_t codes[] = { 0, 200, 299, 700 };
	for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
		WiceStunWriter writer = start(transaction);
		size_t len;
		wice__stun_write_error(&writer, codes[i], "no");
		ck_assert_int_eq(wice__stun_writer_finish(&writer, &len), -EINVAL);
	}
}
END_TEST

START_TEST(lists_of_types_survive)
{
	static const uint16_t types[] = { 0x0003, 0x7fff, 0x0002 };
	WiceStunWriter writer = start(transaction);
	uint16_t again[8];
	size_t n;
	wice__stun_write_types(&writer, types, 3);
	WiceStunMessage message = finish(&writer);
	ck_assert_int_eq(wice__stun_read_types(&message, again, 8, &n), 0);
	ck_assert_uint_eq(n, 3);
	ck_assert_mem_eq(again, types, sizeof types);
	ck_assert_int_eq(wice__stun_read_types(&message, again, 2, &n), 0);
	ck_assert_uint_eq(n, 2);
	message = with_value(WICE_STUN_UNKNOWN_ATTRIBUTES, types, 3);
	ck_assert_int_eq(wice__stun_read_types(&message, again, 8, &n), -EBADMSG);
}
END_TEST

START_TEST(old_receivers_get_values_filled_up_to_4_bytes)
{
	static const uint16_t types[] = { 0x0003 };
	WiceStunWriter writer = start(classic_transaction);
	uint16_t again[4], code;
	size_t n;
	WiceSpan reason;
	wice__stun_write_error(&writer, 420, "Unknown");
	wice__stun_write_types(&writer, types, 1);
	WiceStunMessage message = finish(&writer);
	ck_assert_int_eq(wice__stun_read_error(&message, &code, &reason), 0);
	ck_assert_uint_eq(reason.len, 8);
	ck_assert_mem_eq(reason.data, "Unknown ", 8);
	ck_assert_int_eq(wice__stun_read_types(&message, again, 4, &n), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(again[0], 0x0003);
	ck_assert_uint_eq(again[1], 0x0003);
}
END_TEST

START_TEST(password_algorithms_survive)
{
	static const uint16_t both[] = { 2, 1 };
	static const uint8_t with_parameters[] = { 0, 9, 0, 3, 1, 2, 3, 0, 0, 1, 0, 0 };
	WiceStunWriter writer = start(transaction);
	uint16_t again[4];
	size_t n;
	wice__stun_write_algorithms(&writer, WICE_STUN_PASSWORD_ALGORITHMS, both, 2);
	wice__stun_write_algorithms(&writer, WICE_STUN_PASSWORD_ALGORITHM, both, 1);
	WiceStunMessage message = finish(&writer);
	ck_assert_int_eq(
		wice__stun_read_algorithms(&message, WICE_STUN_PASSWORD_ALGORITHMS, again, 4, &n),
		0);
	ck_assert_uint_eq(n, 2);
	ck_assert_mem_eq(again, both, sizeof both);
	ck_assert_int_eq(
		wice__stun_read_algorithms(&message, WICE_STUN_PASSWORD_ALGORITHM, again, 4, &n),
		0);
	ck_assert_uint_eq(n, 1);

	message =
		with_value(WICE_STUN_PASSWORD_ALGORITHMS, with_parameters, sizeof with_parameters);
	ck_assert_int_eq(
		wice__stun_read_algorithms(&message, WICE_STUN_PASSWORD_ALGORITHMS, again, 4, &n),
		0);
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(again[0], 9);
	ck_assert_uint_eq(again[1], 1);
}
END_TEST

START_TEST(malformed_password_algorithms_are_refused)
{
	static const struct {
		uint16_t type;
		size_t len;
		uint8_t value[12];
	} cases[] = {
		{ WICE_STUN_PASSWORD_ALGORITHMS, 3, { 0, 1, 0 } },
		{ WICE_STUN_PASSWORD_ALGORITHMS, 4, { 0, 1, 0, 1 } },
		{ WICE_STUN_PASSWORD_ALGORITHMS, 8, { 0, 1, 0, 5, 0, 0, 0, 0 } },
		{ WICE_STUN_PASSWORD_ALGORITHMS, 4, { 0, 1, 0xff, 0xff } },
		{ WICE_STUN_PASSWORD_ALGORITHM, 8, { 0, 1, 0, 0, 0, 2, 0, 0 } },
	};
	uint16_t algorithms[4];
	size_t n = 99;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		WiceStunMessage message = with_value(cases[i].type, cases[i].value, cases[i].len);
		ck_assert_int_eq(
			wice__stun_read_algorithms(&message, cases[i].type, algorithms, 4, &n),
			-EBADMSG);
		ck_assert_uint_eq(n, 99);
	}
}
END_TEST

START_TEST(known_types_are_told_from_unknown_ones)
{
	unsigned n = 0;
	for (unsigned type = 0; type <= UINT16_MAX; type++)
		n += wice__stun_attribute_info((uint16_t)type) != NULL;
	ck_assert_uint_eq(n, 36);
	ck_assert_str_eq(wice__stun_attribute_info(0x0020)->name, "XOR-MAPPED-ADDRESS");
	ck_assert_str_eq(wice__stun_attribute_info(0x8028)->name, "FINGERPRINT");
	ck_assert_ptr_null(wice__stun_attribute_info(0x0028));
	ck_assert_ptr_null(wice__stun_attribute_info(0x0003));
	ck_assert_ptr_null(wice__stun_attribute_info(0x4020));
	ck_assert_ptr_null(wice__stun_attribute_info(0x0060));
}
END_TEST

SUITE_MAIN("stun attributes", numbers_and_flags_survive_in_the_size_they_have,
	   values_of_a_wrong_length_are_malformed,
	   addresses_survive_and_are_xored_where_they_should_be, malformed_addresses_are_refused,
	   repeated_peer_addresses_can_be_walked, xored_addresses_need_a_cookie,
	   errors_survive_with_their_phrase, malformed_errors_are_refused, lists_of_types_survive,
	   old_receivers_get_values_filled_up_to_4_bytes, password_algorithms_survive,
	   malformed_password_algorithms_are_refused, known_types_are_told_from_unknown_ones)
