/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_ENGINE_H
#define WICE_ENGINE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/bind.h>
#include <wice/device.h>
#include <wice/key.h>
#include <wice/macros.h>
#include <wice/plan.h>
#include <wice/wg.h>

WICE_BEGIN_DECLS

/*
 * WireGuard in this process. An engine is one interface: between a TUN device, or packet callbacks,
 * and a bind. It is configured with plans and read as snapshots, as every WireGuard device is
 * (wice/plan.h, wice/device.h). It has threads of its own; everything that it tells comes on the
 * main context that it was made with, but for packets.
 *
 * All functions may be called from any thread, with two exceptions. wice_engine_free() is called
 * where the main context runs, in an event too, or while nobody runs it. And functions that the
 * engine calls on its own threads (output, the hooks of a bind and what those call) may call
 * wice_engine_inject() and wice_engine_name() only: the others may be waiting for that thread.
 */
typedef struct WiceEngine WiceEngine;

/*
 * An IP packet has been decrypted. On a thread of the engine: be quick. Valid during the call. One
 * call at a time.
 */
typedef void (*WiceEngineOutputFunc)(const uint8_t *packet, size_t length, void *user_data);

typedef enum {
	WICE_ENGINE_PEER_HANDSHAKE = 1, /* a session has begun */
	WICE_ENGINE_PEER_ENDPOINT,      /* a peer has roamed */
	WICE_ENGINE_CONFIGURED,         /* a plan was applied */
	WICE_ENGINE_LOST, /* the TUN device is gone; the engine does nothing any more */
	/* The file of wice_engine_listen() was deleted: this is how an engine is asked to end. */
	WICE_ENGINE_SOCKET_DELETED,
} WiceEngineEventType;

typedef struct {
	WiceEngineEventType type;
	WiceKey peer; /* of a PEER event */
} WiceEngineEvent;

/* On the engine's main context. It may call anything, wice_engine_free() as well. */
typedef void (*WiceEngineEventFunc)(WiceEngine *engine, const WiceEngineEvent *event,
				    void *user_data);

typedef struct {
	size_t size; /* sizeof(WiceEngineOptions) */
	/* One of three. The name of a TUN interface to make ("wg0", "wg%d"); */
	const char *name;
	/* a TUN device that was opened elsewhere: taken over if the call succeeds; 0: none; */
	int tun_fd;
	/*
	 * or a function for what comes out, wice_engine_inject() for what goes in. Then name is what
	 * the engine is called, and may be NULL.
	 */
	WiceEngineOutputFunc output;
	/* Owned by the engine once the call has succeeded. NULL: UDP sockets. */
	WiceBind *bind;
	uint32_t mtu;      /* of a new interface or of callbacks; 0: 1420 */
	unsigned n_queues; /* threads for each direction, 0: 1 */
	bool no_offload;   /* TUN and UDP without segmentation offload */
	WiceEngineEventFunc on_event;
	void *user_data; /* of both functions */
} WiceEngineOptions;

/* Packets and offload calls of the TUN device, since the engine was made. */
typedef struct {
	uint64_t rx_packets, rx_frames; /* read from the system */
	uint64_t tx_packets, tx_frames; /* written to it */
	uint64_t rx_malformed;          /* frames that made no sense */
	uint64_t tx_dropped;            /* the system did not take them */
	uint64_t gso_fallbacks;         /* joined frames that the system refused */
	bool tcp_offload, udp_offload;  /* what is switched on */
} WiceTunCounters;

/* What was dropped and why, since the engine was made. */
typedef struct {
	WiceTunCounters tun;
	WiceBindCounters bind;
	uint64_t no_peer;        /* to an address that is nobody's, or what we sent came back */
	uint64_t no_endpoint;    /* to a peer whose endpoint is not known */
	uint64_t staged_dropped; /* too many waited for a handshake, or none came about */
	uint64_t invalid;        /* no message of WireGuard */
	uint64_t unknown_index;  /* for a session that is none */
	uint64_t forged;         /* did not decrypt */
	uint64_t replayed;       /* counter seen before, or too old */
	uint64_t expired;        /* for a session that has ended */
	uint64_t not_ip;         /* decrypted, but no IP packet, or cut short */
	uint64_t spoofed;        /* from an address that is not the peer's */
	uint64_t bad_handshake;  /* handshakes that were forged, replayed, or unknown */
	uint64_t cookies_sent;   /* answers under load */
	uint64_t rate_limited;
	uint64_t overloaded; /* handshakes for which there was no room */
} WiceEngineCounters;

/*
 * Makes an engine and starts it. Events come on context (NULL: the default one). Errors: EXISTS (the
 * interface), PERMISSION (TUN devices need CAP_NET_ADMIN, or the bind cannot be opened), UNSUPPORTED
 * (no TUN in this system), INVALID (options), IO (too many files or threads), FAILED. What the
 * options hand over is still the caller's then.
 */
WICE_API WiceEngine *wice_engine_new(GMainContext *context, const WiceEngineOptions *options,
				     GError **error) WICE_WARN_UNUSED;
/* Stops it: the interface that it made is gone, threads have ended, keys are wiped. NULL is fine. */
WICE_API void wice_engine_free(WiceEngine *engine);

/* The name of the interface; with callbacks the one that it was given, or "". */
WICE_API const char *wice_engine_name(const WiceEngine *engine);
/* "avx512", "libsodium"...: what encrypts packets. Static. */
WICE_API const char *wice_engine_cipher(const WiceEngine *engine);

/* A snapshot. The caller owns the reference. */
WICE_API WiceDevice *wice_engine_get(WiceEngine *engine) WICE_WARN_UNUSED;
/*
 * Applies a plan, wholly or, if it fails, not at all. Errors: BUSY (the listen port is
 * taken), PERMISSION (fwmark).
 */
WICE_API gboolean wice_engine_set(WiceEngine *engine, const WicePlan *plan, GError **error);
/*
 * The userspace API as a function: one "get=1" or "set=1" text, up to and with its empty line.
 * Returns the answer, to be wiped (it may hold the private key) and freed with g_free(). Never fails:
 * errors are answers.
 */
WICE_API char *wice_engine_uapi(WiceEngine *engine, const char *request,
				size_t length) WICE_WARN_UNUSED;
/*
 * Lets wg(8), wg-quick(8) and other programs use the engine: answers the userspace API on
 * /var/run/wireguard/NAME.sock, which only its owner may open, until the engine is freed. fd: that
 * socket, if somebody else has made it and listens; taken over if the call succeeds. -1: it is made.
 * Errors: EXISTS (a program listens there), PERMISSION, INVALID (no name, or fd is no listening
 * socket), IO.
 */
WICE_API gboolean wice_engine_listen(WiceEngine *engine, int fd, GError **error);
/*
 * Makes the engine a device of wg until it is freed: what is done there under its name (wice_wg_get(),
 * wice_wg_set(), a watch...) is done to it, within this process and before any other device of
 * that name. Watches are told of all that happens, and need not poll it. wg may be freed earlier.
 * Errors: INVALID (it has no name), EXISTS (an engine of that name is attached).
 */
WICE_API gboolean wice_engine_attach(WiceEngine *engine, WiceWg *wg, GError **error);
/*
 * Up: sockets are opened, packets flow. Down: sessions end. With a TUN device, follows the
 * interface's state by itself; without one, or where programs may not follow interfaces (Android),
 * it is up from the start.
 */
WICE_API gboolean wice_engine_set_up(WiceEngine *engine, bool up, GError **error);
/* With callbacks: an IP packet to be sent. It is copied. False if it is none, or too many wait. */
WICE_API bool wice_engine_inject(WiceEngine *engine, const uint8_t *packet, size_t length);
WICE_API void wice_engine_counters(WiceEngine *engine, WiceEngineCounters *ret_counters);
/* The engine's bind, for what is special of its kind. Owned by the engine. */
WICE_API WiceBind *wice_engine_bind(WiceEngine *engine);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(WiceEngine, wice_engine_free)

WICE_END_DECLS

#endif
