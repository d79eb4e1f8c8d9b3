/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xml_tree_test.c - elements and where their bytes lie
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/vm/xml_tree.h"

static void expect_bytes(const char *text, const struct scaph_xml_element *element,
			 const char *wanted)
{
	assert_non_null(element);
	assert_int_equal(element->end - element->start, strlen(wanted));
	assert_memory_equal(text + element->start, wanted, strlen(wanted));
}

static void spans(void **state)
{
	static const char text[] =
		"<?xml version='1.0'?>\n<!-- <b> -->\n"
		"<domain type='kvm' xmlns:q='urn:q'>\n  <name>a&amp;b &#9; \xe2\x80\xae</name>\n"
		"  <b/><b x='1 &gt; 0 &apos;&lt;'  ></b ><![CDATA[<b>]]>\n"
		"  <q:c>t<i/>u</q:c>\n</domain>\n";
	struct scaph_xml_element *root, *b;

	assert_int_equal(scaph_xml_tree_parse(text, &root), 0);
	assert_string_equal(root->name, "domain");
	assert_true(scaph_xml_attribute_is(root, "type", "kvm"));
	assert_memory_equal(text + root->start, "<domain type", 12);
	assert_memory_equal(text + root->close, "</domain>", 9);
	expect_bytes(text, scaph_xml_child(root, "name"), "<name>a&amp;b &#9; \xe2\x80\xae</name>");
	assert_string_equal(scaph_xml_child(root, "name")->text, "a&b \t \xe2\x80\xae");
	b = scaph_xml_child(root, "b");
	expect_bytes(text, b, "<b/>");
	assert_int_equal(b->close, b->end);
	b = scaph_xml_again(b);
	expect_bytes(text, b, "<b x='1 &gt; 0 &apos;&lt;'  ></b >");
	assert_string_equal(scaph_xml_attribute(b, "x"), "1 > 0 '<");
	assert_memory_equal(text + b->close, "</b >", 5);
	assert_null(scaph_xml_again(b));
	expect_bytes(text, scaph_xml_child(root, "q:c"), "<q:c>t<i/>u</q:c>");
	assert_string_equal(scaph_xml_child(root, "q:c")->text, "tu");
	assert_null(scaph_xml_child(scaph_xml_child(root, "nothing"), "b"));
	scaph_xml_tree_free(root);
}

static void large(void **state)
{
	size_t count = 20000;
	char *text = malloc(count * 32 + 64), *at = text;
	struct scaph_xml_element *root, *child;

	at = stpcpy(at, "<r>");
	for (size_t i = 0; i < count; i++)
		at = stpcpy(at, "<e a='\xc3\xa4'>text</e>");
	strcpy(at, "</r>");
	assert_int_equal(scaph_xml_tree_parse(text, &root), 0);
	for (child = root->child; child; child = child->next) {
		assert_memory_equal(text + child->start, "<e a='", 6);
		assert_memory_equal(text + child->end - 4, "</e>", 4);
		count--;
	}
	assert_int_equal(count, 0);
	scaph_xml_tree_free(root);
	free(text);
}

static void refusals(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"no xml",
		"<a>",
		"<a></b>",
		"<a b='<'/>",
		"<a/><b/>",
		"<a>&nothing;</a>",
		"<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>",
		"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
		"<a>\xff</a>",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct scaph_xml_element *root = (void *)&bad;

		assert_int_equal(scaph_xml_tree_parse(bad[i], &root), -EINVAL);
		assert_ptr_equal(root, &bad);
	}
	assert_null(scaph_xml_tree_free(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spans),
		cmocka_unit_test(large),
		cmocka_unit_test(refusals),
	};

	return cmocka_run_group_tests_name("xml_tree", tests, NULL, NULL);
}
