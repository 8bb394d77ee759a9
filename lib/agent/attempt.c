/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/attempt.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "event/source.h"
#include "ice/priority.h"
#include "stun/probe.h"

#define SOCKETS_MAX 16
#define DESCRIPTORS_RESERVED 32
/* Host candidates and one server-reflexive candidate for each. */
#define CANDIDATES_MAX (2 * SOCKETS_MAX)

G_STATIC_ASSERT(CANDIDATES_MAX <= WICE_DESCRIPTION_MAX_CANDIDATES);

/* Has one of the two kinds of paths. */
typedef struct {
	WiceAttempt *attempt;
	WiceInprocessPath *inprocess;
	WiceUserPath *path;
	WiceCandidate host;
	WiceStunProbe probe;
} AttemptSocket;

struct WiceAttempt {
	const WiceAttemptEvents *events;
	void *user_data;
	const WiceIceOps *ops;
	WiceIce *ice;
	WiceInprocess *inprocess; /* or NULL, and entry */
	WiceUserEntry *entry;
	WiceTimer *probe_timer;
	WiceIceCredentials credentials;
	size_t n_sockets;
	AttemptSocket *sockets; /* made once: most hosts have one or two */
	size_t n_candidates;
	WiceCandidate candidates[CANDIDATES_MAX];
	bool gathering_done;
	bool has_pair;
	WiceIcePair pair;
};

static AttemptSocket *find_socket(WiceAttempt *attempt, const WiceEndpoint *base)
{
	for (size_t i = 0; i < attempt->n_sockets; i++)
		if (wice_endpoint_compare(&attempt->sockets[i].host.endpoint, base) == 0)
			return &attempt->sockets[i];
	return NULL;
}

const WiceCandidate *wice__attempt_find_candidate(const WiceAttempt *attempt,
						  const WiceEndpoint *endpoint)
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

	/* To the ICE agent a reflexive address that it did not gather itself is peer-reflexive. */
	const WiceCandidate *known = wice__attempt_find_candidate(attempt, &pair->local.endpoint);
	if (known)
		attempt->pair.local = *known;
	attempt->events->on_pair(attempt, attempt->user_data);
}

static void on_ice_failed(void *user_data)
{
	WiceAttempt *attempt = user_data;
	attempt->events->on_failed(attempt, attempt->user_data);
}

/*
 * Packets of WireGuard that reach the ICE agent all the same are rare where the port is shared. The
 * engine does without them, as WireGuard does without any packet.
 */
static void on_ice_data(const WiceEndpoint *base, const uint8_t *data, size_t len, void *user_data)
{
	AttemptSocket *socket = find_socket(user_data, base);
	if (socket && socket->path)
		wice__user_path_input(socket->path, data, len);
}

static const WiceIceEvents ice_events = {
	.on_pair = on_ice_pair,
	.on_failed = on_ice_failed,
	.on_data = on_ice_data,
};

static void add_reflexive(WiceAttempt *attempt, const AttemptSocket *socket,
			  const WiceEndpoint *mapped)
{
	WiceCandidate candidate;
	wice__ice_server_reflexive(&socket->host, mapped, &candidate);
	if (attempt->n_candidates < CANDIDATES_MAX && wice__candidate_is_valid(&candidate) &&
	    !wice__attempt_find_candidate(attempt, mapped))
		attempt->candidates[attempt->n_candidates++] = candidate;
}

static bool probes_are_over(const WiceAttempt *attempt)
{
	for (size_t i = 0; i < attempt->n_sockets; i++)
		if (!wice__stun_probe_is_over(&attempt->sockets[i].probe))
			return false;
	return true;
}

static void send_request(const AttemptSocket *socket, const WiceEndpoint *server,
			 const uint8_t *request, size_t len)
{
	if (socket->inprocess)
		wice__inprocess_path_send(socket->inprocess, server, request, len);
	else
		wice__user_path_send(socket->path, server, request, len);
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
			send_request(socket, &server, request, sizeof request);
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

static void take_answer(AttemptSocket *socket, const WiceEndpoint *source, const uint8_t *packet,
			size_t len)
{
	WiceAttempt *attempt = socket->attempt;
	if (!wice__stun_probe_input(&socket->probe, packet, len, source, wice__now_ms()))
		return;
	for (size_t i = 0; i < socket->probe.n_servers; i++)
		if (socket->probe.servers[i].state == WICE_STUN_PROBE_ANSWERED)
			add_reflexive(attempt, socket, &socket->probe.servers[i].mapped);
	report_candidates(attempt);
}

void wice__attempt_stun_input(WiceAttempt *attempt, WiceUserPath *path, const WiceEndpoint *source,
			      const uint8_t *packet, size_t len)
{
	for (size_t i = 0; i < attempt->n_sockets; i++) {
		if (attempt->sockets[i].path == path) {
			take_answer(&attempt->sockets[i], source, packet, len);
			return;
		}
	}
}

static void on_inprocess_stun(WiceInprocessPath *path, const WiceEndpoint *source,
			      const uint8_t *packet, size_t len, void *user_data)
{
	take_answer(user_data, source, packet, len);
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

static int open_path(AttemptSocket *socket, const WiceIceSocket *ice, uint32_t fwmark)
{
	const WiceAttempt *attempt = socket->attempt;
	if (attempt->inprocess)
		return wice__inprocess_path_new(attempt->inprocess, ice->fd, fwmark,
						on_inprocess_stun, socket, &socket->inprocess);
	return wice__user_path_new(attempt->entry, ice->fd, &socket->host.endpoint, fwmark,
				   &socket->path);
}

/* -ENOTSUP: this is no way to do it; else what cannot be opened is left out. */
static int open_paths(WiceAttempt *attempt, const WiceAttemptOptions *options)
{
	WiceIceSocket sockets[SOCKETS_MAX];
	size_t n = MIN(attempt->ops->sockets(attempt->ice, sockets, SOCKETS_MAX), SOCKETS_MAX);
	attempt->sockets = g_new0(AttemptSocket, n);
	for (size_t i = 0; i < n; i++) {
		AttemptSocket *socket = &attempt->sockets[attempt->n_sockets];
		socket->attempt = attempt;
		socket->host = sockets[i].candidate;
		int err = open_path(socket, &sockets[i], options->fwmark);
		if (err == -ENOTSUP)
			return err;
		if (err) {
			wice__log(WICE_LOG_WARNING, "",
				  "a UDP port could not be shared with the ICE agent: %s",
				  g_strerror(-err));
			continue;
		}
		attempt->n_sockets++;
		if (wice__candidate_is_valid(&socket->host))
			attempt->candidates[attempt->n_candidates++] = socket->host;
		start_probe(socket, options);
	}
	return attempt->n_sockets ? 0 : -EADDRNOTAVAIL;
}

/*
 * Peers may be many, but must not take the last descriptors: looking at WireGuard, signaling and
 * control need some all the time, and without them nothing would ever change. The kernel gives
 * the lowest number that is free.
 */
static bool has_descriptors_left(void)
{
	struct rlimit limit;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	close(fd);
	return getrlimit(RLIMIT_NOFILE, &limit) < 0 ||
	       (rlim_t)fd + DESCRIPTORS_RESERVED < limit.rlim_cur;
}

int wice__attempt_new(const WiceAttemptOptions *options, const WiceAttemptEvents *events,
		      void *user_data, WiceAttempt **ret_attempt)
{
	if (options->n_addresses == 0)
		return -EADDRNOTAVAIL;
	if (!has_descriptors_left())
		return -EMFILE;

	WiceAttempt *attempt = g_new0(WiceAttempt, 1);
	attempt->events = events;
	attempt->user_data = user_data;
	attempt->ops = options->ice;
	attempt->inprocess = options->inprocess;
	attempt->entry = options->entry;
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
	run_probes(attempt);
	attempt->gathering_done = probes_are_over(attempt);
	*ret_attempt = attempt;
	return 0;
}

void wice__attempt_free(WiceAttempt *attempt)
{
	if (!attempt)
		return;
	/* Paths first: they share the ports of the agent's sockets. */
	for (size_t i = 0; i < attempt->n_sockets; i++) {
		wice__inprocess_path_free(attempt->sockets[i].inprocess);
		wice__user_path_free(attempt->sockets[i].path);
	}
	if (attempt->ice)
		attempt->ops->close(attempt->ice);
	wice__timer_free(attempt->probe_timer);
	sodium_memzero(&attempt->credentials, sizeof attempt->credentials);
	g_free(attempt->sockets);
	g_free(attempt);
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
	description->n_candidates = attempt->n_candidates;
	memcpy(description->candidates, attempt->candidates,
	       attempt->n_candidates * sizeof attempt->candidates[0]);
}

int wice__attempt_set_remote(WiceAttempt *attempt, const WiceDescription *description)
{
	WiceIceCredentials credentials = { 0 };
	g_strlcpy(credentials.ufrag, description->ufrag, sizeof credentials.ufrag);
	g_strlcpy(credentials.pwd, description->pwd, sizeof credentials.pwd);
	int err = attempt->ops->set_remote(attempt->ice, &credentials);
	sodium_memzero(&credentials, sizeof credentials);
	if (err)
		return err;
	return attempt->ops->add_candidates(attempt->ice, description->candidates,
					    description->n_candidates);
}

const WiceIcePair *wice__attempt_pair(const WiceAttempt *attempt)
{
	return attempt->has_pair ? &attempt->pair : NULL;
}

bool wice__attempt_is_inprocess(const WiceAttempt *attempt)
{
	return attempt->inprocess != NULL;
}

int wice__attempt_select(WiceAttempt *attempt)
{
	AttemptSocket *socket =
		attempt->has_pair ? find_socket(attempt, &attempt->pair.base) : NULL;
	if (!socket)
		return -ENOENT;
	if (socket->inprocess)
		wice__inprocess_path_select(socket->inprocess, &attempt->pair.remote.endpoint);
	else
		wice__user_entry_select(attempt->entry, socket->path,
					&attempt->pair.remote.endpoint);
	return 0;
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
	for (size_t i = 0; i < attempt->n_sockets; i++)
		worst = MAX(worst, socket_mapping(&attempt->sockets[i]));
	return worst;
}

bool wice__attempt_stun_failed(const WiceAttempt *attempt)
{
	bool asked = false;
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
