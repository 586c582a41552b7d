/* What was and will be sent to a webhook: each delivery opens to its attempts and its body. */
import { useInfiniteQuery } from "@tanstack/react-query";
import type { Webhook, WebhookDelivery } from "../../api/types";
import { deliveriesQuery, useRedeliver } from "../../api/webhooks";
import { Button } from "../../components/Button";
import { CodeBlock } from "../../components/CodeBlock";
import { Answer, StatePill } from "../../components/Status";
import { toastError } from "../../components/Toaster";
import { useI18n } from "../../i18n/i18n";
import css from "./Webhooks.module.css";

function readable(body: string): string {
    try {
        return JSON.stringify(JSON.parse(body), null, 2);
    } catch {
        return body;
    }
}

function Attempts({ delivery }: { delivery: WebhookDelivery }) {
    const { t, time } = useI18n();
    return (
        <ol className={css.attempts}>
            {delivery.log.map((attempt) => (
                <li key={attempt.at}>
                    <span className="muted">{time(attempt.at)}</span> <strong>{attempt.status ?? t("webhook.no_answer")}</strong>{" "}
                    <span className="muted">{t("webhook.took", { n: attempt.duration_ms })}</span> {attempt.error}
                </li>
            ))}
        </ol>
    );
}

function Delivery({ project, hook, delivery }: { project: string; hook: Webhook; delivery: WebhookDelivery }) {
    const { t, tn, ago, label, time } = useI18n();
    const again = useRedeliver(project, hook.id);
    return (
        <details className={css.delivery}>
            <summary>
                <StatePill state={delivery.state} />
                <span className="grow truncate">{label("event", delivery.event)}</span>
                <span className="muted small">{tn("webhook.attempts", delivery.attempts)}</span>
                <span className="muted small">{ago(delivery.created_at)}</span>
            </summary>
            <div className="stack-s">
                <div className="row wrap">
                    <span className="mono muted small grow truncate">{delivery.id}</span>
                    {hook.status === "active" && delivery.state !== "waiting" && (
                        <Button small busy={again.isPending} onClick={() => again.mutate(delivery.id, { onError: toastError })}>
                            {t("webhook.redeliver")}
                        </Button>
                    )}
                </div>
                {delivery.next_attempt_at && <p className="muted small">{t("webhook.next", { at: time(delivery.next_attempt_at) })}</p>}
                <Attempts delivery={delivery} />
                <CodeBlock wrap label={t("webhook.body")} text={readable(delivery.body)} />
            </div>
        </details>
    );
}

export function WebhookDeliveries({ project, hook }: { project: string; hook: Webhook }) {
    const { t } = useI18n();
    const query = useInfiniteQuery(deliveriesQuery(project, hook.id));
    const rows = query.data?.pages.flatMap((page) => page.items) ?? [];
    return (
        <section className="stack-s" aria-label={t("webhook.deliveries")}>
            <h3>{t("webhook.deliveries")}</h3>
            <Answer query={query} lines={3}>
                {() =>
                    rows.length === 0 ? (
                        <p className="muted">{t("webhook.deliveries.none")}</p>
                    ) : (
                        <div>
                            {rows.map((delivery) => (
                                <Delivery key={delivery.id} project={project} hook={hook} delivery={delivery} />
                            ))}
                            {query.hasNextPage && (
                                <Button small busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                                    {t("webhook.older")}
                                </Button>
                            )}
                        </div>
                    )
                }
            </Answer>
        </section>
    );
}
