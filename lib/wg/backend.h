/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_BACKEND_H
#define WICE_WG_BACKEND_H

#include <glib.h>
#include <stdint.h>
#include <wice/wg.h>

/*
 * One way to reach WireGuard devices: netlink, UAPI sockets, the fake. Hooks return 0 or -errno
 * and block no longer than until deadline_ms (wice__now_ms() time). These -errno have one meaning
 * for all of them:
 *
 *	-ENODEV      this backend has no such device: the next one is asked
 *	-EPERM       privileges are missing
 *	-EACCES      the same, for a file or socket
 *	-ETIMEDOUT   no answer before the deadline
 *	-EPROTO      the answer is malformed
 *	-EOPNOTSUPP  the device's implementation cannot do this
 */
typedef struct WiceWgBackend WiceWgBackend;

typedef struct {
	const char *name; /* for messages: "netlink" */
	WiceDeviceKind kind;

	/*
	 * Appends the names of all its devices (g_strdup()ed) to names; any order, no devices is
	 * no error.
	 */
	int (*list)(WiceWgBackend *backend, GPtrArray *names, int64_t deadline_ms);

	/* Reads one device. The name is valid. The caller owns the reference in *ret. */
	int (*get)(WiceWgBackend *backend, const char *name, int64_t deadline_ms, WiceDevice **ret);

	/*
	 * Changes one existing peer and touches nothing but what the update sets, which is at
	 * least one field. A peer that is not there stays away, and that is success. Name and
	 * update have been checked.
	 */
	int (*update_peer)(WiceWgBackend *backend, const char *name, const WicePeerUpdate *update,
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

#endif
