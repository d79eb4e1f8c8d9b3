/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger_test.c - the file of counters: what a killed daemon leaves, who is forgotten, what is not ours
 *
 * A kill is played by opening a copy of the file as it was between two stores, with what had been
 * written up to there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "producer/account/ledger.h"

static const uint8_t a[SCAPH_UUID_BYTES] = { 1 }, b[SCAPH_UUID_BYTES] = { 2 };

struct folder {
	char path[64];
	int fd;
};

static struct folder new_folder(void)
{
	struct folder folder = { .path = "/tmp/scaph-ledger-XXXXXX" };

	assert_non_null(mkdtemp(folder.path));
	folder.fd = open(folder.path, O_RDONLY | O_DIRECTORY);
	return folder;
}

static void remove_folder(struct folder *folder)
{
	unlinkat(folder->fd, SCAPH_LEDGER_FILE, 0);
	close(folder->fd);
	rmdir(folder->path);
}

static struct scaph_tally tally_of(uint64_t number)
{
	return (struct scaph_tally){ .package.total_units = (unsigned __int128)number << 64,
				     .cpu_ns = number };
}

static void open_ledger(const struct folder *folder, struct scaph_ledger *ret_ledger)
{
	assert_int_equal(scaph_ledger_open(folder->fd, folder->path, ret_ledger), 0);
}

/* What a domain's counters are for whoever opens the file now. */
static uint64_t left(const struct folder *folder, const uint8_t *uuid)
{
	struct scaph_ledger ledger;
	struct scaph_tally tally;

	open_ledger(folder, &ledger);
	assert_true(scaph_ledger_take(&ledger, uuid, &tally) >= 0);
	scaph_ledger_close(&ledger);
	assert_true(tally.package.total_units == (unsigned __int128)tally.cpu_ns << 64);
	return tally.cpu_ns;
}

static uint64_t host_left(const struct folder *folder)
{
	struct scaph_host_tally tally;
	struct scaph_ledger ledger;

	open_ledger(folder, &ledger);
	scaph_ledger_load_host(&ledger, &tally);
	scaph_ledger_close(&ledger);
	return tally.busy_ns;
}

static void store_all(struct scaph_ledger *ledger, int slot_a, int slot_b, uint64_t number)
{
	struct scaph_tally tally = tally_of(number);
	struct scaph_host_tally host = { .busy_ns = number };

	scaph_ledger_store(ledger, slot_a, &tally);
	scaph_ledger_store(ledger, slot_b, &tally);
	scaph_ledger_store_host(ledger, &host);
}

static void goes_on(void **state)
{
	struct folder folder = new_folder();
	struct scaph_ledger ledger;
	struct scaph_tally tally;
	int slot_a, slot_b;

	open_ledger(&folder, &ledger);
	slot_a = scaph_ledger_take(&ledger, a, &tally);
	assert_int_equal(tally.cpu_ns, 0);
	slot_b = scaph_ledger_take(&ledger, b, &tally);
	assert_int_not_equal(slot_a, slot_b);
	for (uint64_t number = 1; number <= 5; number++) {
		store_all(&ledger, slot_a, slot_b, number);
		scaph_ledger_commit(&ledger);
	}
	/* No close: a killed daemon does not either. */
	assert_int_equal(left(&folder, a), 5);
	assert_int_equal(left(&folder, b), 5);
	assert_int_equal(host_left(&folder), 5);
	scaph_ledger_close(&ledger);
	remove_folder(&folder);
}

/* A window of which some or all tallies were stored, but that was not made to count. */
static void half_a_window(void **state)
{
	for (int stored = 0; stored <= 3; stored++) {
		struct folder folder = new_folder();
		struct scaph_host_tally host = { .busy_ns = 9 };
		struct scaph_tally tally, nine = tally_of(9);
		struct scaph_ledger ledger;
		int slot_a, slot_b;

		open_ledger(&folder, &ledger);
		slot_a = scaph_ledger_take(&ledger, a, &tally);
		slot_b = scaph_ledger_take(&ledger, b, &tally);
		store_all(&ledger, slot_a, slot_b, 7);
		scaph_ledger_commit(&ledger);
		if (stored > 0)
			scaph_ledger_store(&ledger, slot_a, &nine);
		if (stored > 1)
			scaph_ledger_store(&ledger, slot_b, &nine);
		if (stored > 2)
			scaph_ledger_store_host(&ledger, &host);
		scaph_ledger_close(&ledger);
		assert_int_equal(left(&folder, a), 7);
		assert_int_equal(left(&folder, b), 7);
		assert_int_equal(host_left(&folder), 7);
		/* Killed a second time in the same window: the copy that counts is not written over. */
		open_ledger(&folder, &ledger);
		slot_a = scaph_ledger_take(&ledger, a, &tally);
		scaph_ledger_store(&ledger, slot_a, &nine);
		scaph_ledger_close(&ledger);
		assert_int_equal(left(&folder, a), 7);
		/* And then it goes on. */
		open_ledger(&folder, &ledger);
		slot_a = scaph_ledger_take(&ledger, a, &tally);
		scaph_ledger_store(&ledger, slot_a, &nine);
		scaph_ledger_commit(&ledger);
		scaph_ledger_close(&ledger);
		assert_int_equal(left(&folder, a), 9);
		assert_int_equal(left(&folder, b), 7);
		remove_folder(&folder);
	}
}

/* A copy that was torn is none. */
static void torn(void **state)
{
	struct folder folder = new_folder();
	struct scaph_ledger ledger;
	uint8_t before[512], *bytes;
	struct scaph_tally tally;
	int slot, wrong = 0;

	open_ledger(&folder, &ledger);
	slot = scaph_ledger_take(&ledger, a, &tally);
	for (uint64_t number = 1; number <= 2; number++) {
		tally = tally_of(number);
		scaph_ledger_store(&ledger, slot, &tally);
		scaph_ledger_commit(&ledger);
	}
	/* Every byte of the slot behind the name, one after the other. */
	bytes = (uint8_t *)ledger.map + 2 * 4096 + (size_t)slot * 512;
	memcpy(before, bytes, sizeof(before));
	for (size_t at = 32; at < sizeof(before); at++) {
		uint64_t found;

		bytes[at] ^= 0x5a;
		found = left(&folder, a);
		wrong += found != 1 && found != 2;
		memcpy(bytes, before, sizeof(before));
	}
	assert_int_equal(wrong, 0);
	scaph_ledger_close(&ledger);
	remove_folder(&folder);
}

static void forgets(void **state)
{
	struct folder folder = new_folder();
	struct scaph_tally tally, seven = tally_of(7);
	struct scaph_ledger ledger;
	int slot;

	open_ledger(&folder, &ledger);
	slot = scaph_ledger_take(&ledger, a, &tally);
	scaph_ledger_store(&ledger, slot, &seven);
	scaph_ledger_commit(&ledger);
	/* It runs: another life has not begun. */
	scaph_ledger_forget(&ledger, a);
	scaph_ledger_give_back(&ledger, slot);
	assert_int_equal(scaph_ledger_take(&ledger, a, &tally), slot);
	assert_int_equal(tally.cpu_ns, 7);
	scaph_ledger_give_back(&ledger, slot);
	scaph_ledger_forget(&ledger, a);
	scaph_ledger_take(&ledger, a, &tally);
	assert_int_equal(tally.cpu_ns, 0);
	scaph_ledger_close(&ledger);
	remove_folder(&folder);
}

/* More domains than there are slots: whoever has not run for the longest makes room, none that runs. */
static void makes_room(void **state)
{
	struct folder folder = new_folder();
	struct scaph_ledger ledger;
	struct scaph_tally tally;

	open_ledger(&folder, &ledger);
	for (uint32_t i = 0; i < SCAPH_LEDGER_DOMAINS_MAX; i++) {
		uint8_t uuid[SCAPH_UUID_BYTES] = { 9, (uint8_t)i, (uint8_t)(i >> 8) };

		assert_int_equal(scaph_ledger_take(&ledger, uuid, &tally), i);
	}
	assert_int_equal(scaph_ledger_take(&ledger, a, &tally), -ENOSPC);
	scaph_ledger_give_back(&ledger, 17);
	scaph_ledger_give_back(&ledger, 5);
	assert_int_equal(scaph_ledger_take(&ledger, a, &tally), 5);
	assert_int_equal(scaph_ledger_take(&ledger, b, &tally), 17);
	scaph_ledger_close(&ledger);
	remove_folder(&folder);
}

/* Whatever lies there: begun anew, or refused; never believed. */
static void not_ours(void **state)
{
	struct folder folder = new_folder();
	struct scaph_ledger ledger;
	int fd;

	fd = openat(folder.fd, SCAPH_LEDGER_FILE, O_RDWR | O_CREAT, 0600);
	assert_int_equal(write(fd, "nonsense", 8), 8);
	close(fd);
	assert_int_equal(left(&folder, a), 0);
	/* Another boot. */
	open_ledger(&folder, &ledger);
	((char *)ledger.map)[24] ^= 1;
	scaph_ledger_close(&ledger);
	assert_int_equal(left(&folder, a), 0);
	unlinkat(folder.fd, SCAPH_LEDGER_FILE, 0);
	assert_int_equal(symlinkat("/etc/passwd", folder.fd, SCAPH_LEDGER_FILE), 0);
	assert_true(scaph_ledger_open(folder.fd, folder.path, &ledger) < 0);
	unlinkat(folder.fd, SCAPH_LEDGER_FILE, 0);
	assert_int_equal(mkdirat(folder.fd, SCAPH_LEDGER_FILE, 0700), 0);
	assert_true(scaph_ledger_open(folder.fd, folder.path, &ledger) < 0);
	unlinkat(folder.fd, SCAPH_LEDGER_FILE, AT_REMOVEDIR);
	remove_folder(&folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_on),    cmocka_unit_test(half_a_window),
		cmocka_unit_test(torn),	      cmocka_unit_test(forgets),
		cmocka_unit_test(makes_room), cmocka_unit_test(not_ours),
	};

	/* Refusals are wanted here: they need not be read. */
	if (!freopen("/dev/null", "w", stderr))
		return EXIT_FAILURE;
	return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
