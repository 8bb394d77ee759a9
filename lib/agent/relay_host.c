/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/relay_host.h"

#include <sodium.h>
#include <string.h>
#include <sys/socket.h>
#include <wice/relay.h>

#include "agent/agent_private.h"
#include "base/log.h"
#include "crypto/key.h"
#include "event/sockaddr.h"
#include "proxy/bpf/mux.h"
#include "turnserver/shared.h"

#define TOKEN_LEN 24 /* bytes of a name or password; 32 characters */

struct WiceRelayHost {
	WiceAgent *agent;
	WiceInterface *interface;
	WiceRelayServer *server;
	uint16_t wg_port;
	uint16_t ports[2]; /* that it is reached at, IPv4 and IPv6; 0: not */
	size_t n_shared;
	WiceEndpoint shared[2]; /* what the sockets that share WireGuard's port are bound to */
	uint8_t secret[crypto_generichash_KEYBYTES];
};

/* purpose: 'n' for the name, 'p' for the password. */
static void make_token(const WiceRelayHost *host, char purpose, const WiceKey *peer,
		       char ret_text[65])
{
	uint8_t input[1 + WICE_KEY_LEN], token[TOKEN_LEN];
	input[0] = (uint8_t)purpose;
	memcpy(input + 1, peer->bytes, WICE_KEY_LEN);
	crypto_generichash(token, sizeof token, input, sizeof input, host->secret,
			   sizeof host->secret);
	sodium_bin2base64(ret_text, 65, token, sizeof token, sodium_base64_VARIANT_ORIGINAL);
	sodium_memzero(token, sizeof token);
}

typedef struct {
	const WiceRelayHost *host;
	const char *name;
	const WiceEndpoint *endpoint;
	char *ret_password;
	size_t size;
	bool found;
} Search;

static void match_name(WicePeer *peer, void *user_data)
{
	Search *search = user_data;
	char name[65], password[65];
	if (search->found)
		return;
	make_token(search->host, 'n', wice__peer_key(peer), name);
	if (strcmp(name, search->name) != 0)
		return;
	make_token(search->host, 'p', wice__peer_key(peer), password);
	search->found = g_strlcpy(search->ret_password, password, search->size) < search->size;
	sodium_memzero(password, sizeof password);
}

/* Removed peers are unknown from then on. */
static gboolean find_password(const char *username, char *ret_password, size_t size,
			      void *user_data)
{
	WiceRelayHost *host = user_data;
	Search search = {
		.host = host, .name = username, .ret_password = ret_password, .size = size
	};
	wice__interface_foreach_peer(host->interface, match_name, &search);
	return search.found;
}

static void match_address(WicePeer *peer, void *user_data)
{
	Search *search = user_data;
	search->found = search->found || wice__peer_has_signalled(peer, &search->endpoint->address);
}

static gboolean permit(const char *username, const WiceEndpoint *peer, void *user_data)
{
	WiceRelayHost *host = user_data;
	Search search = { .endpoint = peer };
	wice__interface_foreach_peer(host->interface, match_address, &search);
	return search.found;
}

static bool local_of(int fd, WiceEndpoint *ret_local)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof name;
	return getsockname(fd, (struct sockaddr *)&name, &len) == 0 &&
	       wice__endpoint_from_sockaddr((struct sockaddr *)&name, len, ret_local);
}

/* A socket that is on WireGuard's port, as seen from outside. */
static void share_port(WiceRelayHost *host, WiceBpfMux *mux, WiceFamily family)
{
	WiceEndpoint local;
	int fd = wice__relay_server_share(host->server, family, host->wg_port);
	if (fd < 0)
		return;
	if (!local_of(fd, &local) || wice__bpf_mux_add_server(mux, host->wg_port, &local, fd) < 0) {
		wice__relay_server_unshare(host->server, family, host->wg_port);
		return;
	}
	host->ports[family == WICE_FAMILY_IPV6] = host->wg_port;
	host->shared[host->n_shared++] = local;
}

/* Ports of its own: "udp:[::]:40123". */
static void note_ports(WiceRelayHost *host)
{
	const char *text;
	WiceEndpoint endpoint;
	for (size_t i = 0; (text = wice_relay_server_listening(host->server, i)); i++)
		if (g_str_has_prefix(text, "udp:") && wice_endpoint_parse(text + 4, &endpoint))
			host->ports[endpoint.address.family == WICE_FAMILY_IPV6] = endpoint.port;
}

WiceRelayHost *wice__relay_host_new(WiceAgent *agent, WiceInterface *interface, uint16_t wg_port,
				    bool one_port)
{
	static const char *const own[] = { "udp:*:0", NULL };
	static const char *const none[] = { NULL };
	WiceBpfMux *mux = one_port ? wice__agent_mux(agent, NULL) : NULL;
	g_autoptr(GError) error = NULL;
	WiceRelayHost *host = g_new0(WiceRelayHost, 1);
	host->agent = agent;
	host->interface = interface;
	host->wg_port = wg_port;
	randombytes_buf(host->secret, sizeof host->secret);
	WiceRelayServerOptions options;
	wice_relay_server_options_init(&options);
	options.listen = mux ? none : own;
	options.realm = "wice";
	options.password = find_password;
	options.permit = permit;
	options.user_data = host;
	/* A peer has one, or two while it changes from one network to another. */
	options.max_per_user = 4;
	options.permit_private = TRUE; /* permit() knows better */
	host->server = wice_relay_server_new(agent->context, &options, &error);
	if (!host->server) {
		wice__log(WICE_LOG_WARNING, wice__interface_name(interface),
			  "no relay for the peers can be run: %s", error->message);
		wice__relay_host_free(host);
		return NULL;
	}
	note_ports(host);
	if (mux) {
		share_port(host, mux, WICE_FAMILY_IPV4);
		share_port(host, mux, WICE_FAMILY_IPV6);
	}
	wice__log(WICE_LOG_INFO, wice__interface_name(interface),
		  "a relay for the peers runs on port %u",
		  host->ports[0] ? host->ports[0] : host->ports[1]);
	return host;
}

void wice__relay_host_free(WiceRelayHost *host)
{
	if (!host)
		return;
	for (size_t i = 0; i < host->n_shared; i++)
		wice__bpf_mux_remove_server(wice__agent_mux(host->agent, NULL), host->wg_port,
					    &host->shared[i]);
	wice_relay_server_free(host->server);
	sodium_memzero(host->secret, sizeof host->secret);
	g_free(host);
}

/* Where strangers can send to: no NAT is in between, or a router forwards the port. */
static bool is_open(const WiceReflexiveAddress *address)
{
	bool own = wice_address_compare(&address->base.address, &address->mapped.address) == 0;
	return own || address->forwarded;
}

/* RFC 6890: not private, shared, link-local... */
static bool is_public(const WiceAddress *address)
{
	const uint8_t *bytes = address->bytes;
	if (address->family == WICE_FAMILY_IPV6)
		return (bytes[0] & 0xe0) == 0x20;
	return bytes[0] != 0 && bytes[0] != 10 && bytes[0] != 127 && bytes[0] < 224 &&
	       !(bytes[0] == 172 && (bytes[1] & 0xf0) == 16) &&
	       !(bytes[0] == 192 && bytes[1] == 168) && !(bytes[0] == 169 && bytes[1] == 254) &&
	       !(bytes[0] == 100 && (bytes[1] & 0xc0) == 64);
}

static void add_service(const WiceRelayHost *host, const WiceKey *peer, const WiceEndpoint *server,
			WiceDescription *description)
{
	for (size_t i = 0; i < description->n_services; i++)
		if (description->services[i].server.address.family == server->address.family)
			return;
	if (description->n_services == WICE_DESCRIPTION_MAX_SERVICES)
		return;
	WiceRelayService *service = &description->services[description->n_services++];
	service->server = *server;
	make_token(host, 'n', peer, service->username);
	make_token(host, 'p', peer, service->password);
}

void wice__relay_host_describe(const WiceRelayHost *host, const WiceKey *peer,
			       const WiceOutside *outside, const WiceAddress *addresses,
			       size_t n_addresses, WiceDescription *description)
{
	for (size_t i = 0; i < outside->n; i++) {
		const WiceReflexiveAddress *address = &outside->addresses[i];
		if (is_open(address) && address->base.port == host->wg_port && host->n_shared)
			add_service(host, peer, &address->mapped, description);
	}
	for (size_t i = 0; i < n_addresses; i++) {
		WiceEndpoint server = {
			.address = addresses[i],
			.port = host->ports[addresses[i].family == WICE_FAMILY_IPV6],
		};
		if (server.port && is_public(&addresses[i]))
			add_service(host, peer, &server, description);
	}
}
