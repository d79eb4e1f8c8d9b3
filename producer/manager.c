/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manager.c - what the service manager is told of a run: what it does, and that windows close
 *
 * Main thread only. That it answers is no life if no window closes: then the manager hears nothing.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "producer/daemon.h"
#include "producer/process/clock.h"
#include "producer/process/notify.h"

void scaph_daemon_tell_status(struct scaph_daemon *daemon)
{
	static unsigned int told = UINT_MAX;
	const struct scaph_entry *entry = scaph_table_first(daemon->table);
	unsigned int domains = 0;
	char line[256];

	for (; entry; entry = scaph_table_next(daemon->table, entry))
		domains++;
	if (domains == told)
		return;
	told = domains;
	snprintf(line, sizeof(line), "%u domain%s, window %" PRIu64 " ms, source %s%s, meter %s",
		 domains, domains == 1 ? "" : "s", daemon->terms.window_ns / SCAPH_NS_PER_MS,
		 daemon->source->ops->name, daemon->source->estimated ? " (estimated)" : "",
		 daemon->meter->ops->name);
	scaph_notify_status(line);
}

void scaph_daemon_tell_alive(struct scaph_daemon *daemon)
{
	static uint64_t seen;
	uint64_t turns = scaph_publisher_turns(&daemon->publisher);

	if (turns != seen)
		scaph_notify_alive();
	seen = turns;
}
