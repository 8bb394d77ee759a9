/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wg/conf_value.h"

#include "base/parse.h"
#include "crypto/base64.h"

#include <arpa/inet.h> /* inet_aton(): pure text conversion, no I/O */
#include <string.h>

#define HOST_NAME_MAX_LEN 253 /* RFC 1035 section 2.3.4, as text */
#define LABEL_MAX_LEN 63

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool wice__conf_read_number(WiceConfToken token, bool lenient, uint64_t max, uint64_t *ret)
{
	while (token.len > 1 && token.text[0] == '0') {
		if (!lenient)
			return false;
		token.text++;
		token.len--;
	}
	return wice__parse_number(token.text, token.len, max, ret);
}

static bool read_hexadecimal(WiceConfToken token, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;
	if (token.len == 0)
		return false;
	for (size_t i = 0; i < token.len; i++) {
		int digit = g_ascii_xdigit_value(token.text[i]);
		if (digit < 0)
			return false;
		value = value * 16 + (uint64_t)digit;
		if (value > max)
			return false;
	}
	*ret = value;
	return true;
}

static bool is_off(WiceConfToken token)
{
	return token.len == 3 && g_ascii_strncasecmp(token.text, "off", 3) == 0;
}

bool wice__conf_read_fwmark(WiceConfToken token, bool lenient, uint32_t *ret)
{
	uint64_t value = 0;
	bool ok;
	if (token.len > 2 && token.text[0] == '0' && token.text[1] == 'x')
		ok = read_hexadecimal((WiceConfToken){ token.text + 2, token.len - 2 }, UINT32_MAX,
				      &value);
	else
		ok = is_off(token) || wice__conf_read_number(token, lenient, UINT32_MAX, &value);
	if (ok)
		*ret = (uint32_t)value;
	return ok;
}

bool wice__conf_read_keepalive(WiceConfToken token, bool lenient, uint16_t *ret)
{
	uint64_t value = 0;
	if (!is_off(token) && !wice__conf_read_number(token, lenient, UINT16_MAX, &value))
		return false;
	*ret = (uint16_t)value;
	return true;
}

bool wice__conf_read_key(WiceConfToken token, WiceKey *ret)
{
	return token.len == WICE_KEY_BASE64_SIZE - 1 && wice__key_from_base64(token.text, ret);
}

/* Copies a token that holds no NUL into a string. */
static bool take(WiceConfToken token, char *ret, size_t size)
{
	if (token.len >= size || memchr(token.text, 0, token.len))
		return false;
	memcpy(ret, token.text, token.len);
	ret[token.len] = 0;
	return true;
}

bool wice__conf_read_address(WiceConfToken token, WiceAddress *ret)
{
	return wice__parse_address(token.text, token.len, ret);
}

bool wice__conf_read_network(WiceConfToken token, bool lenient, WiceAddress *ret_address,
			     uint8_t *ret_length)
{
	const char *slash = token.len ? memchr(token.text, '/', token.len) : NULL;
	WiceConfToken address = { token.text, slash ? (size_t)(slash - token.text) : token.len };
	if (!wice__conf_read_address(address, ret_address))
		return false;
	uint64_t length = ret_address->family == WICE_FAMILY_IPV4 ? 32 : 128;
	if (slash) {
		WiceConfToken digits = { slash + 1, token.len - address.len - 1 };
		if (!wice__conf_read_number(digits, lenient, length, &length))
			return false;
	}
	*ret_length = (uint8_t)length;
	return true;
}

bool wice__conf_clear_host_bits(WicePrefix *prefix)
{
	unsigned cleared = 0;
	uint8_t *bytes = prefix->address.bytes;
	unsigned n_bytes = prefix->address.family == WICE_FAMILY_IPV4 ? 4 : 16;
	for (unsigned i = prefix->length / 8; i < n_bytes; i++) {
		unsigned host =
			i == prefix->length / 8u ? 0xffu >> prefix->length % 8 : (unsigned)0xff;
		cleared |= bytes[i] & host;
		bytes[i] &= (uint8_t)~host;
	}
	return cleared != 0;
}

/*
 * glibc reads the number with strtoul(3), which takes a sign and stops at the largest one, puts it
 * into an int, looks negative ones up as names, and sends the lower 16 bits.
 */
static bool read_port_as_glibc(WiceConfToken token, uint16_t *ret, bool *ret_service)
{
	bool negative = token.len > 1 && token.text[0] == '-';
	bool sign = negative || (token.len > 1 && token.text[0] == '+');
	WiceConfToken digits = { token.text + sign, token.len - sign };
	uint64_t value = 0;
	*ret_service = false;
	for (size_t i = 0; i < digits.len; i++) {
		if (!is_digit(digits.text[i])) {
			*ret_service = true;
			return true;
		}
		uint64_t digit = (uint64_t)(digits.text[i] - '0');
		if (value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	if (negative)
		value = -value;
	if (value & 0x80000000u)
		return false;
	*ret = (uint16_t)value;
	return true;
}

bool wice__conf_read_port(WiceConfToken token, bool lenient, uint16_t *ret, bool *ret_service)
{
	uint64_t value;
	if (token.len == 0)
		return false;
	if (wice__conf_read_number(token, lenient, UINT16_MAX, &value)) {
		*ret = (uint16_t)value;
		*ret_service = false;
		return true;
	}
	return lenient && read_port_as_glibc(token, ret, ret_service);
}

bool wice__conf_split_endpoint(WiceConfToken token, WiceConfEndpoint *ret)
{
	const char *end = token.text + token.len;
	bool bracketed = token.len && token.text[0] == '[';
	const char *host = token.text + bracketed, *host_end, *colon;
	if (token.len == 0)
		return false;
	if (bracketed) {
		host_end = memchr(host, ']', (size_t)(end - host));
		colon = host_end ? host_end + 1 : end;
	} else {
		host_end = colon = memrchr(host, ':', token.len);
	}
	if (!host_end || host_end == host || colon >= end - 1 || *colon != ':')
		return false;
	*ret = (WiceConfEndpoint){
		.host = { host, (size_t)(host_end - host) },
		.port = { colon + 1, (size_t)(end - colon - 1) },
		.bracketed = bracketed,
	};
	return true;
}

bool wice__conf_read_host(WiceConfToken token, bool lenient, WiceEndpoint *ret)
{
	char text[WICE_ADDRESS_SIZE];
	struct in_addr ipv4;
	uint64_t scope = 0;
	const char *percent = memchr(token.text, '%', token.len);
	WiceConfToken address = { token.text,
				  percent ? (size_t)(percent - token.text) : token.len };
	*ret = (WiceEndpoint){ 0 };
	bool ok = wice__conf_read_address(address, &ret->address);
	if (ok && percent) {
		WiceConfToken digits = { percent + 1, token.len - address.len - 1 };
		ok = ret->address.family == WICE_FAMILY_IPV6 &&
		     wice__conf_read_number(digits, true, UINT32_MAX, &scope);
		ret->scope = (uint32_t)scope;
	} else if (!ok && lenient && take(token, text, sizeof text) && inet_aton(text, &ipv4)) {
		ret->address = (WiceAddress){ .family = WICE_FAMILY_IPV4 };
		memcpy(ret->address.bytes, &ipv4, sizeof ipv4);
		ok = true;
	}
	if (!ok)
		*ret = (WiceEndpoint){ 0 };
	return ok;
}

/* A last label of digits makes it an IPv4 address (RFC 1123 section 2.1), here a malformed one. */
bool wice__conf_is_host_name(WiceConfToken token)
{
	size_t label = 0;
	bool digits = true;
	if (token.len == 0 || token.len > HOST_NAME_MAX_LEN)
		return false;
	for (size_t i = 0; i < token.len; i++) {
		char c = token.text[i];
		if (c == '.' && label == 0)
			return false;
		if (c == '.' && i + 1 == token.len)
			break;
		label = c == '.' ? 0 : label + 1;
		digits = c == '.' || (digits && is_digit(c));
		if ((c != '.' && c != '-' && c != '_' && !g_ascii_isalnum(c)) ||
		    label > LABEL_MAX_LEN)
			return false;
	}
	return !digits;
}
