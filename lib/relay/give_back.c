/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* In the end there is no main loop any more that would wait for answers. */
#include <glib.h>
#include <poll.h>
#include <sys/socket.h>

#include "event/sockaddr.h"
#include "event/source.h"
#include "relay/relay.h"

#define PATIENCE_MS 100
#define PACKET_MAX 1500

/* Those that an answer is awaited of. */
typedef struct {
	size_t n;
	WiceRelay **relays;
	struct pollfd *fds;
} Waiting;

static void collect(Waiting *waiting, WiceRelay *const *relays, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int fd = wice__relay_fd(relays[i]);
		if (!wice__relay_give_back(relays[i]) || fd < 0)
			continue;
		waiting->relays[waiting->n] = relays[i];
		waiting->fds[waiting->n++] = (struct pollfd){ .fd = fd, .events = POLLIN };
	}
}

static void receive(WiceRelay *relay, int fd)
{
	uint8_t packet[PACKET_MAX];
	struct sockaddr_storage from;
	WiceEndpoint source;
	ssize_t len;
	do {
		socklen_t from_len = sizeof from;
		len = recvfrom(fd, packet, sizeof packet, MSG_DONTWAIT, (struct sockaddr *)&from,
			       &from_len);
		if (len > 0 &&
		    wice__endpoint_from_sockaddr((const struct sockaddr *)&from, from_len, &source))
			wice__relay_input(relay, &source, packet, (size_t)len);
	} while (len >= 0 && wice__relay_give_back(relay));
}

static void wait_for_all(Waiting *waiting, int64_t until)
{
	while (waiting->n > 0) {
		int64_t left = until - wice__now_ms();
		if (left <= 0 || poll(waiting->fds, waiting->n, (int)left) <= 0)
			return;
		for (size_t i = waiting->n; i-- > 0;) {
			if (waiting->fds[i].revents)
				receive(waiting->relays[i], waiting->fds[i].fd);
			if (wice__relay_give_back(waiting->relays[i]))
				continue;
			waiting->relays[i] = waiting->relays[--waiting->n];
			waiting->fds[i] = waiting->fds[waiting->n];
		}
	}
}

void wice__relay_give_back_all(WiceRelay *const *relays, size_t n)
{
	g_autofree WiceRelay **waiting_relays = g_new0(WiceRelay *, n);
	g_autofree struct pollfd *fds = g_new0(struct pollfd, n);
	Waiting waiting = { .relays = waiting_relays, .fds = fds };
	collect(&waiting, relays, n);
	wait_for_all(&waiting, wice__now_ms() + PATIENCE_MS);
}
