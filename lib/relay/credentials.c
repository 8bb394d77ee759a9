/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the name and the password of a relay come from. All but the command is there at once and is
 * reported from the main loop. A command that its user has cancelled is killed; GIO answers later,
 * so until then the request stays, without a callback.
 */
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wice/error.h>

#include "base/log.h"
#include "crypto/mac.h"
#include "event/source.h"
#include "relay/spec.h"

#define SECRET_MAX 4096
#define COMMAND_TIMEOUT_MS 10000
/*
 * draft-uberti-behave-turn-rest-00 section 2.2 recommends a day. The name cannot change while an
 * allocation lives (RFC 8656 section 5), so this is how long one can live where a server looks at
 * it again; then there is a new one.
 */
#define TIME_LIMITED_S 86400

struct WiceRelayCredentials {
	WiceRelayCredentialsFunc func; /* NULL: cancelled */
	void *user_data;
	char *username, *password;
	GError *error;
	/* of the command */
	GCancellable *cancellable;
	GSubprocess *process;
	WiceTimer *timer;
	bool timed_out;
	char output[SECRET_MAX + 1];
	gsize output_len;
};

static void wipe(char *secret)
{
	if (secret)
		sodium_memzero(secret, strlen(secret));
	g_free(secret);
}

static void credentials_free(void *data)
{
	WiceRelayCredentials *credentials = data;
	g_free(credentials->username);
	wipe(credentials->password);
	g_clear_error(&credentials->error);
	g_clear_object(&credentials->cancellable);
	g_clear_object(&credentials->process);
	g_clear_pointer(&credentials->timer, wice__timer_free);
	sodium_memzero(credentials->output, sizeof credentials->output);
	g_free(credentials);
}

static void answer(void *user_data)
{
	WiceRelayCredentials *credentials = user_data;
	if (!credentials->func)
		return;
	bool has = credentials->error == NULL;
	credentials->func(has ? credentials->username : NULL, has ? credentials->password : NULL,
			  credentials->error, credentials->user_data);
}

/* The first line is a secret: not empty, without control characters. */
static char *first_line(const char *bytes, size_t len)
{
	const char *end = memchr(bytes, '\n', len);
	if (end)
		len = (size_t)(end - bytes);
	if (len > 0 && bytes[len - 1] == '\r')
		len--;
	for (size_t i = 0; i < len; i++)
		if (g_ascii_iscntrl(bytes[i]))
			return NULL;
	return len > 0 ? g_strndup(bytes, len) : NULL;
}

static char *read_open_file(int fd, const char *path, GError **error)
{
	char bytes[SECRET_MAX + 1];
	struct stat info;
	if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode)) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID, "%s is no ordinary file", path);
		return NULL;
	}
	if (info.st_mode & S_IROTH)
		wice__log(WICE_LOG_WARNING, path,
			  "Everybody can read this file, which holds a relay's secret; chmod o= "
			  "would mend that");
	ssize_t len = read(fd, bytes, sizeof bytes);
	char *secret = len > 0 && len <= SECRET_MAX ? first_line(bytes, (size_t)len) : NULL;
	sodium_memzero(bytes, sizeof bytes);
	if (!secret)
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "%s does not begin with a line of text that could be a secret", path);
	return secret;
}

/* A few bytes of a local file: that does not count as waiting. */
static char *read_file(const char *path, GError **error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		g_set_error(
			error, WICE_ERROR, errno == ENOENT ? WICE_ERROR_NOT_FOUND : WICE_ERROR_IO,
			"The relay's secret cannot be read from %s: %s", path, g_strerror(errno));
		return NULL;
	}
	char *secret = read_open_file(fd, path, error);
	close(fd);
	return secret;
}

/* draft-uberti-behave-turn-rest-00 section 2.2 */
static void make_time_limited(WiceRelayCredentials *credentials, const char *name, char *secret)
{
	uint8_t mac[WICE_SHA1_LEN];
	int64_t expiry = wice__realtime_ms() / 1000 + TIME_LIMITED_S;
	credentials->username = name ? g_strdup_printf("%" G_GINT64_FORMAT ":%s", expiry, name)
				     : g_strdup_printf("%" G_GINT64_FORMAT, expiry);
	WiceSpan part = { credentials->username, strlen(credentials->username) };
	wice__hmac_sha1((WiceSpan){ secret, strlen(secret) }, &part, 1, mac);
	credentials->password = g_base64_encode(mac, sizeof mac);
	sodium_memzero(mac, sizeof mac);
}

static void command_failed(WiceRelayCredentials *credentials, const char *why)
{
	g_clear_error(&credentials->error);
	credentials->error = g_error_new(WICE_ERROR, WICE_ERROR_FAILED,
					 "The command for the relay's password %s", why);
}

static void judge_command(WiceRelayCredentials *credentials, bool ended)
{
	GSubprocess *process = credentials->process;
	g_autofree char *status = NULL;
	if (credentials->timed_out) {
		command_failed(credentials, "did not end within 10 s");
	} else if (!ended || !g_subprocess_get_if_exited(process)) {
		command_failed(credentials, "was ended by a signal");
	} else if (g_subprocess_get_exit_status(process) != 0) {
		status = g_strdup_printf("failed with status %d",
					 g_subprocess_get_exit_status(process));
		command_failed(credentials, status);
	} else {
		credentials->password = first_line(credentials->output, credentials->output_len);
		if (!credentials->password)
			command_failed(credentials, "printed no line of text first");
	}
}

/* With what it has started: a shell would leave that behind, each time. */
static void end_command(WiceRelayCredentials *credentials)
{
	const char *pid = g_subprocess_get_identifier(credentials->process);
	if (pid)
		kill(-(pid_t)g_ascii_strtoll(pid, NULL, 10), SIGKILL);
	g_subprocess_force_exit(credentials->process);
}

/* In the child. */
static void lead_group(gpointer user_data)
{
	(void)setpgid(0, 0);
}

static GSubprocess *spawn(char **argv, GError **error)
{
	g_autoptr(GSubprocessLauncher) launcher =
		g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE);
	g_subprocess_launcher_set_child_setup(launcher, lead_group, NULL, NULL);
	return g_subprocess_launcher_spawnv(launcher, (const char *const *)argv, error);
}

static void on_ended(GObject *source, GAsyncResult *result, gpointer user_data)
{
	WiceRelayCredentials *credentials = user_data;
	bool ended = g_subprocess_wait_finish(G_SUBPROCESS(source), result, NULL);
	if (!credentials->error)
		judge_command(credentials, ended);
	answer(credentials);
	credentials_free(credentials);
}

static void on_output(GObject *source, GAsyncResult *result, gpointer user_data)
{
	WiceRelayCredentials *credentials = user_data;
	bool all = g_input_stream_read_all_finish(G_INPUT_STREAM(source), result,
						  &credentials->output_len, NULL);
	if (credentials->output_len > SECRET_MAX)
		command_failed(credentials, "printed more than 4 KiB");
	else if (!all && !credentials->timed_out)
		command_failed(credentials, "cannot be read from");
	if (!all || credentials->error)
		end_command(credentials);
	g_subprocess_wait_async(credentials->process, credentials->cancellable, on_ended,
				credentials);
}

static void on_timeout(void *user_data)
{
	WiceRelayCredentials *credentials = user_data;
	credentials->timed_out = true;
	end_command(credentials);
	g_cancellable_cancel(credentials->cancellable);
}

static bool start_command(GMainContext *context, WiceRelayCredentials *credentials,
			  const char *command)
{
	g_auto(GStrv) argv = NULL;
	g_autoptr(GError) error = NULL;
	if (g_shell_parse_argv(command, NULL, &argv, &error))
		credentials->process = spawn(argv, &error);
	if (!credentials->process) {
		g_autofree char *why = g_strdup_printf("cannot be run: %s", error->message);
		command_failed(credentials, why);
		return false;
	}
	credentials->cancellable = g_cancellable_new();
	credentials->timer = wice__timer_new(context, on_timeout, credentials);
	wice__timer_set(credentials->timer, wice__now_ms() + COMMAND_TIMEOUT_MS);
	g_main_context_push_thread_default(context);
	g_input_stream_read_all_async(g_subprocess_get_stdout_pipe(credentials->process),
				      credentials->output, sizeof credentials->output,
				      G_PRIORITY_DEFAULT, credentials->cancellable, on_output,
				      credentials);
	g_main_context_pop_thread_default(context);
	return true;
}

WiceRelayCredentials *wice__relay_credentials_get(GMainContext *context, const WiceRelaySpec *spec,
						  WiceRelayCredentialsFunc func, void *user_data)
{
	WiceRelayCredentials *credentials = g_new0(WiceRelayCredentials, 1);
	credentials->func = func;
	credentials->user_data = user_data;
	if (spec->secret_file) {
		char *secret = read_file(spec->secret_file, &credentials->error);
		if (secret)
			make_time_limited(credentials, spec->username, secret);
		wipe(secret);
	} else {
		credentials->username = g_strdup(spec->username);
		credentials->password = g_strdup(spec->password);
	}
	if (spec->password_file)
		credentials->password = read_file(spec->password_file, &credentials->error);
	if (!spec->password_command || !start_command(context, credentials, spec->password_command))
		wice__idle_call(context, answer, credentials, credentials_free);
	return credentials;
}

void wice__relay_credentials_cancel(WiceRelayCredentials *credentials)
{
	if (!credentials)
		return;
	credentials->func = NULL;
	if (!credentials->process)
		return;
	g_clear_pointer(&credentials->timer, wice__timer_free);
	end_command(credentials);
	g_cancellable_cancel(credentials->cancellable);
}
