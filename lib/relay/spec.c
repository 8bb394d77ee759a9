/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "relay/spec.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <wice/error.h>

#define SPACE " \t"

typedef struct {
	const char *key;
	size_t offset;
	bool rest; /* the value is all that follows */
} Field;

static const Field fields[] = {
	{ "username=", offsetof(WiceRelaySpec, username), false },
	{ "password=", offsetof(WiceRelaySpec, password), false },
	{ "password-file=", offsetof(WiceRelaySpec, password_file), false },
	{ "password-command=", offsetof(WiceRelaySpec, password_command), true },
	{ "secret-file=", offsetof(WiceRelaySpec, secret_file), false },
	{ "ca-file=", offsetof(WiceRelaySpec, ca_file), false },
};

static char **field_at(const WiceRelaySpec *spec, const Field *field)
{
	return (char **)(void *)((char *)spec + field->offset);
}

static bool invalid(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static bool invalid(GError **error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *why = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID, "This relay cannot be used: %s", why);
	return false;
}

static bool parse_url(const char **text, WiceTurnUrl *ret_url, GError **error)
{
	size_t len = strcspn(*text, SPACE);
	g_autofree char *word = g_strndup(*text, len);
	int err = wice__turn_url_parse(word, ret_url);
	if (err == -EPROTONOSUPPORT)
		return invalid(error,
			       "the transport of \"%s\" is not spoken here; there are "
			       "turn:HOST (UDP), turn:HOST?transport=tcp and turns:HOST",
			       word);
	if (err)
		return invalid(error,
			       "\"%s\" is no URL like turn:HOST[:PORT][?transport=tcp] or "
			       "turns:HOST[:PORT]",
			       word);
	if (!ret_url->relays)
		return invalid(error, "\"%s\" is a STUN server, which relays nothing", word);
	*text += len;
	return true;
}

static const Field *find_field(const char *text)
{
	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
		if (g_str_has_prefix(text, fields[i].key))
			return &fields[i];
	return NULL;
}

/* One KEY=VALUE. What cannot be understood is not repeated: it may be (part of) a password. */
static bool parse_field(const char **text, WiceRelaySpec *spec, GError **error)
{
	const Field *field = find_field(*text);
	if (!field)
		return invalid(error, "behind its URL there may be username=, password=, "
				      "password-file=, password-command=, secret-file= and "
				      "ca-file=, and something else is there");
	char **value = field_at(spec, field);
	*text += strlen(field->key);
	size_t len = field->rest ? strlen(*text) : strcspn(*text, SPACE);
	while (field->rest && len > 0 && strchr(SPACE, (*text)[len - 1]))
		len--;
	if (*value)
		return invalid(error, "%s is there twice", field->key);
	if (len == 0)
		return invalid(error, "there is nothing behind %s", field->key);
	*value = g_strndup(*text, len);
	*text += field->rest ? strlen(*text) : len;
	return true;
}

static bool check_fields(const WiceRelaySpec *spec, bool visible, GError **error)
{
	int n_passwords = !!spec->password + !!spec->password_file + !!spec->password_command;
	if (spec->password && visible)
		return invalid(error, "everybody on this machine can read a password= that is "
				      "given to a program; use password-file= or "
				      "password-command=");
	if (n_passwords + !!spec->secret_file > 1)
		return invalid(error, "of password=, password-file=, password-command= and "
				      "secret-file= there may be one");
	if (n_passwords && !spec->username)
		return invalid(error, "it has a password but no username=");
	if (spec->username && !n_passwords && !spec->secret_file)
		return invalid(error, "it has a username but no password-file= (or password=, "
				      "password-command=, secret-file=)");
	if (spec->ca_file && spec->url.transport != WICE_TURN_TLS)
		return invalid(error, "ca-file= is for TLS: the URL would begin with turns:");
	if (spec->password_command && !g_shell_parse_argv(spec->password_command, NULL, NULL, NULL))
		return invalid(error, "password-command= is no command: a quotation has no end");
	return true;
}

static bool parse(const char *text, bool visible, WiceRelaySpec *spec, GError **error)
{
	text += strspn(text, SPACE);
	if (!parse_url(&text, &spec->url, error))
		return false;
	while (*(text += strspn(text, SPACE)))
		if (!parse_field(&text, spec, error))
			return false;
	return check_fields(spec, visible, error);
}

WiceRelaySpec *wice__relay_spec_parse(const char *text, bool visible, GError **error)
{
	WiceRelaySpec *spec = g_new0(WiceRelaySpec, 1);
	if (parse(text, visible, spec, error))
		return spec;
	wice__relay_spec_free(spec);
	return NULL;
}

WiceRelaySpec *wice__relay_spec_copy(const WiceRelaySpec *spec)
{
	WiceRelaySpec *copy = g_new0(WiceRelaySpec, 1);
	copy->url = spec->url;
	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
		*field_at(copy, &fields[i]) = g_strdup(*field_at(spec, &fields[i]));
	return copy;
}

void wice__relay_spec_free(WiceRelaySpec *spec)
{
	if (!spec)
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
		char *value = *field_at(spec, &fields[i]);
		if (value)
			sodium_memzero(value, strlen(value));
		g_free(value);
	}
	g_free(spec);
}
