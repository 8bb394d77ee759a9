/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_PROXY_BED_H
#define WICE_TESTS_PROXY_BED_H

/*
 * Two hosts on a wire, each in a network namespace that vanishes with the test:
 *
 *   near 10.90.0.1, fd90::1                             far 10.90.0.2, fd90::2
 *   interfaces: a WireGuard that is played, the proxy   remotes: plain UDP sockets
 *   paths: a UDP socket that plays the ICE agent
 *
 * WireGuard is played by UDP sockets on its port, for the mechanism inprocess by the engine's bind.
 * What it gets waits in a queue. All in one thread.
 */
#include "suite.h"

#include <errno.h>
#include <glib.h>
#include <wice/bind.h>

#include "proxy/proxy.h"

#define BED_PACKET_MAX 65536
#define BED_DEADLINE_US (60 * G_USEC_PER_SEC)
#define BED_UFRAG_LEN 8
#define BED_STUN_MAX 64
#define BED_STUN_HEAD 20

enum { BED_STUN_REQUEST = 0x0001, BED_STUN_RESPONSE = 0x0101 };

typedef struct Bed Bed;

typedef struct {
	Bed *bed;
	char name[8];
	uint16_t port;
	int sockets[2]; /* IPv4 and IPv6; -1: has the bind */
	WiceBind *bind;
	WiceProxy *proxy; /* NULL when a test has freed it */
	GQueue received;  /* BedPacket */
} BedInterface;

typedef enum { BED_NEAR = 0, BED_FAR } BedHost;

typedef struct {
	const char *name;
	bool has_bind;
	bool reads_relayed; /* has relayed paths, and receives from their sockets */
	/*
	 * Has relayed paths if the TURN client's socket shares WireGuard's port: makes it do so, or
	 * no more. NULL: no such paths.
	 */
	void (*share_port)(BedInterface *interface, int fd, const WiceEndpoint *bound,
			   const WiceEndpoint *server, bool share);
	/* NULL after having said why, if this machine does not allow it. */
	WiceProxy *(*make)(BedInterface *interface);
	void (*done)(Bed *bed); /* may be NULL */
	/* How many peers, or paths if the bed is small, one proxy has room for; 0: for too many. */
	size_t room_of_peers, room_of_paths;
} BedSubject;

typedef struct {
	size_t len;
	WiceEndpoint source;
	WiceBindPath path; /* of a bind */
	uint8_t *bytes;
} BedPacket;

struct Bed {
	const BedSubject *subject;
	int family; /* 0: IPv4, 1: IPv6 */
	bool small; /* set before bed_open(): the mechanism is to have room_of_paths */
	void *of_subject;
	GMainContext *context;
	int near, far; /* the namespaces */
	BedInterface interfaces[2];
	size_t n_interfaces;
	uint32_t n_paths; /* ever made */
	uint8_t buffer[BED_PACKET_MAX];
	BedPacket got; /* what was received last: in buffer */
};

/* A path of a peer with the sockets at both of its ends. */
typedef struct {
	Bed *bed;
	BedInterface *interface;
	WiceProxyPath *path; /* NULL once freed */
	int ice, remote;
	WiceEndpoint local, wire, far;
	char ufrag[BED_UFRAG_LEN + 1];
} BedPath;

extern const BedSubject bed_subjects[];
extern const size_t bed_n_subjects;

/*
 * The i-th pair of a subject and an address family, with one interface. False after having said
 * why not. `small` is kept, all else is set anew.
 */
bool bed_open(Bed *bed, int i);
void bed_close(Bed *bed);
BedInterface *bed_add_interface(Bed *bed);
/* WireGuard's port becomes another one; the proxy is not told. */
void bed_move_port(BedInterface *interface);

WiceProxyPeer *bed_peer(BedInterface *interface, const WiceProxyEvents *events, void *user_data);
/* A socket at a port of its own; ret_endpoint: where others reach it. */
int bed_socket(Bed *bed, BedHost host, bool wildcard, WiceEndpoint *ret_endpoint);
/* Sockets only; path is NULL. */
void bed_sockets(BedInterface *interface, BedPath *ret_path);
/* 0 or what the hook returned. */
int bed_try_path(WiceProxyPeer *peer, BedPath *path);
/* Both. */
void bed_path(BedInterface *interface, WiceProxyPeer *peer, BedPath *ret_path);
/* Frees the path, if it is still there, and then closes the sockets. */
void bed_remove(BedPath *path);
/* Returns what WireGuard's endpoint must be. */
WiceEndpoint bed_select(const BedPath *path);

/* One turn of the loop and of what plays WireGuard; false: there was nothing to do. */
bool bed_turn(Bed *bed);

#define BED_UNTIL(bed, condition)                                                           \
	do {                                                                                \
		gint64 deadline_ = g_get_monotonic_time() + BED_DEADLINE_US;                \
		while (!(condition)) {                                                      \
			ck_assert_msg(g_get_monotonic_time() < deadline_,                   \
				      "%s, IPv%d: never " #condition, (bed)->subject->name, \
				      (bed)->family ? 6 : 4);                               \
			if (!bed_turn(bed))                                                 \
				g_usleep(100);                                              \
		}                                                                           \
	} while (0)

void bed_send(int fd, const WiceEndpoint *to, const void *packet, size_t len);
/* WireGuard, to its endpoint for a peer. */
void bed_wg_send(BedInterface *interface, const WiceEndpoint *to, const void *packet, size_t len);
/* n packets of len bytes, back to back, at once: the last may have fewer, all have `total`. */
void bed_send_run(int fd, const WiceEndpoint *to, const uint8_t *packets, size_t total, size_t len);
void bed_wg_send_run(BedInterface *interface, const WiceEndpoint *to, const uint8_t *packets,
		     size_t total, size_t len);
/* WireGuard, to where bed->got came from. */
void bed_wg_reply(BedInterface *interface, const void *packet, size_t len);

/* Into bed->got; false: there is nothing. */
bool bed_take(Bed *bed, int fd);
bool bed_wg_take(BedInterface *interface);

/* That the next packet there is this one. */
void bed_expect(Bed *bed, int fd, const void *packet, size_t len, const WiceEndpoint *source);
void bed_wg_expect(BedInterface *interface, const void *packet, size_t len,
		   const WiceEndpoint *source);

/* A WireGuard data message with a number and a pattern that depends on it. */
void bed_data(uint8_t *packet, size_t len, uint32_t number);
uint32_t bed_number(const Bed *bed);
/* A message with an id of twelve bytes, and a USERNAME unless NULL. Returns the length. */
size_t bed_stun(uint8_t packet[BED_STUN_MAX], uint16_t type, const char *id, const char *username);

/* One packet from WireGuard to the remote and one back; endpoint: WireGuard's for the peer. */
void bed_carry(const BedPath *path, const WiceEndpoint *endpoint, uint32_t number, size_t len);
/* An ICE check and its answer in both directions. */
void bed_check(const BedPath *path);

/* Each test for each pair of a subject and an address family. */
int bed_run_suite(const char *name, const TTest *const *tests, size_t n);

#endif
