/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "server_lab.h"

static Lab lab;
static LabClient client;

static void start(void)
{
	lab_start(&lab);
	client = lab_client("192.0.2.1:1000", 0);
}

/* What an Allocate has; type 0 ends it. */
typedef struct {
	uint16_t type;
	uint64_t value; /* of MOBILITY-TICKET, and of an unknown one: its length */
} With;

#define MOST 4
#define UDP                                       \
	{                                         \
		WICE_STUN_REQUESTED_TRANSPORT, 17 \
	}
#define FAMILY(number)                                     \
	{                                                  \
		WICE_STUN_REQUESTED_ADDRESS_FAMILY, number \
	}
#define MORE(number)                                        \
	{                                                   \
		WICE_STUN_ADDITIONAL_ADDRESS_FAMILY, number \
	}
#define EVEN(number)                        \
	{                                   \
		WICE_STUN_EVEN_PORT, number \
	}
#define TOKEN(number)                               \
	{                                           \
		WICE_STUN_RESERVATION_TOKEN, number \
	}
#define FOR(seconds)                        \
	{                                   \
		WICE_STUN_LIFETIME, seconds \
	}

static void write_attribute(WiceStunWriter *writer, uint16_t type, uint64_t value)
{
	const WiceStunAttributeInfo *info = wice__stun_attribute_info(type);
	switch (info ? info->kind : WICE_STUN_KIND_BYTES) {
	case WICE_STUN_KIND_FLAG:
		wice__stun_write_flag(writer, type);
		break;
	case WICE_STUN_KIND_U8:
		wice__stun_write_u8(writer, type, (uint8_t)value);
		break;
	case WICE_STUN_KIND_U32:
		wice__stun_write_u32(writer, type, (uint32_t)value);
		break;
	case WICE_STUN_KIND_U64:
		wice__stun_write_u64(writer, type, value);
		break;
	default:
		wice__stun_writer_add(writer, type, value);
		break;
	}
}

static uint16_t allocate(const With with[MOST])
{
	if (!client.nonce_len)
		lab_challenge(&lab, &client);
	WiceStunWriter *writer = lab_begin(&client, WICE_STUN_ALLOCATE);
	for (size_t i = 0; i < MOST && with[i].type; i++)
		write_attribute(writer, with[i].type, with[i].value);
	return lab_ask(&lab, &client);
}

static const With single[MOST] = { UDP };
static const With pair[MOST] = { UDP, EVEN(0x80) };

START_TEST(what_an_allocate_may_ask_for)
{
	static const struct {
		With with[MOST];
		uint16_t code;
		bool dont_fragment;
	} cases[] = {
		{ { UDP }, 0, false },
		{ { { 0, 0 } }, 400, false },
		{ { { WICE_STUN_REQUESTED_TRANSPORT, 6 } }, 442, false },
		{ { { WICE_STUN_REQUESTED_TRANSPORT, 0 } }, 442, false },
		{ { UDP, FAMILY(1) }, 0, false },
		{ { UDP, FAMILY(2) }, 0, false },
		{ { UDP, FAMILY(3) }, 440, false },
		{ { UDP, FAMILY(0) }, 440, false },
		{ { UDP, MORE(2) }, 0, false },
		{ { UDP, MORE(1) }, 400, false },
		{ { UDP, FAMILY(1), MORE(2) }, 400, false },
		{ { UDP, EVEN(0) }, 0, false },
		{ { UDP, EVEN(0x80) }, 0, false },
		{ { UDP, EVEN(0x80), FAMILY(2) }, 0, false },
		{ { UDP, EVEN(0x80), MORE(2) }, 400, false },
		{ { UDP, EVEN(0), MORE(2) }, 0, false },
		{ { UDP, EVEN(0x80), TOKEN(5) }, 400, false },
		{ { UDP, EVEN(0), TOKEN(5) }, 400, false },
		{ { UDP, TOKEN(5) }, 508, false }, /* there is no such */
		{ { UDP, TOKEN(5), FAMILY(1) }, 400, false },
		{ { UDP, TOKEN(5), MORE(2) }, 400, false },
		{ { UDP, { WICE_STUN_DONT_FRAGMENT, 0 } }, 420, false },
		{ { UDP, { WICE_STUN_DONT_FRAGMENT, 0 } }, 0, true },
		{ { UDP, { 0x7fff, 4 } }, 420, false },
		{ { UDP, { 0xc001, 4 } }, 0, false }, /* need not be understood */
		{ { UDP, { WICE_STUN_MOBILITY_TICKET, 0 } }, 0, false },
		{ { UDP, { WICE_STUN_MOBILITY_TICKET, 3 } }, 400, false },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		lab_init(&lab);
		lab.options.dont_fragment = cases[i].dont_fragment;
		start();
		ck_assert_msg(allocate(cases[i].with) == cases[i].code, "case %zu", i);
		ck_assert_uint_eq(wice__turn_server_n_allocations(lab.server), cases[i].code == 0);
		if (cases[i].code == 420) {
			uint16_t type;
			size_t n;
			ck_assert_int_eq(wice__stun_read_types(&client.answer, &type, 1, &n), 0);
			ck_assert_uint_eq(type, cases[i].with[1].type);
		}
		lab_done(&lab);
	}
}
END_TEST

START_TEST(lifetimes_are_kept_in_bounds)
{
	static const struct {
		uint32_t max;
		int64_t wanted; /* -1: is not said */
		uint32_t granted;
	} cases[] = {
		{ 0, -1, 600 },    { 0, 0, 600 },     { 0, 1, 600 },           { 0, 601, 601 },
		{ 0, 3600, 3600 }, { 0, 3601, 3600 }, { 0, 0x7fffffff, 3600 }, { 1200, 3600, 1200 },
		{ 300, -1, 300 },  { 300, 600, 300 },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const With with[MOST] = { UDP, FOR((uint64_t)cases[i].wanted) };
		lab_init(&lab);
		lab.options.max_lifetime_s = cases[i].max;
		start();
		ck_assert_uint_eq(allocate(cases[i].wanted < 0 ? single : with), 0);
		ck_assert_uint_eq(lab_answered_lifetime(&client), cases[i].granted);
		lab_wait(&lab, cases[i].granted - 1);
		ck_assert_uint_eq(lab.n_ended, 0);
		lab_wait(&lab, 1);
		ck_assert_uint_eq(lab.n_ended, 1);
		ck_assert_uint_eq(lab.n_closed, 1);
		lab_done(&lab);
	}
}
END_TEST

START_TEST(addresses_are_those_of_the_families_asked_for)
{
	static const struct {
		With family;
		int refuse_ipv4, refuse_ipv6;
		uint16_t code;
		bool ipv4, ipv6;
		uint16_t missing; /* code of ADDRESS-ERROR-CODE */
	} cases[] = {
		{ { 0 }, 0, 0, 0, true, false, 0 },
		{ FAMILY(1), 0, 0, 0, true, false, 0 },
		{ FAMILY(2), 0, 0, 0, false, true, 0 },
		{ MORE(2), 0, 0, 0, true, true, 0 },
		{ MORE(2), 0, -EAFNOSUPPORT, 0, true, false, 440 },
		{ MORE(2), 0, -EMFILE, 0, true, false, 508 },
		{ MORE(2), -EAFNOSUPPORT, 0, 0, false, true, 440 },
		{ MORE(2), -EAFNOSUPPORT, -EAFNOSUPPORT, 440, false, false, 0 },
		{ { 0 }, -EAFNOSUPPORT, 0, 440, false, false, 0 },
		{ FAMILY(2), 0, -EAFNOSUPPORT, 440, false, false, 0 },
		{ FAMILY(2), 0, -EADDRINUSE, 508, false, false, 0 },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const With with[MOST] = { UDP, cases[i].family };
		WiceSpan error;
		WiceEndpoint relayed;
		lab_init(&lab);
		lab.refuse_ipv4 = cases[i].refuse_ipv4;
		lab.refuse_ipv6 = cases[i].refuse_ipv6;
		start();
		ck_assert_msg(allocate(with) == cases[i].code, "case %zu", i);
		ck_assert_uint_eq(lab.n_opened, (unsigned)cases[i].ipv4 + cases[i].ipv6);
		ck_assert_uint_eq(wice__turn_server_n_allocations(lab.server), cases[i].code == 0);
		if (cases[i].code == 0) {
			relayed = lab_answered_address(&client, WICE_STUN_XOR_RELAYED_ADDRESS);
			ck_assert_uint_eq(relayed.address.family,
					  cases[i].ipv4 ? WICE_FAMILY_IPV4 : WICE_FAMILY_IPV6);
			ck_assert_int_eq(wice__stun_read_bytes(&client.answer,
							       WICE_STUN_ADDRESS_ERROR_CODE,
							       &error),
					 cases[i].missing ? 0 : -ENOENT);
		}
		if (cases[i].missing) {
			const uint8_t *value = error.data;
			ck_assert_uint_eq(value[0], cases[i].ipv4 ? 2 : 1);
			ck_assert_uint_eq(value[2] * 100u + value[3], cases[i].missing);
		}
		ck_assert_uint_eq(lab.n_ended, 0);
		lab_done(&lab);
		ck_assert_uint_eq(lab.n_ended, cases[i].code == 0);
	}
}
END_TEST

START_TEST(an_even_port_and_the_next_one)
{
	uint64_t token;
	lab_init(&lab);
	start();
	ck_assert_uint_eq(allocate(pair), 0);
	ck_assert_uint_eq(lab.last_kind, WICE_TURN_PORT_PAIR);
	WiceEndpoint first = lab_answered_address(&client, WICE_STUN_XOR_RELAYED_ADDRESS);
	ck_assert_int_eq(wice__stun_read_u64(&client.answer, WICE_STUN_RESERVATION_TOKEN, &token),
			 0);
	/* Of use to its user only, and once. */
	const With second[MOST] = { UDP, TOKEN(token) };
	client = lab_client("192.0.2.1:1001", 0);
	client.username = "user2";
	ck_assert_uint_eq(allocate(second), 508);
	client = lab_client("192.0.2.1:1001", 0);
	ck_assert_uint_eq(allocate(second), 0);
	WiceEndpoint next = lab_answered_address(&client, WICE_STUN_XOR_RELAYED_ADDRESS);
	ck_assert_uint_eq(next.port, first.port + 1);
	ck_assert_uint_eq(lab.n_kept, 0);
	client = lab_client("192.0.2.1:1002", 0);
	ck_assert_uint_eq(allocate(second), 508);
	lab_done(&lab);
	ck_assert_uint_eq(lab.n_given_up, 0);
}
END_TEST

START_TEST(a_reserved_port_is_given_up_after_30_s)
{
	lab_init(&lab);
	start();
	ck_assert_uint_eq(allocate(pair), 0);
	lab_wait(&lab, 29);
	ck_assert_uint_eq(lab.n_given_up, 0);
	lab_wait(&lab, 1);
	ck_assert_uint_eq(lab.n_given_up, 1);
	lab_done(&lab);

	lab_init(&lab);
	lab.events.give_up_port = NULL;
	start();
	ck_assert_uint_eq(allocate(pair), 508);
	lab_done(&lab);
}
END_TEST

START_TEST(the_same_allocate_gets_the_same_answer)
{
	uint8_t first[WICE_TURN_ANSWER_SIZE];
	size_t len;
	lab_init(&lab);
	start();
	ck_assert_uint_eq(lab_allocate(&lab, &client, 0), 0);
	len = client.answer.len;
	memcpy(first, client.answer_bytes, len);
	client.retry = true;
	ck_assert_uint_eq(lab_allocate(&lab, &client, 0), 0);
	ck_assert_uint_eq(client.answer.len, len);
	ck_assert_mem_eq(first, client.answer_bytes, len);
	ck_assert_uint_eq(lab.n_opened, 1);
	/* Another one is refused, of another user too. */
	ck_assert_uint_eq(lab_allocate(&lab, &client, 0), 437);
	client.username = "user2";
	client.retry = true;
	ck_assert_uint_eq(lab_allocate(&lab, &client, 0), 437);
	/* Nor does the old one count when the allocation has gone. */
	client.username = "user";
	ck_assert_uint_eq(lab_refresh(&lab, &client, 0), 0);
	ck_assert_uint_eq(lab_allocate(&lab, &client, 0), 0);
	ck_assert_uint_eq(lab.n_opened, 2);
	lab_done(&lab);
}
END_TEST

/* A pattern with a number in the place of its '#'. */
static void number_text(char *to, size_t size, const char *pattern, unsigned number)
{
	const char *mark = strchr(pattern, '#');
	int before = mark ? (int)(mark - pattern) : (int)strlen(pattern);
	if (mark)
		g_snprintf(to, size, "%.*s%u%s", before, pattern, number, mark + 1);
	else
		g_strlcpy(to, pattern, size);
}

START_TEST(quotas_are_kept)
{
	static const struct {
		uint32_t total, per_user, per_address;
		const char *users, *addresses;
		unsigned fit;
		uint16_t code;
	} cases[] = {
		{ 5, 0, 0, "user#", "192.0.2.#:1000", 5, 508 },
		{ 0, 3, 0, "user", "192.0.2.#:1000", 3, 486 },
		{ 0, 0, 4, "user#", "192.0.2.1:#", 4, 486 },
		{ 0, 0, 4, "user#", "[2001:db8::#]:1000", 4, 486 },       /* one /64 */
		{ 20, 0, 4, "user#", "[2001:db8:0:#::1]:1000", 20, 508 }, /* many */
		{ 0, 0, 0, "user", "192.0.2.#:1000", 10, 486 },
		{ 0, 0, 0, "user#", "192.0.2.1:#", 50, 486 },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		LabClient clients[64];
		char users[64][16], address[64];
		lab_init(&lab);
		lab.options.max_allocations = cases[i].total;
		lab.options.max_per_user = cases[i].per_user;
		lab.options.max_per_address = cases[i].per_address;
		lab_start(&lab);
		for (unsigned n = 0; n <= cases[i].fit; n++) {
			number_text(users[n], sizeof users[n], cases[i].users, n + 1);
			number_text(address, sizeof address, cases[i].addresses, n + 1);
			clients[n] = lab_client(address, 0);
			clients[n].username = users[n];
			ck_assert_msg(lab_allocate(&lab, &clients[n], WICE_STUN_FAMILY_IPV4) ==
					      (n < cases[i].fit ? 0 : cases[i].code),
				      "case %zu, %u", i, n);
		}
		/* Who goes makes room. */
		ck_assert_uint_eq(lab_refresh(&lab, &clients[0], 0), 0);
		ck_assert_uint_eq(lab_allocate(&lab, &clients[cases[i].fit], 0), 0);
		lab_done(&lab);
	}
}
END_TEST

START_TEST(a_reserved_port_counts)
{
	lab_init(&lab);
	lab.options.max_per_user = 2;
	start();
	ck_assert_uint_eq(allocate(pair), 0);
	client = lab_client("192.0.2.1:1001", 0);
	ck_assert_uint_eq(allocate(single), 486);
	lab_wait(&lab, 30);
	ck_assert_uint_eq(allocate(pair), 486);
	ck_assert_uint_eq(allocate(single), 0);
	lab_done(&lab);
}
END_TEST

START_TEST(the_owner_has_the_last_word)
{
	static const uint16_t codes[] = { 0, 403, 486 };
	for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
		lab_init(&lab);
		lab.authorised = codes[i];
		start();
		ck_assert_uint_eq(lab_allocate(&lab, &client, 0), codes[i]);
		ck_assert_uint_eq(lab.n_opened, codes[i] == 0);
		lab_done(&lab);
	}
}
END_TEST

START_TEST(who_drains_takes_nobody_and_keeps_those_there_are)
{
	WiceEndpoint other = lab_endpoint("198.51.100.1:3478");
	lab_init(&lab);
	start();
	ck_assert_uint_eq(lab_allocate(&lab, &client, 0), 0);
	wice__turn_server_drain(lab.server, NULL);
	LabClient next = lab_client("192.0.2.1:1001", 0);
	LabClient ipv6 = lab_client("[2001:db8::1]:1001", 0);
	ck_assert_uint_eq(lab_allocate(&lab, &next, 0), 508);
	wice__turn_server_drain(lab.server, &other);
	ck_assert_uint_eq(lab_allocate(&lab, &next, 0), 300);
	WiceEndpoint told = lab_answered_address(&next, WICE_STUN_ALTERNATE_SERVER);
	ck_assert_int_eq(wice_endpoint_compare(&told, &other), 0);
	ck_assert_uint_eq(lab_allocate(&lab, &ipv6, 0), 508);
	ck_assert_uint_eq(lab_refresh(&lab, &client, 600), 0);
	ck_assert_uint_eq(lab_bind(&lab, &client, 0x4000, "198.51.100.9:9"), 0);
	lab_done(&lab);
}
END_TEST

SUITE_MAIN("turn server allocations", what_an_allocate_may_ask_for, lifetimes_are_kept_in_bounds,
	   addresses_are_those_of_the_families_asked_for, an_even_port_and_the_next_one,
	   a_reserved_port_is_given_up_after_30_s, the_same_allocate_gets_the_same_answer,
	   quotas_are_kept, a_reserved_port_counts, the_owner_has_the_last_word,
	   who_drains_takes_nobody_and_keeps_those_there_are)
