/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/bpf/slot.h"

#include <errno.h>
#include <glib.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int wice__bpf_slot_hold(unsigned slot)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int len =
		g_snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "wice/mux/%u", slot);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&address,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len)) < 0) {
		int r = -errno;
		close(fd);
		return r;
	}
	return fd;
}
