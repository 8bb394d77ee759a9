/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay_pair SPEC_A SPEC_B FAMILY COUNT SECONDS
 *
 * Two relays, each a channel to the other's relayed address of FAMILY (4 or 6): COUNT messages of many lengths go from
 * A to B and back, then one every 50 ms for SECONDS. Prints what happens. Exit code 3: one could not be used.
 */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event/source.h"
#include "relay/relay.h"
#include "stun/channel_data.h"

#define MESSAGE_MAX 1400
#define RESEND_MS 1000
#define PAUSE_MS 50
#define DEADLINE_S 60

typedef struct {
	const char *name;
	WiceRelay *relay;
	WiceRelayState state;
	uint16_t channel; /* 0: not asked for yet */
	unsigned n_ready; /* how often it has become so */
} End;

static End ends[2] = { { .name = "A" }, { .name = "B" } };
static GMainLoop *loop;
static WiceTimer *timer;
static WiceFamily family;
static uint32_t count, sent, returned, resent;
static int64_t hold_ms, until_ms, due_ms;

static void fill(uint8_t *data, size_t len, uint32_t number)
{
	memset(data, (int)(number * 31 + 7), len);
	memcpy(data, &number, sizeof number);
}

static size_t length_of(uint32_t number)
{
	return sizeof number + number * 37 % (MESSAGE_MAX - sizeof number);
}

static void send_message(const End *from, uint32_t number)
{
	uint8_t packet[WICE_CHANNEL_DATA_HEADER_LEN + MESSAGE_MAX];
	size_t len = length_of(number);
	if (wice__channel_data_write(packet, from->channel, len))
		abort();
	fill(packet + WICE_CHANNEL_DATA_HEADER_LEN, len, number);
	wice__relay_send(from->relay, packet, WICE_CHANNEL_DATA_HEADER_LEN + len);
}

static void schedule(int64_t in_ms)
{
	due_ms = wice__now_ms() + in_ms;
	wice__timer_set(timer, due_ms);
}

/* The next one, or the last one again. */
static void on_timer(void *user_data)
{
	if (until_ms && wice__now_ms() >= until_ms) {
		g_main_loop_quit(loop);
		return;
	}
	if (sent > returned)
		resent++;
	else
		sent++;
	send_message(&ends[0], sent);
	schedule(RESEND_MS);
}

static void on_data(WiceRelay *relay, uint16_t channel, uint8_t *data, size_t len, void *user_data)
{
	uint8_t expected[MESSAGE_MAX];
	uint32_t number;
	End *end = user_data;
	memcpy(&number, data, sizeof number);
	fill(expected, length_of(number), number);
	if (channel != end->channel || len != length_of(number) || memcmp(data, expected, len)) {
		printf("damaged %u\n", number);
		exit(1);
	}
	if (end == &ends[1]) {
		send_message(end, number);
		return;
	}
	if (number != sent || returned == sent)
		return;
	returned = number;
	if (returned == count) {
		printf("exchanged %u\n", count);
		fflush(stdout);
		until_ms = wice__now_ms() + hold_ms;
	}
	schedule(returned < count ? 0 : PAUSE_MS);
}

static void show(const End *end)
{
	WiceEndpoint relayed[2] = { 0 };
	char text[3][WICE_ENDPOINT_SIZE];
	(void)wice__relay_relayed(end->relay, WICE_FAMILY_IPV4, &relayed[0]);
	(void)wice__relay_relayed(end->relay, WICE_FAMILY_IPV6, &relayed[1]);
	printf("ready %s %s %s %s\n", end->name,
	       wice_endpoint_format(wice__relay_server(end->relay), text[0]),
	       wice_endpoint_format(&relayed[0], text[1]),
	       wice_endpoint_format(&relayed[1], text[2]));
	fflush(stdout);
}

static void bind_channels(void)
{
	for (int i = 0; i < 2; i++) {
		WiceEndpoint peer;
		if (!wice__relay_relayed(ends[!i].relay, family, &peer) ||
		    wice__relay_bind(ends[i].relay, &peer, &ends[i].channel)) {
			printf("no relayed address of family %d\n", family);
			exit(3);
		}
	}
}

static bool all_bound(void)
{
	return ends[0].channel && wice__relay_is_bound(ends[0].relay, ends[0].channel) &&
	       wice__relay_is_bound(ends[1].relay, ends[1].channel);
}

static void on_changed(WiceRelay *relay, void *user_data)
{
	End *end = user_data;
	WiceRelayState state = wice__relay_state(relay);
	if (state == WICE_RELAY_FAILED) {
		printf("failed %s: %s\n", end->name, wice__relay_reason(relay));
		exit(3);
	}
	if (state == WICE_RELAY_READY && end->state != WICE_RELAY_READY) {
		end->n_ready++;
		show(end);
	}
	end->state = state;
	if (!ends[0].channel && ends[0].state == WICE_RELAY_READY &&
	    ends[1].state == WICE_RELAY_READY)
		bind_channels();
	if (due_ms == 0 && all_bound())
		schedule(0);
}

static const WiceRelayEvents events = { .changed = on_changed, .data = on_data };

static gboolean on_deadline(gpointer user_data)
{
	printf("stuck: %u of %u, %s / %s\n", returned, sent, wice__relay_reason(ends[0].relay),
	       wice__relay_reason(ends[1].relay));
	exit(1);
}

int main(int argc, char **argv)
{
	if (argc != 6)
		return 2;
	family = atoi(argv[3]) == 6 ? WICE_FAMILY_IPV6 : WICE_FAMILY_IPV4;
	count = (uint32_t)atoi(argv[4]);
	hold_ms = atoi(argv[5]) * 1000;
	loop = g_main_loop_new(NULL, FALSE);
	timer = wice__timer_new(NULL, on_timer, NULL);
	for (int i = 0; i < 2; i++) {
		g_autoptr(GError) error = NULL;
		WiceRelaySpec *spec = wice__relay_spec_parse(argv[1 + i], false, &error);
		if (!spec) {
			printf("%s\n", error->message);
			return 3;
		}
		WiceRelayOptions options = { .spec = spec };
		ends[i].relay = wice__relay_new(&options, &events, &ends[i]);
		wice__relay_spec_free(spec);
	}
	g_timeout_add_seconds((guint)(DEADLINE_S + hold_ms / 1000), on_deadline, NULL);
	g_main_loop_run(loop);
	printf("held: %u messages, %u sent again, ready %u and %u times, rtt %u us\n", returned,
	       resent, ends[0].n_ready, ends[1].n_ready,
	       wice__relay_measure(ends[0].relay)->rtt_us);
	wice__timer_free(timer);
	for (int i = 0; i < 2; i++)
		wice__relay_free(ends[i].relay);
	g_main_loop_unref(loop);
	return 0;
}
