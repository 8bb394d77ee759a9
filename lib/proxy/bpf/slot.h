/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_PROXY_BPF_SLOT_H
#define WICE_PROXY_BPF_SLOT_H

/*
 * Numbers that processes of one network namespace hold for as long as they live, so that each can
 * tell what the dead have left behind: slot n is the abstract Unix socket "wice/mux/<n>", which the
 * kernel gives to one socket at a time and frees with its holder, however that ends. The mux holds
 * one, and another while there are relayed channels; a relay whose fast path needs TC holds one.
 */
#define WICE_BPF_SLOTS 64 /* 1 to 64 */

/* Returns a descriptor, which holds the slot until it is closed; -EADDRINUSE if somebody does. */
int wice__bpf_slot_hold(unsigned slot);

#endif
