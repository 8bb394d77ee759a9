/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Needs struct timespec, and does not say so. */
#include <linux/errqueue.h>

#include "base/log.h"
#include "event/sockaddr.h"
#include "event/source.h"
#include "event/udp.h"
#include "relay/transport.h"

#define BATCH 32
#define BATCHES_PER_TURN 8

typedef struct {
	WiceRelayTransport base;
	WiceFdWatch *watch;
	WiceTimer *opened;
	WiceUdpReceiver *receiver;
	bool trusted;
} Datagrams;

static int datagrams_send(WiceRelayTransport *base, const uint8_t *packet, size_t len)
{
	int err = wice__udp_send_to(base->fd, &base->server, packet, len);
	/* The error of an earlier packet, which on_error() will read; this one was not sent. */
	if (err == -ECONNREFUSED)
		err = wice__udp_send_to(base->fd, &base->server, packet, len);
	return err;
}

static void receive_errors(int fd, WiceFamily family, bool on)
{
	int value = on;
	if (family == WICE_FAMILY_IPV4)
		setsockopt(fd, IPPROTO_IP, IP_RECVERR, &value, sizeof value);
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &value, sizeof value);
}

/* From then on others may send over the socket, too, who are not to be disturbed by errors. */
static void datagrams_trust(WiceRelayTransport *base)
{
	Datagrams *datagrams = (Datagrams *)base;
	datagrams->trusted = true;
	receive_errors(base->fd, base->server.address.family, false);
}

static void datagrams_set_reading(WiceRelayTransport *base, bool reading)
{
	wice__fd_watch_set_condition(((Datagrams *)base)->watch, reading ? G_IO_IN : 0);
}

static void datagrams_close(WiceRelayTransport *base)
{
	Datagrams *datagrams = (Datagrams *)base;
	g_clear_pointer(&datagrams->watch, wice__fd_watch_free);
	g_clear_pointer(&datagrams->opened, wice__timer_free);
	close(base->fd);
	base->fd = -1;
}

static void datagrams_free(WiceRelayTransport *base)
{
	Datagrams *datagrams = (Datagrams *)base;
	wice__udp_receiver_free(datagrams->receiver);
	g_free(datagrams);
}

static const WiceRelayTransportKind datagrams_kind = {
	.send = datagrams_send,
	.trust = datagrams_trust,
	.set_reading = datagrams_set_reading,
	.close = datagrams_close,
	.free = datagrams_free,
};

/* What an ICMP message said, 0: nothing (that is about a packet that was sent to the server). */
static int next_error(const Datagrams *datagrams)
{
	union {
		struct cmsghdr align;
		char bytes[512];
	} control;
	struct sockaddr_storage to;
	struct msghdr header = {
		.msg_name = &to,
		.msg_namelen = sizeof to,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes,
	};
	WiceEndpoint endpoint;
	if (recvmsg(datagrams->base.fd, &header, MSG_ERRQUEUE | MSG_DONTWAIT) < 0 ||
	    !wice__endpoint_from_sockaddr((const struct sockaddr *)&to, header.msg_namelen,
					  &endpoint) ||
	    wice_endpoint_compare(&endpoint, &datagrams->base.server) != 0)
		return 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c)) {
		const struct sock_extended_err *error = (const void *)CMSG_DATA(c);
		bool is_error = (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
				(c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR);
		/* How large a packet may be is no failure. */
		if (is_error && error->ee_errno != EMSGSIZE)
			return (int)error->ee_errno;
	}
	return 0;
}

/* False if the transport has failed. */
static bool on_error(Datagrams *datagrams)
{
	WiceRelayTransport *base = &datagrams->base;
	char server[WICE_ENDPOINT_SIZE];
	int error = next_error(datagrams);
	if (error == 0 || datagrams->trusted)
		return true;
	g_autofree char *reason =
		g_strdup_printf(error == ECONNREFUSED ? "Nothing listens at %s (UDP)"
						      : "The way to %s (UDP) is blocked: %s",
				wice_endpoint_format(&base->server, server), g_strerror(error));
	base->events->failed(reason, base->user_data);
	return false;
}

static void give(Datagrams *datagrams, int i)
{
	WiceRelayTransport *base = &datagrams->base;
	WiceUdpReceived received;
	WiceEndpoint from;
	if (wice__udp_received(datagrams->receiver, i, &received) &&
	    wice__endpoint_from_sockaddr(received.from, received.from_len, &from) &&
	    wice_endpoint_compare(&from, &base->server) == 0)
		base->events->input((uint8_t *)received.chunk.data, received.chunk.len,
				    base->user_data);
}

static void on_readable(int fd, GIOCondition condition, void *user_data)
{
	Datagrams *datagrams = user_data;
	WiceRelayTransport *base = &datagrams->base;
	int n = BATCH;
	wice__relay_transport_ref(base);
	if (!(condition & G_IO_ERR) || on_error(datagrams))
		for (int turn = 0; base->events && n == BATCH && turn < BATCHES_PER_TURN; turn++) {
			n = wice__udp_receive(datagrams->receiver, fd, BATCH);
			for (int i = 0; base->events && i < n; i++)
				give(datagrams, i);
		}
	wice__relay_transport_unref(base);
}

static void on_opened(void *user_data)
{
	Datagrams *datagrams = user_data;
	datagrams->base.events->opened(datagrams->base.user_data);
}

static void mark(int fd, const WiceEndpoint *server, uint32_t fwmark)
{
	char text[WICE_ENDPOINT_SIZE];
	if (fwmark == 0 || setsockopt(fd, SOL_SOCKET, SO_MARK, &fwmark, sizeof fwmark) == 0)
		return;
	wice__log(WICE_LOG_WARNING, wice_endpoint_format(server, text),
		  "The packets to this relay cannot carry the firewall mark 0x%x (%s) and may be "
		  "routed into a tunnel; CAP_NET_ADMIN is needed for it",
		  fwmark, g_strerror(errno));
}

/* A socket on the wildcard, for IPv6 not for both. */
static int open_socket(const WiceEndpoint *server, WiceEndpoint *ret_local)
{
	WiceFamily family = server->address.family;
	WiceEndpoint any = { .address.family = family };
	struct sockaddr_storage address;
	socklen_t len = wice__endpoint_to_sockaddr(&any, &address);
	int only = 1;
	if (len == 0)
		return -EAFNOSUPPORT;
	int fd = socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (family == WICE_FAMILY_IPV6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
	if (bind(fd, (const struct sockaddr *)&address, len) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) < 0) {
		int err = -errno;
		close(fd);
		return err;
	}
	(void)wice__endpoint_from_sockaddr((const struct sockaddr *)&address, len, ret_local);
	return fd;
}

int wice__relay_datagrams_open(GMainContext *context, const WiceEndpoint *server, uint32_t fwmark,
			       const WiceRelayTransportEvents *events, void *user_data,
			       WiceRelayTransport **ret_transport)
{
	WiceEndpoint local;
	WiceUdpReceiver *receiver;
	int fd = open_socket(server, &local);
	if (fd < 0)
		return fd;
	int err = wice__udp_receiver_new(BATCH, &receiver);
	if (err) {
		close(fd);
		return err;
	}
	mark(fd, server, fwmark);
	wice__udp_set_buffers(fd);
	wice__udp_set_gro(fd, false);
	wice__udp_permit_fragments(fd, server->address.family);
	receive_errors(fd, server->address.family, true);

	Datagrams *datagrams = g_new0(Datagrams, 1);
	wice__relay_transport_init(&datagrams->base, &datagrams_kind, context, events, user_data);
	datagrams->base.server = *server;
	datagrams->base.local = local;
	datagrams->base.fd = fd;
	datagrams->receiver = receiver;
	datagrams->watch = wice__fd_watch_new(context, fd, G_IO_IN, on_readable, datagrams);
	datagrams->opened = wice__timer_new(context, on_opened, datagrams);
	wice__timer_set(datagrams->opened, 0);
	*ret_transport = &datagrams->base;
	return 0;
}
