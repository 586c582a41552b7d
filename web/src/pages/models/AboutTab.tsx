/* What a version is and where it came from: description, tags, stage, aliases, source; and, when Slipway cannot serve it, who can load it. */
import { Info } from "lucide-react";
import { useRegistryTag, useUpdateModelVersion } from "../../api/models";
import type { ModelVersion } from "../../api/types";
import { CodeBlock } from "../../components/CodeBlock";
import { BareSelect } from "../../components/Field";
import { Notes } from "../../components/Notes";
import { Badge } from "../../components/Status";
import { Card, Facts } from "../../components/Surface";
import { Tags } from "../../components/Tags";
import { useI18n } from "../../i18n/i18n";
import { loadSnippet } from "../../lib/logSnippets";
import { safeHref } from "../../lib/safeHref";
import { useParam } from "../../lib/urlState";
import css from "./Registry.module.css";

const STAGES = ["none", "staging", "production", "archived"] as const;

export function AboutTab({ version, may }: { version: ModelVersion; may: boolean }) {
    const { t } = useI18n();
    const update = useUpdateModelVersion(version.id);
    const tag = useRegistryTag("model-versions", version.id);
    return (
        <div className="stack">
            {!version.servable && <NotServable version={version} />}
            <Notes title={t("field.description")} label={t("field.description")} text={version.description} busy={update.isPending} onSave={may ? (description, done) => update.mutate({ description }, { onSuccess: done }) : undefined} />
            <Card title={t("version.registry")}>
                <div className="stack">
                    <Facts
                        items={[
                            [t("version.stage"), <BareSelect key="stage" label={t("version.stage")} className={css.narrow} value={version.stage} disabled={update.isPending || !may} onChange={(event) => update.mutate({ stage: event.target.value as ModelVersion["stage"] })}>
                                {STAGES.map((stage) => (
                                    <option key={stage} value={stage}>
                                        {t(`stage.${stage}`)}
                                    </option>
                                ))}
                            </BareSelect>],
                            [t("model.aliases"), version.aliases.length > 0 && <span className={css.badges}>{version.aliases.map((alias) => <Badge key={alias}>@{alias}</Badge>)}</span>],
                            [t("version.source"), <span key="source" className="mono small">{version.source}</span>],
                            [t("version.link"), version.run_link !== "" && <RunLink href={version.run_link} />],
                        ].map(([label, value]) => [label as string, value === false ? null : value])}
                    />
                    <Tags tags={version.tags} busy={tag.isPending} {...(may ? { onSet: (key: string, value: string) => tag.mutate({ key, value }), onRemove: (key: string) => tag.mutate({ key, value: null }) } : {})} />
                </div>
            </Card>
        </div>
    );
}

/* A page elsewhere, as a client gave it. */
function RunLink({ href }: { href: string }) {
    const safe = safeHref(href);
    return safe === null ? href : <a href={safe} target="_blank" rel="noreferrer noopener">{safe}</a>;
}

function NotServable({ version }: { version: ModelVersion }) {
    const { t } = useI18n();
    return (
        <Card title={<span className="row"><Info size={16} aria-hidden /> {t("version.not_servable")}</span>}>
            <div className="stack-s">
                <p className="muted">{t("version.not_servable.body")}</p>
                <CodeBlock label={t("version.python")} text={loadSnippet({ origin: location.origin, project: useParam("project") }, version.model_name, version.version)} />
            </div>
        </Card>
    );
}
