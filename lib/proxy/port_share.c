/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One UDP port, two sockets.
 *
 *                       UDP packet to ADDR:PORT
 *                                 |
 *                       reuseport group + filter
 *               0 /                                \ 1
 *     ICE agent's socket                       our socket
 *     STUN of ICE, all the rest                01|02|03|04 00 00 00   WireGuard
 *                                              STUN with our tag      probes
 *
 * The NAT mapping and the firewall hole that ICE has made belong to ICE's port, so WireGuard's
 * packets have to leave from it and arrive at it. Were they to pass through the ICE agent, each
 * would cost a lock, two copies and a system call of its own. So we join the agent's port instead,
 * which the kernel permits to a socket of the same user once both have SO_REUSEPORT, even when the
 * first got it after its bind(). A classic BPF program then picks the socket for each packet by its
 * contents. None of this needs a privilege.
 *
 * What the kernel does (net/core/sock_reuseport.c), and we rely on:
 * - The group is made when the second socket binds: the first gets index 0, ours index 1. The
 *   program can be attached only then. For the microseconds in between, packets are spread by their
 *   hash over both sockets. Nobody knows the port that early. What reaches us by mistake is dropped
 *   as any stray packet is.
 * - A load beyond the end of a packet ends the program with 0, so short packets are the agent's.
 * - An index without a socket falls back to the hash. When either socket is closed, the other moves
 *   to or stays at index 0, 1 is no longer valid, and the survivor gets everything.
 * - Attaching through the agent's descriptor fails unless it really is in a group: that is our
 *   proof that both sockets are in the same one.
 * - Generic receive offload looks for the socket before there is one packet to run the program on,
 *   and decides by the hash alone. See "Receive offload" in user_io.c for what follows from that.
 */
#include "proxy/port_share.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stun/probe.h"

static int attach_program(int fd)
{
	enum { OURS = 9 };
	struct sock_filter code[] = {
		[0] = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		/* WireGuard's four message types: a little-endian word. */
		[1] = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x01000000, OURS - 2, 0),
		[2] = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x02000000, OURS - 3, 0),
		[3] = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x03000000, OURS - 4, 0),
		[4] = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x04000000, OURS - 5, 0),
		/*
		 * RFC 8489 section 5: the first two bits of STUN are zero. Bytes 8 to 11 begin the
		 * transaction id.
		 */
		[5] = BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0xc0000000, 2, 0),
		[6] = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 8),
		[7] = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, WICE_STUN_PROBE_TAG, OURS - 8, 0),
		[8] = BPF_STMT(BPF_RET | BPF_K, 0),
		[OURS] = BPF_STMT(BPF_RET | BPF_K, 1),
	};
	struct sock_fprog program = { sizeof code / sizeof code[0], code };
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program) < 0
		       ? -errno
		       : 0;
}

static int copy_option(int from, int to, int level, int option)
{
	int value;
	socklen_t len = sizeof value;
	if (getsockopt(from, level, option, &value, &len) < 0 ||
	    setsockopt(to, level, option, &value, sizeof value) < 0)
		return -errno;
	return 0;
}

/*
 * The kernel lets sockets into one group only if V6ONLY is equal. UNICAST_IF is what libnice sets
 * so that packets leave through the interface of the address: ours must take the way that ICE has
 * checked.
 */
static int copy_options(int from, int to, int family)
{
	if (family == AF_INET)
		return copy_option(from, to, IPPROTO_IP, IP_UNICAST_IF);
	int r = copy_option(from, to, IPPROTO_IPV6, IPV6_V6ONLY);
	return r < 0 ? r : copy_option(from, to, IPPROTO_IPV6, IPV6_UNICAST_IF);
}

static int set_reuseport(int fd, int value)
{
	return setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &value, sizeof value) < 0 ? -errno : 0;
}

/* See "Receive offload" in user_io.c. */
static void lower_ttl(int fd, int family)
{
	int level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
	int option = family == AF_INET ? IP_TTL : IPV6_UNICAST_HOPS;
	int ttl;
	socklen_t len = sizeof ttl;
	if (getsockopt(fd, level, option, &ttl, &len) == 0 && ttl > 1) {
		ttl--;
		setsockopt(fd, level, option, &ttl, sizeof ttl);
	}
}

static int join(int ice, int ours, const struct sockaddr *address, socklen_t len)
{
	int r = copy_options(ice, ours, address->sa_family);
	if (r == 0)
		r = set_reuseport(ours, 1);
	if (r == 0)
		r = set_reuseport(ice, 1);
	if (r < 0)
		return r;
	r = bind(ours, address, len) < 0 ? -errno : attach_program(ice);
	if (r < 0)
		set_reuseport(ice, 0);
	return r;
}

int wice__port_share_open(int fd, uint32_t fwmark, int *ret_fd)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof address;
	if (getsockname(fd, (struct sockaddr *)&address, &len) < 0)
		return -errno;
	if (address.ss_family != AF_INET && address.ss_family != AF_INET6)
		return -ENOTSUP;
	int ours = socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (ours < 0)
		return -errno;
	int r = 0;
	if (fwmark && setsockopt(ours, SOL_SOCKET, SO_MARK, &fwmark, sizeof fwmark) < 0)
		r = -errno;
	else if (join(fd, ours, (const struct sockaddr *)&address, len) < 0)
		r = -ENOTSUP;
	if (r < 0) {
		close(ours);
		return r;
	}
	lower_ttl(ours, address.ss_family);
	*ret_fd = ours;
	return 0;
}
