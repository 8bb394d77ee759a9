/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "played_server.h"

#include <string.h>

#include "stun/attributes.h"
#include "stun/channel_data.h"
#include "stun/integrity.h"

#define CHANNEL_MS 600000
#define PERMISSION_MS 300000
#define NUMBER_REST_MS 300000 /* RFC 8656 section 12 */
#define DEFAULT_LIFETIME_S 600

static const char features[] = "AQgw"; /* 0, MD5, names, both; in base64, of the upper two bits */

static guint hash_endpoint(gconstpointer key)
{
	const WiceEndpoint *endpoint = key;
	guint hash = endpoint->port;
	for (size_t i = 0; i < sizeof endpoint->address.bytes; i++)
		hash = hash * 33 + endpoint->address.bytes[i];
	return hash;
}

static gboolean are_equal(gconstpointer a, gconstpointer b)
{
	return wice_endpoint_compare(a, b) == 0;
}

void played_server_init(PlayedServer *server)
{
	*server = (PlayedServer){ .username = "user", .password = "password" };
	server->ipv4 = true;
	server->lifetime_s = DEFAULT_LIFETIME_S;
	server->nonce_tail = "";
	server->channels = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	server->peers = g_hash_table_new(hash_endpoint, are_equal);
}

void played_server_done(PlayedServer *server)
{
	g_hash_table_unref(server->peers);
	g_hash_table_unref(server->channels);
}

static void drop_allocation(PlayedServer *server)
{
	server->allocated = false;
	g_hash_table_remove_all(server->peers);
	g_hash_table_remove_all(server->channels);
}

void played_server_forget(PlayedServer *server)
{
	drop_allocation(server);
	server->nonce++;
}

bool played_server_relays(const PlayedServer *server, uint16_t number, int64_t now_ms)
{
	const PlayedChannel *channel =
		g_hash_table_lookup(server->channels, GUINT_TO_POINTER(number));
	return server->allocated && now_ms < server->expires_at && channel &&
	       now_ms < channel->permitted_until && now_ms < channel->bound_until;
}

WiceEndpoint played_peer(WiceFamily family, unsigned n)
{
	WiceEndpoint peer = { .address = { .family = (uint8_t)family }, .port = 51820 };
	bool ipv4 = family == WICE_FAMILY_IPV4;
	peer.address.bytes[0] = ipv4 ? 10 : 0xfd;
	wice__stun_put_u16(peer.address.bytes + (ipv4 ? 2 : 14), (uint16_t)n);
	return peer;
}

typedef struct {
	PlayedServer *server;
	const WiceStunMessage *request;
	int64_t now;
	unsigned tuple;
	WiceStunKey key;
	bool sealed; /* the answer is to be */
	WiceStunWriter writer;
	uint8_t *bytes;
} Turn;

static void begin(Turn *turn, WiceStunClass class)
{
	wice__stun_writer_init_reply(&turn->writer, turn->bytes, PLAYED_ANSWER_SIZE, class,
				     turn->request);
	if (turn->server->unknown[turn->request->method])
		wice__stun_write_u32(&turn->writer, turn->server->unknown[turn->request->method],
				     0);
}

static void refuse(Turn *turn, uint16_t code)
{
	WiceEndpoint alternate = played_peer(WICE_FAMILY_IPV4, 99);
	begin(turn, WICE_STUN_ERROR);
	wice__stun_write_error(&turn->writer, code, NULL);
	if (code == WICE_STUN_ERROR_TRY_ALTERNATE && turn->server->has_alternate)
		wice__stun_write_address(&turn->writer, WICE_STUN_ALTERNATE_SERVER, &alternate);
}

static void make_nonce(const PlayedServer *server, char ret_nonce[1024])
{
	bool cookie = server->n_algorithms || server->hides_names;
	const char bits[] = { features[(server->n_algorithms ? 2 : 0) + server->hides_names], 0 };
	g_snprintf(ret_nonce, 1024, "%s%s%s%u%s", cookie ? "obMatJos2" : "", cookie ? bits : "",
		   cookie ? "AAA" : "", server->nonce, server->nonce_tail);
}

static void challenge(Turn *turn, uint16_t code)
{
	const PlayedServer *server = turn->server;
	char nonce[1024];
	turn->sealed = false;
	refuse(turn, code);
	make_nonce(server, nonce);
	wice__stun_write_bytes(&turn->writer, WICE_STUN_REALM, PLAYED_REALM, strlen(PLAYED_REALM));
	wice__stun_write_bytes(&turn->writer, WICE_STUN_NONCE, nonce, strlen(nonce));
	wice__stun_write_bytes(&turn->writer, WICE_STUN_SOFTWARE, "played\x01", 7);
	if (server->n_algorithms && !server->takes_list_away)
		wice__stun_write_algorithms(&turn->writer, WICE_STUN_PASSWORD_ALGORITHMS,
					    server->algorithms, server->n_algorithms);
}

static WiceSpan span_of(const char *text)
{
	return (WiceSpan){ text, strlen(text) };
}

static bool is_same(const WiceStunMessage *message, uint16_t type, const void *data, size_t len)
{
	WiceSpan value;
	return wice__stun_read_bytes(message, type, &value) == 0 && value.len == len &&
	       memcmp(value.data, data, len) == 0;
}

static bool knows_name(const Turn *turn)
{
	const PlayedServer *server = turn->server;
	uint8_t hash[WICE_SHA256_LEN];
	if (!server->hides_names)
		return is_same(turn->request, WICE_STUN_USERNAME, server->username,
			       strlen(server->username));
	PLAYED_MUST(wice__stun_userhash(span_of(server->username), span_of(PLAYED_REALM), hash) ==
		    0);
	return is_same(turn->request, WICE_STUN_USERHASH, hash, sizeof hash);
}

/* RFC 8489 section 9.2.4: the list comes back as it was given, and one of it was chosen; or 0. */
static uint16_t read_algorithm(const Turn *turn)
{
	const PlayedServer *server = turn->server;
	uint16_t list[8], chosen;
	size_t n;
	if (!server->n_algorithms)
		return wice__stun_message_has(turn->request, WICE_STUN_PASSWORD_ALGORITHM)
			       ? 0
			       : WICE_STUN_ALGORITHM_MD5;
	if (wice__stun_read_algorithms(turn->request, WICE_STUN_PASSWORD_ALGORITHMS, list,
				       G_N_ELEMENTS(list), &n) != 0 ||
	    n != server->n_algorithms || memcmp(list, server->algorithms, n * sizeof *list) != 0)
		return 0;
	if (wice__stun_read_algorithms(turn->request, WICE_STUN_PASSWORD_ALGORITHM, &chosen, 1,
				       &n) != 0)
		return 0;
	for (size_t i = 0; i < server->n_algorithms; i++)
		if (server->algorithms[i] == chosen)
			return chosen;
	return 0;
}

/* False: the answer is written. */
static bool authenticate(Turn *turn)
{
	const PlayedServer *server = turn->server;
	const WiceStunMessage *request = turn->request;
	char nonce[1024];
	if (server->open)
		return true;
	if (!request->integrity && !request->integrity_sha256) {
		challenge(turn, WICE_STUN_ERROR_UNAUTHENTICATED);
		return false;
	}
	make_nonce(server, nonce);
	if (!is_same(request, WICE_STUN_NONCE, nonce, strlen(nonce))) {
		challenge(turn, WICE_STUN_ERROR_STALE_NONCE);
		return false;
	}
	uint16_t algorithm = read_algorithm(turn);
	if (wice__stun_key_long_term(&turn->key, algorithm, span_of(server->username),
				     span_of(PLAYED_REALM), span_of(server->password)) != 0) {
		refuse(turn, WICE_STUN_ERROR_BAD_REQUEST);
		return false;
	}
	bool right = request->integrity_sha256
			     ? wice__stun_check_integrity_sha256(request, &turn->key) == 0
			     : wice__stun_check_integrity(request, &turn->key) == 0;
	if (!knows_name(turn) || !right) {
		challenge(turn, WICE_STUN_ERROR_UNAUTHENTICATED);
		return false;
	}
	turn->sealed = true;
	return true;
}

static bool has_allocation(const Turn *turn)
{
	const PlayedServer *server = turn->server;
	return server->allocated && turn->now < server->expires_at && turn->tuple == server->tuple;
}

static bool is_owner(const Turn *turn)
{
	return turn->server->open || strcmp(turn->server->owner, turn->server->username) == 0;
}

static void write_ticket(Turn *turn)
{
	char text[32];
	g_snprintf(text, sizeof text, "ticket %u", ++turn->server->ticket);
	wice__stun_write_bytes(&turn->writer, WICE_STUN_MOBILITY_TICKET, text, strlen(text));
}

static void give_allocation(Turn *turn)
{
	const PlayedServer *server = turn->server;
	WiceEndpoint relayed[] = { played_peer(WICE_FAMILY_IPV4, 1),
				   played_peer(WICE_FAMILY_IPV6, 1) };
	WiceEndpoint mapped = played_peer(WICE_FAMILY_IPV4, 1000 + turn->tuple);
	begin(turn, WICE_STUN_SUCCESS);
	if (server->has_ipv4 && !server->no_relayed)
		wice__stun_write_address(&turn->writer, WICE_STUN_XOR_RELAYED_ADDRESS, &relayed[0]);
	if (server->has_ipv6 && !server->no_relayed)
		wice__stun_write_address(&turn->writer, WICE_STUN_XOR_RELAYED_ADDRESS, &relayed[1]);
	wice__stun_write_address(&turn->writer, WICE_STUN_XOR_MAPPED_ADDRESS, &mapped);
	wice__stun_write_u32(&turn->writer, WICE_STUN_LIFETIME, server->lifetime_s);
	if (server->mobility && wice__stun_message_has(turn->request, WICE_STUN_MOBILITY_TICKET))
		write_ticket(turn);
}

static uint16_t choose_families(Turn *turn)
{
	PlayedServer *server = turn->server;
	uint8_t family = WICE_STUN_FAMILY_IPV4;
	bool said =
		wice__stun_read_u8(turn->request, WICE_STUN_REQUESTED_ADDRESS_FAMILY, &family) == 0;
	bool more = wice__stun_message_has(turn->request, WICE_STUN_ADDITIONAL_ADDRESS_FAMILY);
	PLAYED_MUST(!said || !more);
	if (more && server->additional_error)
		return server->additional_error;
	more = more && !server->ignores_additional;
	server->has_ipv4 = family == WICE_STUN_FAMILY_IPV4 && server->ipv4;
	server->has_ipv6 = (family == WICE_STUN_FAMILY_IPV6 || more) && server->ipv6;
	if (family == WICE_STUN_FAMILY_IPV4 ? server->has_ipv4 : server->has_ipv6)
		return 0;
	return WICE_STUN_ERROR_FAMILY_NOT_SUPPORTED;
}

static void on_allocate(Turn *turn)
{
	PlayedServer *server = turn->server;
	const uint8_t *transaction = wice__stun_message_transaction(turn->request);
	bool again = memcmp(transaction, server->transaction, WICE_STUN_TRANSACTION_LEN) == 0;
	uint8_t transport;
	PLAYED_MUST(wice__stun_read_u8(turn->request, WICE_STUN_REQUESTED_TRANSPORT, &transport) ==
			    0 &&
		    transport == WICE_STUN_TRANSPORT_UDP);
	if (has_allocation(turn) && !again) {
		refuse(turn, WICE_STUN_ERROR_ALLOCATION_MISMATCH);
		return;
	}
	bool moves = wice__stun_message_has(turn->request, WICE_STUN_MOBILITY_TICKET);
	uint16_t code =
		moves && server->mobility_error ? server->mobility_error : choose_families(turn);
	if (code) {
		refuse(turn, code);
		return;
	}
	if (!has_allocation(turn)) {
		drop_allocation(server);
		server->allocations++;
	}
	server->allocated = true;
	server->expires_at = turn->now + (int64_t)server->lifetime_s * 1000;
	server->tuple = turn->tuple;
	g_strlcpy(server->owner, server->username, sizeof server->owner);
	memcpy(server->transaction, transaction, sizeof server->transaction);
	give_allocation(turn);
}

static bool takes_ticket(Turn *turn)
{
	char text[32];
	g_snprintf(text, sizeof text, "ticket %u", turn->server->ticket);
	if (!turn->server->mobility || !turn->server->allocated ||
	    !is_same(turn->request, WICE_STUN_MOBILITY_TICKET, text, strlen(text)))
		return false;
	turn->server->tuple = turn->tuple;
	return true;
}

static void on_refresh(Turn *turn)
{
	PlayedServer *server = turn->server;
	uint32_t lifetime = server->lifetime_s;
	bool moves = takes_ticket(turn);
	(void)wice__stun_read_u32(turn->request, WICE_STUN_LIFETIME, &lifetime);
	if (!has_allocation(turn)) {
		refuse(turn, WICE_STUN_ERROR_ALLOCATION_MISMATCH);
		return;
	}
	if (!is_owner(turn)) {
		refuse(turn, WICE_STUN_ERROR_WRONG_CREDENTIALS);
		return;
	}
	begin(turn, WICE_STUN_SUCCESS);
	wice__stun_write_u32(&turn->writer, WICE_STUN_LIFETIME, lifetime);
	if (moves)
		write_ticket(turn);
	server->expires_at = turn->now + (int64_t)lifetime * 1000;
	if (lifetime == 0)
		drop_allocation(server);
}

static void keep_channel(Turn *turn, uint16_t number, const WiceEndpoint *peer)
{
	PlayedServer *server = turn->server;
	PlayedChannel *channel = g_hash_table_lookup(server->channels, GUINT_TO_POINTER(number));
	if (channel && wice_endpoint_compare(&channel->peer, peer) != 0) {
		PLAYED_MUST(turn->now >= channel->bound_until + NUMBER_REST_MS);
		g_hash_table_remove(server->peers, &channel->peer);
		g_hash_table_remove(server->channels, GUINT_TO_POINTER(number));
		channel = NULL;
	}
	if (!channel) {
		channel = g_new0(PlayedChannel, 1);
		channel->number = number;
		channel->peer = *peer;
		channel->permitted_until = turn->now;
		g_hash_table_insert(server->channels, GUINT_TO_POINTER(number), channel);
		g_hash_table_insert(server->peers, &channel->peer, channel);
	}
	server->n_lapsed += channel->permitted_until < turn->now;
	channel->permitted_until = turn->now + PERMISSION_MS;
	channel->bound_until = turn->now + CHANNEL_MS;
}

static uint16_t judge_bind(const Turn *turn, uint16_t number, const WiceEndpoint *peer)
{
	const PlayedServer *server = turn->server;
	const PlayedChannel *other = g_hash_table_lookup(server->peers, peer);
	bool ipv4 = peer->address.family == WICE_FAMILY_IPV4;
	PLAYED_MUST(number >= WICE_CHANNEL_MIN && number <= WICE_CHANNEL_MAX);
	if (!has_allocation(turn))
		return WICE_STUN_ERROR_ALLOCATION_MISMATCH;
	if (!is_owner(turn))
		return WICE_STUN_ERROR_WRONG_CREDENTIALS;
	if (!(ipv4 ? server->has_ipv4 : server->has_ipv6))
		return WICE_STUN_ERROR_FAMILY_MISMATCH;
	if (peer->port == server->refused_port)
		return WICE_STUN_ERROR_FORBIDDEN;
	if (other && other->number != number && turn->now < other->bound_until)
		return WICE_STUN_ERROR_BAD_REQUEST;
	return 0;
}

static void on_channel_bind(Turn *turn)
{
	uint16_t number;
	WiceEndpoint peer;
	PLAYED_MUST(wice__stun_read_u16(turn->request, WICE_STUN_CHANNEL_NUMBER, &number) == 0);
	PLAYED_MUST(wice__stun_read_address(turn->request, WICE_STUN_XOR_PEER_ADDRESS, &peer) == 0);
	uint16_t code = judge_bind(turn, number, &peer);
	if (code) {
		refuse(turn, code);
		return;
	}
	keep_channel(turn, number, &peer);
	begin(turn, WICE_STUN_SUCCESS);
}

static size_t finish(Turn *turn)
{
	const PlayedServer *server = turn->server;
	bool success = wice__stun_type_class(wice__stun_get_u16(turn->bytes)) == WICE_STUN_SUCCESS;
	size_t len;
	if (server->forges)
		turn->key.bytes[0] ^= 1;
	if (turn->sealed && !(server->bare_success && success)) {
		if (server->n_algorithms)
			wice__stun_write_integrity_sha256(&turn->writer, &turn->key);
		else
			wice__stun_write_integrity(&turn->writer, &turn->key);
	}
	wice__stun_write_fingerprint(&turn->writer);
	PLAYED_MUST(wice__stun_writer_finish(&turn->writer, &len) == 0);
	return len;
}

size_t played_server_answer(PlayedServer *server, unsigned tuple, const uint8_t *packet, size_t len,
			    int64_t now_ms, uint8_t ret_answer[PLAYED_ANSWER_SIZE])
{
	WiceStunMessage request;
	Turn turn = { server, &request, now_ms, tuple, .bytes = ret_answer };
	PLAYED_MUST(wice__stun_message_read(&request, packet, len) == 0);
	PLAYED_MUST(request.has_cookie && request.message_class == WICE_STUN_REQUEST);
	PLAYED_MUST(wice__stun_check_fingerprint(&request) == 0 && request.n_unknown == 0);
	PLAYED_MUST(request.method < PLAYED_METHODS);
	server->n_requests[request.method]++;
	uint16_t error = server->error[request.method];
	if (server->silent)
		return 0;
	if (!authenticate(&turn))
		return finish(&turn);
	if (error) {
		refuse(&turn, error);
		if (server->n_errors[request.method] && !--server->n_errors[request.method])
			server->error[request.method] = 0;
	} else if (request.method == WICE_STUN_ALLOCATE) {
		on_allocate(&turn);
	} else if (request.method == WICE_STUN_REFRESH) {
		on_refresh(&turn);
	} else {
		PLAYED_MUST(request.method == WICE_STUN_CHANNEL_BIND);
		on_channel_bind(&turn);
	}
	return finish(&turn);
}
