/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_CHECK_H
#define WICE_CHECK_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/addr.h>
#include <wice/cancel.h>
#include <wice/macros.h>
#include <wice/status.h>

WICE_BEGIN_DECLS

/*
 * Are STUN and TURN servers reachable and well? Each is resolved, reached, authenticated to, asked
 * for an allocation, and made to relay one packet from us to ourselves: `wice check`.
 */

/* What was tried of one address of a server, in this order; the first that fails ends it. */
typedef enum {
	WICE_CHECK_RESOLVE = 0,
	WICE_CHECK_CONNECT,  /* TCP and TLS */
	WICE_CHECK_BINDING,  /* an answer to a Binding request: reachable, outside address */
	WICE_CHECK_ALLOCATE, /* credentials, quota, families */
	WICE_CHECK_RELAY,    /* a packet through the relayed address */
	WICE_CHECK_DONE,     /* all of what the URL asks for works */
} WiceCheckStep;

/* "resolve", "connect", "binding", "allocate", "relay", "done". Static text. */
WICE_API const char *wice_check_step_name(WiceCheckStep step);

/* One address of one URL; a name that has none has one entry, too. Valid during the call. */
typedef struct {
	const char *url;
	WiceEndpoint server; /* family NONE: not resolved */
	WiceCheckStep step;  /* how far it came: this one failed, or DONE */
	const char *reason;  /* a sentence: what failed, and what to do about it; "" if DONE */
	uint16_t code;       /* of STUN, if that is what failed; else 0 */
	uint32_t resolve_ms, connect_ms, rtt_us; /* 0: not measured */
	uint32_t allocate_ms;
	uint32_t relay_us;    /* through the relay and back */
	WiceEndpoint outside; /* what the server sees us as, or none */
	WiceNatMapping nat;   /* of this host's family, from all servers of it so far */
	WiceEndpoint relayed_ipv4, relayed_ipv6;
	const char *software; /* what it calls itself, printable; "" if it does not say */
} WiceCheckResult;

typedef struct {
	size_t size; /* sizeof(WiceCheckOptions) */
	/* NULL-terminated; as in WiceAgentOptions.relays and stun_urls. */
	const char *const *servers;
	bool visible;        /* the texts come from a command line: no passwords in them */
	uint32_t timeout_ms; /* for one server; 0: 10 s */
	uint32_t fwmark;
} WiceCheckOptions;

typedef void (*WiceCheckFunc)(const WiceCheckResult *results, size_t n, const GError *error,
			      void *user_data);
/*
 * Checks all at once. each (may be NULL) is called for every result as it comes; done once, with
 * all of them in the order of the URLs, or with CANCELLED. Never before this returns. Errors at
 * once: INVALID (a text).
 */
WICE_API gboolean wice_check(GMainContext *context, const WiceCheckOptions *options,
			     WiceCheckFunc each, WiceCheckFunc done, void *user_data,
			     WiceCancel *cancel, GError **error);

WICE_END_DECLS

#endif
