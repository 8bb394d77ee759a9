/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A round of asking, while nothing is mapped:
 *
 *   0 ms       PCP: map the port. NAT-PMP: what is the external address? That question leaves
 *              nothing behind in a router that knows both.
 *   answers    PCP: mapped, the round is over. NAT-PMP: if PCP has been refused, or was silent for
 *              500 ms, map the port by NAT-PMP. (A router that knows only that says so when it
 *              is asked by PCP: RFC 6887 section 9 and appendix A.)
 *   1000 ms    UPnP, if nothing was answered; at once if all that was answered were refusals.
 *
 * Whoever maps the port ends the round, and the others are not asked until it is lost again. A
 * router that says nothing is asked by PCP after 3, 6, 12... up to 1024 s (RFC 6887 section
 * 8.1.1), by NAT-PMP after 250, 500... ms, nine times (RFC 6886 section 3.1) and then every 1024 s,
 * by UPnP after 2, 4... up to 60 minutes: 17 packets in the first five minutes, then 8 an hour.
 * Refusals count like silence, but are never followed by the next request in less than 30 s.
 *
 * While something is mapped, it is renewed at half of its life, then after half of what is left
 * and so on; when its life is over, a new round begins.
 *
 * All answers tell the router's epoch. One that does not go with the last one says that the router
 * has forgotten the mapping (RFC 6887 section 8.5, RFC 6886 section 3.6). An answer to our request
 * to map has made it again by itself; an announcement makes us ask, some time within 5 s, since
 * everybody else in the network has heard it too.
 *
 * An answer counts if it comes from the router, and for PCP if it has our nonce. Whatever is not
 * awaited is ignored, except what is new about our mapping: RFC 6887 section 14.2.
 */
#include "portmap/mapper.h"

#include <string.h>

#define NEVER INT64_MAX

#define PCP_FIRST_WAIT_MS 3000
#define PCP_MAX_WAIT_MS (1024 * 1000)
#define PCP_HEAD_START_MS 500

#define NAT_PMP_FIRST_WAIT_MS 250
#define NAT_PMP_TRIES 9
#define NAT_PMP_PAUSE_MS (1024 * 1000)

#define UPNP_FIRST_WAIT_MS (120 * 1000)
#define UPNP_MAX_WAIT_MS (3600 * 1000)
/* A router may have forgotten a mapping that is said to last, without a word. */
#define UPNP_MAX_RENEWAL_MS (1800 * 1000)

/* RFC 6887 sections 7.4 and 15: what is believed. */
#define MIN_REFUSAL_MS (30 * 1000)
#define MAX_LIFETIME_S (24 * 3600)
/* One that lasts shorter is of no use. */
#define MIN_LIFETIME_S 10
/* RFC 6887 section 11.2.1 */
#define MIN_RENEWAL_MS 4000

#define ANNOUNCEMENT_DELAY_MS 5000
/* Time to ask, after that delay, three times. */
#define DOUBT_MS 15000
#define MIN_ROUND_MS 5000
#define MIN_REFRESH_MS 1000

static int64_t min_time(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t max_time(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* From 0 to below. */
static int64_t random_below(const WicePortmapMapper *mapper, int64_t below)
{
	uint32_t random;
	mapper->fill_random(&random, sizeof random);
	return (int64_t)random * below >> 32;
}

/* Give or take a tenth: RFC 6887 section 8.1.1. */
static int64_t around(const WicePortmapMapper *mapper, int64_t ms)
{
	return ms - ms / 10 + random_below(mapper, ms / 5 + 1);
}

static void begin_round(WicePortmapMapper *mapper, int64_t now)
{
	bool ipv4 = mapper->internal.address.family == WICE_FAMILY_IPV4;
	for (int i = WICE_PORTMAP_PCP; i <= WICE_PORTMAP_UPNP; i++) {
		mapper->asks[i].next_at = NEVER;
		mapper->asks[i].wait_ms = 0;
		mapper->asks[i].tries = 0;
		mapper->asks[i].awaiting = false;
		mapper->asks[i].refused = false;
	}
	mapper->asks[WICE_PORTMAP_PCP].next_at = now;
	if (ipv4)
		mapper->asks[WICE_PORTMAP_NAT_PMP].next_at = now;
	if (ipv4 && mapper->upnp)
		mapper->asks[WICE_PORTMAP_UPNP].next_at = now + WICE_PORTMAP_UPNP_AFTER_MS;
	mapper->address_known = false;
	mapper->asked_at = now;
	mapper->round_at = NEVER;
}

static bool lose(WicePortmapMapper *mapper, int64_t now)
{
	mapper->mapped = false;
	mapper->mapping = (WicePortMapping){ 0 };
	begin_round(mapper, now);
	return true;
}

void wice__portmap_mapper_init(WicePortmapMapper *mapper, const WicePortmapMapperOptions *options,
			       int64_t now_ms)
{
	*mapper = (WicePortmapMapper){
		.router = { options->router, WICE_PORTMAP_SERVER_PORT, options->scope },
		.internal = options->internal,
		.upnp = options->upnp,
		.fill_random = options->fill_random,
		.suggested = { { 0 }, options->internal.port, 0 },
	};
	memcpy(mapper->nonce, options->nonce, sizeof mapper->nonce);
	begin_round(mapper, now_ms);
}

/* When to ask again if this request is not answered. */
static int64_t next_wait(const WicePortmapMapper *mapper, WicePortmapProtocol protocol)
{
	const WicePortmapAsk *ask = &mapper->asks[protocol];
	switch (protocol) {
	case WICE_PORTMAP_PCP:
		return around(mapper, ask->wait_ms ? min_time(2 * ask->wait_ms, PCP_MAX_WAIT_MS)
						   : PCP_FIRST_WAIT_MS);
	case WICE_PORTMAP_NAT_PMP:
		if (ask->tries >= NAT_PMP_TRIES)
			return around(mapper, NAT_PMP_PAUSE_MS);
		return ask->wait_ms ? 2 * ask->wait_ms : NAT_PMP_FIRST_WAIT_MS;
	default:
		return around(mapper, ask->wait_ms ? min_time(2 * ask->wait_ms, UPNP_MAX_WAIT_MS)
						   : UPNP_FIRST_WAIT_MS);
	}
}

static void schedule(WicePortmapMapper *mapper, WicePortmapProtocol protocol, int64_t now)
{
	WicePortmapAsk *ask = &mapper->asks[protocol];
	ask->awaiting = true;
	ask->tries++;
	if (mapper->mapped) {
		ask->next_at = now + max_time((mapper->expires_at - now) / 2, MIN_RENEWAL_MS);
		return;
	}
	ask->wait_ms = next_wait(mapper, protocol);
	ask->next_at = now + ask->wait_ms;
}

/* suggested: NULL to have the mapping removed. */
static size_t write_pcp(const WicePortmapMapper *mapper, const WiceEndpoint *suggested,
			uint8_t *ret_request)
{
	WicePcpMap map = { .internal = mapper->internal };
	if (suggested) {
		map.suggested = *suggested;
		map.lifetime_s = WICE_PORTMAP_LIFETIME_S;
	}
	memcpy(map.nonce, mapper->nonce, sizeof map.nonce);
	wice__pcp_write_map(&map, ret_request);
	return WICE_PCP_MAP_LEN;
}

static size_t write_nat_pmp(const WicePortmapMapper *mapper, uint8_t *ret_request)
{
	if (!mapper->address_known) {
		wice__nat_pmp_write_address(ret_request);
		return WICE_NAT_PMP_ADDRESS_LEN;
	}
	wice__nat_pmp_write_map(mapper->internal.port, mapper->suggested.port,
				WICE_PORTMAP_LIFETIME_S, ret_request);
	return WICE_NAT_PMP_MAP_LEN;
}

size_t wice__portmap_mapper_output(WicePortmapMapper *mapper, int64_t now_ms,
				   uint8_t ret_request[WICE_PORTMAP_REQUEST_MAX])
{
	if (now_ms >= mapper->asks[WICE_PORTMAP_PCP].next_at) {
		schedule(mapper, WICE_PORTMAP_PCP, now_ms);
		mapper->asks[WICE_PORTMAP_PCP].granted = true;
		return write_pcp(mapper, &mapper->suggested, ret_request);
	}
	if (now_ms >= mapper->asks[WICE_PORTMAP_NAT_PMP].next_at) {
		schedule(mapper, WICE_PORTMAP_NAT_PMP, now_ms);
		mapper->asks[WICE_PORTMAP_NAT_PMP].granted |= mapper->address_known;
		return write_nat_pmp(mapper, ret_request);
	}
	return 0;
}

/* RFC 6887 section 8.5, RFC 6886 section 3.6. */
static bool epoch_fits(WicePortmapProtocol protocol, const WicePortmapAsk *ask, uint32_t epoch_s,
		       int64_t now)
{
	int64_t ours = (now - ask->epoch_at) / 1000;
	int64_t theirs = (int64_t)epoch_s - ask->epoch_s;
	if (protocol == WICE_PORTMAP_NAT_PMP)
		return theirs + 2 >= ours - ours / 8;
	return theirs >= -1 && ours + 2 >= theirs - theirs / 16 && theirs + 2 >= ours - ours / 16;
}

/* False if the router has forgotten what it had mapped since it was heard last. */
static bool note_epoch(WicePortmapMapper *mapper, WicePortmapProtocol protocol, uint32_t epoch_s,
		       int64_t now)
{
	WicePortmapAsk *ask = &mapper->asks[protocol];
	bool fits = !ask->has_epoch || epoch_fits(protocol, ask, epoch_s, now);
	ask->has_epoch = true;
	ask->epoch_s = epoch_s;
	ask->epoch_at = now;
	return fits;
}

static bool is_mapped_by(const WicePortmapMapper *mapper, WicePortmapProtocol protocol)
{
	return mapper->mapped && mapper->mapping.protocol == protocol;
}

static bool accept(WicePortmapMapper *mapper, WicePortmapProtocol protocol,
		   const WiceEndpoint *external, uint32_t lifetime_s, int64_t now)
{
	WicePortMapping mapping = { protocol, mapper->internal, *external };
	bool changed = !is_mapped_by(mapper, protocol) ||
		       wice_endpoint_compare(&mapper->mapping.external, external) != 0;
	int64_t life = min_time(lifetime_s, MAX_LIFETIME_S) * 1000;
	for (int i = WICE_PORTMAP_PCP; i <= WICE_PORTMAP_UPNP; i++) {
		mapper->asks[i].awaiting = false;
		mapper->asks[i].next_at = NEVER;
	}
	int64_t renewal = life / 2 + random_below(mapper, life / 8);
	if (protocol == WICE_PORTMAP_UPNP)
		renewal = min_time(renewal, UPNP_MAX_RENEWAL_MS);
	mapper->asks[protocol].next_at = now + renewal;
	mapper->asks[protocol].granted = true;
	mapper->address_known = false;
	mapper->expires_at = now + life;
	mapper->suggested = *external;
	mapper->mapping = mapping;
	mapper->mapped = true;
	return changed;
}

/* What can begin sooner because of a refusal. */
static void hasten(WicePortmapMapper *mapper, int64_t now)
{
	const WicePortmapAsk *pcp = &mapper->asks[WICE_PORTMAP_PCP];
	WicePortmapAsk *nat_pmp = &mapper->asks[WICE_PORTMAP_NAT_PMP];
	WicePortmapAsk *upnp = &mapper->asks[WICE_PORTMAP_UPNP];
	if (pcp->refused && mapper->address_known && nat_pmp->tries == 0)
		nat_pmp->next_at = min_time(nat_pmp->next_at, now);
	if (pcp->refused && nat_pmp->refused && upnp->tries == 0)
		upnp->next_at = min_time(upnp->next_at, now);
}

/* passing: what is mapped stays mapped although it could not be renewed now. */
static bool refuse(WicePortmapMapper *mapper, WicePortmapProtocol protocol, bool passing,
		   int64_t retry_ms, int64_t now)
{
	WicePortmapAsk *ask = &mapper->asks[protocol];
	ask->awaiting = false;
	if (mapper->mapped)
		return is_mapped_by(mapper, protocol) && !passing ? lose(mapper, now) : false;
	ask->refused = true;
	ask->granted = false;
	ask->wait_ms = max_time(ask->wait_ms, MIN_REFUSAL_MS);
	ask->next_at = now + max_time(around(mapper, ask->wait_ms), retry_ms);
	hasten(mapper, now);
	return false;
}

static bool pcp_mapped(WicePortmapMapper *mapper, const WicePortmapAnswer *answer, int64_t now)
{
	const WicePortmapAsk *ask = &mapper->asks[WICE_PORTMAP_PCP];
	if (memcmp(answer->nonce, mapper->nonce, sizeof mapper->nonce) != 0 ||
	    answer->internal_port != mapper->internal.port)
		return false;
	bool news = is_mapped_by(mapper, WICE_PORTMAP_PCP) && answer->epoch_s != ask->epoch_s;
	if (!ask->awaiting && !news)
		return false;
	bool remembers = note_epoch(mapper, WICE_PORTMAP_PCP, answer->epoch_s, now);
	bool usable = answer->lifetime_s >= MIN_LIFETIME_S &&
		      answer->external.address.family == mapper->internal.address.family;
	if (answer->result == WICE_PORTMAP_SUCCESS && usable)
		return accept(mapper, WICE_PORTMAP_PCP, &answer->external, answer->lifetime_s, now);
	bool passing = remembers && (answer->result == WICE_PCP_NETWORK_FAILURE ||
				     answer->result == WICE_PCP_NO_RESOURCES ||
				     answer->result == WICE_PCP_USER_EX_QUOTA);
	int64_t retry_s = answer->result == WICE_PORTMAP_SUCCESS
				  ? 0
				  : min_time(answer->lifetime_s, MAX_LIFETIME_S);
	return refuse(mapper, WICE_PORTMAP_PCP, passing, retry_s * 1000, now);
}

/* What is mapped, if anything, is not believed in for long unless the router confirms it. */
static void doubt(WicePortmapMapper *mapper, int64_t now)
{
	mapper->expires_at = min_time(mapper->expires_at, now + DOUBT_MS);
}

static void nat_pmp_address(WicePortmapMapper *mapper, const WicePortmapAnswer *answer, int64_t now)
{
	WicePortmapAsk *ask = &mapper->asks[WICE_PORTMAP_NAT_PMP];
	if (!ask->awaiting || mapper->address_known)
		return;
	if (!note_epoch(mapper, WICE_PORTMAP_NAT_PMP, answer->epoch_s, now))
		doubt(mapper, now);
	mapper->address = answer->external.address;
	mapper->address_known = true;
	ask->awaiting = false;
	ask->tries = 0;
	ask->wait_ms = 0;
	ask->next_at = now;
	if (!mapper->mapped && !mapper->asks[WICE_PORTMAP_PCP].refused)
		ask->next_at = max_time(now, mapper->asked_at + PCP_HEAD_START_MS);
}

static bool nat_pmp_mapped(WicePortmapMapper *mapper, const WicePortmapAnswer *answer, int64_t now)
{
	if (!mapper->asks[WICE_PORTMAP_NAT_PMP].awaiting || !mapper->address_known ||
	    answer->internal_port != mapper->internal.port)
		return false;
	note_epoch(mapper, WICE_PORTMAP_NAT_PMP, answer->epoch_s, now);
	if (answer->lifetime_s < MIN_LIFETIME_S)
		return refuse(mapper, WICE_PORTMAP_NAT_PMP, false, 0, now);
	WiceEndpoint external = { mapper->address, answer->external.port, 0 };
	return accept(mapper, WICE_PORTMAP_NAT_PMP, &external, answer->lifetime_s, now);
}

static bool nat_pmp_refused(WicePortmapMapper *mapper, const WicePortmapAnswer *answer, int64_t now)
{
	if (!mapper->asks[WICE_PORTMAP_NAT_PMP].awaiting)
		return false;
	if (answer->result == WICE_PORTMAP_WRONG_VERSION)
		return refuse(mapper, WICE_PORTMAP_NAT_PMP, false, NAT_PMP_PAUSE_MS, now);
	bool remembers = note_epoch(mapper, WICE_PORTMAP_NAT_PMP, answer->epoch_s, now);
	bool passing = remembers && (answer->result == WICE_NAT_PMP_NETWORK_FAILURE ||
				     answer->result == WICE_NAT_PMP_NO_RESOURCES);
	return refuse(mapper, WICE_PORTMAP_NAT_PMP, passing, 0, now);
}

static bool is_from_router(const WicePortmapMapper *mapper, const WiceEndpoint *source)
{
	const WiceEndpoint *router = &mapper->router;
	return wice_address_compare(&router->address, &source->address) == 0 &&
	       router->port == source->port && (!router->scope || router->scope == source->scope);
}

bool wice__portmap_mapper_input(WicePortmapMapper *mapper, const uint8_t *packet, size_t len,
				const WiceEndpoint *source, int64_t now_ms)
{
	WicePortmapAnswer answer;
	if (!is_from_router(mapper, source) || wice__portmap_read_answer(packet, len, &answer) != 0)
		return false;
	switch (answer.kind) {
	case WICE_PCP_MAPPED:
		return pcp_mapped(mapper, &answer, now_ms);
	case WICE_PCP_REFUSED:
		if (!mapper->asks[WICE_PORTMAP_PCP].awaiting)
			return false;
		return refuse(mapper, WICE_PORTMAP_PCP, false,
			      min_time(answer.lifetime_s, MAX_LIFETIME_S) * 1000, now_ms);
	case WICE_NAT_PMP_ADDRESS:
		nat_pmp_address(mapper, &answer, now_ms);
		return false;
	case WICE_NAT_PMP_MAPPED:
		return nat_pmp_mapped(mapper, &answer, now_ms);
	case WICE_NAT_PMP_REFUSED:
		return nat_pmp_refused(mapper, &answer, now_ms);
	case WICE_PCP_ANNOUNCE:
		return false; /* it is one's own word, and anybody could have sent it */
	}
	return false;
}

/* Renews sooner than planned, but not all the time. */
static void hurry(WicePortmapMapper *mapper, int64_t at)
{
	WicePortmapAsk *ask = &mapper->asks[mapper->mapping.protocol];
	at = max_time(at, mapper->hurried_at + MIN_REFRESH_MS);
	if (at >= ask->next_at)
		return;
	ask->next_at = at;
	mapper->hurried_at = at;
}

/* What has been asked goes on until then. */
static void plan_round(WicePortmapMapper *mapper, int64_t at)
{
	mapper->round_at = min_time(mapper->round_at, at);
}

void wice__portmap_mapper_announced(WicePortmapMapper *mapper, const uint8_t *packet, size_t len,
				    const WiceEndpoint *source, int64_t now_ms)
{
	WicePortmapAnswer answer;
	if (!is_from_router(mapper, source) ||
	    wice__portmap_read_answer(packet, len, &answer) != 0 ||
	    (answer.kind != WICE_PCP_ANNOUNCE && answer.kind != WICE_NAT_PMP_ADDRESS))
		return;
	int64_t at = now_ms + random_below(mapper, ANNOUNCEMENT_DELAY_MS);
	if (!mapper->mapped) {
		plan_round(mapper, max_time(at, mapper->asked_at + MIN_ROUND_MS));
		return;
	}
	bool remembers;
	if (answer.kind == WICE_PCP_ANNOUNCE)
		remembers = note_epoch(mapper, WICE_PORTMAP_PCP, answer.epoch_s, now_ms);
	else
		remembers = note_epoch(mapper, WICE_PORTMAP_NAT_PMP, answer.epoch_s, now_ms) &&
			    wice_address_compare(&answer.external.address,
						 &mapper->mapping.external.address) == 0;
	if (remembers)
		return;
	hurry(mapper, at);
	doubt(mapper, now_ms);
}

void wice__portmap_mapper_refused(WicePortmapMapper *mapper, int64_t now_ms)
{
	if (mapper->mapped)
		return;
	for (int i = WICE_PORTMAP_PCP; i <= WICE_PORTMAP_NAT_PMP; i++)
		if (mapper->asks[i].awaiting)
			refuse(mapper, i, true, 0, now_ms);
}

void wice__portmap_mapper_refresh(WicePortmapMapper *mapper, int64_t now_ms)
{
	if (mapper->mapped)
		hurry(mapper, now_ms);
	else
		plan_round(mapper, max_time(now_ms, mapper->asked_at + MIN_REFRESH_MS));
}

bool wice__portmap_mapper_advance(WicePortmapMapper *mapper, int64_t now_ms)
{
	if (mapper->mapped)
		return now_ms >= mapper->expires_at ? lose(mapper, now_ms) : false;
	if (now_ms >= mapper->round_at)
		begin_round(mapper, now_ms);
	return false;
}

int64_t wice__portmap_mapper_deadline(const WicePortmapMapper *mapper)
{
	int64_t deadline = mapper->mapped ? mapper->expires_at : mapper->round_at;
	for (int i = WICE_PORTMAP_PCP; i <= WICE_PORTMAP_UPNP; i++)
		if (i != WICE_PORTMAP_UPNP || !mapper->upnp_running)
			deadline = min_time(deadline, mapper->asks[i].next_at);
	return deadline;
}

bool wice__portmap_mapper_start_upnp(WicePortmapMapper *mapper, int64_t now_ms)
{
	if (mapper->upnp_running || now_ms < mapper->asks[WICE_PORTMAP_UPNP].next_at)
		return false;
	schedule(mapper, WICE_PORTMAP_UPNP, now_ms);
	mapper->upnp_running = true;
	return true;
}

bool wice__portmap_mapper_upnp_done(WicePortmapMapper *mapper, const WiceEndpoint *external,
				    uint32_t lease_s, int64_t now_ms)
{
	mapper->upnp_running = false;
	if (mapper->mapped && mapper->mapping.protocol != WICE_PORTMAP_UPNP)
		return false;
	if (!external || lease_s < MIN_LIFETIME_S || external->port == 0 ||
	    external->address.family != mapper->internal.address.family ||
	    !wice__portmap_is_external(&external->address))
		return refuse(mapper, WICE_PORTMAP_UPNP, true, 0, now_ms);
	return accept(mapper, WICE_PORTMAP_UPNP, external, lease_s, now_ms);
}

size_t wice__portmap_mapper_farewell(const WicePortmapMapper *mapper, WicePortmapProtocol protocol,
				     uint8_t ret_request[WICE_PORTMAP_REQUEST_MAX])
{
	if (!mapper->asks[protocol].granted)
		return 0;
	if (protocol == WICE_PORTMAP_PCP)
		return write_pcp(mapper, NULL, ret_request);
	if (protocol != WICE_PORTMAP_NAT_PMP)
		return 0;
	wice__nat_pmp_write_map(mapper->internal.port, 0, 0, ret_request);
	return WICE_NAT_PMP_MAP_LEN;
}
