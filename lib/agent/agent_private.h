/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_AGENT_AGENT_PRIVATE_H
#define WICE_AGENT_AGENT_PRIVATE_H

#include <glib.h>
#include <wice/agent.h>
#include <wice/engine.h>
#include <wice/wg.h>

#include "agent/hosted.h"
#include "agent/interface.h"
#include "agent/stun_servers.h"
#include "event/addresses.h"
#include "event/context_pool.h"
#include "event/source.h"
#include "ice/ice.h"
#include "proxy/bpf/mux.h"
#include "relay/spec.h"
#include "signaling/hub.h"
#include "wg/presence.h"

/* The agent as its own files see it. Interfaces use it through these fields and functions. */
struct WiceAgent {
	GMainContext *context;
	WiceContextPool *contexts; /* for what there is one of per peer */
	WiceWg *wg;
	GPtrArray *engines; /* WiceEngine: the program's, and those of hosted */
	GPtrArray *hosted;  /* see hosted.h */
	GMutex told_mutex;  /* of the two that follow: engines tell on their threads */
	GHashTable *told;   /* names of devices to look at */
	WiceTimer *told_timer;
	const WiceIceOps *ice;
	char *state_dir;
	int64_t started_ms;
	uint64_t epoch; /* of the newest mailbox: grows within a life and from life to life */
	WiceSignalingHub *hub;
	WicePresence *wg_watch;
	WiceAddressWatch *address_watch;
	WiceStunServers *stun;
	WiceTimer *list_timer;  /* lists interfaces again: what no event tells */
	GPtrArray *patterns;    /* char * */
	GHashTable *interfaces; /* name -> WiceInterface */
	GHashTable *exceptions; /* names that were let go although a pattern matches */
	GHashTable *foreign;    /* names of wanted interfaces that another process has */
	GArray *addresses;      /* WiceAddress, sorted: where ICE agents may bind */
	bool has_addresses;
	int64_t (*slept_ms)(void);
	int64_t slept;          /* at the last look */
	unsigned n_polled_fast; /* interfaces that are read often at the moment */
	uint32_t fwmark;
	WiceMechanism mechanism; /* that interfaces are to use; NONE: the best one */
	bool no_port_mapping;
	bool fits_mtu;                  /* of interfaces may be lowered */
	bool hosts_relay;               /* interfaces are relays for their peers */
	GPtrArray *relay_specs;         /* WiceRelaySpec */
	WiceBpfMux *mux;                /* made when first asked for */
	GError *mux_error;              /* why it could not be */
	WiceSignalingCounters counters; /* what belongs to no interface */
	GQueue *events;                 /* not delivered yet */
	WiceEventHandler handler;
	void *handler_data;
	GList *waits;
	WiceTimer *wait_timer; /* delivers events, then looks at the waits */
};

/* What tests put in place of the system. NULL: the real one. */
typedef struct {
	WiceWg *wg; /* ownership passes */
	const WiceIceOps *ice;
	int64_t (*slept_ms)(void); /* as wice__slept_ms() */
} WiceAgentBackends;

WiceAgent *wice__agent_new_with(GMainContext *context, const WiceAgentOptions *options,
				const WiceAgentBackends *backends, GError **error);

/* The engine whose interface has this name, or NULL. */
WiceEngine *wice__agent_find_engine(WiceAgent *agent, const char *name);

/* The BPF mux of all interfaces, or NULL and why it cannot be had. */
WiceBpfMux *wice__agent_mux(WiceAgent *agent, GError **error);

/* events.c */
/* Sends a copy of the event to the handler from the main loop, and looks at the waits again. */
void wice__agent_emit(WiceAgent *agent, const WiceEvent *event);
void wice__agent_deliver_events(WiceAgent *agent);
/* Undelivered. */
void wice__agent_free_events(WiceAgent *agent);

/* care.c */
/* The agent was told to take care of an interface of that name. */
bool wice__agent_wants(const WiceAgent *agent, const char *name);
/* Takes what is wanted and lets go of what is not there any more. */
void wice__agent_sync_all(WiceAgent *agent);
/* Frees the interface of that name, if it has it; gone: it has disappeared. */
void wice__agent_drop(WiceAgent *agent, const char *name, bool gone);
/* The interface has disappeared: frees it. */
void wice__agent_lost(WiceAgent *agent, WiceInterface *interface);

/* network.c */
/* Lists the addresses of this host; if they are others, all sessions look for paths anew. */
void wice__agent_refresh_addresses(WiceAgent *agent);
/* The same if this host has slept since the last look. */
void wice__agent_notice_sleep(WiceAgent *agent);

/* wait.c */
void wice__waits_evaluate(WiceAgent *agent);
void wice__waits_cancel_all(WiceAgent *agent);

#endif
