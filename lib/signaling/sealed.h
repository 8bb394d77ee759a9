/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_SIGNALING_SEALED_H
#define WICE_SIGNALING_SEALED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/candidate.h>
#include <wice/key.h>
#include <wice/signaling.h>

/*
 * What is inside an envelope, and the rules for believing it. Pure: no clock, no socket.
 *
 * The contents are a description: complete and idempotent, so that a backend may lose, repeat or
 * reorder. The newest (epoch, counter) wins. A mailbox is one end of one pair of keys.
 */
#define WICE_DESCRIPTION_MAX_CANDIDATES 32
#define WICE_SEALED_VERSION 1

/* Capabilities: what a sender can do. Unknown bits are kept and ignored. */
typedef enum {
	WICE_CAPABILITY_TRICKLE = 1u << 0,
	WICE_CAPABILITY_KERNEL_PATH = 1u << 1, /* may be reached at its WireGuard port directly */
	WICE_CAPABILITY_IN_PLACE = 1u
				   << 2, /* relayed data messages need not grow: proxy/relayed.h */
} WiceCapabilities;
#define WICE_CAPABILITIES_ALL \
	(WICE_CAPABILITY_TRICKLE | WICE_CAPABILITY_KERNEL_PATH | WICE_CAPABILITY_IN_PLACE)

/* An allocation of the sender, where data for it can be sent to. */
typedef struct {
	WiceEndpoint server;  /* of the relay that it is of */
	WiceEndpoint relayed; /* unicast; not loopback */
	uint32_t rtt_us;      /* between the sender and the relay; 0: not known */
	uint32_t loss_permille;
} WiceRelayAddress;
#define WICE_DESCRIPTION_MAX_RELAYS 16

/* A relay that the sender runs, and what the recipient may use it with. */
typedef struct {
	WiceEndpoint server; /* family NONE: it runs none */
	char username[65];   /* 1 to 64 characters of base64 */
	char password[65];   /* likewise */
} WiceRelayService;
#define WICE_DESCRIPTION_MAX_SERVICES 2

typedef struct {
	char ufrag[33]; /* of the sender's ICE agent (RFC 8445 section 5.3), 4..32 characters */
	char pwd[65];   /* 22..64 characters */
	/*
	 * The ufrag of the recipient's agent that the sender's agent is paired with, "" if it is
	 * not paired yet. Tells a description for a former agent from one for the present one.
	 */
	char remote_ufrag[33];
	bool gathering_done;  /* no more candidates will follow */
	bool wants_reply;     /* the sender has not heard from the recipient in this session */
	uint16_t listen_port; /* of the sender's WireGuard, 0: not to be sent to */
	/* The port of the sender's ICE agent is WireGuard's too, without a proxy in userspace. */
	bool no_proxy;
	size_t n_candidates;
	WiceCandidate candidates[WICE_DESCRIPTION_MAX_CANDIDATES];
	size_t n_relays;
	/* The first is the one that the sender uses for bound, if it has bound any. */
	WiceRelayAddress relays[WICE_DESCRIPTION_MAX_RELAYS];
	/*
	 * The relayed address of the recipient that the sender has asked its own relay for a
	 * channel to: what comes from there gets through to the sender. Family NONE: there is none.
	 */
	WiceEndpoint bound;
	bool begins;  /* the sender's WireGuard begins the handshake over the relay */
	bool relayed; /* the sender's packets go over the relay now */
	/* They do although there is a direct path, which is worse. Said by the controlling end. */
	bool avoids_direct;
	size_t n_services;
	WiceRelayService services[WICE_DESCRIPTION_MAX_SERVICES]; /* one per family, usually */
} WiceDescription;

/* What a peer is sent, and what is believed of a peer: see description.c for the rules. */
bool wice__candidate_is_valid(const WiceCandidate *candidate);
bool wice__relay_address_is_valid(const WiceRelayAddress *relay);
bool wice__description_is_valid(const WiceDescription *description);

/* Why an envelope was not believed, or that it was. In the order of the checks. */
typedef enum {
	WICE_OPEN_OK = 0,
	WICE_OPEN_MALFORMED,    /* of an impossible size, or genuine but no description */
	WICE_OPEN_MISADDRESSED, /* not from this peer to us, outside or inside */
	WICE_OPEN_FORGED,       /* does not open with the two keys */
	WICE_OPEN_REPLAYED,     /* seen before, for instance over a second backend */
	WICE_OPEN_STALE,        /* genuine, but older than the newest */
	/*
	 * Genuine, of an epoch before the newest: a replay, or the sender's clock went back.
	 * Answer (rate-limited), so that it can catch up.
	 */
	WICE_OPEN_STALE_EPOCH,
	WICE_OPEN_UNSUPPORTED, /* genuine and new, but of a version that we are too old for */
	WICE_OPEN_DOWNGRADED,  /* the peer believes that we offered what we did not */
} WiceOpenResult;

typedef struct {
	WiceKey own_private;
	WiceKey own_public;
	WiceKey peer_public;
	uint8_t shared[32]; /* crypto_box_beforenm */
	bool usable;        /* false: the keys can agree on no secret; nothing opens or is sealed */
	/* Outgoing */
	uint64_t epoch;   /* grows with each start of the sender: ms since 1970 then, or more */
	uint64_t counter; /* of the last message sent in this epoch */
	uint64_t capabilities; /* offered: WICE_CAPABILITIES_ALL unless set before a seal */
	/* Incoming: the newest from the peer, 0 if none */
	uint64_t peer_epoch;
	uint64_t peer_counter;
	uint64_t window;       /* bit i: counter peer_counter - i was believed */
	uint32_t peer_version; /* highest version that the peer offered, 0 unknown */
	uint64_t peer_capabilities;
	/*
	 * The newest echoes a message of our present epoch: the peer lives, what it said is no
	 * recording from before our start, and both ends have signed off on each other's version
	 * and capabilities.
	 */
	bool confirmed;
} WiceMailbox;

/*
 * epoch: see above; it must be larger than in all former lives of own_private with this peer. If
 * the keys are unfit (zero, of low order, twice the same) the mailbox is made but not usable.
 */
void wice__mailbox_init(WiceMailbox *mailbox, const WiceKey *own_private,
			const WiceKey *peer_public, uint64_t epoch);
/* Wipes it. */
void wice__mailbox_done(WiceMailbox *mailbox);

/*
 * Seals a description. ret_body must have WICE_ENVELOPE_MAX bytes and is what ret_envelope->body
 * points to. realtime_ms is informative. Fails only (returns false) if the description is invalid
 * or the mailbox unusable; the mailbox is unchanged then.
 */
bool wice__mailbox_seal(WiceMailbox *mailbox, const WiceDescription *description,
			int64_t realtime_ms, WiceEnvelope *ret_envelope,
			uint8_t ret_body[WICE_ENVELOPE_MAX]);

/*
 * Opens an envelope. Only WICE_OPEN_OK writes ret_description and changes the mailbox. If the peer
 * has seen a higher epoch from us than ours (our clock went back), our epoch is then raised past
 * it.
 */
WiceOpenResult wice__mailbox_open(WiceMailbox *mailbox, const WiceEnvelope *envelope,
				  WiceDescription *ret_description);

/*
 * The serialized form of an envelope (protobuf, cunicu.signaling.Envelope), as on the wire of
 * multicast and gRPC. size is its length, 0 if that is over WICE_ENVELOPE_MAX or the body is empty.
 * write returns the length; 0 if there is none or size is too small. read checks sizes and that the
 * three parts are there; ret_envelope->body points into bytes, and ret_envelope is untouched on
 * failure.
 */
size_t wice__envelope_size(const WiceEnvelope *envelope);
size_t wice__envelope_write(const WiceEnvelope *envelope, uint8_t *ret_bytes, size_t size);
bool wice__envelope_read(const uint8_t *bytes, size_t len, WiceEnvelope *ret_envelope);

#endif
