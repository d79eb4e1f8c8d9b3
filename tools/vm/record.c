/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record.c - an enrolment as lines of "key value"
 */
#include "tools/vm/record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/vm/say.h"
#include "tools/vm/store.h"
#include "tools/vm/transport.h"

#define FILE_NAME "record"
#define VERSION "1"

static const char *const states[] = {
	[SCAPH_RECORD_NONE] = "none",
	[SCAPH_RECORD_ENABLING] = "enabling",
	[SCAPH_RECORD_ENABLED_STATE] = "enabled",
	[SCAPH_RECORD_DISABLING] = "disabling",
};
#define STATES (sizeof(states) / sizeof(states[0]))

const char *scaph_record_state_name(enum scaph_record_state state)
{
	return state < STATES ? states[state] : "unknown";
}

int scaph_record_init(struct scaph_record *record, const struct scaph_vm_options *options,
		      const char *shown)
{
	*record = (struct scaph_record){
		.exact = true,
		.shown = strdup(shown),
		.share_root = strdup(options->share_root),
		.export_root = strdup(options->export_root),
		.shm_dir = strdup(options->shm_dir),
		.profile_dir = strdup(options->profile_dir),
	};
	if (record->shown && record->share_root && record->export_root && record->shm_dir &&
	    record->profile_dir)
		return 0;
	scaph_record_deinit(record);
	return -ENOMEM;
}

void scaph_record_deinit(struct scaph_record *record)
{
	free(record->shown);
	free(record->share_root);
	free(record->export_root);
	free(record->shm_dir);
	free(record->profile_dir);
	*record = (struct scaph_record){};
}

char *scaph_record_format(const struct scaph_record *record)
{
	char transports[SCAPH_TRANSPORTS_TEXT_BYTES], adding[SCAPH_TRANSPORTS_TEXT_BYTES];
	char live[SCAPH_TRANSPORTS_TEXT_BYTES], user[32] = "unknown", *text;

	if (record->user_known)
		snprintf(user, sizeof(user), "%u:%u", record->user.user, record->user.group);

	scaph_transports_format(record->transports, transports);
	scaph_transports_format(record->adding, adding);
	scaph_transports_format(record->live, live);
	if (asprintf(&text,
		     "version " VERSION
		     "\nstate %s\ntransports %s\nadding %s\nlive %s\nexact %s\nmemory "
		     "%s\nqemu-user %s\nprofile %s\nprofile-adding %s\nname %s\nshare-root "
		     "%s\nexport-root %s\nshm-dir %s\nprofile-dir %s\n",
		     scaph_record_state_name(record->state), transports, adding, live,
		     record->exact ? "yes" : "no", record->memory ? "yes" : "no", user,
		     scaph_vm_profile_word(record->profile),
		     scaph_vm_profile_word(record->profile_adding), record->shown,
		     record->share_root, record->export_root, record->shm_dir,
		     record->profile_dir) < 0)
		return NULL;
	return text;
}

static bool take_state(enum scaph_record_state *to, const char *value)
{
	for (unsigned int i = SCAPH_RECORD_ENABLING; i < STATES; i++) {
		if (strcmp(states[i], value) == 0) {
			*to = i;
			return true;
		}
	}
	return false;
}

static bool take_switch(bool *to, const char *value)
{
	*to = strcmp(value, "yes") == 0;
	return *to || strcmp(value, "no") == 0;
}

static bool take_user(struct scaph_record *record, const char *value)
{
	char end;

	record->user_known =
		sscanf(value, "%u:%u%c", &record->user.user, &record->user.group, &end) == 2;
	return record->user_known || strcmp(value, "unknown") == 0;
}

static bool take_text(char **to, const char *value)
{
	free(*to);
	*to = strdup(value);
	return *to;
}

static bool take(struct scaph_record *record, const char *key, const char *value)
{
	if (strcmp(key, "version") == 0)
		return strcmp(value, VERSION) == 0;
	if (strcmp(key, "state") == 0)
		return take_state(&record->state, value);
	if (strcmp(key, "transports") == 0)
		return scaph_transports_parse(value, &record->transports);
	if (strcmp(key, "adding") == 0)
		return scaph_transports_parse(value, &record->adding);
	if (strcmp(key, "live") == 0)
		return scaph_transports_parse(value, &record->live);
	if (strcmp(key, "profile") == 0)
		return scaph_vm_profile_parse(value, &record->profile);
	if (strcmp(key, "profile-adding") == 0)
		return scaph_vm_profile_parse(value, &record->profile_adding);
	if (strcmp(key, "profile-dir") == 0)
		return take_text(&record->profile_dir, value);
	if (strcmp(key, "exact") == 0)
		return take_switch(&record->exact, value);
	if (strcmp(key, "memory") == 0)
		return take_switch(&record->memory, value);
	if (strcmp(key, "qemu-user") == 0)
		return take_user(record, value);
	if (strcmp(key, "name") == 0)
		return take_text(&record->shown, value);
	if (strcmp(key, "share-root") == 0)
		return take_text(&record->share_root, value);
	if (strcmp(key, "export-root") == 0)
		return take_text(&record->export_root, value);
	return strcmp(key, "shm-dir") == 0 && take_text(&record->shm_dir, value);
}

int scaph_record_parse(const char *text, struct scaph_record *ret_record)
{
	struct scaph_record record = {};
	char *copy = strdup(text), *rest = NULL, *line;
	bool good = copy;

	for (line = copy ? strtok_r(copy, "\n", &rest) : NULL; line && good;
	     line = strtok_r(NULL, "\n", &rest)) {
		char *value = strchr(line, ' ');

		good = value;
		if (value)
			*value++ = '\0';
		good = good && take(&record, line, value);
	}
	free(copy);
	/* One of a version that knew no profiles has none there. */
	if (good && !record.profile_dir)
		good = take_text(&record.profile_dir, SCAPH_VM_PROFILE_DIR);
	if (!good || record.state == SCAPH_RECORD_NONE || !record.shown || !record.share_root ||
	    !record.export_root || !record.shm_dir) {
		scaph_record_deinit(&record);
		return -EINVAL;
	}
	*ret_record = record;
	return 0;
}

int scaph_record_load(int store, const char *uuid, struct scaph_record *ret_record)
{
	char *text = store >= 0 ? scaph_store_get(store, uuid, FILE_NAME) : NULL;
	int r = 0;

	if (text)
		r = scaph_record_parse(text, ret_record);
	else
		*ret_record = (struct scaph_record){};
	free(text);
	if (r)
		scaph_vm_error("%s in the state folder: its record is not one of this version; use "
			       "the scaph-vm that wrote it, or remove it and run enable again",
			       uuid);
	return r;
}

int scaph_record_save(int store, const char *uuid, const struct scaph_record *record)
{
	char *text = scaph_record_format(record);
	int r = text ? scaph_store_put(store, uuid, FILE_NAME, text) : -ENOMEM;

	free(text);
	return r;
}

int scaph_record_forget(int store, const char *uuid)
{
	/* Without it the rest means nothing. */
	return scaph_store_forget(store, uuid, FILE_NAME);
}
