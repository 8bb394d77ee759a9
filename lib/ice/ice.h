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
 * One ICE agent (RFC 8445) for one peer: one stream, one component. It has sockets on
 * the addresses that it is given and nothing else: host candidates are known when open returns; server-reflexive ones are found by its user,
 * who may send from the same ports, and are only signalled (RFC 8445 section 5.1.1.1: their pairs
 * have the host candidate as base anyway). Restarting is making a new one.
 *
 * Everything happens on the context that it was opened with. No callback comes from inside a hook.
 */
typedef struct WiceIce WiceIce;
typedef struct WiceIceOps WiceIceOps;

/* RFC 8445 section 5.3: 4..256 and 22..256 characters; we make and accept no more than these. */
#define WICE_ICE_UFRAG_SIZE 33
#define WICE_ICE_PWD_SIZE 65
#define WICE_ICE_MAX_REMOTE 32 /* candidates of a peer that are tried */

typedef struct {
	char ufrag[WICE_ICE_UFRAG_SIZE];
	char pwd[WICE_ICE_PWD_SIZE];
} WiceIceCredentials;

typedef struct {
	size_t size;
	bool controlling;
	const WiceAddress *addresses; /* where to make sockets; at least one */
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
	/* No pair works, or none works any more. */
	void (*on_failed)(void *user_data);
	/*
	 * A packet that is not STUN came through the agent's own reading of its socket. Only where the user could not
	 * read the port itself. Valid during the call.
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
	/* Makes an agent. -EADDRNOTAVAIL: no address could be bound. -errno otherwise. */
	int (*open)(GMainContext *context, const WiceIceOptions *options,
		    const WiceIceEvents *events, void *user_data, WiceIce **ret_ice);
	/* Our credentials; fixed for the life of the agent. */
	void (*credentials)(WiceIce *ice, WiceIceCredentials *ret);
	/* Our sockets; returns their number, at most n are written. */
	size_t (*sockets)(WiceIce *ice, WiceIceSocket *ret, size_t n);
	/*
	 * Checks start with the first candidates. Credentials are set once; -EALREADY for others, -EINVAL for
	 * malformed ones. Candidates may be given repeatedly and again; those beyond WICE_ICE_MAX_REMOTE are ignored.
	 */
	int (*set_remote)(WiceIce *ice, const WiceIceCredentials *credentials);
	int (*add_candidates)(WiceIce *ice, const WiceCandidate *candidates, size_t n);
	/* Stops and frees. No callback afterwards. */
	void (*close)(WiceIce *ice);
};

/* On libnice. */
extern const WiceIceOps wice__ice_nice;

#endif
