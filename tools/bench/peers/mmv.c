/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mmv.c - peer: eight metrics in a Memory Mapped Values file of Performance Co-Pilot
 *
 * mmv(5) has the format, mmv_set(3) the writer's side. The reader maps the file like PCP's own agent:
 * the layout is checked when it is mapped, both generations at every record, and each value is found
 * by its metric's item, through the table of metrics and that of values. In its favour: the agent's
 * stat() of the folder at each fetch is left out, and so is the way from the agent through pmcd to
 * whoever asked.
 *
 * The generations guard the layout alone. Nothing ties the eight values together, so a record read
 * while it is written can be a mixture: that counts as bad.
 */
#include "tools/bench/peers/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pcp/pmapi.h>
#include <pcp/mmv_stats.h>
#include <pcp/mmv_dev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "scaph-bench"
#define CLUSTER 1

/* The registry keeps the pointers. Items begin at 1. */
static const char *const names[BENCH_WORDS] = {
	"word0", "word1", "word2", "word3", "word4", "word5", "word6", "word7",
};

struct mmv_view {
	const void *bytes;
	size_t length_bytes;
	uint64_t generation;
	const mmv_disk_metric_t *metrics;
	const mmv_disk_value_t *values;
	uint32_t metrics_count;
	uint32_t values_count;
};

struct mmv {
	char folder[PATH_MAX - 64];
	mmv_registry_t *registry;
	void *map; /* the writer's */
	pmAtomValue *handles[BENCH_WORDS];
	struct mmv_view view;
};

/* libpcp_mmv knows the folder from the environment alone: $PCP_TMP_DIR/mmv, mmv(5). */
static void mmv_point_at(const struct mmv *peer)
{
	setenv("PCP_TMP_DIR", peer->folder, 1);
}

static void mmv_path(const struct mmv *peer, const char *leaf, char ret_path[PATH_MAX])
{
	snprintf(ret_path, PATH_MAX, "%s/mmv%s", peer->folder, leaf);
}

static int mmv_write_open(struct mmv *peer)
{
	pmUnits none = MMV_UNITS(0, 0, 0, 0, 0, 0);
	int r;

	peer->registry = mmv_stats_registry(FILE_NAME, CLUSTER, 0);
	if (!peer->registry)
		return errno ? -errno : -ENOMEM;
	for (int i = 0; i < BENCH_WORDS; i++) {
		r = mmv_stats_add_metric(peer->registry, names[i], i + 1, MMV_TYPE_U64,
					 MMV_SEM_INSTANT, none, 0, NULL, NULL);
		if (r)
			return r < 0 ? r : -r;
	}
	peer->map = mmv_stats_start(peer->registry);
	if (!peer->map)
		return errno ? -errno : -EIO;
	for (int i = 0; i < BENCH_WORDS; i++) {
		peer->handles[i] = mmv_lookup_value_desc(peer->map, names[i], NULL);
		if (!peer->handles[i])
			return -EPROTO;
	}
	return 0;
}

/* Find the two tables. This is layout version 1, which short names and no labels give. */
static int mmv_view_parse(struct mmv_view *view)
{
	const mmv_disk_header_t *header = view->bytes;
	const mmv_disk_toc_t *toc = (const mmv_disk_toc_t *)(header + 1);
	size_t rest;

	if (view->length_bytes < sizeof(*header) || memcmp(header->magic, "MMV", 4) ||
	    header->version != MMV_VERSION1 || !header->g1 || header->g1 != header->g2)
		return -EPROTO;
	view->generation = header->g1;
	rest = view->length_bytes - sizeof(*header);
	if (header->tocs < 2 || (size_t)header->tocs > rest / sizeof(*toc))
		return -EPROTO;
	for (int i = 0; i < header->tocs; i++) {
		size_t each = toc[i].type == MMV_TOC_METRICS ? sizeof(mmv_disk_metric_t)
							     : sizeof(mmv_disk_value_t);

		if (toc[i].type != MMV_TOC_METRICS && toc[i].type != MMV_TOC_VALUES)
			continue;
		if (toc[i].count < 0 || toc[i].offset > view->length_bytes ||
		    (size_t)toc[i].count > (view->length_bytes - toc[i].offset) / each)
			return -EPROTO;
		if (toc[i].type == MMV_TOC_METRICS) {
			view->metrics = (const void *)((const char *)header + toc[i].offset);
			view->metrics_count = (uint32_t)toc[i].count;
		} else {
			view->values = (const void *)((const char *)header + toc[i].offset);
			view->values_count = (uint32_t)toc[i].count;
		}
	}
	return view->metrics && view->values ? 0 : -EPROTO;
}

static int mmv_view_open(struct mmv_view *view, const char *path)
{
	struct stat st;
	int fd, r = 0;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		r = -errno;
	if (!r) {
		view->length_bytes = (size_t)st.st_size;
		view->bytes =
			mmap(NULL, view->length_bytes, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
		if (view->bytes == MAP_FAILED) {
			view->bytes = NULL;
			r = -errno;
		}
	}
	close(fd);
	return r ? r : mmv_view_parse(view);
}

static void mmv_close(void *state)
{
	struct mmv *peer = state;
	char path[PATH_MAX];

	if (peer->view.bytes)
		munmap((void *)peer->view.bytes, peer->view.length_bytes);
	mmv_point_at(peer);
	/* Unmaps as well, but leaves the file. */
	if (peer->registry)
		mmv_stats_free(peer->registry);
	mmv_path(peer, "/" FILE_NAME, path);
	unlink(path);
	mmv_path(peer, "", path);
	rmdir(path);
	free(peer);
}

static int mmv_open(const char *folder, void **ret_state)
{
	struct mmv *peer;
	char path[PATH_MAX];
	int r;

	if (strlen(folder) >= sizeof(peer->folder))
		return -ENAMETOOLONG;
	peer = calloc(1, sizeof(*peer));
	if (!peer)
		return -ENOMEM;
	strcpy(peer->folder, folder);
	mmv_point_at(peer);
	mmv_path(peer, "", path);
	r = mkdir(path, 0700) ? -errno : 0;
	if (!r)
		r = mmv_write_open(peer);
	if (!r) {
		mmv_path(peer, "/" FILE_NAME, path);
		r = mmv_view_open(&peer->view, path);
	}
	if (r) {
		mmv_close(peer);
		return r;
	}
	*ret_state = peer;
	return 0;
}

static void mmv_publish(void *state, uint64_t first, uint32_t count)
{
	struct mmv *peer = state;
	void *map = peer->map;

	for (uint64_t number = first; number != first + count; number++) {
		uint64_t words[BENCH_WORDS];

		bench_payload_fill(words, number);
		mmv_set(map, peer->handles[0], &words[0]);
		mmv_set(map, peer->handles[1], &words[1]);
		mmv_set(map, peer->handles[2], &words[2]);
		mmv_set(map, peer->handles[3], &words[3]);
		mmv_set(map, peer->handles[4], &words[4]);
		mmv_set(map, peer->handles[5], &words[5]);
		mmv_set(map, peer->handles[6], &words[6]);
		mmv_set(map, peer->handles[7], &words[7]);
	}
}

/* The value of a metric without instances. What the writer changes is read anew at each call. */
static bool mmv_view_find(const struct mmv_view *view, uint32_t item, uint64_t *ret_value)
{
	for (uint32_t m = 0; m < view->metrics_count; m++) {
		uint64_t at;

		if (view->metrics[m].item != item)
			continue;
		at = (uint64_t)((const char *)&view->metrics[m] - (const char *)view->bytes);
		for (uint32_t v = 0; v < view->values_count; v++) {
			if (view->values[v].metric == at) {
				*ret_value = *(const volatile uint64_t *)&view->values[v].value.ull;
				return true;
			}
		}
	}
	return false;
}

static bool mmv_view_record(const struct mmv_view *view, uint64_t words[BENCH_WORDS])
{
	const volatile mmv_disk_header_t *header = view->bytes;

	if (header->g1 != view->generation || header->g2 != view->generation)
		return false;
	return mmv_view_find(view, 1, &words[0]) && mmv_view_find(view, 2, &words[1]) &&
	       mmv_view_find(view, 3, &words[2]) && mmv_view_find(view, 4, &words[3]) &&
	       mmv_view_find(view, 5, &words[4]) && mmv_view_find(view, 6, &words[5]) &&
	       mmv_view_find(view, 7, &words[6]) && mmv_view_find(view, 8, &words[7]);
}

static void mmv_read(void *state, uint32_t count, struct bench_tally *tally)
{
	const struct mmv_view *view = &((struct mmv *)state)->view;
	struct bench_tally seen = { 0 };

	for (uint32_t i = 0; i < count; i++) {
		uint64_t words[BENCH_WORDS];

		if (mmv_view_record(view, words))
			bench_payload_count_place(words, &seen);
		else
			seen.bad++;
	}
	bench_tally_add(tally, &seen);
}

const struct bench_peer bench_peer_mmv = {
	.key = "mmv",
	.package = "libpcp-mmv1-dev",
	.lacks = "nothing makes the values one record: readers see mixtures; no history, no loss "
		 "count, no checksum",
	.capacity = 0,
	.open = mmv_open,
	.publish = mmv_publish,
	.read = mmv_read,
	.close = mmv_close,
};
