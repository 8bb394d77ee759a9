/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gRPC backend as a program, for a foreign server: interop-grpc-client URL ROUNDS. Each time that it becomes ready it
 * sends itself ENVELOPES envelopes, and prints a line when they have come. It ends after that many rounds.
 */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wice/signaling.h>

#include "signaling/backends.h"

#define ENVELOPES 50

typedef struct {
	const WiceSignalingOps *ops;
	WiceSignalingBackend *backend;
	WiceKey private_key, public_key;
	unsigned received;
	unsigned rounds;
	GMainLoop *loop;
} Peer;

static void on_state(bool ready, const char *reason, void *user_data)
{
	Peer *peer = user_data;
	printf("%s %s\n", ready ? "ready" : "lost", reason);
	fflush(stdout);
	if (!ready)
		return;
	peer->received = 0;
	for (uint8_t i = 0; i < ENVELOPES; i++) {
		uint8_t body[300] = { i };
		WiceEnvelope envelope = { .sender = peer->public_key,
					  .recipient = peer->public_key,
					  .body = body,
					  .body_len = sizeof body };
		peer->ops->publish(peer->backend, &envelope);
	}
}

static void on_envelope(const WiceEnvelope *envelope, void *user_data)
{
	Peer *peer = user_data;
	if (envelope->body_len != 300 || ++peer->received < ENVELOPES)
		return;
	printf("round\n");
	fflush(stdout);
	if (--peer->rounds == 0)
		g_main_loop_quit(peer->loop);
}

static void on_garbage(bool oversized, void *user_data)
{
	printf("garbage\n");
	exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
	static const WiceSignalingEvents events = { on_state, on_envelope, on_garbage };
	g_autoptr(GError) error = NULL;
	if (argc != 3)
		return 2;
	Peer peer = { .rounds = (unsigned)atoi(argv[2]) };
	peer.loop = g_main_loop_new(NULL, FALSE);
	wice_key_generate_private(&peer.private_key);
	wice_key_public(&peer.private_key, &peer.public_key);
	peer.ops = wice_signaling_find(argv[1], &error);
	if (peer.ops)
		peer.backend = peer.ops->open(NULL, argv[1], &events, &peer, &error);
	if (!peer.backend) {
		fprintf(stderr, "%s\n", error->message);
		return EXIT_FAILURE;
	}
	peer.ops->subscribe(peer.backend, &peer.public_key, &peer.private_key);
	g_main_loop_run(peer.loop);
	peer.ops->close(peer.backend);
	g_main_loop_unref(peer.loop);
	return EXIT_SUCCESS;
}
