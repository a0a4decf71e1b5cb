#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes container images, byte for byte the same each time, from a catalogue
in JSON, and pushes them to a registry or writes them as OCI layouts.

  oci_image.py push   [options] --registry http://127.0.0.1:5000 CATALOG
  oci_image.py layout [options] --out DIR CATALOG      one layout per repository
  oci_image.py digest [options] CATALOG                prints "name:tag digest" lines

CATALOG is a file, "-" for stdin. It holds a list of images:

  name         repository, for instance "library/debian"
  tags         all of them name the same digest
  format       "oci" (default) or "docker": which media types
  platforms    ["linux/amd64", "linux/arm64/v8"]; the layers given by name go
               into linux/amd64 alone, other platforms get a made-up layer
  index        false: a bare manifest of the one platform, no index
  nested       true: the index holds an index that holds the manifests
  attestation  true: adds an unknown/unknown attestation manifest to the index
  annotations  of each descriptor inside the index
  layers       ["debian", {"files": {"/path": "text" | {"text", "mode", "link"}}}];
               a name stands for the file that --layer NAME=FILE.tar.gz gives;
               "name@linux/arm64/v8" is of that platform alone
  config       Env, Cmd, User, OnBuild, WorkingDir, Labels ...
  created      RFC 3339; the time of everything in the image
"""
import argparse
import base64
import datetime
import gzip
import hashlib
import io
import json
import os
import re
import ssl
import sys
import tarfile
import urllib.error
import urllib.parse
import urllib.request

TYPES = {
    "oci": {
        "index": "application/vnd.oci.image.index.v1+json",
        "manifest": "application/vnd.oci.image.manifest.v1+json",
        "config": "application/vnd.oci.image.config.v1+json",
        "layer": "application/vnd.oci.image.layer.v1.tar+gzip",
    },
    "docker": {
        "index": "application/vnd.docker.distribution.manifest.list.v2+json",
        "manifest": "application/vnd.docker.distribution.manifest.v2+json",
        "config": "application/vnd.docker.container.image.v1+json",
        "layer": "application/vnd.docker.image.rootfs.diff.tar.gzip",
    },
}


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def encode(obj):
    return json.dumps(obj, indent=2, sort_keys=True).encode()


class Layer:
    """A compressed layer: bytes in memory or a file, and what a config says of it."""

    def __init__(self, data=None, path=None):
        self.data, self.path = data, path
        packed, plain, self.size = hashlib.sha256(), hashlib.sha256(), 0
        with self.open() as f:
            while chunk := f.read(1 << 20):
                packed.update(chunk)
                self.size += len(chunk)
        with self.open() as f, gzip.GzipFile(fileobj=f) as g:
            while chunk := g.read(1 << 20):
                plain.update(chunk)
        self.digest = "sha256:" + packed.hexdigest()
        self.diff_id = "sha256:" + plain.hexdigest()

    def open(self):
        return io.BytesIO(self.data) if self.data is not None else open(self.path, "rb")


def files_layer(files, epoch):
    tar_bytes = io.BytesIO()
    with tarfile.open(fileobj=tar_bytes, mode="w", format=tarfile.GNU_FORMAT) as tar:
        seen = set()
        for path in sorted(files):
            spec = files[path]
            if isinstance(spec, str):
                spec = {"text": spec}
            name = path.lstrip("/")
            parents = name.split("/")[:-1]
            for i in range(len(parents)):
                parent = "/".join(parents[: i + 1])
                if parent not in seen:
                    seen.add(parent)
                    info = tarfile.TarInfo(parent)
                    info.type, info.mode, info.mtime = tarfile.DIRTYPE, 0o755, epoch
                    tar.addfile(info)
            info = tarfile.TarInfo(name)
            info.mtime = epoch
            if "link" in spec:
                info.type, info.linkname, info.mode = tarfile.SYMTYPE, spec["link"], 0o777
                tar.addfile(info)
            else:
                body = spec.get("text", "").encode()
                info.mode, info.size = int(spec.get("mode", "0644"), 8), len(body)
                tar.addfile(info, io.BytesIO(body))
    return Layer(data=gzip.compress(tar_bytes.getvalue(), 9, mtime=0))


class Image:
    """What one catalogue entry stands for: blobs, manifests and the top of them."""

    def __init__(self, entry, named_layers):
        self.name, self.tags = entry["name"], entry["tags"]
        self.types = TYPES[entry.get("format", "oci")]
        self.created = entry.get("created", "2024-03-12T00:00:00Z")
        self.epoch = int(datetime.datetime.fromisoformat(self.created.replace("Z", "+00:00")).timestamp())
        self.layers, self.configs, self.manifests = {}, {}, []
        platforms = entry.get("platforms", ["linux/amd64"])
        below = []
        for platform in platforms:
            below.append(self.descriptor_of(entry, platform, named_layers))
        if not entry.get("index", True):
            self.top = self.manifests[-1]
            return
        if entry.get("attestation"):
            below.append(self.attestation(below[0]))
        if entry.get("nested"):
            below = [self.add_manifest({"schemaVersion": 2, "mediaType": self.types["index"],
                                        "manifests": below}, self.types["index"])]
        self.add_manifest({"schemaVersion": 2, "mediaType": self.types["index"], "manifests": below},
                          self.types["index"])
        self.top = self.manifests[-1]

    def add_manifest(self, obj, media_type):
        raw = encode(obj)
        self.manifests.append((sha256(raw), media_type, raw))
        return {"mediaType": media_type, "digest": sha256(raw), "size": len(raw)}

    def add_config(self, raw):
        self.configs[sha256(raw)] = raw
        return {"mediaType": self.types["config"], "digest": sha256(raw), "size": len(raw)}

    def add_image(self, config, layers):
        for layer in layers:
            self.layers[layer.digest] = layer
        return self.add_manifest({
            "schemaVersion": 2,
            "mediaType": self.types["manifest"],
            "config": self.add_config(encode(config)),
            "layers": [{"mediaType": self.types["layer"], "digest": x.digest, "size": x.size} for x in layers],
        }, self.types["manifest"])

    def descriptor_of(self, entry, platform, named_layers):
        parts = platform.split("/")
        keys = dict(zip(("os", "architecture", "variant"), parts))
        layers = []
        for spec in entry.get("layers", []):
            if isinstance(spec, dict):
                layers.append(files_layer(spec["files"], self.epoch))
            elif "@" in spec:
                name, where = spec.split("@")
                if where == platform:
                    layers.append(named_layers(name))
            elif platform == "linux/amd64":
                layers.append(named_layers(spec))
            else:
                layers.append(files_layer({"/etc/platform": f"{spec} for {platform}\n"}, self.epoch))
        config = dict(keys, created=self.created, config=entry.get("config", {}),
                      rootfs={"type": "layers", "diff_ids": [x.diff_id for x in layers]},
                      history=[{"created": self.created, "created_by": f"layer {i}"} for i in range(len(layers))])
        descriptor = self.add_image(config, layers)
        descriptor["platform"] = keys
        if entry.get("annotations"):
            descriptor["annotations"] = entry["annotations"]
        return descriptor

    def attestation(self, subject):
        layer = files_layer({"/provenance.json": "{}"}, self.epoch)
        config = {"os": "unknown", "architecture": "unknown", "config": {},
                  "rootfs": {"type": "layers", "diff_ids": [layer.diff_id]}}
        descriptor = self.add_image(config, [layer])
        descriptor["platform"] = {"os": "unknown", "architecture": "unknown"}
        descriptor["annotations"] = {"vnd.docker.reference.type": "attestation-manifest",
                                     "vnd.docker.reference.digest": subject["digest"]}
        return descriptor


class Registry:
    """As much of the distribution API as a push needs, with Basic or Bearer authentication."""

    def __init__(self, url, user, ca):
        self.url, self.user, self.authorization = url.rstrip("/"), user, None
        context = ssl.create_default_context(cafile=ca) if ca else None
        handlers = [urllib.request.ProxyHandler({})]
        if context:
            handlers.append(urllib.request.HTTPSHandler(context=context))
        self.opener = urllib.request.build_opener(*handlers)

    def basic(self):
        return "Basic " + base64.b64encode(self.user.encode()).decode()

    def login(self, challenge, repository):
        if challenge.lower().startswith("basic"):
            return self.basic()
        fields = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        query = urllib.parse.urlencode({"service": fields.get("service", ""),
                                        "scope": f"repository:{repository}:pull,push"})
        request = urllib.request.Request(f"{fields['realm']}?{query}")
        if self.user:
            request.add_header("Authorization", self.basic())
        with self.opener.open(request) as answer:
            return "Bearer " + json.load(answer)["token"]

    def ask(self, method, url, repository, body=None, headers=None):
        """Returns (status, headers); body is a function that opens a fresh stream, or bytes."""
        for attempt in (1, 2):
            request = urllib.request.Request(urllib.parse.urljoin(self.url, url), method=method)
            for key, value in (headers or {}).items():
                request.add_header(key, value)
            if self.authorization:
                request.add_header("Authorization", self.authorization)
            request.data = body() if callable(body) else body
            try:
                with self.opener.open(request) as answer:
                    answer.read()
                    return answer.status, answer.headers
            except urllib.error.HTTPError as error:
                challenge = error.headers.get("WWW-Authenticate")
                if error.code != 401 or attempt == 2 or not challenge:
                    if method == "HEAD" and error.code == 404:
                        return 404, error.headers
                    raise SystemExit(f"{method} {url}: {error.code} {error.read().decode(errors='replace')}")
                self.authorization = self.login(challenge, repository)
        raise AssertionError("not reached")

    def put_blob(self, repository, digest, size, open_stream):
        status, _ = self.ask("HEAD", f"{self.url}/v2/{repository}/blobs/{digest}", repository)
        if status == 200:
            return
        _, headers = self.ask("POST", f"{self.url}/v2/{repository}/blobs/uploads/", repository, b"")
        where = headers["Location"]
        where += ("&" if "?" in where else "?") + urllib.parse.urlencode({"digest": digest})
        self.ask("PUT", where, repository, open_stream,
                 {"Content-Type": "application/octet-stream", "Content-Length": str(size)})

    def push(self, image):
        self.authorization = None
        for layer in image.layers.values():
            self.put_blob(image.name, layer.digest, layer.size, layer.open)
        for digest, raw in image.configs.items():
            self.put_blob(image.name, digest, len(raw), lambda raw=raw: io.BytesIO(raw))
        top = image.top[0]
        for digest, media_type, raw in image.manifests:
            for name in [digest] + (image.tags if digest == top else []):
                self.ask("PUT", f"{self.url}/v2/{image.name}/manifests/{name}", image.name, raw,
                         {"Content-Type": media_type})


def write_layout(out, images):
    """One layout per repository: index.json names the tags as containers/image does."""
    for name in sorted({image.name for image in images}):
        root = os.path.join(out, name)
        blobs = os.path.join(root, "blobs", "sha256")
        os.makedirs(blobs, exist_ok=True)
        entries = []
        for image in (x for x in images if x.name == name):
            for digest, _, raw in image.manifests:
                with open(os.path.join(blobs, digest[7:]), "wb") as f:
                    f.write(raw)
            for digest, raw in image.configs.items():
                with open(os.path.join(blobs, digest[7:]), "wb") as f:
                    f.write(raw)
            for layer in image.layers.values():
                with layer.open() as source, open(os.path.join(blobs, layer.digest[7:]), "wb") as f:
                    while chunk := source.read(1 << 20):
                        f.write(chunk)
            digest, media_type, raw = image.top
            for tag in image.tags:
                entries.append({"mediaType": media_type, "digest": digest, "size": len(raw),
                                "annotations": {"org.opencontainers.image.ref.name": tag}})
        with open(os.path.join(root, "oci-layout"), "w", encoding="ascii") as f:
            f.write('{"imageLayoutVersion":"1.0.0"}')
        with open(os.path.join(root, "index.json"), "wb") as f:
            f.write(encode({"schemaVersion": 2, "manifests": entries}))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("push", "layout", "digest"))
    parser.add_argument("catalog")
    parser.add_argument("--layer", action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--registry")
    parser.add_argument("--user", help="USER:PASSWORD")
    parser.add_argument("--ca")
    parser.add_argument("--out")
    args = parser.parse_args()

    if args.catalog == "-":
        catalog = json.load(sys.stdin)
    else:
        with open(args.catalog, encoding="utf-8") as f:
            catalog = json.load(f)
    paths, made = dict(x.split("=", 1) for x in args.layer), {}

    def named_layer(name):
        if name not in made:
            made[name] = Layer(path=paths[name])
        return made[name]

    images = [Image(entry, named_layer) for entry in catalog]
    if args.command == "push":
        registry = Registry(args.registry, args.user, args.ca)
        for image in images:
            registry.push(image)
    elif args.command == "layout":
        write_layout(args.out, images)
    else:
        for image in images:
            for tag in image.tags:
                print(f"{image.name}:{tag} {image.top[0]}")


if __name__ == "__main__":
    main()
