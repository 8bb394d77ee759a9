/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_BIND_BED_H
#define WICE_TESTS_BIND_BED_H

/*
 * Two binds of a kind that send to each other. Packets have contents that tell their number, and
 * look like WireGuard's from 32 bytes on.
 */
#include <wice/bind.h>

typedef struct {
	const char *name;
	WiceFamily family;
	bool is_udp;
	bool no_segmentation;
	bool has_channel;  /* packets travel between channels */
	uint32_t min, max; /* sizes of packets that it carries */
	bool relayed;      /* between the channels as if a relay were there, */
	bool in_place;     /* and so */
} BedKind;

#define BED_KINDS 7
extern const BedKind bed_kinds[BED_KINDS];

typedef struct {
	WiceBind *bind;
	uint16_t port;
	unsigned n_queues;
	int fd;               /* of the channel, or -1 */
	uint32_t carrier;     /* the number of the socket, if the channel is a relayed one */
	uint32_t channel;     /* its number, or 0 */
	WiceEndpoint address; /* where the other end reaches it */
} BedEnd;

typedef struct {
	const BedKind *kind;
	BedEnd a, b;
} Bed;

/* False: this machine has no namespaces; said why. Nothing is open then. */
bool bed_init(Bed *bed, const BedKind *kind);
void bed_done(Bed *bed);

/* An end of its own, closed. */
BedEnd bed_end_new(const WiceBindUdpOptions *options);
/* Opens it at a port, on one queue, and finds out its address. Returns what open() did. */
int bed_open(const BedKind *kind, BedEnd *end, uint16_t port);
void bed_end_done(BedEnd *end);

/* Where packets go that shall arrive at an end. */
WiceBindPath bed_route(const BedEnd *from, const BedEnd *to);

/* Packets that are to be sent, numbered from first on. Freed with bed_packets_free(). */
typedef struct {
	WiceBindPacket *packets;
	size_t n;
} BedPackets;

BedPackets bed_packets(uint32_t first, size_t n, const uint32_t *lengths);
BedPackets bed_equal_packets(uint32_t first, size_t n, uint32_t length);
void bed_packets_free(BedPackets *packets);
/* Sends all of them over a path; they must all be taken. */
void bed_send(const BedEnd *from, WiceBindPath *path, const BedPackets *packets);

/* What an end has received, packet by packet. */
typedef struct {
	GPtrArray *packets; /* of GBytes */
	WiceBindPath path;  /* of the last */
	unsigned n_datagrams;
	unsigned n_errors;
} BedReceived;

void bed_received_init(BedReceived *received);
void bed_received_done(BedReceived *received);
/* Until there are n packets in all. They may be more, of one datagram. False after a deadline. */
bool bed_receive(const BedEnd *end, unsigned queue, BedReceived *received, size_t n);
/* Whatever is there already. */
void bed_receive_rest(const BedEnd *end, unsigned queue, BedReceived *received);
/* Exactly these arrive, in this order, and leave the path they came by. */
void bed_expect(const BedEnd *end, const BedPackets *packets, WiceBindPath *ret_path);
/* One packet of this length goes from one end to the other. */
void bed_ping(const BedEnd *from, const BedEnd *to, uint32_t length);
/* Readable within the time. */
bool bed_wait(int fd, int timeout_ms);

WiceBindCounters bed_counters(const BedEnd *end);
/* A plain UDP socket at an address; its endpoint. */
int bed_socket(const char *address, WiceEndpoint *ret_endpoint);
/* Sends from one; all must be taken. */
void bed_send_to(int fd, const WiceEndpoint *to, const void *data, size_t len);
/* Runs a command of ip(8). */
bool bed_ip(const char *arguments);

/* Runs the tests, each n times. */
#include <check.h>
int bed_run(const char *name, const TTest *const *tests, size_t n_tests, int n);

#endif
