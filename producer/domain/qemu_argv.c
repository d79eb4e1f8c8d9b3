/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qemu_argv.c - options in pairs of words, and their values in pairs of key and value
 */
#include "producer/domain/qemu_argv.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/names.h"

#define VCPUS_MAX 65536U
#define VMID_MAX 999999999U
#define VALUE_BYTES 512

/* One word, not ended by a NUL. */
struct word {
	const char *at;
	size_t length;
};

static bool take_word(const char **at, const char *end, struct word *ret_word)
{
	const char *nul;

	if (*at >= end)
		return false;
	nul = memchr(*at, '\0', (size_t)(end - *at));
	ret_word->at = *at;
	ret_word->length = (size_t)((nul ? nul : end) - *at);
	*at = nul ? nul + 1 : end;
	return true;
}

static bool word_is(const struct word *word, const char *text)
{
	return word->length == strlen(text) && memcmp(word->at, text, word->length) == 0;
}

/* The option's name without its dash, or its two: QEMU takes both. */
static bool option_of(const struct word *word, struct word *ret_name)
{
	size_t dashes = 0;

	while (dashes < 2 && dashes < word->length && word->at[dashes] == '-')
		dashes++;
	*ret_name = (struct word){ word->at + dashes, word->length - dashes };
	return dashes > 0 && ret_name->length > 0;
}

/*
 * Whether the next word is this option's, whatever it begins with: what a tenant may choose must not
 * be taken for an option. All others that matter have values which begin with no dash.
 */
static bool takes_any_word(const struct word *option)
{
	static const char *const names[] = { "append", "kernel", "initrd", "dtb",  "bios",
					     "name",   "uuid",	 "smbios", "id",   "smp",
					     "object", "fw_cfg", "device", "drive" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (word_is(option, names[i]))
			return true;
	}
	return false;
}

/* Key and value, cut if longer; doubled commas are single ones here. */
struct pair {
	char key[32], value[VALUE_BYTES];
	bool cut;
};

static void take_value(struct word *rest, struct pair *pair)
{
	size_t length = 0;

	while (rest->length > 0) {
		bool comma = *rest->at == ',';

		if (comma && (rest->length < 2 || rest->at[1] != ','))
			break;
		rest->at += comma ? 2 : 1;
		rest->length -= comma ? 2 : 1;
		if (length < sizeof(pair->value) - 1)
			pair->value[length++] = rest->at[-1];
		else
			pair->cut = true;
	}
	pair->value[length] = '\0';
	if (rest->length > 0) {
		rest->at++;
		rest->length--;
	}
}

/* @first_key: of a value that has none, if it is the first; NULL: such a one is a switch. */
static bool take_pair(struct word *rest, const char *first_key, struct pair *ret_pair)
{
	size_t length = 0;

	if (rest->length == 0)
		return false;
	ret_pair->cut = false;
	while (length < rest->length && rest->at[length] != '=' && rest->at[length] != ',')
		length++;
	if (length < rest->length && rest->at[length] == '=') {
		snprintf(ret_pair->key, sizeof(ret_pair->key), "%.*s", (int)length, rest->at);
		rest->at += length + 1;
		rest->length -= length + 1;
	} else {
		snprintf(ret_pair->key, sizeof(ret_pair->key), "%s", first_key ? first_key : "");
	}
	take_value(rest, ret_pair);
	return true;
}

static uint32_t number_of(const char *text, uint32_t most)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (end == text || *end || *text == '-' || number > most)
		return 0;
	return (uint32_t)number;
}

static void read_name(struct word value, struct scaph_qemu_argv *argv)
{
	const char *first = "guest";
	struct pair pair;

	for (; take_pair(&value, first, &pair); first = NULL) {
		if (strcmp(pair.key, "guest") != 0)
			continue;
		argv->name_cut = pair.cut || strlen(pair.value) >= sizeof(argv->name);
		snprintf(argv->name, sizeof(argv->name), "%.*s", (int)sizeof(argv->name) - 1,
			 pair.value);
	}
}

static void read_smbios(struct word value, struct scaph_qemu_argv *argv)
{
	uint8_t uuid[SCAPH_UUID_BYTES];
	bool system = false, has = false;
	struct pair pair;

	while (take_pair(&value, NULL, &pair)) {
		if (strcmp(pair.key, "type") == 0)
			system = strcmp(pair.value, "1") == 0;
		else if (strcmp(pair.key, "uuid") == 0)
			has = !pair.cut && scaph_uuid_parse(pair.value, uuid) == 0;
	}
	if (!system || !has)
		return;
	memcpy(argv->uuid, uuid, sizeof(uuid));
	argv->has_uuid = true;
}

static void read_smp(struct word value, struct scaph_qemu_argv *argv)
{
	static const char *const parts[] = { "sockets", "dies",	 "clusters", "modules",
					     "cores",	"books", "drawers",  "threads" };
	const char *first = "cpus";
	uint32_t cpus = 0, product = 1;
	struct pair pair;

	for (; take_pair(&value, first, &pair); first = NULL) {
		uint32_t number = number_of(pair.value, VCPUS_MAX);

		if (strcmp(pair.key, "cpus") == 0)
			cpus = number;
		for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
			if (strcmp(pair.key, parts[i]) == 0 && number > 0 &&
			    product <= VCPUS_MAX / number)
				product *= number;
		}
	}
	argv->vcpus = cpus ? cpus : product;
}

/* What a file behind memory is called: in pairs, or as libvirt writes it, in JSON. */
static bool maps_file(struct word value, const char *path)
{
	char json[2 * PATH_MAX];
	struct pair pair;
	bool file = false, same = false;

	if (value.at && value.length > 0 && *value.at == '{') {
		snprintf(json, sizeof(json), "\"mem-path\":\"%s\"", path);
		return memmem(value.at, value.length, "\"memory-backend-file\"",
			      strlen("\"memory-backend-file\"")) &&
		       memmem(value.at, value.length, json, strlen(json));
	}
	for (const char *first = "qom-type"; take_pair(&value, first, &pair); first = NULL) {
		if (strcmp(pair.key, "qom-type") == 0)
			file = strcmp(pair.value, "memory-backend-file") == 0;
		else if (strcmp(pair.key, "mem-path") == 0)
			same = !pair.cut && strcmp(pair.value, path) == 0;
	}
	return file && same;
}

static void read_identity(const struct word *option, const struct word *value, bool *is_uuid,
			  struct scaph_qemu_argv *argv)
{
	char text[SCAPH_UUID_TEXT_BYTES];

	if (word_is(option, "name")) {
		read_name(*value, argv);
	} else if (word_is(option, "smbios") && !*is_uuid) {
		read_smbios(*value, argv);
	} else if (word_is(option, "smp")) {
		read_smp(*value, argv);
	} else if (word_is(option, "id") && value->length < sizeof(text)) {
		snprintf(text, sizeof(text), "%.*s", (int)value->length, value->at);
		argv->vmid = number_of(text, VMID_MAX);
	} else if (word_is(option, "uuid") && value->length == sizeof(text) - 1) {
		snprintf(text, sizeof(text), "%.*s", (int)value->length, value->at);
		if (scaph_uuid_parse(text, argv->uuid) == 0)
			*is_uuid = argv->has_uuid = true;
	}
}

/* @see: called with every option and the word behind it, which is empty at the end. */
static void walk(const char *bytes, size_t length,
		 void (*see)(const struct word *option, const struct word *value, void *context),
		 void *context)
{
	const char *at = bytes, *end = bytes + length, *behind;
	struct word word, option, value;

	/* The first is the program. */
	if (!take_word(&at, end, &word))
		return;
	while (take_word(&at, end, &word)) {
		if (!option_of(&word, &option))
			continue;
		behind = at;
		if (!take_word(&behind, end, &value))
			value = (struct word){ end, 0 };
		see(&option, &value, context);
		if (takes_any_word(&option))
			at = behind;
	}
}

struct identity {
	struct scaph_qemu_argv *argv;
	bool is_uuid; /* -uuid was given, which goes before -smbios */
};

static void see_identity(const struct word *option, const struct word *value, void *context)
{
	struct identity *identity = context;

	if (word_is(option, "daemonize"))
		identity->argv->daemonize = true;
	read_identity(option, value, &identity->is_uuid, identity->argv);
}

struct memory {
	struct scaph_qemu_argv *argv;
	char plain[PATH_MAX], pve[PATH_MAX];
};

static void see_memory(const struct word *option, const struct word *value, void *context)
{
	struct memory *memory = context;

	if (!word_is(option, "object"))
		return;
	memory->argv->shmem |= maps_file(*value, memory->plain);
	memory->argv->pve_shmem |= maps_file(*value, memory->pve);
}

void scaph_qemu_argv_parse(const char *bytes, size_t length, const char *shm_dir,
			   struct scaph_qemu_argv *ret_argv)
{
	struct identity identity = { .argv = ret_argv };
	struct memory memory = { .argv = ret_argv };
	char uuid[SCAPH_UUID_TEXT_BYTES];

	*ret_argv = (struct scaph_qemu_argv){ .vcpus = 1 };
	walk(bytes, length, see_identity, &identity);
	if (!ret_argv->has_uuid)
		return;
	scaph_uuid_format(ret_argv->uuid, uuid);
	snprintf(memory.plain, sizeof(memory.plain), "%s/scaph-%s", shm_dir, uuid);
	snprintf(memory.pve, sizeof(memory.pve), "%s/pve-shm-scaph-%s", shm_dir, uuid);
	walk(bytes, length, see_memory, &memory);
}
