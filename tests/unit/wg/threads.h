/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_WG_THREADS_H
#define WICE_TESTS_WG_THREADS_H

#include <check.h>
#include <pthread.h>

/* From now on no thread can be started in this process: its stack would have no place. */
static inline void threads_forbid(void)
{
	pthread_attr_t attributes;
	ck_assert_int_eq(pthread_attr_init(&attributes), 0);
	ck_assert_int_eq(pthread_attr_setstacksize(&attributes, (size_t)1 << 46), 0);
	ck_assert_int_eq(pthread_setattr_default_np(&attributes), 0);
	pthread_attr_destroy(&attributes);
}

#endif
