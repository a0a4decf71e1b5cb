#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes images for the tests of "sbuild scan".

  scan_images.py layout DIR SECRET    an OCI layout: SECRET (a file) deleted, replaced, hidden, within archives
  scan_images.py old SECRET           the same as docker save wrote it of old, on standard output
  scan_images.py links SECRET         an old archive in which the second layer is a link to the first
  scan_images.py sparse SECRET        two layers with a sparse file of 5 GB, as GNU tar has them, old and new
  scan_images.py emptied DIR SECRET   files that a second layer empties, replaces, or deletes
  scan_images.py attested DIR SECRET  sixty attestations of 7 MB
  scan_images.py types DIR SECRET     a layer, one that is encrypted, and one that is not there
  scan_images.py base DIR SECRET      the first layer of it alone
  scan_images.py index DIR SECRET     two platforms; annotations and an attestation with the secret
  scan_images.py huge SECRET GB gzip|plain
                                      a docker-archive with a file of GB gigabytes, the secret at its end
  scan_images.py hostile DIR SECRET   names that lead out, links in circles, archives that are damaged, or unpack
                                      to far more than they are
"""
import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile

MB = 1 << 20
OCI = "application/vnd.oci.image."


def noise(size):
    """Bytes that do not compress, the same each time."""
    return b"".join(hashlib.sha256(b"%d" % i).digest() for i in range(size // 32 + 1))[:size]


def tar(*entries):
    """(name, content[, mode]): None is a directory, ("link", target) a symbolic link."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as t:
        for name, content, *mode in entries:
            info = tarfile.TarInfo(name)
            info.mode = mode[0] if mode else 0o644
            data = b""
            if content is None:
                info.type = tarfile.DIRTYPE
                info.mode = mode[0] if mode else 0o755
            elif isinstance(content, tuple):
                info.type, info.linkname = tarfile.SYMTYPE, content[1]
            else:
                data = content.encode() if isinstance(content, str) else content
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zipped(*entries):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, content in entries:
            z.writestr(name, content)
    return out.getvalue()


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def layers(secret):
    deep = gzip.compress(tar(("deep/config.properties", secret)))
    return [
        tar(("app/", None), ("app/settings", secret), ("app/gone", secret), ("app/dir/hidden", secret), ("app/kept", secret),
            ("usr/bin/tool", "x", 0o4755), ("usr/bin/su", "x", 0o4755), ("usr/bin/other", "x", 0o4755),
            ("data", None, 0o777), ("tmp", None, 0o1777), ("etc/shadow", "root:*:1:\napp::1:\n"),
            ("etc/machine-id", "0123456789abcdef0123456789abcdef\n"), ("etc/passwd", "root:x:0:0::/:/bin/sh\n", 0o664),
            ("src/.git/HEAD", "ref: refs/heads/main\n"), ("etc/ssh/ssh_host_rsa_key", "x"),
            ("var/cache/apt/archives/x.deb", noise(2 * MB))),
        tar(("app/.wh.gone", ""), ("app/dir/.wh..wh..opq", ""), ("app/settings", "x=1"), ("usr/bin/tool", "x", 0o755)),
        tar(("srv/a.tar", tar(("b.zip", zipped(("c.tar.gz", deep))))), ("root/.bash_history", "ls\n")),
    ]


def config(blobs, secret):
    return json.dumps({
        "architecture": "amd64", "os": "linux",
        "config": {"Env": ["PATH=/bin", "ONE=" + secret], "Labels": {"two": secret}, "Cmd": ["app", "--key", secret],
                   "Entrypoint": ["run", secret], "Healthcheck": {"Test": ["CMD", "check", secret]}, "OnBuild": ["ENV X=" + secret]},
        "rootfs": {"type": "layers", "diff_ids": [sha256(b) for b in blobs]},
        "history": [{"created_by": "COPY first"}, {"created_by": "RUN |1 ARG=%s /bin/sh -c true" % secret, "empty_layer": True},
                    {"created_by": "RUN rm second"}, {"created_by": "COPY third"}][:4 if len(blobs) == 3 else 1],
    }).encode()


class Layout:
    def __init__(self, path):
        self.path = path
        os.makedirs(path + "/blobs/sha256")
        with open(path + "/oci-layout", "w", encoding="ascii") as f:
            f.write('{"imageLayoutVersion":"1.0.0"}')

    def put(self, data, kind, **more):
        with open(self.path + "/blobs/" + sha256(data).replace(":", "/"), "wb") as f:
            f.write(data)
        return {"mediaType": kind if "/" in kind else OCI + kind, "digest": sha256(data), "size": len(data), **more}

    def image(self, blobs, conf, annotations=None, **more):
        return self.put(json.dumps({
            "schemaVersion": 2, "mediaType": OCI + "manifest.v1+json", "config": self.put(conf, "config.v1+json"),
            "layers": [self.put(gzip.compress(b), "layer.v1.tar+gzip") for b in blobs],
            "annotations": annotations or {}}).encode(), "manifest.v1+json", **more)

    def finish(self, *manifests):
        with open(self.path + "/index.json", "w", encoding="ascii") as f:
            json.dump({"schemaVersion": 2, "manifests": manifests}, f)


def make_layout(path, secret):
    blobs = layers(secret)
    layout = Layout(path)
    layout.finish(layout.image(blobs, config(blobs, secret)))


def make_base(path, secret):
    blobs = layers(secret)[:1]
    layout = Layout(path)
    layout.finish(layout.image(blobs, config(blobs, "nothing")))


def make_emptied(path, secret):
    blobs = [tar(("app/.env", "A=b\n"), ("app/.git/HEAD", "ref: refs/heads/main\n"), ("root/.netrc", "x\n"), ("id_rsa", "x\n"), ("k/id_rsa", "x\n")),
             tar(("app/.env", ""), ("app/.git/", None), ("app/.git/index", "x"), ("root/.netrc", "x\n"), (".wh.id_rsa", ""), ("k/id_rsa/", None))]
    layout = Layout(path)
    layout.finish(layout.image(blobs, config(blobs, "nothing")))


def make_attested(path, secret):
    layout = Layout(path)
    blobs = [tar(("key", secret))]
    image = layout.image(blobs, config(blobs, "nothing"), platform={"os": "linux", "architecture": "amd64"})
    statement = layout.put(json.dumps({"predicate": ["a"] * 1500000}).encode(), "application/vnd.in-toto+json")
    layout.finish(image, layout.put(json.dumps({
        "schemaVersion": 2, "mediaType": OCI + "manifest.v1+json", "config": layout.put(b"{}", "config.v1+json"), "layers": [statement] * 60}).encode(),
        "manifest.v1+json", platform={"os": "unknown", "architecture": "unknown"},
        annotations={"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": image["digest"]}))


def make_types(path, secret):
    layout = Layout(path)
    blobs = [tar(("key", secret)), noise(2000)]
    kinds = ["layer.v1.tar", "layer.v1.tar+gzip+encrypted"]
    listed = [layout.put(b, k) for b, k in zip(blobs, kinds)]
    listed.append({"mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "digest": sha256(b"elsewhere"), "size": 9})
    blobs.append(b"")
    layout.finish(layout.put(json.dumps({"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json",
                                         "config": layout.put(config(blobs, "nothing"), "config.v1+json"), "layers": listed}).encode(), "manifest.v1+json"))


def make_index(path, secret):
    layout = Layout(path)
    blob = tar(("file", "text"))
    platforms = []
    for arch in ("amd64", "arm64"):
        conf = json.loads(config([blob], secret if arch == "arm64" else "nothing"))
        conf["architecture"] = arch
        platforms.append(layout.image([blob], json.dumps(conf).encode(), {"ci": secret},
                                      platform={"os": "linux", "architecture": arch}))
    statement = json.dumps({"predicate": {"buildDefinition": {"externalParameters": {
        "request": {"args": {"build-arg:TOKEN": secret}}}}}}).encode()
    attestation = layout.put(json.dumps({
        "schemaVersion": 2, "mediaType": OCI + "manifest.v1+json", "config": layout.put(b"{}", "config.v1+json"),
        "layers": [layout.put(statement, "application/vnd.in-toto+json")]}).encode(), "manifest.v1+json",
        platform={"os": "unknown", "architecture": "unknown"},
        annotations={"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": platforms[0]["digest"]})
    layout.finish(layout.put(json.dumps({"schemaVersion": 2, "mediaType": OCI + "index.v1+json",
                                         "manifests": platforms + [attestation]}).encode(), "index.v1+json"))


def header(name, size):
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.PAX_FORMAT if size >= 8 << 30 else tarfile.USTAR_FORMAT)


def write_archive(out, conf, blobs, links=()):
    """Each blob a list of pieces. Layers come first, manifest.json last, as a pipe has to cope with."""
    names = []

    def put(name, pieces):
        size = sum(map(len, pieces))
        out.write(header(name, size))
        for piece in pieces:
            out.write(piece)
        out.write(b"\0" * (-size % 512))

    for i, pieces in enumerate(blobs):
        names.append("%064d/layer.tar" % i)
        put(names[-1], pieces)
    for i, target in links:
        info = tarfile.TarInfo("%064d/layer.tar" % i)
        info.type, info.linkname = tarfile.SYMTYPE, "../%064d/layer.tar" % target
        out.write(info.tobuf())
        names.insert(i, info.name)
    put("config.json", [conf])
    put("manifest.json", [json.dumps([{"Config": "config.json", "RepoTags": ["app:1"], "Layers": names}]).encode()])
    out.write(b"\0" * 1024)


def make_old(secret):
    blobs = layers(secret)
    write_archive(sys.stdout.buffer, config(blobs, secret), [[b] for b in blobs])


def make_links(secret):
    blob = tar(("file", secret))
    write_archive(sys.stdout.buffer, config([blob, blob], "nothing"), [[blob]], [(1, 0)])


def make_sparse(secret):
    blobs = []
    with tempfile.TemporaryDirectory() as where:
        with open(where + "/big", "wb") as f:
            f.truncate(5 << 30)
            f.seek(0, os.SEEK_END)
            f.write(secret.encode())
        for form in ("gnu", "posix"):
            blobs.append(subprocess.run(["tar", "--format=" + form, "-S", "-C", where, "-cf", "-", "big"],
                                        check=True, stdout=subprocess.PIPE).stdout)
    write_archive(sys.stdout.buffer, config(blobs, "nothing"), [[b] for b in blobs])


def make_huge(secret, gigabytes, form):
    size = (gigabytes << 30) + MB
    tail = ("\n" + secret + "\n").encode()
    tail += b"\0" * (MB - len(tail))
    if form == "gzip":
        piece = gzip.compress(b"\0" * (64 * MB))
        blob = [gzip.compress(header("data/big", size))] + [piece] * (gigabytes * 16)
        blob += [gzip.compress(tail), gzip.compress(b"\0" * 1024)]
    else:
        blob = [header("data/big", size)] + [b"\0" * (4 * MB)] * (gigabytes * 256) + [tail, b"\0" * 1024]
    write_archive(sys.stdout.buffer, config([], "nothing"), [blob])


def make_hostile(path, secret):
    zeros = gzip.compress(b"\0" * (32 * MB))
    bomb = gzip.compress(gzip.compress(zeros * 64))
    deep = secret.encode()
    for _ in range(12):
        deep = tar(("t", deep))
    packed = secret.encode()
    for _ in range(12):
        packed = gzip.compress(packed)
    damaged = bytearray(zipped(("a", noise(5000)), ("b", secret)))
    damaged[100:400] = b"\xff" * 300
    cut = gzip.compress(tar(("x", noise(100000)), ("y", secret)))[:50000]
    blob = tar(("../../etc/escape", secret), ("a", ("link", "b")), ("b", ("link", "a")), ("c", ("link", "c")),
               ("new\nline\x1b[31m", secret), ("bomb.gz", bomb), ("deep.tar", deep), ("packed.gz", packed),
               ("damaged.zip", bytes(damaged)), ("cut.tgz", cut), ("d/" * 60 + "deep", secret), ("last", secret))
    layout = Layout(path)
    layout.finish(layout.image([blob], config([blob], "nothing")))


def main(argv):
    kinds = {"layout": make_layout, "old": make_old, "links": make_links, "sparse": make_sparse, "base": make_base, "index": make_index, "emptied": make_emptied, "types": make_types, "attested": make_attested, "huge": make_huge, "hostile": make_hostile}
    kind, args = argv[0], list(argv[1:])
    place = 0 if kind in ("old", "links", "sparse", "huge") else 1
    with open(args[place], encoding="utf-8") as f:
        args[place] = f.read().strip()
    if kind == "huge":
        args[1] = int(args[1])
    kinds[kind](*args)


if __name__ == "__main__":
    main(sys.argv[1:])
