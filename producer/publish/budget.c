/* SPDX-License-Identifier: Apache-2.0 */
/*
 * budget.c - steps down at once, steps back with patience
 */
#include "producer/publish/budget.h"

#define NS_PER_S UINT64_C(1000000000)
#define SPAN_NS (2 * NS_PER_S)
#define PPM 1000000U

/* Room is a quarter of what was given. */
#define ROOM_PARTS 4
#define PATIENCE_MIN 3U
#define PATIENCE_MAX 192U /* spans */
#define LASTING 30U /* a step back that held so long was right */

void scaph_budget_begin(struct scaph_budget *budget, uint32_t given_ppm, uint64_t now_ns,
			uint64_t cpu_ns)
{
	*budget = (struct scaph_budget){
		.given_ppm = given_ppm,
		.since_ns = now_ns,
		.cpu_ns = cpu_ns,
		.patience = PATIENCE_MIN,
		.lasted = LASTING,
	};
}

static uint32_t used_ppm(const struct scaph_budget *budget, uint64_t now_ns, uint64_t cpu_ns)
{
	uint64_t used_ns = cpu_ns > budget->cpu_ns ? cpu_ns - budget->cpu_ns : 0;
	unsigned __int128 ppm = (unsigned __int128)used_ns * PPM / (now_ns - budget->since_ns);

	return ppm < UINT32_MAX ? (uint32_t)ppm : UINT32_MAX;
}

static bool lower(struct scaph_budget *budget, bool can_lower)
{
	bool was_over = budget->over;

	budget->calm = budget->within = 0;
	budget->over = !can_lower || budget->step == SCAPH_BUDGET_STEPS;
	if (budget->over)
		return !was_over;
	budget->step++;
	/* It was taken back too early. */
	if (budget->lasted < LASTING && budget->patience < PATIENCE_MAX)
		budget->patience *= 2;
	budget->lasted = LASTING;
	return true;
}

/* What was said to be too much is not, if only just. */
static bool end_over(struct scaph_budget *budget)
{
	if (!budget->over || ++budget->within < PATIENCE_MIN)
		return false;
	budget->over = false;
	return true;
}

static bool raise(struct scaph_budget *budget)
{
	if (++budget->calm < budget->patience)
		return false;
	budget->calm = 0;
	if (!budget->step)
		return false;
	budget->step--;
	budget->lasted = 0;
	return true;
}

bool scaph_budget_note(struct scaph_budget *budget, uint64_t now_ns, uint64_t cpu_ns,
		       bool can_lower)
{
	bool ended;

	if (now_ns < budget->since_ns + SPAN_NS)
		return false;
	budget->used_ppm = used_ppm(budget, now_ns, cpu_ns);
	budget->measured = true;
	budget->since_ns = now_ns;
	budget->cpu_ns = cpu_ns;
	if (!budget->given_ppm)
		return false;
	if (budget->lasted < LASTING && ++budget->lasted == LASTING)
		budget->patience = PATIENCE_MIN;
	if (budget->used_ppm > budget->given_ppm)
		return lower(budget, can_lower);
	ended = end_over(budget);
	if (budget->used_ppm <= budget->given_ppm - budget->given_ppm / ROOM_PARTS)
		return raise(budget) || ended;
	budget->calm = 0;
	return ended;
}
