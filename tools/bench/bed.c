/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bed.c - folders, segments and readers to measure on
 */
#include "tools/bench/bed.h"

#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "proto/descriptor.h"
#include "proto/seq.h"

#define PROOF_TRIES 1000

static char folder[] = "/dev/shm/scaph-bench-XXXXXX";
static pid_t maker;

static void remove_folder(void)
{
	struct dirent *entry;
	DIR *dir;

	if (getpid() != maker)
		return;
	dir = opendir(folder);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(dir), entry->d_name, 0);
	}
	if (dir)
		closedir(dir);
	rmdir(folder);
}

const char *bench_folder(void)
{
	if (!maker) {
		if (!mkdtemp(folder))
			err(1, "%s: no folder can be made on the tmpfs", folder);
		maker = getpid();
		atexit(remove_folder);
	}
	return folder;
}

void bench_segment_open(struct bench_segment *bed, uint64_t window_ns)
{
	static unsigned int opened;
	struct scaph_descriptor desc;
	char name[32];
	uint64_t bytes;
	int dir_fd, r;

	scaph_descriptor_init(&desc);
	desc.subject = SCAPH_SUBJECT_DOMAIN;
	desc.window_ns = window_ns;
	desc.profile = SCAPH_PROFILE_TRUSTED;
	strcpy(desc.name, "bench");
	scaph_descriptor_place_rings(&desc, &bytes);
	do {
		if (getrandom(&desc.epoch_id, sizeof(desc.epoch_id), 0) != sizeof(desc.epoch_id))
			err(1, "getrandom");
	} while (!scaph_epoch_id_usable(desc.epoch_id));
	snprintf(name, sizeof(name), "%u", opened++);
	snprintf(bed->path, sizeof(bed->path), "%s/%s", bench_folder(), name);
	dir_fd = open(bench_folder(), O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	r = scaph_segment_open(dir_fd, name, bytes, 0644, SCAPH_SEGMENT_KEEP_GROUP, &bed->segment);
	if (r)
		errx(1, "%s: %s", bed->path, r < 0 ? strerror(-r) : "refused");
	close(dir_fd);
	scaph_writer_adopt(&bed->writer, bed->segment.guard.map, bed->segment.bytes, &desc);
}

void bench_segment_close(struct bench_segment *bed)
{
	scaph_segment_close(&bed->segment);
	unlink(bed->path);
}

void bench_publish(struct bench_segment *bed)
{
	struct scaph_slot record;

	bench_record(&record, bed->writer.next_index);
	scaph_writer_publish(&bed->writer, &record);
}

void bench_write_flatout(struct bench_partner *partner, void *context)
{
	while (!bench_partner_told_to_stop(partner)) {
		for (int i = 0; i < 64; i++)
			bench_publish(context);
	}
}

struct scaph_reader *bench_reader_open(struct bench_segment *bed, int mode)
{
	struct scaph_options options = { .size = sizeof(options), .mode = mode };
	struct scaph_reader *reader;
	struct scaph_record record;
	int r = scaph_open(bed->path, &options, &reader);

	if (r < 0)
		errx(1, "%s: %s", bed->path, strerror(-r));
	/* A reader believes nothing before it saw something move. */
	for (int try = 0; try < PROOF_TRIES; try++) {
		bench_publish(bed);
		r = scaph_next(reader, &record);
		if (r == SCAPH_OK)
			return reader;
		usleep(1000);
	}
	errx(1, "%s: not proven: %s", bed->path, scaph_reason(reader));
}
