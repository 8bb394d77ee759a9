/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Senders and a receiver under load. The first byte chooses:
 *
 *   0  bytes as a message: only a mac1 that is right is valid, and none has a cookie yet
 *   1  a valid cookie reply, exclusive or what follows: refused, and nothing has changed
 *   2  a story: each byte lets time pass, sends, replies or checks, and a model knows what a mac2 is
 *      worth
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/cookie.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)
#define MESSAGE_LEN 92
#define STORY_MAX 64

static const WiceKey receiver_key = { { 1, 2, 3 } };

static void make_both(WiceCookieChecker *checker, WiceCookieMaker *maker)
{
	static WiceCookieChecker fresh_checker;
	static WiceCookieMaker fresh_maker;
	static bool made;
	if (!made) {
		wice__cookie_checker_init(&fresh_checker, &receiver_key);
		wice__cookie_maker_init(&fresh_maker, &receiver_key);
		made = true;
	}
	*checker = fresh_checker;
	*maker = fresh_maker;
}

static WiceEndpoint endpoint(uint8_t which)
{
	WiceEndpoint source = { .port = which & 2 ? 1 : 256 };
	source.address.family = which & 1 ? WICE_FAMILY_IPV6 : WICE_FAMILY_IPV4;
	source.address.bytes[0] = 10;
	return source;
}

static void walk_bytes(const uint8_t *data, size_t size)
{
	WiceCookieChecker checker;
	WiceCookieMaker maker;
	WiceEndpoint source = endpoint(0);
	make_both(&checker, &maker);
	WiceMacState state = wice__cookie_check(&checker, data, size, &source, true, 0);
	MUST(state != WICE_MAC_WITH_COOKIE);
	if (size < 32) {
		MUST(state == WICE_MAC_INVALID);
		return;
	}
	uint8_t *repaired = malloc(size);
	MUST(repaired);
	memcpy(repaired, data, size);
	wice__cookie_add_macs(&maker, repaired, size, 0);
	MUST(wice__cookie_check(&checker, repaired, size, &source, true, 0) == WICE_MAC_VALID);
	MUST((state == WICE_MAC_VALID) == (memcmp(repaired, data, size - 16) == 0));
	free(repaired);
}

static void walk_mask(const uint8_t *data, size_t size)
{
	static const uint8_t nonce[24] = { 7 }, secret[32] = { 8 };
	WiceCookieChecker checker;
	WiceCookieMaker maker;
	WiceEndpoint source = endpoint(0);
	uint8_t message[MESSAGE_LEN] = { WICE_MESSAGE_RESPONSE };
	WiceMessageCookie reply;
	make_both(&checker, &maker);
	wice__cookie_add_macs(&maker, message, sizeof message, 0);
	wice__cookie_reply(&checker, message, sizeof message, &source, nonce, secret, 0, &reply);

	/* Type and receiver are for the caller to look at. */
	uint8_t *sealed = reply.nonce, bits = 0;
	size_t n = sizeof reply - offsetof(WiceMessageCookie, nonce);
	for (size_t i = 0; i < n && i < size; i++) {
		sealed[i] ^= data[i];
		bits |= data[i];
	}
	WiceCookieMaker before = maker;
	MUST(wice__cookie_read_reply(&maker, &reply, 0) == (bits ? -EBADMSG : 0));
	if (bits)
		MUST(memcmp(&maker, &before, sizeof maker) == 0);
}

/* A cookie as the model knows it: whose secret's it is, and for whom. */
typedef struct {
	uint32_t epoch; /* 0: none */
	uint8_t which;
	int64_t since_ms;
} Cookie;

typedef struct {
	WiceCookieChecker checker;
	WiceCookieMaker maker;
	uint8_t message[MESSAGE_LEN];
	bool sent;
	WiceMessageCookie reply;
	int64_t now_ms, epoch_ms;
	uint32_t epoch;
	bool expects_reply; /* the maker has sent and not been answered */
	bool reply_fits;    /* the reply is to what was sent last */
	Cookie in_reply, in_maker, in_message;
} Story;

static void make_macs(Story *story)
{
	story->message[8]++; /* no message is like the one before */
	wice__cookie_add_macs(&story->maker, story->message, MESSAGE_LEN, story->now_ms);
	story->sent = story->expects_reply = true;
	story->reply_fits = false;
	if (story->now_ms - story->in_maker.since_ms >= 115000)
		story->in_maker.epoch = 0;
	story->in_message = story->in_maker;
}

static void reply(Story *story, uint8_t which)
{
	uint8_t nonce[24] = { 0 }, secret[32] = { 0 };
	WiceEndpoint source = endpoint(which);
	if (!story->sent)
		return;
	memcpy(secret, &story->now_ms, sizeof story->now_ms);
	secret[31] = 1;
	wice__cookie_reply(&story->checker, story->message, MESSAGE_LEN, &source, nonce, secret,
			   story->now_ms, &story->reply);
	if (story->epoch == 0 || story->now_ms - story->epoch_ms >= 120000) {
		story->epoch++;
		story->epoch_ms = story->now_ms;
	}
	story->in_reply = (Cookie){ .epoch = story->epoch, .which = which };
	story->reply_fits = true;
}

static void read_reply(Story *story)
{
	int expected = !story->expects_reply ? -ENOENT : story->reply_fits ? 0 : -EBADMSG;
	WiceCookieMaker before = story->maker;
	MUST(wice__cookie_read_reply(&story->maker, &story->reply, story->now_ms) == expected);
	if (expected != 0) {
		MUST(memcmp(&story->maker, &before, sizeof before) == 0);
		return;
	}
	story->expects_reply = false;
	story->in_maker = story->in_reply;
	story->in_maker.since_ms = story->now_ms;
}

static void check(const Story *story, uint8_t which)
{
	WiceEndpoint source = endpoint(which);
	const Cookie *cookie = &story->in_message;
	bool counts = cookie->epoch != 0 && cookie->epoch == story->epoch &&
		      cookie->which == which && story->now_ms - story->epoch_ms < 120000;
	if (!story->sent)
		return;
	MUST(wice__cookie_check(&story->checker, story->message, MESSAGE_LEN, &source, true,
				story->now_ms) == (counts ? WICE_MAC_WITH_COOKIE : WICE_MAC_VALID));
	MUST(wice__cookie_check(&story->checker, story->message, MESSAGE_LEN, &source, false,
				story->now_ms) == WICE_MAC_VALID);
}

/* The two lowest bits of a byte say what to do, the others with whom, or how long. */
static void walk_story(const uint8_t *data, size_t size)
{
	Story story = { .message = { WICE_MESSAGE_RESPONSE } };
	make_both(&story.checker, &story.maker);
	for (size_t i = 0; i < size && i < STORY_MAX; i++) {
		uint8_t rest = data[i] >> 2;
		switch (data[i] & 3) {
		case 0:
			story.now_ms += rest < 32 ? rest : rest * 1000;
			break;
		case 1:
			make_macs(&story);
			break;
		case 2:
			reply(&story, rest & 3);
			break;
		default:
			if (rest & 4)
				read_reply(&story);
			else
				check(&story, rest & 3);
			break;
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	if (data[0] % 3 == 0)
		walk_bytes(data + 1, size - 1);
	else if (data[0] % 3 == 1)
		walk_mask(data + 1, size - 1);
	else
		walk_story(data + 1, size - 1);
	return 0;
}
