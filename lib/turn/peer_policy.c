/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "turn/peer_policy.h"

#include <stddef.h>
#include <string.h>

typedef enum { ALWAYS, PRIVATE, LOOPBACK } Reason;

typedef struct {
	uint8_t bytes[12]; /* no network here is longer than that */
	uint8_t length;
	Reason reason;
} Denied;

/* RFC 6890 and what its registries have gained since. */
static const Denied denied_ipv4[] = {
	{ { 0 }, 8, ALWAYS }, /* this network */
	{ { 10 }, 8, PRIVATE },
	{ { 100, 64 }, 10, PRIVATE }, /* shared: behind a carrier's NAT (RFC 6598) */
	{ { 127 }, 8, LOOPBACK },
	{ { 169, 254 }, 16, ALWAYS }, /* link-local; clouds have their secrets there */
	{ { 172, 16 }, 12, PRIVATE },
	{ { 192, 0, 0 }, 24, ALWAYS },   /* protocols: DS-Lite, PCP anycast, NAT64 discovery */
	{ { 192, 88, 99 }, 24, ALWAYS }, /* relays of 6to4 (RFC 7526) */
	{ { 192, 168 }, 16, PRIVATE },
	{ { 198, 18 }, 15, PRIVATE }, /* benchmarks (RFC 2544) */
	{ { 224 }, 4, ALWAYS },       /* multicast */
	{ { 240 }, 4, ALWAYS },       /* reserved, broadcast */
};

/*
 * ::/96 has the unspecified address, the deprecated compatible ones and loopback; ::ffff:0:0/96 is
 * IPv4 to a socket and not an IPv6 peer; both are denied as a whole.
 */
static const Denied denied_ipv6[] = {
	{ { 0 }, 96, ALWAYS },
	{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff }, 96, ALWAYS },
	{ { 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff }, 96, ALWAYS }, /* translated (RFC 2765) */
	{ { 0, 0x64, 0xff, 0x9b, 0, 1 }, 48, PRIVATE },         /* NAT64 of a site (RFC 8215) */
	{ { 0x01, 0, 0, 0, 0, 0, 0, 0 }, 64, ALWAYS },          /* discard (RFC 6666) */
	{ { 0xfc }, 7, PRIVATE },                               /* unique-local */
	{ { 0xfe, 0x80 }, 10, ALWAYS },                         /* link-local */
	{ { 0xfe, 0xc0 }, 10, PRIVATE },                        /* site-local (RFC 3879) */
	{ { 0xff }, 8, ALWAYS },                                /* multicast */
};

/* Networks whose addresses hold an IPv4 address that a packet may end up at. */
static const struct {
	uint8_t bytes[12];
	uint8_t length;
	uint8_t at;
	uint8_t mask; /* each byte is XORed with it */
} wrappings[] = {
	{ { 0x20, 0x02 }, 16, 2, 0 },           /* 6to4 */
	{ { 0, 0x64, 0xff, 0x9b }, 96, 12, 0 }, /* NAT64 (RFC 6052) */
	{ { 0x20, 0x01, 0, 0 }, 32, 12, 0xff }, /* Teredo: the client */
};

static bool is_in(const uint8_t *address, const uint8_t *network, uint8_t length)
{
	size_t whole = length / 8;
	uint8_t rest = (uint8_t)(0xff00 >> length % 8);
	return memcmp(address, network, whole) == 0 &&
	       (length % 8 == 0 || ((address[whole] ^ network[whole]) & rest) == 0);
}

static bool is_permitted(const WicePeerPolicy *policy, Reason reason)
{
	return (reason == PRIVATE && policy->permit_private) ||
	       (reason == LOOPBACK && policy->permit_loopback);
}

static bool is_listed(const WicePeerPolicy *policy, const uint8_t *address, const Denied *list,
		      size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_in(address, list[i].bytes, list[i].length))
			return !is_permitted(policy, list[i].reason);
	return false;
}

static bool ipv4_is_denied(const WicePeerPolicy *policy, const uint8_t *address)
{
	return is_listed(policy, address, denied_ipv4, sizeof denied_ipv4 / sizeof *denied_ipv4);
}

static bool ipv6_is_denied(const WicePeerPolicy *policy, const uint8_t *address)
{
	static const uint8_t loopback[16] = { [15] = 1 };
	if (memcmp(address, loopback, sizeof loopback) == 0)
		return !policy->permit_loopback;
	for (size_t i = 0; i < sizeof wrappings / sizeof *wrappings; i++) {
		uint8_t inner[4];
		if (!is_in(address, wrappings[i].bytes, wrappings[i].length))
			continue;
		for (size_t j = 0; j < sizeof inner; j++)
			inner[j] = address[wrappings[i].at + j] ^ wrappings[i].mask;
		return ipv4_is_denied(policy, inner);
	}
	return is_listed(policy, address, denied_ipv6, sizeof denied_ipv6 / sizeof *denied_ipv6);
}

bool wice__peer_is_denied(const WicePeerPolicy *policy, const WiceAddress *peer)
{
	switch (peer->family) {
	case WICE_FAMILY_IPV4:
		return ipv4_is_denied(policy, peer->bytes);
	case WICE_FAMILY_IPV6:
		return ipv6_is_denied(policy, peer->bytes);
	default:
		return true;
	}
}
