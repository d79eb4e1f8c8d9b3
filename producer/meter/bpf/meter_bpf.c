/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meter_bpf.c - exact run times, counted by a program in the kernel at every context switch
 *
 * A domain is its process and those that work for it. Right at any instant: for what runs now, ran
 * already when it was named, or never leaves its CPU. Busy time is that in which a CPU was not idle,
 * interrupts included, which are charged to no domain.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "producer/meter/bpf/look.h"
#include "producer/meter/bpf/program.h"
#include "producer/meter/bpf/retinue.h"
#include "producer/meter/bpf/slots.h"
#include "producer/meter/meter.h"
#include "producer/process/birth.h"
#include "producer/process/clock.h"

/* Nothing here is in steps; but a window is to hold some of what it divides. */
#define LEAST_WINDOW_NS SCAPH_NS_PER_MS

/* The clocks of tasks and of windows differ in their rate, by 500 ppm at most: that is not waited for. */
#define AHEAD_NS SCAPH_NS_PER_MS

#define TENDED_AT_ONCE 16U /* domains whose retinue is looked at again, each time */

/* Who is charged to a slot. */
struct company {
	pid_t pid; /* 0: nobody */
	uint32_t helpers;
	pid_t helper[SCAPH_RETINUE_MAX];
};

struct bpf {
	struct scaph_meter meter;
	const char *sysfs, *procfs;
	bool vhost; /* its threads are processes of their own */
	const struct scaph_topology *topology;
	struct scaph_program *program;
	const struct scaph_runtime_cpu *lines;

	/* Main thread. */
	struct scaph_slots slots;
	struct company company[SCAPH_RUNTIME_SLOTS];
	uint32_t tended; /* the slot that was last */

	/* Publisher. */
	struct scaph_look look;
	bool begun;
	uint64_t given_ns[SCAPH_PACKAGES_MAX]; /* busy time handed out so far */
};

static uint64_t least_window_ns(void)
{
	return LEAST_WINDOW_NS;
}

static bool is_before_6_4(void)
{
	struct utsname name;
	unsigned int major, minor;

	return uname(&name) == 0 && sscanf(name.release, "%u.%u", &major, &minor) == 2 &&
	       (major < 6 || (major == 6 && minor < 4));
}

static void bpf_close(struct scaph_meter *meter)
{
	struct bpf *bpf = (struct bpf *)meter;

	scaph_look_deinit(&bpf->look);
	scaph_program_unload(bpf->program);
	free(bpf);
}

static int bpf_open(const struct scaph_config *config, const struct scaph_topology *topology,
		    struct scaph_meter **ret_meter, char ret_why[SCAPH_METER_WHY_BYTES])
{
	char why[SCAPH_PROGRAM_WHY_BYTES] = "out of memory";
	struct bpf *bpf;
	int r = -ENOMEM;

	/* Whoever is in one comes and goes unseen, between two looks at it. */
	if (scaph_config_names_group(config)) {
		snprintf(ret_why, SCAPH_METER_WHY_BYTES,
			 "it counts processes, and a --domain names a control group; "
			 "--meter cputime counts both");
		return -ENOTSUP;
	}
	bpf = calloc(1, sizeof(*bpf));
	if (bpf)
		r = scaph_program_load(topology->cpus, &bpf->program, why);
	if (r == 0) {
		bpf->lines = scaph_program_lines(bpf->program);
		r = scaph_look_init(&bpf->look, topology, bpf->lines, topology->cpus);
	}
	if (r) {
		snprintf(ret_why, SCAPH_METER_WHY_BYTES, "%s", why);
		if (bpf)
			bpf_close(&bpf->meter);
		return r;
	}
	bpf->sysfs = config->sysfs;
	bpf->procfs = config->procfs;
	bpf->vhost = is_before_6_4();
	bpf->topology = topology;
	bpf->meter.ops = &scaph_meter_bpf;
	*ret_meter = &bpf->meter;
	return 0;
}

/*
 * Who is new or gone counts so from its next turn on, which may be hours away: the CPUs where such
 * run make one. What cannot be had (no privilege, before Linux 5.19) comes with that next turn.
 */
static void kick(struct bpf *bpf, uint32_t slot)
{
	const struct company *company = &bpf->company[slot];

	for (uint32_t cpu = 0; cpu < bpf->topology->cpus; cpu++) {
		struct scaph_look_runner runner;
		bool concerned = true;

		if (scaph_look_runner(&bpf->lines[cpu], &runner) && runner.seen) {
			concerned = runner.slot == slot || (pid_t)runner.tgid == company->pid;
			for (uint32_t i = 0; i < company->helpers; i++)
				concerned |= (pid_t)runner.tgid == company->helper[i];
		}
		if (concerned && bpf->topology->package_of[cpu] != SCAPH_PACKAGE_NONE)
			scaph_program_kick(bpf->program, cpu);
	}
}

static int charge(struct bpf *bpf, pid_t pid, uint64_t birth_ticks, uint32_t slot, bool by_force)
{
	struct scaph_runtime_process process = {
		.born_ns = birth_ticks * SCAPH_RUNTIME_BIRTH_NS,
		.slot = slot,
	};

	return scaph_program_add(bpf->program, pid, &process, by_force);
}

static bool among(const pid_t *pids, uint32_t count, pid_t pid)
{
	for (uint32_t i = 0; i < count; i++) {
		if (pids[i] == pid)
			return true;
	}
	return false;
}

/* Bring a slot's helpers up to date; one that another domain has stays there. */
static void look_for_helpers(struct bpf *bpf, uint32_t slot)
{
	struct company *company = &bpf->company[slot];
	struct company now = { .pid = company->pid };
	pid_t found[SCAPH_RETINUE_MAX];
	uint32_t count =
		scaph_retinue_find(bpf->sysfs, bpf->procfs, bpf->vhost, company->pid, found);
	bool changed = false;

	for (uint32_t i = 0; i < count; i++) {
		uint64_t birth_ticks;

		if (scaph_birth_ticks(found[i], &birth_ticks) ||
		    charge(bpf, found[i], birth_ticks, slot, false))
			continue;
		changed |= !among(company->helper, company->helpers, found[i]);
		now.helper[now.helpers++] = found[i];
	}
	for (uint32_t i = 0; i < company->helpers; i++) {
		if (among(now.helper, now.helpers, company->helper[i]))
			continue;
		scaph_program_remove(bpf->program, company->helper[i], slot);
		changed = true;
	}
	*company = now;
	if (changed)
		kick(bpf, slot);
}

static int bpf_enter(struct scaph_meter *meter, struct scaph_reading *reading)
{
	struct bpf *bpf = (struct bpf *)meter;
	int slot = scaph_slots_take(&bpf->slots, bpf->lines, bpf->topology->cpus);
	int r;

	if (slot < 0)
		return slot;
	r = charge(bpf, reading->pid, reading->birth_ticks, (uint32_t)slot, true);
	if (r) {
		scaph_slots_give_back(&bpf->slots, (uint32_t)slot);
		return r;
	}
	bpf->company[slot] = (struct company){ .pid = reading->pid };
	reading->slot = (uint32_t)slot;
	kick(bpf, reading->slot);
	look_for_helpers(bpf, reading->slot);
	return 0;
}

static void bpf_leave(struct scaph_meter *meter, struct scaph_reading *reading)
{
	struct bpf *bpf = (struct bpf *)meter;
	struct company *company = &bpf->company[reading->slot];

	if (!reading->slot)
		return;
	scaph_program_remove(bpf->program, company->pid, reading->slot);
	for (uint32_t i = 0; i < company->helpers; i++)
		scaph_program_remove(bpf->program, company->helper[i], reading->slot);
	kick(bpf, reading->slot);
	*company = (struct company){};
	scaph_slots_give_back(&bpf->slots, reading->slot);
	reading->slot = 0;
}

static void bpf_tend(struct scaph_meter *meter)
{
	struct bpf *bpf = (struct bpf *)meter;
	uint32_t looks = 0;

	for (uint32_t i = 0; i < SCAPH_RUNTIME_SLOTS && looks < TENDED_AT_ONCE; i++) {
		bpf->tended = (bpf->tended + 1) % SCAPH_RUNTIME_SLOTS;
		if (!bpf->company[bpf->tended].pid)
			continue;
		look_for_helpers(bpf, bpf->tended);
		looks++;
	}
}

/* What a reading has run since the sweep before; added to the packages' sums. */
static void read_slot(struct bpf *bpf, struct scaph_reading *reading, uint64_t now_ns,
		      uint64_t sum_ns[SCAPH_PACKAGES_MAX])
{
	bool begun = reading->begun && reading->slot;

	if (reading->slot && !reading->begun)
		scaph_look_begin(&bpf->look, reading->slot, now_ns);
	reading->begun = true;
	reading->cpu_ns = 0;
	for (uint32_t p = 0; p < bpf->topology->packages; p++) {
		uint64_t ns = begun ? scaph_look_take(&bpf->look, reading->slot, p) : 0;

		reading->package_ns[p] = ns;
		reading->cpu_ns += ns;
		sum_ns[p] += ns;
	}
}

/* At least the domains' sum; what that is ahead by is taken back from the next windows. */
static uint64_t busy_since(struct bpf *bpf, uint32_t package, uint64_t sum_ns)
{
	uint64_t busy_ns = bpf->look.busy_ns[package];
	uint64_t *given_ns = &bpf->given_ns[package];
	uint64_t due_ns = busy_ns > *given_ns ? busy_ns - *given_ns : 0;

	if (due_ns < sum_ns)
		due_ns = sum_ns;
	*given_ns += due_ns;
	if (*given_ns > busy_ns + AHEAD_NS)
		*given_ns = busy_ns + AHEAD_NS;
	return due_ns;
}

static int bpf_sweep(struct scaph_meter *meter, struct scaph_reading *const *readings,
		     uint32_t count, uint64_t ret_busy_ns[SCAPH_PACKAGES_MAX])
{
	struct bpf *bpf = (struct bpf *)meter;
	uint64_t now_ns = scaph_clock_ns(CLOCK_MONOTONIC), sum_ns[SCAPH_PACKAGES_MAX] = {};

	scaph_look_sweep(&bpf->look, now_ns);
	for (uint32_t i = 0; i < count; i++)
		read_slot(bpf, readings[i], now_ns, sum_ns);
	for (uint32_t p = 0; p < bpf->topology->packages; p++) {
		if (!bpf->begun)
			bpf->given_ns[p] = bpf->look.busy_ns[p];
		ret_busy_ns[p] = busy_since(bpf, p, sum_ns[p]);
	}
	bpf->begun = true;
	return 0;
}

static uint64_t bpf_unmet_ns(const struct scaph_meter *meter)
{
	const struct bpf *bpf = (const struct bpf *)meter;

	return scaph_look_unmet_ns(&bpf->look);
}

const struct scaph_meter_ops scaph_meter_bpf = {
	.name = "bpf",
	.about = "run time at every context switch",
	.id = SCAPH_METER_BPF,
	.least_window_ns = least_window_ns,
	.open = bpf_open,
	.enter = bpf_enter,
	.leave = bpf_leave,
	.tend = bpf_tend,
	.sweep = bpf_sweep,
	.unmet_ns = bpf_unmet_ns,
	.close = bpf_close,
};
