/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

static void append_quoted(GString *text, const char *value)
{
	g_autofree char *valid = g_utf8_make_valid(value, -1);
	g_string_append_c(text, '"');
	for (const char *c = valid; *c; c++) {
		if (*c == '"' || *c == '\\')
			g_string_append_printf(text, "\\%c", *c);
		else if (*c == '\n')
			g_string_append(text, "\\n");
		else if (*c == '\t')
			g_string_append(text, "\\t");
		else if (g_ascii_iscntrl(*c))
			g_string_append_printf(text, "\\u%04x", (unsigned)(unsigned char)*c);
		else
			g_string_append_c(text, *c);
	}
	g_string_append_c(text, '"');
}

static void new_line(Json *json)
{
	if (!json->indent)
		return;
	g_string_append_c(json->text, '\n');
	for (unsigned i = 0; i < json->depth; i++)
		g_string_append(json->text, "  ");
}

static void begin_value(Json *json, const char *key)
{
	if (!json->is_first)
		g_string_append(json->text, json->indent ? "," : ", ");
	if (json->depth)
		new_line(json);
	json->is_first = false;
	if (key) {
		append_quoted(json->text, key);
		g_string_append(json->text, ": ");
	}
}

static void begin_group(Json *json, const char *key, char bracket)
{
	begin_value(json, key);
	g_string_append_c(json->text, bracket);
	json->depth++;
	json->is_first = true;
}

static void end_group(Json *json, char bracket)
{
	json->depth--;
	if (!json->is_first)
		new_line(json);
	json->is_first = false;
	g_string_append_c(json->text, bracket);
}

void json_init(Json *json, bool indent)
{
	*json = (Json){ .text = g_string_new(NULL), .is_first = true, .indent = indent };
}

char *json_finish(Json *json)
{
	g_string_append_c(json->text, '\n');
	return g_string_free(g_steal_pointer(&json->text), FALSE);
}

void json_begin_object(Json *json, const char *key)
{
	begin_group(json, key, '{');
}

void json_end_object(Json *json)
{
	end_group(json, '}');
}

void json_begin_array(Json *json, const char *key)
{
	begin_group(json, key, '[');
}

void json_end_array(Json *json)
{
	end_group(json, ']');
}

void json_string(Json *json, const char *key, const char *value)
{
	begin_value(json, key);
	append_quoted(json->text, value);
}

void json_int(Json *json, const char *key, int64_t value)
{
	begin_value(json, key);
	g_string_append_printf(json->text, "%" G_GINT64_FORMAT, (gint64)value);
}

void json_uint(Json *json, const char *key, uint64_t value)
{
	begin_value(json, key);
	g_string_append_printf(json->text, "%" G_GUINT64_FORMAT, (guint64)value);
}

void json_bool(Json *json, const char *key, bool value)
{
	begin_value(json, key);
	g_string_append(json->text, value ? "true" : "false");
}

void json_null(Json *json, const char *key)
{
	begin_value(json, key);
	g_string_append(json->text, "null");
}

void json_endpoint(Json *json, const char *key, const WiceEndpoint *endpoint)
{
	char text[WICE_ENDPOINT_SIZE];
	if (endpoint->address.family == WICE_FAMILY_NONE)
		json_null(json, key);
	else
		json_string(json, key, wice_endpoint_format(endpoint, text));
}
