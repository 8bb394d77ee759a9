/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_RELAY_H
#define WICE_RELAY_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/addr.h>
#include <wice/macros.h>

WICE_BEGIN_DECLS

/*
 * A STUN and TURN server (RFC 8489, RFC 8656; RFC 6062 not, relayed data is UDP): what `wice relay`
 * runs. It speaks UDP, TCP and TLS with clients, over IPv4 and IPv6, and relays in the kernel where
 * that can be had.
 *
 * Threads: a relay belongs to the GMainContext that it was made with. All functions must be called
 * on the thread that runs it; all callbacks come from there.
 */
typedef struct WiceRelayServer WiceRelayServer;

/* A user's allocation, for accounts. Valid during the call. */
typedef struct {
	const char *username;
	WiceEndpoint client;
	WiceEndpoint relayed_ipv4, relayed_ipv6; /* family NONE: has none */
	uint64_t rx_packets, rx_bytes;           /* from peers to the client */
	uint64_t tx_packets, tx_bytes;           /* from the client to peers */
} WiceRelayAccount;

typedef struct {
	size_t size; /* sizeof(WiceRelayServerOptions); wice_relay_server_options_init() sets it */
	/*
	 * Where it listens, NULL-terminated: "udp:ADDRESS:PORT", "tcp:...", "tls:..."; an IPv6
	 * address in brackets, "*" for all of both families. NULL: "udp:*:3478" and "tcp:*:3478";
	 * none: nowhere.
	 */
	const char *const *listen;
	const char *certificate_file; /* PEM, certificate and key, for tls */
	const char *key_file;         /* NULL: in certificate_file */
	/*
	 * The addresses that relayed ports are opened on and told to clients, NULL-terminated:
	 * "192.0.2.1", or "192.0.2.1/10.0.0.5" where the server is behind a NAT that forwards: the
	 * outer one is told. NULL: those of the host that look public, else those that are there;
	 * also when they change.
	 */
	const char *const *relay_addresses;
	uint16_t min_port, max_port; /* of relayed ports; 0: 49152 to 65535 */
	const char *realm;           /* NULL: "wice" */
	/* "name:password", NULL-terminated. NULL: none, see password. */
	const char *const *users;
	/* Shared secrets for time-limited credentials (TURN-REST), NULL-terminated. */
	const char *const *secrets;
	/* In the place of users: the password of a name; FALSE: there is no such. May be NULL. */
	gboolean (*password)(const char *username, char *ret_password, size_t size,
			     void *user_data);
	/* May this user have an allocation (more)? May be NULL: yes. */
	gboolean (*authorise)(const char *username, const WiceEndpoint *client, void *user_data);
	/* May be relayed to, besides what is denied anyway? May be NULL: yes. */
	gboolean (*permit)(const char *username, const WiceEndpoint *peer, void *user_data);
	/* An allocation has ended, and each minute those that live. May be NULL. */
	void (*account)(const WiceRelayAccount *account, gboolean ended, void *user_data);
	void *user_data;
	uint32_t max_allocations;  /* 0: 100,000 */
	uint32_t max_per_user;     /* 0: 10 */
	uint32_t max_per_address;  /* 0: 50 */
	uint64_t user_bytes_per_s; /* each way; 0: no limit */
	gboolean permit_private;   /* relay to private, shared and unique-local addresses too */
	gboolean permit_loopback;  /* for tests */
	gboolean stun_only;
	/*
	 * "auto" (NULL), "native", "generic", "tc", "off": where relayed packets are turned around.
	 */
	const char *fast_path;
} WiceRelayServerOptions;

WICE_API void wice_relay_server_options_init(WiceRelayServerOptions *options);

/*
 * Begins to serve. context NULL: the default one. Errors, each naming what it is about: INVALID (an
 * option), BUSY (a port is taken), PERMISSION, NOT_FOUND (a file, an address), IO.
 */
WICE_API WiceRelayServer *wice_relay_server_new(GMainContext *context,
						const WiceRelayServerOptions *options,
						GError **error) WICE_WARN_UNUSED;
/* Ends all allocations at once. Not from its callbacks, but for drained. NULL is fine. */
WICE_API void wice_relay_server_free(WiceRelayServer *server);

/*
 * Takes no more allocations and sends clients elsewhere ("ADDRESS:PORT", NULL: nowhere in
 * particular); those that there are live on. drained is called once there are none. INVALID.
 */
WICE_API gboolean wice_relay_server_drain(WiceRelayServer *server, const char *alternate,
					  void (*drained)(void *user_data), void *user_data,
					  GError **error);

typedef struct {
	uint64_t allocations; /* now */
	uint64_t total;       /* since the start */
	uint64_t refused;
	uint64_t packets, bytes; /* relayed, both ways, the fast path's included */
	uint64_t fast_packets;   /* of these, in the kernel */
	uint64_t dropped;
	uint64_t unauthenticated; /* answers to strangers */
	const char *fast_path;    /* "eth0 (native)", or why there is none; until the next call */
} WiceRelayServerStatus;
WICE_API void wice_relay_server_status(WiceRelayServer *server, WiceRelayServerStatus *ret_status);
/* Where it listens, "udp:192.0.2.1:3478" and so on; NULL behind the last. */
WICE_API const char *wice_relay_server_listening(WiceRelayServer *server, size_t index);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(WiceRelayServer, wice_relay_server_free)

WICE_END_DECLS

#endif
