/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "event/descriptors.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define RESERVED 32

/* The kernel gives the lowest number that is free. */
bool wice__descriptors_are_left(void)
{
	struct rlimit limit;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	close(fd);
	return getrlimit(RLIMIT_NOFILE, &limit) < 0 || (rlim_t)fd + RESERVED < limit.rlim_cur;
}
