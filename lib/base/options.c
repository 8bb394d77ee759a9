/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/options.h"

bool wice__options_understood(const void *options, size_t size, size_t known)
{
	const unsigned char *bytes = options;
	if (size < known)
		return false;
	for (size_t i = known; i < size; i++) {
		if (bytes[i])
			return false;
	}
	return true;
}
