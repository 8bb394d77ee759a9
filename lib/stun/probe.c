/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each server is asked at 0, 250, 500, 1000, 2000 and 4000 ms and given up at 6000 ms, or answers.
 *
 * RFC 8489 §6.2.1 wants the first retransmission after 500 ms or more unless the path is known
 * better, and 39.5 s in all, for two reasons, and both are weak here. Congestion: we send at most 8
 * * 6 packets of 20 bytes in 6 s, once per start or change of network; a single ICE session sends
 * more, and TCP on Linux resends full segments after as little as 200 ms. A wrong estimate of the
 * RTT: that costs one duplicate of a request that leaves no state in the server. What it buys: a
 * user waits for the outcome, the usual server is nearer than 250 ms, and a first packet is lost
 * more easily than others, since it is the one that waits for ARP, for a radio to wake up or for a
 * NAT entry. From there on the intervals double, and after 6 s a candidate would come too late to
 * be of use; the caller probes again when something changes.
 *
 * Servers that are older than RFC 5389 know no cookie, and should take it for a part of the
 * transaction id. Those that do not get the form without one at every second try from the third on.
 * That form must not come first: strict servers (coturn 4.7 and later) are silent on it or answer
 * with an error, which is why an error that answers it is no verdict on the server.
 *
 *                 bytes 4..7            8..11    12..19
 *   RFC 8489      the cookie            the tag  random
 *   RFC 3489      random, not a cookie  the tag  the same random
 *
 * An answer counts if it comes from the very address that was asked, repeats the 16 bytes and is
 * well-formed. A guess has a chance of 2^-64. The mapped address must then be one that a peer could
 * send to: a server must not be able to make us hand out, say, a loopback address, to which our
 * peers would then send.
 */
#include "stun/probe.h"

#include <string.h>

#include "stun/attributes.h"
#include "stun/integrity.h"
#include "stun/message.h"

/* How long to wait after each try. */
static const int64_t waits_ms[] = { 250, 250, 500, 1000, 2000, 2000 };
#define TRIES (sizeof waits_ms / sizeof waits_ms[0])

#define FIRST_CLASSIC_TRY 2
#define TAG_AT 4

static bool is_classic_try(unsigned n)
{
	return n >= FIRST_CLASSIC_TRY && n % 2 == FIRST_CLASSIC_TRY % 2;
}

static void make_transaction(uint8_t transaction[WICE_STUN_TRANSACTION_LEN],
			     void (*fill_random)(void *buffer, size_t len))
{
	fill_random(transaction, WICE_STUN_TRANSACTION_LEN);
	if (wice__stun_get_u32(transaction) == WICE_STUN_COOKIE)
		transaction[0] ^= 0xff;
	wice__stun_put_u32(transaction + TAG_AT, WICE_STUN_PROBE_TAG);
}

bool wice__stun_probe_is_tagged(const uint8_t *packet, size_t len)
{
	return len >= WICE_STUN_HEADER_LEN &&
	       wice__stun_get_u32(packet + WICE_STUN_HEADER_LEN - WICE_STUN_TRANSACTION_LEN +
				  TAG_AT) == WICE_STUN_PROBE_TAG;
}

void wice__stun_probe_init(WiceStunProbe *probe, const WiceEndpoint *servers, size_t n,
			   void (*fill_random)(void *buffer, size_t len), int64_t now_ms)
{
	*probe = (WiceStunProbe){ 0 };
	probe->n_servers = n < WICE_STUN_PROBE_MAX_SERVERS ? n : WICE_STUN_PROBE_MAX_SERVERS;
	for (size_t i = 0; i < probe->n_servers; i++) {
		WiceStunProbeServer *server = &probe->servers[i];
		server->server = servers[i];
		server->next_at = now_ms;
		if (servers[i].address.family == WICE_FAMILY_NONE || servers[i].port == 0)
			server->state = WICE_STUN_PROBE_FAILED;
		make_transaction(server->transaction, fill_random);
	}
}

static void write_request(const WiceStunProbeServer *server,
			  uint8_t ret_request[WICE_STUN_PROBE_REQUEST_LEN])
{
	uint8_t transaction[WICE_STUN_TRANSACTION_LEN];
	WiceStunWriter writer;
	memcpy(transaction, server->transaction, sizeof transaction);
	if (!is_classic_try(server->tries))
		wice__stun_put_u32(transaction, WICE_STUN_COOKIE);
	wice__stun_writer_init(&writer, ret_request, WICE_STUN_PROBE_REQUEST_LEN, WICE_STUN_REQUEST,
			       WICE_STUN_BINDING, transaction);
}

void wice__stun_probe_expire(WiceStunProbe *probe, int64_t now_ms)
{
	for (size_t i = 0; i < probe->n_servers; i++) {
		WiceStunProbeServer *server = &probe->servers[i];
		if (server->state == WICE_STUN_PROBE_RUNNING && server->tries == TRIES &&
		    now_ms >= server->next_at)
			server->state = WICE_STUN_PROBE_FAILED;
	}
}

bool wice__stun_probe_output(WiceStunProbe *probe, int64_t now_ms, WiceEndpoint *ret_server,
			     uint8_t ret_request[WICE_STUN_PROBE_REQUEST_LEN])
{
	wice__stun_probe_expire(probe, now_ms);
	for (size_t i = 0; i < probe->n_servers; i++) {
		WiceStunProbeServer *server = &probe->servers[i];
		if (server->state != WICE_STUN_PROBE_RUNNING || now_ms < server->next_at)
			continue;
		write_request(server, ret_request);
		*ret_server = server->server;
		server->sent_at = now_ms;
		server->next_at = now_ms + waits_ms[server->tries++];
		return true;
	}
	return false;
}

void wice__stun_probe_unreachable(WiceStunProbe *probe, const WiceEndpoint *server)
{
	for (size_t i = 0; i < probe->n_servers; i++)
		if (probe->servers[i].state == WICE_STUN_PROBE_RUNNING &&
		    wice_endpoint_compare(&probe->servers[i].server, server) == 0)
			probe->servers[i].state = WICE_STUN_PROBE_FAILED;
}

static bool is_from(const WiceStunProbeServer *server, const WiceEndpoint *source)
{
	const WiceEndpoint *asked = &server->server;
	return wice_address_compare(&asked->address, &source->address) == 0 &&
	       asked->port == source->port &&
	       (!asked->scope || !source->scope || asked->scope == source->scope);
}

static WiceStunProbeServer *find_server(WiceStunProbe *probe, const WiceStunMessage *answer,
					const WiceEndpoint *source)
{
	const uint8_t *transaction = wice__stun_message_transaction(answer);
	for (size_t i = 0; i < probe->n_servers; i++) {
		WiceStunProbeServer *server = &probe->servers[i];
		size_t skip = answer->has_cookie ? TAG_AT : 0;
		if (server->state == WICE_STUN_PROBE_RUNNING && is_from(server, source) &&
		    memcmp(transaction + skip, server->transaction + skip,
			   WICE_STUN_TRANSACTION_LEN - skip) == 0)
			return server;
	}
	return NULL;
}

/* One host's address: not unspecified, multicast, broadcast, reserved or IPv4 in disguise. */
static bool is_unicast(const WiceAddress *address)
{
	static const uint8_t unspecified[16], ipv4_mapped[12] = { [10] = 0xff, [11] = 0xff };
	if (address->family == WICE_FAMILY_IPV4)
		return address->bytes[0] != 0 && address->bytes[0] < 224;
	return address->bytes[0] != 0xff && memcmp(address->bytes, unspecified, 16) != 0 &&
	       memcmp(address->bytes, ipv4_mapped, 12) != 0;
}

/* Narrow addresses are believed only from a server that is as near. */
static bool is_credible(const WiceEndpoint *mapped, const WiceAddress *server)
{
	const WiceAddress *address = &mapped->address;
	return mapped->port != 0 && is_unicast(address) &&
	       (!wice_address_is_loopback(address) || wice_address_is_loopback(server)) &&
	       (!wice_address_is_link_local(address) || wice_address_is_link_local(server));
}

/*
 * XOR-MAPPED-ADDRESS is preferred because some NATs "correct" addresses that they find in packets.
 * Without a cookie it cannot be read: drafts and servers disagreed on what to XOR with.
 */
static bool read_mapped(const WiceStunMessage *answer, const WiceEndpoint *server,
			WiceEndpoint *ret_mapped)
{
	WiceEndpoint mapped;
	if (wice__stun_read_address(answer, WICE_STUN_XOR_MAPPED_ADDRESS, &mapped) != 0 &&
	    wice__stun_read_address(answer, WICE_STUN_MAPPED_ADDRESS, &mapped) != 0)
		return false;
	if (!is_credible(&mapped, &server->address))
		return false;
	if (wice_address_is_link_local(&mapped.address))
		mapped.scope = server->scope;
	*ret_mapped = mapped;
	return true;
}

/* Karn's rule: known only if this form had been sent just once, which then was the latest try. */
static uint32_t measure_rtt(const WiceStunProbeServer *server, bool classic, int64_t now_ms)
{
	int64_t elapsed = now_ms - server->sent_at;
	if (server->tries != (classic ? FIRST_CLASSIC_TRY + 1 : 1))
		return 0;
	return elapsed < 1 ? 1 : elapsed > UINT32_MAX ? UINT32_MAX : (uint32_t)elapsed;
}

bool wice__stun_probe_input(WiceStunProbe *probe, const uint8_t *packet, size_t len,
			    const WiceEndpoint *source, int64_t now_ms)
{
	WiceStunMessage answer;
	WiceStunProbeServer *server;
	uint16_t code;
	if (wice__stun_message_read(&answer, packet, len) != 0 ||
	    answer.method != WICE_STUN_BINDING || answer.n_unknown > 0 ||
	    (answer.fingerprint && wice__stun_check_fingerprint(&answer) != 0))
		return false;
	server = find_server(probe, &answer, source);
	if (!server)
		return false;

	switch (answer.message_class) {
	case WICE_STUN_SUCCESS:
		if (!read_mapped(&answer, &server->server, &server->mapped))
			return false;
		server->rtt_ms = measure_rtt(server, !answer.has_cookie, now_ms);
		server->state = WICE_STUN_PROBE_ANSWERED;
		return true;
	case WICE_STUN_ERROR:
		if (!answer.has_cookie || wice__stun_read_error(&answer, &code, NULL) != 0)
			return false;
		server->state = WICE_STUN_PROBE_FAILED;
		return true;
	default:
		return false;
	}
}

int64_t wice__stun_probe_deadline(const WiceStunProbe *probe)
{
	int64_t deadline = INT64_MAX;
	for (size_t i = 0; i < probe->n_servers; i++)
		if (probe->servers[i].state == WICE_STUN_PROBE_RUNNING &&
		    probe->servers[i].next_at < deadline)
			deadline = probe->servers[i].next_at;
	return deadline;
}

bool wice__stun_probe_is_over(const WiceStunProbe *probe)
{
	return wice__stun_probe_deadline(probe) == INT64_MAX;
}
