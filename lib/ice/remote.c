/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ice/remote.h"

#include <errno.h>
#include <string.h>

/* RFC 8839 section 5.1: ice-char = ALPHA / DIGIT / "+" / "/". */
static bool is_ice_text(const char *text, size_t size, size_t min)
{
	size_t len = strnlen(text, size);
	if (len < min || len == size)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!g_ascii_isalnum(text[i]) && text[i] != '+' && text[i] != '/')
			return false;
	return true;
}

int wice__ice_remote_set(WiceIceRemote *remote, const WiceIceCredentials *credentials)
{
	if (!is_ice_text(credentials->ufrag, sizeof credentials->ufrag, 4) ||
	    !is_ice_text(credentials->pwd, sizeof credentials->pwd, 22))
		return -EINVAL;
	if (remote->has_credentials) {
		bool same = strcmp(remote->credentials.ufrag, credentials->ufrag) == 0 &&
			    strcmp(remote->credentials.pwd, credentials->pwd) == 0;
		return same ? 0 : -EALREADY;
	}
	g_strlcpy(remote->credentials.ufrag, credentials->ufrag, WICE_ICE_UFRAG_SIZE);
	g_strlcpy(remote->credentials.pwd, credentials->pwd, WICE_ICE_PWD_SIZE);
	remote->has_credentials = true;
	return 0;
}

static bool is_unicast(const WiceAddress *address, bool allow_loopback)
{
	static const uint8_t mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };
	static const uint8_t zero[12];
	const uint8_t *bytes = address->bytes;
	if (wice_address_is_loopback(address))
		return allow_loopback;
	if (address->family == WICE_FAMILY_IPV4) /* 0.0.0.0/8; multicast, reserved, broadcast */
		return bytes[0] != 0 && bytes[0] < 224;
	if (address->family != WICE_FAMILY_IPV6 || wice_address_is_link_local(address))
		return false;
	/* ff00::/8; ::ffff:0:0/96 and ::/96 are IPv4 in disguise or unspecified. */
	return bytes[0] != 0xff && memcmp(bytes, mapped_prefix, 12) != 0 &&
	       memcmp(bytes, zero, 12) != 0;
}

bool wice__ice_remote_accepts(const WiceCandidate *candidate, bool allow_loopback)
{
	switch (candidate->type) {
	case WICE_CANDIDATE_HOST:
	case WICE_CANDIDATE_SERVER_REFLEXIVE:
	case WICE_CANDIDATE_RELAYED:
		break;
	default: /* peer-reflexive ones are learned from checks, never signalled */
		return false;
	}
	/* Section 5.1.2: 1 to 2^31 - 1. */
	return candidate->priority >= 1 && candidate->priority <= INT32_MAX &&
	       candidate->endpoint.port != 0 &&
	       is_unicast(&candidate->endpoint.address, allow_loopback) &&
	       is_ice_text(candidate->foundation, sizeof candidate->foundation, 1);
}

static bool is_known(const WiceIceRemote *remote, const WiceCandidate *candidate)
{
	for (size_t i = 0; i < remote->n; i++)
		if (wice_endpoint_compare(&remote->candidates[i].endpoint, &candidate->endpoint) ==
		    0)
			return true;
	return false;
}

size_t wice__ice_remote_add(WiceIceRemote *remote, const WiceCandidate *candidates, size_t n,
			    bool allow_loopback)
{
	size_t before = remote->n;
	for (size_t i = 0; i < n && remote->n < WICE_ICE_MAX_REMOTE; i++) {
		WiceCandidate candidate = candidates[i];
		if (!wice__ice_remote_accepts(&candidate, allow_loopback))
			continue;
		candidate.endpoint.scope = 0;
		if (!is_known(remote, &candidate))
			remote->candidates[remote->n++] = candidate;
	}
	return remote->n - before;
}

void wice__ice_remote_done(WiceIceRemote *remote)
{
	explicit_bzero(&remote->credentials, sizeof remote->credentials);
	remote->has_credentials = false;
	remote->n = 0;
}
