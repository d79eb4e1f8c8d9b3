/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admission.h - who enters the table of domains and who leaves it
 *
 * Main thread only. Domains come from options at the start and from the hypervisor at any time; each
 * has its slot of counters and its segments before the publisher sees it, and is retired after the
 * publisher has let go of it. A domain that comes again is a new epoch; its counters go on.
 */
#ifndef SCAPH_PRODUCER_ADMISSION_H
#define SCAPH_PRODUCER_ADMISSION_H

#include "producer/publish/publisher.h"

struct scaph_admission {
	const struct scaph_publication_terms *terms;
	struct scaph_table *table;
	struct scaph_ledger *ledger;
	struct scaph_publisher *publisher;
	int epoll_fd; /* pidfds of all entries, with the entry as data */
	bool running; /* the publisher is: an entry that comes now begins its own epoch */
};

/**
 * scaph_admission_enter() - let a domain in
 * @domain:  taken over, also on failure; one of its UUID that is in leaves first
 * @lenient: what is wrong with its share is said, and the domain comes in without
 *
 * Return:   0, or a negative errno after one line.
 */
int scaph_admission_enter(struct scaph_admission *admission, struct scaph_domain *domain,
			  bool lenient);

/**
 * scaph_admission_replace() - let one that is in come in again as it is now
 * @entry:  leaves
 * @domain: the same process; taken over, also on failure. If it is released, the share that @entry has
 *          let go of is not taken for another
 *
 * Return:   0, or a negative errno after one line.
 */
int scaph_admission_replace(struct scaph_admission *admission, struct scaph_entry *entry,
			    struct scaph_domain *domain);

/* Let a domain go: its guest is told that it is gone. @why: for the log, or NULL for no line. */
void scaph_admission_leave(struct scaph_admission *admission, struct scaph_entry *entry,
			   const char *why);

/* All leave without being told: the publisher has told them that the producer ended. */
void scaph_admission_clear(struct scaph_admission *admission);

/**
 * scaph_admission_release() - let go of a domain's share and ivshmem file, so that they can be unmounted
 *
 * The guest is told that the domain is gone; the host goes on to see its figures. It ends with the domain's next
 * start, with scaph_admission_reopen(), when another share is mounted, and when an ivshmem device is plugged in.
 *
 * Return:   0, also if there is no such domain; or a negative errno after one line.
 */
int scaph_admission_release(struct scaph_admission *admission,
			    const uint8_t uuid[SCAPH_UUID_BYTES]);

/* Open whatever share and ivshmem file a domain has now: as above. */
int scaph_admission_reopen(struct scaph_admission *admission, const uint8_t uuid[SCAPH_UUID_BYTES]);

/* Give a domain the profile that it has by now: a new epoch, if it is another. As above. */
int scaph_admission_look_at_profile(struct scaph_admission *admission,
				    const uint8_t uuid[SCAPH_UUID_BYTES]);

/* NULL: none has this UUID. */
struct scaph_entry *scaph_admission_find(const struct scaph_admission *admission,
					 const uint8_t uuid[SCAPH_UUID_BYTES]);

/*
 * Shares that came, were remounted or went since the last look: their domains come in again, with
 * what is there now. Every few seconds.
 */
void scaph_admission_look_at_shares(struct scaph_admission *admission);

#endif
