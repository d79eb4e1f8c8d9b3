/* SPDX-License-Identifier: Apache-2.0 */
/*
 * price.c - sums of periods, and a price out of them
 */
#include "producer/price.h"

#include <string.h>

/* Below this steps are of one: coarser than 2 %, and far below any CPU's price. */
#define STEP_FIRST 50U

uint64_t scaph_price_step(uint64_t value)
{
	uint64_t step = STEP_FIRST;

	if (value <= STEP_FIRST)
		return value;
	/* The same integers on every machine: no floating point. */
	while (step < UINT64_MAX / 64) {
		uint64_t next = step + step / 50;

		if (value < next)
			return value - step < next - value ? step : next;
		step = next;
	}
	return step;
}

void scaph_price_note(struct scaph_pricing *pricing, uint32_t package,
		      unsigned __int128 dynamic_units, uint64_t cpu_ns)
{
	struct scaph_price_sum *sum = &pricing->sum[pricing->period][package];

	sum->units += dynamic_units;
	sum->cpu_ns += cpu_ns;
}

static struct scaph_price_sum over_periods(const struct scaph_pricing *pricing, uint32_t package)
{
	struct scaph_price_sum all = {};

	for (uint32_t i = 0; i < SCAPH_PRICE_PERIODS; i++) {
		all.units += pricing->sum[i][package].units;
		all.cpu_ns += pricing->sum[i][package].cpu_ns;
	}
	return all;
}

/* What a nanosecond cost, corrected by the float. */
static uint64_t price_of(const struct scaph_price_sum *all, __int128 float_units)
{
	__int128 exact = (__int128)(all->units / all->cpu_ns);
	__int128 price = ((__int128)all->units + float_units) / (__int128)all->cpu_ns;

	if (price > 2 * exact)
		price = 2 * exact;
	if (price < exact / 2)
		price = exact / 2;
	if (price < 1)
		price = 1; /* 0 means that there is none yet */
	return scaph_price_step(price > UINT64_MAX / 2 ? UINT64_MAX / 2 : (uint64_t)price);
}

static bool is_first(const struct scaph_host_tally *tally, uint32_t packages)
{
	for (uint32_t p = 0; p < packages; p++) {
		if (tally->price[p])
			return false;
	}
	return true;
}

/* Whether it is time: a period is over, or enough is known for the first price. */
static bool is_due(const struct scaph_pricing *pricing, const struct scaph_host_tally *tally)
{
	uint64_t cpu_ns = 0;

	if (pricing->elapsed_ns >= SCAPH_PRICE_PERIOD_NS)
		return true;
	if (pricing->elapsed_ns < SCAPH_PRICE_FIRST_NS || !is_first(tally, pricing->packages))
		return false;
	for (uint32_t p = 0; p < pricing->packages; p++)
		cpu_ns += over_periods(pricing, p).cpu_ns;
	return cpu_ns >= SCAPH_PRICE_FIRST_CPU_NS;
}

/* A package that nobody used yet costs what the others do. */
static void set_prices(const struct scaph_pricing *pricing, struct scaph_host_tally *tally)
{
	struct scaph_price_sum machine = {};

	for (uint32_t p = 0; p < pricing->packages; p++) {
		struct scaph_price_sum all = over_periods(pricing, p);

		machine.units += all.units;
		machine.cpu_ns += all.cpu_ns;
		if (all.cpu_ns)
			tally->price[p] = price_of(&all, tally->float_units[p]);
	}
	for (uint32_t p = 0; p < pricing->packages && machine.cpu_ns; p++) {
		if (!tally->price[p])
			tally->price[p] = price_of(&machine, 0);
	}
}

void scaph_price_tick(struct scaph_pricing *pricing, uint64_t dt_ns, struct scaph_host_tally *tally)
{
	pricing->elapsed_ns += dt_ns;
	if (!is_due(pricing, tally))
		return;
	set_prices(pricing, tally);
	tally->held_idle_uw = scaph_price_step(pricing->idle_uw);
	pricing->elapsed_ns = 0;
	pricing->period = (pricing->period + 1) % SCAPH_PRICE_PERIODS;
	memset(pricing->sum[pricing->period], 0, sizeof(pricing->sum[0]));
}
