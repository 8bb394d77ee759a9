/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_ENGINE_TUN_LINK_H
#define WICE_ENGINE_TUN_LINK_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Follows the interface of a TUN device: whether it is up, its MTU, and its end. It may be moved to
 * another network namespace: then it is seen at once that it comes up, the rest within a second, but
 * the MTU only with the right to go there.
 */
typedef struct WiceTunLink WiceTunLink;

/* On the context it was made with. gone: nothing comes after it. */
typedef void (*WiceTunLinkFunc)(bool up, uint32_t mtu, bool gone, void *user_data);

/*
 * Begins to follow the interface of that name, whose device tun_fd is; the first call, with what it
 * is like now, comes from the main loop. tun_fd must live as long. -ENODEV: there is no such
 * interface; -errno: there is no netlink socket to be had.
 */
int wice__tun_link_new(GMainContext *context, const char *name, int tun_fd, WiceTunLinkFunc func,
		       void *user_data, WiceTunLink **ret_link);
/* NULL is fine. */
void wice__tun_link_free(WiceTunLink *link);

#endif
