/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The programs for relayed packets on single packets, by BPF_PROG_TEST_RUN. What they make of a
 * packet is compared with one that is made anew, byte by byte: lengths, checksums and all.
 */
#include <linux/pkt_cls.h>
#include <sched.h>

#include "bpf_packet.h"
#include "proxy/bpf/relayed_maps.h"

#define WG_PORT 51820
#define CLIENT_PORT 40001 /* the TURN client's socket */
#define RELAY_PORT 3478
#define CHANNEL 0x4000 /* and the next: in place */
#define SYNTHETIC 20000
#define OURS "192.0.2.1", "2001:db8::1"
#define RELAYS "198.51.100.7", "2001:db8:7::7"
#define SOMEBODYS "203.0.113.9", "2001:db8:9::9"
#define DATA_MIN 32

typedef enum { STANDARD, IN_PLACE, N_MODES } Mode;
typedef enum { INGRESS, EGRESS } Direction;
typedef enum { LEFT_ALONE = 0, DONE, DROPPED, TO_CLIENT } Fate;

static const Headers to_relay = {
	.source = { OURS },
	.destination = { RELAYS },
	.source_port = WG_PORT,
};
static const Headers from_relay = {
	.source = { RELAYS },
	.destination = { OURS },
	.source_port = RELAY_PORT,
	.destination_port = WG_PORT,
};

static struct relayed_bpf *relayed;

static WiceRelayedKey make_key(Family family, uint16_t first, uint16_t second, uint16_t third)
{
	static const char *const relays[] = { RELAYS };
	return (WiceRelayedKey){ mapped(family, relays[family]),
				 WICE_RELAYED_NUMBERS(htons(first), htons(second), htons(third)) };
}

static void fill(Family family)
{
	static const char *const ours[] = { OURS };
	WiceRelayedKey key = make_key(family, RELAY_PORT, WG_PORT, 0);
	WiceRelayedClient client = { htons(CLIENT_PORT) };
	insert(relayed->maps.relays, &key, &client);
	for (Mode mode = STANDARD; mode < N_MODES; mode++) {
		WiceRelayedSent to = { .wg_port = htons(WG_PORT),
				       .server_port = htons(RELAY_PORT),
				       .channel = htons((uint16_t)(CHANNEL + mode)),
				       .in_place = mode == IN_PLACE };
		WiceRelayedReceived from = { .synthetic_port = htons((uint16_t)(SYNTHETIC + mode)),
					     .in_place = mode == IN_PLACE,
					     .local = mapped(family, ours[family]) };
		key = make_key(family, (uint16_t)(SYNTHETIC + mode), 0, 0);
		insert(relayed->maps.sent, &key, &to);
		key = make_key(family, RELAY_PORT, WG_PORT, (uint16_t)(CHANNEL + mode));
		insert(relayed->maps.received, &key, &from);
		set_bit(relayed->bss->synthetic_ports, (uint16_t)(SYNTHETIC + mode));
	}
}

/* Where nothing is forwarded, so that all is for this host. */
static void enter_namespace(void)
{
	static const char *const switches[] = { "/proc/sys/net/ipv4/ip_forward",
						"/proc/sys/net/ipv6/conf/all/forwarding" };
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	for (size_t i = 0; i < G_N_ELEMENTS(switches); i++) {
		FILE *file = fopen(switches[i], "w");
		if (file && fputc('0', file) != EOF)
			fclose(file);
	}
}

static bool open_programs(void)
{
	libbpf_set_print(quiet);
	relayed = relayed_bpf__open();
	ck_assert_ptr_nonnull(relayed);
	int r = relayed_bpf__load(relayed);
	if (r < 0) {
		ck_assert_msg(geteuid() != 0 || r == -EPERM || r == -ENOSYS, "%s", g_strerror(-r));
		printf("skipped: BPF programs cannot be loaded here: %s\n", g_strerror(-r));
		return false;
	}
	enter_namespace();
	set_bit(relayed->bss->wg_ports, WG_PORT);
	set_bit(relayed->bss->wg_ports, WG_PORT + 1);
	relayed->bss->alive_until_ns = UINT64_MAX;
	for (Family family = IPV4; family < N_FAMILIES; family++)
		fill(family);
	return true;
}

static void close_programs(void)
{
	relayed_bpf__destroy(relayed);
}

/* Returns what the program does; the packet is what it has made of it. gso: size of segments. */
static int run(Direction direction, Packet *packet, uint32_t gso)
{
	const struct bpf_program *program =
		direction == EGRESS ? relayed->progs.wice_egress : relayed->progs.wice_ingress;
	Packet in = *packet;
	struct __sk_buff skb = { .gso_size = gso };
	struct bpf_test_run_opts options = { .sz = sizeof options,
					     .data_in = in.bytes,
					     .data_size_in = (uint32_t)in.len,
					     .data_out = packet->bytes,
					     .data_size_out = sizeof packet->bytes,
					     .ctx_in = gso ? &skb : NULL,
					     .ctx_size_in = gso ? sizeof skb : 0,
					     .repeat = 1 };
	int r = bpf_prog_test_run_opts(bpf_program__fd(program), &options);
	/* Newer kernels refuse to run a program on less than an IP header. */
	if (r == -EINVAL && in.len < ETHERNET + 40)
		return TC_ACT_UNSPEC;
	ck_assert_msg(r == 0, "length %zu: %s", in.len, g_strerror(-r));
	packet->len = options.data_size_out;
	return (int32_t)options.retval;
}

/* wanted: what is to become of the packet if it is done. */
static void expect(const char *name, Direction direction, const Packet *before, Fate fate,
		   const Packet *wanted)
{
	Packet after = *before;
	int r = run(direction, &after, 0);
	ck_assert_msg((r == TC_ACT_SHOT) == (fate == DROPPED), "%s: dropped %d", name,
		      r == TC_ACT_SHOT);
	if (fate == DROPPED)
		return;
	ck_assert_int_eq(r, TC_ACT_UNSPEC);
	if (fate == LEFT_ALONE)
		wanted = before;
	ck_assert_msg(after.len == wanted->len, "%s: %zu bytes instead of %zu", name, after.len,
		      wanted->len);
	for (size_t i = 0; i < wanted->len; i++)
		ck_assert_msg(after.bytes[i] == wanted->bytes[i], "%s: byte %zu of %zu", name, i,
			      wanted->len);
}

/* WireGuard's. */
static void make_message(uint8_t *message, uint8_t type, size_t len)
{
	for (size_t i = 0; i < len; i++)
		message[i] = (uint8_t)(i * 7 + (i >> 8) + len);
	memset(message, 0, MIN(len, 4));
	message[0] = type;
}

/* Returns the length. */
static size_t wrap(Mode mode, const uint8_t *message, size_t len, uint8_t *ret)
{
	static const uint8_t data[] = { 4, 0, 0, 0 };
	bool in_place = mode == IN_PLACE && len >= DATA_MIN && memcmp(message, data, 4) == 0;
	size_t skip = in_place ? 4 : 0;
	put_u16(ret, CHANNEL + mode);
	put_u16(ret + 2, len - skip);
	memcpy(ret + 4, message + skip, len - skip);
	return len - skip + 4;
}

static Headers with_ports(const Headers *like, uint16_t source, uint16_t destination)
{
	Headers headers = *like;
	headers.source_port = source;
	headers.destination_port = destination;
	return headers;
}

/* A message as WireGuard sends it; what it becomes is made of the same headers. */
static void expect_sent(const char *name, const Headers *like, Family family, Mode mode,
			const uint8_t *message, size_t len, Fate fate)
{
	uint8_t wrapped[PACKET_MAX];
	Headers from_wg = with_ports(like, WG_PORT, (uint16_t)(SYNTHETIC + mode));
	Headers on_wire = with_ports(like, WG_PORT, RELAY_PORT);
	size_t wrapped_len = wrap(mode, message, len, wrapped);
	Packet before = make_packet(&from_wg, family, message, len);
	Packet wanted = make_packet(&on_wire, family, wrapped, wrapped_len);
	expect(name, EGRESS, &before, fate, &wanted);
}

/* ChannelData as it comes in, and the message in it. */
static void expect_received(const char *name, const Headers *like, Family family, Mode mode,
			    const uint8_t *data, size_t data_len, const uint8_t *message,
			    size_t len, Fate fate)
{
	Headers on_wire = with_ports(like, RELAY_PORT, WG_PORT);
	Headers to_wg = with_ports(like, (uint16_t)(SYNTHETIC + mode), WG_PORT);
	Headers to_client = with_ports(like, RELAY_PORT, CLIENT_PORT);
	Packet before = make_packet(&on_wire, family, data, data_len);
	Packet wanted = fate == TO_CLIENT ? make_packet(&to_client, family, data, data_len)
					  : make_packet(&to_wg, family, message, len);
	expect(name, INGRESS, &before, fate, &wanted);
}

START_TEST(messages_of_all_lengths)
{
	enum { MAX = 1480 };
	uint8_t message[MAX], data[MAX + 8];
	if (!open_programs())
		return;
	for (size_t len = 0; len <= MAX; len++) {
		for (int i = 0; i < N_FAMILIES * N_MODES; i++) {
			Family family = i / N_MODES;
			Mode mode = i % N_MODES;
			char name[32];
			g_snprintf(name, sizeof name, "%zu bytes, %d", len, i);
			make_message(message, 4, len);
			expect_sent(name, &to_relay, family, mode, message, len,
				    len < DATA_MIN ? DROPPED : DONE);
			size_t data_len = wrap(mode, message, len, data);
			Fate fate = len < 4 ? LEFT_ALONE : len < DATA_MIN ? TO_CLIENT : DONE;
			/* Less than a data message, behind the header of one in place. */
			if (mode == IN_PLACE && len >= 28 && len < DATA_MIN)
				continue;
			expect_received(name, &from_relay, family, mode, data, data_len, message,
					len, fate);
		}
	}
	close_programs();
}
END_TEST

/* Servers may pad to a multiple of four (RFC 8656 section 12.5), and some do. */
START_TEST(padding_is_taken_off)
{
	static const uint8_t fills[] = { 0, 1, 0xff };
	uint8_t message[256], data[256];
	if (!open_programs())
		return;
	for (int i = 0; i < N_FAMILIES * N_MODES * 3; i++) {
		Family family = i / N_MODES % N_FAMILIES;
		Mode mode = i % N_MODES;
		for (size_t len = 96; len < 101; len++) {
			for (size_t padding = 0; padding < 6; padding++) {
				bool right =
					padding == 0 || (padding < 4 && (len + padding) % 4 == 0);
				make_message(message, 4, len);
				size_t data_len = wrap(mode, message, len, data);
				memset(data + data_len, fills[i / N_MODES / N_FAMILIES], padding);
				expect_received("padding", &from_relay, family, mode, data,
						data_len + padding, message, len,
						right ? DONE : TO_CLIENT);
			}
		}
	}
	close_programs();
}
END_TEST

START_TEST(handshakes_are_told_from_data)
{
	static const struct {
		const char *name;
		uint8_t type;
		size_t len;
		Fate standard;
		bool as_is; /* also where in place was agreed */
	} cases[] = {
		{ "initiation", 1, 148, DONE, true },
		{ "response", 2, 92, DONE, true },
		{ "cookie", 3, 64, DONE, true },
		{ "an initiation of another length", 1, 147, TO_CLIENT, false },
		{ "a response of another length", 2, 148, TO_CLIENT, false },
		{ "a cookie of another length", 3, 92, TO_CLIENT, false },
		{ "an unknown type", 5, 148, TO_CLIENT, false },
		{ "type 0", 0, 64, TO_CLIENT, false },
		{ "keepalive", 4, 32, DONE, false },
		{ "less than a keepalive", 4, 31, TO_CLIENT, false },
	};
	uint8_t message[256], data[256];
	if (!open_programs())
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(cases) * N_FAMILIES; i++) {
		const size_t n = i / N_FAMILIES, len = cases[n].len;
		Family family = i % N_FAMILIES;
		make_message(message, cases[n].type, len);
		put_u16(data, CHANNEL);
		put_u16(data + 2, len);
		memcpy(data + 4, message, len);
		expect_received(cases[n].name, &from_relay, family, STANDARD, data, len + 4,
				message, len, cases[n].standard);
		put_u16(data, CHANNEL + IN_PLACE);
		if (cases[n].as_is) {
			expect_received(cases[n].name, &from_relay, family, IN_PLACE, data, len + 4,
					message, len, DONE);
			expect_sent(cases[n].name, &to_relay, family, IN_PLACE, message, len, DONE);
			continue;
		}
		/* Data that begins so: the first four bytes are those of a receiver's index. */
		memcpy(message + 4, data + 4, len);
		memcpy(message, "\4\0\0\0", 4);
		expect_received(cases[n].name, &from_relay, family, IN_PLACE, data, len + 4,
				message, len + 4, DONE);
	}
	close_programs();
}
END_TEST

START_TEST(headers_of_all_kinds)
{
	enum { DF = 0x4000, MF = 0x2000 };
	static const struct {
		const char *name;
		Family family;
		Headers headers; /* what differs */
		Fate sent, received;
	} cases[] = {
		{ "plain IPv4", IPV4, { .options = 0 }, DONE, DONE },
		{ "not to be fragmented", IPV4, { .fragment = DF }, DONE, DONE },
		{ "ten words of options", IPV4, { .options = 10 }, DONE, DONE },
		{ "without checksum", IPV4, { .no_checksum = true }, DONE, DONE },
		{ "options, no checksum", IPV4, { .options = 3, .no_checksum = true }, DONE, DONE },
		{ "the first fragment", IPV4, { .fragment = MF }, DROPPED, TO_CLIENT },
		{ "with options", IPV4, { .fragment = MF, .options = 2 }, DROPPED, TO_CLIENT },
		{ "in between", IPV4, { .fragment = MF | 100 }, LEFT_ALONE, LEFT_ALONE },
		{ "the last fragment", IPV4, { .fragment = 100 }, LEFT_ALONE, LEFT_ALONE },
		{ "plain IPv6", IPV6, { .options = 0 }, DONE, DONE },
		{ "hop-by-hop options", IPV6, { .options = 1, .type = 0 }, DONE, DONE },
		{ "as many as are walked", IPV6, { .options = 8, .type = 60 }, DONE, DONE },
		{ "more", IPV6, { .options = 9, .type = 60 }, LEFT_ALONE, LEFT_ALONE },
		{ "the first", IPV6, { .options = 1, .type = 44 }, DROPPED, TO_CLIENT },
		{ "the first, behind options",
		  IPV6,
		  { .options = 2, .type = 60, .last_type = 44 },
		  DROPPED,
		  TO_CLIENT },
		{ "a routing header", IPV6, { .options = 1, .type = 43 }, LEFT_ALONE, LEFT_ALONE },
		{ "authenticated", IPV6, { .options = 1, .type = 51 }, LEFT_ALONE, LEFT_ALONE },
		{ "encrypted", IPV6, { .options = 1, .type = 50 }, LEFT_ALONE, LEFT_ALONE },
	};
	uint8_t message[128], data[132];
	if (!open_programs())
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(cases) * N_MODES; i++) {
		const size_t n = i / N_MODES;
		Mode mode = i % N_MODES;
		Headers out = cases[n].headers, in = cases[n].headers;
		memcpy(&out, &to_relay, G_STRUCT_OFFSET(Headers, fragment));
		memcpy(&in, &from_relay, G_STRUCT_OFFSET(Headers, fragment));
		make_message(message, 4, sizeof message);
		expect_sent(cases[n].name, &out, cases[n].family, mode, message, sizeof message,
			    cases[n].sent);
		size_t len = wrap(mode, message, sizeof message, data);
		expect_received(cases[n].name, &in, cases[n].family, mode, data, len, message,
				sizeof message, cases[n].received);
	}
	close_programs();
}
END_TEST

START_TEST(packets_of_others)
{
	static const struct {
		const char *name;
		Direction direction;
		Headers headers;
		uint16_t channel;
	} cases[] = {
		{ "WireGuard to the relay itself",
		  EGRESS,
		  { { OURS }, { RELAYS }, WG_PORT, RELAY_PORT },
		  0 },
		{ "the same port elsewhere",
		  EGRESS,
		  { { OURS }, { SOMEBODYS }, WG_PORT, SYNTHETIC },
		  0 },
		{ "another port", EGRESS, { { OURS }, { RELAYS }, WG_PORT, SYNTHETIC + 2 }, 0 },
		{ "another WireGuard",
		  EGRESS,
		  { { OURS }, { RELAYS }, WG_PORT + 1, SYNTHETIC },
		  0 },
		{ "no WireGuard", EGRESS, { { OURS }, { RELAYS }, WG_PORT + 2, SYNTHETIC }, 0 },
		{ "an unknown channel",
		  INGRESS,
		  { { RELAYS }, { OURS }, RELAY_PORT, WG_PORT },
		  CHANNEL + 2 },
		{ "another server of the host",
		  INGRESS,
		  { { RELAYS }, { OURS }, RELAY_PORT + 1, WG_PORT },
		  CHANNEL },
		{ "another relay",
		  INGRESS,
		  { { SOMEBODYS }, { OURS }, RELAY_PORT, WG_PORT },
		  CHANNEL },
		{ "to another WireGuard",
		  INGRESS,
		  { { RELAYS }, { OURS }, RELAY_PORT, WG_PORT + 1 },
		  CHANNEL },
		{ "to no WireGuard",
		  INGRESS,
		  { { RELAYS }, { OURS }, RELAY_PORT, CLIENT_PORT },
		  CHANNEL },
	};
	static const uint8_t starts[][4] = { { 4 }, { 1 }, { 0, 1 }, { 1, 1 }, { 0, 0x11 } };
	uint8_t message[132], data[136];
	if (!open_programs())
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(cases) * N_FAMILIES; i++) {
		const size_t n = i / N_FAMILIES;
		Family family = i % N_FAMILIES;
		make_message(message, 4, sizeof message);
		wrap(STANDARD, message, sizeof message, data);
		put_u16(data, cases[n].channel);
		Packet packet =
			cases[n].channel
				? make_packet(&cases[n].headers, family, data, sizeof data)
				: make_packet(&cases[n].headers, family, message, sizeof message);
		expect(cases[n].name, cases[n].direction, &packet, LEFT_ALONE, NULL);
	}
	/* The relay may be a peer, too, and STUN is the mux's. */
	for (size_t i = 0; i < G_N_ELEMENTS(starts) * N_FAMILIES; i++) {
		memset(message, 0, sizeof message);
		memcpy(message, starts[i / N_FAMILIES], 4);
		Packet packet = make_packet(&from_relay, i % N_FAMILIES, message, sizeof message);
		expect("no ChannelData", INGRESS, &packet, LEFT_ALONE, NULL);
	}
	close_programs();
}
END_TEST

START_TEST(lengths_that_are_wrong)
{
	static const size_t lengths[] = { 0, 1, 3, 4, 92, 97, 124, 1000, 0xffff };
	uint8_t data[100];
	if (!open_programs())
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(lengths) * N_FAMILIES * N_MODES; i++) {
		Mode mode = i % N_MODES;
		memset(data, 1, sizeof data);
		put_u16(data, CHANNEL + mode);
		put_u16(data + 2, lengths[i / (N_FAMILIES * N_MODES)]);
		memcpy(data + 4, "\4\0\0\0", 4);
		expect_received("length", &from_relay, i / N_MODES % N_FAMILIES, mode, data,
				sizeof data, NULL, 0, TO_CLIENT);
	}
	close_programs();
}
END_TEST

/* Segments that a userspace WireGuard sends at once, or GRO has joined. */
typedef struct {
	uint8_t before[2048], after[2048];
	size_t len;
} Segments;

static Segments make_segments(Direction direction, size_t size, size_t n, size_t last)
{
	Segments segments = { .len = size * (n - 1) + last };
	uint8_t message[1024];
	uint8_t *wg = direction == EGRESS ? segments.before : segments.after;
	uint8_t *wire = direction == EGRESS ? segments.after : segments.before;
	for (size_t i = 0; i < n; i++) {
		size_t len = i + 1 < n ? size : last;
		make_message(message, 4, len);
		memcpy(wg + i * size, message, len);
		wrap(IN_PLACE, message, len, wire + i * size);
	}
	return segments;
}

/* spoilt: where a byte is wrong. */
static void expect_segments(const char *name, Direction direction, Family family, Mode mode,
			    size_t size, size_t n, size_t last, int spoilt, Fate fate)
{
	Segments segments = make_segments(direction, size, n, last);
	uint16_t synthetic = (uint16_t)(SYNTHETIC + mode);
	Headers wg = direction == EGRESS ? with_ports(&to_relay, WG_PORT, synthetic)
					 : with_ports(&from_relay, synthetic, WG_PORT);
	Headers wire =
		direction == EGRESS ? with_ports(&to_relay, WG_PORT, RELAY_PORT) : from_relay;
	Headers client = with_ports(&from_relay, RELAY_PORT, CLIENT_PORT);
	if (spoilt >= 0)
		segments.before[spoilt] ^= 8;
	if (mode == STANDARD && direction == INGRESS)
		put_u16(segments.before, CHANNEL);
	Packet before = make_packet(direction == EGRESS ? &wg : &wire, family, segments.before,
				    segments.len);
	Packet wanted = make_packet(fate == TO_CLIENT     ? &client
				    : direction == EGRESS ? &wire
							  : &wg,
				    family, fate == TO_CLIENT ? segments.before : segments.after,
				    segments.len);
	Packet after = before;
	int r = run(direction, &after, (uint32_t)size);
	ck_assert_msg((r == TC_ACT_SHOT) == (fate == DROPPED), "%s: dropped", name);
	if (fate == DROPPED)
		return;
	/* The checksum is that of who divides it. */
	memcpy(wanted.bytes + wanted.udp + 6, after.bytes + after.udp + 6, 2);
	ck_assert_uint_eq(after.len, wanted.len);
	ck_assert_msg(memcmp(after.bytes, wanted.bytes, after.len) == 0, "%s", name);
}

START_TEST(several_segments_are_done_in_place)
{
	static const struct {
		const char *name;
		size_t size, n, last;
		int spoilt;
		Fate sent, received;
	} cases[] = {
		{ "two", 100, 2, 100, -1, DONE, DONE },
		{ "a shorter one", 100, 3, 32, -1, DONE, DONE },
		{ "many", 32, 60, 32, -1, DONE, DONE },
		{ "large", 900, 2, 900, -1, DONE, DONE },
		{ "too short a one", 100, 3, 31, -1, DROPPED, TO_CLIENT },
		{ "two bytes", 100, 3, 2, -1, DROPPED, TO_CLIENT },
		{ "another type or channel", 100, 3, 100, 100, DROPPED, TO_CLIENT },
		{ "the last one", 100, 3, 100, 200, DROPPED, TO_CLIENT },
		{ "another length", 100, 3, 100, 103, DROPPED, TO_CLIENT },
	};
	if (!open_programs())
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(cases) * N_FAMILIES; i++) {
		const size_t n = i / N_FAMILIES;
		Family family = i % N_FAMILIES;
		expect_segments(cases[n].name, EGRESS, family, IN_PLACE, cases[n].size, cases[n].n,
				cases[n].last, cases[n].spoilt, cases[n].sent);
		expect_segments(cases[n].name, INGRESS, family, IN_PLACE, cases[n].size, cases[n].n,
				cases[n].last, cases[n].spoilt, cases[n].received);
		expect_segments(cases[n].name, EGRESS, family, STANDARD, cases[n].size, cases[n].n,
				cases[n].last, cases[n].spoilt, DROPPED);
		expect_segments(cases[n].name, INGRESS, family, STANDARD, cases[n].size, cases[n].n,
				cases[n].last, cases[n].spoilt, TO_CLIENT);
	}
	WiceRelayedSent sent;
	WiceRelayedKey key = make_key(IPV4, SYNTHETIC + IN_PLACE, 0, 0);
	ck_assert_int_eq(bpf_map_lookup_elem(bpf_map__fd(relayed->maps.sent), &key, &sent), 0);
	ck_assert_uint_eq(sent.packets, 2 + 3 + 60 + 2);
	ck_assert_uint_eq(sent.bytes, 200 + 232 + 60 * 32 + 1800);
	ck_assert_uint_eq(sent.dropped_gso, 5);
	close_programs();
}
END_TEST

START_TEST(a_packet_cut_off_anywhere_is_left_alone)
{
	uint8_t message[128], data[132];
	if (!open_programs())
		return;
	for (int i = 0; i < N_FAMILIES * N_MODES * 2; i++) {
		Direction direction = i % 2;
		Mode mode = i / 2 % N_MODES;
		Headers headers = direction == EGRESS ? with_ports(&to_relay, WG_PORT,
								   (uint16_t)(SYNTHETIC + mode))
						      : from_relay;
		make_message(message, 4, sizeof message);
		size_t len = wrap(mode, message, sizeof message, data);
		Packet packet = direction == EGRESS
					? make_packet(&headers, i / 4, message, sizeof message)
					: make_packet(&headers, i / 4, data, len);
		for (size_t cut = ETHERNET + 1; cut < packet.len; cut++) {
			Packet part = packet;
			part.len = cut;
			expect("cut off", direction, &part, LEFT_ALONE, NULL);
		}
	}
	close_programs();
}
END_TEST

/* The sum of IP's header, and of all that UDP's is about. */
static void sums(const Packet *packet, uint32_t ret[2])
{
	const uint8_t *ip = packet->bytes + ETHERNET;
	uint32_t sum = ip[0] >> 4 == 4 ? add_words(0, ip, (ip[0] & 15) * 4u) : 0;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	ret[0] = sum % 0xffff;
	ret[1] = checksum(packet) % 0xffff;
}

/*
 * Whatever comes in: what a program has changed has the errors that it had before, and the message
 * is the one that was there.
 */
static void expect_undamaged(Direction direction, const Packet *before, const Packet *after)
{
	uint32_t was[2], is[2];
	const uint8_t *old = before->bytes + before->udp + 8, *new = after->bytes + after->udp + 8;
	size_t old_len = get_u16(before->bytes + before->udp + 4) - 8u;
	size_t new_len = get_u16(after->bytes + after->udp + 4) - 8u;
	sums(before, was);
	sums(after, is);
	ck_assert_uint_eq(was[0], is[0]);
	if (get_u16(before->bytes + before->udp + 6) != 0)
		ck_assert_uint_eq(was[1], is[1]);
	else
		ck_assert_uint_eq(get_u16(after->bytes + after->udp + 6), 0);
	ck_assert_uint_eq(after->len, new_len == old_len ? before->len : after->udp + 8 + new_len);
	if (direction == EGRESS && new_len == old_len + 4) {
		ck_assert_mem_eq(new + 4, old, old_len);
	} else if (direction == EGRESS || new[0] == old[0]) {
		ck_assert_uint_eq(new_len, old_len);
		ck_assert_mem_eq(new + 4, old + 4, old_len - 4);
	} else if (get_u16(old) == CHANNEL + IN_PLACE && new_len == get_u16(old + 2) + 4u) {
		ck_assert_mem_eq(new, "\4\0\0\0", 4);
		ck_assert_mem_eq(new + 4, old + 4, new_len - 4);
	} else {
		ck_assert_uint_eq(new_len, get_u16(old + 2));
		ck_assert_mem_eq(new, old + 4, new_len);
	}
}

START_TEST(packets_with_random_errors_are_not_damaged)
{
	enum { ROUNDS = 20000 };
	uint8_t message[160], data[164];
	unsigned changed = 0;
	if (!open_programs())
		return;
	GRand *random = g_rand_new_with_seed(6);
	for (int i = 0; i < ROUNDS; i++) {
		Direction direction = i % 2;
		Family family = i / 2 % N_FAMILIES;
		Mode mode = i / 4 % N_MODES;
		size_t len = (size_t)g_rand_int_range(random, 28, sizeof message);
		make_message(message, 4, len);
		Headers headers = direction == EGRESS ? with_ports(&to_relay, WG_PORT,
								   (uint16_t)(SYNTHETIC + mode))
						      : from_relay;
		size_t data_len = wrap(mode, message, len, data);
		Packet before = direction == EGRESS ? make_packet(&headers, family, message, len)
						    : make_packet(&headers, family, data, data_len);
		size_t end = MIN(before.len, before.udp + 24);
		for (int n = g_rand_int_range(random, 1, 4); n > 0; n--) {
			size_t at = (size_t)g_rand_int_range(random, ETHERNET, (int)end);
			before.bytes[at] ^= (uint8_t)(1 << g_rand_int_range(random, 0, 8));
		}
		Packet after = before;
		if (run(direction, &after, 0) == TC_ACT_SHOT ||
		    (after.len == before.len && memcmp(after.bytes, before.bytes, before.len) == 0))
			continue;
		if (family == IPV4)
			before.udp = ETHERNET + (before.bytes[ETHERNET] & 15) * 4u;
		/* A fragment's length is not that of what is here. */
		if (before.udp + get_u16(before.bytes + before.udp + 4) > before.len)
			continue;
		after.udp = before.udp;
		expect_undamaged(direction, &before, &after);
		changed++;
	}
	ck_assert_uint_gt(changed, ROUNDS / 10);
	g_rand_free(random);
	close_programs();
}
END_TEST

START_TEST(nothing_is_changed_for_a_process_that_is_not_heard_of)
{
	uint8_t message[128], data[132];
	if (!open_programs())
		return;
	/* The clock that the programs read goes by ticks. */
	relayed->bss->alive_until_ns = (uint64_t)(g_get_monotonic_time() - G_USEC_PER_SEC) * 1000;
	make_message(message, 4, sizeof message);
	for (int i = 0; i < N_FAMILIES * N_MODES; i++) {
		size_t len = wrap(i % 2, message, sizeof message, data);
		expect_sent("sent", &to_relay, i / 2, i % 2, message, sizeof message, LEFT_ALONE);
		expect_received("received", &from_relay, i / 2, i % 2, data, len, message,
				sizeof message, LEFT_ALONE);
	}
	close_programs();
}
END_TEST

SUITE_MAIN("bpf relayed program", messages_of_all_lengths, padding_is_taken_off,
	   handshakes_are_told_from_data, headers_of_all_kinds, packets_of_others,
	   lengths_that_are_wrong, several_segments_are_done_in_place,
	   a_packet_cut_off_anywhere_is_left_alone, packets_with_random_errors_are_not_damaged,
	   nothing_is_changed_for_a_process_that_is_not_heard_of)
