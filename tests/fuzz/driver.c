/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzz target without libFuzzer: over every seed, then over a fixed number of mutations of
 * them (bit flips, cuts, splices, repeats) from a fixed random seed, so that a failure repeats.
 *
 *   fuzz-NAME SEED-FOLDER [MUTATIONS [RANDOM-SEED]]
 */
#include <glib.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX 65536
#define MUTATIONS 20000

static GPtrArray *load_seeds(const char *folder)
{
	GPtrArray *seeds = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	GDir *dir = g_dir_open(folder, 0, NULL);
	const char *name;
	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(folder, name, NULL);
		char *contents;
		gsize len;
		if (g_file_get_contents(path, &contents, &len, NULL))
			g_ptr_array_add(seeds, g_bytes_new_take(contents, MIN(len, INPUT_MAX)));
	}
	if (dir)
		g_dir_close(dir);
	return seeds;
}

static void mutate_once(GByteArray *input, GRand *rand, GPtrArray *seeds)
{
	guint at = input->len ? (guint)g_rand_int_range(rand, 0, (gint)input->len) : 0;
	switch (g_rand_int_range(rand, 0, 6)) {
	case 0:
		if (input->len)
			input->data[at] ^= (guint8)(1u << g_rand_int_range(rand, 0, 8));
		break;
	case 1:
		if (input->len)
			input->data[at] = (guint8)g_rand_int(rand);
		break;
	case 2:
		g_byte_array_set_size(input, at);
		break;
	case 3: {
		guint8 byte = (guint8)g_rand_int(rand);
		g_byte_array_append(input, &byte, 1);
		break;
	}
	case 4:
		if (input->len)
			g_byte_array_remove_index(input, at);
		break;
	default: {
		GBytes *other = seeds->pdata[g_rand_int_range(rand, 0, (gint)seeds->len)];
		gsize len;
		const guint8 *data = g_bytes_get_data(other, &len);
		if (len && input->len + len <= INPUT_MAX)
			g_byte_array_append(input, data,
					    (guint)g_rand_int_range(rand, 0, (gint)len) + 1);
		break;
	}
	}
}

/* A copy of exactly that size on the heap, so that AddressSanitizer sees every byte too far. */
static void run_on(const guint8 *data, gsize len)
{
	guint8 *copy = malloc(len ? len : 1);
	if (len)
		memcpy(copy, data, len);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: %s SEED-FOLDER [MUTATIONS [RANDOM-SEED]]\n", argv[0]);
		return 2;
	}
	guint64 mutations = argc > 2 ? g_ascii_strtoull(argv[2], NULL, 10) : MUTATIONS;
	GPtrArray *seeds = load_seeds(argv[1]);
	if (seeds->len == 0) {
		fprintf(stderr, "no seeds in %s\n", argv[1]);
		return 1;
	}
	for (guint i = 0; i < seeds->len; i++) {
		gsize len;
		const guint8 *data = g_bytes_get_data(seeds->pdata[i], &len);
		run_on(data, len);
	}

	GRand *rand = g_rand_new_with_seed(argc > 3 ? (guint32)atoi(argv[3]) : 1);
	GByteArray *input = g_byte_array_new();
	for (guint64 i = 0; i < mutations; i++) {
		gsize len;
		const guint8 *data = g_bytes_get_data(
			seeds->pdata[g_rand_int_range(rand, 0, (gint)seeds->len)], &len);
		g_byte_array_set_size(input, 0);
		g_byte_array_append(input, data, (guint)len);
		for (int n = g_rand_int_range(rand, 1, 9); n > 0; n--)
			mutate_once(input, rand, seeds);
		run_on(input->data, input->len);
	}
	printf("%u seeds, %" G_GUINT64_FORMAT " mutations\n", seeds->len, mutations);
	g_byte_array_unref(input);
	g_rand_free(rand);
	g_ptr_array_unref(seeds);
	return 0;
}
