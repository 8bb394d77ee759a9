/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ups.h"

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

typedef struct {
	Ups *ups;
	const char *name;
	bool up;
	GPid child; /* 0: none runs */
	guint watch;
} Up;

struct Ups {
	const char *socket;
	guint n;
	Up *items;
	void (*done)(void *user_data); /* set when it stops */
	void *user_data;
};

/* The command line that was installed, or built, with this program. */
static char *find_wice(void)
{
	static const char *const places[] = { "wice", "../bin/wice" };
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
	g_autofree char *folder = self ? g_path_get_dirname(self) : NULL;
	for (gsize i = 0; folder && i < G_N_ELEMENTS(places); i++) {
		char *path = g_build_filename(folder, places[i], NULL);
		if (access(path, X_OK) == 0)
			return path;
		g_free(path);
	}
	return g_strdup("wice");
}

static void take_down_next(Ups *ups);

static void on_child(GPid pid, gint status, gpointer user_data)
{
	Up *up = user_data;
	up->watch = 0;
	up->child = 0;
	g_spawn_close_pid(pid);
	if (g_spawn_check_wait_status(status, NULL)) /* it has told what was wrong */
		up->up = !up->up;
	else if (up->up)
		up->up = false;
	if (up->ups->done)
		take_down_next(up->ups);
}

static void run(Up *up, const char *command)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *wice = find_wice();
	const char *const argv[] = { wice, "--socket", up->ups->socket, command, up->name, NULL };
	if (g_spawn_async(NULL, (char **)argv, NULL,
			  G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &up->child,
			  &error)) {
		up->watch = g_child_watch_add(up->child, on_child, up);
		return;
	}
	fprintf(stderr, "wiced: `wice %s %s` cannot be run: %s\n", command, up->name,
		error->message);
	up->child = 0;
	up->up = false;
}

/* One after the other, the last one first; what is still on its way up is waited for. */
static void take_down_next(Ups *ups)
{
	for (guint i = ups->n; i-- > 0;) {
		Up *up = &ups->items[i];
		if (up->up && !up->child)
			run(up, "down");
		if (up->child)
			return;
	}
	ups->done(ups->user_data);
}

Ups *ups_new(const char *const *names, const char *socket)
{
	Ups *ups = g_new0(Ups, 1);
	ups->socket = socket;
	ups->n = g_strv_length((char **)names);
	ups->items = g_new0(Up, ups->n);
	for (guint i = 0; i < ups->n; i++)
		ups->items[i] = (Up){ .ups = ups, .name = names[i] };
	return ups;
}

void ups_free(Ups *ups)
{
	if (!ups)
		return;
	for (guint i = 0; i < ups->n; i++)
		if (ups->items[i].watch)
			g_source_remove(ups->items[i].watch);
	g_free(ups->items);
	g_free(ups);
}

void ups_start(Ups *ups)
{
	for (guint i = 0; i < ups->n; i++)
		run(&ups->items[i], "up");
}

void ups_stop(Ups *ups, void (*done)(void *user_data), void *user_data)
{
	if (ups->done)
		return;
	ups->done = done;
	ups->user_data = user_data;
	take_down_next(ups);
}
