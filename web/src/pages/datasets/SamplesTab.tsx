/* Samples of a version: tiles cut from one sprite for images, rows for tables. */
import { versionFileUrl } from "../../api/datasets";
import type { DatasetVersion, ImageSamples, TableSamples } from "../../api/types";
import { Card } from "../../components/Surface";
import { useI18n } from "../../i18n/i18n";
import { useSearchState } from "../../lib/urlState";
import { BareSelect } from "../../components/Field";
import css from "./Dataset.module.css";

export function SamplesTab({ version }: { version: DatasetVersion }) {
    return version.kind === "image" ? (
        <ImageTiles url={versionFileUrl(version.id, "samples.png")} samples={version.samples as ImageSamples} />
    ) : (
        <TableRows samples={version.samples as TableSamples} />
    );
}

function ImageTiles({ url, samples }: { url: string; samples: ImageSamples }) {
    const { t } = useI18n();
    const [search, setSearch] = useSearchState();
    const labels = [...new Set(samples.items.map((item) => item.label))].sort();
    const rows = Math.ceil(samples.items.length / samples.columns);
    const chosen = search.label ?? "";
    const filter = (
        <BareSelect label={t("dataset.class_filter")} value={chosen} onChange={(event) => setSearch({ label: event.target.value })}>
            <option value="">{t("dataset.all_classes")}</option>
            {labels.map((label) => (
                <option key={label}>{label}</option>
            ))}
        </BareSelect>
    );
    return (
        <Card title={t("dataset.samples.title", { n: samples.items.length })} actions={filter}>
            <div className={css.tiles}>
                {samples.items.map((item, index) => {
                    if (chosen !== "" && item.label !== chosen) return null;
                    const column = index % samples.columns;
                    const row = Math.floor(index / samples.columns);
                    const share = (at: number, all: number) => (all <= 1 ? 0 : (at / (all - 1)) * 100);
                    return (
                        <div key={index} className={css.tile} title={t("dataset.sample", { row: item.row, split: item.split })}>
                            <div
                                role="img"
                                aria-label={item.label}
                                style={{
                                    backgroundImage: `url("${url}")`,
                                    backgroundSize: `${samples.columns * 100}% ${rows * 100}%`,
                                    backgroundPosition: `${share(column, samples.columns)}% ${share(row, rows)}%`,
                                }}
                            />
                            {item.label}
                        </div>
                    );
                })}
            </div>
        </Card>
    );
}

function TableRows({ samples }: { samples: TableSamples }) {
    const { t } = useI18n();
    return (
        <Card title={t("dataset.samples.title", { n: samples.rows.length })} flush>
            <div className={css.tableScroll} tabIndex={0} role="group" aria-label={t("dataset.samples")}>
                <table className={css.samples}>
                    <thead>
                        <tr>
                            {samples.columns.map((column) => (
                                <th key={column} scope="col">
                                    {column}
                                </th>
                            ))}
                        </tr>
                    </thead>
                    <tbody>
                        {samples.rows.map((row, index) => (
                            <tr key={index}>
                                {row.map((cell, at) => (
                                    <td key={at} title={cell ?? undefined}>
                                        {cell ?? <span className="faint">{t("dataset.null")}</span>}
                                    </td>
                                ))}
                            </tr>
                        ))}
                    </tbody>
                </table>
            </div>
        </Card>
    );
}
