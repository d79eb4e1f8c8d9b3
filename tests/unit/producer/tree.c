/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree.c - making and removing a machine of files
 */
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NOBODY 65534

static int stderr_fd = -1;

void tree_make(struct tree *tree)
{
	*tree = (struct tree){};
	snprintf(tree->root, sizeof(tree->root), "/tmp/scaph-tree-XXXXXX");
	assert_non_null(mkdtemp(tree->root));
	assert_int_equal(chmod(tree->root, 0755), 0);
	snprintf(tree->sysfs, sizeof(tree->sysfs), "%s/sys", tree->root);
	snprintf(tree->procfs, sizeof(tree->procfs), "%s/proc", tree->root);
	snprintf(tree->msr, sizeof(tree->msr), "%s/msr", tree->root);
	tree->config.sysfs = tree->sysfs;
	tree->config.procfs = tree->procfs;
	tree->config.msr_path = tree->msr;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
	(void)info;
	(void)type;
	(void)walk;
	return remove(path);
}

void tree_remove(struct tree *tree)
{
	assert_int_equal(nftw(tree->root, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static int open_below(struct tree *tree, const char *path, int flags)
{
	char full[PATH_MAX];
	int fd;

	snprintf(full, sizeof(full), "%s/%s", tree->root, path);
	for (char *at = full + strlen(tree->root) + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		assert_true(mkdir(full, 0755) == 0 || errno == EEXIST);
		*at = '/';
	}
	fd = open(full, flags | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	return fd;
}

void tree_put(struct tree *tree, const char *path, const char *format, ...)
{
	int fd = open_below(tree, path, O_WRONLY | O_TRUNC);
	va_list args;

	va_start(args, format);
	assert_true(vdprintf(fd, format, args) >= 0);
	va_end(args);
	close(fd);
}

void tree_drop(struct tree *tree, const char *path)
{
	char full[PATH_MAX];

	snprintf(full, sizeof(full), "%s/%s", tree->root, path);
	assert_int_equal(nftw(full, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

void tree_processor(struct tree *tree, const char *vendor, unsigned int family, unsigned int model)
{
	tree_put(tree, "proc/cpuinfo",
		 "processor\t: 1\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\n"
		 "model name\t: Some(R) CPU: fast\nflags\t\t: fpu sgx_lc\n\nprocessor\t: 2\n"
		 "model\t\t: 99\n",
		 vendor, family, model);
}

void tree_cpu(struct tree *tree, unsigned int cpu, int package, int die)
{
	char path[128];

	snprintf(path, sizeof(path), "sys/devices/system/cpu/cpu%u/topology/physical_package_id",
		 cpu);
	tree_put(tree, path, "%d\n", package);
	snprintf(path, sizeof(path), "sys/devices/system/cpu/cpu%u/topology/die_id", cpu);
	if (die >= 0)
		tree_put(tree, path, "%d\n", die);
}

void tree_topology(struct tree *tree, struct scaph_topology *ret_topology)
{
	assert_int_equal(scaph_topology_read(&tree->config, ret_topology), 0);
}

void tree_listen(struct tree *tree)
{
	int fd = open_below(tree, "said", O_RDWR | O_TRUNC);

	fflush(stderr);
	stderr_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
	assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	close(fd);
}

const char *tree_heard(struct tree *tree)
{
	static char said[4096];
	int fd = open_below(tree, "said", O_RDONLY);
	ssize_t count;

	fflush(stderr);
	assert_int_equal(dup2(stderr_fd, STDERR_FILENO), STDERR_FILENO);
	close(stderr_fd);
	count = read(fd, said, sizeof(said) - 1);
	assert_true(count >= 0);
	said[count] = '\0';
	close(fd);
	return said;
}

void tree_msr(struct tree *tree, unsigned int cpu, uint32_t msr, uint64_t value)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "msr/%u/msr", cpu);
	fd = open_below(tree, path, O_WRONLY);
	assert_int_equal(pwrite(fd, &value, sizeof(value), (off_t)msr), sizeof(value));
	close(fd);
}

int tree_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

int tree_as_nobody(int (*run)(struct tree *tree), struct tree *tree)
{
	int status;
	pid_t pid;

	if (geteuid() == 0) {
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			_exit(setgid(NOBODY) || setuid(NOBODY) ? 100 : run(tree));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		return WEXITSTATUS(status);
	}
	return run(tree);
}
