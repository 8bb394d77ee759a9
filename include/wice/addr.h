/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_ADDR_H
#define WICE_ADDR_H

#include <stdbool.h>
#include <stdint.h>
#include <wice/macros.h>

WICE_BEGIN_DECLS

typedef enum {
	WICE_FAMILY_NONE = 0, /* no address */
	WICE_FAMILY_IPV4 = 4,
	WICE_FAMILY_IPV6 = 6,
} WiceFamily;

/* An IP address. An all-zero struct means "none". IPv4 uses the first 4 bytes, the rest is zero. */
typedef struct {
	uint8_t family;    /* WiceFamily */
	uint8_t bytes[16]; /* network order */
} WiceAddress;

/* An IP address and a UDP port. An all-zero struct means "none". */
typedef struct {
	WiceAddress address;
	uint16_t port;  /* host order */
	uint32_t scope; /* interface index of an IPv6 link-local address, else 0 */
} WiceEndpoint;

/* An IP network. Bits behind the prefix length are zero in everything that the library returns. */
typedef struct {
	WiceAddress address;
	uint8_t length; /* 0..32 or 0..128 */
} WicePrefix;

/* An address of an interface and the length of the network that it is in: host bits are kept. */
typedef struct {
	WiceAddress address;
	uint8_t length; /* 0..32 or 0..128 */
} WiceInterfaceAddress;

/* Room for the longest text form of each, with its NUL. */
#define WICE_ADDRESS_SIZE 46
#define WICE_ENDPOINT_SIZE 70
#define WICE_PREFIX_SIZE 50

/* Reads "192.0.2.1" or "2001:db8::1"; no host names, no scope. False leaves ret untouched. */
WICE_API bool wice_address_parse(const char *text, WiceAddress *ret) WICE_WARN_UNUSED;

/* Writes the shortest text form (RFC 5952), "(none)" for none. Returns ret_text. */
WICE_API char *wice_address_format(const WiceAddress *address, char ret_text[WICE_ADDRESS_SIZE]);

/* Orders by family, then bytes. */
WICE_API int wice_address_compare(const WiceAddress *a, const WiceAddress *b);

/* ::1 or 127.0.0.0/8; fe80::/10 or 169.254.0.0/16. */
WICE_API bool wice_address_is_loopback(const WiceAddress *address);
WICE_API bool wice_address_is_link_local(const WiceAddress *address);

/* Reads "192.0.2.1:51820" or "[2001:db8::1%3]:51820" (scope: a decimal interface index). */
WICE_API bool wice_endpoint_parse(const char *text, WiceEndpoint *ret) WICE_WARN_UNUSED;

/* Writes that form, "(none)" for none. Returns ret_text. */
WICE_API char *wice_endpoint_format(const WiceEndpoint *endpoint,
				    char ret_text[WICE_ENDPOINT_SIZE]);

/* Orders by address, port, scope. */
WICE_API int wice_endpoint_compare(const WiceEndpoint *a, const WiceEndpoint *b);

/*
 * Reads "10.0.0.0/8" or "fd00::/8"; without a length it is the full one. Host bits are cleared.
 * False leaves ret untouched.
 */
WICE_API bool wice_prefix_parse(const char *text, WicePrefix *ret) WICE_WARN_UNUSED;
WICE_API char *wice_prefix_format(const WicePrefix *prefix, char ret_text[WICE_PREFIX_SIZE]);

/* Orders by address, then length. */
WICE_API int wice_prefix_compare(const WicePrefix *a, const WicePrefix *b);

/*
 * Reads "10.0.0.1/8"; without a length it is the full one. Host bits are kept. False leaves ret
 * untouched.
 */
WICE_API bool wice_interface_address_parse(const char *text,
					   WiceInterfaceAddress *ret) WICE_WARN_UNUSED;
/* Writes that form. Returns ret_text. */
WICE_API char *wice_interface_address_format(const WiceInterfaceAddress *address,
					     char ret_text[WICE_PREFIX_SIZE]);

/* True if address lies within prefix. */
WICE_API bool wice_prefix_contains(const WicePrefix *prefix, const WiceAddress *address);

WICE_END_DECLS

#endif
