/* SPDX-License-Identifier: Apache-2.0 */
/*
 * domain.c - static domains
 */
#include "producer/domain/domain.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <uuid/uuid.h>

#include "producer/domain/qemu_process.h"
#include "producer/process/birth.h"
#include "producer/process/log.h"
#include "proto/names.h"

/* Ticks since boot are a point in time only together with the boot. */
static void read_boot_id(char *ret_id, size_t size)
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (!file || !fgets(ret_id, (int)size, file))
		ret_id[0] = '\0';
	ret_id[strcspn(ret_id, "\n")] = '\0';
	if (file)
		fclose(file);
}

void scaph_domain_derive_uuid(const char *name, uint64_t birth_ticks,
			      uint8_t ret_uuid[SCAPH_UUID_BYTES])
{
	/* A name space of our own, so that no other program's derived UUIDs can meet ours. */
	static const uuid_t space = { 0x6f, 0x2a, 0x5c, 0x1e, 0x93, 0x0b, 0x4d, 0x77,
				      0xa4, 0x18, 0x5b, 0xd0, 0x3e, 0xc9, 0x61, 0x2f };
	char text[SCAPH_NAME_BYTES + SCAPH_UUID_TEXT_BYTES + 32], boot[SCAPH_UUID_TEXT_BYTES];

	read_boot_id(boot, sizeof(boot));
	snprintf(text, sizeof(text), "%s %s %" PRIu64, name, boot, birth_ticks);
	uuid_generate_sha1(ret_uuid, space, text, strlen(text));
}

static int bad(const struct scaph_config_item *item, const char *wrong)
{
	scaph_error("%s %s: %s", item->origin, item->text, wrong);
	return -EINVAL;
}

static int parse_pid(const struct scaph_config_item *item, const char *text,
		     struct scaph_domain *domain)
{
	char *end;
	long pid = strtol(text, &end, 10);

	if (end == text || *end || pid <= 0 || pid > INT32_MAX)
		return bad(item, "the PID must be a positive whole number");
	domain->pid = (pid_t)pid;
	return 0;
}

/* Where NAME[@UUID] ends and what it is begins: the last "=pid:", or the first "=cgroup:", for a path may hold anything. */
static const char *what_of(const char *text)
{
	const char *cgroup = strstr(text, SCAPH_CONFIG_IS_GROUP), *equals = strrchr(text, '=');

	if (cgroup)
		return cgroup;
	return equals && strncmp(equals, "=pid:", 5) == 0 ? equals : NULL;
}

/* An '@' only counts if a UUID follows, for names may hold one. */
static int parse(const struct scaph_config_item *item, struct scaph_domain *domain,
		 const char **ret_cgroup)
{
	const char *text = item->text, *equals = what_of(text), *at;
	size_t length;
	int r = 0;

	if (!equals)
		return bad(item,
			   "must be NAME=pid:PID or NAME=cgroup:PATH, or NAME@UUID= and so on");
	*ret_cgroup = equals[1] == 'c' ? equals + strlen(SCAPH_CONFIG_IS_GROUP) : NULL;
	if (!*ret_cgroup)
		r = parse_pid(item, equals + strlen("=pid:"), domain);
	if (r)
		return r;
	length = (size_t)(equals - text);
	at = memrchr(text, '@', length);
	if (at && (size_t)(equals - at) == SCAPH_UUID_TEXT_BYTES) {
		char uuid[SCAPH_UUID_TEXT_BYTES];

		snprintf(uuid, sizeof(uuid), "%s", at + 1);
		if (scaph_uuid_parse(uuid, domain->uuid))
			return bad(item,
				   "what follows the @ is no UUID (8-4-4-4-12 hexadecimal digits)");
		domain->uuid_given = true;
		length = (size_t)(at - text);
	}
	if (length == 0 || length >= SCAPH_NAME_BYTES)
		return bad(item, "the name must have 1 to 255 bytes");
	memcpy(domain->name, text, length);
	scaph_name_escape(domain->name, domain->shown, sizeof(domain->shown));
	return 0;
}

/* Whether we are short of something; all else means that the process is not there. */
static bool is_shortage(int r)
{
	return r == -EMFILE || r == -ENFILE || r == -ENOMEM;
}

/*
 * Descriptor and clock of the process. Its start is asked again under the pidfd: the same process
 * both times, so the descriptor is of the one we mean.
 */
static int hold_process(struct scaph_domain *domain)
{
	uint64_t start = 0, again = 0;
	int r = scaph_birth_ticks(domain->pid, &start);

	if (r)
		return is_shortage(r) ? r : -ESRCH;
	domain->pidfd = (int)syscall(SYS_pidfd_open, domain->pid, 0);
	r = domain->pidfd < 0 ? -errno : scaph_birth_ticks(domain->pid, &again);
	if (r == 0 && (again != start || clock_getcpuclockid(domain->pid, &domain->cpu_clock)))
		r = -ESRCH;
	if (r) {
		scaph_domain_close(domain);
		return is_shortage(r) ? r : -ESRCH;
	}
	domain->birth_ticks = start;
	return 0;
}

static int hold_named_process(const struct scaph_config_item *item, struct scaph_domain *domain)
{
	int r = hold_process(domain);

	if (r == -ESRCH)
		scaph_error("%s %s: no process %d; start it first, or correct the PID",
			    item->origin, item->text, (int)domain->pid);
	else if (r)
		scaph_error("%s %s: its process cannot be held: %s; allow more open files "
			    "(LimitNOFILE=, ulimit -n)",
			    item->origin, item->text, strerror(-r));
	return r;
}

/* A group's inode is to it what its start is to a process: with the boot it is one of its kind. */
static int hold_cgroup(const struct scaph_config *config, const struct scaph_config_item *item,
		       const char *path, struct scaph_domain *domain)
{
	const char *why;
	int r = scaph_cgroup_open(config->cgroupfs, path, &domain->cgroup, &why);

	if (r) {
		scaph_error("%s %s: %s %s", item->origin, item->text, path, why);
		return r;
	}
	return 0;
}

int scaph_domain_open(const struct scaph_config *config, const struct scaph_config_item *item,
		      struct scaph_domain *ret_domain)
{
	struct scaph_domain domain = {
		.pidfd = -1,
		.cgroup.usage_fd = -1,
		.vcpus = 1,
		.profile = SCAPH_PROFILE_OFF,
	};
	const char *cgroup;
	int r;

	r = parse(item, &domain, &cgroup);
	if (r)
		return r;
	r = cgroup ? hold_cgroup(config, item, cgroup, &domain) : hold_named_process(item, &domain);
	if (r)
		return r;
	if (!domain.uuid_given)
		scaph_domain_derive_uuid(domain.name,
					 cgroup ? domain.cgroup.inode : domain.birth_ticks,
					 domain.uuid);
	domain.ivshmem = domain.uuid_given;
	*ret_domain = domain;
	return 0;
}

static int copy_fd(int fd, int *ret_fd)
{
	*ret_fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return fd >= 0 && *ret_fd < 0 ? -errno : 0;
}

int scaph_domain_copy(const struct scaph_domain *domain, struct scaph_domain *ret_copy)
{
	struct scaph_domain copy = *domain;
	int r;

	copy.cgroup.usage_fd = -1;
	r = copy_fd(domain->pidfd, &copy.pidfd);
	if (r == 0)
		r = copy_fd(domain->cgroup.usage_fd, &copy.cgroup.usage_fd);
	if (r) {
		scaph_domain_close(&copy);
		return r;
	}
	*ret_copy = copy;
	return 0;
}

/* Time of one in the other would count twice. */
static bool share_time(const struct scaph_domain *a, const struct scaph_domain *b)
{
	if (a->pid && b->pid)
		return a->pid == b->pid;
	if (!a->pid && !b->pid)
		return scaph_cgroup_overlap(&a->cgroup, &b->cgroup);
	return a->pid ? scaph_cgroup_holds(&b->cgroup, a->pid)
		      : scaph_cgroup_holds(&a->cgroup, b->pid);
}

const char *scaph_domain_clash(const struct scaph_domain *a, const struct scaph_domain *b)
{
	if (memcmp(a->uuid, b->uuid, sizeof(a->uuid)) == 0)
		return "the same UUID";
	if (strcmp(a->name, b->name) == 0)
		return "the same name";
	return share_time(a, b) ? "processes in common" : NULL;
}

/* It was proved when it was seen, and its number may be another's by now; held, it stays. */
static bool is_sighted(const struct scaph_domain *domain, const struct scaph_sighting *sighting)
{
	char uuid[SCAPH_UUID_TEXT_BYTES];

	if (sighting->discovered)
		return domain->birth_ticks == sighting->birth_ticks;
	scaph_uuid_format(domain->uuid, uuid);
	return scaph_qemu_process_is(domain->pid, uuid);
}

int scaph_domain_from_sighting(const struct scaph_sighting *sighting,
			       struct scaph_domain *ret_domain)
{
	struct scaph_domain domain = {
		.pidfd = -1,
		.cgroup.usage_fd = -1,
		.vcpus = sighting->vcpus,
		.profile = SCAPH_PROFILE_OFF,
		.pid = sighting->pid,
		.uuid_given = !sighting->derived,
		.ivshmem = sighting->ivshmem,
		.pve_shmem = sighting->pve_shmem,
		.uuid_alone = sighting->uuid_alone,
		.hypervisor = true,
		.discovered = sighting->discovered,
	};
	int r;

	snprintf(domain.name, sizeof(domain.name), "%s", sighting->name);
	memcpy(domain.uuid, sighting->uuid, sizeof(domain.uuid));
	scaph_name_escape(domain.name, domain.shown, sizeof(domain.shown));
	r = hold_process(&domain);
	if (r && r != -ESRCH)
		scaph_error("domain %s: its process cannot be held: %s; allow more open files "
			    "(LimitNOFILE=, ulimit -n)",
			    domain.shown, strerror(-r));
	if (r)
		return r;
	if (!is_sighted(&domain, sighting)) {
		scaph_domain_close(&domain);
		return -ESRCH;
	}
	*ret_domain = domain;
	return 0;
}

void scaph_domain_close(struct scaph_domain *domain)
{
	if (domain->pidfd >= 0)
		close(domain->pidfd);
	domain->pidfd = -1;
	scaph_cgroup_close(&domain->cgroup);
}

void scaph_domain_shmem_name(const struct scaph_domain *domain,
			     char ret_name[SCAPH_DOMAIN_SHMEM_BYTES])
{
	char uuid[SCAPH_UUID_TEXT_BYTES];

	scaph_uuid_format(domain->uuid, uuid);
	snprintf(ret_name, SCAPH_DOMAIN_SHMEM_BYTES, "%sscaph-%s",
		 domain->pve_shmem ? "pve-shm-" : "", uuid);
}

void scaph_domain_describe(const struct scaph_domain *domain, char *ret_text, size_t size)
{
	char path[4 * SCAPH_CGROUP_PATH_BYTES];

	if (domain->pid) {
		snprintf(ret_text, size, "process %d", (int)domain->pid);
		return;
	}
	scaph_name_escape(domain->cgroup.path, path, sizeof(path));
	snprintf(ret_text, size, "control group %s", path);
}
