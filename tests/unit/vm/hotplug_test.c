/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hotplug_test.c - what is told beforehand of plugging a device in
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tools/vm/hotplug.h"
#include "tools/vm/transport.h"

#define SHARED "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>"
#define EXPRESS "<controller type='pci' index='0' model='pcie-root'/>"
#define PORT(more)                                                                                 \
	"<controller type='pci' index='1' model='pcie-root-port'>" more                            \
	"<address type='pci' bus='0x00' slot='0x02'/></controller>"
#define BRIDGE                                                                                     \
	"<controller type='pci' index='2' model='pcie-to-pci-bridge'>"                             \
	"<address type='pci' bus='0x00' slot='0x03'/></controller>"
#define OLD "<controller type='pci' index='0' model='pci-root'/>"
#define DISK(bus) "<disk><address type='pci' bus='" bus "' slot='0x00'/></disk>"

static int judge(const char *memory, const char *devices, unsigned int transport)
{
	char text[8192];

	snprintf(text, sizeof(text), "<domain>%s<devices>%s</devices></domain>", memory, devices);
	return scaph_hotplug_judge(text, transport);
}

static void memory(void **state)
{
	assert_int_equal(judge(SHARED, OLD, SCAPH_TRANSPORT_VIRTIOFS), 0);
	assert_int_equal(judge("", OLD, SCAPH_TRANSPORT_VIRTIOFS), SCAPH_HOTPLUG_MEMORY);
	assert_int_equal(judge("<memoryBacking><source type='memfd'/></memoryBacking>", OLD,
			       SCAPH_TRANSPORT_VIRTIOFS),
			 SCAPH_HOTPLUG_MEMORY);
	assert_int_equal(judge(SHARED "<cpu><numa><cell memAccess='private'/></numa></cpu>", OLD,
			       SCAPH_TRANSPORT_VIRTIOFS),
			 SCAPH_HOTPLUG_MEMORY);
	assert_int_equal(judge("", OLD, SCAPH_TRANSPORT_IVSHMEM), 0);
	assert_int_equal(judge(SHARED, OLD, SCAPH_TRANSPORT_PLAN9), SCAPH_HOTPLUG_PLAN9);
}

static void ports(void **state)
{
	unsigned int fs = SCAPH_TRANSPORT_VIRTIOFS, shm = SCAPH_TRANSPORT_IVSHMEM;

	assert_int_equal(judge(SHARED, EXPRESS, fs), SCAPH_HOTPLUG_NO_PORT);
	assert_int_equal(judge(SHARED, EXPRESS PORT(""), fs), 0);
	assert_int_equal(judge(SHARED, EXPRESS PORT("") DISK("0x01"), fs), SCAPH_HOTPLUG_NO_PORT);
	assert_int_equal(judge(SHARED, EXPRESS PORT("") DISK("0x02"), fs), 0);
	assert_int_equal(judge(SHARED, EXPRESS PORT("<target hotplug='off'/>"), fs),
			 SCAPH_HOTPLUG_NO_PORT);
	/* Each of its own kind. */
	assert_int_equal(judge(SHARED, EXPRESS BRIDGE, fs), SCAPH_HOTPLUG_NO_PORT);
	assert_int_equal(judge(SHARED, EXPRESS PORT(""), shm), SCAPH_HOTPLUG_NO_PORT);
	assert_int_equal(judge(SHARED, EXPRESS BRIDGE, shm), 0);
	assert_int_equal(judge(SHARED, "", shm), SCAPH_HOTPLUG_NO_PORT);
}

static void full_bus(void **state)
{
	char devices[4096] = OLD;

	for (unsigned int slot = 1; slot < 32; slot++) {
		assert_int_equal(judge(SHARED, devices, SCAPH_TRANSPORT_IVSHMEM), 0);
		/* Two functions of one device take one slot. */
		for (unsigned int function = 0; function < 2; function++) {
			size_t at = strlen(devices);

			snprintf(devices + at, sizeof(devices) - at,
				 "<a><address type='pci' bus='0' slot='%u'/></a>", slot);
		}
	}
	assert_int_equal(judge(SHARED, devices, SCAPH_TRANSPORT_IVSHMEM), SCAPH_HOTPLUG_NO_PORT);
	assert_int_equal(judge(SHARED, devices, SCAPH_TRANSPORT_VIRTIOFS), SCAPH_HOTPLUG_NO_PORT);
}

static void garbage(void **state)
{
	assert_true(scaph_hotplug_judge("", SCAPH_TRANSPORT_IVSHMEM) < 0);
	assert_true(scaph_hotplug_judge("<domain>", SCAPH_TRANSPORT_IVSHMEM) < 0);
	assert_int_equal(scaph_hotplug_judge("<domain/>", SCAPH_TRANSPORT_IVSHMEM),
			 SCAPH_HOTPLUG_NO_PORT);
	for (int result = SCAPH_HOTPLUG_PLAN9; result <= SCAPH_HOTPLUG_NO_PORT; result++)
		assert_string_not_equal(scaph_hotplug_refusal(result), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory),
		cmocka_unit_test(ports),
		cmocka_unit_test(full_bus),
		cmocka_unit_test(garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
