/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_PROXY_BPF_LOAD_H
#define WICE_PROXY_BPF_LOAD_H

/*
 * Calls load, which loads programs with libbpf, in such a way that the process stays as it is:
 * nothing is printed, no limit is raised for good. Returns what load does.
 */
int wice__bpf_load(int (*load)(void *user_data), void *user_data);

#endif
