/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The program wg: `wice wg` by itself. */
#include "wg.h"

int main(int argc, char **argv)
{
	return wg_main(argc, argv, true);
}
