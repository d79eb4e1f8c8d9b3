/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dram.c - from looks at traffic to weights
 */
#include "producer/publish/dram.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "producer/process/clock.h"
#include "producer/process/log.h"

#define LOOK_S 1
#define HOLD_NS (3 * SCAPH_NS_PER_S) /* weights are not kept if no look comes after them */
#define SOON_MAX 10U /* looks without a result that are not worth a line */

int scaph_dram_open(struct scaph_dram *dram, struct scaph_publisher *publisher,
		    const struct scaph_config *config, const struct scaph_topology *topology)
{
	*dram = (struct scaph_dram){
		.publisher = publisher,
		.traffic = scaph_traffic_new(config, topology),
		.timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
	};
	if (dram->timer_fd < 0)
		return -errno;
	return dram->traffic ? 0 : -ENOMEM;
}

void scaph_dram_close(struct scaph_dram *dram)
{
	if (dram->timer_fd >= 0)
		close(dram->timer_fd);
	scaph_traffic_free(dram->traffic);
	*dram = (struct scaph_dram){ .timer_fd = -1 };
}

/* From the end of this look, not from when it was due: never two within a second. */
static void ask_again(const struct scaph_dram *dram)
{
	const struct itimerspec once = { .it_value.tv_sec = LOOK_S };

	timerfd_settime(dram->timer_fd, 0, &once, NULL);
}

/* One line when it begins to be by traffic, or no longer is. */
static void say(struct scaph_dram *dram, int r, const char *why)
{
	bool by_traffic = r == 0;

	dram->soon = r == SCAPH_TRAFFIC_SOON ? dram->soon + 1 : 0;
	if ((dram->said && by_traffic == dram->by_traffic) ||
	    (r == SCAPH_TRAFFIC_SOON && dram->soon < SOON_MAX))
		return;
	if (by_traffic)
		scaph_info(
			"dram energy goes by memory traffic, which resctrl's groups show of every "
			"domain");
	else
		scaph_info("dram energy goes by CPU time: %s", why);
	dram->said = true;
	dram->by_traffic = by_traffic;
}

static uint32_t count_entries(const struct scaph_table *table)
{
	uint32_t count = 0;

	for (struct scaph_entry *entry = scaph_table_first(table); entry;
	     entry = scaph_table_next(table, entry))
		count++;
	return count;
}

static void list_parts(const struct scaph_table *table, struct scaph_traffic_part *parts)
{
	uint32_t at = 0;

	for (struct scaph_entry *entry = scaph_table_first(table); entry;
	     entry = scaph_table_next(table, entry), at++) {
		parts[at].pid = entry->domain.pid;
		parts[at].shown = entry->domain.shown;
	}
}

static void note(struct scaph_publisher *pub, bool known, const struct scaph_traffic_part *parts,
		 const uint64_t whole[SCAPH_PACKAGES_MAX])
{
	uint32_t at = 0;

	pthread_mutex_lock(&pub->lock);
	pub->traffic_news = known || pub->traffic_noted.known;
	pub->traffic_noted.known = known;
	pub->traffic_noted.noted_ns = scaph_clock_ns(CLOCK_MONOTONIC);
	if (known)
		memcpy(pub->traffic_noted.whole, whole, sizeof(pub->traffic_noted.whole));
	for (struct scaph_entry *entry = scaph_table_first(pub->table); entry && known;
	     entry = scaph_table_next(pub->table, entry), at++) {
		entry->traffic_noted.known = true;
		memcpy(entry->traffic_noted.bytes, parts[at].bytes,
		       sizeof(entry->traffic_noted.bytes));
	}
	pthread_mutex_unlock(&pub->lock);
}

void scaph_dram_act(struct scaph_dram *dram)
{
	struct scaph_publisher *pub = dram->publisher;
	uint32_t count = count_entries(pub->table);
	struct scaph_traffic_part *parts = calloc(count + 1, sizeof(*parts));
	uint64_t whole[SCAPH_PACKAGES_MAX];
	char why[SCAPH_TRAFFIC_WHY_BYTES] = "out of memory";
	int r = SCAPH_TRAFFIC_NONE;

	if (parts && count) {
		list_parts(pub->table, parts);
		r = scaph_traffic_look(dram->traffic, parts, count, whole, why);
	}
	note(pub, r == 0, parts, whole);
	if (count)
		say(dram, r, why);
	free(parts);
	ask_again(dram);
}

void scaph_dram_take(struct scaph_publisher *pub)
{
	if (!pub->traffic_news)
		return;
	pub->traffic_news = false;
	pub->traffic = pub->traffic_noted;
	for (uint32_t i = 0; i < pub->count; i++)
		pub->live[i]->traffic = pub->live[i]->traffic_noted;
}

bool scaph_dram_by_traffic(const struct scaph_publisher *pub, uint64_t now_ns)
{
	if (!pub->traffic.known || now_ns > pub->traffic.noted_ns + HOLD_NS)
		return false;
	for (uint32_t i = 0; i < pub->count; i++) {
		if (!pub->live[i]->reading.gone && !pub->live[i]->traffic.known)
			return false;
	}
	return true;
}
