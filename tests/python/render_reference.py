"""Renders docs/openapi.yaml as one page, docs/reference.html, which the service shows at /docs: no script, nothing from elsewhere.

    render_reference.py [--check]     with --check it fails where the page is not what would be rendered
"""

import html
import json
import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/reference.html"
METHODS = ("get", "post", "put", "patch", "delete")
STYLE = """
:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:62rem;margin:0 auto;padding:1rem}
body{overflow-wrap:anywhere}th{overflow-wrap:normal}pre{overflow-wrap:normal}code,pre{font:.875em/1.45 ui-monospace,monospace}pre{overflow:auto;padding:.75rem;border:1px solid #8886;border-radius:.4rem}
h2{margin-top:3rem;border-bottom:1px solid #8886}h3{margin-top:2.5rem}h3 code{font-size:1em}table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid #8884}nav ul{columns:2;padding-left:1.2rem}
.method{display:inline-block;min-width:4rem;font-weight:700}a:focus-visible{outline:3px solid}@media(max-width:40rem){nav ul{columns:1}}
"""


def inline(text):
    text = html.escape(" ".join(str(text).split()), quote=False)
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
    text = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", text)
    # A link to another document is its name: the page stands alone.
    text = re.sub(r"\[([^\]]+)\]\((https?://[^)\s]+)\)", r'<a href="\2">\1</a>', text)
    return re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", text)


def prose(text):
    blocks = re.split(r"\n\s*\n", str(text).strip()) if text else []
    return "".join(f"<p>{inline(block)}</p>\n" for block in blocks)


class Renderer:
    def __init__(self, spec):
        self.spec = spec

    def resolved(self, node):
        while "$ref" in node:
            found = self.spec
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part.replace("~1", "/").replace("~0", "~")]
            node = found
        return node

    def kind(self, schema):
        """A schema in a few words, with a link where it has a name."""
        if "$ref" in schema:
            name = schema["$ref"].rsplit("/", 1)[1]
            return f'<a href="#schema-{name}">{name}</a>'
        for word in ("oneOf", "anyOf", "allOf"):
            if word in schema:
                return (" and " if word == "allOf" else " or ").join(self.kind(it) for it in schema[word])
        kinds = schema.get("type", "any")
        kinds = kinds if isinstance(kinds, list) else [kinds]
        words = [f"array of {self.kind(schema['items'])}" if it == "array" and "items" in schema else it for it in kinds]
        text = " or ".join(words)
        if "const" in schema:
            text = f"<code>{html.escape(json.dumps(schema['const']))}</code>"
        if "enum" in schema:
            text += ": " + ", ".join(f"<code>{html.escape(json.dumps(it))}</code>" for it in schema["enum"])
        limits = [f"{name} {schema[name]}" for name in ("format", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems") if name in schema]
        for name in ("default", "x-default"):
            if name in schema:
                limits.append(f"default {html.escape(json.dumps(schema[name]))}")
        return text + (f" ({', '.join(limits)})" if limits else "")

    def properties(self, schema, depth=0):
        rows = ""
        required = schema.get("required", [])
        for name, it in schema.get("properties", {}).items():
            need = "" if name in required else "<br>optional"
            rows += f"<tr><td><code>{'… ' * depth}{html.escape(name)}</code>{need}</td><td>{self.kind(it)}</td><td>{inline(it.get('description', ''))}</td></tr>\n"
            inner = it.get("items", it) if isinstance(it.get("items", it), dict) else it
            if "properties" in inner:
                rows += self.properties(inner, depth + 1)
        return rows

    def schema(self, schema):
        rows = self.properties(schema)
        table = f"<table><thead><tr><th>member</th><th>type</th><th>meaning</th></tr></thead><tbody>\n{rows}</tbody></table>\n"
        return prose(schema.get("description")) + (table if rows else f"<p>{self.kind(schema)}</p>\n")

    def content(self, content):
        text = ""
        for kind, it in content.items():
            text += f"<p><code>{html.escape(kind)}</code>: {self.kind(it.get('schema', {}))}</p>\n"
            examples = [it["example"]] if "example" in it else [self.resolved(e)["value"] for e in it.get("examples", {}).values()]
            for example in examples[:2]:
                shown = example if isinstance(example, str) else json.dumps(example, indent=2, ensure_ascii=False, default=str)
                text += f"<pre tabindex=0>{html.escape(shown, quote=False)}</pre>\n"
        return text

    def operation(self, path, method, operation, shared):
        text = f'<h3 id="{operation["operationId"]}"><span class="method">{method.upper()}</span> <code>{html.escape(path)}</code></h3>\n'
        text += f"<p><strong>{inline(operation.get('summary', ''))}</strong></p>\n{prose(operation.get('description'))}"
        ways = [" with ".join(way) or "nothing" for way in operation.get("security", [])]
        text += f"<p>Credential: {' or '.join(f'<code>{way}</code>' for way in ways) or 'none'}</p>\n"
        rows = ""
        for parameter in [self.resolved(it) for it in shared + operation.get("parameters", [])]:
            need = "" if parameter.get("required") else ", optional"
            rows += f"<tr><td><code>{parameter['name']}</code><br>{parameter['in']}{need}</td><td>{self.kind(parameter['schema'])}</td><td>{inline(parameter.get('description', ''))}</td></tr>\n"
        if rows:
            text += f"<table><thead><tr><th>parameter</th><th>type</th><th>meaning</th></tr></thead><tbody>\n{rows}</tbody></table>\n"
        if "requestBody" in operation:
            text += "<h4>Request</h4>\n" + self.content(self.resolved(operation["requestBody"])["content"])
        text += "<h4>Answers</h4>\n"
        for status, answer in operation["responses"].items():
            answer = self.resolved(answer)
            text += f"<p><code>{status}</code> {inline(answer.get('description', ''))}</p>\n"
            if status.startswith("2"):
                text += self.content(answer.get("content", {}))
        return text

    def page(self):
        info = self.spec["info"]
        contents, body = "", ""
        for path, item in self.spec["paths"].items():
            for method in METHODS:
                if method in item:
                    operation = item[method]
                    contents += f'<li><a href="#{operation["operationId"]}">{inline(operation.get("summary", operation["operationId"]))}</a></li>\n'
                    body += self.operation(path, method, operation, item.get("parameters", []))
        schemes = "".join(
            f"<tr><td><code>{name}</code></td><td>{inline(it.get('description', it['type']))}</td></tr>\n"
            for name, it in self.spec["components"]["securitySchemes"].items()
        )
        schemas = "".join(
            f'<h3 id="schema-{name}">{name}</h3>\n{self.schema(it)}' for name, it in self.spec["components"]["schemas"].items()
        )
        return (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{html.escape(info['title'])}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
            f"<h1>{html.escape(info['title'])} {info['version']}</h1>\n{prose(info.get('description'))}"
            f'<nav aria-label="Calls">\n<ul>\n{contents}</ul>\n</nav>\n<h2>Credentials</h2>\n<table><tbody>\n{schemes}</tbody></table>\n'
            f"<h2>Calls</h2>\n{body}<h2>Types</h2>\n{schemas}</main>\n</body>\n</html>\n"
        )


def main():
    page = Renderer(yaml.safe_load((ROOT / "docs/openapi.yaml").read_text(encoding="utf-8"))).page()
    if sys.argv[1:] == ["--check"]:
        if PAGE.read_text(encoding="utf-8") != page:
            sys.exit("docs/reference.html is not of this docs/openapi.yaml: render_reference.py")
    else:
        PAGE.write_text(page, encoding="utf-8")


main()
