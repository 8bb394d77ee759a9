/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_SIGNALING_NETNS_H
#define WICE_TESTS_SIGNALING_NETNS_H

/* A network of our own: nothing outside is seen or touched. */
#include <errno.h>
#include <glib.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static inline bool netns_set_up(const char *interface, bool up)
{
	struct ifreq request = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	g_strlcpy(request.ifr_name, interface, sizeof request.ifr_name);
	bool ok = fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0;
	if (ok) {
		request.ifr_flags =
			(short)(up ? request.ifr_flags | IFF_UP : request.ifr_flags & ~IFF_UP);
		ok = ioctl(fd, SIOCSIFFLAGS, &request) == 0;
	}
	if (fd >= 0)
		close(fd);
	return ok;
}

/* False, with the reason printed, where this is not allowed: the test has nothing to stand on then. */
static inline bool netns_enter(void)
{
	if ((unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0) &&
	    netns_set_up("lo", true))
		return true;
	printf("skipped: no network namespace of our own (%s)\n", g_strerror(errno));
	return false;
}

/* Runs ip(8); false, with the reason printed, if it fails. */
static inline bool netns_ip(const char *arguments)
{
	g_autofree char *line = g_strdup_printf("ip %s", arguments);
	g_autoptr(GError) error = NULL;
	int status = 0;
	if (g_spawn_command_line_sync(line, NULL, NULL, &status, &error) &&
	    g_spawn_check_wait_status(status, &error))
		return true;
	printf("skipped: %s: %s\n", line, error->message);
	return false;
}

#endif
