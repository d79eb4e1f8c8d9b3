/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xml_tree.c - the only user of libxml2 in scaph-vm
 *
 * The parser calls back behind an element's attributes and behind its end, and says how many bytes it
 * has consumed; '<' stands neither in an attribute's value nor in a tag, so the last one before is where the tag
 * begins.
 *
 * Source: libxml2's SAX2 interface, xmlByteConsumed().
 */
#include "tools/vm/xml_tree.h"

#include <errno.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct builder {
	xmlParserCtxt *parser;
	const char *text;
	struct scaph_xml_element *root, *open;
	int error;
};

static void fail(struct builder *builder, int error)
{
	if (!builder->error)
		builder->error = error;
	xmlStopParser(builder->parser);
}

/* Where the tag begins that the parser has just read. */
static size_t tag_start(const struct builder *builder, size_t *ret_at)
{
	long at = xmlByteConsumed(builder->parser);
	size_t start = at > 0 ? (size_t)at : 0;

	*ret_at = start;
	/* What stands at it is no longer this tag's. */
	while (start > 0 && builder->text[--start] != '<')
		;
	return start;
}

static char *qualified(const xmlChar *prefix, const xmlChar *name)
{
	size_t before = prefix ? strlen((const char *)prefix) + 1 : 0;
	char *both = malloc(before + strlen((const char *)name) + 1);

	if (!both)
		return NULL;
	if (prefix) {
		strcpy(both, (const char *)prefix);
		both[before - 1] = ':';
	}
	strcpy(both + before, (const char *)name);
	return both;
}

static void add_attribute(struct builder *builder, struct scaph_xml_element *element,
			  const xmlChar **words)
{
	struct scaph_xml_attribute *attribute = calloc(1, sizeof(*attribute));

	if (!attribute)
		return fail(builder, -ENOMEM);
	attribute->next = element->attributes;
	element->attributes = attribute;
	attribute->name = qualified(words[1], words[0]);
	attribute->value = strndup((const char *)words[3], (size_t)(words[4] - words[3]));
	if (!attribute->name || !attribute->value)
		fail(builder, -ENOMEM);
}

static void on_start(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
		     int namespaces, const xmlChar **spaces, int attributes, int defaulted,
		     const xmlChar **words)
{
	struct builder *builder = context;
	struct scaph_xml_element *element = calloc(1, sizeof(*element)), *parent = builder->open;
	size_t at;

	if (!element)
		return fail(builder, -ENOMEM);
	element->parent = parent;
	if (!parent)
		builder->root = element;
	else if (parent->last)
		parent->last->next = element;
	else
		parent->child = element;
	if (parent)
		parent->last = element;
	builder->open = element;
	element->start = tag_start(builder, &at);
	element->name = qualified(prefix, name);
	element->text = strdup("");
	if (!element->name || !element->text)
		fail(builder, -ENOMEM);
	for (int i = 0; i < attributes && !builder->error; i++)
		add_attribute(builder, element, words + 5 * (ptrdiff_t)i);
}

static void on_end(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct builder *builder = context;
	struct scaph_xml_element *element = builder->open;

	if (!element)
		return;
	element->close = tag_start(builder, &element->end);
	if (element->close == element->start)
		element->close = element->end;
	builder->open = element->parent;
}

static void on_text(void *context, const xmlChar *characters, int length)
{
	struct builder *builder = context;
	struct scaph_xml_element *element = builder->open;
	size_t had = element ? strlen(element->text) : 0;
	char *grown = element ? realloc(element->text, had + (size_t)length + 1) : NULL;

	if (!element)
		return;
	if (!grown)
		return fail(builder, -ENOMEM);
	memcpy(grown + had, characters, (size_t)length);
	grown[had + (size_t)length] = '\0';
	element->text = grown;
}

static void on_document_type(void *context, const xmlChar *name, const xmlChar *id,
			     const xmlChar *uri)
{
	fail(context, -EINVAL);
}

static void on_error(void *context, const char *message, ...)
{
}

static int parse(struct builder *builder, const char *text, size_t length)
{
	xmlSAXHandler handler = {
		.initialized = XML_SAX2_MAGIC,
		.internalSubset = on_document_type,
		.startElementNs = on_start,
		.endElementNs = on_end,
		.characters = on_text,
		.cdataBlock = on_text,
		.error = on_error,
		.warning = on_error,
	};
	bool good;

	builder->parser = xmlCreateMemoryParserCtxt(text, (int)length);
	if (!builder->parser)
		return -ENOMEM;
	*builder->parser->sax = handler;
	builder->parser->userData = builder;
	xmlCtxtUseOptions(builder->parser, XML_PARSE_NONET | XML_PARSE_NOENT | XML_PARSE_NOERROR |
						   XML_PARSE_NOWARNING | XML_PARSE_HUGE);
	xmlParseDocument(builder->parser);
	good = builder->parser->wellFormed;
	xmlFreeParserCtxt(builder->parser);
	if (builder->error)
		return builder->error;
	return good && builder->root ? 0 : -EINVAL;
}

int scaph_xml_tree_parse(const char *text, struct scaph_xml_element **ret_root)
{
	struct builder builder = { .text = text };
	size_t length = strlen(text);
	int r = length == 0 || length > INT_MAX ? -EINVAL : parse(&builder, text, length);

	if (r) {
		scaph_xml_tree_free(builder.root);
		return r;
	}
	*ret_root = builder.root;
	return 0;
}

static void free_one(struct scaph_xml_element *element)
{
	struct scaph_xml_attribute *attribute = element->attributes, *next;

	for (; attribute; attribute = next) {
		next = attribute->next;
		free(attribute->name);
		free(attribute->value);
		free(attribute);
	}
	free(element->name);
	free(element->text);
	free(element);
}

struct scaph_xml_element *scaph_xml_tree_free(struct scaph_xml_element *root)
{
	struct scaph_xml_element *at = root, *next;

	while (at) {
		if (at->child) {
			next = at->child;
			at->child = NULL;
		} else {
			next = at->next ? at->next : at->parent;
			free_one(at);
		}
		at = next;
	}
	return NULL;
}

struct scaph_xml_element *scaph_xml_child(const struct scaph_xml_element *parent, const char *name)
{
	struct scaph_xml_element *child = parent ? parent->child : NULL;

	while (child && strcmp(child->name, name) != 0)
		child = child->next;
	return child;
}

struct scaph_xml_element *scaph_xml_again(const struct scaph_xml_element *element)
{
	struct scaph_xml_element *next = element->next;

	while (next && strcmp(next->name, element->name) != 0)
		next = next->next;
	return next;
}

const char *scaph_xml_attribute(const struct scaph_xml_element *element, const char *name)
{
	const struct scaph_xml_attribute *at = element ? element->attributes : NULL;

	while (at && strcmp(at->name, name) != 0)
		at = at->next;
	return at ? at->value : NULL;
}

bool scaph_xml_attribute_is(const struct scaph_xml_element *element, const char *name,
			    const char *wanted)
{
	const char *value = scaph_xml_attribute(element, name);

	return value && strcmp(value, wanted) == 0;
}
