/* SPDX-License-Identifier: Apache-2.0 */
/*
 * golden_test.c - the bytes as they are for ever, against the files in proto/golden
 *
 * Usage: golden_test FOLDER. A golden file only changes with a new layout; tests/contract/golden.py makes the same bytes from
 * SPEC.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/proto/golden.h"

static const char *folder;

static void same_as_file(const char *name, const void *bytes, size_t count)
{
	char path[4096];
	uint8_t *file_bytes = calloc(1, count + 1);
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "rb");
	assert_non_null(file);
	assert_int_equal(fread(file_bytes, 1, count + 1, file), count);
	assert_memory_equal(file_bytes, bytes, count);
	fclose(file);
	free(file_bytes);
}

static void descriptor_is_golden(void **state)
{
	struct scaph_descriptor desc = golden_descriptor();

	same_as_file("descriptor.bin", &desc, sizeof(desc));
}

static void status_is_golden(void **state)
{
	struct scaph_status status = golden_status();

	same_as_file("status.bin", &status, sizeof(status));
}

static void slots_are_golden(void **state)
{
	struct scaph_slot slots[3];

	golden_slots(slots);
	same_as_file("slots.bin", slots, sizeof(slots));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(descriptor_is_golden),
		cmocka_unit_test(status_is_golden),
		cmocka_unit_test(slots_are_golden),
	};

	if (argc != 2)
		return EXIT_FAILURE;
	folder = argv[1];
	return cmocka_run_group_tests_name("golden", tests, NULL, NULL);
}
