/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TOOLS_QUICK_H
#define WICE_TOOLS_QUICK_H

#include <glib.h>
#include <stdint.h>
#include <wice/conf.h>

/* What a file of wg-quick(8) asks for besides WireGuard itself. */
typedef struct {
	char name[16]; /* of the interface */
	char *path;    /* of the file */
	WiceConf *conf;
} Quick;

/*
 * "wg0" is the interface of /etc/wireguard/wg0.conf; what ends in ".conf" or has a '/' in it is a file,
 * whose name is the interface's. Errors: INVALID, NOT_FOUND, PERMISSION, IO.
 */
gboolean quick_open(Quick *quick, const char *argument, GError **error);
void quick_done(Quick *quick);

/*
 * Runs the commands of a key ("PreUp"...) one after the other, as long as they succeed. What anybody
 * but root could have written is not run.
 */
gboolean quick_run_hooks(const Quick *quick, const char *key, GError **error);

/* The networks to be routed into the interface, WicePrefix, and the table for that (0: main). */
GArray *quick_routes(const Quick *quick, uint32_t *ret_table, GError **error);

/* Name servers and search domains, given to resolvconf(8). */
gboolean quick_set_dns(const Quick *quick, GError **error);
void quick_unset_dns(const Quick *quick);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Quick, quick_done)

#endif
