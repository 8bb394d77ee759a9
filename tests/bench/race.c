/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * race ROUNDS [--before COMMAND] OURS... -- THEIRS...
 *
 * Runs two commands in turns, first the one, then the other and the next time the other way round,
 * and prints what they took from fork() to their end, as medians, the median of the ratios of the
 * rounds, and between what the middle half of these ratios lies:
 *
 *	ours_ms: 3.214
 *	theirs_ms: 9.876
 *	ratio: 0.327
 *	spread: 0.321-0.334
 *
 * Their output goes to /dev/null. COMMAND is given to sh(1) before each run and not timed. A run
 * of either that fails ends it all. Needs libc only, so that it also runs where nothing else is.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS_MAX 1000

typedef struct {
	int rounds;
	char *before; /* for sh(1); NULL: nothing */
	char **ours, **theirs;
} Race;

static void fail(const char *what)
{
	fprintf(stderr, "race: %s\n", what);
	exit(1);
}

static double now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void become(char **command)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (null >= 0 && dup2(null, STDOUT_FILENO) >= 0)
		execvp(command[0], command);
	_exit(127);
}

/* How long it took. */
static double run(char **command)
{
	int status;
	double start = now_ms();
	pid_t child = fork();
	if (child < 0)
		fail("there can be no more processes");
	if (child == 0)
		become(command);
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		fprintf(stderr, "race: %s failed\n", command[0]);
		exit(1);
	}
	return now_ms() - start;
}

static double timed_run(const Race *race, char **command)
{
	static char sh[] = "sh", option[] = "-c";
	char *shell[] = { sh, option, race->before, NULL };
	if (race->before)
		run(shell);
	return run(command);
}

static int compare(const void *a, const void *b)
{
	double first = *(const double *)a, second = *(const double *)b;
	return first < second ? -1 : first > second;
}

static double median(double *values, int n)
{
	qsort(values, (size_t)n, sizeof *values, compare);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

static void hold(const Race *race)
{
	double ours[ROUNDS_MAX], theirs[ROUNDS_MAX], ratios[ROUNDS_MAX];
	timed_run(race, race->ours); /* both are in memory then */
	timed_run(race, race->theirs);
	for (int i = 0; i < race->rounds; i++) {
		if (i % 2)
			theirs[i] = timed_run(race, race->theirs);
		ours[i] = timed_run(race, race->ours);
		if (i % 2 == 0)
			theirs[i] = timed_run(race, race->theirs);
		ratios[i] = ours[i] / theirs[i];
	}
	printf("ours_ms: %.3f\n", median(ours, race->rounds));
	printf("theirs_ms: %.3f\n", median(theirs, race->rounds));
	printf("ratio: %.4f\n", median(ratios, race->rounds));
	printf("spread: %.4f-%.4f\n", ratios[race->rounds / 4], ratios[race->rounds * 3 / 4]);
}

int main(int argc, char *argv[])
{
	Race race = { 0 };
	int at = 2;
	if (argc < 5)
		fail("usage: race ROUNDS [--before COMMAND] OURS... -- THEIRS...");
	race.rounds = atoi(argv[1]);
	if (race.rounds < 1 || race.rounds > ROUNDS_MAX)
		fail("how many rounds?");
	if (strcmp(argv[at], "--before") == 0) {
		race.before = argv[at + 1];
		at += 2;
	}
	race.ours = &argv[at];
	while (at < argc && strcmp(argv[at], "--") != 0)
		at++;
	if (at + 1 >= argc)
		fail("whom against? Say -- between the two commands.");
	argv[at] = NULL;
	race.theirs = &argv[at + 1];
	hold(&race);
	return 0;
}
