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
#include "wg/watch.h"

#include "event/source.h"
#include "wg/netlink.h"
#include "wg/uapi.h"

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

struct WiceWgWatch {
	WiceWgChanged changed;
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

static void schedule(WiceWgWatch *watch)
{
	if (watch->timer_runs)
		return;
	watch->timer_runs = true;
	wice__timer_set(watch->timer, wice__now_ms() + COALESCE_MS);
}

static void report_lost(WiceWgWatch *watch)
{
	watch->lost = true;
	g_hash_table_remove_all(watch->pending);
	schedule(watch);
}

static void report(WiceWgWatch *watch, const char *name)
{
	if (watch->lost)
		return;
	if (g_hash_table_size(watch->pending) >= PENDING_MAX) {
		report_lost(watch);
		return;
	}
	g_hash_table_add(watch->pending, g_strdup(name));
	schedule(watch);
}

/* The callback may free the watch, so everything that is still needed is held here. */
static void hand_out(void *user_data)
{
	WiceWgWatch *watch = user_data;
	bool freed = false, lost = watch->lost;
	GHashTable *names = watch->pending;
	watch->pending = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	watch->lost = false;
	watch->timer_runs = false;
	watch->freed = &freed;

	if (lost)
		watch->changed(NULL, watch->user_data);
	GHashTableIter iter;
	gpointer name;
	g_hash_table_iter_init(&iter, names);
	while (!freed && g_hash_table_iter_next(&iter, &name, NULL))
		watch->changed(name, watch->user_data);
	g_hash_table_unref(names);
	if (!freed)
		watch->freed = NULL;
}

static bool has_socket(const WiceWgWatch *watch, const char *name)
{
	g_autofree char *path = g_strdup_printf("%s/%s.sock", watch->folder, name);
	return access(path, F_OK) == 0;
}

/* Forgets all links and learns the present ones. */
static void learn_names(WiceWgWatch *watch)
{
	struct if_nameindex *links = if_nameindex();
	g_hash_table_remove_all(watch->names);
	for (size_t i = 0; links && links[i].if_index; i++)
		g_hash_table_insert(watch->names, GUINT_TO_POINTER(links[i].if_index),
				    g_strdup(links[i].if_name));
	if (links)
		if_freenameindex(links);
}

static void handle_link(WiceWgWatch *watch, const WiceNetlinkLink *link, bool deleted)
{
	bool ours = strcmp(link->kind, "wireguard") == 0 || has_socket(watch, link->name) ||
		    (deleted && strcmp(link->kind, "tun") == 0);
	const char *old = g_hash_table_lookup(watch->names, GUINT_TO_POINTER(link->ifindex));
	if (old && strcmp(old, link->name) != 0 && (ours || has_socket(watch, old)))
		report(watch, old);
	if (ours)
		report(watch, link->name);
	if (deleted)
		g_hash_table_remove(watch->names, GUINT_TO_POINTER(link->ifindex));
	else if (!old || strcmp(old, link->name) != 0)
		g_hash_table_insert(watch->names, GUINT_TO_POINTER(link->ifindex),
				    g_strdup(link->name));
}

static void handle_links(WiceWgWatch *watch, void *datagram, size_t len)
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
			handle_link(watch, &link, deleted);
	}
}

static void links_ready(int fd, GIOCondition condition, void *user_data)
{
	WiceWgWatch *watch = user_data;
	g_autofree void *buffer = g_malloc(LINK_BUFFER);
	/* A few at a time: a storm of links must not starve the rest of the program. */
	for (int i = 0; i < 64; i++) {
		struct sockaddr_nl sender = { 0 };
		struct iovec part = { .iov_base = buffer, .iov_len = LINK_BUFFER };
		struct msghdr message = { .msg_name = &sender,
					  .msg_namelen = sizeof sender,
					  .msg_iov = &part,
					  .msg_iovlen = 1 };
		ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != ENOBUFS)
			return;
		if (n < 0 || (message.msg_flags & MSG_TRUNC)) {
			learn_names(watch);
			report_lost(watch);
		} else if (sender.nl_pid == 0) {
			handle_links(watch, buffer, (size_t)n);
		}
	}
}

static int start_links(WiceWgWatch *watch, GMainContext *context)
{
	watch->socket = nl_socket_alloc();
	if (!watch->socket)
		return -ENOMEM;
	nl_socket_disable_seq_check(watch->socket);
	int r = nl_connect(watch->socket, NETLINK_ROUTE);
	if (r == 0)
		r = nl_socket_set_buffer_size(watch->socket, LINK_SOCKET_BUFFER, 0);
	if (r == 0)
		r = nl_socket_add_membership(watch->socket, RTNLGRP_LINK);
	if (r < 0)
		return wice__netlink_errno(r);
	watch->link_watch = wice__fd_watch_new(context, nl_socket_get_fd(watch->socket), G_IO_IN,
					       links_ready, watch);
	learn_names(watch);
	return 0;
}

static void report_sockets(WiceWgWatch *watch)
{
	DIR *folder = opendir(watch->folder);
	const struct dirent *entry;
	char name[16];
	while (folder && (entry = readdir(folder))) {
		if (wice__uapi_socket_interface(entry->d_name, name))
			report(watch, name);
	}
	if (folder)
		closedir(folder);
}

/*
 * The parent is watched first and for good, so that no creation of the folder is missed. Watching
 * what is watched already changes nothing. That neither of them exists is no error.
 */
static void aim(WiceWgWatch *watch)
{
	watch->parent_id = inotify_add_watch(watch->inotify, watch->parent,
					     IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
	watch->folder_id = inotify_add_watch(watch->inotify, watch->folder,
					     IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM |
						     IN_MOVE_SELF | IN_ONLYDIR);
}

static void handle_folder(WiceWgWatch *watch, const struct inotify_event *event)
{
	char name[16];
	if (event->mask & IN_IGNORED) {
		watch->folder_id = -1;
	} else if (event->mask & IN_MOVE_SELF) {
		inotify_rm_watch(watch->inotify, watch->folder_id);
		aim(watch);
		report_lost(watch);
	} else if (event->len && wice__uapi_socket_interface(event->name, name)) {
		report(watch, name);
	}
}

static void handle_file_event(WiceWgWatch *watch, const struct inotify_event *event)
{
	g_autofree char *folder_name = g_path_get_basename(watch->folder);
	if (event->mask & IN_Q_OVERFLOW) {
		aim(watch);
		report_lost(watch);
	} else if (event->wd == watch->folder_id) {
		handle_folder(watch, event);
	} else if (event->wd == watch->parent_id && event->len &&
		   strcmp(event->name, folder_name) == 0) {
		aim(watch);
		report_sockets(watch);
	}
}

static void folder_ready(int fd, GIOCondition condition, void *user_data)
{
	WiceWgWatch *watch = user_data;
	_Alignas(struct inotify_event) char buffer[8192];
	ssize_t n = read(fd, buffer, sizeof buffer);
	for (char *at = buffer; n > 0 && at < buffer + n;) {
		const struct inotify_event *event = (struct inotify_event *)(void *)at;
		handle_file_event(watch, event);
		at += sizeof *event + event->len;
	}
}

static int start_sockets(WiceWgWatch *watch, GMainContext *context)
{
	watch->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch->inotify < 0)
		return -errno;
	watch->folder_watch =
		wice__fd_watch_new(context, watch->inotify, G_IO_IN, folder_ready, watch);
	aim(watch);
	return 0;
}

static void dispose(WiceWgWatch *watch)
{
	wice__fd_watch_free(watch->link_watch);
	wice__fd_watch_free(watch->folder_watch);
	wice__timer_free(watch->timer);
	nl_socket_free(watch->socket);
	if (watch->inotify >= 0)
		close(watch->inotify);
	g_hash_table_unref(watch->pending);
	g_hash_table_unref(watch->names);
	g_free(watch->folder);
	g_free(watch->parent);
	g_free(watch);
}

void wice_wg_watch_free(WiceWgWatch *watch)
{
	if (!watch)
		return;
	GDestroyNotify destroy = watch->destroy;
	void *user_data = watch->user_data;
	if (watch->freed)
		*watch->freed = true;
	dispose(watch);
	if (destroy)
		destroy(user_data);
}

WiceWgWatch *wice__wg_watch_new_in(const char *folder, GMainContext *context, WiceWgChanged changed,
				   void *user_data, GDestroyNotify destroy, GError **error)
{
	WiceWgWatch *watch = g_new0(WiceWgWatch, 1);
	watch->changed = changed;
	watch->user_data = user_data;
	watch->destroy = destroy;
	watch->folder = g_strdup(folder);
	watch->parent = g_path_get_dirname(folder);
	watch->inotify = -1;
	watch->pending = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	watch->names = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	watch->timer = wice__timer_new(context, hand_out, watch);

	int r = start_links(watch, context);
	if (r == 0)
		r = start_sockets(watch, context);
	if (r == 0)
		return watch;
	g_set_error(error, WICE_ERROR, WICE_ERROR_IO,
		    "Cannot watch for WireGuard interfaces: the system refused a netlink socket or "
		    "inotify (%s); raise the limits of open files or inotify instances.",
		    g_strerror(-r));
	dispose(watch);
	return NULL;
}

WiceWgWatch *wice_wg_watch_new(GMainContext *context, WiceWgChanged changed, void *user_data,
			       GDestroyNotify destroy, GError **error)
{
	return wice__wg_watch_new_in(WICE_UAPI_FOLDER, context, changed, user_data, destroy, error);
}
