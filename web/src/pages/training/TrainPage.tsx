/*
 * Starts a training job: choose data, choose a template, adjust. The spec's text is the one truth; the
 * fields above it read and write that text, and the server checks it a moment after each change.
 */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Database } from "lucide-react";
import { datasetsQuery, datasetVersionQuery, datasetVersionsQuery } from "../../api/datasets";
import { templatesQuery } from "../../api/runs";
import type { Template } from "../../api/types";
import { ButtonLink } from "../../components/Button";
import { Select } from "../../components/Field";
import { Answer, EmptyState } from "../../components/Status";
import { Card, Page } from "../../components/Surface";
import { useI18n } from "../../i18n/i18n";
import { useParam, useSearchState } from "../../lib/urlState";
import { useRows } from "../../lib/useRows";
import { SpecForm } from "./SpecForm";
import css from "./TrainPage.module.css";

export default function TrainPage() {
    const { t, count } = useI18n();
    const project = useParam("project");
    const [search, setSearch] = useSearchState();
    const datasets = useInfiniteQuery(datasetsQuery(project));
    const { rows } = useRows(datasets);
    const given = useQuery(datasetVersionQuery(search.version ?? ""));
    const usable = rows.filter((row) => row.latest_state === "ready" || (row.latest_version ?? 0) > 1);
    const dataset = search.dataset ?? given.data?.dataset_id ?? usable[0]?.id ?? "";
    const versions = useQuery({ ...datasetVersionsQuery(dataset), enabled: dataset !== "" });
    const ready = versions.data?.items.filter((version) => version.state === "ready").sort((a, b) => b.version - a.version) ?? [];
    const version = ready.find((item) => item.id === search.version) ?? ready[0];
    const templates = useQuery(templatesQuery(version?.id ?? ""));
    return (
        <Page title={t("train.new")} crumbs={[{ label: t("nav.runs"), to: `/projects/${project}/runs` }]} lead={t("train.lead")}>
            <Answer query={datasets}>
                {() =>
                    usable.length === 0 ? (
                        <EmptyState icon={Database} title={t("train.no_data.title")} body={t("train.no_data.body")}>
                            <ButtonLink variant="primary" to="/projects/$project/datasets" params={{ project }} search={{ new: "1" }}>
                                {t("datasets.new")}
                            </ButtonLink>
                        </EmptyState>
                    ) : (
                        <div className="stack">
                            <Card title={t("train.data")}>
                                <div className={css.knobs}>
                                    <Select label={t("field.dataset")} value={dataset} onChange={(event) => setSearch({ dataset: event.target.value, version: null, template: null })}>
                                        {usable.map((row) => (
                                            <option key={row.id} value={row.id}>
                                                {row.name}
                                            </option>
                                        ))}
                                    </Select>
                                    <Select label={t("field.version")} value={version?.id ?? ""} onChange={(event) => setSearch({ version: event.target.value })}>
                                        {ready.map((item) => (
                                            <option key={item.id} value={item.id}>
                                                {t("train.version", { n: item.version, rows: count(item.rows ?? 0) })}
                                            </option>
                                        ))}
                                    </Select>
                                </div>
                            </Card>
                            {version && (
                                <Answer query={templates}>
                                    {({ items }) => <Templates templates={items} version={version.id} project={project} />}
                                </Answer>
                            )}
                        </div>
                    )
                }
            </Answer>
        </Page>
    );
}

function Templates({ templates, version, project }: { templates: Template[]; version: string; project: string }) {
    const { t } = useI18n();
    const [search, setSearch] = useSearchState();
    const chosen = templates.find((template) => template.id === search.template) ?? templates[0];
    if (!chosen) return <EmptyState icon={Database} title={t("train.no_template.title")} body={t("train.no_template.body")} />;
    return (
        <>
            <Card title={t("train.template")}>
                <div className={css.templates} role="radiogroup" aria-label={t("train.template")}>
                    {templates.map((template) => (
                        <button
                            key={template.id}
                            type="button"
                            role="radio"
                            aria-checked={template === chosen}
                            className={css.template}
                            onClick={() => setSearch({ template: template.id })}
                        >
                            <strong>{template.title}</strong>
                            <span>{template.description}</span>
                        </button>
                    ))}
                </div>
            </Card>
            <SpecForm key={`${version}/${chosen.id}`} template={chosen} version={version} project={project} />
        </>
    );
}
