/**
 * The Common Expression Language as Google takes it: which functions there are, and how long an expression may be.
 * https://cloud.google.com/iam/docs/workload-identity-federation#mapping
 * https://cloud.google.com/iam/docs/conditions-overview and https://cloud.google.com/iam/docs/conditions-attribute-reference
 */

/** Operators and conversions of the language itself. https://github.com/google/cel-spec/blob/master/doc/langdef.md */
export const CEL_STANDARD_FUNCTIONS: readonly string[] = [
  ..."_?_:_ _||_ _&&_ !_ -_ _==_ _!=_ _<_ _<=_ _>_ _>=_ _+_ _-_ _*_ _/_ _%_ @in _[_]".split(" "),
  // What the macros exists, exists_one, all, map and filter become.
  "@not_strictly_false",
  ..."size string int uint double bool bytes dyn type".split(" "),
  ..."startsWith endsWith contains matches".split(" "),
];

/** Of attribute mappings and attribute conditions of pool providers, in addition. */
export const ATTRIBUTE_FUNCTIONS: readonly string[] = ["extract", "split", "join", "lowerAscii", "upperAscii", "replace"];

/** Of conditions in IAM policies, in addition. */
export const IAM_CONDITION_FUNCTIONS: readonly string[] = [
  "extract",
  ..."timestamp duration date".split(" "),
  ..."getDate getDayOfMonth getDayOfWeek getDayOfYear getFullYear getHours getMilliseconds getMinutes getMonth getSeconds".split(" "),
  ..."hasOnly getAttribute matchTag matchTagId hasTagKey hasTagKeyId".split(" "),
];

/** `&&`, `||` and `!` in one condition. https://cloud.google.com/iam/docs/conditions-overview#limits */
export const MAX_CONDITION_OPERATORS = 12;
