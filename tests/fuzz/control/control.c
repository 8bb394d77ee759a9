/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes over the control socket, from both sides. The first byte says what the rest is (a request to one of the
 * calls, a status, or an event) and in how little memory it is to be read. What is accepted must survive being written
 * and read again.
 */
#include "control/convert.h"
#include "control/request.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void fuzz_request(WiceControlMethod method, const uint8_t *bytes, size_t len, size_t memory)
{
	WiceArena arena, again_arena;
	WiceControlRequest request, again;
	g_autoptr(GError) error = NULL;
	wice__arena_init(&arena, MIN(memory, WICE_CONTROL_REQUEST_MEMORY));
	wice__arena_init(&again_arena, WICE_CONTROL_REQUEST_MEMORY);
	if (wice__control_request_decode(method, bytes, len, &arena, &request, &error)) {
		g_autoptr(GBytes) encoded = wice__control_request_encode(method, &request);
		gsize encoded_len;
		const uint8_t *data = g_bytes_get_data(encoded, &encoded_len);
		require(wice__control_request_decode(method, data, encoded_len, &again_arena,
						     &again, NULL));
		require(g_strcmp0(request.interface, again.interface) == 0);
		require(!request.peer == !again.peer);
		require(!request.peer || wice_key_compare(request.peer, again.peer) == 0);
		require(request.state == again.state && request.timeout_ms == again.timeout_ms);
		require(request.mechanism == again.mechanism);
	} else {
		require(error && *error->message);
	}
	wice__arena_done(&arena);
	wice__arena_done(&again_arena);
}

static void fuzz_status(const uint8_t *bytes, size_t len)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WiceStatus) status = wice__control_status_decode(bytes, len, &error);
	require(!status == (error != NULL));
	if (!status)
		return;
	g_autoptr(GBytes) encoded =
		wice__control_status_encode(wice_status_info(status), NULL, NULL);
	gsize encoded_len;
	const uint8_t *data = g_bytes_get_data(encoded, &encoded_len);
	g_autoptr(WiceStatus) again = wice__control_status_decode(data, encoded_len, NULL);
	require(again != NULL);
	g_autoptr(GBytes) encoded_again =
		wice__control_status_encode(wice_status_info(again), NULL, NULL);
	require(g_bytes_equal(encoded, encoded_again));
}

static void fuzz_event(const uint8_t *bytes, size_t len, size_t memory)
{
	WiceArena arena, again_arena;
	WiceEvent event;
	g_autoptr(GError) error = NULL;
	wice__arena_init(&arena, MIN(memory, WICE_CONTROL_RESPONSE_MEMORY));
	wice__arena_init(&again_arena, WICE_CONTROL_RESPONSE_MEMORY);
	if (wice__control_event_decode(bytes, len, &arena, &event, &error)) {
		g_autoptr(GBytes) encoded = wice__control_event_encode(&event);
		gsize encoded_len;
		const uint8_t *data = g_bytes_get_data(encoded, &encoded_len);
		WiceEvent again;
		require(wice__control_event_decode(data, encoded_len, &again_arena, &again, NULL));
		require(event.type == again.type && event.state == again.state);
		require(event.mechanism == again.mechanism);
		require(strcmp(event.interface, again.interface) == 0);
	} else {
		require(error != NULL);
	}
	wice__arena_done(&arena);
	wice__arena_done(&again_arena);
}

/* Behind the calls, with room for more of them: seeds keep their meaning. */
enum { KIND_STATUS = 30, KIND_EVENT = 31, N_KINDS = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	unsigned kind = data[0] % N_KINDS;
	unsigned little = data[0] / N_KINDS;
	size_t memory = little ? 64 * (size_t)little : SIZE_MAX;
	if (kind < WICE_CONTROL_N_METHODS)
		fuzz_request((WiceControlMethod)kind, data + 1, size - 1, memory);
	else if (kind == KIND_STATUS)
		fuzz_status(data + 1, size - 1);
	else if (kind == KIND_EVENT)
		fuzz_event(data + 1, size - 1, memory);
	return 0;
}
