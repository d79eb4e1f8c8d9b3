/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_segments.c - what the segments say: of themselves, and by moving or not
 *
 * On a host a fault is said once, with the first segment that has it and how many others have it too.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "consumer/doctor/access.h"
#include "consumer/doctor/exam.h"
#include "consumer/find.h"
#include "consumer/scaph.h"
#include "proto/names.h"

#define HOST_FOLDER "/run/scaph/host"
#define PATIENCE_NS 3000000000ULL /* a live segment moves within 100 ms */
#define STEP_NS 20000000L
#define SHOWN_BYTES 700U
#define HEAD_BYTES 8192 /* before the rings */

struct segment {
	const char *path;
	bool host; /* its domain may be at rest while we look */
	struct scaph_reader *reader;
	int verdict; /* enum scaph_fault; SCAPH_FAULTS: none; -1: not known yet */
	char detail[400];
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static void judge(struct segment *segment, int fault, const char *detail)
{
	segment->verdict = fault;
	snprintf(segment->detail, sizeof(segment->detail), "%s", detail);
}

/* A domain that is off or paused has no records, and nothing is wrong with that on its host. */
static bool is_at_rest(struct segment *segment)
{
	struct scaph_bulletin bulletin = { .size = sizeof(bulletin) };

	return segment->host && scaph_bulletin_read(segment->reader, &bulletin) == SCAPH_OK &&
	       (bulletin.state == SCAPH_BULLETIN_PAUSED ||
		(bulletin.state == SCAPH_BULLETIN_RETIRED &&
		 bulletin.reasons & SCAPH_BULLETIN_DOMAIN_GONE));
}

/* No layout at all: no scaphd has made it whole. */
static bool is_short(const struct segment *segment)
{
	struct stat st;

	return stat(segment->path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size < HEAD_BYTES;
}

static void look(struct segment *segment, bool last)
{
	struct scaph_info info = { .size = sizeof(info) };
	struct scaph_record record = {};
	int r = scaph_next(segment->reader, &record);
	const char *reason = scaph_reason(segment->reader);

	if (r == SCAPH_OK && record.flags & SCAPH_HAS_PACKAGE) {
		bool estimated = record.flags & SCAPH_IS_ESTIMATED;

		estimated |= scaph_describe(segment->reader, &info) == 0 && info.is_estimated;
		judge(segment, estimated ? SCAPH_FAULT_ESTIMATED : SCAPH_FAULTS, info.source);
	} else if (r == SCAPH_WITHHELD) {
		judge(segment, SCAPH_FAULT_PROFILE_OFF, reason);
	} else if (r == SCAPH_REFUSED) {
		judge(segment,
		      is_short(segment) ? SCAPH_FAULT_STALE_PRODUCER : SCAPH_FAULT_OTHER_LAYOUT,
		      reason);
	} else if (last && is_at_rest(segment)) {
		judge(segment, SCAPH_FAULTS, "");
	} else if (last && (r == SCAPH_OK || r == SCAPH_EMPTY)) {
		judge(segment, SCAPH_FAULT_NO_ENERGY, reason);
	} else if (last) {
		judge(segment, SCAPH_FAULT_STALE_PRODUCER,
		      r < 0	? strerror(-r)
		      : *reason ? reason
				: "nothing moves");
	}
}

static void open_one(struct scaph_exam *exam, struct segment *segment, const char *path)
{
	struct scaph_options options = { .size = sizeof(options), .guard = 1 };
	int r = scaph_open(path, &options, &segment->reader);

	segment->path = path;
	segment->host = exam->options->roles & SCAPH_ROLE_HOST;
	segment->verdict = r == 0 ? -1 : SCAPH_FAULTS;
	if (r == 0)
		return;
	segment->reader = NULL;
	/* A device's is said where its way is looked at. */
	if ((r == -EACCES || r == -EPERM) && strstr(path, "/resource2"))
		return;
	if (r == -EACCES)
		scaph_access_explain(exam, path);
	else if (r != -ENOENT)
		judge(segment, SCAPH_FAULT_OTHER_LAYOUT, strerror(-r));
}

static const char *mend_of(const struct scaph_exam *exam, int fault)
{
	bool host = exam->options->roles == SCAPH_ROLE_HOST;

	switch (fault) {
	case SCAPH_FAULT_OTHER_LAYOUT:
		return "install the same version of scaphring here and on the host, or give --path "
		       "a segment";
	case SCAPH_FAULT_ESTIMATED:
		return host ? "sudo scaphd --check says which source would measure; then set "
			      "source = auto in /etc/scaph/scaphd.conf"
			    : "on the host: sudo scaphd --check says which source would measure";
	case SCAPH_FAULT_PROFILE_OFF:
		return "on the host: sudo scaph-vm enable --profile shared DOMAIN";
	case SCAPH_FAULT_NO_ENERGY:
		return "journalctl -u scaphd on the host says why; a price of CPU time comes 10 s "
		       "after CPU time is used";
	default:
		return host ? "sudo systemctl restart scaphd; journalctl -u scaphd says why it "
			      "ended"
			    : "on the host: sudo systemctl restart scaphd; journalctl -u scaphd "
			      "says why it ended";
	}
}

static void say(struct scaph_exam *exam, const struct segment *segments, uint32_t count, int fault)
{
	char path[170], shown[SHOWN_BYTES], others[64] = "";
	const struct segment *first = NULL;
	uint32_t more = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (segments[i].verdict != fault)
			continue;
		more += first != NULL;
		first = first ? first : &segments[i];
	}
	if (!first)
		return;
	if (more)
		snprintf(others, sizeof(others), " (and %u others)", more);
	snprintf(path, sizeof(path), "%s", first->path);
	scaph_name_escape(path, shown, sizeof(shown));
	if (fault == SCAPH_FAULT_ESTIMATED)
		scaph_exam_find(exam, SCAPH_FAULT_ESTIMATED, mend_of(exam, fault),
				"%s%s: figures are an estimate, of source %s, and not measured",
				shown, others, first->detail);
	else
		scaph_exam_find(exam, (enum scaph_fault)fault, mend_of(exam, fault), "%s%s: %s",
				shown, others, first->detail);
}

static void watch(struct segment *segments, uint32_t count)
{
	uint64_t until_ns = now_ns() + PATIENCE_NS;
	struct timespec step = { .tv_nsec = STEP_NS };
	uint32_t open;

	do {
		bool last = now_ns() >= until_ns;

		open = 0;
		for (uint32_t i = 0; i < count; i++) {
			if (segments[i].verdict < 0)
				look(&segments[i], last);
			open += segments[i].verdict < 0;
		}
		if (open)
			nanosleep(&step, NULL);
	} while (open);
}

static void examine(struct scaph_exam *exam, const struct scaph_places *places)
{
	struct segment *segments = calloc(places->count ? places->count : 1, sizeof(*segments));

	if (!segments)
		return;
	for (uint32_t i = 0; i < places->count; i++)
		open_one(exam, &segments[i], places->path[i]);
	watch(segments, places->count);
	for (int fault = 0; fault < SCAPH_FAULTS; fault++)
		say(exam, segments, places->count, fault);
	for (uint32_t i = 0; i < places->count; i++)
		scaph_close(segments[i].reader);
	free(segments);
}

void scaph_check_segments(struct scaph_exam *exam)
{
	bool host = exam->options->roles & SCAPH_ROLE_HOST;
	const char *path = exam->options->path ? exam->options->path : getenv("SCAPH_PATH");
	struct scaph_places places;
	int r;

	if (!path && host)
		path = HOST_FOLDER;
	r = scaph_find(path, exam->options->sysfs, &places);
	if (r == 0)
		examine(exam, &places);
	else if (host && r == -EACCES)
		scaph_access_explain(exam, places.looked);
	else if (host)
		scaph_exam_find(
			exam, SCAPH_FAULT_STALE_PRODUCER,
			"sudo systemctl start scaphd; journalctl -u scaphd says why it does "
			"not run",
			"%.300s: no figures there: scaphd does not run", places.looked);
	scaph_places_clear(&places);
}
