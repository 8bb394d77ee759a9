/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that come and go, and others who attach programs to them. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/pkt_cls.h>
#include <signal.h>
#include <sys/wait.h>

#include "bpf_world.h"

#define LOOPBACK 1
#define ALIEN_PRIORITY 100
#define CHILDREN 3

static void talk_on_both(BpfWorld *world)
{
	bpf_world_talk(world, BPF_NEAR4, BPF_FAR4);
	bpf_world_talk(world, BPF_NEAR6, BPF_FAR6);
}

static size_t n_uplinks(const BpfWorld *world)
{
	return wice__bpf_mux_n_uplinks(world->mux);
}

START_TEST(devices_that_come_later_are_served)
{
	BpfWorld world;
	if (!bpf_world_open(&world, _i))
		return;
	ck_assert_uint_eq(n_uplinks(&world), LOOPBACK);
	for (int i = 0; i < 3; i++) {
		if (!bpf_world_add_wire(&world))
			return;
		bpf_set_addresses(&world, "wire");
		BPF_UNTIL(&world, n_uplinks(&world) == LOOPBACK + 1);
		talk_on_both(&world);
		ck_assert(bpf_run("ip link del wire"));
		BPF_UNTIL(&world, n_uplinks(&world) == LOOPBACK);
		close(world.far);
	}
	world.far = world.near;
	bpf_world_close(&world);
}
END_TEST

/* The programs go with the address. */
START_TEST(a_device_that_is_no_uplink_any_more_is_left)
{
	BpfWorld world;
	if (!bpf_world_open(&world, _i) || !bpf_world_add_wire(&world))
		return;
	for (int i = 0; i < 3; i++) {
		ck_assert(bpf_run("ip addr add " BPF_NEAR4 "/24 dev wire"));
		BPF_UNTIL(&world, n_uplinks(&world) == LOOPBACK + 1);
		ck_assert(bpf_run("ip addr flush dev wire"));
		BPF_UNTIL(&world, n_uplinks(&world) == LOOPBACK);
	}
	ck_assert(!bpf_run("tc filter show dev wire ingress | grep -q wice"));
	ck_assert(!bpf_run("tc filter show dev wire egress | grep -q wice"));
	bpf_world_close(&world);
}
END_TEST

static void load_alien(uint32_t verdict, enum bpf_tc_attach_point where, int *ret_program)
{
	const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = (int)verdict },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct bpf_tc_hook hook = { .sz = sizeof hook,
				    .ifindex = (int)if_nametoindex("wire"),
				    .attach_point = where };
	struct bpf_tc_opts filter = { .sz = sizeof filter,
				      .handle = 1,
				      .priority = ALIEN_PRIORITY };
	filter.prog_fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "alien", "GPL", code,
				       G_N_ELEMENTS(code), NULL);
	ck_assert_int_ge(filter.prog_fd, 0);
	libbpf_set_print(NULL); /* the hook is there already */
	int r = bpf_tc_hook_create(&hook);
	ck_assert(r == 0 || r == -EEXIST);
	ck_assert_int_eq(bpf_tc_attach(&hook, &filter), 0);
	*ret_program = filter.prog_fd;
}

static uint64_t runs_of(int program)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof info;
	ck_assert_int_eq(bpf_obj_get_info_by_fd(program, &info, &len), 0);
	return info.run_cnt;
}

/* Two muxes and an alien behind them: each gets its packets, and the alien gets to see all. */
START_TEST(muxes_and_others_share_a_device)
{
	BpfWorld world, other;
	int aliens[2];
	if (!bpf_world_open(&world, _i) || !bpf_world_add_wire(&world))
		return;
	bpf_set_addresses(&world, "wire");
	BPF_UNTIL(&world, n_uplinks(&world) == LOOPBACK + 1);
	load_alien(TC_ACT_OK, BPF_TC_INGRESS, &aliens[0]);
	load_alien(TC_ACT_OK, BPF_TC_EGRESS, &aliens[1]);
	other = world;
	other.mux = bpf_open_mux(other.context, (WiceBpfAttach)_i);
	ck_assert_ptr_nonnull(other.mux);
	ck_assert_uint_eq(n_uplinks(&other), LOOPBACK + 1);
	int stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	for (int i = 0; i < 2; i++) {
		uint64_t before[2] = { runs_of(aliens[0]), runs_of(aliens[1]) };
		talk_on_both(&world);
		talk_on_both(&other);
		/* Eleven each of these conversations, and some of ARP's and ICMPv6's. */
		ck_assert_uint_ge(runs_of(aliens[0]) - before[0], 16);
		ck_assert_uint_ge(runs_of(aliens[1]) - before[1], 12);
	}
	close(stats);
	wice__bpf_mux_free(other.mux);
	talk_on_both(&world);
	ck_assert(bpf_run("tc filter show dev wire ingress | grep -q alien"));
	bpf_world_close(&world);
}
END_TEST

/* Not of tcx, which such a command does not reach. */
START_TEST(programs_that_somebody_removes_are_attached_again)
{
	BpfWorld world;
	if (!bpf_world_open(&world, _i) || !bpf_world_add_wire(&world))
		return;
	bpf_set_addresses(&world, "wire");
	BPF_UNTIL(&world, n_uplinks(&world) == LOOPBACK + 1);
	talk_on_both(&world);
	if (_i == WICE_BPF_ATTACH_CLSACT) {
		ck_assert(bpf_run("tc qdisc del dev wire clsact"));
		BPF_UNTIL(&world, bpf_run("tc filter show dev wire egress | grep -q wice_egress"));
		talk_on_both(&world);
		ck_assert(bpf_run("tc filter del dev wire egress"));
		BPF_UNTIL(&world, bpf_run("tc filter show dev wire egress | grep -q wice_egress"));
		talk_on_both(&world);
	}
	bpf_world_close(&world);
}
END_TEST

/* A child with a mux of its own. */
static pid_t start_child(WiceBpfAttach attach)
{
	int ready[2];
	char byte;
	ck_assert_int_eq(pipe(ready), 0);
	pid_t child = fork();
	if (child == 0) {
		if (bpf_open_mux(NULL, attach) && write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return child;
}

static void kill_child(pid_t child)
{
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
}

static bool are_attached(const char *direction, unsigned n)
{
	return bpf_run("test $(tc filter show dev lo %s | grep -c wice_%s) = %u", direction,
		       direction, n);
}

START_TEST(what_the_dead_leave_is_removed_at_the_next_start)
{
	BpfWorld world;
	pid_t children[CHILDREN];
	unsigned n = _i == WICE_BPF_ATTACH_CLSACT; /* tcx leaves nothing */
	if (!bpf_world_open(&world, _i))
		return;
	wice__bpf_mux_free(world.mux);
	for (int i = 0; i < CHILDREN; i++)
		children[i] = start_child((WiceBpfAttach)_i);
	kill_child(children[0]);
	kill_child(children[2]);
	ck_assert(are_attached("ingress", CHILDREN * n));
	ck_assert(are_attached("egress", CHILDREN * n));
	world.mux = bpf_open_mux(world.context, (WiceBpfAttach)_i);
	ck_assert_ptr_nonnull(world.mux);
	/* Its own, and those of the one that lives. */
	ck_assert(are_attached("ingress", 2 * n));
	ck_assert(are_attached("egress", 2 * n));
	bpf_world_talk(&world, "127.0.0.1", "127.0.0.1");
	bpf_world_close(&world);
	ck_assert(are_attached("ingress", n));
	kill_child(children[1]);
}
END_TEST

START_TEST(there_are_no_more_muxes_than_slots)
{
	enum { SLOTS = 64 };
	const WiceBpfMuxOptions options = { .size = sizeof options,
					    .attach = WICE_BPF_ATTACH_CLSACT,
					    .max_agents = 1,
					    .max_transactions = 1 };
	WiceBpfMux *muxes[SLOTS];
	GError *error = NULL;
	BpfWorld world;
	if (_i != WICE_BPF_ATTACH_CLSACT || !bpf_world_open(&world, _i))
		return;
	wice__bpf_mux_free(world.mux);
	for (int i = 0; i < SLOTS; i++)
		ck_assert_ptr_nonnull(muxes[i] = wice__bpf_mux_new(NULL, &options, NULL));
	ck_assert_ptr_null(wice__bpf_mux_new(NULL, &options, &error));
	ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_BUSY));
	g_clear_error(&error);
	for (int i = 0; i < SLOTS; i++)
		wice__bpf_mux_free(muxes[i]);
	world.mux = NULL;
	bpf_world_close(&world);
}
END_TEST

BPF_SUITE_MAIN("bpf uplinks", devices_that_come_later_are_served,
	       a_device_that_is_no_uplink_any_more_is_left, muxes_and_others_share_a_device,
	       programs_that_somebody_removes_are_attached_again,
	       what_the_dead_leave_is_removed_at_the_next_start, there_are_no_more_muxes_than_slots)
