/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publication_open.c - the outlets of a publication: found, opened, closed; the main thread's part
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uuid/uuid.h>

#include "producer/domain/share.h"
#include "producer/process/log.h"
#include "proto/descriptor.h"
#include "proto/names.h"
#include "producer/publish/publication.h"

#define HOST_FILE "host.ring"

/*
 * The machine's own identity, hashed as machine-id(5) asks, so that the ID itself is not given
 * away.
 */
static void host_uuid(uint8_t ret_uuid[SCAPH_UUID_BYTES])
{
	static const uuid_t space = { 0x1b, 0x9d, 0x33, 0x70, 0x62, 0xce, 0x4f, 0x0a,
				      0x8e, 0x55, 0x24, 0xf7, 0x90, 0x6b, 0xd8, 0x43 };
	char id[128] = "";
	FILE *file = fopen("/etc/machine-id", "re");

	if (!file || !fgets(id, sizeof(id), file))
		gethostname(id, sizeof(id) - 1);
	if (file)
		fclose(file);
	uuid_generate_sha1(ret_uuid, space, id, strlen(id));
}

static void describe(const struct scaph_publication_terms *terms, struct scaph_publication *pub,
		     uint64_t *ret_bytes)
{
	struct scaph_descriptor *desc = &pub->desc;

	scaph_descriptor_init(desc);
	if (pub->domain) {
		desc->subject = SCAPH_SUBJECT_DOMAIN;
		memcpy(desc->uuid, pub->domain->uuid, sizeof(desc->uuid));
		snprintf(desc->name, sizeof(desc->name), "%s", pub->domain->name);
		desc->profile = pub->domain->profile;
	} else {
		desc->subject = SCAPH_SUBJECT_HOST;
		host_uuid(desc->uuid);
		gethostname(desc->name, sizeof(desc->name) - 1);
		desc->profile = SCAPH_PROFILE_TRUSTED;
	}
	desc->window_ns = terms->window_ns;
	desc->zones = terms->source->zones;
	desc->source = terms->source->ops->id;
	desc->meter = terms->meter->ops->id;
	desc->quality = terms->source->estimated ? SCAPH_QUALITY_ESTIMATED : SCAPH_QUALITY_MEASURED;
	scaph_descriptor_place_rings(desc, ret_bytes);
}

/* Words for a segment that could not be opened. */
static int refused(const char *where, const char *name, int r)
{
	if (r > 0) {
		scaph_error("%s/%s: %s", where, name, scaph_segment_refusal_text(r));
		return -EEXIST;
	}
	if (r == -ENOSPC)
		scaph_error("%s/%s: no space left; mount a larger tmpfs there", where, name);
	else
		scaph_error("%s/%s: %s; check the folder's owner and mode", where, name,
			    strerror(-r));
	return r;
}

static void add_outlet(struct scaph_publication *pub, enum scaph_outlet_kind kind,
		       const struct scaph_segment *segment)
{
	pub->outlet[pub->outlets++] = (struct scaph_outlet){ .kind = kind, .segment = *segment };
}

static int open_share(const struct scaph_publication_terms *terms, struct scaph_publication *pub,
		      uint64_t bytes)
{
	/*
	 * What tells about the host is for root and the group; the rest any process of the guest
	 * may read.
	 */
	mode_t mode = pub->domain->profile == SCAPH_PROFILE_TRUSTED ? 0640 : 0644;
	char folder[SCAPH_NAME_BYTES], shown[4 * SCAPH_NAME_BYTES], where[8 * SCAPH_NAME_BYTES];
	struct scaph_segment segment;
	int fd, r;

	/* Which folder it was, good or not: one that is not right is not looked at again and again. */
	fd = scaph_share_look(terms->root_fd, pub->domain, folder);
	if (fd >= 0) {
		(void)scaph_share_place_of(fd, &pub->share);
		close(fd);
	}
	fd = scaph_share_find(terms->config, terms->root_fd, pub->domain, folder);
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return fd;
	r = scaph_segment_open(fd, SCAPH_SEGMENT_NAME, bytes, mode, terms->group, &segment);
	close(fd);
	if (r) {
		scaph_name_escape(folder, shown, sizeof(shown));
		snprintf(where, sizeof(where), "%s/%s", terms->config->share_root, shown);
		return refused(where, SCAPH_SEGMENT_NAME, r);
	}
	add_outlet(pub, SCAPH_OUTLET_SHARE, &segment);
	return 0;
}

/* Whose process it is: its effective user. 0 or a negative errno. */
static int user_of(pid_t pid, uid_t *ret_user)
{
	char path[64], line[256];
	unsigned int user;
	int r = -ENODATA;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (r && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Uid: %*u %u", &user) == 1)
			r = 0;
	}
	fclose(file);
	if (r == 0)
		*ret_user = user;
	return r;
}

/*
 * The folder is everybody's to write to, and QEMU takes a file that is there already, whoever put it
 * there: only one of ours, or of the user that QEMU runs as, is not another's who reads along.
 */
static bool is_strangers(const struct scaph_segment *segment, pid_t pid)
{
	struct stat st;
	uid_t user = (uid_t)-1;

	if (fstat(segment->fd, &st) < 0)
		return true;
	return st.st_uid != geteuid() && (user_of(pid, &user) || st.st_uid != user);
}

/*
 * Only where the operator or the hypervisor names the UUID and the device: else anybody who can
 * guess it could squat the name and be sent the figures.
 */
static int open_ivshmem(const struct scaph_publication_terms *terms, struct scaph_publication *pub,
			uint64_t bytes)
{
	char name[SCAPH_DOMAIN_SHMEM_BYTES];
	struct scaph_segment segment;
	int r;

	if (!pub->domain->ivshmem || pub->domain->released || terms->shm_fd < 0)
		return 0;
	scaph_domain_shmem_name(pub->domain, name);
	r = scaph_segment_open_ivshmem(terms->shm_fd, name, bytes, &segment);
	if (r == -ENOENT)
		return 0;
	if (r == 0 && is_strangers(&segment, pub->domain->pid)) {
		scaph_segment_close(&segment);
		r = SCAPH_SEGMENT_NOT_OWNED;
	}
	if (r)
		return refused(terms->config->shm_dir, name, r);
	add_outlet(pub, SCAPH_OUTLET_IVSHMEM, &segment);
	return 0;
}

static int open_host(const struct scaph_publication_terms *terms, struct scaph_publication *pub,
		     uint64_t bytes)
{
	struct scaph_segment segment;
	char uuid[SCAPH_UUID_TEXT_BYTES];
	struct stat folder;
	mode_t mode;
	int r;

	/* Whoever was let into the folder is to read what is in it. */
	if (fstat(terms->host_fd, &folder) < 0)
		return -errno;
	mode = folder.st_mode & S_IXGRP ? 0640 : 0600;
	scaph_uuid_format(pub->desc.uuid, uuid);
	snprintf(pub->host_name, sizeof(pub->host_name), "%s%s", pub->domain ? uuid : HOST_FILE,
		 pub->domain ? ".ring" : "");
	r = scaph_segment_open(terms->host_fd, pub->host_name, bytes, mode,
			       SCAPH_SEGMENT_KEEP_GROUP, &segment);
	if (r)
		return refused(terms->config->host_dir, pub->host_name, r);
	add_outlet(pub, SCAPH_OUTLET_HOST, &segment);
	return 0;
}

int scaph_publication_open(const struct scaph_publication_terms *terms,
			   const struct scaph_domain *domain, bool lenient,
			   struct scaph_publication *ret)
{
	struct scaph_publication pub = { .domain = domain, .state = SCAPH_STATE_LIVE };
	uint64_t bytes;
	int r = 0;

	describe(terms, &pub, &bytes);
	if (domain && !domain->released)
		r = open_share(terms, &pub, bytes);
	if ((r == 0 || lenient) && domain)
		r = open_ivshmem(terms, &pub, bytes);
	if (r == 0 || lenient)
		r = open_host(terms, &pub, bytes);
	if (r) {
		scaph_publication_close(&pub, terms->host_fd);
		return r;
	}
	if (domain && domain->profile == SCAPH_PROFILE_OFF)
		pub.reasons |= SCAPH_REASON_PROFILE_OFF;
	*ret = pub;
	return 0;
}

void scaph_publication_close(struct scaph_publication *pub, int unlink_host_fd)
{
	for (uint32_t i = 0; i < pub->outlets; i++) {
		if (pub->outlet[i].kind == SCAPH_OUTLET_HOST && unlink_host_fd >= 0)
			unlinkat(unlink_host_fd, pub->host_name, 0);
		scaph_segment_close(&pub->outlet[i].segment);
	}
	pub->outlets = 0;
}

void scaph_publication_close_guest(struct scaph_publication *pub)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < pub->outlets; i++) {
		if (pub->outlet[i].kind == SCAPH_OUTLET_HOST)
			pub->outlet[kept++] = pub->outlet[i];
		else
			scaph_segment_close(&pub->outlet[i].segment);
	}
	pub->outlets = kept;
}

static const struct scaph_outlet *outlet_of(const struct scaph_publication *pub,
					    enum scaph_outlet_kind kind)
{
	for (uint32_t i = 0; i < pub->outlets; i++) {
		if (pub->outlet[i].kind == kind)
			return &pub->outlet[i];
	}
	return NULL;
}

bool scaph_publication_has(const struct scaph_publication *pub, enum scaph_outlet_kind kind)
{
	return outlet_of(pub, kind) != NULL;
}

bool scaph_publication_writes(const struct scaph_publication *pub, enum scaph_outlet_kind kind,
			      const struct stat *file)
{
	const struct scaph_outlet *outlet = outlet_of(pub, kind);
	struct stat own;

	return outlet && fstat(outlet->segment.fd, &own) == 0 && own.st_dev == file->st_dev &&
	       own.st_ino == file->st_ino;
}
