/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.c - the command line of scaph guest-setup
 *
 * A folder and a tag end up in a unit, in fstab and in a unit's name: only what all three can carry is taken.
 */
#include "consumer/setup/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "consumer/setup/say.h"

#define TAG_BYTES_MAX 36U /* as long as virtiofs lets one be */
#define DIR_BYTES_MAX                                                                              \
	120U /* its unit's name, escaped, stays within 255 bytes in the worst case but one */

static void show_help(void)
{
	printf("Usage: scaph guest-setup [OPTION]...\n"
	       "Make this guest find its energy figures at every start: a mount, rights on an "
	       "ivshmem device, a service.\n\n"
	       "  --transport virtiofs|9p|ivshmem\n        how they get in; may be repeated "
	       "(default: what is there)\n"
	       "  --dir DIR\n        where to mount the share (default /var/scaphandre)\n"
	       "  --tag TAG\n        the share's, if not one that scaph-vm gives\n"
	       "  --exporter\n        start scaph-exporter.service too, at every start\n"
	       "  --undo\n        remove what an earlier run has made, and nothing else\n"
	       "  --dry-run\n        show what would be done, and do nothing\n"
	       "  --root DIR\n        set up the system in DIR, an image that is not running\n"
	       "  --sysfs DIR\n        where devices are looked for (default /sys; none with "
	       "--root)\n"
	       "  --help\n        show this and exit\n"
	       "  --version\n        show the version and exit\n");
}

/* Printable ASCII without a backslash, no blank at either end. */
static bool is_plain(const char *text, size_t most)
{
	size_t length = strlen(text);

	for (size_t i = 0; i < length; i++) {
		if (text[i] < ' ' || text[i] > '~' || text[i] == '\\')
			return false;
	}
	return length > 0 && length <= most && text[0] != ' ' && text[length - 1] != ' ';
}

/* Absolute, and the one spelling that it has. */
static bool is_folder(const char *text)
{
	size_t length = strlen(text);

	return is_plain(text, DIR_BYTES_MAX) && text[0] == '/' && length > 1 &&
	       text[length - 1] != '/' && !strstr(text, "//") && !strstr(text, "/./") &&
	       !strstr(text, "/../") && strcmp(text + length - 2, "/.") != 0 &&
	       (length < 3 || strcmp(text + length - 3, "/..") != 0);
}

static int take_way(const char *word, unsigned int *ways)
{
	static const char *const words[] = { "virtiofs", "9p", "ivshmem" };

	for (unsigned int i = 0; i < 3; i++) {
		if (strcmp(word, words[i]) == 0) {
			*ways |= 1U << i;
			return 0;
		}
	}
	scaph_setup_error("--transport %s: must be virtiofs, 9p or ivshmem", word);
	return -EINVAL;
}

static int judge(struct scaph_setup_options *options, int words, char **word)
{
	const unsigned int folders = SCAPH_WAY_VIRTIOFS | SCAPH_WAY_PLAN9;

	if (words) {
		scaph_setup_error("%s: unexpected word; scaph guest-setup --help lists the options",
				  word[0]);
		return -EINVAL;
	}
	if (!is_folder(options->dir)) {
		scaph_setup_error("--dir: must be an absolute path of at most 120 plain characters "
				  "without //, /. or a slash at its end");
		return -EINVAL;
	}
	if (options->tag && !is_plain(options->tag, TAG_BYTES_MAX)) {
		scaph_setup_error("--tag: must be 1 to 36 plain characters without a backslash");
		return -EINVAL;
	}
	if ((options->ways & folders) == folders) {
		scaph_setup_error("--transport virtiofs and 9p: one of them is mounted; give one");
		return -EINVAL;
	}
	if (options->root && strcmp(options->root, "/") == 0)
		options->root = NULL;
	if (!options->root && !options->sysfs)
		options->sysfs = "/sys";
	if (options->root && !options->sysfs && !options->ways && !options->undo) {
		scaph_setup_error("--root %s: an image shows no devices; say with --transport what "
				  "it will be given",
				  options->root);
		return -EINVAL;
	}
	return 0;
}

int scaph_setup_options_read(int argc, char **argv, struct scaph_setup_options *ret_options)
{
	enum { WAY = 1000, DIR, TAG, EXPORTER, UNDO, DRY_RUN, ROOT, SYSFS, HELP, VERSION };
	static const struct option options[] = {
		{ "transport", required_argument, NULL, WAY },
		{ "dir", required_argument, NULL, DIR },
		{ "tag", required_argument, NULL, TAG },
		{ "exporter", no_argument, NULL, EXPORTER },
		{ "undo", no_argument, NULL, UNDO },
		{ "dry-run", no_argument, NULL, DRY_RUN },
		{ "root", required_argument, NULL, ROOT },
		{ "sysfs", required_argument, NULL, SYSFS },
		{ "help", no_argument, NULL, HELP },
		{ "version", no_argument, NULL, VERSION },
		{},
	};
	struct scaph_setup_options read = { .dir = "/var/scaphandre" };
	int choice, r = 0;

	opterr = 0;
	while (r == 0 && (choice = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		switch (choice) {
		case WAY:
			r = take_way(optarg, &read.ways);
			break;
		case DIR:
			read.dir = optarg;
			break;
		case TAG:
			read.tag = optarg;
			break;
		case EXPORTER:
			read.exporter = true;
			break;
		case UNDO:
			read.undo = true;
			break;
		case DRY_RUN:
			read.dry_run = true;
			break;
		case ROOT:
			read.root = optarg;
			break;
		case SYSFS:
			read.sysfs = optarg;
			break;
		case HELP:
			show_help();
			return SCAPH_SETUP_OPTIONS_DONE;
		case VERSION:
			printf("scaph guest-setup %s\n", SCAPH_VERSION);
			return SCAPH_SETUP_OPTIONS_DONE;
		default:
			scaph_setup_error("%s: %s; scaph guest-setup --help lists the options",
					  argv[optind - 1],
					  choice == ':' ? "needs a value" : "unknown option");
			r = -EINVAL;
		}
	}
	if (r == 0)
		r = judge(&read, argc - optind, argv + optind);
	if (r == 0)
		*ret_options = read;
	return r;
}
