// SPDX-License-Identifier: Apache-2.0
/* What lock/ keeps for a project beside the public structure: one client per run for HTTP and for registries.
 */
#ifndef SBUILD_LOCK_PROJECT_H
#define SBUILD_LOCK_PROJECT_H

#include <sbuild/project.h>
#include <sbuild/registry.h>

/* Made on first use, owned by the project. */
sb_http *sb_project_http(sb_project *project);
sb_registry *sb_project_registry(sb_project *project);

/*
 * Where an object is: the repository's store if that has it, else the user's cache. NULL when it is in
 * neither. Makes neither. Presence is all that is looked at: reading verifies.
 */
const sb_store *sb_project_find(sb_project *project, const sb_digest *digest);

/* The bare repository that commits of `remote` are fetched into, in the cache; its parent is made. The caller
 * frees the path. */
char *sb_project_git_dir(sb_slice remote, sb_error **err);

/* "sbuild lock", with -f where this project needs it, for messages; printable. In `arena`. */
sb_slice sb_project_command(const sb_project *project, sb_arena *arena, const char *command);

#endif
