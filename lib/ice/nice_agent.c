/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ice/ice.h"

#include "base/log.h"
#include "event/sockaddr.h"
#include "event/source.h"
#include "ice/credentials.h"
#include "ice/nice_library.h"
#include "ice/remote.h"
#include <errno.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * WiceIceOps on libnice, the only file that calls it. What follows was measured with or read in
 * 0.1.21, the version of Debian 12; most of it is the same in 0.1.23.
 *
 * One agent, one stream, one component per peer. Role, tie-breaker, pacing and the keepalive timer
 * belong to the agent: with 1,000 streams in one agent 904 fail, 1,000 agents connect in a third of
 * a second.
 *
 * Settings that matter:
 *  - upnp off: otherwise each agent has a thread of its own and 13 descriptors instead of 2.
 *  - no stun-server: even a literal address goes through the resolver, and closing meanwhile
 *    crashes; the requests have no magic cookie, so strict servers do not answer; a second mapping
 *    with the same public address is dropped as redundant. We probe ourselves, from the same ports.
 *  - aggressive nomination: the regular one waits until the checks of hopeless host pairs have
 *    failed, which takes 2 s behind a NAT.
 *  - consent-freshness off: it gives up after 10 s instead of the 30 s of RFC 7675, which one lost
 *    packet in a hundred triggers every 500 s.
 *  - keepalive-conncheck off: it sends a check every 5 s and agent, which with 200 agents was 6 %
 *    of a processor, and each lost one stays in a table of 200 entries for good, after which the agent
 *    reports FAILED on a path that may be perfect. What remains is an indication every 25 s, which
 *    keeps NAT mappings; that nobody is there any more is what WireGuard notices.
 *  - idle-timeout at its least once a pair is selected: an agent with nothing to check goes on
 *    waking up every 5 ms for that long (5 s) before it may say FAILED, which is of no interest
 *    then. 200 agents took 6 % of a processor for 7 s after they had connected.
 *  - local addresses are given, else those of WireGuard interfaces become candidates as well.
 *  - new-selected-pair-full is when packets can flow. READY comes up to 2 s later.
 *
 * Assertions of libnice that end the process, and how they are kept from being met:
 *  - The local preference of a candidate is the position of its address among all addresses of the
 *    host, and must be below 64. A node with many container interfaces has more. Sockets are made
 *    only on addresses that are well in front (is_early()), and no candidates are added once one of
 *    them no longer is.
 *  - A component may not go from FAILED to CONNECTED, but does when the answer to a check comes in
 *    that was under way when the agent failed. A failed agent gets no packets any more: its
 *    sockets move to a context that nobody runs.
 *
 * With a port range and an address that cannot be bound it tries every port of the range twice, so
 * each address is tried here first. Without any pair to check (IPv4 here, IPv6 there) FAILED is
 * never reported: there is a deadline for that.
 *
 * Without nice_agent_attach_recv() nobody reads the sockets and no check is answered. libnice binds
 * a socket with IP_UNICAST_IF on the interface that has the address; whoever shares the port may
 * want the same. Whatever looks like STUN and is not a check of ours is answered or eaten, other
 * packets from addresses that have passed no check are dropped: a second socket on the port needs a
 * filter that takes its packets out first.
 *
 * Signals are emitted after the agent's lock is released, often from within the call that causes
 * them. They only make notes; a source of our own delivers, with nothing of libnice on the stack,
 * so close may unref at once.
 */

#define COMPONENT 1
#define PACING_MS 5
#define IDLE_WITH_PAIR_MS 50    /* the least that libnice allows */
#define LOCAL_POSITION_LIMIT 64 /* NICE_CANDIDATE_MAX_LOCAL_ADDRESSES */
#define LOCAL_POSITION_MARGIN 16
/* Checks of a full list take 100 * 5 ms + 2 s, and 5 s of grace. */
#define NO_PAIR_DEADLINE_MS 20000

static const WiceNiceLibrary *const libnice = &wice__nice_library;

typedef struct {
	WiceIce ice;
	NiceAgent *agent;
	GMainContext *context;
	guint stream;
	size_t n_sockets;
	GSocket **sockets;
	WiceCandidate *candidates; /* of the sockets */
	WiceIceCredentials credentials;
	bool allow_loopback;
	WiceIceRemote remote;
	size_t n_told; /* how many of the remote's candidates libnice has */
	WiceTimer *delivery;
	WiceTimer *no_pair;
	WiceIcePair pair; /* the last one selected */
	bool has_pair;
	bool pair_is_news;
	bool check_is_news;
	bool failed;
} NiceIce;

static void to_nice_address(const WiceEndpoint *endpoint, NiceAddress *ret)
{
	struct sockaddr_storage storage;
	wice__endpoint_to_sockaddr(endpoint, &storage);
	libnice->address_init(ret);
	libnice->address_set_from_sockaddr(ret, (struct sockaddr *)&storage);
}

static void from_nice_address(const NiceAddress *address, WiceEndpoint *ret)
{
	WiceEndpoint endpoint = { 0 };
	struct sockaddr_storage storage = { .ss_family = AF_UNSPEC };
	if (libnice->address_is_valid(address))
		libnice->address_copy_to_sockaddr(address, (struct sockaddr *)&storage);
	wice__endpoint_from_sockaddr((struct sockaddr *)&storage, sizeof storage, &endpoint);
	*ret = endpoint;
}

static WiceCandidateType from_nice_type(NiceCandidateType type)
{
	switch (type) {
	case NICE_CANDIDATE_TYPE_HOST:
		return WICE_CANDIDATE_HOST;
	case NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE:
		return WICE_CANDIDATE_SERVER_REFLEXIVE;
	case NICE_CANDIDATE_TYPE_PEER_REFLEXIVE:
		return WICE_CANDIDATE_PEER_REFLEXIVE;
	case NICE_CANDIDATE_TYPE_RELAYED:
		return WICE_CANDIDATE_RELAYED;
	}
	return WICE_CANDIDATE_HOST;
}

static NiceCandidateType to_nice_type(WiceCandidateType type)
{
	switch (type) {
	case WICE_CANDIDATE_HOST:
		break;
	case WICE_CANDIDATE_SERVER_REFLEXIVE:
		return NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE;
	case WICE_CANDIDATE_PEER_REFLEXIVE:
		return NICE_CANDIDATE_TYPE_PEER_REFLEXIVE;
	case WICE_CANDIDATE_RELAYED:
		return NICE_CANDIDATE_TYPE_RELAYED;
	}
	return NICE_CANDIDATE_TYPE_HOST;
}

static void from_nice_candidate(const NiceCandidate *candidate, WiceCandidate *ret)
{
	WiceCandidate result = { .type = from_nice_type(candidate->type),
				 .priority = candidate->priority };
	from_nice_address(&candidate->addr, &result.endpoint);
	if (candidate->type != NICE_CANDIDATE_TYPE_HOST)
		from_nice_address(&candidate->base_addr, &result.related);
	g_strlcpy(result.foundation, candidate->foundation, sizeof result.foundation);
	*ret = result;
}

static NiceCandidate *to_nice_candidate(const WiceCandidate *candidate, guint stream)
{
	NiceCandidate *result = libnice->candidate_new(to_nice_type(candidate->type));
	result->transport = NICE_CANDIDATE_TRANSPORT_UDP;
	result->priority = candidate->priority;
	result->stream_id = stream;
	result->component_id = COMPONENT;
	to_nice_address(&candidate->endpoint, &result->addr);
	result->base_addr = result->addr;
	if (candidate->related.address.family != WICE_FAMILY_NONE)
		to_nice_address(&candidate->related, &result->base_addr);
	g_strlcpy(result->foundation, candidate->foundation, sizeof result->foundation);
	return result;
}

static void fail(NiceIce *self)
{
	if (self->failed)
		return;
	self->failed = true;
	GMainContext *nowhere = g_main_context_new();
	libnice->agent_attach_recv(self->agent, self->stream, COMPONENT, nowhere, NULL, NULL);
	g_main_context_unref(nowhere);
	wice__timer_set(self->no_pair, INT64_MAX);
	wice__timer_set(self->delivery, 0);
}

static void no_pair_passed(void *user_data)
{
	fail(user_data);
}

/* One event per turn, as the last thing in it: the user may close us. */
static void deliver(void *user_data)
{
	NiceIce *self = user_data;
	const WiceIceEvents *events = self->ice.events;
	if (self->failed) {
		if (events->on_failed)
			events->on_failed(self->ice.user_data);
		return;
	}
	if (self->check_is_news) {
		self->check_is_news = false;
		if (self->pair_is_news)
			wice__timer_set(self->delivery, 0);
		if (events->on_check)
			events->on_check(self->ice.user_data);
		return;
	}
	if (!self->pair_is_news)
		return;
	self->pair_is_news = false;
	WiceIcePair pair = self->pair;
	if (events->on_pair)
		events->on_pair(&pair, self->ice.user_data);
}

static void state_changed(NiceAgent *agent, guint stream, guint component, guint state,
			  gpointer user_data)
{
	if (state == NICE_COMPONENT_STATE_FAILED)
		fail(user_data);
}

/* After a check has passed the test of its message integrity; once per agent. */
static void check_received(NiceAgent *agent, guint stream, gpointer user_data)
{
	NiceIce *self = user_data;
	if (self->failed)
		return;
	self->check_is_news = true;
	wice__timer_set(self->delivery, 0);
}

static bool pair_equal(const WiceIcePair *a, const WiceIcePair *b)
{
	return wice_endpoint_compare(&a->base, &b->base) == 0 &&
	       wice_endpoint_compare(&a->remote.endpoint, &b->remote.endpoint) == 0 &&
	       wice_endpoint_compare(&a->local.endpoint, &b->local.endpoint) == 0 &&
	       a->local.type == b->local.type && a->remote.type == b->remote.type;
}

static void pair_selected(NiceAgent *agent, guint stream, guint component, NiceCandidate *local,
			  NiceCandidate *remote, gpointer user_data)
{
	NiceIce *self = user_data;
	if (self->failed)
		return;
	WiceIcePair pair = { 0 };
	from_nice_candidate(local, &pair.local);
	from_nice_candidate(remote, &pair.remote);
	from_nice_address(&local->base_addr, &pair.base);
	if (remote->type ==
	    NICE_CANDIDATE_TYPE_PEER_REFLEXIVE) /* base_addr is a guess of libnice's */
		pair.remote.related = (WiceEndpoint){ 0 };
	if (self->has_pair && pair_equal(&pair, &self->pair))
		return;
	if (!self->has_pair)
		g_object_set(agent, "idle-timeout", (guint)IDLE_WITH_PAIR_MS, NULL);
	self->pair = pair;
	self->has_pair = true;
	self->pair_is_news = true;
	wice__timer_set(self->no_pair, INT64_MAX);
	wice__timer_set(self->delivery, 0);
}

/*
 * libnice does not say which socket a packet came from; there is one pair that it should have come
 * through.
 */
static void received(NiceAgent *agent, guint stream, guint component, guint len, gchar *data,
		     gpointer user_data)
{
	NiceIce *self = user_data;
	WiceEndpoint base = self->has_pair ? self->pair.base : self->candidates[0].endpoint;
	if (self->ice.events->on_data)
		self->ice.events->on_data(&base, (const uint8_t *)data, len, self->ice.user_data);
}

static int try_bind(const WiceAddress *address)
{
	struct sockaddr_storage storage;
	WiceEndpoint endpoint = { .address = *address };
	socklen_t len = wice__endpoint_to_sockaddr(&endpoint, &storage);
	if (len == 0)
		return -EAFNOSUPPORT;
	int fd = socket(storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
	if (fd < 0)
		return -errno;
	int error = bind(fd, (struct sockaddr *)&storage, len) < 0 ? -errno : 0;
	close(fd);
	return error;
}

/* The position that libnice will find for the address: it asks the same function. */
static bool is_early(const WiceAddress *address, guint limit)
{
	char text[WICE_ADDRESS_SIZE];
	wice_address_format(address, text);
	GList *all = libnice->interfaces_get_local_ips(TRUE);
	guint position = 0;
	for (GList *i = all; i; i = i->next, position++)
		if (strcmp(i->data, text) == 0)
			break;
	g_list_free_full(all, g_free);
	return position < limit;
}

static bool is_earlier_in(const WiceIceOptions *options, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (wice_address_compare(&options->addresses[i], &options->addresses[index]) == 0)
			return true;
	return false;
}

static bool is_usable(const WiceAddress *address)
{
	char text[WICE_ADDRESS_SIZE];
	if (address->family == WICE_FAMILY_IPV6 && wice_address_is_link_local(address))
		return false;
	int error = try_bind(address);
	if (error) {
		wice__log(WICE_LOG_DEBUG, "ice", "Leaving out %s, which cannot be bound: %s",
			  wice_address_format(address, text), g_strerror(-error));
		return false;
	}
	if (is_early(address, LOCAL_POSITION_LIMIT - LOCAL_POSITION_MARGIN))
		return true;
	wice__log(
		WICE_LOG_WARNING, "ice",
		"Leaving out %s, which libnice cannot use: this host has too many other addresses",
		wice_address_format(address, text));
	return false;
}

static int add_addresses(NiceIce *self, const WiceIceOptions *options)
{
	size_t n = 0;
	for (size_t i = 0; i < options->n_addresses; i++) {
		const WiceAddress *address = &options->addresses[i];
		if (is_earlier_in(options, i) || !is_usable(address))
			continue;
		NiceAddress nice;
		to_nice_address(&(WiceEndpoint){ .address = *address }, &nice);
		libnice->agent_add_local_address(self->agent, &nice);
		self->allow_loopback |= wice_address_is_loopback(address);
		n++;
	}
	return n ? 0 : -EADDRNOTAVAIL;
}

static int local_endpoint(GSocket *socket, WiceEndpoint *ret)
{
	struct sockaddr_storage storage;
	socklen_t len = sizeof storage;
	if (getsockname(g_socket_get_fd(socket), (struct sockaddr *)&storage, &len) < 0)
		return -errno;
	return wice__endpoint_from_sockaddr((struct sockaddr *)&storage, len, ret) ? 0
										   : -EAFNOSUPPORT;
}

static const NiceCandidate *candidate_of(GSList *candidates, const WiceEndpoint *endpoint)
{
	for (GSList *i = candidates; i; i = i->next) {
		const NiceCandidate *candidate = i->data;
		WiceEndpoint own;
		from_nice_address(&candidate->addr, &own);
		if (candidate->type == NICE_CANDIDATE_TYPE_HOST &&
		    wice_endpoint_compare(&own, endpoint) == 0)
			return candidate;
	}
	return NULL;
}

/*
 * The mark must be there before the first packet, or that would be routed into the tunnel it is to
 * build.
 */
static int take_socket(NiceIce *self, GSocket *socket, GSList *candidates, uint32_t fwmark)
{
	if (fwmark &&
	    setsockopt(g_socket_get_fd(socket), SOL_SOCKET, SO_MARK, &fwmark, sizeof fwmark) < 0)
		return -errno;
	WiceEndpoint endpoint;
	int error = local_endpoint(socket, &endpoint);
	if (error)
		return error;
	const NiceCandidate *candidate = candidate_of(candidates, &endpoint);
	if (!candidate)
		return 0;
	from_nice_candidate(candidate, &self->candidates[self->n_sockets]);
	self->sockets[self->n_sockets++] = g_object_ref(socket);
	return 0;
}

static int take_sockets(NiceIce *self, uint32_t fwmark)
{
	GPtrArray *sockets = libnice->agent_get_sockets(self->agent, self->stream, COMPONENT);
	GSList *candidates =
		libnice->agent_get_local_candidates(self->agent, self->stream, COMPONENT);
	int error = 0;
	self->sockets = g_new0(GSocket *, sockets->len);
	self->candidates = g_new0(WiceCandidate, sockets->len);
	for (guint i = 0; i < sockets->len && !error; i++)
		error = take_socket(self, sockets->pdata[i], candidates, fwmark);
	g_slist_free_full(candidates, (GDestroyNotify)libnice->candidate_free);
	g_ptr_array_unref(sockets);
	if (!error && self->n_sockets == 0)
		error = -EADDRNOTAVAIL;
	return error;
}

static int start(NiceIce *self, const WiceIceOptions *options)
{
	int error = add_addresses(self, options);
	if (error)
		return error;
	self->stream = libnice->agent_add_stream(self->agent, 1);
	if (self->stream == 0)
		return -ENOMEM;
	wice__ice_credentials_make(&self->credentials);
	if (!libnice->agent_set_local_credentials(self->agent, self->stream,
						  self->credentials.ufrag, self->credentials.pwd))
		return -EIO;
	if (options->port_min || options->port_max)
		libnice->agent_set_port_range(self->agent, self->stream, COMPONENT,
					      options->port_min, options->port_max);
	libnice->agent_attach_recv(self->agent, self->stream, COMPONENT, self->context, received,
				   self);
	/* Every address could be bound just now, to some port. */
	if (!libnice->agent_gather_candidates(self->agent, self->stream))
		return options->port_max ? -EADDRINUSE : -EADDRNOTAVAIL;
	return take_sockets(self, options->fwmark);
}

static NiceAgent *make_agent(GMainContext *context, bool controlling)
{
	NiceAgent *agent = libnice->agent_new_full(context, NICE_COMPATIBILITY_RFC5245,
						   NICE_AGENT_OPTION_ICE_TRICKLE);
	g_object_set(agent, "upnp", FALSE, "ice-udp", TRUE, "ice-tcp", FALSE, "controlling-mode",
		     (gboolean)controlling, "keepalive-conncheck", FALSE, "stun-pacing-timer",
		     (guint)PACING_MS, NULL);
	return agent;
}

static void nice_close(WiceIce *ice)
{
	NiceIce *self = (NiceIce *)ice;
	if (!self)
		return;
	wice__timer_free(self->delivery);
	wice__timer_free(self->no_pair);
	g_signal_handlers_disconnect_by_data(self->agent, self);
	/*
	 * In on_data libnice is in a loop over the socket that holds a reference: it must find no
	 * receiver.
	 */
	if (self->stream)
		libnice->agent_attach_recv(self->agent, self->stream, COMPONENT, self->context,
					   NULL, NULL);
	for (size_t i = 0; i < self->n_sockets; i++)
		g_object_unref(self->sockets[i]);
	g_object_unref(self->agent);
	g_main_context_unref(self->context);
	g_free(self->sockets);
	g_free(self->candidates);
	wice__ice_remote_done(&self->remote);
	explicit_bzero(&self->credentials, sizeof self->credentials);
	g_free(self);
}

static int nice_open(GMainContext *context, const WiceIceOptions *options,
		     const WiceIceEvents *events, void *user_data, WiceIce **ret_ice)
{
	if (options->n_addresses == 0 || options->port_min > options->port_max ||
	    (options->port_min == 0 && options->port_max != 0))
		return -EINVAL;
	if (!wice__nice_library_need())
		return -ELIBACC;
	NiceIce *self = g_new0(NiceIce, 1);
	self->ice = (WiceIce){ .ops = &wice__ice_nice, .events = events, .user_data = user_data };
	self->context = g_main_context_ref(context ? context : g_main_context_default());
	self->delivery = wice__timer_new(self->context, deliver, self);
	self->no_pair = wice__timer_new(self->context, no_pair_passed, self);
	self->agent = make_agent(self->context, options->controlling);
	int error = start(self, options);
	if (error) {
		nice_close(&self->ice);
		return error;
	}
	g_signal_connect(self->agent, "component-state-changed", G_CALLBACK(state_changed), self);
	g_signal_connect(self->agent, "new-selected-pair-full", G_CALLBACK(pair_selected), self);
	g_signal_connect(self->agent, "initial-binding-request-received",
			 G_CALLBACK(check_received), self);
	*ret_ice = &self->ice;
	return 0;
}

static bool positions_are_safe(const NiceIce *self)
{
	for (size_t i = 0; i < self->n_sockets; i++)
		if (!is_early(&self->candidates[i].endpoint.address, LOCAL_POSITION_LIMIT))
			return false;
	return true;
}

/*
 * libnice is told of candidates only after the credentials, although it allows the reverse: its
 * queue of early checks is replayed by either call, and then it knows whom they are from.
 */
static int tell(NiceIce *self)
{
	WiceIceRemote *remote = &self->remote;
	if (!remote->has_credentials || self->n_told == remote->n)
		return 0;
	if (!positions_are_safe(self)) {
		fail(self);
		return 0;
	}
	GSList *candidates = NULL;
	for (size_t i = remote->n; i > self->n_told; i--)
		candidates = g_slist_prepend(
			candidates, to_nice_candidate(&remote->candidates[i - 1], self->stream));
	self->n_told = remote->n;
	if (!self->has_pair)
		wice__timer_set(self->no_pair, wice__now_ms() + NO_PAIR_DEADLINE_MS);
	libnice->agent_set_remote_candidates(self->agent, self->stream, COMPONENT, candidates);
	g_slist_free_full(candidates, (GDestroyNotify)libnice->candidate_free);
	return 0;
}

static int nice_set_remote(WiceIce *ice, const WiceIceCredentials *credentials)
{
	NiceIce *self = (NiceIce *)ice;
	bool had = self->remote.has_credentials;
	int error = wice__ice_remote_set(&self->remote, credentials);
	if (error)
		return error;
	if (self->failed)
		return -ESHUTDOWN;
	if (had)
		return 0;
	if (!libnice->agent_set_remote_credentials(self->agent, self->stream, credentials->ufrag,
						   credentials->pwd))
		return -EIO;
	return tell(self);
}

static int nice_add_candidates(WiceIce *ice, const WiceCandidate *candidates, size_t n)
{
	NiceIce *self = (NiceIce *)ice;
	if (self->failed)
		return -ESHUTDOWN;
	wice__ice_remote_add(&self->remote, candidates, n, self->allow_loopback);
	return tell(self);
}

static void nice_credentials(WiceIce *ice, WiceIceCredentials *ret)
{
	*ret = ((NiceIce *)ice)->credentials;
}

static size_t nice_sockets(WiceIce *ice, WiceIceSocket *ret, size_t n)
{
	NiceIce *self = (NiceIce *)ice;
	size_t count = 0;
	for (size_t i = 0; i < self->n_sockets; i++) {
		/* libnice closes a socket for good when reading fails. */
		if (g_socket_is_closed(self->sockets[i]))
			continue;
		if (count < n)
			ret[count] = (WiceIceSocket){ .fd = g_socket_get_fd(self->sockets[i]),
						      .candidate = self->candidates[i] };
		count++;
	}
	return count;
}

const WiceIceOps wice__ice_nice = {
	.name = "nice",
	.open = nice_open,
	.credentials = nice_credentials,
	.sockets = nice_sockets,
	.set_remote = nice_set_remote,
	.add_candidates = nice_add_candidates,
	.close = nice_close,
};
