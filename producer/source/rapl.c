/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rapl.c - the tables of energy registers
 *
 * Sources: Intel SDM volume 4 (registers), volume 3 "Platform specific power management"; AMD's
 * processor programming references of families 17h to 1Ah; the exceptions of units as the kernel's
 * perf and powercap drivers have them.
 */
#include "producer/source/rapl.h"

#include <errno.h>
#include <stddef.h>

#define ENERGY_UNIT(value) ((uint32_t)((value) >> 8 & 0x1f))
#define UNITS_PER_J (SCAPH_UNITS_PER_UJ * 1000000)

#define PACKAGE_WATTS_MAX 1000U
#define PSYS_WATTS_MAX 2000U

#define FAMILY_6 6U

enum kind {
	CLIENT_OLD,
	CLIENT,
	CLIENT_PSYS,
	SERVER_OLD,
	SERVER,
	SERVER_KNL,
	SERVER_SPR,
	ATOM,
	TPMI
};

#define P SCAPH_ZONE_PACKAGE
#define C SCAPH_ZONE_CORE
#define U SCAPH_ZONE_UNCORE
#define D SCAPH_ZONE_DRAM
#define S SCAPH_ZONE_PSYS

static const struct {
	uint32_t zones;
	enum scaph_rapl_unit dram, psys, all;
} kinds[] = {
	[CLIENT_OLD] = { P | C | U, 0, 0, 0 },
	[CLIENT] = { P | C | U | D, 0, 0, 0 },
	[CLIENT_PSYS] = { P | C | U | D | S, 0, 0, 0 },
	[SERVER_OLD] = { P | C | D, 0, 0, 0 },
	[SERVER] = { P | C | D, SCAPH_RAPL_UNIT_2_16, 0, 0 },
	[SERVER_KNL] = { P | D, SCAPH_RAPL_UNIT_2_16, 0, 0 },
	[SERVER_SPR] = { P | C | D | S, 0, SCAPH_RAPL_UNIT_JOULE, 0 },
	[ATOM] = { P | C, 0, 0, SCAPH_RAPL_UNIT_ATOM },
};

/* Intel, family 6. The C2000 (0x4D) is not here: sources differ over its unit. */
static const struct {
	uint8_t model;
	uint8_t kind;
} models[] = {
	{ 0x2a, CLIENT_OLD }, /* Sandy Bridge */
	{ 0x3a, CLIENT_OLD }, /* Ivy Bridge */
	{ 0x3c, CLIENT }, /* Haswell */
	{ 0x45, CLIENT },      { 0x46, CLIENT },
	{ 0x3d, CLIENT }, /* Broadwell */
	{ 0x47, CLIENT },      { 0x5c, CLIENT }, /* Goldmont, Denverton, Gemini Lake */
	{ 0x5f, CLIENT },      { 0x7a, CLIENT },
	{ 0x86, CLIENT }, /* Tremont: Snow Ridge, Elkhart Lake, Jasper Lake */
	{ 0x96, CLIENT },      { 0x9c, CLIENT },
	{ 0x8a, CLIENT }, /* Lakefield */
	{ 0x4e, CLIENT_PSYS }, /* Skylake */
	{ 0x5e, CLIENT_PSYS }, { 0x8e, CLIENT_PSYS }, /* Kaby, Coffee, Whiskey, Amber Lake */
	{ 0x9e, CLIENT_PSYS }, { 0x66, CLIENT_PSYS }, /* Cannon Lake */
	{ 0xa5, CLIENT_PSYS }, /* Comet Lake */
	{ 0xa6, CLIENT_PSYS }, { 0x7d, CLIENT_PSYS }, /* Ice Lake */
	{ 0x7e, CLIENT_PSYS }, { 0xa7, CLIENT_PSYS }, /* Rocket Lake */
	{ 0x8c, CLIENT_PSYS }, /* Tiger Lake */
	{ 0x8d, CLIENT_PSYS }, { 0x97, CLIENT_PSYS }, /* Alder Lake */
	{ 0x9a, CLIENT_PSYS }, { 0xbe, CLIENT_PSYS },
	{ 0xb7, CLIENT_PSYS }, /* Raptor Lake */
	{ 0xba, CLIENT_PSYS }, { 0xbf, CLIENT_PSYS },
	{ 0xaa, CLIENT_PSYS }, /* Meteor Lake */
	{ 0xac, CLIENT_PSYS }, { 0xc5, CLIENT_PSYS }, /* Arrow Lake */
	{ 0xc6, CLIENT_PSYS }, { 0xbd, CLIENT_PSYS }, /* Lunar Lake */
	{ 0x2d, SERVER_OLD }, /* Sandy Bridge-EP */
	{ 0x3e, SERVER_OLD }, /* Ivy Bridge-EP */
	{ 0x3f, SERVER }, /* Haswell-EP */
	{ 0x4f, SERVER }, /* Broadwell-EP */
	{ 0x56, SERVER }, /* Broadwell-DE */
	{ 0x55, SERVER }, /* Skylake-SP, Cascade Lake, Cooper Lake */
	{ 0x6a, SERVER }, /* Ice Lake-SP */
	{ 0x6c, SERVER }, /* Ice Lake-D */
	{ 0x57, SERVER_KNL }, /* Knights Landing, Knights Mill */
	{ 0x85, SERVER_KNL },  { 0x8f, SERVER_SPR }, /* Sapphire Rapids */
	{ 0xcf, SERVER_SPR }, /* Emerald Rapids */
	{ 0x37, ATOM }, /* Silvermont: Bay Trail, Merrifield, Moorefield */
	{ 0x4a, ATOM },	       { 0x5a, ATOM },
	{ 0x4c, ATOM }, /* Airmont: Cherry Trail */
	{ 0xad, TPMI }, /* Granite Rapids */
	{ 0xae, TPMI },	       { 0xaf, TPMI }, /* Sierra Forest */
	{ 0xdd, TPMI }, /* Clearwater Forest */
};

static const uint32_t intel_msr[SCAPH_ZONES] = {
	[SCAPH_ZONE_AT_PACKAGE] = 0x611, [SCAPH_ZONE_AT_CORE] = 0x639,
	[SCAPH_ZONE_AT_UNCORE] = 0x641,	 [SCAPH_ZONE_AT_DRAM] = 0x619,
	[SCAPH_ZONE_AT_PSYS] = 0x64d,
};

static int kind_of(uint32_t family, uint32_t model)
{
	for (size_t i = 0; family == FAMILY_6 && i < sizeof(models) / sizeof(models[0]); i++) {
		if (models[i].model == model)
			return models[i].kind;
	}
	return -1;
}

static int find_intel(uint32_t family, uint32_t model, struct scaph_rapl *ret_rapl,
		      const char **ret_why)
{
	int kind = kind_of(family, model);
	struct scaph_rapl rapl = { .unit_msr = 0x606 };

	if (kind == TPMI) {
		*ret_why = "this processor's counters are no registers but TPMI: use --source "
			   "powercap or perf";
		return -ENODEV;
	}
	if (family == 19) {
		*ret_why = "this processor has no energy registers: use --source powercap or perf";
		return -ENODEV;
	}
	if (kind < 0) {
		*ret_why = "the units of this Intel model's registers are not known to this "
			   "version: use --source powercap or perf";
		return -ENODEV;
	}
	rapl.zones = kinds[kind].zones;
	for (int zone = 0; zone < SCAPH_ZONES; zone++) {
		if (rapl.zones & 1U << zone)
			rapl.msr[zone] = intel_msr[zone];
		rapl.unit[zone] = kinds[kind].all;
	}
	if (kinds[kind].dram)
		rapl.unit[SCAPH_ZONE_AT_DRAM] = kinds[kind].dram;
	if (kinds[kind].psys)
		rapl.unit[SCAPH_ZONE_AT_PSYS] = kinds[kind].psys;
	*ret_rapl = rapl;
	return 0;
}

int scaph_rapl_find(enum scaph_vendor vendor, uint32_t family, uint32_t model,
		    struct scaph_rapl *ret_rapl, const char **ret_why)
{
	bool known = (vendor == SCAPH_VENDOR_AMD &&
		      (family == 0x17 || family == 0x19 || family == 0x1a)) ||
		     (vendor == SCAPH_VENDOR_HYGON && family == 0x18);

	if (vendor == SCAPH_VENDOR_INTEL)
		return find_intel(family, model, ret_rapl, ret_why);
	if (!known) {
		*ret_why = "this processor is none of Intel's, AMD's (families 17h, 19h, 1Ah) or "
			   "Hygon's (18h) that this version knows registers of";
		return -ENODEV;
	}
	/* 0xC001029A is one core's energy: a package's cores cannot be had from it. */
	*ret_rapl = (struct scaph_rapl){
		.unit_msr = 0xc0010299,
		.zones = SCAPH_ZONE_PACKAGE,
		.msr = { [SCAPH_ZONE_AT_PACKAGE] = 0xc001029b },
	};
	return 0;
}

bool scaph_rapl_core_is_package(enum scaph_vendor vendor)
{
	return vendor == SCAPH_VENDOR_INTEL;
}

uint64_t scaph_rapl_step_units(const struct scaph_rapl *rapl, int zone, uint64_t unit_value)
{
	uint32_t unit = ENERGY_UNIT(unit_value);

	if (!unit)
		return 0;
	switch (rapl->unit[zone]) {
	case SCAPH_RAPL_UNIT_REGISTER:
		return UNITS_PER_J >> unit;
	case SCAPH_RAPL_UNIT_ATOM:
		return SCAPH_UNITS_PER_UJ << unit;
	case SCAPH_RAPL_UNIT_2_16:
		return UNITS_PER_J >> 16;
	case SCAPH_RAPL_UNIT_JOULE:
		return UNITS_PER_J;
	}
	return 0;
}

uint64_t scaph_rapl_wrap_ns(int zone, uint32_t packages, const struct scaph_source_counter *counter)
{
	uint64_t watts = zone == SCAPH_ZONE_AT_PSYS ? (uint64_t)PSYS_WATTS_MAX * packages
						    : PACKAGE_WATTS_MAX;
	/* A watt is UNITS_PER_J / 10^9 units in a nanosecond. */
	unsigned __int128 wrap_ns = (unsigned __int128)counter->range * counter->step_units /
				    watts * 1000000000 / UNITS_PER_J;

	return wrap_ns < UINT64_MAX ? (uint64_t)wrap_ns : UINT64_MAX;
}

bool scaph_rapl_filtered(const struct scaph_rapl_filter *filter)
{
	bool can_switch = filter->capabilities >> 10 & 1 && filter->capabilities >> 11 & 1;
	bool sgx = filter->feature_control & 1 && filter->feature_control >> 18 & 1;

	return (can_switch && filter->package_control & 1) || sgx;
}
