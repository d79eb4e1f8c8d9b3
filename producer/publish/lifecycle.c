/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lifecycle.c - letters into entries
 */
#include "producer/publish/lifecycle.h"

#include <poll.h>
#include <string.h>

#include "producer/process/log.h"
#include "proto/names.h"

#define LETTERS_A_TURN 32U /* each may open some files, and others wait: the service manager too */

/* Notes that the publisher takes at its next tick. */
static void note(struct scaph_admission *admission, struct scaph_entry *entry, bool paused,
		 bool refresh)
{
	pthread_mutex_lock(&admission->publisher->lock);
	entry->paused = paused;
	entry->refresh |= refresh;
	pthread_mutex_unlock(&admission->publisher->lock);
}

/* Its process has ended, which the main loop has not come to act on yet. */
static bool has_ended(const struct scaph_entry *entry)
{
	struct pollfd end = { .fd = entry->domain.pidfd, .events = POLLIN };

	return poll(&end, 1, 0) > 0;
}

/* Whether a process is the domain, or in its control group. */
static bool has(const struct scaph_domain *domain, pid_t pid)
{
	return domain->pid ? domain->pid == pid : scaph_cgroup_holds(&domain->cgroup, pid);
}

/* Another than @but that has this process, or NULL. */
static struct scaph_entry *find_holder(struct scaph_admission *admission, pid_t pid,
				       const struct scaph_entry *but)
{
	struct scaph_entry *entry = scaph_table_first(admission->table);

	while (entry && (entry == but || !has(&entry->domain, pid)))
		entry = scaph_table_next(admission->table, entry);
	return entry;
}

/*
 * Whoever is known by this UUID, or else has this process: it is in the table once, whatever it is
 * called, for its CPU time is to be counted once.
 */
static struct scaph_entry *find_sighted(struct scaph_admission *admission,
					const struct scaph_sighting *sighting)
{
	struct scaph_entry *entry = scaph_admission_find(admission, sighting->uuid);

	return entry ? entry : find_holder(admission, sighting->pid, NULL);
}

/* The option and the hypervisor do not agree; one line. */
static void say_option_holds(struct scaph_entry *entry, const struct scaph_sighting *sighting)
{
	char uuid[SCAPH_UUID_TEXT_BYTES];

	if (entry->option_said)
		return;
	entry->option_said = true;
	scaph_uuid_format(sighting->uuid, uuid);
	if (entry->domain.pid == sighting->pid)
		scaph_warning("domain %s: --domain names process %d, which the hypervisor knows as "
			      "%s; the option holds: take it away, or say NAME@%s in it",
			      entry->domain.shown, (int)entry->domain.pid, uuid, uuid);
	else if (!entry->domain.pid)
		scaph_warning(
			"domain %s: --domain names a control group in which the hypervisor's "
			"domain %s runs; the option holds: take it away to have that by itself",
			entry->domain.shown, uuid);
	else
		scaph_warning("domain %s: --domain names process %d, the hypervisor %d; the option "
			      "holds",
			      entry->domain.shown, (int)entry->domain.pid, (int)sighting->pid);
}

/* Another process with its UUID, than the one that libvirt says is it: one line. */
static void say_libvirt_holds(struct scaph_entry *entry, const struct scaph_sighting *sighting)
{
	if (entry->option_said || entry->domain.pid == sighting->pid)
		return;
	entry->option_said = true;
	scaph_warning("domain %s: process %d says that it is that too; libvirt's word that it is "
		      "process %d holds",
		      entry->domain.shown, (int)sighting->pid, (int)entry->domain.pid);
}

static bool is_same(const struct scaph_domain *domain, const struct scaph_sighting *sighting)
{
	return domain->pid == sighting->pid &&
	       memcmp(domain->uuid, sighting->uuid, SCAPH_UUID_BYTES) == 0;
}

/*
 * What is known of it holds: it is the same process under the same UUID, or whoever named it goes before
 * who tells of it now: the operator before libvirt, and libvirt before what its process says.
 */
static bool is_held(struct scaph_admission *admission, struct scaph_entry *entry,
		    const struct scaph_sighting *sighting)
{
	struct scaph_domain *domain = &entry->domain;
	bool same = is_same(domain, sighting);

	/* One that the operator named stays as he named it. */
	if (!domain->hypervisor && !same) {
		say_option_holds(entry, sighting);
		return true;
	}
	if (sighting->discovered && domain->hypervisor && !domain->discovered) {
		say_libvirt_holds(entry, sighting);
		return true;
	}
	/* A process says nothing of being paused. */
	if (!same || sighting->discovered)
		return same;
	note(admission, entry, sighting->paused, false);
	/* Plugged in or out meanwhile: it comes in again with what it has now. */
	if (domain->hypervisor && domain->ivshmem != sighting->ivshmem)
		return false;
	/* libvirt knows its devices better; from now on it is libvirt's. */
	if (domain->discovered && (domain->pve_shmem || domain->uuid_alone))
		return false;
	domain->discovered = false;
	return true;
}

/* What it was asked to let go of stays so, unless a device was plugged in: that is to be written to. */
static int come_again(struct scaph_admission *admission, struct scaph_entry *entry,
		      struct scaph_domain *domain)
{
	domain->released = entry->domain.released && (entry->domain.ivshmem || !domain->ivshmem);
	return scaph_admission_replace(admission, entry, domain);
}

/*
 * @entry has its UUID and is another process: whoever has its process goes, or stays if the operator named
 * it. Whether the sighting may come in.
 */
static bool make_way(struct scaph_admission *admission, struct scaph_entry *entry,
		     const struct scaph_sighting *sighting)
{
	struct scaph_entry *holder = find_holder(admission, sighting->pid, entry);

	if (!holder)
		return true;
	if (has_ended(holder) || holder->domain.hypervisor) {
		scaph_admission_leave(admission, holder,
				      has_ended(holder) ? "its process has ended"
							: "its process has another UUID now");
		return true;
	}
	say_option_holds(holder, sighting);
	scaph_admission_leave(admission, entry, "its UUID is another process's");
	return false;
}

static void on_running(struct scaph_admission *admission, const struct scaph_sighting *sighting)
{
	struct scaph_entry *entry = find_sighted(admission, sighting);
	struct scaph_domain domain;
	int r;

	if (entry && has_ended(entry)) {
		scaph_admission_leave(admission, entry, "its process has ended");
		entry = find_sighted(admission, sighting);
	}
	if (entry && is_held(admission, entry, sighting))
		return;
	/* Its process under another UUID than before: counted once. */
	if (entry && entry->domain.pid == sighting->pid && !is_same(&entry->domain, sighting)) {
		scaph_admission_leave(admission, entry, "its process has another UUID now");
		entry = NULL;
	} else if (entry && !make_way(admission, entry, sighting)) {
		return;
	}
	if (scaph_domain_from_sighting(sighting, &domain))
		return; /* most likely gone between being listed and being looked at */
	if (entry && is_same(&entry->domain, sighting))
		r = come_again(admission, entry, &domain);
	else
		r = scaph_admission_enter(admission, &domain, true);
	if (r)
		return;
	entry = scaph_admission_find(admission, sighting->uuid);
	note(admission, entry, sighting->paused, false);
}

/* Discovery has no say about what libvirt knows. */
static void on_stopped(struct scaph_admission *admission, const struct scaph_sighting *sighting)
{
	struct scaph_entry *entry = scaph_admission_find(admission, sighting->uuid);

	if (entry && entry->domain.hypervisor &&
	    (entry->domain.discovered || !sighting->discovered))
		scaph_admission_leave(admission, entry, "it was stopped");
}

static void on_refresh(struct scaph_admission *admission, const uint8_t uuid[SCAPH_UUID_BYTES])
{
	struct scaph_entry *entry = scaph_admission_find(admission, uuid);

	if (entry)
		note(admission, entry, entry->paused, true);
}

static bool among(const uint8_t (*uuids)[SCAPH_UUID_BYTES], uint32_t count,
		  const uint8_t uuid[SCAPH_UUID_BYTES])
{
	for (uint32_t i = 0; i < count; i++) {
		if (memcmp(uuids[i], uuid, SCAPH_UUID_BYTES) == 0)
			return true;
	}
	return false;
}

/* What was missed while there was no connection. */
static void on_listed(struct scaph_admission *admission, const struct scaph_letter *letter)
{
	const uint8_t(*uuids)[SCAPH_UUID_BYTES] = (const uint8_t(*)[SCAPH_UUID_BYTES])letter->uuids;
	struct scaph_entry *entry = scaph_table_first(admission->table), *next;

	for (; entry; entry = next) {
		next = scaph_table_next(admission->table, entry);
		if (entry->domain.hypervisor && !entry->domain.discovered &&
		    !among(uuids, letter->running, entry->domain.uuid))
			scaph_admission_leave(admission, entry,
					      "it was stopped while libvirt was away");
	}
}

static void on_unseen(const struct scaph_letter *letter)
{
	char shown[4 * SCAPH_NAME_BYTES];

	scaph_name_escape(letter->sighting.name, shown, sizeof(shown));
	scaph_warning("domain %s runs, but its process is not found: %s", shown, letter->why);
}

static void act(struct scaph_admission *admission, const struct scaph_letter *letter)
{
	switch (letter->kind) {
	case SCAPH_LETTER_RUNNING:
		on_running(admission, &letter->sighting);
		break;
	case SCAPH_LETTER_STOPPED:
		on_stopped(admission, &letter->sighting);
		break;
	case SCAPH_LETTER_UNDEFINED:
		scaph_ledger_forget(admission->ledger, letter->sighting.uuid);
		break;
	case SCAPH_LETTER_REFRESH:
		on_refresh(admission, letter->sighting.uuid);
		break;
	case SCAPH_LETTER_LISTED:
		on_listed(admission, letter);
		break;
	case SCAPH_LETTER_UNSEEN:
		on_unseen(letter);
		break;
	case SCAPH_LETTER_CONNECTION:
		if (letter->up)
			scaph_info("libvirt: connected; domains come by themselves");
		else
			scaph_warning("libvirt: %s; what runs goes on, and it is tried again",
				      letter->why);
		break;
	}
}

void scaph_lifecycle_act(struct scaph_admission *admission, struct scaph_mailbox *mailbox)
{
	struct scaph_letter *letter;

	for (unsigned int i = 0; i < LETTERS_A_TURN && (letter = scaph_mailbox_take(mailbox));
	     i++) {
		act(admission, letter);
		scaph_letter_free(letter);
	}
}
