/** Several authorizers as one: the first that allows or denies decides; the reasons of the others are kept. */
import type { Attributes, Authorizer, Decision, RuleList } from "../../api/user.ts";
import { GROUP } from "../authentication/method.ts";

const MASTERS: Decision = { decision: "allow", reason: "" };

/** `system:masters` may do everything, before and whatever any other authorizer says. */
export function anyAuthorizer(authorizers: readonly Authorizer[]): Authorizer {
  return {
    authorize(attributes) {
      if (attributes.user.groups.includes(GROUP.masters)) return MASTERS;
      return ask(authorizers, attributes, 0, "", "");
    },
    rulesFor(user, namespace) {
      const all: RuleList = { resourceRules: [], nonResourceRules: [], incomplete: false };
      const errors: string[] = [];
      for (const authorizer of authorizers) {
        const list = authorizer.rulesFor?.(user, namespace);
        if (!list) continue;
        all.resourceRules.push(...list.resourceRules);
        all.nonResourceRules.push(...list.nonResourceRules);
        all.incomplete ||= list.incomplete;
        if (list.evaluationError) errors.push(list.evaluationError);
      }
      if (errors.length > 0) all.evaluationError = errors.length === 1 ? errors[0] : `[${errors.join(", ")}]`;
      return all;
    },
  };
}

/** Stays synchronous as long as the authorizers do. */
function ask(
  authorizers: readonly Authorizer[],
  attributes: Attributes,
  from: number,
  said: string,
  error: string,
): Decision | Promise<Decision> {
  let reason = said;
  let failure = error;
  for (let i = from; i < authorizers.length; i++) {
    const answer = authorizers[i]!.authorize(attributes);
    if (answer instanceof Promise) {
      const [soFar, failed] = [reason, failure];
      return answer.then((decision) =>
        decision.decision === "none"
          ? ask(
              authorizers,
              attributes,
              i + 1,
              joined(soFar, decision.reason),
              joined(failed, decision.error),
            )
          : decision,
      );
    }
    if (answer.decision !== "none") return answer;
    reason = joined(reason, answer.reason);
    failure = joined(failure, answer.error);
  }
  return { decision: "none", reason, ...(failure === "" ? {} : { error: failure }) };
}

function joined(before: string, next: string | undefined): string {
  return next === undefined || next === "" ? before : before === "" ? next : `${before}\n${next}`;
}
