/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/bpf/mapped.h"

#include <glib.h>
#include <string.h>

WiceMuxAddress wice__bpf_map_address(const WiceAddress *address)
{
	WiceMuxAddress mapped = { { 0, GUINT64_TO_BE(WICE_MUX_IPV4_PREFIX) } };
	uint8_t *bytes = (uint8_t *)mapped.words;
	if (address->family == WICE_FAMILY_IPV4)
		memcpy(bytes + 12, address->bytes, 4);
	else
		memcpy(bytes, address->bytes, 16);
	return mapped;
}

void wice__bpf_unmap_address(const WiceMuxAddress *mapped, WiceAddress *ret)
{
	const uint8_t *bytes = (const uint8_t *)mapped->words;
	bool ipv4 = mapped->words[0] == 0 &&
		    GUINT64_FROM_BE(mapped->words[1]) >> 32 == WICE_MUX_IPV4_PREFIX >> 32;
	*ret = (WiceAddress){ .family = ipv4 ? WICE_FAMILY_IPV4 : WICE_FAMILY_IPV6 };
	memcpy(ret->bytes, ipv4 ? bytes + 12 : bytes, ipv4 ? 4 : 16);
}
