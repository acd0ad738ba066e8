/** What the test can ask: each verb takes one object and gives something that is JSON. */

import { signRequest } from "@fedify/fedify";
import * as vocab from "@fedify/fedify/vocab";
import { Temporal } from "@js-temporal/polyfill";

import { describeObject } from "./describe.mjs";
import { HANDLE } from "./peer.mjs";

const SENDER = { identifier: HANDLE };

export function makeVerbs(peer) {
  let number = 0;
  const author = () => peer.context.getActorUri(HANDLE);
  const url = (name) => new URL(`${peer.origin}/${name}/${++number}`);
  const crowd = () => ({ tos: [vocab.PUBLIC_COLLECTION], ccs: [peer.context.getFollowersUri(HANDLE)] });

  async function found(name) {
    const object = await peer.context.lookupObject(name);
    if (object == null) throw new Error(`Fedify finds nothing at ${name}.`);
    return object;
  }

  /** Queue an activity for actors and, when it is for everybody, for the followers. */
  async function send(Type, properties, recipients, followers = false) {
    const activity = new Type({ id: url("activities"), actor: author(), ...properties });
    peer.sent.set(activity.id.href, { activity, recipients, followers });
    for (const recipient of recipients) await peer.context.sendActivity(SENDER, recipient, activity);
    if (followers) await peer.context.sendActivity(SENDER, "followers", activity);
    return activity.id.href;
  }

  async function publish({ content, language = "fr", target = null }) {
    const parent = target == null ? null : await found(target);
    const named = parent == null ? [] : [await parent.getAttribution(peer.context)];
    const note = new vocab.Note({
      id: peer.context.getObjectUri(vocab.Note, { id: String(++number) }),
      attribution: author(),
      contents: [content, new vocab.LanguageString(content, language)],
      published: Temporal.Now.instant(),
      replyTarget: parent?.id,
      tags: named.map((actor) => new vocab.Mention({ href: actor.id, name: `@${actor.preferredUsername}` })),
      tos: [vocab.PUBLIC_COLLECTION],
      ccs: [peer.context.getFollowersUri(HANDLE), ...named.map((actor) => actor.id)],
    });
    peer.objects.set(note.id.href, note);
    const created = { object: note, tos: note.toIds, ccs: note.ccIds };
    const activity = await send(vocab.Create, created, named, named.length === 0);
    return { object: note.id.href, activity };
  }

  /** Like or Announce a post of somebody else. */
  async function about(Type, target, followers) {
    const object = await found(target);
    const owner = await object.getAttribution(peer.context);
    const audience = followers ? crowd() : { to: owner.id };
    return await send(Type, { object: object.id, ...audience }, [owner], followers);
  }

  function following(id) {
    const arrived = peer.received.find((entry) => entry.type === "Follow" && entry.id === id);
    if (arrived == null) throw new Error(`No Follow ${id} has arrived.`);
    const [actor, object] = [new URL(arrived.actor), new URL(arrived.object)];
    return new vocab.Follow({ id: new URL(id), actor, object });
  }

  return {
    async lookup({ name }) {
      return await describeObject(peer.context, await found(name));
    },

    async follow({ name }) {
      const target = await found(name);
      return await send(vocab.Follow, { object: target.id, to: target.id }, [target]);
    },

    async accept({ id }) {
      const follow = following(id);
      const follower = await found(follow.actorId.href);
      peer.followers.set(follower.id.href, follower);
      return await send(vocab.Accept, { object: follow, to: follower.id }, [follower]);
    },

    post: publish,
    reply: publish,

    like: ({ target }) => about(vocab.Like, target, false),
    announce: ({ target }) => about(vocab.Announce, target, true),

    async update({ object, content }) {
      const text = [content, new vocab.LanguageString(content, "fr")];
      const note = peer.objects.get(object).clone({ contents: text, updated: Temporal.Now.instant() });
      peer.objects.set(object, note);
      return await send(vocab.Update, { object: note, ...crowd() }, [], true);
    },

    async delete({ object }) {
      peer.objects.delete(object);
      const grave = new vocab.Tombstone({ id: new URL(object), deleted: Temporal.Now.instant() });
      return await send(vocab.Delete, { object: grave, ...crowd() }, [], true);
    },

    async undo({ id }) {
      const { activity, recipients, followers } = peer.sent.get(id);
      const undone = { object: activity, tos: activity.toIds, ccs: activity.ccIds };
      return await send(vocab.Undo, undone, recipients, followers);
    },

    /** Fetch with the person's signature, as Fedify's authenticated loader does. */
    async fetch({ name }) {
      const loader = await peer.context.getDocumentLoader(SENDER);
      return (await loader(name)).document;
    },

    /** The headers of a POST that Fedify signs but does not send. */
    async sign({ name, body, spec }) {
      const [{ privateKey, keyId }] = await peer.context.getActorKeyPairs(HANDLE);
      const headers = { "Content-Type": "application/activity+json" };
      const request = new Request(name, { method: "POST", headers, body });
      const signed = await signRequest(request, privateKey, keyId, { spec });
      return Object.fromEntries(signed.headers);
    },

    received: () => peer.received,
    requests: () => peer.requests,
    followers: () => [...peer.followers.keys()],
    troubles: () => peer.troubles,
  };
}
