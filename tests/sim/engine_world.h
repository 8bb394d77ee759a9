/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_SIM_ENGINE_WORLD_H
#define WICE_TESTS_SIM_ENGINE_WORLD_H

/*
 * Some engines' cores in virtual time, and the network between them, which is as bad as it is told to
 * be. Everything follows from a seed. What must always hold is looked at with every step: a packet
 * that comes out was put in at another end, by whom it claims to be from and for this end, and has
 * not come out before; and timers come to an end.
 *
 * End n is at 192.0.2.(n + 1) and has 10.0.0.(n + 1) inside.
 */
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/core.h"

#define WORLD_ENDS 5
#define WORLD_START_MS 1000000
#define WORLD_PORT 51820

typedef struct World World;

/* What went over the wire, and when. */
typedef enum {
	WORLD_INITIATION = 1,
	WORLD_RESPONSE,
	WORLD_COOKIE,
	WORLD_DATA,
	WORLD_KEEPALIVE,
	WORLD_OTHER,
} WorldKind;

#define WORLD_LOST(kind) (1u << (kind))
#define WORLD_CUT (~0u) /* everything */

typedef struct {
	int64_t ms;
	int from, to; /* ends; -1: nobody */
	WorldKind kind;
	uint32_t length;
} WorldSent;

typedef struct {
	WiceEndpoint from, to;
	uint8_t *data;
	uint32_t length;
} WorldDatagram;

typedef struct {
	World *world;
	int number;
	WiceCore *core;
	WiceLane *outbound, *inbound;
	WiceKey private_key, public_key;
	WiceEndpoint address;
	int64_t realtime_leap_ns;
	int64_t asleep_until_ms; /* the machine sleeps: nothing is heard, nothing is due */
	bool under_load;
	GQueue handshakes;     /* WorldDatagram, came in and wait for control */
	unsigned delivered;    /* packets that came out */
	GArray *delivered_ids; /* uint64_t, in order */
	unsigned handshaken, roamed, sources_cleared;
	int64_t timers_ms; /* when timers ran last, and how often at that time */
	unsigned timers_runs;
} WorldEnd;

struct World {
	GRand *rand;
	int64_t ms;
	WorldEnd ends[WORLD_ENDS];
	int n_ends;
	/* The network. All zero: everything arrives at once. */
	double loss, repeat;
	int max_delay_ms;
	unsigned lost_kinds[WORLD_ENDS]; /* WORLD_LOST() of what an end sends is lost */
	/* What went over it. */
	GArray *log;         /* WorldSent */
	GPtrArray *captured; /* the last datagrams of all, if capture is set */
	bool capture;
	/* Overrides what a core's random numbers are. NULL: they come from rand. */
	void (*random)(World *world, void *bytes, size_t n);
	bool verbose;
	char *failure;                            /* the first thing that must not be */
	unsigned arrived[WORLD_ENDS][WORLD_ENDS]; /* packets that came out: from whom, at whom */
	/* Private. */
	int64_t initiated_ms[WORLD_ENDS][WORLD_ENDS]; /* by whom, for whom */
	GSequence *queue;
	uint64_t order;
	GHashTable *sent; /* id -> who to whom, or that it has arrived */
	uint64_t next_id;
};

/* capture: datagrams are remembered, to be repeated later. */
World *world_new(uint32_t seed, int n_ends);
void world_free(World *world);
/* Kills an end's core and makes a new one with the same key and no peers, up. */
void world_restart(World *world, int end);
WiceNow world_now(const World *world, const WorldEnd *end);
G_GNUC_PRINTF(2, 3) void world_fail(World *world, const char *format, ...);
G_GNUC_PRINTF(2, 3) void world_trace(World *world, const char *format, ...);

/* Whatever an end did last, it may begin handshakes at once. */
void world_excuse(World *world, int end);

/* The two become peers that know each other's address. */
void world_join(World *world, int a, int b);
/* peer becomes one of end: key and allowed IP are filled in, the rest is as change says. */
void world_set_peer(World *world, int end, int peer, WicePeerChange change);
void world_remove_peer(World *world, int end, int peer);
void world_set_key(World *world, int end, const WiceKey *private_key);
int world_apply(World *world, int end, const WiceDeviceChange *change);
/* What wice__core_read() says of a peer; zeros if it is none. */
WiceDevicePeer world_read_peer(World *world, int end, int peer);
WiceEngineCounters world_counters(World *world, int end);

/* n packets with so many bytes of payload go in at one end, for another. Returns the first's id. */
uint64_t world_send(World *world, int from, int to, unsigned n, uint32_t payload);
/* Anything goes in. */
void world_send_raw(World *world, int from, const uint8_t *packet, uint32_t length);
/* A datagram that somebody has made arrives at once. */
void world_inject(World *world, int to, const WiceEndpoint *from, const uint8_t *data,
		  uint32_t length);
/* The machine is at another address from now on. */
void world_move(World *world, int end, const WiceEndpoint *address);

/* Lets everything happen for so long; 0: what is due now. */
void world_run(World *world, int64_t ms);
/* How many of a kind were sent since; from, to: -1: any. */
unsigned world_count(const World *world, int from, WorldKind kind, int64_t since_ms);
/* When the nth of a kind since then was sent, counted from then; -1: it was not. */
int64_t world_sent_at(const World *world, int from, WorldKind kind, int64_t since_ms, unsigned nth);
/* True if a packet arrives in each direction now. */
bool world_connected(World *world, int a, int b);

/* Between engine_world.c and engine_network.c. */

void world_network_init(World *world);
void world_network_done(World *world);
void world_transmit(World *world, const WorldDatagram *datagram);
/* When one arrives, INT64_MAX: never. */
int64_t world_next_arrival(World *world);
/*
 * Takes datagrams that arrive now, as a socket would give them: the next ones for one end. The
 * caller owns them.
 */
size_t world_take_arrivals(World *world, WorldDatagram **ret_datagrams, size_t max, int *ret_end);
WorldDatagram *world_datagram_copy(const WorldDatagram *datagram);
void world_datagram_free(WorldDatagram *datagram);

#endif
