/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/address.h"
#include "base/format.h"

#include <arpa/inet.h> /* inet_pton: pure text conversion, no I/O */
#include <glib.h>
#include <string.h>

static size_t family_bytes(uint8_t family)
{
	return family == WICE_FAMILY_IPV4 ? 4 : family == WICE_FAMILY_IPV6 ? 16 : 0;
}

/* Decimal digits only, at most max; no sign, no space. */
static bool parse_number(const char *text, size_t len, uint32_t max, uint32_t *ret)
{
	if (len == 0 || len > 10)
		return false;
	uint64_t value = 0;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(text[i] - '0');
	}
	if (value > max)
		return false;
	*ret = (uint32_t)value;
	return true;
}

/* Copies len bytes of text into a NUL-terminated buffer; false if it is too small. */
static bool take(const char *text, size_t len, char *ret, size_t size)
{
	if (len >= size)
		return false;
	memcpy(ret, text, len);
	ret[len] = 0;
	return true;
}

bool wice_address_parse(const char *text, WiceAddress *ret)
{
	WiceAddress address = { 0 };
	if (inet_pton(AF_INET, text, address.bytes) == 1)
		address.family = WICE_FAMILY_IPV4;
	else if (inet_pton(AF_INET6, text, address.bytes) == 1)
		address.family = WICE_FAMILY_IPV6;
	else
		return false;
	*ret = address;
	return true;
}

char *wice_address_format(const WiceAddress *address, char ret_text[WICE_ADDRESS_SIZE])
{
	if (family_bytes(address->family))
		*wice__format_address(ret_text, address) = 0;
	else
		g_strlcpy(ret_text, "(none)", WICE_ADDRESS_SIZE);
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

/* "[v6%scope]" up to the bracket; returns what follows it, or NULL. */
static const char *parse_bracketed(const char *text, WiceEndpoint *endpoint)
{
	char host[WICE_ENDPOINT_SIZE];
	const char *end = strchr(text, ']');
	if (!end || !take(text + 1, (size_t)(end - text - 1), host, sizeof host))
		return NULL;
	char *scope = strchr(host, '%');
	if (scope) {
		*scope++ = 0;
		if (!parse_number(scope, strlen(scope), UINT32_MAX, &endpoint->scope))
			return NULL;
	}
	if (!wice_address_parse(host, &endpoint->address) ||
	    endpoint->address.family != WICE_FAMILY_IPV6)
		return NULL;
	return end + 1;
}

static const char *parse_plain(const char *text, WiceEndpoint *endpoint)
{
	char host[WICE_ADDRESS_SIZE];
	const char *colon = strchr(text, ':');
	if (!colon || !take(text, (size_t)(colon - text), host, sizeof host) ||
	    !wice_address_parse(host, &endpoint->address) ||
	    endpoint->address.family != WICE_FAMILY_IPV4)
		return NULL;
	return colon;
}

bool wice_endpoint_parse(const char *text, WiceEndpoint *ret)
{
	WiceEndpoint endpoint = { 0 };
	uint32_t port;
	const char *rest =
		*text == '[' ? parse_bracketed(text, &endpoint) : parse_plain(text, &endpoint);
	if (!rest || *rest != ':' || !parse_number(rest + 1, strlen(rest + 1), 65535, &port))
		return false;
	endpoint.port = (uint16_t)port;
	*ret = endpoint;
	return true;
}

char *wice_endpoint_format(const WiceEndpoint *endpoint, char ret_text[WICE_ENDPOINT_SIZE])
{
	char host[WICE_ADDRESS_SIZE];
	wice_address_format(&endpoint->address, host);
	if (endpoint->address.family == WICE_FAMILY_IPV4)
		g_snprintf(ret_text, WICE_ENDPOINT_SIZE, "%s:%u", host, endpoint->port);
	else if (endpoint->address.family != WICE_FAMILY_IPV6)
		g_strlcpy(ret_text, "(none)", WICE_ENDPOINT_SIZE);
	else if (endpoint->scope)
		g_snprintf(ret_text, WICE_ENDPOINT_SIZE, "[%s%%%u]:%u", host, endpoint->scope,
			   endpoint->port);
	else
		g_snprintf(ret_text, WICE_ENDPOINT_SIZE, "[%s]:%u", host, endpoint->port);
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

/* "ADDRESS/LENGTH", or "ADDRESS" with the full length. */
static bool parse_network(const char *text, WiceAddress *ret_address, uint8_t *ret_length)
{
	char host[WICE_ADDRESS_SIZE];
	WiceAddress address;
	const char *slash = strchr(text, '/');
	size_t host_len = slash ? (size_t)(slash - text) : strlen(text);
	if (!take(text, host_len, host, sizeof host) || !wice_address_parse(host, &address))
		return false;
	uint32_t length = family_bits(address.family);
	if (slash && !parse_number(slash + 1, strlen(slash + 1), length, &length))
		return false;
	*ret_address = address;
	*ret_length = (uint8_t)length;
	return true;
}

static char *format_network(const WiceAddress *address, uint8_t length,
			    char ret_text[WICE_PREFIX_SIZE])
{
	char host[WICE_ADDRESS_SIZE];
	wice_address_format(address, host);
	if (address->family == WICE_FAMILY_NONE)
		g_strlcpy(ret_text, host, WICE_PREFIX_SIZE);
	else
		g_snprintf(ret_text, WICE_PREFIX_SIZE, "%s/%u", host, length);
	return ret_text;
}

bool wice_prefix_parse(const char *text, WicePrefix *ret)
{
	if (!parse_network(text, &ret->address, &ret->length))
		return false;
	wice__prefix_clear_host_bits(ret);
	return true;
}

char *wice_prefix_format(const WicePrefix *prefix, char ret_text[WICE_PREFIX_SIZE])
{
	return format_network(&prefix->address, prefix->length, ret_text);
}

bool wice_interface_address_parse(const char *text, WiceInterfaceAddress *ret)
{
	return parse_network(text, &ret->address, &ret->length);
}

char *wice_interface_address_format(const WiceInterfaceAddress *address,
				    char ret_text[WICE_PREFIX_SIZE])
{
	return format_network(&address->address, address->length, ret_text);
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
