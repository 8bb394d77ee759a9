/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wice/error.h>

#include "agent/claim.h"

/* Interfaces of parallel runs must not collide. */
static const char *interface_name(void)
{
	static char name[16];
	g_snprintf(name, sizeof name, "c%d", (int)getpid());
	return name;
}

START_TEST(the_second_claim_names_the_holder)
{
	WiceClaim *first, *second;
	g_autoptr(GError) error = NULL;
	char pid[16];
	ck_assert(wice__claim_new(interface_name(), &first, &error));
	ck_assert_ptr_nonnull(first);
	ck_assert(!wice__claim_new(interface_name(), &second, &error));
	ck_assert_int_eq(error->code, WICE_ERROR_BUSY);
	/* However often others ask. */
	for (int i = 0; i < 100; i++) {
		g_clear_error(&error);
		ck_assert(!wice__claim_new(interface_name(), &second, &error));
	}
	g_snprintf(pid, sizeof pid, "pid %d ", (int)getpid());
	ck_assert_msg(strstr(error->message, pid), "%s", error->message);
	wice__claim_free(first);
	ck_assert(wice__claim_new(interface_name(), &second, NULL));
	wice__claim_free(second);
}
END_TEST

START_TEST(a_claim_ends_with_its_process_however_it_ends)
{
	const char *name = interface_name();
	int ready[2];
	char byte;
	ck_assert_int_eq(pipe(ready), 0);
	pid_t child = fork();
	if (child == 0) {
		WiceClaim *claim;
		bool ok = wice__claim_new(name, &claim, NULL) && write(ready[1], "x", 1) == 1;
		while (ok)
			pause();
		_exit(1);
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	WiceClaim *claim;
	ck_assert(!wice__claim_new(name, &claim, NULL));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	ck_assert(wice__claim_new(name, &claim, NULL));
	wice__claim_free(claim);
}
END_TEST

/* Any user may bind the name in the abstract namespace. */
START_TEST(another_user_cannot_keep_an_interface)
{
	if (geteuid() != 0) {
		puts("skipped: becoming another user needs root");
		return;
	}
	const char *name = interface_name();
	int ready[2];
	char byte;
	ck_assert_int_eq(pipe(ready), 0);
	pid_t child = fork();
	if (child == 0) {
		WiceClaim *claim;
		bool ok = setresuid(65534, 65534, 65534) == 0 &&
			  wice__claim_new(name, &claim, NULL) && write(ready[1], "x", 1) == 1;
		while (ok)
			pause();
		_exit(1);
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	WiceClaim *claim;
	ck_assert(wice__claim_new(name, &claim, NULL));
	ck_assert_ptr_null(claim);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}
END_TEST

SUITE_MAIN("claim", the_second_claim_names_the_holder,
	   a_claim_ends_with_its_process_however_it_ends, another_user_cannot_keep_an_interface)
