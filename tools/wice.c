/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: what commands and options there are, and which of them somebody meant. */
#include "wice.h"
#include "wg/wg.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int cmd_wg(int argc, char **argv)
{
	return wg_main(argc, argv, false);
}

typedef struct {
	const char *name;
	int (*run)(const Invocation *invocation);
	int (*run_raw)(int argc,
		       char **argv); /* instead of run: takes everything behind its name */
	const char *arguments;
	int min_args;
	int max_args;
	const char *text; /* one line for the list */
	const char *help; /* the rest for `wice COMMAND --help` */
} Command;

#define PEER_HELP                                                                     \
	"PEER is a public key, the beginning of one that fits no other peer, or an\n" \
	"address or network that is routed to the peer (the longest match counts).\n"

static const Command commands[] = {
	{ .name = "show",
	  .run = cmd_show,
	  .arguments = "[IFNAME [PEER]]",
	  .max_args = 2,
	  .text = "Show interfaces and peers: what is connected, how, and why",
	  .help = "For each peer: its state, the kind of path, the pair of addresses in use, who\n"
		  "carries the packets, and a sentence of why it is so.\n\n" PEER_HELP
		  "\nWith --json the output is one JSON object; its members are stable.\n" },
	{ .name = "restart",
	  .run = cmd_restart,
	  .arguments = "[--proxy NAME] [IFNAME [PEER]]",
	  .max_args = 2,
	  .text = "Look for paths anew: to a peer, or to all peers there are",
	  .help = "Paths in use stay until new ones have been found.\n"
		  "\n"
		  "With --proxy, all peers of the interface, or of all interfaces, get to their "
		  "paths in\n"
		  "another way, until wiced ends or is told otherwise. NAME is one of\n"
		  "  auto       the best one that works: the first of these\n"
		  "  bpf        programs in the kernel put ICE on WireGuard's port\n"
		  "  inprocess  WireGuard is in wiced itself (see `wice up --userspace`)\n"
		  "  nft        rules in the kernel put WireGuard on ICE's port\n"
		  "  user       all packets pass through wiced\n"
		  "Where it cannot be had, the next one in this list is used, and `wice show` says "
		  "why.\n"
		  "\n" PEER_HELP },
	{ .name = "sync",
	  .run = cmd_sync,
	  .arguments = "[IFNAME]",
	  .max_args = 1,
	  .text = "Make wiced read an interface, or all, from the system now",
	  .help = "wiced notices new interfaces at once and changed peers within seconds; this "
		  "makes\n"
		  "it look without delay.\n" },
	{ .name = "add",
	  .run = cmd_add,
	  .arguments = "IFNAME",
	  .min_args = 1,
	  .max_args = 1,
	  .text = "Give an interface into the care of wiced",
	  .help = "IFNAME may be a pattern with * and ?, and it need not exist yet. It lasts as "
		  "long\n"
		  "as wiced runs; for good, put it into its configuration.\n" },
	{ .name = "delete",
	  .run = cmd_delete,
	  .arguments = "IFNAME",
	  .min_args = 1,
	  .max_args = 1,
	  .text = "Take an interface out of the care of wiced",
	  .help = "IFNAME is as it was given to add or to wiced. The interface itself stays; "
		  "endpoints\n"
		  "and keepalives of its peers become what they were before.\n" },
	{ .name = "up",
	  .run = cmd_up,
	  .arguments = "[--userspace] IFNAME|FILE",
	  .min_args = 1,
	  .max_args = 1,
	  .text = "Make the interface that a wg-quick(8) file describes",
	  .help = "IFNAME means /etc/wireguard/IFNAME.conf. Makes an interface of the kernel; "
		  "where "
		  "it\n"
		  "has no WireGuard, and with --userspace, wiced carries the packets itself if it "
		  "runs,\n"
		  "else a process wice-wg does. Sets addresses, MTU, routes and name servers and "
		  "runs\n"
		  "the hooks of the file. If something fails, what was done is undone. Everything "
		  "into\n"
		  "the tunnel (0.0.0.0/0, ::/0) is left to wg-quick, unless Table is a number or "
		  "off.\n" },
	{ .name = "down",
	  .run = cmd_down,
	  .arguments = "IFNAME|FILE",
	  .min_args = 1,
	  .max_args = 1,
	  .text = "Remove an interface that `wice up` has made",
	  .help = "Runs the hooks of the file, and writes it if it has SaveConfig = true.\n" },
	{ .name = "monitor",
	  .run = cmd_monitor,
	  .arguments = "",
	  .text = "Print what happens, one line per event, until interrupted",
	  .help = "With --json each line is a JSON object.\n" },
	{ .name = "wait",
	  .run = cmd_wait,
	  .arguments = "[--timeout S] [IFNAME [PEER]]",
	  .max_args = 2,
	  .text = "Wait until peers are connected",
	  .help = "Waits for the peer, for all peers of the interface, or for all there are, and "
		  "for\n"
		  "at least one. Exits with 1 after S seconds (without --timeout: never) and says "
		  "who is\n"
		  "not connected, and why.\n\n" PEER_HELP },
	{ .name = "check",
	  .run = cmd_check,
	  .arguments = "[--timeout S] --config FILE|URL [NAME=VALUE]...",
	  .max_args = 1000,
	  .text = "Check STUN and TURN servers, and say what is wrong with them",
	  .help = "Resolves each URL, asks each address where we come from, and of a turn: URL "
		  "asks for\n"
		  "allocations and sends a packet through them. What belongs to a URL follows it:\n"
		  "username=NAME, password-file=PATH, password-command=COMMAND, secret-file=PATH,\n"
		  "ca-file=PATH. With --config, what a configuration file of wiced names is "
		  "checked.\n"
		  "No server gets more than S seconds (10). Exits with 1 if a server is not "
		  "well.\n" },
	{ .name = "stop",
	  .run = cmd_stop,
	  .arguments = "",
	  .text = "Stop wiced; it puts back what it found",
	  .help = "Returns when wiced has gone.\n" },
	{ .name = "signal",
	  .run_raw = cmd_signal,
	  .arguments = "[OPTION]...",
	  .text = "Run a signaling server (see `wice signal --help`)" },
	{ .name = "relay",
	  .run_raw = cmd_relay,
	  .arguments = "[OPTION]...",
	  .text = "Run a relay: a STUN and TURN server (see `wice relay --help`)" },
	{ .name = "wg",
	  .run_raw = cmd_wg,
	  .arguments = "[COMMAND [ARGUMENT]...]",
	  .text = "Show and change WireGuard interfaces as wg(8) does (see `wice wg --help`)" },
};

const char *invocation_arg(const Invocation *invocation, int index)
{
	return index < invocation->n_args ? invocation->args[index] : NULL;
}

int fail(const GError *error)
{
	fprintf(stderr, "wice: %s\n", error->message);
	return EXIT_FAILURE;
}

static void print_help(void)
{
	puts("Usage: wice [--socket PATH] [--json] [COMMAND [ARGUMENT]...]\n"
	     "\n"
	     "Asks wiced, the daemon that connects WireGuard peers, and tells it what to do.\n"
	     "Without a command it shows everything.\n"
	     "\n"
	     "Commands:");
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
		printf("  %-8s %s\n", commands[i].name, commands[i].text);
	printf("\n"
	       "Options, before or behind the command:\n"
	       "  --socket PATH  where wiced listens; also in the environment as WICE_SOCKET\n"
	       "                 (%s)\n"
	       "  --json         print JSON for programs (show, monitor, check)\n"
	       "  --help         print this, or the help of the command\n"
	       "  --version      print the version\n"
	       "\n"
	       "Exit codes: 0 done, 1 failed (the reason is printed), 2 wrong usage.\n",
	       wice_control_default_path());
}

static void print_command_help(const Command *command)
{
	printf("Usage: wice [--socket PATH] %s%s%s\n\n%s.\n", command->name,
	       *command->arguments ? " " : "", command->arguments, command->text);
	if (command->help)
		printf("\n%s", command->help);
}

static const Command *find_command(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int G_GNUC_PRINTF(2, 3) refuse(const Command *command, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fputs("wice: ", stderr);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\nTry `wice %s%s--help`.\n", command ? command->name : "",
		command ? " " : "");
	return EXIT_USAGE;
}

/* The scanner: options and the command in any order. */

typedef struct {
	int argc;
	char **argv;
	int at;
	const Command *command;
	bool help;
	bool version;
	bool has_timeout;
	GPtrArray *args;
	Invocation invocation;
} Scan;

/* "--name VALUE" or "--name=VALUE"; 0 if arg is another option, else 1 or an exit code. */
static int take_value(Scan *scan, const char *name, const char **ret_value)
{
	const char *arg = scan->argv[scan->at];
	size_t len = strlen(name);
	if (strncmp(arg, name, len) != 0 || (arg[len] && arg[len] != '='))
		return 0;
	if (arg[len] == '=')
		*ret_value = arg + len + 1;
	else if (++scan->at < scan->argc)
		*ret_value = scan->argv[scan->at];
	else
		return refuse(scan->command, "%s needs a value.", name);
	return 1;
}

static bool parse_seconds(const char *text, unsigned *ret_ms)
{
	char *end;
	double seconds = g_ascii_strtod(text, &end);
	if (end == text || *end || !(seconds > 0) || seconds > 4e6)
		return false;
	*ret_ms = MAX(1, (unsigned)(seconds * 1000));
	return true;
}

static int scan_option(Scan *scan)
{
	const char *arg = scan->argv[scan->at];
	const char *timeout = NULL;
	if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0) {
		scan->help = true;
		return 0;
	}
	if (strcmp(arg, "--version") == 0) {
		scan->version = true;
		return 0;
	}
	if (strcmp(arg, "--json") == 0) {
		scan->invocation.json = true;
		return 0;
	}
	if (strcmp(arg, "--userspace") == 0) {
		scan->invocation.userspace = true;
		return 0;
	}
	int r = take_value(scan, "--socket", &scan->invocation.socket);
	if (r == 0)
		r = take_value(scan, "--proxy", &scan->invocation.proxy);
	if (r == 0)
		r = take_value(scan, "--config", &scan->invocation.config);
	if (r == 0) {
		r = take_value(scan, "--timeout", &timeout);
		scan->has_timeout |= r == 1;
	}
	if (r == 0)
		return refuse(scan->command, "There is no option '%s'.", arg);
	if (timeout && !parse_seconds(timeout, &scan->invocation.timeout_ms))
		return refuse(scan->command,
			      "'%s' is no number of seconds larger than 0 for --timeout.", timeout);
	return r == 1 ? 0 : r;
}

static int scan_word(Scan *scan)
{
	char *word = scan->argv[scan->at];
	if (scan->command) {
		g_ptr_array_add(scan->args, word);
		return 0;
	}
	scan->command = find_command(word);
	if (!scan->command)
		return refuse(NULL, "There is no command '%s'. To show an interface: wice show %s",
			      word, word);
	return 0;
}

static int scan_all(Scan *scan)
{
	bool words_only = false;
	for (; scan->at < scan->argc; scan->at++) {
		const char *arg = scan->argv[scan->at];
		int r = 0;
		if (!words_only && strcmp(arg, "--") == 0)
			words_only = true;
		else if (!words_only && arg[0] == '-' && arg[1])
			r = scan_option(scan);
		else
			r = scan_word(scan);
		if (r)
			return r;
		if (scan->command && scan->command->run_raw)
			return 0;
	}
	return 0;
}

static int check_proxy(Scan *scan)
{
	g_autoptr(GError) error = NULL;
	if (!scan->invocation.proxy)
		return 0;
	if (scan->command->run != cmd_restart)
		return refuse(scan->command, "--proxy is an option of `wice restart` only.");
	if (!wice_mechanism_parse(scan->invocation.proxy, &scan->invocation.mechanism, &error))
		return refuse(scan->command, "--proxy: %s", error->message);
	if (scan->args->len > 1)
		return refuse(scan->command,
			      "--proxy is for all peers of an interface; leave '%s' out.",
			      (char *)scan->args->pdata[1]);
	return 0;
}

static int check_arguments(const Scan *scan)
{
	const Command *command = scan->command;
	int n = (int)scan->args->len;
	if (scan->has_timeout && command->run != cmd_wait && command->run != cmd_check)
		return refuse(command,
			      "--timeout is an option of `wice wait` and `wice check` only.");
	if (scan->invocation.config && command->run != cmd_check)
		return refuse(command, "--config is an option of `wice check` only.");
	if (scan->invocation.userspace && command->run != cmd_up)
		return refuse(command, "--userspace is an option of `wice up` only.");
	if (n < command->min_args)
		return refuse(command, "`wice %s` needs %s.", command->name, command->arguments);
	if (n > command->max_args && command->max_args)
		return refuse(command, "`wice %s` takes no more than %s; '%s' is too much.",
			      command->name, command->arguments,
			      (char *)scan->args->pdata[command->max_args]);
	if (n > command->max_args)
		return refuse(command, "`wice %s` takes no arguments; '%s' is too much.",
			      command->name, (char *)scan->args->pdata[0]);
	return 0;
}

static int run(Scan *scan)
{
	int r = scan_all(scan);
	if (r)
		return r;
	if (scan->version) {
		printf("wice %s\n", wice_version());
		return EXIT_SUCCESS;
	}
	if (scan->command && scan->command->run_raw && !scan->help) {
		g_autofree char *name = g_strconcat("wice ", scan->command->name, NULL);
		g_set_prgname(name); /* for its --help */
		return scan->command->run_raw(scan->argc - scan->at, scan->argv + scan->at);
	}
	if (scan->help) {
		if (scan->command)
			print_command_help(scan->command);
		else
			print_help();
		return EXIT_SUCCESS;
	}
	if (!scan->command)
		scan->command = find_command("show");
	r = check_arguments(scan);
	if (r == 0)
		r = check_proxy(scan);
	if (r)
		return r;
	scan->invocation.n_args = (int)scan->args->len;
	scan->invocation.args = (char **)scan->args->pdata;
	return scan->command->run(&scan->invocation);
}

/* A link or copy of this program that is named wg is wg. */
static bool is_named_wg(const char *path)
{
	const char *slash = strrchr(path, '/');
	return strcmp(slash ? slash + 1 : path, "wg") == 0;
}

int main(int argc, char **argv)
{
	if (argc > 0 && is_named_wg(argv[0]))
		return wg_main(argc, argv, true);
	const char *socket = g_getenv("WICE_SOCKET");
	Scan scan = {
		.argc = argc,
		.argv = argv,
		.at = 1,
		.args = g_ptr_array_new(),
		.invocation = { .socket = socket && *socket ? socket : NULL },
	};
	int code = run(&scan);
	g_ptr_array_unref(scan.args);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fputs("wice: Cannot write the output.\n", stderr);
		return EXIT_FAILURE;
	}
	return code;
}
