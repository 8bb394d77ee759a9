/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ice/guess.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "ice/priority.h"
#include "ice/remote.h"

typedef struct {
	const WiceCandidate *known;
	size_t n_known;
	uint32_t lowest; /* priority among them */
	unsigned n_foundations;
	WiceCandidate *guesses;
	size_t n;
} Guesses;

static bool has(const WiceCandidate *candidates, size_t n, const WiceEndpoint *endpoint)
{
	for (size_t i = 0; i < n; i++)
		if (candidates[i].endpoint.port == endpoint->port &&
		    wice_address_compare(&candidates[i].endpoint.address, &endpoint->address) == 0)
			return true;
	return false;
}

static bool has_foundation(const Guesses *guesses, const char *foundation)
{
	for (size_t i = 0; i < guesses->n_known; i++)
		if (strncmp(guesses->known[i].foundation, foundation, WICE_FOUNDATION_SIZE) == 0)
			return true;
	return false;
}

static void make_foundation(Guesses *guesses, char ret[WICE_FOUNDATION_SIZE])
{
	do
		snprintf(ret, WICE_FOUNDATION_SIZE, "guess%u", ++guesses->n_foundations);
	while (has_foundation(guesses, ret));
}

/* What the peer has said itself comes first. Priorities begin with 1 (RFC 8445 section 5.1.2). */
static void add(Guesses *guesses, size_t max, const WiceAddress *address, uint16_t port)
{
	WiceCandidate guess = {
		.type = WICE_CANDIDATE_SERVER_REFLEXIVE,
		.priority = guesses->lowest > 1 ? guesses->lowest - 1 : 1,
		.endpoint = { .address = *address, .port = port },
		.foundation = "guess",
	};
	if (guesses->n >= max || has(guesses->known, guesses->n_known, &guess.endpoint) ||
	    has(guesses->guesses, guesses->n, &guess.endpoint) ||
	    !wice__ice_remote_accepts(&guess, true)) /* the agent knows if it is on loopback */
		return;
	make_foundation(guesses, guess.foundation);
	guesses->lowest = guess.priority;
	guesses->guesses[guesses->n++] = guess;
}

static void add_ports(Guesses *guesses, size_t max, const WiceAddress *reflexive)
{
	for (size_t i = 0; i < guesses->n_known; i++) {
		const WiceCandidate *host = &guesses->known[i];
		if (host->type == WICE_CANDIDATE_HOST &&
		    host->endpoint.address.family == reflexive->family)
			add(guesses, max, reflexive, host->endpoint.port);
	}
}

static uint32_t lowest_priority(const WiceCandidate *candidates, size_t n)
{
	uint32_t lowest = wice__ice_priority(WICE_CANDIDATE_SERVER_REFLEXIVE, 0);
	for (size_t i = 0; i < n; i++)
		if (candidates[i].priority < lowest)
			lowest = candidates[i].priority;
	return lowest;
}

size_t wice__ice_guess(const WiceCandidate *candidates, size_t n, const WiceEndpoint *before,
		       WiceCandidate *ret, size_t max)
{
	Guesses guesses = {
		.known = candidates,
		.n_known = n,
		.lowest = lowest_priority(candidates, n),
		.guesses = ret,
	};
	bool was = before && before->address.family != WICE_FAMILY_NONE;
	size_t max_ports = was && max > 0 ? max - 1 : max;
	for (size_t i = 0; i < n; i++)
		if (candidates[i].type == WICE_CANDIDATE_SERVER_REFLEXIVE)
			add_ports(&guesses, max_ports, &candidates[i].endpoint.address);
	if (was)
		add(&guesses, max, &before->address, before->port);
	return guesses.n;
}
