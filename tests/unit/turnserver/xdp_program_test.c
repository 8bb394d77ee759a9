/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The programs of the relay's fast path on single packets, by BPF_PROG_TEST_RUN: native, generic
 * and TC alike. What they make of a packet is compared with one that is made anew, byte by byte.
 * They are those of a fast path that was made and filled as the relay does it; only its maps are
 * reached into, by the descriptors that this process has of them.
 */
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>
#include <wice/error.h>

#include "turnserver/xdp.h"
#include "turnserver/xdp_maps.h"
#include "unit/proxy/bpf_packet.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverlength-strings"
#include "turnserver/xdp.skel.h"
#pragma GCC diagnostic pop

#define DEVICE "wire"
#define OURS "192.0.2.1", "2001:db8::1"
#define CLIENTS "192.0.2.2", "2001:db8::2"
#define OTHERS "192.0.2.3", "2001:db8::3" /* clients, too */
#define PEERS "192.0.2.4", "2001:db8::4"
#define STRANGERS "192.0.2.9", "2001:db8::9" /* nobody knows where they are */
#define SERVER_PORT 3478
#define CLIENT_PORT 40000
#define PEER_PORT 51820
#define RELAYED_PORT 50000 /* and more, one for each channel */
#define CHANNEL 0x4000     /* likewise */
#define MTU 1500
#define MIN_DATA 18

typedef enum { NATIVE, GENERIC, TC, N_PROGRAMS } Program;
static const char *const program_names[] = { "wice_native", "wice_generic", "wice_tc" };

typedef struct {
	const char *addresses[2];
	uint16_t port;
} End;

/* A packet as it comes in or goes out. channel: 0 for plain data. */
typedef struct {
	End from, to;
	Family family;
	uint16_t channel;
} Way;

static WiceXdp *xdp;
static GMainContext *context;
static int programs[N_PROGRAMS];
static int devices_map, bss_map;

static bool run_command(const char *command)
{
	return system(command) == 0;
}

static WiceEndpoint endpoint(const End *end, Family family)
{
	WiceEndpoint result = { .port = end->port };
	ck_assert(wice_address_parse(end->addresses[family], &result.address));
	return result;
}

/* Numbers of channels: the client's family and the relayed one. */
static uint16_t index_of(Family client, Family relayed)
{
	return (uint16_t)(client * 2 + relayed);
}

static WiceXdpChannel make_channel(const End *client, Family family, Family relayed, uint16_t n,
				   const End *peer)
{
	const End server = { { OURS }, SERVER_PORT };
	const End ours = { { OURS }, (uint16_t)(RELAYED_PORT + n) };
	return (WiceXdpChannel){
		.client = endpoint(client, family),
		.server = endpoint(&server, family),
		.channel = (uint16_t)(CHANNEL + n),
		.relayed = endpoint(&ours, relayed),
		.peer = endpoint(peer, relayed),
	};
}

static WiceXdpChannel plain_channel(Family client, Family relayed)
{
	const End from = { { CLIENTS }, CLIENT_PORT }, peer = { { PEERS }, PEER_PORT };
	return make_channel(&from, client, relayed, index_of(client, relayed), &peer);
}

/* Of two clients that meet: 16 numbers each. */
static uint16_t number_of_pair(Family client, Family relayed, Family other)
{
	return (uint16_t)(16 + index_of(client, relayed) * 2 + other);
}

static void add_pair(Family client, Family relayed, Family other)
{
	const uint16_t n = number_of_pair(client, relayed, other);
	const End first = { { CLIENTS }, CLIENT_PORT }, second = { { OTHERS }, CLIENT_PORT };
	const End at_first = { { OURS }, (uint16_t)(RELAYED_PORT + n) };
	const End at_second = { { OURS }, (uint16_t)(RELAYED_PORT + n + 16) };
	WiceXdpChannel one = make_channel(&first, client, relayed, n, &at_second);
	WiceXdpChannel two = make_channel(&second, other, relayed, n + 16, &at_first);
	ck_assert_int_eq(wice__xdp_add(xdp, &one), 0);
	ck_assert_int_eq(wice__xdp_add(xdp, &two), 0);
}

/* By name, of those that this process has. Maps have the first letters only. */
static int find_descriptor(const char *name, bool map)
{
	for (int fd = 3; fd < 256; fd++) {
		char path[32], target[64] = "";
		g_snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		if (readlink(path, target, sizeof target - 1) < 0)
			continue;
		struct bpf_prog_info program = { 0 };
		struct bpf_map_info info = { 0 };
		uint32_t len = map ? sizeof info : sizeof program;
		if (strcmp(target, map ? "anon_inode:bpf-map" : "anon_inode:bpf-prog") != 0 ||
		    bpf_obj_get_info_by_fd(fd, map ? (void *)&info : &program, &len) < 0)
			continue;
		if (strcmp(map ? info.name : program.name, name) == 0)
			return fd;
	}
	ck_abort_msg("no %s", name);
	return -1;
}

static void make_device(void)
{
	ck_assert(run_command("ip link set lo up && ip link add " DEVICE
			      " address 02:00:00:00:00:01 type veth peer name end && "
			      "ip link set end up && ip link set " DEVICE " up && "
			      "ip addr add 192.0.2.1/24 dev " DEVICE " && "
			      "ip addr add 2001:db8::1/64 dev " DEVICE " nodad"));
	for (int i = 2; i <= 4; i++) {
		char command[256];
		g_snprintf(command, sizeof command,
			   "ip neigh add 192.0.2.%d lladdr 02:00:00:00:00:0%d nud permanent dev "
			   "%s && ip neigh add 2001:db8::%d lladdr 02:00:00:00:00:0%d nud "
			   "permanent dev %s",
			   i, i, DEVICE, i, i, DEVICE);
		ck_assert(run_command(command));
	}
}

static bool open_programs(void)
{
	GError *error = NULL;
	WiceXdpOptions options = { .size = sizeof options, .mode = WICE_XDP_TC };
	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0) {
		puts("skipped: must be root to make network namespaces");
		return false;
	}
	make_device();
	context = g_main_context_new();
	xdp = wice__xdp_new(context, &options, &error);
	if (!xdp) {
		ck_assert_msg(g_error_matches(error, WICE_ERROR, WICE_ERROR_PERMISSION) ||
				      g_error_matches(error, WICE_ERROR, WICE_ERROR_UNSUPPORTED),
			      "%s", error->message);
		printf("skipped: %s\n", error->message);
		return false;
	}
	for (Program program = NATIVE; program < N_PROGRAMS; program++)
		programs[program] = find_descriptor(program_names[program], false);
	devices_map = find_descriptor("devices", true);
	bss_map = find_descriptor("xdp_bpf.bss", true);
	uint32_t ifindex = if_nametoindex(DEVICE);
	WiceXdpDevice device = { .ways = WICE_XDP_WAY_NATIVE | WICE_XDP_WAY_FRAMES };
	ck_assert_int_eq(bpf_map_update_elem(devices_map, &ifindex, &device, BPF_EXIST), 0);
	for (Family client = IPV4; client < N_FAMILIES; client++) {
		for (Family relayed = IPV4; relayed < N_FAMILIES; relayed++) {
			WiceXdpChannel channel = plain_channel(client, relayed);
			ck_assert_int_eq(wice__xdp_add(xdp, &channel), 0);
			for (Family other = IPV4; other < N_FAMILIES; other++)
				add_pair(client, relayed, other);
		}
	}
	return true;
}

static void close_programs(void)
{
	wice__xdp_free(xdp);
	g_main_context_unref(context);
}

/* Returns what the program says; the packet is what it has made of it. */
static int run(Program program, Packet *packet)
{
	Packet in = *packet;
	struct bpf_test_run_opts options = { .sz = sizeof options,
					     .data_in = in.bytes,
					     .data_size_in = (uint32_t)in.len,
					     .data_out = packet->bytes,
					     .data_size_out = sizeof packet->bytes,
					     .repeat = 1 };
	int r = bpf_prog_test_run_opts(programs[program], &options);
	ck_assert_msg(r == 0, "length %zu: %s", in.len, g_strerror(-r));
	packet->len = options.data_size_out;
	return (int32_t)options.retval;
}

static bool is_sent(Program program, int result)
{
	return program == TC ? result == TC_ACT_REDIRECT : result == XDP_REDIRECT;
}

/* wanted: NULL: it is to go up as it is. */
static void expect_of(Program program, const char *name, const Packet *before, const Packet *wanted)
{
	Packet after = *before;
	int r = run(program, &after);
	ck_assert_msg(is_sent(program, r) == (wanted != NULL), "%s: %s: %d", program_names[program],
		      name, r);
	if (!wanted) {
		ck_assert_int_eq(r, program == TC ? TC_ACT_UNSPEC : XDP_PASS);
		wanted = before;
	}
	ck_assert_msg(after.len == wanted->len, "%s: %s: %zu bytes instead of %zu",
		      program_names[program], name, after.len, wanted->len);
	for (size_t i = 0; i < wanted->len; i++)
		ck_assert_msg(after.bytes[i] == wanted->bytes[i],
			      "%s: %s: byte %zu is %02x not %02x", program_names[program], name, i,
			      after.bytes[i], wanted->bytes[i]);
}

static void expect(const char *name, const Packet *before, const Packet *wanted)
{
	for (Program program = NATIVE; program < N_PROGRAMS; program++)
		expect_of(program, name, before, wanted);
}

static void fill(uint8_t *data, size_t len, uint32_t seed)
{
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)((seed = seed * 1103515245 + 12345) >> 16);
}

/* As somebody sends it, who is not told of Ethernet's addresses. */
static Packet make(const Way *way, const uint8_t *data, size_t len)
{
	uint8_t payload[PACKET_MAX];
	size_t head = way->channel ? 4 : 0;
	Headers headers = { .source_port = way->from.port, .destination_port = way->to.port };
	for (Family family = IPV4; family < N_FAMILIES; family++) {
		headers.source[family] = way->from.addresses[family];
		headers.destination[family] = way->to.addresses[family];
	}
	put_u16(payload, way->channel);
	put_u16(payload + 2, len);
	memcpy(payload + head, data, len);
	return make_packet(&headers, way->family, payload, len + head);
}

static void finish_ipv4(Packet *packet)
{
	put_u16(packet->bytes + ETHERNET + 10, 0);
	write_ip_checksum(packet);
}

/* Our Ethernet address, that of the receiver, one hop less. arrived: in which family. */
static Packet make_departing(const Way *way, Family arrived, const uint8_t *data, size_t len)
{
	Packet packet = make(way, data, len);
	const char *to = way->to.addresses[way->family];
	uint8_t *ip = packet.bytes + ETHERNET;
	packet.bytes[0] = packet.bytes[6] = 2;
	packet.bytes[5] = (uint8_t)(to[strlen(to) - 1] - '0');
	packet.bytes[11] = 1;
	if (way->family == IPV6) {
		ip[7]--;
		return packet;
	}
	ip[8]--;
	if (arrived == IPV6)
		put_u16(ip + 6, 0x4000); /* DF */
	finish_ipv4(&packet);
	return packet;
}

/* The ways of data: in and out. */
typedef enum { TO_PEER, TO_CLIENT, TO_OTHER, N_DIRECTIONS } Direction;

/* other: the family of the other client, where there is one. */
static void make_ways(Direction direction, Family client, Family relayed, Family other, Way *ret_in,
		      Way *ret_out)
{
	const uint16_t n = direction == TO_OTHER ? number_of_pair(client, relayed, other)
						 : index_of(client, relayed);
	const End from_client = { { CLIENTS }, CLIENT_PORT }, server = { { OURS }, SERVER_PORT };
	const End ours = { { OURS }, (uint16_t)(RELAYED_PORT + n) };
	const End peer = { { PEERS }, PEER_PORT }, other_client = { { OTHERS }, CLIENT_PORT };
	const Way outer = { from_client, server, client, (uint16_t)(CHANNEL + n) };
	const Way to_client = { server, from_client, client, (uint16_t)(CHANNEL + n) };
	const Way to_other = { server, other_client, other, (uint16_t)(CHANNEL + n + 16) };
	const Way to_peer = { ours, peer, relayed, 0 }, from_peer = { peer, ours, relayed, 0 };
	*ret_in = direction == TO_CLIENT ? from_peer : outer;
	*ret_out = direction == TO_PEER ? to_peer : direction == TO_CLIENT ? to_client : to_other;
}

static WiceXdpCount count_of(Direction direction, Family client, Family relayed)
{
	WiceXdpChannel channel = plain_channel(client, relayed);
	WiceXdpCount to_peer, to_client;
	ck_assert_int_eq(wice__xdp_counters(xdp, &channel, &to_peer, &to_client), 0);
	return direction == TO_PEER ? to_peer : to_client;
}

START_TEST(all_ways_in_all_families)
{
	uint8_t data[1400];
	Way in, out;
	if (!open_programs())
		return;
	for (int i = 0; i < N_DIRECTIONS * 8; i++) {
		Direction direction = i / 8;
		Family client = i / 4 % 2, relayed = i / 2 % 2, other = i % 2;
		Family arrived = direction == TO_CLIENT ? relayed : client;
		make_ways(direction, client, relayed, other, &in, &out);
		WiceXdpCount before = count_of(direction, client, relayed);
		uint64_t bytes = 0, n = 0;
		for (size_t len = MIN_DATA; len <= sizeof data; len += len < 64 ? 1 : 37) {
			char name[32];
			g_snprintf(name, sizeof name, "way %d, %zu bytes", i, len);
			fill(data, len, (uint32_t)(i * 2000 + (int)len));
			Packet packet = make(&in, data, len);
			Packet wanted = make_departing(&out, arrived, data, len);
			expect(name, &packet, &wanted);
			bytes += N_PROGRAMS * len;
			n += N_PROGRAMS;
		}
		WiceXdpCount after = count_of(direction, client, relayed);
		if (direction == TO_OTHER)
			bytes = n = 0;
		ck_assert_uint_eq(after.packets - before.packets, n);
		ck_assert_uint_eq(after.bytes - before.bytes, bytes);
	}
	close_programs();
}
END_TEST

/* Both count: the one that sends, and the one that receives. */
START_TEST(clients_that_meet_are_counted_twice)
{
	const uint16_t n = number_of_pair(IPV4, IPV6, IPV6);
	const End first = { { CLIENTS }, CLIENT_PORT }, second = { { OTHERS }, CLIENT_PORT };
	const End at_first = { { OURS }, (uint16_t)(RELAYED_PORT + n) };
	const End at_second = { { OURS }, (uint16_t)(RELAYED_PORT + n + 16) };
	WiceXdpCount to_peer, to_client;
	uint8_t data[100] = { 1 };
	Way in, out;
	if (!open_programs())
		return;
	make_ways(TO_OTHER, IPV4, IPV6, IPV6, &in, &out);
	Packet packet = make(&in, data, sizeof data);
	run(NATIVE, &packet);
	WiceXdpChannel channel = make_channel(&first, IPV4, IPV6, n, &at_second);
	ck_assert_int_eq(wice__xdp_counters(xdp, &channel, &to_peer, &to_client), 0);
	ck_assert_uint_eq(to_peer.packets, 1);
	ck_assert_uint_eq(to_peer.bytes, sizeof data);
	ck_assert_uint_eq(to_client.packets, 0);
	channel = make_channel(&second, IPV6, IPV6, n + 16, &at_first);
	ck_assert_int_eq(wice__xdp_counters(xdp, &channel, &to_peer, &to_client), 0);
	ck_assert_uint_eq(to_peer.packets, 0);
	ck_assert_uint_eq(to_client.packets, 1);
	ck_assert_uint_eq(to_client.bytes, sizeof data);
	close_programs();
}
END_TEST

/* RFC 8656 sections 14 to 16. */
START_TEST(fields_of_ip_are_kept)
{
	uint8_t data[64] = { 7 };
	Way in, out;
	if (!open_programs())
		return;
	for (int i = 0; i < 4; i++) {
		Family client = i / 2, relayed = i % 2;
		make_ways(TO_PEER, client, relayed, 0, &in, &out);
		Packet before = make(&in, data, sizeof data);
		Packet wanted = make_departing(&out, client, data, sizeof data);
		uint8_t *from = before.bytes + ETHERNET, *to = wanted.bytes + ETHERNET;
		if (client == IPV4) {
			from[1] = 0xb9;
			from[8] = 2;
			put_u16(from + 4, 0xabcd);
			finish_ipv4(&before);
		} else {
			memcpy(from, "\x6b\x91\x23\x45", 4);
			from[7] = 2;
		}
		if (relayed == IPV4) {
			to[1] = 0xb9;
			to[8] = 1;
			if (client == IPV4)
				put_u16(to + 4, 0xabcd);
			finish_ipv4(&wanted);
		} else {
			memcpy(to, client == IPV6 ? "\x6b\x91\x23\x45" : "\x6b\x90\0\0", 4);
			to[7] = 1;
		}
		expect("class, hops, id, label", &before, &wanted);
	}
	close_programs();
}
END_TEST

typedef struct {
	const char *name;
	Direction direction;
	Family client, relayed;
	size_t len;
	void (*change)(Packet *packet);
	bool done; /* else it goes up */
} Case;

static void set_checksum(Packet *packet, uint16_t value)
{
	put_u16(packet->bytes + packet->udp + 6, value);
}

static void right_checksum(Packet *packet)
{
	set_checksum(packet, 0);
	set_checksum(packet, (uint16_t)~checksum(packet));
}

static void last_hop(Packet *packet)
{
	bool ipv4 = packet->bytes[ETHERNET] >> 4 == 4;
	packet->bytes[ETHERNET + (ipv4 ? 8 : 7)] = 1;
	if (ipv4)
		finish_ipv4(packet);
}

static void no_hop(Packet *packet)
{
	packet->bytes[ETHERNET + 8] = 0;
	finish_ipv4(packet);
}

static void first_fragment(Packet *packet)
{
	put_u16(packet->bytes + ETHERNET + 6, 0x2000);
	finish_ipv4(packet);
}

static void last_fragment(Packet *packet)
{
	put_u16(packet->bytes + ETHERNET + 6, 0x0001);
	finish_ipv4(packet);
}

/* In front of UDP's header, of eight bytes; next: of that type. */
static void add_header(Packet *packet, uint8_t next)
{
	uint8_t *ip = packet->bytes + ETHERNET;
	memmove(ip + 48, ip + 40, packet->len - ETHERNET - 40);
	memset(ip + 40, 0, 8);
	ip[6] = next;
	ip[40] = IPPROTO_UDP;
	ip[43] = 1; /* of a fragment: there are more */
	packet->len += 8;
	packet->udp += 8;
	put_u16(ip + 4, packet->len - ETHERNET - 40);
}

static void hop_by_hop(Packet *packet)
{
	add_header(packet, IPPROTO_HOPOPTS);
}

static void routing(Packet *packet)
{
	add_header(packet, IPPROTO_ROUTING);
}

static void fragment_header(Packet *packet)
{
	add_header(packet, IPPROTO_FRAGMENT);
}

static void options(Packet *packet)
{
	uint8_t *ip = packet->bytes + ETHERNET;
	memmove(ip + 24, ip + 20, packet->len - ETHERNET - 20);
	memset(ip + 20, 1, 4);
	ip[0]++;
	packet->len += 4;
	packet->udp += 4;
	put_u16(ip + 2, packet->len - ETHERNET);
	finish_ipv4(packet);
}

/* Makes UDP and IP that much longer. */
static void lengthen(Packet *packet, size_t by)
{
	uint8_t *ip = packet->bytes + ETHERNET, *udp = packet->bytes + packet->udp;
	bool ipv4 = ip[0] >> 4 == 4;
	put_u16(udp + 4, get_u16(udp + 4) + by);
	put_u16(ip + (ipv4 ? 2 : 4), get_u16(ip + (ipv4 ? 2 : 4)) + by);
	if (ipv4)
		finish_ipv4(packet);
	packet->len += by;
	right_checksum(packet);
}

static void padding(Packet *packet)
{
	lengthen(packet, 3);
}

static void tail(Packet *packet)
{
	packet->len++;
}

static void cut_off(Packet *packet)
{
	packet->len--;
}

static void longer_ip(Packet *packet)
{
	uint8_t *len = packet->bytes + ETHERNET + 2;
	put_u16(len, get_u16(len) + 1u);
	finish_ipv4(packet);
	packet->len++;
}

static void no_checksum(Packet *packet)
{
	set_checksum(packet, 0);
}

/* That of the pseudo header, which a device would complete. */
static void partial_checksum(Packet *packet)
{
	const uint8_t *ip = packet->bytes + ETHERNET, *udp = packet->bytes + packet->udp;
	uint32_t sum = (uint32_t)IPPROTO_UDP + get_u16(udp + 4);
	sum = ip[0] >> 4 == 4 ? add_words(sum, ip + 12, 8) : add_words(sum, ip + 8, 32);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	set_checksum(packet, (uint16_t)sum);
}

static void longer_channel(Packet *packet)
{
	uint8_t *len = packet->bytes + packet->udp + 10;
	put_u16(len, get_u16(len) + 1u);
	right_checksum(packet);
}

static void unknown_channel(Packet *packet)
{
	put_u16(packet->bytes + packet->udp + 8, 0x4abc);
	right_checksum(packet);
}

static void no_channel(Packet *packet)
{
	packet->bytes[packet->udp + 8] = 0;
	right_checksum(packet);
}

static void other_sender(Packet *packet)
{
	packet->bytes[ETHERNET + 15] ^= 1;
	finish_ipv4(packet);
	right_checksum(packet);
}

static void other_sender_port(Packet *packet)
{
	packet->bytes[packet->udp + 1] ^= 1;
	right_checksum(packet);
}

static void other_receiver(Packet *packet)
{
	packet->bytes[ETHERNET + 39] ^= 4;
	right_checksum(packet);
}

static void other_port(Packet *packet)
{
	packet->bytes[packet->udp + 2] ^= 1;
	right_checksum(packet);
}

static void vlan(Packet *packet)
{
	memmove(packet->bytes + 16, packet->bytes + 12, packet->len - 12);
	memcpy(packet->bytes + 12, "\x81\x00\x00\x05", 4);
	packet->len += 4;
	packet->udp += 4;
}

static void to_all(Packet *packet)
{
	memset(packet->bytes, 0xff, 6);
}

static void to_many(Packet *packet)
{
	packet->bytes[0] = 1;
}

static void other_protocol(Packet *packet)
{
	packet->bytes[ETHERNET + 9] = IPPROTO_UDPLITE;
	finish_ipv4(packet);
}

static void other_version(Packet *packet)
{
	packet->bytes[ETHERNET] ^= 0x10;
}

static void as_it_is(Packet *packet)
{
}

#define LEN 100
#define MOST(head) (MTU - (head)-8)

static const Case cases[] = {
	{ "as it is", TO_PEER, IPV4, IPV4, LEN, as_it_is, true },
	{ "the last hop", TO_PEER, IPV4, IPV4, LEN, last_hop, false },
	{ "the last hop, IPv6", TO_PEER, IPV6, IPV4, LEN, last_hop, false },
	{ "no hop at all", TO_PEER, IPV4, IPV4, LEN, no_hop, false },
	{ "IPv4 options", TO_CLIENT, IPV4, IPV4, LEN, options, false },
	{ "the first fragment", TO_CLIENT, IPV4, IPV4, LEN, first_fragment, false },
	{ "the last fragment", TO_PEER, IPV4, IPV4, LEN, last_fragment, false },
	{ "a fragment of IPv6", TO_PEER, IPV6, IPV6, LEN, fragment_header, false },
	{ "hop-by-hop options", TO_PEER, IPV6, IPV6, LEN, hop_by_hop, false },
	{ "a routing header", TO_CLIENT, IPV6, IPV6, LEN, routing, false },
	{ "padding in UDP", TO_PEER, IPV4, IPV4, LEN - 3, padding, false },
	{ "padding in UDP, IPv6", TO_PEER, IPV6, IPV4, LEN - 3, padding, false },
	{ "longer from a peer is just longer", TO_CLIENT, IPV4, IPV4, LEN, as_it_is, true },
	{ "something behind", TO_PEER, IPV4, IPV4, LEN, tail, false },
	{ "something behind, IPv6", TO_CLIENT, IPV6, IPV6, LEN, tail, false },
	{ "cut off", TO_PEER, IPV4, IPV4, LEN, cut_off, false },
	{ "IP longer than UDP", TO_PEER, IPV4, IPV4, LEN, longer_ip, false },
	{ "no checksum to IPv6", TO_PEER, IPV4, IPV6, LEN, no_checksum, false },
	{ "no checksum from IPv6", TO_PEER, IPV6, IPV6, LEN, no_checksum, false },
	{ "no checksum from IPv6 to IPv4", TO_PEER, IPV6, IPV4, LEN, no_checksum, false },
	{ "a partial checksum", TO_PEER, IPV4, IPV4, LEN, partial_checksum, false },
	{ "a partial checksum, IPv6", TO_PEER, IPV6, IPV6, LEN, partial_checksum, false },
	{ "a partial one of a peer", TO_CLIENT, IPV4, IPV6, LEN, partial_checksum, false },
	{ "a longer channel", TO_PEER, IPV4, IPV4, LEN, longer_channel, false },
	{ "an unknown channel", TO_PEER, IPV4, IPV4, LEN, unknown_channel, false },
	{ "no channel", TO_PEER, IPV4, IPV4, LEN, no_channel, false },
	{ "another sender", TO_PEER, IPV4, IPV4, LEN, other_sender, false },
	{ "another peer", TO_CLIENT, IPV4, IPV4, LEN, other_sender, false },
	{ "another sender's port", TO_CLIENT, IPV4, IPV4, LEN, other_sender_port, false },
	{ "another receiver", TO_CLIENT, IPV6, IPV6, LEN, other_receiver, false },
	{ "another port", TO_PEER, IPV4, IPV4, LEN, other_port, false },
	{ "of a VLAN", TO_PEER, IPV4, IPV4, LEN, vlan, false },
	{ "broadcast", TO_PEER, IPV4, IPV4, LEN, to_all, false },
	{ "multicast", TO_PEER, IPV6, IPV6, LEN, to_many, false },
	{ "UDP-Lite", TO_PEER, IPV4, IPV4, LEN, other_protocol, false },
	{ "version 5", TO_PEER, IPV4, IPV4, LEN, other_version, false },
	{ "version 7", TO_PEER, IPV6, IPV6, LEN, other_version, false },
	{ "little data", TO_PEER, IPV4, IPV4, MIN_DATA - 1, as_it_is, false },
	{ "little data, IPv6", TO_CLIENT, IPV6, IPV6, MIN_DATA - 1, as_it_is, false },
	{ "no data", TO_PEER, IPV6, IPV6, 0, as_it_is, false },
	{ "the MTU, 4 to 4", TO_CLIENT, IPV4, IPV4, MOST(24), as_it_is, true },
	{ "above the MTU, 4 to 4", TO_CLIENT, IPV4, IPV4, MOST(24) + 1, as_it_is, false },
	{ "the MTU, 4 to 6", TO_CLIENT, IPV6, IPV4, MOST(44), as_it_is, true },
	{ "above the MTU, 4 to 6", TO_CLIENT, IPV6, IPV4, MOST(44) + 1, as_it_is, false },
	{ "the MTU, 6 to 6", TO_CLIENT, IPV6, IPV6, MOST(44), as_it_is, true },
	{ "above the MTU, 6 to 6", TO_CLIENT, IPV6, IPV6, MOST(44) + 1, as_it_is, false },
};

START_TEST(what_goes_up)
{
	uint8_t data[MTU];
	Way in, out;
	if (!open_programs())
		return;
	fill(data, sizeof data, 1);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const Case *of = &cases[i];
		make_ways(of->direction, of->client, of->relayed, 0, &in, &out);
		Packet packet = make(&in, data, of->len);
		of->change(&packet);
		Packet wanted = make_departing(&out, in.family, data, of->len);
		expect(of->name, &packet, of->done ? &wanted : NULL);
	}
	close_programs();
}
END_TEST

START_TEST(no_checksum_stays_none_in_ipv4)
{
	uint8_t data[LEN] = { 3 };
	Way in, out;
	if (!open_programs())
		return;
	for (Direction direction = TO_PEER; direction < N_DIRECTIONS; direction++) {
		make_ways(direction, IPV4, IPV4, IPV4, &in, &out);
		Packet packet = make(&in, data, sizeof data);
		Packet wanted = make_departing(&out, IPV4, data, sizeof data);
		no_checksum(&packet);
		no_checksum(&wanted);
		expect("no checksum", &packet, &wanted);
	}
	close_programs();
}
END_TEST

/* Zero would say that there is none. Every value of a word is tried, so that one of them gives it. */
START_TEST(checksum_of_zero_is_ones)
{
	uint8_t data[LEN] = { 3 };
	Way in, out;
	size_t n = 0;
	if (!open_programs())
		return;
	make_ways(TO_PEER, IPV4, IPV6, 0, &in, &out);
	for (size_t word = 0; word < 65536; word++) {
		put_u16(data, word);
		Packet wanted = make_departing(&out, IPV4, data, sizeof data);
		if (get_u16(wanted.bytes + wanted.udp + 6) != 0xffff)
			continue;
		Packet packet = make(&in, data, sizeof data);
		expect("ones", &packet, &wanted);
		n++;
	}
	ck_assert_uint_ge(n, 1);
	close_programs();
}
END_TEST

static void expect_both_ways(const char *name, bool done)
{
	uint8_t data[LEN] = { 5 };
	Way in, out;
	for (Direction direction = TO_PEER; direction < TO_OTHER; direction++) {
		make_ways(direction, IPV4, IPV6, 0, &in, &out);
		Packet packet = make(&in, data, sizeof data);
		Packet wanted = make_departing(&out, in.family, data, sizeof data);
		expect(name, &packet, done ? &wanted : NULL);
	}
}

static void expect_stranger(const char *name, bool done)
{
	uint8_t data[LEN] = { 6 };
	const uint16_t n = 15;
	const End client = { { CLIENTS }, CLIENT_PORT }, server = { { OURS }, SERVER_PORT };
	const End ours = { { OURS }, RELAYED_PORT + 15 }, stranger = { { STRANGERS }, PEER_PORT };
	const Way in = { client, server, IPV4, CHANNEL + 15 }, out = { ours, stranger, IPV4, 0 };
	WiceXdpChannel channel = make_channel(&client, IPV4, IPV4, n, &stranger);
	ck_assert_int_eq(wice__xdp_add(xdp, &channel), 0);
	Packet packet = make(&in, data, sizeof data);
	Packet wanted = make_departing(&out, IPV4, data, sizeof data);
	expect(name, &packet, done ? &wanted : NULL);
}

START_TEST(routes_and_neighbours_are_known_before)
{
	if (!open_programs())
		return;
	expect_both_ways("at first", true);
	expect_stranger("whose link address is unknown", false);
	ck_assert(run_command("ip neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev " DEVICE));
	expect_stranger("who is known", true);
	ck_assert(run_command("ip route add unreachable 192.0.2.9"));
	expect_stranger("who is not to be reached", false);
	ck_assert(run_command("ip route del unreachable 192.0.2.9 && "
			      "ip route add 192.0.2.9 dev " DEVICE " mtu lock 120"));
	expect_stranger("whose path has a smaller MTU", false);
	ck_assert(run_command("ip route change 192.0.2.9 dev " DEVICE " mtu lock 130"));
	expect_stranger("whose path has an MTU that does", true);
	close_programs();
}
END_TEST

/* Others' devices, and those that drop what they are given. */
START_TEST(devices_are_known_to_take_packets)
{
	if (!open_programs())
		return;
	uint8_t data[LEN] = { 5 };
	uint32_t ifindex = if_nametoindex(DEVICE);
	WiceXdpDevice device = { .ways = WICE_XDP_WAY_FRAMES };
	Way in, out;
	make_ways(TO_PEER, IPV4, IPV4, 0, &in, &out);
	Packet packet = make(&in, data, sizeof data);
	Packet wanted = make_departing(&out, in.family, data, sizeof data);
	ck_assert_int_eq(bpf_map_update_elem(devices_map, &ifindex, &device, BPF_EXIST), 0);
	expect_of(NATIVE, "not natively", &packet, NULL);
	expect_of(GENERIC, "but so", &packet, &wanted);
	expect_of(TC, "but so", &packet, &wanted);
	ck_assert_int_eq(bpf_map_delete_elem(devices_map, &ifindex), 0);
	expect("unknown", &packet, NULL);
	close_programs();
}
END_TEST

static void put_switch(const char *path, char value)
{
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputc(value, file);
	ck_assert_int_eq(fclose(file), 0);
}

static char get_switch(const char *path)
{
	FILE *file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	int value = fgetc(file);
	fclose(file);
	return (char)value;
}

/* The kernel tells routes to who forwards. This host does not become a router. */
START_TEST(only_loopback_forwards)
{
	static const char *const lo[] = { "/proc/sys/net/ipv4/conf/lo/forwarding",
					  "/proc/sys/net/ipv6/conf/lo/forwarding" };
	static const char *const others[] = { "/proc/sys/net/ipv4/conf/" DEVICE "/forwarding",
					      "/proc/sys/net/ipv6/conf/" DEVICE "/forwarding",
					      "/proc/sys/net/ipv4/ip_forward",
					      "/proc/sys/net/ipv6/conf/all/forwarding" };
	if (!open_programs())
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
		put_switch(others[i], '0');
	for (size_t i = 0; i < G_N_ELEMENTS(lo); i++)
		put_switch(lo[i], '0');
	expect_both_ways("nothing forwards", false);
	for (size_t i = 0; i < G_N_ELEMENTS(lo); i++)
		put_switch(lo[i], '1');
	expect_both_ways("loopback forwards", true);
	wice__xdp_free(xdp);
	for (size_t i = 0; i < G_N_ELEMENTS(lo); i++)
		put_switch(lo[i], '0');
	xdp = wice__xdp_new(context, NULL, NULL);
	ck_assert_ptr_nonnull(xdp);
	for (size_t i = 0; i < G_N_ELEMENTS(lo); i++)
		ck_assert_int_eq(get_switch(lo[i]), '1');
	for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
		ck_assert_int_eq(get_switch(others[i]), '0');
	close_programs();
	for (size_t i = 0; i < G_N_ELEMENTS(lo); i++)
		ck_assert_int_eq(get_switch(lo[i]), '0');
}
END_TEST

/* So that the kernel hears of neighbours: one packet of each flow, and then no more. */
START_TEST(one_packet_of_an_epoch_goes_up)
{
	if (!open_programs())
		return;
	const uint32_t zero = 0;
	struct xdp_bpf__bss *bss = g_new0(struct xdp_bpf__bss, 1);
	uint8_t data[LEN] = { 5 };
	Way in, out;
	make_ways(TO_PEER, IPV4, IPV4, 0, &in, &out);
	Packet packet = make(&in, data, sizeof data);
	Packet wanted = make_departing(&out, in.family, data, sizeof data);
	for (Program program = NATIVE; program < N_PROGRAMS; program++) {
		expect_of(program, "before", &packet, &wanted);
		ck_assert_int_eq(bpf_map_lookup_elem(bss_map, &zero, bss), 0);
		bss->epoch++;
		ck_assert_int_eq(bpf_map_update_elem(bss_map, &zero, bss, BPF_ANY), 0);
		expect_of(program, "the first", &packet, NULL);
		expect_of(program, "the second", &packet, &wanted);
	}
	/* What TC has is left behind by the dead where there is no tcx. */
	bss->alive_until_ns = 0;
	ck_assert_int_eq(bpf_map_update_elem(bss_map, &zero, bss, BPF_ANY), 0);
	expect_of(TC, "the process is dead", &packet, NULL);
	g_free(bss);
	close_programs();
}
END_TEST

/* RFC 1071: by how much the checksum is wrong, if it is. */
static uint16_t wrongness(const Packet *packet)
{
	return checksum(packet) % 0xffff;
}

static size_t udp_of(const Packet *packet)
{
	return ETHERNET + (packet->bytes[ETHERNET] >> 4 == 4 ? 20 : 40);
}

/*
 * Bytes of the headers are anything. What goes up is as it was, and what does not is a packet of
 * which the checksum is as right or wrong as it was: nothing is vouched for.
 */
START_TEST(anything_may_come)
{
	enum { ROUNDS = 60000 };
	uint8_t data[LEN];
	size_t sent = 0;
	Way in, out;
	if (!open_programs())
		return;
	g_autoptr(GRand) random = g_rand_new_with_seed(6);
	for (int i = 0; i < ROUNDS; i++) {
		Program program = i % N_PROGRAMS;
		make_ways((Direction)g_rand_int_range(random, 0, N_DIRECTIONS),
			  (Family)g_rand_int_range(random, 0, 2),
			  (Family)g_rand_int_range(random, 0, 2),
			  (Family)g_rand_int_range(random, 0, 2), &in, &out);
		fill(data, sizeof data, g_rand_int(random));
		Packet before = make(&in, data, sizeof data);
		int n = g_rand_int_range(random, 0, 4);
		while (n-- > 0)
			before.bytes[g_rand_int_range(random, 0, (gint32)before.udp + 14)] =
				(uint8_t)g_rand_int(random);
		if (g_rand_int_range(random, 0, 8) == 0)
			before.len = (size_t)g_rand_int_range(random, ETHERNET + 40,
							      (gint32)before.len + 1);
		Packet after = before;
		int r = run(program, &after);
		if (!is_sent(program, r)) {
			ck_assert_int_eq(r, program == TC ? TC_ACT_UNSPEC : XDP_PASS);
			ck_assert_uint_eq(after.len, before.len);
			ck_assert_mem_eq(after.bytes, before.bytes, before.len);
			continue;
		}
		sent++;
		before.udp = udp_of(&before);
		after.udp = udp_of(&after);
		ck_assert_uint_eq(after.len, after.udp + get_u16(after.bytes + after.udp + 4));
		ck_assert_mem_eq(after.bytes + after.len - sizeof data + 4,
				 before.bytes + before.len - sizeof data + 4, sizeof data - 4);
		if (get_u16(before.bytes + before.udp + 6) == 0)
			ck_assert_uint_eq(get_u16(after.bytes + after.udp + 6), 0);
		else
			ck_assert_uint_eq(wrongness(&after), wrongness(&before));
	}
	ck_assert_uint_gt(sent, ROUNDS / 8);
	ck_assert_uint_lt(sent, ROUNDS / 8 * 7);
	close_programs();
}
END_TEST

static void expect_forgotten(const WiceXdpChannel *channel)
{
	WiceXdpCount to_peer, to_client;
	ck_assert_int_eq(wice__xdp_counters(xdp, channel, &to_peer, &to_client), -ENOENT);
}

START_TEST(channels_come_and_go)
{
	WiceXdpCount count;
	if (!open_programs())
		return;
	WiceXdpChannel channel = plain_channel(IPV4, IPV6), moved = channel;
	expect_both_ways("there", true);
	/* As when it is refreshed: nothing is forgotten. */
	ck_assert_int_eq(wice__xdp_add(xdp, &channel), 0);
	ck_assert_int_eq(wice__xdp_counters(xdp, &channel, &count, NULL), 0);
	ck_assert_uint_eq(count.packets, N_PROGRAMS);
	wice__xdp_remove(xdp, &channel);
	expect_both_ways("gone", false);
	expect_forgotten(&channel);
	wice__xdp_remove(xdp, &channel);
	ck_assert_int_eq(wice__xdp_add(xdp, &channel), 0);
	expect_both_ways("again", true);
	/* What was not removed in time makes room. Then the end of the former means nothing. */
	moved.relayed.port = RELAYED_PORT + 15;
	ck_assert_int_eq(wice__xdp_add(xdp, &moved), 0);
	wice__xdp_remove(xdp, &channel);
	ck_assert_int_eq(wice__xdp_counters(xdp, &moved, &count, NULL), 0);
	wice__xdp_remove(xdp, &moved);
	expect_forgotten(&moved);
	ck_assert_int_eq(wice__xdp_add(xdp, &channel), 0);
	expect_both_ways("at last", true);
	close_programs();
}
END_TEST

START_TEST(what_is_no_channel_is_refused)
{
	if (!open_programs())
		return;
	const WiceXdpChannel good = plain_channel(IPV4, IPV6);
	WiceXdpChannel bad[8];
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		bad[i] = good;
	bad[0].channel = 0x3fff;
	bad[1].channel = 0x8000;
	bad[2].client.port = 0;
	bad[3].peer.port = 0;
	bad[4].client.address = good.peer.address;
	bad[5].relayed.address = good.client.address;
	bad[6].peer = (WiceEndpoint){ 0 };
	ck_assert(wice_address_parse("fe80::4", &bad[7].peer.address));
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		ck_assert_int_eq(wice__xdp_add(xdp, &bad[i]), -EINVAL);
		expect_forgotten(&bad[i]);
	}
	close_programs();
}
END_TEST

START_TEST(there_are_so_many_channels)
{
	const WiceXdpOptions options = { .size = sizeof options,
					 .mode = WICE_XDP_TC,
					 .max_channels = 16 };
	if (!open_programs())
		return;
	wice__xdp_free(xdp);
	xdp = wice__xdp_new(context, &options, NULL);
	ck_assert_ptr_nonnull(xdp);
	WiceXdpChannel channel = plain_channel(IPV4, IPV4), first = channel;
	int r = 0, n = 0;
	while (r == 0 && n < 64) {
		channel.peer.port++;
		channel.channel++;
		r = wice__xdp_add(xdp, &channel);
		n += r == 0;
	}
	ck_assert_int_eq(r, -ENOSPC);
	ck_assert_int_ge(n, 16);
	expect_forgotten(&channel);
	first.peer.port++;
	first.channel++;
	wice__xdp_remove(xdp, &first);
	ck_assert_int_eq(wice__xdp_add(xdp, &channel), 0);
	close_programs();
}
END_TEST

SUITE_MAIN("turnserver xdp program", all_ways_in_all_families, clients_that_meet_are_counted_twice,
	   fields_of_ip_are_kept, what_goes_up, no_checksum_stays_none_in_ipv4,
	   checksum_of_zero_is_ones, routes_and_neighbours_are_known_before,
	   devices_are_known_to_take_packets, only_loopback_forwards,
	   one_packet_of_an_epoch_goes_up, anything_may_come, channels_come_and_go,
	   what_is_no_channel_is_refused, there_are_so_many_channels)
