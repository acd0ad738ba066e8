/**
 * Fedify as a peer of a node under test: an ActivityPub server over TLS on loopback, told what to do by JSON
 * lines on its standard input and answering each with one line on its standard output.
 *
 *   node main.mjs <certificate.pem> <key.pem> <first knock> <keys.json>
 *
 * The first knock is draft-cavage-http-signatures-12 or rfc9421. The last file holds the person's keys; it is
 * written when it is not there.
 */

import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { createInterface } from "node:readline";

import { Peer } from "./peer.mjs";
import { makeVerbs } from "./verbs.mjs";

const MAX_BODY = 1 << 20;
const [certificate, key, firstKnock, keyFile] = process.argv.slice(2);

async function bodyOf(incoming) {
  const pieces = [];
  let size = 0;
  for await (const piece of incoming) {
    size += piece.length;
    if (size > MAX_BODY) throw new Error("The body is too large.");
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** The request as its sender addressed it: Fedify reads scheme, host and target from the URL. */
async function requestOf(incoming) {
  const headers = new Headers();
  for (let index = 0; index < incoming.rawHeaders.length; index += 2) {
    headers.append(incoming.rawHeaders[index], incoming.rawHeaders[index + 1]);
  }
  const bodyless = incoming.method === "GET" || incoming.method === "HEAD";
  const body = bodyless ? undefined : await bodyOf(incoming);
  const url = `https://${headers.get("host")}${incoming.url}`;
  return new Request(url, { method: incoming.method, headers, body });
}

async function answer(incoming, outgoing) {
  const response = await peer.handle(await requestOf(incoming));
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.end(Buffer.from(await response.arrayBuffer()));
}

function say(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

let peer;
const tls = { cert: readFileSync(certificate), key: readFileSync(key) };
const server = createServer(tls, (incoming, outgoing) => {
  answer(incoming, outgoing).catch((error) => {
    peer.troubles.push(`serving ${incoming.url}: ${error.stack}`);
    if (!outgoing.headersSent) outgoing.writeHead(500);
    outgoing.end();
  });
});

server.listen(0, "127.0.0.1", async () => {
  const domain = `localhost:${server.address().port}`;
  peer = await Peer.make(`https://${domain}`, firstKnock, keyFile);
  const verbs = makeVerbs(peer);
  say({ domain });
  for await (const line of createInterface({ input: process.stdin })) {
    const { verb, ...question } = JSON.parse(line);
    try {
      if (!Object.hasOwn(verbs, verb)) throw new Error(`There is no verb ${verb}.`);
      say({ answer: (await verbs[verb](question)) ?? null });
    } catch (error) {
      say({ failure: String(error.stack ?? error) });
    }
  }
  process.exit(0);
});
