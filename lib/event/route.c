/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "event/route.h"

#include <errno.h>
#include <glib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "event/addresses.h"
#include "event/sockaddr.h"

/* Connecting a UDP socket sends nothing; the kernel looks for a route and its source address. */
static int source_to(const WiceEndpoint *remote, uint32_t fwmark, WiceAddress *ret_source)
{
	struct sockaddr_storage address;
	socklen_t len = wice__endpoint_to_sockaddr(remote, &address);
	if (len == 0)
		return -EAFNOSUPPORT;
	int fd = socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int err = 0;
	if (fwmark && setsockopt(fd, SOL_SOCKET, SO_MARK, &fwmark, sizeof fwmark) < 0)
		err = -errno;
	if (!err && connect(fd, (struct sockaddr *)&address, len) < 0)
		err = -errno;
	len = sizeof address;
	if (!err && getsockname(fd, (struct sockaddr *)&address, &len) < 0)
		err = -errno;
	close(fd);
	WiceEndpoint source;
	if (!err && !wice__endpoint_from_sockaddr((struct sockaddr *)&address, len, &source))
		err = -EAFNOSUPPORT;
	if (!err)
		*ret_source = source.address;
	return err;
}

/* Of the device with the address; 0 if there is none. */
static unsigned device_of(const WiceLocalAddress *all, size_t n, const WiceAddress *address)
{
	for (size_t i = 0; i < n; i++)
		if (wice_address_compare(&all[i].address, address) == 0)
			return all[i].ifindex;
	return 0;
}

bool wice__route_leaves_by(const WiceEndpoint *remote, const WiceAddress *local, uint32_t fwmark)
{
	WiceAddress source;
	if (source_to(remote, fwmark, &source) < 0 || wice_address_compare(&source, local) == 0)
		return true;
	g_autofree WiceLocalAddress *all = NULL;
	size_t n = 0;
	if (wice__addresses_list(&all, &n) < 0)
		return true;
	unsigned theirs = device_of(all, n, &source), ours = device_of(all, n, local);
	return theirs == ours || !ours;
}
