/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_AGENT_CLAIM_H
#define WICE_AGENT_CLAIM_H

#include <glib.h>

/*
 * One process at a time takes care of an interface. The claim is a socket in the abstract
 * namespace, which is that of the network namespace, as the interface's name is; it ends with the
 * process, however it ends.
 */
typedef struct WiceClaim WiceClaim;

/*
 * BUSY: another process has it; the message names its pid. Where claims cannot be made for another
 * reason, this succeeds with *ret_claim NULL: better unclaimed than not at all.
 */
gboolean wice__claim_new(const char *interface, WiceClaim **ret_claim, GError **error);
/* NULL is fine. */
void wice__claim_free(WiceClaim *claim);

#endif
