// SPDX-License-Identifier: Apache-2.0
// Greets whoever asks. "node server.js --check" answers one request of its own and ends.
const express = require("express");
const mustache = require("mustache");

const app = express();
app.get("/:name", (request, response) => {
  response.type("text/plain").send(mustache.render("Hello, {{{name}}}!\n", request.params));
});

const check = process.argv.includes("--check");
const server = app.listen(check ? 0 : 8080, async () => {
  if (!check) return;
  const answer = await fetch(`http://127.0.0.1:${server.address().port}/lock`);
  process.stdout.write(await answer.text());
  server.close();
});
