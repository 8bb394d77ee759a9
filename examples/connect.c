/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connects the peers of a WireGuard interface from within a program, without wiced:
 *
 *   connect IFNAME SIGNALING-URL [STUN-URL]
 *
 * Prints what happens, ends when all peers are connected, and puts back what it found.
 */
#include <stdio.h>
#include <stdlib.h>
#include <wice/wice.h>

typedef struct {
	GMainLoop *loop;
	int status;
} Program;

static void on_event(const WiceEvent *event, void *user_data)
{
	char peer[WICE_KEY_BASE64_SIZE];
	if (event->type != WICE_EVENT_PEER_STATE)
		return;
	wice_key_to_base64(&event->peer, peer);
	printf("%s: %s (%s)\n", peer, wice_state_name(event->state), event->reason);
}

static void on_waited(const GError *error, void *user_data)
{
	Program *program = user_data;
	program->status = error ? EXIT_FAILURE : EXIT_SUCCESS;
	if (error)
		fprintf(stderr, "%s\n", error->message);
	g_main_loop_quit(program->loop);
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: %s IFNAME SIGNALING-URL [STUN-URL]\n", argv[0]);
		return 2;
	}
	const char *backends[] = { argv[2], NULL };
	const char *stun_urls[] = { argc > 3 ? argv[3] : NULL, NULL };
	WiceAgentOptions options;
	wice_agent_options_init(&options);
	options.backends = backends;
	options.stun_urls = stun_urls;

	g_autoptr(GError) error = NULL;
	g_autoptr(WiceAgent) agent = wice_agent_new(NULL, &options, &error);
	if (!agent || !wice_agent_add_interface(agent, argv[1], &error)) {
		fprintf(stderr, "%s\n", error->message);
		return EXIT_FAILURE;
	}
	g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
	Program program = { .loop = loop };
	wice_agent_set_event_handler(agent, on_event, &program);
	wice_agent_wait(agent, argv[1], NULL, WICE_STATE_CONNECTED, 30000, NULL, on_waited,
			&program, NULL);
	g_main_loop_run(loop);
	return program.status;
}
