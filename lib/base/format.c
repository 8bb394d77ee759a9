/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/format.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

#define WORDS 8 /* of an IPv6 address */

/* Two digits at a time: half as many divisions. */
char *wice__format_decimal(char *to, uint64_t value)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324"
				    "25262728293031323334353637383940414243444546474849"
				    "50515253545556575859606162636465666768697071727374"
				    "75767778798081828384858687888990919293949596979899";
	char digits[2 * WICE_DECIMAL_MAX] = { 0 };
	size_t first = WICE_DECIMAL_MAX;
	for (; value >= 10; value /= 100) {
		first -= 2;
		memcpy(digits + first, pairs + 2 * (value % 100), 2);
	}
	if (value || first == WICE_DECIMAL_MAX)
		digits[--first] = (char)('0' + value);
	memcpy(to, digits + first, WICE_DECIMAL_MAX); /* a length that is constant is faster */
	return to + WICE_DECIMAL_MAX - first;
}

/* Without leading zeroes. */
static char *format_hex_digits(char *to, uint32_t value)
{
	unsigned n = (unsigned)g_bit_storage(value);
	for (unsigned shift = n ? (n - 1) & ~3u : 0;; shift -= 4) {
		*to++ = "0123456789abcdef"[value >> shift & 15];
		if (shift == 0)
			return to;
	}
}

char *wice__format_hex(char *to, uint32_t value)
{
	*to++ = '0';
	*to++ = 'x';
	return format_hex_digits(to, value);
}

static char *format_octet(char *to, uint8_t value)
{
	if (value >= 100)
		*to++ = (char)('0' + value / 100);
	if (value >= 10)
		*to++ = (char)('0' + value / 10 % 10);
	*to++ = (char)('0' + value % 10);
	return to;
}

static char *format_ipv4(char *to, const uint8_t *bytes)
{
	for (unsigned i = 0; i < 4; i++) {
		if (i)
			*to++ = '.';
		to = format_octet(to, bytes[i]);
	}
	return to;
}

/* The first of the longest runs of two zeroes or more; returns its length, 0 if there is none. */
static unsigned find_zeroes(const uint16_t *words, unsigned *ret_first)
{
	unsigned longest = 1, run = 0;
	for (unsigned i = 0; i < WORDS; i++) {
		run = words[i] ? 0 : run + 1;
		if (run > longest) {
			longest = run;
			*ret_first = i + 1 - run;
		}
	}
	return longest > 1 ? longest : 0;
}

/* ::192.0.2.1 and ::ffff:192.0.2.1 end like an IPv4 address. */
static bool ends_as_ipv4(const uint16_t *words, unsigned first, unsigned n_zeroes)
{
	return first == 0 && (n_zeroes == 6 || (n_zeroes == 5 && words[5] == 0xffff));
}

static char *format_ipv6(char *to, const uint8_t *bytes)
{
	uint16_t words[WORDS];
	for (unsigned i = 0; i < WORDS; i++)
		words[i] = (uint16_t)(bytes[2 * i] << 8 | bytes[2 * i + 1]);

	unsigned first = WORDS;
	unsigned n_zeroes = find_zeroes(words, &first);
	unsigned end = ends_as_ipv4(words, first, n_zeroes) ? 6 : WORDS;
	for (unsigned i = 0; i < end; i++) {
		if (i == first) {
			*to++ = ':';
			i += n_zeroes - 1;
			continue;
		}
		if (i)
			*to++ = ':';
		to = format_hex_digits(to, words[i]);
	}
	if ((n_zeroes && first + n_zeroes == WORDS) || end < WORDS)
		*to++ = ':';
	return end < WORDS ? format_ipv4(to, bytes + 12) : to;
}

char *wice__format_address(char *to, const WiceAddress *address)
{
	if (address->family == WICE_FAMILY_IPV4)
		return format_ipv4(to, address->bytes);
	if (address->family == WICE_FAMILY_IPV6)
		return format_ipv6(to, address->bytes);
	return to;
}

/* Numbers of at most five digits. */
static char *format_port(char *to, uint16_t port)
{
	char digits[5];
	size_t n = 0;
	do
		digits[n++] = (char)('0' + port % 10);
	while (port /= 10);
	while (n)
		*to++ = digits[--n];
	return to;
}

char *wice__format_endpoint(char *to, const WiceEndpoint *endpoint)
{
	if (endpoint->address.family == WICE_FAMILY_IPV4) {
		to = format_ipv4(to, endpoint->address.bytes);
	} else if (endpoint->address.family == WICE_FAMILY_IPV6) {
		*to++ = '[';
		to = format_ipv6(to, endpoint->address.bytes);
		if (endpoint->scope) {
			*to++ = '%';
			to = wice__format_decimal(to, endpoint->scope);
		}
		*to++ = ']';
	} else {
		return to;
	}
	*to++ = ':';
	return format_port(to, endpoint->port);
}

char *wice__format_prefix(char *to, const WicePrefix *prefix)
{
	char *end = wice__format_address(to, &prefix->address);
	if (end == to)
		return to;
	*end++ = '/';
	return format_octet(end, prefix->length);
}
