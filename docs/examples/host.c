/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host.c - several segments in one program: every domain of the host, and what belongs to none
 *
 * Usage: host FOLDER SECONDS       (usually /run/scaph/host)
 *
 * A reader a segment, all in one thread; each is independent of the others.
 */
#include <glob.h>
#include <scaph.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void show(struct scaph_reader *reader, uint64_t span_ns)
{
	struct scaph_bulletin bulletin = { .size = sizeof(bulletin) };
	struct scaph_info info = { .size = sizeof(info) };
	struct scaph_span span;

	if (scaph_window(reader, span_ns, &span) != SCAPH_OK ||
	    scaph_describe(reader, &info) != SCAPH_OK) {
		printf("%-38s %s\n", "?", scaph_reason(reader));
		return;
	}
	printf("%-38s %10.3f W\n", info.is_host ? "all" : info.uuid, (double)span.power_uw / 1e6);
	if (info.is_host && scaph_bulletin_read(reader, &bulletin) == SCAPH_OK &&
	    bulletin.valid & SCAPH_BULLETIN_HAS_RESIDUAL)
		printf("%-38s %10.3f J so far\n", "of no domain",
		       (double)bulletin.residual_uj / 1e6);
}

int main(int argc, char **argv)
{
	struct scaph_reader **reader;
	struct scaph_record record;
	char pattern[4096];
	size_t count = 0;
	glob_t found;

	if (argc != 3)
		return 1;
	snprintf(pattern, sizeof(pattern), "%s/*.ring", argv[1]);
	if (glob(pattern, 0, NULL, &found))
		return 1;
	reader = calloc(found.gl_pathc, sizeof(struct scaph_reader *));
	for (size_t i = 0; reader && i < found.gl_pathc; i++) {
		if (scaph_open(found.gl_pathv[i], NULL, &reader[count]) == 0)
			count++;
	}
	globfree(&found);
	/* One look each before the wait: two make the proof that it lives. */
	for (size_t i = 0; i < count; i++)
		scaph_latest(reader[i], &record);
	nanosleep(&(struct timespec){ .tv_sec = atoi(argv[2]) }, NULL);
	for (size_t i = 0; i < count; i++)
		show(reader[i], (uint64_t)atoi(argv[2]) * 1000000000);
	for (size_t i = 0; i < count; i++)
		scaph_close(reader[i]);
	free(reader);
	return count == 0;
}
