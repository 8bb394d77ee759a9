/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_WG_SUBJECT_H
#define WICE_TESTS_WG_SUBJECT_H

#include "wg/backend.h"

#include <stdbool.h>

/* The interface that every subject has. */
#define SUBJECT_NAME "wgtest0"

/*
 * One implementation of WireGuard's control API, with a backend on it, and the means to change it
 * from the other side.
 */
typedef struct TestSubject TestSubject;
struct TestSubject {
	const char *name;
	bool real;         /* wg(8) can see it */
	bool no_interface; /* there is no network interface, so it is not listed and has no link */
	bool keeps_name;   /* cannot be renamed */
	bool one_device;   /* there is room for one */
	bool drops_scope;  /* reports link-local endpoints without their scope */

	/*
	 * Makes the environment, without a device. False: cannot be had here; the reason was
	 * printed.
	 */
	bool (*start)(TestSubject *subject);
	/* Makes the device, or changes it, to what state is. */
	void (*set)(TestSubject *subject, const WiceDevice *state);
	/* Removes the device. */
	void (*remove)(TestSubject *subject);
	void (*stop)(TestSubject *subject);

	WiceWgBackend *backend;
	void *data;

	/* The suite's: a WiceWg on the backend, which it borrows. */
	WiceWg *wg;
	const WiceWgBackendOps *ops;
	WiceWgBackendOps lent_ops;
};

#endif
