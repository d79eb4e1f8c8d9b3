/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diff_test.c - what is shown of two texts, held against diff -u
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tools/vm/diff.h"

static char *diff_of(const char *before, const char *after)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(scaph_diff_print(before, after, "web", out), 0);
	fclose(out);
	return text;
}

static void expect(const char *before, const char *after, const char *wanted)
{
	char *text = diff_of(before, after);

	assert_string_equal(text, wanted);
	free(text);
}

static void simple(void **state)
{
	expect("a\nb\n", "a\nb\n", "");
	expect("", "", "");
	expect("a\n", "a\nb\n", "--- web (now)\n+++ web (then)\n@@ -1,1 +1,2 @@\n a\n+b\n");
	expect("1\n2\n3\n4\n5\n6\n", "1\n2\n3\n4\nx\n6\n",
	       "--- web (now)\n+++ web (then)\n@@ -2,5 +2,5 @@\n 2\n 3\n 4\n-5\n+x\n 6\n");
	expect("a", "b", "--- web (now)\n+++ web (then)\n@@ -1,1 +1,1 @@\n-a\n+b\n");
}

/* What a tenant may have put into a definition does nothing to the terminal; quotes stay legible. */
static void safe_to_show(void **state)
{
	expect("", "<n a='\x1b[2J'>\xe2\x80\xae\\</n>\n",
	       "--- web (now)\n+++ web (then)\n@@ -0,0 +1,1 @@\n"
	       "+<n a='\\x1b[2J'>\\xe2\\x80\\xae\\x5c</n>\n");
}

static void long_lines(void **state)
{
	char line[1024] = "", wanted[2048];

	for (size_t i = 0; i < 300; i++)
		strcat(line, "\xe2\x82\xac");
	snprintf(wanted, sizeof(wanted), "--- web (now)\n+++ web (then)\n@@ -0,0 +1,1 @@\n+%s\n",
		 line);
	expect("", line, wanted);
}

/* patch(1) makes the new text of the old one and what we print. */
static void patches(void **state)
{
	char folder[] = "/tmp/scaph-diff-XXXXXX", name[64], command[256];

	if (system("command -v patch >/dev/null 2>&1") != 0)
		return;
	assert_non_null(mkdtemp(folder));
	srandom(7);
	for (unsigned int turn = 0; turn < 200; turn++) {
		char before[512] = "", after[512] = "", got[512] = "", *diff;
		FILE *file;

		for (int i = 0; i < 40; i++) {
			snprintf(name, sizeof(name), "%ld\n", random() % 8);
			if (random() % 8)
				strcat(before, name);
			if (random() % 8)
				strcat(after, name);
		}
		snprintf(name, sizeof(name), "%s/old", folder);
		file = fopen(name, "w");
		fputs(before, file);
		fclose(file);
		snprintf(command, sizeof(command), "patch -s %s >/dev/null", name);
		file = popen(command, "w");
		diff = diff_of(before, after);
		fputs(diff, file);
		free(diff);
		assert_int_equal(pclose(file), 0);
		file = fopen(name, "r");
		got[fread(got, 1, sizeof(got) - 1, file)] = '\0';
		fclose(file);
		assert_string_equal(got, after);
	}
	snprintf(command, sizeof(command), "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(simple),
		cmocka_unit_test(safe_to_show),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(patches),
	};

	return cmocka_run_group_tests_name("diff", tests, NULL, NULL);
}
