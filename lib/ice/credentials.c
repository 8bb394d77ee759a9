/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ice/credentials.h"

#include <sodium.h>
#include <string.h>

#define PWD_LEN 24

/* The 64 ice-chars of RFC 8839 section 5.1: six random bits each. */
static void random_text(char *ret, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	randombytes_buf(ret, len);
	for (size_t i = 0; i < len; i++)
		ret[i] = digits[(unsigned char)ret[i] % 64];
	ret[len] = '\0';
}

void wice__ice_credentials_make(WiceIceCredentials *ret)
{
	memset(ret, 0, sizeof *ret);
	random_text(ret->ufrag, WICE_ICE_OWN_UFRAG_LEN);
	random_text(ret->pwd, PWD_LEN);
}
