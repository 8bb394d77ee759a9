/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_MACROS_H
#define WICE_MACROS_H

/* What every public header shares: symbol visibility and compiler hints. */

#ifdef __cplusplus
#define WICE_BEGIN_DECLS extern "C" {
#define WICE_END_DECLS }
#else
#define WICE_BEGIN_DECLS
#define WICE_END_DECLS
#endif

#if defined(__GNUC__)
#define WICE_API __attribute__((visibility("default")))
#define WICE_WARN_UNUSED __attribute__((warn_unused_result))
#define WICE_PRINTF(format_index, first_arg) \
	__attribute__((format(printf, format_index, first_arg)))
#else
#define WICE_API
#define WICE_WARN_UNUSED
#define WICE_PRINTF(format_index, first_arg)
#endif

#endif
