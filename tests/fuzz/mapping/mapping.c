/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes are what happens to a mapping: servers that come and go, answer what they like, late,
 * twice or from elsewhere, are silent or out of reach, and time that passes. Whatever it is, the
 * state stays consistent, there is always something to wait for, and few packets are sent.
 */
#include <stdlib.h>
#include <string.h>

#include "stun/attributes.h"
#include "stun/mapping.h"
#include "stun/message.h"
#include "stun/responder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)
#define SENT_MAX 16
#define EVENTS_MAX 4096

enum { SET_SERVERS, RESTART, PASS, ANSWER, REFUSE, GARBAGE, LOSE_WAY, FIND_WAY, N_EVENTS };

typedef struct {
	WiceStunMapping mapping;
	int64_t now;
	bool no_way;
	size_t n_sent; /* of all time; the last ones are kept */
	struct {
		WiceEndpoint to;
		uint8_t request[WICE_STUN_PROBE_REQUEST_LEN];
	} sent[SENT_MAX];
} World;

static void fill_counting(void *buffer, size_t len)
{
	static uint8_t next;
	memset(buffer, next++, len);
}

static WiceEndpoint endpoint_of(uint8_t number)
{
	return (WiceEndpoint){ .address = { WICE_FAMILY_IPV4, { 192, 0, 2, number } },
			       .port = 3478 };
}

static void check(const World *world)
{
	const WiceStunMapping *mapping = &world->mapping;
	bool known = mapping->has_mapped;
	MUST(known == (mapping->nat != WICE_NAT_UNKNOWN));
	MUST(!(known && mapping->failed));
	MUST(known == (mapping->mapped.port != 0));
	MUST(known == (mapping->base.address.family != WICE_FAMILY_NONE));
	MUST(mapping->keeper < WICE_STUN_PROBE_MAX_SERVERS);
	if (mapping->n_servers == 0)
		MUST(!known && wice__stun_mapping_deadline(mapping) == INT64_MAX);
	else
		MUST(wice__stun_mapping_deadline(mapping) > world->now);
	MUST(wice__stun_mapping_deadline(mapping) - world->now <= WICE_STUN_MAPPING_RETRY_MAX_MS ||
	     mapping->n_servers == 0);
}

static void send_due(World *world)
{
	WiceStunMapping *mapping = &world->mapping;
	WiceEndpoint to;
	uint8_t request[WICE_STUN_PROBE_REQUEST_LEN];
	wice__stun_mapping_advance(mapping, world->now);
	for (unsigned n = 0; wice__stun_mapping_output(mapping, world->now, &to, request); n++) {
		/* A round of the keeper and one of all, or two of them. */
		MUST(n < 2 * WICE_STUN_PROBE_MAX_SERVERS);
		if (world->no_way) {
			wice__stun_mapping_unreachable(mapping, &to, world->now);
			continue;
		}
		world->sent[world->n_sent % SENT_MAX].to = to;
		memcpy(world->sent[world->n_sent++ % SENT_MAX].request, request, sizeof request);
	}
}

/* As a main loop does. A round that ends late may have the next one begin at once. */
static void run(World *world)
{
	for (unsigned i = 0; wice__stun_mapping_deadline(&world->mapping) <= world->now; i++) {
		MUST(i < 3);
		send_due(world);
	}
	check(world);
}

static void set_servers(World *world, uint8_t arg)
{
	WiceEndpoint servers[16];
	size_t n = arg & 15;
	for (size_t i = 0; i < n; i++)
		servers[i] = endpoint_of((uint8_t)(i * (1 + (arg >> 4)) & 15));
	wice__stun_mapping_set_servers(&world->mapping, servers, n, world->now);
}

/* To one of the last requests: what it says, and where it comes to, is in arg. */
static void answer(World *world, uint8_t arg, bool refuse)
{
	uint8_t packet[WICE_STUN_RESPONSE_MAX];
	size_t i = arg % SENT_MAX;
	WiceEndpoint seen = endpoint_of(arg >> 6), base = endpoint_of(arg >> 4 & 1);
	if (world->n_sent <= i)
		return;
	size_t len = wice__stun_respond(world->sent[i].request, WICE_STUN_PROBE_REQUEST_LEN, &seen,
					packet);
	if (refuse) {
		WiceStunWriter writer;
		WiceStunMessage request;
		MUST(wice__stun_message_read(&request, world->sent[i].request,
					     WICE_STUN_PROBE_REQUEST_LEN) == 0);
		wice__stun_writer_init_reply(&writer, packet, sizeof packet, WICE_STUN_ERROR,
					     &request);
		wice__stun_write_error(&writer, 500, NULL);
		MUST(wice__stun_writer_finish(&writer, &len) == 0);
	}
	wice__stun_mapping_input(&world->mapping, packet, len, &world->sent[i].to, &base,
				 world->now);
}

static void happen(World *world, uint8_t event, uint8_t arg, const uint8_t *rest, size_t size)
{
	WiceEndpoint source = endpoint_of(arg & 15);
	switch (event % N_EVENTS) {
	case SET_SERVERS:
		set_servers(world, arg);
		break;
	case RESTART:
		wice__stun_mapping_restart(&world->mapping, world->now);
		break;
	case PASS: /* up to 33 s */
		world->now += (int64_t)arg * arg / 2;
		break;
	case ANSWER:
		answer(world, arg, false);
		break;
	case REFUSE:
		answer(world, arg, true);
		break;
	case GARBAGE:
		wice__stun_mapping_input(&world->mapping, rest, size, &source, &source, world->now);
		break;
	case LOSE_WAY:
		world->no_way = true;
		break;
	case FIND_WAY:
		world->no_way = false;
		break;
	}
	run(world);
}

/* When nothing happens any more, all servers are given up, and asked at the slowest pace. */
static void end(World *world)
{
	size_t before;
	for (int i = 0; i < 300 && world->mapping.n_servers > 0; i++) {
		world->now = wice__stun_mapping_deadline(&world->mapping);
		run(world);
	}
	MUST(wice__stun_mapping_is_settled(&world->mapping) && !world->mapping.has_mapped);
	before = world->n_sent;
	int64_t day = world->now + 86400000;
	while (world->mapping.n_servers > 0 && world->now < day) {
		world->now = wice__stun_mapping_deadline(&world->mapping);
		run(world);
	}
	MUST(world->n_sent - before <= 290 * 6 * world->mapping.n_servers);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	World world = { .now = 0 };
	wice__stun_mapping_init(&world.mapping, fill_counting);
	for (size_t i = 0; i + 1 < size && i < EVENTS_MAX; i += 2)
		happen(&world, data[i], data[i + 1], data + i + 2, size - i - 2);
	end(&world);
	return 0;
}
