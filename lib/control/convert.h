/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_CONTROL_CONVERT_H
#define WICE_CONTROL_CONVERT_H

#include "control/arena.h"

#include <glib.h>
#include <stdint.h>
#include <wice/status.h>

/*
 * Between <wice/status.h> and the messages of control.proto. Encoding cannot fail; text that is
 * not UTF-8 is mended, since protobuf forbids it. Decoding believes nothing: lengths, enums,
 * ports, prefixes and texts are checked before anything is made of them, and it fails with
 * PROTOCOL and a sentence.
 */

/* Bytes of the largest answer that a client accepts, and the memory that decoding one may take. */
#define WICE_CONTROL_RESPONSE_MAX ((size_t)16 * 1024 * 1024)
#define WICE_CONTROL_RESPONSE_MEMORY (8 * WICE_CONTROL_RESPONSE_MAX)

/* Longest reason, URL or version, bytes; longer ones are cut when encoding. */
#define WICE_CONTROL_TEXT_MAX 2048

/*
 * A GetStatusResponse of everything, of one interface, or of one peer of it (both may be NULL).
 * NULL if the one asked for is not in info.
 */
GBytes *wice__control_status_encode(const WiceStatusInfo *info, const char *interface,
				    const WiceKey *peer);
WiceStatus *wice__control_status_decode(const uint8_t *bytes, size_t len, GError **error);

/* An Event. The texts of a decoded one live in the arena. */
GBytes *wice__control_event_encode(const WiceEvent *event);
gboolean wice__control_event_decode(const uint8_t *bytes, size_t len, WiceArena *arena,
				    WiceEvent *ret, GError **error);

#endif
