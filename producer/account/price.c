/* SPDX-License-Identifier: Apache-2.0 */
/*
 * price.c - sums of periods, and a price out of them
 */
#include "producer/account/price.h"

#include <string.h>

#define PRICE_MAX (INT64_MAX / 4) /* far above any CPU's */

/* The grid: 0 to 50 in ones, then each value 2 % above the one before. The same on every machine. */
#define GRID_FINE 50U
#define GRID_POINTS 2000U

static uint64_t grid_value(unsigned int point)
{
	uint64_t value = point < GRID_FINE ? point : GRID_FINE;

	for (unsigned int i = GRID_FINE; i < point; i++)
		value += value / 50;
	return value;
}

/* Number of the point nearest to a value. */
static unsigned int grid_point(uint64_t value)
{
	unsigned int point = 0;
	uint64_t below = 0, above = 1;

	while (above < value && point < GRID_POINTS) {
		point++;
		below = above;
		above += point < GRID_FINE ? 1 : above / 50;
	}
	return value - below < above - value ? point : point + 1;
}

uint64_t scaph_price_round(uint64_t value)
{
	return grid_value(grid_point(value));
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

static uint64_t held_near(uint64_t price, uint64_t before)
{
	int point = (int)grid_point(price), from = (int)grid_point(before);

	if (point > from + SCAPH_PRICE_STEPS_MAX)
		point = from + SCAPH_PRICE_STEPS_MAX;
	if (point < from - SCAPH_PRICE_STEPS_MAX)
		point = from - SCAPH_PRICE_STEPS_MAX;
	return grid_value(point < 1 ? 1U : (unsigned int)point);
}

/* What a nanosecond cost, corrected by the float, and held near the price before: 0 if there is none. */
static uint64_t price_of(const struct scaph_price_sum *all, __int128 float_units, uint64_t before)
{
	__int128 exact = (__int128)(all->units / all->cpu_ns);
	__int128 price = ((__int128)all->units + float_units) / (__int128)all->cpu_ns;

	if (price > 2 * exact)
		price = 2 * exact;
	if (price < exact / 2)
		price = exact / 2;
	if (price < 1)
		price = 1; /* 0 means that there is none yet */
	if (price > PRICE_MAX)
		price = PRICE_MAX;
	return before ? held_near((uint64_t)price, before) : scaph_price_round((uint64_t)price);
}

static bool is_first(const struct scaph_host_tally *tally, uint32_t packages)
{
	for (uint32_t p = 0; p < packages; p++) {
		if (tally->price[p])
			return false;
	}
	return true;
}

/* Length of the present period: as old as the prices are, within limits. */
static uint64_t period_ns(const struct scaph_pricing *pricing)
{
	uint64_t before_ns = pricing->age_ns - pricing->elapsed_ns;

	if (before_ns > SCAPH_PRICE_PERIOD_NS)
		return SCAPH_PRICE_PERIOD_NS;
	return before_ns > SCAPH_PRICE_FIRST_NS ? before_ns : SCAPH_PRICE_FIRST_NS;
}

/* Whether the period is over, and for a first price enough is known. */
static bool is_due(const struct scaph_pricing *pricing, const struct scaph_host_tally *tally)
{
	uint64_t cpu_ns = 0;

	if (pricing->elapsed_ns < period_ns(pricing))
		return false;
	for (uint32_t p = 0; p < pricing->packages; p++)
		cpu_ns += over_periods(pricing, p).cpu_ns;
	return !is_first(tally, pricing->packages) || cpu_ns >= SCAPH_PRICE_FIRST_CPU_NS;
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
			tally->price[p] = price_of(&all,
						   tally->float_units[p] - tally->forgiven_units[p],
						   tally->price[p]);
	}
	for (uint32_t p = 0; p < pricing->packages && machine.cpu_ns; p++) {
		if (!tally->price[p])
			tally->price[p] = price_of(&machine, 0, 0);
	}
}

void scaph_price_forgive(const struct scaph_pricing *pricing, struct scaph_host_tally *tally)
{
	for (uint32_t p = 0; p < pricing->packages; p++)
		tally->forgiven_units[p] = tally->float_units[p];
}

void scaph_price_tick(struct scaph_pricing *pricing, uint64_t dt_ns, struct scaph_host_tally *tally)
{
	bool first = is_first(tally, pricing->packages);

	if (!pricing->age_ns && !first)
		pricing->age_ns = 2 * SCAPH_PRICE_PERIOD_NS;
	pricing->age_ns += dt_ns;
	pricing->elapsed_ns += dt_ns;
	if (!is_due(pricing, tally))
		return;
	/* Before there was a price nothing was told, so nothing is owed. */
	if (first)
		scaph_price_forgive(pricing, tally);
	set_prices(pricing, tally);
	tally->held_idle_uw = scaph_price_round(pricing->idle_uw);
	/* A host on which nothing shared ran is not older for it. */
	if (first)
		pricing->age_ns = SCAPH_PRICE_FIRST_NS;
	pricing->elapsed_ns = 0;
	pricing->period = (pricing->period + 1) % SCAPH_PRICE_PERIODS;
	memset(pricing->sum[pricing->period], 0, sizeof(pricing->sum[0]));
}
