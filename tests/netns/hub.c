/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The laboratory's Internet: an Ethernet switch with latency, for kernels without netem.
 *
 *   hub [--loss PERCENT] [--reorder PERCENT] [--seed N] INTERFACE[=DELAY_MS]...
 *
 * Every interface is a port. A frame that comes in on one port leaves on the port behind which its destination has been
 * seen (on all others if it has not), the delays of both ports later: hosts on ports of 10 ms each see a
 * round trip of 40 ms. Neighbour discovery (ARP, NDP) passes at once and is never lost, so that the first round trip
 * of a test measures what it wants to measure.
 *
 * PACKET_VNET_HDR carries the offload state of a frame through: packets between veth devices have
 * unfinished checksums and may be larger than the MTU (GSO), and both are left to the receiving kernel.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip6.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_PORTS 64
#define MAX_QUEUED 65536
#define MAX_STATIONS 1024 /* power of two */
#define FRAME_MAX (sizeof(struct virtio_net_hdr) + ETH_HLEN + 65535)
#define REORDER_NS 10000000 /* how much later than the others a reordered frame leaves */
#define BATCH 64            /* frames from one port before the others get their turn */

struct port {
	const char *name;
	int fd;
	int64_t delay_ns;
};

struct frame {
	int64_t due_ns;
	uint64_t number; /* keeps frames that are due at the same time in order */
	int to;
	size_t len;
	uint8_t bytes[]; /* struct virtio_net_hdr, then the Ethernet frame */
};

struct station {
	uint8_t address[ETH_ALEN];
	bool used;
	int port;
};

struct hub {
	struct port ports[MAX_PORTS];
	int n_ports;
	double loss, reorder;                /* probabilities */
	struct frame *queue[MAX_QUEUED + 1]; /* a binary heap from index 1 on */
	size_t n_queued;
	uint64_t n_frames;
	struct station stations[MAX_STATIONS];
};

static int64_t now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static bool before(const struct frame *a, const struct frame *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->number < b->number;
}

static void queue_push(struct hub *hub, struct frame *frame)
{
	size_t at = ++hub->n_queued;
	for (; at > 1 && before(frame, hub->queue[at / 2]); at /= 2)
		hub->queue[at] = hub->queue[at / 2];
	hub->queue[at] = frame;
}

static struct frame *queue_pop(struct hub *hub)
{
	struct frame *first = hub->queue[1];
	struct frame *last = hub->queue[hub->n_queued--];
	size_t at = 1;
	for (size_t child; (child = at * 2) <= hub->n_queued; at = child) {
		if (child < hub->n_queued && before(hub->queue[child + 1], hub->queue[child]))
			child++;
		if (!before(hub->queue[child], last))
			break;
		hub->queue[at] = hub->queue[child];
	}
	hub->queue[at] = last;
	return first;
}

/* The entry of a station, or the free one where it would be, or NULL if the table is full. */
static struct station *find_station(struct hub *hub, const uint8_t *address)
{
	uint32_t hash = 2166136261u;
	for (int i = 0; i < ETH_ALEN; i++)
		hash = (hash ^ address[i]) * 16777619u;
	for (uint32_t i = 0; i < MAX_STATIONS; i++) {
		struct station *station = &hub->stations[(hash + i) % MAX_STATIONS];
		if (!station->used || memcmp(station->address, address, ETH_ALEN) == 0)
			return station;
	}
	return NULL;
}

static bool is_multicast(const uint8_t *address)
{
	return address[0] & 1;
}

static void learn(struct hub *hub, const uint8_t *source, int port)
{
	struct station *station = is_multicast(source) ? NULL : find_station(hub, source);
	if (!station)
		return;
	memcpy(station->address, source, ETH_ALEN);
	station->used = true;
	station->port = port;
}

static bool is_neighbour_discovery(const struct ether_header *eth, size_t len)
{
	if (eth->ether_type == htons(ETHERTYPE_ARP))
		return true;
	const struct ip6_hdr *ip6 = (const void *)(eth + 1);
	const struct icmp6_hdr *icmp6 = (const void *)(ip6 + 1);
	return eth->ether_type == htons(ETHERTYPE_IPV6) &&
	       len >= sizeof *eth + sizeof *ip6 + sizeof *icmp6 && ip6->ip6_nxt == IPPROTO_ICMPV6 &&
	       icmp6->icmp6_type >= ND_ROUTER_SOLICIT && icmp6->icmp6_type <= ND_REDIRECT;
}

static bool chance(double probability)
{
	return probability > 0 && drand48() < probability;
}

static void send_to(struct hub *hub, int from, int to, const uint8_t *bytes, size_t len,
		    bool urgent)
{
	if (urgent) {
		(void)!write(hub->ports[to].fd, bytes, len);
		return;
	}
	if (chance(hub->loss) || hub->n_queued == MAX_QUEUED)
		return;
	struct frame *frame = malloc(sizeof *frame + len);
	if (!frame)
		return;
	frame->due_ns = now_ns() + hub->ports[from].delay_ns + hub->ports[to].delay_ns;
	if (chance(hub->reorder))
		frame->due_ns += REORDER_NS;
	frame->number = hub->n_frames++;
	frame->to = to;
	frame->len = len;
	memcpy(frame->bytes, bytes, len);
	queue_push(hub, frame);
}

static void receive(struct hub *hub, int from)
{
	static uint8_t bytes[FRAME_MAX];
	for (int i = 0; i < BATCH; i++) {
		ssize_t len = read(hub->ports[from].fd, bytes, sizeof bytes);
		if (len < (ssize_t)(sizeof(struct virtio_net_hdr) + sizeof(struct ether_header)))
			return;
		const struct ether_header *eth =
			(const void *)(bytes + sizeof(struct virtio_net_hdr));
		bool urgent =
			is_neighbour_discovery(eth, (size_t)len - sizeof(struct virtio_net_hdr));
		learn(hub, eth->ether_shost, from);
		struct station *station =
			is_multicast(eth->ether_dhost) ? NULL : find_station(hub, eth->ether_dhost);
		bool known = station && station->used;
		for (int to = 0; to < hub->n_ports; to++)
			if (to != from && (!known || to == station->port))
				send_to(hub, from, to, bytes, (size_t)len, urgent);
	}
}

static void send_due(struct hub *hub)
{
	int64_t now = now_ns();
	while (hub->n_queued && hub->queue[1]->due_ns <= now) {
		struct frame *frame = queue_pop(hub);
		(void)!write(hub->ports[frame->to].fd, frame->bytes, frame->len);
		free(frame);
	}
}

static int open_port(struct port *port)
{
	int one = 1, buffer = 8 << 20; /* for when others have the processor */
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(port->name),
	};
	struct packet_mreq promiscuous = {
		.mr_ifindex = address.sll_ifindex,
		.mr_type = PACKET_MR_PROMISC,
	};
	port->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setsockopt(port->fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
	if (port->fd < 0 || !address.sll_ifindex ||
	    setsockopt(port->fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof one) < 0 ||
	    setsockopt(port->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one) < 0 ||
	    setsockopt(port->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous,
		       sizeof promiscuous) < 0 ||
	    bind(port->fd, (struct sockaddr *)&address, sizeof address) < 0)
		return -errno;
	return 0;
}

static void run(struct hub *hub)
{
	struct pollfd fds[MAX_PORTS];
	for (int i = 0; i < hub->n_ports; i++)
		fds[i] = (struct pollfd){ .fd = hub->ports[i].fd, .events = POLLIN };
	for (;;) {
		struct timespec timeout = { 0 };
		if (hub->n_queued) {
			int64_t left = hub->queue[1]->due_ns - now_ns();
			if (left > 0)
				timeout = (struct timespec){ left / 1000000000, left % 1000000000 };
		}
		ppoll(fds, (nfds_t)hub->n_ports, hub->n_queued ? &timeout : NULL, NULL);
		for (int i = 0; i < hub->n_ports; i++)
			if (fds[i].revents)
				receive(hub, i);
		send_due(hub);
	}
}

static int usage(const char *program)
{
	fprintf(stderr,
		"usage: %s [--loss PERCENT] [--reorder PERCENT] [--seed N] "
		"INTERFACE[=DELAY_MS]...\n",
		program);
	return 2;
}

int main(int argc, char **argv)
{
	static struct hub hub;
	static const struct option options[] = {
		{ "loss", required_argument, NULL, 'l' },
		{ "reorder", required_argument, NULL, 'r' },
		{ "seed", required_argument, NULL, 's' },
		{ 0 },
	};
	srand48(1);
	for (int opt; (opt = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (opt == 'l')
			hub.loss = atof(optarg) / 100;
		else if (opt == 'r')
			hub.reorder = atof(optarg) / 100;
		else if (opt == 's')
			srand48(atol(optarg));
		else
			return usage(argv[0]);
	}
	if (optind == argc || argc - optind > MAX_PORTS)
		return usage(argv[0]);
	for (; optind < argc; optind++) {
		struct port *port = &hub.ports[hub.n_ports++];
		port->name = strsep(&argv[optind], "=");
		port->delay_ns = argv[optind] ? (int64_t)(atof(argv[optind]) * 1e6) : 0;
		int r = open_port(port);
		if (r < 0) {
			fprintf(stderr, "hub: cannot listen on interface %s: %s\n", port->name,
				strerror(-r));
			return 1;
		}
	}
	puts("ready");
	fflush(stdout);
	run(&hub);
}
