/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* What plays WireGuard, and packets in general. */
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "bed.h"
#include "event/sockaddr.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define HEADROOM 64
#define MAX_RUN 64
#define BATCH 16

void bed_send(int fd, const WiceEndpoint *to, const void *packet, size_t len)
{
	struct sockaddr_storage name;
	socklen_t name_len = wice__endpoint_to_sockaddr(to, &name);
	struct pollfd room = { .fd = fd, .events = POLLOUT };
	ssize_t n;
	do {
		ck_assert_int_eq(poll(&room, 1, BED_DEADLINE_US / 1000), 1);
		n = sendto(fd, packet, len, 0, (const struct sockaddr *)&name, name_len);
	} while (n < 0 && errno == EAGAIN);
	ck_assert_msg(n == (ssize_t)len, "sendto: %s", g_strerror(errno));
}

static void bind_send(WiceBind *bind, WiceBindPath *path, const void *packet, size_t len)
{
	g_autofree uint8_t *room = g_malloc(HEADROOM + len);
	WiceBindPacket bytes = { room + HEADROOM, (uint32_t)len };
	memcpy(bytes.data, packet, len);
	ck_assert_int_eq(bind->ops->send(bind, path, &bytes, 1), 1);
}

void bed_wg_send(BedInterface *interface, const WiceEndpoint *to, const void *packet, size_t len)
{
	if (!interface->bind) {
		bool ipv6 = to->address.family == WICE_FAMILY_IPV6;
		bed_send(interface->sockets[ipv6], to, packet, len);
		return;
	}
	WiceBindPath path;
	interface->bind->ops->route(interface->bind, to, &path);
	bind_send(interface->bind, &path, packet, len);
}

static void bind_send_run(WiceBind *bind, const WiceEndpoint *to, const uint8_t *packets,
			  size_t total, size_t len)
{
	g_autofree uint8_t *room = g_malloc(MAX_RUN * (HEADROOM + len));
	WiceBindPacket run[MAX_RUN];
	WiceBindPath path;
	size_t n = 0;
	for (size_t at = 0; at < total; at += len, n++) {
		ck_assert_uint_lt(n, MAX_RUN);
		run[n] = (WiceBindPacket){ room + n * (HEADROOM + len) + HEADROOM,
					   (uint32_t)MIN(len, total - at) };
		memcpy(run[n].data, packets + at, run[n].length);
	}
	bind->ops->route(bind, to, &path);
	ck_assert_int_eq(bind->ops->send(bind, &path, run, n), (int)n);
}

void bed_send_run(int fd, const WiceEndpoint *to, const uint8_t *packets, size_t total, size_t len)
{
	int segment = (int)len, none = 0;
	ck_assert_int_eq(setsockopt(fd, SOL_UDP, UDP_SEGMENT, &segment, sizeof segment), 0);
	bed_send(fd, to, packets, total);
	ck_assert_int_eq(setsockopt(fd, SOL_UDP, UDP_SEGMENT, &none, sizeof none), 0);
}

void bed_wg_send_run(BedInterface *interface, const WiceEndpoint *to, const uint8_t *packets,
		     size_t total, size_t len)
{
	bool ipv6 = to->address.family == WICE_FAMILY_IPV6;
	if (interface->bind)
		bind_send_run(interface->bind, to, packets, total, len);
	else
		bed_send_run(interface->sockets[ipv6], to, packets, total, len);
}

void bed_wg_reply(BedInterface *interface, const void *packet, size_t len)
{
	BedPacket *got = &interface->bed->got;
	if (interface->bind)
		bind_send(interface->bind, &got->path, packet, len);
	else
		bed_wg_send(interface, &got->source, packet, len);
}

/* With bytes, of which there are up to BED_PACKET_MAX. */
static bool take(int fd, BedPacket *packet)
{
	struct sockaddr_storage name;
	socklen_t name_len = sizeof name;
	ssize_t n = recvfrom(fd, packet->bytes, BED_PACKET_MAX, MSG_DONTWAIT,
			     (struct sockaddr *)&name, &name_len);
	packet->len = n < 0 ? 0 : (size_t)n;
	return n >= 0 && wice__endpoint_from_sockaddr((const struct sockaddr *)&name, name_len,
						      &packet->source);
}

bool bed_take(Bed *bed, int fd)
{
	return take(fd, &bed->got);
}

static void push(BedInterface *interface, const BedPacket *packet)
{
	BedPacket *copy = g_new(BedPacket, 1);
	*copy = *packet;
	copy->bytes = g_memdup2(packet->bytes, packet->len);
	g_queue_push_tail(&interface->received, copy);
}

static bool receive_from_socket(BedInterface *interface, int fd)
{
	g_autofree uint8_t *bytes = g_malloc(BED_PACKET_MAX);
	BedPacket packet = { .bytes = bytes };
	bool any = false;
	while (take(fd, &packet)) {
		push(interface, &packet);
		any = true;
	}
	return any;
}

static void push_datagram(BedInterface *interface, const WiceBindDatagram *datagram)
{
	uint32_t segment = datagram->segment ? datagram->segment : datagram->length;
	uint32_t at = 0;
	do {
		BedPacket packet = {
			.bytes = datagram->data + at,
			.len = MIN(segment, datagram->length - at),
			.source = datagram->path.remote,
			.path = datagram->path,
		};
		push(interface, &packet);
		at += segment;
	} while (at < datagram->length);
}

static bool receive_from_bind(BedInterface *interface)
{
	WiceBindDatagram datagrams[BATCH];
	WiceBind *bind = interface->bind;
	bool any = false;
	int n;
	while ((n = bind->ops->receive(bind, 0, datagrams, BATCH)) > 0) {
		for (int i = 0; i < n; i++)
			push_datagram(interface, &datagrams[i]);
		any = true;
	}
	ck_assert_int_eq(n, -EAGAIN);
	return any;
}

bool bed_turn(Bed *bed)
{
	bool any = g_main_context_iteration(bed->context, FALSE);
	for (size_t i = 0; i < bed->n_interfaces; i++) {
		BedInterface *interface = &bed->interfaces[i];
		if (interface->bind) {
			any |= receive_from_bind(interface);
			continue;
		}
		any |= receive_from_socket(interface, interface->sockets[0]);
		any |= receive_from_socket(interface, interface->sockets[1]);
	}
	return any;
}

bool bed_wg_take(BedInterface *interface)
{
	BedPacket *packet = g_queue_pop_head(&interface->received);
	if (!packet)
		return false;
	BedPacket *got = &interface->bed->got;
	uint8_t *buffer = got->bytes;
	if (packet->len > 0)
		memcpy(buffer, packet->bytes, packet->len);
	*got = *packet;
	got->bytes = buffer;
	g_free(packet->bytes);
	g_free(packet);
	return true;
}

static void check(const Bed *bed, const void *packet, size_t len, const WiceEndpoint *source)
{
	char got[WICE_ENDPOINT_SIZE], wanted[WICE_ENDPOINT_SIZE];
	ck_assert_uint_eq(bed->got.len, len);
	ck_assert_mem_eq(bed->got.bytes, packet, len);
	ck_assert_str_eq(wice_endpoint_format(&bed->got.source, got),
			 wice_endpoint_format(source, wanted));
}

void bed_expect(Bed *bed, int fd, const void *packet, size_t len, const WiceEndpoint *source)
{
	BED_UNTIL(bed, bed_take(bed, fd));
	check(bed, packet, len, source);
}

void bed_wg_expect(BedInterface *interface, const void *packet, size_t len,
		   const WiceEndpoint *source)
{
	BED_UNTIL(interface->bed, bed_wg_take(interface));
	check(interface->bed, packet, len, source);
}
