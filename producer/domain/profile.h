/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile.h - what a domain may see, by the operator's rules
 *
 * Everybody is shared until a rule says otherwise: own CPU time at a held price, which tells nothing
 * of the neighbours. Exact figures (trusted) are granted by UUID, or to a whole single-tenant host by
 * '*'. Names are chosen by tenants, so any other pattern may only lower. The order of the rules does
 * not matter, and of two of a kind the lower wins; what is said of a UUID goes before what is said of
 * '*', and a pattern over names lowers either. A word in the folder of profiles is one more rule of its UUID.
 */
#ifndef SCAPH_PRODUCER_PROFILE_H
#define SCAPH_PRODUCER_PROFILE_H

#include "producer/config/config.h"
#include "producer/domain/domain.h"

/* Whether all rules can be understood: 0, or -EINVAL after one line. */
int scaph_profile_check(const struct scaph_config_list *rules);

/*
 * The profile of a domain, enum scaph_profile_id, under rules that were checked and the word that the folder of profiles has
 * for it now. A word that cannot be read or understood counts as off, after one line: it may have been that.
 */
uint32_t scaph_profile_of(const struct scaph_config *config, const struct scaph_domain *domain);

#endif
