/* SPDX-License-Identifier: Apache-2.0 */
/*
 * instant_test.c - a daemon that is halted between its counters and the clocks of CPU time
 *
 * The clock, the counter and the meter are scripted: CPU time and energy both go with the clock, a
 * nanosecond and a microjoule each, and the clock leaps where the script says.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "producer/process/clock.h"
#include "producer/publish/instant.h"

#define WINDOW_NS (20 * SCAPH_NS_PER_MS)
#define HALT_NS (5 * SCAPH_NS_PER_S)

static struct {
	uint64_t now_ns, taken_ns;
	int halts; /* that come within the next sweeps */
	int sweeps;
	bool deaf; /* the counter cannot be read */
} machine;

static uint64_t clock_ns(void)
{
	return machine.now_ns;
}

static int read_counter(struct scaph_source *source, uint32_t package, uint64_t now_ns,
			uint64_t raw[SCAPH_ZONES])
{
	raw[SCAPH_ZONE_AT_PACKAGE] = now_ns;
	return machine.deaf ? -EIO : 0;
}

static int sweep(struct scaph_meter *meter, struct scaph_reading *const *readings, uint32_t count,
		 uint64_t ret_busy_ns[SCAPH_PACKAGES_MAX])
{
	machine.sweeps++;
	if (machine.halts-- > 0)
		machine.now_ns += HALT_NS;
	ret_busy_ns[0] = readings[0]->cpu_ns = readings[0]->package_ns[0] =
		machine.now_ns - machine.taken_ns;
	machine.taken_ns = machine.now_ns;
	return 0;
}

static const struct scaph_source_ops source_ops = { .name = "script", .read = read_counter };
static const struct scaph_meter_ops meter_ops = { .name = "script", .sweep = sweep };

static int take(int halts, bool deaf, struct scaph_instant *ret, uint64_t *ret_cpu_ns)
{
	static struct scaph_publisher pub;
	static struct scaph_sampler sampler;
	struct scaph_source source = { .ops = &source_ops, .packages = 1 };
	struct scaph_meter meter = { .ops = &meter_ops };
	struct scaph_publication_terms terms = { .window_ns = WINDOW_NS };
	int r;

	source.package[0].zones = SCAPH_ZONE_PACKAGE;
	source.package[0].counter[SCAPH_ZONE_AT_PACKAGE].step_units = 1;
	machine.now_ns = machine.taken_ns = SCAPH_NS_PER_S;
	machine.halts = machine.sweeps = 0;
	machine.deaf = false;
	scaph_sampler_init(&sampler, &source, 0, -1, 0, WINDOW_NS);
	pub = (struct scaph_publisher){ .terms = &terms,
					.samplers = &sampler,
					.packages = 1,
					.meter = &meter,
					.clock_ns = clock_ns,
					.gap_max_ns = 15 * SCAPH_NS_PER_S,
					.last_ns = machine.now_ns };
	pub.readings[0] = &pub.own;
	assert_int_equal(scaph_instant_take(&pub, machine.now_ns, ret), 0);
	machine.now_ns += WINDOW_NS;
	machine.halts = halts;
	machine.sweeps = 0;
	machine.deaf = deaf;
	r = scaph_instant_take(&pub, machine.now_ns, ret);
	*ret_cpu_ns = pub.own.package_ns[0];
	return r;
}

static void test_undisturbed(void **state)
{
	struct scaph_instant instant;
	uint64_t cpu_ns;

	assert_int_equal(take(0, false, &instant, &cpu_ns), 0);
	assert_int_equal(machine.sweeps, 1);
	assert_int_equal(cpu_ns, WINDOW_NS);
	assert_int_equal(instant.energy[0].zone_units[SCAPH_ZONE_AT_PACKAGE], WINDOW_NS);
	assert_false(instant.torn);
	(void)state;
}

/* All three numbers are of the time after the halt, and nothing of a sweep is lost. */
static void test_halted(void **state)
{
	struct scaph_instant instant;
	uint64_t cpu_ns;

	assert_int_equal(take(1, false, &instant, &cpu_ns), 0);
	assert_int_equal(machine.sweeps, 2);
	assert_int_equal(cpu_ns, WINDOW_NS + HALT_NS);
	assert_int_equal(instant.busy_ns[0], WINDOW_NS + HALT_NS);
	assert_int_equal(instant.energy[0].zone_units[SCAPH_ZONE_AT_PACKAGE], WINDOW_NS + HALT_NS);
	assert_int_equal(instant.end_ns, SCAPH_NS_PER_S + WINDOW_NS + HALT_NS);
	assert_false(instant.torn);
	(void)state;
}

static void test_never_at_rest(void **state)
{
	struct scaph_instant instant;
	uint64_t cpu_ns;

	assert_int_equal(take(100, false, &instant, &cpu_ns), 0);
	assert_int_equal(cpu_ns, machine.now_ns - SCAPH_NS_PER_S);
	assert_true(machine.sweeps < 10);
	assert_true(instant.torn);
	(void)state;
}

static void test_held(void **state)
{
	struct scaph_instant instant;
	uint64_t cpu_ns;

	assert_int_equal(take(0, true, &instant, &cpu_ns), SCAPH_INSTANT_HELD);
	assert_int_equal(machine.sweeps, 0);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_undisturbed),
		cmocka_unit_test(test_halted),
		cmocka_unit_test(test_never_at_rest),
		cmocka_unit_test(test_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
