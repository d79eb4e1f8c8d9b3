/* SPDX-License-Identifier: Apache-2.0 */
/*
 * change.c - what a run writes over is kept until it has succeeded
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "consumer/setup/actions.h"
#include "consumer/setup/say.h"

int scaph_actions_keep(struct scaph_actions *actions, const char *path, const char *text)
{
	const struct scaph_made_entry *made =
		scaph_made_find(&actions->made, SCAPH_MADE_FILE, path);
	struct scaph_change *change = &actions->change[actions->changes];

	if (actions->changes == SCAPH_CHANGES_MAX)
		return -E2BIG;
	*change = (struct scaph_change){
		.path = strdup(path),
		.text = strdup(text),
		.sum = made ? made->sum : 0,
	};
	actions->changes++;
	return change->path && change->text ? 0 : -ENOMEM;
}

void scaph_actions_restore(struct scaph_actions *actions)
{
	for (uint32_t i = actions->changes; i-- > 0;) {
		const struct scaph_change *change = &actions->change[i];
		int r = scaph_tree_write(&actions->tree, change->path, change->text, 0644);

		if (r == 0 && scaph_made_find(&actions->made, SCAPH_MADE_FILE, change->path))
			r = scaph_made_add(&actions->made, SCAPH_MADE_FILE, change->path,
					   change->sum);
		if (r)
			scaph_setup_note("%s: is not as it was before: %s", change->path,
					 strerror(-r));
	}
}

void scaph_actions_clear(struct scaph_actions *actions)
{
	while (actions->changes) {
		struct scaph_change *change = &actions->change[--actions->changes];

		free(change->path);
		free(change->text);
	}
	scaph_made_clear(&actions->made);
}
