/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_RPC_CERTIFICATE_H
#define WICE_TESTS_RPC_CERTIFICATE_H

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <stdbool.h>
#include <stdio.h>

/*
 * GCC 12's LeakSanitizer crashes itself when it looks into the threads that GLib's TLS has left in its pool. It
 * asks this function whether it shall look: not once TLS was used in this process.
 */
static bool test_tls_used;
int __lsan_is_turned_off(void);
__attribute__((visibility("default"), used)) int __lsan_is_turned_off(void)
{
	return test_tls_used;
}

/* A self-signed certificate in a folder of its own, made by openssl(1). */
typedef struct {
	char *folder;
	char *certificate;
	char *key;
} TestCertificate;

/* False, with a printed reason, if this machine cannot; alt_names as in "DNS:localhost,IP:127.0.0.1". */
static inline bool test_certificate_make(TestCertificate *ret, const char *alt_names)
{
	*ret = (TestCertificate){ 0 };
	test_tls_used = true;
	if (!g_tls_backend_supports_tls(g_tls_backend_get_default())) {
		printf("skipped: GLib has no TLS here (package glib-networking)\n");
		return false;
	}
	g_autofree char *openssl = g_find_program_in_path("openssl");
	if (!openssl) {
		printf("skipped: there is no openssl(1) to make a certificate with\n");
		return false;
	}
	ret->folder = g_dir_make_tmp("wice-tls-XXXXXX", NULL);
	ret->certificate = g_build_filename(ret->folder, "certificate.pem", NULL);
	ret->key = g_build_filename(ret->folder, "key.pem", NULL);
	g_autofree char *names = g_strdup_printf("subjectAltName=%s", alt_names);
	const char *const argv[] = { openssl,
				     "req",
				     "-x509",
				     "-newkey",
				     "ec",
				     "-pkeyopt",
				     "ec_paramgen_curve:prime256v1",
				     "-nodes",
				     "-days",
				     "2",
				     "-subj",
				     "/CN=wice test",
				     "-addext",
				     names,
				     "-keyout",
				     ret->key,
				     "-out",
				     ret->certificate,
				     NULL };
	int status = -1;
	g_autofree char *errors = NULL;
	if (!g_spawn_sync(NULL, (char **)argv, NULL, 0, NULL, NULL, NULL, &errors, &status, NULL) ||
	    status != 0) {
		printf("skipped: openssl(1) could not make a certificate: %s\n", errors);
		return false;
	}
	return true;
}

static inline void test_certificate_remove(TestCertificate *certificate)
{
	if (!certificate->folder)
		return;
	g_unlink(certificate->certificate);
	g_unlink(certificate->key);
	g_rmdir(certificate->folder);
	g_free(certificate->certificate);
	g_free(certificate->key);
	g_free(certificate->folder);
	*certificate = (TestCertificate){ 0 };
}

#endif
