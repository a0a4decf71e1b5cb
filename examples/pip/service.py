# SPDX-License-Identifier: Apache-2.0
"""Answers with YAML. "python service.py" asks it once and ends."""
import flask
import yaml

app = flask.Flask(__name__)


@app.get("/<name>")
def greet(name):
    return flask.Response(yaml.safe_dump({"hello": name}), content_type="application/yaml")


if __name__ == "__main__":
    print(app.test_client().get("/lock").text, end="")
