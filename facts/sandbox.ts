/** By what the sandbox's own things are told from those of a real account. */

/** Path of the users that the sandbox makes for itself, such as its administrator; no real account uses it. */
export const SANDBOX_USER_PATH = "/cloud-federation-sandbox/";
