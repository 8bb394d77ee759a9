/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Subjects that live inside the test: the fake, a played kernel, a UAPI server in a thread. */
#include "conformance/wg/played.h"
#include "conformance/wg/kernel.h"
#include "conformance/wg/uapi_server.h"
#include "wg/fake.h"
#include "wg/uapi.h"

/* The fake */

static bool start_fake(TestSubject *subject)
{
	subject->data = wice__wg_fake_new();
	subject->backend = wice__wg_fake_backend(subject->data);
	return true;
}

static void set_fake(TestSubject *subject, const WiceDevice *state)
{
	wice__wg_fake_set_device(subject->data, wice_device_info(state));
}

static void remove_fake(TestSubject *subject)
{
	wice__wg_fake_remove_device(subject->data, SUBJECT_NAME);
}

static void stop_fake(TestSubject *subject)
{
	subject->backend->ops->free(subject->backend);
	wice__wg_fake_free(subject->data);
}

TestSubject fake_subject = {
	.name = "fake",
	.start = start_fake,
	.set = set_fake,
	.remove = remove_fake,
	.stop = stop_fake,
};

/* A kernel that cuts its dumps into small pieces */

static bool start_kernel(TestSubject *subject)
{
	TestKernel *kernel = g_new0(TestKernel, 1);
	kernel->kind = "wireguard";
	kernel->peers_per_message = 3;
	kernel->ips_per_message = 2;
	kernel->n_interrupts = 1;
	subject->data = kernel;
	subject->backend = kernel_backend(kernel);
	return true;
}

static void set_kernel(TestSubject *subject, const WiceDevice *state)
{
	TestKernel *kernel = subject->data;
	wice_device_unref(kernel->device);
	kernel->device = wice__device_builder_finish(wice__device_builder_copy(state));
}

static void remove_kernel(TestSubject *subject)
{
	TestKernel *kernel = subject->data;
	g_clear_pointer(&kernel->device, wice_device_unref);
}

static void stop_kernel(TestSubject *subject)
{
	remove_kernel(subject);
	subject->backend->ops->free(subject->backend);
	g_free(subject->data);
}

TestSubject played_kernel_subject = {
	.name = "netlink on a played kernel",
	.one_device = true,
	.start = start_kernel,
	.set = set_kernel,
	.remove = remove_kernel,
	.stop = stop_kernel,
};

/* Userspace implementations, played by a thread */

typedef struct {
	UapiServer server;
	bool serving;
	char *folder;
} Userspace;

static void start_userspace(TestSubject *subject, UapiDialect dialect)
{
	Userspace *userspace = g_new0(Userspace, 1);
	g_mutex_init(&userspace->server.mutex);
	userspace->server.dialect = dialect;
	userspace->folder = g_dir_make_tmp("wice-uapi-XXXXXX", NULL);
	subject->data = userspace;
	subject->backend = wice__wg_uapi_new(userspace->folder);
}

static bool start_wireguard_go(TestSubject *subject)
{
	start_userspace(subject, UAPI_WIREGUARD_GO);
	return true;
}

static bool start_gotatun(TestSubject *subject)
{
	start_userspace(subject, UAPI_GOTATUN);
	return true;
}

static void set_userspace(TestSubject *subject, const WiceDevice *state)
{
	Userspace *userspace = subject->data;
	uapi_server_set(&userspace->server, state);
	if (!userspace->serving)
		uapi_server_start(&userspace->server, userspace->folder, SUBJECT_NAME);
	userspace->serving = true;
}

static void remove_userspace(TestSubject *subject)
{
	Userspace *userspace = subject->data;
	if (userspace->serving)
		uapi_server_stop(&userspace->server);
	userspace->serving = false;
}

static void stop_userspace(TestSubject *subject)
{
	Userspace *userspace = subject->data;
	remove_userspace(subject);
	subject->backend->ops->free(subject->backend);
	wice_device_unref(userspace->server.device);
	g_mutex_clear(&userspace->server.mutex);
	g_rmdir(userspace->folder);
	g_free(userspace->folder);
	g_free(userspace);
}

TestSubject played_uapi_subject = {
	.name = "uapi on a played wireguard-go",
	.no_interface = true,
	.start = start_wireguard_go,
	.set = set_userspace,
	.remove = remove_userspace,
	.stop = stop_userspace,
};

TestSubject played_gotatun_subject = {
	.name = "uapi on a played gotatun",
	.no_interface = true,
	.start = start_gotatun,
	.set = set_userspace,
	.remove = remove_userspace,
	.stop = stop_userspace,
};
