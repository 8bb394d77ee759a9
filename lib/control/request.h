/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_CONTROL_REQUEST_H
#define WICE_CONTROL_REQUEST_H

#include "control/arena.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <wice/key.h>
#include <wice/status.h>

#define WICE_CONTROL_SERVICE "/wice.control.v1.Control/"

/* Its calls. */
typedef enum {
	WICE_CONTROL_GET_STATUS = 0,
	WICE_CONTROL_STREAM_EVENTS,
	WICE_CONTROL_RESTART_PEER,
	WICE_CONTROL_SYNC,
	WICE_CONTROL_ADD_INTERFACE,
	WICE_CONTROL_REMOVE_INTERFACE,
	WICE_CONTROL_CREATE_INTERFACE,
	WICE_CONTROL_DELETE_INTERFACE,
	WICE_CONTROL_WAIT,
	WICE_CONTROL_STOP,
	WICE_CONTROL_SET_MECHANISM,
	WICE_CONTROL_N_METHODS,
} WiceControlMethod;

/* What a request can say; each call uses some of it. */
typedef struct {
	const char *interface;   /* a name or a pattern; NULL: not given */
	const WiceKey *peer;     /* NULL: not given */
	WicePeerState state;     /* Wait only */
	uint32_t timeout_ms;     /* Wait only */
	WiceMechanism mechanism; /* SetMechanism only */
} WiceControlRequest;

/* Bytes of a request that a server accepts, and the memory that decoding one may take. */
#define WICE_CONTROL_REQUEST_MAX (64 * 1024)
#define WICE_CONTROL_REQUEST_MEMORY ((size_t)1024 * 1024)

/*
 * True for what the kernel accepts as the name of an interface: 1 to 15 bytes, none of them
 * awkward.
 */
bool wice__control_name_is_possible(const char *name);

/* "/wice.control.v1.Control/GetStatus" */
const char *wice__control_method_path(WiceControlMethod method);

GBytes *wice__control_request_encode(WiceControlMethod method, const WiceControlRequest *request);

/*
 * Reads a request of a stranger; what ret points to lives in the arena. Fails with INVALID and a
 * sentence that names the field.
 */
gboolean wice__control_request_decode(WiceControlMethod method, const uint8_t *bytes, size_t len,
				      WiceArena *arena, WiceControlRequest *ret, GError **error);

#endif
