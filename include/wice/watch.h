/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WATCH_H
#define WICE_WATCH_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/device.h>
#include <wice/macros.h>
#include <wice/wg.h>

WICE_BEGIN_DECLS

/*
 * What happens to the WireGuard interfaces of this network namespace, as one stream of events.
 *
 * Nothing is believed but what is read: sources only say which device to look at and when, and
 * events are the differences between what was there and what is. So whatever comes and goes
 * between two looks is not told, and what is told adds up to what there is. The sources, and how
 * late each one is (measured by tests/bench/run wg):
 *
 *	links      RTNLGRP_LINK: kernel devices made, deleted, renamed, set up or down; 20 ms
 *	sockets    inotify on /var/run/wireguard: userspace devices; 20 ms
 *	peers      a multicast group "peers" of the kernel's "wireguard" family, if it offers one
 *	           (no released kernel does; resolved by name); at once
 *	own        what this program changes through the same WiceWg (wice_wg_set()); at once
 *	engines    all that happens to the engines of this process that are attached to the WiceWg
 *	           (wice_engine_attach()), but for byte counters; at once. They are not polled,
 *	           unless for those.
 *	poll       everything else: peers, endpoints, handshakes and counters change silently.
 *	           A device is polled every 20 ms while something is connecting: a peer that was
 *	           added or got another endpoint less than 15 s ago and has not had a handshake
 *	           since, or while wice_watch_hurry() asks for it; else every 5 s. Large devices
 *	           are read more rarely: polling never takes more than 1/20 of the processor
 *	           time (1/1000 when nothing is connecting), and no device is read again sooner
 *	           than 20 times as long as the last read took, whatever the source.
 *
 * Devices are read by a worker thread, so that one that hangs blocks nobody; it delays the reads
 * of others by up to 1 s, and is tried again after 1, 2, 4 ... 64 s. The thread is made by
 * wice_watch_new() and stays in the network namespace of its caller. Without devices, nothing
 * wakes the program.
 *
 * Events come from the thread that dispatches, one after the other: what is there at first as
 * added; a device before its peers, when it goes after them. A watch may be used by one thread at
 * a time.
 */
typedef struct WiceWatch WiceWatch;

typedef enum {
	/*
	 * A device that was deleted and made again under its name between two looks (its index is
	 * another one) is removed with all its peers, and added.
	 */
	WICE_WATCH_DEVICE_ADDED = 1,
	WICE_WATCH_DEVICE_REMOVED,
	WICE_WATCH_DEVICE_CHANGED, /* key, port or mark: see changes */
	WICE_WATCH_PEER_ADDED,
	WICE_WATCH_PEER_REMOVED,
	WICE_WATCH_PEER_CHANGED, /* preshared key, keepalive or allowed IPs: see changes */
	WICE_WATCH_ENDPOINT,     /* a peer has another endpoint */
	WICE_WATCH_HANDSHAKE,    /* a peer has had a new handshake */
	WICE_WATCH_TRANSFER,     /* a peer's counters moved; only if asked for */
	/*
	 * A device cannot be read (it hangs, privileges are missing): message says why. Once until
	 * it can be read again; what was known of it stays. If name is "", it is the list of all
	 * devices that cannot be had.
	 */
	WICE_WATCH_TROUBLE,
} WiceWatchEventType;

/* All pointers are valid during the call; keep snapshots with wice_device_ref(). */
typedef struct {
	WiceWatchEventType type;
	const char *name; /* the interface's */
	unsigned changes; /* WiceChanges, of _CHANGED events */
	/*
	 * Snapshots; before is NULL if the device was added, after if it was removed. Of _TROUBLE
	 * both are what is known, if anything.
	 */
	WiceDevice *before;
	WiceDevice *after;
	const WiceDevicePeer *peer_before; /* of peer events; NULL if it was added */
	const WiceDevicePeer *peer_after;  /* NULL if it was removed */
	const char *message;               /* of _TROUBLE, else NULL */
} WiceWatchEvent;

/* May free the watch. */
typedef void (*WiceWatchFunc)(const WiceWatchEvent *event, void *user_data);

typedef struct {
	size_t size;      /* sizeof(WiceWatchOptions) */
	const char *name; /* only this interface, which need not exist; NULL: all */
	bool transfer;    /* also WICE_WATCH_TRANSFER */
	unsigned fast_ms; /* period of the fast poll, 0: 20 ms */
	unsigned slow_ms; /* period of the slow poll, 0: 5,000 ms; UINT_MAX: never */
} WiceWatchOptions;

/*
 * Begins to watch, through wg, which may be freed earlier. options may be NULL. destroy (may be NULL)
 * frees user_data when the watch is freed; it is not called if this fails. Errors: INVALID (no
 * interface can have that name), IO.
 */
WICE_API WiceWatch *wice_watch_new(WiceWg *wg, const WiceWatchOptions *options, WiceWatchFunc func,
				   void *user_data, GDestroyNotify destroy,
				   GError **error) WICE_WARN_UNUSED;
/*
 * Ends it: no call comes afterwards. Fine from within func, and for NULL. Does not wait for a
 * device that is being read: the thread ends when it has been.
 */
WICE_API void wice_watch_free(WiceWatch *watch);

/*
 * Without a main loop: a descriptor that is readable when there is something to do, for poll(2).
 * It belongs to the watch.
 */
WICE_API int wice_watch_fd(const WiceWatch *watch);
/*
 * Does it: calls func for what has happened; never blocks. Fine at any time; from within func it
 * does nothing.
 */
WICE_API void wice_watch_dispatch(WiceWatch *watch);

/*
 * With one: dispatches from context (NULL: the default one) until the watch is freed or attached
 * elsewhere.
 */
WICE_API void wice_watch_attach(WiceWatch *watch, GMainContext *context);

/*
 * Looks at this interface (NULL: all) now and polls it fast for so long: the caller knows that
 * something is going on. The last call counts.
 */
WICE_API void wice_watch_hurry(WiceWatch *watch, const char *name, unsigned ms);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(WiceWatch, wice_watch_free)

WICE_END_DECLS

#endif
