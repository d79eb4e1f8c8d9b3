/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qemu_user.c - who QEMU runs as, out of what libvirt says of its host
 *
 * Source: libvirt's format of capabilities, /capabilities/host/secmodel; of domains, /domain/seclabel.
 */
#include "tools/vm/qemu_user.h"

#include <stdio.h>
#include <string.h>

#include "tools/vm/xml_tree.h"

/* "+64055:+106": numbers, each after a plus sign; a name without one is refused. */
static bool parse_label(const char *label, struct scaph_qemu_user *ret_user)
{
	unsigned int user, group;
	char end;

	if (sscanf(label, " +%u:+%u%c", &user, &group, &end) != 2)
		return false;
	*ret_user = (struct scaph_qemu_user){ user, group };
	return true;
}

static bool is_dac(const struct scaph_xml_element *model)
{
	return model && strcmp(model->text, "dac") == 0;
}

/* The label for "kvm" and for "qemu" is the same. */
static bool of_host(const struct scaph_xml_element *root, struct scaph_qemu_user *ret_user)
{
	const struct scaph_xml_element *host = scaph_xml_child(root, "host");
	const struct scaph_xml_element *model = scaph_xml_child(host, "secmodel");
	const struct scaph_xml_element *label;

	for (; model; model = scaph_xml_again(model)) {
		label = scaph_xml_child(model, "baselabel");
		if (is_dac(scaph_xml_child(model, "model")) && label)
			return parse_label(label->text, ret_user);
	}
	return false;
}

/* @ret_has: it has a label of its own, whether that could be read or not. */
static bool of_domain(const struct scaph_xml_element *root, bool *ret_has,
		      struct scaph_qemu_user *ret_user)
{
	const struct scaph_xml_element *seclabel = scaph_xml_child(root, "seclabel"), *label;

	for (; seclabel; seclabel = scaph_xml_again(seclabel)) {
		label = scaph_xml_child(seclabel, "label");
		if (scaph_xml_attribute_is(seclabel, "model", "dac") && label) {
			*ret_has = true;
			return parse_label(label->text, ret_user);
		}
	}
	return false;
}

bool scaph_qemu_user_parse(const char *capabilities, const char *definition,
			   struct scaph_qemu_user *ret_user)
{
	struct scaph_xml_element *root;
	bool found = false, own = false;

	if (scaph_xml_tree_parse(definition, &root) == 0) {
		found = of_domain(root, &own, ret_user);
		scaph_xml_tree_free(root);
	}
	if (!own && scaph_xml_tree_parse(capabilities, &root) == 0) {
		found = of_host(root, ret_user);
		scaph_xml_tree_free(root);
	}
	return found;
}
