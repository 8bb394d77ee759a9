/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wg/conf.h"

#include <sodium.h>
#include <string.h>
#include <wice/error.h>

#define PROBLEMS_MAX 1000

static void clear_quick(void *data)
{
	WiceConfQuick *quick = data;
	sodium_memzero(quick->value, strlen(quick->value));
	g_free(quick->value);
}

WiceConf *wice__conf_new_with(char *text, size_t len, WiceConfMode mode, const char *name)
{
	WiceConf *conf = g_new0(WiceConf, 1);
	conf->mode = mode;
	conf->name = g_strdup(name);
	conf->text = text;
	conf->len = len;
	conf->hosts = g_string_chunk_new(4096);
	conf->quick = g_array_new(FALSE, FALSE, sizeof(WiceConfQuick));
	g_array_set_clear_func(conf->quick, clear_quick);
	conf->addresses = g_array_new(FALSE, FALSE, sizeof(WiceInterfaceAddress));
	conf->resolved = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	return conf;
}

WiceConf *wice_conf_new(WiceConfMode mode)
{
	return wice__conf_new_with(g_strdup(""), 0, mode, "new configuration");
}

void wice_conf_free(WiceConf *conf)
{
	if (!conf)
		return;
	sodium_memzero(conf->text, conf->len);
	wice_key_clear(&conf->interface.private_key);
	if (conf->peers)
		sodium_memzero(conf->peers, conf->n_peers * sizeof *conf->peers);
	g_free(conf->name);
	g_free(conf->text);
	g_free(conf->peers);
	g_free(conf->allowed_ips);
	g_free(conf->ip_offsets);
	g_string_chunk_free(conf->hosts);
	g_array_unref(conf->quick);
	g_array_unref(conf->addresses);
	g_hash_table_unref(conf->resolved);
	g_free(conf);
}

static char *copy_text(const char *text, size_t len)
{
	char *copy = g_malloc(len + 1);
	if (len)
		memcpy(copy, text, len);
	copy[len] = 0;
	return copy;
}

/* Line and column of an offset; from, at or before it, is where the last search ended. */
typedef struct {
	size_t offset;
	size_t line_start;
	unsigned line;
} Place;

static void advance(const WiceConf *conf, Place *place, size_t offset)
{
	const char *newline;
	while ((newline = memchr(conf->text + place->offset, '\n', offset - place->offset))) {
		place->offset = place->line_start = (size_t)(newline - conf->text) + 1;
		place->line++;
	}
	place->offset = offset;
}

static void set_error(GError **error, const WiceConf *conf, const WiceConfFinding *finding)
{
	Place place = { .line = 1 };
	advance(conf, &place, finding->offset);
	g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID, "%s:%u:%zu: %s", conf->name, place.line,
		    finding->offset - place.line_start + 1, finding->message);
}

/* Reads the text of a new document; frees it, and sets error, if that fails. */
static WiceConf *read_or_free(WiceConf *conf, GError **error)
{
	WiceConfFindings findings;
	wice__conf_findings_init(&findings, conf, false);
	wice__conf_read_text(conf, &findings);
	if (findings.n_errors) {
		set_error(error, conf, &g_array_index(findings.list, WiceConfFinding, 0));
		wice_conf_free(conf);
		conf = NULL;
	}
	wice__conf_findings_done(&findings);
	return conf;
}

WiceConf *wice_conf_parse(const char *text, size_t len, WiceConfMode mode, const char *name,
			  GError **error)
{
	if (len > WICE_CONF_TEXT_MAX) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "%s:1:1: the text has %zu bytes; expected no more than %zu", name, len,
			    WICE_CONF_TEXT_MAX);
		return NULL;
	}
	return read_or_free(wice__conf_new_with(copy_text(text, len), len, mode, name), error);
}

bool wice__conf_replace_text(WiceConf *conf, char *text, size_t len, GError **error)
{
	WiceConf *new = read_or_free(wice__conf_new_with(text, len, conf->mode, conf->name), error);
	if (!new)
		return false;
	WiceConf old = *conf;
	*conf = *new;
	*new = old;
	GHashTable *resolved = conf->resolved;
	conf->resolved = new->resolved;
	new->resolved = resolved;
	wice_conf_free(new);
	wice__conf_apply_resolved(conf);
	return true;
}

static int compare_findings(const void *a, const void *b)
{
	const WiceConfFinding *x = a, *y = b;
	return x->offset == y->offset ? 0 : x->offset < y->offset ? -1 : 1;
}

static void tell_all(const WiceConfFindings *findings, WiceConfProblemFunc func, void *user_data)
{
	Place place = { .line = 1 };
	g_array_sort(findings->list, compare_findings);
	for (guint i = 0; i < findings->list->len; i++) {
		const WiceConfFinding *finding = &g_array_index(findings->list, WiceConfFinding, i);
		advance(findings->conf, &place, finding->offset);
		WiceConfProblem problem = {
			.line = place.line,
			.column = (unsigned)(finding->offset - place.line_start + 1),
			.warning = finding->warning,
			.message = finding->message,
		};
		func(&problem, user_data);
	}
}

size_t wice_conf_lint(const char *text, size_t len, WiceConfMode mode, WiceConfProblemFunc func,
		      void *user_data)
{
	G_STATIC_ASSERT(2 * WICE_CONF_FINDINGS_MAX <= PROBLEMS_MAX);
	if (len > WICE_CONF_TEXT_MAX) {
		WiceConfProblem problem = { 1, 1, false, "the text has more than 64 MiB" };
		func(&problem, user_data);
		return 1;
	}
	WiceConf *conf = wice__conf_new_with(copy_text(text, len), len, mode, "");
	WiceConfFindings findings;
	wice__conf_findings_init(&findings, conf, true);
	wice__conf_read_text(conf, &findings);
	tell_all(&findings, func, user_data);
	size_t n_errors = findings.n_errors;
	wice__conf_findings_done(&findings);
	wice_conf_free(conf);
	return n_errors;
}

const WiceConfInterface *wice_conf_interface(const WiceConf *conf)
{
	return &conf->interface;
}

size_t wice_conf_n_peers(const WiceConf *conf)
{
	return conf->n_peers;
}

const WiceConfPeer *wice_conf_peer(const WiceConf *conf, size_t index)
{
	return index < conf->n_peers ? &conf->peers[index].values : NULL;
}

const char *wice_conf_quick(const WiceConf *conf, const char *key, size_t index)
{
	WiceConfToken name = { key, strlen(key) };
	WiceConfKey wanted = wice__conf_find_key(WICE_CONF_INTERFACE, name);
	const WiceConfKeyInfo *info = wice__conf_key_info(wanted);
	const char *last = NULL;
	for (guint i = 0; i < conf->quick->len; i++) {
		const WiceConfQuick *quick = &g_array_index(conf->quick, WiceConfQuick, i);
		if (quick->key != wanted)
			continue;
		if (info->list && index-- == 0)
			return quick->value;
		last = quick->value;
	}
	/* Of a key that is to come once the last one counts. */
	return !info->list && index == 0 ? last : NULL;
}

const WiceInterfaceAddress *wice_conf_addresses(const WiceConf *conf, size_t *ret_n)
{
	*ret_n = conf->addresses->len;
	return (const WiceInterfaceAddress *)(const void *)conf->addresses->data;
}

unsigned wice_conf_mtu(const WiceConf *conf)
{
	return conf->mtu;
}

char *wice_conf_format(const WiceConf *conf, size_t *ret_len)
{
	if (ret_len)
		*ret_len = conf->len;
	return copy_text(conf->text, conf->len);
}

char *wice_conf_strip(const WiceConf *conf)
{
	WiceConfCursor cursor;
	WiceConfLine line;
	char *text = g_malloc(conf->len + 2), *at = text;
	wice__conf_cursor_init(&cursor, conf->text, conf->len, conf->mode);
	while (wice__conf_cursor_next(&cursor, &line)) {
		bool comment = line.kind == WICE_CONF_LINE_BLANK &&
			       memchr(line.whole.text, '#', line.whole.len);
		if (comment || wice__conf_key_info(line.key)->quick)
			continue;
		memcpy(at, line.content.text, line.content.len);
		at += line.content.len;
		*at++ = '\n';
	}
	*at = 0;
	return text;
}
