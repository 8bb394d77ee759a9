/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <wice/bind.h>

void wice_bind_free(WiceBind *bind)
{
	if (bind)
		bind->ops->free(bind);
}
