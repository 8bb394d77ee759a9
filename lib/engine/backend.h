/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_ENGINE_BACKEND_H
#define WICE_ENGINE_BACKEND_H

#include <wice/engine.h>

#include "wg/backend.h"

/* Engines as devices of a WiceWg. */

/* For the backend: what the engine does for wice_engine_set(); 0 or -errno as of a backend's set(). */
int wice__engine_set(WiceEngine *engine, const WicePlan *plan);

/*
 * For the engine: where it is attached. NULL: nowhere. It calls _tell() after everything that it
 * tells of, on any thread, _detach() before it ends: afterwards nobody calls it from there any more,
 * and _free() when it has ended.
 */
typedef struct WiceEngineAttachments WiceEngineAttachments;
void wice__engine_attachments_tell(WiceEngineAttachments *attachments);
void wice__engine_attachments_detach(WiceEngineAttachments *attachments);
void wice__engine_attachments_free(WiceEngineAttachments *attachments);
/* The engine's place for them, set once and atomically. */
WiceEngineAttachments **wice__engine_attachments(WiceEngine *engine);

#endif
