/**
 * Fills the Secrets of type kubernetes.io/service-account-token with what a client needs to act as the account, and
 * deletes those whose account is gone (upstream: pkg/controller/serviceaccount/tokens_controller.go). Keys:
 *
 *   <namespace>/<secret>            the Secret itself
 *   account/<namespace>/<account>   every Secret of an account that came or went
 */
import { Secret } from "../api/core/secret.ts";
import { ServiceAccount } from "../api/core/service-account.ts";
import { openSigner } from "../auth/authentication/json-web-token.ts";
import { type Lister, splitKey } from "../client/informer/object-store.ts";
import { isReason } from "../client/status.ts";
import type { WorkResult } from "../client/work-queue/work-queue.ts";
import { type ControllerContext, defineController, input } from "./runtime/controller.ts";

type Inputs = { accounts: ServiceAccount; secrets: Secret };
type Listers = { readonly [N in keyof Inputs]: Lister<Inputs[N]> };

const TYPE = "kubernetes.io/service-account-token";
const NAME = "kubernetes.io/service-account.name";
const UID = "kubernetes.io/service-account.uid";
/** The issuer by which the API server knows tokens that live in Secrets. */
const ISSUER = "kubernetes/serviceaccount";
const ACCOUNT = "account/";

export const serviceAccountTokenController = defineController<Inputs>({
  name: "serviceaccount-token-controller",
  account: "kube-controller-manager",
  queue: "serviceaccount_tokens_secret",
  workers: 5,
  inputs: {
    accounts: input(ServiceAccount, ({ key, now, was }) =>
      now?.metadata.uid === was?.metadata.uid ? [] : [ACCOUNT + key],
    ),
    secrets: input(
      Secret,
      ({ key, now }) => (now ? [key] : []),
      { fieldSelector: `type=${TYPE}` },
      { serviceAccountName: (secret) => [`${secret.metadata.namespace}/${accountOf(secret)}`] },
    ),
  },
  start(context, listers) {
    const { serviceAccountKey } = context.settings;
    if (serviceAccountKey === undefined) return async () => undefined;
    const tokens = new Tokens(context, listers, openSigner(serviceAccountKey));
    return async (key) =>
      key.startsWith(ACCOUNT) ? tokens.reconcileAccount(key.slice(ACCOUNT.length)) : tokens.reconcile(key);
  },
});

function accountOf({ metadata: { annotations = {} } }: Secret): string {
  return annotations[NAME] ?? "";
}

class Tokens {
  private readonly context: ControllerContext;
  private readonly listers: Listers;
  private readonly sign: ReturnType<typeof openSigner>;

  constructor(context: ControllerContext, listers: Listers, sign: ReturnType<typeof openSigner>) {
    this.context = context;
    this.listers = listers;
    this.sign = sign;
  }

  reconcileAccount(key: string): undefined {
    for (const { metadata } of this.listers.secrets.by("serviceAccountName", key)) {
      this.context.again(`${metadata.namespace}/${metadata.name}`);
    }
    return undefined;
  }

  async reconcile(key: string): Promise<WorkResult> {
    const { namespace, name } = splitKey(key);
    const secret = this.listers.secrets.get(namespace, name);
    if (!secret || secret.metadata.deletionTimestamp !== undefined) return undefined;
    const account = await this.find(secret);
    try {
      if (account) await this.fill(secret, account);
      else await this.delete(secret);
    } catch (error) {
      if (!isReason(error, "NotFound")) throw error;
    }
    return undefined;
  }

  /** Asks the server before it says that there is none: what it says is followed by a delete. */
  private async find(secret: Secret): Promise<ServiceAccount | undefined> {
    const { namespace = "", annotations = {} } = secret.metadata;
    const name = accountOf(secret);
    if (name === "") return undefined;
    const uid = annotations[UID] ?? "";
    const isMeant = (account: ServiceAccount | undefined) => uid === "" || account?.metadata.uid === uid;
    const known = this.listers.accounts.get(namespace, name);
    if (known && isMeant(known)) return known;
    try {
      const account = await this.context.client.resource(ServiceAccount, namespace).get(name);
      return isMeant(account) ? account : undefined;
    } catch (error) {
      if (isReason(error, "NotFound")) return undefined;
      throw error;
    }
  }

  private async fill(secret: Secret, account: ServiceAccount): Promise<void> {
    const { metadata, data = {} } = secret;
    const { namespace = "", name = "", annotations = {} } = metadata;
    const missing = new Map<string, string>();
    const { rootCA } = this.context.settings;
    const ca = Buffer.from(rootCA).toString("base64");
    if (rootCA !== "" && data["ca.crt"] !== ca) missing.set("ca.crt", ca);
    if (!data.namespace) missing.set("namespace", Buffer.from(namespace).toString("base64"));
    if (!data.token) {
      const token = this.sign(legacyClaims(namespace, name, account));
      missing.set("token", Buffer.from(token).toString("base64"));
    }
    const { name: accountName = "", uid = "" } = account.metadata;
    const named = annotations[NAME] === accountName && annotations[UID] === uid;
    if (missing.size === 0 && named) return;
    await this.context.client.resource(Secret, namespace).update({
      ...secret,
      metadata: { ...metadata, annotations: { ...annotations, [NAME]: accountName, [UID]: uid } },
      data: { ...data, ...Object.fromEntries(missing) },
    });
  }

  private async delete({ metadata }: Secret): Promise<void> {
    const { namespace, name = "", uid, resourceVersion } = metadata;
    const preconditions = { uid, resourceVersion };
    await this.context.client.resource(Secret, namespace).delete(name, { preconditions });
  }
}

/** Such tokens do not expire: they hold as long as their Secret holds them. */
function legacyClaims(namespace: string, secret: string, { metadata }: ServiceAccount) {
  return {
    iss: ISSUER,
    sub: `system:serviceaccount:${namespace}:${metadata.name}`,
    "kubernetes.io/serviceaccount/namespace": namespace,
    "kubernetes.io/serviceaccount/secret.name": secret,
    "kubernetes.io/serviceaccount/service-account.name": metadata.name,
    "kubernetes.io/serviceaccount/service-account.uid": metadata.uid,
  };
}
