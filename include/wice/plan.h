/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_PLAN_H
#define WICE_PLAN_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/addr.h>
#include <wice/device.h>
#include <wice/key.h>
#include <wice/macros.h>

WICE_BEGIN_DECLS

/*
 * What to change of a WireGuard interface: everything that the kernel's WG_CMD_SET_DEVICE and the
 * "set=1" of the userspace API can say, in one form. Plans come from three places and are applied
 * by one function, wice_wg_set():
 *
 *	wice_plan_new()       written down by the program
 *	wice_conf_plan()      what a configuration file asks for
 *	wice_plan_between()   the least that makes one state out of another
 */

typedef enum {
	WICE_PEER_CHANGE_REMOVE = 1u << 0,              /* nothing else of the change counts then */
	WICE_PEER_CHANGE_UPDATE_ONLY = 1u << 1,         /* a peer that is not there is not made */
	WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS = 1u << 2, /* first takes all allowed IPs away */
} WicePeerChangeFlags;

typedef struct {
	WicePrefix prefix;
	/*
	 * Take it away from this peer; nothing happens if it belongs to another one, or to nobody.
	 * Adding one takes it away from the peer that has it.
	 */
	bool remove;
} WiceAllowedIpChange;

typedef struct {
	unsigned flags; /* WicePeerChangeFlags */
	/*
	 * What is to be set, WICE_PEER_HAS_PRESHARED_KEY, _ENDPOINT and _KEEPALIVE; the rest stays
	 * as it is. Here, unlike in a snapshot, a bit with an all-zero value is a change: it
	 * removes the preshared key, or switches the keepalive off.
	 */
	unsigned fields;
	WiceKey public_key;
	WiceKey preshared_key;
	WiceEndpoint endpoint; /* with its bit an address: WireGuard cannot unset an endpoint */
	uint16_t keepalive_s;
	size_t n_allowed_ips;
	const WiceAllowedIpChange *allowed_ips;
} WicePeerChange;

typedef enum {
	WICE_DEVICE_CHANGE_REPLACE_PEERS = 1u << 0, /* first takes all peers away */
} WiceDeviceChangeFlags;

typedef struct {
	size_t size;    /* sizeof(WiceDeviceChange) */
	unsigned flags; /* WiceDeviceChangeFlags */
	/*
	 * What is to be set, WICE_DEVICE_HAS_PRIVATE_KEY, _LISTEN_PORT and _FWMARK. A bit with an
	 * all-zero value removes the private key, lets the system choose another port, or switches
	 * the mark off.
	 */
	unsigned fields;
	WiceKey private_key;
	uint16_t listen_port;
	uint32_t fwmark;
	/* Applied in this order. A key may come more than once, as in a file. */
	size_t n_peers;
	const WicePeerChange *peers;
} WiceDeviceChange;

/* Never changes after it has been made; reference counted (atomic); secrets are wiped. */
typedef struct WicePlan WicePlan;

/*
 * A plan of these changes, which are copied and written as WireGuard will show them: host bits of
 * allowed IPs are cleared, endpoints of IPv4 within IPv6 become IPv4, a private key is clamped
 * (RFC 7748 section 5). Errors: INVALID (unknown flags or fields, a size that is too small or asks
 * for what this version does not know, an endpoint or prefix that is none, more peers or allowed
 * IPs than a device can have).
 */
WICE_API WicePlan *wice_plan_new(const WiceDeviceChange *change, GError **error) WICE_WARN_UNUSED;

/* Takes another reference; returns plan. */
WICE_API WicePlan *wice_plan_ref(WicePlan *plan);
/* Gives one back; secrets are wiped with the last. NULL is fine. */
WICE_API void wice_plan_unref(WicePlan *plan);

/* The contents; valid as long as the caller holds its reference. */
WICE_API const WiceDeviceChange *wice_plan_change(const WicePlan *plan);

/* True if applying it would do nothing to any device. */
WICE_API bool wice_plan_is_empty(const WicePlan *plan);

/*
 * The state that WireGuard would be in after plan has been applied to device, which is not
 * touched; NULL stands for a device that has just been made. As the kernel does it: an allowed IP
 * has one owner, removing and UPDATE_ONLY of a peer that is not there do nothing, the device's own
 * key cannot be a peer's, and a new private key removes the peer that has its public key. A listen
 * port that the system is to choose is 0.
 */
WICE_API WiceDevice *wice_plan_result(const WicePlan *plan,
				      const WiceDevice *device) WICE_WARN_UNUSED;

typedef enum {
	/* Peers that have an endpoint keep it: it may be where they roamed to. */
	WICE_PLAN_KEEP_ENDPOINTS = 1u << 0,
	/* Peers that are not in the wanted state stay. */
	WICE_PLAN_KEEP_PEERS = 1u << 1,
} WicePlanFlags;

/*
 * The least that makes the state wanted out of the state present: nothing is said of peers that
 * are equal, existing peers are changed with UPDATE_ONLY and field by field, allowed IPs one by
 * one, removed peers come first. Statistics do not count. What cannot be had is left out: an
 * endpoint is not unset, and if wanted has no listen port any port will do. Applying it twice does
 * no more than applying it once, and between its result and wanted there is the empty plan. Ordered
 * by key. flags are WicePlanFlags. O(n log n) with tiny constants; 10,000 peers take milliseconds.
 */
WICE_API WicePlan *wice_plan_between(const WiceDevice *present, const WiceDevice *wanted,
				     unsigned flags) WICE_WARN_UNUSED;

/*
 * The plan that has the same result on device as plan, and is the least: between device and
 * wice_plan_result(plan, device). This is what "sync" does with the plan of a file.
 */
WICE_API WicePlan *wice_plan_minimize(const WicePlan *plan, const WiceDevice *device,
				      unsigned flags) WICE_WARN_UNUSED;

/*
 * For people: one line per change, "+ peer KEY", "- peer KEY", "~ peer KEY: endpoint A -> B";
 * present (may be NULL) is what "from" values and names are taken from. Secrets are never shown:
 * "preshared key set". "" if the plan is empty. The caller frees it with g_free().
 */
WICE_API char *wice_plan_format(const WicePlan *plan, const WiceDevice *present) WICE_WARN_UNUSED;

/* For programs: the same as one JSON object (docs/json.md). The caller frees it with g_free(). */
WICE_API char *wice_plan_format_json(const WicePlan *plan,
				     const WiceDevice *present) WICE_WARN_UNUSED;

G_DEFINE_AUTOPTR_CLEANUP_FUNC(WicePlan, wice_plan_unref)

WICE_END_DECLS

#endif
