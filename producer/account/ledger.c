/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger.c - the file of counters
 */
#include "producer/account/ledger.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "producer/process/log.h"
#include "proto/crc32c.h"

#define MAGIC UINT64_C(0x31746e6368706373) /* "scphcnt1" */
#define BOOT_ID_BYTES 40
#define PAGE 4096U
#define SLOT_BYTES 512U
#define HOST_AT PAGE
#define SLOTS_AT (2 * PAGE)
#define FILE_BYTES (SLOTS_AT + SCAPH_LEDGER_DOMAINS_MAX * SLOT_BYTES)

struct header {
	uint64_t magic;
	uint64_t tally_bytes; /* another size is another version's */
	uint64_t committed; /* generation that counts */
	char boot_id[BOOT_ID_BYTES];
};

/* What stands before each copy of a tally. */
struct stamp {
	uint64_t generation; /* 0: never written */
	uint32_t bytes;
	uint32_t crc; /* of the tally, begun with the generation */
};

struct host_slot {
	struct {
		struct stamp stamp;
		struct scaph_host_tally tally;
	} copy[2];
};

struct domain_slot {
	uint8_t uuid[SCAPH_UUID_BYTES];
	uint64_t opened; /* 0: free */
	uint64_t reserved;
	struct {
		struct stamp stamp;
		struct scaph_tally tally;
	} copy[2];
};
static_assert(sizeof(struct domain_slot) <= SLOT_BYTES, "slot");
static_assert(sizeof(struct host_slot) <= PAGE, "host slot");

static struct header *header_of(const struct scaph_ledger *ledger)
{
	return ledger->map;
}

static struct host_slot *host_of(const struct scaph_ledger *ledger)
{
	return (struct host_slot *)((char *)ledger->map + HOST_AT);
}

static struct domain_slot *slot_of(const struct scaph_ledger *ledger, int slot)
{
	return (struct domain_slot *)((char *)ledger->map + SLOTS_AT + (size_t)slot * SLOT_BYTES);
}

static uint32_t checksum(uint64_t generation, const void *tally, size_t bytes)
{
	uint32_t crc = scaph_crc32c_update(SCAPH_CRC32C_INIT, &generation, sizeof(generation));

	return scaph_crc32c_final(scaph_crc32c_update(crc, tally, bytes));
}

static bool counts(const struct scaph_ledger *ledger, const struct stamp *stamp, const void *tally,
		   size_t bytes)
{
	return stamp->generation && stamp->generation <= header_of(ledger)->committed &&
	       stamp->bytes == bytes && stamp->crc == checksum(stamp->generation, tally, bytes);
}

/* The newer of two copies that count: 0 or 1; -1: none does. */
static int newest(const struct scaph_ledger *ledger, const struct stamp *a, const void *tally_a,
		  const struct stamp *b, const void *tally_b, size_t bytes)
{
	bool good_a = counts(ledger, a, tally_a, bytes), good_b = counts(ledger, b, tally_b, bytes);

	if (good_a && good_b)
		return a->generation > b->generation ? 0 : 1;
	return good_a ? 0 : good_b ? 1 : -1;
}

static void write_copy(struct scaph_ledger *ledger, struct stamp *stamp, void *to,
		       const void *tally, size_t bytes)
{
	memcpy(to, tally, bytes);
	stamp->bytes = (uint32_t)bytes;
	stamp->crc = checksum(ledger->generation, tally, bytes);
	stamp->generation = ledger->generation;
}

static void read_boot_id(char ret_id[BOOT_ID_BYTES])
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	memset(ret_id, 0, BOOT_ID_BYTES);
	if (file && fgets(ret_id, BOOT_ID_BYTES, file))
		ret_id[strcspn(ret_id, "\n")] = '\0';
	if (file)
		fclose(file);
}

static void begin_anew(struct scaph_ledger *ledger, const char *boot_id)
{
	struct header *header = header_of(ledger);

	memset(ledger->map, 0, ledger->bytes);
	header->tally_bytes = sizeof(struct scaph_tally) + sizeof(struct scaph_host_tally);
	memcpy(header->boot_id, boot_id, BOOT_ID_BYTES);
	header->magic = MAGIC;
}

/* Whether what was found can be gone on with; false after a line that says why not. */
static bool usable(const struct scaph_ledger *ledger, const char *boot_id, const char *folder,
		   bool is_new)
{
	const struct header *header = header_of(ledger);

	if (is_new)
		return false;
	if (header->magic != MAGIC ||
	    header->tally_bytes != sizeof(struct scaph_tally) + sizeof(struct scaph_host_tally)) {
		scaph_warning("%s/" SCAPH_LEDGER_FILE
			      ": damaged or of another version: all counters begin at 0",
			      folder);
		return false;
	}
	return memcmp(header->boot_id, boot_id, BOOT_ID_BYTES) == 0;
}

static int map_file(int folder_fd, struct scaph_ledger *ledger, bool *ret_new)
{
	int fd = openat(folder_fd, SCAPH_LEDGER_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
			0600);
	struct stat st;
	int r = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode))
		r = -EINVAL;
	else
		r = -posix_fallocate(fd, 0, FILE_BYTES);
	if (r == 0) {
		*ret_new = st.st_size < (off_t)FILE_BYTES;
		ledger->bytes = FILE_BYTES;
		ledger->map = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		r = ledger->map == MAP_FAILED ? -errno : 0;
	}
	if (r)
		ledger->map = NULL;
	close(fd);
	return r;
}

/* What a killed daemon stored of a window that never counted must not count with a later one. */
static void discard(const struct header *header, struct stamp *stamp)
{
	if (stamp->generation > header->committed)
		*stamp = (struct stamp){};
}

static void discard_uncommitted(struct scaph_ledger *ledger)
{
	const struct header *header = header_of(ledger);

	for (int copy = 0; copy < 2; copy++) {
		discard(header, &host_of(ledger)->copy[copy].stamp);
		for (int slot = 0; slot < (int)SCAPH_LEDGER_DOMAINS_MAX; slot++)
			discard(header, &slot_of(ledger, slot)->copy[copy].stamp);
	}
}

int scaph_ledger_open(int folder_fd, const char *folder, struct scaph_ledger *ret_ledger)
{
	struct scaph_ledger ledger = {};
	char boot_id[BOOT_ID_BYTES];
	bool is_new = false;
	int r;

	r = map_file(folder_fd, &ledger, &is_new);
	if (r == 0) {
		ledger.taken = calloc(SCAPH_LEDGER_DOMAINS_MAX, sizeof(*ledger.taken));
		r = ledger.taken ? 0 : -ENOMEM;
	}
	if (r) {
		scaph_error(
			"%s/" SCAPH_LEDGER_FILE
			": %s; give --state-dir a folder that can be written to, with 3 MiB free",
			folder, strerror(-r));
		scaph_ledger_close(&ledger);
		return r;
	}
	read_boot_id(boot_id);
	if (!usable(&ledger, boot_id, folder, is_new))
		begin_anew(&ledger, boot_id);
	discard_uncommitted(&ledger);
	ledger.generation = header_of(&ledger)->committed + 1;
	for (int slot = 0; slot < (int)SCAPH_LEDGER_DOMAINS_MAX; slot++) {
		if (slot_of(&ledger, slot)->opened > ledger.opened)
			ledger.opened = slot_of(&ledger, slot)->opened;
	}
	*ret_ledger = ledger;
	return 0;
}

void scaph_ledger_close(struct scaph_ledger *ledger)
{
	if (ledger->map)
		munmap(ledger->map, ledger->bytes);
	free(ledger->taken);
	*ledger = (struct scaph_ledger){};
}

static int find(const struct scaph_ledger *ledger, const uint8_t uuid[SCAPH_UUID_BYTES])
{
	for (int slot = 0; slot < (int)SCAPH_LEDGER_DOMAINS_MAX; slot++) {
		if (slot_of(ledger, slot)->opened &&
		    memcmp(slot_of(ledger, slot)->uuid, uuid, SCAPH_UUID_BYTES) == 0)
			return slot;
	}
	return -ENOENT;
}

/* A free slot, or that of whoever has not run for the longest. */
static int oldest(const struct scaph_ledger *ledger)
{
	int found = -ENOSPC;

	for (int slot = 0; slot < (int)SCAPH_LEDGER_DOMAINS_MAX; slot++) {
		if (ledger->taken[slot])
			continue;
		if (found < 0 || slot_of(ledger, slot)->opened < slot_of(ledger, found)->opened)
			found = slot;
	}
	return found;
}

int scaph_ledger_take(struct scaph_ledger *ledger, const uint8_t uuid[SCAPH_UUID_BYTES],
		      struct scaph_tally *ret_tally)
{
	struct domain_slot *found;
	int slot = find(ledger, uuid), copy;

	if (slot < 0) {
		slot = oldest(ledger);
		if (slot < 0)
			return slot;
		found = slot_of(ledger, slot);
		memset(found, 0, sizeof(*found));
		memcpy(found->uuid, uuid, SCAPH_UUID_BYTES);
	}
	found = slot_of(ledger, slot);
	found->opened = ++ledger->opened;
	copy = newest(ledger, &found->copy[0].stamp, &found->copy[0].tally, &found->copy[1].stamp,
		      &found->copy[1].tally, sizeof(struct scaph_tally));
	*ret_tally = copy < 0 ? (struct scaph_tally){} : found->copy[copy].tally;
	ledger->taken[slot] = true;
	return slot;
}

void scaph_ledger_give_back(struct scaph_ledger *ledger, int slot)
{
	ledger->taken[slot] = false;
}

void scaph_ledger_forget(struct scaph_ledger *ledger, const uint8_t uuid[SCAPH_UUID_BYTES])
{
	int slot = find(ledger, uuid);

	if (slot >= 0 && !ledger->taken[slot])
		memset(slot_of(ledger, slot), 0, sizeof(struct domain_slot));
}

void scaph_ledger_load_host(const struct scaph_ledger *ledger, struct scaph_host_tally *ret_tally)
{
	const struct host_slot *host = host_of(ledger);
	int copy = newest(ledger, &host->copy[0].stamp, &host->copy[0].tally, &host->copy[1].stamp,
			  &host->copy[1].tally, sizeof(struct scaph_host_tally));

	*ret_tally = copy < 0 ? (struct scaph_host_tally){} : host->copy[copy].tally;
}

/* The copy to write: never the one that counts. One that was not committed counts for nothing. */
static int other(const struct scaph_ledger *ledger, const struct stamp *a, const struct stamp *b)
{
	uint64_t committed = header_of(ledger)->committed;

	if (a->generation > committed)
		return 0;
	if (b->generation > committed)
		return 1;
	return a->generation > b->generation ? 1 : 0;
}

void scaph_ledger_store(struct scaph_ledger *ledger, int slot, const struct scaph_tally *tally)
{
	struct domain_slot *to = slot_of(ledger, slot);
	int copy = other(ledger, &to->copy[0].stamp, &to->copy[1].stamp);

	write_copy(ledger, &to->copy[copy].stamp, &to->copy[copy].tally, tally, sizeof(*tally));
}

void scaph_ledger_store_host(struct scaph_ledger *ledger, const struct scaph_host_tally *tally)
{
	struct host_slot *to = host_of(ledger);
	int copy = other(ledger, &to->copy[0].stamp, &to->copy[1].stamp);

	write_copy(ledger, &to->copy[copy].stamp, &to->copy[copy].tally, tally, sizeof(*tally));
}

void scaph_ledger_commit(struct scaph_ledger *ledger)
{
	header_of(ledger)->committed = ledger->generation++;
}
