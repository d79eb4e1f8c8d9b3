/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.c - two lines for each finding
 */
#include "consumer/doctor/report.h"

#include <errno.h>
#include <stdio.h>

#include "consumer/doctor/options.h"

int scaph_findings_text(const struct scaph_findings *findings)
{
	static const char *const words[] = { "", "guest", "host", "guest and host" };

	for (uint32_t i = 0; i < findings->count; i++) {
		const struct scaph_finding *finding = &findings->finding[i];

		printf("%s: %s: %s\n    mend: %s\n", scaph_fault_id(finding->fault),
		       scaph_fault_is_warning(finding->fault) ? "warning" : "fault", finding->what,
		       finding->mend);
	}
	if (!findings->faults)
		printf("as a %s nothing is wrong%s\n",
		       words[findings->roles & (SCAPH_ROLE_GUEST | SCAPH_ROLE_HOST)],
		       findings->count ? " but what is warned of" : "");
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : -EIO;
}
