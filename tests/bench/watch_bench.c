/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch_bench idle NAME SECONDS   CPU time of a process that only watches, in percent
 * watch_bench adds NAME COUNT     how late "a peer was added with wg set" comes as an event while
 *                                 something is connecting, counted from the start of wg
 *
 * The peers that are added have endpoints where nobody is, so each of them keeps connecting.
 */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <wice/key.h>
#include <wice/watch.h>

#define DEADLINE_MS 30000
#define SETTLE_MS 3000 /* the first reading, and what follows it */

typedef struct {
	WiceKey awaited;
	double seen_ms; /* when it came, 0: not yet */
	size_t n_peers;
} Bench;

static void fail(const char *what, const GError *error)
{
	fprintf(stderr, "watch_bench: %s%s%s\n", what, error ? ": " : "",
		error ? error->message : "");
	exit(1);
}

static double now_ms(void)
{
	return (double)g_get_monotonic_time() / 1000;
}

static void on_event(const WiceWatchEvent *event, void *user_data)
{
	Bench *bench = user_data;
	if (event->type == WICE_WATCH_TROUBLE)
		fail(event->message, NULL);
	if (event->type == WICE_WATCH_DEVICE_ADDED)
		bench->n_peers = wice_device_info(event->after)->n_peers;
	if (event->type == WICE_WATCH_PEER_ADDED &&
	    wice_key_compare(&event->peer_after->public_key, &bench->awaited) == 0)
		bench->seen_ms = now_ms();
}

static gboolean on_timeout(gpointer user_data)
{
	*(bool *)user_data = true;
	return G_SOURCE_REMOVE;
}

static void run_for(unsigned ms)
{
	bool over = false;
	g_timeout_add(ms, on_timeout, &over);
	while (!over)
		g_main_context_iteration(NULL, TRUE);
}

static double cpu_ms(void)
{
	struct rusage used;
	getrusage(RUSAGE_SELF, &used);
	return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e3 +
	       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e3;
}

static void bench_idle(unsigned seconds)
{
	double before = cpu_ms(), start = now_ms();
	run_for(seconds * 1000);
	printf("%.4f\n", 100 * (cpu_ms() - before) / (now_ms() - start));
}

static void add_peer(const char *name, Bench *bench, unsigned i)
{
	char key[WICE_KEY_BASE64_SIZE];
	g_autoptr(GError) error = NULL;
	g_autofree char *endpoint = g_strdup_printf("192.0.2.1:%u", 1024 + i);
	g_autofree char *address = g_strdup_printf("198.18.%u.%u/32", i / 256, i % 256);
	const char *command[] = { "wg",       "set",    name,          "peer",  key,
				  "endpoint", endpoint, "allowed-ips", address, NULL };
	wice_key_generate_private(&bench->awaited);
	wice_key_to_base64(&bench->awaited, key);
	bench->seen_ms = 0;
	if (!g_spawn_async(NULL, (char **)(void *)command, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
			   NULL, &error))
		fail("wg", error);
}

static double add_and_wait(const char *name, Bench *bench, unsigned i)
{
	bool over = false;
	double start = now_ms();
	guint timer = g_timeout_add(DEADLINE_MS, on_timeout, &over);
	add_peer(name, bench, i);
	while (bench->seen_ms == 0 && !over)
		g_main_context_iteration(NULL, TRUE);
	if (over)
		fail("the peer has never been seen", NULL);
	g_source_remove(timer);
	return bench->seen_ms - start;
}

static int compare(const void *a, const void *b)
{
	double first = *(const double *)a, second = *(const double *)b;
	return first < second ? -1 : first > second;
}

/* Pauses of odd lengths, so that the additions come at all times between two polls. */
static void bench_adds(const char *name, Bench *bench, unsigned count)
{
	g_autofree double *late = g_new(double, count);
	add_and_wait(name, bench, 0);
	for (unsigned i = 0; i < count; i++) {
		run_for(20 + i * 7 % 31);
		late[i] = add_and_wait(name, bench, i + 1);
	}
	qsort(late, count, sizeof *late, compare);
	printf("%.3f %.3f\n", late[count / 2], late[(count * 99 - 1) / 100]);
}

int main(int argc, char *argv[])
{
	g_autoptr(GError) error = NULL;
	if (argc != 4) {
		fprintf(stderr, "usage: watch_bench idle NAME SECONDS | adds NAME COUNT\n");
		return 2;
	}
	Bench bench = { 0 };
	g_autoptr(WiceWg) wg = wice_wg_new();
	WiceWatchOptions options = { .size = sizeof options, .name = argv[2] };
	g_autoptr(WiceWatch) watch = wice_watch_new(wg, &options, on_event, &bench, NULL, &error);
	if (!watch)
		fail("cannot watch", error);
	wice_watch_attach(watch, NULL);
	run_for(SETTLE_MS);
	if (bench.n_peers == 0)
		fail("there are no peers", NULL);
	if (g_str_equal(argv[1], "idle"))
		bench_idle((unsigned)atoi(argv[3]));
	else
		bench_adds(argv[2], &bench, (unsigned)atoi(argv[3]));
	return 0;
}
