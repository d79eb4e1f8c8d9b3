/* SPDX-License-Identifier: Apache-2.0 */
/*
 * joules.c - joules to microjoules, without floating point
 */
#include "producer/source/joules.h"

#include <errno.h>
#include <string.h>

#define DIGITS "0123456789"
#define UJ_PER_J 1000000U
#define PLACES 6

int scaph_joules_parse(const char *text, uint64_t *ret_energy_uj)
{
	size_t whole = strspn(text, DIGITS), places = 0;
	const char *fraction = text + whole;
	uint64_t energy_uj = 0, scale_uj = UJ_PER_J;

	if (*fraction == '.') {
		fraction++;
		places = strspn(fraction, DIGITS);
	}
	/* A point has digits on both sides. */
	if (!whole || fraction[places] || (fraction != text + whole && !places))
		return -EINVAL;
	for (size_t i = 0; i < whole; i++) {
		if (energy_uj > (UINT64_MAX / UJ_PER_J - 9) / 10)
			return -EINVAL;
		energy_uj = 10 * energy_uj + (uint64_t)(text[i] - '0');
	}
	energy_uj *= UJ_PER_J;
	for (size_t i = 0; i < places && i < PLACES; i++) {
		scale_uj /= 10;
		energy_uj += scale_uj * (uint64_t)(fraction[i] - '0');
	}
	*ret_energy_uj = energy_uj;
	return 0;
}
