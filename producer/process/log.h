/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h - one line a message on standard error
 *
 * Called by the main thread and the one that looks for machines. Sampler and publisher never log: they
 * leave a note for the main thread.
 */
#ifndef SCAPH_PRODUCER_LOG_H
#define SCAPH_PRODUCER_LOG_H

enum scaph_log_level {
	SCAPH_LOG_ERROR,
	SCAPH_LOG_WARNING,
	SCAPH_LOG_INFO,
	SCAPH_LOG_DEBUG,
};

void scaph_log_set_level(enum scaph_log_level level);

/* 0 and set, or -EINVAL for a word that is no level. */
int scaph_log_parse_level(const char *word, enum scaph_log_level *ret_level);

__attribute__((format(printf, 2, 3))) void scaph_log(enum scaph_log_level level, const char *format,
						     ...);

#define scaph_error(...) scaph_log(SCAPH_LOG_ERROR, __VA_ARGS__)
#define scaph_warning(...) scaph_log(SCAPH_LOG_WARNING, __VA_ARGS__)
#define scaph_info(...) scaph_log(SCAPH_LOG_INFO, __VA_ARGS__)
#define scaph_debug(...) scaph_log(SCAPH_LOG_DEBUG, __VA_ARGS__)

#endif
