/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <glib.h>
#include <string.h>

#include "proxy/select.h"

#define HOST WICE_CANDIDATE_HOST
#define SRFLX WICE_CANDIDATE_SERVER_REFLEXIVE
#define PRFLX WICE_CANDIDATE_PEER_REFLEXIVE
#define RELAYED WICE_CANDIDATE_RELAYED
#define DIRECT WICE_PATH_DIRECT
#define NAT WICE_PATH_NAT
#define RELAY WICE_PATH_RELAY
#define KERNEL WICE_MECHANISM_KERNEL
#define USER WICE_MECHANISM_USER

static WiceCandidate candidate(WiceCandidateType type, const char *endpoint)
{
	WiceCandidate c = { .type = type };
	ck_assert(wice_endpoint_parse(endpoint, &c.endpoint));
	return c;
}

static const struct {
	WiceCandidateType local, remote;
	const char *remote_endpoint;
	bool own_kernel, peer_kernel;
	uint16_t own_port, peer_port;
	WicePathKind path;
	WiceMechanism mechanism;
	const char *endpoint; /* expected */
	const char *why;      /* a word of the reason */
} cases[] = {
	{ HOST, HOST, "192.0.2.9:4000", true, true, 1, 51820, DIRECT, KERNEL, "192.0.2.9:51820",
	  "own socket" },
	{ HOST, PRFLX, "192.0.2.9:7777", true, true, 1, 51820, DIRECT, KERNEL, "192.0.2.9:51820",
	  "own socket" },
	{ HOST, PRFLX, "[2001:db8::9]:1", true, true, 1, 51820, DIRECT, KERNEL,
	  "[2001:db8::9]:51820", "own socket" },
	{ HOST, HOST, "192.0.2.9:4000", false, true, 1, 51820, DIRECT, USER, "192.0.2.9:4000",
	  "this end" },
	{ HOST, HOST, "192.0.2.9:4000", true, false, 1, 51820, DIRECT, USER, "192.0.2.9:4000",
	  "does not offer" },
	{ HOST, HOST, "192.0.2.9:4000", true, true, 0, 51820, DIRECT, USER, "192.0.2.9:4000",
	  "no listen port" },
	{ HOST, HOST, "192.0.2.9:4000", true, true, 1, 0, DIRECT, USER, "192.0.2.9:4000",
	  "not known" },
	{ HOST, PRFLX, "198.51.100.1:4000", true, true, 1, 51820, NAT, USER, "198.51.100.1:4000",
	  "NAT" },
	{ HOST, PRFLX, "203.0.113.5:4000", true, true, 1, 51820, NAT, USER, "203.0.113.5:4000",
	  "NAT" },
	{ HOST, SRFLX, "203.0.113.5:4000", true, true, 1, 51820, NAT, USER, "203.0.113.5:4000",
	  "NAT" },
	{ PRFLX, HOST, "192.0.2.9:4000", true, true, 1, 51820, NAT, USER, "192.0.2.9:4000", "NAT" },
	{ SRFLX, HOST, "192.0.2.9:4000", true, true, 1, 51820, NAT, USER, "192.0.2.9:4000", "NAT" },
	{ SRFLX, SRFLX, "203.0.113.5:4", true, true, 1, 51820, NAT, USER, "203.0.113.5:4", "NAT" },
	{ RELAYED, HOST, "192.0.2.9:4000", true, true, 1, 51820, RELAY, USER, "192.0.2.9:4000",
	  "relay" },
	{ HOST, RELAYED, "192.0.2.9:4000", true, true, 1, 51820, RELAY, USER, "192.0.2.9:4000",
	  "relay" },
	{ 0, HOST, "192.0.2.9:4000", true, true, 1, 51820, WICE_PATH_NONE, WICE_MECHANISM_NONE, "",
	  "No pair" },
	{ HOST, 0, "192.0.2.9:4000", true, true, 1, 51820, WICE_PATH_NONE, WICE_MECHANISM_NONE, "",
	  "No pair" },
};

START_TEST(each_pair_gets_its_path_and_mechanism)
{
	const WiceCandidate signalled[] = { candidate(HOST, "192.0.2.9:4000"),
					    candidate(HOST, "[2001:db8::9]:4000"),
					    candidate(SRFLX, "203.0.113.5:4000") };
	WiceCandidate local = candidate(cases[_i].local, "192.0.2.1:4000");
	WiceCandidate remote = candidate(cases[_i].remote, cases[_i].remote_endpoint);
	WiceSelectInput input = { .own_kernel = cases[_i].own_kernel,
				  .peer_kernel = cases[_i].peer_kernel,
				  .own_wg_port = cases[_i].own_port,
				  .peer_wg_port = cases[_i].peer_port,
				  .local = &local,
				  .remote = &remote,
				  .n_peer_candidates = G_N_ELEMENTS(signalled),
				  .peer_candidates = signalled };
	WiceSelection selection;
	char text[WICE_ENDPOINT_SIZE];
	wice__select(&input, &selection);
	ck_assert_int_eq(selection.path, cases[_i].path);
	ck_assert_int_eq(selection.mechanism, cases[_i].mechanism);
	wice_endpoint_format(&selection.endpoint, text);
	ck_assert_str_eq(text, cases[_i].endpoint[0] ? cases[_i].endpoint : "(none)");
	ck_assert_msg(strstr(selection.why, cases[_i].why), "%s", selection.why);
	ck_assert_int_eq(selection.why[strlen(selection.why) - 1], '.');
}
END_TEST

/* WireGuard in this process takes the proxy's part in everything, and in nothing else. */
START_TEST(wireguard_in_this_process_needs_no_proxy)
{
	const WiceCandidate signalled[] = { candidate(HOST, "192.0.2.9:4000") };
	WiceCandidate local = candidate(cases[_i].local, "192.0.2.1:4000");
	WiceCandidate remote = candidate(cases[_i].remote, cases[_i].remote_endpoint);
	WiceSelectInput input = { .own_kernel = cases[_i].own_kernel,
				  .peer_kernel = cases[_i].peer_kernel,
				  .own_wg_port = cases[_i].own_port,
				  .peer_wg_port = cases[_i].peer_port,
				  .local = &local,
				  .remote = &remote,
				  .n_peer_candidates = G_N_ELEMENTS(signalled),
				  .peer_candidates = signalled };
	WiceSelection with, without;
	wice__select(&input, &without);
	input.inprocess = true;
	wice__select(&input, &with);
	ck_assert_int_eq(with.path, without.path);
	ck_assert_int_eq(wice_endpoint_compare(&with.endpoint, &without.endpoint), 0);
	ck_assert_int_eq(with.mechanism,
			 without.mechanism == USER ? WICE_MECHANISM_INPROCESS : without.mechanism);
}
END_TEST

START_TEST(the_scope_of_a_link_local_address_is_kept)
{
	WiceCandidate local = candidate(HOST, "[fe80::1%2]:4000");
	WiceCandidate remote = candidate(HOST, "[fe80::9%2]:4000");
	WiceSelectInput input = { false, true, true, 1, 51820, &local, &remote, 0, NULL };
	WiceSelection selection;
	char text[WICE_ENDPOINT_SIZE];
	wice__select(&input, &selection);
	ck_assert_int_eq(selection.mechanism, KERNEL);
	ck_assert_str_eq(wice_endpoint_format(&selection.endpoint, text), "[fe80::9%2]:51820");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("proxy select");
	TCase *tcase = tcase_create("proxy select");
	tcase_add_loop_test(tcase, each_pair_gets_its_path_and_mechanism, 0, G_N_ELEMENTS(cases));
	tcase_add_loop_test(tcase, wireguard_in_this_process_needs_no_proxy, 0,
			    G_N_ELEMENTS(cases));
	tcase_add_test(tcase, the_scope_of_a_link_local_address_is_kept);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
