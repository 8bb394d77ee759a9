/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <glib.h>
#include <string.h>

#include "server_lab.h"

static Lab lab;
static LabClient client;

static void start(void)
{
	lab_start(&lab);
	client = lab_client("192.0.2.1:1000", 0);
}

/* A second attribute, of one byte or none, if type is not 0. */
static uint16_t allocate_with(uint16_t type, uint8_t value)
{
	lab_challenge(&lab, &client);
	WiceStunWriter *writer = lab_begin(&client, WICE_STUN_ALLOCATE);
	wice__stun_write_u8(writer, WICE_STUN_REQUESTED_TRANSPORT, 17);
	if (type == WICE_STUN_MOBILITY_TICKET)
		wice__stun_write_bytes(writer, type, NULL, 0);
	else if (type)
		wice__stun_write_u8(writer, type, value);
	return lab_ask(&lab, &client);
}

START_TEST(refresh_is_about_ones_own_allocation)
{
	lab_init(&lab);
	start();
	lab_challenge(&lab, &client);
	ck_assert_uint_eq(lab_refresh(&lab, &client, 600), 437);
	ck_assert_uint_eq(lab_allocate(&lab, &client, 0), 0);
	client.username = "user2";
	ck_assert_uint_eq(lab_refresh(&lab, &client, 0), 441);
	ck_assert_uint_eq(lab_permit(&lab, &client, "198.51.100.9:9"), 441);
	ck_assert_uint_eq(lab_bind(&lab, &client, 0x4000, "198.51.100.9:9"), 441);
	client.username = "user";
	ck_assert_uint_eq(lab_refresh(&lab, &client, 1200), 0);
	ck_assert_uint_eq(lab_answered_lifetime(&client), 1200);
	ck_assert_uint_eq(lab_refresh(&lab, &client, 1), 0);
	ck_assert_uint_eq(lab_answered_lifetime(&client), 600);
	lab_wait(&lab, 599);
	ck_assert_uint_eq(lab_refresh(&lab, &client, 600), 0);
	lab_wait(&lab, 200);
	ck_assert_uint_eq(lab_refresh(&lab, &client, 0), 0);
	ck_assert_uint_eq(lab_answered_lifetime(&client), 0);
	ck_assert_uint_eq(lab.n_ended, 1);
	ck_assert_uint_eq(lab_refresh(&lab, &client, 0), 437);
	lab_done(&lab);
}
END_TEST

START_TEST(each_family_can_be_released_alone)
{
	static const struct {
		bool both; /* of the Allocate; else IPv4 only */
		uint8_t family;
		uint32_t lifetime;
		uint16_t code;
		unsigned closed;
		bool ended;
	} cases[] = {
		{ false, 1, 600, 0, 0, false }, { false, 2, 600, 443, 0, false },
		{ false, 2, 0, 443, 0, false }, { false, 1, 0, 0, 1, true },
		{ true, 1, 0, 0, 1, false },    { true, 2, 0, 0, 1, false },
		{ true, 2, 600, 0, 0, false },  { true, 3, 600, 443, 0, false },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		lab_init(&lab);
		start();
		ck_assert_uint_eq(
			allocate_with(cases[i].both ? WICE_STUN_ADDITIONAL_ADDRESS_FAMILY : 0, 2),
			0);
		WiceStunWriter *writer = lab_begin(&client, WICE_STUN_REFRESH);
		wice__stun_write_u32(writer, WICE_STUN_LIFETIME, cases[i].lifetime);
		wice__stun_write_u8(writer, WICE_STUN_REQUESTED_ADDRESS_FAMILY, cases[i].family);
		ck_assert_msg(lab_ask(&lab, &client) == cases[i].code, "case %zu", i);
		ck_assert_uint_eq(lab.n_closed, cases[i].closed);
		ck_assert_uint_eq(lab.n_ended, cases[i].ended);
		lab_done(&lab);
	}
}
END_TEST

START_TEST(a_family_takes_its_channels_along)
{
	lab_init(&lab);
	start();
	ck_assert_uint_eq(allocate_with(WICE_STUN_ADDITIONAL_ADDRESS_FAMILY, 2), 0);
	ck_assert_uint_eq(lab_bind(&lab, &client, 0x4000, "198.51.100.9:9"), 0);
	ck_assert_uint_eq(lab_bind(&lab, &client, 0x4001, "[2001:db8::9]:9"), 0);
	WiceStunWriter *writer = lab_begin(&client, WICE_STUN_REFRESH);
	wice__stun_write_u32(writer, WICE_STUN_LIFETIME, 0);
	wice__stun_write_u8(writer, WICE_STUN_REQUESTED_ADDRESS_FAMILY, WICE_STUN_FAMILY_IPV6);
	ck_assert_uint_eq(lab_ask(&lab, &client), 0);
	ck_assert_int_eq(lab.n_channels, 1);
	ck_assert_int_eq(lab_channel_data(&lab, &client, 0x4000, "x").type, WICE_TURN_TO_PEER);
	ck_assert_int_eq(lab_channel_data(&lab, &client, 0x4001, "x").type, WICE_TURN_DROP);
	ck_assert_uint_eq(lab_bind(&lab, &client, 0x4002, "[2001:db8::9]:9"), 443);
	lab_done(&lab);
}
END_TEST

START_TEST(a_stream_ends_its_allocation)
{
	lab_init(&lab);
	start();
	client = lab_client("192.0.2.1:1000", 7);
	LabClient udp = lab_client("192.0.2.1:1000", 0), other = lab_client("192.0.2.1:1000", 8);
	ck_assert_uint_eq(lab_allocate(&lab, &client, 0), 0);
	ck_assert_uint_eq(lab_allocate(&lab, &udp, 0), 0);
	ck_assert_uint_eq(lab_allocate(&lab, &other, 0), 0);
	wice__turn_server_stream_closed(lab.server, 7);
	ck_assert_uint_eq(lab.n_ended, 1);
	ck_assert_uint_eq(lab_refresh(&lab, &client, 600), 437);
	ck_assert_uint_eq(lab_refresh(&lab, &udp, 600), 0);
	ck_assert_uint_eq(lab_refresh(&lab, &other, 600), 0);
	wice__turn_server_stream_closed(lab.server, 9);
	ck_assert_uint_eq(lab.n_ended, 1);
	lab_done(&lab);
}
END_TEST

static uint16_t refresh_with_ticket(LabClient *mover, const uint8_t *ticket, size_t len)
{
	wice__stun_write_bytes(lab_begin(mover, WICE_STUN_REFRESH), WICE_STUN_MOBILITY_TICKET,
			       ticket, len);
	return lab_ask(&lab, mover);
}

START_TEST(an_allocation_follows_its_ticket)
{
	WiceSpan span;
	uint8_t ticket[64], wrong[64];
	lab_init(&lab);
	start();
	ck_assert_uint_eq(allocate_with(WICE_STUN_MOBILITY_TICKET, 0), 0);
	ck_assert_int_eq(wice__stun_read_bytes(&client.answer, WICE_STUN_MOBILITY_TICKET, &span),
			 0);
	size_t len = span.len;
	memcpy(ticket, span.data, len);
	for (size_t i = 0; i < len; i++) /* clients keep it as a string */
		ck_assert(g_ascii_isgraph(ticket[i]));
	memcpy(wrong, span.data, len);
	wrong[0] ^= 1;
	ck_assert_uint_eq(lab_bind(&lab, &client, 0x4000, "198.51.100.9:9"), 0);

	LabClient moved = lab_client("192.0.2.77:4000", 0);
	lab_challenge(&lab, &moved);
	ck_assert_uint_eq(refresh_with_ticket(&moved, wrong, len), 437);
	moved.username = "user2";
	ck_assert_uint_eq(refresh_with_ticket(&moved, ticket, len), 441);
	moved.username = "user";
	ck_assert_uint_eq(refresh_with_ticket(&moved, ticket, len), 0);
	ck_assert_uint_eq(lab.n_moved, 1);
	ck_assert_int_eq(wice_endpoint_compare(&lab.moved_from.client, &client.tuple.client), 0);
	ck_assert(wice__turn_server_has_allocation(lab.server, &moved.tuple));
	ck_assert(!wice__turn_server_has_allocation(lab.server, &client.tuple));
	ck_assert_int_eq(lab.n_channels, 1);
	ck_assert_uint_eq(lab.n_shown, 2);
	/* Lost answer: once more is fine; a ticket of somebody else is not. */
	ck_assert_uint_eq(refresh_with_ticket(&moved, ticket, len), 0);
	ck_assert_uint_eq(refresh_with_ticket(&moved, wrong, len), 400);
	ck_assert_uint_eq(lab.n_moved, 1);
	ck_assert_int_eq(lab_channel_data(&lab, &moved, 0x4000, "x").type, WICE_TURN_TO_PEER);
	ck_assert_int_eq(lab_channel_data(&lab, &client, 0x4000, "x").type, WICE_TURN_DROP);
	ck_assert_uint_eq(lab_refresh(&lab, &client, 600), 437);
	ck_assert_uint_eq(lab.n_opened, 1);
	lab_done(&lab);
}
END_TEST

START_TEST(an_allocation_with_a_ticket_outlives_its_stream)
{
	WiceSpan span;
	uint8_t ticket[64];
	lab_init(&lab);
	start();
	client = lab_client("192.0.2.1:1000", 7);
	lab_challenge(&lab, &client);
	ck_assert_uint_eq(allocate_with(WICE_STUN_MOBILITY_TICKET, 0), 0);
	ck_assert_int_eq(wice__stun_read_bytes(&client.answer, WICE_STUN_MOBILITY_TICKET, &span),
			 0);
	memcpy(ticket, span.data, span.len);
	wice__turn_server_stream_closed(lab.server, 7);
	ck_assert_uint_eq(lab.n_ended, 0);
	LabClient moved = lab_client("192.0.2.77:4000", 8);
	lab_challenge(&lab, &moved);
	ck_assert_uint_eq(refresh_with_ticket(&moved, ticket, span.len), 0);
	ck_assert_uint_eq(lab_bind(&lab, &moved, 0x4000, "198.51.100.9:9"), 0);
	lab_wait(&lab, 3600);
	ck_assert_uint_eq(lab.n_ended, 1);
	lab_done(&lab);
}
END_TEST

START_TEST(who_moves_counts_at_the_new_address)
{
	WiceSpan span;
	uint8_t ticket[64];
	lab_init(&lab);
	lab.options.max_per_address = 1;
	start();
	ck_assert_uint_eq(allocate_with(WICE_STUN_MOBILITY_TICKET, 0), 0);
	ck_assert_int_eq(wice__stun_read_bytes(&client.answer, WICE_STUN_MOBILITY_TICKET, &span),
			 0);
	memcpy(ticket, span.data, span.len);
	LabClient there = lab_client("192.0.2.77:4000", 0), port = lab_client("192.0.2.1:2", 0);
	ck_assert_uint_eq(lab_allocate(&lab, &there, 0), 0);
	there = lab_client("192.0.2.77:4001", 0);
	lab_challenge(&lab, &there);
	ck_assert_uint_eq(refresh_with_ticket(&there, ticket, span.len), 486);
	lab_challenge(&lab, &port);
	ck_assert_uint_eq(refresh_with_ticket(&port, ticket, span.len), 0);
	lab_done(&lab);
}
END_TEST

START_TEST(who_moves_within_his_network_counts_once)
{
	WiceSpan span;
	uint8_t ticket[64];
	lab_init(&lab);
	lab.options.max_per_address = 1;
	start();
	client = lab_client("[2001:db8::1]:1000", 0);
	lab_challenge(&lab, &client);
	ck_assert_uint_eq(allocate_with(WICE_STUN_MOBILITY_TICKET, 0), 0);
	ck_assert_int_eq(wice__stun_read_bytes(&client.answer, WICE_STUN_MOBILITY_TICKET, &span),
			 0);
	memcpy(ticket, span.data, span.len);
	LabClient next = lab_client("[2001:db8::2]:1000", 0);
	lab_challenge(&lab, &next);
	ck_assert_uint_eq(refresh_with_ticket(&next, ticket, span.len), 0);
	lab_done(&lab);
}
END_TEST

SUITE_MAIN("turn server refreshes", refresh_is_about_ones_own_allocation,
	   each_family_can_be_released_alone, a_family_takes_its_channels_along,
	   a_stream_ends_its_allocation, an_allocation_follows_its_ticket,
	   an_allocation_with_a_ticket_outlives_its_stream, who_moves_counts_at_the_new_address,
	   who_moves_within_his_network_counts_once)
