/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "relay/check_nat.h"

#include <errno.h>
#include <netinet/in.h>
#include <sodium.h>
#include <sys/socket.h>
#include <unistd.h>

#include "event/sockaddr.h"
#include "event/source.h"
#include "event/udp.h"
#include "stun/mapping.h"

/* All of the servers have answered before; an OTHER-ADDRESS may be a dead one. */
#define PATIENCE_MS 3000
#define BATCH 8

struct WiceCheckNat {
	WiceFamily family;
	void (*done)(void *user_data);
	void *user_data;
	int fd; /* -1: this host has no such addresses */
	WiceEndpoint local;
	WiceUdpReceiver *receiver;
	WiceFdWatch *watch;
	WiceTimer *timer;
	WiceStunMapping mapping;
	int64_t deadline_ms;
};

static void set_timer(WiceCheckNat *nat)
{
	wice__timer_set(nat->timer,
			MIN(nat->deadline_ms, wice__stun_mapping_deadline(&nat->mapping)));
}

static void send_due(WiceCheckNat *nat, int64_t now_ms)
{
	WiceEndpoint server;
	uint8_t request[WICE_STUN_PROBE_REQUEST_LEN];
	while (wice__stun_mapping_output(&nat->mapping, now_ms, &server, request)) {
		int err = wice__udp_send_to(nat->fd, &server, request, sizeof request);
		if (err && err != -EAGAIN && err != -ENOBUFS && err != -ENOMEM)
			wice__stun_mapping_unreachable(&nat->mapping, &server, now_ms);
	}
}

/* The callback may free. */
static void on_timer(void *user_data)
{
	WiceCheckNat *nat = user_data;
	int64_t now_ms = wice__now_ms();
	bool late = nat->fd < 0 || now_ms >= nat->deadline_ms;
	wice__stun_mapping_advance(&nat->mapping, now_ms);
	if (!late && !wice__stun_mapping_is_settled(&nat->mapping)) {
		send_due(nat, now_ms);
		set_timer(nat);
		return;
	}
	wice__timer_set(nat->timer, INT64_MAX);
	g_clear_pointer(&nat->watch, wice__fd_watch_free);
	nat->done(nat->user_data);
}

static void on_readable(int fd, GIOCondition condition, void *user_data)
{
	WiceCheckNat *nat = user_data;
	int n = wice__udp_receive(nat->receiver, fd, BATCH);
	for (int i = 0; i < n; i++) {
		WiceUdpReceived received;
		WiceEndpoint source, local = nat->local;
		if (!wice__udp_received(nat->receiver, i, &received) ||
		    !wice__endpoint_from_sockaddr(received.from, received.from_len, &source))
			continue;
		local.address = received.local;
		wice__stun_mapping_input(&nat->mapping, received.chunk.data, received.chunk.len,
					 &source, &local, wice__now_ms());
	}
	wice__timer_set(nat->timer, 0);
}

static int open_socket(WiceFamily family, uint32_t fwmark, WiceEndpoint *ret_local)
{
	WiceEndpoint any = { .address.family = (uint8_t)family };
	struct sockaddr_storage name;
	int only = 1;
	socklen_t len = wice__endpoint_to_sockaddr(&any, &name);
	int fd = socket(name.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (family == WICE_FAMILY_IPV6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
	if (fwmark)
		setsockopt(fd, SOL_SOCKET, SO_MARK, &fwmark, sizeof fwmark);
	if (wice__udp_tell_local(fd, family) < 0 || bind(fd, (struct sockaddr *)&name, len) < 0 ||
	    getsockname(fd, (struct sockaddr *)&name, &len) < 0) {
		close(fd);
		return -1;
	}
	(void)wice__endpoint_from_sockaddr((struct sockaddr *)&name, len, ret_local);
	return fd;
}

WiceCheckNat *wice__check_nat_new(GMainContext *context, WiceFamily family, uint32_t fwmark,
				  const WiceEndpoint *servers, size_t n,
				  void (*done)(void *user_data), void *user_data)
{
	WiceCheckNat *nat = g_new0(WiceCheckNat, 1);
	int64_t now_ms = wice__now_ms();
	nat->family = family;
	nat->done = done;
	nat->user_data = user_data;
	nat->deadline_ms = now_ms + PATIENCE_MS;
	nat->fd = open_socket(family, fwmark, &nat->local);
	if (nat->fd >= 0 && wice__udp_receiver_new(BATCH, &nat->receiver) < 0) {
		close(nat->fd);
		nat->fd = -1;
	}
	nat->timer = wice__timer_new(context, on_timer, nat);
	wice__stun_mapping_init(&nat->mapping, randombytes_buf);
	if (nat->fd >= 0) {
		wice__stun_mapping_set_servers(&nat->mapping, servers, n, now_ms);
		nat->watch = wice__fd_watch_new(context, nat->fd, G_IO_IN, on_readable, nat);
	}
	wice__timer_set(nat->timer, 0);
	return nat;
}

void wice__check_nat_free(WiceCheckNat *nat)
{
	if (!nat)
		return;
	g_clear_pointer(&nat->watch, wice__fd_watch_free);
	wice__timer_free(nat->timer);
	wice__udp_receiver_free(nat->receiver);
	if (nat->fd >= 0)
		close(nat->fd);
	g_free(nat);
}

WiceFamily wice__check_nat_family(const WiceCheckNat *nat)
{
	return nat->family;
}

WiceNatMapping wice__check_nat_mapping(const WiceCheckNat *nat)
{
	return nat->mapping.nat;
}
