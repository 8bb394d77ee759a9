/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* genkey, genpsk and pubkey. */
#include "wg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* More white space behind a key is no key file. */
#define MAX_KEY_INPUT 65536

static int print_key(const WgCall *call, const WiceKey *key)
{
	char *text = g_malloc(WICE_KEY_BASE64_SIZE + 1);
	wice_key_to_base64(key, text);
	strcat(text, "\n");
	return wg_output(call, text, true);
}

static void warn_if_world_accessible(const WgCall *call)
{
	struct stat status;
	if (fstat(STDOUT_FILENO, &status) == 0 && S_ISREG(status.st_mode) &&
	    (status.st_mode & S_IRWXO))
		fprintf(stderr,
			"%s: Warning: everybody on this machine may use the file that this key is "
			"written to. Take the rights away (chmod o=), or set umask 077 before.\n",
			call->program);
}

int wg_genkey(const WgCall *call)
{
	WiceKey key;
	warn_if_world_accessible(call);
	if (strcmp(call->command, "genkey") == 0) {
		wice_key_generate_private(&key);
	} else if (getentropy(key.bytes, sizeof key.bytes) != 0) {
		fprintf(stderr, "%s: The system has no random numbers: %s\n", call->program,
			strerror(errno));
		return EXIT_FAILURE;
	}
	int code = print_key(call, &key);
	wice_key_clear(&key);
	return code;
}

/* As in a key file, but that wg(8) takes zero bytes for white space here. */
static bool parse_input(char *text, size_t len, WiceKey *ret_key)
{
	const size_t key_len = WICE_KEY_BASE64_SIZE - 1;
	for (size_t i = key_len; i < len; i++)
		if (text[i] && !strchr(" \t\n\v\f\r", text[i]))
			return false;
	if (len < key_len)
		return false;
	text[key_len] = '\0';
	return wice_key_from_base64(text, ret_key);
}

int wg_pubkey(const WgCall *call)
{
	g_autoptr(GError) error = NULL;
	WiceKey key;
	size_t len;
	char *text = wg_read_file(NULL, MAX_KEY_INPUT, &len, NULL, &error);
	if (!text)
		return wg_fail(call, error);
	bool ok = parse_input(text, len, &key);
	explicit_bzero(text, len);
	g_free(text);
	if (!ok) {
		fprintf(stderr,
			"%s: The standard input is no private key: that is 44 characters of base64 "
			"and nothing else, as `%s genkey` prints it.\n",
			call->program, call->program);
		return EXIT_FAILURE;
	}
	wice_key_public(&key, &key);
	return print_key(call, &key);
}
