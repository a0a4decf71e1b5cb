// SPDX-License-Identifier: Apache-2.0
/*
 * Bytes on their way to files. The thread that receives them only copies them into blocks; helper threads
 * hash and write the blocks, those of one stream in order, so that the network is not kept waiting for
 * either. What is under way is bounded. Small files are done without a helper.
 */
#ifndef SBUILD_FETCH_STREAM_H
#define SBUILD_FETCH_STREAM_H

#include <sbuild/digest.h>

enum {
    SB_STREAM_BLOCK = 1 << 18, /* bytes */
    SB_STREAM_BLOCKS_MAX = 32, /* waiting for a helper, of all streams; each stream fills one more */
    SB_STREAM_THREADS_MAX = 4,
};

/* The helpers, shared by all streams of one thread. They start with the first full block. */
typedef struct sb_stream_pool sb_stream_pool;
sb_stream_pool *sb_stream_pool_new(void);
void sb_stream_pool_free(sb_stream_pool *pool); /* after its streams */
SB_DEFINE_CLEANUP(sb_stream_pool, sb_stream_pool_free)

typedef struct sb_stream sb_stream;
/* Writes to `fd` (borrowed), from its beginning. `other` may be SB_HASH_SHA256: then that alone is computed.
 */
sb_stream *sb_stream_new(sb_stream_pool *pool, int fd, sb_hash_algo other);
/* Waits for what is under way. */
void sb_stream_free(sb_stream *stream);
SB_DEFINE_CLEANUP(sb_stream, sb_stream_free)

/* These bytes are in the file already: hashed only. Before anything is added. */
void sb_stream_skim(sb_stream *stream, const void *data, size_t len);
/* -1 with errno when something could not be written: these bytes or earlier ones. */
int sb_stream_add(sb_stream *stream, const void *data, size_t len);
/* Waits until all that was added is in the file; -1 with errno as above. */
int sb_stream_drain(sb_stream *stream);
/* From the beginning again, with nothing hashed: the caller empties the file, after a drain. */
void sb_stream_restart(sb_stream *stream);
/* After a drain that went well; then the stream may only be freed. `ret_other` is the sha256 when no other
 * was wanted. */
void sb_stream_finish(sb_stream *stream, sb_digest *ret_sha256, sb_digest *ret_other);

#endif
