/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.c - the table of options, and its users: getopt_long, --help, and the keys that config.c
 * hands over
 */
#include "producer/config/options.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "producer/process/clock.h"
#include "producer/config/quantity.h"

#define WINDOW_MAX_MS 1000
#define SAMPLE_MAX_HZ 1000
#define BUDGET_MIN_PPM 1000U
#define BUDGET_MAX_PPM 10000000U

/* How a value is kept; the place is the field of struct scaph_config at the row's offset. */
enum kind { TEXT, SWITCH, LIST, OWN };

struct option_row {
	const char *name;
	const char *argument; /* NULL: a switch */
	const char *initial; /* what holds if nothing is given; NULL: nothing does */
	const char *help;
	enum kind kind;
	size_t offset;
	/* OWN: NULL, or what is wrong with the value: "must be ..." */
	const char *(*take)(struct scaph_config *config, const char *value);
};

static const char out_of_memory[] = "cannot be kept: out of memory";

static const char *take_window(struct scaph_config *config, const char *value)
{
	uint64_t ms;

	if (scaph_quantity_number(value, &ms) || ms < 1 || ms > WINDOW_MAX_MS)
		return "must be a whole number of milliseconds from 1 to 1000";
	config->window_ns = ms * SCAPH_NS_PER_MS;
	return NULL;
}

static const char *take_sample(struct scaph_config *config, const char *value)
{
	uint64_t hz;

	if (scaph_quantity_number(value, &hz) || hz < 1 || hz > SAMPLE_MAX_HZ)
		return "must be a whole number of hertz from 1 to 1000";
	config->sample_hz = (uint32_t)hz;
	return NULL;
}

static const char *take_cpu_budget(struct scaph_config *config, const char *value)
{
	uint64_t millionths; /* of a per cent: digits as those of a power */

	if (scaph_quantity_power(value, &millionths) || millionths / 100 < BUDGET_MIN_PPM ||
	    millionths / 100 > BUDGET_MAX_PPM)
		return "must be per cents of one core from 0.1 to 1000, such as 2.5";
	config->cpu_budget_ppm = (uint32_t)(millionths / 100);
	return NULL;
}

static const char *take_watts(struct scaph_config *config, const char *value)
{
	const char *colon = strchr(value, ':');
	char idle[32];
	uint64_t idle_uw, full_uw;

	if (!colon || (size_t)(colon - value) >= sizeof(idle))
		return "must be IDLE:FULL in watts, such as 12:85";
	snprintf(idle, sizeof(idle), "%.*s", (int)(colon - value), value);
	if (scaph_quantity_power(idle, &idle_uw) || scaph_quantity_power(colon + 1, &full_uw))
		return "must be IDLE:FULL in watts from 0 to 100000, such as 12:85";
	if (full_uw < idle_uw)
		return "must have the idle power first, such as 12:85";
	config->model_idle_uw = idle_uw;
	config->model_full_uw = full_uw;
	config->model_given = true;
	return NULL;
}

static const char *take_idle(struct scaph_config *config, const char *value)
{
	static const struct {
		const char *word;
		enum scaph_idle_policy policy;
	} words[] = { { "vcpus", SCAPH_IDLE_VCPUS },
		      { "equal", SCAPH_IDLE_EQUAL },
		      { "none", SCAPH_IDLE_NONE } };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].word, value) == 0) {
			config->idle_policy = words[i].policy;
			return NULL;
		}
	}
	return "must be vcpus, equal or none";
}

static const char *take_idle_watts(struct scaph_config *config, const char *value)
{
	if (scaph_quantity_power(value, &config->idle_uw))
		return "must be a number of watts from 0 to 100000, such as 18.5";
	config->idle_given = true;
	return NULL;
}

static const char *take_discover(struct scaph_config *config, const char *value)
{
	config->discover_qemu = strcmp(value, "qemu") == 0;
	return config->discover_qemu || strcmp(value, "none") == 0 ? NULL : "must be qemu or none";
}

static const char *take_log_level(struct scaph_config *config, const char *value)
{
	return scaph_log_parse_level(value, &config->log_level)
		       ? "must be error, warning, info or debug"
		       : NULL;
}

#define FIELD(kind, field) kind, offsetof(struct scaph_config, field), NULL
#define TAKE(take) OWN, 0, take

static const struct option_row rows[] = {
	{ "source", "NAME", "auto",
	  "energy source: msr, perf, powercap, model, replay:FILE, ring:PATH or resctrl, which has "
	  "core energy alone; auto takes the "
	  "first of msr, "
	  "perf and powercap that measures; an estimate is asked for by name",
	  FIELD(TEXT, source) },
	{ "model-watts", "IDLE:FULL", NULL,
	  "the model's power of the idle and of the fully busy machine", TAKE(take_watts) },
	{ "meter", "NAME", "auto",
	  "meter of CPU time: bpf, exact, or cputime, in kernel ticks; auto takes bpf where it can",
	  FIELD(TEXT, meter) },
	{ "window", "MS", NULL,
	  "span over which energy is divided, 1 to 1000 (default 20, or 5 kernel ticks where they "
	  "are longer and the meter is cputime)",
	  TAKE(take_window) },
	{ "sample", "HZ", NULL,
	  "reads of the source while a trusted domain is in, 1 to 1000, and one at each window's "
	  "end in any case (default, and without such a domain, as the source needs)",
	  TAKE(take_sample) },
	{ "cpu-budget", "PCT", NULL,
	  "CPU time the daemon may use, in per cents of one core, 0.1 to 1000: above, it samples "
	  "less and says so; windows stay as they are (default: any)",
	  TAKE(take_cpu_budget) },
	{ "domain", "NAME[@UUID]=WHAT", NULL,
	  "a process (pid:PID) or a control group (cgroup:PATH) as a domain; may be repeated",
	  FIELD(LIST, domains) },
	{ "libvirt", "URI", "qemu:///system",
	  "publish every running domain of this libvirt, which is only read; none: only --domain",
	  FIELD(TEXT, libvirt) },
	{ "discover", "WHAT", "none",
	  "qemu: publish every QEMU of root or a trusted user, found by its process, where no "
	  "libvirt tells of it",
	  TAKE(take_discover) },
	{ "discover-user", "USER", NULL,
	  "trust what QEMUs of this user say of themselves, as of root, libvirt-qemu and qemu; may "
	  "be repeated",
	  FIELD(LIST, discover_users) },
	{ "profile", "PATTERN=WORD", NULL,
	  "UUID=trusted, '*=trusted' for a single-tenant host, PATTERN=shared or PATTERN=off with "
	  "a "
	  "pattern over names; may be repeated (default shared)",
	  FIELD(LIST, profiles) },
	{ "idle", "WHO", "vcpus",
	  "who is given the idle machine's energy: domains by their vcpus, all equal, or none",
	  TAKE(take_idle) },
	{ "idle-watts", "W", NULL,
	  "power of the idle machine, all packages together (default: what the source knows, or "
	  "learnt while at most 5 % busy)",
	  TAKE(take_idle_watts) },
	{ "calibrate", NULL, NULL,
	  "measure the idle power of this empty host, print it for --idle-watts, then exit",
	  FIELD(SWITCH, calibrate) },
	{ "record", "FILE", NULL, "write what is measured to a trace that --source replay: plays",
	  FIELD(TEXT, record) },
	{ "share-root", "DIR", "/var/lib/libvirt/scaphandre",
	  "a domain's share is DIR/UUID or else DIR/NAME", FIELD(TEXT, share_root) },
	{ "group", "NAME", NULL,
	  "group that may read the segments of trusted domains (default: the group they have)",
	  FIELD(TEXT, group) },
	{ "allow-plain-dir", NULL, NULL, "accept a share that is not a tmpfs",
	  FIELD(SWITCH, allow_plain_dir) },
	{ "state-dir", "DIR", "/run/scaphd", "the daemon's own state", FIELD(TEXT, state_dir) },
	{ "host-dir", "DIR", "/run/scaph/host", "the host's private segments",
	  FIELD(TEXT, host_dir) },
	{ "shm-dir", "DIR", "/dev/shm", "where ivshmem files lie", FIELD(TEXT, shm_dir) },
	{ "profile-dir", "DIR", "/var/lib/scaph/profiles",
	  "a domain's profile may also be the word in DIR/UUID, as scaph-vm writes it",
	  FIELD(TEXT, profile_dir) },
	{ "msr-path", "DIR", "/dev/cpu", "where the MSR files lie, as DIR/N/msr",
	  FIELD(TEXT, msr_path) },
	{ "sysfs", "DIR", "/sys", "where sysfs is mounted", FIELD(TEXT, sysfs) },
	{ "procfs", "DIR", "/proc", "where proc is mounted", FIELD(TEXT, procfs) },
	{ "cgroupfs", "DIR", "/sys/fs/cgroup", "where control groups are mounted",
	  FIELD(TEXT, cgroupfs) },
	{ "resctrl", "DIR", "/sys/fs/resctrl",
	  "where resctrl is mounted; dram energy goes by memory traffic if its groups show that of "
	  "every domain, else by CPU time; nothing is made or written there",
	  FIELD(TEXT, resctrl) },
	{ "topology", "FILE", NULL,
	  "packages as this file says, lines of package ID = CPUS, and not as sysfs does: for "
	  "tests "
	  "and machines that number them wrongly",
	  FIELD(TEXT, topology) },
	{ "run-dir", "DIR", "/run/libvirt/qemu", "where libvirt keeps the PID files of its domains",
	  FIELD(TEXT, run_dir) },
	{ "qemu-server-dir", "DIR", "/run/qemu-server",
	  "where Proxmox keeps the PID files of its machines", FIELD(TEXT, qemu_server_dir) },
	{ "log-level", "LEVEL", "info", "error, warning, info or debug", TAKE(take_log_level) },
	{ "check", NULL, NULL, "say what would run and whether it can, then exit",
	  FIELD(SWITCH, check) },
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))
static_assert(ROWS <= SCAPH_CONFIG_OPTIONS_MAX, "origins");

/* Not keys of the file. */
enum { OPTION_CONFIG = 1000, OPTION_HELP, OPTION_VERSION };

static void clear_list(struct scaph_config_list *list)
{
	for (uint32_t i = 0; i < list->count; i++) {
		free(list->item[i].text);
		free(list->item[i].origin);
	}
	free(list->item);
	*list = (struct scaph_config_list){};
}

static const char *take_text(char **to, const char *value)
{
	char *copy;

	if (!*value)
		return "must not be empty";
	copy = strdup(value);
	if (!copy)
		return out_of_memory;
	free(*to);
	*to = copy;
	return NULL;
}

static const char *take_switch(bool *to, const char *value)
{
	if (!value || strcmp(value, "yes") == 0 || strcmp(value, "true") == 0)
		*to = true;
	else if (strcmp(value, "no") == 0 || strcmp(value, "false") == 0)
		*to = false;
	else
		return "must be yes or no";
	return NULL;
}

static const char *take_listed(struct scaph_config_list *list, const char *value,
			       const char *origin)
{
	struct scaph_config_item *grown;

	if (!*value)
		return "must not be empty";
	if (list->count == SCAPH_CONFIG_REPEATS_MAX)
		return "is given too often";
	grown = realloc(list->item, (list->count + 1) * sizeof(*grown));
	if (!grown)
		return out_of_memory;
	list->item = grown;
	grown[list->count].text = strdup(value);
	grown[list->count].origin = strdup(origin);
	list->count++;
	return grown[list->count - 1].text && grown[list->count - 1].origin ? NULL : out_of_memory;
}

/* Keep one value of one row. @origin: where it stands; NULL: it is the default. */
static const char *take(struct scaph_config *config, size_t row, const char *value,
			const char *origin)
{
	void *field = (char *)config + rows[row].offset;
	const char *wrong = NULL;
	char *copy;

	switch (rows[row].kind) {
	case TEXT:
		wrong = take_text(field, value);
		break;
	case SWITCH:
		wrong = take_switch(field, value);
		break;
	case LIST:
		wrong = take_listed(field, value, origin);
		break;
	case OWN:
		wrong = rows[row].take(config, value);
		break;
	}
	if (wrong || !origin)
		return wrong;
	copy = strdup(origin);
	if (!copy)
		return out_of_memory;
	free(config->origin[row]);
	config->origin[row] = copy;
	return NULL;
}

/* What is asked once, not configured. */
static bool rows_only_for_command_line(const char *name)
{
	return strcmp(name, "check") == 0 || strcmp(name, "calibrate") == 0;
}

const char *scaph_options_key(struct scaph_config *config, const char *key, const char *value,
			      const char *origin)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (strcmp(rows[i].name, key) == 0 && !rows_only_for_command_line(key))
			return take(config, i, value, origin);
	}
	return "is no key; scaphd --help lists them";
}

const char *scaph_config_origin(const struct scaph_config *config, const char *option)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (strcmp(rows[i].name, option) == 0 && config->origin[i])
			return config->origin[i];
	}
	return option;
}

static void show_help(void)
{
	printf("Usage: scaphd [OPTION]...\n"
	       "Measure this machine's energy, divide it among its virtual machines, publish it to "
	       "each.\n\n");
	for (size_t i = 0; i < ROWS; i++) {
		printf("  --%s%s%s\n        %s", rows[i].name, rows[i].argument ? " " : "",
		       rows[i].argument ? rows[i].argument : "", rows[i].help);
		printf(rows[i].initial ? " (default %s)\n" : "\n", rows[i].initial);
	}
	printf("  --config FILE\n        INI file; the options above but check and calibrate, "
	       "without dashes, are keys of its [scaphd] section\n"
	       "        (default " SCAPH_CONFIG_DIR "/scaphd.conf, if it is there)\n"
	       "  --help\n        show this and exit\n"
	       "  --version\n        show the version and exit\n\n"
	       "Example: scaphd --source model --model-watts 12:85 --domain web=pid:4711 --profile "
	       "'*=trusted'\n");
}

static void fill_getopt(struct option options[ROWS + 4])
{
	memset(options, 0, (ROWS + 4) * sizeof(options[0]));
	for (size_t i = 0; i < ROWS; i++) {
		options[i].name = rows[i].name;
		options[i].has_arg = rows[i].argument ? required_argument : no_argument;
		options[i].val = (int)i;
	}
	options[ROWS] = (struct option){ "config", required_argument, NULL, OPTION_CONFIG };
	options[ROWS + 1] = (struct option){ "help", no_argument, NULL, OPTION_HELP };
	options[ROWS + 2] = (struct option){ "version", no_argument, NULL, OPTION_VERSION };
}

/*
 * One option of the command line. The first value there of an option that repeats replaces those of
 * the file.
 */
static int take_option(struct scaph_config *config, size_t row, const char *value)
{
	const char *wrong;
	char origin[64];

	snprintf(origin, sizeof(origin), "--%s", rows[row].name);
	if (rows[row].kind == LIST && config->origin[row] &&
	    strcmp(config->origin[row], origin) != 0)
		clear_list((struct scaph_config_list *)((char *)config + rows[row].offset));
	wrong = take(config, row, value, origin);
	if (!wrong)
		return 0;
	scaph_error("--%s %s: %s", rows[row].name, value ? value : "", wrong);
	return -EINVAL;
}

int scaph_options_pass(int argc, char **argv, struct scaph_config *config,
		       int (*read_file)(struct scaph_config *config, const char *path))
{
	struct option options[ROWS + 4];
	int choice, at;

	fill_getopt(options);
	optind = 0;
	opterr = 0;
	while (at = optind ? optind : 1,
	       (choice = getopt_long(argc, argv, "+:", options, NULL)) != -1) {
		if (choice == '?' || choice == ':') {
			scaph_error("%s: %s; scaphd --help lists the options", argv[at],
				    choice == ':' ? "needs a value"
				    : optopt	  ? "takes no value, or is unknown"
						  : "unknown option");
			return -EINVAL;
		}
		if (choice == OPTION_HELP) {
			show_help();
			return SCAPH_CONFIG_DONE;
		}
		if (choice == OPTION_VERSION) {
			printf("scaphd %s\nmeters: %s\n", SCAPH_VERSION, SCAPH_METERS);
			return SCAPH_CONFIG_DONE;
		}
		if (choice == OPTION_CONFIG) {
			if (read_file && read_file(config, optarg))
				return -EINVAL;
		} else if (!read_file && take_option(config, (size_t)choice, optarg)) {
			return -EINVAL;
		}
	}
	if (optind < argc) {
		scaph_error("%s: unexpected word; scaphd --help lists the options", argv[optind]);
		return -EINVAL;
	}
	return 0;
}

int scaph_options_defaults(struct scaph_config *config)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (rows[i].initial && take(config, i, rows[i].initial, NULL))
			return -ENOMEM;
	}
	return 0;
}

void scaph_config_clear(struct scaph_config *config)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (rows[i].kind == TEXT)
			free(*(char **)((char *)config + rows[i].offset));
		if (rows[i].kind == LIST)
			clear_list((struct scaph_config_list *)((char *)config + rows[i].offset));
		free(config->origin[i]);
	}
	*config = (struct scaph_config){};
}
