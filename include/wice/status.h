/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_STATUS_H
#define WICE_STATUS_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/addr.h>
#include <wice/candidate.h>
#include <wice/device.h>
#include <wice/key.h>
#include <wice/macros.h>

WICE_BEGIN_DECLS

/* Where a peer's session stands. The order is the order in which a session passes through them. */
typedef enum {
	WICE_STATE_IDLE = 0, /* nothing is done for the peer: the interface is down or has no key */
	WICE_STATE_GATHERING,   /* finding out our own addresses */
	WICE_STATE_SIGNALING,   /* our description is out, waiting for the peer's */
	WICE_STATE_CHECKING,    /* both are known, trying the pairs of addresses */
	WICE_STATE_HANDSHAKING, /* a path is set, waiting until WireGuard has proven it */
	WICE_STATE_CONNECTED,   /* WireGuard received something over the path */
	WICE_STATE_DEGRADED,    /* was connected; WireGuard hears nothing or the path changes */
	WICE_STATE_FAILED,      /* no path; tried again later */
} WicePeerState;

/* What kind of path the packets take. */
typedef enum {
	WICE_PATH_NONE = 0,
	WICE_PATH_DIRECT, /* between addresses of the two hosts themselves */
	WICE_PATH_NAT,    /* through one or more NATs, no third party */
	WICE_PATH_RELAY,  /* through a relay */
} WicePathKind;

/* How packets get from WireGuard to the path. */
typedef enum {
	WICE_MECHANISM_NONE = 0,
	WICE_MECHANISM_KERNEL, /* WireGuard's own socket talks to the peer, without us */
	WICE_MECHANISM_USER,   /* the proxy in this process */
	/* WireGuard is in this process (<wice/engine.h>), and sends from the port of ICE itself. */
	WICE_MECHANISM_INPROCESS,
	/* TC programs: ICE shares WireGuard's port, whose own socket talks to the peer. */
	WICE_MECHANISM_BPF,
	/* Rules of nftables: WireGuard's packets leave from the port of ICE. */
	WICE_MECHANISM_NFT,
} WiceMechanism;

/* How a NAT maps our port to outside ones (RFC 4787 section 4.1). The order is from good to bad. */
typedef enum {
	WICE_NAT_UNKNOWN = 0,          /* no server answered */
	WICE_NAT_NONE,                 /* a server saw our own address */
	WICE_NAT_PRESENT,              /* there is one; how it maps is not known */
	WICE_NAT_ENDPOINT_INDEPENDENT, /* all servers saw one address */
	WICE_NAT_ENDPOINT_DEPENDENT,   /* servers saw different ones: "symmetric" */
} WiceNatMapping;

/* "connected", "direct", "user"... Static lower-case text, also used in JSON. */
WICE_API const char *wice_state_name(WicePeerState state);
WICE_API const char *wice_path_name(WicePathKind path);
WICE_API const char *wice_mechanism_name(WiceMechanism mechanism);
/* "unknown", "none", "present", "endpoint-independent", "endpoint-dependent". */
WICE_API const char *wice_nat_mapping_name(WiceNatMapping mapping);
/*
 * The mechanism of that name, "auto" being WICE_MECHANISM_NONE: what users can ask for. INVALID;
 * the message lists the names.
 */
WICE_API gboolean wice_mechanism_parse(const char *name, WiceMechanism *ret_mechanism,
				       GError **error);

typedef struct {
	WiceKey public_key;
	size_t n_allowed_ips;
	const WicePrefix *allowed_ips;
	WicePeerState state;
	int64_t state_since_ms; /* ms since 1970 */
	WicePathKind path;
	WiceMechanism mechanism;
	WiceCandidate local; /* of the selected pair; type 0 if there is none */
	WiceCandidate remote;
	WiceEndpoint endpoint; /* what WireGuard is set to, or none */
	int64_t handshake_ns;  /* last handshake, ns since 1970; 0 if there was none */
	uint64_t rx_bytes;     /* as WireGuard counts */
	uint64_t tx_bytes;
	uint32_t restarts;   /* how often ICE has been started anew */
	uint32_t connect_ms; /* from the start of the newest attempt to CONNECTED; 0 if not yet */
	const char *reason;  /* one sentence: why this state and this path */
} WicePeerStatus;

/*
 * Signaling messages that were refused, by why. None of them changed any state.
 */
typedef struct {
	uint64_t accepted;
	uint64_t malformed;    /* not an envelope, or sealed contents that are no description */
	uint64_t oversized;    /* larger than WICE_ENVELOPE_MAX */
	uint64_t misaddressed; /* to a key that is not ours, or the inside names other keys */
	uint64_t unknown_peer; /* from a key that is no peer of the interface; never answered */
	uint64_t forged;       /* does not open with the two keys */
	uint64_t replayed;     /* seen before, for instance over a second backend */
	uint64_t stale;        /* older than the newest from this peer */
	uint64_t downgraded;   /* names a version or capabilities that we did not offer */
	uint64_t unsupported;  /* of a version that this one is too old for */
	uint64_t limited;      /* over the rate limit for its sender */
} WiceSignalingCounters;

/* Where peers can reach the port of an interface from outside. */
typedef struct {
	WiceEndpoint endpoint;
	const char *source; /* who said so: "stun", "pcp", "nat-pmp", "upnp" */
} WiceOutsideAddress;

/* A relay (TURN server) of an interface. */
typedef struct {
	const char *url;
	bool ready;
	const char *reason;  /* why it is not ready, one sentence; "" if it is */
	WiceEndpoint server; /* or none, while its name is not resolved */
	WiceEndpoint relayed_ipv4, relayed_ipv6; /* our allocation there, or none */
	uint32_t rtt_us;                         /* smoothed; 0: not measured */
	uint32_t loss_permille;                  /* of probes */
	uint32_t n_peers; /* that have a channel there, used or ready to be */
} WiceRelayStatus;

typedef struct {
	const char *name;
	WiceDeviceKind kind;
	unsigned ifindex;
	WiceKey public_key;
	uint16_t listen_port;
	uint32_t fwmark;
	/* What new paths of its peers use; NONE as long as the interface cannot be used. */
	WiceMechanism mechanism;
	const char *mechanism_reason; /* one sentence: why this one and none that is better */
	WiceNatMapping nat;
	size_t n_outside;
	const WiceOutsideAddress *outside;
	size_t n_relays;
	const WiceRelayStatus *relays; /* in the order of the configuration */
	WiceSignalingCounters signaling;
	size_t n_peers;
	const WicePeerStatus *peers; /* sorted by public key */
} WiceInterfaceStatus;

typedef struct {
	const char *url;
	bool ready;
	const char *reason; /* why it is not ready, "" if it is */
} WiceBackendStatus;

typedef struct {
	const char *version;
	int64_t pid;
	int64_t started_ms;              /* ms since 1970 */
	int64_t now_ms;                  /* when the snapshot was taken, ms since 1970 */
	WiceSignalingCounters signaling; /* what could be attributed to no interface */
	size_t n_backends;
	const WiceBackendStatus *backends;
	size_t n_interfaces;
	const WiceInterfaceStatus *interfaces; /* sorted by name */
} WiceStatusInfo;

/* An immutable snapshot of an agent, reference counted; it holds no secret. */
typedef struct WiceStatus WiceStatus;

/* Copies info with everything that it points to. */
WICE_API WiceStatus *wice_status_new(const WiceStatusInfo *info);
WICE_API WiceStatus *wice_status_ref(WiceStatus *status);
WICE_API void wice_status_unref(WiceStatus *status);
/* Valid as long as the caller holds its reference. */
WICE_API const WiceStatusInfo *wice_status_info(const WiceStatus *status);

typedef enum {
	WICE_EVENT_INTERFACE_ADDED = 1,
	WICE_EVENT_INTERFACE_REMOVED,
	WICE_EVENT_PEER_ADDED,
	WICE_EVENT_PEER_REMOVED,
	WICE_EVENT_PEER_STATE,    /* state, path or mechanism have changed */
	WICE_EVENT_BACKEND_STATE, /* a signaling backend became ready or was lost */
} WiceEventType;

WICE_API const char *wice_event_name(WiceEventType type);

/* One event. Valid during the callback only. */
typedef struct {
	WiceEventType type;
	int64_t time_ms;       /* ms since 1970 */
	const char *interface; /* "" for BACKEND_STATE */
	WiceKey peer;          /* zero unless PEER_* */
	WicePeerState state;   /* PEER_STATE only, as the three below */
	WicePeerState previous_state;
	WicePathKind path;
	WiceMechanism mechanism;
	const char *reason;  /* PEER_STATE, BACKEND_STATE: one sentence; else "" */
	const char *backend; /* BACKEND_STATE: its URL; else "" */
	bool ready;          /* BACKEND_STATE */
} WiceEvent;

G_DEFINE_AUTOPTR_CLEANUP_FUNC(WiceStatus, wice_status_unref)

WICE_END_DECLS

#endif
