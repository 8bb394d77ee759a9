/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nanoseconds per STUN message, ours against libstun (inside libnice), in one run on one core: an
 * ICE Binding request (USERNAME, PRIORITY, ICE-CONTROLLING, MESSAGE-INTEGRITY, FINGERPRINT) and its
 * response, written and validated, and the bare Binding of a probe. Medians of ROUNDS; the ratio is
 * libstun's time over ours.
 */
#include <glib.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stun/stunagent.h>
#include <stun/usages/bind.h>

#include "event/sockaddr.h"
#include "stun/attributes.h"
#include "stun/integrity.h"
#include "stun/message.h"
#include "stun/responder.h"

#define ROUNDS 21
#define PER_ROUND 2000
#define BUFFER_SIZE 256

static uint8_t user[] = "abcd:efgh", password[] = "a password of 22 bytes";
static StunDefaultValidaterData users[] = {
	{ user, sizeof user - 1, password, sizeof password - 1 }, { NULL, 0, NULL, 0 }
};
static WiceStunKey key;
static WiceEndpoint source;
static StunAgent ice_agent, bare_agent;
static uint8_t buffer[BUFFER_SIZE], reply[BUFFER_SIZE];
static uint8_t request[BUFFER_SIZE], response[BUFFER_SIZE], bare_request[BUFFER_SIZE];
static size_t request_len, response_len, bare_request_len;

static void check(bool condition, const char *what)
{
	if (!condition) {
		fprintf(stderr, "stun_bench: %s failed\n", what);
		exit(1);
	}
}

/* Given to both, or this would compare getrandom() with libstun's weaker generator. */
static const uint8_t transaction[16] = { 0x21, 0x12, 0xa4, 0x42, 1, 2,  3,  4,
					 5,    6,    7,    8,    9, 10, 11, 12 };

static WiceStunWriter start_request(void)
{
	WiceStunWriter writer;
	wice__stun_writer_init(&writer, buffer, sizeof buffer, WICE_STUN_REQUEST, WICE_STUN_BINDING,
			       transaction);
	return writer;
}

static size_t our_write_request(void)
{
	WiceStunWriter writer = start_request();
	size_t len = 0;
	wice__stun_write_bytes(&writer, WICE_STUN_USERNAME, user, sizeof user - 1);
	wice__stun_write_u32(&writer, WICE_STUN_PRIORITY, 0x6e0001ff);
	wice__stun_write_u64(&writer, WICE_STUN_ICE_CONTROLLING, 0x932ff9b151263b36);
	wice__stun_write_integrity(&writer, &key);
	wice__stun_write_fingerprint(&writer);
	check(wice__stun_writer_finish(&writer, &len) == 0, "writing a request");
	return len;
}

static size_t their_write_request(void)
{
	StunMessage message = { .agent = &ice_agent,
				.buffer = buffer,
				.buffer_len = sizeof buffer };
	stun_message_init(&message, STUN_REQUEST, STUN_BINDING, transaction);
	stun_message_append_bytes(&message, STUN_ATTRIBUTE_USERNAME, user, sizeof user - 1);
	stun_message_append32(&message, STUN_ATTRIBUTE_PRIORITY, 0x6e0001ff);
	stun_message_append64(&message, STUN_ATTRIBUTE_ICE_CONTROLLING, 0x932ff9b151263b36);
	size_t len = stun_agent_finish_message(&ice_agent, &message, password, sizeof password - 1);
	ice_agent.sent_ids[0].valid = false;
	return len;
}

static size_t our_read_request(void)
{
	WiceStunMessage message;
	WiceSpan name;
	uint32_t priority = 0;
	check(wice__stun_message_read(&message, request, request_len) == 0 &&
		      wice__stun_check_fingerprint(&message) == 0 &&
		      wice__stun_read_bytes(&message, WICE_STUN_USERNAME, &name) == 0 &&
		      wice__stun_check_integrity(&message, &key) == 0 &&
		      wice__stun_read_u32(&message, WICE_STUN_PRIORITY, &priority) == 0,
	      "reading a request");
	return priority;
}

static size_t their_read_request(void)
{
	StunMessage message;
	uint32_t priority = 0;
	check(stun_agent_validate(&ice_agent, &message, request, request_len,
				  stun_agent_default_validater, users) == STUN_VALIDATION_SUCCESS &&
		      stun_message_find32(&message, STUN_ATTRIBUTE_PRIORITY, &priority) ==
			      STUN_MESSAGE_RETURN_SUCCESS,
	      "libstun's reading of a request");
	return priority;
}

/* Both reply to the request as it was read. */
static size_t our_write_response(void)
{
	WiceStunMessage message;
	WiceStunWriter writer;
	size_t len = 0;
	check(wice__stun_message_read(&message, request, request_len) == 0, "reading a request");
	wice__stun_writer_init_reply(&writer, reply, sizeof reply, WICE_STUN_SUCCESS, &message);
	wice__stun_write_address(&writer, WICE_STUN_XOR_MAPPED_ADDRESS, &source);
	wice__stun_write_integrity(&writer, &key);
	wice__stun_write_fingerprint(&writer);
	check(wice__stun_writer_finish(&writer, &len) == 0, "writing a response");
	return len;
}

static size_t their_write_response(void)
{
	StunMessage from = { .agent = &ice_agent, .buffer = request, .buffer_len = request_len };
	StunMessage message;
	struct sockaddr_storage address;
	socklen_t address_len = wice__endpoint_to_sockaddr(&source, &address);
	stun_agent_init_response(&ice_agent, &message, reply, sizeof reply, &from);
	stun_message_append_xor_addr(&message, STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS, &address,
				     address_len);
	return stun_agent_finish_message(&ice_agent, &message, password, sizeof password - 1);
}

static size_t our_read_response(void)
{
	WiceStunMessage message;
	WiceEndpoint mapped = { 0 };
	check(wice__stun_message_read(&message, response, response_len) == 0 &&
		      wice__stun_check_fingerprint(&message) == 0 &&
		      memcmp(wice__stun_message_transaction(&message), request + 4, 16) == 0 &&
		      wice__stun_check_integrity(&message, &key) == 0 &&
		      wice__stun_read_address(&message, WICE_STUN_XOR_MAPPED_ADDRESS, &mapped) == 0,
	      "reading a response");
	return mapped.port;
}

static size_t their_read_response(void)
{
	StunMessage message;
	struct sockaddr_storage mapped;
	socklen_t mapped_len = sizeof mapped;
	ice_agent.sent_ids[0] = (StunAgentSavedIds){ .method = STUN_BINDING,
						     .key = password,
						     .key_len = sizeof password - 1,
						     .valid = true };
	memcpy(ice_agent.sent_ids[0].id, request + 4, 16);
	check(stun_agent_validate(&ice_agent, &message, response, response_len,
				  stun_agent_default_validater, users) == STUN_VALIDATION_SUCCESS &&
		      stun_message_find_xor_addr(&message, STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS,
						 &mapped,
						 &mapped_len) == STUN_MESSAGE_RETURN_SUCCESS,
	      "libstun's reading of a response");
	return mapped_len;
}

/* A STUN server's work: read a bare request, answer it. */
static size_t our_serve(void)
{
	return wice__stun_respond(bare_request, bare_request_len, &source, reply);
}

static size_t their_serve(void)
{
	StunMessage from, message;
	struct sockaddr_storage address;
	socklen_t address_len = wice__endpoint_to_sockaddr(&source, &address);
	check(stun_agent_validate(&bare_agent, &from, bare_request, bare_request_len, NULL, NULL) ==
		      STUN_VALIDATION_SUCCESS,
	      "libstun's reading of a bare request");
	stun_agent_init_response(&bare_agent, &message, reply, sizeof reply, &from);
	stun_message_append_xor_addr(&message, STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS, &address,
				     address_len);
	return stun_agent_finish_message(&bare_agent, &message, NULL, 0);
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double round_of(size_t (*function)(void))
{
	static volatile size_t sink;
	gint64 start = g_get_monotonic_time();
	for (int i = 0; i < PER_ROUND; i++)
		sink = function();
	(void)sink;
	return (double)(g_get_monotonic_time() - start) * 1000.0 / PER_ROUND;
}

/* Interleaved, so that a change of the machine's mood hits both. */
static void compare(const char *name, size_t (*ours)(void), size_t (*theirs)(void))
{
	double our_ns[ROUNDS], their_ns[ROUNDS];
	round_of(ours);
	round_of(theirs);
	for (int i = 0; i < ROUNDS; i++) {
		our_ns[i] = round_of(ours);
		their_ns[i] = round_of(theirs);
	}
	qsort(our_ns, ROUNDS, sizeof *our_ns, compare_doubles);
	qsort(their_ns, ROUNDS, sizeof *their_ns, compare_doubles);
	printf("stun.%s.wice-ns: %.0f\n", name, our_ns[ROUNDS / 2]);
	printf("stun.%s.libstun-ns: %.0f\n", name, their_ns[ROUNDS / 2]);
	printf("stun.%s.ratio: %.2f\n", name, their_ns[ROUNDS / 2] / our_ns[ROUNDS / 2]);
}

int main(void)
{
	check(wice_endpoint_parse("192.0.2.1:32853", &source), "the address");
	check(wice__stun_key_short_term(&key, (WiceSpan){ password, sizeof password - 1 }) == 0,
	      "the key");
	stun_agent_init(&ice_agent, STUN_ALL_KNOWN_ATTRIBUTES, STUN_COMPATIBILITY_RFC5389,
			STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT);
	stun_agent_init(&bare_agent, STUN_ALL_KNOWN_ATTRIBUTES, STUN_COMPATIBILITY_RFC5389, 0);

	request_len = our_write_request();
	memcpy(request, buffer, request_len);
	response_len = our_write_response();
	memcpy(response, reply, response_len);
	WiceStunWriter writer = start_request();
	check(wice__stun_writer_finish(&writer, &bare_request_len) == 0, "the bare request");
	memcpy(bare_request, buffer, bare_request_len);

	compare("write-request", our_write_request, their_write_request);
	compare("read-request", our_read_request, their_read_request);
	compare("write-response", our_write_response, their_write_response);
	compare("read-response", our_read_response, their_read_response);
	compare("serve-binding", our_serve, their_serve);
	return 0;
}
