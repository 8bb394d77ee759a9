/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rooms of backends in one process. One lock covers all rooms and their members' queues; it is held
 * for moving pointers only, never while a user's callback runs. A member's parcels are taken out by
 * a source on the member's own context, so callbacks come from there and never from inside a hook.
 */
#include "signaling/room.h"
#include "base/log.h"
#include "signaling/keyset.h"
#include "signaling/outbox.h"
#include "signaling/sealed.h"

#include <string.h>

struct WiceRoom {
	char *name;
	const WiceRoomPolicy *policy;
	void *state;
	GPtrArray *members;
	bool kept; /* by wice__room_with() */
};

typedef struct {
	gint64 due_us;
	WiceEnvelope *envelope; /* NULL: garbage */
	bool oversized;
} Parcel;

typedef struct {
	WiceSignalingBackend backend;
	unsigned refs; /* its owner and a running dispatch; both on its context's thread */
	GSource *source;
	WiceRoom *room;
	WiceKeyset keys;
	WiceOutbox *outbox;
	GQueue parcels; /* sorted by due_us */
	bool ready;     /* as last told to the user */
	bool told;
} Member;

typedef struct {
	GSource source;
	Member *member;
} MemberSource;

static GMutex rooms_lock;
static GPtrArray *rooms;

static void parcel_free(gpointer data)
{
	Parcel *parcel = data;
	g_free(parcel->envelope);
	g_free(parcel);
}

static bool room_is_open(const WiceRoom *room)
{
	return !room->policy || room->policy->is_open(room->state);
}

static WiceRoom *room_get(const WiceRoomPolicy *policy, const char *name)
{
	if (!rooms)
		rooms = g_ptr_array_new();
	for (guint i = 0; i < rooms->len; i++) {
		WiceRoom *room = rooms->pdata[i];
		if (room->policy == policy && strcmp(room->name, name) == 0)
			return room;
	}
	WiceRoom *room = g_new0(WiceRoom, 1);
	room->name = g_strdup(name);
	room->policy = policy;
	room->state = policy ? policy->state_new() : NULL;
	room->members = g_ptr_array_new();
	g_ptr_array_add(rooms, room);
	return room;
}

static void room_free_if_unused(WiceRoom *room)
{
	if (room->members->len || room->kept)
		return;
	g_ptr_array_remove_fast(rooms, room);
	if (!rooms->len)
		g_clear_pointer(&rooms, g_ptr_array_unref);
	if (room->policy)
		room->policy->state_free(room->state);
	g_ptr_array_unref(room->members);
	g_free(room->name);
	g_free(room);
}

static gint64 member_wake_time(const Member *member)
{
	const Parcel *first = g_queue_peek_head((GQueue *)&member->parcels);
	if (!member->told || member->ready != room_is_open(member->room))
		return 0;
	return first ? first->due_us : -1;
}

static void member_wake(Member *member)
{
	g_source_set_ready_time(member->source, member_wake_time(member));
}

static gint compare_due(gconstpointer a, gconstpointer b, gpointer user_data)
{
	const Parcel *one = a, *other = b;
	return one->due_us < other->due_us ? -1 : one->due_us > other->due_us;
}

static void member_queue(Member *member, Parcel *parcel)
{
	if (member->parcels.length >= WICE_ROOM_QUEUE_MAX)
		parcel_free(g_queue_pop_head(&member->parcels));
	const Parcel *last = g_queue_peek_tail(&member->parcels);
	if (!last || last->due_us <= parcel->due_us)
		g_queue_push_tail(&member->parcels, parcel);
	else
		g_queue_insert_sorted(&member->parcels, parcel, compare_due, NULL);
	member_wake(member);
}

static void member_deliver(Member *member, const WiceEnvelope *envelope)
{
	unsigned delay_ms[2] = { 0 };
	const WiceRoom *room = member->room;
	unsigned copies = room->policy ? room->policy->deliver(room->state, envelope, delay_ms) : 1;
	for (unsigned i = 0; i < copies; i++) {
		Parcel *parcel = g_new0(Parcel, 1);
		parcel->envelope = wice__envelope_dup(envelope);
		parcel->due_us =
			delay_ms[i] ? g_get_monotonic_time() + 1000 * (gint64)delay_ms[i] : 0;
		member_queue(member, parcel);
	}
}

void wice__room_send(WiceRoom *room, const WiceEnvelope *envelope)
{
	for (guint i = 0; i < room->members->len; i++) {
		Member *member = room->members->pdata[i];
		if (wice__keyset_contains(&member->keys, &envelope->recipient))
			member_deliver(member, envelope);
	}
}

void wice__room_litter(WiceRoom *room, bool oversized)
{
	for (guint i = 0; i < room->members->len; i++) {
		Parcel *parcel = g_new0(Parcel, 1);
		parcel->oversized = oversized;
		member_queue(room->members->pdata[i], parcel);
	}
}

static void send_outbox(const WiceEnvelope *envelope, void *user_data)
{
	wice__room_send(user_data, envelope);
}

/* Returns true if the user has to be told of a change; what was kept is sent now. */
static bool member_update_ready(Member *member)
{
	bool ready = room_is_open(member->room);
	if (member->told && ready == member->ready)
		return false;
	member->told = true;
	member->ready = ready;
	if (ready)
		wice__outbox_flush(member->outbox, send_outbox, member->room);
	return true;
}

/* The next parcel that is due and still wanted, or NULL. */
static Parcel *member_take(Member *member)
{
	Parcel *parcel;
	gint64 now = g_get_monotonic_time();
	while ((parcel = g_queue_peek_head(&member->parcels)) && parcel->due_us <= now) {
		g_queue_pop_head(&member->parcels);
		if (!parcel->envelope ||
		    wice__keyset_contains(&member->keys, &parcel->envelope->recipient))
			return parcel;
		parcel_free(parcel);
	}
	return NULL;
}

static void member_unref(Member *member)
{
	if (--member->refs)
		return;
	g_source_unref(member->source);
	wice__keyset_done(&member->keys);
	wice__outbox_free(member->outbox);
	g_queue_clear_full(&member->parcels, parcel_free);
	g_free(member);
}

/* One event for the user per round, so that a flood cannot starve the other sources. */
static gboolean member_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	Member *member = ((MemberSource *)source)->member;
	const WiceSignalingEvents *events = member->backend.events;
	void *user_data = member->backend.user_data;

	g_mutex_lock(&rooms_lock);
	bool state_changed = member_update_ready(member);
	bool ready = member->ready;
	Parcel *parcel = state_changed ? NULL : member_take(member);
	member_wake(member);
	g_mutex_unlock(&rooms_lock);

	member->refs++;
	if (state_changed)
		events->on_state(ready, ready ? "" : "The room is closed.", user_data);
	else if (parcel && parcel->envelope)
		events->on_envelope(parcel->envelope, user_data);
	else if (parcel)
		events->on_garbage(parcel->oversized, user_data);
	if (parcel)
		parcel_free(parcel);
	member_unref(member);
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs member_funcs = { .dispatch = member_dispatch };

WiceSignalingBackend *wice__room_enter(GMainContext *context, const char *url,
				       const WiceSignalingOps *ops, const WiceRoomPolicy *policy,
				       const WiceSignalingEvents *events, void *user_data)
{
	Member *member = g_new0(Member, 1);
	member->backend = (WiceSignalingBackend){ ops, events, user_data };
	member->refs = 1;
	member->source = g_source_new(&member_funcs, sizeof(MemberSource));
	((MemberSource *)member->source)->member = member;
	member->outbox = wice__outbox_new();
	wice__keyset_init(&member->keys);
	g_queue_init(&member->parcels);

	g_mutex_lock(&rooms_lock);
	member->room = room_get(policy, strchr(url, ':') + 1);
	g_ptr_array_add(member->room->members, member);
	member_wake(member);
	g_mutex_unlock(&rooms_lock);
	g_source_attach(member->source, context);
	return &member->backend;
}

void wice__room_subscribe(WiceSignalingBackend *backend, const WiceKey *public_key,
			  const WiceKey *private_key)
{
	g_mutex_lock(&rooms_lock);
	wice__keyset_add(&((Member *)backend)->keys, public_key);
	g_mutex_unlock(&rooms_lock);
}

void wice__room_unsubscribe(WiceSignalingBackend *backend, const WiceKey *public_key)
{
	g_mutex_lock(&rooms_lock);
	wice__keyset_remove(&((Member *)backend)->keys, public_key);
	g_mutex_unlock(&rooms_lock);
}

void wice__room_publish(WiceSignalingBackend *backend, const WiceEnvelope *envelope)
{
	Member *member = (Member *)backend;
	if (wice__envelope_size(envelope) == 0) {
		wice__log(WICE_LOG_WARNING, backend->ops->scheme,
			  "An envelope of %zu bytes was not sent: the limit is %d.",
			  envelope->body_len, WICE_ENVELOPE_MAX);
		return;
	}
	g_mutex_lock(&rooms_lock);
	if (member->ready)
		wice__room_send(member->room, envelope);
	else
		wice__outbox_put(member->outbox, envelope);
	g_mutex_unlock(&rooms_lock);
}

/* Nothing here depends on addresses. */
void wice__room_network_changed(WiceSignalingBackend *backend)
{
}

void wice__room_leave(WiceSignalingBackend *backend)
{
	Member *member = (Member *)backend;
	g_mutex_lock(&rooms_lock);
	g_ptr_array_remove_fast(member->room->members, member);
	room_free_if_unused(member->room);
	member->room = NULL;
	g_mutex_unlock(&rooms_lock);
	g_source_destroy(member->source);
	member_unref(member);
}

void wice__room_with(const WiceRoomPolicy *policy, const char *name,
		     void (*func)(WiceRoom *room, void *state, void *user_data), void *user_data)
{
	g_mutex_lock(&rooms_lock);
	WiceRoom *room = room_get(policy, name);
	room->kept = true;
	func(room, room->state, user_data);
	for (guint i = 0; i < room->members->len; i++)
		member_wake(room->members->pdata[i]);
	g_mutex_unlock(&rooms_lock);
}

void wice__room_forget(const WiceRoomPolicy *policy, const char *name)
{
	g_mutex_lock(&rooms_lock);
	WiceRoom *room = room_get(policy, name);
	room->kept = false;
	room_free_if_unused(room);
	g_mutex_unlock(&rooms_lock);
}
