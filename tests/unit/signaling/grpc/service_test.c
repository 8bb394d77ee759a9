/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The service's messages, written by us and read by protobuf-c, and the other way round; and hostile ones. */
#include "signaling/service.h"

#include <glib.h>
#include <sodium.h>
#include <string.h>

#include "signaling.pb-c.h"
#include "signaling/grpc.h"
#include "signaling/grpc_url.h"
#include "suite.h"

static WiceKey key_of(uint8_t byte)
{
	WiceKey key;
	memset(key.bytes, byte, sizeof key.bytes);
	return key;
}

START_TEST(protobuf_reads_what_we_write)
{
	uint8_t bytes[WICE_SERVICE_MESSAGE_SIZE];
	WiceSubscribeParams subscribe = { .key = key_of(1), .can_prove = true };
	size_t len = wice__subscribe_params_write(&subscribe, bytes);
	Cunicu__Signaling__SubscribeParams *params =
		cunicu__signaling__subscribe_params__unpack(NULL, len, bytes);
	ck_assert_ptr_nonnull(params);
	ck_assert_uint_eq(params->key.len, WICE_KEY_LEN);
	ck_assert_mem_eq(params->key.data, subscribe.key.bytes, WICE_KEY_LEN);
	ck_assert(params->can_prove);
	cunicu__signaling__subscribe_params__free_unpacked(params, NULL);

	WiceProveParams prove = { .key = key_of(2), .token = { 3, 4 } };
	len = wice__prove_params_write(&prove, bytes);
	Cunicu__Signaling__ProveParams *proof =
		cunicu__signaling__prove_params__unpack(NULL, len, bytes);
	ck_assert_ptr_nonnull(proof);
	ck_assert_mem_eq(proof->key.data, prove.key.bytes, WICE_KEY_LEN);
	ck_assert_uint_eq(proof->token.len, WICE_TOKEN_LEN);
	ck_assert_mem_eq(proof->token.data, prove.token, WICE_TOKEN_LEN);
	cunicu__signaling__prove_params__free_unpacked(proof, NULL);

	len = wice__build_info_write(bytes);
	Cunicu__Signaling__BuildInfo *info =
		cunicu__signaling__build_info__unpack(NULL, len, bytes);
	ck_assert_ptr_nonnull(info);
	ck_assert_ptr_nonnull(strstr(info->version, "wice-"));
	ck_assert_str_eq(info->os, "linux");
	cunicu__signaling__build_info__free_unpacked(info, NULL);
}
END_TEST

START_TEST(we_read_what_protobuf_writes)
{
	uint8_t bytes[WICE_SERVICE_MESSAGE_SIZE], key[WICE_KEY_LEN] = { 7 }, token[32] = { 8 };
	Cunicu__Signaling__SubscribeParams params = CUNICU__SIGNALING__SUBSCRIBE_PARAMS__INIT;
	WiceSubscribeParams subscribe;
	params.key.data = key;
	params.key.len = sizeof key;
	size_t len = cunicu__signaling__subscribe_params__pack(&params, bytes);
	ck_assert(wice__subscribe_params_read(bytes, len, &subscribe));
	ck_assert_mem_eq(subscribe.key.bytes, key, sizeof key);
	ck_assert(!subscribe.can_prove);
	params.can_prove = 1;
	len = cunicu__signaling__subscribe_params__pack(&params, bytes);
	ck_assert(wice__subscribe_params_read(bytes, len, &subscribe));
	ck_assert(subscribe.can_prove);

	Cunicu__Signaling__ProveParams proof = CUNICU__SIGNALING__PROVE_PARAMS__INIT;
	WiceProveParams prove;
	proof.key = params.key;
	proof.token.data = token;
	proof.token.len = sizeof token;
	len = cunicu__signaling__prove_params__pack(&proof, bytes);
	ck_assert(wice__prove_params_read(bytes, len, &prove));
	ck_assert_mem_eq(prove.token, token, sizeof token);
}
END_TEST

START_TEST(a_challenge_opens_with_the_private_key_only)
{
	uint8_t bytes[WICE_SERVICE_MESSAGE_SIZE], token[WICE_TOKEN_LEN], opened[WICE_TOKEN_LEN];
	WiceKey private_key, public_key, other_private, other_public;
	const uint8_t *sealed;
	wice_key_generate_private(&private_key);
	wice_key_public(&private_key, &public_key);
	wice_key_generate_private(&other_private);
	wice_key_public(&other_private, &other_public);
	randombytes_buf(token, sizeof token);
	size_t len = wice__challenge_write(&public_key, token, bytes);
	ck_assert_uint_gt(len, 0);
	ck_assert(!wice__barrier_read(bytes, len));

	Cunicu__Signaling__Envelope *envelope =
		cunicu__signaling__envelope__unpack(NULL, len, bytes);
	ck_assert_ptr_nonnull(envelope);
	ck_assert_uint_eq(envelope->sender.len, 0);
	ck_assert_mem_eq(envelope->recipient.data, public_key.bytes, WICE_KEY_LEN);
	ck_assert_uint_eq(envelope->contents->body.len, WICE_SEALED_TOKEN_LEN);
	ck_assert_uint_eq(envelope->contents->nonce.len, 0);
	cunicu__signaling__envelope__free_unpacked(envelope, NULL);

	ck_assert(!wice__challenge_read(bytes, len, &other_public, &sealed));
	ck_assert(wice__challenge_read(bytes, len, &public_key, &sealed));
	ck_assert(!wice__challenge_open(sealed, &other_public, &other_private, opened));
	ck_assert(wice__challenge_open(sealed, &public_key, &private_key, opened));
	ck_assert_mem_eq(opened, token, sizeof token);

	WiceKey low_order = key_of(0);
	ck_assert_uint_eq(wice__challenge_write(&low_order, token, bytes), 0);
}
END_TEST

START_TEST(malformed_messages_are_refused)
{
	uint8_t good[WICE_SERVICE_MESSAGE_SIZE], bytes[WICE_SERVICE_MESSAGE_SIZE + 64];
	WiceSubscribeParams subscribe = { .key = key_of(1) };
	WiceProveParams prove = { .key = key_of(1), .token = { 9 } };
	size_t len = wice__subscribe_params_write(&subscribe, good);
	for (size_t n = 0; n < len; n++)
		ck_assert(!wice__subscribe_params_read(good, n, &subscribe));
	memcpy(bytes, good, len);
	memcpy(bytes + len, good, len); /* the key twice */
	ck_assert(!wice__subscribe_params_read(bytes, 2 * len, &subscribe));
	memcpy(bytes + len, "\xa0\x06\x02", 3); /* can_prove = 2 */
	ck_assert(!wice__subscribe_params_read(bytes, len + 3, &subscribe));
	memcpy(bytes + len, "\x12\x01x", 3); /* an unknown field */
	ck_assert(wice__subscribe_params_read(bytes, len + 3, &subscribe));
	ck_assert(!wice__subscribe_params_read((const uint8_t *)"\x0a\x1f", 2, &subscribe));

	len = wice__prove_params_write(&prove, good);
	for (size_t n = 0; n < len; n++)
		ck_assert(!wice__prove_params_read(good, n, &prove));
	ck_assert(wice__prove_params_read(good, len, &prove));
}
END_TEST

START_TEST(only_an_empty_envelope_is_the_barrier)
{
	ck_assert(wice__barrier_read(NULL, 0));
	ck_assert(wice__barrier_read((const uint8_t *)"\x0a\0\x12\0\x1a\0", 6));
	ck_assert(!wice__barrier_read((const uint8_t *)"\x0a\1x", 3));
	ck_assert(!wice__barrier_read((const uint8_t *)"\x0a", 1));
	ck_assert(!wice__barrier_read((const uint8_t *)"\x08\0", 2));
}
END_TEST

START_TEST(urls_are_parsed_strictly)
{
	static const struct {
		const char *url, *host, *ca;
		unsigned port;
		bool tls;
	} good[] = {
		{ "grpc://signal.example", "signal.example", NULL, 8080, false },
		{ "GRPC://signal.example:1", "signal.example", NULL, 1, false },
		{ "grpcs://192.0.2.1/", "192.0.2.1", NULL, 443, true },
		{ "grpcs://[2001:db8::1]:65535", "2001:db8::1", NULL, 65535, true },
		{ "grpcs://x?ca=/etc/my%20ca.pem", "x", "/etc/my ca.pem", 443, true },
	};
	static const struct {
		const char *url, *why;
	} bad[] = {
		{ "grpc:", "no host" },
		{ "grpc://", "no host" },
		{ "grpc://:80", "no host" },
		{ "grpc://x:0", "port" },
		{ "grpc://x:65536", "" },
		{ "grpc://x:http", "" },
		{ "grpc://2001:db8::1", "brackets" },
		{ "grpc://x/y", "parts" },
		{ "grpc://me@x", "parts" },
		{ "grpc://x#y", "parts" },
		{ "grpc://x y", "" },
		{ "grpc://x;y", "host" },
		{ "grpc://x?ca=/f", "grpcs" },
		{ "grpcs://x?ca=", "one file" },
		{ "grpcs://x?ca=a&ca=b", "one file" },
		{ "grpcs://x?insecure=true", "only option" },
		{ "http://x", "scheme" },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
		g_autoptr(GError) error = NULL;
		WiceGrpcUrl parsed;
		gboolean ok = wice__grpc_url_parse(good[i].url, &parsed, &error);
		ck_assert_msg(ok, "%s", ok ? "" : error->message);
		ck_assert_str_eq(parsed.host, good[i].host);
		ck_assert_uint_eq(parsed.port, good[i].port);
		ck_assert_int_eq(parsed.tls, good[i].tls);
		ck_assert_pstr_eq(parsed.ca_file, good[i].ca);
		wice__grpc_url_clear(&parsed);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;
		WiceGrpcUrl parsed;
		ck_assert_msg(!wice__grpc_url_parse(bad[i].url, &parsed, &error), "%s", bad[i].url);
		ck_assert_msg(strstr(error->message, bad[i].why) != NULL, "%s", error->message);
		ck_assert_ptr_nonnull(strstr(error->message, bad[i].url));
	}
}
END_TEST

START_TEST(the_wait_between_attempts_grows_to_its_limit)
{
	unsigned wait_ms = 0, last_ms;
	for (int i = 0; i < 20; i++) {
		last_ms = wait_ms;
		wait_ms = wice__grpc_backoff(wait_ms);
		ck_assert_uint_ge(wait_ms, last_ms);
		if (i == 0)
			ck_assert_uint_eq(wait_ms, 250);
		if (i == 1)
			ck_assert_uint_eq(wait_ms, 400);
	}
	ck_assert_uint_eq(wait_ms, 15000);
	ck_assert_uint_eq(wice__grpc_jitter(1000, 0), 800);
	ck_assert_uint_eq(wice__grpc_jitter(1000, 1u << 31), 1000);
	ck_assert_uint_eq(wice__grpc_jitter(1000, UINT32_MAX), 1199);
}
END_TEST

SUITE_MAIN("signaling service", protobuf_reads_what_we_write, we_read_what_protobuf_writes,
	   a_challenge_opens_with_the_private_key_only, malformed_messages_are_refused,
	   only_an_empty_envelope_is_the_barrier, urls_are_parsed_strictly,
	   the_wait_between_attempts_grows_to_its_limit)
