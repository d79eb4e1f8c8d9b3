/* SPDX-License-Identifier: Apache-2.0 */
/*
 * discovery_test.c - what anybody who may start processes can do to who looks for machines
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "producer/domain/discovery.h"
#include "tree.h"

#define STRANGERS 100
#define SAID_MAX 16U

static unsigned int told;

static void on_running(void *context, const struct scaph_sighting *sighting)
{
	told++;
}

static void on_gone(void *context, const uint8_t uuid[SCAPH_UUID_BYTES])
{
	told++;
}

/* A QEMU of a user whom nobody trusts. */
static void start_stranger(struct tree *tree, int pid)
{
	char path[128];

	snprintf(path, sizeof(path), "proc/%d/stat", pid);
	tree_put(tree, path, "%d (qemu) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4711 0 0\n", pid);
	snprintf(path, sizeof(path), "proc/%d/status", pid);
	tree_put(tree, path, "Name:\tqemu\nUid:\t54321\t54321\t54321\t54321\n");
	snprintf(path, sizeof(path), "%s/proc/%d/exe", tree->root, pid);
	assert_int_equal(symlink("/usr/bin/qemu-system-x86_64", path), 0);
}

static unsigned int count_of(const char *said, const char *words)
{
	unsigned int count = 0;

	while ((said = strstr(said, words))) {
		said += strlen(words);
		count++;
	}
	return count;
}

/* Whoever starts one QEMU after the other fills no log, and is told of to nobody. */
static void test_many_strangers(void **state)
{
	static const struct scaph_hypervisor_listener listener = {
		.running = on_running,
		.stopped = on_gone,
		.undefined = on_gone,
	};
	struct scaph_discovery *discovery = NULL;
	struct tree tree;
	const char *said;

	tree_make(&tree);
	for (int pid = 1000; pid < 1000 + STRANGERS; pid++)
		start_stranger(&tree, pid);
	tree_listen(&tree);
	assert_int_equal(scaph_discovery_open(&tree.config, &listener, &discovery), 0);
	for (int look = 0; look < 40; look++)
		scaph_discovery_look(discovery);
	scaph_discovery_close(discovery);
	said = tree_heard(&tree);
	assert_int_equal(count_of(said, "is a QEMU of user 54321"), SAID_MAX);
	assert_int_equal(count_of(said, "\n"), SAID_MAX + 1);
	assert_int_equal(told, 0);
	tree_remove(&tree);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many_strangers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
