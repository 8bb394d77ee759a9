/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_CONTROL_TARGET_H
#define WICE_CONTROL_TARGET_H

#include <glib.h>
#include <wice/agent.h>
#include <wice/cancel.h>
#include <wice/key.h>
#include <wice/status.h>

/*
 * What a control server controls: an agent, or a fake in tests. self is what was given to the
 * server; it outlives the server. Hooks are called on the server's thread, from its main loop,
 * and must not block. Names have been checked for length and characters. The contract of each is
 * that of the public function of the same name.
 */
typedef struct {
	/* A snapshot of everything; the server drops the reference. Never NULL. */
	WiceStatus *(*status)(void *self);
	/* NOT_FOUND if there is no such peer. */
	gboolean (*restart_peer)(void *self, const char *interface, const WiceKey *peer,
				 GError **error);
	/* interface NULL: all of them, as in the next one. */
	gboolean (*set_mechanism)(void *self, const char *interface, WiceMechanism mechanism,
				  GError **error);
	gboolean (*sync)(void *self, const char *interface, GError **error);
	gboolean (*add_interface)(void *self, const char *pattern, GError **error);
	gboolean (*remove_interface)(void *self, const char *pattern, GError **error);
	gboolean (*create_interface)(void *self, const char *name, GError **error);
	gboolean (*delete_interface)(void *self, const char *name, GError **error);
	/*
	 * Calls callback exactly once, never before it has returned, then destroy; both may come
	 * after the server has been freed, but then only following a cancel.
	 */
	void (*wait)(void *self, const char *interface, const WiceKey *peer, WicePeerState state,
		     unsigned timeout_ms, WiceCancel *cancel, WiceWaitFunc callback,
		     void *user_data, GDestroyNotify destroy);
	/* The server sets itself when it starts and NULL when it is freed. */
	void (*set_event_handler)(void *self, WiceEventHandler handler, void *user_data);
} WiceControlTargetOps;

#endif
