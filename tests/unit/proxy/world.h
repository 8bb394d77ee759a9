/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_PROXY_WORLD_H
#define WICE_TESTS_PROXY_WORLD_H

/*
 * A proxy with plain UDP sockets around it that play WireGuard, the ICE agents and the remote ends,
 * all on the loopback interface and in one thread.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "event/sockaddr.h"
#include "proxy/user.h"
#include "suite.h"

#define WORLD_DEADLINE_US (30 * G_USEC_PER_SEC)
#define WORLD_PACKET_MAX 65536

typedef struct {
	GMainContext *context;
	WiceUserProxy *proxy;
	int wg;
	WiceEndpoint wg_endpoint;
	uint8_t buffer[WORLD_PACKET_MAX];
	ssize_t len; /* of what world_receive() has put there */
	WiceEndpoint source;
} World;

/* A peer of ours: its entry, one ICE socket with its path, and the remote end. */
typedef struct {
	WiceUserEntry *entry;
	WiceUserPath *path;
	int ice, remote;
	WiceEndpoint ice_endpoint, remote_endpoint;
} WorldPeer;

static inline int world_socket(const char *address, WiceEndpoint *ret_endpoint)
{
	WiceEndpoint endpoint = { 0 };
	struct sockaddr_storage name;
	int size = 8 << 20;
	ck_assert(wice_address_parse(address, &endpoint.address));
	socklen_t len = wice__endpoint_to_sockaddr(&endpoint, &name);
	int fd = socket(name.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(fd, 0);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&name, len), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&name, &len), 0);
	ck_assert(wice__endpoint_from_sockaddr((struct sockaddr *)&name, len, ret_endpoint));
	return fd;
}

static inline void world_open(World *world)
{
	memset(world, 0, sizeof *world);
	world->context = g_main_context_new();
	world->wg = world_socket("0.0.0.0", &world->wg_endpoint);
	ck_assert_int_eq(
		wice__user_proxy_new(world->context, world->wg_endpoint.port, &world->proxy), 0);
}

static inline void world_close(World *world)
{
	wice__user_proxy_free(world->proxy);
	g_main_context_unref(world->context);
	close(world->wg);
}

static inline void world_add_path(WorldPeer *peer, const char *address)
{
	peer->ice = world_socket(address, &peer->ice_endpoint);
	peer->remote = world_socket(address, &peer->remote_endpoint);
	ck_assert_int_eq(
		wice__user_path_new(peer->entry, peer->ice, &peer->ice_endpoint, 0, &peer->path),
		0);
}

static inline void world_add_peer(World *world, WorldPeer *peer, const char *address,
				  const WiceProxyEvents *events, void *user_data)
{
	ck_assert_int_eq(wice__user_entry_new(world->proxy, events, user_data, &peer->entry), 0);
	world_add_path(peer, address);
	wice__user_entry_select(peer->entry, peer->path, &peer->remote_endpoint);
}

static inline void world_close_sockets(WorldPeer *peer)
{
	close(peer->ice);
	close(peer->remote);
}

static inline void world_remove_peer(WorldPeer *peer)
{
	wice__user_entry_free(peer->entry);
	world_close_sockets(peer);
}

static inline void world_send(int fd, const WiceEndpoint *to, const void *packet, size_t len)
{
	struct sockaddr_storage name;
	socklen_t name_len = wice__endpoint_to_sockaddr(to, &name);
	ck_assert_msg(sendto(fd, packet, len, 0, (struct sockaddr *)&name, name_len) ==
			      (ssize_t)len,
		      "sendto: %s", g_strerror(errno));
}

/* Lets the main loop turn until condition holds. */
#define WORLD_UNTIL(world, condition)                                                  \
	do {                                                                           \
		gint64 deadline_ = g_get_monotonic_time() + WORLD_DEADLINE_US;         \
		while (!(condition)) {                                                 \
			ck_assert_msg(g_get_monotonic_time() < deadline_, "never: %s", \
				      #condition);                                     \
			if (!g_main_context_iteration((world)->context, FALSE))        \
				g_usleep(100);                                         \
		}                                                                      \
	} while (0)

static inline bool world_try_receive(World *world, int fd)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof name;
	world->len = recvfrom(fd, world->buffer, sizeof world->buffer, MSG_DONTWAIT,
			      (struct sockaddr *)&name, &len);
	return world->len >= 0 &&
	       wice__endpoint_from_sockaddr((struct sockaddr *)&name, len, &world->source);
}

static inline void world_receive(World *world, int fd)
{
	WORLD_UNTIL(world, world_try_receive(world, fd));
}

/* A packet that looks like WireGuard's data, with a number and a pattern that depends on it. */
static inline size_t world_data(uint8_t *packet, size_t len, uint32_t number)
{
	static const uint8_t type[4] = { 4 };
	memcpy(packet, type, sizeof type);
	memcpy(packet + 4, &number, sizeof number);
	for (size_t i = 8; i < len; i++)
		packet[i] = (uint8_t)(number * 31 + i * 7);
	return len;
}

static inline uint32_t world_number(const World *world)
{
	uint32_t number;
	memcpy(&number, world->buffer + 4, sizeof number);
	return number;
}

static inline void world_expect(World *world, int fd, const uint8_t *packet, size_t len,
				const WiceEndpoint *source)
{
	world_receive(world, fd);
	ck_assert_int_eq(world->len, (ssize_t)len);
	ck_assert_mem_eq(world->buffer, packet, len);
	ck_assert_int_eq(wice_endpoint_compare(&world->source, source), 0);
}

static inline size_t world_stun(uint8_t packet[20], const char *id)
{
	static const uint8_t head[8] = { 0x00, 0x01, 0, 0, 0x21, 0x12, 0xa4, 0x42 };
	memcpy(packet, head, sizeof head);
	memcpy(packet + 8, id, 12);
	return 20;
}

#endif
