/** Everything that decides who makes a request and what they may do, opened for a running server. */

import { Node } from "../api/core/node.ts";
import { PersistentVolume } from "../api/core/persistent-volume.ts";
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
import { VolumeAttachment } from "../api/storage/volume-attachment.ts";
import type { Authorizer } from "../api/user.ts";
import type { Clock } from "../base/clock.ts";
import { type Authenticator, anyTokenMethod, makeAuthenticator } from "./authentication/authenticator.ts";
import { bootstrapTokenMethod } from "./authentication/bootstrap-token.ts";
import { openSigner, readVerificationKeys, type VerificationKey } from "./authentication/json-web-token.ts";
import { requestHeaderMethod } from "./authentication/request-header.ts";
import { type BindableKinds, serviceAccountTokenMethod } from "./authentication/service-account-tokens.ts";
import { tokenFileMethod } from "./authentication/token-file.ts";
import { makeTokenPort } from "./authentication/tokens.ts";
import { x509Method } from "./authentication/x509.ts";
import { nodeAuthorizer } from "./authorization/node/node-authorizer.ts";
import { type NodeGraphKinds, openNodeGraph } from "./authorization/node/node-graph.ts";
import { openRBAC, type RBACAuthorizer, type RBACKinds } from "./authorization/rbac.ts";
import { anyAuthorizer } from "./authorization/union.ts";

export interface AuthOptions {
  reader: ObjectReader;
  clock: Clock;
  uuid: () => string;
  /** Bundles of authorities, PEM. */
  clientCA: string;
  frontProxyCA: string;
  /** The private key that signs service account tokens, PEM, and further public keys that are still taken. */
  serviceAccountKey: string;
  serviceAccountPublicKeys?: string;
  issuer?: string;
  audiences?: readonly string[];
  /** The content of a token file, where the operator has one. */
  tokenFile?: string;
  anonymousPaths?: readonly string[];
  refused?: (why: string) => void;
}

export interface Auth {
  authenticator: Authenticator;
  /** system:masters, Node, RBAC. */
  authorizer: Authorizer;
  rbac: RBACAuthorizer;
  tokens: TokenPort;
  issuer: string;
  verificationKeys: readonly VerificationKey[];
  /** After new certificates were laid down. */
  trust(bundles: { clientCA?: string; frontProxyCA?: string }): void;
  close(): void;
}

const ISSUER = "https://kubernetes.default.svc.cluster.local";

/** The same declaration, of which only some fields are read here. */
function seenAs<T extends KubeObject>(resource: unknown): Resource<T> {
  return resource as Resource<T>;
}

export const RBAC_KINDS: RBACKinds = {
  roles: seenAs(Role),
  clusterRoles: seenAs(ClusterRole),
  roleBindings: seenAs(RoleBinding),
  clusterRoleBindings: seenAs(ClusterRoleBinding),
};

const BINDABLE_KINDS: BindableKinds = {
  serviceAccounts: seenAs(ServiceAccount),
  secrets: seenAs(Secret),
  pods: seenAs(Pod),
  nodes: seenAs(Node),
};

const NODE_GRAPH_KINDS: NodeGraphKinds = {
  pods: seenAs(Pod),
  persistentVolumes: seenAs(PersistentVolume),
  volumeAttachments: seenAs(VolumeAttachment),
};

/** `resourceSlices` is given where the server serves that kind. */
export function openAuth(options: AuthOptions, resourceSlices?: NodeGraphKinds["resourceSlices"]): Auth {
  const { reader, clock, uuid, serviceAccountKey, refused, anonymousPaths } = options;
  const { issuer = ISSUER, audiences = [issuer], tokenFile } = options;
  const bundle = `${serviceAccountKey}\n${options.serviceAccountPublicKeys ?? ""}`;
  const verificationKeys = readVerificationKeys(bundle);
  const x509 = x509Method({ bundle: options.clientCA, clock });
  const allowedNames = ["front-proxy-client"];
  const frontProxy = requestHeaderMethod({ bundle: options.frontProxyCA, allowedNames, clock });
  const accountOptions = {
    issuers: [issuer],
    audiences,
    keys: verificationKeys,
    reader,
    kinds: BINDABLE_KINDS,
    clock,
  };
  const methods = anyTokenMethod([
    ...(tokenFile === undefined ? [] : [tokenFileMethod(tokenFile)]),
    serviceAccountTokenMethod(accountOptions),
    bootstrapTokenMethod({ reader, secrets: BINDABLE_KINDS.secrets, clock }),
  ]);
  const rbac = openRBAC(reader, RBAC_KINDS);
  const graph = openNodeGraph(reader, { ...NODE_GRAPH_KINDS, ...(resourceSlices ? { resourceSlices } : {}) });
  return {
    authenticator: makeAuthenticator({
      requests: [frontProxy, x509],
      tokens: methods,
      anonymousPaths,
      refused,
    }),
    authorizer: anyAuthorizer([nodeAuthorizer(graph), rbac]),
    rbac,
    tokens: makeTokenPort({ sign: openSigner(serviceAccountKey), issuer, audiences, methods, clock, uuid }),
    issuer,
    verificationKeys,
    trust({ clientCA, frontProxyCA }) {
      if (clientCA !== undefined) x509.trust(clientCA);
      if (frontProxyCA !== undefined) frontProxy.trust(frontProxyCA);
    },
    close() {
      rbac.close();
      graph.close();
    },
  };
}
