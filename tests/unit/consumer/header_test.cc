/* SPDX-License-Identifier: Apache-2.0 */
// scaph.h alone, in C++: every structure, constant and call, without a cast, and the tag names beside their calls.
#include "consumer/scaph.h"

#include <type_traits>

static_assert(std::is_standard_layout<scaph_record>::value && std::is_standard_layout<scaph_energy>::value, "plain data");
static_assert(sizeof(scaph_bounds) == 24 && sizeof(scaph_record) == 72, "no room between");

static int all_calls(const char *path)
{
	struct scaph_options options = {};
	struct scaph_energy energy = {};
	struct scaph_bulletin bulletin = {};
	struct scaph_clock clock = {};
	struct scaph_info info = {};
	struct scaph_record record = {}, many[2];
	struct scaph_span span = {};
	struct scaph_reader *reader = nullptr;
	size_t count = 0;
	int r = 0;

	options.size = sizeof(options);
	options.mode = SCAPH_OPEN_AUTO;
	energy.size = sizeof(energy);
	bulletin.size = sizeof(bulletin);
	clock.size = sizeof(clock);
	info.size = sizeof(info);
	if (scaph_open(path, &options, &reader) != 0)
		return 0;
	r |= scaph_next(reader, &record);
	r |= scaph_next_many(reader, many, 2, &count);
	r |= scaph_latest(reader, &record);
	r |= scaph_wait(reader, 0, 0);
	r |= scaph_between(&many[0], &record, &span);
	r |= scaph_window(reader, 1000000000, &span);
	r |= scaph_energy_between(reader, 1, 2, &energy);
	r |= scaph_energy_await(reader, 1, 2, 0, &energy);
	r |= scaph_clock_read(reader, &clock);
	r |= scaph_clock_sync(reader, 0);
	r |= scaph_describe(reader, &info);
	r |= scaph_bulletin_read(reader, &bulletin);
	scaph_totals(reader, &span);
	scaph_lost(reader);
	scaph_age_ns(reader);
	scaph_reason(reader);
	scaph_close(reader);
	return r;
}

int main()
{
	struct scaph_record record = {};
	struct scaph_span span = {};

	if (all_calls("/nonexistent") != 0)
		return 1;
	return scaph_between(&record, &record, &span) == SCAPH_GAP ? 0 : 1;
}
