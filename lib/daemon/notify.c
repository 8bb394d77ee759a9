/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protocol of sd_notify(3): one datagram to the socket that NOTIFY_SOCKET names; '@' means an
 * abstract one.
 */
#include <wice/daemon.h>

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

gboolean wice_daemon_notify(const char *state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = g_getenv("NOTIFY_SOCKET");
	size_t len = path ? strlen(path) : 0;
	if (len < 2 || len >= sizeof address.sun_path || (*path != '/' && *path != '@'))
		return FALSE;
	memcpy(address.sun_path, path, len);
	if (*path == '@')
		address.sun_path[0] = 0;

	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return FALSE;
	socklen_t address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	ssize_t sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL,
			      (const struct sockaddr *)&address, address_len);
	close(fd);
	return sent == (ssize_t)strlen(state);
}
