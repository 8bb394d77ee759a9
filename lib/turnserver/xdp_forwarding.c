/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "turnserver/xdp_forwarding.h"

#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

static const char *const switches[] = {
	"/proc/sys/net/ipv4/conf/lo/forwarding",
	"/proc/sys/net/ipv6/conf/lo/forwarding",
};

static bool is_on(const char *path)
{
	char value = '0';
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool known = read(fd, &value, 1) == 1;
	close(fd);
	return known && value != '0';
}

static bool set(const char *path, char value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool done = write(fd, &value, 1) == 1;
	close(fd);
	return done;
}

void wice__xdp_forwarding_enable(WiceXdpForwarding *forwarding)
{
	for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++) {
		forwarding->on[i] = is_on(switches[i]);
		if (forwarding->on[i] || !set(switches[i], '1'))
			continue;
		forwarding->on[i] = true;
		forwarding->changed[i] = true;
	}
}

void wice__xdp_forwarding_restore(WiceXdpForwarding *forwarding)
{
	for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++)
		if (forwarding->changed[i])
			set(switches[i], '0');
	*forwarding = (WiceXdpForwarding){ 0 };
}
