/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shmem_xml.c - the only user of libxml2
 *
 * Source: libvirt's format of domains, /domain/devices/shmem/@name and its model's @type.
 */
#include "producer/domain/shmem_xml.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <string.h>

static const xmlNode *child(const xmlNode *parent, const char *name)
{
	const xmlNode *node = parent ? parent->children : NULL;

	while (node &&
	       (node->type != XML_ELEMENT_NODE || strcmp((const char *)node->name, name) != 0))
		node = node->next;
	return node;
}

static bool attribute_is(const xmlNode *node, const char *attribute, const char *wanted)
{
	xmlChar *value = node ? xmlGetProp(node, (const xmlChar *)attribute) : NULL;
	bool same = value && strcmp((const char *)value, wanted) == 0;

	xmlFree(value);
	return same;
}

bool scaph_shmem_xml_has(const char *xml, const char *name)
{
	xmlDoc *document = xmlReadMemory(xml, (int)strlen(xml), "domain.xml", NULL,
					 XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	const xmlNode *root = document ? xmlDocGetRootElement(document) : NULL;
	const xmlNode *devices = child(root, "devices");
	bool found = false;

	for (const xmlNode *node = devices ? devices->children : NULL; node; node = node->next) {
		if (node->type == XML_ELEMENT_NODE &&
		    strcmp((const char *)node->name, "shmem") == 0 &&
		    attribute_is(node, "name", name) &&
		    attribute_is(child(node, "model"), "type", "ivshmem-plain"))
			found = true;
	}
	xmlFreeDoc(document);
	return found;
}
