/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Published samples are read, verified, broken bit by bit, and written again byte for byte. */
#include "suite.h"

#include <errno.h>
#include <string.h>

#include "stun/attributes.h"
#include "stun/credentials.h"
#include "stun/integrity.h"
#include "stun/message.h"
#include "vectors.h"

#define TEXT(text) ((WiceSpan){ (text), strlen(text) })

static WiceStunMessage read_ok(const uint8_t *data, size_t len)
{
	WiceStunMessage message;
	ck_assert_int_eq(wice__stun_message_read(&message, data, len), 0);
	return message;
}

static WiceStunKey short_key(void)
{
	WiceStunKey key;
	ck_assert_int_eq(wice__stun_key_short_term(&key, TEXT(VECTOR_PASSWORD)), 0);
	return key;
}

static WiceStunKey long_key(uint16_t algorithm)
{
	WiceStunKey key;
	ck_assert_int_eq(wice__stun_key_long_term(&key, algorithm, TEXT(VECTOR_LONG_USER),
						  TEXT(VECTOR_REALM), TEXT(VECTOR_LONG_PASSWORD)),
			 0);
	return key;
}

static void assert_text(const WiceStunMessage *message, uint16_t type, const char *text)
{
	WiceSpan span;
	ck_assert_int_eq(wice__stun_read_bytes(message, type, &span), 0);
	ck_assert_uint_eq(span.len, strlen(text));
	ck_assert_mem_eq(span.data, text, span.len);
}

static void assert_mapped(const WiceStunMessage *message, const char *expected)
{
	WiceEndpoint endpoint;
	char text[WICE_ENDPOINT_SIZE];
	ck_assert_int_eq(wice__stun_read_address(message, WICE_STUN_XOR_MAPPED_ADDRESS, &endpoint),
			 0);
	ck_assert_str_eq(wice_endpoint_format(&endpoint, text), expected);
}

/*
 * The first three samples pad with spaces, we with zeros. So what is compared is not our padding,
 * but all that depends on it: the value is given its padding by hand before the message is closed.
 */
static void write_space_padded(WiceStunWriter *writer, uint16_t type, const char *text)
{
	uint8_t *value = wice__stun_writer_add(writer, type, strlen(text));
	ck_assert_ptr_nonnull(value);
	memset(value, ' ', (strlen(text) + 3) & ~(size_t)3);
	memcpy(value, text, strlen(text));
}

static void assert_written(const WiceStunWriter *writer, const uint8_t *expected, size_t len)
{
	size_t written;
	ck_assert_int_eq(wice__stun_writer_finish(writer, &written), 0);
	ck_assert_uint_eq(written, len);
	ck_assert_mem_eq(writer->data, expected, len);
}

START_TEST(sample_request_is_read_and_verified)
{
	WiceStunMessage message = read_ok(vector_request, sizeof vector_request);
	WiceStunKey key = short_key();
	uint32_t priority;
	uint64_t tie_breaker;
	ck_assert_uint_eq(message.message_class, WICE_STUN_REQUEST);
	ck_assert_uint_eq(message.method, WICE_STUN_BINDING);
	ck_assert(message.has_cookie);
	ck_assert_uint_eq(message.n_unknown, 0);
	assert_text(&message, WICE_STUN_SOFTWARE, "STUN test client");
	assert_text(&message, WICE_STUN_USERNAME, "evtj:h6vY");
	ck_assert_int_eq(wice__stun_read_u32(&message, WICE_STUN_PRIORITY, &priority), 0);
	ck_assert_uint_eq(priority, 0x6e0001ff);
	ck_assert_int_eq(wice__stun_read_u64(&message, WICE_STUN_ICE_CONTROLLED, &tie_breaker), 0);
	ck_assert_uint_eq(tie_breaker, 0x932ff9b151263b36);
	ck_assert_int_eq(wice__stun_check_integrity(&message, &key), 0);
	ck_assert_int_eq(wice__stun_check_fingerprint(&message), 0);
}
END_TEST

START_TEST(sample_responses_are_read_and_verified)
{
	WiceStunMessage ipv4 = read_ok(vector_response_ipv4, sizeof vector_response_ipv4);
	WiceStunMessage ipv6 = read_ok(vector_response_ipv6, sizeof vector_response_ipv6);
	WiceStunKey key = short_key();
	ck_assert_uint_eq(ipv4.message_class, WICE_STUN_SUCCESS);
	assert_text(&ipv4, WICE_STUN_SOFTWARE, "test vector");
	assert_mapped(&ipv4, "192.0.2.1:32853");
	ck_assert_int_eq(wice__stun_check_integrity(&ipv4, &key), 0);
	ck_assert_int_eq(wice__stun_check_fingerprint(&ipv4), 0);
	assert_mapped(&ipv6, "[2001:db8:1234:5678:11:2233:4455:6677]:32853");
	ck_assert_int_eq(wice__stun_check_integrity(&ipv6, &key), 0);
	ck_assert_int_eq(wice__stun_check_fingerprint(&ipv6), 0);
}
END_TEST

START_TEST(sample_long_term_request_is_read_and_verified)
{
	WiceStunMessage message = read_ok(vector_long_term, sizeof vector_long_term);
	WiceStunKey key = long_key(WICE_STUN_ALGORITHM_MD5), other = short_key();
	assert_text(&message, WICE_STUN_USERNAME, VECTOR_LONG_USER);
	assert_text(&message, WICE_STUN_NONCE, VECTOR_NONCE);
	assert_text(&message, WICE_STUN_REALM, VECTOR_REALM);
	ck_assert_int_eq(wice__stun_check_integrity(&message, &key), 0);
	ck_assert_int_eq(wice__stun_check_integrity(&message, &other), -EACCES);
	ck_assert_int_eq(wice__stun_check_integrity_sha256(&message, &key), -ENOENT);
	ck_assert_int_eq(wice__stun_check_fingerprint(&message), -ENOENT);
}
END_TEST

START_TEST(sample_request_is_written_again)
{
	uint8_t buffer[sizeof vector_request];
	WiceStunWriter writer;
	WiceStunKey key = short_key();
	wice__stun_writer_init(&writer, buffer, sizeof buffer, WICE_STUN_REQUEST, WICE_STUN_BINDING,
			       vector_request + 4);
	write_space_padded(&writer, WICE_STUN_SOFTWARE, "STUN test client");
	wice__stun_write_u32(&writer, WICE_STUN_PRIORITY, 0x6e0001ff);
	wice__stun_write_u64(&writer, WICE_STUN_ICE_CONTROLLED, 0x932ff9b151263b36);
	write_space_padded(&writer, WICE_STUN_USERNAME, "evtj:h6vY");
	wice__stun_write_integrity(&writer, &key);
	wice__stun_write_fingerprint(&writer);
	assert_written(&writer, vector_request, sizeof vector_request);
}
END_TEST

static void rewrite_response(const uint8_t *expected, size_t len, const char *mapped)
{
	uint8_t buffer[128];
	WiceStunMessage request = read_ok(vector_request, sizeof vector_request);
	WiceStunWriter writer;
	WiceStunKey key = short_key();
	WiceEndpoint endpoint;
	ck_assert(wice_endpoint_parse(mapped, &endpoint));
	wice__stun_writer_init_reply(&writer, buffer, sizeof buffer, WICE_STUN_SUCCESS, &request);
	write_space_padded(&writer, WICE_STUN_SOFTWARE, "test vector");
	wice__stun_write_address(&writer, WICE_STUN_XOR_MAPPED_ADDRESS, &endpoint);
	wice__stun_write_integrity(&writer, &key);
	wice__stun_write_fingerprint(&writer);
	assert_written(&writer, expected, len);
}

START_TEST(sample_responses_are_written_again)
{
	rewrite_response(vector_response_ipv4, sizeof vector_response_ipv4, "192.0.2.1:32853");
	rewrite_response(vector_response_ipv6, sizeof vector_response_ipv6,
			 "[2001:db8:1234:5678:11:2233:4455:6677]:32853");
}
END_TEST

START_TEST(sample_long_term_request_is_written_again)
{
	uint8_t buffer[sizeof vector_long_term];
	WiceStunWriter writer;
	WiceStunKey key = long_key(WICE_STUN_ALGORITHM_MD5);
	wice__stun_writer_init(&writer, buffer, sizeof buffer, WICE_STUN_REQUEST, WICE_STUN_BINDING,
			       vector_long_term + 4);
	wice__stun_write_bytes(&writer, WICE_STUN_USERNAME, VECTOR_LONG_USER,
			       strlen(VECTOR_LONG_USER));
	wice__stun_write_bytes(&writer, WICE_STUN_NONCE, VECTOR_NONCE, strlen(VECTOR_NONCE));
	wice__stun_write_bytes(&writer, WICE_STUN_REALM, VECTOR_REALM, strlen(VECTOR_REALM));
	wice__stun_write_integrity(&writer, &key);
	assert_written(&writer, vector_long_term, sizeof vector_long_term);
}
END_TEST

START_TEST(sha256_sample_is_written_and_verified)
{
	static const uint16_t sha256 = WICE_STUN_ALGORITHM_SHA256;
	uint8_t buffer[256], userhash[WICE_SHA256_LEN];
	size_t len;
	WiceSpan mac;
	WiceStunWriter writer;
	WiceStunKey key = long_key(WICE_STUN_ALGORITHM_SHA256);
	ck_assert_int_eq(wice__stun_userhash(TEXT(VECTOR_LONG_USER), TEXT(VECTOR_REALM), userhash),
			 0);
	ck_assert_mem_eq(userhash, vector_userhash, sizeof userhash);

	wice__stun_writer_init(&writer, buffer, sizeof buffer, WICE_STUN_REQUEST, WICE_STUN_BINDING,
			       vector_long_term + 4);
	wice__stun_write_bytes(&writer, WICE_STUN_USERHASH, userhash, sizeof userhash);
	wice__stun_write_bytes(&writer, WICE_STUN_NONCE, VECTOR_NONCE_8489,
			       strlen(VECTOR_NONCE_8489));
	wice__stun_write_bytes(&writer, WICE_STUN_REALM, VECTOR_REALM, strlen(VECTOR_REALM));
	wice__stun_write_algorithms(&writer, WICE_STUN_PASSWORD_ALGORITHM, &sha256, 1);
	wice__stun_write_integrity_sha256(&writer, &key);
	ck_assert_int_eq(wice__stun_writer_finish(&writer, &len), 0);

	WiceStunMessage message = read_ok(buffer, len);
	ck_assert_int_eq(wice__stun_read_bytes(&message, WICE_STUN_MESSAGE_INTEGRITY_SHA256, &mac),
			 0);
	ck_assert_uint_eq(mac.len, sizeof vector_sha256_mac);
	ck_assert_mem_eq(mac.data, vector_sha256_mac, mac.len);
	ck_assert_int_eq(wice__stun_check_integrity_sha256(&message, &key), 0);
	for (size_t bit = 0; bit < 8 * len; bit++) {
		buffer[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (wice__stun_message_read(&message, buffer, len) == 0)
			ck_assert_int_ne(wice__stun_check_integrity_sha256(&message, &key), 0);
		buffer[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	key = long_key(WICE_STUN_ALGORITHM_MD5);
	message = read_ok(buffer, len);
	ck_assert_int_eq(wice__stun_check_integrity_sha256(&message, &key), -EACCES);
}
END_TEST

/* Every bit that a check covers must matter to it, or to the reader. */
static void assert_each_bit_counts(const uint8_t *vector, size_t len, const WiceStunKey *key,
				   bool has_fingerprint)
{
	uint8_t copy[128];
	memcpy(copy, vector, len);
	for (size_t bit = 0; bit < 8 * len; bit++) {
		WiceStunMessage message;
		copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (wice__stun_message_read(&message, copy, len) == 0) {
			if (has_fingerprint)
				ck_assert_int_ne(wice__stun_check_fingerprint(&message), 0);
			if (bit / 8 < len - (has_fingerprint ? 8 : 0))
				ck_assert_int_ne(wice__stun_check_integrity(&message, key), 0);
		}
		copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

START_TEST(any_flipped_bit_is_noticed)
{
	WiceStunKey brief = short_key(), lasting = long_key(WICE_STUN_ALGORITHM_MD5);
	assert_each_bit_counts(vector_request, sizeof vector_request, &brief, true);
	assert_each_bit_counts(vector_response_ipv4, sizeof vector_response_ipv4, &brief, true);
	assert_each_bit_counts(vector_response_ipv6, sizeof vector_response_ipv6, &brief, true);
	assert_each_bit_counts(vector_long_term, sizeof vector_long_term, &lasting, false);
}
END_TEST

SUITE_MAIN("stun vectors", sample_request_is_read_and_verified,
	   sample_responses_are_read_and_verified, sample_long_term_request_is_read_and_verified,
	   sample_request_is_written_again, sample_responses_are_written_again,
	   sample_long_term_request_is_written_again, sha256_sample_is_written_and_verified,
	   any_flipped_bit_is_noticed)
