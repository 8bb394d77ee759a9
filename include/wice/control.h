/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_CONTROL_H
#define WICE_CONTROL_H

#include <glib.h>
#include <stddef.h>
#include <wice/agent.h>
#include <wice/key.h>
#include <wice/macros.h>
#include <wice/status.h>

WICE_BEGIN_DECLS

/*
 * The control API of a daemon: the gRPC service wice.control.v1.Control on a unix socket (the
 * .proto file is installed under share/wice/proto). Programs in other languages may speak it
 * directly.
 */

/*
 * Where wiced listens unless told otherwise: wiced.sock in the run-time folder of this build, for
 * instance /run/wice.
 */
WICE_API const char *wice_control_default_path(void);

/* The server: makes an agent controllable. */

typedef struct WiceControlServer WiceControlServer;

/* Called when a client asks the daemon to stop; the answer has been sent. */
typedef void (*WiceStopFunc)(void *user_data);

/*
 * Listens on path (NULL: the default one), mode 0660; the folder is made if it is missing.
 * Callers must be root, the user that runs the daemon, or have the socket's group among their
 * groups (SO_PEERCRED). It becomes the agent's event handler; the agent must outlive it. The stop
 * function may not free the server, it tells the main loop to. Errors: BUSY (a daemon listens
 * there already; the message names its pid), EXISTS (something that is no socket is in the way),
 * INVALID (the path is too long), PERMISSION, IO. A stale socket is replaced.
 */
WICE_API WiceControlServer *wice_control_server_new(GMainContext *context, WiceAgent *agent,
						    const char *path, WiceStopFunc on_stop,
						    void *user_data,
						    GError **error) WICE_WARN_UNUSED;
/* Stops listening and removes the socket. */
WICE_API void wice_control_server_free(WiceControlServer *server);

/* The client: synchronous, for command line tools. One thread at a time. */

typedef struct WiceControl WiceControl;

/*
 * Connects to a daemon (path NULL: the default one). Errors: NOT_FOUND (no socket, or nobody
 * listens: is wiced running?), PERMISSION, TIMEOUT, IO.
 */
WICE_API WiceControl *wice_control_connect(const char *path, GError **error) WICE_WARN_UNUSED;
WICE_API void wice_control_free(WiceControl *control);

/*
 * Each call below may fail with TIMEOUT (no answer within 5 s), UNREACHABLE (the daemon went away
 * during the call), PROTOCOL, and with what the agent's function of the same name fails with. If
 * the daemon has been restarted since the last call, it connects anew, with the errors of
 * wice_control_connect().
 */

/* interface and peer NULL: everything. NOT_FOUND if the one asked for is not there. */
WICE_API WiceStatus *wice_control_status(WiceControl *control, const char *interface,
					 const WiceKey *peer, GError **error) WICE_WARN_UNUSED;
/* As wice_agent_restart_peer(). */
WICE_API gboolean wice_control_restart_peer(WiceControl *control, const char *interface,
					    const WiceKey *peer, GError **error);
/*
 * As wice_agent_set_mechanism(); interface NULL: all. UNSUPPORTED if the daemon is older than this
 * function.
 */
WICE_API gboolean wice_control_set_mechanism(WiceControl *control, const char *interface,
					     WiceMechanism mechanism, GError **error);
/* As wice_agent_sync(). */
WICE_API gboolean wice_control_sync(WiceControl *control, const char *interface, GError **error);
/* As wice_agent_add_interface(). */
WICE_API gboolean wice_control_add_interface(WiceControl *control, const char *pattern,
					     GError **error);
/* As wice_agent_remove_interface(). */
WICE_API gboolean wice_control_remove_interface(WiceControl *control, const char *pattern,
						GError **error);
/* As wice_agent_create_interface(). */
WICE_API gboolean wice_control_create_interface(WiceControl *control, const char *name,
						GError **error);
/* As wice_agent_delete_interface(). */
WICE_API gboolean wice_control_delete_interface(WiceControl *control, const char *name,
						GError **error);
/* Ends the daemon; it answers first. */
WICE_API gboolean wice_control_stop(WiceControl *control, GError **error);

/*
 * Calls handler for each event from now on until it returns FALSE (then TRUE is returned), the
 * daemon goes away (UNREACHABLE), or timeout_ms have passed (TIMEOUT; 0 = never).
 */
typedef gboolean (*WiceControlEventFunc)(const WiceEvent *event, void *user_data);
WICE_API gboolean wice_control_stream_events(WiceControl *control, WiceControlEventFunc handler,
					     void *user_data, unsigned timeout_ms, GError **error);

/*
 * Waits as wice_agent_wait() does, on the daemon's side. timeout_ms 0 = for ever.
 */
WICE_API gboolean wice_control_wait(WiceControl *control, const char *interface,
				    const WiceKey *peer, WicePeerState state, unsigned timeout_ms,
				    GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(WiceControlServer, wice_control_server_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WiceControl, wice_control_free)

WICE_END_DECLS

#endif
