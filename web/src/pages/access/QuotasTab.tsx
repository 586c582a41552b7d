/* Quotas: how much of each the team uses; owners set and lift the limits. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { quotasQuery } from "../../api/quotas";
import type { Quota } from "../../api/types";
import { Button } from "../../components/Button";
import { Answer, Bar } from "../../components/Status";
import { Card } from "../../components/Surface";
import { useI18n } from "../../i18n/i18n";
import { formatBytes } from "../../lib/format";
import { QuotaDialog } from "./QuotaDialog";

const REFRESH_MS = 5000;

export function QuotasTab({ owns }: { owns: boolean }) {
    const { t } = useI18n();
    const query = useQuery({ ...quotasQuery, refetchInterval: REFRESH_MS });
    const [edited, setEdited] = useState<Quota | null>(null);
    return (
        <div className="stack">
            <p className="muted small">{t("quota.lead")}</p>
            <Answer query={query}>
                {(quotas) => (
                    <div className="grid-3">
                        {quotas.items.map((quota) => (
                            <QuotaCard key={quota.name} quota={quota} onEdit={owns ? () => setEdited(quota) : null} />
                        ))}
                    </div>
                )}
            </Answer>
            {edited && <QuotaDialog quota={edited} onClose={() => setEdited(null)} />}
        </div>
    );
}

function QuotaCard({ quota, onEdit }: { quota: Quota; onEdit: (() => void) | null }) {
    const { t, count } = useI18n();
    const { name, limit, used } = quota;
    const shown = (value: number) => (name === "storage_bytes" ? formatBytes(value) : count(value));
    const title = t(`quota.${name}`);
    const edit = onEdit && (
        <Button small aria-label={t("quota.set", { name: title })} onClick={onEdit}>
            {t("provider.edit")}
        </Button>
    );
    return (
        <Card title={title} actions={edit}>
            <div className="stack-s">
                <div className="row spread num">
                    <strong>{shown(used)}</strong>
                    <span className="muted">{limit === null ? t("quota.none") : t("quota.of", { limit: shown(limit) })}</span>
                </div>
                {limit !== null && <Bar value={limit === 0 ? 1 : Math.min(1, used / limit)} label={title} />}
            </div>
        </Card>
    );
}
