/*
 * How to log to this very place from one's own code: programs to copy that hold the address, the project and,
 * after one click, a token of their own. The token is known to this page alone and only until it is left.
 */
import { useQuery } from "@tanstack/react-query";
import { KeyRound } from "lucide-react";
import { useState } from "react";
import { projectQuery } from "../../api/projects";
import { sessionQuery, useCreateToken } from "../../api/session";
import type { Experiment } from "../../api/types";
import { Button } from "../../components/Button";
import { CodeBlock } from "../../components/CodeBlock";
import { Dialog } from "../../components/Dialog";
import { Checkbox } from "../../components/Field";
import { Tabs, type Tab } from "../../components/Tabs";
import { useI18n, type Key } from "../../i18n/i18n";
import { curlLogSnippet, environmentSnippet, looksLocal, mlflowSnippet, pythonLogSnippet, traceSnippet, type LogTarget } from "../../lib/logSnippets";
import { useParam } from "../../lib/urlState";
import css from "./RunList.module.css";

const DEFAULT_EXPERIMENT = { name: "Default", number: 0 };
/* Reading is part of logging: clients look their experiment up first. Models are registered by writing. */
const LOGGING = ["ingest", "read"];
const REGISTERING = [...LOGGING, "write"];
const DAYS = 90;
const FACTS: Key[] = ["log_code.fact.calls", "log_code.fact.project", "log_code.fact.basic", "log_code.fact.archive"];
/* What a team's people may make; a viewer's token could not log. */
const WRITERS = ["owner", "admin", "editor"];

interface LogProps {
    experiment: Pick<Experiment, "name" | "number"> | undefined;
    /** Shows how to send traces instead of runs. */
    traces?: boolean;
}

export function LogFromCode({ experiment, traces }: LogProps) {
    const { t } = useI18n();
    const project = useParam("project");
    const create = useCreateToken();
    const [kind, setKind] = useState("mlflow");
    const [ownCertificate, setOwnCertificate] = useState(location.protocol === "https:" && looksLocal(location.hostname));
    const target: LogTarget = { origin: location.origin, project, experiment: experiment ?? DEFAULT_EXPERIMENT, token: create.data?.token ?? null, ownCertificate };
    const tabs: Tab[] = [
        { id: "mlflow", label: t("log_code.mlflow"), content: () => (
            <div className="stack-s">
                <p className="muted small">{t("log_code.mlflow.body")}</p>
                <CodeBlock label={t("log_code.environment")} text={environmentSnippet(target)} />
                <CodeBlock label={t("log_code.mlflow")} text={traces ? traceSnippet(target) : mlflowSnippet(target)} />
                <ul className={css.notes}>
                    {FACTS.map((fact) => (
                        <li key={fact}>{t(fact, { project })}</li>
                    ))}
                </ul>
            </div>
        ) },
    ];
    if (!traces) {
        tabs.push(
            { id: "curl", label: t("log_code.curl"), content: () => <CodeBlock label={t("log_code.curl")} text={curlLogSnippet(target)} /> },
            { id: "python", label: t("log_code.python"), content: () => <CodeBlock label={t("log_code.python")} text={pythonLogSnippet(target)} /> },
        );
    }
    return (
        <div className="stack">
            <MakeToken made={create.data !== undefined} busy={create.isPending} onMake={(name, scopes) => create.mutate({ name, scopes, projects: [project], expires_in_days: DAYS })} />
            <Tabs label={t("log_code.title")} tabs={tabs} value={kind} onChange={setKind} />
            {location.protocol === "https:" && (
                <div className="stack-s">
                    <Checkbox label={t("log_code.certificate")} checked={ownCertificate} onChange={(event) => setOwnCertificate(event.target.checked)} />
                    {ownCertificate && <p className="muted small">{t("log_code.certificate.body")}</p>}
                </div>
            )}
        </div>
    );
}

function MakeToken({ made, busy, onMake }: { made: boolean; busy: boolean; onMake: (name: string, scopes: string[]) => void }) {
    const { t, tn } = useI18n();
    const [registers, setRegisters] = useState(true);
    const { data: project } = useQuery(projectQuery(useParam("project")));
    const { data: session } = useQuery(sessionQuery);
    if (made) {
        return (
            <p className="small" role="status">
                {t("log_code.token.made")} {tn("token.days", DAYS)}.
            </p>
        );
    }
    if (!session || !WRITERS.includes(session.role)) return <p className="muted small">{t("log_code.token.viewer")}</p>;
    return (
        <div className="row wrap">
            <Button variant="primary" icon={KeyRound} busy={busy} onClick={() => onMake(t("log_code.token.name", { project: project?.name ?? "" }), registers ? REGISTERING : LOGGING)}>
                {t("log_code.token")}
            </Button>
            <Checkbox label={t("log_code.token.registers")} checked={registers} onChange={(event) => setRegisters(event.target.checked)} />
            <span className="muted small">{t("log_code.token.body")}</span>
        </div>
    );
}

export function LogFromCodeDialog({ open, onClose, experiment }: { open: boolean; onClose: () => void; experiment: Pick<Experiment, "name" | "number"> | undefined }) {
    const { t } = useI18n();
    return (
        <Dialog open={open} onClose={onClose} title={t("log_code.title")} description={t("log_code.lead")} wide>
            <LogFromCode experiment={experiment} />
        </Dialog>
    );
}
