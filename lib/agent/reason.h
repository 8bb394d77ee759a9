/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_AGENT_REASON_H
#define WICE_AGENT_REASON_H

#include <stdbool.h>
#include <stddef.h>
#include <wice/candidate.h>
#include <wice/status.h>

#include "agent/attempt.h"
#include "agent/session.h"

/* Turns what is known about a session into the one sentence that users read: pure. */
#define WICE_REASON_SIZE 320

typedef struct {
	WiceSessionWhy why;
	WiceSessionPhase phase;
	bool proven;
	WicePathKind path;
	bool has_remote;          /* the peer has been heard */
	int not_opened;           /* why no attempt could be made: 0 or -errno */
	size_t n_local, n_remote; /* candidates */
	bool remote_has_reflexive;
	WiceNatMapping nat; /* ours */
	bool stun_failed;
	size_t n_stun_servers;
	WiceCandidateType local_type, remote_type; /* of the selected pair */
	const char *relay;     /* the URL of the relay that packets go over, or NULL */
	uint32_t relay_rtt_us; /* 0: not known */
	bool relay_refuses;    /* the channel to the peer */
	bool avoids_direct;    /* although there is a direct path */
	uint32_t direct_rtt_us, direct_loss_permille; /* of that; 0: not known here */
	bool has_relays;                              /* some are configured */
	const char *relay_trouble;                    /* why none of them is ready, or NULL */
	bool remote_has_relays;
	size_t n_backends, n_ready_backends;
	const char *backend_trouble;   /* why one of them is not ready, or NULL */
	const char *idle_reason;       /* why the interface cannot be used, or NULL */
	WiceEndpoint foreign_endpoint; /* set by somebody else, or none */
} WiceReasonFacts;

void wice__reason_write(const WiceReasonFacts *facts, char *ret_text, size_t size);

#endif
