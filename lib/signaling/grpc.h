/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_SIGNALING_GRPC_H
#define WICE_SIGNALING_GRPC_H

#include <wice/signaling.h>

/*
 * Waiting between attempts: 250 ms, then 1.6 times as long each time up to 15 s, give or take a
 * fifth.
 */
#define WICE_GRPC_BACKOFF_MIN_MS 250
#define WICE_GRPC_BACKOFF_MAX_MS 15000

/* The wait before the next attempt, from the one before (0: none); random: any number. Pure. */
unsigned wice__grpc_backoff(unsigned previous_ms);
unsigned wice__grpc_jitter(unsigned wait_ms, uint32_t random);

#endif
