/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine.c - registers as a configuration describes them
 */
#include "machine.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_MS 1000000U
#define UJ_PER_J 1000000U
#define PERIOD_MAX_MS 600000U
#define WORDS_MAX 9

/* Words of a line up to a comment. */
static int split(char *line, char *word[WORDS_MAX])
{
	int count = 0;
	char *rest = line;

	line[strcspn(line, "#\n")] = '\0';
	while (count < WORDS_MAX && (word[count] = strtok_r(rest, " \t", &rest)))
		count++;
	return count;
}

static bool number(const char *word, uint64_t most, uint64_t *ret_number)
{
	char *end;

	errno = 0;
	*ret_number = strtoull(word, &end, 0);
	return end != word && !*end && !errno && *ret_number <= most;
}

static struct machine_register *find(struct machine *machine, uint32_t package, uint64_t address)
{
	for (uint32_t i = 0; i < machine->count; i++) {
		struct machine_register *it = &machine->registers[i];

		if (it->package == package && it->address == address)
			return it;
	}
	return NULL;
}

/* A milliwatt for a millisecond is a microjoule. */
static uint64_t power_mw(const char *shape, uint64_t low, uint64_t high, uint64_t ms,
			 uint64_t period_ms)
{
	if (strcmp(shape, "square") == 0)
		return ms < period_ms / 2 ? high : low;
	return low + (uint64_t)llround((double)(high - low) / 2 *
				       (1 + sin(2 * M_PI * (double)ms / (double)period_ms)));
}

static bool read_course(struct machine_register *it, char **word, int words)
{
	uint64_t low, high, period_ms = 1;
	bool flat = words == 2 && strcmp(word[0], "watts") == 0;

	if (!flat && (words != 4 || (strcmp(word[0], "square") && strcmp(word[0], "sine"))))
		return false;
	if (!number(word[1], UINT32_MAX, &low) || !number(word[flat ? 1 : 2], UINT32_MAX, &high) ||
	    high < low)
		return false;
	if (!flat && (!number(word[3], PERIOD_MAX_MS, &period_ms) || !period_ms))
		return false;
	it->period_ms = period_ms;
	it->sum_uj = calloc(period_ms + 1, sizeof(*it->sum_uj));
	for (uint64_t ms = 0; it->sum_uj && ms < period_ms; ms++)
		it->sum_uj[ms + 1] =
			it->sum_uj[ms] + (flat ? low : power_mw(word[0], low, high, ms, period_ms));
	return it->sum_uj;
}

static bool read_register(struct machine *machine, char **word, int words)
{
	struct machine_register it = { .counts = strcmp(word[0], "counter") == 0 };
	uint64_t package, unit, base;

	if (words < 4 || machine->count == MACHINE_REGISTERS_MAX ||
	    !number(word[1], UINT32_MAX, &package) || !number(word[2], UINT64_MAX, &it.address) ||
	    find(machine, (uint32_t)package, it.address))
		return false;
	it.package = (uint32_t)package;
	if (it.counts) {
		if (words < 6 || !number(word[3], 31, &unit) ||
		    !number(word[4], UINT32_MAX, &base) || !read_course(&it, word + 5, words - 5))
			return false;
		it.unit = (uint32_t)unit;
		it.base = (uint32_t)base;
	} else if (words != 4 || !number(word[3], UINT64_MAX, &it.fixed)) {
		return false;
	}
	machine->registers[machine->count++] = it;
	return true;
}

static bool read_cpu(struct machine *machine, char **word, int words)
{
	uint64_t cpu, package;

	if (words != 3 || !number(word[1], MACHINE_CPUS_MAX - 1, &cpu) ||
	    !number(word[2], UINT32_MAX, &package))
		return false;
	machine->cpu[cpu].there = true;
	machine->cpu[cpu].package = (uint32_t)package;
	return true;
}

static bool read_steps(struct machine *machine, char **word, int words)
{
	return words == 3 && number(word[1], PERIOD_MAX_MS * NS_PER_MS, &machine->step_ns) &&
	       machine->step_ns && number(word[2], machine->step_ns - 1, &machine->jitter_ns);
}

int machine_read(const char *path, uint64_t start_ns, struct machine *ret_machine)
{
	FILE *file = fopen(path, "re");
	char line[512], *word[WORDS_MAX];
	int at = 0, r = 0;

	if (!file) {
		r = -errno;
		fprintf(stderr, "msrfs: %s: %s\n", path, strerror(-r));
		return r;
	}
	*ret_machine = (struct machine){ .start_ns = start_ns, .noise = start_ns | 1 };
	while (r == 0 && fgets(line, sizeof(line), file)) {
		int words = split(line, word);
		bool good = words == 0;

		at++;
		if (words && strcmp(word[0], "cpu") == 0)
			good = read_cpu(ret_machine, word, words);
		else if (words && strcmp(word[0], "steps") == 0)
			good = read_steps(ret_machine, word, words);
		else if (words &&
			 (strcmp(word[0], "fixed") == 0 || strcmp(word[0], "counter") == 0))
			good = read_register(ret_machine, word, words);
		if (!good) {
			fprintf(stderr, "msrfs: %s:%d: no item as machine.h has them\n", path, at);
			r = -EINVAL;
		}
	}
	fclose(file);
	if (r)
		machine_clear(ret_machine);
	return r;
}

void machine_clear(struct machine *machine)
{
	for (uint32_t i = 0; i < machine->count; i++)
		free(machine->registers[i].sum_uj);
	machine->count = 0;
}

/* When a step comes, since the start: some time after its turn (a hash of Knuth's, TAOCP 6.4). */
static uint64_t step_at_ns(const struct machine *machine, uint64_t step)
{
	uint64_t hash = (step * UINT64_C(0x9E3779B97F4A7C15)) >> 32;

	return step * machine->step_ns + hash % (machine->jitter_ns + 1);
}

/* The last step before a time, both since the start. */
static uint64_t stepped_ns(const struct machine *machine, uint64_t ns)
{
	uint64_t step;

	if (!machine->step_ns)
		return ns - ns % NS_PER_MS;
	step = ns / machine->step_ns;
	if (step && step_at_ns(machine, step) > ns)
		step--;
	return step ? step_at_ns(machine, step) : 0;
}

/* Whole counts since the start, by the last step. */
static uint32_t counted(const struct machine *machine, const struct machine_register *it,
			uint64_t mono_ns)
{
	uint64_t ns = stepped_ns(machine, mono_ns - machine->start_ns);
	uint64_t ms = ns / NS_PER_MS, at = ms % it->period_ms;
	unsigned __int128 uj = (unsigned __int128)(ms / it->period_ms) * it->sum_uj[it->period_ms] +
			       it->sum_uj[at];

	uj += (it->sum_uj[at + 1] - it->sum_uj[at]) * (ns % NS_PER_MS) / NS_PER_MS;
	return (uint32_t)((uj << it->unit) / UJ_PER_J);
}

static uint32_t next_noise(struct machine *machine)
{
	machine->noise ^= machine->noise << 13;
	machine->noise ^= machine->noise >> 7;
	machine->noise ^= machine->noise << 17;
	return (uint32_t)machine->noise;
}

int machine_show(struct machine *machine, uint32_t cpu, uint64_t address, uint64_t mono_ns,
		 uint64_t *ret_value)
{
	struct machine_register *it;
	uint32_t low;

	if (machine->cpu[cpu].offline)
		return -ENXIO;
	it = find(machine, machine->cpu[cpu].package, address);
	if (!it || it->fault == MACHINE_FAIL)
		return -EIO;
	if (!it->counts) {
		*ret_value = it->fault == MACHINE_ZERO ? 0 : it->fixed;
		return 0;
	}
	low = it->fault == MACHINE_STILL ? it->held : it->base + counted(machine, it, mono_ns);
	/* A register that is not implemented is 0 throughout. */
	*ret_value = it->fault == MACHINE_ZERO ? 0 : (uint64_t)next_noise(machine) << 32 | low;
	return 0;
}

static int command_cpu(struct machine *machine, bool offline, const char *word)
{
	uint64_t cpu;

	if (!number(word, MACHINE_CPUS_MAX - 1, &cpu) || !machine->cpu[cpu].there)
		return -EINVAL;
	machine->cpu[cpu].offline = offline;
	return 0;
}

static int command_fault(struct machine *machine, struct machine_register *it, const char *word,
			 uint64_t mono_ns)
{
	static const char *const faults[] = { "sound", "still", "zero", "fail" };
	uint32_t now = it->counts ? counted(machine, it, mono_ns) : 0;

	if (strcmp(word, "reset") == 0) {
		it->base = 0 - now;
		return 0;
	}
	for (int fault = MACHINE_SOUND; fault <= MACHINE_FAIL; fault++) {
		if (strcmp(word, faults[fault]))
			continue;
		if (it->fault == MACHINE_STILL)
			it->base = it->held - now;
		it->held = it->base + now;
		it->fault = (enum machine_fault)fault;
		return 0;
	}
	return -EINVAL;
}

int machine_command(struct machine *machine, const char *line, uint64_t mono_ns)
{
	char text[256], *word[WORDS_MAX];
	struct machine_register *it;
	uint64_t package, address;
	int words;

	snprintf(text, sizeof(text), "%s", line);
	words = split(text, word);
	if (words == 2 && (strcmp(word[0], "offline") == 0 || strcmp(word[0], "online") == 0))
		return command_cpu(machine, strcmp(word[0], "offline") == 0, word[1]);
	if (words < 3 || !number(word[1], UINT32_MAX, &package) ||
	    !number(word[2], UINT64_MAX, &address))
		return -EINVAL;
	it = find(machine, (uint32_t)package, address);
	if (!it)
		return -EINVAL;
	if (words == 4 && strcmp(word[0], "set") == 0 && !it->counts)
		return number(word[3], UINT64_MAX, &it->fixed) ? 0 : -EINVAL;
	return words == 3 ? command_fault(machine, it, word[0], mono_ns) : -EINVAL;
}
