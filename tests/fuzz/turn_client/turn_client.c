/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes are what happens to a TURN client: what it is asked for, what a server of some kind
 * answers, late, in any order, twice, damaged or not at all, what others send, with the right
 * transaction and even the right key, and time that passes. The played server is honest (unless it
 * is told to refuse), so that the input comes into deep states by itself.
 *
 * Whatever it is: the state only goes forward, nothing is sent after the end, there is always
 * something to wait for, few packets are sent, a channel means one peer, and data comes by channels
 * that are wanted. The played server watches the requests.
 */
#include <stdlib.h>
#include <string.h>

#include "stun/attributes.h"
#include "stun/channel_data.h"
#include "stun/integrity.h"
#include "turn/client.h"
#include "unit/turn/played_server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST PLAYED_MUST
#define FLYING_MAX 32
#define FLYING_MS 10000 /* later packets do not arrive: the numbers of channels count on it */
#define PEERS 16
#define EVENTS_MAX 512
#define PUMP_MAX 70 /* a burst of ChannelBinds and what the allocation may send */
#define OPTIONS_LEN 3
#define DOES_NOT_END 16 /* an option: hours with and without a server cost much */

enum {
	JUMP,
	WAIT,
	SERVE,
	SERVE_ONE,
	DAMAGE,
	BIND,
	UNBIND,
	DATA,
	GARBAGE,
	FORGE,
	CHANGE_SERVER,
	REFUSE,
	SET_CREDENTIALS,
	MOVE,
	CHECK,
	RELEASE,
	CLOSE,
	N_EVENTS
};

typedef struct {
	int64_t at;
	unsigned tuple;
	size_t len;
	uint8_t bytes[WICE_TURN_MAX_PACKET];
} Packet;

typedef struct {
	WiceTurnClient *client;
	PlayedServer server;
	int64_t now;
	unsigned tuple;
	WiceTurnState state; /* as it was seen last */
	size_t n_sent;       /* the last ones are kept */
	Packet flying[FLYING_MAX];
	uint16_t channels[PEERS]; /* 0: not wanted */
} World;

static uint32_t next_random;

/* Transactions must differ; more is not asked for. */
static void fill_random(void *buffer, size_t len)
{
	uint8_t *bytes = buffer;
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)((next_random = next_random * 1664525 + 1013904223) >> 24);
}

static WiceEndpoint peer_of(unsigned n)
{
	return played_peer(n % 2 ? WICE_FAMILY_IPV6 : WICE_FAMILY_IPV4, n);
}

static void check_state(World *world)
{
	WiceTurnState state = wice__turn_client_state(world->client);
	int64_t wait = wice__turn_client_deadline(world->client) - world->now;
	MUST(wait > 0);
	MUST(state >= world->state);
	MUST(world->state != WICE_TURN_RELEASED || state == WICE_TURN_RELEASED);
	MUST(state >= WICE_TURN_RELEASED || wait <= 3600000);
	MUST(state != WICE_TURN_RELEASING || wait <= 2000);
	world->state = state;
}

static void take_event(World *world, const WiceTurnEvent *event)
{
	switch (event->type) {
	case WICE_TURN_EVENT_NOT_BOUND:
		for (size_t i = 0; i < PEERS; i++)
			if (world->channels[i] == event->channel)
				world->channels[i] = 0;
		MUST(event->channel >= WICE_CHANNEL_MIN && event->channel <= WICE_CHANNEL_MAX);
		break;
	case WICE_TURN_EVENT_BOUND:
		MUST(event->channel >= WICE_CHANNEL_MIN && event->channel <= WICE_CHANNEL_MAX);
		break;
	case WICE_TURN_EVENT_FAILED:
		MUST(wice__turn_client_failure(world->client, NULL) != WICE_TURN_OK);
		break;
	default:
		break;
	}
}

/* As an owner does after everything. */
static void pump(World *world)
{
	WiceTurnEvent event;
	Packet *packet = &world->flying[world->n_sent % FLYING_MAX];
	for (size_t n = 0;
	     wice__turn_client_output(world->client, world->now, packet->bytes, &packet->len);
	     n++) {
		MUST(n < PUMP_MAX && world->state < WICE_TURN_RELEASED);
		packet->at = world->now;
		packet->tuple = world->tuple;
		packet = &world->flying[++world->n_sent % FLYING_MAX];
	}
	packet->len = 0; /* what a buffer is used for is up to the client */
	while (wice__turn_client_event(world->client, &event))
		take_event(world, &event);
	check_state(world);
}

/* On the heap, so that AddressSanitizer sees every byte too far. */
static WiceTurnInput give(World *world, const uint8_t *bytes, size_t len)
{
	uint16_t channel = 0;
	WiceSpan data = { NULL, 0 };
	uint8_t *copy = malloc(len ? len : 1);
	if (len)
		memcpy(copy, bytes, len);
	WiceTurnInput input =
		wice__turn_client_input(world->client, copy, len, world->now, &channel, &data);
	if (input == WICE_TURN_INPUT_DATA)
		MUST((const uint8_t *)data.data == copy + WICE_CHANNEL_DATA_HEADER_LEN &&
		     data.len <= len - WICE_CHANNEL_DATA_HEADER_LEN);
	free(copy);
	return input;
}

/* The i-th newest packet reaches the server. Its answer; 0: none. */
static size_t serve(World *world, size_t i, uint8_t ret_answer[PLAYED_ANSWER_SIZE])
{
	if (i >= FLYING_MAX || i >= world->n_sent)
		return 0;
	const Packet *packet = &world->flying[(world->n_sent - 1 - i) % FLYING_MAX];
	if (!packet->len || world->now - packet->at > FLYING_MS)
		return 0;
	return played_server_answer(&world->server, packet->tuple, packet->bytes, packet->len,
				    world->now, ret_answer);
}

static void serve_one(World *world, size_t i)
{
	uint8_t answer[PLAYED_ANSWER_SIZE];
	size_t len = serve(world, i, answer);
	if (len)
		give(world, answer, len);
}

/* All that is sent, in order, until there is nothing more to answer. */
static void serve_all(World *world)
{
	size_t next = world->n_sent > FLYING_MAX ? world->n_sent - FLYING_MAX : 0;
	for (; next < world->n_sent; next++) {
		serve_one(world, world->n_sent - 1 - next);
		pump(world);
	}
}

static void damage(World *world, uint8_t arg, uint8_t next)
{
	uint8_t answer[PLAYED_ANSWER_SIZE];
	size_t len = serve(world, arg >> 6, answer);
	if (!len)
		return;
	answer[(arg & 63u) * len / 64] ^= next;
	give(world, answer, len);
}

/* Attributes as somebody likes them, for a request that is under way. */
static void forge(World *world, uint8_t arg, const uint8_t *rest, size_t size)
{
	uint8_t bytes[PLAYED_ANSWER_SIZE];
	WiceStunMessage request;
	WiceStunWriter writer;
	WiceStunKey key;
	size_t len, i = arg >> 5;
	const Packet *packet = &world->flying[(world->n_sent - 1 - i) % FLYING_MAX];
	if (i >= world->n_sent || !packet->len)
		return;
	MUST(wice__stun_message_read(&request, packet->bytes, packet->len) == 0);
	wice__stun_writer_init_reply(&writer, bytes, sizeof bytes,
				     arg & 1 ? WICE_STUN_SUCCESS : WICE_STUN_ERROR, &request);
	while (size >= 3) {
		uint16_t type = (uint16_t)((rest[0] & 0x80 ? 0x8000 : 0) | (rest[0] & 0x7f));
		len = MIN(rest[1], size - 2);
		if (rest[1] == 0xff)
			break;
		uint8_t *value = wice__stun_writer_add(&writer, type, len);
		if (value)
			memcpy(value, rest + 2, len);
		rest += 2 + len;
		size -= 2 + len;
	}
	WiceSpan name = { "user", 4 }, realm = { PLAYED_REALM, strlen(PLAYED_REALM) },
		 password = { "password", 8 };
	MUST(wice__stun_key_long_term(&key, WICE_STUN_ALGORITHM_MD5, name, realm, password) == 0);
	if (arg & 2)
		wice__stun_write_integrity(&writer, &key);
	if (wice__stun_writer_finish(&writer, &len) == 0)
		give(world, bytes, len);
}

static void bind_peer(World *world, unsigned n)
{
	WiceEndpoint peer = peer_of(n);
	uint16_t channel = 0;
	int err = wice__turn_client_bind(world->client, &peer, world->now, &channel);
	if (err) {
		MUST(channel == 0);
		return;
	}
	MUST(world->state <= WICE_TURN_ALLOCATED);
	for (size_t i = 0; i < PEERS; i++)
		MUST((world->channels[i] == channel) == (i == n && world->channels[n]));
	world->channels[n] = channel;
}

static void give_data(World *world, unsigned n, size_t len)
{
	uint8_t packet[256 + WICE_CHANNEL_DATA_HEADER_LEN] = { 0 };
	uint16_t channel = world->channels[n] ? world->channels[n] : WICE_CHANNEL_MIN;
	bool wanted = world->state < WICE_TURN_RELEASED && world->channels[n];
	for (size_t i = 0; !world->channels[n] && i < PEERS; i++)
		if (world->channels[i] == channel)
			return;
	MUST(wice__channel_data_write(packet, channel, len) == 0);
	WiceTurnInput input = give(world, packet, WICE_CHANNEL_DATA_HEADER_LEN + len);
	MUST((input == WICE_TURN_INPUT_DATA) == wanted);
}

static void unbind_peer(World *world, unsigned n)
{
	wice__turn_client_unbind(world->client, world->channels[n], world->now);
	MUST(!wice__turn_client_is_bound(world->client, world->channels[n]));
	world->channels[n] = 0;
}

static void change_server(World *world, uint8_t arg)
{
	PlayedServer *server = &world->server;
	switch (arg % 8) {
	case 0:
		server->nonce++;
		break;
	case 1:
		played_server_forget(server);
		break;
	case 2:
		server->silent = !server->silent;
		break;
	case 3:
		server->password = arg & 8 ? "another" : "password";
		break;
	case 4:
		server->username = arg & 8 ? "somebody" : "user";
		break;
	case 5:
		server->lifetime_s = (uint32_t)arg * arg;
		break;
	case 6:
		server->unknown[WICE_STUN_CHANNEL_BIND] = arg & 8 ? 0x7abc : 0;
		break;
	default:
		memset(server->error, 0, sizeof server->error);
		break;
	}
}

static void refuse(World *world, uint8_t arg)
{
	static const uint16_t codes[] = { 300, 400, 401, 403, 405, 420, 437, 438,
					  440, 441, 443, 486, 500, 508, 699, 0 };
	static const uint8_t methods[] = { WICE_STUN_ALLOCATE, WICE_STUN_REFRESH,
					   WICE_STUN_CHANNEL_BIND, WICE_STUN_CHANNEL_BIND };
	uint8_t method = methods[arg >> 6];
	world->server.error[method] = codes[arg & 15];
	world->server.n_errors[method] = arg >> 4 & 3;
}

/* From deadline to deadline, with a server that answers or not. */
static void wait_for(World *world, int64_t ms, bool serves)
{
	int64_t until = world->now + ms;
	while (wice__turn_client_deadline(world->client) <= until) {
		world->now = wice__turn_client_deadline(world->client);
		pump(world);
		if (serves)
			serve_all(world);
	}
	world->now = until;
}

static void happen(World *world, uint8_t event, uint8_t arg, const uint8_t *rest, size_t size)
{
	WiceTurnClient *client = world->client;
	switch (event % N_EVENTS) {
	case JUMP: /* up to 32 s */
		world->now += (int64_t)arg * arg / 2;
		break;
	case WAIT: /* up to 21 minutes */
		wait_for(world, (int64_t)(arg >> 1) * 10000, arg & 1);
		break;
	case SERVE:
		serve_all(world);
		break;
	case SERVE_ONE:
		serve_one(world, arg % FLYING_MAX);
		break;
	case DAMAGE:
		damage(world, arg, size ? rest[0] : 1);
		break;
	case BIND:
		bind_peer(world, arg % PEERS);
		break;
	case UNBIND:
		unbind_peer(world, arg % PEERS);
		break;
	case DATA:
		give_data(world, arg % PEERS, arg);
		break;
	case GARBAGE:
		give(world, rest, MIN(size, arg));
		break;
	case FORGE:
		forge(world, arg, rest, size);
		break;
	case CHANGE_SERVER:
		change_server(world, arg);
		break;
	case REFUSE:
		refuse(world, arg);
		break;
	case SET_CREDENTIALS:
		wice__turn_client_set_credentials(client, arg & 1 ? "somebody" : "user",
						  arg & 2   ? "another"
						  : arg & 4 ? NULL
							    : "password");
		break;
	case MOVE:
		world->tuple = arg & 3;
		(void)wice__turn_client_moved(client, world->now);
		break;
	case CHECK:
		wice__turn_client_check(client, world->now);
		break;
	case RELEASE:
		wice__turn_client_release(client, world->now);
		break;
	case CLOSE:
		wice__turn_client_closed(client);
		break;
	}
	pump(world);
}

static void begin(World *world, const uint8_t options[OPTIONS_LEN])
{
	PlayedServer *server = &world->server;
	static const uint16_t algorithms[] = { WICE_STUN_ALGORITHM_SHA256, WICE_STUN_ALGORITHM_MD5,
					       77 };
	played_server_init(server);
	server->open = options[0] & 1;
	server->n_algorithms = options[0] >> 1 & 3;
	memcpy(server->algorithms, algorithms, sizeof algorithms);
	server->hides_names = options[0] & 8;
	server->ipv4 = !(options[0] & 16);
	server->ipv6 = options[0] & 32;
	server->mobility = options[0] & 64;
	server->additional_error = options[0] & 128 ? 400 : 0;
	server->has_alternate = options[2] & 1;
	server->ignores_additional = options[2] & 2;
	server->mobility_error = options[2] & 4 ? 405 : 0;
	server->forges = options[2] & 8;
	WiceTurnClientOptions chosen = {
		.stream = options[1] & 1,
		.username = options[1] & 2 ? NULL : "user",
		.password = options[1] & 2 ? NULL : "password",
		.want_ipv4 = !(options[1] & 4),
		.want_ipv6 = options[1] & 8,
		.mobility = options[1] & 16,
		.rto_ms = options[1] & 32 ? 100 : 0,
		.fill_random = fill_random,
	};
	next_random = options[2];
	world->client = wice__turn_client_new(&chosen, world->now);
	pump(world);
}

/* With a server that answers, twenty minutes cost few packets; with none, it is over soon. */
static void end(World *world)
{
	size_t before = world->n_sent;
	wait_for(world, 1200000, true);
	/* the allocation every 20 s, a channel every 220; and what was under way */
	MUST(world->n_sent - before <= 60 + 20 + PEERS * 20);
	before = world->n_sent;
	wait_for(world, 2 * 3600000, false);
	MUST(wice__turn_client_state(world->client) >= WICE_TURN_RELEASED);
	MUST(world->n_sent - before <= (PEERS * 3 + 2) * 7);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static World world; /* so large that malloc() would ask the kernel for it each time */
	if (size < OPTIONS_LEN)
		return 0;
	memset(&world, 0, sizeof world);
	begin(&world, data);
	for (size_t i = OPTIONS_LEN; i + 1 < size && i < EVENTS_MAX; i += 2)
		happen(&world, data[i], data[i + 1], data + i + 2, size - i - 2);
	if (!(data[2] & DOES_NOT_END))
		end(&world);
	wice__turn_client_free(world.client);
	played_server_done(&world.server);
	return 0;
}
