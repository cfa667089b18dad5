/** How the sandbox "runs" a container: what it answers is written on its image. */

/** An image with this label answers `{"statusCode", "headers", "body"}` as the label's JSON says. */
export const RESPONSE_LABEL = "cloud-federation.sandbox.response";
