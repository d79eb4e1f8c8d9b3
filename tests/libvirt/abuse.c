/* SPDX-License-Identifier: Apache-2.0 */
/*
 * abuse.c - whatever root can try on a share that is not to be changed: abuse FOLDER
 *
 * Prints a line for each attempt that was not refused, and exits with 1 if there was one. Static, for guests without
 * libraries. What succeeds is not undone.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#define RING "scaph.ring"

static unsigned int attempts, taken;

static void try(const char *what, bool worked)
{
	attempts++;
	if (!worked)
		return;
	taken++;
	printf("not refused: %s\n", what);
}

/* A way to a descriptor that can be written to; with it all else would work. */
static void write_to(const char *what, int fd)
{
	char block[4096] = { 1 };

	try(what, fd >= 0);
	if (fd < 0)
		return;
	try("write", pwrite(fd, block, sizeof(block), 0) > 0);
	try("punch a hole",
	    fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096) == 0);
	try("ftruncate", ftruncate(fd, 0) == 0);
	try("grow", fallocate(fd, 0, 0, 64 << 20) == 0);
	close(fd);
}

static void fill(void)
{
	char name[32];
	unsigned int made = 0;

	for (unsigned int i = 0; i < 64; i++) {
		int fd;

		snprintf(name, sizeof(name), "fill%u", i);
		fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
		made += fd >= 0;
		if (fd >= 0)
			close(fd);
	}
	try("fill", made > 0);
}

static void try_descriptor(void)
{
	int fd = open(RING, O_RDONLY), flags = 0;
	char link[64];

	if (fd < 0)
		return;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	write_to("open again by /proc/self/fd", open(link, O_RDWR));
	try("map for writing",
	    mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED);
	try("punch a hole by a reader's descriptor",
	    fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096) == 0);
	try("fchmod", fchmod(fd, 0666) == 0);
	try("fchown", fchown(fd, 1, 1) == 0);
	try("fsetxattr", fsetxattr(fd, "trusted.x", "y", 1, 0) == 0);
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0) {
		flags |= FS_NODUMP_FL;
		try("set an attribute", ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0);
	}
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc != 2 || chdir(argv[1]) < 0 || access(RING, F_OK) < 0) {
		fprintf(stderr, "abuse: there is no %s to be abused\n", RING);
		return 2;
	}
	write_to("open for writing", open(RING, O_RDWR));
	write_to("open and truncate", open(RING, O_RDWR | O_TRUNC));
	write_to("a file without a name", open(".", O_TMPFILE | O_RDWR, 0600));
	try("truncate", truncate(RING, 0) == 0);
	try("symlink", symlink("/etc/shadow", "new") == 0);
	try("link", link(RING, "new") == 0);
	try("mkdir", mkdir("new", 0777) == 0);
	try("mknod of a device", mknod("new", S_IFCHR | 0666, makedev(1, 3)) == 0);
	try("mknod of a fifo", mknod("new", S_IFIFO | 0666, 0) == 0);
	try("chmod", chmod(RING, 0666) == 0);
	try("chmod of the folder", chmod(".", 0777) == 0);
	try("chown", chown(RING, 1, 1) == 0);
	try("chown of the folder", chown(".", 1, 1) == 0);
	try("utimes", utimensat(AT_FDCWD, RING, NULL, 0) == 0);
	try("setxattr", setxattr(RING, "trusted.x", "y", 1, 0) == 0);
	try_descriptor();
	fill();
	try("rename", rename(RING, "new") == 0);
	try("unlink", unlink(RING) == 0);
	printf("%u attempts\n", attempts);
	return taken ? 1 : 0;
}
