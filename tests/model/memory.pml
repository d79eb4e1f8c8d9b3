/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory.pml - shared 64-bit words as C11 sees them: one writer at a time, one reader
 *
 * A word is the list of all stores to it. Each store has a place in the writers' program order and
 * says how far back in it it vouches: a release store for everything before it, a relaxed one for
 * everything before the last release fence. An acquire takes the reader's `visible` up to what the
 * store it got vouches for. A load may get the newest store of its word up to `visible`, or ANY
 * later one: stores later than that may have come through in whatever order, word by word, and loads
 * may have been done early. So everything that the labels leave free is tried, whatever a machine
 * or a compiler would do; nothing else orders anything.
 *
 * Places are life * LIFE_STORES + n: the stores of a dead writer are before its successor's.
 */
#define RELAXED 0
#define LIFE_STORES 60
#define LIFE_OF(place) ((place) / LIFE_STORES)

typedef history {
	short value[VERSIONS];	/* [0]: the file as found */
	byte at[VERSIONS];	/* place in the program order */
	byte vouches[VERSIONS];	/* for all stores up to this place */
	byte count
};
history word[WORDS];

/* The writer's side. */
byte life;		/* of the writer that runs: 1, 2, ... */
byte stored;		/* place of its last store */
byte fenced;		/* place of the last store in front of its last release fence */

/* Used inside d_step only. */
hidden byte w_, v_;

#define NEWEST(w) word[w].value[word[w].count - 1]
#define LATER_OF(a, b) ((a) > (b) -> (a) : (b))

/* A store; the writer may die in front of any, as long as there is another to come after it. */
inline store(w, x, release)
{
	atomic {
		if
		:: true
		:: life < LIVES -> goto died
		fi;
		skip;	/* spin will not have a jump into d_step */
		d_step {
			stored++;
			v_ = word[w].count;
			assert(v_ < VERSIONS && LIFE_OF(stored) == life);
			word[w].value[v_] = x;
			word[w].at[v_] = stored;
			word[w].vouches[v_] = (release -> stored : fenced);
			word[w].count++
		}
	}
}

/* From here on each store vouches for every store so far. `on`: 0 in the mutant without it. */
inline release_fence(on)
{
	fenced = (on -> stored : fenced)
}

/*
 * A load; `acquiring`: 0 for a relaxed one and in the mutant without it. Of the reader (ring.pml):
 * `visible`, `unfenced`: what an acquire fence would make of it, `known`: the latest store got.
 * Only with NO_GOING_BACK is the reader bound to what it got from this word before (coherence).
 */
inline load(w, into, acquiring)
{
	atomic {
		pick = word[w].count - 1;
		do
#ifdef NO_GOING_BACK
		:: word[w].at[pick] > LATER_OF(visible, got_at[w]) -> pick--
#else
		:: word[w].at[pick] > visible -> pick--
#endif
		:: break
		od;
		skip;
		d_step {
			into = word[w].value[pick];
			known = LATER_OF(known, word[w].at[pick]);
#ifdef NO_GOING_BACK
			got_at[w] = word[w].at[pick];
#endif
			if
			:: acquiring -> visible = LATER_OF(visible, word[w].vouches[pick])
			:: else -> unfenced = LATER_OF(unfenced, word[w].vouches[pick])
			fi;
			pick = 0
		}
	}
}

inline acquire_fence(on)
{
	d_step {
		visible = (on -> LATER_OF(visible, unfenced) : visible);
		unfenced = 0
	}
}
