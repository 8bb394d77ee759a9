/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_FUZZ_PACED_H
#define WICE_TESTS_FUZZ_PACED_H

/*
 * Streams in memory that behave like a socket. GLib's own give all their bytes and the end in one turn of the main
 * loop, so that the answers to the bytes would never be written. These would block after every read and, if they are
 * asked to, after every write; and they take no more than `part` bytes at a time.
 */
#include <gio/gio.h>
#include <stdbool.h>

typedef struct {
	GMemoryInputStream base;
	gsize part;
	bool blocks;
} PacedInput;

typedef struct {
	GMemoryOutputStream base;
	gsize part;
	bool blocks;
} PacedOutput;

typedef GMemoryInputStreamClass PacedInputClass;
typedef GMemoryOutputStreamClass PacedOutputClass;

GType paced_input_get_type(void);
GType paced_output_get_type(void);
static void paced_input_init_pollable(GPollableInputStreamInterface *interface);
static void paced_output_init_pollable(GPollableOutputStreamInterface *interface);

/* clang-format off */
G_DEFINE_TYPE_WITH_CODE(PacedInput, paced_input, G_TYPE_MEMORY_INPUT_STREAM,
	G_IMPLEMENT_INTERFACE(G_TYPE_POLLABLE_INPUT_STREAM, paced_input_init_pollable))
G_DEFINE_TYPE_WITH_CODE(PacedOutput, paced_output, G_TYPE_MEMORY_OUTPUT_STREAM,
	G_IMPLEMENT_INTERFACE(G_TYPE_POLLABLE_OUTPUT_STREAM, paced_output_init_pollable))
/* clang-format on */

static gssize would_block(GError **error)
{
	g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK, "not now");
	return -1;
}

static gssize paced_read(GPollableInputStream *stream, void *buffer, gsize count, GError **error)
{
	PacedInput *input = (PacedInput *)stream;
	input->blocks = !input->blocks;
	if (!input->blocks)
		return would_block(error);
	return g_input_stream_read(G_INPUT_STREAM(stream), buffer, MIN(count, input->part), NULL,
				   error);
}

static gssize paced_write(GPollableOutputStream *stream, const void *buffer, gsize count,
			  GError **error)
{
	PacedOutput *output = (PacedOutput *)stream;
	output->blocks = output->part != G_MAXSIZE && !output->blocks;
	if (output->blocks)
		return would_block(error);
	return g_output_stream_write(G_OUTPUT_STREAM(stream), buffer, MIN(count, output->part),
				     NULL, error);
}

static void paced_input_init_pollable(GPollableInputStreamInterface *interface)
{
	interface->read_nonblocking = paced_read;
}

static void paced_output_init_pollable(GPollableOutputStreamInterface *interface)
{
	interface->write_nonblocking = paced_write;
}

static void paced_input_class_init(PacedInputClass *class)
{
}

static void paced_output_class_init(PacedOutputClass *class)
{
}

static void paced_input_init(PacedInput *input)
{
}

static void paced_output_init(PacedOutput *output)
{
}

/* Reads of a slow stream: enough to cut frames anywhere, few enough to be quick. */
#define PACED_PARTS 16

/* The other side sends opening and bytes, which must stay valid, and reads everything. */
static inline GIOStream *paced_stream_new(const char *opening, gsize opening_len,
					  const guint8 *bytes, gsize len, bool slowly)
{
	g_autoptr(GInputStream) in = g_object_new(paced_input_get_type(), NULL);
	g_autoptr(GOutputStream) out = g_object_new(paced_output_get_type(), "realloc-function",
						    g_realloc, "destroy-function", g_free, NULL);
	((PacedInput *)in)->part = slowly ? MAX(7, (opening_len + len) / PACED_PARTS) : G_MAXSIZE;
	((PacedOutput *)out)->part = slowly ? 100 : G_MAXSIZE;
	g_memory_input_stream_add_data((GMemoryInputStream *)in, opening, (gssize)opening_len,
				       NULL);
	g_memory_input_stream_add_data((GMemoryInputStream *)in, bytes, (gssize)len, NULL);
	return g_simple_io_stream_new(in, out);
}

#endif
