/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TOOLS_WICE_H
#define WICE_TOOLS_WICE_H

#include <stdbool.h>
#include <wice/wice.h>

/* EXIT_SUCCESS and EXIT_FAILURE, and for a command line that makes no sense: */
#define EXIT_USAGE 2

/* A command line that has been taken apart. */
typedef struct {
	const char *socket; /* NULL: the default one */
	bool json;
	bool userspace;          /* up only */
	const char *proxy;       /* restart only; NULL: not given */
	WiceMechanism mechanism; /* what proxy names */
	unsigned timeout_ms;     /* 0: none */
	const char *config;      /* check only; NULL: not given */
	int n_args;              /* what follows the command */
	char **args;
} Invocation;

/* The argument at that place, or NULL. */
const char *invocation_arg(const Invocation *invocation, int index);

/* The commands; each returns an exit code. Their number of arguments has been checked. */
int cmd_show(const Invocation *invocation);
int cmd_restart(const Invocation *invocation);
int cmd_sync(const Invocation *invocation);
int cmd_add(const Invocation *invocation);
int cmd_delete(const Invocation *invocation);
int cmd_monitor(const Invocation *invocation);
int cmd_up(const Invocation *invocation);
int cmd_down(const Invocation *invocation);
int cmd_wait(const Invocation *invocation);
int cmd_stop(const Invocation *invocation);
int cmd_check(const Invocation *invocation);
/* Take their own options: they are no clients of wiced. */
int cmd_signal(int argc, char **argv);
int cmd_relay(int argc, char **argv);

/* Prints the error and returns EXIT_FAILURE. */
int fail(const GError *error);

#endif
