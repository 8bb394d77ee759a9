/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_SIGNALING_OUTBOX_H
#define WICE_SIGNALING_OUTBOX_H

#include <glib.h>
#include <wice/signaling.h>

/* A copy with its body in one piece of memory; g_free() it. */
WiceEnvelope *wice__envelope_dup(const WiceEnvelope *envelope);

/*
 * What a backend keeps while it cannot send: the newest envelope per (sender, recipient).
 * Descriptions are complete, so an older one is worth nothing. Grows with the pairs that the user
 * configured, not with strangers.
 */
typedef struct WiceOutbox WiceOutbox;

WiceOutbox *wice__outbox_new(void);
void wice__outbox_free(WiceOutbox *outbox);
void wice__outbox_put(WiceOutbox *outbox, const WiceEnvelope *envelope);
/* Empties it through send, oldest pair first. send may put again: that is kept, not sent. */
void wice__outbox_flush(WiceOutbox *outbox,
			void (*send)(const WiceEnvelope *envelope, void *user_data),
			void *user_data);

#endif
