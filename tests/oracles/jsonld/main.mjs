/**
 * Expands JSON-LD documents: a JSON list of documents on standard input, on standard output a list of
 * {expanded} or {failure}, in the same order.
 *
 *   node main.mjs
 *
 * Nothing is loaded from anywhere: the contexts that libraries carry with them lie beside this file. In safe
 * mode jsonld.js fails where it would otherwise drop something silently, such as a property without an IRI.
 */

import { readFileSync } from "node:fs";

import jsonld from "jsonld";

const BUNDLED = new Map([
  ["https://www.w3.org/ns/activitystreams", "activitystreams"],
  ["https://w3id.org/security/v1", "security-v1"],
  ["https://w3id.org/security/multikey/v1", "multikey-v1"],
  ["https://w3id.org/security/data-integrity/v1", "data-integrity-v1"],
]);

async function documentLoader(url) {
  if (!BUNDLED.has(url)) throw new Error(`Nobody carries the context ${url} with him.`);
  const path = new URL(`contexts/${BUNDLED.get(url)}.json`, import.meta.url);
  return { contextUrl: null, documentUrl: url, document: JSON.parse(readFileSync(path, "utf8")) };
}

async function expand(document) {
  try {
    return { expanded: await jsonld.expand(document, { documentLoader, safe: true }) };
  } catch (error) {
    const event = error.details?.event;
    return { failure: `${error.message} ${event ? JSON.stringify(event) : error.details?.cause ?? ""}` };
  }
}

const documents = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(await Promise.all(documents.map(expand))));
