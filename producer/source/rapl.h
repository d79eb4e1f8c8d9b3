/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rapl.h - what is known of each processor's energy registers: numbers, units, exceptions
 *
 * Tables and arithmetic only, nothing is read here. A processor that is not in the table is refused:
 * a guessed unit would be a wrong number. Energy is in units of 2^-32 microjoule (see source.h), in
 * which every RAPL unit is a whole number.
 */
#ifndef SCAPH_PRODUCER_RAPL_H
#define SCAPH_PRODUCER_RAPL_H

#include <stdbool.h>
#include <stdint.h>

#include "producer/source/source.h"

/* Registers are 64 bits wide, their counters 32: the rest is not energy. */
#define SCAPH_RAPL_RANGE UINT32_MAX

/* Whether short-term values are blurred: see scaph_rapl_filtered(). */
#define SCAPH_RAPL_MSR_FEATURE_CONTROL 0x3aU
#define SCAPH_RAPL_MSR_PACKAGE_CONTROL 0xbcU
#define SCAPH_RAPL_MSR_CAPABILITIES 0x10aU

/* A zone's unit, where it is not the unit register's. */
enum scaph_rapl_unit {
	SCAPH_RAPL_UNIT_REGISTER, /* 2^-n J, n from the unit register */
	SCAPH_RAPL_UNIT_ATOM, /* 2^n uJ */
	SCAPH_RAPL_UNIT_2_16, /* 2^-16 J whatever the register says */
	SCAPH_RAPL_UNIT_JOULE, /* 1 J */
};

struct scaph_rapl {
	uint32_t unit_msr;
	uint32_t zones; /* enum scaph_zone_bit: that such a processor may have */
	uint32_t msr[SCAPH_ZONES]; /* of those zones */
	enum scaph_rapl_unit unit[SCAPH_ZONES];
};

/**
 * scaph_rapl_find() - the energy registers of a processor
 * @vendor: as family and model from /proc/cpuinfo
 * @ret_rapl: set on 0
 * @ret_why:  set on failure: one clause that says what can be had instead
 *
 * Return:   0 or -ENODEV.
 */
int scaph_rapl_find(enum scaph_vendor vendor, uint32_t family, uint32_t model,
		    struct scaph_rapl *ret_rapl, const char **ret_why);

/* A zone "core" that is of a whole package. AMD and Hygon have one core's there, which is none. */
bool scaph_rapl_core_is_package(enum scaph_vendor vendor);

/*
 * Energy of one count of a zone. @unit_value: of the unit register. 0: the register tells no unit,
 * as in a virtual machine that has none.
 */
uint64_t scaph_rapl_step_units(const struct scaph_rapl *rapl, int zone, uint64_t unit_value);

/**
 * scaph_rapl_wrap_ns() - the shortest time in which a counter of a zone can wrap
 * @zone:     SCAPH_ZONE_AT_...
 * @packages: of the machine; psys is all of them
 * @counter:  its range of 0 never wraps
 *
 * At 1000 W, for each zone of a package: twice what the largest processors are specified for (500 W,
 * turbo peaks included). At 2000 W a package for psys. Return: 0 if it does not wrap.
 */
uint64_t scaph_rapl_wrap_ns(int zone, uint32_t packages,
			    const struct scaph_source_counter *counter);

/* Registers that tell of filtering; 0 for one that cannot be read. */
struct scaph_rapl_filter {
	uint64_t capabilities;
	uint64_t package_control;
	uint64_t feature_control;
};

/*
 * Energy filtering: switched on in 0xBC bit 0, which there is if bits 10 (the register) and 11 (the
 * bit) of 0x10A are set; and always on where SGX is enabled (0x3A, lock bit 0 and bit 18).
 */
bool scaph_rapl_filtered(const struct scaph_rapl_filter *filter);

#endif
