/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wice.h"

#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define GONE_TIMEOUT_MS 10000

/*
 * A descriptor that becomes readable when the process ends (Linux 5.3), or -1 if it cannot be
 * seen from here.
 */
static int watch_process(int64_t pid)
{
	return pid > 0 ? (int)syscall(SYS_pidfd_open, (pid_t)pid, 0) : -1;
}

/*
 * Until the process has gone, so that `wice stop && wiced` works. In a container the pid may be
 * another's; a socket that nobody answers at counts, too.
 */
static int wait_until_gone(int process, int64_t pid, const char *socket)
{
	struct pollfd poll_process = { .fd = process, .events = POLLIN };
	int r;
	do
		r = poll(&poll_process, 1, GONE_TIMEOUT_MS);
	while (r < 0 && errno == EINTR);
	if (r != 0)
		return EXIT_SUCCESS;
	g_autoptr(WiceControl) control = wice_control_connect(socket, NULL);
	if (!control)
		return EXIT_SUCCESS;
	fprintf(stderr,
		"wice: wiced (pid %" G_GINT64_FORMAT ") agreed to stop and has not after %d s.\n",
		(gint64)pid, GONE_TIMEOUT_MS / 1000);
	return EXIT_FAILURE;
}

int cmd_stop(const Invocation *invocation)
{
	g_autoptr(GError) error = NULL;
	WiceControl *control = wice_control_connect(invocation->socket, &error);
	if (!control)
		return fail(error);
	g_autoptr(WiceStatus) status = wice_control_status(control, NULL, NULL, NULL);
	int64_t pid = status ? wice_status_info(status)->pid : 0;
	int process = watch_process(pid);
	gboolean ok = wice_control_stop(control, &error);
	wice_control_free(control); /* hanging up tells wiced that the answer has arrived */
	int code = ok ? EXIT_SUCCESS : fail(error);
	if (ok && process >= 0)
		code = wait_until_gone(process, pid, invocation->socket);
	if (process >= 0)
		close(process);
	return code;
}
