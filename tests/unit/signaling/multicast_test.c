/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "signaling/flood.h"
#include "signaling/multicast_url.h"
#include "signaling/sealed.h"
#include "suite.h"
#include "unit/signaling/netns.h"
#include "unit/signaling/recorder.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <wice/error.h>

#define LOOPBACK_URL "multicast://239.255.87.67?interface=lo"

#ifndef SO_RCVMARK
#define SO_RCVMARK 75 /* Linux 5.19 */
#endif

START_TEST(urls_are_read)
{
	static const struct {
		const char *url, *group4, *group6, *interface;
		uint16_t port;
		bool loopback;
	} cases[] = {
		{ "multicast://", "239.255.87.67", "ff02::5743", "", 9967, true },
		{ "multicast:", "239.255.87.67", "ff02::5743", "", 9967, true },
		{ "multicast://:7", "239.255.87.67", "ff02::5743", "", 7, true },
		{ "multicast:///?loopback=false", "239.255.87.67", "ff02::5743", "", 9967, false },
		{ "multicast://224.0.0.9", "224.0.0.9", "(none)", "", 9967, true },
		{ "multicast://[ff15::1]:65535?interface=eth0", "(none)", "ff15::1", "eth0", 65535,
		  true },
		{ "multicast://239.1.2.3:9/?loopback=0&interface=br-lan.7", "239.1.2.3", "(none)",
		  "br-lan.7", 9, false },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		WiceMulticastUrl parsed;
		char text[WICE_ADDRESS_SIZE];
		ck_assert_msg(wice__multicast_url_parse(cases[i].url, &parsed, NULL), "%s",
			      cases[i].url);
		ck_assert_str_eq(wice_address_format(&parsed.group4, text), cases[i].group4);
		ck_assert_str_eq(wice_address_format(&parsed.group6, text), cases[i].group6);
		ck_assert_str_eq(parsed.interface, cases[i].interface);
		ck_assert_uint_eq(parsed.port, cases[i].port);
		ck_assert_int_eq(parsed.loopback, cases[i].loopback);
	}
}
END_TEST

START_TEST(malformed_urls_are_refused_by_name)
{
	static const char *const urls[] = {
		"multicast://192.0.2.1",
		"multicast://[2001:db8::1]:5",
		"multicast://example.org",
		"multicast://239.1.2.3:0",
		"multicast://239.1.2.3:65536",
		"multicast://239.1.2.3/path",
		"multicast://user@239.1.2.3",
		"multicast://#fragment",
		"multicast://?interface=",
		"multicast://?interface=sixteencharacter",
		"multicast://?interface=a%2Fb",
		"multicast://?loopback=maybe",
		"multicast://?ttl=4",
		"multicast://?interface",
		"multicast://[ff02::1%25eth0]:99",
	};
	for (size_t i = 0; i < G_N_ELEMENTS(urls); i++) {
		g_autoptr(GError) error = NULL;
		WiceMulticastUrl parsed = { .port = 4 };
		ck_assert_msg(!wice__multicast_url_parse(urls[i], &parsed, &error), "%s", urls[i]);
		ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_INVALID));
		ck_assert_ptr_nonnull(strstr(error->message, urls[i]));
		ck_assert_uint_eq(parsed.port, 4);
	}
}
END_TEST

static GMainContext *context;
static WiceKey a;

static bool set_up(void)
{
	context = g_main_context_new();
	a = key_named('a');
	return netns_enter();
}

static void open_ready(Recorder *recorder, const char *url)
{
	recorder_open(recorder, context, url);
	HOOK(recorder, subscribe, &a, &a);
	WAIT_FOR(context, recorder->ready);
}

/* A socket that is none of ours. */
static int stranger_new(const char *to, uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct ip_mreqn out = { .imr_ifindex = (int)if_nametoindex("lo") };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(inet_pton(AF_INET, to, &address.sin_addr), 1);
	ck_assert_int_eq(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &out, sizeof out), 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

static size_t tagged(uint8_t tag, uint8_t bytes[WICE_ENVELOPE_MAX])
{
	uint8_t body[40] = { tag };
	WiceEnvelope envelope = {
		.sender = a, .recipient = a, .body = body, .body_len = sizeof body
	};
	return wice__envelope_write(&envelope, bytes, WICE_ENVELOPE_MAX);
}

START_TEST(datagrams_that_are_no_envelopes_are_reported)
{
	if (!set_up())
		return;
	Recorder to;
	static uint8_t bytes[WICE_ENVELOPE_MAX + 1];
	open_ready(&to, LOOPBACK_URL);
	int fd = stranger_new("239.255.87.67", 9967);
	ck_assert_int_eq(send(fd, bytes, sizeof bytes, 0), sizeof bytes);
	ck_assert_int_eq(send(fd, bytes, WICE_ENVELOPE_MAX, 0), WICE_ENVELOPE_MAX);
	ck_assert_int_eq(send(fd, bytes, 0, 0), 0);
	size_t len = tagged(9, bytes);
	ck_assert_int_eq(send(fd, bytes, len - 1, 0), len - 1);
	ck_assert_int_eq(send(fd, bytes, len, 0), len);
	WAIT_FOR(context, to.tags[9]);
	ck_assert_uint_eq(to.oversized, 1);
	ck_assert_uint_eq(to.garbage, 3);
	close(fd);
	recorder_close(&to);
}
END_TEST

START_TEST(a_flood_of_one_source_is_cut)
{
	if (!set_up())
		return;
	Recorder to;
	uint8_t bytes[WICE_ENVELOPE_MAX];
	open_ready(&to, LOOPBACK_URL);
	int fd = stranger_new("239.255.87.67", 9967);
	size_t len = tagged(1, bytes);
	gint64 start_us = g_get_monotonic_time();
	for (int i = 0; i < 8 * WICE_FLOOD_SOURCE_BURST; i++) {
		ck_assert_int_eq(send(fd, bytes, len, 0), len);
		while (g_main_context_iteration(context, FALSE))
			;
	}
	gint64 seconds = (g_get_monotonic_time() - start_us) / G_USEC_PER_SEC + 1;
	ck_assert_uint_ge(to.tags[1], WICE_FLOOD_SOURCE_BURST);
	ck_assert_uint_le(to.tags[1], WICE_FLOOD_SOURCE_BURST + seconds * WICE_FLOOD_SOURCE_RATE);
	/* Another source is heard. */
	close(fd);
	fd = stranger_new("239.255.87.67", 9967);
	struct sockaddr_in other = { .sin_family = AF_INET };
	other.sin_addr.s_addr = htonl(0x7f000909);
	close(fd);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&other, sizeof other), 0);
	struct ip_mreqn out = { .imr_ifindex = (int)if_nametoindex("lo") };
	setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &out, sizeof out);
	other.sin_port = htons(9967);
	ck_assert_int_eq(inet_pton(AF_INET, "239.255.87.67", &other.sin_addr), 1);
	len = tagged(2, bytes);
	ck_assert_int_eq(sendto(fd, bytes, len, 0, (struct sockaddr *)&other, sizeof other), len);
	WAIT_FOR(context, to.tags[2]);
	close(fd);
	recorder_close(&to);
}
END_TEST

START_TEST(only_the_group_is_listened_to)
{
	if (!set_up() || !netns_ip("link add left type veth peer name right") ||
	    !netns_set_up("left", true) || !netns_set_up("right", true))
		return;
	Recorder from, to;
	uint8_t bytes[WICE_ENVELOPE_MAX];
	open_ready(&to, "multicast://[ff02::5743]");
	open_ready(&from, "multicast://[ff02::5743]");
	struct sockaddr_in6 local = { .sin6_family = AF_INET6,
				      .sin6_port = htons(9967),
				      .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	size_t len = tagged(1, bytes);
	ck_assert_int_eq(sendto(fd, bytes, len, 0, (struct sockaddr *)&local, sizeof local), len);
	/* A unicast datagram goes to one of the two sockets that share the port. */
	publish_until(&from, &to, &a, 2);
	publish_until(&from, &from, &a, 3);
	ck_assert_uint_eq(to.tags[1] + from.tags[1], 0);
	close(fd);
	recorder_close(&from);
	recorder_close(&to);
}
END_TEST

START_TEST(interfaces_that_come_and_go_are_followed)
{
	if (!set_up())
		return;
	Recorder from, to;
	const char *const url = "multicast://239.255.87.67";
	recorder_open(&from, context, url);
	WAIT_FOR(context, from.states == 1);
	ck_assert(!from.ready);
	ck_assert_ptr_nonnull(strstr(from.reason, "No interface"));
	publish_tag(&from, &a, 1);
	publish_tag(&from, &a, 2);

	if (!netns_ip("link add left type veth peer name right") ||
	    !netns_ip("address add 192.0.2.1/24 dev left") || !netns_set_up("left", true) ||
	    !netns_set_up("right", true))
		return;
	open_ready(&to, url);
	from.ops->network_changed(from.backend);
	WAIT_FOR(context, from.ready && to.tags[2]);
	ck_assert_uint_eq(to.tags[1], 0);
	ck_assert_uint_eq(from.states, 2);

	/* The same name, another index; more often than the kernel allows memberships at once (20). */
	for (uint8_t round = 0; round < 25; round++) {
		ck_assert(netns_ip("link delete left"));
		from.ops->network_changed(from.backend);
		to.ops->network_changed(to.backend);
		WAIT_FOR(context, !from.ready && !to.ready);
		ck_assert(netns_ip("link add left type veth peer name right"));
		ck_assert(netns_ip("address add 192.0.2.1/24 dev left"));
		ck_assert(netns_set_up("left", true) && netns_set_up("right", true));
		from.ops->network_changed(from.backend);
		to.ops->network_changed(to.backend);
		WAIT_FOR(context, from.ready && to.ready);
		publish_until(&from, &to, &a, (uint8_t)(3 + round));
	}
	recorder_close(&from);
	recorder_close(&to);
}
END_TEST

START_TEST(tunnels_and_loopback_are_left_alone)
{
	if (!set_up() || !netns_ip("tuntap add tunnel mode tun") ||
	    !netns_ip("address add 192.0.2.1/24 dev tunnel") || !netns_set_up("tunnel", true))
		return;
	Recorder one;
	recorder_open(&one, context, "multicast://");
	WAIT_FOR(context, one.states == 1);
	ck_assert(!one.ready);
	recorder_close(&one);
}
END_TEST

START_TEST(without_loopback_the_own_host_hears_nothing)
{
	if (!set_up() || !netns_ip("link add left type veth peer name right") ||
	    !netns_ip("address add 192.0.2.1/24 dev left") || !netns_set_up("left", true) ||
	    !netns_set_up("right", true))
		return;
	Recorder silent, from, to;
	open_ready(&to, "multicast://239.255.87.67?interface=left");
	open_ready(&from, "multicast://239.255.87.67?interface=left&loopback=true");
	open_ready(&silent, "multicast://239.255.87.67?interface=left&loopback=false");
	publish_tag(&silent, &a, 1);
	publish_until(&from, &to, &a, 2);
	ck_assert_uint_eq(to.tags[1], 0);
	recorder_close(&silent);
	recorder_close(&from);
	recorder_close(&to);
}
END_TEST

/* A listener that is told the TTL and the mark of what it gets. */
static int listener_new(void)
{
	int on = 1;
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(9967) };
	struct ip_mreqn group = { .imr_ifindex = (int)if_nametoindex("lo") };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(inet_pton(AF_INET, "239.255.87.67", &address.sin_addr), 1);
	group.imr_multiaddr = address.sin_addr;
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group), 0);
	ck_assert_int_eq(setsockopt(fd, IPPROTO_IP, IP_RECVTTL, &on, sizeof on), 0);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVMARK, &on, sizeof on) != 0)
		printf("the mark is not looked at: %s\n", g_strerror(errno));
	return fd;
}

/* The next datagram's TTL and mark; -1 where the kernel does not tell. False if there is none. */
static bool listen_once(int fd, int *ret_ttl, int *ret_mark)
{
	uint8_t bytes[WICE_ENVELOPE_MAX];
	union {
		struct cmsghdr align;
		uint8_t bytes[256];
	} control;
	struct iovec iov = { bytes, sizeof bytes };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof control };
	*ret_ttl = *ret_mark = -1;
	if (recvmsg(fd, &message, 0) < 0)
		return false;
	for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header;
	     header = CMSG_NXTHDR(&message, header)) {
		if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_TTL)
			memcpy(ret_ttl, CMSG_DATA(header), sizeof *ret_ttl);
		if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SO_MARK)
			memcpy(ret_mark, CMSG_DATA(header), sizeof *ret_mark);
	}
	return true;
}

START_TEST(datagrams_stay_on_the_link_and_carry_the_mark)
{
	if (!set_up())
		return;
	Recorder from;
	int ttl, mark, fd = listener_new();
	recorder_open(&from, context, LOOPBACK_URL);
	HOOK(&from, set_fwmark, 0x1234); /* before its socket is open */
	WAIT_FOR(context, from.ready);
	publish_tag(&from, &a, 1);
	WAIT_FOR(context, listen_once(fd, &ttl, &mark));
	ck_assert_int_eq(ttl, 1);
	ck_assert(mark == 0x1234 || mark == -1);
	HOOK(&from, set_fwmark, 0x77); /* and after */
	publish_tag(&from, &a, 1);
	WAIT_FOR(context, listen_once(fd, &ttl, &mark));
	ck_assert(mark == 0x77 || mark == -1);
	close(fd);
	recorder_close(&from);
}
END_TEST

START_TEST(a_port_that_others_hold_is_told)
{
	if (!set_up())
		return;
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(9967) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	Recorder one;
	recorder_open(&one, context, LOOPBACK_URL);
	WAIT_FOR(context, one.states == 1);
	ck_assert(!one.ready);
	ck_assert_ptr_nonnull(strstr(one.reason, "9967"));
	/* Once it is free the backend repairs itself. */
	close(fd);
	one.ops->network_changed(one.backend);
	WAIT_FOR(context, one.ready);
	recorder_close(&one);
}
END_TEST

SUITE_MAIN("multicast backend", urls_are_read, malformed_urls_are_refused_by_name,
	   datagrams_that_are_no_envelopes_are_reported, a_flood_of_one_source_is_cut,
	   only_the_group_is_listened_to, interfaces_that_come_and_go_are_followed,
	   tunnels_and_loopback_are_left_alone, without_loopback_the_own_host_hears_nothing,
	   datagrams_stay_on_the_link_and_carry_the_mark, a_port_that_others_hold_is_told)
