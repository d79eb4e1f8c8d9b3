/* SPDX-License-Identifier: Apache-2.0 */
/*
 * msrfs.c - a file system that stands for /dev/cpu in tests, and writes down what it handed out
 *
 * MOUNTPOINT/CPU/msr answers reads of 8 bytes at a register's address as the kernel's msr driver
 * does: EIO for a register that is not there, ENXIO for a CPU that is offline; EINVAL for other
 * sizes. MOUNTPOINT/control takes commands, one a write, which hold when the write returns: those
 * of machine.h, and "flush" after which the log is complete.
 *
 * The log, text, in order of time:
 *
 *   # start MONO_NS           energy is 0 then
 *   MONO_NS CPU REGISTER VALUE
 *   MONO_NS CPU REGISTER error ERRNO
 *   # MONO_NS COMMAND
 *
 * It is flushed once a second, at the end, and on flush. Runs in the foreground until SIGTERM and
 * unmounts then. One thread. Only root may mount.
 */
#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "machine.h"

#define NS_PER_S 1000000000ULL
#define REGISTER_BYTES 8U
#define TIMEOUT_S 3600.0 /* names and kinds never change */

/* Inodes: the root is 1; each CPU has two from FIRST_CPU on, the folder's even. */
enum { ROOT = FUSE_ROOT_ID, CONTROL, FIRST_CPU = 4 };

struct msrfs {
	struct machine machine;
	FILE *log;
	uint64_t flushed_ns;
};

static uint64_t mono_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static struct msrfs *self(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

static uint32_t cpu_of(fuse_ino_t ino)
{
	return (uint32_t)(ino - FIRST_CPU) / 2;
}

static bool is_register_file(fuse_ino_t ino)
{
	return ino >= FIRST_CPU && ino % 2;
}

static bool exists(const struct msrfs *fs, fuse_ino_t ino)
{
	if (ino == ROOT || ino == CONTROL)
		return true;
	return ino >= FIRST_CPU && cpu_of(ino) < MACHINE_CPUS_MAX &&
	       fs->machine.cpu[cpu_of(ino)].there;
}

static struct stat attributes(fuse_ino_t ino)
{
	bool file = ino == CONTROL || is_register_file(ino);

	return (struct stat){
		.st_ino = ino,
		.st_mode = file ? S_IFREG | (ino == CONTROL ? 0200 : 0400) : S_IFDIR | 0755,
		.st_nlink = file ? 1 : 2,
	};
}

static fuse_ino_t find(const struct msrfs *fs, fuse_ino_t parent, const char *name)
{
	char canonical[16];
	unsigned int cpu;

	if (parent != ROOT)
		return !is_register_file(parent) && strcmp(name, "msr") == 0 ? parent + 1 : 0;
	if (strcmp(name, "control") == 0)
		return CONTROL;
	if (sscanf(name, "%3u", &cpu) != 1 || cpu >= MACHINE_CPUS_MAX)
		return 0;
	snprintf(canonical, sizeof(canonical), "%u", cpu);
	return strcmp(name, canonical) == 0 && fs->machine.cpu[cpu].there ? FIRST_CPU + 2 * cpu : 0;
}

static void msrfs_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param entry = { .attr_timeout = TIMEOUT_S, .entry_timeout = TIMEOUT_S };

	entry.ino = find(self(req), parent, name);
	if (!entry.ino) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	entry.attr = attributes(entry.ino);
	fuse_reply_entry(req, &entry);
}

static void msrfs_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
	struct stat stat = attributes(ino);

	fuse_reply_attr(req, &stat, TIMEOUT_S);
}

/* A shell opens the control file with O_TRUNC. */
static void msrfs_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *stat, int what,
			  struct fuse_file_info *info)
{
	if (ino != CONTROL || what & ~FUSE_SET_ATTR_SIZE)
		fuse_reply_err(req, EPERM);
	else
		msrfs_getattr(req, ino, info);
}

/* Of the root: control and the CPUs; of a CPU: msr. The offset is the inode last given. */
static void msrfs_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t after,
			  struct fuse_file_info *info)
{
	struct msrfs *fs = self(req);
	fuse_ino_t end = ino == ROOT ? FIRST_CPU + 2 * MACHINE_CPUS_MAX : ino + 2;
	char *buffer = calloc(1, size), name[16];
	size_t used = 0;

	for (fuse_ino_t it = after ? (fuse_ino_t)after + 1 : ino + 1; buffer && it < end; it++) {
		struct stat stat = attributes(it);
		size_t more;

		if (!exists(fs, it) || (ino == ROOT && is_register_file(it)))
			continue;
		snprintf(name, sizeof(name), "%u", cpu_of(it));
		more = fuse_add_direntry(req, buffer + used, size - used,
					 it == CONTROL ? "control"
					 : ino == ROOT ? name
						       : "msr",
					 &stat, (off_t)it);
		if (more > size - used)
			break;
		used += more;
	}
	fuse_reply_buf(req, buffer, used);
	free(buffer);
}

static void msrfs_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
	info->direct_io = 1;
	if (is_register_file(ino) && self(req)->machine.cpu[cpu_of(ino)].offline)
		fuse_reply_err(req, ENXIO);
	else
		fuse_reply_open(req, info);
}

static void msrfs_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t address,
		       struct fuse_file_info *info)
{
	struct msrfs *fs = self(req);
	uint64_t now_ns = mono_now_ns(), value;
	int r;

	if (!is_register_file(ino) || size != REGISTER_BYTES) {
		fuse_reply_err(req, EINVAL);
		return;
	}
	r = machine_show(&fs->machine, cpu_of(ino), (uint64_t)address, now_ns, &value);
	fprintf(fs->log, "%" PRIu64 " %u 0x%" PRIx64, now_ns, cpu_of(ino), (uint64_t)address);
	if (r) {
		fprintf(fs->log, " error %d\n", -r);
		fuse_reply_err(req, -r);
	} else {
		fprintf(fs->log, " 0x%" PRIx64 "\n", value);
		fuse_reply_buf(req, (const char *)&value, sizeof(value));
	}
	if (now_ns - fs->flushed_ns >= NS_PER_S) {
		fflush(fs->log);
		fs->flushed_ns = now_ns;
	}
}

static void msrfs_write(fuse_req_t req, fuse_ino_t ino, const char *bytes, size_t size, off_t at,
			struct fuse_file_info *info)
{
	struct msrfs *fs = self(req);
	uint64_t now_ns = mono_now_ns();
	char line[256];

	if (ino != CONTROL || size >= sizeof(line)) {
		fuse_reply_err(req, EINVAL);
		return;
	}
	memcpy(line, bytes, size);
	line[size] = '\0';
	line[strcspn(line, "\n")] = '\0';
	if (strcmp(line, "flush") && machine_command(&fs->machine, line, now_ns)) {
		fuse_reply_err(req, EINVAL);
		return;
	}
	fprintf(fs->log, "# %" PRIu64 " %s\n", now_ns, line);
	fflush(fs->log);
	fuse_reply_write(req, size);
}

static const struct fuse_lowlevel_ops operations = {
	.lookup = msrfs_lookup,
	.getattr = msrfs_getattr,
	.setattr = msrfs_setattr,
	.readdir = msrfs_readdir,
	.open = msrfs_open,
	.read = msrfs_read,
	.write = msrfs_write,
};

/* Until a signal ends it: an exit status. */
static int serve(struct msrfs *fs, char *program, const char *mountpoint)
{
	char option[] = "-ofsname=msrfs", *words[] = { program, option };
	struct fuse_args args = FUSE_ARGS_INIT(2, words);
	struct fuse_session *session = fuse_session_new(&args, &operations, sizeof(operations), fs);
	int status = EXIT_FAILURE;

	if (!session)
		return EXIT_FAILURE;
	if (fuse_set_signal_handlers(session) == 0) {
		if (fuse_session_mount(session, mountpoint) == 0) {
			if (fuse_session_loop(session) >= 0)
				status = EXIT_SUCCESS;
			fuse_session_unmount(session);
		}
		fuse_remove_signal_handlers(session);
	}
	fuse_session_destroy(session);
	fuse_opt_free_args(&args);
	return status;
}

static const char *const usage =
	"Usage: msrfs MOUNTPOINT --config FILE --log FILE\n"
	"Stand for /dev/cpu at MOUNTPOINT until SIGTERM. The heads of msrfs.c and machine.h say "
	"how.\n";

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "log", required_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	const char *config = NULL, *log = NULL;
	static struct msrfs fs;
	int choice, status;

	while ((choice = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (choice == 'c')
			config = optarg;
		else if (choice == 'l')
			log = optarg;
		else
			return fputs(usage, choice == 'h' ? stdout : stderr), choice != 'h';
	}
	if (optind != argc - 1 || !config || !log)
		return fputs(usage, stderr), EXIT_FAILURE;
	if (geteuid()) {
		fputs("msrfs: only root may mount; run it as root\n", stderr);
		return EXIT_FAILURE;
	}
	if (machine_read(config, mono_now_ns(), &fs.machine))
		return EXIT_FAILURE;
	fs.log = fopen(log, "we");
	if (!fs.log) {
		fprintf(stderr, "msrfs: %s: %s\n", log, strerror(errno));
		machine_clear(&fs.machine);
		return EXIT_FAILURE;
	}
	fprintf(fs.log, "# start %" PRIu64 "\n", fs.machine.start_ns);
	status = serve(&fs, argv[0], argv[optind]);
	if (fclose(fs.log))
		status = EXIT_FAILURE;
	machine_clear(&fs.machine);
	return status;
}
