/**
 * Field numbers of the messages that clients send in Protobuf.
 * https://github.com/kubernetes/api (`generated.proto` of each group) and apimachinery's `meta/v1`, graded documented.
 */

/** `string`, `bytes`, `int`, `bool`, `message:NAME`, `map` (of texts), `bytesMap`, `quantityMap`; `[]` before it for repeated fields. */
export type FieldType = string;
export type Message = Readonly<Record<number, readonly [name: string, type: FieldType]>>;

const meta = { 1: ["metadata", "message:ObjectMeta"] } as const;
const binding: Message = { ...meta, 2: ["subjects", "[]message:Subject"], 3: ["roleRef", "message:RoleRef"] };
const review: Message = { ...meta, 2: ["spec", "message:AccessReviewSpec"] };

export const MESSAGES: Readonly<Record<string, Message>> = {
  // meta/v1
  ObjectMeta: { 1: ["name", "string"], 2: ["generateName", "string"], 3: ["namespace", "string"], 5: ["uid", "string"], 6: ["resourceVersion", "string"], 11: ["labels", "map"], 12: ["annotations", "map"], 14: ["finalizers", "[]string"] },
  LabelSelector: { 1: ["matchLabels", "map"], 2: ["matchExpressions", "[]message:LabelSelectorRequirement"] },
  LabelSelectorRequirement: { 1: ["key", "string"], 2: ["operator", "string"], 3: ["values", "[]string"] },
  // core/v1
  Namespace: { ...meta },
  ServiceAccount: { ...meta, 3: ["imagePullSecrets", "[]message:LocalObjectReference"], 4: ["automountServiceAccountToken", "bool"] },
  ConfigMap: { ...meta, 2: ["data", "map"], 3: ["binaryData", "bytesMap"], 4: ["immutable", "bool"] },
  Secret: { ...meta, 2: ["data", "bytesMap"], 3: ["type", "string"], 4: ["stringData", "map"], 5: ["immutable", "bool"] },
  LocalObjectReference: { 1: ["name", "string"] },
  PodTemplateSpec: { ...meta, 2: ["spec", "message:PodSpec"] },
  PodSpec: { 2: ["containers", "[]message:Container"], 3: ["restartPolicy", "string"], 8: ["serviceAccountName", "string"], 15: ["imagePullSecrets", "[]message:LocalObjectReference"], 20: ["initContainers", "[]message:Container"] },
  Container: {
    1: ["name", "string"],
    2: ["image", "string"],
    3: ["command", "[]string"],
    4: ["args", "[]string"],
    5: ["workingDir", "string"],
    6: ["ports", "[]message:ContainerPort"],
    7: ["env", "[]message:EnvVar"],
    8: ["resources", "message:ResourceRequirements"],
    14: ["imagePullPolicy", "string"],
  },
  ContainerPort: { 1: ["name", "string"], 3: ["containerPort", "int"], 4: ["protocol", "string"] },
  EnvVar: { 1: ["name", "string"], 2: ["value", "string"] },
  ResourceRequirements: { 1: ["limits", "quantityMap"], 2: ["requests", "quantityMap"] },
  // apps/v1
  Deployment: { ...meta, 2: ["spec", "message:DeploymentSpec"] },
  DeploymentSpec: {
    1: ["replicas", "int"],
    2: ["selector", "message:LabelSelector"],
    3: ["template", "message:PodTemplateSpec"],
    4: ["strategy", "message:DeploymentStrategy"],
    6: ["revisionHistoryLimit", "int"],
    9: ["progressDeadlineSeconds", "int"],
  },
  DeploymentStrategy: { 1: ["type", "string"] },
  // rbac.authorization.k8s.io/v1
  PolicyRule: { 1: ["verbs", "[]string"], 2: ["apiGroups", "[]string"], 3: ["resources", "[]string"], 4: ["resourceNames", "[]string"], 5: ["nonResourceURLs", "[]string"] },
  Role: { ...meta, 2: ["rules", "[]message:PolicyRule"] },
  ClusterRole: { ...meta, 2: ["rules", "[]message:PolicyRule"], 3: ["aggregationRule", "message:AggregationRule"] },
  AggregationRule: { 1: ["clusterRoleSelectors", "[]message:LabelSelector"] },
  RoleBinding: binding,
  ClusterRoleBinding: binding,
  Subject: { 1: ["kind", "string"], 2: ["apiGroup", "string"], 3: ["name", "string"], 4: ["namespace", "string"] },
  RoleRef: { 1: ["apiGroup", "string"], 2: ["kind", "string"], 3: ["name", "string"] },
  // authorization.k8s.io/v1
  SelfSubjectAccessReview: review,
  SubjectAccessReview: review,
  LocalSubjectAccessReview: review,
  AccessReviewSpec: { 1: ["resourceAttributes", "message:ResourceAttributes"], 2: ["nonResourceAttributes", "message:NonResourceAttributes"], 3: ["user", "string"], 4: ["groups", "[]string"], 6: ["uid", "string"] },
  ResourceAttributes: { 1: ["namespace", "string"], 2: ["verb", "string"], 3: ["group", "string"], 4: ["version", "string"], 5: ["resource", "string"], 6: ["subresource", "string"], 7: ["name", "string"] },
  NonResourceAttributes: { 1: ["path", "string"], 2: ["verb", "string"] },
  SelfSubjectRulesReview: { ...meta, 2: ["spec", "message:SelfSubjectRulesReviewSpec"] },
  SelfSubjectRulesReviewSpec: { 1: ["namespace", "string"] },
  // authentication.k8s.io/v1
  SelfSubjectReview: { ...meta },
  TokenRequest: { ...meta, 2: ["spec", "message:TokenRequestSpec"] },
  TokenRequestSpec: { 1: ["audiences", "[]string"], 3: ["boundObjectRef", "message:BoundObjectReference"], 4: ["expirationSeconds", "int"] },
  BoundObjectReference: { 1: ["kind", "string"], 2: ["apiVersion", "string"], 3: ["name", "string"], 4: ["uid", "string"] },
  TokenReview: { ...meta, 2: ["spec", "message:TokenReviewSpec"] },
  TokenReviewSpec: { 1: ["token", "string"], 2: ["audiences", "[]string"] },
  // meta/v1, at the end of a DELETE
  DeleteOptions: { 1: ["gracePeriodSeconds", "int"], 2: ["preconditions", "message:Preconditions"], 4: ["propagationPolicy", "string"], 5: ["dryRun", "[]string"] },
  Preconditions: { 1: ["uid", "string"], 2: ["resourceVersion", "string"] },
};
