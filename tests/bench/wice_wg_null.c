/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <glib-unix.h>
#include <stdio.h>
#include <string.h>

#include "crypto/aead.h"
#include "engine/engine_private.h"

/*
 * wice-wg with a cipher that copies packets instead of encrypting them: what the engine would reach
 * if cryptography cost no more than touching each byte once. Only ever for benchmarks; two of these
 * understand each other and nobody else.
 *
 *	wice-wg-null [-f] INTERFACE
 */

static void copy(WiceAeadPacket *packets, size_t n)
{
	static _Thread_local uint8_t scratch[65536];

	for (size_t i = 0; i < n; i++) {
		memcpy(scratch, packets[i].data, packets[i].length);
		/* So that the compiler does not leave it out. */
		__asm__ volatile("" : : "r"(scratch) : "memory");
		packets[i].ok = true;
	}
}

static bool usable(void)
{
	return true;
}

static void seal(const uint8_t key[WICE_AEAD_KEY_LEN], WiceAeadPacket *packets, size_t n)
{
	copy(packets, n);
	for (size_t i = 0; i < n; i++)
		memset(packets[i].data + packets[i].length, 0, WICE_AEAD_TAG_LEN);
}

static void open_packets(const uint8_t key[WICE_AEAD_KEY_LEN], WiceAeadPacket *packets, size_t n)
{
	copy(packets, n);
}

static const WiceAeadProvider null_provider = {
	.name = "null",
	.usable = usable,
	.seal = seal,
	.open = open_packets,
};

static gboolean quit(gpointer loop)
{
	g_main_loop_quit(loop);
	return G_SOURCE_REMOVE;
}

int main(int argc, char **argv)
{
	g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
	g_autoptr(GError) error = NULL;
	WiceEngineOptions options = { .size = sizeof(options), .name = argv[argc - 1] };
	WiceEngine *engine;

	if (argc < 2)
		return 2;
	engine = wice__engine_new_with(NULL, &options, &null_provider, &error);
	if (!engine || !wice_engine_listen(engine, -1, &error)) {
		fprintf(stderr, "wice-wg-null: %s\n", error->message);
		wice_engine_free(engine);
		return 1;
	}
	g_unix_signal_add(SIGTERM, quit, loop);
	g_unix_signal_add(SIGINT, quit, loop);
	g_main_loop_run(loop);
	wice_engine_free(engine);
	return 0;
}
