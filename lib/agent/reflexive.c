/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/reflexive.h"

#include <errno.h>
#include <netinet/in.h>
#include <sodium.h>
#include <sys/socket.h>
#include <unistd.h>

#include "event/sockaddr.h"
#include "event/source.h"
#include "event/udp.h"
#include "stun/integrity.h"
#include "stun/mapping.h"
#include "stun/message.h"

#define N_FAMILIES 2
#define BATCH 8 /* packets that are read before something else gets a turn */
#define KEEP_ALIVE_LEN (WICE_STUN_HEADER_LEN + WICE_STUN_ATTRIBUTE_HEADER_LEN + 4)

/* One socket, and what is known of its mapping. */
typedef struct {
	WiceReflexive *reflexive;
	WiceFamily family;
	int fd;             /* -1: this host has no such addresses */
	WiceEndpoint local; /* the wildcard, and the socket's own port */
	WiceFdWatch *watch;
	WiceStunMapping mapping;
} Family;

/* What the owner sees, all of which may change under changed only. */
typedef struct {
	size_t n;
	WiceReflexiveAddress addresses[N_FAMILIES];
	bool settled;
	bool failed;
	WiceNatMapping nat;
} Known;

struct WiceReflexive {
	WiceBpfMux *mux;
	uint16_t wg_port;
	void (*changed)(void *user_data);
	void *user_data;
	WiceUdpReceiver *receiver;
	WiceTimer *timer;
	WiceConsents *consents;
	Family families[N_FAMILIES];
	Known known;
	bool untold; /* that known has changed */
};

static int set_options(int fd, WiceFamily family, uint32_t fwmark)
{
	int on = 1;
	if (family == WICE_FAMILY_IPV6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0)
		return -errno;
	if (fwmark && setsockopt(fd, SOL_SOCKET, SO_MARK, &fwmark, sizeof fwmark) < 0)
		return -errno;
	return wice__udp_tell_local(fd, family);
}

static int bind_wildcard(int fd, WiceFamily family, WiceEndpoint *ret_local)
{
	WiceEndpoint any = { .address.family = (uint8_t)family };
	struct sockaddr_storage name;
	socklen_t len = wice__endpoint_to_sockaddr(&any, &name);
	if (bind(fd, (struct sockaddr *)&name, len) < 0)
		return -errno;
	len = sizeof name;
	if (getsockname(fd, (struct sockaddr *)&name, &len) < 0)
		return -errno;
	wice__endpoint_from_sockaddr((struct sockaddr *)&name, len, ret_local);
	return 0;
}

static int open_socket(WiceFamily family, uint32_t fwmark, WiceEndpoint *ret_local)
{
	int fd = socket(family == WICE_FAMILY_IPV4 ? AF_INET : AF_INET6,
			SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	int err = set_options(fd, family, fwmark);
	if (!err)
		err = bind_wildcard(fd, family, ret_local);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

/* Of a lack of memory or room in a queue; all else says that there is no way. */
static bool is_passing(int err)
{
	return err == -EAGAIN || err == -ENOBUFS || err == -ENOMEM;
}

static void send_due(Family *family, int64_t now)
{
	WiceEndpoint server;
	uint8_t request[WICE_STUN_PROBE_REQUEST_LEN];
	while (wice__stun_mapping_output(&family->mapping, now, &server, request)) {
		int err = wice__udp_send_to(family->fd, &server, request, sizeof request);
		if (err && !is_passing(err))
			wice__stun_mapping_unreachable(&family->mapping, &server, now);
	}
}

static bool has_failed(const WiceReflexive *reflexive)
{
	bool failed = false;
	for (size_t i = 0; i < N_FAMILIES; i++) {
		const WiceStunMapping *mapping = &reflexive->families[i].mapping;
		if (mapping->n_servers > 0 && !mapping->failed)
			return false;
		failed |= mapping->failed;
	}
	return failed;
}

static bool is_same(const Known *a, const Known *b)
{
	if (a->n != b->n || a->settled != b->settled || a->failed != b->failed || a->nat != b->nat)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (wice_endpoint_compare(&a->addresses[i].base, &b->addresses[i].base) != 0 ||
		    wice_endpoint_compare(&a->addresses[i].mapped, &b->addresses[i].mapped) != 0)
			return false;
	return true;
}

static void look(WiceReflexive *reflexive)
{
	Known now = { .settled = true, .failed = has_failed(reflexive) };
	for (size_t i = 0; i < N_FAMILIES; i++) {
		const WiceStunMapping *mapping = &reflexive->families[i].mapping;
		now.settled &= wice__stun_mapping_is_settled(mapping);
		now.nat = MAX(now.nat, mapping->nat);
		if (!mapping->has_mapped)
			continue;
		now.addresses[now.n].base = mapping->base;
		now.addresses[now.n++].mapped = mapping->mapped;
	}
	if (is_same(&now, &reflexive->known))
		return;
	reflexive->known = now;
	reflexive->untold = true;
}

static void run(WiceReflexive *reflexive)
{
	int64_t now = wice__now_ms(), deadline = INT64_MAX;
	for (size_t i = 0; i < N_FAMILIES; i++) {
		Family *family = &reflexive->families[i];
		wice__stun_mapping_advance(&family->mapping, now);
		send_due(family, now);
		deadline = MIN(deadline, wice__stun_mapping_deadline(&family->mapping));
	}
	wice__timer_set(reflexive->timer, deadline);
	look(reflexive);
	if (!reflexive->untold)
		return;
	reflexive->untold = false;
	reflexive->changed(reflexive->user_data);
}

/* After a call from outside: it must not call back, and there may be more of them. */
static void run_soon(WiceReflexive *reflexive)
{
	look(reflexive);
	wice__timer_set(reflexive->timer, wice__now_ms());
}

static void on_timer(void *user_data)
{
	run(user_data);
}

static void take(Family *family, const WiceUdpReceived *received)
{
	WiceEndpoint source,
		local = { .address = received->local, .port = family->reflexive->wg_port };
	if (!wice__endpoint_from_sockaddr(received->from, received->from_len, &source))
		return;
	if (wice_address_is_link_local(&local.address))
		local.scope = received->ifindex;
	wice__stun_mapping_input(&family->mapping, received->chunk.data, received->chunk.len,
				 &source, &local, wice__now_ms());
	uint8_t answer[WICE_CONSENT_MAX];
	size_t len = wice__consents_input(family->reflexive->consents, &source,
					  received->chunk.data, received->chunk.len, answer);
	if (len)
		(void)wice__udp_send_to(family->fd, &source, answer, len);
}

static void on_readable(int fd, GIOCondition condition, void *user_data)
{
	Family *family = user_data;
	WiceUdpReceiver *receiver = family->reflexive->receiver;
	WiceUdpReceived received;
	int n = wice__udp_receive(receiver, fd, BATCH);
	for (int i = 0; i < n; i++)
		if (wice__udp_received(receiver, i, &received))
			take(family, &received);
	run(family->reflexive);
}

/* 0 also if this host knows no such addresses. */
static int open_family(WiceReflexive *reflexive, GMainContext *context, uint32_t fwmark,
		       Family *family)
{
	int fd = open_socket(family->family, fwmark, &family->local);
	if (fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL)
		return 0;
	if (fd < 0)
		return fd;
	int err = wice__bpf_mux_add_asker(reflexive->mux, reflexive->wg_port, &family->local, fd);
	if (err) {
		close(fd);
		return err;
	}
	family->fd = fd;
	family->watch = wice__fd_watch_new(context, fd, G_IO_IN, on_readable, family);
	return 0;
}

static int open_all(WiceReflexive *reflexive, GMainContext *context, uint32_t fwmark)
{
	static const WiceFamily families[N_FAMILIES] = { WICE_FAMILY_IPV4, WICE_FAMILY_IPV6 };
	for (size_t i = 0; i < N_FAMILIES; i++) {
		reflexive->families[i].reflexive = reflexive;
		reflexive->families[i].family = families[i];
		reflexive->families[i].fd = -1;
		wice__stun_mapping_init(&reflexive->families[i].mapping, randombytes_buf);
	}
	int err = wice__udp_receiver_new(BATCH, &reflexive->receiver);
	for (size_t i = 0; i < N_FAMILIES && !err; i++)
		err = open_family(reflexive, context, fwmark, &reflexive->families[i]);
	if (err)
		return err;
	return reflexive->families[0].fd < 0 && reflexive->families[1].fd < 0 ? -EAFNOSUPPORT : 0;
}

int wice__reflexive_new(GMainContext *context, WiceBpfMux *mux, uint16_t wg_port, uint32_t fwmark,
			void (*changed)(void *user_data), void *user_data,
			WiceReflexive **ret_reflexive)
{
	WiceReflexive *reflexive = g_new0(WiceReflexive, 1);
	reflexive->mux = mux;
	reflexive->wg_port = wg_port;
	reflexive->changed = changed;
	reflexive->user_data = user_data;
	reflexive->timer = wice__timer_new(context, on_timer, reflexive);
	reflexive->consents = wice__consents_new();
	int err = open_all(reflexive, context, fwmark);
	if (err) {
		wice__reflexive_free(reflexive);
		return err;
	}
	look(reflexive);
	reflexive->untold = false; /* nothing is known yet */
	*ret_reflexive = reflexive;
	return 0;
}

static void answer_nobody(WiceReflexive *reflexive)
{
	char ufrag[WICE_CONSENT_UFRAG_SIZE];
	while (wice__consents_any(reflexive->consents, ufrag))
		wice__reflexive_answer_no_more(reflexive, ufrag);
}

void wice__reflexive_free(WiceReflexive *reflexive)
{
	if (!reflexive)
		return;
	answer_nobody(reflexive);
	for (size_t i = 0; i < N_FAMILIES; i++) {
		Family *family = &reflexive->families[i];
		if (family->fd < 0)
			continue;
		wice__fd_watch_free(family->watch);
		wice__bpf_mux_remove(reflexive->mux, reflexive->wg_port, &family->local, NULL);
		close(family->fd);
	}
	wice__timer_free(reflexive->timer);
	wice__consents_free(reflexive->consents);
	wice__udp_receiver_free(reflexive->receiver);
	g_free(reflexive);
}

void wice__reflexive_set_servers(WiceReflexive *reflexive, const WiceEndpoint *servers, size_t n)
{
	for (size_t i = 0; i < N_FAMILIES; i++) {
		Family *family = &reflexive->families[i];
		WiceEndpoint own[WICE_STUN_PROBE_MAX_SERVERS];
		size_t n_own = 0;
		for (size_t k = 0; family->fd >= 0 && k < n && n_own < G_N_ELEMENTS(own); k++)
			if (servers[k].address.family == family->family)
				own[n_own++] = servers[k];
		wice__stun_mapping_set_servers(&family->mapping, own, n_own, wice__now_ms());
	}
	run_soon(reflexive);
}

void wice__reflexive_network_changed(WiceReflexive *reflexive)
{
	for (size_t i = 0; i < N_FAMILIES; i++)
		wice__stun_mapping_restart(&reflexive->families[i].mapping, wice__now_ms());
	run_soon(reflexive);
}

const WiceReflexiveAddress *wice__reflexive_list(const WiceReflexive *reflexive, size_t *ret_n)
{
	*ret_n = reflexive->known.n;
	return reflexive->known.addresses;
}

bool wice__reflexive_is_settled(const WiceReflexive *reflexive)
{
	return reflexive->known.settled;
}

WiceNatMapping wice__reflexive_nat(const WiceReflexive *reflexive)
{
	return reflexive->known.nat;
}

bool wice__reflexive_failed(const WiceReflexive *reflexive)
{
	return reflexive->known.failed;
}

static size_t write_indication(uint8_t ret_packet[KEEP_ALIVE_LEN])
{
	WiceStunWriter writer;
	uint8_t transaction[WICE_STUN_TRANSACTION_LEN];
	size_t len = 0;
	randombytes_buf(transaction, sizeof transaction);
	wice__stun_put_u32(transaction, WICE_STUN_COOKIE);
	wice__stun_writer_init(&writer, ret_packet, KEEP_ALIVE_LEN, WICE_STUN_INDICATION,
			       WICE_STUN_BINDING, transaction);
	wice__stun_write_fingerprint(&writer);
	wice__stun_writer_finish(&writer, &len);
	return len;
}

static const Family *family_of(const WiceReflexive *reflexive, const WiceEndpoint *endpoint)
{
	for (size_t i = 0; i < N_FAMILIES; i++)
		if (reflexive->families[i].fd >= 0 &&
		    reflexive->families[i].family == endpoint->address.family)
			return &reflexive->families[i];
	return NULL;
}

int wice__reflexive_send(WiceReflexive *reflexive, const WiceEndpoint *remote,
			 const uint8_t *packet, size_t len)
{
	const Family *family = family_of(reflexive, remote);
	return family ? wice__udp_send_to(family->fd, remote, packet, len) : -EAFNOSUPPORT;
}

int wice__reflexive_keep_alive(WiceReflexive *reflexive, const WiceEndpoint *remote)
{
	uint8_t packet[KEEP_ALIVE_LEN];
	return wice__reflexive_send(reflexive, remote, packet, write_indication(packet));
}

void wice__reflexive_listen(WiceReflexive *reflexive, const WiceEndpoint *remote,
			    WiceConsentHeard heard, void *user_data)
{
	if (heard)
		wice__consents_listen(reflexive->consents, remote, heard, user_data);
	else
		wice__consents_unlisten(reflexive->consents, remote);
}

/* Where the kernel is to give the checks that come to the agent's address. */
static WiceEndpoint here(const Family *family, const WiceEndpoint *base)
{
	return (WiceEndpoint){ .address = base->address, .port = family->local.port };
}

int wice__reflexive_answer(WiceReflexive *reflexive, const char *ufrag, const char *pwd,
			   const WiceEndpoint *base)
{
	const Family *family = family_of(reflexive, base);
	if (!family)
		return -EAFNOSUPPORT;
	WiceEndpoint local = here(family, base);
	int err = wice__bpf_mux_add_ufrag(reflexive->mux, reflexive->wg_port, &local, ufrag);
	if (!err)
		wice__consents_add(reflexive->consents, ufrag, pwd, &local);
	return err;
}

void wice__reflexive_answer_no_more(WiceReflexive *reflexive, const char *ufrag)
{
	WiceEndpoint local;
	if (wice__consents_remove(reflexive->consents, ufrag, &local))
		wice__bpf_mux_remove_ufrag(reflexive->mux, reflexive->wg_port, &local, ufrag);
}
