/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confirm.c - a question before anything is done
 */
#include "tools/vm/confirm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/vm/say.h"

int scaph_confirm(const char *question, bool yes)
{
	char answer[16] = "";

	if (yes)
		return 0;
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		scaph_vm_error("there is no terminal to ask on; give --yes, or --dry-run to look "
			       "only");
		return -ECANCELED;
	}
	printf("%s [y/N] ", question);
	fflush(stdout);
	if (fgets(answer, sizeof(answer), stdin) &&
	    (strcmp(answer, "y\n") == 0 || strcmp(answer, "yes\n") == 0))
		return 0;
	scaph_vm_error("nothing was changed");
	return -ECANCELED;
}
