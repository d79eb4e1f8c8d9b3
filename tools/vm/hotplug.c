/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hotplug.c - memory and free ports of a running machine
 */
#include "tools/vm/hotplug.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tools/vm/memory_backing.h"
#include "tools/vm/splice.h"
#include "tools/vm/transport.h"
#include "tools/vm/xml_tree.h"

#define SLOTS 31U /* of a conventional bus; slot 0 is its bridge's */

const char *scaph_hotplug_refusal(int result)
{
	switch (result) {
	case SCAPH_HOTPLUG_PLAN9:
		return "QEMU cannot plug a 9p device into a guest that runs";
	case SCAPH_HOTPLUG_MEMORY:
		return "it was started without shared memory, which virtiofs needs";
	case SCAPH_HOTPLUG_NO_PORT:
		return "it was started without a free port for such a device";
	}
	return "unknown";
}

static unsigned long number(const struct scaph_xml_element *element, const char *name)
{
	const char *text = scaph_xml_attribute(element, name);

	return text ? strtoul(text, NULL, 0) : 0;
}

/* How many slots of a bus are taken; functions of one device take one. */
static unsigned int slots_taken(const struct scaph_xml_element *devices, unsigned long bus)
{
	unsigned long long taken = 0;

	for (const struct scaph_xml_element *at = devices->child; at; at = at->next) {
		const struct scaph_xml_element *address = scaph_xml_child(at, "address");

		if (scaph_xml_attribute_is(address, "type", "pci") && number(address, "bus") == bus)
			taken |= 1ULL << (number(address, "slot") & 63);
	}
	return (unsigned int)__builtin_popcountll(taken);
}

static bool is_pci(const struct scaph_xml_element *controller, const char *model)
{
	return scaph_xml_attribute_is(controller, "type", "pci") &&
	       scaph_xml_attribute_is(controller, "model", model);
}

/* Where a device can come while the machine runs: the root of a PCI Express machine takes none. */
static unsigned int ports_of(const struct scaph_xml_element *controller, bool express)
{
	if (scaph_xml_attribute_is(scaph_xml_child(controller, "target"), "hotplug", "off"))
		return 0;
	if (express)
		return is_pci(controller, "pcie-root-port") ||
				       is_pci(controller, "pcie-switch-downstream-port")
			       ? 1
			       : 0;
	return is_pci(controller, "pci-root") || is_pci(controller, "pci-bridge") ||
			       is_pci(controller, "pcie-to-pci-bridge")
		       ? SLOTS
		       : 0;
}

static bool has_port(const struct scaph_xml_element *devices, bool express)
{
	const struct scaph_xml_element *at = scaph_xml_child(devices, "controller");

	for (; at; at = scaph_xml_again(at)) {
		if (slots_taken(devices, number(at, "index")) < ports_of(at, express))
			return true;
	}
	return false;
}

static bool is_express(const struct scaph_xml_element *devices)
{
	const struct scaph_xml_element *at = scaph_xml_child(devices, "controller");

	while (at && !is_pci(at, "pcie-root"))
		at = scaph_xml_again(at);
	return at;
}

static int judge(const char *live, const struct scaph_xml_element *root, unsigned int transport)
{
	const struct scaph_xml_element *devices = scaph_xml_child(root, "devices");
	struct scaph_splices needed = {};
	char *same = NULL;
	int r = 0;

	if (!devices)
		return SCAPH_HOTPLUG_NO_PORT;
	if (transport == SCAPH_TRANSPORT_PLAN9)
		return SCAPH_HOTPLUG_PLAN9;
	if (transport == SCAPH_TRANSPORT_VIRTIOFS) {
		if (scaph_memory_is_private(root))
			return SCAPH_HOTPLUG_MEMORY;
		scaph_memory_share(&needed, live, root);
		r = scaph_splices_apply(&needed, live, &same);
		if (r == 0 && strcmp(same, live) != 0)
			r = SCAPH_HOTPLUG_MEMORY;
		free(same);
	}
	if (r)
		return r;
	/* A virtio device goes to an Express port where there are such; ivshmem is conventional. */
	return has_port(devices, transport == SCAPH_TRANSPORT_VIRTIOFS && is_express(devices))
		       ? 0
		       : SCAPH_HOTPLUG_NO_PORT;
}

int scaph_hotplug_judge(const char *live, unsigned int transport)
{
	struct scaph_xml_element *root;
	int r = scaph_xml_tree_parse(live, &root);

	if (r)
		return r;
	r = judge(live, root, transport);
	scaph_xml_tree_free(root);
	return r;
}
