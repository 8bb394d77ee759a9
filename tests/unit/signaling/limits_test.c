/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "signaling/flood.h"
#include "signaling/outbox.h"
#include "suite.h"

#include <string.h>

static WiceEnvelope letter(char sender, char recipient, const char *body)
{
	WiceEnvelope envelope = { .body = (const uint8_t *)body, .body_len = strlen(body) };
	memset(envelope.sender.bytes, sender, WICE_KEY_LEN);
	memset(envelope.recipient.bytes, recipient, WICE_KEY_LEN);
	return envelope;
}

static void collect(const WiceEnvelope *envelope, void *user_data)
{
	g_string_append_len(user_data, (const char *)envelope->body, (gssize)envelope->body_len);
}

START_TEST(outbox_keeps_the_newest_of_each_pair)
{
	WiceOutbox *outbox = wice__outbox_new();
	g_autoptr(GString) sent = g_string_new(NULL);
	char body[] = "1";
	static const char *const pairs[] = { "ab", "ac", "ba", "ab", "ab", "ac" };
	for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
		WiceEnvelope envelope = letter(pairs[i][0], pairs[i][1], body);
		wice__outbox_put(outbox, &envelope);
		body[0]++;
	}
	wice__outbox_flush(outbox, collect, sent);
	ck_assert_str_eq(sent->str, "356");
	wice__outbox_flush(outbox, collect, sent);
	ck_assert_str_eq(sent->str, "356");
	wice__outbox_free(outbox);
}
END_TEST

static void put_back(const WiceEnvelope *envelope, void *user_data)
{
	wice__outbox_put(user_data, envelope);
}

START_TEST(outbox_keeps_what_is_put_while_it_empties)
{
	WiceOutbox *outbox = wice__outbox_new();
	g_autoptr(GString) sent = g_string_new(NULL);
	WiceEnvelope one = letter('a', 'b', "x"), other = letter('a', 'c', "y");
	wice__outbox_put(outbox, &one);
	wice__outbox_put(outbox, &other);
	wice__outbox_flush(outbox, put_back, outbox);
	wice__outbox_flush(outbox, collect, sent);
	ck_assert_str_eq(sent->str, "xy");
	wice__outbox_put(outbox, &one);
	wice__outbox_free(outbox);
}
END_TEST

static WiceAddress address(uint32_t number)
{
	WiceAddress source = { .family = WICE_FAMILY_IPV4 };
	memcpy(source.bytes, &number, sizeof number);
	return source;
}

static unsigned allowed(WiceFlood *flood, uint32_t source, unsigned attempts, int64_t now_ms)
{
	unsigned n = 0;
	WiceAddress from = address(source);
	for (unsigned i = 0; i < attempts; i++)
		n += wice__flood_allow(flood, &from, now_ms);
	return n;
}

static WiceFlood *flood_new(void)
{
	static const uint8_t key[16] = { 1, 2, 3 };
	WiceFlood *flood = g_new(WiceFlood, 1);
	wice__flood_init(flood, key);
	return flood;
}

START_TEST(a_source_has_its_burst_and_then_its_rate)
{
	WiceFlood *flood = flood_new();
	ck_assert_uint_eq(allowed(flood, 1, 10000, 5000), WICE_FLOOD_SOURCE_BURST);
	ck_assert_uint_eq(allowed(flood, 1, 10000, 6000), WICE_FLOOD_SOURCE_RATE);
	ck_assert_uint_eq(allowed(flood, 1, 10000, 6000), 0);
	/* A long rest fills the bucket and no more. */
	ck_assert_uint_eq(allowed(flood, 1, 10000, 100000000), WICE_FLOOD_SOURCE_BURST);
	g_free(flood);
}
END_TEST

START_TEST(one_source_does_not_use_up_what_the_others_need)
{
	WiceFlood *flood = flood_new();
	allowed(flood, 1, 100000, 5000);
	unsigned heard = 0;
	for (uint32_t source = 2; source < 22; source++)
		heard += allowed(flood, source, 1, 5000);
	/* One of them may share its slot. */
	ck_assert_uint_ge(heard, 18);
	g_free(flood);
}
END_TEST

START_TEST(many_sources_together_are_limited_too)
{
	WiceFlood *flood = flood_new();
	unsigned heard = 0;
	for (uint32_t source = 0; source < 100000; source++)
		heard += allowed(flood, source, 1, 5000);
	ck_assert_uint_eq(heard, WICE_FLOOD_TOTAL_BURST);
	heard = 0;
	for (uint32_t source = 0; source < 100000; source++)
		heard += allowed(flood, source, 1, 6000);
	ck_assert_uint_eq(heard, WICE_FLOOD_TOTAL_RATE);
	g_free(flood);
}
END_TEST

SUITE_MAIN("outbox and flood", outbox_keeps_the_newest_of_each_pair,
	   outbox_keeps_what_is_put_while_it_empties, a_source_has_its_burst_and_then_its_rate,
	   one_source_does_not_use_up_what_the_others_need, many_sources_together_are_limited_too)
