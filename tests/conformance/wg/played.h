/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_WG_PLAYED_H
#define WICE_TESTS_WG_PLAYED_H

#include "conformance/wg/subject.h"

extern TestSubject fake_subject, played_kernel_subject, played_uapi_subject, played_gotatun_subject;

#endif
