/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_PORTMAP_MAPPER_H
#define WICE_PORTMAP_MAPPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/addr.h>

#include "portmap/message.h"
#include "portmap/portmap.h"

/*
 * Gets one UDP port mapped by one router and keeps it mapped: pure. The caller sends and receives,
 * owns the clock (milliseconds, monotonic) and does the work of UPnP, which blocks.
 */

/* UPnP is asked only if the router has said nothing else for so long. */
#define WICE_PORTMAP_UPNP_AFTER_MS 1000
/* For how long a mapping is asked. RFC 6886 section 3.3 recommends the first. */
#define WICE_PORTMAP_LIFETIME_S 7200
#define WICE_PORTMAP_UPNP_LEASE_S 3600

/* What is known of asking by one protocol. */
typedef struct {
	int64_t next_at; /* INT64_MAX: it is not this one's turn */
	int64_t wait_ms; /* between the last two requests, 0: there was none */
	unsigned tries;
	bool awaiting; /* an answer to the last request may come */
	bool refused;  /* the answer was no */
	bool granted;  /* the router may hold a mapping by it */
	bool has_epoch;
	uint32_t epoch_s;
	int64_t epoch_at; /* when the router said that */
} WicePortmapAsk;

typedef struct {
	WiceEndpoint router; /* its scope counts if link-local */
	WiceEndpoint internal;
	uint8_t nonce[WICE_PCP_NONCE_LEN];
	bool upnp;
	void (*fill_random)(void *buffer, size_t len);
	/* What is known. */
	bool mapped;
	WicePortMapping mapping;
	/* internal */
	WiceEndpoint suggested; /* what was mapped last, so that it may become the same again */
	int64_t asked_at;       /* when this round of asking began */
	int64_t round_at;       /* when another one shall begin, if nothing is mapped by then */
	int64_t expires_at;
	int64_t hurried_at;                         /* when it was last asked sooner than planned */
	WicePortmapAsk asks[WICE_PORTMAP_UPNP + 1]; /* by WicePortmapProtocol */
	bool address_known;                         /* by NAT-PMP, since it was asked last */
	WiceAddress address;
	bool upnp_running;
} WicePortmapMapper;

typedef struct {
	WiceAddress router; /* IPv6: PCP only */
	uint32_t scope;     /* the interface, if router is link-local */
	WiceEndpoint internal;
	/*
	 * Always the same for this port of this host: a mapping that a former life has left can be
	 * taken over by who knows its nonce only (RFC 6887 section 11.3).
	 */
	uint8_t nonce[WICE_PCP_NONCE_LEN];
	bool upnp; /* it can be asked by UPnP */
	void (*fill_random)(void *buffer, size_t len);
} WicePortmapMapperOptions;

void wice__portmap_mapper_init(WicePortmapMapper *mapper, const WicePortmapMapperOptions *options,
			       int64_t now_ms);
/* Writes the next request that is due to the router. 0: there is none. To be called until then. */
size_t wice__portmap_mapper_output(WicePortmapMapper *mapper, int64_t now_ms,
				   uint8_t ret_request[WICE_PORTMAP_REQUEST_MAX]);
/* A packet that was received. True if what is mapped has changed. */
bool wice__portmap_mapper_input(WicePortmapMapper *mapper, const uint8_t *packet, size_t len,
				const WiceEndpoint *source, int64_t now_ms);
/* A packet that was received at the multicast address of announcements. */
void wice__portmap_mapper_announced(WicePortmapMapper *mapper, const uint8_t *packet, size_t len,
				    const WiceEndpoint *source, int64_t now_ms);
/* The router does not listen at that port (ICMP). */
void wice__portmap_mapper_refused(WicePortmapMapper *mapper, int64_t now_ms);
/* The network has changed, but not the router or our address: it is asked again. */
void wice__portmap_mapper_refresh(WicePortmapMapper *mapper, int64_t now_ms);
/* To be called when the deadline has passed, before output. True if what is mapped has changed. */
bool wice__portmap_mapper_advance(WicePortmapMapper *mapper, int64_t now_ms);
int64_t wice__portmap_mapper_deadline(const WicePortmapMapper *mapper);

/* True if the port shall be mapped by UPnP now; wice__portmap_mapper_upnp_done() is to follow. */
bool wice__portmap_mapper_start_upnp(WicePortmapMapper *mapper, int64_t now_ms);
/*
 * external: where the port was mapped to, NULL: that has failed. True if what is mapped has
 * changed. If another protocol has been faster, the mapping is not needed.
 */
bool wice__portmap_mapper_upnp_done(WicePortmapMapper *mapper, const WiceEndpoint *external,
				    uint32_t lease_s, int64_t now_ms);

/*
 * Writes the request that removes what protocol (not UPnP) has mapped. 0: nothing. Of no effect on
 * the state: it is the last that is asked of the mapper.
 */
size_t wice__portmap_mapper_farewell(const WicePortmapMapper *mapper, WicePortmapProtocol protocol,
				     uint8_t ret_request[WICE_PORTMAP_REQUEST_MAX]);

#endif
