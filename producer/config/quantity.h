/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quantity.h - strict readings of numbers that people write: no sign, no space, no rest, no
 * overflow
 */
#ifndef SCAPH_PRODUCER_QUANTITY_H
#define SCAPH_PRODUCER_QUANTITY_H

#include <stdint.h>

/* A whole number in decimal digits: 0 and set, or -EINVAL. */
int scaph_quantity_number(const char *text, uint64_t *ret_number);

/*
 * A power in watts, digits with at most six after a point, up to 100 kW, as microwatts: 0 and set,
 * or -EINVAL.
 */
int scaph_quantity_power(const char *text, uint64_t *ret_power_uw);

#endif
