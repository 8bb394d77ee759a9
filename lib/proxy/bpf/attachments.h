/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_PROXY_BPF_ATTACHMENTS_H
#define WICE_PROXY_BPF_ATTACHMENTS_H

#include <glib.h>
#include <stddef.h>

#include "proxy/bpf/attach.h"

/* A mux's programs on all uplinks of the network namespace, which it follows. */
typedef struct WiceBpfAttachments WiceBpfAttachments;

/*
 * attacher must stay valid. -errno, if the programs could be attached to no uplink at all; that
 * they cannot be to some of several is logged, and tried again when something changes.
 */
int wice__bpf_attachments_new(GMainContext *context, const WiceBpfAttacher *attacher,
			      WiceBpfAttachments **ret);
/* Detaches everything. NULL is fine. */
void wice__bpf_attachments_free(WiceBpfAttachments *attachments);
/* The number of uplinks that have the programs. */
size_t wice__bpf_attachments_count(const WiceBpfAttachments *attachments);

#endif
