/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - scaph-guest-setup, as which scaph guest-setup runs: what to do, in which order, and back if something fails
 *
 * A program of its own, so that scaph stays one that only reads.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "consumer/setup/actions.h"
#include "consumer/setup/bounded.h"
#include "consumer/setup/devices.h"
#include "consumer/setup/options.h"
#include "consumer/setup/say.h"

#define UNITS "/etc/systemd/system"
#define EXPORTER "scaph-exporter.service"
#define RULES "/etc/udev/rules.d/70-scaph.rules"
#define UNIT_BYTES 512U
#define FOLDERS ((unsigned int)SCAPH_WAY_VIRTIOFS | SCAPH_WAY_PLAN9)

struct setup {
	const struct scaph_setup_options *options;
	struct scaph_actions actions;
	struct scaph_devices devices;
	unsigned int ways;
	bool systemd;
};

/* Systemd as PID 1, or in an image as what will be. */
static bool has_systemd(const struct setup *setup)
{
	static const char *const programs[] = { "/usr/lib/systemd/systemd",
						"/lib/systemd/systemd" };
	const struct scaph_tree *tree = &setup->actions.tree;

	if (!tree->root)
		return scaph_tree_has(tree, "/run/systemd/system");
	return scaph_tree_has(tree, programs[0]) || scaph_tree_has(tree, programs[1]);
}

/* An action's text is the action's to free. */
static int put_file(struct setup *setup, const char *path, char *text)
{
	int r = scaph_action_file(&setup->actions, path, text);

	free(text);
	return r;
}

static int put_unit(struct setup *setup, const struct scaph_mounted *mounted)
{
	char name[UNIT_BYTES], path[UNIT_BYTES + 64], link[UNIT_BYTES + 64];
	int r;

	scaph_unit_name(mounted->dir, name, sizeof(name));
	snprintf(path, sizeof(path), UNITS "/%s", name);
	snprintf(link, sizeof(link), UNITS "/multi-user.target.wants/%s", name);
	r = put_file(setup, path, scaph_unit_text(mounted));
	return r ? r : scaph_action_link(&setup->actions, link, path);
}

/* Whether fstab has an entry of somebody else's for the folder. */
static bool mounted_by_hand(struct setup *setup, const char *dir)
{
	char *fstab;
	bool foreign;

	if (scaph_tree_read(&setup->actions.tree, "/etc/fstab", &fstab))
		return false;
	foreign = scaph_fstab_find(fstab, dir) == SCAPH_FSTAB_FOREIGN;
	free(fstab);
	return foreign;
}

static int set_mount(struct setup *setup)
{
	const struct scaph_setup_options *options = setup->options;
	bool virtiofs = setup->ways & SCAPH_WAY_VIRTIOFS;
	const char *seen = virtiofs ? setup->devices.virtiofs_tag : setup->devices.plan9_tag;
	const char *usual = virtiofs ? "scaph" : "scaph9p";
	struct scaph_mounted mounted = {
		.type = virtiofs ? "virtiofs" : "9p",
		.tag = options->tag ? options->tag
		       : *seen	    ? seen
				    : usual,
		.dir = options->dir,
	};
	int r = scaph_action_folder(&setup->actions, options->dir);

	if (r)
		return r;
	if (mounted_by_hand(setup, options->dir)) {
		scaph_setup_note("/etc/fstab has an entry for %s already: it is left as it is",
				 options->dir);
		return 0;
	}
	r = setup->systemd ? put_unit(setup, &mounted)
			   : scaph_action_fstab(&setup->actions, &mounted);
	if (r == 0 && !setup->actions.tree.root)
		r = scaph_action_mount(&setup->actions, &mounted);
	return r;
}

static int set_device(struct setup *setup)
{
	struct scaph_devices *devices = &setup->devices;
	char resource[PATH_MAX];
	int r = scaph_action_group(&setup->actions);

	if (r == 0)
		r = put_file(
			setup, RULES,
			scaph_rule_text(SCAPH_SETUP_GROUP, devices->address, devices->addresses));
	for (uint32_t i = 0; r == 0 && i < devices->addresses; i++) {
		snprintf(resource, sizeof(resource), "%s/bus/pci/devices/%s/resource2",
			 setup->options->sysfs, devices->address[i]);
		r = scaph_action_device(&setup->actions, resource);
	}
	return r;
}

/* Before anything is done. */
static int check_exporter(const struct setup *setup)
{
	static const char *const folders[] = { UNITS, "/usr/local/lib/systemd/system",
					       "/usr/lib/systemd/system", "/lib/systemd/system" };
	char path[128];

	if (!setup->options->exporter)
		return 0;
	if (!setup->systemd) {
		scaph_setup_error("--exporter: there is no systemd here; start scaph prometheus as "
				  "this system starts its services");
		return -ENOTSUP;
	}
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(path, sizeof(path), "%s/" EXPORTER, folders[i]);
		if (scaph_tree_has(&setup->actions.tree, path))
			return 0;
	}
	scaph_setup_error("--exporter: " EXPORTER " is not installed; meson install puts it there, "
			  "or leave --exporter out");
	return -ENOENT;
}

/* What of the wanted ways, or of all, is there. */
static int choose_ways(struct setup *setup)
{
	const struct scaph_setup_options *options = setup->options;
	unsigned int wanted = options->ways, found;
	char text[512];

	if (!options->sysfs) {
		setup->ways = wanted;
		return 0;
	}
	setup->devices = scaph_devices_find(options->sysfs, options->tag);
	found = setup->devices.ways & (wanted ? wanted : ~0U);
	/* One folder: the faster, if both are there. */
	if (!wanted && (found & FOLDERS) == FOLDERS)
		found &= ~(unsigned int)SCAPH_WAY_PLAN9;
	if (!found || (wanted & ~found)) {
		scaph_devices_explain(&setup->devices, wanted, text, sizeof(text));
		scaph_setup_error("%s", text);
		return -ENODEV;
	}
	if (found & SCAPH_WAY_IVSHMEM && setup->devices.locked)
		scaph_setup_note("this kernel lets nobody map an ivshmem device (lockdown, as with "
				 "Secure Boot): let scaph-vm enable give a virtiofs share");
	else if (found & SCAPH_WAY_IVSHMEM && setup->devices.silent)
		scaph_setup_note("the ivshmem device holds no figures yet; is scaphd running on "
				 "the host?");
	setup->ways = found;
	return 0;
}

static int do_all(struct setup *setup)
{
	int r = check_exporter(setup);

	if (r == 0)
		r = choose_ways(setup);
	if (r == 0 && setup->ways & FOLDERS)
		r = set_mount(setup);
	if (r == 0 && setup->ways & SCAPH_WAY_IVSHMEM)
		r = set_device(setup);
	/* systemctl would make it too, and leave it there. */
	if (r == 0 && setup->options->exporter)
		r = scaph_action_folder(&setup->actions, UNITS "/multi-user.target.wants");
	if (r == 0 && setup->options->exporter)
		r = scaph_action_service(&setup->actions, EXPORTER);
	return r;
}

/* A running system's services read their files again. */
static void tell_services(const struct setup *setup)
{
	static const char *const udev[] = { "udevadm", "control", "--reload", NULL };
	struct scaph_words words;
	char said[256];

	if (setup->options->dry_run || setup->actions.tree.root || !setup->actions.done)
		return;
	if (setup->systemd)
		scaph_bounded_run(
			scaph_systemctl(&words, &setup->actions.tree, "daemon-reload", NULL), said,
			sizeof(said));
	scaph_bounded_run(udev, said, sizeof(said));
}

static void show_list(const struct scaph_made *made)
{
	static const char *const words[SCAPH_MADE_KINDS] = {
		[SCAPH_MADE_FOLDER] = "remove folder, if empty,",
		[SCAPH_MADE_FILE] = "remove",
		[SCAPH_MADE_LINK] = "remove link",
		[SCAPH_MADE_FSTAB] = "remove from /etc/fstab the mount of",
		[SCAPH_MADE_GROUP] = "remove group",
		[SCAPH_MADE_DEVICE] = "give back to root",
		[SCAPH_MADE_SERVICE] = "disable",
		[SCAPH_MADE_MOUNT] = "umount",
	};

	for (uint32_t i = made->count; i-- > 0;)
		printf("%s %s\n", words[made->entry[i].kind], made->entry[i].what);
}

static int undo(struct setup *setup)
{
	uint32_t count = setup->actions.made.count;
	int r = 0;

	if (setup->options->dry_run)
		show_list(&setup->actions.made);
	else
		r = scaph_actions_undo(&setup->actions, 0);
	if (r == 0)
		printf("%s\n", !count			 ? "nothing of scaph guest-setup is here"
			       : setup->options->dry_run ? "nothing was done: --dry-run"
							 : "undone");
	return r;
}

static int set_up(struct setup *setup)
{
	struct scaph_actions *actions = &setup->actions;
	uint32_t before = actions->made.count;
	int r = do_all(setup);

	if (r) {
		if (!actions->dry_run)
			scaph_actions_restore(actions);
		if (!actions->dry_run && scaph_actions_undo(actions, before) == 0 && actions->done)
			scaph_setup_note("what this run had done was undone");
		return r;
	}
	if (setup->options->dry_run)
		printf("nothing was done: --dry-run\n");
	else if (!actions->done)
		printf("all is set up already\n");
	else if (actions->tree.root)
		printf("set up: at its start it will find its figures\n");
	else
		printf("set up, now and at every start: scaph text\n");
	return 0;
}

/* One at a time. */
static int lock(const struct setup *setup)
{
	const char *root = setup->options->root;
	int fd = open(root ? root : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	scaph_setup_error("another scaph guest-setup is at work; let it end first");
	return -EBUSY;
}

static int begin(struct setup *setup)
{
	const struct scaph_setup_options *options = setup->options;
	static char root[PATH_MAX];
	int r;

	if (!options->root && !options->dry_run && geteuid() != 0) {
		scaph_setup_error("needs root: sudo scaph guest-setup (--dry-run shows what it "
				  "would do)");
		return -EPERM;
	}
	/* As the programs that are called want it. */
	if (options->root && !realpath(options->root, root)) {
		scaph_setup_error("%s: %s; give --root a folder with a system in it", options->root,
				  strerror(errno));
		return -errno;
	}
	r = scaph_tree_open(options->root ? root : NULL, &setup->actions.tree);
	if (r) {
		scaph_setup_error("%s: %s; give --root a folder with a system in it",
				  options->root ? options->root : "/", strerror(-r));
		return r;
	}
	r = options->dry_run ? 0 : lock(setup);
	if (r)
		return r;
	r = scaph_made_load(&setup->actions.tree, &setup->actions.made);
	if (r == -EACCES && options->dry_run)
		r = 0;
	if (r)
		scaph_setup_error("%s%s: %s; it lists what was made: if it is lost, remove it, and "
				  "what was made by hand",
				  options->root ? options->root : "", SCAPH_MADE_PATH,
				  r == -EINVAL ? "is not what scaph guest-setup wrote"
					       : strerror(-r));
	return r;
}

int main(int argc, char **argv)
{
	struct scaph_setup_options options;
	static struct setup setup;
	int r = scaph_setup_options_read(argc, argv, &options);

	if (r)
		return r == SCAPH_SETUP_OPTIONS_DONE ? EXIT_SUCCESS : EXIT_FAILURE;
	/* What is begun is ended or undone; whoever cannot wait has SIGKILL, and the list. */
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	setup.options = &options;
	if (begin(&setup) < 0)
		return EXIT_FAILURE;
	setup.actions.made.tree = &setup.actions.tree;
	setup.actions.dry_run = setup.actions.made.unsaved = options.dry_run;
	setup.systemd = has_systemd(&setup);
	r = options.undo ? undo(&setup) : set_up(&setup);
	tell_services(&setup);
	if (!options.dry_run)
		scaph_made_tidy(&setup.actions.made);
	scaph_actions_clear(&setup.actions);
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}
