/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access_test.c - which way a segment is read, and what is done when that turns out wrong
 */
#include "cursor_bench.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/seq.h"
#include "shm/access.h"
#include "shm/cursor_state.h"
#include "shm/device.h"
#include "shm/mount.h"

static void test_mount_of(void **state)
{
	struct bench *bench = *state;
	struct scaph_mount mount = { .type = "untouched" };
	int proc = open("/proc/self/status", O_RDONLY | O_CLOEXEC);

	assert_int_equal(scaph_mount_of(bench->fd, &mount), 0);
	assert_string_equal(mount.type, "tmpfs");
	assert_false(mount.dax);
	assert_true(scaph_mount_is_local(&mount));
	assert_int_equal(scaph_mount_of(proc, &mount), 0);
	assert_string_equal(mount.type, "proc");
	assert_false(scaph_mount_is_local(&mount));
	close(proc);
	strcpy(mount.type, "untouched");
	assert_int_equal(scaph_mount_of(-1, &mount), -EBADF);
	assert_string_equal(mount.type, "untouched");
}

static void test_mount_types(void **state)
{
	static const char *const cached[] = { "virtiofs", "9p", "fuse",	  "fuse.sshfs", "nfs4",
					      "cifs",	  "",	"tmpfs2", "ext",	"autofs" };
	static const char *const local[] = { "tmpfs", "ramfs", "ext4", "xfs", "btrfs", "overlay" };
	struct scaph_mount mount = {};

	for (size_t i = 0; i < sizeof(cached) / sizeof(cached[0]); i++) {
		strcpy(mount.type, cached[i]);
		assert_false(scaph_mount_is_local(&mount));
	}
	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++) {
		strcpy(mount.type, local[i]);
		assert_true(scaph_mount_is_local(&mount));
	}
	/* With DAX the mapping is tried; only there. */
	mount.dax = true;
	strcpy(mount.type, "virtiofs");
	assert_true(scaph_mount_is_local(&mount));
	strcpy(mount.type, "nfs");
	assert_false(scaph_mount_is_local(&mount));
}

static void test_mount_line(void **state)
{
	static const struct {
		const char *line;
		int id;
		const char *type; /* NULL: not this one */
		bool dax;
	} lines[] = {
		{ "36 35 98:0 / /mnt rw,noatime master:1 - ext4 /dev/sda1 rw,dax", 36, "ext4",
		  true },
		{ "361 35 98:0 / /mnt rw - virtiofs tag rw\n", 36, NULL, false },
		{ "36 35 98:0 / /mnt rw - virtiofs tag rw,dax=always\n", 36, "virtiofs", true },
		{ "36 35 98:0 / /mnt rw - virtiofs dax rw\n", 36, "virtiofs", false },
		{ "36 35 98:0 / /mnt rw - virtiofs my-dax rw,nodax\n", 36, "virtiofs", false },
		{ "36 35 98:0 / /a\\040-\\040b rw shared:2 - 9p x rw", 36, "9p", false },
		{ "36 35 98:0 / /mnt rw -", 36, NULL, false },
		{ "36", 36, NULL, false },
		{ "", 0, NULL, false },
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct scaph_mount mount = {};
		char line[128];

		strcpy(line, lines[i].line);
		assert_int_equal(scaph_mount_parse(line, (uint64_t)lines[i].id, &mount),
				 lines[i].type != NULL);
		assert_string_equal(mount.type, lines[i].type ? lines[i].type : "");
		assert_int_equal(mount.dax, lines[i].dax);
	}
}

static void put(const char *dir, const char *name, const char *text)
{
	char path[160];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void test_ivshmem_device(void **state)
{
	struct bench *bench = *state;
	char path[160];

	snprintf(path, sizeof(path), "%s/resource2", bench->dir);
	assert_false(scaph_device_is_ivshmem_resource(path));
	put(bench->dir, "vendor", "0x1af4\n");
	put(bench->dir, "device", "0x1110\n");
	assert_true(scaph_device_is_ivshmem_resource(path));
	assert_true(scaph_device_is_ivshmem(bench->dir));
	snprintf(path, sizeof(path), "%s/resource2_wc", bench->dir);
	assert_false(scaph_device_is_ivshmem_resource(path));
	assert_false(scaph_device_is_ivshmem_resource("resource2"));
	put(bench->dir, "device", "0x1000\n");
	snprintf(path, sizeof(path), "%s/resource2", bench->dir);
	assert_false(scaph_device_is_ivshmem_resource(path));
	snprintf(path, sizeof(path), "%s/vendor", bench->dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/device", bench->dir);
	unlink(path);
}

/* No PCI resource but an ivshmem device's is a segment. */
static void test_other_sysfs_files(void **state)
{
	struct scaph_cursor *cursor = NULL;

	assert_int_equal(scaph_cursor_open("/sys/kernel/mm/transparent_hugepage/enabled",
					   SCAPH_MODE_AUTO, 1, &cursor),
			 -ENOTSUP);
	assert_null(cursor);
}

static void test_auto_is_coherent_on_tmpfs(void **state)
{
	struct bench *bench = *state;

	bench_publish(bench, 1);
	bench_open(bench, SCAPH_MODE_AUTO);
	assert_int_equal(scaph_cursor_mode(bench->cursor), SCAPH_MODE_COHERENT);
	bench_publish(bench, 1);
	bench_expect_record(bench, 0);
}

/* Run in a child whose /proc is empty: where nothing can be known, reading is by pread. */
static int without_proc(struct bench *bench)
{
	struct scaph_slot slot;
	uint64_t lost;

	if (unshare(geteuid() ? CLONE_NEWUSER | CLONE_NEWNS : CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", "/proc", "tmpfs", 0, NULL) < 0)
		return 10;
	if (scaph_cursor_open(bench->path, SCAPH_MODE_AUTO, 1, &bench->cursor) != 0)
		return 11;
	if (scaph_cursor_mode(bench->cursor) != SCAPH_MODE_SNAPSHOT)
		return 12;
	scaph_writer_beat(&bench->writer);
	if (scaph_cursor_next(bench->cursor, 2, &slot, &lost) != SCAPH_CURSOR_RECORD)
		return 13;
	return 0;
}

static void test_auto_without_proc(void **state)
{
	struct bench *bench = *state;
	int status;
	pid_t pid;

	bench_publish(bench, 1);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(without_proc(bench));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* What a guest's page cache does: the mapping is a copy of some moment, and stays it. */
static void freeze(struct bench *bench)
{
	struct scaph_guard *guard = &bench->cursor->att.access.guard;
	void *copy = malloc(guard->bytes);

	memcpy(copy, guard->map, guard->bytes);
	assert_true(mmap(guard->map, guard->bytes, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED);
	memcpy(guard->map, copy, guard->bytes);
	free(copy);
}

static void test_mapping_frozen_from_the_start(void **state)
{
	struct bench *bench = *state;

	bench_publish(bench, 5);
	bench_open(bench, SCAPH_MODE_AUTO);
	freeze(bench);
	bench_publish(bench, 3);
	bench_expect(bench, SCAPH_CURSOR_UNPROVEN);
	assert_int_equal(scaph_cursor_mode(bench->cursor), SCAPH_MODE_SNAPSHOT);
	bench_expect_record(bench, 4);
	assert_int_equal(bench_drain(bench, 5), 3);
}

static void test_mapping_freezes_later(void **state)
{
	struct bench *bench = *state;

	bench_publish(bench, 5);
	bench_open(bench, SCAPH_MODE_AUTO);
	bench_publish(bench, 1);
	assert_int_equal(bench_drain(bench, 4), 2);
	freeze(bench);
	while (scaph_cursor_mode(bench->cursor) == SCAPH_MODE_COHERENT) {
		bench_publish(bench, 1);
		assert_int_equal(bench_next(bench), SCAPH_CURSOR_EMPTY);
		bench->now_ns += 10 * MS;
		assert_true(bench->writer.next_index < 50);
	}
	assert_int_equal(bench_drain(bench, 6), bench->writer.next_index - 6);
}

/* Asked for by name, a mode stays: frozen is unproven for ever, and no figure is shown. */
static void test_coherent_by_name_stays(void **state)
{
	struct bench *bench = *state;

	bench_publish(bench, 5);
	bench_open(bench, SCAPH_MODE_COHERENT);
	freeze(bench);
	for (int i = 0; i < 50; i++) {
		bench_publish(bench, 1);
		bench_expect(bench, SCAPH_CURSOR_UNPROVEN);
		bench->now_ns += 10 * MS;
	}
	assert_int_equal(scaph_cursor_mode(bench->cursor), SCAPH_MODE_COHERENT);
}

/* A stride beyond 64 bytes: extension lines are stepped over, up to the ring's end. */
static void test_wide_stride(void **state)
{
	static const uint32_t strides[] = { 128, 192, 4096, 131072 };
	struct bench *bench = *state;

	for (size_t s = 0; s < sizeof(strides) / sizeof(strides[0]); s++) {
		struct scaph_ring_place ring = {
			.offset = SCAPH_PREFIX_BYTES,
			.stride = strides[s],
			.count = 16,
		};
		struct scaph_access access;

		assert_int_equal(ftruncate(bench->fd, SCAPH_PREFIX_BYTES + 16 * (off_t)strides[s]),
				 0);
		assert_int_equal(scaph_access_open(bench->path, bench->mode, &access), 0);
		for (uint32_t i = 0; i < 16; i++) {
			uint64_t word = 1000 + i;

			assert_int_equal(
				pwrite(bench->fd, &word, 8, (off_t)(ring.offset + i * ring.stride)),
				8);
		}
		for (uint32_t first = 0; first < 16; first++) {
			struct scaph_run run;
			uint64_t word;

			assert_int_equal(access.ops->slots(&access, &ring, first, 100, &run), 0);
			assert_true(run.count >= 1 && run.count <= 16 - first);
			for (uint32_t i = 0; i < run.count; i++) {
				memcpy(&word, run.bytes + (uint64_t)i * run.stride, 8);
				assert_int_equal(word, 1000 + first + i);
			}
		}
		scaph_access_close(&access);
	}
	assert_int_equal(ftruncate(bench->fd, (off_t)bench->bytes), 0);
}

/* The far end of the file is missing: an error and not a short answer. */
static void test_slots_beyond_the_end(void **state)
{
	struct bench *bench = *state;
	struct scaph_ring_place ring = {
		.offset = SCAPH_PREFIX_BYTES,
		.stride = SCAPH_SLOT_BYTES,
		.count = 1024,
	};
	struct scaph_access access;
	struct scaph_run run;

	assert_int_equal(scaph_access_open(bench->path, SCAPH_MODE_SNAPSHOT, &access), 0);
	assert_int_equal(ftruncate(bench->fd, SCAPH_PREFIX_BYTES + 100), 0);
	assert_int_equal(access.ops->slots(&access, &ring, 0, 10, &run), 0);
	assert_int_equal(run.count, 1);
	assert_int_equal(access.ops->slots(&access, &ring, 1, 10, &run), -ENODATA);
	assert_int_equal(access.ops->slots(&access, &ring, 1000, 10, &run), -ENODATA);
	scaph_access_close(&access);
	assert_int_equal(ftruncate(bench->fd, (off_t)bench->bytes), 0);
}

#define ON_BENCH(test) cmocka_unit_test_setup_teardown(test, bench_setup_coherent, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BENCH(test_mount_of),
		cmocka_unit_test(test_mount_types),
		cmocka_unit_test(test_mount_line),
		ON_BENCH(test_ivshmem_device),
		cmocka_unit_test(test_other_sysfs_files),
		ON_BENCH(test_auto_is_coherent_on_tmpfs),
		ON_BENCH(test_auto_without_proc),
		ON_BENCH(test_mapping_frozen_from_the_start),
		ON_BENCH(test_mapping_freezes_later),
		ON_BENCH(test_coherent_by_name_stays),
		IN_BOTH_MODES(test_wide_stride),
		ON_BENCH(test_slots_beyond_the_end),
	};

	return cmocka_run_group_tests_name("access", tests, NULL, NULL);
}
