/* SPDX-License-Identifier: Apache-2.0 */
/*
 * definition_test.c - our devices in a definition
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/vm/definition.h"

#define UUID "6ba7b810-9dad-11d1-80b4-00c04fd430c8"

static const struct scaph_definition_terms terms = {
	.uuid = UUID,
	.export_dir = "/var/lib/scaph/export/" UUID,
};

#define HEAD                                                                                       \
	"<domain type='kvm'>\n  <name>a &lt;b&gt; $(id), -x</name>\n"                              \
	"  <memory unit='KiB'>1</memory>\n  <currentMemory unit='KiB'>1</currentMemory>\n"
#define BACKING(inside) "  <memoryBacking>\n" inside "  </memoryBacking>\n"
#define MEMFD "    <source type='memfd'/>\n"
#define SHARED "    <access mode='shared'/>\n"
#define VCPU "  <vcpu>1</vcpu>\n  <devices>\n    <emulator>/bin/q</emulator>\n"
#define TAIL "  </devices>\n</domain>\n"
#define VIRTIOFS                                                                                   \
	"    <filesystem type='mount' accessmode='passthrough'>\n"                                 \
	"      <driver type='virtiofs'/>\n"                                                        \
	"      <source dir='/var/lib/scaph/export/" UUID "'/>\n"                                   \
	"      <target dir='scaph'/>\n    </filesystem>\n"
#define PLAN9                                                                                      \
	"    <filesystem type='mount' accessmode='passthrough'>\n"                                 \
	"      <source dir='/var/lib/scaph/export/" UUID "'/>\n"                                   \
	"      <target dir='scaph9p'/>\n      <readonly/>\n    </filesystem>\n"
#define IVSHMEM                                                                                    \
	"    <shmem name='scaph-" UUID "' role='master'>\n"                                        \
	"      <model type='ivshmem-plain'/>\n      <size unit='M'>1</size>\n    </shmem>\n"
#define OTHER                                                                                      \
	"    <filesystem type='mount'>\n      <driver type='virtiofs'/>\n"                         \
	"      <source dir='/srv'/>\n      <target dir='srv'/>\n    </filesystem>\n"

static const char plain[] = HEAD VCPU TAIL;

static void expect_add(const char *before, unsigned int set, const char *wanted)
{
	unsigned int has;
	char *after, *again;

	assert_int_equal(scaph_definition_add(before, &terms, set, &after), 0);
	assert_string_equal(after, wanted);
	assert_int_equal(scaph_definition_has(after, &terms, &has), 0);
	assert_int_equal(has & set, set);
	/* A second time changes nothing. */
	assert_int_equal(scaph_definition_add(after, &terms, set, &again), 0);
	assert_string_equal(again, after);
	free(again);
	free(after);
}

static void added(void **state)
{
	expect_add(plain, 0, plain);
	expect_add(plain, SCAPH_TRANSPORT_VIRTIOFS, HEAD BACKING(MEMFD SHARED) VCPU VIRTIOFS TAIL);
	expect_add(plain, SCAPH_TRANSPORT_PLAN9, HEAD VCPU PLAN9 TAIL);
	expect_add(plain, SCAPH_TRANSPORT_IVSHMEM, HEAD VCPU IVSHMEM TAIL);
	expect_add(plain, SCAPH_TRANSPORTS_ALL,
		   HEAD BACKING(MEMFD SHARED) VCPU VIRTIOFS PLAN9 IVSHMEM TAIL);
	expect_add(HEAD VCPU IVSHMEM TAIL, SCAPH_TRANSPORT_PLAN9, HEAD VCPU IVSHMEM PLAN9 TAIL);
}

/* What is there already is kept where it serves, and changed only where it does not. */
static void memory(void **state)
{
	static const struct {
		const char *before, *after;
	} backings[] = {
		{ BACKING(MEMFD SHARED), BACKING(MEMFD SHARED) },
		{ BACKING("    <source type='file'/>\n" SHARED),
		  BACKING("    <source type='file'/>\n" SHARED) },
		{ BACKING("    <hugepages/>\n"), BACKING("    <hugepages/>\n" MEMFD SHARED) },
		{ BACKING("    <source type='anonymous'/>\n    <access mode='private'/>\n"),
		  BACKING(MEMFD SHARED) },
		{ "  <memoryBacking/>\n", BACKING(MEMFD SHARED) },
	};

	for (size_t i = 0; i < sizeof(backings) / sizeof(backings[0]); i++) {
		char before[2048] = HEAD, after[2048] = HEAD;

		strcat(strcat(before, backings[i].before), VCPU TAIL);
		strcat(strcat(after, backings[i].after), VCPU VIRTIOFS TAIL);
		expect_add(before, SCAPH_TRANSPORT_VIRTIOFS, after);
	}
}

static void expect_refused(const char *before, int wanted)
{
	char *after = NULL;

	assert_int_equal(scaph_definition_add(before, &terms, SCAPH_TRANSPORT_VIRTIOFS, &after),
			 wanted);
	assert_null(after);
}

static void refused(void **state)
{
	expect_refused(HEAD VCPU
		       "<filesystem><source dir='/x'/><target dir='scaph'/></filesystem>" TAIL,
		       SCAPH_DEFINITION_TAG_TAKEN);
	expect_refused(HEAD "<cpu><numa><cell/><cell memAccess='private'/></numa></cpu>" VCPU TAIL,
		       SCAPH_DEFINITION_MEMORY_PRIVATE);
	expect_refused("<domain><memory/></domain>", SCAPH_DEFINITION_NO_DEVICES);
	expect_refused("<domain><devices/></domain>", SCAPH_DEFINITION_NO_DEVICES);
	assert_string_not_equal(scaph_definition_refusal(SCAPH_DEFINITION_TAG_TAKEN), "unknown");
	assert_string_equal(scaph_definition_refusal(0), "unknown");
}

static void readonly_device(void **state)
{
	struct scaph_definition_terms quoted = terms;
	unsigned int has;
	char *after;

	quoted.readonly = true;
	quoted.export_dir = "/a'b<&\tc";
	assert_int_equal(scaph_definition_add(plain, &quoted, SCAPH_TRANSPORT_VIRTIOFS, &after), 0);
	assert_non_null(strstr(after, "<source dir='/a&apos;b&lt;&amp;&#9;c'/>"));
	assert_non_null(strstr(after, "<target dir='scaph'/>\n      <readonly/>"));
	assert_int_equal(scaph_definition_has(after, &quoted, &has), 0);
	assert_int_equal(has, SCAPH_TRANSPORT_VIRTIOFS);
	free(after);
}

static void expect_remove(const char *before, bool memory, const char *wanted, bool wanted_left)
{
	char *after;
	bool left;

	assert_int_equal(scaph_definition_remove(before, &terms, SCAPH_TRANSPORTS_ALL, memory,
						 &left, &after),
			 0);
	assert_string_equal(after, wanted);
	assert_int_equal(left, wanted_left);
	free(after);
}

static void removed(void **state)
{
	expect_remove(plain, true, plain, false);
	expect_remove(HEAD BACKING(MEMFD SHARED) VCPU VIRTIOFS PLAN9 IVSHMEM TAIL, true, plain,
		      false);
	expect_remove(HEAD BACKING(MEMFD SHARED) VCPU VIRTIOFS TAIL, false,
		      HEAD BACKING(MEMFD SHARED) VCPU TAIL, false);
	/* Others need it now, or have put in something of theirs. */
	expect_remove(HEAD BACKING(MEMFD SHARED) VCPU VIRTIOFS OTHER TAIL, true,
		      HEAD BACKING(MEMFD SHARED) VCPU OTHER TAIL, true);
	expect_remove(HEAD BACKING("    <locked/>\n" MEMFD SHARED) VCPU VIRTIOFS TAIL, true,
		      HEAD BACKING("    <locked/>\n" MEMFD SHARED) VCPU TAIL, true);
	/* Of another domain's share, and on one line. */
	expect_remove("<domain><devices><shmem name='scaph-x'/><shmem name='scaph-" UUID
		      "'/><a/></devices></domain>",
		      true, "<domain><devices><shmem name='scaph-x'/><a/></devices></domain>",
		      false);
}

static void alike(void **state)
{
	static const char numbered[] =
		"    <shmem name='scaph-" UUID "' role='master'>\n"
		"      <model type='ivshmem-plain'/>\n      <address type='pci'/>\n    </shmem>\n"
		"    <controller type='pci' index='1' model='pcie-root-port'><address x='1'/>"
		"</controller>\n";
	char text[4096] = HEAD VCPU;

	strcat(strcat(text, numbered), TAIL);
	assert_true(scaph_definition_alike(plain, plain, &terms));
	assert_true(scaph_definition_alike(plain, text, &terms));
	assert_true(scaph_definition_alike(text, plain, &terms));
	assert_true(scaph_definition_alike(
		plain, HEAD BACKING(MEMFD SHARED) VCPU VIRTIOFS PLAN9 TAIL, &terms));
	assert_false(scaph_definition_alike(plain, HEAD VCPU OTHER TAIL, &terms));
	assert_false(scaph_definition_alike(HEAD VCPU OTHER TAIL, plain, &terms));
	assert_false(scaph_definition_alike(plain, HEAD VCPU "<sound model='x'/>" TAIL, &terms));
	assert_false(scaph_definition_alike(HEAD "<t>1</t>" VCPU TAIL, HEAD "<t>2</t>" VCPU TAIL,
					    &terms));
	assert_false(scaph_definition_alike(HEAD "<t/><u/>" VCPU TAIL, HEAD "<t><u/></t>" VCPU TAIL,
					    &terms));
	assert_false(
		scaph_definition_alike(HEAD "<t a='1'/>" VCPU TAIL, HEAD "<t/>" VCPU TAIL, &terms));
	assert_false(scaph_definition_alike(plain, "<domain>", &terms));
}

static void transports(void **state)
{
	char text[SCAPH_TRANSPORTS_TEXT_BYTES];
	unsigned int back;

	for (unsigned int set = 0; set <= SCAPH_TRANSPORTS_ALL; set++) {
		scaph_transports_format(set, text);
		assert_true(scaph_transports_parse(text, &back));
		assert_int_equal(back, set);
	}
	assert_false(scaph_transports_parse("virtiofs,nfs", &back));
	assert_int_equal(scaph_transport_parse("nfs"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(added),      cmocka_unit_test(memory),
		cmocka_unit_test(refused),    cmocka_unit_test(readonly_device),
		cmocka_unit_test(removed),    cmocka_unit_test(alike),
		cmocka_unit_test(transports),
	};

	return cmocka_run_group_tests_name("definition", tests, NULL, NULL);
}
