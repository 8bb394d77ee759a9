/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "turnserver/outlet.h"

#include <errno.h>
#include <glib.h>
#include <sodium.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Ports that others on this host have are found by trying; so many, then it is another's turn. */
#define MAX_TRIES 256
/*
 * It is memory only while packets wait there. The system's default holds a millisecond of a fast
 * flow.
 */
#define BUFFER_SIZE (1 << 20)
#define N_PORTS 65536

typedef struct {
	WiceAddress inner, outer;
	bool usable;
	/*
	 * By number. 512 KiB, but pages are taken when first needed; a hash table would be slower
	 * for each packet and larger from some thousands on.
	 */
	WiceOutlet **outlets;
} Place;

struct WiceOutlets {
	WicePoll *poll;
	void (*ready)(WicePolled *outlet, uint32_t events, void *user_data);
	uint16_t min_port, max_port;
	GPtrArray *places; /* Place */
};

static bool equal(const WiceAddress *a, const WiceAddress *b)
{
	return wice_address_compare(a, b) == 0;
}

static void place_free(gpointer data)
{
	Place *place = data;
	g_free(place->outlets);
	g_free(place);
}

WiceOutlets *wice__outlets_new(WicePoll *poll,
			       void (*ready)(WicePolled *outlet, uint32_t events, void *user_data),
			       uint16_t min_port, uint16_t max_port)
{
	WiceOutlets *outlets = g_new0(WiceOutlets, 1);
	outlets->poll = poll;
	outlets->ready = ready;
	outlets->min_port = min_port;
	outlets->max_port = max_port;
	outlets->places = g_ptr_array_new_with_free_func(place_free);
	return outlets;
}

static Place *place_at(const WiceOutlets *outlets, guint index)
{
	return g_ptr_array_index(outlets->places, index);
}

void wice__outlets_free(WiceOutlets *outlets)
{
	if (!outlets)
		return;
	for (guint i = 0; i < outlets->places->len; i++)
		for (unsigned port = outlets->min_port; port <= outlets->max_port; port++)
			if (place_at(outlets, i)->outlets[port])
				wice__outlet_close(outlets, place_at(outlets, i)->outlets[port]);
	g_ptr_array_unref(outlets->places);
	g_free(outlets);
}

void wice__outlets_add_address(WiceOutlets *outlets, const WiceAddress *inner,
			       const WiceAddress *outer)
{
	for (guint i = 0; i < outlets->places->len; i++) {
		Place *place = place_at(outlets, i);
		if (equal(&place->inner, inner) && equal(&place->outer, outer)) {
			place->usable = true;
			return;
		}
	}
	Place *place = g_new0(Place, 1);
	place->inner = *inner;
	place->outer = *outer;
	place->usable = true;
	place->outlets = g_new0(WiceOutlet *, N_PORTS);
	g_ptr_array_add(outlets->places, place);
}

void wice__outlets_remove_addresses(WiceOutlets *outlets)
{
	for (guint i = 0; i < outlets->places->len; i++)
		place_at(outlets, i)->usable = false;
}

static Place *choose_place(const WiceOutlets *outlets, WiceFamily family,
			   const WiceAddress *preferred)
{
	Place *chosen = NULL;
	for (guint i = 0; i < outlets->places->len; i++) {
		Place *place = place_at(outlets, i);
		if (!place->usable || place->inner.family != family)
			continue;
		if (equal(&place->inner, preferred) || equal(&place->outer, preferred))
			return place;
		if (!chosen)
			chosen = place;
	}
	return chosen;
}

bool wice__outlets_has_family(const WiceOutlets *outlets, WiceFamily family)
{
	WiceAddress none = { 0 };
	return choose_place(outlets, family, &none) != NULL;
}

static int open_socket(const WiceEndpoint *inner)
{
	WiceUdpName name;
	socklen_t len = wice__udp_name(&name, inner);
	int on = 1, size = BUFFER_SIZE;
	int fd = socket(name.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (name.any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	if (bind(fd, &name.any, len) < 0) {
		int err = -errno;
		close(fd);
		return err;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	wice__udp_permit_fragments(fd, inner->address.family);
	wice__udp_set_gro(fd, true);
	return fd;
}

static int open_at(WiceOutlets *outlets, Place *place, uint16_t port, WiceOutlet **ret_outlet)
{
	WiceEndpoint inner = { .address = place->inner, .port = port };
	if (place->outlets[port])
		return -EADDRINUSE;
	int fd = open_socket(&inner);
	if (fd < 0)
		return fd;
	WiceOutlet *outlet = g_new0(WiceOutlet, 1);
	outlet->udp.polled = (WicePolled){ .fd = fd, .ready = outlets->ready };
	int err = wice__poll_add(outlets->poll, &outlet->udp.polled, EPOLLIN);
	if (err) {
		close(fd);
		g_free(outlet);
		return err;
	}
	wice__udp_sender_init(&outlet->udp.sender, fd, true, true);
	outlet->inner = inner;
	outlet->outer = (WiceEndpoint){ .address = place->outer, .port = port };
	place->outlets[port] = outlet;
	*ret_outlet = outlet;
	return 0;
}

static int open_pair(WiceOutlets *outlets, Place *place, uint16_t port, WiceOutlet **ret_outlet)
{
	WiceOutlet *even, *odd;
	if (port == UINT16_MAX || port + 1 > outlets->max_port)
		return -EADDRINUSE;
	int err = open_at(outlets, place, port, &even);
	if (err)
		return err;
	err = open_at(outlets, place, (uint16_t)(port + 1), &odd);
	if (err)
		wice__outlet_close(outlets, even);
	else
		*ret_outlet = even;
	return err;
}

/*
 * From a random number on, so that nobody can tell which one the next will be (RFC 6056) and a
 * range that is nearly full is searched through.
 */
static int open_somewhere(WiceOutlets *outlets, Place *place, WiceTurnPort kind,
			  WiceOutlet **ret_outlet)
{
	uint32_t n = (uint32_t)outlets->max_port - outlets->min_port + 1;
	uint32_t start = randombytes_uniform(n);
	int err = -EADDRINUSE, tries = 0;
	for (uint32_t i = 0; i < n && tries < MAX_TRIES && err == -EADDRINUSE; i++) {
		uint16_t port = (uint16_t)(outlets->min_port + (start + i) % n);
		if (place->outlets[port] || (kind != WICE_TURN_PORT_ANY && port % 2 != 0))
			continue;
		tries++;
		err = kind == WICE_TURN_PORT_PAIR ? open_pair(outlets, place, port, ret_outlet)
						  : open_at(outlets, place, port, ret_outlet);
	}
	return err;
}

static int take_kept(const WiceOutlets *outlets, const WiceEndpoint *kept, WiceOutlet **ret_outlet)
{
	WiceOutlet *outlet = wice__outlet_find(outlets, kept);
	if (!outlet || outlet->owner)
		return -ENOENT;
	*ret_outlet = outlet;
	return 0;
}

int wice__outlet_open(WiceOutlets *outlets, WiceFamily family, WiceTurnPort kind,
		      const WiceAddress *preferred, const WiceEndpoint *kept,
		      WiceOutlet **ret_outlet)
{
	if (kind == WICE_TURN_PORT_RESERVED)
		return take_kept(outlets, kept, ret_outlet);
	Place *place = choose_place(outlets, family, preferred);
	return place ? open_somewhere(outlets, place, kind, ret_outlet) : -EAFNOSUPPORT;
}

static Place *place_of(const WiceOutlets *outlets, const WiceOutlet *outlet)
{
	for (guint i = 0; i < outlets->places->len; i++)
		if (place_at(outlets, i)->outlets[outlet->inner.port] == outlet)
			return place_at(outlets, i);
	return NULL;
}

void wice__outlet_close(WiceOutlets *outlets, WiceOutlet *outlet)
{
	int fd = outlet->udp.polled.fd;
	place_of(outlets, outlet)->outlets[outlet->inner.port] = NULL;
	outlet->owner = NULL;
	wice__poll_remove(outlets->poll, &outlet->udp.polled, g_free);
	close(fd);
}

WiceOutlet *wice__outlet_find(const WiceOutlets *outlets, const WiceEndpoint *outer)
{
	for (guint i = 0; i < outlets->places->len; i++) {
		const Place *place = place_at(outlets, i);
		if (equal(&place->outer, &outer->address) && place->outlets[outer->port])
			return place->outlets[outer->port];
	}
	return NULL;
}
