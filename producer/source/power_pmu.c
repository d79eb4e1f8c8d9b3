/* SPDX-License-Identifier: Apache-2.0 */
/*
 * power_pmu.c - parsing the power PMU's folder
 */
#include "producer/source/power_pmu.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "producer/machine/attribute.h"
#include "producer/source/rapl.h"

#define FOLDER "bus/event_source/devices/power"
#define DIGITS_MAX 28 /* 10^28 units of 2^-32 still fit 128 bits */
#define EXPONENT_MAX 60

static const char *const events[SCAPH_ZONES] = {
	[SCAPH_ZONE_AT_PACKAGE] = "energy-pkg", [SCAPH_ZONE_AT_CORE] = "energy-cores",
	[SCAPH_ZONE_AT_UNCORE] = "energy-gpu",	[SCAPH_ZONE_AT_DRAM] = "energy-ram",
	[SCAPH_ZONE_AT_PSYS] = "energy-psys",
};

/* Digits with a point as mantissa x 10^exponent. */
static int take_mantissa(const char **at, unsigned __int128 *ret_mantissa, int *ret_exponent)
{
	unsigned __int128 mantissa = 0;
	int digits = 0, places = 0;
	bool point = false;

	for (; (**at >= '0' && **at <= '9') || (**at == '.' && !point); (*at)++) {
		if (**at == '.') {
			point = true;
			continue;
		}
		mantissa = 10 * mantissa + (unsigned int)(**at - '0');
		places += point;
		if (++digits > DIGITS_MAX)
			return -ERANGE;
	}
	if (!digits || (point && !places))
		return -EINVAL;
	*ret_mantissa = mantissa;
	*ret_exponent = -places;
	return 0;
}

static int take_exponent(const char **at, int *exponent)
{
	char *end;
	long value;

	if (**at != 'e' && **at != 'E')
		return 0;
	errno = 0;
	value = strtol(*at + 1, &end, 10);
	if (end == *at + 1 || (*at)[1] == ' ' || errno || value > EXPONENT_MAX ||
	    value < -EXPONENT_MAX)
		return -EINVAL;
	*exponent += (int)value;
	*at = end;
	return 0;
}

int scaph_power_pmu_parse_scale(const char *text, uint64_t *ret_step_units)
{
	unsigned __int128 units;
	int exponent, r = take_mantissa(&text, &units, &exponent);

	if (r == 0)
		r = take_exponent(&text, &exponent);
	if (r == 0 && *text)
		r = -EINVAL;
	if (r)
		return r;
	units *= SCAPH_UNITS_PER_UJ;
	exponent += 6; /* joules to microjoules */
	for (; exponent < 0 && units; exponent++) {
		if (units % 10)
			return -EDOM;
		units /= 10;
	}
	for (; exponent > 0 && units <= UINT64_MAX; exponent--)
		units *= 10;
	if (!units || units > UINT64_MAX)
		return -ERANGE;
	*ret_step_units = (uint64_t)units;
	return 0;
}

int scaph_power_pmu_parse_event(const char *text, uint64_t *ret_config)
{
	unsigned long code;
	char *end;

	if (strncmp(text, "event=", 6) != 0 || !strchr("0123456789", text[6]))
		return -EINVAL;
	errno = 0;
	code = strtoul(text + 6, &end, 0);
	if (end == text + 6 || *end || errno || code > UINT8_MAX)
		return -EINVAL;
	*ret_config = code;
	return 0;
}

static int refuse(const char *path, const char *what, int r, char ret_why[SCAPH_SOURCE_WHY_BYTES])
{
	snprintf(ret_why, SCAPH_SOURCE_WHY_BYTES, "%.140s: %s", path, what ? what : strerror(-r));
	return r;
}

/* One event; none: its zone is not there, which is no fault. */
static int read_event(const struct scaph_config *config, int zone, struct scaph_power_pmu *pmu,
		      char ret_why[SCAPH_SOURCE_WHY_BYTES])
{
	char path[PATH_MAX], text[64];
	size_t base = (size_t)snprintf(path, sizeof(path), "%s/" FOLDER "/events/%s", config->sysfs,
				       events[zone]);
	int r = scaph_attribute_read(path, text, sizeof(text));

	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = scaph_power_pmu_parse_event(text, &pmu->config[zone]);
	if (r)
		return refuse(path, r == -EINVAL ? "not of the form event=CODE" : NULL, r, ret_why);
	snprintf(path + base, sizeof(path) - base, ".unit");
	r = scaph_attribute_read(path, text, sizeof(text));
	if (r || strcmp(text, "Joules") != 0)
		return refuse(path, r ? NULL : "the unit is not Joules", r ? r : -EINVAL, ret_why);
	snprintf(path + base, sizeof(path) - base, ".scale");
	r = scaph_attribute_read(path, text, sizeof(text));
	if (r == 0)
		r = scaph_power_pmu_parse_scale(text, &pmu->step_units[zone]);
	if (r)
		return refuse(path,
			      r == -EDOM || r == -ERANGE ? "no whole number of 2^-32 microjoule"
			      : r == -EINVAL		 ? "no decimal number"
							 : NULL,
			      r, ret_why);
	pmu->zones |= 1U << zone;
	return 0;
}

/* One CPU a package: where kernels list several of one, all count the same. */
static int read_cpus(const struct scaph_config *config, const struct scaph_topology *topology,
		     struct scaph_power_pmu *pmu, char ret_why[SCAPH_SOURCE_WHY_BYTES])
{
	bool mask[SCAPH_CPUS_MAX];
	char path[PATH_MAX], name[SCAPH_PACKAGE_NAME_BYTES];
	int r;

	for (uint32_t i = 0; i < SCAPH_PACKAGES_MAX; i++)
		pmu->cpu[i] = -1;
	snprintf(path, sizeof(path), "%s/" FOLDER "/cpumask", config->sysfs);
	r = scaph_attribute_cpus(path, mask);
	if (r)
		return refuse(path, r == -EINVAL ? "no list of CPUs" : NULL, r, ret_why);
	for (uint32_t cpu = 0; cpu < SCAPH_CPUS_MAX; cpu++) {
		uint16_t at = topology->package_of[cpu];

		if (mask[cpu] && at == SCAPH_PACKAGE_NONE) {
			snprintf(ret_why, SCAPH_SOURCE_WHY_BYTES,
				 "%.120s names CPU %u, which is of no package of this machine's "
				 "topology",
				 path, cpu);
			return -ENODATA;
		}
		if (mask[cpu] && pmu->cpu[at] < 0)
			pmu->cpu[at] = (int)cpu;
	}
	for (uint32_t i = 0; i < topology->packages; i++) {
		if (pmu->cpu[i] >= 0)
			continue;
		scaph_topology_name(topology, i, name);
		snprintf(ret_why, SCAPH_SOURCE_WHY_BYTES, "%.120s names no CPU of %s", path, name);
		return -ENODATA;
	}
	return 0;
}

int scaph_power_pmu_read(const struct scaph_config *config, const struct scaph_topology *topology,
			 struct scaph_power_pmu *ret_pmu, char ret_why[SCAPH_SOURCE_WHY_BYTES])
{
	struct scaph_power_pmu pmu = {};
	char path[PATH_MAX];
	uint64_t type;
	int r;

	snprintf(path, sizeof(path), "%s/" FOLDER "/type", config->sysfs);
	r = scaph_attribute_number(path, &type);
	if (r == -ENOENT)
		return refuse(path,
			      "no power PMU: modprobe rapl, where the processor has one; a virtual "
			      "machine has none",
			      r, ret_why);
	if (r || type > UINT32_MAX)
		return refuse(path, r && r != -EINVAL ? NULL : "no number", r ? r : -EINVAL,
			      ret_why);
	pmu.type = (uint32_t)type;
	for (int zone = 0; zone < SCAPH_ZONES && r == 0; zone++) {
		/* One core's energy is not the package's cores'. */
		if (zone != SCAPH_ZONE_AT_CORE || scaph_rapl_core_is_package(topology->vendor))
			r = read_event(config, zone, &pmu, ret_why);
	}
	if (r == 0)
		r = read_cpus(config, topology, &pmu, ret_why);
	if (r)
		return r;
	if (!(pmu.zones & SCAPH_ZONE_PACKAGE)) {
		snprintf(ret_why, SCAPH_SOURCE_WHY_BYTES,
			 "the power PMU has no event energy-pkg: another source has to do");
		return -ENODEV;
	}
	*ret_pmu = pmu;
	return 0;
}
