/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publication.h - one domain's segments and what is published in them
 *
 * A domain has up to three outlets: its share, its ivshmem file, the host's private copy. All
 * outlets that the guest sees carry the same epoch, numbers and records, and what its profile lets
 * it see: this is the place where profiles are enforced, before any byte is written. The host's copy
 * is exact and has an epoch of its own. The host's totals are a publication without a domain.
 *
 * Opened and closed by the main thread; in between owned by the publisher thread.
 */
#ifndef SCAPH_PRODUCER_PUBLICATION_H
#define SCAPH_PRODUCER_PUBLICATION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/stat.h>

#include "producer/config/config.h"
#include "producer/domain/domain.h"
#include "producer/domain/share.h"
#include "producer/meter/meter.h"
#include "producer/source/source.h"
#include "shm/segment.h"
#include "shm/writer.h"

#define SCAPH_OUTLETS_MAX 3U

enum scaph_outlet_kind {
	SCAPH_OUTLET_SHARE,
	SCAPH_OUTLET_IVSHMEM,
	SCAPH_OUTLET_HOST,
};

struct scaph_outlet {
	enum scaph_outlet_kind kind;
	struct scaph_segment segment;
	struct scaph_writer writer;
};

struct scaph_publication {
	const struct scaph_domain *domain; /* NULL: the host's totals */
	struct scaph_outlet outlet[SCAPH_OUTLETS_MAX];
	uint32_t outlets;
	struct scaph_share_place share; /* the folder, as it was found */
	char host_name[64]; /* of the file in the host folder */
	struct scaph_descriptor desc; /* what every outlet's descriptor begins from */
	uint64_t origin_ns; /* of the epoch, in CLOCK_MONOTONIC */
	uint16_t breaks;
	bool slow_due; /* the next record goes into the slow rings as well */
	uint32_t state;
	uint32_t reasons; /* of this publication alone */
};

/* What all publications of a run have in common. */
struct scaph_publication_terms {
	const struct scaph_config *config;
	const struct scaph_source *source;
	const struct scaph_meter *meter;
	uint64_t window_ns;
	gid_t group; /* SCAPH_SEGMENT_KEEP_GROUP: none given */
	int root_fd, host_fd, shm_fd;
};

/**
 * scaph_publication_open() - open every outlet there is for a domain, or the host's totals
 * @terms:   of this run
 * @domain:  outlives the publication; NULL: the host's totals
 * @lenient: a share or ivshmem file that is not right is said and left out
 * @ret:     set on 0; closed with scaph_publication_close()
 *
 * Return:   0, or a negative errno after one line on standard error.
 */
int scaph_publication_open(const struct scaph_publication_terms *terms,
			   const struct scaph_domain *domain, bool lenient,
			   struct scaph_publication *ret);

/* @unlink_host_fd: the host folder, to take the host's copy away; -1: leave it. */
void scaph_publication_close(struct scaph_publication *publication, int unlink_host_fd);

/* Only what the guest sees: the host's copy stays. */
void scaph_publication_close_guest(struct scaph_publication *publication);

/*
 * Begin an epoch in every outlet; origin in CLOCK_MONOTONIC. 0 or a negative errno (no randomness).
 */
int scaph_publication_begin_epoch(struct scaph_publication *publication, uint64_t origin_ns);

/**
 * scaph_publication_record() - publish one closed window
 * @exact: for the host's copy, and for the guest of a trusted domain
 * @guest: for the guest of any other one that sees records
 *
 * Return:   0, or SCAPH_WRITER_EPOCH_FULL: begin an epoch first.
 */
int scaph_publication_record(struct scaph_publication *publication, const struct scaph_slot *exact,
			     const struct scaph_slot *guest);

/*
 * Ahead of its turn: first what a publication itself is made of, some later, when that has come, the
 * lines of its segments: see scaph_writer_prefetch().
 */
void scaph_publication_approach(const struct scaph_publication *publication);
void scaph_publication_prefetch(const struct scaph_publication *publication);

/* Whether an outlet is open, and the file it writes to (device and inode). */
bool scaph_publication_has(const struct scaph_publication *publication,
			   enum scaph_outlet_kind kind);
bool scaph_publication_writes(const struct scaph_publication *publication,
			      enum scaph_outlet_kind kind, const struct stat *file);

/*
 * Outlets whose mapping lost its pages, bit by enum scaph_outlet_kind: they are written no more.
 * Publisher thread.
 */
uint8_t scaph_publication_failed(const struct scaph_publication *publication);

void scaph_publication_beat(struct scaph_publication *publication);

/**
 * scaph_publication_second() - once a second: status now, and the slow rings with the next record
 * @status:      what all have in common; mono_ns in CLOCK_MONOTONIC. The publication adds its own
 * @host_status: the same for the host's copy
 */
void scaph_publication_second(struct scaph_publication *publication,
			      const struct scaph_status *status,
			      const struct scaph_status *host_status);

/* Put descriptor, heads and status back from private memory: at least once a second. */
void scaph_publication_refresh(struct scaph_publication *publication);

#endif
