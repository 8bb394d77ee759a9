/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <glib.h>
#include <string.h>

#include "stun/attributes.h"
#include "stun/integrity.h"
#include "stun/responder.h"
#include "vectors.h"

static const uint8_t modern[16] = { 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
static const uint8_t classic[16] = { 9, 9, 9, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
static const char *const sources[] = { "192.0.2.7:40000", "[2001:db8::7]:40000" };

static uint8_t request[256], response[WICE_STUN_RESPONSE_MAX];

static WiceEndpoint endpoint_of(const char *text)
{
	WiceEndpoint endpoint;
	ck_assert(wice_endpoint_parse(text, &endpoint));
	return endpoint;
}

static size_t respond(const WiceStunWriter *writer, const char *source)
{
	size_t len;
	WiceEndpoint endpoint = endpoint_of(source);
	ck_assert_int_eq(wice__stun_writer_finish(writer, &len), 0);
	return wice__stun_respond(request, len, &endpoint, response);
}

static WiceStunWriter start(WiceStunClass message_class, uint16_t method, const uint8_t *id)
{
	WiceStunWriter writer;
	wice__stun_writer_init(&writer, request, sizeof request, message_class, method, id);
	return writer;
}

static WiceStunMessage read_response(size_t len, WiceStunClass message_class, const uint8_t *id)
{
	WiceStunMessage message;
	ck_assert_int_eq(wice__stun_message_read(&message, response, len), 0);
	ck_assert_uint_eq(message.message_class, message_class);
	ck_assert_uint_eq(message.method, WICE_STUN_BINDING);
	ck_assert_mem_eq(wice__stun_message_transaction(&message), id, 16);
	return message;
}

static void assert_mapped(const WiceStunMessage *message, uint16_t type, const char *expected)
{
	WiceEndpoint endpoint;
	char text[WICE_ENDPOINT_SIZE];
	ck_assert_int_eq(wice__stun_read_address(message, type, &endpoint), 0);
	ck_assert_str_eq(wice_endpoint_format(&endpoint, text), expected);
}

START_TEST(each_form_is_answered_in_its_own)
{
	for (size_t i = 0; i < G_N_ELEMENTS(sources); i++) {
		WiceStunWriter writer = start(WICE_STUN_REQUEST, WICE_STUN_BINDING, modern);
		size_t len = respond(&writer, sources[i]);
		WiceStunMessage message = read_response(len, WICE_STUN_SUCCESS, modern);
		assert_mapped(&message, WICE_STUN_XOR_MAPPED_ADDRESS, sources[i]);
		ck_assert(!wice__stun_message_has(&message, WICE_STUN_MAPPED_ADDRESS));
		ck_assert(!message.fingerprint);

		writer = start(WICE_STUN_REQUEST, WICE_STUN_BINDING, classic);
		len = respond(&writer, sources[i]);
		message = read_response(len, WICE_STUN_SUCCESS, classic);
		assert_mapped(&message, WICE_STUN_MAPPED_ADDRESS, sources[i]);
		ck_assert(!wice__stun_message_has(&message, WICE_STUN_XOR_MAPPED_ADDRESS));
	}
}
END_TEST

START_TEST(a_fingerprint_is_answered_with_one)
{
	WiceEndpoint source = endpoint_of(sources[0]);
	size_t len = wice__stun_respond(vector_request, sizeof vector_request, &source, response);
	WiceStunMessage message = read_response(len, WICE_STUN_SUCCESS, vector_request + 4);
	ck_assert_int_eq(wice__stun_check_fingerprint(&message), 0);
}
END_TEST

START_TEST(unknown_attributes_are_answered_with_error_420)
{
	static const uint8_t *const ids[] = { modern, classic };
	for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
		WiceStunWriter writer = start(WICE_STUN_REQUEST, WICE_STUN_BINDING, ids[i]);
		uint16_t types[8], code;
		size_t n;
		wice__stun_writer_add(&writer, 0x0003, 4);
		wice__stun_writer_add(&writer, 0x7001, 0);
		wice__stun_writer_add(&writer, 0x7002, 0);
		size_t len = respond(&writer, sources[0]);
		WiceStunMessage message = read_response(len, WICE_STUN_ERROR, ids[i]);
		ck_assert_int_eq(wice__stun_read_error(&message, &code, NULL), 0);
		ck_assert_uint_eq(code, 420);
		ck_assert_int_eq(wice__stun_read_types(&message, types, 8, &n), 0);
		ck_assert_uint_eq(n, i == 0 ? 3 : 4);
		ck_assert_uint_eq(types[0], 0x0003);
		ck_assert_uint_eq(types[1], 0x7001);
		ck_assert_uint_eq(types[2], 0x7002);
	}
}
END_TEST

START_TEST(the_longest_response_fits)
{
	static const uint8_t *const ids[] = { modern, classic };
	for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
		WiceStunWriter writer = start(WICE_STUN_REQUEST, WICE_STUN_BINDING, ids[i]);
		for (uint16_t n = 0; n < 2 * WICE_STUN_MAX_UNKNOWN; n++)
			wice__stun_writer_add(&writer, (uint16_t)(0x7000 + n), 0);
		if (ids[i] == modern)
			wice__stun_write_fingerprint(&writer);
		read_response(respond(&writer, sources[0]), WICE_STUN_ERROR, ids[i]);
	}
}
END_TEST

START_TEST(all_else_is_not_answered)
{
	WiceStunWriter writer = start(WICE_STUN_INDICATION, WICE_STUN_BINDING, modern);
	WiceEndpoint source = endpoint_of(sources[0]);
	uint8_t broken[sizeof vector_request];
	ck_assert_uint_eq(respond(&writer, sources[0]), 0);
	writer = start(WICE_STUN_SUCCESS, WICE_STUN_BINDING, modern);
	ck_assert_uint_eq(respond(&writer, sources[0]), 0);
	writer = start(WICE_STUN_REQUEST, WICE_STUN_ALLOCATE, modern);
	ck_assert_uint_eq(respond(&writer, sources[0]), 0);
	memcpy(broken, vector_request, sizeof broken);
	broken[sizeof broken - 1] ^= 1;
	ck_assert_uint_eq(wice__stun_respond(broken, sizeof broken, &source, response), 0);
	ck_assert_uint_eq(wice__stun_respond(broken, 19, &source, response), 0);
}
END_TEST

SUITE_MAIN("stun responder", each_form_is_answered_in_its_own, a_fingerprint_is_answered_with_one,
	   unknown_attributes_are_answered_with_error_420, the_longest_response_fits,
	   all_else_is_not_answered)
