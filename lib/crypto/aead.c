/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of providers, and the choice among them. A provider is judged when it is first asked for:
 * whether this processor and what is installed can run it, and whether it computes what RFC 8439 says.
 * Those that passed run a race, because which is the fastest depends on the processor in ways that no
 * list can know.
 *
 * If one of the first N_WIDE passes, the race is among these: nothing behind them has come near where
 * one of them runs, and to load the libraries that some of those need takes 8 MB and 20 ms.
 */
#include "crypto/aead.h"

#include "config.h"
#include "crypto/aead_provider.h"
#include <glib.h>
#include <string.h>

static const WiceAeadProvider *const providers[] = {
#ifdef __x86_64__
#define N_WIDE 3
	&wice__aead_avx512,   &wice__aead_avx512f, &wice__aead_avx2,
#else
#define N_WIDE 0
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

size_t wice__aead_providers(const WiceAeadProvider *const **ret_providers)
{
	*ret_providers = providers;
	return G_N_ELEMENTS(providers);
}

static gpointer judge(gpointer data)
{
	const WiceAeadProvider *provider = data;
	return GINT_TO_POINTER(provider->usable() && wice__aead_self_test(provider));
}

static bool passes(size_t i)
{
	static GOnce once[G_N_ELEMENTS(providers)]; /* zeros are G_ONCE_INIT */
	return g_once(&once[i], judge, (gpointer)providers[i]);
}

const WiceAeadProvider *wice__aead_find(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(providers); i++)
		if (strcmp(providers[i]->name, name) == 0)
			return passes(i) ? providers[i] : NULL;
	return NULL;
}

/*
 * The race: what a busy tunnel sends, full packets one way and acknowledgements the other. All take turns
 * and the best round of each counts, because anything may take the processor away meanwhile, and some
 * need a while until it runs their instructions at full speed.
 */
#define RACE_PACKETS 24
#define RACE_FULL_LEN 1424
#define RACE_SHORT_LEN 64
#define RACE_ROUNDS 16

typedef struct {
	uint8_t key[WICE_AEAD_KEY_LEN];
	uint8_t data[RACE_PACKETS][RACE_FULL_LEN + WICE_AEAD_TAG_LEN];
	WiceAeadPacket packets[RACE_PACKETS];
	int64_t best_us[G_N_ELEMENTS(providers)];
} Race;

static void run_packets(Race *race, const WiceAeadProvider *provider, uint32_t length)
{
	for (size_t i = 0; i < RACE_PACKETS; i++)
		race->packets[i] = (WiceAeadPacket){ race->data[i], length, false, i };
	provider->seal(race->key, race->packets, RACE_PACKETS);
	provider->open(race->key, race->packets, RACE_PACKETS);
}

static void run_round(Race *race, size_t i)
{
	int64_t start = g_get_monotonic_time();
	run_packets(race, providers[i], RACE_FULL_LEN);
	run_packets(race, providers[i], RACE_SHORT_LEN);
	race->best_us[i] = MIN(race->best_us[i], g_get_monotonic_time() - start);
}

/* The first n, or NULL if none of them passes. */
static const WiceAeadProvider *winner(size_t n)
{
	const WiceAeadProvider *best = NULL;
	int64_t best_us = INT64_MAX;
	Race *race = g_new0(Race, 1);
	for (size_t i = 0; i < n; i++)
		race->best_us[i] = INT64_MAX;
	for (int round = 0; round < RACE_ROUNDS; round++)
		for (size_t i = 0; i < n; i++)
			if (passes(i))
				run_round(race, i);
	for (size_t i = 0; i < n; i++)
		if (race->best_us[i] < best_us) {
			best = providers[i];
			best_us = race->best_us[i];
		}
	g_free(race);
	return best;
}

static gpointer choose(gpointer unused)
{
	const WiceAeadProvider *best = winner(N_WIDE);
	if (!best)
		best = winner(G_N_ELEMENTS(providers));
	return (gpointer)(best ? best : &wice__aead_sodium);
}

const WiceAeadProvider *wice__aead_best(void)
{
	static GOnce once = G_ONCE_INIT;
	return g_once(&once, choose, NULL);
}
