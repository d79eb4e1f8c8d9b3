/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile.h - what a domain may see, by the operator's rules
 *
 * Everything is off until it is granted, by UUID or to a whole host by '*'. Names are chosen by
 * tenants, so a pattern over names may only lower. The order of the rules does not matter, and what
 * lowers wins: '*=off' takes back '*=trusted' but no grant by UUID, which is about one domain; off
 * for its UUID or its name takes back every grant.
 */
#ifndef SCAPH_PRODUCER_PROFILE_H
#define SCAPH_PRODUCER_PROFILE_H

#include "producer/config.h"
#include "producer/domain.h"

/* Set each domain's profile: 0, or -EINVAL after one line on standard error. */
int scaph_profile_apply(const struct scaph_config_list *rules, struct scaph_domain *domains,
			uint32_t count);

#endif
