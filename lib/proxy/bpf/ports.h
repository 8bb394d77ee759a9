/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_PROXY_BPF_PORTS_H
#define WICE_PROXY_BPF_PORTS_H

#include <linux/types.h>
#include <stdint.h>

/*
 * A set of ports that programs read from a variable of theirs, a bit each, which this process has
 * mapped: no system call. Several may use a port and share the bit, so they are counted.
 */
typedef struct {
	uint16_t users[65536]; /* by port in network order, as the bits are */
} WiceBpfPorts;

void wice__bpf_ports_use(WiceBpfPorts *ports, __u8 *bits, uint16_t port);
/* Of who has used it. */
void wice__bpf_ports_unuse(WiceBpfPorts *ports, __u8 *bits, uint16_t port);

#endif
