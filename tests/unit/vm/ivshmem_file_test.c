/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ivshmem_file_test.c - the file behind the device: made, made right, refused; and whose it is to be
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

#include "tools/vm/ivshmem_file.h"

#define UUID "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
#define BYTES (1 << 20)

static char folder[] = "/tmp/scaph-ivshmem-XXXXXX";
static char path[128], other[128];
static struct scaph_qemu_user user;

static int set_up(void **state)
{
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/scaph-" UUID, folder);
	snprintf(other, sizeof(other), "%s/other", folder);
	/* Only root can give a file away. */
	user = (struct scaph_qemu_user){ geteuid() ? geteuid() : 64055,
					 geteuid() ? getegid() : 106 };
	return 0;
}

static int tear_down(void **state)
{
	unlink(path);
	unlink(other);
	return rmdir(folder);
}

static enum scaph_ivshmem_state look(void)
{
	return scaph_ivshmem_file_look(folder, UUID, &user);
}

static void put(off_t bytes, mode_t mode)
{
	int fd = open(path, O_CREAT | O_EXCL | O_RDWR, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, bytes), 0);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void made(void **state)
{
	struct stat st;

	assert_int_equal(look(), SCAPH_IVSHMEM_ABSENT);
	for (int turn = 0; turn < 2; turn++) {
		assert_int_equal(scaph_ivshmem_file_make(folder, UUID, &user), 0);
		assert_int_equal(look(), SCAPH_IVSHMEM_GOOD);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_size, BYTES);
		assert_int_equal(st.st_blocks * 512,
				 BYTES); /* reserved: no fault for want of room */
		assert_int_equal(st.st_uid, user.user);
		assert_int_equal(st.st_gid, user.group);
		assert_int_equal(st.st_mode, S_IFREG | 0660);
	}
	assert_int_equal(scaph_ivshmem_file_remove(folder, UUID), 0);
	assert_int_equal(scaph_ivshmem_file_remove(folder, UUID), 0);
	assert_int_equal(look(), SCAPH_IVSHMEM_ABSENT);
}

/* What a run that was killed left behind is made right, and never cut. */
static void made_right(void **state)
{
	put(0, 0600);
	assert_int_equal(look(), SCAPH_IVSHMEM_SIZE);
	assert_int_equal(scaph_ivshmem_file_make(folder, UUID, &user), 0);
	assert_int_equal(look(), SCAPH_IVSHMEM_GOOD);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(look(), SCAPH_IVSHMEM_ACCESS);
	assert_int_equal(scaph_ivshmem_file_make(folder, UUID, &user), 0);
	assert_int_equal(look(), SCAPH_IVSHMEM_GOOD);
	assert_int_equal(truncate(path, 2 * BYTES), 0);
	assert_int_equal(look(), SCAPH_IVSHMEM_SIZE);
	assert_int_equal(scaph_ivshmem_file_make(folder, UUID, &user), -EEXIST);
}

static void refuse(void)
{
	struct stat before, after;

	assert_int_equal(look(), SCAPH_IVSHMEM_FOREIGN);
	assert_int_equal(lstat(path, &before), 0);
	assert_true(scaph_ivshmem_file_make(folder, UUID, &user) < 0);
	assert_int_equal(lstat(path, &after), 0);
	assert_int_equal(before.st_mode, after.st_mode);
	assert_int_equal(before.st_uid, after.st_uid);
	assert_int_equal(before.st_size, after.st_size);
	assert_int_equal(unlink(path), 0);
}

static void refused(void **state)
{
	assert_int_equal(symlink("/etc/hostname", path), 0);
	refuse();
	assert_int_equal(mkfifo(path, 0600), 0);
	refuse();
	put(0, 0600);
	assert_int_equal(link(path, other), 0);
	refuse();
	if (geteuid() == 0) {
		put(0, 0666);
		assert_int_equal(chown(path, 12345, 12345), 0);
		refuse();
	}
}

static void qemu_user(void **state)
{
	static const char host[] =
		"<capabilities><host><secmodel><model>apparmor</model><doi>0</doi></secmodel>"
		"<secmodel><model>dac</model><doi>0</doi><baselabel type='kvm'>+64055:+106"
		"</baselabel><baselabel type='qemu'>+64055:+106</baselabel></secmodel></host>"
		"</capabilities>";
	static const char own[] = "<domain><seclabel type='static' model='apparmor'/>"
				  "<seclabel type='static' model='dac'><label>+7:+8</label>"
				  "</seclabel></domain>";
	static const char named[] = "<domain><seclabel type='static' model='dac'>"
				    "<label>root:root</label></seclabel></domain>";
	struct scaph_qemu_user found = {};

	assert_true(scaph_qemu_user_parse(host, "<domain/>", &found));
	assert_int_equal(found.user, 64055);
	assert_int_equal(found.group, 106);
	assert_true(scaph_qemu_user_parse(host, own, &found));
	assert_int_equal(found.user, 7);
	assert_int_equal(found.group, 8);
	assert_false(scaph_qemu_user_parse(host, named, &found));
	assert_false(scaph_qemu_user_parse("<capabilities/>", "<domain/>", &found));
	assert_false(scaph_qemu_user_parse("", "", &found));
	assert_int_equal(found.user, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(made, set_up, tear_down),
		cmocka_unit_test_setup_teardown(made_right, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refused, set_up, tear_down),
		cmocka_unit_test(qemu_user),
	};

	/* What is refused is said in a line each; here only the answer counts. */
	if (!freopen("/dev/null", "w", stderr))
		return 1;
	return cmocka_run_group_tests_name("ivshmem_file", tests, NULL, NULL);
}
