/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/offload.h"

#include <glib.h>

#include "suite.h"
#include "unit/engine/frame.h"

#define N_MAX 16

typedef struct {
	const char *what;
	const char *expected; /* "0+2 1": the frames, and which packets are in them */
	Frame packets[N_MAX]; /* up to the first of no window */
	uint32_t corrupted;   /* a bit for each packet whose checksum is wrong */
	bool no_tcp, no_udp;
} JoinCase;

#define TCP_OF(s, n) .window = 100, .payload = (n), .seq = (s)
#define UDP_OF(n) .window = 100, .payload = (n), .udp = true
#define TCP(s) TCP_OF(s, 100)
#define UDP UDP_OF(100)
#define V6 .ipv6 = true
#define PSH .flags = 0x18

/* The first ten are the cases of wireguard-go, but that nothing is put before what came earlier. */
static const JoinCase join_cases[] = {
	{ "protocols and flows",
	  "0+3 1+8 2 4 5+6 7 9+10",
	  { { TCP(1) },
	    { UDP },
	    { UDP, .flow = 2 },
	    { TCP(101) },
	    { TCP(201), .flow = 2 },
	    { V6, TCP(1) },
	    { V6, TCP(101) },
	    { V6, TCP(201), .flow = 2 },
	    { UDP },
	    { V6, UDP },
	    { V6, UDP } } },
	{ "protocols and flows without UDP",
	  "0+3 1 2 4 5+6 7 8 9 10",
	  { { TCP(1) },
	    { UDP },
	    { UDP, .flow = 2 },
	    { TCP(101) },
	    { TCP(201), .flow = 2 },
	    { V6, TCP(1) },
	    { V6, TCP(101) },
	    { V6, TCP(201), .flow = 2 },
	    { UDP },
	    { V6, UDP },
	    { V6, UDP } },
	  .no_udp = true },
	{ "UDP without TCP",
	  "0 1 2+3",
	  { { TCP(1) }, { TCP(101) }, { UDP }, { UDP } },
	  .no_tcp = true },
	{ "PSH ends a frame",
	  "0+1 2+3 4+5 6+7",
	  { { TCP(1) },
	    { TCP(101), PSH },
	    { TCP(201) },
	    { TCP(301) },
	    { V6, TCP(1) },
	    { V6, TCP(101), PSH },
	    { V6, TCP(201) },
	    { V6, TCP(301) } } },
	{ "wrong checksum of the first",
	  "0 1+2 3 4+5",
	  { { TCP(1) }, { TCP(101) }, { TCP(201) }, { UDP }, { UDP }, { UDP } },
	  .corrupted = 1 << 0 | 1 << 3 },
	{ "out of order", "0 1 2", { { TCP(101) }, { TCP(1) }, { TCP(201) } } },
	{ "TTL", "0 1 2 3", { { TCP(1) }, { TCP(101), .ttl = 65 }, { UDP }, { UDP, .ttl = 65 } } },
	{ "TOS", "0 1 2 3", { { TCP(1) }, { TCP(101), .tos = 1 }, { UDP }, { UDP, .tos = 1 } } },
	{ "DF", "0 1", { { TCP(1) }, { TCP(101), .may_fragment = true } } },
	{ "hop limit",
	  "0 1 2 3",
	  { { V6, TCP(1) }, { V6, TCP(101), .ttl = 65 }, { V6, UDP }, { V6, UDP, .ttl = 65 } } },
	{ "traffic class",
	  "0 1 2 3",
	  { { V6, TCP(1) }, { V6, TCP(101), .tos = 1 }, { V6, UDP }, { V6, UDP, .tos = 1 } } },

	{ "one", "0", { { TCP(1) } } },
	{ "wrong checksum of a later one",
	  "0 1 2+3 4+5",
	  { { TCP(1) }, { TCP(101) }, { TCP(201) }, { TCP(301) }, { UDP }, { UDP } },
	  .corrupted = 1 << 1 },
	{ "wrong checksum of the last",
	  "0+1 2",
	  { { TCP(1) }, { TCP(101) }, { TCP(201) } },
	  .corrupted = 1 << 2 },
	{ "PSH at once", "0 1+2", { { TCP(1), PSH }, { TCP(101) }, { TCP(201) } } },
	{ "a shorter one ends a frame",
	  "0+1 2+3 4+5 6",
	  { { TCP(1) },
	    { TCP_OF(101, 99) },
	    { TCP(200) },
	    { TCP(300) },
	    { UDP },
	    { UDP_OF(1) },
	    { UDP } } },
	{ "a longer one begins a frame",
	  "0 1+2",
	  { { TCP(1) }, { TCP_OF(101, 101) }, { TCP_OF(202, 101) } } },
	{ "a gap", "0 1+2", { { TCP(1) }, { TCP(102) }, { TCP(202) } } },
	{ "sequence numbers wrap", "0+1+2", { { TCP(0xffffff9d) }, { TCP(1) }, { TCP(101) } } },
	{ "acknowledgement", "0 1", { { TCP(1) }, { TCP(101), .ack = 1 } } },
	{ "window", "0 1", { { TCP(1) }, { .window = 101, .payload = 100, .seq = 101 } } },
	{ "length of options",
	  "0 1",
	  { { TCP(1), .tcp_options = 12 }, { TCP(101), .tcp_options = 16 } } },
	{ "options", "0+1", { { TCP(1), .tcp_options = 40 }, { TCP(101), .tcp_options = 40 } } },
	{ "no data",
	  "0 1 2 3+4",
	  { { TCP(1) }, { TCP_OF(101, 0) }, { TCP_OF(101, 0) }, { TCP(101) }, { TCP(201) } } },
	{ "no data of UDP", "0 1 2", { { UDP }, { UDP_OF(0) }, { UDP } } },
	{ "what is not only ACK",
	  "0 1 2 3 4 5 6 7",
	  { { TCP(1) },
	    { TCP(101), .flags = 0x11 },
	    { TCP(201), .flags = 0x12 },
	    { TCP(301), .flags = 0x14 },
	    { TCP(401), .flags = 0x30 },
	    { TCP(501), .flags = 0x50 },
	    { TCP(601), .flags = 0x90 },
	    { TCP(701), .flags = 0x08 } } },
	{ "equal ECN marks", "0+1", { { TCP(1), .tos = 3 }, { TCP(101), .tos = 3 } } },
	{ "IP options", "0 1", { { TCP(1), .ip_options = 4 }, { TCP(101), .ip_options = 4 } } },
	{ "IPv6 options",
	  "0 1",
	  { { V6, TCP(1), .ip_options = 8 }, { V6, TCP(101), .ip_options = 8 } } },
	{ "an unknown flow ends all",
	  "0 1 2 3 4",
	  { { TCP(1) }, { UDP }, { TCP(1), .ip_options = 4, .flow = 9 }, { TCP(101) }, { UDP } } },
	{ "ids that do not matter", "0+1", { { TCP(1), .id = 9 }, { TCP(101), .id = 3 } } },
	{ "ids that count up",
	  "0+1+2",
	  { { .window = 1, .payload = 9, .may_fragment = true, .id = 0xffff },
	    { .window = 1, .payload = 9, .may_fragment = true, .id = 0, .seq = 9 },
	    { .window = 1, .payload = 9, .may_fragment = true, .id = 1, .seq = 18 } } },
	{ "ids that do not",
	  "0 1",
	  { { .window = 1, .payload = 9, .may_fragment = true, .id = 7 },
	    { .window = 1, .payload = 9, .may_fragment = true, .id = 7, .seq = 9 } } },
};

static WiceOffloadJoin join;

/* "0+2 1" */
static char *summary(void)
{
	GString *text = g_string_new(NULL);
	for (size_t i = 0; i < join.n_frames; i++) {
		const WiceOffloadFrame *frame = &join.frames[i];
		g_string_append_printf(text, "%s%u", i ? " " : "", frame->first);
		for (unsigned k = 1, at = frame->first; k < frame->n; k++)
			g_string_append_printf(text, "+%u", at = join.next[at]);
	}
	return g_string_free(text, FALSE);
}

START_TEST(joins)
{
	const JoinCase *c = &join_cases[_i];
	static uint8_t memory[N_MAX][300];
	WicePacket packets[N_MAX];
	size_t n = 0;
	for (; n < N_MAX && c->packets[n].window; n++) {
		packets[n].data = memory[n];
		packets[n].length = (uint32_t)frame_make(&c->packets[n], memory[n]);
		if (c->corrupted & 1u << n)
			memory[n][packets[n].length - 1] ^= 0x10;
	}
	wice__offload_join(&join, packets, n, !c->no_tcp, !c->no_udp);
	g_autofree char *text = summary();
	ck_assert_msg(strcmp(text, c->expected) == 0, "%s: %s, not %s", c->what, text, c->expected);
}
END_TEST

/* Neighbours are made equal by hand, but for one byte of the options. */
START_TEST(different_options_are_not_joined)
{
	Frame frame = { TCP(1), .tcp_options = 12 };
	uint8_t memory[2][300];
	WicePacket packets[2];
	for (size_t i = 0; i < 2; i++, frame.seq += 100)
		packets[i] = (WicePacket){ memory[i], (uint32_t)frame_make(&frame, memory[i]) };
	/* Two words change places: the checksum stays right. */
	memory[1][40] = 8;
	memory[1][42] = 0;
	memory[1][44] = 1 + 1 - 8 + 1;
	frame_put16(memory[1] + 36, 0);
	uint32_t sum = frame_pseudo(memory[1], 6, packets[1].length - 20);
	frame_put16(memory[1] + 36,
		    ~frame_sum(sum, memory[1] + 20, packets[1].length - 20) & 0xffff);
	ck_assert(frame_is_valid(memory[1], packets[1].length));
	wice__offload_join(&join, packets, 2, true, true);
	ck_assert_uint_eq(join.n_frames, 2);
}
END_TEST

/* Sums to what a right checksum would, with the payload's first word. */
static void mend_udp(uint8_t *packet, size_t length)
{
	frame_put16(packet + 28, 0);
	uint32_t sum = frame_sum(frame_pseudo(packet, 17, length - 20), packet + 20, length - 20);
	frame_put16(packet + 28, ~sum & 0xffff);
}

START_TEST(odd_packets_of_udp_are_not_joined)
{
	for (int without_checksum = 0; without_checksum < 2; without_checksum++) {
		Frame frame = { UDP };
		uint8_t memory[3][300];
		WicePacket packets[3];
		for (size_t i = 0; i < 3; i++) {
			size_t length = frame_make(&frame, memory[i]);
			packets[i] = (WicePacket){ memory[i], (uint32_t)length };
			/* No checksum, or bytes behind the end. */
			frame_put16(memory[i] + (without_checksum ? 26 : 24),
				    without_checksum ? 0 : length - 22);
			mend_udp(memory[i], length);
		}
		wice__offload_join(&join, packets, 3, true, true);
		ck_assert_uint_eq(join.n_frames, 3);
	}
}
END_TEST

START_TEST(a_wrong_ip_checksum_is_not_mended)
{
	Frame frame = { TCP(1) };
	uint8_t memory[3][300];
	WicePacket packets[3];
	for (size_t i = 0; i < 3; i++, frame.seq += 100)
		packets[i] = (WicePacket){ memory[i], (uint32_t)frame_make(&frame, memory[i]) };
	memory[1][10] ^= 1;
	wice__offload_join(&join, packets, 3, true, true);
	ck_assert_uint_eq(join.n_frames, 3);
}
END_TEST

START_TEST(fragments_are_not_joined)
{
	for (uint8_t more = 0; more < 2; more++) {
		Frame frame = { UDP };
		uint8_t memory[2][300];
		WicePacket packets[2];
		for (size_t i = 0; i < 2; i++) {
			packets[i] =
				(WicePacket){ memory[i], (uint32_t)frame_make(&frame, memory[i]) };
			frame_put16(memory[i] + 6, more ? 0x2000 : 1);
		}
		wice__offload_join(&join, packets, 2, true, true);
		ck_assert_uint_eq(join.n_frames, 2);
	}
}
END_TEST

/* A frame is bounded by 64 segments and by the longest packet. */
START_TEST(limits)
{
	static const struct {
		size_t payload, expected;
	} cases[] = { { 100, 64 }, { 1368, 47 }, { 1460, 44 }, { 9000, 7 }, { 40000, 1 } };
	static uint8_t memory[128][41000];
	WicePacket packets[128];
	for (size_t k = 0; k < G_N_ELEMENTS(cases); k++) {
		Frame frame = { TCP(1) };
		frame.payload = cases[k].payload;
		for (size_t i = 0; i < 128; i++, frame.seq += (uint32_t)frame.payload)
			packets[i] =
				(WicePacket){ memory[i], (uint32_t)frame_make(&frame, memory[i]) };
		wice__offload_join(&join, packets, 128, true, true);
		ck_assert_uint_eq(join.frames[0].n, cases[k].expected);
		ck_assert_uint_eq(join.n_frames, (128 + cases[k].expected - 1) / cases[k].expected);
	}
}
END_TEST

#define N_RANDOM WICE_OFFLOAD_JOIN_MAX
#define N_FLOWS 12

typedef struct {
	Frame next;
	size_t size;
} Flow;

static Frame random_flow(GRand *rand, unsigned number)
{
	return (Frame){
		.ipv6 = number & 1,
		.udp = number & 2,
		.flow = number,
		.tcp_options = g_rand_boolean(rand) ? 12 : 0,
		.ip_options = g_rand_int_range(rand, 0, 6) ? 0 : 8,
		.seq = g_rand_int(rand),
		.window = 500,
		.id = (uint16_t)g_rand_int(rand),
		.may_fragment = g_rand_boolean(rand),
	};
}

/* Mostly the next of its flow; at times something is odd about it. */
static size_t random_packet(GRand *rand, Flow *flow, uint8_t *data)
{
	Frame frame = flow->next;
	frame.payload =
		g_rand_int_range(rand, 0, 8) ? flow->size : g_rand_int(rand) % (flow->size + 1);
	frame.fill = (uint8_t)g_rand_int(rand);
	switch (g_rand_int_range(rand, 0, 24)) {
	case 0:
		frame.flags = (uint8_t)g_rand_int(rand);
		break;
	case 1:
		frame.flags = 0x18;
		break;
	case 2:
		frame.seq++;
		break;
	case 3:
		frame.tos = (uint8_t)g_rand_int(rand);
		break;
	case 4:
		frame.id = (uint16_t)g_rand_int(rand);
		break;
	default:
		break;
	}
	size_t length = frame_make(&frame, data);
	if (g_rand_int_range(rand, 0, 24) == 0) {
		/* Behind the ports: it is still of its flow. */
		size_t from = frame_ip_header(&frame) + 4;
		data[from + g_rand_int(rand) % (length - from)] ^=
			(uint8_t)(1 << g_rand_int_range(rand, 0, 8));
	}
	flow->next = frame;
	flow->next.flags = 0;
	flow->next.tos = 0;
	flow->next.id++;
	flow->next.seq += (uint32_t)frame.payload;
	return length;
}

/* Without what means nothing. */
static void normalise(uint8_t *packet)
{
	if (packet[0] >> 4 == 4 && (packet[6] & 0x40)) {
		memset(packet + 4, 0, 2);
		memset(packet + 10, 0, 2);
	}
}

/* The frame as it would be written: one packet for the system. */
static size_t assemble(const WiceOffloadFrame *frame, WiceVirtioHeader *ret_virtio, uint8_t *data)
{
	static uint8_t written[WICE_PACKET_MAX + 10];
	uint8_t head[WICE_OFFLOAD_JOIN_HEAD];
	WiceOffloadPiece pieces[WICE_OFFLOAD_JOIN_PIECES];
	size_t n = wice__offload_join_pieces(&join, frame, head, pieces), length = 0;
	for (size_t i = 0; i < n; i++) {
		ck_assert_uint_le(length + pieces[i].length, sizeof written);
		memcpy(written + length, pieces[i].data, pieces[i].length);
		length += pieces[i].length;
	}
	memcpy(ret_virtio, written, sizeof *ret_virtio);
	memcpy(data, written + sizeof *ret_virtio, length - sizeof *ret_virtio);
	return length - sizeof *ret_virtio;
}

/* What the system would check, and that the checksum is what it must go on from. */
static void expect_joined(const WiceVirtioHeader *virtio, const uint8_t *data, size_t length)
{
	bool ipv6 = data[0] >> 4 == 6;
	size_t ip = ipv6 ? 40 : 20;
	uint8_t protocol = data[ipv6 ? 6 : 9];
	const uint8_t *transport = data + ip;
	size_t header = protocol == 17 ? 8 : (size_t)(transport[12] >> 4) * 4;
	ck_assert_uint_eq(virtio->flags, WICE_VIRTIO_NEEDS_CSUM);
	ck_assert_uint_eq(virtio->csum_start, ip);
	ck_assert_uint_eq(virtio->csum_offset, protocol == 17 ? 6 : 16);
	ck_assert_uint_eq(virtio->hdr_len, ip + header);
	ck_assert_uint_eq(frame_get16(transport + virtio->csum_offset),
			  frame_pseudo(data, protocol, length - ip));
	ck_assert_uint_eq(frame_get16(data + (ipv6 ? 4 : 2)), length - (ipv6 ? 40 : 0));
	if (!ipv6)
		ck_assert_uint_eq(frame_sum(0, data, 20), 0xffff);
}

static size_t split(WicePacketArena *arena, const WiceVirtioHeader *virtio, const uint8_t *data,
		    size_t length)
{
	WiceOffloadPiece pieces[WICE_OFFLOAD_SPLIT_PIECES];
	wice__packet_arena_empty(arena);
	arena->split_size = 0;
	size_t n = wice__offload_split_prepare(arena, pieces);
	arena->virtio = *virtio;
	size_t first = MIN(length, pieces[1].length);
	memcpy(pieces[1].data, data, first);
	memcpy(pieces[2].data, data + first, length - first);
	ck_assert(wice__offload_split_take(arena, pieces, n, length));
	return arena->n;
}

static unsigned flow_of(const uint8_t *packet)
{
	size_t ip = packet[0] >> 4 == 6 ? 40 : (size_t)(packet[0] & 15) * 4;
	if (packet[0] >> 4 == 6 && packet[6] == 60)
		ip += 8;
	return (unsigned)(frame_get16(packet + ip) - 1000);
}

typedef struct {
	uint8_t memory[N_RANDOM][700];
	uint8_t pristine[N_RANDOM][700];
	WicePacket packets[N_RANDOM];
	unsigned flow[N_RANDOM]; /* that it was made of, whatever its ports say */
	bool seen[N_RANDOM];
} Batch;

static Batch batch;

static void fill_batch(GRand *rand)
{
	Flow flows[N_FLOWS];
	unsigned current = 0;
	for (unsigned i = 0; i < N_FLOWS; i++)
		flows[i] = (Flow){ random_flow(rand, i), (size_t)g_rand_int_range(rand, 1, 600) };
	for (size_t i = 0; i < N_RANDOM; i++) {
		if (g_rand_int_range(rand, 0, 6) == 0)
			current = (unsigned)g_rand_int_range(rand, 0, N_FLOWS);
		size_t length = random_packet(rand, &flows[current], batch.memory[i]);
		batch.packets[i] = (WicePacket){ batch.memory[i], (uint32_t)length };
		batch.flow[i] = current;
		batch.seen[i] = false;
		memcpy(batch.pristine[i], batch.memory[i], length);
	}
}

static void expect_packet(size_t i, const WicePacket *packet, bool joined)
{
	ck_assert(!batch.seen[i]);
	batch.seen[i] = true;
	ck_assert_uint_eq(packet->length, batch.packets[i].length);
	if (joined) {
		ck_assert(frame_is_valid(batch.pristine[i], packet->length));
		normalise(batch.pristine[i]);
		normalise(packet->data);
	}
	ck_assert_mem_eq(packet->data, batch.pristine[i], packet->length);
}

static size_t next_in_frame(size_t i)
{
	return join.next[i];
}

START_TEST(what_is_joined_splits_into_the_same)
{
	static uint8_t data[WICE_PACKET_MAX + 1];
	GRand *rand = g_rand_new_with_seed((guint32)_i + 1);
	WicePacketArena arena;
	size_t n_joined = 0;
	wice__packet_arena_init(&arena, 1500);
	for (int round = 0; round < 30; round++) {
		size_t last_of_flow[N_FLOWS] = { 0 };
		fill_batch(rand);
		wice__offload_join(&join, batch.packets, N_RANDOM, true, true);
		for (size_t f = 0; f < join.n_frames; f++) {
			const WiceOffloadFrame *frame = &join.frames[f];
			WiceVirtioHeader virtio;
			size_t length = assemble(frame, &virtio, data), i = frame->first;
			if (frame->n == 1) {
				WicePacket packet = { data, (uint32_t)length };
				ck_assert_uint_eq(virtio.gso_type | virtio.flags, 0);
				expect_packet(i, &packet, false);
			} else {
				expect_joined(&virtio, data, length);
				ck_assert_uint_eq(split(&arena, &virtio, data, length), frame->n);
			}
			n_joined += frame->n > 1;
			for (size_t k = 0; k < frame->n; k++, i = next_in_frame(i)) {
				/* What came later in a flow is later. */
				ck_assert_uint_ge(i + 1, last_of_flow[batch.flow[i]]);
				last_of_flow[batch.flow[i]] = i + 1;
				if (frame->n > 1) {
					ck_assert_uint_eq(flow_of(batch.pristine[i]),
							  batch.flow[i]);
					expect_packet(i, &arena.packets[k], true);
				}
			}
		}
		for (size_t i = 0; i < N_RANDOM; i++)
			ck_assert(batch.seen[i]);
	}
	ck_assert_uint_gt(n_joined, 500);
	g_rand_free(rand);
	wice__packet_arena_done(&arena);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("engine offload join");
	TCase *tcase = tcase_create("join");
	tcase_set_timeout(tcase, SUITE_TIMEOUT_S);
	tcase_add_loop_test(tcase, joins, 0, G_N_ELEMENTS(join_cases));
	tcase_add_loop_test(tcase, what_is_joined_splits_into_the_same, 0, 4);
	tcase_add_test(tcase, different_options_are_not_joined);
	tcase_add_test(tcase, odd_packets_of_udp_are_not_joined);
	tcase_add_test(tcase, a_wrong_ip_checksum_is_not_mended);
	tcase_add_test(tcase, fragments_are_not_joined);
	tcase_add_test(tcase, limits);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
