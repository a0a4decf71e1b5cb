// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <lock/purl.h>

#include <string.h>

#define HEX60 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab"

typedef struct shape {
    const char *url;  /* behind "https://" */
    const char *purl; /* NULL: nothing is recognised */
} shape;

static void assert_shapes(const shape *shapes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        SB_AUTO(sb_arena) arena = sb_arena_new();
        sb_slice url = sb_arena_printf(arena, "https://%s", shapes[i].url), text = SB_LIT("nothing");
        sb_purl purl;

        if (sb_purl_of_url(arena, url, &purl))
            text = sb_purl_format(arena, &purl);
        if (!sb_slice_eqz(text, shapes[i].purl ? shapes[i].purl : "nothing"))
            fail_msg("%s is %.*s, not %s", shapes[i].url, (int)text.len, text.ptr,
                     shapes[i].purl ? shapes[i].purl : "nothing");
    }
}

static void test_system(void **state)
{
    static const shape shapes[] = {
        {"m.org/debian/pool/main/c/curl/curl_7.88.1-10+deb12u14_amd64.deb",
         "pkg:deb/debian/curl@7.88.1-10%2Bdeb12u14?arch=amd64"},
        {"m.org/ubuntu/pool/main/a/attr/libattr1_2.5.1-1build1_arm64.deb",
         "pkg:deb/ubuntu/libattr1@2.5.1-1build1?arch=arm64"},
        {"m.org/pool/main/v/vim/vim_2%3a9.0.1378-2_all.deb", "pkg:deb/debian/vim@2:9.0.1378-2?arch=all"},
        {"m.org/pool/g/g++/libstdc++6_12.2.0~rc1-14_amd64.deb",
         "pkg:deb/debian/libstdc%2B%2B6@12.2.0~rc1-14?arch=amd64"},
        {"m.org/linux/debian/dists/bookworm/pool/stable/amd64/"
         "docker-ce_24.0.7-1~debian.12~bookworm_amd64.deb",
         "pkg:deb/debian/docker-ce@24.0.7-1~debian.12~bookworm?arch=amd64"},
        {"m.org/tool-1.2.deb", NULL},
        {"m.org/dists/bookworm/InRelease", NULL},
        {"m.org/dists/bookworm/main/binary-amd64/by-hash/SHA256/" HEX60 "cdef", NULL},
        {"m.org/alpine/v3.20/main/x86_64/busybox-1.36.1-r29.apk",
         "pkg:apk/alpine/busybox@1.36.1-r29?arch=x86_64"},
        {"m.org/v3.20/community/aarch64/py3-zope-interface-6.1_rc1-r0.apk",
         "pkg:apk/alpine/py3-zope-interface@6.1_rc1-r0?arch=aarch64"},
        {"packages.wolfi.dev/os/x86_64/bash-5.2-r3.apk", "pkg:apk/wolfi/bash@5.2-r3?arch=x86_64"},
        {"m.org/android/app-release.apk", NULL},
        {"m.org/alpine/v3.20/main/x86_64/APKINDEX.tar.gz", NULL},
        {"m.org/fedora/linux/releases/40/Everything/x86_64/os/Packages/c/curl-8.6.0-7.fc40.x86_64.rpm",
         "pkg:rpm/fedora/curl@8.6.0-7.fc40?arch=x86_64"},
        {"m.org/rocky/9/BaseOS/x86_64/os/Packages/b/bash-5.1.8-9.el9.x86_64.rpm",
         "pkg:rpm/rocky/bash@5.1.8-9.el9?arch=x86_64"},
        {"m.org/repo/java-11-openjdk-headless-11.0.22.0.7-2.el9.noarch.rpm",
         "pkg:rpm/redhat/java-11-openjdk-headless@11.0.22.0.7-2.el9?arch=noarch"},
        {"m.org/x/tool.rpm", NULL},
        {"m.org/conda-forge/linux-64/numpy-1.26.4-py312heda63a1_0.conda",
         "pkg:conda/numpy@1.26.4?build=py312heda63a1_0&subdir=linux-64"},
    };

    (void)state;
    assert_shapes(shapes, SB_COUNT(shapes));
}

static void test_language(void **state)
{
    static const shape shapes[] = {
        {"r.org/left-pad/-/left-pad-1.3.0.tgz", "pkg:npm/left-pad@1.3.0"},
        {"r.org/npm/virtual/@babel/core/-/core-7.24.0.tgz", "pkg:npm/%40babel/core@7.24.0"},
        {"r.org/@babel%2fcore/-/core-7.24.0-rc.1.tgz", "pkg:npm/%40babel/core@7.24.0-rc.1"},
        {"r.org/@babel/core/-/@babel/core-7.24.0.tgz", "pkg:npm/%40babel/core@7.24.0"},
        {"r.org/is-number/-/is-number-7.0.0+x.tgz", "pkg:npm/is-number@7.0.0%2Bx"},
        {"r.org/left-pad/-/other-1.3.0.tgz", NULL},
        {"r.org/left-pad", NULL},
        {"r.org/-/npm/v1/security/advisories/bulk", NULL},
        {"f.org/packages/ab/cd/" HEX60 "/Flask_SQLAlchemy-3.1.1-py3-none-any.whl",
         "pkg:pypi/flask-sqlalchemy@3.1.1"},
        {"f.org/whl/torch-2.2.0%2Bcpu-cp311-cp311-linux_x86_64.whl", "pkg:pypi/torch@2.2.0%2Bcpu"},
        {"f.org/x/a-1.0-1-py3-none-any.whl", "pkg:pypi/a@1.0"},
        {"f.org/x/a-1.0-py3-none-any.whl.metadata", NULL},
        {"f.org/x/a-1.0.whl", NULL},
        {"f.org/packages/ab/cd/" HEX60 "/zope.interface-6.1.tar.gz", "pkg:pypi/zope-interface@6.1"},
        {"f.org/packages/source/r/requests/requests-2.31.0.tar.gz", "pkg:pypi/requests@2.31.0"},
        {"f.org/root/pypi/+f/0f2/c4e0/requests-2.31.0.tar.gz", "pkg:pypi/requests@2.31.0"},
        {"f.org/dist/hello-2.10.tar.gz", NULL},
        {"g.org/gems/rails-7.1.3.gem", "pkg:gem/rails@7.1.3"},
        {"g.org/gems/nokogiri-1.16.2-x86_64-linux.gem", "pkg:gem/nokogiri@1.16.2?platform=x86_64-linux"},
        {"g.org/gems/ffi-1.16.3-arm64-darwin-22.gem", "pkg:gem/ffi@1.16.3?platform=arm64-darwin-22"},
        {"g.org/downloads/net-http-persistent-4.0.2.gem", "pkg:gem/net-http-persistent@4.0.2"},
        {"g.org/gems/tool-3.gem", "pkg:gem/tool@3"},
        {"g.org/gems/nothing.gem", NULL},
        {"g.org/quick/Marshal.4.8/rails-7.1.3.gemspec.rz", NULL},
        {"p.org/github.com/!burnt!sushi/toml/@v/v1.3.2.zip", "pkg:golang/github.com/burntsushi/toml@v1.3.2"},
        {"p.org/prefix/golang.org/x/net/@v/v0.20.0.zip", "pkg:golang/golang.org/x/net@v0.20.0"},
        {"p.org/gopkg.in/yaml.v3/@v/v3.0.1.zip", "pkg:golang/gopkg.in/yaml.v3@v3.0.1"},
        {"p.org/github.com/docker/docker/@v/v24.0.7+incompatible.zip",
         "pkg:golang/github.com/docker/docker@v24.0.7%2Bincompatible"},
        {"p.org/golang.org/x/net/@v/v0.20.0.mod", "pkg:golang/golang.org/x/net@v0.20.0#go.mod"},
        {"p.org/golang.org/x/net/@v/list", NULL},
        {"c.org/crates/serde/1.0.196/download", "pkg:cargo/serde@1.0.196"},
        {"c.org/api/v1/crates/tokio/1.36.0/download", "pkg:cargo/tokio@1.36.0"},
        {"c.org/crates/serde_json/serde_json-1.0.113.crate", "pkg:cargo/serde_json@1.0.113"},
        {"c.org/crates/a/a-1.0.0+b.crate", "pkg:cargo/a@1.0.0%2Bb"},
        {"c.org/se/rd/serde", NULL},
        {"c.org/files/latest/download", NULL},
        {"m.org/maven2/org/apache/commons/commons-lang3/3.14.0/commons-lang3-3.14.0.jar",
         "pkg:maven/org.apache.commons/commons-lang3@3.14.0"},
        {"m.org/maven2/junit/junit/4.13.2/junit-4.13.2.jar", "pkg:maven/junit/junit@4.13.2"},
        {"m.org/repository/maven-public/com/x/y/1.0/y-1.0-sources.jar",
         "pkg:maven/com.x/y@1.0?classifier=sources"},
        {"m.org/maven2/io/x/y/1.0/y-1.0-linux-x86_64.exe",
         "pkg:maven/io.x/y@1.0?classifier=linux-x86_64&type=exe"},
        {"m.org/maven2/org/x/y/1.0/y-1.0.pom", NULL},
        {"m.org/maven2/org/x/y/1.0/y-1.0.jar.sha1", NULL},
        {"m.org/maven2/org/x/y/1.0/z-1.0.jar", NULL},
        {"c.org/dists/symfony/console/6.4.3.0/2aaf83b4.zip", "pkg:composer/symfony/console@6.4.3.0"},
        {"n.org/v3-flatcontainer/newtonsoft.json/13.0.3/newtonsoft.json.13.0.3.nupkg",
         "pkg:nuget/newtonsoft.json@13.0.3"},
        {"n.org/api/v2/package/NUnit/4.0.1", "pkg:nuget/NUnit@4.0.1"},
        {"n.org/v3-flatcontainer/newtonsoft.json/index.json", NULL},
        {"h.org/tarballs/plug_cowboy-2.7.0.tar", "pkg:hex/plug_cowboy@2.7.0"},
    };

    (void)state;
    assert_shapes(shapes, SB_COUNT(shapes));
}

static void test_source(void **state)
{
    static const shape shapes[] = {
        {"github.com/Owner/Tool/releases/download/v1.2/tool-linux.tgz",
         "pkg:github/owner/tool@v1.2?file_name=tool-linux.tgz"},
        {"forge.example.org/o/t/releases/download/v1.2/t.tgz", "pkg:generic/o/t@v1.2?file_name=t.tgz"},
        {"github.com/o/t/archive/refs/tags/v1.2.tar.gz", "pkg:github/o/t@v1.2"},
        {"github.com/o/t/archive/v1.2.zip", "pkg:github/o/t@v1.2"},
        {"github.com/o/t/archive/refs/heads/feature/x.tar.gz", "pkg:github/o/t@feature%2Fx"},
        {"codeload.github.com/o/t/tar.gz/refs/tags/v1.2", "pkg:github/o/t@v1.2"},
        {"codeload.github.com/o/t/legacy.zip/0123abc", "pkg:github/o/t@0123abc"},
        {"api.github.com/repos/o/t/zipball/0123abc", "pkg:github/o/t@0123abc"},
        {"raw.githubusercontent.com/o/t/main/sh/install.sh", "pkg:github/o/t@main#sh/install.sh"},
        {"raw.githubusercontent.com/o/t/refs/heads/main/a.sh", "pkg:github/o/t@main#a.sh"},
        {"github.com/o/t/raw/v1/a.sh", "pkg:github/o/t@v1#a.sh"},
        {"gitlab.com/g/sub/t/-/archive/v2/t-v2.tar.gz", "pkg:gitlab/g/sub/t@v2"},
        {"github.com/o/t.git/git-upload-pack", "pkg:github/o/t"},
        {"git.example.org/deep/t.git/git-upload-pack",
         "pkg:generic/deep/t?vcs_url=git%2Bhttps://git.example.org/deep/t.git"},
        {"github.com/o/t.git/info/refs?service=git-upload-pack", NULL},
        {"hub.example.org/org/model/resolve/ABC/w/a.bin", "pkg:huggingface/org/model@abc#w/a.bin"},
        {"example.org/install.sh", NULL},
        {"example.org", NULL},
        {"example.org/", NULL},
        {"example.org/a/../b/-/b-1.0.tgz", NULL},
    };

    (void)state;
    assert_shapes(shapes, SB_COUNT(shapes));
}

static void assert_parts(const char *text, const char *kind, const char *name, const char *version)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_slice k, n, v;

    sb_purl_parts(arena, sb_slice_z(text), &k, &n, &v);
    if (!sb_slice_eqz(k, kind) || !sb_slice_eqz(n, name) || !sb_slice_eqz(v, version))
        fail_msg("%s: %.*s, %.*s, %.*s", text, (int)k.len, k.ptr, (int)n.len, n.ptr, (int)v.len, v.ptr);
}

static void test_parts(void **state)
{
    (void)state;
    assert_parts("pkg:deb/debian/curl@7.88.1-10%2Bdeb12u14?arch=amd64", "deb/debian/curl?arch=amd64", "curl",
                 "7.88.1-10+deb12u14");
    assert_parts("pkg:npm/%40babel/core@7.24.0", "npm/%40babel/core", "@babel/core", "7.24.0");
    assert_parts("pkg:golang/golang.org/x/net@v0.20.0", "golang/golang.org/x/net", "golang.org/x/net",
                 "v0.20.0");
    assert_parts("pkg:github/o/t", "github/o/t", "o/t", "");
    assert_parts("pkg:github/o/t@v1#a/b@c", "github/o/t#a/b@c", "o/t", "v1");
    assert_parts("curl", "", "", "");
    assert_parts("pkg:", "", "", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_system),
        cmocka_unit_test(test_language),
        cmocka_unit_test(test_source),
        cmocka_unit_test(test_parts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
