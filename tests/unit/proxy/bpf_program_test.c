/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mux's programs on single packets, by BPF_PROG_TEST_RUN: what they must move, how the packet
 * looks then, and all that they must leave alone.
 */
#include "bpf_packet.h"

#define WG_PORT 51820
#define AGENT_PORT 40001
#define ASKER_PORT 40002 /* of a socket that is bound to all addresses */
#define OTHER_PORT 5000
#define UFRAG "abcdEFGH"
#define OURS "192.0.2.1", "2001:db8::1"
#define THEIRS "198.51.100.7", "2001:db8:7::7"
#define SOMEBODYS "203.0.113.9", "2001:db8:9::9"

#define MAX_TRANSACTIONS 1024
#define N_IDS 10000

static const Headers sent = {
	.source = { OURS },
	.destination = { THEIRS },
	.source_port = AGENT_PORT,
	.destination_port = OTHER_PORT,
};
static const Headers received = {
	.source = { THEIRS },
	.destination = { OURS },
	.source_port = OTHER_PORT,
	.destination_port = WG_PORT,
};

/* An id as a request had it that was sent from the agent's socket. */
static const uint8_t agent_id[16] = "!\x12\xa4"
				    "Bagent-asked";
static const uint8_t asker_id[16] = "no cookie here..";

static struct mux_bpf *mux;

static size_t make_stun(uint8_t *payload, uint16_t type, const uint8_t id[16],
			const uint8_t *attributes, size_t len)
{
	put_u16(payload, type);
	put_u16(payload + 2, len);
	memcpy(payload + 4, id, 16);
	if (len)
		memcpy(payload + 20, attributes, len);
	return 20 + len;
}

static void add_socket(const WiceMuxSocket *key)
{
	WiceMuxAgent agent = { .wg_port = htons(WG_PORT) };
	insert(mux->maps.agents, key, &agent);
	set_bit(mux->bss->agent_ports, ntohs((uint16_t)key->port));
}

static void fill(void)
{
	static const char *const ours[] = { OURS }, *const any[] = { "0.0.0.0", "::" };
	set_bit(mux->bss->wg_ports, WG_PORT);
	set_bit(mux->bss->wg_ports, WG_PORT + 1);
	mux->bss->alive_until_ns = UINT64_MAX;
	for (Family family = IPV4; family < N_FAMILIES; family++) {
		WiceMuxSocket agent = { mapped(family, ours[family]), htons(AGENT_PORT) };
		WiceMuxSocket asker = { mapped(family, any[family]), htons(ASKER_PORT) };
		WiceMuxRequestKey key = { UFRAG, agent.address, htons(WG_PORT) };
		WiceMuxRequest request = { .port = htons(AGENT_PORT) };
		memcpy(key.ufrag, UFRAG, sizeof key.ufrag);
		add_socket(&agent);
		add_socket(&asker);
		insert(mux->maps.requests, &key, &request);
	}
}

/* The agent's and the asker's question, sent from that family. */
static void ask(Family family)
{
	static const char *const ours[] = { OURS }, *const any[] = { "0.0.0.0", "::" };
	WiceMuxSocket agent = { mapped(family, ours[family]), htons(AGENT_PORT) };
	WiceMuxSocket asker = { mapped(family, any[family]), htons(ASKER_PORT) };
	insert(mux->maps.transactions, agent_id, &agent);
	insert(mux->maps.transactions, asker_id, &asker);
}

static bool open_mux(void)
{
	libbpf_set_print(quiet);
	mux = mux_bpf__open();
	ck_assert_ptr_nonnull(mux);
	bpf_map__set_max_entries(mux->maps.transactions, MAX_TRANSACTIONS);
	int r = mux_bpf__load(mux);
	if (r < 0) {
		ck_assert_msg(geteuid() != 0 || r == -EPERM || r == -ENOSYS, "%s", g_strerror(-r));
		printf("skipped: BPF programs cannot be loaded here: %s\n", g_strerror(-r));
		return false;
	}
	fill();
	return true;
}

static void close_mux(void)
{
	mux_bpf__destroy(mux);
}

/* The packet is what the program has made of it. */
static void run(const struct bpf_program *program, Packet *packet)
{
	Packet in = *packet;
	struct bpf_test_run_opts options = { .sz = sizeof options,
					     .data_in = in.bytes,
					     .data_size_in = (uint32_t)in.len,
					     .data_out = packet->bytes,
					     .data_size_out = sizeof packet->bytes,
					     .repeat = 1 };
	int r = bpf_prog_test_run_opts(bpf_program__fd(program), &options);
	/* Newer kernels refuse to run a program on less than an IP header. */
	if (r == -EINVAL && in.len < ETHERNET + 40)
		return;
	ck_assert_int_eq(r, 0);
	ck_assert_int_eq((int32_t)options.retval, -1);
	ck_assert_uint_eq(options.data_size_out, in.len);
}

static const struct bpf_program *program_of(bool egress)
{
	return egress ? mux->progs.wice_egress : mux->progs.wice_ingress;
}

/* port: what it is to have instead; 0: nothing is to change. */
static void expect(const char *name, bool egress, const Packet *before, uint16_t port)
{
	Packet after = *before, wanted = *before;
	run(program_of(egress), &after);
	if (port) {
		uint8_t *udp = wanted.bytes + wanted.udp;
		put_u16(udp + (egress ? 0 : 2), port);
		if (get_u16(udp + 6) != 0) {
			put_u16(udp + 6, get_u16(after.bytes + after.udp + 6));
			ck_assert_msg(checksum(&after) == 0xffff, "%s: checksum", name);
			ck_assert_msg(get_u16(udp + 6) != 0, "%s: no checksum", name);
		}
	}
	ck_assert_msg(memcmp(after.bytes, wanted.bytes, wanted.len) == 0, "%s: %s", name,
		      port ? "not moved as it should be" : "changed");
}

/* Payloads that are moved with the headers above. */
static Packet sent_request(const Headers *headers, Family family)
{
	uint8_t payload[20];
	return make_packet(headers, family, payload, make_stun(payload, 0x0001, agent_id, NULL, 0));
}

static const uint8_t username[] = "\x00\x25\x00\x00" /* USE-CANDIDATE */
				  "\x00\x06\x00\x0d" UFRAG ":peer\x00\x00\x00";

static Packet received_request(const Headers *headers, Family family)
{
	uint8_t payload[64];
	size_t len = make_stun(payload, 0x0001, agent_id, username, sizeof username - 1);
	return make_packet(headers, family, payload, len);
}

static Packet received_response(const Headers *headers, Family family, const uint8_t id[16])
{
	uint8_t payload[32];
	return make_packet(headers, family, payload, make_stun(payload, 0x0101, id, agent_id, 12));
}

START_TEST(headers_of_all_kinds)
{
	enum { DF = 0x4000, MF = 0x2000 };
	static const struct {
		const char *name;
		Family family;
		Headers headers; /* what differs */
		bool moved;
	} cases[] = {
		{ "plain IPv4", IPV4, { .options = 0 }, true },
		{ "not to be fragmented", IPV4, { .fragment = DF }, true },
		{ "one word of options", IPV4, { .options = 1 }, true },
		{ "ten words of options", IPV4, { .options = 10 }, true },
		{ "without checksum", IPV4, { .no_checksum = true }, true },
		{ "options, without checksum", IPV4, { .options = 3, .no_checksum = true }, true },
		{ "the first fragment", IPV4, { .fragment = MF }, false },
		{ "a fragment in between", IPV4, { .fragment = MF | 100 }, false },
		{ "the last fragment", IPV4, { .fragment = 100 }, false },
		{ "plain IPv6", IPV6, { .options = 0 }, true },
		{ "hop-by-hop options", IPV6, { .options = 1, .type = 0 }, true },
		{ "destination options", IPV6, { .options = 1, .type = 60 }, true },
		{ "as many as are walked", IPV6, { .options = 8, .type = 60 }, true },
		{ "more than are walked", IPV6, { .options = 9, .type = 60 }, false },
		{ "an IPv6 fragment", IPV6, { .options = 1, .type = 44 }, false },
		{ "a routing header", IPV6, { .options = 1, .type = 43 }, false },
		{ "authenticated", IPV6, { .options = 1, .type = 51 }, false },
		{ "options of both kinds",
		  IPV6,
		  { .options = 2, .type = 0, .last_type = 60 },
		  true },
		{ "a fragment behind options",
		  IPV6,
		  { .options = 2, .type = 60, .last_type = 44 },
		  false },
		{ "routing behind options",
		  IPV6,
		  { .options = 2, .type = 60, .last_type = 43 },
		  false },
		{ "authenticated options",
		  IPV6,
		  { .options = 2, .type = 60, .last_type = 51 },
		  false },
		{ "encrypted", IPV6, { .options = 1, .type = 50 }, false },
	};
	if (!open_mux())
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		Headers out = cases[i].headers, in = cases[i].headers;
		Family family = cases[i].family;
		memcpy(&out, &sent, G_STRUCT_OFFSET(Headers, fragment));
		memcpy(&in, &received, G_STRUCT_OFFSET(Headers, fragment));
		Packet packet = sent_request(&out, family);
		expect(cases[i].name, true, &packet, cases[i].moved ? WG_PORT : 0);
		packet = received_request(&in, family);
		expect(cases[i].name, false, &packet, cases[i].moved ? AGENT_PORT : 0);
		ask(family);
		packet = received_response(&in, family, agent_id);
		expect(cases[i].name, false, &packet, cases[i].moved ? AGENT_PORT : 0);
	}
	close_mux();
}
END_TEST

/* Also what this host only forwards: it is neither from nor to an address of an agent. */
START_TEST(endpoints_of_others)
{
	static const struct {
		const char *name;
		Headers headers;
		bool egress;
		uint16_t moved;
	} cases[] = {
		{ "from the agent", { { OURS }, { THEIRS }, AGENT_PORT, 1 }, true, WG_PORT },
		{ "from the asker", { { SOMEBODYS }, { THEIRS }, ASKER_PORT, 1 }, true, WG_PORT },
		{ "from another port", { { OURS }, { THEIRS }, OTHER_PORT, 1 }, true, 0 },
		{ "from WireGuard", { { OURS }, { THEIRS }, WG_PORT, 1 }, true, 0 },
		{ "forwarded", { { SOMEBODYS }, { THEIRS }, AGENT_PORT, 1 }, true, 0 },
		{ "to the agent", { { THEIRS }, { OURS }, AGENT_PORT, AGENT_PORT }, false, 0 },
		{ "to WireGuard", { { THEIRS }, { OURS }, 1, WG_PORT }, false, AGENT_PORT },
		{ "to another WireGuard", { { THEIRS }, { OURS }, 1, WG_PORT + 1 }, false, 0 },
		{ "to another port", { { THEIRS }, { OURS }, 1, OTHER_PORT }, false, 0 },
		{ "forwarded too", { { THEIRS }, { SOMEBODYS }, 1, WG_PORT }, false, 0 },
	};
	if (!open_mux())
		return;
	for (Family family = IPV4; family < N_FAMILIES; family++) {
		for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
			const Headers *headers = &cases[i].headers;
			Packet packet = cases[i].egress ? sent_request(headers, family)
							: received_request(headers, family);
			expect(cases[i].name, cases[i].egress, &packet, cases[i].moved);
			ask(family);
			packet = received_response(headers, family, agent_id);
			expect(cases[i].name, cases[i].egress, &packet, cases[i].moved);
		}
		Headers to_asker = { { THEIRS }, { SOMEBODYS }, 1, WG_PORT, 0, 0, 0, 0, false };
		ask(family);
		Packet packet = received_response(&to_asker, family, asker_id);
		expect("an answer to who has no address", false, &packet, ASKER_PORT);
	}
	close_mux();
}
END_TEST

START_TEST(payloads_of_others)
{
	static const struct {
		const char *name;
		uint8_t begin[4];
		size_t len;
	} cases[] = {
		{ "handshake initiation", { 1, 0, 0, 0 }, 148 },
		{ "handshake response", { 2, 0, 0, 0 }, 92 },
		{ "cookie reply", { 3, 0, 0, 0 }, 64 },
		{ "WireGuard's keepalive", { 4, 0, 0, 0 }, 32 },
		{ "WireGuard's data", { 4, 0, 0, 0 }, 1452 },
		{ "nothing", { 0 }, 0 },
		{ "three bytes", { 0, 1, 0, 0 }, 3 },
		{ "nineteen bytes of a request", { 0, 1, 0, 0 }, 19 },
		{ "a request of nobody", { 0, 1, 0, 0 }, 20 },
		{ "an indication", { 0, 0x11, 0, 0 }, 20 },
		{ "the first bits are no STUN's", { 0x41, 1, 0, 0 }, 20 },
		{ "ChannelData", { 0x40, 0, 0, 16 }, 20 },
		{ "DTLS", { 22, 254, 253, 0 }, 64 },
		{ "longer than the packet", { 1, 1, 0, 4 }, 20 },
		{ "of an odd length", { 1, 1, 0, 3 }, 24 },
		{ "of the greatest length", { 1, 1, 0xff, 0xfc }, 1400 },
	};
	if (!open_mux())
		return;
	for (Family family = IPV4; family < N_FAMILIES; family++) {
		ask(family);
		for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
			uint8_t payload[1500] = { 0 };
			memcpy(payload + 4, agent_id, sizeof agent_id);
			memcpy(payload, cases[i].begin, sizeof cases[i].begin);
			Headers headers = received;
			Packet packet = make_packet(&headers, family, payload, cases[i].len);
			expect(cases[i].name, false, &packet, 0);
			/* What a glance does not find. */
			headers.options = 1;
			headers.type = 60;
			packet = make_packet(&headers, family, payload, cases[i].len);
			expect(cases[i].name, false, &packet, 0);
			/* Whatever an agent sends leaves from WireGuard's port. */
			packet = make_packet(&sent, family, payload, cases[i].len);
			expect(cases[i].name, true, &packet, WG_PORT);
		}
	}
	close_mux();
}
END_TEST

#define BLOB(text) text, sizeof(text) - 1
#define TEXT4(text) text text text text

START_TEST(attributes_that_hold_a_ufrag_or_not)
{
	static const struct {
		const char *name;
		const char *attributes;
		size_t len;
		bool moved;
	} cases[] = {
		{ "first", BLOB("\0\6\0\x0c" UFRAG ":abc"), true },
		{ "nothing behind the colon", BLOB("\0\6\0\x09" UFRAG ":\0\0\0"), true },
		{ "another colon", BLOB("\0\6\0\x0c" UFRAG "::::"), true },
		{ "behind an odd one", BLOB("\0\7\0\3abc\0\0\6\0\x0c" UFRAG ":abc"), true },
		{ "the fifteenth",
		  BLOB(TEXT4("\0\7\0\0") TEXT4("\0\7\0\0") TEXT4("\0\7\0\0") "\0\7\0\0\0\7\0\0"
									     "\0\6\0\x0c" UFRAG
									     ":abc"),
		  true },
		{ "the seventeenth",
		  BLOB(TEXT4("\0\7\0\0") TEXT4("\0\7\0\0") TEXT4("\0\7\0\0")
			       TEXT4("\0\7\0\0") "\0\6\0\x0c" UFRAG ":abc"),
		  false },
		{ "none", BLOB(""), false },
		{ "no USERNAME", BLOB("\0\7\0\x0c" UFRAG ":abc"), false },
		{ "empty", BLOB("\0\6\0\0" UFRAG ":abc"), false },
		{ "short", BLOB("\0\6\0\x04" UFRAG ":abc"), false },
		{ "no room for a colon", BLOB("\0\6\0\x08" UFRAG ":abc"), false },
		{ "no colon", BLOB("\0\6\0\x0c" UFRAG "iabc"), false },
		{ "a longer ufrag", BLOB("\0\6\0\x0c" UFRAG "i:bc"), false },
		{ "a shorter ufrag",
		  BLOB("\0\6\0\x0c"
		       "abcdEFG:wxyz"),
		  false },
		{ "another ufrag",
		  BLOB("\0\6\0\x0c"
		       "abcdEFGh:abc"),
		  false },
		{ "beyond the end", BLOB("\0\6\0\x0d" UFRAG ":abc"), false },
		{ "far beyond the end", BLOB("\0\6\xff\xff" UFRAG ":abc"), false },
		{ "cut off", BLOB("\0\6\0\x0c"), false },
		{ "behind one of the greatest length", BLOB("\0\7\xff\xff\0\6\0\x0c" UFRAG ":abc"),
		  false },
		{ "behind one that ends one byte late",
		  BLOB("\0\7\0\x15"
		       "abcd\0\6\0\x0c" UFRAG ":abc"),
		  false },
	};
	if (!open_mux())
		return;
	for (Family family = IPV4; family < N_FAMILIES; family++) {
		for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
			uint8_t payload[256];
			size_t len = make_stun(payload, 0x0001, asker_id,
					       (const uint8_t *)cases[i].attributes, cases[i].len);
			Packet packet = make_packet(&received, family, payload, len);
			expect(cases[i].name, false, &packet, cases[i].moved ? AGENT_PORT : 0);
			/* The same bytes, but beyond what the STUN header says there is. */
			put_u16(payload + 2, 0);
			packet = make_packet(&received, family, payload, len);
			expect(cases[i].name, false, &packet, 0);
		}
	}
	close_mux();
}
END_TEST

START_TEST(types_of_stun)
{
	static const struct {
		uint16_t type;
		bool is_request, is_response;
	} cases[] = {
		{ 0x0001, true, false }, { 0x0002, true, false }, { 0x0101, false, true },
		{ 0x0111, false, true }, { 0x0113, false, true }, { 0x0011, false, false },
		{ 0x3eef, true, false }, { 0x3fff, false, true }, { 0x3eff, false, false },
	};
	if (!open_mux())
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		uint8_t id[16] = { (uint8_t)i }, payload[64];
		WiceMuxSocket known;
		int transactions = bpf_map__fd(mux->maps.transactions);
		size_t len = make_stun(payload, cases[i].type, id, username, sizeof username - 1);
		Packet packet = make_packet(&sent, IPV4, payload, len);
		expect("sent", true, &packet, WG_PORT);
		ck_assert_int_eq(bpf_map_lookup_elem(transactions, id, &known) == 0,
				 cases[i].is_request);
		memcpy(payload + 4, agent_id, sizeof agent_id);
		ask(IPV4);
		packet = make_packet(&received, IPV4, payload, len);
		expect("received", false, &packet,
		       cases[i].is_request || cases[i].is_response ? AGENT_PORT : 0);
	}
	close_mux();
}
END_TEST

START_TEST(a_packet_cut_off_anywhere_is_left_alone)
{
	static const Headers options = { .options = 3, .type = 60 };
	if (!open_mux())
		return;
	for (int i = 0; i < N_FAMILIES * 2; i++) {
		Family family = i / 2;
		Headers in = i % 2 ? options : (Headers){ 0 }, out = in;
		memcpy(&in, &received, G_STRUCT_OFFSET(Headers, fragment));
		memcpy(&out, &sent, G_STRUCT_OFFSET(Headers, fragment));
		Packet packet[2] = { received_request(&in, family), sent_request(&out, family) };
		for (int egress = 0; egress < 2; egress++)
			for (size_t len = ETHERNET + 1; len < packet[egress].len; len++) {
				Packet cut = packet[egress];
				cut.len = len;
				expect("cut off", egress, &cut, 0);
			}
	}
	close_mux();
}
END_TEST

/* Whatever comes in, nothing but a port and the checksum ever changes, and that rightly. */
START_TEST(packets_with_random_errors_are_not_damaged)
{
	enum { ROUNDS = 20000 };
	if (!open_mux())
		return;
	GRand *random = g_rand_new_with_seed(5);
	for (int i = 0; i < ROUNDS; i++) {
		bool egress = i % 2;
		Family family = i / 2 % 2;
		ask(family);
		Packet before = egress      ? sent_request(&sent, family)
				: i / 4 % 2 ? received_request(&received, family)
					    : received_response(&received, family, agent_id);
		for (int n = g_rand_int_range(random, 1, 4); n > 0; n--) {
			size_t at = (size_t)g_rand_int_range(random, ETHERNET, (int)before.len);
			before.bytes[at] = (uint8_t)g_rand_int(random);
		}
		Packet after = before;
		run(program_of(egress), &after);
		if (memcmp(after.bytes, before.bytes, before.len) == 0)
			continue;
		const uint8_t *ip = before.bytes + ETHERNET;
		after.udp = before.udp = family == IPV4 ? ETHERNET + (ip[0] & 15) * 4u : before.udp;
		uint16_t was = checksum(&before), is = checksum(&after);
		if (get_u16(before.bytes + before.udp + 6) != 0)
			ck_assert_uint_eq(was, is);
		memcpy(after.bytes + after.udp + (egress ? 0 : 2),
		       before.bytes + before.udp + (egress ? 0 : 2), 2);
		memcpy(after.bytes + after.udp + 6, before.bytes + before.udp + 6, 2);
		ck_assert_mem_eq(after.bytes, before.bytes, before.len);
	}
	g_rand_free(random);
	close_mux();
}
END_TEST

START_TEST(ids_are_bounded_and_the_newest_is_known)
{
	uint8_t payload[20], id[16] = { 0 }, next[16];
	size_t n = 0;
	if (!open_mux())
		return;
	for (uint32_t i = 0; i < N_IDS; i++) {
		memcpy(id, &i, sizeof i);
		Packet packet =
			make_packet(&sent, IPV4, payload, make_stun(payload, 0x0001, id, NULL, 0));
		expect("request", true, &packet, WG_PORT);
	}
	Packet packet = received_response(&received, IPV4, id);
	expect("response", false, &packet, AGENT_PORT);
	int fd = bpf_map__fd(mux->maps.transactions);
	for (int r = bpf_map_get_next_key(fd, NULL, next); r == 0; n++) {
		memcpy(id, next, sizeof id);
		r = bpf_map_get_next_key(fd, id, next);
	}
	ck_assert_uint_le(n, MAX_TRANSACTIONS);
	ck_assert_uint_gt(n, MAX_TRANSACTIONS / 4);
	close_mux();
}
END_TEST

START_TEST(nothing_is_moved_for_a_process_that_is_not_heard_of)
{
	if (!open_mux())
		return;
	mux->bss->alive_until_ns = (uint64_t)g_get_monotonic_time() * 1000;
	for (Family family = IPV4; family < N_FAMILIES; family++) {
		ask(family);
		Packet packet = sent_request(&sent, family);
		expect("sent", true, &packet, 0);
		packet = received_request(&received, family);
		expect("request", false, &packet, 0);
		packet = received_response(&received, family, agent_id);
		expect("response", false, &packet, 0);
	}
	close_mux();
}
END_TEST

START_TEST(a_socket_that_is_gone_gets_no_answers)
{
	if (!open_mux())
		return;
	WiceMuxSocket agent = { mapped(IPV4, "192.0.2.1"), htons(AGENT_PORT) };
	ask(IPV4);
	bpf_map_delete_elem(bpf_map__fd(mux->maps.agents), &agent);
	Packet packet = received_response(&received, IPV4, agent_id);
	expect("response", false, &packet, 0);
	close_mux();
}
END_TEST

SUITE_MAIN("bpf program", headers_of_all_kinds, endpoints_of_others, payloads_of_others,
	   attributes_that_hold_a_ufrag_or_not, types_of_stun,
	   a_packet_cut_off_anywhere_is_left_alone, packets_with_random_errors_are_not_damaged,
	   ids_are_bounded_and_the_newest_is_known,
	   nothing_is_moved_for_a_process_that_is_not_heard_of,
	   a_socket_that_is_gone_gets_no_answers)
