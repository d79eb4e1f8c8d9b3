/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recorded_test.c - definitions as others write them: Nova's, and one by Scaphandre's how-to
 *
 * They are reconstructed, see tests/integration/machines/README.md. Usage: recorded_test MACHINES.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/vm/definition.h"

static const char *machines;

static char *read_file(const char *name)
{
	char path[4096], *text = calloc(1, 65536);
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", machines, name);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_true(fread(text, 1, 65535, file) > 0);
	fclose(file);
	return text;
}

/* Ours in, all else as it was; a hard reboot, for which Nova writes it anew, takes ours, and once more in. */
static void nova(void **state)
{
	const struct scaph_definition_terms terms = {
		.uuid = "3f2b1c9e-52a0-4c7e-9a55-0b8e4a6f1d23",
		.export_dir = "/var/lib/scaph/export/3f2b1c9e-52a0-4c7e-9a55-0b8e4a6f1d23",
	};
	char *original = read_file("nova/instance-0000002a.xml"), *enabled, *again, *back;
	unsigned int all = SCAPH_TRANSPORT_VIRTIOFS | SCAPH_TRANSPORT_IVSHMEM, has;
	bool left = true;

	assert_int_equal(scaph_definition_add(original, &terms, all, &enabled), 0);
	assert_int_equal(scaph_definition_has(enabled, &terms, &has), 0);
	assert_int_equal(has, all);
	assert_non_null(strstr(enabled, "<nova:name>web &amp; shop</nova:name>"));
	assert_int_equal(scaph_definition_remove(enabled, &terms, all, true, &left, &back), 0);
	assert_string_equal(back, original);
	assert_false(left);
	assert_int_equal(scaph_definition_has(original, &terms, &has), 0);
	assert_int_equal(has, 0);
	assert_int_equal(scaph_definition_add(original, &terms, all, &again), 0);
	assert_string_equal(again, enabled);
	free(original);
	free(enabled);
	free(again);
	free(back);
}

/* The device by hand is another's: it stays, with its tag and memory, whatever comes and goes beside it. */
static void scaphandre(void **state)
{
	const struct scaph_definition_terms terms = {
		.uuid = "6ba7b810-9dad-11d1-80b4-00c04fd430c9",
		.export_dir = "/var/lib/scaph/export/6ba7b810-9dad-11d1-80b4-00c04fd430c9",
	};
	static const char device[] = "<source dir='/var/lib/libvirt/scaphandre/web'/>\n"
				     "        <target dir='scaphandre'/>";
	char *original = read_file("from-scaphandre.xml"), *enabled, *back;
	unsigned int has;
	bool left;

	assert_int_equal(scaph_definition_has(original, &terms, &has), 0);
	assert_int_equal(has, 0);
	assert_int_equal(scaph_definition_add(original, &terms, SCAPH_TRANSPORT_VIRTIOFS, &enabled),
			 0);
	assert_non_null(strstr(enabled, device));
	assert_int_equal(scaph_definition_remove(enabled, &terms, SCAPH_TRANSPORT_VIRTIOFS, false,
						 &left, &back),
			 0);
	assert_string_equal(back, original);
	free(original);
	free(enabled);
	free(back);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nova),
		cmocka_unit_test(scaphandre),
	};

	if (argc != 2)
		return EXIT_FAILURE;
	machines = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
