/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile.c - the rules of --profile
 */
#include "producer/profile.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "producer/log.h"
#include "proto/names.h"

#define PATTERN_BYTES (SCAPH_NAME_BYTES + SCAPH_UUID_TEXT_BYTES)

struct rule {
	char pattern[PATTERN_BYTES];
	uint8_t uuid[SCAPH_UUID_BYTES];
	bool is_uuid;
	bool all; /* the pattern is '*' */
	bool grants; /* trusted; else off */
};

static int bad(const struct scaph_config_item *item, const char *wrong)
{
	scaph_error("%s %s: %s", item->origin, item->text, wrong);
	return -EINVAL;
}

static int parse(const struct scaph_config_item *item, struct rule *ret_rule)
{
	const char *equals = strrchr(item->text, '='), *word = equals ? equals + 1 : "";
	size_t length = equals ? (size_t)(equals - item->text) : 0;
	struct rule rule = {};

	if (!length || length >= sizeof(rule.pattern))
		return bad(item, "must be UUID=trusted, '*=trusted' or PATTERN=off");
	memcpy(rule.pattern, item->text, length);
	rule.all = strcmp(rule.pattern, "*") == 0;
	rule.is_uuid = scaph_uuid_parse(rule.pattern, rule.uuid) == 0;
	rule.grants = strcmp(word, "trusted") == 0;
	if (!rule.grants && strcmp(word, "off") != 0)
		return bad(item, "there is no profile of that name in this version; use trusted or "
				 "off");
	if (rule.grants && !rule.all && !rule.is_uuid)
		return bad(item, "trusted is granted by UUID or to '*', for tenants choose names");
	*ret_rule = rule;
	return 0;
}

static bool matches(const struct rule *rule, const struct scaph_domain *domain)
{
	if (rule->is_uuid && memcmp(rule->uuid, domain->uuid, sizeof(rule->uuid)) == 0)
		return true;
	return !rule->grants && fnmatch(rule->pattern, domain->name, 0) == 0;
}

/* What the rules so far say of one domain. */
struct verdict {
	bool all_granted, all_off; /* by '*' */
	bool granted, off; /* by its UUID, or by its name */
};

static void judge(const struct rule *rule, const struct scaph_domain *domain,
		  struct verdict *verdict)
{
	if (rule->all && rule->grants)
		verdict->all_granted = true;
	else if (rule->all)
		verdict->all_off = true;
	else if (matches(rule, domain) && rule->grants)
		verdict->granted = true;
	else if (matches(rule, domain))
		verdict->off = true;
}

/* A grant that reaches nobody is most likely a slip of the pen. */
static void warn_if_idle(const struct scaph_config_item *item, const struct rule *rule,
			 const struct scaph_domain *domains, uint32_t count)
{
	for (uint32_t d = 0; d < count; d++) {
		if (rule->all || matches(rule, &domains[d]))
			return;
	}
	if (rule->grants && !rule->all)
		scaph_warning("%s %s: no domain has this UUID", item->origin, item->text);
}

int scaph_profile_apply(const struct scaph_config_list *rules, struct scaph_domain *domains,
			uint32_t count)
{
	struct rule rule;

	for (uint32_t i = 0; i < rules->count; i++) {
		if (parse(&rules->item[i], &rule))
			return -EINVAL;
		warn_if_idle(&rules->item[i], &rule, domains, count);
	}
	for (uint32_t d = 0; d < count; d++) {
		struct verdict verdict = {};

		for (uint32_t i = 0; i < rules->count; i++) {
			if (parse(&rules->item[i], &rule) == 0)
				judge(&rule, &domains[d], &verdict);
		}
		if (!verdict.off && (verdict.granted || (verdict.all_granted && !verdict.all_off)))
			domains[d].profile = SCAPH_PROFILE_TRUSTED;
	}
	return 0;
}
