/* SPDX-License-Identifier: Apache-2.0 */
/*
 * play.h - a feed that is fed from a recording: what feed.c asks of play.c
 */
#ifndef SCAPH_COMMAND_PLAY_H
#define SCAPH_COMMAND_PLAY_H

#include "consumer/command/feed.h"

/* As scaph_feed_step() and scaph_feed_reason(). */
bool scaph_feed_play(struct scaph_feed *feed);
const char *scaph_feed_played_reason(const struct scaph_feed *feed);

#endif
