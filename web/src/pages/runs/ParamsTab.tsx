/* What a run was started with: parameters, tags, notes and the whole spec. */
import { useState } from "react";
import { useUpdateRun } from "../../api/runs";
import type { Run } from "../../api/types";
import { Button } from "../../components/Button";
import { CodeBlock } from "../../components/CodeBlock";
import { Textarea } from "../../components/Field";
import { Card, Facts } from "../../components/Surface";
import { useI18n } from "../../i18n/i18n";

export function ParamsTab({ run }: { run: Run }) {
    const { t } = useI18n();
    const params = Object.entries(run.params);
    const tags = Object.entries(run.tags);
    return (
        <div className="stack">
            {params.length > 0 && (
                <Card title={t("run.params")}>
                    <Facts items={params} />
                </Card>
            )}
            {tags.length > 0 && (
                <Card title={t("run.tags")}>
                    <Facts items={tags} />
                </Card>
            )}
            <Notes key={run.notes} run={run} />
            {run.spec !== null && (
                <Card title={t("run.spec")}>
                    <CodeBlock label={t("run.spec")} text={JSON.stringify(run.spec, null, 2)} />
                </Card>
            )}
        </div>
    );
}

function Notes({ run }: { run: Run }) {
    const { t } = useI18n();
    const [text, setText] = useState(run.notes);
    const update = useUpdateRun(run.id);
    return (
        <Card title={t("run.notes")}>
            <div className="stack-s">
                <Textarea label={t("run.notes.label")} value={text} onChange={(event) => setText(event.target.value)} />
                <div className="row">
                    <Button small disabled={text === run.notes} busy={update.isPending} onClick={() => update.mutate({ notes: text })}>
                        {t("action.save")}
                    </Button>
                </div>
            </div>
        </Card>
    );
}
