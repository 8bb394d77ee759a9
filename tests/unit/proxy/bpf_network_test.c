/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Real sockets on real devices, in network namespaces of their own. */
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "bpf_world.h"
#include "tun_wire.h"

static bool set_offload(const char *device, uint32_t command, uint32_t value)
{
	struct ethtool_value request = { command, value };
	struct ifreq name = { .ifr_data = (void *)&request };
	g_strlcpy(name.ifr_name, device, sizeof name.ifr_name);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	bool ok = ioctl(fd, SIOCETHTOOL, &name) == 0;
	close(fd);
	return ok;
}

#define LOOPBACK 1 /* the uplink that is always there */

static void talk_on_both(BpfWorld *world)
{
	bpf_world_talk(world, BPF_NEAR4, BPF_FAR4);
	bpf_world_talk(world, BPF_NEAR6, BPF_FAR6);
}

START_TEST(sockets_share_a_port_over_loopback)
{
	BpfWorld world;
	if (!bpf_world_open(&world, _i))
		return;
	bpf_world_talk(&world, "127.0.0.1", "127.0.0.1");
	bpf_world_talk(&world, "::1", "::1");
	bpf_world_close(&world);
}
END_TEST

START_TEST(two_capabilities_are_all_that_it_takes)
{
	static const int capabilities[] = { CAP_BPF, CAP_NET_ADMIN };
	BpfWorld world;
	if (!bpf_world_open(&world, _i))
		return;
	wice__bpf_mux_free(world.mux);
	bpf_keep_capabilities(capabilities, G_N_ELEMENTS(capabilities));
	world.mux = bpf_open_mux(world.context, (WiceBpfAttach)_i);
	ck_assert_ptr_nonnull(world.mux);
	bpf_world_talk(&world, "127.0.0.1", "127.0.0.1");
	bpf_world_talk(&world, "::1", "::1");
	bpf_world_close(&world);
}
END_TEST

START_TEST(who_lacks_one_is_told_so)
{
	static const int capabilities[] = { CAP_BPF, CAP_NET_ADMIN };
	const WiceBpfMuxOptions options = { .size = sizeof options, .attach = (WiceBpfAttach)_i };
	for (int which = 0; which < 2; which++) {
		int namespace;
		GError *error = NULL;
		if (!bpf_new_namespace(&namespace))
			return;
		pid_t child = fork();
		if (child == 0) {
			bpf_keep_capabilities(&capabilities[which], 1);
			ck_assert_ptr_null(wice__bpf_mux_new(NULL, &options, &error));
			ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_PERMISSION));
			ck_assert_ptr_nonnull(strstr(error->message, "CAP_NET_ADMIN"));
			g_error_free(error);
			_exit(0);
		}
		int status;
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert_int_eq(status, 0);
		close(namespace);
	}
}
END_TEST

/* Checksums that only the device, or the other end, is to compute; and such as are there. */
START_TEST(over_a_wire_with_and_without_checksum_offload)
{
	BpfWorld world;
	if (!bpf_world_open(&world, _i) || !bpf_world_add_wire(&world))
		return;
	bpf_set_addresses(&world, "wire");
	BPF_UNTIL(&world, wice__bpf_mux_n_uplinks(world.mux) == LOOPBACK + 1);
	talk_on_both(&world);
	for (int i = 0; i < 2; i++) {
		bpf_enter(i == 0 ? world.far : world.near);
		ck_assert(set_offload("wire", ETHTOOL_STXCSUM, 0));
	}
	talk_on_both(&world);
	bpf_world_close(&world);
}
END_TEST

/* The device below has the programs too, once it has an address. */
START_TEST(over_a_vlan)
{
	BpfWorld world;
	if (!bpf_world_open(&world, _i) || !bpf_world_add_wire(&world))
		return;
	for (int i = 0; i < 2; i++) {
		bpf_enter(i == 0 ? world.far : world.near);
		if (!bpf_run("ip link add link wire name tagged type vlan id 7")) {
			puts("skipped: this kernel has no VLANs");
			return;
		}
	}
	bpf_set_addresses(&world, "tagged");
	ck_assert(bpf_run("ip addr add 10.89.0.1/24 dev wire"));
	BPF_UNTIL(&world, wice__bpf_mux_n_uplinks(world.mux) == LOOPBACK + 2);
	talk_on_both(&world);
	bpf_world_close(&world);
}
END_TEST

/* An Ethernet frame with a VLAN tag from the other end, whatever its kernel can do. */
static void send_tagged(const BpfWorld *world, uint16_t vid, const uint8_t *payload, size_t len)
{
	uint8_t
		frame[18 + 28 + 64] = {
			2,    0,  0, 0, 0,  1,  2, 0, 0,  0,           0,    2,
			0x81, 0,  0, 0, 8,  0, /* Ethernet */
			0x45, 0,  0, 0, 0,  0,  0, 0, 64, IPPROTO_UDP, 0,    0,
			10,   88, 0, 2, 10, 88, 0, 1, 0,  9,           0xca, 0x6c, /* port 51820 */
		};
	uint32_t sum = 0;
	frame[15] = (uint8_t)vid;
	frame[21] = (uint8_t)(28 + len);
	frame[43] = (uint8_t)(8 + len);
	memcpy(frame + 46, payload, len);
	for (int i = 18; i < 38; i += 2)
		sum += (uint32_t)(frame[i] << 8 | frame[i + 1]);
	sum = ~((sum & 0xffff) + (sum >> 16));
	frame[28] = (uint8_t)(sum >> 8);
	frame[29] = (uint8_t)sum;
	bpf_enter(world->far);
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_ifindex = (int)if_nametoindex("wire") };
	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	ck_assert_int_eq(sendto(fd, frame, 46 + len, 0, (struct sockaddr *)&to, sizeof to),
			 (ssize_t)(46 + len));
	close(fd);
	bpf_enter(world->near);
}

/* Number 0 is no VLAN, but a priority. */
START_TEST(packets_of_a_vlan_are_none_of_the_device_below)
{
	const WiceEndpoint source = { .address = { WICE_FAMILY_IPV4, { 10, 88, 0, 2 } },
				      .port = 9 };
	uint8_t stun[64];
	BpfWorld world;
	WiceEndpoint agent_at;
	WiceBpfMuxCounters counters;
	if (!bpf_world_open(&world, _i) || !bpf_world_add_wire(&world))
		return;
	bpf_set_addresses(&world, "wire");
	ck_assert(bpf_run("ip link set wire address 02:00:00:00:00:01"));
	BPF_UNTIL(&world, wice__bpf_mux_n_uplinks(world.mux) == LOOPBACK + 1);
	int agent = bpf_socket(BPF_NEAR4, &agent_at);
	ck_assert_int_eq(wice__bpf_mux_add(world.mux, 51820, &agent_at, BPF_UFRAG), 0);
	size_t len = bpf_stun(stun, 0x0001, 7, BPF_UFRAG ":peers");
	send_tagged(&world, 7, stun, len);
	len = bpf_stun(stun, 0x0001, 0, BPF_UFRAG ":peers");
	send_tagged(&world, 0, stun, len);
	bpf_expect(agent, stun, len, &source);
	wice__bpf_mux_counters(world.mux, &counters);
	ck_assert_uint_eq(counters.requests, 1);
	close(agent);
	bpf_world_close(&world);
}
END_TEST

START_TEST(over_a_device_without_ethernet_header)
{
	BpfWorld world;
	int fds[2];
	if (!bpf_world_open(&world, _i) || !bpf_new_namespace(&world.far))
		return;
	fds[1] = tun_open();
	bpf_enter(world.near);
	fds[0] = tun_open();
	if (fds[0] < 0 || fds[1] < 0) {
		puts("skipped: this kernel has no tun");
		return;
	}
	bpf_set_addresses(&world, "tun");
	pid_t carrier = tun_carry(fds);
	BPF_UNTIL(&world, wice__bpf_mux_n_uplinks(world.mux) == LOOPBACK + 1);
	talk_on_both(&world);
	tun_cut(carrier);
	bpf_world_close(&world);
}
END_TEST

/*
 * A socket on all addresses is on WireGuard's port. A packet from the same port of a third host,
 * which this one only forwards, keeps its own.
 */
START_TEST(what_is_forwarded_is_not_moved)
{
	static const uint8_t packet[20] = { 0, 1 };
	const WiceEndpoint far = { .address = { WICE_FAMILY_IPV4, { 10, 88, 0, 2 } },
				   .port = 7777 };
	BpfWorld world;
	WiceEndpoint asker, third_at, far_at;
	int third;
	if (!bpf_world_open(&world, _i) || !bpf_world_add_wire(&world))
		return;
	bpf_set_addresses(&world, "wire");
	ck_assert(bpf_new_namespace(&third));
	bpf_enter(world.near);
	ck_assert(bpf_run("ip link add third type veth peer name wire netns /proc/%d/fd/%d",
			  (int)getpid(), third));
	ck_assert(bpf_run("ip addr add 10.90.0.1/24 dev third && ip link set third up && "
			  "echo 1 > /proc/sys/net/ipv4/ip_forward"));
	bpf_enter(third);
	ck_assert(bpf_run("ip addr add 10.90.0.2/24 dev wire && ip link set wire up && "
			  "ip route add default via 10.90.0.1"));
	bpf_enter(world.far);
	ck_assert(bpf_run("ip route add default via " BPF_NEAR4));
	int far_fd = bpf_bound_socket(&far, &far_at);
	bpf_enter(world.near);
	BPF_UNTIL(&world, wice__bpf_mux_n_uplinks(world.mux) == LOOPBACK + 2);

	int fd = bpf_socket("0.0.0.0", &asker);
	ck_assert_int_eq(wice__bpf_mux_add(world.mux, 51820, &asker, NULL), 0);
	bpf_send(fd, &far_at, packet, sizeof packet);
	WiceEndpoint wire = { .address = { WICE_FAMILY_IPV4, { 10, 88, 0, 1 } }, .port = 51820 };
	bpf_expect(far_fd, packet, sizeof packet, &wire);
	bpf_enter(third);
	WiceEndpoint bound = { .address = { WICE_FAMILY_IPV4, { 10, 90, 0, 2 } },
			       .port = asker.port };
	int third_fd = bpf_bound_socket(&bound, &third_at);
	bpf_send(third_fd, &far_at, packet, sizeof packet);
	bpf_expect(far_fd, packet, sizeof packet, &third_at);
	bpf_enter(world.near);
	bpf_world_close(&world);
}
END_TEST

/* It sends through a device of this host from its own address, and happens to have our port. */
START_TEST(a_container_on_an_uplink_keeps_its_port)
{
	static const uint8_t packet[20] = { 0, 1 };
	BpfWorld world;
	int container;
	WiceEndpoint asker, inside_at, far_at;
	if (!bpf_world_open(&world, _i) || !bpf_world_add_wire(&world))
		return;
	bpf_set_addresses(&world, "wire");
	BPF_UNTIL(&world, wice__bpf_mux_n_uplinks(world.mux) == LOOPBACK + 1);
	int far_fd = bpf_far_socket(&world, BPF_FAR4, &far_at);
	int fd = bpf_socket("0.0.0.0", &asker);
	ck_assert_int_eq(wice__bpf_mux_add_asker(world.mux, 51820, &asker, fd), 0);

	ck_assert(bpf_new_namespace(&container));
	bpf_enter(world.near);
	if (!bpf_run("ip link add link wire name inside type macvlan mode bridge") ||
	    !bpf_run("ip link set inside netns /proc/%d/fd/%d", (int)getpid(), container)) {
		puts("skipped: this kernel has no macvlan");
		return;
	}
	bpf_enter(container);
	ck_assert(bpf_run("ip addr add 10.88.0.3/24 dev inside && ip link set inside up"));
	WiceEndpoint bound = { .address = { WICE_FAMILY_IPV4, { 10, 88, 0, 3 } },
			       .port = asker.port };
	int inside_fd = bpf_bound_socket(&bound, &inside_at);
	bpf_send(inside_fd, &far_at, packet, sizeof packet);
	bpf_expect(far_fd, packet, sizeof packet, &inside_at);

	bpf_enter(world.near);
	WiceEndpoint wire = { .address = { WICE_FAMILY_IPV4, { 10, 88, 0, 1 } }, .port = 51820 };
	bpf_send(fd, &far_at, packet, sizeof packet);
	bpf_expect(far_fd, packet, sizeof packet, &wire);
	close(fd);
	close(far_fd);
	close(inside_fd);
	close(container);
	bpf_world_close(&world);
}
END_TEST

BPF_SUITE_MAIN("bpf network", sockets_share_a_port_over_loopback,
	       two_capabilities_are_all_that_it_takes, who_lacks_one_is_told_so,
	       over_a_wire_with_and_without_checksum_offload, over_a_vlan,
	       packets_of_a_vlan_are_none_of_the_device_below,
	       over_a_device_without_ethernet_header, what_is_forwarded_is_not_moved,
	       a_container_on_an_uplink_keeps_its_port)
