/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_SIGNALING_SAMPLE_H
#define WICE_TESTS_SIGNALING_SAMPLE_H

#include "signaling/sealed.h"

#include <glib.h>
#include <string.h>

/* Two hosts with keys of their own and what they might say to each other. */
typedef struct {
	WiceKey private_key, public_key;
} Host;

static inline Host host_new(void)
{
	Host host;
	wice_key_generate_private(&host.private_key);
	wice_key_public(&host.private_key, &host.public_key);
	return host;
}

static inline WiceMailbox mailbox_of(const Host *own, const Host *peer, uint64_t epoch)
{
	WiceMailbox mailbox;
	wice__mailbox_init(&mailbox, &own->private_key, &peer->public_key, epoch);
	return mailbox;
}

static inline WiceEndpoint endpoint_of(const char *text)
{
	WiceEndpoint endpoint = { 0 };
	g_assert_true(wice_endpoint_parse(text, &endpoint));
	return endpoint;
}

static inline WiceCandidate candidate_of(WiceCandidateType type, const char *endpoint)
{
	WiceCandidate candidate = {
		.type = type,
		.priority = 2130706431,
		.endpoint = endpoint_of(endpoint),
		.foundation = "a1+/",
	};
	return candidate;
}

static inline WiceDescription description_sample(void)
{
	WiceDescription description;
	memset(&description, 0, sizeof description);
	strcpy(description.ufrag, "wIcE");
	strcpy(description.pwd, "abcdefghijklmnopqrstuv");
	strcpy(description.remote_ufrag, "P33r");
	description.wants_reply = true;
	description.listen_port = 51820;
	description.no_proxy = true;
	description.candidates[0] = candidate_of(WICE_CANDIDATE_HOST, "192.0.2.7:51820");
	description.candidates[1] = candidate_of(WICE_CANDIDATE_HOST, "[2001:db8::7]:51820");
	description.candidates[2] =
		candidate_of(WICE_CANDIDATE_SERVER_REFLEXIVE, "198.51.100.9:1024");
	description.candidates[2].related = endpoint_of("192.0.2.7:51820");
	description.n_candidates = 3;
	description.relays[0] = (WiceRelayAddress){
		.server = endpoint_of("198.51.100.1:3478"),
		.relayed = endpoint_of("198.51.100.1:49152"),
		.rtt_us = 20000,
		.loss_permille = 3,
	};
	description.relays[1] = (WiceRelayAddress){
		.server = endpoint_of("198.51.100.1:3478"),
		.relayed = endpoint_of("[2001:db8::1]:49153"),
	};
	description.n_relays = 2;
	description.bound = endpoint_of("198.51.100.2:50000");
	description.begins = true;
	description.relayed = true;
	description.avoids_direct = true;
	description.services[0].server = endpoint_of("198.51.100.3:51820");
	strcpy(description.services[0].username, "alice");
	strcpy(description.services[0].password, "wonder+land/1");
	description.n_services = 1;
	return description;
}

/* The largest there can be. */
static inline WiceDescription description_largest(void)
{
	WiceDescription description = description_sample();
	memset(description.ufrag, 'u', sizeof description.ufrag - 1);
	memset(description.pwd, 'p', sizeof description.pwd - 1);
	memset(description.remote_ufrag, 'r', sizeof description.remote_ufrag - 1);
	description.gathering_done = true;
	description.listen_port = 65535;
	description.n_candidates = WICE_DESCRIPTION_MAX_CANDIDATES;
	for (size_t i = 0; i < description.n_candidates; i++) {
		WiceCandidate *candidate = &description.candidates[i];
		*candidate = candidate_of(WICE_CANDIDATE_RELAYED,
					  "[2001:db8:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
		candidate->related = candidate->endpoint;
		candidate->priority = INT32_MAX;
		memset(candidate->foundation, 'f', sizeof candidate->foundation - 1);
	}
	description.n_relays = WICE_DESCRIPTION_MAX_RELAYS;
	for (size_t i = 0; i < description.n_relays; i++)
		description.relays[i] = (WiceRelayAddress){
			.server = description.candidates[0].endpoint,
			.relayed = description.candidates[0].endpoint,
			.rtt_us = UINT32_MAX,
			.loss_permille = 1000,
		};
	description.bound = description.candidates[0].endpoint;
	description.n_services = WICE_DESCRIPTION_MAX_SERVICES;
	for (size_t i = 0; i < description.n_services; i++) {
		WiceRelayService *service = &description.services[i];
		memset(service, 0, sizeof *service);
		service->server = description.candidates[0].endpoint;
		memset(service->username, 'n', sizeof service->username - 1);
		memset(service->password, 'w', sizeof service->password - 1);
	}
	return description;
}

static inline bool candidate_equal(const WiceCandidate *a, const WiceCandidate *b)
{
	return a->type == b->type && a->priority == b->priority &&
	       wice_endpoint_compare(&a->endpoint, &b->endpoint) == 0 &&
	       wice_endpoint_compare(&a->related, &b->related) == 0 &&
	       strcmp(a->foundation, b->foundation) == 0;
}

static inline bool relay_equal(const WiceRelayAddress *a, const WiceRelayAddress *b)
{
	return wice_endpoint_compare(&a->server, &b->server) == 0 &&
	       wice_endpoint_compare(&a->relayed, &b->relayed) == 0 && a->rtt_us == b->rtt_us &&
	       a->loss_permille == b->loss_permille;
}

static inline bool description_equal(const WiceDescription *a, const WiceDescription *b)
{
	bool equal = strcmp(a->ufrag, b->ufrag) == 0 && strcmp(a->pwd, b->pwd) == 0 &&
		     strcmp(a->remote_ufrag, b->remote_ufrag) == 0 &&
		     a->gathering_done == b->gathering_done && a->wants_reply == b->wants_reply &&
		     a->no_proxy == b->no_proxy && a->listen_port == b->listen_port &&
		     a->n_candidates == b->n_candidates && a->n_relays == b->n_relays &&
		     wice_endpoint_compare(&a->bound, &b->bound) == 0 && a->begins == b->begins &&
		     a->relayed == b->relayed && a->n_services == b->n_services;
	for (size_t i = 0; equal && i < a->n_services; i++)
		equal = wice_endpoint_compare(&a->services[i].server, &b->services[i].server) ==
				0 &&
			strcmp(a->services[i].username, b->services[i].username) == 0 &&
			strcmp(a->services[i].password, b->services[i].password) == 0;
	for (size_t i = 0; equal && i < a->n_relays; i++)
		equal = relay_equal(&a->relays[i], &b->relays[i]);
	for (size_t i = 0; equal && i < a->n_candidates; i++)
		equal = candidate_equal(&a->candidates[i], &b->candidates[i]);
	return equal;
}

#endif
