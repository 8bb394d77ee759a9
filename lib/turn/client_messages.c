/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* What the client's messages consist of. */
#include <errno.h>
#include <string.h>

#include "stun/attributes.h"
#include "stun/integrity.h"
#include "turn/client_private.h"

/* RFC 8489 section 9.2: a nonce that begins so has 24 bits of features behind it, in base64. */
#define COOKIE "obMatJos2"
#define COOKIE_LEN 9
#define FEATURES_LEN 4
#define FEATURE_ALGORITHMS 0x800000u
#define FEATURE_HIDDEN_NAMES 0x400000u

static WiceSpan span_of(const char *text)
{
	return (WiceSpan){ text, strlen(text) };
}

static void write_families(const WiceTurnClient *client, WiceStunWriter *writer)
{
	switch (client->ask) {
	case WICE_TURN_ASK_BOTH:
		wice__stun_write_u8(writer, WICE_STUN_ADDITIONAL_ADDRESS_FAMILY,
				    WICE_STUN_FAMILY_IPV6);
		break;
	case WICE_TURN_ASK_IPV6:
		wice__stun_write_u8(writer, WICE_STUN_REQUESTED_ADDRESS_FAMILY,
				    WICE_STUN_FAMILY_IPV6);
		break;
	case WICE_TURN_ASK_IPV4:
		break;
	}
}

static void write_allocate(const WiceTurnClient *client, WiceStunWriter *writer)
{
	wice__stun_write_u8(writer, WICE_STUN_REQUESTED_TRANSPORT, WICE_STUN_TRANSPORT_UDP);
	write_families(client, writer);
	if (client->mobility)
		wice__stun_write_bytes(writer, WICE_STUN_MOBILITY_TICKET, "", 0);
}

/* A ticket is only shown to move: RFC 8016 section 3.2. */
static void write_refresh(const WiceTurnClient *client, const WiceTurnRequest *request,
			  WiceStunWriter *writer)
{
	if (request->release)
		wice__stun_write_u32(writer, WICE_STUN_LIFETIME, 0);
	else if (request->moves)
		wice__stun_write_bytes(writer, WICE_STUN_MOBILITY_TICKET, client->ticket,
				       client->ticket_len);
}

static void write_name(const WiceTurnClient *client, WiceStunWriter *writer)
{
	uint8_t hash[WICE_SHA256_LEN];
	if (client->hides_names &&
	    wice__stun_userhash(span_of(client->username), span_of(client->realm), hash) == 0)
		wice__stun_write_bytes(writer, WICE_STUN_USERHASH, hash, sizeof hash);
	else
		wice__stun_write_bytes(writer, WICE_STUN_USERNAME, client->username,
				       strlen(client->username));
}

static void write_credentials(const WiceTurnClient *client, WiceStunWriter *writer)
{
	write_name(client, writer);
	wice__stun_write_bytes(writer, WICE_STUN_REALM, client->realm, strlen(client->realm));
	wice__stun_write_bytes(writer, WICE_STUN_NONCE, client->nonce, strlen(client->nonce));
	if (client->n_algorithms) {
		wice__stun_write_algorithms(writer, WICE_STUN_PASSWORD_ALGORITHMS,
					    client->algorithms, client->n_algorithms);
		wice__stun_write_algorithms(writer, WICE_STUN_PASSWORD_ALGORITHM,
					    &client->algorithm, 1);
	}
	/* Who offers algorithms knows the newer digest, too (RFC 8489 section 9.2.3.2). */
	if (client->n_algorithms)
		wice__stun_write_integrity_sha256(writer, &client->key);
	else
		wice__stun_write_integrity(writer, &client->key);
}

size_t wice__turn_client_write(const WiceTurnClient *client, const WiceTurnRequest *request,
			       const WiceTurnChannel *channel,
			       uint8_t ret_packet[WICE_TURN_MAX_PACKET])
{
	WiceStunWriter writer;
	size_t len;
	wice__stun_writer_init(&writer, ret_packet, WICE_TURN_MAX_PACKET, WICE_STUN_REQUEST,
			       (uint16_t)request->method, request->transaction);
	if (request->method == WICE_STUN_ALLOCATE)
		write_allocate(client, &writer);
	else if (request->method == WICE_STUN_REFRESH)
		write_refresh(client, request, &writer);
	if (channel) {
		wice__stun_write_u16(&writer, WICE_STUN_CHANNEL_NUMBER, channel->number);
		wice__stun_write_address(&writer, WICE_STUN_XOR_PEER_ADDRESS, &channel->peer);
	}
	if (request->authenticated)
		write_credentials(client, &writer);
	wice__stun_write_fingerprint(&writer);
	return wice__stun_writer_finish(&writer, &len) == 0 ? len : 0;
}

/* False if there is none, or it is empty, too long or has a NUL in it. */
static bool read_text(const WiceStunMessage *message, uint16_t type, char *ret_text, size_t size)
{
	WiceSpan text;
	if (wice__stun_read_bytes(message, type, &text) != 0 || text.len == 0 || text.len >= size ||
	    memchr(text.data, 0, text.len))
		return false;
	memcpy(ret_text, text.data, text.len);
	ret_text[text.len] = 0;
	return true;
}

static uint32_t features_of(const char *nonce)
{
	uint32_t features = 0;
	if (strncmp(nonce, COOKIE, COOKIE_LEN) != 0 || strlen(nonce) < COOKIE_LEN + FEATURES_LEN)
		return 0;
	for (size_t i = COOKIE_LEN; i < COOKIE_LEN + FEATURES_LEN; i++) {
		int digit = g_ascii_isupper(nonce[i])   ? nonce[i] - 'A'
			    : g_ascii_islower(nonce[i]) ? nonce[i] - 'a' + 26
			    : g_ascii_isdigit(nonce[i]) ? nonce[i] - '0' + 52
			    : nonce[i] == '+'           ? 62
			    : nonce[i] == '/'           ? 63
							: -1;
		if (digit < 0)
			return 0;
		features = features << 6 | (uint32_t)digit;
	}
	return features;
}

/* RFC 8489 section 9.2.5: a bit without its list means that somebody on the way took the list. */
static int choose_algorithm(WiceTurnClient *client, const WiceStunMessage *message)
{
	bool promised = features_of(client->nonce) & FEATURE_ALGORITHMS;
	client->n_algorithms = 0;
	client->algorithm = WICE_STUN_ALGORITHM_MD5;
	if (!promised)
		return 0;
	if (wice__stun_read_algorithms(message, WICE_STUN_PASSWORD_ALGORITHMS, client->algorithms,
				       WICE_TURN_ALGORITHMS_MAX, &client->n_algorithms) != 0)
		return -EBADMSG;
	client->algorithm = 0;
	for (size_t i = 0; i < client->n_algorithms; i++)
		if (client->algorithms[i] == WICE_STUN_ALGORITHM_SHA256 ||
		    (client->algorithms[i] == WICE_STUN_ALGORITHM_MD5 && !client->algorithm))
			client->algorithm = client->algorithms[i];
	return client->algorithm ? 0 : -EBADMSG;
}

int wice__turn_client_take_challenge(WiceTurnClient *client, const WiceStunMessage *message)
{
	char realm[sizeof client->realm];
	if (!read_text(message, WICE_STUN_NONCE, client->nonce, sizeof client->nonce))
		return -EBADMSG;
	/* A stale nonce may come without a realm, which is the same then. */
	if (read_text(message, WICE_STUN_REALM, realm, sizeof realm))
		memcpy(client->realm, realm, sizeof realm);
	else if (!client->realm[0])
		return -EBADMSG;
	int err = choose_algorithm(client, message);
	if (err)
		return err;
	client->hides_names = features_of(client->nonce) & FEATURE_HIDDEN_NAMES;
	err = wice__stun_key_long_term(&client->key, client->algorithm, span_of(client->username),
				       span_of(client->realm), span_of(client->password));
	client->has_nonce = err == 0;
	return err;
}

int wice__turn_client_verify(const WiceTurnClient *client, const WiceTurnRequest *request,
			     const WiceStunMessage *message)
{
	if (message->fingerprint && wice__stun_check_fingerprint(message) != 0)
		return -EBADMSG;
	if (!request->authenticated)
		return 0;
	if (message->integrity_sha256)
		return wice__stun_check_integrity_sha256(message, &client->key);
	if (message->integrity)
		return wice__stun_check_integrity(message, &client->key);
	/* Challenges cannot have any, and servers in use leave it out of other errors. */
	return message->message_class == WICE_STUN_ERROR ? 0 : -EACCES;
}

static bool is_usable(const WiceEndpoint *endpoint)
{
	static const uint8_t nothing[16];
	bool ipv4 = endpoint->address.family == WICE_FAMILY_IPV4;
	uint8_t multicast = ipv4 ? 224 : 255;
	return endpoint->port && endpoint->address.bytes[0] < multicast &&
	       memcmp(endpoint->address.bytes, nothing, ipv4 ? 4 : 16) != 0;
}

static bool take_relayed(WiceTurnClient *client, const WiceStunMessage *message)
{
	WiceStunAttribute attribute;
	WiceEndpoint relayed;
	size_t cursor = 0;
	bool found = false;
	while (wice__stun_message_next(message, &cursor, &attribute)) {
		if (attribute.type != WICE_STUN_XOR_RELAYED_ADDRESS ||
		    wice__stun_decode_address(message, &attribute, &relayed) != 0 ||
		    !is_usable(&relayed))
			continue;
		client->relayed[relayed.address.family == WICE_FAMILY_IPV6] = relayed;
		found = true;
	}
	return found;
}

int wice__turn_client_take_allocation(WiceTurnClient *client, const WiceStunMessage *message,
				      uint32_t *ret_lifetime_s)
{
	WiceSpan ticket;
	uint32_t lifetime;
	if (message->method == WICE_STUN_ALLOCATE && !take_relayed(client, message))
		return -EBADMSG;
	if (wice__stun_read_u32(message, WICE_STUN_LIFETIME, &lifetime) != 0)
		lifetime = 600; /* RFC 8656 section 3.2 */
	if (wice__stun_read_bytes(message, WICE_STUN_MOBILITY_TICKET, &ticket) == 0 &&
	    ticket.len <= sizeof client->ticket) {
		memcpy(client->ticket, ticket.data, ticket.len);
		client->ticket_len = ticket.len;
	}
	*ret_lifetime_s = lifetime;
	return 0;
}

void wice__turn_client_take_software(WiceTurnClient *client, const WiceStunMessage *message)
{
	WiceSpan text;
	if (wice__stun_read_bytes(message, WICE_STUN_SOFTWARE, &text) != 0)
		return;
	const char *bytes = text.data;
	size_t len = MIN(text.len, sizeof client->software - 1);
	for (size_t i = 0; i < len; i++)
		client->software[i] = g_ascii_isprint(bytes[i]) ? bytes[i] : '?';
	client->software[len] = 0;
}
