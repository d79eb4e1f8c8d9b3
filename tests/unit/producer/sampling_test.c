/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sampling_test.c - what is sampled for whom, and what a step of the budget makes of it
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "producer/process/clock.h"
#include "producer/publish/sampling.h"

#define WINDOW_NS (100 * SCAPH_NS_PER_MS)
#define WRAP_NS (400 * SCAPH_NS_PER_MS) /* read once in 50 ms, and none wraps unseen */
#define NEED_NS (50 * SCAPH_NS_PER_MS)
#define HZ 200U
#define LITTLE_PPM 1000U

static const struct scaph_source_ops ops = { .name = "script" };

static struct {
	struct scaph_source source;
	struct scaph_config config;
	struct scaph_publication_terms terms;
	struct scaph_sampler sampler;
	struct scaph_publisher pub;
} host;

static struct scaph_publisher *publisher(uint64_t wrap_ns, bool trusted)
{
	host.source = (struct scaph_source){ .ops = &ops, .packages = 1, .wrap_ns = wrap_ns };
	host.config = (struct scaph_config){ .cpu_budget_ppm = LITTLE_PPM };
	host.terms = (struct scaph_publication_terms){ .config = &host.config,
						       .source = &host.source,
						       .window_ns = WINDOW_NS };
	scaph_sampler_init(&host.sampler, &host.source, 0, -1, HZ, WINDOW_NS);
	host.pub = (struct scaph_publisher){
		.terms = &host.terms, .samplers = &host.sampler, .packages = 1, .trusted = trusted
	};
	scaph_edge_init(&host.pub.edge, &host.sampler);
	scaph_sampling_begin(&host.pub, SCAPH_NS_PER_S);
	return &host.pub;
}

static uint64_t period_at(struct scaph_publisher *pub, uint32_t step)
{
	pub->budget.step = step;
	scaph_sampling_apply(pub);
	assert_int_equal(pub->edge.thrift, step);
	assert_int_equal(scaph_sampling_at_steps(pub), pub->trusted && step < SCAPH_BUDGET_STEPS);
	return host.sampler.period_ns;
}

static void test_for_trusted(void **state)
{
	struct scaph_publisher *pub = publisher(0, true);

	assert_int_equal(period_at(pub, 0), 5 * SCAPH_NS_PER_MS);
	assert_int_equal(period_at(pub, 1), 20 * SCAPH_NS_PER_MS);
	assert_int_equal(period_at(pub, 2), 80 * SCAPH_NS_PER_MS);
	assert_int_equal(period_at(pub, SCAPH_BUDGET_STEPS), 0);
	(void)state;
}

/* Whatever a budget is, and whoever is in. */
static void test_never_below_need(void **state)
{
	struct scaph_publisher *pub = publisher(WRAP_NS, true);

	assert_int_equal(period_at(pub, 1), 20 * SCAPH_NS_PER_MS);
	assert_int_equal(period_at(pub, 2), NEED_NS);
	assert_int_equal(period_at(pub, SCAPH_BUDGET_STEPS), NEED_NS);
	pub->trusted = false;
	assert_int_equal(period_at(pub, 0), NEED_NS);
	(void)state;
}

static void test_for_shared(void **state)
{
	struct scaph_publisher *pub = publisher(0, false);

	assert_int_equal(period_at(pub, 0), 0);
	pub->trusted = true;
	assert_int_equal(period_at(pub, 0), 5 * SCAPH_NS_PER_MS);
	(void)state;
}

/* A second and some in which this process used more than a thousandth of a core. */
static void overspend(struct scaph_publisher *pub)
{
	uint64_t used_ns = scaph_clock_ns(CLOCK_PROCESS_CPUTIME_ID);

	while (scaph_clock_ns(CLOCK_PROCESS_CPUTIME_ID) < used_ns + 10 * SCAPH_NS_PER_MS)
		;
	pub->last[0].reads += 400;
	scaph_sampling_second(pub, pub->read_second_ns + 2 * SCAPH_NS_PER_S);
}

static void test_lowered(void **state)
{
	struct scaph_publisher *pub = publisher(0, true);
	struct scaph_status status = {};

	scaph_sampling_tell(pub, &status);
	assert_false(status.valid & SCAPH_STATUS_SAMPLING);
	overspend(pub);
	assert_int_equal(host.sampler.period_ns, 20 * SCAPH_NS_PER_MS);
	scaph_sampling_tell(pub, &status);
	assert_true(status.valid & SCAPH_STATUS_SAMPLING);
	assert_int_equal(status.sampling_step, 1);
	assert_int_equal(status.sampling_steps, SCAPH_BUDGET_STEPS);
	assert_int_equal(status.cpu_budget_ppm, LITTLE_PPM);
	assert_true(status.own_load_ppm > LITTLE_PPM);
	assert_int_equal(status.read_rate_millihz, 200000);
	overspend(pub);
	overspend(pub);
	assert_int_equal(host.sampler.period_ns, 0);
	assert_false(pub->budget.over);
	overspend(pub);
	assert_true(pub->budget.over);
	(void)state;
}

/* Only what wraps need is read, and no steps are looked for. */
static void test_nothing_to_lower(void **state)
{
	struct scaph_publisher *pub = publisher(WRAP_NS, false);

	overspend(pub);
	assert_int_equal(pub->budget.step, 0);
	assert_true(pub->budget.over);
	assert_int_equal(host.sampler.period_ns, NEED_NS);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_for_trusted),	 cmocka_unit_test(test_never_below_need),
		cmocka_unit_test(test_for_shared),	 cmocka_unit_test(test_lowered),
		cmocka_unit_test(test_nothing_to_lower),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
