/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.h - what the daemon was told: command line and INI file through one table of options
 *
 * Each option is a long option and a key of the [scaphd] section under the same name; the command line wins over the file,
 * the file over the defaults. Read once at start, then constant.
 */
#ifndef SCAPH_PRODUCER_CONFIG_H
#define SCAPH_PRODUCER_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "producer/log.h"

#define SCAPH_CONFIG_REPEATS_MAX 1024U

/* Values of an option that may be given more than once. */
struct scaph_config_list {
	char **value;
	uint32_t count;
};

struct scaph_config {
	char *source; /* NULL: none given */
	char *meter;
	uint64_t window_ns; /* 0: as the meter needs */
	uint32_t sample_hz; /* 0: as the source needs */
	char *share_root;
	char *group; /* NULL: none */
	bool allow_plain_dir;
	char *state_dir;
	char *host_dir;
	char *shm_dir;
	struct scaph_config_list domains;
	struct scaph_config_list profiles;
	bool model_given;
	uint64_t model_idle_uw;
	uint64_t model_full_uw;
	enum scaph_log_level log_level;
	bool check;
};

/* Positive result of scaph_config_read(): all was said, exit with success (--help, --version). */
enum {
	SCAPH_CONFIG_DONE = 1,
};

/**
 * scaph_config_read() - read command line and the file it names
 * @ret_config: set on 0; freed with scaph_config_clear()
 *
 * What is wrong is said on standard error in one line: cause, place, mend.
 * Return:   0, SCAPH_CONFIG_DONE, or -EINVAL after that line.
 */
int scaph_config_read(int argc, char **argv, struct scaph_config *ret_config);
void scaph_config_clear(struct scaph_config *config);

#endif
