/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cursor_bench.c - see cursor_bench.h
 */
#include "cursor_bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/descriptor.h"
#include "proto/seq.h"

static int setup(void **state, enum scaph_mode mode)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	bench->mode = mode;
	bench->fd = -1;
	bench->now_ns = 1000000000ULL;
	strcpy(bench->dir, "/dev/shm/scaph-cursor-XXXXXX");
	assert_non_null(mkdtemp(bench->dir));
	snprintf(bench->path, sizeof(bench->path), "%s/scaph.ring", bench->dir);
	scaph_descriptor_init(&bench->desc);
	bench->desc.window_ns = WINDOW_NS;
	bench->desc.profile = SCAPH_PROFILE_TRUSTED;
	strcpy(bench->desc.name, "guest");
	memset(bench->desc.uuid, 7, sizeof(bench->desc.uuid));
	bench_create(bench);
	bench_adopt(bench, EPOCH_A);
	*state = bench;
	return 0;
}

int bench_setup_coherent(void **state)
{
	return setup(state, SCAPH_MODE_COHERENT);
}

int bench_setup_snapshot(void **state)
{
	return setup(state, SCAPH_MODE_SNAPSHOT);
}

int bench_teardown(void **state)
{
	struct bench *bench = *state;

	scaph_cursor_free(bench->cursor);
	munmap(bench->map, bench->bytes);
	close(bench->fd);
	unlink(bench->path);
	rmdir(bench->dir);
	free(bench);
	return 0;
}

void bench_create(struct bench *bench)
{
	if (bench->fd >= 0) {
		munmap(bench->map, bench->bytes);
		close(bench->fd);
	}
	scaph_descriptor_place_rings(&bench->desc, &bench->bytes);
	bench->slots = bench->desc.blocks[0].count;
	unlink(bench->path);
	bench->fd = open(bench->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(bench->fd >= 0);
	assert_int_equal(ftruncate(bench->fd, (off_t)bench->bytes), 0);
	bench->map = mmap(NULL, bench->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bench->fd, 0);
	assert_true(bench->map != MAP_FAILED);
}

void bench_adopt(struct bench *bench, uint64_t epoch_id)
{
	bench->desc.epoch_id = epoch_id;
	scaph_writer_adopt(&bench->writer, bench->map, bench->bytes, &bench->desc);
}

void bench_publish(struct bench *bench, uint64_t count)
{
	while (count--) {
		uint64_t index = bench->writer.next_index;

		bench->newest = (struct scaph_slot){
			.mono_ns = index * WINDOW_NS,
			.package_uj = index * 3 + 1,
			.core_uj = index * 3 + 2,
			.dram_uj = index * 3 + 3,
			.idle_uj = index,
			.cpu_ns = index * 5,
			.flags = SCAPH_FLAG_PACKAGE,
		};

		assert_int_equal(scaph_writer_publish(&bench->writer, &bench->newest), 0);
	}
}

void bench_writer_at(struct bench *bench, uint64_t index)
{
	bench->writer.next_index = index;
	scaph_writer_refresh(&bench->writer);
}

void bench_open(struct bench *bench, enum scaph_mode mode)
{
	bench->cursor = scaph_cursor_free(bench->cursor);
	assert_int_equal(scaph_cursor_open(bench->path, mode, bench->now_ns, &bench->cursor), 0);
}

void bench_live(struct bench *bench, uint64_t before)
{
	bench_publish(bench, before);
	bench_open(bench, bench->mode);
	bench_expect(bench, SCAPH_CURSOR_UNPROVEN);
	scaph_writer_beat(&bench->writer);
	assert_int_equal(scaph_cursor_mode(bench->cursor), bench->mode);
}

/* A verified record says the same in all its fields, or it is no record of ours. */
static void check_record(const struct scaph_slot *slot)
{
	uint64_t index = scaph_seq_index(slot->seq);

	assert_int_equal(slot->mono_ns, index * WINDOW_NS);
	assert_int_equal(slot->package_uj, index * 3 + 1);
	assert_int_equal(slot->core_uj, index * 3 + 2);
	assert_int_equal(slot->dram_uj, index * 3 + 3);
	assert_int_equal(slot->idle_uj, index);
	assert_int_equal(slot->cpu_ns, index * 5);
}

int bench_next(struct bench *bench)
{
	struct scaph_slot slot = { .seq = 77 };
	uint64_t lost = 77;
	int event = scaph_cursor_next(bench->cursor, bench->now_ns, &slot, &lost);

	/* Outputs are set with their event and untouched without. */
	if (event == SCAPH_CURSOR_RECORD) {
		check_record(&slot);
		bench->slot = slot;
	} else {
		assert_int_equal(slot.seq, 77);
	}
	if (event == SCAPH_CURSOR_LOST)
		bench->lost = lost;
	else
		assert_int_equal(lost, 77);
	return event;
}

int bench_latest(struct bench *bench)
{
	struct scaph_slot slot = { .seq = 77 };
	int event = scaph_cursor_latest(bench->cursor, bench->now_ns, &slot);

	if (event == SCAPH_CURSOR_RECORD) {
		check_record(&slot);
		bench->slot = slot;
	} else {
		assert_int_equal(slot.seq, 77);
	}
	return event;
}

void bench_expect_record(struct bench *bench, uint64_t index)
{
	bench_expect(bench, SCAPH_CURSOR_RECORD);
	assert_int_equal(scaph_seq_index(bench->slot.seq), index);
	assert_int_equal(scaph_seq_tag(bench->slot.seq), bench->writer.tag);
}

void bench_expect(struct bench *bench, enum scaph_cursor_event event)
{
	assert_int_equal(bench_next(bench), event);
}

uint64_t bench_drain(struct bench *bench, uint64_t index)
{
	uint64_t count = 0;
	int event;

	bench->now_ns += WINDOW_NS; /* a new look, not the rest of the last one */
	while ((event = bench_next(bench)) == SCAPH_CURSOR_RECORD)
		assert_int_equal(scaph_seq_index(bench->slot.seq), index + count++);
	assert_int_equal(event, SCAPH_CURSOR_EMPTY);
	return count;
}

int bench_wait(struct bench *bench, uint64_t within_ns)
{
	uint64_t until_ns = bench->now_ns + within_ns;
	int event;

	while ((event = bench_next(bench)) == SCAPH_CURSOR_EMPTY) {
		assert_true(bench->now_ns <= until_ns);
		bench->now_ns += 10 * MS;
	}
	return event;
}

uint64_t *bench_slot(struct bench *bench, uint64_t index)
{
	uint64_t at = index & (bench->slots - 1);

	return (uint64_t *)(bench->map + SCAPH_PREFIX_BYTES + at * SCAPH_SLOT_BYTES);
}

uint64_t *bench_head(struct bench *bench)
{
	return (uint64_t *)(bench->map + SCAPH_HEAD_OFFSET);
}
