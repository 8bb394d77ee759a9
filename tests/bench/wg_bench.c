/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tests/bench/wg.py measures inside of a process.
 *
 *	wg_bench parse FILE...          milliseconds to parse each file, in turns
 *	wg_bench sync NAME FILE OTHER   a program that holds a snapshot of NAME, which is as OTHER
 *	                                says, makes it as FILE says; then "wg syncconf NAME OTHER"
 *	                                takes it back
 *
 * Figures are medians.
 */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <wice/conf.h>
#include <wice/plan.h>
#include <wice/wg.h>

#define ROUNDS 21
#define FILES_MAX 4
#define TIMEOUT_MS 60000

static void check(bool condition, const char *what, const GError *error)
{
	if (condition)
		return;
	fprintf(stderr, "wg_bench: %s: %s\n", what, error ? error->message : "failed");
	exit(1);
}

static double now_ms(void)
{
	return (double)g_get_monotonic_time() / 1000;
}

static int compare(const void *a, const void *b)
{
	double first = *(const double *)a, second = *(const double *)b;
	return first < second ? -1 : first > second;
}

static double median(double values[ROUNDS])
{
	qsort(values, ROUNDS, sizeof *values, compare);
	return values[ROUNDS / 2];
}

static double parse_once(const char *text, gsize len, const char *name)
{
	g_autoptr(GError) error = NULL;
	double start = now_ms();
	g_autoptr(WiceConf) conf = wice_conf_parse(text, len, WICE_CONF_STRICT, name, &error);
	double spent = now_ms() - start;
	check(conf != NULL, "parsing", error);
	return spent;
}

static void bench_parse(int n_files, char *names[])
{
	g_autoptr(GError) error = NULL;
	char *texts[FILES_MAX];
	gsize lens[FILES_MAX];
	double spent[FILES_MAX][ROUNDS];
	check(n_files <= FILES_MAX, "so many files", NULL);
	for (int i = 0; i < n_files; i++)
		check(g_file_get_contents(names[i], &texts[i], &lens[i], &error), "reading", error);
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < n_files; i++)
			spent[i][round] = parse_once(texts[i], lens[i], names[i]);
	}
	for (int i = 0; i < n_files; i++) {
		printf("%.3f\n", median(spent[i]));
		g_free(texts[i]);
	}
}

static void sync_ours(WiceWg *wg, const char *name, const char *file, const WiceDevice *device)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WiceConf) conf = wice_conf_read(file, WICE_CONF_STRICT, &error);
	check(conf != NULL, "reading", error);
	g_autoptr(WicePlan) wanted = wice_conf_plan(conf, WICE_CONF_SET, &error);
	check(wanted != NULL, "planning", error);
	g_autoptr(WicePlan) plan = wice_plan_minimize(wanted, device, 0);
	check(wice_plan_change(plan)->n_peers == 1, "one peer to change", NULL);
	check(wice_wg_set(wg, name, plan, TIMEOUT_MS, &error), "setting", error);
}

static void sync_theirs(const char *name, const char *file)
{
	g_autoptr(GError) error = NULL;
	const char *command[] = { "wg", "syncconf", name, file, NULL };
	int status = 0;
	check(g_spawn_sync(NULL, (char **)(void *)command, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
			   NULL, NULL, &status, &error) &&
		      g_spawn_check_wait_status(status, &error),
	      "wg", error);
}

static void bench_sync(const char *name, const char *file, const char *other)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WiceWg) wg = wice_wg_new();
	double ours[ROUNDS], theirs[ROUNDS], ratios[ROUNDS];
	sync_theirs(name, other);
	g_autoptr(WiceDevice) device = wice_wg_get(wg, name, TIMEOUT_MS, &error);
	check(device != NULL, "getting", error);
	for (int round = 0; round < ROUNDS; round++) {
		double start = now_ms();
		sync_ours(wg, name, file, device);
		double middle = now_ms();
		sync_theirs(name, other);
		ours[round] = middle - start;
		theirs[round] = now_ms() - middle;
		ratios[round] = ours[round] / theirs[round];
	}
	printf("sync_one_ms: %.3f\n", median(ours));
	printf("wg_sync_one_ms: %.3f\n", median(theirs));
	printf("sync_one_ratio: %.4f\n", median(ratios));
}

int main(int argc, char *argv[])
{
	if (argc > 2 && g_str_equal(argv[1], "parse")) {
		bench_parse(argc - 2, argv + 2);
		return 0;
	}
	if (argc == 5 && g_str_equal(argv[1], "sync")) {
		bench_sync(argv[2], argv[3], argv[4]);
		return 0;
	}
	fprintf(stderr, "usage: wg_bench parse FILE... | sync NAME FILE OTHER\n");
	return 2;
}
