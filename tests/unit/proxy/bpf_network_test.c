/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Real sockets on real devices, in network namespaces of their own. */
#include "bpf_world.h"

START_TEST(sockets_share_a_port_over_loopback)
{
	BpfWorld world;
	if (!bpf_world_open(&world, _i))
		return;
	bpf_world_talk(&world, "127.0.0.1", "127.0.0.1");
	bpf_world_talk(&world, "::1", "::1");
	bpf_world_close(&world);
}
END_TEST

BPF_SUITE_MAIN("bpf network", sockets_share_a_port_over_loopback)
