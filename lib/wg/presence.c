/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which WireGuard interfaces exist, as hints. Two sources feed one set of names, and a timer hands
 * the set out, so that a burst (an interface that is made, renamed, configured and brought up) is
 * one hint.
 *
 * Links. RTNLGRP_LINK tells of every change of every link. Ours are those of kind "wireguard" and
 * those with a UAPI socket; of deleted ones also the TUN devices, whose socket may be gone
 * already. A renamed link is only told of by its new name, so the names of all links are kept by
 * their index.
 *
 * Sockets. inotify watches the folder of the sockets or, while that does not exist, the folder
 * that it would be made in. Between the folder's creation and our watch on it sockets may have
 * been made: so what is in it is reported when the watch begins.
 *
 * Whatever was lost (a full netlink buffer, a full inotify queue, too many names at once) becomes
 * one NULL: list everything again.
 */
#include "wg/presence.h"

#include "event/source.h"
#include "wg/netlink.h"
#include "wg/uapi.h"
#include "wg/uapi_socket.h"

#include <dirent.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wice/error.h>

#define COALESCE_MS 20
#define PENDING_MAX 256
#define LINK_BUFFER ((size_t)32 * 1024)
/* Room in the socket: some thousand links that change at once. */
#define LINK_SOCKET_BUFFER (1024 * 1024)

struct WicePresence {
	WicePresenceChanged changed;
	void *user_data;
	GDestroyNotify destroy;
	bool *freed; /* set by _free() while hints are handed out */

	GHashTable *pending; /* names to hand out */
	bool lost;
	WiceTimer *timer;
	bool timer_runs;

	struct nl_sock *socket;
	WiceFdWatch *link_watch;
	GHashTable *names; /* link index to name */

	char *folder, *parent;
	int inotify;
	int folder_id, parent_id; /* inotify's, -1 if not watched */
	WiceFdWatch *folder_watch;
};

static void schedule(WicePresence *presence)
{
	if (presence->timer_runs)
		return;
	presence->timer_runs = true;
	wice__timer_set(presence->timer, wice__now_ms() + COALESCE_MS);
}

static void report_lost(WicePresence *presence)
{
	presence->lost = true;
	g_hash_table_remove_all(presence->pending);
	schedule(presence);
}

static void report(WicePresence *presence, const char *name)
{
	if (presence->lost)
		return;
	if (g_hash_table_size(presence->pending) >= PENDING_MAX) {
		report_lost(presence);
		return;
	}
	g_hash_table_add(presence->pending, g_strdup(name));
	schedule(presence);
}

/* The callback may free the watch, so everything that is still needed is held here. */
static void hand_out(void *user_data)
{
	WicePresence *presence = user_data;
	bool freed = false, lost = presence->lost;
	GHashTable *names = presence->pending;
	presence->pending = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	presence->lost = false;
	presence->timer_runs = false;
	presence->freed = &freed;

	if (lost)
		presence->changed(NULL, presence->user_data);
	GHashTableIter iter;
	gpointer name;
	g_hash_table_iter_init(&iter, names);
	while (!freed && g_hash_table_iter_next(&iter, &name, NULL))
		presence->changed(name, presence->user_data);
	g_hash_table_unref(names);
	if (!freed)
		presence->freed = NULL;
}

static bool has_socket(const WicePresence *presence, const char *name)
{
	g_autofree char *path = wice__uapi_socket_path(presence->folder, name);
	return access(path, F_OK) == 0;
}

/* Forgets all links and learns the present ones. */
static void learn_names(WicePresence *presence)
{
	struct if_nameindex *links = if_nameindex();
	g_hash_table_remove_all(presence->names);
	for (size_t i = 0; links && links[i].if_index; i++)
		g_hash_table_insert(presence->names, GUINT_TO_POINTER(links[i].if_index),
				    g_strdup(links[i].if_name));
	if (links)
		if_freenameindex(links);
}

static void handle_link(WicePresence *presence, const WiceNetlinkLink *link, bool deleted)
{
	bool ours = strcmp(link->kind, "wireguard") == 0 || has_socket(presence, link->name) ||
		    (deleted && strcmp(link->kind, "tun") == 0);
	const char *old = g_hash_table_lookup(presence->names, GUINT_TO_POINTER(link->ifindex));
	if (old && strcmp(old, link->name) != 0 && (ours || has_socket(presence, old)))
		report(presence, old);
	if (ours)
		report(presence, link->name);
	if (deleted)
		g_hash_table_remove(presence->names, GUINT_TO_POINTER(link->ifindex));
	else if (!old || strcmp(old, link->name) != 0)
		g_hash_table_insert(presence->names, GUINT_TO_POINTER(link->ifindex),
				    g_strdup(link->name));
}

static void handle_links(WicePresence *presence, void *datagram, size_t len)
{
	int rest = (int)len;
	struct nlmsghdr *header = datagram;
	for (; nlmsg_ok(header, rest); header = nlmsg_next(header, &rest)) {
		WiceNetlinkLink link;
		bool deleted = header->nlmsg_type == RTM_DELLINK;
		/*
		 * Bridges announce their ports in messages of the family AF_BRIDGE; those are not
		 * links.
		 */
		if ((deleted || header->nlmsg_type == RTM_NEWLINK) &&
		    wice__netlink_read_link(header, &link) == 0 &&
		    ((struct ifinfomsg *)nlmsg_data(header))->ifi_family == AF_UNSPEC &&
		    wice__interface_name_valid(link.name))
			handle_link(presence, &link, deleted);
	}
}

static void links_ready(int fd, GIOCondition condition, void *user_data)
{
	WicePresence *presence = user_data;
	g_autofree void *buffer = g_malloc(LINK_BUFFER);
	/* A few at a time: a storm of links must not starve the rest of the program. */
	for (int i = 0; i < 64; i++) {
		ssize_t n = wice__netlink_receive(fd, buffer, LINK_BUFFER);
		if (n == -ENOBUFS || n == -EMSGSIZE) {
			learn_names(presence);
			report_lost(presence);
		} else if (n > 0) {
			handle_links(presence, buffer, (size_t)n);
		} else if (n < 0) {
			return;
		}
	}
}

static int start_links(WicePresence *presence, GMainContext *context)
{
	presence->socket = nl_socket_alloc();
	if (!presence->socket)
		return -ENOMEM;
	nl_socket_disable_seq_check(presence->socket);
	int r = nl_connect(presence->socket, NETLINK_ROUTE);
	if (r == 0)
		r = nl_socket_set_buffer_size(presence->socket, LINK_SOCKET_BUFFER, 0);
	if (r == 0)
		r = nl_socket_add_membership(presence->socket, RTNLGRP_LINK);
	if (r < 0)
		return wice__netlink_errno(r);
	presence->link_watch = wice__fd_watch_new(context, nl_socket_get_fd(presence->socket),
						  G_IO_IN, links_ready, presence);
	learn_names(presence);
	return 0;
}

static void report_sockets(WicePresence *presence)
{
	DIR *folder = opendir(presence->folder);
	const struct dirent *entry;
	char name[16];
	while (folder && (entry = readdir(folder))) {
		if (wice__uapi_socket_interface(entry->d_name, name))
			report(presence, name);
	}
	if (folder)
		closedir(folder);
}

/*
 * The parent is watched first and for good, so that no creation of the folder is missed. Watching
 * what is watched already changes nothing. That neither of them exists is no error.
 */
static void aim(WicePresence *presence)
{
	presence->parent_id = inotify_add_watch(presence->inotify, presence->parent,
						IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
	presence->folder_id = inotify_add_watch(presence->inotify, presence->folder,
						IN_CREATE | IN_DELETE | IN_MOVED_TO |
							IN_MOVED_FROM | IN_MOVE_SELF | IN_ONLYDIR);
}

static void handle_folder(WicePresence *presence, const struct inotify_event *event)
{
	char name[16];
	if (event->mask & IN_IGNORED) {
		presence->folder_id = -1;
	} else if (event->mask & IN_MOVE_SELF) {
		inotify_rm_watch(presence->inotify, presence->folder_id);
		aim(presence);
		report_lost(presence);
	} else if (event->len && wice__uapi_socket_interface(event->name, name)) {
		report(presence, name);
	}
}

static void handle_file_event(WicePresence *presence, const struct inotify_event *event)
{
	g_autofree char *folder_name = g_path_get_basename(presence->folder);
	if (event->mask & IN_Q_OVERFLOW) {
		aim(presence);
		report_lost(presence);
	} else if (event->wd == presence->folder_id) {
		handle_folder(presence, event);
	} else if (event->wd == presence->parent_id && event->len &&
		   strcmp(event->name, folder_name) == 0) {
		aim(presence);
		report_sockets(presence);
	}
}

static void folder_ready(int fd, GIOCondition condition, void *user_data)
{
	WicePresence *presence = user_data;
	_Alignas(struct inotify_event) char buffer[8192];
	ssize_t n = read(fd, buffer, sizeof buffer);
	for (char *at = buffer; n > 0 && at < buffer + n;) {
		const struct inotify_event *event = (struct inotify_event *)(void *)at;
		handle_file_event(presence, event);
		at += sizeof *event + event->len;
	}
}

static int start_sockets(WicePresence *presence, GMainContext *context)
{
	presence->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (presence->inotify < 0)
		return -errno;
	presence->folder_watch =
		wice__fd_watch_new(context, presence->inotify, G_IO_IN, folder_ready, presence);
	aim(presence);
	return 0;
}

static void dispose(WicePresence *presence)
{
	wice__fd_watch_free(presence->link_watch);
	wice__fd_watch_free(presence->folder_watch);
	wice__timer_free(presence->timer);
	nl_socket_free(presence->socket);
	if (presence->inotify >= 0)
		close(presence->inotify);
	g_hash_table_unref(presence->pending);
	g_hash_table_unref(presence->names);
	g_free(presence->folder);
	g_free(presence->parent);
	g_free(presence);
}

void wice__presence_free(WicePresence *presence)
{
	if (!presence)
		return;
	GDestroyNotify destroy = presence->destroy;
	void *user_data = presence->user_data;
	if (presence->freed)
		*presence->freed = true;
	dispose(presence);
	if (destroy)
		destroy(user_data);
}

WicePresence *wice__presence_new_in(const char *folder, GMainContext *context,
				    WicePresenceChanged changed, void *user_data,
				    GDestroyNotify destroy, GError **error)
{
	WicePresence *presence = g_new0(WicePresence, 1);
	presence->changed = changed;
	presence->user_data = user_data;
	presence->destroy = destroy;
	presence->folder = g_strdup(folder);
	presence->parent = g_path_get_dirname(folder);
	presence->inotify = -1;
	presence->pending = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	presence->names = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	presence->timer = wice__timer_new(context, hand_out, presence);

	int r = start_links(presence, context);
	if (r == 0)
		r = start_sockets(presence, context);
	if (r == 0)
		return presence;
	g_set_error(error, WICE_ERROR, WICE_ERROR_IO,
		    "Cannot watch for WireGuard interfaces: the system refused a netlink socket or "
		    "inotify (%s); raise the limits of open files or inotify instances.",
		    g_strerror(-r));
	dispose(presence);
	return NULL;
}

WicePresence *wice__presence_new(GMainContext *context, WicePresenceChanged changed,
				 void *user_data, GDestroyNotify destroy, GError **error)
{
	return wice__presence_new_in(WICE_UAPI_FOLDER, context, changed, user_data, destroy, error);
}
