/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Our client of the text protocol on our server of it, which has a model for a device. */
#include "conformance/wg/engine_uapi.h"
#include "conformance/wg/engine_model.h"
#include "engine/uapi_server.h"
#include "wg/device.h"
#include "wg/uapi.h"

#include <check.h>
#include <glib/gstdio.h>

typedef struct {
	UapiModel model;
	char *folder;
	GMainContext *context;
	WiceUapiServer *server;
	GThread *thread; /* NULL: there is no device */
	gint ends;
} Engine;

static gpointer run(gpointer data)
{
	Engine *engine = data;
	while (!g_atomic_int_get(&engine->ends))
		g_main_context_iteration(engine->context, TRUE);
	return NULL;
}

static bool start_engine(TestSubject *subject)
{
	Engine *engine = g_new0(Engine, 1);
	g_mutex_init(&engine->model.mutex);
	engine->folder = g_dir_make_tmp("wice-uapi-XXXXXX", NULL);
	engine->context = g_main_context_new();
	subject->data = engine;
	subject->backend = wice__wg_uapi_new(engine->folder);
	return true;
}

static void serve(Engine *engine)
{
	WiceUapiServerOptions options = { .handler = uapi_model_handler(&engine->model) };
	int fd = wice__uapi_listen(engine->folder, SUBJECT_NAME);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(wice__uapi_server_start(engine->context, fd, &options, &engine->server),
			 0);
	engine->ends = 0;
	engine->thread = g_thread_new("engine", run, engine);
}

static void set_engine(TestSubject *subject, const WiceDevice *state)
{
	Engine *engine = subject->data;
	g_mutex_lock(&engine->model.mutex);
	wice_device_unref(engine->model.device);
	engine->model.device = wice__device_builder_finish(wice__device_builder_copy(state));
	g_mutex_unlock(&engine->model.mutex);
	if (!engine->thread)
		serve(engine);
}

static void remove_engine(TestSubject *subject)
{
	Engine *engine = subject->data;
	if (!engine->thread)
		return;
	g_atomic_int_set(&engine->ends, 1);
	g_main_context_wakeup(engine->context);
	g_thread_join(g_steal_pointer(&engine->thread));
	g_clear_pointer(&engine->server, wice__uapi_server_stop);
}

static void stop_engine(TestSubject *subject)
{
	Engine *engine = subject->data;
	remove_engine(subject);
	subject->backend->ops->free(subject->backend);
	g_main_context_unref(engine->context);
	wice_device_unref(engine->model.device);
	g_mutex_clear(&engine->model.mutex);
	g_rmdir(engine->folder);
	g_free(engine->folder);
	g_free(engine);
}

TestSubject engine_uapi_subject = {
	.name = "uapi on the engine's server",
	.no_interface = true,
	.start = start_engine,
	.set = set_engine,
	.remove = remove_engine,
	.stop = stop_engine,
};
