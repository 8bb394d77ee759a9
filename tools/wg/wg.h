/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TOOLS_WG_WG_H
#define WICE_TOOLS_WG_WG_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <wice/conf.h>
#include <wice/device.h>
#include <wice/plan.h>
#include <wice/wg.h>

/*
 * wice wg: WireGuard's own command line and what it lacks. The same sources make the program wg
 * and the command of wice.
 */

/* What a command line says. */
typedef enum {
	WG_COMPAT = 1u << 0,
	WG_JSON = 1u << 1,
	WG_DRY_RUN = 1u << 2,
	WG_KEEP_ENDPOINTS = 1u << 3,
	WG_TRANSFER = 1u << 4,
} WgOptions;

typedef struct {
	const char *program; /* for messages: "wg" or "wice wg" */
	const char *command; /* "setconf" */
	unsigned options;    /* WgOptions */
	WiceConfMode mode;   /* how files and words are read */
	int n_args;          /* what follows the command, without options */
	char **args;
} WgCall;

/* Exit statuses: EXIT_SUCCESS, EXIT_FAILURE, and of the commands that wg(8) does not have: */
#define WG_EXIT_USAGE 2
/* diff, as diff(1): */
#define WG_EXIT_DIFFERENT 1
#define WG_EXIT_TROUBLE 2

/* No call of this program takes longer, whatever hangs. */
#define WG_TIMEOUT_MS 30000

/*
 * Runs `wg` (is_wg) or `wice wg`; argv[0] is the name of the program or of the command. Returns an
 * exit status.
 */
int wg_main(int argc, char **argv, bool is_wg);

/* The commands. Their number of arguments has been checked. */
int wg_show(const WgCall *call);
int wg_showconf(const WgCall *call);
int wg_set(const WgCall *call);
int wg_setconf(const WgCall *call); /* setconf, addconf and syncconf */
int wg_sync(const WgCall *call);
int wg_watch(const WgCall *call);
int wg_lint(const WgCall *call);
int wg_diff(const WgCall *call);
int wg_genkey(const WgCall *call); /* genkey and genpsk */
int wg_pubkey(const WgCall *call);

/* output.c */

/* Prints the error and returns EXIT_FAILURE. */
int wg_fail(const WgCall *call, const GError *error);
/*
 * Writes text to the standard output, past stdio, then wipes and frees it. With end_line a newline
 * is added if it lacks one. Returns an exit status.
 */
int wg_output(const WgCall *call, char *text, bool end_line);
/* Overwrites a text and frees it. NULL is fine. */
void wg_wipe(char *text);

/* file.c */

/*
 * All bytes of a file or stream (path NULL: the standard input), at most max, and a NUL behind
 * them; wipe it. *ret_is_stream (may
 * be NULL): it is a pipe, socket or terminal, which has no size. Errors: NOT_FOUND, PERMISSION,
 * INVALID (too large), IO.
 */
char *wg_read_file(const char *path, size_t max, size_t *ret_len, bool *ret_is_stream,
		   GError **error);
/* A configuration file, its names resolved. */
WiceConf *wg_read_conf(const WgCall *call, const char *path, GError **error);
/* Resolves the names of endpoints; tells the user if that takes time. */
bool wg_resolve(const WgCall *call, WiceConf *conf, GError **error);
/* A private or preshared key from a file; an empty file is a key of zeros, which removes it. */
bool wg_read_key(const char *path, WiceKey *ret_key, GError **error);

/* setconf.c */

/* Applies a plan to an interface, which must be there even if there is nothing to do. */
bool wg_apply(const char *name, const WicePlan *plan, GError **error);

#endif
