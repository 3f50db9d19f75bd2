/** Who may do what, put together from its parts: authentication methods, authorizers, the token port. */

import { Node } from "../api/core/node.ts";
import { Pod } from "../api/core/pod/pod.ts";
import { Secret } from "../api/core/secret.ts";
import { ServiceAccount } from "../api/core/service-account.ts";
import type { KubeObject } from "../api/object.ts";
import type { ObjectReader, TokenPort } from "../api/ports.ts";
import { ClusterRole } from "../api/rbac/cluster-role.ts";
import { ClusterRoleBinding } from "../api/rbac/cluster-role-binding.ts";
import { Role } from "../api/rbac/role.ts";
import { RoleBinding } from "../api/rbac/role-binding.ts";
import type { Resource } from "../api/resource.ts";
import type { Authorizer } from "../api/user.ts";
import { anyTokenMethod, makeAuthenticator } from "../auth/authentication/authenticator.ts";
import { bootstrapTokenMethod, type StoredSecret } from "../auth/authentication/bootstrap-token.ts";
import {
  openSigner,
  readVerificationKeys,
  type VerificationKey,
} from "../auth/authentication/json-web-token.ts";
import { requestHeaderMethod } from "../auth/authentication/request-header.ts";
import { serviceAccountTokenMethod } from "../auth/authentication/service-account-tokens.ts";
import { tokenFileMethod } from "../auth/authentication/token-file.ts";
import { makeTokenPort } from "../auth/authentication/tokens.ts";
import { x509Method } from "../auth/authentication/x509.ts";
import { openRBAC, type RBACAuthorizer, type RBACKinds } from "../auth/authorization/rbac.ts";
import { anyAuthorizer } from "../auth/authorization/union.ts";
import type { Clock } from "../base/clock.ts";
import type { RequestAuthenticator } from "./filters/authenticate.ts";

/** What the server trusts; PEM texts. */
export interface Credentials {
  clientCA: string;
  frontProxyCA: string;
  serviceAccountPrivateKey: string;
  /** One or more public keys: tokens signed by the key of any of them are taken. */
  serviceAccountPublicKeys: string;
  /** The text of a static token file; off by default. */
  tokenFile?: string;
}

export interface AccessOptions extends Credentials {
  reader: ObjectReader;
  clock: Clock;
  uuid: () => string;
  issuer: string;
  /** Asked before RBAC: the node authorizer. */
  authorizers: readonly Authorizer[];
}

export interface Access {
  authenticator: RequestAuthenticator;
  authorizer: Authorizer;
  rbac: RBACAuthorizer;
  tokens: TokenPort;
  keys: readonly VerificationKey[];
  /** Takes other CAs from now on. */
  trust(bundles: { clientCA: string; frontProxyCA: string }): void;
}

export const RBAC_KINDS = {
  roles: Role,
  clusterRoles: ClusterRole,
  roleBindings: RoleBinding,
  clusterRoleBindings: ClusterRoleBinding,
} as unknown as RBACKinds;

/** Common names that may speak for others, as kubeadm sets it. */
const FRONT_PROXY_NAMES = ["front-proxy-client"];

export function openAccess(options: AccessOptions): Access {
  const { reader, clock, issuer } = options;
  const audiences = [issuer];
  const keys = readVerificationKeys(options.serviceAccountPublicKeys);
  const x509 = x509Method({ bundle: options.clientCA, clock });
  const proxy = requestHeaderMethod({ bundle: options.frontProxyCA, allowedNames: FRONT_PROXY_NAMES, clock });
  const tokenMethods = anyTokenMethod([
    ...(options.tokenFile ? [tokenFileMethod(options.tokenFile)] : []),
    serviceAccountTokenMethod({
      issuers: [issuer],
      audiences,
      keys,
      reader,
      kinds: {
        serviceAccounts: ServiceAccount as unknown as Resource<KubeObject>,
        secrets: Secret as unknown as Resource<StoredSecret>,
        pods: Pod as unknown as Resource<KubeObject>,
        nodes: Node as unknown as Resource<KubeObject>,
      },
      clock,
    }),
    bootstrapTokenMethod({ reader, secrets: Secret as unknown as Resource<StoredSecret>, clock }),
  ]);
  const rbac = openRBAC(reader, RBAC_KINDS);
  return {
    authenticator: makeAuthenticator({ requests: [proxy, x509], tokens: tokenMethods }),
    authorizer: anyAuthorizer([...options.authorizers, rbac]),
    rbac,
    keys,
    tokens: makeTokenPort({
      sign: openSigner(options.serviceAccountPrivateKey),
      issuer,
      audiences,
      methods: tokenMethods,
      clock,
      uuid: options.uuid,
    }),
    trust({ clientCA, frontProxyCA }) {
      x509.trust(clientCA);
      proxy.trust(frontProxyCA);
    },
  };
}
