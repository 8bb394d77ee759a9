/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_SIGNALING_FAKE_H
#define WICE_SIGNALING_FAKE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <wice/signaling.h>

/*
 * A backend for tests: a room in this process (fake:NAME) with bad weather that can be switched at
 * any time from any thread. All chance comes from one seeded generator per room, so a run on one
 * thread repeats.
 */
extern const WiceSignalingOps wice__signaling_fake;

typedef struct {
	double loss;   /* probability that a delivery is lost, 0..1 */
	double repeat; /* probability that it comes twice */
	/*
	 * Each copy is under way for a time chosen from here: if they differ, envelopes overtake
	 * one another.
	 */
	unsigned delay_min_ms;
	unsigned delay_max_ms;
	bool closed; /* the backends are not ready */
} WiceFakeWeather;

typedef struct {
	uint64_t published;
	uint64_t lost;
	uint64_t repeated;
	uint64_t delivered; /* copies */
} WiceFakeCounters;

/* Makes the scheme known to wice_agent_new(); may be called again. */
void wice__fake_register(void);

/* name: what follows "fake:" in the URL. */
void wice__fake_seed(const char *name, uint32_t seed);
void wice__fake_set_weather(const char *name, const WiceFakeWeather *weather);
WiceFakeCounters wice__fake_counters(const char *name);

/* What an attacker who owns the backend can do: read, and send. */
typedef void (*WiceFakeTap)(const WiceEnvelope *envelope, void *user_data);
/*
 * Shows every published envelope to tap, lost ones too (once per subscriber), on the thread of
 * whoever publishes and under a lock: tap must not call back into a backend. NULL removes it.
 */
void wice__fake_set_tap(const char *name, WiceFakeTap tap, void *user_data);
void wice__fake_inject(const char *name, const WiceEnvelope *envelope);
void wice__fake_inject_garbage(const char *name, bool oversized);

/* Drops what the functions above have set for name. */
void wice__fake_reset(const char *name);

#endif
