// SPDX-License-Identifier: Apache-2.0
/* Packages of distributions: their file names say it all. */
#include <lock/purl.h>

static bool mentions(const sb_purl_url *url, const char *word)
{
    return sb_slice_find(url->url, sb_slice_z(word)) >= 0;
}

/* NAME_VERSION_ARCH.deb; a ":" in the version is "%3a" in the path. */
static bool deb(const sb_purl_url *url, sb_purl *ret_purl)
{
    sb_slice arch = sb_purl_stem(url->file, ".deb"), name, version;

    if (!arch.ptr)
        return false;
    name = sb_slice_cut(&arch, '_');
    version = arch.ptr ? sb_slice_cut(&arch, '_') : SB_NIL;
    if (!sb_purl_is_word(name, "+.-") || !sb_purl_is_word(version, "+.-~:") || !arch.ptr ||
        !sb_purl_is_word(arch, "-"))
        return false;
    *ret_purl = (sb_purl){.type = "deb", .name = name, .version = version};
    ret_purl->space = mentions(url, "ubuntu") ? SB_LIT("ubuntu") : SB_LIT("debian");
    sb_purl_qualify(ret_purl, "arch", arch);
    return true;
}

static bool is_apk_arch(sb_slice text)
{
    static const char *const arches[] = {"x86_64",  "x86",   "aarch64", "armhf",       "armv7",  "noarch",
                                         "ppc64le", "s390x", "riscv64", "loongarch64", "mips64", "all"};

    for (size_t i = 0; i < SB_COUNT(arches); i++)
        if (sb_slice_eqz(text, arches[i]))
            return true;
    return false;
}

/* ARCH/NAME-VERSION-rREVISION.apk */
static bool apk(const sb_purl_url *url, sb_purl *ret_purl)
{
    sb_slice stem = sb_purl_stem(url->file, ".apk"), before, arch = sb_purl_segment(url, 1);
    ptrdiff_t dash = sb_slice_rchr(stem, '-'), version;
    uint64_t revision;

    if (!stem.ptr || dash < 1 || (size_t)dash + 2 >= stem.len || stem.ptr[dash + 1] != 'r' ||
        !sb_slice_to_u64(sb_slice_sub(stem, (size_t)dash + 2, stem.len), &revision))
        return false;
    before = sb_slice_sub(stem, 0, (size_t)dash);
    version = sb_slice_rchr(before, '-');
    if (version < 1 || (size_t)version + 1 >= before.len || !sb_ascii_is_digit(before.ptr[version + 1]))
        return false;
    *ret_purl = (sb_purl){.type = "apk",
                          .space = mentions(url, "wolfi") ? SB_LIT("wolfi") : SB_LIT("alpine"),
                          .name = sb_slice_sub(before, 0, (size_t)version),
                          .version = sb_slice_sub(stem, (size_t)version + 1, stem.len)};
    if (is_apk_arch(arch))
        sb_purl_qualify(ret_purl, "arch", arch);
    return sb_purl_is_word(ret_purl->name, "+._-") && sb_purl_is_word(ret_purl->version, "+._-~");
}

static sb_slice rpm_space(const sb_purl_url *url, sb_slice release)
{
    static const struct {
        const char *release, *path, *space;
    } known[] = {
        {".fc", NULL, "fedora"},     {".amzn", NULL, "amazon"},      {NULL, "rocky", "rocky"},
        {NULL, "alma", "almalinux"}, {NULL, "centos", "centos"},     {NULL, "oracle", "oracle"},
        {NULL, "fedora", "fedora"},  {NULL, "opensuse", "opensuse"}, {".el", NULL, "redhat"},
    };

    for (size_t i = 0; i < SB_COUNT(known); i++)
        if (known[i].release ? sb_slice_find(release, sb_slice_z(known[i].release)) >= 0
                             : mentions(url, known[i].path))
            return sb_slice_z(known[i].space);
    return SB_NIL;
}

/* NAME-VERSION-RELEASE.ARCH.rpm */
static bool rpm(const sb_purl_url *url, sb_purl *ret_purl)
{
    sb_slice stem = sb_purl_stem(url->file, ".rpm"), arch, name, release;
    ptrdiff_t dot = sb_slice_rchr(stem, '.'), dash;

    if (!stem.ptr || dot < 1)
        return false;
    arch = sb_slice_sub(stem, (size_t)dot + 1, stem.len);
    stem.len = (size_t)dot;
    dash = sb_slice_rchr(stem, '-');
    if (dash < 1)
        return false;
    release = sb_slice_sub(stem, (size_t)dash + 1, stem.len);
    name = sb_slice_sub(stem, 0, (size_t)dash);
    dash = sb_slice_rchr(name, '-');
    if (dash < 1)
        return false;
    *ret_purl = (sb_purl){.type = "rpm",
                          .space = rpm_space(url, release),
                          .name = sb_slice_sub(name, 0, (size_t)dash),
                          .version = sb_slice_sub(stem, (size_t)dash + 1, stem.len)};
    sb_purl_qualify(ret_purl, "arch", arch);
    return sb_purl_is_word(ret_purl->name, "+._-") && sb_purl_is_word(ret_purl->version, "+._-~^") &&
           sb_purl_is_word(arch, "_");
}

/* CHANNEL/SUBDIR/NAME-VERSION-BUILD.conda */
static bool conda(const sb_purl_url *url, sb_purl *ret_purl)
{
    static const char *const subdirs[] = {"noarch", "linux-64", "linux-aarch64", "linux-ppc64le",
                                          "linux-s390x"};
    sb_slice stem = sb_purl_stem(url->file, ".conda"), subdir = sb_purl_segment(url, 1), name;
    ptrdiff_t build, version;
    bool known = false;

    if (!stem.ptr)
        stem = sb_purl_stem(url->file, ".tar.bz2");
    for (size_t i = 0; i < SB_COUNT(subdirs) && !known; i++)
        known = sb_slice_eqz(subdir, subdirs[i]);
    build = sb_slice_rchr(stem, '-');
    if (!stem.ptr || !known || build < 1)
        return false;
    name = sb_slice_sub(stem, 0, (size_t)build);
    version = sb_slice_rchr(name, '-');
    if (version < 1)
        return false;
    *ret_purl = (sb_purl){.type = "conda",
                          .name = sb_slice_sub(name, 0, (size_t)version),
                          .version = sb_slice_sub(name, (size_t)version + 1, name.len)};
    sb_purl_qualify(ret_purl, "build", sb_slice_sub(stem, (size_t)build + 1, stem.len));
    sb_purl_qualify(ret_purl, "subdir", subdir);
    return true;
}

const sb_purl_recogniser sb_purl_system[] = {deb, apk, rpm, conda, NULL};
