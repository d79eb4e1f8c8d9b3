/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meter_test.c - the meter cputime over a /proc/stat that is told, and this process's own clock
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "producer/meter/meter.h"
#include "producer/process/clock.h"

#define TICK_NS (10 * SCAPH_NS_PER_MS) /* of USER_HZ */

struct bench {
	char procfs[64], stat[80];
	struct scaph_config config;
	struct scaph_topology topology;
	struct scaph_meter *meter;
	struct scaph_reading reading;
	uint64_t busy_ns;
};

/* One CPU, busy for so long. */
static void write_stat(struct bench *bench, uint64_t busy_ns)
{
	FILE *file = fopen(bench->stat, "w");

	assert_non_null(file);
	for (int line = 0; line < 2; line++)
		fprintf(file, "cpu%s %llu 0 0 1000 0 0 0 0 0 0\n", line ? "0" : " ",
			(unsigned long long)(busy_ns / TICK_NS));
	assert_int_equal(fclose(file), 0);
	bench->busy_ns = busy_ns;
}

/* Busy time of one more window; *ret_cpu_ns: this process's part. */
static uint64_t sweep(struct bench *bench, uint64_t *ret_cpu_ns)
{
	struct scaph_reading *readings[] = { &bench->reading };
	uint64_t busy_ns[SCAPH_PACKAGES_MAX];

	assert_int_equal(bench->meter->ops->sweep(bench->meter, readings, 1, busy_ns), 0);
	*ret_cpu_ns = bench->reading.package_ns[0];
	assert_true(busy_ns[0] >= *ret_cpu_ns);
	return busy_ns[0];
}

static void run_for(uint64_t ns)
{
	uint64_t end_ns = scaph_clock_ns(CLOCK_PROCESS_CPUTIME_ID) + ns;

	while (scaph_clock_ns(CLOCK_PROCESS_CPUTIME_ID) < end_ns)
		;
}

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	char why[SCAPH_METER_WHY_BYTES];
	uint64_t cpu_ns;

	snprintf(bench->procfs, sizeof(bench->procfs), "/tmp/scaph-meter-XXXXXX");
	assert_non_null(mkdtemp(bench->procfs));
	snprintf(bench->stat, sizeof(bench->stat), "%s/stat", bench->procfs);
	bench->config.procfs = bench->procfs;
	bench->topology = (struct scaph_topology){
		.cpus = 1, .online = 1, .packages = 1, .package[0].cpus = 1
	};
	bench->reading =
		(struct scaph_reading){ .pid = getpid(), .cpu_clock = CLOCK_PROCESS_CPUTIME_ID };
	write_stat(bench, 0);
	assert_int_equal(
		scaph_meter_cputime.open(&bench->config, &bench->topology, &bench->meter, why), 0);
	assert_int_equal(sweep(bench, &cpu_ns), 0);
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	bench->meter->ops->close(bench->meter);
	unlink(bench->stat);
	rmdir(bench->procfs);
	free(bench);
	return 0;
}

/* Ticks that come late are the ones that were handed out already. */
static void test_late(void **state)
{
	struct bench *bench = *state;
	uint64_t cpu_ns, busy_ns;

	run_for(3 * TICK_NS);
	busy_ns = sweep(bench, &cpu_ns);
	assert_int_equal(busy_ns, cpu_ns);
	write_stat(bench, 3 * TICK_NS);
	assert_true(sweep(bench, &cpu_ns) == cpu_ns);
}

/* A domain runs between ticks only; then something else runs, seen by every tick. */
static void test_never_seen(void **state)
{
	struct bench *bench = *state;
	uint64_t cpu_ns, busy_ns = 0;

	for (int window = 0; window < 40; window++) {
		run_for(2 * TICK_NS);
		sweep(bench, &cpu_ns);
	}
	for (int window = 0; window < 40; window++) {
		write_stat(bench, bench->busy_ns + 2 * TICK_NS);
		busy_ns += sweep(bench, &cpu_ns);
	}
	/* All that it ran but what ticks may be late by. */
	assert_in_range(busy_ns, 68 * TICK_NS, 82 * TICK_NS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_late, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_never_seen, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
