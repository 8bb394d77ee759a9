/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with a file, in words. Nobody should find a key in an error message, so values are
 * shown only where they cannot be part of one.
 */
#include "wg/conf.h"

#include <string.h>

#define WORD_MAX 20 /* base64 characters in a row that may be shown: less than half a key */

void wice__conf_findings_init(WiceConfFindings *findings, const WiceConf *conf, bool lint)
{
	*findings = (WiceConfFindings){ .conf = conf, .lint = lint };
	findings->list = g_array_new(FALSE, FALSE, sizeof(WiceConfFinding));
}

void wice__conf_findings_done(WiceConfFindings *findings)
{
	for (guint i = 0; i < findings->list->len; i++)
		g_free(g_array_index(findings->list, WiceConfFinding, i).message);
	g_array_unref(findings->list);
}

static void add(WiceConfFindings *findings, const char *at, bool warning, char *message)
{
	WiceConfFinding finding = {
		.offset = (size_t)(at - findings->conf->text),
		.warning = warning,
		.message = message,
	};
	g_array_append_val(findings->list, finding);
}

void wice__conf_error(WiceConfFindings *findings, const char *at, const char *format, ...)
{
	va_list args;
	size_t max = findings->lint ? WICE_CONF_FINDINGS_MAX : 1;
	if (findings->n_errors++ >= max)
		return;
	va_start(args, format);
	add(findings, at, false, g_strdup_vprintf(format, args));
	va_end(args);
}

void wice__conf_warning(WiceConfFindings *findings, const char *at, const char *format, ...)
{
	va_list args;
	if (!findings->lint || findings->n_warnings++ >= WICE_CONF_FINDINGS_MAX)
		return;
	va_start(args, format);
	add(findings, at, true, g_strdup_vprintf(format, args));
	va_end(args);
}

static bool may_be_shown(WiceConfToken token)
{
	size_t run = 0;
	for (size_t i = 0; i < token.len; i++) {
		char c = token.text[i];
		if (c < ' ' || c > '~')
			return false;
		run = g_ascii_isalnum(c) || c == '+' || c == '/' || c == '=' ? run + 1 : 0;
		if (run > WORD_MAX)
			return false;
	}
	return token.len > 0;
}

const char *wice__conf_quote(WiceConfToken token, char ret[WICE_CONF_QUOTE_SIZE])
{
	ret[0] = 0;
	if (token.len <= WICE_CONF_QUOTE_SIZE - 3 && may_be_shown(token))
		g_snprintf(ret, WICE_CONF_QUOTE_SIZE, "\"%.*s\"", (int)token.len, token.text);
	return ret;
}

/* How many letters are wrong, missing or too many (Levenshtein); more than a few do not matter. */
static unsigned distance(WiceConfToken a, const char *b)
{
	unsigned row[WORD_MAX + 1];
	size_t b_len = strlen(b);
	for (unsigned j = 0; j <= b_len; j++)
		row[j] = j;
	for (unsigned i = 1; i <= a.len; i++) {
		unsigned diagonal = row[0];
		row[0] = i;
		for (unsigned j = 1; j <= b_len; j++) {
			bool same = g_ascii_tolower(a.text[i - 1]) == g_ascii_tolower(b[j - 1]);
			unsigned changed = diagonal + (same ? 0 : 1);
			diagonal = row[j];
			row[j] = MIN(changed, MIN(row[j], row[j - 1]) + 1);
		}
	}
	return row[b_len];
}

/* The key that was probably meant, NO_KEY if there is none near. */
static WiceConfKey guess_key(const WiceConf *conf, WiceConfSection section, WiceConfToken name)
{
	WiceConfKey best = WICE_CONF_NO_KEY;
	unsigned best_distance = 1 + (unsigned)name.len / 3;
	if (name.len > WORD_MAX)
		return best;
	for (WiceConfKey key = WICE_CONF_NO_KEY + 1; key < WICE_CONF_N_KEYS; key++) {
		const WiceConfKeyInfo *info = wice__conf_key_info(key);
		if (info->section != section || (info->quick && conf->mode == WICE_CONF_COMPAT))
			continue;
		unsigned d = distance(name, info->name);
		if (d < best_distance) {
			best = key;
			best_distance = d;
		}
	}
	return best;
}

static const char *section_name(WiceConfSection section)
{
	return section == WICE_CONF_PEER ? "[Peer]" : "[Interface]";
}

/* A known key that cannot be where it is. True if it was one. */
static bool explain_known_key(WiceConfFindings *findings, const WiceConfLine *line)
{
	WiceConfSection other =
		line->section == WICE_CONF_PEER ? WICE_CONF_INTERFACE : WICE_CONF_PEER;
	WiceConfKey key = wice__conf_find_key(line->section, line->name);
	const WiceConfKeyInfo *info = wice__conf_key_info(key);
	if (key != WICE_CONF_NO_KEY && info->quick && findings->conf->mode == WICE_CONF_COMPAT) {
		wice__conf_error(findings, line->name.text,
				 "%s is a key of wg-quick(8), which wg(8) does not take; expected "
				 "a key of wg(8)",
				 info->name);
		return true;
	}
	if (key != WICE_CONF_NO_KEY) {
		wice__conf_error(findings, line->name.text, "%s has no value; expected %s",
				 info->name, info->expected);
		return true;
	}
	key = wice__conf_find_key(other, line->name);
	if (key == WICE_CONF_NO_KEY)
		return false;
	wice__conf_error(findings, line->name.text, "%s is in a section %s; expected it in %s",
			 wice__conf_key_info(key)->name, section_name(line->section),
			 section_name(other));
	return true;
}

static void explain_unknown_key(WiceConfFindings *findings, const WiceConfLine *line)
{
	char quoted[WICE_CONF_QUOTE_SIZE];
	WiceConfKey key = guess_key(findings->conf, line->section, line->name);
	wice__conf_quote(line->name, quoted);
	const char *name = *quoted ? quoted : "this";
	if (key == WICE_CONF_NO_KEY)
		wice__conf_error(findings, line->name.text,
				 "%s is no key of %s; expected one that is in wg(8)", name,
				 section_name(line->section));
	else
		wice__conf_error(findings, line->name.text, "%s is no key of %s; did you mean %s?",
				 name, section_name(line->section), wice__conf_key_info(key)->name);
}

void wice__conf_explain(WiceConfFindings *findings, const WiceConfLine *line)
{
	static const char bom[] = "\xef\xbb\xbf";
	const char *at = line->content.text;
	if (findings->n_errors >= WICE_CONF_FINDINGS_MAX) {
		findings->n_errors++; /* nobody will read more */
		return;
	}
	if (line->content.len >= 3 && memcmp(at, bom, 3) == 0)
		wice__conf_error(findings, at,
				 "a byte order mark; expected a text in UTF-8 without one");
	else if (*at == '[')
		wice__conf_error(findings, at,
				 "an unknown section; expected [Interface] or [Peer]");
	else if (*at == ';')
		wice__conf_error(findings, at, "\";\"; expected comments to begin with \"#\"");
	else if (line->section == WICE_CONF_OUTSIDE)
		wice__conf_error(findings, at,
				 "a line outside of any section; expected [Interface] or [Peer]");
	else if (!memchr(at, '=', line->content.len))
		wice__conf_error(findings, at, "a line without \"=\"; expected \"Key = value\"");
	else if (!explain_known_key(findings, line))
		explain_unknown_key(findings, line);
}
