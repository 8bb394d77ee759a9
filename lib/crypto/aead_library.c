/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/aead_library.h"

#include <dlfcn.h>
#include <string.h>

bool wice__aead_library_load(const char *soname, const WiceAeadSymbol *symbols, size_t n)
{
	void *handle = dlopen(soname, RTLD_LAZY | RTLD_LOCAL);
	if (!handle)
		return false;
	for (size_t i = 0; i < n; i++) {
		void *function = dlsym(handle, symbols[i].name);
		if (!function)
			return false;
		memcpy(symbols[i].function, &function, sizeof function);
	}
	return true;
}
