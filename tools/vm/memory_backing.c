/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory_backing.c - a domain's memory, for virtiofs
 */
#include "tools/vm/memory_backing.h"

#include <string.h>

bool scaph_memory_is_private(const struct scaph_xml_element *root)
{
	const struct scaph_xml_element *numa =
		scaph_xml_child(scaph_xml_child(root, "cpu"), "numa");
	const struct scaph_xml_element *cell = scaph_xml_child(numa, "cell");

	for (; cell; cell = scaph_xml_again(cell)) {
		if (scaph_xml_attribute_is(cell, "memAccess", "private"))
			return true;
	}
	return false;
}

/* Lines of our own before the line on which an element's end tag, or the element itself, begins. */
static void insert_line_before(struct scaph_splices *splices, const char *xml, size_t at,
			       const char *lines)
{
	size_t start = scaph_splice_line_start(xml, at);

	scaph_splices_add(splices, start, start, strdup(lines));
}

static void insert_behind(struct scaph_splices *splices, const char *xml, size_t at,
			  const char *lines)
{
	size_t end = scaph_splice_line_end(xml, at);

	scaph_splices_add(splices, end, end, strdup(lines));
}

#define MEMFD "    <source type='memfd'/>\n"
#define SHARED "    <access mode='shared'/>\n"

/* A child of the memory backing as virtiofs needs it: put in, or in the place of what is there. */
static void add_memory_child(struct scaph_splices *splices, const char *xml,
			     const struct scaph_xml_element *backing,
			     const struct scaph_xml_element *child, const char *line)
{
	char *text;

	if (!child) {
		insert_line_before(splices, xml, backing->close, line);
		return;
	}
	text = strdup(line + strspn(line, " "));
	if (text)
		text[strcspn(text, "\n")] = '\0';
	scaph_splices_add(splices, child->start, child->end, text);
}

void scaph_memory_share(struct scaph_splices *splices, const char *xml,
			const struct scaph_xml_element *root)
{
	const struct scaph_xml_element *backing = scaph_xml_child(root, "memoryBacking");
	const struct scaph_xml_element *source = scaph_xml_child(backing, "source");
	const struct scaph_xml_element *access = scaph_xml_child(backing, "access");
	const struct scaph_xml_element *before = scaph_xml_child(root, "currentMemory");

	if (!before)
		before = scaph_xml_child(root, "memory");
	if (!backing && before) {
		insert_behind(splices, xml, before->end,
			      "  <memoryBacking>\n" MEMFD SHARED "  </memoryBacking>\n");
		return;
	}
	if (!backing || backing->close == backing->end) {
		size_t start = backing ? backing->start : root->close;
		size_t end = backing ? backing->end : root->close;

		scaph_splices_add(splices, start, end,
				  strdup("<memoryBacking>\n" MEMFD SHARED "  </memoryBacking>"));
		return;
	}
	if (!scaph_xml_attribute_is(source, "type", "memfd") &&
	    !scaph_xml_attribute_is(source, "type", "file"))
		add_memory_child(splices, xml, backing, source, MEMFD);
	if (!scaph_xml_attribute_is(access, "mode", "shared"))
		add_memory_child(splices, xml, backing, access, SHARED);
}

bool scaph_memory_is_as_made(const struct scaph_xml_element *backing)
{
	const struct scaph_xml_element *source = scaph_xml_child(backing, "source");
	const struct scaph_xml_element *access = scaph_xml_child(backing, "access");
	unsigned int children = 0;

	for (const struct scaph_xml_element *at = backing ? backing->child : NULL; at;
	     at = at->next)
		children++;
	return children == 2 && scaph_xml_attribute_is(source, "type", "memfd") &&
	       scaph_xml_attribute_is(access, "mode", "shared");
}
