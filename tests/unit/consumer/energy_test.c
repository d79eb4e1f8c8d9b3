/* SPDX-License-Identifier: Apache-2.0 */
/*
 * energy_test.c - scaph_energy_between() on records made by hand
 *
 * A segment of the host's kind, whose origin is known, so that every instant lies exactly where the test puts it; then a guest's,
 * whose clock has to be found out.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>

#include "consumer/scaph.h"
#include "proto/descriptor.h"
#include "shm/segment.h"
#include "shm/writer.h"

#define NS_PER_MS 1000000ULL
#define WINDOW_NS (20 * NS_PER_MS)
#define SLOTS 1024
#define ALL_FLAGS                                                                                  \
	(SCAPH_FLAG_PACKAGE | SCAPH_FLAG_CORE | SCAPH_FLAG_DRAM | SCAPH_FLAG_IDLE | SCAPH_FLAG_CPU)

struct bench {
	char dir[64];
	char path[96];
	struct scaph_segment segment;
	struct scaph_descriptor desc;
	struct scaph_writer writer;
	struct scaph_reader *reader;
	uint64_t origin_ns;
	uint64_t mono_ns; /* end of the last window, as a host's time */
	uint16_t breaks, flags;
	uint64_t uj; /* used so far */
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* One window more, in which so much was used. */
static void window_of(struct bench *bench, uint64_t window_ns, uint64_t uj)
{
	bool figures = bench->flags & ALL_FLAGS;
	struct scaph_slot record = { .breaks = bench->breaks, .flags = bench->flags };

	bench->mono_ns += window_ns;
	bench->uj += uj;
	record.mono_ns = bench->mono_ns;
	record.package_uj = figures ? bench->uj : 0;
	record.core_uj = bench->flags & SCAPH_FLAG_CORE ? bench->uj / 2 : 0;
	record.dram_uj = bench->flags & SCAPH_FLAG_DRAM ? bench->uj * 3 : 0;
	record.idle_uj = bench->flags & SCAPH_FLAG_IDLE ? bench->uj / 4 : 0;
	record.cpu_ns = figures ? bench->uj * 1000 : 0;
	assert_int_equal(scaph_writer_publish(&bench->writer, &record), 0);
}

static void windows(struct bench *bench, unsigned int count, uint64_t uj)
{
	while (count--)
		window_of(bench, WINDOW_NS, uj);
}

static void adopt(struct bench *bench, uint64_t epoch_id)
{
	bench->desc.epoch_id = epoch_id;
	bench->breaks = 0;
	bench->flags = ALL_FLAGS;
	bench->mono_ns = 0;
	scaph_writer_adopt(&bench->writer, bench->segment.guard.map, bench->segment.bytes,
			   &bench->desc);
}

static int make(void **state, bool host, uint32_t source)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	uint64_t bytes;
	int dir_fd;

	strcpy(bench->dir, "/dev/shm/scaph-energy-XXXXXX");
	if (!mkdtemp(bench->dir))
		return -1;
	snprintf(bench->path, sizeof(bench->path), "%s/" SCAPH_SEGMENT_NAME, bench->dir);
	scaph_descriptor_init(&bench->desc);
	bench->origin_ns = now_ns() - 60000 * NS_PER_MS;
	bench->desc.subject = SCAPH_SUBJECT_DOMAIN;
	bench->desc.window_ns = WINDOW_NS;
	bench->desc.profile = SCAPH_PROFILE_TRUSTED;
	bench->desc.source = source;
	bench->desc.origin_mono_ns = host ? bench->origin_ns : 0;
	scaph_descriptor_place_rings(&bench->desc, &bytes);
	dir_fd = open(bench->dir, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	if (scaph_segment_open(dir_fd, SCAPH_SEGMENT_NAME, bytes, 0644, SCAPH_SEGMENT_KEEP_GROUP,
			       &bench->segment))
		return -1;
	close(dir_fd);
	adopt(bench, 0x123456789abcULL);
	*state = bench;
	return 0;
}

static int setup(void **state)
{
	return make(state, true, SCAPH_SOURCE_REPLAY);
}

static int setup_counter(void **state)
{
	return make(state, true, SCAPH_SOURCE_MSR);
}

static int setup_guest(void **state)
{
	return make(state, false, SCAPH_SOURCE_REPLAY);
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	scaph_close(bench->reader);
	scaph_segment_close(&bench->segment);
	unlink(bench->path);
	rmdir(bench->dir);
	free(bench);
	return 0;
}

/* A proven reader; windows of nothing while it makes sure. */
static void open_reader(struct bench *bench)
{
	struct scaph_record record;
	int r;

	assert_int_equal(scaph_open(bench->path, NULL, &bench->reader), 0);
	do {
		windows(bench, 1, 0);
		usleep(1000);
		r = scaph_latest(bench->reader, &record);
	} while (r == SCAPH_UNPROVEN || r == SCAPH_EMPTY);
	assert_int_equal(r, SCAPH_OK);
}

/*
 * A reader that has seen nothing of how the records came: those that are made here come all at once, whatever time they say, which
 * one that looked would take for a clock that stood still.
 */
static void look_anew(struct bench *bench)
{
	scaph_close(bench->reader);
	bench->reader = NULL;
	open_reader(bench);
}

/* Between two times of the host. */
static int between(struct bench *bench, uint64_t from_ns, uint64_t to_ns, struct scaph_energy *ret)
{
	ret->size = sizeof(*ret);
	return scaph_energy_between(bench->reader, bench->origin_ns + from_ns,
				    bench->origin_ns + to_ns, ret);
}

static void expect(struct bench *bench, uint64_t from_ns, uint64_t to_ns, uint64_t least,
		   uint64_t best, uint64_t most)
{
	struct scaph_energy energy;

	assert_int_equal(between(bench, from_ns, to_ns, &energy), SCAPH_OK);
	assert_int_equal(energy.package_uj.least, least);
	assert_int_equal(energy.package_uj.best, best);
	assert_int_equal(energy.package_uj.most, most);
	assert_int_equal(energy.bound_uj, most - best > best - least ? most - best : best - least);
	assert_int_equal(energy.duration_ns, to_ns - from_ns);
	assert_int_equal(energy.clock_ns, 0);
}

static void test_bounds(void **state)
{
	struct bench *bench = *state;
	uint64_t from_ns;

	open_reader(bench);
	from_ns = bench->mono_ns;
	window_of(bench, WINDOW_NS, 1000);
	window_of(bench, WINDOW_NS, 3000);
	window_of(bench, WINDOW_NS, 500);
	windows(bench, 3, 0);
	/* From a window's end to another's nothing is unknown. */
	expect(bench, from_ns, from_ns + WINDOW_NS, 1000, 1000, 1000);
	expect(bench, from_ns, from_ns + 3 * WINDOW_NS, 4500, 4500, 4500);
	/* Inside one it may be all or nothing. */
	expect(bench, from_ns + WINDOW_NS / 4, from_ns + WINDOW_NS / 2, 0, 250, 1000);
	/* From inside one into another: what lies between is certain. */
	expect(bench, from_ns + WINDOW_NS / 2, from_ns + 2 * WINDOW_NS + WINDOW_NS / 2, 3000, 3750,
	       4500);
	expect(bench, from_ns + WINDOW_NS - 1, from_ns + WINDOW_NS + 1, 0, 1, 4000);
}

static void test_all_figures(void **state)
{
	struct bench *bench = *state;
	struct scaph_energy energy;
	uint64_t from_ns, flags;

	open_reader(bench);
	from_ns = bench->mono_ns;
	windows(bench, 4, 8000);
	assert_int_equal(between(bench, from_ns, from_ns + 2 * WINDOW_NS, &energy), SCAPH_OK);
	assert_int_equal(energy.core_uj.best, 8000);
	assert_int_equal(energy.dram_uj.best, 48000);
	assert_int_equal(energy.idle_uj.best, 4000);
	assert_int_equal(energy.cpu_ns.best, 16000000);
	assert_int_equal(energy.flags, ALL_FLAGS);
	/* What one of the records does not know the span does not know. */
	flags = bench->flags;
	bench->flags = SCAPH_FLAG_PACKAGE | SCAPH_FLAG_CPU | SCAPH_FLAG_ESTIMATED;
	from_ns = bench->mono_ns;
	windows(bench, 2, 8000);
	bench->flags = (uint16_t)flags;
	windows(bench, 1, 8000);
	look_anew(bench);
	assert_int_equal(between(bench, from_ns, from_ns + 2 * WINDOW_NS, &energy), SCAPH_OK);
	assert_int_equal(energy.flags, SCAPH_HAS_PACKAGE | SCAPH_HAS_CPU | SCAPH_IS_ESTIMATED);
	assert_int_equal(energy.dram_uj.most, 0);
	assert_int_equal(energy.package_uj.best, 16000);
}

/* Late windows, long and short ones: found by time, not by number; and those without figures are passed over. */
static void test_uneven(void **state)
{
	struct bench *bench = *state;
	uint64_t end_ns[400], uj[400];

	open_reader(bench);
	srand48(3);
	for (unsigned int i = 0; i < 400; i++) {
		bench->flags = i % 7 == 3 ? 0 : ALL_FLAGS;
		window_of(bench, WINDOW_NS * (1 + (uint64_t)(drand48() * drand48() * 6)), 100 + i);
		end_ns[i] = bench->mono_ns;
		uj[i] = bench->uj;
	}
	for (unsigned int i = 0; i < 2000; i++) {
		unsigned int a = (unsigned int)(drand48() * 390), b = a + 1;
		unsigned int above;

		while (a % 7 == 3)
			a++;
		b = a + 1 + (unsigned int)(drand48() * (390 - a));
		while (b % 7 == 3)
			b++;
		expect(bench, end_ns[a], end_ns[b], uj[b] - uj[a], uj[b] - uj[a], uj[b] - uj[a]);
		/* A moment later it is the next one with figures that counts. */
		above = (b + 1) % 7 == 3 ? b + 2 : b + 1;
		expect(bench, end_ns[a], end_ns[b] + 1, uj[b] - uj[a], uj[b] - uj[a],
		       uj[above] - uj[a]);
	}
}

static void test_not_yet_and_too_old(void **state)
{
	struct bench *bench = *state;
	struct scaph_energy energy = { .duration_ns = 77 };
	uint64_t from_ns;

	open_reader(bench);
	from_ns = bench->mono_ns;
	windows(bench, 10, 100);
	assert_int_equal(between(bench, from_ns, bench->mono_ns + 1, &energy), SCAPH_NOT_YET);
	assert_int_equal(energy.duration_ns, 77);
	expect(bench, from_ns, bench->mono_ns - WINDOW_NS / 2, 900, 950, 1000);
	windows(bench, SLOTS - 40, 100);
	look_anew(bench);
	assert_int_equal(between(bench, from_ns, from_ns + WINDOW_NS, &energy), SCAPH_OK);
	windows(bench, 60, 100);
	look_anew(bench);
	assert_int_equal(between(bench, from_ns, from_ns + WINDOW_NS, &energy), SCAPH_TOO_OLD);
	assert_int_equal(between(bench, from_ns, bench->mono_ns - WINDOW_NS, &energy),
			 SCAPH_TOO_OLD);
	/* Nor will it wait for what will not come. */
	assert_int_equal(scaph_energy_await(bench->reader, bench->origin_ns + from_ns,
					    bench->origin_ns + from_ns + WINDOW_NS, -1, &energy),
			 SCAPH_TOO_OLD);
}

static void test_breaks(void **state)
{
	struct bench *bench = *state;
	struct scaph_energy energy;
	uint64_t from_ns, fallen_ns;

	open_reader(bench);
	from_ns = bench->mono_ns;
	windows(bench, 5, 100);
	bench->breaks++;
	windows(bench, 5, 100);
	/* A figure that falls is no writer's. */
	bench->uj -= 5;
	windows(bench, 1, 0);
	fallen_ns = bench->mono_ns;
	bench->uj += 5;
	windows(bench, 3, 100);
	/* The epoch's first record is the first that can be subtracted. */
	assert_int_equal(between(bench, 1, 3 * WINDOW_NS, &energy), SCAPH_GAP);
	assert_int_equal(between(bench, from_ns, from_ns + 7 * WINDOW_NS, &energy), SCAPH_GAP);
	/* The break is counted in the record after it. */
	expect(bench, from_ns, from_ns + 5 * WINDOW_NS, 500, 500, 500);
	assert_int_equal(between(bench, from_ns, from_ns + 5 * WINDOW_NS + 1, &energy), SCAPH_GAP);
	expect(bench, from_ns + 6 * WINDOW_NS, from_ns + 8 * WINDOW_NS, 200, 200, 200);
	expect(bench, fallen_ns - 2 * WINDOW_NS, fallen_ns, 95, 95, 95);
	assert_int_equal(between(bench, fallen_ns - WINDOW_NS, fallen_ns, &energy), SCAPH_GAP);
}

static void test_other_epoch(void **state)
{
	struct bench *bench = *state;
	struct scaph_energy energy;
	struct scaph_record record;
	int r;

	open_reader(bench);
	windows(bench, 5, 100);
	expect(bench, bench->mono_ns - 3 * WINDOW_NS, bench->mono_ns, 300, 300, 300);
	bench->origin_ns += bench->mono_ns;
	bench->desc.origin_mono_ns = bench->origin_ns;
	adopt(bench, 0x777777777777ULL);
	for (int i = 0; i < 500; i++) {
		windows(bench, 1, 100);
		usleep(1000);
		r = scaph_latest(bench->reader, &record);
		if (r == SCAPH_OK && record.epoch_id == 0x777777777777ULL)
			break;
	}
	assert_int_equal(r, SCAPH_OK);
	windows(bench, 4, 100);
	assert_int_equal(between(bench, 0 - 2 * WINDOW_NS, 3 * WINDOW_NS, &energy), SCAPH_GAP);
	expect(bench, WINDOW_NS, 3 * WINDOW_NS, 200, 200, 200);
}

/* A clock that stood still: an instant before cannot be told on the host's. */
static void test_stood_still(void **state)
{
	struct bench *bench = *state;
	struct scaph_energy energy;

	open_reader(bench);
	windows(bench, 10, 100);
	expect(bench, bench->mono_ns - 3 * WINDOW_NS, bench->mono_ns, 300, 300, 300);
	/* The host's goes on by minutes within moments of ours. */
	window_of(bench, 100000 * NS_PER_MS, 100);
	windows(bench, 10, 100);
	assert_int_equal(between(bench, bench->mono_ns - 5 * WINDOW_NS, bench->mono_ns, &energy),
			 SCAPH_NOT_YET);
	assert_int_equal(between(bench, 5 * WINDOW_NS, 8 * WINDOW_NS, &energy), SCAPH_GAP);
}

static void test_refusals(void **state)
{
	struct bench *bench = *state;
	struct scaph_energy energy = { .size = sizeof(energy) };
	struct scaph_clock clock = { .size = sizeof(clock) };

	open_reader(bench);
	assert_int_equal(scaph_energy_between(bench->reader, 5, 5, &energy), -EINVAL);
	assert_int_equal(scaph_energy_between(bench->reader, 6, 5, &energy), -EINVAL);
	assert_int_equal(scaph_energy_between(bench->reader, 6, UINT64_MAX, &energy), -EINVAL);
	assert_int_equal(scaph_energy_await(bench->reader, 6, 5, 0, &energy), -EINVAL);
	energy.size--;
	assert_int_equal(scaph_energy_between(bench->reader, 5, 6, &energy), -EINVAL);
	assert_int_equal(scaph_clock_sync(bench->reader, 0), SCAPH_OK);
	assert_int_equal(scaph_clock_read(bench->reader, &clock), SCAPH_OK);
	assert_int_equal(clock.offset_ns, bench->origin_ns);
	assert_int_equal(clock.error_ns, 0);
	clock.size = 0;
	assert_int_equal(scaph_clock_read(bench->reader, &clock), -EINVAL);
}

/* A processor's counter is not of its record's very time: an end within a step of it may be on either side. */
static void test_grain(void **state)
{
	struct bench *bench = *state;
	struct scaph_energy energy;
	uint64_t from_ns;

	open_reader(bench);
	windows(bench, 1, 100);
	from_ns = bench->mono_ns;
	windows(bench, 6, 100);
	assert_int_equal(
		between(bench, from_ns + NS_PER_MS, from_ns + 3 * WINDOW_NS - NS_PER_MS, &energy),
		SCAPH_OK);
	assert_int_equal(energy.package_uj.least, 100);
	assert_int_equal(energy.package_uj.most, 500);
	assert_int_equal(energy.package_uj.best, 290);
	assert_int_equal(between(bench, from_ns + 2 * NS_PER_MS,
				 from_ns + 3 * WINDOW_NS - 2 * NS_PER_MS, &energy),
			 SCAPH_OK);
	assert_int_equal(energy.package_uj.least, 100);
	assert_int_equal(energy.package_uj.most, 300);
}

struct live {
	struct bench *bench;
	unsigned int windows;
};

/* A writer in real time, with a status each second's worth of a few windows. */
static void *write_live(void *argument)
{
	struct live *live = argument;
	struct bench *bench = live->bench;

	for (unsigned int i = 0; i < live->windows; i++) {
		uint64_t host_ns = now_ns() - bench->origin_ns;
		struct scaph_status status = { .state = SCAPH_STATE_LIVE,
					       .valid = SCAPH_STATUS_WALL };

		window_of(bench, host_ns - bench->mono_ns, 1000);
		if (i % 50 == 25) {
			status.mono_ns = now_ns() - bench->origin_ns;
			scaph_writer_set_status(&bench->writer, &status);
		}
		usleep((useconds_t)(WINDOW_NS / 1000));
	}
	return NULL;
}

/* Nobody says where a guest's clock lies: found out, and right at every moment of it. */
static void test_guest_clock(void **state)
{
	struct bench *bench = *state;
	struct live live = { bench, 160 };
	struct scaph_energy energy = { .size = sizeof(energy) };
	struct scaph_clock clock = { .size = sizeof(clock) };
	uint64_t from_ns = now_ns(), error_ns = 0;
	unsigned int asked = 0;
	pthread_t thread;
	int r;

	assert_int_equal(scaph_open(bench->path, NULL, &bench->reader), 0);
	assert_int_equal(pthread_create(&thread, NULL, write_live, &live), 0);
	while (now_ns() - from_ns < 500 * NS_PER_MS) {
		r = scaph_clock_read(bench->reader, &clock);
		assert_true(r == SCAPH_OK || r == SCAPH_UNPROVEN || r == SCAPH_NOT_YET);
		usleep(3000);
		if (r != SCAPH_OK)
			continue;
		asked++;
		error_ns = (uint64_t)llabs(clock.offset_ns - (int64_t)bench->origin_ns);
		assert_true(error_ns <= clock.error_ns + 1);
	}
	assert_true(asked > 20);
	from_ns = now_ns();
	usleep(60000);
	r = scaph_energy_await(bench->reader, from_ns, now_ns(), 1000 * (int64_t)NS_PER_MS,
			       &energy);
	assert_int_equal(r, SCAPH_OK);
	assert_in_range(energy.package_uj.best, energy.package_uj.least, energy.package_uj.most);
	assert_true(energy.package_uj.most >= 2000);
	assert_int_equal(scaph_clock_sync(bench->reader, 3000 * (int64_t)NS_PER_MS), SCAPH_OK);
	assert_int_equal(scaph_clock_read(bench->reader, &clock), SCAPH_OK);
	error_ns = (uint64_t)llabs(clock.offset_ns - (int64_t)bench->origin_ns);
	assert_true(error_ns <= clock.error_ns + 1);
	pthread_join(thread, NULL);
	/* The writer is silent: what has been may still be asked for, and what comes never is stale. */
	usleep(400000);
	while (scaph_latest(bench->reader, &(struct scaph_record){}) != SCAPH_STALE)
		usleep(20000);
	energy.size = sizeof(energy);
	assert_int_equal(
		scaph_energy_between(bench->reader, from_ns, from_ns + 50 * NS_PER_MS, &energy),
		SCAPH_OK);
	assert_int_equal(scaph_energy_await(bench->reader, from_ns, now_ns(), -1, &energy),
			 SCAPH_STALE);
}

/* Time is over before the record is there. */
static void test_await_ends(void **state)
{
	struct bench *bench = *state;
	struct scaph_energy energy = { .size = sizeof(energy) };
	uint64_t from_ns, began_ns;

	open_reader(bench);
	from_ns = bench->mono_ns;
	windows(bench, 3, 100);
	began_ns = now_ns();
	assert_int_equal(scaph_energy_await(bench->reader, bench->origin_ns + from_ns,
					    bench->origin_ns + bench->mono_ns + 1,
					    30 * (int64_t)NS_PER_MS, &energy),
			 SCAPH_NOT_YET);
	assert_true(now_ns() - began_ns >= 30 * NS_PER_MS);
}

static uint64_t anything(void)
{
	uint64_t bits = (uint64_t)mrand48() << 32 ^ (uint64_t)(uint32_t)mrand48();

	/* Of every size, and near what is true. */
	return drand48() < 0.3 ? now_ns() + bits % 1000000 : bits >> (lrand48() % 64);
}

static void expect_in_order(const struct scaph_bounds *bounds)
{
	assert_true(bounds->least <= bounds->best && bounds->best <= bounds->most);
}

/* Records of which some are as they should be; a status of whatever time. */
static void publish_anything(struct bench *bench, unsigned int count)
{
	struct scaph_status status = { .state = SCAPH_STATE_LIVE,
				       .valid = SCAPH_STATUS_WALL,
				       .mono_ns = anything() };

	for (unsigned int i = 0; i < count; i++) {
		struct scaph_slot record = {
			.package_uj = lrand48() % 50 ? bench->uj += 1000 : anything(),
			.cpu_ns = lrand48() % 50 ? bench->uj : anything(),
			.flags = lrand48() % 8 ? ALL_FLAGS : (uint16_t)(mrand48() & 0x1f1f),
			.breaks = bench->writer.breaks,
		};

		bench->mono_ns += (uint64_t)lrand48() % 2000000;
		record.mono_ns = lrand48() % 50 ? bench->mono_ns : anything();
		scaph_writer_publish(&bench->writer, &record);
	}
	scaph_writer_set_status(&bench->writer, &status);
}

/* A host that says anything, with checksums that are right: an answer in time, bounds in order, and the sanitizers are silent. */
static void test_hostile(void **state)
{
	struct bench *bench = *state;
	struct scaph_energy energy = { .size = sizeof(energy) };
	struct scaph_clock clock = { .size = sizeof(clock) };
	unsigned int answered = 0;

	open_reader(bench);
	srand48(11);
	for (unsigned int i = 0; i < 20000; i++) {
		uint64_t from_ns =
			i % 3 ? bench->origin_ns + bench->mono_ns - (uint64_t)lrand48() % 200000000
			      : anything();
		int r;

		if (i % 500 == 0) {
			publish_anything(bench, 300);
			look_anew(bench);
		}
		if (i % 500 > 250)
			publish_anything(bench, 1);
		r = scaph_energy_between(bench->reader, from_ns,
					 from_ns + 1 + (uint64_t)lrand48() % 20000000, &energy);
		if (r == SCAPH_OK) {
			expect_in_order(&energy.package_uj);
			expect_in_order(&energy.cpu_ns);
			answered++;
		}
		scaph_clock_read(bench->reader, &clock);
		if (i % 1000 == 0) {
			scaph_energy_await(bench->reader, from_ns, from_ns + 1, 1000, &energy);
			scaph_clock_sync(bench->reader, 1000);
		}
	}
	/* A guest's reader has nothing to go by but these times. */
	assert_true(answered > 1000 || !bench->desc.origin_mono_ns);
}

/* Several segments in one program: each reader knows its own. */
static void test_several(void **state)
{
	struct bench *one = *state, *other;
	struct scaph_record a, b;
	uint64_t from_ns[2];

	assert_int_equal(setup((void **)&other), 0);
	open_reader(one);
	open_reader(other);
	from_ns[0] = one->mono_ns;
	from_ns[1] = other->mono_ns;
	for (int i = 0; i < 200; i++) {
		windows(one, 1, 100);
		windows(other, 1, 70);
		assert_int_equal(scaph_latest(one->reader, &a), SCAPH_OK);
		assert_int_equal(scaph_latest(other->reader, &b), SCAPH_OK);
		assert_int_equal(a.package_uj, one->uj);
		assert_int_equal(b.package_uj, other->uj);
	}
	expect(one, from_ns[0], from_ns[0] + 150 * WINDOW_NS, 15000, 15000, 15000);
	expect(other, from_ns[1], from_ns[1] + 150 * WINDOW_NS, 10500, 10500, 10500);
	teardown((void **)&other);
}

#define ON_BENCH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BENCH(test_bounds),
		ON_BENCH(test_all_figures),
		ON_BENCH(test_uneven),
		ON_BENCH(test_not_yet_and_too_old),
		ON_BENCH(test_breaks),
		ON_BENCH(test_other_epoch),
		ON_BENCH(test_stood_still),
		ON_BENCH(test_refusals),
		ON_BENCH(test_await_ends),
		ON_BENCH(test_several),
		ON_BENCH(test_hostile),
		cmocka_unit_test_setup_teardown(test_hostile, setup_guest, teardown),
		cmocka_unit_test_setup_teardown(test_grain, setup_counter, teardown),
		cmocka_unit_test_setup_teardown(test_guest_clock, setup_guest, teardown),
	};

	return cmocka_run_group_tests_name("energy", tests, NULL, NULL);
}
