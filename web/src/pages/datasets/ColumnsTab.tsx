/* Every column with its distribution. Long tables are narrowed by name. */
import type { Column } from "../../api/types";
import { Bars, Histogram } from "../../components/Bars";
import { SearchBox } from "../../components/Field";
import { Badge } from "../../components/Status";
import { useI18n } from "../../i18n/i18n";
import { formatMetric } from "../../lib/format";
import { useSearchState } from "../../lib/urlState";
import css from "./Dataset.module.css";

const TOP_SHOWN = 5;
const COLUMNS_SHOWN = 200;

export function ColumnsTab({ columns }: { columns: Column[] }) {
    const { t } = useI18n();
    const [search, setSearch] = useSearchState();
    const needle = (search.column ?? "").toLowerCase();
    const found = columns.filter((column) => column.name.toLowerCase().includes(needle));
    return (
        <div className="stack">
            {columns.length > TOP_SHOWN && (
                <SearchBox label={t("dataset.column_search")} value={search.column ?? ""} onSearch={(column) => setSearch({ column })} />
            )}
            <div className={css.columns}>
                {found.slice(0, COLUMNS_SHOWN).map((column) => (
                    <ColumnCard key={column.name} column={column} />
                ))}
            </div>
            {found.length > COLUMNS_SHOWN && <p className="muted">{t("dataset.more_columns", { n: found.length - COLUMNS_SHOWN })}</p>}
        </div>
    );
}

function ColumnCard({ column }: { column: Column }) {
    const { t, count, label } = useI18n();
    const { statistics, histogram, top } = column;
    return (
        <section className={css.column}>
            <div className="row spread">
                <h3 className="truncate" title={column.name}>
                    {column.name}
                </h3>
                <Badge>{label("column_type", column.type)}</Badge>
            </div>
            {histogram && <Histogram bins={histogram} label={t("dataset.histogram", { name: column.name })} />}
            {!histogram && top && (
                <Bars label={column.name} items={top.slice(0, TOP_SHOWN).map((entry) => ({ name: entry.value, value: entry.count, text: count(entry.count) }))} />
            )}
            <dl className={css.stats}>
                {statistics && (["mean", "stddev", "p50"] as const).map((key) => (
                    <div key={key}>
                        <dt>{t(`statistics.${key}`)}</dt>
                        <dd>{formatMetric(statistics[key])}</dd>
                    </div>
                ))}
                <div>
                    <dt>{t("statistics.distinct")}</dt>
                    <dd>{count(column.distinct)}</dd>
                </div>
                <div>
                    <dt>{t("statistics.nulls")}</dt>
                    <dd>{count(column.nulls)}</dd>
                </div>
            </dl>
        </section>
    );
}
