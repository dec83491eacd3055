// Builds portal/static/dist from this folder: `npm ci --ignore-scripts && node build.mjs`.
// What it writes is committed, so that nobody needs Node to run Parvis. Names hold a hash of the content:
// a browser may keep a file for ever, and two builds of the same source give the same names.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import rtlcss from "rtlcss";
import * as sass from "sass";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "../portal/static/dist");
const packages = join(here, "node_modules");
const fontFiles = {
  "atkinson-latin.woff2": "atkinson-hyperlegible-next/files/atkinson-hyperlegible-next-latin-wght-normal.woff2",
  "atkinson-latin-ext.woff2": "atkinson-hyperlegible-next/files/atkinson-hyperlegible-next-latin-ext-wght-normal.woff2",
  "noto-arabic.woff2": "noto-sans-arabic/files/noto-sans-arabic-arabic-wght-normal.woff2",
};
const manifest = {};

function publish(name, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 10);
  const extension = extname(name);
  const published = `${basename(name, extension)}.${hash}${extension}`;
  writeFileSync(join(dist, published), content);
  manifest[name] = published;
}

function styles(source) {
  const { css } = sass.compile(join(here, source), {
    loadPaths: [packages],
    quietDeps: true,
    silenceDeprecations: ["if-function"],
  });
  return css.replace(/url\("?([\w-]+\.woff2)"?\)/g, (_, name) => `url("${manifest[name]}")`);
}

function minified(css) {
  return esbuild.transformSync(css, { loader: "css", minify: true, target: ["chrome109", "firefox115", "safari16"] }).code;
}

function script() {
  const result = esbuild.buildSync({
    entryPoints: [join(here, "ui.js")],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2020",
    write: false,
    legalComments: "none",
  });
  return result.outputFiles[0].contents;
}

mkdirSync(dist, { recursive: true });
for (const name of readdirSync(dist)) {
  if (/\.[0-9a-f]{10}\.(css|js|woff2|svg)$/.test(name)) rmSync(join(dist, name));
}
for (const [name, source] of Object.entries(fontFiles)) {
  publish(name, readFileSync(join(packages, "@fontsource-variable", source)));
}
const css = styles("ui.scss");
publish("ui.css", minified(css));
publish("ui.rtl.css", minified(rtlcss.process(css)));
publish("bare.css", minified(styles("bare.scss")));
publish("ui.js", script());
publish("favicon.svg", readFileSync(join(here, "favicon.svg")));
// What a proxy shows when no web process answers: it must find its styles without asking the application.
const page = readFileSync(join(here, "503.html"), "utf8").replace(/\/static\/dist\/([\w.]+)/g, (_, name) => `/static/dist/${manifest[name]}`);
writeFileSync(join(dist, "503.html"), page);
writeFileSync(join(dist, "manifest.json"), JSON.stringify(manifest, null, 2) + "\n");
