/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring.pml - the processes: writers that die and are restarted, and a reader
 *
 * See README.md for what is modelled and what is not; tests/model/run has every variant.
 */
#include "layout.pml"
#include "memory.pml"
#include "writer.pml"
#include "reader.pml"

#ifndef CALLS
#define CALLS 8		/* of next(), and a reader is up to date once the writer pauses */
#endif
bool written;		/* the last writer lives and has stored all it had to */

proctype writer()
{
	byte i;

restart:
	atomic {
		life++;
		stored = life * LIFE_STORES;
		fenced = 0;
		i = 0
	};
#ifdef SAME_EPOCH_RESUMED
	if
	:: life > 1 && NEWEST(DESCRIPTOR) == COMPLETE(1, 0) ->
		i = INDEX_OF(NEWEST(HEAD)) + 1;
		goto resume
	:: else
	fi;
#endif
	adopt();
resume:
	do
	:: i < RECORDS -> publish(i); i++
	:: else -> break
	od;
	refresh();
	if
	:: life < LIVES -> goto died
	:: true -> goto done
	fi;
died:
	goto restart;
done:
	written = true
}

#define UP_TO_DATE (calm && placed && attached == epoch && next == published[epoch])

proctype reader()
{
	/* What memory.pml keeps of it. */
	byte visible;		/* all stores up to here have been acquired */
	byte unfenced;		/* what its relaxed loads would make visible if a fence came */
	byte known;		/* the latest store it got, or acquired, in this call */
	byte pick;
#ifdef NO_GOING_BACK
	byte got_at[WORDS];
#endif

	/* Copies: of slots up to `copied_to`, of a block, of the head. */
	short slot_seq[SLOTS], slot_data[SLOTS], slot_more[SLOTS];
	byte copied_to;
	short gen, about, second, head;
	short again;		/* number or generation, loaded a second time */

	/* The cursor. */
	byte attached;		/* epoch, 0: none yet */
	bool placed;		/* `next` means something */
	byte next;		/* the record expected */
	byte behind;		/* records below were published: a head past them was verified */
	byte first, got, lost;	/* in this epoch: entered here, delivered, called lost */
	byte last_payload;	/* of the last record delivered in any epoch */
	byte to;		/* what is called lost ends here ... */
	bool jumped;		/* ... and part of it may be there still */
	byte index;		/* of a record asked for out of order */

	bool calm;		/* no more stores, and all of them visible */
	byte calls;		/* since then */

#ifndef AT_THE_SAME_TIME
	written;
#endif
call:
	begin_call();
	if
	:: written && !calm ->
		d_step {
			visible = stored;
			calm = true
		}
	:: true
	fi;
	if
	:: UP_TO_DATE -> goto end
	:: !UP_TO_DATE && calm ->
		calls++;
		CHECK(PROGRESS, calls <= CALLS)
	:: !calm
	fi;
	if
	:: true
#ifndef STREAM_ONLY
	:: !calm && attached -> goto at
#endif
#ifdef REFRESH
	:: !calm && attached -> goto status
#endif
	fi;

	/* scaph_cursor_next(), shm/stream.c */
	if
	:: !placed -> goto place_cursor
	:: else
	fi;
	copy_run(next);
	if
	:: IS_RECORD(next) ->
		deliver_run();
		goto call
#ifdef LOST_FROM_ONE_COPY
	:: !IS_RECORD(next) && IN_COPY(next + 1) && IS_RECORD(next + 1) ->
		to = next + 1;
		goto gone
#endif
	:: else
	fi;
	if
	:: !calm -> goto call	/* it may be too early to doubt */
	:: true
	fi;

	/* Nothing there: descriptor and head again. */
#ifdef NO_LOOK
	goto call;
#endif
	copy_block(DESCRIPTOR);
	if
	:: BLOCK_USABLE && about != attached ->
		enter_epoch();
		goto call
	:: BLOCK_USABLE && about == attached -> verify_head()
	:: !BLOCK_USABLE
	fi;
	if
	:: next >= behind -> goto call
	:: else
	fi;
	/* A verified head is past it: the slot again, and only then it is gone. */
#ifndef NO_SECOND_LOOK
	copy_run(next);
	if
	:: IS_RECORD(next) ->
		deliver_run();
		goto call
	:: else
	fi;
#endif
	if
	:: behind - 1 - next >= SLOTS - 1 ->
		/* The ring has come round: to a place that leaves the writer some room. */
		to = behind + 1 - SLOTS;
		do
		:: to < behind - 1 -> to++
		:: to > next -> break
		od;
		jumped = true
	:: true ->
		/* From the copies at hand: up to the next that is there. */
		to = next + 1;
		do
		:: to < behind && IN_COPY(to) && !IS_RECORD(to) -> to++
		:: else -> break
		od
	fi;
gone:
	call_lost();
	goto call;

place_cursor:
	/* The first epoch is entered at its newest record, once a head has verified. */
	copy_block(DESCRIPTOR);
	if
	:: BLOCK_USABLE && about != attached -> enter_epoch()
	:: BLOCK_USABLE && about == attached
	:: !BLOCK_USABLE -> goto call
	fi;
	if
	:: placed -> goto call
	:: !placed && head != BEFORE_FIRST(attached) ->
		verify_head();
		if
		:: behind == 0 -> goto call
		:: else
		fi;
		next = behind - 1
	:: else
	fi;
	d_step {
		first = next;
		placed = true
	};
	goto call;

#ifndef STREAM_ONLY
at:
	/* scaph_cursor_at(), shm/history.c: of one index, behind a head that nothing has verified */
	copy_head();
	if
	:: EPOCH_OF(head) != attached || head == BEFORE_FIRST(attached) -> goto call
	:: else
	fi;
	do
	:: index < INDEX_OF(head) -> index++
	:: break
	od;
	copy_one(index);
	d_step {
		find_gone(index);
		CHECK(GONE, IS_RECORD(index) || is_gone_)
	};
	goto call;
#endif

#ifdef REFRESH
status:
	/* scaph_cursor_status(), shm/history.c */
	copy_block(STATUS);
	CHECK(BLOCK, !BLOCK_WHOLE || (about == PAYLOAD(EPOCH_OF(gen), INDEX_OF(gen)) &&
				      second == SECOND(EPOCH_OF(gen), gen, about)));
	goto call;
#endif

end:
	settle_account()
}

init {
	byte s;

	atomic {
		d_step {
			w_ = 0;
			do
			:: w_ < WORDS -> word[w_].count = 1; w_++
			:: else -> break
			od;
			/* The file as found: slots that could be the first epoch's (tags have 24 bits). */
			do
			:: s < SLOTS ->
				word[SEQ(s)].value[0] = COMPLETE(1, s);
				word[DATA(s)].value[0] = PAYLOAD(0, s);
				word[MORE(s)].value[0] = SECOND(0, COMPLETE(1, s), PAYLOAD(0, s));
				s++
			:: else -> break
			od;
			s = 0
		};
		run writer();
		run reader()
	}
}
