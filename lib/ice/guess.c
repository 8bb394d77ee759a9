/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ice/guess.h"

#include <stdbool.h>
#include <string.h>

#include "ice/priority.h"

typedef struct {
	const WiceCandidate *known;
	size_t n_known;
	WiceCandidate *guesses;
	size_t n, max;
} Guesses;

static bool has(const WiceCandidate *candidates, size_t n, const WiceEndpoint *endpoint)
{
	for (size_t i = 0; i < n; i++)
		if (wice_endpoint_compare(&candidates[i].endpoint, endpoint) == 0)
			return true;
	return false;
}

/* The lowest local preferences of the type: what the peer has said itself comes first. */
static void add(Guesses *guesses, const WiceEndpoint *endpoint)
{
	if (guesses->n == guesses->max || has(guesses->known, guesses->n_known, endpoint) ||
	    has(guesses->guesses, guesses->n, endpoint))
		return;
	WiceCandidate guess = {
		.type = WICE_CANDIDATE_SERVER_REFLEXIVE,
		.priority = wice__ice_priority(WICE_CANDIDATE_SERVER_REFLEXIVE,
					       (uint16_t)(guesses->max - guesses->n)),
		.endpoint = *endpoint,
		.foundation = "guess",
	};
	guesses->guesses[guesses->n++] = guess;
}

static void add_forwarded_ports(Guesses *guesses, const WiceCandidate *reflexive)
{
	for (size_t i = 0; i < guesses->n_known; i++) {
		const WiceCandidate *host = &guesses->known[i];
		if (host->type != WICE_CANDIDATE_HOST ||
		    host->endpoint.address.family != reflexive->endpoint.address.family)
			continue;
		WiceEndpoint endpoint = { .address = reflexive->endpoint.address,
					  .port = host->endpoint.port };
		add(guesses, &endpoint);
	}
}

size_t wice__ice_guess(const WiceCandidate *candidates, size_t n, const WiceEndpoint *before,
		       WiceCandidate *ret, size_t max)
{
	Guesses guesses = { .known = candidates, .n_known = n, .guesses = ret, .max = max };
	for (size_t i = 0; i < n; i++)
		if (candidates[i].type == WICE_CANDIDATE_SERVER_REFLEXIVE)
			add_forwarded_ports(&guesses, &candidates[i]);
	if (before->address.family != WICE_FAMILY_NONE && before->port)
		add(&guesses, before);
	return guesses.n;
}
