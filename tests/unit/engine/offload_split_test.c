/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/offload.h"

#include "suite.h"
#include "unit/engine/frame.h"

/* Makes the frame, of several packets or one, as the system would hand it over. */
static size_t make(const Frame *frame, size_t size, uint8_t *data, WiceVirtioHeader *ret_virtio)
{
	uint8_t tcp = frame->ipv6 ? WICE_VIRTIO_GSO_TCPV6 : WICE_VIRTIO_GSO_TCPV4;
	size_t length = frame_make(frame, data), ip = frame_ip_header(frame);
	*ret_virtio = (WiceVirtioHeader){ 0 };
	if (!size)
		return length;
	uint8_t *checksum = data + ip + (frame->udp ? 6 : 16);
	frame_put16(checksum, frame_pseudo(data, frame->udp ? 17 : 6, length - ip));
	*ret_virtio = (WiceVirtioHeader){
		.flags = WICE_VIRTIO_NEEDS_CSUM,
		.gso_type = frame->udp ? WICE_VIRTIO_GSO_UDP_L4 : tcp,
		.hdr_len = 1, /* not to be trusted */
		.gso_size = (uint16_t)size,
		.csum_start = (uint16_t)ip,
		.csum_offset = frame->udp ? 6 : 16,
	};
	return length;
}

/* Reads a frame as a tun would. */
static bool feed(WicePacketArena *arena, const WiceVirtioHeader *virtio, const uint8_t *data,
		 size_t length)
{
	WiceOffloadPiece pieces[WICE_OFFLOAD_SPLIT_PIECES];
	ck_assert(wice__offload_split_room(arena));
	size_t n = wice__offload_split_prepare(arena, pieces), rest = length;
	ck_assert_uint_eq(pieces[0].length, sizeof *virtio);
	memcpy(pieces[0].data, virtio, sizeof *virtio);
	for (size_t i = 1; i < n && rest; i++) {
		size_t part = MIN(rest, pieces[i].length);
		memcpy(pieces[i].data, data, part);
		data += part;
		rest -= part;
	}
	ck_assert_uint_eq(rest, 0);
	return wice__offload_split_take(arena, pieces, n, length);
}

/* The i-th packet of a frame, made from scratch. */
static Frame nth(const Frame *frame, size_t size, size_t i)
{
	Frame part = *frame;
	bool last = (i + 1) * size >= frame->payload;
	part.payload = MIN(size, frame->payload - i * size);
	part.seq += (uint32_t)(i * size);
	part.id = (uint16_t)(frame->id + i);
	part.fill = (uint8_t)(frame->fill + i * size);
	part.flags = frame->flags ? frame->flags : 0x10;
	if (!last)
		part.flags &= (uint8_t)~0x09;
	if (i > 0)
		part.flags &= (uint8_t)~0x80;
	return part;
}

static size_t count_of(const Frame *frame, size_t size)
{
	return size ? MAX((frame->payload + size - 1) / size, 1) : 1;
}

static void expect_packet(const Frame *frame, const WicePacket *packet)
{
	static uint8_t expected[WICE_PACKET_MAX];
	size_t length = frame_make(frame, expected);
	ck_assert_uint_eq(packet->length, length);
	ck_assert_mem_eq(packet->data, expected, length);
	ck_assert(frame_is_valid(packet->data, packet->length));
}

/* All packets of the frame come out; the arena is emptied as often as needed. */
static void expect_split(WicePacketArena *arena, const Frame *frame, size_t size)
{
	static uint8_t data[WICE_PACKET_MAX];
	WiceVirtioHeader virtio;
	size_t length = make(frame, size, data, &virtio), at = arena->n;
	ck_assert(feed(arena, &virtio, data, length));
	for (size_t i = 0, n = count_of(frame, size); i < n; i++, at++) {
		if (at == arena->n) {
			ck_assert(wice__offload_split_waits(arena));
			ck_assert(!wice__offload_split_room(arena));
			wice__packet_arena_empty(arena);
			wice__offload_split_resume(arena);
			at = 0;
		}
		ck_assert_uint_lt(at, arena->n);
		Frame part = size ? nth(frame, size, i) : *frame;
		expect_packet(&part, &arena->packets[at]);
		ck_assert_ptr_eq(arena->packets[at].data, wice__packet_arena_slot(arena, at));
	}
	ck_assert_uint_eq(at, arena->n);
	ck_assert(!wice__offload_split_waits(arena));
}

typedef struct {
	const char *what;
	Frame frame;
	size_t size;
} SplitCase;

static const SplitCase split_cases[] = {
	{ "TCP over IPv4", { .payload = 200, .seq = 1 }, 100 },
	{ "TCP over IPv6", { .ipv6 = true, .payload = 200, .seq = 1 }, 100 },
	{ "UDP over IPv4", { .udp = true, .payload = 200 }, 100 },
	{ "UDP over IPv6", { .ipv6 = true, .udp = true, .payload = 200 }, 100 },
	{ "the last is shorter", { .payload = 4001, .seq = 9 }, 1000 },
	{ "one packet", { .payload = 100 }, 1000 },
	{ "no payload", { .payload = 0 }, 1000 },
	{ "no payload, UDP", { .udp = true, .payload = 0 }, 1000 },
	{ "flags", { .payload = 3000, .flags = 0xff }, 1000 },
	{ "flags of one packet", { .payload = 1000, .flags = 0xff }, 1000 },
	{ "sequence numbers wrap", { .payload = 5000, .seq = 0xfffffff0 }, 1000 },
	{ "IP ids wrap", { .payload = 5000, .id = 0xfffe, .may_fragment = true }, 1000 },
	{ "TCP options", { .payload = 5000, .tcp_options = 40 }, 1000 },
	{ "IP options", { .payload = 5000, .ip_options = 40 }, 1000 },
	{ "IPv6 options", { .ipv6 = true, .payload = 5000, .ip_options = 24 }, 1000 },
	{ "ECN and TTL", { .payload = 5000, .tos = 0x03, .ttl = 1 }, 1000 },
	{ "64 KiB", { .payload = 65495, .tcp_options = 0 }, 1368 },
	{ "64 KiB of UDP", { .udp = true, .payload = 65507 }, 1372 },
	{ "tiny pieces", { .payload = 5000 }, 1 },
};

START_TEST(splits)
{
	const SplitCase *c = &split_cases[_i];
	WicePacketArena arena;
	wice__packet_arena_init(&arena, 1500);
	/* At first it is gathered, then it is laid out where it is read. */
	for (int round = 0; round < 3; round++) {
		expect_split(&arena, &c->frame, c->size);
		wice__packet_arena_empty(&arena);
	}
	wice__packet_arena_done(&arena);
}
END_TEST

/* What shows that a frame was split without copies: the spill is as it was. */
static bool leaves_spill(WicePacketArena *arena, const Frame *frame, size_t size)
{
	memset(arena->spill, 0xa5, WICE_PACKET_MAX + 1);
	wice__packet_arena_empty(arena);
	expect_split(arena, frame, size);
	wice__packet_arena_empty(arena);
	return arena->spill[0] == 0xa5 && arena->spill[60000] == 0xa5;
}

START_TEST(an_expected_frame_is_split_in_place)
{
	Frame frame = { .payload = 60000, .tcp_options = 12 }, other = { .udp = true };
	Frame ack = { .payload = 0, .tcp_options = 12 }, longer = { .payload = 1440 };
	WicePacketArena arena;
	wice__packet_arena_init(&arena, 1500);
	ck_assert(!leaves_spill(&arena, &frame, 1448));
	ck_assert(leaves_spill(&arena, &frame, 1448));
	frame.payload = 10000;
	ck_assert(leaves_spill(&arena, &frame, 1448));
	ck_assert(leaves_spill(&arena, &ack, 0));
	ck_assert(leaves_spill(&arena, &longer, 0));
	ck_assert(leaves_spill(&arena, &frame, 1448));
	/* Not as expected. */
	Frame no_options = { .payload = 10000 };
	ck_assert(!leaves_spill(&arena, &no_options, 1448));
	ck_assert(!leaves_spill(&arena, &frame, 1448));
	other.payload = 20000;
	ck_assert(!leaves_spill(&arena, &frame, 1440));
	ck_assert(!leaves_spill(&arena, &other, 1200));
	ck_assert(leaves_spill(&arena, &other, 1200));
	/* After many single packets it is them that are expected. */
	for (int i = 0; i < 100; i++)
		ck_assert(leaves_spill(&arena, &longer, 0));
	ck_assert(!leaves_spill(&arena, &other, 1200));
	ck_assert(leaves_spill(&arena, &other, 1200));
	wice__packet_arena_done(&arena);
}
END_TEST

START_TEST(a_full_arena_has_no_room)
{
	Frame frame = { .payload = 65000 }, small = { .payload = 1 };
	WicePacketArena arena;
	wice__packet_arena_init(&arena, 1500);
	while (wice__offload_split_room(&arena))
		expect_split(&arena, &small, 0);
	ck_assert_uint_eq(arena.n, arena.n_slots);
	wice__packet_arena_empty(&arena);
	/* Then there must be room for the largest frame of its kind. */
	expect_split(&arena, &frame, 1460);
	while (wice__offload_split_room(&arena)) {
		size_t before = arena.n;
		expect_split(&arena, &frame, 1460);
		ck_assert_uint_eq(arena.n, before + 45);
	}
	ck_assert_uint_ge(arena.n, arena.n_slots - 45);
	wice__packet_arena_done(&arena);
}
END_TEST

static Frame random_frame(GRand *rand)
{
	Frame frame = {
		.ipv6 = g_rand_boolean(rand),
		.udp = g_rand_int_range(rand, 0, 3) == 0,
		.flow = g_rand_int(rand) % 100,
		.tcp_options = (size_t)g_rand_int_range(rand, 0, 4) * 12 % 44,
		.ip_options = g_rand_int_range(rand, 0, 8) ? 0 : 8,
		.seq = g_rand_int(rand),
		.ack = g_rand_int(rand),
		.flags = (uint8_t)(g_rand_int(rand) | 0x10),
		.window = (uint16_t)g_rand_int(rand),
		.id = (uint16_t)g_rand_int(rand),
		.tos = (uint8_t)g_rand_int(rand),
		.may_fragment = g_rand_boolean(rand),
		.fill = (uint8_t)g_rand_int(rand),
	};
	return frame;
}

START_TEST(random_frames)
{
	static const uint32_t mtus[] = { 200, 576, 1420, 9000, 65535 };
	uint32_t mtu = mtus[_i];
	WicePacketArena arena;
	GRand *rand = g_rand_new_with_seed((guint32)_i + 1);
	wice__packet_arena_init(&arena, mtu);
	for (int round = 0; round < 300; round++) {
		Frame frame = random_frame(rand);
		size_t room = mtu - frame_header(&frame), size = 0;
		int repeats = g_rand_int_range(rand, 1, 5);
		if (g_rand_boolean(rand))
			size = g_rand_boolean(rand) ? room : g_rand_int(rand) % room + 1;
		/* Runs of the same kind, so that they are expected. */
		while (repeats-- > 0) {
			size_t most = size ? WICE_PACKET_MAX - frame_header(&frame) : room;
			frame.payload = g_rand_int(rand) % (most + 1);
			if (size && g_rand_boolean(rand))
				frame.payload %= 3 * size;
			if (size && frame.payload / size > 2000)
				frame.payload = 2000 * size;
			if (!wice__offload_split_room(&arena))
				wice__packet_arena_empty(&arena);
			expect_split(&arena, &frame, size);
		}
	}
	g_rand_free(rand);
	wice__packet_arena_done(&arena);
}
END_TEST

START_TEST(a_checksum_is_finished)
{
	for (int i = 0; i < 4; i++) {
		Frame frame = { .ipv6 = i & 1, .udp = i & 2, .payload = 777 };
		uint8_t data[1000];
		WiceVirtioHeader virtio;
		WicePacketArena arena;
		wice__packet_arena_init(&arena, 1500);
		size_t length = make(&frame, 1, data, &virtio);
		virtio.gso_type = WICE_VIRTIO_GSO_NONE;
		ck_assert(!frame_is_valid(data, length));
		ck_assert(feed(&arena, &virtio, data, length));
		ck_assert_uint_eq(arena.n, 1);
		expect_packet(&frame, &arena.packets[0]);
		wice__packet_arena_done(&arena);
	}
}
END_TEST

START_TEST(what_is_behind_a_packet_is_cut_off)
{
	for (size_t size = 0; size <= 500; size += 500) {
		Frame frame = { .payload = 1000 };
		uint8_t data[2000] = { 0 };
		WiceVirtioHeader virtio;
		WicePacketArena arena;
		wice__packet_arena_init(&arena, 1500);
		size_t length = make(&frame, size, data, &virtio);
		ck_assert(feed(&arena, &virtio, data, length + 7));
		ck_assert(feed(&arena, &virtio, data, length + 7));
		ck_assert_uint_eq(arena.n, size ? 4 : 2);
		for (size_t i = 0; i < arena.n; i++)
			ck_assert(frame_is_valid(arena.packets[i].data, arena.packets[i].length));
		wice__packet_arena_done(&arena);
	}
}
END_TEST

typedef struct {
	const char *what;
	size_t at; /* of the virtio header, or 10 + of the frame */
	uint8_t value;
	size_t also;   /* zeroed, like that; 0: none */
	size_t length; /* 0: all */
	bool plain;    /* one packet with an unfinished checksum */
} BadCase;

static const BadCase bad_cases[] = {
	{ .what = "unknown type", .at = 1, .value = 2 },
	{ .what = "fragments of UDP", .at = 1, .value = 3 },
	{ .what = "TCP over IPv6", .at = 1, .value = 4 },
	{ .what = "UDP", .at = 1, .value = 5 },
	{ .what = "a type of two", .at = 1, .value = 0x7f },
	{ .what = "no IP packet", .at = 10, .value = 0 },
	{ .what = "IP header too short", .at = 10, .value = 0x44 },
	{ .what = "IP header too long", .at = 10, .value = 0x4f },
	{ .what = "IP length too long", .at = 12, .value = 0xff },
	{ .what = "IP length in the TCP header", .at = 12, .value = 0 },
	{ .what = "IP length in the IP header", .at = 13, .value = 0, .also = 12 },
	{ .what = "fragment", .at = 16, .value = 0x20 },
	{ .what = "fragment behind the first", .at = 17, .value = 1 },
	{ .what = "protocol", .at = 19, .value = 1 },
	{ .what = "TCP header too short", .at = 42, .value = 0x40 },
	{ .what = "empty", .length = SIZE_MAX },
	{ .what = "cut in the IP header", .length = 19 },
	{ .what = "cut in the TCP header", .length = 39 },
	{ .what = "cut in the payload", .length = 1039 },
	{ .what = "checksum begins in the IP header", .plain = true, .at = 6, .value = 19 },
	{ .what = "checksum begins behind the end", .plain = true, .at = 7, .value = 0xff },
	{ .what = "checksum is behind the end", .plain = true, .at = 9, .value = 4 },
	{ .what = "plain, no IP packet", .plain = true, .at = 10, .value = 0x05 },
	{ .what = "plain, cut", .plain = true, .length = 100 },
	{ .what = "plain, empty", .plain = true, .length = SIZE_MAX },
};

/* Refused whether it is expected to be split or not, and nothing is broken by it. */
START_TEST(nonsense_is_refused)
{
	const BadCase *c = &bad_cases[_i];
	Frame frame = { .payload = 1010 };
	struct {
		WiceVirtioHeader virtio;
		uint8_t data[2000];
	} all = { 0 };
	WicePacketArena arena;
	wice__packet_arena_init(&arena, 1500);
	for (int round = 0; round < 2; round++) {
		size_t length = make(&frame, 500, all.data, &all.virtio);
		if (c->plain)
			all.virtio.gso_type = WICE_VIRTIO_GSO_NONE;
		if (c->length)
			length = c->length == SIZE_MAX ? 0 : c->length;
		else
			((uint8_t *)&all)[c->at] = c->value;
		if (c->also)
			((uint8_t *)&all)[c->also] = 0;
		size_t before = arena.n;
		ck_assert_msg(!feed(&arena, &all.virtio, all.data, length), "%s", c->what);
		ck_assert_uint_eq(arena.n, before);
		ck_assert(!wice__offload_split_waits(&arena));
		expect_split(&arena, &frame, 500);
	}
	wice__packet_arena_done(&arena);
}
END_TEST

START_TEST(ipv6_options_without_end_are_refused)
{
	uint8_t data[2000];
	Frame frame = { .ipv6 = true, .ip_options = 8, .payload = 1000 };
	WiceVirtioHeader virtio;
	WicePacketArena arena;
	wice__packet_arena_init(&arena, 9000);
	/* What would pass for a header of TCP, where none is. */
	memset(arena.spill, 0x55, WICE_PACKET_MAX + 1);
	for (int round = 0; round < 2; round++) {
		size_t length = make(&frame, 500, data, &virtio);
		data[41] = 255;
		ck_assert(!feed(&arena, &virtio, data, length));
		data[41] = 0;
		data[40] = 60;
		memset(data + 48, 60, length - 48);
		ck_assert(!feed(&arena, &virtio, data, length));
		expect_split(&arena, &frame, 500);
	}
	wice__packet_arena_done(&arena);
}
END_TEST

START_TEST(packets_longer_than_a_slot_are_refused)
{
	static uint8_t data[WICE_PACKET_MAX + 1];
	Frame frame = { .payload = 4000 };
	WiceVirtioHeader virtio;
	WicePacketArena arena;
	wice__packet_arena_init(&arena, 1500);
	for (size_t size = 0; size <= 2000; size += 2000) {
		size_t length = make(&frame, size, data, &virtio);
		ck_assert(!feed(&arena, &virtio, data, length));
		ck_assert(!feed(&arena, &virtio, data, WICE_PACKET_MAX + 1));
	}
	ck_assert_uint_eq(arena.n, 0);
	expect_split(&arena, &frame, 1000);
	wice__packet_arena_done(&arena);
}
END_TEST

/* A congestion window that was reduced: said of frames of TCP, whatever else is. */
START_TEST(a_frame_with_ecn)
{
	uint8_t data[2000];
	Frame frame = { .payload = 1000, .flags = 0x90 };
	WiceVirtioHeader virtio;
	WicePacketArena arena;
	wice__packet_arena_init(&arena, 1500);
	size_t length = make(&frame, 500, data, &virtio);
	virtio.gso_type |= WICE_VIRTIO_GSO_ECN;
	ck_assert(feed(&arena, &virtio, data, length));
	ck_assert_uint_eq(arena.n, 2);
	for (size_t i = 0; i < 2; i++) {
		Frame part = nth(&frame, 500, i);
		expect_packet(&part, &arena.packets[i]);
	}
	wice__packet_arena_done(&arena);
}
END_TEST

START_TEST(segments_of_no_size_are_refused)
{
	uint8_t data[2000];
	Frame frame = { .payload = 1000 };
	WiceVirtioHeader virtio;
	WicePacketArena arena;
	wice__packet_arena_init(&arena, 1500);
	size_t length = make(&frame, 500, data, &virtio);
	virtio.gso_size = 0;
	ck_assert(!feed(&arena, &virtio, data, length));
	wice__packet_arena_done(&arena);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("engine offload split");
	TCase *tcase = tcase_create("split");
	tcase_set_timeout(tcase, SUITE_TIMEOUT_S);
	tcase_add_loop_test(tcase, splits, 0, G_N_ELEMENTS(split_cases));
	tcase_add_loop_test(tcase, random_frames, 0, 5);
	tcase_add_loop_test(tcase, nonsense_is_refused, 0, G_N_ELEMENTS(bad_cases));
	tcase_add_test(tcase, an_expected_frame_is_split_in_place);
	tcase_add_test(tcase, a_full_arena_has_no_room);
	tcase_add_test(tcase, a_checksum_is_finished);
	tcase_add_test(tcase, what_is_behind_a_packet_is_cut_off);
	tcase_add_test(tcase, ipv6_options_without_end_are_refused);
	tcase_add_test(tcase, packets_longer_than_a_slot_are_refused);
	tcase_add_test(tcase, a_frame_with_ecn);
	tcase_add_test(tcase, segments_of_no_size_are_refused);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
