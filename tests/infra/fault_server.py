#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A web server that misbehaves on demand, in front of files or of another server.

  fault_server.py --dir DIR (--root FILES | --upstream URL) [--cert PEM --key PEM]

Listens on two free loopback ports (two hosts, as far as credentials go) and,
with a certificate, on a third by HTTPS; DIR/fault.ports tells them. Every
request is added to DIR/fault.jsonl with all its headers.

What goes wrong is said in the path, when its first part begins with "~":
    /~truncate=5000/file    /~status=503,times=2,retry-after=1/file
or by rules in DIR/rules.json, read again at every request: a list of
{"match": "GET /v2/.*/blobs/", ...faults...}; the first rule whose regular
expression matches "METHOD PATH" counts. Faults:

  times=N          only for the first N requests of this very method and path
  skip=N           not for the first N of them
  status=S         answer with this status and an error body
  retry-after=V    with that header
  truncate=N       close the connection after N bytes of the body
  reset=N          the same with a TCP reset
  corrupt=N        flip one bit at offset N (negative: from the end)
  length=N         N more (or fewer) in Content-Length than there are bytes
  nolength         no Content-Length, the connection's end is the body's end
  chunked          chunked transfer coding
  norange          ignore Range
  badrange         answer a Range with other bytes than it says
  drip=N           N bytes every 50 ms
  stall=N          after N bytes nothing more, for ever
  delay=MS         before the answer
  redirect=N       N redirects to itself first, then the answer
  loop             redirects for ever
  to=URL           a redirect there (in the path: percent-encoded), code=307 unless said
  other            a redirect to the same path without faults on the other port
  downgrade        a redirect from https to http
  gzip             Content-Encoding: gzip
  bomb=MB          a gzip body that unpacks to MB megabytes of zeros
  headers=N        N extra header lines of 1 KB
  drop=NAME        leave that header out;  set=NAME:VALUE  set it
  page=N           answers tags/list in pages of N, with Link (upstream only)
"""
import argparse
import email.utils
import gzip
import http.server
import json
import os
import re
import socket
import ssl
import struct
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

FLAGS = {"nolength", "chunked", "norange", "badrange", "loop", "other", "downgrade", "gzip"}
NUMBERS = {"times", "skip", "status", "truncate", "reset", "corrupt", "length", "drip", "stall", "delay", "redirect",
           "code", "bomb", "headers", "page"}


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 120

    def log_message(self, *_):
        pass

    def record(self, size):
        state = self.server.state
        line = {"time": time.time(), "method": self.command, "path": self.path, "port": self.server.server_address[1],
                "peer": list(self.client_address), "headers": {k.lower(): v for k, v in self.headers.items()}, "body": size}
        with state.lock:
            with open(os.path.join(state.args.dir, "fault.jsonl"), "a", encoding="utf-8") as log:
                log.write(json.dumps(line) + "\n")
            key = (self.command, self.path)
            state.counts[key] = state.counts.get(key, 0) + 1
            return state.counts[key]

    def faults(self, seen):
        """Returns (faults, path without them)."""
        path = self.path
        faults = {}
        match = re.match(r"/~([^/?]*)(/.*)", path)
        if match:
            path = match.group(2)
            for item in match.group(1).split(","):
                key, _, value = item.partition("=")
                key = key.lower()
                faults[key] = True if key in FLAGS else int(value) if key in NUMBERS else urllib.parse.unquote(value)
        else:
            rules = os.path.join(self.server.state.args.dir, "rules.json")
            if os.path.exists(rules):
                with open(rules, encoding="utf-8") as f:
                    for rule in json.load(f):
                        if re.search(rule["match"], f"{self.command} {path}"):
                            faults = {k: v for k, v in rule.items() if k != "match"}
                            break
        if seen <= faults.get("skip", 0) or seen > faults.get("skip", 0) + faults.get("times", 1 << 60):
            faults = {}
        return faults, path

    def source(self, path, faults, body):
        """Returns (status, headers, body) of an honest answer."""
        args = self.server.state.args
        if not args.upstream:
            file = os.path.normpath(os.path.join(args.root, urllib.parse.unquote(path.split("?")[0]).lstrip("/")))
            if not file.startswith(args.root + os.sep) or not os.path.isfile(file):
                return 404, {"Content-Type": "text/plain"}, b"not found\n"
            with open(file, "rb") as f:
                data = f.read()
            stamp = email.utils.formatdate(os.stat(file).st_mtime, usegmt=True)
            return 200, {"Content-Type": "application/octet-stream", "Last-Modified": stamp,
                         "ETag": f'"{len(data):x}"'}, data
        request = urllib.request.Request(args.upstream + path, method=self.command, data=body or None)
        for key, value in self.headers.items():
            if key.lower() not in ("host", "connection", "range", "accept-encoding", "content-length"):
                request.add_header(key, value)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect)
        try:
            answer = opener.open(request)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            headers = {k: v for k, v in answer.headers.items()
                       if k.lower() not in ("connection", "transfer-encoding", "date", "server")}
            data = answer.read()
            if self.command == "HEAD":
                data = bytes(int(headers.get("Content-Length", "0")))
            else:
                headers.pop("Content-Length", None)
            if "page" in faults and answer.status == 200:
                headers, data = self.page(path, headers, data, faults["page"])
            return answer.status, headers, data

    @staticmethod
    def page(path, headers, data, size):
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(path).query))
        listing = json.loads(data)
        tags = sorted(listing["tags"])
        tags = [t for t in tags if t > query.get("last", "")]
        size = min(size, int(query.get("n", size)))
        if len(tags) > size:
            tags = tags[:size]
            where = urllib.parse.urlsplit(path).path + "?" + urllib.parse.urlencode({"n": size, "last": tags[-1]})
            headers["Link"] = f'<{where}>; rel="next"'
        listing["tags"] = tags
        return headers, json.dumps(listing).encode()

    def start(self, status, headers, faults):
        self.send_response(status)
        headers = dict(headers)
        if "set" in faults:
            name, _, value = faults["set"].partition(":")
            headers[name] = value.strip()
        if "retry-after" in faults:
            headers["Retry-After"] = str(faults["retry-after"])
        for i in range(faults.get("headers", 0)):
            headers[f"X-Filler-{i}"] = "x" * 1024
        for key, value in headers.items():
            if key.lower() != str(faults.get("drop", "")).lower():
                self.send_header(key, value)
        self.end_headers()

    def redirect(self, where, faults):
        self.start(faults.get("code", 307), {"Location": where, "Content-Length": "0"}, {})

    def do_GET(self):
        size = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(size) if size else b""
        faults, path = self.faults(self.record(size))
        server = self.server.state
        if "delay" in faults:
            time.sleep(faults["delay"] / 1000)
        host = "localhost" if self.headers.get("Host", "").startswith("localhost") else "127.0.0.1"
        if "to" in faults:
            return self.redirect(faults["to"], faults)
        if "other" in faults:
            port = next(p for p in server.plain_ports if p != self.server.server_address[1])
            return self.redirect(f"http://{host}:{port}{path}", faults)
        if "downgrade" in faults:
            return self.redirect(f"http://{host}:{server.plain_ports[0]}{path}", faults)
        if "loop" in faults:
            return self.redirect(self.path, faults)
        if faults.get("redirect", 0) > 0:
            return self.redirect(f"/~redirect={faults['redirect'] - 1}{path}", faults)
        if "status" in faults:
            data = json.dumps({"errors": [{"code": "FAULT", "message": f"made to answer {faults['status']}"}]}).encode()
            self.start(faults["status"], {"Content-Type": "application/json", "Content-Length": str(len(data))}, faults)
            if self.command != "HEAD":
                self.wfile.write(data)
            return None
        return self.deliver(faults, *self.source(path, faults, body))

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def deliver(self, faults, status, headers, data):
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if "bomb" in faults:
            data, headers["Content-Encoding"] = gzip.compress(bytes(faults["bomb"] << 20), 9), "gzip"
        elif "gzip" in faults:
            data, headers["Content-Encoding"] = gzip.compress(data), "gzip"
        if "corrupt" in faults and data:
            at = faults["corrupt"] % len(data)
            data = data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]
        if status == 200 and wanted and "norange" not in faults:
            first = int(wanted.group(1))
            last = min(int(wanted.group(2) or len(data) - 1), len(data) - 1)
            if first >= len(data):
                self.start(416, {"Content-Range": f"bytes */{len(data)}", "Content-Length": "0"}, {})
                return
            headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
            if "badrange" in faults:
                first = 0
                headers["Content-Range"] = f"bytes 0-{last}/{len(data)}"
            status, data = 206, data[first:last + 1]
        elif status == 200 and "norange" not in faults:
            headers["Accept-Ranges"] = "bytes"
        if "chunked" in faults:
            headers["Transfer-Encoding"] = "chunked"
        elif "nolength" in faults:
            headers["Connection"] = "close"
        else:
            headers["Content-Length"] = str(len(data) + faults.get("length", 0))
        self.start(status, headers, faults)
        if self.command == "HEAD":
            return
        self.send_body(faults, data)
        if {"truncate", "reset", "length", "nolength"} & set(faults):
            self.close_connection = True
        if "reset" in faults:
            self.wfile.flush()
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def send_body(self, faults, data):
        cut = min([faults[x] for x in ("truncate", "reset", "stall") if x in faults] + [len(data)])
        step = faults.get("drip", 1 << 16)
        for at in range(0, cut, step):
            piece = data[at:min(at + step, cut)]
            if "chunked" in faults:
                piece = b"%x\r\n%s\r\n" % (len(piece), piece)
            try:
                self.wfile.write(piece)
            except OSError:
                self.close_connection = True
                return
            if "drip" in faults:
                time.sleep(0.05)
        if "stall" in faults:
            self.wfile.flush()
            time.sleep(3600)
        if "chunked" in faults and cut == len(data):
            self.wfile.write(b"0\r\n\r\n")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        pass  # clients that go away are the point of this server


class State:
    def __init__(self, args):
        self.args, self.lock, self.counts = args, threading.Lock(), {}
        self.plain_ports = []


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dir", required=True)
    parser.add_argument("--root")
    parser.add_argument("--upstream")
    parser.add_argument("--cert")
    parser.add_argument("--key")
    args = parser.parse_args()
    args.root = os.path.abspath(args.root) if args.root else None
    state, servers = State(args), []
    for kind in ("plain", "other", "tls") if args.cert else ("plain", "other"):
        server = Server(("127.0.0.1", 0), Handler)
        server.state = state
        if kind == "tls":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(args.cert, args.key)
            # The handshake belongs to the connection's own thread.
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        else:
            state.plain_ports.append(server.server_address[1])
        servers.append(server)
    for server in servers[1:]:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    ports = os.path.join(args.dir, "fault.ports")
    with open(ports + ".new", "w", encoding="ascii") as f:
        f.write(" ".join(str(s.server_address[1]) for s in servers) + "\n")
    os.rename(ports + ".new", ports)
    servers[0].serve_forever()


if __name__ == "__main__":
    main()
