/* SPDX-License-Identifier: Apache-2.0 */
/*
 * division_test.c - one host's windows told in other ways: what a domain gets depends on no other
 *
 * The same random windows of two packages go through two publishers, which differ in the order of
 * their domains, in one that never runs, or in one domain that is there as two. Every account of the
 * others must be the same to the last bit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "producer/publish/division.h"

#define PACKAGES 2U
#define CPUS 16U
#define DOMAINS 5U
#define ENTRIES (DOMAINS + 1)
#define SPLIT 1U /* the domain that is told as two: this and the last entry */
#define WINDOWS 20000

static const struct {
	uint32_t vcpus, profile;
} domains[DOMAINS] = {
	{ 1, SCAPH_PROFILE_TRUSTED }, { 3, SCAPH_PROFILE_SHARED },  { 2, SCAPH_PROFILE_SHARED },
	{ 1, SCAPH_PROFILE_OFF },     { 2, SCAPH_PROFILE_TRUSTED },
};

enum telling { PLAIN, REVERSED, SLEEPER, SHARED_SLEEPER, HALVES };

struct host {
	struct scaph_publisher pub;
	struct scaph_entry entry[ENTRIES];
};

struct reading {
	struct scaph_window window;
	uint64_t cpu_ns[DOMAINS][PACKAGES];
};

static const struct scaph_config config = { .idle_policy = SCAPH_IDLE_VCPUS };
static struct scaph_source source = { .zones = SCAPH_ZONE_PACKAGE | SCAPH_ZONE_CORE |
					       SCAPH_ZONE_DRAM };
static const struct scaph_publication_terms terms = { .config = &config, .source = &source };

static uint64_t below(uint64_t limit)
{
	return ((uint64_t)rand() << 31 ^ (uint64_t)rand()) % limit;
}

/* Busy and idle spells on each package; energy in odd units. */
static struct reading random_reading(void)
{
	struct reading reading = { .window = { .dt_ns = 20000000 + below(200000),
					       .divided = below(500) != 0 } };

	for (uint32_t p = 0; p < PACKAGES; p++) {
		uint64_t left_ns = below(5) ? below(CPUS / PACKAGES * reading.window.dt_ns) : 0;

		reading.window.busy_ns[p] = left_ns;
		for (uint32_t d = 0; d < DOMAINS; d++) {
			reading.cpu_ns[d][p] = left_ns && below(3) ? below(left_ns + 1) : 0;
			left_ns -= reading.cpu_ns[d][p];
		}
		for (int zone = 0; zone < SCAPH_ZONES; zone++)
			reading.window.delta_units[p][zone] =
				(unsigned __int128)below(1U << 14) * 262144000000;
	}
	return reading;
}

static void set_up(struct host *host, enum telling telling)
{
	struct scaph_publisher *pub = &host->pub;
	bool more = telling == SLEEPER || telling == SHARED_SLEEPER || telling == HALVES;

	memset(host, 0, sizeof(*host));
	pub->terms = &terms;
	pub->packages = PACKAGES;
	pub->cpus = CPUS;
	pub->pricing = (struct scaph_pricing){ .packages = PACKAGES, .idle_uw = 23456789 };
	for (uint32_t p = 0; p < PACKAGES; p++)
		pub->splitter[p] = (struct scaph_splitter){ .idle_known = true,
							    .idle_uw = 23456789,
							    .packages = PACKAGES };
	pub->count = more ? ENTRIES : DOMAINS;
	for (uint32_t d = 0; d < DOMAINS; d++) {
		host->entry[d].domain.vcpus = domains[d].vcpus;
		host->entry[d].domain.profile = domains[d].profile;
		pub->live[telling == REVERSED ? DOMAINS - 1 - d : d] = &host->entry[d];
	}
	pub->live[DOMAINS] = &host->entry[DOMAINS];
	host->entry[DOMAINS].domain.vcpus = 2;
	host->entry[DOMAINS].domain.profile = telling == SLEEPER ? SCAPH_PROFILE_TRUSTED
								 : SCAPH_PROFILE_SHARED;
	if (telling == HALVES)
		host->entry[SPLIT].domain.vcpus -= 2;
}

static void give(struct scaph_entry *entry, uint32_t package, uint64_t cpu_ns)
{
	entry->reading.package_ns[package] = cpu_ns;
	entry->reading.cpu_ns += cpu_ns;
}

static void close_window(struct host *host, enum telling telling, const struct reading *reading)
{
	for (uint32_t e = 0; e < ENTRIES; e++)
		host->entry[e].reading.cpu_ns = 0;
	for (uint32_t p = 0; p < PACKAGES; p++) {
		uint64_t part_ns = telling == HALVES ? reading->cpu_ns[SPLIT][p] / 3 : 0;

		for (uint32_t d = 0; d < DOMAINS; d++)
			give(&host->entry[d], p,
			     reading->cpu_ns[d][p] - (d == SPLIT ? part_ns : 0));
		give(&host->entry[DOMAINS], p, part_ns);
	}
	scaph_division_credit(&host->pub, &reading->window);
}

/* Both hosts after the same windows. */
static void tell(struct host *plain, struct host *other, enum telling telling)
{
	srand(7);
	set_up(plain, PLAIN);
	set_up(other, telling);
	for (int w = 0; w < WINDOWS; w++) {
		struct reading reading = random_reading();

		close_window(plain, PLAIN, &reading);
		close_window(other, telling, &reading);
	}
}

static bool same_exact(const struct host *a, const struct host *b, uint32_t domain)
{
	const struct scaph_tally *x = &a->entry[domain].tally, *y = &b->entry[domain].tally;

	return x->package.total_units > 0 &&
	       memcmp(&x->package, &y->package, sizeof(x->package)) == 0 &&
	       memcmp(&x->core, &y->core, sizeof(x->core)) == 0 &&
	       memcmp(&x->dram, &y->dram, sizeof(x->dram)) == 0 && x->cpu_ns == y->cpu_ns;
}

static bool same_priced(const struct host *a, const struct host *b, uint32_t domain)
{
	return memcmp(&a->entry[domain].tally.priced, &b->entry[domain].tally.priced,
		      sizeof(a->entry[domain].tally.priced)) == 0;
}

static struct host plain, other;

static void order(void **state)
{
	tell(&plain, &other, REVERSED);
	for (uint32_t d = 0; d < DOMAINS; d++)
		assert_true(same_exact(&plain, &other, d) && same_priced(&plain, &other, d));
	assert_true(plain.entry[SPLIT].tally.priced.total_units > 0);
	assert_true(plain.pub.tally.given_units == other.pub.tally.given_units);
	assert_memory_equal(plain.pub.tally.float_units, other.pub.tally.float_units,
			    sizeof(plain.pub.tally.float_units));
}

static void sleeper(void **state)
{
	tell(&plain, &other, SLEEPER);
	for (uint32_t d = 0; d < DOMAINS; d++)
		assert_true(same_exact(&plain, &other, d) && same_priced(&plain, &other, d));
	/* It has its seats' idle energy and nothing else. */
	assert_true(other.entry[DOMAINS].tally.package.idle_units > 0);
	assert_true(other.entry[DOMAINS].tally.package.idle_units ==
		    other.entry[DOMAINS].tally.package.total_units);
	assert_true(other.pub.tally.given_units - plain.pub.tally.given_units ==
		    other.entry[DOMAINS].tally.package.total_units);
}

/*
 * Its part of the float, from the rounding of the held idle power, is the others' too; exact
 * figures are not.
 */
static void shared_sleeper(void **state)
{
	tell(&plain, &other, SHARED_SLEEPER);
	for (uint32_t d = 0; d < DOMAINS; d++)
		assert_true(same_exact(&plain, &other, d));
}

static void halves(void **state)
{
	const struct scaph_account *whole = &plain.entry[SPLIT].tally.package;
	const struct scaph_account *one = &other.entry[SPLIT].tally.package;
	const struct scaph_account *two = &other.entry[DOMAINS].tally.package;

	tell(&plain, &other, HALVES);
	for (uint32_t d = 0; d < DOMAINS; d++)
		assert_true(d == SPLIT || same_exact(&plain, &other, d));
	assert_true(one->total_units && two->total_units);
	/* Each term is rounded down to a unit: dynamic and idle, in each package and window. */
	assert_true(whole->total_units - one->total_units - two->total_units <=
		    2ULL * PACKAGES * WINDOWS);
	assert_true(plain.entry[SPLIT].tally.cpu_ns ==
		    other.entry[SPLIT].tally.cpu_ns + other.entry[DOMAINS].tally.cpu_ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order),
		cmocka_unit_test(sleeper),
		cmocka_unit_test(shared_sleeper),
		cmocka_unit_test(halves),
	};

	return cmocka_run_group_tests_name("division", tests, NULL, NULL);
}
