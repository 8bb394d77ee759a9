/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_PROXY_BPF_ATTACH_H
#define WICE_PROXY_BPF_ATTACH_H

#include <stdbool.h>
#include <stdint.h>

#include "event/uplinks.h"

typedef enum {
	WICE_BPF_ATTACH_BEST = 0,
	WICE_BPF_ATTACH_TCX,
	WICE_BPF_ATTACH_CLSACT,
} WiceBpfAttach;

typedef enum {
	WICE_BPF_INGRESS,
	WICE_BPF_EGRESS,
	WICE_BPF_N_DIRECTIONS,
} WiceBpfDirection;

/* Descriptors, the caller's. -1: nothing in that direction; there always is one of ingress. */
typedef struct {
	int ethernet[WICE_BPF_N_DIRECTIONS];
	int l3[WICE_BPF_N_DIRECTIONS]; /* for devices without an Ethernet header */
} WiceBpfPrograms;

/* How programs are attached to devices. */
typedef struct {
	WiceBpfAttach way; /* TCX or CLSACT */
	WiceBpfPrograms programs;
	unsigned slot; /* for clsact, see slot.h; 0: none */
	int slot_fd;
} WiceBpfAttacher;

/* The programs on one device. */
typedef struct {
	WiceUplink uplink;
	int links[WICE_BPF_N_DIRECTIONS]; /* tcx, else -1 */
} WiceBpfAttachment;

/*
 * Finds the best way, or sees whether way is there. For clsact it holds a slot and removes what
 * dead processes have left on any device. -EOPNOTSUPP: there is no tcx, -EUSERS: no slot is free.
 */
int wice__bpf_attacher_init(WiceBpfAttacher *ret, WiceBpfAttach way,
			    const WiceBpfPrograms *programs);
void wice__bpf_attacher_done(WiceBpfAttacher *attacher);

/* Attaches both directions, or none. -errno; -ENODEV: the device has gone. */
int wice__bpf_attach(const WiceBpfAttacher *attacher, const WiceUplink *uplink,
		     WiceBpfAttachment *ret);
/* False if somebody has removed one of them, or the device has gone. */
bool wice__bpf_is_attached(const WiceBpfAttacher *attacher, const WiceBpfAttachment *attachment);
void wice__bpf_detach(const WiceBpfAttacher *attacher, WiceBpfAttachment *attachment);

#endif
