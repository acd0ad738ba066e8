/** What Fedify understood of something: from its typed objects, written by them, and by JSON-LD expansion. */

import * as vocab from "@fedify/fedify/vocab";
import jsonld from "jsonld";

const EMBEDS = [vocab.Create, vocab.Update, vocab.Delete, vocab.Undo];
const ESN = "https://educationsolidarite.org/ns/esnfed#";

const hrefs = (urls) => urls.map((url) => url.href);

async function all(items) {
  const found = [];
  for await (const item of items) found.push(item);
  return found;
}

/** An activity: `object` is described when it is embedded in one whose author must be its owner. */
export async function describe(context, type, activity) {
  const object = EMBEDS.some((kind) => activity instanceof kind) ? await activity.getObject(context) : null;
  const document = await activity.toJsonLd({ contextLoader: context.contextLoader });
  return {
    type,
    id: activity.id.href,
    actor: activity.actorId.href,
    object: activity.objectId?.href ?? null,
    to: hrefs(activity.toIds),
    cc: hrefs(activity.ccIds),
    embedded: object == null ? null : await describeObject(context, object),
    document,
    compacted: await compact(context, document),
  };
}

/**
 * An object. `written` is what its typed properties give, nothing else; `kept` is what Fedify stores and
 * passes on, which for an object taken out of an activity is no more than that; `compacted` is `kept` after
 * expansion and compaction with the context of ActivityStreams and our one term.
 */
export async function describeObject(context, object) {
  const options = { contextLoader: context.contextLoader };
  const kept = await object.toJsonLd(options);
  const described = {
    type: object.constructor.name,
    id: object.id?.href ?? null,
    kept,
    written: await object.toJsonLd({ ...options, format: "compact" }),
    compacted: await compact(context, kept),
  };
  if (!(object instanceof vocab.Note)) return described;
  return {
    ...described,
    content: object.content?.toString() ?? null,
    contents: object.contents.map((text) => [text.locale?.toString() ?? null, text.toString()]),
    to: hrefs(object.toIds),
    cc: hrefs(object.ccIds),
    attribution: object.attributionId?.href ?? null,
    inReplyTo: object.replyTargetId?.href ?? null,
    url: object.url?.href ?? null,
    published: object.published?.epochMilliseconds ?? null,
    updated: object.updated?.epochMilliseconds ?? null,
    endTime: object.endTime?.epochMilliseconds ?? null,
    tags: (await all(object.getTags(context))).map((tag) => [
      tag.constructor.name,
      tag.name?.toString() ?? null,
      tag.href?.href ?? null,
    ]),
    attachments: (await all(object.getAttachments(context))).map((item) => [
      item.constructor.name,
      (item.href ?? item.url)?.href ?? null,
      item.mediaType,
    ]),
  };
}

async function compact(context, document) {
  const ours = { esn: ESN, "esn:record": { "@id": `${ESN}record`, "@type": "@json" } };
  const terms = ["https://www.w3.org/ns/activitystreams", ours];
  const options = { documentLoader: context.contextLoader };
  return await jsonld.compact(await jsonld.expand(document, options), terms, options);
}
