/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel says of links, families with their groups, WireGuard devices, addresses and changed
 * peers. The first byte says which of them is expected, and whether the headers are repaired first:
 * most mutations only break a length or a type there. A device that was read must obey the rules of
 * every snapshot.
 */
#include "wg/netlink.h"
#include "wg/link_message.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REPAIR 0x80
#define N_KINDS 5u
#define INPUT_MAX 65536
#define PORT 7
#define SEQUENCE 9

typedef struct {
	unsigned kind;
	WiceDeviceBuilder *builder;
} Reading;

static void require(bool holds)
{
	if (!holds)
		abort();
}

static bool is_error(int r)
{
	return r < 0 && r >= -4095;
}

static int read_link(struct nlmsghdr *header)
{
	WiceNetlinkLink link;
	int r = wice__netlink_read_link(header, &link);
	if (r == 0)
		require(memchr(link.name, 0, sizeof link.name) &&
			memchr(link.kind, 0, sizeof link.kind));
	return r;
}

static int read_family(struct nlmsghdr *header)
{
	uint32_t group = 0;
	uint16_t family;
	int r = wice__netlink_read_group(header, "peers", &group);
	require(r == 0 || (is_error(r) && group == 0));
	return wice__netlink_read_family(header, &family);
}

static int read_address(struct nlmsghdr *header)
{
	WiceNetlinkAddress address;
	char text[WICE_PREFIX_SIZE];
	int r = wice__netlink_read_address(header, &address);
	if (r == 0 && address.address.address.family != WICE_FAMILY_NONE) {
		WiceInterfaceAddress again;
		wice_interface_address_format(&address.address, text);
		require(wice_interface_address_parse(text, &again));
		require(again.length == address.address.length);
		require(address.peer.family == address.address.address.family);
	}
	return r;
}

static int read_notification(struct nlmsghdr *header)
{
	char name[16];
	unsigned ifindex;
	int r = wice__netlink_read_notification(header, name, &ifindex);
	if (r == 0)
		require(memchr(name, 0, sizeof name));
	return r;
}

static int read_message(struct nlmsghdr *header, void *user_data)
{
	Reading *reading = user_data;
	int (*const readers[])(struct nlmsghdr *) = { read_link, read_family, NULL, read_address,
						      read_notification };
	int r = readers[reading->kind] ? readers[reading->kind](header)
				       : wice__netlink_read_device(header, reading->builder);
	require(r == 0 || is_error(r));
	return r;
}

static void check_peer(const WiceDevice *device, const WiceDevicePeer *peer)
{
	require(wice_device_find_peer(device, &peer->public_key) == peer);
	require(peer->handshake_ns >= 0);
	for (size_t i = 0; i < peer->n_allowed_ips; i++) {
		const WicePrefix *prefix = &peer->allowed_ips[i];
		require(wice_prefix_contains(prefix, &prefix->address));
		require(i == 0 || wice_prefix_compare(prefix - 1, prefix) < 0);
	}
}

static void check_device(WiceDeviceBuilder *builder)
{
	WiceDevice *device = wice__device_builder_finish(builder);
	WiceDevice *copy = wice__device_builder_finish(wice__device_builder_copy(device));
	const WiceDeviceInfo *info = wice_device_info(device);
	for (size_t i = 0; i < info->n_peers; i++)
		check_peer(device, &info->peers[i]);
	require(wice_device_diff(device, copy, NULL, NULL) == 0);
	wice_device_unref(copy);
	wice_device_unref(device);
}

/* Lengths and addressees become good ones. The type is kept, since some of them end a reply. */
static void repair(uint8_t *datagram, size_t len)
{
	for (size_t at = 0; at + NLMSG_HDRLEN <= len;) {
		struct nlmsghdr *header = (void *)(datagram + at);
		if (header->nlmsg_len < NLMSG_HDRLEN || header->nlmsg_len > len - at)
			header->nlmsg_len = (uint32_t)(len - at);
		header->nlmsg_pid = PORT;
		header->nlmsg_seq = SEQUENCE;
		at += NLMSG_ALIGN(header->nlmsg_len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0 || size > INPUT_MAX)
		return 0;
	Reading reading = { .kind = (data[0] & ~REPAIR) % N_KINDS };
	WiceNetlinkReply reply = {
		.port = PORT,
		.sequence = SEQUENCE,
		.message = read_message,
		.user_data = &reading,
	};
	/* Of exactly that size, so that AddressSanitizer sees every byte too far. */
	size_t len = size - 1;
	uint8_t *datagram = g_memdup2(data + 1, len);
	if (data[0] & REPAIR)
		repair(datagram, len);
	reading.builder = wice__device_builder_new("wg0", WICE_DEVICE_KERNEL);
	int r = wice__netlink_reply_feed(&reply, datagram, len);
	require(r == 0 || r == 1 || is_error(r));
	if (r < 0)
		wice__device_builder_free(reading.builder);
	else
		check_device(reading.builder);
	g_free(datagram);
	return 0;
}
