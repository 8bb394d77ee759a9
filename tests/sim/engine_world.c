/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/engine_world.h"

#include <stdio.h>
#include <string.h>

#include "crypto/key.h"
#include "engine/message.h"
#include "engine/packet.h"

#define IP_HEADER 20
#define ID_LEN 8
#define DATAGRAMS_MAX 16
#define TIMERS_MAX 50 /* runs at one moment; each looks at several peers */
#define REALTIME_START_NS (INT64_C(1700000000) * 1000000000)

/* A packet that was put in. */
typedef struct {
	int from, to;
	bool arrived;
} Sent;

void world_fail(World *world, const char *format, ...)
{
	va_list args;

	if (world->failure)
		return;
	va_start(args, format);
	world->failure = g_strdup_vprintf(format, args);
	va_end(args);
	world_trace(world, "FAILURE: %s", world->failure);
}

void world_trace(World *world, const char *format, ...)
{
	va_list args;
	int64_t ms = world->ms - WORLD_START_MS;

	if (!world->verbose)
		return;
	fprintf(stderr, "%6" G_GINT64_FORMAT ".%03d  ", ms / 1000, (int)(ms % 1000));
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

WiceNow world_now(const World *world, const WorldEnd *end)
{
	return (WiceNow){ world->ms,
			  REALTIME_START_NS + world->ms * 1000000 + end->realtime_leap_ns };
}

/* What a core asks for. */

/* As a system does, refuses to send from an address that the machine no longer has. */
static bool clear_source(const WorldEnd *end, WiceBindPath *path)
{
	if (path->local.family == WICE_FAMILY_NONE ||
	    wice_address_compare(&path->local, &end->address.address) == 0)
		return false;
	path->local = (WiceAddress){ 0 };
	path->ifindex = 0;
	return true;
}

static void on_send(WiceBindPath *path, const WiceBindPacket *packets, size_t n, void *user_data)
{
	WorldEnd *end = user_data;

	end->sources_cleared += clear_source(end, path);
	for (size_t i = 0; i < n; i++) {
		WorldDatagram datagram = { end->address, path->remote, packets[i].data,
					   packets[i].length };

		world_transmit(end->world, &datagram);
	}
}

static void on_route(const WiceEndpoint *remote, WiceBindPath *ret_path, void *user_data)
{
	*ret_path = (WiceBindPath){ .remote = *remote };
}

static void on_random(void *bytes, size_t n, void *user_data)
{
	World *world = ((WorldEnd *)user_data)->world;

	if (world->random) {
		world->random(world, bytes, n);
		return;
	}
	for (size_t i = 0; i < n; i++)
		((uint8_t *)bytes)[i] = (uint8_t)g_rand_int(world->rand);
}

static void on_event(WiceEngineEventType type, const WiceKey *peer, void *user_data)
{
	WorldEnd *end = user_data;

	end->handshaken += type == WICE_ENGINE_PEER_HANDSHAKE;
	end->roamed += type == WICE_ENGINE_PEER_ENDPOINT;
	world_trace(end->world, "%c: %s", 'a' + end->number,
		    type == WICE_ENGINE_PEER_HANDSHAKE ? "handshake complete" : "roamed");
}

static const WiceCoreHooks hooks = {
	.send = on_send,
	.route = on_route,
	.random = on_random,
	.event = on_event,
};

/* Ends. */

static void start(World *world, WorldEnd *end)
{
	WiceDeviceChange change = { .size = sizeof(change),
				    .fields = WICE_DEVICE_HAS_PRIVATE_KEY,
				    .private_key = end->private_key };

	end->core = wice__core_new(wice__aead_find("libsodium"), &hooks, end);
	end->outbound = wice__lane_new(end->core);
	end->inbound = wice__lane_new(end->core);
	wice__core_set_mtu(end->core, 1420);
	wice__core_apply(end->core, &change);
	wice__core_set_up(end->core, true);
}

static void stop(WorldEnd *end)
{
	wice__lane_free(end->outbound);
	wice__lane_free(end->inbound);
	wice__core_free(end->core);
	g_queue_clear_full(&end->handshakes, (GDestroyNotify)(void (*)(void))world_datagram_free);
}

World *world_new(uint32_t seed, int n_ends)
{
	World *world = g_new0(World, 1);

	world->rand = g_rand_new_with_seed(seed);
	world->ms = WORLD_START_MS;
	world->n_ends = n_ends;
	world_network_init(world);
	world->sent = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	for (int i = 0; i < n_ends; i++) {
		WorldEnd *end = &world->ends[i];

		end->world = world;
		end->number = i;
		end->address = (WiceEndpoint){
			{ WICE_FAMILY_IPV4, { 192, 0, 2, (uint8_t)(i + 1) } }, WORLD_PORT, 0
		};
		end->delivered_ids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
		on_random(&end->private_key, sizeof(end->private_key), end);
		wice__key_clamp(&end->private_key);
		wice_key_public(&end->private_key, &end->public_key);
		start(world, end);
	}
	return world;
}

void world_free(World *world)
{
	for (int i = 0; i < world->n_ends; i++) {
		stop(&world->ends[i]);
		g_array_unref(world->ends[i].delivered_ids);
	}
	g_rand_free(world->rand);
	world_network_done(world);
	g_hash_table_unref(world->sent);
	g_free(world->failure);
	g_free(world);
}

void world_restart(World *world, int number)
{
	stop(&world->ends[number]);
	start(world, &world->ends[number]);
	world_excuse(world, number);
	world_trace(world, "%c: restarted", 'a' + number);
}

/* Packets. */

static bool is_awake(const World *world, const WorldEnd *end)
{
	return end->asleep_until_ms <= world->ms;
}

static void run_timers(World *world, WorldEnd *end)
{
	int64_t next = wice__core_deadline(end->core);

	if (end->timers_ms != world->ms)
		end->timers_runs = 0;
	end->timers_ms = world->ms;
	while (next <= world->ms && !world->failure) {
		if (++end->timers_runs > TIMERS_MAX)
			world_fail(world, "timers of %c never come to an end", 'a' + end->number);
		next = wice__core_timers(end->core, world_now(world, end));
		if (next != wice__core_deadline(end->core))
			world_fail(world, "timers of %c give another deadline than there is",
				   'a' + end->number);
	}
}

static void send_runs(World *world, WorldEnd *end, const WiceLaneRun *runs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		WiceBindPath path = runs[i].path;
		unsigned before = end->sources_cleared;

		on_send(&path, runs[i].packets, runs[i].n, end);
		if (end->sources_cleared != before)
			wice__lane_source_cleared(end->outbound, &runs[i]);
	}
	wice__lane_report(end->outbound, world_now(world, end));
	run_timers(world, end);
}

static void seal(World *world, WorldEnd *end, const WicePacket *packets, size_t n)
{
	const WiceLaneRun *runs;

	if (is_awake(world, end)) {
		n = wice__lane_seal(end->outbound, packets, n, world->ms, &runs);
		send_runs(world, end, runs, n);
	}
}

/* The payload is the id, then bytes that follow from it. */
static void write_packet(uint8_t *data, int from, int to, uint64_t id, uint32_t length)
{
	memset(data, (uint8_t)id, length);
	memset(data, 0, IP_HEADER);
	data[0] = 0x45;
	data[2] = (uint8_t)(length >> 8);
	data[3] = (uint8_t)length;
	memcpy(data + 12, (uint8_t[]){ 10, 0, 0, (uint8_t)(from + 1) }, 4);
	memcpy(data + 16, (uint8_t[]){ 10, 0, 0, (uint8_t)(to + 1) }, 4);
	wice__put_le64(data + IP_HEADER, id);
}

static void remember(World *world, uint64_t id, int from, int to)
{
	Sent sent = { from, to, false };

	g_hash_table_insert(world->sent, g_memdup2(&id, sizeof(id)),
			    g_memdup2(&sent, sizeof(sent)));
}

uint64_t world_send(World *world, int from, int to, unsigned n, uint32_t payload)
{
	uint64_t first = world->next_id + 1;
	uint32_t length = IP_HEADER + MAX(payload, ID_LEN);
	size_t step = WICE_PACKET_HEADROOM + length + WICE_PACKET_TAILROOM;
	g_autofree uint8_t *memory = g_malloc0(step * n);
	g_autofree WicePacket *packets = g_new(WicePacket, n);

	for (unsigned i = 0; i < n; i++) {
		packets[i] = (WicePacket){ memory + step * i + WICE_PACKET_HEADROOM, length };
		write_packet(packets[i].data, from, to, ++world->next_id, length);
		remember(world, world->next_id, from, to);
	}
	seal(world, &world->ends[from], packets, n);
	return first;
}

void world_send_raw(World *world, int from, const uint8_t *data, uint32_t length)
{
	g_autofree uint8_t *memory =
		g_malloc0(WICE_PACKET_HEADROOM + length + WICE_PACKET_TAILROOM);
	WicePacket packet = { memory + WICE_PACKET_HEADROOM, length };

	memcpy(packet.data, data, length);
	seal(world, &world->ends[from], &packet, 1);
}

static bool payload_is_right(const WicePacket *packet, uint64_t id)
{
	for (uint32_t i = IP_HEADER + ID_LEN; i < packet->length; i++)
		if (packet->data[i] != (uint8_t)id)
			return false;
	return true;
}

/* Is it what was put in, for this end, and new? */
static void check_delivered(World *world, WorldEnd *end, const WicePacket *packet)
{
	uint64_t id =
		packet->length < IP_HEADER + ID_LEN ? 0 : wice__get_le64(packet->data + IP_HEADER);
	Sent *sent = g_hash_table_lookup(world->sent, &id);

	end->delivered++;
	g_array_append_val(end->delivered_ids, id);
	if (!sent || !payload_is_right(packet, id)) {
		world_fail(world, "%c got a packet that nobody sent", 'a' + end->number);
		return;
	}
	if (sent->to != end->number || packet->data[15] != sent->from + 1)
		world_fail(world, "%c got a packet of somebody else", 'a' + end->number);
	if (sent->arrived)
		world_fail(world, "%c got a packet twice", 'a' + end->number);
	sent->arrived = true;
	world->arrived[sent->from][sent->to]++;
}

static void put_handshake(const uint8_t *data, size_t length, const WiceBindPath *path,
			  void *user_data)
{
	WorldEnd *end = user_data;
	WorldDatagram datagram = { .from = path->remote,
				   .to = { .address = path->local },
				   .data = (uint8_t *)data,
				   .length = (uint32_t)length };

	g_queue_push_tail(&end->handshakes, world_datagram_copy(&datagram));
}

static void run_handshakes(World *world, WorldEnd *end)
{
	WorldDatagram *datagram;

	while ((datagram = g_queue_pop_head(&end->handshakes))) {
		WiceBindPath path = { .remote = datagram->from,
				      .local = datagram->to.address,
				      .ifindex = 1 };

		wice__core_handshake(end->core, datagram->data, datagram->length, &path,
				     end->under_load, world_now(world, end));
		world_datagram_free(datagram);
	}
}

static void receive(World *world, WorldEnd *end, const WiceBindDatagram *datagrams, size_t n)
{
	WicePacket *packets;

	n = wice__lane_open(end->inbound, datagrams, n, world->ms, put_handshake, end, &packets);
	for (size_t i = 0; i < n; i++)
		check_delivered(world, end, &packets[i]);
	wice__lane_report(end->inbound, world_now(world, end));
	run_handshakes(world, end);
	run_timers(world, end);
}

void world_inject(World *world, int to, const WiceEndpoint *from, const uint8_t *data,
		  uint32_t length)
{
	WorldEnd *end = &world->ends[to];
	g_autofree uint8_t *copy = g_memdup2(data, length);
	WiceBindDatagram datagram = { copy, length, 0, { *from, end->address.address, 1, 0 } };

	if (is_awake(world, end))
		receive(world, end, &datagram, 1);
}

void world_move(World *world, int number, const WiceEndpoint *address)
{
	char text[WICE_ENDPOINT_SIZE];

	world->ends[number].address = *address;
	world_trace(world, "%c: is at %s", 'a' + number, wice_endpoint_format(address, text));
}

/* Time. */

/* When something happens next, INT64_MAX: never. */
static int64_t next_event(World *world)
{
	int64_t next = world_next_arrival(world);

	for (int i = 0; i < world->n_ends; i++) {
		int64_t due = wice__core_deadline(world->ends[i].core);

		if (due != INT64_MAX)
			next = MIN(next, MAX(due, world->ends[i].asleep_until_ms));
	}
	return next;
}

static void deliver_arrivals(World *world)
{
	WorldDatagram *arrived[DATAGRAMS_MAX];
	WiceBindDatagram datagrams[DATAGRAMS_MAX];
	int to = -1;
	size_t n;

	while ((n = world_take_arrivals(world, arrived, DATAGRAMS_MAX, &to))) {
		for (size_t i = 0; i < n; i++)
			datagrams[i] = (WiceBindDatagram){
				arrived[i]->data,
				arrived[i]->length,
				0,
				{ arrived[i]->from, arrived[i]->to.address, 1, 0 },
			};
		if (to >= 0 && is_awake(world, &world->ends[to]) && !world->failure)
			receive(world, &world->ends[to], datagrams, n);
		for (size_t i = 0; i < n; i++)
			world_datagram_free(arrived[i]);
	}
}

void world_run(World *world, int64_t ms)
{
	int64_t until = world->ms + ms;

	for (;;) {
		int64_t next = next_event(world);

		if (next > until || world->failure)
			break;
		world->ms = MAX(next, world->ms);
		deliver_arrivals(world);
		for (int i = 0; i < world->n_ends; i++)
			if (is_awake(world, &world->ends[i]))
				run_timers(world, &world->ends[i]);
	}
	world->ms = until;
}

static bool arrives(World *world, int from, int to)
{
	uint64_t id = world_send(world, from, to, 1, 100);

	world_run(world, 0);
	return ((Sent *)g_hash_table_lookup(world->sent, &id))->arrived;
}

bool world_connected(World *world, int a, int b)
{
	return arrives(world, a, b) && arrives(world, b, a);
}
