/** One Fedify federation with one person, and everything that reached it or went wrong, in memory. */

import {
  createFederation,
  generateCryptoKeyPair,
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

export class Peer {
  static async make(origin, firstKnock) {
    const pairs = [await generateCryptoKeyPair("RSASSA-PKCS1-v1_5"), await generateCryptoKeyPair("Ed25519")];
    return new Peer(origin, firstKnock, pairs);
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
        return new vocab.Article({ id: context.getObjectUri(vocab.Article, { id }), content: "<p>closed</p>" });
      })
      .authorize(async (context) => (await context.getSignedKeyOwner()) != null);
  }

  #inbox() {
    const listeners = this.federation.setInboxListeners("/users/{identifier}/inbox", "/inbox");
    for (const type of RECORDED) {
      listeners.on(vocab[type], async (context, activity) => {
        if (activity instanceof vocab.Undo) this.followers.delete(activity.actorId.href);
        this.received.push(await describe(context, type, activity));
      });
    }
    listeners.onError((_, error) => {
      this.troubles.push(`receiving: ${error.stack}`);
    });
  }
}
