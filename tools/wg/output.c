/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands say: the result in as few writes as the system takes, errors as one sentence. */
#include "wg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int wg_fail(const WgCall *call, const GError *error)
{
	fprintf(stderr, "%s: %s\n", call->program, error->message);
	return EXIT_FAILURE;
}

void wg_wipe(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	g_free(text);
}

static bool write_all(const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(STDOUT_FILENO, text, len);
		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
	return true;
}

int wg_output(const WgCall *call, char *text, bool end_line)
{
	size_t len = strlen(text);
	bool lacks_end = end_line && (len == 0 || text[len - 1] != '\n');
	bool ok = write_all(text, len) && (!lacks_end || write_all("\n", 1));
	if (!ok)
		fprintf(stderr, "%s: Cannot write the output: %s\n", call->program,
			strerror(errno));
	wg_wipe(text);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
