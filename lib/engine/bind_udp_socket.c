/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sockets of a port: one per family and queue. The first of a family is bound as the only one,
 * so that a port of somebody else is noticed; only then others may join it (SO_REUSEPORT), and the
 * system spreads senders over them.
 */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/bind_udp.h"
#include "event/sockaddr.h"

/* A port that is free for IPv4 may be taken for IPv6. */
#define MAX_ATTEMPTS 100

typedef struct {
	const WiceBindUdp *bind;
	WiceFamily family;
	uint32_t fwmark;
	bool shared; /* with other queues */
	bool first;  /* of those */
} Wanted;

int wice__bind_udp_set_mark(int fd, uint32_t fwmark)
{
	return setsockopt(fd, SOL_SOCKET, SO_MARK, &fwmark, sizeof fwmark) < 0 ? -errno : 0;
}

static int set_reuse_port(int fd)
{
	int on = 1;
	return setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0 ? -errno : 0;
}

static int prepare(int fd, const Wanted *wanted)
{
	const WiceBindUdpOptions *options = &wanted->bind->options;
	int on = 1, r = 0;
	if (options->protect && !options->protect(fd, options->user_data))
		return -EPERM;
	if (wanted->family == WICE_FAMILY_IPV6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0)
		return -errno;
	if (wanted->fwmark)
		r = wice__bind_udp_set_mark(fd, wanted->fwmark);
	if (r == 0 && !options->no_sticky)
		r = wice__udp_tell_local(fd, wanted->family);
	if (r == 0 && wanted->shared && !wanted->first)
		r = set_reuse_port(fd);
	if (r < 0)
		return r;
	wice__udp_permit_fragments(fd, wanted->family);
	wice__udp_set_buffers(fd);
	if (!options->no_segmentation)
		wice__udp_set_gro(fd, true);
	return 0;
}

/* port: in 0, any; out the one that it has. */
static int bind_to(int fd, const Wanted *wanted, uint16_t *port)
{
	WiceEndpoint any = { .address.family = wanted->family, .port = *port };
	struct sockaddr_storage name;
	socklen_t len = wice__endpoint_to_sockaddr(&any, &name);
	if (bind(fd, (const struct sockaddr *)&name, len) < 0 ||
	    getsockname(fd, (struct sockaddr *)&name, &len) < 0)
		return -errno;
	if (!wice__endpoint_from_sockaddr((const struct sockaddr *)&name, len, &any))
		return -EPROTO;
	*port = any.port;
	return wanted->shared && wanted->first ? set_reuse_port(fd) : 0;
}

/* -EAFNOSUPPORT: the system has no such addresses. */
static int open_one(const Wanted *wanted, uint16_t *port, WiceUdpSender *sender)
{
	int domain = wanted->family == WICE_FAMILY_IPV4 ? AF_INET : AF_INET6;
	int fd = socket(domain, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	int r = prepare(fd, wanted);
	if (r == 0)
		r = bind_to(fd, wanted, port);
	if (r < 0) {
		close(fd);
		return r == -EADDRNOTAVAIL ? -EAFNOSUPPORT : r;
	}
	wice__udp_sender_init(sender, fd, !wanted->bind->options.no_segmentation, false);
	return 0;
}

static int open_all(Wanted wanted, uint16_t *port, WiceBindUdpQueue *queues, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		wanted.first = i == 0;
		wanted.family = WICE_FAMILY_IPV4;
		int r4 = open_one(&wanted, port, &queues[i].ipv4);
		if (r4 < 0 && r4 != -EAFNOSUPPORT)
			return r4;
		wanted.family = WICE_FAMILY_IPV6;
		int r6 = open_one(&wanted, port, &queues[i].ipv6);
		if (r6 < 0 && (r6 != -EAFNOSUPPORT || r4 < 0))
			return r6;
	}
	return 0;
}

int wice__bind_udp_sockets_open(const WiceBindUdp *bind, uint16_t port, uint32_t fwmark,
				WiceBindUdpQueue *queues, unsigned n, uint16_t *ret_port)
{
	Wanted wanted = { .bind = bind, .fwmark = fwmark, .shared = n > 1 };
	int r = -EADDRINUSE;
	for (unsigned i = 0; i < n; i++)
		queues[i].ipv4.fd = queues[i].ipv6.fd = -1;
	for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
		uint16_t chosen = port;
		r = open_all(wanted, &chosen, queues, n);
		if (r == 0) {
			*ret_port = chosen;
			return 0;
		}
		wice__bind_udp_sockets_close(queues, n);
		if (r != -EADDRINUSE || port != 0)
			return r;
	}
	return r;
}

static void close_one(WiceUdpSender *sender)
{
	if (sender->fd >= 0)
		close(sender->fd);
	sender->fd = -1;
}

void wice__bind_udp_sockets_close(WiceBindUdpQueue *queues, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		close_one(&queues[i].ipv4);
		close_one(&queues[i].ipv6);
	}
}
