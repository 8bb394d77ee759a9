/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "signaling/description.h"
#include "suite.h"
#include "tests/unit/signaling/sealed.pb-c.h"
#include "unit/signaling/sample.h"

#include <string.h>

static WiceContents contents_sample(void)
{
	WiceContents contents;
	memset(&contents, 0, sizeof contents);
	contents.version = 1;
	contents.minimum = 1;
	memset(contents.sender.bytes, 0x11, WICE_KEY_LEN);
	memset(contents.recipient.bytes, 0x22, WICE_KEY_LEN);
	contents.epoch = 1790000000000;
	contents.counter = 5;
	contents.realtime_ms = 1790000000123;
	contents.capabilities = WICE_CAPABILITIES_ALL | UINT64_C(1) << 63;
	contents.echo = (WiceEcho){ 1780000000000, 9, 1, 3 };
	contents.description = description_sample();
	return contents;
}

static bool contents_equal(const WiceContents *a, const WiceContents *b)
{
	return a->version == b->version && a->minimum == b->minimum &&
	       wice_key_compare(&a->sender, &b->sender) == 0 &&
	       wice_key_compare(&a->recipient, &b->recipient) == 0 && a->epoch == b->epoch &&
	       a->counter == b->counter && a->realtime_ms == b->realtime_ms &&
	       a->capabilities == b->capabilities && a->echo.epoch == b->echo.epoch &&
	       a->echo.counter == b->echo.counter && a->echo.version == b->echo.version &&
	       a->echo.capabilities == b->echo.capabilities &&
	       description_equal(&a->description, &b->description);
}

static size_t write_or_die(const WiceContents *contents, uint8_t bytes[WICE_CONTENTS_MAX])
{
	size_t len = wice__contents_write(contents, bytes, WICE_CONTENTS_MAX);
	ck_assert_uint_gt(len, 0);
	return len;
}

static WiceContentsResult read_exact(const uint8_t *bytes, size_t len)
{
	WiceContents contents;
	uint8_t *copy = g_memdup2(bytes, len);
	WiceContentsResult result = wice__contents_read(copy, len, &contents);
	g_free(copy);
	return result;
}

START_TEST(everything_survives_the_wire)
{
	WiceContents cases[4];
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		cases[i] = contents_sample();
	cases[1].description = description_largest();
	cases[1].realtime_ms = -1;
	cases[1].epoch = WICE_EPOCH_LIMIT - 1;
	cases[1].counter = UINT64_MAX;
	cases[1].echo = (WiceEcho){ WICE_EPOCH_LIMIT - 2, UINT64_MAX, UINT32_MAX, UINT64_MAX };
	cases[2].echo = (WiceEcho){ 0 };
	cases[2].description.remote_ufrag[0] = 0;
	cases[2].description.n_candidates = 0;
	cases[2].description.wants_reply = false;
	cases[2].description.listen_port = 0;
	cases[2].capabilities = 0;
	cases[3].version = 7;

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		uint8_t bytes[WICE_CONTENTS_MAX];
		WiceContents again;
		size_t len = write_or_die(&cases[i], bytes);
		ck_assert_int_eq(wice__contents_read(bytes, len, &again), WICE_CONTENTS_OK);
		ck_assert_msg(contents_equal(&cases[i], &again), "case %zu", i);
	}
}
END_TEST

START_TEST(every_truncation_is_refused)
{
	WiceContents contents = contents_sample();
	uint8_t bytes[WICE_CONTENTS_MAX];
	size_t len = write_or_die(&contents, bytes);
	for (size_t n = 0; n < len; n++)
		ck_assert_msg(read_exact(bytes, n) == WICE_CONTENTS_MALFORMED, "%zu bytes", n);
}
END_TEST

START_TEST(small_buffers_are_not_written_past)
{
	WiceContents contents = contents_sample();
	uint8_t bytes[WICE_CONTENTS_MAX];
	size_t full = write_or_die(&contents, bytes);
	for (size_t size = 0; size < full; size++) {
		uint8_t *small = g_malloc(size + 1);
		small[size] = 0x5a;
		ck_assert_uint_eq(wice__contents_write(&contents, small, size), 0);
		ck_assert_uint_eq(small[size], 0x5a);
		g_free(small);
	}
}
END_TEST

START_TEST(addresses_that_must_not_be_probed_are_refused)
{
	static const char *const bad[] = {
		"0.0.0.0:1",
		"0.1.2.3:1",
		"127.0.0.1:1",
		"127.255.0.3:1",
		"224.0.0.1:1",
		"239.255.87.67:1",
		"240.0.0.1:1",
		"255.255.255.255:1",
		"[::]:1",
		"[::1]:1",
		"[::ffff:127.0.0.1]:1",
		"[::ffff:192.0.2.1]:1",
		"[::192.0.2.1]:1",
		"[ff02::1]:1",
		"[ff0e::1]:1",
	};
	static const char *const good[] = {
		"1.0.0.1:1",    "10.0.0.1:65535",        "192.168.1.1:9",   "169.254.1.1:1",
		"100.64.0.1:1", "223.255.255.1:1",       "[2001:db8::1]:1", "[fd00::1]:1",
		"[fe80::1]:1",  "[64:ff9b::c000:201]:1",
	};
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		WiceCandidate candidate = candidate_of(WICE_CANDIDATE_HOST, bad[i]);
		ck_assert_msg(!wice__candidate_is_valid(&candidate), "%s", bad[i]);
		candidate = candidate_of(WICE_CANDIDATE_SERVER_REFLEXIVE, "192.0.2.1:1");
		candidate.related = endpoint_of(bad[i]);
		ck_assert_msg(!wice__candidate_is_valid(&candidate), "related %s", bad[i]);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
		WiceCandidate candidate = candidate_of(WICE_CANDIDATE_HOST, good[i]);
		ck_assert_msg(wice__candidate_is_valid(&candidate), "%s", good[i]);
	}
}
END_TEST

/* Each case damages a valid description in one place. */
typedef void (*Damage)(WiceDescription *description);

static void ufrag_short(WiceDescription *d)
{
	strcpy(d->ufrag, "abc");
}
static void ufrag_unterminated(WiceDescription *d)
{
	memset(d->ufrag, 'x', sizeof d->ufrag);
}
static void ufrag_colon(WiceDescription *d)
{
	strcpy(d->ufrag, "ab:cd");
}
static void ufrag_space(WiceDescription *d)
{
	strcpy(d->ufrag, "ab cd");
}
static void ufrag_foreign(WiceDescription *d)
{
	strcpy(d->ufrag, "abc\xc3\xa4");
}
static void pwd_short(WiceDescription *d)
{
	strcpy(d->pwd, "abcdefghijklmnopqrstu");
}
static void pwd_equals(WiceDescription *d)
{
	d->pwd[3] = '=';
}
static void remote_short(WiceDescription *d)
{
	strcpy(d->remote_ufrag, "abc");
}
static void remote_newline(WiceDescription *d)
{
	strcpy(d->remote_ufrag, "abcd\n");
}
static void too_many(WiceDescription *d)
{
	d->n_candidates = WICE_DESCRIPTION_MAX_CANDIDATES + 1;
}
static void type_none(WiceDescription *d)
{
	d->candidates[1].type = 0;
}
static void type_unknown(WiceDescription *d)
{
	d->candidates[1].type = 5;
}
static void port_none(WiceDescription *d)
{
	d->candidates[1].endpoint.port = 0;
}
static void address_none(WiceDescription *d)
{
	d->candidates[1].endpoint.address.family = WICE_FAMILY_NONE;
}
static void address_strange(WiceDescription *d)
{
	d->candidates[1].endpoint.address.family = 5;
}
static void priority_none(WiceDescription *d)
{
	d->candidates[1].priority = 0;
}
static void priority_large(WiceDescription *d)
{
	d->candidates[1].priority = UINT32_C(1) << 31;
}
static void foundation_none(WiceDescription *d)
{
	d->candidates[1].foundation[0] = 0;
}
static void foundation_dot(WiceDescription *d)
{
	d->candidates[1].foundation[1] = '.';
}
static void relays_too_many(WiceDescription *d)
{
	d->n_relays = WICE_DESCRIPTION_MAX_RELAYS + 1;
}
static void relay_on_loopback(WiceDescription *d)
{
	d->relays[1].relayed = endpoint_of("127.0.0.1:49152");
}
static void relay_without_server(WiceDescription *d)
{
	d->relays[0].server.port = 0;
}
static void relay_loses_too_much(WiceDescription *d)
{
	d->relays[0].loss_permille = 1001;
}
static void service_without_password(WiceDescription *d)
{
	d->services[0].password[0] = 0;
}
static void service_with_a_space(WiceDescription *d)
{
	strcpy(d->services[0].username, "a b");
}
static void service_on_loopback(WiceDescription *d)
{
	d->services[0].server = endpoint_of("[::1]:1");
}
static void bound_to_many(WiceDescription *d)
{
	d->bound = endpoint_of("224.0.0.1:1");
}
static void related_port_only(WiceDescription *d)
{
	d->candidates[0].related.port = 7;
}

static const Damage damages[] = {
	ufrag_short,
	ufrag_unterminated,
	ufrag_colon,
	ufrag_space,
	ufrag_foreign,
	pwd_short,
	pwd_equals,
	remote_short,
	remote_newline,
	too_many,
	type_none,
	type_unknown,
	port_none,
	address_none,
	address_strange,
	priority_none,
	priority_large,
	foundation_none,
	foundation_dot,
	related_port_only,
	relays_too_many,
	relay_on_loopback,
	relay_without_server,
	relay_loses_too_much,
	bound_to_many,
	service_without_password,
	service_with_a_space,
	service_on_loopback,
};

START_TEST(invalid_descriptions_are_not_written)
{
	for (size_t i = 0; i < G_N_ELEMENTS(damages); i++) {
		WiceContents contents = contents_sample();
		uint8_t bytes[WICE_CONTENTS_MAX];
		damages[i](&contents.description);
		ck_assert_msg(wice__contents_write(&contents, bytes, sizeof bytes) == 0,
			      "damage %zu", i);
	}
}
END_TEST

START_TEST(invalid_headers_are_not_written)
{
	WiceContents cases[10];
	uint8_t bytes[WICE_CONTENTS_MAX];
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		cases[i] = contents_sample();
	cases[0].version = 0;
	cases[1].minimum = 0;
	cases[2].minimum = 2;
	cases[3].epoch = 0;
	cases[4].epoch = WICE_EPOCH_LIMIT;
	cases[5].counter = 0;
	cases[6].echo.epoch = WICE_EPOCH_LIMIT - 1;
	cases[7].echo.counter = 0;
	cases[8].echo.epoch = 0;
	cases[9].echo.epoch = UINT64_MAX;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		ck_assert_msg(wice__contents_write(&cases[i], bytes, sizeof bytes) == 0, "case %zu",
			      i);
}
END_TEST

/* The message as protobuf-c sees it: an independent reader of sealed.proto. */
static Wice__Sealed__Contents *unpack(const WiceContents *contents)
{
	uint8_t bytes[WICE_CONTENTS_MAX];
	size_t len = write_or_die(contents, bytes);
	Wice__Sealed__Contents *foreign = wice__sealed__contents__unpack(NULL, len, bytes);
	ck_assert_ptr_nonnull(foreign);
	return foreign;
}

static WiceContentsResult read_packed(const Wice__Sealed__Contents *foreign, WiceContents *ret)
{
	size_t len = wice__sealed__contents__get_packed_size(foreign);
	uint8_t *bytes = g_malloc(len);
	wice__sealed__contents__pack(foreign, bytes);
	WiceContentsResult result = wice__contents_read(bytes, len, ret);
	g_free(bytes);
	return result;
}

START_TEST(another_protobuf_implementation_agrees)
{
	WiceContents contents = contents_sample(), again;
	Wice__Sealed__Contents *foreign = unpack(&contents);
	ck_assert_uint_eq(foreign->version, 1);
	ck_assert_uint_eq(foreign->minimum, 1);
	ck_assert_mem_eq(foreign->sender.data, contents.sender.bytes, WICE_KEY_LEN);
	ck_assert_mem_eq(foreign->recipient.data, contents.recipient.bytes, WICE_KEY_LEN);
	ck_assert_uint_eq(foreign->epoch, contents.epoch);
	ck_assert_uint_eq(foreign->counter, 5);
	ck_assert_int_eq(foreign->realtime_ms, contents.realtime_ms);
	ck_assert_uint_eq(foreign->capabilities, contents.capabilities);
	ck_assert_uint_eq(foreign->echo->epoch, contents.echo.epoch);
	ck_assert_uint_eq(foreign->echo->capabilities, 3);
	const Wice__Sealed__Description *description = foreign->description;
	ck_assert_str_eq(description->ufrag, "wIcE");
	ck_assert_str_eq(description->pwd, "abcdefghijklmnopqrstuv");
	ck_assert_str_eq(description->remote_ufrag, "P33r");
	ck_assert(description->wants_reply && !description->gathering_done);
	ck_assert_uint_eq(description->listen_port, 51820);
	ck_assert(description->no_proxy);
	ck_assert_uint_eq(description->n_candidates, 3);
	const Wice__Sealed__Candidate *reflexive = description->candidates[2];
	ck_assert_int_eq(reflexive->type, WICE__SEALED__CANDIDATE__TYPE__SERVER_REFLEXIVE);
	ck_assert_uint_eq(reflexive->priority, 2130706431);
	ck_assert_uint_eq(reflexive->address.len, 4);
	ck_assert_uint_eq(reflexive->port, 1024);
	ck_assert_uint_eq(reflexive->related_port, 51820);
	ck_assert_str_eq(reflexive->foundation, "a1+/");

	ck_assert_int_eq(read_packed(foreign, &again), WICE_CONTENTS_OK);
	ck_assert(contents_equal(&contents, &again));
	wice__sealed__contents__free_unpacked(foreign, NULL);
}
END_TEST

START_TEST(values_out_of_range_are_refused_when_read)
{
	WiceContents contents = contents_sample(), again;
	Wice__Sealed__Contents *foreign = unpack(&contents);
	Wice__Sealed__Description *description = foreign->description;
	Wice__Sealed__Candidate *candidate = description->candidates[0];
#define REFUSED(place, value)                                                          \
	do {                                                                           \
		__typeof__(place) good = place;                                        \
		place = value;                                                         \
		ck_assert_msg(read_packed(foreign, &again) == WICE_CONTENTS_MALFORMED, \
			      #place " = " #value);                                    \
		place = good;                                                          \
	} while (0)
	REFUSED(foreign->version, 0);
	REFUSED(foreign->minimum, 0);
	REFUSED(foreign->minimum, 2);
	REFUSED(foreign->sender.len, 31);
	REFUSED(foreign->recipient.len, 0);
	REFUSED(foreign->epoch, 0);
	REFUSED(foreign->epoch, UINT64_MAX);
	REFUSED(foreign->counter, 0);
	REFUSED(foreign->echo->epoch, 0);
	REFUSED(foreign->echo->epoch, UINT64_MAX);
	REFUSED(foreign->description, NULL);
	REFUSED(description->ufrag, (char *)"");
	REFUSED(description->ufrag, (char *)"abc");
	REFUSED(description->ufrag, (char *)"123456789012345678901234567890123");
	REFUSED(description->pwd, (char *)"tooshort");
	REFUSED(description->remote_ufrag, (char *)"a b c");
	REFUSED(description->listen_port, 65536);
	REFUSED(candidate->type, WICE__SEALED__CANDIDATE__TYPE__UNSPECIFIED);
	REFUSED(candidate->priority, 0);
	REFUSED(candidate->priority, UINT32_MAX);
	REFUSED(candidate->address.len, 3);
	REFUSED(candidate->address.len, 0);
	REFUSED(candidate->address.data[0], 127);
	REFUSED(candidate->port, 0);
	REFUSED(candidate->port, 65536);
	REFUSED(candidate->related_port, 1);
	REFUSED(candidate->foundation, (char *)"");
	REFUSED(candidate->foundation, (char *)"1234567890123456789012345678901234");
#undef REFUSED
	ck_assert_int_eq(read_packed(foreign, &again), WICE_CONTENTS_OK);
	wice__sealed__contents__free_unpacked(foreign, NULL);
}
END_TEST

START_TEST(candidates_of_unknown_types_are_skipped_but_counted)
{
	WiceContents contents = contents_sample(), again;
	Wice__Sealed__Contents *foreign = unpack(&contents);
	Wice__Sealed__Description *description = foreign->description;
	description->candidates[1]->type = (Wice__Sealed__Candidate__Type)77;
	description->candidates[1]->port = 0;
	ck_assert_int_eq(read_packed(foreign, &again), WICE_CONTENTS_OK);
	ck_assert_uint_eq(again.description.n_candidates, 2);
	ck_assert(candidate_equal(&again.description.candidates[1],
				  &contents.description.candidates[2]));

	Wice__Sealed__Candidate **own = description->candidates;
	Wice__Sealed__Candidate *many[WICE_DESCRIPTION_MAX_CANDIDATES + 1];
	for (size_t i = 0; i < G_N_ELEMENTS(many); i++)
		many[i] = own[1];
	description->candidates = many;
	description->n_candidates = WICE_DESCRIPTION_MAX_CANDIDATES;
	ck_assert_int_eq(read_packed(foreign, &again), WICE_CONTENTS_OK);
	description->n_candidates++;
	ck_assert_int_eq(read_packed(foreign, &again), WICE_CONTENTS_MALFORMED);
	description->candidates = own;
	description->n_candidates = 3;
	wice__sealed__contents__free_unpacked(foreign, NULL);
}
END_TEST

START_TEST(a_later_version_is_read_if_it_says_we_can)
{
	WiceContents contents = contents_sample(), again;
	Wice__Sealed__Contents *foreign = unpack(&contents);
	foreign->version = 9;
	ck_assert_int_eq(read_packed(foreign, &again), WICE_CONTENTS_OK);
	ck_assert_uint_eq(again.version, 9);

	foreign->minimum = WICE_SEALED_VERSION + 1;
	foreign->description->ufrag[0] = ':'; /* may mean anything in a version that is not ours */
	ck_assert_int_eq(read_packed(foreign, &again), WICE_CONTENTS_UNSUPPORTED);
	ck_assert_uint_eq(again.minimum, WICE_SEALED_VERSION + 1);
	ck_assert_uint_eq(again.description.n_candidates, 0);
	wice__sealed__contents__free_unpacked(foreign, NULL);
}
END_TEST

START_TEST(fields_of_the_future_are_skipped_and_known_ones_come_once)
{
	WiceContents contents = contents_sample(), again;
	uint8_t bytes[WICE_CONTENTS_MAX];
	size_t len = write_or_die(&contents, bytes);
	static const uint8_t future[] = { 0xf8, 0x01, 7, 11 << 3 | 2, 2, 'h', 'i' };
	memcpy(bytes + len, future, sizeof future);
	ck_assert_int_eq(wice__contents_read(bytes, len + sizeof future, &again), WICE_CONTENTS_OK);
	ck_assert(contents_equal(&contents, &again));
	for (uint8_t number = 1; number <= 10; number++) {
		uint8_t again_field[] = { (uint8_t)(number << 3), 1 };
		memcpy(bytes + len, again_field, sizeof again_field);
		ck_assert_msg(read_exact(bytes, len + 2) == WICE_CONTENTS_MALFORMED, "field %d",
			      number);
	}
}
END_TEST

START_TEST(a_nul_cannot_hide_the_rest_of_a_text)
{
	WiceContents contents = contents_sample();
	uint8_t bytes[WICE_CONTENTS_MAX];
	strcpy(contents.description.ufrag, "abcdX");
	size_t len = write_or_die(&contents, bytes);
	uint8_t *x = memmem(bytes, len, "abcdX", 5);
	ck_assert_ptr_nonnull(x);
	x[4] = 0;
	ck_assert_int_eq(read_exact(bytes, len), WICE_CONTENTS_MALFORMED);
}
END_TEST

START_TEST(interface_scopes_stay_here)
{
	WiceContents contents = contents_sample(), again;
	uint8_t bytes[WICE_CONTENTS_MAX];
	contents.description.candidates[0].endpoint = endpoint_of("[fe80::1%3]:7");
	size_t len = write_or_die(&contents, bytes);
	ck_assert_int_eq(wice__contents_read(bytes, len, &again), WICE_CONTENTS_OK);
	ck_assert_uint_eq(again.description.candidates[0].endpoint.scope, 0);
}
END_TEST

SUITE_MAIN("description", everything_survives_the_wire, every_truncation_is_refused,
	   small_buffers_are_not_written_past, addresses_that_must_not_be_probed_are_refused,
	   invalid_descriptions_are_not_written, invalid_headers_are_not_written,
	   another_protobuf_implementation_agrees, values_out_of_range_are_refused_when_read,
	   candidates_of_unknown_types_are_skipped_but_counted,
	   a_later_version_is_read_if_it_says_we_can,
	   fields_of_the_future_are_skipped_and_known_ones_come_once,
	   a_nul_cannot_hide_the_rest_of_a_text, interface_scopes_stay_here)
