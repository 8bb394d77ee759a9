/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/packet.h"

#include <glib.h>
#include <string.h>

#include "suite.h"

typedef struct {
	const char *what;
	uint8_t first, v4_length[2], v6_length[2];
	size_t available;
	uint32_t length; /* 0: refused */
} HeaderCase;

static const HeaderCase header_cases[] = {
	{ "IPv4", 0x45, { 0, 20 }, { 0 }, 20, 20 },
	{ "IPv4 with data", 0x45, { 5, 220 }, { 0 }, 1500, 1500 },
	{ "IPv4 with padding behind it", 0x45, { 0, 21 }, { 0 }, 32, 21 },
	{ "IPv4 of the greatest length", 0x45, { 255, 255 }, { 0 }, 65535, 65535 },
	{ "IPv4 with options", 0x4f, { 0, 60 }, { 0 }, 60, 60 },
	{ "IPv4 shorter than its options", 0x4f, { 0, 59 }, { 0 }, 60, 0 },
	{ "IPv4 header too short", 0x44, { 0, 40 }, { 0 }, 40, 0 },
	{ "IPv4 of no length", 0x45, { 0, 0 }, { 0 }, 40, 0 },
	{ "IPv4 shorter than its header", 0x45, { 0, 19 }, { 0 }, 40, 0 },
	{ "IPv4 cut short", 0x45, { 0, 41 }, { 0 }, 40, 0 },
	{ "IPv4 cut in its header", 0x45, { 0, 20 }, { 0 }, 19, 0 },
	{ "nothing", 0x45, { 0, 20 }, { 0 }, 0, 0 },
	{ "IPv6", 0x60, { 0 }, { 0, 0 }, 40, 40 },
	{ "IPv6 with data", 0x6f, { 0 }, { 5, 180 }, 1500, 1500 },
	{ "IPv6 with padding behind it", 0x60, { 0 }, { 0, 1 }, 48, 41 },
	{ "IPv6 cut short", 0x60, { 0 }, { 0, 1 }, 40, 0 },
	{ "IPv6 cut in its header", 0x60, { 0 }, { 0, 0 }, 39, 0 },
	{ "IPv6 longer than packets are", 0x60, { 0 }, { 255, 255 }, 65575, 0 },
	{ "version 0", 0x05, { 0, 40 }, { 0, 0 }, 40, 0 },
	{ "version 5", 0x55, { 0, 40 }, { 0, 0 }, 40, 0 },
	{ "version 15", 0xff, { 0, 40 }, { 0, 0 }, 40, 0 },
};

START_TEST(headers)
{
	const HeaderCase *c = &header_cases[_i];
	/* Of that size on the heap: whoever looks beyond it is found out by AddressSanitizer. */
	uint8_t *data = g_malloc0(c->available);
	if (c->available)
		data[0] = c->first;
	if (c->available >= 20)
		memcpy(data + (c->v4_length[0] || c->v4_length[1] ? 2 : 4),
		       c->v4_length[0] || c->v4_length[1] ? c->v4_length : c->v6_length, 2);
	WiceIpHeader header = { .length = 77 };
	bool ok = wice__ip_header(data, c->available, &header);
	ck_assert_msg(ok == (c->length > 0), "%s", c->what);
	ck_assert_msg(header.length == (ok ? c->length : 77), "%s", c->what);
	if (ok) {
		bool v4 = c->first >> 4 == 4;
		ck_assert_int_eq(header.family, v4 ? WICE_FAMILY_IPV4 : WICE_FAMILY_IPV6);
		ck_assert_ptr_eq(header.source, data + (v4 ? 12 : 8));
		ck_assert_ptr_eq(header.destination, data + (v4 ? 16 : 24));
	}
	g_free(data);
}
END_TEST

START_TEST(arenas)
{
	static const uint32_t mtus[] = { 0, 68, 576, 1280, 1420, 1500, 9000, 65535, 100000 };
	for (size_t i = 0; i < G_N_ELEMENTS(mtus); i++) {
		WicePacketArena arena;
		uint32_t mtu = CLAMP(mtus[i], 68, 65535);
		wice__packet_arena_init(&arena, mtus[i]);
		ck_assert_uint_eq(arena.slot_size % 64, 0);
		ck_assert_uint_ge(wice__packet_arena_capacity(&arena), mtu);
		ck_assert_uint_le(wice__packet_arena_capacity(&arena), WICE_PACKET_MAX);
		ck_assert_uint_le(arena.n_slots * arena.slot_size, 1100 * 1024);
		ck_assert_uint_ge(arena.n_slots, 16);
		/* A frame of TCP with ordinary options. */
		if (mtu >= 576)
			ck_assert_uint_ge(arena.n_slots, (WICE_PACKET_MAX - 52) / (mtu - 52) + 1);
		for (size_t slot = 0; slot < arena.n_slots; slot++) {
			uint8_t *data = wice__packet_arena_slot(&arena, slot);
			size_t capacity = wice__packet_arena_capacity(&arena);
			memset(data - WICE_PACKET_HEADROOM, (int)slot,
			       WICE_PACKET_HEADROOM + capacity + WICE_PACKET_TAILROOM);
		}
		for (size_t slot = 0; slot < arena.n_slots; slot++)
			ck_assert_uint_eq(wice__packet_arena_slot(&arena, slot)[-48],
					  (uint8_t)slot);
		wice__packet_arena_done(&arena);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("engine packet");
	TCase *tcase = tcase_create("packet");
	tcase_add_loop_test(tcase, headers, 0, G_N_ELEMENTS(header_cases));
	tcase_add_test(tcase, arenas);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
