/* SPDX-License-Identifier: Apache-2.0 */
/*
 * definition.c - our devices in a definition
 */
#include "tools/vm/definition.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/vm/memory_backing.h"
#include "tools/vm/splice.h"
#include "tools/vm/xml_tree.h"

const char *scaph_definition_refusal(int result)
{
	switch (result) {
	case SCAPH_DEFINITION_TAG_TAKEN:
		return "another file system of it has the tag scaph or scaph9p; take that out with "
		       "virsh edit";
	case SCAPH_DEFINITION_MEMORY_PRIVATE:
		return "virtiofs needs shared memory and a NUMA cell of it asks for private; take "
		       "memAccess out with virsh edit, or give --transport 9p";
	case SCAPH_DEFINITION_NO_DEVICES:
		return "its definition has no devices; it is no machine that a share could be "
		       "given";
	}
	return "unknown";
}

/* A value as it stands between single quotes. NULL: out of memory. */
static char *quote(const char *value)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (; *value; value++) {
		if (*value == '&')
			fputs("&amp;", out);
		else if (*value == '<')
			fputs("&lt;", out);
		else if (*value == '\'')
			fputs("&apos;", out);
		else if ((unsigned char)*value < 0x20)
			fprintf(out, "&#%d;", *value);
		else
			fputc(*value, out);
	}
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

static void shmem_name(const struct scaph_definition_terms *terms, char ret_name[64])
{
	snprintf(ret_name, 64, "scaph-%s", terms->uuid);
}

static unsigned int transport_of(const struct scaph_xml_element *device,
				 const struct scaph_definition_terms *terms)
{
	char name[64];

	shmem_name(terms, name);
	if (strcmp(device->name, "shmem") == 0)
		return scaph_xml_attribute_is(device, "name", name) ? SCAPH_TRANSPORT_IVSHMEM : 0;
	if (strcmp(device->name, "filesystem") != 0 ||
	    !scaph_xml_attribute_is(scaph_xml_child(device, "source"), "dir", terms->export_dir))
		return 0;
	return scaph_xml_attribute_is(scaph_xml_child(device, "driver"), "type", "virtiofs")
		       ? SCAPH_TRANSPORT_VIRTIOFS
		       : SCAPH_TRANSPORT_PLAN9;
}

static unsigned int transports_in(const struct scaph_xml_element *root,
				  const struct scaph_definition_terms *terms)
{
	const struct scaph_xml_element *devices = scaph_xml_child(root, "devices"), *device;
	unsigned int set = 0;

	for (device = devices ? devices->child : NULL; device; device = device->next)
		set |= transport_of(device, terms);
	return set;
}

int scaph_definition_has(const char *xml, const struct scaph_definition_terms *terms,
			 unsigned int *ret_set)
{
	struct scaph_xml_element *root;
	int r = scaph_xml_tree_parse(xml, &root);

	if (r)
		return r;
	*ret_set = transports_in(root, terms);
	scaph_xml_tree_free(root);
	return 0;
}

bool scaph_definition_has_memory(const char *xml)
{
	struct scaph_xml_element *root;
	bool has;

	if (scaph_xml_tree_parse(xml, &root))
		return false;
	has = scaph_xml_child(root, "memoryBacking");
	scaph_xml_tree_free(root);
	return has;
}

/* A file system of another folder by our tag: a guest would mount that one. */
static bool tag_taken(const struct scaph_xml_element *devices,
		      const struct scaph_definition_terms *terms, unsigned int set)
{
	const struct scaph_xml_element *at = scaph_xml_child(devices, "filesystem");

	for (; at; at = scaph_xml_again(at)) {
		const char *tag = scaph_xml_attribute(scaph_xml_child(at, "target"), "dir");

		if (!tag || transport_of(at, terms))
			continue;
		for (unsigned int one = 1; one <= SCAPH_TRANSPORTS_ALL; one <<= 1) {
			const char *ours = set & one ? scaph_transport_tag(one) : NULL;

			if (ours && strcmp(tag, ours) == 0)
				return true;
		}
	}
	return false;
}

char *scaph_definition_device(const struct scaph_definition_terms *terms, unsigned int transport)
{
	bool virtiofs = transport == SCAPH_TRANSPORT_VIRTIOFS;
	char *dir = quote(terms->export_dir), *text = NULL, name[64];
	int length = -1;

	shmem_name(terms, name);
	if (transport == SCAPH_TRANSPORT_IVSHMEM)
		length = asprintf(&text,
				  "    <shmem name='%s' role='master'>\n"
				  "      <model type='ivshmem-plain'/>\n"
				  "      <size unit='M'>1</size>\n"
				  "    </shmem>\n",
				  name);
	else if (dir)
		length = asprintf(&text,
				  "    <filesystem type='mount' accessmode='passthrough'>\n"
				  "%s"
				  "      <source dir='%s'/>\n"
				  "      <target dir='%s'/>\n"
				  "%s"
				  "    </filesystem>\n",
				  virtiofs ? "      <driver type='virtiofs'/>\n" : "", dir,
				  scaph_transport_tag(transport),
				  virtiofs && !terms->readonly ? "" : "      <readonly/>\n");
	free(dir);
	return length < 0 ? NULL : text;
}

static void add_device(struct scaph_splices *splices, const char *xml, size_t at,
		       const struct scaph_definition_terms *terms, unsigned int transport)
{
	size_t start = scaph_splice_line_start(xml, at);

	scaph_splices_add(splices, start, start, scaph_definition_device(terms, transport));
}

static int check_room(const struct scaph_xml_element *root,
		      const struct scaph_definition_terms *terms, unsigned int set)
{
	const struct scaph_xml_element *devices = scaph_xml_child(root, "devices");

	if (!devices || devices->close == devices->end)
		return SCAPH_DEFINITION_NO_DEVICES;
	if (tag_taken(devices, terms, set))
		return SCAPH_DEFINITION_TAG_TAKEN;
	if (set & SCAPH_TRANSPORT_VIRTIOFS && scaph_memory_is_private(root))
		return SCAPH_DEFINITION_MEMORY_PRIVATE;
	return 0;
}

int scaph_definition_add(const char *xml, const struct scaph_definition_terms *terms,
			 unsigned int set, char **ret_xml)
{
	struct scaph_splices splices = {};
	struct scaph_xml_element *root;
	unsigned int has;
	int r = scaph_xml_tree_parse(xml, &root);

	if (r)
		return r;
	has = transports_in(root, terms);
	r = check_room(root, terms, set);
	if (r == 0 && set & SCAPH_TRANSPORT_VIRTIOFS)
		scaph_memory_share(&splices, xml, root);
	for (unsigned int one = 1; r == 0 && one <= SCAPH_TRANSPORTS_ALL; one <<= 1) {
		if (set & ~has & one)
			add_device(&splices, xml, scaph_xml_child(root, "devices")->close, terms,
				   one);
	}
	if (r == 0)
		r = scaph_splices_apply(&splices, xml, ret_xml);
	scaph_xml_tree_free(root);
	return r;
}

static void cut(struct scaph_splices *splices, const char *xml,
		const struct scaph_xml_element *element)
{
	size_t start = scaph_splice_line_start(xml, element->start);
	size_t end = scaph_splice_line_end(xml, element->end);

	/* A line of its own goes whole; else nothing but the element. */
	if (end == element->end)
		start = element->start;
	scaph_splices_add(splices, start, end, strdup(""));
}

/* A device that is not ours and talks to another process over the guest's memory. */
static bool memory_needed(const struct scaph_xml_element *devices,
			  const struct scaph_definition_terms *terms)
{
	for (const struct scaph_xml_element *at = devices ? devices->child : NULL; at;
	     at = at->next) {
		const struct scaph_xml_element *driver = scaph_xml_child(at, "driver");

		if (transport_of(at, terms))
			continue;
		if (scaph_xml_attribute_is(driver, "type", "virtiofs") ||
		    scaph_xml_attribute_is(driver, "name", "vhostuser") ||
		    scaph_xml_attribute_is(at, "type", "vhostuser"))
			return true;
	}
	return false;
}

int scaph_definition_remove(const char *xml, const struct scaph_definition_terms *terms,
			    unsigned int set, bool memory, bool *ret_left, char **ret_xml)
{
	const struct scaph_xml_element *devices, *backing;
	struct scaph_splices splices = {};
	struct scaph_xml_element *root;
	bool left;
	int r = scaph_xml_tree_parse(xml, &root);

	if (r)
		return r;
	devices = scaph_xml_child(root, "devices");
	backing = scaph_xml_child(root, "memoryBacking");
	for (const struct scaph_xml_element *at = devices ? devices->child : NULL; at;
	     at = at->next) {
		if (transport_of(at, terms) & set)
			cut(&splices, xml, at);
	}
	left = memory && backing &&
	       (!scaph_memory_is_as_made(backing) || memory_needed(devices, terms));
	if (memory && backing && !left)
		cut(&splices, xml, backing);
	scaph_xml_tree_free(root);
	r = scaph_splices_apply(&splices, xml, ret_xml);
	if (r == 0)
		*ret_left = left;
	return r;
}
