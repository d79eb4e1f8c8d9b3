/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer_test.c - the bytes that each call of the writer leaves behind
 *
 * One thread over private memory, so the bytes may be looked at directly.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

#include "proto/descriptor.h"
#include "proto/seq.h"
#include "proto/slot.h"
#include "proto/status.h"
#include "shm/writer.h"

#define EPOCH 0x1122334455667788ULL
#define TAG 0x667788U
#define SCRIBBLE 0xa5

struct bench {
	uint8_t *map;
	uint64_t bytes;
	struct scaph_descriptor desc;
	struct scaph_writer writer;
};

static int bench_setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	scaph_descriptor_init(&bench->desc);
	bench->desc.epoch_id = EPOCH;
	bench->desc.window_ns = 20000000;
	strcpy(bench->desc.name, "guest");
	memset(bench->desc.uuid, 7, sizeof(bench->desc.uuid));
	scaph_descriptor_place_rings(&bench->desc, &bench->bytes);
	bench->map = mmap(NULL, bench->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	assert_true(bench->map != MAP_FAILED);
	memset(bench->map, SCRIBBLE, bench->bytes);
	scaph_writer_adopt(&bench->writer, bench->map, bench->bytes, &bench->desc);
	*state = bench;
	return 0;
}

static int bench_teardown(void **state)
{
	struct bench *bench = *state;

	munmap(bench->map, bench->bytes);
	free(bench);
	return 0;
}

static struct scaph_slot record_of(uint64_t number)
{
	return (struct scaph_slot){
		.seq = 0xbad,
		.mono_ns = 20000000 * (number + 1),
		.package_uj = 1000 + number,
		.core_uj = 500 + number,
		.dram_uj = 200 + number,
		.idle_uj = 300 + number,
		.cpu_ns = 7000 + number,
		.breaks = 3,
		.flags = SCAPH_FLAG_PACKAGE | SCAPH_FLAG_CORE,
		.crc = 0xbad,
	};
}

static struct scaph_head head_of(const struct bench *bench)
{
	struct scaph_head head;

	memcpy(&head, bench->map + SCAPH_HEAD_OFFSET, sizeof(head));
	return head;
}

static struct scaph_slot slot_at(const struct bench *bench, int block, uint64_t place)
{
	struct scaph_slot slot;

	memcpy(&slot, bench->map + bench->desc.blocks[block].offset + place * sizeof(slot),
	       sizeof(slot));
	return slot;
}

static void expect_record(const struct bench *bench, int block, uint64_t place, uint64_t index,
			  uint64_t number)
{
	uint32_t type = bench->desc.blocks[block].type;
	uint32_t prefix = scaph_slot_prefix(EPOCH, bench->desc.uuid, type);
	struct scaph_slot slot = slot_at(bench, block, place), wanted = record_of(number);

	wanted.seq = scaph_seq_complete(TAG, index);
	scaph_slot_seal(prefix, &wanted);
	assert_memory_equal(&slot, &wanted, sizeof(slot));
	assert_int_equal(scaph_slot_classify(&slot, TAG, index, prefix), SCAPH_SLOT_OK);
}

static struct scaph_descriptor expect_descriptor(const struct bench *bench)
{
	struct scaph_descriptor desc;
	struct scaph_geometry geometry;

	assert_int_equal(scaph_descriptor_check(bench->map, bench->bytes, &desc, &geometry),
			 SCAPH_DESCRIPTOR_OK);
	assert_int_equal(desc.epoch_id, EPOCH);
	assert_string_equal(desc.name, "guest");
	assert_memory_equal(desc.blocks, bench->desc.blocks, sizeof(desc.blocks));
	return desc;
}

static struct scaph_status expect_status(const struct bench *bench)
{
	struct scaph_status status;

	assert_int_equal(scaph_status_check(bench->map + SCAPH_STATUS_OFFSET, EPOCH, &status),
			 SCAPH_STATUS_OK);
	return status;
}

static void test_adopt(void **state)
{
	struct bench *bench = *state;
	struct scaph_status status = expect_status(bench);
	struct scaph_head head = head_of(bench);

	assert_int_equal(expect_descriptor(bench).gen >> SCAPH_TAG_SHIFT, TAG);
	assert_int_equal(status.gen >> SCAPH_TAG_SHIFT, TAG);
	assert_int_equal(status.state, SCAPH_STATE_LIVE);
	assert_int_equal(status.reasons, 0);
	assert_int_equal(status.valid, 0);
	assert_int_equal(head.fast_head, (uint64_t)TAG << 40);
	assert_int_equal(head.slow_head, (uint64_t)TAG << 40);
	for (uint64_t i = bench->desc.blocks[0].offset; i < bench->bytes; i++)
		assert_int_equal(bench->map[i], 0);
}

static void test_publish_and_wrap(void **state)
{
	struct bench *bench = *state;
	uint64_t slots = bench->desc.blocks[0].count;

	for (uint64_t i = 0; i < slots + 2; i++) {
		struct scaph_slot record = record_of(i);

		assert_int_equal(scaph_writer_publish(&bench->writer, &record), 0);
		assert_int_equal(head_of(bench).fast_head, scaph_seq_complete(TAG, i));
		expect_record(bench, 0, i % slots, i, i);
	}
	expect_record(bench, 0, 2, 2, 2);
	expect_record(bench, 0, 1, slots + 1, slots + 1);
	assert_int_equal(slot_at(bench, 1, 0).seq, 0);
}

static void test_publish_slow(void **state)
{
	struct bench *bench = *state;
	struct scaph_slot record = record_of(9);

	assert_int_equal(head_of(bench).slow_head, (uint64_t)TAG << 40);
	for (int i = 0; i < 5; i++)
		scaph_writer_publish(&bench->writer, &record);
	scaph_writer_publish_slow(&bench->writer, &record);
	scaph_writer_publish_slow(&bench->writer, &record);
	expect_record(bench, 1, 0, 0, 9);
	expect_record(bench, 1, 1, 1, 9);
	assert_int_equal(head_of(bench).slow_head, scaph_seq_complete(TAG, 1));
	assert_int_equal(head_of(bench).fast_head, scaph_seq_complete(TAG, 4));
}

static void test_beat_counts(void **state)
{
	struct bench *bench = *state;
	uint64_t before = head_of(bench).beat;

	scaph_writer_beat(&bench->writer);
	assert_int_equal(head_of(bench).beat, before + 1);
	/* What a guest wrote there decides nothing. */
	memset(bench->map + SCAPH_HEAD_OFFSET, SCRIBBLE, SCAPH_HEAD_BYTES);
	scaph_writer_beat(&bench->writer);
	assert_int_equal(head_of(bench).beat, before + 2);
}

static void test_set_status(void **state)
{
	struct bench *bench = *state;
	struct scaph_status status = {
		.gen = 5,
		.epoch_id = 6,
		.state = SCAPH_STATE_PAUSED,
		.reasons = SCAPH_REASON_METER_LOST,
		.valid = SCAPH_STATUS_WALL,
		.wall_ns = 1234,
	};
	uint64_t before = expect_status(bench).gen;

	scaph_writer_set_status(&bench->writer, &status);
	status = expect_status(bench);
	assert_int_equal(status.gen, before + 2);
	assert_int_equal(status.state, SCAPH_STATE_PAUSED);
	assert_int_equal(status.reasons, SCAPH_REASON_METER_LOST);
	assert_int_equal(status.wall_ns, 1234);
}

static void test_refresh_after_scribble(void **state)
{
	struct bench *bench = *state;
	uint64_t gen = expect_descriptor(bench).gen, status_gen = expect_status(bench).gen;
	struct scaph_slot record = record_of(0), slot;

	scaph_writer_publish(&bench->writer, &record);
	scaph_writer_publish(&bench->writer, &record);
	scaph_writer_publish_slow(&bench->writer, &record);
	slot = slot_at(bench, 0, 1);
	memset(bench->map, SCRIBBLE, SCAPH_PREFIX_BYTES);
	scaph_writer_refresh(&bench->writer);
	assert_int_equal(expect_descriptor(bench).gen, gen + 2);
	assert_int_equal(expect_status(bench).gen, status_gen + 2);
	assert_int_equal(head_of(bench).fast_head, scaph_seq_complete(TAG, 1));
	assert_int_equal(head_of(bench).slow_head, scaph_seq_complete(TAG, 0));
	/* Slots are not touched. */
	assert_memory_equal(bench->map + bench->desc.blocks[0].offset + sizeof(slot), &slot,
			    sizeof(slot));
}

static void test_epoch_full_by_index(void **state)
{
	struct bench *bench = *state;
	struct scaph_slot record = record_of(0);
	uint8_t *before = malloc(bench->bytes);
	uint64_t place = SCAPH_INDEX_MAX & (bench->desc.blocks[0].count - 1);

	bench->writer.next_index = SCAPH_INDEX_MAX;
	assert_int_equal(scaph_writer_publish(&bench->writer, &record), 0);
	expect_record(bench, 0, place, SCAPH_INDEX_MAX, 0);
	assert_int_equal(scaph_seq_tag(head_of(bench).fast_head), TAG);
	memcpy(before, bench->map, bench->bytes);
	assert_int_equal(scaph_writer_publish(&bench->writer, &record), SCAPH_WRITER_EPOCH_FULL);
	assert_memory_equal(bench->map, before, bench->bytes);
	free(before);
}

static void test_epoch_full_by_breaks(void **state)
{
	struct bench *bench = *state;
	struct scaph_slot record = record_of(0);

	record.breaks = UINT16_MAX;
	assert_int_equal(scaph_writer_publish(&bench->writer, &record), 0);
	record.breaks = 0;
	assert_int_equal(scaph_writer_publish(&bench->writer, &record), SCAPH_WRITER_EPOCH_FULL);
	assert_int_equal(head_of(bench).fast_head, scaph_seq_complete(TAG, 0));
	/* The way on: adopt with a new epoch, then publish again. */
	bench->desc.epoch_id = EPOCH + 1;
	scaph_writer_adopt(&bench->writer, bench->map, bench->bytes, &bench->desc);
	assert_int_equal(scaph_writer_publish(&bench->writer, &record), 0);
	assert_int_equal(head_of(bench).fast_head, scaph_seq_complete(TAG + 1, 0));
}

static sigjmp_buf died;

static void on_fault(int number)
{
	siglongjmp(died, 1);
}

/* Adopt until a store meets a page that may not be written: a death at that point. */
static void adopt_until(struct bench *bench, uint64_t offset)
{
	struct sigaction action = { .sa_handler = on_fault }, before;

	assert_int_equal(mprotect(bench->map + offset, SCAPH_BLOCK_ALIGN, PROT_READ), 0);
	sigaction(SIGSEGV, &action, &before);
	if (sigsetjmp(died, 1) == 0) {
		scaph_writer_adopt(&bench->writer, bench->map, bench->bytes, &bench->desc);
		fail_msg("adoption never came to offset %lu", (unsigned long)offset);
	}
	sigaction(SIGSEGV, &before, NULL);
	assert_int_equal(mprotect(bench->map + offset, SCAPH_BLOCK_ALIGN, PROT_READ | PROT_WRITE),
			 0);
}

static void test_death_in_adoption(void **state)
{
	struct bench *bench = *state;
	uint64_t offsets[] = { bench->desc.blocks[0].offset, bench->desc.blocks[1].offset,
			       bench->bytes - SCAPH_BLOCK_ALIGN, SCAPH_HEAD_OFFSET };
	struct scaph_descriptor desc;
	struct scaph_geometry geometry;

	for (size_t i = 0; i < sizeof(offsets) / sizeof(*offsets); i++) {
		bench->desc.epoch_id++;
		adopt_until(bench, offsets[i]);
		assert_int_equal(scaph_descriptor_check(bench->map, bench->bytes, &desc, &geometry),
				 SCAPH_DESCRIPTOR_BUSY);
	}
}

#define ON_BENCH(test) cmocka_unit_test_setup_teardown(test, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BENCH(test_adopt),
		ON_BENCH(test_publish_and_wrap),
		ON_BENCH(test_publish_slow),
		ON_BENCH(test_beat_counts),
		ON_BENCH(test_set_status),
		ON_BENCH(test_refresh_after_scribble),
		ON_BENCH(test_epoch_full_by_index),
		ON_BENCH(test_epoch_full_by_breaks),
		ON_BENCH(test_death_in_adoption),
	};

	return cmocka_run_group_tests_name("writer", tests, NULL, NULL);
}
