/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attribute.h - sysfs attributes: files of one line
 */
#ifndef SCAPH_PRODUCER_ATTRIBUTE_H
#define SCAPH_PRODUCER_ATTRIBUTE_H

#include <stddef.h>
#include <stdint.h>

#include "producer/machine/topology.h"

#define SCAPH_ATTRIBUTE_BYTES 4096U /* an attribute has at most a page */

/* The first line without its end. 0, -EMSGSIZE: it does not fit, or another errno. */
int scaph_attribute_read(const char *path, char *ret_text, size_t size);

/* A whole number and nothing else: 0, -EINVAL, or the file's errno. */
int scaph_attribute_number(const char *path, uint64_t *ret_number);

/*
 * CPU numbers as the kernel lists them, "0-3,8"; none in an empty text, nor in the "(null)" of a
 * kernel that was not given such a list. 0, -EINVAL, or -ERANGE: a
 * number that is SCAPH_CPUS_MAX or more.
 */
int scaph_attribute_parse_cpus(const char *text, bool ret_set[SCAPH_CPUS_MAX]);
int scaph_attribute_cpus(const char *path, bool ret_set[SCAPH_CPUS_MAX]);

#endif
