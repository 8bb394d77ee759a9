/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Situations that other relays and their clients got wrong at some time, as scripts: what a client
 * or a peer does, and what must come of it. Each says where it was published. P and Q are peers;
 * @0 and @1 are the relayed addresses of the clients themselves.
 */
#include "suite.h"

#include <glib.h>
#include <string.h>

#include "server_lab.h"

#define N_CLIENTS 3

typedef enum {
	END = 0,
	WAIT,      /* number: seconds */
	ALLOCATE,  /* number: the family, 0 for none said */
	STRANGER,  /* an Allocate without credentials */
	AGAIN,     /* the last Allocate once more, byte for byte */
	REFRESH,   /* number: the lifetime */
	PERMIT,    /* peer */
	BIND,      /* number, peer */
	CHANNEL,   /* data on a channel: number, and the peer that it must arrive at */
	LOST,      /* the same, but it must not arrive */
	SEND,      /* data for peer in an indication must arrive */
	UNSENT,    /* or not */
	HEAR,      /* a peer's data must arrive, on the channel number, 0: as an indication */
	DEAF,      /* or not */
	SHOWN,     /* so many channels are known to the fast path */
	OPEN,      /* so many ports are */
	RESTART,   /* the server forgets everything, its keys too */
	CHALLENGE, /* the client takes a new nonce */
	ELSEWHERE, /* the client's packets come from another port now */
} Action;

typedef struct {
	Action action;
	unsigned who;
	uint32_t number;
	const char *peer;
	uint16_t code; /* of the answer */
} Step;

#define MOST_STEPS 16

static const struct {
	const char *source;
	const char *title;
	Step steps[MOST_STEPS];
} situations[] = {
	{ "firezone 4094",
	  "a channel that was never refreshed expires, too, and may be bound to another peer",
	  { { ALLOCATE },
	    { REFRESH, 0, 3600 },
	    { BIND, 0, 0x4000, "P" },
	    { WAIT, 0, 599 },
	    { BIND, 0, 0x4000, "Q", 400 },
	    { WAIT, 0, 1 },
	    { LOST, 0, 0x4000 },
	    { BIND, 0, 0x4000, "Q" },
	    { CHANNEL, 0, 0x4000, "Q" },
	    { DEAF, 0, 0, "P" } } },
	{ "firezone 6276",
	  "an expired channel comes back with its number, or the peer gets another one",
	  { { ALLOCATE },
	    { REFRESH, 0, 3600 },
	    { BIND, 0, 0x4000, "P" },
	    { BIND, 0, 0x4001, "Q" },
	    { WAIT, 0, 601 },
	    { BIND, 0, 0x4000, "P" },
	    { CHANNEL, 0, 0x4000, "P" },
	    { BIND, 0, 0x4002, "Q" },
	    { CHANNEL, 0, 0x4002, "Q" },
	    { LOST, 0, 0x4001 },
	    { HEAR, 0, 0x4002, "Q" } } },
	{ "firezone 8541",
	  "the fast path knows a channel from its first binding on",
	  { { ALLOCATE }, { SHOWN, 0, 0 }, { BIND, 0, 0x4000, "P" }, { SHOWN, 0, 1 } } },
	{ "firezone 10291, 6332",
	  "the fast path gets a channel back that was refreshed after it had stopped",
	  { { ALLOCATE },
	    { REFRESH, 0, 3600 },
	    { BIND, 0, 0x4000, "P" },
	    { WAIT, 0, 301 },
	    { SHOWN, 0, 0 },
	    { BIND, 0, 0x4000, "P" },
	    { SHOWN, 0, 1 },
	    { WAIT, 0, 601 },
	    { SHOWN, 0, 0 },
	    { CHALLENGE },
	    { BIND, 0, 0x4000, "P" },
	    { SHOWN, 0, 1 } } },
	{ "firezone 4705",
	  "a released allocation leaves no channel behind",
	  { { ALLOCATE },
	    { BIND, 0, 0x4000, "P" },
	    { REFRESH, 0, 0 },
	    { OPEN, 0, 0 },
	    { SHOWN, 0, 0 },
	    { LOST, 0, 0x4000 },
	    { ALLOCATE },
	    { LOST, 0, 0x4000 },
	    { DEAF, 0, 0, "P" },
	    { BIND, 0, 0x4000, "Q" },
	    { CHANNEL, 0, 0x4000, "Q" } } },
	{ "firezone 12311",
	  "who allocates anew may number his peers anew",
	  { { ALLOCATE },
	    { BIND, 0, 0x4062, "P" },
	    { REFRESH, 0, 0 },
	    { ALLOCATE },
	    { BIND, 0, 0x407d, "P" },
	    { REFRESH, 0, 0 },
	    { ALLOCATE },
	    { BIND, 0, 0x4525, "P" },
	    { CHANNEL, 0, 0x4525, "P" } } },
	{ "firezone 6265, 6277; coturn 2067",
	  "without an allocation a ChannelBind is a mismatch, not a bad request",
	  { { CHALLENGE },
	    { BIND, 0, 0x4000, "P", 437 },
	    { PERMIT, 0, 0, "P", 437 },
	    { REFRESH, 0, 600, NULL, 437 },
	    { ALLOCATE },
	    { WAIT, 0, 600 },
	    { BIND, 0, 0x4000, "P", 437 } } },
	{ "firezone 1610",
	  "a refresh sets the lifetime, it does not add to it",
	  { { ALLOCATE },
	    { REFRESH, 0, 3600 },
	    { REFRESH, 0, 600 },
	    { WAIT, 0, 599 },
	    { OPEN, 0, 1 },
	    { WAIT, 0, 1 },
	    { OPEN, 0, 0 } } },
	{ "firezone 10138",
	  "a client of one family relays in the other one, and in that one only",
	  { { ALLOCATE, 2, WICE_STUN_FAMILY_IPV4 },
	    { BIND, 2, 0x4000, "P" },
	    { CHANNEL, 2, 0x4000, "P" },
	    { HEAR, 2, 0x4000, "P" },
	    { BIND, 2, 0x4001, "[2001:db8::9]:9", 443 },
	    { ALLOCATE, 0, WICE_STUN_FAMILY_IPV6 },
	    { BIND, 0, 0x4000, "[2001:db8::9]:9" },
	    { CHANNEL, 0, 0x4000, "[2001:db8::9]:9" },
	    { BIND, 0, 0x4001, "P", 443 } } },
	{ "firezone 10286",
	  "clients of one relay reach each other through both of their relayed addresses",
	  { { ALLOCATE },
	    { ALLOCATE, 1 },
	    { BIND, 0, 0x4000, "@1" },
	    { BIND, 1, 0x4001, "@0" },
	    { CHANNEL, 0, 0x4000, "@1" },
	    { HEAR, 1, 0x4001, "@0" },
	    { CHANNEL, 1, 0x4001, "@0" },
	    { HEAR, 0, 0x4000, "@1" } } },
	{ "pion 206",
	  "credentials are looked at before allocations are",
	  { { ALLOCATE }, { STRANGER, 0, 0, NULL, 401 }, { ALLOCATE, 0, 0, NULL, 437 } } },
	{ "pion 540, 541",
	  "a ChannelBind whose answer was lost may be repeated, with that number only",
	  { { ALLOCATE },
	    { BIND, 0, 0x4000, "P" },
	    { BIND, 0, 0x4000, "P" },
	    { BIND, 0, 0x4001, "P", 400 },
	    { CHANNEL, 0, 0x4000, "P" },
	    { SHOWN, 0, 1 } } },
	{ "pion 65",
	  "a permission is for an address with all its ports",
	  { { ALLOCATE },
	    { PERMIT, 0, 0, "198.51.100.9:1" },
	    { HEAR, 0, 0, "198.51.100.9:2" },
	    { SEND, 0, 0, "198.51.100.9:3" },
	    { DEAF, 0, 0, "198.51.100.8:1" } } },
	{ "pion 144",
	  "after the server was started anew a client learns so: a new nonce, then no allocation",
	  { { ALLOCATE },
	    { PERMIT, 0, 0, "P" },
	    { RESTART },
	    { PERMIT, 0, 0, "P", 438 },
	    { CHALLENGE },
	    { PERMIT, 0, 0, "P", 437 },
	    { ALLOCATE },
	    { PERMIT, 0, 0, "P" } } },
	{ "pion 471; aioice 29",
	  "a channel outlives its permission, but data waits for that to be renewed",
	  { { ALLOCATE },
	    { REFRESH, 0, 3600 },
	    { BIND, 0, 0x4000, "P" },
	    { WAIT, 0, 299 },
	    { HEAR, 0, 0x4000, "P" },
	    { WAIT, 0, 1 },
	    { DEAF, 0, 0, "P" },
	    { LOST, 0, 0x4000 },
	    { PERMIT, 0, 0, "P" },
	    { HEAR, 0, 0x4000, "P" },
	    { CHANNEL, 0, 0x4000, "P" } } },
	{ "pion 222; eturnal 82",
	  "the server is no way to itself, to its host or to the networks behind it",
	  { { ALLOCATE },
	    { PERMIT, 0, 0, "127.0.0.1:6379", 403 },
	    { PERMIT, 0, 0, "169.254.169.254:80", 403 },
	    { PERMIT, 0, 0, "10.10.4.2:22", 403 },
	    { PERMIT, 0, 0, "0.0.0.0:22", 403 },
	    { BIND, 0, 0x4000, "203.0.113.1:3478", 403 },
	    { PERMIT, 0, 0, "203.0.113.1:3478" },
	    { UNSENT, 0, 0, "203.0.113.1:3478" },
	    { SEND, 0, 0, "@0" } } },
	{ "werift 667",
	  "a peer that is refused does not stand in the way of others",
	  { { ALLOCATE },
	    { BIND, 0, 0x4000, "10.0.0.1:9", 403 },
	    { BIND, 0, 0x4000, "P" },
	    { CHANNEL, 0, 0x4000, "P" },
	    { BIND, 0, 0x4001, "Q" } } },
	{ "coturn 267",
	  "an Allocate whose answer was lost gets it again, another one does not",
	  { { ALLOCATE },
	    { AGAIN },
	    { OPEN, 0, 1 },
	    { ALLOCATE, 0, 0, NULL, 437 },
	    { AGAIN, 0, 0, NULL, 437 },
	    { WAIT, 0, 600 },
	    { ALLOCATE },
	    { OPEN, 0, 1 } } },
	{ "RFC 8489 section 16.1.2",
	  "a request that was overheard is of no use from another place",
	  { { ALLOCATE },
	    { ELSEWHERE, 0, 7777 },
	    { REFRESH, 0, 0, NULL, 438 },
	    { BIND, 0, 0x4000, "P", 438 },
	    { ELSEWHERE, 0, 1000 },
	    { OPEN, 0, 1 },
	    { REFRESH, 0, 600 } } },
	{ "RFC 8656 section 12",
	  "a channel number is of one client: the same number of another one leads elsewhere",
	  { { ALLOCATE },
	    { ALLOCATE, 1 },
	    { BIND, 0, 0x4000, "P" },
	    { LOST, 1, 0x4000 },
	    { BIND, 1, 0x4000, "Q" },
	    { CHANNEL, 0, 0x4000, "P" },
	    { CHANNEL, 1, 0x4000, "Q" },
	    { DEAF, 1, 0, "P" } } },
};

static Lab lab;
static LabClient clients[N_CLIENTS];

static void start_clients(void)
{
	static const char *const addresses[N_CLIENTS] = { "192.0.2.1:1000", "192.0.2.2:1000",
							  "[2001:db8::1]:1000" };
	for (size_t i = 0; i < N_CLIENTS; i++)
		clients[i] = lab_client(addresses[i], 0);
}

static const char *peer_of(const char *text, char buffer[WICE_ENDPOINT_SIZE])
{
	WiceEndpoint relayed;
	if (!text || strcmp(text, "P") == 0)
		return "198.51.100.9:9";
	if (strcmp(text, "Q") == 0)
		return "198.51.100.10:10";
	if (text[0] != '@')
		return text;
	ck_assert(wice__turn_allocation_relayed(clients[text[1] - '0'].allocation, WICE_FAMILY_IPV4,
						&relayed));
	return wice_endpoint_format(&relayed, buffer);
}

static bool arrives(const WiceTurnVerdict *verdict, const char *peer)
{
	char text[WICE_ENDPOINT_SIZE];
	return verdict->type == WICE_TURN_TO_PEER && verdict->data_len == 4 &&
	       strcmp(wice_endpoint_format(&verdict->peer, text), peer) == 0;
}

static bool is_heard(const WiceTurnVerdict *verdict, uint16_t channel)
{
	return verdict->type == WICE_TURN_TO_CLIENT &&
	       (channel ? verdict->header_len == 4 && wice__stun_get_u16(verdict->header) == channel
			: verdict->header_len > 20);
}

static uint16_t ask_as_stranger(LabClient *client)
{
	wice__stun_write_u8(lab_begin(client, WICE_STUN_ALLOCATE), WICE_STUN_REQUESTED_TRANSPORT,
			    17);
	lab_finish_plain(client);
	return lab_deliver(&lab, client);
}

static void restart(void)
{
	WiceTurnServerOptions options = lab.options;
	lab_done(&lab);
	lab.options = options;
	lab_start(&lab);
}

/* Requests, and the code of their answers. */
static bool take_request(const Step *step, LabClient *client, const char *peer, uint16_t *ret_code)
{
	switch (step->action) {
	case ALLOCATE:
		*ret_code = lab_allocate(&lab, client, (uint8_t)step->number);
		return true;
	case STRANGER:
		*ret_code = ask_as_stranger(client);
		return true;
	case AGAIN:
		client->retry = true;
		*ret_code = lab_allocate(&lab, client, (uint8_t)step->number);
		return true;
	case REFRESH:
		*ret_code = lab_refresh(&lab, client, step->number);
		return true;
	case PERMIT:
		*ret_code = lab_permit(&lab, client, peer);
		return true;
	case BIND:
		*ret_code = lab_bind(&lab, client, (uint16_t)step->number, peer);
		return true;
	default:
		return false;
	}
}

static bool take_data(const Step *step, LabClient *client, const char *peer)
{
	WiceTurnVerdict verdict;
	switch (step->action) {
	case CHANNEL:
	case LOST:
		verdict = lab_channel_data(&lab, client, (uint16_t)step->number, "data");
		return step->action == LOST ? verdict.type == WICE_TURN_DROP
					    : arrives(&verdict, peer);
	case SEND:
	case UNSENT:
		verdict = lab_send(&lab, client, peer, "data");
		return step->action == UNSENT ? verdict.type == WICE_TURN_DROP
					      : arrives(&verdict, peer);
	case HEAR:
		verdict = lab_from_peer(&lab, client, peer, "data");
		return is_heard(&verdict, (uint16_t)step->number);
	default:
		return lab_from_peer(&lab, client, peer, "data").type == WICE_TURN_DROP;
	}
}

static bool take_step(const Step *step)
{
	char buffer[WICE_ENDPOINT_SIZE];
	LabClient *client = &clients[step->who];
	const char *peer = peer_of(step->peer, buffer);
	uint16_t code;
	if (take_request(step, client, peer, &code))
		return code == step->code;
	switch (step->action) {
	case WAIT:
		lab_wait(&lab, step->number);
		return true;
	case SHOWN:
		return (uint32_t)lab.n_channels == step->number;
	case OPEN:
		return lab.n_opened - lab.n_closed == step->number;
	case RESTART:
		restart();
		return true;
	case CHALLENGE:
		lab_challenge(&lab, client);
		return true;
	case ELSEWHERE:
		client->tuple.client.port = (uint16_t)step->number;
		return true;
	default:
		return take_data(step, client, peer);
	}
}

START_TEST(each_situation_ends_as_it_should)
{
	for (size_t i = 0; i < G_N_ELEMENTS(situations); i++) {
		lab_init(&lab);
		lab_start(&lab);
		start_clients();
		for (size_t j = 0; j < MOST_STEPS && situations[i].steps[j].action != END; j++)
			ck_assert_msg(take_step(&situations[i].steps[j]), "%s: %s: step %zu",
				      situations[i].source, situations[i].title, j);
		lab_done(&lab);
	}
}
END_TEST

/* firezone 3726: a start is a burst of requests, which all have the same nonce. */
START_TEST(a_nonce_is_good_for_any_number_of_requests)
{
	lab_init(&lab);
	lab_start(&lab);
	start_clients();
	ck_assert_uint_eq(lab_allocate(&lab, &clients[0], 0), 0);
	for (int i = 0; i < 20000; i++)
		ck_assert_uint_eq(lab_refresh(&lab, &clients[0], 600), 0);
	lab_done(&lab);
}
END_TEST

/* coturn 1984: on a stream data is padded, with zeros: the shell is told how many. */
START_TEST(unequal_lengths_are_padded)
{
	static const char *const texts[] = { "1", "12", "123", "1234", "12345" };
	lab_init(&lab);
	lab_start(&lab);
	LabClient client = lab_client("192.0.2.1:1000", 5);
	ck_assert_uint_eq(lab_allocate(&lab, &client, 0), 0);
	ck_assert_uint_eq(lab_bind(&lab, &client, 0x4000, "198.51.100.9:9"), 0);
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		WiceTurnVerdict verdict = lab_from_peer(&lab, &client, "198.51.100.9:9", texts[i]);
		ck_assert_uint_eq(wice__stun_get_u16(verdict.header + 2), strlen(texts[i]));
		ck_assert_uint_eq((verdict.header_len + verdict.data_len + verdict.padding) % 4, 0);
		ck_assert_uint_lt(verdict.padding, 4);
	}
	lab_done(&lab);
}
END_TEST

SUITE_MAIN("turn server situations", each_situation_ends_as_it_should,
	   a_nonce_is_good_for_any_number_of_requests, unequal_lengths_are_padded)
