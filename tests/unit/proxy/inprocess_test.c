/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* An engine's bind on the ports of ICE agents, over the loopback interface. */
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "event/sockaddr.h"
#include "proxy/inprocess.h"
#include "stun/probe.h"

#define PATIENCE_MS 60000
#define STUN_LEN 20

typedef struct {
	WiceBind *bind;
	WiceProxy *inprocess;
	WiceProxyPeer *owner;
	int ice, peer;
	WiceEndpoint ice_endpoint, peer_endpoint;
	WiceProxyPath *path;
	unsigned n_answers;
	WiceEndpoint source;
	bool free_path;
} Bed;

static int open_socket(WiceEndpoint *ret_endpoint)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_storage name;
	socklen_t len = sizeof name;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&name, &len), 0);
	ck_assert(wice__endpoint_from_sockaddr((const struct sockaddr *)&name, len, ret_endpoint));
	return fd;
}

static void on_stun(WiceProxyPath *path, const WiceEndpoint *source, const uint8_t *packet,
		    size_t len, void *user_data)
{
	Bed *bed = user_data;
	ck_assert_ptr_eq(path, bed->path);
	ck_assert_uint_eq(len, STUN_LEN);
	bed->source = *source;
	bed->n_answers++;
	if (bed->free_path) {
		bed->inprocess->ops->path_free(bed->path);
		bed->path = NULL;
	}
}

static const WiceProxyEvents events = { .on_stun = on_stun };

static int make_path(WiceProxyPeer *owner, int fd, WiceProxyPath **ret_path)
{
	WiceProxySocket ice = { .fd = fd, .ufrag = "abcdefgh" };
	return owner->proxy->ops->path_new(owner, &ice, ret_path);
}

static void set_up(Bed *bed)
{
	uint16_t port;
	unsigned n_queues;
	*bed = (Bed){ .bind = wice_bind_udp_new(NULL) };
	ck_assert_int_eq(bed->bind->ops->open(bed->bind, 0, 0, 1, &port, &n_queues), 0);
	bed->inprocess = wice__proxy_inprocess_new(NULL, bed->bind);
	ck_assert_int_eq(bed->inprocess->ops->peer_new(bed->inprocess, &events, bed, &bed->owner),
			 0);
	bed->ice = open_socket(&bed->ice_endpoint);
	bed->peer = open_socket(&bed->peer_endpoint);
	ck_assert_int_eq(make_path(bed->owner, bed->ice, &bed->path), 0);
}

static void tear_down(Bed *bed)
{
	bed->inprocess->ops->peer_free(bed->owner);
	bed->inprocess->ops->free(bed->inprocess);
	wice_bind_free(bed->bind);
	close(bed->ice);
	close(bed->peer);
}

static void send_to_ice(const Bed *bed, const uint8_t *packet, size_t len)
{
	struct sockaddr_storage to;
	socklen_t to_len = wice__endpoint_to_sockaddr(&bed->ice_endpoint, &to);
	ck_assert_int_eq(sendto(bed->peer, packet, len, 0, (const struct sockaddr *)&to, to_len),
			 (ssize_t)len);
}

static void send_stun(const Bed *bed, uint32_t tag)
{
	uint8_t packet[STUN_LEN] = { 1, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42 };
	for (int i = 0; i < 4; i++)
		packet[8 + i] = (uint8_t)(tag >> (24 - 8 * i));
	send_to_ice(bed, packet, sizeof packet);
}

static bool is_readable(int fd)
{
	struct pollfd wanted = { .fd = fd, .events = POLLIN };
	return poll(&wanted, 1, PATIENCE_MS) == 1;
}

/* What the engine would receive: the number of datagrams. */
static int receive(Bed *bed, WiceBindDatagram *ret_datagram)
{
	int r;
	do {
		ck_assert(is_readable(bed->bind->ops->poll_fd(bed->bind, 0)));
		r = bed->bind->ops->receive(bed->bind, 0, ret_datagram, 1);
	} while (r == -EAGAIN);
	return r;
}

/* Until the bind has handed a foreign packet on, which is not a datagram of its own. */
static void receive_foreign(Bed *bed)
{
	WiceBindDatagram datagram;
	ck_assert(is_readable(bed->bind->ops->poll_fd(bed->bind, 0)));
	while (bed->bind->ops->receive(bed->bind, 0, &datagram, 1) != -EAGAIN)
		;
}

static void run_context(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

START_TEST(packets_of_wireguard_are_the_engines)
{
	uint8_t keepalive[32] = { 4 };
	WiceBindDatagram datagram;
	char byte;
	Bed bed;
	set_up(&bed);
	send_to_ice(&bed, keepalive, sizeof keepalive);
	ck_assert_int_eq(receive(&bed, &datagram), 1);
	ck_assert_uint_eq(datagram.length, sizeof keepalive);
	ck_assert_uint_ne(datagram.path.channel, 0);
	ck_assert_int_eq(wice_endpoint_compare(&datagram.path.remote, &bed.peer_endpoint), 0);
	ck_assert_int_eq(recv(bed.ice, &byte, 1, 0), -1);
	tear_down(&bed);
}
END_TEST

START_TEST(what_goes_to_the_selected_remote_leaves_from_the_port_of_ice)
{
	uint8_t room[64] = { 0 }, got[64];
	WiceBindPath before, after;
	struct sockaddr_storage from;
	socklen_t len = sizeof from;
	WiceEndpoint source;
	Bed bed;
	set_up(&bed);
	bed.bind->ops->route(bed.bind, &bed.peer_endpoint, &before);
	ck_assert_uint_eq(before.channel, 0);
	WiceEndpoint endpoint;
	ck_assert_int_eq(
		bed.inprocess->ops->select(bed.owner, bed.path, &bed.peer_endpoint, &endpoint), 0);
	ck_assert_int_eq(wice_endpoint_compare(&endpoint, &bed.peer_endpoint), 0);
	bed.bind->ops->route(bed.bind, &bed.peer_endpoint, &after);
	ck_assert_uint_ne(after.channel, 0);
	WiceBindPacket packet = { room + 32, 32 };
	ck_assert_int_eq(bed.bind->ops->send(bed.bind, &after, &packet, 1), 1);
	ck_assert(is_readable(bed.peer));
	ck_assert_int_eq(recvfrom(bed.peer, got, sizeof got, 0, (struct sockaddr *)&from, &len),
			 32);
	ck_assert(wice__endpoint_from_sockaddr((const struct sockaddr *)&from, len, &source));
	ck_assert_int_eq(wice_endpoint_compare(&source, &bed.ice_endpoint), 0);
	/* Without the path nothing leads there any more. */
	bed.inprocess->ops->path_free(bed.path);
	bed.path = NULL;
	ck_assert_int_le(bed.bind->ops->send(bed.bind, &after, &packet, 1), 0);
	bed.bind->ops->route(bed.bind, &bed.peer_endpoint, &after);
	ck_assert_uint_eq(after.channel, 0);
	tear_down(&bed);
}
END_TEST

START_TEST(answers_to_probes_come_to_the_context)
{
	Bed bed;
	set_up(&bed);
	send_stun(&bed, WICE_STUN_PROBE_TAG);
	receive_foreign(&bed);
	ck_assert_uint_eq(bed.n_answers, 0);
	run_context();
	ck_assert_uint_eq(bed.n_answers, 1);
	ck_assert_int_eq(wice_endpoint_compare(&bed.source, &bed.peer_endpoint), 0);
	/* The agent's own checks stay its. */
	send_stun(&bed, 0x12345678);
	ck_assert(is_readable(bed.ice));
	run_context();
	ck_assert_uint_eq(bed.n_answers, 1);
	tear_down(&bed);
}
END_TEST

START_TEST(a_path_may_be_freed_while_answers_wait)
{
	Bed bed;
	set_up(&bed);
	bed.free_path = true;
	for (int i = 0; i < 3; i++) {
		send_stun(&bed, WICE_STUN_PROBE_TAG);
		receive_foreign(&bed);
	}
	run_context();
	ck_assert_uint_eq(bed.n_answers, 1);
	ck_assert_ptr_null(bed.path);
	tear_down(&bed);
}
END_TEST

START_TEST(probes_leave_from_the_port_of_ice)
{
	static const uint8_t request[STUN_LEN] = { 0, 1 };
	struct sockaddr_storage from;
	socklen_t len = sizeof from;
	WiceEndpoint source, none = { 0 };
	uint8_t got[64];
	Bed bed;
	set_up(&bed);
	ck_assert_int_eq(bed.inprocess->ops->path_send(bed.path, &bed.peer_endpoint, request,
						       sizeof request),
			 0);
	ck_assert(is_readable(bed.peer));
	ck_assert_int_eq(recvfrom(bed.peer, got, sizeof got, 0, (struct sockaddr *)&from, &len),
			 STUN_LEN);
	ck_assert(wice__endpoint_from_sockaddr((const struct sockaddr *)&from, len, &source));
	ck_assert_int_eq(wice_endpoint_compare(&source, &bed.ice_endpoint), 0);
	ck_assert_int_eq(bed.inprocess->ops->path_send(bed.path, &none, request, sizeof request),
			 -EINVAL);
	tear_down(&bed);
}
END_TEST

/* A flood from strangers costs a bounded amount of memory, and answers come all the same later. */
START_TEST(a_flood_of_foreign_packets_is_bounded)
{
	Bed bed;
	set_up(&bed);
	for (int i = 0; i < 1000; i++) {
		send_stun(&bed, WICE_STUN_PROBE_TAG);
		receive_foreign(&bed);
	}
	run_context();
	ck_assert_uint_ge(bed.n_answers, 1);
	ck_assert_uint_le(bed.n_answers, 64);
	unsigned before = bed.n_answers;
	send_stun(&bed, WICE_STUN_PROBE_TAG);
	receive_foreign(&bed);
	run_context();
	ck_assert_uint_eq(bed.n_answers, before + 1);
	tear_down(&bed);
}
END_TEST

START_TEST(only_udp_sockets_of_a_udp_bind_can_be_paths)
{
	WiceProxyPath *path = NULL;
	WiceEndpoint endpoint;
	WiceBind *a, *b;
	int ice = open_socket(&endpoint), file = open("/dev/null", O_RDONLY | O_CLOEXEC);
	wice_bind_pair_new(&a, &b);
	WiceProxy *inprocess = wice__proxy_inprocess_new(NULL, a);
	WiceProxyPeer *owner;
	ck_assert_int_eq(inprocess->ops->peer_new(inprocess, &events, NULL, &owner), 0);
	ck_assert_int_lt(make_path(owner, ice, &path), 0);
	ck_assert_int_lt(make_path(owner, file, &path), 0);
	ck_assert_ptr_null(path);
	inprocess->ops->peer_free(owner);
	inprocess->ops->free(inprocess);
	wice_bind_free(a);
	wice_bind_free(b);
	close(ice);
	close(file);
}
END_TEST

SUITE_MAIN("proxy in process", packets_of_wireguard_are_the_engines,
	   what_goes_to_the_selected_remote_leaves_from_the_port_of_ice,
	   answers_to_probes_come_to_the_context, a_path_may_be_freed_while_answers_wait,
	   probes_leave_from_the_port_of_ice, a_flood_of_foreign_packets_is_bounded,
	   only_udp_sockets_of_a_udp_bind_can_be_paths)
