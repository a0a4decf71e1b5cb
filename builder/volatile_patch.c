// SPDX-License-Identifier: Apache-2.0
/* Files that an image needs, and in which a time becomes the epoch. The length never changes. */
#include <builder/image.h>

#include <sbuild/timefmt.h>

#include <stdio.h>
#include <time.h>

enum { DAY = 86400, PYC_HEADER = 16, HTTP_DATE = 29 };

sb_patch sb_volatile_patch(const sb_canonical_options *options, sb_slice path)
{
    if (sb_slice_ends(path, SB_LIT(".pyc")) && sb_volatile_enabled(options, SB_VOLATILE_PYC))
        return SB_PATCH_PYC;
    if (sb_slice_eqz(path, "etc/shadow") && sb_volatile_enabled(options, SB_VOLATILE_SHADOW))
        return SB_PATCH_SHADOW;
    if ((sb_path_matches(SB_LIT("**/node_modules/.modules.yaml"), path) ||
         sb_path_matches(SB_LIT("**/node_modules/.pnpm-workspace-state*.json"), path)) &&
        sb_volatile_enabled(options, SB_VOLATILE_PNPM))
        return SB_PATCH_PNPM;
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

/* "Wed, 25 Nov 2026 21:32:28 GMT" */
static void format_http(int64_t when, char ret_text[HTTP_DATE + 1])
{
    static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t seconds = (time_t)when;
    struct tm tm = {0};

    (void)gmtime_r(&seconds, &tm);
    (void)snprintf(ret_text, HTTP_DATE + 1, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT",
                   days + (ptrdiff_t)3 * (tm.tm_wday % 7), (unsigned)tm.tm_mday % 100,
                   months + (ptrdiff_t)3 * (tm.tm_mon % 12), (unsigned)(tm.tm_year + 1900) % 10000,
                   (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
}

/* What stands behind the key, or an absent slice: past quotes, blanks and a colon. */
static sb_slice value_of(sb_slice text, sb_slice key)
{
    ptrdiff_t at = sb_slice_find(text, key);
    sb_slice value = at < 0 ? SB_NIL : sb_slice_sub(text, (size_t)at + key.len, text.len);

    while (value.len && memchr("\"': ", value.ptr[0], 4))
        value = sb_slice_sub(value, 1, value.len);
    return value;
}

/* "prunedAt: Wed, 25 Nov 2026 21:32:28 GMT" and "lastValidatedTimestamp": 1795642347900 */
static size_t patch_pnpm(unsigned char *data, size_t len, int64_t epoch, bool change)
{
    sb_slice text = sb_slice_of((const char *)data, len), pruned = value_of(text, SB_LIT("prunedAt"));
    sb_slice looked = value_of(text, SB_LIT("lastValidatedTimestamp"));
    sb_autofree char *milliseconds = sb_asprintf("%lld000", (long long)epoch);
    char date[HTTP_DATE + 1];
    size_t digits = 0, changed = 0;
    uint64_t value;
    int64_t when;

    format_http(epoch, date);
    if (pruned.len >= HTTP_DATE && strlen(date) == HTTP_DATE &&
        sb_time_parse_http(sb_slice_sub(pruned, 0, HTTP_DATE), &when) && when > epoch) {
        changed++;
        if (change)
            memcpy(data + (pruned.ptr - text.ptr), date, HTTP_DATE);
    }
    while (digits < looked.len && looked.ptr[digits] >= '0' && looked.ptr[digits] <= '9')
        digits++;
    if (digits && sb_slice_to_u64(sb_slice_sub(looked, 0, digits), &value) &&
        value > (uint64_t)epoch * 1000 && digits == strlen(milliseconds)) {
        changed++;
        if (change)
            memcpy(data + (looked.ptr - text.ptr), milliseconds, digits);
    }
    return changed;
}

static size_t patch_whole(sb_patch patch, unsigned char *data, size_t len, int64_t epoch, bool change)
{
    return patch == SB_PATCH_SHADOW ? patch_shadow(data, len, epoch, change)
           : patch == SB_PATCH_PNPM ? patch_pnpm(data, len, epoch, change)
                                    : 0;
}

bool sb_patch_is_needed(sb_patch patch, const unsigned char *data, size_t len, int64_t epoch)
{
    if (epoch < 0)
        return false;
    return patch == SB_PATCH_PYC
               ? is_stale_pyc(data, len, epoch)
               : patch_whole(patch, (unsigned char *)(uintptr_t)data, len, epoch, false) > 0;
}

void sb_patch_apply(sb_patch patch, uint64_t at, unsigned char *data, size_t len, int64_t epoch)
{
    if (patch == SB_PATCH_PYC)
        patch_pyc(at, data, len, epoch);
    else
        (void)patch_whole(patch, data, len, epoch, true);
}
