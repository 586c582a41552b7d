/* A service account's tokens: made here, shown once, revoked with one click. */
import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState } from "react";
import { projectsQuery } from "../../api/projects";
import { serviceTokensQuery, useCreateServiceToken, useRevokeServiceToken } from "../../api/serviceAccounts";
import type { ServiceAccount } from "../../api/types";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { SecretDialog } from "../../components/SecretDialog";
import { Answer, Badge } from "../../components/Status";
import { TokenForm } from "../../components/TokenForm";
import { useI18n } from "../../i18n/i18n";
import css from "./Access.module.css";

export function ServiceTokensDialog({ account, onClose }: { account: ServiceAccount; onClose: () => void }) {
    const { t, ago, label } = useI18n();
    const query = useQuery(serviceTokensQuery(account.id));
    const { data: projects } = useQuery(projectsQuery);
    const create = useCreateServiceToken(account.id);
    const revoke = useRevokeServiceToken(account.id);
    const [creating, setCreating] = useState(false);
    if (create.data) {
        const back = () => {
            create.reset();
            setCreating(false);
        };
        return <SecretDialog title={t("token.created")} body={t("token.created.body")} label={t("token.value")} text={create.data.token} onClose={back} />;
    }
    if (creating) {
        return (
            <Dialog open onClose={() => setCreating(false)} title={t("token.new")}>
                <TokenForm projects={projects?.items ?? []} busy={create.isPending} onSubmit={(token) => create.mutate(token)} onCancel={() => setCreating(false)} />
            </Dialog>
        );
    }
    return (
        <Dialog open wide onClose={onClose} title={account.name} description={t("service.tokens.lead")}>
            <div className="stack">
                <div className="row">
                    <Button icon={Plus} onClick={() => setCreating(true)}>
                        {t("token.new")}
                    </Button>
                </div>
                <Answer query={query} lines={3}>
                    {(page) =>
                        page.items.length === 0 ? (
                            <p className="muted">{t("token.empty.title")}</p>
                        ) : (
                            <ul className={css.people}>
                                {page.items.map((token) => (
                                    <li key={token.id} className="row">
                                        <strong className="truncate">{token.name}</strong>
                                        <span className="mono muted">{token.prefix}…</span>
                                        <span className="row grow">{token.scopes.map((scope) => <Badge key={scope}>{label("scope", scope)}</Badge>)}</span>
                                        <span className="muted small">{token.last_used_at ? ago(token.last_used_at) : t("token.never")}</span>
                                        <Button small variant="ghost" aria-label={t("token.revoke.title", { name: token.name })} onClick={() => revoke.mutate(token.id)}>
                                            {t("token.revoke")}
                                        </Button>
                                    </li>
                                ))}
                            </ul>
                        )
                    }
                </Answer>
            </div>
        </Dialog>
    );
}
