/** One Fedify federation with one person, and everything that reached it or went wrong, in memory. */

import { existsSync, readFileSync, writeFileSync } from "node:fs";

import {
  createFederation,
  exportJwk,
  generateCryptoKeyPair,
  importJwk,
  InProcessMessageQueue,
  MemoryKvStore,
} from "@fedify/fedify";
import * as vocab from "@fedify/fedify/vocab";

import { describe } from "./describe.mjs";

export const HANDLE = "paul";
const RECORDED = ["Follow", "Accept", "Reject", "Undo", "Create", "Update", "Delete", "Like", "Announce"];

/** Which scheme a request is signed with: the two have headers of their own. */
function schemeOf(headers) {
  if (headers.has("signature-input")) return "rfc9421";
  return headers.has("signature") ? "cavage" : null;
}

function identify(text) {
  try {
    return JSON.parse(text).id ?? null;
  } catch {
    return null;
  }
}

/** Fedify's own RSA keys have 4096 bits and take seconds to make: one process writes them for the next. */
async function keyPairs(file) {
  if (!existsSync(file)) {
    const made = [];
    for (const algorithm of ["RSASSA-PKCS1-v1_5", "Ed25519"]) {
      const { publicKey, privateKey } = await generateCryptoKeyPair(algorithm);
      made.push({ publicKey: await exportJwk(publicKey), privateKey: await exportJwk(privateKey) });
    }
    writeFileSync(file, JSON.stringify(made));
  }
  const found = [];
  for (const { publicKey, privateKey } of JSON.parse(readFileSync(file, "utf8"))) {
    found.push({
      publicKey: await importJwk(publicKey, "public"),
      privateKey: await importJwk(privateKey, "private"),
    });
  }
  return found;
}

export class Peer {
  static async make(origin, firstKnock, keyFile) {
    return new Peer(origin, firstKnock, await keyPairs(keyFile));
  }

  constructor(origin, firstKnock, pairs) {
    this.origin = origin;
    this.followers = new Map();
    this.objects = new Map();
    this.sent = new Map();
    this.received = [];
    this.requests = [];
    this.troubles = [];
    this.federation = createFederation({
      kv: new MemoryKvStore(),
      queue: new InProcessMessageQueue(),
      origin,
      firstKnock,
      allowPrivateAddress: true,
      onOutboxError: (error) => this.troubles.push(`sending: ${error.stack}`),
    });
    this.#actor(pairs);
    this.#objects();
    this.#inbox();
  }

  get context() {
    return this.federation.createContext(new URL(this.origin), undefined);
  }

  /** Answer a request, and remember how it was signed and what Fedify said to it. */
  async handle(request) {
    const text = request.method === "POST" ? await request.clone().text() : "";
    const response = await this.federation.fetch(request, { contextData: undefined });
    const { pathname, search } = new URL(request.url);
    this.requests.push({
      method: request.method,
      target: pathname + search,
      scheme: schemeOf(request.headers),
      status: response.status,
      id: identify(text),
    });
    return response;
  }

  #actor(pairs) {
    this.federation
      .setActorDispatcher("/users/{identifier}", async (context, identifier) => {
        if (identifier !== HANDLE) return null;
        const keys = await context.getActorKeyPairs(identifier);
        return new vocab.Person({
          id: context.getActorUri(identifier),
          preferredUsername: identifier,
          name: "Paul Sène",
          summary: "<p>Enseignant à Dakar</p>",
          inbox: context.getInboxUri(identifier),
          endpoints: new vocab.Endpoints({ sharedInbox: context.getInboxUri() }),
          followers: context.getFollowersUri(identifier),
          url: context.getActorUri(identifier),
          publicKey: keys[0].cryptographicKey,
          assertionMethods: keys.map((pair) => pair.multikey),
        });
      })
      .setKeyPairsDispatcher(() => pairs);
    this.federation.setFollowersDispatcher("/users/{identifier}/followers", () => ({
      items: [...this.followers.values()],
    }));
  }

  #objects() {
    const find = (context, { id }) => this.objects.get(context.getObjectUri(vocab.Note, { id }).href) ?? null;
    this.federation.setObjectDispatcher(vocab.Note, "/notes/{id}", find);
    // Only for those who sign: what a server in secure mode does.
    this.federation
      .setObjectDispatcher(vocab.Article, "/closed/{id}", (context, { id }) => {
        const uri = context.getObjectUri(vocab.Article, { id });
        return new vocab.Article({ id: uri, content: "<p>closed</p>" });
      })
      .authorize(async (context) => (await context.getSignedKeyOwner()) != null);
  }

  #inbox() {
    const listeners = this.federation.setInboxListeners("/users/{identifier}/inbox", "/inbox");
    for (const type of RECORDED) {
      listeners.on(vocab[type], async (context, activity) => {
        const entry = await describe(context, type, activity);
        if (type === "Undo" && entry.embedded?.type === "Follow") this.followers.delete(entry.actor);
        this.received.push(entry);
      });
    }
    listeners.onError((_, error) => {
      this.troubles.push(`receiving: ${error.stack}`);
    });
  }
}
