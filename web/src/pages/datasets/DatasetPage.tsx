/* One dataset: a version's statistics, samples and columns, all its versions, and the import of a new one. */
import { useQuery } from "@tanstack/react-query";
import { Play, Upload, Waypoints } from "lucide-react";
import { datasetQuery, datasetVersionQuery, datasetVersionsQuery } from "../../api/datasets";
import { useLive } from "../../api/events";
import { useMay } from "../../api/permissions";
import type { Dataset, DatasetVersion } from "../../api/types";
import { Button, ButtonLink } from "../../components/Button";
import { BareSelect } from "../../components/Field";
import { StatePill } from "../../components/Status";
import { Page, PageAnswer } from "../../components/Surface";
import { Tabs, type Tab } from "../../components/Tabs";
import { ViewOnly } from "../../components/ViewOnly";
import { useI18n } from "../../i18n/i18n";
import { useParam, useSearchState } from "../../lib/urlState";
import { ColumnsTab } from "./ColumnsTab";
import { ImportTab } from "./ImportTab";
import { OverviewTab } from "./OverviewTab";
import { SamplesTab } from "./SamplesTab";
import { VersionsTab } from "./VersionsTab";

export default function DatasetPage() {
    const { t } = useI18n();
    const project = useParam("project");
    const dataset = useQuery(datasetQuery(useParam("dataset")));
    const versions = useQuery(datasetVersionsQuery(useParam("dataset")));
    const crumbs = [{ label: t("nav.datasets"), to: `/projects/${project}/datasets` }];
    return (
        <PageAnswer query={dataset} title={t("field.dataset")} crumbs={crumbs}>
            {(data) => (
                <PageAnswer query={versions} title={data.name} crumbs={crumbs}>
                    {(list) => <DatasetView dataset={data} versions={list.items} />}
                </PageAnswer>
            )}
        </PageAnswer>
    );
}

function DatasetView({ dataset, versions }: { dataset: Dataset; versions: DatasetVersion[] }) {
    const { t } = useI18n();
    const project = useParam("project");
    const [search, setSearch] = useSearchState();
    const { may, refusal } = useMay(project, "dataset.write");
    const sorted = [...versions].sort((a, b) => b.version - a.version);
    const chosen = sorted.find((version) => String(version.version) === search.version) ?? sorted[0];
    /* Lists leave large statistics and samples out; the chosen version is asked for in full. */
    const full = useQuery(datasetVersionQuery(chosen?.id ?? ""));
    const current = full.data ?? chosen;
    const importing = current?.state === "importing";
    useLive(current ? [`dataset_version:${current.id}`] : [], importing);
    const tabs: Tab[] = [];
    if (current) {
        tabs.push({ id: "overview", label: t("dataset.overview"), content: () => <OverviewTab version={current} project={project} /> });
        if (current.samples) tabs.push({ id: "samples", label: t("dataset.samples"), content: () => <SamplesTab version={current} /> });
        if (current.columns) tabs.push({ id: "columns", label: t("dataset.columns"), count: current.columns.length, content: () => <ColumnsTab columns={current.columns!} /> });
        tabs.push({ id: "versions", label: t("dataset.versions"), count: sorted.length, content: () => (
            <VersionsTab versions={sorted} onOpen={(version) => setSearch({ version, tab: "overview" })} />
        ) });
    }
    if (may) tabs.push({ id: "import", label: t("dataset.import"), content: () => (
        <ImportTab dataset={dataset.id} onStarted={(version) => setSearch({ version, tab: "overview" })} />
    ) });
    const actions = current && (
        <>
            <BareSelect label={t("field.version")} value={current.version} onChange={(event) => setSearch({ version: event.target.value })} style={{ width: "auto" }}>
                {sorted.map((version) => (
                    <option key={version.id} value={version.version}>
                        {t("version.long", { n: version.version })}
                    </option>
                ))}
            </BareSelect>
            <ButtonLink icon={Waypoints} to="/projects/$project/lineage" params={{ project }} search={{ node: `dataset_version:${current.id}` }}>
                {t("nav.lineage")}
            </ButtonLink>
            {may && (
                <Button icon={Upload} onClick={() => setSearch({ tab: "import" })}>
                    {t("dataset.new_version")}
                </Button>
            )}
            {may && current.state === "ready" && (
                <ButtonLink variant="primary" icon={Play} to="/projects/$project/train" params={{ project }} search={{ version: current.id }}>
                    {t("dataset.train")}
                </ButtonLink>
            )}
        </>
    );
    return (
        <Page
            title={dataset.name}
            lead={dataset.description}
            crumbs={[{ label: t("nav.datasets"), to: `/projects/${project}/datasets` }]}
            badge={<><ViewOnly refusal={refusal} />{current && <StatePill state={current.state} />}</>}
            actions={actions}
        >
            <Tabs label={dataset.name} tabs={tabs} value={search.tab ?? "overview"} onChange={(tab) => setSearch({ tab })} />
        </Page>
    );
}
