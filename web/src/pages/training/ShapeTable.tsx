/* The shapes of every layer as the server computed them; a refused layer is marked with the reason. */
import type { SpecReport, TrainSpec } from "../../api/types";
import { Skeleton } from "../../components/Status";
import { Card, Facts } from "../../components/Surface";
import { useI18n } from "../../i18n/i18n";
import type { ApiError } from "../../lib/apiError";
import { cx } from "../../lib/cx";
import css from "./TrainPage.module.css";

interface ShapeTableProps {
    report: SpecReport | null;
    refusal: ApiError | null;
    stale: boolean;
    spec: TrainSpec | null;
}

export function ShapeTable({ report, refusal, stale, spec }: ShapeTableProps) {
    const { t, count } = useI18n();
    if (refusal) return <Refusal refusal={refusal} spec={spec} />;
    if (!report) return <Card title={t("train.shapes")} flush><Skeleton /></Card>;
    return (
        <div className={cx("stack", stale && css.stale)} aria-busy={stale}>
            <Card>
                <Facts
                    items={[
                        [t("train.parameters"), count(report.parameters)],
                        [t("train.steps_per_epoch"), count(report.steps_per_epoch)],
                        [t("train.steps"), count(report.steps)],
                    ]}
                />
            </Card>
            <Card title={t("train.shapes")} flush>
                <table className={css.shapes}>
                    <thead>
                        <tr>
                            <th scope="col">#</th>
                            <th scope="col">{t("train.layer")}</th>
                            <th scope="col">{t("train.output")}</th>
                            <th scope="col" className={css.right}>
                                {t("train.parameters")}
                            </th>
                        </tr>
                    </thead>
                    <tbody>
                        {report.layers.map((layer) => (
                            <tr key={layer.index}>
                                <td className="faint">{layer.index}</td>
                                <td>{layer.type}</td>
                                <td>{layer.output.join(" × ")}</td>
                                <td className={css.right}>{layer.parameters === 0 ? "" : count(layer.parameters)}</td>
                            </tr>
                        ))}
                    </tbody>
                </table>
            </Card>
        </div>
    );
}

function Refusal({ refusal, spec }: { refusal: ApiError; spec: TrainSpec | null }) {
    const { t } = useI18n();
    const index = Number(/layers\[(\d+)\]/.exec(refusal.field ?? "")?.[1] ?? NaN);
    const layers = spec?.model?.layers ?? [];
    return (
        <Card title={t("train.refused")} flush>
            <table className={css.shapes}>
                <tbody>
                    {layers.map((layer, at) => (
                        <tr key={at} className={cx(at === index && css.wrong)}>
                            <td className="faint">{at}</td>
                            <td>{String(layer.type)}</td>
                            <td>{at === index ? refusal.message : ""}</td>
                        </tr>
                    ))}
                    {Number.isNaN(index) && (
                        <tr className={css.wrong}>
                            <td />
                            <td>{refusal.field}</td>
                            <td>{refusal.message}</td>
                        </tr>
                    )}
                </tbody>
            </table>
        </Card>
    );
}
