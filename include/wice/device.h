/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_DEVICE_H
#define WICE_DEVICE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/addr.h>
#include <wice/key.h>
#include <wice/macros.h>

WICE_BEGIN_DECLS

/*
 * A snapshot of a WireGuard interface. It never changes after it has been made, peers are sorted
 * by public key and allowed IPs by prefix, so two snapshots compare in one pass. Reference
 * counted; the counter is atomic, so a snapshot may be shared between threads. Secrets are wiped
 * with the last reference.
 */
typedef struct WiceDevice WiceDevice;

/* Who implements the interface. */
typedef enum {
	WICE_DEVICE_KERNEL = 1,    /* the kernel's wireguard module, through generic netlink */
	WICE_DEVICE_USERSPACE = 2, /* a process behind a UAPI socket (wireguard-go, boringtun...) */
	WICE_DEVICE_FAKE = 3,      /* made by a test, or what a plan would make */
	WICE_DEVICE_ENGINE = 4,    /* this process, see <wice/engine.h> */
} WiceDeviceKind;

/* A word for it: "kernel", "userspace", "fake", "engine", or "unknown". Static. */
WICE_API const char *wice_device_kind_name(WiceDeviceKind kind);

/*
 * What a device or peer has. Worked out from the state, so every implementation is reported with
 * the same bits, whether it says "off" or says nothing: a field without its bit is zero.
 */
typedef enum {
	WICE_DEVICE_HAS_PRIVATE_KEY = 1u << 0,
	WICE_DEVICE_HAS_PUBLIC_KEY = 1u << 1,
	WICE_DEVICE_HAS_LISTEN_PORT = 1u << 2,
	WICE_DEVICE_HAS_FWMARK = 1u << 3, /* it is not off */
} WiceDeviceFields;

typedef enum {
	WICE_PEER_HAS_PRESHARED_KEY = 1u << 0,
	WICE_PEER_HAS_ENDPOINT = 1u << 1,
	WICE_PEER_HAS_KEEPALIVE = 1u << 2, /* it is not off */
	WICE_PEER_HAS_HANDSHAKE = 1u << 3, /* there has been one */
} WiceDevicePeerFields;

typedef struct {
	unsigned fields; /* WiceDevicePeerFields */
	WiceKey public_key;
	WiceKey preshared_key;
	WiceEndpoint endpoint; /* wireguard-go leaves the scope of link-local addresses out */
	uint16_t keepalive_s;  /* persistent keepalive in seconds, 0 = off */
	int64_t handshake_ns;  /* last handshake, nanoseconds since 1970 (CLOCK_REALTIME) */
	uint64_t rx_bytes;
	uint64_t tx_bytes;
	size_t n_allowed_ips;
	const WicePrefix *allowed_ips; /* sorted; owned by the device */
	/* Their order in the implementation: n_allowed_ips indices into allowed_ips. */
	const uint32_t *allowed_ip_order;
} WiceDevicePeer;

typedef struct {
	unsigned fields; /* WiceDeviceFields */
	WiceDeviceKind kind;
	char name[16];
	unsigned ifindex; /* 0 if there is no network interface of that name */
	WiceKey private_key;
	WiceKey public_key;
	uint16_t listen_port;
	uint32_t fwmark; /* 0 = off */
	size_t n_peers;
	const WiceDevicePeer *peers; /* sorted by public key; owned by the device */
} WiceDeviceInfo;

/* Takes another reference; returns device. */
WICE_API WiceDevice *wice_device_ref(WiceDevice *device);
/* Gives one back; secrets are wiped with the last. NULL is fine. */
WICE_API void wice_device_unref(WiceDevice *device);

/* The contents; valid as long as the caller holds its reference. */
WICE_API const WiceDeviceInfo *wice_device_info(const WiceDevice *device);

/* The peer with this public key, or NULL. O(log n). */
WICE_API const WiceDevicePeer *wice_device_find_peer(const WiceDevice *device,
						     const WiceKey *public_key);

/*
 * The order in which the implementation listed the peers, which is what wg(8) prints: n_peers
 * indices into peers. Valid as long as the caller holds its reference; NULL if there are no peers.
 */
WICE_API const uint32_t *wice_device_order(const WiceDevice *device);

/* What differs between two snapshots of one interface. */
typedef enum {
	WICE_CHANGE_PEER_ADDED = 1u << 0,
	WICE_CHANGE_PEER_REMOVED = 1u << 1,
	WICE_CHANGE_PRESHARED_KEY = 1u << 2,
	WICE_CHANGE_ENDPOINT = 1u << 3,
	WICE_CHANGE_KEEPALIVE = 1u << 4,
	WICE_CHANGE_HANDSHAKE = 1u << 5,
	WICE_CHANGE_TRANSFER = 1u << 6, /* rx_bytes or tx_bytes */
	WICE_CHANGE_ALLOWED_IPS = 1u << 7,
	/* Of the interface itself: */
	WICE_CHANGE_PRIVATE_KEY = 1u << 16,
	WICE_CHANGE_LISTEN_PORT = 1u << 17,
	WICE_CHANGE_FWMARK = 1u << 18,
	WICE_CHANGE_IFINDEX = 1u << 19, /* the interface was re-created */
	WICE_CHANGE_KIND = 1u << 20,
} WiceChanges;

/*
 * Called for each peer that differs, ordered by key; before or after is NULL for added or removed.
 */
typedef void (*WicePeerDiffFunc)(unsigned changes, const WiceDevicePeer *before,
				 const WiceDevicePeer *after, void *user_data);

/*
 * Compares two snapshots. Either may be NULL (nothing there, which differs from an interface in
 * all that the interface has). Calls func (may be NULL) for each peer that differs and returns the
 * union of all changes, 0 if there are none. Takes the same time for equal and different secrets.
 */
WICE_API unsigned wice_device_diff(const WiceDevice *before, const WiceDevice *after,
				   WicePeerDiffFunc func, void *user_data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(WiceDevice, wice_device_unref)

WICE_END_DECLS

#endif
