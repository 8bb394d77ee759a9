/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "server_lab.h"

#define PEER "198.51.100.9:9"
#define PEER_OTHER_PORT "198.51.100.9:10"
#define STRANGER "198.51.100.10:9"

static Lab lab;
static LabClient client;

static void start(void)
{
	lab_start(&lab);
	client = lab_client("192.0.2.1:1000", 0);
	ck_assert_uint_eq(lab_allocate(&lab, &client, 0), 0);
}

static void assert_to_peer(const WiceTurnVerdict *verdict, const char *peer, const char *text)
{
	char found[WICE_ENDPOINT_SIZE];
	ck_assert_int_eq(verdict->type, WICE_TURN_TO_PEER);
	ck_assert_ptr_eq(verdict->allocation, client.allocation);
	ck_assert_str_eq(wice_endpoint_format(&verdict->peer, found), peer);
	ck_assert_uint_eq(verdict->data_len, strlen(text));
	ck_assert_mem_eq(verdict->data, text, strlen(text));
	/* Not a copy. */
	ck_assert(verdict->data >= client.request &&
		  verdict->data + verdict->data_len <= client.request + client.request_len);
}

START_TEST(permission_is_by_address)
{
	lab_init(&lab);
	start();
	ck_assert_int_eq(lab_send(&lab, &client, PEER, "x").type, WICE_TURN_DROP);
	ck_assert_int_eq(lab_from_peer(&lab, &client, PEER, "x").type, WICE_TURN_DROP);
	ck_assert_uint_eq(lab_permit(&lab, &client, PEER), 0);
	WiceTurnVerdict verdict = lab_send(&lab, &client, PEER, "hello");
	assert_to_peer(&verdict, PEER, "hello");
	verdict = lab_send(&lab, &client, PEER_OTHER_PORT, "");
	assert_to_peer(&verdict, PEER_OTHER_PORT, "");
	ck_assert_int_eq(lab_send(&lab, &client, STRANGER, "x").type, WICE_TURN_DROP);
	ck_assert_int_eq(lab_from_peer(&lab, &client, PEER_OTHER_PORT, "x").type,
			 WICE_TURN_TO_CLIENT);
	ck_assert_int_eq(lab_from_peer(&lab, &client, STRANGER, "x").type, WICE_TURN_DROP);
	ck_assert_int_eq(lab_send(&lab, &client, "198.51.100.9:0", "x").type, WICE_TURN_DROP);
	lab_wait(&lab, 299);
	ck_assert_int_eq(lab_send(&lab, &client, PEER, "x").type, WICE_TURN_TO_PEER);
	/* Data does not prolong it. Nor does it wait for the next clean-up. */
	lab.now_ms += 1000;
	ck_assert_int_eq(lab_send(&lab, &client, PEER, "x").type, WICE_TURN_DROP);
	ck_assert_int_eq(lab_from_peer(&lab, &client, PEER, "x").type, WICE_TURN_DROP);
	lab_wait(&lab, 0);
	WiceTurnTraffic traffic;
	wice__turn_allocation_traffic(client.allocation, &traffic);
	ck_assert_uint_eq(traffic.tx_packets, 3);
	ck_assert_uint_eq(traffic.tx_bytes, 6);
	ck_assert_uint_eq(traffic.rx_packets, 1);
	ck_assert_uint_eq(traffic.rx_bytes, 1);
	ck_assert_uint_eq(traffic.dropped, 7);
	lab_done(&lab);
}
END_TEST

START_TEST(what_a_peer_sends_arrives_as_an_indication)
{
	static const char *const peers[] = { "198.51.100.9:9", "[2001:db8::9]:9" };
	static const char *const texts[] = { "", "1", "12", "123", "1234", "12345" };
	for (size_t i = 0; i < G_N_ELEMENTS(peers); i++)
		for (size_t j = 0; j < G_N_ELEMENTS(texts); j++) {
			WiceEndpoint peer = lab_endpoint(peers[i]), found;
			uint8_t whole[128] = { 0 };
			WiceStunMessage message;
			WiceSpan data;
			lab_init(&lab);
			lab_start(&lab);
			client = lab_client("192.0.2.1:1000", j % 2);
			ck_assert_uint_eq(
				lab_allocate(&lab, &client, i ? WICE_STUN_FAMILY_IPV6 : 0), 0);
			ck_assert_uint_eq(lab_permit(&lab, &client, peers[i]), 0);
			WiceTurnVerdict verdict = lab_from_peer(&lab, &client, peers[i], texts[j]);
			ck_assert_int_eq(verdict.type, WICE_TURN_TO_CLIENT);
			ck_assert_ptr_eq(verdict.allocation, client.allocation);
			ck_assert_ptr_eq(verdict.data, texts[j]);
			memcpy(whole, verdict.header, verdict.header_len);
			memcpy(whole + verdict.header_len, verdict.data, verdict.data_len);
			ck_assert_int_eq(wice__stun_message_read(&message, whole,
								 verdict.header_len +
									 verdict.data_len +
									 verdict.padding),
					 0);
			ck_assert_uint_eq(message.message_class, WICE_STUN_INDICATION);
			ck_assert_uint_eq(message.method, WICE_STUN_DATA_INDICATION);
			ck_assert_int_eq(wice__stun_read_address(
						 &message, WICE_STUN_XOR_PEER_ADDRESS, &found),
					 0);
			ck_assert_int_eq(wice_endpoint_compare(&found, &peer), 0);
			ck_assert_int_eq(wice__stun_read_bytes(&message, WICE_STUN_DATA, &data), 0);
			ck_assert_uint_eq(data.len, strlen(texts[j]));
			ck_assert_int_eq(memcmp(data.data, texts[j], data.len), 0);
			lab_done(&lab);
		}
}
END_TEST

START_TEST(channels_carry_data_both_ways)
{
	static const char *const texts[] = { "", "1", "12", "123", "1234" };
	for (uint64_t stream = 0; stream < 2; stream++) {
		lab_init(&lab);
		lab_start(&lab);
		client = lab_client("192.0.2.1:1000", stream);
		ck_assert_uint_eq(lab_allocate(&lab, &client, 0), 0);
		ck_assert_uint_eq(lab_bind(&lab, &client, 0x4001, PEER), 0);
		for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
			size_t len = strlen(texts[i]);
			WiceTurnVerdict verdict = lab_channel_data(&lab, &client, 0x4001, texts[i]);
			assert_to_peer(&verdict, PEER, texts[i]);
			verdict = lab_from_peer(&lab, &client, PEER, texts[i]);
			const uint8_t header[] = { 0x40, 0x01, 0, (uint8_t)len };
			ck_assert_int_eq(verdict.type, WICE_TURN_TO_CLIENT);
			ck_assert_uint_eq(verdict.header_len, sizeof header);
			ck_assert_mem_eq(verdict.header, header, sizeof header);
			ck_assert_ptr_eq(verdict.data, texts[i]);
			ck_assert_uint_eq(verdict.data_len, len);
			ck_assert_uint_eq(verdict.padding, stream ? (4 - len % 4) % 4 : 0);
		}
		/* A channel is for one port; the permission that came with it is not. */
		ck_assert_uint_eq(lab_from_peer(&lab, &client, PEER_OTHER_PORT, "x").header_len,
				  36);
		lab_done(&lab);
	}
}
END_TEST

START_TEST(channel_data_must_be_whole)
{
	static const struct {
		size_t len;
		uint8_t bytes[12];
		bool passes;
	} cases[] = {
		{ 5, { 0x40, 0, 0, 1, 9 }, true },
		{ 8, { 0x40, 0, 0, 1, 9, 0, 0, 0 }, true }, /* with padding */
		{ 6, { 0x40, 0, 0, 1, 9, 0 }, true },
		{ 8, { 0x40, 0, 0, 1, 9, 1, 2, 3 }, true }, /* of whatever */
		{ 4, { 0x40, 0, 0, 0 }, true },
		{ 4, { 0x40, 0, 0, 1 }, false },
		{ 3, { 0x40, 0, 0 }, false },
		{ 1, { 0x40 }, false },
		{ 9, { 0x40, 0, 0, 1, 9, 0, 0, 0, 0 }, false },
		{ 5, { 0x40, 1, 0, 1, 9 }, false }, /* another channel */
		{ 5, { 0x3f, 0, 0, 1, 9 }, false },
		{ 5, { 0xc0, 0, 0, 1, 9 }, false },
	};
	lab_init(&lab);
	start();
	ck_assert_uint_eq(lab_bind(&lab, &client, 0x4000, PEER), 0);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		WiceTurnVerdict verdict;
		wice__turn_server_from_client(lab.server, &client.tuple, cases[i].bytes,
					      cases[i].len, lab.now_ms, &verdict);
		ck_assert_msg((verdict.type == WICE_TURN_TO_PEER) == cases[i].passes, "case %zu",
			      i);
		if (cases[i].passes) {
			ck_assert_ptr_eq(verdict.data, cases[i].bytes + 4);
			ck_assert_uint_eq(verdict.data_len, cases[i].bytes[3]);
		}
	}
	lab_done(&lab);
}
END_TEST

/* RFC 8656 section 12.2, after 0x4000 was bound to PEER. */
START_TEST(what_a_channel_may_be_bound_to)
{
	static const struct {
		uint16_t number;
		const char *peer;
		uint16_t code;
	} cases[] = {
		{ 0x4000, PEER, 0 },              /* again */
		{ 0x4000, PEER_OTHER_PORT, 400 }, /* the number is taken */
		{ 0x4000, STRANGER, 400 },
		{ 0x4001, PEER, 400 }, /* the peer has one */
		{ 0x4001, PEER_OTHER_PORT, 0 },
		{ 0x4001, STRANGER, 0 },
		{ 0x4fff, STRANGER, 0 },
		{ 0x7fff, STRANGER, 0 }, /* as in RFC 5766 */
		{ 0x3fff, STRANGER, 400 },
		{ 0x8000, STRANGER, 400 },
		{ 0xffff, STRANGER, 400 },
		{ 0, STRANGER, 400 },
		{ 0x4001, "198.51.100.10:0", 400 },
		{ 0x4001, "[2001:db8::9]:9", 443 },
		{ 0x4001, "127.0.0.1:9", 403 },
		{ 0x4001, "10.0.0.1:9", 403 },
		{ 0x4001, "203.0.113.1:3478", 403 }, /* the server itself */
		{ 0x4001, "203.0.113.1:53", 403 },
		{ 0x4001, "198.51.100.66:9", 403 }, /* its owner says so */
		{ 0x4001, "198.51.100.67:9", 403 }, /* the system does */
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		lab_init(&lab);
		lab.refused_peer = lab_endpoint("198.51.100.66:1");
		lab.peer_here = lab_endpoint("198.51.100.67:1");
		start();
		ck_assert_uint_eq(lab_bind(&lab, &client, 0x4000, PEER), 0);
		ck_assert_msg(lab_bind(&lab, &client, cases[i].number, cases[i].peer) ==
				      cases[i].code,
			      "case %zu", i);
		bool one_more = cases[i].code == 0 && cases[i].number != 0x4000;
		ck_assert_int_eq(lab.n_channels, 1 + one_more);
		ck_assert_int_eq(lab_channel_data(&lab, &client, 0x4000, "x").type,
				 WICE_TURN_TO_PEER);
		lab_done(&lab);
	}
}
END_TEST

START_TEST(both_attributes_are_needed)
{
	WiceEndpoint peer = lab_endpoint(PEER);
	lab_init(&lab);
	start();
	wice__stun_write_u16(lab_begin(&client, WICE_STUN_CHANNEL_BIND), WICE_STUN_CHANNEL_NUMBER,
			     0x4000);
	ck_assert_uint_eq(lab_ask(&lab, &client), 400);
	wice__stun_write_address(lab_begin(&client, WICE_STUN_CHANNEL_BIND),
				 WICE_STUN_XOR_PEER_ADDRESS, &peer);
	ck_assert_uint_eq(lab_ask(&lab, &client), 400);
	lab_begin(&client, WICE_STUN_CREATE_PERMISSION);
	ck_assert_uint_eq(lab_ask(&lab, &client), 400);
	lab_done(&lab);
}
END_TEST

/* Permissions of one request are made all or none. */
START_TEST(permissions_are_made_together)
{
	static const struct {
		const char *peers[3];
		uint16_t code;
	} cases[] = {
		{ { PEER, STRANGER, NULL }, 0 },
		{ { PEER, PEER, PEER }, 0 },
		{ { PEER, "127.0.0.1:9", STRANGER }, 403 },
		{ { PEER, "[2001:db8::9]:9", NULL }, 443 },
		{ { PEER, "198.51.100.66:1", NULL }, 403 },
		{ { PEER, "169.254.169.254:80", NULL }, 403 },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		lab_init(&lab);
		lab.refused_peer = lab_endpoint("198.51.100.66:1");
		start();
		WiceStunWriter *writer = lab_begin(&client, WICE_STUN_CREATE_PERMISSION);
		for (size_t j = 0; j < 3 && cases[i].peers[j]; j++) {
			WiceEndpoint peer = lab_endpoint(cases[i].peers[j]);
			wice__stun_write_address(writer, WICE_STUN_XOR_PEER_ADDRESS, &peer);
		}
		ck_assert_msg(lab_ask(&lab, &client) == cases[i].code, "case %zu", i);
		ck_assert_int_eq(lab_send(&lab, &client, PEER, "x").type,
				 cases[i].code ? WICE_TURN_DROP : WICE_TURN_TO_PEER);
		lab_done(&lab);
	}
}
END_TEST

START_TEST(permissions_and_channels_are_limited)
{
	char peer[32];
	lab_init(&lab);
	lab.options.max_permissions = 4;
	start();
	for (unsigned i = 0; i < 5; i++) {
		g_snprintf(peer, sizeof peer, "198.51.100.%u:9", i + 1);
		ck_assert_uint_eq(lab_permit(&lab, &client, peer), i < 4 ? 0 : 508);
	}
	ck_assert_uint_eq(lab_permit(&lab, &client, "198.51.100.1:1"), 0);
	for (unsigned i = 0; i < 5; i++) {
		g_snprintf(peer, sizeof peer, "198.51.100.1:%u", i + 1);
		ck_assert_uint_eq(lab_bind(&lab, &client, (uint16_t)(0x4000 + i), peer),
				  i < 4 ? 0 : 508);
	}
	ck_assert_uint_eq(lab_bind(&lab, &client, 0x4000, "198.51.100.1:1"), 0);
	lab_done(&lab);
}
END_TEST

START_TEST(peers_on_private_networks_may_be_permitted)
{
	static const struct {
		bool private, loopback;
		const char *peer;
		uint16_t code;
	} cases[] = {
		{ false, false, "10.0.0.1:9", 403 },  { true, false, "10.0.0.1:9", 0 },
		{ false, true, "10.0.0.1:9", 403 },   { false, false, "127.0.0.1:9", 403 },
		{ true, false, "127.0.0.1:9", 403 },  { false, true, "127.0.0.1:9", 0 },
		{ true, true, "169.254.0.1:9", 403 }, { true, true, "224.0.0.1:9", 403 },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		lab_init(&lab);
		lab.options.permit_private = cases[i].private;
		lab.options.permit_loopback = cases[i].loopback;
		start();
		ck_assert_msg(lab_permit(&lab, &client, cases[i].peer) == cases[i].code, "%zu", i);
		ck_assert_msg(lab_bind(&lab, &client, 0x4000, cases[i].peer) == cases[i].code,
			      "%zu", i);
		lab_done(&lab);
	}
}
END_TEST

START_TEST(a_listed_address_of_the_host_is_denied)
{
	WiceAddress own;
	lab_init(&lab);
	start();
	ck_assert_uint_eq(lab_bind(&lab, &client, 0x4000, "198.51.100.200:22"), 0);
	ck_assert(wice_address_parse("198.51.100.201", &own));
	wice__turn_server_add_own_address(lab.server, &own);
	ck_assert_uint_eq(lab_bind(&lab, &client, 0x4001, "198.51.100.201:22"), 403);
	/* A permission has no port, but data to that one does not pass. */
	ck_assert_uint_eq(lab_permit(&lab, &client, "198.51.100.201:22"), 0);
	ck_assert_int_eq(lab_send(&lab, &client, "198.51.100.201:22", "x").type, WICE_TURN_DROP);
	lab_done(&lab);
}
END_TEST

/* Two clients of one server, each with a channel to the other's relayed address. */
START_TEST(clients_of_the_same_server_can_meet)
{
	static const char *const texts[] = { "a", "" };
	char one_relayed[WICE_ENDPOINT_SIZE], two_relayed[WICE_ENDPOINT_SIZE];
	WiceEndpoint relayed;
	lab_init(&lab);
	start();
	ck_assert(wice__turn_allocation_relayed(client.allocation, WICE_FAMILY_IPV4, &relayed));
	wice_endpoint_format(&relayed, one_relayed);
	LabClient two = lab_client("192.0.2.2:2000", 0);
	ck_assert_uint_eq(lab_allocate(&lab, &two, 0), 0);
	ck_assert(wice__turn_allocation_relayed(two.allocation, WICE_FAMILY_IPV4, &relayed));
	wice_endpoint_format(&relayed, two_relayed);
	ck_assert_uint_eq(lab_bind(&lab, &client, 0x4000, two_relayed), 0);
	ck_assert_uint_eq(lab_bind(&lab, &two, 0x4007, one_relayed), 0);
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		WiceTurnVerdict verdict = lab_channel_data(&lab, &client, 0x4000, texts[i]);
		assert_to_peer(&verdict, two_relayed, texts[i]);
		verdict = lab_from_peer(&lab, &two, one_relayed, texts[i]);
		ck_assert_int_eq(verdict.type, WICE_TURN_TO_CLIENT);
		ck_assert_uint_eq(verdict.header[1], 0x07);
	}
	/* The other one leaves: what has its port next is none of a client's business. */
	ck_assert_uint_eq(lab_refresh(&lab, &two, 0), 0);
	ck_assert_int_eq(lab_channel_data(&lab, &client, 0x4000, "x").type, WICE_TURN_DROP);
	ck_assert_uint_eq(lab_bind(&lab, &client, 0x4000, two_relayed), 403);
	lab_done(&lab);
}
END_TEST

START_TEST(the_shell_is_told_of_channels)
{
	lab_init(&lab);
	lab.options.max_lifetime_s = 3600;
	start();
	ck_assert_uint_eq(lab_refresh(&lab, &client, 3600), 0);
	ck_assert_uint_eq(lab_bind(&lab, &client, 0x4000, PEER), 0);
	ck_assert_uint_eq(lab_bind(&lab, &client, 0x4000, PEER), 0);
	ck_assert_uint_eq(lab.n_shown, 1);
	lab_wait(&lab, 300); /* the permission has expired, the channel has not */
	ck_assert_int_eq(lab.n_channels, 0);
	ck_assert_int_eq(lab_channel_data(&lab, &client, 0x4000, "x").type, WICE_TURN_DROP);
	ck_assert_int_eq(lab_from_peer(&lab, &client, PEER, "x").type, WICE_TURN_DROP);
	ck_assert_uint_eq(lab_permit(&lab, &client, PEER), 0);
	ck_assert_int_eq(lab.n_channels, 1);
	ck_assert_int_eq(lab_channel_data(&lab, &client, 0x4000, "x").type, WICE_TURN_TO_PEER);
	lab_wait(&lab, 299);
	ck_assert_int_eq(lab.n_channels, 1);
	lab_wait(&lab, 1); /* now both */
	ck_assert_int_eq(lab.n_channels, 0);
	ck_assert_uint_eq(lab.n_shown, 2);
	lab_done(&lab);
}
END_TEST

START_TEST(a_users_rate_is_kept)
{
	WiceTurnTraffic traffic = { .tx_bytes = 100000 };
	lab_init(&lab);
	lab.options.user_bytes_per_s = 1000;
	start();
	LabClient second = lab_client("192.0.2.1:1001", 0), other = lab_client("192.0.2.1:1002", 0);
	other.username = "user2";
	ck_assert_uint_eq(lab_allocate(&lab, &second, 0), 0);
	ck_assert_uint_eq(lab_allocate(&lab, &other, 0), 0);
	ck_assert_uint_eq(lab_bind(&lab, &client, 0x4000, PEER), 0);
	ck_assert_uint_eq(lab_bind(&lab, &second, 0x4000, PEER), 0);
	ck_assert_uint_eq(lab_bind(&lab, &other, 0x4000, PEER), 0);
	/* 72 bytes and the headers are 100: a second's worth and one more. */
	char text[73] = { 0 };
	memset(text, 'x', 72);
	unsigned passed = 0;
	for (int i = 0; i < 20; i++)
		passed += lab_channel_data(&lab, i % 2 ? &client : &second, 0x4000, text).type ==
			  WICE_TURN_TO_PEER;
	ck_assert_uint_eq(passed, 11);
	ck_assert_int_eq(lab_from_peer(&lab, &client, PEER, text).type, WICE_TURN_TO_CLIENT);
	ck_assert_int_eq(lab_channel_data(&lab, &other, 0x4000, text).type, WICE_TURN_TO_PEER);
	lab.now_ms += 100;
	ck_assert_int_eq(lab_channel_data(&lab, &client, 0x4000, text).type, WICE_TURN_TO_PEER);
	ck_assert_int_eq(lab_channel_data(&lab, &client, 0x4000, text).type, WICE_TURN_DROP);
	/* What a fast path has relayed counts; a debt is forgiven beyond 10 s. */
	lab_wait(&lab, 2);
	wice__turn_allocation_add_traffic(client.allocation, &traffic);
	lab.now_ms += 8000;
	ck_assert_int_eq(lab_channel_data(&lab, &client, 0x4000, text).type, WICE_TURN_DROP);
	lab.now_ms += 1000;
	ck_assert_int_eq(lab_channel_data(&lab, &client, 0x4000, text).type, WICE_TURN_TO_PEER);
	lab_done(&lab);
}
END_TEST

START_TEST(who_comes_back_has_his_debt)
{
	char text[1001] = { 0 };
	lab_init(&lab);
	lab.options.user_bytes_per_s = 100;
	start();
	memset(text, 'x', 1000);
	ck_assert_uint_eq(lab_bind(&lab, &client, 0x4000, PEER), 0);
	ck_assert_int_eq(lab_channel_data(&lab, &client, 0x4000, text).type, WICE_TURN_TO_PEER);
	ck_assert_uint_eq(lab_refresh(&lab, &client, 0), 0);
	ck_assert_uint_eq(lab_allocate(&lab, &client, 0), 0);
	ck_assert_uint_eq(lab_bind(&lab, &client, 0x4000, PEER), 0);
	ck_assert_int_eq(lab_channel_data(&lab, &client, 0x4000, "x").type, WICE_TURN_DROP);
	lab_wait(&lab, 11);
	ck_assert_int_eq(lab_channel_data(&lab, &client, 0x4000, "x").type, WICE_TURN_TO_PEER);
	ck_assert_uint_eq(lab_refresh(&lab, &client, 0), 0);
	lab_wait(&lab, 60);
	ck_assert_int_eq(wice__turn_server_expire(lab.server, lab.now_ms), INT64_MAX);
	lab_done(&lab);
}
END_TEST

START_TEST(an_indication_may_forbid_fragments)
{
	WiceEndpoint peer = lab_endpoint(PEER);
	for (int able = 0; able < 2; able++) {
		WiceTurnVerdict verdict;
		lab_init(&lab);
		lab.options.dont_fragment = able;
		start();
		ck_assert_uint_eq(lab_permit(&lab, &client, PEER), 0);
		WiceStunWriter *writer = lab_begin(&client, WICE_STUN_SEND);
		wice__stun_write_address(writer, WICE_STUN_XOR_PEER_ADDRESS, &peer);
		wice__stun_write_flag(writer, WICE_STUN_DONT_FRAGMENT);
		wice__stun_write_bytes(writer, WICE_STUN_DATA, "x", 1);
		lab_finish_plain(&client);
		wice__turn_server_from_client(lab.server, &client.tuple, client.request,
					      client.request_len, lab.now_ms, &verdict);
		ck_assert_int_eq(verdict.type, able ? WICE_TURN_TO_PEER : WICE_TURN_DROP);
		ck_assert(verdict.dont_fragment == able);
		ck_assert(!lab_send(&lab, &client, PEER, "x").dont_fragment);
		lab_done(&lab);
	}
}
END_TEST

SUITE_MAIN("turn server relay", permission_is_by_address,
	   what_a_peer_sends_arrives_as_an_indication, channels_carry_data_both_ways,
	   channel_data_must_be_whole, what_a_channel_may_be_bound_to, both_attributes_are_needed,
	   permissions_are_made_together, permissions_and_channels_are_limited,
	   peers_on_private_networks_may_be_permitted, a_listed_address_of_the_host_is_denied,
	   clients_of_the_same_server_can_meet, the_shell_is_told_of_channels, a_users_rate_is_kept,
	   who_comes_back_has_his_debt, an_indication_may_forbid_fragments)
