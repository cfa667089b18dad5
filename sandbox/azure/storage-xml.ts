/** Writes and reads the XML of the Blob service. */
import { XMLParser, XMLValidator } from "fast-xml-parser";

export const XML_TYPE = "application/xml";
/** The service's documents begin with a byte order mark. */
const DECLARATION = '\uFEFF<?xml version="1.0" encoding="utf-8"?>';

const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;" };

export const escapeXml = (text: string): string => text.replaceAll(/[&<>"\r]/g, (character) => ESCAPES[character] ?? character);

/** Already escaped markup. */
export class Markup {
  constructor(readonly text: string) {}
}

export type Content = string | number | boolean | undefined | readonly (Markup | undefined)[];

/** Of undefined content an empty element. */
export function element(name: string, content: Content, attributes: Readonly<Record<string, string>> = {}): Markup {
  const start = [name, ...Object.entries(attributes).map(([key, value]) => `${key}="${escapeXml(value)}"`)].join(" ");
  const inner = typeof content === "object" ? content.map((each) => each?.text ?? "").join("") : escapeXml(String(content ?? ""));
  return new Markup(inner === "" ? `<${start} />` : `<${start}>${inner}</${name}>`);
}

/** None where there is no content. */
export const optional = (name: string, content: string | number | boolean | undefined): Markup | undefined => (content === undefined ? undefined : element(name, content));

export function xmlDocument(name: string, content: Content, attributes: Readonly<Record<string, string>> = {}): string {
  return `${DECLARATION}${element(name, content, attributes).text}`;
}

const parser = new XMLParser({ preserveOrder: true, ignoreAttributes: true, parseTagValue: false, trimValues: true, processEntities: false, ignoreDeclaration: true });

/** Names and texts of the elements below the root, in order; undefined for what is no such document. */
export function readList(document: string, root: string): { name: string; text: string }[] | undefined {
  if (XMLValidator.validate(document) !== true) return undefined;
  const found = (parser.parse(document) as Record<string, unknown>[]).find((each) => root in each)?.[root];
  if (!Array.isArray(found)) return undefined;
  return (found as Record<string, unknown>[]).flatMap((each) => Object.entries(each).map(([name, content]) => ({ name, text: textOf(content) })));
}

function textOf(content: unknown): string {
  if (!Array.isArray(content)) return "";
  return (content as Record<string, unknown>[]).map((each) => (typeof each["#text"] === "string" ? each["#text"] : "")).join("");
}
