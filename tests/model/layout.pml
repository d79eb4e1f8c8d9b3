/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout.pml - the bytes, as far as they matter to order, and what a removed ordering is called
 *
 * Some slots of one sequence word and two words of payload; one head; two blocks that a generation
 * guards. Epoch ids, tags and lives of a writer are the same small numbers.
 */

/* The orderings, named as in shm/: 1 in place; -DW1=0 and so on make the mutants. */
#ifndef W1
#define W1 1		/* publish: busy number, release fence, payload */
#endif
#ifndef W1_ZEROING
#define W1_ZEROING 1	/* adoption: every number zero, release fence, payload zero */
#endif
#ifndef W2
#define W2 1		/* payload, before the complete number (release store) */
#endif
#ifndef W3
#define W3 1		/* complete slot, before the head (release store) */
#endif
#ifndef W4
#define W4 1		/* busy generation, release fence, guarded words */
#endif
#ifndef W5
#define W5 1		/* guarded words and zeroed slots, before the complete generation (release) */
#endif
#ifndef R1
#define R1 1		/* number (acquire), before the payload */
#endif
#ifndef R2
#define R2 1		/* payload, acquire fence, number again */
#endif
#ifndef R3
#define R3 1		/* head (acquire), before any slot; snapshot: one pread before the next */
#endif
#ifndef R4
#define R4 1		/* generation (acquire), before the guarded words */
#endif
#ifndef R5
#define R5 1		/* guarded words, acquire fence, generation again */
#endif

/* How much of it all. */
#ifndef LIVES
#define LIVES 2		/* writers, one after another; each but the last may die in front of any store */
#endif
#ifndef RECORDS
#define RECORDS 3	/* of each epoch; 3 on 2 slots lap once */
#endif
#ifndef SLOTS
#define SLOTS 2
#endif
#ifndef VERSIONS
#define VERSIONS 14
#endif
#define MOST 8		/* records of an epoch there could be: room in the numbers below */

/* Words of the segment. A block is: generation, epoch, something about it. */
#define DESCRIPTOR 0
#define HEAD 3
#define SLOT(i) ((i) % SLOTS)
#define SEQ(s) (4 + 3 * (s))
#define DATA(s) (5 + 3 * (s))
#define MORE(s) (6 + 3 * (s))
#define STATUS (4 + 3 * SLOTS)
#ifdef REFRESH
#define WORDS (7 + 3 * SLOTS)
#else
#define WORDS (4 + 3 * SLOTS)
#endif

/* proto/seq.h with four bits where that has forty. */
#define BEFORE_FIRST(e) ((e) * 2 * MOST)
#define COMPLETE(e, i) (BEFORE_FIRST(e) + 2 * (i) + 2)
#define BUSY(e, i) (COMPLETE(e, i) - 1)
#define EPOCH_OF(seq) ((seq) / (2 * MOST))
#define INDEX_OF(seq) (((seq) % (2 * MOST)) / 2 - 1)
#define IS_BUSY(seq) ((seq) % 2)

/* The payload of a record: no two that were ever published are equal. */
#define PAYLOAD(l, i) ((l) * MOST + (i) + 1)

/*
 * With CHECKSUM the second word of a slot or block is one: of epoch, number and first word, and
 * without collisions. Without it the second word is as good as the first.
 */
#ifdef CHECKSUM
#define SECOND(e, seq, x) (((e) * 64 + (seq)) * 64 + (x))
#else
#define SECOND(e, seq, x) (x)
#endif
