/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of providers, and the choice among them. All are judged once: whether this processor and
 * what is installed can run them, and whether they compute what RFC 8439 says. Then those that passed
 * run a race, because which is the fastest depends on the processor in ways that no list can know.
 */
#include "crypto/aead.h"

#include "config.h"
#include "crypto/aead_provider.h"
#include <glib.h>
#include <stdlib.h>
#include <string.h>

static const WiceAeadProvider *const providers[] = {
#ifdef __x86_64__
	&wice__aead_avx512,   &wice__aead_avx512f, &wice__aead_avx2,
#endif
#ifdef WICE_HAVE_IPSEC_MB
	&wice__aead_ipsec_mb,
#endif
#ifdef __x86_64__
	&wice__aead_sse2,
#endif
#ifdef WICE_LIBCRYPTO
	&wice__aead_openssl,
#endif
	&wice__aead_sodium,
};

static bool passed[G_N_ELEMENTS(providers)];

size_t wice__aead_providers(const WiceAeadProvider *const **ret_providers)
{
	*ret_providers = providers;
	return G_N_ELEMENTS(providers);
}

static gpointer judge(gpointer unused)
{
	for (size_t i = 0; i < G_N_ELEMENTS(providers); i++)
		passed[i] = providers[i]->usable() && wice__aead_self_test(providers[i]);
	return NULL;
}

static void judge_once(void)
{
	static GOnce once = G_ONCE_INIT;
	g_once(&once, judge, NULL);
}

const WiceAeadProvider *wice__aead_find(const char *name)
{
	judge_once();
	for (size_t i = 0; i < G_N_ELEMENTS(providers); i++)
		if (strcmp(providers[i]->name, name) == 0)
			return passed[i] ? providers[i] : NULL;
	return NULL;
}

/*
 * The race: what a busy tunnel sends, full packets one way and acknowledgements the other. The best of
 * some rounds counts, because anything may take the processor away meanwhile.
 */
#define RACE_FULL 24
#define RACE_SHORT 24
#define RACE_FULL_LEN 1424
#define RACE_SHORT_LEN 64
#define RACE_ROUNDS 6

typedef struct {
	uint8_t full[RACE_FULL][RACE_FULL_LEN + WICE_AEAD_TAG_LEN];
	uint8_t small[RACE_SHORT][RACE_SHORT_LEN + WICE_AEAD_TAG_LEN];
	uint8_t key[WICE_AEAD_KEY_LEN];
	WiceAeadPacket full_packets[RACE_FULL], small_packets[RACE_SHORT];
} Race;

static Race *race_new(void)
{
	Race *race = g_new0(Race, 1);
	for (size_t i = 0; i < RACE_FULL; i++)
		race->full_packets[i] = (WiceAeadPacket){ race->full[i], RACE_FULL_LEN, false, i };
	for (size_t i = 0; i < RACE_SHORT; i++)
		race->small_packets[i] =
			(WiceAeadPacket){ race->small[i], RACE_SHORT_LEN, false, i };
	return race;
}

/* Microseconds of the best round. */
static int64_t race_run(Race *race, const WiceAeadProvider *provider)
{
	int64_t best = INT64_MAX;
	for (int i = 0; i < RACE_ROUNDS; i++) {
		int64_t start = g_get_monotonic_time();
		provider->seal(race->key, race->full_packets, RACE_FULL);
		provider->seal(race->key, race->small_packets, RACE_SHORT);
		provider->open(race->key, race->full_packets, RACE_FULL);
		provider->open(race->key, race->small_packets, RACE_SHORT);
		best = MIN(best, g_get_monotonic_time() - start);
	}
	return best;
}

static gpointer choose(gpointer unused)
{
	const WiceAeadProvider *best = &wice__aead_sodium;
	int64_t best_us = INT64_MAX;
	Race *race = race_new();
	judge_once();
	for (size_t i = 0; i < G_N_ELEMENTS(providers); i++) {
		int64_t us = passed[i] ? race_run(race, providers[i]) : INT64_MAX;
		if (us < best_us) {
			best = providers[i];
			best_us = us;
		}
	}
	g_free(race);
	return (gpointer)best;
}

const WiceAeadProvider *wice__aead_best(void)
{
	static GOnce once = G_ONCE_INIT;
	return g_once(&once, choose, NULL);
}
