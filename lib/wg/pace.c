/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which device to read when.
 *
 * Reading a device costs more the more peers it has, and most of the time nothing happens. So time
 * is what is rationed. After a read that took t,
 *
 *	no hint leads to another read of this device for 20 t,
 *	no fast poll is made of any device for 20 t, if it was a fast poll,
 *	no slow poll is made of any device for 1,000 t, if it was a slow one.
 *
 * However many devices there are, fast polls take no more than 1/20 of the time and slow ones no
 * more than 1/1,000; and a storm of hints takes no more than 1/20 per device. Hints after a quiet
 * time are followed at once.
 *
 * A device is polled fast while it has a peer that is connecting: added or with a new endpoint less
 * than 15 s ago, and no handshake since.
 */
#include "wg/pace.h"

#include "crypto/key.h"

#include <string.h>

#define CONNECTING_MS 15000
#define FAST_SHARE 20
#define SLOW_SHARE 1000
#define RETRY_FIRST_MS 1000
#define RETRY_MAX_MS 64000

typedef enum { POLL_NONE, POLL_FAST, POLL_SLOW } PollKind;

typedef struct {
	WiceKey key;
	int64_t until_ms;
} Connecting;

typedef struct {
	char *name;
	bool hinted;
	bool telling;           /* it is hinted at whenever something happens */
	bool listed;            /* and not read since: what it has may have been there for long */
	PollKind poll;          /* what the present read is */
	int64_t last_ms;        /* when it was last read */
	int64_t cost_us;        /* what that took */
	unsigned failures;      /* in a row */
	int64_t hurry_until_ms; /* poll it fast until then */
	GHashTable *connecting; /* set of Connecting */
} Entry;

struct WicePace {
	unsigned fast_ms, slow_ms;
	GHashTable *entries; /* name to Entry */
	Entry *reading;
	int64_t fast_from_ms, slow_from_ms; /* no such poll of any device before */
	int64_t hurry_until_ms;
};

/* Times may be added up to INT64_MAX, which is never. */
static int64_t after(int64_t time_ms, int64_t ms)
{
	return time_ms > INT64_MAX - ms ? INT64_MAX : time_ms + ms;
}

static int64_t rest_ms(int64_t cost_us, int share)
{
	return (cost_us * share + 999) / 1000;
}

static void entry_free(gpointer data)
{
	Entry *entry = data;
	g_hash_table_unref(entry->connecting);
	g_free(entry->name);
	g_free(entry);
}

WicePace *wice__pace_new(unsigned fast_ms, unsigned slow_ms)
{
	WicePace *pace = g_new0(WicePace, 1);
	pace->fast_ms = fast_ms;
	pace->slow_ms = slow_ms;
	pace->entries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, entry_free);
	return pace;
}

void wice__pace_free(WicePace *pace)
{
	if (!pace)
		return;
	g_hash_table_unref(pace->entries);
	g_free(pace);
}

/* Finds or makes it. */
static Entry *get_entry(WicePace *pace, const char *name, bool *ret_new)
{
	Entry *entry = g_hash_table_lookup(pace->entries, name);
	*ret_new = !entry;
	if (entry)
		return entry;
	entry = g_new0(Entry, 1);
	entry->name = g_strdup(name);
	entry->connecting = g_hash_table_new_full(wice__key_hash, wice__key_equal, g_free, NULL);
	g_hash_table_insert(pace->entries, entry->name, entry);
	return entry;
}

void wice__pace_hint(WicePace *pace, const char *name)
{
	bool new;
	get_entry(pace, name, &new)->hinted = true;
}

void wice__pace_hint_all(WicePace *pace)
{
	GHashTableIter iter;
	gpointer entry;
	g_hash_table_iter_init(&iter, pace->entries);
	while (g_hash_table_iter_next(&iter, NULL, &entry))
		((Entry *)entry)->hinted = true;
}

void wice__pace_found(WicePace *pace, const char *name)
{
	bool new;
	Entry *entry = get_entry(pace, name, &new);
	entry->hinted = true;
	if (new)
		entry->listed = true;
}

void wice__pace_hurry(WicePace *pace, const char *name, int64_t until_ms)
{
	if (!name) {
		pace->hurry_until_ms = until_ms;
		wice__pace_hint_all(pace);
		return;
	}
	bool new;
	Entry *entry = get_entry(pace, name, &new);
	entry->hurry_until_ms = until_ms;
	entry->hinted = true;
}

static PollKind poll_kind(const WicePace *pace, const Entry *entry, int64_t now_ms)
{
	bool fast = g_hash_table_size(entry->connecting) > 0 || now_ms < entry->hurry_until_ms ||
		    now_ms < pace->hurry_until_ms;
	return fast ? POLL_FAST : POLL_SLOW;
}

static int64_t retry_ms(unsigned failures)
{
	int64_t ms = RETRY_FIRST_MS;
	for (unsigned i = 1; i < failures && ms < RETRY_MAX_MS; i++)
		ms *= 2;
	return ms;
}

static int64_t due_ms(const WicePace *pace, const Entry *entry, int64_t now_ms)
{
	if (entry == pace->reading)
		return INT64_MAX;
	int64_t rested = after(entry->last_ms, rest_ms(entry->cost_us, FAST_SHARE));
	if (entry->hinted)
		return rested;
	if (entry->failures)
		return MAX(rested, after(entry->last_ms, retry_ms(entry->failures)));
	if (!*entry->name || entry->telling)
		return INT64_MAX;
	if (poll_kind(pace, entry, now_ms) == POLL_FAST)
		return MAX(MAX(rested, pace->fast_from_ms), after(entry->last_ms, pace->fast_ms));
	if (pace->slow_ms == UINT_MAX)
		return INT64_MAX;
	rested = after(entry->last_ms, rest_ms(entry->cost_us, SLOW_SHARE));
	return MAX(MAX(rested, pace->slow_from_ms), after(entry->last_ms, pace->slow_ms));
}

/* Of those that are due at the same time, the one that has waited longest. */
static bool comes_first(const Entry *a, int64_t a_due, const Entry *b, int64_t b_due)
{
	if (a_due != b_due)
		return a_due < b_due;
	if (a->last_ms != b->last_ms)
		return a->last_ms < b->last_ms;
	return strcmp(a->name, b->name) < 0;
}

static Entry *next_entry(const WicePace *pace, int64_t now_ms, int64_t *ret_due)
{
	GHashTableIter iter;
	gpointer value;
	Entry *best = NULL;
	int64_t best_due = INT64_MAX;
	g_hash_table_iter_init(&iter, pace->entries);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		/* What has been due for long is due now: then the order is fair. */
		int64_t due = MAX(due_ms(pace, value, now_ms), now_ms);
		if (due < INT64_MAX && (!best || comes_first(value, due, best, best_due))) {
			best = value;
			best_due = due;
		}
	}
	*ret_due = best_due;
	return best;
}

const char *wice__pace_start(WicePace *pace, int64_t now_ms)
{
	int64_t due;
	Entry *entry = pace->reading ? NULL : next_entry(pace, now_ms, &due);
	if (!entry || due > now_ms)
		return NULL;
	entry->poll = entry->hinted || entry->failures ? POLL_NONE : poll_kind(pace, entry, now_ms);
	entry->hinted = false;
	pace->reading = entry;
	return entry->name;
}

int64_t wice__pace_deadline(const WicePace *pace, int64_t now_ms)
{
	int64_t due;
	if (pace->reading)
		return INT64_MAX;
	next_entry(pace, now_ms, &due);
	return due;
}

static gboolean is_over(gpointer key, gpointer value, gpointer user_data)
{
	return ((const Connecting *)key)->until_ms <= *(const int64_t *)user_data;
}

void wice__pace_done(WicePace *pace, WicePaceOutcome outcome, int64_t cost_us, int64_t now_ms)
{
	Entry *entry = pace->reading;
	g_return_if_fail(entry);
	pace->reading = NULL;
	if (entry->poll == POLL_FAST)
		pace->fast_from_ms = after(now_ms, rest_ms(cost_us, FAST_SHARE));
	else if (entry->poll == POLL_SLOW)
		pace->slow_from_ms = after(now_ms, rest_ms(cost_us, SLOW_SHARE));
	/* A hint that came while it was read may be of something that was made afterwards. */
	if (outcome == WICE_PACE_GONE && !entry->hinted) {
		g_hash_table_remove(pace->entries, entry->name);
		return;
	}
	entry->last_ms = now_ms;
	entry->cost_us = cost_us;
	entry->failures = outcome == WICE_PACE_FAILED ? entry->failures + 1 : 0;
	entry->listed &= outcome == WICE_PACE_FAILED;
	g_hash_table_foreach_remove(entry->connecting, is_over, &now_ms);
}

void wice__pace_set_telling(WicePace *pace, bool telling)
{
	g_return_if_fail(pace->reading);
	pace->reading->telling = telling;
}

void wice__pace_observe(WicePace *pace, const WiceWatchEvent *event, int64_t now_ms)
{
	Entry *entry = pace->reading;
	g_return_if_fail(entry);
	if (event->type == WICE_WATCH_PEER_REMOVED)
		g_hash_table_remove(entry->connecting, &event->peer_before->public_key);
	else if (event->type == WICE_WATCH_HANDSHAKE)
		g_hash_table_remove(entry->connecting, &event->peer_after->public_key);
	bool begins = event->type == WICE_WATCH_ENDPOINT ||
		      (event->type == WICE_WATCH_PEER_ADDED && !event->peer_after->handshake_ns &&
		       !entry->listed);
	if (!begins)
		return;
	Connecting connecting = { .key = event->peer_after->public_key,
				  .until_ms = after(now_ms, CONNECTING_MS) };
	g_hash_table_add(entry->connecting, g_memdup2(&connecting, sizeof connecting));
}
