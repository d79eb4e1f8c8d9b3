/* SPDX-License-Identifier: Apache-2.0 */
/*
 * describe.c - what --check prints on standard output
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "producer/clock.h"
#include "producer/daemon.h"
#include "producer/share.h"
#include "producer/tick.h"
#include "proto/descriptor.h"
#include "proto/names.h"

static void describe_source(const struct scaph_daemon *daemon)
{
	const struct scaph_source *source = daemon->source;

	printf("source   %s (%s): %s, zones", source->ops->name,
	       source->estimated ? "estimated" : "as recorded", source->about);
	for (int zone = 0; zone < SCAPH_ZONES; zone++) {
		if (source->zones & 1U << zone)
			printf(" %s", scaph_source_zone_word(zone));
	}
	if (source->idle_known)
		printf(", idle %.2f W\n", (double)source->idle_uw / 1e6);
	else
		printf(", idle power unknown\n");
}

static void describe_ivshmem(const struct scaph_daemon *daemon, const struct scaph_domain *domain,
			     const char *uuid)
{
	const char *folder = daemon->config->shm_dir;
	struct stat st;
	char name[sizeof("scaph-") + SCAPH_UUID_TEXT_BYTES];

	snprintf(name, sizeof(name), "scaph-%s", uuid);
	if (!domain->uuid_given)
		printf("  ivshmem  none: the UUID was not given\n");
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
	char uuid[SCAPH_UUID_TEXT_BYTES];

	scaph_uuid_format(domain->uuid, uuid);
	printf("domain   %s\n", domain->shown);
	printf("  uuid     %s%s\n", uuid, domain->uuid_given ? "" : " (derived)");
	printf("  process  %d\n", (int)domain->pid);
	printf("  profile  %s\n", scaph_profile_name(domain->profile));
	describe_ivshmem(daemon, domain, uuid);
	return describe_share(daemon, domain);
}

int scaph_daemon_describe(const struct scaph_daemon *daemon)
{
	struct scaph_descriptor desc = { .window_ns = daemon->terms.window_ns };
	uint32_t hz = daemon->config->sample_hz ? daemon->config->sample_hz
						: daemon->source->sample_hz;
	uint64_t bytes;
	int r = 0;

	scaph_descriptor_place_rings(&desc, &bytes);
	describe_source(daemon);
	if (hz)
		printf("sampling %u Hz, and at each window's end\n", hz);
	else
		printf("sampling at each window's end\n");
	printf("meter    %s, kernel tick %g ms, shortest window %" PRIu64 " ms\n",
	       daemon->meter->ops->name, (double)scaph_tick_ns() / (double)SCAPH_NS_PER_MS,
	       daemon->meter->ops->least_window_ns() / SCAPH_NS_PER_MS);
	printf("window   %" PRIu64 " ms, segment %" PRIu64 " KiB with %" PRIu64 " records\n",
	       daemon->terms.window_ns / SCAPH_NS_PER_MS, bytes >> 10, desc.blocks[0].count);
	printf("shares   %s\n", daemon->config->share_root);
	printf("host     %s\n", daemon->config->host_dir);
	for (uint32_t i = 0; i < daemon->count && r == 0; i++)
		r = describe_domain(daemon, &daemon->domains[i]);
	if (!daemon->count)
		printf("domain   none; --domain NAME=pid:PID names one\n");
	return r;
}
