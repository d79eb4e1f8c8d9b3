/* SPDX-License-Identifier: Apache-2.0 */
/*
 * msr.c - reads of 8 bytes at the register's number
 */
#include "producer/source/msr.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "producer/machine/processor.h"
#include "producer/source/rapl.h"

int scaph_msr_open(const struct scaph_config *config, uint32_t cpu)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%u/msr", config->msr_path, cpu);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

const char *scaph_msr_mend(int r)
{
	switch (r) {
	case -EACCES:
	case -EPERM:
		return "start scaphd as root with CAP_SYS_RAWIO";
	case -ENOENT:
	case -ENODEV:
	case -ENXIO:
		return "load the kernel's driver with modprobe msr";
	case -EMFILE:
	case -ENFILE:
		return "allow more open files (LimitNOFILE=, ulimit -n)";
	default:
		return "see the kernel's log";
	}
}

int scaph_msr_read(int fd, uint32_t msr, uint64_t *ret_value)
{
	uint64_t value;
	ssize_t count = pread(fd, &value, sizeof(value), (off_t)msr);

	if (count < 0)
		return -errno;
	if (count != sizeof(value))
		return -EIO;
	*ret_value = value;
	return 0;
}

bool scaph_msr_filtered(const struct scaph_config *config, const struct scaph_topology *topology)
{
	struct scaph_rapl_filter filter = {};
	int cpu = scaph_topology_cpu_for(topology, 0), fd;

	if (topology->vendor != SCAPH_VENDOR_INTEL)
		return false;
	fd = cpu < 0 ? -ENODEV : scaph_msr_open(config, (uint32_t)cpu);
	if (fd < 0)
		return scaph_processor_has(config, "sgx");
	/* Each stays 0 on a processor without it. */
	(void)scaph_msr_read(fd, SCAPH_RAPL_MSR_CAPABILITIES, &filter.capabilities);
	(void)scaph_msr_read(fd, SCAPH_RAPL_MSR_PACKAGE_CONTROL, &filter.package_control);
	(void)scaph_msr_read(fd, SCAPH_RAPL_MSR_FEATURE_CONTROL, &filter.feature_control);
	close(fd);
	return scaph_rapl_filtered(&filter);
}
