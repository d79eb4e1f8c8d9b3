/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_test.c - folders that others pass through, made by whoever keeps all he makes to himself
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tools/vm/store.h"

static void has_mode(const char *path, mode_t mode)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, mode);
}

/* With a umask of 077 scaphd's user could not come to the profiles, and every domain's were off. */
static void test_umask(void **state)
{
	char root[] = "/tmp/scaph-store-XXXXXX", between[64], last[64];
	mode_t before;

	assert_non_null(mkdtemp(root));
	snprintf(between, sizeof(between), "%s/a", root);
	snprintf(last, sizeof(last), "%s/a/b", root);
	before = umask(077);
	assert_int_equal(scaph_store_make_path(last, 0755), 0);
	has_mode(between, 0755);
	has_mode(last, 0755);
	assert_int_equal(rmdir(last), 0);
	assert_int_equal(scaph_store_make_path(last, 0700), 0);
	has_mode(last, 0700);
	assert_int_equal(umask(before), 077);
	assert_int_equal(rmdir(last) | rmdir(between) | rmdir(root), 0);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_umask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
