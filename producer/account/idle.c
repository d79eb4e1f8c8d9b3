/* SPDX-License-Identifier: Apache-2.0 */
/*
 * idle.c - spans of an idle machine
 */
#include "producer/account/idle.h"

#include "producer/process/clock.h"
#include "producer/account/energy.h"

void scaph_idle_interrupt(struct scaph_idle *idle)
{
	*idle = (struct scaph_idle){ .cpus = idle->cpus };
}

bool scaph_idle_note(struct scaph_idle *idle, uint64_t dt_ns, uint64_t busy_ns,
		     unsigned __int128 package_units, uint64_t *ret_idle_uw)
{
	bool was_idle;

	idle->span_ns += dt_ns;
	idle->busy_ns += busy_ns;
	idle->units += package_units;
	if (idle->span_ns < SCAPH_IDLE_SPAN_NS)
		return false;
	was_idle = (unsigned __int128)idle->busy_ns * 100 <=
		   (unsigned __int128)idle->span_ns * idle->cpus * SCAPH_IDLE_BUSY_PERCENT;
	if (was_idle)
		*ret_idle_uw = (uint64_t)((unsigned __int128)scaph_units_uj(idle->units) *
					  SCAPH_NS_PER_S / idle->span_ns);
	scaph_idle_interrupt(idle);
	return was_idle;
}
