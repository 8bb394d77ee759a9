/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_BASE_OPTIONS_H
#define WICE_BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * True if a structure that begins with its size asks for nothing that this version does not know:
 * bytes behind the known ones are zero.
 */
bool wice__options_understood(const void *options, size_t size, size_t known);

#endif
