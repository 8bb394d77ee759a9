/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What sealing and opening a packet costs with each provider that is usable here, in nanoseconds: in
 * batches of 64 packets (seal1424_ns_avx512) and alone (seal1424_single_ns_avx512), and how many times as
 * fast as libsodium that is (seal1424_vs_libsodium_avx512). All buffers together fit in a core's L2
 * cache. Figures are medians of rounds in which the providers take turns; behind "#" stand the first and
 * the last tenth.
 */
#include "crypto/aead.h"
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 31
#define ROUND_NS 60000
#define BATCH WICE_AEAD_MAX_BATCH
#define MAX_PROVIDERS 16

static const uint32_t sizes[] = { 64, 512, 1424, 8944 };
#define MAX_SIZE 8944

enum { SEAL, OPEN, N_WAYS };
static const char *const ways[N_WAYS] = { "seal", "open" };

static uint8_t key[WICE_AEAD_KEY_LEN];
static uint8_t buffers[BATCH][MAX_SIZE + WICE_AEAD_TAG_LEN];
static WiceAeadPacket packets[BATCH];
static double samples[MAX_PROVIDERS][N_WAYS][ROUNDS];

static double now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void run(const WiceAeadProvider *provider, size_t batch, double ret[N_WAYS])
{
	double spent[N_WAYS] = { 0 };
	size_t n = 0;
	while (spent[SEAL] + spent[OPEN] < ROUND_NS || n < BATCH) {
		double start = now_ns();
		provider->seal(key, packets, batch);
		double middle = now_ns();
		provider->open(key, packets, batch);
		spent[OPEN] += now_ns() - middle;
		spent[SEAL] += middle - start;
		n += batch;
		if (packets[batch - 1].ok)
			continue;
		fprintf(stderr, "bench-aead: %s does not open what it sealed\n", provider->name);
		exit(1);
	}
	for (int way = 0; way < N_WAYS; way++)
		ret[way] = spent[way] / (double)n;
}

static int compare(const void *a, const void *b)
{
	double first = *(const double *)a, second = *(const double *)b;
	return first < second ? -1 : first > second;
}

static double median(const double sorted[ROUNDS])
{
	return sorted[ROUNDS / 2];
}

static void print(const WiceAeadProvider *const *providers, size_t n, uint32_t size,
		  const char *kind)
{
	for (size_t i = 0; i < n; i++)
		for (int way = 0; way < N_WAYS; way++) {
			const double *sorted = samples[i][way];
			printf("%s%u%s_ns_%s: %.1f\n# %.1f..%.1f\n", ways[way], size, kind,
			       providers[i]->name, median(sorted), sorted[ROUNDS / 10],
			       sorted[ROUNDS - 1 - ROUNDS / 10]);
			printf("%s%u%s_vs_libsodium_%s: %.2f\n", ways[way], size, kind,
			       providers[i]->name, median(samples[n - 1][way]) / median(sorted));
		}
}

static void bench(const WiceAeadProvider *const *providers, size_t n, uint32_t size, size_t batch)
{
	for (size_t i = 0; i < BATCH; i++)
		packets[i] = (WiceAeadPacket){ buffers[i], size, false, i };
	for (int round = -1; round < ROUNDS; round++) /* the first warms up */
		for (size_t i = 0; i < n; i++) {
			double spent[N_WAYS];
			run(providers[i], batch, spent);
			for (int way = 0; way < N_WAYS && round >= 0; way++)
				samples[i][way][round] = spent[way];
		}
	for (size_t i = 0; i < n; i++)
		for (int way = 0; way < N_WAYS; way++)
			qsort(samples[i][way], ROUNDS, sizeof(double), compare);
	print(providers, n, size, batch == 1 ? "_single" : "");
}

int main(void)
{
	const WiceAeadProvider *const *all, *usable[MAX_PROVIDERS];
	size_t n_all = wice__aead_providers(&all), n = 0;
	for (size_t i = 0; i < n_all && n < MAX_PROVIDERS; i++) {
		const WiceAeadProvider *provider = wice__aead_find(all[i]->name);
		if (provider)
			usable[n++] = provider;
		else
			printf("# %s is not usable here\n", all[i]->name);
	}
	printf("# the choice is %s\n", wice__aead_best()->name);
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
		bench(usable, n, sizes[i], BATCH);
		bench(usable, n, sizes[i], 1);
	}
	return 0;
}
