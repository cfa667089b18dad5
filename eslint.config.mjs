import globals from "globals";
import tseslint from "typescript-eslint";

/**
 * The one direction that imports go (docs/architecture.md). Each layer names what it may import; anything else of ours
 * is refused, whether imported statically, by `import()` or as a type.
 */
const layers = {
  facts: [],
  contract: ["facts"],
  trust: ["facts"],
  components: ["facts", "contract", "trust"],
  stacks: ["facts", "contract", "trust", "components"],
  verify: ["facts", "contract", "trust"],
  sandbox: ["facts", "trust"],
  engine: ["facts", "trust", "sandbox"],
};
const folders = [...Object.keys(layers), "cli", "quickstart", "test", "bench"];

const providerRoots = "^@pulumi/(aws|azure-native|gcp|kubernetes)$";
const providerRootMessage = "Import the service, such as @pulumi/aws/iam/index.js: the root costs seconds of every start.";

function boundary(layer) {
  const others = folders.filter((folder) => folder !== layer && !layers[layer].includes(folder)).join("|");
  const pattern = `^(\\.\\./)+(${others})/`;
  const message = `${layer}/ may import only: ${[layer, ...layers[layer]].join(", ")}.`;
  const escaped = pattern.replaceAll("/", "\\/");
  return {
    files: [`${layer}/**/*.ts`],
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: [{ regex: pattern, message }, { regex: providerRoots, message: providerRootMessage }] },
      ],
      "no-restricted-syntax": [
        "error",
        { selector: `ImportExpression[source.value=/${escaped}/]`, message },
        { selector: `TSImportType[source.value=/${escaped}/]`, message },
      ],
    },
  };
}

export default tseslint.config(
  { ignores: ["dist/", "node_modules/", "coverage/", "examples/**/node_modules/"] },
  {
    files: ["**/*.{js,cjs,mjs}"],
    languageOptions: { globals: globals.node },
  },
  {
    files: ["**/*.ts"],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ["examples/*/*.ts"] } } },
    rules: {
      "no-restricted-imports": ["error", { patterns: [{ regex: providerRoots, message: providerRootMessage }] }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      // Asynchronous by contract: a service's operation may answer at once and still has to return a promise.
      "@typescript-eslint/require-await": "off",
      "@typescript-eslint/no-unnecessary-type-parameters": "off",
      "@typescript-eslint/no-non-null-assertion": "error",
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
    },
  },
  ...Object.keys(layers).map(boundary),
  {
    files: ["test/**/*.ts"],
    rules: {
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/unbound-method": "off",
    },
  },
);
