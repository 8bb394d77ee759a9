/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_SIGNALING_BACKENDS_H
#define WICE_SIGNALING_BACKENDS_H

#include <wice/signaling.h>

/* The backends that are built in; registry.c lists them. */
extern const WiceSignalingOps wice__signaling_inprocess;
extern const WiceSignalingOps wice__signaling_multicast;
extern const WiceSignalingOps wice__signaling_grpc;
extern const WiceSignalingOps wice__signaling_grpcs;

#endif
