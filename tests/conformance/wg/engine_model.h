/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_WG_ENGINE_MODEL_H
#define WICE_TESTS_WG_ENGINE_MODEL_H

/* A device without packets behind the text protocol: it is what plans make of it. */
#include "engine/uapi_handler.h"

#include <glib.h>

typedef struct {
	GMutex mutex;       /* of all below */
	WiceDevice *device; /* NULL: reading it fails with -ENODEV */
	int error;          /* what setting it fails with, 0: it does not */
	unsigned n_sets;
} UapiModel;

static inline int uapi_model_get(void *user_data, WiceDevice **ret)
{
	UapiModel *model = user_data;
	g_mutex_lock(&model->mutex);
	if (model->device)
		*ret = wice_device_ref(model->device);
	g_mutex_unlock(&model->mutex);
	return model->device ? 0 : -ENODEV;
}

static inline int uapi_model_set(void *user_data, const WicePlan *plan)
{
	UapiModel *model = user_data;
	g_mutex_lock(&model->mutex);
	if (model->error == 0) {
		WiceDevice *device = wice_plan_result(plan, model->device);
		wice_device_unref(model->device);
		model->device = device;
		model->n_sets++;
	}
	g_mutex_unlock(&model->mutex);
	return model->error;
}

/* "eth0" is the only interface. */
static inline unsigned uapi_model_scope(const char *name)
{
	return strcmp(name, "eth0") == 0 ? 2 : 0;
}

static const WiceUapiHandlerOps uapi_model_ops = {
	.get = uapi_model_get,
	.set = uapi_model_set,
	.scope = uapi_model_scope,
};

static inline WiceUapiHandler uapi_model_handler(UapiModel *model)
{
	return (WiceUapiHandler){ &uapi_model_ops, model };
}

#endif
