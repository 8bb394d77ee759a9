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
	WiceSelectInput input = { .mechanism = USER,
				  .own_kernel = cases[_i].own_kernel,
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
	WiceSelectInput input = { .mechanism = USER,
				  .own_kernel = cases[_i].own_kernel,
				  .peer_kernel = cases[_i].peer_kernel,
				  .own_wg_port = cases[_i].own_port,
				  .peer_wg_port = cases[_i].peer_port,
				  .local = &local,
				  .remote = &remote,
				  .n_peer_candidates = G_N_ELEMENTS(signalled),
				  .peer_candidates = signalled };
	WiceSelection with, without;
	wice__select(&input, &without);
	input.mechanism = WICE_MECHANISM_INPROCESS;
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
	WiceSelectInput input = { .mechanism = USER,
				  .own_kernel = true,
				  .peer_kernel = true,
				  .own_wg_port = 1,
				  .peer_wg_port = 51820,
				  .local = &local,
				  .remote = &remote };
	WiceSelection selection;
	char text[WICE_ENDPOINT_SIZE];
	wice__select(&input, &selection);
	ck_assert_int_eq(selection.mechanism, KERNEL);
	ck_assert_str_eq(wice_endpoint_format(&selection.endpoint, text), "[fe80::9%2]:51820");
}
END_TEST

/* WireGuard's own sockets are for who would need a proxy else. */
static const struct {
	WiceMechanism mechanism;
	bool peer_no_proxy;
	WiceMechanism expected;
} ends[] = {
	{ USER, false, KERNEL },
	{ USER, true, KERNEL },
	{ WICE_MECHANISM_BPF, false, KERNEL },
	{ WICE_MECHANISM_BPF, true, WICE_MECHANISM_BPF },
	{ WICE_MECHANISM_NFT, false, KERNEL },
	{ WICE_MECHANISM_NFT, true, WICE_MECHANISM_NFT },
	{ WICE_MECHANISM_INPROCESS, true, WICE_MECHANISM_INPROCESS },
};

START_TEST(what_needs_no_proxy_stays_on_the_port_of_ice)
{
	WiceCandidate local = candidate(HOST, "192.0.2.1:4000");
	WiceCandidate remote = candidate(HOST, "192.0.2.9:4000");
	WiceSelectInput input = { .mechanism = ends[_i].mechanism,
				  .own_kernel = true,
				  .peer_kernel = true,
				  .peer_no_proxy = ends[_i].peer_no_proxy,
				  .own_wg_port = 1,
				  .peer_wg_port = 51820,
				  .local = &local,
				  .remote = &remote };
	WiceSelection selection;
	wice__select(&input, &selection);
	ck_assert_int_eq(selection.mechanism, ends[_i].expected);
	ck_assert_int_eq(selection.endpoint.port, ends[_i].expected == KERNEL ? 51820 : 4000);
}
END_TEST

#define BPF WICE_MECHANISM_BPF
#define NFT WICE_MECHANISM_NFT
#define INPROCESS WICE_MECHANISM_INPROCESS

static const struct {
	WiceMechanism wanted;
	const char *available; /* b, i, n */
	WiceMechanism expected;
	const char *reason, *not_reason;
} choices[] = {
	{ WICE_MECHANISM_NONE, "bin", BPF, "shares WireGuard's port", "Not" },
	{ WICE_MECHANISM_NONE, "in", INPROCESS, "Not bpf: no BPF.", "Not nft" },
	{ WICE_MECHANISM_NONE, "n", NFT, "Not bpf: no BPF.", "asked" },
	{ WICE_MECHANISM_NONE, "", USER, "Not bpf: no BPF. Not nft: no nft.", "Not user" },
	{ BPF, "bin", BPF, "It was asked for.", "Not" },
	{ BPF, "n", NFT, "Not bpf: no BPF.", "asked" },
	{ NFT, "bin", NFT, "It was asked for.", "Not" },
	{ NFT, "bi", USER, "Not nft: no nft.", "bpf" },
	{ INPROCESS, "bin", INPROCESS, "It was asked for.", "Not" },
	{ INPROCESS, "bn", NFT, "nftables", "Not bpf" },
	{ USER, "bin", USER, "It was asked for.", "Not" },
};

START_TEST(the_best_mechanism_is_chosen_and_says_why)
{
	const char *available = choices[_i].available;
	WiceMechanismInput input = {
		.wanted = choices[_i].wanted,
		.bpf = { strchr(available, 'b') != NULL, "no BPF." },
		.nft = { strchr(available, 'n') != NULL, "no nft." },
		.inprocess = { strchr(available, 'i') != NULL, NULL },
	};
	char reason[WICE_MECHANISM_REASON_SIZE];
	ck_assert_int_eq(wice__select_mechanism(&input, reason), choices[_i].expected);
	ck_assert_msg(strstr(reason, choices[_i].reason), "%s", reason);
	ck_assert_msg(!strstr(reason, choices[_i].not_reason), "%s", reason);
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
	tcase_add_loop_test(tcase, what_needs_no_proxy_stays_on_the_port_of_ice, 0,
			    G_N_ELEMENTS(ends));
	tcase_add_loop_test(tcase, the_best_mechanism_is_chosen_and_says_why, 0,
			    G_N_ELEMENTS(choices));
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
