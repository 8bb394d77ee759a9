/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which way a device is used. A driver that takes a program does not thereby send what programs of
 * others give it: those frames are lost, and nobody is told. veth, for one, takes frames only while
 * its other end has a program (or GRO) of its own; others do so once they have got a program
 * themselves. Since Linux 6.3 the kernel says how it is, so it is asked after the program was
 * attached, and again from time to time. A device stays native only as long as it takes what others
 * send it, which is also what veth needs to send back.
 *
 * Older kernels do not say. There a device in native mode sends back what came in by it, which all
 * drivers but veth do, and is given nothing by others.
 *
 * Then there are drivers that leave so little room before a frame that no header can grow, which
 * only shows when it is tried: the program counts that, and the device gets the generic mode.
 *
 * XDP has one program per device. Where somebody else's is, it stays, and ours goes to TC, where
 * there is room for many. XDP programs are attached by links, of which the kernel takes care when
 * the process ends, however that comes about.
 */
#include "turnserver/xdp_devices.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "event/uplinks.h"
#include "event/xdp_features.h"
#include "proxy/bpf/attach.h"
#include "turnserver/xdp_maps.h"

#define LOOPBACK_IFINDEX 1

typedef struct {
	WiceUplink uplink;
	WiceXdpMode mode; /* BEST: none takes */
	int link;         /* of XDP, else -1 */
	WiceBpfAttachment tc;
	bool is_taken;     /* another XDP program is there */
	bool never_native; /* has turned out not to work */
	int error;         /* why there is none */
} Device;

struct WiceXdpDevices {
	WiceXdpDevicesOptions options;
	GStrv names;
	WiceUplinkWatch *watch;
	GArray *devices; /* Device: Ethernet uplinks, in no order */
	WiceBpfAttacher attacher;
	bool has_attacher;
};

static bool is_wanted(const WiceXdpDevices *devices, const WiceUplink *uplink)
{
	return !devices->names ||
	       g_strv_contains((const char *const *)devices->names, uplink->name);
}

static bool is_veth(const char *name)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq request = { .ifr_data = (char *)&info };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	g_strlcpy(request.ifr_name, name, sizeof request.ifr_name);
	bool veth = ioctl(fd, SIOCETHTOOL, &request) == 0 && strcmp(info.driver, "veth") == 0;
	close(fd);
	return veth;
}

/* Returns whether frames that are sent in native mode by it arrive. */
static bool works_natively(const WiceUplink *uplink)
{
	const uint64_t needed =
		WICE_XDP_FEATURE_BASIC | WICE_XDP_FEATURE_REDIRECT | WICE_XDP_FEATURE_TAKES;
	uint64_t features;
	int r = wice__xdp_features(uplink->ifindex, &features);
	return r == 0 ? (features & needed) == needed : r == -EOPNOTSUPP && !is_veth(uplink->name);
}

static int attach_link(int program, const WiceUplink *uplink, uint32_t flags)
{
	const struct bpf_link_create_opts options = { .sz = sizeof options, .flags = flags };
	return bpf_link_create(program, (int)uplink->ifindex, BPF_XDP, &options);
}

static int attach_native(const WiceXdpDevices *devices, Device *device)
{
	if (device->never_native)
		return -EOPNOTSUPP;
	int link = attach_link(devices->options.programs[WICE_XDP_NATIVE], &device->uplink,
			       XDP_FLAGS_DRV_MODE);
	if (link < 0)
		return link;
	if (!works_natively(&device->uplink)) {
		close(link);
		device->never_native = true;
		return -EOPNOTSUPP;
	}
	device->link = link;
	return 0;
}

static int attach_generic(const WiceXdpDevices *devices, Device *device)
{
	int link = attach_link(devices->options.programs[WICE_XDP_GENERIC], &device->uplink,
			       XDP_FLAGS_SKB_MODE);
	if (link < 0)
		return link;
	device->link = link;
	return 0;
}

static int attach_tc(WiceXdpDevices *devices, Device *device)
{
	WiceBpfPrograms programs = { .ethernet = { devices->options.programs[WICE_XDP_TC], -1 },
				     .l3 = { -1, -1 } };
	if (!devices->has_attacher) {
		int r = wice__bpf_attacher_init(&devices->attacher, WICE_BPF_ATTACH_BEST,
						&programs);
		if (r < 0)
			return r;
		devices->has_attacher = true;
	}
	return wice__bpf_attach(&devices->attacher, &device->uplink, &device->tc);
}

static int attach_by(WiceXdpDevices *devices, Device *device, WiceXdpMode mode)
{
	if (mode == WICE_XDP_NATIVE)
		return attach_native(devices, device);
	return mode == WICE_XDP_GENERIC ? attach_generic(devices, device)
					: attach_tc(devices, device);
}

static void attach(WiceXdpDevices *devices, Device *device)
{
	WiceXdpMode only = devices->options.mode;
	device->is_taken = false;
	for (WiceXdpMode mode = WICE_XDP_NATIVE; mode <= WICE_XDP_TC; mode++) {
		if (only != WICE_XDP_BEST && mode != only)
			continue;
		device->error = attach_by(devices, device, mode);
		if (device->error == 0) {
			device->mode = mode;
			wice__log(WICE_LOG_DEBUG, device->uplink.name,
				  "Relayed packets take the fast path here");
			return;
		}
		if (device->error == -EBUSY || device->error == -EEXIST)
			device->is_taken = true;
	}
}

static void detach(WiceXdpDevices *devices, Device *device)
{
	if (device->mode == WICE_XDP_TC)
		wice__bpf_detach(&devices->attacher, &device->tc);
	else if (device->link >= 0)
		close(device->link);
	device->link = -1;
	device->mode = WICE_XDP_BEST;
}

/* False: somebody has taken the link from the device. */
static bool is_attached(const WiceXdpDevices *devices, const Device *device)
{
	struct bpf_link_info info = { 0 };
	uint32_t len = sizeof info;
	if (device->mode == WICE_XDP_TC)
		return wice__bpf_is_attached(&devices->attacher, &device->tc);
	return bpf_obj_get_info_by_fd(device->link, &info, &len) == 0 &&
	       info.xdp.ifindex == device->uplink.ifindex;
}

/* Sees to it that what was attached still is, and works. */
static void review(WiceXdpDevices *devices, Device *device)
{
	WiceXdpDevice counts = { 0 };
	if (device->mode == WICE_XDP_BEST)
		return;
	if (!is_attached(devices, device)) {
		wice__log(WICE_LOG_INFO, device->uplink.name,
			  "Somebody has removed wice's programs from this device; they are "
			  "attached again");
		detach(devices, device);
		return;
	}
	if (device->mode != WICE_XDP_NATIVE)
		return;
	bpf_map_lookup_elem(devices->options.map, &device->uplink.ifindex, &counts);
	if (counts.without_headroom == 0 && works_natively(&device->uplink))
		return;
	wice__log(WICE_LOG_INFO, device->uplink.name,
		  "This device's driver cannot relay packets in native mode; another is used");
	device->never_native = true;
	detach(devices, device);
}

static const WiceUplink *find_uplink(const WiceUplink *uplinks, size_t n, const Device *device)
{
	for (size_t i = 0; i < n; i++)
		if (uplinks[i].ifindex == device->uplink.ifindex && uplinks[i].ethernet)
			return &uplinks[i];
	return NULL;
}

static Device *find_device(const WiceXdpDevices *devices, unsigned ifindex)
{
	for (guint i = 0; i < devices->devices->len; i++) {
		Device *device = &g_array_index(devices->devices, Device, i);
		if (device->uplink.ifindex == ifindex)
			return device;
	}
	return NULL;
}

static void drop_device(WiceXdpDevices *devices, guint i)
{
	Device *device = &g_array_index(devices->devices, Device, i);
	detach(devices, device);
	bpf_map_delete_elem(devices->options.map, &device->uplink.ifindex);
	g_array_remove_index_fast(devices->devices, i);
}

/* What may leave by it, of which another device's turn to native can make more. */
static void set_ways(const WiceXdpDevices *devices, const Device *device)
{
	WiceXdpDevice entry = { 0 };
	uint64_t features = 0;
	uint32_t ways = WICE_XDP_WAY_FRAMES;
	if (wice__xdp_features(device->uplink.ifindex, &features) == 0 &&
	    (features & WICE_XDP_FEATURE_TAKES))
		ways |= WICE_XDP_WAY_NATIVE;
	if (bpf_map_lookup_elem(devices->options.map, &device->uplink.ifindex, &entry) == 0 &&
	    entry.ways == ways)
		return;
	entry.ways = ways;
	bpf_map_update_elem(devices->options.map, &device->uplink.ifindex, &entry, BPF_ANY);
}

static void follow(WiceXdpDevices *devices, const WiceUplink *uplinks, size_t n)
{
	for (guint i = devices->devices->len; i-- > 0;)
		if (!find_uplink(uplinks, n, &g_array_index(devices->devices, Device, i)))
			drop_device(devices, i);
	for (size_t i = 0; i < n; i++) {
		const Device device = { .uplink = uplinks[i], .link = -1 };
		if (uplinks[i].ethernet && uplinks[i].ifindex != LOOPBACK_IFINDEX &&
		    !find_device(devices, uplinks[i].ifindex))
			g_array_append_val(devices->devices, device);
	}
}

/* -errno: the uplinks cannot be listed, or of those that are wanted none takes a program. */
static int update(WiceXdpDevices *devices)
{
	WiceUplink *uplinks;
	size_t n, attached = 0;
	int r = wice__uplinks_list(&uplinks, &n);
	if (r < 0)
		return r;
	follow(devices, uplinks, n);
	g_free(uplinks);
	for (guint i = 0; i < devices->devices->len; i++) {
		Device *device = &g_array_index(devices->devices, Device, i);
		if (!is_wanted(devices, &device->uplink))
			continue;
		review(devices, device);
		if (device->mode == WICE_XDP_BEST)
			attach(devices, device);
		attached += device->mode != WICE_XDP_BEST;
		r = r == 0 ? device->error : r;
	}
	for (guint i = 0; i < devices->devices->len; i++)
		set_ways(devices, &g_array_index(devices->devices, Device, i));
	return attached ? 0 : r;
}

static void on_changed(void *user_data)
{
	update(user_data);
}

int wice__xdp_devices_new(GMainContext *context, const WiceXdpDevicesOptions *options,
			  WiceXdpDevices **ret_devices)
{
	WiceXdpDevices *devices = g_new0(WiceXdpDevices, 1);
	devices->options = *options;
	devices->names = g_strdupv((char **)options->names);
	devices->devices = g_array_new(FALSE, FALSE, sizeof(Device));
	int r = wice__uplink_watch_new(context, on_changed, devices, &devices->watch);
	if (r == 0)
		r = update(devices);
	if (r < 0) {
		wice__xdp_devices_free(devices);
		return r;
	}
	*ret_devices = devices;
	return 0;
}

void wice__xdp_devices_free(WiceXdpDevices *devices)
{
	if (!devices)
		return;
	wice__uplink_watch_free(devices->watch);
	while (devices->devices->len > 0)
		drop_device(devices, devices->devices->len - 1);
	g_array_unref(devices->devices);
	if (devices->has_attacher)
		wice__bpf_attacher_done(&devices->attacher);
	g_strfreev(devices->names);
	g_free(devices);
}

void wice__xdp_devices_check(WiceXdpDevices *devices)
{
	update(devices);
}

static const char *name_of(WiceXdpMode mode)
{
	static const char *const names[] = { NULL, "native", "generic", "tc" };
	return names[mode];
}

const char *wice__xdp_devices_mode(const WiceXdpDevices *devices, unsigned ifindex)
{
	const Device *device = find_device(devices, ifindex);
	return device ? name_of(device->mode) : NULL;
}

void wice__xdp_devices_describe(const WiceXdpDevices *devices, GString *to)
{
	for (guint i = 0; i < devices->devices->len; i++) {
		const Device *device = &g_array_index(devices->devices, Device, i);
		if (!is_wanted(devices, &device->uplink))
			continue;
		g_string_append_printf(to, "%s%s (", to->len ? ", " : "", device->uplink.name);
		if (device->mode == WICE_XDP_BEST)
			g_string_append_printf(to, "not: %s)", g_strerror(-device->error));
		else
			g_string_append_printf(to, "%s%s)", name_of(device->mode),
					       device->is_taken ? ", another program has XDP" : "");
	}
}
