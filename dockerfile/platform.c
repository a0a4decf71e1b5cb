// SPDX-License-Identifier: Apache-2.0
/* Platforms in containerd's notation and normal form. */
#include <sbuild/dockerfile.h>

/* What a lone operating system is completed with: the machine that sbuild was built for. */
#if defined(__aarch64__)
#define OWN_ARCH "arm64"
#elif defined(__arm__)
#define OWN_ARCH "arm"
#elif defined(__i386__)
#define OWN_ARCH "386"
#elif defined(__powerpc64__)
#define OWN_ARCH "ppc64le"
#elif defined(__s390x__)
#define OWN_ARCH "s390x"
#elif defined(__riscv)
#define OWN_ARCH "riscv64"
#else
#define OWN_ARCH "amd64"
#endif

enum { PLATFORM_MAX = 1024 };

static const char *const systems[] = {"aix",     "android", "darwin",  "dragonfly", "freebsd", "hurd",
                                      "illumos", "ios",     "js",      "linux",     "nacl",    "netbsd",
                                      "openbsd", "plan9",   "solaris", "windows",   "zos"};
static const char *const architectures[] = {
    "386",     "amd64",   "amd64p32", "arm",    "armbe",  "arm64",    "arm64be",   "ppc64",
    "ppc64le", "loong64", "mips",     "mipsle", "mips64", "mips64le", "mips64p32", "mips64p32le",
    "ppc",     "riscv",   "riscv64",  "s390",   "s390x",  "sparc",    "sparc64",   "wasm"};

static bool is_one_of(sb_slice s, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (sb_slice_eqz(s, words[i]))
            return true;
    return false;
}

static bool is_component(sb_slice s, const char *others)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];

        if (!(sb_ascii_is_alnum(c) || (c && strchr(others, c))))
            return false;
    }
    return s.len > 0;
}

static void normalise(sb_df_platform *p)
{
    static const struct {
        const char *arch, *variant, *arch_to, *variant_to; /* NULL: any, or unchanged */
    } rules[] = {
        {"i386", NULL, "386", ""},    {"x86_64", NULL, "amd64", NULL},  {"x86-64", NULL, "amd64", NULL},
        {"amd64", "v1", "amd64", ""}, {"aarch64", NULL, "arm64", NULL}, {"arm64", "8", "arm64", ""},
        {"arm64", "v8", "arm64", ""}, {"armhf", NULL, "arm", "v7"},     {"armel", NULL, "arm", "v6"},
        {"arm", "", "arm", "v7"},     {"arm", "7", "arm", "v7"},        {"arm", "5", "arm", "v5"},
        {"arm", "6", "arm", "v6"},    {"arm", "8", "arm", "v8"},
    };

    if (sb_slice_eqz(p->os, "macos"))
        p->os = SB_LIT("darwin");
    for (size_t i = 0; i < SB_COUNT(rules); i++) {
        if (!sb_slice_eqz(p->arch, rules[i].arch) ||
            (rules[i].variant && !sb_slice_eqz(p->variant, rules[i].variant)))
            continue;
        p->arch = sb_slice_z(rules[i].arch_to);
        if (rules[i].variant_to)
            p->variant = sb_slice_z(rules[i].variant_to);
    }
}

/* "windows(10.0.17763+feature)": the version and features say nothing about which image it is here. */
static bool cut_version(sb_slice *os)
{
    ptrdiff_t open = sb_slice_chr(*os, '(');
    sb_slice version;

    if (open < 0)
        return is_component(*os, "_-");
    version = sb_slice_sub(*os, (size_t)open + 1, os->len);
    os->len = (size_t)open;
    if (!version.len || version.ptr[version.len - 1] != ')')
        return false;
    version.len--;
    return is_component(*os, "_-") && (!version.len || is_component(version, "_.%-+"));
}

int sb_df_platform_parse(sb_arena *arena, sb_slice text, sb_df_platform *ret_platform, sb_error **err)
{
    sb_df_platform p = {.variant = SB_LIT("")};
    sb_autofree char *shown = sb_printable(text);
    sb_slice parts[3], rest = text;
    size_t count = 0;

    if (text.len > PLATFORM_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "a platform is longer than %d bytes", PLATFORM_MAX);
    if (sb_slice_chr(text, '*') >= 0)
        return sb_fail(err, SB_ERR_PARSE, "\"%s\": wildcards not yet supported: invalid argument", shown);
    while (rest.ptr && count < 3) {
        parts[count] = sb_slice_cut(&rest, '/');
        if (count ? !is_component(parts[count], "_.-") : !cut_version(&parts[0]))
            return sb_fail(err, SB_ERR_PARSE,
                           "\"%s\" is an invalid platform; write os/arch or os/arch/variant", shown);
        parts[count] = sb_arena_lower(arena, parts[count]);
        count++;
    }
    if (rest.ptr || !count)
        return sb_fail(err, SB_ERR_PARSE, "\"%s\": cannot parse platform specifier: invalid argument", shown);
    p.os = parts[0];
    p.arch = count > 1 ? parts[1] : SB_LIT(OWN_ARCH);
    if (count > 2)
        p.variant = parts[2];
    normalise(&p);
    if (count == 1 && !is_one_of(p.os, systems, SB_COUNT(systems))) {
        p.os = SB_LIT("linux");
        p.arch = parts[0];
        normalise(&p);
        if (!is_one_of(p.arch, architectures, SB_COUNT(architectures)))
            return sb_fail(err, SB_ERR_PARSE,
                           "\"%s\": unknown operating system or architecture: invalid argument", shown);
    }
    *ret_platform = p;
    return 0;
}

sb_slice sb_df_platform_format(sb_arena *arena, const sb_df_platform *platform)
{
    return sb_arena_printf(arena, "%" SB_FMT "/%" SB_FMT "%s%" SB_FMT, SB_ARG(platform->os),
                           SB_ARG(platform->arch), platform->variant.len ? "/" : "",
                           SB_ARG(platform->variant));
}
