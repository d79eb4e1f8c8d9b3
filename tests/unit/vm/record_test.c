/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_test.c - the journal: what is noted, what of it survives, what is refused
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tools/vm/record.h"
#include "tools/vm/store.h"
#include "tools/vm/transport.h"

#define UUID "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
#define LATER "7ba7b810-9dad-11d1-80b4-00c04fd430c8"

static const struct scaph_vm_options options = {
	.share_root = "/a b/shares",
	.export_root = "/export",
	.shm_dir = "/dev/shm",
	.profile_dir = "/profiles",
};

static char folder[] = "/tmp/scaph-record-XXXXXX";
static char path[64];

static int set_up(void **state)
{
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/deep/vm", folder);
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

static void round_trip(void **state)
{
	struct scaph_record record, back;
	char *text, *again;

	for (unsigned int state_of = SCAPH_RECORD_ENABLING; state_of <= SCAPH_RECORD_DISABLING;
	     state_of++) {
		assert_int_equal(scaph_record_init(&record, &options, "a b \\x09c"), 0);
		record.state = state_of;
		record.transports = SCAPH_TRANSPORT_PLAN9;
		record.adding = SCAPH_TRANSPORTS_ALL;
		record.live = SCAPH_TRANSPORT_IVSHMEM;
		record.profile = SCAPH_VM_PROFILE_OFF;
		record.profile_adding = SCAPH_VM_PROFILE_TRUSTED;
		record.exact = state_of == SCAPH_RECORD_ENABLING;
		record.memory = !record.exact;
		record.user_known = record.exact;
		record.user = (struct scaph_qemu_user){ 64055, 106 };
		text = scaph_record_format(&record);
		assert_int_equal(scaph_record_parse(text, &back), 0);
		again = scaph_record_format(&back);
		assert_string_equal(text, again);
		assert_int_equal(back.state, state_of);
		assert_int_equal(back.user_known, record.exact);
		assert_string_equal(back.shown, "a b \\x09c");
		assert_string_equal(back.share_root, "/a b/shares");
		assert_int_equal(back.live, SCAPH_TRANSPORT_IVSHMEM);
		assert_int_equal(back.profile, SCAPH_VM_PROFILE_OFF);
		assert_int_equal(back.profile_adding, SCAPH_VM_PROFILE_TRUSTED);
		assert_string_equal(back.profile_dir, "/profiles");
		scaph_record_deinit(&record);
		scaph_record_deinit(&back);
		free(text);
		free(again);
	}
}

/* Cut anywhere, or with a word that is not known: never taken for another state. */
static void refused(void **state)
{
	static const char *const bad[] = { "state none\n",     "state broken\n",
					   "version 2\n",      "exact maybe\n",
					   "qemu-user root\n", "frob 1\n",
					   "transports nfs\n", "name\n",
					   "profile exact\n",  "live usb\n" };
	struct scaph_record record, back = {};
	char *text, *longer;

	assert_int_equal(scaph_record_init(&record, &options, "web"), 0);
	record.state = SCAPH_RECORD_ENABLED_STATE;
	text = scaph_record_format(&record);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_true(asprintf(&longer, "%s%s", text, bad[i]) > 0);
		assert_int_equal(scaph_record_parse(longer, &back), -EINVAL);
		free(longer);
	}
	text[strlen(text) / 2] = '\0';
	assert_int_equal(scaph_record_parse(text, &back), -EINVAL);
	assert_int_equal(scaph_record_parse("", &back), -EINVAL);
	free(text);
	scaph_record_deinit(&record);
}

static void kept(void **state)
{
	struct scaph_record record, back;
	char uuid[37] = "", *text;
	int store = scaph_store_open(path, true, 0);
	struct stat st;

	assert_true(store >= 0);
	assert_int_equal(fstat(store, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(scaph_record_load(store, UUID, &back), 0);
	assert_int_equal(back.state, SCAPH_RECORD_NONE);
	assert_int_equal(scaph_record_init(&record, &options, "web"), 0);
	record.state = SCAPH_RECORD_ENABLED_STATE;
	assert_int_equal(scaph_record_save(store, UUID, &record), 0);
	assert_int_equal(scaph_store_put(store, LATER, SCAPH_RECORD_ORIGINAL, "<a/>\n"), 0);
	assert_int_equal(scaph_store_put(store, LATER, SCAPH_RECORD_ORIGINAL, "<b/>\n"), 0);
	text = scaph_store_get(store, LATER, SCAPH_RECORD_ORIGINAL);
	assert_string_equal(text, "<b/>\n");
	free(text);
	assert_int_equal(scaph_record_load(store, UUID, &back), 0);
	assert_int_equal(back.state, SCAPH_RECORD_ENABLED_STATE);
	scaph_record_deinit(&back);
	assert_int_equal(mkdirat(store, "no UUID", 0700), 0);
	assert_true(scaph_store_next(store, uuid));
	assert_string_equal(uuid, UUID);
	assert_true(scaph_store_next(store, uuid));
	assert_string_equal(uuid, LATER);
	assert_false(scaph_store_next(store, uuid));
	assert_int_equal(scaph_record_forget(store, UUID), 0);
	assert_int_equal(scaph_record_forget(store, UUID), 0);
	assert_int_equal(faccessat(store, UUID, F_OK, 0), -1);
	scaph_record_deinit(&record);
	close(store);
}

/* What a killed run leaves beside a text is not taken for it. */
static void half_written(void **state)
{
	struct scaph_record back;
	int store = scaph_store_open(path, true, 0), fd;
	char *text;

	assert_int_equal(scaph_store_put(store, UUID, SCAPH_RECORD_BEFORE, "whole"), 0);
	fd = openat(store, UUID "/" SCAPH_RECORD_BEFORE ".new", O_CREAT | O_WRONLY, 0600);
	assert_int_equal(write(fd, "ha", 2), 2);
	close(fd);
	fd = openat(store, UUID "/record.new", O_CREAT | O_WRONLY, 0600);
	close(fd);
	text = scaph_store_get(store, UUID, SCAPH_RECORD_BEFORE);
	assert_string_equal(text, "whole");
	free(text);
	assert_int_equal(scaph_record_load(store, UUID, &back), 0);
	assert_int_equal(back.state, SCAPH_RECORD_NONE);
	assert_int_equal(scaph_record_forget(store, UUID), 0);
	close(store);
}

static void guarded(void **state)
{
	int store, second;

	assert_int_equal(scaph_store_open(path, false, 0), SCAPH_STORE_ABSENT);
	store = scaph_store_open(path, true, 0);
	assert_true(store >= 0);
	second = scaph_store_open(path, true, 0);
	assert_true(second < 0 && second != SCAPH_STORE_ABSENT);
	second = scaph_store_open(path, false, 0);
	assert_true(second >= 0);
	close(second);
	close(store);
	assert_int_equal(chmod(path, 0770), 0);
	assert_true(scaph_store_open(path, true, 0) < 0);
	assert_int_equal(chmod(path, 0700), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(refused),
		cmocka_unit_test_setup_teardown(kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(half_written, set_up, tear_down),
		cmocka_unit_test_setup_teardown(guarded, set_up, tear_down),
	};

	/* What is refused is said in a line each; here only the answer counts. */
	if (!freopen("/dev/null", "w", stderr))
		return 1;
	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
