/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_PROXY_BPF_SKELETON_H
#define WICE_PROXY_BPF_SKELETON_H

/* What bpftool has made of the programs: an object as one long string, and the names in it. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverlength-strings"
#include "proxy/bpf/mux.skel.h"
#include "proxy/bpf/relayed.skel.h"
#pragma GCC diagnostic pop

#endif
