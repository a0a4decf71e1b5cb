#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Git's smart HTTP protocol on loopback, by the git-http-backend of the installed git.

  git_http.py --dir DIR --root REPOSITORIES [--cert PEM --key PEM] [--user U:P]

Writes the ports (HTTP, then HTTPS) to DIR/git-http.ports and one JSON object
per request to DIR/git-http.jsonl. With --user every request needs that user.
"""
import argparse
import base64
import http.server
import json
import os
import ssl
import subprocess
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        data = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return data

    def do_GET(self):
        args = self.server.args
        with open(os.path.join(args.dir, "git-http.jsonl"), "a", encoding="utf-8") as log:
            log.write(json.dumps({"method": self.command, "path": self.path,
                                  "headers": {k.lower(): v for k, v in self.headers.items()}}) + "\n")
        body = self.body()
        if args.user:
            expected = "Basic " + base64.b64encode(args.user.encode()).decode()
            if self.headers.get("Authorization") != expected:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
        path, _, query = self.path.partition("?")
        env = dict(os.environ, GIT_PROJECT_ROOT=args.root, GIT_HTTP_EXPORT_ALL="1", PATH_INFO=path, QUERY_STRING=query,
                   REQUEST_METHOD=self.command, CONTENT_TYPE=self.headers.get("Content-Type", ""),
                   CONTENT_LENGTH=str(len(body)), REMOTE_ADDR=self.client_address[0],
                   GIT_PROTOCOL=self.headers.get("Git-Protocol", ""),
                   # The repositories belong to whoever started the test.
                   GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0="safe.directory", GIT_CONFIG_VALUE_0="*")
        if self.headers.get("Content-Encoding"):
            env["HTTP_CONTENT_ENCODING"] = self.headers["Content-Encoding"]
        out = subprocess.run(["git", "http-backend"], input=body, stdout=subprocess.PIPE, env=env, check=False).stdout
        head, _, payload = out.partition(b"\r\n\r\n")
        fields = [line.split(": ", 1) for line in head.decode("latin-1").split("\r\n") if ": " in line]
        status = next((int(v.split()[0]) for k, v in fields if k.lower() == "status"), 200)
        self.send_response(status)
        for key, value in fields:
            if key.lower() not in ("status", "content-length"):
                self.send_header(key, value)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    do_POST = do_GET


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--dir", "--root"):
        parser.add_argument(name, required=True)
    for name in ("--cert", "--key", "--user"):
        parser.add_argument(name)
    parser.add_argument("--listen", default="127.0.0.1")
    args = parser.parse_args()
    args.root = os.path.abspath(args.root)
    servers = [http.server.ThreadingHTTPServer((args.listen, 0), Handler) for _ in range(2 if args.cert else 1)]
    for server in servers:
        server.args = args
    if args.cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(args.cert, args.key)
        servers[1].socket = context.wrap_socket(servers[1].socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=servers[1].serve_forever, daemon=True).start()
    ports = os.path.join(args.dir, "git-http.ports")
    with open(ports + ".new", "w", encoding="ascii") as f:
        f.write(" ".join(str(s.server_address[1]) for s in servers) + "\n")
    os.rename(ports + ".new", ports)
    servers[0].serve_forever()


if __name__ == "__main__":
    main()
