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

#include "producer/domain/discovery_users.h"
#include "producer/domain/domain.h"
#include "producer/domain/qemu_look.h"
#include "producer/process/clock.h"
#include "producer/process/log.h"
#include "producer/process/privilege.h"
#include "producer/process/thread.h"
#include "proto/names.h"

#define PERIOD_NS (2 * SCAPH_NS_PER_S)
#define LOOKS_A_TURN 16U /* of which one reads and tells a known machine again */
#define AGE_NS SCAPH_NS_PER_S
#define TWIN_LOOKS 3U /* one that has not been told is perhaps a parent that waits for its daemon */

struct entry {
	struct scaph_qemu_find find;
	uint8_t uuid[SCAPH_UUID_BYTES]; /* its own, or derived */
	uint32_t looks; /* since it was found */
	bool told, twin;
	bool stranger_said, twin_said;
	uint32_t twin_looks;
};

struct entries {
	struct entry *at;
	size_t count, room;
};

struct scaph_discovery {
	const struct scaph_config *config;
	struct scaph_hypervisor_listener listener;
	struct scaph_qemu_users users;
	int proc_fd;
	struct entries before, now;
	bool blind_said, memory_said;

	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t wake;
	bool stop;
};

static int by_pid(const void *a, const void *b)
{
	const struct entry *one = a, *other = b;

	return (one->find.pid > other->find.pid) - (one->find.pid < other->find.pid);
}

static int by_uuid(const void *a, const void *b)
{
	const struct entry *one = a, *other = b;
	int order = memcmp(one->uuid, other->uuid, sizeof(one->uuid));

	return order ? order : by_pid(a, b);
}

static struct entry *add(struct scaph_discovery *disco)
{
	struct entries *now = &disco->now;

	if (now->count == now->room) {
		size_t room = now->room ? 2 * now->room : 64;
		struct entry *grown = reallocarray(now->at, room, sizeof(*grown));

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
	now->at[now->count] = (struct entry){};
	return &now->at[now->count++];
}

/* The same process as at the look before, or NULL. */
static const struct entry *known(const struct scaph_discovery *disco, const char *pid)
{
	struct entry key = { .find.pid = (pid_t)strtol(pid, NULL, 10) };
	const struct entry *entry = NULL;
	uint64_t birth;

	if (disco->before.count)
		entry = bsearch(&key, disco->before.at, disco->before.count, sizeof(key), by_pid);
	if (!entry || scaph_qemu_look_birth(disco->proc_fd, pid, &birth) ||
	    birth != entry->find.birth_ticks)
		return NULL;
	return entry;
}

static bool is_due(const struct entry *entry)
{
	return (entry->looks + (uint32_t)entry->find.pid) % LOOKS_A_TURN == 0;
}

/* Whether it can be called anything: QEMUs that are asked what they can do have neither. */
static bool has_identity(const struct entry *entry)
{
	return entry->find.argv.has_uuid || entry->find.argv.name[0];
}

static void say_stranger(struct entry *entry)
{
	if (!entry->stranger_said)
		scaph_info("--discover: process %d is a QEMU of user %u, who is not trusted to "
			   "say which machine it is; --discover-user %u takes it",
			   (int)entry->find.pid, (unsigned int)entry->find.user,
			   (unsigned int)entry->find.user);
	entry->stranger_said = true;
}

static void see(struct scaph_discovery *disco, const char *pid)
{
	const struct entry *before = known(disco, pid);
	struct entry entry = before ? *before : (struct entry){}, *slot;

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
		say_stranger(&entry);
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

static bool gather(struct scaph_discovery *disco)
{
	int fd = openat(disco->proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *process;
	int is;

	if (!folder) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	while ((process = readdir(folder))) {
		if (process->d_name[0] < '1' || process->d_name[0] > '9')
			continue;
		is = scaph_qemu_look_is(disco->proc_fd, process->d_name);
		if (is > 0)
			see(disco, process->d_name);
		else if (is < 0)
			say_blind(disco, process->d_name);
	}
	closedir(folder);
	return true;
}

/* Proxmox writes the machine's process there, as root. */
static bool named_by_pid_file(const struct scaph_discovery *disco, const struct entry *entry)
{
	char path[4096];
	long pid = 0;
	FILE *file;

	if (!entry->find.argv.vmid)
		return false;
	snprintf(path, sizeof(path), "%s/%u.pid", disco->config->qemu_server_dir,
		 entry->find.argv.vmid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (fscanf(file, "%ld", &pid) != 1)
		pid = 0;
	fclose(file);
	return pid == entry->find.pid;
}

/* A fork that has not become another program yet. */
static bool is_child_of_one(const struct entry *child, const struct entry *first, size_t count)
{
	for (size_t i = 0; i < count && !child->find.argv.daemonize; i++) {
		if (first[i].find.pid == child->find.parent)
			return true;
	}
	return false;
}

static void say_twins(const struct entry *first, struct entry *other)
{
	char uuid[SCAPH_UUID_TEXT_BYTES];

	scaph_uuid_format(other->uuid, uuid);
	scaph_warning("--discover: processes %d and %d both say that they are %s: neither is given "
		      "its share; give each machine a UUID of its own",
		      (int)first->find.pid, (int)other->find.pid, uuid);
}

/* Entries with one UUID. */
static void settle_twins(struct scaph_discovery *disco, struct entry *first, size_t count)
{
	struct entry *chosen = NULL, *left = NULL;
	size_t named = 0, lefts = 0;

	for (size_t i = 0; i < count; i++) {
		first[i].twin = true;
		if (named_by_pid_file(disco, &first[i]) && ++named)
			chosen = &first[i];
		if (!is_child_of_one(&first[i], first, count) && ++lefts)
			left = &first[i];
	}
	if (named != 1)
		chosen = lefts == 1 ? left : NULL;
	if (chosen) {
		chosen->twin = false;
		return;
	}
	for (size_t i = 0; i < count; i++) {
		first[i].twin_looks++;
		if (i == 0 || first[i].twin_said || is_child_of_one(&first[i], first, count) ||
		    (!first[0].told && !first[i].told && first[i].twin_looks < TWIN_LOOKS))
			continue;
		say_twins(&first[0], &first[i]);
		first[i].twin_said = true;
	}
}

static void find_twins(struct scaph_discovery *disco)
{
	struct entries *now = &disco->now;
	size_t next;

	/* Strangers are nobody's twins. */
	if (now->count)
		qsort(now->at, now->count, sizeof(*now->at), by_uuid);
	for (size_t i = 0; i < now->count; i = next) {
		next = i + 1;
		while (now->at[i].find.trusted && next < now->count && now->at[next].find.trusted &&
		       memcmp(now->at[next].uuid, now->at[i].uuid, SCAPH_UUID_BYTES) == 0)
			next++;
		if (next - i > 1)
			settle_twins(disco, &now->at[i], next - i);
	}
}

static void tell_gone(struct scaph_discovery *disco, const struct entry *entry)
{
	disco->listener.stopped(disco->listener.context, entry->uuid);
	/* A derived UUID is that of this process alone. */
	if (!entry->find.argv.has_uuid)
		disco->listener.undefined(disco->listener.context, entry->uuid);
}

static bool is_young(const struct entry *entry)
{
	uint64_t tick_ns = SCAPH_NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);

	return scaph_clock_ns(CLOCK_BOOTTIME) < entry->find.birth_ticks * tick_ns + AGE_NS;
}

static void tell_running(struct scaph_discovery *disco, const struct entry *entry)
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
	struct entries *before = &disco->before, *now = &disco->now;

	if (now->count)
		qsort(now->at, now->count, sizeof(*now->at), by_pid);
	for (size_t i = 0; i < before->count; i++) {
		const struct entry *was = &before->at[i];
		struct entry *is =
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
		struct entry *entry = &now->at[i];

		if (!entry->find.trusted || entry->twin ||
		    (entry->told ? !is_due(entry) : is_young(entry)))
			continue;
		tell_running(disco, entry);
		entry->told = true;
	}
}

void scaph_discovery_look(struct scaph_discovery *disco)
{
	struct entries spare = disco->before;

	disco->now.count = 0;
	if (!gather(disco))
		return;
	find_twins(disco);
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
	free(disco);
}
