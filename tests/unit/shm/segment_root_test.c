/* SPDX-License-Identifier: Apache-2.0 */
/*
 * segment_root_test.c - files of other owners, device nodes and a full tmpfs: what only root can set up
 *
 * All of it in a tmpfs of 64 KiB that is mounted in this process's own mount namespace and goes away with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <cmocka.h>

#include "shm/segment.h"

#define NAME SCAPH_SEGMENT_NAME
#define TMPFS_BYTES (64U << 10)
#define FITS_BYTES (32U << 10)
#define TOO_MANY_BYTES (128U << 10)
#define STRANGER 65534

static char place[] = "/dev/shm/scaph-root-XXXXXX";
static int dir_fd;

static int try_open(uint64_t bytes, struct scaph_segment *segment)
{
	*segment = SCAPH_SEGMENT_NULL;
	return scaph_segment_open(dir_fd, NAME, bytes, 0644, SCAPH_SEGMENT_KEEP_GROUP, segment);
}

static int put_file(off_t bytes)
{
	int fd = openat(dir_fd, NAME, O_RDWR | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, bytes), 0);
	return fd;
}

static int forget_file(void **state)
{
	unlinkat(dir_fd, NAME, 0);
	unlinkat(dir_fd, "filler", 0);
	return 0;
}

static uint64_t free_blocks(void)
{
	struct statfs fs;

	assert_int_equal(fstatfs(dir_fd, &fs), 0);
	return fs.f_bfree;
}

static void test_foreign_owner(void **state)
{
	struct scaph_segment segment;
	struct stat st;
	int fd = put_file(0);

	assert_int_equal(fchown(fd, STRANGER, STRANGER), 0);
	assert_int_equal(try_open(FITS_BYTES, &segment), SCAPH_SEGMENT_NOT_OWNED);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	close(fd);
}

/* A folder that was made for the daemon's own user: what root creates there is that user's, and root takes that user's file. */
static void test_folder_of_another(void **state)
{
	struct scaph_segment segment;
	struct stat first, second;

	assert_int_equal(fchown(dir_fd, STRANGER, STRANGER), 0);
	assert_int_equal(try_open(FITS_BYTES, &segment), 0);
	assert_int_equal(fstat(segment.fd, &first), 0);
	assert_int_equal(first.st_uid, STRANGER);
	assert_int_equal(first.st_mode & 07777, 0644);
	scaph_segment_close(&segment);
	assert_int_equal(try_open(FITS_BYTES, &segment), 0);
	assert_int_equal(fstat(segment.fd, &second), 0);
	assert_int_equal(second.st_ino, first.st_ino);
	assert_int_equal(fchown(segment.fd, STRANGER - 1, (gid_t)-1), 0);
	scaph_segment_close(&segment);
	assert_int_equal(try_open(FITS_BYTES, &segment), SCAPH_SEGMENT_NOT_OWNED);
	assert_int_equal(fchown(dir_fd, 0, 0), 0);
}

/* QEMU's user owns an ivshmem file; its owner is no criterion and is not changed. */
static void test_ivshmem_of_another(void **state)
{
	struct scaph_segment segment = SCAPH_SEGMENT_NULL;
	int fd;

	assert_int_equal(mount("tmpfs", place, "tmpfs", MS_REMOUNT, "size=2m"), 0);
	fd = put_file(1 << 20);
	assert_int_equal(fchown(fd, STRANGER, STRANGER), 0);
	assert_int_equal(scaph_segment_open_ivshmem(dir_fd, NAME, FITS_BYTES, &segment), 0);
	scaph_segment_close(&segment);
	close(fd);
	assert_int_equal(unlinkat(dir_fd, NAME, 0), 0);
	assert_int_equal(mount("tmpfs", place, "tmpfs", MS_REMOUNT, "size=64k"), 0);
}

static void test_device_node(void **state)
{
	struct scaph_segment segment;

	assert_int_equal(mknodat(dir_fd, NAME, S_IFCHR | 0600, makedev(1, 5)), 0);
	assert_int_equal(try_open(FITS_BYTES, &segment), SCAPH_SEGMENT_NOT_FILE);
}

static void test_group_is_set(void **state)
{
	struct scaph_segment segment = SCAPH_SEGMENT_NULL;
	struct stat st;

	assert_int_equal(scaph_segment_open(dir_fd, NAME, FITS_BYTES, 0640, STRANGER, &segment), 0);
	assert_int_equal(fstat(segment.fd, &st), 0);
	assert_int_equal(st.st_gid, STRANGER);
	assert_int_equal(st.st_mode & 07777, 0640);
	scaph_segment_close(&segment);
}

static void test_full_leaves_nothing(void **state)
{
	struct scaph_segment segment;
	uint64_t before = free_blocks();

	assert_int_equal(try_open(TOO_MANY_BYTES, &segment), -ENOSPC);
	assert_int_equal(segment.fd, -1);
	assert_int_equal(faccessat(dir_fd, NAME, F_OK, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(free_blocks(), before);
}

/* A sparse file of the right length looks whole; its holes would be a SIGBUS later. */
static void test_full_and_sparse(void **state)
{
	struct scaph_segment segment;
	struct stat st;
	int fd = put_file(TOO_MANY_BYTES);

	assert_int_equal(try_open(TOO_MANY_BYTES, &segment), -ENOSPC);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, TOO_MANY_BYTES);
	close(fd);
}

static void test_full_keeps_what_was_there(void **state)
{
	struct scaph_segment segment;
	struct stat st;
	int fd = put_file(0);

	assert_int_equal(write(fd, "kept", 4), 4);
	assert_int_equal(try_open(TOO_MANY_BYTES, &segment), -ENOSPC);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 4);
	assert_int_equal(st.st_nlink, 1);
	close(fd);
}

static int place_setup(void **state)
{
	if (!mkdtemp(place))
		return -1;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", place, "tmpfs", MS_NOSUID, "size=64k") < 0)
		return -1;
	dir_fd = open(place, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	return dir_fd < 0 ? -1 : 0;
}

static int place_teardown(void **state)
{
	close(dir_fd);
	return umount(place) < 0 || rmdir(place) < 0 ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_foreign_owner, forget_file),
		cmocka_unit_test_teardown(test_folder_of_another, forget_file),
		cmocka_unit_test_teardown(test_ivshmem_of_another, forget_file),
		cmocka_unit_test_teardown(test_device_node, forget_file),
		cmocka_unit_test_teardown(test_group_is_set, forget_file),
		cmocka_unit_test_teardown(test_full_leaves_nothing, forget_file),
		cmocka_unit_test_teardown(test_full_and_sparse, forget_file),
		cmocka_unit_test_teardown(test_full_keeps_what_was_there, forget_file),
	};

	if (geteuid() != 0) {
		puts("1..0 # SKIP foreign owners, devices and a full tmpfs need root");
		return 0;
	}
	return cmocka_run_group_tests_name("segment as root", tests, place_setup, place_teardown);
}
