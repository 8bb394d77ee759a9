/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "stun/credentials.h"

#include <errno.h>
#include <glib.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>

static const WiceSpan colon = { ":", 1 };

static bool text_is_acceptable(WiceSpan text)
{
	const char *at = text.data, *end = at + text.len;
	if (text.len == 0 || !g_utf8_validate_len(at, text.len, NULL))
		return false;
	for (; at < end; at = g_utf8_next_char(at))
		if (g_unichar_iscntrl(g_utf8_get_char(at)))
			return false;
	return true;
}

int wice__stun_key_short_term(WiceStunKey *ret_key, WiceSpan password)
{
	if (!text_is_acceptable(password))
		return -EINVAL;
	if (password.len > WICE_STUN_KEY_MAX)
		return -E2BIG;
	ret_key->len = password.len;
	memcpy(ret_key->bytes, password.data, password.len);
	return 0;
}

int wice__stun_key_long_term(WiceStunKey *ret_key, uint16_t algorithm, WiceSpan username,
			     WiceSpan realm, WiceSpan password)
{
	const WiceSpan parts[] = { username, colon, realm, colon, password };
	if (!text_is_acceptable(username) || !text_is_acceptable(realm) ||
	    !text_is_acceptable(password))
		return -EINVAL;
	switch (algorithm) {
	case WICE_STUN_ALGORITHM_MD5:
		wice__md5(parts, G_N_ELEMENTS(parts), ret_key->bytes);
		ret_key->len = WICE_MD5_LEN;
		return 0;
	case WICE_STUN_ALGORITHM_SHA256:
		wice__sha256(parts, G_N_ELEMENTS(parts), ret_key->bytes);
		ret_key->len = WICE_SHA256_LEN;
		return 0;
	default:
		return -EINVAL;
	}
}

void wice__stun_key_clear(WiceStunKey *key)
{
	sodium_memzero(key, sizeof *key);
}

int wice__stun_userhash(WiceSpan username, WiceSpan realm, uint8_t ret_hash[WICE_SHA256_LEN])
{
	const WiceSpan parts[] = { username, colon, realm };
	if (!text_is_acceptable(username) || !text_is_acceptable(realm))
		return -EINVAL;
	wice__sha256(parts, G_N_ELEMENTS(parts), ret_hash);
	return 0;
}
