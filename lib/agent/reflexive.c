/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/reflexive.h"

#include <errno.h>
#include <netinet/in.h>
#include <sodium.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "event/sockaddr.h"
#include "event/source.h"
#include "stun/mapping.h"
#include "stun/message.h"

#define PACKET_MAX 548 /* RFC 8489 section 6.1: what every path carries */
#define PACKETS_PER_TURN 64
#define N_FAMILIES 2

/* One socket, and what is known of its mapping. */
typedef struct {
	WiceReflexive *reflexive;
	int fd; /* -1: this host cannot have one */
	WiceFamily family;
	WiceEndpoint local; /* the wildcard, and the socket's own port */
	WiceFdWatch *watch;
	WiceStunMapping mapping;
} Family;

struct WiceReflexive {
	WiceBpfMux *mux;
	uint16_t wg_port;
	WiceTimer *timer;
	void (*changed)(void *user_data);
	void *user_data;
	Family families[N_FAMILIES];
	size_t n_known;
	WiceReflexiveAddress known[N_FAMILIES];
};

/* IP_PKTINFO: the address that a packet came to is the one that the question was sent from. */
static int set_options(int fd, WiceFamily family, uint32_t fwmark)
{
	int on = 1;
	int err = family == WICE_FAMILY_IPV4
			  ? setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on)
			  : setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
	if (!err && family == WICE_FAMILY_IPV6)
		err = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	if (!err && fwmark)
		err = setsockopt(fd, SOL_SOCKET, SO_MARK, &fwmark, sizeof fwmark);
	return err ? -errno : 0;
}

static int bind_wildcard(int fd, WiceFamily family, WiceEndpoint *ret_local)
{
	WiceEndpoint any = { .address.family = family };
	struct sockaddr_storage name;
	socklen_t len = wice__endpoint_to_sockaddr(&any, &name);
	if (bind(fd, (struct sockaddr *)&name, len) < 0)
		return -errno;
	len = sizeof name;
	if (getsockname(fd, (struct sockaddr *)&name, &len) < 0)
		return -errno;
	*ret_local = any;
	ret_local->port =
		ntohs(family == WICE_FAMILY_IPV4 ? ((struct sockaddr_in *)&name)->sin_port
						 : ((struct sockaddr_in6 *)&name)->sin6_port);
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

static int send_packet(const Family *family, const WiceEndpoint *remote, const uint8_t *packet,
		       size_t len)
{
	struct sockaddr_storage to;
	socklen_t to_len = wice__endpoint_to_sockaddr(remote, &to);
	if (family->fd < 0)
		return -EAFNOSUPPORT;
	if (to_len == 0)
		return -EINVAL;
	ssize_t n = sendto(family->fd, packet, len, MSG_DONTWAIT, (struct sockaddr *)&to, to_len);
	return n < 0 ? -errno : 0;
}

/* The address out of the ancillary data; false if there is none. */
static bool take_destination(struct msghdr *message, WiceEndpoint *ret_local)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;
			memcpy(&info, CMSG_DATA(c), sizeof info);
			ret_local->address.family = WICE_FAMILY_IPV4;
			memcpy(ret_local->address.bytes, &info.ipi_addr, 4);
			return true;
		}
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;
			memcpy(&info, CMSG_DATA(c), sizeof info);
			ret_local->address.family = WICE_FAMILY_IPV6;
			memcpy(ret_local->address.bytes, &info.ipi6_addr, 16);
			return true;
		}
	}
	return false;
}

/* The length of a packet, or -errno; 0: one that is of no use. */
static ssize_t receive(const Family *family, uint8_t *packet, WiceEndpoint *ret_source,
		       WiceEndpoint *ret_local)
{
	struct sockaddr_storage from;
	union {
		char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
		struct cmsghdr alignment;
	} control;
	struct iovec data = { packet, PACKET_MAX };
	struct msghdr message = { .msg_name = &from,
				  .msg_namelen = sizeof from,
				  .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof control };
	ssize_t n = recvmsg(family->fd, &message, MSG_DONTWAIT);
	if (n < 0)
		return -errno;
	*ret_local = (WiceEndpoint){ .port = family->reflexive->wg_port };
	if ((message.msg_flags & MSG_TRUNC) || !take_destination(&message, ret_local) ||
	    !wice__endpoint_from_sockaddr((struct sockaddr *)&from, message.msg_namelen,
					  ret_source))
		return 0;
	return n;
}

static void collect(WiceReflexive *reflexive)
{
	reflexive->n_known = 0;
	for (int i = 0; i < N_FAMILIES; i++) {
		const WiceStunMapping *mapping = &reflexive->families[i].mapping;
		if (mapping->has_mapped)
			reflexive->known[reflexive->n_known++] =
				(WiceReflexiveAddress){ .base = mapping->base,
							.mapped = mapping->mapped };
	}
}

/* Sends what is due, sets the timer for the rest, and tells if there is something to tell. */
static void go_on(WiceReflexive *reflexive, bool news)
{
	int64_t now = wice__now_ms(), deadline = INT64_MAX;
	for (int i = 0; i < N_FAMILIES; i++) {
		Family *family = &reflexive->families[i];
		WiceEndpoint server;
		uint8_t request[WICE_STUN_PROBE_REQUEST_LEN];
		while (wice__stun_mapping_output(&family->mapping, now, &server, request))
			(void)send_packet(family, &server, request, sizeof request);
		deadline = MIN(deadline, wice__stun_mapping_deadline(&family->mapping));
	}
	wice__timer_set(reflexive->timer, deadline);
	if (!news)
		return;
	collect(reflexive);
	reflexive->changed(reflexive->user_data);
}

static void on_timer(void *user_data)
{
	WiceReflexive *reflexive = user_data;
	bool settled = wice__reflexive_is_settled(reflexive), news = false;
	for (int i = 0; i < N_FAMILIES; i++)
		news |= wice__stun_mapping_advance(&reflexive->families[i].mapping, wice__now_ms());
	go_on(reflexive, news || settled != wice__reflexive_is_settled(reflexive));
}

static void on_readable(int fd, GIOCondition condition, void *user_data)
{
	Family *family = user_data;
	WiceReflexive *reflexive = family->reflexive;
	bool settled = wice__reflexive_is_settled(reflexive), news = false;
	for (int i = 0; i < PACKETS_PER_TURN; i++) {
		uint8_t packet[PACKET_MAX];
		WiceEndpoint source, local;
		ssize_t len = receive(family, packet, &source, &local);
		if (len == -EAGAIN)
			break;
		if (len > 0)
			news |= wice__stun_mapping_input(&family->mapping, packet, (size_t)len,
							 &source, &local, wice__now_ms());
	}
	go_on(reflexive, news || settled != wice__reflexive_is_settled(reflexive));
}

static int open_family(WiceReflexive *reflexive, GMainContext *context, WiceFamily which,
		       uint32_t fwmark, Family *family)
{
	family->reflexive = reflexive;
	family->family = which;
	wice__stun_mapping_init(&family->mapping, randombytes_buf);
	family->fd = open_socket(which, fwmark, &family->local);
	if (family->fd < 0)
		return family->fd;
	int err = wice__bpf_mux_add(reflexive->mux, reflexive->wg_port, &family->local, NULL);
	if (err) {
		close(family->fd);
		family->fd = -1;
		return err;
	}
	family->watch = wice__fd_watch_new(context, family->fd, G_IO_IN, on_readable, family);
	return 0;
}

int wice__reflexive_new(GMainContext *context, WiceBpfMux *mux, uint16_t wg_port, uint32_t fwmark,
			void (*changed)(void *user_data), void *user_data,
			WiceReflexive **ret_reflexive)
{
	static const WiceFamily families[N_FAMILIES] = { WICE_FAMILY_IPV4, WICE_FAMILY_IPV6 };
	WiceReflexive *reflexive = g_new0(WiceReflexive, 1);
	reflexive->mux = mux;
	reflexive->wg_port = wg_port;
	reflexive->changed = changed;
	reflexive->user_data = user_data;
	reflexive->timer = wice__timer_new(context, on_timer, reflexive);
	int err = 0, n = 0;
	for (int i = 0; i < N_FAMILIES; i++) {
		int r = open_family(reflexive, context, families[i], fwmark,
				    &reflexive->families[i]);
		if (r == 0)
			n++;
		else
			err = r;
	}
	if (n == 0) {
		wice__reflexive_free(reflexive);
		return err;
	}
	*ret_reflexive = reflexive;
	return 0;
}

void wice__reflexive_free(WiceReflexive *reflexive)
{
	if (!reflexive)
		return;
	for (int i = 0; i < N_FAMILIES; i++) {
		Family *family = &reflexive->families[i];
		if (family->fd < 0)
			continue;
		wice__fd_watch_free(family->watch);
		wice__bpf_mux_remove(reflexive->mux, reflexive->wg_port, &family->local, NULL);
		close(family->fd);
	}
	wice__timer_free(reflexive->timer);
	g_free(reflexive);
}

void wice__reflexive_set_servers(WiceReflexive *reflexive, const WiceEndpoint *servers, size_t n)
{
	for (int i = 0; i < N_FAMILIES; i++) {
		Family *family = &reflexive->families[i];
		WiceEndpoint own[WICE_STUN_PROBE_MAX_SERVERS];
		size_t n_own = 0;
		for (size_t k = 0; family->fd >= 0 && k < n && n_own < G_N_ELEMENTS(own); k++)
			if (servers[k].address.family == family->family)
				own[n_own++] = servers[k];
		wice__stun_mapping_set_servers(&family->mapping, own, n_own, wice__now_ms());
	}
	collect(reflexive);
	go_on(reflexive, false);
}

void wice__reflexive_network_changed(WiceReflexive *reflexive)
{
	for (int i = 0; i < N_FAMILIES; i++)
		wice__stun_mapping_restart(&reflexive->families[i].mapping, wice__now_ms());
	go_on(reflexive, false);
}

const WiceReflexiveAddress *wice__reflexive_list(const WiceReflexive *reflexive, size_t *ret_n)
{
	*ret_n = reflexive->n_known;
	return reflexive->known;
}

bool wice__reflexive_is_settled(const WiceReflexive *reflexive)
{
	for (int i = 0; i < N_FAMILIES; i++)
		if (!wice__stun_mapping_is_settled(&reflexive->families[i].mapping))
			return false;
	return true;
}

WiceNatMapping wice__reflexive_nat(const WiceReflexive *reflexive)
{
	WiceNatMapping worst = WICE_NAT_UNKNOWN;
	for (int i = 0; i < N_FAMILIES; i++)
		worst = MAX(worst, reflexive->families[i].mapping.nat);
	return worst;
}

bool wice__reflexive_failed(const WiceReflexive *reflexive)
{
	bool failed = false;
	for (int i = 0; i < N_FAMILIES; i++) {
		const WiceStunMapping *mapping = &reflexive->families[i].mapping;
		if (mapping->n_servers && !mapping->failed)
			return false;
		failed |= mapping->failed;
	}
	return failed;
}

int wice__reflexive_keep_alive(WiceReflexive *reflexive, const WiceEndpoint *remote)
{
	uint8_t indication[WICE_STUN_PROBE_REQUEST_LEN] = {
		0x00, 0x11, 0, 0, 0x21, 0x12, 0xa4, 0x42
	};
	randombytes_buf(indication + 8, 12);
	for (int i = 0; i < N_FAMILIES; i++)
		if (reflexive->families[i].family == remote->address.family)
			return send_packet(&reflexive->families[i], remote, indication,
					   sizeof indication);
	return -EAFNOSUPPORT;
}
