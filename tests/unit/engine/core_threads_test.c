/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two cores with the threads that a real engine has, and more: one that seals, two that open and
 * one for control each, while the main thread changes everything that can be changed. Time flies, so
 * that sessions are renewed all the while. Nothing may be delivered twice; whether threads get in
 * each other's way is for ThreadSanitizer to see.
 */
#include <sodium.h>
#include <string.h>

#include "engine/core_private.h"
#include "suite.h"
#include "unit/engine/frame.h"

#define CHANGES 1500
#define SLOTS 65536
#define BATCH 32
#define OPENERS 2
#define INBOX_MAX 512
#define PAYLOAD 100
#define MS_PER_TURN 20

typedef struct {
	WiceBindPath path;
	uint32_t length;
	uint8_t data[256];
} Datagram;

typedef struct {
	GMutex mutex;
	GQueue datagrams;
} Inbox;

typedef struct End End;

struct End {
	int number;
	End *other;
	WiceCore *core;
	WiceKey private_key, public_key;
	WiceEndpoint address;
	Inbox packets, handshakes;
	GThread *threads[2 + OPENERS];
	WiceLane *lanes[1 + OPENERS];
	_Atomic uint32_t seen[SLOTS]; /* the last packet of this slot that was delivered */
	uint32_t last_id;             /* sealed */
	_Atomic uint64_t delivered, wrong;
};

typedef struct {
	End *end;
	WiceLane *lane;
} Job;

static _Atomic int64_t clock_ms = 1000000;
static _Atomic bool stopping;

static WiceNow now(void)
{
	return (WiceNow){ clock_ms, clock_ms * 1000000 };
}

static void put(Inbox *inbox, const uint8_t *data, uint32_t length, const WiceBindPath *path)
{
	Datagram *datagram;
	if (length > sizeof datagram->data)
		return;
	g_mutex_lock(&inbox->mutex);
	if (inbox->datagrams.length < INBOX_MAX) {
		datagram = g_new0(Datagram, 1);
		datagram->path = *path;
		datagram->length = length;
		memcpy(datagram->data, data, length);
		g_queue_push_tail(&inbox->datagrams, datagram);
	}
	g_mutex_unlock(&inbox->mutex);
}

static Datagram *take(Inbox *inbox)
{
	g_mutex_lock(&inbox->mutex);
	Datagram *datagram = g_queue_pop_head(&inbox->datagrams);
	g_mutex_unlock(&inbox->mutex);
	return datagram;
}

static void on_send(WiceBindPath *path, const WiceBindPacket *packets, size_t n, void *user_data)
{
	End *end = user_data;
	WiceBindPath from = { .remote = end->address, .local = end->other->address.address };
	for (size_t i = 0; i < n; i++)
		put(&end->other->packets, packets[i].data, packets[i].length, &from);
}

static void on_route(const WiceEndpoint *remote, WiceBindPath *ret_path, void *user_data)
{
	*ret_path = (WiceBindPath){ .remote = *remote };
}

static void on_random(void *bytes, size_t n, void *user_data)
{
	randombytes_buf(bytes, n);
}

static void on_event(WiceEngineEventType type, const WiceKey *peer, void *user_data)
{
}

static const WiceCoreHooks hooks = {
	.send = on_send,
	.route = on_route,
	.random = on_random,
	.event = on_event,
};

static void put_handshake(const uint8_t *data, size_t length, const WiceBindPath *path,
			  void *user_data)
{
	put(&((End *)user_data)->handshakes, data, (uint32_t)length, path);
}

/* The threads. */

static gpointer run_control(gpointer user_data)
{
	End *end = ((Job *)user_data)->end;
	while (!stopping) {
		Datagram *datagram = take(&end->handshakes);
		clock_ms += MS_PER_TURN;
		if (datagram)
			wice__core_handshake(end->core, datagram->data, datagram->length,
					     &datagram->path, false, now());
		g_free(datagram);
		wice__core_timers(end->core, now());
		g_usleep(200);
	}
	return NULL;
}

static void write_packet(End *end, WicePacket *packet)
{
	const uint8_t from[] = { 10, 0, 0, (uint8_t)end->number };
	const uint8_t to[] = { 10, 0, 0, (uint8_t)end->other->number };
	*packet = (WicePacket){ packet->data, PAYLOAD };
	memset(packet->data, 0, PAYLOAD);
	frame_put_ipv4(packet->data, PAYLOAD, from, to);
	wice__put_le32(packet->data + 20, ++end->last_id);
}

static gpointer run_sealer(gpointer user_data)
{
	Job *job = user_data;
	End *end = job->end;
	static const size_t step = WICE_PACKET_HEADROOM + PAYLOAD + WICE_PACKET_TAILROOM;
	g_autofree uint8_t *memory = g_malloc0(BATCH * step);
	while (!stopping) {
		WicePacket packets[BATCH];
		const WiceLaneRun *runs;
		size_t n;
		for (size_t i = 0; i < BATCH; i++) {
			packets[i].data = memory + i * step + WICE_PACKET_HEADROOM;
			write_packet(end, &packets[i]);
		}
		n = wice__lane_seal(job->lane, packets, BATCH, now().ms, &runs);
		for (size_t i = 0; i < n; i++) {
			WiceBindPath path = runs[i].path;
			on_send(&path, runs[i].packets, runs[i].n, end);
			if (randombytes_uniform(16) == 0)
				wice__lane_source_cleared(job->lane, &runs[i]);
		}
		wice__lane_report(job->lane, now());
		g_usleep(300);
	}
	return NULL;
}

static void check(End *end, const WicePacket *packet)
{
	uint32_t id = wice__get_le32(packet->data + 20);
	end->delivered++;
	if (packet->length != PAYLOAD || packet->data[15] != end->other->number ||
	    atomic_exchange(&end->seen[id % SLOTS], id) == id)
		end->wrong++;
}

static gpointer run_opener(gpointer user_data)
{
	Job *job = user_data;
	End *end = job->end;
	while (!stopping) {
		Datagram *taken[BATCH];
		WiceBindDatagram datagrams[BATCH];
		WicePacket *packets;
		size_t n = 0;
		while (n < BATCH && (taken[n] = take(&end->packets))) {
			datagrams[n] = (WiceBindDatagram){ taken[n]->data, taken[n]->length, 0,
							   taken[n]->path };
			n++;
		}
		if (!n)
			g_usleep(200);
		size_t opened = wice__lane_open(job->lane, datagrams, n, now().ms, put_handshake,
						end, &packets);
		for (size_t i = 0; i < opened; i++)
			check(end, &packets[i]);
		wice__lane_report(job->lane, now());
		for (size_t i = 0; i < n; i++)
			g_free(taken[i]);
	}
	return NULL;
}

/* The main thread. */

static void set_peer(End *end, unsigned flags, uint16_t keepalive_s)
{
	WiceAllowedIpChange ip = {
		{ { WICE_FAMILY_IPV4, { 10, 0, 0, (uint8_t)end->other->number } }, 32 }, false
	};
	WicePeerChange peer = {
		.flags = flags,
		.fields = WICE_PEER_HAS_ENDPOINT | WICE_PEER_HAS_KEEPALIVE,
		.public_key = end->other->public_key,
		.endpoint = end->other->address,
		.keepalive_s = keepalive_s,
		.n_allowed_ips = 1,
		.allowed_ips = &ip,
	};
	WiceDeviceChange change = { .size = sizeof change, .n_peers = 1, .peers = &peer };
	wice__core_apply(end->core, &change);
}

static void set_private_key(End *end)
{
	WiceDeviceChange change = { .size = sizeof change,
				    .fields = WICE_DEVICE_HAS_PRIVATE_KEY,
				    .private_key = end->private_key };
	wice__core_apply(end->core, &change);
}

/* No key for a moment: all sessions are spent. */
static void change_private_key(End *end)
{
	WiceDeviceChange change = { .size = sizeof change, .fields = WICE_DEVICE_HAS_PRIVATE_KEY };
	wice__core_apply(end->core, &change);
	set_private_key(end);
}

static void read_all(End *end)
{
	WiceDeviceBuilder *builder = wice__device_builder_new("wg", WICE_DEVICE_ENGINE);
	WiceEngineCounters counters;
	wice__core_read(end->core, builder);
	wice_device_unref(wice__device_builder_finish(builder));
	wice__core_counters(end->core, &counters);
	wice__core_deadline(end->core);
}

static void go_down_and_up(End *end)
{
	wice__core_set_up(end->core, false);
	wice__core_set_up(end->core, true);
}

static void make_another_lane(End *end)
{
	wice__lane_free(wice__lane_new(end->core));
}

static void change_something(End *end, int which)
{
	switch (which % 8) {
	case 0:
		set_peer(end, WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS, (uint16_t)(which % 3));
		break;
	case 1:
		wice__core_reroute(end->core);
		break;
	case 2:
		wice__core_set_mtu(end->core, 1000 + (uint32_t)which % 500);
		break;
	case 3:
		if (which % 5 == 0)
			change_private_key(end);
		break;
	case 4:
		if (which % 7 == 0) {
			set_peer(end, WICE_PEER_CHANGE_REMOVE, 0);
			set_peer(end, 0, 1);
		}
		break;
	case 5:
		if (which % 9 == 0)
			go_down_and_up(end);
		break;
	case 6:
		make_another_lane(end);
		break;
	default:
		read_all(end);
	}
}

static void begin(End *end, int number, End *other)
{
	end->number = number;
	end->other = other;
	end->address = (WiceEndpoint){ { WICE_FAMILY_IPV4, { 192, 0, 2, (uint8_t)number } }, 1, 0 };
	g_mutex_init(&end->packets.mutex);
	g_mutex_init(&end->handshakes.mutex);
	g_queue_init(&end->packets.datagrams);
	g_queue_init(&end->handshakes.datagrams);
	wice_key_generate_private(&end->private_key);
	wice_key_public(&end->private_key, &end->public_key);
	end->core = wice__core_new(wice__aead_find("libsodium"), &hooks, end);
	set_private_key(end);
	wice__core_set_up(end->core, true);
	for (int i = 0; i < 1 + OPENERS; i++)
		end->lanes[i] = wice__lane_new(end->core);
}

static void start(End *end, Job *jobs)
{
	for (int i = 0; i < 1 + OPENERS; i++) {
		jobs[i] = (Job){ end, end->lanes[i] };
		end->threads[i] = g_thread_new("lane", i ? run_opener : run_sealer, &jobs[i]);
	}
	end->threads[1 + OPENERS] = g_thread_new("control", run_control, &jobs[0]);
}

static void done(End *end)
{
	for (int i = 0; i < 1 + OPENERS; i++)
		wice__lane_free(end->lanes[i]);
	wice__core_free(end->core);
	g_queue_clear_full(&end->packets.datagrams, g_free);
	g_queue_clear_full(&end->handshakes.datagrams, g_free);
	g_mutex_clear(&end->packets.mutex);
	g_mutex_clear(&end->handshakes.mutex);
}

/* Waits until more has been delivered; the test's own time limit is what ends it otherwise. */
static void wait_for_packets(End *end)
{
	uint64_t before = end->delivered;
	while (end->delivered < before + 100)
		g_usleep(1000);
}

static End ends[2];

START_TEST(lanes_and_control_do_not_disturb_one_another)
{
	Job jobs[2][1 + OPENERS];
	ck_assert_int_ge(sodium_init(), 0);
	begin(&ends[0], 1, &ends[1]);
	begin(&ends[1], 2, &ends[0]);
	set_peer(&ends[0], 0, 0);
	set_peer(&ends[1], 0, 0);
	start(&ends[0], jobs[0]);
	start(&ends[1], jobs[1]);
	wait_for_packets(&ends[0]);
	for (int i = 0; i < CHANGES; i++) {
		change_something(&ends[i % 2], i / 2);
		g_usleep(500);
	}
	wait_for_packets(&ends[0]);
	wait_for_packets(&ends[1]);
	stopping = true;
	for (int end = 0; end < 2; end++)
		for (int i = 0; i < 2 + OPENERS; i++)
			g_thread_join(ends[end].threads[i]);
	for (int end = 0; end < 2; end++) {
		ck_assert_uint_eq(ends[end].wrong, 0);
		done(&ends[end]);
	}
}
END_TEST

SUITE_MAIN("threads of an engine", lanes_and_control_do_not_disturb_one_another)
