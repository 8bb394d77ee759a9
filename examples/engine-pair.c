/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two WireGuard interfaces in one process, without a TUN device and without privileges: packets go
 * in and come out by function calls, as in a program that has an IP stack of its own.
 */
#include <stdio.h>
#include <string.h>
#include <wice/engine.h>
#include <wice/key.h>

static void on_packet(const uint8_t *packet, size_t length, void *user_data)
{
	printf("%.*s\n", (int)(length - 20), (const char *)packet + 20);
	g_main_loop_quit(user_data);
}

static WiceEngine *make_engine(GMainLoop *loop)
{
	const WiceEngineOptions options = { .size = sizeof options,
					    .output = on_packet,
					    .user_data = loop };
	return wice_engine_new(NULL, &options, NULL);
}

static uint16_t listen_port(WiceEngine *engine)
{
	g_autoptr(WiceDevice) device = wice_engine_get(engine);
	return wice_device_info(device)->listen_port;
}

/* Tells an engine its key, and of the one peer that it has. */
static gboolean configure(WiceEngine *engine, const WiceKey *key, const WiceKey *peer_key,
			  const char *peer_address, uint16_t peer_port, GError **error)
{
	WiceAllowedIpChange ip = { .remove = false };
	WicePeerChange peer = { .fields = peer_port ? WICE_PEER_HAS_ENDPOINT : 0,
				.n_allowed_ips = 1,
				.allowed_ips = &ip };
	WiceDeviceChange change = { .size = sizeof change,
				    .fields = WICE_DEVICE_HAS_PRIVATE_KEY,
				    .private_key = *key,
				    .n_peers = 1,
				    .peers = &peer };

	wice_key_public(peer_key, &peer.public_key);
	peer.endpoint = (WiceEndpoint){ { WICE_FAMILY_IPV4, { 127, 0, 0, 1 } }, peer_port, 0 };
	if (!wice_prefix_parse(peer_address, &ip.prefix))
		return FALSE;
	g_autoptr(WicePlan) plan = wice_plan_new(&change, error);
	return plan && wice_engine_set(engine, plan, error);
}

int main(void)
{
	/* The header of an IPv4 packet from 10.0.0.1 to 10.0.0.2, and what it carries. */
	uint8_t packet[20 + 25] = { 0x45, 0, 0, sizeof packet, [9] = 253, [12] = 10, 0, 0, 1, 10,
				    0,    0, 2 };
	g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
	g_autoptr(WiceEngine) a = make_engine(loop);
	g_autoptr(WiceEngine) b = make_engine(loop);
	g_autoptr(GError) error = NULL;
	WiceKey key_a, key_b;

	memcpy(packet + 20, "a packet through a tunnel", 25);
	wice_key_generate_private(&key_a);
	wice_key_generate_private(&key_b);
	if (!configure(b, &key_b, &key_a, "10.0.0.1/32", 0, &error) ||
	    !configure(a, &key_a, &key_b, "10.0.0.2/32", listen_port(b), &error)) {
		fprintf(stderr, "%s\n", error->message);
		return 1;
	}
	wice_engine_inject(a, packet, sizeof packet);
	g_main_loop_run(loop);
	return 0;
}
