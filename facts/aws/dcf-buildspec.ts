/**
 * DCF's standard buildspec, as far as it can be concluded from what DCF's documentation says that it needs: its inputs,
 * its two error lines, the rights of the build role. Its text is not published; this file is the one place to replace
 * when it is.
 */

/** Assumed: no claim about a real account may rest on it. */
export const dcfBuildspecGrade = "assumed";

/** Environment variables that the platform gives with every build (`environmentVariablesOverride`). */
export const dcfBuildOverrides = ["S3_BUCKET", "S3_KEY", "FUNCTION_NAME", "AWS_REGION"] as const;

/** Environment variables that the project must define. The buildspec says `<NAME> is required` where one is missing. */
export const dcfProjectVariables = ["ECR_REPOSITORY_URI", "LAMBDA_EXECUTION_ROLE_ARN"] as const;

/** `true` (default) gives the function a URL that everybody may call, `false` gives it none. */
export const dcfPublicUrlVariable = "PUBLIC_URL";

/** Where the platform stages the archive that a build deploys. */
export const dcfArtifactKey = "builds/app.zip";

/** Ids of the statements by which a public URL is let in. */
export const dcfPermissionStatements = ["FunctionURLAllowPublicAccess", "FunctionURLInvokeAllowPublicAccess"] as const;

/**
 * Staged archive to Lambda function: the archive holds a Dockerfile at its root; the image is tagged with the function's
 * name, so a second build of the same function moves the tag.
 */
export const dcfBuildspec = `version: 0.2

phases:
  pre_build:
    commands:
      - if [ -z "$ECR_REPOSITORY_URI" ]; then echo "ECR_REPOSITORY_URI is required" >&2; exit 1; fi
      - if [ -z "$LAMBDA_EXECUTION_ROLE_ARN" ]; then echo "LAMBDA_EXECUTION_ROLE_ARN is required" >&2; exit 1; fi
      - aws s3 cp "s3://$S3_BUCKET/$S3_KEY" app.zip
      - unzip -q app.zip -d app
      - aws ecr get-login-password --region "$AWS_REGION" | docker login --username AWS --password-stdin "\${ECR_REPOSITORY_URI%%/*}"
  build:
    commands:
      - IMAGE_URI="$ECR_REPOSITORY_URI:$FUNCTION_NAME"
      - docker build -t "$IMAGE_URI" app
      - docker push "$IMAGE_URI"
  post_build:
    commands:
      - if [ "$CODEBUILD_BUILD_SUCCEEDING" = "0" ]; then echo "The image was not published; the function stays as it is" >&2; exit 1; fi
      - |
        if aws lambda get-function --function-name "$FUNCTION_NAME" > function.json 2> lookup.txt; then
          aws lambda update-function-code --function-name "$FUNCTION_NAME" --image-uri "$IMAGE_URI" > /dev/null &&
          aws lambda wait function-updated --function-name "$FUNCTION_NAME" &&
          aws lambda update-function-configuration --function-name "$FUNCTION_NAME" --role "$LAMBDA_EXECUTION_ROLE_ARN" --timeout 30 --memory-size 512 > /dev/null &&
          aws lambda wait function-updated --function-name "$FUNCTION_NAME"
        elif grep -q ResourceNotFoundException lookup.txt; then
          aws lambda create-function --function-name "$FUNCTION_NAME" --package-type Image --code ImageUri="$IMAGE_URI" --role "$LAMBDA_EXECUTION_ROLE_ARN" --timeout 30 --memory-size 512 --tags ManagedBy=dcf > /dev/null &&
          aws lambda wait function-active --function-name "$FUNCTION_NAME"
        else
          cat lookup.txt >&2
          exit 1
        fi
      - |
        if [ "\${PUBLIC_URL:-true}" = "true" ]; then
          if aws lambda get-function-url-config --function-name "$FUNCTION_NAME" > url.json 2> lookup.txt; then
            aws lambda update-function-url-config --function-name "$FUNCTION_NAME" --auth-type NONE > url.json || exit 1
          elif grep -q ResourceNotFoundException lookup.txt; then
            aws lambda create-function-url-config --function-name "$FUNCTION_NAME" --auth-type NONE > url.json || exit 1
          else
            cat lookup.txt >&2
            exit 1
          fi
          aws lambda add-permission --function-name "$FUNCTION_NAME" --statement-id ${dcfPermissionStatements[0]} --action lambda:InvokeFunctionUrl --principal "*" --function-url-auth-type NONE > /dev/null 2> lookup.txt || grep -q ResourceConflictException lookup.txt || { cat lookup.txt >&2; exit 1; }
          aws lambda add-permission --function-name "$FUNCTION_NAME" --statement-id ${dcfPermissionStatements[1]} --action lambda:InvokeFunction --principal "*" --invoked-via-function-url > /dev/null 2> lookup.txt || grep -q ResourceConflictException lookup.txt || { cat lookup.txt >&2; exit 1; }
          cat url.json
        fi
`;
