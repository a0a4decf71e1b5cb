// SPDX-License-Identifier: Apache-2.0
/* Names for what was built: only ones that will mean the same image tomorrow. */
#include <sbuild/builder.h>

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

int sb_check_tag(const char *tag, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_autofree char *shown = sb_printable(sb_slice_z(tag));
    SB_AUTO(sb_error) why = NULL;
    sb_image_ref ref;

    if (sb_image_ref_parse(arena, sb_slice_z(tag), &ref, &why) < 0)
        return sb_fail(err, SB_ERR_USAGE, "--tag: %s", why->message);
    if (ref.digest.ptr)
        return sb_fail(err, SB_ERR_USAGE, "--tag %s names a digest; name a version, as in %s:1.2.3", shown,
                       "app");
    if (ref.tag_implied)
        return sb_fail(err, SB_ERR_USAGE,
                       "--tag %s has no version, so it would mean latest; write %s:1.2.3, or allow it with "
                       "--allow-moving-tag",
                       shown, shown);
    if (is_moving_word(ref.tag) || mentions_latest(ref.tag))
        return sb_fail(
            err, SB_ERR_USAGE,
            "--tag %s moves from image to image, so nobody can tell later which one it meant; name "
            "a version, or allow it with --allow-moving-tag",
            shown);
    if (!has_digit(ref.tag) && !is_commit(ref.tag))
        return sb_fail(err, SB_ERR_USAGE,
                       "--tag %s is no version: there is no number in it; name a version, or allow it with "
                       "--allow-moving-tag",
                       shown);
    return 0;
}
