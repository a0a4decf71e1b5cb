// SPDX-License-Identifier: Apache-2.0
/* Files that an image needs, and in which a time becomes the epoch. The length never changes. */
#include <builder/image.h>

enum { DAY = 86400, PYC_HEADER = 16 };

sb_patch sb_volatile_patch(const sb_canonical_options *options, sb_slice path)
{
    if (sb_slice_ends(path, SB_LIT(".pyc")) && sb_volatile_enabled(options, SB_VOLATILE_PYC))
        return SB_PATCH_PYC;
    if (sb_slice_eqz(path, "etc/shadow") && sb_volatile_enabled(options, SB_VOLATILE_SHADOW))
        return SB_PATCH_SHADOW;
    return SB_PATCH_NONE;
}

/* Python's magic number ends in CR LF; flags tell hashes instead of times. */
static bool is_stale_pyc(const unsigned char *header, size_t len, int64_t epoch)
{
    uint32_t flags = 0, mtime = 0;

    if (len < PYC_HEADER)
        return false;
    for (int i = 3; i >= 0; i--) {
        flags = flags << 8 | header[4 + i];
        mtime = mtime << 8 | header[8 + i];
    }
    return header[2] == '\r' && header[3] == '\n' && flags == 0 && (int64_t)mtime > epoch;
}

/* The new time lies in bytes 8 to 11. */
static void patch_pyc(uint64_t at, unsigned char *data, size_t len, int64_t epoch)
{
    for (unsigned i = 0; i < 4; i++)
        if (8 + i >= at && 8 + i - at < len)
            data[8 + i - at] = (unsigned char)((uint64_t)epoch >> (8 * i));
}

/* "name:password:DAY:…": days behind the epoch's, in as many digits. */
static size_t patch_shadow(unsigned char *data, size_t len, int64_t epoch, bool change)
{
    sb_slice rest = sb_slice_of((const char *)data, len);
    sb_autofree char *day = sb_asprintf("%lld", (long long)(epoch / DAY));
    size_t changed = 0;

    while (rest.ptr) {
        sb_slice line = sb_slice_cut(&rest, '\n');
        sb_slice field;
        uint64_t value;

        (void)sb_slice_cut(&line, ':');
        (void)sb_slice_cut(&line, ':');
        field = sb_slice_cut(&line, ':');
        if (!sb_slice_to_u64(field, &value) || value <= (uint64_t)(epoch / DAY) || field.len != strlen(day))
            continue;
        changed++;
        if (change)
            memcpy(data + (field.ptr - (const char *)data), day, field.len);
    }
    return changed;
}

bool sb_patch_is_needed(sb_patch patch, const unsigned char *data, size_t len, int64_t epoch)
{
    if (epoch < 0)
        return false;
    return patch == SB_PATCH_PYC ? is_stale_pyc(data, len, epoch)
                                 : patch_shadow((unsigned char *)(uintptr_t)data, len, epoch, false) > 0;
}

void sb_patch_apply(sb_patch patch, uint64_t at, unsigned char *data, size_t len, int64_t epoch)
{
    if (patch == SB_PATCH_PYC)
        patch_pyc(at, data, len, epoch);
    else if (patch == SB_PATCH_SHADOW)
        (void)patch_shadow(data, len, epoch, true);
}
