/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publication.h - one domain's segments and what is published in them
 *
 * A domain has up to three outlets: its share, its ivshmem file, the host's private copy. All
 * outlets that the guest sees carry the same epoch, numbers and records, as far as its profile lets
 * it see any; the host's copy is exact and has an epoch of its own. The host's totals are a
 * publication without a domain.
 *
 * Opened and closed by the main thread; in between owned by the publisher thread.
 */
#ifndef SCAPH_PRODUCER_PUBLICATION_H
#define SCAPH_PRODUCER_PUBLICATION_H

#include <stdbool.h>
#include <stdint.h>

#include "producer/attribution.h"
#include "producer/config.h"
#include "producer/domain.h"
#include "producer/meter.h"
#include "producer/source.h"
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
	char host_name[64]; /* of the file in the host folder */
	struct scaph_descriptor desc; /* what every outlet's descriptor begins from */
	struct scaph_account package, core, dram;
	uint64_t cpu_ns;
	uint16_t breaks;
	uint32_t state;
	uint32_t reasons;
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
 * @terms:  of this run
 * @domain: outlives the publication; NULL: the host's totals
 * @ret:    set on 0; closed with scaph_publication_close()
 *
 * Return:   0, or a negative errno after one line on standard error.
 */
int scaph_publication_open(const struct scaph_publication_terms *terms,
			   const struct scaph_domain *domain, struct scaph_publication *ret);

/* @unlink_host_fd: the host folder, to take the host's copy away; -1: leave it. */
void scaph_publication_close(struct scaph_publication *publication, int unlink_host_fd);

/*
 * Begin an epoch in every outlet: accounts from 0; origin in CLOCK_MONOTONIC. 0 or a negative errno
 * (no randomness).
 */
int scaph_publication_begin_epoch(struct scaph_publication *publication, uint64_t origin_ns);

/* Publish one closed window. SCAPH_WRITER_EPOCH_FULL: begin an epoch first. */
int scaph_publication_record(struct scaph_publication *publication,
			     const struct scaph_slot *record);

/*
 * Outlets whose mapping lost its pages, bit by enum scaph_outlet_kind: they are written no more.
 * Publisher thread.
 */
uint8_t scaph_publication_failed(const struct scaph_publication *publication);

/* A retired publication's figures belong to an epoch that is over. */
void scaph_publication_clear_accounts(struct scaph_publication *publication);
void scaph_publication_beat(struct scaph_publication *publication);

/* Once a second: slow ring and status. The publication adds its own state and reasons. */
void scaph_publication_second(struct scaph_publication *publication,
			      const struct scaph_status *status);

/* Put descriptor, heads and status back from private memory: at least once a second. */
void scaph_publication_refresh(struct scaph_publication *publication);

#endif
