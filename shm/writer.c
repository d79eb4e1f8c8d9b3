/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer.c - publication: the writing half of the seqlock ring
 *
 * Every store that another machine can see goes through here, as relaxed 64-bit words between labelled orderings. Labels are
 * explained in proto/SPEC.md, "Orderings", and proved in tests/model.
 */
#include "shm/writer.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "proto/crc32c.h"
#include "proto/descriptor.h"
#include "proto/seq.h"
#include "proto/slot.h"
#include "proto/status.h"
#include "shm/words.h"

#define GEN_WORD 1 /* of the descriptor: magic is word 0 */
#define STATUS_GEN_WORD 0 /* of the status block */

/*
 * A record as eight words, complete but for the checksum. Word by word and not by memcpy: wide loads of what was just stored
 * in words stall, which made a publish four times as long.
 */
static inline void take_words(uint64_t word[SCAPH_SLOT_WORDS], uint64_t seq,
			      const struct scaph_slot *record)
{
	word[0] = seq;
	word[1] = record->mono_ns;
	word[2] = record->package_uj;
	word[3] = record->core_uj;
	word[4] = record->dram_uj;
	word[5] = record->idle_uj;
	word[6] = record->cpu_ns;
	word[7] = record->breaks | (uint64_t)record->flags << 16;
}

static inline void seal_words(uint64_t word[SCAPH_SLOT_WORDS], uint32_t prefix)
{
	word[7] |= (uint64_t)scaph_crc32c_slot(prefix, word) << 32;
}

/*
 * One slot. The fence and not a release store of the busy value: only a fence keeps later stores behind an earlier one.
 */
static inline void store_slot(_Atomic uint64_t *to, const uint64_t word[SCAPH_SLOT_WORDS])
{
	scaph_word_store(&to[0], word[0] - 1);
	/* W1: the slot reads busy before any of its words changes; pairs with R2 in shm/access_coherent.c. */
	atomic_thread_fence(memory_order_release);
	scaph_word_store(&to[1], word[1]);
	scaph_word_store(&to[2], word[2]);
	scaph_word_store(&to[3], word[3]);
	scaph_word_store(&to[4], word[4]);
	scaph_word_store(&to[5], word[5]);
	scaph_word_store(&to[6], word[6]);
	scaph_word_store(&to[7], word[7]);
	/* W2: all words of the record, before its complete number; pairs with R1 in shm/access_coherent.c. */
	atomic_store_explicit(&to[0], word[0], memory_order_release);
}

static inline void store_head(struct scaph_writer *writer, unsigned int byte, uint64_t value)
{
	_Atomic uint64_t *word = scaph_word_at(writer->map, SCAPH_HEAD_OFFSET + byte);

	/* W3: the slot that the head names, before the head; pairs with R3 in shm/access_coherent.c. */
	atomic_store_explicit(word, value, memory_order_release);
}

static void store_words(_Atomic uint64_t *to, const void *from, size_t bytes)
{
	const char *at = from;

	for (size_t i = 0; i < bytes / 8; i++) {
		uint64_t word;

		memcpy(&word, at + 8 * i, sizeof(word));
		scaph_word_store(&to[i], word);
	}
}

/* From here until end_block() no reader accepts the block. */
static void begin_block(_Atomic uint64_t *gen, uint64_t complete)
{
	scaph_word_store(gen, complete - 1);
	/* W4: the generation reads busy before any word it guards changes; pairs with R5 in shm/access_coherent.c. */
	atomic_thread_fence(memory_order_release);
}

static void end_block(_Atomic uint64_t *gen, uint64_t complete)
{
	/* W5: every word it guards, before the complete generation; pairs with R4 in shm/access_coherent.c. */
	atomic_store_explicit(gen, complete, memory_order_release);
}

static _Atomic uint64_t *descriptor_words(struct scaph_writer *writer)
{
	return scaph_word_at(writer->map, SCAPH_DESC_OFFSET);
}

/* All words but the generation; the magic is among them, so that scribbled bytes are put right. */
static void store_descriptor_fields(struct scaph_writer *writer)
{
	_Atomic uint64_t *to = descriptor_words(writer);

	store_words(to, &writer->desc, 8 * GEN_WORD);
	store_words(to + GEN_WORD + 1, &writer->desc.layout,
		    writer->desc.desc_bytes - 8 * (GEN_WORD + 1));
}

static void store_status(struct scaph_writer *writer)
{
	_Atomic uint64_t *to = scaph_word_at(writer->map, SCAPH_STATUS_OFFSET);

	writer->status.gen += 2;
	writer->status.epoch_id = writer->desc.epoch_id;
	scaph_status_seal(&writer->status);
	begin_block(to + STATUS_GEN_WORD, writer->status.gen);
	store_words(to + STATUS_GEN_WORD + 1, (char *)&writer->status + 8,
		    sizeof(writer->status) - 8);
	end_block(to + STATUS_GEN_WORD, writer->status.gen);
}

/* Numbers first, so that no reader finds an old number over words that are zero already. */
static void zero_ring(struct scaph_writer *writer, const struct scaph_block *block)
{
	_Atomic uint64_t *at = scaph_word_at(writer->map, block->offset);

	for (uint64_t i = 0; i < block->bytes / 8; i += SCAPH_SLOT_WORDS)
		scaph_word_store(&at[i], 0);
	/* W1: every slot reads empty before any of its words changes; pairs with R2 in shm/access_coherent.c. */
	atomic_thread_fence(memory_order_release);
	for (uint64_t i = 0; i < block->bytes / 8; i++)
		scaph_word_store(&at[i], 0);
}

static void writer_init(struct scaph_writer *writer, void *map, uint64_t bytes,
			const struct scaph_descriptor *desc)
{
	uint32_t tag = scaph_tag_of_epoch(desc->epoch_id);

	assert(scaph_epoch_id_usable(desc->epoch_id));
	assert(desc->block_count == 2 && desc->blocks[1].offset + desc->blocks[1].bytes <= bytes);
	*writer = (struct scaph_writer){
		.map = map,
		.bytes = bytes,
		.desc = *desc,
		.tag = tag,
		.fast_prefix = scaph_slot_prefix(desc->epoch_id, desc->uuid, SCAPH_BLOCK_FAST),
		.slow_prefix = scaph_slot_prefix(desc->epoch_id, desc->uuid, SCAPH_BLOCK_SLOW),
		.fast_mask = desc->blocks[0].count - 1,
		.slow_mask = desc->blocks[1].count - 1,
		.fast_offset = desc->blocks[0].offset,
		.slow_offset = desc->blocks[1].offset,
		.fast_head = scaph_seq_before_first(tag),
		.slow_head = scaph_seq_before_first(tag),
	};
	/* Generations carry the epoch's tag, so that no two epochs share one. */
	writer->desc.gen = scaph_seq_before_first(tag) + 2;
	writer->status.gen = scaph_seq_before_first(tag);
	writer->status.state = SCAPH_STATE_LIVE;
}

void scaph_writer_adopt(struct scaph_writer *writer, void *map, uint64_t bytes,
			const struct scaph_descriptor *desc)
{
	_Atomic uint64_t *gen;

	writer_init(writer, map, bytes, desc);
	scaph_descriptor_seal(&writer->desc);
	gen = descriptor_words(writer) + GEN_WORD;
	begin_block(gen, writer->desc.gen);
	zero_ring(writer, &desc->blocks[0]);
	zero_ring(writer, &desc->blocks[1]);
	store_head(writer, offsetof(struct scaph_head, fast_head), writer->fast_head);
	store_head(writer, offsetof(struct scaph_head, slow_head), writer->slow_head);
	scaph_writer_beat(writer);
	store_status(writer);
	store_descriptor_fields(writer);
	end_block(gen, writer->desc.gen);
}

/* What a refresh and the slow ring need of the newest record, again without wide loads. */
static inline void keep_newest(struct scaph_slot *newest, const uint64_t word[SCAPH_SLOT_WORDS])
{
	newest->seq = word[0];
	newest->mono_ns = word[1];
	newest->package_uj = word[2];
	newest->core_uj = word[3];
	newest->dram_uj = word[4];
	newest->idle_uj = word[5];
	newest->cpu_ns = word[6];
	newest->breaks = (uint16_t)word[7];
	newest->flags = (uint16_t)(word[7] >> 16);
	newest->crc = (uint32_t)(word[7] >> 32);
}

static inline _Atomic uint64_t *fast_slot(struct scaph_writer *writer, uint64_t index)
{
	return scaph_word_at(writer->map,
			     writer->fast_offset + (index & writer->fast_mask) * SCAPH_SLOT_BYTES);
}

static inline _Atomic uint64_t *slow_slot(struct scaph_writer *writer, uint64_t index)
{
	return scaph_word_at(writer->map,
			     writer->slow_offset + (index & writer->slow_mask) * SCAPH_SLOT_BYTES);
}

int scaph_writer_publish(struct scaph_writer *writer, const struct scaph_slot *record)
{
	uint64_t index = writer->next_index;
	uint64_t word[SCAPH_SLOT_WORDS];

	if (__builtin_expect(index > SCAPH_INDEX_MAX, 0))
		return SCAPH_WRITER_EPOCH_FULL;
	if (__builtin_expect(record->breaks < writer->newest.breaks, 0))
		return SCAPH_WRITER_EPOCH_FULL;
	take_words(word, scaph_seq_complete(writer->tag, index), record);
	seal_words(word, writer->fast_prefix);
	store_slot(fast_slot(writer, index), word);
	store_head(writer, offsetof(struct scaph_head, fast_head), word[0]);
	writer->fast_head = word[0];
	writer->next_index = index + 1;
	keep_newest(&writer->newest, word);
	return 0;
}

void scaph_writer_publish_slow(struct scaph_writer *writer)
{
	uint64_t index = writer->next_slow_index;
	uint64_t word[SCAPH_SLOT_WORDS];

	if (!writer->newest.seq)
		return;
	take_words(word, scaph_seq_complete(writer->tag, index), &writer->newest);
	seal_words(word, writer->slow_prefix);
	store_slot(slow_slot(writer, index), word);
	store_head(writer, offsetof(struct scaph_head, slow_head), word[0]);
	writer->slow_head = word[0];
	writer->next_slow_index = index + 1;
}

void scaph_writer_beat(struct scaph_writer *writer)
{
	writer->beat++;
	scaph_word_store(
		scaph_word_at(writer->map, SCAPH_HEAD_OFFSET + offsetof(struct scaph_head, beat)),
		writer->beat);
}

void scaph_writer_set_status(struct scaph_writer *writer, const struct scaph_status *status)
{
	uint64_t gen = writer->status.gen;

	writer->status = *status;
	writer->status.gen = gen;
	store_status(writer);
}

void scaph_writer_refresh(struct scaph_writer *writer)
{
	_Atomic uint64_t *gen = descriptor_words(writer) + GEN_WORD;

	writer->desc.gen += 2;
	scaph_descriptor_seal(&writer->desc);
	begin_block(gen, writer->desc.gen);
	store_descriptor_fields(writer);
	store_head(writer, offsetof(struct scaph_head, fast_head), writer->fast_head);
	store_head(writer, offsetof(struct scaph_head, slow_head), writer->slow_head);
	end_block(gen, writer->desc.gen);
	store_status(writer);
}
