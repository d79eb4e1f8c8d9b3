/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.c - the table of options, and its three users: getopt_long, the INI file, --help
 */
#include "producer/config.h"

#include <errno.h>
#include <getopt.h>
#include <ini.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "producer/clock.h"

#define WINDOW_MAX_MS 1000
#define SAMPLE_MAX_HZ 1000
#define WATTS_MAX 100000.0

struct option_row {
	const char *name;
	const char *argument; /* NULL: a switch */
	const char *help;
	/* 0, or what is wrong with the value: "must be ..." */
	const char *(*take)(struct scaph_config *config, const char *value);
};

static const char *take_text(char **to, const char *value)
{
	char *copy;

	if (!*value)
		return "must not be empty";
	copy = strdup(value);
	if (!copy)
		return "cannot be kept: out of memory";
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

static const char *take_listed(struct scaph_config_list *list, const char *value)
{
	char **grown;

	if (list->count == SCAPH_CONFIG_REPEATS_MAX)
		return "is given too often";
	grown = realloc(list->value, (list->count + 1) * sizeof(*grown));
	if (!grown)
		return "cannot be kept: out of memory";
	list->value = grown;
	list->value[list->count] = strdup(value);
	if (!list->value[list->count])
		return "cannot be kept: out of memory";
	list->count++;
	return NULL;
}

static bool whole_number(const char *value, long least, long most, long *ret_number)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(value, &end, 10);
	if (errno || end == value || *end || number < least || number > most)
		return false;
	*ret_number = number;
	return true;
}

static const char *take_source(struct scaph_config *c, const char *v)
{
	return take_text(&c->source, v);
}

static const char *take_meter(struct scaph_config *c, const char *v)
{
	return take_text(&c->meter, v);
}

static const char *take_window(struct scaph_config *c, const char *v)
{
	long ms;

	if (!whole_number(v, 1, WINDOW_MAX_MS, &ms))
		return "must be a whole number of milliseconds from 1 to 1000";
	c->window_ns = (uint64_t)ms * SCAPH_NS_PER_MS;
	return NULL;
}

static const char *take_sample(struct scaph_config *c, const char *v)
{
	long hz;

	if (!whole_number(v, 1, SAMPLE_MAX_HZ, &hz))
		return "must be a whole number of hertz from 1 to 1000";
	c->sample_hz = (uint32_t)hz;
	return NULL;
}

static const char *take_share_root(struct scaph_config *c, const char *v)
{
	return take_text(&c->share_root, v);
}

static const char *take_group(struct scaph_config *c, const char *v)
{
	return take_text(&c->group, v);
}

static const char *take_plain(struct scaph_config *c, const char *v)
{
	return take_switch(&c->allow_plain_dir, v);
}

static const char *take_state_dir(struct scaph_config *c, const char *v)
{
	return take_text(&c->state_dir, v);
}

static const char *take_host_dir(struct scaph_config *c, const char *v)
{
	return take_text(&c->host_dir, v);
}

static const char *take_shm_dir(struct scaph_config *c, const char *v)
{
	return take_text(&c->shm_dir, v);
}

static const char *take_domain(struct scaph_config *c, const char *v)
{
	return take_listed(&c->domains, v);
}

static const char *take_profile(struct scaph_config *c, const char *v)
{
	return take_listed(&c->profiles, v);
}

static const char *take_watts(struct scaph_config *c, const char *v)
{
	char *end, *last;
	double idle = strtod(v, &end), full;

	if (end == v || *end != ':')
		return "must be IDLE:FULL in watts, such as 12:85";
	full = strtod(end + 1, &last);
	if (last == end + 1 || *last || !isfinite(idle) || !isfinite(full))
		return "must be IDLE:FULL in watts, such as 12:85";
	if (idle < 0 || full < idle || full > WATTS_MAX)
		return "must have 0 <= IDLE <= FULL <= 100000 watts";
	c->model_idle_uw = (uint64_t)llround(idle * 1e6);
	c->model_full_uw = (uint64_t)llround(full * 1e6);
	c->model_given = true;
	return NULL;
}

static const char *take_log_level(struct scaph_config *c, const char *v)
{
	return scaph_log_parse_level(v, &c->log_level) ? "must be error, warning, info or debug"
						       : NULL;
}

static const char *take_check(struct scaph_config *c, const char *v)
{
	return take_switch(&c->check, v);
}

static const struct option_row rows[] = {
	{ "source", "NAME",
	  "energy source: model, or replay:FILE (none by default: an estimate is asked for by "
	  "name)",
	  take_source },
	{ "model-watts", "IDLE:FULL", "the model's power of the idle and of the fully busy machine",
	  take_watts },
	{ "meter", "NAME", "CPU time meter: cputime (default cputime)", take_meter },
	{ "window", "MS",
	  "span over which energy is divided, 1-1000 (default 20, or 5 kernel ticks if longer)",
	  take_window },
	{ "sample", "HZ", "reads of the source between windows, 1-1000 (default: once a window)",
	  take_sample },
	{ "domain", "NAME[@UUID]=pid:PID", "a process as a domain; may be repeated", take_domain },
	{ "profile", "PATTERN=WORD",
	  "trusted (by UUID, or '*' for a single-tenant host) or off (also by name pattern); may "
	  "be repeated "
	  "(default off)",
	  take_profile },
	{ "share-root", "DIR",
	  "shares lie in DIR/UUID or DIR/NAME (default /var/lib/libvirt/scaphandre)",
	  take_share_root },
	{ "group", "NAME", "group that may read trusted domains' segments (default: the folder's)",
	  take_group },
	{ "allow-plain-dir", NULL, "accept a share that is not a tmpfs", take_plain },
	{ "state-dir", "DIR", "the daemon's own state (default /run/scaphd)", take_state_dir },
	{ "host-dir", "DIR", "the host's private segments (default /run/scaph/host)",
	  take_host_dir },
	{ "shm-dir", "DIR", "where ivshmem files lie (default /dev/shm)", take_shm_dir },
	{ "log-level", "LEVEL", "error, warning, info or debug (default info)", take_log_level },
	{ "check", NULL, "say what would run, and whether it can, then exit", take_check },
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* Not keys of the file. */
enum { OPTION_CONFIG = 1000, OPTION_HELP, OPTION_VERSION };

static void show_help(void)
{
	printf("Usage: scaphd [OPTION]...\n"
	       "Measure this machine's energy, divide it among its virtual machines, publish it to "
	       "each.\n\n");
	for (size_t i = 0; i < ROWS; i++) {
		printf("  --%s%s%s\n        %s\n", rows[i].name, rows[i].argument ? " " : "",
		       rows[i].argument ? rows[i].argument : "", rows[i].help);
	}
	printf("  --config FILE\n        INI file; the options above without dashes are keys of "
	       "its [scaphd] section\n"
	       "  --help\n        show this and exit\n"
	       "  --version\n        show the version and exit\n\n"
	       "Example: scaphd --source model --model-watts 12:85 --domain web=pid:4711 --profile "
	       "'*=trusted'\n");
}

/* The first complaint; inih tells its line only after the whole file. */
struct ini_state {
	struct scaph_config *config;
	char complaint[512];
};

static int ini_key(void *user, const char *section, const char *name, const char *value)
{
	struct ini_state *state = user;
	const char *wrong = NULL;
	size_t i = 0;

	while (i < ROWS && strcmp(rows[i].name, name) != 0)
		i++;
	if (strcmp(section, "scaphd") == 0 && i < ROWS)
		wrong = rows[i].take(state->config, value);
	if (strcmp(section, "scaphd") == 0 && i < ROWS && !wrong)
		return 1;
	if (state->complaint[0])
		return 0;
	if (strcmp(section, "scaphd") != 0)
		snprintf(state->complaint, sizeof(state->complaint),
			 "unknown section [%s]; keys belong into [scaphd]", section);
	else if (i == ROWS)
		snprintf(state->complaint, sizeof(state->complaint),
			 "unknown key \"%s\"; scaphd --help lists the keys", name);
	else
		snprintf(state->complaint, sizeof(state->complaint), "%s = %s: %s", name, value,
			 wrong);
	return 0;
}

static int read_file(struct scaph_config *config, const char *path)
{
	struct ini_state state = { .config = config };
	int r;

	errno = 0;
	r = ini_parse(path, ini_key, &state);
	if (r < 0) {
		scaph_error("%s: cannot be read: %s; give --config a readable file", path,
			    strerror(errno));
		return -EINVAL;
	}
	if (r > 0) {
		scaph_error("%s:%d: %s", path, r,
			    state.complaint[0] ? state.complaint : "not a \"key = value\" line");
		return -EINVAL;
	}
	return 0;
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

/* The file comes first whatever the order of the words, so that the command line wins over it. */
static int pass(int argc, char **argv, struct scaph_config *config, bool files)
{
	struct option options[ROWS + 4];
	int choice;

	fill_getopt(options);
	optind = 0;
	opterr = 0;
	while ((choice = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		const char *wrong = NULL;

		if (choice == '?' || choice == ':') {
			scaph_error("%s: %s; scaphd --help lists the options", argv[optind - 1],
				    choice == '?' ? "unknown option" : "needs a value");
			return -EINVAL;
		}
		if (choice == OPTION_HELP || choice == OPTION_VERSION) {
			if (choice == OPTION_HELP)
				show_help();
			else
				printf("scaphd %s\n", SCAPH_VERSION);
			return SCAPH_CONFIG_DONE;
		}
		if (choice == OPTION_CONFIG) {
			if (files && read_file(config, optarg))
				return -EINVAL;
			continue;
		}
		if (!files)
			wrong = rows[choice].take(config, optarg);
		if (wrong) {
			scaph_error("--%s %s: %s", rows[choice].name, optarg ? optarg : "", wrong);
			return -EINVAL;
		}
	}
	if (optind < argc) {
		scaph_error("%s: unexpected word; scaphd --help lists the options", argv[optind]);
		return -EINVAL;
	}
	return 0;
}

int scaph_config_read(int argc, char **argv, struct scaph_config *ret_config)
{
	struct scaph_config config = { .log_level = SCAPH_LOG_INFO };
	int r;

	if (take_text(&config.meter, "cputime") ||
	    take_text(&config.share_root, "/var/lib/libvirt/scaphandre") ||
	    take_text(&config.state_dir, "/run/scaphd") ||
	    take_text(&config.host_dir, "/run/scaph/host") ||
	    take_text(&config.shm_dir, "/dev/shm"))
		r = -ENOMEM;
	else
		r = pass(argc, argv, &config, true);
	if (r == 0)
		r = pass(argc, argv, &config, false);
	if (r) {
		scaph_config_clear(&config);
		return r;
	}
	*ret_config = config;
	return 0;
}

static void clear_list(struct scaph_config_list *list)
{
	for (uint32_t i = 0; i < list->count; i++)
		free(list->value[i]);
	free(list->value);
}

void scaph_config_clear(struct scaph_config *config)
{
	free(config->source);
	free(config->meter);
	free(config->share_root);
	free(config->group);
	free(config->state_dir);
	free(config->host_dir);
	free(config->shm_dir);
	clear_list(&config->domains);
	clear_list(&config->profiles);
	*config = (struct scaph_config){};
}
