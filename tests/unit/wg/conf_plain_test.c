/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is written as wg(8) writes it is read on short cuts. They must say what the long way says,
 * also of everything that is nearly written so: random texts of likely pieces are read both ways.
 */
#include "base/parse.h"
#include "suite.h"
#include "wg/conf_line.h"

#include <arpa/inet.h>
#include <glib.h>
#include <string.h>

#define N_TEXTS 30000
#define PIECES_MAX 8
#define PIECE_SIZE 24

/* Puts some of the pieces in a row. */
static size_t write_text(GRand *rand, const char *const *pieces, size_t n, char *ret)
{
	size_t len = 0;
	for (gint32 i = g_rand_int_range(rand, 0, PIECES_MAX + 1); i > 0; i--) {
		const char *piece = pieces[g_rand_int_range(rand, 0, (gint32)n)];
		/* A NUL where the table has a '$'. */
		for (; *piece; piece++)
			ret[len++] = *piece == '$' ? '\0' : *piece;
	}
	return len;
}

static WiceConfLine read_line(char *text, size_t len, WiceConfMode mode, WiceConfSection section)
{
	WiceConfCursor cursor;
	WiceConfLine line;
	wice__conf_cursor_init(&cursor, text, len, mode);
	cursor.section = section;
	ck_assert(wice__conf_cursor_next(&cursor, &line));
	return line;
}

static void check_token(WiceConfToken a, WiceConfToken b)
{
	ck_assert_ptr_eq(a.text, b.text);
	ck_assert_uint_eq(a.len, b.len);
}

/* White space in front means nothing, but only the long way knows that. */
static void check_line(const char *text, size_t len, WiceConfMode mode, WiceConfSection section)
{
	char spaced[PIECES_MAX * PIECE_SIZE + 2] = " ";
	memcpy(spaced + 1, text, len);
	spaced[len + 1] = '\n';
	WiceConfLine plain = read_line(spaced + 1, len + 1, mode, section);
	WiceConfLine other = read_line(spaced, len + 2, mode, section);
	ck_assert_uint_eq(plain.kind, other.kind);
	ck_assert_uint_eq(plain.section, other.section);
	ck_assert_uint_eq(plain.key, other.key);
	check_token(plain.content, other.content);
	check_token(plain.name, other.name);
	check_token(plain.value, other.value);
}

START_TEST(short_cuts_to_lines_change_nothing)
{
	static const char *const pieces[] = {
		"PublicKey = ",
		"PublicKey",
		"PublicKey =",
		"publicKey = ",
		"AllowedIPs = ",
		"AllowedIPs = ",
		"AllowedIPs=",
		"Endpoint = ",
		"PresharedKey = ",
		"PersistentKeepalive = ",
		"PersistentKeepalive ",
		"ListenPort = ",
		"PostUp = ",
		"[Peer]",
		" ",
		"\t",
		"\r",
		"=",
		"#",
		"x",
		"10.0.0.1/32",
		",",
		"$",
	};
	GRand *rand = g_rand_new_with_seed(1);
	char text[PIECES_MAX * PIECE_SIZE];
	for (int i = 0; i < N_TEXTS; i++) {
		size_t len = write_text(rand, pieces, G_N_ELEMENTS(pieces), text);
		for (WiceConfMode mode = WICE_CONF_STRICT; mode <= WICE_CONF_COMPAT_QUICK; mode++) {
			check_line(text, len, mode, WICE_CONF_PEER);
			check_line(text, len, mode, WICE_CONF_INTERFACE);
		}
	}
	g_rand_free(rand);
}
END_TEST

/* The same with inet_pton(3). */
static bool read_network(const char *text, WicePrefix *ret)
{
	char address[PIECES_MAX * PIECE_SIZE];
	const char *slash = strchr(text, '/');
	*ret = (WicePrefix){ .length = 128 };
	g_strlcpy(address, text, slash ? (size_t)(slash - text) + 1 : sizeof address);
	if (inet_pton(AF_INET, address, ret->address.bytes) == 1) {
		ret->address.family = WICE_FAMILY_IPV4;
		ret->length = 32;
	} else if (inet_pton(AF_INET6, address, ret->address.bytes) == 1) {
		ret->address.family = WICE_FAMILY_IPV6;
	} else {
		return false;
	}
	if (!slash)
		return true;
	guint64 length;
	if (!g_ascii_string_to_unsigned(slash + 1, 10, 0, ret->length, &length, NULL) ||
	    (slash[1] == '0' && slash[2]))
		return false;
	ret->length = (uint8_t)length;
	return true;
}

static void check_network(const char *text)
{
	WicePrefix expected, found;
	g_autofree char *list = g_strconcat(text, ",1", NULL);
	const char *end = list + strlen(list), *rest;
	bool ok = read_network(text, &expected);
	rest = wice__parse_front_network(list, end, &found);
	ck_assert_msg((rest && rest == end - 2) == ok, "\"%s\"", text);
	if (ok)
		ck_assert_mem_eq(&found, &expected, sizeof found);
	rest = wice__parse_front_network(list, end - 2, &found);
	ck_assert_msg((rest && rest == end - 2) == ok, "\"%s\" at the end", text);
	if (ok)
		ck_assert_mem_eq(&found, &expected, sizeof found);
}

START_TEST(networks_are_found_where_they_end)
{
	static const char *const pieces[] = {
		"10.",      "0.",       "255.",      "256.", "192.0.2.", "1",
		"7",        "0",        "/",         "/0",   "/32",      "/128",
		"/24",      "/129",     "/033",      ":",    ":",        "::",
		"::",       "fd00:",    "1:2:3:",    "AbCd", "12345",    "::ffff:10.0.0.1",
		"10.0.0.1", "fd00::/8", "4:5:6:7:8", " ",    "%",        "g",
		"-",        "+",
	};
	GRand *rand = g_rand_new_with_seed(1);
	char text[PIECES_MAX * PIECE_SIZE];
	for (int i = 0; i < N_TEXTS; i++) {
		size_t len = write_text(rand, pieces, G_N_ELEMENTS(pieces), text);
		text[len] = '\0';
		check_network(text);
	}
	g_rand_free(rand);
}
END_TEST

SUITE_MAIN("plain configuration files", short_cuts_to_lines_change_nothing,
	   networks_are_found_where_they_end)
