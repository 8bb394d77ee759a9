/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The messages, against bytes written down by hand from the drawings in RFC 6886 and RFC 6887. */
#include "portmap/message.h"
#include "suite.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

/* Hexadecimal digits; spaces and what is in parentheses are for the reader. */
static size_t unhex(const char *text, uint8_t *ret, size_t size)
{
	size_t n = 0;
	for (; *text; text++) {
		if (*text == '(')
			text = strchr(text, ')');
		if (!g_ascii_isxdigit(*text))
			continue;
		ck_assert_uint_lt(n, size);
		ret[n++] = (uint8_t)(g_ascii_xdigit_value(text[0]) << 4 |
				     g_ascii_xdigit_value(text[1]));
		text++;
	}
	return n;
}

static WiceEndpoint endpoint(const char *text)
{
	WiceEndpoint result;
	ck_assert(wice_endpoint_parse(text, &result));
	return result;
}

static void check_bytes(const uint8_t *bytes, size_t len, const char *expected)
{
	uint8_t wanted[100];
	ck_assert_uint_eq(unhex(expected, wanted, sizeof wanted), len);
	ck_assert_mem_eq(bytes, wanted, len);
}

#define NONCE "00010203 04050607 08090a0b"
static const uint8_t nonce[WICE_PCP_NONCE_LEN] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 };

START_TEST(pcp_requests_have_the_bytes_of_the_rfc)
{
	uint8_t request[WICE_PCP_MAP_LEN];
	WicePcpMap map = {
		.internal = endpoint("192.168.1.2:51820"),
		.suggested = endpoint("198.51.100.7:51821"),
		.lifetime_s = 7200,
	};
	memcpy(map.nonce, nonce, sizeof nonce);
	wice__pcp_write_map(&map, request);
	check_bytes(request, sizeof request,
		    "(version, MAP) 02 01 0000 (lifetime) 00001c20"
		    "(client) 00000000 00000000 0000ffff c0a80102 (nonce) " NONCE
		    "(UDP) 11 000000 (ports) ca6c ca6d"
		    "(external) 00000000 00000000 0000ffff c6336407");

	/* Any address is spelt by family: RFC 6887 section 5. */
	map.suggested = (WiceEndpoint){ 0 };
	map.lifetime_s = 0;
	wice__pcp_write_map(&map, request);
	check_bytes(request, sizeof request,
		    "02 01 0000 00000000 00000000 00000000 0000ffff c0a80102 " NONCE
		    "11 000000 ca6c 0000 00000000 00000000 0000ffff 00000000");

	map.internal = endpoint("[2001:db8::2]:51820");
	wice__pcp_write_map(&map, request);
	check_bytes(request, sizeof request,
		    "02 01 0000 00000000 20010db8 00000000 00000000 00000002 " NONCE
		    "11 000000 ca6c 0000 00000000 00000000 00000000 00000000");
}
END_TEST

START_TEST(nat_pmp_requests_have_the_bytes_of_the_rfc)
{
	uint8_t address[WICE_NAT_PMP_ADDRESS_LEN], map[WICE_NAT_PMP_MAP_LEN];
	wice__nat_pmp_write_address(address);
	check_bytes(address, sizeof address, "00 00");
	wice__nat_pmp_write_map(51820, 51821, 7200, map);
	check_bytes(map, sizeof map, "00 01 0000 ca6c ca6d 00001c20");
}
END_TEST

#define PCP_HEADER "02 81 00 00 (lifetime) 00000e10 (epoch) 00000102 00000000 00000000 00000000"
#define PCP_MAP(protocol, external) NONCE protocol "000000 ca6c ca6d" external
#define MAPPED_IPV4 "00000000 00000000 0000ffff c6336407"

static const struct {
	const char *packet;
	WicePortmapAnswer expected;
	const char *external;
} answers[] = {
	{ PCP_HEADER PCP_MAP("11", MAPPED_IPV4),
	  { WICE_PCP_MAPPED, .epoch_s = 258, .lifetime_s = 3600, .internal_port = 51820 },
	  "198.51.100.7:51821" },
	/* Options are skipped. */
	{ PCP_HEADER PCP_MAP("11", MAPPED_IPV4) "80 00 0004 00000000",
	  { WICE_PCP_MAPPED, .epoch_s = 258, .lifetime_s = 3600, .internal_port = 51820 },
	  "198.51.100.7:51821" },
	{ PCP_HEADER PCP_MAP("11", "20010db8 00000000 00000000 00000002"),
	  { WICE_PCP_MAPPED, .epoch_s = 258, .lifetime_s = 3600, .internal_port = 51820 },
	  "[2001:db8::2]:51821" },
	/* Behind another NAT. */
	{ PCP_HEADER PCP_MAP("11", "00000000 00000000 0000ffff 64400001"),
	  { WICE_PCP_MAPPED, .epoch_s = 258, .lifetime_s = 3600, .internal_port = 51820 },
	  "100.64.0.1:51821" },
	/* An error: what was asked for comes back. */
	{ "02 81 00 02 00000e10 00000102 00000000 00000000 00000000" PCP_MAP(
		  "11", "00000000 00000000 0000ffff 00000000"),
	  { WICE_PCP_MAPPED, 2, 258, 3600, .internal_port = 51820 },
	  NULL },
	/* It is removed. */
	{ "02 81 00 00 00000000 00000102 00000000 00000000 00000000" NONCE
	  "11 000000 ca6c 0000 00000000 00000000 0000ffff 00000000",
	  { WICE_PCP_MAPPED, .epoch_s = 258, .internal_port = 51820 },
	  NULL },
	{ "02 81 00 03 0000001e 00000102 00000000 00000000 00000000",
	  { WICE_PCP_REFUSED, 3, 258, 30 },
	  NULL },
	/* Another version of PCP; one that knows NAT-PMP only; one that knows PCP only. */
	{ "01 81 00 01 00000000 00000102 00000000 00000000 00000000",
	  { WICE_PCP_REFUSED, 1, 258 },
	  NULL },
	{ "00 81 0001 00000102", { WICE_PCP_REFUSED, 1, 258 }, NULL },
	{ "02 80 00 01 00000e10 00000102 00000000 00000000 00000000",
	  { WICE_NAT_PMP_REFUSED, 1, 258, 3600 },
	  NULL },
	{ "02 80 00 00 00000000 00000102 00000000 00000000 00000000",
	  { WICE_PCP_ANNOUNCE, 0, 258 },
	  NULL },
	{ "00 80 0000 00000102 c6336407", { WICE_NAT_PMP_ADDRESS, 0, 258 }, "198.51.100.7:0" },
	{ "00 81 0000 00000102 ca6c ca6d 00001c20",
	  { WICE_NAT_PMP_MAPPED, 0, 258, 7200, .internal_port = 51820 },
	  NULL },
	{ "00 81 0000 00000102 ca6c 0000 00000000",
	  { WICE_NAT_PMP_MAPPED, 0, 258, 0, .internal_port = 51820 },
	  NULL },
	{ "00 81 0002 00000102 ca6c 0000 00000000", { WICE_NAT_PMP_REFUSED, 2, 258 }, NULL },
	{ "00 80 0003 00000102 00000000", { WICE_NAT_PMP_REFUSED, 3, 258 }, NULL },
};

/* wice_endpoint_parse() knows no port 0. */
static WiceEndpoint expected_external(const char *text)
{
	WiceEndpoint result = { 0 };
	if (!text)
		return result;
	if (g_str_has_suffix(text, ":0"))
		ck_assert(wice_address_parse("198.51.100.7", &result.address));
	else
		result = endpoint(text);
	return result;
}

static void check_answer(const char *text, const WicePortmapAnswer *expected,
			 const char *external_text)
{
	uint8_t packet[200];
	size_t len = unhex(text, packet, sizeof packet);
	WicePortmapAnswer answer;
	WiceEndpoint external = expected_external(external_text);
	ck_assert_int_eq(wice__portmap_read_answer(packet, len, &answer), 0);
	ck_assert_int_eq(answer.kind, expected->kind);
	ck_assert_uint_eq(answer.result, expected->result);
	ck_assert_uint_eq(answer.epoch_s, expected->epoch_s);
	ck_assert_uint_eq(answer.lifetime_s, expected->lifetime_s);
	ck_assert_uint_eq(answer.internal_port, expected->internal_port);
	if (external_text) {
		ck_assert_int_eq(wice_address_compare(&answer.external.address, &external.address),
				 0);
		ck_assert_uint_eq(answer.external.port,
				  expected->kind == WICE_PCP_MAPPED ? 51821 : 0);
	}
	if (expected->kind == WICE_PCP_MAPPED)
		ck_assert_mem_eq(answer.nonce, nonce, sizeof nonce);
	if (expected->kind == WICE_NAT_PMP_MAPPED && expected->lifetime_s)
		ck_assert_uint_eq(answer.external.port, 51821);
}

START_TEST(answers_are_read)
{
	for (size_t i = 0; i < G_N_ELEMENTS(answers); i++)
		check_answer(answers[i].packet, &answers[i].expected, answers[i].external);
}
END_TEST

static const char *const hostile[] = {
	"",
	"02",
	"00 80 0000 000001",
	/* Requests, our own for instance. */
	"00 00",
	"00 01 0000 ca6c ca6d 00001c20",
	"02 01 0000 00001c20 00000000 00000000 0000ffff c0a80102" PCP_MAP("11", MAPPED_IPV4),
	/* Other opcodes, versions, protocols. */
	"02 82 00 00 00000e10 00000102 00000000 00000000 00000000" PCP_MAP("11", MAPPED_IPV4),
	"00 82 0000 00000102 ca6c ca6d 00001c20",
	"03 81 00 00 00000e10 00000102 00000000 00000000 00000000" PCP_MAP("11", MAPPED_IPV4),
	PCP_HEADER PCP_MAP("06", MAPPED_IPV4),
	/* Cut off, or not of whole words. */
	PCP_HEADER,
	PCP_HEADER "00010203 04050607",
	PCP_HEADER PCP_MAP("11", MAPPED_IPV4) "00",
	"00 80 0000 00000102",
	"00 81 0000 00000102 ca6c ca6d",
	/* Nobody's address or port. */
	PCP_HEADER PCP_MAP("11", "00000000 00000000 0000ffff 00000000"),
	PCP_HEADER PCP_MAP("11", "00000000 00000000 0000ffff 7f000001"),
	PCP_HEADER PCP_MAP("11", "00000000 00000000 0000ffff e0000001"),
	PCP_HEADER PCP_MAP("11", "00000000 00000000 0000ffff ffffffff"),
	PCP_HEADER PCP_MAP("11", "00000000 00000000 0000ffff a9fe0101"),
	PCP_HEADER PCP_MAP("11", "00000000 00000000 00000000 00000000"),
	PCP_HEADER PCP_MAP("11", "00000000 00000000 00000000 00000001"),
	PCP_HEADER PCP_MAP("11", "fe800000 00000000 00000000 00000001"),
	PCP_HEADER PCP_MAP("11", "ff020000 00000000 00000000 00000001"),
	PCP_HEADER NONCE "11 000000 ca6c 0000" MAPPED_IPV4,
	"00 80 0000 00000102 00000000",
	"00 80 0000 00000102 7f000001",
	"00 81 0000 00000102 ca6c 0000 00001c20",
};

static void check_hostile(const char *text)
{
	uint8_t packet[200];
	size_t len = unhex(text, packet, sizeof packet);
	WicePortmapAnswer answer, before;
	memset(&answer, 0x5a, sizeof answer);
	before = answer;
	uint8_t *exact = g_memdup2(packet, len); /* AddressSanitizer sees a byte too far */
	ck_assert_msg(wice__portmap_read_answer(exact, len, &answer) == -EBADMSG, "%s", text);
	ck_assert_mem_eq(&answer, &before, sizeof answer);
	g_free(exact);
}

START_TEST(hostile_answers_are_refused)
{
	for (size_t i = 0; i < G_N_ELEMENTS(hostile); i++)
		check_hostile(hostile[i]);
}
END_TEST

START_TEST(an_answer_that_is_too_long_is_refused)
{
	uint8_t packet[WICE_PORTMAP_ANSWER_MAX + 4] = { 0 };
	WicePortmapAnswer answer;
	unhex(PCP_HEADER PCP_MAP("11", MAPPED_IPV4), packet, sizeof packet);
	ck_assert_int_eq(wice__portmap_read_answer(packet, WICE_PORTMAP_ANSWER_MAX, &answer), 0);
	ck_assert_int_eq(wice__portmap_read_answer(packet, sizeof packet, &answer), -EBADMSG);
}
END_TEST

SUITE_MAIN("portmap message", pcp_requests_have_the_bytes_of_the_rfc,
	   nat_pmp_requests_have_the_bytes_of_the_rfc, answers_are_read,
	   hostile_answers_are_refused, an_answer_that_is_too_long_is_refused)
