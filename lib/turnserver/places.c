/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wice/error.h>

#include "base/parse.h"
#include "event/sockaddr.h"
#include "turn/peer_policy.h"
#include "turnserver/server_private.h"

static bool is_public(const WiceAddress *address)
{
	const WicePeerPolicy policy = { 0 };
	return !wice__peer_is_denied(&policy, address);
}

/* Nobody would relay to it. */
static bool is_no_peer(const WiceAddress *address)
{
	const WicePeerPolicy lenient = { .permit_private = true, .permit_loopback = true };
	return wice__peer_is_denied(&lenient, address);
}

/* A port of it can be opened. */
static bool is_here(const WiceAddress *address)
{
	WiceEndpoint any_port = { .address = *address };
	struct sockaddr_storage name;
	socklen_t len = wice__endpoint_to_sockaddr(&any_port, &name);
	int fd = socket(name.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool here =
		fd < 0 || bind(fd, (struct sockaddr *)&name, len) == 0 || errno != EADDRNOTAVAIL;
	if (fd >= 0)
		close(fd);
	return here;
}

static gboolean add_text(WiceRelayServer *server, const char *text, GError **error)
{
	const char *slash = strchr(text, '/');
	const char *inner_text = slash ? slash + 1 : text;
	WiceAddress inner, outer;
	if (!wice_address_parse(inner_text, &inner) ||
	    !wice__parse_address(text, slash ? (size_t)(slash - text) : strlen(text), &outer) ||
	    inner.family != outer.family || is_no_peer(&inner) || is_no_peer(&outer)) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "'%s' is no address to relay from: it must be an IP address, or "
			    "OUTER/INNER behind a NAT.",
			    text);
		return FALSE;
	}
	if (!is_here(&inner)) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_NOT_FOUND,
			    "The relay cannot relay from %s: this host does not have the address; "
			    "behind a NAT that forwards it is OUTER/INNER.",
			    inner_text);
		return FALSE;
	}
	wice__turn_server_add_own_address(server->core, &inner);
	wice__turn_server_add_own_address(server->core, &outer);
	wice__outlets_add_address(server->outlets, &inner, &outer);
	return TRUE;
}

static bool has_public(const WiceLocalAddress *addresses, size_t n, uint8_t family)
{
	for (size_t i = 0; i < n; i++)
		if (addresses[i].address.family == family && is_public(&addresses[i].address))
			return true;
	return false;
}

static void follow(WiceRelayServer *server, const WiceLocalAddress *addresses, size_t n)
{
	wice__outlets_remove_addresses(server->outlets);
	for (size_t i = 0; i < n; i++) {
		const WiceAddress *address = &addresses[i].address;
		if (addresses[i].wireguard || wice_address_is_link_local(address) ||
		    (!is_public(address) && has_public(addresses, n, address->family)))
			continue;
		wice__outlets_add_address(server->outlets, address, address);
	}
}

void wice__places_changed(void *user_data)
{
	WiceRelayServer *server = user_data;
	WiceLocalAddress *addresses;
	size_t n;
	if (wice__addresses_list(&addresses, &n) != 0)
		return;
	for (size_t i = 0; i < n; i++)
		wice__turn_server_add_own_address(server->core, &addresses[i].address);
	if (server->follows)
		follow(server, addresses, n);
	g_free(addresses);
}

gboolean wice__places_set(WiceRelayServer *server, const char *const *texts, GError **error)
{
	server->follows = !texts || !*texts;
	for (; texts && *texts; texts++)
		if (!add_text(server, *texts, error))
			return FALSE;
	wice__places_changed(server);
	if (wice__outlets_has_family(server->outlets, WICE_FAMILY_IPV4) ||
	    wice__outlets_has_family(server->outlets, WICE_FAMILY_IPV6))
		return TRUE;
	g_set_error(error, WICE_ERROR, WICE_ERROR_NOT_FOUND,
		    "This host has no address that packets could be relayed from; name one.");
	return FALSE;
}
