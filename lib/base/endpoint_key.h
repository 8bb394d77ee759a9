/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_BASE_ENDPOINT_KEY_H
#define WICE_BASE_ENDPOINT_KEY_H

#include <glib.h>
#include <wice/addr.h>

/* Endpoints as keys of a GHashTable. */
static inline guint wice__endpoint_hash(gconstpointer key)
{
	const WiceEndpoint *endpoint = key;
	guint hash = endpoint->port ^ endpoint->scope;
	for (size_t i = 0; i < sizeof endpoint->address.bytes; i++)
		hash = hash * 31 + endpoint->address.bytes[i];
	return hash;
}

static inline gboolean wice__endpoint_equal(gconstpointer a, gconstpointer b)
{
	return wice_endpoint_compare(a, b) == 0;
}

#endif
