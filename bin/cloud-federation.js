#!/usr/bin/env node
"use strict";
let main;
try {
  ({ main } = require("../dist/cli/main.js"));
} catch (error) {
  if (error.code !== "MODULE_NOT_FOUND" || !String(error.message).includes("dist")) throw error;
  console.error("cloud-federation is not built: run `npm ci` (or `npm run build`) in its folder first.");
  process.exit(2);
}
void main(process.argv);
