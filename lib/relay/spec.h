/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_RELAY_SPEC_H
#define WICE_RELAY_SPEC_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "turn/url.h"

/*
 * A relay as users write it, in configuration files and options:
 *
 *   turn:relay.example.org?transport=tcp username=alice password-file=/etc/wice/relay.password
 *
 * The URL, then what is needed to use it, separated by spaces:
 *   username=NAME
 *   password=TEXT              in a file only: an option of a program can be seen by anybody
 *   password-file=PATH         first line of it, read anew whenever credentials are needed
 *   password-command=COMMAND   the same of what it prints; the rest of the text; not run by a shell
 *   secret-file=PATH           the server's shared secret (TURN-REST): name and password are made
 *                              of it and the time (draft-uberti-behave-turn-rest-00)
 *   ca-file=PATH               whom to trust for TLS, instead of the system's list
 */
typedef struct {
	WiceTurnUrl url;
	char *username; /* NULL: none; for secret-file: the name inside of the time-limited one */
	char *password;
	char *password_file;
	char *password_command;
	char *secret_file;
	char *ca_file;
} WiceRelaySpec;

/*
 * INVALID, with what is wrong. visible: the text comes from where others can read it (a command
 * line), so that password= is refused.
 */
WiceRelaySpec *wice__relay_spec_parse(const char *text, bool visible, GError **error);
WiceRelaySpec *wice__relay_spec_copy(const WiceRelaySpec *spec);
/* Wipes secrets. NULL is fine. */
void wice__relay_spec_free(WiceRelaySpec *spec);

/* Called once, with a name and a password or with an error (a sentence: the file is missing...). */
typedef void (*WiceRelayCredentialsFunc)(const char *username, const char *password,
					 const GError *error, void *user_data);
typedef struct WiceRelayCredentials WiceRelayCredentials;
/*
 * Reads the file, runs the command (10 s at most, output up to 4 KiB), or makes time-limited ones,
 * without blocking. The callback never comes before this returns; both NULL if the spec has none.
 */
WiceRelayCredentials *wice__relay_credentials_get(GMainContext *context, const WiceRelaySpec *spec,
						  WiceRelayCredentialsFunc func, void *user_data);
void wice__relay_credentials_cancel(WiceRelayCredentials *credentials);

#endif
