/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_SUITE_H
#define WICE_TESTS_SUITE_H

/* What every test program shares: a main() that runs a list of check tests, each in a process of its own. */
#include <check.h>
#include <stdlib.h>

#define SUITE_TIMEOUT_S 120.0

static inline int suite_run(const char *name, const TTest *const *tests, size_t n)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	tcase_set_timeout(tcase, SUITE_TIMEOUT_S);
	for (size_t i = 0; i < n; i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* SUITE_MAIN("stun message", reads_binding, refuses_short) */
#define SUITE_MAIN(name, ...)                                                  \
	int main(void)                                                         \
	{                                                                      \
		const TTest *const tests[] = { __VA_ARGS__ };                  \
		return suite_run(name, tests, sizeof tests / sizeof tests[0]); \
	}

#endif
