/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * set: what a command line asks for. Its words are those of a configuration file under other names,
 * so they are written down as one and read by the same parser: one grammar, one set of checks. Keys
 * come from files of their own and never pass through that text; what only a command line can
 * say (remove, an empty list of allowed IPs) is kept beside it.
 */
#include "wg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wice/error.h>

#define TEXT_NAME "the command line"

typedef struct {
	bool remove;
	bool no_allowed_ips; /* the last list was empty */
	bool has_preshared_key;
	WiceKey preshared_key;
} SetPeer;

typedef struct {
	const WgCall *call;
	GString *text;   /* the configuration file */
	GArray *origins; /* for each of its lines: index of the word that it is from */
	SetPeer *peers;
	size_t n_peers;
	bool has_private_key;
	WiceKey private_key;
} Set;

typedef bool (*TakeWord)(Set *set, const char *value, GError **error);

/* A line of the file, from the word at index. */
static void add_line(Set *set, int index, const char *key, const char *value)
{
	g_string_append_printf(set->text, value ? "%s = %s\n" : "%s\n", key, value);
	g_array_append_val(set->origins, index);
}

static SetPeer *last_peer(Set *set)
{
	return &set->peers[set->n_peers - 1];
}

static bool take_private_key(Set *set, const char *value, GError **error)
{
	set->has_private_key = true;
	return wg_read_key(value, &set->private_key, error);
}

static bool take_preshared_key(Set *set, const char *value, GError **error)
{
	last_peer(set)->has_preshared_key = true;
	return wg_read_key(value, &last_peer(set)->preshared_key, error);
}

static bool take_remove(Set *set, const char *value, GError **error)
{
	last_peer(set)->remove = true;
	return true;
}

static const struct Word {
	const char *name;
	const char *key; /* its name in a file, or NULL and */
	TakeWord take;
	bool of_peer; /* else it stands before the first peer */
	bool alone;   /* has no value */
} words[] = {
	{ "listen-port", "ListenPort" },
	{ "fwmark", "FwMark" },
	{ "private-key", NULL, take_private_key },
	{ "preshared-key", NULL, take_preshared_key, .of_peer = true },
	{ "endpoint", "Endpoint", .of_peer = true },
	{ "persistent-keepalive", "PersistentKeepalive", .of_peer = true },
	{ "allowed-ips", "AllowedIPs", .of_peer = true },
	{ "remove", NULL, take_remove, .of_peer = true, .alone = true },
};

static const struct Word *find_word(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		if (strcmp(words[i].name, name) == 0)
			return &words[i];
	return NULL;
}

static bool is_blank(const char *value)
{
	return value[strspn(value, " \t\n\v\f\r")] == '\0';
}

/* A value that a file cannot hold must not become another one there. */
static bool check_value(const char *name, const char *value, GError **error)
{
	bool is_list = strcmp(name, "allowed-ips") == 0;
	if (!strpbrk(value, is_list ? "#\n\r" : "# \t\n\v\f\r"))
		return true;
	g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
		    "%s '%s': there must be no white space and no '#' in it.", name, value);
	return false;
}

static bool take_value(Set *set, int index, const struct Word *word, GError **error)
{
	const char *value = set->call->args[index + 1];
	if (word->take)
		return word->take(set, value, error);
	if (!check_value(word->name, value, error))
		return false;
	bool is_list = strcmp(word->name, "allowed-ips") == 0;
	if (is_list)
		last_peer(set)->no_allowed_ips = is_blank(value);
	if (!is_list || !is_blank(value))
		add_line(set, index, word->key, value);
	return true;
}

static bool take_peer(Set *set, int index, GError **error)
{
	const char *key = set->call->args[index + 1];
	if (!check_value("peer", key, error))
		return false;
	set->n_peers++;
	add_line(set, index, "[Peer]", NULL);
	add_line(set, index, "PublicKey", key);
	return true;
}

static bool refuse_word(const Set *set, const char *name, const struct Word *word, GError **error)
{
	const char *why = "there is no such word";
	if (word && word->of_peer && !set->n_peers)
		why = "it stands behind the peer that it is of (peer KEY)";
	else if (word && !word->of_peer && set->n_peers)
		why = "it is of the interface and stands before the first peer";
	else if (word || strcmp(name, "peer") == 0)
		why = "its value is missing";
	g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID, "'%s': %s. See %s set --help.", name,
		    why, set->call->program);
	return false;
}

static bool take_words(Set *set, GError **error)
{
	int n = set->call->n_args;
	add_line(set, 0, "[Interface]", NULL);
	for (int i = 1; i < n;) {
		const char *name = set->call->args[i];
		const struct Word *word = find_word(name);
		bool has_value = i + 1 < n;
		bool ok;
		if (strcmp(name, "peer") == 0 && has_value)
			ok = take_peer(set, i, error);
		else if (!word || word->of_peer != (set->n_peers > 0) ||
			 !(has_value || word->alone))
			return refuse_word(set, name, word, error);
		else
			ok = word->alone ? word->take(set, NULL, error)
					 : take_value(set, i, word, error);
		if (!ok)
			return false;
		i += word && word->alone ? 1 : 2;
	}
	return true;
}

/* "...:3:14: ..." is about the text that nobody has seen: names the word instead. */
static void rename_place(const Set *set, GError **error)
{
	unsigned line, column;
	int end = 0;
	if (sscanf((*error)->message, TEXT_NAME ":%u:%u: %n", &line, &column, &end) < 2 || !end ||
	    line < 1 || line > set->origins->len)
		return;
	int index = g_array_index(set->origins, int, line - 1);
	if (index < 1)
		return;
	char *message = g_strdup_printf("%s '%s': %s", set->call->args[index],
					set->call->args[index + 1], (*error)->message + end);
	g_free((*error)->message);
	(*error)->message = message;
}

static WiceConf *parse(const Set *set, GError **error)
{
	WiceConf *conf =
		wice_conf_parse(set->text->str, set->text->len, set->call->mode, TEXT_NAME, error);
	if (!conf) {
		rename_place(set, error);
		return NULL;
	}
	if (!wg_resolve(set->call, conf, error))
		g_clear_pointer(&conf, wice_conf_free);
	return conf;
}

static void fill_peer(const SetPeer *said, const WiceConfPeer *peer, WicePeerChange *change)
{
	change->public_key = peer->public_key;
	if (said->remove) {
		change->flags = WICE_PEER_CHANGE_REMOVE;
		return;
	}
	change->fields = peer->fields & (WICE_PEER_HAS_ENDPOINT | WICE_PEER_HAS_KEEPALIVE);
	change->endpoint = peer->endpoint;
	change->keepalive_s = peer->keepalive_s;
	if (said->has_preshared_key) {
		change->fields |= WICE_PEER_HAS_PRESHARED_KEY;
		change->preshared_key = said->preshared_key;
	}
	if (said->no_allowed_ips || (peer->has_allowed_ips && !peer->increments))
		change->flags = WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS;
	change->n_allowed_ips = peer->n_allowed_ips;
	change->allowed_ips = peer->allowed_ips;
}

static WicePlan *make_plan(const Set *set, const WiceConf *conf, GError **error)
{
	const WiceConfInterface *interface = wice_conf_interface(conf);
	g_autofree WicePeerChange *peers = g_new0(WicePeerChange, set->n_peers + 1);
	for (size_t i = 0; i < set->n_peers; i++)
		fill_peer(&set->peers[i], wice_conf_peer(conf, i), &peers[i]);
	WiceDeviceChange change = {
		.size = sizeof change,
		.fields = interface->fields,
		.private_key = set->private_key,
		.listen_port = interface->listen_port,
		.fwmark = interface->fwmark,
		.n_peers = set->n_peers,
		.peers = peers,
	};
	if (set->has_private_key)
		change.fields |= WICE_DEVICE_HAS_PRIVATE_KEY;
	WicePlan *plan = wice_plan_new(&change, error);
	wice_key_clear(&change.private_key);
	explicit_bzero(peers, set->n_peers * sizeof *peers);
	return plan;
}

int wg_set(const WgCall *call)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WiceConf) conf = NULL;
	g_autoptr(WicePlan) plan = NULL;
	size_t peers_size = (size_t)call->n_args * sizeof(SetPeer);
	Set set = { .call = call,
		    .text = g_string_new(NULL),
		    .origins = g_array_new(FALSE, FALSE, sizeof(int)),
		    .peers = g_malloc0(peers_size) };
	if (take_words(&set, &error))
		conf = parse(&set, &error);
	if (conf)
		plan = make_plan(&set, conf, &error);
	wice_key_clear(&set.private_key);
	explicit_bzero(set.peers, peers_size);
	g_free(set.peers);
	g_string_free(set.text, TRUE);
	g_array_unref(set.origins);
	if (plan && wg_apply(call->args[0], plan, &error))
		return EXIT_SUCCESS;
	return wg_fail(call, error);
}
