/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 *            servers                 answered                      20 s
 *   nothing ---------> ask all ------------------> known <--------------> ask the keeper
 *                      ^  ^  |                                  answers      |
 *         5 s .. 300 s |  |  | nobody answers                                |
 *                      |  |  v                                               |
 *                     failed +-----------------------------------------------+
 *                                 says something else, or nothing
 *
 * The keeper is the server whose answer became what is known: a NAT that maps by destination shows
 * each server another address, and only what one and the same server says can be compared. Any
 * other server would keep another mapping alive, too.
 *
 * A host with several uplinks may reach its servers through different ones. How the NAT maps is
 * read from answers that came to the same local address only.
 */
#include "stun/mapping.h"

#include <string.h>

static bool is_equal(const WiceEndpoint *a, const WiceEndpoint *b)
{
	return wice_endpoint_compare(a, b) == 0;
}

static void start_round(WiceStunMapping *mapping, bool all, int64_t now_ms)
{
	const WiceEndpoint *servers = all ? mapping->servers : &mapping->servers[mapping->keeper];
	mapping->running = true;
	mapping->all = all;
	mapping->answered = false;
	memset(mapping->bases, 0, sizeof mapping->bases);
	/* Counted from here, since this is when the mapping is used. */
	mapping->next_round_at = now_ms + WICE_STUN_MAPPING_KEEPALIVE_MS;
	wice__stun_probe_init(&mapping->probe, servers, all ? mapping->n_servers : 1,
			      mapping->fill_random, now_ms);
}

void wice__stun_mapping_init(WiceStunMapping *mapping,
			     void (*fill_random)(void *buffer, size_t len))
{
	*mapping = (WiceStunMapping){
		.fill_random = fill_random,
		.retry_ms = WICE_STUN_MAPPING_RETRY_MIN_MS,
	};
}

static bool has_server(const WiceStunMapping *mapping, const WiceEndpoint *server)
{
	for (size_t i = 0; i < mapping->n_servers; i++)
		if (is_equal(&mapping->servers[i], server))
			return true;
	return false;
}

/* Names resolve to the same addresses in another order each time. */
static bool has_same_servers(const WiceStunMapping *a, const WiceStunMapping *b)
{
	if (a->n_servers != b->n_servers)
		return false;
	for (size_t i = 0; i < a->n_servers; i++)
		if (!has_server(a, &b->servers[i]))
			return false;
	return true;
}

void wice__stun_mapping_set_servers(WiceStunMapping *mapping, const WiceEndpoint *servers, size_t n,
				    int64_t now_ms)
{
	WiceStunMapping fresh;
	wice__stun_mapping_init(&fresh, mapping->fill_random);
	for (size_t i = 0; i < n && fresh.n_servers < WICE_STUN_PROBE_MAX_SERVERS; i++)
		if (servers[i].address.family != WICE_FAMILY_NONE && servers[i].port != 0 &&
		    !has_server(&fresh, &servers[i]))
			fresh.servers[fresh.n_servers++] = servers[i];
	if (has_same_servers(mapping, &fresh))
		return;
	*mapping = fresh;
	if (mapping->n_servers > 0)
		start_round(mapping, true, now_ms);
}

void wice__stun_mapping_restart(WiceStunMapping *mapping, int64_t now_ms)
{
	if (mapping->n_servers == 0)
		return;
	mapping->retry_ms = WICE_STUN_MAPPING_RETRY_MIN_MS;
	mapping->settled = mapping->has_mapped;
	start_round(mapping, true, now_ms);
}

bool wice__stun_mapping_output(WiceStunMapping *mapping, int64_t now_ms, WiceEndpoint *ret_server,
			       uint8_t ret_request[WICE_STUN_PROBE_REQUEST_LEN])
{
	return mapping->running &&
	       wice__stun_probe_output(&mapping->probe, now_ms, ret_server, ret_request);
}

/* What two servers say about a mapping of the same local address. */
static WiceNatMapping compare_answers(const WiceStunProbeServer *a, const WiceStunProbeServer *b)
{
	if (!is_equal(&a->mapped, &b->mapped))
		return WICE_NAT_ENDPOINT_DEPENDENT;
	/* Two ports of one server do not show what happens with another address. */
	return wice_address_compare(&a->server.address, &b->server.address) == 0
		       ? WICE_NAT_PRESENT
		       : WICE_NAT_ENDPOINT_INDEPENDENT;
}

/*
 * What the answers of this round show. A server that sees our own address is on this side of the
 * NAT, if there is one, and tells nothing about it.
 */
static WiceNatMapping judge(const WiceStunMapping *mapping)
{
	const WiceStunProbeServer *servers = mapping->probe.servers;
	const WiceEndpoint *bases = mapping->bases;
	WiceNatMapping worst = WICE_NAT_UNKNOWN;
	for (size_t i = 0; i < mapping->probe.n_servers; i++) {
		WiceNatMapping verdict = WICE_NAT_PRESENT;
		if (servers[i].state != WICE_STUN_PROBE_ANSWERED)
			continue;
		if (is_equal(&servers[i].mapped, &bases[i]))
			verdict = WICE_NAT_NONE;
		for (size_t k = 0; k < i && verdict != WICE_NAT_NONE; k++) {
			if (servers[k].state != WICE_STUN_PROBE_ANSWERED ||
			    is_equal(&servers[k].mapped, &bases[k]) ||
			    !is_equal(&bases[i], &bases[k]))
				continue;
			WiceNatMapping pair = compare_answers(&servers[i], &servers[k]);
			verdict = pair > verdict ? pair : verdict;
		}
		worst = verdict > worst ? verdict : worst;
	}
	return worst;
}

/* The first answer of a round counts, unless it is our own address and another one is not. */
static bool adopt(WiceStunMapping *mapping, size_t i)
{
	const WiceEndpoint *mapped = &mapping->probe.servers[i].mapped;
	const WiceEndpoint *base = &mapping->bases[i];
	bool outside = is_equal(&mapping->mapped, &mapping->base) && !is_equal(mapped, base);
	if (mapping->answered && !outside)
		return false;
	bool changed = !mapping->has_mapped || !is_equal(&mapping->mapped, mapped) ||
		       !is_equal(&mapping->base, base);
	mapping->answered = true;
	if (mapping->all)
		mapping->keeper = i;
	mapping->has_mapped = true;
	mapping->failed = false;
	mapping->mapped = *mapped;
	mapping->base = *base;
	return changed;
}

/* The answer that has just come in is the one without a base. */
static bool take_answer(WiceStunMapping *mapping, const WiceEndpoint *local)
{
	for (size_t i = 0; i < mapping->probe.n_servers; i++) {
		if (mapping->probe.servers[i].state != WICE_STUN_PROBE_ANSWERED ||
		    mapping->bases[i].address.family != WICE_FAMILY_NONE)
			continue;
		mapping->bases[i] = *local;
		return adopt(mapping, i);
	}
	return false;
}

/* All have been asked and nobody has answered. True if that is news. */
static bool fail(WiceStunMapping *mapping, int64_t now_ms)
{
	bool news = !mapping->failed;
	mapping->has_mapped = false;
	memset(&mapping->mapped, 0, sizeof mapping->mapped);
	memset(&mapping->base, 0, sizeof mapping->base);
	mapping->failed = true;
	mapping->next_round_at = now_ms + mapping->retry_ms;
	mapping->retry_ms *= 2;
	if (mapping->retry_ms > WICE_STUN_MAPPING_RETRY_MAX_MS)
		mapping->retry_ms = WICE_STUN_MAPPING_RETRY_MAX_MS;
	return news;
}

/* What follows after the keeper has been asked. */
static bool conclude_keepalive(WiceStunMapping *mapping, bool changed, int64_t now_ms)
{
	if (!wice__stun_probe_is_over(&mapping->probe))
		return changed;
	mapping->running = false;
	if (changed || !mapping->answered)
		start_round(mapping, true, now_ms);
	return changed;
}

/*
 * What follows from the answers so far, after all have been asked. A verdict only gets worse while
 * some have yet to answer, so that repeating a round does not make it flicker.
 */
static bool conclude_all(WiceStunMapping *mapping, bool changed, int64_t now_ms)
{
	bool over = wice__stun_probe_is_over(&mapping->probe);
	WiceNatMapping verdict = judge(mapping);
	if (verdict > mapping->nat || (over && verdict != mapping->nat)) {
		mapping->nat = verdict;
		changed = true;
	}
	if (!over)
		return changed;
	mapping->running = false;
	changed |= !mapping->settled;
	mapping->settled = true;
	if (!mapping->answered)
		return fail(mapping, now_ms) || changed;
	mapping->retry_ms = WICE_STUN_MAPPING_RETRY_MIN_MS;
	return changed;
}

static bool conclude(WiceStunMapping *mapping, bool changed, int64_t now_ms)
{
	return mapping->all ? conclude_all(mapping, changed, now_ms)
			    : conclude_keepalive(mapping, changed, now_ms);
}

bool wice__stun_mapping_unreachable(WiceStunMapping *mapping, const WiceEndpoint *server,
				    int64_t now_ms)
{
	if (!mapping->running)
		return false;
	wice__stun_probe_unreachable(&mapping->probe, server);
	return conclude(mapping, false, now_ms);
}

bool wice__stun_mapping_input(WiceStunMapping *mapping, const uint8_t *packet, size_t len,
			      const WiceEndpoint *source, const WiceEndpoint *local, int64_t now_ms)
{
	if (!mapping->running || local->address.family == WICE_FAMILY_NONE ||
	    !wice__stun_probe_input(&mapping->probe, packet, len, source, now_ms))
		return false;
	return conclude(mapping, take_answer(mapping, local), now_ms);
}

bool wice__stun_mapping_advance(WiceStunMapping *mapping, int64_t now_ms)
{
	if (now_ms < wice__stun_mapping_deadline(mapping))
		return false;
	if (!mapping->running) {
		start_round(mapping, !mapping->has_mapped, now_ms);
		return false;
	}
	wice__stun_probe_expire(&mapping->probe, now_ms);
	return conclude(mapping, false, now_ms);
}

int64_t wice__stun_mapping_deadline(const WiceStunMapping *mapping)
{
	if (mapping->n_servers == 0)
		return INT64_MAX;
	if (!mapping->running)
		return mapping->next_round_at;
	if (wice__stun_probe_is_over(&mapping->probe))
		return INT64_MIN; /* output has given up the last server: advance concludes */
	return wice__stun_probe_deadline(&mapping->probe);
}

bool wice__stun_mapping_is_settled(const WiceStunMapping *mapping)
{
	return mapping->n_servers == 0 || mapping->settled;
}
