/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/relayed.h"

#include <errno.h>
#include <glib.h>
#include <sys/socket.h>

#include "base/endpoint_key.h"
#include "event/udp.h"

/* Messages that a socket may hold at most, about: there is no end to what comes anew. */
#define MAX_WAITING 65536

int wice__relayed_identify(int fd, uint64_t *ret_socket)
{
	socklen_t len = sizeof *ret_socket;
	return getsockopt(fd, SOL_SOCKET, SO_COOKIE, ret_socket, &len) < 0 ? -errno : 0;
}

void wice__relayed_return_socket(int fd)
{
	char byte;
	wice__udp_set_gro(fd, false);
	for (int i = 0; i < MAX_WAITING && recv(fd, &byte, 1, MSG_DONTWAIT) >= 0; i++)
		;
}

#define FIRST_PORT 16384
#define N_PORTS (65536 - FIRST_PORT)

/*
 * Ports are taken in turn, as those of entries are (user.c): WireGuard may still have packets under
 * way to one that was given back. Interfaces may be on threads of their own.
 */
static GMutex mutex;
static GHashTable *taken; /* endpoints, as WireGuard sees them */
static uint32_t cursor;

static bool try_take(const WiceEndpoint *server, uint16_t port)
{
	WiceEndpoint endpoint = *server;
	endpoint.port = port;
	if (port == server->port || g_hash_table_contains(taken, &endpoint))
		return false;
	g_hash_table_add(taken, g_memdup2(&endpoint, sizeof endpoint));
	return true;
}

uint16_t wice__relayed_port_take(const WiceEndpoint *server)
{
	uint16_t port = 0;
	g_mutex_lock(&mutex);
	if (!taken)
		taken = g_hash_table_new_full(wice__endpoint_hash, wice__endpoint_equal, g_free,
					      NULL);
	for (uint32_t i = 0; i < N_PORTS && port == 0; i++) {
		uint16_t candidate = (uint16_t)(FIRST_PORT + cursor);
		cursor = (cursor + 1) % N_PORTS;
		if (try_take(server, candidate))
			port = candidate;
	}
	g_mutex_unlock(&mutex);
	return port;
}

void wice__relayed_port_give(const WiceEndpoint *server, uint16_t port)
{
	WiceEndpoint endpoint = *server;
	endpoint.port = port;
	g_mutex_lock(&mutex);
	if (taken)
		g_hash_table_remove(taken, &endpoint);
	g_mutex_unlock(&mutex);
}
