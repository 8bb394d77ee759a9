/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/claim.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <wice/error.h>

/* Nobody accepts: who asks whose claim it is stays in the queue, and a full one is no answer. */
#define BACKLOG 4096

struct WiceClaim {
	int fd;
};

static socklen_t address_of(const char *interface, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	int len = g_snprintf(ret->sun_path + 1, sizeof ret->sun_path - 1, "wice/interface/%s",
			     interface);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
}

/*
 * The kernel tells who listens: it took the credentials at listen(). Anybody on this host may bind
 * the name, but only root or our own user could look after the interface; nobody else keeps us off.
 */
static bool is_held(const struct sockaddr_un *address, socklen_t len, pid_t *ret_holder)
{
	struct ucred holder = { 0 };
	socklen_t size = sizeof holder;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	bool held = connect(fd, (const struct sockaddr *)address, len) == 0 &&
		    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &holder, &size) == 0 &&
		    (holder.uid == 0 || holder.uid == geteuid());
	close(fd);
	*ret_holder = holder.pid;
	return held;
}

static void set_busy(GError **error, const char *interface, pid_t holder)
{
	g_set_error(error, WICE_ERROR, WICE_ERROR_BUSY,
		    "The interface %s is taken care of by the process with pid %d already. Stop "
		    "that one, or have it let go of the interface with `wice delete %s`.",
		    interface, (int)holder, interface);
}

gboolean wice__claim_new(const char *interface, WiceClaim **ret_claim, GError **error)
{
	struct sockaddr_un address;
	socklen_t len = address_of(interface, &address);
	*ret_claim = NULL;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return TRUE;
	if (bind(fd, (struct sockaddr *)&address, len) < 0 || listen(fd, BACKLOG) < 0) {
		pid_t holder;
		close(fd);
		bool held = is_held(&address, len, &holder);
		if (held)
			set_busy(error, interface, holder);
		return !held;
	}
	WiceClaim *claim = g_new0(WiceClaim, 1);
	claim->fd = fd;
	*ret_claim = claim;
	return TRUE;
}

void wice__claim_free(WiceClaim *claim)
{
	if (!claim)
		return;
	close(claim->fd);
	g_free(claim);
}
