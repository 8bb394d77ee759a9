/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the programs for relayed packets cost a packet of 1,420 bytes inside of the tunnel, see
 * bpf_bench.h.
 *
 *   relayed_egress_move_ns      WireGuard's, of which the payload moves
 *   relayed_egress_inplace_ns   in place
 *   relayed_ingress_move_ns     ChannelData, likewise
 *   relayed_ingress_inplace_ns
 *   relayed_direct_ns           WireGuard's on a direct path, while others are relayed
 *   relayed_foreign_ns          a packet of somebody else that arrives
 */
#include "bpf_bench.h"
#include "proxy/bpf/relayed_maps.h"

#define RELAY_PORT 3478
#define SYNTHETIC 20000 /* and the next: in place */
#define CHANNEL 0x4000

static WiceRelayedKey make_key(uint16_t first, uint16_t second, uint16_t third)
{
	WiceRelayedKey key = {
		.numbers = WICE_RELAYED_NUMBERS(htons(first), htons(second), htons(third)),
	};
	key.server.words[1] = htobe64(WICE_MUX_IPV4_PREFIX | ntohl(inet_addr(FAR)));
	return key;
}

static void fill(struct relayed_bpf *relayed)
{
	for (uint16_t in_place = 0; in_place < 2; in_place++) {
		WiceRelayedSent sent = { .wg_port = htons(WG_PORT),
					 .server_port = htons(RELAY_PORT),
					 .channel = htons(CHANNEL + in_place),
					 .in_place = in_place };
		WiceRelayedReceived received = { .synthetic_port = htons(SYNTHETIC + in_place),
						 .in_place = in_place };
		WiceRelayedKey key = make_key(SYNTHETIC + in_place, 0, 0);
		bpf_map_update_elem(bpf_map__fd(relayed->maps.sent), &key, &sent, BPF_ANY);
		key = make_key(RELAY_PORT, WG_PORT, CHANNEL + in_place);
		bpf_map_update_elem(bpf_map__fd(relayed->maps.received), &key, &received, BPF_ANY);
		set_bit(relayed->bss->synthetic_ports, SYNTHETIC + in_place);
	}
	set_bit(relayed->bss->wg_ports, WG_PORT);
	relayed->bss->alive_until_ns = UINT64_MAX;
}

int main(void)
{
	enum { MESSAGE = 1420 + 32, MOVED = MESSAGE + 4, DATA = 0x04000000 };
	Bench bench;
	Case cases[] = {
		{ "relayed_egress_move_ns", true, WG_PORT, SYNTHETIC, { DATA }, MESSAGE },
		{ "relayed_egress_inplace_ns", true, WG_PORT, SYNTHETIC + 1, { DATA }, MESSAGE },
		{ "relayed_ingress_move_ns",
		  false,
		  RELAY_PORT,
		  WG_PORT,
		  { (uint32_t)CHANNEL << 16 | MESSAGE, DATA },
		  MOVED },
		{ "relayed_ingress_inplace_ns",
		  false,
		  RELAY_PORT,
		  WG_PORT,
		  { (uint32_t)(CHANNEL + 1) << 16 | (MESSAGE - 4) },
		  MESSAGE },
		{ "relayed_direct_ns", true, WG_PORT, OTHER_PORT, { DATA }, MESSAGE },
		{ "relayed_foreign_ns", false, OTHER_PORT, OTHER_PORT, { DATA }, MESSAGE },
	};
	struct __user_cap_data_struct capabilities[2];
	libbpf_set_print(quiet);
	drop_capabilities(capabilities);
	struct relayed_bpf *relayed = relayed_bpf__open_and_load();
	restore_capabilities(capabilities);
	if (!relayed) {
		printf("skipped: BPF programs cannot be loaded: %s\n", strerror(errno));
		return EXIT_SUCCESS;
	}
	fill(relayed);
	open_bench(&bench, relayed->progs.wice_ingress, relayed->progs.wice_egress);
	run_bench(&bench, cases, sizeof cases / sizeof cases[0]);
	relayed_bpf__destroy(relayed);
	return EXIT_SUCCESS;
}
