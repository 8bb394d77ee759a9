/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever clients and peers send to the TURN server, in any order. The input is a row of records:
 *
 *   what, 1 byte: low 3 bits an Act, then 2 bits which client
 *   length, 2 bytes in network order
 *   so many bytes
 *
 * Random bytes do not guess a password, so a record may be what stands in a request between the
 * header and the credentials: those are added here, with the client's latest nonce.
 */
#include <string.h>

#include "stun/channel_data.h"
#include "unit/turn/server_lab.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define N_CLIENTS 4
#define HEADER_LEN 3

typedef enum {
	RAW,       /* the packet itself */
	REQUEST,   /* method, then attributes, which get credentials */
	SEND,      /* attributes of a Send indication */
	FROM_PEER, /* number of a peer, then its data */
	WAIT,      /* 2 bytes: seconds */
	CLOSED,    /* the client's stream */
	CHALLENGE, /* the client takes a new nonce */
	EXPIRE,
} Act;

static Lab lab;
static LabClient clients[N_CLIENTS];

static void check_to_peer(const WiceTurnVerdict *verdict, const uint8_t *packet, size_t len)
{
	WiceEndpoint relayed;
	LAB_MUST(verdict->allocation && verdict->peer.port);
	LAB_MUST(verdict->data >= packet && verdict->data + verdict->data_len <= packet + len);
	LAB_MUST(wice__turn_allocation_relayed(verdict->allocation, verdict->peer.address.family,
					       &relayed));
	LAB_MUST(!wice_address_is_loopback(&verdict->peer.address));
	LAB_MUST(!wice_address_is_link_local(&verdict->peer.address));
}

static void check_answer(const WiceTurnVerdict *verdict, size_t len)
{
	WiceStunMessage answer;
	LAB_MUST(verdict->answer_len <= WICE_TURN_ANSWER_SIZE);
	LAB_MUST(wice__stun_message_read(&answer, verdict->answer, verdict->answer_len) == 0);
	if (!answer.integrity && !answer.integrity_sha256)
		LAB_MUST(verdict->answer_len <= WICE_TURN_MAX_ANSWER * len);
}

static void deliver(LabClient *client, const uint8_t *packet, size_t len)
{
	WiceTurnVerdict verdict;
	wice__turn_server_from_client(lab.server, &client->tuple, packet, len, lab.now_ms,
				      &verdict);
	LAB_MUST(verdict.type != WICE_TURN_TO_CLIENT);
	if (verdict.type == WICE_TURN_TO_PEER)
		check_to_peer(&verdict, packet, len);
	else if (verdict.type == WICE_TURN_ANSWER)
		check_answer(&verdict, len);
}

/* Nothing could be added behind these. */
static bool closes(uint16_t type)
{
	return type == WICE_STUN_MESSAGE_INTEGRITY || type == WICE_STUN_MESSAGE_INTEGRITY_SHA256 ||
	       type == WICE_STUN_FINGERPRINT;
}

/* The attributes of a record, as far as they are some, copied into a message. */
static void add_attributes(WiceStunWriter *writer, const uint8_t *data, size_t len)
{
	while (len >= 4) {
		size_t value = wice__stun_get_u16(data + 2), whole = (value + 3) & ~(size_t)3;
		uint16_t type = wice__stun_get_u16(data);
		if (value > len - 4 || writer->len + 4 + whole > 1500 || closes(type))
			return;
		uint8_t *to = wice__stun_writer_add(writer, type, value);
		if (!to)
			return;
		memcpy(to, data + 4, value);
		size_t used = 4 + (whole <= len - 4 ? whole : len - 4);
		data += used;
		len -= used;
	}
}

/* A method and attributes, which get credentials. */
static void request(LabClient *client, const uint8_t *data, size_t len)
{
	static const uint16_t methods[] = { WICE_STUN_ALLOCATE, WICE_STUN_REFRESH,
					    WICE_STUN_CREATE_PERMISSION, WICE_STUN_CHANNEL_BIND };
	if (len == 0)
		return;
	client->retry = data[0] & 4;
	client->algorithm = data[0] & 8 ? WICE_STUN_ALGORITHM_SHA256 : 0;
	client->sha256 = data[0] & 16;
	WiceStunWriter *writer = lab_begin(client, methods[data[0] & 3]);
	add_attributes(writer, data + 1, len - 1);
	if (!writer->error)
		lab_ask(&lab, client);
}

static void send_indication(LabClient *client, const uint8_t *data, size_t len)
{
	WiceStunWriter *writer = lab_begin(client, WICE_STUN_SEND);
	add_attributes(writer, data, len);
	if (writer->error)
		return;
	lab_finish_plain(client);
	deliver(client, client->request, client->request_len);
}

typedef struct {
	LabClient *client;
	WiceTurnAllocation *found;
} Search;

static void note(WiceTurnAllocation *allocation, void *user_data)
{
	Search *search = user_data;
	if (wice_endpoint_compare(&wice__turn_allocation_tuple(allocation)->client,
				  &search->client->tuple.client) == 0)
		search->found = allocation;
}

static void from_peer(LabClient *client, const uint8_t *data, size_t len)
{
	static const char *const peers[] = { "198.51.100.9:9", "[2001:db8::9]:9",
					     "203.0.113.1:49152", "203.0.113.1:49154" };
	Search search = { client, NULL };
	WiceTurnVerdict verdict;
	wice__turn_server_foreach(lab.server, note, &search);
	if (!search.found || len == 0)
		return;
	WiceEndpoint peer = lab_endpoint(peers[data[0] & 3]);
	wice__turn_server_from_peer(lab.server, search.found, &peer, data + 1, len - 1, lab.now_ms,
				    &verdict);
	if (verdict.type == WICE_TURN_DROP)
		return;
	LAB_MUST(verdict.type == WICE_TURN_TO_CLIENT && verdict.allocation == search.found);
	LAB_MUST(verdict.data == data + 1 && verdict.data_len == len - 1);
	LAB_MUST(verdict.header_len >= WICE_CHANNEL_DATA_HEADER_LEN && verdict.header_len <= 48);
	LAB_MUST(verdict.padding < 4);
}

static void act(uint8_t what, const uint8_t *data, size_t len)
{
	LabClient *client = &clients[what >> 3 & (N_CLIENTS - 1)];
	switch ((Act)(what & 7)) {
	case RAW:
		deliver(client, data, len);
		break;
	case REQUEST:
		request(client, data, len);
		break;
	case SEND:
		send_indication(client, data, len);
		break;
	case FROM_PEER:
		from_peer(client, data, len);
		break;
	case WAIT:
		lab.now_ms += len < 2 ? 1000 : wice__stun_get_u16(data) % 4000 * 1000;
		break;
	case CLOSED:
		if (client->tuple.stream)
			wice__turn_server_stream_closed(lab.server, client->tuple.stream);
		break;
	case CHALLENGE:
		lab_challenge(&lab, client);
		break;
	case EXPIRE:
		lab_wait(&lab, 0);
		break;
	}
	LAB_MUST(wice__turn_server_n_allocations(lab.server) <= lab.options.max_allocations);
}

static void start(void)
{
	lab_init(&lab);
	lab.options.max_allocations = 3;
	lab.options.max_permissions = 4;
	lab.options.dont_fragment = true;
	lab.options.user_bytes_per_s = 100000;
	lab_start(&lab);
	clients[0] = lab_client("192.0.2.1:1000", 0);
	clients[1] = lab_client("192.0.2.1:1001", 7);
	clients[2] = lab_client("[2001:db8::1]:1000", 0);
	clients[3] = lab_client("192.0.2.2:1000", 0);
	clients[3].username = "user2";
	for (size_t i = 0; i < N_CLIENTS; i++)
		lab_challenge(&lab, &clients[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	start();
	while (size >= HEADER_LEN) {
		size_t len = wice__stun_get_u16(data + 1);
		if (len > size - HEADER_LEN)
			len = size - HEADER_LEN;
		act(data[0], data + HEADER_LEN, len);
		data += HEADER_LEN + len;
		size -= HEADER_LEN + len;
	}
	lab_done(&lab);
	return 0;
}
