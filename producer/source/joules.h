/* SPDX-License-Identifier: Apache-2.0 */
/*
 * joules.h - a decimal number of joules, as the kernel writes it, in microjoules
 */
#ifndef SCAPH_PRODUCER_JOULES_H
#define SCAPH_PRODUCER_JOULES_H

#include <stdint.h>

/*
 * Digits, and a fraction of some: "12", "0.5", "3.000004". What is below a microjoule is cut. 0 and set,
 * or -EINVAL: anything else, or more than fits.
 */
int scaph_joules_parse(const char *text, uint64_t *ret_energy_uj);

#endif
