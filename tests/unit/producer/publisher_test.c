/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publisher_test.c - what a publisher takes over from the one before it
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "producer/domain/share.h"
#include "producer/publish/publisher.h"

#define IDLE_UW 5000000U
#define PRICE 700U

static const struct scaph_source_ops replay_ops = { .name = "replay", .id = SCAPH_SOURCE_REPLAY };
static const struct scaph_source_ops msr_ops = { .name = "msr", .id = SCAPH_SOURCE_MSR };
static const struct scaph_meter_ops meter_ops = { .name = "none" };

struct machine {
	char folder[64], host_dir[96];
	struct scaph_config config;
	int host_fd;
	struct scaph_ledger ledger;
};

static int set_up(void **state)
{
	struct machine *machine = calloc(1, sizeof(*machine));

	snprintf(machine->folder, sizeof(machine->folder), "/tmp/scaph-publisher-XXXXXX");
	assert_non_null(mkdtemp(machine->folder));
	snprintf(machine->host_dir, sizeof(machine->host_dir), "%s/host", machine->folder);
	machine->config.host_dir = machine->host_dir;
	machine->host_fd = scaph_share_open_host(&machine->config, false);
	assert_true(machine->host_fd >= 0);
	assert_int_equal(scaph_ledger_open(machine->host_fd, machine->host_dir, &machine->ledger),
			 0);
	*state = machine;
	return 0;
}

static int tear_down(void **state)
{
	struct machine *machine = *state;

	scaph_ledger_close(&machine->ledger);
	unlinkat(machine->host_fd, SCAPH_LEDGER_FILE, 0);
	close(machine->host_fd);
	rmdir(machine->host_dir);
	rmdir(machine->folder);
	free(machine);
	return 0;
}

/* A publisher's tally as it begins; @learn: it learns something and leaves it in the file. */
static struct scaph_host_tally run(struct machine *machine, const struct scaph_source_ops *ops,
				   uint32_t packages, bool learn)
{
	struct scaph_source source = { .ops = ops,
				       .packages = packages,
				       .zones = SCAPH_ZONE_PACKAGE };
	struct scaph_meter meter = { .ops = &meter_ops };
	struct scaph_publication_terms terms = { .config = &machine->config,
						 .source = &source,
						 .meter = &meter,
						 .window_ns = 20000000,
						 .host_fd = machine->host_fd };
	struct scaph_publisher_parts parts = {
		.terms = &terms, .meter = &meter, .ledger = &machine->ledger, .cpus = 1
	};
	static struct scaph_publisher publisher;

	assert_int_equal(scaph_publisher_init(&publisher, &parts), 0);
	if (learn) {
		struct scaph_host_tally tally = publisher.tally;

		tally.learnt_idle_uw = tally.held_idle_uw = IDLE_UW;
		tally.price[0] = PRICE;
		tally.busy_ns = 1;
		scaph_ledger_store_host(&machine->ledger, &tally);
		scaph_ledger_commit(&machine->ledger);
	}
	scaph_publication_close(&publisher.host, machine->host_fd);
	scaph_publisher_deinit(&publisher);
	return publisher.tally;
}

static void test_same_source(void **state)
{
	struct scaph_host_tally tally;

	run(*state, &msr_ops, 1, true);
	tally = run(*state, &msr_ops, 1, false);
	assert_int_equal(tally.learnt_idle_uw, IDLE_UW);
	assert_int_equal(tally.held_idle_uw, IDLE_UW);
	assert_int_equal(tally.price[0], PRICE);
}

/* An idle power of 5 W that a trace showed would hold for a server until it boots again. */
static void test_other_source(void **state)
{
	struct scaph_host_tally tally;

	run(*state, &replay_ops, 1, true);
	tally = run(*state, &msr_ops, 1, false);
	assert_int_equal(tally.learnt_idle_uw, 0);
	assert_int_equal(tally.held_idle_uw, 0);
	assert_int_equal(tally.price[0], 0);
	assert_int_equal(tally.busy_ns, 1);
}

/* A package without a price would be free of charge while others have one. */
static void test_other_packages(void **state)
{
	struct scaph_host_tally tally;

	run(*state, &msr_ops, 1, true);
	tally = run(*state, &msr_ops, 2, false);
	assert_int_equal(tally.learnt_idle_uw, 0);
	assert_int_equal(tally.price[0], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_same_source, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_other_source, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_other_packages, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
