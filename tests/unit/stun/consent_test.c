/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <string.h>

#include "stun/attributes.h"
#include "stun/consent.h"

static const uint8_t id[WICE_CONSENT_ID_LEN] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
static const WiceEndpoint source = {
	.address = { .family = WICE_FAMILY_IPV6, .bytes = { 0x20, 1, 0xd, 0xb8, [15] = 7 } },
	.port = 40000,
};
static uint8_t request[WICE_CONSENT_MAX], answer[WICE_CONSENT_MAX];

static WiceStunKey key_of(const char *pwd)
{
	WiceStunKey key;
	ck_assert_int_eq(wice__stun_key_short_term(&key, (WiceSpan){ pwd, strlen(pwd) }), 0);
	return key;
}

static size_t ask(const WiceStunKey *key)
{
	size_t len = wice__consent_ask(id, "theirufr", "ourufrag", key, request);
	ck_assert_uint_gt(len, 20);
	ck_assert_uint_eq(len % 4, 0);
	return len;
}

START_TEST(a_check_is_answered_and_the_answer_believed)
{
	WiceStunKey key = key_of("a password of 22 chars");
	WiceStunMessage message;
	WiceEndpoint mapped;
	WiceSpan ufrag;
	uint8_t answered[WICE_CONSENT_ID_LEN];
	size_t len = ask(&key);
	ck_assert(wice__consent_is_asked(request, len, &ufrag));
	ck_assert_uint_eq(ufrag.len, strlen("ourufrag"));
	ck_assert_mem_eq(ufrag.data, "ourufrag", ufrag.len);
	size_t answer_len = wice__consent_answer(request, len, &key, &source, answer);
	ck_assert_uint_gt(answer_len, 0);
	ck_assert_uint_le(answer_len, len);
	ck_assert_int_eq(wice__stun_message_read(&message, answer, answer_len), 0);
	ck_assert_int_eq(wice__stun_read_address(&message, WICE_STUN_XOR_MAPPED_ADDRESS, &mapped),
			 0);
	ck_assert_int_eq(wice_endpoint_compare(&mapped, &source), 0);
	ck_assert(wice__consent_is_answer(answer, answer_len, &key, answered));
	ck_assert_mem_eq(answered, id, sizeof id);
	ck_assert(!wice__consent_is_asked(answer, answer_len, &ufrag));
	ck_assert(!wice__consent_is_answer(request, len, &key, answered));
}
END_TEST

START_TEST(it_has_the_form_of_a_check_of_ice)
{
	WiceStunKey key = key_of("a password of 22 chars");
	WiceStunMessage message;
	WiceSpan name;
	uint32_t priority;
	uint64_t tie;
	ck_assert_int_eq(wice__stun_message_read(&message, request, ask(&key)), 0);
	ck_assert_int_eq(wice__stun_read_bytes(&message, WICE_STUN_USERNAME, &name), 0);
	ck_assert_uint_eq(name.len, strlen("ourufrag:theirufr"));
	ck_assert_mem_eq(name.data, "ourufrag:theirufr", name.len);
	ck_assert_int_eq(wice__stun_read_u32(&message, WICE_STUN_PRIORITY, &priority), 0);
	ck_assert_int_eq(wice__stun_read_u64(&message, WICE_STUN_ICE_CONTROLLING, &tie), 0);
	ck_assert(!wice__stun_message_has(&message, WICE_STUN_USE_CANDIDATE));
	ck_assert_uint_ne(message.fingerprint, 0);
}
END_TEST

START_TEST(strangers_get_no_answer)
{
	WiceStunKey key = key_of("a password of 22 chars"),
		    other = key_of("another one 22 chars !");
	WiceSpan ufrag;
	uint8_t answered[WICE_CONSENT_ID_LEN];
	size_t len = ask(&key);
	ck_assert_uint_eq(wice__consent_answer(request, len, &other, &source, answer), 0);
	size_t answer_len = wice__consent_answer(request, len, &key, &source, answer);
	ck_assert(!wice__consent_is_answer(answer, answer_len, &other, answered));
	for (size_t i = 0; i < len; i++) {
		request[i] ^= 0x10;
		ck_assert_uint_eq(wice__consent_answer(request, len, &key, &source, answer), 0);
		request[i] ^= 0x10;
		ck_assert_uint_eq(wice__consent_answer(request, i, &key, &source, answer), 0);
		(void)wice__consent_is_asked(request, i, &ufrag);
	}
}
END_TEST

START_TEST(what_does_not_fit_is_not_asked)
{
	WiceStunKey key = key_of("a password of 22 chars");
	const char *longest = "0123456789abcdef0123456789abcdef";
	const char *too_long = "0123456789abcdef0123456789abcdef0";
	ck_assert_uint_gt(wice__consent_ask(id, longest, longest, &key, request), 0);
	ck_assert_uint_eq(wice__consent_ask(id, too_long, longest, &key, request), 0);
	ck_assert_uint_eq(wice__consent_ask(id, longest, too_long, &key, request), 0);
}
END_TEST

SUITE_MAIN("stun consent", a_check_is_answered_and_the_answer_believed,
	   it_has_the_form_of_a_check_of_ice, strangers_get_no_answer,
	   what_does_not_fit_is_not_asked)
