/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile_file.c - a word in a file that scaphd reads when the domain comes in, or is asked to
 */
#include "tools/vm/profile_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/vm/say.h"
#include "tools/vm/store.h"

#define MODE 0644 /* scaphd need not be root */

static const char *const words[] = {
	[SCAPH_VM_PROFILE_NONE] = "none",
	[SCAPH_VM_PROFILE_TRUSTED] = "trusted",
	[SCAPH_VM_PROFILE_SHARED] = "shared",
	[SCAPH_VM_PROFILE_OFF] = "off",
};
#define WORDS (sizeof(words) / sizeof(words[0]))

const char *scaph_vm_profile_word(enum scaph_vm_profile profile)
{
	return profile < WORDS ? words[profile] : "unknown";
}

bool scaph_vm_profile_parse(const char *word, enum scaph_vm_profile *ret_profile)
{
	for (unsigned int i = 0; i < WORDS; i++) {
		if (strcmp(words[i], word) == 0) {
			*ret_profile = i;
			return true;
		}
	}
	return false;
}

enum scaph_vm_profile scaph_profile_file_look(const char *dir, const char *uuid)
{
	enum scaph_vm_profile profile = SCAPH_VM_PROFILE_NONE;
	int folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char *text = folder < 0 ? NULL : scaph_store_read(folder, uuid);

	if (folder >= 0)
		close(folder);
	if (text) {
		text[strcspn(text, "\n")] = '\0';
		(void)scaph_vm_profile_parse(text, &profile);
	}
	free(text);
	return profile;
}

/* scaphd would not believe what lies in another's folder. */
static int check_folder(int folder)
{
	struct stat st;

	if (fstat(folder, &st) < 0)
		return -errno;
	return st.st_uid != geteuid() || st.st_mode & 022 ? -EPERM : 0;
}

static int write_file(int folder, const char *uuid, enum scaph_vm_profile profile)
{
	char text[16];
	int r = check_folder(folder);

	snprintf(text, sizeof(text), "%s\n", words[profile]);
	if (r == 0)
		r = scaph_store_write(folder, uuid, text, MODE);
	/* Whatever the umask is; the word is no secret. */
	if (r == 0 && fchmodat(folder, uuid, MODE, 0) < 0)
		r = -errno;
	return r;
}

/* What a run that was killed left beside it goes too. */
static int remove_file(int folder, const char *uuid)
{
	char beside[64];

	snprintf(beside, sizeof(beside), "%s.new", uuid);
	if ((unlinkat(folder, uuid, 0) < 0 && errno != ENOENT) ||
	    (unlinkat(folder, beside, 0) < 0 && errno != ENOENT))
		return -errno;
	return fsync(folder) < 0 ? -errno : 0;
}

int scaph_profile_file_put(const char *dir, const char *uuid, enum scaph_vm_profile profile)
{
	int folder, r = 0;

	if (profile != SCAPH_VM_PROFILE_NONE)
		r = scaph_store_make_path(dir, 0755);
	if (r)
		return r;
	folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0 && errno == ENOENT && profile == SCAPH_VM_PROFILE_NONE)
		return 0;
	r = folder < 0			       ? -errno
	    : profile == SCAPH_VM_PROFILE_NONE ? remove_file(folder, uuid)
					       : write_file(folder, uuid, profile);
	if (folder >= 0)
		close(folder);
	if (r)
		scaph_vm_error(
			"%s/%s: %s; the folder must be root's, and nobody else's to write to", dir,
			uuid, strerror(-r));
	return r;
}
