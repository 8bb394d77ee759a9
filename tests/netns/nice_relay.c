/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libnice's TURN client: two agents that may use relayed candidates only find each other and
 * exchange packets, over one server.
 *
 *   netns-nice-relay ADDRESS PORT USER PASSWORD udp|tcp
 */
#include <agent.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEADLINE_S 60
#define PACKET "a packet of one agent for the other"
#define PACKETS_EACH 20

typedef struct {
	NiceAgent *agent;
	guint stream;
	gboolean gathered, ready;
	unsigned received;
} End;

static End ends[2];
static GMainLoop *loop;

static void on_gathered(NiceAgent *agent, guint stream, gpointer user_data)
{
	End *end = user_data;
	end->gathered = TRUE;
}

static void on_state(NiceAgent *agent, guint stream, guint component, guint state,
		     gpointer user_data)
{
	End *end = user_data;
	end->ready = state == NICE_COMPONENT_STATE_READY;
}

static void on_packet(NiceAgent *agent, guint stream, guint component, guint len, gchar *data,
		      gpointer user_data)
{
	End *end = user_data;
	if (len == strlen(PACKET) && memcmp(data, PACKET, len) == 0)
		end->received++;
}

static gboolean on_deadline(gpointer user_data)
{
	fprintf(stderr, "gathered: %d %d, ready: %d %d, packets: %u %u\n", ends[0].gathered,
		ends[1].gathered, ends[0].ready, ends[1].ready, ends[0].received, ends[1].received);
	exit(EXIT_FAILURE);
}

static void start(End *end, char **argv)
{
	NiceRelayType type =
		strcmp(argv[5], "tcp") == 0 ? NICE_RELAY_TYPE_TURN_TCP : NICE_RELAY_TYPE_TURN_UDP;
	GMainContext *context = g_main_loop_get_context(loop);
	end->agent = nice_agent_new(context, NICE_COMPATIBILITY_RFC5245);
	g_object_set(end->agent, "force-relay", TRUE, "upnp", FALSE, "controlling-mode",
		     end == ends, NULL);
	g_signal_connect(end->agent, "candidate-gathering-done", G_CALLBACK(on_gathered), end);
	g_signal_connect(end->agent, "component-state-changed", G_CALLBACK(on_state), end);
	end->stream = nice_agent_add_stream(end->agent, 1);
	nice_agent_set_relay_info(end->agent, end->stream, 1, argv[1], (guint)atoi(argv[2]),
				  argv[3], argv[4], type);
	nice_agent_attach_recv(end->agent, end->stream, 1, context, on_packet, end);
	nice_agent_gather_candidates(end->agent, end->stream);
}

static void tell(End *from, End *to)
{
	gchar *ufrag, *password;
	GSList *candidates = nice_agent_get_local_candidates(from->agent, from->stream, 1);
	nice_agent_get_local_credentials(from->agent, from->stream, &ufrag, &password);
	nice_agent_set_remote_credentials(to->agent, to->stream, ufrag, password);
	nice_agent_set_remote_candidates(to->agent, to->stream, 1, candidates);
	g_slist_free_full(candidates, (GDestroyNotify)nice_candidate_free);
	g_free(ufrag);
	g_free(password);
}

static void wait_for(const gboolean *a, const gboolean *b)
{
	while (!*a || !*b)
		g_main_context_iteration(g_main_loop_get_context(loop), TRUE);
}

static void exchange(void)
{
	for (unsigned i = 0; i < PACKETS_EACH; i++)
		for (size_t j = 0; j < G_N_ELEMENTS(ends); j++)
			nice_agent_send(ends[j].agent, ends[j].stream, 1, strlen(PACKET), PACKET);
	while (ends[0].received < PACKETS_EACH || ends[1].received < PACKETS_EACH)
		g_main_context_iteration(g_main_loop_get_context(loop), TRUE);
}

int main(int argc, char **argv)
{
	if (argc != 6)
		return 2;
	loop = g_main_loop_new(NULL, FALSE);
	g_timeout_add_seconds(DEADLINE_S, on_deadline, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(ends); i++)
		start(&ends[i], argv);
	wait_for(&ends[0].gathered, &ends[1].gathered);
	tell(&ends[0], &ends[1]);
	tell(&ends[1], &ends[0]);
	wait_for(&ends[0].ready, &ends[1].ready);
	exchange();
	for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
		NiceCandidate *local, *remote;
		if (!nice_agent_get_selected_pair(ends[i].agent, ends[i].stream, 1, &local,
						  &remote) ||
		    local->type != NICE_CANDIDATE_TYPE_RELAYED)
			return EXIT_FAILURE;
	}
	puts("passed");
	return EXIT_SUCCESS;
}
