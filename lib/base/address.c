/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/address_text.h"

#include <string.h>

static size_t family_bytes(uint8_t family)
{
	return family == WICE_FAMILY_IPV4 ? 4 : family == WICE_FAMILY_IPV6 ? 16 : 0;
}

bool wice_address_parse(const char *text, WiceAddress *ret)
{
	return wice__address_parse(text, strlen(text), ret);
}

char *wice_address_format(const WiceAddress *address, char ret_text[WICE_ADDRESS_SIZE])
{
	wice__address_format(address, ret_text);
	return ret_text;
}

int wice_address_compare(const WiceAddress *a, const WiceAddress *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, family_bytes(a->family));
}

bool wice_address_is_loopback(const WiceAddress *address)
{
	static const uint8_t loopback6[16] = { [15] = 1 };
	if (address->family == WICE_FAMILY_IPV4)
		return address->bytes[0] == 127;
	return address->family == WICE_FAMILY_IPV6 && memcmp(address->bytes, loopback6, 16) == 0;
}

bool wice_address_is_link_local(const WiceAddress *address)
{
	if (address->family == WICE_FAMILY_IPV4)
		return address->bytes[0] == 169 && address->bytes[1] == 254;
	return address->family == WICE_FAMILY_IPV6 && address->bytes[0] == 0xfe &&
	       (address->bytes[1] & 0xc0) == 0x80;
}

bool wice_endpoint_parse(const char *text, WiceEndpoint *ret)
{
	return wice__endpoint_parse(text, strlen(text), ret);
}

char *wice_endpoint_format(const WiceEndpoint *endpoint, char ret_text[WICE_ENDPOINT_SIZE])
{
	wice__endpoint_format(endpoint, ret_text);
	return ret_text;
}

int wice_endpoint_compare(const WiceEndpoint *a, const WiceEndpoint *b)
{
	int order = wice_address_compare(&a->address, &b->address);
	if (order)
		return order;
	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	return a->scope == b->scope ? 0 : a->scope < b->scope ? -1 : 1;
}

/* Clears the bits behind the first length ones. */
static void mask_address(WiceAddress *address, unsigned length)
{
	for (unsigned i = 0; i < 16; i++) {
		unsigned keep = length >= 8 * (i + 1) ? 8 : length > 8 * i ? length - 8 * i : 0;
		address->bytes[i] &= (uint8_t)(0xff00u >> keep);
	}
}

bool wice_prefix_parse(const char *text, WicePrefix *ret)
{
	return wice__prefix_parse(text, strlen(text), ret);
}

char *wice_prefix_format(const WicePrefix *prefix, char ret_text[WICE_PREFIX_SIZE])
{
	wice__prefix_format(prefix, ret_text);
	return ret_text;
}

int wice_prefix_compare(const WicePrefix *a, const WicePrefix *b)
{
	int order = wice_address_compare(&a->address, &b->address);
	if (order)
		return order;
	return a->length == b->length ? 0 : a->length < b->length ? -1 : 1;
}

bool wice_prefix_contains(const WicePrefix *prefix, const WiceAddress *address)
{
	if (prefix->address.family != address->family)
		return false;
	WiceAddress masked = *address;
	mask_address(&masked, prefix->length);
	return wice_address_compare(&masked, &prefix->address) == 0;
}
