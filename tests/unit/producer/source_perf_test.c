/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_perf_test.c - the power PMU's folder, parsed; and real groups of real events, with the
 * kernel's software PMU in the place of the power PMU
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "producer/process/clock.h"
#include "producer/source/power_pmu.h"
#include "tree.h"

#define J (UINT64_C(1000000) << 32)
#define CPUS "sys/devices/system/cpu/"
#define PMU "sys/bus/event_source/devices/power/"
#define KERNELS_SCALE "2.3283064365386962890625e-10"

/* Events of the software PMU. */
enum { CPU_CLOCK = 0, CONTEXT_SWITCHES = 3, ALIGNMENT_FAULTS = 7 };

static struct scaph_topology topology;
static struct scaph_source *source;
static char why[SCAPH_SOURCE_WHY_BYTES];
static int descriptors;

static void event(struct tree *tree, const char *name, const char *code, const char *scale)
{
	char path[128];

	snprintf(path, sizeof(path), PMU "events/%s", name);
	tree_put(tree, path, "%s\n", code);
	snprintf(path, sizeof(path), PMU "events/%s.scale", name);
	tree_put(tree, path, "%s\n", scale);
	snprintf(path, sizeof(path), PMU "events/%s.unit", name);
	tree_put(tree, path, "Joules\n");
}

static void software_event(struct tree *tree, const char *name, int code)
{
	char text[32];

	snprintf(text, sizeof(text), "event=0x%02x", code);
	event(tree, name, text, "1e-6");
}

static int setup(void **state)
{
	static struct tree tree;

	tree_make(&tree);
	tree_processor(&tree, "GenuineIntel", 6, 0x6a);
	tree_put(&tree, CPUS "online", "0-3\n");
	for (unsigned int cpu = 0; cpu < 4; cpu++)
		tree_cpu(&tree, cpu, cpu % 2 ? 3 : 7, 0);
	tree_topology(&tree, &topology);
	tree_put(&tree, PMU "type", "9\n");
	tree_put(&tree, PMU "cpumask", "0-1\n");
	event(&tree, "energy-pkg", "event=0x02", KERNELS_SCALE);
	descriptors = tree_descriptors();
	*state = &tree;
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(tree_descriptors(), descriptors);
	tree_remove(*state);
	return 0;
}

/* This machine as one package, all its energy in software. */
static void real_machine(struct tree *tree)
{
	char online[64] = "";
	cpu_set_t here;
	int fd = open("/sys/devices/system/cpu/online", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0 && read(fd, online, sizeof(online) - 1) > 0);
	close(fd);
	tree_put(tree, CPUS "online", "%s", online);
	for (unsigned int cpu = 0; cpu < 64; cpu++)
		tree_cpu(tree, cpu, 5, 0);
	tree_topology(tree, &topology);
	tree_put(tree, PMU "type", "1\n");
	tree_put(tree, PMU "cpumask", "%d\n", scaph_topology_cpu_for(&topology, 0));
	/* So that each sleep of ours is a switch that is counted. */
	CPU_ZERO(&here);
	CPU_SET(scaph_topology_cpu_for(&topology, 0), &here);
	assert_int_equal(sched_setaffinity(0, sizeof(here), &here), 0);
	software_event(tree, "energy-pkg", CPU_CLOCK);
}

static void scales(void **state)
{
	static const struct {
		const char *text;
		int r;
		uint64_t units;
	} scale[] = {
		{ KERNELS_SCALE, 0, 1000000 },
		{ "1", 0, J },
		{ "1.0", 0, J },
		{ "1e-6", 0, UINT64_C(1) << 32 },
		{ "0.000001", 0, UINT64_C(1) << 32 },
		{ "1.52587890625e-05", 0, J >> 16 },
		{ "6.103515625E-5", 0, J >> 14 },
		{ "4e3", 0, 4000 * J },
		{ "4.3e3", -ERANGE, 0 },
		{ "1e-9", -EDOM, 0 },
		{ "2.3283064365386962890626e-10", -EDOM, 0 },
		{ "2.328306436538696e-10", -EDOM, 0 },
		{ "0", -ERANGE, 0 },
		{ "1e60", -ERANGE, 0 },
		{ "1e61", -EINVAL, 0 },
		{ "12345678901234567890123456789", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ ".", -EINVAL, 0 },
		{ "1.", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "1e", -EINVAL, 0 },
		{ "1e 5", -EINVAL, 0 },
		{ "1.2.3", -EINVAL, 0 },
		{ "1 J", -EINVAL, 0 },
		{ "0x1p-32", -EINVAL, 0 },
		{ "nan", -EINVAL, 0 },
	};

	for (size_t i = 0; i < sizeof(scale) / sizeof(scale[0]); i++) {
		uint64_t units = 0;
		int r = scaph_power_pmu_parse_scale(scale[i].text, &units);

		if (r != scale[i].r || units != scale[i].units)
			print_message("# %s\n", scale[i].text);
		assert_int_equal(r, scale[i].r);
		assert_true(units == scale[i].units);
	}
}

static void codes(void **state)
{
	static const char *const wrong[] = { "",	 "event=",	   "event=x",
					     "event=-1", "config=1",	   "event=0x100",
					     "event= 1", "event=2,umask=1" };
	uint64_t code = 7;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(scaph_power_pmu_parse_event(wrong[i], &code), -EINVAL);
	assert_int_equal(code, 7);
	assert_int_equal(scaph_power_pmu_parse_event("event=0x02", &code), 0);
	assert_int_equal(code, 2);
	assert_int_equal(scaph_power_pmu_parse_event("event=255", &code), 0);
	assert_int_equal(code, 255);
}

static void folder(void **state)
{
	struct tree *tree = *state;
	struct scaph_power_pmu pmu;

	event(tree, "energy-ram", "event=0x03", "1.52587890625e-05");
	event(tree, "energy-cores", "event=0x01", KERNELS_SCALE);
	assert_int_equal(scaph_power_pmu_read(&tree->config, &topology, &pmu, why), 0);
	assert_int_equal(pmu.type, 9);
	assert_int_equal(pmu.zones, SCAPH_ZONE_PACKAGE | SCAPH_ZONE_CORE | SCAPH_ZONE_DRAM);
	assert_int_equal(pmu.config[SCAPH_ZONE_AT_PACKAGE], 2);
	assert_int_equal(pmu.config[SCAPH_ZONE_AT_DRAM], 3);
	assert_true(pmu.step_units[SCAPH_ZONE_AT_PACKAGE] == J >> 32);
	assert_true(pmu.step_units[SCAPH_ZONE_AT_DRAM] == J >> 16);
	/* Package 3 comes first in the topology, and CPU 1 is its. */
	assert_int_equal(pmu.cpu[0], 1);
	assert_int_equal(pmu.cpu[1], 0);
	/* Several of one package: an old kernel's list of dies. */
	tree_put(tree, PMU "cpumask", "0-3\n");
	assert_int_equal(scaph_power_pmu_read(&tree->config, &topology, &pmu, why), 0);
	assert_int_equal(pmu.cpu[0], 1);
	tree_processor(tree, "AuthenticAMD", 0x19, 1);
	tree_topology(tree, &topology);
	assert_int_equal(scaph_power_pmu_read(&tree->config, &topology, &pmu, why), 0);
	assert_false(pmu.zones & SCAPH_ZONE_CORE);
}

static void refused(struct tree *tree, const char *words)
{
	int r;

	memset(why, 0, sizeof(why));
	source = NULL;
	r = scaph_source_perf.open(&tree->config, &topology, NULL, &source, why);
	assert_true(r < 0);
	assert_null(source);
	if (!strstr(why, words))
		print_message("# %s\n", why);
	assert_non_null(strstr(why, words));
	assert_null(strchr(why, '\n'));
	assert_true(strlen(why) < SCAPH_SOURCE_WHY_BYTES - 1);
}

static void halves(void **state)
{
	struct tree *tree = *state;

	tree_put(tree, PMU "cpumask", "1\n");
	refused(tree, "cpumask names no CPU of package 7");
	tree_put(tree, PMU "cpumask", "0-1,9\n");
	refused(tree, "names CPU 9, which is of no package");
	tree_put(tree, PMU "cpumask", "all\n");
	refused(tree, "cpumask: no list of CPUs");
	tree_put(tree, PMU "events/energy-pkg.unit", "uJ\n");
	refused(tree, "energy-pkg.unit: the unit is not Joules");
	tree_put(tree, PMU "events/energy-pkg.unit", "Joules\n");
	tree_put(tree, PMU "events/energy-pkg.scale", "1e-9\n");
	refused(tree, "energy-pkg.scale: no whole number");
	tree_drop(tree, PMU "events/energy-pkg.scale");
	refused(tree, "energy-pkg.scale: No such file");
	tree_put(tree, PMU "events/energy-pkg", "config=2\n");
	refused(tree, "energy-pkg: not of the form event=CODE");
	tree_put(tree, PMU "cpumask", "0-1\n");
	tree_drop(tree, PMU "events");
	refused(tree, "has no event energy-pkg");
	tree_put(tree, PMU "type", "power\n");
	refused(tree, "type: no number");
	tree_drop(tree, PMU "type");
	refused(tree, "no power PMU: modprobe rapl");
}

/* A group of real events; 77: this user may not open them, which another test is about. */
static int open_real(struct tree *tree)
{
	int r;

	memset(why, 0, sizeof(why));
	r = scaph_source_perf.open(&tree->config, &topology, NULL, &source, why);
	if (r == -EACCES || r == -EPERM) {
		assert_non_null(strstr(why, "CAP_PERFMON"));
		return 77;
	}
	if (r)
		print_message("# %s\n", why);
	assert_int_equal(r, 0);
	return 0;
}

static void counts(void **state)
{
	struct tree *tree = *state;
	uint64_t first[SCAPH_ZONES] = {}, then[SCAPH_ZONES] = {}, begin_ns, end_ns;

	real_machine(tree);
	software_event(tree, "energy-ram", CONTEXT_SWITCHES);
	software_event(tree, "energy-gpu", ALIGNMENT_FAULTS);
	software_event(tree, "energy-psys", CPU_CLOCK);
	/* The software PMU has no such event: a zone that cannot be opened is none. */
	event(tree, "energy-cores", "event=0xff", "1");
	if (open_real(tree))
		return;
	assert_int_equal(source->packages, 1);
	/* No alignment faults on x86: it reads 0, and the group goes on without it. */
	assert_int_equal(source->zones, SCAPH_ZONE_PACKAGE | SCAPH_ZONE_DRAM | SCAPH_ZONE_PSYS);
	assert_non_null(strstr(source->about, "(uncore: not counting)"));
	assert_true(source->package[0].counter[SCAPH_ZONE_AT_DRAM].step_units ==
		    SCAPH_UNITS_PER_UJ);
	assert_int_equal(source->package[0].counter[SCAPH_ZONE_AT_PACKAGE].range, 0);
	assert_int_equal(source->wrap_ns, 0);
	begin_ns = scaph_clock_ns(CLOCK_MONOTONIC);
	assert_int_equal(source->ops->read(source, 0, begin_ns, first), 0);
	usleep(50000);
	assert_int_equal(source->ops->read(source, 0, begin_ns, then), 0);
	end_ns = scaph_clock_ns(CLOCK_MONOTONIC);
	/* A CPU's clock in nanoseconds, each in its own place. */
	assert_in_range(then[SCAPH_ZONE_AT_PACKAGE] - first[SCAPH_ZONE_AT_PACKAGE], 40000000,
			end_ns - begin_ns + 10000000);
	assert_in_range(then[SCAPH_ZONE_AT_PSYS] - first[SCAPH_ZONE_AT_PSYS], 40000000,
			end_ns - begin_ns + 10000000);
	assert_in_range(then[SCAPH_ZONE_AT_DRAM] - first[SCAPH_ZONE_AT_DRAM], 0, 1000000);
	assert_int_equal(then[SCAPH_ZONE_AT_UNCORE], 0);
	/* Leader, dram and psys. */
	assert_int_equal(tree_descriptors(), descriptors + 3);
	source->ops->close(source);
}

static void reads_0(void **state)
{
	struct tree *tree = *state;

	real_machine(tree);
	if (open_real(tree))
		return;
	source->ops->close(source);
	software_event(tree, "energy-pkg", ALIGNMENT_FAULTS);
	refused(tree, "package 5 reads 0");
	event(tree, "energy-pkg", "event=0xff", "1");
	refused(tree, "refuses energy-pkg on CPU");
}

static int open_without_rights(struct tree *tree)
{
	int r = scaph_source_perf.open(&tree->config, &topology, NULL, &source, why);

	return !(r == -EACCES && strstr(why, "CAP_PERFMON") &&
		 strstr(why, "perf_event_paranoid=0"));
}

static void no_rights(void **state)
{
	struct tree *tree = *state;
	char text[8] = "0";
	int fd = open("/proc/sys/kernel/perf_event_paranoid", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		assert_true(read(fd, text, sizeof(text) - 1) > 0);
		close(fd);
	}
	/* Where everybody may, nobody is refused. */
	if (atoi(text) < 1)
		return;
	real_machine(tree);
	assert_int_equal(tree_as_nobody(open_without_rights, tree), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scales),
		cmocka_unit_test(codes),
		TEST(folder),
		TEST(halves),
		TEST(counts),
		TEST(reads_0),
		TEST(no_rights),
	};

	return cmocka_run_group_tests_name("source perf", tests, NULL, NULL);
}
