/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_DAEMON_H
#define WICE_DAEMON_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <wice/log.h>
#include <wice/macros.h>
#include <wice/status.h>

WICE_BEGIN_DECLS

/*
 * What a daemon around a WiceAgent needs besides: its settings, and a word to the service
 * manager. wiced is made of nothing else.
 */

/* Settings, checked as far as that is possible without using them. */
typedef struct {
	/* NULL-terminated, without duplicates; empty if none was given. */
	const char *const *interfaces; /* names or patterns */
	const char *const *backends;   /* signaling URLs */
	const char *const *stun_urls;
	const char *const *relays; /* as in WiceAgentOptions */
	const char *const *ups;    /* interfaces or files for `wice up` */
	const char *socket;        /* where to listen for control clients */
	const char *state_dir;     /* where the agent remembers what it found */
	WiceMechanism mechanism;   /* as in WiceAgentOptions */
	bool port_mapping;         /* routers may be asked to forward ports */
	bool relay_server;         /* as in WiceAgentOptions */
	bool fit_mtu;              /* likewise */
	WiceLogLevel log_level;
} WiceDaemonSettings;

typedef struct WiceDaemonConfig WiceDaemonConfig;

/* With all defaults. */
WICE_API WiceDaemonConfig *wice_daemon_config_new(void) WICE_WARN_UNUSED;
WICE_API void wice_daemon_config_free(WiceDaemonConfig *config);

/*
 * Reads a file of "[section]" and "key = value" lines; '#' and ';' begin comments. The keys are
 * those of wice_daemon_config_set(). Keys that hold a list may be repeated. Errors: NOT_FOUND,
 * PERMISSION, IO; INVALID and UNSUPPORTED (a backend of an unknown kind), whose messages begin
 * with file and line and say what is known instead.
 */
WICE_API gboolean wice_daemon_config_load(WiceDaemonConfig *config, const char *path,
					  GError **error);

/*
 * Sets one key, for instance ("daemon", "interface", "wg0"). A list grows by the value, anything
 * else is replaced. The value is one that others may see (of a command line), so that passwords are
 * refused in it. INVALID if there is no such key, or for a value that cannot be; UNSUPPORTED
 * as above.
 */
WICE_API gboolean wice_daemon_config_set(WiceDaemonConfig *config, const char *section,
					 const char *key, const char *value, GError **error);

/* Valid until the next change of config. */
WICE_API const WiceDaemonSettings *wice_daemon_config_settings(WiceDaemonConfig *config);

/* What there is to set: for help texts, completions, and options of the same names. */
typedef struct {
	const char *section;
	const char *key;
	char letter;       /* of a short option, 0 for none */
	const char *value; /* what a value is, for instance "URL" */
	bool is_list;
	const char *text; /* one line */
} WiceDaemonKey;

/* NULL behind the last. */
WICE_API const WiceDaemonKey *wice_daemon_config_key(size_t index);

/*
 * Tells the service manager that started us, if it asked to be told (NOTIFY_SOCKET), how we are:
 * "READY=1", "STOPPING=1", "STATUS=...", see sd_notify(3). FALSE if nobody asked or it could not
 * be told.
 */
WICE_API gboolean wice_daemon_notify(const char *state);

/*
 * Gives back the memory that only starting and connecting have needed: free heap, and program text,
 * which comes back from the page cache page by page as it is used. For a daemon that mostly waits:
 * when it has just become ready, and now and then. Any thread; never fails.
 */
WICE_API void wice_daemon_trim(void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(WiceDaemonConfig, wice_daemon_config_free)

WICE_END_DECLS

#endif
