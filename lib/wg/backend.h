/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_BACKEND_H
#define WICE_WG_BACKEND_H

#include <glib.h>
#include <stdint.h>
#include <wice/wg.h>

/*
 * One way to reach WireGuard devices: netlink, UAPI sockets, the fake. Hooks return 0 or -errno,
 * block no longer than until deadline_ms (wice__now_ms() time), and may be called from several
 * threads at once. Names are valid (wice__interface_name_valid()). These -errno have one meaning
 * for all of them:
 *
 *	-ENODEV       this backend has no such device: the next one is asked
 *	-EPERM        privileges are missing
 *	-EACCES       the same, for a file or socket
 *	-ETIMEDOUT    no answer before the deadline
 *	-EPROTO       the answer is malformed
 *	-EINVAL       the device's implementation refuses a value
 *	-EBUSY        it changes all the time, or the system holds it
 *	-EOPNOTSUPP   the device's implementation cannot do this
 *	-ENOPROTOOPT  set(): it cannot take single allowed IPs away
 *	-EADDRINUSE   set(), set_link(): the listen port is in use (found out when it is set up)
 *	-EEXIST       create(), set_link(): the name is taken
 *	-ENOTUNIQ     set_link(): an address to add is there already, with another length
 *	-EALREADY     set_link(): a route to add is there already, perhaps to another link
 *	-EAFNOSUPPORT set_link(): an address to add is IPv6's, which is switched off
 */
typedef struct WiceWgBackend WiceWgBackend;

typedef struct {
	const char *name; /* for messages: "netlink" */
	WiceDeviceKind kind;

	/*
	 * Appends the names of all its devices (g_strdup()ed) to names, any order, and sentences
	 * about what it had to leave out (g_strdup()ed) to problems; no devices is no error. Without
	 * problems (NULL) nobody wants to know, and nothing need be done to find out.
	 */
	int (*list)(WiceWgBackend *backend, GPtrArray *names, GPtrArray *problems,
		    int64_t deadline_ms);

	/* Reads one device. The caller owns the reference in *ret. */
	int (*get)(WiceWgBackend *backend, const char *name, int64_t deadline_ms, WiceDevice **ret);

	/*
	 * Applies a change that is not empty and has been checked (it is a plan's), in its order,
	 * and touches nothing else. -ENOPROTOOPT if there are allowed IPs to take away and that is
	 * what it cannot do: it is called again then, with whole lists instead; what came before
	 * may have been applied.
	 */
	int (*set)(WiceWgBackend *backend, const char *name, const WiceDeviceChange *change,
		   int64_t deadline_ms);

	/* Makes a device. NULL: it cannot. -EOPNOTSUPP if this system cannot. */
	int (*create)(WiceWgBackend *backend, const char *name, int64_t deadline_ms);

	/* Removes one, if it is this backend's. */
	int (*remove)(WiceWgBackend *backend, const char *name, int64_t deadline_ms);

	/*
	 * The network interface of a device. The caller owns what *ret holds and frees it with
	 * wice_link_free().
	 */
	int (*get_link)(WiceWgBackend *backend, const char *name, int64_t deadline_ms,
			WiceLink **ret);
	/* Changes it, as wice_wg_set_link() says. The change has been checked. */
	int (*set_link)(WiceWgBackend *backend, const char *name, const WiceLinkChange *change,
			int64_t deadline_ms);

	void (*free)(WiceWgBackend *backend);
} WiceWgBackendOps;

/* Implementations embed this as their first member. */
struct WiceWgBackend {
	const WiceWgBackendOps *ops;
};

/*
 * A WiceWg on these backends instead of the system's. Where two have a device of one name, the
 * first one wins. Takes ownership of the backends, not of the array.
 */
WiceWg *wice__wg_new_with(WiceWgBackend *const *backends, size_t n_backends);

/* One more owner; wice_wg_free() takes one away. For calls that outlive their caller. Returns wg. */
WiceWg *wice__wg_ref(WiceWg *wg);

/*
 * The backend of the devices in this process, which is asked before all others. It is made when it
 * is first asked for, and wg's from then on. Any thread.
 */
WiceWgBackend *wice__wg_inprocess(WiceWg *wg, WiceWgBackend *(*make)(void));

/*
 * Who wants to know what is changed through this WiceWg: called after each successful
 * wice_wg_set() that had something to change, on the thread that called it, and by
 * wice__wg_changed(). It must be quick and not use this WiceWg: a lock is held, so that after
 * _unobserve() no call is under way.
 */
typedef void (*WiceWgObserver)(const char *name, void *user_data);
void wice__wg_observe(WiceWg *wg, WiceWgObserver observer, void *user_data);
void wice__wg_unobserve(WiceWg *wg, void *user_data);
/* A device of this process has changed, has come or has gone: tells the observers. Any thread. */
void wice__wg_changed(WiceWg *wg, const char *name);

#endif
