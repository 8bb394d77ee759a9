/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Real sockets on real devices, in network namespaces of their own. */
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

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

/* For this thread, which is all that the test has. */
static void keep_capabilities(const int *capabilities, size_t n)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };
	for (size_t i = 0; i < n; i++) {
		struct __user_cap_data_struct *word = &data[CAP_TO_INDEX(capabilities[i])];
		word->permitted |= CAP_TO_MASK(capabilities[i]);
		word->effective |= CAP_TO_MASK(capabilities[i]);
	}
	ck_assert_int_eq(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(setresgid(65534, 65534, 65534), 0);
	ck_assert_int_eq(setresuid(65534, 65534, 65534), 0);
	ck_assert_int_eq(syscall(SYS_capset, &header, data), 0);
}

START_TEST(two_capabilities_are_all_that_it_takes)
{
	static const int capabilities[] = { CAP_BPF, CAP_NET_ADMIN };
	BpfWorld world;
	if (!bpf_world_open(&world, _i))
		return;
	wice__bpf_mux_free(world.mux);
	keep_capabilities(capabilities, G_N_ELEMENTS(capabilities));
	world.mux = bpf_open_mux(world.context, (WiceBpfAttach)_i);
	ck_assert_ptr_nonnull(world.mux);
	bpf_world_talk(&world, "127.0.0.1", "127.0.0.1");
	bpf_world_talk(&world, "::1", "::1");
	bpf_world_close(&world);
}
END_TEST

START_TEST(who_lacks_one_is_told_so)
{
	static const int capabilities[] = { CAP_BPF, CAP_NET_ADMIN };
	const WiceBpfMuxOptions options = { .size = sizeof options, .attach = (WiceBpfAttach)_i };
	for (int which = 0; which < 2; which++) {
		int namespace;
		GError *error = NULL;
		if (!bpf_new_namespace(&namespace))
			return;
		pid_t child = fork();
		if (child == 0) {
			keep_capabilities(&capabilities[which], 1);
			ck_assert_ptr_null(wice__bpf_mux_new(NULL, &options, &error));
			ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_PERMISSION));
			ck_assert_ptr_nonnull(strstr(error->message, "CAP_NET_ADMIN"));
			g_error_free(error);
			_exit(0);
		}
		int status;
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert_int_eq(status, 0);
		close(namespace);
	}
}
END_TEST

BPF_SUITE_MAIN("bpf network", sockets_share_a_port_over_loopback,
	       two_capabilities_are_all_that_it_takes, who_lacks_one_is_told_so)
