/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that has just started holds pages that it will not use again: constructors of some
 * fifty libraries (thirty come with libnice, as soon as there is a peer), parsers of configuration,
 * the loader. For program text that is 6 of wiced's 13 MiB. Dropping it costs nothing: the pages
 * are clean and stay in the page cache, and what is used comes back with a minor fault.
 */
#include <wice/daemon.h>

#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

/*
 * Only what is executable, private, not writable and of a file: nothing that this process could
 * have changed. Relocated data are read-only as well, but not executable.
 */
static gboolean is_text(const char *permissions, const char *path)
{
	return strcmp(permissions, "r-xp") == 0 && path[0] == '/';
}

void wice_daemon_trim(void)
{
	char line[4352]; /* PATH_MAX and what stands before it */
	malloc_trim(0);
	FILE *maps = fopen("/proc/self/maps", "re");
	if (!maps)
		return;
	while (fgets(line, sizeof line, maps)) {
		unsigned long start, end;
		char permissions[5], path[2];
		if (sscanf(line, "%lx-%lx %4s %*s %*s %*s %1s", &start, &end, permissions, path) ==
			    4 &&
		    is_text(permissions, path))
			(void)madvise((void *)start, end - start, MADV_DONTNEED);
	}
	fclose(maps);
}
