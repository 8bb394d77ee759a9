/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wg_forms NAME NOW < REPLY
 *
 * Prints all forms of the device that a UAPI reply to "get=1" describes, at NOW (seconds since
 * 1970): the name of the form, a NUL, the text, a NUL. What wg(8) is asked for the same is said by
 * wg_show.py.
 */
#include "wg/uapi_parse.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <wice/show.h>

static void put(const char *form, char *text)
{
	fwrite(form, 1, strlen(form) + 1, stdout);
	fwrite(text, 1, strlen(text) + 1, stdout);
	g_free(text);
}

static WiceDevice *read_device(const char *name, int64_t now_ns)
{
	const WiceUapiWorld world = { .now_ns = now_ns, .scope = if_nametoindex };
	WiceDeviceBuilder *builder = wice__device_builder_new(name, WICE_DEVICE_USERSPACE);
	g_autoptr(GString) reply = g_string_new(NULL);
	char part[4096];
	size_t n;
	while ((n = fread(part, 1, sizeof part, stdin)) > 0)
		g_string_append_len(reply, part, (gssize)n);
	WiceUapiReply reader = { .world = &world, .builder = builder };
	int r = wice__uapi_reply_feed(&reader, reply->str, reply->len, &n);
	r = r < 0 ? r : wice__uapi_reply_result(&reader);
	if (r < 0) {
		fprintf(stderr, "the reply was refused: %s\n", strerror(-r));
		exit(1);
	}
	return wice__device_builder_finish(builder);
}

int main(int argc, char *argv[])
{
	WiceShowOptions options = { .size = sizeof options, .scope_name = if_indextoname };
	if (argc != 3)
		return 2;
	options.now_ns = g_ascii_strtoll(argv[2], NULL, 10) * 1000000000;
	g_autoptr(WiceDevice) device = read_device(argv[1], options.now_ns);

	put("pretty", wice_show_pretty(device, &options));
	options.color = options.show_secrets = true;
	put("pretty, colours, secrets", wice_show_pretty(device, &options));
	put("showconf", wice_show_conf(device, &options));
	put("dump", wice_show_dump(device, false, &options));
	put("all dump", wice_show_dump(device, true, &options));
	for (int field = 0; wice_show_field_name(field); field++) {
		const char *word = wice_show_field_name(field);
		g_autofree char *all = g_strdup_printf("all %s", word);
		put(word, wice_show_field(device, field, false, &options));
		put(all, wice_show_field(device, field, true, &options));
	}
	return 0;
}
