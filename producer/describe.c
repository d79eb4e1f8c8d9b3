/* SPDX-License-Identifier: Apache-2.0 */
/*
 * describe.c - what --check prints on standard output
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "producer/process/clock.h"
#include "producer/daemon.h"
#include "producer/domain/profile.h"
#include "producer/domain/share.h"
#include "producer/process/tick.h"
#include "proto/descriptor.h"
#include "proto/names.h"

#define LISTEN_MS 5000

static void describe_source(const struct scaph_daemon *daemon)
{
	const struct scaph_source *source = daemon->source;

	printf("source   %s (%s): %s, zones", source->ops->name,
	       source->estimated ? "estimated" : "measured", source->about);
	for (int zone = 0; zone < SCAPH_ZONES; zone++) {
		if (source->zones & 1U << zone)
			printf(" %s", scaph_source_zone_word(zone));
	}
	if (daemon->config->idle_given || source->idle_known)
		printf(", idle %.2f W\n",
		       (double)(daemon->config->idle_given ? daemon->config->idle_uw
							   : source->idle_uw) /
			       1e6);
	else
		printf(", idle power unknown until it is learnt\n");
	printf("         %s\n", source->others);
}

/* Units as people read them: microjoules a count. */
static void describe_packages(const struct scaph_daemon *daemon)
{
	const struct scaph_topology *topology = &daemon->topology;

	if (daemon->config->topology)
		printf("packages as %s says, not as the machine does\n", daemon->config->topology);
	for (uint32_t p = 0; p < daemon->source->packages; p++) {
		const struct scaph_source_package *package = &daemon->source->package[p];

		printf("package  %u (id %u, die %u): %u CPUs;", p, topology->package[p].package_id,
		       topology->package[p].die_id, topology->package[p].cpus);
		for (int zone = 0; zone < SCAPH_ZONES; zone++) {
			if (package->zones & 1U << zone)
				printf(" %s in %g uJ", scaph_source_zone_word(zone),
				       (double)package->counter[zone].step_units /
					       (double)SCAPH_UNITS_PER_UJ);
		}
		printf("\n");
	}
}

/* Two looks, a second apart, of the domains of options: others are not known yet. */
static void describe_dram(struct scaph_daemon *daemon)
{
	struct scaph_traffic *traffic = scaph_traffic_new(daemon->config, &daemon->topology);
	struct scaph_traffic_part *parts = calloc(daemon->domain_count + 1, sizeof(*parts));
	uint64_t whole[SCAPH_PACKAGES_MAX];
	char why[SCAPH_TRAFFIC_WHY_BYTES] = "out of memory";
	int r = SCAPH_TRAFFIC_NONE;

	if (!daemon->domain_count)
		snprintf(why, sizeof(why), "unless groups in %.120s show traffic of every domain",
			 daemon->config->resctrl);
	for (uint32_t i = 0; i < daemon->domain_count && parts; i++) {
		parts[i].pid = daemon->domains[i].pid;
		parts[i].shown = daemon->domains[i].shown;
	}
	if (traffic && parts && daemon->domain_count)
		r = scaph_traffic_look(traffic, parts, daemon->domain_count, whole, why);
	if (r == SCAPH_TRAFFIC_SOON) {
		scaph_clock_sleep_until(scaph_clock_ns(CLOCK_MONOTONIC) + SCAPH_NS_PER_S);
		r = scaph_traffic_look(traffic, parts, daemon->domain_count, whole, why);
	}
	if (r)
		printf("dram     by CPU time: %s\n", why);
	else
		printf("dram     by memory traffic, of %s\n", daemon->config->resctrl);
	free(parts);
	scaph_traffic_free(traffic);
}

static void describe_ivshmem(const struct scaph_daemon *daemon, const struct scaph_domain *domain)
{
	const char *folder = daemon->config->shm_dir;
	struct stat st;
	char name[SCAPH_DOMAIN_SHMEM_BYTES];

	scaph_domain_shmem_name(domain, name);
	if (!domain->ivshmem)
		printf("  ivshmem  none: %s\n", domain->hypervisor
							? "its definition has no such device"
							: "the UUID was not given");
	else if (daemon->terms.shm_fd < 0)
		printf("  ivshmem  none: %s cannot be opened\n", folder);
	else if (fstatat(daemon->terms.shm_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		printf("  ivshmem  none found: %s/%s: %s\n", folder, name, strerror(errno));
	else
		printf("  ivshmem  %s/%s, %lld KiB\n", folder, name, (long long)st.st_size >> 10);
}

/* The share's part; what is wrong with it was said on standard error. 0 or a negative errno. */
static int describe_share(const struct scaph_daemon *daemon, const struct scaph_domain *domain)
{
	char folder[SCAPH_NAME_BYTES], shown[4 * SCAPH_NAME_BYTES];
	int fd = scaph_share_find(daemon->config, daemon->terms.root_fd, domain, folder);

	if (fd == -ENOENT) {
		printf("  share    none found\n");
		return 0;
	}
	if (fd < 0)
		return fd;
	close(fd);
	scaph_name_escape(folder, shown, sizeof(shown));
	printf("  share    %s\n", shown);
	return 0;
}

static int describe_domain(const struct scaph_daemon *daemon, const struct scaph_domain *domain)
{
	char uuid[SCAPH_UUID_TEXT_BYTES], what[4 * SCAPH_CGROUP_PATH_BYTES];

	scaph_uuid_format(domain->uuid, uuid);
	printf("domain   %s\n", domain->shown);
	printf("  uuid     %s%s\n", uuid, domain->uuid_given ? "" : " (derived)");
	scaph_domain_describe(domain, what, sizeof(what));
	printf("  is       %s\n", what);
	printf("  profile  %s\n", scaph_profile_name(domain->profile));
	describe_ivshmem(daemon, domain);
	return describe_share(daemon, domain);
}

/* Processes that were described: of one that libvirt and /proc both tell of, libvirt's word comes first. */
struct described {
	pid_t *pid;
	uint32_t count;
};

static bool was_described(const struct scaph_daemon *daemon, const struct described *before,
			  pid_t pid)
{
	for (uint32_t i = 0; i < daemon->domain_count; i++) {
		const struct scaph_domain *named = &daemon->domains[i];

		if (named->pid ? named->pid == pid : scaph_cgroup_holds(&named->cgroup, pid))
			return true;
	}
	for (uint32_t i = 0; i < before->count; i++) {
		if (before->pid[i] == pid)
			return true;
	}
	return false;
}

static int describe_sighting(struct scaph_daemon *daemon, const struct scaph_sighting *sighting,
			     struct described *before)
{
	struct scaph_domain domain;
	pid_t *grown;
	int r;

	if (was_described(daemon, before, sighting->pid) ||
	    scaph_domain_from_sighting(sighting, &domain))
		return 0;
	domain.profile = scaph_profile_of(daemon->config, &domain);
	r = describe_domain(daemon, &domain);
	scaph_domain_close(&domain);
	grown = reallocarray(before->pid, before->count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	before->pid = grown;
	before->pid[before->count++] = sighting->pid;
	return r;
}

/* Every letter that has come; *ret_heard: libvirt has told all, or will not. */
static int describe_letters(struct scaph_daemon *daemon, struct described *before, bool *ret_heard)
{
	struct scaph_letter *letter;
	int r = 0;

	while (r == 0 && (letter = scaph_mailbox_take(&daemon->mailbox))) {
		*ret_heard |= letter->kind == SCAPH_LETTER_LISTED ||
			      (letter->kind == SCAPH_LETTER_CONNECTION && !letter->up);
		if (letter->kind == SCAPH_LETTER_CONNECTION)
			printf("libvirt  %s: %s\n", daemon->config->libvirt,
			       letter->up ? "connected" : letter->why);
		if (letter->kind == SCAPH_LETTER_RUNNING)
			r = describe_sighting(daemon, &letter->sighting, before);
		scaph_letter_free(letter);
	}
	return r;
}

/* Domains of libvirt, for a few seconds at most. */
static int describe_hypervisor(struct scaph_daemon *daemon, struct described *before)
{
	struct pollfd wait = { .fd = daemon->mailbox.wake_fd, .events = POLLIN };
	bool heard = false;
	int r = scaph_daemon_listen_to_libvirt(daemon);

	while (r == 0 && !heard && poll(&wait, 1, LISTEN_MS) > 0)
		r = describe_letters(daemon, before, &heard);
	if (r == 0 && !heard)
		printf("libvirt  %s: no answer\n", daemon->config->libvirt);
	return r;
}

static int describe_discovered(struct scaph_daemon *daemon, struct described *before)
{
	bool heard = false;

	printf("discover qemu: processes of %s\n", daemon->config->procfs);
	scaph_discovery_look(daemon->discovery);
	return describe_letters(daemon, before, &heard);
}

static void describe_meter(const struct scaph_meter *meter)
{
	printf("meter    %s: %s, kernel tick %g ms, shortest window %" PRIu64 " ms%s\n",
	       meter->ops->name, meter->ops->about,
	       (double)scaph_tick_ns() / (double)SCAPH_NS_PER_MS,
	       meter->ops->least_window_ns() / SCAPH_NS_PER_MS,
	       meter->coarse ? ", time on each package inferred" : "");
	if (meter->others[0])
		printf("         %s\n", meter->others);
}

static void describe_sampling(const struct scaph_daemon *daemon)
{
	const struct scaph_sampler *sampler = &daemon->samplers[0];
	bool steps = daemon->source->ops->peek != NULL;

	printf("sampling at each window's end");
	if (sampler->need_ns)
		printf(", and every %g ms", (double)sampler->need_ns / 1e6);
	if (sampler->asked_ns != sampler->need_ns)
		printf(", and every %g ms while a trusted domain is in",
		       (double)sampler->asked_ns / 1e6);
	if (steps)
		printf("; a trusted domain's windows end at the counters' steps");
	printf("\nbudget   ");
	if (daemon->config->cpu_budget_ppm)
		printf("%g %% of one core for scaphd: above, it samples less\n",
		       (double)daemon->config->cpu_budget_ppm / SCAPH_BUDGET_PPM_PER_PERCENT);
	else
		printf("none: --cpu-budget limits what scaphd itself may use\n");
}

int scaph_daemon_describe(struct scaph_daemon *daemon)
{
	struct scaph_descriptor desc = { .window_ns = daemon->terms.window_ns };
	struct described before = {};
	uint64_t bytes;
	int r = 0;

	scaph_descriptor_place_rings(&desc, &bytes);
	describe_source(daemon);
	describe_packages(daemon);
	if (daemon->source->zones & SCAPH_ZONE_DRAM)
		describe_dram(daemon);
	describe_sampling(daemon);
	describe_meter(daemon->meter);
	printf("window   %" PRIu64 " ms, segment %" PRIu64 " KiB with %" PRIu64 " records\n",
	       daemon->terms.window_ns / SCAPH_NS_PER_MS, bytes >> 10, desc.blocks[0].count);
	printf("shares   %s\n", daemon->config->share_root);
	printf("host     %s\n", daemon->config->host_dir);
	for (uint32_t i = 0; i < daemon->domain_count && r == 0; i++)
		r = describe_domain(daemon, &daemon->domains[i]);
	if (r == 0 && scaph_daemon_has_hypervisor(daemon))
		r = describe_hypervisor(daemon, &before);
	if (r == 0 && daemon->discovery)
		r = describe_discovered(daemon, &before);
	free(before.pid);
	if (r == 0 && !daemon->domain_count && !before.count)
		printf("domain   none yet; --domain NAME=pid:PID or NAME=cgroup:PATH names one\n");
	return r;
}
