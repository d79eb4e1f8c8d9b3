/* SPDX-License-Identifier: Apache-2.0 */
/*
 * find_test.c - path discovery, with a folder that stands for sysfs
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "consumer/find.h"

static char work[64];

static void put(const char *path, const char *text)
{
	char whole[512], command[1200];
	FILE *file;

	snprintf(whole, sizeof(whole), "%s/%s", work, path);
	snprintf(command, sizeof(command), "mkdir -p \"$(dirname '%s')\"", whole);
	assert_int_equal(system(command), 0);
	file = fopen(whole, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int find(const char *path, struct scaph_places *places)
{
	char whole[512], sysfs[128];

	snprintf(whole, sizeof(whole), "%s/%s", work, path);
	snprintf(sysfs, sizeof(sysfs), "%s/sys", work);
	return scaph_find(*path ? whole : NULL, sysfs, places);
}

static void folders(void **state)
{
	struct scaph_places places;

	put("share/scaph.ring", "x");
	put("share/other.ring", "x");
	put("host/b.ring", "x");
	put("host/a.ring", "x");
	put("host/.ring", "x");
	put("host/readme", "x");
	put("bare/readme", "x");
	assert_int_equal(find("share", &places), 0);
	assert_int_equal(places.count, 1);
	assert_false(places.folder);
	scaph_places_clear(&places);
	assert_int_equal(find("host", &places), 0);
	assert_int_equal(places.count, 2);
	assert_true(places.folder);
	assert_non_null(strstr(places.path[0], "/a.ring"));
	scaph_places_clear(&places);
	assert_int_equal(find("share/other.ring", &places), 0);
	assert_int_equal(places.count, 1);
	scaph_places_clear(&places);
	assert_int_equal(find("bare", &places), -ENOENT);
	assert_non_null(strstr(places.looked, "bare"));
	assert_int_equal(find("nix", &places), -ENOENT);
	scaph_places_clear(&places);
}

static void devices(void **state)
{
	struct scaph_places places;
	char sysfs[128];

	snprintf(sysfs, sizeof(sysfs), "%s/sys", work);
	put("sys/bus/pci/devices/0000:00:05.0/vendor", "0x1af4\n");
	put("sys/bus/pci/devices/0000:00:05.0/device", "0x1110\n");
	put("sys/bus/pci/devices/0000:00:05.0/resource2", "");
	put("sys/bus/pci/devices/0000:00:06.0/vendor", "0x8086\n");
	put("sys/bus/pci/devices/0000:00:06.0/device", "0x1110\n");
	assert_int_equal(scaph_find("0000:00:05.0", sysfs, &places), 0);
	assert_non_null(strstr(places.path[0], "0000:00:05.0/resource2"));
	scaph_places_clear(&places);
	assert_int_equal(scaph_find("00:05.0", sysfs, &places), 0);
	scaph_places_clear(&places);
	assert_int_equal(scaph_find("0000:00:06.0", sysfs, &places), -ENODEV);
	assert_int_equal(scaph_find("0000:00:07.0", sysfs, &places), -ENOENT);
	assert_int_equal(scaph_find("0000:00:05.0.1", sysfs, &places), -ENOENT);
	scaph_places_clear(&places);
}

static void environment(void **state)
{
	struct scaph_places places;
	char path[128];

	snprintf(path, sizeof(path), "%s/share", work);
	setenv("SCAPH_PATH", path, 1);
	assert_int_equal(find("", &places), 0);
	assert_int_equal(places.count, 1);
	unsetenv("SCAPH_PATH");
	scaph_places_clear(&places);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folders),
		cmocka_unit_test(devices),
		cmocka_unit_test(environment),
	};
	char command[128];
	int failed;

	strcpy(work, "/tmp/scaph-find-XXXXXX");
	if (!mkdtemp(work))
		return EXIT_FAILURE;
	failed = cmocka_run_group_tests_name("find", tests, NULL, NULL);
	snprintf(command, sizeof(command), "rm -rf '%s'", work);
	return system(command) || failed;
}
