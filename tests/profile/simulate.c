/* SPDX-License-Identifier: Apache-2.0 */
/*
 * simulate.c - the daemon's own windows over simulated time, from a script on standard input
 *
 * Source and meter are scripted, time is counted; everything behind them is scaphd: attribution,
 * ledger, price, profiles, real segments. What the guests' files then hold, byte by byte, is written out
 * for whoever plays the tenant.
 *
 * Usage: simulate FOLDER EVERY RECORDS STATUSES
 *   FOLDER    scratch, empty
 *   EVERY     a line of records each so many windows
 *   RECORDS   file: for each domain bytes 8-59 of its newest record in its share, and its exact
 *             package_uj as the host's copy has it
 *   STATUSES  file: for each domain and simulated second the status but for its clocks, generation and
 *             epoch: bytes 24-31 and 48-319
 * Input, unsigned 64-bit: domains, packages, cpus, idle_uw (0: unknown); a domain: vcpus, profile; then for
 * each window dt_ns, and for each package: energy_uj, busy_ns, and each domain's CPU time in ns.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "producer/publish/bulletin.h"
#include "producer/process/clock.h"
#include "producer/domain/domain.h"
#include "producer/publish/window.h"
#include "proto/names.h"

#define DOMAINS_MAX 64U
#define START_NS (1000 * SCAPH_NS_PER_S)

struct script {
	struct scaph_source source;
	struct scaph_meter meter;
	uint64_t domains, packages, cpus, idle_uw;
	uint64_t vcpus[DOMAINS_MAX], profile[DOMAINS_MAX];
	uint64_t dt_ns;
	uint64_t raw_uj[SCAPH_PACKAGES_MAX], busy_ns[SCAPH_PACKAGES_MAX];
	uint64_t cpu_ns[SCAPH_PACKAGES_MAX][DOMAINS_MAX];
};

static struct script script;
static uint64_t simulated_ns = START_NS;

static uint64_t clock_ns(void)
{
	return simulated_ns;
}

static void fail(const char *what)
{
	fprintf(stderr, "simulate: %s\n", what);
	exit(EXIT_FAILURE);
}

static bool get(uint64_t *ret_numbers, size_t count)
{
	return fread(ret_numbers, sizeof(*ret_numbers), count, stdin) == count;
}

static int read_source(struct scaph_source *source, uint32_t package, uint64_t now_ns,
		       uint64_t raw[SCAPH_ZONES])
{
	raw[SCAPH_ZONE_AT_PACKAGE] = script.raw_uj[package];
	return 0;
}

static int sweep(struct scaph_meter *meter, struct scaph_reading *const *readings, uint32_t count,
		 uint64_t ret_busy_ns[SCAPH_PACKAGES_MAX])
{
	for (uint32_t p = 0; p < script.packages; p++)
		ret_busy_ns[p] = script.busy_ns[p];
	/* The last reading is the daemon's own, which costs nothing here. */
	for (uint32_t i = 0; i + 1 < count; i++) {
		readings[i]->cpu_ns = 0;
		for (uint32_t p = 0; p < script.packages; p++) {
			readings[i]->package_ns[p] = script.cpu_ns[p][i];
			readings[i]->cpu_ns += script.cpu_ns[p][i];
		}
	}
	return 0;
}

static const struct scaph_source_ops source_ops = { .name = "script",
						    .id = SCAPH_SOURCE_REPLAY,
						    .read = read_source };
static const struct scaph_meter_ops meter_ops = { .name = "script",
						  .id = SCAPH_METER_BPF,
						  .sweep = sweep };

static void read_head(void)
{
	if (!get(&script.domains, 4) || script.domains > DOMAINS_MAX ||
	    script.packages > SCAPH_PACKAGES_MAX)
		fail("no script on standard input");
	for (uint64_t i = 0; i < script.domains; i++) {
		if (!get(&script.vcpus[i], 1) || !get(&script.profile[i], 1))
			fail("the script ends within its head");
	}
	script.source = (struct scaph_source){
		.ops = &source_ops,
		.zones = SCAPH_ZONE_PACKAGE,
		.packages = (uint32_t)script.packages,
		.idle_known = script.idle_uw > 0,
		.idle_uw = script.idle_uw,
	};
	for (uint32_t p = 0; p < script.packages; p++) {
		script.source.package[p].zones = SCAPH_ZONE_PACKAGE;
		script.source.package[p].counter[SCAPH_ZONE_AT_PACKAGE].step_units =
			SCAPH_UNITS_PER_UJ;
	}
	script.meter.ops = &meter_ops;
}

static bool read_window(void)
{
	if (!get(&script.dt_ns, 1))
		return false;
	for (uint32_t p = 0; p < script.packages; p++) {
		uint64_t energy_uj;

		if (!get(&energy_uj, 1) || !get(&script.busy_ns[p], 1) ||
		    !get(script.cpu_ns[p], script.domains))
			fail("the script ends within a window");
		script.raw_uj[p] += energy_uj;
	}
	return true;
}

static int open_folder(const char *folder, const char *name)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	mkdir(path, 0700);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		fail("the folder cannot be used");
	return fd;
}

static void add_domain(const struct scaph_publication_terms *terms, struct scaph_table *table,
		       struct scaph_ledger *ledger, uint32_t at)
{
	struct scaph_entry *entry = scaph_table_entry_new();
	char uuid[SCAPH_UUID_TEXT_BYTES];

	entry->domain.uuid[15] = (uint8_t)(at + 1);
	entry->domain.vcpus = (uint32_t)script.vcpus[at];
	entry->domain.profile = (uint32_t)script.profile[at];
	snprintf(entry->domain.name, sizeof(entry->domain.name), "domain %u", at);
	scaph_uuid_format(entry->domain.uuid, uuid);
	mkdirat(terms->root_fd, uuid, 0700);
	entry->slot = scaph_ledger_take(ledger, entry->domain.uuid, &entry->tally);
	if (scaph_publication_open(terms, &entry->domain, false, &entry->publication))
		fail("a segment cannot be opened");
	scaph_table_add(table, entry);
}

/* The bytes as they lie in the file that this domain's guest maps. */
static const uint8_t *guest_bytes(const struct scaph_entry *entry, bool status)
{
	const struct scaph_outlet *outlet = &entry->publication.outlet[0];
	const struct scaph_writer *writer = &outlet->writer;

	if (status)
		return (const uint8_t *)outlet->segment.guard.map + SCAPH_STATUS_OFFSET;
	return (const uint8_t *)writer->fast_ring +
	       ((writer->next_index - 1) & writer->fast_mask) * SCAPH_SLOT_BYTES;
}

static void write_records(const struct scaph_publisher *pub, FILE *file)
{
	for (uint32_t i = 0; i < pub->count; i++) {
		uint64_t exact_uj = scaph_units_uj(pub->live[i]->tally.package.total_units);

		fwrite(guest_bytes(pub->live[i], false) + 8, 1, 52, file);
		fwrite(&exact_uj, sizeof(exact_uj), 1, file);
	}
}

static void write_statuses(const struct scaph_publisher *pub, FILE *file)
{
	for (uint32_t i = 0; i < pub->count; i++) {
		const uint8_t *status = guest_bytes(pub->live[i], true);

		fwrite(status + 24, 1, 8, file);
		fwrite(status + 48, 1, sizeof(struct scaph_status) - 48, file);
	}
}

static void play(struct scaph_publisher *pub, uint64_t every, FILE *records, FILE *statuses)
{
	for (uint64_t window = 0; read_window(); window++) {
		simulated_ns += script.dt_ns;
		scaph_window_close(pub, simulated_ns);
		if (window % every == every - 1)
			write_records(pub, records);
		if (simulated_ns - pub->second_ns >= SCAPH_SLOW_PERIOD_NS) {
			scaph_bulletin_second(pub, simulated_ns);
			write_statuses(pub, statuses);
		}
	}
}

int main(int argc, char **argv)
{
	static struct scaph_publisher pub;
	static struct scaph_sampler samplers[SCAPH_PACKAGES_MAX];
	struct scaph_config config = { .allow_plain_dir = true };
	struct scaph_publication_terms terms = { .config = &config, .shm_fd = -1 };
	struct scaph_ledger ledger;
	struct scaph_publisher_parts parts = {
		.terms = &terms,
		.samplers = samplers,
		.meter = &script.meter,
		.ledger = &ledger,
		.clock_ns = clock_ns,
	};
	FILE *records, *statuses;

	if (argc != 5)
		fail("usage: simulate FOLDER EVERY RECORDS STATUSES");
	records = fopen(argv[3], "wb");
	statuses = fopen(argv[4], "wb");
	if (!records || !statuses)
		fail("the output cannot be written");
	read_head();
	config.share_root = config.host_dir = config.state_dir = argv[1];
	terms.source = &script.source;
	terms.meter = &script.meter;
	terms.window_ns = 20 * SCAPH_NS_PER_MS;
	terms.group = SCAPH_SEGMENT_KEEP_GROUP;
	terms.root_fd = open_folder(argv[1], "shares");
	terms.host_fd = open_folder(argv[1], "host");
	for (uint32_t p = 0; p < script.packages; p++)
		scaph_sampler_init(&samplers[p], &script.source, p, -1, 0, terms.window_ns);
	parts.cpus = (uint32_t)script.cpus;
	parts.table = scaph_table_new();
	if (scaph_ledger_open(open_folder(argv[1], "state"), argv[1], &ledger) ||
	    scaph_publisher_init(&pub, &parts))
		fail("cannot begin");
	for (uint32_t i = 0; i < script.domains; i++)
		add_domain(&terms, parts.table, &ledger, i);
	if (scaph_window_begin(&pub, START_NS))
		fail("cannot begin");
	pub.second_ns = START_NS;
	play(&pub, strtoull(argv[2], NULL, 10), records, statuses);
	return fclose(records) || fclose(statuses) ? EXIT_FAILURE : EXIT_SUCCESS;
}
