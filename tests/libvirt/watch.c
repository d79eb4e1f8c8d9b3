/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch.c - what the hypervisor's thread tells the daemon, a line each
 *
 * Usage: watch URI RUN_DIR
 *
 * Ends when its standard input does, and says how many milliseconds that took. A number written to it
 * before says how many it stays afterwards: nothing may be told in them any more.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "producer/process/clock.h"
#include "producer/domain/hypervisor.h"
#include "proto/names.h"

static void say_uuid(const char *what, const uint8_t uuid[SCAPH_UUID_BYTES])
{
	char text[SCAPH_UUID_TEXT_BYTES];

	scaph_uuid_format(uuid, text);
	printf("%s %s\n", what, text);
}

static void on_running(void *context, const struct scaph_sighting *sighting)
{
	char uuid[SCAPH_UUID_TEXT_BYTES], shown[4 * SCAPH_NAME_BYTES];

	scaph_uuid_format(sighting->uuid, uuid);
	scaph_name_escape(sighting->name, shown, sizeof(shown));
	printf("running %s pid=%d vcpus=%u paused=%d ivshmem=%d name=%s\n", uuid,
	       (int)sighting->pid, sighting->vcpus, sighting->paused, sighting->ivshmem, shown);
}

static void on_stopped(void *context, const uint8_t uuid[SCAPH_UUID_BYTES])
{
	say_uuid("stopped", uuid);
}

static void on_undefined(void *context, const uint8_t uuid[SCAPH_UUID_BYTES])
{
	say_uuid("undefined", uuid);
}

static void on_refresh(void *context, const uint8_t uuid[SCAPH_UUID_BYTES])
{
	say_uuid("refresh", uuid);
}

static void on_listed(void *context, const uint8_t (*uuids)[SCAPH_UUID_BYTES], uint32_t running,
		      uint32_t defined)
{
	char uuid[SCAPH_UUID_TEXT_BYTES];

	printf("listed %u %u", running, defined);
	for (uint32_t i = 0; i < running + defined; i++) {
		scaph_uuid_format(uuids[i], uuid);
		printf(" %s", uuid);
	}
	printf("\n");
}

static void on_connection(void *context, bool up, const char *why)
{
	printf("%s %s\n", up ? "up" : "down", why ? why : "-");
}

static void on_unseen(void *context, const struct scaph_sighting *sighting, const char *why)
{
	char uuid[SCAPH_UUID_TEXT_BYTES];

	scaph_uuid_format(sighting->uuid, uuid);
	printf("unseen %s %s\n", uuid, why);
}

int main(int argc, char **argv)
{
	const struct scaph_hypervisor_listener listener = {
		.running = on_running,
		.stopped = on_stopped,
		.undefined = on_undefined,
		.refresh = on_refresh,
		.listed = on_listed,
		.connection = on_connection,
		.unseen = on_unseen,
	};
	struct scaph_hypervisor *hypervisor;
	unsigned int linger_ms = 0;
	uint64_t begun_ns;
	char word[16];
	int r;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 3) {
		fprintf(stderr, "Usage: watch URI RUN_DIR\n");
		return EXIT_FAILURE;
	}
	r = scaph_hypervisor_start(argv[1], argv[2], &listener, &hypervisor);
	if (r) {
		fprintf(stderr, "watch: %s: %s\n", argv[1], strerror(-r));
		return EXIT_FAILURE;
	}
	while (fgets(word, sizeof(word), stdin))
		linger_ms = (unsigned int)strtoul(word, NULL, 10);
	begun_ns = scaph_clock_ns(CLOCK_MONOTONIC);
	scaph_hypervisor_stop(hypervisor);
	printf("ended %" PRIu64 "\n",
	       (scaph_clock_ns(CLOCK_MONOTONIC) - begun_ns) / SCAPH_NS_PER_MS);
	usleep(1000 * linger_ms);
	return EXIT_SUCCESS;
}
