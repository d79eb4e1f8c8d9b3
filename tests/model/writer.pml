/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer.pml - shm/writer.c: adoption and publication, and a death in front of any store
 */
byte published[LIVES + 1];	/* of each epoch: records whose complete number was stored */
byte epoch;			/* what the writer that runs publishes under */

inline begin_block(block, gen)
{
	store(block, gen - 1, RELAXED);
	release_fence(W4)
}

inline end_block(block, gen)
{
	store(block, gen, W5)
}

inline store_fields(block, gen, about)
{
	store(block + 1, about, RELAXED);
	store(block + 2, SECOND(epoch, gen, about), RELAXED)
}

inline zero_ring()
{
#ifndef SLOTS_NOT_ZEROED
	do
	:: i < SLOTS -> store(SEQ(i), 0, RELAXED); i++
	:: else -> break
	od;
	release_fence(W1_ZEROING);
	i = 0;
	do
	:: i < SLOTS ->
		store(DATA(i), 0, RELAXED);
		store(MORE(i), 0, RELAXED);
		i++
	:: else -> break
	od;
	i = 0;
#endif
	skip
}

inline store_status(n)
{
#ifdef REFRESH
	begin_block(STATUS, COMPLETE(epoch, n));
	store_fields(STATUS, COMPLETE(epoch, n), PAYLOAD(epoch, n));
	end_block(STATUS, COMPLETE(epoch, n))
#endif
	skip
}

inline adopt()
{
	epoch = life;
	begin_block(DESCRIPTOR, COMPLETE(epoch, 0));
	zero_ring();
	store(HEAD, BEFORE_FIRST(epoch), W3);
	store_status(0);
	store_fields(DESCRIPTOR, COMPLETE(epoch, 0), epoch);
	end_block(DESCRIPTOR, COMPLETE(epoch, 0))
}

inline publish(i)
{
#ifdef BUSY_BY_RELEASE_STORE
	store(SEQ(SLOT(i)), BUSY(epoch, i), true);
#else
	store(SEQ(SLOT(i)), BUSY(epoch, i), RELAXED);
	release_fence(W1);
#endif
	store(DATA(SLOT(i)), PAYLOAD(life, i), RELAXED);
	store(MORE(SLOT(i)), SECOND(epoch, COMPLETE(epoch, i), PAYLOAD(life, i)), RELAXED);
	atomic {
		store(SEQ(SLOT(i)), COMPLETE(epoch, i), W2);
		published[epoch] = i + 1
	}
	store(HEAD, COMPLETE(epoch, i), W3)
}

/* Once a second: the same descriptor and head under a new generation, and another status. */
inline refresh()
{
#ifdef REFRESH
	begin_block(DESCRIPTOR, COMPLETE(epoch, 1));
	store_fields(DESCRIPTOR, COMPLETE(epoch, 1), epoch);
	store(HEAD, NEWEST(HEAD), W3);
	end_block(DESCRIPTOR, COMPLETE(epoch, 1));
	store_status(1)
#endif
	skip
}
