/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* What differs between two snapshots: one pass over two sorted lists. */
#include "wg/diff.h"

#include <sodium.h>
#include <string.h>

static unsigned bit_if(bool differs, unsigned bit)
{
	return differs ? bit : 0;
}

bool wice__keys_differ(const WiceKey *a, const WiceKey *b)
{
	return sodium_memcmp(a->bytes, b->bytes, sizeof a->bytes) != 0;
}

/* Prefixes have neither host bits nor padding, so equal ones have equal bytes. */
G_STATIC_ASSERT(sizeof(WicePrefix) == sizeof(WiceAddress) + 1 && sizeof(WiceAddress) == 17);

bool wice__allowed_ips_differ(const WiceDevicePeer *a, const WiceDevicePeer *b)
{
	return a->n_allowed_ips != b->n_allowed_ips ||
	       (a->n_allowed_ips && memcmp(a->allowed_ips, b->allowed_ips,
					   a->n_allowed_ips * sizeof *a->allowed_ips) != 0);
}

static unsigned diff_peer(const WiceDevicePeer *a, const WiceDevicePeer *b)
{
	return bit_if(wice__keys_differ(&a->preshared_key, &b->preshared_key),
		      WICE_CHANGE_PRESHARED_KEY) |
	       bit_if(wice_endpoint_compare(&a->endpoint, &b->endpoint) != 0,
		      WICE_CHANGE_ENDPOINT) |
	       bit_if(a->keepalive_s != b->keepalive_s, WICE_CHANGE_KEEPALIVE) |
	       bit_if(a->handshake_ns != b->handshake_ns, WICE_CHANGE_HANDSHAKE) |
	       bit_if(a->rx_bytes != b->rx_bytes || a->tx_bytes != b->tx_bytes,
		      WICE_CHANGE_TRANSFER) |
	       bit_if(wice__allowed_ips_differ(a, b), WICE_CHANGE_ALLOWED_IPS);
}

static unsigned diff_interface(const WiceDeviceInfo *a, const WiceDeviceInfo *b)
{
	return bit_if(wice__keys_differ(&a->private_key, &b->private_key) ||
			      wice__keys_differ(&a->public_key, &b->public_key),
		      WICE_CHANGE_PRIVATE_KEY) |
	       bit_if(a->listen_port != b->listen_port, WICE_CHANGE_LISTEN_PORT) |
	       bit_if(a->fwmark != b->fwmark, WICE_CHANGE_FWMARK) |
	       bit_if(a->ifindex != b->ifindex, WICE_CHANGE_IFINDEX) |
	       bit_if(a->kind != b->kind, WICE_CHANGE_KIND);
}

unsigned wice_device_diff(const WiceDevice *before, const WiceDevice *after, WicePeerDiffFunc func,
			  void *user_data)
{
	static const WiceDeviceInfo nothing = { 0 };
	const WiceDeviceInfo *a = before ? wice_device_info(before) : &nothing;
	const WiceDeviceInfo *b = after ? wice_device_info(after) : &nothing;
	unsigned all = diff_interface(a, b);
	size_t i = 0, j = 0;

	while (i < a->n_peers || j < b->n_peers) {
		int order = i == a->n_peers   ? 1
			    : j == b->n_peers ? -1
					      : wice_key_compare(&a->peers[i].public_key,
								 &b->peers[j].public_key);
		const WiceDevicePeer *old = order <= 0 ? &a->peers[i++] : NULL;
		const WiceDevicePeer *new = order >= 0 ? &b->peers[j++] : NULL;
		unsigned changes = !old   ? WICE_CHANGE_PEER_ADDED
				   : !new ? WICE_CHANGE_PEER_REMOVED
					  : diff_peer(old, new);
		if (changes && func)
			func(changes, old, new, user_data);
		all |= changes;
	}
	return all;
}
