#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The token end point of a registry with Bearer authentication.

  token_server.py --dir DIR --issuer NAME --key KEY.pem --cert CERT.pem
                  [--user U:P]... [--refresh TOKEN] [--private PREFIX]... [--expires N]

Listens on a free loopback port, written to DIR/token.port. Gives RS256 tokens:
to everybody for pulling, except from repositories whose name begins with a
--private prefix, which need a user (Basic) or the refresh token (POST). Every
request is added to DIR/token.jsonl: method, path, scopes and who asked, so
that a test can tell what a client sent.
"""
import argparse
import base64
import http.server
import json
import os
import subprocess
import time
import urllib.parse


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def user(self):
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "basic":
            return None
        pair = base64.b64decode(value).decode()
        return pair.split(":")[0] if pair in self.server.args.user else ""

    def answer(self, status, body, headers=()):
        raw = json.dumps(body).encode()
        self.send_response(status)
        for key, value in (("Content-Type", "application/json"), ("Content-Length", str(len(raw))), *headers):
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(raw)

    def grant(self, form, who):
        args = self.server.args
        access = []
        for scope in form.get("scope", []):
            for item in scope.split(" "):
                kind, name, actions = item.rsplit(":", 2) if item.count(":") > 2 else item.split(":")
                allowed = actions.split(",")
                if not who:
                    private = any(name.startswith(x) for x in args.private)
                    allowed = [] if private else [x for x in allowed if x == "pull"]
                access.append({"type": kind, "name": name, "actions": allowed})
        with open(os.path.join(args.dir, "token.jsonl"), "a", encoding="utf-8") as log:
            log.write(json.dumps({"method": self.command, "path": self.path, "who": who,
                                  "scope": form.get("scope", []), "grant_type": form.get("grant_type"),
                                  "granted": access}) + "\n")
        now = int(time.time())
        claims = {"iss": args.issuer, "sub": who or "", "aud": form.get("service", [""])[0], "exp": now + args.expires,
                  "nbf": now - 10, "iat": now, "jti": b64url(os.urandom(9)), "access": access}
        signed = b64url(json.dumps(self.server.header).encode()) + "." + b64url(json.dumps(claims).encode())
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", args.key], input=signed.encode(),
                                   stdout=subprocess.PIPE, check=True).stdout
        token = signed + "." + b64url(signature)
        self.answer(200, {"token": token, "access_token": token, "expires_in": args.expires})

    def do_GET(self):
        who = self.user()
        if who == "":
            self.answer(401, {"errors": [{"code": "UNAUTHORIZED", "message": "wrong password"}]},
                        [("WWW-Authenticate", 'Basic realm="token"')])
            return
        self.grant(urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query), who)

    def do_POST(self):
        size = min(int(self.headers.get("Content-Length", "0")), 1 << 16)
        form = urllib.parse.parse_qs(self.rfile.read(size).decode())
        refresh = self.server.args.refresh
        if not refresh:
            self.answer(404, {"errors": [{"code": "UNSUPPORTED", "message": "no POST here"}]})
        elif form.get("grant_type") != ["refresh_token"] or form.get("refresh_token") != [refresh]:
            self.answer(401, {"errors": [{"code": "UNAUTHORIZED", "message": "unknown refresh token"}]})
        else:
            self.grant(form, "refresh-token")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dir", required=True)
    parser.add_argument("--issuer", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--cert", required=True)
    parser.add_argument("--user", action="append", default=[])
    parser.add_argument("--refresh")
    parser.add_argument("--private", action="append", default=[])
    parser.add_argument("--expires", type=int, default=300)
    args = parser.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.args = args
    der = subprocess.run(["openssl", "x509", "-in", args.cert, "-outform", "DER"], stdout=subprocess.PIPE,
                         check=True).stdout
    server.header = {"typ": "JWT", "alg": "RS256", "x5c": [base64.b64encode(der).decode()]}
    port_file = os.path.join(args.dir, "token.port")
    with open(port_file + ".new", "w", encoding="ascii") as f:
        f.write(str(server.server_address[1]))
    os.rename(port_file + ".new", port_file)
    server.serve_forever()


if __name__ == "__main__":
    main()
