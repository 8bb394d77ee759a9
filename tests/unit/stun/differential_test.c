/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our codec against libstun, the one inside libnice, in the setting that ICE uses: RFC 5389,
 * short-term credentials, FINGERPRINT. Each writes random messages that the other must read and
 * accept with the same values; then messages are damaged, often with the closing attributes made
 * right again, and both must judge and read them alike.
 *
 * Where the two differ on purpose, explain() says so; all else fails:
 *
 *   MAC_LENGTH   libstun does not look at the length of MESSAGE-INTEGRITY. We refuse any but 20.
 *   BEHIND_SEAL  libstun reports unknown attributes also behind MESSAGE-INTEGRITY, where RFC 8489
 *                §14.5 says to ignore them. We do.
 *   SHA256       libstun knows no MESSAGE-INTEGRITY-SHA256, so that it seals nothing for it.
 *   FRAMING      The same verdict under two names: libstun calls a message with something behind
 *                FINGERPRINT a bad request (the CRC cannot fit), we call it no STUN message.
 *   CONNECT      libstun takes the type 0x0115 for a Data indication, as Google Talk once did.
 */
#include "suite.h"

#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <stun/stunagent.h>
#include <stun/usages/bind.h>

#include "event/sockaddr.h"
#include "stun/attributes.h"
#include "stun/integrity.h"
#include "stun/message.h"
#include "stun/probe.h"
#include "stun/responder.h"

#define CASES 10000
#define MUTATIONS 40000
#define PACKET_MAX 2048
#define SLACK 64 /* libstun reads 20 bytes of any MESSAGE-INTEGRITY */
#define MAX_ATTRIBUTES 8

static GRand *randomness;
static uint16_t known_types[64]; /* ours, so that both call the same types unknown */
static uint8_t username[] = "left:right", password[] = "a password of 22 bytes";
static StunDefaultValidaterData users[] = {
	{ username, sizeof username - 1, password, sizeof password - 1 },
	{ NULL, 0, NULL, 0 },
};
static WiceStunKey key;
static StunAgent agent;

static unsigned below(unsigned n)
{
	return (unsigned)g_rand_int_range(randomness, 0, (gint32)n);
}

static void random_bytes(uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)g_rand_int(randomness);
}

static void set_up(guint32 seed)
{
	size_t n = 0;
	g_clear_pointer(&randomness, g_rand_free);
	randomness = g_rand_new_with_seed(seed);
	for (uint16_t type = 1; type < 0x40; type++)
		if (wice__stun_attribute_info(type))
			known_types[n++] = type;
	stun_agent_init(&agent, known_types, STUN_COMPATIBILITY_RFC5389,
			STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT);
	ck_assert_int_eq(
		wice__stun_key_short_term(&key, (WiceSpan){ password, sizeof password - 1 }), 0);
}

static WiceEndpoint random_endpoint(void)
{
	WiceEndpoint endpoint = { .port = (uint16_t)g_rand_int(randomness) };
	bool v4 = below(2);
	endpoint.address.family = v4 ? WICE_FAMILY_IPV4 : WICE_FAMILY_IPV6;
	random_bytes(endpoint.address.bytes, v4 ? 4 : 16);
	return endpoint;
}

/* Makes libstun believe that it has sent the request that this message may be the answer to. */
static void expect_answer(const uint8_t *packet)
{
	agent.sent_ids[0] = (StunAgentSavedIds){
		.method = (StunMethod)wice__stun_type_method(wice__stun_get_u16(packet)),
		.key = password,
		.key_len = sizeof password - 1,
		.valid = true,
	};
	memcpy(agent.sent_ids[0].id, packet + 4, 16);
}

/* Writing, ours */

static uint16_t random_type(void)
{
	for (;;) {
		uint16_t type = (uint16_t)(below(0x40) | (below(2) ? 0x8000 : 0));
		const WiceStunAttributeInfo *info = wice__stun_attribute_info(type);
		if (info && type != WICE_STUN_MESSAGE_INTEGRITY && type != WICE_STUN_USERNAME &&
		    type != WICE_STUN_MESSAGE_INTEGRITY_SHA256 && type != WICE_STUN_FINGERPRINT)
			return type;
	}
}

static void write_random_list(WiceStunWriter *writer, uint16_t type, WiceStunKind kind)
{
	uint16_t list[] = { (uint16_t)below(0x8000), WICE_STUN_ALGORITHM_MD5,
			    WICE_STUN_ALGORITHM_SHA256 };
	if (kind == WICE_STUN_KIND_TYPES)
		wice__stun_write_types(writer, list, below(4));
	else
		wice__stun_write_algorithms(writer, type, list + 1,
					    type == WICE_STUN_PASSWORD_ALGORITHM ? 1 : below(3));
}

static void write_random_attribute(WiceStunWriter *writer, uint16_t type)
{
	const WiceStunAttributeInfo *info = wice__stun_attribute_info(type);
	uint8_t bytes[64];
	unsigned len = below(sizeof bytes);
	WiceEndpoint endpoint = random_endpoint();
	random_bytes(bytes, sizeof bytes);
	switch (info->kind) {
	case WICE_STUN_KIND_FLAG:
		wice__stun_write_flag(writer, type);
		break;
	case WICE_STUN_KIND_U8:
		wice__stun_write_u8(writer, type, bytes[0]);
		break;
	case WICE_STUN_KIND_U16:
		wice__stun_write_u16(writer, type, wice__stun_get_u16(bytes));
		break;
	case WICE_STUN_KIND_U32:
		wice__stun_write_u32(writer, type, wice__stun_get_u32(bytes));
		break;
	case WICE_STUN_KIND_U64:
		wice__stun_write_u64(writer, type, wice__stun_get_u32(bytes) * 0x100000001u);
		break;
	case WICE_STUN_KIND_BYTES:
		wice__stun_write_bytes(writer, type, bytes, CLAMP(len, info->min, info->max));
		break;
	case WICE_STUN_KIND_ADDRESS:
	case WICE_STUN_KIND_XOR_ADDRESS:
		wice__stun_write_address(writer, type, &endpoint);
		break;
	case WICE_STUN_KIND_ERROR:
		wice__stun_write_error(writer, (uint16_t)(300 + below(400)), "because");
		break;
	case WICE_STUN_KIND_TYPES:
	case WICE_STUN_KIND_ALGORITHMS:
		write_random_list(writer, type, info->kind);
		break;
	}
}

/* A message that must be accepted: an error has a code, all have credentials. */
static size_t write_ours(uint8_t *packet)
{
	static const uint16_t methods[] = { WICE_STUN_BINDING,         WICE_STUN_ALLOCATE,
					    WICE_STUN_REFRESH,         WICE_STUN_SEND,
					    WICE_STUN_DATA_INDICATION, WICE_STUN_CREATE_PERMISSION,
					    WICE_STUN_CHANNEL_BIND };
	WiceStunClass message_class = (WiceStunClass)below(4);
	uint8_t transaction[16];
	WiceStunWriter writer;
	size_t len;
	random_bytes(transaction, sizeof transaction);
	wice__stun_put_u32(transaction, WICE_STUN_COOKIE);
	wice__stun_writer_init(&writer, packet, PACKET_MAX, message_class,
			       methods[below(G_N_ELEMENTS(methods))], transaction);
	if (message_class == WICE_STUN_ERROR)
		wice__stun_write_error(&writer, (uint16_t)(402 + below(98)), NULL);
	unsigned n = below(MAX_ATTRIBUTES), user_at = below(n + 1);
	for (unsigned i = 0; i <= n; i++)
		if (i == user_at)
			wice__stun_write_bytes(&writer, WICE_STUN_USERNAME, username,
					       sizeof username - 1);
		else
			write_random_attribute(&writer, random_type());
	wice__stun_write_integrity(&writer, &key);
	wice__stun_write_fingerprint(&writer);
	ck_assert_int_eq(wice__stun_writer_finish(&writer, &len), 0);
	return len;
}

/* Writing, libstun */

static size_t write_theirs(uint8_t *packet)
{
	static const uint16_t texts[] = { WICE_STUN_REALM, WICE_STUN_NONCE, WICE_STUN_SOFTWARE,
					  WICE_STUN_DATA, WICE_STUN_MOBILITY_TICKET };
	static const uint16_t flags[] = { WICE_STUN_USE_CANDIDATE, WICE_STUN_DONT_FRAGMENT };
	static const uint16_t u32s[] = { WICE_STUN_PRIORITY, WICE_STUN_LIFETIME };
	static const uint16_t u64s[] = { WICE_STUN_ICE_CONTROLLED, WICE_STUN_ICE_CONTROLLING };
	static const uint16_t xored[] = { WICE_STUN_XOR_MAPPED_ADDRESS, WICE_STUN_XOR_PEER_ADDRESS,
					  WICE_STUN_XOR_RELAYED_ADDRESS };
	StunMessage message;
	bool request = below(2);
	agent.sent_ids[0].valid = false;
	if (request)
		stun_agent_init_request(&agent, &message, packet, PACKET_MAX, STUN_BINDING);
	else
		stun_agent_init_indication(&agent, &message, packet, PACKET_MAX, STUN_IND_SEND);
	stun_message_append_bytes(&message, STUN_ATTRIBUTE_USERNAME, username, sizeof username - 1);
	for (unsigned n = below(MAX_ATTRIBUTES); n > 0; n--) {
		WiceEndpoint endpoint = random_endpoint();
		struct sockaddr_storage address;
		socklen_t len = wice__endpoint_to_sockaddr(&endpoint, &address);
		uint8_t bytes[64];
		random_bytes(bytes, sizeof bytes);
		switch (below(6)) {
		case 0:
			stun_message_append_bytes(&message, texts[below(G_N_ELEMENTS(texts))],
						  bytes, below(sizeof bytes));
			break;
		case 1:
			stun_message_append_flag(&message, flags[below(2)]);
			break;
		case 2:
			stun_message_append32(&message, u32s[below(2)], wice__stun_get_u32(bytes));
			break;
		case 3:
			stun_message_append64(&message, u64s[below(2)],
					      wice__stun_get_u32(bytes) * 0x100000001u);
			break;
		case 4:
			stun_message_append_addr(&message, STUN_ATTRIBUTE_MAPPED_ADDRESS,
						 (struct sockaddr *)&address, len);
			break;
		default:
			stun_message_append_xor_addr(&message, xored[below(3)], &address, len);
			break;
		}
	}
	size_t len = stun_agent_finish_message(&agent, &message, password, sizeof password - 1);
	ck_assert_uint_gt(len, 0);
	agent.sent_ids[0].valid = false;
	return len;
}

/* Judging */

typedef enum {
	FINE,
	NOT_STUN,
	BAD_REQUEST,
	UNMATCHED,
	INCOMPLETE_CREDENTIALS,
	WRONG_CREDENTIALS,
	UNKNOWN_ATTRIBUTE,
	N_VERDICTS,
} Verdict;

static Verdict judge_theirs(const uint8_t *packet, size_t len, StunMessage *ret_message)
{
	switch (stun_agent_validate(&agent, ret_message, packet, len, stun_agent_default_validater,
				    users)) {
	case STUN_VALIDATION_SUCCESS:
		return FINE;
	case STUN_VALIDATION_NOT_STUN:
	case STUN_VALIDATION_INCOMPLETE_STUN:
		return NOT_STUN;
	case STUN_VALIDATION_BAD_REQUEST:
		return BAD_REQUEST;
	case STUN_VALIDATION_UNAUTHORIZED_BAD_REQUEST:
		return INCOMPLETE_CREDENTIALS;
	case STUN_VALIDATION_UNAUTHORIZED:
		return WRONG_CREDENTIALS;
	case STUN_VALIDATION_UNMATCHED_RESPONSE:
		return UNMATCHED;
	case STUN_VALIDATION_UNKNOWN_REQUEST_ATTRIBUTE:
	case STUN_VALIDATION_UNKNOWN_ATTRIBUTE:
		return UNKNOWN_ATTRIBUTE;
	default:
		ck_abort_msg("libstun has a verdict that we do not know");
	}
}

/* RFC 8489 §9.1.4: the errors that may come without integrity; libstun's list for two questions. */
static bool error_is_one_of(const WiceStunMessage *message, const uint16_t *codes, size_t n)
{
	uint16_t code;
	if (message->message_class != WICE_STUN_ERROR ||
	    wice__stun_read_error(message, &code, NULL) != 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (code == codes[i])
			return true;
	return false;
}

static Verdict judge_credentials(const WiceStunMessage *message)
{
	static const uint16_t unprotected[] = { 400, 401, 438, 300 };
	bool answer = message->message_class >= WICE_STUN_SUCCESS;
	WiceSpan user;
	if (error_is_one_of(message, unprotected, G_N_ELEMENTS(unprotected)))
		return FINE;
	int r = wice__stun_read_bytes(message, WICE_STUN_USERNAME, &user);
	if (!answer && (r == -ENOENT || !message->integrity))
		return INCOMPLETE_CREDENTIALS;
	if (!answer &&
	    (r || user.len != sizeof username - 1 || memcmp(user.data, username, user.len) != 0))
		return WRONG_CREDENTIALS;
	return wice__stun_check_integrity(message, &key) == 0 ? FINE : WRONG_CREDENTIALS;
}

/* The steps of RFC 8489 §6.3 and §9.1 with our functions. */
static Verdict judge_ours(const uint8_t *packet, size_t len, WiceStunMessage *ret_message)
{
	const StunAgentSavedIds *sent = &agent.sent_ids[0];
	if (wice__stun_message_read(ret_message, packet, len) != 0)
		return NOT_STUN;
	if (!ret_message->has_cookie || wice__stun_check_fingerprint(ret_message) != 0)
		return BAD_REQUEST;
	if (ret_message->message_class >= WICE_STUN_SUCCESS &&
	    (ret_message->method != sent->method ||
	     memcmp(wice__stun_message_transaction(ret_message), sent->id, 16) != 0))
		return UNMATCHED;
	Verdict verdict = judge_credentials(ret_message);
	if (verdict != FINE)
		return verdict;
	return ret_message->n_unknown ? UNKNOWN_ATTRIBUTE : FINE;
}

/* Differences */

typedef enum { UNEXPLAINED, MAC_LENGTH, BEHIND_SEAL, SHA256, FRAMING, CONNECT, N_REASONS } Reason;

typedef struct {
	bool sha256_seals, odd_mac, unknown_behind_seal, behind_fingerprint;
} Oddities;

/* Walks the attributes of a well-framed packet without any of the codec's rules. */
static Oddities look_for_oddities(const uint8_t *packet, size_t len)
{
	Oddities oddities = { 0 };
	bool sealed = false;
	for (size_t at = 20; at + 4 <= len;) {
		uint16_t type = wice__stun_get_u16(packet + at);
		uint16_t value_len = wice__stun_get_u16(packet + at + 2);
		at += 4 + ((value_len + 3u) & ~3u);
		oddities.unknown_behind_seal |=
			sealed && type < 0x8000 && !wice__stun_attribute_info(type);
		oddities.sha256_seals |= !sealed && type == WICE_STUN_MESSAGE_INTEGRITY_SHA256;
		oddities.odd_mac |= type == WICE_STUN_MESSAGE_INTEGRITY && value_len != 20;
		oddities.behind_fingerprint |= type == WICE_STUN_FINGERPRINT && at < len;
		sealed |= type == WICE_STUN_MESSAGE_INTEGRITY;
	}
	return oddities;
}

static Reason explain(const uint8_t *packet, size_t len, Verdict ours, Verdict theirs)
{
	Oddities oddities = look_for_oddities(packet, len);
	if (oddities.behind_fingerprint && ours == NOT_STUN && theirs == BAD_REQUEST)
		return FRAMING;
	if (wice__stun_get_u16(packet) == 0x0115)
		return CONNECT;
	if (oddities.sha256_seals)
		return SHA256;
	if (oddities.odd_mac && ours == WRONG_CREDENTIALS)
		return MAC_LENGTH;
	if (oddities.unknown_behind_seal && ours == FINE && theirs == UNKNOWN_ATTRIBUTE)
		return BEHIND_SEAL;
	return UNEXPLAINED;
}

static void dump(const char *what, const uint8_t *packet, size_t len)
{
	fprintf(stderr, "%s:", what);
	for (size_t i = 0; i < len; i++)
		fprintf(stderr, "%s%02x", i % 4 ? "" : " ", packet[i]);
	fprintf(stderr, "\n");
}

/* Comparing what both read */

static void compare_addresses(const WiceStunMessage *ours, const StunMessage *theirs, uint16_t type,
			      bool xored)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof address;
	WiceEndpoint our_endpoint, their_endpoint;
	int r = wice__stun_read_address(ours, type, &our_endpoint);
	StunMessageReturn s = xored ? stun_message_find_xor_addr(theirs, type, &address, &len)
				    : stun_message_find_addr(theirs, type, &address, &len);
	ck_assert_int_eq(r == 0, s == STUN_MESSAGE_RETURN_SUCCESS);
	if (r)
		return;
	if (our_endpoint.address.family == WICE_FAMILY_IPV4) {
		ck_assert(wice__endpoint_from_sockaddr((struct sockaddr *)&address, len,
						       &their_endpoint));
		ck_assert_int_eq(wice_endpoint_compare(&our_endpoint, &their_endpoint), 0);
	} else {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&address;
		ck_assert_uint_eq(ntohs(in6->sin6_port), our_endpoint.port);
		ck_assert_mem_eq(&in6->sin6_addr, our_endpoint.address.bytes, 16);
	}
}

static void compare_numbers(const WiceStunMessage *ours, const StunMessage *theirs, uint16_t type,
			    WiceStunKind kind)
{
	uint32_t u32[2] = { 0 };
	uint64_t u64[2] = { 0 };
	int r, s;
	if (kind == WICE_STUN_KIND_U32) {
		r = wice__stun_read_u32(ours, type, &u32[0]);
		s = stun_message_find32(theirs, type, &u32[1]);
	} else {
		r = wice__stun_read_u64(ours, type, &u64[0]);
		s = stun_message_find64(theirs, type, &u64[1]);
	}
	ck_assert_int_eq(r == 0, s == STUN_MESSAGE_RETURN_SUCCESS);
	ck_assert_int_eq(r == -ENOENT, s == STUN_MESSAGE_RETURN_NOT_FOUND);
	ck_assert_uint_eq(u32[0], u32[1]);
	ck_assert_uint_eq(u64[0], u64[1]);
}

static void compare_errors(const WiceStunMessage *ours, const StunMessage *theirs)
{
	uint16_t code = 0;
	int their_code = 0;
	int r = wice__stun_read_error(ours, &code, NULL);
	int s = stun_message_find_error(theirs, &their_code);
	ck_assert_int_eq(r == 0, s == STUN_MESSAGE_RETURN_SUCCESS);
	ck_assert_int_eq(code, their_code);
}

static void compare_values(const WiceStunMessage *ours, const StunMessage *theirs, uint16_t type)
{
	const WiceStunAttributeInfo *info = wice__stun_attribute_info(type);
	WiceStunAttribute attribute;
	uint16_t len = 0;
	const void *value = stun_message_find(theirs, type, &len);
	bool found = wice__stun_message_find(ours, type, &attribute);
	ck_assert_int_eq(found, value != NULL);
	if (found) {
		ck_assert_uint_eq(attribute.len, len);
		ck_assert_ptr_eq(attribute.value, value);
	}
	switch (info->kind) {
	case WICE_STUN_KIND_FLAG:
		ck_assert_int_eq(wice__stun_read_flag(ours, type) == 0,
				 stun_message_find_flag(theirs, type) ==
					 STUN_MESSAGE_RETURN_SUCCESS);
		break;
	case WICE_STUN_KIND_U32:
	case WICE_STUN_KIND_U64:
		compare_numbers(ours, theirs, type, info->kind);
		break;
	case WICE_STUN_KIND_ADDRESS:
	case WICE_STUN_KIND_XOR_ADDRESS:
		compare_addresses(ours, theirs, type, info->kind == WICE_STUN_KIND_XOR_ADDRESS);
		break;
	case WICE_STUN_KIND_ERROR:
		compare_errors(ours, theirs);
		break;
	default:
		break;
	}
}

static void compare_all(const WiceStunMessage *ours, const StunMessage *theirs)
{
	uint8_t id[16];
	stun_message_id(theirs, id);
	ck_assert_mem_eq(id, wice__stun_message_transaction(ours), 16);
	ck_assert_uint_eq((unsigned)stun_message_get_class(theirs), ours->message_class);
	ck_assert_uint_eq((unsigned)stun_message_get_method(theirs), ours->method);
	for (unsigned i = 0; i < 2 * 0x40; i++) {
		uint16_t type = (uint16_t)(i % 0x40 | (i < 0x40 ? 0 : 0x8000));
		if (wice__stun_attribute_info(type))
			compare_values(ours, theirs, type);
	}
}

START_TEST(libstun_accepts_and_reads_what_we_write)
{
	uint8_t packet[PACKET_MAX + SLACK];
	set_up(1);
	for (int i = 0; i < CASES; i++) {
		size_t len = write_ours(packet);
		StunMessage theirs;
		WiceStunMessage ours;
		expect_answer(packet);
		ck_assert_int_eq(judge_theirs(packet, len, &theirs), FINE);
		ck_assert_int_eq(judge_ours(packet, len, &ours), FINE);
		compare_all(&ours, &theirs);
	}
}
END_TEST

START_TEST(we_accept_and_read_what_libstun_writes)
{
	uint8_t packet[PACKET_MAX + SLACK];
	set_up(2);
	for (int i = 0; i < CASES; i++) {
		size_t len = write_theirs(packet);
		StunMessage theirs;
		WiceStunMessage ours;
		ck_assert_int_eq(judge_ours(packet, len, &ours), FINE);
		ck_assert_int_eq(judge_theirs(packet, len, &theirs), FINE);
		compare_all(&ours, &theirs);
	}
}
END_TEST

/* Damage */

/* The offset of a random attribute, or of the header if there is none. */
static size_t random_attribute(const uint8_t *packet, size_t len)
{
	size_t starts[128], n = 0;
	for (size_t at = 20; at + 4 <= len && n < G_N_ELEMENTS(starts);) {
		starts[n++] = at;
		at += 4 + ((wice__stun_get_u16(packet + at + 2) + 3u) & ~3u);
	}
	return n ? starts[below((unsigned)n)] : 0;
}

static const uint16_t likely_types[] = {
	WICE_STUN_MESSAGE_INTEGRITY,
	WICE_STUN_MESSAGE_INTEGRITY_SHA256,
	WICE_STUN_FINGERPRINT,
	WICE_STUN_USERNAME,
	WICE_STUN_ERROR_CODE,
	0x7ffe,
	WICE_STUN_PRIORITY,
	WICE_STUN_XOR_MAPPED_ADDRESS,
	0xfffe,
};

static void insert_attribute(uint8_t *packet, size_t *len)
{
	uint8_t attribute[4 + 24] = { 0 };
	size_t at = below(2) ? *len : random_attribute(packet, *len);
	size_t value_len = below(4) ? 4 : below(25), size = 4 + ((value_len + 3) & ~(size_t)3);
	at = at ? at : 20;
	wice__stun_put_u16(attribute, likely_types[below(G_N_ELEMENTS(likely_types))]);
	wice__stun_put_u16(attribute + 2, (uint16_t)value_len);
	random_bytes(attribute + 4, value_len);
	memmove(packet + at + size, packet + at, *len - at);
	memcpy(packet + at, attribute, size);
	*len += size;
	wice__stun_put_u16(packet + 2, (uint16_t)(*len - 20));
}

static void damage(uint8_t *packet, size_t *len)
{
	size_t at = random_attribute(packet, *len);
	switch (below(8)) {
	case 0:
		packet[below((unsigned)*len)] ^= (uint8_t)(1u << below(8));
		break;
	case 1:
		packet[below(20)] ^= (uint8_t)(1u << below(8));
		break;
	case 2:
		if (at)
			wice__stun_put_u16(packet + at,
					   likely_types[below(G_N_ELEMENTS(likely_types))]);
		break;
	case 3:
		if (at)
			packet[at + 3] = (uint8_t)(packet[at + 3] + below(9) - 4);
		break;
	case 4:
		if (at)
			packet[at + 4 + below(4)] = (uint8_t)below(4);
		break;
	case 5:
		*len = below(2) ? below((unsigned)*len) : *len - 4;
		break;
	case 6:
		wice__stun_put_u16(packet + 2, (uint16_t)(*len - 20));
		break;
	default:
		insert_attribute(packet, len);
		break;
	}
}

/* Makes FINGERPRINT, and perhaps MESSAGE-INTEGRITY, right again, to reach what lies deeper. */
static void reseal(uint8_t *packet, size_t len)
{
	WiceStunMessage message;
	WiceStunWriter writer = { .data = packet, .size = PACKET_MAX, .has_cookie = true };
	uint8_t length[2];
	if (wice__stun_message_read(&message, packet, len) != 0)
		return;
	memcpy(length, packet + 2, 2);
	if (message.integrity && message.integrity + 24u <= len && below(4)) {
		uint16_t value_len = wice__stun_get_u16(packet + message.integrity + 2);
		writer.len = message.integrity;
		wice__stun_write_integrity(&writer, &key);
		wice__stun_put_u16(packet + message.integrity + 2, value_len);
		memcpy(packet + 2, length, 2);
	}
	if (message.fingerprint && message.fingerprint + 8u == len) {
		writer.len = message.fingerprint;
		writer.sealed = 0;
		wice__stun_write_fingerprint(&writer);
	}
	memcpy(packet + 2, length, 2);
}

START_TEST(both_judge_damaged_messages_alike)
{
	static const char *const reasons[N_REASONS] = { "",       "MAC_LENGTH", "BEHIND_SEAL",
							"SHA256", "FRAMING",    "CONNECT" };
	uint8_t packet[PACKET_MAX + SLACK];
	unsigned verdicts[N_VERDICTS] = { 0 }, differences[N_REASONS] = { 0 };
	set_up(3);
	for (int i = 0; i < MUTATIONS; i++) {
		StunMessage theirs;
		WiceStunMessage ours;
		memset(packet, 0, sizeof packet);
		size_t len = below(2) ? write_ours(packet) : write_theirs(packet);
		expect_answer(packet);
		for (unsigned n = 1 + below(3); n > 0 && len >= 20; n--)
			damage(packet, &len);
		if (below(4))
			reseal(packet, len);
		memset(packet + len, 0, SLACK);

		Verdict our_verdict = judge_ours(packet, len, &ours);
		Verdict their_verdict = judge_theirs(packet, len, &theirs);
		verdicts[our_verdict]++;
		if (our_verdict != their_verdict) {
			Reason reason = explain(packet, len, our_verdict, their_verdict);
			differences[reason]++;
			if (reason == UNEXPLAINED) {
				dump("unexplained", packet, len);
				ck_abort_msg("case %d: we say %d, libstun says %d", i, our_verdict,
					     their_verdict);
			}
		} else if (our_verdict == FINE || our_verdict == UNKNOWN_ATTRIBUTE) {
			if (!ours.integrity_sha256)
				compare_all(&ours, &theirs);
		}
	}
	for (size_t i = 0; i < N_VERDICTS; i++)
		ck_assert_msg(verdicts[i] >= 100, "verdict %zu was reached only %u times", i,
			      verdicts[i]);
	for (size_t i = 1; i < N_REASONS; i++)
		fprintf(stderr, "%s: %u of %u\n", reasons[i], differences[i], MUTATIONS);
}
END_TEST

START_TEST(long_term_credentials_agree)
{
	StunAgent long_agent;
	uint8_t packet[PACKET_MAX];
	set_up(4);
	stun_agent_init(&long_agent, known_types, STUN_COMPATIBILITY_RFC5389,
			STUN_AGENT_USAGE_LONG_TERM_CREDENTIALS);
	for (int i = 0; i < 2000; i++) {
		g_autofree char *user = g_strdup_printf("user%u", below(1000000));
		g_autofree char *realm = g_strdup_printf("realm%u.example", below(1000000));
		g_autofree char *secret = g_strdup_printf("secret%u", below(1000000));
		StunDefaultValidaterData known[] = {
			{ (uint8_t *)user, strlen(user), (uint8_t *)secret, strlen(secret) },
			{ NULL, 0, NULL, 0 },
		};
		uint8_t transaction[16];
		WiceStunWriter writer;
		WiceStunKey long_key;
		StunMessage theirs;
		size_t len;
		random_bytes(transaction, sizeof transaction);
		wice__stun_put_u32(transaction, WICE_STUN_COOKIE);
		ck_assert_int_eq(wice__stun_key_long_term(&long_key, WICE_STUN_ALGORITHM_MD5,
							  (WiceSpan){ user, strlen(user) },
							  (WiceSpan){ realm, strlen(realm) },
							  (WiceSpan){ secret, strlen(secret) }),
				 0);
		wice__stun_writer_init(&writer, packet, sizeof packet, WICE_STUN_REQUEST,
				       WICE_STUN_ALLOCATE, transaction);
		wice__stun_write_u8(&writer, WICE_STUN_REQUESTED_TRANSPORT,
				    WICE_STUN_TRANSPORT_UDP);
		wice__stun_write_bytes(&writer, WICE_STUN_USERNAME, user, strlen(user));
		wice__stun_write_bytes(&writer, WICE_STUN_REALM, realm, strlen(realm));
		wice__stun_write_bytes(&writer, WICE_STUN_NONCE, "nonce", 5);
		wice__stun_write_integrity(&writer, &long_key);
		ck_assert_int_eq(wice__stun_writer_finish(&writer, &len), 0);
		ck_assert_int_eq(stun_agent_validate(&long_agent, &theirs, packet, len,
						     stun_agent_default_validater, known),
				 STUN_VALIDATION_SUCCESS);
		packet[len - 1] ^= 1;
		ck_assert_int_eq(stun_agent_validate(&long_agent, &theirs, packet, len,
						     stun_agent_default_validater, known),
				 STUN_VALIDATION_UNAUTHORIZED);
	}
}
END_TEST

START_TEST(our_responder_serves_libstun_in_both_forms)
{
	static const StunCompatibility forms[] = { STUN_COMPATIBILITY_RFC5389,
						   STUN_COMPATIBILITY_RFC3489 };
	set_up(5);
	for (int i = 0; i < 2000; i++) {
		StunAgent client;
		StunMessage message;
		uint8_t request[64], response[WICE_STUN_RESPONSE_MAX];
		struct sockaddr_storage mapped, alternate;
		socklen_t mapped_len = sizeof mapped, alternate_len = sizeof alternate;
		WiceEndpoint source = random_endpoint(), seen;
		if (source.address.family == WICE_FAMILY_IPV6)
			source.address.bytes[0] = 0x20;
		stun_agent_init(&client, STUN_ALL_KNOWN_ATTRIBUTES, forms[i % 2], 0);
		size_t len = stun_usage_bind_create(&client, &message, request, sizeof request);
		len = wice__stun_respond(request, len, &source, response);
		ck_assert_uint_gt(len, 0);
		ck_assert_int_eq(stun_agent_validate(&client, &message, response, len, NULL, NULL),
				 STUN_VALIDATION_SUCCESS);
		ck_assert_int_eq(stun_usage_bind_process(&message, (struct sockaddr *)&mapped,
							 &mapped_len, (struct sockaddr *)&alternate,
							 &alternate_len),
				 STUN_USAGE_BIND_RETURN_SUCCESS);
		ck_assert(wice__endpoint_from_sockaddr((struct sockaddr *)&mapped, mapped_len,
						       &seen));
		ck_assert_int_eq(wice_endpoint_compare(&seen, &source), 0);
	}
}
END_TEST

static void fill_random(void *buffer, size_t len)
{
	random_bytes(buffer, len);
}

START_TEST(our_probe_is_served_by_libstun)
{
	set_up(6);
	for (int i = 0; i < 2000; i++) {
		StunAgent server;
		StunMessage request, response;
		WiceStunProbe probe;
		WiceEndpoint to, address, source;
		uint8_t packet[WICE_STUN_PROBE_REQUEST_LEN], answer[128];
		struct sockaddr_storage storage;
		ck_assert(wice_endpoint_parse("192.0.2.1:3478", &address));
		ck_assert(
			wice_endpoint_parse(i % 2 ? "198.51.100.7:5" : "[2001:db8::5]:5", &source));
		source.port = (uint16_t)(1 + below(65535));
		wice__stun_probe_init(&probe, &address, 1, fill_random, 0);
		ck_assert(wice__stun_probe_output(&probe, 0, &to, packet));

		stun_agent_init(&server, STUN_ALL_KNOWN_ATTRIBUTES, STUN_COMPATIBILITY_RFC5389,
				STUN_AGENT_USAGE_ADD_SOFTWARE);
		ck_assert_int_eq(
			stun_agent_validate(&server, &request, packet, sizeof packet, NULL, NULL),
			STUN_VALIDATION_SUCCESS);
		ck_assert(stun_agent_init_response(&server, &response, answer, sizeof answer,
						   &request));
		socklen_t storage_len = wice__endpoint_to_sockaddr(&source, &storage);
		stun_message_append_xor_addr(&response, STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS, &storage,
					     storage_len);
		size_t len = stun_agent_finish_message(&server, &response, NULL, 0);
		ck_assert(wice__stun_probe_input(&probe, answer, len, &address, 30));
		ck_assert_int_eq(wice_endpoint_compare(&probe.servers[0].mapped, &source), 0);
		ck_assert_uint_eq(probe.servers[0].rtt_ms, 30);
	}
}
END_TEST

SUITE_MAIN("stun differential", libstun_accepts_and_reads_what_we_write,
	   we_accept_and_read_what_libstun_writes, both_judge_damaged_messages_alike,
	   long_term_credentials_agree, our_responder_serves_libstun_in_both_forms,
	   our_probe_is_served_by_libstun)
