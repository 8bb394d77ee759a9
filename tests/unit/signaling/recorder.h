/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_SIGNALING_RECORDER_H
#define WICE_TESTS_SIGNALING_RECORDER_H

#include "suite.h"

#include <glib.h>
#include <string.h>
#include <wice/signaling.h>

/*
 * A user of one backend that writes down what it is told. The first byte of a body is a tag that tests tell
 * envelopes apart by; a backend may repeat, so tests ask whether a tag came, not how often.
 */
typedef struct {
	GMainContext *context;
	const WiceSignalingOps *ops;
	WiceSignalingBackend *backend;
	bool inside_hook; /* no event may come now */
	bool ready;
	unsigned states;
	char reason[256];
	unsigned tags[256];
	unsigned garbage;
	unsigned oversized;
	WiceEnvelope last;
	uint8_t last_body[WICE_ENVELOPE_MAX];
	/* Called for each envelope after it was written down; may close the backend. */
	void (*then)(void *user_data);
	void *then_data;
} Recorder;

static void recorder_state(bool ready, const char *reason, void *user_data)
{
	Recorder *recorder = user_data;
	ck_assert(!recorder->inside_hook);
	ck_assert_int_eq(ready, reason[0] == 0);
	recorder->ready = ready;
	recorder->states++;
	g_strlcpy(recorder->reason, reason, sizeof recorder->reason);
}

static void recorder_envelope(const WiceEnvelope *envelope, void *user_data)
{
	Recorder *recorder = user_data;
	ck_assert(!recorder->inside_hook);
	ck_assert_uint_gt(envelope->body_len, 0);
	ck_assert_uint_le(envelope->body_len, sizeof recorder->last_body);
	recorder->tags[envelope->body[0]]++;
	recorder->last = *envelope;
	memcpy(recorder->last_body, envelope->body, envelope->body_len);
	recorder->last.body = recorder->last_body;
	if (recorder->then)
		recorder->then(recorder->then_data);
}

static void recorder_garbage(bool oversized, void *user_data)
{
	Recorder *recorder = user_data;
	ck_assert(!recorder->inside_hook);
	*(oversized ? &recorder->oversized : &recorder->garbage) += 1;
}

static const WiceSignalingEvents recorder_events = {
	.on_state = recorder_state,
	.on_envelope = recorder_envelope,
	.on_garbage = recorder_garbage,
};

/* HOOK(recorder, publish, &envelope) */
#define HOOK(recorder, hook, ...)                                        \
	do {                                                             \
		(recorder)->inside_hook = true;                          \
		(recorder)->ops->hook((recorder)->backend, __VA_ARGS__); \
		(recorder)->inside_hook = false;                         \
	} while (0)

static inline void recorder_open(Recorder *recorder, GMainContext *context, const char *url)
{
	g_autoptr(GError) error = NULL;
	memset(recorder, 0, sizeof *recorder);
	recorder->context = context;
	recorder->ops = wice_signaling_find(url, &error);
	ck_assert_msg(recorder->ops != NULL, "%s", error ? error->message : "");
	recorder->inside_hook = true;
	recorder->backend = recorder->ops->open(context, url, &recorder_events, recorder, &error);
	recorder->inside_hook = false;
	ck_assert_msg(recorder->backend != NULL, "%s", error ? error->message : "");
}

static inline void recorder_close(Recorder *recorder)
{
	if (recorder->backend) {
		recorder->inside_hook = true;
		recorder->ops->close(recorder->backend);
	}
	recorder->backend = NULL;
}

/* Iterates until a condition holds; a test that waits longer than this has failed. */
#define WAIT_LIMIT_US (60 * G_USEC_PER_SEC)
#define WAIT_FOR(context, condition)                                                \
	do {                                                                        \
		gint64 limit_us = g_get_monotonic_time() + WAIT_LIMIT_US;           \
		bool holds;                                                         \
		while (!(holds = (condition)) && g_get_monotonic_time() < limit_us) \
			if (!g_main_context_iteration((context), FALSE))            \
				g_usleep(500);                                      \
		ck_assert_msg(holds, "waited in vain for " #condition);             \
	} while (0)

/* A key of its own for each letter. */
static inline WiceKey key_named(char letter)
{
	WiceKey key;
	memset(key.bytes, letter, WICE_KEY_LEN);
	return key;
}

static inline void publish_body(Recorder *from, const WiceKey *sender, const WiceKey *recipient,
				const uint8_t *body, size_t len)
{
	WiceEnvelope envelope = {
		.sender = *sender, .recipient = *recipient, .body = body, .body_len = len
	};
	memset(envelope.nonce, 'n', sizeof envelope.nonce);
	HOOK(from, publish, &envelope);
}

static inline void publish_tag(Recorder *from, const WiceKey *recipient, uint8_t tag)
{
	WiceKey sender = key_named('s');
	uint8_t body[40] = { tag };
	publish_body(from, &sender, recipient, body, sizeof body);
}

/* Publishes until it has arrived: backends may lose. Whatever was sent before it has arrived then or never will. */
static inline void publish_until(Recorder *from, Recorder *to, const WiceKey *recipient,
				 uint8_t tag)
{
	gint64 limit_us = g_get_monotonic_time() + WAIT_LIMIT_US, again_us = 0;
	while (!to->tags[tag] && g_get_monotonic_time() < limit_us) {
		if (g_get_monotonic_time() >= again_us) {
			publish_tag(from, recipient, tag);
			again_us = g_get_monotonic_time() + 50000;
		}
		if (!g_main_context_iteration(from->context, FALSE))
			g_usleep(500);
	}
	ck_assert_msg(to->tags[tag] > 0, "tag %d never arrived", tag);
}

#endif
