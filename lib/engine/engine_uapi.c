/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The text protocol of userspace WireGuard, spoken to an engine: as a function, and on a socket. */
#include "engine/engine_private.h"

#include <errno.h>
#include <net/if.h>
#include <sodium.h>
#include <unistd.h>
#include <wice/error.h>

#include "engine/uapi_handler.h"
#include "wg/uapi.h"

static int get(void *engine, WiceDevice **ret)
{
	*ret = wice_engine_get(engine);
	return 0;
}

static int set(void *engine, const WicePlan *plan)
{
	return wice__engine_set(engine, plan);
}

static unsigned scope(const char *name)
{
	return if_nametoindex(name);
}

static const WiceUapiHandlerOps ops = {
	.get = get,
	.set = set,
	.scope = scope,
};

char *wice_engine_uapi(WiceEngine *engine, const char *request, size_t length)
{
	WiceUapiHandler handler = { &ops, engine };
	g_auto(WiceUapiText) reply = { 0 };
	wice__uapi_handle(&handler, request, length, &reply);
	char *text = g_malloc(reply.len + 1);
	memcpy(text, reply.data, reply.len);
	text[reply.len] = 0;
	return text;
}

static void on_gone(void *engine)
{
	wice__engine_emit(engine, WICE_ENGINE_SOCKET_DELETED, NULL);
}

static gboolean refuse(const WiceEngine *engine, int r, GError **error)
{
	WiceErrorCode code = r == -EADDRINUSE || r == -EEXIST ? WICE_ERROR_EXISTS
			     : r == -EPERM || r == -EACCES    ? WICE_ERROR_PERMISSION
			     : r == -EINVAL || r == -ENOTSOCK ? WICE_ERROR_INVALID
							      : WICE_ERROR_IO;
	g_set_error(error, WICE_ERROR, code, "Cannot listen on " WICE_UAPI_FOLDER "/%s.sock: %s",
		    engine->name, r == -EADDRINUSE ? "another program does" : g_strerror(-r));
	return FALSE;
}

gboolean wice_engine_listen(WiceEngine *engine, int fd, GError **error)
{
	WiceUapiServerOptions options = { .handler = { &ops, engine },
					  .on_gone = on_gone,
					  .user_data = engine };
	int own = fd, r;
	if (engine->server)
		return refuse(engine, -EADDRINUSE, error);
	if (fd < 0)
		own = wice__uapi_listen(WICE_UAPI_FOLDER, engine->name);
	if (own < 0)
		return refuse(engine, own, error);
	r = wice__uapi_server_start(engine->context, own, &options, &engine->server);
	if (r == 0)
		return TRUE;
	if (fd < 0)
		close(own);
	return refuse(engine, r, error);
}
