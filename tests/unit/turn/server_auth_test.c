/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <glib.h>
#include <string.h>

#include "crypto/mac.h"
#include "server_lab.h"

static Lab lab;
static LabClient client;

static void start(void)
{
	lab_start(&lab);
	client = lab_client("192.0.2.1:1000", 0);
}

/* What is answered to a message without credentials. */
static uint16_t plain(uint16_t method, bool transport, bool fingerprint)
{
	WiceStunWriter *writer = lab_begin(&client, method);
	if (transport)
		wice__stun_write_u8(writer, WICE_STUN_REQUESTED_TRANSPORT, 17);
	if (fingerprint)
		wice__stun_write_fingerprint(writer);
	lab_finish_plain(&client);
	return lab_deliver(&lab, &client);
}

START_TEST(strangers_get_no_more_than_the_bound)
{
	static const uint16_t methods[] = { WICE_STUN_ALLOCATE, WICE_STUN_REFRESH,
					    WICE_STUN_CREATE_PERMISSION, WICE_STUN_CHANNEL_BIND };
	for (size_t len = 1; len < WICE_TURN_REALM_SIZE; len++) {
		lab_init(&lab);
		lab.options.software = "libwice";
		memset(lab.options.realm, 'r', len);
		lab.options.realm[len] = '\0';
		start();
		for (size_t i = 0; i < G_N_ELEMENTS(methods); i++)
			for (int fingerprint = 0; fingerprint < 2; fingerprint++) {
				/* lab_deliver() checks the bound of each answer. */
				ck_assert_uint_eq(plain(methods[i], true, fingerprint), 401);
				uint16_t code = plain(methods[i], false, fingerprint);
				ck_assert(code == 401 || code == LAB_NO_ANSWER);
				ck_assert(!wice__stun_message_has(&client.answer,
								  WICE_STUN_SOFTWARE));
			}
		lab_done(&lab);
	}
}
END_TEST

START_TEST(usual_answers_stay_well_below_it)
{
	static const char *const addresses[] = { "192.0.2.1:1000", "[2001:db8::1]:1000" };
	lab_init(&lab);
	memset(lab.options.realm, 'r', 16);
	lab.options.realm[16] = '\0';
	start();
	ck_assert_uint_eq(plain(WICE_STUN_ALLOCATE, true, false), 401);
	ck_assert_uint_eq(client.request_len, 28);
	ck_assert_uint_eq(client.answer.len, 96);
	for (size_t i = 0; i < G_N_ELEMENTS(addresses); i++)
		for (uint16_t n = 0; n < 2 * WICE_STUN_MAX_UNKNOWN; n++) {
			client = lab_client(addresses[i], 0);
			WiceStunWriter *writer = lab_begin(&client, WICE_STUN_BINDING);
			for (uint16_t type = 0; type < n; type++)
				wice__stun_writer_add(writer, (uint16_t)(0x7000 + type), 0);
			lab_finish_plain(&client);
			ck_assert_uint_eq(lab_deliver(&lab, &client), n ? 420 : 0);
			ck_assert_uint_le(10 * client.answer.len, 24 * client.request_len);
		}
	lab_done(&lab);
}
END_TEST

START_TEST(garbage_gets_nothing)
{
	static const struct {
		size_t len;
		uint8_t bytes[32];
	} cases[] = {
		{ 0, { 0 } },
		{ 1, { 0 } },
		{ 19, { 0, 3, 0, 0, 0x21, 0x12, 0xa4, 0x42 } },
		{ 20, { 0, 3, 0, 4, 0x21, 0x12, 0xa4, 0x42 } },    /* a wrong length */
		{ 20, { 0, 3, 0, 0, 0x21, 0x12, 0xa4, 0x43 } },    /* no cookie */
		{ 20, { 0, 0x13, 0, 0, 0x21, 0x12, 0xa4, 0x42 } }, /* an indication */
		{ 20, { 1, 3, 0, 0, 0x21, 0x12, 0xa4, 0x42 } },    /* an answer */
		{ 20, { 1, 0x13, 0, 0, 0x21, 0x12, 0xa4, 0x42 } }, /* an error */
		{ 20, { 0, 0x0a, 0, 0, 0x21, 0x12, 0xa4, 0x42 } }, /* Connect (RFC 6062) */
		{ 20, { 0, 0x06, 0, 0, 0x21, 0x12, 0xa4, 0x42 } }, /* Send as a request */
		{ 28, { 0, 3, 0, 8, 0x21, 0x12, 0xa4, 0x42, 0, 0, 0, 0, 0, 0,
			0, 0, 0, 0, 0,    0,    0x80, 0x28, 0, 4, 1, 2, 3, 4 } }, /* FINGERPRINT */
		{ 8, { 0x40, 0, 0, 4, 1, 2, 3, 4 } },                             /* ChannelData */
		{ 32, { 4, 0, 0, 0 } },                                           /* WireGuard */
		{ 20, { 0x80, 1, 2, 3 } },
	};
	lab_init(&lab);
	start();
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		memcpy(client.request, cases[i].bytes, sizeof cases[i].bytes);
		client.request_len = cases[i].len;
		ck_assert_uint_eq(lab_deliver(&lab, &client), LAB_NO_ANSWER);
	}
	client.tuple.client.port = 0;
	ck_assert_uint_eq(plain(WICE_STUN_ALLOCATE, true, false), LAB_NO_ANSWER);
	ck_assert_uint_eq(plain(WICE_STUN_BINDING, false, false), LAB_NO_ANSWER);
	lab_done(&lab);
}
END_TEST

START_TEST(binding_is_for_everybody)
{
	static const char *const addresses[] = { "192.0.2.1:1000", "[2001:db8::1]:1000" };
	for (int stun_only = 0; stun_only < 2; stun_only++) {
		lab_init(&lab);
		lab.options.stun_only = stun_only;
		start();
		for (size_t i = 0; i < G_N_ELEMENTS(addresses); i++) {
			char text[WICE_ENDPOINT_SIZE];
			client = lab_client(addresses[i], 0);
			ck_assert_uint_eq(plain(WICE_STUN_BINDING, false, i), 0);
			WiceEndpoint mapped =
				lab_answered_address(&client, WICE_STUN_XOR_MAPPED_ADDRESS);
			ck_assert_str_eq(wice_endpoint_format(&mapped, text), addresses[i]);
		}
		ck_assert_uint_eq(plain(WICE_STUN_ALLOCATE, true, false),
				  stun_only ? LAB_NO_ANSWER : 401);
		lab_done(&lab);
	}
}
END_TEST

START_TEST(each_algorithm_and_seal_is_accepted)
{
	static const uint16_t algorithms[] = { 0, WICE_STUN_ALGORITHM_MD5,
					       WICE_STUN_ALGORITHM_SHA256 };
	for (size_t i = 0; i < G_N_ELEMENTS(algorithms); i++)
		for (int sha256 = 0; sha256 < 2; sha256++) {
			lab_init(&lab);
			lab.options.software = "libwice";
			start();
			client.algorithm = algorithms[i];
			client.sha256 = sha256;
			ck_assert_uint_eq(lab_allocate(&lab, &client, 0), 0);
			ck_assert(sha256 ? client.answer.integrity_sha256 &&
						   !client.answer.integrity
					 : client.answer.integrity &&
						   !client.answer.integrity_sha256);
			ck_assert(wice__stun_message_has(&client.answer, WICE_STUN_SOFTWARE));
			lab_done(&lab);
		}
}
END_TEST

static bool name_of(const uint8_t hash[WICE_SHA256_LEN], char *ret_username, size_t size,
		    void *user_data)
{
	uint8_t expected[WICE_SHA256_LEN];
	(void)user_data;
	ck_assert_int_eq(wice__stun_userhash((WiceSpan){ "user", 4 },
					     (WiceSpan){ LAB_REALM, strlen(LAB_REALM) }, expected),
			 0);
	g_strlcpy(ret_username, "user", size);
	return memcmp(hash, expected, sizeof expected) == 0;
}

START_TEST(names_may_be_hidden_where_that_is_offered)
{
	lab_init(&lab);
	start();
	lab_challenge(&lab, &client);
	ck_assert_int_eq(memcmp(client.nonce, "obMatJos2gAAA", 13), 0);
	client.hidden = true;
	client.algorithm = WICE_STUN_ALGORITHM_SHA256;
	ck_assert_uint_eq(lab_allocate(&lab, &client, 0), 400);
	lab_done(&lab);

	lab_init(&lab);
	lab.events.username = name_of;
	start();
	lab_challenge(&lab, &client);
	ck_assert_int_eq(memcmp(client.nonce, "obMatJos2wAAA", 13), 0);
	client.hidden = true;
	client.algorithm = WICE_STUN_ALGORITHM_SHA256;
	ck_assert_uint_eq(lab_allocate(&lab, &client, 0), 0);
	ck_assert_str_eq(wice__turn_allocation_username(client.allocation), "user");
	client.username = "user2";
	ck_assert_uint_eq(lab_refresh(&lab, &client, 600), 401);
	lab_done(&lab);
}
END_TEST

START_TEST(who_is_wrong_stays_out)
{
	static const struct {
		const char *username, *password, *realm;
		uint16_t code;
	} cases[] = {
		{ "user", "pass", LAB_REALM, 0 },
		{ "user", "Pass", LAB_REALM, 401 },
		{ "user", "p", LAB_REALM, 401 },
		{ "nobody", "pass", LAB_REALM, 401 },
		{ "user", "pass", "other.example", 401 },
		{ "user\n", "pass", LAB_REALM, LAB_NO_ANSWER }, /* cannot even be sealed */
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		lab_init(&lab);
		start();
		lab_challenge(&lab, &client);
		client.username = cases[i].username;
		client.password = cases[i].password;
		g_strlcpy(client.realm, cases[i].realm, sizeof client.realm);
		if (cases[i].code != LAB_NO_ANSWER)
			ck_assert_uint_eq(lab_allocate(&lab, &client, 0), cases[i].code);
		ck_assert_uint_eq(wice__turn_server_n_allocations(lab.server), cases[i].code == 0);
		lab_done(&lab);
	}
}
END_TEST

/* A request that lacks, or has, what the table says. */
START_TEST(credentials_must_be_complete)
{
	enum { USERNAME = 1, REALM = 2, NONCE = 4, SEAL = 8, ALL = 15 };
	for (unsigned has = 0; has <= ALL; has++) {
		WiceStunKey key;
		lab_init(&lab);
		start();
		lab_challenge(&lab, &client);
		WiceStunWriter *writer = lab_begin(&client, WICE_STUN_ALLOCATE);
		wice__stun_write_u8(writer, WICE_STUN_REQUESTED_TRANSPORT, 17);
		if (has & USERNAME)
			wice__stun_write_bytes(writer, WICE_STUN_USERNAME, "user", 4);
		if (has & REALM)
			wice__stun_write_bytes(writer, WICE_STUN_REALM, client.realm,
					       strlen(client.realm));
		if (has & NONCE)
			wice__stun_write_bytes(writer, WICE_STUN_NONCE, client.nonce,
					       client.nonce_len);
		ck_assert_int_eq(wice__stun_key_long_term(
					 &key, WICE_STUN_ALGORITHM_MD5, (WiceSpan){ "user", 4 },
					 (WiceSpan){ LAB_REALM, strlen(LAB_REALM) },
					 (WiceSpan){ "pass", 4 }),
				 0);
		if (has & SEAL)
			wice__stun_write_integrity(writer, &key);
		lab_finish_plain(&client);
		ck_assert_uint_eq(lab_deliver(&lab, &client), has == ALL   ? 0
							      : has & SEAL ? 400
									   : 401);
		lab_done(&lab);
	}
}
END_TEST

/* RFC 8489 section 9.2.4: what the client says about algorithms must be what we said. */
START_TEST(algorithms_cannot_be_talked_down)
{
	static const struct {
		size_t n_offered;
		uint16_t offered[3];
		size_t n_chosen;
		uint16_t chosen;
		uint16_t code;
	} cases[] = {
		{ 2, { 2, 1 }, 1, 2, 401 }, /* passes: the seal is what is wrong */
		{ 2, { 2, 1 }, 1, 1, 401 }, { 2, { 2, 1 }, 0, 0, 400 },
		{ 0, { 0 }, 1, 1, 400 },    { 1, { 1 }, 1, 1, 400 },
		{ 2, { 1, 2 }, 1, 1, 400 }, { 3, { 2, 1, 3 }, 1, 1, 400 },
		{ 2, { 2, 1 }, 1, 3, 400 },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		WiceStunKey wrong = { .len = 16 };
		lab_init(&lab);
		start();
		lab_challenge(&lab, &client);
		WiceStunWriter *writer = lab_begin(&client, WICE_STUN_ALLOCATE);
		wice__stun_write_u8(writer, WICE_STUN_REQUESTED_TRANSPORT, 17);
		wice__stun_write_bytes(writer, WICE_STUN_USERNAME, "user", 4);
		wice__stun_write_bytes(writer, WICE_STUN_REALM, client.realm, strlen(client.realm));
		wice__stun_write_bytes(writer, WICE_STUN_NONCE, client.nonce, client.nonce_len);
		if (cases[i].n_offered)
			wice__stun_write_algorithms(writer, WICE_STUN_PASSWORD_ALGORITHMS,
						    cases[i].offered, cases[i].n_offered);
		if (cases[i].n_chosen)
			wice__stun_write_algorithms(writer, WICE_STUN_PASSWORD_ALGORITHM,
						    &cases[i].chosen, 1);
		wice__stun_write_integrity(writer, &wrong);
		lab_finish_plain(&client);
		ck_assert_uint_eq(lab_deliver(&lab, &client), cases[i].code);
		lab_done(&lab);
	}
}
END_TEST

START_TEST(a_stale_nonce_is_replaced)
{
	WiceSpan nonce;
	lab_init(&lab);
	start();
	ck_assert_uint_eq(lab_allocate(&lab, &client, 0), 0);
	lab_wait(&lab, 500);
	ck_assert_uint_eq(lab_refresh(&lab, &client, 3600), 0);
	lab_wait(&lab, 500);
	ck_assert_uint_eq(lab_refresh(&lab, &client, 3600), 438);
	ck_assert_int_eq(wice__stun_read_bytes(&client.answer, WICE_STUN_NONCE, &nonce), 0);
	memcpy(client.nonce, nonce.data, nonce.len);
	ck_assert_uint_eq(lab_refresh(&lab, &client, 3600), 0);
	lab_done(&lab);
}
END_TEST

START_TEST(a_nonce_is_of_no_use_elsewhere)
{
	lab_init(&lab);
	start();
	lab_challenge(&lab, &client);
	client.tuple.client = lab_endpoint("192.0.2.1:1001");
	ck_assert_uint_eq(lab_allocate(&lab, &client, 0), 438);
	ck_assert_uint_eq(wice__turn_server_n_allocations(lab.server), 0);
	lab_done(&lab);
}
END_TEST

static void set_rest_password(const char *secret, const char *username, char ret_password[64])
{
	uint8_t mac[WICE_SHA1_LEN];
	const WiceSpan name = { username, strlen(username) };
	wice__hmac_sha1((WiceSpan){ secret, strlen(secret) }, &name, 1, mac);
	g_autofree char *text = g_base64_encode(mac, sizeof mac);
	g_strlcpy(ret_password, text, 64);
}

START_TEST(time_limited_names_are_good_until_they_expire)
{
	static const char *const secrets[] = { "north", "south", NULL };
	static const struct {
		const char *username, *secret, *account;
		uint16_t code;
	} cases[] = {
		{ "1700000100:alice", "north", "alice", 0 },
		{ "1700000100:alice", "south", "alice", 0 },
		{ "1700000100:alice", "west", NULL, 401 },
		{ "1700000100", "north", "1700000100", 0 },
		{ "1700000100:", "north", "1700000100:", 0 },
		{ "1700000100:user", "north", "user", 0 },
		{ "1699999999:alice", "north", NULL, 401 },
		{ "1700000001:alice", "north", NULL, 401 }, /* now: the lab begins at 1 s */
		{ "0:alice", "north", NULL, 401 },
		{ ":alice", "north", NULL, 401 },
		{ "99999999999999999999:alice", "north", NULL, 401 },
		{ "alice", "north", NULL, 401 },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		char password[64];
		lab_init(&lab);
		lab.options.secrets = secrets;
		start();
		set_rest_password(cases[i].secret, cases[i].username, password);
		client.username = cases[i].username;
		client.password = password;
		ck_assert_uint_eq(lab_allocate(&lab, &client, 0), cases[i].code);
		if (cases[i].code == 0)
			ck_assert_str_eq(wice__turn_allocation_username(client.allocation),
					 cases[i].account);
		/* Names without an expiry are looked up as ever. */
		client = lab_client("192.0.2.1:2000", 0);
		ck_assert_uint_eq(lab_allocate(&lab, &client, 0), 0);
		lab_done(&lab);
	}
}
END_TEST

START_TEST(an_allocation_survives_the_name_that_made_it)
{
	static const char *const secrets[] = { "north", NULL };
	char password[64], newer[64];
	lab_init(&lab);
	lab.options.secrets = secrets;
	start();
	set_rest_password("north", "1700000100:alice", password);
	client.username = "1700000100:alice";
	client.password = password;
	ck_assert_uint_eq(lab_allocate(&lab, &client, 0), 0);
	lab_wait(&lab, 200);
	ck_assert_uint_eq(lab_refresh(&lab, &client, 600), 0);
	/* Not a new one: */
	LabClient other = client;
	other.tuple.client = lab_endpoint("192.0.2.1:1001");
	other.nonce_len = 0;
	ck_assert_uint_eq(lab_allocate(&lab, &other, 0), 401);
	/* A newer name of the same user carries on, one of another does not. */
	set_rest_password("north", "1700000900:alice", newer);
	client.username = "1700000900:alice";
	client.password = newer;
	ck_assert_uint_eq(lab_refresh(&lab, &client, 600), 0);
	set_rest_password("north", "1700000900:bob", newer);
	client.username = "1700000900:bob";
	ck_assert_uint_eq(lab_refresh(&lab, &client, 600), 441);
	lab_done(&lab);
}
END_TEST

SUITE_MAIN("turn server auth", strangers_get_no_more_than_the_bound,
	   usual_answers_stay_well_below_it, garbage_gets_nothing, binding_is_for_everybody,
	   each_algorithm_and_seal_is_accepted, names_may_be_hidden_where_that_is_offered,
	   who_is_wrong_stays_out, credentials_must_be_complete, algorithms_cannot_be_talked_down,
	   a_stale_nonce_is_replaced, a_nonce_is_of_no_use_elsewhere,
	   time_limited_names_are_good_until_they_expire,
	   an_allocation_survives_the_name_that_made_it)
