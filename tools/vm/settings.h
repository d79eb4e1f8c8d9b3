/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings.h - scaph-vm's own file, in which the operator says which new domains are enabled by themselves
 *
 * An INI file with one section, [scaph-vm]. Root's alone to write to, for it decides what becomes of domains.
 */
#ifndef SCAPH_VM_SETTINGS_H
#define SCAPH_VM_SETTINGS_H

#include <stdbool.h>

#define SCAPH_SETTINGS_PATTERNS_MAX 64U

struct scaph_settings_patterns {
	char *pattern[SCAPH_SETTINGS_PATTERNS_MAX];
	unsigned int count;
};

struct scaph_settings {
	struct scaph_settings_patterns enable, except; /* of names */
	unsigned int transports; /* 0: none was named */
};

/**
 * scaph_settings_read() - read the file
 * @ret_settings: set only on 0, to nothing where there is no file; freed with scaph_settings_deinit()
 *
 * Return:   0, or a negative errno after one line.
 */
int scaph_settings_read(const char *path, struct scaph_settings *ret_settings);
void scaph_settings_deinit(struct scaph_settings *settings);

/* Whether a domain of that name is to be enabled by itself. */
bool scaph_settings_choose(const struct scaph_settings *settings, const char *name);

#endif
