/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ivshmem.c - reads of a mapping, in rows long enough for a clock
 */
#include "tools/bench/guest/ivshmem.h"

#include <errno.h>
#include <unistd.h>

#include "proto/descriptor.h"
#include "proto/layout.h"
#include "proto/seq.h"
#include "shm/words.h"
#include "tools/bench/guest/payload.h"

#define ROW 1000
#define HEAD_OFFSET (SCAPH_HEAD_OFFSET + offsetof(struct scaph_head, fast_head))
#define OPEN_NS (10 * NS_PER_S)
#define LOOK_US 5000

static int open_bare(struct bench_ivshmem *shm, const char *path)
{
	struct scaph_descriptor desc;
	struct scaph_geometry geometry;
	const uint8_t *prefix;
	int r = scaph_access_open(path, SCAPH_MODE_COHERENT, &shm->access);

	if (r == 0)
		r = shm->access.ops->look(&shm->access, &prefix);
	if (r < 0)
		return r;
	if (scaph_descriptor_check(prefix, shm->access.bytes, &desc, &geometry) !=
		    SCAPH_DESCRIPTOR_OK ||
	    geometry.fast.stride != SCAPH_SLOT_BYTES)
		return -EBADMSG;
	shm->map = shm->access.guard.map;
	shm->ring_offset = geometry.fast.offset;
	shm->mask = geometry.fast.count - 1;
	return 0;
}

int bench_ivshmem_open(struct bench_ivshmem *shm, const char *path)
{
	uint64_t until_ns = bench_now_ns() + OPEN_NS;
	int r;

	*shm = (struct bench_ivshmem){ .access = SCAPH_ACCESS_NULL };
	for (int i = 0; i < BENCH_IVSHMEM_READERS; i++) {
		r = scaph_open(path, NULL, &shm->readers[i]);
		if (r < 0)
			return r;
	}
	for (int i = 0; i < BENCH_IVSHMEM_READERS; i++) {
		while ((r = scaph_latest(shm->readers[i], &shm->records[i])) != SCAPH_OK) {
			if (r < 0 || bench_now_ns() > until_ns)
				return r < 0 ? r : -ETIMEDOUT;
			usleep(LOOK_US);
		}
	}
	return open_bare(shm, path);
}

void bench_ivshmem_close(struct bench_ivshmem *shm)
{
	for (int i = 0; i < BENCH_IVSHMEM_READERS; i++)
		scaph_close(shm->readers[i]);
	scaph_access_close(&shm->access);
	bench_cost_free(&shm->latest);
	bench_cost_free(&shm->again);
	bench_cost_free(&shm->bare);
}

static bool right(uint64_t number, uint64_t mono_ns, uint64_t package_uj, uint64_t cpu_ns)
{
	return mono_ns == bench_mono_ns(number, BENCH_WINDOW_NS) &&
	       package_uj == bench_package_uj(number) && cpu_ns == bench_cpu_ns(number);
}

/* Every reader once. A row counts if all of it met one new record. */
static void read_latest(struct bench_ivshmem *shm)
{
	struct bench_mark begun = bench_cost_begin(), spent;
	uint64_t failed = 0, number;

	for (int i = 0; i < BENCH_IVSHMEM_READERS; i++)
		failed += scaph_latest(shm->readers[i], &shm->records[i]) != SCAPH_OK;
	spent = bench_cost_end(begun);
	number = shm->records[0].number;
	for (int i = 0; i < BENCH_IVSHMEM_READERS; i++)
		failed += !right(shm->records[i].number, shm->records[i].mono_ns,
				 shm->records[i].package_uj, shm->records[i].cpu_ns);
	shm->bad += failed;
	if (!failed && number > shm->last_number &&
	    number == shm->records[BENCH_IVSHMEM_READERS - 1].number)
		bench_cost_add(&shm->latest, spent, BENCH_IVSHMEM_READERS);
	shm->last_number = number;
}

static void read_again(struct bench_ivshmem *shm)
{
	struct bench_mark begun = bench_cost_begin();
	uint64_t failed = 0;

	for (int i = 0; i < ROW; i++)
		failed += scaph_latest(shm->readers[0], &shm->records[0]) != SCAPH_OK;
	bench_cost_add(&shm->again, bench_cost_end(begun), ROW);
	shm->bad += failed;
}

/*
 * The head, the slot it names, its number once more. In program order, which is all that the library's own acquire loads
 * come to on x86, where this guest runs; elsewhere it would need R1, R2 and R3. A call of its own, so that the record is
 * really handed out.
 */
static __attribute__((noinline)) bool read_one(const struct bench_ivshmem *shm,
					       uint64_t word[SCAPH_SLOT_WORDS])
{
	uint64_t head = scaph_word_load(scaph_word_at(shm->map, HEAD_OFFSET));
	uint64_t at = shm->ring_offset + (scaph_seq_index(head) & shm->mask) * SCAPH_SLOT_BYTES;

	word[0] = scaph_word_load(scaph_word_at(shm->map, at));
	word[1] = scaph_word_load(scaph_word_at(shm->map, at + 8));
	word[2] = scaph_word_load(scaph_word_at(shm->map, at + 16));
	word[3] = scaph_word_load(scaph_word_at(shm->map, at + 24));
	word[4] = scaph_word_load(scaph_word_at(shm->map, at + 32));
	word[5] = scaph_word_load(scaph_word_at(shm->map, at + 40));
	word[6] = scaph_word_load(scaph_word_at(shm->map, at + 48));
	word[7] = scaph_word_load(scaph_word_at(shm->map, at + 56));
	return word[0] == head && scaph_word_load(scaph_word_at(shm->map, at)) == head;
}

static void read_bare(struct bench_ivshmem *shm)
{
	struct bench_mark begun = bench_cost_begin();
	uint64_t word[SCAPH_SLOT_WORDS] = {}, failed = 0;
	struct bench_mark spent;

	for (int i = 0; i < ROW; i++)
		failed += !read_one(shm, word);
	spent = bench_cost_end(begun);
	/* One that was overtaken is none; the rest of the row is as good as ever. */
	bench_cost_add(&shm->bare, spent, ROW - failed);
	shm->bad += failed > 1 || !right(scaph_seq_index(word[0]), word[1], word[2], word[6]);
}

void bench_ivshmem_read(struct bench_ivshmem *shm)
{
	read_latest(shm);
	read_again(shm);
	read_bare(shm);
}
