/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tests/bench/wg.py measures inside of a process.
 *
 *	wg_bench parse FILE...          milliseconds of CPU time to parse each file, in turns: a line
 *	                                for each, with the median in strict mode, the one in the
 *	                                mode that takes what wg(8) takes, and the very first time
 *	                                in strict mode, when all memory is new
 *	wg_bench sync NAME FILE OTHER   a program that holds a snapshot of NAME, which is as OTHER
 *	                                says, makes it as FILE says, in turns with
 *	                                "wg syncconf NAME OTHER", which takes it back
 *
 * Figures are medians. sync_one_*: the program holds the state that it wants, too; sync_file_*: it
 * reads FILE each time.
 */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
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

static double cpu_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double parse_once(const char *text, gsize len, WiceConfMode mode, const char *name)
{
	g_autoptr(GError) error = NULL;
	double start = cpu_ms();
	g_autoptr(WiceConf) conf = wice_conf_parse(text, len, mode, name, &error);
	double spent = cpu_ms() - start;
	check(conf != NULL, "parsing", error);
	return spent;
}

static void bench_parse(int n_files, char *names[])
{
	g_autoptr(GError) error = NULL;
	char *texts[FILES_MAX];
	gsize lens[FILES_MAX];
	double strict[FILES_MAX][ROUNDS], compat[FILES_MAX][ROUNDS];
	check(n_files <= FILES_MAX, "so many files", NULL);
	for (int i = 0; i < n_files; i++)
		check(g_file_get_contents(names[i], &texts[i], &lens[i], &error), "reading", error);
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < n_files; i++) {
			strict[i][round] =
				parse_once(texts[i], lens[i], WICE_CONF_STRICT, names[i]);
			compat[i][round] =
				parse_once(texts[i], lens[i], WICE_CONF_COMPAT, names[i]);
		}
	}
	for (int i = 0; i < n_files; i++) {
		double first = strict[i][0]; /* before it is sorted */
		printf("%.3f %.3f %.3f\n", median(strict[i]), median(compat[i]), first);
		g_free(texts[i]);
	}
}

static void apply(WiceWg *wg, const char *name, const WicePlan *plan)
{
	g_autoptr(GError) error = NULL;
	check(wice_plan_change(plan)->n_peers == 1, "one peer to change", NULL);
	check(wice_wg_set(wg, name, plan, TIMEOUT_MS, &error), "setting", error);
}

static WicePlan *read_plan(const char *file)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WiceConf) conf = wice_conf_read(file, WICE_CONF_STRICT, &error);
	check(conf != NULL, "reading", error);
	WicePlan *plan = wice_conf_plan(conf, WICE_CONF_SET, &error);
	check(plan != NULL, "planning", error);
	return plan;
}

static double sync_file(WiceWg *wg, const char *name, const char *file, const WiceDevice *device)
{
	double start = now_ms();
	g_autoptr(WicePlan) whole = read_plan(file);
	g_autoptr(WicePlan) plan = wice_plan_minimize(whole, device, 0);
	apply(wg, name, plan);
	return now_ms() - start;
}

static double sync_one(WiceWg *wg, const char *name, const WiceDevice *device,
		       const WiceDevice *wanted)
{
	double start = now_ms();
	g_autoptr(WicePlan) plan = wice_plan_between(device, wanted, 0);
	apply(wg, name, plan);
	return now_ms() - start;
}

static double sync_theirs(const char *name, const char *file)
{
	g_autoptr(GError) error = NULL;
	const char *command[] = { "wg", "syncconf", name, file, NULL };
	int status = 0;
	double start = now_ms();
	check(g_spawn_sync(NULL, (char **)(void *)command, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
			   NULL, NULL, &status, &error) &&
		      g_spawn_check_wait_status(status, &error),
	      "wg", error);
	return now_ms() - start;
}

typedef struct {
	double ours[ROUNDS], theirs[ROUNDS], ratios[ROUNDS];
} Laps;

static void add_lap(Laps *laps, int round, double ours, double theirs)
{
	laps->ours[round] = ours;
	laps->theirs[round] = theirs;
	laps->ratios[round] = ours / theirs;
}

static void print_laps(const char *name, Laps *laps)
{
	printf("%s_ms: %.3f\n", name, median(laps->ours));
	printf("%s_wg_ms: %.3f\n", name, median(laps->theirs));
	printf("%s_ratio: %.4f\n", name, median(laps->ratios));
}

static void bench_sync(const char *name, const char *file, const char *other)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WiceWg) wg = wice_wg_new();
	Laps one, whole;
	sync_theirs(name, other);
	g_autoptr(WiceDevice) device = wice_wg_get(wg, name, TIMEOUT_MS, &error);
	check(device != NULL, "getting", error);
	g_autoptr(WicePlan) plan = read_plan(file);
	g_autoptr(WiceDevice) wanted = wice_plan_result(plan, device);
	for (int round = 0; round < ROUNDS; round++) {
		double ours = sync_one(wg, name, device, wanted);
		add_lap(&one, round, ours, sync_theirs(name, other));
		ours = sync_file(wg, name, file, device);
		add_lap(&whole, round, ours, sync_theirs(name, other));
	}
	print_laps("sync_file", &whole);
	print_laps("sync_one", &one);
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
