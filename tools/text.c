/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <string.h>
#include <unistd.h>

#define SHORT_KEY_CHARS 8

bool text_wants_colour(FILE *stream)
{
	const char *no_color = g_getenv("NO_COLOR"); /* https://no-color.org: set and not empty */
	const char *term = g_getenv("TERM");
	return isatty(fileno(stream)) && !(no_color && *no_color) && term &&
	       strcmp(term, "dumb") != 0;
}

void text_colour(GString *out, bool colours, Colour colour, const char *text)
{
	/* ECMA-48 section 8.3.117, Select Graphic Rendition. */
	static const char *const codes[] = {
		[COLOUR_BOLD] = "\033[1m",
		[COLOUR_GREEN] = "\033[32m",
		[COLOUR_YELLOW] = "\033[33m",
		[COLOUR_RED] = "\033[31m",
	};
	if (colours && colour != COLOUR_NONE)
		g_string_append_printf(out, "%s%s\033[0m", codes[colour], text);
	else
		g_string_append(out, text);
}

void text_clean(GString *out, const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	for (const char *c = valid; *c; c = g_utf8_next_char(c)) {
		gunichar character = g_utf8_get_char(c);
		GUnicodeType type = g_unichar_type(character);
		bool is_command = type == G_UNICODE_CONTROL || type == G_UNICODE_FORMAT ||
				  type == G_UNICODE_LINE_SEPARATOR ||
				  type == G_UNICODE_PARAGRAPH_SEPARATOR;
		g_string_append_unichar(out, is_command ? '?' : character);
	}
}

void text_duration(GString *out, int64_t ms)
{
	static const struct {
		const char *name;
		int64_t seconds;
	} units[] = {
		{ "year", 365 * 86400 }, { "day", 86400 }, { "hour", 3600 },
		{ "minute", 60 },        { "second", 1 },
	};
	int64_t left = ms / 1000;
	int shown = 0;
	if (left <= 0)
		g_string_append(out, "less than a second");
	/* Two units say enough: nobody needs the seconds of a day. */
	for (gsize i = 0; i < G_N_ELEMENTS(units) && left > 0 && shown < 2; i++) {
		int64_t n = left / units[i].seconds;
		if (n == 0 && shown == 0)
			continue;
		shown++;
		left %= units[i].seconds;
		if (n > 0)
			g_string_append_printf(out, "%s%" G_GINT64_FORMAT " %s%s",
					       shown > 1 ? ", " : "", (gint64)n, units[i].name,
					       n == 1 ? "" : "s");
	}
}

void text_bytes(GString *out, uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = (double)bytes;
	gsize unit = 0;
	while (value >= 1024 && unit + 1 < G_N_ELEMENTS(units)) {
		value /= 1024;
		unit++;
	}
	if (unit == 0)
		g_string_append_printf(out, "%" G_GUINT64_FORMAT " B", (guint64)bytes);
	else
		g_string_append_printf(out, "%.2f %s", value, units[unit]);
}

Colour text_state_colour(WicePeerState state)
{
	switch (state) {
	case WICE_STATE_CONNECTED:
		return COLOUR_GREEN;
	case WICE_STATE_FAILED:
		return COLOUR_RED;
	case WICE_STATE_IDLE:
		return COLOUR_NONE;
	default:
		return COLOUR_YELLOW;
	}
}

const char *text_path(WicePathKind path)
{
	switch (path) {
	case WICE_PATH_DIRECT:
		return "direct";
	case WICE_PATH_NAT:
		return "through NAT";
	case WICE_PATH_RELAY:
		return "through a relay";
	default:
		return "none";
	}
}

char *text_short_key(const WiceKey *key, char ret_text[TEXT_SHORT_KEY_SIZE])
{
	char text[WICE_KEY_BASE64_SIZE];
	wice_key_to_base64(key, text);
	g_snprintf(ret_text, TEXT_SHORT_KEY_SIZE, "%.*s…", SHORT_KEY_CHARS, text);
	return ret_text;
}
