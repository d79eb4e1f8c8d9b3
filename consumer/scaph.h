/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scaph.h - libscaph: read the energy of this virtual machine, or on the host of every one
 *
 * A reader is attached to one segment, the file scaphd writes for one domain. It delivers records: what the domain has used
 * up to the end of each window (20 ms by default), cumulative, in microjoules. Every record has been verified before it is
 * handed out; where there is no figure there is a reason.
 *
 * Thread-safety: one reader is used by one thread at a time; different readers are independent. No function prints, installs
 * a signal handler (but see guard), or starts a thread. Errors are negative errno values; positive results are of
 * enum scaph_result and are not failures.
 */
#ifndef SCAPH_H
#define SCAPH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum scaph_result {
	SCAPH_OK = 0,
	SCAPH_EMPTY = 1, /* nothing new yet: wait, then ask again */
	SCAPH_LAPPED = 2, /* records are gone for ever; scaph_lost() counts them; go on asking */
	SCAPH_EPOCH =
		3, /* a new epoch began: records before and after must not be subtracted; go on asking */
	SCAPH_STALE = 4, /* nothing comes any more: see scaph_reason() */
	SCAPH_UNPROVEN = 5, /* attached, but nothing has moved yet: ask again */
	SCAPH_WITHHELD = 6, /* the host lives, but the domain's profile lets it see no figures */
	SCAPH_GAP =
		7, /* these two records must not be subtracted: there is no power between them */
	SCAPH_REFUSED = 8, /* no segment this library can read: see scaph_reason() */
	SCAPH_NOT_YET =
		9, /* the span's last record is not there yet: ask again, or scaph_energy_await() */
	SCAPH_TOO_OLD = 10, /* the span begins before what the segment still holds */
};

/* Bits of scaph_record.flags and scaph_span.flags. */
enum scaph_record_flag {
	SCAPH_HAS_PACKAGE = 1U << 0, /* package_uj is known; and so on */
	SCAPH_HAS_CORE = 1U << 1,
	SCAPH_HAS_DRAM = 1U << 2,
	SCAPH_HAS_IDLE = 1U << 3,
	SCAPH_HAS_CPU = 1U << 4,
	SCAPH_IS_ESTIMATED = 1U << 8, /* a model's estimate, not a measurement */
	SCAPH_IS_FILTERED = 1U << 9, /* the processor blurs short-term values */
	SCAPH_IS_LATE = 1U << 10, /* the window closed late and covers more time */
	SCAPH_IS_COARSE = 1U << 11,
	SCAPH_IS_PRICED = 1U << 12, /* CPU time at a held price */
	SCAPH_IS_BY_TRAFFIC = 1U << 13, /* dram by memory traffic; else by CPU time */
};

/*
 * What a domain has used since the host booted (or it was defined), as of the end of one window. A figure whose bit is clear is 0. With
 * none set the window stays open: the next record that has figures covers it too.
 */
struct scaph_record {
	uint64_t epoch_id;
	uint64_t number; /* counts from 0 in each epoch */
	uint64_t mono_ns; /* end of the window, ns since the epoch's origin on the host's clock */
	uint64_t package_uj; /* dynamic and idle share together */
	uint64_t core_uj; /* part of package_uj */
	uint64_t dram_uj; /* not part of package_uj on servers */
	uint64_t idle_uj; /* the idle share in package_uj */
	uint64_t cpu_ns; /* CPU time */
	uint32_t breaks; /* gaps in this epoch so far */
	uint32_t flags; /* enum scaph_record_flag */
};

/* Energy over a span between two records. */
struct scaph_span {
	uint64_t duration_ns;
	uint64_t package_uj;
	uint64_t core_uj;
	uint64_t dram_uj;
	uint64_t idle_uj;
	uint64_t cpu_ns;
	uint64_t power_uw; /* mean of package_uj over duration_ns */
	uint32_t flags; /* what is known in both ends; estimated, ... if either end is */
	uint32_t reserved;
};

/* A figure that lies between least and most for certain; best is the likeliest by what is known. */
struct scaph_bounds {
	uint64_t least;
	uint64_t best;
	uint64_t most;
};

/* Energy between any two instants of this machine's CLOCK_MONOTONIC. */
struct scaph_energy {
	size_t size; /* sizeof(struct scaph_energy), set by the caller */
	uint64_t epoch_id;
	uint64_t duration_ns;
	struct scaph_bounds package_uj; /* dynamic and idle share together */
	struct scaph_bounds core_uj; /* part of package_uj */
	struct scaph_bounds dram_uj; /* not part of package_uj on servers */
	struct scaph_bounds idle_uj; /* the idle share in package_uj */
	struct scaph_bounds cpu_ns; /* CPU time */
	uint64_t bound_uj; /* package_uj.best is off by this at most */
	uint64_t clock_ns; /* how uncertain either end was in the host's time: half of that range */
	uint32_t flags; /* enum scaph_record_flag: what is known throughout; estimated, ... if any record used is */
	uint32_t reserved;
};

/* Where the host's times lie on this machine's CLOCK_MONOTONIC: ours = a record's mono_ns + offset_ns, give or take error_ns. */
struct scaph_clock {
	size_t size; /* sizeof(struct scaph_clock), set by the caller */
	uint64_t epoch_id; /* the offset is of this epoch alone */
	int64_t offset_ns;
	uint64_t error_ns; /* now; grows by 100 ns a millisecond until something better is seen */
};

enum scaph_open_mode {
	SCAPH_OPEN_AUTO = 0, /* by mount type and by trying */
	SCAPH_OPEN_COHERENT = 1, /* a mapping */
	SCAPH_OPEN_SNAPSHOT = 2, /* preads past the page cache */
};

struct scaph_options {
	size_t size; /* sizeof(struct scaph_options) */
	int mode; /* enum scaph_open_mode */
	int guard; /* 1: install a process-wide SIGBUS handler, so that a file cut under the reader cannot end us */
	int history; /* 1: begin at the oldest record the segment holds, not at the newest */
};

/* What is known of the segment a reader is attached to. */
struct scaph_info {
	size_t size; /* sizeof(struct scaph_info), set by the caller */
	char name[256]; /* the domain's, as the host wrote it: escape it before showing */
	char uuid[37]; /* lower case */
	char source[16]; /* msr, perf, powercap, model, replay, ring, resctrl */
	char meter[16]; /* bpf, cputime */
	char profile[16];
	char mode[16]; /* coherent, snapshot */
	uint64_t epoch_id;
	uint64_t window_ns;
	uint64_t origin_mono_ns; /* host segments only, else 0 */
	int is_host; /* the host's totals, no domain */
	int is_estimated;
};

/* What scaphd says of a segment: struct scaph_bulletin.state. */
enum scaph_bulletin_state {
	SCAPH_BULLETIN_LIVE = 1,
	SCAPH_BULLETIN_PAUSED = 2,
	SCAPH_BULLETIN_RETIRED = 3, /* no record follows in this epoch */
};

/* Why something is absent: bits of struct scaph_bulletin.reasons. */
enum scaph_bulletin_reason {
	SCAPH_BULLETIN_PROFILE_OFF = 1U << 0, /* records are withheld by the profile */
	SCAPH_BULLETIN_IDLE_UNKNOWN = 1U << 1, /* no idle power known: no idle split */
	SCAPH_BULLETIN_SOURCE_LOST = 1U << 2, /* the energy source ended or fails */
	SCAPH_BULLETIN_METER_LOST = 1U << 3, /* the CPU time of this domain cannot be read */
	SCAPH_BULLETIN_DOMAIN_GONE = 1U << 4, /* the domain's process ended */
	SCAPH_BULLETIN_PRODUCER_ENDED = 1U << 5, /* scaphd ended in order */
	SCAPH_BULLETIN_RATE_LOW = 1U << 6, /* windows close later than configured */
	SCAPH_BULLETIN_PRICE_PENDING = 1U << 7, /* no price of CPU time is known yet */
	SCAPH_BULLETIN_SAMPLING_LOWERED = 1U
					  << 8, /* to keep to a CPU budget; windows are as ever */
	SCAPH_BULLETIN_OVER_BUDGET = 1U << 9, /* and that does not suffice */
};

/* Bits of struct scaph_bulletin.valid: which figures are there. */
enum scaph_bulletin_valid {
	SCAPH_BULLETIN_HAS_WALL = 1U << 0, /* wall_ns and mono_ns */
	SCAPH_BULLETIN_HAS_UNCORE = 1U << 2,
	SCAPH_BULLETIN_HAS_PSYS = 1U << 3,
	SCAPH_BULLETIN_HAS_RESIDUAL = 1U << 6,
	SCAPH_BULLETIN_HAS_UNATTRIBUTED = 1U << 7,
	SCAPH_BULLETIN_HAS_FLOAT = 1U << 9,
	SCAPH_BULLETIN_HAS_OWN = 1U << 10, /* own_uj and own_cpu_ns */
	SCAPH_BULLETIN_HAS_SAMPLING = 1U << 11, /* look_spent_ns to sampling_steps */
};

/* What a segment says about once a second, beside its records. Figures are cumulative over epochs; one whose bit is
 * clear is 0. */
struct scaph_bulletin {
	size_t size; /* sizeof(struct scaph_bulletin), set by the caller */
	uint64_t epoch_id; /* as in the records: never subtract over two epochs */
	uint32_t state; /* enum scaph_bulletin_state */
	uint32_t reasons; /* enum scaph_bulletin_reason */
	uint64_t valid; /* enum scaph_bulletin_valid */
	uint64_t wall_ns; /* the host's CLOCK_REALTIME at ... */
	uint64_t mono_ns; /* ... this time since the epoch's origin */
	uint64_t uncore_uj; /* part of the package's energy */
	uint64_t psys_uj; /* of the whole platform: contains all others */
	uint64_t residual_uj; /* host's totals: energy that belongs to no domain */
	uint64_t unattributed_uj; /* host's totals: energy of gaps, divided among nobody */
	int64_t float_uj; /* exact energy less what was published at a price; may fall */
	uint64_t own_uj; /* host's totals: energy of scaphd itself, part of residual_uj */
	uint64_t own_cpu_ns;
	uint64_t look_spent_ns; /* host's totals: CPU time of looking for the counters' steps, since scaphd began */
	uint64_t looks; /* so many */
	uint64_t read_rate_millihz; /* readings of a package's counters over the last second */
	uint32_t own_load_ppm; /* CPU time of scaphd over some seconds, in millionths of one core */
	uint32_t cpu_budget_ppm; /* what that may be; 0: anything */
	uint32_t sampling_step; /* steps by which sampling is lowered for that */
	uint32_t sampling_steps; /* that there are */
};

struct scaph_reader;

/**
 * scaph_open() - open a segment
 * @path:    segment file, share folder with scaph.ring in it, block device (pmem), or an ivshmem device's resource2
 * @options: NULL for defaults
 * @ret:     set only on 0; ended with scaph_close()
 *
 * Context:  opens and maps; may block on a hung share.
 * Return:   0 or a negative errno. A file that is no segment yet opens, and scaph_next() says why it cannot be read.
 */
int scaph_open(const char *path, const struct scaph_options *options, struct scaph_reader **ret);

/* Close a reader; NULL is allowed. */
void scaph_close(struct scaph_reader *reader);

/**
 * scaph_next() - copy out the next record in order
 * @ret: set only on SCAPH_OK
 *
 * The first record is the newest at the time of attaching. Every other result may be followed by records: an event is
 * reported once, a state as long as it lasts.
 *
 * Context:  coherent: no system call while records come; snapshot: a pread for many records. Never waits for a record.
 * Ordering: R1, R2, R3 (pair with W2, W1, W3 in shm/writer.c).
 * Source:   proto/SPEC.md, "Reading".
 * Return:   SCAPH_OK, _EMPTY, _LAPPED, _EPOCH, _STALE, _UNPROVEN, _WITHHELD, _REFUSED, or a negative errno.
 */
int scaph_next(struct scaph_reader *reader, struct scaph_record *ret);

/**
 * scaph_next_many() - copy out the next records in order, as many as are there
 * @ret_records: room for @room; the first *@ret_count are set only on SCAPH_OK
 * @room:        at least 1; 64 and more make the most of it
 * @ret_count:   set only on SCAPH_OK: 1 to @room
 *
 * What scaph_next() would give, call for call, at a fraction of its cost: for whoever reads in batches or keeps up with a fast
 * writer. An event between records ends the batch and comes with the next call.
 *
 * Context, Ordering, Source, Return: as scaph_next(); -EINVAL: no room.
 */
int scaph_next_many(struct scaph_reader *reader, struct scaph_record *ret_records, size_t room,
		    size_t *ret_count);

/**
 * scaph_latest() - copy out the newest record; the place of scaph_next() stays
 * @ret: set only on SCAPH_OK
 *
 * Return:   as scaph_next(), without _LAPPED and _EPOCH.
 */
int scaph_latest(struct scaph_reader *reader, struct scaph_record *ret);

/**
 * scaph_wait() - wait until scaph_next() has something to say
 * @timeout_ns: at most this long; negative: no limit
 * @batch_ns:   sleep at least this long in one go, so that records come in batches: 50-100 ms cost next to nothing, 0
 *              wakes for each record (about 24 us of CPU a wake)
 *
 * Context:  sleeps; never spins.
 * Return:   0: ask scaph_next(); SCAPH_EMPTY: the time is over; -EINTR: a signal came.
 */
int scaph_wait(struct scaph_reader *reader, int64_t timeout_ns, uint64_t batch_ns);

/**
 * scaph_between() - energy and power between two records
 * @from, @to: of one reader, @from the earlier
 * @ret:       set only on SCAPH_OK
 *
 * Context:  pure.
 * Return:   SCAPH_OK; SCAPH_GAP: another epoch, a gap between them, wrong order, or under 20 ms and one record apart in
 *           neither; then there is no power, not even zero.
 */
int scaph_between(const struct scaph_record *from, const struct scaph_record *to,
		  struct scaph_span *ret);

/**
 * scaph_window() - energy and power over the last span, from the history in the segment
 * @span_ns: wished length; at least one window and 20 ms are used, at most what the ring holds
 * @ret:     set only on SCAPH_OK; duration_ns says what it became
 *
 * Return:   SCAPH_OK, SCAPH_GAP, or as scaph_latest().
 */
int scaph_window(struct scaph_reader *reader, uint64_t span_ns, struct scaph_span *ret);

/**
 * scaph_energy_between() - energy between two instants of this machine's CLOCK_MONOTONIC
 * @t0_ns, @t1_ns: as clock_gettime() gave them, @t0_ns the earlier
 * @ret:           size set by the caller; the rest set only on SCAPH_OK
 *
 * For a program that meters what it does: it reads the clock before and after, and asks once the records of that time are there, a
 * window later. The bounds hold for certain, of what the host has counted: energy inside a window may have been used anywhere in
 * it, and an instant is only known on the host's clock as well as scaph_clock_read() says. Best is a straight line through each window.
 *
 * Context:  looks at the newest record and searches the ring; coherent: no system call but now and then; snapshot: some preads.
 *           Never waits.
 * Source:   proto/SPEC.md, 8, "Time".
 * Return:   SCAPH_OK; SCAPH_NOT_YET: the record that covers @t1_ns is not there, or nothing is known of the clock yet;
 *           SCAPH_TOO_OLD: it begins before the oldest record (the ring holds 4 s at least); SCAPH_GAP: records that must not be
 *           subtracted, a new epoch, or a clock that stood still lie between; _STALE, _UNPROVEN, _WITHHELD, _REFUSED as
 *           scaph_latest(); -EINVAL: size is wrong, or @t0_ns is not before @t1_ns; or another negative errno.
 */
int scaph_energy_between(struct scaph_reader *reader, uint64_t t0_ns, uint64_t t1_ns,
			 struct scaph_energy *ret);

/**
 * scaph_energy_await() - scaph_energy_between() once its records are there
 * @timeout_ns: at most this long; negative: no limit
 *
 * Context:  sleeps until the record is due that covers @t1_ns; never spins.
 * Return:   as scaph_energy_between(); SCAPH_NOT_YET or SCAPH_UNPROVEN: the time is over; -EINTR: a signal came.
 */
int scaph_energy_await(struct scaph_reader *reader, uint64_t t0_ns, uint64_t t1_ns,
		       int64_t timeout_ns, struct scaph_energy *ret);

/**
 * scaph_clock_read() - how a record's time is told on this machine's clock
 * @ret: size set by the caller; the rest set only on SCAPH_OK
 *
 * Return:   SCAPH_OK; SCAPH_NOT_YET: it takes two records at least; -EINVAL: size is wrong; or as scaph_latest().
 */
int scaph_clock_read(struct scaph_reader *reader, struct scaph_clock *ret);

/**
 * scaph_clock_sync() - know the offset of the clocks to a fraction of a millisecond
 * @timeout_ns: at most this long; it takes 1 s; negative: no limit
 *
 * Watches the moment in which the host's status comes, once a second. Without it an instant is known to about two windows. Lasts:
 * after a minute the error has grown by 6 ms. On the host, whose segments name their origin, there is nothing to do.
 *
 * Context:  sleeps, then looks every 50 us for some milliseconds.
 * Return:   SCAPH_OK; SCAPH_NOT_YET: the time is over; -EINTR: a signal came; or as scaph_latest().
 */
int scaph_clock_sync(struct scaph_reader *reader, int64_t timeout_ns);

/**
 * scaph_totals() - this reader's own sums since it was opened
 * @ret: differences between records that may be subtracted, over all epochs: never steps back over a restart or migration
 */
void scaph_totals(const struct scaph_reader *reader, struct scaph_span *ret);

/* Records known to be lost since the reader was opened. */
uint64_t scaph_lost(const struct scaph_reader *reader);

/* Time since the last record was delivered, in ns of this machine's CLOCK_MONOTONIC. */
uint64_t scaph_age_ns(const struct scaph_reader *reader);

/**
 * scaph_describe() - what the segment says of itself
 * @ret: size set by the caller
 *
 * Return:   0; SCAPH_UNPROVEN before a valid descriptor was seen; -EINVAL: size is wrong.
 */
int scaph_describe(const struct scaph_reader *reader, struct scaph_info *ret);

/**
 * scaph_bulletin_read() - what the segment says about once a second, beside its records
 * @ret: size set by the caller; the rest set only on SCAPH_OK
 *
 * Context:  a look at the segment's first 8 KiB: one pread in snapshot mode. What was said last stays there when scaphd is
 *           gone: whether it still holds is for scaph_next() to say.
 * Source:   proto/SPEC.md, 4.
 * Return:   SCAPH_OK; SCAPH_EMPTY: none that verifies now; SCAPH_UNPROVEN: not attached yet; -EINVAL: size is wrong; or
 *           another negative errno.
 */
int scaph_bulletin_read(struct scaph_reader *reader, struct scaph_bulletin *ret);

/**
 * scaph_reason() - why there is no figure: one clause for people
 *
 * Return:   valid until the next call with this reader; never NULL; "" while there are figures.
 */
const char *scaph_reason(struct scaph_reader *reader);

#ifdef __cplusplus
}
#endif

#endif
