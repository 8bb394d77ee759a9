/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_UNIT_PROXY_TUN_WIRE_H
#define WICE_TESTS_UNIT_PROXY_TUN_WIRE_H

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* The device "tun" of this network namespace, without Ethernet header. -1: this kernel has none. */
static inline int tun_open(void)
{
	struct ifreq request = { .ifr_name = "tun", .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd >= 0 && ioctl(fd, TUNSETIFF, &request) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* A process that carries packets between two such devices until tun_cut(). */
static inline pid_t tun_carry(const int fds[2])
{
	pid_t child = fork();
	if (child != 0)
		return child;
	for (;;) {
		struct pollfd polled[2] = { { fds[0], POLLIN, 0 }, { fds[1], POLLIN, 0 } };
		char packet[2048];
		poll(polled, 2, -1);
		for (int i = 0; i < 2; i++) {
			ssize_t n = polled[i].revents ? read(fds[i], packet, sizeof packet) : 0;
			if (n > 0 && write(fds[!i], packet, (size_t)n) < 0)
				_exit(1);
		}
	}
}

static inline void tun_cut(pid_t carrier)
{
	kill(carrier, SIGKILL);
	waitpid(carrier, NULL, 0);
}

#endif
