/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/claim.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <wice/error.h>

/* Nobody accepts: each who asks whose claim it is stays in the queue, and a full one is no answer. */
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

/* The kernel tells who listens: it took the credentials at listen(). */
static pid_t holder_of(const struct sockaddr_un *address, socklen_t len)
{
	struct ucred credentials = { 0 };
	socklen_t size = sizeof credentials;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return 0;
	if (connect(fd, (const struct sockaddr *)address, len) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
		credentials.pid = 0;
	close(fd);
	return credentials.pid;
}

static void set_busy(GError **error, const char *interface, pid_t holder)
{
	g_autofree char *who = holder ? g_strdup_printf("the process with pid %d", (int)holder)
				      : g_strdup("another process");
	g_set_error(error, WICE_ERROR, WICE_ERROR_BUSY,
		    "The interface %s is taken care of by %s already. Stop that one, or have it "
		    "let go of the interface with `wice delete %s`.",
		    interface, who, interface);
}

gboolean wice__claim_new(const char *interface, WiceClaim **ret_claim, GError **error)
{
	struct sockaddr_un address;
	socklen_t len = address_of(interface, &address);
	*ret_claim = NULL;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return TRUE;
	bool bound = bind(fd, (struct sockaddr *)&address, len) == 0;
	bool busy = !bound && errno == EADDRINUSE;
	if (!bound || listen(fd, BACKLOG) < 0) {
		close(fd);
		if (busy)
			set_busy(error, interface, holder_of(&address, len));
		return !busy;
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
