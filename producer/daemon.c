/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon.c - opening and closing one run
 */
#include "producer/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "producer/process/clock.h"
#include "producer/process/log.h"
#include "producer/domain/profile.h"
#include "producer/domain/share.h"

#define WINDOW_DEFAULT_NS (20 * SCAPH_NS_PER_MS)
#define WINDOW_MAX_NS (1000 * SCAPH_NS_PER_MS)
#define SOURCE_STEPS                                                                               \
	5 /* a window holds so many of a source's steps that one more or less is little */

static uint64_t greater(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* What the meter carries, and some of the steps in which the source's counters move. */
static int choose_window(const struct scaph_config *config, const struct scaph_meter *meter,
			 const struct scaph_source *source, uint64_t *ret_window_ns)
{
	uint64_t least_ns = meter->ops->least_window_ns();
	uint64_t steps_ns = SOURCE_STEPS * source->window_ns;
	uint64_t usual_ns = greater(least_ns, WINDOW_DEFAULT_NS);

	if (config->window_ns && config->window_ns < least_ns) {
		scaph_error("%s %" PRIu64 ": the meter %s cannot carry less than %" PRIu64
			    " ms with this kernel's tick; give that or more",
			    scaph_config_origin(config, "window"),
			    config->window_ns / SCAPH_NS_PER_MS, meter->ops->name,
			    least_ns / SCAPH_NS_PER_MS);
		return -EINVAL;
	}
	if (config->window_ns && config->window_ns < source->window_ns) {
		scaph_error("%s %" PRIu64 ": the source %s moves once in %" PRIu64
			    " ms; give several times that",
			    scaph_config_origin(config, "window"),
			    config->window_ns / SCAPH_NS_PER_MS, source->ops->name,
			    source->window_ns / SCAPH_NS_PER_MS);
		return -EINVAL;
	}
	if (steps_ns > WINDOW_MAX_NS)
		steps_ns = greater(source->window_ns, WINDOW_MAX_NS);
	*ret_window_ns = config->window_ns ? config->window_ns : greater(usual_ns, steps_ns);
	return 0;
}

static int find_group(const struct scaph_config *config, gid_t *ret_group)
{
	struct group *group;

	*ret_group = SCAPH_SEGMENT_KEEP_GROUP;
	if (!config->group)
		return 0;
	group = getgrnam(config->group);
	if (!group) {
		scaph_error("%s %s: no such group; create it with groupadd",
			    scaph_config_origin(config, "group"), config->group);
		return -EINVAL;
	}
	*ret_group = group->gr_gid;
	return 0;
}

static int check_unique(const struct scaph_daemon *daemon)
{
	for (uint32_t i = 0; i < daemon->domain_count; i++) {
		for (uint32_t j = 0; j < i; j++) {
			const struct scaph_domain *a = &daemon->domains[j],
						  *b = &daemon->domains[i];
			const char *clash = scaph_domain_clash(a, b);

			if (clash) {
				scaph_error("domains %s and %s have %s; give each its own",
					    a->shown, b->shown, clash);
				return -EINVAL;
			}
		}
	}
	return 0;
}

static int open_domains(struct scaph_daemon *daemon)
{
	const struct scaph_config_list *texts = &daemon->config->domains;
	int r = 0;

	daemon->domains = calloc(texts->count + 1, sizeof(*daemon->domains));
	if (!daemon->domains)
		return -ENOMEM;
	for (uint32_t i = 0; i < texts->count && r == 0; i++) {
		struct scaph_domain *domain = &daemon->domains[i];

		r = scaph_domain_open(daemon->config, &texts->item[i], domain);
		if (r == 0) {
			domain->profile = scaph_profile_of(daemon->config, domain);
			daemon->domain_count++;
		}
	}
	return r ? r : check_unique(daemon);
}

/* What asks for the packages' energy, of a source that has none. */
static int check_package(const struct scaph_config *config, const struct scaph_source *source)
{
	const char *asked = config->calibrate	 ? "--calibrate"
			    : config->record	 ? "--record"
			    : config->idle_given ? "--idle-watts"
						 : NULL;

	if (scaph_source_has_package(source) || !asked)
		return 0;
	scaph_error("%s: the source %s does not measure package energy, which that is about; give "
		    "another --source, or leave it out",
		    asked, source->ops->name);
	return -EINVAL;
}

/* Where energy and time come from. A trace of another machine is divided as if it were this one. */
static int open_instruments(struct scaph_daemon *daemon)
{
	const struct scaph_config *config = daemon->config;
	int r = scaph_topology_read(config, &daemon->topology);

	if (r == 0)
		r = scaph_source_open(config, &daemon->topology, &daemon->source);
	if (r == 0)
		r = check_package(config, daemon->source);
	if (r)
		return r;
	if (daemon->source->packages != daemon->topology.packages)
		scaph_topology_fold(&daemon->topology, daemon->source->packages);
	r = scaph_meter_open(config, &daemon->topology, &daemon->meter);
	if (r == 0)
		r = choose_window(config, daemon->meter, daemon->source, &daemon->terms.window_ns);
	daemon->terms.source = daemon->source;
	daemon->terms.meter = daemon->meter;
	for (uint32_t p = 0; p < daemon->source->packages && r == 0; p++)
		scaph_sampler_init(&daemon->samplers[p], daemon->source, p,
				   scaph_topology_cpu_for(&daemon->topology, p), config->sample_hz,
				   daemon->terms.window_ns);
	return r;
}

static int open_folders(struct scaph_daemon *daemon)
{
	const struct scaph_config *config = daemon->config;
	struct scaph_publication_terms *terms = &daemon->terms;

	terms->root_fd = scaph_share_open_root(config);
	if (terms->root_fd < 0)
		return terms->root_fd;
	terms->host_fd = scaph_share_open_host(config, config->check);
	if (terms->host_fd < 0 && !(config->check && terms->host_fd == -ENOENT))
		return terms->host_fd;
	daemon->state_fd = scaph_share_open_state(config, config->check);
	if (daemon->state_fd < 0 && !(config->check && daemon->state_fd == -ENOENT))
		return daemon->state_fd;
	/* No folder for ivshmem files is no fault: then there are none. */
	terms->shm_fd = open(config->shm_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return 0;
}

/* Before anything is published: a URI that can never be listened to is a mistake. */
static int check_hypervisor(const struct scaph_daemon *daemon)
{
	if (!scaph_daemon_has_hypervisor(daemon) || scaph_hypervisor_takes(daemon->config->libvirt))
		return 0;
	scaph_error("%s %s: domains can be measured where they are processes of this machine: give "
		    "qemu:///system, qemu:///session or none",
		    scaph_config_origin(daemon->config, "libvirt"), daemon->config->libvirt);
	return -EINVAL;
}

static int open_discovery(struct scaph_daemon *daemon)
{
	struct scaph_hypervisor_listener listener =
		scaph_mailbox_discovery_listener(&daemon->mailbox);

	if (!daemon->config->discover_qemu)
		return 0;
	return scaph_discovery_open(daemon->config, &listener, &daemon->discovery);
}

int scaph_daemon_open(const struct scaph_config *config, struct scaph_daemon *ret_daemon)
{
	int r;

	*ret_daemon = (struct scaph_daemon){
		.config = config,
		.terms = { .config = config, .root_fd = -1, .host_fd = -1, .shm_fd = -1 },
		.state_fd = -1,
		.publisher = { .wake_fd = -1 },
		.admission = { .epoll_fd = -1 },
		.mailbox = { .wake_fd = -1 },
		.dram = { .timer_fd = -1 },
	};
	r = scaph_profile_check(&config->profiles);
	if (r == 0)
		r = check_hypervisor(ret_daemon);
	if (r == 0)
		r = open_instruments(ret_daemon);
	if (r == 0)
		r = find_group(config, &ret_daemon->terms.group);
	if (r == 0)
		r = open_domains(ret_daemon);
	if (r == 0)
		r = scaph_mailbox_init(&ret_daemon->mailbox);
	if (r == 0)
		r = open_discovery(ret_daemon);
	if (r || config->calibrate)
		return r;
	return open_folders(ret_daemon);
}

static int open_publisher(struct scaph_daemon *daemon)
{
	struct scaph_publisher_parts parts = {
		.terms = &daemon->terms,
		.samplers = daemon->samplers,
		.meter = daemon->meter,
		.ledger = &daemon->ledger,
		.cpus = daemon->topology.online,
	};
	int r;

	r = scaph_ledger_open(daemon->state_fd, daemon->config->state_dir, &daemon->ledger);
	if (r == 0 && daemon->config->record)
		r = scaph_recorder_open(daemon->config->record, daemon->source, &daemon->recorder);
	if (r)
		return r;
	daemon->table = parts.table = scaph_table_new();
	parts.recorder = daemon->recorder;
	if (!daemon->table)
		return -ENOMEM;
	r = scaph_publisher_init(&daemon->publisher, &parts);
	if (r == 0 && daemon->source->zones & SCAPH_ZONE_DRAM)
		r = scaph_dram_open(&daemon->dram, &daemon->publisher, daemon->config,
				    &daemon->topology);
	return r;
}

static int release(void *context, const uint8_t uuid[SCAPH_UUID_BYTES])
{
	return scaph_admission_release(context, uuid);
}

static int reopen(void *context, const uint8_t uuid[SCAPH_UUID_BYTES])
{
	return scaph_admission_reopen(context, uuid);
}

static int profile(void *context, const uint8_t uuid[SCAPH_UUID_BYTES])
{
	return scaph_admission_look_at_profile(context, uuid);
}

/* Without it all is as it should be but that nobody can ask for anything. */
static void open_control(struct scaph_daemon *daemon)
{
	static const struct scaph_control_verb verbs[] = {
		{ "release", release },
		{ "reopen", reopen },
		{ "profile", profile },
		{},
	};
	int r = scaph_control_open(daemon->state_fd, verbs, &daemon->admission, &daemon->control);

	if (r)
		scaph_warning("%s/control: %s; scaph-vm cannot ask for a share to be let go: stop "
			      "scaphd for that",
			      daemon->config->state_dir, strerror(-r));
}

int scaph_daemon_open_segments(struct scaph_daemon *daemon)
{
	int r = open_publisher(daemon);

	if (r)
		return r;
	daemon->admission = (struct scaph_admission){
		.terms = &daemon->terms,
		.table = daemon->table,
		.ledger = &daemon->ledger,
		.publisher = &daemon->publisher,
		.epoll_fd = epoll_create1(EPOLL_CLOEXEC),
	};
	if (daemon->admission.epoll_fd < 0)
		return -errno;
	while (r == 0 && daemon->domain_count > 0) {
		struct scaph_domain domain = daemon->domains[0];

		daemon->domain_count--;
		memmove(daemon->domains, daemon->domains + 1,
			daemon->domain_count * sizeof(domain));
		r = scaph_admission_enter(&daemon->admission, &domain, false);
	}
	if (r == 0)
		open_control(daemon);
	return r;
}

bool scaph_daemon_has_hypervisor(const struct scaph_daemon *daemon)
{
	return strcmp(daemon->config->libvirt, "none") != 0;
}

int scaph_daemon_listen_to_libvirt(struct scaph_daemon *daemon)
{
	struct scaph_hypervisor_listener listener = scaph_mailbox_listener(&daemon->mailbox);
	int r;

	r = scaph_hypervisor_start(daemon->config->libvirt, daemon->config->run_dir, &listener,
				   &daemon->hypervisor);
	if (r)
		scaph_error("libvirt cannot be listened to: %s; --libvirt none does without",
			    strerror(-r));
	return r;
}

int scaph_daemon_listen(struct scaph_daemon *daemon)
{
	int r = scaph_daemon_has_hypervisor(daemon) ? scaph_daemon_listen_to_libvirt(daemon) : 0;

	if (r || !daemon->discovery)
		return r;
	r = scaph_discovery_start(daemon->discovery);
	if (r)
		scaph_error("machines cannot be looked for: %s; --discover none does without",
			    strerror(-r));
	return r;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void scaph_daemon_close(struct scaph_daemon *daemon)
{
	scaph_hypervisor_stop(daemon->hypervisor);
	scaph_discovery_close(daemon->discovery);
	scaph_control_close(daemon->control);
	scaph_dram_close(&daemon->dram);
	if (daemon->admission.table)
		scaph_admission_clear(&daemon->admission);
	if (daemon->table) {
		scaph_publication_close(&daemon->publisher.host, daemon->terms.host_fd);
		scaph_publisher_deinit(&daemon->publisher);
		scaph_table_free(daemon->table);
	}
	if (!scaph_recorder_close(daemon->recorder))
		scaph_warning("--record %s: the disk was full or too slow: the trace ends early",
			      daemon->config->record);
	scaph_ledger_close(&daemon->ledger);
	for (uint32_t i = 0; i < daemon->domain_count; i++)
		scaph_domain_close(&daemon->domains[i]);
	if (daemon->meter)
		daemon->meter->ops->close(daemon->meter);
	if (daemon->source)
		daemon->source->ops->close(daemon->source);
	free(daemon->domains);
	scaph_mailbox_deinit(&daemon->mailbox);
	close_fd(daemon->admission.epoll_fd);
	close_fd(daemon->terms.root_fd);
	close_fd(daemon->terms.host_fd);
	close_fd(daemon->terms.shm_fd);
	close_fd(daemon->state_fd);
}
