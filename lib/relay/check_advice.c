/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "relay/check_advice.h"

#include <string.h>
#include <wice/error.h>

#include "event/source.h"
#include "stun/attributes.h"

char *wice__check_advise_name(const WiceTurnUrl *url, const GError *error)
{
	if (g_error_matches(error, WICE_ERROR, WICE_ERROR_NOT_FOUND))
		return g_strdup_printf("There is no such name as %s (%s); is it spelled right?",
				       url->host, error->message);
	return g_strdup_printf("No name server tells the address of %s (%s); is this host online, "
			       "and is its resolver set up (/etc/resolv.conf)?",
			       url->host, error->message);
}

/* The way to the server is no way. */
static char *advise_broken(const WiceTurnUrl *url, const WiceCheckFacts *facts)
{
	if (strstr(facts->reason, "refused") || strstr(facts->reason, "Nothing listens"))
		return g_strdup_printf("%s; is the server running, and is %u its port?",
				       facts->reason, url->port);
	if (strstr(facts->reason, "TLS handshake"))
		return g_strdup_printf("%s; does the server speak TLS at port %u?", facts->reason,
				       url->port);
	if (facts->opened && url->transport != WICE_TURN_UDP)
		return g_strdup_printf("%s; is it a %s server?", facts->reason,
				       url->relays ? "TURN" : "STUN");
	return g_strdup_printf("%s.", facts->reason);
}

static char *advise_connect(const WiceTurnUrl *url, double seconds)
{
	return g_strdup_printf("No connection over %s within %.0f s: the server is down, or a "
			       "firewall drops TCP to port %u.",
			       url->transport == WICE_TURN_TLS ? "TLS" : "TCP", seconds, url->port);
}

static char *advise_binding(const WiceTurnUrl *url, const WiceCheckFacts *facts, double seconds)
{
	if (facts->answered)
		return g_strdup_printf("The server does not tell addresses: it answers with error "
				       "%u (%s).",
				       facts->code, wice__stun_error_phrase(facts->code));
	if (facts->strange)
		return g_strdup_printf("What answers there is no STUN server; is %u its port?",
				       url->port);
	if (url->transport != WICE_TURN_UDP)
		return g_strdup_printf("It takes connections and does not answer within %.0f s; is "
				       "it a STUN server?",
				       seconds);
	return g_strdup_printf(
		"No answer over UDP within %.0f s: the server is down, or a firewall "
		"drops UDP to port %u; ?transport=tcp would tell.",
		seconds, url->port);
}

/* The seconds in a time-limited name (TURN-REST); 0: it is none. */
static gint64 expiry_of(const char *username)
{
	char *end;
	gint64 expiry = username ? g_ascii_strtoll(username, &end, 10) : 0;
	return expiry > 1000000000 && (*end == ':' || !*end) ? expiry : 0;
}

static char *advise_password(const WiceRelaySpec *spec, const char *username)
{
	gint64 expiry = expiry_of(username), now = wice__realtime_ms() / 1000;
	if (spec->secret_file)
		return g_strdup(
			"The server refuses the time-limited user name (401): the secret is "
			"not the server's, or the clock of this host or the server is "
			"wrong.");
	if (expiry && expiry < now)
		return g_strdup_printf(
			"The server refuses the user name (401), which expired %" G_GINT64_FORMAT
			" s ago; get a new one, or set this "
			"host's clock.",
			now - expiry);
	return g_strdup_printf("The server refuses the user name \"%s\" or the password (401).",
			       username);
}

static char *advise_allocate(const WiceRelaySpec *spec, const char *username,
			     const WiceCheckFacts *facts, bool second, double seconds)
{
	if (!facts->refused)
		return g_strdup_printf("The server answers to Binding requests, and within %.0f s "
				       "not to Allocate; is it a STUN server only?",
				       seconds);
	switch (facts->failure) {
	case WICE_TURN_REFUSED:
		return advise_password(spec, username);
	case WICE_TURN_NO_CREDENTIALS:
		return g_strdup("The server wants a user name and a password (401): add username= "
				"and password-file= behind the URL.");
	case WICE_TURN_FORBIDDEN:
		return g_strdup("The server forbids this user or this host to use it (403).");
	case WICE_TURN_FAMILY:
		return g_strdup("The server relays neither IPv4 nor IPv6 for us (440).");
	case WICE_TURN_QUOTA:
		return g_strdup_printf("This user has as many allocations as the server allows "
				       "(486)%s.",
				       second ? "; two are needed, one for each end" : "");
	case WICE_TURN_CAPACITY:
		return g_strdup_printf(
			"The server has no room for more allocations (%u); try again "
			"later, or another server.",
			facts->code);
	case WICE_TURN_MISMATCH:
		return g_strdup("The server keeps another allocation for the port of this host "
				"(437); it forgets it within ten minutes.");
	case WICE_TURN_ALTERNATE:
		return g_strdup("The server sends us to another one, and that one further, without "
				"end (300).");
	case WICE_TURN_TIMED_OUT:
		return g_strdup("The server answers to Binding requests and not to Allocate; is it "
				"a STUN server only?");
	default:
		break;
	}
	if (facts->code == WICE_STUN_ERROR_UNSUPPORTED_TRANSPORT)
		return g_strdup("The server does not relay UDP (442).");
	if (facts->code == WICE_STUN_ERROR_BAD_REQUEST)
		return g_strdup(
			"The server does not understand Allocate (400); is it a STUN server "
			"only?");
	return g_strdup(facts->reason);
}

static char *advise_relay(const WiceCheckFacts *facts, double seconds)
{
	const WiceEndpoint *relayed =
		facts->relayed_ipv4.address.family ? &facts->relayed_ipv4 : &facts->relayed_ipv6;
	char text[WICE_ENDPOINT_SIZE];
	wice_endpoint_format(relayed, text);
	if (facts->refused)
		return g_strdup_printf("The allocation was lost again: %s", facts->reason);
	if (facts->not_bound && facts->code == WICE_STUN_ERROR_FORBIDDEN)
		return g_strdup_printf("The server forbids to relay to its own addresses, as %s "
				       "(403): two of its clients cannot reach each other.",
				       text);
	if (facts->not_bound)
		return g_strdup_printf("The server refuses to relay to %s (%u).", text,
				       facts->code);
	return g_strdup_printf("Nothing that is sent to %s comes through within %.0f s: does a "
			       "firewall drop the server's relayed ports, or is its outer address "
			       "another one?",
			       text, seconds);
}

char *wice__check_advise(const WiceRelaySpec *spec, const char *username, WiceCheckStep step,
			 const WiceCheckFacts *facts, bool second, double seconds)
{
	if (facts->broken)
		return advise_broken(&spec->url, facts);
	switch (step) {
	case WICE_CHECK_CONNECT:
		return advise_connect(&spec->url, seconds);
	case WICE_CHECK_BINDING:
		return advise_binding(&spec->url, facts, seconds);
	case WICE_CHECK_ALLOCATE:
		return advise_allocate(spec, username, facts, second, seconds);
	case WICE_CHECK_RELAY:
		return advise_relay(facts, seconds);
	case WICE_CHECK_RESOLVE:
	case WICE_CHECK_DONE:
		break;
	}
	return g_strdup("");
}
