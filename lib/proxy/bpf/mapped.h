/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_PROXY_BPF_MAPPED_H
#define WICE_PROXY_BPF_MAPPED_H

#include <wice/addr.h>

#include "proxy/bpf/mux_maps.h"

/* Addresses as the programs have them: 128 bits, in which an IPv4 address is mapped. */
WiceMuxAddress wice__bpf_map_address(const WiceAddress *address);
void wice__bpf_unmap_address(const WiceMuxAddress *mapped, WiceAddress *ret);

#endif
