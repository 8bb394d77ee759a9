/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* An agent as the target of a control server: the public functions, one to one. */
#include "control/server.h"
#include "control/target.h"

static WiceStatus *agent_status(void *self)
{
	/* Who asks wants to see WireGuard's counters of now, not of the last poll. */
	(void)wice_agent_sync(self, NULL, NULL);
	return wice_agent_status(self);
}

static gboolean agent_restart_peer(void *self, const char *interface, const WiceKey *peer,
				   GError **error)
{
	return wice_agent_restart_peer(self, interface, peer, error);
}

static gboolean agent_set_mechanism(void *self, const char *interface, WiceMechanism mechanism,
				    GError **error)
{
	return wice_agent_set_mechanism(self, interface, mechanism, error);
}

static gboolean agent_sync(void *self, const char *interface, GError **error)
{
	return wice_agent_sync(self, interface, error);
}

static gboolean agent_add_interface(void *self, const char *pattern, GError **error)
{
	return wice_agent_add_interface(self, pattern, error);
}

static gboolean agent_remove_interface(void *self, const char *pattern, GError **error)
{
	return wice_agent_remove_interface(self, pattern, error);
}

static gboolean agent_create_interface(void *self, const char *name, GError **error)
{
	return wice_agent_create_interface(self, name, error);
}

static gboolean agent_delete_interface(void *self, const char *name, GError **error)
{
	return wice_agent_delete_interface(self, name, error);
}

static void agent_wait(void *self, const char *interface, const WiceKey *peer, WicePeerState state,
		       unsigned timeout_ms, WiceCancel *cancel, WiceWaitFunc callback,
		       void *user_data, GDestroyNotify destroy)
{
	wice_agent_wait(self, interface, peer, state, timeout_ms, cancel, callback, user_data,
			destroy);
}

static void agent_set_event_handler(void *self, WiceEventHandler handler, void *user_data)
{
	wice_agent_set_event_handler(self, handler, user_data);
}

static const WiceControlTargetOps agent_target_ops = {
	.status = agent_status,
	.restart_peer = agent_restart_peer,
	.set_mechanism = agent_set_mechanism,
	.sync = agent_sync,
	.add_interface = agent_add_interface,
	.remove_interface = agent_remove_interface,
	.create_interface = agent_create_interface,
	.delete_interface = agent_delete_interface,
	.wait = agent_wait,
	.set_event_handler = agent_set_event_handler,
};

WiceControlServer *wice_control_server_new(GMainContext *context, WiceAgent *agent,
					   const char *path, WiceStopFunc on_stop, void *user_data,
					   GError **error)
{
	return wice__control_server_new(context, &agent_target_ops, agent,
					path ? path : wice_control_default_path(), on_stop,
					user_data, error);
}
