/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_ICE_BED_H
#define WICE_TESTS_ICE_BED_H

#include "ice/fake.h"
#include "ice/ice.h"

/* Two kinds of agents, pairs of which are connected to one another within this process. */

#define BED_MAX_SOCKETS 8
#define BED_DATA_SIZE 64

extern const WiceIceOps *const bed_ops[2]; /* nice, fake */

typedef struct BedSide BedSide;
struct BedSide {
	const WiceIceOps *ops;
	WiceIce *ice; /* NULL when closed */
	WiceIceCredentials credentials;
	WiceIceSocket sockets[BED_MAX_SOCKETS];
	size_t n_sockets;
	WiceCandidate candidates[BED_MAX_SOCKETS];
	unsigned n_pairs, n_failed, n_data;
	WiceIcePair pair; /* the last one */
	uint8_t data[BED_DATA_SIZE];
	size_t data_len;
	bool in_hook;                    /* no callback may come now */
	void (*on_event)(BedSide *side); /* optional, last in each callback */
	BedSide *other;                  /* for on_event */
};

typedef struct {
	GMainContext *context;
	WiceIceWire *wire;
	bool ready; /* false: cannot be had on this machine, said why */
} Bed;

/*
 * A namespace with lo only, with 192.0.2.1, 192.0.2.2, 2001:db8::1 and 2001:db8::2. The fakes' wire
 * waits 300 ms before one without a pair fails.
 */
void bed_init(Bed *bed);
void bed_done(Bed *bed);

/* addresses: text, separated by spaces. 0 or what open returned. */
int bed_open(Bed *bed, BedSide *side, const WiceIceOps *ops, bool controlling,
	     const char *addresses);
int bed_open_full(Bed *bed, BedSide *side, const WiceIceOps *ops, WiceIceOptions options,
		  const char *addresses);
void bed_close(BedSide *side);

int bed_set_remote(BedSide *side, const WiceIceCredentials *credentials);
int bed_add(BedSide *side, const WiceCandidate *candidates, size_t n);
/* Gives all of the other's description to side. */
void bed_tell(BedSide *side, const BedSide *other);
void bed_introduce(BedSide *a, BedSide *b);

/* Runs the context until done says so; false after a generous deadline. */
typedef bool (*BedDone)(void *user_data);
bool bed_run(Bed *bed, BedDone done, void *user_data);
/* Until both have a pair. */
bool bed_connect(Bed *bed, BedSide *a, BedSide *b);
/* For so many milliseconds, to show that something does not happen. */
void bed_linger(Bed *bed, unsigned ms);

/* The pair is made of things that exist, and leads to the peer's socket. */
void bed_check_pair(const BedSide *side, const BedSide *other);

WiceCandidate bed_candidate(const char *endpoint, uint32_t priority, const char *foundation);

#endif
