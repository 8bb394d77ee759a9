/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/bpf/attachments.h"

#include <errno.h>

#include "base/log.h"

struct WiceBpfAttachments {
	const WiceBpfAttacher *attacher;
	WiceUplinkWatch *watch;
	GArray *of_uplinks; /* WiceBpfAttachment, in no order */
	GHashTable *failed; /* ifindex: errno that was logged */
};

static const WiceUplink *find_uplink(const WiceUplink *uplinks, size_t n, unsigned ifindex)
{
	for (size_t i = 0; i < n; i++)
		if (uplinks[i].ifindex == ifindex)
			return &uplinks[i];
	return NULL;
}

static bool has(const WiceBpfAttachments *attachments, unsigned ifindex)
{
	for (guint i = 0; i < attachments->of_uplinks->len; i++)
		if (g_array_index(attachments->of_uplinks, WiceBpfAttachment, i).uplink.ifindex ==
		    ifindex)
			return true;
	return false;
}

/* Those of uplinks that are none any more, or that somebody has removed. */
static void drop_stale(WiceBpfAttachments *attachments, const WiceUplink *uplinks, size_t n)
{
	for (guint i = attachments->of_uplinks->len; i-- > 0;) {
		WiceBpfAttachment *attachment =
			&g_array_index(attachments->of_uplinks, WiceBpfAttachment, i);
		const WiceUplink *uplink = find_uplink(uplinks, n, attachment->uplink.ifindex);
		if (uplink && uplink->ethernet == attachment->uplink.ethernet &&
		    wice__bpf_is_attached(attachments->attacher, attachment))
			continue;
		wice__log(uplink ? WICE_LOG_INFO : WICE_LOG_DEBUG, attachment->uplink.name,
			  uplink ? "Somebody has removed wice's programs from this device; they "
				   "are attached again"
				 : "This device is no uplink any more");
		wice__bpf_detach(attachments->attacher, attachment);
		g_array_remove_index_fast(attachments->of_uplinks, i);
	}
}

static int attach(WiceBpfAttachments *attachments, const WiceUplink *uplink)
{
	WiceBpfAttachment attachment;
	gpointer key = GUINT_TO_POINTER(uplink->ifindex);
	int r = wice__bpf_attach(attachments->attacher, uplink, &attachment);
	if (r == 0) {
		g_hash_table_remove(attachments->failed, key);
		g_array_append_val(attachments->of_uplinks, attachment);
		wice__log(WICE_LOG_DEBUG, uplink->name, "Programs attached");
		return 0;
	}
	if (r != -ENODEV && GPOINTER_TO_INT(g_hash_table_lookup(attachments->failed, key)) != r) {
		g_hash_table_insert(attachments->failed, key, GINT_TO_POINTER(r));
		wice__log(
			WICE_LOG_WARNING, uplink->name,
			"BPF programs cannot be attached to this device, so peers are not reached "
			"through it: %s",
			g_strerror(-r));
	}
	return r;
}

/* Returns the first error, if there was one. */
static int update(WiceBpfAttachments *attachments)
{
	WiceUplink *uplinks;
	size_t n;
	int r = wice__uplinks_list(&uplinks, &n);
	if (r < 0)
		return r;
	drop_stale(attachments, uplinks, n);
	for (size_t i = 0; i < n; i++) {
		int error =
			has(attachments, uplinks[i].ifindex) ? 0 : attach(attachments, &uplinks[i]);
		r = r == 0 ? error : r;
	}
	g_free(uplinks);
	return r;
}

static void on_changed(void *user_data)
{
	update(user_data);
}

int wice__bpf_attachments_new(GMainContext *context, const WiceBpfAttacher *attacher,
			      WiceBpfAttachments **ret)
{
	WiceBpfAttachments *attachments = g_new0(WiceBpfAttachments, 1);
	attachments->attacher = attacher;
	attachments->of_uplinks = g_array_new(FALSE, FALSE, sizeof(WiceBpfAttachment));
	attachments->failed = g_hash_table_new(NULL, NULL);
	int r = wice__uplink_watch_new(context, on_changed, attachments, &attachments->watch);
	if (r == 0) {
		r = update(attachments);
		if (attachments->of_uplinks->len > 0)
			r = 0;
	}
	if (r < 0) {
		wice__bpf_attachments_free(attachments);
		return r;
	}
	*ret = attachments;
	return 0;
}

void wice__bpf_attachments_free(WiceBpfAttachments *attachments)
{
	if (!attachments)
		return;
	wice__uplink_watch_free(attachments->watch);
	for (guint i = 0; i < attachments->of_uplinks->len; i++)
		wice__bpf_detach(attachments->attacher,
				 &g_array_index(attachments->of_uplinks, WiceBpfAttachment, i));
	g_array_unref(attachments->of_uplinks);
	g_hash_table_unref(attachments->failed);
	g_free(attachments);
}

size_t wice__bpf_attachments_count(const WiceBpfAttachments *attachments)
{
	return attachments->of_uplinks->len;
}
