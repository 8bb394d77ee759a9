/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/bpf/ports.h"

#include <glib.h>

void wice__bpf_ports_use(WiceBpfPorts *ports, __u8 *bits, uint16_t port)
{
	port = GUINT16_TO_BE(port);
	ports->users[port]++;
	__atomic_fetch_or(&bits[port / 8], 1u << (port % 8), __ATOMIC_RELEASE);
}

void wice__bpf_ports_unuse(WiceBpfPorts *ports, __u8 *bits, uint16_t port)
{
	port = GUINT16_TO_BE(port);
	if (--ports->users[port] == 0)
		__atomic_fetch_and(&bits[port / 8], ~(1u << (port % 8)), __ATOMIC_RELEASE);
}
