/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the mux costs a packet, see bpf_bench.h.
 *
 *   mux_ns          a packet of WireGuard that arrives
 *   mux_egress_ns   one that it sends
 *   mux_foreign_ns  one of somebody else that arrives
 *   mux_moved_ns    a STUN request that an agent sends: its id is remembered, its port replaced
 */
#include "bpf_bench.h"

#define AGENT_PORT 40123

static void fill(struct mux_bpf *mux)
{
	WiceMuxSocket key = { .port = htons(AGENT_PORT) };
	WiceMuxAgent agent = { .wg_port = htons(WG_PORT) };
	key.address.words[1] = htobe64(WICE_MUX_IPV4_PREFIX | ntohl(inet_addr(NEAR)));
	bpf_map_update_elem(bpf_map__fd(mux->maps.agents), &key, &agent, BPF_ANY);
	set_bit(mux->bss->agent_ports, AGENT_PORT);
	set_bit(mux->bss->wg_ports, WG_PORT);
	mux->bss->alive_until_ns = UINT64_MAX;
}

int main(void)
{
	Bench bench;
	Case cases[] = {
		{ "mux_ns", false, OTHER_PORT, WG_PORT, { 0x04000000 }, 1452 },
		{ "mux_egress_ns", true, WG_PORT, OTHER_PORT, { 0x04000000 }, 1452 },
		{ "mux_foreign_ns", false, OTHER_PORT, OTHER_PORT, { 0x04000000 }, 1452 },
		{ "mux_moved_ns", true, AGENT_PORT, OTHER_PORT, { 0x00010594 }, 1452 },
	};
	struct __user_cap_data_struct capabilities[2];
	libbpf_set_print(quiet);
	drop_capabilities(capabilities);
	struct mux_bpf *mux = mux_bpf__open_and_load();
	restore_capabilities(capabilities);
	if (!mux) {
		printf("skipped: BPF programs cannot be loaded: %s\n", strerror(errno));
		return EXIT_SUCCESS;
	}
	fill(mux);
	open_bench(&bench, mux->progs.wice_ingress, mux->progs.wice_egress);
	run_bench(&bench, cases, sizeof cases / sizeof cases[0]);
	mux_bpf__destroy(mux);
	return EXIT_SUCCESS;
}
