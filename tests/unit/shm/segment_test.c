/* SPDX-License-Identifier: Apache-2.0 */
/*
 * segment_test.c - what a guest can put in a segment's place, and what becomes of files that are ours
 *
 * Everything here happens in a folder of its own on a tmpfs, as whoever runs it. What needs root is in
 * segment_root_test.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "shm/segment.h"

#define BYTES (64U << 10)
#define PAGE 4096U
#define NAME SCAPH_SEGMENT_NAME

struct folder {
	char path[64];
	int fd;
};

static int folder_setup(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));

	snprintf(folder->path, sizeof(folder->path), "/dev/shm/scaph-segment-XXXXXX");
	assert_non_null(mkdtemp(folder->path));
	folder->fd = open(folder->path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	assert_true(folder->fd >= 0);
	*state = folder;
	return 0;
}

static int folder_teardown(void **state)
{
	struct folder *folder = *state;

	unlinkat(folder->fd, NAME, 0);
	unlinkat(folder->fd, NAME, AT_REMOVEDIR);
	unlinkat(folder->fd, "other", 0);
	close(folder->fd);
	assert_int_equal(rmdir(folder->path), 0);
	free(folder);
	return 0;
}

static int try_open(struct folder *folder, struct scaph_segment *segment)
{
	*segment = SCAPH_SEGMENT_NULL;
	return scaph_segment_open(folder->fd, NAME, BYTES, 0644, SCAPH_SEGMENT_KEEP_GROUP, segment);
}

static void put_file(struct folder *folder, const char *name, const void *bytes, size_t count)
{
	int fd = openat(folder->fd, name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, count), (ssize_t)count);
	close(fd);
}

static void set_size(struct folder *folder, const char *name, off_t bytes)
{
	int fd = openat(folder->fd, name, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, bytes), 0);
	close(fd);
}

static struct stat stat_of(struct folder *folder, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(folder->fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st;
}

static void test_created_whole(void **state)
{
	struct folder *folder = *state;
	struct scaph_segment segment;
	struct stat st;

	umask(077);
	assert_int_equal(try_open(folder, &segment), 0);
	st = stat_of(folder, NAME);
	assert_int_equal(st.st_size, BYTES);
	assert_true((uint64_t)st.st_blocks * 512 >= BYTES);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(segment.bytes, BYTES);
	((char *)segment.guard.map)[BYTES - 1] = 7;
	scaph_segment_close(&segment);
	assert_int_equal(segment.fd, -1);
	scaph_segment_close(&segment);
}

static void test_symlink(void **state)
{
	struct folder *folder = *state;
	struct scaph_segment segment;

	put_file(folder, "other", "x", 1);
	assert_int_equal(symlinkat("other", folder->fd, NAME), 0);
	assert_int_equal(try_open(folder, &segment), SCAPH_SEGMENT_SYMLINK);
	assert_int_equal(stat_of(folder, "other").st_size, 1);
}

static void test_dangling_symlink(void **state)
{
	struct folder *folder = *state;
	struct scaph_segment segment;

	assert_int_equal(symlinkat("nowhere", folder->fd, NAME), 0);
	assert_int_equal(try_open(folder, &segment), SCAPH_SEGMENT_SYMLINK);
	assert_int_equal(faccessat(folder->fd, "nowhere", F_OK, 0), -1);
}

static void test_directory(void **state)
{
	struct folder *folder = *state;
	struct scaph_segment segment;

	assert_int_equal(mkdirat(folder->fd, NAME, 0700), 0);
	assert_int_equal(try_open(folder, &segment), SCAPH_SEGMENT_NOT_FILE);
}

/* Opening a fifo for writing waits for a reader: the alarm ends the program if it ever does. */
static void test_fifo(void **state)
{
	struct folder *folder = *state;
	struct scaph_segment segment;

	assert_int_equal(mkfifoat(folder->fd, NAME, 0600), 0);
	alarm(5);
	assert_int_equal(try_open(folder, &segment), SCAPH_SEGMENT_NOT_FILE);
	alarm(0);
}

static void test_socket(void **state)
{
	struct folder *folder = *state;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct scaph_segment segment;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/" NAME, folder->path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(try_open(folder, &segment), SCAPH_SEGMENT_NOT_FILE);
	close(fd);
}

static void test_hard_link(void **state)
{
	struct folder *folder = *state;
	struct scaph_segment segment;

	put_file(folder, "other", "precious", 8);
	assert_int_equal(linkat(folder->fd, "other", folder->fd, NAME, 0), 0);
	assert_int_equal(try_open(folder, &segment), SCAPH_SEGMENT_LINKED);
	assert_int_equal(stat_of(folder, "other").st_size, 8);
}

static void test_out_of_the_folder(void **state)
{
	struct folder *folder = *state;
	struct scaph_segment segment = SCAPH_SEGMENT_NULL;

	assert_int_equal(scaph_segment_open(folder->fd, "../scaph-segment-escape", BYTES, 0644,
					    SCAPH_SEGMENT_KEEP_GROUP, &segment),
			 -EXDEV);
	assert_int_equal(access("/dev/shm/scaph-segment-escape", F_OK), -1);
}

static void test_short_grows_and_keeps(void **state)
{
	struct folder *folder = *state;
	struct scaph_segment segment;
	ino_t inode;

	put_file(folder, NAME, "kept", 4);
	inode = stat_of(folder, NAME).st_ino;
	assert_int_equal(try_open(folder, &segment), 0);
	assert_int_equal(stat_of(folder, NAME).st_size, BYTES);
	assert_int_equal(stat_of(folder, NAME).st_ino, inode);
	assert_memory_equal(segment.guard.map, "kept", 4);
	scaph_segment_close(&segment);
}

static void test_longer_stays(void **state)
{
	struct folder *folder = *state;
	struct scaph_segment segment;

	put_file(folder, NAME, "", 0);
	set_size(folder, NAME, 4 * BYTES);
	assert_int_equal(try_open(folder, &segment), 0);
	assert_int_equal(stat_of(folder, NAME).st_size, 4 * BYTES);
	assert_int_equal(segment.bytes, BYTES);
	scaph_segment_close(&segment);
}

static void test_sparse_is_reserved(void **state)
{
	struct folder *folder = *state;
	struct scaph_segment segment;

	put_file(folder, NAME, "", 0);
	set_size(folder, NAME, BYTES);
	assert_int_equal(stat_of(folder, NAME).st_blocks, 0);
	assert_int_equal(try_open(folder, &segment), 0);
	assert_true((uint64_t)stat_of(folder, NAME).st_blocks * 512 >= BYTES);
	scaph_segment_close(&segment);
}

static void test_ivshmem_never_created(void **state)
{
	struct folder *folder = *state;
	struct scaph_segment segment = SCAPH_SEGMENT_NULL;

	assert_int_equal(scaph_segment_open_ivshmem(folder->fd, NAME, BYTES, &segment), -ENOENT);
	assert_int_equal(faccessat(folder->fd, NAME, F_OK, 0), -1);
}

static void test_ivshmem_sizes(void **state)
{
	struct folder *folder = *state;
	struct scaph_segment segment = SCAPH_SEGMENT_NULL;

	put_file(folder, NAME, "", 0);
	assert_int_equal(scaph_segment_open_ivshmem(folder->fd, NAME, BYTES, &segment),
			 SCAPH_SEGMENT_NOT_POWER);
	set_size(folder, NAME, 512U << 10);
	assert_int_equal(scaph_segment_open_ivshmem(folder->fd, NAME, BYTES, &segment),
			 SCAPH_SEGMENT_NOT_POWER);
	set_size(folder, NAME, (1U << 20) + PAGE);
	assert_int_equal(scaph_segment_open_ivshmem(folder->fd, NAME, BYTES, &segment),
			 SCAPH_SEGMENT_NOT_POWER);
	set_size(folder, NAME, 1U << 20);
	assert_int_equal(scaph_segment_open_ivshmem(folder->fd, NAME, 2U << 20, &segment),
			 SCAPH_SEGMENT_TOO_SMALL);
	assert_int_equal(scaph_segment_open_ivshmem(folder->fd, NAME, BYTES, &segment), 0);
	assert_int_equal(segment.bytes, 1U << 20);
	assert_int_equal(stat_of(folder, NAME).st_size, 1U << 20);
	assert_int_equal(stat_of(folder, NAME).st_mode & 07777, 0600);
	scaph_segment_close(&segment);
}

static void test_ivshmem_symlink(void **state)
{
	struct folder *folder = *state;
	struct scaph_segment segment = SCAPH_SEGMENT_NULL;

	put_file(folder, "other", "", 0);
	set_size(folder, "other", 1U << 20);
	assert_int_equal(symlinkat("other", folder->fd, NAME), 0);
	assert_int_equal(scaph_segment_open_ivshmem(folder->fd, NAME, BYTES, &segment),
			 SCAPH_SEGMENT_SYMLINK);
}

static void test_every_refusal_has_words(void **state)
{
	for (int refusal = SCAPH_SEGMENT_SYMLINK; refusal <= SCAPH_SEGMENT_NOT_POWER; refusal++)
		assert_true(strlen(scaph_segment_refusal_text(refusal)) > 20);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(test_created_whole),
		IN_FOLDER(test_symlink),
		IN_FOLDER(test_dangling_symlink),
		IN_FOLDER(test_directory),
		IN_FOLDER(test_fifo),
		IN_FOLDER(test_socket),
		IN_FOLDER(test_hard_link),
		IN_FOLDER(test_out_of_the_folder),
		IN_FOLDER(test_short_grows_and_keeps),
		IN_FOLDER(test_longer_stays),
		IN_FOLDER(test_sparse_is_reserved),
		IN_FOLDER(test_ivshmem_never_created),
		IN_FOLDER(test_ivshmem_sizes),
		IN_FOLDER(test_ivshmem_symlink),
		cmocka_unit_test(test_every_refusal_has_words),
	};

	return cmocka_run_group_tests_name("segment", tests, NULL, NULL);
}
