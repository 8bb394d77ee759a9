/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "bed.h"
#include "suite.h"

#include "event/sockaddr.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/*
 * What every WiceIceOps promises. Each case runs with _i = 0 over libnice and with _i = 1 over the
 * fake.
 */

#define ADDRESSES_1 "192.0.2.1 2001:db8::1"
#define ADDRESSES_2 "192.0.2.2 2001:db8::2"

static void open_two(Bed *bed, int which, BedSide *a, BedSide *b)
{
	ck_assert_int_eq(bed_open(bed, a, bed_ops[which], true, "192.0.2.1"), 0);
	ck_assert_int_eq(bed_open(bed, b, bed_ops[which], false, "192.0.2.2"), 0);
	a->other = b;
	b->other = a;
}

static void connect_as(Bed *bed, int which, bool a_controls, bool b_controls, const char *at_a,
		       const char *at_b)
{
	BedSide a = { 0 }, b = { 0 };
	ck_assert_int_eq(bed_open(bed, &a, bed_ops[which], a_controls, at_a), 0);
	ck_assert_int_eq(bed_open(bed, &b, bed_ops[which], b_controls, at_b), 0);
	bed_introduce(&a, &b);
	ck_assert(bed_connect(bed, &a, &b));
	bed_linger(bed, 100);
	bed_check_pair(&a, &b);
	bed_check_pair(&b, &a);
	ck_assert_int_eq(wice_endpoint_compare(&a.pair.base, &b.pair.remote.endpoint), 0);
	ck_assert_int_eq(wice_endpoint_compare(&b.pair.base, &a.pair.remote.endpoint), 0);
	ck_assert_uint_eq(a.n_failed + b.n_failed, 0);
	bed_close(&a);
	bed_close(&b);
}

START_TEST(agents_connect_whatever_their_roles)
{
	Bed bed;
	bed_init(&bed);
	for (int roles = 0; roles < 4 && bed.ready; roles++)
		connect_as(&bed, _i, roles & 1, roles & 2, "192.0.2.1", "192.0.2.2");
	bed_done(&bed);
}
END_TEST

START_TEST(agents_connect_over_ipv4_and_ipv6)
{
	Bed bed;
	bed_init(&bed);
	if (bed.ready) {
		connect_as(&bed, _i, true, false, "2001:db8::1", "2001:db8::2");
		connect_as(&bed, _i, true, false, ADDRESSES_1, ADDRESSES_2);
		connect_as(&bed, _i, true, false, ADDRESSES_1, "2001:db8::2");
		connect_as(&bed, _i, true, false, "192.0.2.1", ADDRESSES_2);
		connect_as(&bed, _i, true, false, "127.0.0.1", "127.0.0.1");
	}
	bed_done(&bed);
}
END_TEST

START_TEST(host_candidates_are_known_at_once)
{
	Bed bed;
	BedSide a = { 0 };
	bed_init(&bed);
	if (bed.ready) {
		ck_assert_int_eq(bed_open(&bed, &a, bed_ops[_i], true, ADDRESSES_1), 0);
		ck_assert_uint_eq(a.n_sockets, 2);
		for (size_t i = 0; i < a.n_sockets; i++) {
			ck_assert_int_eq(a.candidates[i].type, WICE_CANDIDATE_HOST);
			ck_assert_uint_ne(a.candidates[i].endpoint.port, 0);
			ck_assert_uint_eq(a.candidates[i].related.address.family, 0);
			ck_assert_uint_eq(a.candidates[i].priority >> 24, 120);
			ck_assert_uint_ge(strlen(a.candidates[i].foundation), 1);
		}
		ck_assert_uint_ne(a.candidates[0].priority, a.candidates[1].priority);
		ck_assert_str_ne(a.candidates[0].foundation, a.candidates[1].foundation);
		ck_assert_uint_ge(strlen(a.credentials.ufrag), 4);
		ck_assert_uint_ge(strlen(a.credentials.pwd), 22);
		WiceIceSocket one;
		ck_assert_uint_eq(a.ops->sockets(a.ice, &one, 1), 2);
		ck_assert_int_eq(one.fd, a.sockets[0].fd);
		bed_close(&a);
	}
	bed_done(&bed);
}
END_TEST

START_TEST(candidates_may_come_before_credentials)
{
	Bed bed;
	BedSide a = { 0 }, b = { 0 };
	bed_init(&bed);
	if (bed.ready) {
		open_two(&bed, _i, &a, &b);
		ck_assert_int_eq(bed_add(&a, b.candidates, b.n_sockets), 0);
		ck_assert_int_eq(bed_add(&b, a.candidates, a.n_sockets), 0);
		bed_linger(&bed, 50);
		ck_assert_uint_eq(a.n_pairs + b.n_pairs, 0);
		ck_assert_int_eq(bed_set_remote(&a, &b.credentials), 0);
		bed_linger(&bed, 50);
		ck_assert_int_eq(bed_set_remote(&b, &a.credentials), 0);
		ck_assert(bed_connect(&bed, &a, &b));
		bed_close(&a);
		bed_close(&b);
	}
	bed_done(&bed);
}
END_TEST

START_TEST(candidates_may_come_late)
{
	Bed bed;
	BedSide a = { 0 }, b = { 0 };
	bed_init(&bed);
	if (bed.ready) {
		open_two(&bed, _i, &a, &b);
		ck_assert_int_eq(bed_set_remote(&a, &b.credentials), 0);
		ck_assert_int_eq(bed_set_remote(&b, &a.credentials), 0);
		bed_linger(&bed, 100);
		ck_assert_uint_eq(a.n_pairs + b.n_pairs, 0);
		ck_assert_int_eq(bed_add(&a, b.candidates, b.n_sockets), 0);
		ck_assert_int_eq(bed_add(&b, a.candidates, a.n_sockets), 0);
		ck_assert(bed_connect(&bed, &a, &b));
		bed_close(&a);
		bed_close(&b);
	}
	bed_done(&bed);
}
END_TEST

START_TEST(an_unannounced_address_is_peer_reflexive)
{
	Bed bed;
	BedSide a = { 0 }, b = { 0 };
	bed_init(&bed);
	if (bed.ready) {
		open_two(&bed, _i, &a, &b);
		ck_assert_int_eq(bed_set_remote(&a, &b.credentials), 0);
		bed_tell(&b, &a);
		ck_assert(bed_connect(&bed, &a, &b));
		bed_check_pair(&a, &b);
		ck_assert_int_eq(a.pair.remote.type, WICE_CANDIDATE_PEER_REFLEXIVE);
		ck_assert_int_eq(b.pair.remote.type, WICE_CANDIDATE_HOST);
		bed_close(&a);
		bed_close(&b);
	}
	bed_done(&bed);
}
END_TEST

START_TEST(repeated_candidates_change_nothing)
{
	Bed bed;
	BedSide a = { 0 }, b = { 0 };
	bed_init(&bed);
	if (bed.ready) {
		open_two(&bed, _i, &a, &b);
		for (unsigned i = 0; i < 50; i++)
			bed_introduce(&a, &b);
		ck_assert(bed_connect(&bed, &a, &b));
		bed_linger(&bed, 300);
		unsigned before = a.n_pairs + b.n_pairs;
		for (unsigned i = 0; i < 50; i++)
			bed_introduce(&a, &b);
		bed_linger(&bed, 300);
		ck_assert_uint_eq(a.n_pairs + b.n_pairs, before);
		bed_close(&a);
		bed_close(&b);
	}
	bed_done(&bed);
}
END_TEST

static void add_strangers(BedSide *side, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		char endpoint[WICE_ENDPOINT_SIZE];
		g_snprintf(endpoint, sizeof endpoint, "198.51.100.%u:%u", i % 250 + 1, 1000 + i);
		WiceCandidate candidate = bed_candidate(endpoint, 1000 + i, "x");
		ck_assert_int_eq(bed_add(side, &candidate, 1), 0);
	}
}

START_TEST(candidates_beyond_the_limit_are_ignored)
{
	Bed bed;
	bed_init(&bed);
	for (unsigned before = WICE_ICE_MAX_REMOTE - 1; before <= 200 && bed.ready; before += 100) {
		BedSide a = { 0 }, b = { 0 };
		open_two(&bed, _i, &a, &b);
		add_strangers(&a, before);
		bed_introduce(&a, &b);
		ck_assert(bed_connect(&bed, &a, &b));
		bed_check_pair(&a, &b);
		ck_assert_int_eq(a.pair.remote.type, before < WICE_ICE_MAX_REMOTE
							     ? WICE_CANDIDATE_HOST
							     : WICE_CANDIDATE_PEER_REFLEXIVE);
		bed_close(&a);
		bed_close(&b);
	}
	bed_done(&bed);
}
END_TEST

static WiceIceCredentials credentials(const char *ufrag, const char *pwd)
{
	WiceIceCredentials result = { 0 };
	memcpy(result.ufrag, ufrag, MIN(strlen(ufrag), sizeof result.ufrag));
	memcpy(result.pwd, pwd, MIN(strlen(pwd), sizeof result.pwd));
	return result;
}

START_TEST(malformed_credentials_are_refused)
{
	static const char pwd[] = "abcdefghijklmnopqrstuv";
	static const char long_33[] = "abcdefghijklmnopqrstuvwxyz0123456";
	static const char long_65[] =
		"abcdefghijklmnopqrstuvwxyz0123456abcdefghijklmnopqrstuvwxyz012345";
	const struct {
		const char *ufrag, *pwd;
	} cases[] = {
		{ "", pwd },         { "abc", pwd },   { "abcd", "" },     { "abcd", pwd + 1 },
		{ "ab d", pwd },     { "ab:d", pwd },  { "ab\xffy", pwd }, { long_33, pwd },
		{ "abcd", long_65 }, { "abc\n", pwd },
	};
	Bed bed;
	BedSide a = { 0 }, b = { 0 };
	bed_init(&bed);
	if (bed.ready) {
		open_two(&bed, _i, &a, &b);
		for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
			WiceIceCredentials bad = credentials(cases[i].ufrag, cases[i].pwd);
			ck_assert_int_eq(bed_set_remote(&a, &bad), -EINVAL);
		}
		bed_introduce(&a, &b);
		WiceIceCredentials other = credentials("abcd", pwd);
		ck_assert_int_eq(bed_set_remote(&a, &other), -EALREADY);
		ck_assert_int_eq(bed_set_remote(&a, &b.credentials), 0);
		ck_assert(bed_connect(&bed, &a, &b));
		bed_close(&a);
		bed_close(&b);
	}
	bed_done(&bed);
}
END_TEST

START_TEST(candidates_that_no_packet_could_go_to_are_ignored)
{
	Bed bed;
	BedSide a = { 0 }, b = { 0 };
	bed_init(&bed);
	if (bed.ready) {
		open_two(&bed, _i, &a, &b);
		WiceCandidate bad[] = {
			bed_candidate("192.0.2.9:0", 1, "1"),
			bed_candidate("0.0.0.0:9", 1, "1"),
			bed_candidate("255.255.255.255:9", 1, "1"),
			bed_candidate("224.0.0.1:9", 1, "1"),
			bed_candidate("127.0.0.1:9", 1, "1"),
			bed_candidate("[::1]:9", 1, "1"),
			bed_candidate("[ff02::1]:9", 1, "1"),
			bed_candidate("[fe80::1%1]:9", 1, "1"),
			bed_candidate("192.0.2.9:9", 0, "1"),
			bed_candidate("192.0.2.9:9", UINT32_MAX, "1"),
			bed_candidate("192.0.2.9:9", 1, ""),
			bed_candidate("192.0.2.9:9", 1, "a b"),
			{ 0 },
		};
		bad[11].type = 77;
		memset(bad[10].foundation, 'a', sizeof bad[10].foundation);
		ck_assert_int_eq(bed_add(&a, bad, G_N_ELEMENTS(bad)), 0);
		ck_assert_int_eq(bed_add(&a, NULL, 0), 0);
		bed_introduce(&a, &b);
		ck_assert(bed_connect(&bed, &a, &b));
		bed_close(&a);
		bed_close(&b);
	}
	bed_done(&bed);
}
END_TEST

static bool both_failed(void *user_data)
{
	BedSide **sides = user_data;
	return sides[0]->n_failed && sides[1]->n_failed;
}

START_TEST(a_wrong_password_fails_and_stays_failed)
{
	Bed bed;
	BedSide a = { 0 }, b = { 0 }, *sides[] = { &a, &b };
	bed_init(&bed);
	if (bed.ready) {
		open_two(&bed, _i, &a, &b);
		WiceIceCredentials wrong = b.credentials;
		wrong.pwd[0] = wrong.pwd[0] == 'a' ? 'b' : 'a';
		ck_assert_int_eq(bed_set_remote(&a, &wrong), 0);
		wrong = a.credentials;
		wrong.pwd[21] = wrong.pwd[21] == 'a' ? 'b' : 'a';
		ck_assert_int_eq(bed_set_remote(&b, &wrong), 0);
		ck_assert_int_eq(bed_add(&a, b.candidates, b.n_sockets), 0);
		ck_assert_int_eq(bed_add(&b, a.candidates, a.n_sockets), 0);
		ck_assert(bed_run(&bed, both_failed, sides));
		ck_assert_uint_eq(a.n_pairs + b.n_pairs, 0);
		ck_assert_int_eq(bed_add(&a, b.candidates, b.n_sockets), -ESHUTDOWN);
		bed_linger(&bed, 500);
		ck_assert_uint_eq(a.n_pairs + b.n_pairs, 0);
		ck_assert_uint_eq(a.n_failed + b.n_failed, 2);
		bed_close(&a);
		bed_close(&b);
	}
	bed_done(&bed);
}
END_TEST

START_TEST(closing_is_safe_at_every_stage)
{
	Bed bed;
	bed_init(&bed);
	for (unsigned stage = 0; stage < 60 && bed.ready; stage++) {
		BedSide a = { 0 }, b = { 0 };
		open_two(&bed, _i, &a, &b);
		if (stage >= 1)
			ck_assert_int_eq(bed_set_remote(&a, &b.credentials), 0);
		if (stage >= 2)
			bed_introduce(&a, &b);
		for (unsigned i = 3; i < stage; i++)
			bed_linger(&bed, 1);
		bed_close(stage % 2 ? &a : &b);
		bed_linger(&bed, 2);
		bed_close(&a);
		bed_close(&b);
		bed_linger(&bed, 2);
	}
	bed_done(&bed);
}
END_TEST

static void close_self(BedSide *side)
{
	bed_close(side);
}

static void close_both(BedSide *side)
{
	bed_close(side->other);
	bed_close(side);
}

static bool any_is_closed(void *user_data)
{
	BedSide **sides = user_data;
	return !sides[0]->ice || !sides[1]->ice;
}

START_TEST(a_callback_may_close)
{
	Bed bed;
	bed_init(&bed);
	for (unsigned i = 0; i < 2 && bed.ready; i++) {
		BedSide a = { .on_event = i ? close_both : close_self }, b = { 0 };
		BedSide *sides[] = { &a, &b };
		open_two(&bed, _i, &a, &b);
		bed_introduce(&a, &b);
		ck_assert(bed_run(&bed, any_is_closed, sides));
		ck_assert_ptr_null(a.ice);
		ck_assert_uint_eq(a.n_pairs, 1);
		bed_linger(&bed, 50);
		bed_close(&a);
		bed_close(&b);
	}
	bed_done(&bed);
}
END_TEST

static void send_through(const BedSide *from, const char *text, size_t len)
{
	for (size_t i = 0; i < from->n_sockets; i++) {
		if (wice_endpoint_compare(&from->sockets[i].candidate.endpoint, &from->pair.base))
			continue;
		struct sockaddr_storage storage;
		socklen_t size = wice__endpoint_to_sockaddr(&from->pair.remote.endpoint, &storage);
		ck_assert_int_eq(sendto(from->sockets[i].fd, text, len, 0,
					(struct sockaddr *)&storage, size),
				 (ssize_t)len);
		return;
	}
	ck_abort_msg("The pair's base is none of the sockets");
}

static bool has_data(void *user_data)
{
	BedSide *side = user_data;
	return side->n_data > 0;
}

START_TEST(packets_go_through_the_sockets)
{
	Bed bed;
	BedSide a = { 0 }, b = { 0 };
	bed_init(&bed);
	if (bed.ready) {
		open_two(&bed, _i, &a, &b);
		bed_introduce(&a, &b);
		ck_assert(bed_connect(&bed, &a, &b));
		send_through(&a, "\4\0\0\0hello", 9);
		ck_assert(bed_run(&bed, has_data, &b));
		ck_assert_uint_eq(b.data_len, 9);
		ck_assert_mem_eq(b.data, "\4\0\0\0hello", 9);
		send_through(&b, "\1\0\0\0x", 5);
		ck_assert(bed_run(&bed, has_data, &a));
		ck_assert_mem_eq(a.data, "\1\0\0\0x", 5);
		bed_close(&a);
		bed_close(&b);
	}
	bed_done(&bed);
}
END_TEST

START_TEST(on_data_may_close)
{
	Bed bed;
	BedSide a = { 0 }, b = { 0 }, *sides[] = { &a, &b };
	bed_init(&bed);
	if (bed.ready) {
		open_two(&bed, _i, &a, &b);
		bed_introduce(&a, &b);
		ck_assert(bed_connect(&bed, &a, &b));
		bed_linger(&bed, 50);
		b.on_event = close_self;
		for (unsigned i = 0; i < 20; i++)
			send_through(&a, "\4\0\0\0hello", 9);
		ck_assert(bed_run(&bed, any_is_closed, sides));
		bed_linger(&bed, 50);
		ck_assert_uint_eq(b.n_data, 1);
		bed_close(&a);
	}
	bed_done(&bed);
}
END_TEST

static bool all_have_pairs(void *user_data)
{
	BedSide *sides = user_data;
	for (unsigned i = 0; i < 200; i++)
		if (sides[i].n_pairs == 0)
			return false;
	return true;
}

START_TEST(a_hundred_pairs_connect_at_once)
{
	Bed bed;
	bed_init(&bed);
	if (bed.ready) {
		BedSide *sides = g_new0(BedSide, 200);
		for (unsigned i = 0; i < 200; i += 2)
			open_two(&bed, _i, &sides[i], &sides[i + 1]);
		for (unsigned i = 0; i < 200; i += 2)
			bed_introduce(&sides[i], &sides[i + 1]);
		ck_assert(bed_run(&bed, all_have_pairs, sides));
		for (unsigned i = 0; i < 200; i++) {
			bed_check_pair(&sides[i], sides[i].other);
			ck_assert_uint_eq(sides[i].n_failed, 0);
		}
		for (unsigned i = 0; i < 200; i++)
			bed_close(&sides[i]);
		g_free(sides);
	}
	bed_done(&bed);
}
END_TEST

START_TEST(a_port_range_is_kept)
{
	Bed bed;
	BedSide a = { 0 }, b = { 0 };
	WiceIceOptions options = { .port_min = 40000, .port_max = 40001 };
	bed_init(&bed);
	if (bed.ready) {
		ck_assert_int_eq(bed_open_full(&bed, &a, bed_ops[_i], options, "192.0.2.1"), 0);
		ck_assert_int_eq(bed_open_full(&bed, &b, bed_ops[_i], options, "192.0.2.1"), 0);
		unsigned first = a.candidates[0].endpoint.port,
			 second = b.candidates[0].endpoint.port;
		ck_assert_uint_eq(MIN(first, second), 40000);
		ck_assert_uint_eq(MAX(first, second), 40001);
		BedSide c = { 0 };
		ck_assert_int_eq(bed_open_full(&bed, &c, bed_ops[_i], options, "192.0.2.1"),
				 -EADDRINUSE);
		bed_close(&a);
		bed_close(&b);
		options.port_min = 2;
		options.port_max = 1;
		ck_assert_int_eq(bed_open_full(&bed, &a, bed_ops[_i], options, "192.0.2.1"),
				 -EINVAL);
	}
	bed_done(&bed);
}
END_TEST

START_TEST(addresses_that_cannot_be_bound_are_left_out)
{
	Bed bed;
	BedSide a = { 0 };
	WiceIceOptions options = { .port_min = 1024, .port_max = 65535 };
	bed_init(&bed);
	if (bed.ready) {
		ck_assert_int_eq(
			bed_open(&bed, &a, bed_ops[_i], true, "198.51.100.1 192.0.2.1 fe80::1"), 0);
		ck_assert_uint_eq(a.n_sockets, 1);
		bed_close(&a);
		ck_assert_int_eq(bed_open_full(&bed, &a, bed_ops[_i], options, "198.51.100.1"),
				 -EADDRNOTAVAIL);
		ck_assert_int_eq(bed_open(&bed, &a, bed_ops[_i], true, "fe80::1"), -EADDRNOTAVAIL);
		ck_assert_int_eq(bed_open(&bed, &a, bed_ops[_i], true, ""), -EINVAL);
	}
	bed_done(&bed);
}
END_TEST

START_TEST(sockets_carry_the_fwmark)
{
	Bed bed;
	BedSide a = { 0 };
	bed_init(&bed);
	if (bed.ready) {
		WiceIceOptions options = { .fwmark = 51820 };
		ck_assert_int_eq(bed_open_full(&bed, &a, bed_ops[_i], options, ADDRESSES_1), 0);
		for (size_t i = 0; i < a.n_sockets; i++) {
			uint32_t mark = 0;
			socklen_t len = sizeof mark;
			ck_assert_int_eq(
				getsockopt(a.sockets[i].fd, SOL_SOCKET, SO_MARK, &mark, &len), 0);
			ck_assert_uint_eq(mark, 51820);
		}
		bed_close(&a);
	}
	bed_done(&bed);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		agents_connect_whatever_their_roles,
		agents_connect_over_ipv4_and_ipv6,
		host_candidates_are_known_at_once,
		candidates_may_come_before_credentials,
		candidates_may_come_late,
		an_unannounced_address_is_peer_reflexive,
		repeated_candidates_change_nothing,
		candidates_beyond_the_limit_are_ignored,
		malformed_credentials_are_refused,
		candidates_that_no_packet_could_go_to_are_ignored,
		a_wrong_password_fails_and_stays_failed,
		closing_is_safe_at_every_stage,
		a_callback_may_close,
		packets_go_through_the_sockets,
		on_data_may_close,
		a_hundred_pairs_connect_at_once,
		a_port_range_is_kept,
		addresses_that_cannot_be_bound_are_left_out,
		sockets_carry_the_fwmark,
	};
	Suite *suite = suite_create("ice");
	TCase *tcase = tcase_create("ice");
	tcase_set_timeout(tcase, SUITE_TIMEOUT_S);
	for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
		tcase_add_loop_test(tcase, tests[i], 0, G_N_ELEMENTS(bed_ops));
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
