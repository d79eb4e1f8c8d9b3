/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.h - what the daemon was told: command line and INI file through one table of options
 *
 * Each option is a long option and a key of the [scaphd] section under the same name; the command
 * line wins over the file, the file over the defaults. An option that may repeat and is given on
 * the command line replaces all its values of the file. Read once at start, then constant.
 */
#ifndef SCAPH_PRODUCER_CONFIG_H
#define SCAPH_PRODUCER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "producer/process/log.h"

#define SCAPH_CONFIG_REPEATS_MAX 1024U
#define SCAPH_CONFIG_OPTIONS_MAX 32U

/* Who is given the idle machine's energy. */
enum scaph_idle_policy {
	SCAPH_IDLE_VCPUS, /* domains by their vCPUs; seats that nobody has are the host's */
	SCAPH_IDLE_EQUAL, /* all domains alike */
	SCAPH_IDLE_NONE, /* the host */
};

/* One value and where it was given: "--domain", or "FILE:12: domain". */
struct scaph_config_item {
	char *text;
	char *origin;
};

/* Values of an option that may be given more than once. */
struct scaph_config_list {
	struct scaph_config_item *item;
	uint32_t count;
};

struct scaph_config {
	char *source; /* "auto": the first that measures */
	char *sysfs, *procfs, *msr_path; /* where to look for hardware */
	char *cgroupfs; /* where control groups are mounted */
	char *topology; /* file of packages in place of sysfs'; NULL: none */
	char *resctrl; /* where it is mounted */
	char *libvirt; /* URI, or "none" */
	bool file_given; /* --config named one: the usual one is not looked at */
	char *run_dir; /* of libvirt: PID files */
	bool discover_qemu; /* look for machines in /proc */
	struct scaph_config_list discover_users;
	char *qemu_server_dir; /* of Proxmox: PID files */
	char *record; /* NULL: nothing is recorded */
	enum scaph_idle_policy idle_policy;
	bool idle_given;
	uint64_t idle_uw; /* of the whole machine */
	bool calibrate;
	char *meter;
	uint64_t window_ns; /* 0: as the meter needs */
	uint32_t sample_hz; /* 0: as the source needs */
	uint32_t cpu_budget_ppm; /* of one core; 0: none */
	char *share_root;
	char *group; /* NULL: none */
	bool allow_plain_dir;
	char *state_dir;
	char *host_dir;
	char *shm_dir;
	char *profile_dir; /* a word on each domain of which something was said while we run */
	struct scaph_config_list domains;
	struct scaph_config_list profiles;
	bool model_given;
	uint64_t model_idle_uw;
	uint64_t model_full_uw;
	enum scaph_log_level log_level;
	bool check;
	char *origin[SCAPH_CONFIG_OPTIONS_MAX]; /* by row of the table; NULL: the default */
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

/* Between a domain's name and the control group's path in a --domain. */
#define SCAPH_CONFIG_IS_GROUP "=cgroup:"

/* Whether a --domain names a control group. */
bool scaph_config_names_group(const struct scaph_config *config);

/* Where an option was given, for messages about its value: "--window", or "FILE:3: window". */
const char *scaph_config_origin(const struct scaph_config *config, const char *option);

#endif
