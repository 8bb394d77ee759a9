/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "signaling/server_topics.h"

/* Held for all pending subscribers together. */
#define HELD_BYTES_MAX (16 << 20)

typedef struct {
	WiceKey key;
	GPtrArray *live; /* oldest first */
	GPtrArray *pending;
} Topic;

struct WiceTopics {
	GTree *by_key; /* no hash table: strangers choose the keys */
	unsigned n;
	unsigned max;
	size_t held_bytes;
};

struct WiceSubscriber {
	WiceTopics *topics;
	Topic *topic;
	WiceRpcCall *call;
	bool live;
	bool proven;
	GPtrArray *held; /* of GBytes */
};

static int compare_keys(gconstpointer a, gconstpointer b, gpointer user_data)
{
	return wice_key_compare(a, b);
}

static void topic_free(gpointer data)
{
	Topic *topic = data;
	g_ptr_array_unref(topic->live);
	g_ptr_array_unref(topic->pending);
	g_free(topic);
}

WiceTopics *wice__topics_new(unsigned max)
{
	WiceTopics *topics = g_new0(WiceTopics, 1);
	topics->by_key = g_tree_new_full(compare_keys, NULL, NULL, topic_free);
	topics->max = max;
	return topics;
}

void wice__topics_free(WiceTopics *topics)
{
	g_tree_unref(topics->by_key);
	g_free(topics);
}

WiceSubscriber *wice__topics_join(WiceTopics *topics, const WiceKey *key, WiceRpcCall *call)
{
	if (topics->n >= topics->max)
		return NULL;
	Topic *topic = g_tree_lookup(topics->by_key, key);
	if (!topic) {
		topic = g_new0(Topic, 1);
		topic->key = *key;
		topic->live = g_ptr_array_new();
		topic->pending = g_ptr_array_new();
		g_tree_insert(topics->by_key, &topic->key, topic);
	}
	WiceSubscriber *subscriber = g_new0(WiceSubscriber, 1);
	subscriber->topics = topics;
	subscriber->topic = topic;
	subscriber->call = call;
	g_ptr_array_add(topic->pending, subscriber);
	topics->n++;
	return subscriber;
}

static void drop_held(WiceSubscriber *subscriber)
{
	for (guint i = 0; subscriber->held && i < subscriber->held->len; i++)
		subscriber->topics->held_bytes -= g_bytes_get_size(subscriber->held->pdata[i]);
	g_clear_pointer(&subscriber->held, g_ptr_array_unref);
}

void wice__subscriber_leave(WiceSubscriber *subscriber)
{
	WiceTopics *topics = subscriber->topics;
	Topic *topic = subscriber->topic;
	g_ptr_array_remove(subscriber->live ? topic->live : topic->pending, subscriber);
	drop_held(subscriber);
	if (topic->live->len + topic->pending->len == 0)
		g_tree_remove(topics->by_key, &topic->key);
	topics->n--;
	g_free(subscriber);
}

/* The one to go: an unproven one if there is one, else the oldest. */
static WiceSubscriber *find_victim(const Topic *topic)
{
	for (guint i = 0; i < topic->live->len; i++) {
		WiceSubscriber *subscriber = topic->live->pdata[i];
		if (!subscriber->proven)
			return subscriber;
	}
	return topic->live->pdata[0];
}

static void deliver(WiceSubscriber *subscriber, const uint8_t *bytes, size_t len)
{
	const WiceRpcConnection *connection = wice__rpc_call_connection(subscriber->call);
	if (wice__rpc_connection_queued(connection) + len <= WICE_TOPIC_QUEUED_MAX)
		wice__rpc_call_send(subscriber->call, bytes, len);
}

bool wice__subscriber_go_live(WiceSubscriber *subscriber, bool proven)
{
	Topic *topic = subscriber->topic;
	if (topic->live->len >= WICE_TOPIC_LIVE_MAX) {
		if (!proven)
			return false;
		wice__rpc_call_finish(find_victim(topic)->call, WICE_RPC_RESOURCE_EXHAUSTED,
				      "Others have subscribed to this key since");
	}
	g_ptr_array_remove(topic->pending, subscriber);
	g_ptr_array_add(topic->live, subscriber);
	subscriber->live = true;
	subscriber->proven = proven;
	wice__rpc_call_send(subscriber->call, NULL, 0);
	for (guint i = 0; subscriber->held && i < subscriber->held->len; i++) {
		gsize len;
		const uint8_t *bytes = g_bytes_get_data(subscriber->held->pdata[i], &len);
		deliver(subscriber, bytes, len);
	}
	drop_held(subscriber);
	return true;
}

static bool hold(WiceSubscriber *subscriber, const uint8_t *bytes, size_t len)
{
	WiceTopics *topics = subscriber->topics;
	if (!subscriber->held)
		subscriber->held = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	if (subscriber->held->len >= WICE_TOPIC_HELD_MAX ||
	    topics->held_bytes + len > HELD_BYTES_MAX)
		return false;
	g_ptr_array_add(subscriber->held, g_bytes_new(bytes, len));
	topics->held_bytes += len;
	return true;
}

unsigned wice__topics_publish(WiceTopics *topics, const WiceKey *key, const uint8_t *bytes,
			      size_t len)
{
	const Topic *topic = g_tree_lookup(topics->by_key, key);
	unsigned n = 0;
	if (!topic)
		return 0;
	for (guint i = 0; i < topic->live->len; i++, n++)
		deliver(topic->live->pdata[i], bytes, len);
	for (guint i = 0; i < topic->pending->len && i < WICE_TOPIC_HOLDERS_MAX; i++)
		n += hold(topic->pending->pdata[i], bytes, len);
	return n;
}
