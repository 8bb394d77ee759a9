/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ice/remote.h"
#include "suite.h"

#include <errno.h>
#include <string.h>

static WiceCandidate candidate(const char *endpoint)
{
	WiceCandidate result = { .type = WICE_CANDIDATE_HOST, .priority = 1, .foundation = "1" };
	ck_assert_msg(wice_endpoint_parse(endpoint, &result.endpoint), "%s", endpoint);
	return result;
}

static size_t add(WiceIceRemote *remote, WiceCandidate one, bool allow_loopback)
{
	return wice__ice_remote_add(remote, &one, 1, allow_loopback);
}

START_TEST(only_addresses_of_single_hosts_elsewhere_are_taken)
{
	static const char *const good[] = { "192.0.2.1:1",   "10.0.0.1:65535",  "100.64.0.1:5",
					    "169.254.3.4:9", "[2001:db8::1]:1", "[fd00::1]:1" };
	static const char *const bad[] = { "192.0.2.1:0",      "0.0.0.0:1",    "0.1.2.3:1",
					   "224.0.0.251:5353", "240.0.0.1:1",  "255.255.255.255:1",
					   "127.0.0.1:1",      "[::1]:1",      "[::]:1",
					   "[::127.0.0.1]:1",  "[ff02::fb]:1", "[fe80::1]:1",
					   "[fe80::1%2]:1" };
	WiceIceRemote remote = { 0 };
	for (size_t i = 0; i < G_N_ELEMENTS(good); i++)
		ck_assert_msg(add(&remote, candidate(good[i]), false) == 1, "%s", good[i]);
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		ck_assert_msg(add(&remote, candidate(bad[i]), false) == 0, "%s", bad[i]);
	ck_assert_uint_eq(remote.n, G_N_ELEMENTS(good));
	WiceCandidate mapped = candidate("[2001:db8::9]:1");
	memcpy(mapped.endpoint.address.bytes, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", 16);
	ck_assert_uint_eq(add(&remote, mapped, true), 0);
	WiceCandidate none = { .type = WICE_CANDIDATE_HOST, .priority = 1, .foundation = "1" };
	none.endpoint.port = 1;
	ck_assert_uint_eq(add(&remote, none, true), 0);
}
END_TEST

START_TEST(loopback_is_for_those_who_are_there)
{
	WiceIceRemote remote = { 0 };
	ck_assert_uint_eq(add(&remote, candidate("127.0.0.1:1"), true), 1);
	ck_assert_uint_eq(add(&remote, candidate("[::1]:1"), true), 1);
}
END_TEST

START_TEST(nonsense_is_not_taken)
{
	WiceIceRemote remote = { 0 };
	WiceCandidate bad = candidate("192.0.2.1:1");
	bad.type = WICE_CANDIDATE_PEER_REFLEXIVE;
	ck_assert_uint_eq(add(&remote, bad, false), 0);
	bad.type = 0;
	ck_assert_uint_eq(add(&remote, bad, false), 0);
	bad = candidate("192.0.2.1:1");
	bad.priority = 0;
	ck_assert_uint_eq(add(&remote, bad, false), 0);
	bad.priority = (uint32_t)INT32_MAX + 1;
	ck_assert_uint_eq(add(&remote, bad, false), 0);
	bad = candidate("192.0.2.1:1");
	bad.foundation[0] = '\0';
	ck_assert_uint_eq(add(&remote, bad, false), 0);
	strcpy(bad.foundation, "a:b");
	ck_assert_uint_eq(add(&remote, bad, false), 0);
	memset(bad.foundation, 'a', sizeof bad.foundation);
	ck_assert_uint_eq(add(&remote, bad, false), 0);
	bad.foundation[32] = '\0';
	bad.priority = INT32_MAX;
	ck_assert_uint_eq(add(&remote, bad, false), 1);
}
END_TEST

START_TEST(an_endpoint_is_taken_once)
{
	WiceIceRemote remote = { 0 };
	WiceCandidate two[] = { candidate("192.0.2.1:1"), candidate("192.0.2.1:1") };
	ck_assert_uint_eq(wice__ice_remote_add(&remote, two, 2, false), 1);
	two[0].type = WICE_CANDIDATE_SERVER_REFLEXIVE;
	two[0].priority = 9;
	two[1].endpoint.scope = 3;
	ck_assert_uint_eq(wice__ice_remote_add(&remote, two, 2, false), 0);
	ck_assert_uint_eq(add(&remote, candidate("192.0.2.1:2"), false), 1);
}
END_TEST

START_TEST(no_more_than_the_limit_is_taken)
{
	WiceIceRemote remote = { 0 };
	WiceCandidate many[100];
	for (size_t i = 0; i < G_N_ELEMENTS(many); i++) {
		many[i] = candidate("192.0.2.1:1");
		many[i].endpoint.port = (uint16_t)(i + 1);
	}
	ck_assert_uint_eq(wice__ice_remote_add(&remote, many, G_N_ELEMENTS(many), false),
			  WICE_ICE_MAX_REMOTE);
	ck_assert_uint_eq(remote.candidates[WICE_ICE_MAX_REMOTE - 1].endpoint.port,
			  WICE_ICE_MAX_REMOTE);
	ck_assert_uint_eq(add(&remote, candidate("192.0.2.2:1"), false), 0);
}
END_TEST

START_TEST(credentials_are_set_once_and_wiped)
{
	WiceIceRemote remote = { 0 };
	WiceIceCredentials good = { "abcd", "ABCDEFGHIJKLMNOPQRST+/" }, other = good, bad = good;
	other.pwd[3] = 'x';
	bad.pwd[3] = ' ';
	ck_assert_int_eq(wice__ice_remote_set(&remote, &bad), -EINVAL);
	ck_assert(!remote.has_credentials);
	ck_assert_int_eq(wice__ice_remote_set(&remote, &good), 0);
	ck_assert_int_eq(wice__ice_remote_set(&remote, &good), 0);
	ck_assert_int_eq(wice__ice_remote_set(&remote, &other), -EALREADY);
	ck_assert_int_eq(wice__ice_remote_set(&remote, &bad), -EINVAL);
	ck_assert_str_eq(remote.credentials.pwd, good.pwd);
	wice__ice_remote_done(&remote);
	static const WiceIceCredentials nothing;
	ck_assert_mem_eq(&remote.credentials, &nothing, sizeof nothing);
}
END_TEST

SUITE_MAIN("ice remote", only_addresses_of_single_hosts_elsewhere_are_taken,
	   loopback_is_for_those_who_are_there, nonsense_is_not_taken, an_endpoint_is_taken_once,
	   no_more_than_the_limit_is_taken, credentials_are_set_once_and_wiped)
