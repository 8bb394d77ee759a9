/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Documents that are made to say something else: what a device is, or one value. */
#include "wg/conf_edit.h"

#include <sodium.h>
#include <string.h>
#include <wice/error.h>

#define CONFIGURATION                                                                    \
	(WICE_CHANGE_PEER_ADDED | WICE_CHANGE_PEER_REMOVED | WICE_CHANGE_PRESHARED_KEY | \
	 WICE_CHANGE_ENDPOINT | WICE_CHANGE_KEEPALIVE | WICE_CHANGE_ALLOWED_IPS |        \
	 WICE_CHANGE_PRIVATE_KEY | WICE_CHANGE_LISTEN_PORT | WICE_CHANGE_FWMARK)

/* The values of a section as text. */
typedef struct {
	char key[WICE_KEY_BASE64_SIZE];
	char secret[WICE_KEY_BASE64_SIZE];
	char endpoint[WICE_ENDPOINT_SIZE];
	char number[16];
	char mark[16];
} Texts;

static void format_secret(const WiceKey *key, char ret[WICE_KEY_BASE64_SIZE])
{
	ret[0] = 0;
	if (!wice_key_is_zero(key))
		wice_key_to_base64(key, ret);
}

static void format_number(uint32_t number, char ret[16])
{
	ret[0] = 0;
	if (number)
		g_snprintf(ret, 16, "%u", number);
}

static void wish_interface(WiceConfEdit *edit, const WiceDeviceInfo *info, Texts *texts)
{
	format_secret(&info->private_key, texts->secret);
	format_number(info->listen_port, texts->number);
	format_number(info->fwmark, texts->mark);
	wice__conf_edit_wish(edit, WICE_CONF_PRIVATE_KEY, texts->secret);
	wice__conf_edit_wish(edit, WICE_CONF_LISTEN_PORT, texts->number);
	wice__conf_edit_wish(edit, WICE_CONF_FWMARK, texts->mark);
}

static void wish_peer(WiceConfEdit *edit, const WiceDevicePeer *peer, const WiceConfPeer *before,
		      Texts *texts)
{
	wice_key_to_base64(&peer->public_key, texts->key);
	format_secret(&peer->preshared_key, texts->secret);
	format_number(peer->keepalive_s, texts->number);
	texts->endpoint[0] = 0;
	if (peer->fields & WICE_PEER_HAS_ENDPOINT)
		wice_endpoint_format(&peer->endpoint, texts->endpoint);
	wice__conf_edit_wish(edit, WICE_CONF_PUBLIC_KEY, texts->key);
	wice__conf_edit_wish(edit, WICE_CONF_PRESHARED_KEY, texts->secret);
	wice__conf_edit_wish(edit, WICE_CONF_ENDPOINT, texts->endpoint);
	wice__conf_edit_wish(edit, WICE_CONF_KEEPALIVE, texts->number);
	wice__conf_edit_wish_ips(edit, peer, before);
}

static const WiceConfExtent *get_extent(const WiceConfEdit *edit, guint index)
{
	return &g_array_index(edit->extents, WiceConfExtent, index);
}

/* All [Interface] sections count as one, so all are looked at before the first is written. */
static void begin(WiceConfEdit *edit)
{
	for (guint i = 0; i < edit->extents->len; i++) {
		if (get_extent(edit, i)->kind == WICE_CONF_INTERFACE)
			wice__conf_edit_look(edit, get_extent(edit, i));
	}
	wice__conf_edit_copy(edit, 0, edit->preamble);
	if (edit->conf->has_interface)
		return;
	wice__conf_edit_add(edit, WICE_CONF_INTERFACE);
	if (edit->extents->len)
		wice__writer_text(&edit->out, edit->style.eol);
}

/* A section of a peer that is not there, or a second one, goes. */
static void update_peer(WiceConfEdit *edit, const WiceConfExtent *extent,
			const WiceConfPeer *before, const WiceDeviceInfo *info,
			const WiceDevicePeer *peer, bool *written, Texts *texts)
{
	if (!peer || written[peer - info->peers])
		return;
	written[peer - info->peers] = true;
	wish_peer(edit, peer, before, texts);
	wice__conf_edit_look(edit, extent);
	wice__conf_edit_write(edit, extent, true);
}

static void add_peers(WiceConfEdit *edit, const WiceDevice *device, const bool *written,
		      Texts *texts)
{
	const WiceDeviceInfo *info = wice_device_info(device);
	const uint32_t *order = wice_device_order(device);
	for (size_t i = 0; i < info->n_peers; i++) {
		if (written[order[i]])
			continue;
		wish_peer(edit, &info->peers[order[i]], NULL, texts);
		wice__conf_edit_add(edit, WICE_CONF_PEER);
	}
}

static void write_sections(WiceConfEdit *edit, const WiceDevice *device)
{
	const WiceDeviceInfo *info = wice_device_info(device);
	bool *written = g_new0(bool, info->n_peers + 1);
	bool first = true;
	size_t n = 0;
	Texts texts; /* of the peer that is being written */
	for (guint i = 0; i < edit->extents->len; i++) {
		const WiceConfExtent *extent = get_extent(edit, i);
		if (extent->kind == WICE_CONF_INTERFACE) {
			wice__conf_edit_write(edit, extent, first);
			first = false;
			continue;
		}
		const WiceConfPeer *before = &edit->conf->peers[n++].values;
		update_peer(edit, extent, before, info,
			    wice_device_find_peer(device, &before->public_key), written, &texts);
	}
	add_peers(edit, device, written, &texts);
	sodium_memzero(&texts, sizeof texts);
	g_free(written);
}

/* True if a device that is set to the document would be this one. */
static bool says_already(const WiceConf *conf, const WiceDevice *device)
{
	WicePlan *plan = wice_conf_plan(conf, WICE_CONF_SET, NULL);
	if (!plan)
		return false;
	WiceDevice *result = wice_plan_result(plan, NULL);
	bool same = !(wice_device_diff(result, device, NULL, NULL) & CONFIGURATION);
	wice_device_unref(result);
	wice_plan_unref(plan);
	return same;
}

void wice_conf_update(WiceConf *conf, const WiceDevice *device)
{
	WiceConfEdit edit;
	Texts texts;
	if (says_already(conf, device))
		return;
	wice__conf_edit_init(&edit, conf);
	wish_interface(&edit, wice_device_info(device), &texts);
	begin(&edit);
	write_sections(&edit, device);
	size_t len = edit.out.len;
	bool ok = wice__conf_replace_text(conf, wice__writer_finish(&edit.out), len, NULL);
	wice__conf_edit_done(&edit);
	sodium_memzero(&texts, sizeof texts);
	g_return_if_fail(ok);
}

/* What would end the line, or begin a comment, would not be part of the value. */
static bool check_value(WiceConfKey key, const char *value, GError **error)
{
	const WiceConfKeyInfo *info = wice__conf_key_info(key);
	if (value && (strpbrk(value, info->shell ? "\r\n" : "\r\n#") ||
		      wice__conf_trim(value, value + strlen(value)).len == 0)) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "Cannot set %s: the value is empty, or has more than one line or a "
			    "comment; expected %s.",
			    info->name, info->expected);
		return false;
	}
	return true;
}

static gboolean set_value(WiceConf *conf, WiceConfKey key, const char *value, GError **error)
{
	WiceConfEdit edit;
	bool first = true;
	wice__conf_edit_init(&edit, conf);
	wice__conf_edit_wish(&edit, key, value ? value : "");
	edit.wishes[key].exact = true;
	begin(&edit);
	for (guint i = 0; i < edit.extents->len; i++) {
		const WiceConfExtent *extent = get_extent(&edit, i);
		bool interface = extent->kind == WICE_CONF_INTERFACE;
		wice__conf_edit_write(&edit, extent, interface && first);
		first &= !interface;
	}
	size_t len = edit.out.len;
	bool ok = wice__conf_replace_text(conf, wice__writer_finish(&edit.out), len, error);
	wice__conf_edit_done(&edit);
	return ok;
}

gboolean wice_conf_set(WiceConf *conf, const char *key, const char *value, GError **error)
{
	WiceConfToken name = { key, strlen(key) };
	WiceConfKey found = wice__conf_find_key(WICE_CONF_INTERFACE, name);
	if (found == WICE_CONF_NO_KEY) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "Cannot set %s: it is no key of [Interface].", key);
		return FALSE;
	}
	if (!value && !conf->has_interface)
		return TRUE;
	return check_value(found, value, error) && set_value(conf, found, value, error);
}
