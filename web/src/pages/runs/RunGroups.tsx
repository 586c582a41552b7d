/* All runs that the filter finds, summed up by the value of one parameter, tag or attribute. */
import { useQuery } from "@tanstack/react-query";
import { runGroupsQuery, type RunFilter } from "../../api/runs";
import type { AggregateMetric, RunField, RunGroup } from "../../api/types";
import { BareSelect } from "../../components/Field";
import { Answer } from "../../components/Status";
import { Card } from "../../components/Surface";
import { useI18n } from "../../i18n/i18n";
import { fieldName, parseFieldName, type FieldName } from "../../lib/fieldName";
import { formatMetric } from "../../lib/format";
import css from "./RunList.module.css";

const ATTRIBUTES = ["state", "experiment", "user", "dataset", "source"] as const;

/** What can be grouped by: everything that has few values, as far as one can know. */
export function GroupSelect({ value, fields, onChange }: { value: string; fields: readonly RunField[]; onChange: (by: string) => void }) {
    const { t } = useI18n();
    const keyed = fields.filter(({ name }) => /^(params|tags)\./.test(name));
    return (
        <BareSelect label={t("groups.by")} value={value} onChange={(event) => onChange(event.target.value)}>
            <option value="">{t("groups.none")}</option>
            {ATTRIBUTES.map((id) => (
                <option key={id} value={id}>
                    {t(`column.${id}`)}
                </option>
            ))}
            {keyed.map(({ name }) => (
                <option key={name} value={name}>
                    {name}
                </option>
            ))}
        </BareSelect>
    );
}

interface RunGroupsProps {
    project: string;
    filter: RunFilter;
    by: string;
    metrics: FieldName[];
}

export function RunGroups({ project, filter, by, metrics: fields }: RunGroupsProps) {
    const { t, label } = useI18n();
    const { group, key } = parseFieldName(by);
    const metrics = fields.map(({ key, part }): AggregateMetric => ({ key, of: part }));
    const query = useQuery(runGroupsQuery(project, filter, by, metrics));
    return (
        <Card title={t("groups.title", { field: group === null ? label("column", key) : key })} flush>
            <Answer query={query}>{(data) => <GroupTable groups={data.items} metrics={metrics} />}</Answer>
        </Card>
    );
}

const nameOf = ({ key, of }: AggregateMetric) => fieldName({ group: "metrics", key, part: of ?? "last" });

function GroupTable({ groups, metrics }: { groups: RunGroup[]; metrics: AggregateMetric[] }) {
    const { t, count } = useI18n();
    return (
        <div className={css.summary} tabIndex={0}>
            <table>
                <thead>
                    <tr>
                        <th scope="col">{t("groups.value")}</th>
                        <th scope="col">{t("nav.runs")}</th>
                        {metrics.flatMap((metric) => [
                            <th key={`${nameOf(metric)} mean`} scope="col">{t("groups.mean", { key: metric.of === "last" ? metric.key : t(`column.${metric.of!}`, { key: metric.key }) })}</th>,
                            <th key={`${nameOf(metric)} min`} scope="col">{t("groups.min")}</th>,
                            <th key={`${nameOf(metric)} max`} scope="col">{t("groups.max")}</th>,
                        ])}
                    </tr>
                </thead>
                <tbody>
                    {groups.map((group) => (
                        <tr key={JSON.stringify(group.keys)}>
                            <td>{group.keys[0] ?? <span className="faint">{t("groups.without")}</span>}</td>
                            <td>{count(group.runs)}</td>
                            {metrics.flatMap((asked) => {
                                const metric = group.metrics.find((item) => item.key === asked.key && item.of === asked.of);
                                return (["mean", "min", "max"] as const).map((part) => <td key={`${nameOf(asked)} ${part}`}>{formatMetric(metric?.[part])}</td>);
                            })}
                        </tr>
                    ))}
                </tbody>
            </table>
        </div>
    );
}
