/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_AGENT_MTU_H
#define WICE_AGENT_MTU_H

#include <stdbool.h>
#include <stdint.h>
#include <wice/addr.h>
#include <wice/wg.h>

/*
 * Does what the interface sends fit into the packets of the path? If not, each full packet is
 * fragmented, or lost. Looked at when a path is applied; told once, and mended if that is allowed:
 * then the interface gets the smaller MTU, and back what it had in the end.
 */
typedef struct {
	WiceWg *wg;
	const char *name; /* of the interface */
	bool may_fix;
	unsigned found;  /* before it was changed; 0: it was not */
	unsigned ours;   /* what it was changed to */
	unsigned warned; /* for which MTU */
} WiceMtu;

/* How large the interface's packets may be. growth: what the path adds to each of WireGuard's. */
unsigned wice__mtu_fitting(unsigned path_mtu, WiceFamily family, unsigned growth);
/* A path to remote is used from now on. */
void wice__mtu_check(WiceMtu *mtu, const WiceEndpoint *remote, uint32_t fwmark, unsigned growth);
/* Puts back what was found, unless somebody else has changed it since. */
void wice__mtu_release(WiceMtu *mtu);

#endif
