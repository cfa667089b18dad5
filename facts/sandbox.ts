/** By what the sandbox's own things are told from those of a real account. */

/** Path of the users that the sandbox makes for itself, such as its administrator; no real account uses it. */
export const SANDBOX_USER_PATH = "/cloud-federation-sandbox/";

/** Label of the projects that the sandbox makes for itself, with the value `true`; no real project has it. */
export const SANDBOX_PROJECT_LABEL = "cloud-federation-sandbox";

/** Tag of the subscriptions that the sandbox makes for itself, with the value `true`; no real subscription has it. */
export const SANDBOX_SUBSCRIPTION_TAG = "cloud-federation-sandbox";

/** How every secret of the sandbox begins: nobody takes it for a real one, and it can be looked for in what is printed. */
export const SANDBOX_SECRET_MARK = "SANDBOXSECRET";

/** Set, to the sandbox's address, in a shell that is pointed at one. */
export const SANDBOX_VARIABLE = "CLOUD_FEDERATION_SANDBOX";
