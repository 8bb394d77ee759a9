/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_PORTMAP_MESSAGE_H
#define WICE_PORTMAP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/addr.h>

/*
 * What is said to a router and what it answers: PCP (RFC 6887) and NAT-PMP (RFC 6886), both on the
 * same port. Pure. Only what is needed for one UDP port.
 */
#define WICE_PORTMAP_SERVER_PORT 5351 /* requests go to it, all answers come from it */
#define WICE_PORTMAP_CLIENT_PORT 5350 /* routers announce themselves to it, by multicast */

#define WICE_PCP_NONCE_LEN 12
#define WICE_PCP_MAP_LEN 60
#define WICE_NAT_PMP_ADDRESS_LEN 2
#define WICE_NAT_PMP_MAP_LEN 12
/* The longest of these. */
#define WICE_PORTMAP_REQUEST_MAX WICE_PCP_MAP_LEN
/* The longest answer: RFC 6887 section 7. */
#define WICE_PORTMAP_ANSWER_MAX 1100

typedef struct {
	uint8_t nonce[WICE_PCP_NONCE_LEN];
	WiceEndpoint internal;  /* the address that the request is sent from, and the port */
	WiceEndpoint suggested; /* the external address, none: any; and the port, 0: any */
	uint32_t lifetime_s;    /* 0: removes the mapping */
} WicePcpMap;

/* RFC 6887 section 11.1. */
void wice__pcp_write_map(const WicePcpMap *map, uint8_t ret_request[WICE_PCP_MAP_LEN]);

/* Asks for the external address: RFC 6886 section 3.2. */
void wice__nat_pmp_write_address(uint8_t ret_request[WICE_NAT_PMP_ADDRESS_LEN]);
/* RFC 6886 sections 3.3 and, with a lifetime of 0, 3.4. */
void wice__nat_pmp_write_map(uint16_t internal_port, uint16_t suggested_port, uint32_t lifetime_s,
			     uint8_t ret_request[WICE_NAT_PMP_MAP_LEN]);

/* What is said of a request. Codes that nobody tells apart are not named. */
enum {
	WICE_PORTMAP_SUCCESS = 0,
	WICE_PORTMAP_WRONG_VERSION = 1, /* in both protocols */
	/* RFC 6886 section 3.5: these may pass, the mapping that is there stays. */
	WICE_NAT_PMP_NETWORK_FAILURE = 3,
	WICE_NAT_PMP_NO_RESOURCES = 4,
	/* RFC 6887 section 7.4, likewise. */
	WICE_PCP_NETWORK_FAILURE = 7,
	WICE_PCP_NO_RESOURCES = 8,
	WICE_PCP_USER_EX_QUOTA = 10,
};

typedef enum {
	WICE_PCP_ANNOUNCE = 1, /* the router is there, says its epoch */
	WICE_PCP_MAPPED,       /* or not: result */
	WICE_PCP_REFUSED,      /* no mapping is named; or the router does not know PCP */
	WICE_NAT_PMP_ADDRESS,
	WICE_NAT_PMP_MAPPED,
	WICE_NAT_PMP_REFUSED, /* or the router knows PCP only */
} WicePortmapAnswerKind;

/* What the kind does not have is zero. */
typedef struct {
	WicePortmapAnswerKind kind;
	uint16_t result;
	uint32_t epoch_s;    /* how long ago the router has forgotten everything */
	uint32_t lifetime_s; /* of a mapping, or of an error of PCP */
	uint8_t nonce[WICE_PCP_NONCE_LEN];
	uint16_t internal_port;
	WiceEndpoint external; /* ADDRESS has no port, NAT_PMP_MAPPED no address */
} WicePortmapAnswer;

/*
 * Can address be that of a port that was mapped? Private ones can: there may be more NATs. Those
 * that are no single other host's cannot.
 */
bool wice__portmap_is_external(const WiceAddress *address);

/*
 * Reads an answer, or an announcement, of either protocol. -EBADMSG if it is none, is cut off, is
 * about something else than UDP, or says that a port was mapped to an address or port that nobody
 * can be reached at.
 */
int wice__portmap_read_answer(const uint8_t *packet, size_t len, WicePortmapAnswer *ret_answer);

#endif
