// SPDX-License-Identifier: Apache-2.0
/* What a recording consists of, and how it reaches the disk. docs/sealed.md has the files. */
#ifndef STEP_RECORDING_H
#define STEP_RECORDING_H

#include <builder/step/server.h>

/* `locked` must outlive it. */
int step_recording_new(const char *dir, const sb_step_manifest *locked, step_recording **ret_recording,
                       sb_error **err);
void step_recording_free(step_recording *recording);
SB_DEFINE_CLEANUP(step_recording, step_recording_free)

/*
 * What the lock says, if it may be used while recording, and then it is part of the recording: not a failure,
 * which is asked for again, and not what stands for a token. NULL: ask upstream. Without the server's lock.
 */
const sb_step_request *step_recording_accepts(step_server *server, const sb_step_request *found);
/* An answer that came, `answer` with its question. Secrets are taken out here. Without the server's lock. */
void step_recording_add(step_server *server, step_asked *asked, const sb_step_request *answer);
/* The latest whole answer to this question, with status 200; NULL: there is none. With the server's lock. */
const sb_step_request *step_recording_latest(const step_asked *asked);

/* A body that comes in, beside its final place. */
typedef struct step_body_file {
    int fd;
    char name[64];
    sb_hasher *hasher;
    uint64_t size;
} step_body_file;
int step_body_file_begin(step_recording *recording, step_body_file *file, sb_error **err);
bool step_body_file_add(step_body_file *file, sb_slice data);
/* Gives it its name, or (of a token end point) puts what stands for it there. The descriptor stays open. */
int step_body_file_keep(step_recording *recording, step_body_file *file, sb_slice url, sb_digest *ret_digest,
                        uint64_t *ret_size, sb_error **err);
/* What is not kept is removed. The descriptor is somebody else's by then. */
void step_body_file_end(step_recording *recording, step_body_file *file);
/* A body of this recording, for reading; -1 when it is not there. */
int step_recording_open(const step_recording *recording, const sb_digest *digest);

/* Writes manifest and report. */
int step_recording_finish(step_server *server, sb_error **err);

#endif
