/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/address.h"

#include "base/format.h"
#include "base/parse.h"

#include <string.h>

static size_t family_bytes(uint8_t family)
{
	return family == WICE_FAMILY_IPV4 ? 4 : family == WICE_FAMILY_IPV6 ? 16 : 0;
}

/* Ends a text, and replaces an empty one: nothing has been written for what is none. */
static char *end_text(char *end, char *ret_text)
{
	if (end == ret_text)
		return strcpy(ret_text, "(none)");
	*end = 0;
	return ret_text;
}

bool wice_address_parse(const char *text, WiceAddress *ret)
{
	return wice__parse_address(text, strlen(text), ret);
}

char *wice_address_format(const WiceAddress *address, char ret_text[WICE_ADDRESS_SIZE])
{
	return end_text(wice__format_address(ret_text, address), ret_text);
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
	return wice__parse_endpoint(text, strlen(text), ret);
}

char *wice_endpoint_format(const WiceEndpoint *endpoint, char ret_text[WICE_ENDPOINT_SIZE])
{
	return end_text(wice__format_endpoint(ret_text, endpoint), ret_text);
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

static unsigned family_bits(uint8_t family)
{
	return 8 * (unsigned)family_bytes(family);
}

/* Clears the bits behind the first length ones. */
static void mask_address(WiceAddress *address, unsigned length)
{
	size_t last = length / 8; /* the byte that may be kept in part */
	if (last >= sizeof address->bytes)
		return;
	address->bytes[last] &= (uint8_t)(0xff00u >> length % 8);
	memset(&address->bytes[last + 1], 0, sizeof address->bytes - last - 1);
}

bool wice__prefix_valid(const WicePrefix *prefix)
{
	return family_bytes(prefix->address.family) &&
	       prefix->length <= family_bits(prefix->address.family);
}

void wice__prefix_clear_host_bits(WicePrefix *prefix)
{
	mask_address(&prefix->address, prefix->length);
}

bool wice_prefix_parse(const char *text, WicePrefix *ret)
{
	return wice__parse_prefix(text, strlen(text), ret);
}

char *wice_prefix_format(const WicePrefix *prefix, char ret_text[WICE_PREFIX_SIZE])
{
	return end_text(wice__format_prefix(ret_text, prefix), ret_text);
}

bool wice_interface_address_parse(const char *text, WiceInterfaceAddress *ret)
{
	return wice__parse_network(text, strlen(text), &ret->address, &ret->length);
}

char *wice_interface_address_format(const WiceInterfaceAddress *address,
				    char ret_text[WICE_PREFIX_SIZE])
{
	WicePrefix same = { .address = address->address, .length = address->length };
	return wice_prefix_format(&same, ret_text);
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
