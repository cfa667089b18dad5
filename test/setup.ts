// The Pulumi SDK reads a stack for every registration, and Jest maps each frame: fewer frames, faster tests.
Error.stackTraceLimit = 8;
// The AWS SDK's notice about a later Node floor is noise in test output.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = "true";
