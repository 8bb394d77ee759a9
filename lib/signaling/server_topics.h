/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_SIGNALING_SERVER_TOPICS_H
#define WICE_SIGNALING_SERVER_TOPICS_H

#include <glib.h>
#include <wice/key.h>

#include "rpc/rpc.h"

/*
 * Who listens to which key. A subscriber is pending until it has proven the key, then live.
 *
 * Limits, so that strangers can neither fill the memory nor keep the owner of a key out: pending
 * subscribers count against nobody's place; a proven one takes the place of an unproven one, or of
 * the oldest (which is most likely the owner's own dead connection).
 */
#define WICE_TOPIC_LIVE_MAX 8
/* While a proof is pending, envelopes are held: this many per subscriber, for this many per key. */
#define WICE_TOPIC_HELD_MAX 8
#define WICE_TOPIC_HOLDERS_MAX 8

/*
 * What may wait on a subscriber's connection. Beyond it envelopes to him are dropped, not he: or
 * anybody could end his connection by sending to him faster than he can receive.
 */
#define WICE_TOPIC_QUEUED_MAX (1 << 20)

typedef struct WiceTopics WiceTopics;
typedef struct WiceSubscriber WiceSubscriber;

/* max: subscribers in total. */
WiceTopics *wice__topics_new(unsigned max);
/* All subscribers must have left. */
void wice__topics_free(WiceTopics *topics);

/* Adds a pending subscriber whose stream is call; NULL if there are too many. */
WiceSubscriber *wice__topics_join(WiceTopics *topics, const WiceKey *key, WiceRpcCall *call);
/* Frees it. */
void wice__subscriber_leave(WiceSubscriber *subscriber);
/*
 * Sends the empty envelope, then what was held. False if the key has too many live subscribers,
 * which does not happen to proven ones.
 */
bool wice__subscriber_go_live(WiceSubscriber *subscriber, bool proven);

/* Hands a serialized envelope to all subscribers of the key; returns how many get it. */
unsigned wice__topics_publish(WiceTopics *topics, const WiceKey *key, const uint8_t *bytes,
			      size_t len);

#endif
