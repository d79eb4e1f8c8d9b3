/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader.pml - how a reader gets private copies (shm/access_coherent.c, shm/access_snapshot.c) and
 * what it makes of them (shm/copies.c, shm/stream.c, shm/cursor.c)
 *
 * What it works on are the variables of proctype reader in ring.pml.
 */

/* Used inside d_step only. */
hidden byte is_gone_;

/* The properties, numbered so that ./run can tell from spin's message which of them is violated. */
#define CONTENT 1	/* a record delivered is what was published under its epoch and number */
#define ORDER 2		/* delivered upwards, nothing twice; no earlier epoch comes back */
#define ACCOUNT 3	/* per epoch, delivered + lost + unknown tail = published */
#define GONE 4		/* what is called lost was published and is overwritten */
#define BLOCK 5		/* a descriptor or status that is used is of one generation */
#define PROGRESS 6	/* once the writer pauses, CALLS calls bring the reader up to date */
#define CHECK(property, claim) assert((claim) || property == 0)

/* What verifies besides the number: the abstract checksum, where there is one. */
#ifdef CHECKSUM
#define SEALED(s) (slot_more[s] == SECOND(attached, slot_seq[s], slot_data[s]))
#else
#define SEALED(s) true
#endif

/* proto/slot.c: the copy of this record's slot is this record. */
#ifdef NO_TAG_CHECK
#define MINE(s) true
#define IS_RECORD(i) (slot_seq[SLOT(i)] % (2 * MOST) == COMPLETE(0, i) && SEALED(SLOT(i)))
#else
#define MINE(s) (EPOCH_OF(slot_seq[s]) == attached)
#define IS_RECORD(i) (slot_seq[SLOT(i)] == COMPLETE(attached, i) && SEALED(SLOT(i)))
#endif

/* It is a later record of the same epoch. */
#define IS_LATER(i) (slot_seq[SLOT(i)] > COMPLETE(attached, i) && \
	EPOCH_OF(slot_seq[SLOT(i)]) == attached && !IS_BUSY(slot_seq[SLOT(i)]) && SEALED(SLOT(i)))

/* proto/descriptor.c: the copy of a block may be used. */
#ifdef NO_GEN_CHECK
#define BLOCK_WHOLE (about != 0)
#elif defined(CHECKSUM)
#define BLOCK_WHOLE (gen != 0 && !IS_BUSY(gen) && second == SECOND(EPOCH_OF(gen), gen, about))
#else
#define BLOCK_WHOLE (gen != 0 && !IS_BUSY(gen))
#endif

/* shm/attachment.c: a descriptor is used if the head is of its epoch. */
#define BLOCK_USABLE (BLOCK_WHOLE && EPOCH_OF(head) == about && !IS_BUSY(head))

inline forget_slots()
{
	v_ = 0;
	do
	:: v_ < SLOTS -> slot_seq[v_] = 0; slot_data[v_] = 0; slot_more[v_] = 0; v_++
	:: else -> break
	od
}

/* Between two calls nothing is kept but the cursor. */
inline begin_call()
{
	d_step {
		forget_slots();
		copied_to = 0;
		gen = 0; about = 0; second = 0; head = 0; to = 0; jumped = false;
		index = 0;
		known = visible
	}
}

/* Whatever is no whole record of this epoch is the same to the reader: fewer states. */
inline judge(s)
{
	d_step {
		if
		:: slot_seq[s] == 0 || IS_BUSY(slot_seq[s]) || !SEALED(s) || !MINE(s) ->
			slot_seq[s] = 0; slot_data[s] = 0; slot_more[s] = 0
		:: else
		fi
	}
}

#ifdef SNAPSHOT
/*
 * One pread: each word once, in whatever order: none of these loads acquires anything, so nothing
 * depends on it. What orders two preads is that one has ended before the next begins: R3.
 */
inline copy_slot(s)
{
	load(SEQ(s), slot_seq[s], RELAXED);
	load(DATA(s), slot_data[s], RELAXED);
	load(MORE(s), slot_more[s], RELAXED)
}

inline end_copy()
{
	acquire_fence(R3)
}

inline copy_head()
{
	load(HEAD, head, RELAXED);
	end_copy()
}

inline copy_block(block)
{
	load(block, gen, RELAXED);
	load(block + 1, about, RELAXED);
	load(block + 2, second, RELAXED);
	load(HEAD, head, RELAXED);
	end_copy()
}
#else
/* One slot by the seqlock; what is torn comes back busy. One try: more of them are more calls. */
inline copy_slot(s)
{
	load(SEQ(s), slot_seq[s], R1);
	load(DATA(s), slot_data[s], RELAXED);
	load(MORE(s), slot_more[s], RELAXED);
	acquire_fence(R2);
	load(SEQ(s), again, RELAXED);
	d_step {
		slot_seq[s] = (again == slot_seq[s] -> again : slot_seq[s] | 1);
		again = 0
	}
}

inline end_copy()
{
	skip
}

inline copy_head()
{
	load(HEAD, head, R3)
}

inline copy_block(block)
{
	load(block, gen, R4);
	load(block + 1, about, RELAXED);
	load(block + 2, second, RELAXED);
	acquire_fence(R5);
	load(block, again, RELAXED);
	d_step {
		gen = (again == gen -> gen : gen | 1);
		again = 0
	};
	copy_head()
}
#endif

inline copy_first(i)
{
	d_step {
		forget_slots();
		copied_to = SLOT(i)
	};
	copy_slot(copied_to);
	judge(copied_to)
}

/* The slot where record i belongs ... */
inline copy_one(i)
{
	copy_first(i);
	end_copy()
}

/* ... or any number of slots from there, up to the ring's end. */
inline copy_run(i)
{
	copy_first(i);
	do
	:: copied_to < SLOTS - 1 ->
		copied_to++;
		copy_slot(copied_to);
		judge(copied_to)
	:: break
	od;
	end_copy()
}

#define IN_COPY(i) (SLOT(i) != 0 && SLOT(i) <= copied_to)	/* for what follows one in it */

/* Per epoch, delivered + lost + unknown tail = published. */
inline settle_account()
{
	CHECK(ACCOUNT, first + got + lost == next && next <= published[attached])
}

/* A look found a descriptor and a head of another epoch. */
inline enter_epoch()
{
	d_step {
#ifndef ANY_CONTENT
		CHECK(BLOCK, about == EPOCH_OF(gen) && second == SECOND(about, gen, about));
#endif
		CHECK(ORDER, about > attached);
		if
		:: placed -> settle_account()
		:: else
		fi;
		published[attached] = 0;
		placed = attached != 0;
		attached = about;
		next = 0; behind = 0; first = 0; got = 0; lost = 0
	}
}

/* Whose payload it is: always that of the life whose epoch it is, but in one mutant. */
#ifdef SAME_EPOCH_RESUMED
#define PAYLOAD_OF(x, e, i) ((x) == PAYLOAD(1, i) || (x) == PAYLOAD(2, i))
#else
#define PAYLOAD_OF(x, e, i) ((x) == PAYLOAD(e, i))
#endif

/* The record expected is in the copy. */
inline deliver()
{
	d_step {
#ifndef ANY_CONTENT
		CHECK(CONTENT, PAYLOAD_OF(slot_data[SLOT(next)], attached, next) &&
		      slot_more[SLOT(next)] == SECOND(attached, COMPLETE(attached, next),
						      slot_data[SLOT(next)]));
#endif
		CHECK(ORDER, PAYLOAD(attached, next) > last_payload);
		last_payload = PAYLOAD(attached, next);
		got++;
		next++
	}
}

/* A copy is delivered from until its first gap. */
inline deliver_run()
{
	deliver();
	do
	:: IN_COPY(next) && IS_RECORD(next) -> deliver()
	:: else -> break
	od
}

/*
 * Whether what this call has read or acquired proves that record i was published and that its slot
 * has begun to hold something else: a later life's zero, or a number above its own.
 */
inline find_gone(i)
{
	w_ = SEQ(SLOT(i));
	v_ = word[w_].count - 1;
	do
	:: v_ > 0 && word[w_].at[v_] > known -> v_--
	:: else -> break
	od;
	is_gone_ = i < published[attached] &&
		   (LIFE_OF(word[w_].at[v_]) > attached ||
		    (LIFE_OF(word[w_].at[v_]) == attached &&
		     word[w_].value[v_] > COMPLETE(attached, i)))
}

/* All from `next` to `to` is lost. A jump leaves the writer room, in which records may be still. */
inline call_lost()
{
	d_step {
		do
		:: next < to ->
			find_gone(next);
			CHECK(GONE, is_gone_ || (jumped && next + SLOTS >= behind));
			lost++;
			next++
		:: else -> break
		od
	}
}

/* The head just copied, verified by its own slot or by a later record in its place. */
inline verify_head()
{
	if
	:: head != BEFORE_FIRST(attached) && INDEX_OF(head) >= next && INDEX_OF(head) >= behind ->
		index = INDEX_OF(head);
		copy_one(index);
		if
		:: IS_RECORD(index) -> behind = index + 1
		:: !IS_RECORD(index) && IS_LATER(index) ->
			behind = INDEX_OF(slot_seq[SLOT(index)]) + 1
		:: else
		fi;
		index = 0
	:: else
	fi
}
