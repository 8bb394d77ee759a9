/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_ICE_ICE_H
#define WICE_ICE_ICE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/addr.h>
#include <wice/candidate.h>

/*
 * One ICE agent (RFC 8445) for one peer: one stream, one component. It has sockets on the addresses
 * that it is given and nothing else: host candidates are known when open returns; server-reflexive
 * ones are found by its user, who may send from the same ports, and are only signalled (RFC 8445
 * section 6.1.2.4: their pairs are checked from the host candidate that is their base anyway).
 * Restarting is making a new one.
 *
 * Everything happens on the context that it was opened with. No callback comes from inside a hook.
 * A callback may call any hook of any agent, close included.
 */
typedef struct WiceIce WiceIce;
typedef struct WiceIceOps WiceIceOps;

/*
 * RFC 8445 section 5.3: 4..256 and 22..256 characters; we make and accept no more than these, less
 * a NUL.
 */
#define WICE_ICE_UFRAG_SIZE 33
#define WICE_ICE_PWD_SIZE 65
#define WICE_ICE_MAX_REMOTE 32 /* candidates of a peer that are tried */
/* Ours are all of this length, at random: requests are told apart by them, also in BPF. */
#define WICE_ICE_OWN_UFRAG_LEN 8

typedef struct {
	char ufrag[WICE_ICE_UFRAG_SIZE];
	char pwd[WICE_ICE_PWD_SIZE];
} WiceIceCredentials;

typedef struct {
	size_t size;
	bool controlling;
	/*
	 * Where to make sockets; at least one. Those that cannot be bound are left out, as are IPv6
	 * link-local ones: a candidate has no scope that would mean anything to a peer.
	 */
	const WiceAddress *addresses;
	size_t n_addresses;
	uint16_t port_min; /* 0: any */
	uint16_t port_max;
	uint32_t fwmark; /* SO_MARK of the sockets, 0 none */
} WiceIceOptions;

typedef struct {
	WiceCandidate local;
	WiceCandidate remote;
	WiceEndpoint base; /* the local socket's own address and port */
} WiceIcePair;

typedef struct {
	/* A pair was selected, first or anew: packets should take it from now on. */
	void (*on_pair)(const WiceIcePair *pair, void *user_data);
	/*
	 * The first authenticated check of the peer came in: what it sends reaches us. Called at
	 * most once, perhaps after on_pair. May be NULL.
	 */
	void (*on_check)(void *user_data);
	/*
	 * No pair works. Called once; nothing comes after it and the agent answers no check any
	 * more: close it, and open another one to try again. It is a statement about the checks,
	 * not about a path that is in use: WireGuard knows better.
	 */
	void (*on_failed)(void *user_data);
	/*
	 * A packet that is not STUN came through the agent's own reading of its socket, from an
	 * address that has passed a check. Only where the user could not read the port itself. base
	 * is the selected pair's: which socket it was is not known. Valid during the call.
	 */
	void (*on_data)(const WiceEndpoint *base, const uint8_t *data, size_t len, void *user_data);
} WiceIceEvents;

/* One socket of the agent. The fd belongs to the agent and lives as long as it. */
typedef struct {
	int fd;
	WiceCandidate candidate; /* the host candidate */
} WiceIceSocket;

struct WiceIce {
	const WiceIceOps *ops;
	const WiceIceEvents *events;
	void *user_data;
};

struct WiceIceOps {
	const char *name;
	/*
	 * Makes an agent. -EADDRNOTAVAIL: no address could be bound, -EADDRINUSE: every port of the
	 * range is taken, -EPERM: not allowed to set the fwmark, -EINVAL: no address or an
	 * impossible port range, -ELIBACC: a library that it needs cannot be loaded; the log has
	 * said which and why.
	 */
	int (*open)(GMainContext *context, const WiceIceOptions *options,
		    const WiceIceEvents *events, void *user_data, WiceIce **ret_ice);
	/* Our credentials; fixed for the life of the agent. */
	void (*credentials)(WiceIce *ice, WiceIceCredentials *ret);
	/* Our sockets; returns their number, at most n are written. */
	size_t (*sockets)(WiceIce *ice, WiceIceSocket *ret, size_t n);
	/*
	 * Checks start when both are known, in either order. Credentials are set once: again is
	 * fine, others give -EALREADY, malformed ones -EINVAL. Candidates may be given repeatedly:
	 * known and malformed ones, those that no packet could go to, and those beyond
	 * WICE_ICE_MAX_REMOTE are ignored. -ESHUTDOWN after on_failed.
	 */
	int (*set_remote)(WiceIce *ice, const WiceIceCredentials *credentials);
	int (*add_candidates)(WiceIce *ice, const WiceCandidate *candidates, size_t n);
	/* Stops and frees. No callback afterwards. */
	void (*close)(WiceIce *ice);
};

/* On libnice. */
extern const WiceIceOps wice__ice_nice;

#endif
