/* SPDX-License-Identifier: Apache-2.0 */
// scaph.h alone, in C++.
#include "consumer/scaph.h"

int main()
{
	struct scaph_record record = {};
	struct scaph_span span = {};

	return scaph_between(&record, &record, &span) == SCAPH_GAP ? 0 : 1;
}
