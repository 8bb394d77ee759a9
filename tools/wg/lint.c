/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* lint: all that is wrong or dubious in files, as FILE:LINE:COLUMN. */
#include "wg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What wice_conf_read() takes. */
#define MAX_FILE (64u << 20)

typedef struct {
	const char *path;
	GString *out;
} Report;

static void on_problem(const WiceConfProblem *problem, void *user_data)
{
	Report *report = user_data;
	g_string_append_printf(report->out, "%s:%u:%u: %s: %s\n", report->path, problem->line,
			       problem->column, problem->warning ? "warning" : "error",
			       problem->message);
}

/* Also of a file that cannot be parsed. */
static bool holds_secrets(const char *text)
{
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += strspn(line, " \t\r\n");
		if (g_ascii_strncasecmp(line, "PrivateKey", 10) == 0 ||
		    g_ascii_strncasecmp(line, "PresharedKey", 12) == 0)
			return true;
	}
	return false;
}

static void check_mode(const Report *report, const char *text)
{
	struct stat status;
	if (stat(report->path, &status) != 0 || !S_ISREG(status.st_mode) ||
	    !(status.st_mode & (S_IROTH | S_IWOTH)) || !holds_secrets(text))
		return;
	g_string_append_printf(
		report->out,
		"%s:1:1: warning: The file holds secret keys, and its mode %04o lets "
		"everybody on this machine at it: chmod o= %s\n",
		report->path, (unsigned)status.st_mode & 07777u, report->path);
}

/* The number of errors. */
static size_t lint_file(const WgCall *call, const char *path, GString *out)
{
	g_autoptr(GError) error = NULL;
	Report report = { .path = path, .out = out };
	size_t len;
	char *text = wg_read_file(path, MAX_FILE, &len, NULL, &error);
	if (!text) {
		wg_fail(call, error);
		return 1;
	}
	size_t n_errors = wice_conf_lint(text, len, call->mode, on_problem, &report);
	check_mode(&report, text);
	explicit_bzero(text, len);
	g_free(text);
	return n_errors;
}

int wg_lint(const WgCall *call)
{
	GString *out = g_string_new(NULL);
	size_t n_errors = 0;
	for (int i = 0; i < call->n_args; i++)
		n_errors += lint_file(call, call->args[i], out);
	int code = wg_output(call, g_string_free(out, FALSE), false);
	return n_errors ? EXIT_FAILURE : code;
}
