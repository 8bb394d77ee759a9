/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs on devices, in two ways.
 *
 * tcx (Linux 6.6): a link per program, which is a descriptor: it ends with the process. Ours go
 * before the others there, so that these see what is on the wire when we send and what sockets get
 * when we receive, as tcpdump and the firewall do. libbpf knows tcx since 1.3 only, the headers
 * since 6.6, so the call is made here.
 *
 * clsact: filters of a qdisc, which stay when the process dies. Each has the handle of its
 * process's slot (slot.h), and one priority is ours alone: that is what the next start knows them
 * by. Their names would say more, but need CAP_SYS_ADMIN. The qdisc itself stays in any case: it
 * may have got others' filters while we looked, which would go with it; an empty one does nothing.
 */
#include "proxy/bpf/attach.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proxy/bpf/print.h"
#include "proxy/bpf/slot.h"

/* Those of the kernel's headers since 6.6. */
#define TCX_INGRESS 46
#define TCX_EGRESS 47
#define TCX_FIRST (1U << 3) /* BPF_F_BEFORE, and nothing to be before of */

/* Low numbers come first. Others like to take 1, and then 2 for a second one. */
#define PRIORITY 7
#define HANDLE 0x77696300U /* "wic", and the slot */

static int program_of(const WiceBpfAttacher *attacher, const WiceUplink *uplink,
		      WiceBpfDirection direction)
{
	return uplink->ethernet ? attacher->programs.ethernet[direction]
				: attacher->programs.l3[direction];
}

/* Returns a descriptor. -EINVAL is what kernels say that do not know tcx. */
static int tcx_attach(int program, unsigned ifindex, WiceBpfDirection direction)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof attr);
	attr.link_create.prog_fd = (uint32_t)program;
	attr.link_create.target_ifindex = ifindex;
	attr.link_create.attach_type = direction == WICE_BPF_INGRESS ? TCX_INGRESS : TCX_EGRESS;
	attr.link_create.flags = TCX_FIRST;
	int fd = (int)syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof attr);
	return fd < 0 ? -errno : fd;
}

/* No device has that number. */
static bool has_tcx(int program)
{
	return tcx_attach(program, INT32_MAX, WICE_BPF_INGRESS) == -ENODEV;
}

/* The device is gone, or another program has taken the link's place, if it has number 0. */
static bool tcx_is_attached(int link, unsigned ifindex)
{
	struct bpf_link_info info = { 0 };
	uint32_t len = sizeof info;
	/* Where the headers of 6.6 have tcx.ifindex. */
	return bpf_obj_get_info_by_fd(link, &info, &len) == 0 && info.xdp.ifindex == ifindex;
}

static struct bpf_tc_hook hook_of(unsigned ifindex, WiceBpfDirection direction)
{
	return (struct bpf_tc_hook){
		.sz = sizeof(struct bpf_tc_hook),
		.ifindex = (int)ifindex,
		.attach_point = direction == WICE_BPF_INGRESS ? BPF_TC_INGRESS : BPF_TC_EGRESS,
	};
}

static struct bpf_tc_opts filter_of(unsigned slot)
{
	return (struct bpf_tc_opts){
		.sz = sizeof(struct bpf_tc_opts),
		.handle = HANDLE + slot,
		.priority = PRIORITY,
	};
}

static int clsact_attach(int program, unsigned ifindex, WiceBpfDirection direction, unsigned slot)
{
	struct bpf_tc_hook hook = hook_of(ifindex, direction);
	struct bpf_tc_opts filter = filter_of(slot);
	int r = bpf_tc_hook_create(&hook);
	if (r < 0 && r != -EEXIST)
		return r;
	filter.prog_fd = program;
	filter.flags = BPF_TC_F_REPLACE;
	return bpf_tc_attach(&hook, &filter);
}

static bool clsact_is_attached(int program, unsigned ifindex, WiceBpfDirection direction,
			       unsigned slot)
{
	struct bpf_tc_hook hook = hook_of(ifindex, direction);
	struct bpf_tc_opts filter = filter_of(slot);
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof info;
	return bpf_obj_get_info_by_fd(program, &info, &len) == 0 &&
	       bpf_tc_query(&hook, &filter) == 0 && filter.prog_id == info.id;
}

static int clsact_detach(unsigned ifindex, WiceBpfDirection direction, unsigned slot)
{
	struct bpf_tc_hook hook = hook_of(ifindex, direction);
	struct bpf_tc_opts filter = filter_of(slot);
	return bpf_tc_detach(&hook, &filter);
}

/* Devices with a clsact qdisc, as guint: others say -EINVAL, whatever is to be deleted. */
static GArray *list_devices(void)
{
	GArray *with_qdisc = g_array_new(FALSE, FALSE, sizeof(guint));
	struct if_nameindex *devices = if_nameindex();
	for (struct if_nameindex *device = devices; device && device->if_index; device++)
		if (clsact_detach(device->if_index, WICE_BPF_INGRESS, 0) != -EINVAL)
			g_array_append_val(with_qdisc, device->if_index);
	if (devices)
		if_freenameindex(devices);
	return with_qdisc;
}

static void clean_slot(const GArray *devices, unsigned slot)
{
	for (guint i = 0; i < devices->len; i++) {
		clsact_detach(g_array_index(devices, guint, i), WICE_BPF_INGRESS, slot);
		clsact_detach(g_array_index(devices, guint, i), WICE_BPF_EGRESS, slot);
	}
}

/* Each free slot is held while it is cleaned, so that nobody begins to use it. */
static int take_slot(WiceBpfAttacher *attacher)
{
	GArray *devices = list_devices();
	for (unsigned slot = 1; slot <= WICE_BPF_SLOTS; slot++) {
		int fd = wice__bpf_slot_hold(slot);
		if (fd < 0)
			continue;
		clean_slot(devices, slot);
		if (attacher->slot != 0) {
			close(fd);
			continue;
		}
		attacher->slot = slot;
		attacher->slot_fd = fd;
	}
	g_array_unref(devices);
	return attacher->slot ? 0 : -EUSERS;
}

int wice__bpf_attacher_init(WiceBpfAttacher *ret, WiceBpfAttach way,
			    const WiceBpfPrograms *programs)
{
	WiceBpfAttacher attacher = { .way = way, .programs = *programs, .slot_fd = -1 };
	if (way != WICE_BPF_ATTACH_CLSACT) {
		bool tcx = has_tcx(programs->ethernet[WICE_BPF_INGRESS]);
		if (!tcx && way == WICE_BPF_ATTACH_TCX)
			return -EOPNOTSUPP;
		attacher.way = tcx ? WICE_BPF_ATTACH_TCX : WICE_BPF_ATTACH_CLSACT;
	}
	if (attacher.way == WICE_BPF_ATTACH_CLSACT) {
		libbpf_print_fn_t print = wice__bpf_print_to_log();
		int r = take_slot(&attacher);
		libbpf_set_print(print);
		if (r < 0)
			return r;
	}
	*ret = attacher;
	return 0;
}

void wice__bpf_attacher_done(WiceBpfAttacher *attacher)
{
	if (attacher->slot)
		close(attacher->slot_fd);
}

static int attach_direction(const WiceBpfAttacher *attacher, WiceBpfAttachment *attachment,
			    WiceBpfDirection direction)
{
	const WiceUplink *uplink = &attachment->uplink;
	int program = program_of(attacher, uplink, direction);
	if (program < 0)
		return 0;
	if (attacher->way == WICE_BPF_ATTACH_CLSACT)
		return clsact_attach(program, uplink->ifindex, direction, attacher->slot);
	int fd = tcx_attach(program, uplink->ifindex, direction);
	if (fd < 0)
		return fd;
	attachment->links[direction] = fd;
	return 0;
}

int wice__bpf_attach(const WiceBpfAttacher *attacher, const WiceUplink *uplink,
		     WiceBpfAttachment *ret)
{
	WiceBpfAttachment attachment = { .uplink = *uplink, .links = { -1, -1 } };
	libbpf_print_fn_t print = wice__bpf_print_to_log();
	/* This order, so that nothing is asked from a port that gets no answers yet. */
	int r = attach_direction(attacher, &attachment, WICE_BPF_INGRESS);
	if (r == 0)
		r = attach_direction(attacher, &attachment, WICE_BPF_EGRESS);
	libbpf_set_print(print);
	if (r < 0) {
		wice__bpf_detach(attacher, &attachment);
		return r;
	}
	*ret = attachment;
	return 0;
}

static bool is_attached(const WiceBpfAttacher *attacher, const WiceBpfAttachment *attachment,
			WiceBpfDirection direction)
{
	const WiceUplink *uplink = &attachment->uplink;
	int program = program_of(attacher, uplink, direction);
	if (program < 0)
		return true;
	if (attacher->way == WICE_BPF_ATTACH_TCX)
		return tcx_is_attached(attachment->links[direction], uplink->ifindex);
	return clsact_is_attached(program, uplink->ifindex, direction, attacher->slot);
}

bool wice__bpf_is_attached(const WiceBpfAttacher *attacher, const WiceBpfAttachment *attachment)
{
	libbpf_print_fn_t print = wice__bpf_print_to_log();
	bool attached = is_attached(attacher, attachment, WICE_BPF_INGRESS) &&
			is_attached(attacher, attachment, WICE_BPF_EGRESS);
	libbpf_set_print(print);
	return attached;
}

void wice__bpf_detach(const WiceBpfAttacher *attacher, WiceBpfAttachment *attachment)
{
	libbpf_print_fn_t print = wice__bpf_print_to_log();
	for (int i = 0; i < WICE_BPF_N_DIRECTIONS; i++) {
		if (program_of(attacher, &attachment->uplink, i) < 0)
			continue;
		if (attacher->way == WICE_BPF_ATTACH_CLSACT)
			clsact_detach(attachment->uplink.ifindex, i, attacher->slot);
		else if (attachment->links[i] >= 0)
			close(attachment->links[i]);
		attachment->links[i] = -1;
	}
	libbpf_set_print(print);
}
