/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes and removes the interface that a file of wg-quick describes. Where the kernel has no
 * WireGuard, or shall not be asked, wiced carries the packets if it runs here, and else a wice-wg of
 * the interface's own. What is different between the three ends with making the interface.
 */
#include "quick.h"
#include "wice.h"

#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wice/conf.h>
#include <wice/error.h>
#include <wice/wg.h>

#define TIMEOUT_MS 5000
#define RESOLVE_TIMEOUT_MS 30000

/* Making the interface. */

/* wice-wg beside this program, or in the PATH. */
static char *find_wice_wg(void)
{
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
	g_autofree char *folder = self ? g_path_get_dirname(self) : NULL;
	char *beside = folder ? g_build_filename(folder, "wice-wg", NULL) : NULL;
	if (beside && access(beside, X_OK) == 0)
		return beside;
	g_free(beside);
	return g_find_program_in_path("wice-wg");
}

static gboolean start_wice_wg(const char *name, GError **error)
{
	g_autofree char *program = find_wice_wg();
	int status;
	if (!program) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_NOT_FOUND,
			    "Cannot make %s: wiced does not run here, and there is no program "
			    "wice-wg.",
			    name);
		return FALSE;
	}
	const char *const argv[] = { program, name, NULL };
	if (g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL,
			 &status, error) &&
	    g_spawn_check_wait_status(status, error))
		return TRUE;
	g_prefix_error(error, "Cannot make %s with %s: ", name, program);
	return FALSE;
}

/* A daemon in another network namespace would make the interface there. */
static bool is_here(WiceControl *control)
{
	struct stat ours, theirs;
	g_autoptr(WiceStatus) status = wice_control_status(control, NULL, NULL, NULL);
	if (!status)
		return true;
	g_autofree char *path =
		g_strdup_printf("/proc/%" G_GINT64_FORMAT "/ns/net", wice_status_info(status)->pid);
	return stat("/proc/self/ns/net", &ours) < 0 || stat(path, &theirs) < 0 ||
	       (ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino);
}

static gboolean make_userspace(const Invocation *invocation, const char *name, GError **error)
{
	g_autoptr(GError) problem = NULL;
	g_autoptr(WiceControl) control = wice_control_connect(invocation->socket, &problem);
	if (control && is_here(control)) {
		if (wice_control_create_interface(control, name, &problem))
			return TRUE;
		/* An older wiced does not know the call. */
		if (!g_error_matches(problem, WICE_ERROR, WICE_ERROR_UNSUPPORTED)) {
			g_propagate_error(error, g_steal_pointer(&problem));
			return FALSE;
		}
	}
	return start_wice_wg(name, error);
}

static gboolean make_interface(const Invocation *invocation, WiceWg *wg, const char *name,
			       GError **error)
{
	g_autoptr(GError) problem = NULL;
	if (invocation->userspace)
		return make_userspace(invocation, name, error);
	if (wice_wg_create(wg, name, TIMEOUT_MS, &problem))
		return TRUE;
	if (g_error_matches(problem, WICE_ERROR, WICE_ERROR_UNSUPPORTED))
		return make_userspace(invocation, name, error);
	g_propagate_error(error, g_steal_pointer(&problem));
	return FALSE;
}

/* up */

/* All that can fail without having changed anything comes first. */
typedef struct {
	WicePlan *plan;
	GArray *routes;
	uint32_t route_table;
} Work;

static gboolean prepare(const Quick *quick, Work *work, GError **error)
{
	if (if_nametoindex(quick->name)) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_EXISTS,
			    "There is an interface %s already.", quick->name);
		return FALSE;
	}
	work->routes = quick_routes(quick, &work->route_table, error);
	if (!work->routes || !wice_conf_resolve(quick->conf, RESOLVE_TIMEOUT_MS, NULL, NULL, error))
		return FALSE;
	work->plan = wice_conf_plan(quick->conf, WICE_CONF_SET, error);
	return work->plan != NULL;
}

static void work_done(Work *work)
{
	wice_plan_unref(work->plan);
	if (work->routes)
		g_array_unref(work->routes);
}

static gboolean configure(const Quick *quick, WiceWg *wg, const Work *work, GError **error)
{
	WiceLinkChange link = {
		.size = sizeof link,
		.set_up = true,
		.up = true,
		.mtu = wice_conf_mtu(quick->conf),
		.n_routes = work->routes->len,
		.routes = (const WicePrefix *)(const void *)work->routes->data,
		.route_table = work->route_table,
	};
	link.add = wice_conf_addresses(quick->conf, &link.n_add);
	return wice_wg_set(wg, quick->name, work->plan, TIMEOUT_MS, error) &&
	       wice_wg_set_link(wg, quick->name, &link, TIMEOUT_MS, error) &&
	       quick_set_dns(quick, error) && quick_run_hooks(quick, "PostUp", error);
}

static void undo(const Quick *quick, WiceWg *wg)
{
	g_autoptr(GError) error = NULL;
	quick_unset_dns(quick);
	if (!wice_wg_delete(wg, quick->name, TIMEOUT_MS, &error))
		fprintf(stderr, "wice: %s\n", error->message);
}

/*
 * Who interrupts us wants none of it, so we live on to undo it. A handler, and not SIG_IGN, which our
 * children would inherit.
 */
static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
	interrupted = 1;
}

static gboolean check_interrupted(GError **error)
{
	if (!interrupted)
		return TRUE;
	g_set_error(error, WICE_ERROR, WICE_ERROR_CANCELLED,
		    "Interrupted; what was done is undone.");
	return FALSE;
}

static gboolean bring_up(const Invocation *invocation, const Quick *quick, WiceWg *wg,
			 const Work *work, GError **error)
{
	(void)signal(SIGINT, on_interrupt);
	(void)signal(SIGTERM, on_interrupt);
	if (!quick_run_hooks(quick, "PreUp", error) || !check_interrupted(error) ||
	    !make_interface(invocation, wg, quick->name, error))
		return FALSE;
	if (configure(quick, wg, work, error) && check_interrupted(error))
		return TRUE;
	undo(quick, wg);
	return FALSE;
}

int cmd_up(const Invocation *invocation)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WiceWg) wg = wice_wg_new();
	g_auto(Quick) quick = { 0 };
	Work work = { 0 };
	gboolean done = quick_open(&quick, invocation->args[0], &error) &&
			prepare(&quick, &work, &error) &&
			bring_up(invocation, &quick, wg, &work, &error);
	work_done(&work);
	return done ? EXIT_SUCCESS : fail(error);
}

/* down */

static gboolean save(const Quick *quick, WiceWg *wg, GError **error)
{
	if (g_strcmp0(wice_conf_quick(quick->conf, "SaveConfig", 0), "true") != 0)
		return TRUE;
	g_autoptr(WiceDevice) device = wice_wg_get(wg, quick->name, TIMEOUT_MS, error);
	if (!device)
		return FALSE;
	wice_conf_update(quick->conf, device);
	return wice_conf_write(quick->conf, quick->path, error);
}

/* An interface without a file is an interface all the same. */
static gboolean take_down_bare(WiceWg *wg, const char *name, GError **error)
{
	return wice_wg_delete(wg, name, TIMEOUT_MS, error);
}

static gboolean take_down(const Quick *quick, WiceWg *wg, GError **error)
{
	/* Not before we know that it is there, and WireGuard's. */
	g_autoptr(WiceDevice) device = wice_wg_get(wg, quick->name, TIMEOUT_MS, error);
	if (!device || !quick_run_hooks(quick, "PreDown", error) || !save(quick, wg, error) ||
	    !wice_wg_delete(wg, quick->name, TIMEOUT_MS, error))
		return FALSE;
	quick_unset_dns(quick);
	return quick_run_hooks(quick, "PostDown", error);
}

int cmd_down(const Invocation *invocation)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WiceWg) wg = wice_wg_new();
	g_auto(Quick) quick = { 0 };
	const char *argument = invocation->args[0];
	gboolean done = FALSE;
	if (quick_open(&quick, argument, &error)) {
		done = take_down(&quick, wg, &error);
	} else if (g_error_matches(error, WICE_ERROR, WICE_ERROR_NOT_FOUND) &&
		   !strchr(argument, '/')) {
		g_clear_error(&error);
		done = take_down_bare(wg, argument, &error);
	}
	return done ? EXIT_SUCCESS : fail(error);
}
