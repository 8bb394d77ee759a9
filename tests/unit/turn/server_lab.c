/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server_lab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint32_t n_random;

static void fill_counted(void *buffer, size_t len)
{
	uint8_t *bytes = buffer;
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(++n_random * 2654435761u >> 24);
}

static bool password_of(const char *username, char *ret_password, size_t size, void *user_data)
{
	(void)user_data;
	if (strncmp(username, "user", 4) != 0)
		return false;
	LAB_MUST(size > 4);
	memcpy(ret_password, "pass", 5);
	return true;
}

static uint16_t authorise(const char *username, const WiceTurnTuple *tuple, void *user_data)
{
	Lab *lab = user_data;
	(void)username;
	(void)tuple;
	return lab->authorised;
}

static bool permit(const char *username, const WiceEndpoint *peer, void *user_data)
{
	Lab *lab = user_data;
	(void)username;
	return wice_address_compare(&peer->address, &lab->refused_peer.address) != 0;
}

static bool ends_here(const WiceAddress *peer, void *user_data)
{
	Lab *lab = user_data;
	return wice_address_compare(peer, &lab->peer_here.address) == 0;
}

static int64_t unix_time(void *user_data)
{
	Lab *lab = user_data;
	return lab->unix_s + lab->now_ms / 1000;
}

static int open_port(WiceTurnAllocation *allocation, WiceFamily family, WiceTurnPort port,
		     WiceEndpoint *ret_relayed, void *user_data)
{
	Lab *lab = user_data;
	int refusal = family == WICE_FAMILY_IPV4 ? lab->refuse_ipv4 : lab->refuse_ipv6;
	LAB_MUST(wice__turn_allocation_tuple(allocation));
	if (refusal)
		return refusal;
	lab->last_kind = port;
	if (port == WICE_TURN_PORT_RESERVED) {
		LAB_MUST(ret_relayed->address.family == family && ret_relayed->port % 2 == 1);
		LAB_MUST(lab->n_kept > 0);
		lab->n_kept--;
	} else {
		*ret_relayed = lab_endpoint(family == WICE_FAMILY_IPV4 ? "203.0.113.1:1"
								       : "[2001:db8:ffff::1]:1");
		lab->next_port = (uint16_t)(lab->next_port < 49152 ? 49152 : lab->next_port + 2);
		ret_relayed->port = lab->next_port;
	}
	if (port == WICE_TURN_PORT_PAIR)
		lab->n_kept++;
	lab->n_opened++;
	return 0;
}

static void close_port(WiceTurnAllocation *allocation, WiceFamily family, void *user_data)
{
	Lab *lab = user_data;
	WiceEndpoint relayed;
	LAB_MUST(wice__turn_allocation_relayed(allocation, family, &relayed));
	lab->n_closed++;
	LAB_MUST(lab->n_closed <= lab->n_opened);
}

static void give_up_port(const WiceEndpoint *relayed, void *user_data)
{
	Lab *lab = user_data;
	LAB_MUST(relayed->port % 2 == 1 && lab->n_kept > 0);
	lab->n_kept--;
	lab->n_given_up++;
}

static void channel(WiceTurnAllocation *allocation, uint16_t number, const WiceEndpoint *peer,
		    bool exists, void *user_data)
{
	Lab *lab = user_data;
	LAB_MUST(wice__turn_allocation_username(allocation) && peer->port);
	lab->last_channel = number;
	lab->n_channels += exists ? 1 : -1;
	lab->n_shown += exists;
	LAB_MUST(lab->n_channels >= 0);
}

static void moved(WiceTurnAllocation *allocation, const WiceTurnTuple *from, void *user_data)
{
	Lab *lab = user_data;
	LAB_MUST(wice__turn_allocation_tuple(allocation) != from);
	lab->moved_from = *from;
	lab->n_moved++;
}

static void ended(WiceTurnAllocation *allocation, void *user_data)
{
	Lab *lab = user_data;
	LAB_MUST(wice__turn_allocation_tuple(allocation));
	lab->n_ended++;
}

void lab_init(Lab *lab)
{
	n_random = 0;
	*lab = (Lab){
		.events = {
			.password = password_of,
			.unix_time = unix_time,
			.authorise = authorise,
			.permit = permit,
			.ends_here = ends_here,
			.open_port = open_port,
			.close_port = close_port,
			.give_up_port = give_up_port,
			.channel = channel,
			.moved = moved,
			.ended = ended,
		},
		.options = { .realm = LAB_REALM, .fill_random = fill_counted },
		.now_ms = 1000,
		.unix_s = 1700000000,
	};
}

void lab_start(Lab *lab)
{
	lab->server = wice__turn_server_new(&lab->options, &lab->events, lab, lab->now_ms);
}

void lab_done(Lab *lab)
{
	wice__turn_server_free(lab->server);
	LAB_MUST(lab->n_opened == lab->n_closed && lab->n_kept == 0 && lab->n_channels == 0);
}

void lab_wait(Lab *lab, int64_t s)
{
	lab->now_ms += s * 1000;
	int64_t next = wice__turn_server_expire(lab->server, lab->now_ms);
	LAB_MUST(next >= lab->now_ms + 1000);
}

WiceEndpoint lab_endpoint(const char *text)
{
	WiceEndpoint endpoint;
	LAB_MUST(wice_endpoint_parse(text, &endpoint));
	return endpoint;
}

LabClient lab_client(const char *address, uint64_t stream)
{
	LabClient client = { .username = "user", .password = "pass" };
	client.tuple.client = lab_endpoint(address);
	client.tuple.local = lab_endpoint(client.tuple.client.address.family == WICE_FAMILY_IPV4
						  ? "203.0.113.1:3478"
						  : "[2001:db8:ffff::1]:3478");
	client.tuple.stream = stream;
	return client;
}

WiceStunWriter *lab_begin(LabClient *client, uint16_t method)
{
	uint8_t transaction[WICE_STUN_TRANSACTION_LEN] = { 0x21, 0x12, 0xa4, 0x42 };
	client->n_requests += !client->retry;
	client->retry = false;
	wice__stun_put_u32(transaction + 4, client->n_requests);
	memcpy(transaction + 8, &client->tuple.client.port, 2);
	memcpy(transaction + 10, client->tuple.client.address.bytes, 6);
	wice__stun_writer_init(&client->writer, client->request, sizeof client->request,
			       method == WICE_STUN_SEND ? WICE_STUN_INDICATION : WICE_STUN_REQUEST,
			       method, transaction);
	return &client->writer;
}

void lab_finish_plain(LabClient *client)
{
	LAB_MUST(wice__stun_writer_finish(&client->writer, &client->request_len) == 0);
}

static WiceSpan span_of(const char *text)
{
	return (WiceSpan){ text, strlen(text) };
}

static bool make_key(const LabClient *client, WiceStunKey *ret_key)
{
	return wice__stun_key_long_term(
		       ret_key, client->algorithm ? client->algorithm : WICE_STUN_ALGORITHM_MD5,
		       span_of(client->username), span_of(client->realm),
		       span_of(client->password)) == 0;
}

static void seal(LabClient *client)
{
	static const uint16_t algorithms[] = { WICE_STUN_ALGORITHM_SHA256,
					       WICE_STUN_ALGORITHM_MD5 };
	WiceStunWriter *writer = &client->writer;
	WiceStunKey key;
	uint8_t hash[WICE_SHA256_LEN];
	if (client->hidden) {
		LAB_MUST(wice__stun_userhash(span_of(client->username), span_of(client->realm),
					     hash) == 0);
		wice__stun_write_bytes(writer, WICE_STUN_USERHASH, hash, sizeof hash);
	} else {
		wice__stun_write_bytes(writer, WICE_STUN_USERNAME, client->username,
				       strlen(client->username));
	}
	wice__stun_write_bytes(writer, WICE_STUN_REALM, client->realm, strlen(client->realm));
	wice__stun_write_bytes(writer, WICE_STUN_NONCE, client->nonce, client->nonce_len);
	if (client->algorithm) {
		wice__stun_write_algorithms(writer, WICE_STUN_PASSWORD_ALGORITHMS, algorithms, 2);
		wice__stun_write_algorithms(writer, WICE_STUN_PASSWORD_ALGORITHM,
					    &client->algorithm, 1);
	}
	if (!make_key(client, &key))
		return;
	if (client->sha256)
		wice__stun_write_integrity_sha256(writer, &key);
	else
		wice__stun_write_integrity(writer, &key);
}

/* Answers to users are sealed as the request was, others are not and are short. */
static void check_seal(const LabClient *client, size_t len, uint16_t code)
{
	WiceStunKey key;
	const WiceStunMessage *answer = &client->answer;
	if (answer->integrity || answer->integrity_sha256) {
		LAB_MUST(make_key(client, &key));
		LAB_MUST((client->sha256 ? wice__stun_check_integrity_sha256(answer, &key)
					 : wice__stun_check_integrity(answer, &key)) == 0);
		return;
	}
	LAB_MUST(len <= WICE_TURN_MAX_ANSWER * client->request_len);
	LAB_MUST(code || answer->method == WICE_STUN_BINDING);
}

uint16_t lab_deliver(Lab *lab, LabClient *client)
{
	WiceTurnVerdict verdict;
	WiceStunMessage *answer = &client->answer;
	uint16_t code = 0;
	wice__turn_server_from_client(lab->server, &client->tuple, client->request,
				      client->request_len, lab->now_ms, &verdict);
	if (verdict.type == WICE_TURN_DROP)
		return LAB_NO_ANSWER;
	LAB_MUST(verdict.type == WICE_TURN_ANSWER);
	LAB_MUST(verdict.answer_len <= sizeof client->answer_bytes);
	memcpy(client->answer_bytes, verdict.answer, verdict.answer_len);
	LAB_MUST(wice__stun_message_read(answer, client->answer_bytes, verdict.answer_len) == 0);
	LAB_MUST(memcmp(wice__stun_message_transaction(answer), client->request + 4, 16) == 0);
	if (answer->message_class == WICE_STUN_ERROR)
		LAB_MUST(wice__stun_read_error(answer, &code, NULL) == 0);
	check_seal(client, verdict.answer_len, code);
	return code;
}

uint16_t lab_ask(Lab *lab, LabClient *client)
{
	if (client->nonce_len)
		seal(client);
	lab_finish_plain(client);
	return lab_deliver(lab, client);
}

void lab_challenge(Lab *lab, LabClient *client)
{
	WiceSpan realm, nonce;
	client->nonce_len = 0;
	wice__stun_write_u8(lab_begin(client, WICE_STUN_ALLOCATE), WICE_STUN_REQUESTED_TRANSPORT,
			    17);
	uint16_t code = lab_ask(lab, client);
	LAB_MUST(code == WICE_STUN_ERROR_UNAUTHENTICATED);
	LAB_MUST(wice__stun_read_bytes(&client->answer, WICE_STUN_REALM, &realm) == 0);
	LAB_MUST(wice__stun_read_bytes(&client->answer, WICE_STUN_NONCE, &nonce) == 0);
	LAB_MUST(realm.len < sizeof client->realm && nonce.len <= sizeof client->nonce);
	memcpy(client->realm, realm.data, realm.len);
	client->realm[realm.len] = '\0';
	memcpy(client->nonce, nonce.data, nonce.len);
	client->nonce_len = nonce.len;
}

static void note_allocation(WiceTurnAllocation *allocation, void *user_data)
{
	LabClient *client = user_data;
	const WiceTurnTuple *tuple = wice__turn_allocation_tuple(allocation);
	if (tuple->stream == client->tuple.stream &&
	    wice_endpoint_compare(&tuple->client, &client->tuple.client) == 0)
		client->allocation = allocation;
}

uint16_t lab_allocate(Lab *lab, LabClient *client, uint8_t family)
{
	if (!client->nonce_len)
		lab_challenge(lab, client);
	WiceStunWriter *writer = lab_begin(client, WICE_STUN_ALLOCATE);
	wice__stun_write_u8(writer, WICE_STUN_REQUESTED_TRANSPORT, 17);
	if (family)
		wice__stun_write_u8(writer, WICE_STUN_REQUESTED_ADDRESS_FAMILY, family);
	uint16_t code = lab_ask(lab, client);
	if (code == 0)
		wice__turn_server_foreach(lab->server, note_allocation, client);
	return code;
}

uint16_t lab_refresh(Lab *lab, LabClient *client, uint32_t lifetime_s)
{
	wice__stun_write_u32(lab_begin(client, WICE_STUN_REFRESH), WICE_STUN_LIFETIME, lifetime_s);
	return lab_ask(lab, client);
}

uint16_t lab_permit(Lab *lab, LabClient *client, const char *peer)
{
	WiceEndpoint endpoint = lab_endpoint(peer);
	wice__stun_write_address(lab_begin(client, WICE_STUN_CREATE_PERMISSION),
				 WICE_STUN_XOR_PEER_ADDRESS, &endpoint);
	return lab_ask(lab, client);
}

uint16_t lab_bind(Lab *lab, LabClient *client, uint16_t number, const char *peer)
{
	WiceEndpoint endpoint = lab_endpoint(peer);
	WiceStunWriter *writer = lab_begin(client, WICE_STUN_CHANNEL_BIND);
	wice__stun_write_u16(writer, WICE_STUN_CHANNEL_NUMBER, number);
	wice__stun_write_address(writer, WICE_STUN_XOR_PEER_ADDRESS, &endpoint);
	return lab_ask(lab, client);
}

static WiceTurnVerdict deliver_data(Lab *lab, LabClient *client)
{
	WiceTurnVerdict verdict;
	wice__turn_server_from_client(lab->server, &client->tuple, client->request,
				      client->request_len, lab->now_ms, &verdict);
	return verdict;
}

WiceTurnVerdict lab_channel_data(Lab *lab, LabClient *client, uint16_t number, const char *text)
{
	size_t len = strlen(text);
	wice__stun_put_u16(client->request, number);
	wice__stun_put_u16(client->request + 2, (uint16_t)len);
	memcpy(client->request + 4, text, len);
	client->request_len = 4 + len;
	return deliver_data(lab, client);
}

WiceTurnVerdict lab_send(Lab *lab, LabClient *client, const char *peer, const char *text)
{
	WiceEndpoint endpoint = lab_endpoint(peer);
	WiceStunWriter *writer = lab_begin(client, WICE_STUN_SEND);
	wice__stun_write_address(writer, WICE_STUN_XOR_PEER_ADDRESS, &endpoint);
	wice__stun_write_bytes(writer, WICE_STUN_DATA, text, strlen(text));
	lab_finish_plain(client);
	return deliver_data(lab, client);
}

WiceTurnVerdict lab_from_peer(Lab *lab, LabClient *client, const char *peer, const char *text)
{
	WiceEndpoint endpoint = lab_endpoint(peer);
	WiceTurnVerdict verdict;
	wice__turn_server_from_peer(lab->server, client->allocation, &endpoint,
				    (const uint8_t *)text, strlen(text), lab->now_ms, &verdict);
	return verdict;
}

WiceEndpoint lab_answered_address(const LabClient *client, uint16_t type)
{
	WiceEndpoint endpoint;
	LAB_MUST(wice__stun_read_address(&client->answer, type, &endpoint) == 0);
	return endpoint;
}

uint32_t lab_answered_lifetime(const LabClient *client)
{
	uint32_t lifetime;
	LAB_MUST(wice__stun_read_u32(&client->answer, WICE_STUN_LIFETIME, &lifetime) == 0);
	return lifetime;
}
