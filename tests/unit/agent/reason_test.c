/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "agent/reason.h"

/* Each sentence must contain what helps a user: not the exact words of the whole. */
static const struct {
	WiceReasonFacts facts;
	const char *contains;
} cases[] = {
	{ { .why = WICE_WHY_PROVEN, .path = WICE_PATH_DIRECT }, "without a NAT" },
	{ { .why = WICE_WHY_PROVEN,
	    .path = WICE_PATH_NAT,
	    .local_type = WICE_CANDIDATE_SERVER_REFLEXIVE,
	    .remote_type = WICE_CANDIDATE_PEER_REFLEXIVE },
	  "srflx - prflx" },
	{ { .why = WICE_WHY_NO_PAIR_ANSWERED, .n_local = 2, .n_remote = 3, .n_stun_servers = 1 },
	  "none of 2 local with 3 remote" },
	{ { .why = WICE_WHY_NO_PAIR_ANSWERED, .n_stun_servers = 1 }, "a relay would help" },
	{ { .why = WICE_WHY_NO_PAIR_ANSWERED }, "no STUN server is configured" },
	{ { .why = WICE_WHY_NO_PAIR_ANSWERED, .n_stun_servers = 1, .stun_failed = true },
	  "no STUN server answered" },
	{ { .why = WICE_WHY_NO_PAIR_ANSWERED,
	    .n_stun_servers = 2,
	    .nat = WICE_NAT_ENDPOINT_DEPENDENT },
	  "maps every destination to another port" },
	{ { .why = WICE_WHY_WAITING_FOR_PEER, .n_backends = 1, .backend_trouble = "no route" },
	  "no signaling backend can be used: no route" },
	{ { .why = WICE_WHY_WAITING_FOR_PEER, .n_backends = 2, .n_ready_backends = 1 },
	  "1 of 2 signaling backends" },
	{ { .why = WICE_WHY_PROVEN,
	    .proven = true,
	    .relay = "turn:r",
	    .relay_rtt_us = 20000,
	    .avoids_direct = true,
	    .direct_rtt_us = 240300,
	    .direct_loss_permille = 32 },
	  "relayed by turn:r (20.0 ms); the direct path is worse: 240.3 ms, 3.2 % lost" },
	{ { .why = WICE_WHY_PROVEN, .proven = true, .relay = "turn:r", .avoids_direct = true },
	  "relayed by turn:r; the direct path is worse" },
	{ { .why = WICE_WHY_NO_HANDSHAKE }, "public key" },
	{ { .why = WICE_WHY_NO_ADDRESS }, "is the network down?" },
	{ { .why = WICE_WHY_NO_ADDRESS, .not_opened = -EMFILE }, "ulimit -n" },
	{ { .why = WICE_WHY_NO_ADDRESS, .not_opened = -ELIBACC }, "libnice10" },
	{ { .why = WICE_WHY_NOT_STARTED, .idle_reason = "wg0 is down" }, "wg0 is down" },
	{ { .why = WICE_WHY_PROVEN,
	    .foreign_endpoint = { .address = { .family = WICE_FAMILY_IPV4,
					       .bytes = { 192, 0, 2, 1 } },
				  .port = 7 } },
	  "changed to 192.0.2.1:7 by another hand" },
};

START_TEST(sentences_say_what_helps)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		char text[WICE_REASON_SIZE];
		wice__reason_write(&cases[i].facts, text, sizeof text);
		ck_assert_msg(strstr(text, cases[i].contains), "'%s' lacks '%s'", text,
			      cases[i].contains);
	}
}
END_TEST

START_TEST(every_reason_has_a_sentence)
{
	for (int why = WICE_WHY_NONE; why <= (int)WICE_WHY_PEER_RESTARTED; why++) {
		char text[WICE_REASON_SIZE] = "";
		WiceReasonFacts facts = { .why = (WiceSessionWhy)why };
		wice__reason_write(&facts, text, sizeof text);
		ck_assert_msg(strlen(text) > 10, "%d: '%s'", why, text);
	}
}
END_TEST

SUITE_MAIN("reason", sentences_say_what_helps, every_reason_has_a_sentence)
