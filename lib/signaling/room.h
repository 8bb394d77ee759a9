/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_SIGNALING_ROOM_H
#define WICE_SIGNALING_ROOM_H

#include <glib.h>
#include <stdbool.h>
#include <wice/signaling.h>

/*
 * A room is a place in this process where backends meet by name, whatever thread each of them lives
 * on. It is the whole of the inprocess backend, and of the fake one with a policy that makes the
 * weather.
 */
typedef struct WiceRoom WiceRoom;

/* Envelopes that wait for one member; the oldest is dropped when one more comes. */
#define WICE_ROOM_QUEUE_MAX 4096

typedef struct {
	/*
	 * Decides what happens to an envelope on its way to one member, under the lock of all
	 * rooms: returns the number of copies, at most two, and how long each is under way.
	 */
	unsigned (*deliver)(void *state, const WiceEnvelope *envelope, unsigned ret_delay_ms[2]);
	/* Whether the room is open; members outside are not ready and keep what they publish. */
	bool (*is_open)(const void *state);
	void *(*state_new)(void);
	void (*state_free)(void *state);
} WiceRoomPolicy;

/*
 * Makes a member of the room for the URL "SCHEME:NAME". The hooks below are those of
 * WiceSignalingOps. policy NULL: every envelope is delivered once and at once. Rooms of different
 * policies never meet.
 */
WiceSignalingBackend *wice__room_enter(GMainContext *context, const char *url,
				       const WiceSignalingOps *ops, const WiceRoomPolicy *policy,
				       const WiceSignalingEvents *events, void *user_data);
void wice__room_subscribe(WiceSignalingBackend *backend, const WiceKey *public_key,
			  const WiceKey *private_key);
void wice__room_unsubscribe(WiceSignalingBackend *backend, const WiceKey *public_key);
void wice__room_publish(WiceSignalingBackend *backend, const WiceEnvelope *envelope);
void wice__room_network_changed(WiceSignalingBackend *backend);
void wice__room_leave(WiceSignalingBackend *backend);

/*
 * Runs func on the state of the room with that name under the lock of all rooms, and lets the
 * members see whether the room is open then. The room is kept, empty or not, until
 * wice__room_forget().
 */
void wice__room_with(const WiceRoomPolicy *policy, const char *name,
		     void (*func)(WiceRoom *room, void *state, void *user_data), void *user_data);
void wice__room_forget(const WiceRoomPolicy *policy, const char *name);
/* Delivers to whom it is addressed as if it had been published; only inside of func. */
void wice__room_send(WiceRoom *room, const WiceEnvelope *envelope);
/* Gives every member bytes that are no envelope; only inside of func. */
void wice__room_litter(WiceRoom *room, bool oversized);

#endif
