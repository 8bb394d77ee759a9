/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Long-term credentials (RFC 8489 section 9.2), and the answers, which depend on whether they were
 * right: strangers get the bare minimum, users a sealed message with everything.
 *
 * Time-limited names ("expiry:name", the password being the base64 form of the HMAC-SHA1 of that
 * under a shared secret) are what draft-uberti-behave-turn-rest describes. An expired one may still
 * keep up the allocation that it has, as in other servers: clients cannot change their name on the
 * way. Ours can, since it is the name behind the expiry that an allocation belongs to.
 */
#include <sodium.h>
#include <string.h>

#include "turn/server_state.h"

#define PASSWORD_SIZE (WICE_STUN_KEY_MAX + 1)

static const uint16_t algorithms[] = { WICE_STUN_ALGORITHM_SHA256, WICE_STUN_ALGORITHM_MD5 };
#define N_ALGORITHMS (sizeof algorithms / sizeof *algorithms)

/* What the sender says that he is. */
typedef struct {
	uint16_t algorithm;
	char name[WICE_TURN_USERNAME_SIZE]; /* as it came */
	const char *account;                /* in it: behind the expiry, if there is one */
	bool limited;
	bool expired;
} Claim;

static WiceSpan span_of(const char *text)
{
	return (WiceSpan){ text, strlen(text) };
}

/*
 * Section 9.2.4: both attributes or none, the list must be the one that we offered, so that nobody
 * on the way has made it shorter, and the choice one of it.
 */
static uint16_t read_algorithm(const WiceStunMessage *message, uint16_t *ret_algorithm)
{
	uint16_t offered[N_ALGORITHMS + 1], chosen;
	size_t n_offered, n_chosen;
	bool has_list = wice__stun_message_has(message, WICE_STUN_PASSWORD_ALGORITHMS);
	bool has_choice = wice__stun_message_has(message, WICE_STUN_PASSWORD_ALGORITHM);
	*ret_algorithm = WICE_STUN_ALGORITHM_MD5;
	if (!has_list && !has_choice)
		return 0;
	if (wice__stun_read_algorithms(message, WICE_STUN_PASSWORD_ALGORITHMS, offered,
				       N_ALGORITHMS + 1, &n_offered) != 0 ||
	    wice__stun_read_algorithms(message, WICE_STUN_PASSWORD_ALGORITHM, &chosen, 1,
				       &n_chosen) != 0 ||
	    n_offered != N_ALGORITHMS || memcmp(offered, algorithms, sizeof algorithms) != 0)
		return WICE_STUN_ERROR_BAD_REQUEST;
	for (size_t i = 0; i < N_ALGORITHMS; i++)
		if (chosen == algorithms[i]) {
			*ret_algorithm = chosen;
			return 0;
		}
	return WICE_STUN_ERROR_BAD_REQUEST;
}

/* "1700000000:name": false if it is no such name. */
static bool split_limited(Claim *claim, int64_t *ret_expiry)
{
	const char *at = claim->name;
	int64_t expiry = 0;
	for (; *at >= '0' && *at <= '9' && at - claim->name < 18; at++)
		expiry = expiry * 10 + (*at - '0');
	if (at == claim->name || (*at && *at != ':'))
		return false;
	claim->account = *at && at[1] ? at + 1 : claim->name;
	*ret_expiry = expiry;
	return true;
}

static uint16_t read_name(const WiceTurnServer *server, const WiceStunMessage *message,
			  Claim *claim)
{
	WiceSpan span;
	int r = wice__stun_read_bytes(message, WICE_STUN_USERNAME, &span);
	if (r == 0) {
		if (span.len >= sizeof claim->name || memchr(span.data, '\0', span.len))
			return WICE_STUN_ERROR_UNAUTHENTICATED;
		memcpy(claim->name, span.data, span.len);
		claim->name[span.len] = '\0';
		return 0;
	}
	if (wice__stun_read_bytes(message, WICE_STUN_USERHASH, &span) != 0 ||
	    !server->events->username)
		return WICE_STUN_ERROR_BAD_REQUEST;
	return server->events->username(span.data, claim->name, sizeof claim->name,
					server->user_data)
		       ? 0
		       : WICE_STUN_ERROR_UNAUTHENTICATED;
}

static uint16_t read_claim(const WiceTurnServer *server, const WiceTurnRequest *request,
			   Claim *claim)
{
	const WiceStunMessage *message = request->message;
	WiceSpan realm, nonce;
	int64_t expiry;
	if (wice__stun_read_bytes(message, WICE_STUN_REALM, &realm) != 0 ||
	    wice__stun_read_bytes(message, WICE_STUN_NONCE, &nonce) != 0 ||
	    (!wice__stun_message_has(message, WICE_STUN_USERNAME) &&
	     !wice__stun_message_has(message, WICE_STUN_USERHASH)))
		return WICE_STUN_ERROR_BAD_REQUEST;
	if (!wice__turn_nonce_check(&server->nonces, &request->tuple->client, request->now_ms,
				    nonce))
		return WICE_STUN_ERROR_STALE_NONCE;
	uint16_t code = read_algorithm(message, &claim->algorithm);
	if (code == 0)
		code = read_name(server, message, claim);
	if (code)
		return code;
	if (realm.len != strlen(server->options.realm) ||
	    memcmp(realm.data, server->options.realm, realm.len) != 0)
		return WICE_STUN_ERROR_UNAUTHENTICATED;
	claim->account = claim->name;
	claim->limited = server->options.secrets && server->events->unix_time &&
			 split_limited(claim, &expiry);
	claim->expired = claim->limited && expiry <= server->events->unix_time(server->user_data);
	return 0;
}

static bool check_password(const WiceTurnServer *server, WiceTurnRequest *request,
			   const Claim *claim, const char *password)
{
	const WiceStunMessage *message = request->message;
	if (wice__stun_key_long_term(&request->key, claim->algorithm, span_of(claim->name),
				     span_of(server->options.realm), span_of(password)) != 0)
		return false;
	request->sha256 = message->integrity_sha256 != 0;
	return request->sha256 ? wice__stun_check_integrity_sha256(message, &request->key) == 0
			       : wice__stun_check_integrity(message, &request->key) == 0;
}

static bool check_secrets(const WiceTurnServer *server, WiceTurnRequest *request,
			  const Claim *claim)
{
	const WiceSpan name = span_of(claim->name);
	bool right = false;
	for (const char *const *secret = server->options.secrets; *secret && !right; secret++) {
		uint8_t mac[WICE_SHA1_LEN];
		char password[sodium_base64_ENCODED_LEN(WICE_SHA1_LEN,
							sodium_base64_VARIANT_ORIGINAL)];
		wice__hmac_sha1(span_of(*secret), &name, 1, mac);
		sodium_bin2base64(password, sizeof password, mac, sizeof mac,
				  sodium_base64_VARIANT_ORIGINAL);
		right = check_password(server, request, claim, password);
		sodium_memzero(password, sizeof password);
	}
	return right;
}

static bool check_user(const WiceTurnServer *server, WiceTurnRequest *request, const Claim *claim)
{
	char password[PASSWORD_SIZE];
	bool right = server->events->password(claim->name, password, sizeof password,
					      server->user_data) &&
		     check_password(server, request, claim, password);
	sodium_memzero(password, sizeof password);
	return right;
}

uint16_t wice__turn_authenticate(WiceTurnServer *server, WiceTurnRequest *request)
{
	Claim claim;
	if (!request->message->integrity && !request->message->integrity_sha256)
		return WICE_STUN_ERROR_UNAUTHENTICATED;
	uint16_t code = read_claim(server, request, &claim);
	if (code)
		return code;
	if (!(claim.limited ? check_secrets(server, request, &claim)
			    : check_user(server, request, &claim)))
		return WICE_STUN_ERROR_UNAUTHENTICATED;
	bool owns =
		request->allocation && strcmp(request->allocation->user->name, claim.account) == 0;
	if (claim.expired && !owns)
		return WICE_STUN_ERROR_UNAUTHENTICATED;
	g_strlcpy(request->username, claim.account, sizeof request->username);
	request->authenticated = true;
	return 0;
}

WiceStunWriter *wice__turn_begin_answer(WiceTurnServer *server, WiceTurnRequest *request)
{
	wice__stun_writer_init_reply(&request->writer, server->answer, sizeof server->answer,
				     WICE_STUN_SUCCESS, request->message);
	return &request->writer;
}

void wice__turn_end_answer(WiceTurnServer *server, WiceTurnRequest *request,
			   WiceTurnVerdict *ret_verdict)
{
	WiceStunWriter *writer = &request->writer;
	size_t len;
	if (request->authenticated) {
		if (server->options.software)
			wice__stun_write_bytes(writer, WICE_STUN_SOFTWARE, server->options.software,
					       strlen(server->options.software));
		if (request->sha256)
			wice__stun_write_integrity_sha256(writer, &request->key);
		else
			wice__stun_write_integrity(writer, &request->key);
	}
	if (request->message->fingerprint)
		wice__stun_write_fingerprint(writer);
	if (wice__stun_writer_finish(writer, &len) != 0 ||
	    (!request->authenticated && len > WICE_TURN_MAX_ANSWER * request->message->len))
		return;
	ret_verdict->type = WICE_TURN_ANSWER;
	ret_verdict->answer = server->answer;
	ret_verdict->answer_len = len;
}

static void write_challenge(const WiceTurnServer *server, WiceTurnRequest *request)
{
	WiceStunWriter *writer = &request->writer;
	char nonce[WICE_TURN_NONCE_LEN];
	wice__turn_nonce_write(&server->nonces, &request->tuple->client, request->now_ms, nonce);
	wice__stun_write_bytes(writer, WICE_STUN_REALM, server->options.realm,
			       strlen(server->options.realm));
	wice__stun_write_bytes(writer, WICE_STUN_NONCE, nonce, sizeof nonce);
	wice__stun_write_algorithms(writer, WICE_STUN_PASSWORD_ALGORITHMS, algorithms,
				    N_ALGORITHMS);
}

void wice__turn_refuse(WiceTurnServer *server, WiceTurnRequest *request, uint16_t code,
		       WiceTurnVerdict *ret_verdict)
{
	WiceStunWriter *writer = &request->writer;
	wice__stun_writer_init_reply(writer, server->answer, sizeof server->answer, WICE_STUN_ERROR,
				     request->message);
	wice__stun_write_error(writer, code, request->authenticated ? NULL : "");
	switch (code) {
	case WICE_STUN_ERROR_UNAUTHENTICATED:
	case WICE_STUN_ERROR_STALE_NONCE:
		write_challenge(server, request);
		break;
	case WICE_STUN_ERROR_UNKNOWN_ATTRIBUTE:
		wice__stun_write_types(writer, request->unknown, request->n_unknown);
		break;
	case WICE_STUN_ERROR_TRY_ALTERNATE:
		wice__stun_write_address(writer, WICE_STUN_ALTERNATE_SERVER, &server->alternate);
		break;
	default:
		break;
	}
	wice__turn_end_answer(server, request, ret_verdict);
}
