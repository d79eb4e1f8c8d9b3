/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree.h - files of the system that is set up: this machine's, or an image's in a folder
 *
 * Every path is taken within the tree: a link in an image leads to where it would in the running system, never out of it. What is
 * written is written whole or not at all.
 */
#ifndef SCAPH_SETUP_TREE_H
#define SCAPH_SETUP_TREE_H

#include <stdbool.h>
#include <sys/types.h>

struct scaph_tree {
	int fd;
	const char *root; /* NULL: this machine */
};

/* 0 or a negative errno. */
int scaph_tree_open(const char *root, struct scaph_tree *ret_tree);

/* Whether something is there; links are followed. */
bool scaph_tree_has(const struct scaph_tree *tree, const char *path);

/**
 * scaph_tree_read() - the text of a file
 * @ret_text: freed by the caller
 *
 * Return:   0; -ENOENT; -ELOOP: a link; -EINVAL: no plain file, or no text; -EFBIG: above 1 MiB; or another negative errno.
 */
int scaph_tree_read(const struct scaph_tree *tree, const char *path, char **ret_text);

/* Put a text in the place of a file at once, mode and owner kept, or make it with @mode. 0 or a negative errno. */
int scaph_tree_write(const struct scaph_tree *tree, const char *path, const char *text,
		     mode_t mode);

/* What an interrupted writing of that file has left beside it. */
void scaph_tree_sweep(const struct scaph_tree *tree, const char *path);

/* Each is 0, or a negative errno that says what was in the way. */
int scaph_tree_link(const struct scaph_tree *tree, const char *path, const char *target);
int scaph_tree_make_folder(const struct scaph_tree *tree, const char *path);
int scaph_tree_remove(const struct scaph_tree *tree, const char *path);
int scaph_tree_remove_folder(const struct scaph_tree *tree, const char *path);

/* A link's own text; 0 or a negative errno. */
int scaph_tree_read_link(const struct scaph_tree *tree, const char *path, char *ret_text,
			 size_t size);

#endif
