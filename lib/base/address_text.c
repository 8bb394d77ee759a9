/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses as text: the forms that inet_pton(3) reads and inet_ntop(3) writes, by hand, because a
 * large device has tens of thousands of them.
 */
#include "base/address_text.h"

#include <string.h>

#define NUMBER_DIGITS_MAX 20 /* of UINT64_MAX */

static unsigned full_length(uint8_t family)
{
	return family == WICE_FAMILY_IPV4 ? 32 : 128;
}

bool wice__number_parse(const char *text, size_t len, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;
	if (len == 0 || len > NUMBER_DIGITS_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned digit = (unsigned)(unsigned char)text[i] - '0';
		if (digit > 9 || value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	if (value > max)
		return false;
	*ret = value;
	return true;
}

/* One of the four numbers: no zeros in front. Returns what follows it, or NULL. */
static const char *parse_octet(const char *at, const char *end, uint8_t *ret)
{
	const char *start = at;
	unsigned value = 0;
	for (; at < end && at < start + 3 && *at >= '0' && *at <= '9'; at++)
		value = value * 10 + (unsigned)(*at - '0');
	if (at == start || value > 255 || (*start == '0' && at > start + 1))
		return NULL;
	*ret = (uint8_t)value;
	return at;
}

static bool parse_ipv4(const char *at, const char *end, uint8_t ret[4])
{
	for (size_t i = 0; i < 4; i++) {
		if (i && (at == end || *at++ != '.'))
			return false;
		at = parse_octet(at, end, &ret[i]);
		if (!at)
			return false;
	}
	return at == end;
}

static unsigned hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

/* One to four hexadecimal digits, into two bytes. Returns what follows them, or NULL. */
static const char *parse_group(const char *at, const char *end, uint8_t ret[2])
{
	const char *start = at;
	unsigned value = 0, digit;
	for (; at < end && at < start + 4 && (digit = hex_digit(*at)) < 16; at++)
		value = value << 4 | digit;
	if (at == start)
		return NULL;
	ret[0] = (uint8_t)(value >> 8);
	ret[1] = (uint8_t)value;
	return at;
}

/* Where "::" stands, and how many bytes have been read. */
typedef struct {
	uint8_t bytes[16];
	size_t n, gap;
} Groups;

#define NO_GAP SIZE_MAX

/* The colon behind a group, or two of them; returns what follows, or NULL. */
static const char *parse_colons(const char *at, const char *end, Groups *groups)
{
	if (*at++ != ':' || at == end)
		return NULL;
	if (*at != ':')
		return at;
	if (groups->gap != NO_GAP)
		return NULL;
	groups->gap = groups->n;
	return at + 1;
}

static bool parse_groups(const char *at, const char *end, Groups *groups)
{
	while (at < end) {
		const char *start = at;
		if (groups->n > 14)
			return false;
		at = parse_group(at, end, groups->bytes + groups->n);
		if (!at)
			return false;
		if (at < end && *at == '.') {
			if (groups->n > 12 || !parse_ipv4(start, end, groups->bytes + groups->n))
				return false;
			groups->n += 4;
			return true;
		}
		groups->n += 2;
		if (at < end)
			at = parse_colons(at, end, groups);
		if (!at)
			return false;
	}
	return true;
}

static bool parse_ipv6(const char *at, const char *end, uint8_t ret[16])
{
	Groups groups = { .gap = NO_GAP };
	if (end - at >= 2 && at[0] == ':' && at[1] == ':') {
		groups.gap = 0;
		at += 2;
	}
	/* "::" stands for one group at least. */
	if (!parse_groups(at, end, &groups) || (groups.gap == NO_GAP) != (groups.n == 16))
		return false;
	if (groups.gap == NO_GAP)
		groups.gap = groups.n;
	size_t n_behind = groups.n - groups.gap;
	memcpy(ret, groups.bytes, groups.gap);
	memset(ret + groups.gap, 0, 16 - groups.n);
	memcpy(ret + 16 - n_behind, groups.bytes + groups.gap, n_behind);
	return true;
}

bool wice__address_parse(const char *text, size_t len, WiceAddress *ret)
{
	WiceAddress address = { 0 };
	if (parse_ipv4(text, text + len, address.bytes))
		address.family = WICE_FAMILY_IPV4;
	else if (parse_ipv6(text, text + len, address.bytes))
		address.family = WICE_FAMILY_IPV6;
	else
		return false;
	*ret = address;
	return true;
}

/* "v6%scope", what stands between the brackets. */
static bool parse_scoped(const char *text, size_t len, WiceEndpoint *ret)
{
	const char *percent = memchr(text, '%', len);
	size_t host_len = percent ? (size_t)(percent - text) : len;
	uint64_t scope = 0;
	if (percent && !wice__number_parse(percent + 1, len - host_len - 1, UINT32_MAX, &scope))
		return false;
	ret->scope = (uint32_t)scope;
	ret->address.family = WICE_FAMILY_IPV6;
	return parse_ipv6(text, text + host_len, ret->address.bytes);
}

bool wice__endpoint_parse(const char *text, size_t len, WiceEndpoint *ret)
{
	WiceEndpoint endpoint = { 0 };
	uint64_t port;
	bool bracketed = len && *text == '[';
	const char *bracket = bracketed ? memchr(text, ']', len) : NULL;
	const char *host_end = bracketed ? bracket : memchr(text, ':', len);
	if (!host_end)
		return false;
	const char *colon = bracketed ? host_end + 1 : host_end, *end = text + len;
	if (colon == end || *colon != ':' ||
	    !wice__number_parse(colon + 1, (size_t)(end - colon - 1), UINT16_MAX, &port))
		return false;
	endpoint.port = (uint16_t)port;
	endpoint.address.family = WICE_FAMILY_IPV4;
	if (bracketed ? !parse_scoped(text + 1, (size_t)(host_end - text - 1), &endpoint)
		      : !parse_ipv4(text, host_end, endpoint.address.bytes))
		return false;
	*ret = endpoint;
	return true;
}

bool wice__network_parse(const char *text, size_t len, WiceAddress *ret_address,
			 uint8_t *ret_length)
{
	WiceAddress address;
	const char *slash = memchr(text, '/', len);
	size_t host_len = slash ? (size_t)(slash - text) : len;
	if (!wice__address_parse(text, host_len, &address))
		return false;
	uint64_t length = full_length(address.family);
	if (slash && !wice__number_parse(slash + 1, len - host_len - 1, length, &length))
		return false;
	*ret_address = address;
	*ret_length = (uint8_t)length;
	return true;
}

/* Clears the bits behind the first length ones. */
static void clear_host_bits(WicePrefix *prefix)
{
	size_t n = prefix->length / 8;
	if (n == sizeof prefix->address.bytes)
		return;
	prefix->address.bytes[n] &= (uint8_t)(0xff00u >> prefix->length % 8);
	memset(prefix->address.bytes + n + 1, 0, sizeof prefix->address.bytes - n - 1);
}

bool wice__prefix_parse(const char *text, size_t len, WicePrefix *ret)
{
	WicePrefix prefix;
	if (!wice__network_parse(text, len, &prefix.address, &prefix.length))
		return false;
	clear_host_bits(&prefix);
	*ret = prefix;
	return true;
}

char *wice__number_format(uint64_t number, char *ret_text)
{
	char digits[NUMBER_DIGITS_MAX];
	size_t n = 0;
	do
		digits[n++] = (char)('0' + number % 10);
	while (number /= 10);
	while (n)
		*ret_text++ = digits[--n];
	*ret_text = 0;
	return ret_text;
}

static char *format_ipv4(const uint8_t bytes[4], char *text)
{
	for (size_t i = 0; i < 4; i++) {
		if (i)
			*text++ = '.';
		text = wice__number_format(bytes[i], text);
	}
	return text;
}

/* The first of the longest runs of zero groups; *ret_n is 0 if none is longer than one. */
static size_t longest_gap(const unsigned groups[8], size_t *ret_n)
{
	size_t best = 0, best_n = 1;
	for (size_t i = 0; i < 8; i++) {
		size_t n = 0;
		while (i + n < 8 && groups[i + n] == 0)
			n++;
		if (n > best_n) {
			best = i;
			best_n = n;
		}
	}
	*ret_n = best_n > 1 ? best_n : 0;
	return best;
}

static char *format_group(unsigned group, char *text)
{
	for (unsigned shift = 16; shift; shift -= 4) {
		if (group >> (shift - 4) || shift == 4)
			*text++ = "0123456789abcdef"[group >> (shift - 4) & 15];
	}
	return text;
}

/* IPv4 within IPv6: "::ffff:192.0.2.1", or in the form of old, "::192.0.2.1". */
static bool ends_in_ipv4(const unsigned groups[8], size_t gap, size_t n_gap)
{
	return n_gap && gap == 0 && (n_gap == 6 || (n_gap == 5 && groups[5] == 0xffff));
}

/* RFC 5952. */
static char *format_ipv6(const uint8_t bytes[16], char *text)
{
	unsigned groups[8];
	size_t n_gap;
	for (size_t i = 0; i < 8; i++)
		groups[i] = (unsigned)bytes[2 * i] << 8 | bytes[2 * i + 1];
	size_t gap = longest_gap(groups, &n_gap);
	size_t n = ends_in_ipv4(groups, gap, n_gap) ? 6 : 8;
	for (size_t i = 0; i < n; i++) {
		if (n_gap && i == gap) {
			*text++ = ':';
			i += n_gap - 1;
			if (i == 7)
				*text++ = ':';
			continue;
		}
		if (i)
			*text++ = ':';
		text = format_group(groups[i], text);
	}
	if (n == 6) {
		*text++ = ':';
		return format_ipv4(bytes + 12, text);
	}
	*text = 0;
	return text;
}

static char *format_none(char *text)
{
	return (char *)memcpy(text, "(none)", sizeof "(none)") + sizeof "(none)" - 1;
}

char *wice__address_format(const WiceAddress *address, char ret_text[WICE_ADDRESS_SIZE])
{
	if (address->family == WICE_FAMILY_IPV4)
		return format_ipv4(address->bytes, ret_text);
	if (address->family == WICE_FAMILY_IPV6)
		return format_ipv6(address->bytes, ret_text);
	return format_none(ret_text);
}

char *wice__endpoint_format(const WiceEndpoint *endpoint, char ret_text[WICE_ENDPOINT_SIZE])
{
	char *at = ret_text;
	if (endpoint->address.family == WICE_FAMILY_IPV4) {
		at = format_ipv4(endpoint->address.bytes, at);
	} else if (endpoint->address.family == WICE_FAMILY_IPV6) {
		*at++ = '[';
		at = format_ipv6(endpoint->address.bytes, at);
		if (endpoint->scope) {
			*at++ = '%';
			at = wice__number_format(endpoint->scope, at);
		}
		*at++ = ']';
	} else {
		return format_none(at);
	}
	*at++ = ':';
	return wice__number_format(endpoint->port, at);
}

char *wice__prefix_format(const WicePrefix *prefix, char ret_text[WICE_PREFIX_SIZE])
{
	char *at = wice__address_format(&prefix->address, ret_text);
	if (prefix->address.family != WICE_FAMILY_IPV4 &&
	    prefix->address.family != WICE_FAMILY_IPV6)
		return at;
	*at++ = '/';
	return wice__number_format(prefix->length, at);
}
