/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admission.c - entering and leaving
 */
#include "producer/publish/admission.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "producer/publish/bulletin.h"
#include "producer/process/clock.h"
#include "producer/process/log.h"
#include "producer/domain/profile.h"
#include "producer/domain/share.h"
#include "proto/names.h"

struct scaph_entry *scaph_admission_find(const struct scaph_admission *admission,
					 const uint8_t uuid[SCAPH_UUID_BYTES])
{
	struct scaph_entry *entry = scaph_table_first(admission->table);

	while (entry && memcmp(entry->domain.uuid, uuid, SCAPH_UUID_BYTES) != 0)
		entry = scaph_table_next(admission->table, entry);
	return entry;
}

/* Another domain that writes to the same file, or NULL: a folder's name is only a name. */
static const struct scaph_entry *squatter(const struct scaph_admission *admission,
					  const struct scaph_publication *publication)
{
	for (uint32_t i = 0; i < publication->outlets; i++) {
		const struct scaph_outlet *outlet = &publication->outlet[i];
		const struct scaph_entry *entry = scaph_table_first(admission->table);
		struct stat file;

		if (outlet->kind == SCAPH_OUTLET_HOST || fstat(outlet->segment.fd, &file) < 0)
			continue;
		for (; entry; entry = scaph_table_next(admission->table, entry)) {
			if (scaph_publication_writes(&entry->publication, SCAPH_OUTLET_SHARE,
						     &file) ||
			    scaph_publication_writes(&entry->publication, SCAPH_OUTLET_IVSHMEM,
						     &file))
				return entry;
		}
	}
	return NULL;
}

static void say_entered(const struct scaph_admission *admission, const struct scaph_entry *entry)
{
	const struct scaph_domain *domain = &entry->domain;
	bool share = scaph_publication_has(&entry->publication, SCAPH_OUTLET_SHARE);
	bool ivshmem = scaph_publication_has(&entry->publication, SCAPH_OUTLET_IVSHMEM);
	char uuid[SCAPH_UUID_TEXT_BYTES], what[4 * SCAPH_CGROUP_PATH_BYTES];

	scaph_uuid_format(domain->uuid, uuid);
	scaph_domain_describe(domain, what, sizeof(what));
	scaph_info("domain %s (%s, %s): profile %s, share %s%s", domain->shown, uuid, what,
		   scaph_profile_name(domain->profile), share ? "open" : "none",
		   ivshmem ? ", ivshmem open" : "");
	if (!share && !ivshmem && !domain->released)
		scaph_warning("domain %s has no share: neither %s/%s nor a folder of its name is "
			      "there; only the host sees its figures",
			      domain->shown, admission->terms->config->share_root, uuid);
	if (domain->profile == SCAPH_PROFILE_OFF)
		scaph_warning("domain %s sees no figures: its profile is off; take the rule away "
			      "that says so",
			      domain->shown);
}

static int open_entry(struct scaph_admission *admission, struct scaph_entry *entry, bool lenient)
{
	const struct scaph_entry *other;
	int r;

	r = scaph_publication_open(admission->terms, &entry->domain, lenient, &entry->publication);
	if (r)
		return r;
	other = squatter(admission, &entry->publication);
	if (!other)
		return 0;
	scaph_error("domain %s: its share is that of domain %s; give it a folder named by its UUID",
		    entry->domain.shown, other->domain.shown);
	if (lenient) {
		scaph_publication_close_guest(&entry->publication);
		return 0;
	}
	scaph_publication_close(&entry->publication, admission->terms->host_fd);
	return -EEXIST;
}

static void free_entry(struct scaph_admission *admission, struct scaph_entry *entry)
{
	scaph_meter_leave(admission->publisher->meter, &entry->reading);
	scaph_publication_close(&entry->publication, admission->terms->host_fd);
	if (entry->slot >= 0)
		scaph_ledger_give_back(admission->ledger, entry->slot);
	scaph_domain_close(&entry->domain);
	scaph_table_entry_free(entry);
}

static int count_for(struct scaph_admission *admission, struct scaph_entry *entry)
{
	int r = scaph_meter_enter(admission->publisher->meter, &entry->reading);

	if (r)
		scaph_error("domain %s: the meter cannot count for process %d: %s; --meter cputime "
			    "does without it",
			    entry->domain.shown, (int)entry->domain.pid, strerror(-r));
	return r;
}

/* Slot, segments and epoch of an entry that nobody sees yet. */
static int prepare(struct scaph_admission *admission, struct scaph_entry *entry, bool lenient)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = entry };
	int r;

	entry->slot = scaph_ledger_take(admission->ledger, entry->domain.uuid, &entry->tally);
	if (entry->slot < 0) {
		scaph_error("domain %s: %u domains run already", entry->domain.shown,
			    SCAPH_LEDGER_DOMAINS_MAX);
		return entry->slot;
	}
	r = open_entry(admission, entry, lenient);
	if (r == 0)
		r = count_for(admission, entry);
	if (r == 0 && admission->running)
		r = scaph_publication_begin_epoch(&entry->publication,
						  scaph_clock_ns(CLOCK_MONOTONIC));
	/* A control group's end is told by its counter alone. */
	if (r == 0 && entry->domain.pidfd >= 0 &&
	    epoll_ctl(admission->epoll_fd, EPOLL_CTL_ADD, entry->domain.pidfd, &event) < 0) {
		r = -errno;
		scaph_error("domain %s: its process cannot be watched: %s", entry->domain.shown,
			    strerror(-r));
	}
	return r;
}

int scaph_admission_enter(struct scaph_admission *admission, struct scaph_domain *domain,
			  bool lenient)
{
	struct scaph_entry *before = scaph_admission_find(admission, domain->uuid);
	struct scaph_entry *entry;
	int r;

	if (before)
		scaph_admission_leave(admission, before, NULL);
	entry = scaph_table_entry_new();
	if (!entry) {
		scaph_domain_close(domain);
		return -ENOMEM;
	}
	entry->domain = *domain;
	entry->domain.profile = scaph_profile_of(admission->terms->config, &entry->domain);
	entry->reading.pid = domain->pid;
	entry->reading.cpu_clock = domain->cpu_clock;
	entry->reading.usage_fd = domain->cgroup.usage_fd;
	entry->reading.usage_in_stat = domain->cgroup.in_stat;
	entry->reading.birth_ticks = domain->birth_ticks;
	r = prepare(admission, entry, lenient);
	if (r) {
		free_entry(admission, entry);
		return r;
	}
	say_entered(admission, entry);
	scaph_table_add(admission->table, entry);
	return 0;
}

void scaph_admission_leave(struct scaph_admission *admission, struct scaph_entry *entry,
			   const char *why)
{
	if (why)
		scaph_info("domain %s: %s; its segment is retired", entry->domain.shown, why);
	if (entry->domain.pidfd >= 0)
		epoll_ctl(admission->epoll_fd, EPOLL_CTL_DEL, entry->domain.pidfd, NULL);
	scaph_table_remove(admission->table, entry);
	if (admission->running)
		scaph_bulletin_retire(entry);
	free_entry(admission, entry);
}

void scaph_admission_clear(struct scaph_admission *admission)
{
	struct scaph_entry *entry;

	admission->running = false;
	while ((entry = scaph_table_first(admission->table)))
		scaph_admission_leave(admission, entry, NULL);
}

/*
 * Whether another folder stands there than was found last. The folder is the host's: what a guest
 * does inside changes nothing here, so it cannot keep us busy.
 */
static bool share_changed(const struct scaph_admission *admission, const struct scaph_entry *entry)
{
	bool held = scaph_publication_has(&entry->publication, SCAPH_OUTLET_SHARE);
	char folder[SCAPH_NAME_BYTES];
	struct scaph_share_place now;
	int fd, r;

	fd = scaph_share_look(admission->terms->root_fd, &entry->domain, folder);
	if (fd < 0)
		return false; /* gone: what is open goes on, for a guest may have it mounted */
	r = scaph_share_place_of(fd, &now);
	close(fd);
	return r == 0 && scaph_share_moved(&entry->publication.share, &now, held);
}

int scaph_admission_replace(struct scaph_admission *admission, struct scaph_entry *entry,
			    struct scaph_domain *domain)
{
	struct scaph_share_place share = entry->publication.share;
	bool paused = entry->paused, released = domain->released;
	uint8_t uuid[SCAPH_UUID_BYTES];
	int r;

	memcpy(uuid, domain->uuid, sizeof(uuid));
	r = scaph_admission_enter(admission, domain, true);
	if (r)
		return r;
	entry = scaph_admission_find(admission, uuid);
	/* Another than the one that was let go of is a new share. */
	if (released)
		entry->publication.share = share;
	pthread_mutex_lock(&admission->publisher->lock);
	entry->paused = paused;
	pthread_mutex_unlock(&admission->publisher->lock);
	return 0;
}

/* The same domain once more, with the share and file that there are now, or without any. */
static int enter_again(struct scaph_admission *admission, struct scaph_entry *entry, bool released)
{
	struct scaph_domain domain;
	int r = scaph_domain_copy(&entry->domain, &domain);

	if (r)
		return r;
	domain.released = released;
	return scaph_admission_replace(admission, entry, &domain);
}

void scaph_admission_look_at_shares(struct scaph_admission *admission)
{
	struct scaph_entry *entry = scaph_table_first(admission->table), *next;

	for (; entry; entry = next) {
		next = scaph_table_next(admission->table, entry);
		if (!share_changed(admission, entry))
			continue;
		scaph_info("domain %s: its share came or was replaced", entry->domain.shown);
		(void)enter_again(admission, entry, false);
	}
}

int scaph_admission_release(struct scaph_admission *admission, const uint8_t uuid[SCAPH_UUID_BYTES])
{
	struct scaph_entry *entry = scaph_admission_find(admission, uuid);

	if (!entry || entry->domain.released)
		return 0;
	scaph_info("domain %s: asked to let go of its share", entry->domain.shown);
	return enter_again(admission, entry, true);
}

int scaph_admission_reopen(struct scaph_admission *admission, const uint8_t uuid[SCAPH_UUID_BYTES])
{
	struct scaph_entry *entry = scaph_admission_find(admission, uuid);

	if (!entry)
		return 0;
	scaph_info("domain %s: asked to open its share anew", entry->domain.shown);
	return enter_again(admission, entry, false);
}

int scaph_admission_look_at_profile(struct scaph_admission *admission,
				    const uint8_t uuid[SCAPH_UUID_BYTES])
{
	struct scaph_entry *entry = scaph_admission_find(admission, uuid);

	if (!entry ||
	    scaph_profile_of(admission->terms->config, &entry->domain) == entry->domain.profile)
		return 0;
	scaph_info("domain %s: asked to look at its profile, which is another",
		   entry->domain.shown);
	return enter_again(admission, entry, entry->domain.released);
}
