/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* wice wg as somebody at a shell meets it, as far as no interface is needed. */
#include "suite.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PRIVATE "YBYLNfoMRYqlMUBT/G7vnRGzk3uqZgKy5tJRIA8DZlU="
#define PUBLIC "AyhAr+rDBP3OGwBicTSnb+BlKDVTovncf61QiXLXwhc="
#define KEY_1 "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
#define KEY_2 "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI="

typedef struct {
	int code;
	char *out;
	char *err;
} Result;

static char folder[64];

static void make_folder(void)
{
	strcpy(folder, "/tmp/wice-wg-XXXXXX");
	ck_assert_ptr_nonnull(g_mkdtemp(folder));
}

static void remove_folder(void)
{
	g_autofree char *line = g_strdup_printf("rm -r %s", folder);
	ck_assert(g_spawn_command_line_sync(line, NULL, NULL, NULL, NULL));
}

/* A file in the folder with these contents and mode. Returns its path. */
static char *write_file(const char *name, const char *text, mode_t mode)
{
	char *path = g_build_filename(folder, name, NULL);
	ck_assert(g_file_set_contents(path, text, -1, NULL));
	ck_assert_int_eq(chmod(path, mode), 0);
	return path;
}

/* Runs a line of the shell; WG stands for the program wg, WICE for `wice wg`. */
static Result run(const char *line)
{
	g_autofree char *script =
		g_strdup_printf("WICE() { '%s' wg \"$@\"; }; WG() { '%s' \"$@\"; }; cd %s; %s",
				g_getenv("WICE_EXE"), g_getenv("WG_EXE"), folder, line);
	char *argv[] = { (char *)"/bin/sh", (char *)"-c", script, NULL };
	Result result = { 0 };
	int status;
	ck_assert(g_spawn_sync(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &result.out,
			       &result.err, &status, NULL));
	result.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	return result;
}

static void result_clear(Result *result)
{
	g_free(result->out);
	g_free(result->err);
}

/* out and err: what must be in them, NULL for nothing at all. */
static void check_run(const char *line, int code, const char *out, const char *err)
{
	Result result = run(line);
	ck_assert_msg(result.code == code, "`%s` exits with %d: %s", line, result.code, result.err);
	ck_assert_msg(out ? strstr(result.out, out) != NULL : !*result.out, "`%s` prints: %s", line,
		      result.out);
	ck_assert_msg(err ? strstr(result.err, err) != NULL : !*result.err, "`%s` says: %s", line,
		      result.err);
	result_clear(&result);
}

START_TEST(help_is_there_for_all_commands)
{
	static const char *const commands[] = { "show",    "showconf", "set",    "setconf",
						"addconf", "syncconf", "sync",   "diff",
						"lint",    "watch",    "genkey", "genpsk",
						"pubkey",  "" };
	make_folder();
	for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
		g_autofree char *line = g_strdup_printf("WICE %s --help", commands[i]);
		g_autofree char *usage = g_strdup_printf("Usage: wice wg %s", commands[i]);
		Result result = run(line);
		g_auto(GStrv) lines = g_strsplit(result.out, "\n", -1);
		ck_assert_int_eq(result.code, 0);
		ck_assert_msg(g_str_has_prefix(result.out, usage), "%s", result.out);
		for (char **text = lines; *text; text++)
			ck_assert_msg(strlen(*text) <= 90, "%s", *text);
		result_clear(&result);
	}
	check_run("WG --help", 0, "Usage: wg [COMMAND", NULL);
	check_run("WG set --help", 0, "Usage: wg set IFNAME", NULL);
	check_run("WG show help", 0, "Usage: wg show", NULL);
	check_run("WG -h; WG help; WG version && WG -v", 0, "wg of libwice", NULL);
	remove_folder();
}
END_TEST

START_TEST(mistakes_have_exit_codes_and_sentences)
{
	static const struct {
		const char *line;
		int code;
		const char *part;
	} cases[] = {
		{ "WG frob", 1, "wg: There is no command 'frob'" },
		{ "WICE frob", 1, "wice wg: There is no command 'frob'" },
		{ "WG showconf", 1, "Usage: wg showconf IFNAME" },
		{ "WG showconf a b", 1, "'b' is too much" },
		{ "WG setconf wg0", 1, "Usage: wg setconf IFNAME FILE" },
		{ "WG set wg0", 1, "Usage: wg set IFNAME" },
		{ "WG show a b c", 1, "'c' is too much" },
		{ "WG show wg0 frob", 1, "Nothing is called 'frob'" },
		{ "WG show interfaces peers", 1, "Nothing more can be said" },
		{ "WG show wg0 peers --json", 1, "'peers' is too much" },
		{ "WG genkey x", 1, "'x' is too much" },
		{ "WG show --dry-run", 1, "no option '--dry-run'" },
		{ "WICE sync wg0", 2, "Usage: wice wg sync IFNAME FILE" },
		{ "WICE sync wg0 x --transfer", 2, "no option '--transfer'" },
		{ "WICE lint", 2, "Usage: wice wg lint FILE..." },
		{ "WICE watch a b", 2, "'b' is too much" },
		{ "WICE diff a", 2, "Usage: wice wg diff A B" },
		{ "WICE diff ./a ./b", 2, "./a" },
		{ "WG set wg0 frob 1", 1, "'frob': there is no such word" },
		{ "WG set wg0 listen-port", 1, "'listen-port': its value is missing" },
		{ "WG set wg0 peer", 1, "'peer': its value is missing" },
		{ "WG set wg0 remove", 1, "'remove': it stands behind the peer" },
		{ "WG set wg0 peer " KEY_1 " fwmark 1", 1, "'fwmark': it is of the interface" },
		{ "WG set wg0 fwmark 0x", 1, "fwmark '0x': " },
		{ "WG set wg0 fwmark 1 peer " KEY_1 "x", 1, "peer '" KEY_1 "x': " },
		{ "WG set wg0 peer " KEY_1 " allowed-ips 1.2.3.4/33", 1,
		  "allowed-ips '1.2.3.4/33': " },
		{ "WG set wg0 peer " KEY_1 " endpoint '1.2.3.4:5 '", 1, "no white space" },
		{ "WG set wg0 peer " KEY_1 " allowed-ips '1.2.3.4 #'", 1, "no '#'" },
		{ "WICE set wg0 listen-port 65536", 1, "listen-port '65536': " },
		{ "WG set wg0 private-key none", 1, "Cannot read none" },
		{ "WG set wg0 private-key .", 1, "Cannot read ." },
		{ "echo x > k; WG set wg0 private-key k", 1, "k holds no key" },
		{ "printf '" PRIVATE " x' > k; WG set wg0 private-key k", 1, "k holds no key" },
		{ ": | WG set wg0 private-key /dev/stdin", 1, "To remove a key, give /dev/null" },
		{ "WG setconf wg0 none", 1, "none" },
		{ "echo x > c; WG setconf wg0 c", 1, "c:1:1: " },
		{ "WG_ENDPOINT_RESOLUTION_RETRIES=x WG set wg0 peer " KEY_1 " endpoint 1.2.3.4:5",
		  1, "WG_ENDPOINT_RESOLUTION_RETRIES" },
		{ "WG show nosuchif0", 1, "nosuchif0" },
		{ "WG show a/b", 1, "a/b" },
	};
	make_folder();
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		check_run(cases[i].line, cases[i].code, NULL, cases[i].part);
	remove_folder();
}
END_TEST

START_TEST(keys_are_made_and_derived)
{
	make_folder();
	check_run("echo " PRIVATE " | WG pubkey", 0, PUBLIC "\n", NULL);
	check_run("printf '" PRIVATE "\\0\\0\\n \\t' | WG pubkey", 0, PUBLIC "\n", NULL);
	check_run("printf " PRIVATE " > key; WG pubkey < key", 0, PUBLIC "\n", NULL);
	check_run("echo " PRIVATE "x | WG pubkey", 1, NULL, "no private key");
	check_run("echo x | WG pubkey", 1, NULL, "no private key");
	check_run(": | WG pubkey", 1, NULL, "no private key");
	check_run("WG genkey | WG pubkey | wc -c", 0, "45\n", NULL);
	check_run("WG genpsk | wc -c", 0, "45\n", NULL);
	check_run("test $(WG genkey) != $(WG genkey)", 0, NULL, NULL);
	check_run("umask 022; WG genkey > key", 0, NULL, "everybody on this machine");
	check_run("umask 022; WG genpsk > key2", 0, NULL, "everybody on this machine");
	check_run("umask 077; WG genkey > key3", 0, NULL, NULL);
	check_run("WG genkey > /dev/full", 1, NULL, "Cannot write the output");
	remove_folder();
}
END_TEST

START_TEST(lint_tells_everything_with_its_place)
{
	make_folder();
	g_free(write_file("good.conf",
			  "[Interface]\nPrivateKey = " PRIVATE "\nAddress = 10.0.0.1/24\n", 0600));
	g_free(write_file("open.conf", "[Interface]\nPrivateKey = " PRIVATE "\n", 0644));
	g_free(write_file("bad.conf",
			  "[Interface]\nPrivateKey = " PRIVATE "\nListenPort = 65536\n"
			  "[Peer]\nPublicKey = x\nAllowedIPs = 10.0.0.0/33\n",
			  0600));
	check_run("WICE lint good.conf", 0, NULL, NULL);
	check_run("WICE lint --compat good.conf", 1, "good.conf:3:1: error: ", NULL);
	check_run("WICE lint good.conf open.conf", 0, "open.conf:1:1: warning: ", NULL);
	check_run("WICE lint bad.conf", 1, "bad.conf:3:", NULL);
	check_run("WICE lint bad.conf", 1, "\nbad.conf:5:", NULL);
	check_run("WICE lint bad.conf", 1, "\nbad.conf:6:", NULL);
	check_run("WICE lint bad.conf open.conf | grep -c '" PRIVATE "'", 1, "0\n", NULL);
	check_run("WICE lint < good.conf /dev/stdin", 0, NULL, NULL);
	check_run("WICE lint none.conf", 1, NULL, "none.conf");
	remove_folder();
}
END_TEST

START_TEST(files_are_compared_without_an_interface)
{
	make_folder();
	g_free(write_file("a.conf",
			  "[Interface]\nPrivateKey = " PRIVATE "\n[Peer]\nPublicKey = " KEY_1
			  "\nPresharedKey = " PRIVATE "\nAllowedIPs = 10.1.0.0/16\n",
			  0600));
	g_free(write_file("b.conf",
			  "[Interface]\nPrivateKey = " PRIVATE
			  "\n# a comment\n[Peer]\nPublicKey = " KEY_2 "\nEndpoint = 192.0.2.1:5\n",
			  0600));
	check_run("WICE diff a.conf a.conf", 0, NULL, NULL);
	check_run("WICE diff --json a.conf a.conf", 0, "{", NULL);
	check_run("WICE diff a.conf b.conf", 1, "- peer " KEY_1 "\n+ peer " KEY_2 ": endpoint",
		  NULL);
	check_run("WICE diff b.conf a.conf", 1, "preshared key set", NULL);
	check_run("WICE diff b.conf a.conf --json", 1, KEY_1, NULL);
	check_run("WICE diff b.conf a.conf; WICE diff --json b.conf a.conf | grep -c " PRIVATE, 1,
		  "0\n", NULL);
	check_run("WICE diff a.conf none.conf", 2, NULL, "none.conf");
	check_run("WICE diff a.conf nosuchif0", 2, NULL, "nosuchif0");
	check_run("WICE diff a.conf b.conf > /dev/full", 2, NULL, "Cannot write");
	remove_folder();
}
END_TEST

START_TEST(a_link_or_copy_named_wg_is_wg)
{
	make_folder();
	check_run("ln -s $(command -v \"$WICE_EXE\") wg; ./wg --help", 0, "Usage: wg [COMMAND",
		  NULL);
	check_run("./wg setconf nosuchif0 /dev/null", 1, NULL, "wg: ");
	remove_folder();
}
END_TEST

SUITE_MAIN("wg_tool", help_is_there_for_all_commands, mistakes_have_exit_codes_and_sentences,
	   keys_are_made_and_derived, lint_tells_everything_with_its_place,
	   files_are_compared_without_an_interface, a_link_or_copy_named_wg_is_wg)
