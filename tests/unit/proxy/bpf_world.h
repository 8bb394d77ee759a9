/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_PROXY_BPF_WORLD_H
#define WICE_TESTS_PROXY_BPF_WORLD_H

/*
 * A mux in a network namespace of its own, with plain UDP sockets that play WireGuard, an ICE agent
 * and the other end.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/capability.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <wice/error.h>

#include "event/sockaddr.h"
#include "proxy/bpf/mux.h"
#include "suite.h"
#include "unit/event/namespace.h"

#define BPF_UFRAG "abcdEFGH"
#define BPF_DEADLINE_US (30 * G_USEC_PER_SEC)

typedef struct {
	GMainContext *context;
	WiceBpfMux *mux;
	int far; /* the namespace that other ends are in */
	int near;
} BpfWorld;

G_GNUC_PRINTF(1, 2) static inline bool bpf_run(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	char *command = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	bool ok = system(command) == 0;
	g_free(command);
	return ok;
}

static inline void bpf_enter(int namespace)
{
	ck_assert_int_eq(setns(namespace, CLONE_NEWNET), 0);
}

/* NULL where this process must not or cannot; then it has said so. */
static inline WiceBpfMux *bpf_open_mux(GMainContext *context, WiceBpfAttach attach)
{
	const WiceBpfMuxOptions options = { .size = sizeof options, .attach = attach };
	GError *error = NULL;
	WiceBpfMux *mux = wice__bpf_mux_new(context, &options, &error);
	if (mux)
		return mux;
	ck_assert_msg(g_error_matches(error, WICE_ERROR, WICE_ERROR_PERMISSION) ||
			      g_error_matches(error, WICE_ERROR, WICE_ERROR_UNSUPPORTED),
		      "%s", error->message);
	printf("skipped: %s\n", error->message);
	fflush(stdout);
	g_error_free(error);
	return NULL;
}

static inline bool bpf_new_namespace(int *ret_fd)
{
	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0 || !bpf_run("ip link set lo up")) {
		puts("skipped: must be root to make network namespaces");
		return false;
	}
	*ret_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	return true;
}

static inline bool bpf_world_open(BpfWorld *world, int attach)
{
	memset(world, 0, sizeof *world);
	if (!bpf_new_namespace(&world->near))
		return false;
	world->far = world->near;
	world->context = g_main_context_new();
	world->mux = bpf_open_mux(world->context, (WiceBpfAttach)attach);
	return world->mux;
}

static inline void bpf_world_close(BpfWorld *world)
{
	wice__bpf_mux_free(world->mux);
	g_main_context_unref(world->context);
	if (world->far != world->near)
		close(world->far);
	close(world->near);
}

/* For this thread, which is all that the test has. */
static inline void bpf_keep_capabilities(const int *capabilities, size_t n)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };
	for (size_t i = 0; i < n; i++) {
		struct __user_cap_data_struct *word = &data[CAP_TO_INDEX(capabilities[i])];
		word->permitted |= CAP_TO_MASK(capabilities[i]);
		word->effective |= CAP_TO_MASK(capabilities[i]);
	}
	ck_assert_int_eq(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(setresgid(65534, 65534, 65534), 0);
	ck_assert_int_eq(setresuid(65534, 65534, 65534), 0);
	ck_assert_int_eq(syscall(SYS_capset, &header, data), 0);
}

/* Lets the main loop turn until condition holds. */
#define BPF_UNTIL(world, condition)                                                    \
	do {                                                                           \
		gint64 deadline_ = g_get_monotonic_time() + BPF_DEADLINE_US;           \
		while (!(condition)) {                                                 \
			ck_assert_msg(g_get_monotonic_time() < deadline_, "never: %s", \
				      #condition);                                     \
			if (!g_main_context_iteration((world)->context, FALSE))        \
				g_usleep(1000);                                        \
		}                                                                      \
	} while (0)

/* The other end of what leads there from the near namespace, as two of these. */
#define BPF_NEAR4 "10.88.0.1"
#define BPF_FAR4 "10.88.0.2"
#define BPF_NEAR6 "fd88::1"
#define BPF_FAR6 "fd88::2"

/* device: of that name in both namespaces. */
static inline void bpf_set_addresses(const BpfWorld *world, const char *device)
{
	bpf_enter(world->far);
	ck_assert(bpf_run("ip addr add " BPF_FAR4 "/24 dev %s && "
			  "ip addr add " BPF_FAR6 "/64 dev %s nodad && ip link set %s up",
			  device, device, device));
	bpf_enter(world->near);
	ck_assert(bpf_run("ip addr add " BPF_NEAR4 "/24 dev %s && "
			  "ip addr add " BPF_NEAR6 "/64 dev %s nodad && ip link set %s up",
			  device, device, device));
}

/* Another namespace, and a veth pair "wire" to it that is up. False: it has said why not. */
static inline bool bpf_world_add_wire(BpfWorld *world)
{
	if (!bpf_new_namespace(&world->far))
		return false;
	bpf_enter(world->near);
	if (!bpf_run("ip link add wire type veth peer name wire netns /proc/%d/fd/%d",
		     (int)getpid(), world->far)) {
		puts("skipped: this kernel has no veth");
		return false;
	}
	bpf_enter(world->far);
	ck_assert(bpf_run("ip link set wire up"));
	bpf_enter(world->near);
	ck_assert(bpf_run("ip link set wire up") && namespace_wait_link("wire"));
	bpf_enter(world->far);
	ck_assert(namespace_wait_link("wire"));
	bpf_enter(world->near);
	return true;
}

static inline int bpf_bound_socket(const WiceEndpoint *endpoint, WiceEndpoint *ret)
{
	struct sockaddr_storage name;
	socklen_t len = wice__endpoint_to_sockaddr(endpoint, &name);
	int fd = socket(name.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(fd, 0);
	ck_assert_msg(bind(fd, (struct sockaddr *)&name, len) == 0, "bind: %s", g_strerror(errno));
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&name, &len), 0);
	ck_assert(wice__endpoint_from_sockaddr((struct sockaddr *)&name, len, ret));
	return fd;
}

static inline int bpf_socket(const char *address, WiceEndpoint *ret)
{
	WiceEndpoint endpoint = { 0 };
	ck_assert(wice_address_parse(address, &endpoint.address));
	return bpf_bound_socket(&endpoint, ret);
}

static inline int bpf_far_socket(const BpfWorld *world, const char *address, WiceEndpoint *ret)
{
	if (world->far == world->near)
		return bpf_socket(address, ret);
	bpf_enter(world->far);
	int fd = bpf_socket(address, ret);
	bpf_enter(world->near);
	return fd;
}

static inline void bpf_send(int fd, const WiceEndpoint *to, const void *packet, size_t len)
{
	struct sockaddr_storage name;
	socklen_t name_len = wice__endpoint_to_sockaddr(to, &name);
	ck_assert_msg(sendto(fd, packet, len, 0, (struct sockaddr *)&name, name_len) ==
			      (ssize_t)len,
		      "sendto: %s", g_strerror(errno));
}

static inline void bpf_expect(int fd, const void *packet, size_t len, const WiceEndpoint *source)
{
	uint8_t buffer[2048];
	struct sockaddr_storage name;
	socklen_t name_len = sizeof name;
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	WiceEndpoint from;
	ck_assert_int_eq(poll(&poll_fd, 1, BPF_DEADLINE_US / 1000), 1);
	ssize_t n = recvfrom(fd, buffer, sizeof buffer, 0, (struct sockaddr *)&name, &name_len);
	ck_assert_int_eq(n, (ssize_t)len);
	ck_assert_mem_eq(buffer, packet, len);
	ck_assert(wice__endpoint_from_sockaddr((struct sockaddr *)&name, name_len, &from));
	char got[WICE_ENDPOINT_SIZE], wanted[WICE_ENDPOINT_SIZE];
	ck_assert_str_eq(wice_endpoint_format(&from, got), wice_endpoint_format(source, wanted));
}

/* A binding request or response with an id made of fill. With USE-CANDIDATE and USERNAME. */
static inline size_t bpf_stun(uint8_t packet[64], uint16_t type, uint8_t fill, const char *username)
{
	size_t len = 20;
	memset(packet, 0, 64);
	packet[0] = (uint8_t)(type >> 8);
	packet[1] = (uint8_t)type;
	memcpy(packet + 4, "\x21\x12\xa4\x42", 4);
	memset(packet + 8, fill, 12);
	if (username) {
		packet[len + 1] = 0x25; /* USE-CANDIDATE */
		len += 4;
		packet[len + 1] = 0x06;
		packet[len + 3] = (uint8_t)strlen(username);
		memcpy(packet + len + 4, username, strlen(username));
		len += 4 + ((strlen(username) + 3) & ~(size_t)3);
	}
	packet[3] = (uint8_t)(len - 20);
	return len;
}

/*
 * An agent's socket at local and the other end at remote exchange all kinds of packets, through the
 * port of a socket that plays WireGuard.
 */
static inline void bpf_world_talk(BpfWorld *world, const char *local, const char *remote)
{
	static const uint8_t data[32] = { 4, 0, 0, 0, 1, 2, 3 };
	uint8_t stun[64];
	WiceEndpoint wg_at, agent_at, other_at, heard, wire;
	int wg = bpf_socket(local, &wg_at);
	int agent = bpf_socket(local, &agent_at);
	int other = bpf_far_socket(world, remote, &other_at);
	wire = agent_at;
	wire.port = wg_at.port;
	ck_assert_int_eq(wice__bpf_mux_add(world->mux, wg_at.port, &agent_at, BPF_UFRAG), 0);
	ck_assert_int_eq(wice__bpf_mux_heard(world->mux, wg_at.port, &agent_at, BPF_UFRAG, &heard),
			 -ENOENT);

	size_t len = bpf_stun(stun, 0x0001, 1, "peers:" BPF_UFRAG);
	bpf_send(agent, &other_at, stun, len);
	bpf_expect(other, stun, len, &wire);
	len = bpf_stun(stun, 0x0101, 1, NULL);
	bpf_send(other, &wire, stun, len);
	bpf_expect(agent, stun, len, &other_at);
	len = bpf_stun(stun, 0x0001, 2, BPF_UFRAG ":peers");
	bpf_send(other, &wire, stun, len);
	bpf_expect(agent, stun, len, &other_at);
	ck_assert_int_eq(wice__bpf_mux_heard(world->mux, wg_at.port, &agent_at, BPF_UFRAG, &heard),
			 0);
	ck_assert_int_eq(wice_endpoint_compare(&heard, &other_at), 0);
	bpf_send(other, &wire, data, sizeof data);
	bpf_expect(wg, data, sizeof data, &other_at);
	bpf_send(wg, &other_at, data, sizeof data);
	bpf_expect(other, data, sizeof data, &wg_at);

	wice__bpf_mux_remove(world->mux, wg_at.port, &agent_at, BPF_UFRAG);
	bpf_send(other, &wire, stun, len);
	bpf_expect(wg, stun, len, &other_at);
	bpf_send(agent, &other_at, stun, len);
	bpf_expect(other, stun, len, &agent_at);
	close(wg);
	close(agent);
	close(other);
}

/* Each test for both ways of attaching: _i. */
#define BPF_SUITE_MAIN(name, ...)                                                 \
	int main(void)                                                            \
	{                                                                         \
		const TTest *const tests[] = { __VA_ARGS__ };                     \
		Suite *suite = suite_create(name);                                \
		TCase *tcase = tcase_create(name);                                \
		tcase_set_timeout(tcase, SUITE_TIMEOUT_S);                        \
		for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)                  \
			tcase_add_loop_test(tcase, tests[i], WICE_BPF_ATTACH_TCX, \
					    WICE_BPF_ATTACH_CLSACT + 1);          \
		suite_add_tcase(suite, tcase);                                    \
		SRunner *runner = srunner_create(suite);                          \
		srunner_run_all(runner, CK_ENV);                                  \
		int failed = srunner_ntests_failed(runner);                       \
		srunner_free(runner);                                             \
		return failed ? EXIT_FAILURE : EXIT_SUCCESS;                      \
	}

#endif
