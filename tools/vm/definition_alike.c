/* SPDX-License-Identifier: Apache-2.0 */
/*
 * definition_alike.c - two definitions that differ in nothing which anybody chose
 *
 * libvirt gives a new device an address, and ports to plug it into. A run that was killed between its
 * change and the look at what libvirt made of it finds such a definition; what it finds beyond
 * is somebody else's change.
 */
#include "tools/vm/definition.h"

#include <stdlib.h>
#include <string.h>

#include "tools/vm/xml_tree.h"

/* What does not count: numbered by libvirt, or the memory backing, which virtiofs needs. */
static bool is_skipped(const struct scaph_xml_element *element)
{
	const char *model = scaph_xml_attribute(element, "model");

	if (strcmp(element->name, "address") == 0 || strcmp(element->name, "memoryBacking") == 0)
		return true;
	return strcmp(element->name, "controller") == 0 &&
	       scaph_xml_attribute_is(element, "type", "pci") && model &&
	       (strcmp(model, "pcie-root-port") == 0 || strcmp(model, "pci-bridge") == 0 ||
		strcmp(model, "pcie-to-pci-bridge") == 0);
}

static const struct scaph_xml_element *counting(const struct scaph_xml_element *element)
{
	while (element && is_skipped(element))
		element = element->next;
	return element;
}

static bool attributes_within(const struct scaph_xml_element *a, const struct scaph_xml_element *b)
{
	for (const struct scaph_xml_attribute *at = a->attributes; at; at = at->next) {
		if (!scaph_xml_attribute_is(b, at->name, at->value))
			return false;
	}
	return true;
}

static size_t trimmed(const char **text)
{
	size_t length;

	*text += strspn(*text, " \t\r\n");
	length = strlen(*text);
	while (length > 0 && strchr(" \t\r\n", (*text)[length - 1]))
		length--;
	return length;
}

static bool text_alike(const struct scaph_xml_element *a, const struct scaph_xml_element *b)
{
	const char *text_a = a->text, *text_b = b->text;
	size_t length = trimmed(&text_a);

	return trimmed(&text_b) == length && memcmp(text_a, text_b, length) == 0;
}

/* The text of an element with children is the blanks between them, which cuts leave behind. */
static bool element_alike(const struct scaph_xml_element *a, const struct scaph_xml_element *b)
{
	return strcmp(a->name, b->name) == 0 && attributes_within(a, b) &&
	       attributes_within(b, a) && (a->child || b->child || text_alike(a, b));
}

static const struct scaph_xml_element *up_and_on(const struct scaph_xml_element *at)
{
	while (at->parent && !counting(at->next))
		at = at->parent;
	return counting(at->next);
}

static size_t depth(const struct scaph_xml_element *at)
{
	size_t depth = 0;

	for (; at; at = at->parent)
		depth++;
	return depth;
}

static bool trees_alike(const struct scaph_xml_element *a, const struct scaph_xml_element *b)
{
	while (a && b) {
		if (depth(a) != depth(b) || !element_alike(a, b))
			return false;
		a = counting(a->child) ? counting(a->child) : up_and_on(a);
		b = counting(b->child) ? counting(b->child) : up_and_on(b);
	}
	return !a && !b;
}

bool scaph_definition_alike(const char *a, const char *b,
			    const struct scaph_definition_terms *terms)
{
	struct scaph_xml_element *root_a = NULL, *root_b = NULL;
	char *bare_a = NULL, *bare_b = NULL;
	bool left, alike;

	alike = scaph_definition_remove(a, terms, SCAPH_TRANSPORTS_ALL, false, &left, &bare_a) ==
			0 &&
		scaph_definition_remove(b, terms, SCAPH_TRANSPORTS_ALL, false, &left, &bare_b) ==
			0 &&
		scaph_xml_tree_parse(bare_a, &root_a) == 0 &&
		scaph_xml_tree_parse(bare_b, &root_b) == 0 && trees_alike(root_a, root_b);
	scaph_xml_tree_free(root_a);
	scaph_xml_tree_free(root_b);
	free(bare_a);
	free(bare_b);
	return alike;
}
