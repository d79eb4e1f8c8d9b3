/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sampling.c - what there is to lower, and what it comes to
 */
#include "producer/publish/sampling.h"

#include "producer/process/clock.h"

static uint64_t own_cpu_ns(void)
{
	return scaph_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

/* As often as is asked for divided by four to the power of the step; what is needed in any case. */
static uint64_t period_ns(const struct scaph_publisher *pub, const struct scaph_sampler *sampler,
			  uint32_t step)
{
	uint64_t period_ns = sampler->asked_ns << 2 * step;

	if (!pub->trusted || step >= SCAPH_BUDGET_STEPS || period_ns >= pub->terms->window_ns)
		return sampler->need_ns;
	if (sampler->need_ns && period_ns > sampler->need_ns)
		return sampler->need_ns;
	return period_ns;
}

void scaph_sampling_apply(struct scaph_publisher *pub)
{
	for (uint32_t p = 0; p < pub->packages; p++)
		scaph_sampler_set_period(&pub->samplers[p],
					 period_ns(pub, &pub->samplers[p], pub->budget.step));
	pub->edge.thrift = pub->budget.step;
	if (!scaph_sampling_at_steps(pub))
		scaph_edge_forget(&pub->edge);
}

void scaph_sampling_begin(struct scaph_publisher *pub, uint64_t now_ns)
{
	scaph_budget_begin(&pub->budget, pub->terms->config->cpu_budget_ppm, now_ns, own_cpu_ns());
	pub->read_second_ns = now_ns;
	scaph_sampling_apply(pub);
}

bool scaph_sampling_at_steps(const struct scaph_publisher *pub)
{
	return pub->trusted && pub->budget.step < SCAPH_BUDGET_STEPS;
}

/* Whether the next step down would change anything. */
static bool can_lower(const struct scaph_publisher *pub)
{
	uint32_t step = pub->budget.step;
	uint64_t steps_ns = pub->edge.stepping.period_ns;

	if (scaph_sampling_at_steps(pub) && steps_ns && steps_ns <= pub->terms->window_ns)
		return true;
	for (uint32_t p = 0; p < pub->packages && step < SCAPH_BUDGET_STEPS; p++) {
		/* Two of them may be alike, the last differs. */
		if (period_ns(pub, &pub->samplers[p], step) !=
		    period_ns(pub, &pub->samplers[p], SCAPH_BUDGET_STEPS))
			return true;
	}
	return false;
}

void scaph_sampling_second(struct scaph_publisher *pub, uint64_t now_ns)
{
	uint64_t reads = pub->last[0].reads, elapsed_ns = now_ns - pub->read_second_ns;

	pub->read_rate_millihz = (reads - pub->reads) * 1000 * SCAPH_NS_PER_S / elapsed_ns;
	pub->reads = reads;
	pub->read_second_ns = now_ns;
	if (scaph_budget_note(&pub->budget, now_ns, own_cpu_ns(), can_lower(pub)))
		scaph_sampling_apply(pub);
}

void scaph_sampling_tell(const struct scaph_publisher *pub, struct scaph_status *status)
{
	const struct scaph_budget *budget = &pub->budget;

	if (!budget->measured)
		return;
	status->valid |= SCAPH_STATUS_SAMPLING;
	status->look_spent_ns = pub->edge.look_spent_ns;
	status->looks = pub->edge.looks;
	status->read_rate_millihz = pub->read_rate_millihz;
	status->own_load_ppm = budget->used_ppm;
	status->cpu_budget_ppm = budget->given_ppm;
	status->sampling_step = budget->step;
	status->sampling_steps = SCAPH_BUDGET_STEPS;
}
