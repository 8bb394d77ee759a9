/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_AGENT_H
#define WICE_AGENT_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/cancel.h>
#include <wice/engine.h>
#include <wice/key.h>
#include <wice/macros.h>
#include <wice/status.h>

WICE_BEGIN_DECLS

/*
 * The agent looks after WireGuard interfaces: for every peer of an interface that it was given it
 * finds the best path (ICE, RFC 8445) and points WireGuard at it.
 *
 * Threads: an agent belongs to the GMainContext that it was made with. All functions must be called
 * on the thread that runs it; all callbacks come from there. Nothing happens while it does not run.
 */
typedef struct WiceAgent WiceAgent;

typedef struct {
	size_t size; /* sizeof(WiceAgentOptions); wice_agent_options_init() sets it */
	/* Signaling backends, NULL-terminated URLs; see <wice/signaling.h>. At least one. */
	const char *const *backends;
	/* STUN servers, NULL-terminated: "stun:host[:port]" (RFC 7064). NULL: no server. */
	const char *const *stun_urls;
	/*
	 * Where what was found on an interface (endpoints, keepalives) is remembered, so that it
	 * can be put back even after a crash. NULL: nothing is remembered across restarts of the
	 * process.
	 */
	const char *state_dir;
	/*
	 * How packets are to get from WireGuard to the path, for all interfaces:
	 * WICE_MECHANISM_NONE (the best that there is: bpf, then inprocess for an engine of this
	 * process, nft, user), or BPF, NFT, INPROCESS or USER. Where it cannot be had, the best
	 * one below it is used, and the status says why.
	 */
	WiceMechanism mechanism;
	/* Do not ask routers to forward the ports of interfaces (PCP, NAT-PMP, UPnP-IGD). */
	bool no_port_mapping;
	/*
	 * Relays (TURN servers), NULL-terminated, each "URL [username=NAME]
	 * [password-file=PATH]..." as wiced(8) describes them: over which peers are connected at
	 * once, and where no direct path is found for as long as that lasts. NULL: none.
	 */
	const char *const *relays;
	/*
	 * Be a relay for the peers of each interface, on WireGuard's port where that can be shared
	 * (mechanism BPF): for hosts that can be reached from outside. Peers learn of it, with a
	 * name and a password for each, by signaling; nobody else can use it, and it relays to
	 * addresses of peers only.
	 */
	bool relay_server;
	/*
	 * Lower the MTU of an interface if its packets do not fit into a path that is used, and put
	 * it back in the end. Else that is only told (in the log).
	 */
	bool fit_mtu;
} WiceAgentOptions;

/* Sets all defaults. */
WICE_API void wice_agent_options_init(WiceAgentOptions *options);

/*
 * Makes an agent. context NULL is the default one. Opens the backends; an unreachable server is no
 * error, it is retried. Errors: INVALID (a URL is malformed or its scheme unknown, or KERNEL is
 * given as mechanism, which comes by itself), IO.
 */
WICE_API WiceAgent *wice_agent_new(GMainContext *context, const WiceAgentOptions *options,
				   GError **error) WICE_WARN_UNUSED;

/*
 * Stops everything at once: paths of the agent are taken down, endpoints and keepalives of all
 * peers become what they were before. Pending waits complete with CANCELLED first. NULL is fine.
 */
WICE_API void wice_agent_free(WiceAgent *agent);

/*
 * Takes interfaces into care: an exact name, or a pattern with '*' and '?' that is matched against
 * all WireGuard interfaces, present and future ("*" for all). An exact name need not exist yet.
 * Errors: EXISTS (given before), INVALID (longer than 15 characters, or contains '/'), BUSY
 * (another process takes care of it: the message names its pid).
 */
WICE_API gboolean wice_agent_add_interface(WiceAgent *agent, const char *pattern, GError **error);

/*
 * Lets go of what was given with the same pattern, or of one interface by its name although a
 * pattern matches it, until it is added again. Puts back what was found. NOT_FOUND.
 */
WICE_API gboolean wice_agent_remove_interface(WiceAgent *agent, const char *pattern,
					      GError **error);

/*
 * An engine of this process: it becomes a device of the agent, which takes it into care if it is
 * among the interfaces that it was given. Its packets then pass between it and the ports of ICE
 * directly (WICE_MECHANISM_INPROCESS). Errors: those of wice_engine_attach().
 */
WICE_API gboolean wice_agent_add_engine(WiceAgent *agent, WiceEngine *engine, GError **error);
/* Lets go of it; to be called before it is freed. */
WICE_API void wice_agent_remove_engine(WiceAgent *agent, WiceEngine *engine);

/*
 * Makes a WireGuard interface, down, without keys: an engine of the agent's own, which takes it
 * into care. It answers on its socket for wg(8), and ends with the agent, when its link or its
 * socket is deleted, or by wice_agent_delete_interface(). Errors: those of wice_engine_new() and
 * wice_engine_listen().
 */
WICE_API gboolean wice_agent_create_interface(WiceAgent *agent, const char *name, GError **error);
/* Deletes one that was made so, and no other. NOT_FOUND. */
WICE_API gboolean wice_agent_delete_interface(WiceAgent *agent, const char *name, GError **error);

/*
 * Called for every event, see <wice/status.h>. One handler; NULL removes it. The handler may call
 * any function of the agent except wice_agent_free().
 */
typedef void (*WiceEventHandler)(const WiceEvent *event, void *user_data);
WICE_API void wice_agent_set_event_handler(WiceAgent *agent, WiceEventHandler handler,
					   void *user_data);

/* A snapshot of everything, as far as known: no system call is made. */
WICE_API WiceStatus *wice_agent_status(WiceAgent *agent) WICE_WARN_UNUSED;

/* Starts a peer's session anew; the path in use stays until a new one is found. NOT_FOUND. */
WICE_API gboolean wice_agent_restart_peer(WiceAgent *agent, const char *interface,
					  const WiceKey *peer, GError **error);

/*
 * Chooses the mechanism, as WiceAgentOptions.mechanism does, for one interface (NULL: for all, and
 * for those to come), and starts its sessions anew; the paths in use stay until new ones are
 * found. NOT_FOUND, INVALID (KERNEL is no choice: it comes by itself).
 */
WICE_API gboolean wice_agent_set_mechanism(WiceAgent *agent, const char *interface,
					   WiceMechanism mechanism, GError **error);

/* Reads the interface (NULL: all) from the system now instead of at the next poll. NOT_FOUND. */
WICE_API gboolean wice_agent_sync(WiceAgent *agent, const char *interface, GError **error);

/*
 * Waits until the peer of the interface is in the given state. peer NULL: every peer of the
 * interface, and at least one; interface NULL: every peer of all interfaces, and at least one. A
 * peer that does not exist yet is waited for.
 *
 * callback is called exactly once, never before this function has returned, with error NULL on
 * success, else TIMEOUT (after timeout_ms; 0 = never) or CANCELLED; the error belongs to the
 * library. destroy frees user_data afterwards. cancel may be NULL.
 */
typedef void (*WiceWaitFunc)(const GError *error, void *user_data);
WICE_API void wice_agent_wait(WiceAgent *agent, const char *interface, const WiceKey *peer,
			      WicePeerState state, unsigned timeout_ms, WiceCancel *cancel,
			      WiceWaitFunc callback, void *user_data, GDestroyNotify destroy);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(WiceAgent, wice_agent_free)

WICE_END_DECLS

#endif
