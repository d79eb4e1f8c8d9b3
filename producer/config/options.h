/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h - the one table of options: their words, defaults, help and places in struct
 * scaph_config
 */
#ifndef SCAPH_PRODUCER_OPTIONS_H
#define SCAPH_PRODUCER_OPTIONS_H

#include "producer/config/config.h"

/* Set every default: 0 or -ENOMEM. */
int scaph_options_defaults(struct scaph_config *config);

/* Take one key of a file. @origin: "FILE:LINE: KEY". What is wrong, or NULL. */
const char *scaph_options_key(struct scaph_config *config, const char *key, const char *value,
			      const char *origin);

/**
 * scaph_options_pass() - go over the command line once
 * @read_file: NULL: take every option; else only hand the files of --config to it
 *
 * Return:   0, SCAPH_CONFIG_DONE, or -EINVAL after one line.
 */
int scaph_options_pass(int argc, char **argv, struct scaph_config *config,
		       int (*read_file)(struct scaph_config *config, const char *path));

#endif
