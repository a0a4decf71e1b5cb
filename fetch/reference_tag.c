// SPDX-License-Identifier: Apache-2.0
/* What the tag of an image promises by its looks: the same image tomorrow, or the newest one. */
#include <sbuild/reference.h>

/* Words that by custom move from image to image. */
static const char *const moving_words[] = {
    "alpha",  "beta",    "canary",  "current", "default", "dev",     "develop",  "development",
    "devel",  "edge",    "head",    "latest",  "lts",     "main",    "mainline", "master",
    "newest", "next",    "nightly", "prod",    "rc",      "release", "rolling",  "snapshot",
    "stable", "staging", "test",    "testing", "tip",     "trunk",   "unstable", "production",
};

static bool is_moving_word(sb_slice word)
{
    for (size_t i = 0; i < SB_COUNT(moving_words); i++)
        if (sb_slice_eq_nocase(word, sb_slice_z(moving_words[i])))
            return true;
    return false;
}

static bool has_digit(sb_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] >= '0' && text.ptr[i] <= '9')
            return true;
    return false;
}

/* An abbreviated or full commit may happen to be all letters. */
static bool is_commit(sb_slice text)
{
    if (text.len < 7 || text.len > 64)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (!strchr("0123456789abcdef", text.ptr[i]))
            return false;
    return true;
}

/* "latest" anywhere in it ("1-latest", "latest_arm") promises to move. */
static bool mentions_latest(sb_slice tag)
{
    size_t start = 0;

    for (size_t i = 0; i <= tag.len; i++) {
        if (i < tag.len && !strchr("-_.", tag.ptr[i]))
            continue;
        if (sb_slice_eq_nocase(sb_slice_sub(tag, start, i), SB_LIT("latest")))
            return true;
        start = i + 1;
    }
    return false;
}

/* "stable-slim", "lts-alpine3.20"; but not "stable-20250113", "release-1.2", "dev-1f2e3d4": what follows the
 * word says which. */
static bool begins_moving(sb_slice tag)
{
    ptrdiff_t dash = sb_slice_chr(tag, '-');
    sb_slice rest;

    if (dash < 0 || !is_moving_word(sb_slice_sub(tag, 0, (size_t)dash)))
        return false;
    rest = sb_slice_sub(tag, (size_t)dash + 1, tag.len);
    if (rest.len > 1 && rest.ptr[0] == 'v')
        rest = sb_slice_sub(rest, 1, rest.len);
    return !(rest.len && rest.ptr[0] >= '0' && rest.ptr[0] <= '9') && !is_commit(rest);
}

bool sb_tag_moves(sb_slice tag)
{
    return is_moving_word(tag) || mentions_latest(tag) || begins_moving(tag);
}

bool sb_tag_has_version(sb_slice tag)
{
    return has_digit(tag) || is_commit(tag);
}
