/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "client_lab.h"

#include <string.h>

#define SEED 6
/* Whoever sends so much in a run of these tests is in a loop. */
#define SENT_MAX 2000000

typedef struct {
	int64_t at;
	bool to_server;
	unsigned tuple;
	size_t len;
	uint8_t bytes[WICE_TURN_MAX_PACKET];
} LabPacket;

static GRand *shared_rand; /* fill_random has no place for a pointer */

static void fill_random(void *buffer, size_t len)
{
	uint8_t *bytes = buffer;
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)g_rand_int(shared_rand);
}

void lab_init(Lab *lab)
{
	memset(lab, 0, sizeof *lab);
	played_server_init(&lab->server);
	lab->rand = shared_rand = g_rand_new_with_seed(SEED);
	lab->now = 1000000;
	lab->delay_min_ms = lab->delay_max_ms = LAB_RTT_MS / 2;
	lab->flying = g_ptr_array_new_with_free_func(g_free);
	lab->options = (WiceTurnClientOptions){
		.username = "user",
		.password = "password",
		.want_ipv4 = true,
		.fill_random = fill_random,
	};
}

void lab_start(Lab *lab)
{
	lab->client = wice__turn_client_new(&lab->options, lab->now);
}

void lab_done(Lab *lab)
{
	wice__turn_client_free(lab->client);
	g_ptr_array_unref(lab->flying);
	g_rand_free(lab->rand);
	played_server_done(&lab->server);
}

static bool happens(Lab *lab, unsigned permille)
{
	return permille && (unsigned)g_rand_int_range(lab->rand, 0, 1000) < permille;
}

static void fly_once(Lab *lab, bool to_server, const uint8_t *bytes, size_t len)
{
	LabPacket *packet = g_new(LabPacket, 1);
	packet->at =
		lab->now + g_rand_int_range(lab->rand, lab->delay_min_ms, lab->delay_max_ms + 1);
	packet->to_server = to_server;
	packet->tuple = lab->tuple;
	packet->len = len;
	memcpy(packet->bytes, bytes, len);
	g_ptr_array_add(lab->flying, packet);
}

static void fly(Lab *lab, bool to_server, const uint8_t *bytes, size_t len)
{
	if (happens(lab, lab->loss_permille))
		return;
	fly_once(lab, to_server, bytes, len);
	if (happens(lab, lab->copies_permille))
		fly_once(lab, to_server, bytes, len);
}

static void count_sent(Lab *lab)
{
	if (lab->now >= lab->burst_since + LAB_BURST_MS) {
		lab->burst_since = lab->now;
		lab->n_burst = 0;
	}
	lab->n_burst++;
	lab->burst_max = MAX(lab->burst_max, lab->n_burst);
	PLAYED_MUST(++lab->n_sent < SENT_MAX);
}

/* As an owner does after everything. */
static void pump(Lab *lab)
{
	uint8_t packet[WICE_TURN_MAX_PACKET];
	size_t len;
	WiceTurnEvent event;
	while (wice__turn_client_output(lab->client, lab->now, packet, &len)) {
		count_sent(lab);
		fly(lab, true, packet, len);
	}
	while (wice__turn_client_event(lab->client, &event)) {
		lab->n_events[event.type]++;
		lab->last[event.type] = event;
		lab->at[event.type] = lab->now;
	}
	PLAYED_MUST(wice__turn_client_deadline(lab->client) > lab->now);
}

static void deliver(Lab *lab, const LabPacket *packet)
{
	uint8_t answer[PLAYED_ANSWER_SIZE];
	uint16_t channel;
	WiceSpan data;
	if (!packet->to_server) {
		wice__turn_client_input(lab->client, packet->bytes, packet->len, lab->now, &channel,
					&data);
		return;
	}
	size_t len = played_server_answer(&lab->server, packet->tuple, packet->bytes, packet->len,
					  lab->now, answer);
	if (len)
		fly(lab, false, answer, len);
}

static guint find_next(const Lab *lab)
{
	guint first = 0;
	for (guint i = 1; i < lab->flying->len; i++)
		if (((LabPacket *)lab->flying->pdata[i])->at <
		    ((LabPacket *)lab->flying->pdata[first])->at)
			first = i;
	return first;
}

/* The next thing that happens, if it does until then. */
static bool step(Lab *lab, int64_t until)
{
	int64_t at = wice__turn_client_deadline(lab->client);
	guint next = find_next(lab);
	const LabPacket *packet = lab->flying->len ? lab->flying->pdata[next] : NULL;
	if (packet && packet->at <= at)
		at = packet->at;
	else
		packet = NULL;
	if (at > until) {
		lab->now = until;
		return false;
	}
	lab->now = MAX(lab->now, at);
	if (packet) {
		deliver(lab, packet);
		g_ptr_array_remove_index(lab->flying, next);
	}
	pump(lab);
	return true;
}

void lab_run(Lab *lab, int64_t ms)
{
	int64_t until = lab->now + ms;
	pump(lab);
	while (step(lab, until))
		;
}

bool lab_wait(Lab *lab, WiceTurnEventType type, int64_t ms)
{
	int64_t until = lab->now + ms;
	unsigned before = lab->n_events[type];
	pump(lab);
	while (lab->n_events[type] == before)
		if (!step(lab, until))
			return false;
	return true;
}

void lab_allocate(Lab *lab)
{
	lab_start(lab);
	PLAYED_MUST(lab_wait(lab, WICE_TURN_EVENT_ALLOCATED, 60000));
}

uint16_t lab_bind(Lab *lab, WiceFamily family, unsigned n)
{
	WiceEndpoint peer = played_peer(family, n);
	uint16_t channel = 0;
	PLAYED_MUST(wice__turn_client_bind(lab->client, &peer, lab->now, &channel) == 0);
	return channel;
}

WiceTurnInput lab_input(Lab *lab, const void *packet, size_t len)
{
	uint16_t channel;
	WiceSpan data;
	return wice__turn_client_input(lab->client, packet, len, lab->now, &channel, &data);
}
