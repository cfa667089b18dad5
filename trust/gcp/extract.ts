/**
 * Google's own CEL function: the text between the template's prefix and its suffix, `""` where either is not found.
 * https://cloud.google.com/iam/docs/conditions-attribute-reference#extract
 *
 * @throws Error for a template without exactly one `{name}`
 */
export function extract(value: string, template: string): string {
  const parts = /^([^{}]*)\{[^{}]*\}([^{}]*)$/.exec(template);
  if (parts === null) throw new Error(`extract needs a template with exactly one {name}; got ${JSON.stringify(template)}`);
  const [, prefix = "", suffix = ""] = parts;
  const found = value.indexOf(prefix);
  if (found < 0) return "";
  const rest = value.slice(found + prefix.length);
  if (suffix === "") return rest;
  const end = rest.indexOf(suffix);
  return end < 0 ? "" : rest.slice(0, end);
}
