/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Which commands there are, what they take, and which one somebody meant. */
#include "wg.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wice/version.h>

typedef struct {
	const char *name;
	int (*run)(const WgCall *call);
	const char *arguments;
	int min_args;
	int max_args;
	unsigned options; /* WgOptions that it takes */
	int usage_status; /* exit status of a wrong command line; 0: 1, as wg(8) has it */
	const char *text; /* one line for the list */
	const char *help; /* the rest for --help, or NULL */
} Command;

#define FILE_HELP                                                                                  \
	"FILE is a configuration file of wg(8); /dev/stdin works. `wice wg` also takes the\n"      \
	"keys of wg-quick(8) and refuses what hardly anybody means; --compat takes exactly what\n" \
	"wg(8) takes, which is what a program named wg does anyway.\n"
#define ANY_NUMBER 1000000

static const Command commands[] = {
	{ .name = "show",
	  .run = wg_show,
	  .arguments = "[IFNAME|all|interfaces] [dump|FIELD] [--json]",
	  .max_args = 2,
	  .options = WG_JSON,
	  .text = "Show interfaces and their peers",
	  .help = "FIELD is public-key, private-key, listen-port, fwmark, peers, preshared-keys,\n"
		  "endpoints, allowed-ips, latest-handshakes, transfer or persistent-keepalive.\n"
		  "Without dump or FIELD, and with --json, secret keys are shown only if\n"
		  "WG_HIDE_KEYS is \"never\". WG_COLOR_MODE is always, never or auto.\n" },
	{ .name = "showconf",
	  .run = wg_showconf,
	  .arguments = "IFNAME",
	  .min_args = 1,
	  .max_args = 1,
	  .text = "Print a configuration file that makes this interface" },
	{ .name = "set",
	  .run = wg_set,
	  .arguments = "IFNAME [listen-port PORT] [fwmark MARK|off] [private-key FILE]\n"
		       "	[peer KEY [remove] [preshared-key FILE] [endpoint HOST:PORT]\n"
		       "	[persistent-keepalive SECONDS|off] [allowed-ips LIST]]...",
	  .min_args = 2,
	  .max_args = ANY_NUMBER,
	  .options = WG_COMPAT,
	  .text = "Change an interface, and add, change or remove peers",
	  .help = "Keys come from files; an empty one (/dev/null) removes the key. LIST is of\n"
		  "networks, separated by commas, and replaces what the peer has; with + or - in\n"
		  "front of a network, that one is added or taken away.\n" },
	{ .name = "setconf",
	  .run = wg_setconf,
	  .arguments = "IFNAME FILE",
	  .min_args = 2,
	  .max_args = 2,
	  .options = WG_COMPAT,
	  .text = "Make an interface what a file says; all peers are replaced",
	  .help = FILE_HELP },
	{ .name = "addconf",
	  .run = wg_setconf,
	  .arguments = "IFNAME FILE",
	  .min_args = 2,
	  .max_args = 2,
	  .options = WG_COMPAT,
	  .text = "Add to an interface what a file says",
	  .help = FILE_HELP },
	{ .name = "syncconf",
	  .run = wg_setconf,
	  .arguments = "IFNAME FILE",
	  .min_args = 2,
	  .max_args = 2,
	  .options = WG_COMPAT,
	  .text = "As setconf, without touching peers that stay as they are",
	  .help = FILE_HELP },
	{ .name = "sync",
	  .run = wg_sync,
	  .arguments = "IFNAME FILE [--dry-run] [--json] [--keep-endpoints]",
	  .min_args = 2,
	  .max_args = 2,
	  .options = WG_COMPAT | WG_DRY_RUN | WG_JSON | WG_KEEP_ENDPOINTS,
	  .usage_status = WG_EXIT_USAGE,
	  .text = "As syncconf, and say what is changed",
	  .help = "With --dry-run nothing is changed. With --keep-endpoints peers stay where they\n"
		  "have roamed to. Secrets are not printed.\n\n" FILE_HELP },
	{ .name = "diff",
	  .run = wg_diff,
	  .arguments = "A B [--json]",
	  .min_args = 2,
	  .max_args = 2,
	  .options = WG_COMPAT | WG_JSON,
	  .usage_status = WG_EXIT_TROUBLE,
	  .text = "Print what would make A into B",
	  .help = "A and B are interfaces or configuration files: what has a '/' in it, ends in\n"
		  ".conf or exists is a file. Secrets are not printed. Exit codes: 0 nothing,\n"
		  "1 there are differences, 2 trouble.\n" },
	{ .name = "lint",
	  .run = wg_lint,
	  .arguments = "FILE...",
	  .min_args = 1,
	  .max_args = ANY_NUMBER,
	  .options = WG_COMPAT,
	  .usage_status = WG_EXIT_USAGE,
	  .text = "Say all that is wrong or dubious in configuration files",
	  .help = "Each line is FILE:LINE:COLUMN: error|warning: TEXT. Exits with 1 if there are\n"
		  "errors.\n\n" FILE_HELP },
	{ .name = "watch",
	  .run = wg_watch,
	  .arguments = "[IFNAME] [--json] [--transfer]",
	  .max_args = 1,
	  .options = WG_JSON | WG_TRANSFER,
	  .usage_status = WG_EXIT_USAGE,
	  .text = "Print what happens, one line per event, until interrupted",
	  .help = "IFNAME need not exist yet. With --transfer also when byte counters move. With\n"
		  "--json each line is a JSON object.\n" },
	{ .name = "genkey", .run = wg_genkey, .arguments = "", .text = "Print a new private key" },
	{ .name = "genpsk",
	  .run = wg_genkey,
	  .arguments = "",
	  .text = "Print a new preshared key" },
	{ .name = "pubkey",
	  .run = wg_pubkey,
	  .arguments = "",
	  .text = "Read a private key, print the public key that belongs to it" },
};

static const struct {
	const char *name;
	unsigned option;
} options[] = {
	{ "--compat", WG_COMPAT },     { "--json", WG_JSON },
	{ "--dry-run", WG_DRY_RUN },   { "--keep-endpoints", WG_KEEP_ENDPOINTS },
	{ "--transfer", WG_TRANSFER },
};

static const Command *find_command(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static void print_help(const char *program)
{
	printf("Usage: %s [COMMAND [ARGUMENT]...]\n"
	       "\n"
	       "Shows and changes WireGuard interfaces. Without a command it shows all.\n"
	       "\n"
	       "Commands:\n",
	       program);
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
		printf("  %-9s %s\n", commands[i].name, commands[i].text);
	printf("\n"
	       "%s COMMAND --help tells more. Exit codes: 0 done, 1 failed (the reason is\n"
	       "printed); of sync, lint and watch 2: wrong usage; see also diff.\n",
	       program);
}

static void print_usage(FILE *stream, const char *program, const Command *command)
{
	fprintf(stream, "Usage: %s %s%s%s\n", program, command->name,
		*command->arguments ? " " : "", command->arguments);
}

static void print_command_help(const char *program, const Command *command)
{
	print_usage(stdout, program, command);
	printf("\n%s.\n", command->text);
	if (command->help)
		printf("\n%s", command->help);
	if (command->options & WG_COMPAT && !strstr(command->help, "--compat"))
		puts("\n--compat takes exactly what wg(8) takes, not what is more useful.");
}

static int usage_status(const Command *command)
{
	return command->usage_status ? command->usage_status : EXIT_FAILURE;
}

static int G_GNUC_PRINTF(3, 4)
	refuse(const char *program, const Command *command, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fprintf(stderr, "%s: ", program);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	print_usage(stderr, program, command);
	return usage_status(command);
}

static unsigned find_option(const char *word)
{
	for (size_t i = 0; i < G_N_ELEMENTS(options); i++)
		if (strcmp(options[i].name, word) == 0)
			return options[i].option;
	return 0;
}

/* Moves the options out of the arguments. Options begin with two dashes; "-10.0.0.0/8" is none. */
static int take_options(WgCall *call, const Command *command, bool *ret_help)
{
	int n = 0;
	bool words_only = false;
	for (int i = 0; i < call->n_args; i++) {
		char *word = call->args[i];
		unsigned option = find_option(word);
		if (words_only || strncmp(word, "--", 2) != 0)
			call->args[n++] = word;
		else if (strcmp(word, "--") == 0)
			words_only = true;
		else if (strcmp(word, "--help") == 0)
			*ret_help = true;
		else if (option & command->options)
			call->options |= option;
		else
			return refuse(call->program, command, "`%s` has no option '%s'.",
				      command->name, word);
	}
	call->n_args = n;
	return EXIT_SUCCESS;
}

/* wg(8) also knows "-h", and "help" where it can be nothing else. */
static bool asks_for_help(const WgCall *call)
{
	return call->n_args == 1 &&
	       (strcmp(call->args[0], "-h") == 0 ||
		(strcmp(call->args[0], "help") == 0 && strcmp(call->command, "show") == 0));
}

static int run(const Command *command, WgCall *call, bool is_wg)
{
	bool help = false;
	int status = take_options(call, command, &help);
	if (status != EXIT_SUCCESS)
		return status;
	if (help || asks_for_help(call)) {
		print_command_help(call->program, command);
		return EXIT_SUCCESS;
	}
	if (call->n_args < command->min_args)
		return refuse(call->program, command, "`%s` needs more than that.", command->name);
	if (call->n_args > command->max_args)
		return refuse(call->program, command, "'%s' is too much for `%s`.",
			      call->args[command->max_args], command->name);
	call->mode = is_wg || call->options & WG_COMPAT ? WICE_CONF_COMPAT : WICE_CONF_STRICT;
	return command->run(call);
}

int wg_main(int argc, char **argv, bool is_wg)
{
	const char *program = is_wg ? "wg" : "wice wg";
	const char *name = argc > 1 ? argv[1] : "show";
	if (argc == 2 &&
	    (strcmp(name, "-h") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "help") == 0)) {
		print_help(program);
		return EXIT_SUCCESS;
	}
	if (argc == 2 && (strcmp(name, "-v") == 0 || strcmp(name, "--version") == 0 ||
			  strcmp(name, "version") == 0)) {
		printf("%s of libwice %s\n", program, wice_version());
		return EXIT_SUCCESS;
	}
	const Command *command = find_command(name);
	if (!command) {
		fprintf(stderr, "%s: There is no command '%s'. See %s --help.\n", program, name,
			program);
		return EXIT_FAILURE;
	}
	WgCall call = {
		.program = program, .command = name, .n_args = MAX(argc - 2, 0), .args = argv + 2
	};
	return run(command, &call, is_wg);
}
