/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names_test.c - words, UUIDs, names from outside
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/names.h"

static void words(void **state)
{
	assert_string_equal(scaph_source_name(SCAPH_SOURCE_MODEL), "model");
	assert_string_equal(scaph_source_name(0), "unknown");
	assert_string_equal(scaph_source_name(8), "unknown");
	assert_string_equal(scaph_source_name(0xffffffff), "unknown");
	assert_string_equal(scaph_meter_name(SCAPH_METER_CPUTIME), "cputime");
	assert_string_equal(scaph_meter_name(3), "unknown");
	assert_string_equal(scaph_profile_name(SCAPH_PROFILE_OFF), "off");
	assert_string_equal(scaph_profile_name(4), "unknown");
	assert_string_equal(scaph_state_name(SCAPH_STATE_RETIRED), "retired");
	assert_string_equal(scaph_state_name(0), "unknown");
}

static void uuids(void **state)
{
	static const char text[] = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
	static const char *const bad[] = {
		"",
		"6ba7b810-9dad-11d1-80b4-00c04fd430c",
		"6ba7b810-9dad-11d1-80b4-00c04fd430c88",
		"6ba7b8109-dad-11d1-80b4-00c04fd430c8",
		"6ba7b810-9dad-11d1-80b4-00c04fd430g8",
		"6ba7b810-9dad-11d1-80b4 00c04fd430c8",
		"{ba7b810-9dad-11d1-80b4-00c04fd430c}",
	};
	uint8_t uuid[SCAPH_UUID_BYTES] = {};
	char back[SCAPH_UUID_TEXT_BYTES];

	assert_int_equal(scaph_uuid_parse("6BA7B810-9dad-11D1-80b4-00C04FD430C8", uuid), 0);
	scaph_uuid_format(uuid, back);
	assert_string_equal(back, text);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_not_equal(scaph_uuid_parse(bad[i], uuid), 0);
}

static void expect_escaped(const char *name, const char *wanted)
{
	char shown[256];

	scaph_name_escape(name, shown, sizeof(shown));
	assert_string_equal(shown, wanted);
}

static void escaping(void **state)
{
	expect_escaped("", "");
	expect_escaped("web-1 \xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x8b",
		       "web-1 \xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x8b");
	expect_escaped("a\tb\n\x1b[2J\x7f", "a\\x09b\\x0a\\x1b[2J\\x7f");
	expect_escaped("\"\\'", "\\x22\\x5c\\x27");
	expect_escaped("\xc2\x9b", "\\xc2\\x9b"); /* C1 */
	expect_escaped("\xe2\x80\xae"
		       "evil",
		       "\\xe2\\x80\\xaeevil"); /* right-to-left override */
	expect_escaped("\xe2\x81\xa6x\xe2\x81\xa9",
		       "\\xe2\\x81\\xa6x\\xe2\\x81\\xa9"); /* isolates */
	expect_escaped("\xe2\x80\x8f\xe2\x80\x8b\xef\xbb\xbf",
		       "\\xe2\\x80\\x8f\\xe2\\x80\\x8b\\xef\\xbb\\xbf");
	expect_escaped("\xff\xc3", "\\xff\\xc3"); /* no UTF-8 */
	expect_escaped("\xc0\xaf\xe0\x80\xaf", "\\xc0\\xaf\\xe0\\x80\\xaf"); /* overlong */
	expect_escaped("\xed\xa0\x80", "\\xed\\xa0\\x80"); /* surrogate */
	expect_escaped("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"); /* beyond Unicode */
	expect_escaped("$(id);rm %n%s", "$(id);rm %n%s");
}

static void escaping_fits(void **state)
{
	char shown[8];

	scaph_name_escape("abcdefghij", shown, sizeof(shown));
	assert_string_equal(shown, "abcdefg");
	/* Never half an escape, never half a character. */
	scaph_name_escape("abcd\n", shown, sizeof(shown));
	assert_string_equal(shown, "abcd");
	scaph_name_escape("abcdef\xc3\xa4", shown, sizeof(shown));
	assert_string_equal(shown, "abcdef");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(uuids),
		cmocka_unit_test(escaping),
		cmocka_unit_test(escaping_fits),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
