/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_ENGINE_TUN_H
#define WICE_ENGINE_TUN_H

#include <stddef.h>
#include <stdint.h>
#include <wice/engine.h>

#include "engine/packet.h"

/*
 * The inner side of an engine: where plain IP packets come from and go to. A queue's read() and
 * write() are each called by one thread at a time. No hook blocks.
 */
typedef struct WiceTun WiceTun;

typedef struct {
	/* Becomes readable when read() of this queue has something; lives as long as the tun. */
	int (*poll_fd)(WiceTun *tun, unsigned queue);
	/*
	 * Reads one frame and appends its packets to the arena, each as write() wants them; they
	 * have the same addresses. 0, also when the frame was bad and dropped; -EAGAIN: there is
	 * none now; -ENOBUFS: the arena might not hold the next frame, empty it and read again
	 * before anything is waited for. Other errors are lasting (the interface is gone). A queue
	 * is read into the same arena all the time.
	 */
	int (*read)(WiceTun *tun, unsigned queue, WicePacketArena *arena);
	/*
	 * Writes n IP packets in order, each valid (wice__ip_header()) and exactly as long as its
	 * header says. Packets of a flow may be joined into one frame; the packets are
	 * not changed. What the system does not take is dropped and counted.
	 */
	void (*write)(WiceTun *tun, unsigned queue, const WicePacket *packets, size_t n);
	/* Any thread. */
	void (*counters)(WiceTun *tun, WiceTunCounters *ret_counters);
	void (*free)(WiceTun *tun);
} WiceTunOps;

struct WiceTun {
	const WiceTunOps *ops;
	unsigned n_queues;
};

typedef struct {
	const char *name;  /* of the interface, NULL or "%d" in it: the system completes it */
	unsigned n_queues; /* 0: 1 */
	uint32_t mtu;      /* of the interface; 0: as the system makes it */
	bool no_offload;   /* one packet per call */
} WiceTunOptions;

/*
 * Makes a TUN interface (persistent no longer than this object), with every offload that the system
 * has. ret_name: its name. -EEXIST or -EBUSY: the name is taken, -EPERM, -ENOENT: no /dev/net/tun.
 */
int wice__tun_open(const WiceTunOptions *options, char ret_name[16], WiceTun **ret_tun);

/*
 * On a TUN device that somebody else has opened, without packet information (IFF_NO_PI: it must be
 * so, the system does not tell). Offloads are used if IFF_VNET_HDR is on. If it succeeds, fd belongs
 * to it and does not block any more. ret_name: the interface's. -EINVAL, -ENOTTY: no such device.
 */
int wice__tun_adopt(int fd, bool no_offload, char ret_name[16], WiceTun **ret_tun);

/*
 * On callbacks: what is injected is read, what is written goes to func, on the thread that writes.
 * It has one queue. NULL, and errno: there are too many files.
 */
WiceTun *wice__tun_callback_new(WiceEngineOutputFunc func, void *user_data);
/*
 * A copy of the packet waits to be read. Any thread. -ENOBUFS: 1,024 wait. -EMSGSIZE: longer than
 * packets are, -EINVAL: no IP packet.
 */
int wice__tun_callback_inject(WiceTun *tun, const uint8_t *packet, size_t length);

#endif
