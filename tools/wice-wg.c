/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A WireGuard interface as a process, with the command line and the environment of wireguard-go, so
 * that wg-quick and others who start that can start this.
 *
 * It goes into the background by itself: the process that was started lives until the other one has
 * made the interface and answers on its socket, for then its caller goes on to configure it.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <glib-unix.h>
#include <glib.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wice/engine.h>
#include <wice/log.h>
#include <wice/version.h>

#define EXIT_USAGE 2

typedef struct {
	const char *name;
	bool foreground;
	bool no_offload;
	unsigned n_queues;
	int tun_fd;        /* 0: none */
	int uapi_fd;       /* -1: none */
	int log_level;     /* of WiceLogLevel, -1: silent */
	bool keeps_stderr; /* also in the background */
} Settings;

static void print_help(void)
{
	puts("Usage: wice-wg [OPTION]... IFNAME\n"
	     "\n"
	     "Makes the WireGuard interface IFNAME and carries its packets: WireGuard without the\n"
	     "kernel's module. wg(8) and `wice wg` configure it; it ends when the interface or "
	     "its\n"
	     "socket /var/run/wireguard/IFNAME.sock is deleted. The `wice wg` command is another\n"
	     "thing, see wice-wg(8).\n"
	     "\n"
	     "Options:\n"
	     "  -f, --foreground  stay in the foreground; else return once the interface is there\n"
	     "      --no-offload  one packet per system call\n"
	     "      --queues N    so many threads for each direction (1)\n"
	     "      --help        print this\n"
	     "      --version     print the version\n"
	     "\n"
	     "Environment, as wireguard-go has it:\n"
	     "  LOG_LEVEL                silent, verbose or debug; else errors are told\n"
	     "  WG_PROCESS_FOREGROUND=1  as --foreground\n"
	     "  WG_TUN_FD=N              a TUN device that is open already\n"
	     "  WG_UAPI_FD=N             a listening socket for wg(8) that is open already\n"
	     "\n"
	     "With wg-quick: WG_QUICK_USERSPACE_IMPLEMENTATION=wice-wg wg-quick up IFNAME");
}

static int G_GNUC_PRINTF(1, 2) refuse(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fputs("wice-wg: ", stderr);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs("\nTry `wice-wg --help`.\n", stderr);
	return EXIT_USAGE;
}

static int fail(const GError *error)
{
	fprintf(stderr, "wice-wg: %s\n", error->message);
	return EXIT_FAILURE;
}

/* What was asked for. Readers return -1 to go on, or the exit code. */

static int read_queues(const char *text, unsigned *ret)
{
	guint64 n;
	if (!g_ascii_string_to_unsigned(text, 10, 1, 64, &n, NULL))
		return refuse("'%s' is no number of threads from 1 to 64 for --queues.", text);
	*ret = (unsigned)n;
	return -1;
}

static int read_options(int argc, char **argv, Settings *settings)
{
	enum { HELP = 256, VERSION, NO_OFFLOAD, QUEUES };
	static const struct option options[] = {
		{ "foreground", no_argument, NULL, 'f' },
		{ "no-offload", no_argument, NULL, NO_OFFLOAD },
		{ "queues", required_argument, NULL, QUEUES },
		{ "help", no_argument, NULL, HELP },
		{ "version", no_argument, NULL, VERSION },
		{ NULL, 0, NULL, 0 },
	};
	int option, code = -1;
	while (code < 0 && (option = getopt_long(argc, argv, "f", options, NULL)) != -1) {
		switch (option) {
		case 'f':
			settings->foreground = true;
			break;
		case NO_OFFLOAD:
			settings->no_offload = true;
			break;
		case QUEUES:
			code = read_queues(optarg, &settings->n_queues);
			break;
		case HELP:
			print_help();
			return EXIT_SUCCESS;
		case VERSION:
			printf("wice-wg %s\n", wice_version());
			return EXIT_SUCCESS;
		default:
			return EXIT_USAGE;
		}
	}
	if (code < 0 && optind + 1 != argc)
		return refuse("One interface is needed, %d were named.", argc - optind);
	settings->name = argv[optind];
	return code;
}

/*
 * The engine owns what it is given, and 0 means none to it: a duplicate is passed on, and the
 * original closed with it.
 */
static int read_descriptor(const char *variable, int *ret_fd)
{
	const char *text = g_getenv(variable);
	guint64 number;
	if (!text || !*text)
		return -1;
	if (!g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT, &number, NULL))
		return refuse("%s is '%s', which is no number of a file descriptor.", variable,
			      text);
	int fd = fcntl((int)number, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (fd < 0)
		return refuse("The file descriptor %s of %s cannot be used: %s.", text, variable,
			      g_strerror(errno));
	if (number > STDERR_FILENO)
		close((int)number);
	*ret_fd = fd;
	return -1;
}

/* Others use the variable too: what wireguard-go does not know is errors, as there. */
static void read_log_level(Settings *settings)
{
	static const struct {
		const char *name;
		int level;
	} levels[] = {
		{ "silent", -1 },
		{ "error", WICE_LOG_ERROR },
		{ "verbose", WICE_LOG_DEBUG },
		{ "debug", WICE_LOG_DEBUG },
	};
	const char *text = g_getenv("LOG_LEVEL");
	settings->log_level = WICE_LOG_ERROR;
	for (size_t i = 0; text && i < G_N_ELEMENTS(levels); i++) {
		if (strcmp(text, levels[i].name) == 0) {
			settings->log_level = levels[i].level;
			settings->keeps_stderr = settings->log_level >= 0;
		}
	}
}

static int read_environment(Settings *settings)
{
	if (g_strcmp0(g_getenv("WG_PROCESS_FOREGROUND"), "1") == 0)
		settings->foreground = true;
	read_log_level(settings);
	int code = read_descriptor("WG_TUN_FD", &settings->tun_fd);
	if (code < 0)
		code = read_descriptor("WG_UAPI_FD", &settings->uapi_fd);
	return code;
}

/* The process that carries the packets. */

static void on_log(WiceLogLevel level, const char *subject, const char *message, void *user_data)
{
	static const char *const names[] = {
		[WICE_LOG_ERROR] = "ERROR",
		[WICE_LOG_WARNING] = "WARNING",
		[WICE_LOG_INFO] = "INFO",
		[WICE_LOG_DEBUG] = "DEBUG",
	};
	fprintf(stderr, "%s: (%s) %s\n", names[level], subject, message);
}

static gboolean on_signal(gpointer user_data)
{
	g_main_loop_quit(user_data);
	return G_SOURCE_CONTINUE;
}

static void on_event(WiceEngine *engine, const WiceEngineEvent *event, void *user_data)
{
	if (event->type == WICE_ENGINE_LOST || event->type == WICE_ENGINE_SOCKET_DELETED)
		g_main_loop_quit(user_data);
}

/* Whoever waits for the end of our output must not wait for ours. */
static void leave_terminal(bool keeps_stderr)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd <= (keeps_stderr ? STDIN_FILENO : STDERR_FILENO) && null >= 0; fd++)
		dup2(null, fd);
	if (null > STDERR_FILENO)
		close(null);
	if (chdir("/") < 0)
		fprintf(stderr, "wice-wg: Cannot leave the folder: %s\n", g_strerror(errno));
}

static void tell_ready(const Settings *settings, int ready_fd)
{
	if (ready_fd < 0)
		return;
	leave_terminal(settings->keeps_stderr);
	while (write(ready_fd, "", 1) < 0 && errno == EINTR)
		;
	close(ready_fd);
}

static WiceEngine *start_engine(const Settings *settings, GMainLoop *loop, GError **error)
{
	const WiceEngineOptions options = {
		.size = sizeof options,
		.name = settings->tun_fd ? NULL : settings->name,
		.tun_fd = settings->tun_fd,
		.n_queues = settings->n_queues,
		.no_offload = settings->no_offload,
		.on_event = on_event,
		.user_data = loop,
	};
	g_autoptr(WiceEngine) engine = wice_engine_new(NULL, &options, error);
	if (!engine || !wice_engine_listen(engine, settings->uapi_fd, error))
		return NULL;
	return g_steal_pointer(&engine);
}

/* ready_fd: where a byte is written when it works; -1: nobody waits for it. */
static int run(const Settings *settings, int ready_fd)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
	struct sigaction hangup;
	if (settings->log_level >= 0)
		wice_log_set_handler((WiceLogLevel)settings->log_level, on_log, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	g_unix_signal_add(SIGINT, on_signal, loop);
	g_unix_signal_add(SIGTERM, on_signal, loop);
	/* The terminal is gone: an end as well, unless nohup(1) says otherwise. */
	if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
		g_unix_signal_add(SIGHUP, on_signal, loop);
	WiceEngine *engine = start_engine(settings, loop, &error);
	if (!engine)
		return fail(error);
	tell_ready(settings, ready_fd);
	g_main_loop_run(loop);
	wice_engine_free(engine);
	return EXIT_SUCCESS;
}

/* The process that was started. */

static int wait_until_ready(int ready_fd, pid_t child)
{
	char byte;
	ssize_t n;
	int status;
	do {
		n = read(ready_fd, &byte, 1);
	} while (n < 0 && errno == EINTR);
	if (n == 1)
		return EXIT_SUCCESS;
	if (waitpid(child, &status, 0) == child && WIFSIGNALED(status))
		fprintf(stderr, "wice-wg: The process in the background was killed: %s.\n",
			g_strsignal(WTERMSIG(status)));
	return EXIT_FAILURE; /* it has said why */
}

static int run_in_background(const Settings *settings)
{
	int fds[2];
	pid_t child = pipe2(fds, O_CLOEXEC) < 0 ? -1 : fork();
	if (child < 0) {
		fprintf(stderr, "wice-wg: Cannot go into the background: %s.\n", g_strerror(errno));
		return EXIT_FAILURE;
	}
	if (child > 0) {
		close(fds[1]);
		return wait_until_ready(fds[0], child);
	}
	close(fds[0]);
	setsid();
	return run(settings, fds[1]);
}

int main(int argc, char **argv)
{
	Settings settings = { .uapi_fd = -1 };
	int code = read_options(argc, argv, &settings);
	if (code < 0)
		code = read_environment(&settings);
	if (code >= 0)
		return code;
	return settings.foreground ? run(&settings, -1) : run_in_background(&settings);
}
