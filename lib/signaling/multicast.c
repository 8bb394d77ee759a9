/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * multicast://: hosts on the same link, one serialized envelope per datagram.
 *
 * For each family there is one socket. It joins the group on every interface that can carry
 * multicast and has an address of the family (not on loopback, and not on tunnels: WireGuard among
 * them, where no third host would hear it), and sends out of each of them, chosen per datagram with
 * IP_PKTINFO. TTL 1 keeps it on the link.
 *
 * All hosts of the link get all envelopes; whose key is not the recipient's drops them here. That
 * includes what we sent ourselves: it comes back as long as loopback is on, which several daemons
 * on one host need.
 */
#include "base/log.h"
#include "event/sockaddr.h"
#include "event/source.h"
#include "signaling/backends.h"
#include "signaling/flood.h"
#include "signaling/keyset.h"
#include "signaling/multicast_url.h"
#include "signaling/outbox.h"
#include "signaling/sealed.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sodium.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* linux/in6.h since Linux 4.20; it cannot be included beside netinet/in.h. */
#ifndef IPV6_MULTICAST_ALL
#define IPV6_MULTICAST_ALL 29
#endif

/* So that a flood leaves other sources of the main loop their turn. */
#define DATAGRAMS_PER_ROUND 32
/*
 * While no interface can be used; an interface that appears is reported by network_changed()
 * before.
 */
#define RETRY_MS 10000

typedef struct Multicast Multicast;

/* One family's socket and the interfaces that it has joined the group on. */
typedef struct {
	Multicast *owner;
	WiceAddress group;
	int fd;
	WiceFdWatch *watch;
	GArray *joined; /* of unsigned, interface indexes */
} Leg;

struct Multicast {
	WiceSignalingBackend backend;
	unsigned refs; /* by its owner and by running callbacks */
	bool closed;
	GMainContext *context;
	char *url;
	WiceMulticastUrl config;
	uint32_t fwmark;
	Leg legs[2];
	WiceTimer *timer;
	bool refresh; /* the timer is for renewing the memberships, too */
	bool told;    /* the user knows about `ready` */
	bool ready;
	char *reason;
	WiceKeyset keys;
	WiceOutbox *outbox;
	WiceFlood flood;
};

static void multicast_unref(Multicast *multicast)
{
	if (--multicast->refs)
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(multicast->legs); i++)
		g_array_unref(multicast->legs[i].joined);
	wice__keyset_done(&multicast->keys);
	wice__outbox_free(multicast->outbox);
	g_main_context_unref(multicast->context);
	g_free(multicast->reason);
	g_free(multicast->url);
	g_free(multicast);
}

static bool leg_is_ipv4(const Leg *leg)
{
	return leg->group.family == WICE_FAMILY_IPV4;
}

static bool set_option(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

static bool set_options_ipv4(int fd, bool loopback)
{
	return set_option(fd, IPPROTO_IP, IP_MULTICAST_TTL, 1) &&
	       set_option(fd, IPPROTO_IP, IP_MULTICAST_LOOP, loopback) &&
	       set_option(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0) &&
	       set_option(fd, IPPROTO_IP, IP_PKTINFO, 1);
}

static bool set_options_ipv6(int fd, bool loopback)
{
	/*
	 * Missing before Linux 4.20: then groups that others joined on other interfaces come in,
	 * too.
	 */
	set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
	return set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) &&
	       set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 1) &&
	       set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, loopback) &&
	       set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
}

static void set_mark(const Multicast *multicast, int fd)
{
	if (setsockopt(fd, SOL_SOCKET, SO_MARK, &multicast->fwmark, sizeof multicast->fwmark) != 0)
		wice__log(WICE_LOG_WARNING, multicast->url,
			  "Cannot set the firewall mark %#x of the socket: %s. "
			  "It needs CAP_NET_ADMIN; multicast may be routed into the tunnel.",
			  multicast->fwmark, g_strerror(errno));
}

/*
 * An IPv6 socket bound to a link-local group would be bound to one interface for good, so that
 * family is bound to the port alone and looks at each datagram's destination.
 */
static int bind_group(const Leg *leg, int fd)
{
	WiceEndpoint local = { .address = leg->group, .port = leg->owner->config.port };
	if (!leg_is_ipv4(leg))
		memset(local.address.bytes, 0, sizeof local.address.bytes);
	struct sockaddr_storage address;
	socklen_t len = wice__endpoint_to_sockaddr(&local, &address);
	return bind(fd, (struct sockaddr *)&address, len) == 0 ? 0 : -errno;
}

static void leg_readable(int fd, GIOCondition condition, void *user_data);

/* Opens the socket if it is not open yet. */
static int leg_open(Leg *leg)
{
	Multicast *multicast = leg->owner;
	if (leg->fd >= 0)
		return 0;
	int fd = socket(leg_is_ipv4(leg) ? AF_INET : AF_INET6,
			SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP);
	if (fd < 0)
		return -errno;
	bool loopback = multicast->config.loopback;
	/*
	 * On Linux SO_REUSEADDR is what lets several sockets, of several users too, receive a
	 * group.
	 */
	bool ok = set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) &&
		  (leg_is_ipv4(leg) ? set_options_ipv4(fd, loopback)
				    : set_options_ipv6(fd, loopback));
	int r = ok ? bind_group(leg, fd) : -errno;
	if (r < 0) {
		close(fd);
		return r;
	}
	if (multicast->fwmark)
		set_mark(multicast, fd);
	leg->fd = fd;
	leg->watch = wice__fd_watch_new(multicast->context, fd, G_IO_IN, leg_readable, leg);
	return 0;
}

static void leg_close(Leg *leg)
{
	wice__fd_watch_free(leg->watch);
	leg->watch = NULL;
	if (leg->fd >= 0)
		close(leg->fd);
	leg->fd = -1;
	g_array_set_size(leg->joined, 0);
}

static int leg_membership(const Leg *leg, unsigned ifindex, bool join)
{
	int r;
	if (leg_is_ipv4(leg)) {
		struct ip_mreqn request = { .imr_ifindex = (int)ifindex };
		memcpy(&request.imr_multiaddr, leg->group.bytes, 4);
		r = setsockopt(leg->fd, IPPROTO_IP, join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP,
			       &request, sizeof request);
	} else {
		struct ipv6_mreq request = { .ipv6mr_interface = ifindex };
		memcpy(&request.ipv6mr_multiaddr, leg->group.bytes, 16);
		r = setsockopt(leg->fd, IPPROTO_IPV6, join ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP,
			       &request, sizeof request);
	}
	return r == 0 ? 0 : -errno;
}

static bool leg_has_joined(const Leg *leg, unsigned ifindex)
{
	for (guint i = 0; i < leg->joined->len; i++)
		if (g_array_index(leg->joined, unsigned, i) == ifindex)
			return true;
	return false;
}

static void leg_join(Leg *leg, unsigned ifindex, const char *name)
{
	if (leg_has_joined(leg, ifindex))
		return;
	int r = leg_membership(leg, ifindex, true);
	if (r == 0 || r == -EADDRINUSE) {
		g_array_append_val(leg->joined, ifindex);
		return;
	}
	/* ENOBUFS: net.ipv4.igmp_max_memberships, 20 unless changed. */
	wice__log(WICE_LOG_WARNING, leg->owner->url,
		  "Cannot join the multicast group on %s: %s. Peers there will not be found by it.",
		  name, g_strerror(-r));
}

/*
 * Leaving and joining again makes the kernel report the membership to the switches of a new link.
 */
static void leg_leave_all(Leg *leg)
{
	for (guint i = 0; i < leg->joined->len; i++)
		leg_membership(leg, g_array_index(leg->joined, unsigned, i), false);
	g_array_set_size(leg->joined, 0);
}

static bool is_wanted(const Multicast *multicast, const struct ifaddrs *entry)
{
	const unsigned must = IFF_UP | IFF_MULTICAST, must_not = IFF_LOOPBACK | IFF_POINTOPOINT;
	if (multicast->config.interface[0])
		return entry->ifa_flags & IFF_UP &&
		       strcmp(entry->ifa_name, multicast->config.interface) == 0;
	return (entry->ifa_flags & must) == must && !(entry->ifa_flags & must_not);
}

static void leg_join_wanted(Leg *leg, const struct ifaddrs *entries)
{
	int family = leg_is_ipv4(leg) ? AF_INET : AF_INET6;
	for (const struct ifaddrs *entry = entries; entry; entry = entry->ifa_next) {
		if (!entry->ifa_addr || entry->ifa_addr->sa_family != family ||
		    !is_wanted(leg->owner, entry))
			continue;
		unsigned ifindex = if_nametoindex(entry->ifa_name);
		if (ifindex)
			leg_join(leg, ifindex, entry->ifa_name);
	}
}

static void set_reason(Multicast *multicast, const char *family, int error)
{
	g_free(multicast->reason);
	multicast->reason = g_strdup_printf("Cannot open the %s multicast socket on port %u: %s.",
					    family, multicast->config.port, g_strerror(-error));
}

/* Makes sockets and memberships what the interfaces of now ask for. */
static void renew(Multicast *multicast)
{
	struct ifaddrs *entries = NULL;
	guint joined = 0;
	g_free(multicast->reason);
	multicast->reason = g_strdup("No interface that can carry multicast is up.");
	if (getifaddrs(&entries) != 0)
		entries = NULL;
	for (size_t i = 0; i < G_N_ELEMENTS(multicast->legs); i++) {
		Leg *leg = &multicast->legs[i];
		if (leg->group.family == WICE_FAMILY_NONE)
			continue;
		leg_leave_all(leg);
		int r = leg_open(leg);
		if (r < 0)
			set_reason(multicast, leg_is_ipv4(leg) ? "IPv4" : "IPv6", r);
		else
			leg_join_wanted(leg, entries);
		joined += leg->joined->len;
	}
	if (entries)
		freeifaddrs(entries);
	if (multicast->ready != (joined > 0))
		multicast->told = false;
	multicast->ready = joined > 0;
}

static ssize_t send_on(const Leg *leg, unsigned ifindex, const uint8_t *bytes, size_t len)
{
	WiceEndpoint group = {
		.address = leg->group,
		.port = leg->owner->config.port,
		.scope = ifindex,
	};
	struct sockaddr_storage to;
	union {
		struct cmsghdr align;
		uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	} control = { 0 };
	struct iovec iov = { (void *)bytes, len };
	struct msghdr message = {
		.msg_name = &to,
		.msg_namelen = wice__endpoint_to_sockaddr(&group, &to),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control,
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	if (leg_is_ipv4(leg)) {
		struct in_pktinfo info = { .ipi_ifindex = (int)ifindex };
		header->cmsg_level = IPPROTO_IP;
		header->cmsg_type = IP_PKTINFO;
		header->cmsg_len = CMSG_LEN(sizeof info);
		message.msg_controllen = CMSG_SPACE(sizeof info);
		memcpy(CMSG_DATA(header), &info, sizeof info);
	} else {
		struct in6_pktinfo info = { .ipi6_ifindex = ifindex };
		header->cmsg_level = IPPROTO_IPV6;
		header->cmsg_type = IPV6_PKTINFO;
		header->cmsg_len = CMSG_LEN(sizeof info);
		memcpy(CMSG_DATA(header), &info, sizeof info);
	}
	return sendmsg(leg->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void send_everywhere(const WiceEnvelope *envelope, void *user_data)
{
	Multicast *multicast = user_data;
	uint8_t bytes[WICE_ENVELOPE_MAX];
	size_t len = wice__envelope_write(envelope, bytes, sizeof bytes);
	for (size_t i = 0; i < G_N_ELEMENTS(multicast->legs); i++) {
		const Leg *leg = &multicast->legs[i];
		for (guint j = 0; j < leg->joined->len; j++) {
			unsigned ifindex = g_array_index(leg->joined, unsigned, j);
			if (send_on(leg, ifindex, bytes, len) < 0)
				wice__log(WICE_LOG_DEBUG, multicast->url,
					  "Cannot send to the IPv%d group on interface %u: %s.",
					  leg->group.family, ifindex, g_strerror(errno));
		}
	}
}

/* From the main loop: whatever a hook has left to be done or told. */
static void work(void *user_data)
{
	Multicast *multicast = user_data;
	if (multicast->refresh)
		renew(multicast);
	multicast->refresh = !multicast->ready;
	if (!multicast->ready)
		wice__timer_set(multicast->timer, wice__now_ms() + RETRY_MS);
	if (multicast->told)
		return;
	multicast->told = true;
	bool ready = multicast->ready;
	if (ready)
		wice__outbox_flush(multicast->outbox, send_everywhere, multicast);
	multicast->refs++;
	multicast->backend.events->on_state(ready, ready ? "" : multicast->reason,
					    multicast->backend.user_data);
	multicast_unref(multicast);
}

/* What the kernel tells about one datagram. */
typedef struct {
	WiceEndpoint source;
	WiceAddress destination;
	size_t len;
	bool oversized;
} Datagram;

static void read_destination(struct msghdr *message, WiceAddress *ret)
{
	for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header;
	     header = CMSG_NXTHDR(message, header)) {
		if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;
			memcpy(&info, CMSG_DATA(header), sizeof info);
			ret->family = WICE_FAMILY_IPV4;
			memcpy(ret->bytes, &info.ipi_addr, 4);
		} else if (header->cmsg_level == IPPROTO_IPV6 &&
			   header->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;
			memcpy(&info, CMSG_DATA(header), sizeof info);
			ret->family = WICE_FAMILY_IPV6;
			memcpy(ret->bytes, &info.ipi6_addr, 16);
		}
	}
}

/* False if there is none (any more). */
static bool receive(int fd, uint8_t bytes[WICE_ENVELOPE_MAX], Datagram *ret)
{
	struct sockaddr_storage from;
	union {
		struct cmsghdr align;
		uint8_t bytes[256];
	} control;
	struct iovec iov = { bytes, WICE_ENVELOPE_MAX };
	struct msghdr message = {
		.msg_name = &from,
		.msg_namelen = sizeof from,
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control,
	};
	ssize_t len = recvmsg(fd, &message, MSG_DONTWAIT);
	if (len < 0)
		return false;
	*ret = (Datagram){ .len = (size_t)len, .oversized = message.msg_flags & MSG_TRUNC };
	wice__endpoint_from_sockaddr((struct sockaddr *)&from, message.msg_namelen, &ret->source);
	read_destination(&message, &ret->destination);
	return true;
}

/*
 * What is for others is dropped before it counts against its source: on a busy link that is nearly
 * everything, and finding it out costs less than receiving it did.
 */
static void handle(Multicast *multicast, const uint8_t *bytes, const Datagram *datagram)
{
	const WiceSignalingEvents *events = multicast->backend.events;
	WiceEnvelope envelope;
	bool valid = !datagram->oversized && wice__envelope_read(bytes, datagram->len, &envelope);
	if (valid && !wice__keyset_contains(&multicast->keys, &envelope.recipient))
		return;
	if (!wice__flood_allow(&multicast->flood, &datagram->source.address, wice__now_ms()))
		return;
	if (valid)
		events->on_envelope(&envelope, multicast->backend.user_data);
	else
		events->on_garbage(datagram->oversized, multicast->backend.user_data);
}

static void leg_readable(int fd, GIOCondition condition, void *user_data)
{
	const Leg *leg = user_data;
	Multicast *multicast = leg->owner;
	uint8_t bytes[WICE_ENVELOPE_MAX];
	Datagram datagram;
	multicast->refs++;
	for (int i = 0; i < DATAGRAMS_PER_ROUND; i++) {
		if (multicast->closed || !receive(fd, bytes, &datagram))
			break;
		if (wice_address_compare(&datagram.destination, &leg->group) == 0)
			handle(multicast, bytes, &datagram);
	}
	multicast_unref(multicast);
}

static void leg_init(Leg *leg, Multicast *owner, const WiceAddress *group)
{
	leg->owner = owner;
	leg->group = *group;
	leg->fd = -1;
	leg->joined = g_array_new(FALSE, FALSE, sizeof(unsigned));
}

static WiceSignalingBackend *multicast_open(GMainContext *context, const char *url,
					    const WiceSignalingEvents *events, void *user_data,
					    GError **error)
{
	WiceMulticastUrl config;
	if (!wice__multicast_url_parse(url, &config, error))
		return NULL;

	Multicast *multicast = g_new0(Multicast, 1);
	multicast->backend =
		(WiceSignalingBackend){ &wice__signaling_multicast, events, user_data };
	multicast->refs = 1;
	multicast->context = g_main_context_ref(context ? context : g_main_context_default());
	multicast->url = g_strdup(url);
	multicast->config = config;
	leg_init(&multicast->legs[0], multicast, &config.group4);
	leg_init(&multicast->legs[1], multicast, &config.group6);
	wice__keyset_init(&multicast->keys);
	multicast->outbox = wice__outbox_new();
	uint8_t key[sizeof multicast->flood.key];
	randombytes_buf(key, sizeof key);
	wice__flood_init(&multicast->flood, key);
	multicast->refresh = true;
	multicast->timer = wice__timer_new(multicast->context, work, multicast);
	wice__timer_set(multicast->timer, 0);
	return &multicast->backend;
}

static void multicast_subscribe(WiceSignalingBackend *backend, const WiceKey *public_key,
				const WiceKey *private_key)
{
	wice__keyset_add(&((Multicast *)backend)->keys, public_key);
}

static void multicast_unsubscribe(WiceSignalingBackend *backend, const WiceKey *public_key)
{
	wice__keyset_remove(&((Multicast *)backend)->keys, public_key);
}

static void multicast_publish(WiceSignalingBackend *backend, const WiceEnvelope *envelope)
{
	Multicast *multicast = (Multicast *)backend;
	if (wice__envelope_size(envelope) == 0)
		wice__log(WICE_LOG_WARNING, multicast->url,
			  "An envelope of %zu bytes was not sent: the limit is %d.",
			  envelope->body_len, WICE_ENVELOPE_MAX);
	else if (multicast->ready && multicast->told)
		send_everywhere(envelope, multicast);
	else
		wice__outbox_put(multicast->outbox, envelope);
}

static void multicast_network_changed(WiceSignalingBackend *backend)
{
	Multicast *multicast = (Multicast *)backend;
	multicast->refresh = true;
	wice__timer_set(multicast->timer, 0);
}

static void multicast_set_fwmark(WiceSignalingBackend *backend, uint32_t fwmark)
{
	Multicast *multicast = (Multicast *)backend;
	multicast->fwmark = fwmark;
	for (size_t i = 0; i < G_N_ELEMENTS(multicast->legs); i++)
		if (multicast->legs[i].fd >= 0)
			set_mark(multicast, multicast->legs[i].fd);
}

static void multicast_close(WiceSignalingBackend *backend)
{
	Multicast *multicast = (Multicast *)backend;
	multicast->closed = true;
	wice__timer_free(multicast->timer);
	for (size_t i = 0; i < G_N_ELEMENTS(multicast->legs); i++)
		leg_close(&multicast->legs[i]);
	multicast_unref(multicast);
}

const WiceSignalingOps wice__signaling_multicast = {
	.size = sizeof(WiceSignalingOps),
	.scheme = "multicast",
	.open = multicast_open,
	.subscribe = multicast_subscribe,
	.unsubscribe = multicast_unsubscribe,
	.publish = multicast_publish,
	.network_changed = multicast_network_changed,
	.set_fwmark = multicast_set_fwmark,
	.close = multicast_close,
};
