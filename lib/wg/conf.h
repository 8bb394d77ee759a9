/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_CONF_H
#define WICE_WG_CONF_H

#include "wg/conf_line.h"

#include <glib.h>

/*
 * A document is its text, and what the text means. Whoever changes the text (conf_edit.c) has it
 * read again. Nothing else is kept, so the two cannot disagree.
 */

#define WICE_CONF_TEXT_MAX ((size_t)64 << 20)

typedef struct {
	WiceConfPeer values;
	size_t offset;   /* of its section in the text */
	size_t first_ip; /* in allowed_ips */
} WiceConfPeerEntry;

/* A value of one of wg-quick's keys. */
typedef struct {
	WiceConfKey key;
	char *value;
} WiceConfQuick;

struct WiceConf {
	WiceConfMode mode;
	char *name; /* for messages */
	char *text; /* with a NUL behind it */
	size_t len;

	bool has_interface;
	WiceConfInterface interface;
	WiceConfPeerEntry *peers;
	size_t n_peers;
	size_t peers_room;
	WiceAllowedIpChange *allowed_ips; /* of all peers */
	uint32_t *ip_offsets;             /* where they are in the text */
	size_t n_allowed_ips;
	size_t allowed_ips_room;
	GStringChunk *hosts; /* strings that are no secrets */
	GArray *quick;       /* WiceConfQuick */
	GArray *addresses;   /* WiceInterfaceAddress */
	unsigned mtu;

	/* What names were resolved to: "HOST PORT" as written, to WiceEndpoint. */
	GHashTable *resolved;
};

/* Something that is wrong or dubious. */
typedef struct {
	size_t offset; /* in the text */
	bool warning;
	char *message;
} WiceConfFinding;

/* Half of what wice_conf_lint() tells: so errors have room behind any number of warnings. */
#define WICE_CONF_FINDINGS_MAX 500

typedef struct {
	const WiceConf *conf;
	bool lint;    /* go on after an error, and look for what is dubious */
	GArray *list; /* WiceConfFinding */
	size_t n_errors;
	size_t n_warnings;
} WiceConfFindings;

void wice__conf_findings_init(WiceConfFindings *findings, const WiceConf *conf, bool lint);
void wice__conf_findings_done(WiceConfFindings *findings);

/* at is in the text. Warnings count only if there is somebody to warn. */
void wice__conf_error(WiceConfFindings *findings, const char *at, const char *format, ...)
	WICE_PRINTF(3, 4);
void wice__conf_warning(WiceConfFindings *findings, const char *at, const char *format, ...)
	WICE_PRINTF(3, 4);
/* True if there is no more to be done. */
static inline bool wice__conf_failed(const WiceConfFindings *findings)
{
	return findings->n_errors > 0 && !findings->lint;
}

/* An error about a WRONG line. */
void wice__conf_explain(WiceConfFindings *findings, const WiceConfLine *line);

/*
 * The token in quotes, to be shown: "" if it may hold a secret or is not fit to print. Written to
 * ret, which it returns.
 */
#define WICE_CONF_QUOTE_SIZE 80
const char *wice__conf_quote(WiceConfToken token, char ret[WICE_CONF_QUOTE_SIZE]);

/* An empty document with that text, which it takes over. */
WiceConf *wice__conf_new_with(char *text, size_t len, WiceConfMode mode, const char *name);
/* Reads the text of an otherwise empty document. */
void wice__conf_read_text(WiceConf *conf, WiceConfFindings *findings);
/* What only the whole file shows. */
void wice__conf_check(WiceConfFindings *findings);

/* Replaces the text, which it takes over, if it can be read; else ret_error (a sentence) is set. */
bool wice__conf_replace_text(WiceConf *conf, char *text, size_t len, GError **error);

/* True if the endpoint, or its port, is a name whose meaning is not known. */
bool wice__conf_is_unresolved(const WiceConfPeer *peer);
/* The endpoint's name as a key of resolved; the caller frees it. NULL if it needs no resolving. */
char *wice__conf_peer_name(const WiceConfPeer *peer);
/* Writes what is in resolved to the endpoints and the port. */
void wice__conf_apply_resolved(WiceConf *conf);

#endif
