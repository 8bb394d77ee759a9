/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ice/fake.h"

#include "event/sockaddr.h"
#include "event/source.h"
#include "ice/credentials.h"
#include "ice/priority.h"
#include "ice/remote.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct FakeIce FakeIce;

typedef struct {
	FakeIce *agent;
	int fd;
	WiceCandidate candidate;
	WiceFdWatch *watch;
} FakeSocket;

struct FakeIce {
	WiceIce ice;
	WiceIceWire *wire;
	GMainContext *context;
	bool controlling;
	unsigned serial; /* settles a conflict of roles */
	WiceIceCredentials credentials;
	size_t n_sockets;
	FakeSocket *sockets;
	WiceIceRemote remote;
	bool allow_loopback;
	WiceTimer *checks; /* when to look for a pair */
	int64_t fail_at;   /* what is then without one has failed; INT64_MAX never */
	WiceTimer *delivery;
	bool has_pair;
	bool pair_is_news;
	bool checked; /* on_check was called */
	bool failed;
	WiceIcePair pair;
};

typedef struct {
	WiceEndpoint mapped;
	WiceEndpoint base;
} Mapping;

struct WiceIceWire {
	GPtrArray *agents;
	GArray *mappings;
	unsigned connect_ms, fail_ms;
	unsigned next_serial;
	WiceIceWireAnswers answers;
	void *user_data;
};

/* The hook that opens an agent has no place for it. */
static WiceIceWire *wire_in_use;

static const WiceEndpoint *resolve(const WiceIceWire *wire, const WiceEndpoint *endpoint)
{
	for (guint i = 0; i < wire->mappings->len; i++) {
		const Mapping *mapping = &g_array_index(wire->mappings, Mapping, i);
		if (wice_endpoint_compare(&mapping->mapped, endpoint) == 0)
			return &mapping->base;
	}
	return endpoint;
}

static bool answers(const FakeIce *self, const WiceEndpoint *a, const WiceEndpoint *b)
{
	return a->address.family == b->address.family &&
	       (!self->wire->answers || self->wire->answers(a, b, self->wire->user_data));
}

static bool knows(const FakeIce *self, const FakeIce *other)
{
	return self->remote.has_credentials && !self->failed &&
	       strcmp(self->remote.credentials.ufrag, other->credentials.ufrag) == 0 &&
	       strcmp(self->remote.credentials.pwd, other->credentials.pwd) == 0;
}

static FakeIce *find_peer(const FakeIce *self)
{
	for (guint i = 0; i < self->wire->agents->len; i++) {
		FakeIce *other = self->wire->agents->pdata[i];
		if (other != self && knows(self, other) && knows(other, self))
			return other;
	}
	return NULL;
}

static FakeSocket *socket_at(const FakeIce *self, const WiceEndpoint *endpoint)
{
	const WiceEndpoint *base = resolve(self->wire, endpoint);
	for (size_t i = 0; i < self->n_sockets; i++)
		if (wice_endpoint_compare(&self->sockets[i].candidate.endpoint, base) == 0)
			return &self->sockets[i];
	return NULL;
}

/*
 * What self has of the peer's socket: a signalled candidate that leads there, else it is learned
 * from a check.
 */
static WiceCandidate candidate_for(const FakeIce *self, const FakeSocket *socket)
{
	for (size_t i = 0; i < self->remote.n; i++)
		if (wice_endpoint_compare(resolve(self->wire, &self->remote.candidates[i].endpoint),
					  &socket->candidate.endpoint) == 0)
			return self->remote.candidates[i];
	WiceCandidate learned = { .type = WICE_CANDIDATE_PEER_REFLEXIVE,
				  .priority = wice__ice_priority(WICE_CANDIDATE_PEER_REFLEXIVE, 1),
				  .endpoint = socket->candidate.endpoint,
				  .foundation = "p" };
	return learned;
}

static void select_pair(FakeIce *self, const WiceIcePair *pair)
{
	if (self->has_pair && wice_endpoint_compare(&pair->base, &self->pair.base) == 0 &&
	    wice_endpoint_compare(&pair->remote.endpoint, &self->pair.remote.endpoint) == 0)
		return;
	self->pair = *pair;
	self->has_pair = true;
	self->pair_is_news = true;
	wice__timer_set(self->delivery, 0);
}

/* The best pair of one direction: self's sockets and the candidates that self was told. */
static void find_best(FakeIce *self, FakeIce *peer, uint64_t *best, FakeSocket **ret_own,
		      FakeSocket **ret_other)
{
	for (size_t i = 0; i < self->n_sockets; i++) {
		for (size_t k = 0; k < self->remote.n; k++) {
			FakeSocket *own = &self->sockets[i];
			const WiceCandidate *remote = &self->remote.candidates[k];
			FakeSocket *other = socket_at(peer, &remote->endpoint);
			uint64_t priority =
				wice__ice_pair_priority(own->candidate.priority, remote->priority);
			if (!other || priority <= *best ||
			    !answers(self, &own->candidate.endpoint, &other->candidate.endpoint))
				continue;
			*best = priority;
			*ret_own = own;
			*ret_other = other;
		}
	}
}

/* The same agent decides on both sides, so that both have the same pair. */
static bool connect_both(FakeIce *self, FakeIce *peer)
{
	bool decides = self->controlling != peer->controlling ? self->controlling
							      : self->serial < peer->serial;
	FakeIce *first = decides ? self : peer, *second = decides ? peer : self;
	uint64_t best = 0;
	FakeSocket *own = NULL, *other = NULL;
	find_best(first, second, &best, &own, &other);
	find_best(second, first, &best, &other, &own);
	if (!own)
		return false;
	WiceIcePair forth = { own->candidate, candidate_for(first, other),
			      own->candidate.endpoint };
	WiceIcePair back = { other->candidate, candidate_for(second, own),
			     other->candidate.endpoint };
	select_pair(first, &forth);
	select_pair(second, &back);
	return true;
}

static void fail(FakeIce *self)
{
	self->failed = true;
	wice__timer_set(self->checks, INT64_MAX);
	wice__timer_set(self->delivery, 0);
}

static void check(void *user_data)
{
	FakeIce *self = user_data;
	FakeIce *peer = find_peer(self);
	if (peer && connect_both(self, peer)) {
		self->fail_at = INT64_MAX;
		return;
	}
	bool started = self->remote.has_credentials && self->remote.n > 0;
	if (!started && !self->has_pair)
		return;
	int64_t now = wice__now_ms();
	self->fail_at = MIN(self->fail_at, now + self->wire->fail_ms);
	if (now >= self->fail_at)
		fail(self);
	else
		wice__timer_set(self->checks, self->fail_at);
}

/* Something is different for somebody. */
static void look_again(WiceIceWire *wire)
{
	for (guint i = 0; i < wire->agents->len; i++) {
		FakeIce *agent = wire->agents->pdata[i];
		if (!agent->failed)
			wice__timer_set(agent->checks, wice__now_ms() + wire->connect_ms);
	}
}

static void deliver(void *user_data)
{
	FakeIce *self = user_data;
	const WiceIceEvents *events = self->ice.events;
	if (self->failed) {
		if (events->on_failed)
			events->on_failed(self->ice.user_data);
		return;
	}
	if (!self->pair_is_news)
		return;
	if (!self->checked) {
		self->checked = true;
		wice__timer_set(self->delivery, 0);
		if (events->on_check)
			events->on_check(self->ice.user_data);
		return;
	}
	self->pair_is_news = false;
	WiceIcePair pair = self->pair;
	if (events->on_pair)
		events->on_pair(&pair, self->ice.user_data);
}

static bool is_stun(const uint8_t *packet, size_t len)
{
	static const uint8_t cookie[] = { 0x21, 0x12, 0xa4, 0x42 };
	return len >= 20 && packet[0] < 4 && memcmp(packet + 4, cookie, sizeof cookie) == 0;
}

static void readable(int fd, GIOCondition condition, void *user_data)
{
	FakeSocket *own = user_data;
	FakeIce *self = own->agent;
	uint8_t packet[65536];
	struct sockaddr_storage storage;
	socklen_t len = sizeof storage;
	ssize_t n = recvfrom(fd, packet, sizeof packet, MSG_DONTWAIT, (struct sockaddr *)&storage,
			     &len);
	WiceEndpoint source, base = own->candidate.endpoint;
	if (n <= 0 || is_stun(packet, (size_t)n) || !self->has_pair || self->failed ||
	    !wice__endpoint_from_sockaddr((struct sockaddr *)&storage, len, &source) ||
	    wice_endpoint_compare(resolve(self->wire, &self->pair.remote.endpoint), &source) != 0)
		return;
	if (self->ice.events->on_data)
		self->ice.events->on_data(&base, packet, (size_t)n, self->ice.user_data);
}

static int bind_to(int fd, const WiceIceOptions *options, const WiceAddress *address)
{
	unsigned port = options->port_min;
	do {
		struct sockaddr_storage storage;
		WiceEndpoint endpoint = { .address = *address, .port = (uint16_t)port };
		socklen_t len = wice__endpoint_to_sockaddr(&endpoint, &storage);
		if (bind(fd, (struct sockaddr *)&storage, len) == 0)
			return 0;
		if (errno != EADDRINUSE)
			return -errno;
	} while (++port <= options->port_max);
	return -EADDRINUSE;
}

static int open_socket(FakeIce *self, const WiceIceOptions *options, const WiceAddress *address,
		       size_t index)
{
	bool is_ipv4 = address->family == WICE_FAMILY_IPV4;
	if (!is_ipv4 && wice_address_is_link_local(address))
		return -EADDRNOTAVAIL;
	int fd = socket(is_ipv4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	struct sockaddr_storage storage;
	socklen_t len = sizeof storage;
	FakeSocket *own = &self->sockets[self->n_sockets];
	int error = bind_to(fd, options, address);
	if (!error && options->fwmark &&
	    setsockopt(fd, SOL_SOCKET, SO_MARK, &options->fwmark, sizeof options->fwmark) < 0)
		error = -errno;
	if (!error && getsockname(fd, (struct sockaddr *)&storage, &len) < 0)
		error = -errno;
	if (error) {
		close(fd);
		return error;
	}
	*own = (FakeSocket){ .agent = self, .fd = fd };
	own->candidate.type = WICE_CANDIDATE_HOST;
	own->candidate.priority =
		wice__ice_priority(WICE_CANDIDATE_HOST, (uint16_t)(UINT16_MAX - index));
	wice__endpoint_from_sockaddr((struct sockaddr *)&storage, len, &own->candidate.endpoint);
	g_snprintf(own->candidate.foundation, sizeof own->candidate.foundation, "%zu", index + 1);
	own->watch = wice__fd_watch_new(self->context, fd, G_IO_IN, readable, own);
	self->allow_loopback |= wice_address_is_loopback(address);
	self->n_sockets++;
	return 0;
}

static int open_sockets(FakeIce *self, const WiceIceOptions *options)
{
	self->sockets = g_new0(FakeSocket, options->n_addresses);
	for (size_t i = 0; i < options->n_addresses; i++) {
		int error = open_socket(self, options, &options->addresses[i], i);
		if (error == -EPERM || error == -EADDRINUSE)
			return error;
	}
	return self->n_sockets ? 0 : -EADDRNOTAVAIL;
}

static void fake_close(WiceIce *ice)
{
	FakeIce *self = (FakeIce *)ice;
	if (!self)
		return;
	g_ptr_array_remove(self->wire->agents, self);
	for (size_t i = 0; i < self->n_sockets; i++) {
		wice__fd_watch_free(self->sockets[i].watch);
		close(self->sockets[i].fd);
	}
	look_again(self->wire);
	wice__timer_free(self->checks);
	wice__timer_free(self->delivery);
	wice__ice_remote_done(&self->remote);
	g_main_context_unref(self->context);
	g_free(self->sockets);
	g_free(self);
}

static int fake_open(GMainContext *context, const WiceIceOptions *options,
		     const WiceIceEvents *events, void *user_data, WiceIce **ret_ice)
{
	g_assert(wire_in_use);
	if (options->n_addresses == 0 || options->port_min > options->port_max ||
	    (options->port_min == 0 && options->port_max != 0))
		return -EINVAL;
	FakeIce *self = g_new0(FakeIce, 1);
	self->ice = (WiceIce){ .ops = &wice__ice_fake, .events = events, .user_data = user_data };
	self->wire = wire_in_use;
	self->context = g_main_context_ref(context ? context : g_main_context_default());
	self->controlling = options->controlling;
	self->serial = self->wire->next_serial++;
	self->fail_at = INT64_MAX;
	self->checks = wice__timer_new(self->context, check, self);
	self->delivery = wice__timer_new(self->context, deliver, self);
	wice__ice_credentials_make(&self->credentials);
	g_ptr_array_add(self->wire->agents, self);
	int error = open_sockets(self, options);
	if (error) {
		fake_close(&self->ice);
		return error;
	}
	*ret_ice = &self->ice;
	return 0;
}

static void fake_credentials(WiceIce *ice, WiceIceCredentials *ret)
{
	*ret = ((FakeIce *)ice)->credentials;
}

static size_t fake_sockets(WiceIce *ice, WiceIceSocket *ret, size_t n)
{
	FakeIce *self = (FakeIce *)ice;
	for (size_t i = 0; i < MIN(n, self->n_sockets); i++)
		ret[i] = (WiceIceSocket){ .fd = self->sockets[i].fd,
					  .candidate = self->sockets[i].candidate };
	return self->n_sockets;
}

static int fake_set_remote(WiceIce *ice, const WiceIceCredentials *credentials)
{
	FakeIce *self = (FakeIce *)ice;
	int error = wice__ice_remote_set(&self->remote, credentials);
	if (error)
		return error;
	if (self->failed)
		return -ESHUTDOWN;
	look_again(self->wire);
	return 0;
}

static int fake_add_candidates(WiceIce *ice, const WiceCandidate *candidates, size_t n)
{
	FakeIce *self = (FakeIce *)ice;
	if (self->failed)
		return -ESHUTDOWN;
	if (wice__ice_remote_add(&self->remote, candidates, n, self->allow_loopback))
		look_again(self->wire);
	return 0;
}

WiceIceWire *wice__ice_wire_new(void)
{
	WiceIceWire *wire = g_new0(WiceIceWire, 1);
	wire->agents = g_ptr_array_new();
	wire->mappings = g_array_new(FALSE, FALSE, sizeof(Mapping));
	wire->connect_ms = 1;
	wire->fail_ms = 2000;
	wire_in_use = wire;
	return wire;
}

void wice__ice_wire_free(WiceIceWire *wire)
{
	if (!wire)
		return;
	g_assert(wire->agents->len == 0);
	if (wire_in_use == wire)
		wire_in_use = NULL;
	g_ptr_array_unref(wire->agents);
	g_array_unref(wire->mappings);
	g_free(wire);
}

void wice__ice_wire_set_delays(WiceIceWire *wire, unsigned connect_ms, unsigned fail_ms)
{
	wire->connect_ms = connect_ms;
	wire->fail_ms = fail_ms;
}

void wice__ice_wire_set_answers(WiceIceWire *wire, WiceIceWireAnswers func, void *user_data)
{
	wire->answers = func;
	wire->user_data = user_data;
	look_again(wire);
}

void wice__ice_wire_map(WiceIceWire *wire, const WiceEndpoint *mapped, const WiceEndpoint *base)
{
	Mapping mapping = { *mapped, *base };
	g_array_append_val(wire->mappings, mapping);
	look_again(wire);
}

WiceIce *wice__ice_wire_agent(WiceIceWire *wire, size_t n)
{
	return n < wire->agents->len ? wire->agents->pdata[n] : NULL;
}

void wice__ice_wire_fail(WiceIce *ice)
{
	FakeIce *self = (FakeIce *)ice;
	if (!self->failed)
		fail(self);
}

const WiceIceOps wice__ice_fake = {
	.name = "fake",
	.open = fake_open,
	.credentials = fake_credentials,
	.sockets = fake_sockets,
	.set_remote = fake_set_remote,
	.add_candidates = fake_add_candidates,
	.close = fake_close,
};
