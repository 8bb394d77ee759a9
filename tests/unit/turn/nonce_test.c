/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <glib.h>
#include <string.h>

#include "turn/nonce.h"

static const WiceTurnNonces nonces = { .key = "0123456789abcde" };
static const int64_t starts[] = { 0, 1700000000000, (int64_t)UINT32_MAX * 1000 - 5000 };

static WiceEndpoint endpoint_of(const char *text)
{
	WiceEndpoint endpoint;
	ck_assert(wice_endpoint_parse(text, &endpoint));
	return endpoint;
}

static bool passes(const char *nonce, size_t len, const char *client, int64_t now_ms)
{
	WiceEndpoint endpoint = endpoint_of(client);
	return wice__turn_nonce_check(&nonces, &endpoint, now_ms, (WiceSpan){ nonce, len });
}

START_TEST(a_nonce_is_good_until_it_expires)
{
	WiceEndpoint client = endpoint_of("192.0.2.1:1000");
	char nonce[WICE_TURN_NONCE_LEN];
	const int64_t lifetime_ms = WICE_TURN_NONCE_LIFETIME_S * 1000;
	for (size_t i = 0; i < G_N_ELEMENTS(starts); i++) {
		wice__turn_nonce_write(&nonces, &client, starts[i], nonce);
		ck_assert(passes(nonce, sizeof nonce, "192.0.2.1:1000", starts[i]));
		ck_assert(passes(nonce, sizeof nonce, "192.0.2.1:1000",
				 starts[i] + lifetime_ms - 1000));
		ck_assert(!passes(nonce, sizeof nonce, "192.0.2.1:1000", starts[i] + lifetime_ms));
		ck_assert(!passes(nonce, sizeof nonce, "192.0.2.1:1000", starts[i] - 2000));
	}
}
END_TEST

START_TEST(it_is_good_at_one_address_only)
{
	static const char *const others[] = { "192.0.2.1:1001", "192.0.2.2:1000",
					      "[c000:201::]:1000" };
	WiceEndpoint client = endpoint_of("192.0.2.1:1000");
	char nonce[WICE_TURN_NONCE_LEN];
	wice__turn_nonce_write(&nonces, &client, 0, nonce);
	for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
		ck_assert(!passes(nonce, sizeof nonce, others[i], 0));
}
END_TEST

START_TEST(nothing_of_it_can_be_changed)
{
	WiceEndpoint client = endpoint_of("[2001:db8::1]:1000");
	char nonce[WICE_TURN_NONCE_LEN + 1];
	wice__turn_nonce_write(&nonces, &client, 0, nonce);
	ck_assert_int_eq(memcmp(nonce, "obMatJos2gAAA", 13), 0);
	for (size_t at = 0; at < WICE_TURN_NONCE_LEN; at++)
		for (int bit = 0; bit < 8; bit++) {
			nonce[at] = (char)(nonce[at] ^ 1 << bit);
			ck_assert(!passes(nonce, WICE_TURN_NONCE_LEN, "[2001:db8::1]:1000", 0));
			nonce[at] = (char)(nonce[at] ^ 1 << bit);
		}
	nonce[WICE_TURN_NONCE_LEN] = 'A';
	ck_assert(!passes(nonce, WICE_TURN_NONCE_LEN + 1, "[2001:db8::1]:1000", 0));
	ck_assert(!passes(nonce, WICE_TURN_NONCE_LEN - 1, "[2001:db8::1]:1000", 0));
	ck_assert(!passes(nonce, 0, "[2001:db8::1]:1000", 0));
	ck_assert(passes(nonce, WICE_TURN_NONCE_LEN, "[2001:db8::1]:1000", 0));
}
END_TEST

START_TEST(features_cannot_be_talked_down)
{
	const WiceTurnNonces hidden = { .key = "0123456789abcde", .hidden_names = true };
	WiceEndpoint client = endpoint_of("192.0.2.1:1000");
	char nonce[WICE_TURN_NONCE_LEN];
	wice__turn_nonce_write(&hidden, &client, 0, nonce);
	ck_assert_int_eq(memcmp(nonce, "obMatJos2wAAA", 13), 0);
	ck_assert(!passes(nonce, sizeof nonce, "192.0.2.1:1000", 0));
	ck_assert(wice__turn_nonce_check(&hidden, &client, 0, (WiceSpan){ nonce, sizeof nonce }));
}
END_TEST

SUITE_MAIN("nonce", a_nonce_is_good_until_it_expires, it_is_good_at_one_address_only,
	   nothing_of_it_can_be_changed, features_cannot_be_talked_down)
