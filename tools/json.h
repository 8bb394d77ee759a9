/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TOOLS_JSON_H
#define WICE_TOOLS_JSON_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <wice/addr.h>

/*
 * Writes JSON (RFC 8259) into a string. Within an object every value needs a key, within an array
 * it is NULL; whoever writes minds that. Text is escaped, and what is not UTF-8 is replaced.
 */
typedef struct {
	GString *text;
	unsigned depth;
	bool is_first; /* in the innermost object or array */
	bool indent;   /* for people as well; else one line */
} Json;

void json_init(Json *json, bool indent);
/* The text with a newline at its end, to be freed with g_free(). */
char *json_finish(Json *json);

void json_begin_object(Json *json, const char *key);
void json_end_object(Json *json);
void json_begin_array(Json *json, const char *key);
void json_end_array(Json *json);
void json_string(Json *json, const char *key, const char *value);
void json_int(Json *json, const char *key, int64_t value);
void json_uint(Json *json, const char *key, uint64_t value);
void json_bool(Json *json, const char *key, bool value);
void json_null(Json *json, const char *key);
/* As text, null if it is none. */
void json_endpoint(Json *json, const char *key, const WiceEndpoint *endpoint);

#endif
