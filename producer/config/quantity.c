/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quantity.c - numbers out of text, exactly: no floating point comes between a power and its
 * microwatts
 */
#include "producer/config/quantity.h"

#include <errno.h>
#include <stddef.h>

#define POWER_MAX_UW 100000000000ULL
#define FRACTION_DIGITS 6

/* Digits from @text on: their number, and the value. */
static size_t digits(const char *text, uint64_t *ret_value)
{
	uint64_t value = 0;
	size_t count = 0;

	for (; text[count] >= '0' && text[count] <= '9'; count++) {
		uint64_t digit = (uint64_t)(text[count] - '0');

		if (value > (UINT64_MAX - digit) / 10)
			return 0;
		value = 10 * value + digit;
	}
	*ret_value = value;
	return count;
}

int scaph_quantity_number(const char *text, uint64_t *ret_number)
{
	uint64_t number = 0;
	size_t count = digits(text, &number);

	if (!count || text[count])
		return -EINVAL;
	*ret_number = number;
	return 0;
}

int scaph_quantity_power(const char *text, uint64_t *ret_power_uw)
{
	uint64_t whole = 0, fraction = 0;
	size_t count = digits(text, &whole), places = 0;

	if (!count || whole > POWER_MAX_UW / 1000000)
		return -EINVAL;
	text += count;
	if (*text == '.') {
		places = digits(text + 1, &fraction);
		if (!places || places > FRACTION_DIGITS)
			return -EINVAL;
		text += 1 + places;
	}
	if (*text)
		return -EINVAL;
	for (size_t i = places; i < FRACTION_DIGITS; i++)
		fraction *= 10;
	if (whole * 1000000 + fraction > POWER_MAX_UW)
		return -EINVAL;
	*ret_power_uw = whole * 1000000 + fraction;
	return 0;
}
