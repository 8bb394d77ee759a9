/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_WG_ENGINE_H
#define WICE_TESTS_WG_ENGINE_H

#include "conformance/wg/subject.h"

extern TestSubject engine_subject, engine_tun_subject;

#endif
