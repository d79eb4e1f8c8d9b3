/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile.c - the rules of --profile
 */
#include "producer/domain/profile.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "producer/domain/profile_file.h"
#include "producer/process/log.h"
#include "proto/names.h"

#define PATTERN_BYTES (SCAPH_NAME_BYTES + SCAPH_UUID_TEXT_BYTES)

/* From the lowest. */
enum level { OFF, SHARED, TRUSTED, UNSAID };

static const struct {
	const char *word;
	uint32_t profile;
} levels[] = {
	[OFF] = { "off", SCAPH_PROFILE_OFF },
	[SHARED] = { "shared", SCAPH_PROFILE_SHARED },
	[TRUSTED] = { "trusted", SCAPH_PROFILE_TRUSTED },
};

struct rule {
	char pattern[PATTERN_BYTES];
	uint8_t uuid[SCAPH_UUID_BYTES];
	bool is_uuid;
	bool all; /* the pattern is '*' */
	enum level level;
};

static int bad(const struct scaph_config_item *item, const char *wrong)
{
	scaph_error("%s %s: %s", item->origin, item->text, wrong);
	return -EINVAL;
}

static enum level level_of(const char *word)
{
	enum level level = OFF;

	while (level < UNSAID && strcmp(levels[level].word, word) != 0)
		level++;
	return level;
}

static int parse(const struct scaph_config_item *item, struct rule *ret_rule)
{
	const char *equals = strrchr(item->text, '=');
	size_t length = equals ? (size_t)(equals - item->text) : 0;
	struct rule rule = {};

	if (!length || length >= sizeof(rule.pattern))
		return bad(item,
			   "must be UUID=trusted, '*=trusted', PATTERN=shared or PATTERN=off");
	memcpy(rule.pattern, item->text, length);
	rule.all = strcmp(rule.pattern, "*") == 0;
	rule.is_uuid = scaph_uuid_parse(rule.pattern, rule.uuid) == 0;
	rule.level = level_of(equals + 1);
	if (rule.level == UNSAID)
		return bad(item, "there is no profile of that name; use trusted, shared or off");
	if (rule.level == TRUSTED && !rule.all && !rule.is_uuid)
		return bad(item, "trusted is granted by UUID or to '*', for tenants choose names");
	*ret_rule = rule;
	return 0;
}

int scaph_profile_check(const struct scaph_config_list *rules)
{
	struct rule rule;

	for (uint32_t i = 0; i < rules->count; i++) {
		if (parse(&rules->item[i], &rule))
			return -EINVAL;
	}
	return 0;
}

static enum level lower(enum level a, enum level b)
{
	return a < b ? a : b;
}

static enum level level_in_folder(const char *dir, const uint8_t uuid[SCAPH_UUID_BYTES])
{
	char word[SCAPH_PROFILE_WORD_BYTES], name[SCAPH_UUID_TEXT_BYTES];
	int r = scaph_profile_file_read(dir, uuid, word);
	enum level level;

	if (r)
		return r == -ENOENT ? UNSAID : OFF;
	level = level_of(word);
	if (level < UNSAID)
		return level;
	scaph_uuid_format(uuid, name);
	scaph_error("%s/%s: it must say trusted, shared or off; until then the domain's profile is "
		    "off",
		    dir, name);
	return OFF;
}

uint32_t scaph_profile_of(const struct scaph_config *config, const struct scaph_domain *domain)
{
	enum level by_uuid = level_in_folder(config->profile_dir, domain->uuid);
	enum level all = UNSAID, by_name = UNSAID, level;
	const struct scaph_config_list *rules = &config->profiles;
	struct rule rule;

	for (uint32_t i = 0; i < rules->count; i++) {
		if (parse(&rules->item[i], &rule))
			continue;
		if (rule.all)
			all = lower(all, rule.level);
		else if (rule.is_uuid && memcmp(rule.uuid, domain->uuid, sizeof(rule.uuid)) == 0)
			by_uuid = lower(by_uuid, rule.level);
		else if (rule.level != TRUSTED && fnmatch(rule.pattern, domain->name, 0) == 0)
			by_name = lower(by_name, rule.level);
	}
	level = by_uuid != UNSAID ? by_uuid : all != UNSAID ? all : SHARED;
	return levels[lower(level, by_name)].profile;
}
