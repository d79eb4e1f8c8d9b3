/* SPDX-License-Identifier: Apache-2.0 */
/*
 * discovery.c - what is there now against what was there at the look before
 *
 * Entries of both are by PID. One whose process is the same as before is read again only now and then,
 * when it is told again too: whoever could not be let in then may be let in now.
 */
#include "producer/domain/discovery.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "producer/domain/discovery_twins.h"
#include "producer/domain/discovery_users.h"
#include "producer/domain/domain.h"
#include "producer/domain/passed_over.h"
#include "producer/process/clock.h"
#include "producer/process/log.h"
#include "producer/process/privilege.h"
#include "producer/process/thread.h"
#include "proto/names.h"

#define PERIOD_NS (2 * SCAPH_NS_PER_S)
#define LOOKS_A_TURN 16U /* of which one reads and tells a known machine again */
#define AGE_NS SCAPH_NS_PER_S
#define STRANGERS_SAID_MAX 16U /* anybody may start as many as he likes */

struct scaph_discovery {
	const struct scaph_config *config;
	struct scaph_hypervisor_listener listener;
	struct scaph_qemu_users users;
	int proc_fd;
	struct scaph_discovery_entries before, now;
	struct scaph_passed_over passed_over;
	bool blind_said, memory_said;
	uint32_t strangers_said;

	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t wake;
	bool stop;
};

static int by_pid(const void *a, const void *b)
{
	const struct scaph_discovery_entry *one = a, *other = b;

	return (one->find.pid > other->find.pid) - (one->find.pid < other->find.pid);
}

static struct scaph_discovery_entry *add(struct scaph_discovery *disco)
{
	struct scaph_discovery_entries *now = &disco->now;

	if (now->count == now->room) {
		size_t room = now->room ? 2 * now->room : 64;
		struct scaph_discovery_entry *grown = reallocarray(now->at, room, sizeof(*grown));

		if (!grown) {
			if (!disco->memory_said)
				scaph_warning("--discover: out of memory: not all machines are "
					      "found");
			disco->memory_said = true;
			return NULL;
		}
		now->at = grown;
		now->room = room;
	}
	now->at[now->count] = (struct scaph_discovery_entry){};
	return &now->at[now->count++];
}

/* The same process as at the look before, or NULL. */
static const struct scaph_discovery_entry *known(const struct scaph_discovery *disco,
						 const char *pid)
{
	struct scaph_discovery_entry key = { .find.pid = (pid_t)strtol(pid, NULL, 10) };
	const struct scaph_discovery_entry *entry = NULL;
	uint64_t birth;

	if (disco->before.count)
		entry = bsearch(&key, disco->before.at, disco->before.count, sizeof(key), by_pid);
	if (!entry || scaph_qemu_look_birth(disco->proc_fd, pid, &birth) ||
	    birth != entry->find.birth_ticks)
		return NULL;
	return entry;
}

static bool is_due(const struct scaph_discovery_entry *entry)
{
	return (entry->looks + (uint32_t)entry->find.pid) % LOOKS_A_TURN == 0;
}

/* Whether it can be called anything: QEMUs that are asked what they can do have neither. */
static bool has_identity(const struct scaph_discovery_entry *entry)
{
	return entry->find.argv.has_uuid || entry->find.argv.name[0];
}

static void say_stranger(struct scaph_discovery *disco, struct scaph_discovery_entry *entry)
{
	if (entry->stranger_said || disco->strangers_said > STRANGERS_SAID_MAX)
		return;
	entry->stranger_said = true;
	if (disco->strangers_said++ == STRANGERS_SAID_MAX)
		scaph_info("--discover: there are more QEMUs of users who are not trusted; no more "
			   "of them are named");
	else
		scaph_info("--discover: process %d is a QEMU of user %u, who is not trusted to "
			   "say which machine it is; --discover-user %u takes it",
			   (int)entry->find.pid, (unsigned int)entry->find.user,
			   (unsigned int)entry->find.user);
}

static void see(struct scaph_discovery *disco, const char *pid)
{
	const struct scaph_discovery_entry *before = known(disco, pid);
	struct scaph_discovery_entry entry = before ? *before : (struct scaph_discovery_entry){},
				     *slot;

	entry.looks++;
	entry.twin = false;
	if (!before || !before->told || is_due(&entry)) {
		if (scaph_qemu_look(disco->proc_fd, pid, &disco->users, disco->config->shm_dir,
				    &entry.find))
			return;
		if (entry.find.argv.has_uuid)
			memcpy(entry.uuid, entry.find.argv.uuid, sizeof(entry.uuid));
		else
			scaph_domain_derive_uuid(entry.find.argv.name, entry.find.birth_ticks,
						 entry.uuid);
	}
	if (!entry.find.trusted)
		say_stranger(disco, &entry);
	else if (!has_identity(&entry))
		return;
	slot = add(disco);
	if (slot)
		*slot = entry;
}

static void say_blind(struct scaph_discovery *disco, const char *pid)
{
	if (disco->blind_said || !scaph_qemu_look_seems(disco->proc_fd, pid))
		return;
	scaph_warning("--discover: the executable of process %s may not be known, and it may be a "
		      "machine: start scaphd as root with CAP_SYS_PTRACE",
		      pid);
	disco->blind_said = true;
}

static void ask(struct scaph_discovery *disco, const char *pid)
{
	pid_t number = (pid_t)strtol(pid, NULL, 10);
	int is;

	if (scaph_passed_over_skip(&disco->passed_over, number))
		return;
	is = scaph_qemu_look_is(disco->proc_fd, pid);
	if (is > 0) {
		see(disco, pid);
		return;
	}
	if (is < 0)
		say_blind(disco, pid);
	scaph_passed_over_note(&disco->passed_over, number);
}

static bool gather(struct scaph_discovery *disco)
{
	int fd = openat(disco->proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *process;

	if (!folder) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	scaph_passed_over_begin(&disco->passed_over);
	while ((process = readdir(folder))) {
		if (process->d_name[0] >= '1' && process->d_name[0] <= '9')
			ask(disco, process->d_name);
	}
	closedir(folder);
	return true;
}

static void tell_gone(struct scaph_discovery *disco, const struct scaph_discovery_entry *entry)
{
	disco->listener.stopped(disco->listener.context, entry->uuid);
	/* A derived UUID is that of this process alone. */
	if (!entry->find.argv.has_uuid)
		disco->listener.undefined(disco->listener.context, entry->uuid);
}

static bool is_young(const struct scaph_discovery_entry *entry)
{
	uint64_t tick_ns = SCAPH_NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);

	return scaph_clock_ns(CLOCK_BOOTTIME) < entry->find.birth_ticks * tick_ns + AGE_NS;
}

static void tell_running(struct scaph_discovery *disco, const struct scaph_discovery_entry *entry)
{
	const struct scaph_qemu_argv *argv = &entry->find.argv;
	struct scaph_sighting sighting = {
		.pid = entry->find.pid,
		.vcpus = argv->vcpus,
		.ivshmem = argv->shmem || argv->pve_shmem,
		.discovered = true,
		.derived = !argv->has_uuid,
		.pve_shmem = !argv->shmem && argv->pve_shmem,
		/* Proxmox's names are not unique, and a tenant may choose them. */
		.uuid_alone = argv->has_uuid && (argv->vmid || argv->name_cut || !argv->name[0]),
		.birth_ticks = entry->find.birth_ticks,
	};

	memcpy(sighting.uuid, entry->uuid, sizeof(sighting.uuid));
	if (argv->name[0])
		snprintf(sighting.name, sizeof(sighting.name), "%s", argv->name);
	else
		scaph_uuid_format(entry->uuid, sighting.name);
	disco->listener.running(disco->listener.context, &sighting);
}

/* First who went, then who came: a UUID may have gone over to another process. */
static void tell_changes(struct scaph_discovery *disco)
{
	struct scaph_discovery_entries *before = &disco->before, *now = &disco->now;

	if (now->count)
		qsort(now->at, now->count, sizeof(*now->at), by_pid);
	for (size_t i = 0; i < before->count; i++) {
		const struct scaph_discovery_entry *was = &before->at[i];
		struct scaph_discovery_entry *is =
			now->count ? bsearch(was, now->at, now->count, sizeof(*was), by_pid) : NULL;

		if (!was->told)
			continue;
		if (is && is->told && !is->twin &&
		    memcmp(is->uuid, was->uuid, sizeof(is->uuid)) == 0)
			continue;
		tell_gone(disco, was);
		if (is)
			is->told = false;
	}
	for (size_t i = 0; i < now->count; i++) {
		struct scaph_discovery_entry *entry = &now->at[i];

		if (!entry->find.trusted || entry->twin ||
		    (entry->told ? !is_due(entry) : is_young(entry)))
			continue;
		tell_running(disco, entry);
		entry->told = true;
	}
}

void scaph_discovery_look(struct scaph_discovery *disco)
{
	struct scaph_discovery_entries spare = disco->before;

	disco->now.count = 0;
	if (!gather(disco))
		return;
	scaph_discovery_find_twins(&disco->now, disco->config->qemu_server_dir);
	tell_changes(disco);
	disco->before = disco->now;
	disco->now = spare;
}

static bool sleep_until(struct scaph_discovery *disco, uint64_t due_ns)
{
	struct timespec until = { .tv_sec = (time_t)(due_ns / SCAPH_NS_PER_S),
				  .tv_nsec = (long)(due_ns % SCAPH_NS_PER_S) };
	bool stop;

	pthread_mutex_lock(&disco->lock);
	while (!disco->stop &&
	       pthread_cond_clockwait(&disco->wake, &disco->lock, CLOCK_MONOTONIC, &until) == 0)
		;
	stop = disco->stop;
	pthread_mutex_unlock(&disco->lock);
	return !stop;
}

static void *run(void *argument)
{
	struct scaph_discovery *disco = argument;
	bool go_on = true;

	while (go_on) {
		scaph_discovery_look(disco);
		go_on = sleep_until(disco, scaph_clock_ns(CLOCK_MONOTONIC) + PERIOD_NS);
	}
	return NULL;
}

int scaph_discovery_start(struct scaph_discovery *disco)
{
	int r = scaph_thread_start_with(&disco->thread, "scaph-discover", run, disco,
					SCAPH_KEEP_LOOKING);

	disco->started = r == 0;
	return r;
}

int scaph_discovery_open(const struct scaph_config *config,
			 const struct scaph_hypervisor_listener *listener,
			 struct scaph_discovery **ret_discovery)
{
	struct scaph_discovery *disco = calloc(1, sizeof(*disco));
	int r;

	if (!disco)
		return -ENOMEM;
	disco->config = config;
	disco->listener = *listener;
	pthread_mutex_init(&disco->lock, NULL);
	pthread_cond_init(&disco->wake, NULL);
	disco->proc_fd = open(config->procfs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = disco->proc_fd < 0 ? -errno : 0;
	if (r)
		scaph_error("%s: %s; give --procfs the folder where proc is mounted",
			    config->procfs, strerror(-r));
	if (r == 0)
		r = scaph_discovery_users(config, &disco->users);
	if (r) {
		scaph_discovery_close(disco);
		return r;
	}
	*ret_discovery = disco;
	return 0;
}

void scaph_discovery_close(struct scaph_discovery *disco)
{
	if (!disco)
		return;
	if (disco->started) {
		pthread_mutex_lock(&disco->lock);
		disco->stop = true;
		pthread_cond_signal(&disco->wake);
		pthread_mutex_unlock(&disco->lock);
		pthread_join(disco->thread, NULL);
	}
	if (disco->proc_fd >= 0)
		close(disco->proc_fd);
	pthread_cond_destroy(&disco->wake);
	pthread_mutex_destroy(&disco->lock);
	free(disco->users.user);
	free(disco->before.at);
	free(disco->now.at);
	scaph_passed_over_deinit(&disco->passed_over);
	free(disco);
}
