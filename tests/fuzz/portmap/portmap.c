/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A router's answers and announcements at times of its choice. The input is a series of records:
 *
 *   what    0: answer, 1: announcement, 2: from elsewhere, 3: refused, 4: network changed, 5: UPnP;
 *           + 8: IPv6 (in the first); + 16: the nonce and the internal port are put right
 *   delay   its cube, in milliseconds
 *   length  of what follows
 */
#include "portmap/mapper.h"

#include <glib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t nonce[WICE_PCP_NONCE_LEN] = "twelve bytes";
static uint32_t random_state;

static void fill_random(void *buffer, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)buffer)[i] =
			(uint8_t)((random_state = random_state * 1103515245 + 12345) >> 16);
}

static void init(WicePortmapMapper *mapper, bool ipv6)
{
	WicePortmapMapperOptions options = {
		.router = { WICE_FAMILY_IPV4, { 192, 168, 1, 1 } },
		.internal = { { WICE_FAMILY_IPV4, { 192, 168, 1, 2 } }, 51820, 0 },
		.upnp = true,
		.fill_random = fill_random,
	};
	if (ipv6) {
		options.router = (WiceAddress){ WICE_FAMILY_IPV6, { 0xfe, 0x80, [15] = 1 } };
		options.scope = 2;
		options.internal.address =
			(WiceAddress){ WICE_FAMILY_IPV6, { 0x20, 0x01, [15] = 2 } };
	}
	memcpy(options.nonce, nonce, sizeof nonce);
	wice__portmap_mapper_init(mapper, &options, 0);
}

/* What is said to be mapped is something that a peer could send to. */
static void check(const WicePortmapMapper *mapper)
{
	if (!mapper->mapped)
		return;
	const WicePortMapping *mapping = &mapper->mapping;
	g_assert(mapping->external.port != 0);
	g_assert(mapping->external.address.family == mapper->internal.address.family);
	g_assert(wice__portmap_is_external(&mapping->external.address));
	g_assert(wice_endpoint_compare(&mapping->internal, &mapper->internal) == 0);
}

static void do_what_is_due(WicePortmapMapper *mapper, int64_t now)
{
	uint8_t request[WICE_PORTMAP_REQUEST_MAX];
	unsigned requests = 0;
	wice__portmap_mapper_advance(mapper, now);
	while (wice__portmap_mapper_output(mapper, now, request) > 0)
		g_assert(++requests <= 2);
	wice__portmap_mapper_start_upnp(mapper, now);
	g_assert(wice__portmap_mapper_deadline(mapper) > now);
	check(mapper);
}

static void put_right(uint8_t *packet, size_t len)
{
	static const uint8_t port[2] = { 51820 >> 8, 51820 & 0xff };
	if (len >= WICE_PCP_MAP_LEN && packet[0] == 2) {
		memcpy(packet + 24, nonce, sizeof nonce);
		memcpy(packet + 40, port, sizeof port);
	} else if (len >= 10 && packet[0] == 0) {
		memcpy(packet + 8, port, sizeof port);
	}
}

static void happen(WicePortmapMapper *mapper, unsigned what, const uint8_t *packet, size_t len,
		   int64_t now)
{
	WiceEndpoint source = mapper->router, external = { 0 };
	switch (what) {
	case 0:
		wice__portmap_mapper_input(mapper, packet, len, &source, now);
		break;
	case 1:
		wice__portmap_mapper_announced(mapper, packet, len, &source, now);
		break;
	case 2:
		source.address.bytes[3]++;
		g_assert(!wice__portmap_mapper_input(mapper, packet, len, &source, now));
		break;
	case 3:
		wice__portmap_mapper_refused(mapper, now);
		break;
	case 4:
		wice__portmap_mapper_refresh(mapper, now);
		break;
	case 5:
		if (!mapper->upnp_running)
			break;
		external.address.family = len % 2 ? WICE_FAMILY_IPV4 : WICE_FAMILY_IPV6;
		if (len >= 4)
			memcpy(external.address.bytes, packet, 4);
		external.port = (uint16_t)len;
		wice__portmap_mapper_upnp_done(mapper, len ? &external : NULL, (uint32_t)len * 10,
					       now);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	WicePortmapMapper mapper;
	int64_t now = 0;
	random_state = (uint32_t)size;
	init(&mapper, size && (data[0] & 8));
	do_what_is_due(&mapper, now);
	while (size >= 3) {
		unsigned what = data[0];
		size_t len = MIN(data[2], size - 3);
		int64_t end = now + (int64_t)data[1] * data[1] * data[1];
		while (now < end) {
			now = MIN(end, wice__portmap_mapper_deadline(&mapper));
			do_what_is_due(&mapper, now);
		}
		uint8_t *packet = g_memdup2(data + 3, len);
		if (packet && (what & 16))
			put_right(packet, len);
		happen(&mapper, what & 7, packet, len, now);
		g_free(packet);
		do_what_is_due(&mapper, now);
		data += 3 + len;
		size -= 3 + len;
	}
	return 0;
}
