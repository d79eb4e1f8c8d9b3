/* SPDX-License-Identifier: Apache-2.0 */
/*
 * author.c - opening, adopting and keeping up a segment
 */
#include "tests/stress/author.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "proto/descriptor.h"
#include "proto/seq.h"
#include "tests/stress/stage.h"

#define BEAT_NS (100 * NS_PER_MS)

static void describe(struct scaph_descriptor *desc, uint64_t window_ns, uint64_t *ret_bytes)
{
	scaph_descriptor_init(desc);
	desc->subject = SCAPH_SUBJECT_DOMAIN;
	desc->window_ns = window_ns;
	desc->profile = SCAPH_PROFILE_TRUSTED;
	strcpy(desc->name, "stress");
	scaph_descriptor_place_rings(desc, ret_bytes);
}

void author_open(struct author *author, struct ledger *ledger)
{
	int dir_fd = open(stage_dir(), O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	struct scaph_descriptor desc;
	uint64_t bytes;
	int r;

	*author = (struct author){ .ledger = ledger };
	/* Of all windows used, the shortest has the longest ring. */
	describe(&desc, AUTHOR_WINDOW_SHORT_NS, &bytes);
	r = scaph_segment_open(dir_fd, SCAPH_SEGMENT_NAME, bytes, 0644, SCAPH_SEGMENT_KEEP_GROUP,
			       &author->segment);
	close(dir_fd);
	if (r) {
		fprintf(stderr, "stress: segment: %s\n", r < 0 ? strerror(-r) : "refused");
		exit(1);
	}
}

void author_close(struct author *author)
{
	scaph_segment_close(&author->segment);
}

void author_begin(struct author *author, uint64_t window_ns)
{
	struct scaph_descriptor desc;
	uint64_t bytes;

	describe(&desc, window_ns, &bytes);
	do {
		if (getrandom(&desc.epoch_id, sizeof(desc.epoch_id), 0) != sizeof(desc.epoch_id))
			abort();
	} while (!scaph_epoch_id_usable(desc.epoch_id));
	author->epoch = ledger_begin(author->ledger, desc.epoch_id);
	author->index = 0;
	author->refreshed_ns = author->beat_ns = stage_now_ns();
	scaph_writer_adopt(&author->writer, author->segment.guard.map, author->segment.bytes,
			   &desc);
}

void author_upkeep(struct author *author, uint64_t now_ns)
{
	if (now_ns - author->beat_ns >= BEAT_NS) {
		scaph_writer_beat(&author->writer);
		author->beat_ns = now_ns;
	}
	/* As the daemon does: twice as often as promised. */
	if (now_ns - author->refreshed_ns >= NS_PER_S / 2) {
		if (author->index)
			scaph_writer_publish_slow(&author->writer, &author->newest);
		scaph_writer_refresh(&author->writer);
		author->refreshed_ns = now_ns;
	}
}

void author_finish(struct author *author)
{
	atomic_store_explicit(&author->epoch->closed, true, memory_order_release);
}

void author_rest(struct author *author)
{
	author_finish(author);
	while (ledger_order(author->ledger) != LEDGER_END) {
		scaph_writer_beat(&author->writer);
		author_upkeep(author, stage_now_ns());
		stage_sleep(5 * NS_PER_MS);
	}
}
