/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "signaling/description.h"
#include "signaling/wire.h"

#include <glib.h>
#include <string.h>

enum {
	VERSION = 1,
	MINIMUM = 2,
	SENDER = 3,
	RECIPIENT = 4,
	EPOCH = 5,
	COUNTER = 6,
	REALTIME = 7,
	CAPABILITIES = 8,
	ECHO = 9,
	DESCRIPTION = 10,
};
enum { ECHO_EPOCH = 1, ECHO_COUNTER = 2, ECHO_VERSION = 3, ECHO_CAPABILITIES = 4 };
enum {
	UFRAG = 1,
	PWD = 2,
	REMOTE_UFRAG = 3,
	GATHERING_DONE = 4,
	WANTS_REPLY = 5,
	LISTEN_PORT = 6,
	CANDIDATE = 7,
	NO_PROXY = 8,
	RELAY = 9,
	BOUND_ADDRESS = 10,
	BOUND_PORT = 11,
	BEGINS = 12,
	RELAYED = 13,
	SERVICE = 14,
	AVOIDS_DIRECT = 15,
};
enum {
	SERVER_ADDRESS = 1,
	SERVER_PORT = 2,
	RELAYED_ADDRESS = 3,
	RELAYED_PORT = 4,
	RTT_US = 5,
	LOSS_PERMILLE = 6,
};
enum {
	SERVICE_ADDRESS = 1,
	SERVICE_PORT = 2,
	USERNAME = 3,
	PASSWORD = 4,
};
enum {
	TYPE = 1,
	PRIORITY = 2,
	ADDRESS = 3,
	PORT = 4,
	RELATED_ADDRESS = 5,
	RELATED_PORT = 6,
	FOUNDATION = 7,
};

/*
 * RFC 8839 section 5.4: a ufrag has 4 to 256 ice-chars, a pwd 22 to 256. We set closer upper
 * limits.
 */
#define UFRAG_MIN 4
#define PWD_MIN 22
/* RFC 8445 section 5.1.2: 1 to 2^31 - 1. */
#define PRIORITY_MAX INT32_MAX
#define PORT_MAX 65535u
#define PERMILLE_MAX 1000

/* ice-char = ALPHA / DIGIT / "+" / "/" (RFC 8839 section 5.1) */
static bool is_ice_text(const char *text, size_t len, size_t min, size_t size)
{
	if (len < min || len >= size)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!g_ascii_isalnum(text[i]) && text[i] != '+' && text[i] != '/')
			return false;
	return true;
}

/*
 * Packets are sent to these addresses on the peer's word alone. So none may name a service of our
 * own host (loopback, also as an IPv4-mapped or -compatible IPv6 address) or many hosts at once.
 */
static bool is_unicast_ipv4(const uint8_t *bytes)
{
	return bytes[0] != 0 && bytes[0] != 127 && bytes[0] < 224;
}

static bool is_unicast_ipv6(const uint8_t *bytes)
{
	static const uint8_t compatible[12] = { 0 }; /* ::/96, with :: and ::1 in it */
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff }; /* ::ffff:0:0/96 */
	return bytes[0] != 0xff && memcmp(bytes, compatible, sizeof compatible) != 0 &&
	       memcmp(bytes, mapped, sizeof mapped) != 0;
}

static bool is_unicast(const WiceAddress *address)
{
	switch (address->family) {
	case WICE_FAMILY_IPV4:
		return is_unicast_ipv4(address->bytes);
	case WICE_FAMILY_IPV6:
		return is_unicast_ipv6(address->bytes);
	default:
		return false;
	}
}

/* The related address is for people to read; nothing is ever sent to it. */
static bool is_related(const WiceEndpoint *related)
{
	return related->address.family == WICE_FAMILY_NONE ? related->port == 0
							   : is_unicast(&related->address);
}

bool wice__candidate_is_valid(const WiceCandidate *candidate)
{
	return candidate->type >= WICE_CANDIDATE_HOST &&
	       candidate->type <= WICE_CANDIDATE_RELAYED && candidate->priority >= 1 &&
	       candidate->priority <= PRIORITY_MAX && candidate->endpoint.port != 0 &&
	       is_unicast(&candidate->endpoint.address) && is_related(&candidate->related) &&
	       is_ice_text(candidate->foundation,
			   strnlen(candidate->foundation, sizeof candidate->foundation), 1,
			   sizeof candidate->foundation);
}

static bool is_destination(const WiceEndpoint *endpoint)
{
	return endpoint->port != 0 && is_unicast(&endpoint->address);
}

bool wice__relay_address_is_valid(const WiceRelayAddress *relay)
{
	return is_destination(&relay->server) && is_destination(&relay->relayed) &&
	       relay->loss_permille <= PERMILLE_MAX;
}

static bool are_relays(const WiceDescription *description)
{
	if (description->n_relays > WICE_DESCRIPTION_MAX_RELAYS)
		return false;
	for (size_t i = 0; i < description->n_relays; i++)
		if (!wice__relay_address_is_valid(&description->relays[i]))
			return false;
	return is_related(&description->bound);
}

#define IS_ICE_TEXT(array, min) \
	is_ice_text((array), strnlen((array), sizeof(array)), (min), sizeof(array))

static bool are_services(const WiceDescription *description)
{
	if (description->n_services > WICE_DESCRIPTION_MAX_SERVICES)
		return false;
	for (size_t i = 0; i < description->n_services; i++) {
		const WiceRelayService *service = &description->services[i];
		if (!is_destination(&service->server) || !IS_ICE_TEXT(service->username, 1) ||
		    !IS_ICE_TEXT(service->password, 1))
			return false;
	}
	return true;
}

bool wice__description_is_valid(const WiceDescription *description)
{
	if (!IS_ICE_TEXT(description->ufrag, UFRAG_MIN) || !IS_ICE_TEXT(description->pwd, PWD_MIN))
		return false;
	if (description->remote_ufrag[0] && !IS_ICE_TEXT(description->remote_ufrag, UFRAG_MIN))
		return false;
	if (description->n_candidates > WICE_DESCRIPTION_MAX_CANDIDATES)
		return false;
	for (size_t i = 0; i < description->n_candidates; i++)
		if (!wice__candidate_is_valid(&description->candidates[i]))
			return false;
	return are_relays(description) && are_services(description);
}

/* What must hold of everything but the description, written or read. */
static bool is_valid_header(const WiceContents *contents)
{
	const WiceEcho *echo = &contents->echo;
	return contents->minimum >= 1 && contents->minimum <= contents->version &&
	       contents->epoch >= 1 && contents->epoch < WICE_EPOCH_LIMIT &&
	       contents->counter >= 1 && echo->epoch < WICE_EPOCH_LIMIT - 1 &&
	       (echo->epoch == 0) == (echo->counter == 0);
}

static size_t address_len(const WiceAddress *address)
{
	return address->family == WICE_FAMILY_IPV4   ? 4
	       : address->family == WICE_FAMILY_IPV6 ? 16
						     : 0;
}

static void put_text(WiceWireWriter *writer, uint32_t number, const char *text)
{
	wice__wire_put_bytes(writer, number, text, strlen(text));
}

static void put_endpoint(WiceWireWriter *writer, uint32_t address_number, uint32_t port_number,
			 const WiceEndpoint *endpoint)
{
	wice__wire_put_bytes(writer, address_number, endpoint->address.bytes,
			     address_len(&endpoint->address));
	wice__wire_put_uint(writer, port_number, endpoint->port);
}

static void put_candidate(WiceWireWriter *writer, const WiceCandidate *candidate)
{
	size_t begin = wice__wire_begin(writer, CANDIDATE);
	wice__wire_put_uint(writer, TYPE, candidate->type);
	wice__wire_put_uint(writer, PRIORITY, candidate->priority);
	put_endpoint(writer, ADDRESS, PORT, &candidate->endpoint);
	put_endpoint(writer, RELATED_ADDRESS, RELATED_PORT, &candidate->related);
	put_text(writer, FOUNDATION, candidate->foundation);
	wice__wire_end(writer, begin);
}

static void put_relay(WiceWireWriter *writer, const WiceRelayAddress *relay)
{
	size_t begin = wice__wire_begin(writer, RELAY);
	put_endpoint(writer, SERVER_ADDRESS, SERVER_PORT, &relay->server);
	put_endpoint(writer, RELAYED_ADDRESS, RELAYED_PORT, &relay->relayed);
	wice__wire_put_uint(writer, RTT_US, relay->rtt_us);
	wice__wire_put_uint(writer, LOSS_PERMILLE, relay->loss_permille);
	wice__wire_end(writer, begin);
}

static void put_service(WiceWireWriter *writer, const WiceRelayService *service)
{
	size_t begin = wice__wire_begin(writer, SERVICE);
	put_endpoint(writer, SERVICE_ADDRESS, SERVICE_PORT, &service->server);
	put_text(writer, USERNAME, service->username);
	put_text(writer, PASSWORD, service->password);
	wice__wire_end(writer, begin);
}

static void put_description(WiceWireWriter *writer, const WiceDescription *description)
{
	size_t begin = wice__wire_begin(writer, DESCRIPTION);
	put_text(writer, UFRAG, description->ufrag);
	put_text(writer, PWD, description->pwd);
	put_text(writer, REMOTE_UFRAG, description->remote_ufrag);
	wice__wire_put_uint(writer, GATHERING_DONE, description->gathering_done);
	wice__wire_put_uint(writer, WANTS_REPLY, description->wants_reply);
	wice__wire_put_uint(writer, LISTEN_PORT, description->listen_port);
	for (size_t i = 0; i < description->n_candidates; i++)
		put_candidate(writer, &description->candidates[i]);
	wice__wire_put_uint(writer, NO_PROXY, description->no_proxy);
	for (size_t i = 0; i < description->n_relays; i++)
		put_relay(writer, &description->relays[i]);
	put_endpoint(writer, BOUND_ADDRESS, BOUND_PORT, &description->bound);
	wice__wire_put_uint(writer, BEGINS, description->begins);
	wice__wire_put_uint(writer, RELAYED, description->relayed);
	for (size_t i = 0; i < description->n_services; i++)
		put_service(writer, &description->services[i]);
	wice__wire_put_uint(writer, AVOIDS_DIRECT, description->avoids_direct);
	wice__wire_end(writer, begin);
}

static void put_echo(WiceWireWriter *writer, const WiceEcho *echo)
{
	if (echo->epoch == 0)
		return;
	size_t begin = wice__wire_begin(writer, ECHO);
	wice__wire_put_uint(writer, ECHO_EPOCH, echo->epoch);
	wice__wire_put_uint(writer, ECHO_COUNTER, echo->counter);
	wice__wire_put_uint(writer, ECHO_VERSION, echo->version);
	wice__wire_put_uint(writer, ECHO_CAPABILITIES, echo->capabilities);
	wice__wire_end(writer, begin);
}

size_t wice__contents_write(const WiceContents *contents, uint8_t *ret_bytes, size_t size)
{
	if (!is_valid_header(contents) || !wice__description_is_valid(&contents->description))
		return 0;
	WiceWireWriter writer = { .bytes = ret_bytes, .size = size };
	wice__wire_put_uint(&writer, VERSION, contents->version);
	wice__wire_put_uint(&writer, MINIMUM, contents->minimum);
	wice__wire_put_bytes(&writer, SENDER, contents->sender.bytes, WICE_KEY_LEN);
	wice__wire_put_bytes(&writer, RECIPIENT, contents->recipient.bytes, WICE_KEY_LEN);
	wice__wire_put_uint(&writer, EPOCH, contents->epoch);
	wice__wire_put_uint(&writer, COUNTER, contents->counter);
	wice__wire_put_uint(&writer, REALTIME, (uint64_t)contents->realtime_ms);
	wice__wire_put_uint(&writer, CAPABILITIES, contents->capabilities);
	put_echo(&writer, &contents->echo);
	put_description(&writer, &contents->description);
	return writer.overflow ? 0 : writer.len;
}

static bool take_uint32(const WiceWireField *field, uint32_t *ret)
{
	uint64_t value;
	if (!wice__wire_uint(field, UINT32_MAX, &value))
		return false;
	*ret = (uint32_t)value;
	return true;
}

static bool take_port(const WiceWireField *field, uint16_t *ret)
{
	uint64_t value;
	if (!wice__wire_uint(field, PORT_MAX, &value))
		return false;
	*ret = (uint16_t)value;
	return true;
}

static bool take_flag(const WiceWireField *field, bool *ret)
{
	uint64_t value;
	if (!wice__wire_uint(field, UINT64_MAX, &value))
		return false;
	*ret = value != 0;
	return true;
}

/* Empty is left for the check of the whole to judge; a NUL inside would hide what follows it. */
static bool take_text(const WiceWireField *field, char *ret, size_t size)
{
	if (field->type != WICE_WIRE_BYTES || field->len >= size ||
	    (field->len && memchr(field->bytes, 0, field->len)))
		return false;
	if (field->len)
		memcpy(ret, field->bytes, field->len);
	ret[field->len] = 0;
	return true;
}

static bool take_address(const WiceWireField *field, WiceAddress *ret)
{
	WiceAddress address = { .family = field->len == 4    ? WICE_FAMILY_IPV4
					  : field->len == 16 ? WICE_FAMILY_IPV6
							     : WICE_FAMILY_NONE };
	if (!address.family || !wice__wire_copy(field, address.bytes, field->len))
		return false;
	*ret = address;
	return true;
}

static bool take_candidate_field(const WiceWireField *field, WiceCandidate *candidate)
{
	switch (field->number) {
	case PRIORITY:
		return take_uint32(field, &candidate->priority);
	case ADDRESS:
		return take_address(field, &candidate->endpoint.address);
	case PORT:
		return take_port(field, &candidate->endpoint.port);
	case RELATED_ADDRESS:
		return take_address(field, &candidate->related.address);
	case RELATED_PORT:
		return take_port(field, &candidate->related.port);
	case FOUNDATION:
		return take_text(field, candidate->foundation, sizeof candidate->foundation);
	default:
		return true;
	}
}

/* The candidate's type; 0 if the bytes are no message or name none. */
static uint64_t candidate_type(const WiceWireField *message)
{
	WiceWireReader reader = { message->bytes, message->len };
	WiceWireField field;
	uint64_t type = 0;
	int more;
	while ((more = wice__wire_next(&reader, &field)) > 0)
		if (field.number == TYPE && (type || !wice__wire_uint(&field, UINT64_MAX, &type)))
			return 0;
	return more == 0 ? type : 0;
}

static bool take_candidate(const WiceWireField *message, WiceDescription *description)
{
	if (message->type != WICE_WIRE_BYTES)
		return false;
	uint64_t type = candidate_type(message);
	if (type == 0)
		return false;
	if (type > WICE_CANDIDATE_RELAYED)
		return true;

	WiceCandidate candidate = { .type = (WiceCandidateType)type };
	WiceWireReader reader = { message->bytes, message->len };
	WiceWireField field;
	uint64_t seen = 0;
	while (wice__wire_next(&reader, &field) > 0) {
		if (field.number > FOUNDATION)
			continue;
		if (!wice__wire_once(&seen, &field) || !take_candidate_field(&field, &candidate))
			return false;
	}
	description->candidates[description->n_candidates++] = candidate;
	return true;
}

static bool take_relay_field(const WiceWireField *field, WiceRelayAddress *relay)
{
	switch (field->number) {
	case SERVER_ADDRESS:
		return take_address(field, &relay->server.address);
	case SERVER_PORT:
		return take_port(field, &relay->server.port);
	case RELAYED_ADDRESS:
		return take_address(field, &relay->relayed.address);
	case RELAYED_PORT:
		return take_port(field, &relay->relayed.port);
	case RTT_US:
		return take_uint32(field, &relay->rtt_us);
	default:
		return take_uint32(field, &relay->loss_permille);
	}
}

static bool take_relay(const WiceWireField *message, WiceDescription *description)
{
	if (message->type != WICE_WIRE_BYTES ||
	    description->n_relays == WICE_DESCRIPTION_MAX_RELAYS)
		return false;
	WiceWireReader reader = { message->bytes, message->len };
	WiceWireField field;
	WiceRelayAddress relay = { 0 };
	uint64_t seen = 0;
	int more;
	while ((more = wice__wire_next(&reader, &field)) > 0)
		if (field.number <= LOSS_PERMILLE &&
		    (!wice__wire_once(&seen, &field) || !take_relay_field(&field, &relay)))
			return false;
	description->relays[description->n_relays++] = relay;
	return more == 0;
}

static bool take_service_field(const WiceWireField *field, WiceRelayService *service)
{
	switch (field->number) {
	case SERVICE_ADDRESS:
		return take_address(field, &service->server.address);
	case SERVICE_PORT:
		return take_port(field, &service->server.port);
	case USERNAME:
		return take_text(field, service->username, sizeof service->username);
	default:
		return take_text(field, service->password, sizeof service->password);
	}
}

static bool take_service(const WiceWireField *message, WiceDescription *description)
{
	if (message->type != WICE_WIRE_BYTES ||
	    description->n_services == WICE_DESCRIPTION_MAX_SERVICES)
		return false;
	WiceWireReader reader = { message->bytes, message->len };
	WiceWireField field;
	WiceRelayService service = { 0 };
	uint64_t seen = 0;
	int more;
	while ((more = wice__wire_next(&reader, &field)) > 0)
		if (field.number <= PASSWORD &&
		    (!wice__wire_once(&seen, &field) || !take_service_field(&field, &service)))
			return false;
	description->services[description->n_services++] = service;
	return more == 0;
}

static bool take_description_field(const WiceWireField *field, WiceDescription *description)
{
	switch (field->number) {
	case UFRAG:
		return take_text(field, description->ufrag, sizeof description->ufrag);
	case PWD:
		return take_text(field, description->pwd, sizeof description->pwd);
	case REMOTE_UFRAG:
		return take_text(field, description->remote_ufrag,
				 sizeof description->remote_ufrag);
	case GATHERING_DONE:
		return take_flag(field, &description->gathering_done);
	case WANTS_REPLY:
		return take_flag(field, &description->wants_reply);
	case NO_PROXY:
		return take_flag(field, &description->no_proxy);
	case BOUND_ADDRESS:
		return take_address(field, &description->bound.address);
	case BOUND_PORT:
		return take_port(field, &description->bound.port);
	case BEGINS:
		return take_flag(field, &description->begins);
	case RELAYED:
		return take_flag(field, &description->relayed);
	case AVOIDS_DIRECT:
		return take_flag(field, &description->avoids_direct);
	default:
		return take_port(field, &description->listen_port);
	}
}

static bool take_description(const uint8_t *bytes, size_t len, WiceDescription *description)
{
	WiceWireReader reader = { bytes, len };
	WiceWireField field;
	uint64_t seen = 0;
	size_t candidates =
		0; /* of unknown types too: nothing that is counted is without a limit */
	int more;
	while ((more = wice__wire_next(&reader, &field)) > 0) {
		if (field.number > AVOIDS_DIRECT)
			continue;
		if (field.number == CANDIDATE) {
			if (++candidates > WICE_DESCRIPTION_MAX_CANDIDATES ||
			    !take_candidate(&field, description))
				return false;
		} else if (field.number == RELAY) {
			if (!take_relay(&field, description))
				return false;
		} else if (field.number == SERVICE) {
			if (!take_service(&field, description))
				return false;
		} else if (!wice__wire_once(&seen, &field) ||
			   !take_description_field(&field, description)) {
			return false;
		}
	}
	return more == 0 && wice__description_is_valid(description);
}

static bool take_echo(const WiceWireField *message, WiceEcho *echo)
{
	if (message->type != WICE_WIRE_BYTES)
		return false;
	WiceWireReader reader = { message->bytes, message->len };
	WiceWireField field;
	uint64_t seen = 0;
	int more;
	while ((more = wice__wire_next(&reader, &field)) > 0) {
		if (field.number > ECHO_CAPABILITIES)
			continue;
		bool ok = wice__wire_once(&seen, &field);
		if (field.number == ECHO_EPOCH)
			ok = ok && wice__wire_uint(&field, UINT64_MAX, &echo->epoch);
		else if (field.number == ECHO_COUNTER)
			ok = ok && wice__wire_uint(&field, UINT64_MAX, &echo->counter);
		else if (field.number == ECHO_VERSION)
			ok = ok && take_uint32(&field, &echo->version);
		else
			ok = ok && wice__wire_uint(&field, UINT64_MAX, &echo->capabilities);
		if (!ok)
			return false;
	}
	return more == 0;
}

static bool take_realtime(const WiceWireField *field, int64_t *ret)
{
	uint64_t value;
	if (!wice__wire_uint(field, UINT64_MAX, &value))
		return false;
	*ret = (int64_t)value;
	return true;
}

static bool take_header_field(const WiceWireField *field, WiceContents *contents)
{
	switch (field->number) {
	case VERSION:
		return take_uint32(field, &contents->version);
	case MINIMUM:
		return take_uint32(field, &contents->minimum);
	case SENDER:
		return wice__wire_copy(field, contents->sender.bytes, WICE_KEY_LEN);
	case RECIPIENT:
		return wice__wire_copy(field, contents->recipient.bytes, WICE_KEY_LEN);
	case EPOCH:
		return wice__wire_uint(field, UINT64_MAX, &contents->epoch);
	case COUNTER:
		return wice__wire_uint(field, UINT64_MAX, &contents->counter);
	case REALTIME:
		return take_realtime(field, &contents->realtime_ms);
	case CAPABILITIES:
		return wice__wire_uint(field, UINT64_MAX, &contents->capabilities);
	default:
		return take_echo(field, &contents->echo);
	}
}

#define KEY_FIELDS (1u << SENDER | 1u << RECIPIENT)

WiceContentsResult wice__contents_read(const uint8_t *bytes, size_t len, WiceContents *ret_contents)
{
	WiceContents contents = { 0 };
	WiceWireReader reader = { bytes, len };
	WiceWireField field, description = { 0 };
	uint64_t seen = 0;
	int more;
	while ((more = wice__wire_next(&reader, &field)) > 0) {
		if (field.number > DESCRIPTION)
			continue;
		if (!wice__wire_once(&seen, &field))
			return WICE_CONTENTS_MALFORMED;
		if (field.number == DESCRIPTION)
			description = field;
		else if (!take_header_field(&field, &contents))
			return WICE_CONTENTS_MALFORMED;
	}
	if (more < 0 || (seen & KEY_FIELDS) != KEY_FIELDS || !is_valid_header(&contents))
		return WICE_CONTENTS_MALFORMED;

	bool supported = contents.minimum <= WICE_SEALED_VERSION;
	if (supported &&
	    (description.type != WICE_WIRE_BYTES ||
	     !take_description(description.bytes, description.len, &contents.description)))
		return WICE_CONTENTS_MALFORMED;
	*ret_contents = contents;
	return supported ? WICE_CONTENTS_OK : WICE_CONTENTS_UNSUPPORTED;
}
