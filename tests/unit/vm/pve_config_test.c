/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pve_config_test.c - Proxmox's files: what is pending, what was, and what nobody wrote
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/vm/pve_config.h"

#define UUID "7b10d7af-b932-4c66-b2c3-3996152ec465"

static struct scaph_pve_config parse(const char *text)
{
	struct scaph_pve_config config;

	scaph_pve_config_parse(text, 100, "", &config);
	return config;
}

static void plain(void **state)
{
	struct scaph_pve_config config = parse(
		"#name: no\nname: web\nsmbios1: "
		"base64=1,uuid=7B10D7AF-B932-4C66-B2C3-3996152EC465\n"
		"virtiofs0: media\nvirtiofs3: dirid=scaph-100,cache=never\nhookscript: a:b/c\n");

	assert_string_equal(config.name, "web");
	assert_string_equal(config.uuid, UUID);
	assert_int_equal(config.virtiofs, 1U << 0 | 1U << 3);
	assert_int_equal(config.ours, 3);
	assert_true(config.hookscript);
	assert_false(config.is_template || config.is_locked || config.ivshmem);
	assert_int_equal(parse("virtiofs1: scaph-100,cache=never\n").ours, 1);
	assert_int_equal(parse("virtiofs1: dirid=scaph-1000\n").ours, -1);
	assert_true(parse("template: 1\n").is_template);
	assert_true(parse("lock: backup\n").is_locked);
}

/* From the next start on: what is pending counts, what a snapshot had does not. */
static void sections(void **state)
{
	struct scaph_pve_config config =
		parse("smbios1: uuid=" UUID "\n[PENDING]\nvirtiofs0: dirid=scaph-100\n"
		      "ivshmem: size=1,name=scaph-" UUID "\n[snap]\nname: x\nvirtiofs1: other\n");

	assert_int_equal(config.ours, 0);
	assert_true(config.ivshmem_ours);
	assert_int_equal(config.virtiofs, 1);
	assert_string_equal(config.name, "");
	config = parse("virtiofs0: dirid=scaph-100\nivshmem: size=1\n[PENDING]\n"
		       "delete: !virtiofs0,net1 ivshmem\n");
	assert_int_equal(config.ours, -1);
	assert_int_equal(config.virtiofs, 0);
	assert_false(config.ivshmem);
	config = parse("virtiofs0: dirid=scaph-100\n[PENDING]\nvirtiofs0: dirid=media\n");
	assert_int_equal(config.ours, -1);
	assert_int_equal(config.virtiofs, 1);
}

static void memories(void **state)
{
	struct scaph_pve_config config;

	assert_true(
		parse("ivshmem: size=1,name=scaph-" UUID "\nsmbios1: uuid=" UUID "\n").ivshmem_ours);
	config = parse("ivshmem: size=32,name=foo\nsmbios1: uuid=" UUID "\n");
	assert_true(config.ivshmem && !config.ivshmem_ours);
	/* Enabled under one UUID, and given another since: that device is ours still. */
	scaph_pve_config_parse("ivshmem: size=1,name=scaph-" UUID "\nsmbios1: uuid=x\n", 100, UUID,
			       &config);
	assert_true(config.ivshmem_ours);
	assert_string_equal(config.uuid, "");
}

static void mappings(void **state)
{
	static const char text[] = "media\n\tdescription map node=pve1,path=/x\n"
				   "\tmap node=pve1,path=/srv/media\n\nscaph-100\n"
				   "\tmap path=/e/u,node=pve1\n\tmap node=pve2,path=/other\n";

	assert_int_equal(scaph_pve_mapping_look(text, "scaph-100", "pve1", "/e/u"),
			 SCAPH_PVE_MAPPING_OURS);
	assert_int_equal(scaph_pve_mapping_look(text, "scaph-100", "pve2", "/e/u"),
			 SCAPH_PVE_MAPPING_OTHER);
	assert_int_equal(scaph_pve_mapping_look(text, "scaph-100", "pve1", "/e/u2"),
			 SCAPH_PVE_MAPPING_OTHER);
	assert_int_equal(scaph_pve_mapping_look(text, "scaph-10", "pve1", "/e/u"),
			 SCAPH_PVE_MAPPING_NONE);
	assert_int_equal(scaph_pve_mapping_look(text, "media", "pve1", "/x"),
			 SCAPH_PVE_MAPPING_OTHER);
	assert_int_equal(scaph_pve_mapping_look("", "media", "pve1", "/x"), SCAPH_PVE_MAPPING_NONE);
}

static void garbage(void **state)
{
	static const char line[] = "name: web\nsmbios1: uuid=" UUID
				   ",x\nvirtiofs0: dirid=scaph-100\n[PENDING]\n"
				   "delete: virtiofs0,!x\nivshmem: size=1,name=a\n[s]\nlock: "
				   "x\nmedia\n\tmap node=a,path=b\n";
	char text[sizeof(line)];

	srandom(2);
	for (int turn = 0; turn < 100000; turn++) {
		memcpy(text, line, sizeof(line));
		for (int i = 0; i < 6; i++)
			text[(size_t)random() % (sizeof(line) - 1)] =
				"\n:=,[]! \t\0xy"[random() % 12];
		assert_true(parse(text).ours < SCAPH_PVE_VIRTIOFS_MAX);
		scaph_pve_mapping_look(text, "media", "a", "b");
	}
	assert_int_equal(
		parse(":\n:x\n x\nvirtiofs: a\nvirtiofs10: a\nvirtiofsx: a\nname:\n").virtiofs, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain),    cmocka_unit_test(sections), cmocka_unit_test(memories),
		cmocka_unit_test(mappings), cmocka_unit_test(garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
