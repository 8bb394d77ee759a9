/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_WG_GATE_H
#define WICE_TESTS_WG_GATE_H

/*
 * A backend with one device, "wg0", that can be read only while its gate is open: whoever comes
 * before waits.
 */
#include "wg/backend.h"
#include "wg/device.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

typedef struct {
	WiceWgBackend base;
	GMutex mutex; /* guards what follows */
	GCond changed;
	bool open, freed;
	unsigned n_inside, n_inside_max, n_reads;
	GArray *namespaces; /* ino_t of each reader's network namespace */
} Gate;

static inline ino_t gate_namespace(void)
{
	struct stat status;
	return stat("/proc/thread-self/ns/net", &status) == 0 ? status.st_ino : 0;
}

static inline int gate_get(WiceWgBackend *base, const char *name, int64_t deadline_ms,
			   WiceDevice **ret)
{
	Gate *gate = (Gate *)base;
	ino_t namespace = gate_namespace();
	g_mutex_lock(&gate->mutex);
	g_array_append_val(gate->namespaces, namespace);
	gate->n_reads++;
	gate->n_inside++;
	gate->n_inside_max = MAX(gate->n_inside_max, gate->n_inside);
	g_cond_broadcast(&gate->changed);
	while (!gate->open)
		g_cond_wait(&gate->changed, &gate->mutex);
	gate->n_inside--;
	g_mutex_unlock(&gate->mutex);
	if (strcmp(name, "wg0") != 0)
		return -ENODEV;
	*ret = wice__device_builder_finish(wice__device_builder_new(name, WICE_DEVICE_FAKE));
	return 0;
}

static inline void gate_free(WiceWgBackend *base)
{
	Gate *gate = (Gate *)base;
	g_mutex_lock(&gate->mutex);
	gate->freed = true;
	g_cond_broadcast(&gate->changed);
	g_mutex_unlock(&gate->mutex);
}

/* Lives until the WiceWg has gone (gate_done()). */
static inline WiceWg *gate_init(Gate *gate)
{
	static const WiceWgBackendOps ops = {
		.name = "gate", .kind = WICE_DEVICE_FAKE, .get = gate_get, .free = gate_free
	};
	*gate = (Gate){ .base = { .ops = &ops } };
	g_mutex_init(&gate->mutex);
	g_cond_init(&gate->changed);
	gate->namespaces = g_array_new(FALSE, FALSE, sizeof(ino_t));
	WiceWgBackend *backend = &gate->base;
	return wice__wg_new_with(&backend, 1);
}

static inline void gate_open(Gate *gate)
{
	g_mutex_lock(&gate->mutex);
	gate->open = true;
	g_cond_broadcast(&gate->changed);
	g_mutex_unlock(&gate->mutex);
}

/* Until so many wait at the gate. */
static inline void gate_wait_for(Gate *gate, unsigned n)
{
	g_mutex_lock(&gate->mutex);
	while (gate->n_inside < n)
		g_cond_wait(&gate->changed, &gate->mutex);
	g_mutex_unlock(&gate->mutex);
}

/* Waits until the WiceWg has been given up by all. */
static inline void gate_done(Gate *gate)
{
	g_mutex_lock(&gate->mutex);
	while (!gate->freed)
		g_cond_wait(&gate->changed, &gate->mutex);
	g_mutex_unlock(&gate->mutex);
	g_array_unref(gate->namespaces);
	g_mutex_clear(&gate->mutex);
	g_cond_clear(&gate->changed);
}

#endif
