/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* A program that knows libwice from pkg-config only. install.py builds and runs it. */
#include <stdio.h>
#include <wice/wice.h>

int main(void)
{
	WiceEndpoint endpoint;
	char text[WICE_ENDPOINT_SIZE];
	if (!wice_endpoint_parse("[2001:db8::1]:51820", &endpoint))
		return 1;
	puts(wice_endpoint_format(&endpoint, text));
	return 0;
}
