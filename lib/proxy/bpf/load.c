/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/bpf/load.h"

#include <stdbool.h>
#include <sys/resource.h>

#include "proxy/bpf/print.h"

/*
 * Before Linux 5.11 maps count as locked memory, for which libbpf raises the process's limit. What
 * would forbid it that, libbpf_set_memlock_rlim(), is not exported by libbpf 1.1. So put it back.
 */
int wice__bpf_load(int (*load)(void *user_data), void *user_data)
{
	struct rlimit before, after;
	libbpf_print_fn_t print = wice__bpf_print_to_log();
	bool known = getrlimit(RLIMIT_MEMLOCK, &before) == 0;
	int r = load(user_data);
	if (known && getrlimit(RLIMIT_MEMLOCK, &after) == 0 &&
	    (after.rlim_cur != before.rlim_cur || after.rlim_max != before.rlim_max))
		setrlimit(RLIMIT_MEMLOCK, &before);
	libbpf_set_print(print);
	return r;
}
