// SPDX-License-Identifier: Apache-2.0
/* Public key files of the context, the same on every checkout. */
#ifndef SBUILD_LOCK_KEY_FILE_H
#define SBUILD_LOCK_KEY_FILE_H

#include <sbuild/arena.h>

/*
 * What of a key file is locked and stored: an armoured one with LF line ends, since git may have converted
 * them; a binary one as it is.
 */
sb_slice sb_key_file_bytes(sb_arena *arena, sb_slice data);

#endif
