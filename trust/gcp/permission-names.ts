/** The names of a permission: in roles `storage.objects.get`, in deny policies `storage.googleapis.com/objects.get`. */

/** Services whose permissions begin otherwise than their host name. https://cloud.google.com/iam/docs/deny-permissions-support */
const SERVICES: Readonly<Record<string, string>> = { resourcemanager: "cloudresourcemanager.googleapis.com" };

/** As deny policies name it. A permission that roles already name so (`iam.googleapis.com/workloadIdentityPools.get`) stays. */
export function denyName(permission: string): string {
  if (permission.includes("/")) return permission;
  const dot = permission.indexOf(".");
  const prefix = permission.slice(0, dot);
  return `${SERVICES[prefix] ?? `${prefix}.googleapis.com`}/${permission.slice(dot + 1)}`;
}

/** Whether a deny policy's permission or group (`s/r.*`, `s/*.v`, `s/*.*`) has the permission in it. */
export function deniesPermission(denied: string, permission: string): boolean {
  const [service, rest] = splitAt(denied, "/");
  const [ownService, ownRest] = splitAt(denyName(permission), "/");
  if (service !== ownService) return false;
  const [resource, verb] = splitAtLast(rest, ".");
  const [ownResource, ownVerb] = splitAtLast(ownRest, ".");
  return (resource === "*" || resource === ownResource) && (verb === "*" || verb === ownVerb);
}

function splitAt(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  return [text.slice(0, at), text.slice(at + 1)];
}

function splitAtLast(text: string, mark: string): [string, string] {
  const at = text.lastIndexOf(mark);
  return [text.slice(0, at), text.slice(at + 1)];
}
