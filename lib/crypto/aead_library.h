/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_CRYPTO_AEAD_LIBRARY_H
#define WICE_CRYPTO_AEAD_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Libraries that providers use if they are installed. They are loaded when a provider is first asked
 * for: who installs libwice need not install them, and who uses something else of it does not load them.
 */
typedef struct {
	const char *name;
	void *function; /* where a pointer to it goes */
} WiceAeadSymbol;

/* Loads a library, for good, and finds n functions of it. False if it, or one of them, is missing. */
bool wice__aead_library_load(const char *soname, const WiceAeadSymbol *symbols, size_t n);

#endif
