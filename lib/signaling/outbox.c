/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "signaling/outbox.h"

#include <string.h>

WiceEnvelope *wice__envelope_dup(const WiceEnvelope *envelope)
{
	WiceEnvelope *copy = g_malloc(sizeof *copy + envelope->body_len);
	uint8_t *body = (uint8_t *)(copy + 1);
	*copy = *envelope;
	if (envelope->body_len)
		memcpy(body, envelope->body, envelope->body_len);
	copy->body = body;
	return copy;
}

struct WiceOutbox {
	GQueue order;      /* of WiceEnvelope */
	GHashTable *links; /* envelope, by its pair of keys → its link in order */
};

static guint pair_hash(gconstpointer key)
{
	const WiceEnvelope *envelope = key;
	guint32 sender, recipient;
	memcpy(&sender, envelope->sender.bytes, sizeof sender);
	memcpy(&recipient, envelope->recipient.bytes, sizeof recipient);
	return sender * 31 + recipient;
}

static gboolean pair_equal(gconstpointer a, gconstpointer b)
{
	const WiceEnvelope *one = a, *other = b;
	return wice_key_compare(&one->sender, &other->sender) == 0 &&
	       wice_key_compare(&one->recipient, &other->recipient) == 0;
}

WiceOutbox *wice__outbox_new(void)
{
	WiceOutbox *outbox = g_new0(WiceOutbox, 1);
	g_queue_init(&outbox->order);
	outbox->links = g_hash_table_new(pair_hash, pair_equal);
	return outbox;
}

void wice__outbox_free(WiceOutbox *outbox)
{
	if (!outbox)
		return;
	g_hash_table_unref(outbox->links);
	g_queue_clear_full(&outbox->order, g_free);
	g_free(outbox);
}

void wice__outbox_put(WiceOutbox *outbox, const WiceEnvelope *envelope)
{
	GList *old = g_hash_table_lookup(outbox->links, envelope);
	if (old) {
		g_hash_table_remove(outbox->links, envelope);
		g_free(old->data);
		g_queue_delete_link(&outbox->order, old);
	}
	WiceEnvelope *copy = wice__envelope_dup(envelope);
	g_queue_push_tail(&outbox->order, copy);
	g_hash_table_insert(outbox->links, copy, outbox->order.tail);
}

void wice__outbox_flush(WiceOutbox *outbox,
			void (*send)(const WiceEnvelope *envelope, void *user_data),
			void *user_data)
{
	GQueue order = outbox->order;
	g_queue_init(&outbox->order);
	g_hash_table_remove_all(outbox->links);
	WiceEnvelope *envelope;
	while ((envelope = g_queue_pop_head(&order))) {
		send(envelope, user_data);
		g_free(envelope);
	}
}
