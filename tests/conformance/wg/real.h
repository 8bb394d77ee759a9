/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_WG_REAL_H
#define WICE_TESTS_WG_REAL_H

#include "conformance/wg/subject.h"

extern TestSubject kernel_subject, wireguard_go_subject;

/* Whether there is such a program. */
bool real_has_program(const char *name);

/* What "wg show wgtest0 dump" says. The caller frees it. */
char *real_dump(void);

#endif
