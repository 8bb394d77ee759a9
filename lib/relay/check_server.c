/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two legs, as the two ends of a relayed path would be:
 *
 *   here, first leg  ---- ChannelData ---->  relayed address A
 *                                                  | UDP
 *   here, second leg <---- ChannelData ----  relayed address B
 *
 * and back. So it does not matter which NAT this host is behind, and what works between two clients
 * of the server works here.
 */
#include "relay/check_server.h"

#include <sodium.h>
#include <string.h>

#include "event/source.h"
#include "relay/check_advice.h"

#define TOKEN_LEN 16
#define TOKEN_EVERY_MS 500
#define TOKENS_MAX 32
#define STRANGE_MS 1000 /* for a real answer besides one that makes no sense */
#define HOPS_MAX 3      /* of ALTERNATE-SERVER */

struct WiceCheckServer {
	WiceCheckServerOptions options;
	char *username, *password;
	void (*done)(void *user_data);
	void *user_data;
	WiceCheckLeg *legs[2];
	bool asked; /* the second leg for an allocation */
	WiceTimer *timer;
	int64_t step_ms, deadline_ms, token_ms;
	unsigned hops;
	WiceCheckResult result;
	WiceEndpoint other;
	char software[128];
	char *reason;
	/* Each token is sent once, so that it is known when. */
	unsigned n_tokens;
	struct {
		uint8_t bytes[TOKEN_LEN];
		int64_t sent_us;
	} tokens[TOKENS_MAX];
};

static const WiceCheckFacts *facts_of(const WiceCheckServer *check, unsigned leg)
{
	return wice__check_leg_facts(check->legs[leg]);
}

/* The callback may free the check. */
static void finish(WiceCheckServer *check)
{
	for (size_t i = 0; i < G_N_ELEMENTS(check->legs); i++)
		g_clear_pointer(&check->legs[i], wice__check_leg_free);
	wice__timer_set(check->timer, INT64_MAX);
	check->done(check->user_data);
}

static void fail(WiceCheckServer *check, unsigned leg)
{
	const WiceCheckFacts *facts = facts_of(check, leg);
	double seconds = (double)(wice__now_ms() - check->step_ms) / 1000;
	check->reason = wice__check_advise(check->options.spec, check->username, check->result.step,
					   facts, leg > 0, MAX(seconds, 1));
	check->result.reason = check->reason;
	check->result.code = facts->code;
	finish(check);
}

static uint32_t elapsed_ms(int64_t since_ms)
{
	return (uint32_t)MAX(1, wice__now_ms() - since_ms);
}

static void begin_step(WiceCheckServer *check, WiceCheckStep step)
{
	check->result.step = step;
	check->step_ms = wice__now_ms();
}

static void set_timer(WiceCheckServer *check)
{
	wice__timer_set(check->timer, MIN(check->deadline_ms, check->token_ms));
}

static void open_leg(WiceCheckServer *check, unsigned leg);

/* Each returns true if the check goes on at once with the next step, and false if it waits. */

static bool connected(WiceCheckServer *check)
{
	if (!facts_of(check, 0)->opened)
		return false;
	if (check->options.spec->url.transport != WICE_TURN_UDP)
		check->result.connect_ms = elapsed_ms(check->step_ms);
	begin_step(check, WICE_CHECK_BINDING);
	wice__check_leg_ask(check->legs[0]);
	return true;
}

static bool answered(WiceCheckServer *check)
{
	const WiceCheckFacts *facts = facts_of(check, 0);
	if (facts->strange && !facts->answered) {
		check->deadline_ms = MIN(check->deadline_ms, wice__now_ms() + STRANGE_MS);
		set_timer(check);
	}
	if (!facts->answered)
		return false;
	check->result.rtt_us = facts->rtt_us;
	check->result.outside = facts->outside;
	check->other = facts->other;
	begin_step(check, WICE_CHECK_ALLOCATE);
	if (check->options.spec->url.relays)
		wice__check_leg_allocate(check->legs[0]);
	return true;
}

/* Goes to where the server sends us; false if it is too far. */
static bool follow(WiceCheckServer *check)
{
	const WiceCheckFacts *facts = facts_of(check, 0);
	if (facts->failure != WICE_TURN_ALTERNATE || check->hops >= HOPS_MAX)
		return false;
	check->hops++;
	check->result.server = facts->alternate;
	wice__check_leg_free(g_steal_pointer(&check->legs[0]));
	begin_step(check, WICE_CHECK_CONNECT);
	open_leg(check, 0);
	return true;
}

static void take_allocation(WiceCheckServer *check)
{
	const WiceCheckFacts *facts = facts_of(check, 0);
	if (check->result.allocate_ms)
		return;
	check->result.allocate_ms = elapsed_ms(check->step_ms);
	check->result.relayed_ipv4 = facts->relayed_ipv4;
	check->result.relayed_ipv6 = facts->relayed_ipv6;
	open_leg(check, 1);
}

/* Both have one of a family: the first such. */
static void bind_both(WiceCheckServer *check)
{
	const WiceCheckFacts *a = facts_of(check, 0), *b = facts_of(check, 1);
	bool ipv4 = a->relayed_ipv4.address.family && b->relayed_ipv4.address.family;
	WiceEndpoint to_a = ipv4 ? a->relayed_ipv4 : a->relayed_ipv6;
	WiceEndpoint to_b = ipv4 ? b->relayed_ipv4 : b->relayed_ipv6;
	wice__check_leg_bind(check->legs[0], &to_b);
	wice__check_leg_bind(check->legs[1], &to_a);
}

static bool allocated(WiceCheckServer *check)
{
	const WiceCheckFacts *facts = facts_of(check, 0);
	if (facts->refused && follow(check))
		return false;
	if (facts->refused) {
		fail(check, 0);
		return false;
	}
	if (!facts->allocated)
		return false;
	take_allocation(check);
	facts = facts_of(check, 1);
	if (facts->broken || facts->refused) {
		fail(check, 1);
		return false;
	}
	if (facts->opened && !check->asked) {
		check->asked = true;
		wice__check_leg_allocate(check->legs[1]);
	}
	if (!facts->allocated)
		return false;
	begin_step(check, WICE_CHECK_RELAY);
	bind_both(check);
	return true;
}

static void send_token(WiceCheckServer *check)
{
	check->token_ms = INT64_MAX;
	if (check->n_tokens == TOKENS_MAX)
		return;
	uint8_t *bytes = check->tokens[check->n_tokens].bytes;
	randombytes_buf(bytes, TOKEN_LEN);
	check->tokens[check->n_tokens++].sent_us = g_get_monotonic_time();
	check->token_ms = wice__now_ms() + TOKEN_EVERY_MS;
	wice__check_leg_send(check->legs[0], bytes, TOKEN_LEN);
}

static bool relayed(WiceCheckServer *check)
{
	for (unsigned leg = 0; leg < G_N_ELEMENTS(check->legs); leg++) {
		const WiceCheckFacts *facts = facts_of(check, leg);
		if (facts->broken || facts->refused || facts->not_bound) {
			fail(check, leg);
			return false;
		}
	}
	if (check->n_tokens == 0 && facts_of(check, 0)->bound && facts_of(check, 1)->bound) {
		send_token(check);
		set_timer(check);
	}
	return false;
}

static void step(WiceCheckServer *check)
{
	bool goes_on = true;
	if (facts_of(check, 0)->broken) {
		fail(check, 0);
		return;
	}
	g_strlcpy(check->software, facts_of(check, 0)->software, sizeof check->software);
	if (check->result.step == WICE_CHECK_CONNECT)
		goes_on = connected(check);
	if (goes_on && check->result.step == WICE_CHECK_BINDING)
		goes_on = answered(check);
	if (!goes_on)
		return;
	const WiceCheckFacts *facts = facts_of(check, 0);
	if (check->result.step == WICE_CHECK_ALLOCATE && !check->options.spec->url.relays) {
		bool told = facts->outside.address.family != WICE_FAMILY_NONE;
		check->result.step = told ? WICE_CHECK_DONE : WICE_CHECK_BINDING;
		if (told)
			finish(check);
		else
			fail(check, 0);
		return;
	}
	if (check->result.step == WICE_CHECK_ALLOCATE)
		goes_on = allocated(check);
	if (goes_on && check->result.step == WICE_CHECK_RELAY)
		(void)relayed(check);
}

/* Of the legs. */

static void on_changed(void *user_data)
{
	step(user_data);
}

static const uint8_t *find_token(const WiceCheckServer *check, const uint8_t *data, size_t len,
				 int64_t *ret_sent_us)
{
	for (unsigned i = 0; i < check->n_tokens && len == TOKEN_LEN; i++) {
		if (memcmp(check->tokens[i].bytes, data, TOKEN_LEN) != 0)
			continue;
		*ret_sent_us = check->tokens[i].sent_us;
		return check->tokens[i].bytes;
	}
	return NULL;
}

static void on_data_back(const uint8_t *data, size_t len, void *user_data)
{
	WiceCheckServer *check = user_data;
	int64_t sent_us;
	if (!find_token(check, data, len, &sent_us))
		return;
	check->result.relay_us = (uint32_t)MAX(1, g_get_monotonic_time() - sent_us);
	check->result.step = WICE_CHECK_DONE;
	/* From the main loop: this is a callback of the leg that finish() frees. */
	check->deadline_ms = 0;
	set_timer(check);
}

static void on_data_there(const uint8_t *data, size_t len, void *user_data)
{
	WiceCheckServer *check = user_data;
	int64_t sent_us;
	const uint8_t *token = find_token(check, data, len, &sent_us);
	if (token)
		wice__check_leg_send(check->legs[1], token, TOKEN_LEN);
}

static const WiceCheckLegEvents leg_events[] = {
	{ .changed = on_changed, .data = on_data_back },
	{ .changed = on_changed, .data = on_data_there },
};

static void open_leg(WiceCheckServer *check, unsigned leg)
{
	WiceCheckLegOptions options = {
		.context = check->options.context,
		.spec = check->options.spec,
		.server = check->result.server,
		.fwmark = check->options.fwmark,
		.username = check->username,
		.password = check->password,
	};
	check->legs[leg] = wice__check_leg_new(&options, &leg_events[leg], check);
}

static void on_timer(void *user_data)
{
	WiceCheckServer *check = user_data;
	int64_t now_ms = wice__now_ms();
	if (check->result.step == WICE_CHECK_DONE) {
		finish(check);
		return;
	}
	if (now_ms >= check->deadline_ms) {
		bool second = check->result.step == WICE_CHECK_ALLOCATE && check->legs[1];
		fail(check, second);
		return;
	}
	send_token(check);
	set_timer(check);
}

/* API. */

WiceCheckServer *wice__check_server_new(const WiceCheckServerOptions *options,
					void (*done)(void *user_data), void *user_data)
{
	WiceCheckServer *check = g_new0(WiceCheckServer, 1);
	check->options = *options;
	check->username = g_strdup(options->username);
	check->password = g_strdup(options->password);
	check->done = done;
	check->user_data = user_data;
	check->result = (WiceCheckResult){
		.url = options->url,
		.server = options->server,
		.reason = "",
		.resolve_ms = options->resolve_ms,
		.software = check->software,
	};
	check->timer = wice__timer_new(options->context, on_timer, check);
	begin_step(check, WICE_CHECK_CONNECT);
	check->deadline_ms = check->step_ms + options->timeout_ms;
	check->token_ms = INT64_MAX;
	set_timer(check);
	open_leg(check, 0);
	return check;
}

void wice__check_server_free(WiceCheckServer *check)
{
	if (!check)
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(check->legs); i++)
		wice__check_leg_free(check->legs[i]);
	wice__timer_free(check->timer);
	g_free(check->username);
	if (check->password)
		sodium_memzero(check->password, strlen(check->password));
	g_free(check->password);
	g_free(check->reason);
	g_free(check);
}

const WiceCheckResult *wice__check_server_result(const WiceCheckServer *check)
{
	return &check->result;
}

const WiceEndpoint *wice__check_server_other(const WiceCheckServer *check)
{
	return &check->other;
}
