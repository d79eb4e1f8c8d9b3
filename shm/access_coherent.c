/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access_coherent.c - copies out of a live mapping: the reading half of the seqlock
 *
 * No system call but an fstat at a look, which finds a file that was cut or grown. Retries are
 * bounded: a copy that was torn every time comes back with an odd number, as a busy one.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "proto/crc32c.h"
#include "proto/seq.h"
#include "shm/access.h"
#include "shm/words.h"

#define TRIES 8
#define RUN_SLOTS 16U /* copied ahead in one call: each is verified on its own afterwards */

static void load_words(void *to, const _Atomic uint64_t *from, size_t count)
{
	char *at = to;

	for (size_t i = 0; i < count; i++) {
		uint64_t word = scaph_word_load(&from[i]);

		memcpy(at + 8 * i, &word, sizeof(word));
	}
}

/*
 * One slot, as it was at one moment; false: torn. Word by word: whoever reads the words next would
 * wait for a wider store to be put together.
 */
static inline bool load_whole(const _Atomic uint64_t *from, uint64_t word[SCAPH_SLOT_WORDS])
{
	/* R1: a complete number before its record's words; pairs with W2 in shm/writer.c. */
	word[0] = atomic_load_explicit(&from[0], memory_order_acquire);
	word[1] = scaph_word_load(&from[1]);
	word[2] = scaph_word_load(&from[2]);
	word[3] = scaph_word_load(&from[3]);
	word[4] = scaph_word_load(&from[4]);
	word[5] = scaph_word_load(&from[5]);
	word[6] = scaph_word_load(&from[6]);
	word[7] = scaph_word_load(&from[7]);
	/* R2: no later word under an unchanged number; pairs with W1 in shm/writer.c. */
	atomic_thread_fence(memory_order_acquire);
	return scaph_word_load(&from[0]) == word[0];
}

/* One slot; torn in every try: its number comes back odd. */
static inline void load_slot(const _Atomic uint64_t *from, uint64_t word[SCAPH_SLOT_WORDS])
{
	for (int try = 0; try < TRIES && !load_whole(from, word); try++)
		word[0] |= 1;
}

/* A block guarded by a generation; torn in every try: the generation comes back odd. */
static void load_block(const _Atomic uint64_t *from, uint8_t *to, size_t bytes, size_t gen_word)
{
	for (int try = 0; try < TRIES; try++) {
		/* R4: a complete generation before its words; pairs with W5 in shm/writer.c. */
		uint64_t gen = atomic_load_explicit(&from[gen_word], memory_order_acquire);
		bool same;

		load_words(to, from, bytes / 8);
		/* R5: no later word under an unchanged generation; pairs with W4 in shm/writer.c. */
		atomic_thread_fence(memory_order_acquire);
		same = scaph_word_load(&from[gen_word]) == gen;
		if (!same)
			gen |= 1;
		memcpy(to + 8 * gen_word, &gen, sizeof(gen));
		if (same)
			break;
	}
}

static inline void load_heads(const _Atomic uint64_t *from, struct scaph_heads *to)
{
	/* R3: a slot read later is as new as the head or newer; pairs with W3 in shm/writer.c. */
	to->fast = atomic_load_explicit(&from[0], memory_order_acquire);
	to->slow = atomic_load_explicit(&from[1], memory_order_acquire);
	to->beat = scaph_word_load(&from[2]);
}

static uint64_t mappable_bytes(const struct stat *st)
{
	uint64_t bytes = (uint64_t)st->st_size;

	return bytes > SCAPH_SEGMENT_BYTES_MAX ? SCAPH_SEGMENT_BYTES_MAX : bytes;
}

static int coherent_look(struct scaph_access *access, const uint8_t **ret_prefix)
{
	void *map = access->guard.map;
	struct scaph_heads heads;
	struct stat st;

	if (fstat(access->fd, &st) < 0)
		return -errno;
	if (mappable_bytes(&st) != access->guard.bytes || scaph_guard_failed(&access->guard))
		return -ESTALE;
	scaph_guard_enter(&access->guard);
	load_block(scaph_word_at(map, SCAPH_DESC_OFFSET), access->buffer, SCAPH_DESC_MAX_BYTES, 1);
	memset(access->buffer + SCAPH_HEAD_OFFSET, 0, SCAPH_HEAD_BYTES);
	load_heads(scaph_word_at(map, SCAPH_HEAD_OFFSET), &heads);
	memcpy(access->buffer + SCAPH_HEAD_OFFSET, &heads, sizeof(heads));
	load_block(scaph_word_at(map, SCAPH_STATUS_OFFSET), access->buffer + SCAPH_STATUS_OFFSET,
		   SCAPH_STATUS_MAX_BYTES, 0);
	scaph_guard_leave();
	*ret_prefix = access->buffer;
	return scaph_guard_failed(&access->guard) ? -ESTALE : 0;
}

static int coherent_heads(struct scaph_access *access, struct scaph_heads *ret_heads)
{
	scaph_guard_enter(&access->guard);
	load_heads(scaph_word_at(access->guard.map, SCAPH_HEAD_OFFSET), ret_heads);
	scaph_guard_leave();
	return scaph_guard_failed(&access->guard) ? -ESTALE : 0;
}

static int coherent_slots(struct scaph_access *access, const struct scaph_ring_place *ring,
			  uint32_t first, uint32_t want, struct scaph_run *ret_run)
{
	uint64_t offset = ring->offset + (uint64_t)first * ring->stride;
	uint64_t *to = (uint64_t *)access->buffer;
	uint32_t count = ring->count - first;

	if (count > want)
		count = want;
	if (count > RUN_SLOTS)
		count = RUN_SLOTS;
	scaph_guard_enter(&access->guard);
	for (uint32_t i = 0; i < count; i++, offset += ring->stride)
		load_slot(scaph_word_at(access->guard.map, offset), to + SCAPH_SLOT_WORDS * i);
	scaph_guard_leave();
	if (scaph_guard_failed(&access->guard))
		return -ESTALE;
	*ret_run = (struct scaph_run){
		.bytes = access->buffer,
		.stride = SCAPH_SLOT_BYTES,
		.count = count,
	};
	return 0;
}

/*
 * Whether the very record is there, whole and usable. Its number is looked at first: a reader that
 * waits for it comes here again and again.
 */
static inline bool take_slot(const _Atomic uint64_t *from, uint64_t seq, uint32_t prefix,
			     uint64_t word[SCAPH_SLOT_WORDS])
{
	if (scaph_word_load(&from[0]) != seq)
		return false;
	if (__builtin_expect(!load_whole(from, word) || word[0] != seq, 0))
		return false;
	word[0] = seq; /* known before the line came, and so the checksum's first step */
	if (__builtin_expect(word[7] >> 32 != scaph_crc32c_slot(prefix, word), 0))
		return false;
	return !(word[7] >> 16 & SCAPH_FLAG_CRITICAL_MASK & ~SCAPH_FLAG_CRITICAL_KNOWN);
}

static uint32_t coherent_take(struct scaph_access *access, const struct scaph_take *take,
			      struct scaph_figures *ret_figures)
{
	void *map = access->guard.map;
	uint64_t offset = take->ring->offset, stride = take->ring->stride;
	uint64_t mask = take->ring->count - 1, index = take->index, epoch_id = take->epoch_id;
	uint64_t seq = scaph_seq_complete(scaph_tag_of_epoch(epoch_id), index);
	uint32_t prefix = take->prefix, room = take->room, taken = 0;
	uint64_t word[SCAPH_SLOT_WORDS];

	scaph_guard_enter(&access->guard);
	for (; taken < room; taken++, index++, seq += 2) {
		if (!take_slot(scaph_word_at(map, offset + (index & mask) * stride), seq, prefix,
			       word))
			break;
		scaph_figures_decode(&ret_figures[taken], epoch_id, index, word);
	}
	scaph_guard_leave();
	return taken;
}

bool scaph_access_take_watched(const struct scaph_watch *watch, uint32_t prefix, uint64_t epoch_id,
			       uint64_t index, struct scaph_figures *ret_figures)
{
	uint64_t word[SCAPH_SLOT_WORDS];
	bool there;

	scaph_guard_enter(watch->guard);
	there = take_slot(scaph_word_at(watch->guard->map, watch->offset), watch->seq, prefix,
			  word);
	scaph_guard_leave();
	if (there)
		scaph_figures_decode(ret_figures, epoch_id, index, word);
	return there;
}

const struct scaph_access_ops scaph_access_coherent = {
	.mode = SCAPH_MODE_COHERENT,
	.look = coherent_look,
	.heads = coherent_heads,
	.slots = coherent_slots,
	.take = coherent_take,
};

int scaph_access_coherent_init(struct scaph_access *access)
{
	struct stat st;
	uint64_t bytes;
	void *map;

	if (fstat(access->fd, &st) < 0)
		return -errno;
	bytes = mappable_bytes(&st);
	if (bytes < SCAPH_PREFIX_BYTES)
		return -ENODATA;
	map = mmap(NULL, bytes, PROT_READ, MAP_SHARED, access->fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	access->bytes = bytes;
	access->guard = (struct scaph_guard){ .map = map, .bytes = bytes };
	access->ops = &scaph_access_coherent;
	return 0;
}
