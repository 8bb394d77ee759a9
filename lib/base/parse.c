/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses from text, in the forms that inet_pton(3) reads, by hand, because a large device has
 * tens of thousands of them.
 */
#include "base/parse.h"

#include "base/address.h"

#include <glib.h>
#include <string.h>

#define NUMBER_DIGITS_MAX 20 /* of UINT64_MAX */

static unsigned full_length(uint8_t family)
{
	return family == WICE_FAMILY_IPV4 ? 32 : 128;
}

bool wice__parse_number(const char *text, size_t len, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;
	if (len == 0 || len > NUMBER_DIGITS_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned digit = (unsigned)(unsigned char)text[i] - '0';
		/* Only the last of so many digits can be one too many. */
		if (digit > 9 || (i == NUMBER_DIGITS_MAX - 1 && value > (UINT64_MAX - digit) / 10))
			return false;
		value = value * 10 + digit;
	}
	if (value > max)
		return false;
	*ret = value;
	return true;
}

/* The value of a digit; 10 or more if there is none. */
static unsigned digit_at(const char *at, const char *end)
{
	return at < end ? (unsigned)(unsigned char)*at - '0' : 10;
}

/* One of the four numbers. Returns what follows it, or NULL. Nothing but a dot may follow a 0. */
static const char *parse_octet(const char *at, const char *end, unsigned *ret)
{
	unsigned value = digit_at(at++, end), digit;
	if (value > 9)
		return NULL;
	for (int i = 0; i < 2 && value > 0 && (digit = digit_at(at, end)) < 10; i++, at++)
		value = value * 10 + digit;
	*ret = value;
	return value <= 255 ? at : NULL;
}

/*
 * Returns what follows the address, or NULL. Writes all four bytes at once: reading together what
 * was written apart stalls a processor.
 */
static const char *parse_ipv4(const char *at, const char *end, uint8_t ret[4])
{
	uint32_t bits = 0;
	for (size_t i = 0; i < 4; i++) {
		unsigned octet;
		if (i && (at == end || *at++ != '.'))
			return NULL;
		at = parse_octet(at, end, &octet);
		if (!at)
			return NULL;
		bits = bits << 8 | octet;
	}
	bits = GUINT32_TO_BE(bits);
	memcpy(ret, &bits, sizeof bits);
	return at;
}

static unsigned hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

/* One to four hexadecimal digits. Returns what follows them, or NULL. */
static const char *parse_group(const char *at, const char *end, uint16_t *ret)
{
	const char *start = at;
	unsigned value = 0, digit;
	for (; at < end && at < start + 4 && (digit = hex_digit(*at)) < 16; at++)
		value = value << 4 | digit;
	*ret = (uint16_t)value;
	return at == start ? NULL : at;
}

#define N_GROUPS 8

/* What has been read, and where "::" stands. */
typedef struct {
	uint16_t numbers[N_GROUPS];
	unsigned n, gap;
} Groups;

#define NO_GAP UINT_MAX

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

/* The last two groups as an IPv4 address. Returns what follows it, or NULL. */
static const char *parse_last_groups(const char *at, const char *end, Groups *groups)
{
	uint8_t bytes[4];
	if (groups->n > N_GROUPS - 2)
		return NULL;
	at = parse_ipv4(at, end, bytes);
	if (!at)
		return NULL;
	groups->numbers[groups->n++] = (uint16_t)(bytes[0] << 8 | bytes[1]);
	groups->numbers[groups->n++] = (uint16_t)(bytes[2] << 8 | bytes[3]);
	return at;
}

/* Returns what follows the groups, or NULL. */
static const char *parse_groups(const char *at, const char *end, Groups *groups)
{
	while (at && at < end) {
		const char *start = at;
		if (groups->n == N_GROUPS)
			return NULL;
		at = parse_group(at, end, &groups->numbers[groups->n]);
		if (!at)
			return groups->gap == groups->n ? start : NULL;
		if (at < end && *at == '.')
			return parse_last_groups(start, end, groups);
		groups->n++;
		if (at == end || *at != ':')
			return at;
		at = parse_colons(at, end, groups);
	}
	return at;
}

/* The groups behind the gap go to the end. */
static void write_groups(const Groups *groups, uint8_t ret[16])
{
	unsigned gap = MIN(groups->gap, N_GROUPS), gap_end = gap + N_GROUPS - groups->n;
	for (unsigned i = 0; i < N_GROUPS; i++) {
		unsigned number = i < gap       ? groups->numbers[i]
				  : i < gap_end ? 0
						: groups->numbers[i - (gap_end - gap)];
		ret[2 * i] = (uint8_t)(number >> 8);
		ret[2 * i + 1] = (uint8_t)number;
	}
}

/* Returns what follows the address, or NULL. */
static const char *parse_ipv6(const char *at, const char *end, uint8_t ret[16])
{
	Groups groups = { .gap = NO_GAP };
	if (end - at >= 2 && at[0] == ':' && at[1] == ':') {
		groups.gap = 0;
		at += 2;
	}
	at = parse_groups(at, end, &groups);
	/* "::" stands for one group at least. */
	if (!at || (groups.gap == NO_GAP) != (groups.n == N_GROUPS))
		return NULL;
	write_groups(&groups, ret);
	return at;
}

/* Returns what follows the address, or NULL; then ret may hold anything. */
static inline const char *parse_address(const char *at, const char *end, WiceAddress *ret)
{
	uint8_t ipv4[4];
	const char *rest = parse_ipv4(at, end, ipv4);
	if (rest) {
		*ret = (WiceAddress){ .family = WICE_FAMILY_IPV4 };
		memcpy(ret->bytes, ipv4, sizeof ipv4);
		return rest;
	}
	ret->family = WICE_FAMILY_IPV6;
	return parse_ipv6(at, end, ret->bytes);
}

bool wice__parse_address(const char *text, size_t len, WiceAddress *ret)
{
	WiceAddress address;
	const char *rest = parse_address(text, text + len, &address);
	if (!rest || rest != text + len)
		return false;
	*ret = address;
	return true;
}

const char *wice__parse_front_network(const char *at, const char *end, WicePrefix *ret)
{
	at = parse_address(at, end, &ret->address);
	if (!at)
		return NULL;
	unsigned length, digit, most = full_length(ret->address.family);
	ret->length = (uint8_t)most;
	if (at == end || *at != '/')
		return at;
	length = digit_at(++at, end);
	if (length > 9)
		return NULL;
	for (at++; length > 0 && length < 100 && (digit = digit_at(at, end)) < 10; at++)
		length = length * 10 + digit;
	ret->length = (uint8_t)length;
	return length <= most ? at : NULL;
}

/* "v6%scope", what stands between the brackets. */
static bool parse_scoped(const char *text, size_t len, WiceEndpoint *ret)
{
	const char *percent = memchr(text, '%', len);
	size_t host_len = percent ? (size_t)(percent - text) : len;
	uint64_t scope = 0;
	if (percent && !wice__parse_number(percent + 1, len - host_len - 1, UINT32_MAX, &scope))
		return false;
	ret->scope = (uint32_t)scope;
	ret->address.family = WICE_FAMILY_IPV6;
	return parse_ipv6(text, text + host_len, ret->address.bytes) == text + host_len;
}

bool wice__parse_endpoint(const char *text, size_t len, WiceEndpoint *ret)
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
	    !wice__parse_number(colon + 1, (size_t)(end - colon - 1), UINT16_MAX, &port))
		return false;
	endpoint.port = (uint16_t)port;
	endpoint.address.family = WICE_FAMILY_IPV4;
	if (bracketed ? !parse_scoped(text + 1, (size_t)(host_end - text - 1), &endpoint)
		      : parse_ipv4(text, host_end, endpoint.address.bytes) != host_end)
		return false;
	*ret = endpoint;
	return true;
}

bool wice__parse_network(const char *text, size_t len, WiceAddress *ret_address,
			 uint8_t *ret_length)
{
	WiceAddress address;
	const char *slash = memchr(text, '/', len);
	size_t host_len = slash ? (size_t)(slash - text) : len;
	if (!wice__parse_address(text, host_len, &address))
		return false;
	uint64_t length = full_length(address.family);
	if (slash && !wice__parse_number(slash + 1, len - host_len - 1, length, &length))
		return false;
	*ret_address = address;
	*ret_length = (uint8_t)length;
	return true;
}

bool wice__parse_prefix(const char *text, size_t len, WicePrefix *ret)
{
	WicePrefix prefix;
	if (!wice__parse_network(text, len, &prefix.address, &prefix.length))
		return false;
	wice__prefix_clear_host_bits(&prefix);
	*ret = prefix;
	return true;
}
