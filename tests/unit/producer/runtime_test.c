/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime_test.c - the daemon's side of the meter bpf, over lines that are written by hand
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "producer/meter/bpf/look.h"
#include "producer/meter/bpf/retinue.h"
#include "producer/meter/bpf/slots.h"
#include "tree.h"

#define CPUS 2U
#define A 2U /* slots of domains */
#define B 3U

struct bench {
	struct scaph_runtime_cpu line[CPUS];
	struct scaph_topology topology;
	struct scaph_look look;
};

/* As the kernel's program does it: who is on leaves after so long by his own clock, another comes. */
static void turn(struct scaph_runtime_cpu *line, uint64_t now_ns, uint64_t ran_ns, uint32_t next)
{
	line->ring[line->seq / 2 % SCAPH_RUNTIME_RING] = (uint16_t)line->slot;
	line->total_ns[line->slot] += ran_ns;
	if (line->slot != SCAPH_RUNTIME_IDLE && line->start_ns)
		line->busy_ns += now_ns - line->start_ns;
	line->slot = next;
	line->start_ns = now_ns;
	line->seq += 2;
}

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	bench->topology = (struct scaph_topology){ .cpus = CPUS, .online = CPUS, .packages = 2 };
	bench->topology.package_of[1] = 1;
	assert_int_equal(scaph_look_init(&bench->look, &bench->topology, bench->line, CPUS), 0);
	for (uint32_t slot = A; slot <= B; slot++)
		scaph_look_begin(&bench->look, slot, 0);
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	scaph_look_deinit(&bench->look);
	free(bench);
	return 0;
}

static void expect(struct bench *bench, uint64_t now_ns, uint64_t a_ns, uint64_t b_ns)
{
	scaph_look_sweep(&bench->look, now_ns);
	assert_int_equal(scaph_look_take(&bench->look, A, 0), a_ns);
	assert_int_equal(scaph_look_take(&bench->look, B, 0), b_ns);
}

/* What runs is known up to the clock; what ran, by its own. */
static void test_running(void **state)
{
	struct bench *bench = *state;

	expect(bench, 1000, 0, 0);
	turn(&bench->line[0], 1000, 0, A);
	expect(bench, 1500, 500, 0);
	expect(bench, 1700, 200, 0);
	turn(&bench->line[0], 2000, 1000, B);
	expect(bench, 2100, 300, 100);
	turn(&bench->line[0], 2200, 200, SCAPH_RUNTIME_IDLE);
	expect(bench, 9000, 0, 100);
	assert_int_equal(bench->look.busy_ns[0], 1200);
	/* The clock was looked at before the last turn began. */
	turn(&bench->line[0], 9100, 0, A);
	expect(bench, 9050, 0, 0);
}

/* An interrupt took time that was given out already: it is waited for, and nothing steps back. */
static void test_never_back(void **state)
{
	struct bench *bench = *state;

	turn(&bench->line[0], 1000, 0, A);
	expect(bench, 2000, 1000, 0);
	turn(&bench->line[0], 2000, 600, SCAPH_RUNTIME_IDLE);
	expect(bench, 2500, 0, 0);
	turn(&bench->line[0], 3000, 0, A);
	expect(bench, 3300, 0, 0);
	expect(bench, 3500, 100, 0);
}

/* More turns than the ring holds, and as many as it just cannot tell. */
static void test_ring(void **state)
{
	static const uint32_t turns[] = { 1, SCAPH_RUNTIME_RING - 1, SCAPH_RUNTIME_RING,
					  SCAPH_RUNTIME_RING + 1, 5 * SCAPH_RUNTIME_RING };
	struct bench *bench = *state;
	uint64_t now_ns = 1000;

	turn(&bench->line[0], now_ns, 0, A);
	for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++) {
		uint64_t a_ns = 0, b_ns = 0;

		scaph_look_sweep(&bench->look, now_ns);
		scaph_look_take(&bench->look, A, 0);
		scaph_look_take(&bench->look, B, 0);
		for (uint32_t n = 0; n < turns[i]; n++) {
			bool was_a = bench->line[0].slot == A;

			now_ns += 10;
			a_ns += was_a ? 10 : 0;
			b_ns += was_a ? 0 : 10;
			turn(&bench->line[0], now_ns, 10, was_a ? B : A);
		}
		expect(bench, now_ns, a_ns, b_ns);
	}
}

/* A line that is being written all the time is left to the next sweep. */
static void test_busy_line(void **state)
{
	struct bench *bench = *state;

	turn(&bench->line[0], 1000, 0, A);
	bench->line[0].seq++;
	turn(&bench->line[1], 1000, 0, B);
	scaph_look_sweep(&bench->look, 2000);
	assert_int_equal(scaph_look_take(&bench->look, A, 0), 0);
	assert_int_equal(scaph_look_take(&bench->look, B, 1), 1000);
	bench->line[0].seq--;
	expect(bench, 2500, 1500, 0);
}

/* A slot that has stood for another begins anew, whatever is on its lines. */
static void test_begin(void **state)
{
	struct bench *bench = *state;

	turn(&bench->line[0], 1000, 0, A);
	turn(&bench->line[0], 5000, 4000, A);
	scaph_look_begin(&bench->look, A, 6000);
	expect(bench, 6000, 0, 0);
	expect(bench, 6500, 500, 0);
}

/* It is another's only when no CPU runs anybody of it any more. */
static void test_rest(void **state)
{
	struct bench *bench = *state;
	static struct scaph_slots slots;

	assert_int_equal(scaph_slots_take(&slots, bench->line, CPUS), A);
	assert_int_equal(scaph_slots_take(&slots, bench->line, CPUS), B);
	turn(&bench->line[1], 1000, 0, A);
	scaph_slots_give_back(&slots, A);
	assert_int_equal(scaph_slots_take(&slots, bench->line, CPUS), B + 1);
	/* Nor while it cannot be seen who comes. */
	bench->line[1].slot = B;
	bench->line[1].seq++;
	assert_int_equal(scaph_slots_take(&slots, bench->line, CPUS), B + 2);
	bench->line[1].seq++;
	assert_int_equal(scaph_slots_take(&slots, bench->line, CPUS), A);
	while (scaph_slots_take(&slots, bench->line, CPUS) > 0)
		;
	for (uint32_t slot = A; slot < SCAPH_RUNTIME_SLOTS; slot++)
		assert_int_equal(slots.state[slot], SCAPH_SLOT_TAKEN);
}

/* Who works for process 100, of a tree of control groups. */
static uint32_t find(struct tree *tree, const char *group, bool vhost,
		     pid_t ret_pids[SCAPH_RETINUE_MAX])
{
	tree_put(tree, "proc/100/cgroup", "12:name=systemd:/elsewhere\n%s\n", group);
	tree_put(tree, "proc/200/comm", "virtiofsd\n");
	tree_put(tree, "proc/300/comm", "vhost-100\n");
	tree_put(tree, "proc/400/comm", "vhost-1000\n");
	return scaph_retinue_find(tree->sysfs, tree->procfs, vhost, 100, ret_pids);
}

static void test_retinue(void **state)
{
	static const char members[] = "100\n200\n300\n400\n";
	pid_t pids[SCAPH_RETINUE_MAX];
	struct tree tree;

	tree_make(&tree);
	assert_int_equal(scaph_retinue_find(tree.sysfs, tree.procfs, true, 100, pids), 0);
	/* Version 2, under systemd: the domain's group, whole, threads below it. */
	tree_put(&tree, "sys/fs/cgroup/machine.slice/machine-qemu-1.scope/libvirt/cgroup.procs",
		 members);
	tree_put(&tree, "sys/fs/cgroup/machine.slice/cgroup.procs", "500\n");
	assert_int_equal(
		find(&tree, "0::/machine.slice/machine-qemu-1.scope/libvirt/emulator", false, pids),
		3);
	assert_int_equal(pids[0], 200);
	/* Version 1, without systemd. */
	tree_put(&tree, "sys/fs/cgroup/cpu,cpuacct/machine/web.libvirt-qemu/emulator/cgroup.procs",
		 "100\n300\n");
	assert_int_equal(
		find(&tree, "4:cpu,cpuacct:/machine/web.libvirt-qemu/emulator", true, pids), 1);
	assert_int_equal(pids[0], 300);
	/* Proxmox. */
	tree_put(&tree, "sys/fs/cgroup/qemu.slice/100.scope/cgroup.procs", members);
	assert_int_equal(find(&tree, "0::/qemu.slice/100.scope", false, pids), 3);
	/* A group that is shared with who knows whom. */
	tree_put(&tree, "sys/fs/cgroup/user.slice/session-2.scope/cgroup.procs", members);
	assert_int_equal(find(&tree, "0::/user.slice/session-2.scope", true, pids), 1);
	assert_int_equal(pids[0], 300);
	assert_int_equal(find(&tree, "0::/nowhere", true, pids), 0);
	assert_int_equal(find(&tree, "0::/user.slice/session-2.scope", false, pids), 0);
	tree_remove(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_running, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_never_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ring, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_busy_line, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_begin, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rest, set_up, tear_down),
		cmocka_unit_test(test_retinue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
