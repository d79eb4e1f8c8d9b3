/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lifecycle_test.c - letters of the hypervisor against a real table, ledger and folders
 *
 * Processes are real ones with the words of a QEMU behind them; the publisher is there and not started.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "producer/domain/share.h"
#include "producer/process/birth.h"
#include "producer/process/clock.h"
#include "producer/publish/lifecycle.h"
#include "producer/publish/window.h"
#include "proto/names.h"

#define UUID "12345678-9abc-def0-1234-56789abcdef0"

static const struct scaph_source_ops source_ops = { .name = "none" };
static const struct scaph_meter_ops meter_ops = { .name = "none" };

struct host {
	char folder[64], share_root[96], host_dir[96], state_dir[96];
	struct scaph_config config;
	struct scaph_source source;
	struct scaph_meter meter;
	struct scaph_publication_terms terms;
	int state_fd;
	struct scaph_ledger ledger;
	struct scaph_publisher publisher;
	struct scaph_admission admission;
	struct scaph_mailbox mailbox;
	struct scaph_hypervisor_listener listener;
};

static void open_folders(struct host *host)
{
	snprintf(host->folder, sizeof(host->folder), "/tmp/scaph-lifecycle-XXXXXX");
	assert_non_null(mkdtemp(host->folder));
	snprintf(host->share_root, sizeof(host->share_root), "%s/shares", host->folder);
	snprintf(host->host_dir, sizeof(host->host_dir), "%s/host", host->folder);
	snprintf(host->state_dir, sizeof(host->state_dir), "%s/state", host->folder);
	assert_int_equal(mkdir(host->share_root, 0755), 0);
	host->config = (struct scaph_config){
		.share_root = host->share_root,
		.host_dir = host->host_dir,
		.state_dir = host->state_dir,
		.profile_dir = host->state_dir,
		.allow_plain_dir = true,
		.log_level = SCAPH_LOG_INFO,
	};
	host->terms = (struct scaph_publication_terms){
		.config = &host->config,
		.source = &host->source,
		.meter = &host->meter,
		.window_ns = 20 * SCAPH_NS_PER_MS,
		.group = SCAPH_SEGMENT_KEEP_GROUP,
		.root_fd = scaph_share_open_root(&host->config),
		.host_fd = scaph_share_open_host(&host->config, false),
		.shm_fd = -1,
	};
	host->state_fd = scaph_share_open_state(&host->config, false);
	assert_true(host->terms.root_fd >= 0 && host->terms.host_fd >= 0 && host->state_fd >= 0);
}

static int set_up(void **state)
{
	struct host *host = calloc(1, sizeof(*host));
	struct scaph_publisher_parts parts = {
		.terms = &host->terms,
		.meter = &host->meter,
		.table = scaph_table_new(),
		.ledger = &host->ledger,
		.cpus = 1,
	};

	host->source.ops = &source_ops;
	host->meter.ops = &meter_ops;
	open_folders(host);
	assert_int_equal(scaph_ledger_open(host->state_fd, host->state_dir, &host->ledger), 0);
	assert_int_equal(scaph_publisher_init(&host->publisher, &parts), 0);
	assert_int_equal(scaph_mailbox_init(&host->mailbox), 0);
	host->listener = scaph_mailbox_listener(&host->mailbox);
	host->admission = (struct scaph_admission){
		.terms = &host->terms,
		.table = parts.table,
		.ledger = &host->ledger,
		.publisher = &host->publisher,
		.epoll_fd = epoll_create1(EPOLL_CLOEXEC),
		.running = true,
	};
	*state = host;
	return 0;
}

static int tear_down(void **state)
{
	struct host *host = *state;
	char command[128];

	scaph_admission_clear(&host->admission);
	scaph_publication_close(&host->publisher.host, host->terms.host_fd);
	scaph_publisher_deinit(&host->publisher);
	scaph_table_free(host->admission.table);
	scaph_ledger_close(&host->ledger);
	scaph_mailbox_deinit(&host->mailbox);
	close(host->admission.epoll_fd);
	close(host->terms.root_fd);
	close(host->terms.host_fd);
	close(host->state_fd);
	snprintf(command, sizeof(command), "rm -rf %s", host->folder);
	assert_int_equal(system(command), 0);
	free(host);
	return 0;
}

/* A process that stands still, with two more words in its command line. It does not outlive the test. */
static pid_t start(const char *word, const char *uuid)
{
	pid_t pid = fork();
	char path[64], line[64] = "";

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl("/bin/sh", "qemu", "-c", "kill -STOP $$", word, uuid, NULL);
		_exit(127);
	}
	assert_true(pid > 0);
	/* Until then its words are ours. */
	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	while (strcmp(line, "qemu") != 0) {
		FILE *file = fopen(path, "re");

		assert_non_null(file);
		if (!fgets(line, sizeof(line), file))
			line[0] = '\0';
		fclose(file);
	}
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static struct scaph_sighting sighting_of(pid_t pid)
{
	struct scaph_sighting sighting = { .name = "guest", .pid = pid, .vcpus = 1 };

	assert_int_equal(scaph_uuid_parse(UUID, sighting.uuid), 0);
	return sighting;
}

static void tell_running(struct host *host, pid_t pid)
{
	struct scaph_sighting sighting = sighting_of(pid);

	host->listener.running(host->listener.context, &sighting);
	scaph_lifecycle_act(&host->admission, &host->mailbox);
}

static uint32_t entries(const struct host *host)
{
	const struct scaph_entry *entry = scaph_table_first(host->admission.table);
	uint32_t count = 0;

	for (; entry; entry = scaph_table_next(host->admission.table, entry))
		count++;
	return count;
}

/* As --domain named=pid:PID does: under a UUID of its own making. */
static void name_process(struct host *host, pid_t pid)
{
	char text[64], origin[] = "--domain";
	struct scaph_config_item item = { .text = text, .origin = origin };
	struct scaph_domain domain;

	snprintf(text, sizeof(text), "named=pid:%d", (int)pid);
	assert_int_equal(scaph_domain_open(&host->config, &item, &domain), 0);
	assert_int_equal(scaph_admission_enter(&host->admission, &domain, false), 0);
}

static void test_enters(void **state)
{
	struct host *host = *state;
	pid_t pid = start("-uuid", UUID);

	tell_running(host, pid);
	assert_int_equal(entries(host), 1);
	tell_running(host, pid);
	assert_int_equal(entries(host), 1);
	end(pid);
}

/* Its number was given to another process since it was seen. */
static void test_reused(void **state)
{
	struct host *host = *state;
	pid_t other = start("-uuid", "12345678-9abc-def0-1234-56789abcdef1");
	pid_t unlike = start("-name", UUID);

	tell_running(host, other);
	assert_int_equal(entries(host), 0);
	tell_running(host, unlike);
	assert_int_equal(entries(host), 0);
	end(other);
	end(unlike);
}

static int next_descriptor(void)
{
	int fd = dup(STDERR_FILENO);

	close(fd);
	return fd;
}

/* A domain that comes and goes leaves no descriptor behind. */
static void test_thousand_lives(void **state)
{
	struct host *host = *state;
	pid_t pid = start("-uuid", UUID);
	struct scaph_sighting sighting = sighting_of(pid);
	char share[192];
	int before = next_descriptor();

	snprintf(share, sizeof(share), "%s/" UUID, host->share_root);
	assert_int_equal(mkdir(share, 0755), 0);
	for (int life = 0; life < 1000; life++) {
		tell_running(host, pid);
		assert_int_equal(entries(host), 1);
		host->listener.stopped(host->listener.context, sighting.uuid);
		scaph_lifecycle_act(&host->admission, &host->mailbox);
		assert_int_equal(entries(host), 0);
	}
	assert_int_equal(next_descriptor(), before);
	end(pid);
}

static bool has_share(const struct host *host)
{
	const struct scaph_entry *entry = scaph_table_first(host->admission.table);

	return scaph_publication_has(&entry->publication, SCAPH_OUTLET_SHARE);
}

/* A share that is let go of stays so until it is asked for, or another stands there, or the domain starts anew. */
static void test_released(void **state)
{
	struct host *host = *state;
	pid_t pid = start("-uuid", UUID);
	struct scaph_sighting sighting = sighting_of(pid);
	char share[192], other[192];

	snprintf(share, sizeof(share), "%s/" UUID, host->share_root);
	snprintf(other, sizeof(other), "%s/other", host->share_root);
	assert_int_equal(mkdir(share, 0755), 0);
	assert_int_equal(scaph_admission_release(&host->admission, sighting.uuid), 0);
	tell_running(host, pid);
	assert_true(has_share(host));
	for (int turn = 0; turn < 2; turn++) {
		assert_int_equal(scaph_admission_release(&host->admission, sighting.uuid), 0);
		assert_int_equal(entries(host), 1);
		assert_false(has_share(host));
		scaph_admission_look_at_shares(&host->admission);
		tell_running(host, pid);
		assert_false(has_share(host));
	}
	assert_int_equal(scaph_admission_reopen(&host->admission, sighting.uuid), 0);
	assert_true(has_share(host));
	assert_int_equal(scaph_admission_release(&host->admission, sighting.uuid), 0);
	assert_int_equal(rename(share, other), 0);
	scaph_admission_look_at_shares(&host->admission);
	assert_false(has_share(host));
	assert_int_equal(mkdir(share, 0755), 0);
	scaph_admission_look_at_shares(&host->admission);
	assert_true(has_share(host));
	assert_int_equal(scaph_admission_release(&host->admission, sighting.uuid), 0);
	host->listener.stopped(host->listener.context, sighting.uuid);
	tell_running(host, pid);
	assert_true(has_share(host));
	end(pid);
}

/* A device that is plugged out is no reason to open a share again that was let go of; one that comes is. */
static void test_released_and_plugged(void **state)
{
	struct host *host = *state;
	pid_t pid = start("-uuid", UUID);
	struct scaph_sighting sighting = sighting_of(pid);
	char share[192];

	snprintf(share, sizeof(share), "%s/" UUID, host->share_root);
	assert_int_equal(mkdir(share, 0755), 0);
	sighting.ivshmem = true;
	host->listener.running(host->listener.context, &sighting);
	scaph_lifecycle_act(&host->admission, &host->mailbox);
	assert_true(has_share(host));
	assert_int_equal(scaph_admission_release(&host->admission, sighting.uuid), 0);
	sighting.ivshmem = false;
	host->listener.running(host->listener.context, &sighting);
	scaph_lifecycle_act(&host->admission, &host->mailbox);
	assert_int_equal(entries(host), 1);
	assert_false(scaph_table_first(host->admission.table)->domain.ivshmem);
	assert_false(has_share(host));
	scaph_admission_look_at_shares(&host->admission);
	assert_false(has_share(host));
	sighting.ivshmem = true;
	host->listener.running(host->listener.context, &sighting);
	scaph_lifecycle_act(&host->admission, &host->mailbox);
	assert_int_equal(entries(host), 1);
	assert_true(has_share(host));
	end(pid);
}

/* Not having a descriptor left is no reason to say that a process is gone. */
static void test_no_descriptors(void **state)
{
	struct rlimit limit, none;
	struct scaph_domain domain;
	pid_t pid = start("-uuid", UUID);
	struct scaph_sighting sighting = sighting_of(pid);

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	for (rlim_t spare = 0; spare < 2; spare++) {
		none = (struct rlimit){ (rlim_t)next_descriptor() + spare, limit.rlim_max };
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
		assert_int_equal(scaph_domain_from_sighting(&sighting, &domain), -EMFILE);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	}
	assert_int_equal(scaph_domain_from_sighting(&sighting, &domain), 0);
	scaph_domain_close(&domain);
	end(pid);
}

/* One process, one account: its CPU time must not be counted for two domains. */
static void test_named_and_seen(void **state)
{
	struct host *host = *state;
	pid_t pid = start("-uuid", UUID);

	name_process(host, pid);
	tell_running(host, pid);
	assert_int_equal(entries(host), 1);
	assert_false(scaph_table_first(host->admission.table)->domain.hypervisor);
	end(pid);
}

/* What was named has ended, and its number is another's: it stands in nobody's way. */
static void test_named_and_ended(void **state)
{
	struct host *host = *state;
	pid_t pid = start("-uuid", UUID);

	name_process(host, pid);
	kill(pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)pid, &(siginfo_t){}, WEXITED | WNOWAIT), 0);
	tell_running(host, pid);
	assert_int_equal(entries(host), 0);
	end(pid);
}

static struct scaph_sighting discovery_of(pid_t pid)
{
	struct scaph_sighting sighting = sighting_of(pid);

	sighting.discovered = true;
	assert_int_equal(scaph_birth_ticks(pid, &sighting.birth_ticks), 0);
	return sighting;
}

static void tell_discovered(struct host *host, const struct scaph_sighting *sighting)
{
	struct scaph_hypervisor_listener listener =
		scaph_mailbox_discovery_listener(&host->mailbox);

	listener.running(listener.context, sighting);
	scaph_lifecycle_act(&host->admission, &host->mailbox);
}

static void tell_lost(struct host *host, const struct scaph_sighting *sighting)
{
	struct scaph_hypervisor_listener listener =
		scaph_mailbox_discovery_listener(&host->mailbox);

	listener.stopped(listener.context, sighting->uuid);
	scaph_lifecycle_act(&host->admission, &host->mailbox);
}

static const struct scaph_domain *only(const struct host *host)
{
	assert_int_equal(entries(host), 1);
	return &scaph_table_first(host->admission.table)->domain;
}

/* Found in /proc and told by libvirt, in either order: counted once, and libvirt has the last word. */
static void test_found_and_told(void **state)
{
	struct host *host = *state;
	pid_t pid = start("-uuid", UUID);
	struct scaph_sighting found = discovery_of(pid);

	tell_discovered(host, &found);
	assert_true(only(host)->discovered);
	tell_discovered(host, &found);
	tell_running(host, pid);
	assert_false(only(host)->discovered);
	tell_lost(host, &found);
	assert_int_equal(entries(host), 1);
	host->listener.stopped(host->listener.context, found.uuid);
	scaph_lifecycle_act(&host->admission, &host->mailbox);
	assert_int_equal(entries(host), 0);
	tell_running(host, pid);
	tell_discovered(host, &found);
	assert_false(only(host)->discovered);
	/* The same process under another UUID. */
	found.uuid[0] ^= 1;
	tell_discovered(host, &found);
	assert_memory_equal(only(host)->uuid, sighting_of(pid).uuid, SCAPH_UUID_BYTES);
	end(pid);
}

/* Whom libvirt tells of under another UUID than it was found by is the same machine. */
static void test_found_as_another(void **state)
{
	struct host *host = *state;
	pid_t pid = start("-uuid", UUID);
	struct scaph_sighting found = discovery_of(pid);

	found.uuid[0] ^= 1;
	tell_discovered(host, &found);
	tell_running(host, pid);
	assert_memory_equal(only(host)->uuid, sighting_of(pid).uuid, SCAPH_UUID_BYTES);
	end(pid);
}

/* libvirt's list is of its own domains; a process that only says another's UUID takes nothing from it. */
static void test_found_alone(void **state)
{
	struct host *host = *state;
	pid_t pid = start("-uuid", UUID), other = start("-uuid", UUID);
	struct scaph_sighting found = discovery_of(pid), liar = discovery_of(other);

	tell_discovered(host, &found);
	host->listener.listed(host->listener.context, NULL, 0, 0);
	scaph_lifecycle_act(&host->admission, &host->mailbox);
	assert_int_equal(only(host)->pid, pid);
	tell_running(host, pid);
	tell_discovered(host, &liar);
	assert_int_equal(only(host)->pid, pid);
	tell_lost(host, &liar);
	assert_int_equal(only(host)->pid, pid);
	host->listener.listed(host->listener.context, NULL, 0, 0);
	scaph_lifecycle_act(&host->admission, &host->mailbox);
	assert_int_equal(entries(host), 0);
	end(pid);
	end(other);
}

/* One process, one account, also where another one says that it has its UUID. */
static void test_named_and_claimed(void **state)
{
	struct host *host = *state;
	pid_t pid = start("-uuid", UUID), other = start("-uuid", UUID);
	struct scaph_sighting liar = discovery_of(other);

	name_process(host, pid);
	tell_discovered(host, &liar);
	assert_int_equal(entries(host), 2);
	tell_running(host, pid);
	assert_int_equal(only(host)->pid, pid);
	assert_false(only(host)->hypervisor);
	end(pid);
	end(other);
}

/* The same where neither was named: libvirt's word goes before what both of them say. */
static void test_found_and_claimed(void **state)
{
	struct host *host = *state;
	pid_t pid = start("-uuid", UUID), other = start("-uuid", UUID);
	struct scaph_sighting found = discovery_of(pid), liar = discovery_of(other);

	found.uuid[0] ^= 1;
	tell_discovered(host, &found);
	tell_discovered(host, &liar);
	assert_int_equal(entries(host), 2);
	tell_running(host, pid);
	assert_int_equal(only(host)->pid, pid);
	assert_memory_equal(only(host)->uuid, liar.uuid, SCAPH_UUID_BYTES);
	end(pid);
	end(other);
}

/* Its number was given to another process since it was found; and what --domain names stays so. */
static void test_found_too_late(void **state)
{
	struct host *host = *state;
	pid_t pid = start("-uuid", UUID);
	struct scaph_sighting found = discovery_of(pid);

	found.birth_ticks--;
	tell_discovered(host, &found);
	assert_int_equal(entries(host), 0);
	name_process(host, pid);
	found.birth_ticks++;
	tell_discovered(host, &found);
	assert_false(only(host)->hypervisor);
	end(pid);
}

/* A name that tenants choose, or that was cut, finds no folder. */
static void test_found_by_uuid_alone(void **state)
{
	struct host *host = *state;
	pid_t pid = start("-uuid", UUID);
	struct scaph_sighting found = discovery_of(pid);
	char share[192];

	snprintf(share, sizeof(share), "%s/guest", host->share_root);
	assert_int_equal(mkdir(share, 0755), 0);
	found.uuid_alone = true;
	tell_discovered(host, &found);
	assert_false(has_share(host));
	tell_lost(host, &found);
	found.uuid_alone = false;
	tell_discovered(host, &found);
	assert_true(has_share(host));
	end(pid);
}

static bool has_letters(const struct host *host)
{
	struct pollfd wake = { .fd = host->mailbox.wake_fd, .events = POLLIN };

	return poll(&wake, 1, 0) > 0;
}

/* A thousand letters are no one turn of the main loop: others wait for theirs. All are acted on. */
static void test_many_letters(void **state)
{
	struct host *host = *state;
	pid_t pid = start("-uuid", UUID);
	struct scaph_sighting sighting = sighting_of(pid);
	unsigned int turns = 0;

	for (int i = 0; i < 1000; i++)
		host->listener.stopped(host->listener.context, sighting.uuid);
	host->listener.running(host->listener.context, &sighting);
	scaph_lifecycle_act(&host->admission, &host->mailbox);
	assert_true(has_letters(host));
	assert_int_equal(entries(host), 0);
	for (; has_letters(host); turns++) {
		assert_true(turns < 1000);
		scaph_lifecycle_act(&host->admission, &host->mailbox);
	}
	assert_true(turns > 1);
	assert_int_equal(entries(host), 1);
	end(pid);
}

/* It comes in between a tick's look at the clock and its look at the table: it waits for the next. */
static void test_within_a_tick(void **state)
{
	struct host *host = *state;
	uint64_t tick_ns = scaph_clock_ns(CLOCK_MONOTONIC);
	pid_t pid = start("-uuid", UUID);

	tell_running(host, pid);
	scaph_window_look(&host->publisher, tick_ns);
	assert_int_equal(host->publisher.count, 0);
	scaph_window_look(&host->publisher, scaph_clock_ns(CLOCK_MONOTONIC));
	assert_int_equal(host->publisher.count, 1);
	end(pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_enters, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_reused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_thousand_lives, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_released, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_released_and_plugged, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_descriptors, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_named_and_seen, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_named_and_ended, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_found_and_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_found_as_another, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_found_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_named_and_claimed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_found_and_claimed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_found_too_late, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_found_by_uuid_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many_letters, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_within_a_tick, set_up, tear_down),
	};

	scaph_log_set_level(SCAPH_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
