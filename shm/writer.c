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

/* What stands beside the checksum in the last word of a slot. */
static inline uint64_t counts_of(const struct scaph_slot *record)
{
	return record->breaks | (uint64_t)record->flags << 16;
}

/* The last word of a slot. Out of memory, word for word: nothing has to be kept in registers over it. */
static inline uint64_t last_word(uint64_t seq, uint32_t prefix, const struct scaph_slot *record)
{
	uint64_t word = counts_of(record), state = prefix;

	state = scaph_crc32c_step64(state, seq);
	state = scaph_crc32c_step64_at(state, &record->mono_ns);
	state = scaph_crc32c_step64_at(state, &record->package_uj);
	state = scaph_crc32c_step64_at(state, &record->core_uj);
	state = scaph_crc32c_step64_at(state, &record->dram_uj);
	state = scaph_crc32c_step64_at(state, &record->idle_uj);
	state = scaph_crc32c_step64_at(state, &record->cpu_ns);
	state = scaph_crc32c_step32(state, (uint32_t)word);
	return word | (uint64_t)scaph_crc32c_final((uint32_t)state) << 32;
}

/* The same on any processor. */
static uint64_t last_word_anyhow(uint64_t seq, uint32_t prefix, const struct scaph_slot *record)
{
	struct scaph_slot copy = *record;

	copy.seq = seq;
	return counts_of(record) | (uint64_t)scaph_crc32c_slot(prefix, (const uint64_t *)&copy)
					   << 32;
}

/*
 * A slot in two steps, with the checksum between them: the line is on its way from whoever read it last while that is computed.
 * Word by word and not by memcpy: wide loads of what the caller just stored in words stall, which made a publish four times as
 * long.
 *
 * The fence and not a release store of the busy value: only a fence keeps later stores behind an earlier one.
 */
static inline void begin_slot(_Atomic uint64_t *to, uint64_t seq)
{
	scaph_word_store(&to[0], seq - 1);
	/* W1: the slot reads busy before any of its words changes; pairs with R2 in shm/access_coherent.c. */
	atomic_thread_fence(memory_order_release);
}

static inline void end_slot(_Atomic uint64_t *to, uint64_t seq, uint64_t last,
			    const struct scaph_slot *record)
{
	scaph_word_store(&to[1], record->mono_ns);
	scaph_word_store(&to[2], record->package_uj);
	scaph_word_store(&to[3], record->core_uj);
	scaph_word_store(&to[4], record->dram_uj);
	scaph_word_store(&to[5], record->idle_uj);
	scaph_word_store(&to[6], record->cpu_ns);
	scaph_word_store(&to[7], last);
	/* W2: all words of the record, before its complete number; pairs with R1 in shm/access_coherent.c. */
	atomic_store_explicit(&to[0], seq, memory_order_release);
}

static inline void store_head(_Atomic uint64_t *word, uint64_t value)
{
	/* W3: the slot that the head names, before the head; pairs with R3 in shm/access_coherent.c. */
	atomic_store_explicit(word, value, memory_order_release);
}

static _Atomic uint64_t *slow_head(struct scaph_writer *writer)
{
	return scaph_word_at(writer->map,
			     SCAPH_HEAD_OFFSET + offsetof(struct scaph_head, slow_head));
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

/* What a head says: the newest record, or that there is none. */
static uint64_t head_value(uint32_t tag, uint64_t next_index)
{
	return next_index ? scaph_seq_complete(tag, next_index - 1) : scaph_seq_before_first(tag);
}

static void store_heads(struct scaph_writer *writer)
{
	store_head(writer->fast_head, head_value(writer->tag, writer->next_index));
	store_head(slow_head(writer), head_value(writer->tag, writer->next_slow_index));
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
		.fast_ring = scaph_word_at(map, desc->blocks[0].offset),
		.fast_head = scaph_word_at(map, SCAPH_HEAD_OFFSET +
							offsetof(struct scaph_head, fast_head)),
		.fast_mask = desc->blocks[0].count - 1,
		.tag = tag,
		.fast_prefix = scaph_slot_prefix(desc->epoch_id, desc->uuid, SCAPH_BLOCK_FAST),
		.map = map,
		.bytes = bytes,
		.slow_mask = desc->blocks[1].count - 1,
		.slow_offset = desc->blocks[1].offset,
		.slow_prefix = scaph_slot_prefix(desc->epoch_id, desc->uuid, SCAPH_BLOCK_SLOW),
		.desc = *desc,
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
	store_heads(writer);
	scaph_writer_beat(writer);
	store_status(writer);
	store_descriptor_fields(writer);
	end_block(gen, writer->desc.gen);
}

static inline _Atomic uint64_t *fast_slot(const struct scaph_writer *writer, uint64_t index)
{
	return writer->fast_ring + (index & writer->fast_mask) * SCAPH_SLOT_WORDS;
}

static _Atomic uint64_t *slow_slot(const struct scaph_writer *writer, uint64_t index)
{
	return scaph_word_at(writer->map,
			     writer->slow_offset + (index & writer->slow_mask) * SCAPH_SLOT_BYTES);
}

static bool is_full(const struct scaph_writer *writer, const struct scaph_slot *record)
{
	return writer->next_index > SCAPH_INDEX_MAX || record->breaks < writer->breaks;
}

static inline void put(struct scaph_writer *writer, _Atomic uint64_t *to, uint64_t seq,
		       uint64_t last, const struct scaph_slot *record)
{
	end_slot(to, seq, last, record);
	store_head(writer->fast_head, seq);
	writer->next_index++;
	writer->breaks = record->breaks;
}

static int publish_by_table(struct scaph_writer *writer, const struct scaph_slot *record)
{
	uint64_t seq = scaph_seq_complete(writer->tag, writer->next_index);
	_Atomic uint64_t *to = fast_slot(writer, writer->next_index);

	if (is_full(writer, record))
		return SCAPH_WRITER_EPOCH_FULL;
	begin_slot(to, seq);
	put(writer, to, seq, last_word_anyhow(seq, writer->fast_prefix, record), record);
	return 0;
}

int scaph_writer_publish(struct scaph_writer *writer, const struct scaph_slot *record)
{
	uint64_t seq = scaph_seq_complete(writer->tag, writer->next_index);
	_Atomic uint64_t *to = fast_slot(writer, writer->next_index);

	/* As a whole, so that nothing has to be saved over a call: 7 of 28 stores. */
	if (__builtin_expect(!scaph_crc32c_by_instruction, 0))
		return publish_by_table(writer, record);
	if (__builtin_expect(is_full(writer, record), 0))
		return SCAPH_WRITER_EPOCH_FULL;
	begin_slot(to, seq);
	put(writer, to, seq, last_word(seq, writer->fast_prefix, record), record);
	return 0;
}

void scaph_writer_prefetch(const struct scaph_writer *writer)
{
	scaph_line_prefetch(fast_slot(writer, writer->next_index));
	scaph_line_prefetch(writer->fast_head);
}

void scaph_writer_publish_slow(struct scaph_writer *writer, const struct scaph_slot *record)
{
	uint64_t index = writer->next_slow_index;
	uint64_t seq = scaph_seq_complete(writer->tag, index);
	_Atomic uint64_t *to = slow_slot(writer, index);

	begin_slot(to, seq);
	end_slot(to, seq, last_word_anyhow(seq, writer->slow_prefix, record), record);
	store_head(slow_head(writer), seq);
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
	store_heads(writer);
	end_block(gen, writer->desc.gen);
	store_status(writer);
}
