/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mailbox.c - letters in a list
 */
#include "producer/domain/mailbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

int scaph_mailbox_init(struct scaph_mailbox *mailbox)
{
	*mailbox = (struct scaph_mailbox){ .wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
	mailbox->last = &mailbox->first;
	pthread_mutex_init(&mailbox->lock, NULL);
	return mailbox->wake_fd < 0 ? -errno : 0;
}

void scaph_mailbox_deinit(struct scaph_mailbox *mailbox)
{
	struct scaph_letter *letter;

	if (mailbox->wake_fd < 0)
		return;
	while ((letter = scaph_mailbox_take(mailbox)))
		scaph_letter_free(letter);
	close(mailbox->wake_fd);
	mailbox->wake_fd = -1;
	pthread_mutex_destroy(&mailbox->lock);
}

static struct scaph_letter *letter_new(enum scaph_letter_kind kind)
{
	struct scaph_letter *letter = calloc(1, sizeof(*letter));

	/* A lost letter would be a wrong table: better no daemon, which its service starts anew. */
	if (!letter)
		abort();
	letter->kind = kind;
	return letter;
}

static void post(struct scaph_mailbox *mailbox, struct scaph_letter *letter)
{
	uint64_t one = 1;

	pthread_mutex_lock(&mailbox->lock);
	*mailbox->last = letter;
	mailbox->last = &letter->next;
	pthread_mutex_unlock(&mailbox->lock);
	if (write(mailbox->wake_fd, &one, sizeof(one)) < 0)
		return; /* full of wake-ups already */
}

static void post_uuid(void *context, enum scaph_letter_kind kind,
		      const uint8_t uuid[SCAPH_UUID_BYTES])
{
	struct scaph_letter *letter = letter_new(kind);

	memcpy(letter->sighting.uuid, uuid, SCAPH_UUID_BYTES);
	post(context, letter);
}

static void on_running(void *context, const struct scaph_sighting *sighting)
{
	struct scaph_letter *letter = letter_new(SCAPH_LETTER_RUNNING);

	letter->sighting = *sighting;
	post(context, letter);
}

static void on_stopped(void *context, const uint8_t uuid[SCAPH_UUID_BYTES])
{
	post_uuid(context, SCAPH_LETTER_STOPPED, uuid);
}

static void on_lost(void *context, const uint8_t uuid[SCAPH_UUID_BYTES])
{
	struct scaph_letter *letter = letter_new(SCAPH_LETTER_STOPPED);

	memcpy(letter->sighting.uuid, uuid, SCAPH_UUID_BYTES);
	letter->sighting.discovered = true;
	post(context, letter);
}

static void on_undefined(void *context, const uint8_t uuid[SCAPH_UUID_BYTES])
{
	post_uuid(context, SCAPH_LETTER_UNDEFINED, uuid);
}

static void on_refresh(void *context, const uint8_t uuid[SCAPH_UUID_BYTES])
{
	post_uuid(context, SCAPH_LETTER_REFRESH, uuid);
}

static void on_listed(void *context, const uint8_t (*uuids)[SCAPH_UUID_BYTES], uint32_t running,
		      uint32_t defined)
{
	struct scaph_letter *letter = letter_new(SCAPH_LETTER_LISTED);
	size_t bytes = ((size_t)running + defined) * SCAPH_UUID_BYTES;

	letter->running = running;
	letter->defined = defined;
	letter->uuids = malloc(bytes + 1);
	if (!letter->uuids)
		abort();
	if (bytes)
		memcpy(letter->uuids, uuids, bytes);
	post(context, letter);
}

static void on_connection(void *context, bool up, const char *why)
{
	struct scaph_letter *letter = letter_new(SCAPH_LETTER_CONNECTION);

	letter->up = up;
	snprintf(letter->why, sizeof(letter->why), "%s", why ? why : "");
	post(context, letter);
}

static void on_unseen(void *context, const struct scaph_sighting *sighting, const char *why)
{
	struct scaph_letter *letter = letter_new(SCAPH_LETTER_UNSEEN);

	letter->sighting = *sighting;
	snprintf(letter->why, sizeof(letter->why), "%s", why);
	post(context, letter);
}

struct scaph_hypervisor_listener scaph_mailbox_listener(struct scaph_mailbox *mailbox)
{
	return (struct scaph_hypervisor_listener){
		.context = mailbox,
		.running = on_running,
		.stopped = on_stopped,
		.undefined = on_undefined,
		.refresh = on_refresh,
		.listed = on_listed,
		.connection = on_connection,
		.unseen = on_unseen,
	};
}

struct scaph_hypervisor_listener scaph_mailbox_discovery_listener(struct scaph_mailbox *mailbox)
{
	struct scaph_hypervisor_listener listener = scaph_mailbox_listener(mailbox);

	listener.stopped = on_lost;
	return listener;
}

struct scaph_letter *scaph_mailbox_take(struct scaph_mailbox *mailbox)
{
	struct scaph_letter *letter;
	uint64_t wakes;

	pthread_mutex_lock(&mailbox->lock);
	letter = mailbox->first;
	if (letter)
		mailbox->first = letter->next;
	if (!mailbox->first)
		mailbox->last = &mailbox->first;
	/* Read under the lock: a letter that comes after it wakes again. */
	if (!letter && read(mailbox->wake_fd, &wakes, sizeof(wakes)) < 0)
		wakes = 0; /* there was no wake-up */
	pthread_mutex_unlock(&mailbox->lock);
	return letter;
}

void scaph_letter_free(struct scaph_letter *letter)
{
	free(letter->uuids);
	free(letter);
}
