// SPDX-License-Identifier: Apache-2.0
/* OCI layouts: blobs in the making. */
#ifndef SBUILD_FETCH_LAYOUT_H
#define SBUILD_FETCH_LAYOUT_H

#include <sbuild/registry.h>

/*
 * A blob that is being written. It is named after its digest and survives a broken run, so that the next one
 * goes on; while another process is at it, this one works in a file of its own that vanishes when it is not
 * committed.
 */
typedef struct sb_blob_stage sb_blob_stage;
int sb_blob_stage_open(sb_layout *layout, const sb_digest *digest, sb_blob_stage **ret_stage, sb_error **err);
int sb_blob_stage_fd(const sb_blob_stage *stage); /* O_RDWR; the stage owns it */
/*
 * The contents were verified by the caller: puts them into place, once they are on the disk, so that a power
 * cut leaves nothing under a name that it does not deserve. The disk is waited for once for all of them.
 */
int sb_blob_stages_commit(sb_layout *layout, sb_blob_stage *const *stages, size_t count, sb_error **err);
void sb_blob_stage_free(sb_blob_stage *stage);
SB_DEFINE_CLEANUP(sb_blob_stage, sb_blob_stage_free)

#endif
