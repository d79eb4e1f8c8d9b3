/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xml_tree.h - an XML text with a tree over it whose elements know where their bytes lie
 *
 * So a definition can be changed by cutting and inserting text: whatever is not ours keeps every
 * byte that libvirt gave it. xml_tree.c is the only user of libxml2.
 */
#ifndef SCAPH_VM_XML_TREE_H
#define SCAPH_VM_XML_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scaph_xml_attribute {
	char *name, *value;
	struct scaph_xml_attribute *next;
};

struct scaph_xml_element {
	char *name; /* with its prefix */
	char *text; /* its own characters, without its children's; never NULL */
	size_t start, end; /* from its first '<' to after its last '>' */
	size_t close; /* where "</" begins; end of an empty <element/> */
	struct scaph_xml_attribute *attributes;
	struct scaph_xml_element *parent, *child, *last, *next;
};

/**
 * scaph_xml_tree_parse() - read a whole document
 * @text:     UTF-8, as libvirt gives it; one with a document type is refused, for it may bring entities
 * @ret_root: set only on 0; freed with scaph_xml_tree_free()
 *
 * Return:   0; -EINVAL: no well-formed document without a document type; -ENOMEM.
 */
int scaph_xml_tree_parse(const char *text, struct scaph_xml_element **ret_root);

/* NULL is allowed; returns NULL. */
struct scaph_xml_element *scaph_xml_tree_free(struct scaph_xml_element *root);

/* The first child of that name, or NULL; @parent may be NULL. */
struct scaph_xml_element *scaph_xml_child(const struct scaph_xml_element *parent, const char *name);

/* The next sibling of the same name, or NULL. */
struct scaph_xml_element *scaph_xml_again(const struct scaph_xml_element *element);

/* NULL: it has none, or @element is NULL. */
const char *scaph_xml_attribute(const struct scaph_xml_element *element, const char *name);

/* Whether it is there and has that value. */
bool scaph_xml_attribute_is(const struct scaph_xml_element *element, const char *name,
			    const char *wanted);

#endif
