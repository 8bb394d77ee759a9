/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/attempt.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "base/log.h"
#include "event/descriptors.h"
#include "event/source.h"
#include "ice/guess.h"
#include "ice/priority.h"
#include "stun/probe.h"

#define SOCKETS_MAX 16
/* Host candidates and one reflexive candidate for each. */
#define CANDIDATES_MAX (2 * SOCKETS_MAX)
#define GUESSES_MAX 8

G_STATIC_ASSERT(CANDIDATES_MAX <= WICE_DESCRIPTION_MAX_CANDIDATES);

typedef struct {
	WiceProxyPath *path;
	WiceEndpoint local; /* of the agent's socket */
	WiceCandidate host; /* as the peer sees it */
	WiceStunProbe probe;
} AttemptSocket;

struct WiceAttempt {
	const WiceAttemptEvents *events;
	void *user_data;
	const WiceIceOps *ops;
	WiceIce *ice; /* NULL: resting */
	WiceProxyPeer *proxy;
	const WiceProxyOps *proxy_ops;
	WiceTimer *probe_timer;
	WiceIceCredentials credentials;
	size_t n_sockets;
	AttemptSocket *sockets; /* made once: most hosts have one or two */
	size_t n_candidates;
	WiceCandidate candidates[CANDIDATES_MAX];
	bool gathering_done;
	bool outside_settled, outside_failed; /* where all paths have one port */
	WiceNatMapping outside_nat;
	bool has_pair;
	WiceIcePair pair;
	WiceEndpoint endpoint; /* what WireGuard was to be set to last, or none */
};

/* The paths have one port, which the interface asks about. */
static bool has_one_port(const WiceAttempt *attempt)
{
	return !attempt->proxy_ops->path_send;
}

static AttemptSocket *find_socket(WiceAttempt *attempt, const WiceEndpoint *base)
{
	for (size_t i = 0; i < attempt->n_sockets; i++)
		if (wice_endpoint_compare(&attempt->sockets[i].local, base) == 0)
			return &attempt->sockets[i];
	return NULL;
}

static const WiceCandidate *find_candidate(const WiceAttempt *attempt, const WiceEndpoint *endpoint)
{
	for (size_t i = 0; i < attempt->n_candidates; i++)
		if (wice_endpoint_compare(&attempt->candidates[i].endpoint, endpoint) == 0)
			return &attempt->candidates[i];
	return NULL;
}

static void on_ice_pair(const WiceIcePair *pair, void *user_data)
{
	WiceAttempt *attempt = user_data;
	attempt->pair = *pair;
	attempt->has_pair = true;

	/*
	 * The agent knows its sockets, and takes for peer-reflexive what it did not gather itself.
	 * The peer knows what was signalled.
	 */
	const AttemptSocket *socket = find_socket(attempt, &pair->local.endpoint);
	const WiceCandidate *known = find_candidate(attempt, &pair->local.endpoint);
	if (socket)
		attempt->pair.local = socket->host;
	else if (known)
		attempt->pair.local = *known;
	attempt->events->on_pair(attempt, attempt->user_data);
}

static void on_ice_failed(void *user_data)
{
	WiceAttempt *attempt = user_data;
	attempt->events->on_failed(attempt, attempt->user_data);
}

static void on_ice_check(void *user_data)
{
	WiceAttempt *attempt = user_data;
	attempt->events->on_check(attempt, attempt->user_data);
}

/* Packets of WireGuard that reach the ICE agent all the same are rare where the port is shared. */
static void on_ice_data(const WiceEndpoint *base, const uint8_t *data, size_t len, void *user_data)
{
	WiceAttempt *attempt = user_data;
	AttemptSocket *socket = find_socket(attempt, base);
	if (socket && attempt->proxy_ops->path_input)
		attempt->proxy_ops->path_input(socket->path, data, len);
}

static const WiceIceEvents ice_events = {
	.on_check = on_ice_check,
	.on_pair = on_ice_pair,
	.on_failed = on_ice_failed,
	.on_data = on_ice_data,
};

static void add_candidate(WiceAttempt *attempt, const WiceCandidate *candidate)
{
	if (attempt->n_candidates < CANDIDATES_MAX && wice__candidate_is_valid(candidate) &&
	    !find_candidate(attempt, &candidate->endpoint))
		attempt->candidates[attempt->n_candidates++] = *candidate;
}

static void add_reflexive(WiceAttempt *attempt, const AttemptSocket *socket,
			  const WiceEndpoint *mapped)
{
	WiceCandidate candidate;
	wice__ice_server_reflexive(&socket->host, mapped, &candidate);
	add_candidate(attempt, &candidate);
}

static bool probes_are_over(const WiceAttempt *attempt)
{
	if (has_one_port(attempt))
		return attempt->outside_settled;
	for (size_t i = 0; i < attempt->n_sockets; i++)
		if (!wice__stun_probe_is_over(&attempt->sockets[i].probe))
			return false;
	return true;
}

/* Sends what is due and sets the timer for the rest. */
static void run_probes(WiceAttempt *attempt)
{
	int64_t now = wice__now_ms();
	int64_t deadline = INT64_MAX;
	for (size_t i = 0; i < attempt->n_sockets; i++) {
		AttemptSocket *socket = &attempt->sockets[i];
		WiceEndpoint server;
		uint8_t request[WICE_STUN_PROBE_REQUEST_LEN];
		while (wice__stun_probe_output(&socket->probe, now, &server, request))
			attempt->proxy_ops->path_send(socket->path, &server, request,
						      sizeof request);
		deadline = MIN(deadline, wice__stun_probe_deadline(&socket->probe));
	}
	wice__timer_set(attempt->probe_timer, deadline);
}

static void report_candidates(WiceAttempt *attempt)
{
	bool done = probes_are_over(attempt);
	if (done && attempt->gathering_done)
		return;
	attempt->gathering_done = done;
	attempt->events->on_candidates(attempt, attempt->user_data);
}

static void on_probe_timer(void *user_data)
{
	WiceAttempt *attempt = user_data;
	run_probes(attempt);
	if (probes_are_over(attempt))
		report_candidates(attempt);
}

static void take_answer(WiceAttempt *attempt, AttemptSocket *socket, const WiceEndpoint *source,
			const uint8_t *packet, size_t len)
{
	if (!wice__stun_probe_input(&socket->probe, packet, len, source, wice__now_ms()))
		return;
	for (size_t i = 0; i < socket->probe.n_servers; i++)
		if (socket->probe.servers[i].state == WICE_STUN_PROBE_ANSWERED)
			add_reflexive(attempt, socket, &socket->probe.servers[i].mapped);
	report_candidates(attempt);
}

void wice__attempt_stun_input(WiceAttempt *attempt, WiceProxyPath *path, const WiceEndpoint *source,
			      const uint8_t *packet, size_t len)
{
	for (size_t i = 0; i < attempt->n_sockets; i++) {
		if (attempt->sockets[i].path == path) {
			take_answer(attempt, &attempt->sockets[i], source, packet, len);
			return;
		}
	}
}

static void take_outside(WiceAttempt *attempt, const WiceOutside *outside)
{
	attempt->outside_settled = outside->settled;
	attempt->outside_failed = outside->failed;
	attempt->outside_nat = outside->nat;
	for (size_t i = 0; i < outside->n; i++)
		for (size_t k = 0; k < attempt->n_sockets; k++)
			if (wice_endpoint_compare(&attempt->sockets[k].host.endpoint,
						  &outside->addresses[i].base) == 0)
				add_reflexive(attempt, &attempt->sockets[k],
					      &outside->addresses[i].mapped);
}

void wice__attempt_set_outside(WiceAttempt *attempt, const WiceOutside *outside)
{
	size_t before = attempt->n_candidates;
	if (!has_one_port(attempt))
		return;
	take_outside(attempt, outside);
	if (attempt->n_candidates > before || outside->settled != attempt->gathering_done)
		report_candidates(attempt);
}

/* Servers of the socket's own family; a link-local address reaches none. */
static void start_probe(AttemptSocket *socket, const WiceAttemptOptions *options)
{
	WiceEndpoint servers[WICE_STUN_PROBE_MAX_SERVERS];
	size_t n = 0;
	const WiceAddress *own = &socket->host.endpoint.address;
	bool reachable = !wice_address_is_link_local(own);
	for (size_t i = 0; reachable && i < options->n_stun_servers && n < G_N_ELEMENTS(servers);
	     i++)
		if (options->stun_servers[i].address.family == own->family)
			servers[n++] = options->stun_servers[i];
	wice__stun_probe_init(&socket->probe, servers, n, randombytes_buf, wice__now_ms());
}

static int open_path(WiceAttempt *attempt, const WiceIceSocket *ice, uint32_t fwmark,
		     AttemptSocket *ret_socket)
{
	WiceProxySocket socket = {
		.fd = ice->fd,
		.local = ice->candidate.endpoint,
		.ufrag = attempt->credentials.ufrag,
		.fwmark = fwmark,
	};
	ret_socket->local = ice->candidate.endpoint;
	ret_socket->host = ice->candidate;
	int err = attempt->proxy_ops->path_new(attempt->proxy, &socket, &ret_socket->path);
	if (!err)
		attempt->proxy_ops->path_wire(ret_socket->path, &ret_socket->host.endpoint);
	return err;
}

/* -ENOTSUP: this is no way to do it; else what cannot be opened is left out. */
static int open_paths(WiceAttempt *attempt, const WiceAttemptOptions *options)
{
	WiceIceSocket sockets[SOCKETS_MAX];
	size_t n = MIN(attempt->ops->sockets(attempt->ice, sockets, SOCKETS_MAX), SOCKETS_MAX);
	attempt->sockets = g_new0(AttemptSocket, n);
	for (size_t i = 0; i < n; i++) {
		AttemptSocket *socket = &attempt->sockets[attempt->n_sockets];
		int err = open_path(attempt, &sockets[i], options->fwmark, socket);
		if (err == -ENOTSUP)
			return err;
		if (err) {
			wice__log(WICE_LOG_WARNING, "",
				  "a UDP port could not be shared with the ICE agent: %s",
				  g_strerror(-err));
			continue;
		}
		attempt->n_sockets++;
		add_candidate(attempt, &socket->host);
		if (!has_one_port(attempt))
			start_probe(socket, options);
	}
	if (has_one_port(attempt))
		take_outside(attempt, &options->outside);
	return attempt->n_sockets ? 0 : -EADDRNOTAVAIL;
}

int wice__attempt_new(const WiceAttemptOptions *options, const WiceAttemptEvents *events,
		      void *user_data, WiceAttempt **ret_attempt)
{
	if (options->n_addresses == 0)
		return -EADDRNOTAVAIL;
	if (!wice__descriptors_left())
		return -EMFILE;

	WiceAttempt *attempt = g_new0(WiceAttempt, 1);
	attempt->events = events;
	attempt->user_data = user_data;
	attempt->ops = options->ice;
	attempt->proxy = options->proxy;
	attempt->proxy_ops = options->proxy->proxy->ops;
	attempt->probe_timer = wice__timer_new(options->context, on_probe_timer, attempt);

	WiceIceOptions ice_options = {
		.size = sizeof ice_options,
		.controlling = options->controlling,
		.addresses = options->addresses,
		.n_addresses = options->n_addresses,
		.fwmark = options->fwmark,
	};
	int err = attempt->ops->open(options->context, &ice_options, &ice_events, attempt,
				     &attempt->ice);
	if (!err) {
		attempt->ops->credentials(attempt->ice, &attempt->credentials);
		err = open_paths(attempt, options);
	}
	if (err) {
		wice__attempt_free(attempt);
		return err;
	}
	if (!has_one_port(attempt))
		run_probes(attempt);
	attempt->gathering_done = probes_are_over(attempt);
	*ret_attempt = attempt;
	return 0;
}

/* Paths first: they share the ports of the agent's sockets. */
static void close_ice(WiceAttempt *attempt)
{
	for (size_t i = 0; i < attempt->n_sockets; i++)
		attempt->proxy_ops->path_free(attempt->sockets[i].path);
	attempt->n_sockets = 0;
	if (attempt->ice)
		attempt->ops->close(attempt->ice);
	attempt->ice = NULL;
}

void wice__attempt_free(WiceAttempt *attempt)
{
	if (!attempt)
		return;
	close_ice(attempt);
	wice__timer_free(attempt->probe_timer);
	sodium_memzero(&attempt->credentials, sizeof attempt->credentials);
	g_free(attempt->sockets);
	g_free(attempt);
}

void wice__attempt_rest(WiceAttempt *attempt)
{
	if (has_one_port(attempt))
		close_ice(attempt);
}

bool wice__attempt_is_resting(const WiceAttempt *attempt)
{
	return !attempt->ice;
}

WiceMechanism wice__attempt_mechanism(const WiceAttempt *attempt)
{
	return attempt->proxy_ops->mechanism;
}

const WiceIceCredentials *wice__attempt_credentials(const WiceAttempt *attempt)
{
	return &attempt->credentials;
}

void wice__attempt_describe(const WiceAttempt *attempt, WiceDescription *description)
{
	g_strlcpy(description->ufrag, attempt->credentials.ufrag, sizeof description->ufrag);
	g_strlcpy(description->pwd, attempt->credentials.pwd, sizeof description->pwd);
	description->gathering_done = attempt->gathering_done;
	description->no_proxy = attempt->proxy_ops->mechanism != WICE_MECHANISM_USER;
	description->n_candidates = attempt->n_candidates;
	memcpy(description->candidates, attempt->candidates,
	       attempt->n_candidates * sizeof attempt->candidates[0]);
}

/* From where the peer may send to each of our ports. */
static void expect(WiceAttempt *attempt, const WiceCandidate *candidates, size_t n)
{
	const WiceProxyOps *ops = attempt->proxy_ops;
	for (size_t i = 0; ops->path_expect && i < n; i++)
		for (size_t k = 0; k < attempt->n_sockets; k++)
			if (candidates[i].endpoint.address.family ==
			    attempt->sockets[k].local.address.family)
				ops->path_expect(attempt->sockets[k].path, &candidates[i].endpoint);
}

int wice__attempt_set_remote(WiceAttempt *attempt, const WiceDescription *description,
			     const WiceEndpoint *before)
{
	if (!attempt->ice)
		return 0;
	WiceIceCredentials credentials = { 0 };
	g_strlcpy(credentials.ufrag, description->ufrag, sizeof credentials.ufrag);
	g_strlcpy(credentials.pwd, description->pwd, sizeof credentials.pwd);
	int err = attempt->ops->set_remote(attempt->ice, &credentials);
	sodium_memzero(&credentials, sizeof credentials);
	if (err)
		return err;
	expect(attempt, description->candidates, description->n_candidates);
	WiceCandidate guesses[GUESSES_MAX];
	size_t n = wice__ice_guess(description->candidates, description->n_candidates, before,
				   guesses, GUESSES_MAX);
	err = attempt->ops->add_candidates(attempt->ice, description->candidates,
					   description->n_candidates);
	return err ? err : attempt->ops->add_candidates(attempt->ice, guesses, n);
}

int wice__attempt_heard(const WiceAttempt *attempt, WiceEndpoint *ret_source)
{
	const WiceProxyOps *ops = attempt->proxy_ops;
	for (size_t i = 0; ops->path_heard && i < attempt->n_sockets; i++)
		if (ops->path_heard(attempt->sockets[i].path, ret_source) == 0)
			return 0;
	return -ENOENT;
}

const WiceIcePair *wice__attempt_pair(const WiceAttempt *attempt)
{
	return attempt->has_pair ? &attempt->pair : NULL;
}

static AttemptSocket *selected_socket(WiceAttempt *attempt)
{
	return attempt->has_pair ? find_socket(attempt, &attempt->pair.base) : NULL;
}

int wice__attempt_send(WiceAttempt *attempt, const uint8_t *packet, size_t len)
{
	if (has_one_port(attempt))
		return -ENOTSUP;
	AttemptSocket *socket = selected_socket(attempt);
	return socket ? attempt->proxy_ops->path_send(socket->path, &attempt->pair.remote.endpoint,
						      packet, len)
		      : -ENOENT;
}

int wice__attempt_select(WiceAttempt *attempt, WiceEndpoint *ret_endpoint)
{
	AttemptSocket *socket = selected_socket(attempt);
	bool rests = !attempt->ice && attempt->endpoint.address.family;
	if (rests) {
		*ret_endpoint = attempt->endpoint;
		return 0;
	}
	if (!socket)
		return -ENOENT;
	int err = attempt->proxy_ops->select(attempt->proxy, socket->path,
					     &attempt->pair.remote.endpoint, &attempt->endpoint);
	if (!err)
		*ret_endpoint = attempt->endpoint;
	return err;
}

bool wice__attempt_leads_by(const WiceAttempt *attempt, const WiceEndpoint *endpoint)
{
	return (attempt->has_pair &&
		wice_endpoint_compare(&attempt->pair.remote.endpoint, endpoint) == 0) ||
	       (attempt->endpoint.address.family &&
		wice_endpoint_compare(&attempt->endpoint, endpoint) == 0);
}

/* The mapping that the servers saw from one socket. */
static WiceNatMapping socket_mapping(const AttemptSocket *socket)
{
	const WiceEndpoint *first = NULL;
	bool several = false;
	for (size_t i = 0; i < socket->probe.n_servers; i++) {
		const WiceStunProbeServer *server = &socket->probe.servers[i];
		if (server->state != WICE_STUN_PROBE_ANSWERED)
			continue;
		if (wice_endpoint_compare(&server->mapped, &socket->host.endpoint) == 0)
			return WICE_NAT_NONE;
		if (!first) {
			first = &server->mapped;
			continue;
		}
		if (wice_endpoint_compare(&server->mapped, first) != 0)
			return WICE_NAT_ENDPOINT_DEPENDENT;
		several = true;
	}
	if (!first)
		return WICE_NAT_UNKNOWN;
	return several ? WICE_NAT_ENDPOINT_INDEPENDENT : WICE_NAT_PRESENT;
}

WiceNatMapping wice__attempt_nat_mapping(const WiceAttempt *attempt)
{
	WiceNatMapping worst = WICE_NAT_UNKNOWN;
	if (has_one_port(attempt))
		return attempt->outside_nat;
	for (size_t i = 0; i < attempt->n_sockets; i++)
		worst = MAX(worst, socket_mapping(&attempt->sockets[i]));
	return worst;
}

bool wice__attempt_stun_failed(const WiceAttempt *attempt)
{
	bool asked = false;
	if (has_one_port(attempt))
		return attempt->outside_failed;
	for (size_t i = 0; i < attempt->n_sockets; i++) {
		const WiceStunProbe *probe = &attempt->sockets[i].probe;
		for (size_t k = 0; k < probe->n_servers; k++) {
			asked = true;
			if (probe->servers[k].state != WICE_STUN_PROBE_FAILED)
				return false;
		}
	}
	return asked;
}
