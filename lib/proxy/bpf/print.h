/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_PROXY_BPF_PRINT_H
#define WICE_PROXY_BPF_PRINT_H

#include <bpf/libbpf.h>

/*
 * libbpf prints to stderr unless the process has told it otherwise. From now on what it says goes
 * to our log, as details for developers. Returns what was set; give that back to libbpf_set_print()
 * after our calls: the process may use libbpf for itself.
 */
libbpf_print_fn_t wice__bpf_print_to_log(void);

#endif
