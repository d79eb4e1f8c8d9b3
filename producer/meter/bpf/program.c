/* SPDX-License-Identifier: Apache-2.0 */
/*
 * program.c - libbpf: open, load, attach, maps, test runs on a CPU
 */
#include "producer/meter/bpf/program.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime.skel.h"

#define BTF "/sys/kernel/btf/vmlinux"
#define LOCKDOWN "/sys/kernel/security/lockdown"

/* PIDs and times since boot are those of the first namespaces. Source: include/linux/proc_ns.h. */
static const struct {
	const char *path, *first, *of;
} namespaces[] = {
	{ "/proc/self/ns/pid", "pid:[4026531836]", "PIDs" },
	{ "/proc/self/ns/time", "time:[4026531834]", "boot time" },
};

struct scaph_program {
	struct runtime_bpf *skeleton;
	uint32_t cpus;
	struct scaph_runtime_cpu *lines;
};

/* What libbpf said last while loading: the cause is in there, if anywhere. */
static char last_said[SCAPH_PROGRAM_WHY_BYTES / 2];

static int listen(enum libbpf_print_level level, const char *format, va_list args)
{
	char line[sizeof(last_said)];

	if (level != LIBBPF_WARN)
		return 0;
	vsnprintf(line, sizeof(line), format, args);
	line[strcspn(line, "\n")] = '\0';
	/* The first is the cause, those behind it only say what could not be done for it. */
	if (!last_said[0])
		snprintf(last_said, sizeof(last_said), "%s", line);
	return 0;
}

static int check_namespaces(char ret_why[SCAPH_PROGRAM_WHY_BYTES])
{
	for (size_t i = 0; i < sizeof(namespaces) / sizeof(namespaces[0]); i++) {
		char link[64];
		ssize_t length = readlink(namespaces[i].path, link, sizeof(link) - 1);

		if (length < 0)
			continue; /* a kernel without such namespaces has one of them */
		link[length] = '\0';
		if (strcmp(link, namespaces[i].first) == 0)
			continue;
		snprintf(ret_why, SCAPH_PROGRAM_WHY_BYTES,
			 "scaphd runs in a container whose %s differ from the kernel's; run it on "
			 "the host",
			 namespaces[i].of);
		return -EXDEV;
	}
	return 0;
}

/* A kernel that keeps its secrets from root too: "none integrity [confidentiality]". */
static bool is_locked(void)
{
	FILE *file = fopen(LOCKDOWN, "re");
	char line[128] = "";

	if (file && !fgets(line, sizeof(line), file))
		line[0] = '\0';
	if (file)
		fclose(file);
	return strstr(line, "[confidentiality]");
}

static void explain(int r, char ret_why[SCAPH_PROGRAM_WHY_BYTES])
{
	if (access(BTF, R_OK) < 0)
		snprintf(ret_why, SCAPH_PROGRAM_WHY_BYTES,
			 "this kernel does not describe itself: %s: %s; boot one with "
			 "CONFIG_DEBUG_INFO_BTF",
			 BTF, strerror(errno));
	else if ((r == -EPERM || r == -EACCES) && is_locked())
		snprintf(ret_why, SCAPH_PROGRAM_WHY_BYTES,
			 "the kernel is locked down and lets nobody look into it (%s); boot it "
			 "with lockdown=integrity or none",
			 LOCKDOWN);
	else if (r == -EPERM || r == -EACCES)
		snprintf(ret_why, SCAPH_PROGRAM_WHY_BYTES,
			 "the kernel does not let us load a program; start scaphd as root or with "
			 "CAP_BPF and CAP_PERFMON");
	else
		snprintf(ret_why, SCAPH_PROGRAM_WHY_BYTES,
			 "its program cannot be loaded (Linux 5.12 or later can): %s%s%s",
			 strerror(-r), last_said[0] ? ": " : "", last_said);
}

static size_t lines_bytes(const struct scaph_program *program)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (program->cpus * sizeof(*program->lines) + page - 1) / page * page;
}

static int map_lines(struct scaph_program *program)
{
	void *at = mmap(NULL, lines_bytes(program), PROT_READ, MAP_SHARED,
			bpf_map__fd(program->skeleton->maps.cpus), 0);

	if (at == MAP_FAILED)
		return -errno;
	program->lines = at;
	return 0;
}

/* Whatever a CPU has found out before must be looked up again. */
static void begin_edition(struct scaph_program *program)
{
	uint64_t next = program->skeleton->bss->edition + 1;

	/* P1: the map's change, before its edition; pairs with K1 in runtime.bpf.c. */
	__atomic_store_n(&program->skeleton->bss->edition, next, __ATOMIC_RELEASE);
	/* P2: either a turn has the new edition, or whoever looks next sees it; pairs with K1. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* Attached before anybody is looked at, so that no turn is between. */
static int start(struct scaph_program *program)
{
	int r = runtime_bpf__load(program->skeleton);

	if (r == 0)
		r = map_lines(program);
	if (r == 0) {
		begin_edition(program);
		program->skeleton->links.on_switch =
			bpf_program__attach(program->skeleton->progs.on_switch);
		r = program->skeleton->links.on_switch ? 0 : -errno;
	}
	for (uint32_t cpu = 0; cpu < program->cpus && r == 0; cpu++) {
		r = scaph_program_kick(program, cpu);
		if (r == -ENXIO)
			r = 0; /* offline: it begins with a turn */
	}
	return r;
}

int scaph_program_load(uint32_t cpus, struct scaph_program **ret_program,
		       char ret_why[SCAPH_PROGRAM_WHY_BYTES])
{
	/*
	 * Named, so that libbpf does not go on to look into the modules for what the kernel has not
	 * (irqtime): only CAP_SYS_ADMIN may.
	 */
	LIBBPF_OPTS(bpf_object_open_opts, options, .btf_custom_path = BTF);
	struct scaph_program *program;
	libbpf_print_fn_t before;
	int r = check_namespaces(ret_why);

	if (r)
		return r;
	last_said[0] = '\0';
	before = libbpf_set_print(listen);
	program = calloc(1, sizeof(*program));
	r = -ENOMEM;
	if (program) {
		program->cpus = cpus;
		program->skeleton = runtime_bpf__open_opts(&options);
		r = program->skeleton ? bpf_map__set_max_entries(program->skeleton->maps.cpus, cpus)
				      : -errno;
	}
	if (r == 0)
		r = start(program);
	libbpf_set_print(before);
	if (r) {
		explain(r, ret_why);
		scaph_program_unload(program);
		return r;
	}
	*ret_program = program;
	return 0;
}

void scaph_program_unload(struct scaph_program *program)
{
	if (!program)
		return;
	if (program->lines)
		munmap(program->lines, lines_bytes(program));
	if (program->skeleton)
		runtime_bpf__destroy(program->skeleton);
	free(program);
}

const struct scaph_runtime_cpu *scaph_program_lines(const struct scaph_program *program)
{
	return program->lines;
}

int scaph_program_add(struct scaph_program *program, pid_t pid,
		      const struct scaph_runtime_process *process, bool by_force)
{
	int map_fd = bpf_map__fd(program->skeleton->maps.processes);
	struct scaph_runtime_process there;
	uint32_t key = (uint32_t)pid;

	/* Another birth: its process has ended, and nobody has taken it away yet. */
	if (!by_force && bpf_map_lookup_elem(map_fd, &key, &there) == 0 &&
	    there.born_ns == process->born_ns && there.slot != process->slot)
		return -EEXIST;
	if (bpf_map_update_elem(map_fd, &key, process, BPF_ANY) < 0)
		return -errno;
	begin_edition(program);
	return 0;
}

void scaph_program_remove(struct scaph_program *program, pid_t pid, uint32_t slot)
{
	int map_fd = bpf_map__fd(program->skeleton->maps.processes);
	struct scaph_runtime_process there;
	uint32_t key = (uint32_t)pid;

	if (bpf_map_lookup_elem(map_fd, &key, &there) == 0 && there.slot == slot) {
		bpf_map_delete_elem(map_fd, &key);
		begin_edition(program);
	}
}

int scaph_program_kick(struct scaph_program *program, uint32_t cpu)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .flags = BPF_F_TEST_RUN_ON_CPU, .cpu = cpu);

	return bpf_prog_test_run_opts(bpf_program__fd(program->skeleton->progs.on_kick), &options) <
			       0
		       ? -errno
		       : 0;
}
