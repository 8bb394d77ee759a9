/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_WG_REAL_H
#define WICE_TESTS_WG_REAL_H

#include "conformance/wg/subject.h"

extern TestSubject kernel_subject, wireguard_go_subject, wice_wg_subject;

/* Whether there is such a program. */
bool real_has_program(const char *name);

/* Namespaces of our own, for the calling process; false: cannot be had, the reason was printed. */
bool real_enter_network(const char *what);
/* Hides the sockets of the system's interfaces. */
bool real_hide_run(const char *what);
bool real_has_tun(const char *what);

/* What "wg show wgtest0 dump" says. The caller frees it. */
char *real_dump(void);

#endif
