/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>

#include "event/sockaddr.h"
#include "event/udp.h"

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

#define SOCKET_BUFFER (7 << 20)

void wice__udp_set_buffers(int fd)
{
	int size = SOCKET_BUFFER;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

/* It can be asked for since Linux 5.12; those before it have it too, but with faults. */
bool wice__udp_set_gro(int fd, bool on)
{
	int value = on, is_on = 0;
	socklen_t len = sizeof is_on;
	if (setsockopt(fd, SOL_UDP, UDP_GRO, &value, sizeof value) < 0)
		return false;
	if (!on || (getsockopt(fd, SOL_UDP, UDP_GRO, &is_on, &len) == 0 && is_on))
		return true;
	value = 0;
	setsockopt(fd, SOL_UDP, UDP_GRO, &value, sizeof value);
	return false;
}

int wice__udp_tell_local(int fd, WiceFamily family)
{
	int on = 1;
	int r = family == WICE_FAMILY_IPV4
			? setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on)
			: setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
	return r < 0 ? -errno : 0;
}

void wice__udp_permit_fragments(int fd, WiceFamily family)
{
	int v4 = IP_PMTUDISC_DONT, v6 = IPV6_PMTUDISC_DONT;
	if (family == WICE_FAMILY_IPV4)
		setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &v4, sizeof v4);
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &v6, sizeof v6);
}

int wice__udp_send_to(int fd, const WiceEndpoint *remote, const uint8_t *packet, size_t len)
{
	struct sockaddr_storage to;
	socklen_t to_len = wice__endpoint_to_sockaddr(remote, &to);
	ssize_t n;
	if (to_len == 0)
		return -EINVAL;
	do
		n = sendto(fd, packet, len, MSG_DONTWAIT, (const struct sockaddr *)&to, to_len);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}
