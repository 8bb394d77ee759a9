/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The mapping in virtual time, in a world of servers that see us behind NATs of several kinds. */
#include "suite.h"

#include <glib.h>
#include <string.h>

#include "stun/attributes.h"
#include "stun/mapping.h"
#include "stun/message.h"
#include "stun/responder.h"

#define KEEPALIVE WICE_STUN_MAPPING_KEEPALIVE_MS
#define GIVES_UP 6000 /* a probe does */
#define MAX_SERVERS 4
#define RTT 30

static GRand *randomness;

static void fill_random(void *buffer, size_t len)
{
	if (!randomness)
		randomness = g_rand_new_with_seed(42);
	for (size_t i = 0; i < len; i++)
		((uint8_t *)buffer)[i] = (uint8_t)g_rand_int(randomness);
}

static WiceEndpoint endpoint_of(const char *text)
{
	WiceEndpoint endpoint = { 0 };
	ck_assert(!text || wice_endpoint_parse(text, &endpoint));
	return endpoint;
}

static void assert_endpoint(const WiceEndpoint *endpoint, const char *expected)
{
	char text[WICE_ENDPOINT_SIZE];
	ck_assert_str_eq(wice_endpoint_format(endpoint, text), expected);
}

#define BASE "10.0.0.2:51820"
#define OTHER_BASE "10.9.0.2:51820"
#define SEEN "198.51.100.7:51820"
#define SEEN_TOO "198.51.100.7:60001"

static const char *const addresses[MAX_SERVERS] = {
	"192.0.2.1:3478", "192.0.2.2:3478", "192.0.2.3:3478",
	"192.0.2.1:3479", /* another port of the first */
};

typedef struct {
	const char *sees; /* NULL: the server is silent */
	const char *base; /* that our packets to it leave from; NULL: BASE */
	unsigned n_asked;
} Server;

typedef struct {
	WiceStunMapping mapping;
	int64_t now;
	Server servers[MAX_SERVERS];
	unsigned n_changes;
} World;

static void answer(World *world, Server *server, const WiceEndpoint *to, const uint8_t *request)
{
	uint8_t response[WICE_STUN_RESPONSE_MAX];
	WiceEndpoint seen = endpoint_of(server->sees);
	WiceEndpoint base = endpoint_of(server->base ? server->base : BASE);
	size_t len = wice__stun_respond(request, WICE_STUN_PROBE_REQUEST_LEN, &seen, response);
	ck_assert_uint_gt(len, 0);
	world->n_changes +=
		wice__stun_mapping_input(&world->mapping, response, len, to, &base, world->now);
}

static Server *find_server(World *world, const WiceEndpoint *endpoint)
{
	for (unsigned i = 0; i < MAX_SERVERS; i++) {
		WiceEndpoint server = endpoint_of(addresses[i]);
		if (wice_endpoint_compare(&server, endpoint) == 0)
			return &world->servers[i];
	}
	ck_abort_msg("an unknown server was asked");
	return NULL;
}

/* What is due now; all answers arrive RTT later, in order. */
static void exchange(World *world)
{
	struct {
		Server *server;
		WiceEndpoint to;
		uint8_t request[WICE_STUN_PROBE_REQUEST_LEN];
	} sent[16];
	size_t n = 0;
	world->n_changes += wice__stun_mapping_advance(&world->mapping, world->now);
	while (n < G_N_ELEMENTS(sent) && wice__stun_mapping_output(&world->mapping, world->now,
								   &sent[n].to, sent[n].request)) {
		sent[n].server = find_server(world, &sent[n].to);
		sent[n].server->n_asked++;
		n += sent[n].server->sees != NULL;
	}
	world->now += n ? RTT : 0;
	for (size_t i = 0; i < n; i++)
		answer(world, sent[i].server, &sent[i].to, sent[i].request);
}

/* Lets time pass, ms of it, or a little more. */
static void pass(World *world, int64_t ms)
{
	int64_t end = world->now + ms;
	for (;;) {
		int64_t deadline = wice__stun_mapping_deadline(&world->mapping);
		if (deadline > end)
			break;
		world->now = MAX(world->now, deadline);
		exchange(world);
	}
	world->now = MAX(world->now, end);
}

static void set_servers(World *world, size_t n)
{
	WiceEndpoint servers[MAX_SERVERS];
	for (size_t i = 0; i < n; i++)
		servers[i] = endpoint_of(addresses[i]);
	wice__stun_mapping_set_servers(&world->mapping, servers, n, world->now);
}

static void start(World *world, size_t n_servers, const Server servers[MAX_SERVERS])
{
	*world = (World){ .now = 1000 };
	for (size_t i = 0; i < n_servers; i++)
		world->servers[i] = servers[i];
	wice__stun_mapping_init(&world->mapping, fill_random);
	set_servers(world, n_servers);
}

/* How often each has been asked since the last time, as "1 0 2". */
static void expect_asked(World *world, size_t n, const char *expected)
{
	GString *text = g_string_new(NULL);
	for (size_t i = 0; i < n; i++) {
		g_string_append_printf(text, "%s%u", i ? " " : "", world->servers[i].n_asked);
		world->servers[i].n_asked = 0;
	}
	ck_assert_str_eq(text->str, expected);
	g_string_free(text, TRUE);
}

/* mapped NULL: nothing is known. */
static void expect(World *world, const char *mapped, const char *base, WiceNatMapping nat)
{
	ck_assert_uint_eq(world->mapping.has_mapped, mapped != NULL);
	if (mapped) {
		assert_endpoint(&world->mapping.mapped, mapped);
		assert_endpoint(&world->mapping.base, base);
	}
	ck_assert_str_eq(wice_nat_mapping_name(world->mapping.nat), wice_nat_mapping_name(nat));
}

static void expect_changes(World *world, bool some)
{
	ck_assert_uint_eq(world->n_changes > 0, some);
	world->n_changes = 0;
}

START_TEST(without_servers_nothing_is_due)
{
	World world;
	start(&world, 0, NULL);
	ck_assert_int_eq(wice__stun_mapping_deadline(&world.mapping), INT64_MAX);
	ck_assert(wice__stun_mapping_is_settled(&world.mapping));
	wice__stun_mapping_restart(&world.mapping, world.now);
	ck_assert_int_eq(wice__stun_mapping_deadline(&world.mapping), INT64_MAX);
	ck_assert(!wice__stun_mapping_advance(&world.mapping, INT64_MAX - 1));
	expect(&world, NULL, NULL, WICE_NAT_UNKNOWN);
	ck_assert(!world.mapping.failed);
}
END_TEST

/* What some servers see, and what that shows. */
static const struct {
	Server servers[MAX_SERVERS];
	const char *mapped;
	WiceNatMapping nat;
} views[] = {
	{ { { NULL } }, NULL, WICE_NAT_UNKNOWN },
	{ { { NULL }, { NULL }, { NULL }, { NULL } }, NULL, WICE_NAT_UNKNOWN },
	{ { { SEEN } }, SEEN, WICE_NAT_PRESENT },
	{ { { BASE } }, BASE, WICE_NAT_NONE },
	{ { { BASE }, { BASE } }, BASE, WICE_NAT_NONE },
	{ { { NULL }, { SEEN } }, SEEN, WICE_NAT_PRESENT },
	{ { { SEEN }, { SEEN } }, SEEN, WICE_NAT_ENDPOINT_INDEPENDENT },
	{ { { SEEN }, { SEEN }, { SEEN } }, SEEN, WICE_NAT_ENDPOINT_INDEPENDENT },
	{ { { SEEN }, { SEEN_TOO } }, SEEN, WICE_NAT_ENDPOINT_DEPENDENT },
	{ { { SEEN }, { SEEN }, { SEEN_TOO } }, SEEN, WICE_NAT_ENDPOINT_DEPENDENT },
	/* Two ports of one address show nothing about other addresses if they agree. */
	{ { { SEEN }, { NULL }, { NULL }, { SEEN } }, SEEN, WICE_NAT_PRESENT },
	{ { { SEEN }, { NULL }, { NULL }, { SEEN_TOO } }, SEEN, WICE_NAT_ENDPOINT_DEPENDENT },
	/* A server on this side of the NAT. */
	{ { { BASE }, { SEEN } }, SEEN, WICE_NAT_PRESENT },
	{ { { SEEN }, { BASE } }, SEEN, WICE_NAT_PRESENT },
	{ { { BASE }, { SEEN }, { SEEN } }, SEEN, WICE_NAT_ENDPOINT_INDEPENDENT },
	/* Two uplinks, each with a NAT of its own. */
	{ { { SEEN }, { SEEN_TOO, OTHER_BASE } }, SEEN, WICE_NAT_PRESENT },
	{ { { SEEN }, { SEEN_TOO, OTHER_BASE }, { SEEN } }, SEEN, WICE_NAT_ENDPOINT_INDEPENDENT },
	{ { { SEEN }, { SEEN_TOO, OTHER_BASE }, { SEEN_TOO } }, SEEN, WICE_NAT_ENDPOINT_DEPENDENT },
};

START_TEST(servers_show_how_the_nat_maps)
{
	for (size_t i = 0; i < G_N_ELEMENTS(views); i++) {
		World world;
		start(&world, MAX_SERVERS, views[i].servers);
		ck_assert(!wice__stun_mapping_is_settled(&world.mapping));
		expect(&world, NULL, NULL, WICE_NAT_UNKNOWN);
		pass(&world, GIVES_UP);
		expect(&world, views[i].mapped, BASE, views[i].nat);
		ck_assert(wice__stun_mapping_is_settled(&world.mapping));
		ck_assert_uint_eq(world.mapping.failed, !views[i].mapped);
		expect_changes(&world, true);
	}
}
END_TEST

START_TEST(the_first_answer_is_known_at_once)
{
	World world;
	start(&world, 2, (Server[MAX_SERVERS]){ { NULL }, { SEEN } });
	exchange(&world);
	expect(&world, SEEN, BASE, WICE_NAT_PRESENT);
	expect_changes(&world, true);
	ck_assert(!wice__stun_mapping_is_settled(&world.mapping));
	pass(&world, GIVES_UP);
	ck_assert(wice__stun_mapping_is_settled(&world.mapping));
	ck_assert_uint_eq(world.n_changes, 1); /* that it is settled */
}
END_TEST

START_TEST(one_server_is_asked_every_20_s)
{
	World world;
	start(&world, 3, (Server[MAX_SERVERS]){ { NULL }, { SEEN }, { SEEN } });
	pass(&world, GIVES_UP);
	expect_asked(&world, 3, "6 1 1");
	expect_changes(&world, true);
	ck_assert_int_eq(wice__stun_mapping_deadline(&world.mapping), 1000 + KEEPALIVE);
	pass(&world, KEEPALIVE - GIVES_UP - 1);
	expect_asked(&world, 3, "0 0 0");
	pass(&world, 1);
	expect_asked(&world, 3, "0 1 0");
	pass(&world, 100 * (int64_t)KEEPALIVE);
	expect_asked(&world, 3, "0 100 0");
	expect(&world, SEEN, BASE, WICE_NAT_ENDPOINT_INDEPENDENT);
	expect_changes(&world, false);
}
END_TEST

START_TEST(a_nat_that_maps_by_destination_is_not_taken_for_one_that_changes)
{
	World world;
	start(&world, 2, (Server[MAX_SERVERS]){ { SEEN }, { SEEN_TOO } });
	pass(&world, GIVES_UP);
	expect_changes(&world, true);
	expect_asked(&world, 2, "1 1");
	pass(&world, 10 * (int64_t)KEEPALIVE);
	expect_asked(&world, 2, "10 0");
	expect(&world, SEEN, BASE, WICE_NAT_ENDPOINT_DEPENDENT);
	expect_changes(&world, false);
}
END_TEST

START_TEST(a_lost_keepalive_is_repeated)
{
	World world;
	start(&world, 2, (Server[MAX_SERVERS]){ { SEEN }, { SEEN } });
	pass(&world, KEEPALIVE - 1);
	expect_asked(&world, 2, "1 1");
	expect_changes(&world, true);
	world.servers[0].sees = NULL;
	pass(&world, 600);
	expect_asked(&world, 2, "3 0");
	world.servers[0].sees = SEEN;
	pass(&world, KEEPALIVE - 600);
	expect_asked(&world, 2, "1 0"); /* the one that is answered; the next is not due yet */
	expect(&world, SEEN, BASE, WICE_NAT_ENDPOINT_INDEPENDENT);
	expect_changes(&world, false);
}
END_TEST

START_TEST(a_changed_mapping_makes_all_be_asked)
{
	World world;
	start(&world, 2, (Server[MAX_SERVERS]){ { SEEN }, { SEEN } });
	pass(&world, KEEPALIVE - 1);
	expect_asked(&world, 2, "1 1");
	world.n_changes = 0;
	world.servers[0].sees = SEEN_TOO;
	world.servers[1].sees = "198.51.100.7:60002";
	pass(&world, 1000);
	expect_asked(&world, 2, "2 1");
	expect(&world, SEEN_TOO, BASE, WICE_NAT_ENDPOINT_DEPENDENT);
	expect_changes(&world, true);
}
END_TEST

START_TEST(another_base_is_a_change)
{
	World world;
	start(&world, 2, (Server[MAX_SERVERS]){ { SEEN }, { SEEN } });
	pass(&world, KEEPALIVE - 1);
	world.n_changes = 0;
	world.servers[0].base = OTHER_BASE;
	world.servers[1].base = OTHER_BASE;
	pass(&world, 1000);
	expect(&world, SEEN, OTHER_BASE, WICE_NAT_ENDPOINT_INDEPENDENT);
	expect_changes(&world, true);
}
END_TEST

START_TEST(others_take_over_from_a_server_that_dies)
{
	World world;
	start(&world, 3, (Server[MAX_SERVERS]){ { SEEN }, { SEEN }, { SEEN } });
	pass(&world, KEEPALIVE - 1);
	expect_asked(&world, 3, "1 1 1");
	expect_changes(&world, true);
	world.servers[0].sees = NULL;
	pass(&world, 2 * GIVES_UP + 100);
	expect_asked(&world, 3, "12 1 1");
	expect(&world, SEEN, BASE, WICE_NAT_ENDPOINT_INDEPENDENT);
	expect_changes(&world, false); /* nobody needs to know */
	pass(&world, 3 * KEEPALIVE);
	expect_asked(&world, 3, "0 3 0");
}
END_TEST

START_TEST(failed_rounds_are_repeated_less_and_less_often)
{
	static const int64_t waits[] = { 5000,   10000,  20000,  40000, 80000,
					 160000, 300000, 300000, 300000 };
	World world;
	start(&world, 2, (Server[MAX_SERVERS]){ { NULL }, { NULL } });
	for (size_t i = 0; i < G_N_ELEMENTS(waits); i++) {
		pass(&world, GIVES_UP);
		expect_asked(&world, 2, "6 6");
		ck_assert(world.mapping.failed);
		expect_changes(&world, i == 0);
		ck_assert_int_eq(wice__stun_mapping_deadline(&world.mapping) - world.now, waits[i]);
		pass(&world, waits[i] - 1);
		expect_asked(&world, 2, "0 0");
		world.now++;
		ck_assert(wice__stun_mapping_is_settled(&world.mapping));
	}
	world.servers[1].sees = SEEN;
	pass(&world, GIVES_UP);
	expect(&world, SEEN, BASE, WICE_NAT_PRESENT);
	ck_assert(!world.mapping.failed);
	expect_changes(&world, true);
	/* And from the start when it happens again. */
	world.servers[1].sees = NULL;
	pass(&world, KEEPALIVE + GIVES_UP);
	ck_assert(world.mapping.failed);
	expect(&world, NULL, NULL, WICE_NAT_UNKNOWN);
	expect_changes(&world, true);
	ck_assert_int_le(wice__stun_mapping_deadline(&world.mapping) - world.now, 5000);
}
END_TEST

START_TEST(a_restart_asks_all_and_forgets_nothing)
{
	World world;
	start(&world, 2, (Server[MAX_SERVERS]){ { SEEN }, { SEEN } });
	pass(&world, 10000);
	expect_asked(&world, 2, "1 1");
	world.n_changes = 0;
	wice__stun_mapping_restart(&world.mapping, world.now);
	expect(&world, SEEN, BASE, WICE_NAT_ENDPOINT_INDEPENDENT);
	ck_assert(wice__stun_mapping_is_settled(&world.mapping));
	pass(&world, 1000);
	expect_asked(&world, 2, "1 1");
	expect(&world, SEEN, BASE, WICE_NAT_ENDPOINT_INDEPENDENT);
	expect_changes(&world, false);
	ck_assert_int_eq(wice__stun_mapping_deadline(&world.mapping) - world.now, KEEPALIVE - 1000);
}
END_TEST

START_TEST(a_restart_ends_the_wait_after_a_failure)
{
	World world;
	start(&world, 1, (Server[MAX_SERVERS]){ { NULL } });
	pass(&world, GIVES_UP + 5000 + GIVES_UP + 10000 + GIVES_UP);
	world.n_changes = 0;
	world.servers[0].sees = SEEN;
	wice__stun_mapping_restart(&world.mapping, world.now);
	ck_assert(!wice__stun_mapping_is_settled(&world.mapping));
	exchange(&world);
	expect(&world, SEEN, BASE, WICE_NAT_PRESENT);
	ck_assert(wice__stun_mapping_is_settled(&world.mapping));
	expect_changes(&world, true);
}
END_TEST

START_TEST(answers_to_what_was_asked_before_a_restart_do_not_count)
{
	World world;
	uint8_t request[WICE_STUN_PROBE_REQUEST_LEN];
	WiceEndpoint to;
	start(&world, 1, (Server[MAX_SERVERS]){ { SEEN } });
	ck_assert(wice__stun_mapping_output(&world.mapping, world.now, &to, request));
	wice__stun_mapping_restart(&world.mapping, world.now);
	answer(&world, &world.servers[0], &to, request);
	expect(&world, NULL, NULL, WICE_NAT_UNKNOWN);
	exchange(&world);
	expect(&world, SEEN, BASE, WICE_NAT_PRESENT);
	/* Nor twice, nor when nobody is asked. */
	world.n_changes = 0;
	world.servers[0].sees = SEEN_TOO;
	answer(&world, &world.servers[0], &to, request);
	expect(&world, SEEN, BASE, WICE_NAT_PRESENT);
	expect_changes(&world, false);
}
END_TEST

START_TEST(other_servers_make_a_new_start)
{
	World world;
	start(&world, 2, (Server[MAX_SERVERS]){ { SEEN }, { SEEN } });
	pass(&world, 1000);
	WiceEndpoint turned[] = {
		endpoint_of(addresses[1]),
		endpoint_of(addresses[0]),
		endpoint_of(addresses[1]),
		endpoint_of(NULL),
	};
	wice__stun_mapping_set_servers(&world.mapping, turned, 4, world.now);
	expect(&world, SEEN, BASE, WICE_NAT_ENDPOINT_INDEPENDENT);
	ck_assert_int_eq(wice__stun_mapping_deadline(&world.mapping) - world.now, KEEPALIVE - 1000);

	wice__stun_mapping_set_servers(&world.mapping, turned, 1, world.now);
	expect(&world, NULL, NULL, WICE_NAT_UNKNOWN);
	ck_assert(!wice__stun_mapping_is_settled(&world.mapping));
	pass(&world, 1000);
	expect(&world, SEEN, BASE, WICE_NAT_PRESENT);

	wice__stun_mapping_set_servers(&world.mapping, NULL, 0, world.now);
	expect(&world, NULL, NULL, WICE_NAT_UNKNOWN);
	ck_assert_int_eq(wice__stun_mapping_deadline(&world.mapping), INT64_MAX);
}
END_TEST

START_TEST(too_many_servers_and_bad_ones_are_ignored)
{
	WiceEndpoint servers[20] = { { .port = 3478 } };
	WiceStunMapping mapping;
	wice__stun_mapping_init(&mapping, fill_random);
	for (unsigned i = 1; i < 20; i++) {
		servers[i] = endpoint_of("192.0.2.0:3478");
		servers[i].address.bytes[3] = (uint8_t)i;
	}
	servers[1].port = 0;
	wice__stun_mapping_set_servers(&mapping, servers, 20, 0);
	ck_assert_uint_eq(mapping.n_servers, WICE_STUN_PROBE_MAX_SERVERS);
	assert_endpoint(&mapping.servers[0], "192.0.2.2:3478");
}
END_TEST

/* What a stranger can send: all but the right answer. */
START_TEST(hostile_packets_change_nothing)
{
	World world;
	uint8_t request[WICE_STUN_PROBE_REQUEST_LEN], response[WICE_STUN_RESPONSE_MAX];
	WiceEndpoint to, base = endpoint_of(BASE), seen = endpoint_of(SEEN), none = { 0 };
	WiceEndpoint stranger = endpoint_of("203.0.113.66:3478");
	start(&world, 1, (Server[MAX_SERVERS]){ { SEEN } });
	WiceStunMapping *mapping = &world.mapping;
	ck_assert(wice__stun_mapping_output(mapping, world.now, &to, request));
	size_t len = wice__stun_respond(request, sizeof request, &seen, response);
	WiceStunMapping before = *mapping;

	ck_assert(!wice__stun_mapping_input(mapping, response, len, &stranger, &base, world.now));
	ck_assert(!wice__stun_mapping_input(mapping, response, len, &to, &none, world.now));
	for (size_t i = 0; i < len; i++)
		ck_assert(!wice__stun_mapping_input(mapping, response, i, &to, &base, world.now));
	for (size_t i = 0; i < WICE_STUN_HEADER_LEN; i++) {
		response[i] ^= 0x20;
		ck_assert(!wice__stun_mapping_input(mapping, response, len, &to, &base, world.now));
		response[i] ^= 0x20;
	}
	ck_assert_mem_eq(mapping, &before, sizeof before);
	ck_assert(wice__stun_mapping_input(mapping, response, len, &to, &base, world.now));
	expect(&world, SEEN, BASE, WICE_NAT_PRESENT);
}
END_TEST

/* What is due cannot be sent. */
static void cannot_send(World *world)
{
	WiceEndpoint to;
	uint8_t request[WICE_STUN_PROBE_REQUEST_LEN];
	world->n_changes += wice__stun_mapping_advance(&world->mapping, world->now);
	while (wice__stun_mapping_output(&world->mapping, world->now, &to, request))
		world->n_changes +=
			wice__stun_mapping_unreachable(&world->mapping, &to, world->now);
}

START_TEST(nobody_waits_for_servers_that_cannot_be_reached)
{
	World world;
	start(&world, 2, (Server[MAX_SERVERS]){ { SEEN }, { SEEN } });
	cannot_send(&world);
	ck_assert(wice__stun_mapping_is_settled(&world.mapping));
	ck_assert(world.mapping.failed);
	ck_assert_uint_eq(world.n_changes, 1);
	ck_assert_int_eq(wice__stun_mapping_deadline(&world.mapping) - world.now, 5000);
	pass(&world, 5000);
	expect(&world, SEEN, BASE, WICE_NAT_ENDPOINT_INDEPENDENT);
	ck_assert(!world.mapping.failed);
	/* Nor does what is known outlive the way to all of them. */
	world.n_changes = 0;
	world.now = wice__stun_mapping_deadline(&world.mapping);
	cannot_send(&world);
	expect(&world, NULL, NULL, WICE_NAT_UNKNOWN);
	ck_assert_uint_eq(world.n_changes, 1);
	ck_assert(!wice__stun_mapping_unreachable(&world.mapping, &world.mapping.servers[0],
						  world.now));
}
END_TEST

START_TEST(a_server_of_rfc_3489_is_asked_in_its_form)
{
	World world;
	WiceEndpoint to;
	uint8_t request[WICE_STUN_PROBE_REQUEST_LEN];
	start(&world, 1, (Server[MAX_SERVERS]){ { SEEN } });
	for (;;) {
		world.now = wice__stun_mapping_deadline(&world.mapping);
		ck_assert(!wice__stun_mapping_advance(&world.mapping, world.now));
		ck_assert(wice__stun_mapping_output(&world.mapping, world.now, &to, request));
		if (wice__stun_get_u32(request + 4) != WICE_STUN_COOKIE)
			break;
	}
	ck_assert_int_le(world.now, 1500);
	answer(&world, &world.servers[0], &to, request);
	expect(&world, SEEN, BASE, WICE_NAT_PRESENT);
}
END_TEST

START_TEST(a_caller_that_only_asks_for_output_does_not_get_stuck)
{
	World world;
	WiceEndpoint to;
	uint8_t request[WICE_STUN_PROBE_REQUEST_LEN];
	start(&world, 1, (Server[MAX_SERVERS]){ { NULL } });
	for (unsigned i = 0; i < 6; i++)
		ck_assert(wice__stun_mapping_output(&world.mapping, world.now + i * GIVES_UP, &to,
						    request));
	world.now += 7 * GIVES_UP;
	ck_assert(!wice__stun_mapping_output(&world.mapping, world.now, &to, request));
	ck_assert_int_le(wice__stun_mapping_deadline(&world.mapping), world.now);
	ck_assert(wice__stun_mapping_advance(&world.mapping, world.now));
	ck_assert(world.mapping.failed);
}
END_TEST

START_TEST(a_clock_that_jumps_ahead_does_no_harm)
{
	World world;
	start(&world, 2, (Server[MAX_SERVERS]){ { SEEN }, { SEEN } });
	pass(&world, 1000);
	expect_asked(&world, 2, "1 1");
	world.now += 1000000000;
	exchange(&world);
	expect_asked(&world, 2, "1 0");
	ck_assert_int_eq(wice__stun_mapping_deadline(&world.mapping) - world.now, KEEPALIVE - RTT);
}
END_TEST

SUITE_MAIN("stun mapping", without_servers_nothing_is_due, servers_show_how_the_nat_maps,
	   the_first_answer_is_known_at_once, one_server_is_asked_every_20_s,
	   a_nat_that_maps_by_destination_is_not_taken_for_one_that_changes,
	   a_lost_keepalive_is_repeated, a_changed_mapping_makes_all_be_asked,
	   another_base_is_a_change, others_take_over_from_a_server_that_dies,
	   failed_rounds_are_repeated_less_and_less_often, a_restart_asks_all_and_forgets_nothing,
	   a_restart_ends_the_wait_after_a_failure,
	   answers_to_what_was_asked_before_a_restart_do_not_count, other_servers_make_a_new_start,
	   too_many_servers_and_bad_ones_are_ignored, hostile_packets_change_nothing,
	   nobody_waits_for_servers_that_cannot_be_reached,
	   a_server_of_rfc_3489_is_asked_in_its_form,
	   a_caller_that_only_asks_for_output_does_not_get_stuck,
	   a_clock_that_jumps_ahead_does_no_harm)
