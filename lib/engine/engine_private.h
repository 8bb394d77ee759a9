/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_ENGINE_ENGINE_PRIVATE_H
#define WICE_ENGINE_ENGINE_PRIVATE_H

#include <glib.h>
#include <stdatomic.h>
#include <wice/engine.h>

#include "engine/backend.h"
#include "engine/core.h"
#include "engine/tun.h"
#include "engine/tun_link.h"
#include "engine/uapi_server.h"
#include "event/source.h"

/*
 * A running engine: a core between a TUN and a bind, and the threads that make it run.
 *
 *	outbound threads   TUN -> core -> bind, one per queue
 *	inbound threads    bind -> core -> TUN, one per queue of the bind
 *	control thread     handshakes, timers, the state of the interface
 *
 * The first two exist while the engine is up; whatever must not happen beside them (the bind is
 * opened anew, the MTU changes) stops and starts them.
 */
typedef struct WiceEngineThread WiceEngineThread;

/* Handshake messages wait here for the control thread. */
typedef struct {
	GMutex mutex;
	GQueue messages;       /* WiceInboxMessage */
	int64_t load_until_ms; /* we are under load until then */
	uint64_t overloaded;   /* messages for which there was no room */
} WiceInbox;

struct WiceEngine {
	char name[16];      /* "": on callbacks, without a name */
	bool has_callbacks; /* no TUN interface */
	const char *cipher; /* static */
	WiceTun *tun;
	WiceBind *bind;
	WiceCore *core;
	WiceEngineAttachments *attachments;
	WiceUapiServer *server; /* NULL: nobody listens */

	/* What is configured; lock protects it, and is held while the engine goes up or down. */
	GMutex lock;
	bool wanted;       /* it is to be up */
	bool up;           /* and is: the bind is open and there are threads */
	_Atomic bool lost; /* the TUN device is gone */
	uint16_t port;     /* that is listened to, or 0: any */
	uint32_t fwmark;
	uint32_t mtu;
	GPtrArray *threads; /* WiceEngineThread */
	unsigned n_inbound;
	_Atomic bool stopping; /* threads end */
	int stop_fd;           /* is readable then, for those that sleep */

	/* Control. */
	GMainContext *control;
	GMainLoop *loop;
	GThread *control_thread;
	_Atomic bool quitting; /* the control thread is to end */
	WiceInbox inbox;
	WiceTimer *timer;
	int wake_fd;
	WiceFdWatch *wake;
	WiceTunLink *link; /* NULL: no interface, or none that could be followed */
	GMutex send_lock;  /* control sends, or the bind is opened or closed */
	bool bind_open;

	/* Events. */
	GMainContext *context;
	WiceEngineEventFunc on_event;
	void *user_data;
	GMutex events_lock;
	GQueue events;       /* WiceEngineEvent */
	GSource *dispatcher; /* NULL: none is under way */
	bool *freed;         /* of the dispatcher that runs, for which this may be the end */
};

/* As wice_engine_new(), with this cipher. */
WiceEngine *wice__engine_new_with(GMainContext *context, const WiceEngineOptions *options,
				  const WiceAeadProvider *aead, GError **error);

WiceNow wice__engine_now(void);

/* engine_threads.c: with the lock held. */
int wice__engine_start_threads(WiceEngine *engine, unsigned n_inbound);
/* Returns when all have ended. */
void wice__engine_stop_threads(WiceEngine *engine);

/* engine_control.c: 0, or -EAGAIN if no thread is to be had. */
int wice__engine_start_control(WiceEngine *engine);
void wice__engine_stop_control(WiceEngine *engine);
/* The control thread has something to do. Any thread. */
void wice__engine_wake(WiceEngine *engine);
/* A handshake message has come in; it is copied. Any thread. */
void wice__engine_put_handshake(const uint8_t *data, size_t length, const WiceBindPath *path,
				void *engine);
extern const WiceCoreHooks wice__engine_hooks;

/* engine_events.c: any thread. */
void wice__engine_emit(WiceEngine *engine, WiceEngineEventType type, const WiceKey *peer);
/* No event comes any more. */
void wice__engine_drop_events(WiceEngine *engine);

/* engine.c: what the interface is like has changed. The control thread's. */
void wice__engine_link_changed(WiceEngine *engine, bool up, uint32_t mtu);
/* The TUN device is gone. Any thread. */
void wice__engine_lost(WiceEngine *engine);

#endif
