/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_NAMESPACE_H
#define WICE_TESTS_NAMESPACE_H

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A network namespace of the test process's own, so that tests can do to it what they like. */

static inline bool namespace_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return ok;
}

/* Runs iproute2; the arguments come from the tests themselves. */
__attribute__((format(printf, 1, 2))) static inline bool namespace_ip(const char *format, ...)
{
	char arguments[200], command[256];
	va_list list;
	va_start(list, format);
	vsnprintf(arguments, sizeof arguments, format, list);
	va_end(list);
	snprintf(command, sizeof command, "ip %s 2>/dev/null", arguments);
	return system(command) == 0;
}

/*
 * Waits until a device carries packets. One that was up before its other end learns of that by work
 * that the kernel does later, and swallows what is sent until then.
 */
static inline bool namespace_wait_link(const char *name)
{
	for (int i = 0; i < 6000; i++) {
		if (namespace_ip("link show dev %s | grep -q 'state UP'", name))
			return true;
		usleep(10000);
	}
	return false;
}

static inline bool namespace_unshare(void)
{
	if (geteuid() == 0)
		return unshare(CLONE_NEWNET) == 0;
	char map[64];
	snprintf(map, sizeof map, "0 %u 1", (unsigned)geteuid());
	return unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 &&
	       namespace_write("/proc/self/uid_map", map);
}

/* Only lo, which is up. False after having said why, if this machine does not allow it. */
static inline bool namespace_enter(void)
{
	if (!namespace_unshare()) {
		printf("Skipped: cannot make a network namespace: %s\n", strerror(errno));
		return false;
	}
	if (!namespace_ip("link set lo up")) {
		printf("Skipped: ip(8) is missing or may not configure lo\n");
		return false;
	}
	return true;
}

/* The same, where TUN devices can be made too. */
static inline bool namespace_enter_with_tun(void)
{
	if (geteuid() != 0 || access("/dev/net/tun", R_OK | W_OK) != 0) {
		printf("Skipped: TUN devices need root and /dev/net/tun\n");
		return false;
	}
	return namespace_enter();
}

#endif
