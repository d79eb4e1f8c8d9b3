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
#include <unistd.h>

#include "producer/clock.h"
#include "producer/log.h"
#include "producer/profile.h"
#include "producer/share.h"
#include "proto/names.h"

#define WINDOW_DEFAULT_NS (20 * SCAPH_NS_PER_MS)

static int choose_window(const struct scaph_config *config, const struct scaph_meter *meter,
			 uint64_t *ret_window_ns)
{
	uint64_t least_ns = meter->ops->least_window_ns();
	uint64_t usual_ns = least_ns > WINDOW_DEFAULT_NS ? least_ns : WINDOW_DEFAULT_NS;

	if (config->window_ns && config->window_ns < least_ns) {
		scaph_error("%s %" PRIu64 ": the meter %s cannot carry less than %" PRIu64
			    " ms with this kernel's tick; give that or more",
			    scaph_config_origin(config, "window"),
			    config->window_ns / SCAPH_NS_PER_MS, meter->ops->name,
			    least_ns / SCAPH_NS_PER_MS);
		return -EINVAL;
	}
	*ret_window_ns = config->window_ns ? config->window_ns : usual_ns;
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
	for (uint32_t i = 0; i < daemon->count; i++) {
		for (uint32_t j = 0; j < i; j++) {
			const struct scaph_domain *a = &daemon->domains[j],
						  *b = &daemon->domains[i];
			const char *same = memcmp(a->uuid, b->uuid, sizeof(a->uuid)) == 0 ? "UUID"
					   : strcmp(a->name, b->name) == 0		  ? "name"
					   : a->pid == b->pid ? "process"
							      : NULL;

			if (same) {
				scaph_error("domains %s and %s have the same %s; give each its own",
					    a->shown, b->shown, same);
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
	daemon->publications = calloc(texts->count + 1, sizeof(*daemon->publications));
	daemon->readings = calloc(texts->count + 1, sizeof(*daemon->readings));
	if (!daemon->domains || !daemon->publications || !daemon->readings)
		return -ENOMEM;
	for (uint32_t i = 0; i < texts->count && r == 0; i++) {
		r = scaph_domain_open(&texts->item[i], &daemon->domains[i]);
		if (r == 0)
			daemon->count++;
	}
	if (r == 0)
		r = check_unique(daemon);
	if (r == 0)
		r = scaph_profile_apply(&daemon->config->profiles, daemon->domains, daemon->count);
	for (uint32_t i = 0; i < daemon->count; i++)
		daemon->readings[i].domain = &daemon->domains[i];
	return r;
}

int scaph_daemon_open(const struct scaph_config *config, struct scaph_daemon *ret_daemon)
{
	struct scaph_publication_terms *terms = &ret_daemon->terms;
	int r;

	*ret_daemon = (struct scaph_daemon){
		.config = config,
		.terms = { .config = config, .root_fd = -1, .host_fd = -1, .shm_fd = -1 },
		.state_fd = -1,
		.publisher = { .wake_fd = -1 },
	};
	r = scaph_source_open(config, &ret_daemon->source);
	if (r == 0)
		r = scaph_meter_open(config, &ret_daemon->meter);
	if (r == 0)
		r = choose_window(config, ret_daemon->meter, &terms->window_ns);
	if (r == 0)
		r = find_group(config, &terms->group);
	if (r == 0)
		r = open_domains(ret_daemon);
	if (r)
		return r;
	terms->source = ret_daemon->source;
	terms->meter = ret_daemon->meter;
	terms->root_fd = scaph_share_open_root(config);
	if (terms->root_fd < 0)
		return terms->root_fd;
	terms->host_fd = scaph_share_open_host(config, config->check);
	if (terms->host_fd < 0 && !(config->check && terms->host_fd == -ENOENT))
		return terms->host_fd;
	ret_daemon->state_fd = scaph_share_open_state(config, config->check);
	if (ret_daemon->state_fd < 0 && !(config->check && ret_daemon->state_fd == -ENOENT))
		return ret_daemon->state_fd;
	/* No folder for ivshmem files is no fault: then there are none. */
	terms->shm_fd = open(config->shm_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return 0;
}

static void say_domain(const struct scaph_daemon *daemon, uint32_t at)
{
	const struct scaph_domain *domain = &daemon->domains[at];
	const struct scaph_publication *pub = &daemon->publications[at];
	char uuid[SCAPH_UUID_TEXT_BYTES];

	scaph_uuid_format(domain->uuid, uuid);
	scaph_info("domain %s (%s, process %d): profile %s, share %s", domain->shown, uuid,
		   (int)domain->pid, scaph_profile_name(domain->profile),
		   pub->outlets > 1 ? "open" : "none");
	if (pub->outlets <= 1)
		scaph_warning("domain %s has no share: neither %s/%s nor a folder of its name is "
			      "there; only the host "
			      "sees its figures",
			      domain->shown, daemon->config->share_root, uuid);
	if (domain->profile == SCAPH_PROFILE_OFF)
		scaph_warning("domain %s sees no figures: its profile is off; --profile %s=trusted "
			      "lets it see exact ones",
			      domain->shown, uuid);
}

int scaph_daemon_open_segments(struct scaph_daemon *daemon)
{
	int r = 0;

	for (uint32_t i = 0; i < daemon->count && r == 0; i++) {
		r = scaph_publication_open(&daemon->terms, &daemon->domains[i],
					   &daemon->publications[i]);
		if (r == 0)
			say_domain(daemon, i);
	}
	if (r)
		return r;
	scaph_sampler_init(&daemon->sampler, daemon->source, daemon->config->sample_hz,
			   daemon->terms.window_ns);
	daemon->publisher_open = true;
	return scaph_publisher_init(&daemon->publisher, &daemon->terms, &daemon->sampler,
				    daemon->meter, daemon->publications, daemon->readings,
				    daemon->count);
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void scaph_daemon_close(struct scaph_daemon *daemon)
{
	for (uint32_t i = 0; i < daemon->count; i++) {
		scaph_publication_close(&daemon->publications[i], daemon->terms.host_fd);
		scaph_domain_close(&daemon->domains[i]);
	}
	if (daemon->publisher_open) {
		scaph_publication_close(&daemon->publisher.host, daemon->terms.host_fd);
		scaph_publisher_deinit(&daemon->publisher);
	}
	if (daemon->meter)
		daemon->meter->ops->close(daemon->meter);
	if (daemon->source)
		daemon->source->ops->close(daemon->source);
	free(daemon->domains);
	free(daemon->publications);
	free(daemon->readings);
	close_fd(daemon->terms.root_fd);
	close_fd(daemon->terms.host_fd);
	close_fd(daemon->terms.shm_fd);
	close_fd(daemon->state_fd);
}
