/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pve_config.c - lines of "key: value" in sections
 */
#include "tools/vm/pve_config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum section { CURRENT, PENDING, OTHER };

void scaph_pve_mapping_id(uint32_t vmid, char ret_id[SCAPH_PVE_ID_BYTES])
{
	snprintf(ret_id, SCAPH_PVE_ID_BYTES, "scaph-%" PRIu32, vmid);
}

/* The value of a key in "a=1,b=2", or NULL. The first may stand without its key. */
static char *part_of(const char *value, const char *key, bool is_first)
{
	size_t length = strlen(key);

	for (const char *at = value, *comma = value; comma; at = comma ? comma + 1 : at) {
		if (strncmp(at, key, length) == 0 && at[length] == '=')
			return strndup(at + length + 1, strcspn(at + length + 1, ","));
		comma = strchr(at, ',');
	}
	return is_first && value[strcspn(value, "=,")] != '=' ? strndup(value, strcspn(value, ","))
							      : NULL;
}

static bool part_is(const char *value, const char *key, bool is_first, const char *wanted)
{
	char *part = part_of(value, key, is_first);
	bool same = part && strcmp(part, wanted) == 0;

	free(part);
	return same;
}

/* N of virtiofsN, or -1. */
static int virtiofs_of(const char *key)
{
	static const char word[] = "virtiofs";
	size_t length = strlen(word);

	if (strncmp(key, word, length) != 0 || key[length] < '0' || key[length] > '9' ||
	    key[length + 1])
		return -1;
	return key[length] - '0';
}

static void take_uuid(const char *value, struct scaph_pve_config *config)
{
	uint8_t uuid[SCAPH_UUID_BYTES];
	char *text = part_of(value, "uuid", false);

	if (text && scaph_uuid_parse(text, uuid) == 0)
		scaph_uuid_format(uuid, config->uuid);
	free(text);
}

static void take_ivshmem(const char *value, const char *uuid, struct scaph_pve_config *config)
{
	char name[sizeof("scaph-") + SCAPH_UUID_TEXT_BYTES];

	snprintf(name, sizeof(name), "scaph-%s", uuid);
	config->ivshmem = true;
	config->ivshmem_ours = part_is(value, "name", false, name);
}

static void take(const char *key, const char *value, const char *id,
		 struct scaph_pve_config *config)
{
	int number = virtiofs_of(key);

	if (number >= 0) {
		config->virtiofs |= 1U << number;
		if (part_is(value, "dirid", true, id))
			config->ours = number;
		else if (config->ours == number)
			config->ours = -1;
	} else if (strcmp(key, "smbios1") == 0) {
		take_uuid(value, config);
	} else if (strcmp(key, "name") == 0) {
		snprintf(config->name, sizeof(config->name), "%s", value);
	} else if (strcmp(key, "template") == 0) {
		config->is_template = strcmp(value, "1") == 0;
	} else if (strcmp(key, "lock") == 0) {
		config->is_locked = true;
	} else if (strcmp(key, "hookscript") == 0) {
		config->hookscript = true;
	}
}

/* "delete: virtiofs0,!net1" of what is pending. */
static void forget(char *keys, struct scaph_pve_config *config)
{
	char *rest = NULL;

	for (char *key = strtok_r(keys, ", ", &rest); key; key = strtok_r(NULL, ", ", &rest)) {
		int number;

		key += *key == '!';
		number = virtiofs_of(key);
		if (number >= 0)
			config->virtiofs &= ~(1U << number);
		if (number >= 0 && number == config->ours)
			config->ours = -1;
		if (strcmp(key, "ivshmem") == 0)
			config->ivshmem = config->ivshmem_ours = false;
		if (strcmp(key, "hookscript") == 0)
			config->hookscript = false;
	}
}

/* @line is changed. NULL: it is no "key: value". */
static char *split(char *line)
{
	char *colon = strchr(line, ':'), *value;
	size_t length;

	if (!colon || colon == line || *line == '#')
		return NULL;
	*colon = '\0';
	value = colon + 1 + strspn(colon + 1, " \t");
	length = strlen(value);
	while (length > 0 && strchr(" \t\r", value[length - 1]))
		value[--length] = '\0';
	return value;
}

/* @devices: take ivshmem alone, for which the UUID has to be known. */
static void read_lines(const char *text, const char *id, const char *uuid, bool devices,
		       struct scaph_pve_config *config)
{
	char *copy = strdup(text), *rest = NULL, *line, *value;
	enum section section = CURRENT;

	for (line = copy ? strtok_r(copy, "\n", &rest) : NULL; line;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (*line == '[')
			section = strncasecmp(line, "[PENDING]", strlen("[PENDING]")) == 0 ? PENDING
											   : OTHER;
		value = section == OTHER ? NULL : split(line);
		if (!value)
			continue;
		if (section == PENDING && strcmp(line, "delete") == 0)
			forget(value, config);
		else if (devices && strcmp(line, "ivshmem") == 0)
			take_ivshmem(value, uuid, config);
		else if (!devices)
			take(line, value, id, config);
	}
	free(copy);
}

void scaph_pve_config_parse(const char *text, uint32_t vmid, const char *uuid,
			    struct scaph_pve_config *ret_config)
{
	struct scaph_pve_config config = { .ours = -1 }, devices = { .ours = -1 };
	char id[SCAPH_PVE_ID_BYTES];

	scaph_pve_mapping_id(vmid, id);
	read_lines(text, id, "", false, &config);
	read_lines(text, id, *uuid ? uuid : config.uuid, true, &devices);
	config.ivshmem = devices.ivshmem;
	config.ivshmem_ours = devices.ivshmem_ours;
	*ret_config = config;
}

enum scaph_pve_mapping scaph_pve_mapping_look(const char *text, const char *id, const char *node,
					      const char *path)
{
	char *copy = strdup(text), *rest = NULL, *line;
	enum scaph_pve_mapping found = SCAPH_PVE_MAPPING_NONE;
	bool inside = false;

	for (line = copy ? strtok_r(copy, "\n", &rest) : NULL; line;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (*line != ' ' && *line != '\t') {
			line[strcspn(line, " \t\r")] = '\0';
			inside = strcmp(line, id) == 0;
			if (inside && found == SCAPH_PVE_MAPPING_NONE)
				found = SCAPH_PVE_MAPPING_OTHER;
			continue;
		}
		line += strspn(line, " \t");
		if (!inside || strncmp(line, "map ", strlen("map ")) != 0)
			continue;
		line += strlen("map ");
		line[strcspn(line, " \t\r")] = '\0';
		if (part_is(line, "node", false, node) && part_is(line, "path", false, path))
			found = SCAPH_PVE_MAPPING_OURS;
	}
	free(copy);
	return found;
}
